//! RFC 2205 section 3.1.3: Path messages.

use crate::bench::{
    Action, Family, LASTING, Lab, Port, Received, Station, cl, ff, group_route, object, tspec,
};
use crate::cases::rfc2205::section_3_1::adspec;
use crate::shows;
use rsvp_core::command::ReserveRequest;
use rsvp_core::config::Bandwidth;
use rsvp_core::wire::{Adspec, FilterSpec, Path, PathErr, PathTear, Resv, Style};

/// A Path leaves by each interface with the sender as its source and the session as its destination, and names the
/// interface's address and LIH as PHOP. The device keeps what it said: a Resv goes to its PHOP.
pub(crate) fn the_sender_is_the_source_of_a_path_at_every_hop(lab: &Lab) {
    shows(&["rfc2205-3.1.3-02", "rfc2205-3.1.3-05", "rfc2209-2.prefresh-04", "rfc2205-3.1.3-06"]);
    let mut dut = lab.router();
    let (g, s1) = (dut.g(), dut.s1());
    let mut path = dut.path(Station::U1, g, s1);
    path.sender_tspec = tspec(5.0);
    path.policy = vec![object(14, 1, &[1, 2, 3, 4])];
    dut.send(Station::U1, path.clone());
    let [c, d] = [Port::C, Port::D].map(|port| {
        let Received { sent, message, .. } = dut.expect::<Path>(port);
        assert_eq!((sent.packet.source, sent.packet.destination), (s1.source(), g.flow().destination));
        assert_eq!(message.hop.address, dut.plan.dut(port), "PHOP on {port:?}");
        let told = (message.sender_template, message.sender_tspec, message.policy);
        assert_eq!(told, (s1, path.sender_tspec.clone(), path.policy.clone()), "what the Path said");
        message.hop.lih
    });
    assert_ne!(c, d, "the LIH tells c from d");
    dut.expect_silence();
    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D2, resv);
    let Received { sent, message, .. } = dut.expect::<Resv>(Port::A);
    assert_eq!(sent.packet.destination, path.hop.address, "to the PHOP");
    assert_eq!(message.hop.lih, path.hop.lih, "with the PHOP's LIH");
}

