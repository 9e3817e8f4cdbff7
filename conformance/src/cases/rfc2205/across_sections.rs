//! RFC 2205: cases that concern several sections at once.

use std::collections::BTreeSet;

use crate::bench::{Action, Family, Lab, Packet, Port, Station, cl, ff, group_route, object, se, tspec, wf};
use crate::cases::rfc2205::capacity::assert_room;
use crate::shows;
use rsvp_core::command::ReserveRequest;
use rsvp_core::wire::{
    ClassNum, FilterSpec, MessageType, Path, RawMessage, RawObject, Resv, ResvErr, ResvTear, Style,
};

/// Figure 10: each of two interfaces is incoming for one sender and outgoing for another. What comes from one goes to the
/// other alone: 4B are reserved on a, 3B on c, and an error about the 3B goes to c.
pub(crate) fn figure_10_both_ways(lab: &Lab) {
    shows(&["rfc2205-2.1-05", "rfc2205-2.3-08", "rfc2205-2.3-09", "rfc2205-3.4-10"]);
    let mut dut = lab.router();
    let (g, s1, s9) = (dut.g(), dut.s1(), dut.plan.sender(9));
    let group = g.flow().destination;
    dut.set_route(group, Some(s1.source()), group_route(Port::A, &[Port::C]));
    dut.set_route(group, Some(s9.source()), group_route(Port::C, &[Port::A]));
    for (from, sender, to) in [(Station::U1, s1, Port::C), (Station::D1, s9, Port::A)] {
        let path = dut.path(from, g, sender);
        dut.send(from, path);
        assert_eq!(dut.expect::<Path>(to).message.sender_template, sender, "from {from:?}");
        dut.expect_silence();
    }
    for (from, n, to) in [(Station::D1, 3.0, Port::A), (Station::U1, 4.0, Port::C)] {
        let resv = dut.resv(from, g, Style::Wf, &[wf(cl(n))]);
        dut.send(from, resv);
        assert_eq!(dut.expect::<Resv>(to).shares(), [(n, vec![])], "from {from:?}");
        dut.expect_silence();
    }
    let error = dut.resv_err(Station::U1, g, Style::Wf, wf(cl(3.0)), (2, 0, 0));
    dut.send(Station::U1, error);
    let _ = dut.expect_to::<ResvErr>(Station::D1);
    dut.expect_silence();
    assert_room(&mut dut, Station::U1, 46.0, 47.0);
    assert_room(&mut dut, Station::D1, 47.0, 48.0);
}

/// An application asks for a confirmation. Neither two of them nor an error afterwards ends its reservation: it is
/// refreshed as before.
pub(crate) fn a_confirmation_promises_nothing(lab: &Lab) {
    shows(&["rfc2205-1.2-05", "rfc2205-2.6-04"]);
    let mut dut = lab.brisk().with(Family::V4, |config| config.router = false);
    let receiver = dut.plan.dut(Port::A);
    let (session, s1) = (dut.plan.session(receiver, 5000), dut.s1());
    dut.learn(Station::U1, session, s1);
    let flow = ff(cl(2.0), s1);
    let flows = vec![flow.clone()];
    let request = ReserveRequest { receiver, style: Style::Ff, flows, policy: Vec::new(), confirm: true };
    dut.act(&Action::Reserve(session, request));
    assert_eq!(dut.expect::<Resv>(Port::A).message.confirm, Some(receiver), "RESV_CONFIRM");
    for _ in 0..2 {
        let confirmation = dut.resv_conf(session, receiver, Style::Ff, std::slice::from_ref(&flow));
        dut.send(Station::U1, confirmation);
    }
    let error = dut.resv_err(Station::U1, session, Style::Ff, flow, (2, 0, 0));
    dut.send(Station::U1, error);
    dut.forget();
    dut.advance(dut.timing.next_refresh());
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])], "it is refreshed all the same");
    dut.expect_no::<ResvTear>(Port::A);
}

