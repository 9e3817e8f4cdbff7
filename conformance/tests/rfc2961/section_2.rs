//! RFC 2961 section 2: the Refresh-Reduction-Capable bit.

use std::collections::BTreeSet;
use std::time::Duration;

use conformance::bench::{
    Dut, Family, Lab, Packet, Port, R, Received, Station, ack, cl, ff, list, mcast_list, nack, src_list,
    tspec, wanted,
};
use conformance::shows;
use rsvp_core::config::{ReductionConfig, SummaryRefresh};
use rsvp_core::wire::{
    FilterSpec, Message, MessageType, Path, PathErr, PathTear, Resv, SessionKey, Srefresh, Style,
};

use crate::{announce, lasting_path, lasting_resv, longest_gap, refresh_times, sessions, via};

/// A router with path state of S1 for some sessions behind D1, which it refreshes there by Srefresh messages.
fn summarizing(count: u16) -> (Dut, Vec<SessionKey>) {
    summarizing_with(Lab::in_process().router(), count)
}

fn summarizing_with(mut dut: Dut, count: u16) -> (Dut, Vec<SessionKey>) {
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), count), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    assert_eq!(dut.all::<Path>(Port::C).len(), sessions.len());
    dut.advance(2 * R);
    assert!(!dut.all::<Srefresh>(Port::C).is_empty());
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
    dut.advance(2 * R);
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

#[test]
fn every_message_says_what_the_node_is_capable_of() {
    shows(&["rfc2961-2-01", "rfc2961-2-03"]);
    let mut dut = Lab::in_process().router();
    dut.befriend(&[Station::U1, Station::D1]);
    let mut sent = send_all_types(&mut dut);
    let (sessions, s1) = (sessions(&dut, dut.h(), 3), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    let bundles = dut.bundles(Port::C);
    assert!(bundles.iter().all(|(bundle, _)| bundle.message[0] == 0x11) && !bundles.is_empty());
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
    let mut dut = Lab::in_process().reducing_with(|reduction| *reduction = ReductionConfig::off());
    let (h, s1) = (dut.h(), dut.s1());
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    let sent = first_octets(&mut dut);
    assert!(sent.len() == 2 && sent.iter().all(|(first, _)| *first == 0x10), "{sent:?}");
}

#[test]
fn who_is_capable_takes_all_that_is_defined() {
    shows(&["rfc2961-2-02"]);
    let mut dut = Lab::in_process().router();
    let (h, k, s1) = (dut.h(), dut.k(), dut.s1());
    dut.introduce(Station::D1);
    dut.forget();
    let packet = dut.pack_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), wanted(10));
    dut.send_bundle(Station::U1, &[packet]);
    let path = dut.expect::<Path>(Port::C);
    assert!(path.is_capable());
    assert_eq!(dut.acks(Station::U1), [ack(10)]);
    dut.send_ack(Station::D1, path.id().id);
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, k, s1), wanted(11));
    dut.expect::<Path>(Port::D);
    assert_eq!(dut.acks(Station::U1), [ack(11)]);
    dut.send_srefresh(Station::U1, &[list(&[10, 11])]);
    let group = dut.g().flow().destination;
    dut.send_srefresh(Station::U1, &[mcast_list(&[(12, s1.source(), group)])]);
    dut.send_srefresh_to(Station::U1, group, &[src_list(&[(13, s1.source())])]);
    dut.advance(Duration::from_secs(1));
    assert_eq!(dut.acks(Station::U1), [nack(12), nack(13)]);
    dut.advance(Duration::from_secs(4));
    dut.expect_no::<PathErr>(Port::A);
    dut.expect_no::<Path>(Port::C);
}

#[test]
fn the_flag_is_the_nodes_own() {
    shows(&["rfc2961-2-04"]);
    for (is_on, flags) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
        let mut dut = Lab::in_process().reducing_with(|reduction| {
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
        dut.advance(3 * R);
        let summaries = [Port::A, Port::C].map(|port| !dut.all::<Srefresh>(port).is_empty());
        assert_eq!(summaries, [is_on && flags == 1, is_on && flags == 0], "each as itself says");
    }
}

/// Messages of each type from D1.
fn one_of_each_type(dut: &Dut) -> Vec<Packet> {
    let (d1, h, s1) = (Station::D1, dut.h(), dut.s1());
    let (back, sender) = (dut.session_towards_u1(), FilterSpec::Ip { source: h.flow().destination, port: 9 });
    let flow = ff(cl(1.0), sender);
    vec![
        dut.pack(d1, dut.resv(d1, h, Style::Ff, &[ff(cl(1.0), s1)])),
        dut.pack(d1, dut.path_err(h, s1, 1, 0)),
        dut.pack(d1, dut.resv_tear(d1, h, Style::Ff, &[ff(cl(1.0), s1)])),
        dut.pack(d1, dut.path(d1, back, sender)),
        dut.pack(d1, dut.path_tear(d1, back, sender)),
        dut.pack(d1, dut.resv_err(d1, back, Style::Ff, flow.clone(), (1, 0, 0))),
        dut.pack(d1, dut.resv_conf(back, dut.plan.station(Station::U1), Style::Ff, &[flow])),
        dut.pack(d1, Srefresh { lists: vec![list(&[1])] }),
    ]
}

#[test]
fn every_message_is_examined_for_the_flag() {
    shows(&["rfc2961-2-05", "rfc2961-2-06"]);
    let count = one_of_each_type(&Lab::in_process().router()).len();
    for number in 0..=count {
        let (mut dut, sessions) = summarizing(2);
        dut.set_flags(Station::D1, 0);
        match one_of_each_type(&dut).get(number) {
            Some(packet) => dut.send_packet(Station::D1, packet),
            None => dut.withdraw(Station::D1),
        }
        dut.forget();
        dut.advance(4 * R);
        assert!(dut.all::<Srefresh>(Port::C).is_empty(), "after message {number}");
        assert!(dut.all::<Path>(Port::C).len() >= 2 * sessions.len(), "after message {number}");
    }
}

#[test]
fn no_bundle_goes_to_who_withdraws_the_flag() {
    shows(&["rfc2961-2-07"]);
    let mut dut = Lab::in_process().router();
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 6), dut.s1());
    announce(&mut dut, Station::U1, &sessions[..3], s1);
    assert!(!dut.bundles(Port::C).is_empty());
    dut.withdraw(Station::D1);
    dut.forget();
    announce(&mut dut, Station::U1, &sessions[3..], s1);
    dut.advance(4 * R);
    assert!(dut.bundles(Port::C).is_empty());
    assert!(dut.all::<Path>(Port::C).len() > 3);
}

