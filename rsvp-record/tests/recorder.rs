//! What is recorded, what may be left out, and what happens when nothing more can be written.

mod support;

use std::io::{self, Write};

use rsvp_core::wire::FlowKey;
use rsvp_core::{Command, Input, Instant, Node, NodeConfig, Ready, SessionKey};
use rsvp_record::{Call, Callee, End, Poll, RecordedNode, Recorder, ReplayError, Step};
use support::{Memory, steps};

fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

fn node(sink: impl Write + Send + 'static) -> RecordedNode {
    RecordedNode::recorded(NodeConfig::default(), [7; 32], at(0), Recorder::new(sink))
}

fn session() -> SessionKey {
    SessionKey::Ip(FlowKey { destination: [10, 0, 0, 1].into(), protocol: 17, port: 5004 })
}

/// Replays a recording that ended well; the counter of a clock that ran backwards is the recorded node's.
fn replayed(memory: &Memory, clock_backwards: u64) -> Vec<Step> {
    let (steps, replay) = steps(&memory.octets());
    let replay = replay.expect("it is reproduced");
    assert_eq!(replay.end(), Some(End::Closed));
    assert_eq!(replay.node().counters().clock_backwards, clock_backwards);
    steps
}

#[test]
fn commands_are_recorded_with_their_answers() {
    let memory = Memory::default();
    let mut node = node(memory.clone());
    let open = Command::OpenSession(session());
    let answer = node.command(at(5), open.clone());
    assert!(answer.is_ok());
    let wrong = node.command(at(9), Command::Unreserve(rsvp_core::ApiId(99)));
    assert!(wrong.is_err());
    drop(node);
    let calls: Vec<_> = replayed(&memory, 0).into_iter().map(|step| (step.at, step.call)).collect();
    assert_eq!(calls[0], (at(5), Call::Command(open)));
    assert_eq!(calls[1], (at(5), Call::Answer(answer)));
    assert_eq!(calls[3], (at(9), Call::Answer(wrong)));
}

#[test]
fn polls_that_find_nothing_again_are_left_out() {
    let memory = Memory::default();
    let mut node = node(memory.clone());
    let mut buffer = Vec::new();
    node.handle(at(1), Input::Timeout);
    for now in 2..10_000 {
        assert_eq!(node.poll_event(), None);
        assert_eq!(node.poll_transmit(at(now), &mut buffer), None);
        assert_eq!(node.poll_request(), None);
    }
    assert_eq!(node.recording().expect("it records").records, 2, "input and polls");
    node.handle(at(10_000), Input::Timeout);
    drop(node);
    let steps = replayed(&memory, 0);
    assert_eq!(steps.len(), 3);
    assert_eq!(steps[1].call, Call::Nothing(vec![Poll::Event, Poll::Transmit, Poll::Request]));
}

/// A poll that finds nothing moves the node's clock. Where the next call is earlier, that is seen.
#[test]
fn a_clock_that_runs_backwards_does_so_again() {
    let memory = Memory::default();
    let mut node = node(memory.clone());
    let mut buffer = Vec::new();
    for now in [1, 50, 70, 60, 65, 80] {
        assert_eq!(node.poll_transmit(at(now), &mut buffer), None);
    }
    node.handle(at(75), Input::Timeout);
    assert_eq!(node.poll_transmit(at(90), &mut buffer), None);
    assert_eq!(node.poll_transmit(at(91), &mut buffer), None);
    assert!(node.command(at(40), Command::OpenSession(session())).is_ok());
    assert_eq!(node.poll_transmit(at(95), &mut buffer), None);
    let counted = node.counters().clock_backwards;
    assert_eq!(counted, 4, "60, 65, 75, 40");
    let now = node.poll_timeout(Ready::ALL);
    drop(node);
    let (_, replay) = steps(&memory.octets());
    assert_eq!(replay.expect("it is reproduced").node().poll_timeout(Ready::ALL), now);
    replayed(&memory, counted);
}

/// Takes so many octets and then no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let taken = octets.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As a driver does it, for a while; what the node tells in the end.
fn drive(node: &mut RecordedNode) -> String {
    let mut buffer = Vec::new();
    for now in 0..2000 {
        let command = if now % 2 == 0 { Command::OpenSession(session()) } else { Command::Clear(None) };
        assert!(node.command(at(now), command).is_ok());
        while node.poll_event().is_some() || node.poll_request().is_some() {}
        assert_eq!(node.poll_transmit(at(now), &mut buffer), None);
    }
    format!("{:?} {:?}", node.sessions(), node.counters())
}

#[test]
fn a_full_disk_does_not_harm_the_node() {
    let mut unrecorded = Node::new(NodeConfig::default(), [7; 32], at(0)).into();
    let told = drive(&mut unrecorded);
    assert_eq!(unrecorded.recording(), None);
    for room in [0, 100, 5000] {
        let mut node = node(Full(room));
        assert_eq!(drive(&mut node), told);
        let stopped = node.recording().and_then(|status| status.stopped.clone());
        assert!(stopped.is_some_and(|why| why.contains("storage")), "room for {room}");
    }
}

#[test]
fn a_limit_is_kept_and_told() {
    let memory = Memory::default();
    let limit = 4000;
    let recorder = Recorder::new(memory.clone()).with_limit(limit);
    let mut node = RecordedNode::recorded(NodeConfig::default(), [7; 32], at(0), recorder);
    drive(&mut node);
    let status = node.recording().expect("there is a recorder").clone();
    assert!(status.stopped.is_some_and(|why| why.contains("4000")));
    drop(node);
    let octets = memory.octets();
    assert_eq!(octets.len() as u64, status.octets);
    assert!((limit - 200..=limit).contains(&status.octets), "{}", status.octets);
    let (steps, replay) = steps(&octets);
    assert_eq!(replay.expect("what there is, is reproduced").end(), Some(End::Limit));
    assert!(steps.len() > 100);
}

/// A panic of the caller's own; those of the node are seen in the crate's unit tests.
#[test]
fn a_panic_is_told() {
    let memory = Memory::default();
    let copy = memory.clone();
    let panicked = std::thread::spawn(move || {
        let mut node = node(copy);
        node.handle(at(3), Input::Timeout);
        panic!("the caller's own");
    });
    assert!(panicked.join().is_err());
    let (steps, replay) = steps(&memory.octets());
    assert_eq!(replay.expect("it is reproduced").end(), Some(End::Panicked(None)));
    assert_eq!(steps.len(), 1);
}

/// A recording that says that a poll panicked, replayed by a node that does not.
#[test]
fn a_panic_that_is_mended_is_a_divergence() {
    let memory = Memory::default();
    let mut node = node(memory.clone());
    node.handle(at(3), Input::Timeout);
    drop(node);
    let mut octets = memory.octets();
    // The last frame: length, check, and 0 µs, no place, kind, Closed.
    let frame = octets.split_off(octets.len() - 7);
    assert_eq!(frame[0], 4);
    let mut contents = frame[3..].to_vec();
    contents[3] = 2; // Panicked
    contents.extend([1, 2, 0]); // Some(Poll(Transmit))
    octets.push(7);
    octets.extend(&crc32fast::hash(&contents).to_be_bytes()[2..]);
    octets.extend(contents);
    let (steps, replay) = steps(&octets);
    assert_eq!(steps.len(), 1);
    let Err(ReplayError::Diverged(divergence)) = replay else { panic!("it is seen") };
    let end = Call::End(End::Panicked(Some(Callee::Poll(Poll::Transmit))));
    assert_eq!((divergence.step, divergence.expected, divergence.got), (2, end, None));
}
