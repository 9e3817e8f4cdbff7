//! The devices of this host and their addresses, as logical interfaces.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;
use std::time::SystemTime;

use netlink_bindings::{rt_addr, rt_link};
use rsvp_core::InterfaceId;
use rsvp_core::input::InterfaceInfo;
use rsvp_driver::{Link, RoutingEvent};

use super::{Netlink, NetlinkError};
use crate::options::InterfaceSelection;

/// Logical interface handles that one second of uptime has room for.
const IDS_PER_SECOND: u32 = 64;

/// All devices, and which of them are interfaces of the node.
pub(crate) struct Links {
    selection: InterfaceSelection,
    links: BTreeMap<u32, Device>,
    /// The addresses of all devices.
    own: HashSet<IpAddr>,
    is_own_changed: bool,
    /// Devices that may have to be told about.
    touched: BTreeSet<u32>,
    next_id: u32,
}

/// One device.
#[derive(Debug, Default)]
struct Device {
    name: String,
    mtu: u32,
    up: bool,
    loopback: bool,
    point_to_point: bool,
    addresses: Vec<Address>,
    told: Option<InterfaceInfo>,
    /// It was gone since, and may be back: another interface then.
    was_gone: bool,
}

/// An address of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address {
    ip: IpAddr,
    scope: u8,
    flags: u32,
}

impl Links {
    pub(crate) fn new(selection: InterfaceSelection) -> Self {
        Self {
            selection,
            links: BTreeMap::new(),
            own: HashSet::new(),
            is_own_changed: false,
            touched: BTreeSet::new(),
            next_id: first_id(SystemTime::now()),
        }
    }

    /// Reads everything anew, at the start or after changes were lost.
    pub(crate) fn dump(&mut self, netlink: &mut Netlink) -> Result<(), NetlinkError> {
        let mut present = BTreeSet::new();
        let request = rt_link::Request::new().op_getlink_dump(&rt_link::Ifinfomsg::new());
        netlink.call(&request, |(header, attributes)| {
            present.insert(header.ifi_index.cast_unsigned());
            self.on_link(&header, &attributes);
        })?;
        for device in
            self.links.keys().copied().filter(|device| !present.contains(device)).collect::<Vec<_>>()
        {
            self.on_link_gone(device);
        }
        let mut addresses: BTreeMap<u32, Vec<Address>> = BTreeMap::new();
        let request = rt_addr::Request::new().op_getaddr_dump(&rt_addr::Ifaddrmsg::new());
        netlink.call(&request, |(header, attributes)| {
            if let Some(address) = Address::new(&header, &attributes) {
                addresses.entry(header.ifa_index).or_default().push(address);
            }
        })?;
        for (device, link) in &mut self.links {
            link.addresses = addresses.remove(device).unwrap_or_default();
            self.touched.insert(*device);
        }
        self.on_addresses_changed();
        Ok(())
    }

    /// A device is new or has changed. Says whether routes may be affected.
    pub(crate) fn on_link(
        &mut self,
        header: &rt_link::Ifinfomsg,
        attributes: &rt_link::IterableLinkAttrs<'_>,
    ) -> bool {
        // Messages of bridges about their ports come in the same group.
        if i32::from(header.ifi_family) != libc::AF_UNSPEC {
            return false;
        }
        let device = header.ifi_index.cast_unsigned();
        let is = |flag: libc::c_int| header.ifi_flags & flag.cast_unsigned() != 0;
        let link = self.links.entry(device).or_default();
        let before = (link.up, link.mtu);
        if let Ok(name) = attributes.get_ifname() {
            link.name = name.to_string_lossy().into_owned();
        }
        if let Ok(mtu) = attributes.get_mtu() {
            link.mtu = mtu;
        }
        link.up = is(libc::IFF_UP) && is(libc::IFF_RUNNING);
        link.loopback = is(libc::IFF_LOOPBACK);
        link.point_to_point = is(libc::IFF_POINTOPOINT);
        self.touched.insert(device);
        before != (link.up, link.mtu)
    }

    /// A device is gone.
    pub(crate) fn on_link_gone(&mut self, device: u32) {
        if let Some(link) = self.links.get_mut(&device) {
            // It stays until it has been told about.
            link.name.clear();
            link.addresses.clear();
            link.was_gone = true;
            self.touched.insert(device);
            self.on_addresses_changed();
        }
    }

