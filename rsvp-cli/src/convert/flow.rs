//! Sessions, senders and what is said of their traffic.

use std::net::IpAddr;

use rsvp_client::api;
use rsvp_core::SessionKey;
use rsvp_core::wire::{
    Adspec, ClassNum, FilterSpec, FlowDescriptor, FlowKey, Flowspec, GeneralParameters, GuaranteedFragment,
    INDETERMINATE_LATENCY, IntServAdspec, Overrides, RawObject, Rspec, SenderTspec, Style, Tspec,
};

/// The API's rates are in bits, the engine's in bytes.
const BITS: f64 = 8.0;

/// A session as the API names it.
pub(crate) fn session(key: &SessionKey) -> api::Session {
    let FlowKey { destination, protocol, port } = *key.flow();
    let session_type = match key {
        SessionKey::Gpi(_) => api::SessionType::Gpi,
        _ => api::SessionType::Ip,
    };
    api::Session { destination, protocol_id: protocol, destination_port: port, session_type }
}

/// A session as the engine names it.
pub(crate) fn core_session(session: &api::Session) -> SessionKey {
    let flow = FlowKey {
        destination: session.destination,
        protocol: session.protocol_id,
        port: session.destination_port,
    };
    match session.session_type {
        api::SessionType::Ip => SessionKey::Ip(flow),
        api::SessionType::Gpi => SessionKey::Gpi(flow),
    }
}

/// A sender as the API names it.
pub(crate) fn filter(filter: &FilterSpec) -> api::Filter {
    match *filter {
        FilterSpec::FlowLabel { source, label } => api::Filter::with_flow_label(source, label),
        FilterSpec::Gpi { source, spi } => api::Filter::with_spi(source, spi),
        FilterSpec::Ip { source, port } => api::Filter::new(source, port),
        _ => api::Filter { source: filter.source(), source_port: None, flow_label: None, spi: None },
    }
}

pub(super) fn filters(filters: &[FilterSpec]) -> Vec<api::Filter> {
    filters.iter().map(filter).collect()
}

/// A sender as the engine names it.
///
/// # Errors
///
/// If more than one of port, label and SPI is given, or a label for IPv4.
pub(crate) fn core_filter(filter: &api::Filter) -> Result<FilterSpec, String> {
    let source = filter.source;
    match (filter.source_port, filter.flow_label, filter.spi) {
        (port, None, None) => Ok(FilterSpec::Ip { source, port: port.unwrap_or(0) }),
        (None, Some(label), None) => match source {
            IpAddr::V6(source) if label < 1 << 20 => Ok(FilterSpec::FlowLabel { source, label }),
            _ => Err("a flow label has 20 bits and belongs to an IPv6 address".to_owned()),
        },
        (None, None, Some(spi)) => Ok(FilterSpec::Gpi { source, spi }),
        _ => Err("a sender has either a port, a flow label or an SPI".to_owned()),
    }
}

/// A TSpec as the API has it.
pub(crate) fn tspec(tspec: &Tspec) -> api::Tspec {
    api::Tspec {
        average_rate: f64::from(tspec.rate) * BITS,
        size: f64::from(tspec.bucket),
        peak_rate: tspec.peak.is_finite().then(|| f64::from(tspec.peak) * BITS),
        min_policed_unit: tspec.min_unit,
        max_packet_size: tspec.max_packet,
    }
}

/// A TSpec as the engine has it.
#[expect(clippy::cast_possible_truncation, reason = "the wire has single precision")]
pub(crate) fn core_tspec(tspec: &api::Tspec) -> Tspec {
    Tspec {
        rate: (tspec.average_rate / BITS) as f32,
        bucket: tspec.size as f32,
        peak: tspec.peak_rate.map_or(f32::INFINITY, |peak| (peak / BITS) as f32),
        min_unit: tspec.min_policed_unit,
        max_packet: tspec.max_packet_size,
    }
}

pub(super) fn sender_tspec(sender_tspec: &SenderTspec) -> api::SenderTspec {
    match sender_tspec {
        SenderTspec::TokenBucket(bucket) => api::SenderTspec::TokenBucket(tspec(bucket)),
        SenderTspec::Null { max_packet } => api::SenderTspec::Null { max_packet_size: *max_packet },
        SenderTspec::TokenBucketOrNull { tspec: bucket, null_max_packet } => {
            api::SenderTspec::TokenBucketOrNull {
                tspec: tspec(bucket),
                null_max_packet_size: *null_max_packet,
            }
        }
        SenderTspec::Opaque(object) => {
            api::SenderTspec::Opaque { ctype: object.ctype, length: object.contents.len() }
        }
        _ => api::SenderTspec::Opaque { ctype: 0, length: 0 },
    }
}

