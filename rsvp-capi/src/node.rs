//! To make a node, to free it, and to tell it what happened.

use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use rsvp_core::input::{Input, InstallFailure, PreemptReason};
use rsvp_core::output::InstallationId;
use rsvp_core::{Instant, Node, NodeConfig};

use crate::fault::{self, Fault, Status};
use crate::handle::{Handle, enter};
use crate::types::{self, Datagram, Interface, Route, RouteKey};
use crate::{RSVP_PREEMPTED_PRIORITY, RSVP_PREEMPTED_RESOURCE_LOST, RSVP_SEED_LENGTH, pointer};

/// Makes a node.
///
/// `config` is JSON (see "Configuration" in docs/c-api.md; what it leaves out is the default) or NULL for the default.
/// `seed` is RSVP_SEED_LENGTH octets that nobody can foresee: take them from the operating system at every start, for
/// instance with getrandom(). With the same configuration, seed and calls a node does the same. `now` is the time,
/// see above.
///
/// `node` takes the new node, which is the caller's to free; NULL if the call fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_new(
    config: *const c_char,
    seed: *const u8,
    now: u64,
    node: *mut *mut Handle,
) -> Status {
    fault::run(|| {
        // SAFETY: the caller keeps the rules at the top of the header, here and below.
        let target = unsafe { pointer::target(node, "node") }?.write(ptr::null_mut());
        // SAFETY: as above.
        let seed: &[u8; RSVP_SEED_LENGTH] = unsafe { pointer::read(seed.cast(), "seed") }?;
        let config = if config.is_null() {
            NodeConfig::default()
        } else {
            // SAFETY: as above.
            unsafe { pointer::json(config, "config") }?
        };
        let handle = Handle::new(Node::new(config, *seed, Instant::from_micros(now)));
        *target = Box::into_raw(Box::new(handle));
        Ok(Status::Ok)
    })
}

/// Frees a node and all that it has lent. NULL is ignored. It tells its neighbours nothing: for that, give it the
/// command "Shutdown" before, and carry out what it polls until rsvp_node_is_stopped().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_free(node: *mut Handle) {
    if node.is_null() {
        return;
    }
    // SAFETY: rsvp_node_new made it with Box::into_raw, and the caller frees it once.
    let handle = unsafe { Box::from_raw(node) };
    // What a panic left behind may panic again; nothing can be done about that.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(handle)));
}

/// Hands an input to a node, when `input` could be read.
///
/// # Safety
///
/// As for [`enter`].
pub(crate) unsafe fn handle<'a>(
    node: *mut Handle,
    now: u64,
    input: impl FnOnce() -> Result<Input<'a>, Fault>,
) -> Status {
    // SAFETY: the caller promises it.
    unsafe {
        enter(node, |handle| {
            handle.node.handle(Instant::from_micros(now), input()?);
            Ok(Status::Ok)
        })
    }
}

/// Time has passed; work that is due gets done.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_handle_timeout(node: *mut Handle, now: u64) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header.
    unsafe { handle(node, now, || Ok(Input::Timeout)) }
}

/// A message arrived. Whatever it contains, the call succeeds: a neighbour's fault is answered or counted. The payload
/// is not used after the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_handle_datagram(
    node: *mut Handle,
    now: u64,
    datagram: *const Datagram,
) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header.
    unsafe { handle(node, now, || Ok(Input::Datagram(pointer::read(datagram, "datagram")?.read()?))) }
}

/// An interface appeared or changed: went up or down, got another address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_handle_interface(
    node: *mut Handle,
    now: u64,
    interface: *const Interface,
) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header.
    unsafe { handle(node, now, || Ok(Input::Interface(pointer::read(interface, "interface")?.read()?))) }
}

/// An interface is gone for good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_handle_interface_removed(
    node: *mut Handle,
    now: u64,
    interface: u32,
) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header.
    unsafe { handle(node, now, || Ok(Input::InterfaceRemoved(types::interface(interface, "interface")?))) }
}

/// The answer to RSVP_REQUEST_KIND_WATCH_ROUTE, or a change of a watched route. `key` is that of the request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_handle_route(
    node: *mut Handle,
    now: u64,
    key: *const RouteKey,
    route: *const Route,
) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header.
    unsafe {
        handle(node, now, || {
            Ok(Input::Route(pointer::read(key, "key")?.read()?, pointer::read(route, "route")?.read()?))
        })
    }
}

/// The answer to RSVP_REQUEST_KIND_INSTALL. `failure` is NULL if traffic control has done what was asked, else why it
/// could not, in words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_handle_installed(
    node: *mut Handle,
    now: u64,
    installation_id: u64,
    failure: *const c_char,
) -> Status {
    let input = || {
        let result = if failure.is_null() {
            Ok(())
        } else {
            // SAFETY: the caller keeps the rules at the top of the header.
            Err(InstallFailure { reason: unsafe { pointer::text(failure, "failure") }?.to_owned() })
        };
        Ok(Input::Installed(InstallationId(installation_id), result))
    };
    // SAFETY: as above.
    unsafe { handle(node, now, input) }
}

/// Traffic control withdrew an installation by itself. `reason` is RSVP_PREEMPTED_PRIORITY or
/// RSVP_PREEMPTED_RESOURCE_LOST.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_handle_preempted(
    node: *mut Handle,
    now: u64,
    installation_id: u64,
    reason: u32,
) -> Status {
    let input = || {
        let reason = match reason {
            RSVP_PREEMPTED_PRIORITY => PreemptReason::Priority,
            RSVP_PREEMPTED_RESOURCE_LOST => PreemptReason::ResourceLost,
            other => return Err(Fault::argument(format!("reason is {other}; it must be 0 or 1"))),
        };
        Ok(Input::Preempted(InstallationId(installation_id), reason))
    };
    // SAFETY: the caller keeps the rules at the top of the header.
    unsafe { handle(node, now, input) }
}

/// The driver's socket takes no more datagrams: rsvp_node_poll_transmit() gives none until it does again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_handle_socket_blocked(node: *mut Handle, now: u64) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header.
    unsafe { handle(node, now, || Ok(Input::SocketBlocked)) }
}

/// The driver's socket takes datagrams again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_handle_socket_writable(node: *mut Handle, now: u64) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header.
    unsafe { handle(node, now, || Ok(Input::SocketWritable)) }
}
