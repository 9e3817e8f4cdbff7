//! One line of JSON per message. The format is documented in `docs/decode.md`, and is stable.

use std::net::IpAddr;

use rsvp_core::wire::{
    Adspec, DecodeError, ErrorSpec, FilterSpec, FlowKey, Flowspec, IntServAdspec, Object, RawObject, Rspec,
    RsvpHop, SenderTspec, Session, SessionKey, Tspec,
};
use serde::{Serialize, Serializer};

use super::record::{Checksum, Record};

/// A record as one line.
pub(super) fn line(record: &Record<'_>) -> serde_json::Result<String> {
    let packet = record.packet.as_ref();
    let header = record.message.as_ref().and_then(|message| message.header.as_ref());
    serde_json::to_string(&Line {
        frame: record.frame,
        time: record.time.map(|time| humantime::format_rfc3339_nanos(time).to_string()),
        src: packet.map(|packet| packet.source),
        dst: packet.map(|packet| packet.destination),
        ttl: packet.map(|packet| packet.ttl),
        router_alert: packet.map(|packet| packet.router_alert),
        udp_port: packet.and_then(|packet| packet.udp_port),
        message: header.and_then(|header| header.message_type.name()),
        r#type: header.map(|header| header.message_type.0),
        flags: header.map(|header| header.flags),
        send_ttl: header.map(|header| header.send_ttl),
        length: header.map(|header| header.length),
        checksum: record.message.as_ref().map(|message| message.checksum),
        objects: record.objects().map(|(raw, decoded)| ObjectLine::new(raw, decoded)).collect(),
        error: record.error.as_deref(),
    })
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
    message: Option<&'static str>,
    r#type: Option<u8>,
    flags: Option<u8>,
    send_ttl: Option<u8>,
    length: Option<u16>,
    checksum: Option<Checksum>,
    objects: Vec<ObjectLine<'a>>,
    error: Option<&'a str>,
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
    Null {},
    Contents {
        contents: Hex<'a>,
    },
    Damaged {
        contents: Hex<'a>,
        error: String,
    },
}

/// Octets as a string of hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::text::hex(self.0))
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
