//! RFC 2205 section A.10: SENDER_TEMPLATE.

use std::net::IpAddr;

use crate::bench::{Lab, Port, Station, cl, ff};
use crate::shows;
use rsvp_core::wire::{FilterSpec, Resv, ResvErr, Style};

/// A filter spec with a flow label is for no sender with a port, not even if the numbers are the same.
pub(crate) fn a_filter_of_another_c_type_is_another_sender(lab: &Lab) {
    shows(&["rfc2205-A.10-01"]);
    let mut dut = lab.router_v6();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let IpAddr::V6(source) = s1.source() else { panic!("S1 is an IPv6 host") };
    let label = FilterSpec::FlowLabel { source, label: 4000 };
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), label)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 4);
    dut.expect_silence();
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
}
