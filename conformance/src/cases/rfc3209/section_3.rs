//! RFC 3209 section 3: the formats of messages about LSP tunnels.

use std::iter;

use rsvp_core::wire::{ClassNum, MessageType, RawMessage};

use crate::bench::{Lab, Objects, Port, Station, label, passed, record_route};
use crate::shows;

/// A Path with no more than what is mandatory is enough to set up an LSP.
pub(crate) fn a_minimal_path_is_enough(lab: &Lab) {
    shows(&["rfc3209-3-01"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(31);
    let optional =
        [ClassNum::EXPLICIT_ROUTE, ClassNum::RECORD_ROUTE, ClassNum::SESSION_ATTRIBUTE, ClassNum::ADSPEC];
    let path = optional.into_iter().fold(dut.tunnel_path(Station::U1, lsp), Objects::without);
    let (path, resv) = dut.set_up_by(lsp, path);
    assert_eq!(path.all(ClassNum::LABEL_REQUEST).len(), 1, "LABEL_REQUEST in {path:?}");
    assert_eq!(resv.all(ClassNum::LABEL).len(), 1, "LABEL in {resv:?}");
}

/// What belongs to Path is in no Resv, and no LABEL is in a Path.
pub(crate) fn objects_are_in_their_own_messages(lab: &Lab) {
    shows(&["rfc3209-3-05"]);
    let mut dut = lab.router();
    let (path, resv) = dut.set_up(dut.lsp(32));
    assert!(!path.classes().contains(&ClassNum::LABEL), "LABEL in {path:?}");
    for class in [ClassNum::EXPLICIT_ROUTE, ClassNum::LABEL_REQUEST, ClassNum::SESSION_ATTRIBUTE] {
        assert!(!resv.classes().contains(&class), "class {class} in {resv:?}");
    }
}

/// The LABEL stands right behind the FILTER_SPEC that it is for, and RECORD_ROUTE behind it.
pub(crate) fn a_label_stands_behind_its_filter_spec(lab: &Lab) {
    shows(&["rfc3209-3-03", "rfc3209-4.1-05", "rfc3209-3.2-01"]);
    let mut dut = lab.router();
    let (_, resv) = dut.set_up(dut.lsp(33));
    let classes = resv.classes();
    let style = classes.iter().position(|class| *class == ClassNum::STYLE).expect("a STYLE");
    let expected =
        [ClassNum::STYLE, ClassNum::FLOWSPEC, ClassNum::FILTER_SPEC, ClassNum::LABEL, ClassNum::RECORD_ROUTE];
    assert_eq!(classes[style..], expected, "the flow descriptor");
}

/// Two LSPs of one tunnel are reserved by one Resv of style SE: each gets a label upstream.
pub(crate) fn every_sender_of_an_se_reservation_gets_a_label(lab: &Lab) {
    shows(&["rfc3209-3.2-01", "rfc3209-4.1-05", "rfc2205-3.1.4-06"]);
    let mut dut = lab.router();
    let (first, second) = (dut.lsp(34), dut.lsp(35));
    let mut paths = Vec::new();
    for lsp in [first, second] {
        let path = dut.tunnel_path(Station::U1, lsp);
        dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
        paths.push(dut.expect_tunnel(Port::C, MessageType::PATH));
    }
    let mut resv = dut.tunnel_resv(&paths[0], first);
    let route = record_route(&[passed(dut.at(Station::D1)), passed(second.end)]);
    resv.0.extend([second.filter_spec(), label(1001), route]);
    dut.send_tunnel(Station::D1, MessageType::RESV, first, resv);
    let first_resv = dut.expect_tunnel(Port::A, MessageType::RESV).raw;
    let others = dut.take_sent();
    let others = others.iter().filter_map(|sent| RawMessage::decode(&sent.packet.message).ok());
    let mut labelled = Vec::new();
    for resv in iter::once(first_resv).chain(others) {
        let objects: Vec<_> = resv.objects.into_iter().map(|placed| placed.object).collect();
        for pair in objects.windows(2).filter(|pair| pair[0].class_num() == ClassNum::FILTER_SPEC) {
            assert_eq!(pair[1].class_num(), ClassNum::LABEL, "behind a FILTER_SPEC of {objects:?}");
            labelled.push(pair[0].clone());
        }
    }
    for lsp in [first, second] {
        assert!(labelled.contains(&lsp.filter_spec()), "expected a label for {lsp:?}, not {labelled:?}");
    }
}
