//! A node as C holds it.

use rsvp_core::Node;
use serde::Serialize;
use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::fault::{self, Fault, Status};
use crate::installation::Installed;

/// An RSVP node: one per host or router, however many interfaces it has. rsvp_node_new() makes one,
/// rsvp_node_free() frees it.
pub struct Handle {
    pub(crate) node: Node,
    /// What the caller may still be looking at, until its next call.
    pub(crate) lent: Lent,
    /// Why the node can no longer be used.
    panicked: Option<String>,
}

/// What the last call has lent to the caller.
#[derive(Default)]
pub(crate) struct Lent {
    pub(crate) datagram: Vec<u8>,
    pub(crate) installed: Installed,
    text: Vec<u8>,
}

impl Handle {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, lent: Lent::default(), panicked: None }
    }
}

impl Lent {
    /// Lends `value` as JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<*const c_char, Fault> {
        self.text.clear();
        serde_json::to_writer(&mut self.text, value).map_err(|error| Fault::json(error.to_string()))?;
        self.text.push(0);
        Ok(self.text.as_ptr().cast())
    }
}

/// Does `work` with a node, unless a panic has made it unusable. If `work` panics, it becomes so.
///
/// # Safety
///
/// `handle` is NULL, or comes from `rsvp_node_new`, has not been freed, and no other thread uses it now.
pub(crate) unsafe fn enter(
    handle: *mut Handle,
    work: impl FnOnce(&mut Handle) -> Result<Status, Fault>,
) -> Status {
    fault::run(|| {
        // SAFETY: the caller promises it.
        let handle = unsafe { handle.as_mut() }.ok_or_else(|| Fault::null("node"))?;
        if let Some(why) = &handle.panicked {
            return Err(Fault::panicked(format!("this node can only be freed: in an earlier call {why}")));
        }
        catch_unwind(AssertUnwindSafe(|| work(handle))).unwrap_or_else(|panic| {
            let why = fault::describe(panic.as_ref());
            handle.panicked = Some(why.clone());
            Err(Fault::panicked(why))
        })
    })
}
