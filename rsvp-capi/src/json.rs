//! What goes in and out as JSON.

use std::ffi::c_char;

use rsvp_core::{Command, Input, Instant, Node};

use crate::fault::{Fault, Status};
use crate::handle::{Handle, Lent, enter};
use crate::node;
use crate::{pointer, types};

/// Hands any input to the node, as JSON (see "Inputs" in docs/c-api.md): for replaying what was recorded. The typed
/// functions do the same, faster.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_handle_json(node: *mut Handle, now: u64, input: *const c_char) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header, here and below.
    unsafe {
        node::handle(node, now, || {
            let input: Input<'static> = pointer::json(input, "input")?;
            if let Input::Interface(info) = &input {
                types::interface(info.id.0, "id")?;
            }
            Ok(input)
        })
    }
}

/// Carries out a local command, given as JSON (see "Commands" in docs/c-api.md).
///
/// `reply` takes the answer as JSON: on RSVP_STATUS_OK the reply, on RSVP_STATUS_REFUSED the error, which
/// rsvp_last_error() tells in words. It may be NULL. The text belongs to the node, and is valid until the next call with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_command_json(
    node: *mut Handle,
    now: u64,
    command: *const c_char,
    reply: *mut *const c_char,
) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header, here and below.
    unsafe {
        enter(node, |handle| {
            let command: Command = pointer::json(command, "command")?;
            let answer = handle.node.command(Instant::from_micros(now), command);
            let json = match &answer {
                Ok(reply) => handle.lent.json(reply),
                Err(error) => handle.lent.json(error),
            }?;
            if let Ok(target) = pointer::target(reply, "reply") {
                target.write(json);
            }
            let refused =
                |error: rsvp_core::CommandError| Fault { status: Status::Refused, text: error.to_string() };
            answer.map(|_| Status::Ok).map_err(refused)
        })
    }
}

/// Gives the next event, oldest first, as JSON (see "Events" in docs/c-api.md); RSVP_STATUS_EMPTY: there is none. The
/// text belongs to the node, and is valid until the next call with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_poll_event_json(node: *mut Handle, event: *mut *const c_char) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header, here and below.
    unsafe {
        enter(node, |handle| {
            let target = pointer::target(event, "event")?;
            let Some(polled) = handle.node.poll_event() else { return Ok(Status::Empty) };
            target.write(handle.lent.json(&polled)?);
            Ok(Status::Ok)
        })
    }
}

/// Gives a view of the node's state as JSON. `name` is "sessions", "senders", "reservations", "refusals", "requests",
/// "installed", "interfaces", "neighbors" (lists), "counters" or "config" (objects). The text belongs to the node, and is
/// valid until the next call with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_node_view_json(
    node: *mut Handle,
    name: *const c_char,
    view: *mut *const c_char,
) -> Status {
    // SAFETY: the caller keeps the rules at the top of the header, here and below.
    unsafe {
        enter(node, |handle| {
            let target = pointer::target(view, "view")?;
            target.write(show(&handle.node, pointer::text(name, "name")?, &mut handle.lent)?);
            Ok(Status::Ok)
        })
    }
}

fn show(node: &Node, name: &str, lent: &mut Lent) -> Result<*const c_char, Fault> {
    match name {
        "sessions" => lent.json(&node.sessions()),
        "senders" => lent.json(&node.senders()),
        "reservations" => lent.json(&node.reservations()),
        "refusals" => lent.json(&node.refusals()),
        "requests" => lent.json(&node.requests()),
        "installed" => lent.json(&node.installed()),
        "interfaces" => lent.json(&node.interfaces()),
        "neighbors" => lent.json(&node.neighbors()),
        "counters" => lent.json(node.counters()),
        "config" => lent.json(node.config()),
        other => Err(Fault::argument(format!("there is no view {other:?}"))),
    }
}
