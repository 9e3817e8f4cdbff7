//! Requirements of RFC 2210: the contents of QoS objects.

mod api;
mod receiver;

use conformance::bench::{
    Dut, Family, Lab, Port, R, Received, Station, bucket, cl, ff, gs, hex, object, tspec,
};
use conformance::shows;
use rsvp_core::config::GuaranteedConfig;
use rsvp_core::wire::{
    Adspec, ClassNum, Flowspec, Path, PathErr, RawObject, Resv, ResvErr, Rspec, SenderTspec, Style, Tspec,
};

const TSPEC: &str = "00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040 000005dc";
const CONTROLLED_LOAD: &str = "00000007 05000006 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc";
const GUARANTEED: &str =
    "0000000a 02000009 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc 82000002 463b8000 000001f4";
const GENERAL: &str = "01000008 04000001 00000003 06000001 48742400 08000001 000001f4 0a000001 000005dc";
const GUARANTEED_FRAGMENT: &str =
    "02000008 85000001 000003e8 86000001 000000c8 87000001 000003e8 88000001 000000c8";

/// An ADSPEC of these fragments, as octets of its contents.
fn adspec(fragments: &[&str]) -> Vec<u8> {
    let fragments = hex(&fragments.concat());
    let words = u16::try_from(fragments.len() / 4).expect("a short ADSPEC").to_be_bytes();
    [&[0, 0, words[0], words[1]], &fragments[..]].concat()
}

/// The ADSPEC that leaves by c when this one comes in.
fn through(contents: Vec<u8>) -> Vec<u8> {
    let mut dut = Lab::in_process().router();
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    dut.send_changed(Station::U1, path, |objects| objects.push(RawObject { class: 13, ctype: 2, contents }));
    let sent = dut.expect::<Path>(Port::C);
    sent.objects(ClassNum::ADSPEC)[0].contents.clone()
}

/// The fragment of a service in an ADSPEC: its header and parameters.
fn fragment(adspec: &[u8], service: u8) -> Option<Vec<u8>> {
    let mut rest = &adspec[4..];
    while rest.len() >= 4 {
        let words = usize::from(rest[2]) << 8 | usize::from(rest[3]);
        let (this, others) = rest.split_at(4 + 4 * words);
        if this[0] == service {
            return Some(this.to_vec());
        }
        rest = others;
    }
    None
}

fn is_broken(fragment: &[u8]) -> bool {
    fragment[1] & 0x80 != 0
}

/// A parameter of a fragment.
fn parameter(fragment: &[u8], number: u8) -> u32 {
    let at = fragment[4..].chunks(8).find(|chunk| chunk[0] == number).expect("the parameter is there");
    u32::from_be_bytes(at[4..8].try_into().expect("four octets"))
}

#[test]
fn the_sender_tspec_passes_unchanged() {
    shows(&["rfc2210-2-01", "rfc2210-3.1-01", "rfc2210-3.1-02"]);
    let mut dut = Lab::in_process().router();
    let mut path = dut.path(Station::U1, dut.h(), dut.s1());
    let tspec = Tspec { bucket: 2000.0, peak: f32::INFINITY, ..bucket(1.0) };
    path.sender_tspec = SenderTspec::TokenBucket(tspec);
    dut.send(Station::U1, path.clone());
    let sent = dut.expect::<Path>(Port::C);
    assert_eq!(sent.objects(ClassNum::SENDER_TSPEC)[0].contents, hex(TSPEC));
    assert_eq!(sent.message.sender_tspec, path.sender_tspec);
}

#[test]
fn an_adspec_does_not_grow() {
    shows(&["rfc2210-2-02"]);
    let first = through(adspec(&[GENERAL, GUARANTEED_FRAGMENT, "05000000"]));
    let second = through(first.clone());
    let third = through(second.clone());
    assert_eq!((first.len(), third.len()), (80, 80));
    assert_ne!(first, second);
}

