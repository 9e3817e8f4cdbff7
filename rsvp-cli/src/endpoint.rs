//! Addresses with ports, and protocols, as an operator writes them.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use rsvp_client::api::{Filter, Session};

/// `ADDR`, `ADDR:PORT` or `[ADDR]:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The address.
    pub(crate) address: IpAddr,
    /// The port, if one was given.
    pub(crate) port: Option<u16>,
}

impl Endpoint {
    /// The sender that this names in a session: without a port of its own it has the session's.
    pub(crate) fn as_filter(self, session: &Session) -> Filter {
        Filter::new(self.address, self.port.unwrap_or(session.destination_port))
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(Self { address, port: None });
        }
        text.parse::<SocketAddr>()
            .map(|socket| Self { address: socket.ip(), port: Some(socket.port()) })
            .map_err(|_| {
                format!("`{text}` is not an address: write 192.0.2.1, 192.0.2.1:5004 or [2001:db8::1]:5004")
            })
    }
}

/// `udp`, `tcp`, or the number of an IP protocol.
///
/// # Errors
///
/// In words.
pub(crate) fn parse_protocol(text: &str) -> Result<u8, String> {
    match text.to_ascii_lowercase().as_str() {
        "udp" => Ok(17),
        "tcp" => Ok(6),
        other => match other.parse() {
            Ok(0) | Err(_) => {
                Err(format!("`{text}` is not a protocol: write udp, tcp or a number from 1 to 255"))
            }
            Ok(number) => Ok(number),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_come_with_and_without_ports_in_both_families() {
        for (text, address, port) in [
            ("10.0.0.1", "10.0.0.1", None),
            ("10.0.0.1:5004", "10.0.0.1", Some(5004)),
            ("2001:db8::1", "2001:db8::1", None),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("[2001:db8::1]:5004", "2001:db8::1", Some(5004)),
        ] {
            let address: IpAddr = address.parse().expect("address");
            assert_eq!(text.parse(), Ok(Endpoint { address, port }), "{text}");
        }
        for text in ["", "host", "10.0.0.1:", "10.0.0.1:70000", "[2001:db8::1]:", "10.0.0"] {
            let error = text.parse::<Endpoint>().expect_err(text);
            assert!(error.contains("192.0.2.1:5004"), "{error}");
        }
    }

    #[test]
    fn protocols_have_names_or_numbers() {
        assert_eq!(parse_protocol("udp"), Ok(17));
        assert_eq!(parse_protocol("TCP"), Ok(6));
        assert_eq!(parse_protocol("132"), Ok(132));
        for text in ["0", "256", "sctp", ""] {
            assert!(parse_protocol(text).is_err(), "{text}");
        }
    }
}
