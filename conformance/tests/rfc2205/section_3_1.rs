//! RFC 2205 section 3.1: what a node does with each message, and how it makes its own.

use conformance::bench::{
    Dut, Lab, Packet, Port, R, Received, Station, cl, ff, gs, hex, object, se, tspec, wf,
};
use conformance::shows;
use rsvp_core::config::Bandwidth;
use rsvp_core::counters::DropReason;
use rsvp_core::wire::{
    ClassNum, Header, Path, PathErr, PathTear, RawObject, Resv, ResvConf, ResvErr, ResvTear, Style,
};

/// The state of figure 6: FF reservations of D1 on c, of D2 and D3 on d.
fn figure_6() -> Dut {
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2, s3) = (dut.g(), dut.s1(), dut.s2(), dut.s3());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(4.0), s1), ff(cl(5.0), s2)]);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(3.0), s1), ff(cl(1.0), s3)]);
    dut.reserve(Station::D3, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut
}

fn adspec() -> RawObject {
    let contents =
        hex("00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc");
    RawObject { class: 13, ctype: 2, contents }
}

/// Sends a Path whose octets were changed, and returns how many were dropped for `reason`.
fn damaged_path(change: impl FnOnce(&mut Vec<u8>), reason: DropReason) -> u64 {
    let mut dut = Lab::in_process().router();
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    let mut packet = dut.pack(Station::U1, path);
    packet.message[2..4].fill(0);
    change(&mut packet.message);
    dut.send_packet(Station::U1, &packet);
    dut.expect_silence();
    assert!(dut.node().sessions().is_empty());
    dut.drops(reason)
}

