//! The kernel's multicast forwarding entries.

use std::collections::BTreeMap;
use std::net::IpAddr;

use netlink_bindings::rt_route;

use super::{Netlink, NetlinkError};

// Not named by the C library's crate; from linux/rtnetlink.h.
const RTNL_FAMILY_IPMR: u8 = 128;
const RTNL_FAMILY_IP6MR: u8 = 129;
const RTNH_F_UNRESOLVED: u32 = 32;
/// struct rtnexthop: length, flags, threshold, device.
const NEXT_HOP: usize = 8;

/// All entries of both families, as the kernel has told them.
#[derive(Debug, Default)]
pub(crate) struct MulticastEntries {
    entries: BTreeMap<Flow, MulticastEntry>,
}

/// Group and source; of an entry for every source that is the unspecified address.
type Flow = (IpAddr, IpAddr);

/// How a flow is forwarded, by devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MulticastEntry {
    /// Packets have to arrive by this one.
    pub(crate) incoming: u32,
    /// They leave by these.
    pub(crate) outgoing: Vec<u32>,
    /// Whether it holds for every source.
    pub(crate) shared: bool,
}

impl MulticastEntries {
    /// Reads all entries anew; if that fails, those that were known stay.
    pub(crate) fn dump(&mut self, netlink: &mut Netlink) -> Result<(), NetlinkError> {
        let mut fresh = Self::default();
        for family in [RTNL_FAMILY_IPMR, RTNL_FAMILY_IP6MR] {
            let header = rt_route::Rtmsg { rtm_family: family, ..rt_route::Rtmsg::new() };
            let request = rt_route::Request::new().op_getroute_dump(&header);
            netlink.call(&request, |(header, attributes)| {
                fresh.on_entry(&header, &attributes, true);
            })?;
        }
        *self = fresh;
        Ok(())
    }

    /// An entry is new, has changed or is gone. Tells the group that it is about; `None` if it is no such entry.
    pub(crate) fn on_entry(
        &mut self,
        header: &rt_route::Rtmsg,
        attributes: &rt_route::IterableRouteAttrs<'_>,
        present: bool,
    ) -> Option<IpAddr> {
        // A kernel without multicast routing answers with its other routes.
        // The table of the entries where no rule says otherwise is not the same for both families.
        let default_table = match header.rtm_family {
            RTNL_FAMILY_IPMR => libc::RT_TABLE_DEFAULT,
            RTNL_FAMILY_IP6MR => libc::RT_TABLE_MAIN,
            _ => return None,
        };
        let table = attributes.get_table().unwrap_or_else(|_| header.rtm_table.into());
        if table != u32::from(default_table) {
            return None;
        }
        let flow = (attributes.get_dst().ok()?, attributes.get_src().ok()?);
        let is_resolved = header.rtm_flags & RTNH_F_UNRESOLVED == 0;
        match attributes.get_iif() {
            Ok(incoming) if present && is_resolved => {
                let outgoing = attributes.get_multipath().map(devices).unwrap_or_default();
                // An entry for every source lists its incoming interface, or it would not be found by the kernel.
                let outgoing = outgoing.into_iter().filter(|device| *device != incoming).collect();
                let entry = MulticastEntry { incoming, outgoing, shared: flow.1.is_unspecified() };
                self.entries.insert(flow, entry);
            }
            _ => {
                self.entries.remove(&flow);
            }
        }
        Some(flow.0)
    }

    /// The entry that the kernel would use.
    pub(crate) fn of(&self, group: IpAddr, source: IpAddr) -> Option<&MulticastEntry> {
        let any = match group {
            IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        };
        self.entries.get(&(group, source)).or_else(|| self.entries.get(&(group, any)))
    }
}

/// The devices in the next hops of an entry.
fn devices(mut hops: &[u8]) -> Vec<u32> {
    let mut devices = Vec::new();
    while let Some(hop) = hops.first_chunk::<NEXT_HOP>() {
        let length = usize::from(u16::from_ne_bytes([hop[0], hop[1]]));
        devices.push(u32::from_ne_bytes([hop[4], hop[5], hop[6], hop[7]]));
        hops = hops.get(length.max(NEXT_HOP).next_multiple_of(4)..).unwrap_or_default();
    }
    devices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_hops_are_read_whatever_their_length_says() {
        let hop = |length: u16, device: u32| {
            let mut octets = length.to_ne_bytes().to_vec();
            octets.extend([0, 1]);
            octets.extend(device.to_ne_bytes());
            octets
        };
        assert_eq!(devices(&[hop(8, 3), hop(8, 7)].concat()), [3, 7]);
        assert_eq!(devices(&hop(0, 3)), [3]);
        assert_eq!(devices(&[hop(60_000, 3), hop(8, 7)].concat()), [3]);
        assert_eq!(devices(&[1, 2, 3]), []);
    }
}
