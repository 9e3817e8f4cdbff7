//! One line of JSON per message. The format is documented in `docs/decode.md`, and is stable.

use std::net::IpAddr;

use rsvp_core::wire::{
    Acknowledgement, Adspec, CommonHeader, DecodeError, ErrorSpec, FilterSpec, FlaggedId, FlowKey, Flowspec,
    Header, IdEntries, IdList, IntServAdspec, MessageType, Object, RawObject, Rspec, RsvpHop, SenderTspec,
    Session, SessionKey, Tspec,
};
use serde::{Serialize, Serializer};

use crate::record::{Checksum, Message, Record};

/// A record as one line.
///
/// # Errors
///
/// When an address or a number cannot be written, which does not happen.
pub fn line(record: &Record<'_>) -> serde_json::Result<String> {
    let packet = record.packet.as_ref();
    serde_json::to_string(&Line {
        frame: record.frame,
        time: record.time.map(|time| humantime::format_rfc3339_nanos(time).to_string()),
        src: packet.map(|packet| packet.source),
        dst: packet.map(|packet| packet.destination),
        ttl: packet.map(|packet| packet.ttl),
        router_alert: packet.map(|packet| packet.router_alert),
        udp_port: packet.and_then(|packet| packet.udp_port),
        message: MessageLine::new(record.message.as_ref(), record.error.as_deref()),
    })
}

/// A message that is at hand without a packet, as one line: the fields of [`line()`] that tell of the message.
///
/// ```
/// let line = rsvp_decode::message_line(&[0x10, 13, 0, 0, 255, 0, 0, 8])?;
/// assert!(line.starts_with(r#"{"message":"Ack","type":13,"#) && line.ends_with(r#""error":null}"#));
/// let line = rsvp_decode::message_line(&[0x10, 13])?;
/// assert!(line.contains(r#""error":"8 octets needed, 2 there"#));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// As [`line()`].
pub fn message_line(message: &[u8]) -> serde_json::Result<String> {
    let (message, error) = Message::whole(message);
    serde_json::to_string(&MessageLine::new(Some(&message), error.as_deref()))
}

#[derive(Serialize)]
struct Line<'a> {
    frame: u64,
    time: Option<String>,
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    ttl: Option<u8>,
    router_alert: Option<bool>,
    udp_port: Option<u16>,
    #[serde(flatten)]
    message: MessageLine<'a>,
}

/// A message of its own, or in a Bundle.
#[derive(Serialize)]
struct MessageLine<'a> {
    message: Option<&'static str>,
    r#type: Option<u8>,
    flags: Option<u8>,
    refresh_reduction_capable: Option<bool>,
    send_ttl: Option<u8>,
    length: Option<u16>,
    checksum: Option<Checksum>,
    objects: Vec<ObjectLine<'a>>,
    /// Only in a Bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Self>>,
    error: Option<&'a str>,
}

impl<'a> MessageLine<'a> {
    fn new(message: Option<&'a Message>, error: Option<&'a str>) -> Self {
        let header = message.and_then(|message| message.header.as_ref());
        let objects = message.into_iter().flat_map(|message| &message.objects);
        let messages = message.filter(|_| header.is_some_and(is_bundle)).map(|message| {
            message.bundled.iter().map(|(one, error)| Self::new(Some(one), error.as_deref())).collect()
        });
        Self {
            message: header.and_then(|header| header.message_type.name()),
            r#type: header.map(|header| header.message_type.0),
            flags: header.map(|header| header.flags),
            refresh_reduction_capable: header.map(|header| header.flags & Header::REFRESH_REDUCTION != 0),
            send_ttl: header.map(|header| header.send_ttl),
            length: header.map(|header| header.length),
            checksum: message.map(|message| message.checksum),
            objects: objects.map(|(raw, decoded)| ObjectLine::new(raw, decoded)).collect(),
            messages,
            error,
        }
    }
}

fn is_bundle(header: &CommonHeader) -> bool {
    header.message_type == MessageType::BUNDLE
}

#[derive(Serialize)]
struct ObjectLine<'a> {
    class: u8,
    ctype: u8,
    length: usize,
    name: Option<&'static str>,
    #[serde(flatten)]
    fields: Fields<'a>,
}

/// The contents of an object. Where the engine's own types have the fields, they are the fields.
#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    Session {
        kind: &'static str,
        #[serde(flatten)]
        flow: &'a FlowKey,
        flags: u8,
    },
    Hop(&'a RsvpHop),
    TimeValues {
        refresh_ms: u32,
    },
    ErrorSpec {
        #[serde(flatten)]
        spec: &'a ErrorSpec,
        code_name: Option<&'static str>,
        value_name: Option<&'static str>,
    },
    Scope {
        sources: &'a [IpAddr],
    },
    Style {
        style: String,
    },
    Filter {
        source: IpAddr,
        #[serde(skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        flow_label: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        spi: Option<u32>,
    },
    Service {
        service: &'static str,
        tspec: &'a Tspec,
        #[serde(skip_serializing_if = "Option::is_none")]
        rspec: Option<&'a Rspec>,
        #[serde(skip_serializing_if = "Option::is_none")]
        null_max_packet: Option<u32>,
    },
    NullService {
        service: &'static str,
        max_packet: u32,
    },
    Adspec(&'a IntServAdspec),
    ResvConfirm {
        receiver: IpAddr,
    },
    MessageId {
        flags: u8,
        ack_desired: bool,
        epoch: u32,
        id: u32,
    },
    MessageIdAck {
        kind: &'static str,
        flags: u8,
        epoch: u32,
        id: u32,
    },
    MessageIdList {
        kind: &'static str,
        flags: u8,
        epoch: u32,
        entries: Vec<Entry>,
    },
    Null {},
    Contents {
        contents: Hex<'a>,
    },
    Damaged {
        contents: Hex<'a>,
        error: String,
    },
}

/// What a summary refresh names.
#[derive(Serialize)]
struct Entry {
    id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<IpAddr>,
}

/// Octets as a string of hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&crate::text::hex(self.0))
    }
}

