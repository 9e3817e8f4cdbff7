//! What is tried in the network, one after the other; each leaves it as it was.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use rsvp_client::api::{
    ApplicationState, Flowspec, ReservationRequest, SenderRequest, Session, Style, Tspec,
};
use rsvp_client::{Error, Outcome};
use rsvp_netns::Process;

use crate::groups::{
    a_group_is_reached_where_the_kernel_forwards_it, a_host_without_privilege_takes_part_in_udp,
};
use crate::metrics::metrics_say_what_is_shown;
use crate::network::{Network, Node, RECEIVER, RECEIVER6, ROUTER, SENDER, SENDER6, eventually, output_of};
use crate::recordings::a_recording_is_replayed;

const LONG: Duration = Duration::from_secs(15);

/// What is tried, in words, and how.
type Scenario = (&'static str, fn(&mut Network));

/// Runs every scenario; panics at the first that fails.
pub(crate) fn run_all() {
    let mut network = Network::new();
    let scenarios: &[Scenario] = &[
        (
            "a reservation is held and goes with its commands",
            a_reservation_is_held_and_goes_with_its_commands,
        ),
        ("killed clients leave nothing behind", killed_clients_leave_nothing_behind),
        ("a refusal names the node and the error", a_refusal_names_the_node_and_the_error),
        ("waiting ends in time", waiting_ends_in_time),
        ("a delay is kept to, or it is said why not", a_delay_is_kept_to),
        ("metrics say what is shown", metrics_say_what_is_shown),
        ("a watch shows what changes", a_watch_shows_what_changes),
        ("a watch ends with its daemon", a_watch_ends_with_its_daemon),
        ("detached state stays until it is released", detached_state_stays_until_it_is_released),
        ("IPv6 is no different", ipv6_is_no_different),
        ("applications use the typed client", applications_use_the_typed_client),
        ("a stream gets what its ends reserve", a_stream_gets_what_its_ends_reserve),
        ("bad requests are answered in words", bad_requests_are_answered_in_words),
        ("hostile datagrams are dropped by name", hostile_datagrams_are_dropped_by_name),
        ("a reload keeps what did not change", a_reload_keeps_what_did_not_change),
        ("a policy holds from its reload on", a_policy_holds_from_its_reload_on),
        ("a group is reached where the kernel forwards it", a_group_is_reached_where_the_kernel_forwards_it),
        ("a host without privilege takes part in UDP", a_host_without_privilege_takes_part_in_udp),
        ("a recording is replayed", a_recording_is_replayed),
        ("clear removes and the neighbours restore", clear_removes_and_the_neighbours_restore),
        ("a second daemon is refused", a_second_daemon_is_refused),
        ("a daemon that ends tears down", a_daemon_that_ends_tears_down),
        ("a background daemon serves when the command returns", a_background_daemon_serves),
    ];
    for (name, scenario) in scenarios {
        print!("{name} ... ");
        std::io::stdout().flush().expect("standard output");
        scenario(&mut network);
        eventually("nothing is left", || {
            [&network.sender, &network.router, &network.receiver]
                .iter()
                .all(|node| node.count("sessions") == 0)
        });
        println!("ok");
    }
    for node in [&mut network.sender, &mut network.router, &mut network.receiver] {
        assert_eq!(node.stop(), Some(0), "a daemon ends well: {}", node.log());
        assert!(!node.log().contains("panicked"), "{}", node.log());
    }
}

fn a_reservation_is_held_and_goes_with_its_commands(network: &mut Network) {
    let mut send = network.sender.hold(&["send", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit"]);
    let mut reserve = network.receiver.hold(&[
        "reserve",
        "-d",
        RECEIVER,
        "-p",
        "5004",
        "-b",
        "1000000",
        "--confirm",
        "--wait",
    ]);
    eventually("it is installed", || network.router.count("installed") == 1);
    let installed = network.router.show("installed");
    assert_eq!(installed[0]["bandwidth"], 1_000_000);
    assert_eq!(installed[0]["interface"], "east");
    assert_eq!(installed[0]["history"]["cause"]["kind"], "resv");
    eventually("the receiver knows", || network.receiver.show("applications")[0]["state"] == "admitted");
    eventually("the sender knows", || network.sender.show("applications")[0]["state"] == "reserved");
    let senders = network.router.show("senders");
    assert_eq!(senders[0]["sender"]["source"], SENDER);
    assert!(senders[0]["expires-in"].as_f64().expect("a number") > 0.0);
    assert_eq!(network.router.show("neighbors").as_array().expect("a list").len(), 2);

    every_field_is_documented(network);

    let status = reserve.terminate(LONG).expect("it is there").expect("it ends");
    assert_eq!(status.code(), Some(0));
    let (printed, _) = output_of(&mut reserve);
    assert!(printed.starts_with("admitted; confirmed by "), "{printed}");
    eventually("the reservation is gone", || network.router.count("reservations") == 0);
    assert_eq!(network.router.count("senders"), 1, "the sender stays");
    assert_eq!(send.terminate(LONG).expect("it is there").expect("it ends").code(), Some(0));
    let (printed, _) = output_of(&mut send);
    assert!(printed.contains("reserved: WF 1 Mbit/s"), "{printed}");
    assert!(printed.contains("reservation gone"), "{printed}");
}

fn every_field_is_documented(network: &Network) {
    let document = include_str!("../../../docs/json.md");
    for what in [
        "status",
        "sessions",
        "senders",
        "reservations",
        "requests",
        "refusals",
        "installed",
        "interfaces",
        "neighbors",
        "counters",
        "events",
        "applications",
    ] {
        for node in [&network.sender, &network.router, &network.receiver] {
            let mut fields = Vec::new();
            collect_fields(&node.show(what), &mut fields);
            for field in fields {
                assert!(document.contains(&format!("`{field}`")), "{field} of {what} is not in docs/json.md");
            }
        }
    }
}

fn collect_fields(document: &serde_json::Value, fields: &mut Vec<String>) {
    if let Some(list) = document.as_array() {
        list.iter().for_each(|item| collect_fields(item, fields));
    }
    for (field, value) in document.as_object().into_iter().flatten() {
        fields.push(field.clone());
        // Reasons are names of their own.
        if field != "dropped" {
            collect_fields(value, fields);
        }
    }
}

fn killed_clients_leave_nothing_behind(network: &mut Network) {
    let mut send = network.sender.hold(&["send", "-d", RECEIVER, "-p", "5004"]);
    let mut reserve = network.receiver.hold(&["reserve", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit"]);
    eventually("it is installed", || network.router.count("installed") == 1);
    reserve.kill().expect("it is there");
    eventually("the reservation is gone", || network.router.count("reservations") == 0);
    assert_eq!(network.receiver.count("applications"), 0);
    send.kill().expect("it is there");
    eventually("the sender is gone", || network.receiver.count("senders") == 0);
}

fn a_refusal_names_the_node_and_the_error(network: &mut Network) {
    let id = network.sender.ok(&["send", "-d", RECEIVER, "-p", "5004", "-b", "6Mbit", "--detach"]);
    let (code, said) =
        network.receiver.fails(&["reserve", "-d", RECEIVER, "-p", "5004", "-b", "6Mbit", "--wait"]);
    assert_eq!(code, Some(3));
    let words = "Admission Control failure: Requested bandwidth unavailable";
    assert_eq!(said, format!("rsvp-cli: refused by {ROUTER}: {words}"));
    assert_eq!(network.receiver.count("applications"), 0, "nothing is left of it");
    assert_eq!(network.router.show("counters")["admission-failures"], 1);
    network.sender.ok(&["release", &id]);
}

fn waiting_ends_in_time(network: &mut Network) {
    let args = ["reserve", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit", "--wait", "--timeout", "200ms"];
    let (code, said) = network.receiver.fails(&args);
    assert_eq!(code, Some(4));
    assert!(said.contains("no Path has come"), "{said}");
}

fn a_delay_is_kept_to(network: &mut Network) {
    let json = |printed: &str| -> serde_json::Value {
        serde_json::from_str(printed.lines().next().expect("a line")).expect("JSON")
    };
    let args = ["reserve", "-d", RECEIVER, "-p", "5004", "--delay", "100ms", "--wait"];
    let (code, said) = network.receiver.fails(&[&args[..], &["--timeout", "200ms"]].concat());
    assert_eq!((code, said.contains("no Path has come")), (Some(4), true), "{said}");
    let tspec = ["send", "-d", RECEIVER, "-p", "5004", "--tspec", "r=800kbit,b=5kB", "--detach"];
    let sender = network.sender.ok(&tspec);
    let mut reserve = network.receiver.hold(&[&args[..], &["--json"]].concat());
    eventually("it is installed", || network.router.count("installed") == 1);
    reserve.terminate(LONG).expect("it is there");
    let choice = json(&output_of(&mut reserve).0);
    // Two hops with C = 1514 bytes, D = 1 ms and 100 us of latency: (b + Ctot)/R + Dtot is 99.8 ms.
    let micros = |field: &str| choice[field].as_u64().expect("a number");
    assert_eq!((micros("latency"), micros("wanted-delay")), (200, 100_000));
    assert!((99_700..=99_800).contains(&(micros("queueing-delay") + micros("slack"))), "{choice}");
    let rate = choice["rate"].as_f64().expect("a number");
    let needed: f64 = (5000.0 + 2.0 * 1514.0) * 8.0 / 0.0978;
    assert!((rate - needed.max(800_000.0)).abs() < 1000.0, "{choice}");
    let (code, said) = network.receiver.fails(&["reserve", "-d", RECEIVER, "-p", "5004", "--delay", "2ms"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("2.200 ms are needed whatever is reserved"), "{said}");
    network.sender.ok(&["release", &sender]);
    let sender = network.sender.ok(&[&tspec[..], &["--no-adspec"]].concat());
    eventually("the Path is here", || network.receiver.count("senders") == 1);
    let (code, said) = network.receiver.fails(&["reserve", "-d", RECEIVER, "-p", "5004", "--delay", "1s"]);
    assert_eq!((code, said.contains("no ADSPEC")), (Some(1), true), "{said}");
    network.sender.ok(&["release", &sender]);
    let sender = network.sender.ok(&[&tspec[..], &["--service", "null"]].concat());
    eventually("it offers nothing else", || {
        network.receiver.show("senders")[0]["tspec"]["service"] == "null"
    });
    let args = ["reserve", "-d", RECEIVER, "-p", "5004", "--service", "null", "--wait", "--detach"];
    let receiver = network.receiver.ok(&args);
    assert_eq!(network.router.show("installed")[0]["flowspec"]["service"], "null");
    network.receiver.ok(&["release", &receiver]);
    network.sender.ok(&["release", &sender]);
}

/// Reads lines of a command that goes on, until one is as it should be.
fn read_until(process: &mut Process, what: &str, is_so: impl Fn(&str) -> bool) {
    let mut lines = BufReader::new(process.child().stdout.as_mut().expect("a pipe")).lines();
    let found = lines.by_ref().take(200).any(|line| is_so(&line.expect("text")));
    assert!(found, "in vain: {what}");
}

fn a_watch_shows_what_changes(network: &mut Network) {
    let mut watch = network.receiver.hold(&["show", "applications", "--watch=0.1", "--json"]);
    read_until(&mut watch, "nothing", |line| line == "[]");
    let id = network.receiver.ok(&["reserve", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit", "--detach"]);
    read_until(&mut watch, "the application", |line| {
        let document: serde_json::Value = serde_json::from_str(line).expect("a document a line");
        document[0]["id"].as_u64() == id.parse().ok()
    });
    network.receiver.ok(&["release", &id]);
    watch.signal(Signal::SIGINT).expect("it is there");
    let status = watch.wait(LONG).expect("it is there").expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert_eq!(output_of(&mut watch).1, "", "nothing to complain of");
    for what in ["sessions", "interfaces", "counters", "status"] {
        let mut watch = network.receiver.hold(&["show", what, "--watch=0.1"]);
        let first = if what == "status" { "rsvp-cli" } else { "" };
        read_until(&mut watch, what, |line| line.starts_with(first));
        assert_eq!(watch.terminate(LONG).expect("it is there").expect("it ends").code(), Some(0));
    }
}

fn a_watch_ends_with_its_daemon(network: &mut Network) {
    let mut watch = network.router.hold(&["show", "sessions", "--watch=0.1", "--json"]);
    read_until(&mut watch, "nothing", |line| line == "[]");
    assert_eq!(network.router.stop(), Some(0));
    let status = watch.wait(LONG).expect("it is there").expect("it ends");
    let (_, said) = output_of(&mut watch);
    assert_eq!((status.code(), said.lines().count()), (Some(5), 1), "{said}");
    network.router.start();
}

fn detached_state_stays_until_it_is_released(network: &mut Network) {
    let sender = network.sender.ok(&["send", "-d", RECEIVER, "-p", "5004", "--detach"]);
    let args =
        ["reserve", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit", "--sender", SENDER, "--wait", "--detach"];
    let receiver = network.receiver.ok(&args);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(network.router.show("installed")[0]["style"], "FF");
    assert_eq!(network.receiver.show("applications")[0]["origin"], "detached");
    let (code, said) =
        network.receiver.fails(&["reserve", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit", "--detach"]);
    assert_eq!((code, said.as_str()), (Some(1), "rsvp-cli: the session is already reserved in style FF"));
    network.receiver.ok(&["release", &receiver]);
    let (code, said) = network.receiver.fails(&["release", &receiver]);
    assert_eq!((code, said), (Some(1), format!("rsvp-cli: there is no application {receiver}")));
    network.sender.ok(&["release", &sender]);
}

fn ipv6_is_no_different(network: &mut Network) {
    let sender = network.sender.ok(&["send", "-d", RECEIVER6, "-p", "5004", "--detach"]);
    let from = format!("[{SENDER6}]:5004");
    let args = [
        "reserve",
        "-d",
        RECEIVER6,
        "-p",
        "5004",
        "--tspec",
        "r=1Mbit,b=10kB",
        "--service",
        "gs",
        "--style",
        "se",
        "--sender",
        &from,
        "--wait",
        "--detach",
    ];
    let receiver = network.receiver.ok(&args);
    assert_eq!(network.router.show("installed")[0]["flowspec"]["service"], "guaranteed");
    network.receiver.ok(&["release", &receiver]);
    network.sender.ok(&["release", &sender]);
}

fn applications_use_the_typed_client(network: &mut Network) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (sender, receiver) = (network.sender.client().await, network.receiver.client().await);
        let mut events = receiver.monitor().await.expect("a stream");
        let session = Session::udp(RECEIVER.parse().expect("an address"), 5004);
        let mut source = SenderRequest::new(session, Tspec::of_rate(1_000_000));
        source.source = Some(SENDER.parse().expect("an address"));
        let sending = sender.send(&source).await.expect("announced");
        let flowspec = Flowspec::ControlledLoad(Tspec::of_rate(1_000_000));
        let request = ReservationRequest::new(session, Style::Wf, flowspec.clone()).confirmed();
        let mut held = receiver.reserve(&request).await.expect("asked for");
        assert!(matches!(held.outcome(LONG).await, Ok(Outcome::Admitted { node: Some(_) })));
        assert_eq!(held.application().state, ApplicationState::Admitted);
        assert_eq!(receiver.reservations().await.expect("state")[0].flowspec, flowspec);
        assert_eq!(receiver.requests().await.expect("state").len(), 1);
        assert_eq!(receiver.sessions().await.expect("state")[0].session_status, "up");
        let first = events.next().await.expect("the stream lives").expect("an event");
        let second = events.next().await.expect("the stream lives").expect("an event");
        assert_eq!(second.sequence, first.sequence + 1);
        assert!(receiver.events().await.expect("events").contains(&first));
        let mut followed = receiver.follow(held.application().id).await.expect("it is there");
        assert!(followed.next().await.expect("the stream lives").is_some());
        held.release().await.expect("released");
        assert_eq!(followed.next().await.expect("the stream ends well"), None);
        drop(sending);
        while !sender.applications().await.expect("state").is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        match receiver.release(4711).await {
            Err(Error::Refused { status: 404, message }) => {
                assert_eq!(message, "there is no application 4711");
            }
            other => panic!("{other:?}"),
        }
    });
}

/// The example of the client: each end of the stream is a program beside its daemon.
fn a_stream_gets_what_its_ends_reserve(network: &mut Network) {
    let program = example("rsvp-client", "stream");
    let destination = format!("{RECEIVER}:5004");
    let run = |node: &Node, role: &str, seconds: &str| {
        let mut command = Command::new(&program);
        command.args([role, &destination, seconds]).env("RSVP_SOCKET", node.socket());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        node.namespace().spawn(&mut command).expect("it starts")
    };
    let mut receiving = run(&network.receiver, "receive", "1");
    let mut sending = run(&network.sender, "send", "4");
    eventually("the router keeps a place for it", || network.router.count("installed") == 1);
    assert_eq!(network.router.show("installed")[0]["bandwidth"], 1_000_000);
    for (process, told) in [(&mut receiving, "packets have come"), (&mut sending, "reservation gone")] {
        let status = process.wait(LONG).expect("it is there").expect("it ends");
        let (printed, said) = output_of(process);
        assert!(status.success() && printed.contains(told), "{status}: {printed}{said}");
    }
}

/// Builds an example of another crate; where it is. This crate's own build does not make it.
fn example(package: &str, name: &str) -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "--offline", "--message-format", "json"]);
    build.args(["--package", package, "--example", name]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = build.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<serde_json::Value>();
    let made = messages.map(|message| message.expect("JSON")).find_map(|message| {
        let is_it = message["target"]["name"] == name && message["target"]["kind"][0] == "example";
        is_it.then(|| PathBuf::from(message["executable"].as_str().expect("a path")))
    });
    made.expect("cargo tells of what it has made")
}

/// Sends a request as it is; the answer as it is.
fn http(network: &Network, request: &str) -> String {
    use std::io::Read;
    let mut stream = UnixStream::connect(network.receiver.socket()).expect("the socket");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn bad_requests_are_answered_in_words(network: &mut Network) {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    for (request, status, words) in [
        (get("/v2/sessions"), 404, "no such endpoint"),
        (get("/v1/clear"), 405, "does not take this method"),
        (get("/v1/applications/99/events"), 404, "no application 99"),
        (post("/v1/senders", "nonsense"), 400, "not understood"),
        (post("/v1/senders", "{\"unknown\": 1}"), 400, "unknown field"),
        (
            post(
                "/v1/reservations?hold=true",
                r#"{"session":{"destination":"10.77.2.2","protocol-id":17,"destination-port":5004},"style":"FF",
                    "flowspec":{"service":"null","max-packet-size":1500}}"#,
            ),
            422,
            "give at least one",
        ),
        (
            post(
                "/v1/clear",
                r#"{"session":{"destination":"10.9.9.9","protocol-id":17,"destination-port":1}}"#,
            ),
            404,
            "no session",
        ),
    ] {
        let answer = http(network, &request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        let body = answer.split("\r\n\r\n").nth(1).expect("a body");
        let document: serde_json::Value = serde_json::from_str(body).expect(body);
        assert!(document["error"].as_str().expect("words").contains(words), "{answer}");
    }
    assert!(!http(network, "\u{1}\r\n\r\n").contains("200"), "what is no HTTP is refused");
}

/// Random bytes and damaged messages from a neighbour: each is dropped with a reason or answered, and whatever else the
/// router holds goes on.
fn hostile_datagrams_are_dropped_by_name(network: &mut Network) {
    let mut send = network.sender.hold(&["send", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit"]);
    let mut reserve = network.receiver.hold(&["reserve", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit"]);
    eventually("it is installed", || network.router.count("installed") == 1);
    let before = dropped(network);

    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/decode");
    let mut datagrams: Vec<Vec<u8>> = std::fs::read_dir(corpus)
        .expect("the corpus")
        .map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a file"))
        .collect();
    let damaged = datagrams.len();
    let mut state = 1_u64;
    let mut random = || {
        // A linear congruential generator (Knuth's MMIX constants): the same bytes at every run.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    for length in 1..400_usize {
        let mut datagram: Vec<u8> = (0..length).map(|_| random()).collect();
        // Half of them claim to be RSVP without a checksum, so that the objects are reached.
        if length % 2 == 0 && length >= 8 {
            let stated = u16::try_from(length).expect("short").to_be_bytes();
            datagram[..8].copy_from_slice(&[0x10, 1 + random() % 7, 0, 0, 64, 0, stated[0], stated[1]]);
        }
        datagrams.push(datagram);
    }
    network.sender.send_raw(&datagrams);
    // Whatever was random is dropped; of the damaged ones, some are valid after all.
    let expected = before + u64::try_from(datagrams.len() - damaged).expect("few");
    eventually("they are counted", || dropped(network) >= expected);

    let ended = network.router.daemon().status().expect("a status");
    assert_eq!(ended, None, "{}", network.router.log());
    assert_eq!(network.router.count("installed"), 1, "the reservation stands");
    eventually("the reservation is refreshed", || {
        let counters = network.router.show("counters");
        let summarized = &counters["refresh-reduction"]["summary-refreshes-received"];
        [&counters["refreshes-received"], summarized].iter().any(|count| count.as_u64() > Some(0))
    });
    for command in [&mut reserve, &mut send] {
        command.terminate(LONG).expect("it is there").expect("it ends");
    }
    network.router.ok(&["clear"]);
}

/// How many messages the router has dropped, for whatever reason.
fn dropped(network: &Network) -> u64 {
    let counters = network.router.show("counters");
    let reasons = counters["dropped"].as_object().expect("reasons");
    reasons.values().map(|count| count.as_u64().expect("a number")).sum()
}

fn a_reload_keeps_what_did_not_change(network: &mut Network) {
    let receiver = &network.receiver;
    let sender = network.sender.ok(&["send", "-d", RECEIVER, "-p", "5004", "--detach"]);
    let kept = format!("[[reservation]]\ndestination = \"{RECEIVER}\"\nport = 5004\nrate = \"1Mbit\"\n");
    let other = kept.replace("5004", "5005");
    receiver.configure_also(&format!("{kept}{other}"));
    assert!(receiver.ok(&["reload"]).contains("2 added, 0 removed, 0 unchanged"));
    eventually("it is installed", || network.router.count("installed") == 1);
    let before = network.router.show("installed")[0]["id"].clone();

    receiver.configure("nonsense = 1\n");
    let (code, said) = receiver.fails(&["reload"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("receiver.toml:1: unknown field `nonsense`"), "{said}");
    assert_eq!(receiver.count("applications"), 2, "the old configuration stays in force");

    receiver.configure_also(&kept);
    let daemon = network.receiver.daemon();
    daemon.signal(Signal::SIGHUP).expect("the daemon runs");
    eventually("SIGHUP reloads", || network.receiver.count("applications") == 1);
    let receiver = &network.receiver;
    let id = receiver.show("applications")[0]["id"].to_string();
    let (_, said) = receiver.fails(&["release", &id]);
    assert!(said.contains("belongs to the configuration"), "{said}");
    assert_eq!(network.router.show("installed")[0]["id"], before, "the reservation was not touched");

    receiver.configure_also("");
    assert!(receiver.ok(&["reload"]).contains("0 added, 1 removed, 0 unchanged"));
    network.sender.ok(&["release", &sender]);
}

fn a_policy_holds_from_its_reload_on(network: &mut Network) {
    let sender = network.sender.ok(&["send", "-d", RECEIVER, "-p", "5004", "--detach"]);
    let args = ["reserve", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit", "--wait", "--detach"];
    let receiver = network.receiver.ok(&args);
    let router = &network.router;
    router.configure_also("[[policy]]\naction = \"limit\"\nbandwidth = \"500kbit\"\n");
    router.ok(&["reload"]);
    eventually("the reservation is removed", || router.count("installed") == 0);
    let state = || network.receiver.show("applications")[0]["state"].clone();
    eventually("its receiver hears of it", || state() == "refused");
    eventually("and goes on asking", || router.show("refusals")[0]["count"].as_u64() >= Some(3));
    let words = "Policy Control failure: Quota or accounting violation";
    assert!(router.ok(&["show", "refusals"]).contains(words));
    assert_eq!(router.log().matches(&format!("refused ({words})")).count(), 1, "{}", router.log());
    router.configure_also("");
    router.ok(&["reload"]);
    eventually("what is allowed again comes back", || router.count("installed") == 1);
    // Those of the hostile datagrams may still be there.
    let session = format!("{RECEIVER}:5004");
    eventually("and is no longer listed", || !router.ok(&["show", "refusals"]).contains(&session));

    let host = &network.sender;
    host.configure_also("[[policy]]\naction = \"deny\"\n");
    host.ok(&["reload"]);
    eventually("a sender of this host falls silent", || router.count("senders") == 0);
    let (code, said) = host.fails(&["send", "-d", RECEIVER, "-p", "5006", "--detach"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("refused here: Policy Control failure: Generic policy rejection"), "{said}");
    host.configure_also("");
    host.ok(&["reload"]);
    eventually("and speaks again", || router.count("installed") == 1);
    network.receiver.ok(&["release", &receiver]);
    network.sender.ok(&["release", &sender]);
}

fn clear_removes_and_the_neighbours_restore(network: &mut Network) {
    let sender = network.sender.ok(&["send", "-d", RECEIVER, "-p", "5004", "--detach"]);
    let args = ["reserve", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit", "--wait", "--detach"];
    let receiver = network.receiver.ok(&args);
    assert_eq!(network.router.ok(&["clear"]), "1 sessions cleared");
    eventually("the next refreshes bring it back", || network.router.count("installed") == 1);
    let cleared = network.router.ok(&["clear", "-d", RECEIVER, "-p", "5004"]);
    assert_eq!(cleared, format!("session {RECEIVER}:5004/udp cleared"));
    eventually("and once more", || network.router.count("installed") == 1);
    let events = network.router.ok(&["show", "events"]);
    assert!(events.contains("cleared by the operator"), "{events}");
    network.receiver.ok(&["release", &receiver]);
    network.sender.ok(&["release", &sender]);
}

fn a_second_daemon_is_refused(network: &mut Network) {
    let (code, said) = network.router.fails(&["daemon"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("another daemon already answers on"), "{said}");
    assert!(network.router.rsvp(&["show", "status"]).status.success(), "the first one serves on");
}

fn a_daemon_that_ends_tears_down(network: &mut Network) {
    network.sender.ok(&["send", "-d", RECEIVER, "-p", "5004", "--detach"]);
    let mut reserve = network.receiver.hold(&["reserve", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit"]);
    eventually("it is installed", || network.router.count("installed") == 1);
    assert_eq!(network.receiver.stop(), Some(0));
    eventually("the reservation is torn down", || network.router.count("reservations") == 0);
    let status = reserve.wait(LONG).expect("it is there").expect("it ends with its daemon");
    assert_eq!(status.code(), Some(5));
    assert!(!network.receiver.socket().exists(), "the socket is gone");
    assert_eq!(network.sender.stop(), Some(0));
    eventually("the path is torn down", || network.router.count("senders") == 0);
    network.sender.start();
    network.receiver.start();
}

fn a_background_daemon_serves(network: &mut Network) {
    assert_eq!(network.sender.stop(), Some(0));
    let log = network.sender.path("background.log");
    let log = log.to_str().expect("a plain path");
    let mut start = network.sender.hold(&["daemon", "-d", "--log-file", log, "--log-format", "json"]);
    let status = start.wait(LONG).expect("it is there").expect("it returns");
    let (printed, said) = output_of(&mut start);
    assert!(status.success(), "{said}");
    let id = printed.rsplit(' ').next().expect("a process id").trim().to_owned();
    assert!(network.sender.ok(&["show", "status"]).contains(&format!("running as process {id} ")));
    let lines = std::fs::read_to_string(log).expect("a log");
    for line in lines.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("one document a line");
    }
    assert!(lines.contains("no bandwidth is configured"), "{lines}");
    let id = nix::unistd::Pid::from_raw(id.parse().expect("a number"));
    nix::sys::signal::kill(id, Signal::SIGTERM).expect("the daemon runs");
    eventually("it ends", || !network.sender.socket().exists());
    network.sender.start();
}
