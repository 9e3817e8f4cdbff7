//! RFC 2205 section 2.10: the host model.

use std::time::Duration;

use crate::bench::{Action, LASTING, Lab, Port, Station, cl, ff, group_route};
use crate::shows;
use rsvp_core::command::ReserveRequest;
use rsvp_core::wire::{Path, Resv, ResvErr, Style};

/// A Resv before any Path is refused, and leaves no state behind: the Path that comes then is not reserved.
pub(crate) fn a_resv_before_any_path_is_refused(lab: &Lab) {
    shows(&["rfc2205-2.10-01", "rfc2205-B-06", "rfc2209-2.resv-02"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv.clone());
    let error = dut.expect_to::<ResvErr>(Station::D1);
    assert_eq!((error.message.error.code, error.sent.port), (3, Port::C));
    dut.expect_silence();
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::C);
    dut.expect_silence();
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
}

/// A receiver may reserve before it knows of any Path: its reservation goes out when the Path has come.
pub(crate) fn a_receiver_may_be_earlier_than_the_path(lab: &Lab) {
    shows(&["rfc2205-2.10-01"]);
    let mut dut = lab.host();
    let (receiver, s1) = (dut.plan.dut(Port::A), dut.s1());
    let session = dut.plan.session(receiver, 5000);
    let flows = vec![ff(cl(1.0), s1)];
    let request = ReserveRequest { receiver, style: Style::Ff, flows, policy: vec![], confirm: false };
    dut.act(&Action::Reserve(session, request));
    dut.forget();
    let path = dut.path(Station::U1, session, s1);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect_to::<Resv>(Station::U1).shares(), [(1.0, vec![s1])]);
}

/// A receiver that has joined a group, and does not reserve yet, hears of the sender and asks for nothing; when it reserves,
/// it is served at once, without another Path.
pub(crate) fn who_has_joined_reserves_when_it_wants(lab: &Lab) {
    shows(&["rfc2205-2.10-02"]);
    let mut dut = lab.host();
    let (g, s1, receiver) = (dut.g(), dut.s1(), dut.plan.dut(Port::A));
    dut.act(&Action::Receive(g));
    let mut path = dut.path(Station::U1, g, s1);
    path.refresh_ms = LASTING;
    dut.send(Station::U1, path);
    dut.expect_silence();
    let flows = vec![ff(cl(1.0), s1)];
    let request = ReserveRequest { receiver, style: Style::Ff, flows, policy: vec![], confirm: false };
    dut.act(&Action::Reserve(g, request));
    assert_eq!(dut.expect_to::<Resv>(Station::U1).shares(), [(1.0, vec![s1])]);
    dut.expect_silence();
}

/// The state of a Path that nobody downstream wants is kept: where the group gets a member later, the Path is sent.
pub(crate) fn path_state_is_kept_for_receivers_to_come(lab: &Lab) {
    shows(&["rfc2205-2.10-02"]);
    let mut dut = lab.router();
    let (g, s1) = (dut.g(), dut.s1());
    let (group, source) = (g.destination(), Some(s1.source()));
    dut.set_route(group, source, group_route(Port::A, &[]));
    let path = dut.path(Station::U1, g, s1);
    dut.send(Station::U1, path);
    dut.expect_silence();
    dut.set_route(group, source, group_route(Port::A, &[Port::C]));
    // W, and some time.
    dut.advance(Duration::from_millis(2500));
    let path = dut.expect::<Path>(Port::C);
    assert_eq!(path.message.sender_template, s1);
    dut.expect_silence();
}
