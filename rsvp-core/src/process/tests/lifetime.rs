//! Lifetimes, refreshes and cleanup (RFC 2205 section 3.7).

use super::consistency::{check, check_empty};
use super::{Bench, DOWN, SECOND, UP, bucket, flow, interface_info, ip, path, path_tear, resv, sender};
use crate::command::Command;
use crate::input::Input;
use crate::time::Duration;
use crate::wire::{Message, RsvpHop, SenderTspec, Style};

#[test]
fn path_and_resv_that_expire_in_one_call() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Ff, [flow(1000.0, &[sender(1)])].into())));
    assert_eq!(bench.node.installed().len(), 1);
    bench.sleep(SECOND * 10_000);
    check_empty(&bench.node);
}

#[test]
fn a_path_goes_on_when_its_interface_has_an_address_again() {
    let mut bench = Bench::with_paths(&[1]);
    let mut info = interface_info(2);
    info.addresses.clear();
    bench.input(Input::Interface(info));
    bench.run(SECOND * 60);
    bench.receive(UP, Message::Path(path(1)));
    bench.sent.clear();
    bench.interface(2);
    bench.run(SECOND * 50);
    assert!(!bench.sent.is_empty());
}

#[test]
fn an_interface_that_comes_after_its_route_carries_the_path() {
    let mut bench = Bench::new();
    bench.input(Input::InterfaceRemoved(DOWN));
    bench.receive(UP, Message::Path(path(1)));
    assert!(bench.take_sent().is_empty());
    bench.interface(2);
    assert!(matches!(bench.take_sent()[..], [Message::Path(_)]));
}

#[test]
fn neighbours_learn_of_a_new_address_at_once() {
    let mut bench = Bench::with_paths(&[1]);
    let mut info = interface_info(2);
    info.addresses = alloc::vec![ip("10.0.2.7")];
    bench.input(Input::Interface(info));
    let [Message::Path(path)] = &bench.take_sent()[..] else { panic!() };
    assert_eq!(path.hop.address, ip("10.0.2.7"));
}

#[test]
fn refreshes_with_another_ttl_are_no_mere_refreshes() {
    let mut bench = Bench::new();
    let deliver = |bench: &mut Bench, ttl| {
        let message = Message::Path(path(1));
        bench.receive_with(UP, sender(1).source(), Some(super::session().destination()), 63, ttl, &message);
    };
    deliver(&mut bench, 60);
    deliver(&mut bench, 60);
    assert_eq!(bench.node.counters().refreshes_received, 1);
    bench.sent.clear();
    deliver(&mut bench, 58);
    assert_eq!(bench.sent.last().unwrap().0.ttl, 57);
}

#[test]
fn settings_without_sense_do_no_harm() {
    let mut bench = Bench::with_paths(&[1]);
    let mut config = bench.node.config().clone();
    config.default_interface.refresh = Duration::ZERO;
    config.default_interface.slew_max = f32::INFINITY;
    config.default_interface.refresh_multiple = u32::MAX;
    config.default_interface.blockade_multiple = u32::MAX;
    bench.command(Command::Configure(config.clone())).unwrap();
    bench.run(SECOND * 31);
    config.default_interface.refresh = Duration::MAX;
    bench.command(Command::Configure(config)).unwrap();
    bench.run(SECOND);
    bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Ff, [flow(1000.0, &[sender(1)])].into())));
    let error = super::resv_err(Style::Ff, flow(1000.0, &[sender(1)]), 0);
    bench.receive(UP, Message::ResvErr(error));
    check(&bench.node);
}

