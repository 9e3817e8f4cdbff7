//! The queueing discipline of an interface: HTB, a class for RSVP's own messages, one for best effort, and one for
//! each reservation.

use std::collections::BTreeSet;

use netlink_bindings::tc::{self, TcFifoQopt, TcHtbGlob, TcHtbOpt, TcRatespec, TcU32Sel, Tcmsg};

use super::parameters::ClassParameters;
use crate::netlink::{Netlink, NetlinkError};

/// The handle of our root queueing disciplines, "RV"; by it leftovers of a crashed daemon are known.
const HANDLE: u32 = 0x5256_0000;
/// `TC_H_ROOT`.
const ROOT: u32 = u32::MAX;
/// Below it are all classes.
const LINK: u16 = 1;
/// RSVP's own messages.
const PROTECTED: u16 = 2;
/// Everything that has no reservation.
const BEST_EFFORT: u16 = 3;
/// The parent of guaranteed service's classes. It has nothing to lend: each sends at its own rate, or waits.
const GUARANTEED: u16 = 4;
/// The first class of a reservation.
const FIRST: u16 = 16;
/// Classes for reservations on one interface. Creating them takes time quadratic in their number: some seconds for so
/// many.
const MOST: u16 = 8192;
/// `TC_U32_TERMINAL`: a packet that matches goes no further.
const TERMINAL: u8 = 1;
/// `TC_LINKLAYER_ETHERNET`: the kernel computes the rates, and needs no tables.
const LINK_LAYER: u8 = 1;
const LINK_HEADER: u32 = 14;
/// Bytes per second of a class that is not to send.
const LEAST_RATE: u64 = 8;
/// How long best-effort packets may wait on a busy link.
const BEST_EFFORT_DELAY_MS: u64 = 50;

/// The class id of RSVP's own messages, on every interface.
pub(crate) const PROTECTED_CLASS: u32 = HANDLE | PROTECTED as u32;
/// The class id of best effort, on every interface.
pub(crate) const BEST_EFFORT_CLASS: u32 = HANDLE | BEST_EFFORT as u32;

/// A class on its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClassId {
    number: u16,
    /// Whose child it is: the kernel does not let it move.
    parent: u16,
}

impl ClassId {
    /// As the classifier has to set it.
    pub(crate) fn priority(self) -> u32 {
        HANDLE | u32::from(self.number)
    }

    /// Whether it can have these parameters.
    pub(crate) fn fits(self, parameters: &ClassParameters) -> bool {
        self.parent == parent(parameters)
    }
}

/// Below which class one with these parameters stands.
fn parent(parameters: &ClassParameters) -> u16 {
    if parameters.shape.is_some() { GUARANTEED } else { LINK }
}

/// The queueing discipline of one device.
#[derive(Debug)]
pub(crate) struct Htb {
    device: u32,
    link_rate: u64,
    mtu: u32,
    /// Classes that exist and belong to no reservation now.
    idle: BTreeSet<ClassId>,
    /// The first number that was never used.
    unused: u16,
}

/// The numbers of any class.
struct Class {
    minor: u16,
    parent: u32,
    rate: u64,
    ceiling: u64,
    burst: u64,
    ceiling_burst: u64,
    priority: u32,
    quantum: u32,
}

impl Htb {
    /// Takes over the root of a device.
    pub(crate) fn attach(
        netlink: &mut Netlink,
        device: u32,
        link_rate: u64,
        mtu: u32,
    ) -> Result<Self, NetlinkError> {
        remove_root(netlink, device)?;
        let htb = Self { device, link_rate, mtu, idle: BTreeSet::new(), unused: FIRST };
        let header = message(device, HANDLE, ROOT);
        let mut request = tc::Request::new().set_create().set_replace().op_newqdisc_do(&header);
        request.encode().nested_options_htb().push_init(TcHtbGlob {
            version: 3,
            rate2quantum: 10,
            defcls: BEST_EFFORT.into(),
            ..TcHtbGlob::new()
        });
        netlink.call(&request, |_| {})?;
        match htb.create_fixed_classes(netlink) {
            Ok(()) => Ok(htb),
            Err(error) => {
                remove_root(netlink, device)?;
                Err(error)
            }
        }
    }

