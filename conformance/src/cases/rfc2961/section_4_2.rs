//! RFC 2961 section 4.2: MESSAGE_ID.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::bench::{Action, Family, Lab, Port, Station, ack, group_route, list, mid, nack, wanted};
use crate::shows;
use rsvp_core::config::MessageIds;
use rsvp_core::wire::{FlaggedId, IdEntries, IdList, MessageId, Path, PathErr, PathTear, ResvErr};

use super::dialogue::{ack_of, all_types, at_port, expect_like, id_object, nack_of, path, resv, trigger};

const SECOND: Duration = Duration::from_secs(1);

/// MESSAGE_ID is of class 23 and C-Type 1, with flags, an Epoch of 24 bits and a Message_Identifier of 32.
pub(crate) fn the_layout_of_message_id(lab: &Lab) {
    shows(&["rfc2961-4.2-01"]);
    let mut dut = lab.reducing();
    let sent = trigger(&mut dut);
    let MessageId { epoch, id } = sent.id().id;
    let [_, e1, e2, e3] = epoch.to_be_bytes();
    let [i1, i2, i3, i4] = id.to_be_bytes();
    let expected = [0, 12, 23, 1, 1, e1, e2, e3, i1, i2, i3, i4];
    assert_eq!(sent.sent.packet.message[8..20], expected);
    let named = MessageId { epoch: 0x0012_3456, id: 0x789a_bcde };
    let path = path(&dut, dut.h(), 10.0);
    dut.send_id(Station::U1, path, FlaggedId::wanting_ack(named));
    dut.expect_acks(Station::U1, &[ack_of(named)]);
}

/// Only flag 0x01 of a MESSAGE_ID wants an acknowledgement; the others are ignored, and not sent.
pub(crate) fn one_flag_is_assigned(lab: &Lab) {
    shows(&["rfc2961-4.2-02", "rfc2961-4.6-01"]);
    let mut dut = lab.reducing();
    for (flags, expected) in [(0xfe, vec![]), (0xff, vec![ack(2)])] {
        for (from, message, port) in all_types(&dut) {
            dut.send_id(from, message.clone(), FlaggedId { flags, id: mid(2) });
            let sent = expect_like(&mut dut, port, &message);
            assert!(sent.head.message_id.is_none_or(|it| it.flags <= 1));
            dut.expect_acks(from, &expected);
        }
        dut.advance(SECOND);
        dut.forget();
    }
}

/// After each restart the Epoch is another one, all over its range and in no sequence.
pub(crate) fn the_epoch_is_new_after_each_restart(lab: &Lab) {
    shows(&["rfc2961-4.2-03", "rfc2961-4.2-04"]);
    let mut dut = lab.reducing();
    let mut epochs = vec![trigger(&mut dut).id().id.epoch];
    for _ in 0..7 {
        dut.act(&Action::Restart);
        dut.forget();
        epochs.push(trigger(&mut dut).id().id.epoch);
    }
    assert!(epochs.iter().all(|epoch| *epoch < 1 << 24), "{epochs:x?}");
    assert!(epochs.windows(2).all(|pair| pair[0] != pair[1]), "{epochs:x?}");
    let distinct: BTreeSet<u32> = epochs.iter().copied().collect();
    let parts: BTreeSet<u32> = epochs.iter().map(|epoch| epoch >> 20).collect();
    let steps: BTreeSet<u32> = epochs.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    assert!(distinct.len() > 6 && parts.len() > 2 && steps.len() > 4, "{epochs:x?}");
}

/// The Epoch stays the same, whatever happens to neighbours, routes, sessions and configuration.
pub(crate) fn the_epoch_stays(lab: &Lab) {
    shows(&["rfc2961-4.2-05"]);
    let mut config = None;
    let mut dut = lab.brisk().with(Family::V4, |given| {
        given.default_interface.reduction.message_ids = MessageIds::Always;
        config = Some(given.clone());
    });
    let epoch = trigger(&mut dut).id().id.epoch;
    // The neighbours restart, and sessions come and go.
    for (round, (from, message, _)) in (1..).zip(all_types(&dut)) {
        dut.send_id(from, message, FlaggedId::wanting_ack(MessageId { epoch: round, id: 1 }));
    }
    // The link goes, and comes back elsewhere.
    dut.set_route(dut.h().flow().destination, None, group_route(Port::A, &[]));
    dut.advance(SECOND);
    let mut config = config.expect("there is one");
    config.default_interface.refresh *= 2;
    config.default_interface.reduction.max_outstanding = 7;
    dut.act(&Action::Configure(Box::new(config)));
    dut.forget();
    dut.advance(3 * dut.r());
    let other = at_port(&dut, dut.k(), 6000);
    let path = path(&dut, other, 20.0);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::D).id().id.epoch, epoch);
}

/// The least and the greatest Epoch and Message_Identifier work like any other.
pub(crate) fn no_value_is_reserved(lab: &Lab) {
    shows(&["rfc2961-4.2-07"]);
    let mut dut = lab.brisk().router();
    let ids = [MessageId { epoch: 0, id: 0 }, MessageId { epoch: 0x00ff_ffff, id: u32::MAX }];
    for (port, id) in (5000..).zip(ids) {
        let session = at_port(&dut, dut.h(), port);
        let path = path(&dut, session, 20.0);
        dut.send_id(Station::U1, path, FlaggedId::wanting_ack(id));
        dut.expect_acks(Station::U1, &[ack_of(id)]);
        dut.expect::<Path>(Port::C);
    }
    let [zero, ones] = ids.map(|id| IdList::new(id.epoch, IdEntries::Plain(vec![id.id])));
    for _ in 0..10 {
        dut.advance(dut.r());
        dut.send_srefresh(Station::U1, std::slice::from_ref(&zero));
        assert_eq!(dut.acks(Station::U1), []);
    }
    assert_eq!(dut.all::<PathTear>(Port::C).len(), 1, "what was not refreshed is gone");
    dut.send_srefresh(Station::U1, &[ones]);
    dut.expect_acks(Station::U1, &[nack_of(ids[1])]);
    dut.send_srefresh(Station::U1, &[zero, list(&[0])]);
    dut.expect_acks(Station::U1, &[nack(0)]); // An identifier goes with its Epoch.
}

/// A MESSAGE_ID of an unknown C-Type is answered with the error for that, and never acknowledged.
pub(crate) fn an_unknown_c_type(lab: &Lab) {
    shows(&["rfc2961-4.2-08", "rfc2961-4.5-32"]);
    let mut dut = lab.reducing();
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