    /// An address is new, has changed or is gone, or its lifetime was extended. Says whether routes may be affected.
    pub(crate) fn on_address(
        &mut self,
        header: &rt_addr::Ifaddrmsg,
        attributes: &rt_addr::IterableAddrAttrs<'_>,
        present: bool,
    ) -> bool {
        let Some(address) = Address::new(header, attributes) else { return false };
        let Some(link) = self.links.get_mut(&header.ifa_index) else { return false };
        let position = link.addresses.iter().position(|known| known.ip == address.ip);
        match (position, present) {
            (Some(position), true) if link.addresses[position] == address => return false,
            (Some(position), true) => link.addresses[position] = address,
            (None, true) => link.addresses.push(address),
            (Some(position), false) => {
                link.addresses.remove(position);
            }
            (None, false) => return false,
        }
        self.touched.insert(header.ifa_index);
        self.on_addresses_changed();
        true
    }

    /// The next thing to tell of.
    pub(crate) fn poll(&mut self) -> Option<RoutingEvent> {
        while let Some(device) = self.touched.pop_first() {
            let Some(link) = self.links.get_mut(&device) else { continue };
            let gone = link.name.is_empty();
            let wanted = !gone && !link.loopback && self.selection.includes(&link.name);
            let is_same = wanted && !std::mem::take(&mut link.was_gone);
            let Some(told) = link.told.as_ref().filter(|told| is_same && told.name == link.name) else {
                if let Some(told) = link.told.take() {
                    // Gone, renamed, or not wanted any more; under another name it is another interface.
                    self.touched.insert(device);
                    return Some(RoutingEvent::InterfaceRemoved(told.id));
                }
                if gone {
                    self.links.remove(&device);
                } else if wanted {
                    let id = InterfaceId(self.next_id);
                    self.next_id = self.next_id.wrapping_add(1).max(1);
                    let info = link.info(id);
                    link.told = Some(info.clone());
                    return Some(RoutingEvent::Interface(Link { device, info }));
                }
                continue;
            };
            let info = link.info(told.id);
            if info != *told {
                link.told = Some(info.clone());
                return Some(RoutingEvent::Interface(Link { device, info }));
            }
        }
        None
    }

    /// The interface of a device.
    pub(crate) fn id(&self, device: u32) -> Option<InterfaceId> {
        self.links.get(&device)?.told.as_ref().map(|info| info.id)
    }

    /// All addresses of this host, if they have changed since the last call.
    pub(crate) fn poll_own(&mut self) -> Option<Vec<IpAddr>> {
        std::mem::take(&mut self.is_own_changed).then(|| self.own.iter().copied().collect())
    }

    /// Whether an address is one of this host's, whatever the device.
    pub(crate) fn has_address(&self, ip: IpAddr) -> bool {
        self.own.contains(&ip)
    }

    /// The device of an interface of the node that has this address.
    pub(crate) fn device_of(&self, ip: IpAddr) -> Option<u32> {
        let mut interfaces = self.links.iter().filter(|(_, link)| link.told.is_some());
        interfaces
            .find(|(_, link)| link.addresses.iter().any(|address| address.ip == ip))
            .map(|(device, _)| *device)
    }

    /// The first device of an interface of the node that is up and has an address of this family.
    pub(crate) fn first_interface(&self, like: IpAddr) -> Option<InterfaceId> {
        let has_family =
            |info: &InterfaceInfo| info.addresses.iter().any(|ip| ip.is_ipv4() == like.is_ipv4());
        let mut interfaces = self.links.iter();
        interfaces
            .find(|(_, link)| link.told.as_ref().is_some_and(|info| info.up && has_family(info)))
            .and_then(|(_, link)| link.told.as_ref().map(|info| info.id))
    }

    fn on_addresses_changed(&mut self) {
        self.own = self.links.values().flat_map(|link| &link.addresses).map(|address| address.ip).collect();
        self.is_own_changed = true;
    }
}

/// Handles start at a number made from the clock, so that they name nothing from before a restart: a run
/// would have to take more than 64 in each second of its life to reach those of its successor, and they
/// come round after two years only.
fn first_id(now: SystemTime) -> u32 {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (seconds as u32).wrapping_mul(IDS_PER_SECOND).max(1)
}

impl InterfaceSelection {
    fn includes(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(name),
        }
    }
}

impl Device {
    fn info(&self, id: InterfaceId) -> InterfaceInfo {
        let mut addresses: Vec<_> = self.addresses.iter().filter(|address| address.is_usable()).collect();
        // A stable sort: among equals, the order of the kernel's list is the order of preference.
        addresses.sort_by_key(|address| address.rank());
        InterfaceInfo {
            id,
            name: self.name.clone(),
            addresses: addresses.into_iter().map(|address| address.ip).collect(),
            mtu: self.mtu,
            up: self.up,
            point_to_point: self.point_to_point,
        }
    }
}

