//! RFC 2207 sections 2, 4 and 6: what sessions and senders with a GPI are, and what they go with.

use crate::bench::{Lab, Port, Station, cl, ff, se, tspec};
use crate::shows;
use rsvp_core::wire::{FilterSpec, FlowKey, Path, PathTear, Resv, ResvErr, ResvTear, SessionKey, Style};

use super::{s1, session};

/// Sessions that differ in their virtual port, and senders that differ in their GPI, are torn down each for itself.
pub(crate) fn sessions_and_senders_are_named_by_all_their_parts(lab: &Lab) {
    shows(&["rfc2207-2-01"]);
    let mut dut = lab.router();
    let [one, other] = [9000, 9001].map(|port| session(&dut, port));
    let [first, second] = [0x1122_3344, 0x1122_3345].map(|spi| s1(&dut, spi));
    for (session, sender) in [(one, first), (one, second), (other, first)] {
        dut.learn(Station::U1, session, sender);
    }
    dut.reserve(Station::D1, one, Style::Ff, &[ff(cl(1.0), first)]);
    let tears = [dut.path_tear(Station::U1, other, first), dut.path_tear(Station::U1, one, second)];
    for tear in tears {
        let (session, sender) = (tear.session.key, tear.sender_template);
        dut.send(Station::U1, tear);
        let sent = dut.expect::<PathTear>(Port::C).message;
        assert_eq!((sent.session.key, sent.sender_template), (session, sender));
        dut.expect_silence();
    }
    let tear = dut.resv_tear(Station::D1, one, Style::Ff, &[ff(cl(1.0), first)]);
    dut.send(Station::D1, tear);
    assert_eq!(dut.expect::<ResvTear>(Port::A).message.session.key, one);
}

/// A Path whose session has a GPI and whose sender has ports, or the reverse, is dropped.
pub(crate) fn a_session_with_a_virtual_port_has_senders_with_a_gpi_only(lab: &Lab) {
    shows(&["rfc2207-4.1-01"]);
    let mut dut = lab.router();
    let gpi = session(&dut, 9000);
    for (session, sender) in [(gpi, dut.s1()), (dut.h(), s1(&dut, 1))] {
        let path = dut.path(Station::U1, session, sender);
        dut.send(Station::U1, path);
        dut.expect_no::<Path>(Port::C);
    }
    // There is no state: a Resv finds none.
    let resv = dut.resv(Station::D1, gpi, Style::Ff, &[ff(cl(1.0), s1(&dut, 1))]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 3);
    let path = dut.path(Station::U1, gpi, s1(&dut, 1));
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::C);
}

/// A Resv for another virtual port finds no path state, and a virtual port of zero is refused.
pub(crate) fn a_virtual_port_is_state(lab: &Lab) {
    shows(&["rfc2207-4.1-03"]);
    let mut dut = lab.router();
    let (one, other, none) = (session(&dut, 9000), session(&dut, 9001), session(&dut, 0));
    let sender = s1(&dut, 1);
    dut.learn(Station::U1, one, sender);
    let resv = dut.resv(Station::D1, other, Style::Ff, &[ff(cl(1.0), sender)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 3, "another session");
    let path = dut.path(Station::U1, none, sender);
    dut.send(Station::U1, path);
    dut.expect_no::<Path>(Port::C);
    let resv = dut.resv(Station::D1, one, Style::Ff, &[ff(cl(1.0), sender)]);
    dut.send(Station::D1, resv);
    dut.expect::<Resv>(Port::A);
}

/// A Resv with a GPI in its filter for a session with ports is dropped.
pub(crate) fn a_filter_with_a_gpi_needs_such_a_session(lab: &Lab) {
    shows(&["rfc2207-4.1-04"]);
    let mut dut = lab.unicast(1);
    let (h, gpi, plain) = (dut.h(), s1(&dut, 1), dut.s1());
    for (style, flow) in [(Style::Ff, ff(cl(1.0), gpi)), (Style::Se, se(cl(1.0), &[gpi]))] {
        let resv = dut.resv(Station::D1, h, style, &[flow]);
        dut.send(Station::D1, resv);
        dut.expect_silence();
    }
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), plain)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![plain])]);
}