/// What is wrong with a Path is told to its PHOP, with the sender that it was about.
pub(crate) fn an_error_in_a_path_goes_to_its_previous_hop(lab: &Lab) {
    shows(&["rfc2205-3.1.3-07"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let conflicting = dut.plan.session(h.flow().destination, 0);
    let sender = FilterSpec::Ip { source: s1.source(), port: 0 };
    let path = dut.path(Station::U1, conflicting, sender);
    dut.send(Station::U1, path.clone());
    let error = dut.expect_to::<PathErr>(Station::U1).message;
    assert_eq!(error.error.code, 7);
    assert_eq!((error.sender_template, error.sender_tspec), (sender, Some(path.sender_tspec)));
    dut.expect_silence();
}

/// A Path leaves by all interfaces that the route names, by none other, and by none when there is none.
pub(crate) fn paths_follow_the_routes_of_the_group(lab: &Lab) {
    shows(&["rfc2205-3.1.3-10"]);
    let mut dut = lab.brisk().router();
    let (g, s1, r) = (dut.g(), dut.s1(), dut.r());
    let mut path = dut.path(Station::U1, g, s1);
    path.refresh_ms = LASTING;
    dut.send(Station::U1, path);
    for _ in 0..2 {
        for port in [Port::C, Port::D] {
            assert_eq!(dut.expect::<Path>(port).message.sender_template, s1, "from {port:?}");
        }
        for port in [Port::A, Port::B] {
            dut.expect_no::<Path>(port);
        }
        dut.advance(dut.timing.next_refresh());
    }
    dut.set_route(g.flow().destination, Some(s1.source()), group_route(Port::A, &[]));
    dut.advance(dut.timing.at_once);
    dut.forget();
    dut.advance(2 * r);
    for port in Port::ALL {
        dut.expect_no::<Path>(port);
    }
}

/// A host that owns the destination of a unicast session forwards the Path nowhere, and knows the sender: what an
/// application reserves for it is asked of the PHOP.
pub(crate) fn a_path_ends_where_its_destination_is(lab: &Lab) {
    shows(&["rfc2205-3.1.3-11"]);
    let mut dut = lab.host();
    let receiver = dut.plan.dut(Port::A);
    let (here, s1) = (dut.plan.session(receiver, 5000), dut.s1());
    let path = dut.path(Station::U1, here, s1);
    dut.send(Station::U1, path);
    dut.expect_silence();
    let flows = vec![ff(cl(2.0), s1)];
    let request = ReserveRequest { receiver, style: Style::Ff, flows, policy: Vec::new(), confirm: false };
    dut.act(&Action::Reserve(here, request));
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!(resv.sent.packet.destination, dut.plan.station(Station::U1));
    assert_eq!(resv.shares(), [(2.0, vec![s1])]);
    dut.expect_silence();
}

/// The ADSPEC is composed for each interface by itself: a slow one lowers the bandwidth in its copy alone. Each copy
/// counts one hop more.
pub(crate) fn copies_of_a_path_differ_by_interface(lab: &Lab) {
    shows(&["rfc2205-3.1.3-12", "rfc2209-2.prefresh-03"]);
    let slow = Bandwidth { total: 1000, per_flow: 1000, link: 1000 };
    let mut dut = lab.with(Family::V4, |config| {
        let mut c = config.default_interface.clone();
        c.bandwidth = Some(slow);
        config.interfaces.insert("c".to_owned(), c);
    });
    let path = dut.path(Station::U1, dut.g(), dut.s1());
    dut.send_changed(Station::U1, path, |objects| objects.push(adspec()));
    let [c, d] = [Port::C, Port::D].map(|port| match dut.expect::<Path>(port).message.adspec {
        Some(Adspec::IntServ(adspec)) => adspec.general,
        other => panic!("expected an ADSPEC of integrated services from {port:?}, not {other:?}"),
    });
    assert_eq!((c.is_hops, d.is_hops), (4, 4), "one hop more");
    assert_eq!((c.bandwidth, d.bandwidth), (1000.0, 1_000_000.0), "the least so far");
}

/// A Path that comes by another interface than the group's route says is not forwarded.
pub(crate) fn a_path_from_the_wrong_side_goes_no_further(lab: &Lab) {
    shows(&["rfc2205-3.1.3-14"]);
    let mut dut = lab.brisk().router();
    let (g, s1, r) = (dut.g(), dut.s1(), dut.r());
    let mut path = dut.path(Station::U2, g, s1);
    path.refresh_ms = LASTING;
    dut.send(Station::U2, path);
    dut.advance(2 * r);
    dut.expect_silence();
    let path = dut.path(Station::U1, g, s1);
    dut.send(Station::U1, path);
    for port in [Port::C, Port::D] {
        assert_eq!(dut.expect::<Path>(port).message.sender_template, s1, "the right side");
    }
}

/// The path state of the wrong side is kept, for local applications alone: it changes neither what is forwarded nor where
/// the Resvs of next hops go, nor does its PathTear. An application that receives on that side reserves from it.
pub(crate) fn path_state_of_the_wrong_side_is_for_local_use_alone(lab: &Lab) {
    shows(&["rfc2205-3.1.3-13", "rfc2205-3.9-04", "rfc2205-3.9-05"]);
    let mut dut = lab.group(1);
    let (g, s1) = (dut.g(), dut.s1());
    let path = dut.path(Station::U2, g, s1);
    dut.send(Station::U2, path);
    dut.expect_silence();
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])], "the side of the route");
    dut.expect_silence();
    let flows = vec![ff(cl(1.0), s1)];
    let receiver = dut.plan.dut(Port::B);
    let request = ReserveRequest { receiver, style: Style::Ff, flows, policy: Vec::new(), confirm: false };
    dut.act(&Action::Reserve(g, request));
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(1.0, vec![s1])], "for the application on b");
    dut.settle();
    let tear = dut.path_tear(Station::U2, g, s1);
    dut.send(Station::U2, tear);
    for port in [Port::C, Port::D] {
        dut.expect_no::<PathTear>(port);
    }
    let tear = dut.path_tear(Station::U1, g, s1);
    dut.send(Station::U1, tear);
    for port in [Port::C, Port::D] {
        let _ = dut.expect::<PathTear>(port);
    }
}

/// A sender that comes by way of another previous hop is reserved there at once. When the old one has been silent for a
/// lifetime, only the new one is asked.
pub(crate) fn a_sender_behind_two_previous_hops(lab: &Lab) {
    shows(&["rfc2205-3.1.3-15"]);
    let mut dut = lab.brisk().unicast(1);
    let (h, s1, r) = (dut.h(), dut.s1(), dut.r());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let path = dut.path(Station::U2, h, s1);
    dut.send(Station::U2, path);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(1.0, vec![s1])], "the latest previous hop");
    for _ in 0..6 {
        dut.advance(r);
        let path = dut.path(Station::U2, h, s1);
        dut.send(Station::U2, path);
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, resv);
    }
    dut.forget();
    dut.advance(dut.timing.next_refresh());
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(1.0, vec![s1])], "it is refreshed");
    dut.expect_no::<Resv>(Port::A);
}
