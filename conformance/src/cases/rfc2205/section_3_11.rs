//! RFC 2205 section 3.11: what the interfaces to applications, traffic control and routing make a node send.

use std::time::Duration;

use crate::bench::{Action, Dut, Family, Lab, Port, Station, cl, ff, tspec};
use crate::shows;
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::wire::{
    ErrorSpec, FilterSpec, FlowDescriptor, Path, PathErr, PathTear, Resv, ResvConf, ResvErr, ResvTear,
    SessionKey, Style,
};

/// What is "at once", where the catalogue gives a time.
const SOON: Duration = Duration::from_millis(500);

/// A host's own sender.
fn own(dut: &Dut) -> FilterSpec {
    FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 }
}

/// A session that ends here.
fn here(dut: &Dut) -> SessionKey {
    dut.plan.session(dut.plan.dut(Port::A), 5000)
}

/// An application on the device begins to send, or changes what it sends.
fn announce(dut: &mut Dut, session: SessionKey, n: f32, ttl: u8) {
    let template = own(dut);
    let request = SenderRequest { template, tspec: tspec(n), adspec: false.into(), policy: Vec::new(), ttl };
    dut.act(&Action::Send(session, request));
}

/// An application on the device asks for a reservation, or changes what it asks for.
fn reserve(dut: &mut Dut, session: SessionKey, flow: FlowDescriptor, confirm: bool) {
    let receiver = dut.plan.dut(Port::A);
    let request =
        ReserveRequest { receiver, style: Style::Ff, flows: vec![flow], policy: Vec::new(), confirm };
    dut.act(&Action::Reserve(session, request));
}

/// A host that hears of S1, and has no receiver yet.
fn receiver(lab: &Lab) -> Dut {
    let mut dut = lab.host();
    let (session, s1) = (here(&dut), dut.s1());
    let mut path = dut.path(Station::U1, session, s1);
    path.refresh_ms *= 20;
    dut.send(Station::U1, path);
    dut.expect_silence();
    dut
}

/// A sender's Path leaves at once, another one at once when what it sends changes, and then one in each period.
pub(crate) fn a_sender_is_announced_at_once_and_again(lab: &Lab) {
    shows(&["rfc2205-3.11.1-02", "rfc2205-3.1.3-01", "rfc2209-2.path-04"]);
    let mut dut = lab.brisk().host();
    let (h, r, slack) = (dut.h(), dut.r(), dut.timing.slack);
    let mut last = dut.now();
    for n in [1.0, 2.0] {
        let asked = dut.now();
        announce(&mut dut, h, n, 64);
        let mut path = dut.expect::<Path>(Port::C);
        while path.message.sender_tspec != tspec(n) {
            path = dut.expect(Port::C);
        }
        assert_eq!((path.message.session.key, path.message.sender_template), (h, own(&dut)));
        let after = path.sent.at.since(asked);
        assert!(after < SOON + slack, "expected it at once, not after {after:?}");
        last = path.sent.at;
    }
    dut.advance(r * 4);
    let refreshes = dut.all::<Path>(Port::C);
    assert!(refreshes.len() >= 2, "expected one Path a period, not {} in four", refreshes.len());
    for path in refreshes {
        assert_eq!(path.message.sender_tspec, tspec(2.0));
        let gap = path.sent.at.since(last);
        assert!(gap + slack >= r / 2 && gap <= r * 3 / 2 + slack, "expected 0.5 R to 1.5 R, not {gap:?}");
        last = path.sent.at;
    }
}

/// The Path of a host's sender to a group leaves by the interface that has the sender's address, and by no other.
pub(crate) fn a_sender_is_on_the_interface_of_its_address(lab: &Lab) {
    shows(&["rfc2209-2.path-04"]);
    let mut dut = lab.host();
    let g = dut.g();
    announce(&mut dut, g, 1.0, 64);
    let path = dut.expect::<Path>(Port::C);
    assert_eq!((path.message.sender_template, path.message.hop.address), (own(&dut), dut.plan.dut(Port::C)));
    dut.expect_silence();
}

