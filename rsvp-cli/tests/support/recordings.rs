//! A daemon records, and what it recorded is replayed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::network::{Network, Node, RECEIVER, eventually};

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// The documents that `replay --json` prints.
fn documents(node: &Node, args: &[&str]) -> Vec<Value> {
    let printed = node.ok(&[&["replay", "--json"], args].concat());
    printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Without what depends on when it is asked.
fn timeless(mut views: Value) -> Value {
    for view in views.as_array_mut().expect("a list") {
        for field in ["history", "expires-in", "next"] {
            view.as_object_mut().expect("an object").remove(field);
        }
    }
    views
}

pub(crate) fn a_recording_is_replayed(network: &mut Network) {
    assert_eq!(network.router.stop(), Some(0));
    let file = network.router.path("router.rsvp");
    network.router.start_with_options(&["--record", text(&file)]);
    let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it tells the seed");

    let sender = network.sender.ok(&["send", "-d", RECEIVER, "-p", "5004", "--detach"]);
    let args = ["reserve", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit", "--wait", "--detach"];
    let receiver = network.receiver.ok(&args);
    let router = &network.router;
    router.configure_also("[[policy]]\naction = \"allow\"\n");
    router.ok(&["reload"]);
    router.ok(&["clear"]);
    eventually("it is installed again", || router.count("installed") == 1);
    eventually("a refresh has come", || {
        let events = router.show("counters");
        ["refreshes-received"].iter().any(|field| events[field].as_u64() > Some(0))
            || events["refresh-reduction"]["summary-refreshes-received"].as_u64() > Some(0)
    });
    let live = timeless(router.show("reservations"));

    // Killed, it leaves what it has written at the end of its last turn.
    network.router.daemon().kill().expect("it is there");
    let router = &network.router;
    let said = router.ok(&["replay", text(&file)]);
    assert!(said.contains("all reproduced; the file ends without a mark"), "{said}");
    let documents = documents(router, &[text(&file), "--show", "reservations", "-v"]);
    let (end, steps) = documents.split_last().expect("documents");
    let (state, steps) = steps.split_last().expect("documents");
    assert_eq!(end["reproduced"], true);
    assert_eq!(end["steps"], steps.len());
    assert_eq!(timeless(state["state"]["reservations"].clone()), live);
    let text_of = |call: &str| -> Vec<&str> {
        let steps = steps.iter().filter(|step| step["call"] == call);
        steps.map(|step| step["text"].as_str().expect("words")).collect()
    };
    assert!(text_of("command").iter().any(|text| text.contains("Configure")), "the reload is there");
    assert!(text_of("transmit").iter().any(|text| text.contains(": Path ")));
    assert!(text_of("input").iter().any(|text| text.contains("receive") && text.contains("east")));
    steps_are_walked(router, text(&file), steps.len());

    // Its name is taken: nothing is recorded over what is there.
    let before = std::fs::read(&file).expect("a file");
    let (code, said) = router.fails(&["daemon", "--record", text(&file)]);
    assert_eq!(code, Some(1));
    assert!(said.contains("cannot record to") && said.contains("file exists"), "{said}");
    assert_eq!(std::fs::read(&file).expect("a file"), before);

    network.router.configure_also("");
    let limited = network.router.path("limited.rsvp");
    network.router.start_with_options(&["--record", text(&limited), "--record-limit", "64KiB"]);
    eventually("the neighbours restore it", || network.router.count("installed") == 1);
    network.receiver.ok(&["release", &receiver]);
    network.sender.ok(&["release", &sender]);
    eventually("it is gone", || network.router.count("sessions") == 0);
    assert_eq!(network.router.stop(), Some(0));
    let said = network.router.ok(&["replay", text(&limited)]);
    assert!(said.contains("all reproduced; the node was closed"), "{said}");
    network.router.start();
}

/// Stops, jumps, differences, and what is wrong with a file.
fn steps_are_walked(router: &Node, file: &str, steps: usize) {
    let shown = router.ok(&["replay", file, "--until", "0", "--show", "sessions,interfaces"]);
    assert!(shown.contains("no sessions") && !shown.contains("senders:"), "{shown}");
    let shown = router.ok(&["replay", file, "--until", &steps.to_string()]);
    assert!(shown.contains("reservations:") && shown.contains(RECEIVER), "{shown}");
    let shown = router.ok(&["replay", file, "--until", "1h", "--show", "senders"]);
    assert!(shown.contains(RECEIVER), "{shown}");
    let (_, said) = router.fails(&["replay", file, "--until", "1000000"]);
    assert!(said.contains("there is no step 1000000"), "{said}");

    let changes = router.ok(&["replay", file, "--diff", "0", &steps.to_string()]);
    assert!(
        changes.contains("+ session ") && changes.contains("~ counters: packets-sent 0 -> "),
        "{changes}"
    );
    let changes = router.ok(&["replay", file, "--diff", &steps.to_string(), "0"]);
    assert!(changes.contains("- session "), "backwards, too: {changes}");
    assert_eq!(router.ok(&["replay", file, "--diff", "3", "3"]), "");

    let walked = router.ok_with_input(
        &["replay", file, "--step", "--show", "sessions"],
        "\n\n10\n4\nwhat\n1000000\n2\ns\nq\n",
    );
    let numbers: Vec<&str> = walked
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.parse::<u64>().is_ok())
        .collect();
    assert_eq!(numbers, ["1", "2", "10", "4", "2"], "{walked}");
    assert!(walked.contains("`what`?") && walked.contains("after step 2"), "{walked}");
    assert!(walked.contains("there is no step 1000000"), "{walked}");

    let mut octets = std::fs::read(file).expect("a file");
    let damaged = router.path("damaged.rsvp");
    octets.truncate(octets.len() - 3);
    std::fs::write(&damaged, &octets).expect("a file");
    let said = router.ok(&["replay", text(&damaged)]);
    assert!(said.contains("the file breaks off in the middle of step"), "{said}");
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    std::fs::write(&damaged, &octets).expect("a file");
    let (code, said) = router.fails(&["replay", text(&damaged)]);
    assert_eq!(code, Some(1));
    assert!(said.contains("of the recording is damaged"), "{said}");
    let (_, said) = router.fails(&["replay", "/proc/self/exe"]);
    assert!(said.contains("this is no recording of a node"), "{said}");
}
