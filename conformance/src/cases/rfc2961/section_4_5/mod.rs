//! RFC 2961 section 4.5, as the generator of MESSAGE_ID.

pub(crate) mod ack;
pub(crate) mod order;

use std::time::Duration;

use crate::bench::{EPOCH, Lab, Port, Received, Station, ack, cl, ff, tspec, wanted};
use crate::shows;
use rsvp_core::wire::{FilterSpec, Head, Message, Path, PathErr, PathTear, Resv, ResvConf, ResvErr, Style};

use super::dialogue::{
    all_types, at_port, copies, expect_like, has_id, path, resv, saying, trigger, trigger_in,
};

/// Longer than the copies of a message take by default.
const WHILE: Duration = Duration::from_secs(4);

/// Refreshes of Path and Resv state repeat the Message_Identifier of their trigger, and want no acknowledgement.
pub(crate) fn refreshes_repeat_the_identifier_of_their_state(lab: &Lab) {
    shows(&["rfc2961-4.5-05", "rfc2961-4.5-09"]);
    let mut dut = lab.brisk().reducing();
    dut.acknowledging(Station::U1);
    dut.acknowledging(Station::D1);
    let mut path_id = trigger(&mut dut).id();
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, resv.clone());
    let resv_id = dut.expect::<Resv>(Port::A).id();
    assert!(resv_id.wants_ack());
    for rate in [20.0, 10.0] {
        for round in 0..5 {
            let path = path(&dut, dut.h(), rate);
            dut.send(Station::U1, path);
            if rate < 20.0 && round == 0 {
                let is_changed = |it: &Received<Path>| it.message.sender_tspec == tspec(rate);
                path_id =
                    std::iter::repeat_with(|| dut.expect::<Path>(Port::C)).find(is_changed).expect("it").id();
            }
            assert!(path_id.wants_ack());
            dut.send(Station::D1, resv.clone());
            dut.advance(dut.r());
            let paths = dut.all::<Path>(Port::C);
            let resvs = dut.all::<Resv>(Port::A);
            assert!(paths.iter().all(|it| it.id().id == path_id.id && !it.id().wants_ack()), "{rate}");
            assert!(resvs.iter().all(|it| it.id().id == resv_id.id && !it.id().wants_ack()), "{rate}");
        }
    }
}

/// Triggers of each type want an acknowledgement, and have identifiers that grow.
pub(crate) fn triggers_want_to_be_acknowledged(lab: &Lab) {
    shows(&["rfc2961-4.5-09", "rfc2961-4.5-06", "rfc2961-4.5-01"]);
    let mut dut = lab.reducing();
    let mut last = [None; 2];
    for (from, message, port) in all_types(&dut).into_iter().filter(|(_, message, _)| has_id(message)) {
        dut.send(from, message.clone());
        let id = expect_like(&mut dut, port, &message).id();
        assert!(id.wants_ack(), "{message:?}");
        let last = &mut last[usize::from(port == Port::C)];
        assert!(last.is_none_or(|last: rsvp_core::wire::MessageId| last.is_older_than(id.id)));
        *last = Some(id.id);
    }
}

/// PathErrs and ResvErrs that the device makes itself have a MESSAGE_ID, and are sent again until acknowledged.
pub(crate) fn errors_of_its_own_have_identifiers_too(lab: &Lab) {
    shows(&["rfc2961-4.5-09", "rfc2961-4.5-03"]);
    let mut dut = lab.reducing();
    let without_path = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, without_path);
    dut.advance(WHILE);
    let errors = dut.all::<ResvErr>(Port::C);
    assert_eq!(errors.len(), 3, "not acknowledged");
    assert!(errors.iter().all(|it| it.id() == errors[0].id() && it.id().wants_ack()));
    for port in [4000, 0] {
        let template = FilterSpec::Ip { source: dut.s1().source(), port };
        let path = dut.path(Station::U1, dut.h(), template);
        dut.send(Station::U1, path);
    }
    let error = dut.expect::<PathErr>(Port::A);
    assert!(error.id().wants_ack());
    assert_eq!(error.sent.packet.source, dut.plan.dut(Port::A));
}

/// What is sent again has the same objects, header and destination.
pub(crate) fn a_copy_is_the_same_message(lab: &Lab) {
    shows(&["rfc2961-4.5-08"]);
    let mut dut = lab.reducing();
    for (from, message, port) in all_types(&dut) {
        dut.send(from, message.clone());
        let first = expect_like(&mut dut, port, &message);
        dut.advance(WHILE / 2);
        let copies: Vec<_> =
            dut.all::<Message>(port).into_iter().filter(|it| it.head == first.head).collect();
        let is_answered = matches!(message, Message::Path(_) | Message::Resv(_));
        let expected = if is_answered { 2 } else { copies.len() };
        assert_eq!(copies.len(), expected, "{message:?}");
        assert!(copies.iter().all(|it| it.raw.objects == first.raw.objects));
        assert!(copies.iter().all(|it| it.sent.packet == first.sent.packet));
    }
}

