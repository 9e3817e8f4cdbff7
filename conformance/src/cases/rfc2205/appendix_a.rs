//! RFC 2205 Appendix A: the formats of objects, octet by octet, as a device sends and takes them.

use std::net::IpAddr;

use super::octets::{assert_octets, raw};
use crate::bench::{Dut, Family, Lab, Port, Received, Station, cl, ff, se, wf};
use crate::shows;
use rsvp_core::wire::{
    ErrorSpec, FilterSpec, FlowKey, Path, PathTear, Resv, ResvErr, ResvTear, SessionKey, Style,
};

/// A Resv of D1 for a session that leaves by c, as it goes on upstream.
fn forwarded(dut: &mut Dut, resv: Resv) -> Received<Resv> {
    dut.send(Station::D1, resv);
    dut.expect(Port::A)
}

/// SESSION of both families as octets; with another length than that of its C-Type the message is discarded.
pub(crate) fn session(lab: &Lab) {
    shows(&["rfc2205-A.1-01"]);
    for (mut dut, expected, wrong) in [
        (lab.router(), "000c0101 e0010203 11001388", [4, 12]),
        (lab.router_v6(), "00180102 ff1e0000 00000000 00000000 00000123 11001388", [16, 24]),
    ] {
        let (g, s1) = (dut.g(), dut.s1());
        for length in wrong {
            let path = dut.path(Station::U1, g, s1);
            dut.send_changed(Station::U1, path, |objects| {
                let session = objects.iter_mut().find(|object| object.class == 1).expect("it is there");
                session.contents.resize(length, 0);
            });
        }
        dut.expect_silence();
        let path = dut.path(Station::U1, g, s1);
        dut.send(Station::U1, path);
        assert_octets(dut.plan, &dut.expect::<Path>(Port::C), expected);
    }
}

/// A session of a protocol that has no ports is set up and torn down with DstPort 0 and SrcPort 0.
pub(crate) fn session_without_a_port(lab: &Lab) {
    shows(&["rfc2205-A.1-04"]);
    let mut dut = lab.router();
    let destination = dut.h().flow().destination;
    let key = SessionKey::Ip(FlowKey { destination, protocol: 89, port: 0 });
    let sender = FilterSpec::Ip { source: dut.s1().source(), port: 0 };
    let expected = "000c0101 0a000707 59000000";
    let path = dut.path(Station::U1, key, sender);
    dut.send(Station::U1, path);
    assert_octets(dut.plan, &dut.expect::<Path>(Port::C), expected);
    let flows = [ff(cl(1.0), sender)];
    let resv = dut.resv(Station::D1, key, Style::Ff, &flows);
    let resv = forwarded(&mut dut, resv);
    assert_octets(dut.plan, &resv, expected);
    assert_octets(dut.plan, &resv, "000c0a01 0a000001 00000000");
    let tear = dut.resv_tear(Station::D1, key, Style::Ff, &flows);
    dut.send(Station::D1, tear);
    assert_octets(dut.plan, &dut.expect::<ResvTear>(Port::A), expected);
    let tear = dut.path_tear(Station::U1, key, sender);
    dut.send(Station::U1, tear);
    assert_octets(dut.plan, &dut.expect::<PathTear>(Port::C), expected);
}

/// RSVP_HOP of both families as octets: in a Resv the device's address, and the LIH of the previous hop's Path.
pub(crate) fn rsvp_hop(lab: &Lab) {
    shows(&["rfc2205-A.2-01"]);
    for (mut dut, expected) in [
        (lab.router(), "000c0301 0a0001fe 0000004d"),
        (lab.router_v6(), "00180302 20010db8 00000001 00000000 000000fe 0000004d"),
    ] {
        let (h, s1) = (dut.h(), dut.s1());
        let path = dut.path(Station::U1, h, s1);
        assert_eq!(path.hop.lih, 77);
        dut.send(Station::U1, path);
        let hop = dut.expect::<Path>(Port::C).message.hop;
        assert_eq!(hop.address, dut.plan.dut(Port::C));
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        assert_octets(dut.plan, &forwarded(&mut dut, resv), expected);
    }
}

/// ERROR_SPEC of both families as octets.
pub(crate) fn error_spec(lab: &Lab) {
    shows(&["rfc2205-A.5-01"]);
    for (mut dut, expected) in [
        (lab.router(), "000c0601 0a000909 01010002"),
        (lab.router_v6(), "00180602 20010db8 00000009 00000000 00000009 01010002"),
    ] {
        let (h, s1) = (dut.h(), dut.s1());
        dut.learn(Station::U1, h, s1);
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        let _ = forwarded(&mut dut, resv);
        let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (1, 2, ErrorSpec::IN_PLACE));
        dut.send(Station::U1, error);
        assert_octets(dut.plan, &dut.expect_to::<ResvErr>(Station::D1), expected);
    }
}