impl<'a> ObjectLine<'a> {
    fn new(raw: &'a RawObject, decoded: &'a Result<Object, DecodeError>) -> Self {
        let contents = Hex(&raw.contents);
        let fields = match decoded {
            Ok(object) => Fields::new(object, contents),
            Err(error) => Fields::Damaged { contents, error: error.to_string() },
        };
        let name = raw.class_num().name();
        Self { class: raw.class, ctype: raw.ctype, length: raw.encoded_len(), name, fields }
    }
}

impl<'a> Fields<'a> {
    fn new(object: &'a Object, contents: Hex<'a>) -> Self {
        match object {
            Object::Null => Self::Null {},
            Object::Session(session) => Self::session(session),
            Object::RsvpHop(hop) => Self::Hop(hop),
            Object::TimeValues(refresh_ms) => Self::TimeValues { refresh_ms: *refresh_ms },
            Object::ErrorSpec(spec) => Self::ErrorSpec {
                spec,
                code_name: spec.error_code().name(),
                value_name: spec.error_code().value_name(spec.value),
            },
            Object::Scope(sources) => Self::Scope { sources },
            Object::Style(style) => Self::Style { style: style.to_string() },
            Object::Flowspec(Flowspec::ControlledLoad(tspec)) => {
                Self::service("controlled-load", tspec, None, None)
            }
            Object::Flowspec(Flowspec::Guaranteed(tspec, rspec)) => {
                Self::service("guaranteed", tspec, Some(rspec), None)
            }
            Object::SenderTspec(SenderTspec::TokenBucket(tspec)) => {
                Self::service("default", tspec, None, None)
            }
            Object::SenderTspec(SenderTspec::TokenBucketOrNull { tspec, null_max_packet }) => {
                Self::service("default", tspec, None, Some(*null_max_packet))
            }
            Object::Flowspec(Flowspec::Null { max_packet })
            | Object::SenderTspec(SenderTspec::Null { max_packet }) => {
                Self::NullService { service: "null", max_packet: *max_packet }
            }
            Object::FilterSpec(filter) | Object::SenderTemplate(filter) => Self::filter(filter, contents),
            Object::Adspec(Adspec::IntServ(adspec)) => Self::Adspec(adspec),
            Object::ResvConfirm(receiver) => Self::ResvConfirm { receiver: *receiver },
            Object::MessageId(flagged) => {
                let FlaggedId { flags, id } = *flagged;
                Self::MessageId { flags, ack_desired: flagged.wants_ack(), epoch: id.epoch, id: id.id }
            }
            Object::MessageIdAck(Acknowledgement::Ack(flagged)) => Self::acknowledgement("ack", *flagged),
            Object::MessageIdAck(Acknowledgement::Nack(flagged)) => Self::acknowledgement("nack", *flagged),
            Object::MessageIdList(list) => Self::list(list),
            _ => Self::Contents { contents },
        }
    }

    fn session(session: &'a Session) -> Self {
        let kind = match session.key {
            SessionKey::Gpi(_) => "gpi",
            _ => "ip",
        };
        Self::Session { kind, flow: session.key.flow(), flags: session.flags }
    }

    const fn service(
        service: &'static str,
        tspec: &'a Tspec,
        rspec: Option<&'a Rspec>,
        null_max_packet: Option<u32>,
    ) -> Self {
        Self::Service { service, tspec, rspec, null_max_packet }
    }

    const fn acknowledgement(kind: &'static str, FlaggedId { flags, id }: FlaggedId) -> Self {
        Self::MessageIdAck { kind, flags, epoch: id.epoch, id: id.id }
    }

    fn list(IdList { flags, epoch, entries }: &IdList) -> Self {
        let entry = |id, source, destination| Entry { id, source, destination };
        let (kind, entries) = match entries {
            IdEntries::Plain(ids) => ("list", ids.iter().map(|id| entry(*id, None, None)).collect()),
            IdEntries::Sources(entries) => {
                ("src-list", entries.iter().map(|(id, source)| entry(*id, Some(*source), None)).collect())
            }
            IdEntries::Groups(entries) => {
                let entries = entries.iter().map(|(id, source, to)| entry(*id, Some(*source), Some(*to)));
                ("mcast-list", entries.collect())
            }
        };
        Self::MessageIdList { kind, flags: *flags, epoch: *epoch, entries }
    }

    fn filter(filter: &FilterSpec, contents: Hex<'a>) -> Self {
        let source = filter.source();
        let (port, flow_label, spi) = match *filter {
            FilterSpec::Ip { port, .. } => (Some(port), None, None),
            FilterSpec::FlowLabel { label, .. } => (None, Some(label), None),
            FilterSpec::Gpi { spi, .. } => (None, None, Some(spi)),
            _ => return Self::Contents { contents },
        };
        Self::Filter { source, port, flow_label, spi }
    }
}