/// A filter whose GPI differs in any one octet from that of the sender is refused.
pub(crate) fn an_spi_matches_as_a_whole(lab: &Lab) {
    shows(&["rfc2207-4.1-05"]);
    let mut dut = lab.router();
    let (session, sender) = (session(&dut, 9000), s1(&dut, 0x1122_3344));
    dut.learn(Station::U1, session, sender);
    for other in [0x1122_3345, 0x1122_3444, 0x1123_3344, 0x1222_3344] {
        let flow = ff(cl(1.0), s1(&dut, other));
        let resv = dut.resv(Station::D1, session, Style::Ff, std::slice::from_ref(&flow));
        dut.send(Station::D1, resv);
        let error = dut.expect_to::<ResvErr>(Station::D1).message;
        assert_eq!((error.error.code, error.flows), (4, vec![flow]));
        dut.expect_silence();
    }
    let resv = dut.resv(Station::D1, session, Style::Ff, &[ff(cl(1.0), sender)]);
    dut.send(Station::D1, resv);
    dut.expect::<Resv>(Port::A);
}

/// Two security associations of one host are two senders of a shared reservation.
pub(crate) fn two_associations_of_one_host_are_two_senders(lab: &Lab) {
    shows(&["rfc2207-4.2-01"]);
    let mut dut = lab.router();
    let session = session(&dut, 9000);
    let senders = [1, 2].map(|spi| s1(&dut, spi));
    for sender in senders {
        dut.learn(Station::U1, session, sender);
    }
    let resv = dut.resv(Station::D1, session, Style::Se, &[se(cl(1.0), &senders)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, senders.to_vec())]);
}

/// A session without ports and one with a virtual port, of the same address and protocol, are there side by side.
pub(crate) fn sessions_with_ports_and_with_gpis_are_apart(lab: &Lab) {
    shows(&["rfc2207-4.2-02"]);
    let mut dut = lab.router();
    let (gpi, sender) = (session(&dut, 9000), s1(&dut, 1));
    let plain = SessionKey::Ip(FlowKey { port: 0, ..*gpi.flow() });
    let no_port = FilterSpec::Ip { source: sender.source(), port: 0 };
    let both = [(plain, no_port), (gpi, sender)];
    for (session, sender) in both {
        let path = dut.path(Station::U1, session, sender);
        dut.send(Station::U1, path);
        assert_eq!(dut.expect::<Path>(Port::C).message.session.key, session);
        dut.expect_silence();
    }
    for (session, sender) in both {
        let resv = dut.resv(Station::D1, session, Style::Ff, &[ff(cl(1.0), sender)]);
        dut.send(Station::D1, resv);
        let sent = dut.expect::<Resv>(Port::A);
        assert_eq!((sent.message.session.key, sent.shares()), (session, vec![(1.0, vec![sender])]));
    }
}

/// A new security association joins a shared reservation that has no room for a second one.
pub(crate) fn a_new_association_joins_the_shared_reservation(lab: &Lab) {
    shows(&["rfc2207-6-01"]);
    let mut dut = lab.router();
    let session = session(&dut, 9000);
    let [old, new] = [1, 2].map(|spi| s1(&dut, spi));
    for sender in [old, new] {
        let path = Path { sender_tspec: tspec(200.0), ..dut.path(Station::U1, session, sender) };
        dut.send(Station::U1, path);
        dut.expect::<Path>(Port::C);
    }
    for senders in [&[old][..], &[old, new]] {
        let resv = dut.resv(Station::D1, session, Style::Se, &[se(cl(40.0), senders)]);
        dut.send(Station::D1, resv);
        assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(40.0, senders.to_vec())]);
        dut.expect_silence();
    }
}
