//! What the commands say and how they exit, where no daemon is needed.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn rsvp(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rsvp-cli"))
        .args(args)
        .env("RSVP_SOCKET", "/nonexistent/rsvp.sock")
        .output()
        .expect("the command runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, contents: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rsvp-cli-{}-{name}", std::process::id()));
        std::fs::write(&path, contents).expect("a scratch file");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a plain path")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The command failed with this code and said one line, which holds these words.
fn assert_fails(output: &Output, code: i32, words: &str) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("rsvp-cli: ") && said.contains(words), "{said}");
}

#[test]
fn every_command_that_needs_the_daemon_says_that_it_is_not_there() {
    for args in [
        &["show", "sessions"][..],
        &["show", "counters", "--json"],
        &["show", "neighbors", "192.0.2.1"],
        &["metrics"],
        &["monitor"],
        &["reload"],
        &["clear"],
        &["release", "1"],
        &["send", "-d", "192.0.2.7", "-p", "5004"],
        &["reserve", "-d", "192.168.1.100", "-p", "5004", "-b", "1000000"],
    ] {
        assert_fails(&rsvp(args), 5, "the RSVP daemon is not reachable on /nonexistent/rsvp.sock");
    }
}

#[test]
fn impossible_requests_fail_before_the_daemon_is_asked() {
    for (args, words) in [
        (
            &["reserve", "-d", "192.0.2.7", "-p", "5004", "-b", "1Mbit", "--style", "ff"][..],
            "give at least one",
        ),
        (
            &["reserve", "-d", "192.0.2.7", "-p", "5004", "-b", "1Mbit", "--sender", "::1"],
            "different families",
        ),
        (&["reserve", "-d", "192.0.2.7", "-p", "0", "-b", "1Mbit"], "port from 1"),
        (&["reserve", "-d", "192.0.2.7", "-p", "1", "-b", "1Mbit", "--rspec", "R=2Mbit"], "--service gs"),
        (&["send", "-d", "192.0.2.7", "-p", "5004", "--tspec", "r=1Mbit,p=1kbit"], "peak rate"),
        (&["send", "-d", "192.0.2.7", "-p", "5004", "--ttl", "0"], "TTL"),
    ] {
        assert_fails(&rsvp(args), 1, words);
    }
}