/// What a sender says of its traffic, as the engine has it.
pub(crate) fn core_sender_tspec(bucket: &api::Tspec, service: api::SenderService) -> SenderTspec {
    let (tspec, max_packet) = (core_tspec(bucket), bucket.max_packet_size);
    match service {
        api::SenderService::TokenBucket => SenderTspec::TokenBucket(tspec),
        api::SenderService::Null => SenderTspec::Null { max_packet },
        api::SenderService::TokenBucketOrNull => {
            SenderTspec::TokenBucketOrNull { tspec, null_max_packet: max_packet }
        }
    }
}

pub(super) fn flowspec(flowspec: &Flowspec) -> api::Flowspec {
    match flowspec {
        Flowspec::ControlledLoad(bucket) => api::Flowspec::ControlledLoad(tspec(bucket)),
        Flowspec::Guaranteed(bucket, rspec) => api::Flowspec::Guaranteed {
            tspec: tspec(bucket),
            rate: f64::from(rspec.rate) * BITS,
            slack: rspec.slack,
        },
        Flowspec::Null { max_packet } => api::Flowspec::Null { max_packet_size: *max_packet },
        Flowspec::Opaque(object) => {
            api::Flowspec::Opaque { ctype: object.ctype, length: object.contents.len() }
        }
        _ => api::Flowspec::Opaque { ctype: 0, length: 0 },
    }
}

/// A flowspec as the engine has it.
///
/// # Errors
///
/// If its service is none that can be asked for.
#[expect(clippy::cast_possible_truncation, reason = "the wire has single precision")]
pub(crate) fn core_flowspec(flowspec: &api::Flowspec) -> Result<Flowspec, String> {
    match flowspec {
        api::Flowspec::ControlledLoad(tspec) => Ok(Flowspec::ControlledLoad(core_tspec(tspec))),
        api::Flowspec::Guaranteed { tspec, rate, slack } => {
            Ok(Flowspec::Guaranteed(core_tspec(tspec), Rspec { rate: (rate / BITS) as f32, slack: *slack }))
        }
        api::Flowspec::Null { max_packet_size } => Ok(Flowspec::Null { max_packet: *max_packet_size }),
        _ => Err("a flowspec of an unknown service cannot be asked for".to_owned()),
    }
}

pub(super) fn style(style: Style) -> api::Style {
    match style {
        Style::Ff => api::Style::Ff,
        Style::Se => api::Style::Se,
        Style::Wf => api::Style::Wf,
    }
}

/// A style as the engine names it.
pub(crate) fn core_style(style: api::Style) -> Style {
    match style {
        api::Style::Ff => Style::Ff,
        api::Style::Se => Style::Se,
        api::Style::Wf => Style::Wf,
    }
}

pub(super) fn flows(flows: &[FlowDescriptor]) -> Vec<api::FlowDescriptor> {
    let flow = |flow: &FlowDescriptor| api::FlowDescriptor {
        flowspec: flow.flowspec.as_ref().map(flowspec),
        filters: filters(&flow.filters),
    };
    flows.iter().map(flow).collect()
}

/// POLICY_DATA objects.
pub(super) fn policy_data(objects: &[RawObject]) -> Vec<api::PolicyData> {
    let hex = |contents: &[u8]| contents.iter().map(|octet| format!("{octet:02x}")).collect();
    let document =
        |object: &RawObject| api::PolicyData { c_type: object.ctype, contents: hex(&object.contents) };
    objects.iter().map(document).collect()
}

/// POLICY_DATA objects as the engine has them.
///
/// # Errors
///
/// When contents are no octets in hexadecimal digits, or no whole words.
pub(crate) fn core_policy_data(documents: &[api::PolicyData]) -> Result<Vec<RawObject>, String> {
    let object = |document: &api::PolicyData| {
        let digits = document.contents.as_bytes();
        let octet = |pair: &[u8]| {
            let text =
                std::str::from_utf8(pair).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
            text.and_then(|text| u8::from_str_radix(text, 16).ok())
        };
        let contents: Option<Vec<u8>> =
            digits.chunks(2).map(|pair| if pair.len() == 2 { octet(pair) } else { None }).collect();
        match contents {
            Some(contents) if contents.len() % 4 == 0 => {
                Ok(RawObject { class: ClassNum::POLICY_DATA.0, ctype: document.c_type, contents })
            }
            _ => Err("policy-data: contents are hexadecimal digits, eight for each word".to_owned()),
        }
    };
    documents.iter().map(object).collect()
}

