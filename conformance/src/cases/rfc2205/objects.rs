//! RFC 2205 sections 3.1.1 and 3.1.2: what is wrong with octets, whatever the type of the message.

use super::codec::{path_octets, path_packet};
use super::octets::raw;
use crate::bench::{Dut, Kind, Lab, Port, Received, Station, cl, ff, object, seal, tspec};
use crate::shows;
use rsvp_core::wire::{
    ClassNum, Message, Path, PathErr, PathTear, RawMessage, RawObject, Resv, ResvConf, ResvErr, ResvTear,
    Style,
};

/// A message that differs from its checksum by one bit, in whatever octet, is discarded without an answer.
pub(crate) fn any_single_changed_bit_is_found(lab: &Lab) {
    shows(&["rfc2205-3.1.1-05"]);
    let mut dut = lab.router();
    let good = path_packet(&dut, path_octets(&dut));
    for octet in 0..good.message.len() {
        let mut damaged = good.clone();
        damaged.message[octet] ^= 1 << (octet % 8);
        dut.send_packet(Station::U1, &damaged);
    }
    dut.expect_silence();
    dut.send_packet(Station::U1, &good);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, dut.s1());
}

/// A message with an object whose length cannot be is discarded, and the device goes on.
pub(crate) fn impossible_object_lengths(lab: &Lab) {
    shows(&["rfc2205-3.1.2-01"]);
    let mut dut = lab.router();
    let good = path_packet(&dut, path_octets(&dut));
    for length in [0_u8, 2, 3, 6, 7] {
        let mut bad = good.clone();
        bad.message[9] = length;
        seal(&mut bad.message);
        dut.send_packet(Station::U1, &bad);
    }
    dut.expect_silence();
    dut.send_packet(Station::U1, &good);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, dut.s1());
}

