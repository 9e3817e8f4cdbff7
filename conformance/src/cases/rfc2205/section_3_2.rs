//! RFC 2205 section 3.2: port usage.

use crate::bench::{Dut, Lab, Port, Station, cl, ff, wf};
use crate::shows;
use rsvp_core::wire::{FilterSpec, FlowKey, Path, PathErr, Resv, ResvErr, SessionKey, Style};

/// A session like another, of another protocol and port.
fn alike(session: SessionKey, protocol: u8, port: u16) -> SessionKey {
    SessionKey::Ip(FlowKey { protocol, port, ..*session.flow() })
}

/// S1 with another port.
fn s1_port(dut: &Dut, port: u16) -> FilterSpec {
    FilterSpec::Ip { source: dut.s1().source(), port }
}

/// The network takes any protocol, whatever its ports.
pub(crate) fn any_protocol_is_accepted(lab: &Lab) {
    shows(&["rfc2205-3.2-02"]);
    let mut dut = lab.router();
    let (h, k) = (dut.h(), dut.k());
    let sessions = [(h, 132, 0, 0, Port::C), (k, 132, 9, 4000, Port::D), (k, 255, 9, 0, Port::D)];
    for (session, protocol, port, source_port, out) in sessions {
        let key = alike(session, protocol, port);
        let path = dut.path(Station::U1, key, s1_port(&dut, source_port));
        dut.send(Station::U1, path);
        assert_eq!(dut.expect::<Path>(out).message.session.key, key);
    }
}

/// Two orders in which a session without a port and one with a port can come, each with a destination of its own and what
/// is behind it.
const CONFLICTS: [(u16, u16, Station); 2] = [(5000, 0, Station::D1), (0, 5000, Station::D2)];

/// The two sessions of a conflict.
fn conflicting(dut: &Dut, first: u16, second: u16, towards: Station) -> [SessionKey; 2] {
    let session = if towards == Station::D1 { dut.h() } else { dut.k() };
    [first, second].map(|port| alike(session, 17, port))
}

/// A source port that goes with a destination port.
fn source_port(port: u16) -> u16 {
    if port == 0 { 0 } else { 4000 }
}

/// A Path whose destination port is zero where another session of the destination has one, or the other way round, is
/// refused and makes no state. Sessions with ports get along.
pub(crate) fn destination_ports_are_all_zero_or_none(lab: &Lab) {
    shows(&["rfc2205-3.2-04", "rfc2205-B-10", "rfc2209-2.path-02"]);
    let mut dut = lab.router();
    for (first, second, towards) in CONFLICTS {
        let [one, two] = conflicting(&dut, first, second, towards);
        let path = dut.path(Station::U1, one, s1_port(&dut, source_port(first)));
        dut.send(Station::U1, path.clone());
        dut.expect::<Path>(towards.port());
        let conflict = dut.path(Station::U1, two, s1_port(&dut, source_port(second)));
        dut.send(Station::U1, conflict);
        let error = dut.expect_to::<PathErr>(Station::U1).message;
        assert_eq!((error.error.code, error.session.key), (7, two));
        dut.send(Station::U1, path);
        dut.expect_silence();
    }
    let another = alike(dut.h(), 17, 5001);
    let path = dut.path(Station::U1, another, dut.s1());
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.session.key, another);
    dut.expect_silence();
}

/// The same of a Resv: it is refused, and what has path state can be reserved.
pub(crate) fn a_resv_with_conflicting_ports_is_refused(lab: &Lab) {
    shows(&["rfc2205-3.2-04", "rfc2205-B-10"]);
    let mut dut = lab.router();
    for (first, second, towards) in CONFLICTS {
        let [one, two] = conflicting(&dut, first, second, towards);
        let sender = s1_port(&dut, source_port(first));
        dut.learn(Station::U1, one, sender);
        let resv = dut.resv(towards, two, Style::Wf, &[wf(cl(1.0))]);
        dut.send(towards, resv);
        assert_eq!(dut.expect_to::<ResvErr>(towards).message.error.code, 7);
        dut.expect_silence();
        let resv = dut.resv(towards, one, Style::Wf, &[wf(cl(1.0))]);
        dut.send(towards, resv);
        assert_eq!(dut.expect::<Resv>(Port::A).message.session.key, one);
    }
}

/// A Path or Resv with a source port, for a session without a port, is not answered and does nothing; without, it does.
pub(crate) fn without_a_destination_port_there_is_no_source_port(lab: &Lab) {
    shows(&["rfc2205-3.2-05", "rfc2209-2.arrive-05"]);
    let mut dut = lab.router();
    let key = alike(dut.h(), 89, 0);
    let path = dut.path(Station::U1, key, s1_port(&dut, 4000));
    dut.send(Station::U1, path);
    dut.expect_silence();
    let path = dut.path(Station::U1, key, s1_port(&dut, 0));
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, s1_port(&dut, 0));
    let resv = dut.resv(Station::D1, key, Style::Ff, &[ff(cl(1.0), s1_port(&dut, 4000))]);
    dut.send(Station::D1, resv);
    dut.expect_silence();
    let resv = dut.resv(Station::D1, key, Style::Ff, &[ff(cl(1.0), s1_port(&dut, 0))]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1_port(&dut, 0)])]);
    dut.expect_silence();
}

/// Of one sender's host, a session has senders with ports or one without; the Path that does not fit is refused and makes
/// no state.
pub(crate) fn source_ports_of_one_sender_are_all_zero_or_none(lab: &Lab) {
    shows(&["rfc2205-3.2-06", "rfc2205-B-11", "rfc2209-2.path-03"]);
    let mut dut = lab.router();
    for (number, first, second, is_conflict) in
        [(1, 4000, 0, true), (2, 0, 4000, true), (3, 4000, 4001, false)]
    {
        let session = alike(dut.h(), 17, 5000 + number);
        let [one, two] = [first, second].map(|port| s1_port(&dut, port));
        let path = dut.path(Station::U1, session, one);
        dut.send(Station::U1, path);
        assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, one);
        let path = dut.path(Station::U1, session, two);
        dut.send(Station::U1, path);
        if is_conflict {
            let error = dut.expect_to::<PathErr>(Station::U1).message;
            assert_eq!((error.error.code, error.sender_template), (8, two));
        } else {
            assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, two);
        }
        dut.expect_silence();
        let resv = dut.resv(Station::D1, session, Style::Ff, &[ff(cl(1.0), two)]);
        dut.send(Station::D1, resv);
        if is_conflict {
            assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 4, "no such sender");
        } else {
            assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![two])]);
        }
        dut.expect_silence();
    }
}

/// A filter spec without a port is for a sender without a port, and for no other of its host.
pub(crate) fn a_zero_port_matches_only_zero(lab: &Lab) {
    shows(&["rfc2205-3.2-07", "rfc2209-2.resv-03"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1_port(&dut, 0))]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 4);
    dut.expect_silence();
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
}
