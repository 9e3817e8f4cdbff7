//! What C hands in, checked as far as that can be done: pointers, arrays, texts.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::slice;

use serde::de::DeserializeOwned;

use crate::fault::Fault;

/// What a pointer points to.
///
/// # Safety
///
/// It is NULL, or points to a valid `T` that stays as it is for `'a`.
pub(crate) unsafe fn read<'a, T>(pointer: *const T, what: &str) -> Result<&'a T, Fault> {
    // SAFETY: the caller promises it.
    unsafe { pointer.as_ref() }.ok_or_else(|| Fault::null(what))
}

/// Where a result goes. It may be uninitialised.
///
/// # Safety
///
/// The pointer is NULL, or nothing else uses the room for a `T` that it points to for `'a`.
pub(crate) unsafe fn target<'a, T>(pointer: *mut T, what: &str) -> Result<&'a mut MaybeUninit<T>, Fault> {
    // SAFETY: the caller promises it; a MaybeUninit takes whatever is there.
    unsafe { pointer.cast::<MaybeUninit<T>>().as_mut() }.ok_or_else(|| Fault::null(what))
}

/// An array. NULL is right for an empty one.
///
/// # Safety
///
/// The pointer is NULL, or points to `length` valid `T`s that stay as they are for `'a`.
pub(crate) unsafe fn array<'a, T>(pointer: *const T, length: usize, what: &str) -> Result<&'a [T], Fault> {
    if length == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Fault::null(what));
    }
    if length > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(Fault::argument(format!("{what}: {length} is no length that anything can have")));
    }
    // SAFETY: it is not NULL, no object is longer, and the caller promises the rest.
    Ok(unsafe { slice::from_raw_parts(pointer, length) })
}

/// A text.
///
/// # Safety
///
/// The pointer is NULL, or points to a NUL-terminated string that stays as it is for `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, what: &str) -> Result<&'a str, Fault> {
    if pointer.is_null() {
        return Err(Fault::null(what));
    }
    // SAFETY: it is not NULL, and the caller promises the rest.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|error| Fault::json(format!("{what} is not UTF-8: {error}")))
}

/// What a JSON text says.
///
/// # Safety
///
/// As for [`text`].
pub(crate) unsafe fn json<T: DeserializeOwned>(pointer: *const c_char, what: &str) -> Result<T, Fault> {
    // SAFETY: the caller promises it.
    let text = unsafe { self::text(pointer, what) }?;
    serde_json::from_str(text).map_err(|error| Fault::json(format!("{what}: {error}")))
}
