//! RFC 2961 sections 3.1, 3.2 and 3.4: the form of Bundle messages, and those that come.

use std::time::Duration;

use crate::bench::{
    Ack, Dut, Lab, Packet, Port, Station, ack, hex, list, nack, object, plain, seal, tspec, wanted,
};
use crate::shows;
use rsvp_core::config::ReductionConfig;
use rsvp_core::wire::{
    Acknowledgement, Adspec, ClassNum, FlaggedId, Head, Header, Message, MessageType, Path, PathErr,
    PathTear, RawMessage, RawObject, Resv, ResvErr, ResvTear, SessionKey, Srefresh,
};

use super::{announce, expect_bundles, lasting_path, lasting_resv, sessions};

/// The one's complement sum over some octets.
fn sum(octets: &[u8]) -> u16 {
    let words = octets.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    words.fold(0_u16, |sum, word| {
        let (sum, carry) = sum.overflowing_add(word);
        sum + u16::from(carry)
    })
}

/// The first Bundle that the DUT sends to D1: three Paths.
fn bundle_to_d1(dut: &mut Dut) -> (Packet, Vec<Vec<u8>>) {
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(dut, dut.h(), 3), dut.s1());
    announce(dut, Station::U1, &sessions, s1);
    let (bundle, messages) = expect_bundles(dut, Port::C, 3).swap_remove(0);
    ((*bundle).clone(), messages.into_iter().map(|message| message.sent.packet.message).collect())
}

/// The ports of the sessions whose Paths have gone on to D1, as far as they have.
fn passed_on(dut: &mut Dut) -> Vec<u16> {
    let mut ports: Vec<u16> =
        dut.all::<Path>(Port::C).iter().map(|path| path.message.session.key.flow().port).collect();
    ports.sort_unstable();
    ports
}

/// Asserts that the Paths of the sessions with these ports go on to D1, and no others.
fn expect_passed_on(dut: &mut Dut, ports: &[u16]) {
    dut.wait_for::<Path>(Port::C, ports.len());
    assert_eq!(passed_on(dut), ports);
}

/// Paths of S1 to the ports of H's host from 5000 on, each to be acknowledged.
fn paths(dut: &Dut, count: u16) -> Vec<Packet> {
    let path = |(session, id): (&SessionKey, u32)| {
        dut.pack_id(Station::U1, lasting_path(dut, Station::U1, *session, dut.s1()), wanted(id))
    };
    sessions(dut, dut.h(), count).iter().zip(10..).map(path).collect()
}

/// A Bundle begins with the common header: version 1, type 12, the TTL, the length of all; then its messages follow
/// one by one.
pub(crate) fn the_header_is_that_of_every_message(lab: &Lab) {
    shows(&["rfc2961-3.1-01", "rfc2961-3.1-08", "rfc2961-3.1-09"]);
    let (bundle, messages) = bundle_to_d1(&mut lab.router());
    let octets = &bundle.message;
    assert_eq!((octets[0], octets[1], octets[5]), (0x11, 12, 0));
    assert_eq!(octets[4], bundle.ttl);
    let length = usize::from(u16::from_be_bytes([octets[6], octets[7]]));
    assert_eq!(length, octets.len());
    assert_eq!(length, 8 + messages.iter().map(Vec::len).sum::<usize>());
    assert_eq!(octets[8..], messages.concat(), "nothing stands between them");
    assert_eq!(octets[8..10], [0x11, MessageType::PATH.0], "a common header of its own");
}

/// A Bundle whose RSVP Length is not that of the datagram has no effect.
pub(crate) fn a_length_that_is_not_that_of_the_datagram_spoils_it(lab: &Lab) {
    shows(&["rfc2961-3.1-09"]);
    let mut dut = lab.router();
    let whole = dut.bundle(Station::U1, &paths(&dut, 2));
    for change in [-4_i32, 4, 200] {
        let mut packet = whole.clone();
        let length = i32::try_from(packet.message.len()).expect("short") + change;
        packet.message[6..8].copy_from_slice(&u16::try_from(length).expect("short").to_be_bytes());
        seal(&mut packet.message);
        dut.send_packet(Station::U1, &packet);
        dut.expect_silence();
    }
    dut.send_packet(Station::U1, &whole);
    expect_passed_on(&mut dut, &[5000, 5001]);
}

