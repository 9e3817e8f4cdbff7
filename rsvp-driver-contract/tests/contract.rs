//! What every driver owes its node, its handles and the machine; with outsides in memory.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rsvp_core::event::Upcall;
use rsvp_core::policy::{PolicyAction, PolicyRule};
use rsvp_core::{ApiId, Command, CommandError, EventKind, Node, NodeConfig, Reply, SessionKey};
use rsvp_driver::{Clock, Handle, Stopped};
use rsvp_driver_contract::{
    Host, LinkEnd, Memory, Runtime, config, eventually, memory_link, sender, session, within,
};

/// Every contract on every driver.
macro_rules! contracts {
    ($($contract:ident)*) => {$(
        mod $contract {
            use super::Runtime;

            #[test]
            fn blocking() {
                super::$contract(Runtime::Blocking);
            }

            #[test]
            fn mio() {
                super::$contract(Runtime::Mio);
            }

            #[test]
            fn tokio() {
                super::$contract(Runtime::Tokio);
            }

            #[test]
            fn tokio_threads() {
                super::$contract(Runtime::TokioThreads);
            }

            #[test]
            fn async_std() {
                super::$contract(Runtime::AsyncStd);
            }

            #[test]
            fn smol() {
                super::$contract(Runtime::Smol);
            }
        }
    )*};
}

contracts! {
    two_nodes_make_a_reservation_and_tear_it_down
    a_whole_batch_is_handed_over_before_anything_is_sent
    a_deadline_ends_the_wait
    an_idle_driver_sleeps
    a_full_socket_loses_nothing_and_repeats_nothing
    reservations_stand_however_little_a_socket_holds
    commands_of_many_threads_are_all_answered
    a_command_wakes_a_driver_that_sleeps
    snapshots_have_all_that_was_there_while_others_come_and_go
    tears_leave_before_a_shutdown_is_answered
    without_handles_the_driver_shuts_down
    a_broken_source_ends_the_driver
    a_subscriber_that_falls_behind_is_told
}

const SENDER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const RECEIVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
const PATH_TEAR: u8 = 5;

fn link() -> (LinkEnd, LinkEnd) {
    memory_link(&SENDER.to_string(), &RECEIVER.to_string())
}

fn start(runtime: Runtime, end: LinkEnd) -> Host {
    Host::start(runtime, config(), Memory::new(vec![end]))
}

fn to_receiver(port: u16) -> SessionKey {
    session(RECEIVER, port)
}

fn announce(host: &Host, port: u16) -> ApiId {
    host.announce(to_receiver(port), sender(SENDER, port))
}

fn two_nodes_make_a_reservation_and_tear_it_down(runtime: Runtime) {
    let (sending, receiving) = link();
    let mut sending = start(runtime, sending);
    let mut receiving = start(runtime, receiving);
    receiving.reserve(to_receiver(5004), RECEIVER);
    announce(&sending, 5004);
    sending.upcall("a reservation", |upcall| matches!(upcall, Upcall::Resv { .. }));
    receiving.upcall("its confirmation", |upcall| matches!(upcall, Upcall::Confirmed { .. }));
    let installed = sending.look(Node::installed);
    assert_eq!(installed.len(), 1);
    assert!(installed[0].installed, "{installed:?}");

    receiving.shut_down().expect("no error");
    sending.upcall("its end", |upcall| matches!(upcall, Upcall::ResvGone { .. }));
    sending.shut_down().expect("no error");
}

