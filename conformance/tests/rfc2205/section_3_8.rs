//! RFC 2205 section 3.8: what traffic control is told about policing.

use conformance::bench::{Dut, Lab, Port, Station, cl, ff, wf};
use conformance::shows;
use rsvp_core::output::PoliceFlags;
use rsvp_core::wire::{Path, Session, Style};

#[test]
fn entry_police() {
    shows(&["rfc2205-3.8-02", "rfc2209-2.utc-03", "rfc2209-2.path-09"]);
    for (flags, police) in [(Session::E_POLICE, true), (0, false)] {
        let mut dut = Lab::in_process().router();
        let (h, s1) = (dut.h(), dut.s1());
        let mut path = dut.path(Station::U1, h, s1);
        path.session.flags = flags;
        dut.send(Station::U1, path);
        assert_eq!(dut.expect::<Path>(Port::C).message.session.flags, 0, "this node polices");
        dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        assert_eq!(dut.kernel(Port::C)[0].police.contains(PoliceFlags::ENTRY), police);
    }
}

#[test]
fn merge_police() {
    shows(&["rfc2205-3.8-03"]);
    let mut dut = Lab::in_process().group(1);
    let (g, s2) = (dut.g(), dut.s2());
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
    assert!(!dut.kernel(Port::C)[0].police.contains(PoliceFlags::MERGE), "one sender");
    dut.learn(Station::U2, g, s2);
    assert!(dut.kernel(Port::C)[0].police.contains(PoliceFlags::MERGE), "two senders share");
    let mut dut = Lab::in_process().group(2);
    let s1 = dut.s1();
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1), ff(cl(1.0), s2)]);
    assert!(
        dut.kernel(Port::C).iter().all(|flow| !flow.police.contains(PoliceFlags::MERGE)),
        "FF is distinct"
    );
}

#[test]
fn branch_police() {
    shows(&["rfc2205-3.8-04", "rfc2209-2.utc-02", "rfc2205-3.8-01"]);
    let mut dut = Lab::in_process().group(1);
    let g = dut.g();
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
    dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(2.0))]);
    let branches = |dut: &mut Dut| {
        [Port::C, Port::D].map(|port| dut.kernel(port)[0].police.contains(PoliceFlags::BRANCH))
    };
    assert_eq!(branches(&mut dut), [false, true]);
    dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(4.0))]);
    assert_eq!(branches(&mut dut), [false, false]);
}