/// RFC 2205 section 3.1.3: a unicast sender may for a while come from two previous hops. Section 3.1.5: the PathTear
/// of one must not go on while the other is there.
#[test]
fn two_previous_hops_of_one_unicast_sender() {
    let mut bench = Bench::with_paths(&[1]);
    bench.interface(4);
    let four = crate::InterfaceId(4);
    let mut other = path(1);
    other.hop = RsvpHop { address: ip("10.0.4.2"), lih: 5 };
    other.sender_tspec = SenderTspec::TokenBucket(bucket(2000.0));
    bench.receive(four, Message::Path(other.clone()));
    let sent = bench.take_sent();
    let [Message::Path(sent)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(sent.sender_tspec, other.sender_tspec, "the newest goes on");

    bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Ff, [flow(1000.0, &[sender(1)])].into())));
    assert_eq!(bench.node.requests().len(), 2, "both previous hops are asked");
    assert_eq!(bench.node.installed().len(), 1);
    bench.sent.clear();

    bench.run(SECOND * 45);
    let paths = bench.take_sent().iter().filter(|message| matches!(message, Message::Path(_))).count();
    assert_eq!(paths, 1, "one of them speaks for both");

    let mut tear = path_tear(1);
    tear.hop = other.hop;
    bench.receive(four, Message::PathTear(tear));
    let sent = bench.take_sent();
    let [Message::Path(sent)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(sent.sender_tspec, path(1).sender_tspec, "the other speaks now");
    assert_eq!(bench.node.installed().len(), 1);
    assert_eq!(bench.node.requests().len(), 1);

    bench.receive(UP, Message::PathTear(path_tear(1)));
    let sent = bench.take_sent();
    assert!(matches!(sent[..], [Message::PathTear(_)]), "{sent:?}");
    check_empty(&bench.node);
}

#[test]
fn a_unicast_path_tear_counts_on_whatever_interface_it_arrives() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, Message::PathTear(path_tear(1)));
    check_empty(&bench.node);
}

#[test]
fn a_resv_is_refreshed_after_a_time_in_which_it_could_not_be_sent() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Ff, [flow(1000.0, &[sender(1)])].into())));
    let mut info = interface_info(1);
    info.addresses.clear();
    bench.input(Input::Interface(info));
    bench.run(SECOND * 60);
    bench.receive(UP, Message::Path(path(1)));
    bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Ff, [flow(1000.0, &[sender(1)])].into())));
    bench.interface(1);
    bench.sent.clear();
    bench.run(SECOND * 46);
    assert!(bench.take_sent().iter().any(|message| matches!(message, Message::Resv(_))));
}

/// RFC 2205 section 3.11.4: a disabled interface is no part of RSVP.
#[test]
fn nothing_is_told_on_an_interface_that_is_disabled() {
    let mut bench = Bench::with_paths(&[1]);
    let mut config = bench.node.config().clone();
    let disabled = crate::config::InterfaceConfig { enabled: false, ..config.default_interface.clone() };
    config.interfaces.insert("if2".into(), disabled);
    bench.command(Command::Configure(config.clone())).unwrap();
    let sent = bench.take_sent();
    assert!(matches!(sent[..], [Message::PathTear(_)]), "{sent:?}");
    bench.run(SECOND * 60);
    bench.receive(UP, Message::Path(path(1)));
    assert!(bench.take_sent().is_empty());
    config.interfaces.clear();
    bench.command(Command::Configure(config)).unwrap();
    assert!(matches!(bench.take_sent()[..], [Message::Path(_)]));
}

/// RFC 2205 section 3.7: R may shrink at once, and grow by Slew.Max (30 %) from one refresh to the next.
#[test]
fn the_period_grows_slowly_and_shrinks_at_once() {
    let slewed = |period, target| super::super::slewed(SECOND * period, SECOND * target, 0.30);
    let millis = |duration: Duration| duration.as_millis();
    assert_eq!(millis(slewed(30, 90)), 39_000);
    assert_eq!(millis(slewed(30, 31)), 31_000, "no further than it has to");
    assert_eq!(millis(slewed(30, 5)), 5_000);
    assert_eq!(millis(slewed(0, 90)), 90_000, "nothing was announced yet");
}

#[test]
fn a_one_shot_too_many_is_dropped_and_counted() {
    let mut bench = Bench::new();
    let mut config = bench.node.config().clone();
    config.limits.queued_one_shots = 0;
    bench.command(Command::Configure(config)).unwrap();
    for dropped in 1..=2 {
        bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Ff, [flow(1000.0, &[sender(1)])].into())));
        assert!(bench.take_sent().is_empty(), "no ResvErr fits");
        assert_eq!(bench.node.counters().one_shots_dropped, dropped);
    }
}
