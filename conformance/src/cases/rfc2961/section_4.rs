//! RFC 2961 section 4, before its subsections: what MESSAGE_ID and its acknowledgements are.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::bench::{Ack, Dut, Lab, Packet, Port, Received, Station, ack, cl, ff, mid, nack, plain, wanted};
use crate::shows;
use rsvp_core::wire::{ClassNum, Head, Message, MessageId, Path, RawObject, Resv, ResvErr, Style};

use super::dialogue::{ack_of, at_port, copies, id_object, path, resv, saying, trigger, trigger_in};

/// Longer than it takes until the third copy of a message.
const WHILE: Duration = Duration::from_secs(3);

/// Neither MESSAGE_ID nor acknowledgements are passed on.
pub(crate) fn the_objects_go_over_one_hop_only(lab: &Lab) {
    shows(&["rfc2961-4-01"]);
    let mut dut = lab.reducing();
    let head = Head { acknowledgements: vec![ack(1), nack(2)], message_id: Some(wanted(77)) };
    let path = path(&dut, dut.h(), 20.0);
    dut.send_with(Station::U1, path, &head);
    let sent = dut.expect::<Path>(Port::C);
    assert!(sent.head.acknowledgements.is_empty());
    assert_ne!(sent.id().id, mid(77));
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send_with(Station::D1, resv, &head);
    let sent = dut.expect::<Resv>(Port::A);
    assert!(sent.head.acknowledgements.is_empty());
    assert_ne!(sent.id().id, mid(77));
}

/// A long exchange about many sessions, with changes, errors, tears and refreshes: all that had a MESSAGE_ID, port by
/// port and in order.
fn long_exchange(lab: &Lab) -> Vec<Received<Message>> {
    let mut dut = lab.brisk().reducing();
    let sessions: Vec<_> = (0..24)
        .map(|n| {
            (
                if n % 2 == 0 {
                    (dut.h(), Station::D1)
                } else {
                    (dut.k(), [Station::D2, Station::D3][n / 2 % 2])
                },
                n,
            )
        })
        .map(|((session, next), n)| (at_port(&dut, session, 5000 + n as u16), next))
        .collect();
    for (session, next) in &sessions {
        let path = path(&dut, *session, 20.0);
        dut.send(Station::U1, path);
        let resv = dut.resv(*next, *session, Style::Ff, &[ff(cl(1.0), dut.s1())]);
        dut.send(*next, resv);
    }
    for (n, (session, next)) in sessions.iter().enumerate() {
        let s1 = dut.s1();
        match n % 8 {
            0 | 1 => {
                let changed = path(&dut, *session, 10.0);
                dut.send(Station::U1, changed);
            }
            2 => {
                let error = dut.path_err(*session, s1, 2, 0);
                dut.send(*next, error);
            }
            3 => {
                let error = dut.resv_err(Station::U1, *session, Style::Ff, ff(cl(1.0), s1), (2, 0, 0));
                dut.send(Station::U1, error);
            }
            4 => {
                let tear = dut.path_tear(Station::U1, *session, s1);
                dut.send(Station::U1, tear);
            }
            _ => {
                let tear = dut.resv_tear(*next, *session, Style::Ff, &[ff(cl(1.0), s1)]);
                dut.send(*next, tear);
            }
        }
    }
    dut.advance(3 * dut.r());
    let all = Port::ALL.into_iter().flat_map(|port| dut.all::<Message>(port)).collect::<Vec<_>>();
    all.into_iter().filter(|it| it.head.message_id.is_some()).collect()
}

/// The IP address that a MESSAGE_ID belongs to (section 4.5).
fn generator(it: &Received<Message>) -> IpAddr {
    match &it.message {
        Message::Path(message) => message.hop.address,
        Message::Resv(message) => message.hop.address,
        Message::PathTear(message) => message.hop.address,
        Message::ResvTear(message) => message.hop.address,
        Message::ResvErr(message) => message.hop.address,
        _ => it.sent.packet.source,
    }
}

/// A message but for its MESSAGE_ID and the acknowledgements that it takes along.
fn contents(it: &Received<Message>) -> (IpAddr, Vec<RawObject>) {
    let in_head = [ClassNum::MESSAGE_ID.0, ClassNum::MESSAGE_ID_ACK.0];
    let objects = it.raw.objects.iter().map(|placed| placed.object.clone());
    (it.sent.packet.destination, objects.filter(|object| !in_head.contains(&object.class)).collect())
}

/// In a long exchange each Message_Identifier of an address stands for one message, and each message has at most one.
pub(crate) fn an_identifier_names_one_message(lab: &Lab) {
    shows(&["rfc2961-4-02", "rfc2961-4-03"]);
    let mut named: BTreeMap<(IpAddr, MessageId), (IpAddr, Vec<RawObject>)> = BTreeMap::new();
    let mut repeated = 0;
    for message in long_exchange(lab) {
        assert_eq!(message.objects(ClassNum::MESSAGE_ID).len(), 1);
        let what = contents(&message);
        let first = named.entry((generator(&message), message.id().id)).or_insert_with(|| what.clone());
        assert_eq!(*first, what, "{:?}", message.id());
        repeated += 1;
    }
    assert!(named.len() > 60 && repeated > named.len(), "{repeated} of {}", named.len());
}

