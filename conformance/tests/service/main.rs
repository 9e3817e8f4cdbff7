//! Requirements of RFC 2211, 2212, 2215 and 2997: the services, their order and their parameters.

mod null;
mod policing;
mod slack;

use conformance::bench::{Lab, Port, Station, gs, hex, wf};
use conformance::shows;
use rsvp_core::Instant;
use rsvp_core::intserv::{self, Hop, Meter, Relation};
use rsvp_core::wire::{Adspec, Flowspec, IntServAdspec, RawObject, Rspec, SenderTspec, Style, Tspec};

fn token_bucket((rate, depth, peak, min_unit, max_packet): (f32, f32, f32, u32, u32)) -> Tspec {
    Tspec { rate, bucket: depth, peak, min_unit, max_packet }
}

fn hop() -> Hop {
    Hop {
        bandwidth: 1e6,
        latency: Some(100),
        mtu: 1500,
        guaranteed: Some((1500, 120)),
        controlled_load: true,
        ..Hop::default()
    }
}

fn adspec() -> IntServAdspec {
    let contents =
        hex("00000013 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc
        02000008 85000001 000003e8 86000001 000000c8 87000001 000003e8 88000001 000000c8 05000000");
    match Adspec::decode(&RawObject { class: 13, ctype: 2, contents }) {
        Adspec::IntServ(adspec) => adspec,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_order_of_token_buckets() {
    shows(&["rfc2211-8-01", "rfc2212-ord-01"]);
    let one = token_bucket((10.0, 5.0, 20.0, 64, 1500));
    for (other, relation) in [
        ((10.0, 5.0, 20.0, 64, 1500), Relation::Equal),
        ((5.0, 5.0, 20.0, 64, 1500), Relation::Larger),
        ((10.0, 5.0, 20.0, 100, 1500), Relation::Larger),
        ((10.0, 5.0, 20.0, 64, 1000), Relation::Larger),
        ((5.0, 9.0, 20.0, 64, 1500), Relation::Incomparable),
    ] {
        let other = token_bucket(other);
        let rspec = Rspec { rate: 40.0, slack: 0 };
        assert_eq!(intserv::compare_tspecs(&one, &other), relation);
        let load = (Flowspec::ControlledLoad(one), Flowspec::ControlledLoad(other));
        assert_eq!(intserv::compare(&load.0, &load.1), relation);
        let guaranteed = (Flowspec::Guaranteed(one, rspec), Flowspec::Guaranteed(other, rspec));
        assert_eq!(intserv::compare(&guaranteed.0, &guaranteed.1), relation);
    }
}

#[test]
fn merging_for_a_reservation() {
    shows(&["rfc2211-8-02", "rfc2205-3.11.6-01"]);
    let one = Flowspec::ControlledLoad(token_bucket((10.0, 5.0, 20.0, 100, 1500)));
    let other = Flowspec::ControlledLoad(token_bucket((5.0, 8.0, 30.0, 64, 1000)));
    let lub = Flowspec::ControlledLoad(token_bucket((10.0, 8.0, 30.0, 64, 1000)));
    assert_eq!(intserv::lub(&one, &other), Some(lub));
    assert_eq!(intserv::compare(&one, &other), Relation::Incomparable);
    let smaller = Flowspec::ControlledLoad(token_bucket((5.0, 5.0, 20.0, 100, 1000)));
    assert_eq!(intserv::glb(&one, &smaller), Some(smaller), "of two in order, the smaller");
    let guaranteed =
        Flowspec::Guaranteed(token_bucket((10.0, 5.0, 20.0, 100, 1500)), Rspec { rate: 10.0, slack: 0 });
    assert_eq!(intserv::lub(&one, &guaranteed), None, "different services are incompatible");
}

#[test]
fn what_describes_any_of_several_flows() {
    shows(&["rfc2211-8-03"]);
    let [one, other] = [(10.0, 5.0, 20.0, 100, 1500), (5.0, 8.0, 30.0, 64, 1000)].map(token_bucket);
    let common = token_bucket((10.0, 8.0, 30.0, 64, 1500));
    assert_eq!(intserv::least_common(&one, &other), common);
    assert_eq!(intserv::least_common(&other, &one), common);
    let upstream = intserv::lub(&Flowspec::ControlledLoad(one), &Flowspec::ControlledLoad(other));
    assert_eq!(
        upstream,
        Some(Flowspec::ControlledLoad(Tspec { max_packet: 1000, ..common })),
        "upstream goes the merged one"
    );
}

#[test]
fn conformance_to_a_token_bucket() {
    shows(&["rfc2211-7-01"]);
    let tspec = token_bucket((1000.0, 500.0, f32::INFINITY, 100, 1500));
    let at = Instant::from_micros;
    let mut meter = Meter::new(tspec, 1500, at(0));
    let burst: Vec<bool> = (0..6).map(|_| meter.conforms(20, at(0))).collect();
    assert_eq!(burst, [true, true, true, true, true, false], "each counts as 100");
    assert!(!meter.conforms(20, at(99_000)));
    assert!(meter.conforms(20, at(100_000)) && !meter.conforms(20, at(100_000)));
    let mut roomy = Meter::new(Tspec { bucket: 5000.0, max_packet: 9000, ..tspec }, 1500, at(0));
    assert!(!roomy.conforms(1600, at(0)), "larger than the link's MTU");
    assert!(roomy.conforms(1500, at(0)));
    // Greedy for ten seconds: never more than r*T + b.
    let mut greedy = Meter::new(tspec, 1500, at(0));
    let sent = (0..10_000).filter(|ms| greedy.conforms(50, at(ms * 1000))).count();
    assert_eq!(sent, (1000 * 10 + 500) / 100 - 1, "as many as r*T + b has room for before T is over");
}

#[test]
fn conformance_to_a_token_bucket_with_a_peak_rate() {
    shows(&["rfc2212-pol-02"]);
    let at = Instant::from_micros;
    let passed = |packet: u32, micros: u64| {
        let mut meter = Meter::new(token_bucket((100.0, 500.0, 1000.0, 10, 100)), 1500, at(0));
        // Offered as often as the bucket could let one more pass.
        let times = (0..=micros).step_by(500);
        times.filter(|now| meter.conforms(packet, at(*now))).count() * packet.max(10) as usize
    };
    assert_eq!(passed(10, 100_000), 200, "M + p*T in 0.1 s");
    assert_eq!(passed(10, 10_000_000), 1500, "M + r*T + b - M in 10 s");
    assert_eq!(passed(1, 10_000_000), 1500, "what is smaller than m counts as m");
    assert_eq!(passed(100, 10_050_000), 1500, "whole packets");
}

#[test]
fn sums_and_minima() {
    shows(&["rfc2211-8-04", "rfc2211-8-05"]);
    let sum = |buckets: [Tspec; 2]| {
        let tspecs = buckets.map(SenderTspec::TokenBucket);
        intserv::sum(tspecs.iter())
    };
    let [one, other] = [(10.0, 5.0, 20.0, 100, 1500), (5.0, 8.0, 30.0, 64, 1000)].map(token_bucket);
    let total = token_bucket((15.0, 13.0, 50.0, 64, 1500));
    assert_eq!(sum([one, other]), Some(SenderTspec::TokenBucket(total)));
    let endless = Tspec { peak: f32::INFINITY, ..one };
    assert_eq!(sum([endless, other]), Some(SenderTspec::TokenBucket(Tspec { peak: f32::INFINITY, ..total })));
    let small = token_bucket((10.0, 2.0, 20.0, 100, 1500));
    assert_eq!(intserv::minimum(&small, &other), token_bucket((5.0, 8.0, 20.0, 64, 1000)), "unordered");
    assert_eq!(intserv::minimum(&one, &small), small, "ordered: the smaller");
}

#[test]
fn the_delay_bound_of_guaranteed_service() {
    shows(&["rfc2212-e2e-01"]);
    let close =
        |found: f64, expected: f64| assert!((found - expected).abs() < 1.0, "{found} and not {expected}");
    let tspec = token_bucket((10_000.0, 4500.0, 40_000.0, 64, 1500));
    let bound = |tspec: &Tspec, rate| intserv::queueing_delay(tspec, &Rspec { rate, slack: 0 }, 3000, 2000);
    // (b-M)/R * (p-R)/(p-r) + (M+Ctot)/R + Dtot, in microseconds.
    close(bound(&tspec, 20_000.0), 1e6 * (3000.0 / 20_000.0 * 20.0 / 30.0 + 4500.0 / 20_000.0) + 2000.0);
    close(bound(&tspec, 50_000.0), 1e6 * (4500.0 / 50_000.0) + 2000.0);
    let endless = Tspec { peak: f32::INFINITY, ..tspec };
    close(bound(&endless, 20_000.0), 1e6 * (4500.0 / 20_000.0 + 3000.0 / 20_000.0) + 2000.0);
}

#[test]
fn the_error_terms_of_guaranteed_service_add_up() {
    shows(&["rfc2212-exp-01", "rfc2212-exp-02"]);
    let mut adspec = adspec();
    let out = intserv::advertise(&adspec, &hop()).guaranteed.expect("guaranteed service");
    assert_eq!((out.c_total, out.d_total, out.c_sum, out.d_sum), (2500, 320, 2500, 320));
    let fragment = adspec.guaranteed.as_mut().expect("guaranteed service");
    (fragment.c_total, fragment.d_total) = (0xffff_ff00, 0xffff_fff0);
    let out = intserv::advertise(&adspec, &hop()).guaranteed.expect("guaranteed service");
    assert_eq!((out.c_total, out.d_total), (u32::MAX, u32::MAX), "no wrap");
}

#[test]
fn police_flags_ask_for_reshaping_where_it_is_needed() {
    shows(&["rfc2212-pol-04"]);
    use rsvp_core::output::PoliceFlags;
    let mut dut = Lab::in_process().router();
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.learn(Station::U1, g, s1);
    dut.learn(Station::U2, g, s2);
    dut.reserve(Station::D1, g, Style::Wf, &[wf(gs(4.0))]);
    dut.reserve(Station::D2, g, Style::Wf, &[wf(gs(2.0))]);
    let [c, d] = [Port::C, Port::D].map(|port| dut.kernel(port)[0].police);
    assert_eq!(c, PoliceFlags::MERGE);
    assert_eq!(d, PoliceFlags::MERGE | PoliceFlags::BRANCH);
}

#[test]
fn the_buffer_that_guaranteed_service_needs() {
    shows(&["rfc2212-guide-01"]);
    let close =
        |found: f64, expected: f64| assert!((found - expected).abs() < 0.5, "{found} and not {expected}");
    let rspec = Rspec { rate: 20_000.0, slack: 0 };
    let tspec = token_bucket((10_000.0, 4500.0, 40_000.0, 64, 1500));
    let endless = Tspec { peak: f32::INFINITY, ..tspec };
    close(intserv::buffer_size(&endless, &rspec, 3000, 50_000), 4500.0 + 3000.0 + 0.05 * 20_000.0);
    // (b-M)/(p-r) = 0.1 s < Csum/R + Dsum = 0.2 s: X = r.
    close(
        intserv::buffer_size(&tspec, &rspec, 3000, 50_000),
        1500.0 + 3000.0 * 30_000.0 / 30_000.0 + 0.2 * 10_000.0,
    );
    // 0.1 s >= 0.05 s and p > R: X = R.
    close(
        intserv::buffer_size(&tspec, &rspec, 0, 50_000),
        1500.0 + 3000.0 * 20_000.0 / 30_000.0 + 0.05 * 20_000.0,
    );
    // p <= R: X = p.
    let fast = Rspec { rate: 50_000.0, slack: 0 };
    close(intserv::buffer_size(&tspec, &fast, 0, 50_000), 1500.0 + 0.05 * 40_000.0);
}

#[test]
fn all_general_parameters_are_processed() {
    shows(&["rfc2215-1-01", "rfc2215-3.1-01", "rfc2215-3.2-01"]);
    let mut adspec = adspec();
    let out = intserv::advertise(&adspec, &Hop { bandwidth: 5e5, mtu: 1400, ..hop() }).general;
    assert_eq!((out.is_hops, out.bandwidth, out.latency, out.path_mtu), (4, 5e5, 600, 1400));
    assert!(!out.broken);
    assert!(intserv::advertise(&adspec, &Hop { non_rsvp: true, ..hop() }).general.broken);
    (adspec.general.is_hops, adspec.general.broken) = (255, true);
    let out = intserv::advertise(&adspec, &hop()).general;
    assert_eq!((out.is_hops, out.broken), (255, true), "no wrap, and a break stays");
}

#[test]
fn the_available_bandwidth() {
    shows(&["rfc2215-3.3-01"]);
    let bandwidth = |arriving, local| {
        let mut adspec = adspec();
        adspec.general.bandwidth = arriving;
        intserv::advertise(&adspec, &Hop { bandwidth: local, ..hop() }).general.bandwidth
    };
    assert_eq!(bandwidth(1e6, 5e5), 5e5);
    assert_eq!(bandwidth(5e5, 1e6), 5e5);
    assert_eq!((bandwidth(0.0, 1e6), bandwidth(1e6, 0.0)), (0.0, 0.0), "not known");
    assert!(!bandwidth(f32::NAN, 1e6).is_nan());
}

#[test]
fn the_path_latency() {
    shows(&["rfc2215-3.4-01"]);
    let latency = |arriving, local| {
        let mut adspec = adspec();
        adspec.general.latency = arriving;
        intserv::advertise(&adspec, &Hop { latency: local, ..hop() }).general.latency
    };
    assert_eq!(latency(500, Some(100)), 600);
    assert_eq!(latency(u32::MAX, Some(100)), u32::MAX, "indeterminate stays so");
    assert_eq!(latency(500, None), u32::MAX);
    assert_eq!(latency(0xffff_fff0, Some(100)), u32::MAX, "no wrap");
}

#[test]
fn overrides_and_global_values() {
    shows(&["rfc2215-2-01", "rfc2215-3.5-01"]);
    let mut adspec = adspec();
    let load = adspec.controlled_load.as_mut().expect("controlled load");
    (load.overrides.path_mtu, load.overrides.bandwidth) = (Some(1000), Some(3e5));
    let out = intserv::advertise(&adspec, &Hop { bandwidth: 2e5, mtu: 1200, ..hop() });
    let load = out.controlled_load.expect("controlled load");
    assert_eq!((load.overrides.path_mtu, load.overrides.bandwidth), (Some(1000), Some(2e5)));
    assert_eq!((out.general.path_mtu, out.general.bandwidth), (1200, 2e5), "the global values all the same");
    assert!(load.overrides.path_mtu <= Some(out.general.path_mtu));
}
