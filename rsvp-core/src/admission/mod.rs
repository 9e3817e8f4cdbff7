//! Admission control: a trait that an embedder may replace, and the default bandwidth pools.

mod pools;

pub use pools::BandwidthPools;

use crate::config::InterfaceConfig;
use crate::intserv::Hop;
use crate::output::PoliceFlags;
use crate::wire::{Adspec, ErrorCode, Flowspec, SenderTspec, SessionKey};

/// Decides what may be reserved. The node keeps the books ([`Ledger`]) and can undo every decision.
pub trait Admission: Send {
    /// Whether the reservation may be made, or changed from `old` to `new`. It never refuses one that takes no more
    /// than `old` did: what is no longer asked for has to be given back, however small the pool has become.
    fn admit(&self, request: &AdmissionRequest<'_>) -> Decision;

    /// The bytes per second that a flowspec takes from a pool. The node asks for no more than the senders send: for
    /// [`intserv::effective`](crate::intserv::effective) of TC_Flowspec and Path_Te.
    fn bandwidth(&self, flowspec: &Flowspec) -> u64;

    /// TC_Advertise: the ADSPEC of a Path that leaves by an interface with these properties (RFC 2205 section 3.11.2).
    fn advertise(&self, adspec: &Adspec, hop: &Hop) -> Adspec;
}

/// What admission control gets to see.
#[derive(Clone, Copy, Debug)]
pub struct AdmissionRequest<'a> {
    /// The session.
    pub session: &'a SessionKey,
    /// The flowspec in place, if this is a change.
    pub old: Option<&'a Flowspec>,
    /// The bytes per second that it takes; zero if there is none.
    pub held: u64,
    /// The flowspec wanted (TC_Flowspec).
    pub new: &'a Flowspec,
    /// The senders' TSpecs, summed (Path_Te).
    pub sender_tspec: Option<&'a SenderTspec>,
    /// The ADSPEC of the path.
    pub adspec: Option<&'a Adspec>,
    /// Where it would be policed.
    pub police: PoliceFlags,
    /// The books of the outgoing interface.
    pub ledger: &'a Ledger,
    /// The settings of the outgoing interface.
    pub config: &'a InterfaceConfig,
    /// Largest IP packet of the outgoing interface, in bytes.
    pub mtu: u32,
}

/// The books of one interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Bytes per second that reservations in place take.
    pub reserved: u64,
    /// Reservations in place.
    pub reservations: usize,
}

impl Ledger {
    pub(crate) fn take(&mut self, bandwidth: u64) {
        self.reserved = self.reserved.saturating_add(bandwidth);
        self.reservations += 1;
    }

    pub(crate) fn release(&mut self, bandwidth: u64) {
        self.reserved = self.reserved.saturating_sub(bandwidth);
        self.reservations = self.reservations.saturating_sub(1);
    }
}

/// The answer of admission control.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Yes; pass `fwd` upstream instead of the flowspec, if given.
    Admit {
        /// Fwd_Flowspec.
        fwd: Option<Flowspec>,
    },
    /// No: error code and value for the ResvErr.
    Reject {
        /// Error code (RFC 2205 Appendix B).
        code: ErrorCode,
        /// Error value.
        value: u16,
    },
}
