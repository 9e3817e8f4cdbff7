//! RFC 2961 section 4.5, as the receiver of MESSAGE_ID: order, refreshes and new state.

use std::time::Duration;

use crate::bench::{Dut, EPOCH, Lab, Port, Station, ack, list, mid, nack, plain, tspec, wanted};
use crate::shows;
use rsvp_core::wire::{
    Acknowledgement, FlaggedId, Header, IdEntries, IdList, MessageId, Path, PathErr, PathTear, Resv, ResvErr,
    ResvTear, SessionKey, Style,
};

use crate::cases::rfc2961::dialogue::{ack_of, at_port, path, resv};

/// L = (K + 0.5) * 1.5 * R.
fn lifetime(dut: &Dut) -> Duration {
    dut.r() * 21 / 4
}

/// U1's Path of S1 for H with this rate in units of B: the rate of the Path that the DUT sends on, if any, and whether it
/// acknowledges.
fn tell(dut: &mut Dut, rate: f32, id: MessageId) -> (Option<f32>, bool) {
    tell_of(dut, dut.h(), rate, id)
}

fn tell_of(dut: &mut Dut, session: SessionKey, rate: f32, id: MessageId) -> (Option<f32>, bool) {
    let path = path(dut, session, rate);
    dut.send_id(Station::U1, path, FlaggedId::wanting_ack(id));
    dut.wait_for_acks(Station::U1, 1);
    let sent = dut.all::<Path>(Port::C).into_iter().filter(|it| it.message.session.key == session);
    let rates = [5.0, 10.0, 20.0];
    let rate = |it: &Path| rates.into_iter().find(|rate| it.sender_tspec == tspec(*rate)).expect("a rate");
    let told = sent.last().map(|it| rate(&it.message));
    let acks = dut.acks(Station::U1);
    assert!(acks.is_empty() || acks == [ack_of(id)], "{acks:?}");
    (told, !acks.is_empty())
}

/// What came was applied and sent on; it was acknowledged.
const fn applied(rate: f32) -> (Option<f32>, bool) {
    (Some(rate), true)
}

/// It was acknowledged, and there was nothing to send on.
const REFRESHED: (Option<f32>, bool) = (None, true);

/// It was dropped.
const DROPPED: (Option<f32>, bool) = (None, false);

/// A Path with a smaller identifier of the same Epoch has no effect and draws no answer.
pub(crate) fn a_message_out_of_order_is_dropped_silently(lab: &Lab) {
    shows(&["rfc2961-4.5-13", "rfc2961-4.5-14", "rfc2961-4.5-19"]);
    let mut dut = lab.router();
    assert_eq!(tell(&mut dut, 20.0, mid(20)), applied(20.0));
    assert_eq!(tell(&mut dut, 10.0, mid(15)), DROPPED);
    assert_eq!(tell(&mut dut, 10.0, mid(19)), DROPPED);
    dut.expect_silence();
    assert_eq!(tell(&mut dut, 10.0, mid(21)), applied(10.0));
}

/// A Path with a smaller identifier of the same Epoch does not prolong the state.
pub(crate) fn a_message_out_of_order_prolongs_nothing(lab: &Lab) {
    shows(&["rfc2961-4.5-14"]);
    let mut dut = lab.brisk().router();
    let (start, r) = (dut.now(), dut.r());
    assert_eq!(tell(&mut dut, 20.0, mid(20)), applied(20.0));
    dut.advance(3 * r);
    let changed = path(&dut, dut.h(), 10.0);
    dut.send_id(Station::U1, changed, wanted(19));
    dut.advance(lifetime(&dut));
    let end = dut.expect::<PathTear>(Port::C).sent.at;
    assert!(end.since(start) < lifetime(&dut) + 2 * r, "the lifetime did not begin anew");
    assert!(dut.all::<Path>(Port::C).iter().all(|it| it.message.sender_tspec == tspec(20.0)));
    assert_eq!(dut.acks(Station::U1), []);
    dut.expect_no::<PathErr>(Port::A);
}

