//! The lab, run as a user runs it: real daemons and real packets where that is permitted, the simulator everywhere.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

#[path = "support/tshark.rs"]
mod tshark;

/// The exit code of a run that could not take place.
const NOT_RUN: i32 = 2;

fn lab(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rsvp-cli"));
    command.arg("lab").args(arguments).output().expect("the program runs")
}

fn report(output: &Output) -> Value {
    let words = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}; it said:\n{words}"))
}

/// Checks that everything held, and tells what did not.
fn assert_passed(output: &Output) {
    let report = report(output);
    let checks = report["checks"].as_array().expect("checks");
    let failed: Vec<&Value> = checks.iter().filter(|check| check["result"] == "failed").collect();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && failed.is_empty(), "{failed:#?}\n{log}");
    assert!(!checks.is_empty());
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The scenario of these tests, in the address family wanted.
fn short_scenario(directory: &Path, family: &str) -> PathBuf {
    let text = include_str!("lab/short.toml").replace("family = \"ipv4\"", &format!("family = \"{family}\""));
    let path = directory.join(format!("{family}.toml"));
    std::fs::write(&path, text).expect("a writable directory");
    path
}

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rsvp-cli-test-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a writable directory");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether a run in namespaces could not take place; insists where the environment promises them.
#[cfg(target_os = "linux")]
fn is_skipped(output: &Output) -> bool {
    let words = String::from_utf8_lossy(&output.stderr);
    let is_skipped = output.status.code() == Some(NOT_RUN) && words.contains("cannot make namespaces");
    if is_skipped {
        assert!(std::env::var_os("CI").is_none(), "namespaces are needed in CI: {words}");
        tshark::warn(&format!("SKIPPED: no lab in namespaces here: {words}"));
    }
    is_skipped
}

/// Runs a scenario in namespaces: every check holds, and an independent dissector finds no fault with the captures.
#[cfg(target_os = "linux")]
fn assert_holds_on_linux(scenario: &Path, captures: &Path) {
    let arguments = ["run", path(scenario), "--backend", "netns", "--json", "--pcap", path(captures)];
    let output = lab(&arguments);
    if is_skipped(&output) {
        return;
    }
    assert_passed(&output);
    assert_eq!(report(&output)["backend"], "netns");
    assert_captures_are_sound(captures);
}

#[cfg(target_os = "linux")]
#[test]
fn a_reservation_holds_on_real_routers_and_the_captures_are_sound() {
    let scratch = Scratch::new("netns");
    for family in ["ipv4", "ipv6"] {
        assert_holds_on_linux(&short_scenario(&scratch.0, family), &scratch.0.join(family));
    }
}