/// SCOPE of both families as octets, in a Resv to each of two previous hops.
pub(crate) fn scope(lab: &Lab) {
    shows(&["rfc2205-A.6-01"]);
    for (mut dut, expected) in [
        (lab.router(), ["00080701 0a000001", "00080701 0a000002"]),
        (
            lab.router_v6(),
            ["00140702 20010db8 00000000 00000000 00000001", "00140702 20010db8 00000000 00000000 00000002"],
        ),
    ] {
        let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
        dut.learn(Station::U1, g, s1);
        dut.learn(Station::U2, g, s2);
        let mut resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
        resv.scope = Some(vec![s1.source(), s2.source()]);
        dut.send(Station::D1, resv);
        for (port, expected) in [Port::A, Port::B].into_iter().zip(expected) {
            assert_octets(dut.plan, &dut.expect::<Resv>(port), expected);
        }
    }
}

/// STYLE as octets, in each of the three styles.
pub(crate) fn style(lab: &Lab) {
    shows(&["rfc2205-A.7-01"]);
    let mut dut = lab.router();
    let (s1, s2) = (dut.s1(), dut.s2());
    for (port, expected, style, flow) in [
        (5000, "00080801 00000011", Style::Wf, wf(cl(1.0))),
        (5001, "00080801 0000000a", Style::Ff, ff(cl(1.0), s1)),
        (5002, "00080801 00000012", Style::Se, se(cl(1.0), &[s1, s2])),
    ] {
        let session = dut.h_at(port);
        dut.learn(Station::U1, session, s1);
        let resv = dut.resv(Station::D1, session, style, &[flow]);
        assert_octets(dut.plan, &forwarded(&mut dut, resv), expected);
    }
}

/// SENDER_TEMPLATE and FILTER_SPEC as octets: of both families, and with a flow label. Octets that are not used do not
/// matter to what matches.
pub(crate) fn filter_spec_and_sender_template(lab: &Lab) {
    shows(&["rfc2205-A.9-01"]);
    let IpAddr::V6(source) = lab.plan(Family::V6).sender(1).source() else { unreachable!("it is of IPv6") };
    let label = FilterSpec::FlowLabel { source, label: 0x12345 };
    for (mut dut, label, expected, unused) in [
        (lab.router(), None, "000c0a01 0a000001 00000fa0", 4..6),
        (lab.router_v6(), None, "00180a02 20010db8 00000000 00000000 00000001 00000fa0", 16..18),
        (lab.router_v6(), Some(label), "00180a03 20010db8 00000000 00000000 00000001 00012345", 16..17),
    ] {
        let (session, sender) = (dut.h(), label.unwrap_or(dut.s1()));
        let path = dut.path(Station::U1, session, sender);
        dut.send(Station::U1, path);
        assert_octets(dut.plan, &dut.expect::<Path>(Port::C), &expected.replacen("0a0", "0b0", 1));
        let resv = dut.resv(Station::D1, session, Style::Ff, &[ff(cl(1.0), sender)]);
        dut.send_changed(Station::D1, resv, |objects| {
            let filter = objects.iter_mut().find(|object| object.class == 10).expect("it is there");
            filter.contents[unused].fill(0xff);
        });
        assert_octets(dut.plan, &dut.expect::<Resv>(Port::A), expected);
        dut.expect_silence();
    }
}

/// RESV_CONFIRM of both families as octets.
pub(crate) fn resv_confirm(lab: &Lab) {
    shows(&["rfc2205-A.14-01"]);
    for (mut dut, expected) in [
        (lab.router(), "00080f01 0a000707"),
        (lab.router_v6(), "00140f02 20010db8 00000007 00000000 00000007"),
    ] {
        let (h, s1) = (dut.h(), dut.s1());
        dut.learn(Station::U1, h, s1);
        let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        resv.confirm = Some(h.flow().destination);
        assert_octets(dut.plan, &forwarded(&mut dut, resv), expected);
    }
}

/// Fields that are not used are sent as zero, and what is in them when they come does not matter.
pub(crate) fn reserved_fields_are_ignored(lab: &Lab) {
    shows(&["rfc2205-A-01"]);
    let mut dut = lab.router();
    let (plan, h, s1) = (dut.plan, dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send_changed(Station::U1, path, |objects| {
        let template = objects.iter_mut().find(|object| object.class == 11).expect("it is there");
        *template = raw(plan, "000c0b01 0a000001 ffff0fa0");
    });
    assert_octets(plan, &dut.expect::<Path>(Port::C), "000c0b01 0a000001 00000fa0");
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| {
        for object in objects {
            match object.class {
                8 => *object = raw(plan, "00080801 ffffffea"),
                10 => *object = raw(plan, "000c0a01 0a000001 ffff0fa0"),
                _ => {}
            }
        }
    });
    let resv = dut.expect::<Resv>(Port::A);
    assert_octets(plan, &resv, "00080801 0000000a");
    assert_octets(plan, &resv, "000c0a01 0a000001 00000fa0");
}