/// Acknowledgements coalesce, and what a batch makes due leaves together, because the node gets all of it first.
fn a_whole_batch_is_handed_over_before_anything_is_sent(runtime: Runtime) {
    // As many as a Unix socket holds.
    const BATCH: u16 = 8;
    let (sending, paths) = link();
    let sending = start(runtime, sending);
    let (other, receiving) = link();
    let receiving = start(runtime, receiving);
    for port in 1..=BATCH {
        receiving.reserve(to_receiver(port), RECEIVER);
        announce(&sending, port);
    }
    eventually("all Paths have left", || sending.trace.sent().len() == usize::from(BATCH));
    assert_eq!(receiving.trace.before_first_send.get(), None, "there is nothing to reserve for");
    // The driver is held up meanwhile.
    let (is_held, held) = mpsc::channel();
    let (free, freed) = mpsc::channel();
    let handle = receiving.handle.clone();
    let holding = thread::spawn(move || {
        within(
            "the driver goes on",
            handle.query(move |_| {
                is_held.send(()).expect("it is awaited");
                freed.recv().expect("it comes");
            }),
        )
    });
    held.recv().expect("the driver is held up");
    let mut buffer = vec![0; 65_536];
    for _ in 0..BATCH {
        let length = paths.socket.recv(&mut buffer).expect("a Path");
        other.socket.send(&buffer[..length]).expect("there is room");
    }
    free.send(()).expect("the driver waits");
    holding.join().expect("no panic").expect("the node runs");
    eventually("a Resv leaves", || receiving.trace.before_first_send.get().is_some());
    assert_eq!(receiving.trace.before_first_send.get(), Some(&usize::from(BATCH)));
}

fn a_deadline_ends_the_wait(runtime: Runtime) {
    let mut config = config();
    config.default_interface.refresh = Duration::from_millis(50);
    let (end, other) = link();
    let host = Host::start(runtime, config, Memory::new(vec![end]));
    announce(&host, 5004);
    let mut paths = 0;
    eventually("Path is refreshed", || {
        paths += other.drain().len();
        paths > 3
    });
}

fn an_idle_driver_sleeps(runtime: Runtime) {
    let (end, _other) = link();
    let host = start(runtime, end);
    announce(&host, 5004);
    let mut before = None;
    eventually("the driver comes to rest, and takes no turn for 300 ms", || {
        let now = (host.trace.reads.load(Relaxed), host.trace.turns.load(Relaxed));
        let is_resting = before.replace(now) == Some(now);
        if !is_resting {
            thread::sleep(Duration::from_millis(300));
        }
        is_resting
    });
}

/// So many messages do not fit into a Unix socket that nobody reads.
const MANY: u16 = 200;

fn a_full_socket_loses_nothing_and_repeats_nothing(runtime: Runtime) {
    let (end, other) = link();
    let host = start(runtime, end);
    for port in 1..=MANY {
        announce(&host, port);
    }
    let tries = || (host.trace.blocked.load(Relaxed), host.trace.turns.load(Relaxed));
    eventually("the socket is full", || host.trace.blocked.load(Relaxed) > 0);
    thread::sleep(Duration::from_millis(50));
    let before = tries();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(tries(), before, "a full socket is waited for, not tried");

    let mut messages = Vec::new();
    eventually("every message arrives", || {
        messages.extend(other.drain());
        messages.len() >= usize::from(MANY)
    });
    thread::sleep(Duration::from_millis(50));
    messages.extend(other.drain());
    assert_eq!(messages.len(), usize::from(MANY), "each of them once");
    messages.sort();
    messages.dedup();
    assert_eq!(messages.len(), usize::from(MANY), "and all of them different");
}

/// Single messages, Bundles and acknowledgements alike wait while the socket takes nothing.
fn reservations_stand_however_little_a_socket_holds(runtime: Runtime) {
    let (sending, receiving) = link();
    let sending = start(runtime, sending);
    for port in 1..=MANY {
        announce(&sending, port);
    }
    eventually("the socket is full", || sending.trace.blocked.load(Relaxed) > 0);
    let receiving = start(runtime, receiving);
    for port in 1..=MANY {
        receiving.reserve(to_receiver(port), RECEIVER);
    }
    // The second time they know each other, and bundle.
    for round in 1..=2 {
        eventually("every reservation stands", || {
            sending.look(move |node| {
                let received = node.counters().received.resv;
                received >= round * u64::from(MANY) && node.installed().len() == usize::from(MANY)
            })
        });
        sending.command(Command::Clear(None));
    }
    let sent = sending.look(|node| node.counters().sent);
    assert!(sent.bundle > 0, "{sent:?}");
}

