//! What a node wants done: messages to send, requests, and when to call again.

use std::ptr;

use rsvp_core::{Instant, Ready, output};

use crate::fault::{Fault, Status};
use crate::handle::{Handle, Lent, enter};
use crate::types::{self, Request, RequestKind, Timeout, Transmit};
use crate::{RSVP_READY_ALL, RSVP_READY_EVENTS, RSVP_READY_REQUESTS, RSVP_READY_TRANSMIT, pointer};

/// Gives the next message to send; RSVP_STATUS_EMPTY: none may leave now. A message that is not sent is lost.
///
/// `transmit->payload` belongs to the node, and is valid until the next call with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_poll_transmit(
    node: *mut Handle,
    now: u64,
    transmit: *mut Transmit,
) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header, here and below.
    unsafe {
        enter(node, |handle| {
            let target = pointer::target(transmit, "transmit")?;
            let datagram = &mut handle.lent.datagram;
            let Some(polled) = handle.node.poll_transmit(Instant::from_micros(now), datagram) else {
                return Ok(Status::Empty);
            };
            target.write(Transmit::new(&polled, datagram));
            Ok(Status::Ok)
        })
    }
}

/// Gives the next request; RSVP_STATUS_EMPTY: there is none. A request that is not carried out is lost.
///
/// `request->installation` and all that it points to belong to the node, and are valid until the next call with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_poll_request(node: *mut Handle, request: *mut Request) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header, here and below.
    unsafe {
        enter(node, |handle| {
            let target = pointer::target(request, "request")?;
            let Some(polled) = handle.node.poll_request() else { return Ok(Status::Empty) };
            target.write(describe(polled, &mut handle.lent));
            Ok(Status::Ok)
        })
    }
}

/// A request as C sees it.
pub(crate) fn describe(request: output::Request, lent: &mut Lent) -> Request {
    match request {
        output::Request::WatchRoute(key) => {
            Request { route: key.into(), ..Request::of_kind(RequestKind::WatchRoute) }
        }
        output::Request::UnwatchRoute(key) => {
            Request { route: key.into(), ..Request::of_kind(RequestKind::UnwatchRoute) }
        }
        output::Request::Install(installation) => Request {
            installation_id: installation.id.0,
            installation: ptr::from_ref(lent.installed.keep(installation)),
            ..Request::of_kind(RequestKind::Install)
        },
        output::Request::Remove(id) => {
            Request { installation_id: id.0, ..Request::of_kind(RequestKind::Remove) }
        }
        output::Request::Join { group, interface } => Request {
            group: group.into(),
            interface: types::number(interface),
            ..Request::of_kind(RequestKind::Join)
        },
        output::Request::Leave { group, interface } => Request {
            group: group.into(),
            interface: types::number(interface),
            ..Request::of_kind(RequestKind::Leave)
        },
    }
}

/// Tells when to call rsvp_node_handle_timeout(); RSVP_STATUS_EMPTY: the node waits for nothing.
///
/// `ready` names the outputs that the caller can take now: RSVP_READY_TRANSMIT, RSVP_READY_EVENTS and
/// RSVP_READY_REQUESTS, or-ed. The deadline equals the latest `now` only if one of them may leave now, or work is left
/// over. It may be earlier than needed, never later.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_poll_timeout(
    node: *mut Handle,
    ready: u32,
    timeout: *mut Timeout,
) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header, here and below.
    unsafe {
        enter(node, |handle| {
            let target = pointer::target(timeout, "timeout")?;
            if ready & !RSVP_READY_ALL != 0 {
                return Err(Fault::argument(format!(
                    "ready is {ready:#x}, which has bits that mean nothing"
                )));
            }
            let ready = Ready {
                transmit: ready & RSVP_READY_TRANSMIT != 0,
                events: ready & RSVP_READY_EVENTS != 0,
                requests: ready & RSVP_READY_REQUESTS != 0,
            };
            let Some((deadline, reason)) = handle.node.poll_timeout(ready) else { return Ok(Status::Empty) };
            target.write(Timeout { deadline: deadline.as_micros(), reason: reason.into() });
            Ok(Status::Ok)
        })
    }
}

/// Writes 1 if everything that the command "Shutdown" began is done and polled, and acknowledged where that was wanted;
/// else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_is_stopped(node: *mut Handle, stopped: *mut u8) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header, here and below.
    unsafe {
        enter(node, |handle| {
            pointer::target(stopped, "stopped")?.write(handle.node.is_stopped().into());
            Ok(Status::Ok)
        })
    }
}