#[test]
fn services_update_their_own_fragments() {
    shows(&["rfc2210-2.1-03", "rfc2210-3.3-03", "rfc2997-2-01", "rfc2210-3.3.4-01"]);
    let unknown = "4d000003 84000002 00000001 00000002";
    let out = through(adspec(&[GENERAL, GUARANTEED_FRAGMENT, "05000000", unknown]));
    let general = fragment(&out, 1).expect("the general fragment");
    assert_eq!(parameter(&general, 4), 4);
    let guaranteed = fragment(&out, 2).expect("the guaranteed fragment");
    assert!(!is_broken(&guaranteed));
    assert_eq!((parameter(&guaranteed, 133), parameter(&guaranteed, 134)), (1000 + 1500, 200 + 1000));
    assert_eq!((parameter(&guaranteed, 135), parameter(&guaranteed, 136)), (1000 + 1500, 200 + 1000));
    assert_eq!(fragment(&out, 5).expect("the controlled-load fragment"), hex("05000000"));
    let mut broken = hex(unknown);
    broken[1] |= 0x80;
    assert_eq!(fragment(&out, 77).expect("the unknown fragment"), broken);
}

#[test]
fn break_bits_stay_set() {
    shows(&["rfc2210-2.3.1-01", "rfc2210-2.3.1-02"]);
    let general = GENERAL.replacen("01000008", "01800008", 1);
    let guaranteed = GUARANTEED_FRAGMENT.replacen("02000008", "02800008", 1);
    let out = through(adspec(&[&general, &guaranteed, "05800000"]));
    assert!(is_broken(&fragment(&out, 1).expect("general")));
    let guaranteed = fragment(&out, 2).expect("guaranteed");
    assert!(is_broken(&guaranteed));
    assert_eq!(parameter(&guaranteed, 133), 2500, "composed all the same");
    assert_eq!(fragment(&out, 5).expect("controlled load"), hex("05800000"));
}

#[test]
fn general_parameters_are_composed() {
    shows(&["rfc2210-3.3.2-03", "rfc2210-3.3.2-01"]);
    for (bandwidth, expected) in [("48742400", 250_000.0_f32), ("49f42400", 1_000_000.0)] {
        let general = GENERAL.replacen("48742400", bandwidth, 1);
        let out = through(adspec(&[&general]));
        let general = fragment(&out, 1).expect("general");
        assert_eq!(f32::from_bits(parameter(&general, 6)), expected, "the lesser of path and link");
        assert_eq!((parameter(&general, 4), parameter(&general, 10)), (4, 1500));
    }
}

#[test]
fn a_service_that_is_not_offered_is_not_added() {
    shows(&["rfc2210-3.3-02"]);
    let out = through(adspec(&[GENERAL, "05000000"]));
    assert!(fragment(&out, 2).is_none());
    assert!(fragment(&out, 5).is_some());
}

#[test]
fn an_empty_guaranteed_fragment_is_filled_in() {
    shows(&["rfc2210-3.3.3-03", "rfc2210-3.3.3-01", "rfc2212-exp-04"]);
    let out = through(adspec(&[GENERAL, "02800000"]));
    let guaranteed = fragment(&out, 2).expect("guaranteed");
    assert!(is_broken(&guaranteed), "as received");
    assert_eq!(guaranteed[2..4], [0, 8]);
    assert_eq!((parameter(&guaranteed, 133), parameter(&guaranteed, 134)), (1500, 1000));
}

#[test]
fn overrides_are_composed() {
    shows(&["rfc2210-3.3.5-01", "rfc2210-3.3.5-03"]);
    let out = through(adspec(&[GENERAL, "05000004 06000001 48927c00 0a000001 000003e8"]));
    let load = fragment(&out, 5).expect("controlled load");
    assert_eq!(f32::from_bits(parameter(&load, 6)), 300_000.0, "less than the link has");
    assert_eq!(parameter(&load, 10), 1000, "less than the interface's MTU");
    let out = through(adspec(&[GENERAL, "05000004 06000001 4b189680 0a000001 00002328"]));
    let load = fragment(&out, 5).expect("controlled load");
    assert_eq!(f32::from_bits(parameter(&load, 6)), 1_000_000.0, "what the link has");
    assert_eq!(parameter(&load, 10), 1500, "the interface's MTU");
}

#[test]
fn fragments_of_unknown_services_are_not_composed() {
    shows(&["rfc2210-3.3.5-04"]);
    let unknown = "4d000002 0a000001 00002328";
    let out = through(adspec(&[GENERAL, unknown]));
    let mut broken = hex(unknown);
    broken[1] |= 0x80;
    assert_eq!(fragment(&out, 77), Some(broken));
}

