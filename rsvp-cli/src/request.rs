//! Checks of what is asked for, the same for the command line, the configuration and the control API.

use std::net::{IpAddr, Ipv4Addr};

use rsvp_client::api::{Filter, Flowspec, ReservationRequest, SenderRequest, Session, Style, Tspec};

/// A rate in bits per second as the API has it.
#[expect(clippy::cast_precision_loss, reason = "a rate beyond 2^53 bit/s is no rate")]
pub(crate) fn bits(rate: u64) -> f64 {
    rate as f64
}

/// The style when none is given: fixed filter for named senders, wildcard otherwise.
pub(crate) fn default_style(senders: &[Filter]) -> Style {
    if senders.is_empty() { Style::Wf } else { Style::Ff }
}

/// Whether a sender can be announced.
///
/// # Errors
///
/// In words.
pub(crate) fn check_sender(request: &SenderRequest) -> Result<(), String> {
    check_session(&request.session)?;
    if let Some(source) = request.source {
        check_source(&request.session, source)?;
    }
    check_port(&request.session, request.source_port.unwrap_or(request.session.destination_port))?;
    if request.ttl == 0 {
        return Err("a TTL of 0 never leaves this node".to_owned());
    }
    check_tspec(&request.tspec)
}

/// Whether a reservation can be made.
///
/// # Errors
///
/// In words.
pub(crate) fn check_reservation(request: &ReservationRequest) -> Result<(), String> {
    check_session(&request.session)?;
    match (request.style, request.senders.is_empty()) {
        (Style::Wf, false) => return Err("style WF is for all senders: leave the senders out".to_owned()),
        (style @ (Style::Ff | Style::Se), true) => {
            return Err(format!("style {style} names its senders: give at least one"));
        }
        _ => {}
    }
    for sender in &request.senders {
        check_source(&request.session, sender.source)?;
        if let Some(port) = sender.source_port {
            check_port(&request.session, port)?;
        }
    }
    if let Some(receiver) = request.receiver
        && receiver.is_ipv4() != request.session.destination.is_ipv4()
    {
        return Err("the receiver's address and the destination are of different families".to_owned());
    }
    match &request.flowspec {
        Flowspec::ControlledLoad(tspec) => check_tspec(tspec),
        Flowspec::Guaranteed { tspec, rate, .. } => {
            check_tspec(tspec)?;
            if !rate.is_finite() || *rate < tspec.average_rate {
                return Err("guaranteed service needs R of at least r (RFC 2212)".to_owned());
            }
            Ok(())
        }
        Flowspec::Null { .. } => Ok(()),
        _ => Err("a flowspec of an unknown service cannot be asked for".to_owned()),
    }
}

fn check_session(session: &Session) -> Result<(), String> {
    let destination = session.destination;
    if destination.is_unspecified() || destination == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Err(format!("{destination} is not a destination: give a unicast or multicast address"));
    }
    if session.protocol_id == 0 {
        return Err("protocol 0 is not an IP protocol".to_owned());
    }
    if session.destination_port == 0 && matches!(session.protocol_id, 6 | 17) {
        return Err("UDP and TCP sessions have a port from 1 to 65535".to_owned());
    }
    Ok(())
}

fn check_source(session: &Session, source: IpAddr) -> Result<(), String> {
    if source.is_ipv4() != session.destination.is_ipv4() {
        return Err(format!(
            "sender {source} and destination {} are of different families",
            session.destination
        ));
    }
    if source.is_multicast() || source.is_unspecified() {
        return Err(format!("{source} is not a sender's address"));
    }
    Ok(())
}

fn check_port(session: &Session, port: u16) -> Result<(), String> {
    if (port == 0) == (session.destination_port == 0) {
        return Ok(());
    }
    Err("a zero port cannot stand beside a non-zero one (RFC 2205 section 3.2)".to_owned())
}

fn check_tspec(tspec: &Tspec) -> Result<(), String> {
    let peak = tspec.peak_rate.unwrap_or(f64::MAX);
    if !(tspec.average_rate.is_finite() && tspec.average_rate > 0.0) {
        return Err("the rate r must be more than 0".to_owned());
    }
    if !(tspec.size.is_finite() && tspec.size >= f64::from(tspec.max_packet_size)) {
        return Err("the bucket b must hold at least one packet of the maximum size M".to_owned());
    }
    if peak.is_nan() || peak < tspec.average_rate {
        return Err("the peak rate p must not be below the rate r".to_owned());
    }
    if tspec.min_policed_unit == 0 || tspec.min_policed_unit > tspec.max_packet_size {
        return Err("the minimum policed unit m must be from 1 to the maximum packet size M".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::udp("192.0.2.7".parse().expect("address"), 5004)
    }

    fn reservation(style: Style, senders: Vec<Filter>) -> ReservationRequest {
        let flowspec = Flowspec::ControlledLoad(Tspec::of_rate(1_000_000));
        ReservationRequest { senders, ..ReservationRequest::new(session(), style, flowspec) }
    }

    #[test]
    fn styles_and_senders_must_fit() {
        let sender = Filter::new("192.0.2.1".parse().expect("address"), 5004);
        assert_eq!(check_reservation(&reservation(Style::Wf, vec![])), Ok(()));
        assert_eq!(check_reservation(&reservation(Style::Ff, vec![sender])), Ok(()));
        assert!(check_reservation(&reservation(Style::Wf, vec![sender])).is_err());
        assert!(check_reservation(&reservation(Style::Se, vec![])).is_err());
        let other_family = Filter::new("2001:db8::1".parse().expect("address"), 5004);
        assert!(check_reservation(&reservation(Style::Ff, vec![other_family])).is_err());
        let no_port = Filter::new("192.0.2.1".parse().expect("address"), 0);
        assert!(check_reservation(&reservation(Style::Ff, vec![no_port])).is_err());
    }

    #[test]
    fn impossible_traffic_is_refused() {
        let good = SenderRequest::new(session(), Tspec::of_rate(1_000_000));
        assert_eq!(check_sender(&good), Ok(()));
        for (what, spoil) in [
            ("rate", (|t| t.average_rate = 0.0) as fn(&mut Tspec)),
            ("rate", |t| t.average_rate = f64::NAN),
            ("bucket", |t| t.size = 1499.0),
            ("peak", |t| t.peak_rate = Some(999_999.0)),
            ("policed", |t| t.min_policed_unit = 1501),
        ] {
            let mut bad = good.clone();
            spoil(&mut bad.tspec);
            let error = check_sender(&bad).expect_err(what);
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn sessions_have_the_ports_of_their_protocol() {
        let tspec = Tspec::of_rate(1_000_000);
        let icmp = Session { protocol_id: 1, destination_port: 0, ..session() };
        assert_eq!(check_sender(&SenderRequest::new(icmp, tspec)), Ok(()));
        let bad = Session { destination_port: 0, ..session() };
        assert!(check_sender(&SenderRequest::new(bad, tspec)).is_err());
    }
}
