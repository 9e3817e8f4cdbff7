//! Contents of messages, in short.

use rsvp_core::wire::{
    FilterSpec, FlowDescriptor, Flowspec, Message, Path, PathErr, PathTear, Resv, ResvConf, ResvErr,
    ResvTear, Rspec, SenderTspec, Tspec,
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

kinds! { Path Resv PathErr ResvErr PathTear ResvTear ResvConf }