/// In a long exchange each new Message_Identifier of an address is greater than those before.
pub(crate) fn identifiers_go_up(lab: &Lab) {
    shows(&["rfc2961-4.2-06", "rfc2961-4.5-06", "rfc2961-4.5-07"]);
    let mut last: BTreeMap<IpAddr, Vec<MessageId>> = BTreeMap::new();
    for message in long_exchange(lab) {
        let used = last.entry(generator(&message)).or_default();
        let id = message.id().id;
        if !used.contains(&id) {
            assert!(used.last().is_none_or(|last| last.is_older_than(id)), "{id:?} after {:?}", used.last());
            used.push(id);
        }
    }
    assert_eq!(last.len(), 3, "a, c and d have one address each");
}

/// A Path with two MESSAGE_ID objects is neither taken nor acknowledged.
pub(crate) fn two_message_ids_in_one_message_are_a_fault(lab: &Lab) {
    shows(&["rfc2961-4-03"]);
    let mut dut = lab.reducing();
    let path = path(&dut, dut.h(), 20.0);
    dut.send_changed(Station::U1, path.clone(), |objects| {
        objects.splice(0..0, [id_object(1, wanted(9)), id_object(1, wanted(10))]);
    });
    assert_eq!(dut.acks(Station::U1), []);
    dut.expect_silence();
    dut.send_changed(Station::U1, path, |objects| objects.insert(0, id_object(1, wanted(11))));
    dut.expect_acks(Station::U1, &[ack(11)]);
    dut.expect::<Path>(Port::C);
}

/// The ways in which a neighbour may acknowledge the DUT's messages.
fn ways(dut: &Dut, id: MessageId) -> [Packet; 4] {
    let unrelated = dut.path_err(dut.k(), dut.s2(), 2, 0);
    let in_error = dut.pack_with(Station::D1, unrelated, &saying(&[ack_of(id)]));
    let in_resv =
        dut.pack_with(Station::D1, resv(dut, at_port(dut, dut.h(), 6000), 1.0), &saying(&[ack_of(id)]));
    let in_ack = dut.pack_with(Station::D1, Ack, &saying(&[ack_of(id)]));
    let bundled = dut.bundle(Station::D1, std::slice::from_ref(&in_ack));
    [in_error, in_resv, in_ack, bundled]
}

/// An acknowledgement ends retransmission, whether it comes in an Ack, in another message or in a Bundle.
pub(crate) fn an_acknowledgement_may_come_in_any_message(lab: &Lab) {
    shows(&["rfc2961-4-04", "rfc2961-4-05"]);
    for way in 0..4 {
        let mut dut = lab.reducing();
        dut.acknowledging(Station::U1);
        let other = at_port(&dut, dut.h(), 6000);
        let first = trigger_in(&mut dut, other).id().id;
        dut.send_ack(Station::D1, first);
        let id = trigger(&mut dut).id().id;
        let packet = ways(&dut, id)[way].clone();
        dut.send_packet(Station::D1, &packet);
        dut.advance(WHILE);
        assert!(copies(&mut dut, Port::C).is_empty(), "way {way}");
    }
}

/// The acknowledgements in a Resv that is refused count.
pub(crate) fn a_refused_message_still_acknowledges(lab: &Lab) {
    shows(&["rfc2961-4.6-11"]);
    let mut dut = lab.reducing();
    let id = trigger(&mut dut).id().id;
    let without_path = resv(&dut, at_port(&dut, dut.h(), 6000), 1.0);
    dut.send_with(Station::D1, without_path, &saying(&[ack_of(id)]));
    assert_eq!(dut.expect::<ResvErr>(Port::C).message.error.code, 3, "no path information");
    dut.advance(WHILE);
    assert_eq!(dut.all::<Path>(Port::C).len(), 0);
}

/// The acknowledgements in a refresh that changes nothing count.
pub(crate) fn an_unneeded_refresh_still_acknowledges(lab: &Lab) {
    shows(&["rfc2961-4.6-11"]);
    let mut dut = lab.reducing();
    dut.acknowledging(Station::U1);
    let first = trigger(&mut dut).id().id;
    dut.send_ack(Station::D1, first);
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send_id(Station::D1, resv.clone(), plain(40));
    let other = at_port(&dut, dut.h(), 6000);
    let id = trigger_in(&mut dut, other).id().id;
    let head = Head { acknowledgements: vec![ack_of(id)], message_id: Some(plain(40)) };
    dut.send_with(Station::D1, resv, &head);
    dut.advance(WHILE);
    assert!(copies(&mut dut, Port::C).is_empty());
}

/// Each message in a Bundle that wants an acknowledgement gets it.
pub(crate) fn a_bundle_changes_nothing_about_acknowledgements(lab: &Lab) {
    shows(&["rfc2961-4-05"]);
    let mut dut = lab.router();
    let packets = [5, 6].map(|id| {
        let session = at_port(&dut, dut.h(), 5000 + id as u16);
        dut.pack_id(Station::U1, path(&dut, session, 20.0), wanted(id))
    });
    dut.send_bundle(Station::U1, &packets);
    dut.expect_acks(Station::U1, &[ack(5), ack(6)]);
    assert_eq!(dut.all_of::<Path>(Port::C, 2).len(), 2);
}
