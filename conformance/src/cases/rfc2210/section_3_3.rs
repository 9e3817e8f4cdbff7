//! RFC 2210 sections 2 and 3.3: ADSPECs.

use crate::bench::{Action, Dut, Family, Lab, Port, Station, hex, object, tspec};
use crate::shows;
use rsvp_core::command::SenderRequest;
use rsvp_core::config::GuaranteedConfig;
use rsvp_core::wire::{Adspec, ClassNum, FilterSpec, Path, PathErr, RawObject};

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
fn through(lab: &Lab, contents: Vec<u8>) -> Vec<u8> {
    let mut dut = lab.router();
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

/// An ADSPEC that has passed three nodes is as long as it was behind the first, and its values have changed.
pub(crate) fn an_adspec_does_not_grow(lab: &Lab) {
    shows(&["rfc2210-2-02"]);
    let first = through(lab, adspec(&[GENERAL, GUARANTEED_FRAGMENT, "05000000"]));
    let second = through(lab, first.clone());
    let third = through(lab, second.clone());
    assert_eq!((first.len(), third.len()), (80, 80));
    assert_ne!(first, second);
}

/// Each service composes its own fragment of an ADSPEC, and one of an unknown service gets its break bit and stays.
pub(crate) fn services_update_their_own_fragments(lab: &Lab) {
    shows(&["rfc2210-2.1-03", "rfc2210-3.3-03", "rfc2997-2-01", "rfc2210-3.3.4-01"]);
    let unknown = "4d000003 84000002 00000001 00000002";
    let out = through(lab, adspec(&[GENERAL, GUARANTEED_FRAGMENT, "05000000", unknown]));
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

/// Break bits that are set stay so, while the values beside them are composed.
pub(crate) fn break_bits_stay_set(lab: &Lab) {
    shows(&["rfc2210-2.3.1-01", "rfc2210-2.3.1-02"]);
    let general = GENERAL.replacen("01000008", "01800008", 1);
    let guaranteed = GUARANTEED_FRAGMENT.replacen("02000008", "02800008", 1);
    let out = through(lab, adspec(&[&general, &guaranteed, "05800000"]));
    assert!(is_broken(&fragment(&out, 1).expect("general")));
    let guaranteed = fragment(&out, 2).expect("guaranteed");
    assert!(is_broken(&guaranteed));
    assert_eq!(parameter(&guaranteed, 133), 2500, "composed all the same");
    assert_eq!(fragment(&out, 5).expect("controlled load"), hex("05800000"));
}

/// The bandwidth of an ADSPEC becomes the lesser of path and link, hops are counted, and the path MTU is that of the link.
pub(crate) fn general_parameters_are_composed(lab: &Lab) {
    shows(&["rfc2210-3.3.2-03", "rfc2210-3.3.2-01"]);
    for (bandwidth, expected) in [("48742400", 250_000.0_f32), ("49f42400", 1_000_000.0)] {
        let general = GENERAL.replacen("48742400", bandwidth, 1);
        let out = through(lab, adspec(&[&general]));
        let general = fragment(&out, 1).expect("general");
        assert_eq!(f32::from_bits(parameter(&general, 6)), expected, "the lesser of path and link");
        assert_eq!((parameter(&general, 4), parameter(&general, 10)), (4, 1500));
    }
}

/// No fragment of guaranteed service is added where there was none.
pub(crate) fn a_service_that_is_not_offered_is_not_added(lab: &Lab) {
    shows(&["rfc2210-3.3-02"]);
    let out = through(lab, adspec(&[GENERAL, "05000000"]));
    assert!(fragment(&out, 2).is_none());
    assert!(fragment(&out, 5).is_some());
}

/// A fragment of guaranteed service without values gets those of this node, and its break bit stays.
pub(crate) fn an_empty_guaranteed_fragment_is_filled_in(lab: &Lab) {
    shows(&["rfc2210-3.3.3-03", "rfc2210-3.3.3-01", "rfc2212-exp-04"]);
    let out = through(lab, adspec(&[GENERAL, "02800000"]));
    let guaranteed = fragment(&out, 2).expect("guaranteed");
    assert!(is_broken(&guaranteed), "as received");
    assert_eq!(guaranteed[2..4], [0, 8]);
    assert_eq!((parameter(&guaranteed, 133), parameter(&guaranteed, 134)), (1500, 1000));
}

/// A value that a service has for itself is composed with that of this node.
pub(crate) fn overrides_are_composed(lab: &Lab) {
    shows(&["rfc2210-3.3.5-01", "rfc2210-3.3.5-03"]);
    let out = through(lab, adspec(&[GENERAL, "05000004 06000001 48927c00 0a000001 000003e8"]));
    let load = fragment(&out, 5).expect("controlled load");
    assert_eq!(f32::from_bits(parameter(&load, 6)), 300_000.0, "less than the link has");
    assert_eq!(parameter(&load, 10), 1000, "less than the interface's MTU");
    let out = through(lab, adspec(&[GENERAL, "05000004 06000001 4b189680 0a000001 00002328"]));
    let load = fragment(&out, 5).expect("controlled load");
    assert_eq!(f32::from_bits(parameter(&load, 6)), 1_000_000.0, "what the link has");
    assert_eq!(parameter(&load, 10), 1500, "the interface's MTU");
}

/// The values in a fragment of an unknown service stay as they are.
pub(crate) fn fragments_of_unknown_services_are_not_composed(lab: &Lab) {
    shows(&["rfc2210-3.3.5-04"]);
    let unknown = "4d000002 0a000001 00002328";
    let out = through(lab, adspec(&[GENERAL, unknown]));
    let mut broken = hex(unknown);
    broken[1] |= 0x80;
    assert_eq!(fragment(&out, 77), Some(broken));
}

/// The full example of the RFC goes through with its three services.
pub(crate) fn the_full_example(lab: &Lab) {
    shows(&["rfc2210-3.3.6-01"]);
    let contents = adspec(&[GENERAL, GUARANTEED_FRAGMENT, "05000000"]);
    assert_eq!(contents.len() + 4, 84);
    let decoded = Adspec::decode(&RawObject { class: 13, ctype: 2, contents: contents.clone() });
    let Adspec::IntServ(adspec) = &decoded else { panic!("{decoded:?}") };
    assert_eq!((adspec.general.is_hops, adspec.general.path_mtu), (3, 1500));
    let guaranteed = adspec.guaranteed.expect("guaranteed");
    assert_eq!((guaranteed.c_total, guaranteed.d_total), (1000, 200));
    let services: Vec<u8> = {
        let out = through(lab, contents);
        [1, 2, 5].into_iter().filter(|service| fragment(&out, *service).is_some()).collect()
    };
    assert_eq!(services, [1, 2, 5]);
}

/// A node without guaranteed service sets the break bit of its fragment, and changes nothing else there.
pub(crate) fn a_node_without_guaranteed_service_says_so(lab: &Lab) {
    shows(&["rfc2210-3.3.3-04"]);
    for before in [GUARANTEED_FRAGMENT, "02000000"] {
        let mut dut = lab.with(Family::V4, |config| config.default_interface.guaranteed = None);
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

/// A packet size of this node for guaranteed service alone is put behind the values of that service.
pub(crate) fn a_value_of_this_node_for_one_service_is_inserted(lab: &Lab) {
    shows(&["rfc2210-3.3.5-02"]);
    let mut dut = lab.with(Family::V4, |config| {
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

/// A fragment with more values than its service has is composed, and what follows it is read behind its length.
pub(crate) fn fragments_end_where_their_lengths_say(lab: &Lab) {
    shows(&["rfc2210-3.3-04", "rfc2210-A1-02"]);
    let longer =
        GUARANTEED_FRAGMENT.replacen("02000008", "0200000c", 1) + "06000001 49742400 0a000001 000005dc";
    let out = through(lab, adspec(&[GENERAL, &longer, "05000000"]));
    let guaranteed = fragment(&out, 2).expect("guaranteed");
    assert_eq!(guaranteed[2..4], [0, 12]);
    let numbers: Vec<u8> = guaranteed[4..].chunks(8).map(|parameter| parameter[0]).collect();
    assert_eq!(numbers, [133, 134, 135, 136, 6, 10]);
    assert!(guaranteed[4..].chunks(8).all(|parameter| parameter[1] == 0), "no flag of a parameter is set");
    assert_eq!(parameter(&guaranteed, 133), 2500);
    assert_eq!(fragment(&out, 5), Some(hex("05000000")));
}

/// An ADSPEC whose lengths contradict each other, or that does not begin with the general part, is refused.
pub(crate) fn adspecs_that_contradict_themselves(lab: &Lab) {
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
        let mut dut = lab.router();
        let h = dut.h();
        let path = dut.path(Station::U1, h, dut.s1());
        dut.send_changed(Station::U1, path, |objects| {
            objects.push(RawObject { class: 13, ctype: 2, contents: contents.clone() });
        });
        let error = dut.expect_to::<PathErr>(Station::U1).message.error;
        assert_eq!((error.code, error.value), (21, 5), "{contents:02x?}");
    }
}

/// What a host sends for a sender of its own, whose ADSPEC is as by default.
fn announced(dut: &mut Dut) -> Vec<u8> {
    let (h, template) = (dut.h(), FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 });
    let request =
        SenderRequest { template, tspec: tspec(1.0), adspec: true.into(), policy: Vec::new(), ttl: 64 };
    dut.act(&Action::Send(h, request));
    let sent = dut.expect::<Path>(Port::C);
    assert_eq!(sent.message.sender_template, template);
    dut.send(Station::D1, dut.path_err(h, template, 1, 0));
    sent.objects(ClassNum::ADSPEC)[0].contents.clone()
}

/// The ADSPEC of a host's own sender has unbroken fragments of the general part and of the services that it has.
pub(crate) fn a_sender_offers_what_the_host_knows(lab: &Lab) {
    shows(&["rfc2210-2.1-01", "rfc2210-3.3.2-02"]);
    let contents = announced(&mut lab.host());
    assert_eq!(contents.len() + 4, 84);
    for service in [1, 2, 5] {
        assert!(!is_broken(&fragment(&contents, service).expect("it is offered")));
    }
}

/// A host without guaranteed service that offers it says that the path is broken for it from the start.
pub(crate) fn a_host_without_guaranteed_service_can_offer_it(lab: &Lab) {
    shows(&["rfc2210-3.3.3-02"]);
    let mut dut = lab.with(Family::V4, |config| {
        config.router = false;
        config.default_interface.guaranteed = None;
    });
    let zeros = "02800008 85000001 00000000 86000001 00000000 87000001 00000000 88000001 00000000";
    let offered = fragment(&announced(&mut dut), 2).expect("it is offered");
    assert!(offered == hex(zeros) || offered == hex("02800000"), "{offered:02x?}");
}
