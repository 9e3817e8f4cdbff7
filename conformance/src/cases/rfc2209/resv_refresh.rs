//! RFC 2209 section 2: UPDATE TRAFFIC CONTROL and RESV REFRESH.

use super::{gaps, names};
use crate::bench::{Action, Dut, Lab, Port, Station, bucket, cl, ff, hex, se, shares, tspec, wf};
use crate::shows;
use rsvp_core::command::SenderRequest;
use rsvp_core::wire::{ClassNum, FilterSpec, Flowspec, Path, Resv, ResvConf, ResvErr, Session, Style, Tspec};

/// What changes nothing but where data are policed causes no Resv: another branch that asks for less, and E_Police in a
/// Path. A branch that asks for more does.
pub(crate) fn a_change_of_police_flags_alone_is_no_news_upstream(lab: &Lab) {
    shows(&["rfc2209-2.utc-09"]);
    let mut dut = lab.group(1);
    let (g, s1) = (dut.g(), dut.s1());
    let ask = |dut: &mut Dut, station, n| {
        let resv = dut.resv(station, g, Style::Ff, &[ff(cl(n), s1)]);
        dut.send(station, resv);
    };
    ask(&mut dut, Station::D1, 4.0);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(4.0, vec![s1])]);
    ask(&mut dut, Station::D2, 2.0);
    dut.expect_silence();
    let mut path = dut.path(Station::U1, g, s1);
    path.session.flags = Session::E_POLICE;
    dut.send(Station::U1, path);
    dut.expect_no::<Resv>(Port::A);
    ask(&mut dut, Station::D2, 5.0);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(5.0, vec![s1])]);
}

/// The code of a ResvErr says why traffic control refused: no bandwidth, or a FLOWSPEC that makes no sense.
pub(crate) fn the_error_code_says_what_failed(lab: &Lab) {
    shows(&["rfc2209-2.utc-07"]);
    let mut dut = lab.greedy();
    let (h, s1) = (dut.h(), dut.s1());
    let bad = Flowspec::ControlledLoad(Tspec { rate: f32::NAN, ..bucket(1.0) });
    for (flowspec, code) in [(cl(100.0), (1, 2)), (bad, (21, 3))] {
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(flowspec, s1)]);
        dut.send(Station::D1, resv);
        let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
        assert_eq!((error.code, error.value), code);
        dut.expect_silence();
    }
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
}

/// The senders behind one previous hop are refreshed there once a period, none of them twice.
pub(crate) fn what_goes_to_one_previous_hop_is_refreshed_once(lab: &Lab) {
    shows(&["rfc2209-2.rrefresh-01"]);
    let mut dut = lab.brisk().unicast(3);
    let (h, s1, s2, s3, r) = (dut.h(), dut.s1(), dut.s2(), dut.s3(), dut.r());
    let flows = [ff(cl(1.0), s2), ff(cl(2.0), s3)];
    let resv = dut.resv(Station::D1, h, Style::Ff, &flows);
    dut.send(Station::D1, resv);
    let _ = dut.expect_to::<Resv>(Station::U2);
    dut.advance(r * 9 / 2);
    let refreshes = dut.all::<Resv>(Port::B);
    for sender in [s2, s3] {
        let gaps = gaps(&refreshes, sender);
        assert!(gaps.len() >= 2, "expected three refreshes in 4.5 R, not {refreshes:?}");
        let shortest = gaps.into_iter().min().unwrap_or_default();
        assert!(
            shortest + dut.timing.slack >= r / 2,
            "expected one refresh a period, not {shortest:?} apart"
        );
    }
    assert!(refreshes.iter().all(|resv| !names(resv, s1)), "S1 is behind another previous hop");
    dut.expect_no::<Resv>(Port::A);
}

/// A sender's own node sends no Resv for it, and answers who asks for a confirmation.
pub(crate) fn the_previous_hop_of_a_local_sender_is_here(lab: &Lab) {
    shows(&["rfc2209-2.rrefresh-04"]);
    let mut dut = lab.host();
    let (h, receiver) = (dut.h(), dut.plan.h().flow().destination);
    let template = FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 };
    let request =
        SenderRequest { template, tspec: tspec(20.0), adspec: false.into(), policy: Vec::new(), ttl: 64 };
    dut.act(&Action::Send(h, request));
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, template);
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), template)]);
    resv.confirm = Some(receiver);
    dut.send(Station::D1, resv);
    let confirmation = dut.expect::<ResvConf>(Port::C);
    assert_eq!((confirmation.message.confirm, confirmation.sent.packet.destination), (receiver, receiver));
    dut.expect_silence();
}

/// An FF Resv has a descriptor for each sender, an SE Resv one for all, and a WF Resv none to name a sender in; a
/// sender is named as in its SENDER_TEMPLATE.
pub(crate) fn what_a_resv_says_in_each_style(lab: &Lab) {
    shows(&["rfc2209-2.rrefresh-08"]);
    let mut dut = lab.brisk().router();
    let (s2, s3, r) = (dut.s2(), dut.s3(), dut.r());
    let styles = [
        (5000, Style::Ff, vec![ff(cl(1.0), s2), ff(cl(2.0), s3)]),
        (5001, Style::Se, vec![se(cl(2.0), &[s2, s3])]),
        (5002, Style::Wf, vec![wf(cl(2.0))]),
    ];
    for (port, style, flows) in &styles {
        for sender in [s2, s3] {
            dut.learn(Station::U2, dut.h_at(*port), sender);
        }
        let resv = dut.resv(Station::D1, dut.h_at(*port), *style, flows);
        dut.send(Station::D1, resv);
    }
    dut.advance(r * 3);
    let sent = dut.all::<Resv>(Port::B);
    let templates = ["0a000002 00000fa0", "0a000003 00000fa0"].map(|text| hex(&dut.plan.renumber(text)));
    for (port, style, flows) in &styles {
        let its = sent.iter().filter(|resv| resv.message.session.key == dut.h_at(*port));
        let its: Vec<_> = its.collect();
        assert!(its.len() >= 2, "expected a Resv and a refresh in {style}, not {its:?}");
        let mut named = Vec::new();
        for resv in its {
            assert_eq!(resv.message.style, *style);
            let filters = resv.objects(ClassNum::FILTER_SPEC);
            let mut filters: Vec<_> = filters.iter().map(|object| object.contents.clone()).collect();
            filters.sort_unstable();
            if *style == Style::Ff {
                assert_eq!(resv.message.flows.len(), filters.len(), "one descriptor a sender");
                named.extend(filters);
            } else {
                assert_eq!(resv.shares(), shares(flows), "{style}");
                named = filters;
            }
        }
        named.sort_unstable();
        named.dedup();
        assert_eq!(named, templates[..if *style == Style::Wf { 0 } else { 2 }], "{style}");
    }
}