/// An ADSPEC; `None` for one whose contents are not interpreted.
pub(super) fn adspec(adspec: &Adspec) -> Option<api::Adspec> {
    let Adspec::IntServ(adspec) = adspec else { return None };
    let general = &adspec.general;
    Some(api::Adspec {
        broken: general.broken,
        is_hops: general.is_hops,
        bandwidth: general.bandwidth.is_finite().then(|| f64::from(general.bandwidth) * BITS),
        latency: (general.latency != u32::MAX).then_some(general.latency),
        path_mtu: general.path_mtu,
        guaranteed: adspec.guaranteed.as_ref().is_some_and(|fragment| !fragment.broken),
        controlled_load: adspec.controlled_load.as_ref().is_some_and(|fragment| !fragment.broken),
        guaranteed_terms: adspec.guaranteed.as_ref().map(|fragment| api::GuaranteedTerms {
            broken: fragment.broken || fragment.header_only,
            c_total: fragment.c_total,
            d_total: fragment.d_total,
            c_sum: fragment.c_sum,
            d_sum: fragment.d_sum,
            latency: fragment.overrides.latency,
            path_mtu: fragment.overrides.path_mtu,
        }),
    })
}

/// As much of an ADSPEC as guaranteed service needs, as the engine has it.
pub(crate) fn core_adspec(adspec: &api::Adspec) -> IntServAdspec {
    let terms = |terms: &api::GuaranteedTerms| GuaranteedFragment {
        broken: terms.broken,
        header_only: false,
        c_total: terms.c_total,
        d_total: terms.d_total,
        c_sum: terms.c_sum,
        d_sum: terms.d_sum,
        overrides: Overrides { latency: terms.latency, path_mtu: terms.path_mtu, ..Overrides::default() },
    };
    let general = GeneralParameters {
        broken: adspec.broken,
        is_hops: adspec.is_hops,
        bandwidth: 0.0,
        latency: adspec.latency.unwrap_or(INDETERMINATE_LATENCY),
        path_mtu: adspec.path_mtu,
    };
    let guaranteed = adspec.guaranteed_terms.as_ref().map(terms);
    IntServAdspec { general, guaranteed, controlled_load: None, other: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_bits_outside_and_bytes_inside() {
        let outside = api::Tspec::of_rate(1_000_000);
        let inside = core_tspec(&outside);
        assert_eq!(inside.rate, 125_000.0);
        assert!(inside.peak.is_infinite());
        assert_eq!(tspec(&inside), outside);
    }

    #[test]
    fn requests_survive_the_way_in_and_out() {
        let guaranteed =
            api::Flowspec::Guaranteed { tspec: api::Tspec::of_rate(800_000), rate: 1_600_000.0, slack: 7 };
        assert_eq!(flowspec(&core_flowspec(&guaranteed).expect("a known service")), guaranteed);
        let sender = api::Filter::with_flow_label("2001:db8::1".parse().expect("address"), 0x12345);
        assert_eq!(filter(&core_filter(&sender).expect("a good sender")), sender);
        let key = api::Session::udp("192.0.2.7".parse().expect("address"), 5004);
        assert_eq!(session(&core_session(&key)), key);
    }

    #[test]
    fn policy_data_is_written_in_hexadecimal() {
        let object = RawObject { class: 14, ctype: 3, contents: vec![0, 0xab, 0x10, 0xff] };
        let documents = policy_data(std::slice::from_ref(&object));
        assert_eq!(documents[0].contents, "00ab10ff");
        assert_eq!(core_policy_data(&documents), Ok(vec![object]));
        for contents in ["00ab10f", "00ab10", "00ab10fg", "+0ab10ff", "äää\u{e4}"] {
            let wrong = api::PolicyData { c_type: 1, contents: contents.to_owned() };
            assert!(core_policy_data(&[wrong]).is_err(), "{contents}");
        }
    }

    #[test]
    fn a_sender_is_told_apart_in_one_way_only() {
        let mut sender = api::Filter::new("2001:db8::1".parse().expect("address"), 5004);
        sender.spi = Some(1);
        assert!(core_filter(&sender).is_err());
        sender.source_port = None;
        sender.spi = None;
        sender.flow_label = Some(1 << 20);
        assert!(core_filter(&sender).is_err(), "20 bits");
    }
}