#[test]
fn objects_are_sent_in_the_order_of_the_grammar() {
    shows(&["rfc2205-3.1-01", "rfc2205-3.1.2-05", "rfc2205-3.1.2-07", "rfc2205-3.1.1-04"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send_changed(Station::U1, path, |objects| objects.push(adspec()));
    let path = dut.expect::<Path>(Port::C);
    assert_eq!((path.classes(), path.message_type().0), (vec![1, 3, 5, 11, 12, 13], 1));
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.confirm = Some(dut.plan.far());
    dut.send(Station::D1, resv);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!((resv.classes(), resv.message_type().0), (vec![1, 3, 5, 15, 8, 9, 10], 2));
    let error = dut.path_err(h, s1, 2, 0);
    dut.send(Station::D1, error);
    let error = dut.expect::<PathErr>(Port::A);
    assert_eq!((error.classes(), error.message_type().0), (vec![1, 6, 11, 12], 3));
    let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (2, 0, 0));
    dut.send(Station::U1, error);
    let error = dut.expect::<ResvErr>(Port::C);
    assert_eq!((error.classes(), error.message_type().0), (vec![1, 3, 6, 8, 9, 10], 4));
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.hop.address = dut.plan.address(3, 9);
    resv.confirm = Some(dut.plan.far());
    let far = dut.plan.far();
    dut.set_route(far, None, conformance::bench::group_route(Port::A, &[Port::C]));
    dut.send(Station::D1, resv);
    let confirmation = dut.expect::<ResvConf>(Port::C);
    assert_eq!((confirmation.classes(), confirmation.message_type().0), (vec![1, 6, 15, 8, 9, 10], 7));
    for hop in [dut.plan.station(Station::D1), dut.plan.address(3, 9)] {
        let mut tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        tear.hop.address = hop;
        dut.send(Station::D1, tear);
    }
    let tear = dut.expect::<ResvTear>(Port::A);
    assert_eq!(tear.message_type().0, 6);
    let classes: Vec<u8> = tear.classes().into_iter().filter(|class| *class != 9).collect();
    assert_eq!(classes, [1, 3, 8, 10], "no TIME_VALUES; a FLOWSPEC may be there or not");
    let tear = dut.path_tear(Station::U1, h, s1);
    dut.send(Station::U1, tear);
    let tear = dut.expect::<PathTear>(Port::C);
    assert_eq!((tear.classes()[..3].to_vec(), tear.message_type().0), (vec![1, 3, 11], 5));
}

#[test]
fn another_version_is_discarded() {
    shows(&["rfc2205-3.1.1-02", "rfc2209-2.arrive-01"]);
    for version in [0, 2, 15] {
        assert_eq!(damaged_path(|octets| octets[0] = version << 4, DropReason::BadVersion), 1);
    }
}

#[test]
fn flags_and_the_reserved_octet_do_not_count() {
    shows(&["rfc2205-3.1.1-03"]);
    let mut dut = Lab::in_process().router();
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    let mut packet = dut.pack(Station::U1, path);
    packet.message[2..4].fill(0);
    packet.message[0] = 0x1e;
    packet.message[5] = 0xff;
    dut.send_packet(Station::U1, &packet);
    let sent = dut.expect::<Path>(Port::C);
    assert_eq!((sent.raw.header.flags, sent.raw.header.reserved), (Header::REFRESH_REDUCTION, 0));
}

#[test]
fn unknown_types_are_discarded() {
    for kind in [0, 10, 255] {
        let mut dut = Lab::in_process().router();
        let path = dut.path(Station::U1, dut.h(), dut.s1());
        let mut packet = dut.pack(Station::U1, path);
        packet.message[1] = kind;
        packet.message[2..4].fill(0);
        packet.destination = dut.plan.dut(Port::A);
        dut.send_packet(Station::U1, &packet);
        dut.expect_silence();
        assert_eq!(dut.drops(DropReason::UnknownMessageType), 1);
    }
}

#[test]
fn a_message_without_checksum_is_taken() {
    shows(&["rfc2205-3.1.1-06"]);
    let mut dut = Lab::in_process().router();
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    let mut packet = dut.pack(Station::U1, path);
    packet.message[2..4].fill(0);
    dut.send_packet(Station::U1, &packet);
    let _ = dut.expect::<Path>(Port::C);
    packet.message[2] = 0xff;
    dut.send_packet(Station::U1, &packet);
    assert_eq!(dut.drops(DropReason::BadChecksum), 1);
}

#[test]
fn send_ttl_is_the_ip_ttl() {
    shows(&["rfc2205-3.1.1-07"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path);
    let path = dut.expect::<Path>(Port::C);
    assert_eq!((path.raw.header.send_ttl, path.sent.packet.ttl), (63, 63), "one less than it came with");
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!(resv.raw.header.send_ttl, resv.sent.packet.ttl);
}

#[test]
fn a_length_that_does_not_fit_is_discarded() {
    shows(&["rfc2205-3.1.1-08", "rfc2209-2.arrive-03"]);
    assert_eq!(damaged_path(|octets| octets[7] -= 4, DropReason::BadLength), 1);
    assert_eq!(damaged_path(|octets| octets[7] += 4, DropReason::BadLength), 1);
    let overrun = |octets: &mut Vec<u8>| {
        let last = octets.len() - 36;
        octets[last + 1] += 4;
    };
    assert_eq!(damaged_path(overrun, DropReason::BadLength), 1);
}

/// Sends a message without an object, and asserts that nothing comes of it.
fn without(class: ClassNum, message: impl Fn(&Dut) -> Message) {
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    if matches!(message(&dut), Message::Resv(_)) {
        dut.learn(Station::U1, h, s1);
    }
    let before = dut.node().sessions();
    let drop = |objects: &mut Vec<RawObject>| objects.retain(|object| object.class != class.0);
    match message(&dut) {
        Message::Path(path) => dut.send_changed(Station::U1, path, drop),
        Message::Resv(resv) => dut.send_changed(Station::D1, resv, drop),
    }
    dut.expect_silence();
    assert_eq!(dut.node().sessions(), before);
    assert_eq!(dut.drops(DropReason::MissingObject), 1, "{class}");
}

enum Message {
    Path(Path),
    Resv(Resv),
}

fn a_path(dut: &Dut) -> Message {
    Message::Path(dut.path(Station::U1, dut.h(), dut.s1()))
}

fn a_resv(dut: &Dut) -> Message {
    Message::Resv(dut.resv(Station::D1, dut.h(), Style::Ff, &[ff(cl(1.0), dut.s1())]))
}

#[test]
fn required_objects() {
    shows(&["rfc2205-3.1.2-06", "rfc2205-3.1.2-08"]);
    for class in
        [ClassNum::RSVP_HOP, ClassNum::TIME_VALUES, ClassNum::SENDER_TEMPLATE, ClassNum::SENDER_TSPEC]
    {
        without(class, a_path);
    }
    for class in [ClassNum::RSVP_HOP, ClassNum::TIME_VALUES] {
        without(class, a_resv);
    }
}

#[test]
fn all_policy_data_is_kept() {
    shows(&["rfc2205-3.1.2-09", "rfc2205-A.13-01", "rfc2205-3.1.4-11"]);
    let policy: Vec<RawObject> = (1..=3).map(|n| object(14, 1, &[n * 17; 64])).collect();
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.policy = policy.clone();
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.policy, policy);
    for count in [0, 1, 3] {
        let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        resv.policy = policy[..count].to_vec();
        dut.send(Station::D1, resv);
        assert_eq!(dut.expect::<Resv>(Port::A).message.policy, policy[..count]);
        assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
    }
}

#[test]
fn the_class_says_what_becomes_of_an_unknown_object() {
    shows(&["rfc2205-3.1.2-11"]);
    let [reject, ignore, pass] = [0x63, 0x99, 0xc9].map(|class| object(class, 1, &[1, 2, 3, 4]));
    let mut dut = Lab::in_process().router();
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    dut.send_changed(Station::U1, path.clone(), |objects| {
        objects.extend([reject, ignore.clone(), pass.clone()]);
    });
    let error = dut.expect_to::<PathErr>(Station::U1).message.error;
    assert_eq!((error.code, error.value), (13, 0x6301));
    dut.expect_silence();
    dut.send_changed(Station::U1, path, |objects| objects.extend([ignore, pass.clone()]));
    let sent = dut.expect::<Path>(Port::C);
    assert_eq!(sent.message.forward, [pass]);
    assert!(sent.objects(ClassNum(0x99)).is_empty());
}

#[test]
fn the_sender_is_the_source_of_a_path_at_every_hop() {
    shows(&["rfc2205-3.1.3-02", "rfc2205-3.1.3-05", "rfc2209-2.prefresh-04", "rfc2205-3.1.3-06"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1) = (dut.g(), dut.s1());
    let path = dut.path(Station::U1, g, s1);
    let mut path = Path { sender_tspec: tspec(5.0), ..path };
    path.policy = vec![object(14, 1, &[1, 2, 3, 4])];
    dut.send(Station::U1, path.clone());
    let [c, d] = [Port::C, Port::D].map(|port| {
        let sent = dut.expect::<Path>(port);
        assert_eq!(
            (sent.sent.packet.source, sent.sent.packet.destination),
            (s1.source(), g.flow().destination)
        );
        assert_eq!(sent.message.hop.address, dut.plan.dut(port));
        sent.message.hop.lih
    });
    assert_ne!(c, d, "the LIH tells c from d");
    dut.expect_silence();
    let state = dut.senders(g).remove(0);
    assert_eq!((state.sender, state.tspec, state.previous_hop), (s1, path.sender_tspec, Some(path.hop)));
}

#[test]
fn an_error_in_a_path_goes_to_its_previous_hop() {
    shows(&["rfc2205-3.1.3-07"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let conflicting = dut.plan.session(h.flow().destination, 0);
    let sender = rsvp_core::wire::FilterSpec::Ip { source: s1.source(), port: 0 };
    let path = dut.path(Station::U1, conflicting, sender);
    dut.send(Station::U1, path.clone());
    let error = dut.expect_to::<PathErr>(Station::U1);
    assert_eq!(error.message.error.code, 7);
    assert_eq!(error.message.sender_template, sender);
    assert_eq!(error.message.sender_tspec, Some(path.sender_tspec));
    dut.expect_silence();
}

#[test]
fn paths_follow_the_routes_of_the_group() {
    shows(&["rfc2205-3.1.3-10"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    let path = dut.path(Station::U1, g, s1);
    dut.send(Station::U1, path);
    let _ = dut.expect::<Path>(Port::C);
    let _ = dut.expect::<Path>(Port::D);
    dut.expect_silence();
    let nowhere = conformance::bench::group_route(Port::A, &[]);
    dut.set_route(g.flow().destination, Some(s1.source()), nowhere);
    dut.forget();
    dut.advance(2 * R);
    for port in Port::ALL {
        dut.expect_no::<Path>(port);
    }
    assert_eq!(dut.senders(g).len(), 1);
}

#[test]
fn a_path_ends_where_its_destination_is() {
    shows(&["rfc2205-3.1.3-11"]);
    let mut dut = Lab::in_process().host();
    let here = dut.plan.session(dut.plan.dut(Port::A), 5000);
    let s1 = dut.s1();
    let api = dut.open(here);
    let path = dut.path(Station::U1, here, s1);
    dut.send(Station::U1, path);
    dut.expect_silence();
    let upcalls = dut.upcalls();
    assert!(
        matches!(&upcalls[..], [(id, rsvp_core::event::Upcall::Path { sender, .. })] if *id == api && *sender == s1),
        "{upcalls:?}"
    );
    assert!(dut.senders(here)[0].local);
}

#[test]
fn copies_of_a_path_differ_by_interface() {
    shows(&["rfc2205-3.1.3-12", "rfc2209-2.prefresh-03"]);
    let slow = Bandwidth { total: 1000, per_flow: 1000, link: 1000 };
    let mut dut = Lab::in_process().with(conformance::bench::Family::V4, |config| {
        let mut c = config.default_interface.clone();
        c.bandwidth = Some(slow);
        config.interfaces.insert("c".to_owned(), c);
    });
    let path = dut.path(Station::U1, dut.g(), dut.s1());
    dut.send_changed(Station::U1, path, |objects| objects.push(adspec()));
    let general = |sent: Received<Path>| match sent.message.adspec {
        Some(rsvp_core::wire::Adspec::IntServ(adspec)) => adspec.general,
        other => panic!("{other:?}"),
    };
    let (c, d) = (general(dut.expect(Port::C)), general(dut.expect(Port::D)));
    assert_eq!((c.is_hops, d.is_hops), (4, 4));
    assert_eq!((c.bandwidth, d.bandwidth), (1000.0, 1_000_000.0));
}

#[test]
fn a_confirmation_request_when_merging() {
    shows(&["rfc2205-3.1.4-09", "rfc2209-2.rrefresh-07", "rfc2209-2.utc-11", "rfc2205-3.1.4-10"]);
    let bucket = |rate, bucket| {
        let tspec = rsvp_core::wire::Tspec { rate, bucket, ..conformance::bench::bucket(1.0) };
        rsvp_core::wire::Flowspec::ControlledLoad(tspec)
    };
    for (request, passed_on) in [
        (bucket(20_000.0, 20_000.0), true),
        (bucket(10_000.0, 10_000.0), false),
        (bucket(5000.0, 5000.0), false),
        (bucket(20_000.0, 5000.0), false),
    ] {
        let mut dut = Lab::in_process().group(3);
        let (g, s1, r1) = (dut.g(), dut.s1(), dut.plan.address(7, 7));
        dut.reserve(Station::D2, g, Style::Ff, &[ff(bucket(10_000.0, 10_000.0), s1)]);
        let mut resv = dut.resv(Station::D1, g, Style::Ff, &[ff(request.clone(), s1)]);
        resv.confirm = Some(r1);
        dut.send(Station::D1, resv);
        let up: Vec<_> =
            dut.all::<Resv>(Port::A).into_iter().filter_map(|resv| resv.message.confirm).collect();
        let answers: Vec<_> =
            dut.all::<ResvConf>(Port::C).into_iter().map(|conf| conf.message.confirm).collect();
        let expected = if passed_on { (vec![r1], vec![]) } else { (vec![], vec![r1]) };
        assert_eq!((up, answers), expected, "{request:?}");
    }
}

#[test]
fn a_path_tear_must_match_in_everything() {
    shows(&["rfc2205-3.1.5-01", "rfc2205-3.1.5-02", "rfc2209-2.ptear-01"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1) = (dut.g(), dut.s1());
    let mut other_hop = dut.path_tear(Station::U1, g, s1);
    other_hop.hop.address = dut.plan.address(1, 9);
    dut.send(Station::U1, other_hop);
    let tear = dut.path_tear(Station::U1, g, s1);
    let elsewhere = dut.pack(Station::U1, tear);
    dut.send_packet(Station::U2, &elsewhere);
    let unknown = rsvp_core::wire::FilterSpec::Ip { source: s1.source(), port: 4001 };
    let tear = dut.path_tear(Station::U1, g, unknown);
    dut.send(Station::U1, tear);
    let tear = dut.path_tear(Station::U1, dut.h(), s1);
    dut.send(Station::U1, tear);
    dut.expect_silence();
    assert_eq!(dut.senders(g).len(), 3);
    assert_eq!(dut.drops(DropReason::NoState), 4);
}

#[test]
fn a_removed_sender_leaves_shared_reservations_of_the_others() {
    shows(&["rfc2205-3.1.5-06", "rfc2209-2.ptear-03", "rfc2205-3.1.5-08"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    let tear = dut.path_tear(Station::U1, g, s1);
    dut.send(Station::U1, tear);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s2])]);
    for port in [Port::A, Port::B] {
        dut.expect_no::<Resv>(port);
        dut.expect_no::<ResvTear>(port);
    }
    dut.expect_no::<ResvErr>(Port::C);
}

#[test]
fn a_wildcard_reservation_lives_with_its_last_sender() {
    shows(&["rfc2205-3.1.5-07"]);
    let mut dut = Lab::in_process().router();
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.learn(Station::U1, g, s1);
    dut.learn(Station::U2, g, s2);
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
    let tear = dut.path_tear(Station::U1, g, s1);
    dut.send(Station::U1, tear);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![])]);
    let tear = dut.path_tear(Station::U2, g, s2);
    dut.send(Station::U2, tear);
    assert!(dut.kernel(Port::C).is_empty() && dut.reservations(g).is_empty());
}

#[test]
fn a_resv_tear_must_match_in_everything() {
    shows(&["rfc2205-3.1.6-01", "rfc2209-2.rtear-01", "rfc2205-3.1.6-02"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    let mut other_lih = dut.resv_tear(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    other_lih.hop.lih = dut.next_hop(Station::D2).lih;
    dut.send(Station::D1, other_lih);
    let other_style = dut.resv_tear(Station::D1, g, Style::Se, &[se(cl(1.0), &[s1])]);
    dut.send(Station::D1, other_style);
    let other_filter = dut.resv_tear(Station::D1, g, Style::Ff, &[ff(cl(1.0), s2)]);
    dut.send(Station::D1, other_filter);
    dut.expect_silence();
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
    assert_eq!(dut.reservations(g).len(), 1);
}

#[test]
fn a_resv_tear_may_name_some_of_the_filters() {
    shows(&["rfc2205-3.1.6-03"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2, s3) = (dut.g(), dut.s1(), dut.s2(), dut.s3());
    let flows = [ff(cl(1.0), s1), ff(cl(1.0), s2), ff(cl(1.0), s3)];
    dut.reserve(Station::D1, g, Style::Ff, &flows);
    let tear = dut.resv_tear(Station::D1, g, Style::Ff, &[flows[0].clone(), flows[2].clone()]);
    dut.send(Station::D1, tear);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s2])]);
}

#[test]
fn a_tear_that_leaves_nothing_goes_on() {
    shows(&["rfc2205-3.1.6-07", "rfc2209-2.rtear-03", "rfc2205-2.4-05"]);
    let mut dut = figure_6();
    let (g, s3) = (dut.g(), dut.s3());
    let tear = dut.resv_tear(Station::D2, g, Style::Ff, &[ff(cl(1.0), s3)]);
    dut.send(Station::D2, tear);
    let torn = dut.expect::<ResvTear>(Port::B).message;
    let filters: Vec<_> = torn.flows.iter().flat_map(|flow| flow.filters.clone()).collect();
    assert_eq!(filters, [s3]);
    dut.expect_silence();
}

#[test]
fn a_tear_that_leaves_less_becomes_a_smaller_resv() {
    shows(&["rfc2205-3.1.6-08"]);
    let mut dut = figure_6();
    let (g, s1) = (dut.g(), dut.s1());
    let tear = dut.resv_tear(Station::D1, g, Style::Ff, &[ff(cl(4.0), s1)]);
    dut.send(Station::D1, tear);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(3.0, vec![s1])]);
    dut.expect_silence();
    assert!(dut.reserved(Port::C).iter().all(|(_, senders)| *senders != [s1]));
}

