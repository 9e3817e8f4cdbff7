//! Bytes to and from typed messages and objects (RFC 2205 section 3.1 and Appendix A, RFC 2961). No state.
//!
//! A datagram is one message, or a [`Bundle`] of several; [`messages`] makes no difference.
//!
//! Decoding a message has two stages. [`RawMessage::decode`] checks the common header and cuts the message into objects; nothing
//! is lost, and encoding gives the same bytes again. [`Message::parse`] then interprets the objects. A message that
//! fails the second stage can still be answered from the first: [`DecodeError::reply`] names the error code,
//! [`RawMessage::error_reply`] makes the PathErr or ResvErr.
//!
//! [`Message::encode`] writes the objects in the order of RFC 2205's grammar, with length and checksum.
//!
//! What RFC 2961 puts in front of any message, MESSAGE_ID and acknowledgements, is the [`Head`]. It belongs to one hop
//! and not to what the message says, so a [`Message`] does not have it: [`Head::split`] reads it,
//! [`Message::encode_with`] writes it.

mod adspec;
mod bundle;
mod code;
mod encode;
mod error;
mod error_spec;
mod filter_spec;
mod flowspec;
mod hop;
mod message;
mod message_id;
mod object;
mod parse;
mod raw;
mod reader;
mod sender_tspec;
mod service;
mod session;
mod style;
#[cfg(feature = "serde")]
mod unlimited;

pub use adspec::{
    Adspec, GeneralParameters, GuaranteedFragment, INDETERMINATE_LATENCY, IntServAdspec, Overrides,
    RawFragment, ServiceFragment,
};
pub use bundle::{Bundle, BundleMessages, BundleParts, messages};
pub use code::{ClassNum, MessageType, UnknownClassAction, ctype};
pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use error_spec::{ErrorCode, ErrorSpec, admission_failure, policy_failure, traffic_control_error};
pub use filter_spec::{FilterSpec, SenderTemplate};
pub use flowspec::{Flowspec, Rspec, Tspec};
pub use hop::RsvpHop;
pub(crate) use hop::is_unicast;
pub use message::{
    FlowDescriptor, Header, Message, Path, PathErr, PathTear, Resv, ResvConf, ResvErr, ResvTear,
};
pub(crate) use message_id::ListWriter;
pub use message_id::{Acknowledgement, FlaggedId, Head, IdEntries, IdList, MessageId, Srefresh};
pub use object::{Object, RawObject, RawObjectAt};
pub(crate) use raw::seal;
pub use raw::{CommonHeader, PartialMessage, RawMessage};
pub use sender_tspec::SenderTspec;
pub use service::ServiceNumber;
pub use session::{FlowKey, Session, SessionKey};
pub use style::Style;
