//! A netlink socket that never waits: the kernel answers every request before `send` returns.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use netlink_bindings::builtin::Nlmsghdr;
use netlink_bindings::traits::{NetlinkRequest, Protocol};
use netlink_bindings::utils;
use netlink_sys::Socket;

use crate::socket::enlarge_buffers;

/// As large as the kernel makes the datagrams of a dump.
const BUFFER: usize = 64 << 10;
/// `NLMSGERR_ATTR_MSG`: an explanation in words.
const ERROR_TEXT: u16 = 1;

/// A netlink socket.
pub(crate) struct Netlink {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

/// One message out of a received datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    /// What it is.
    pub(crate) kind: u16,
    /// The number of the request that it answers.
    pub(crate) sequence: u32,
    flags: u16,
    /// What follows the header.
    pub(crate) payload: &'a [u8],
}

/// Why the kernel refused a request.
#[derive(Debug)]
pub(crate) struct NetlinkError {
    source: io::Error,
    explanation: Option<String>,
}

impl fmt::Display for NetlinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.explanation {
            Some(explanation) => write!(f, "{explanation} ({})", self.source),
            None => self.source.fmt(f),
        }
    }
}

impl std::error::Error for NetlinkError {}

impl NetlinkError {
    /// The system's error number.
    pub(crate) fn errno(&self) -> Option<i32> {
        self.source.raw_os_error()
    }
}

impl From<io::Error> for NetlinkError {
    fn from(source: io::Error) -> Self {
        Self { source, explanation: None }
    }
}

impl From<NetlinkError> for io::Error {
    fn from(error: NetlinkError) -> Self {
        match error.explanation {
            None => error.source,
            Some(_) => Self::new(error.source.kind(), error.to_string()),
        }
    }
}

impl Netlink {
    /// Opens a socket of one of netlink's protocols.
    pub(crate) fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.set_non_blocking(true)?;
        socket.set_ext_ack(true)?;
        socket.set_cap_ack(true)?;
        socket.bind_auto()?;
        Ok(Self { socket, sequence: 0, buffer: Vec::with_capacity(BUFFER) })
    }

    /// Sets how much the socket queues in either direction: beyond the system's limit where that is allowed.
    pub(crate) fn set_buffers(&self, octets: usize) -> io::Result<()> {
        enlarge_buffers(self.socket.as_fd(), octets)
    }

    /// Subscribes to a multicast group.
    pub(crate) fn subscribe(&self, group: u32) -> io::Result<()> {
        self.socket.add_membership(group)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// A number for the next request.
    pub(crate) fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        self.sequence
    }

    /// Sends messages that are complete with their headers.
    pub(crate) fn send(&self, messages: &[u8]) -> io::Result<()> {
        self.socket.send(messages, 0)?;
        Ok(())
    }

    /// Receives one datagram; `None` if there is none.
    pub(crate) fn receive(&mut self) -> io::Result<Option<impl Iterator<Item = Message<'_>>>> {
        self.buffer.clear();
        loop {
            match self.socket.recv(&mut self.buffer, 0) {
                Ok(_) => return Ok(Some(Messages { rest: &self.buffer })),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends a request and hands every message of the answer to `each`.
    pub(crate) fn call<R: NetlinkRequest>(
        &mut self,
        request: &R,
        mut each: impl FnMut(R::ReplyType<'_>),
    ) -> Result<(), NetlinkError> {
        let Protocol::Raw { request_type, .. } = request.protocol() else {
            return Err(io::Error::from(io::ErrorKind::Unsupported).into());
        };
        let sequence = self.next_sequence();
        let header = Nlmsghdr {
            len: (Nlmsghdr::len() + request.payload().len()) as u32,
            r#type: request_type,
            flags: request.flags() | (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16,
            seq: sequence,
            pid: 0,
        };
        let mut message = header.as_slice().to_vec();
        message.extend_from_slice(request.payload());
        self.send(&message)?;
        loop {
            let Some(messages) = self.receive()? else {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            };
            for message in messages.filter(|message| message.sequence == sequence) {
                match message.outcome() {
                    Some(outcome) => return outcome,
                    None => each(R::decode_reply(message.payload)),
                }
            }
        }
    }
}

/// The messages of a datagram.
struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let header = Nlmsghdr::new_from_slice(self.rest.get(..Nlmsghdr::len())?)?;
        let length = header.len as usize;
        let payload = self.rest.get(Nlmsghdr::len()..length)?;
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind: header.r#type, sequence: header.seq, flags: header.flags, payload })
    }
}

impl Message<'_> {
    /// If the message ends an answer: how the request ended.
    pub(crate) fn outcome(&self) -> Option<Result<(), NetlinkError>> {
        if !matches!(i32::from(self.kind), libc::NLMSG_ERROR | libc::NLMSG_DONE) {
            return None;
        }
        let code = self.payload.first_chunk().map_or(0, |octets| i32::from_ne_bytes(*octets));
        if code == 0 {
            return Some(Ok(()));
        }
        // The header of the request comes back, and then attributes.
        let attributes = match self.flags & libc::NLM_F_ACK_TLVS as u16 {
            0 => None,
            _ => self.payload.get(4 + Nlmsghdr::len()..),
        };
        let text = attributes.and_then(|attributes| utils::find_attr(attributes, ERROR_TEXT));
        Some(Err(NetlinkError {
            source: io::Error::from_raw_os_error(-code),
            explanation: text.map(|text| String::from_utf8_lossy(text).trim_end_matches('\0').to_owned()),
        }))
    }
}
