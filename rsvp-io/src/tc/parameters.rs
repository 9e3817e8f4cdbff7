//! From a reservation to the numbers that the kernel needs. No system calls.

use std::net::IpAddr;

use rsvp_core::SessionKey;
use rsvp_core::intserv;
use rsvp_core::output::{Conditioning, Installation};
use rsvp_core::wire::{FilterSpec, Flowspec, Tspec};

/// The IP protocols that carry a security parameter index.
pub(crate) const ESP: u8 = 50;
pub(crate) const AH: u8 = 51;

/// What an Ethernet device adds to an IP packet. HTB counts it, a TSpec does not.
const LINK_HEADER: f64 = 14.0;
/// The smallest IP packet with a transport header; bounds the share of link headers when a TSpec says nothing of use.
const SMALLEST_PACKET: u32 = 28;
/// Packets of the largest size that a class queues beyond what its bucket asks for: upstream queues make flows
/// burstier.
const QUEUE_SLACK: u32 = 8;
/// For how long a class of guaranteed service saves up its rate: the kernel's timer may be so late.
const CREDIT_SECONDS: f64 = 0.001;

/// What the class of a reservation gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClassParameters {
    /// Bytes per second on the link, link headers included.
    pub(crate) rate: u64,
    /// Bytes that may leave in one go.
    pub(crate) burst: u32,
    /// Guaranteed service: what may leave at all. Others use what is idle.
    pub(crate) shape: Option<Shape>,
    /// Bytes that may wait.
    pub(crate) queue: u32,
}

/// The token bucket that a flow is reshaped to, link headers included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Bytes per second.
    pub(crate) rate: u64,
    /// Bytes.
    pub(crate) bucket: u32,
}

/// What conforms to the reservation; the rest is best effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policer {
    /// r, in bytes per second of IP packets.
    pub(crate) rate: u64,
    /// b, in bytes.
    pub(crate) bucket: u32,
    /// Where the flow is to be policed: the packets of the smallest policed size that conform.
    pub(crate) packets: Option<PacketPolicer>,
    /// Whether the rest is discarded instead.
    pub(crate) discards: bool,
}

/// So many packets in a minute, and a burst of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PacketPolicer {
    pub(crate) per_minute: u64,
    pub(crate) burst: u32,
}

/// What the classifier looks for in a packet; zero is "any".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FlowMatch {
    pub(crate) source: Option<IpAddr>,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) port: Port,
}

/// What tells the flows between two hosts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Port {
    /// Ports of source and destination; zero is "any".
    Ports(u16, u16),
    /// The security parameter index of IPsec (RFC 2207).
    Spi(u32),
}

/// Everything about one reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) class: ClassParameters,
    /// `None` where the flow is reshaped.
    pub(crate) policer: Option<Policer>,
    pub(crate) matches: Vec<FlowMatch>,
}

impl Plan {
    /// The numbers for an installation, on a link with this MTU; or why this kernel cannot do it.
    pub(crate) fn new(installation: &Installation, mtu: u32) -> Result<Self, String> {
        // Traffic control gives the lesser of Resv_Te and Path_Te (RFC 2205 section 2.2), as admission control counted.
        let flowspec = match &installation.sender_tspec {
            Some(path_te) => &intserv::effective(&installation.flowspec, path_te),
            None => &installation.flowspec,
        };
        let (tspec, rate) = match flowspec {
            Flowspec::ControlledLoad(tspec) => (tspec, tspec.rate),
            Flowspec::Guaranteed(tspec, rspec) => (tspec, rspec.rate.max(tspec.rate)),
            _ => return Err("only controlled-load and guaranteed service can be enforced".to_owned()),
        };
        if !(rate.is_finite() && tspec.rate > 0.0 && tspec.bucket >= 0.0) {
            return Err("the token bucket of the flowspec has no valid rate".to_owned());
        }
        let class = match flowspec {
            Flowspec::Guaranteed(..) => guaranteed_class(tspec, rate, mtu, installation.buffer),
            _ => class(tspec, rate, mtu),
        };
        let is_policed = installation.conditioning() == Some(Conditioning::Police);
        Ok(Self {
            class,
            policer: is_policed.then(|| policer(tspec, installation)),
            matches: matches(&installation.session, &installation.filters)?,
        })
    }
}

