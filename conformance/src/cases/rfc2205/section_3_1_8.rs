//! RFC 2205 section 3.1.8: ResvErr messages.

use crate::bench::{Action, Lab, Port, Setup, Station, cl, ff, gs, object, se, tspec};
use crate::shows;
use rsvp_core::policy::{PolicyAction, PolicyRule};
use rsvp_core::wire::{Resv, ResvErr, ResvTear, Style};

/// Of three FF descriptors in one Resv, one asks for too much, and the sender of one is not known: each of the two is
/// answered by a ResvErr of its own, and the third is reserved.
pub(crate) fn each_ff_descriptor_stands_for_itself(lab: &Lab) {
    shows(&["rfc2205-3.1.8-04", "rfc2209-2.resv-06"]);
    let mut dut = lab.group(1);
    let (g, s1, s2, unknown) = (dut.g(), dut.s1(), dut.s2(), dut.plan.sender(9));
    let mut path = dut.path(Station::U2, g, s2);
    path.sender_tspec = tspec(200.0);
    dut.learn_from(Station::U2, path);
    let flows = [ff(cl(1.0), s1), ff(cl(100.0), s2), ff(cl(1.0), unknown)];
    let resv = dut.resv(Station::D1, g, Style::Ff, &flows);
    dut.send(Station::D1, resv);
    let mut errors = [(); 2].map(|()| {
        let ResvErr { error, flows, .. } = dut.expect_to::<ResvErr>(Station::D1).message;
        (error.code, flows)
    });
    errors.sort_by_key(|(code, _)| *code);
    assert_eq!(errors, [(1, vec![flows[1].clone()]), (4, vec![flows[2].clone()])], "one for each");
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    dut.expect_silence();
}

/// On a LAN, what is wrong with a Resv is told to the next hop that sent it, and not to the others.
pub(crate) fn an_error_goes_to_the_next_hop_that_asked(lab: &Lab) {
    shows(&["rfc2205-3.1.8-06"]);
    let mut dut = lab.router();
    let (k, s1) = (dut.k(), dut.s1());
    let mut path = dut.path(Station::U1, k, s1);
    path.sender_tspec = tspec(200.0);
    dut.learn_from(Station::U1, path);
    dut.reserve(Station::D3, k, Style::Ff, &[ff(cl(1.0), s1)]);
    let resv = dut.resv(Station::D2, k, Style::Ff, &[ff(cl(100.0), s1)]);
    dut.send(Station::D2, resv);
    let ResvErr { error, style, flows, .. } = dut.expect_to::<ResvErr>(Station::D2).message;
    assert_eq!((error.code, error.node), (1, dut.plan.dut(Port::D)));
    assert_eq!((style, flows), (Style::Ff, vec![ff(cl(100.0), s1)]), "what failed");
    dut.expect_silence();
}

/// The operator's policy turns against a reservation that is in place: it is broken up, with a ResvErr to who holds it,
/// and withdrawn upstream.
pub(crate) fn a_broken_reservation_is_reported(lab: &Lab) {
    shows(&["rfc2205-3.1.8-11", "rfc2205-3.11.2-06"]);
    let mut dut = lab.unicast(2);
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1), ff(cl(1.0), s2)]);
    let mut config = Setup::stock(dut.plan.family, dut.r()).config;
    config.policy = vec![PolicyRule { sender: None, receiver: None, action: PolicyAction::Limit(1) }];
    dut.act(&Action::Configure(Box::new(config)));
    let mut broken = [(); 2].map(|()| {
        let ResvErr { error, flows, .. } = dut.expect_to::<ResvErr>(Station::D1).message;
        (error.code, flows[0].filters.clone())
    });
    broken.sort_by(|one, other| one.1.cmp(&other.1));
    assert!(
        broken.iter().all(|(code, _)| matches!(code, 2 | 12)),
        "preempted, or against policy: {broken:?}"
    );
    assert_eq!(broken.map(|(_, filters)| filters), [vec![s1], vec![s2]]);
    for (port, sender) in [(Port::A, s1), (Port::B, s2)] {
        assert_eq!(dut.expect::<ResvTear>(port).message.flows[0].filters, [sender], "it is withdrawn");
    }
    dut.expect_silence();
}

