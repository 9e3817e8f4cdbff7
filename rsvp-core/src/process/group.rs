//! The groups that local applications receive (RFC 2205 section 3.9).

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
        let interface = match address {
            None => None,
            Some(address) => {
                let own = self.state.interface_with(address);
                Some(own.ok_or(CommandError::ForeignAddress(address))?)
            }
        };
        self.join_at(api, interface);
        Ok(())
    }

    /// An application receives. Without an interface it stays joined where it is.
    pub(super) fn join_at(&mut self, api: ApiId, interface: Option<InterfaceId>) {
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