/// A Bundle that is sent has flag 0x01 alone; one with all flags is taken.
pub(crate) fn flags_that_are_reserved_are_clear_and_ignored(lab: &Lab) {
    shows(&["rfc2961-3.1-02", "rfc2961-3.1-03"]);
    let mut dut = lab.router();
    let (bundle, _) = bundle_to_d1(&mut dut);
    assert_eq!(bundle.message[0] & 0xf, Header::REFRESH_REDUCTION);
    assert_eq!(bundle.message[1], 12);
    let mut dut = lab.router();
    dut.set_flags(Station::U1, 0xf);
    let packet = dut.bundle(Station::U1, &paths(&dut, 3));
    assert_eq!(packet.message[..2], [0x1f, 12]);
    dut.send_packet(Station::U1, &packet);
    expect_passed_on(&mut dut, &[5000, 5001, 5002]);
}

/// The checksum of a Bundle is that of all its octets, and one that is right is taken.
pub(crate) fn the_checksum_covers_all_of_it(lab: &Lab) {
    shows(&["rfc2961-3.1-04"]);
    let mut dut = lab.router();
    let (bundle, messages) = bundle_to_d1(&mut dut);
    assert!(bundle.message[2..4] == [0, 0] || sum(&bundle.message) == 0xffff);
    assert!(messages.iter().all(|message| message[2..4] == [0, 0] || sum(message) == 0xffff));
    let mut dut = lab.router();
    let packet = dut.bundle(Station::U1, &paths(&dut, 2));
    assert_eq!(sum(&packet.message), 0xffff);
    dut.send_packet(Station::U1, &packet);
    expect_passed_on(&mut dut, &[5000, 5001]);
}

/// A Bundle without a checksum is taken, as are messages without one in a Bundle; a wrong checksum of one message
/// spoils it alone.
pub(crate) fn either_checksum_may_be_left_out(lab: &Lab) {
    shows(&["rfc2961-3.1-05", "rfc2961-3.1-06", "rfc2961-3.1-07"]);
    let mut dut = lab.router();
    let paths = paths(&dut, 4);
    let mut packet = dut.bundle(Station::U1, &paths[..1]);
    packet.message[2..4].fill(0);
    dut.send_packet(Station::U1, &packet);
    expect_passed_on(&mut dut, &[5000]);
    let mut without = paths[1..3].to_vec();
    without.iter_mut().for_each(|path| path.message[2..4].fill(0));
    dut.send_bundle(Station::U1, &without);
    expect_passed_on(&mut dut, &[5001, 5002]);
    dut.forget();
    let mut dut = lab.router();
    let mut spoilt = paths[..2].to_vec();
    spoilt[0].message[2] ^= 0x55;
    let mut packet = dut.bundle(Station::U1, &spoilt);
    packet.message[2..4].fill(0);
    dut.send_packet(Station::U1, &packet);
    expect_passed_on(&mut dut, &[5001]);
    dut.expect_acks(Station::U1, &[ack(11)]);
}

/// A Bundle of eight octets has no effect, and what comes next is served.
pub(crate) fn a_bundle_of_nothing_has_no_effect(lab: &Lab) {
    shows(&["rfc2961-3.2-01"]);
    let mut dut = lab.router();
    let packet = dut.bundle(Station::U1, &[]);
    assert_eq!(packet.message.len(), 8);
    dut.send_packet(Station::U1, &packet);
    dut.expect_silence();
    let (bundle, messages) = bundle_to_d1(&mut dut);
    assert!(bundle.message.len() > 8 && !messages.is_empty());
}