/// After a new Epoch any identifier is in order.
pub(crate) fn another_epoch_is_never_out_of_order(lab: &Lab) {
    shows(&["rfc2961-4.5-15", "rfc2961-4.5-26"]);
    let mut dut = lab.router();
    let named = |epoch, id| MessageId { epoch, id };
    assert_eq!(tell(&mut dut, 20.0, named(0x0011_1111, 5000)), applied(20.0));
    assert_eq!(tell(&mut dut, 10.0, named(0x0000_0001, 1)), applied(10.0));
    assert_eq!(tell(&mut dut, 20.0, named(0x00ff_ffff, 0)), applied(20.0));
    assert_eq!(tell(&mut dut, 10.0, named(0x0011_1111, 5000)), applied(10.0), "even one of before");
}

/// Order is told by the identifier that the state has, not by the largest of its sender.
pub(crate) fn the_largest_value_of_the_sender_is_only_a_hint(lab: &Lab) {
    shows(&["rfc2961-4.5-16", "rfc2961-4.5-20"]);
    let mut dut = lab.router();
    let other = at_port(&dut, dut.h(), 6000);
    assert_eq!(tell(&mut dut, 20.0, mid(10)), applied(20.0));
    assert_eq!(tell_of(&mut dut, other, 20.0, mid(50)), applied(20.0));
    assert_eq!(tell(&mut dut, 20.0, mid(10)), REFRESHED, "equal, though not the largest");
    assert_eq!(tell(&mut dut, 10.0, mid(30)), applied(10.0), "30 > 10 although 30 < 50");
    assert_eq!(tell(&mut dut, 20.0, mid(29)), DROPPED);
}

/// A tear with a smaller identifier than the state's has no effect; one with a larger removes it.
pub(crate) fn an_old_tear_removes_nothing(lab: &Lab) {
    shows(&["rfc2961-4.5-17", "rfc2961-4.5-19"]);
    let mut dut = lab.router();
    assert_eq!(tell(&mut dut, 20.0, mid(20)), applied(20.0));
    let resv = resv(&dut, dut.h(), 4.0);
    dut.send_id(Station::D1, resv.clone(), wanted(40));
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(4.0, vec![dut.s1()])]);
    dut.forget();
    let resv_tear = dut.resv_tear(Station::D1, dut.h(), Style::Ff, &resv.flows);
    let path_tear = dut.path_tear(Station::U1, dut.h(), dut.s1());
    dut.send_id(Station::D1, resv_tear.clone(), wanted(39));
    dut.send_id(Station::U1, path_tear.clone(), wanted(15));
    dut.expect_silence();
    dut.send_id(Station::D1, resv_tear, wanted(41));
    dut.expect::<ResvTear>(Port::A);
    dut.send_id(Station::U1, path_tear, wanted(21));
    dut.expect::<PathTear>(Port::C);
    dut.expect_acks(Station::D1, &[ack(41)]);
    dut.expect_acks(Station::U1, &[ack(21)]);
}

/// A Resv with a smaller identifier than the state's has no effect; one with a larger changes it.
pub(crate) fn an_old_resv_changes_nothing(lab: &Lab) {
    shows(&["rfc2961-4.5-17", "rfc2961-4.5-19"]);
    let mut dut = lab.unicast(1);
    let (large, small) = (resv(&dut, dut.h(), 10.0), resv(&dut, dut.h(), 5.0));
    dut.send_id(Station::D1, large, wanted(40));
    dut.expect::<Resv>(Port::A);
    dut.forget();
    dut.send_id(Station::D1, small.clone(), wanted(35));
    dut.expect_silence();
    dut.send_id(Station::D1, small, wanted(45));
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(5.0, vec![dut.s1()])]);
}

/// The identifiers of the previous hop and of the next hop have nothing to do with each other.
pub(crate) fn identifiers_of_two_nodes_are_never_compared(lab: &Lab) {
    shows(&["rfc2961-4.5-17", "rfc2961-4.5-02"]);
    let mut dut = lab.router();
    assert_eq!(tell(&mut dut, 20.0, mid(20)), applied(20.0));
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send_id(Station::D1, resv.clone(), wanted(4));
    dut.expect::<Resv>(Port::A);
    let error = dut.path_err(dut.h(), dut.s1(), 2, 0);
    dut.send_id(Station::D1, error, wanted(5));
    dut.expect::<PathErr>(Port::A);
    dut.send_id(Station::D1, resv.clone(), wanted(50));
    let error = dut.resv_err(Station::U1, dut.h(), Style::Ff, resv.flows[0].clone(), (2, 0, 0));
    dut.send_id(Station::U1, error, wanted(21));
    dut.expect::<ResvErr>(Port::C);
}

