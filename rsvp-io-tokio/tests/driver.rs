//! The driver between real nodes and an outside in memory.

mod common;

use std::net::IpAddr;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::{LINK, Memory, Trace, link, unpack};
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::Bandwidth;
use rsvp_core::event::{EventKind, Upcall};
use rsvp_core::policy::{PolicyAction, PolicyRule};
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, Style, Tspec};
use rsvp_core::{ApiId, Command, CommandError, Node, NodeConfig, Reply, SessionKey};
use rsvp_driver::{Clock, Events, Handle, Stopped};
use rsvp_io_tokio::Driver;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// More than anything here takes.
const LONG: Duration = Duration::from_secs(10);

const TSPEC: Tspec = Tspec { rate: 1e5, bucket: 1e4, peak: f32::INFINITY, min_unit: 64, max_packet: 1500 };

fn sender_address() -> IpAddr {
    IpAddr::from([10, 0, 0, 1])
}

fn receiver_address() -> IpAddr {
    IpAddr::from([10, 0, 0, 2])
}

fn session(port: u16) -> SessionKey {
    SessionKey::Ip(FlowKey { destination: receiver_address(), protocol: 17, port })
}

fn run(outside: Memory) -> (Handle, JoinHandle<std::io::Result<()>>) {
    let clock = Clock::start();
    let mut config = NodeConfig::default();
    config.default_interface.bandwidth =
        Some(Bandwidth { total: 1_000_000_000, per_flow: 1_000_000, link: 1_000_000_000 });
    let node = Node::new(config, [7; 32], clock.now());
    let (driver, handle) = Driver::new(node, outside, clock).expect("a driver");
    (handle, tokio::spawn(driver.run()))
}

async fn open(handle: &Handle, port: u16) -> ApiId {
    match handle.command(Command::OpenSession(session(port))).await {
        Ok(Reply::Session(id)) => id,
        other => panic!("no session: {other:?}"),
    }
}

async fn announce(handle: &Handle, port: u16) -> ApiId {
    let id = open(handle, port).await;
    let sender = SenderRequest {
        template: FilterSpec::Ip { source: sender_address(), port },
        tspec: SenderTspec::TokenBucket(TSPEC),
        adspec: true.into(),
        policy: Vec::new(),
        ttl: 255,
    };
    assert_eq!(handle.command(Command::AddSender(id, sender)).await, Ok(Reply::Done));
    id
}

async fn reserve(handle: &Handle, id: ApiId) {
    let flows = vec![FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(TSPEC)), filters: vec![] }];
    let reserve = ReserveRequest {
        receiver: receiver_address(),
        style: Style::Wf,
        flows,
        policy: Vec::new(),
        confirm: true,
    };
    handle.command(Command::Reserve(id, reserve)).await.expect("a good reservation");
}

async fn upcall(events: &mut Events, wanted: fn(&Upcall) -> bool) -> Upcall {
    let find = async {
        loop {
            match events.next().await.expect("the node runs").kind {
                EventKind::Upcall(_, _, upcall) if wanted(&upcall) => return upcall,
                _ => {}
            }
        }
    };
    timeout(LONG, find).await.expect("the upcall comes")
}

#[tokio::test]
async fn two_nodes_make_a_reservation_and_tear_it_down() {
    let (sending, other, trace) = link(sender_address());
    let (sender, sender_runs) = run(sending);
    let (receiver, receiver_runs) = run(Memory::on(receiver_address(), other, Arc::new(Trace::default())));
    let (mut told_sender, mut told_receiver) = (sender.subscribe(), receiver.subscribe());

    let id = open(&receiver, 5004).await;
    announce(&sender, 5004).await;
    upcall(&mut told_receiver, |u| matches!(u, Upcall::Path { .. })).await;
    reserve(&receiver, id).await;
    upcall(&mut told_sender, |u| matches!(u, Upcall::Resv { .. })).await;
    upcall(&mut told_receiver, |u| matches!(u, Upcall::Confirmed { .. })).await;
    let installed = sender.query(Node::installed).await.expect("the node runs");
    assert_eq!(installed.len(), 1);
    assert_eq!(installed[0].interface, LINK);

    receiver.shutdown().await;
    receiver_runs.await.expect("no panic").expect("no error");
    upcall(&mut told_sender, |u| matches!(u, Upcall::ResvGone { .. })).await;
    sender.shutdown().await;
    sender_runs.await.expect("no panic").expect("no error");
    assert_eq!(trace.closed.load(Ordering::Relaxed), 1);
}