/// Path, PathTear, Hello, Srefresh, Resv, ResvTear, PathErr and Ack in a Bundle do what they do alone.
pub(crate) fn any_other_message_may_be_in_it(lab: &Lab) {
    shows(&["rfc2961-3.2-02"]);
    let mut dut = lab.router();
    let (h, k, s1) = (dut.h(), dut.k(), dut.s1());
    let h2 = sessions(&dut, h, 2)[1];
    dut.acknowledging(Station::U1);
    dut.introduce(Station::D1);
    for (session, id) in [(h, 1), (k, 2)] {
        dut.send_id(Station::U1, lasting_path(&dut, Station::U1, session, s1), plain(id));
    }
    let unacked = dut.expect::<Path>(Port::C).id().id;
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    dut.forget();
    let hello = dut.pack(Station::U1, Ack);
    let header = Header { flags: 0, send_ttl: 64 };
    let raw = RawMessage::new(MessageType(20), header, [object(22, 1, &[0, 0, 0, 1, 0, 0, 0, 0])]);
    let mut message = Vec::new();
    raw.and_then(|raw| raw.encode(&mut message)).expect("it is short");
    let hello = Packet { message, ..hello };
    // Upstream: Path of a new session, PathTear, Hello, Srefresh.
    let upstream = [
        dut.pack_id(Station::U1, lasting_path(&dut, Station::U1, h2, s1), wanted(3)),
        dut.pack(Station::U1, dut.path_tear(Station::U1, k, s1)),
        hello,
        dut.pack(Station::U1, Srefresh { lists: vec![list(&[1, 99])] }),
    ];
    dut.send_bundle(Station::U1, &upstream);
    assert_eq!(dut.expect::<Path>(Port::C).message.session.key, h2);
    assert_eq!(dut.expect::<PathTear>(Port::D).message.session.key, k);
    dut.expect_acks(Station::U1, &[ack(3), nack(99)]);
    dut.forget();
    // Downstream: Resv, ResvTear, PathErr, and an Ack.
    let tear = lasting_resv(&dut, Station::D1, h, s1);
    let acknowledgement =
        Head { acknowledgements: vec![Acknowledgement::Ack(FlaggedId::plain(unacked))], message_id: None };
    let downstream = [
        dut.pack(Station::D1, lasting_resv(&dut, Station::D1, h2, s1)),
        dut.pack(Station::D1, dut.resv_tear(Station::D1, h, tear.style, &tear.flows)),
        dut.pack(Station::D1, dut.path_err(h, s1, 1, 0)),
        dut.pack_with(Station::D1, Ack, &acknowledgement),
    ];
    dut.send_bundle(Station::D1, &downstream);
    assert_eq!(dut.expect::<Resv>(Port::A).message.session.key, h2);
    assert_eq!(dut.expect::<ResvTear>(Port::A).message.session.key, h);
    assert_eq!(dut.expect::<PathErr>(Port::A).message.session.key, h);
    dut.all::<Path>(Port::C);
    dut.advance(Duration::from_secs(3));
    let again = dut.all::<Path>(Port::C);
    assert!(again.iter().all(|path| path.message.session.key != h), "it is acknowledged: {again:?}");
}

/// What is in a Bundle within a Bundle has no effect, what stands beside it has; no such Bundle is sent.
pub(crate) fn a_bundle_in_a_bundle_has_no_effect(lab: &Lab) {
    shows(&["rfc2961-3.2-03"]);
    let mut dut = lab.router();
    let paths = paths(&dut, 3);
    let nested = dut.bundle(Station::U1, &paths[1..2]);
    dut.send_bundle(Station::U1, &[paths[0].clone(), nested, paths[2].clone()]);
    expect_passed_on(&mut dut, &[5000, 5002]);
    assert!(!dut.acks(Station::U1).contains(&ack(11)));
    // What the DUT sends is checked by the monitor as well.
    let mut dut = lab.router();
    let (_, messages) = bundle_to_d1(&mut dut);
    assert!(messages.iter().all(|message| message[1] != MessageType::BUNDLE.0));
}

/// Messages of different lengths in a Bundle are all taken; behind a length that is wrong nothing is.
pub(crate) fn it_is_read_by_the_lengths_of_its_messages(lab: &Lab) {
    shows(&["rfc2961-3.2-04"]);
    let mut dut = lab.router();
    let [h1, h2, h3] = sessions(&dut, dut.h(), 3)[..] else { panic!("three sessions") };
    let (u1, s1) = (Station::U1, dut.s1());
    let longer = |session, octets: usize| Path {
        forward: vec![object(0xc8, 1, &vec![0; octets])],
        ..lasting_path(&dut, u1, session, s1)
    };
    let packets = [dut.pack(u1, longer(h1, 0)), dut.pack(u1, longer(h2, 400)), dut.pack(u1, longer(h3, 8))];
    dut.send_bundle(u1, &packets);
    expect_passed_on(&mut dut, &[5000, 5001, 5002]);
    for wrong in [2_u16, 6, 402, 0xfffc] {
        let mut dut = lab.router();
        let mut packets = packets.clone();
        packets[1].message[6..8].copy_from_slice(&wrong.to_be_bytes());
        dut.send_bundle(u1, &packets);
        dut.advance(dut.timing.patience);
        let ports = passed_on(&mut dut);
        assert!(ports.is_empty() || ports == [5000], "length {wrong}: {ports:?}");
    }
}

/// A device that does without Bundles drops them whole and in silence.
pub(crate) fn who_takes_no_bundles_drops_them_whole(lab: &Lab) {
    shows(&["rfc2961-3.4-01"]);
    for off in [ReductionConfig::off(), ReductionConfig { bundle: false, ..ReductionConfig::default() }] {
        let mut dut = lab.reducing_with(|reduction| *reduction = off.clone());
        dut.set_flags(Station::U1, 1);
        dut.send_bundle(Station::U1, &paths(&dut, 2));
        dut.advance(Duration::from_secs(1));
        dut.expect_silence();
        // What is in it would be taken.
        let alone = lasting_path(&dut, Station::U1, dut.h(), dut.s1());
        dut.send(Station::U1, alone);
        expect_passed_on(&mut dut, &[5000]);
    }
}

