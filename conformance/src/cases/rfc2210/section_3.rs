//! RFC 2210 sections 2, 3.1 and 3.2: TSPECs and FLOWSPECs.

use crate::bench::{Lab, Port, Station, bucket, cl, ff, hex};
use crate::shows;
use rsvp_core::wire::{ClassNum, Flowspec, Path, PathErr, Resv, ResvErr, Rspec, SenderTspec, Style, Tspec};

const TSPEC: &str = "00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040 000005dc";
const CONTROLLED_LOAD: &str = "00000007 05000006 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc";
const GUARANTEED: &str =
    "0000000a 02000009 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc 82000002 463b8000 000001f4";

/// What these octets ask for is understood, and asked for upstream in the same octets.
fn flowspec_as_octets(lab: &Lab, octets: &str, flowspec: &Flowspec) {
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| {
        let object = objects.iter_mut().find(|object| object.class == 9).expect("it is there");
        object.contents = hex(octets);
    });
    let sent = dut.expect::<Resv>(Port::A);
    assert_eq!(sent.message.flows[0].flowspec.as_ref(), Some(flowspec));
    assert_eq!(sent.objects(ClassNum::FLOWSPEC)[0].contents, hex(octets));
}

/// The error that a FLOWSPEC with these contents gets.
fn refused(lab: &Lab, contents: &[u8]) -> (u8, u16) {
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| {
        let object = objects.iter_mut().find(|object| object.class == 9).expect("it is there");
        object.contents = contents.to_vec();
    });
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    dut.expect_silence();
    (error.code, error.value)
}

/// A SENDER_TSPEC, with a peak rate that is infinite, goes on as it came.
pub(crate) fn the_sender_tspec_passes_unchanged(lab: &Lab) {
    shows(&["rfc2210-2-01", "rfc2210-3.1-01", "rfc2210-3.1-02"]);
    let mut dut = lab.router();
    let mut path = dut.path(Station::U1, dut.h(), dut.s1());
    let tspec = Tspec { bucket: 2000.0, peak: f32::INFINITY, ..bucket(1.0) };
    path.sender_tspec = SenderTspec::TokenBucket(tspec);
    dut.send(Station::U1, path.clone());
    let sent = dut.expect::<Path>(Port::C);
    assert_eq!(sent.objects(ClassNum::SENDER_TSPEC)[0].contents, hex(TSPEC));
    assert_eq!(sent.message.sender_tspec, path.sender_tspec);
}

/// Of two requests with different packet sizes the smaller one goes upstream.
pub(crate) fn merged_requests_go_upstream_with_the_smaller_packet_size(lab: &Lab) {
    shows(&["rfc2210-2.3.2-03"]);
    let mut dut = lab.router();
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

/// A least packet size of zero, or above the greatest one, is refused in Path and Resv.
pub(crate) fn packet_sizes_that_contradict_each_other(lab: &Lab) {
    shows(&["rfc2210-3.1-03"]);
    for (min_unit, max_packet) in [(0, 1500), (1500, 1000)] {
        let bad = Tspec { min_unit, max_packet, ..bucket(1.0) };
        let mut dut = lab.router();
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
    }
}

/// The octets of a request for controlled load are understood, and sent on.
pub(crate) fn controlled_load_as_octets(lab: &Lab) {
    shows(&["rfc2210-3.2.1-01", "rfc2211-5-07"]);
    flowspec_as_octets(
        lab,
        CONTROLLED_LOAD,
        &Flowspec::ControlledLoad(Tspec { bucket: 2000.0, peak: 20_000.0, ..bucket(1.0) }),
    );
}

/// The octets of a request for guaranteed service are understood, and sent on.
pub(crate) fn guaranteed_service_as_octets(lab: &Lab) {
    shows(&["rfc2210-3.2.2-01"]);
    let tspec = Tspec { bucket: 2000.0, peak: 20_000.0, ..bucket(1.0) };
    flowspec_as_octets(lab, GUARANTEED, &Flowspec::Guaranteed(tspec, Rspec { rate: 12_000.0, slack: 500 }));
}

/// A FLOWSPEC for the general service, or for an unknown one, is refused.
pub(crate) fn services_that_cannot_be_asked_for(lab: &Lab) {
    shows(&["rfc2210-3.2-01"]);
    for service in [1, 99] {
        let mut contents = hex(CONTROLLED_LOAD);
        contents[4] = service;
        let (code, value) = refused(lab, &contents);
        assert!(code == 21 && [2, 3].contains(&value), "service {service}: {code} {value}");
    }
}

/// A FLOWSPEC with fragments of two services is refused.
pub(crate) fn a_flowspec_is_for_one_service(lab: &Lab) {
    shows(&["rfc2210-2.2-03"]);
    let two = "00000010 05000006 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc
        02000009 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc 82000002 463b8000 000001f4";
    let mut contents = hex(two);
    contents[3] = u8::try_from(contents.len() / 4 - 1).expect("short");
    assert_eq!(refused(lab, &contents), (21, 3));
}

/// A FLOWSPEC whose lengths contradict each other, or of another version, is refused.
pub(crate) fn lengths_that_contradict_each_other(lab: &Lab) {
    shows(&["rfc2210-A1-01"]);
    // The lengths of message, service and parameter, and the version.
    for (position, value) in [(3, 8), (3, 6), (7, 7), (7, 5), (11, 6), (11, 4), (0, 0x10)] {
        let mut contents = hex(CONTROLLED_LOAD);
        contents[position] = value;
        assert_eq!(refused(lab, &contents), (21, 3), "octet {position} is {value}");
    }
}