/// The TTL that an application gives its data is that of its Paths, in the IP header and in Send_TTL.
pub(crate) fn the_ttl_of_the_data_is_that_of_the_path(lab: &Lab) {
    shows(&["rfc2205-3.11.1-03"]);
    let mut dut = lab.host();
    for (session, ttl) in [(dut.h(), 7), (dut.k(), 200)] {
        announce(&mut dut, session, 1.0, ttl);
        let port = if ttl == 7 { Port::C } else { Port::D };
        let path = dut.expect::<Path>(port);
        assert_eq!((path.sent.packet.ttl, path.raw.header.send_ttl), (ttl, ttl));
    }
}

/// A receiver's Resv leaves at once, another one at once when it asks for more, and then one in each period.
pub(crate) fn a_reservation_is_asked_for_at_once_and_again(lab: &Lab) {
    shows(&["rfc2205-3.11.1-04"]);
    let mut dut = receiver(&lab.brisk());
    let (session, s1, r) = (here(&dut), dut.s1(), dut.r());
    for n in [1.0, 3.0] {
        let asked = dut.now();
        reserve(&mut dut, session, ff(cl(n), s1), false);
        let mut resv = dut.expect::<Resv>(Port::A);
        while resv.shares() != [(n, vec![s1])] {
            resv = dut.expect(Port::A);
        }
        let after = resv.sent.at.since(asked);
        assert!(after < SOON + dut.timing.slack, "expected it at once, not after {after:?}");
    }
    dut.advance(r * 3);
    let refreshes = dut.all::<Resv>(Port::A);
    assert!(refreshes.len() >= 2, "expected one Resv a period, not {} in three", refreshes.len());
    assert!(refreshes.iter().all(|resv| resv.shares() == [(3.0, vec![s1])]));
}

/// A receiver that wants a confirmation asks for it in its Resv, and no more once it has come.
pub(crate) fn a_confirmation_is_asked_for_until_it_comes(lab: &Lab) {
    shows(&["rfc2205-3.11.1-05"]);
    let mut dut = receiver(&lab.brisk());
    let (session, s1, r, address) = (here(&dut), dut.s1(), dut.r(), dut.plan.dut(Port::A));
    reserve(&mut dut, session, ff(cl(1.0), s1), true);
    assert_eq!(dut.expect::<Resv>(Port::A).message.confirm, Some(address));
    let confirmation = dut.resv_conf(session, address, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation);
    dut.forget();
    dut.advance(r * 4);
    let asked: Vec<_> = dut.all::<Resv>(Port::A).into_iter().map(|resv| resv.message.confirm).collect();
    assert!(asked.len() >= 2, "expected one Resv a period, not {} in four", asked.len());
    assert_eq!(asked, vec![None; asked.len()], "it has come");
}

/// A receiver that wants a confirmation and reserves before its sender is heard asks for it when that is heard.
pub(crate) fn a_confirmation_is_asked_for_when_the_sender_comes_later(lab: &Lab) {
    shows(&["rfc2205-3.11.1-05"]);
    let mut dut = lab.host();
    let (session, s1, address) = (here(&dut), dut.s1(), dut.plan.dut(Port::A));
    reserve(&mut dut, session, ff(cl(1.0), s1), true);
    dut.expect_silence();
    let path = dut.path(Station::U1, session, s1);
    dut.send(Station::U1, path);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!((resv.message.confirm, resv.shares()), (Some(address), vec![(1.0, vec![s1])]));
}

/// When an application ends, its senders are torn down by a PathTear, its reservation by a ResvTear; nothing follows.
pub(crate) fn a_release_tears_all_down(lab: &Lab) {
    shows(&["rfc2205-3.11.1-06", "rfc2205-2.4-01"]);
    let mut dut = receiver(&lab.brisk());
    let (h, session, s1, r) = (dut.h(), here(&dut), dut.s1(), dut.r());
    announce(&mut dut, h, 1.0, 64);
    let _ = dut.expect::<Path>(Port::C);
    reserve(&mut dut, session, ff(cl(1.0), s1), false);
    let _ = dut.expect::<Resv>(Port::A);
    dut.act(&Action::Release(h));
    assert_eq!(dut.expect::<PathTear>(Port::C).message.sender_template, own(&dut));
    dut.act(&Action::Release(session));
    assert_eq!(dut.expect::<ResvTear>(Port::A).message.flows[0].filters, [s1]);
    dut.forget();
    dut.advance(r * 3);
    dut.expect_silence();
}