#[test]
fn wrong_command_lines_exit_with_2_and_say_what_is_allowed() {
    for (args, words) in [
        (&["reserve", "-d", "192.0.2.7", "-p", "5004"][..], "--rate"),
        (&["reserve", "-d", "192.0.2.7", "-p", "5004", "-b", "10Mbps"], "ambiguous"),
        (
            &["reserve", "-d", "192.0.2.7", "-p", "5004", "-b", "1Mbit", "--tspec", "r=1Mbit"],
            "cannot be used with",
        ),
        (&["send", "-d", "somewhere", "-p", "5004"], "invalid IP address"),
        (&["send", "-d", "192.0.2.7", "-p", "70000"], "65535"),
        (&["show", "everything"], "sessions"),
        (&["show", "neighbors", "somewhere"], "invalid IP address"),
        (&["show", "sessions", "192.0.2.1"], "`show neighbors` only"),
        (&["show", "counters", "--detail"], "`show neighbors` only"),
        (&["clear", "-d", "192.0.2.7"], "--port"),
        (&["release"], "<ID>"),
    ] {
        let output = rsvp(args);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[test]
fn check_tells_right_files_from_wrong_ones() {
    let good = Scratch::new("good.toml", "[interface.eth0]\nbandwidth = { link = \"10Mbit\" }\n");
    let output = rsvp(&["check", good.path()]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("1 with bandwidth to reserve"), "{}", stdout(&output));

    let bad = Scratch::new("bad.toml", "[interface.eth0]\nbandwidth = { link = \"10Mbps\" }\n");
    assert_fails(&rsvp(&["check", bad.path()]), 1, "bad.toml:2: `10Mbps` is ambiguous");
    assert_fails(&rsvp(&["daemon", "--config", bad.path()]), 1, "bad.toml:2: ");
    assert_fails(&rsvp(&["daemon", "-d", "--config", bad.path()]), 1, "bad.toml:2: ");
    assert_fails(&rsvp(&["check", "/nonexistent.toml"]), 1, "no such file");
}

/// A recording of a simulated host that reserves too much, and then less.
#[cfg(target_os = "linux")]
fn recording() -> Scratch {
    use std::time::Duration;

    use rsvp_core::command::{Command, ReserveRequest, SenderRequest};
    use rsvp_core::wire::{
        FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, SessionKey, Style, Tspec,
    };

    let scratch = Scratch::new("host.rsvp", "");
    let file = std::fs::File::create(&scratch.0).expect("a scratch file");
    let mut net = rsvp_sim::Network::new(1);
    net.record(move |name| {
        (name == "bob").then(|| rsvp_record::Recorder::new(file.try_clone().expect("the same file")))
    });
    let [alice, bob] = ["alice", "bob"].map(|name| net.host(name));
    let router = net.router("router");
    net.connect(&[alice, router]);
    net.connect(&[router, bob]);
    let session = SessionKey::Ip(FlowKey { destination: net.address(bob), protocol: 17, port: 5004 });
    let template = FilterSpec::Ip { source: net.address(alice), port: 4000 };
    let tspec = |rate| Tspec { rate, bucket: 1e4, peak: 4e6, min_unit: 64, max_packet: 1500 };
    let sender = SenderTspec::TokenBucket(tspec(2e6));
    let request = SenderRequest { template, tspec: sender, adspec: true.into(), policy: Vec::new(), ttl: 63 };
    net.announce(alice, session, request).expect("announced");
    net.run_for(Duration::from_secs(1));
    let receiver = net.address(bob);
    let request = |rate| ReserveRequest {
        receiver,
        style: Style::Ff,
        flows: vec![FlowDescriptor {
            flowspec: Some(Flowspec::ControlledLoad(tspec(rate))),
            filters: vec![template],
        }],
        policy: Vec::new(),
        confirm: false,
    };
    let api = net.reserve(bob, session, request(2e6)).expect("asked for");
    net.run_for(Duration::from_secs(10));
    net.command(bob, Command::Reserve(api, request(1e5))).expect("asked for");
    net.run_for(Duration::from_secs(100));
    scratch
}

/// A recording without one of its steps.
#[cfg(target_os = "linux")]
fn without_step(file: &str, step: usize) -> Vec<u8> {
    let mut octets = std::fs::read(file).expect("a recording");
    // A magic number, and frames: the header and the steps, each a length, two octets, and so much more.
    let mut start = 8;
    for frame in 0.. {
        let head = octets[start..].iter().take_while(|octet| **octet & 0x80 != 0).count() + 1;
        let digits = octets[start..start + head].iter().rev();
        let length = digits.fold(0, |length, octet| length << 7 | usize::from(octet & 0x7f));
        let end = start + head + 2 + length;
        if frame == step {
            octets.drain(start..end);
            break;
        }
        start = end;
    }
    octets
}

#[cfg(target_os = "linux")]
#[test]
fn a_recording_is_listed_and_looked_at() {
    let scratch = recording();
    let file = scratch.path();
    let output = rsvp(&["replay", file, "-v"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let listed = stdout(&output);
    assert!(listed.contains("answer   Session(ApiId(1))") && listed.contains(": Resv "), "{listed}");
    assert!(listed.contains("Admission Control failure"), "{listed}");
    assert!(listed.contains("all reproduced; the node was closed"), "{listed}");
    let place = |words: &str| {
        let line = listed.lines().find(|line| line.contains(words)).expect(words);
        line.split_whitespace().next().expect("a step").to_owned()
    };
    let (asked, sent) = (place("command  Reserve"), place(": Resv "));

    let shown = stdout(&rsvp(&["replay", file, "--until", "60s", "--show", "reservations,neighbors"]));
    assert!(shown.starts_with("after step ") && shown.contains("10.0.2.2:5004/udp"), "{shown}");
    let shown = stdout(&rsvp(&["replay", file, "--until", "0.5", "--show", "reservations"]));
    assert!(shown.contains(" s after the start") && shown.contains("no reservations"), "{shown}");
    let changes = stdout(&rsvp(&["replay", file, "--diff", &asked, &sent, "--json"]));
    assert!(changes.lines().any(|line| {
        let change: serde_json::Value = serde_json::from_str(line).expect("JSON");
        change["field"] == "sent.resv" && change["from"] == 0 && change["to"] == 1
    }));

    let octets = without_step(file, asked.parse().expect("a number"));
    let other = Scratch::new("other.rsvp", "");
    std::fs::write(&other.0, octets).expect("a scratch file");
    let words =
        format!("step {asked}, 1.000000 s after the start, came out differently: expected answer Done");
    assert_fails(&rsvp(&["replay", other.path()]), 1, &words);

    for (args, words) in [
        (&["replay", "/nonexistent.rsvp"][..], "no such file"),
        (&["replay", file, "--until", "1000000"], "there is no step 1000000"),
        (&["replay", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")], "this is no recording of a node"),
    ] {
        assert_fails(&rsvp(args), 1, words);
    }
    for args in [
        &["replay", file, "--until", "soon"][..],
        &["replay", file, "--step", "--diff", "1", "2"],
        &["daemon", "--record-limit", "1MB"],
        &["daemon", "--record", "f.rsvp", "--record-limit", "1kB"],
    ] {
        assert_eq!(rsvp(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rsvp-cli"))
        .args(["check", concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/rsvp.toml")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().expect("standard error").read_to_string(&mut said).expect("text");
    assert!(child.wait().expect("it ends").success(), "{said}");
    assert_eq!(said, "");
}

#[test]
fn help_can_be_worked_from() {
    for (command, words) in [
        ("daemon", "CAP_NET_RAW"),
        ("check", "Exit codes"),
        ("reload", "SIGHUP"),
        ("clear", "Examples"),
        ("send", "Examples"),
        ("reserve", "rsvp-cli reserve -d 192.168.1.100 -p 5004 -b 1000000"),
        ("release", "show applications"),
        ("show", "Examples"),
        ("metrics", "textfile collector"),
        ("monitor", "show events"),
        ("replay", "--diff 90 120"),
    ] {
        let output = rsvp(&[command, "--help"]);
        assert!(output.status.success());
        assert!(stdout(&output).contains(words), "{command}: {}", stdout(&output));
    }
    let output = rsvp(&["reserve", "--help"]);
    assert!(stdout(&output).contains("3  refused"), "exit codes are told: {}", stdout(&output));
}
