//! RFC 2961 section 4.8: neighbours that do without MESSAGE_ID.

use std::time::Duration;

use crate::bench::{Ack, Dut, Family, Lab, Port, Station, ack, cl, ff, tspec, wanted};
use crate::shows;
use rsvp_core::config::{ReductionConfig, SummaryRefresh};
use rsvp_core::wire::{
    ClassNum, Message, MessageType, Path, PathErr, PathTear, Resv, ResvErr, Srefresh, Style,
};

use super::dialogue::{all_types, at_port, copies, expect_like, path, resv, trigger};

/// Longer than the copies of a message take by default.
const WHILE: Duration = Duration::from_secs(4);

/// Class 23, C-Type 1.
const UNKNOWN: (u8, u16) = (13, 0x1701);

/// D1 rejects the MESSAGE_ID of the DUT's Path of S1 for H.
fn reject_path(dut: &mut Dut) {
    let mut error = dut.path_err(dut.h(), dut.s1(), UNKNOWN.0, UNKNOWN.1);
    error.error.node = dut.plan.station(Station::D1);
    dut.send(Station::D1, error);
}

/// U1 rejects the MESSAGE_ID of the DUT's Resv for H.
fn reject_resv(dut: &mut Dut) {
    let flow = ff(cl(1.0), dut.s1());
    let mut error = dut.resv_err(Station::U1, dut.h(), Style::Ff, flow, (UNKNOWN.0, UNKNOWN.1, 0));
    error.error.node = dut.plan.station(Station::U1);
    dut.send(Station::U1, error);
}

/// A device that sets the flag takes and acknowledges a MESSAGE_ID in messages of each type.
pub(crate) fn a_capable_node_takes_identifiers_in_all_messages(lab: &Lab) {
    shows(&["rfc2961-4.8-01"]);
    let mut dut = lab.router();
    dut.acknowledging(Station::U1);
    dut.acknowledging(Station::D1);
    for (number, (from, message, port)) in (1..).zip(all_types(&dut)) {
        dut.send_id(from, message.clone(), wanted(number));
        assert!(expect_like(&mut dut, port, &message).is_capable());
        dut.expect_acks(from, &[ack(number)]);
        for port in Port::ALL {
            dut.expect_no::<PathErr>(port);
            dut.expect_no::<ResvErr>(port);
        }
    }
}

/// A device without Bundles and Srefreshes uses message ids all the same, does not set the flag, and refreshes by
/// whole messages.
pub(crate) fn message_ids_alone(lab: &Lab) {
    shows(&["rfc2961-4.8-02"]);
    let mut dut = lab.brisk().reducing_with(|reduction| {
        reduction.bundle = false;
        reduction.summary_refresh = SummaryRefresh::Off;
    });
    dut.befriend(&[Station::U1, Station::D1]);
    let mut sent = Vec::new();
    for (number, (from, message, port)) in (1..).zip(all_types(&dut)).take(4) {
        dut.send_id(from, message.clone(), wanted(number));
        let told = expect_like(&mut dut, port, &message);
        assert!(told.id().wants_ack());
        sent.push(told.is_capable());
        dut.expect_acks(from, &[ack(number)]);
    }
    dut.withholding(Station::D1);
    let changed = path(&dut, dut.h(), 10.0);
    dut.send(Station::U1, changed);
    dut.advance(3 * dut.r());
    let copies = copies(&mut dut, Port::C);
    assert!(copies.len() == 1 && copies[0].len() > 1, "it waits for acknowledgements: {copies:?}");
    dut.advance(2 * dut.r());
    for port in Port::ALL {
        let all = dut.all::<Message>(port);
        assert!(all.iter().all(|it| it.sent.bundle.is_none() && it.message_type() != MessageType::SREFRESH));
        sent.extend(all.iter().map(crate::bench::Received::is_capable));
    }
    assert!(sent.iter().all(|is_capable| !is_capable), "it does not say that it could do more");
}

/// A device without message ids rejects MESSAGE_ID as an object of an unknown class.
pub(crate) fn a_node_without_message_ids_rejects_them(lab: &Lab) {
    shows(&["rfc2961-4.8-03"]);
    let mut dut = lab.with(Family::V4, |config| {
        config.default_interface.reduction = ReductionConfig::off();
    });
    let path = path(&dut, dut.h(), 20.0);
    dut.send_id(Station::U1, path.clone(), wanted(5));
    let error = dut.expect::<PathErr>(Port::A).message.error;
    assert_eq!((error.code, error.value), UNKNOWN);
    dut.expect_no::<Path>(Port::C);
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::C);
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send_id(Station::D1, resv, wanted(5));
    let error = dut.expect::<ResvErr>(Port::C).message.error;
    assert_eq!((error.code, error.value), UNKNOWN);
    dut.expect_silence();
}

