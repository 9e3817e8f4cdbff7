//! The calls to the kernel, in network namespaces.

use netlink_bindings::nftables::{self, Nfgenmsg};
use netlink_bindings::tc::{self, OptionsMsg, Tcmsg};
use rsvp_core::SessionKey;
use rsvp_core::output::PoliceFlags;
use rsvp_core::wire::{FilterSpec, FlowKey, Flowspec, Tspec};
use rsvp_netns::Namespace;

use super::*;
use crate::netlink::Netlink;

const ETH0: InterfaceId = InterfaceId(7);

/// A namespace with `eth0`, or `None`, said loudly, where the process may not make one.
fn namespace() -> Option<(Namespace, Namespace)> {
    match Namespace::new("tc") {
        Ok(here) => {
            let there = Namespace::new("peer").unwrap();
            here.link("eth0", &there, "eth0").unwrap();
            Some((here, there))
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "no namespaces here: {error}");
            eprintln!("SKIPPED: {error}");
            None
        }
    }
}

fn attachment(here: &Namespace) -> Attachment {
    let device = here.run(|| Ok(nix::net::if_::if_nametoindex("eth0")?)).unwrap();
    Attachment { interface: ETH0, device, link_rate: 1_250_000, mtu: 1500 }
}

fn installation(id: u64, rate: f32, senders: &[&str]) -> Installation {
    let destination = if senders.iter().any(|s| s.contains(':')) { "fd01::2" } else { "10.0.0.2" };
    Installation {
        id: InstallationId(id),
        interface: ETH0,
        session: SessionKey::Ip(FlowKey {
            destination: destination.parse().unwrap(),
            protocol: 17,
            port: 5004,
        }),
        filters: senders
            .iter()
            .map(|source| FilterSpec::Ip { source: source.parse().unwrap(), port: 1000 + id as u16 })
            .collect(),
        flowspec: Flowspec::ControlledLoad(Tspec {
            rate,
            bucket: 5000.0,
            peak: f32::INFINITY,
            min_unit: 100,
            max_packet: 1500,
        }),
        sender_tspec: None,
        police: PoliceFlags::ENTRY,
        buffer: None,
        discards: false,
    }
}

/// The rates of the classes for reservations on `eth0`, in bytes per second by class number.
fn classes(here: &Namespace) -> BTreeMap<u32, u32> {
    let mut found = BTreeMap::new();
    let header = Tcmsg { ifindex: attachment(here).device.cast_signed(), ..Tcmsg::new() };
    let request = tc::Request::new().set_flags(libc::NLM_F_DUMP as u16).op_gettclass_do(&header);
    let mut netlink = here.run(|| Netlink::open(netlink_sys::protocols::NETLINK_ROUTE)).unwrap();
    let call = netlink.call(&request, |(header, attributes)| {
        if let Ok(OptionsMsg::Htb(options)) = attributes.get_options()
            && header.handle & 0xffff >= 16
        {
            found.insert(header.handle & 0xffff, options.get_parms().unwrap().rate.rate);
        }
    });
    call.unwrap();
    found
}

/// Whether the root of `eth0` is ours.
fn is_attached(here: &Namespace) -> bool {
    let mut found = false;
    let device = attachment(here).device.cast_signed();
    let mut netlink = here.run(|| Netlink::open(netlink_sys::protocols::NETLINK_ROUTE)).unwrap();
    let request = tc::Request::new().op_getqdisc_dump(&Tcmsg::new());
    let call = netlink.call(&request, |(header, _)| {
        found |= header.ifindex == device && header.handle == 0x5256_0000 && header.parent == u32::MAX;
    });
    call.unwrap();
    found
}

fn nftables(here: &Namespace) -> Netlink {
    here.run(|| Netlink::open(netlink_sys::protocols::NETLINK_NETFILTER)).unwrap()
}

fn elements(here: &Namespace, map: &std::ffi::CStr) -> usize {
    let mut found = 0;
    let header = Nfgenmsg { nfgen_family: libc::NFPROTO_INET as u8, ..Nfgenmsg::new() };
    let mut request = nftables::Request::new().op_getsetelem_dump(&header);
    request.encode().push_table(c"rsvp").push_set(map);
    let call = nftables(here).call(&request, |(_, attributes)| {
        found += attributes.get_elements().map_or(0, |elements| elements.get_elem().count());
    });
    call.unwrap();
    found
}

fn limits(here: &Namespace) -> usize {
    let mut found = 0;
    let request = nftables::Request::new().op_getobj_dump(&Nfgenmsg::new());
    nftables(here).call(&request, |_| found += 1).unwrap();
    found
}

fn tables(here: &Namespace) -> usize {
    let mut found = 0;
    let request = nftables::Request::new().op_gettable_dump(&Nfgenmsg::new());
    nftables(here).call(&request, |_| found += 1).unwrap();
    found
}

