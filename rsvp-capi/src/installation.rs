//! What traffic control is to do for a reservation.

use std::ptr;

use rsvp_core::output::{self, Conditioning};
use rsvp_core::wire::{self, FilterSpec, SenderTspec};

use crate::types::Address;

/// A session: where its packets go.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Destination address.
    pub destination: Address,
    /// IP protocol.
    pub protocol: u8,
    /// Destination port; 0: any, or the protocol has none.
    pub port: u16,
}

/// What tells a sender's packets from those of others, beside the source address.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterKind {
    /// The source port; 0: any, or the protocol has none.
    Port,
    /// The IPv6 flow label.
    FlowLabel,
    /// The security parameter index of IPsec (RFC 2207).
    Spi,
    /// Something that this version of the interface does not tell.
    Other,
}

/// A sender: where packets come from.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// What `value` is.
    pub kind: FilterKind,
    /// Source address.
    pub source: Address,
    /// Port, flow label or security parameter index.
    pub value: u32,
}

/// A token bucket (RFC 2210 section 3.1).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tspec {
    /// r, the bucket's rate in octets per second.
    pub rate: f32,
    /// b, its depth in octets.
    pub bucket: f32,
    /// p, the peak rate in octets per second; may be infinite.
    pub peak: f32,
    /// m, the minimum policed unit in octets.
    pub min_unit: u32,
    /// M, the largest packet in octets.
    pub max_packet: u32,
}

/// The services.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Controlled load (RFC 2211): `tspec`.
    ControlledLoad,
    /// Guaranteed service (RFC 2212): `tspec`, `rate`, `slack`.
    Guaranteed,
    /// Null service (RFC 2997): `tspec.max_packet` alone.
    Null,
    /// Another: `ctype`, `contents`.
    Other,
}

/// What a flow gets. What its service does not use is zero.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Flowspec {
    /// The service.
    pub service: Service,
    /// The traffic that it is given to.
    pub tspec: Tspec,
    /// R, the rate of guaranteed service in octets per second.
    pub rate: f32,
    /// S, its slack in microseconds.
    pub slack: u32,
    /// C-Type of a FLOWSPEC that is not interpreted.
    pub ctype: u8,
    /// Contents of a FLOWSPEC that is not interpreted, without the object header; else NULL.
    pub contents: *const u8,
    /// Their length in octets.
    pub length: usize,
}

/// What is done with packets beyond the token bucket of their flow.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// The service has no token bucket.
    None,
    /// They are best effort, or discarded (`discards`).
    Police,
    /// All wait until they conform; what no longer fits into the buffer does not.
    Reshape,
}

/// What traffic control is to do for a reservation. All of it belongs to the node.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Installation {
    /// Its name.
    pub id: u64,
    /// The interface that the packets leave by.
    pub interface: u32,
    /// Whose packets. The virtual port of an IPsec session (RFC 2207) is 0 here, since packets have none.
    pub session: Session,
    /// Which senders' packets.
    pub filters: *const Filter,
    /// How many. 0: all senders' (wildcard).
    pub filter_count: usize,
    /// What they get (TC_Flowspec).
    pub flowspec: Flowspec,
    /// What the senders said they send, summed (Path_Te); NULL: they said nothing that is a token bucket.
    pub sender_tspec: *const Tspec,
    /// Where to police: RSVP_POLICE_ENTRY, RSVP_POLICE_MERGE, RSVP_POLICE_BRANCH, or-ed.
    pub police: u8,
    /// How to keep the flow to its token bucket.
    pub handling: Handling,
    /// 1 if what does not conform is discarded where it is policed, 0 if it is best effort.
    pub discards: u8,
    /// For guaranteed service: octets of IP packets that may have to wait here at most (RFC 2212, "Policing"); else 0.
    pub buffer: u32,
}

/// An installation, and what its C form points into.
#[derive(Default)]
pub(crate) struct Installed {
    source: Option<output::Installation>,
    filters: Vec<Filter>,
    sender_tspec: Option<Tspec>,
    form: Option<Installation>,
}

impl Installed {
    /// Keeps an installation, and gives its C form, which is valid until the next is kept.
    pub(crate) fn keep(&mut self, source: output::Installation) -> &Installation {
        self.filters = source.filters.iter().map(Filter::from).collect();
        self.sender_tspec = source.sender_tspec.as_ref().and_then(token_bucket);
        let source = self.source.insert(source);
        let flow = source.session.flow();
        self.form.insert(Installation {
            id: source.id.0,
            interface: source.interface.0,
            session: Session {
                destination: flow.destination.into(),
                protocol: flow.protocol,
                port: flow.port,
            },
            filters: if self.filters.is_empty() { ptr::null() } else { self.filters.as_ptr() },
            filter_count: self.filters.len(),
            flowspec: Flowspec::from(&source.flowspec),
            sender_tspec: self.sender_tspec.as_ref().map_or(ptr::null(), ptr::from_ref),
            police: source.police.bits(),
            handling: match source.conditioning() {
                None => Handling::None,
                Some(Conditioning::Police) => Handling::Police,
                Some(Conditioning::Reshape) => Handling::Reshape,
            },
            discards: source.discards.into(),
            buffer: source.buffer.unwrap_or(0),
        })
    }
}

fn token_bucket(tspec: &SenderTspec) -> Option<Tspec> {
    match tspec {
        SenderTspec::TokenBucket(tspec) | SenderTspec::TokenBucketOrNull { tspec, .. } => Some(tspec.into()),
        _ => None,
    }
}

impl From<&wire::Tspec> for Tspec {
    fn from(&wire::Tspec { rate, bucket, peak, min_unit, max_packet }: &wire::Tspec) -> Self {
        Self { rate, bucket, peak, min_unit, max_packet }
    }
}

impl From<&FilterSpec> for Filter {
    fn from(filter: &FilterSpec) -> Self {
        let (kind, value) = match *filter {
            FilterSpec::FlowLabel { label, .. } => (FilterKind::FlowLabel, label),
            FilterSpec::Gpi { spi, .. } => (FilterKind::Spi, spi),
            FilterSpec::Ip { port, .. } => (FilterKind::Port, port.into()),
            _ => (FilterKind::Other, 0),
        };
        Self { kind, source: filter.source().into(), value }
    }
}

impl From<&wire::Flowspec> for Flowspec {
    fn from(flowspec: &wire::Flowspec) -> Self {
        let nothing = Self {
            service: Service::Other,
            tspec: Tspec::default(),
            rate: 0.0,
            slack: 0,
            ctype: 0,
            contents: ptr::null(),
            length: 0,
        };
        match flowspec {
            wire::Flowspec::ControlledLoad(tspec) => {
                Self { service: Service::ControlledLoad, tspec: tspec.into(), ..nothing }
            }
            wire::Flowspec::Guaranteed(tspec, rspec) => Self {
                service: Service::Guaranteed,
                tspec: tspec.into(),
                rate: rspec.rate,
                slack: rspec.slack,
                ..nothing
            },
            wire::Flowspec::Null { max_packet } => Self {
                service: Service::Null,
                tspec: Tspec { max_packet: *max_packet, ..Tspec::default() },
                ..nothing
            },
            wire::Flowspec::Opaque(object) => Self {
                ctype: object.ctype,
                contents: object.contents.as_ptr(),
                length: object.contents.len(),
                ..nothing
            },
            _ => nothing,
        }
    }
}