    fn create_fixed_classes(&self, netlink: &mut Netlink) -> Result<(), NetlinkError> {
        let packet = u64::from(self.mtu + LINK_HEADER);
        let class = |minor, rate: u64, burst: u64, priority| Class {
            minor,
            parent: HANDLE | u32::from(LINK),
            rate,
            ceiling: self.link_rate,
            burst,
            ceiling_burst: burst,
            priority,
            quantum: packet as u32,
        };
        // D of guaranteed service counts this credit, and those below (docs/configuration.md).
        let link_burst = self.link_rate / 500 + 2 * packet;
        let link = Class { parent: HANDLE, ..class(LINK, self.link_rate, link_burst, 0) };
        self.set_class(netlink, &link)?;
        let protected = class(PROTECTED, (self.link_rate / 50).max(8000), 2 * packet, 0);
        self.set_class(netlink, &protected)?;
        self.set_queue(netlink, PROTECTED, 512 << 10)?;
        let guaranteed = Class { ceiling: LEAST_RATE, ..class(GUARANTEED, LEAST_RATE, 0, 0) };
        self.set_class(netlink, &guaranteed)?;
        // What is left over is for best effort alone, whatever a reserved flow sends beyond its reservation.
        let best_effort = Class {
            quantum: packet as u32 * 16,
            ..class(BEST_EFFORT, (self.link_rate / 100).max(1000), 2 * packet, 1)
        };
        self.set_class(netlink, &best_effort)?;
        self.set_best_effort_queue(netlink)?;
        self.protect_address_resolution(netlink)
    }

    /// ARP goes with RSVP's own messages: a neighbour that cannot resolve our address sends us no Resv. It is no IP, so
    /// the classifier does not see it.
    fn protect_address_resolution(&self, netlink: &mut Netlink) -> Result<(), NetlinkError> {
        const FIRST_FILTER: u32 = 1 << 16;
        let protocol = u32::from((libc::ETH_P_ARP as u16).to_be());
        let header = Tcmsg { info: FIRST_FILTER | protocol, ..message(self.device, 0, HANDLE) };
        let mut request = tc::Request::new().set_create().op_newtfilter_do(&header);
        // One key without a mask: every packet of the protocol matches.
        let any = TcU32Sel { flags: TERMINAL, nkeys: 1, ..TcU32Sel::default() };
        request.encode().nested_options_u32().push_classid(PROTECTED_CLASS).push_sel(any);
        netlink.call(&request, |_| {})
    }

    /// The largest packet of the device.
    pub(crate) fn mtu(&self) -> u32 {
        self.mtu
    }

    /// A class for a reservation with these parameters; `None` if all are in use.
    pub(crate) fn allocate(&mut self, parameters: &ClassParameters) -> Option<ClassId> {
        let idle = self.idle.iter().copied().find(|id| id.fits(parameters));
        if let Some(id) = idle {
            self.idle.remove(&id);
            return Some(id);
        }
        let id = ClassId { number: self.unused, parent: parent(parameters) };
        (self.unused < FIRST + MOST).then(|| self.unused += 1)?;
        Some(id)
    }

    /// The reservation needs its class no more. It stays, for the next one.
    pub(crate) fn release(&mut self, id: ClassId) {
        self.idle.insert(id);
    }

    /// Gives the class of a reservation these parameters, and makes it first if need be.
    pub(crate) fn set(
        &self,
        netlink: &mut Netlink,
        id: ClassId,
        parameters: &ClassParameters,
    ) -> Result<(), NetlinkError> {
        let class = Class {
            minor: id.number,
            parent: HANDLE | u32::from(id.parent),
            rate: parameters.rate,
            // It may use what is idle: then nothing waits that the policer has let pass.
            ceiling: self.link_rate.max(parameters.rate),
            burst: parameters.burst.into(),
            ceiling_burst: parameters.burst.into(),
            priority: 1,
            quantum: self.mtu + LINK_HEADER,
        };
        let class = match parameters.shape {
            None => class,
            // The kernel sends nothing beyond the ceiling's bucket, though it is below the rate.
            Some(shape) => {
                Class { ceiling: shape.rate, ceiling_burst: shape.bucket.into(), priority: 0, ..class }
            }
        };
        self.set_class(netlink, &class)?;
        self.set_queue(netlink, id.number, parameters.queue)
    }