#[test]
fn the_full_example() {
    shows(&["rfc2210-3.3.6-01"]);
    let contents = adspec(&[GENERAL, GUARANTEED_FRAGMENT, "05000000"]);
    assert_eq!(contents.len() + 4, 84);
    let decoded = Adspec::decode(&RawObject { class: 13, ctype: 2, contents: contents.clone() });
    let Adspec::IntServ(adspec) = &decoded else { panic!("{decoded:?}") };
    assert_eq!((adspec.general.is_hops, adspec.general.path_mtu), (3, 1500));
    let guaranteed = adspec.guaranteed.expect("guaranteed");
    assert_eq!((guaranteed.c_total, guaranteed.d_total), (1000, 200));
    let services: Vec<u8> = {
        let out = through(contents);
        [1, 2, 5].into_iter().filter(|service| fragment(&out, *service).is_some()).collect()
    };
    assert_eq!(services, [1, 2, 5]);
}

#[test]
fn a_sender_offers_what_the_host_knows() {
    shows(&["rfc2210-2.1-01", "rfc2210-3.3.2-02"]);
    let mut dut = Lab::in_process().host();
    let api = dut.open(dut.h());
    let template = rsvp_core::wire::FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 };
    let request = rsvp_core::command::SenderRequest {
        template,
        tspec: tspec(1.0),
        adspec: true.into(),
        policy: Vec::new(),
        ttl: 64,
    };
    dut.command(rsvp_core::Command::AddSender(api, request)).expect("it is a good sender");
    let sent = dut.expect::<Path>(Port::C);
    let contents = &sent.objects(ClassNum::ADSPEC)[0].contents;
    assert_eq!(contents.len() + 4, 84);
    for service in [1, 2, 5] {
        assert!(!is_broken(&fragment(contents, service).expect("it is offered")));
    }
}

#[test]
fn merged_requests_go_upstream_with_the_smaller_packet_size() {
    shows(&["rfc2210-2.3.2-03"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U1, g, s1);
    let load = |rate, max_packet| {
        Flowspec::ControlledLoad(Tspec { rate, bucket: rate, peak: rate, max_packet, ..bucket(1.0) })
    };
    dut.reserve(Station::D1, g, Style::Ff, &[ff(load(10_000.0, 1500), s1)]);
    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(load(5000.0, 1000), s1)]);
    dut.send(Station::D2, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).message.flows[0].flowspec, Some(load(10_000.0, 1000)));
}

#[test]
fn packet_sizes_that_contradict_each_other() {
    shows(&["rfc2210-3.1-03"]);
    for (min_unit, max_packet) in [(0, 1500), (1500, 1000)] {
        let bad = Tspec { min_unit, max_packet, ..bucket(1.0) };
        let mut dut = Lab::in_process().router();
        let (h, s1) = (dut.h(), dut.s1());
        let mut path = dut.path(Station::U1, h, s1);
        path.sender_tspec = SenderTspec::TokenBucket(bad);
        dut.send(Station::U1, path);
        let error = dut.expect_to::<PathErr>(Station::U1).message.error;
        assert_eq!((error.code, error.value), (21, 4));
        dut.learn(Station::U1, h, s1);
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(Flowspec::ControlledLoad(bad), s1)]);
        dut.send(Station::D1, resv);
        let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
        assert_eq!((error.code, error.value), (21, 3));
        assert!(dut.reservations(h).is_empty());
    }
}

#[test]
fn controlled_load_as_octets() {
    shows(&["rfc2210-3.2.1-01", "rfc2211-5-07"]);
    flowspec_as_octets(
        CONTROLLED_LOAD,
        &Flowspec::ControlledLoad(Tspec { bucket: 2000.0, peak: 20_000.0, ..bucket(1.0) }),
    );
}

#[test]
fn guaranteed_service_as_octets() {
    shows(&["rfc2210-3.2.2-01"]);
    let tspec = Tspec { bucket: 2000.0, peak: 20_000.0, ..bucket(1.0) };
    flowspec_as_octets(GUARANTEED, &Flowspec::Guaranteed(tspec, Rspec { rate: 12_000.0, slack: 500 }));
}

/// What these octets ask for is understood, and asked for upstream in the same octets.
fn flowspec_as_octets(octets: &str, flowspec: &Flowspec) {
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| {
        let object = objects.iter_mut().find(|object| object.class == 9).expect("it is there");
        object.contents = hex(octets);
    });
    assert_eq!(dut.reservations(h)[0].flowspec, *flowspec);
    let sent = dut.expect::<Resv>(Port::A);
    assert_eq!(sent.objects(ClassNum::FLOWSPEC)[0].contents, hex(octets));
}

