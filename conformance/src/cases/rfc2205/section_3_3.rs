//! RFC 2205 section 3.3: sending RSVP messages.

use crate::bench::{Family, Lab, Port, Station, adspec, cl, ff, se, tspec};
use crate::cases::rfc2205::capacity::assert_room;
use crate::shows;
use rsvp_core::config::InterfaceConfig;
use rsvp_core::input::Encapsulation;
use rsvp_core::wire::{
    Adspec, FilterSpec, Path, PathErr, PathTear, Resv, ResvConf, ResvErr, ResvTear, Style,
};

/// Messages of all seven types leave as IP datagrams of protocol 46, not in UDP, while nobody has asked for UDP.
pub(crate) fn every_message_is_a_raw_ip_datagram(lab: &Lab) {
    shows(&["rfc2205-3.3-01"]);
    let mut dut = lab.router();
    let (h, s1, far) = (dut.h(), dut.s1(), dut.plan.far());
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(200.0);
    dut.send(Station::U1, path);
    let mut raw = vec![dut.expect::<Path>(Port::C).sent];
    for rate in [1.0, 100.0] {
        let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(rate), s1)]);
        resv.confirm = Some(far);
        dut.send(Station::D1, resv);
    }
    raw.push(dut.expect::<Resv>(Port::A).sent);
    raw.push(dut.expect::<ResvErr>(Port::C).sent);
    let messages = (
        dut.path_err(h, s1, 2, 0),
        dut.resv_conf(h, h.flow().destination, Style::Ff, &[ff(cl(1.0), s1)]),
        dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]),
        dut.path_tear(Station::U1, h, s1),
    );
    dut.send(Station::D1, messages.0);
    raw.push(dut.expect::<PathErr>(Port::A).sent);
    dut.send(Station::U1, messages.1);
    raw.push(dut.expect::<ResvConf>(Port::C).sent);
    dut.send(Station::D1, messages.2);
    raw.push(dut.expect::<ResvTear>(Port::A).sent);
    dut.send(Station::U1, messages.3);
    raw.push(dut.expect::<PathTear>(Port::C).sent);
    dut.expect_silence();
    for sent in raw {
        assert_eq!(sent.packet.encapsulation, Encapsulation::Raw, "{sent:?}");
    }
}

/// What travels to other nodes carries Router Alert, whether it is passed on or made here.
pub(crate) fn router_alert_is_on_what_travels_to_others(lab: &Lab) {
    shows(&["rfc2205-3.3-02"]);
    let mut dut = lab.brisk().router();
    let (h, s1, r) = (dut.h(), dut.s1(), dut.r());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path);
    assert!(dut.expect::<Path>(Port::C).sent.packet.router_alert, "passed on");
    dut.advance(2 * r);
    assert!(dut.expect::<Path>(Port::C).sent.packet.router_alert, "refreshed");
    let confirmation = dut.resv_conf(h, h.destination(), Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation);
    assert!(dut.expect::<ResvConf>(Port::C).sent.packet.router_alert);
    let tear = dut.path_tear(Station::U1, h, s1);
    dut.send(Station::U1, tear);
    assert!(dut.expect::<PathTear>(Port::C).sent.packet.router_alert);
}

/// A message may be larger than any packet: it is one IP datagram, in fragments, when it comes and when it goes.
pub(crate) fn a_message_may_be_larger_than_a_packet(lab: &Lab) {
    shows(&["rfc2205-3.3-04"]);
    let mut dut = lab.router();
    let h = dut.h();
    let source = dut.s1().source();
    let senders: Vec<FilterSpec> = (1..=300).map(|port| FilterSpec::Ip { source, port }).collect();
    for some in senders.chunks(25) {
        let paths: Vec<Path> = some.iter().map(|sender| dut.path(Station::U1, h, *sender)).collect();
        dut.send_all(Station::U1, paths);
        for _ in some {
            dut.expect::<Path>(Port::C);
        }
    }
    let resv = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &senders)]);
    dut.send(Station::D1, resv);
    let up = dut.expect::<Resv>(Port::A);
    assert!(up.sent.packet.message.len() > 3600, "{} octets", up.sent.packet.message.len());
    assert_eq!(up.shares(), [(1.0, senders)]);
    dut.expect_no::<Resv>(Port::A);
}

/// d is a tunnel over the network of c: Paths over it say that there is a cloud without RSVP behind it, and what comes
/// back over c with its LIH is a reservation of the tunnel.
pub(crate) fn a_tunnel_is_an_interface_with_a_cloud_behind_it(lab: &Lab) {
    shows(&["rfc2205-3.3-05", "rfc2205-3.3-06", "rfc2205-3.8-05"]);
    let mut dut = lab.with(Family::V4, |config| {
        let tunnel = InterfaceConfig { non_rsvp: true, ..config.default_interface.clone() };
        config.interfaces.insert(Port::D.name().to_owned(), tunnel);
    });
    let (g, s1) = (dut.g(), dut.s1());
    let mut path = dut.path(Station::U1, g, s1);
    path.sender_tspec = tspec(200.0);
    path.adspec = Some(Adspec::decode(&adspec()));
    dut.send(Station::U1, path);
    let plain = dut.expect::<Path>(Port::C).message;
    let tunnelled = dut.expect::<Path>(Port::D).message;
    assert!(!is_broken(&plain));
    assert!(is_broken(&tunnelled), "a cloud without RSVP lies behind it");
    assert_ne!(plain.hop.lih, tunnelled.hop.lih);

    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(cl(30.0), s1)]);
    assert_eq!(resv.hop.lih, tunnelled.hop.lih);
    let mut packet = dut.pack(Station::D2, resv);
    packet.destination = dut.plan.dut(Port::C);
    dut.send_packet(Station::D1, &packet);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(30.0, vec![s1])]);
    assert_room(&mut dut, Station::D2, 15.0, 25.0);
    assert_room(&mut dut, Station::D1, 45.0, 55.0);
}

fn is_broken(path: &Path) -> bool {
    match &path.adspec {
        Some(Adspec::IntServ(adspec)) => adspec.general.broken,
        other => panic!("{other:?}"),
    }
}
