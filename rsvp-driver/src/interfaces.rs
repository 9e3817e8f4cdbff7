//! The interfaces of a node, as its parts need them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;

use rsvp_core::InterfaceId;
use rsvp_core::input::InterfaceInfo;

/// An interface of the node, and what the platform calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The platform's number for the device, such as its index in Linux; whatever a transport that has no use for it is
    /// given.
    pub device: u32,
    /// What the node is told.
    pub info: InterfaceInfo,
}

impl From<InterfaceInfo> for Link {
    /// An interface of a platform that has no numbers of its own for devices: its handle is its number.
    fn from(info: InterfaceInfo) -> Self {
        Self { device: info.id.0, info }
    }
}

/// The interfaces that the routing part has told of, and the groups that the node receives on them.
#[derive(Debug, Default)]
pub struct Interfaces {
    links: BTreeMap<InterfaceId, Link>,
    by_device: BTreeMap<u32, InterfaceId>,
    own: HashSet<IpAddr>,
    groups: BTreeSet<(IpAddr, Option<InterfaceId>)>,
}

impl Interfaces {
    /// All, in the order of their handles.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// An interface.
    #[must_use]
    pub fn link(&self, id: InterfaceId) -> Option<&Link> {
        self.links.get(&id)
    }

    /// The device of an interface.
    #[must_use]
    pub fn device(&self, id: InterfaceId) -> Option<u32> {
        self.links.get(&id).map(|link| link.device)
    }

    /// The interface of a device.
    #[must_use]
    pub fn of_device(&self, device: u32) -> Option<InterfaceId> {
        self.by_device.get(&device).copied()
    }

    /// Whether a packet with this source, received on this interface, is one of our own.
    #[must_use]
    pub fn is_own(&self, source: IpAddr, id: InterfaceId) -> bool {
        let on_link = || self.links.get(&id).is_some_and(|link| link.info.addresses.contains(&source));
        match source {
            // It may be someone else's on another link.
            IpAddr::V6(v6) if v6.is_unicast_link_local() => on_link(),
            _ => self.own.contains(&source) || on_link(),
        }
    }

    /// Whether the node receives a group, on whichever interface.
    #[must_use]
    pub fn is_member(&self, group: IpAddr) -> bool {
        self.groups.range((group, None)..).next().is_some_and(|(wanted, _)| *wanted == group)
    }

    /// The groups that the node receives, and where; `None` leaves it to the routing part.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (IpAddr, Option<InterfaceId>)> {
        self.groups.iter().copied()
    }

    pub(crate) fn join(&mut self, group: IpAddr, interface: Option<InterfaceId>) {
        self.groups.insert((group, interface));
    }

    pub(crate) fn leave(&mut self, group: IpAddr, interface: Option<InterfaceId>) {
        self.groups.remove(&(group, interface));
    }

    pub(crate) fn insert(&mut self, link: Link) {
        let id = link.info.id;
        self.by_device.insert(link.device, id);
        if let Some(before) = self.links.insert(id, link)
            && self.links[&id].device != before.device
        {
            self.by_device.remove(&before.device);
        }
    }

    pub(crate) fn remove(&mut self, id: InterfaceId) {
        if let Some(link) = self.links.remove(&id)
            && self.by_device.get(&link.device) == Some(&id)
        {
            self.by_device.remove(&link.device);
        }
    }

    pub(crate) fn set_own(&mut self, addresses: Vec<IpAddr>) {
        self.own = addresses.into_iter().collect();
    }
}
