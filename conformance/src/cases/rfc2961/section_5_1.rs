//! RFC 2961 sections 5 and 5.1: the lists of a summary refresh.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use crate::bench::{
    Ack, Dut, Family, Lab, Packet, Port, Received, Station, group_route, hex, list, mcast_list, nack, object,
    plain, src_list, tspec,
};
use crate::shows;
use rsvp_core::config::ReductionConfig;
use rsvp_core::wire::{
    ClassNum, Header, IdEntries, IdList, Message, MessageId, MessageType, Path, PathTear, RawMessage, Resv,
    SessionKey, Srefresh,
};

use super::{announce, expect_summaries, group_on, lasting_path, lasting_resv, sessions};

/// An Srefresh from U1 with one object of class 25, whatever its contents.
fn with_list(dut: &Dut, ctype: u8, contents: &[u8]) -> Packet {
    let header = Header { flags: 0, send_ttl: 64 };
    let raw = RawMessage::new(MessageType::SREFRESH, header, [object(25, ctype, contents)]);
    let mut message = Vec::new();
    raw.and_then(|raw| raw.encode(&mut message)).expect("it is short");
    Packet { message, ..dut.pack(Station::U1, Srefresh { lists: vec![list(&[1])] }) }
}

/// Whether the DUT's path state from U1 is refreshed by what `refresh` sends every period, for more than a lifetime:
/// it lives on only if it is.
fn keeps_alive(dut: &mut Dut, port: Port, mut refresh: impl FnMut(&mut Dut)) -> bool {
    // The lifetime is 5.25 R.
    for _ in 0..7 {
        dut.advance(dut.r());
        refresh(dut);
    }
    dut.all::<PathTear>(port).is_empty()
}

/// A Path with an id from U1, whose R is that of the DUT.
fn brief(dut: &mut Dut, session: SessionKey, number: u8, id: u32) {
    let path = dut.path(Station::U1, session, dut.plan.sender(number));
    dut.send_id(Station::U1, path, plain(id));
    dut.expect::<Path>(Port::C);
}

/// Each change goes out as a whole Path with a new id, and Srefreshes name that one from then on.
pub(crate) fn a_change_is_told_by_a_whole_message(lab: &Lab) {
    shows(&["rfc2961-5-01", "rfc2961-5.1-04"]);
    let mut dut = lab.brisk().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.befriend(&[Station::D1]);
    let mut told = BTreeSet::new();
    for n in [20.0, 10.0, 5.0] {
        let mut path = lasting_path(&dut, Station::U1, h, s1);
        path.sender_tspec = tspec(n);
        dut.send(Station::U1, path);
        let path = dut.expect::<Path>(Port::C);
        assert_eq!(path.message.sender_tspec, tspec(n));
        assert!(told.insert(path.id().id), "a new id");
        dut.advance(3 * dut.r());
        for summary in expect_summaries(&mut dut, Port::C) {
            assert_eq!(summary.ids(), [path.id().id]);
            assert_eq!(summary.sent.packet.source, path.message.hop.address);
        }
    }
}

/// No Srefresh lists an id that was not in a Path before.
pub(crate) fn only_what_was_told_with_an_id_is_summed_up(lab: &Lab) {
    shows(&["rfc2961-5-02"]);
    let mut dut = lab.brisk().router();
    let (sessions, s1) = (sessions(&dut, dut.h(), 2), dut.s1());
    dut.send(Station::U1, lasting_path(&dut, Station::U1, sessions[0], s1));
    let first = dut.expect::<Path>(Port::C);
    dut.befriend(&[Station::D1]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, sessions[1], s1));
    let mut told = BTreeSet::from_iter(first.head.message_id.map(|id| id.id));
    dut.advance(5 * dut.r());
    for message in dut.all::<Message>(Port::C) {
        match &message.message {
            Message::Path(_) => told.extend(message.head.message_id.map(|id| id.id)),
            Message::Srefresh(Srefresh { lists }) => {
                for list in lists {
                    let IdEntries::Plain(ids) = &list.entries else { panic!("a LIST") };
                    assert!(ids.iter().all(|id| told.contains(&MessageId { epoch: list.epoch, id: *id })));
                }
            }
            other => panic!("unexpected {other:?}"),
        }
    }
}

/// Paths of groups are listed in the lists for them, Paths of hosts and Resvs in a plain LIST; the flags are 0.
pub(crate) fn each_kind_of_state_has_its_list(lab: &Lab) {
    shows(&["rfc2961-5-03", "rfc2961-5.1-02"]);
    let mut dut = lab.brisk().point_to_point(Family::V4);
    let (h, g, s1) = (dut.h(), dut.g(), dut.s1());
    let path = group_on(&mut dut, &[Station::D1]);
    dut.befriend(&[Station::U1]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    let unicast = dut.expect::<Path>(Port::C).id().id;
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    let resv = dut.expect::<Resv>(Port::A).id().id;
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, g, s1));
    let of_group = dut.expect::<Resv>(Port::A).id().id;
    dut.advance(4 * dut.r());
    let mut seen = BTreeSet::new();
    for summary in Port::ALL.iter().flat_map(|port| dut.all::<Srefresh>(*port)) {
        for list in &summary.message.lists {
            let is_of_group = !matches!(list.entries, IdEntries::Plain(_));
            for id in list.message_ids() {
                assert_eq!(is_of_group, id == path.id().id, "{summary:?}");
                seen.insert(id);
            }
        }
        assert!(summary.objects(ClassNum::MESSAGE_ID_LIST).iter().all(|object| object.contents[0] == 0));
    }
    assert_eq!(seen, BTreeSet::from([path.id().id, unicast, resv, of_group]));
}

