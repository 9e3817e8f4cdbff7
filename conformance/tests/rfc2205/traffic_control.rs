//! RFC 2205 sections 1, 1.2 and 3.11.2: what RSVP leaves to traffic control, and what it takes from it.

use std::sync::{Arc, Mutex};

use conformance::bench::{Dut, Port, Station, bucket, ff, object};
use conformance::shows;
use rsvp_core::InterfaceId;
use rsvp_core::admission::{Admission, AdmissionRequest, BandwidthPools, Decision};
use rsvp_core::intserv::{BadSpec, Hop};
use rsvp_core::policy::LocalPolicy;
use rsvp_core::wire::{Adspec, ClassNum, Flowspec, Path, RawObject, Resv, Rspec, SenderTspec, Style};

/// A vendor's own traffic control: it takes anything, and the contents that end in a zero octet it changes.
struct Vendor;

const CTYPE: u8 = 77;

/// A QoS object that nobody else understands: by its C-Type, or for SENDER_TSPEC, whose C-Type RSVP judges itself
/// (section 3.10), by its contents.
fn vendors(class: ClassNum, last: u8) -> RawObject {
    let ctype = if class == ClassNum::SENDER_TSPEC { 2 } else { CTYPE };
    object(class.0, ctype, &[0xde, 0xad, 0xbe, 0xef, class.0, 0, 0, last])
}

/// What the vendor makes of it.
fn changed(object: &RawObject) -> RawObject {
    let mut contents = object.contents.clone();
    contents.extend([1, 2, 3, 4]);
    RawObject { contents, ..object.clone() }
}

impl Admission for Vendor {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Decision {
        let fwd = match request.new {
            Flowspec::Opaque(object) if object.contents.ends_with(&[0]) => {
                Some(Flowspec::Opaque(changed(object)))
            }
            _ => None,
        };
        Decision::Admit { fwd }
    }

    fn bandwidth(&self, _flowspec: &Flowspec) -> u64 {
        1
    }

    fn advertise(&self, _interface: InterfaceId, adspec: &Adspec, _hop: &Hop) -> Adspec {
        match adspec {
            Adspec::Opaque(object) if object.contents.ends_with(&[0]) => Adspec::Opaque(changed(object)),
            _ => adspec.clone(),
        }
    }

    fn check_sender(&self, _tspec: &SenderTspec, _adspec: Option<&Adspec>) -> Result<(), BadSpec> {
        Ok(())
    }

    fn check_flowspec(&self, _flowspec: &Flowspec) -> Result<(), BadSpec> {
        Ok(())
    }
}

#[test]
fn qos_objects_are_traffic_controls_alone() {
    shows(&["rfc2205-1-04"]);
    for (last, is_changed) in [(1, false), (0, true)] {
        let mut dut = Dut::controlled(true, Vendor, LocalPolicy);
        let (h, s1) = (dut.h(), dut.s1());
        let [flowspec, sent, offered] =
            [ClassNum::FLOWSPEC, ClassNum::SENDER_TSPEC, ClassNum::ADSPEC].map(|class| vendors(class, last));
        let policy = object(14, CTYPE, &[9; 40]);
        let mut path = dut.path(Station::U1, h, s1);
        path.sender_tspec = SenderTspec::Opaque(sent.clone());
        path.adspec = Some(Adspec::Opaque(offered.clone()));
        path.policy = vec![policy.clone()];
        dut.send(Station::U1, path);
        let path = dut.expect::<Path>(Port::C);
        assert_eq!(path.objects(ClassNum::SENDER_TSPEC), [&sent]);
        let adspec = if is_changed { changed(&offered) } else { offered.clone() };
        assert_eq!(path.objects(ClassNum::ADSPEC), [&adspec]);
        assert_eq!(path.objects(ClassNum::POLICY_DATA), [&policy]);
        assert_eq!(dut.senders(h)[0].adspec, Some(Adspec::Opaque(offered)), "stored as it came");
        let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(Flowspec::Opaque(flowspec.clone()), s1)]);
        resv.policy = vec![policy.clone()];
        dut.send(Station::D1, resv);
        let resv = dut.expect::<Resv>(Port::A);
        let forwarded = if is_changed { changed(&flowspec) } else { flowspec.clone() };
        assert_eq!(resv.objects(ClassNum::FLOWSPEC), [&forwarded]);
        assert_eq!(resv.objects(ClassNum::POLICY_DATA), [&policy]);
        assert_eq!(dut.kernel(Port::C)[0].flowspec, Flowspec::Opaque(flowspec), "installed as it came");
        dut.expect_silence();
    }
}