impl Address {
    fn new(header: &rt_addr::Ifaddrmsg, attributes: &rt_addr::IterableAddrAttrs<'_>) -> Option<Self> {
        // On a point-to-point link `address` is the other end's.
        let ip = attributes.get_local().or_else(|_| attributes.get_address()).ok()?;
        let flags = attributes.get_flags().unwrap_or_else(|_| u32::from(header.ifa_flags));
        Some(Self { ip, scope: header.ifa_scope, flags })
    }

    /// Whether it may be used: an IPv6 address not before it is known to be unique.
    fn is_usable(&self) -> bool {
        self.flags & (libc::IFA_F_TENTATIVE | libc::IFA_F_DADFAILED) == 0
    }

    /// The least is preferred: IPv4 first, global scope, not deprecated, the primary of its subnet.
    fn rank(&self) -> (bool, u8, bool, bool) {
        let secondary = self.ip.is_ipv4() && self.flags & libc::IFA_F_SECONDARY != 0;
        (self.ip.is_ipv6(), self.scope, self.flags & libc::IFA_F_DEPRECATED != 0, secondary)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn link(links: &mut Links, device: i32, name: &str, flags: libc::c_int) {
        let header = rt_link::Ifinfomsg {
            ifi_index: device,
            ifi_flags: flags.cast_unsigned(),
            ..rt_link::Ifinfomsg::new()
        };
        let mut request = rt_link::Request::new().op_newlink_do(&header);
        request.encode().push_ifname_bytes(name.as_bytes()).push_mtu(1500);
        let payload = netlink_bindings::traits::NetlinkRequest::payload(&request).to_vec();
        let (header, attributes) = rt_link::OpNewlinkDo::decode_request(&payload);
        links.on_link(&header, &attributes);
    }

    fn present(event: Option<RoutingEvent>) -> InterfaceInfo {
        match event {
            Some(RoutingEvent::Interface(link)) => link.info,
            other => panic!("expected a present interface, got {other:?}"),
        }
    }

    #[test]
    fn loopback_is_no_interface() {
        let mut links = Links::new(InterfaceSelection::All);
        link(&mut links, 1, "lo", libc::IFF_LOOPBACK | libc::IFF_UP | libc::IFF_RUNNING);
        assert_eq!(links.poll(), None);
    }

    #[test]
    fn a_device_that_comes_back_gets_another_id() {
        let mut links = Links::new(InterfaceSelection::All);
        link(&mut links, 2, "eth0", libc::IFF_UP | libc::IFF_RUNNING);
        let first = present(links.poll());
        assert!(first.up);
        links.on_link_gone(2);
        assert_eq!(links.poll(), Some(RoutingEvent::InterfaceRemoved(first.id)));
        link(&mut links, 2, "eth0", libc::IFF_UP);
        let second = present(links.poll());
        assert_ne!(first.id, second.id);
        assert!(!second.up, "no carrier");
        assert_eq!(links.id(2), Some(second.id));
    }

    #[test]
    fn a_device_that_is_back_before_anybody_looked_gets_another_id() {
        let mut links = Links::new(InterfaceSelection::All);
        link(&mut links, 2, "eth0", libc::IFF_UP | libc::IFF_RUNNING);
        let first = present(links.poll());
        links.on_link_gone(2);
        link(&mut links, 2, "eth0", libc::IFF_UP | libc::IFF_RUNNING);
        assert_eq!(links.poll(), Some(RoutingEvent::InterfaceRemoved(first.id)));
        assert_ne!(present(links.poll()).id, first.id);
        assert_eq!(links.poll(), None);
    }

    #[test]
    fn a_renamed_device_is_another_interface() {
        let mut links = Links::new(InterfaceSelection::Named(["eth0".to_owned()].into()));
        link(&mut links, 2, "eth0", libc::IFF_UP);
        let first = present(links.poll());
        link(&mut links, 2, "old", libc::IFF_UP);
        assert_eq!(links.poll(), Some(RoutingEvent::InterfaceRemoved(first.id)));
        assert_eq!(links.poll(), None, "the new name is not selected");
    }

    #[test]
    fn the_kernel_says_whether_a_link_is_point_to_point() {
        let mut links = Links::new(InterfaceSelection::All);
        link(&mut links, 2, "tunnel", libc::IFF_UP | libc::IFF_POINTOPOINT | libc::IFF_NOARP);
        link(&mut links, 3, "eth0", libc::IFF_UP | libc::IFF_BROADCAST | libc::IFF_MULTICAST);
        assert!(present(links.poll()).point_to_point);
        assert!(!present(links.poll()).point_to_point);
    }

    #[test]
    fn ids_of_a_later_start_are_others() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let later = first_id(start + Duration::from_secs(1)).wrapping_sub(first_id(start));
        assert_eq!(later, IDS_PER_SECOND);
    }
}
