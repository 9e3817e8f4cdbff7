//! UDP encapsulation (RFC 2205 Appendix C) as the file has it.

use std::net::IpAddr;

use rsvp_core::config::{FirstHop, UdpEncapsulation, UdpOnly};
use serde::Deserialize;

/// Whether Path messages leave an interface in UDP, too.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Encapsulation {
    Learn,
    Always,
    Never,
}

impl From<Encapsulation> for UdpEncapsulation {
    fn from(encapsulation: Encapsulation) -> Self {
        match encapsulation {
            Encapsulation::Learn => Self::Learn,
            Encapsulation::Always => Self::Always,
            Encapsulation::Never => Self::Never,
        }
    }
}

/// A host without raw I/O.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct UdpOnlyTable {
    first_hop: Option<IpAddr>,
    ttl: Option<u8>,
}

impl UdpOnlyTable {
    /// What it says, on a host.
    pub(super) fn into_settings(self, router: bool) -> Result<UdpOnly, String> {
        if router {
            return Err("udp-only is for role = \"host\": a router cannot do without raw IP".to_owned());
        }
        let first_hop = match (self.first_hop, self.ttl) {
            (None, None) => None,
            (None, Some(_)) => {
                return Err(
                    "udp-only.ttl (Ta) is the distance of udp-only.first-hop (Ra): give both".to_owned()
                );
            }
            (Some(address), _) if address.is_multicast() || address.is_unspecified() => {
                return Err(format!("udp-only.first-hop must be the address of a router, not {address}"));
            }
            (Some(_), Some(0)) => return Err("udp-only.ttl must be at least 1".to_owned()),
            (Some(address), ttl) => Some(FirstHop { address, ttl }),
        };
        Ok(UdpOnly { first_hop })
    }
}
