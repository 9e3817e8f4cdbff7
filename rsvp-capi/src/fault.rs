//! What goes wrong: the status that a function returns, and the text that tells more.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a function returns. Negative: it failed, and rsvp_last_error() tells why.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is done, and what was asked for is written.
    Ok = 0,
    /// There is nothing to give: a poll function has no more, or no deadline. Nothing is written.
    Empty = 1,
    /// A pointer is NULL that must not be, or a value is out of range. The node is as it was.
    InvalidArgument = -1,
    /// A text is no UTF-8, no JSON, or not the JSON that is wanted. The node is as it was.
    InvalidJson = -2,
    /// The node refuses the command: it is the caller's fault (a session that does not exist, a style that conflicts).
    Refused = -3,
    /// This or an earlier call on this node ran into a bug of the library. The node can only be freed.
    Panicked = -4,
}

/// Why a call failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: Status,
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn argument(text: impl Into<String>) -> Self {
        Self { status: Status::InvalidArgument, text: text.into() }
    }

    pub(crate) fn null(what: &str) -> Self {
        Self::argument(format!("{what} is NULL"))
    }

    pub(crate) fn json(text: impl Into<String>) -> Self {
        Self { status: Status::InvalidJson, text: text.into() }
    }

    pub(crate) fn panicked(text: impl Into<String>) -> Self {
        Self { status: Status::Panicked, text: text.into() }
    }
}

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

/// Calls `work`, keeps a panic from leaving the library, and remembers what went wrong.
pub(crate) fn run(work: impl FnOnce() -> Result<Status, Fault>) -> Status {
    let fault = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(status)) => return status,
        Ok(Err(fault)) => fault,
        Err(panic) => Fault::panicked(describe(panic.as_ref())),
    };
    remember(&fault.text);
    fault.status
}

/// The words of a panic.
pub(crate) fn describe(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the library has panicked, which is a bug in it: {}", text.unwrap_or("no words"))
}

fn remember(text: &str) {
    let bytes: Vec<u8> = text.bytes().filter(|byte| *byte != 0).collect();
    // While a thread ends there may be no place left to remember anything; then there is nobody to ask for it, either.
    let _ = LAST_ERROR.try_with(|last| {
        *last.borrow_mut() = CString::new(bytes).unwrap_or_default();
    });
}

/// Why the last failed call of this thread failed: one line. Empty if none has.
///
/// The text belongs to the library, and is valid until the next call of this thread that fails.
#[unsafe(no_mangle)]
pub extern "C" fn rsvp_last_error() -> *const c_char {
    LAST_ERROR.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}
