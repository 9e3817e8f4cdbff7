//! RFC 3209 section 2: how LSP tunnels are set up and taken down, by the messages of RFC 2205.

use rsvp_core::wire::{ClassNum, MessageType};

use crate::bench::{Lab, Port, Station, explicit_route, loose, strict};
use crate::shows;

/// A Path about a tunnel leaves with the HOP of the device, from the ingress to the end of the tunnel.
pub(crate) fn a_path_gets_the_hop_of_the_device(lab: &Lab) {
    shows(&["rfc2205-3.1.3-02", "rfc2205-3.1.3-05"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(11);
    let path = dut.tunnel_path(Station::U1, lsp);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let path = dut.expect_tunnel(Port::C, MessageType::PATH);
    assert_eq!(path.hop().address, dut.plan.dut(Port::C), "the HOP");
    let packet = &path.sent.packet;
    assert_eq!((packet.source, packet.destination), (lsp.ingress.into(), lsp.end.into()), "its addresses");
}

/// A Resv comes with a HOP of the device that has the LIH of the neighbour's Path.
pub(crate) fn a_resv_has_the_lih_of_the_path(lab: &Lab) {
    shows(&["rfc2205-3.1.4-03", "rfc2205-A.2-02"]);
    let mut dut = lab.router();
    let (_, resv) = dut.set_up(dut.lsp(12));
    assert_eq!((resv.hop().address, resv.hop().lih), (dut.plan.dut(Port::A), 77), "the HOP");
}

/// A Resv goes to the previous hop that the Path came from, though the way to the ingress is another.
pub(crate) fn a_resv_goes_back_along_the_path(lab: &Lab) {
    shows(&["rfc3209-2.2-04"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(13); // Its ingress is behind U1.
    let path = dut.tunnel_path(Station::U2, lsp);
    dut.send_tunnel(Station::U2, MessageType::PATH, lsp, path);
    let path = dut.expect_tunnel(Port::C, MessageType::PATH);
    let resv = dut.tunnel_resv(&path, lsp);
    dut.send_tunnel(Station::D1, MessageType::RESV, lsp, resv);
    let resv = dut.expect_tunnel(Port::B, MessageType::RESV);
    assert_eq!(resv.sent.packet.destination, dut.plan.station(Station::U2), "to the previous hop");
    dut.expect_none(Port::A, MessageType::RESV);
}

/// A PathTear goes the way of the Path, and a Resv for what it has torn down goes no further.
pub(crate) fn a_path_tear_goes_on_and_takes_the_lsp_down(lab: &Lab) {
    shows(&["rfc2205-3.1.5-01", "rfc2205-3.1.5-04"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(14);
    let (path, _) = dut.set_up(lsp);
    dut.forget();
    let tear = dut.tunnel_path_tear(Station::U1, lsp);
    dut.send_tunnel(Station::U1, MessageType::PATH_TEAR, lsp, tear);
    let tear = dut.expect_tunnel(Port::C, MessageType::PATH_TEAR);
    assert_eq!(tear.object(ClassNum::SENDER_TEMPLATE), &lsp.sender_template(), "whose");
    assert_eq!(tear.hop(), path.hop(), "the HOP of the Path");
    dut.forget();
    let resv = dut.tunnel_resv(&path, lsp);
    dut.send_tunnel(Station::D1, MessageType::RESV, lsp, resv);
    dut.expect_none(Port::A, MessageType::RESV);
}

/// A PathTear from a neighbour that the Path did not come from does nothing.
pub(crate) fn a_path_tear_of_another_previous_hop_does_nothing(lab: &Lab) {
    shows(&["rfc2205-3.1.5-01"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(15);
    let (path, _) = dut.set_up(lsp);
    dut.forget();
    let tear = dut.tunnel_path_tear(Station::U2, lsp);
    dut.send_tunnel(Station::U2, MessageType::PATH_TEAR, lsp, tear);
    let mut resv = dut.tunnel_resv(&path, lsp);
    resv = resv.with(crate::bench::label(2000));
    dut.send_tunnel(Station::D1, MessageType::RESV, lsp, resv);
    dut.expect_none(Port::C, MessageType::PATH_TEAR);
    dut.expect_none(Port::C, MessageType::RESV_ERR);
    let tear = dut.tunnel_path_tear(Station::U1, lsp);
    dut.send_tunnel(Station::U1, MessageType::PATH_TEAR, lsp, tear);
    dut.expect_tunnel(Port::C, MessageType::PATH_TEAR);
}

/// A ResvTear goes to the previous hop, with the HOP of the device and the LIH of the neighbour's Path.
pub(crate) fn a_resv_tear_goes_on(lab: &Lab) {
    shows(&["rfc2205-3.1.6-05", "rfc2205-3.1.6-07"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(16);
    let (path, _) = dut.set_up(lsp);
    let tear = dut.tunnel_resv_tear(&path, lsp);
    dut.send_tunnel(Station::D1, MessageType::RESV_TEAR, lsp, tear);
    let tear = dut.expect_tunnel(Port::A, MessageType::RESV_TEAR);
    assert_eq!(tear.sent.packet.destination, dut.plan.station(Station::U1), "to the previous hop");
    assert_eq!((tear.hop().address, tear.hop().lih), (dut.plan.dut(Port::A), 77), "the HOP");
}

/// A PathErr is handed to the previous hop with its ERROR_SPEC as it was.
pub(crate) fn a_path_err_goes_on(lab: &Lab) {
    shows(&["rfc2205-3.1.7-01", "rfc2205-3.1.7-04"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(17);
    dut.set_up(lsp);
    let error = dut.tunnel_path_err(lsp, 24, 5);
    let spec = error.0[1].clone();
    dut.send_tunnel(Station::D1, MessageType::PATH_ERR, lsp, error);
    let error = dut.expect_tunnel(Port::A, MessageType::PATH_ERR);
    assert_eq!(error.sent.packet.destination, dut.plan.station(Station::U1), "to the previous hop");
    assert_eq!(error.object(ClassNum::ERROR_SPEC), &spec, "what it says");
}

/// Path and Resv are repeated without a stimulus, within one and a half times the R that the device announces.
pub(crate) fn path_and_resv_are_refreshed(lab: &Lab) {
    shows(&["rfc2205-2.3-02", "rfc3209-4.2.4-01", "rfc3209-4.1.1.1-09"]);
    let mut dut = lab.brisk().router();
    let lsp = dut.lsp(18);
    let (path, resv) = dut.set_up(lsp);
    let period = path.refresh_period();
    assert!(period <= dut.r() * 4, "expected an R of {:?}, not {period:?}", dut.r());
    dut.forget();
    dut.advance(period * 3 / 2);
    let next = dut.expect_tunnel(Port::C, MessageType::PATH);
    let request = path.object(ClassNum::LABEL_REQUEST);
    assert_eq!(next.object(ClassNum::LABEL_REQUEST), request, "LABEL_REQUEST of the refresh");
    let next = dut.expect_tunnel(Port::A, MessageType::RESV);
    assert_eq!(next.label(), resv.label(), "the label of the refresh");
}

/// A tunnel leads where its explicit route says, though its end is routed another way.
pub(crate) fn the_explicit_route_is_followed_against_routing(lab: &Lab) {
    shows(&["rfc3209-4.3.4.1-07"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(19); // Its end is behind D1.
    let route = [strict(dut.on(Port::A), 32), strict(dut.at(Station::D2), 32), loose(lsp.end, 32)];
    let path = dut.tunnel_path(Station::U1, lsp).with(explicit_route(&route));
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let path = dut.expect_tunnel(Port::D, MessageType::PATH);
    assert_eq!(path.hop().address, dut.plan.dut(Port::D), "the HOP");
    dut.expect_none(Port::C, MessageType::PATH);
}
