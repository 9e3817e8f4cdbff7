//! RFC 2961 section 1.1: trigger and refresh messages.

use std::time::Duration;

use conformance::bench::{Dut, Lab, Port, R, Received, Station, hex, mid, object, plain, tspec};
use conformance::shows;
use rsvp_core::wire::{
    Adspec, ClassNum, Message, MessageId, Path, PathErr, PathTear, RawObject, Resv, ResvTear, Srefresh,
};

use crate::{lasting_path, lasting_resv, via};

/// The objects of a message that is refreshed: all but those of RFC 2961.
fn own_objects(path: &Received<Path>) -> Vec<RawObject> {
    let objects = path.raw.objects.iter().map(|placed| placed.object.clone());
    objects.filter(|object| object.class != 23 && object.class != 24).collect()
}

/// All that the DUT's next summary refreshes out of a port name.
fn summary(dut: &mut Dut, port: Port) -> Vec<MessageId> {
    dut.advance(2 * R);
    dut.all::<Srefresh>(port).iter().flat_map(Received::ids).collect()
}

#[test]
fn what_is_new_or_changed_is_a_trigger() {
    shows(&["rfc2961-1.1-01"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.befriend(&[Station::D1]);
    let mut path = dut.path(Station::U1, h, s1);
    let mut last: Option<MessageId> = None;
    for n in [20.0, 10.0, 5.0] {
        path.sender_tspec = tspec(n);
        dut.send(Station::U1, path.clone());
        let sent = dut.expect::<Path>(Port::C);
        assert_eq!(sent.message.sender_tspec, tspec(n));
        assert!(sent.id().wants_ack());
        assert!(last.is_none_or(|last| last.is_older_than(sent.id().id)));
        last = Some(sent.id().id);
    }
}

#[test]
fn a_change_that_rsvp_does_not_interpret_is_a_trigger() {
    shows(&["rfc2961-1.1-02"]);
    let adspec =
        hex("00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc");
    let adspec = Adspec::decode(&RawObject { class: 13, ctype: 2, contents: adspec });
    let with_adspec = |path: &mut Path| path.adspec = Some(adspec.clone());
    let with_policy = |path: &mut Path| path.policy = vec![object(14, 1, &[0, 4, 0, 0])];
    for change in [&with_adspec as &dyn Fn(&mut Path), &with_policy] {
        let mut dut = Lab::in_process().router();
        let (h, s1) = (dut.h(), dut.s1());
        dut.befriend(&[Station::D1]);
        let mut path = lasting_path(&dut, Station::U1, h, s1);
        dut.send_id(Station::U1, path.clone(), plain(10));
        let before = dut.expect::<Path>(Port::C);
        change(&mut path);
        dut.send_id(Station::U1, path, plain(11));
        let after = dut.expect::<Path>(Port::C);
        assert!(before.id().id.is_older_than(after.id().id));
        assert_ne!(own_objects(&before), own_objects(&after));
        assert!(summary(&mut dut, Port::C).iter().all(|id| *id == after.id().id));
    }
}

#[test]
fn a_refresh_says_what_was_said_before() {
    shows(&["rfc2961-1.1-03"]);
    let mut dut = Lab::in_process().reducing();
    let (h, s1) = (dut.h(), dut.s1());
    dut.acknowledging(Station::D1);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.advance(5 * R);
    let paths = dut.all::<Path>(Port::C);
    assert!(paths.len() >= 4, "{}", paths.len());
    for path in &paths[1..] {
        assert_eq!(own_objects(path), own_objects(&paths[0]));
        assert_eq!(path.id().id, paths[0].id().id);
        assert_eq!(path.sent.packet.destination, paths[0].sent.packet.destination);
    }
}

#[test]
fn only_path_and_resv_are_refreshes() {
    shows(&["rfc2961-1.1-04"]);
    let mut dut = Lab::in_process().router();
    let (h, k, s1) = (dut.h(), dut.k(), dut.s1());
    dut.befriend(&[Station::U1, Station::D1, Station::D2]);
    let mut last = None;
    let mut is_newer = |id: MessageId| last.replace(id).is_none_or(|last: MessageId| last.is_older_than(id));
    for (session, port) in [(h, Port::C), (k, Port::D)] {
        dut.send(Station::U1, lasting_path(&dut, Station::U1, session, s1));
        assert!(is_newer(dut.expect::<Path>(port).id().id));
    }
    let resv = lasting_resv(&dut, Station::D1, h, s1);
    dut.send(Station::D1, resv.clone());
    assert!(is_newer(dut.expect::<Resv>(Port::A).id().id));
    for _ in 0..2 {
        dut.send(Station::D1, dut.path_err(h, s1, 1, 0));
        assert!(is_newer(dut.expect::<PathErr>(Port::A).id().id));
    }
    dut.send(Station::D1, dut.resv_tear(Station::D1, h, resv.style, &resv.flows));
    assert!(is_newer(dut.expect::<ResvTear>(Port::A).id().id));
    for (session, port) in [(h, Port::C), (k, Port::D)] {
        dut.send(Station::U1, dut.path_tear(Station::U1, session, s1));
        assert!(is_newer(dut.expect::<PathTear>(port).id().id));
    }
}

#[test]
fn flags_checksum_and_integrity_change_nothing() {
    shows(&["rfc2961-1.1-05"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.befriend(&[Station::D1]);
    let path = dut.path(Station::U1, h, s1);
    let packet = dut.pack_id(Station::U1, path.clone(), plain(10));
    dut.send_packet(Station::U1, &packet);
    let told = dut.expect::<Path>(Port::C).id().id;
    // The lifetime is 157.5 s.
    dut.advance(Duration::from_secs(150));
    dut.forget();
    let mut without_checksum = packet.clone();
    without_checksum.message[2..4].fill(0);
    dut.send_packet(Station::U1, &without_checksum);
    dut.expect_no::<Path>(Port::C);
    dut.advance(Duration::from_secs(150));
    dut.forget();
    dut.set_flags(Station::U1, 1);
    let with_flag = dut.pack_id(Station::U1, path.clone(), plain(10));
    assert_ne!(with_flag.message[0], packet.message[0]);
    dut.send_packet(Station::U1, &with_flag);
    dut.expect_no::<Path>(Port::C);
    dut.advance(Duration::from_secs(150));
    dut.forget();
    for sequence in 0..3 {
        let id = object(23, 1, &[&[0], &mid(10).epoch.to_be_bytes()[1..], &[0, 0, 0, 10]].concat());
        let integrity = object(4, 1, &[[0; 12], [sequence; 12]].concat());
        let in_front = |objects: &mut Vec<RawObject>| drop(objects.splice(0..0, [integrity, id]));
        dut.send_changed(Station::U1, path.clone(), in_front);
        dut.expect_no::<Path>(Port::C);
    }
    dut.advance(Duration::from_secs(150));
    dut.expect_no::<PathTear>(Port::C);
    assert!(summary(&mut dut, Port::C).iter().all(|id| *id == told));
}

#[test]
fn a_path_that_is_routed_elsewhere_is_a_trigger() {
    shows(&["rfc2961-1.1-06"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.befriend(&[Station::D1, Station::D2]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    let before = dut.expect::<Path>(Port::C).id().id;
    dut.advance(3 * R);
    dut.forget();
    let route = via(&dut, Station::D2);
    dut.set_route(h.flow().destination, None, route);
    dut.advance(Duration::from_secs(4));
    let path = dut.expect::<Path>(Port::D);
    assert_eq!(path.sent.next_hop, Some(dut.plan.station(Station::D2)));
    assert!(path.id().wants_ack() && before.is_older_than(path.id().id));
    let messages = dut.all::<Message>(Port::D);
    assert!(messages.is_empty(), "nothing came before: {messages:?}");
    assert!(summary(&mut dut, Port::D).iter().all(|id| *id == path.id().id));
}

#[test]
fn a_new_previous_hop_gets_a_whole_resv() {
    shows(&["rfc2961-1.1-07"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.befriend(&[Station::U1, Station::U2, Station::D1]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    let before = dut.expect::<Resv>(Port::A).id().id;
    dut.advance(2 * R);
    let newest = dut.expect::<Path>(Port::C).id().id;
    dut.forget();
    dut.send(Station::U2, lasting_path(&dut, Station::U2, h, s1));
    dut.expect_no::<Srefresh>(Port::B);
    let resv = dut.expect::<Resv>(Port::B);
    assert_eq!(resv.sent.packet.destination, dut.plan.station(Station::U2));
    assert_eq!(resv.shares(), [(1.0, vec![s1])]);
    assert!(before.is_older_than(resv.id().id) && newest.is_older_than(resv.id().id));
    assert_eq!(resv.objects(ClassNum::MESSAGE_ID).len(), 1);
}