/// Of what is on the link, how much one byte of IP packets is at most.
fn share(tspec: &Tspec) -> f64 {
    1.0 + LINK_HEADER / f64::from(tspec.min_unit.max(SMALLEST_PACKET))
}

/// A whole number, or the largest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the values are not negative, and the conversion saturates"
)]
fn whole(value: f64) -> u32 {
    value as u32
}

fn class(tspec: &Tspec, rate: f32, mtu: u32) -> ClassParameters {
    let share = share(tspec);
    let bucket = whole(f64::from(tspec.bucket) * share);
    let frame = mtu + LINK_HEADER as u32;
    ClassParameters {
        rate: (f64::from(rate) * share).round() as u64,
        burst: bucket.max(2 * frame),
        shape: None,
        queue: bucket.saturating_mul(2).saturating_add(QUEUE_SLACK * frame),
    }
}

/// Guaranteed service: the class sends at R, or at p if that is less, with no more credit than its share of D allows,
/// and nothing beyond the token bucket (r, b): with both it restores the shape of the TSpec.
fn guaranteed_class(tspec: &Tspec, rate: f32, mtu: u32, buffer: Option<u32>) -> ClassParameters {
    let share = share(tspec);
    let frame = mtu + LINK_HEADER as u32;
    let rate = (f64::from(rate.min(tspec.peak)) * share).round();
    let shape = Shape {
        rate: (f64::from(tspec.rate) * share).round() as u64,
        bucket: whole(f64::from(tspec.bucket) * share).max(frame),
    };
    let buffer = buffer.map_or(f64::from(tspec.bucket), f64::from);
    ClassParameters {
        rate: rate as u64,
        burst: frame.saturating_add(whole(rate * CREDIT_SECONDS)),
        shape: Some(shape),
        queue: whole(buffer * share).saturating_add(QUEUE_SLACK * frame),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the values are not negative, and the conversion saturates"
)]
fn policer(tspec: &Tspec, installation: &Installation) -> Policer {
    let rate = (f64::from(tspec.rate).ceil() as u64).max(1);
    let smallest = tspec.min_unit.max(SMALLEST_PACKET);
    let packets = (!installation.police.is_empty()).then(|| PacketPolicer {
        per_minute: (rate * 60).div_ceil(smallest.into()),
        burst: ((tspec.bucket / smallest as f32) as u32).max(1),
    });
    Policer { rate, bucket: tspec.bucket as u32, packets, discards: installation.discards }
}

