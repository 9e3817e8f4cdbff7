//! RFC 2205 section 3.1: how messages are built.

use crate::bench::{Lab, Port, Received, Station, cl, ff, hex};
use crate::shows;
use rsvp_core::wire::{Path, PathErr, PathTear, RawObject, Resv, ResvConf, ResvErr, ResvTear, Style};

/// The type of a message, and its objects of RFC 2205, by their classes; extensions may add others.
fn layout<M>(received: &Received<M>) -> (u8, Vec<u8>) {
    let classes = received.classes().into_iter().filter(|class| *class <= 15).collect();
    (received.message_type().0, classes)
}

/// An ADSPEC that has the general parameters alone: three hops, and a million bytes per second.
pub(super) fn adspec() -> RawObject {
    let contents =
        hex("00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc");
    RawObject { class: 13, ctype: 2, contents }
}

/// Messages of all seven types have the objects of their grammar, in its order: RSVP_HOP in all but PathErr and ResvConf,
/// STYLE in all that go with a Resv.
pub(crate) fn objects_are_sent_in_the_order_of_the_grammar(lab: &Lab) {
    shows(&["rfc2205-3.1-01", "rfc2205-3.1.2-05", "rfc2205-3.1.2-07", "rfc2205-3.1.1-04"]);
    let mut dut = lab.router();
    let (g, s1, receiver) = (dut.g(), dut.s1(), dut.h().flow().destination);
    let path = dut.path(Station::U1, g, s1);
    dut.send_changed(Station::U1, path, |objects| objects.push(adspec()));
    assert_eq!(layout(&dut.expect::<Path>(Port::C)), (1, vec![1, 3, 5, 11, 12, 13]), "Path");
    let flow = ff(cl(1.0), s1);
    for (station, port, kind) in [(Station::D1, Port::A, 2), (Station::D2, Port::C, 7)] {
        let mut resv = dut.resv(station, g, Style::Ff, std::slice::from_ref(&flow));
        resv.confirm = Some(receiver);
        dut.send(station, resv);
        if kind == 2 {
            assert_eq!(layout(&dut.expect::<Resv>(port)), (2, vec![1, 3, 5, 15, 8, 9, 10]), "Resv");
        } else {
            assert_eq!(layout(&dut.expect::<ResvConf>(port)), (7, vec![1, 6, 15, 8, 9, 10]), "ResvConf");
        }
    }
    let error = dut.path_err(g, s1, 2, 0);
    dut.send(Station::D1, error);
    assert_eq!(layout(&dut.expect::<PathErr>(Port::A)), (3, vec![1, 6, 11, 12]), "PathErr");
    let error = dut.resv_err(Station::U1, g, Style::Ff, flow.clone(), (2, 0, 0));
    dut.send(Station::U1, error);
    assert_eq!(layout(&dut.expect::<ResvErr>(Port::C)), (4, vec![1, 3, 6, 8, 9, 10]), "ResvErr");
    for station in [Station::D1, Station::D2] {
        let tear = dut.resv_tear(station, g, Style::Ff, std::slice::from_ref(&flow));
        dut.send(station, tear);
    }
    let (kind, mut classes) = layout(&dut.expect::<ResvTear>(Port::A));
    classes.retain(|class| *class != 9);
    assert_eq!((kind, classes), (6, vec![1, 3, 8, 10]), "ResvTear, where FLOWSPEC may be left out");
    let tear = dut.path_tear(Station::U1, g, s1);
    dut.send(Station::U1, tear);
    let (kind, mut classes) = layout(&dut.expect::<PathTear>(Port::C));
    classes.retain(|class| !matches!(class, 12 | 13));
    assert_eq!((kind, classes), (5, vec![1, 3, 11]), "PathTear, where all but the template may be left out");
}
