//! RFC 2205 section 2.7: policy control. What the policy is against, the configuration says.

use crate::bench::{Dut, Family, Lab, Port, Station, cl, ff};
use crate::shows;
use rsvp_core::policy::{PolicyAction, PolicyRule};
use rsvp_core::wire::{FilterSpec, Path, PathErr, Resv, ResvErr, Style};

/// A router that refuses reservations for S2 that D1 asks for, and all Paths of S3.
fn strict(lab: &Lab) -> Dut {
    let plan = lab.plan(Family::V4);
    lab.with(Family::V4, |config| {
        let deny = |sender: FilterSpec, receiver: Option<Station>| PolicyRule {
            sender: Some(sender.source().into()),
            receiver: receiver.map(|station| plan.station(station).into()),
            action: PolicyAction::Deny,
        };
        config.policy = vec![deny(plan.sender(2), Some(Station::D1)), deny(plan.sender(3), None)];
    })
}

/// A reservation that there is bandwidth for is refused if the policy is against it, and one that it has nothing against
/// is made.
pub(crate) fn bandwidth_alone_does_not_make_a_reservation(lab: &Lab) {
    shows(&["rfc2205-2.7-01", "rfc2205-B-05"]);
    let mut dut = strict(lab);
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.learn(Station::U1, h, s1);
    dut.learn(Station::U2, h, s2);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s2)]);
    dut.send(Station::D1, resv);
    let error = dut.expect_to::<ResvErr>(Station::D1).message;
    assert_eq!((error.error.code, &error.flows[..]), (2, &[ff(cl(1.0), s2)][..]));
    dut.expect_silence();
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    dut.expect_silence();
}

/// A Path that the policy is against is answered with an error and goes no further; the same of another sender does.
pub(crate) fn a_path_that_the_policy_is_against_is_refused(lab: &Lab) {
    shows(&["rfc2205-B-05"]);
    let mut dut = strict(lab);
    let (h, s2, s3) = (dut.h(), dut.s2(), dut.s3());
    let path = dut.path(Station::U2, h, s3);
    dut.send(Station::U2, path);
    let error = dut.expect_to::<PathErr>(Station::U2).message;
    assert_eq!((error.error.code, error.sender_template), (2, s3));
    dut.expect_silence();
    let path = dut.path(Station::U2, h, s2);
    dut.send(Station::U2, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, s2);
    dut.expect_silence();
}
