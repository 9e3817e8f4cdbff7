//! Contents of messages, in short.

use rsvp_core::wire::{
    FilterSpec, FlowDescriptor, Flowspec, Message, Path, PathErr, PathTear, RawObject, Resv, ResvConf,
    ResvErr, ResvTear, Rspec, SenderTspec, Srefresh, Tspec,
};

use crate::bench::plan::B;

/// A token bucket of n times the base quantity [`B`].
#[must_use]
pub fn bucket(n: f32) -> Tspec {
    Tspec { rate: n * B, bucket: n * B, peak: n * B, min_unit: 64, max_packet: 1500 }
}

/// A SENDER_TSPEC of n times [`B`].
#[must_use]
pub fn tspec(n: f32) -> SenderTspec {
    SenderTspec::TokenBucket(bucket(n))
}

/// A controlled-load FLOWSPEC of n times [`B`].
#[must_use]
pub fn cl(n: f32) -> Flowspec {
    Flowspec::ControlledLoad(bucket(n))
}

/// A guaranteed-service FLOWSPEC of n times [`B`], without slack.
#[must_use]
pub fn gs(n: f32) -> Flowspec {
    Flowspec::Guaranteed(bucket(n), Rspec { rate: n * B, slack: 0 })
}

/// One flow descriptor of an FF reservation.
#[must_use]
pub fn ff(flowspec: Flowspec, sender: FilterSpec) -> FlowDescriptor {
    FlowDescriptor { flowspec: Some(flowspec), filters: vec![sender] }
}

/// The flow descriptor of an SE reservation.
#[must_use]
pub fn se(flowspec: Flowspec, senders: &[FilterSpec]) -> FlowDescriptor {
    FlowDescriptor { flowspec: Some(flowspec), filters: senders.to_vec() }
}

/// The flow descriptor of a WF reservation.
#[must_use]
pub fn wf(flowspec: Flowspec) -> FlowDescriptor {
    FlowDescriptor { flowspec: Some(flowspec), filters: Vec::new() }
}

/// The ADSPEC of a way of three hops: a megabyte per second, 500 microseconds, an MTU of 1500; no service says more.
#[must_use]
pub fn adspec() -> RawObject {
    let contents =
        hex("00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc");
    object(13, 2, &contents)
}

/// Any object.
#[must_use]
pub fn object(class: u8, ctype: u8, contents: &[u8]) -> RawObject {
    RawObject { class, ctype, contents: contents.to_vec() }
}

/// What some senders share: a rate in units of [`B`], and the senders, none for all.
pub type Share = (f32, Vec<FilterSpec>);

/// Flow descriptors in short, sorted by their senders.
///
/// # Panics
///
/// When a flow descriptor has no rate.
#[must_use]
pub fn shares<'a>(flows: impl IntoIterator<Item = &'a FlowDescriptor>) -> Vec<Share> {
    let share = |flow: &FlowDescriptor| {
        let tspec = flow.flowspec.as_ref().and_then(Flowspec::tspec).expect("a flowspec with a token bucket");
        let mut senders = flow.filters.clone();
        senders.sort_unstable();
        (tspec.rate / B, senders)
    };
    let mut shares: Vec<Share> = flows.into_iter().map(share).collect();
    shares.sort_by(|one, other| one.1.cmp(&other.1));
    shares
}

/// Bytes from hexadecimal digits; white space does not count.
///
/// # Panics
///
/// When there is something else.
#[must_use]
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let digit = |c: char| u8::try_from(c.to_digit(16).expect("a hexadecimal digit")).expect("below 16");
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// One of the message types.
pub trait Kind: Sized + Clone + std::fmt::Debug {
    /// Its name.
    const NAME: &'static str;

    /// The message, if it is of this type.
    fn of(message: Message) -> Option<Self>;

    /// As one of all messages.
    fn into_message(self) -> Message;
}

macro_rules! kinds {
    ($($kind:ident)*) => {
        $(impl Kind for $kind {
            const NAME: &'static str = stringify!($kind);

            fn of(message: Message) -> Option<Self> {
                match message {
                    Message::$kind(message) => Some(message),
                    _ => None,
                }
            }

            fn into_message(self) -> Message {
                Message::$kind(self)
            }
        })*
    };
}

kinds! { Path Resv PathErr ResvErr PathTear ResvTear ResvConf Srefresh }

/// An Ack message (RFC 2961 section 4.4): all that it says is in its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack;

impl Kind for Ack {
    const NAME: &'static str = "Ack";

    fn of(message: Message) -> Option<Self> {
        (message == Message::Ack).then_some(Self)
    }

    fn into_message(self) -> Message {
        Message::Ack
    }
}

/// Any message.
impl Kind for Message {
    const NAME: &'static str = "message";

    fn of(message: Message) -> Option<Self> {
        Some(message)
    }

    fn into_message(self) -> Message {
        self
    }
}
