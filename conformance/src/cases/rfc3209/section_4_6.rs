//! RFC 3209 section 4.6: SESSION, SENDER_TEMPLATE and FILTER_SPEC of LSP tunnels.

use rsvp_core::wire::{ClassNum, MessageType};

use crate::bench::{Lab, Lsp, Port, Station, session_attribute};
use crate::shows;

/// Flags of SESSION_ATTRIBUTE: SE style desired.
const SE_STYLE: u8 = 0x04;

/// What names tunnel and LSP goes on as it came, in their C-Types, with zeros where there is nothing.
pub(crate) fn the_names_of_tunnel_and_lsp_go_on(lab: &Lab) {
    shows(&[
        "rfc3209-4.6.1.1-01",
        "rfc3209-4.6.1.1-02",
        "rfc3209-4.6.2.1-01",
        "rfc3209-4.6.2.1-02",
        "rfc3209-4.6.3-01",
    ]);
    let mut dut = lab.router();
    let lsp = dut.lsp(181);
    let (path, resv) = dut.set_up(lsp);
    assert_eq!(path.object(ClassNum::SESSION), &lsp.session(), "SESSION of the Path");
    assert_eq!(path.object(ClassNum::SENDER_TEMPLATE), &lsp.sender_template(), "its SENDER_TEMPLATE");
    assert_eq!(resv.object(ClassNum::SESSION), &lsp.session(), "SESSION of the Resv");
    assert_eq!(resv.object(ClassNum::FILTER_SPEC), &lsp.filter_spec(), "its FILTER_SPEC");
}

/// The Extended Tunnel ID is a part of the tunnel's name: two that differ in it have LSPs of their own.
pub(crate) fn the_extended_tunnel_id_tells_tunnels_apart(lab: &Lab) {
    shows(&["rfc3209-4.6.1.1-01"]);
    let mut dut = lab.router();
    let one = dut.lsp(183);
    let other = Lsp { tunnel: 2, ..one };
    for lsp in [one, other] {
        let path = dut.tunnel_path(Station::U1, lsp);
        dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
        let path = dut.expect_tunnel(Port::C, MessageType::PATH);
        assert_eq!(path.object(ClassNum::SESSION), &lsp.session(), "SESSION of the Path");
        dut.forget();
    }
    let tear = dut.tunnel_path_tear(Station::U1, one);
    dut.send_tunnel(Station::U1, MessageType::PATH_TEAR, one, tear);
    let tear = dut.expect_tunnel(Port::C, MessageType::PATH_TEAR);
    assert_eq!(tear.object(ClassNum::SESSION), &one.session(), "SESSION of the PathTear");
    let tear = dut.tunnel_path_tear(Station::U1, other);
    dut.send_tunnel(Station::U1, MessageType::PATH_TEAR, other, tear);
    let tear = dut.expect_tunnel(Port::C, MessageType::PATH_TEAR);
    assert_eq!(tear.object(ClassNum::SESSION), &other.session(), "SESSION of the other PathTear");
}

/// A Resv for an LSP ID that no Path has brought is an error: no sender information.
pub(crate) fn a_resv_without_a_sender_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.6.3-02"]);
    let mut dut = lab.router();
    let (known, unknown) = (dut.lsp(184), dut.lsp(185));
    let (path, _) = dut.set_up(known);
    dut.forget();
    let resv = dut.tunnel_resv(&path, unknown);
    dut.send_tunnel(Station::D1, MessageType::RESV, unknown, resv);
    assert_eq!(dut.expect_tunnel(Port::C, MessageType::RESV_ERR).error(), (4, 0), "what is wrong");
}

/// A Resv for a tunnel that no Path has brought is an error: no path information.
pub(crate) fn a_resv_without_a_path_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.6.3-02"]);
    let mut dut = lab.router();
    let known = dut.lsp(186);
    let (path, _) = dut.set_up(known);
    dut.forget();
    let unknown = Lsp { tunnel: 99, ..known };
    let resv = dut.tunnel_resv(&path, unknown);
    dut.send_tunnel(Station::D1, MessageType::RESV, unknown, resv);
    assert_eq!(dut.expect_tunnel(Port::C, MessageType::RESV_ERR).error(), (3, 0), "what is wrong");
}

/// The egress answers a Path that desires style SE with it.
pub(crate) fn the_egress_answers_with_style_se(lab: &Lab) {
    shows(&["rfc3209-4.6.4-02"]);
    let mut dut = lab.router();
    let lsp = dut.lsp_here(187);
    let path = dut.tunnel_path(Station::U1, lsp).with(session_attribute(SE_STYLE));
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let resv = dut.expect_tunnel(Port::A, MessageType::RESV);
    assert_eq!(resv.object(ClassNum::STYLE).contents, [0, 0, 0, 0x12], "STYLE");
}

/// The egress of two LSPs of a tunnel reserves both, each with a label of its FILTER_SPEC.
pub(crate) fn the_egress_reserves_both_lsps_of_a_tunnel(lab: &Lab) {
    shows(&["rfc3209-4.2.4-03"]);
    let mut dut = lab.router();
    for lsp in [dut.lsp_here(188), dut.lsp_here(189)] {
        let path = dut.tunnel_path(Station::U1, lsp);
        dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
        let resv = dut.expect_tunnel(Port::A, MessageType::RESV);
        assert!(resv.all(ClassNum::FILTER_SPEC).contains(&&lsp.filter_spec()), "{lsp:?} in {resv:?}");
        assert_eq!(
            resv.all(ClassNum::LABEL).len(),
            resv.all(ClassNum::FILTER_SPEC).len(),
            "LABELs of {resv:?}"
        );
        dut.forget();
    }
}