/// A host that stops in order ends its applications with itself: their senders are torn down by a PathTear, and their
/// reservations by a ResvTear.
pub(crate) fn a_host_that_stops_tears_all_down(lab: &Lab) {
    shows(&["rfc2205-2.4-01"]);
    let mut dut = receiver(lab);
    let (h, session, s1) = (dut.h(), here(&dut), dut.s1());
    announce(&mut dut, h, 1.0, 64);
    let _ = dut.expect::<Path>(Port::C);
    reserve(&mut dut, session, ff(cl(1.0), s1), false);
    let _ = dut.expect::<Resv>(Port::A);
    dut.act(&Action::Shutdown);
    let tear = dut.expect::<PathTear>(Port::C).message;
    assert_eq!((tear.session.key, tear.sender_template), (h, own(&dut)));
    let tear = dut.expect::<ResvTear>(Port::A).message;
    assert_eq!((tear.session.key, &tear.flows[0].filters[..]), (session, &[s1][..]));
    dut.expect_silence();
}

/// What applications want outlives that the operator clears their sessions: until they release it, the sender is announced
/// further, and the reservation asked for again as soon as the Path is back.
pub(crate) fn what_applications_want_outlives_a_clear(lab: &Lab) {
    shows(&["rfc2205-3.11.1-02", "rfc2205-3.11.1-04"]);
    let mut dut = receiver(&lab.brisk());
    let (h, session, s1, r) = (dut.h(), here(&dut), dut.s1(), dut.r());
    announce(&mut dut, h, 1.0, 64);
    let _ = dut.expect::<Path>(Port::C);
    reserve(&mut dut, session, ff(cl(1.0), s1), false);
    let _ = dut.expect::<Resv>(Port::A);
    for cleared in [h, session] {
        dut.act(&Action::Clear(cleared));
    }
    dut.settle();
    dut.advance(r * 3);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, own(&dut), "it sends further");
    dut.expect_no::<Resv>(Port::A);
    let path = dut.path(Station::U1, session, s1);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])], "it receives further");
}

/// A sender's host makes the reservation on its own outgoing interface: it refuses what there is not, and confirms what
/// there is.
pub(crate) fn a_resv_reaches_the_host_of_the_sender(lab: &Lab) {
    shows(&["rfc2205-2.1-01"]);
    let mut dut = lab.host();
    let (h, sender) = (dut.h(), own(&dut));
    announce(&mut dut, h, 200.0, 64);
    let _ = dut.expect::<Path>(Port::C);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), sender)]);
    dut.send(Station::D1, resv);
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.node), (1, dut.plan.dut(Port::C)), "there is not so much on c");
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), sender)]);
    resv.confirm = Some(h.flow().destination);
    dut.send(Station::D1, resv);
    let _ = dut.expect::<ResvConf>(Port::C);
    dut.expect_silence();
}

