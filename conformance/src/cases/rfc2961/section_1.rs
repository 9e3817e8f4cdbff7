//! RFC 2961 section 1.1: trigger and refresh messages.

use std::time::Duration;

use crate::bench::{Dut, Lab, Port, Received, Station, hex, mid, object, plain, tspec};
use crate::shows;
use rsvp_core::wire::{
    Adspec, ClassNum, IdList, Message, MessageId, Path, PathErr, PathTear, RawObject, Resv, ResvTear,
    Srefresh,
};

use super::{lasting_path, lasting_resv, via};

/// How long a node waits before it repairs the path after a change of route (RFC 2205 section 3.7).
const W: Duration = Duration::from_secs(2);

/// The objects of a message that is refreshed: all but those of RFC 2961.
fn own_objects(path: &Received<Path>) -> Vec<RawObject> {
    let objects = path.raw.objects.iter().map(|placed| placed.object.clone());
    objects.filter(|object| object.class != 23 && object.class != 24).collect()
}

/// All that the DUT's next summary refreshes out of a port name.
fn summary(dut: &mut Dut, port: Port) -> Vec<MessageId> {
    dut.advance(2 * dut.r());
    dut.all::<Srefresh>(port).iter().flat_map(Received::ids).collect()
}

/// The first Path of a session and each change of it go on with a new, larger Message_Identifier that wants an
/// acknowledgement.
pub(crate) fn what_is_new_or_changed_is_a_trigger(lab: &Lab) {
    shows(&["rfc2961-1.1-01"]);
    let mut dut = lab.reducing();
    let (h, s1) = (dut.h(), dut.s1());
    dut.acknowledging(Station::D1);
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

/// A Path that differs in its ADSPEC or POLICY_DATA alone goes on at once, with a larger Message_Identifier, and no
/// Srefresh names the one of before.
pub(crate) fn a_change_that_rsvp_does_not_interpret_is_a_trigger(lab: &Lab) {
    shows(&["rfc2961-1.1-02"]);
    let adspec =
        hex("00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc");
    let adspec = Adspec::decode(&RawObject { class: 13, ctype: 2, contents: adspec });
    let with_adspec = |path: &mut Path| path.adspec = Some(adspec.clone());
    let with_policy = |path: &mut Path| path.policy = vec![object(14, 1, &[0, 4, 0, 0])];
    for change in [&with_adspec as &dyn Fn(&mut Path), &with_policy] {
        let mut dut = lab.brisk().router();
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

/// Refresh Paths have the objects, the Message_Identifier and the destination of the first.
pub(crate) fn a_refresh_says_what_was_said_before(lab: &Lab) {
    shows(&["rfc2961-1.1-03"]);
    let mut dut = lab.brisk().reducing();
    let (h, s1) = (dut.h(), dut.s1());
    dut.acknowledging(Station::D1);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.advance(5 * dut.r());
    let paths = dut.all::<Path>(Port::C);
    assert!(paths.len() >= 4, "{}", paths.len());
    for path in &paths[1..] {
        assert_eq!(own_objects(path), own_objects(&paths[0]));
        assert_eq!(path.id().id, paths[0].id().id);
        assert_eq!(path.sent.packet.destination, paths[0].sent.packet.destination);
    }
}

/// PathErrs and tears, even equal ones, have identifiers greater than all that were sent before.
pub(crate) fn only_path_and_resv_are_refreshes(lab: &Lab) {
    shows(&["rfc2961-1.1-04"]);
    let mut dut = lab.router();
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

/// A Path that differs in flags, checksum or INTEGRITY only is a refresh: it keeps the state alive, and makes no
/// trigger.
pub(crate) fn flags_checksum_and_integrity_change_nothing(lab: &Lab) {
    shows(&["rfc2961-1.1-05"]);
    let mut dut = lab.brisk().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.befriend(&[Station::D1]);
    let path = dut.path(Station::U1, h, s1);
    let packet = dut.pack_id(Station::U1, path.clone(), plain(10));
    dut.send_packet(Station::U1, &packet);
    let told = dut.expect::<Path>(Port::C).id().id;
    // The lifetime is 5.25 R.
    let wait = |dut: &mut Dut| dut.advance(3 * dut.r());
    wait(&mut dut);
    let mut without_checksum = packet.clone();
    without_checksum.message[2..4].fill(0);
    dut.send_packet(Station::U1, &without_checksum);
    wait(&mut dut);
    dut.set_flags(Station::U1, 1);
    let with_flag = dut.pack_id(Station::U1, path.clone(), plain(10));
    assert_ne!(with_flag.message[0], packet.message[0]);
    dut.send_packet(Station::U1, &with_flag);
    wait(&mut dut);
    for sequence in 0..3 {
        let id = object(23, 1, &[&[0], &mid(10).epoch.to_be_bytes()[1..], &[0, 0, 0, 10]].concat());
        let integrity = object(4, 1, &[[0; 12], [sequence; 12]].concat());
        let in_front = |objects: &mut Vec<RawObject>| drop(objects.splice(0..0, [integrity, id]));
        dut.send_changed(Station::U1, path.clone(), in_front);
    }
    wait(&mut dut);
    dut.expect_no::<PathTear>(Port::C);
    assert!(dut.all::<Path>(Port::C).iter().all(|path| path.id().id == told), "no trigger");
    assert!(dut.all::<Srefresh>(Port::C).iter().all(|summary| summary.ids() == [told]));
}

/// After a change of route a whole Path with a new identifier comes first to the new next hop, and Srefreshes name
/// that one only.
pub(crate) fn a_path_that_is_routed_elsewhere_is_a_trigger(lab: &Lab) {
    shows(&["rfc2961-1.1-06"]);
    let mut dut = lab.brisk().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.befriend(&[Station::D1, Station::D2]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    let before = dut.expect::<Path>(Port::C).id().id;
    dut.advance(3 * dut.r());
    dut.forget();
    let route = via(&dut, Station::D2);
    dut.set_route(h.flow().destination, None, route);
    dut.advance(W + 2 * dut.r());
    let mut told = None;
    for message in dut.all::<Message>(Port::D) {
        match (&message.message, told) {
            (Message::Path(_), None) => {
                let id = message.id();
                assert_eq!(message.sent.next_hop, Some(dut.plan.station(Station::D2)));
                assert!(id.wants_ack() && before.is_older_than(id.id), "{id:?} after {before:?}");
                told = Some(id.id);
            }
            (Message::Path(_), Some(told)) => assert_eq!(message.id().id, told),
            (Message::Srefresh(summary), Some(told)) => {
                let ids: Vec<MessageId> = summary.lists.iter().flat_map(IdList::message_ids).collect();
                assert_eq!(ids, [told]);
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(told.is_some(), "D2 is told");
}

/// A previous hop that is new gets a whole Resv with a new identifier at once, and no Srefresh in its place.
pub(crate) fn a_new_previous_hop_gets_a_whole_resv(lab: &Lab) {
    shows(&["rfc2961-1.1-07"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.befriend(&[Station::U1, Station::U2, Station::D1]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    let newest = dut.expect::<Path>(Port::C).id().id;
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    let before = dut.expect::<Resv>(Port::A).id().id;
    dut.send(Station::U2, lasting_path(&dut, Station::U2, h, s1));
    let resv = dut.expect::<Resv>(Port::B);
    dut.expect_no::<Srefresh>(Port::B);
    assert_eq!(resv.sent.packet.destination, dut.plan.station(Station::U2));
    assert_eq!(resv.shares(), [(1.0, vec![s1])]);
    assert!(before.is_older_than(resv.id().id) && newest.is_older_than(resv.id().id));
    assert_eq!(resv.objects(ClassNum::MESSAGE_ID).len(), 1);
}