/// Acknowledgements coalesce, and what a batch makes due leaves together, because the node gets all of it first.
#[tokio::test]
async fn a_whole_batch_is_handed_over_before_anything_is_sent() {
    // As many as a Unix socket holds.
    const BATCH: u16 = 8;
    let (sending, paths, _) = link(sender_address());
    let (sender, _runs) = run(sending);
    let (receiving, other, trace) = link(receiver_address());
    let (receiver, _runs) = run(receiving);
    for port in 1..=BATCH {
        let id = open(&receiver, port).await;
        reserve(&receiver, id).await;
        announce(&sender, port).await;
    }
    assert_eq!(trace.before_first_send.get(), None, "there is nothing to reserve for");
    // No task runs meanwhile.
    let mut buffer = vec![0; 65_536];
    for _ in 0..BATCH {
        let length = paths.recv(&mut buffer).expect("a Path");
        other.send(&buffer[..length]).expect("there is room");
    }
    let sent = async {
        while trace.before_first_send.get().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, sent).await.expect("a Resv leaves");
    assert_eq!(trace.before_first_send.get(), Some(&usize::from(BATCH)));
}

#[tokio::test]
async fn an_idle_driver_sleeps() {
    let (outside, _other, trace) = link(sender_address());
    let (handle, _running) = run(outside);
    announce(&handle, 5004).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = trace.reads.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(trace.reads.load(Ordering::Relaxed), before, "nothing comes, so nothing is read");
}

/// Reads what has been sent.
fn drain(socket: &UnixDatagram) -> Vec<Vec<u8>> {
    socket.set_nonblocking(true).expect("a socket");
    let mut buffer = vec![0; 65_536];
    let mut messages = Vec::new();
    while let Ok(length) = socket.recv(&mut buffer) {
        messages.push(unpack(&buffer[..length]).1);
    }
    messages
}

/// So many messages do not fit into a Unix socket that nobody reads.
async fn wait_for_full_socket(trace: &Trace) {
    let blocked = async {
        while trace.blocked.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, blocked).await.expect("it becomes full");
}

