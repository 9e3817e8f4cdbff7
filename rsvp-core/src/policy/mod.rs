//! Policy control (RFC 2205 section 2.7): a trait that an embedder may replace, and the default rules of the configuration.

mod local;

pub use local::LocalPolicy;

use alloc::vec::Vec;
use core::fmt;
use core::net::{AddrParseError, IpAddr};
use core::str::FromStr;

use crate::input::InterfaceId;
use crate::wire::{
    ErrorCode, FilterSpec, Flowspec, RawObject, SenderTemplate, SenderTspec, SessionKey, Style,
};

/// Decides who may announce and who may reserve, and what becomes of POLICY_DATA, which nobody else interprets.
///
/// It is asked when a request would create or change state: an equal refresh of what stands does not come here, while a
/// request that was refused, and left no state, comes again whenever it is repeated. When its mind changes, the embedder
/// gives [`Command::ReviewPolicy`](crate::Command::ReviewPolicy), and all state is asked about anew. Admission control is
/// asked after it, and only about what it accepts.
pub trait Policy: Send {
    /// Whether the request may be carried out.
    fn decide(&self, request: &PolicyRequest<'_>) -> Verdict;
}

/// What policy control gets to see.
#[derive(Clone, Copy, Debug)]
pub struct PolicyRequest<'a> {
    /// The session.
    pub session: &'a SessionKey,
    /// Who asks for what.
    pub subject: PolicySubject<'a>,
    /// POLICY_DATA, as it came.
    pub data: &'a [RawObject],
    /// The rules of the configuration.
    pub rules: &'a [PolicyRule],
}

/// Who asks for what.
#[derive(Clone, Copy, Debug)]
pub enum PolicySubject<'a> {
    /// A sender announces itself, with a Path or through the API.
    Sender {
        /// Who.
        sender: &'a SenderTemplate,
        /// What it sends.
        tspec: &'a SenderTspec,
        /// Previous hop and incoming interface; `None` for a local application.
        previous_hop: Option<(IpAddr, InterfaceId)>,
    },
    /// A receiver reserves, with a Resv or through the API.
    Reservation {
        /// Style.
        style: Style,
        /// What it asks for.
        flowspec: &'a Flowspec,
        /// The bytes per second that this takes ([`Admission::bandwidth`](crate::admission::Admission::bandwidth)).
        bandwidth: u64,
        /// For whom; for WF the senders that are known.
        senders: &'a [FilterSpec],
        /// The next hop's address; of a local application its receiver's.
        receiver: IpAddr,
        /// The outgoing interface; `None` for a local application.
        interface: Option<InterfaceId>,
    },
}

/// The answer of policy control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes; send this POLICY_DATA on instead of what came, if given.
    Accept {
        /// POLICY_DATA objects for the next nodes.
        data: Option<Vec<RawObject>>,
    },
    /// No: error code and value for the PathErr or ResvErr.
    Reject {
        /// Error code, normally [`ErrorCode::POLICY_CONTROL_FAILURE`].
        code: ErrorCode,
        /// Error value.
        value: u16,
    },
}

/// One of the rules of [`LocalPolicy`]; the first that matches decides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PolicyRule {
    /// The senders that it is for; `None`: all.
    pub sender: Option<Prefix>,
    /// The receivers that it is for, by the session's destination or the next hop; `None`: all.
    pub receiver: Option<Prefix>,
    /// What it says.
    pub action: PolicyAction,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum PolicyAction {
    /// Accept.
    Allow,
    /// Refuse.
    Deny,
    /// Accept senders, and reservations of at most so many bytes per second.
    Limit(u64),
}

/// A range of addresses: those that share the first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// The addresses that have the first `length` bits of `address`; `None` if an address has fewer.
    #[must_use]
    pub const fn new(address: IpAddr, length: u8) -> Option<Self> {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        if length > bits {
            return None;
        }
        Some(Self { address, length })
    }

    /// Whether the addresses are IPv4.
    #[must_use]
    pub const fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether an address is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let differ = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differ >= u32::from(self.length)
    }
}

/// Why a text is no [`Prefix`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadPrefix {
    /// The address is none.
    Address(AddrParseError),
    /// What is behind the slash is no number of bits that an address has.
    Length,
}

impl fmt::Display for BadPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address(_) => "a prefix is an address with its length, as 192.0.2.0/24 or 2001:db8::/32",
            Self::Length => "the length of a prefix is at most 32 (IPv4) or 128 (IPv6)",
        })
    }
}

impl core::error::Error for BadPrefix {}

impl FromStr for Prefix {
    type Err = BadPrefix;

    /// Reads `ADDRESS/LENGTH`, or an address alone.
    fn from_str(text: &str) -> Result<Self, BadPrefix> {
        let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
        let address: IpAddr = address.parse().map_err(BadPrefix::Address)?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(all), str::parse).map_err(|_| BadPrefix::Length)?;
        Self::new(address, length).ok_or(BadPrefix::Length)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}
