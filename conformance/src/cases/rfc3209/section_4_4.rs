//! RFC 3209 section 4.4: ClassNum::RECORD_ROUTE.

use rsvp_core::wire::{ClassNum, MessageType};

use crate::bench::{
    Dut, Lab, Lsp, Objects, Port, Station, Tunneled, object, passed, record_route, session_attribute,
};
use crate::shows;

/// The subobject of an address, of a label.
const ADDRESS: u8 = 1;
const LABEL: u8 = 3;

/// Flags of SESSION_ATTRIBUTE: label recording desired, SE style desired.
const LABEL_RECORDING: u8 = 0x02;
const SE_STYLE: u8 = 0x04;

fn path_through(dut: &mut Dut, lsp: Lsp, path: Objects) -> Tunneled {
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    dut.expect_tunnel(Port::C, MessageType::PATH)
}

fn kinds(subobjects: &[&[u8]]) -> Vec<u8> {
    subobjects.iter().map(|subobject| subobject[0]).collect()
}

fn is_own(dut: &Dut, subobject: &[u8]) -> bool {
    Port::ALL.iter().any(|port| subobject[2..6] == dut.on(*port).octets())
}

/// A device puts an address of its own in front of what was recorded before, or two, and that stays as it is.
pub(crate) fn the_device_records_itself_in_front(lab: &Lab) {
    shows(&["rfc3209-4.4.1-03", "rfc3209-4.4.3-04", "rfc3209-4.4.1.1-01"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(151);
    let before = [passed(dut.at(Station::U1)), passed(lsp.ingress)];
    let path = dut.tunnel_path(Station::U1, lsp);
    let path = path_through(&mut dut, lsp, path);
    let route = path.subobjects(ClassNum::RECORD_ROUTE);
    assert!(route.len() > before.len(), "expected more entries, not {route:?}");
    let (own, others) = route.split_at(route.len() - before.len());
    assert_eq!(others, before, "what was recorded before");
    for entry in own {
        assert_eq!((entry[0], entry[1], entry[6]), (ADDRESS, 8, 32), "the form of {entry:?}");
        assert!(is_own(&dut, entry), "expected an address of the device, not {entry:?}");
    }
}

/// The address that a device records in a Path is that of the interface that it leaves by.
pub(crate) fn the_interface_of_the_path_is_recorded(lab: &Lab) {
    shows(&["rfc3209-4.4.3-05"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(152);
    let path = dut.tunnel_path(Station::U1, lsp);
    let path = path_through(&mut dut, lsp, path);
    assert_eq!(
        path.subobjects(ClassNum::RECORD_ROUTE)[0][2..6],
        dut.on(Port::C).octets(),
        "what the device records"
    );
}

/// In a Resv, too, a device puts itself in front of what was recorded downstream.
pub(crate) fn the_way_back_is_recorded(lab: &Lab) {
    shows(&["rfc3209-4.4.3-20"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(153);
    let before = [passed(dut.at(Station::D1)), passed(lsp.end)];
    let (_, resv) = dut.set_up(lsp);
    let route = resv.subobjects(ClassNum::RECORD_ROUTE);
    assert!(route.len() > before.len(), "expected more entries, not {route:?}");
    assert_eq!(route[route.len() - before.len()..], before, "what was recorded before");
    assert!(is_own(&dut, route[0]), "expected an address of the device, not {:?}", route[0]);
}

/// The egress begins to record the way back if the Path has recorded the way to it.
pub(crate) fn the_egress_begins_to_record(lab: &Lab) {
    shows(&["rfc3209-4.4.3-19"]);
    let mut dut = lab.router();
    let lsp = dut.lsp_here(154);
    let path = dut.tunnel_path(Station::U1, lsp);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let resv = dut.expect_tunnel(Port::A, MessageType::RESV);
    let route = resv.subobjects(ClassNum::RECORD_ROUTE);
    assert!(is_own(&dut, route[0]), "expected an address of the device, not {:?}", route[0]);
}

/// The egress does not record what nobody has asked for.
pub(crate) fn the_egress_does_not_record_unasked(lab: &Lab) {
    shows(&["rfc3209-4.4.3-22"]);
    let mut dut = lab.router();
    let lsp = dut.lsp_here(155);
    let path = dut.tunnel_path(Station::U1, lsp).without(ClassNum::RECORD_ROUTE);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let resv = dut.expect_tunnel(Port::A, MessageType::RESV);
    assert_eq!(resv.all(ClassNum::RECORD_ROUTE).len(), 0, "RECORD_ROUTE in {resv:?}");
}

/// Labels are recorded where the Path asks for it: behind the address of the device, the one that it gave.
pub(crate) fn labels_are_recorded_on_request(lab: &Lab) {
    shows(&["rfc3209-4.4.3-07"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(156);
    let path = dut.tunnel_path(Station::U1, lsp).with(session_attribute(LABEL_RECORDING | SE_STYLE));
    let (_, resv) = dut.set_up_by(lsp, path);
    let route = resv.subobjects(ClassNum::RECORD_ROUTE);
    assert_eq!(kinds(&route)[..2], [ADDRESS, LABEL], "what the device records");
    assert_eq!(route[1][4..], resv.label().to_be_bytes(), "the label that it gave");
}

/// Labels are not recorded where the Path does not ask for it.
pub(crate) fn labels_are_not_recorded_unasked(lab: &Lab) {
    shows(&["rfc3209-4.7.3-16"]);
    let mut dut = lab.router();
    let (path, resv) = dut.set_up(dut.lsp(157));
    for message in [&path, &resv] {
        let kinds = kinds(&message.subobjects(ClassNum::RECORD_ROUTE));
        assert!(!kinds.contains(&LABEL), "expected no labels, not {kinds:?}");
    }
}

/// A Path that has passed the device before is refused: a routing problem, a loop.
pub(crate) fn a_path_in_a_loop_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.4.4-02"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(158);
    let looped = record_route(&[passed(dut.at(Station::U1)), passed(dut.on(Port::C)), passed(lsp.ingress)]);
    let path = dut.tunnel_path(Station::U1, lsp).with(looped);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    assert_eq!(dut.expect_tunnel(Port::A, MessageType::PATH_ERR).error(), (24, 7), "what is wrong");
    dut.expect_none(Port::C, MessageType::PATH);
}

/// A Resv that has passed the device before is dropped without a word.
pub(crate) fn a_resv_in_a_loop_is_dropped(lab: &Lab) {
    shows(&["rfc3209-4.4.4-03"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(159);
    let path = dut.tunnel_path(Station::U1, lsp);
    let path = path_through(&mut dut, lsp, path);
    let good = dut.tunnel_resv(&path, lsp);
    let looped = record_route(&[passed(dut.at(Station::D1)), passed(dut.on(Port::A)), passed(lsp.end)]);
    dut.send_tunnel(Station::D1, MessageType::RESV, lsp, good.clone().with(looped));
    dut.expect_none(Port::A, MessageType::RESV);
    dut.expect_none(Port::C, MessageType::RESV_ERR);
    dut.send_tunnel(Station::D1, MessageType::RESV, lsp, good);
    dut.expect_tunnel(Port::A, MessageType::RESV);
}

/// An entry of a kind that nobody knows goes on as it is.
pub(crate) fn an_entry_of_an_unknown_kind_goes_on(lab: &Lab) {
    shows(&["rfc3209-4.4.5-01"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(160);
    let before = [passed(dut.at(Station::U1)), vec![200, 8, 1, 2, 3, 4, 5, 6], passed(lsp.ingress)];
    let path = dut.tunnel_path(Station::U1, lsp).with(record_route(&before));
    let path = path_through(&mut dut, lsp, path);
    assert_eq!(path.subobjects(ClassNum::RECORD_ROUTE)[1..], before, "what was recorded before");
}

/// A RECORD_ROUTE of a C-Type that nobody knows is refused with a PathErr about it.
pub(crate) fn a_record_of_an_unknown_ctype_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.4.6-01"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(161);
    let strange = object(ClassNum::RECORD_ROUTE.0, 5, &passed(lsp.ingress));
    let path = dut.tunnel_path(Station::U1, lsp).with(strange);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let error = dut.expect_tunnel(Port::A, MessageType::PATH_ERR).error();
    assert_eq!(error, (14, 0x1505), "unknown C-Type, of RECORD_ROUTE");
}

/// Of two RECORD_ROUTEs only the first counts, and goes on.
pub(crate) fn only_the_first_record_goes_on(lab: &Lab) {
    shows(&["rfc3209-4.4-02"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(162);
    let other = record_route(&[passed(dut.at(Station::U2))]);
    let path = dut.tunnel_path(Station::U1, lsp).with_behind(ClassNum::RECORD_ROUTE, other);
    let path = path_through(&mut dut, lsp, path);
    assert_eq!(path.all(ClassNum::RECORD_ROUTE).len(), 1, "RECORD_ROUTE in {path:?}");
    let route = path.subobjects(ClassNum::RECORD_ROUTE);
    let before = [passed(dut.at(Station::U1)), passed(lsp.ingress)];
    assert_eq!(route[route.len() - 2..], before, "the first");
}

/// An entry whose length cannot be does no harm: the device goes on working.
pub(crate) fn impossible_lengths_do_no_harm(lab: &Lab) {
    shows(&["rfc3209-4.4.1-01"]);
    let mut dut = lab.router();
    for (id, length) in [(163, 0), (164, 3), (165, 6), (166, 200)] {
        let lsp = dut.lsp(id);
        let mut bad = passed(dut.at(Station::U1));
        bad[1] = length;
        let path = dut.tunnel_path(Station::U1, lsp).with(record_route(&[bad, passed(lsp.ingress)]));
        dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    }
    dut.forget();
    let (path, _) = dut.set_up(dut.lsp(167));
    assert_eq!(path.all(ClassNum::SENDER_TEMPLATE).len(), 1);
}