/// A device without a policy of its own carries the POLICY_DATA of all that it merges upstream, as they are.
pub(crate) fn policy_data_is_not_merged(lab: &Lab) {
    shows(&["rfc2205-2.7-02", "rfc2209-2.rrefresh-11"]);
    let mut dut = lab.group(1);
    let (g, s1) = (dut.g(), dut.s1());
    let policy = [object(14, 1, &[1; 8]), object(14, 1, &[2; 8])];
    let mut carried = Vec::new();
    for (station, policy) in [Station::D1, Station::D2].into_iter().zip(&policy) {
        let mut resv = dut.resv(station, g, Style::Ff, &[ff(cl(1.0), s1)]);
        resv.policy = vec![policy.clone()];
        dut.send(station, resv);
        carried = dut.expect::<Resv>(Port::A).message.policy;
    }
    carried.sort_by(|one, other| one.contents.cmp(&other.contents));
    assert_eq!(carried, policy);
}

/// The previous hop is the sender's host itself, and U1 a router without RSVP: the Resv is addressed to that host, with a
/// TTL that takes it there.
pub(crate) fn a_resv_crosses_other_routers_to_its_previous_hop(lab: &Lab) {
    shows(&["rfc2205-2.9-01"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.hop.address = s1.source();
    let mut packet = dut.pack(Station::U1, path);
    packet.ttl -= 1;
    dut.send_packet(Station::U1, &packet);
    let _ = dut.expect::<Path>(Port::C);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!(resv.sent.packet.destination, s1.source());
    assert!(resv.sent.packet.ttl > 1, "it has more than one hop to go: {}", resv.sent.packet.ttl);
}

/// A Resv, ResvTear, PathErr or ResvErr for somebody else, which Router Alert brings to the device's attention, is passed
/// on like any IP packet, with its TTL less by one, be it sound or not. It makes no state.
pub(crate) fn messages_of_others_are_forwarded_as_they_are(lab: &Lab) {
    shows(&["rfc2205-2.9-03", "rfc2209-2.arrive-02"]);
    let mut dut = lab.unicast(1);
    let (h, s1, other) = (dut.h(), dut.s1(), dut.plan.station(Station::D1));
    let flow = ff(cl(1.0), s1);
    let packets = [
        dut.pack(Station::U1, dut.resv(Station::D1, h, Style::Ff, std::slice::from_ref(&flow))),
        dut.pack(Station::U1, dut.resv_tear(Station::D1, h, Style::Ff, std::slice::from_ref(&flow))),
        dut.pack(Station::U1, dut.path_err(h, s1, 2, 0)),
        dut.pack(Station::U1, dut.resv_err(Station::U1, h, Style::Ff, flow.clone(), (2, 0, 0))),
    ];
    for packet in packets {
        let mut damaged = packet.message.clone();
        damaged.truncate(20);
        damaged[2..4].fill(0);
        damaged[7] = 20;
        for message in [packet.message.clone(), damaged] {
            let packet = Packet { destination: other, router_alert: true, message, ..packet.clone() };
            let passed = dut.send_through(Station::U1, &packet);
            assert_eq!(passed.port, Port::C);
            assert_eq!(passed.packet, Packet { ttl: packet.ttl - 1, ..packet }, "it is as it was");
            dut.expect_silence();
        }
    }
    let resv = dut.resv(Station::D1, h, Style::Ff, &[flow]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])], "there was no reservation");
    dut.expect_silence();
}

/// Changes an octet of the STYLE.
fn change_style(objects: &mut [RawObject], at: usize, octet: u8) {
    let style = objects.iter_mut().find(|object| object.class == ClassNum::STYLE.0);
    style.expect("it is there").contents[at] = octet;
}

/// Error code of an error message that the bench has checked.
fn code_of(error: &RawMessage) -> Option<u8> {
    error.object(ClassNum::ERROR_SPEC).map(|spec| spec.object.contents[5])
}