/// A ResvErr from upstream is passed on to all next hops that reserve what it is about, with its POLICY_DATA, and to no
/// others.
pub(crate) fn an_error_goes_only_where_its_sender_is_reserved(lab: &Lab) {
    shows(&["rfc2205-3.1.8-08", "rfc2205-3.1.8-12"]);
    let mut dut = lab.group(3);
    let (g, s1, s3) = (dut.g(), dut.s1(), dut.s3());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.reserve(Station::D3, g, Style::Ff, &[ff(cl(1.0), s3)]);
    let mut error = dut.resv_err(Station::U1, g, Style::Ff, ff(cl(1.0), s1), (2, 0, 0));
    error.policy = vec![object(14, 1, &[1, 2, 3, 4])];
    dut.send(Station::U1, error.clone());
    for station in [Station::D1, Station::D2] {
        assert_eq!(dut.expect_to::<ResvErr>(station).message.policy, error.policy, "to {station:?}");
    }
    dut.expect_silence();
    let error = dut.resv_err(Station::U2, g, Style::Ff, ff(cl(1.0), s3), (2, 0, 0));
    dut.send(Station::U2, error);
    let _ = dut.expect_to::<ResvErr>(Station::D3);
    dut.expect_silence();
}

/// A ResvErr that is passed on names the senders that the next hop asked for, of those that the error is about.
pub(crate) fn an_error_names_what_the_next_hop_asked_for(lab: &Lab) {
    shows(&["rfc2205-3.1.8-09", "rfc2205-3.1.8-05"]);
    let mut dut = lab.group(3);
    let (g, s2, s3) = (dut.g(), dut.s2(), dut.s3());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(1.0), &[s2])]);
    dut.reserve(Station::D2, g, Style::Se, &[se(cl(1.0), &[s2, s3])]);
    let error = dut.resv_err(Station::U2, g, Style::Se, se(cl(1.0), &[s2, s3]), (2, 0, 0));
    dut.send(Station::U2, error);
    for (station, filters) in [(Station::D1, vec![s2]), (Station::D2, vec![s2, s3])] {
        let mut named = dut.expect_to::<ResvErr>(station).message.flows[0].filters.clone();
        named.sort_unstable();
        assert_eq!(named, filters, "to {station:?}");
    }
    let error = dut.resv_err(Station::U2, g, Style::Se, se(cl(1.0), &[s3]), (2, 0, 0));
    dut.send(Station::U2, error);
    assert!(dut.expect_to::<ResvErr>(Station::D2).message.flows[0].filters.contains(&s3), "about S3 alone");
    dut.expect_silence();
}

/// After a change of route upstream, a former previous hop no longer knows a sender, nor another one that is behind it as
/// before. Receivers hear of that one: by no other way do they have what they asked for.
pub(crate) fn an_error_of_a_former_hop_goes_on_for_senders_that_are_still_behind_it(lab: &Lab) {
    shows(&["rfc2205-3.1.8-08"]);
    let mut dut = lab.unicast(3);
    let (h, moved, staying) = (dut.h(), dut.s2(), dut.s3());
    dut.reserve(Station::D1, h, Style::Se, &[se(cl(1.0), &[moved, staying])]);
    dut.learn(Station::U1, h, moved);
    let error = dut.resv_err(Station::U2, h, Style::Se, se(cl(1.0), &[moved, staying]), (4, 0, 0));
    dut.send(Station::U2, error);
    let ResvErr { error, flows, .. } = dut.expect_to::<ResvErr>(Station::D1).message;
    assert_eq!(error.code, 4, "no sender information");
    assert!(flows[0].filters.contains(&staying), "{flows:?}");
}

/// A reservation of guaranteed service does not merge with one of controlled load: it is refused, and the other stays.
pub(crate) fn different_services_do_not_merge(lab: &Lab) {
    shows(&["rfc2205-3.11.6-02", "rfc2210-2.2-02"]);
    let mut dut = lab.group(1);
    let (g, s1) = (dut.g(), dut.s1());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(gs(1.0), s1)]);
    dut.send(Station::D2, resv);
    let error = dut.expect_to::<ResvErr>(Station::D2).message.error;
    assert_eq!((error.code, error.value), (21, 1));
    dut.expect_silence();
    let tear = dut.resv_tear(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, tear);
    let torn = dut.expect::<ResvTear>(Port::A).message;
    assert_eq!(torn.flows[0].filters, [s1], "that of D1 was the only one, and untouched");
}
