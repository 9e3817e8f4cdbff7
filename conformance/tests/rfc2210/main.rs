//! Requirements of RFC 2210: the contents of QoS objects, and what an application and traffic control have of them.

mod api;
mod receiver;

use conformance::bench::{Lab, Port, R, Station, bucket, ff, gs, tspec};
use conformance::shows;
use rsvp_core::wire::{Flowspec, Path, Style, Tspec};

#[test]
fn guaranteed_service_is_reserved_at_its_rate() {
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(gs(3.0), s1)]);
    let c = dut.node().interfaces().into_iter().find(|view| view.id == Port::C.interface());
    assert_eq!(c.expect("c is there").reserved, 30_000);
}

#[test]
fn a_sender_learns_the_packet_size_and_keeps_its_own() {
    shows(&["rfc2210-2.3.2-01", "rfc2210-2.3.2-05"]);
    let mut dut = Lab::in_process().host();
    let h = dut.h();
    let template = rsvp_core::wire::FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 };
    let api = dut.open(h);
    let request = rsvp_core::command::SenderRequest {
        template,
        tspec: tspec(20.0),
        adspec: false.into(),
        policy: Vec::new(),
        ttl: 64,
    };
    dut.command(rsvp_core::Command::AddSender(api, request)).expect("it is a good sender");
    dut.forget();
    dut.upcalls();
    let small = Flowspec::ControlledLoad(Tspec { max_packet: 1000, ..bucket(1.0) });
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(small.clone(), template)]);
    dut.send(Station::D1, resv);
    let upcalls = dut.upcalls();
    let [(_, rsvp_core::event::Upcall::Resv { flowspec, .. })] = &upcalls[..] else { panic!("{upcalls:?}") };
    assert_eq!(*flowspec, small);
    dut.advance(2 * R);
    let sent = dut.all::<Path>(Port::C);
    assert!(!sent.is_empty() && sent.iter().all(|path| path.message.sender_tspec == tspec(20.0)));
}