#[test]
fn state_outlives_the_withdrawal_of_the_flag() {
    shows(&["rfc2961-2-08", "rfc2961-2-13"]);
    let mut dut = Lab::in_process().router();
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 20), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    dut.advance(3 * R);
    for _ in 0..3 {
        dut.withdraw(Station::D1);
        dut.advance(4 * R);
        dut.introduce(Station::D1);
        dut.advance(4 * R);
    }
    let (paths, summaries) = (dut.all::<Path>(Port::C), dut.all::<Srefresh>(Port::C));
    let (last, all) = summaries.split_last().expect("summary refreshes");
    assert_eq!(last.ids().len(), sessions.len(), "resumed for all");
    let resumed = dut.now().since(last.sent.at) < 2 * R && all.len() > 4;
    assert!(resumed);
    for session in &sessions {
        let gap = longest_gap(&refresh_times(&paths, &summaries, *session));
        assert!(gap <= R * 3 / 2 + Duration::from_millis(100), "{session:?}: {gap:?}");
    }
    dut.expect_no::<PathTear>(Port::C);
}

#[test]
fn an_operator_may_have_the_flag_ignored() {
    shows(&["rfc2961-2-09"]);
    for assume_capable in [true, false] {
        let dut = Lab::in_process().with(Family::V4, |config| {
            config.default_interface.reduction.assume_capable = assume_capable;
        });
        let (mut dut, sessions) = summarizing_with(dut, 2);
        dut.withdraw(Station::D1);
        dut.forget();
        dut.advance(4 * R);
        assert_eq!(dut.all::<Srefresh>(Port::C).is_empty(), !assume_capable);
        dut.send(Station::D1, lasting_resv(&dut, Station::D1, sessions[0], dut.s1()));
        dut.forget();
        let more = crate::sessions(&dut, dut.h(), 6);
        let s1 = dut.s1();
        announce(&mut dut, Station::U1, &more[2..], s1);
        assert_eq!(dut.bundles(Port::C).is_empty(), !assume_capable);
    }
}

#[test]
fn message_ids_do_not_need_the_flag() {
    shows(&["rfc2961-2-10", "rfc2961-2-11"]);
    let settings: [fn(&mut ReductionConfig); 3] = [
        |_| (),
        |reduction| reduction.bundle = false,
        |reduction| reduction.summary_refresh = SummaryRefresh::Off,
    ];
    for (number, change) in settings.into_iter().enumerate() {
        let mut dut =
            Lab::in_process().with(Family::V4, |config| change(&mut config.default_interface.reduction));
        let (h, s1) = (dut.h(), dut.s1());
        if number == 0 {
            dut.introduce(Station::U1);
            dut.withdraw(Station::U1);
        }
        dut.send_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), wanted(5));
        assert_eq!(dut.acks(Station::U1), [ack(5)]);
        dut.expect::<Path>(Port::C);
        // D1 shows with an id of its own that it knows what one is.
        dut.send_id(Station::D1, lasting_resv(&dut, Station::D1, h, s1), wanted(6));
        assert_eq!(dut.acks(Station::D1), [ack(6)]);
        let resv = dut.expect::<Resv>(Port::A);
        assert!(resv.id().wants_ack(), "U1 has sent one");
        assert_eq!(resv.is_capable(), number == 0);
        dut.send_ack(Station::U1, resv.id().id);
        dut.advance(Duration::from_secs(5));
        dut.expect_no::<Resv>(Port::A);
    }
}

#[test]
fn each_neighbour_is_treated_as_itself_says() {
    shows(&["rfc2961-2-12"]);
    let mut dut = Lab::in_process().router();
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
    dut.advance(3 * R);
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