#[tokio::test]
async fn a_full_socket_loses_nothing_and_repeats_nothing() {
    const SENDERS: u16 = 200;
    let (outside, other, trace) = link(sender_address());
    let (handle, _running) = run(outside);
    for port in 1..=SENDERS {
        announce(&handle, port).await;
    }
    wait_for_full_socket(&trace).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let refused = trace.blocked.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(trace.blocked.load(Ordering::Relaxed), refused, "a full socket is waited for, not tried");

    let mut messages = Vec::new();
    let all = async {
        while messages.len() < usize::from(SENDERS) {
            messages.extend(drain(&other));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, all).await.expect("every message arrives");
    tokio::time::sleep(Duration::from_millis(50)).await;
    messages.extend(drain(&other));
    assert_eq!(messages.len(), usize::from(SENDERS), "each of them once");
    messages.sort();
    messages.dedup();
    assert_eq!(messages.len(), usize::from(SENDERS), "and all of them different");
}

/// Single messages, Bundles and acknowledgements alike wait while the socket takes nothing.
#[tokio::test]
async fn reservations_stand_however_little_a_socket_holds() {
    const SESSIONS: u16 = 200;
    let (sending, other, trace) = link(sender_address());
    let (sender, _runs) = run(sending);
    for port in 1..=SESSIONS {
        announce(&sender, port).await;
    }
    wait_for_full_socket(&trace).await;
    let (receiver, _runs) = run(Memory::on(receiver_address(), other, Arc::new(Trace::default())));
    for port in 1..=SESSIONS {
        let id = open(&receiver, port).await;
        reserve(&receiver, id).await;
    }
    // The second time they know each other, and bundle.
    for round in 1..=2 {
        let stand = async {
            let all = usize::from(SESSIONS);
            let look = move |node: &Node| {
                let received = node.counters().received.resv;
                received >= round * u64::from(SESSIONS) && node.installed().len() == all
            };
            while sender.query(look).await != Ok(true) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(LONG, stand).await.expect("every reservation stands");
        sender.command(Command::Clear(None)).await.expect("the node runs");
    }
    let sent = sender.query(|node| node.counters().sent).await.expect("the node runs");
    assert!(sent.bundle > 0, "{sent:?}");
}

#[tokio::test]
async fn tears_leave_before_the_driver_ends() {
    let (outside, other, trace) = link(sender_address());
    let (handle, running) = run(outside);
    announce(&handle, 5004).await;
    handle.shutdown().await;
    running.await.expect("no panic").expect("no error");
    let types: Vec<u8> = drain(&other).iter().map(|message| message[1]).collect();
    assert_eq!(types.last(), Some(&5), "PathTear comes last: {types:?}");
    assert_eq!(trace.closed.load(Ordering::Relaxed), 1);
    assert_eq!(handle.query(|node| node.sessions().len()).await, Err(Stopped));
    assert_eq!(handle.command(Command::Clear(None)).await, Err(CommandError::ShuttingDown));
    handle.shutdown().await;
}

#[tokio::test]
async fn without_handles_the_driver_shuts_down() {
    let (outside, other, trace) = link(sender_address());
    let (handle, running) = run(outside);
    announce(&handle, 5004).await;
    drop(handle);
    running.await.expect("no panic").expect("no error");
    assert!(drain(&other).iter().any(|message| message[1] == 5), "it tears down all the same");
    assert_eq!(trace.closed.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_subscriber_that_falls_behind_is_told() {
    let (outside, _other, _trace) = link(sender_address());
    let (handle, _running) = run(outside);
    let mut slow = handle.subscribe();
    for _ in 0..5000 {
        let id = announce(&handle, 5004).await;
        handle.command(Command::Release(id)).await.expect("it is there");
    }
    let events: Vec<EventKind> = std::iter::from_fn(|| slow.try_next()).map(|event| event.kind).collect();
    let (last, before) = events.split_last().expect("events");
    assert!(matches!(last, EventKind::Lost(count) if *count > 0), "the gap is where it stands: {last:?}");
    assert!(before.iter().all(|event| matches!(event, EventKind::State(_))));
}

/// More events than the queue holds: a subscriber that takes them as they come misses none.
#[tokio::test]
async fn a_subscriber_has_its_turn_during_a_burst() {
    const SENDERS: u16 = 10_000;
    let (outside, _other, _trace) = link(sender_address());
    let (handle, _running) = run(outside);
    for port in 1..=SENDERS {
        announce(&handle, port).await;
    }
    let mut events = handle.subscribe();
    let counting = tokio::spawn(tokio::task::unconstrained(async move {
        let (mut refused, mut lost) = (0, 0);
        while refused + lost < u64::from(SENDERS) {
            match events.next().await.expect("the node runs").kind {
                EventKind::Upcall(_, _, Upcall::PathError { .. }) => refused += 1,
                EventKind::Lost(count) => lost += count,
                _ => {}
            }
        }
        (refused, lost)
    }));
    let deny = PolicyRule { sender: None, receiver: None, action: PolicyAction::Deny };
    let config = NodeConfig { policy: vec![deny], ..NodeConfig::default() };
    handle.command(Command::Configure(config)).await.expect("the node runs");
    let counted = timeout(LONG, counting).await.expect("they are told").expect("no panic");
    assert_eq!(counted, (SENDERS.into(), 0));
}
