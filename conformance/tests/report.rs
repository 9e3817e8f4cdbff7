//! The reports of a run: what they say, that hostile text stays text, and that other tools can read them.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use conformance::bench::{
    Action, Happening, InProcess, Lab, Packet, Sent, Station, Tester, Transcript, Unsupported,
};
use conformance::cases::CASES;
use conformance::catalogue::Catalogue;
use conformance::report::{self, PAGE, Report, captures, html, junit};
use conformance::run::{Conclusion, Run, run};
use conformance::verdict::Verdict;
use quick_junit::TestCaseStatus;
use rsvp_core::Instant;
use rsvp_core::input::Route;
use rsvp_core::wire::{RawMessage, RawObjectAt};

#[path = "../../rsvp-cli/tests/support/tshark.rs"]
mod tshark;

/// A device that sends no errors and no confirmations.
struct Wrong(Box<dyn Tester>);

/// PathErr, ResvErr and ResvConf.
const SILENT: [u8; 3] = [3, 4, 7];

impl Tester for Wrong {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn send(&mut self, from: Station, packet: &Packet) {
        self.0.send(from, packet);
    }

    fn advance(&mut self, time: Duration) -> Vec<Sent> {
        let mut sent = self.0.advance(time);
        sent.retain(|sent| sent.packet.message.get(1).is_none_or(|kind| !SILENT.contains(kind)));
        sent
    }

    fn set_route(
        &mut self,
        destination: IpAddr,
        source: Option<IpAddr>,
        route: Route,
    ) -> Result<(), Unsupported> {
        self.0.set_route(destination, source, route)
    }

    fn act(&mut self, action: &Action) -> Result<(), Unsupported> {
        self.0.act(action)
    }

    fn inside(&mut self) -> Option<&mut InProcess> {
        self.0.inside()
    }
}

/// The wrong device before the cases whose id has `filter` in it.
fn judged(filter: &str, catalogue: &Catalogue) -> Run {
    let cases: Vec<_> = CASES.iter().filter(|case| case.id.contains(filter)).collect();
    let lab = |_| Lab::in_process().interposing(Rc::new(|tester| Box::new(Wrong(tester))));
    run("a <wrong> device", &cases, 2, catalogue, lab, |_| true)
}

/// A folder of a test, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

/// A run without what differs from one time to the next.
fn timeless(mut run: Run) -> Run {
    (run.began, run.duration) = (SystemTime::UNIX_EPOCH, Duration::ZERO);
    for result in &mut run.results {
        result.outcome.duration = Duration::ZERO;
        // Lines move.
        result.outcome.failure.iter_mut().for_each(|failure| failure.place = None);
    }
    run
}

fn catalogue() -> Catalogue {
    Catalogue::load().expect("it is sound")
}

const EVERY_MESSAGE: &str = "every-message-is-a-raw-ip-datagram";

#[test]
fn a_run_that_says_nothing_is_not_passed() {
    let catalogue = catalogue();
    let others: Vec<_> = CASES.iter().filter(|case| case.rfc() == "rfc3209").take(2).collect();
    let lab = |_| Lab::in_process();
    let unsupported = run("x", &others, 1, &catalogue, lab, |_| true);
    assert_eq!(unsupported.conclusion(false), Conclusion::Open, "the engine does not speak it");
    let cases: Vec<_> = CASES.iter().filter(|case| case.id.contains(EVERY_MESSAGE)).chain(others).collect();
    assert_eq!(run("x", &cases, 1, &catalogue, lab, |_| true).conclusion(false), Conclusion::Passed);
    assert_eq!(
        run("x", &cases, 1, &catalogue, lab, |_| false).conclusion(false),
        Conclusion::Open,
        "ended early"
    );
}

#[test]
fn a_report_is_written_whole() {
    let catalogue = catalogue();
    let run = judged("rfc2205/2", &catalogue);
    assert_eq!(run.conclusion(false), Conclusion::Failed);
    let folder = folder("report");
    report::prepare(&folder).expect("it can be made");
    report::write(&folder, &Report::of(&run, &catalogue, false), &run).expect("it can be written");
    let page = fs::read_to_string(folder.join(PAGE)).expect("it was written");
    for case in run.results.iter().map(|result| result.case) {
        assert!(page.contains(case.id), "{} is not on the page", case.id);
        assert!(folder.join("captures").join(captures::file_name(case.id)).is_file(), "{}", case.id);
    }
    report::prepare(&folder).expect("what an earlier run has left may go");
    assert_eq!(fs::read_dir(folder.join("captures")).expect("it is there").count(), 0);
}

#[test]
fn a_folder_with_something_else_is_not_touched() {
    let folder = folder("else");
    fs::create_dir_all(&folder).expect("it can be made");
    fs::write(folder.join("thesis.txt"), "all my work").expect("it can be written");
    let error = report::prepare(&folder).expect_err("it is no report");
    assert_eq!(error.to_string(), "it is neither empty nor a report");
}