/// What an Srefresh lists and is not known is said to its IP source, from the device's address.
pub(crate) fn a_nack_goes_to_who_asked(lab: &Lab) {
    shows(&["rfc2961-5-04"]);
    let mut dut = lab.router();
    dut.send_srefresh(Station::U1, &[list(&[7])]);
    let ack = dut.expect_to::<Ack>(Station::U1);
    assert_eq!(ack.head.acknowledgements, [nack(7)]);
    assert_eq!(ack.sent.packet.source, dut.plan.dut(Port::A));
    dut.expect_silence();
}

/// A LIST is an Epoch and identifiers, sent and received, few or many.
pub(crate) fn a_list_has_an_epoch_and_identifiers(lab: &Lab) {
    shows(&["rfc2961-5.1-01"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 3), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    let epoch = dut.expect::<Path>(Port::C).id().id.epoch;
    dut.advance(2 * dut.r());
    let summary = dut.expect::<Srefresh>(Port::C);
    let objects = summary.objects(ClassNum::MESSAGE_ID_LIST);
    assert_eq!((objects.len(), objects[0].ctype, objects[0].contents.len()), (1, 1, 4 + 3 * 4));
    assert_eq!(objects[0].contents[..4], epoch.to_be_bytes());
    for count in [1, 2, 300] {
        let ids: Vec<u32> = (1000..1000 + count).collect();
        dut.send_srefresh(Station::U1, &[list(&ids)]);
        dut.expect_acks(Station::U1, &ids.iter().map(|id| nack(*id)).collect::<Vec<_>>());
    }
}

/// Lists count whatever their flags.
pub(crate) fn flags_of_lists_are_ignored(lab: &Lab) {
    shows(&["rfc2961-5.1-03"]);
    let mut dut = lab.brisk().router();
    let (h, g, s1) = (dut.h(), dut.g(), dut.s1());
    let group = g.flow().destination;
    brief(&mut dut, h, 1, 10);
    brief(&mut dut, g, 1, 11);
    let flagged = |list: IdList| IdList { flags: 0xfd, ..list };
    let alive = keeps_alive(&mut dut, Port::C, |dut| {
        dut.send_srefresh(Station::U1, &[flagged(list(&[10]))]);
        dut.send_srefresh_to(Station::U1, group, &[flagged(src_list(&[(11, s1.source())]))]);
    });
    assert!(alive);
    assert_eq!(dut.acks(Station::U1), []);
    let alive = keeps_alive(&mut dut, Port::C, |dut| {
        dut.send_srefresh(Station::U1, &[flagged(list(&[10]))]);
        dut.send_srefresh(Station::U1, &[flagged(mcast_list(&[(11, s1.source(), group)]))]);
    });
    assert!(alive);
    assert_eq!(dut.acks(Station::U1), []);
}

/// What the DUT lists for the group out of a port, and the id of its Path.
fn group_list(mut dut: Dut, stations: &[Station]) -> (Received<Srefresh>, Received<Path>) {
    let path = group_on(&mut dut, stations);
    dut.advance(3 * dut.r());
    (dut.expect::<Srefresh>(stations[0].port()), path)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// A SRC_LIST holds the Epoch, and identifiers each with the sender's address, for IPv4 and IPv6.
pub(crate) fn a_source_list_names_the_senders(lab: &Lab) {
    shows(&["rfc2961-5.1-05", "rfc2961-5.1-06", "rfc2961-5.1-09"]);
    for (family, ctype) in [(Family::V4, 2), (Family::V6, 3)] {
        let dut = lab.brisk().with(family, |_| ());
        let s1 = dut.s1();
        let (summary, path) = group_list(dut, &[Station::D2, Station::D3]);
        let objects = summary.objects(ClassNum::MESSAGE_ID_LIST);
        assert_eq!((objects.len(), objects[0].class, objects[0].ctype), (1, 25, ctype));
        let MessageId { epoch, id } = path.id().id;
        assert_eq!(path.message.sender_template, s1);
        let expected = [&epoch.to_be_bytes()[..], &id.to_be_bytes(), &octets(s1.source())].concat();
        assert_eq!(objects[0].contents, expected);
    }
}

/// An MCAST_LIST holds the Epoch, and identifiers each with sender and group, for IPv4 and IPv6.
pub(crate) fn a_multicast_list_names_senders_and_groups(lab: &Lab) {
    shows(&["rfc2961-5.1-07", "rfc2961-5.1-08", "rfc2961-5.1-10"]);
    for (family, ctype) in [(Family::V4, 4), (Family::V6, 5)] {
        let dut = lab.brisk().point_to_point(family);
        let (g, s1) = (dut.g(), dut.s1());
        let (summary, path) = group_list(dut, &[Station::D1]);
        let objects = summary.objects(ClassNum::MESSAGE_ID_LIST);
        assert_eq!((objects.len(), objects[0].class, objects[0].ctype), (1, 25, ctype));
        let MessageId { epoch, id } = path.id().id;
        let (sender, group) = (octets(s1.source()), octets(g.flow().destination));
        let expected = [&epoch.to_be_bytes()[..], &id.to_be_bytes(), &sender, &group].concat();
        assert_eq!(objects[0].contents, expected);
    }
}

/// Every entry of a SRC_LIST and of an MCAST_LIST keeps its state alive, for IPv4.
pub(crate) fn lists_of_groups_that_come_are_read_to_the_end(lab: &Lab) {
    shows(&["rfc2961-5.1-05", "rfc2961-5.1-07"]);
    read_to_the_end(lab, Family::V4);
}

/// Every entry of a SRC_LIST and of an MCAST_LIST keeps its state alive, for IPv6.
pub(crate) fn lists_of_groups_that_come_are_read_to_the_end_over_ipv6(lab: &Lab) {
    shows(&["rfc2961-5.1-06", "rfc2961-5.1-08"]);
    read_to_the_end(lab, Family::V6);
}

fn read_to_the_end(lab: &Lab, family: Family) {
    let mut dut = lab.brisk().with(family, |_| ());
    let s1 = dut.s1();
    let group = dut.g().flow().destination;
    // The second group differs in its last octet, and is routed like the first.
    let other = match group {
        IpAddr::V4(address) => IpAddr::V4((u32::from(address) + 1).into()),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) + 1).into()),
    };
    dut.set_route(other, Some(s1.source()), group_route(Port::A, &[Port::C]));
    let one_group: Vec<SessionKey> = sessions(&dut, dut.g(), 20);
    for (key, id) in one_group.iter().zip(1..) {
        brief(&mut dut, *key, 1, id);
    }
    let key = dut.plan.session(other, 5000);
    brief(&mut dut, key, 1, 21);
    let of_group: Vec<(u32, IpAddr)> = (1..=20).map(|id| (id, s1.source())).collect();
    let alive = keeps_alive(&mut dut, Port::C, |dut| {
        dut.send_srefresh_to(Station::U1, group, &[src_list(&of_group)]);
        dut.send_srefresh_to(Station::U1, other, &[src_list(&[(21, s1.source())])]);
    });
    assert!(alive, "{family:?}, SRC_LIST");
    let both: Vec<(u32, IpAddr, IpAddr)> =
        (1..=21).map(|id| (id, s1.source(), if id == 21 { other } else { group })).collect();
    let alive = keeps_alive(&mut dut, Port::C, |dut| dut.send_srefresh(Station::U1, &[mcast_list(&both)]));
    assert!(alive, "{family:?}, MCAST_LIST");
    assert_eq!(dut.acks(Station::U1), []);
}