#[test]
fn reservations_come_change_and_go() {
    let Some((here, _there)) = namespace() else { return };
    let mut enforcer = here.run(|| Enforcer::open().map_err(Into::into)).unwrap();
    enforcer.attach(&attachment(&here)).unwrap();
    enforcer.install(&installation(1, 50_000.0, &["10.0.0.1"])).unwrap();
    enforcer.install(&installation(2, 50_000.0, &["10.0.0.1", "10.0.0.9"])).unwrap();
    enforcer.install(&installation(3, 50_000.0, &[])).unwrap();
    for map in [c"ipv4-class", c"ipv4-rate", c"ipv4-packets"] {
        assert_eq!(elements(&here, map), 4, "{map:?}");
    }
    // 14 octets of link header on each 100.
    assert_eq!(classes(&here), [(16, 57_000), (17, 57_000), (18, 57_000)].into());

    enforcer.install(&installation(2, 100_000.0, &["10.0.0.1"])).unwrap();
    assert_eq!(elements(&here, c"ipv4-class"), 3);
    assert_eq!(classes(&here), [(16, 57_000), (17, 114_000), (18, 57_000)].into());

    for id in 1..=3 {
        enforcer.remove(InstallationId(id));
    }
    assert_eq!(elements(&here, c"ipv4-class") + elements(&here, c"ipv4-rate") + limits(&here), 0);
    enforcer.install(&installation(4, 80_000.0, &["fd01::1"])).unwrap();
    assert_eq!(elements(&here, c"ipv6-class"), 1);
    assert_eq!(classes(&here), [(16, 91_200), (17, 114_000), (18, 57_000)].into(), "classes are used again");

    enforcer.close();
    assert_eq!(tables(&here), 0);
    assert!(!is_attached(&here));
}

fn crash(here: &Namespace) {
    let mut crashed = here.run(|| Enforcer::open().map_err(Into::into)).unwrap();
    crashed.attach(&attachment(here)).unwrap();
    crashed.install(&installation(1, 50_000.0, &["10.0.0.1"])).unwrap();
    drop(crashed);
    assert!(is_attached(here), "left over");
}

#[test]
fn leftovers_are_removed() {
    let Some((here, _there)) = namespace() else { return };
    crash(&here);
    let next = here.run(|| Enforcer::open().map_err(Into::into)).unwrap();
    assert!(!is_attached(&here));
    assert_eq!(elements(&here, c"ipv4-class"), 0);
    next.close();
}

#[test]
fn leftovers_are_removed_though_nothing_is_to_be_controlled() {
    let Some((here, _there)) = namespace() else { return };
    crash(&here);
    let control =
        here.run(|| KernelTrafficControl::open(BTreeMap::new()).map_err(std::io::Error::other)).unwrap();
    assert!(!is_attached(&here));
    assert_eq!(tables(&here), 0);
    assert!(control.sources().unwrap().is_empty() && control.diagnostics().is_empty());
}

#[test]
fn two_daemons_do_not_get_in_each_others_way() {
    let Some((here, _there)) = namespace() else { return };
    let mut first = here.run(|| Enforcer::open().map_err(Into::into)).unwrap();
    first.attach(&attachment(&here)).unwrap();
    first.install(&installation(1, 50_000.0, &["10.0.0.1"])).unwrap();
    assert!(here.run(|| Ok(Enforcer::open().is_err())).unwrap(), "the second is refused");
    assert_eq!(elements(&here, c"ipv4-class"), 1, "and takes nothing away");
    assert!(is_attached(&here));
}

#[test]
fn a_refused_change_leaves_what_was_there() {
    let Some((here, _there)) = namespace() else { return };
    let mut enforcer = here.run(|| Enforcer::open().map_err(Into::into)).unwrap();
    enforcer.attach(&attachment(&here)).unwrap();
    enforcer.install(&installation(1, 50_000.0, &["10.0.0.1"])).unwrap();
    // The same flow cannot be in two reservations: the kernel refuses the second.
    let mut second = installation(1, 50_000.0, &["10.0.0.1"]);
    second.id = InstallationId(2);
    let refusal = enforcer.install(&second).unwrap_err();
    assert!(refusal.starts_with("the kernel refused it"), "{refusal}");
    let mut change = installation(1, 50_000.0, &["10.0.0.1"]);
    change.flowspec = Flowspec::Null { max_packet: 1500 };
    enforcer.install(&change).unwrap_err();
    // A change to a flow that another reservation has fails after the class was changed.
    enforcer.install(&installation(3, 60_000.0, &["10.0.0.1"])).unwrap();
    let mut change = installation(1, 70_000.0, &["10.0.0.1"]);
    change.id = InstallationId(3);
    enforcer.install(&change).unwrap_err();
    assert_eq!(elements(&here, c"ipv4-class"), 2);
    assert_eq!(classes(&here).into_values().collect::<Vec<_>>(), [57_000, 68_400]);
    enforcer.remove(InstallationId(3));
    assert_eq!(elements(&here, c"ipv4-class"), 1);
    enforcer.remove(InstallationId(2));
    enforcer.remove(InstallationId(1));
    assert_eq!(elements(&here, c"ipv4-class"), 0);
}
