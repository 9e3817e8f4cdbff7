//! RFC 2211, 2212, 2215 and 2997: the services.

pub(crate) mod admission;
pub(crate) mod parameters;