#[test]
fn the_json_of_a_small_run() {
    let catalogue = catalogue();
    let run = timeless(judged(EVERY_MESSAGE, &catalogue));
    let mut report = Report::of(&run, &catalogue, true);
    report.shares.retain(|share| share.shown + share.broken > 0);
    let json = serde_json::to_string_pretty(&report).expect("it can be written");
    insta::assert_snapshot!(json);
}

#[test]
fn junit_can_be_read_and_tells_of_every_case() {
    let catalogue = catalogue();
    let run = hostile(judged("rfc2205/2", &catalogue));
    for strict in [false, true] {
        let mut xml = Vec::new();
        junit::write(&mut xml, &Report::of(&run, &catalogue, strict)).expect("it can be written");
        let document = quick_junit::Report::deserialize(&xml[..]).expect("it can be read");
        let cases = || document.test_suites.iter().flat_map(|suite| &suite.test_cases);
        assert_eq!(cases().count(), run.results.len());
        let failures =
            cases().filter(|case| matches!(case.status, TestCaseStatus::NonSuccess { .. })).count();
        let recommended = if strict { run.count(Verdict::NotStrict) } else { 0 };
        assert_eq!(failures, run.count(Verdict::Fail) + recommended);
    }
}

const HOSTILE: &str = "</pre><script>alert('&')</script>\u{1b}[2J\0\"]]>";

/// What a device may say to hurt whoever reads of it.
fn hostile(mut run: Run) -> Run {
    HOSTILE.clone_into(&mut run.device);
    for result in &mut run.results {
        result.dump = Some(HOSTILE.to_owned());
        if result.outcome.verdict != Verdict::Pass {
            result.outcome.reason = Some(HOSTILE.to_owned());
        }
        if let Some(failure) = &mut result.outcome.failure {
            failure.about = Some(HOSTILE.to_owned());
            (failure.came, failure.expected) = (HOSTILE.to_owned(), HOSTILE.to_owned());
        }
        for entry in &mut result.outcome.transcript.entries {
            if let Happening::Note(text) = &mut entry.happening {
                HOSTILE.clone_into(text);
            }
        }
    }
    run
}

#[test]
fn the_page_takes_no_markup_from_a_device() {
    let catalogue = catalogue();
    let run = hostile(judged(EVERY_MESSAGE, &catalogue));
    let page = html::page(&Report::of(&run, &catalogue, false));
    assert_eq!(page.matches("<script>").count(), 1, "that of the filter");
    assert_eq!(page.matches("alert('&amp;')").count(), page.matches("alert(").count());
    assert!(
        page.matches("&lt;script&gt;").count() >= 7,
        "title, heading, reason, about, expected, came, state, note"
    );
}

/// A device that never falls silent must not make a page that no browser shows.
#[test]
fn a_long_transcript_is_cut() {
    let catalogue = catalogue();
    let mut run = judged(EVERY_MESSAGE, &catalogue);
    let entries = &mut run.results[0].outcome.transcript.entries;
    let entry = entries.last().expect("something was said").clone();
    entries.extend(std::iter::repeat_n(entry, 10_000));
    let page = html::page(&Report::of(&run, &catalogue, false));
    assert!(page.len() < 300_000, "{} octets", page.len());
    assert!(page.contains("more lines: the capture has all packets"));
}

/// Class, C-Type and length of each object of the packets of a transcript, by number of the packet.
fn objects(transcript: &Transcript) -> tshark::Objects {
    let packets = transcript.entries.iter().filter_map(|entry| entry.happening.packet());
    let triples = |packet: &Packet| {
        let raw = RawMessage::decode(&packet.message).expect("the case sends and gets what is well-formed");
        let triple = |RawObjectAt { object, .. }: &RawObjectAt| {
            [u64::from(object.class), u64::from(object.ctype), object.encoded_len() as u64]
        };
        raw.objects.iter().map(triple).collect()
    };
    (1..).zip(packets.map(triples)).collect()
}

#[test]
fn tshark_reads_the_captures() {
    let catalogue = catalogue();
    let run = judged(EVERY_MESSAGE, &catalogue);
    let folder = folder("captures");
    fs::create_dir_all(&folder).expect("it can be made");
    let path = folder.join(captures::file_name(run.results[0].case.id));
    let transcript = &run.results[0].outcome.transcript;
    captures::write(fs::File::create(&path).expect("writable"), transcript, run.began).expect("writable");
    let Some(seen) = tshark::objects(&path) else { return };
    assert_eq!(seen, objects(transcript));
    let fields = ["-Y", tshark::RSVP, "-T", "fields", "-e", "frame.interface_name"];
    let text = tshark::run(&path, &fields).expect("it is there");
    let ports: Vec<&str> = text.lines().take(3).collect();
    assert_eq!(ports, ["a", "c", "c"]);
    assert_eq!(tshark::run(&path, &["-Y", "_ws.malformed"]).expect("it is there"), "");
}
