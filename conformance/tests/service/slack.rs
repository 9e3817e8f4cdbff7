//! RFC 2212, Ordering and Merging: slack.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use conformance::bench::{Dut, Port, Station, bucket, ff};
use conformance::shows;
use rsvp_core::InterfaceId;
use rsvp_core::admission::{Admission, AdmissionRequest, BandwidthPools, Decision};
use rsvp_core::intserv::Hop;
use rsvp_core::policy::LocalPolicy;
use rsvp_core::wire::{Adspec, Flowspec, Resv, Rspec, Style};

/// Traffic control that uses slack, and would use more with every further request.
struct UsesSlack(Arc<AtomicUsize>);

impl Admission for UsesSlack {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Decision {
        let asked = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let Flowspec::Guaranteed(tspec, rspec) = *request.new else {
            return Decision::Admit { fwd: None };
        };
        let slack = rspec.slack / u32::try_from(2 * asked).expect("few");
        Decision::Admit { fwd: Some(Flowspec::Guaranteed(tspec, Rspec { slack, ..rspec })) }
    }

    fn bandwidth(&self, flowspec: &Flowspec) -> u64 {
        BandwidthPools.bandwidth(flowspec)
    }

    fn advertise(&self, interface: InterfaceId, adspec: &Adspec, hop: &Hop) -> Adspec {
        BandwidthPools.advertise(interface, adspec, hop)
    }
}

#[test]
fn slack_that_was_used_is_used_alike_for_refreshes() {
    shows(&["rfc2212-ord-04"]);
    let asked = Arc::new(AtomicUsize::new(0));
    let mut dut = Dut::controlled(true, UsesSlack(Arc::clone(&asked)), LocalPolicy);
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path.clone());
    let with_slack = |slack| Flowspec::Guaranteed(bucket(2.0), Rspec { rate: bucket(2.0).rate, slack });
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(with_slack(1000), s1)]);
    dut.send(Station::D1, resv.clone());
    let out = [ff(with_slack(500), s1)];
    assert_eq!(dut.expect::<Resv>(Port::A).message.flows, out);
    for round in 0..10 {
        dut.advance(Duration::from_secs(30));
        dut.send(Station::U1, path.clone());
        // A longer life is no other request, but another message.
        let resv = rsvp_core::wire::Resv { refresh_ms: 30_000 + round, ..resv.clone() };
        dut.send(Station::D1, resv);
    }
    let refreshes = dut.all::<Resv>(Port::A);
    assert!(refreshes.len() >= 6, "{}", refreshes.len());
    assert!(refreshes.iter().all(|refresh| refresh.message.flows == out), "{refreshes:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 1, "no further call to change the reservation");
}
