//! Constants of the header, and versions.

use std::ffi::c_char;

/// The version of this interface. It grows when a program that was compiled against an older header would no longer
/// work; compare it with what rsvp_abi_version() gives when you load the library dynamically.
pub const RSVP_ABI_VERSION: u32 = 1;

/// Octets of the seed that rsvp_node_new() takes.
pub const RSVP_SEED_LENGTH: usize = 32;

/// rsvp_address.family: there is no address.
pub const RSVP_NO_ADDRESS: u8 = 0;
/// rsvp_address.family: IPv4.
pub const RSVP_IPV4: u8 = 4;
/// rsvp_address.family: IPv6.
pub const RSVP_IPV6: u8 = 6;

/// In place of an interface's number: none, or any. No interface has this number.
pub const RSVP_NO_INTERFACE: u32 = 0;

/// rsvp_datagram.ttl: the driver cannot tell.
pub const RSVP_TTL_UNKNOWN: i32 = -1;

/// rsvp_encapsulation.kind: IP protocol 46.
pub const RSVP_RAW: u8 = 0;
/// rsvp_encapsulation.kind: UDP (RFC 2205 Appendix C).
pub const RSVP_UDP: u8 = 1;

/// rsvp_node_poll_timeout(): datagrams can be sent.
pub const RSVP_READY_TRANSMIT: u32 = 1;
/// rsvp_node_poll_timeout(): events can be taken.
pub const RSVP_READY_EVENTS: u32 = 2;
/// rsvp_node_poll_timeout(): requests can be taken.
pub const RSVP_READY_REQUESTS: u32 = 4;
/// rsvp_node_poll_timeout(): all of these.
pub const RSVP_READY_ALL: u32 = 7;

/// rsvp_node_handle_preempted(): something more important needed the resources.
pub const RSVP_PREEMPTED_PRIORITY: u32 = 0;
/// rsvp_node_handle_preempted(): the resources are gone (a link got slower, a device was reset).
pub const RSVP_PREEMPTED_RESOURCE_LOST: u32 = 1;

/// rsvp_installation.police: E_Police_Flag, this node is the first that can police (RFC 2205 section 3.8).
pub const RSVP_POLICE_ENTRY: u8 = 1;
/// rsvp_installation.police: M_Police_Flag, a shared reservation merges several senders.
pub const RSVP_POLICE_MERGE: u8 = 2;
/// rsvp_installation.police: B_Police_Flag, the flow branches, and gets less here than elsewhere.
pub const RSVP_POLICE_BRANCH: u8 = 4;

/// RSVP_ABI_VERSION of the library.
#[unsafe(no_mangle)]
pub extern "C" fn rsvp_abi_version() -> u32 {
    RSVP_ABI_VERSION
}

/// The version of the library, such as "0.1.0". It is static.
#[unsafe(no_mangle)]
pub extern "C" fn rsvp_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
