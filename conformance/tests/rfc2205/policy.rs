//! RFC 2205 sections 1, 3.1.7 and 3.11.1: policy control and the policy data that it lives on.

use conformance::bench::{Dut, Lab, Port, Station, cl, ff, object, tspec};
use conformance::shows;
use rsvp_core::admission::BandwidthPools;
use rsvp_core::command::{Reply, ReserveRequest, SenderRequest};
use rsvp_core::event::Upcall;
use rsvp_core::policy::{Policy, PolicyRequest, Verdict};
use rsvp_core::wire::{ErrorCode, FilterSpec, Path, RawObject, Resv, ResvErr, Style};
use rsvp_core::{ApiId, Command, Request};

/// A policy that is against what carries its sign in POLICY_DATA.
struct AgainstSign;

const SIGN: u8 = 0x66;

fn data(sign: u8) -> RawObject {
    object(14, 1, &[sign, 1, 2, 3])
}

impl Policy for AgainstSign {
    fn decide(&self, request: &PolicyRequest<'_>) -> Verdict {
        if request.data.contains(&data(SIGN)) {
            Verdict::Reject { code: ErrorCode::POLICY_CONTROL_FAILURE, value: 3 }
        } else {
            Verdict::Accept { data: None }
        }
    }
}

fn router(policy: impl Policy + 'static) -> Dut {
    Dut::controlled(true, BandwidthPools, policy)
}

#[test]
fn both_controls_must_agree() {
    shows(&["rfc2205-1-03"]);
    for (n, sign, refusal) in [(60.0, 0, Some(1)), (1.0, SIGN, Some(2)), (1.0, 0, None)] {
        let mut dut = router(AgainstSign);
        let (h, s1) = (dut.h(), dut.s1());
        let mut path = dut.path(Station::U1, h, s1);
        path.sender_tspec = tspec(200.0);
        dut.send(Station::U1, path);
        dut.forget();
        let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(n), s1)]);
        resv.policy = vec![data(sign)];
        dut.inside().take_requests();
        dut.send(Station::D1, resv);
        if let Some(code) = refusal {
            assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, code);
            assert_eq!(dut.inside().take_requests(), [], "classifier and scheduler are left alone");
            assert!(dut.kernel(Port::C).is_empty() && dut.node().installed().is_empty());
        } else {
            assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
            assert!(matches!(dut.inside().take_requests()[..], [Request::Install(_)]));
            assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
        }
        dut.expect_silence();
    }
}

/// A host with an application that announces S, behind c, to H.
fn announced(dut: &mut Dut) -> (ApiId, FilterSpec) {
    let h = dut.h();
    let sender = FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 };
    let api = dut.open(h);
    let request = SenderRequest {
        template: sender,
        tspec: tspec(1.0),
        adspec: false.into(),
        policy: vec![data(5)],
        ttl: 64,
    };
    assert_eq!(dut.command(Command::AddSender(api, request)), Ok(Reply::Done));
    (api, sender)
}

#[test]
fn path_errors_bring_policy_data_to_the_application() {
    shows(&["rfc2205-3.1.7-06"]);
    let policy = vec![data(1), object(14, 9, &[0xff; 64])];
    let mut dut = Lab::in_process().host();
    let (api, sender) = announced(&mut dut);
    assert_eq!(dut.expect::<Path>(Port::C).message.policy, [data(5)], "the application's own goes along");
    let mut error = dut.path_err(dut.h(), sender, 2, 0);
    error.policy = policy.clone();
    dut.send(Station::D1, error.clone());
    assert_eq!(dut.upcalls(), [(api, Upcall::PathError { error: error.error, sender, policy })]);
}

#[test]
fn the_upcall_of_a_reservation_error_is_complete() {
    shows(&["rfc2205-3.11.1-10"]);
    let mut dut = Lab::in_process().host();
    let (session, s1) = (dut.plan.session(dut.plan.dut(Port::A), 5000), dut.s1());
    let api = dut.open(session);
    dut.learn(Station::U1, session, s1);
    let request = ReserveRequest {
        receiver: dut.plan.dut(Port::A),
        style: Style::Ff,
        flows: vec![ff(cl(4.0), s1)],
        policy: vec![data(5)],
        confirm: false,
    };
    assert_eq!(dut.command(Command::Reserve(api, request)), Ok(Reply::Done));
    assert_eq!(dut.expect::<Resv>(Port::A).message.policy, [data(5)]);
    dut.upcalls();
    let mut error = dut.resv_err(Station::U1, session, Style::Ff, ff(cl(4.0), s1), (1, 2, 1));
    error.policy = vec![data(7)];
    dut.send(Station::U1, error);
    let upcalls = dut.upcalls();
    let [(told, Upcall::ResvError { error, style, flows, policy })] = &upcalls[..] else {
        panic!("{upcalls:?}")
    };
    assert_eq!(
        (*told, *style, &flows[..], &policy[..]),
        (api, Style::Ff, &[ff(cl(4.0), s1)][..], &[data(7)][..])
    );
    assert_eq!((error.code, error.value, error.flags, error.node), (1, 2, 1, dut.plan.far()));
}