/// The error that a FLOWSPEC with these contents gets.
fn refused(contents: &[u8]) -> (u8, u16) {
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| {
        let object = objects.iter_mut().find(|object| object.class == 9).expect("it is there");
        object.contents = contents.to_vec();
    });
    assert!(dut.reservations(h).is_empty());
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    dut.expect_silence();
    (error.code, error.value)
}

#[test]
fn services_that_cannot_be_asked_for() {
    shows(&["rfc2210-3.2-01"]);
    for service in [1, 99] {
        let mut contents = hex(CONTROLLED_LOAD);
        contents[4] = service;
        let (code, value) = refused(&contents);
        assert!(code == 21 && [2, 3].contains(&value), "service {service}: {code} {value}");
    }
}

#[test]
fn a_flowspec_is_for_one_service() {
    shows(&["rfc2210-2.2-03"]);
    let two = "00000010 05000006 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc
        02000009 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc 82000002 463b8000 000001f4";
    let mut contents = hex(two);
    contents[3] = u8::try_from(contents.len() / 4 - 1).expect("short");
    assert_eq!(refused(&contents), (21, 3));
}

#[test]
fn lengths_that_contradict_each_other() {
    // The lengths of message, service and parameter, and the version.
    for (position, value) in [(3, 8), (3, 6), (7, 7), (7, 5), (11, 6), (11, 4), (0, 0x10)] {
        let mut contents = hex(CONTROLLED_LOAD);
        contents[position] = value;
        assert_eq!(refused(&contents), (21, 3), "octet {position} is {value}");
    }
}

#[test]
fn guaranteed_service_is_reserved_at_its_rate() {
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(gs(3.0), s1)]);
    let c = dut.node().interfaces().into_iter().find(|view| view.id == Port::C.interface());
    assert_eq!(c.expect("c is there").reserved, 30_000);
}

#[test]
fn adspecs_that_contradict_themselves() {
    shows(&["rfc2210-A1-03", "rfc2210-A1-01", "rfc2210-3.3-01"]);
    let good = adspec(&[GENERAL]);
    let not_first = adspec(&["05000000", GENERAL]);
    let mut lengths: Vec<Vec<u8>> = [(3, 10), (3, 8), (7, 9), (7, 7), (11, 2), (11, 0), (0, 0x10)]
        .into_iter()
        .map(|(position, value)| {
            let mut contents = good.clone();
            contents[position] = value;
            contents
        })
        .collect();
    lengths.push(not_first);
    for contents in lengths {
        let mut dut = Lab::in_process().router();
        let h = dut.h();
        let path = dut.path(Station::U1, h, dut.s1());
        dut.send_changed(Station::U1, path, |objects| {
            objects.push(RawObject { class: 13, ctype: 2, contents: contents.clone() });
        });
        let error = dut.expect_to::<PathErr>(Station::U1).message.error;
        assert_eq!((error.code, error.value), (21, 5), "{contents:02x?}");
        assert!(dut.senders(h).is_empty());
    }
}

#[test]
fn a_node_without_guaranteed_service_says_so() {
    shows(&["rfc2210-3.3.3-04"]);
    for before in [GUARANTEED_FRAGMENT, "02000000"] {
        let mut dut = Lab::in_process().with(Family::V4, |config| config.default_interface.guaranteed = None);
        let path = dut.path(Station::U1, dut.h(), dut.s1());
        let contents = adspec(&[GENERAL, before]);
        dut.send_changed(Station::U1, path, |objects| objects.push(object(13, 2, &contents)));
        let sent = dut.expect::<Path>(Port::C);
        let mut expected = hex(before);
        expected[1] |= 0x80;
        assert_eq!(
            fragment(&sent.objects(ClassNum::ADSPEC)[0].contents, 2),
            Some(expected),
            "all else stays"
        );
    }
}

