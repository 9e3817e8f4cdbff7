//! The groups that local applications receive (RFC 2205 section 3.9).

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::command::{ApiId, CommandError};
use crate::input::InterfaceId;
use crate::node::Node;
use crate::output::Request;
use crate::state::Group;

impl Node {
    /// An application receives, on the interface with this address or where the system chooses.
    pub(super) fn join(&mut self, api: ApiId, address: Option<IpAddr>) -> Result<(), CommandError> {
        let session = self.session_of(api)?;
        let destination = self.state.sessions[session].key.destination();
        if address.is_some_and(|address| address.is_ipv4() != destination.is_ipv4()) {
            return Err(CommandError::FamilyMismatch);
        }
        if let Some(address) = address.filter(|address| !self.state.is_own(*address)) {
            return Err(CommandError::ForeignAddress(address));
        }
        self.receive_at(api, address);
        Ok(())
    }

    /// An application receives, on the interface with this address if it is one of the node's own.
    pub(super) fn receive_at(&mut self, api: ApiId, address: Option<IpAddr>) {
        if let Some(application) = self.state.apis.get_mut(&api) {
            application.address = address.or(application.address);
        }
        self.join_at(api, address.and_then(|address| self.state.interface_with(address)));
    }

    /// An interface has come, or has other addresses now: who receives at one of them receives there. The interface may
    /// have been there before, under another number.
    pub(super) fn rejoin(&mut self, interface: InterfaceId, addresses: &[IpAddr]) {
        let meant = self.state.apis.iter().filter(|(_, application)| {
            application.group.is_some()
                && application.address.is_some_and(|address| addresses.contains(&address))
        });
        for api in meant.map(|(api, _)| *api).collect::<Vec<_>>() {
            self.join_at(api, Some(interface));
        }
    }

    /// An application receives. Without an interface it stays joined where it is.
    fn join_at(&mut self, api: ApiId, interface: Option<InterfaceId>) {
        let Some(application) = self.state.apis.get(&api) else { return };
        let session = application.session;
        let address = self.state.sessions[session].key.destination();
        let is_settled =
            application.group.is_some_and(|group| interface.is_none() || group.interface == interface);
        if is_settled || !address.is_multicast() {
            return;
        }
        self.leave_group(api);
        let group = Group { address, interface };
        if let Some(application) = self.state.apis.get_mut(&api) {
            application.group = Some(group);
        }
        let members = self.state.groups.entry(group).or_insert(0);
        *members += 1;
        if *members == 1 {
            self.requests.push(Request::Join { group: address, interface });
        }
        self.receivers_changed(session);
    }

    /// An application receives no more.
    pub(super) fn leave_group(&mut self, api: ApiId) {
        let Some(application) = self.state.apis.get_mut(&api) else { return };
        let (session, group) = (application.session, application.group.take());
        let Some(group) = group else { return };
        let Some(members) = self.state.groups.get_mut(&group) else { return };
        *members -= 1;
        if *members == 0 {
            self.state.groups.remove(&group);
            let Group { address, interface } = group;
            self.requests.push(Request::Leave { group: address, interface });
        }
        self.receivers_changed(session);
    }
}