#[test]
fn a_tear_that_changes_nothing_ends_here() {
    shows(&["rfc2205-3.1.6-09"]);
    let mut dut = figure_6();
    let (g, s1) = (dut.g(), dut.s1());
    let tear = dut.resv_tear(Station::D3, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D3, tear);
    dut.expect_silence();
    assert!(dut.reserved(Port::D).contains(&(3.0, vec![s1])));
}

#[test]
fn a_path_error_is_told_to_the_sending_application() {
    shows(&["rfc2205-3.1.7-05"]);
    let mut dut = Lab::in_process().host();
    let h = dut.h();
    let source = rsvp_core::wire::FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 };
    let api = dut.open(h);
    let request = rsvp_core::command::SenderRequest {
        template: source,
        tspec: tspec(1.0),
        adspec: false.into(),
        policy: Vec::new(),
        ttl: 64,
    };
    dut.command(rsvp_core::Command::AddSender(api, request)).expect("the sender is fine");
    dut.forget();
    let error = dut.path_err(h, source, 2, 7);
    dut.send(Station::D1, error.clone());
    let upcalls = dut.upcalls();
    assert_eq!(
        upcalls,
        [(api, rsvp_core::event::Upcall::PathError { error: error.error, sender: source, policy: vec![] })]
    );
    dut.expect_silence();
    dut.advance(R + R / 2);
    let _ = dut.expect::<Path>(Port::C);
}