/// A command, an answer, a look, again and again: a lost wake-up would leave one of them waiting.
fn commands_of_many_threads_are_all_answered(runtime: Runtime) {
    const THREADS: u16 = 8;
    const ROUNDS: u16 = 100;
    let (end, _other) = link();
    let host = start(runtime, end);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let host = &host;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let port = 1 + number * ROUNDS + round;
                    let id = announce(host, port);
                    assert!(host.look(move |node| {
                        node.sessions().iter().any(|session| session.session == to_receiver(port))
                    }));
                    host.command(Command::Release(id));
                }
            });
        }
    });
    assert_eq!(host.look(Node::sessions), []);
}

fn a_command_wakes_a_driver_that_sleeps(runtime: Runtime) {
    let (end, _other) = link();
    let host = start(runtime, end);
    for port in 1..=20 {
        thread::sleep(Duration::from_millis(5));
        announce(&host, port);
    }
}

fn snapshots_have_all_that_was_there_while_others_come_and_go(runtime: Runtime) {
    // Several slices.
    const STEADY: u16 = 1000;
    let (end, _other) = link();
    let host = start(runtime, end);
    for port in 1..=STEADY {
        host.open(to_receiver(port));
    }
    thread::scope(|scope| {
        let coming_and_going = scope.spawn(|| {
            for round in 0..500 {
                let id = announce(&host, STEADY + 1 + round);
                host.command(Command::Release(id));
            }
        });
        let mut count = 0;
        while count < 5 || !coming_and_going.is_finished() {
            let [one, two] = [(); 2].map(|()| host.handle.snapshot());
            let (one, two) = within("both snapshots", smol::future::zip(one, two));
            for snapshot in [one, two] {
                let snapshot = snapshot.expect("the node runs");
                let there = snapshot.sessions.iter().filter(|session| match session.session {
                    SessionKey::Ip(key) => key.port <= STEADY,
                    _ => false,
                });
                assert_eq!(there.count(), usize::from(STEADY));
            }
            count += 1;
        }
        coming_and_going.join().expect("no panic");
    });
}

fn tears_leave_before_a_shutdown_is_answered(runtime: Runtime) {
    let (end, other) = link();
    let mut host = start(runtime, end);
    announce(&host, 5004);
    eventually("a Path leaves", || !host.trace.sent().is_empty());
    within("the shutdown is answered", host.handle.shutdown());
    let types: Vec<u8> = other.drain().iter().map(|message| message[1]).collect();
    assert_eq!(types.last(), Some(&PATH_TEAR), "it comes last: {types:?}");
    assert_eq!(host.trace.closed.load(Relaxed), 1);

    let late = within("the answer", host.handle.query(|node| node.sessions().len()));
    assert_eq!(late, Err(Stopped));
    let late = within("the answer", host.handle.command(Command::Clear(None)));
    assert_eq!(late, Err(CommandError::ShuttingDown));
    assert!(within("the answer", host.handle.snapshot()).is_err());
    within("the second shutdown is answered", host.handle.shutdown());
    within("the events end", async { while host.events.next().await.is_some() {} });
    assert_eq!(within("those of a late subscriber, too", host.handle.subscribe().next()), None);
    host.running.join().expect("no error");
}

fn without_handles_the_driver_shuts_down(runtime: Runtime) {
    let (end, other) = link();
    let host = start(runtime, end);
    announce(&host, 5004);
    eventually("a Path leaves", || !host.trace.sent().is_empty());
    let Host { handle, mut events, running, trace } = host;
    drop(handle);
    running.join().expect("no error");
    assert!(other.drain().iter().any(|message| message[1] == PATH_TEAR), "it tears down all the same");
    assert_eq!(trace.closed.load(Relaxed), 1);
    within("the events end", async { while events.next().await.is_some() {} });
}

