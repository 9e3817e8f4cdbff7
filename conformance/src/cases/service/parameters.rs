//! How the parameters of the services are composed, merged and passed on (RFC 2212, 2215 and 2997).

use crate::bench::{Family, Lab, Port, Station, bucket, cl, ff, hex};
use crate::shows;
use rsvp_core::config::GuaranteedConfig;
use rsvp_core::wire::{Adspec, Flowspec, IntServAdspec, Path, RawObject, Resv, ResvErr, Rspec, Style, Tspec};

fn adspec() -> IntServAdspec {
    let contents =
        hex("00000013 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc
        02000008 85000001 000003e8 86000001 000000c8 87000001 000003e8 88000001 000000c8 05000000");
    match Adspec::decode(&RawObject { class: 13, ctype: 2, contents }) {
        Adspec::IntServ(adspec) => adspec,
        other => panic!("{other:?}"),
    }
}

/// The ADSPEC that leaves by c when this one comes in to a node whose C is 1500 and whose D is 120.
fn through(lab: &Lab, given: IntServAdspec) -> IntServAdspec {
    let mut dut = lab.with(Family::V4, |config| {
        config.default_interface.guaranteed = Some(GuaranteedConfig::new(1500, 120));
    });
    let mut path = dut.path(Station::U1, dut.h(), dut.s1());
    path.adspec = Some(Adspec::IntServ(given));
    dut.send(Station::U1, path);
    let Some(Adspec::IntServ(out)) = dut.expect::<Path>(Port::C).message.adspec else { panic!("an ADSPEC") };
    out
}

/// The error terms of guaranteed service grow by those of the node.
pub(crate) fn the_error_terms_of_guaranteed_service_add_up(lab: &Lab) {
    shows(&["rfc2212-exp-01"]);
    let out = through(lab, adspec()).guaranteed.expect("guaranteed service");
    assert_eq!((out.c_total, out.d_total, out.c_sum, out.d_sum), (2500, 320, 2500, 320));
}

/// All general parameters are composed: the hop is counted, and bandwidth and path MTU are no more than the link has.
pub(crate) fn all_general_parameters_are_processed(lab: &Lab) {
    shows(&["rfc2215-1-01", "rfc2215-3.2-01", "rfc2215-3.5-01"]);
    let mut given = adspec();
    (given.general.bandwidth, given.general.path_mtu) = (1e12, 9000);
    let out = through(lab, given).general;
    assert!(!out.broken);
    assert_eq!((out.is_hops, out.bandwidth, out.path_mtu), (4, 1e6, 1500));
    assert!(out.latency >= 500, "{}", out.latency);
}

/// Sums do not wrap, what is not known stays so, and a break stays.
pub(crate) fn parameters_stop_at_their_limits(lab: &Lab) {
    shows(&["rfc2212-exp-02", "rfc2215-3.1-01", "rfc2215-3.2-01", "rfc2215-3.3-01", "rfc2215-3.4-01"]);
    let mut given = adspec();
    let general = &mut given.general;
    (general.is_hops, general.broken, general.latency, general.bandwidth) = (255, true, u32::MAX, 0.0);
    let service = given.guaranteed.as_mut().expect("guaranteed service");
    (service.c_total, service.d_total) = (0xffff_ff00, 0xffff_fff0);
    let out = through(lab, given);
    assert_eq!((out.general.is_hops, out.general.broken), (255, true));
    assert_eq!((out.general.latency, out.general.bandwidth), (u32::MAX, 0.0));
    let service = out.guaranteed.expect("guaranteed service");
    assert_eq!((service.c_total, service.d_total), (u32::MAX, u32::MAX));
}

/// A value that a service has for itself is composed beside the general one, and neither takes the place of the other.
pub(crate) fn overrides_and_global_values(lab: &Lab) {
    shows(&["rfc2215-2-01", "rfc2215-3.5-01"]);
    let mut given = adspec();
    (given.general.path_mtu, given.general.bandwidth) = (1400, 5e5);
    let load = given.controlled_load.as_mut().expect("controlled load");
    (load.overrides.path_mtu, load.overrides.bandwidth) = (Some(1000), Some(1e12));
    let out = through(lab, given);
    let load = out.controlled_load.expect("controlled load");
    assert_eq!((load.overrides.path_mtu, load.overrides.bandwidth), (Some(1000), Some(1e6)));
    assert_eq!((out.general.path_mtu, out.general.bandwidth), (1400, 5e5));
}

/// Of two requests for controlled load the largest rates and sizes, and the smallest packet sizes, go upstream.
pub(crate) fn merging_for_a_reservation(lab: &Lab) {
    shows(&["rfc2211-8-02"]);
    let mut dut = lab.router();
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U1, g, s1);
    let load = |rate, bucket, peak, min_unit, max_packet| {
        Flowspec::ControlledLoad(Tspec { rate, bucket, peak, min_unit, max_packet })
    };
    dut.reserve(Station::D1, g, Style::Ff, &[ff(load(10_000.0, 5000.0, 20_000.0, 100, 1500), s1)]);
    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(load(5000.0, 8000.0, 30_000.0, 64, 1000), s1)]);
    dut.send(Station::D2, resv);
    let merged = load(10_000.0, 8000.0, 30_000.0, 64, 1000);
    assert_eq!(dut.expect::<Resv>(Port::A).message.flows[0].flowspec, Some(merged));
}

