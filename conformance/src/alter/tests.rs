use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use rsvp_core::Instant;
use rsvp_core::input::Route;
use rsvp_core::wire::{
    Adspec, Bundle, ClassNum, Header, Message, MessageType, Path, RawMessage, Resv, Srefresh, Style,
};

use super::{Alteration, kinds};
use crate::bench::bytes::internet_sum;
use crate::bench::{
    Ack, Action, Dut, InProcess, Kind, Lab, Packet, Port, Sent, Station, Tester, Unsupported, cl, ff, list,
    nack, object, plain, se, wanted, wf,
};
use crate::catalogue::Catalogue;

/// A device that says what it is told to, and keeps what it hears.
#[derive(Default)]
struct Puppet {
    says: Vec<Sent>,
    heard: Rc<RefCell<Vec<Packet>>>,
    now: Instant,
}

impl Tester for Puppet {
    fn now(&self) -> Instant {
        self.now
    }

    fn send(&mut self, _: Station, packet: &Packet) {
        self.heard.borrow_mut().push(packet.clone());
    }

    fn advance(&mut self, time: Duration) -> Vec<Sent> {
        self.now = self.now + time;
        std::mem::take(&mut self.says)
    }

    fn set_route(&mut self, _: IpAddr, _: Option<IpAddr>, _: Route) -> Result<(), Unsupported> {
        Ok(())
    }

    fn act(&mut self, _: &Action) -> Result<(), Unsupported> {
        Ok(())
    }

    fn inside(&mut self) -> Option<&mut InProcess> {
        None
    }
}

/// An ADSPEC of which nothing is known but that it is not another one.
fn adspec(number: u8) -> Adspec {
    Adspec::decode(&object(ClassNum::ADSPEC.0, 2, &[0, 0, 0, number]))
}

/// A message of every type, and of every kind that an alteration looks at.
fn samples(dut: &Dut) -> Vec<Packet> {
    let (h, g, s1, s2) = (dut.h(), dut.g(), dut.s1(), dut.s2());
    let mut path = dut.path(Station::U1, h, s1);
    path.adspec = Some(adspec(1));
    path.policy = vec![object(ClassNum::POLICY_DATA.0, 1, &[0, 4, 0, 0])];
    path.forward = vec![object(200, 1, &[1, 2, 3, 4])];
    let mut confirming = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(2.0), s1)]);
    confirming.confirm = Some(dut.plan.far());
    let mut scoped = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
    scoped.scope = Some(vec![s1.source()]);
    let from = Station::U1;
    let ids = |acks: &[_], id| rsvp_core::wire::Head { acknowledgements: acks.to_vec(), message_id: id };
    vec![
        dut.pack_with(from, path, &ids(&[crate::bench::ack(3)], Some(wanted(7)))),
        dut.pack_with(from, dut.path(from, g, s2), &ids(&[], Some(plain(8)))),
        dut.pack(from, confirming),
        dut.pack(from, dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)])),
        dut.pack(from, dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1), ff(cl(1.0), s2)])),
        dut.pack(from, dut.resv(Station::D1, g, Style::Se, &[se(cl(1.0), &[s1, s2])])),
        dut.pack(from, scoped),
        dut.pack(from, dut.path_err(h, s1, 2, 0)),
        dut.pack(from, dut.resv_err(Station::D1, h, Style::Ff, ff(cl(1.0), s1), (1, 2, 0))),
        dut.pack(from, dut.resv_conf(h, dut.plan.far(), Style::Ff, &[ff(cl(1.0), s1)])),
        dut.pack(from, dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)])),
        dut.pack(from, dut.path_tear(from, h, s1)),
        dut.pack(from, Srefresh { lists: vec![list(&[7, 8])] }),
        dut.pack_with(from, Ack, &ids(&[crate::bench::ack(9), nack(10)], None)),
    ]
}

/// What the testers get of these packets.
fn sent(kind: &Alteration, packets: &[Packet], heard: &[Packet]) -> Vec<Sent> {
    let next_hop = Some(IpAddr::from([10, 0, 3, 1]));
    let say = |packet: &Packet| Sent {
        at: Instant::ZERO,
        port: Port::C,
        next_hop,
        packet: packet.clone(),
        bundle: None,
    };
    let puppet = Puppet { says: packets.iter().map(say).collect(), ..Puppet::default() };
    let mut tester = kind.interposition()(Box::new(puppet));
    heard.iter().for_each(|packet| tester.send(Station::U1, packet));
    tester.advance(Duration::from_millis(1))
}

