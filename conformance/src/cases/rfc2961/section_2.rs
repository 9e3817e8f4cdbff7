//! RFC 2961 section 2: the Refresh-Reduction-Capable bit.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::bench::{
    Ack, Dut, Family, Lab, Packet, Port, Received, Station, ack, cl, ff, list, mcast_list, nack, src_list,
    tspec, wanted,
};
use crate::shows;
use rsvp_core::config::{ReductionConfig, SummaryRefresh};
use rsvp_core::wire::{
    FilterSpec, Message, MessageId, MessageType, Path, PathErr, PathTear, Resv, SessionKey, Srefresh, Style,
};

use super::dialogue::saying;
use super::{
    announce, expect_bundles, expect_summaries, inconclusive, lasting_path, lasting_resv, longest_gap,
    refresh_times, sessions, via,
};

/// A router with path state of S1 for some sessions behind D1, which it refreshes there by Srefresh messages.
fn summarizing(lab: &Lab, count: u16) -> (Dut, Vec<SessionKey>) {
    summarizing_with(lab.brisk().router(), count)
}

fn summarizing_with(mut dut: Dut, count: u16) -> (Dut, Vec<SessionKey>) {
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), count), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    assert_eq!(dut.all_of::<Path>(Port::C, sessions.len()).len(), sessions.len());
    dut.advance(2 * dut.r());
    expect_summaries(&mut dut, Port::C);
    dut.forget();
    (dut, sessions)
}

/// All messages that the DUT sent out of any port, by first octet and type.
fn first_octets(dut: &mut Dut) -> Vec<(u8, MessageType)> {
    let octets = |message: &Received<Message>| (message.sent.packet.message[0], message.message_type());
    Port::ALL.iter().flat_map(|port| dut.all::<Message>(*port)).map(|message| octets(&message)).collect()
}

/// Has the DUT send messages of all the types that it sends, and says which.
fn send_all_types(dut: &mut Dut) -> Vec<(u8, MessageType)> {
    let (h, s1) = (dut.h(), dut.s1());
    let path = Path { sender_tspec: tspec(200.0), ..lasting_path(dut, Station::U1, h, s1) };
    dut.send_id(Station::U1, path, wanted(10));
    let resv = lasting_resv(dut, Station::D1, h, s1);
    dut.send(Station::D1, resv.clone());
    dut.send(Station::D1, dut.path_err(h, s1, 1, 0));
    dut.send(Station::D1, dut.resv(Station::D1, h, Style::Ff, &[ff(cl(90.0), s1)]));
    dut.send(Station::U1, dut.resv_conf(h, h.flow().destination, Style::Ff, &resv.flows));
    dut.advance(2 * dut.r());
    dut.send(Station::D1, dut.resv_tear(Station::D1, h, Style::Ff, &resv.flows));
    dut.send(Station::U1, dut.path_tear(Station::U1, h, s1));
    first_octets(dut)
}

const STANDARD: [MessageType; 7] = [
    MessageType::PATH,
    MessageType::RESV,
    MessageType::PATH_ERR,
    MessageType::RESV_ERR,
    MessageType::PATH_TEAR,
    MessageType::RESV_TEAR,
    MessageType::RESV_CONF,
];

