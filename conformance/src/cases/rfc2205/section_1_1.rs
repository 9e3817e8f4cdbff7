//! RFC 2205 section 1.1: data flows.

use crate::bench::{Lab, Port, Station, cl, ff, se};
use crate::shows;
use rsvp_core::wire::{
    FilterSpec, FlowDescriptor, FlowKey, Path, PathTear, Resv, ResvErr, SessionKey, Style,
};

/// Sessions that differ in protocol or port alone have nothing to do with each other: when one is torn down, the others
/// keep their reservations.
pub(crate) fn a_session_is_named_by_all_three_of_its_parts(lab: &Lab) {
    shows(&["rfc2205-1.1-01"]);
    let mut dut = lab.router();
    let s1 = dut.s1();
    let destination = dut.h().destination();
    let key = |protocol, port| SessionKey::Ip(FlowKey { destination, protocol, port });
    let sessions = [key(17, 5000), key(17, 5001), key(6, 5000)];
    for session in sessions {
        let path = dut.path(Station::U1, session, s1);
        dut.send(Station::U1, path);
        assert_eq!(dut.expect::<Path>(Port::C).message.session.key, session);
        let resv = dut.resv(Station::D1, session, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, resv);
        assert_eq!(dut.expect::<Resv>(Port::A).message.session.key, session);
    }
    let tear = dut.path_tear(Station::U1, sessions[0], s1);
    dut.send(Station::U1, tear);
    assert_eq!(dut.expect::<PathTear>(Port::C).message.session.key, sessions[0]);
    dut.expect_silence();
    let resv = dut.resv(Station::D1, sessions[0], Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.session.key, sessions[0]);
    for session in &sessions[1..] {
        let resv = dut.resv(Station::D1, *session, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, resv);
        dut.expect_silence();
        let resv = dut.resv(Station::D1, *session, Style::Ff, &[ff(cl(2.0), s1)]);
        dut.send(Station::D1, resv);
        let resv = dut.expect::<Resv>(Port::A);
        assert_eq!((resv.message.session.key, resv.shares()), (*session, vec![(2.0, vec![s1])]));
    }
    dut.expect_silence();
}

/// Several senders of a unicast session have reservations towards its one receiver: each previous hop is asked for the
/// senders behind it that the receiver named, and for no others.
pub(crate) fn several_senders_may_reserve_towards_one_unicast_receiver(lab: &Lab) {
    shows(&["rfc2205-1.1-02", "rfc2205-3.1.4-07"]);
    for style in [Style::Se, Style::Ff] {
        let mut dut = lab.unicast(3);
        let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
        let flows: Vec<FlowDescriptor> = match style {
            Style::Ff => vec![ff(cl(2.0), s1), ff(cl(2.0), s2)],
            _ => vec![se(cl(2.0), &[s1, s2])],
        };
        let resv = dut.resv(Station::D1, h, style, &flows);
        dut.send(Station::D1, resv);
        for (port, sender) in [(Port::A, s1), (Port::B, s2)] {
            assert_eq!(dut.expect::<Resv>(port).shares(), [(2.0, vec![sender])], "{style}");
        }
        dut.expect_silence();
    }
}

/// A session of a protocol without ports is announced and reserved like any other.
pub(crate) fn a_session_may_do_without_ports(lab: &Lab) {
    shows(&["rfc2205-1.1-03"]);
    let mut dut = lab.router();
    let key = SessionKey::Ip(FlowKey { destination: dut.h().destination(), protocol: 89, port: 0 });
    let sender = FilterSpec::Ip { source: dut.s1().source(), port: 0 };
    let path = dut.path(Station::U1, key, sender);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, sender);
    let resv = dut.resv(Station::D1, key, Style::Ff, &[ff(cl(1.0), sender)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![sender])]);
}