/// Lists of impossible lengths or of unknown C-Types have no effect.
pub(crate) fn a_malformed_list_has_no_effect(lab: &Lab) {
    shows(&["rfc2961-5.1-11"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), plain(10));
    dut.forget();
    for (ctype, contents) in [
        (1, "00123456"),
        (1, ""),
        (2, "00123456 0000000b 0a000001 0000000c"),
        (3, "00123456 0000000b 0a000001"),
        (4, "00123456 0000000b 0a000001 e0010203 0000000c"),
        (5, "00123456 0000000b 0a000001 e0010203"),
        (6, "00123456 0000000b"),
    ] {
        let packet = with_list(&dut, ctype, &hex(contents));
        dut.send_packet(Station::U1, &packet);
        dut.advance(Duration::from_secs(1));
        dut.expect_silence();
    }
    dut.send_srefresh(Station::U1, &[list(&[10, 11])]);
    dut.expect_acks(Station::U1, &[nack(11)]); // All is as before.
}

/// A device without refresh reduction drops Srefreshes in silence, and refreshes nothing by them.
pub(crate) fn who_does_without_drops_summary_refreshes(lab: &Lab) {
    shows(&["rfc2961-5.1-12"]);
    let mut dut = lab.brisk().reducing_with(|reduction| *reduction = ReductionConfig::off());
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::C);
    let alive = keeps_alive(&mut dut, Port::C, |dut| dut.send_srefresh(Station::U1, &[list(&[10])]));
    assert!(!alive);
    let others = [Port::A, Port::B, Port::D].map(|port| dut.all::<Message>(port).len());
    assert_eq!(others, [0; 3], "nobody is told");
}
