//! RFC 2205 section 3.4: the SCOPE of wildcard reservations.

use std::net::IpAddr;

use crate::bench::{Dut, LASTING, Lab, Port, Station, cl, ff, group_route, se, tspec, wf};
use crate::shows;
use rsvp_core::wire::{ClassNum, FilterSpec, Path, Resv, ResvErr, ResvTear, Style};

fn scope(dut: &Dut, senders: &[u8]) -> Vec<IpAddr> {
    senders.iter().map(|number| dut.plan.sender(*number).source()).collect()
}

/// A next hop reserves by WF for G, with a SCOPE or without.
fn reserve(dut: &mut Dut, station: Station, senders: Option<&[u8]>) {
    let mut resv = dut.resv(station, dut.g(), Style::Wf, &[wf(cl(1.0))]);
    resv.scope = senders.map(|senders| scope(dut, senders));
    dut.send(station, resv);
}

/// Asserts that the DUT asks a previous hop with this SCOPE, or with none.
fn assert_scope(dut: &mut Dut, port: Port, senders: Option<&[u8]>) {
    let expected = senders.map(|senders| scope(dut, senders));
    assert_eq!(dut.expect::<Resv>(port).message.scope, expected, "from {port:?}");
}

/// FF and SE reservations, their errors and tears have no SCOPE, however many previous hops there are.
pub(crate) fn explicit_styles_need_no_scope(lab: &Lab) {
    shows(&["rfc2205-3.4-01"]);
    for style in [Style::Ff, Style::Se] {
        let mut dut = lab.group(2);
        let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
        let flows = match style {
            Style::Ff => vec![ff(cl(1.0), s1), ff(cl(1.0), s2)],
            _ => vec![se(cl(1.0), &[s1, s2])],
        };
        let resv = dut.resv(Station::D1, g, style, &flows);
        dut.send(Station::D1, resv);
        for port in [Port::A, Port::B] {
            assert_eq!(dut.expect::<Resv>(port).message.scope, None, "Resv");
        }
        let error = dut.resv_err(Station::U1, g, style, ff(cl(1.0), s1), (2, 0, 0));
        dut.send(Station::U1, error);
        assert_eq!(dut.expect::<ResvErr>(Port::C).message.scope, None, "ResvErr");
        let tear = dut.resv_tear(Station::D1, g, style, &flows);
        dut.send(Station::D1, tear);
        for port in [Port::A, Port::B] {
            assert_eq!(dut.expect::<ResvTear>(port).message.scope, None, "ResvTear");
        }
    }
}

/// A WF Resv has no SCOPE while there is one previous hop. With two, each gets the senders that are behind it.
pub(crate) fn a_wildcard_resv_to_several_previous_hops_has_a_scope(lab: &Lab) {
    shows(&["rfc2205-3.1.4-08", "rfc2205-3.4-06", "rfc2209-2.rrefresh-02"]);
    let mut dut = lab.group(1);
    let g = dut.g();
    reserve(&mut dut, Station::D1, None);
    assert_scope(&mut dut, Port::A, None);
    let path = dut.path(Station::U2, g, dut.s2());
    dut.send(Station::U2, path);
    assert_scope(&mut dut, Port::A, Some(&[1]));
    assert_scope(&mut dut, Port::B, Some(&[2]));
    let path = dut.path(Station::U2, g, dut.s3());
    dut.send(Station::U2, path);
    assert_scope(&mut dut, Port::B, Some(&[2, 3]));
}