/// PathErr and ResvConf with a MESSAGE_ID have the device's own address as IP source.
pub(crate) fn messages_without_hop_come_from_an_address_of_the_node(lab: &Lab) {
    shows(&["rfc2961-4.5-03"]);
    let mut dut = lab.reducing();
    trigger(&mut dut);
    let (h, s1) = (dut.h(), dut.s1());
    let receiver = h.flow().destination;
    let confirmation = dut.resv_conf(h, receiver, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation);
    let sent = dut.expect::<ResvConf>(Port::C);
    let is_own = sent.sent.packet.source == dut.plan.dut(Port::C);
    assert!(is_own || sent.head.message_id.is_none(), "{:?}", sent.sent.packet.source);
    if let Some(id) = sent.head.message_id {
        dut.send_ack(Station::D1, id.id);
    }
    let error = dut.path_err(h, s1, 2, 0);
    dut.send(Station::D1, error);
    let sent = dut.expect::<PathErr>(Port::A);
    assert_eq!(sent.sent.packet.source, dut.plan.dut(Port::A));
    dut.send_ack(Station::U1, sent.id().id);
    dut.advance(WHILE);
    dut.expect_no::<ResvConf>(Port::C);
    dut.expect_no::<PathErr>(Port::A);
}

/// A PathErr or ResvErr about a state acknowledges the trigger of that state, and no other.
pub(crate) fn an_error_acknowledges_what_it_is_about(lab: &Lab) {
    shows(&["rfc2961-4.5-34"]);
    let mut dut = lab.reducing();
    dut.acknowledging(Station::U1);
    let other = at_port(&dut, dut.h(), 6000);
    let unrelated = trigger_in(&mut dut, other).id().id;
    trigger(&mut dut);
    let error = dut.path_err(dut.h(), dut.s1(), 2, 0);
    dut.send(Station::D1, error);
    dut.advance(WHILE);
    let left: Vec<_> = dut.all::<Path>(Port::C).iter().map(|it| it.id().id).collect();
    assert_eq!(left, [unrelated; 2], "only what the PathErr does not tell of");

    dut.withholding(Station::U1);
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, resv);
    dut.expect::<Resv>(Port::A);
    let error = dut.resv_err(Station::U1, dut.h(), Style::Ff, ff(cl(1.0), dut.s1()), (2, 0, 0));
    dut.send(Station::U1, error);
    dut.advance(WHILE);
    dut.expect_no::<Resv>(Port::A);
}

/// A PathErr about another sender of the session ends no retransmission.
pub(crate) fn an_error_about_another_sender_acknowledges_nothing(lab: &Lab) {
    shows(&["rfc2961-4.5-34"]);
    let mut dut = lab.reducing();
    let s2 = dut.s2();
    let path = dut.path(Station::U2, dut.h(), s2);
    dut.send(Station::U2, path);
    dut.forget();
    let first = trigger(&mut dut).id().id;
    let error = dut.path_err(dut.h(), s2, 2, 0);
    dut.send(Station::D1, error);
    dut.advance(WHILE);
    let copies: Vec<_> = dut.all::<Path>(Port::C).into_iter().filter(|it| it.id().id == first).collect();
    assert_eq!(copies.len(), 2);
}

/// A PathTear has a new Message_Identifier, as has the Path that comes after it.
pub(crate) fn a_removal_is_a_message_of_its_own(lab: &Lab) {
    shows(&["rfc2961-4.5-06"]);
    let mut dut = lab.reducing();
    dut.acknowledging(Station::D1);
    let first = trigger(&mut dut).id().id;
    let tear = dut.path_tear(Station::U1, dut.h(), dut.s1());
    dut.send(Station::U1, tear);
    let second = dut.expect::<PathTear>(Port::C).id().id;
    let third = trigger(&mut dut).id().id;
    assert!(first.is_older_than(second) && second.is_older_than(third));
    dut.advance(WHILE);
    assert!(copies(&mut dut, Port::C).is_empty());
    // What the testers use themselves is no concern of the DUT's counter.
    let path = path(&dut, dut.h(), 10.0);
    dut.send_with(Station::U1, path, &Head { message_id: Some(wanted(u32::MAX)), ..saying(&[ack(3)]) });
    let fourth = dut.expect::<Path>(Port::C).id().id;
    assert!(third.is_older_than(fourth) && fourth.epoch != EPOCH);
}
