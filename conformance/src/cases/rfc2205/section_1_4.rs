//! RFC 2205 section 1.4: examples of styles. The figures' flowspecs are multiplied, so that admission control shows what is
//! reserved: there are 50 B on each interface.

use std::collections::BTreeMap;

use crate::bench::{Dut, Lab, Port, Received, Station, cl, ff, group_route, se, wf};
use crate::cases::rfc2205::capacity::{announce, assert_room};
use crate::shows;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, Resv, Style};

/// The router of the figures, which knows the three senders.
fn figure(lab: &Lab) -> Dut {
    let dut = lab.router();
    announced(dut)
}

fn announced(mut dut: Dut) -> Dut {
    let g = dut.g();
    for number in [1, 2, 3] {
        announce(&mut dut, g, number, 200.0);
    }
    dut
}

fn request(dut: &mut Dut, from: Station, style: Style, flows: &[FlowDescriptor]) {
    let resv = dut.resv(from, dut.g(), style, flows);
    dut.send(from, resv);
}

/// Figure 5: WF with 4 on c, 3 and 2 on the LAN d takes 4 on c and 3 on d, and asks both previous hops for 4.
pub(crate) fn figure_5_wildcard_filter(lab: &Lab) {
    shows(&["rfc2205-1.4-01", "rfc2205-2.2-02", "rfc2205-1.3-02"]);
    let mut dut = figure(lab);
    request(&mut dut, Station::D1, Style::Wf, &[wf(cl(40.0))]);
    for port in [Port::A, Port::B] {
        assert_eq!(dut.expect::<Resv>(port).shares(), [(40.0, vec![])], "{port:?}");
    }
    request(&mut dut, Station::D2, Style::Wf, &[wf(cl(30.0))]);
    request(&mut dut, Station::D3, Style::Wf, &[wf(cl(20.0))]);
    assert_room(&mut dut, Station::D1, 5.0, 15.0);
    assert_room(&mut dut, Station::D2, 15.0, 25.0);
    dut.expect_silence();
}

/// What a previous hop was asked for last, by senders.
fn asked(dut: &mut Dut, port: Port) -> BTreeMap<Vec<FilterSpec>, f32> {
    dut.all::<Resv>(port).iter().flat_map(Received::shares).map(|(n, senders)| (senders, n)).collect()
}

/// Figure 6: FF takes a reservation for each sender on each interface, and each previous hop is asked for its senders, in
/// one message or in several.
pub(crate) fn figure_6_fixed_filter(lab: &Lab) {
    shows(&["rfc2205-1.4-02", "rfc2205-1.3-04", "rfc2205-2.2-02"]);
    let mut dut = figure(lab);
    let (s1, s2, s3) = (dut.s1(), dut.s2(), dut.s3());
    request(&mut dut, Station::D1, Style::Ff, &[ff(cl(20.0), s1), ff(cl(25.0), s2)]);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(20.0, vec![s1])]);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(25.0, vec![s2])]);
    request(&mut dut, Station::D2, Style::Ff, &[ff(cl(15.0), s1), ff(cl(5.0), s3)]);
    let to_u2 = dut.expect::<Resv>(Port::B).shares();
    request(&mut dut, Station::D3, Style::Ff, &[ff(cl(5.0), s1)]);
    let mut all = asked(&mut dut, Port::B);
    all.extend(to_u2.into_iter().map(|(n, senders)| (senders, n)));
    let known = BTreeMap::from([(vec![s2], 25.0), (vec![s3], 5.0)]);
    assert_eq!(all.get(&vec![s3]), Some(&5.0));
    assert!(all.iter().all(|(senders, n)| known.get(senders) == Some(n)), "not merged: {all:?}");
    assert_room(&mut dut, Station::D1, 3.0, 10.0);
    assert_room(&mut dut, Station::D2, 28.0, 35.0);
    dut.expect_silence();
}

/// Figure 7: SE takes one reservation for all senders on each interface, and each previous hop is asked for the largest
/// flowspec, for the senders behind it alone.
pub(crate) fn figure_7_shared_explicit(lab: &Lab) {
    shows(&["rfc2205-1.4-03", "rfc2205-1.3-05"]);
    let mut dut = figure(lab);
    let (s1, s2, s3) = (dut.s1(), dut.s2(), dut.s3());
    request(&mut dut, Station::D1, Style::Se, &[se(cl(10.0), &[s1, s2])]);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(10.0, vec![s1])]);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(10.0, vec![s2])]);
    request(&mut dut, Station::D2, Style::Se, &[se(cl(30.0), &[s1, s3])]);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(30.0, vec![s1])]);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(30.0, vec![s2, s3])]);
    request(&mut dut, Station::D3, Style::Se, &[se(cl(20.0), &[s2])]);
    assert_room(&mut dut, Station::D1, 35.0, 45.0);
    assert_room(&mut dut, Station::D2, 15.0, 25.0);
    dut.expect_silence();
}

/// Figure 8: as figure 5, but what comes from U2 is not sent out of c; what is reserved there is nothing to U2.
pub(crate) fn figure_8_partial_routing(lab: &Lab) {
    shows(&["rfc2205-1.4-04", "rfc2209-2.rrefresh-03", "rfc2205-2.3-10"]);
    let mut dut = lab.router();
    let group = dut.g().destination();
    for number in [2, 3] {
        let source = Some(dut.plan.sender(number).source());
        dut.set_route(group, source, group_route(Port::B, &[Port::D]));
    }
    let mut dut = announced(dut);
    request(&mut dut, Station::D1, Style::Wf, &[wf(cl(4.0))]);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(4.0, vec![])]);
    dut.expect_silence();
    request(&mut dut, Station::D2, Style::Wf, &[wf(cl(3.0))]);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(3.0, vec![])]);
    request(&mut dut, Station::D3, Style::Wf, &[wf(cl(2.0))]);
    dut.expect_silence();
    request(&mut dut, Station::D3, Style::Wf, &[wf(cl(5.0))]);
    for port in [Port::A, Port::B] {
        assert_eq!(dut.expect::<Resv>(port).shares(), [(5.0, vec![])], "both are sent out of d");
    }
}