fn matches(session: &SessionKey, filters: &[FilterSpec]) -> Result<Vec<FlowMatch>, String> {
    let flow = session.flow();
    // A virtual port is in no packet (RFC 2207 section 4.1).
    let port = if matches!(session, SessionKey::Gpi(_)) { 0 } else { flow.port };
    let any = FlowMatch {
        source: None,
        destination: flow.destination,
        protocol: flow.protocol,
        port: Port::Ports(0, port),
    };
    if filters.is_empty() {
        return Ok(vec![any]);
    }
    let one = |filter: &FilterSpec| match *filter {
        filter if filter.source().is_ipv4() != flow.destination.is_ipv4() => {
            Err(format!("the filter {filter} is of another address family than its session"))
        }
        FilterSpec::Ip { port: source, .. } if (source == 0) != (port == 0) => {
            Err("a zero port stands beside a non-zero one".to_owned())
        }
        FilterSpec::Ip { source, port: from } => {
            Ok(FlowMatch { source: Some(source), port: Port::Ports(from, port), ..any })
        }
        // None that is on the wire (RFC 4303 section 2.1); to the classifier it would be all of the source's.
        FilterSpec::Gpi { spi: 0, .. } => Err("no security association has the index 0".to_owned()),
        FilterSpec::Gpi { source, spi } if matches!(flow.protocol, ESP | AH) => {
            Ok(FlowMatch { source: Some(source), port: Port::Spi(spi), ..any })
        }
        _ => Err(format!("the filter {filter} cannot be told apart by this kernel's classifier")),
    };
    filters.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use rsvp_core::InterfaceId;
    use rsvp_core::output::{InstallationId, PoliceFlags};
    use rsvp_core::wire::{FlowKey, Rspec, SenderTspec};

    use super::*;

    const TSPEC: Tspec =
        Tspec { rate: 125_000.0, bucket: 10_000.0, peak: f32::INFINITY, min_unit: 1000, max_packet: 1500 };

    fn installation(flowspec: Flowspec, filters: Vec<FilterSpec>) -> Installation {
        Installation {
            id: InstallationId(1),
            interface: InterfaceId(1),
            session: SessionKey::Ip(FlowKey {
                destination: "192.0.2.1".parse().unwrap(),
                protocol: 17,
                port: 5004,
            }),
            filters,
            flowspec,
            sender_tspec: None,
            police: PoliceFlags::ENTRY,
            buffer: None,
            discards: false,
        }
    }

    #[test]
    fn class_has_room_for_link_headers() {
        let plan = Plan::new(&installation(Flowspec::ControlledLoad(TSPEC), vec![]), 1500).unwrap();
        assert_eq!(plan.class.rate, 126_750, "14 octets on every 1000");
        assert_eq!(plan.class.burst, 10_140);
        assert_eq!(plan.policer.unwrap().rate, 125_000, "the policer counts IP packets");
    }

    #[test]
    fn guaranteed_service_gets_its_rspec_rate_and_is_policed_by_its_tspec() {
        let flowspec = Flowspec::Guaranteed(TSPEC, Rspec { rate: 250_000.0, slack: 0 });
        let plan = Plan::new(&installation(flowspec, vec![]), 1500).unwrap();
        assert_eq!(plan.class.rate, 253_500);
        assert_eq!(plan.class.shape, Some(Shape { rate: 126_750, bucket: 10_140 }));
        assert_eq!(plan.class.burst, 1514 + 253, "a frame, and a millisecond");
        let policer = plan.policer.unwrap();
        assert_eq!((policer.rate, policer.bucket, policer.discards), (125_000, 10_000, false));
    }

    #[test]
    fn guaranteed_service_sends_no_faster_than_its_peak() {
        let tspec = Tspec { peak: 200_000.0, ..TSPEC };
        let flowspec = Flowspec::Guaranteed(tspec, Rspec { rate: 250_000.0, slack: 0 });
        assert_eq!(Plan::new(&installation(flowspec, vec![]), 1500).unwrap().class.rate, 202_800);
    }

    #[test]
    fn guaranteed_service_is_reshaped_inside_and_policed_at_the_edge() {
        let flowspec = Flowspec::Guaranteed(TSPEC, Rspec { rate: 250_000.0, slack: 0 });
        let mut request = installation(flowspec, vec![]);
        (request.discards, request.buffer) = (true, Some(20_000));
        let edge = Plan::new(&request, 1500).unwrap();
        assert!(edge.policer.is_some_and(|policer| policer.discards && policer.packets.is_some()));
        request.police = PoliceFlags::MERGE;
        let inside = Plan::new(&request, 1500).unwrap();
        assert_eq!((inside.policer, inside.class), (None, edge.class));
        assert_eq!(inside.class.queue, 20_280 + 8 * 1514, "the buffer, with link headers, and some packets");
    }

    #[test]
    fn packets_are_policed_only_where_a_police_flag_says_so() {
        let mut installation = installation(Flowspec::ControlledLoad(TSPEC), vec![]);
        let packets = Plan::new(&installation, 1500).unwrap().policer.unwrap().packets;
        assert_eq!(packets, Some(PacketPolicer { per_minute: 7500, burst: 10 }), "125 in a second");
        installation.police = PoliceFlags::empty();
        assert_eq!(Plan::new(&installation, 1500).unwrap().policer.unwrap().packets, None);
    }

    #[test]
    fn filters_become_matches() {
        let sender = FilterSpec::Ip { source: "198.51.100.1".parse().unwrap(), port: 7 };
        let plan = Plan::new(&installation(Flowspec::ControlledLoad(TSPEC), vec![sender]), 1500).unwrap();
        assert_eq!(
            (plan.matches[0].source, plan.matches[0].port),
            (Some(sender.source()), Port::Ports(7, 5004))
        );
        let plan = Plan::new(&installation(Flowspec::ControlledLoad(TSPEC), vec![]), 1500).unwrap();
        assert_eq!((plan.matches[0].source, plan.matches[0].port), (None, Port::Ports(0, 5004)), "wildcard");
    }

    #[test]
    fn associations_become_matches_without_a_port() {
        let sender = FilterSpec::Gpi { source: "198.51.100.1".parse().unwrap(), spi: 7 };
        let mut request = installation(Flowspec::ControlledLoad(TSPEC), vec![sender]);
        for protocol in [ESP, AH] {
            let destination = request.session.destination();
            request.session = SessionKey::Gpi(FlowKey { destination, protocol, port: 9000 });
            let matches = Plan::new(&request, 1500).unwrap().matches;
            assert_eq!((matches[0].protocol, matches[0].port), (protocol, Port::Spi(7)));
            request.filters.clear();
            assert_eq!(Plan::new(&request, 1500).unwrap().matches[0].port, Port::Ports(0, 0), "wildcard");
            request.filters = vec![FilterSpec::Gpi { source: sender.source(), spi: 0 }];
            assert!(Plan::new(&request, 1500).is_err());
            request.filters = vec![sender];
        }
    }

    #[test]
    fn no_more_than_the_senders_send_is_enforced() {
        let mut request =
            installation(Flowspec::ControlledLoad(Tspec { rate: 2.0 * TSPEC.rate, ..TSPEC }), vec![]);
        request.sender_tspec = Some(SenderTspec::TokenBucket(TSPEC));
        let bounded = Plan::new(&request, 1500).unwrap();
        let plain = Plan::new(&installation(Flowspec::ControlledLoad(TSPEC), vec![]), 1500).unwrap();
        assert_eq!(bounded, plain);
    }

    #[test]
    fn what_cannot_be_enforced_is_refused_in_words() {
        for (flowspec, filter) in [
            (Flowspec::Null { max_packet: 1500 }, None),
            (Flowspec::ControlledLoad(Tspec { rate: 0.0, ..TSPEC }), None),
            (Flowspec::ControlledLoad(Tspec { rate: f32::NAN, ..TSPEC }), None),
            (Flowspec::Guaranteed(TSPEC, Rspec { rate: f32::INFINITY, slack: 0 }), None),
            (
                Flowspec::ControlledLoad(TSPEC),
                Some(FilterSpec::Ip { source: "2001:db8::1".parse().unwrap(), port: 7 }),
            ),
            (
                Flowspec::ControlledLoad(TSPEC),
                Some(FilterSpec::Ip { source: "192.0.2.9".parse().unwrap(), port: 0 }),
            ),
            (
                Flowspec::ControlledLoad(TSPEC),
                Some(FilterSpec::Gpi { source: "192.0.2.9".parse().unwrap(), spi: 1 }),
            ),
        ] {
            let request = installation(flowspec, filter.into_iter().collect());
            assert!(Plan::new(&request, 1500).is_err(), "{request:?}");
        }
    }
}