#[test]
fn each_ff_descriptor_stands_for_itself() {
    shows(&["rfc2205-3.1.8-04", "rfc2209-2.resv-06"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    let unknown = dut.plan.sender(9);
    let mut path = dut.path(Station::U2, g, s2);
    path.sender_tspec = tspec(200.0);
    dut.send(Station::U2, path);
    dut.forget();
    let flows = [ff(cl(1.0), s1), ff(cl(100.0), s2), ff(cl(1.0), unknown)];
    let resv = dut.resv(Station::D1, g, Style::Ff, &flows);
    dut.send(Station::D1, resv);
    let mut errors: Vec<_> = dut
        .all::<ResvErr>(Port::C)
        .into_iter()
        .map(|error| {
            (error.message.error.code, error.message.flows[0].filters.clone(), error.message.flows.len())
        })
        .collect();
    errors.sort();
    assert_eq!(errors, [(1, vec![s2], 1), (4, vec![unknown], 1)]);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    dut.expect_silence();
}

#[test]
fn an_error_goes_to_the_next_hop_that_asked() {
    shows(&["rfc2205-3.1.8-06"]);
    let mut dut = Lab::in_process().router();
    let (k, s1) = (dut.k(), dut.s1());
    let mut path = dut.path(Station::U1, k, s1);
    path.sender_tspec = tspec(200.0);
    dut.send(Station::U1, path);
    dut.reserve(Station::D3, k, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.forget();
    let resv = dut.resv(Station::D2, k, Style::Ff, &[ff(cl(100.0), s1)]);
    dut.send(Station::D2, resv);
    let error = dut.expect_to::<ResvErr>(Station::D2);
    assert_eq!(error.message.error.node, dut.plan.dut(Port::D));
    assert_eq!((error.message.style, &error.message.flows[0]), (Style::Ff, &ff(cl(100.0), s1)));
    dut.expect_silence();
}

#[test]
fn a_reservation_error_is_told_to_the_receiving_application() {
    shows(&["rfc2205-3.1.8-10"]);
    let mut dut = Lab::in_process().host();
    let here = dut.plan.session(dut.plan.dut(Port::A), 5000);
    let s1 = dut.s1();
    let api = dut.open(here);
    let path = dut.path(Station::U1, here, s1);
    dut.send(Station::U1, path);
    let request = rsvp_core::command::ReserveRequest {
        receiver: dut.plan.dut(Port::A),
        style: Style::Ff,
        flows: vec![ff(cl(4.0), s1)],
        policy: Vec::new(),
        confirm: false,
    };
    dut.command(rsvp_core::Command::Reserve(api, request)).expect("the request is fine");
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(4.0, vec![s1])]);
    dut.upcalls();
    let error = dut.resv_err(Station::U1, here, Style::Ff, ff(cl(4.0), s1), (2, 5, 1));
    dut.send(Station::U1, error.clone());
    let expected = rsvp_core::event::Upcall::ResvError {
        error: error.error,
        style: Style::Ff,
        flows: vec![ff(cl(4.0), s1)],
        policy: vec![],
    };
    assert_eq!(dut.upcalls(), [(api, expected)]);
    dut.advance(R + R / 2);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(4.0, vec![s1])], "it is still asked for");
}

