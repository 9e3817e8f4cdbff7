//! What the kernel enforces, and the calls that make it do so. They take time, so they run on a thread of their own.

use std::collections::HashMap;

use nix::net::if_::if_indextoname;
use rsvp_core::InterfaceId;
use rsvp_core::output::{Installation, InstallationId};

use super::classifier::{Classifier, Entry, MOST_FILTERS};
use super::htb::{ClassId, Htb, remove_leftovers};
use super::parameters::{ClassParameters, Plan};
use crate::netlink::{Netlink, NetlinkError};

/// The interfaces and reservations that the kernel enforces.
pub(crate) struct Enforcer {
    netlink: Netlink,
    classifier: Classifier,
    devices: HashMap<InterfaceId, Device>,
    installed: HashMap<InstallationId, Installed>,
}

/// An interface whose root queueing discipline is ours.
struct Device {
    index: u32,
    htb: Htb,
}

/// A reservation in place.
struct Installed {
    interface: InterfaceId,
    class: ClassId,
    parameters: ClassParameters,
    entry: Entry,
}

/// An interface to take over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) interface: InterfaceId,
    pub(crate) device: u32,
    pub(crate) link_rate: u64,
    pub(crate) mtu: u32,
}

impl Enforcer {
    /// Prepares the kernel, and removes what a crashed daemon left in it.
    pub(crate) fn open() -> Result<Self, NetlinkError> {
        // It fails if another daemon owns the table; then the queueing disciplines are the other's too.
        let classifier = Classifier::open()?;
        let mut netlink = Netlink::open(netlink_sys::protocols::NETLINK_ROUTE)?;
        let devices = remove_leftovers(&mut netlink)?;
        for device in devices {
            let name = if_indextoname(device)
                .map_or_else(|_| device.to_string(), |n| n.to_string_lossy().into_owned());
            tracing::info!("{name}: removed the queueing discipline that an earlier run had left");
        }
        Ok(Self { netlink, classifier, devices: HashMap::new(), installed: HashMap::new() })
    }

    /// Takes an interface over.
    pub(crate) fn attach(&mut self, attachment: &Attachment) -> Result<(), NetlinkError> {
        let Attachment { interface, device, link_rate, mtu } = *attachment;
        self.classifier.attach(device, mtu)?;
        let htb = Htb::attach(&mut self.netlink, device, link_rate, mtu)?;
        self.devices.insert(interface, Device { index: device, htb });
        Ok(())
    }

    /// Forgets an interface that is gone. Its device may be there under another name: then it is given back.
    pub(crate) fn forget(&mut self, interface: InterfaceId) {
        if let Some(device) = self.devices.remove(&interface)
            && let Err(error) = device.htb.detach(&mut self.netlink)
        {
            tracing::debug!(device = device.index, %error, "no queueing discipline to remove");
        }
    }

    /// Makes the kernel give a flow what it says. If it fails, what was there before stays.
    pub(crate) fn install(&mut self, installation: &Installation) -> Result<(), String> {
        let Some(device) = self.devices.get_mut(&installation.interface) else {
            // Traffic control is not to be had there, which was said when it was found out.
            return Ok(());
        };
        if installation.filters.len() > MOST_FILTERS {
            return Err(format!("more than {MOST_FILTERS} filters in one reservation cannot be enforced"));
        }
        let plan = Plan::new(installation, device.htb.mtu())?;
        let old = self.installed.get(&installation.id).filter(|old| old.interface == installation.interface);
        // A change of service takes another class.
        let old = old.filter(|old| old.class.fits(&plan.class));
        let class = match old {
            Some(old) => old.class,
            None => {
                let class = device.htb.allocate(&plan.class);
                class.ok_or("all traffic classes of the interface are in use")?
            }
        };
        let entry = self.classifier.entry(device.index, class, plan.policer, &plan.matches);
        let removed: Vec<&Entry> =
            self.installed.get(&installation.id).map(|old| &old.entry).into_iter().collect();
        let result = device
            .htb
            .set(&mut self.netlink, class, &plan.class)
            .and_then(|()| self.classifier.apply(&removed, &[&entry]));
        if let Err(error) = result {
            match old {
                None => device.htb.release(class),
                Some(old) => restore(&device.htb, &mut self.netlink, old),
            }
            return Err(format!("the kernel refused it: {error}"));
        }
        let installed = Installed { interface: installation.interface, class, parameters: plan.class, entry };
        if let Some(old) = self.installed.insert(installation.id, installed)
            && (old.interface, old.class) != (installation.interface, class)
        {
            self.release(&old);
        }
        Ok(())
    }

    /// Takes an installation away; that there is none is no error.
    pub(crate) fn remove(&mut self, id: InstallationId) {
        let Some(old) = self.installed.remove(&id) else { return };
        if let Err(error) = self.classifier.apply(&[&old.entry], &[]) {
            tracing::warn!(?id, %error, "a reservation could not be removed from the classifier");
        }
        self.release(&old);
    }

    fn release(&mut self, old: &Installed) {
        if let Some(device) = self.devices.get_mut(&old.interface) {
            device.htb.release(old.class);
        }
    }

    /// Removes everything from the kernel.
    pub(crate) fn close(mut self) {
        for device in self.devices.values() {
            if let Err(error) = device.htb.detach(&mut self.netlink) {
                tracing::warn!(device = device.index, %error, "the queueing discipline could not be removed");
            }
        }
        if let Err(error) = self.classifier.close() {
            tracing::warn!(%error, "the classifier could not be removed");
        }
    }
}

/// Gives a class back what it had before a change that failed half-way.
fn restore(htb: &Htb, netlink: &mut Netlink, installed: &Installed) {
    if let Err(error) = htb.set(netlink, installed.class, &installed.parameters) {
        tracing::warn!(%error, "a class keeps the parameters of a change that failed");
    }
}