/// A PathErr goes on to the previous hop, once; at the sender's host it ends.
pub(crate) fn a_path_error_goes_on_or_ends(lab: &Lab) {
    shows(&["rfc2209-2.perr-02"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let error = dut.path_err(h, s1, 2, 9);
    dut.send(Station::D1, error.clone());
    assert_eq!(dut.expect_to::<PathErr>(Station::U1).message.error, error.error);
    dut.expect_silence();

    let mut dut = lab.host();
    announce(&mut dut, h, 1.0, 64);
    let _ = dut.expect::<Path>(Port::C);
    let error = dut.path_err(h, own(&dut), 2, 9);
    dut.send(Station::D1, error);
    dut.expect_silence();
    announce(&mut dut, h, 2.0, 64);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(2.0), "the sender is still there");
}

/// A Path is not forwarded by IP as well: one copy leaves by each interface of the route, with the RSVP_HOP of that.
pub(crate) fn copies_for_a_group_leave_by_the_chosen_interfaces_alone(lab: &Lab) {
    shows(&["rfc2205-3.11.5-01", "rfc2205-3.11.5-03"]);
    let mut dut = lab.router();
    let (g, h, s1) = (dut.g(), dut.h(), dut.s1());
    for (session, ports) in [(g, &[Port::C, Port::D][..]), (h, &[Port::C])] {
        let path = dut.path(Station::U1, session, s1);
        dut.send(Station::U1, path);
        for port in ports {
            let path = dut.expect::<Path>(*port);
            assert_eq!((path.message.session.key, path.message.hop.address), (session, dut.plan.dut(*port)));
        }
        dut.expect_silence();
    }
}

/// By an interface on which RSVP is disabled no Path leaves, and what comes in there is dropped without an answer.
pub(crate) fn a_disabled_interface_is_no_part_of_rsvp(lab: &Lab) {
    shows(&["rfc2205-3.11.4-05"]);
    let mut dut = lab.with(Family::V4, |config| {
        let mut d = config.default_interface.clone();
        d.enabled = false;
        config.interfaces.insert("d".to_owned(), d);
    });
    let (g, s1, s2, to_u1) = (dut.g(), dut.s1(), dut.s2(), dut.session_towards_u1());
    let path = dut.path(Station::U1, g, s1);
    dut.send(Station::U1, path);
    let _ = dut.expect::<Path>(Port::C);
    dut.expect_silence();
    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(cl(2.0), s1)]);
    dut.send(Station::D2, resv);
    let path = dut.path(Station::D2, to_u1, s2);
    dut.send(Station::D2, path);
    dut.expect_silence();
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])], "that of c alone");
    let path = dut.path(Station::D1, to_u1, s2);
    dut.send(Station::D1, path);
    assert_eq!(dut.expect::<Path>(Port::A).message.sender_template, s2);
    dut.expect_silence();
}

/// NotGuilty is said to a receiver's application; a ResvErr that goes on has it off.
pub(crate) fn not_guilty_is_for_receivers_alone(lab: &Lab) {
    shows(&["rfc2205-3.11.1-11", "rfc2205-A.5-03"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(4.0), s1)]);
    dut.send(Station::D1, resv);
    let _ = dut.expect::<Resv>(Port::A);
    for flags in [0, ErrorSpec::NOT_GUILTY] {
        let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(4.0), s1), (1, 2, flags));
        dut.send(Station::U1, error);
        assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.flags, 0, "never on the wire");
    }
}

/// A Path and a PathTear leave with the sender's address as source, a TTL of their own, and Router Alert; a Resv with the
/// device's address and without; a ResvConf with Router Alert.
pub(crate) fn source_ttl_and_router_alert_are_chosen(lab: &Lab) {
    shows(&["rfc2205-3.11.5-04"]);
    let mut dut = lab.router();
    let (k, s1) = (dut.k(), dut.s1());
    let mut path = dut.pack(Station::U1, dut.path(Station::U1, k, s1));
    // No checksum is in it then.
    path.message[2..4].fill(0);
    (path.ttl, path.message[4]) = (9, 9);
    dut.send_packet(Station::U1, &path);
    let path = dut.expect::<Path>(Port::D).sent.packet;
    assert_eq!((path.source, path.ttl, path.router_alert), (s1.source(), 8, true));
    let resv = dut.resv(Station::D2, k, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D2, resv);
    let asked = dut.expect::<Resv>(Port::A).sent.packet;
    assert_eq!((asked.source, asked.router_alert), (dut.plan.dut(Port::A), false));
    let mut resv = dut.resv(Station::D3, k, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.confirm = Some(k.flow().destination);
    dut.send(Station::D3, resv);
    assert!(dut.expect::<ResvConf>(Port::D).sent.packet.router_alert, "merged with that of D2: it ends here");
    let tear = dut.path_tear(Station::U1, k, s1);
    dut.send(Station::U1, tear);
    let tear = dut.expect::<PathTear>(Port::D).sent.packet;
    assert_eq!((tear.source, tear.ttl, tear.router_alert), (s1.source(), 8, true));
}
