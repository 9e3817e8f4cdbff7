//! Admission control and the rest of what RSVP asks of traffic control: a trait that an embedder may replace, and the
//! default bandwidth pools.

mod pools;

pub use pools::BandwidthPools;

use crate::config::InterfaceConfig;
use crate::input::InterfaceId;
use crate::intserv::{self, BadSpec, Hop, Relation};
use crate::output::PoliceFlags;
use crate::wire::{Adspec, ErrorCode, Flowspec, SenderTspec, SessionKey};

/// Decides what may be reserved. The node keeps the books ([`Ledger`]) and can undo every decision.
///
/// FLOWSPEC, SENDER_TSPEC and ADSPEC are opaque to RSVP (RFC 2205 section 1): whatever is done with their contents is done
/// here. The methods with a default know the integrated services ([`intserv`]); with services of your own, replace those
/// too, and leave to the defaults what you do not know yourself.
pub trait Admission: Send {
    /// Whether the reservation may be made, or changed from `old` to `new`. It never refuses one that takes no more
    /// than `old` did: what is no longer asked for has to be given back, however small the pool has become.
    fn admit(&self, request: &AdmissionRequest<'_>) -> Decision;

    /// The bytes per second that a flowspec takes from a pool. The node asks for no more than the senders send: for
    /// [`effective`](Self::effective) of TC_Flowspec and Path_Te.
    fn bandwidth(&self, flowspec: &Flowspec) -> u64;

    /// TC_Advertise: the ADSPEC of a Path that leaves by this interface, which has the properties of `hop`
    /// (RFC 2205 section 3.11.2). [`Hop::non_rsvp`] is the Non_RSVP_Hop flag.
    fn advertise(&self, interface: InterfaceId, adspec: &Adspec, hop: &Hop) -> Adspec;

    /// Whether the SENDER_TSPEC and ADSPEC of a Path are possible ones.
    ///
    /// # Errors
    ///
    /// Error code and value for the PathErr.
    fn check_sender(&self, tspec: &SenderTspec, adspec: Option<&Adspec>) -> Result<(), BadSpec> {
        intserv::validate_tspec(tspec)?;
        adspec.map_or(Ok(()), intserv::validate_adspec)
    }

    /// Whether the FLOWSPEC of a Resv is a possible one.
    ///
    /// # Errors
    ///
    /// Error code and value for the ResvErr.
    fn check_flowspec(&self, flowspec: &Flowspec) -> Result<(), BadSpec> {
        intserv::validate_flowspec(flowspec)
    }

    /// Compare_Flowspecs (RFC 2205 section 3.11.6).
    fn compare(&self, first: &Flowspec, second: &Flowspec) -> Relation {
        intserv::compare(first, second)
    }

    /// LUB_of_Flowspecs: the smallest that substitutes for both; `None` if they cannot be merged, which is a service
    /// conflict (error code 21, value 1).
    fn lub(&self, first: &Flowspec, second: &Flowspec) -> Option<Flowspec> {
        intserv::lub(first, second)
    }

    /// GLB_of_Flowspecs: the largest that both substitute for; `None` if they cannot be merged.
    fn glb(&self, first: &Flowspec, second: &Flowspec) -> Option<Flowspec> {
        intserv::glb(first, second)
    }

    /// Sum_of_Tspecs (RFC 2205 section 3.11.6): Path_Te. `None` if there are none, or they are not of one kind.
    fn sum(&self, tspecs: &[&SenderTspec]) -> Option<SenderTspec> {
        intserv::sum(tspecs.iter().copied())
    }

    /// The lesser of what is asked for and what the senders send (Path_Te): what is installed (RFC 2205 section 2.2).
    fn effective(&self, flowspec: &Flowspec, path_te: &SenderTspec) -> Flowspec {
        intserv::effective(flowspec, path_te)
    }
}

/// What admission control gets to see.
#[derive(Clone, Copy, Debug)]
pub struct AdmissionRequest<'a> {
    /// The session; a virtual port (RFC 2207) is 0 here, since packets have none.
    pub session: &'a SessionKey,
    /// The outgoing interface.
    pub interface: InterfaceId,
    /// The flowspec in place, if this is a change.
    pub old: Option<&'a Flowspec>,
    /// The bytes per second that it takes; zero if there is none.
    pub held: u64,
    /// The same with link headers.
    pub held_on_link: u64,
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
    /// Bytes per second that they take of the link: the same with link headers (RFC 2212, "Guidelines for Implementors").
    pub on_link: u64,
    /// Reservations in place.
    pub reservations: usize,
    /// Those of them with guaranteed service.
    pub guaranteed: usize,
}

impl Ledger {
    pub(crate) fn take(&mut self, claim: Claim) {
        self.reserved = self.reserved.saturating_add(claim.bandwidth);
        self.on_link = self.on_link.saturating_add(claim.on_link);
        self.reservations += 1;
        self.guaranteed += usize::from(claim.is_guaranteed);
    }

    pub(crate) fn release(&mut self, claim: Claim) {
        self.reserved = self.reserved.saturating_sub(claim.bandwidth);
        self.on_link = self.on_link.saturating_sub(claim.on_link);
        self.reservations = self.reservations.saturating_sub(1);
        self.guaranteed = self.guaranteed.saturating_sub(usize::from(claim.is_guaranteed));
    }
}

/// What one reservation takes of its interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Bytes per second.
    pub(crate) bandwidth: u64,
    /// Bytes per second with link headers.
    pub(crate) on_link: u64,
    pub(crate) is_guaranteed: bool,
}

impl Claim {
    /// A flowspec that takes so many bytes per second, on a link whose header has so many bytes.
    pub(crate) fn new(bandwidth: u64, flowspec: &Flowspec, link_header: u32) -> Self {
        let with_headers = |tspec| {
            #[expect(clippy::cast_precision_loss, reason = "rates beyond 2^53 B/s are out of range")]
            let rate = bandwidth as f64;
            intserv::round_up(intserv::rate_on_link(rate, tspec, link_header))
        };
        Self {
            bandwidth,
            on_link: flowspec.tspec().map_or(bandwidth, with_headers),
            is_guaranteed: matches!(flowspec, Flowspec::Guaranteed(..)),
        }
    }

    /// Enough for either.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            bandwidth: self.bandwidth.max(other.bandwidth),
            on_link: self.on_link.max(other.on_link),
            is_guaranteed: self.is_guaranteed || other.is_guaranteed,
        }
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