/// What the device hears of these packets within two minutes.
fn heard(kind: &Alteration, packets: &[Packet]) -> Vec<Packet> {
    let puppet = Puppet::default();
    let heard = Rc::clone(&puppet.heard);
    let mut tester = kind.interposition()(Box::new(puppet));
    packets.iter().for_each(|packet| tester.send(Station::U1, packet));
    let _ = tester.advance(Duration::from_secs(120));
    heard.take()
}

fn find(name: &str) -> &'static Alteration {
    Alteration::find(name).unwrap_or_else(|| panic!("there is no alteration {name}"))
}

fn first(name: &str, packet: &Packet) -> Packet {
    let sent = sent(find(name), std::slice::from_ref(packet), &[]);
    sent.into_iter().next().expect("it is not lost").packet
}

fn parse<M: Kind>(packet: &Packet) -> M {
    let raw = RawMessage::decode(&packet.message).expect("it is in order");
    M::of(Message::parse(&raw, usize::MAX).expect("it can be understood")).expect("it is of this type")
}

fn bench() -> Dut {
    Lab::in_process().router()
}

#[test]
fn every_kind_has_a_name_of_its_own_and_breaks_a_clause() {
    let catalogue = Catalogue::load().expect("it can be read");
    let mut names = BTreeSet::new();
    for kind in kinds() {
        assert!(names.insert(kind.name), "{kind:?} is there twice");
        assert!(catalogue.find(kind.clause).is_some(), "{kind:?}: {} is not in the catalogue", kind.clause);
    }
    assert!(names.len() >= 20);
}

#[test]
fn every_kind_changes_something_and_leaves_checksums_right() {
    let mut dut = bench();
    dut.set_flags(Station::U1, Header::REFRESH_REDUCTION);
    let samples = samples(&dut);
    let mut twice: Vec<Packet> = samples.iter().chain(&samples).cloned().collect();
    // The same with contents of the device's own.
    let own = Path { adspec: Some(adspec(2)), hop: dut.next_hop(Station::U2), ..parse(&samples[0]) };
    twice.push(dut.pack(Station::U1, own));
    // What a device should not take: another version, wrong length, wrong checksum, unknown classes.
    let mut bad = samples[0].clone();
    bad.message[3] ^= 1;
    let mut version = samples[0].clone();
    version.message[0] = 0x20;
    let mut length = samples[0].clone();
    length.message[7] ^= 4;
    let raw = RawMessage::decode(&samples[0].message).expect("it is in order");
    let mut objects: Vec<_> = raw.objects.into_iter().map(|placed| placed.object).collect();
    objects.extend([object(100, 1, &[0; 4]), object(150, 1, &[0; 4])]);
    let unknown = RawMessage::new(MessageType::PATH, Header { flags: 0, send_ttl: 64 }, objects);
    let mut message = Vec::new();
    unknown.and_then(|raw| raw.encode(&mut message)).expect("it can be encoded");
    let unknown = Packet { message, ..samples[0].clone() };
    let incoming = [&samples[..], &[bad, version, length, unknown]].concat();
    for kind in kinds() {
        let out: Vec<Packet> = sent(kind, &twice, &incoming).into_iter().map(|sent| sent.packet).collect();
        let heard = heard(kind, &incoming);
        let ports = sent(kind, &samples, &[]).into_iter().any(|sent| sent.port != Port::C);
        assert!(out != twice || heard != incoming || ports, "{kind:?} changes nothing");
        let summed = out.iter().all(|packet| internet_sum(&packet.message) == 0xffff);
        assert_eq!(summed, kind.name != "checksum", "checksums with {kind:?}");
    }
}

