//! RFC 2205 section 3.1.9: ResvConf messages, and errors that pass through.

use crate::bench::{Lab, Packet, Port, Station, cl, ff};
use crate::shows;
use rsvp_core::wire::{PathErr, Resv, ResvConf, ResvErr, Style};

/// A ResvConf says who confirms what: an address of the device, no error, and the senders that are confirmed here. For
/// the others the request travels on.
pub(crate) fn a_confirmation_says_who_confirms_what(lab: &Lab) {
    shows(&["rfc2205-3.1.9-03", "rfc2205-B-02"]);
    let mut dut = lab.group(3);
    let (g, s1, s2, receiver) = (dut.g(), dut.s1(), dut.s2(), dut.h().flow().destination);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(4.0), s1)]);
    let mut resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1), ff(cl(1.0), s2)]);
    resv.confirm = Some(receiver);
    dut.send(Station::D1, resv);
    let ResvConf { error, confirm, style, flows, .. } = dut.expect::<ResvConf>(Port::C).message;
    assert_eq!((error.code, error.value, error.flags), (0, 0, 0));
    let own = Port::ALL.map(|port| dut.plan.dut(port));
    assert!(
        own.contains(&error.node),
        "expected one of {own:?} as the node that confirms, not {}",
        error.node
    );
    let confirmed: Vec<_> = flows.iter().flat_map(|flow| flow.filters.clone()).collect();
    assert_eq!((confirm, style, confirmed), (receiver, Style::Ff, vec![s1]));
    let up = dut.expect::<Resv>(Port::B);
    assert_eq!(up.shares(), [(1.0, vec![s2])]);
    assert_eq!(up.message.confirm, Some(receiver), "S2 is to be confirmed further up");
    dut.expect_no::<ResvConf>(Port::C);
}

/// A ResvConf passes through the device on its way to the receiver, addressed to it, and says the same. One that is
/// addressed to somebody else is not forwarded.
pub(crate) fn a_confirmation_passes_through(lab: &Lab) {
    shows(&["rfc2205-3.1.9-01", "rfc2205-B-24"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let receiver = h.flow().destination;
    let confirmation = dut.resv_conf(h, receiver, Style::Ff, &[ff(cl(1.0), s1)]);
    let packet = dut.pack(Station::U1, confirmation.clone());
    let astray = Packet { destination: dut.k().flow().destination, ..packet.clone() };
    dut.send_packet(Station::U1, &astray);
    dut.expect_silence();
    dut.send_packet(Station::U1, &packet);
    let passed = dut.expect::<ResvConf>(Port::C);
    assert_eq!(passed.message, confirmation);
    assert_eq!(passed.sent.packet.destination, receiver);
    assert!(passed.sent.packet.ttl < packet.ttl, "it is a hop further: {}", passed.sent.packet.ttl);
    dut.expect_silence();
}

/// Errors and confirmations that pass through name the node that found them, as before.
pub(crate) fn the_node_that_found_an_error_stays_the_same(lab: &Lab) {
    shows(&["rfc2205-A.5-04"]);
    let mut dut = lab.unicast(1);
    let (h, s1, far) = (dut.h(), dut.s1(), dut.plan.far());
    let flow = ff(cl(1.0), s1);
    dut.reserve(Station::D1, h, Style::Ff, std::slice::from_ref(&flow));
    let error = dut.path_err(h, s1, 2, 0);
    dut.send(Station::D1, error);
    assert_eq!(dut.expect::<PathErr>(Port::A).message.error.node, far, "PathErr");
    let error = dut.resv_err(Station::U1, h, Style::Ff, flow.clone(), (2, 0, 0));
    dut.send(Station::U1, error);
    assert_eq!(dut.expect::<ResvErr>(Port::C).message.error.node, far, "ResvErr");
    let confirmation = dut.resv_conf(h, h.flow().destination, Style::Ff, &[flow]);
    dut.send(Station::U1, confirmation);
    assert_eq!(dut.expect::<ResvConf>(Port::C).message.error.node, far, "ResvConf");
}
