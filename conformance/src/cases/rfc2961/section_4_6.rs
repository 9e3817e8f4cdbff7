//! RFC 2961 section 4.6: when and how acknowledgements are sent.

use std::time::Duration;

use crate::bench::{Ack, Dut, Lab, Port, Station, ack, plain, wanted};
use crate::shows;
use rsvp_core::wire::{Acknowledgement, Message, Path, Resv, ResvErr};

use super::dialogue::{all_types, at_port, path, resv, trigger, trigger_in};

const SECOND: Duration = Duration::from_secs(1);

/// A DUT that takes two seconds over its acknowledgements.
fn slow_dut(lab: &Lab) -> Dut {
    lab.reducing_with(|reduction| {
        reduction.ack_delay = 2 * SECOND;
        reduction.retransmit_interval = 4 * SECOND;
    })
}

/// Messages that do not want an acknowledgement get none.
pub(crate) fn nothing_is_acknowledged_unasked(lab: &Lab) {
    shows(&["rfc2961-4.6-01"]);
    let mut dut = lab.reducing();
    for (number, (from, message, _)) in (1..).zip(all_types(&dut)) {
        dut.send_id(from, message, plain(number));
        dut.advance(SECOND / 4);
    }
    for station in Station::ALL {
        assert_eq!(dut.acks(station), []);
    }
}

/// Neither order nor refusal nor faults of a message draw a MESSAGE_ID_NACK.
pub(crate) fn a_nack_is_no_answer_to_a_message(lab: &Lab) {
    shows(&["rfc2961-4.6-02"]);
    let mut dut = lab.reducing();
    let path = path(&dut, dut.h(), 20.0);
    dut.send_id(Station::U1, path.clone(), wanted(20));
    // Out of order.
    dut.send_id(Station::U1, path.clone(), wanted(10));
    // Without state, and more than there is.
    let without_path = resv(&dut, at_port(&dut, dut.h(), 6000), 1.0);
    dut.send_id(Station::D1, without_path, wanted(21));
    let greedy = resv(&dut, dut.h(), 60.0);
    dut.send_id(Station::D1, greedy, wanted(22));
    for (number, (from, message, _)) in (30..).zip(all_types(&dut).into_iter().rev()) {
        dut.send_id(from, message, wanted(number));
    }
    // Broken.
    dut.send_changed(Station::U1, path, |objects| {
        objects.truncate(2);
        objects.insert(0, super::dialogue::id_object(1, wanted(60)));
    });
    dut.advance(SECOND);
    for station in [Station::U1, Station::D1] {
        let said = dut.acks(station);
        assert!(!said.is_empty() && said.iter().all(|it| matches!(it, Acknowledgement::Ack(_))), "{said:?}");
    }
}

/// Messages that go to the session's address take no acknowledgements along; these go to the neighbour.
pub(crate) fn messages_to_the_session_take_no_acknowledgements_along(lab: &Lab) {
    shows(&["rfc2961-4.6-04"]);
    let mut dut = slow_dut(lab);
    trigger(&mut dut);
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send_id(Station::D1, resv, wanted(7));
    let (h, s1) = (dut.h(), dut.s1());
    let confirmation = dut.resv_conf(
        h,
        h.flow().destination,
        rsvp_core::wire::Style::Ff,
        &[crate::bench::ff(crate::bench::cl(1.0), s1)],
    );
    dut.send(Station::U1, confirmation);
    let other = at_port(&dut, h, 6000);
    trigger_in(&mut dut, other);
    let tear = dut.path_tear(Station::U1, other, s1);
    dut.send(Station::U1, tear);
    let until_now = dut.all::<Message>(Port::C);
    assert!(until_now.len() >= 2 && until_now.iter().all(|it| it.head.acknowledgements.is_empty()));
    dut.advance(2 * SECOND);
    let sent = dut.expect::<Ack>(Port::C);
    assert_eq!(sent.head.acknowledgements, [ack(7)]);
    assert_eq!(sent.sent.packet.destination, dut.plan.station(Station::D1));
}

/// What is due to a neighbour is acknowledged in the message that goes there anyway, or in an Ack, but once.
pub(crate) fn an_answer_takes_the_acknowledgement_along(lab: &Lab) {
    shows(&["rfc2961-4.6-06", "rfc2961-4.6-03"]);
    let mut dut = lab.router();
    // The ResvErr goes to D1 at once, as does the acknowledgement.
    let without_path = resv(&dut, dut.h(), 1.0);
    dut.send_id(Station::D1, without_path, wanted(7));
    let sent = dut.expect::<ResvErr>(Port::C);
    assert_eq!(sent.head.acknowledgements, [ack(7)]);
    dut.expect_silence();
}

/// Acknowledgements that wait leave with the next Resv to that neighbour, and no Ack follows.
pub(crate) fn a_resv_takes_acknowledgements_along(lab: &Lab) {
    shows(&["rfc2961-4.6-06", "rfc2961-4.6-03"]);
    let mut dut = slow_dut(lab);
    dut.acknowledging(Station::D1);
    for (port, number) in (5000..5005).zip(1..) {
        let session = at_port(&dut, dut.h(), port);
        let path = path(&dut, session, 20.0);
        dut.send_id(Station::U1, path, wanted(number));
    }
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, resv);
    let sent = dut.expect::<Resv>(Port::A);
    assert_eq!(sent.head.acknowledgements, [1, 2, 3, 4, 5].map(ack));
    dut.advance(3 * SECOND);
    dut.expect_no::<Ack>(Port::A);
}

/// How long each acknowledgement took after its message, when U1 sends one every 100 ms.
fn delays(dut: &mut Dut, messages: u32) -> Vec<Duration> {
    let mut sent = Vec::new();
    for number in 1..=messages {
        sent.push(dut.now());
        let path = path(dut, dut.h(), if number % 2 == 0 { 10.0 } else { 20.0 });
        dut.send_id(Station::U1, path, wanted(number));
    }
    dut.advance(SECOND);
    let acks = dut.timed_acks(Station::U1);
    let of = |number: u32| acks.iter().find(|(_, it)| *it == ack(number)).map(|(at, _)| *at);
    (1..).zip(sent).map(|(number, at)| of(number).expect("an acknowledgement").since(at)).collect()
}

/// No acknowledgement takes longer than the delay that is configured.
pub(crate) fn acknowledgements_are_not_held_back_for_long(lab: &Lab) {
    shows(&["rfc2961-4.6-07", "rfc2961-4.6-10"]);
    for limit in [50, 250, 400] {
        let limit = Duration::from_millis(limit);
        let mut dut = lab.reducing_with(|reduction| reduction.ack_delay = limit);
        let delays = delays(&mut dut, 20);
        let limit = limit + dut.timing.slack;
        assert!(delays.iter().all(|delay| *delay <= limit), "{delays:?}");
    }
}

/// By default acknowledgements come long before the neighbour would send again.
pub(crate) fn by_default_no_sender_has_to_send_again(lab: &Lab) {
    shows(&["rfc2961-4.6-09", "rfc2961-4.6-07"]);
    let mut dut = lab.router();
    let delays = delays(&mut dut, 100);
    assert!(delays.iter().all(|delay| *delay < Duration::from_millis(500)), "that is Rf: {delays:?}");
    assert!(!dut.all::<Path>(Port::C).is_empty());
}