/// Every message that leaves, of whatever type, and every message in a Bundle begins with 0x11; with refresh
/// reduction off, with 0x10.
pub(crate) fn every_message_says_what_the_node_is_capable_of(lab: &Lab) {
    shows(&["rfc2961-2-01", "rfc2961-2-03"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::U1, Station::D1]);
    let mut sent = send_all_types(&mut dut);
    let (sessions, s1) = (sessions(&dut, dut.h(), 3), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    dut.advance(dut.timing.patience);
    let bundles = dut.bundles(Port::C);
    assert!(bundles.iter().all(|(bundle, _)| bundle.message[0] == 0x11), "{bundles:?}");
    sent.extend(
        bundles
            .iter()
            .flat_map(|(_, messages)| messages)
            .map(|message| (message.sent.packet.message[0], message.message_type())),
    );
    assert!(sent.iter().all(|(first, _)| *first == 0x11), "{sent:?}");
    let types: BTreeSet<u8> = sent.iter().map(|(_, message_type)| message_type.0).collect();
    let others = [MessageType::ACK, MessageType::SREFRESH];
    let missing: Vec<_> = STANDARD.iter().chain(&others).filter(|it| !types.contains(&it.0)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let mut dut = lab.reducing_with(|reduction| *reduction = ReductionConfig::off());
    let (h, s1) = (dut.h(), dut.s1());
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    let octets = [dut.expect::<Path>(Port::C).sent, dut.expect::<Resv>(Port::A).sent];
    assert_eq!(octets.map(|sent| sent.packet.message[0]), [0x10; 2]);
}

/// A device that says it is capable takes a Bundle, a MESSAGE_ID, an Ack and an Srefresh with each kind of list.
pub(crate) fn who_is_capable_takes_all_that_is_defined(lab: &Lab) {
    shows(&["rfc2961-2-02"]);
    let mut dut = lab.router();
    let (h, k, s1) = (dut.h(), dut.k(), dut.s1());
    dut.introduce(Station::D1);
    dut.forget();
    let packet = dut.pack_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), wanted(10));
    dut.send_bundle(Station::U1, &[packet]);
    let path = dut.expect::<Path>(Port::C);
    assert!(path.is_capable());
    dut.expect_acks(Station::U1, &[ack(10)]);
    dut.send_ack(Station::D1, path.id().id);
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, k, s1), wanted(11));
    dut.expect::<Path>(Port::D);
    dut.expect_acks(Station::U1, &[ack(11)]);
    dut.send_srefresh(Station::U1, &[list(&[10, 11])]);
    let group = dut.g().flow().destination;
    dut.send_srefresh(Station::U1, &[mcast_list(&[(12, s1.source(), group)])]);
    dut.send_srefresh_to(Station::U1, group, &[src_list(&[(13, s1.source())])]);
    dut.advance(Duration::from_secs(1));
    dut.expect_acks(Station::U1, &[nack(12), nack(13)]);
    dut.advance(Duration::from_secs(4));
    dut.expect_no::<PathErr>(Port::A);
    dut.expect_no::<Path>(Port::C);
}

/// The flag tells of the device itself, whatever the neighbours' messages say, and each neighbour is treated as
/// itself says.
pub(crate) fn the_flag_is_the_nodes_own(lab: &Lab) {
    shows(&["rfc2961-2-04"]);
    for (is_on, flags) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
        let mut dut = lab.brisk().reducing_with(|reduction| {
            if !is_on {
                *reduction = ReductionConfig::off();
            }
        });
        let (h, s1) = (dut.h(), dut.s1());
        dut.set_flags(Station::U1, flags);
        dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
        assert_eq!(dut.expect::<Path>(Port::C).is_capable(), is_on, "U1 sends {flags}");
        dut.set_flags(Station::D1, 1 - flags);
        dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
        assert_eq!(dut.expect::<Resv>(Port::A).is_capable(), is_on, "D1 sends {}", 1 - flags);
        dut.acknowledging(Station::U1);
        dut.acknowledging(Station::D1);
        dut.advance(3 * dut.r());
        let summaries = [Port::A, Port::C].map(|port| !dut.all::<Srefresh>(port).is_empty());
        assert_eq!(summaries, [is_on && flags == 1, is_on && flags == 0], "each as itself says");
    }
}

/// D1 takes its flag back with the next of these messages, again and again: each ends the Srefreshes to it.
fn examined(lab: &Lab, messages: impl Fn(&Dut) -> [Packet; 3]) {
    let (mut dut, sessions) = summarizing(lab, 2);
    for number in 0..3 {
        if number > 0 {
            dut.introduce(Station::D1);
            summarized(&mut dut);
        }
        dut.set_flags(Station::D1, 0);
        let packet = messages(&dut)[number].clone();
        dut.send_packet(Station::D1, &packet);
        dut.forget();
        dut.advance(dut.r() * 7 / 4);
        assert_eq!(dut.all::<Srefresh>(Port::C).len(), 0, "after message {number}");
        let refreshed: BTreeSet<SessionKey> =
            dut.all::<Path>(Port::C).iter().map(|path| path.message.session.key).collect();
        assert_eq!(refreshed, BTreeSet::from_iter(sessions.iter().copied()), "after message {number}");
    }
}

/// Waits until the device refreshes its Path state at D1 by an Srefresh message, now that it may.
fn summarized(dut: &mut Dut) {
    for _ in 0..16 {
        dut.advance(dut.r() / 4);
        if !dut.all::<Srefresh>(Port::C).is_empty() {
            return;
        }
    }
    inconclusive("the device sends no Srefresh messages any more");
}

