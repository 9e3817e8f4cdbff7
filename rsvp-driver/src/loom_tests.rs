//! What threads share, in every order that the memory model allows.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test --release -p rsvp-driver --lib --target-dir target/loom
//! ```
//!
//! That they can fail was seen by planting faults, one at a time. Each is found by the model named, most by others, too:
//!
//! | fault | found by |
//! |---|---|
//! | the receiver is woken before the item is in | `a_full_queue_holds…` |
//! | the receiver's waker is registered after unlocking | `the_last_sender…` |
//! | a sender's waker is registered after unlocking | `a_receiver_that_goes…` |
//! | one waiting sender is woken, not all | `a_sender_that_gives_up…` alone |
//! | no waiting sender is woken | `a_full_queue_holds…` |
//! | the last sender wakes nobody when it goes | `the_last_sender…` |
//! | the receiver wakes nobody when it goes | `a_receiver_that_goes…` alone |
//! | the end is looked at before the items that are left | `a_full_queue_holds…` |
//! | an event wakes nobody | `an_event_is_told…` alone |
//! | of what overflows, only the last is counted | `events_come_in_order…` alone |
//! | what overflows is put in front | `events_come_in_order…` alone |
//! | who subscribes after the end waits | `who_subscribes…` |
//! | events do not end with the loop | `events_come_in_order…` |
//! | the loop does not leave its waker with the queue of jobs | `all_that_is_asked…` |
//! | a snapshot goes to the first reader only | `two_who_want…` |

use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::task::Poll;

use loom::future::block_on;
use loom::thread;
use rsvp_core::event::{Cause, Upcall};
use rsvp_core::wire::FlowKey;
use rsvp_core::{ApiId, Event, EventKind, Input, Instant, Node, NodeConfig, Request, SessionKey};

use crate::handle::publisher;
use crate::queue::{Closed, queue};
use crate::{
    Clock, Diagnostic, Engine, Handle, Message, Outside, OutsideView, ReadOutcome, SendOutcome, Source, Turn,
};

/// All orders in which threads interrupt each other at most so many times; each known fault of such code needs fewer.
fn model(preemptions: usize, run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(run);
}

#[test]
fn a_full_queue_holds_its_sender_up_and_loses_nothing() {
    model(3, || {
        let (sender, mut receiver) = queue(1);
        let giving = thread::spawn(move || {
            block_on(sender.send(1)).expect("a receiver");
            block_on(sender.send(2)).expect("a receiver");
        });
        assert_eq!(block_on(receiver.receive()), Some(1));
        assert_eq!(block_on(receiver.receive()), Some(2));
        assert_eq!(block_on(receiver.receive()), None);
        giving.join().expect("no panic");
    });
}

/// Polls a future once, and gives it up if that is not enough.
async fn try_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[test]
fn a_sender_that_gives_up_keeps_no_other_waiting() {
    model(3, || {
        let (sender, mut receiver) = queue(1);
        block_on(sender.send(0)).expect("there is room");
        let other = sender.clone();
        let giving_up = thread::spawn(move || block_on(try_once(sender.send(1))));
        let waiting = thread::spawn(move || block_on(other.send(2)));
        let mut items = Vec::new();
        while let Some(item) = block_on(receiver.receive()) {
            items.push(item);
        }
        let has_sent = giving_up.join().expect("no panic").is_some();
        assert_eq!(waiting.join().expect("no panic"), Ok(()));
        assert_eq!(items.contains(&1), has_sent);
        assert!(items.contains(&2));
        assert_eq!(items.len(), if has_sent { 3 } else { 2 });
    });
}

#[test]
fn a_receiver_that_goes_frees_all_that_wait() {
    model(3, || {
        let (sender, receiver) = queue(1);
        block_on(sender.send(0)).expect("there is room");
        let other = sender.clone();
        let one = thread::spawn(move || block_on(sender.send(1)));
        let two = thread::spawn(move || block_on(other.send(2)));
        drop(receiver);
        assert_eq!(one.join().expect("no panic"), Err(Closed));
        assert_eq!(two.join().expect("no panic"), Err(Closed));
    });
}

#[test]
fn the_last_sender_that_goes_tells_the_receiver() {
    model(3, || {
        let (sender, mut receiver) = queue::<()>(1);
        let other = sender.clone();
        let one = thread::spawn(move || drop(sender));
        let two = thread::spawn(move || drop(other));
        assert_eq!(block_on(receiver.receive()), None);
        one.join().expect("no panic");
        two.join().expect("no panic");
    });
}

fn event(at: u64) -> Event {
    let destination = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let session = SessionKey::Ip(FlowKey { destination, protocol: 17, port: 1 });
    let upcall = Upcall::ResvGone { filters: Vec::new(), cause: Cause::Local };
    Event { at: Instant::from_micros(at), kind: EventKind::Upcall(ApiId(1), session, upcall) }
}

