//! RFC 2205 section 3.1.4: Resv messages, and whether a request for confirmation travels on.

use crate::bench::{B, Dut, Lab, Port, Station, bucket, cl, ff};
use crate::shows;
use rsvp_core::wire::{Flowspec, Resv, ResvConf, SessionKey, Style, Tspec};

/// A flowspec of so many [`B`], and a bucket of its own size.
fn flowspec(rate: f32, depth: f32) -> Flowspec {
    Flowspec::ControlledLoad(Tspec { rate: rate * B, bucket: depth * B, ..bucket(1.0) })
}

/// The session G at another port.
fn another(dut: &Dut, port: u16) -> SessionKey {
    dut.plan.session(dut.g().flow().destination, port)
}

/// A next hop asks for confirmation. The request for it travels on if it asks for more than all others, else it is
/// confirmed here, to the address that it names.
pub(crate) fn a_confirmation_request_when_merging(lab: &Lab) {
    shows(&["rfc2205-3.1.4-09", "rfc2209-2.rrefresh-07", "rfc2205-3.1.4-10"]);
    let mut dut = lab.router();
    let (s1, receiver) = (dut.s1(), dut.h().flow().destination);
    let requests = [
        ("larger", flowspec(2.0, 2.0), true),
        ("equal", flowspec(1.0, 1.0), false),
        ("smaller", flowspec(0.5, 0.5), false),
        ("incomparable", flowspec(2.0, 0.5), false),
    ];
    for (port, (what, request, travels)) in (5001..).zip(requests) {
        let session = another(&dut, port);
        dut.learn(Station::U1, session, s1);
        dut.reserve(Station::D2, session, Style::Ff, &[ff(flowspec(1.0, 1.0), s1)]);
        let mut resv = dut.resv(Station::D1, session, Style::Ff, &[ff(request, s1)]);
        resv.confirm = Some(receiver);
        dut.send(Station::D1, resv);
        if travels {
            assert_eq!(dut.expect::<Resv>(Port::A).message.confirm, Some(receiver), "{what}");
        } else {
            let answer = dut.expect::<ResvConf>(Port::C);
            assert_eq!((answer.message.confirm, answer.sent.packet.destination), (receiver, receiver));
            let up = dut.all::<Resv>(Port::A).into_iter().find_map(|resv| resv.message.confirm);
            assert_eq!(up, None, "{what}: it is answered here");
        }
        dut.expect_no::<ResvConf>(Port::C);
        dut.settle();
    }
}

/// While the flowspec of a request is blockaded, its request for confirmation is neither answered nor passed on; that of
/// a smaller one, which is not, is passed on.
pub(crate) fn a_blockaded_request_is_not_confirmed(lab: &Lab) {
    shows(&["rfc2205-3.1.4-09", "rfc2209-2.rrefresh-07"]);
    let mut dut = lab.group(1);
    let (g, s1, receiver) = (dut.g(), dut.s1(), dut.h().flow().destination);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(4.0), s1)]);
    let error = dut.resv_err(Station::U1, g, Style::Ff, ff(cl(4.0), s1), (1, 2, 0));
    dut.send(Station::U1, error);
    dut.settle();
    for (request, travels) in [(cl(6.0), false), (cl(2.0), true)] {
        let mut resv = dut.resv(Station::D1, g, Style::Ff, &[ff(request, s1)]);
        resv.confirm = Some(receiver);
        dut.send(Station::D1, resv);
        if travels {
            let up = dut.expect::<Resv>(Port::A);
            assert_eq!((up.shares(), up.message.confirm), (vec![(2.0, vec![s1])], Some(receiver)));
        }
        let up = dut.all::<Resv>(Port::A).into_iter().find_map(|resv| resv.message.confirm);
        assert_eq!(up, None, "a blockaded request is not confirmed upstream");
        dut.expect_no::<ResvConf>(Port::C);
        dut.settle();
    }
}

/// A next hop on a LAN that asks for as much as another one there is told at once, by the node on this LAN.
pub(crate) fn an_equal_request_of_the_same_link_is_confirmed(lab: &Lab) {
    shows(&["rfc2209-2.utc-11"]);
    let mut dut = lab.group(1);
    let (g, s1, receiver) = (dut.g(), dut.s1(), dut.plan.station(Station::D3));
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(1.0), s1)]);
    let mut resv = dut.resv(Station::D3, g, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.confirm = Some(receiver);
    dut.send(Station::D3, resv);
    let error = dut.expect_to::<ResvConf>(Station::D3).message.error;
    assert_eq!((error.node, error.code, error.value), (dut.plan.dut(Port::D), 0, 0));
    dut.expect_silence();
}