/// One Resv, PathErr or ResvTear without the flag ends the Srefreshes to its sender.
pub(crate) fn messages_to_the_previous_hop_are_examined_for_the_flag(lab: &Lab) {
    shows(&["rfc2961-2-05", "rfc2961-2-06"]);
    examined(lab, |dut| {
        let (d1, h, s1) = (Station::D1, dut.h(), dut.s1());
        [
            dut.pack(d1, dut.resv(d1, h, Style::Ff, &[ff(cl(1.0), s1)])),
            dut.pack(d1, dut.path_err(h, s1, 1, 0)),
            dut.pack(d1, dut.resv_tear(d1, h, Style::Ff, &[ff(cl(1.0), s1)])),
        ]
    });
}

/// A sender behind D1, and its session that ends at U1.
fn the_other_way(dut: &Dut) -> (SessionKey, FilterSpec) {
    (dut.session_towards_u1(), FilterSpec::Ip { source: dut.h().flow().destination, port: 9 })
}

/// One Path, PathTear or ResvErr without the flag ends the Srefreshes to its sender.
pub(crate) fn messages_to_the_next_hop_are_examined_for_the_flag(lab: &Lab) {
    shows(&["rfc2961-2-05", "rfc2961-2-06"]);
    examined(lab, |dut| {
        let (d1, (back, sender)) = (Station::D1, the_other_way(dut));
        [
            dut.pack(d1, dut.path(d1, back, sender)),
            dut.pack(d1, dut.path_tear(d1, back, sender)),
            dut.pack(d1, dut.resv_err(d1, back, Style::Ff, ff(cl(1.0), sender), (1, 0, 0))),
        ]
    });
}

/// One ResvConf, Srefresh or Ack without the flag ends the Srefreshes to its sender.
pub(crate) fn other_messages_are_examined_for_the_flag(lab: &Lab) {
    shows(&["rfc2961-2-05", "rfc2961-2-06"]);
    examined(lab, |dut| {
        let (d1, (back, sender)) = (Station::D1, the_other_way(dut));
        let flows = [ff(cl(1.0), sender)];
        [
            dut.pack(d1, dut.resv_conf(back, dut.plan.station(Station::U1), Style::Ff, &flows)),
            dut.pack(d1, Srefresh { lists: vec![list(&[1])] }),
            dut.pack_with(d1, Ack, &saying(&[ack(1)])),
        ]
    });
}

/// After a message without the flag no Bundle goes to its sender.
pub(crate) fn no_bundle_goes_to_who_withdraws_the_flag(lab: &Lab) {
    shows(&["rfc2961-2-07"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 6), dut.s1());
    announce(&mut dut, Station::U1, &sessions[..3], s1);
    expect_bundles(&mut dut, Port::C, 3);
    dut.withdraw(Station::D1);
    dut.forget();
    announce(&mut dut, Station::U1, &sessions[3..], s1);
    dut.advance(4 * dut.r());
    assert!(dut.bundles(Port::C).is_empty());
    assert!(dut.all::<Path>(Port::C).len() > 3);
}