/// A subscriber's queue holds few here.
#[test]
fn events_come_in_order_and_each_loss_is_counted() {
    const EVENTS: u64 = 4;
    model(3, || {
        let (publisher, subscribers) = publisher();
        let mut events = subscribers.subscribe();
        let telling = thread::spawn(move || (1..=EVENTS).for_each(|at| publisher.tell(&event(at))));
        let mut next = 1;
        while let Some(Event { at, kind }) = block_on(events.next()) {
            next += match kind {
                EventKind::Lost(count) => count,
                _ => 1,
            };
            assert_eq!(at, Instant::from_micros(next - 1), "nothing is missing before it");
        }
        assert_eq!(next, EVENTS + 1);
        telling.join().expect("no panic");
    });
}

/// The end, which would wake the subscriber as well, comes after.
#[test]
fn an_event_is_told_when_it_happens() {
    model(3, || {
        let (publisher, subscribers) = publisher();
        let mut events = subscribers.subscribe();
        let following = thread::spawn(move || assert_eq!(block_on(events.next()), Some(event(1))));
        publisher.tell(&event(1));
        following.join().expect("no panic");
    });
}

#[test]
fn who_subscribes_while_events_are_told_and_end_waits_for_nothing_in_vain() {
    model(3, || {
        let (publisher, subscribers) = publisher();
        let other = subscribers.clone();
        let following = thread::spawn(move || {
            let mut events = other.subscribe();
            let first = block_on(events.next());
            assert!(first.is_none_or(|first| first == event(1)));
            assert_eq!(block_on(events.next()), None);
        });
        let telling = thread::spawn(move || publisher.tell(&event(1)));
        assert!(block_on(subscribers.subscribe().next()).is_none_or(|first| first == event(1)));
        following.join().expect("no panic");
        telling.join().expect("no panic");
    });
}

/// There is nothing.
struct Nothing;

impl Outside for Nothing {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        Ok(Vec::new())
    }

    fn start(&mut self, _: &mut dyn FnMut(Input<'_>)) {}

    fn read(&mut self, _: Source, _: usize, _: &mut dyn FnMut(Input<'_>)) -> io::Result<ReadOutcome> {
        Ok(ReadOutcome::Drained)
    }

    fn send(&mut self, _: &mut [Message]) -> SendOutcome {
        SendOutcome::Sent
    }

    fn is_ready_for_requests(&self) -> bool {
        true
    }

    fn request(&mut self, _: Request, _: &mut dyn FnMut(Input<'_>)) {}

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    fn view(&self) -> OutsideView {
        OutsideView::default()
    }

    fn close(self) {}
}

fn engine() -> (Engine<Nothing>, Handle) {
    let clock = Clock::start();
    Engine::new(Node::new(NodeConfig::default(), [7; 32], Instant::ZERO), Nothing, clock)
}

/// A driver.
fn run(mut engine: Engine<Nothing>) {
    block_on(poll_fn(|context| {
        loop {
            match engine.turn(context).expect("nothing can break") {
                Turn::Again => {}
                Turn::Wait(_) => return Poll::Pending,
                Turn::Ended => return Poll::Ready(()),
            }
        }
    }));
    engine.close();
}

/// The queue of jobs holds one here.
#[test]
fn all_that_is_asked_of_a_loop_is_answered() {
    model(1, || {
        let (engine, handle) = engine();
        let other = handle.clone();
        let one = thread::spawn(move || assert_eq!(block_on(handle.query(|_| 1)), Ok(1)));
        let two = thread::spawn(move || assert_eq!(block_on(other.query(|_| 2)), Ok(2)));
        run(engine);
        one.join().expect("no panic");
        two.join().expect("no panic");
    });
}

#[test]
fn two_who_want_a_snapshot_both_get_one() {
    model(1, || {
        let (engine, handle) = engine();
        let askers = [handle.clone(), handle].map(|handle| {
            thread::spawn(move || {
                let snapshot = block_on(handle.snapshot()).expect("the loop runs");
                assert!(snapshot.sessions.is_empty());
            })
        });
        run(engine);
        askers.into_iter().for_each(|asker| asker.join().expect("no panic"));
    });
}

#[test]
fn a_shutdown_leaves_nobody_without_an_answer() {
    model(1, || {
        let (engine, handle) = engine();
        let other = handle.clone();
        let mut events = handle.subscribe();
        let ending = thread::spawn(move || block_on(other.shutdown()));
        let asking = thread::spawn(move || {
            let answer = block_on(handle.query(|_| 1));
            assert!(answer.is_err() || answer == Ok(1));
            assert_eq!(block_on(events.next()), None);
        });
        run(engine);
        ending.join().expect("no panic");
        asking.join().expect("no panic");
    });
}
