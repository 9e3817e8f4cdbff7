//! Typed messages to bytes, objects in the order of RFC 2205's grammar.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::adspec::Adspec;
use super::code::ClassNum;
use super::error::EncodeError;
use super::message::{
    FlowDescriptor, Header, Message, Path, PathErr, PathTear, Resv, ResvConf, ResvErr, ResvTear,
};
use super::message_id::Head;
use super::object::{RawObject, encode_resv_confirm, encode_scope, encode_time_values};
use super::raw::{COMMON_HEADER_LEN, seal};
use super::sender_tspec::SenderTspec;
use super::session::Session;
use super::style::Style;

impl Message {
    /// Appends the message to `out`, with length and checksum.
    ///
    /// # Errors
    ///
    /// When it is too long for RSVP, or a SCOPE has addresses of another family than its session. `out` is then as it
    /// was.
    pub fn encode(&self, header: Header, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encode_with(header, &Head::default(), out)
    }

    /// Appends the message with the objects of `head` in front, with length and checksum.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn encode_with(&self, header: Header, head: &Head, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        out.resize(start + COMMON_HEADER_LEN, 0);
        let encoded = head
            .encode(out)
            .and_then(|()| self.encode_body(out))
            .and_then(|()| self.seal(header, &mut out[start..]));
        if encoded.is_err() {
            out.truncate(start);
        }
        encoded
    }

    /// Appends the objects behind the head.
    pub(crate) fn encode_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Path(message) => message.encode(out),
            Self::Resv(message) => message.encode(out),
            Self::PathErr(message) => message.encode(out),
            Self::ResvErr(message) => message.encode(out),
            Self::PathTear(message) => message.encode(out),
            Self::ResvTear(message) => message.encode(out),
            Self::ResvConf(message) => message.encode(out),
            Self::Ack => Ok(()),
            Self::Srefresh(message) => message.lists.iter().try_for_each(|list| list.encode(out)),
        }
    }

    /// Writes the common header over the first octets of the message, whose objects are there.
    pub(crate) fn seal(&self, header: Header, message: &mut [u8]) -> Result<(), EncodeError> {
        seal(self.message_type(), header, message).map(|_| ())
    }
}

impl Path {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.session.encode(out)?;
        self.hop.encode(out)?;
        encode_time_values(self.refresh_ms, out)?;
        encode_raw(&self.policy, out)?;
        encode_raw(&self.forward, out)?;
        self.sender_template.encode(ClassNum::SENDER_TEMPLATE, out)?;
        self.sender_tspec.encode(out)?;
        self.adspec.as_ref().map_or(Ok(()), |adspec| adspec.encode(out))
    }
}

impl Resv {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.session.encode(out)?;
        self.hop.encode(out)?;
        encode_time_values(self.refresh_ms, out)?;
        self.confirm.map_or(Ok(()), |receiver| encode_resv_confirm(receiver, out))?;
        encode_optional_scope(self.scope.as_deref(), &self.session, out)?;
        encode_raw(&self.policy, out)?;
        encode_raw(&self.forward, out)?;
        encode_flows(self.style, &self.flows, out)
    }
}

impl PathErr {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.session.encode(out)?;
        self.error.encode(out)?;
        encode_raw(&self.policy, out)?;
        encode_raw(&self.forward, out)?;
        self.sender_template.encode(ClassNum::SENDER_TEMPLATE, out)?;
        encode_sender_properties(self.sender_tspec.as_ref(), self.adspec.as_ref(), out)
    }
}

impl ResvErr {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.session.encode(out)?;
        self.hop.encode(out)?;
        self.error.encode(out)?;
        encode_optional_scope(self.scope.as_deref(), &self.session, out)?;
        encode_raw(&self.policy, out)?;
        encode_raw(&self.forward, out)?;
        encode_flows(self.style, &self.flows, out)
    }
}

impl PathTear {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.session.encode(out)?;
        self.hop.encode(out)?;
        encode_raw(&self.forward, out)?;
        self.sender_template.encode(ClassNum::SENDER_TEMPLATE, out)?;
        encode_sender_properties(self.sender_tspec.as_ref(), self.adspec.as_ref(), out)
    }
}

impl ResvTear {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.session.encode(out)?;
        self.hop.encode(out)?;
        encode_optional_scope(self.scope.as_deref(), &self.session, out)?;
        encode_raw(&self.forward, out)?;
        encode_flows(self.style, &self.flows, out)
    }
}

impl ResvConf {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.session.encode(out)?;
        self.error.encode(out)?;
        encode_resv_confirm(self.confirm, out)?;
        encode_raw(&self.forward, out)?;
        encode_flows(self.style, &self.flows, out)
    }
}

fn encode_raw(objects: &[RawObject], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    objects.iter().try_for_each(|object| object.encode(out))
}

fn encode_sender_properties(
    tspec: Option<&SenderTspec>,
    adspec: Option<&Adspec>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    tspec.map_or(Ok(()), |tspec| tspec.encode(out))?;
    adspec.map_or(Ok(()), |adspec| adspec.encode(out))
}

fn encode_optional_scope(
    scope: Option<&[IpAddr]>,
    session: &Session,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    scope.map_or(Ok(()), |sources| encode_scope(sources, session.key.destination(), out))
}

/// STYLE and the flow descriptor list. A FLOWSPEC equal to the one before, octet by octet, is left out, as FF allows.
fn encode_flows(style: Style, flows: &[FlowDescriptor], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    style.encode(out)?;
    let mut last = 0..0;
    for flow in flows {
        if let Some(flowspec) = &flow.flowspec {
            let start = out.len();
            flowspec.encode(out)?;
            if out[start..] == out[last.clone()] {
                out.truncate(start);
            } else {
                last = start..out.len();
            }
        }
        for filter in &flow.filters {
            filter.encode(ClassNum::FILTER_SPEC, out)?;
        }
    }
    Ok(())
}