/// The SCOPE for a previous hop has the senders behind it that some next hop lists, or that are routed to a next hop that
/// gave no SCOPE.
pub(crate) fn the_scope_is_the_union_of_what_was_received(lab: &Lab) {
    shows(&["rfc2205-3.4-02", "rfc2209-2.rrefresh-09"]);
    let mut dut = lab.router();
    let g = dut.g();
    for (number, ports) in [(1, vec![Port::C, Port::D]), (2, vec![Port::C]), (3, vec![Port::D])] {
        let incoming = if number == 1 { Port::A } else { Port::B };
        let source = dut.plan.sender(number).source();
        dut.set_route(g.flow().destination, Some(source), group_route(incoming, &ports));
        let station = if number == 1 { Station::U1 } else { Station::U2 };
        let sender = dut.plan.sender(number);
        dut.learn(station, g, sender);
    }
    reserve(&mut dut, Station::D1, Some(&[1, 2]));
    assert_scope(&mut dut, Port::A, Some(&[1]));
    assert_scope(&mut dut, Port::B, Some(&[2]));
    reserve(&mut dut, Station::D2, None);
    assert_scope(&mut dut, Port::B, Some(&[2, 3]));
}

/// A previous hop behind which no sender is in the SCOPE gets no Resv, not even for a new sender, until the next hop
/// lists it.
pub(crate) fn an_empty_scope_is_not_sent(lab: &Lab) {
    shows(&["rfc2205-3.4-03", "rfc2205-3.4-07"]);
    let mut dut = lab.brisk().router();
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    let mut path = dut.path(Station::U1, g, s1);
    path.refresh_ms = LASTING;
    dut.learn_from(Station::U1, path);
    reserve(&mut dut, Station::D1, Some(&[1]));
    let _ = dut.expect::<Resv>(Port::A);
    let mut path = dut.path(Station::U2, g, s2);
    path.refresh_ms = LASTING;
    dut.send(Station::U2, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.session.key, g);
    dut.advance(dut.timing.next_refresh());
    let _ = dut.expect::<Resv>(Port::A);
    dut.expect_no::<Resv>(Port::B);
    reserve(&mut dut, Station::D1, Some(&[1, 2]));
    assert_scope(&mut dut, Port::B, Some(&[2]));
}

/// A Resv without SCOPE holds for a new sender at once.
pub(crate) fn without_a_scope_a_new_sender_is_reserved_at_once(lab: &Lab) {
    shows(&["rfc2205-3.4-07"]);
    let mut dut = lab.group(1);
    let (g, s2) = (dut.g(), dut.s2());
    reserve(&mut dut, Station::D1, None);
    assert_scope(&mut dut, Port::A, None);
    let path = dut.path(Station::U2, g, s2);
    dut.send(Station::U2, path);
    assert_scope(&mut dut, Port::B, Some(&[2]));
}

/// A WF Resv that is refused is answered with the SCOPE that it had.
pub(crate) fn a_refused_wildcard_request_is_answered_with_its_scope(lab: &Lab) {
    shows(&["rfc2205-3.4-08"]);
    let mut dut = lab.router();
    let g = dut.g();
    for (station, number) in [(Station::U1, 1), (Station::U2, 2)] {
        let mut path = dut.path(station, g, dut.plan.sender(number));
        path.sender_tspec = tspec(200.0);
        dut.learn_from(station, path);
    }
    let mut resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(100.0))]);
    resv.scope = Some(scope(&dut, &[1, 2]));
    dut.send(Station::D1, resv);
    let ResvErr { error, scope: answered, .. } = dut.expect_to::<ResvErr>(Station::D1).message;
    assert_eq!((error.code, answered), (1, Some(scope(&dut, &[1, 2]))));
}