/// Requests for the null service are merged by their packet size, and go with no other service in a session.
pub(crate) fn the_null_service(lab: &Lab) {
    shows(&["rfc2997-3-03", "rfc2997-3-04"]);
    let null = |max_packet| Flowspec::Null { max_packet };
    let golden = RawObject { class: 9, ctype: 2, contents: hex("00000003 06000002 80000001 000005dc") };
    assert_eq!(Flowspec::decode(&golden), null(1500));
    let mut dut = lab.router();
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U1, g, s1);
    for (station, max_packet) in [(Station::D1, 1500), (Station::D2, 1000)] {
        let resv = dut.resv(station, g, Style::Ff, &[ff(null(max_packet), s1)]);
        dut.send(station, resv);
        assert_eq!(dut.expect::<Resv>(Port::A).message.flows[0].flowspec, Some(null(max_packet)));
    }
    let tear = dut.resv_tear(Station::D2, g, Style::Ff, &[ff(null(1000), s1)]);
    dut.send(Station::D2, tear);
    assert_eq!(dut.expect::<Resv>(Port::A).message.flows[0].flowspec, Some(null(1500)));
    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D2, resv);
    let error = dut.expect_to::<ResvErr>(Station::D2).message.error;
    assert_eq!((error.code, error.value), (21, 1));
}

/// Behind a node that reshapes, the sums since the last reshaping are its own, and the totals go on.
pub(crate) fn a_node_that_reshapes_starts_the_sums_anew(lab: &Lab) {
    shows(&["rfc2212-exp-03"]);
    let sums = |reshapes| {
        let mut dut = lab.with(Family::V4, |config| {
            let service = GuaranteedConfig { reshapes, ..GuaranteedConfig::new(1500, 120) };
            config.default_interface.guaranteed = Some(service);
        });
        let mut path = dut.path(Station::U1, dut.h(), dut.s1());
        path.adspec = Some(Adspec::IntServ(adspec()));
        dut.send(Station::U1, path);
        let Some(Adspec::IntServ(out)) = dut.expect::<Path>(Port::C).message.adspec else {
            panic!("an ADSPEC")
        };
        let service = out.guaranteed.expect("guaranteed service");
        ((service.c_sum, service.d_sum), (service.c_total, service.d_total))
    };
    assert_eq!(sums(true), ((1500, 120), (2500, 320)), "the scheduler stands behind the reshaper");
    assert_eq!(sums(false), ((2500, 320), (2500, 320)));
}

/// Of two requests for guaranteed service the larger rate and the smaller slack go upstream.
pub(crate) fn merging_of_guaranteed_service(lab: &Lab) {
    shows(&["rfc2212-ord-02"]);
    let mut dut = lab.router();
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U1, g, s1);
    let ask =
        |rate, slack| Flowspec::Guaranteed(Tspec { rate: 5000.0, ..bucket(1.0) }, Rspec { rate, slack });
    dut.reserve(Station::D1, g, Style::Ff, &[ff(ask(10_000.0, 50), s1)]);
    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(ask(8000.0, 20), s1)]);
    dut.send(Station::D2, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).message.flows[0].flowspec, Some(ask(10_000.0, 20)));
}

/// A request with slack goes upstream with the same rate and slack.
pub(crate) fn slack_that_is_not_used_is_passed_on(lab: &Lab) {
    shows(&["rfc2212-ord-03"]);
    let mut dut = lab.greedy();
    let (h, s1) = (dut.h(), dut.s1());
    let asked = Flowspec::Guaranteed(bucket(1.0), Rspec { rate: 12_000.0, slack: 500 });
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(asked.clone(), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).message.flows[0].flowspec, Some(asked));
}

/// A DCLASS object in a Resv is passed on.
pub(crate) fn dclass_passes(lab: &Lab) {
    shows(&["rfc2997-3-05"]);
    let mut dut = lab.greedy();
    let (h, s1) = (dut.h(), dut.s1());
    let dclass = RawObject { class: 225, ctype: 1, contents: vec![0, 0, 0, 46] };
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.forward = vec![dclass.clone()];
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).message.forward, [dclass]);
}