/// A next hop that rejects MESSAGE_ID gets the Path at once without it, and all that follows too; the error goes no
/// further.
pub(crate) fn a_rejected_path_is_sent_again_without_message_id(lab: &Lab) {
    shows(&["rfc2961-4.8-04", "rfc2961-4.8-05", "rfc2961-4.8-06"]);
    let mut dut = lab.brisk().reducing();
    let first = trigger(&mut dut);
    reject_path(&mut dut);
    let again = dut.expect::<Path>(Port::C);
    assert_eq!((again.head.message_id, &again.message), (None, &first.message));
    dut.expect_no::<PathErr>(Port::A);
    // Another session, a change and a removal.
    let other = at_port(&dut, dut.h(), 6000);
    for (session, rate) in [(other, 20.0), (dut.h(), 10.0)] {
        let path = path(&dut, session, rate);
        dut.send(Station::U1, path);
        let sent = dut.expect::<Path>(Port::C);
        assert_eq!((sent.head.message_id, sent.message.sender_tspec), (None, tspec(rate)));
    }
    dut.advance(2 * dut.r());
    assert!(dut.all::<Path>(Port::C).iter().all(|it| it.head.message_id.is_none()));
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, resv);
    assert!(dut.expect::<Resv>(Port::A).id().wants_ack(), "U1 has rejected nothing");
    let tear = dut.path_tear(Station::U1, dut.h(), dut.s1());
    dut.send(Station::U1, tear);
    assert_eq!(dut.expect::<PathTear>(Port::C).head.message_id, None);
    dut.expect_no::<PathErr>(Port::A);
}

/// A previous hop that rejects MESSAGE_ID gets the Resv at once without it, and all that follows too; the error goes
/// no further.
pub(crate) fn a_rejected_resv_is_sent_again_without_message_id(lab: &Lab) {
    shows(&["rfc2961-4.8-04", "rfc2961-4.8-05", "rfc2961-4.8-06"]);
    let mut dut = lab.brisk().reducing();
    dut.acknowledging(Station::D1);
    trigger(&mut dut);
    let asked = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, asked);
    let first = dut.expect::<Resv>(Port::A);
    reject_resv(&mut dut);
    let again = dut.expect::<Resv>(Port::A);
    assert_eq!((again.head.message_id, &again.message), (None, &first.message));
    dut.expect_no::<ResvErr>(Port::C);
    let changed = resv(&dut, dut.h(), 2.0);
    dut.send(Station::D1, changed);
    let sent = dut.expect::<Resv>(Port::A);
    assert_eq!((sent.head.message_id, sent.shares()), (None, vec![(2.0, vec![dut.s1()])]));
    // It is not blockaded, and still there.
    dut.advance(dut.r());
    let refreshes = dut.all::<Resv>(Port::A);
    assert!(refreshes.iter().all(|it| it.shares() == [(2.0, vec![dut.s1()])]));
    dut.expect_no::<ResvErr>(Port::C);
}

/// After a rejection of MESSAGE_ID there are no more than Rl copies, and further rejections draw none.
pub(crate) fn a_rejection_that_comes_again_makes_no_loop(lab: &Lab) {
    shows(&["rfc2961-4.8-04", "rfc2961-4.8-06"]);
    let mut dut = lab.reducing();
    trigger(&mut dut);
    reject_path(&mut dut);
    dut.expect::<Path>(Port::C);
    dut.advance(WHILE);
    assert!(dut.all::<Path>(Port::C).len() < 3, "Rl in all");
    for _ in 0..3 {
        reject_path(&mut dut);
        assert!(dut.all::<Path>(Port::C).is_empty(), "there was no MESSAGE_ID to reject");
    }
}

/// To neighbours that send no MESSAGE_ID go neither Acks nor Srefreshes nor acknowledgements in other messages.
pub(crate) fn nobody_is_acknowledged_who_does_not_ask(lab: &Lab) {
    shows(&["rfc2961-4.8-07", "rfc2961-4.6-01"]);
    for mut dut in [lab.brisk().router(), lab.brisk().reducing()] {
        let wait = dut.r() / 2;
        for (from, message, _) in all_types(&dut) {
            dut.send(from, message);
            dut.advance(wait);
        }
        for port in Port::ALL {
            dut.expect_no::<Ack>(port);
            dut.expect_no::<Srefresh>(port);
            let all = dut.all::<Message>(port);
            assert!(all.iter().all(|it| it.objects(ClassNum::MESSAGE_ID_ACK).is_empty()));
        }
    }
}