/// The identifiers of two neighbours on a LAN have nothing to do with each other.
pub(crate) fn neighbours_on_a_lan_number_for_themselves(lab: &Lab) {
    shows(&["rfc2961-4.5-02"]);
    let mut dut = lab.router();
    let session = dut.session_towards_u1();
    let [s2, s3] = [dut.s2(), dut.s3()];
    let steps = [
        (Station::D2, s2, 50, 20.0),
        (Station::D3, s3, 10, 20.0),
        (Station::D3, s3, 11, 10.0),
        (Station::D2, s2, 51, 10.0),
        // The sender's data come by another neighbour now.
        (Station::D3, s2, 12, 20.0),
        (Station::D2, s2, 52, 10.0),
    ];
    for (from, sender, number, rate) in steps {
        let path = Path { sender_tspec: tspec(rate), ..dut.path(from, session, sender) };
        dut.send_id(from, path, wanted(number));
        dut.expect_acks(from, &[ack(number)]);
        assert_eq!(dut.expect::<Path>(Port::A).message.sender_tspec, tspec(rate), "{number}");
    }
}

/// A node with two HOP addresses has two sequences of identifiers, and each address is acknowledged for itself.
pub(crate) fn two_addresses_are_two_generators(lab: &Lab) {
    shows(&["rfc2961-4.5-04", "rfc2961-4.4-04"]);
    let mut dut = lab.router();
    let second = dut.plan.address(1, 9);
    let mut by_first = path(&dut, dut.h(), 20.0);
    let mut by_second = path(&dut, at_port(&dut, dut.h(), 6000), 20.0);
    by_second.hop.address = second;
    for (path, id, to) in [(&by_first, 1000, dut.plan.station(Station::U1)), (&by_second, 3, second)] {
        dut.send_id(Station::U1, path.clone(), wanted(id));
        let sent = dut.expect::<crate::bench::Ack>(Port::A);
        assert_eq!((sent.sent.packet.destination, sent.head.acknowledgements), (to, vec![ack(id)]));
        dut.expect::<Path>(Port::C);
    }
    // The same state by the other address: another generator.
    by_first.hop.address = second;
    by_first.sender_tspec = tspec(10.0);
    dut.send_id(Station::U1, by_first, wanted(4));
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(10.0));
}

/// A message about new state is taken, however small its identifier.
pub(crate) fn without_state_nothing_is_out_of_order(lab: &Lab) {
    shows(&["rfc2961-4.5-18"]);
    let mut dut = lab.router();
    let other = at_port(&dut, dut.h(), 6000);
    assert_eq!(tell_of(&mut dut, other, 20.0, mid(50)), applied(20.0));
    assert_eq!(tell(&mut dut, 20.0, mid(30)), applied(20.0));
    let resv = resv(&dut, other, 1.0);
    dut.send_id(Station::D1, resv, wanted(50));
    dut.expect::<Resv>(Port::A);
    let resv = crate::cases::rfc2961::dialogue::resv(&dut, dut.h(), 1.0);
    dut.send_id(Station::D1, resv, wanted(30));
    dut.expect::<Resv>(Port::A);
}

/// Order goes on beyond the greatest identifier.
pub(crate) fn order_wraps_around(lab: &Lab) {
    shows(&["rfc2961-4.5-22"]);
    for (stored, newer) in [(0xffff_fff0, 0x0000_0005), (5, 6), (0x7fff_ffff, 0x8000_0000), (0xffff_ffff, 0)]
    {
        let mut dut = lab.router();
        assert_eq!(tell(&mut dut, 20.0, mid(stored)), applied(20.0));
        assert_eq!(tell(&mut dut, 10.0, mid(newer)), applied(10.0), "{newer:x} after {stored:x}");
        assert_eq!(tell(&mut dut, 20.0, mid(stored)), DROPPED, "{stored:x} after {newer:x}");
    }
}