/// NULL objects between all others, of any C-Type and length, change nothing.
pub(crate) fn null_objects_count_for_nothing(lab: &Lab) {
    shows(&["rfc2205-3.1.2-03"]);
    let mut dut = lab.router();
    let s1 = dut.s1();
    for (port, ctype, size) in [(5000, 0, 0), (5001, 255, 4), (5002, 1, 60)] {
        let null = object(0, ctype, &vec![0xff; size]);
        let pad = |objects: &mut Vec<RawObject>| {
            *objects = objects.drain(..).flat_map(|object| [null.clone(), object]).collect();
            objects.push(null.clone());
        };
        let session = dut.h_at(port);
        let path = dut.path(Station::U1, session, s1);
        dut.send_changed(Station::U1, path.clone(), pad);
        let sent = dut.expect::<Path>(Port::C).message;
        assert_eq!((sent.session, sent.sender_template), (path.session, s1));
        assert_eq!(sent.sender_tspec, path.sender_tspec);
        let resv = dut.resv(Station::D1, session, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send_changed(Station::D1, resv, pad);
        assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
        dut.expect_silence();
    }
}

/// A message of any type that has no SESSION is discarded without an answer.
pub(crate) fn session_is_required_everywhere(lab: &Lab) {
    shows(&["rfc2205-3.1.2-04"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let flow = ff(cl(1.0), s1);
    let flows = std::slice::from_ref(&flow);
    let resv = dut.resv(Station::D1, h, Style::Ff, flows);
    for is_there in [false, true] {
        let change = |objects: &mut Vec<RawObject>| objects.retain(|object| is_there || object.class != 1);
        let mut path = dut.path(Station::U1, h, s1);
        path.sender_tspec = tspec(5.0);
        dut.send_changed(Station::U1, path, change);
        dut.send_changed(Station::D1, resv.clone(), change);
        if is_there {
            assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(5.0));
            assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
        }
        let error = dut.path_err(h, s1, 2, 0);
        dut.send_changed(Station::D1, error, change);
        let error = dut.resv_err(Station::U1, h, Style::Ff, flow.clone(), (2, 0, 0));
        dut.send_changed(Station::U1, error, change);
        let confirmation = dut.resv_conf(h, h.flow().destination, Style::Ff, flows);
        dut.send_changed(Station::U1, confirmation, change);
        if is_there {
            let _ = dut.expect_to::<PathErr>(Station::U1);
            let _ = dut.expect_to::<ResvErr>(Station::D1);
            let _ = dut.expect::<ResvConf>(Port::C);
        }
        let tear = dut.resv_tear(Station::D1, h, Style::Ff, flows);
        dut.send_changed(Station::D1, tear, change);
        let tear = dut.path_tear(Station::U1, h, s1);
        dut.send_changed(Station::U1, tear, change);
        if is_there {
            let _ = dut.expect::<ResvTear>(Port::A);
            let _ = dut.expect::<PathTear>(Port::C);
        }
        dut.expect_silence();
    }
}

/// An object of a class that has no place in a type of message is not sent on in it, whether the message is discarded or
/// the object ignored.
pub(crate) fn known_classes_have_their_places(lab: &Lab) {
    shows(&["rfc2205-3.1.2-10"]);
    let mut dut = lab.router();
    let s1 = dut.s1();
    let (confirm, scope) = (raw(dut.plan, "00080f01 0a000707"), raw(dut.plan, "00080701 0a000001"));
    let (error, template) =
        (raw(dut.plan, "000c0601 0a000909 00020000"), raw(dut.plan, "000c0b01 0a000001 00000fa0"));
    let assert_not_sent = |dut: &mut Dut, object: &RawObject| {
        for sent in dut.take_sent() {
            let message = RawMessage::decode(&sent.packet.message).expect("the monitor has seen it");
            let found = message.objects.iter().find(|placed| placed.object.class == object.class);
            assert_eq!(found, None, "class {} in a {}", object.class, message.header.message_type);
        }
    };
    for (port, in_path, in_resv, in_error, in_tear, in_resv_tear) in [
        (5000, &confirm, &error, &scope, &scope, &confirm),
        (5001, &scope, &template, &confirm, &confirm, &template),
        (5002, &error, &error, &scope, &error, &error),
    ] {
        let session = dut.h_at(port);
        let into = |object: &RawObject| {
            let object = object.clone();
            move |objects: &mut Vec<RawObject>| objects.insert(1, object)
        };
        let (path, flow) = (dut.path(Station::U1, session, s1), ff(cl(1.0), s1));
        let resv = dut.resv(Station::D1, session, Style::Ff, std::slice::from_ref(&flow));
        dut.send_changed(Station::U1, path.clone(), into(in_path));
        assert_not_sent(&mut dut, in_path);
        dut.learn(Station::U1, session, s1);
        dut.send_changed(Station::D1, resv.clone(), into(in_resv));
        for sent in dut.all::<Resv>(Port::A) {
            assert_eq!(sent.objects(ClassNum(in_resv.class)), Vec::<&RawObject>::new());
        }
        dut.forget();
        let error = dut.path_err(session, s1, 2, 0);
        dut.send_changed(Station::D1, error, into(in_error));
        assert_not_sent(&mut dut, in_error);
        let tear = dut.resv_tear(Station::D1, session, Style::Ff, &[flow]);
        dut.send_changed(Station::D1, tear, into(in_resv_tear));
        assert_not_sent(&mut dut, in_resv_tear);
        let tear = dut.path_tear(Station::U1, session, s1);
        dut.send_changed(Station::U1, tear, into(in_tear));
        assert_not_sent(&mut dut, in_tear);
        dut.send(Station::U1, Path { sender_tspec: tspec(5.0), ..path });
        let _ = dut.expect::<Path>(Port::C);
        dut.send(Station::D1, resv);
        dut.advance(dut.timing.patience);
        dut.forget();
    }
}

/// INTEGRITY that does not directly follow the common header makes a message of any type be discarded.
pub(crate) fn integrity_comes_first_or_not_at_all(lab: &Lab) {
    shows(&["rfc2205-3.1.3-04"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let integrity = object(4, 1, &[0; 32]);
    let flow = ff(cl(1.0), s1);
    let flows = std::slice::from_ref(&flow);
    let resv = dut.resv(Station::D1, h, Style::Ff, flows);
    dut.send(Station::D1, resv);
    let _ = dut.expect::<Resv>(Port::A);
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(5.0);
    let messages = [
        (Station::U1, path.into_message()),
        (Station::D1, dut.resv(Station::D1, h, Style::Ff, &[ff(cl(2.0), s1)]).into_message()),
        (Station::D1, dut.path_err(h, s1, 2, 0).into_message()),
        (Station::U1, dut.resv_err(Station::U1, h, Style::Ff, flow.clone(), (2, 0, 0)).into_message()),
        (Station::U1, dut.resv_conf(h, h.flow().destination, Style::Ff, flows).into_message()),
        (Station::D1, dut.resv_tear(Station::D1, h, Style::Ff, flows).into_message()),
        (Station::U1, dut.path_tear(Station::U1, h, s1).into_message()),
    ];
    for (from, message) in &messages {
        for from_the_end in [false, true] {
            dut.send_changed(*from, message.clone(), |objects| {
                let position = if from_the_end { objects.len() } else { 1 };
                objects.insert(position, integrity.clone());
            });
        }
        dut.expect_silence();
    }
    for (from, message) in messages {
        dut.send(from, message);
        let sent: Received<Message> = match from {
            Station::U1 => dut.expect(Port::C),
            _ => dut.expect(Port::A),
        };
        let position = sent.classes().iter().position(|class| *class == 4);
        assert!(
            matches!(position, None | Some(0)),
            "expected INTEGRITY first or not at all, not {position:?}"
        );
        dut.expect_silence();
    }
}