/// Traffic control that uses half of the slack.
struct HalfTheSlack;

impl Admission for HalfTheSlack {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Decision {
        let Flowspec::Guaranteed(tspec, rspec) = *request.new else {
            return Decision::Admit { fwd: None };
        };
        let rspec = Rspec { slack: rspec.slack / 2, ..rspec };
        Decision::Admit { fwd: Some(Flowspec::Guaranteed(tspec, rspec)) }
    }

    fn bandwidth(&self, flowspec: &Flowspec) -> u64 {
        BandwidthPools.bandwidth(flowspec)
    }

    fn advertise(&self, interface: InterfaceId, adspec: &Adspec, hop: &Hop) -> Adspec {
        BandwidthPools.advertise(interface, adspec, hop)
    }
}

#[test]
fn what_traffic_control_gives_back_goes_upstream() {
    shows(&["rfc2205-1.2-04"]);
    let mut dut = Dut::controlled(true, HalfTheSlack, LocalPolicy);
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let with_slack = |slack| {
        let tspec = bucket(2.0);
        Flowspec::Guaranteed(tspec, Rspec { rate: tspec.rate, slack })
    };
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(with_slack(1000), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).message.flows, [ff(with_slack(500), s1)]);
    assert_eq!(dut.kernel(Port::C)[0].flowspec, with_slack(1000));
    assert_eq!(dut.reservations(h)[0].flowspec, with_slack(1000));
    dut.expect_silence();
}

/// What TC_Advertise was asked: interface, ADSPEC, and the Non_RSVP_Hop flag.
type Asked = Arc<Mutex<Vec<(InterfaceId, Adspec, bool)>>>;

/// Traffic control that notes what it is asked to advertise, and puts the interface into the ADSPEC.
struct Notes(Asked);

fn stamped(interface: InterfaceId) -> Adspec {
    Adspec::Opaque(object(ClassNum::ADSPEC.0, 2, &interface.0.to_be_bytes()))
}

impl Admission for Notes {
    fn admit(&self, _request: &AdmissionRequest<'_>) -> Decision {
        Decision::Admit { fwd: None }
    }

    fn bandwidth(&self, _flowspec: &Flowspec) -> u64 {
        0
    }

    fn advertise(&self, interface: InterfaceId, adspec: &Adspec, hop: &Hop) -> Adspec {
        self.0.lock().expect("one thread").push((interface, adspec.clone(), hop.non_rsvp));
        stamped(interface)
    }

    fn check_sender(&self, _tspec: &SenderTspec, _adspec: Option<&Adspec>) -> Result<(), BadSpec> {
        Ok(())
    }
}

#[test]
fn traffic_control_makes_the_adspec_of_each_interface() {
    shows(&["rfc2205-3.11.2-05"]);
    for non_rsvp in [false, true] {
        let asked = Asked::default();
        let mut dut = Dut::controlled(true, Notes(Arc::clone(&asked)), LocalPolicy);
        let mut path = dut.path(Station::U1, dut.g(), dut.s1());
        let adspec = Adspec::Opaque(vendors(ClassNum::ADSPEC, 1));
        path.adspec = Some(adspec.clone());
        let mut packet = dut.pack(Station::U1, path);
        packet.ttl -= u8::from(non_rsvp);
        dut.send_packet(Station::U1, &packet);
        let ports = [Port::C, Port::D];
        for round in ["the first Paths", "refreshes"] {
            let told = ports.map(|port| dut.expect::<Path>(port).message.adspec);
            assert_eq!(told, ports.map(|port| Some(stamped(port.interface()))), "{round}");
            let mut asked = std::mem::take(&mut *asked.lock().expect("one thread"));
            asked.sort_by_key(|(interface, ..)| *interface);
            let each = ports.map(|port| (port.interface(), adspec.clone(), non_rsvp));
            assert_eq!(asked, each, "{round}: once for each Path");
            dut.expect_silence();
            while dut.node().counters().refreshes_sent < 2 {
                dut.advance(std::time::Duration::from_millis(100));
            }
        }
    }
}