#[test]
fn a_broken_reservation_is_reported() {
    shows(&["rfc2205-3.1.8-11", "rfc2205-3.11.2-06"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let id = dut.kernel(Port::C)[0].id;
    let reason = rsvp_core::input::PreemptReason::Priority;
    dut.inside().input(rsvp_core::Input::Preempted(id, reason));
    dut.advance(conformance::bench::Timing::VIRTUAL.at_once);
    let error = dut.expect_to::<ResvErr>(Station::D1).message;
    assert_eq!((error.error.code, &error.flows[0].filters), (12, &vec![s1]));
    let _ = dut.expect::<ResvTear>(Port::A);
    assert!(dut.node().installed().is_empty() && dut.reservations(h).is_empty());
}

#[test]
fn a_confirmation_says_who_confirms_what() {
    shows(&["rfc2205-3.1.9-03", "rfc2205-B-02"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    let r1 = dut.plan.address(7, 7);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(4.0), s1)]);
    let mut resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1), ff(cl(1.0), s2)]);
    resv.confirm = Some(r1);
    dut.send(Station::D1, resv);
    let confirmation = dut.expect::<ResvConf>(Port::C).message;
    let error = confirmation.error;
    assert_eq!((error.code, error.value, error.flags), (0, 0, 0));
    assert!(Port::ALL.iter().any(|port| dut.plan.dut(*port) == error.node), "{error:?}");
    let confirmed: Vec<_> = confirmation.flows.iter().flat_map(|flow| flow.filters.clone()).collect();
    assert_eq!((confirmation.confirm, confirmed), (r1, vec![s1]));
    assert_eq!(dut.expect::<Resv>(Port::B).message.confirm, Some(r1), "S2 is to be confirmed further up");
}

