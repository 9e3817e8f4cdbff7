//! Faults of a device that the bench makes itself, between testers and device: does the suite find them?
//!
//! An [`Alteration`] changes one behaviour of whatever device there is, as a faulty one would show it. The packets are
//! changed on their way to the testers, or to the device: what does not come to the device's ears it does not heed.
//! Checksums are right, except where that is the fault.

mod fault;
mod kinds;
mod memory;
mod proxy;

#[cfg(test)]
mod tests;

use std::fmt;
use std::rc::Rc;

use crate::alter::fault::Fault;
use crate::alter::proxy::Altered;
use crate::bench::Interposition;

pub use kinds::kinds;

/// One behaviour that is altered.
#[derive(Clone, Copy)]
pub struct Alteration {
    /// Its name, for the command line.
    pub name: &'static str,
    /// What the device does then.
    pub text: &'static str,
    /// The requirement that this breaks.
    pub clause: &'static str,
    fault: fn() -> Box<dyn Fault>,
}

impl Alteration {
    /// The alteration of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        kinds().find(|kind| kind.name == name)
    }

    /// Alters every device of a laboratory.
    #[must_use]
    pub fn interposition(&self) -> Interposition {
        let fault = self.fault;
        Rc::new(move |device| Box::new(Altered::new(device, fault())))
    }
}

impl fmt::Debug for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