#[test]
fn a_value_of_this_node_for_one_service_is_inserted() {
    shows(&["rfc2210-3.3.5-02"]);
    let mut dut = Lab::in_process().with(Family::V4, |config| {
        let service = GuaranteedConfig { mtu: Some(576), ..GuaranteedConfig::new(1500, 1000) };
        config.default_interface.guaranteed = Some(service);
    });
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    let contents = adspec(&[GENERAL, GUARANTEED_FRAGMENT, "05000000"]);
    dut.send_changed(Station::U1, path, |objects| objects.push(object(13, 2, &contents)));
    let sent = dut.expect::<Path>(Port::C);
    let out = &sent.objects(ClassNum::ADSPEC)[0].contents;
    assert_eq!(out.len(), contents.len() + 8);
    assert_eq!(usize::from(out[3]), out.len() / 4 - 1, "the overall length");
    let guaranteed = fragment(out, 2).expect("guaranteed");
    assert_eq!(guaranteed[2..4], [0, 10]);
    let numbers: Vec<u8> = guaranteed[4..].chunks(8).map(|parameter| parameter[0]).collect();
    assert_eq!(numbers, [133, 134, 135, 136, 10], "RFC 2210 appends them behind the service's own");
    assert_eq!(parameter(&guaranteed, 10), 576);
    assert_eq!(parameter(&fragment(out, 1).expect("general"), 10), 1500);
    assert_eq!(fragment(out, 5), Some(hex("05000000")));
}

/// What a host announces for a sender of its own.
fn announced(dut: &mut Dut, tspec: SenderTspec) -> Received<Path> {
    let h = dut.h();
    let template = rsvp_core::wire::FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 };
    let api = dut.open(h);
    let request = rsvp_core::command::SenderRequest {
        template,
        tspec,
        adspec: true.into(),
        policy: Vec::new(),
        ttl: 64,
    };
    dut.command(rsvp_core::Command::AddSender(api, request)).expect("it is a good sender");
    dut.expect::<Path>(Port::C)
}

#[test]
fn a_host_without_guaranteed_service_can_offer_it() {
    shows(&["rfc2210-3.3.3-02"]);
    let mut dut = Lab::in_process().with(Family::V4, |config| {
        config.router = false;
        config.default_interface.guaranteed = None;
    });
    let sent = announced(&mut dut, tspec(20.0));
    let zeros = "02800008 85000001 00000000 86000001 00000000 87000001 00000000 88000001 00000000";
    assert_eq!(fragment(&sent.objects(ClassNum::ADSPEC)[0].contents, 2), Some(hex(zeros)));
}

#[test]
fn fragments_end_where_their_lengths_say() {
    shows(&["rfc2210-3.3-04", "rfc2210-A1-02"]);
    let longer =
        GUARANTEED_FRAGMENT.replacen("02000008", "0200000c", 1) + "06000001 49742400 0a000001 000005dc";
    let out = through(adspec(&[GENERAL, &longer, "05000000"]));
    let guaranteed = fragment(&out, 2).expect("guaranteed");
    assert_eq!(guaranteed[2..4], [0, 12]);
    let numbers: Vec<u8> = guaranteed[4..].chunks(8).map(|parameter| parameter[0]).collect();
    assert_eq!(numbers, [133, 134, 135, 136, 6, 10]);
    assert!(guaranteed[4..].chunks(8).all(|parameter| parameter[1] == 0), "no flag of a parameter is set");
    assert_eq!(parameter(&guaranteed, 133), 2500);
    assert_eq!(fragment(&out, 5), Some(hex("05000000")));
}

#[test]
fn a_sender_learns_the_packet_size_and_keeps_its_own() {
    shows(&["rfc2210-2.3.2-01", "rfc2210-2.3.2-05"]);
    let mut dut = Lab::in_process().host();
    let h = dut.h();
    let template = rsvp_core::wire::FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 };
    let api = dut.open(h);
    let request = rsvp_core::command::SenderRequest {
        template,
        tspec: tspec(20.0),
        adspec: false.into(),
        policy: Vec::new(),
        ttl: 64,
    };
    dut.command(rsvp_core::Command::AddSender(api, request)).expect("it is a good sender");
    dut.forget();
    dut.upcalls();
    let small = Flowspec::ControlledLoad(Tspec { max_packet: 1000, ..bucket(1.0) });
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(small.clone(), template)]);
    dut.send(Station::D1, resv);
    let upcalls = dut.upcalls();
    let [(_, rsvp_core::event::Upcall::Resv { flowspec, .. })] = &upcalls[..] else { panic!("{upcalls:?}") };
    assert_eq!(*flowspec, small);
    dut.advance(2 * R);
    let sent = dut.all::<Path>(Port::C);
    assert!(!sent.is_empty() && sent.iter().all(|path| path.message.sender_tspec == tspec(20.0)));
}