/// Identifiers that are half the range apart are in order.
pub(crate) fn half_the_range_apart_neither_is_older(lab: &Lab) {
    shows(&["rfc2961-4.5-23"]);
    for (stored, next) in [(0, 0x8000_0000), (0x8000_0000, 0), (0x1234_5678, 0x9234_5678)] {
        let mut dut = lab.router();
        assert_eq!(tell(&mut dut, 20.0, mid(stored)), applied(20.0));
        assert_eq!(tell(&mut dut, 10.0, mid(next)), applied(10.0), "{next:x} after {stored:x}");
    }
}

/// A Path with the identifier of before is a refresh, whatever its header's flags, and nothing is sent on.
pub(crate) fn refreshes_are_told_by_their_identifier(lab: &Lab) {
    shows(&["rfc2961-4.5-24", "rfc2961-4.5-27"]);
    let mut dut = lab.router();
    let sessions: Vec<SessionKey> = (0..20).map(|n| at_port(&dut, dut.h(), 5000 + n)).collect();
    for flags in [0, Header::REFRESH_REDUCTION] {
        // The second time the flag makes every octet-wise comparison fail.
        dut.set_flags(Station::U1, flags);
        for (number, session) in (1..).zip(&sessions) {
            let path = path(&dut, *session, 20.0);
            dut.send_id(Station::U1, path, plain(number));
        }
        let expected = if flags == 0 { sessions.len() } else { 0 };
        assert_eq!(dut.all_of::<Path>(Port::C, expected).len(), expected);
    }
    dut.expect_silence();
}

/// Repeated Paths and Resvs restart the lifetime, and state ends a lifetime after the last.
pub(crate) fn refreshes_restart_the_lifetime(lab: &Lab) {
    shows(&["rfc2961-4.5-27", "rfc2961-4.5-20", "rfc2961-4.5-10", "rfc2961-4.5-31"]);
    let mut dut = lab.brisk().router();
    let (path, resv) = (path(&dut, dut.h(), 20.0), resv(&dut, dut.h(), 1.0));
    for _ in 0..7 {
        dut.send_id(Station::U1, path.clone(), wanted(10));
        dut.send_id(Station::D1, resv.clone(), wanted(11));
        dut.expect_acks(Station::U1, &[ack(10)]);
        dut.expect_acks(Station::D1, &[ack(11)]);
        dut.advance(dut.r());
    }
    dut.expect_no::<PathTear>(Port::C);
    dut.expect_no::<ResvTear>(Port::A);
    let (start, l, r) = (dut.now(), lifetime(&dut), dut.r());
    dut.advance(l);
    let end = dut.expect::<PathTear>(Port::C).sent.at;
    assert!(end.since(start) > l - 2 * r && end.since(start) < l, "measured from the last copy");
}

/// Errors with repeated identifiers do not prolong the state that they are about.
pub(crate) fn other_messages_refresh_nothing(lab: &Lab) {
    shows(&["rfc2961-4.5-25"]);
    let mut dut = lab.brisk().router();
    let resv = resv(&dut, dut.h(), 1.0);
    assert_eq!(tell(&mut dut, 20.0, mid(10)), applied(20.0));
    dut.send_id(Station::D1, resv.clone(), wanted(11));
    let start = dut.now();
    let path_err = dut.path_err(dut.h(), dut.s1(), 2, 0);
    let resv_err = dut.resv_err(Station::U1, dut.h(), Style::Ff, resv.flows[0].clone(), (2, 0, 0));
    for _ in 0..7 {
        dut.send_id(Station::D1, path_err.clone(), wanted(12));
        dut.send_id(Station::U1, resv_err.clone(), wanted(12));
        dut.advance(dut.r());
    }
    let end = dut.expect::<PathTear>(Port::C).sent.at;
    assert!(end.since(start) <= lifetime(&dut) + dut.r(), "L after the Path");
}