/// Figure 11: three interfaces, each with senders and receivers. What goes to each has the SCOPE of its own senders.
pub(crate) fn figure_11_scopes(lab: &Lab) {
    shows(&["rfc2205-3.4-04", "rfc2209-2.rrefresh-02"]);
    // S4 is on a, S1 on b, S2 and S3 on c, and so are the receivers R4, R1 and R2.
    let mut dut = lab.router();
    let g = dut.g();
    let sides = [
        (Station::U1, Port::A, vec![4]),
        (Station::U2, Port::B, vec![1]),
        (Station::D1, Port::C, vec![2, 3]),
    ];
    for (_, port, senders) in &sides {
        let others: Vec<Port> = sides.iter().map(|side| side.1).filter(|other| other != port).collect();
        for number in senders {
            let source = Some(dut.plan.sender(*number).source());
            dut.set_route(g.flow().destination, source, group_route(*port, &others));
        }
    }
    for (station, _, senders) in &sides {
        for number in senders {
            let sender = dut.plan.sender(*number);
            dut.learn(*station, g, sender);
        }
    }
    reserve(&mut dut, Station::D1, Some(&[1, 4]));
    assert_scope(&mut dut, Port::A, Some(&[4]));
    assert_scope(&mut dut, Port::B, Some(&[1]));
    reserve(&mut dut, Station::U1, Some(&[1, 2, 3]));
    assert_scope(&mut dut, Port::C, Some(&[2, 3]));
    reserve(&mut dut, Station::U2, Some(&[2, 3, 4]));
    for (_, port, senders) in sides {
        for resv in dut.all::<Resv>(port) {
            assert_eq!(resv.message.scope, Some(scope(&dut, &senders)), "again from {port:?}");
        }
    }
}

/// A WF ResvErr goes out with those senders of its SCOPE that are routed to the interface, and not where there is none.
pub(crate) fn a_wildcard_error_goes_where_the_senders_of_its_scope_go(lab: &Lab) {
    shows(&["rfc2205-3.4-09", "rfc2209-2.rerr-08"]);
    let mut dut = lab.router();
    let g = dut.g();
    for (number, ports) in [(1, vec![Port::C, Port::D]), (2, vec![Port::C]), (3, vec![Port::D])] {
        let incoming = if number == 1 { Port::A } else { Port::B };
        let source = Some(dut.plan.sender(number).source());
        dut.set_route(g.flow().destination, source, group_route(incoming, &ports));
    }
    for (station, number) in [(Station::U1, 1), (Station::U2, 2), (Station::U2, 3)] {
        let sender = dut.plan.sender(number);
        dut.learn(station, g, sender);
    }
    for station in [Station::D1, Station::D2] {
        dut.reserve(station, g, Style::Wf, &[wf(cl(1.0))]);
    }
    let mut error = dut.resv_err(Station::U2, g, Style::Wf, wf(cl(1.0)), (2, 0, 0));
    error.scope = Some(scope(&dut, &[4]));
    dut.send(Station::U2, error.clone());
    dut.expect_silence();
    error.scope = Some(scope(&dut, &[2, 3]));
    dut.send(Station::U2, error);
    for (port, senders) in [(Port::C, [2]), (Port::D, [3])] {
        assert_eq!(dut.expect::<ResvErr>(port).message.scope, Some(scope(&dut, &senders)), "{port:?}");
    }
    dut.expect_silence();
}

/// Addresses in a SCOPE ascend as numbers, whatever order the senders were learnt in; a host with two senders is in it
/// once.
pub(crate) fn the_scope_is_in_order_and_names_nobody_twice(lab: &Lab) {
    shows(&["rfc2205-A.6-01"]);
    let mut dut = lab.unicast(1);
    let h = dut.h();
    let addresses = [(0, 3), (5, 2)].map(|(net, host)| dut.plan.address(net, host));
    let sender = |which: usize, port| FilterSpec::Ip { source: addresses[which], port };
    for sender in [sender(1, 1), sender(0, 1), sender(0, 2)] {
        dut.learn(Station::U2, h, sender);
    }
    let resv = dut.resv(Station::D1, h, Style::Wf, &[wf(cl(1.0))]);
    dut.send(Station::D1, resv);
    let scope = dut.expect::<Resv>(Port::B).raw.object(ClassNum::SCOPE).map(|placed| placed.object.clone());
    let octets = addresses.map(|address| match address {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => unreachable!("the device is of IPv4"),
    });
    assert_eq!(scope.map(|scope| (scope.ctype, scope.contents)), Some((1, octets.concat())));
}