/// A style whose option vector has a bit that is not defined is taken for the style of the bits that are, or refused as
/// unknown.
pub(crate) fn undefined_style_bits(lab: &Lab) {
    shows(&["rfc2205-A.7-03"]);
    let mut dut = lab.unicast(1);
    let h = dut.h();
    let resv = dut.resv(Station::D1, h, Style::Wf, &[wf(cl(1.0))]);
    dut.send_changed(Station::D1, resv.clone(), |objects| change_style(objects, 2, 0x04));
    let taken: Vec<Style> = dut.all::<Resv>(Port::A).iter().map(|resv| resv.message.style).collect();
    if taken.is_empty() {
        let error = dut.expect_raw(Port::C, MessageType::RESV_ERR);
        assert_eq!(code_of(&error), Some(6), "refused as an unknown style");
        dut.send(Station::D1, resv);
        let _ = dut.expect::<Resv>(Port::A);
    } else {
        assert!(taken.iter().all(|style| *style == Style::Wf), "expected {:?}, not {taken:?}", Style::Wf);
    }
}

/// The device has to find every error that it can find in what a neighbour sends. The bench checks each answer: that its
/// code may appear in its type, and is none of the reserved ones.
pub(crate) fn each_code_in_its_message(lab: &Lab) {
    shows(&["rfc2205-B-01", "rfc2205-B-12", "rfc2205-B-16"]);
    let mut dut = lab.router();
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    let unknown = dut.plan.sender(9);
    let early = dut.resv(Station::D1, h, Style::Wf, &[wf(cl(1.0))]);
    dut.send(Station::D1, early);
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(200.0);
    dut.send(Station::U1, path.clone());
    let no_port = FilterSpec::Ip { source: s1.source(), port: 0 };
    for (session, sender) in [(h, no_port), (dut.plan.session(h.flow().destination, 0), no_port)] {
        let path = dut.path(Station::U1, session, sender);
        dut.send(Station::U1, path);
    }
    dut.send_changed(Station::U1, path.clone(), |objects| objects.push(object(99, 1, &[0; 4])));
    dut.send_changed(Station::U1, path.clone(), |objects| objects[0].ctype = 99);
    path.sender_tspec = tspec(f32::NAN);
    dut.send(Station::U1, path);
    for flow in [ff(cl(100.0), s1), ff(cl(1.0), unknown), ff(cl(f32::NAN), s1), ff(cl(1.0), s1)] {
        let resv = dut.resv(Station::D1, h, Style::Ff, &[flow]);
        dut.send(Station::D1, resv);
    }
    let resv = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    dut.send(Station::D1, resv.clone());
    dut.send_changed(Station::D1, resv.clone(), |objects| objects.insert(1, object(99, 1, &[0; 4])));
    dut.send_changed(Station::D1, resv, |objects| change_style(objects, 3, 0x09));
    let mut path_codes = BTreeSet::new();
    let mut resv_codes = BTreeSet::new();
    for sent in dut.take_sent() {
        let raw = RawMessage::decode(&sent.packet.message).expect("it was checked");
        let codes = match raw.header.message_type {
            MessageType::PATH_ERR => &mut path_codes,
            MessageType::RESV_ERR => &mut resv_codes,
            _ => continue,
        };
        codes.extend(code_of(&raw));
    }
    let found = |codes: &BTreeSet<u8>, demanded: &[u8]| {
        demanded.iter().copied().filter(|code| codes.contains(code)).collect::<Vec<_>>()
    };
    assert_eq!(found(&resv_codes, &[1, 3, 4, 5, 6, 13]), [1, 3, 4, 5, 6, 13], "of {resv_codes:?}");
    assert_eq!(found(&path_codes, &[7, 8, 13]), [7, 8, 13], "of {path_codes:?}");
}
