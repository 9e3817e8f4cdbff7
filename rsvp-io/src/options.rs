//! What the operator chooses, and what he is told.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use thiserror::Error;

/// What [`open`](crate::open) needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemOptions {
    /// Whether this node forwards: then messages in transit are intercepted.
    pub router: bool,
    /// The interfaces that RSVP may use.
    pub interfaces: InterfaceSelection,
    /// The rate of the link in bytes per second, by interface name. On these interfaces the root queueing
    /// discipline is ours; on the others reservations are admitted but not enforced.
    pub link_rates: BTreeMap<String, u64>,
    /// What carries RSVP messages.
    pub carrier: Carrier,
}

/// What carries RSVP messages: IP itself, or UDP (RFC 2205 Appendix C).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carrier {
    /// IP protocol 46 alone.
    Raw,
    /// IP protocol 46, and UDP towards hosts that need it.
    #[default]
    RawAndUdp,
    /// UDP alone, on a host. That takes no privilege.
    UdpOnly,
}

/// Which interfaces RSVP may use. The loopback is never one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum InterfaceSelection {
    /// All, also those that appear later.
    #[default]
    All,
    /// Those with these names, present or not.
    Named(BTreeSet<String>),
}

/// Why the system could not be opened; one line that says what is missing and what to do.
#[derive(Debug, Error)]
#[error("{what}: {source}; {advice}")]
pub struct OpenError {
    pub(crate) what: String,
    pub(crate) source: io::Error,
    pub(crate) advice: &'static str,
}

impl OpenError {
    pub(crate) fn thread(source: io::Error) -> Self {
        Self {
            what: "cannot start the thread for traffic control".to_owned(),
            source,
            advice: "raise the limit on threads and open files",
        }
    }

    pub(crate) fn descriptors(source: io::Error) -> Self {
        Self { what: "cannot watch the sockets".to_owned(), source, advice: "raise the limit on open files" }
    }

    pub(crate) fn raw_socket(source: io::Error) -> Self {
        let advice = match source.kind() {
            io::ErrorKind::PermissionDenied => "run as root, or with CAP_NET_RAW and CAP_NET_ADMIN",
            _ => "the kernel must have raw sockets and packet information for them",
        };
        Self { what: "cannot open a raw socket for RSVP (IP protocol 46)".to_owned(), source, advice }
    }

    pub(crate) fn packet_socket(source: io::Error) -> Self {
        Self {
            what: "cannot open a packet socket for RSVP".to_owned(),
            source,
            advice: "the kernel must have packet sockets, and the sandbox must allow AF_PACKET",
        }
    }

    pub(crate) fn neighbors(source: io::Error) -> Self {
        Self {
            what: "cannot watch neighbours over netlink".to_owned(),
            source,
            advice: "the kernel must have rtnetlink, and the sandbox must allow AF_NETLINK sockets",
        }
    }

    pub(crate) fn membership(source: io::Error) -> Self {
        Self {
            what: "cannot open the sockets that join groups".to_owned(),
            source,
            advice: "raise the limit on open files",
        }
    }

    pub(crate) fn udp_socket(port: u16, source: io::Error) -> Self {
        let advice = match source.kind() {
            io::ErrorKind::AddrInUse => "another RSVP daemon may be running; only one can use the port",
            _ => "the kernel must have packet information for UDP sockets",
        };
        Self { what: format!("cannot listen to RSVP in UDP (port {port})"), source, advice }
    }
}