/// A Path of another Epoch is acknowledged, and its Epoch is the one by which the state can be listed.
pub(crate) fn a_new_epoch_makes_a_trigger(lab: &Lab) {
    shows(&["rfc2961-4.5-26", "rfc2961-4.5-29"]);
    let mut dut = lab.router();
    let restarted = MessageId { epoch: 2, id: 10 };
    assert_eq!(tell(&mut dut, 20.0, mid(10)), applied(20.0));
    assert_eq!(tell(&mut dut, 20.0, restarted), REFRESHED, "the same otherwise");
    let new = IdList::new(2, IdEntries::Plain(vec![10]));
    dut.send_srefresh(Station::U1, &[new]);
    assert_eq!(dut.acks(Station::U1), []);
    dut.send_srefresh(Station::U1, &[list(&[10])]);
    dut.expect_acks(Station::U1, &[nack(10)]);
}

/// A Path or Resv with a larger identifier is known by that from then on, and by the one of before no more.
pub(crate) fn a_larger_identifier_is_stored(lab: &Lab) {
    shows(&["rfc2961-4.5-28", "rfc2961-4.5-29"]);
    let mut dut = lab.router();
    assert_eq!(tell(&mut dut, 20.0, mid(10)), applied(20.0));
    let listed = |dut: &mut Dut, from: Station, id: u32, expected: &[Acknowledgement]| {
        dut.send_srefresh(from, &[list(&[id])]);
        dut.expect_acks(from, expected);
    };
    listed(&mut dut, Station::U1, 10, &[]);
    assert_eq!(tell(&mut dut, 20.0, mid(11)), REFRESHED, "it looks unchanged");
    listed(&mut dut, Station::U1, 10, &[nack(10)]);
    listed(&mut dut, Station::U1, 11, &[]);
    assert_eq!(tell(&mut dut, 10.0, mid(12)), applied(10.0));
    listed(&mut dut, Station::U1, 11, &[nack(11)]);
    listed(&mut dut, Station::U1, 12, &[]);
    let resv = resv(&dut, dut.h(), 1.0);
    for (number, before) in [(10, 9), (12, 10)] {
        dut.send_id(Station::D1, resv.clone(), plain(number));
        listed(&mut dut, Station::D1, before, &[nack(before)]);
        listed(&mut dut, Station::D1, number, &[]);
    }
}

/// After a change that has no MESSAGE_ID the one of before names nothing, and any comes in order.
pub(crate) fn a_change_without_identifier(lab: &Lab) {
    shows(&["rfc2961-4.5-35"]);
    let mut dut = lab.router();
    assert_eq!(tell(&mut dut, 20.0, mid(10)), applied(20.0));
    let changed = path(&dut, dut.h(), 10.0);
    dut.send(Station::U1, changed);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(10.0));
    dut.send_srefresh(Station::U1, &[list(&[10])]);
    dut.expect_acks(Station::U1, &[nack(10)]);
    assert_eq!(tell(&mut dut, 20.0, mid(9)), applied(20.0), "there is nothing to compare with");
}

/// When a neighbour restarts with another Epoch its other state lives on until its time is over.
pub(crate) fn state_of_before_a_restart_lives_on(lab: &Lab) {
    shows(&["rfc2961-4.5-36"]);
    for is_told in [false, true] {
        let mut dut = lab.brisk().router();
        let other = at_port(&dut, dut.h(), 6000);
        let start = dut.now();
        assert_eq!(tell(&mut dut, 20.0, MessageId { epoch: EPOCH, id: 1000 }), applied(20.0));
        assert_eq!(tell_of(&mut dut, other, 20.0, mid(1001)), applied(20.0));
        dut.advance(dut.r());
        dut.forget();
        let restarted = |id| MessageId { epoch: EPOCH + 1, id };
        assert_eq!(tell(&mut dut, 20.0, restarted(1)).1, REFRESHED.1);
        dut.expect_no::<PathTear>(Port::C);
        if is_told {
            assert_eq!(tell_of(&mut dut, other, 10.0, restarted(2)), applied(10.0));
        }
        dut.advance(lifetime(&dut) - dut.r() / 2);
        let gone: Vec<_> = dut.all::<PathTear>(Port::C).iter().map(|it| it.message.session.key).collect();
        assert_eq!(gone, if is_told { vec![] } else { vec![other] });
        assert!(dut.now().since(start) < lifetime(&dut) + dut.r());
    }
}
