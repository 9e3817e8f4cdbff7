//! RFC 2961 section 4.2: MESSAGE_ID.

use std::collections::BTreeSet;
use std::time::Duration;

use conformance::bench::{
    Dut, Family, InProcess, Lab, Plan, Port, R, Station, ack, group_route, list, mid, nack, wanted,
};
use conformance::shows;
use rsvp_core::config::{MessageIds, NodeConfig};
use rsvp_core::wire::{FlaggedId, IdEntries, IdList, MessageId, Path, PathErr, PathTear, ResvErr};
use rsvp_core::{Command, Instant, Node};

use crate::dialogue::{ack_of, all_types, at_port, expect_like, id_object, path, resv, trigger};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_layout_of_message_id() {
    shows(&["rfc2961-4.2-01"]);
    let mut dut = Lab::in_process().reducing();
    let sent = trigger(&mut dut);
    let MessageId { epoch, id } = sent.id().id;
    let [_, e1, e2, e3] = epoch.to_be_bytes();
    let [i1, i2, i3, i4] = id.to_be_bytes();
    let expected = [0, 12, 23, 1, 1, e1, e2, e3, i1, i2, i3, i4];
    assert_eq!(sent.sent.packet.message[8..20], expected);
    let named = MessageId { epoch: 0x0012_3456, id: 0x789a_bcde };
    let path = path(&dut, dut.h(), 10.0);
    dut.send_id(Station::U1, path, FlaggedId::wanting_ack(named));
    assert_eq!(dut.acks(Station::U1), [ack_of(named)]);
}

#[test]
fn one_flag_is_assigned() {
    shows(&["rfc2961-4.2-02", "rfc2961-4.6-01"]);
    let mut dut = Lab::in_process().reducing();
    for (flags, expected) in [(0xfe, vec![]), (0xff, vec![ack(2)])] {
        for (from, message, port) in all_types(&dut) {
            dut.send_id(from, message.clone(), FlaggedId { flags, id: mid(2) });
            let sent = expect_like(&mut dut, port, &message);
            assert!(sent.head.message_id.is_none_or(|it| it.flags <= 1));
            assert_eq!(dut.acks(from), expected, "{message:?}");
        }
        dut.advance(SECOND);
        dut.forget();
    }
}

/// A router that has just started, with this seed.
fn started(seed: u64) -> Dut {
    let mut config = NodeConfig::default();
    config.default_interface.reduction.message_ids = MessageIds::Always;
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let plan = Plan(Family::V4);
    let node = Node::new(config, bytes, Instant::ZERO);
    Lab::in_process().around(plan, Box::new(InProcess::around(plan, node)))
}

#[test]
fn the_epoch_is_random() {
    shows(&["rfc2961-4.2-03", "rfc2961-4.2-04"]);
    let epochs: Vec<u32> = (0..100)
        .map(|seed| {
            let mut dut = started(seed);
            trigger(&mut dut).id().id.epoch
        })
        .collect();
    assert!(epochs.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(epochs.iter().all(|epoch| *epoch < 1 << 24));
    let distinct: BTreeSet<u32> = epochs.iter().copied().collect();
    assert!(distinct.len() > 95, "{}", distinct.len());
    let parts: BTreeSet<u32> = epochs.iter().map(|epoch| epoch >> 20).collect();
    assert!(parts.len() > 12, "all over the range: {parts:?}");
    let steps: BTreeSet<u32> = epochs.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    assert!(steps.len() > 95, "no sequence");
}

#[test]
fn the_epoch_stays() {
    shows(&["rfc2961-4.2-05"]);
    let mut dut = Lab::in_process().reducing();
    let epoch = trigger(&mut dut).id().id.epoch;
    // The neighbours restart, and sessions come and go.
    for (round, (from, message, _)) in (1..).zip(all_types(&dut)) {
        dut.send_id(from, message, FlaggedId::wanting_ack(MessageId { epoch: round, id: 1 }));
    }
    // The link goes, and comes back elsewhere.
    dut.set_route(dut.h().flow().destination, None, group_route(Port::A, &[]));
    dut.advance(10 * SECOND);
    let mut config = dut.node().config().clone();
    config.default_interface.refresh = 2 * R;
    config.default_interface.reduction.max_outstanding = 7;
    dut.command(Command::Configure(config)).expect("it is a good configuration");
    dut.forget();
    dut.advance(10 * R);
    let other = at_port(&dut, dut.k(), 6000);
    let path = path(&dut, other, 20.0);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::D).id().id.epoch, epoch);
}

#[test]
fn no_value_is_reserved() {
    shows(&["rfc2961-4.2-07"]);
    let mut dut = Lab::in_process().router();
    let ids = [MessageId { epoch: 0, id: 0 }, MessageId { epoch: 0x00ff_ffff, id: u32::MAX }];
    for (port, id) in (5000..).zip(ids) {
        let session = at_port(&dut, dut.h(), port);
        let path = path(&dut, session, 20.0);
        dut.send_id(Station::U1, path, FlaggedId::wanting_ack(id));
        assert_eq!(dut.acks(Station::U1), [ack_of(id)]);
        dut.expect::<Path>(Port::C);
    }
    let [zero, ones] = ids.map(|id| IdList::new(id.epoch, IdEntries::Plain(vec![id.id])));
    for _ in 0..10 {
        dut.advance(R);
        dut.send_srefresh(Station::U1, std::slice::from_ref(&zero));
        assert_eq!(dut.acks(Station::U1), []);
    }
    assert_eq!(dut.all::<PathTear>(Port::C).len(), 1, "what was not refreshed is gone");
    dut.send_srefresh(Station::U1, &[ones]);
    assert_eq!(dut.acks(Station::U1).len(), 1);
    dut.send_srefresh(Station::U1, &[zero, list(&[0])]);
    assert_eq!(dut.acks(Station::U1), [nack(0)], "an identifier goes with its Epoch");
}

#[test]
fn an_unknown_c_type() {
    shows(&["rfc2961-4.2-08", "rfc2961-4.5-32"]);
    let mut dut = Lab::in_process().reducing();
    let path = path(&dut, dut.h(), 20.0);
    dut.send_changed(Station::U1, path, |objects| objects.insert(0, id_object(9, wanted(9))));
    let error = dut.expect::<PathErr>(Port::A).message.error;
    assert_eq!((error.code, error.value), (14, 0x1709));
    dut.expect_no::<Path>(Port::C);
    assert_eq!(dut.acks(Station::U1), []);
    dut.forget();
    let unknown = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, unknown);
    assert_eq!(dut.expect::<ResvErr>(Port::C).message.error.code, 3, "there is no path state");
    trigger(&mut dut);
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send_changed(Station::D1, resv, |objects| objects.insert(0, id_object(9, wanted(9))));
    let error = dut.expect::<ResvErr>(Port::C).message.error;
    assert_eq!((error.code, error.value), (14, 0x1709));
    assert_eq!(dut.acks(Station::D1), []);
}