fn a_broken_source_ends_the_driver(runtime: Runtime) {
    let (end, other) = link();
    let host = start(runtime, end);
    announce(&host, 5004);
    host.trace.broken.store(true, Relaxed);
    other.socket.send(b"anything").expect("there is room");
    let Host { handle, mut events, running, .. } = host;
    assert!(running.join().is_err());
    assert_eq!(within("the answer", handle.query(|_| ())), Err(Stopped));
    within("the events end", async { while events.next().await.is_some() {} });
}

fn a_subscriber_that_falls_behind_is_told(runtime: Runtime) {
    let (end, _other) = link();
    let mut host = start(runtime, end);
    for _ in 0..5000 {
        let id = announce(&host, 5004);
        host.command(Command::Release(id));
    }
    // It is made when the events of the commands before have been told.
    within("a snapshot", host.handle.snapshot()).expect("the node runs");
    let events: Vec<EventKind> =
        std::iter::from_fn(|| host.events.try_next()).map(|event| event.kind).collect();
    let (last, before) = events.split_last().expect("events");
    assert!(matches!(last, EventKind::Lost(count) if *count > 0), "the gap is where it stands: {last:?}");
    assert!(before.len() < 10_000, "the others are bounded");
    assert!(before.iter().all(|event| matches!(event, EventKind::State(_))));
}

/// More events than the queue holds, told in one burst: a subscriber that takes them as they come misses none. That is so
/// where the executor gives everybody his turn; between threads it is a matter of luck.
async fn follow_a_burst(handle: Handle) {
    const SENDERS: u16 = 10_000;
    for port in 1..=SENDERS {
        let id = match handle.command(Command::OpenSession(to_receiver(port))).await {
            Ok(Reply::Session(id)) => id,
            other => panic!("no session: {other:?}"),
        };
        handle.command(Command::AddSender(id, sender(SENDER, port))).await.expect("a good sender");
    }
    let mut events = handle.subscribe();
    let deny = PolicyRule { sender: None, receiver: None, action: PolicyAction::Deny };
    let config = NodeConfig { policy: vec![deny], ..NodeConfig::default() };
    handle.command(Command::Configure(config)).await.expect("the node runs");
    let mut refused = 0;
    while refused < SENDERS {
        match events.next().await.expect("the node runs").kind {
            EventKind::Upcall(_, _, Upcall::PathError { .. }) => refused += 1,
            EventKind::Lost(count) => panic!("{count} events are lost"),
            _ => {}
        }
    }
}

fn node_and_clock() -> (Node, Clock) {
    let clock = Clock::start();
    (Node::new(config(), [7; 32], clock.now()), clock)
}

#[test]
fn a_subscriber_has_its_turn_during_a_burst_on_tokio() {
    let (end, _other) = link();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (node, clock) = node_and_clock();
        let (driver, handle) =
            rsvp_io_tokio::Driver::new(node, Memory::new(vec![end]), clock).expect("a driver");
        let running = tokio::spawn(driver.run());
        follow_a_burst(handle).await;
        running.await.expect("no panic").expect("no error");
    });
}

#[test]
fn a_subscriber_has_its_turn_during_a_burst_on_smol() {
    let (end, _other) = link();
    let executor = smol::LocalExecutor::new();
    let (node, clock) = node_and_clock();
    let (driver, handle) =
        rsvp_io_async_std::Driver::new(node, Memory::new(vec![end]), clock).expect("a driver");
    let running = executor.spawn(driver.run());
    // As a task: what an executor runs beside its tasks has its turn more rarely.
    let following = executor.spawn(follow_a_burst(handle));
    smol::block_on(executor.run(async {
        following.await;
        running.await.expect("no error");
    }));
}
