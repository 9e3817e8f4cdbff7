//! Messages taken apart.

use std::ffi::{CString, c_char};

use crate::fault::{self, Fault, Status};
use crate::pointer;

/// Takes an RSVP message apart, given from the common header on, to one line of JSON: what `rsvp-cli decode --json`
/// prints, without what only a packet tells (docs/decode.md). A damaged message is no error; the JSON says what is wrong with it.
///
/// `json` takes a text that is the caller's: free it with rsvp_string_free(). NULL if the call fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_decode_json(
    message: *const u8,
    length: usize,
    json: *mut *mut c_char,
) -> Status {
    fault::run(|| {
        // SAFETY: the caller keeps the rules at the top of the header, here and below.
        let target = unsafe { pointer::target(json, "json") }?.write(std::ptr::null_mut());
        // SAFETY: as above.
        let message = unsafe { pointer::array(message, length, "message") }?;
        let line = rsvp_decode::message_line(message).map_err(|error| Fault::json(error.to_string()))?;
        *target = CString::new(line).map_err(|error| Fault::json(error.to_string()))?.into_raw();
        Ok(Status::Ok)
    })
}

/// Frees a text that rsvp_decode_json() gave. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsvp_string_free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: rsvp_decode_json made it with CString::into_raw, and the caller frees it once.
        drop(unsafe { CString::from_raw(text) });
    }
}
