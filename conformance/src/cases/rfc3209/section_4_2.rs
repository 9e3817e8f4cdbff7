//! RFC 3209 section 4.2: LABEL_REQUEST.

use rsvp_core::wire::{ClassNum, MessageType};

use crate::bench::{Lab, Port, Station, label_request, object};
use crate::shows;

/// The egress answers a Path that requests a label at once, with a Resv to the previous hop that has one.
pub(crate) fn the_egress_answers_with_a_label(lab: &Lab) {
    shows(&["rfc3209-4.2.4-02", "rfc3209-4.2.4-03"]);
    let mut dut = lab.router();
    let lsp = dut.lsp_here(51);
    let path = dut.tunnel_path(Station::U1, lsp);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let resv = dut.expect_tunnel(Port::A, MessageType::RESV);
    assert_eq!(resv.sent.packet.destination, dut.plan.station(Station::U1), "to the previous hop");
    assert_eq!(resv.object(ClassNum::FILTER_SPEC), &lsp.filter_spec(), "for the LSP");
    assert_eq!(resv.all(ClassNum::LABEL).len(), 1, "LABEL in {resv:?}");
}

/// The egress gives no label where none was requested.
pub(crate) fn the_egress_gives_no_label_unasked(lab: &Lab) {
    shows(&["rfc3209-4.2.4-04"]);
    let mut dut = lab.router();
    let lsp = dut.lsp_here(52);
    let path = dut.tunnel_path(Station::U1, lsp);
    let unasked = path.clone().without(ClassNum::LABEL_REQUEST);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, unasked);
    for sent in dut.take_sent() {
        let has_label = rsvp_core::wire::RawMessage::decode(&sent.packet.message)
            .is_ok_and(|raw| raw.object(ClassNum::LABEL).is_some());
        assert!(!has_label, "expected no LABEL, not {sent:?}");
    }
    let asked = dut.lsp_here(53);
    let path = path.with(asked.sender_template());
    dut.send_tunnel(Station::U1, MessageType::PATH, asked, path);
    assert_eq!(dut.expect_tunnel(Port::A, MessageType::RESV).all(ClassNum::LABEL).len(), 1);
}

/// What the payload of an LSP is passes a device that is not its end, whether it knows it or not.
pub(crate) fn the_l3pid_goes_on_unchanged(lab: &Lab) {
    shows(&["rfc3209-4.2.4-07"]);
    let mut dut = lab.router();
    for (id, l3pid) in [(54, 0x0800), (55, 0x86dd), (56, 0x1234)] {
        let lsp = dut.lsp(id);
        let path = dut.tunnel_path(Station::U1, lsp).with(label_request(l3pid));
        dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
        let path = dut.expect_tunnel(Port::C, MessageType::PATH);
        assert_eq!(path.object(ClassNum::LABEL_REQUEST).contents[2..], l3pid.to_be_bytes(), "its L3PID");
    }
}

/// The reserved bits of LABEL_REQUEST do not count.
pub(crate) fn reserved_bits_of_a_request_do_not_count(lab: &Lab) {
    shows(&["rfc3209-4.2.1-01"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(57);
    let request = object(ClassNum::LABEL_REQUEST.0, 1, &[0xff, 0xff, 0x08, 0x00]);
    let path = dut.tunnel_path(Station::U1, lsp).with(request);
    let (path, _) = dut.set_up_by(lsp, path);
    assert_eq!(path.object(ClassNum::LABEL_REQUEST).contents[2..], [0x08, 0x00], "its L3PID");
}

/// The egress refuses a payload that it cannot handle: a routing problem, unsupported L3PID.
pub(crate) fn the_egress_refuses_an_unknown_l3pid(lab: &Lab) {
    shows(&["rfc3209-4.2.4-08"]);
    let mut dut = lab.router();
    let lsp = dut.lsp_here(58);
    let path = dut.tunnel_path(Station::U1, lsp).with(label_request(0x1234));
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    assert_eq!(dut.expect_tunnel(Port::A, MessageType::PATH_ERR).error(), (24, 10), "what is wrong");
    dut.expect_none(Port::A, MessageType::RESV);
}

/// A LABEL_REQUEST of a C-Type that nobody knows is refused with a PathErr about it, and goes no further.
pub(crate) fn a_request_of_an_unknown_ctype_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.2.5-02"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(59);
    let request = object(ClassNum::LABEL_REQUEST.0, 77, &[0, 0, 0x08, 0x00]);
    let path = dut.tunnel_path(Station::U1, lsp).with(request);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let error = dut.expect_tunnel(Port::A, MessageType::PATH_ERR).error();
    assert_eq!(error, (14, 0x134d), "unknown C-Type, of LABEL_REQUEST");
    dut.expect_none(Port::C, MessageType::PATH);
}

/// A LABEL_REQUEST that has passed a router without RSVP, as the TTLs tell, is refused: labels cannot be had there.
pub(crate) fn a_request_from_beyond_another_router_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.2.5-06"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(60);
    let path = dut.tunnel_path(Station::U1, lsp);
    let mut packet = dut.pack_tunnel(Station::U1, MessageType::PATH, lsp, path);
    packet.ttl -= 2;
    dut.send_packet(Station::U1, &packet);
    assert_eq!(dut.expect_tunnel(Port::A, MessageType::PATH_ERR).error(), (24, 8), "what is wrong");
}
