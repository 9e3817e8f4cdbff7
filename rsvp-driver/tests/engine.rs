//! The loop, turned by hand.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rsvp_core::input::InterfaceInfo;
use rsvp_core::{Command, InterfaceId, Node, NodeConfig, SessionKey};
use rsvp_driver::{Clock, Engine, MemoryTransport, NoTrafficControl, Parts, StaticRouting, Turn};

/// Who asks while a snapshot is made gets the next one, without anything else happening.
#[test]
fn snapshots_are_made_for_all_who_ask_before_the_loop_waits() {
    const SESSIONS: u16 = 1000;
    let address = "10.0.0.1".parse().expect("an address");
    let routing = StaticRouting::new([InterfaceInfo::new(InterfaceId(1), "eth0", [address])]);
    let outside = Parts::new(MemoryTransport::new([]), routing, NoTrafficControl).expect("descriptors");
    let clock = Clock::start();
    let node = Node::new(NodeConfig::default(), [7; 32], clock.now());
    let (mut engine, handle) = Engine::new(node, outside, clock);
    for port in 1..=SESSIONS {
        engine.command(Command::OpenSession(SessionKey::udp(address, port))).expect("there is room");
    }

    let mut context = Context::from_waker(Waker::noop());
    while engine.turn(&context).expect("it works") == Turn::Again {}
    let mut first = pin!(handle.snapshot());
    let mut second = pin!(handle.snapshot());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert_eq!(engine.turn(&context).expect("it works"), Turn::Again, "one turn is not enough for so much");
    assert!(second.as_mut().poll(&mut context).is_pending());
    while engine.turn(&context).expect("it works") == Turn::Again {}
    for asked in [first, second] {
        let Poll::Ready(snapshot) = asked.poll(&mut context) else {
            panic!("the loop waits, and so does who asked")
        };
        assert_eq!(snapshot.expect("the node runs").sessions.len(), usize::from(SESSIONS));
    }
}