/// The global break bit in the ADSPEC of the Path that goes on, after a Bundle with this TTL, this Send_TTL, and this
/// Send_TTL of the Path in it.
fn breaks(lab: &Lab, ttl: u8, send_ttl: u8, inner: u8) -> bool {
    let mut dut = lab.router();
    let mut path = dut.path(Station::U1, dut.h(), dut.s1());
    let adspec =
        hex("00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc");
    path.adspec = Some(Adspec::decode(&RawObject { class: 13, ctype: 2, contents: adspec }));
    let mut path = dut.pack(Station::U1, path);
    path.message[4] = inner;
    seal(&mut path.message);
    let mut bundle = dut.bundle(Station::U1, &[path]);
    bundle.ttl = ttl;
    bundle.message[4] = send_ttl;
    seal(&mut bundle.message);
    dut.send_packet(Station::U1, &bundle);
    dut.expect::<Path>(Port::C).objects(ClassNum::ADSPEC)[0].contents[5] & 0x80 != 0
}

/// Whether a hop without RSVP lies between is told by the Send_TTL of the Bundle, not by that of the Path in it.
pub(crate) fn the_bundles_own_ttl_tells_of_other_hops(lab: &Lab) {
    shows(&["rfc2961-3.4-02", "rfc2961-3.4-03"]);
    assert!(!breaks(lab, 64, 64, 64));
    assert!(breaks(lab, 60, 64, 64), "a hop without RSVP");
    assert!(!breaks(lab, 64, 64, 20), "the Path's own does not count");
    assert!(breaks(lab, 60, 64, 60));
}

/// A Bundle of another version or with a wrong checksum has no effect.
pub(crate) fn another_version_or_checksum_spoils_all_of_it(lab: &Lab) {
    shows(&["rfc2961-3.4-04"]);
    let mut dut = lab.router();
    let whole = dut.bundle(Station::U1, &paths(&dut, 1));
    let mut version = whole.clone();
    version.message[0] = 0x20;
    seal(&mut version.message);
    let mut checksum = whole.clone();
    checksum.message[3] ^= 0x10;
    for packet in [version, checksum] {
        dut.send_packet(Station::U1, &packet);
        dut.advance(Duration::from_secs(1));
        dut.expect_silence();
    }
    dut.send_packet(Station::U1, &whole);
    expect_passed_on(&mut dut, &[5000]);
}

/// A message in a Bundle that is refused spoils neither the one before nor the one behind it.
pub(crate) fn each_message_is_taken_by_itself(lab: &Lab) {
    shows(&["rfc2961-3.4-05"]);
    let mut dut = lab.router();
    let [h1, h2] = sessions(&dut, dut.h(), 2)[..] else { panic!("two sessions") };
    let s1 = dut.s1();
    dut.learn(Station::U1, h1, s1);
    let resv = dut.pack(Station::D1, lasting_resv(&dut, Station::D1, h1, s1));
    let raw = RawMessage::decode(&resv.message).expect("it was encoded just now");
    let mut objects: Vec<RawObject> = raw.objects.into_iter().map(|placed| placed.object).collect();
    objects.insert(3, object(0x7a, 1, &[0; 4]));
    let unknown = RawMessage::new(MessageType::RESV, Header { flags: 0, send_ttl: 64 }, objects);
    let mut bytes = Vec::new();
    unknown.and_then(|raw| raw.encode(&mut bytes)).expect("it is short");
    let mut path = lasting_path(&dut, Station::D1, dut.session_towards_u1(), dut.plan.sender(4));
    path.sender_tspec = tspec(1.0);
    let first = dut.pack(Station::D1, path);
    let second = dut.pack(Station::D1, lasting_resv(&dut, Station::D1, h2, s1));
    dut.learn(Station::U1, h2, s1);
    dut.send_bundle(Station::D1, &[first, Packet { message: bytes, ..resv }, second]);
    dut.expect::<Path>(Port::A);
    assert_eq!(dut.expect::<Resv>(Port::A).message.session.key, h2);
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.value), (13, 0x7a01));
    dut.expect_no::<Resv>(Port::A);
}

/// What comes in a Bundle and has no HOP is acknowledged to the IP source of the Bundle.
pub(crate) fn the_bundles_source_generated_what_has_no_hop(lab: &Lab) {
    shows(&["rfc2961-3.4-07"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let error = dut.pack_id(Station::D1, dut.path_err(h, s1, 1, 0), wanted(8));
    dut.send_bundle(Station::D1, &[error]);
    dut.expect::<PathErr>(Port::A);
    dut.expect_acks(Station::D1, &[ack(8)]);
    let sent = dut.all::<Message>(Port::C);
    assert!(sent.iter().all(|message| message.head.acknowledgements.is_empty()), "nowhere else");
}