/// Each is a test of its own, so that they run side by side.
#[cfg(target_os = "linux")]
fn assert_example_holds_on_linux(name: &str) {
    let scratch = Scratch::new(name);
    assert_holds_on_linux(&repository().join(format!("examples/{name}.toml")), &scratch.0.join("captures"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_reservation_follows_its_route_on_real_routers() {
    assert_example_holds_on_linux("route-change");
}

#[cfg(target_os = "linux")]
#[test]
fn shared_reservations_follow_the_members_of_their_groups() {
    assert_example_holds_on_linux("multicast-conference");
}

#[cfg(target_os = "linux")]
#[test]
fn shared_reservations_follow_the_members_of_their_groups_over_ipv6() {
    assert_example_holds_on_linux("multicast-conference-ipv6");
}

#[cfg(target_os = "linux")]
#[test]
fn hosts_without_raw_sockets_reserve_as_others_do() {
    assert_example_holds_on_linux("udp-host");
}

#[cfg(target_os = "linux")]
#[test]
fn many_sessions_are_refreshed_by_few_messages() {
    assert_example_holds_on_linux("refresh-reduction");
}

#[cfg(target_os = "linux")]
#[test]
fn a_reservation_spans_a_cloud_without_rsvp() {
    assert_example_holds_on_linux("non-rsvp-cloud");
}

#[cfg(target_os = "linux")]
#[test]
fn refresh_reduction_keeps_many_reservations_for_less() {
    let output = lab(&["scale", "--sessions", "300", "--refresh", "2s", "--periods", "2", "--json"]);
    if is_skipped(&output) {
        return;
    }
    let report = report(&output);
    assert!(output.status.success(), "{report:#}");
    let [plain, reduced] = [0, 1].map(|run| &report["runs"][run]);
    assert_eq!((&plain["refresh-reduction"], &reduced["refresh-reduction"]), (&false.into(), &true.into()));
    for figure in ["downstream-packets", "downstream-octets", "upstream-packets", "upstream-octets"] {
        let [plain, reduced] = [plain, reduced].map(|run| run["steady"][figure].as_f64().expect("a figure"));
        assert!(plain > 10.0 * reduced, "{figure}: {plain} in a second, with refresh reduction {reduced}");
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// No malformed packet, no bad checksum, and `decode` sees the same objects as tshark does.
fn assert_captures_are_sound(directory: &Path) {
    let mut messages = 0;
    let files =
        std::fs::read_dir(directory).expect("the captures").map(|entry| entry.expect("a file").path());
    for capture in files.filter(|path| path.extension().is_some_and(|extension| extension == "pcap")) {
        let Some(wrong) = wrong(&capture) else { return };
        assert_eq!(wrong, "", "tshark finds fault with {}", capture.display());
        let Some(expected) = tshark::objects(&capture) else { return };
        let decoded = decoded(&capture);
        assert_eq!(decoded, expected, "objects in {}", capture.display());
        messages += decoded.len();
    }
    assert!(messages > 40, "{messages} messages on all links");
}

/// What tshark finds wrong: malformed packets and bad checksums, of all packets; nothing if it is an empty text.
fn wrong(capture: &Path) -> Option<String> {
    // Between namespaces nobody fills in the UDP checksum of a host's own packets: the kernel leaves that to the
    // interface, and trusts it. Data packets are cut, so it is not looked at.
    const BAD: &str = "_ws.malformed || ip.checksum.status == \"Bad\" \
                       || (udp.checksum.status == \"Bad\" && !rsvp)";
    let packets = tshark::run(capture, &["-Y", BAD])?;
    // The status of RSVP's checksum is in the text alone. That of a Bundle is not looked at.
    let text = tshark::run(capture, &["-Y", tshark::RSVP, "-V"])?;
    let is_bad = |(before, line): &(&str, &str)| {
        let is_checked = line.contains("Message Checksum:") && !before.contains("BUNDLE");
        is_checked && !line.contains("[correct]")
    };
    let bad = text.lines().zip(text.lines().skip(1)).filter(is_bad);
    Some(packets + &bad.map(|(_, line)| line).collect::<Vec<_>>().join("\n"))
}

/// What `decode` makes of a capture: class, C-Type and length of each object, by frame; of all messages of a Bundle.
fn decoded(capture: &Path) -> tshark::Objects {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rsvp-cli"));
    let output = command.args(["decode", "--json"]).arg(capture).output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let messages = lines.lines().map(|line| {
        let message: Value = serde_json::from_str(line).expect("a line of JSON");
        assert_eq!(message["error"], Value::Null, "{line}");
        let number = |value: &Value| value.as_u64().expect("a number");
        let bundled = message["messages"].as_array().into_iter().flatten();
        let objects = std::iter::once(&message).chain(bundled).flat_map(|message| {
            assert_eq!(message["checksum"], "ok", "{line}");
            message["objects"].as_array().expect("objects")
        });
        let objects = objects.map(|object| ["class", "ctype", "length"].map(|field| number(&object[field])));
        (number(&message["frame"]), objects.collect())
    });
    messages.collect()
}

/// Those that show what is sent of RFC 2961.
#[test]
fn the_captures_of_the_conformance_tests_are_sound() {
    assert_captures_are_sound(&repository().join("conformance/captures"));
}

#[test]
fn every_example_holds_in_the_simulator() {
    let names = [
        "video-conference",
        "video-conference-ipv6",
        "failure-silent",
        "failure-killed",
        "multicast-conference",
        "multicast-conference-ipv6",
        "route-change",
        "non-rsvp-cloud",
        "udp-host",
        "refresh-reduction",
    ];
    for name in names {
        let file = repository().join(format!("examples/{name}.toml"));
        assert!(lab(&["check", path(&file)]).status.success(), "{name}");
        let output = lab(&["run", path(&file), "--backend", "sim", "--json"]);
        assert_passed(&output);
        assert_eq!(report(&output)["backend"], "sim");
    }
}

/// They are two files so that each can be run as it is, and one scenario.
#[test]
fn the_conferences_are_the_same_in_both_families() {
    let read = |name: &str| {
        let text = std::fs::read_to_string(repository().join("examples").join(name)).expect("an example");
        let said = |line: &&str| !line.starts_with('#') && !line.starts_with("title");
        let lines: Vec<String> = text.lines().filter(said).map(str::to_owned).collect();
        lines.join("\n")
    };
    for name in ["video", "multicast"] {
        let ipv6 = read(&format!("{name}-conference-ipv6.toml"));
        assert_eq!(read(&format!("{name}-conference.toml")).replace("\"ipv4\"", "\"ipv6\""), ipv6);
    }
}

#[test]
fn a_check_that_does_not_hold_fails_the_run() {
    let scratch = Scratch::new("fails");
    let file = short_scenario(&scratch.0, "ipv4");
    let text = std::fs::read_to_string(&file).expect("the scenario").replace("value = 2", "value = 3");
    std::fs::write(&file, text).expect("a writable directory");
    let output = lab(&["run", path(&file), "--backend", "sim"]);
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(words.contains("FAILED") && words.contains("error code 1, value 2 from r1"), "{words}");
}

#[test]
fn a_mistake_in_the_file_is_said_in_one_line() {
    let scratch = Scratch::new("mistake");
    let file = short_scenario(&scratch.0, "ipv4");
    let text = std::fs::read_to_string(&file)
        .expect("the scenario")
        .replace("reserve = \"bob\"", "reserve = \"bib\"");
    std::fs::write(&file, text).expect("a writable directory");
    let output = lab(&["run", path(&file)]);
    assert_eq!(output.status.code(), Some(NOT_RUN));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains(":66: there is no flow called bib; there are: alice, bob, noise"), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
}
