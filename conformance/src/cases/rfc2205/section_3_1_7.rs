//! RFC 2205 section 3.1.7: path error messages.

use crate::bench::{Lab, Port, Station, cl, ff, millis, object};
use crate::cases::rfc2205::capacity::announce;
use crate::shows;
use rsvp_core::wire::{
    ClassNum, FilterSpec, FlowKey, Path, PathErr, PathTear, Resv, ResvErr, ResvTear, SessionKey, Style,
};

/// A PathErr goes to the previous hop from this node, says what it said, and changes nothing: the refreshes of the path
/// state and of the reservation are what they were.
pub(crate) fn a_path_error_changes_nothing_on_its_way(lab: &Lab) {
    shows(&["rfc2205-3.1.7-01", "rfc2205-3.1.7-02", "rfc2205-3.1.7-04"]);
    let mut dut = lab.brisk().router();
    let (h, s1, r) = (dut.h(), dut.s1(), dut.r());
    announce(&mut dut, h, 1, 20.0);
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.refresh_ms = millis(100 * r);
    dut.send(Station::D1, resv);
    dut.expect::<Resv>(Port::A);
    dut.advance(2 * r);
    let before = (dut.expect::<Path>(Port::C).message, dut.expect::<Resv>(Port::A).message);
    dut.forget();
    let error = dut.path_err(h, s1, 2, 0);
    dut.send(Station::D1, error.clone());
    let passed = dut.expect_to::<PathErr>(Station::U1);
    assert_eq!(passed.sent.packet.source, dut.plan.dut(Port::A));
    assert_eq!(passed.message, error);
    dut.advance(2 * r);
    let (paths, resvs) = (dut.all::<Path>(Port::C), dut.all::<Resv>(Port::A));
    assert!(!paths.is_empty() && !resvs.is_empty(), "both are refreshed");
    assert!(paths.iter().all(|path| path.message == before.0), "{paths:?}");
    assert!(resvs.iter().all(|resv| resv.message == before.1), "{resvs:?}");
    dut.expect_no::<PathTear>(Port::C);
    dut.expect_no::<ResvTear>(Port::A);
    dut.expect_no::<ResvErr>(Port::C);
    dut.expect_no::<PathErr>(Port::A);
}

/// A PathErr that the device makes itself names one of its own addresses, and the sender of the Path.
pub(crate) fn a_path_error_names_the_node_that_found_it(lab: &Lab) {
    shows(&["rfc2205-3.1.7-04"]);
    let mut dut = lab.unicast(1);
    let without_ports = SessionKey::Ip(FlowKey { port: 0, ..*dut.h().flow() });
    let sender = FilterSpec::Ip { source: dut.s1().source(), port: 0 };
    let path = dut.path(Station::U1, without_ports, sender);
    dut.send(Station::U1, path.clone());
    let error = dut.expect_to::<PathErr>(Station::U1).message;
    assert!(Port::ALL.iter().any(|port| dut.plan.dut(*port) == error.error.node), "{:?}", error.error);
    assert_eq!((error.session, error.sender_template), (path.session, sender));
    assert_eq!(error.sender_tspec, Some(path.sender_tspec));
}

/// The POLICY_DATA in a PathErr goes along with it as it is.
pub(crate) fn path_errors_bring_policy_data(lab: &Lab) {
    shows(&["rfc2205-3.1.7-06"]);
    let policy = vec![object(ClassNum::POLICY_DATA.0, 1, &[1, 2, 3, 4]), object(14, 9, &[0xff; 64])];
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let mut error = dut.path_err(h, s1, 2, 0);
    error.policy.clone_from(&policy);
    dut.send(Station::D1, error);
    assert_eq!(dut.expect_to::<PathErr>(Station::U1).message.policy, policy);
}