#[test]
fn objects_are_changed_as_the_kind_says() {
    let dut = bench();
    let all = samples(&dut);
    let path: Path = parse(&all[0]);
    assert_eq!(parse::<Path>(&first("time-values", &all[0])).refresh_ms, 3 * path.refresh_ms);
    assert_ne!(parse::<Path>(&first("hop-address", &all[0])).hop.address, path.hop.address);
    assert_eq!(parse::<Path>(&first("hop-address", &all[0])).hop.lih, path.hop.lih);
    assert_eq!(parse::<Path>(&first("policy-lost", &all[0])), Path { policy: Vec::new(), ..path.clone() });
    assert_eq!(parse::<Path>(&first("unknown-lost", &all[0])), Path { forward: Vec::new(), ..path.clone() });
    assert_eq!(parse::<Path>(&first("adspec-lost", &all[0])), Path { adspec: None, ..path });
    let resv: Resv = parse(&all[3]);
    assert_eq!(parse::<Resv>(&first("style", &all[3])), Resv { style: Style::Se, ..resv.clone() });
    assert_ne!(parse::<Resv>(&first("lih", &all[3])).hop.lih, resv.hop.lih);
    assert_eq!(parse::<Resv>(&first("descriptor-lost", &all[4])).flows, resv.flows);
    assert_eq!(parse::<Resv>(&first("filter-lost", &all[5])).flows, [se(cl(1.0), &[dut.s1()])]);
    assert_eq!(parse::<Resv>(&first("scope-missing", &all[6])).scope, None);
    assert_eq!(parse::<Resv>(&first("half-flowspec", &all[3])).flows[0].filters, resv.flows[0].filters);
}

#[test]
fn packets_are_changed_as_the_kind_says() {
    let dut = bench();
    let path = &samples(&dut)[0];
    assert_eq!(first("send-ttl", path).message[4], path.ttl - 1);
    assert_eq!(first("ttl-kept", path).ttl, path.ttl + 1);
    assert_eq!(first("header-flags", path).message[0], path.message[0] | 8);
    assert!(!first("router-alert-missing", path).router_alert);
    assert_eq!(first("path-source", path).source, dut.plan.station(Station::U1));
    assert_eq!(first("path-destination", path).destination, dut.plan.station(Station::U1));
}

#[test]
fn what_is_lost_is_lost_and_the_rest_is_not() {
    let dut = bench();
    let all = samples(&dut);
    let types = |kind: &str| -> Vec<u8> {
        sent(find(kind), &all, &[]).iter().map(|sent| sent.packet.message[1]).collect()
    };
    let without = |lost: MessageType| -> Vec<u8> {
        all.iter().map(|packet| packet.message[1]).filter(|message_type| *message_type != lost.0).collect()
    };
    assert_eq!(types("path-tear-lost"), without(MessageType::PATH_TEAR));
    assert_eq!(types("resv-conf-lost"), without(MessageType::RESV_CONF));
    assert_eq!(types("duplicates").len(), 2 * all.len());
}

#[test]
fn refreshes_come_too_seldom_and_changes_at_once() {
    let dut = bench();
    let path = dut.pack(Station::U1, dut.path(Station::U1, dut.h(), dut.s1()));
    let count = |kind: &str, times: usize| sent(find(kind), &vec![path.clone(); times], &[]).len();
    assert_eq!(count("refreshes-slow", 1), 1);
    assert_eq!(count("refreshes-slow", 7), 3);
    assert_eq!(count("refreshes-lost", 7), 1);
    let tear = dut.pack(Station::U1, dut.path_tear(Station::U1, dut.h(), dut.s1()));
    assert_eq!(sent(find("refreshes-lost"), &[path.clone(), tear, path], &[]).len(), 3);
}

#[test]
fn a_refresh_that_nobody_sends_is_heard_until_the_tear() {
    let dut = bench();
    let path = dut.pack(Station::U1, dut.path(Station::U1, dut.h(), dut.s1()));
    let tear = dut.pack(Station::U1, dut.path_tear(Station::U1, dut.h(), dut.s1()));
    assert_eq!(heard(find("immortal"), std::slice::from_ref(&path)), vec![path.clone(); 5]);
    assert_eq!(heard(find("immortal"), &[path.clone(), tear.clone()]), [path, tear]);
}

#[test]
fn messages_in_a_bundle_are_altered_one_by_one() {
    let dut = bench();
    let path = dut.pack(Station::U1, dut.path(Station::U1, dut.h(), dut.s1()));
    let tear = dut.pack(Station::U1, dut.path_tear(Station::U1, dut.h(), dut.s1()));
    let bundle = dut.bundle(Station::U1, &[path.clone(), tear, path.clone()]);
    let sent = sent(find("path-tear-lost"), std::slice::from_ref(&bundle), &[]);
    let [Sent { packet, .. }] = &sent[..] else { panic!("one Bundle, not {sent:?}") };
    let parts = Bundle::decode(&packet.message).expect("it is in order");
    assert!(parts.messages().all(|part| part.is_ok_and(|(_, bytes)| bytes == path.message)));
    assert_eq!(parts.messages().count(), 2);
}