    fn set_class(&self, netlink: &mut Netlink, class: &Class) -> Result<(), NetlinkError> {
        let header = message(self.device, HANDLE | u32::from(class.minor), class.parent);
        let mut request = tc::Request::new().set_create().set_replace().op_newtclass_do(&header);
        let options = request.encode().nested_options_htb().push_parms(TcHtbOpt {
            rate: rate(class.rate),
            ceil: rate(class.ceiling),
            buffer: ticks(class.burst, class.rate),
            cbuffer: ticks(class.ceiling_burst, class.ceiling),
            quantum: class.quantum,
            level: 0,
            prio: class.priority,
        });
        options.push_rate64(class.rate).push_ceil64(class.ceiling);
        netlink.call(&request, |_| {})
    }

    fn set_queue(&self, netlink: &mut Netlink, minor: u16, limit: u32) -> Result<(), NetlinkError> {
        let header = message(self.device, 0, HANDLE | u32::from(minor));
        let mut request = tc::Request::new().set_create().set_replace().op_newqdisc_do(&header);
        request.encode().nested_options_bfifo(&TcFifoQopt { limit });
        netlink.call(&request, |_| {})
    }

    /// A full queue drops what has waited longest: so loss meets every flow by its share, and not by the moments at
    /// which its packets happen to come.
    fn set_best_effort_queue(&self, netlink: &mut Netlink) -> Result<(), NetlinkError> {
        let octets = self.link_rate * BEST_EFFORT_DELAY_MS / 1000;
        let packets = (octets / u64::from(self.mtu.max(1))).clamp(16, 10_000);
        let header = message(self.device, 0, HANDLE | u32::from(BEST_EFFORT));
        let mut request = tc::Request::new().set_create().set_replace().op_newqdisc_do(&header);
        request.encode().nested_options_pfifo_head_drop(&TcFifoQopt { limit: packets as u32 });
        netlink.call(&request, |_| {})
    }

    /// Gives the device its default queueing discipline back.
    pub(crate) fn detach(&self, netlink: &mut Netlink) -> Result<(), NetlinkError> {
        remove_root(netlink, self.device)
    }
}

/// Removes our root from every device that has it.
pub(crate) fn remove_leftovers(netlink: &mut Netlink) -> Result<Vec<u32>, NetlinkError> {
    let mut devices = Vec::new();
    let request = tc::Request::new().op_getqdisc_dump(&Tcmsg::new());
    netlink.call(&request, |(header, _)| {
        if header.handle == HANDLE && header.parent == ROOT {
            devices.push(header.ifindex.cast_unsigned());
        }
    })?;
    for device in &devices {
        remove_root(netlink, *device)?;
    }
    Ok(devices)
}

/// Removes our root from a device; that it is not there is no error.
fn remove_root(netlink: &mut Netlink, device: u32) -> Result<(), NetlinkError> {
    let request = tc::Request::new().op_delqdisc_do(&message(device, HANDLE, ROOT));
    match netlink.call(&request, |_| {}) {
        Err(error) if matches!(error.errno(), Some(libc::ENOENT | libc::EINVAL | libc::ENODEV)) => Ok(()),
        result => result,
    }
}

fn message(device: u32, handle: u32, parent: u32) -> Tcmsg {
    Tcmsg { ifindex: device.cast_signed(), handle, parent, ..Tcmsg::new() }
}

fn rate(octets_per_second: u64) -> TcRatespec {
    TcRatespec {
        linklayer: LINK_LAYER,
        rate: u32::try_from(octets_per_second).unwrap_or(u32::MAX),
        ..TcRatespec::new()
    }
}

/// The time that so many octets take at a rate, in the scheduler's unit of 64 ns.
fn ticks(octets: u64, rate: u64) -> u32 {
    let nanoseconds = u128::from(octets) * 1_000_000_000 / u128::from(rate.max(1));
    u32::try_from(nanoseconds / 64).unwrap_or(u32::MAX)
}