#[test]
fn a_confirmation_passes_through() {
    shows(&["rfc2205-3.1.9-01", "rfc2205-B-24", "rfc2205-A.5-04"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let receiver = h.flow().destination;
    let confirmation = dut.resv_conf(h, receiver, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation.clone());
    let passed = dut.expect::<ResvConf>(Port::C);
    assert_eq!(passed.message, confirmation);
    assert_eq!(passed.sent.packet.destination, receiver);
    assert_eq!(passed.sent.packet.ttl, 63);
    let packet = dut.pack(Station::U1, confirmation);
    let astray = Packet { destination: dut.k().flow().destination, ..packet };
    dut.send_packet(Station::U1, &astray);
    dut.expect_silence();
}

#[test]
fn a_path_tear_of_an_old_previous_hop_tears_nothing_downstream() {
    shows(&["rfc2205-3.1.5-03"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.learn(Station::U2, h, s1);
    let tear = dut.path_tear(Station::U1, h, s1);
    dut.send(Station::U1, tear);
    dut.expect_no::<PathTear>(Port::C);
    assert_eq!(dut.senders(h).len(), 1);
    dut.forget();
    let tear = dut.path_tear(Station::U2, h, s1);
    dut.send(Station::U2, tear);
    let _ = dut.expect::<PathTear>(Port::C);
}

#[test]
fn an_error_goes_only_where_its_sender_is_reserved() {
    shows(&["rfc2205-3.1.8-08", "rfc2205-3.1.8-12"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s3) = (dut.g(), dut.s1(), dut.s3());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.reserve(Station::D3, g, Style::Ff, &[ff(cl(1.0), s3)]);
    let mut error = dut.resv_err(Station::U1, g, Style::Ff, ff(cl(1.0), s1), (2, 0, 0));
    error.policy = vec![object(14, 1, &[1, 2, 3, 4])];
    dut.send(Station::U1, error.clone());
    for station in [Station::D1, Station::D2] {
        assert_eq!(dut.expect_to::<ResvErr>(station).message.policy, error.policy);
    }
    dut.expect_silence();
}

#[test]
fn an_error_names_what_the_next_hop_asked_for() {
    shows(&["rfc2205-3.1.8-09", "rfc2205-3.1.8-05"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s2, s3) = (dut.g(), dut.s2(), dut.s3());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(1.0), &[s2])]);
    dut.reserve(Station::D2, g, Style::Se, &[se(cl(1.0), &[s2, s3])]);
    let error = dut.resv_err(Station::U2, g, Style::Se, se(cl(1.0), &[s2, s3]), (2, 0, 0));
    dut.send(Station::U2, error);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.flows[0].filters, [s2]);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D2).message.flows[0].filters, [s2, s3]);
}

#[test]
fn different_services_do_not_merge() {
    shows(&["rfc2205-3.11.6-02", "rfc2210-2.2-02"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1) = (dut.g(), dut.s1());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(gs(1.0), s1)]);
    dut.send(Station::D2, resv);
    let error = dut.expect_to::<ResvErr>(Station::D2).message.error;
    assert_eq!((error.code, error.value), (21, 1));
    dut.expect_silence();
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
}
