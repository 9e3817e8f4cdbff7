//! RFC 3209 section 4.1: LABEL.

use rsvp_core::wire::{ClassNum, MessageType};

use crate::bench::{LABEL_OF_D1, Lab, Port, Station, label};
use crate::shows;

/// The greatest label.
const GREATEST: u32 = 0xf_ffff;
/// Labels below are reserved, and but two of them a Resv never holds.
const FIRST: u32 = 16;
/// Labels that a Resv may hold though they are reserved: explicit and implicit null.
const NULLS: [u32; 2] = [0, 3];

/// The label that goes upstream is one object of four octets, and a number that a label can have.
pub(crate) fn the_label_is_a_number_of_twenty_bits(lab: &Lab) {
    shows(&["rfc3209-4.1-01", "rfc3209-4.1-03"]);
    let mut dut = lab.router();
    let (_, resv) = dut.set_up(dut.lsp(41));
    let object = resv.object(ClassNum::LABEL);
    assert_eq!((object.ctype, object.contents.len()), (1, 4), "{object:?}");
    let own = resv.label();
    let can_be = NULLS.contains(&own) || (FIRST..=GREATEST).contains(&own);
    assert!(can_be, "expected a label that can be, not {own}");
}

/// A device gives labels of its own upstream: not those that it gets from downstream.
pub(crate) fn the_label_upstream_is_the_devices_own(lab: &Lab) {
    shows(&["rfc3209-4.1.1.1-07", "rfc3209-2.2-05"]);
    let mut dut = lab.router();
    let mut labels = Vec::new();
    for (lsp, from_d1) in [(dut.lsp(42), 100_001), (dut.lsp(43), 100_002)] {
        let path = dut.tunnel_path(Station::U1, lsp);
        dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
        let path = dut.expect_tunnel(Port::C, MessageType::PATH);
        let resv = dut.tunnel_resv(&path, lsp).with(label(from_d1));
        dut.send_tunnel(Station::D1, MessageType::RESV, lsp, resv);
        labels.push(dut.expect_tunnel(Port::A, MessageType::RESV).label());
        dut.forget();
    }
    assert_ne!(labels, [100_001, 100_002], "the labels that D1 gave");
}

/// A label of more than twenty bits is refused with a ResvErr: a routing problem, unacceptable label value.
pub(crate) fn a_label_that_cannot_be_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.1.1.2-04", "rfc3209-4.1-03"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(44);
    let path = dut.tunnel_path(Station::U1, lsp);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let path = dut.expect_tunnel(Port::C, MessageType::PATH);
    let resv = dut.tunnel_resv(&path, lsp);
    dut.send_tunnel(Station::D1, MessageType::RESV, lsp, resv.clone().with(label(GREATEST + 1)));
    assert_eq!(dut.expect_tunnel(Port::C, MessageType::RESV_ERR).error(), (24, 6), "what is wrong");
    dut.expect_none(Port::A, MessageType::RESV);
    dut.send_tunnel(Station::D1, MessageType::RESV, lsp, resv.with(label(LABEL_OF_D1)));
    dut.expect_tunnel(Port::A, MessageType::RESV);
}

/// A LABEL of a C-Type that nobody knows is refused with a ResvErr about it.
pub(crate) fn a_label_of_an_unknown_ctype_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.1.2-01"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(45);
    let path = dut.tunnel_path(Station::U1, lsp);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let path = dut.expect_tunnel(Port::C, MessageType::PATH);
    let mut strange = label(LABEL_OF_D1);
    strange.ctype = 99;
    let resv = dut.tunnel_resv(&path, lsp).with(strange);
    dut.send_tunnel(Station::D1, MessageType::RESV, lsp, resv);
    let error = dut.expect_tunnel(Port::C, MessageType::RESV_ERR).error();
    assert_eq!(error, (14, 0x1063), "unknown C-Type, of LABEL");
    dut.expect_none(Port::A, MessageType::RESV);
}