/// Whole Paths take the place of Srefreshes in time when the flag is withdrawn, and Srefreshes begin again when it is
/// back.
pub(crate) fn state_outlives_the_withdrawal_of_the_flag(lab: &Lab) {
    shows(&["rfc2961-2-08", "rfc2961-2-13"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 10), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    let wait = dut.r() * 5 / 2;
    dut.advance(wait);
    for _ in 0..2 {
        dut.withdraw(Station::D1);
        dut.advance(wait);
        dut.introduce(Station::D1);
        dut.advance(wait);
    }
    let (paths, summaries) = (dut.all::<Path>(Port::C), expect_summaries(&mut dut, Port::C));
    let (now, r) = (dut.now(), dut.r());
    let late = summaries.iter().filter(|summary| now.since(summary.sent.at) < 2 * r);
    let resumed: BTreeSet<MessageId> = late.flat_map(Received::ids).collect();
    assert_eq!(resumed.len(), sessions.len(), "resumed for all");
    for session in &sessions {
        let gap = longest_gap(&refresh_times(&paths, &summaries, *session));
        let longest = r * 3 / 2 + Duration::from_millis(100) + dut.timing.slack;
        assert!(gap <= longest, "{session:?}: {gap:?}");
    }
    dut.expect_no::<PathTear>(Port::C);
}

/// Where it is configured that neighbours are capable, Srefreshes and Bundles go on without the flag.
pub(crate) fn an_operator_may_have_the_flag_ignored(lab: &Lab) {
    shows(&["rfc2961-2-09"]);
    for assume_capable in [true, false] {
        let dut = lab.brisk().with(Family::V4, |config| {
            config.default_interface.reduction.assume_capable = assume_capable;
        });
        let (mut dut, sessions) = summarizing_with(dut, 2);
        dut.withdraw(Station::D1);
        dut.forget();
        dut.advance(2 * dut.r());
        assert_eq!(dut.all::<Srefresh>(Port::C).is_empty(), !assume_capable);
        dut.send(Station::D1, lasting_resv(&dut, Station::D1, sessions[0], dut.s1()));
        dut.forget();
        let more = super::sessions(&dut, dut.h(), 6);
        let s1 = dut.s1();
        announce(&mut dut, Station::U1, &more[2..], s1);
        dut.advance(dut.timing.patience);
        assert_eq!(dut.bundles(Port::C).is_empty(), !assume_capable);
    }
}

/// Message ids are acknowledged, and used, with neighbours who do not set the flag, and by a device without Bundles
/// or Srefreshes, which does not set it itself.
pub(crate) fn message_ids_do_not_need_the_flag(lab: &Lab) {
    shows(&["rfc2961-2-10", "rfc2961-2-11"]);
    let settings: [fn(&mut ReductionConfig); 3] = [
        |_| (),
        |reduction| reduction.bundle = false,
        |reduction| reduction.summary_refresh = SummaryRefresh::Off,
    ];
    for (number, change) in settings.into_iter().enumerate() {
        let mut dut = lab.reducing_with(change);
        let (h, s1) = (dut.h(), dut.s1());
        if number == 0 {
            dut.introduce(Station::U1);
            dut.withdraw(Station::U1);
        }
        dut.send_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), wanted(5));
        dut.expect_acks(Station::U1, &[ack(5)]);
        dut.expect::<Path>(Port::C);
        // D1 shows with an id of its own that it knows what one is.
        dut.send_id(Station::D1, lasting_resv(&dut, Station::D1, h, s1), wanted(6));
        dut.expect_acks(Station::D1, &[ack(6)]);
        let resv = dut.expect::<Resv>(Port::A);
        assert!(resv.id().wants_ack());
        assert_eq!(resv.is_capable(), number == 0);
        dut.send_ack(Station::U1, resv.id().id);
        dut.advance(Duration::from_secs(2));
        dut.expect_no::<Resv>(Port::A);
    }
}

/// Of two neighbours on a LAN only the one with the flag gets Srefreshes, and a Path's flag is that of its HOP, not
/// of its sender.
pub(crate) fn each_neighbour_is_treated_as_itself_says(lab: &Lab) {
    shows(&["rfc2961-2-12"]);
    let mut dut = lab.brisk().router();
    let (k, s1) = (dut.k(), dut.s1());
    let other = dut.plan.session(dut.plan.address(8, 9), 5000);
    let route = via(&dut, Station::D3);
    dut.set_route(other.flow().destination, None, route);
    dut.befriend(&[Station::D2, Station::D3]);
    dut.set_flags(Station::U1, 1);
    dut.acknowledging(Station::U1);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, k, s1));
    let told = dut.expect::<Path>(Port::D).id().id;
    dut.send(Station::U1, lasting_path(&dut, Station::U1, other, s1));
    dut.expect::<Path>(Port::D);
    dut.withdraw(Station::D3);
    dut.send(Station::D2, lasting_resv(&dut, Station::D2, k, s1));
    let resv = dut.expect::<Resv>(Port::A).id().id;
    dut.advance(3 * dut.r());
    for summary in dut.all::<Srefresh>(Port::D) {
        assert_eq!(summary.ids(), [told]);
        assert_eq!(summary.sent.packet.destination, dut.plan.station(Station::D2));
    }
    let paths = dut.all::<Path>(Port::D);
    assert!(!paths.is_empty() && paths.iter().all(|path| path.message.session.key == other));
    // What U1 is capable of was only said in Paths whose IP source is S1.
    let upstream = dut.expect::<Srefresh>(Port::A);
    assert_eq!(upstream.sent.packet.destination, dut.plan.station(Station::U1));
    assert_eq!(upstream.ids(), [resv]);
}
