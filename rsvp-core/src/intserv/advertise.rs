//! ADSPEC composition (RFC 2205 section 3.11.2, TC_Advertise; RFC 2210 section 3.3; RFC 2215).

use alloc::vec::Vec;

use crate::wire::{
    GeneralParameters, GuaranteedFragment, INDETERMINATE_LATENCY, IntServAdspec, Overrides, RawFragment,
    SenderTspec, ServiceFragment, ServiceNumber,
};

/// What one hop adds to an ADSPEC: the node, and the interface and link that the Path leaves by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hop {
    /// Bandwidth available, in bytes per second; 0 if it is not known.
    pub bandwidth: f32,
    /// The least delay that a packet meets, in microseconds; `None` if it is not known.
    pub latency: Option<u32>,
    /// Largest IP packet, in bytes.
    pub mtu: u32,
    /// C in bytes and D in microseconds, if guaranteed service is offered.
    pub guaranteed: Option<(u32, u32)>,
    /// Whether controlled load is offered.
    pub controlled_load: bool,
    /// Whether nodes without RSVP lie in front of this one or behind its interface.
    pub non_rsvp: bool,
    /// Whether flows with guaranteed service are reshaped here: then Csum and Dsum start anew (RFC 2212, "Exported
    /// Information").
    pub reshapes: bool,
    /// What holds for guaranteed service instead of the values above.
    pub guaranteed_values: ServiceValues,
    /// What holds for controlled load instead of the values above.
    pub controlled_load_values: ServiceValues,
}

/// A hop's own values for one service, where they differ from its general ones (RFC 2215 section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServiceValues {
    /// Bandwidth available to the service, in bytes per second.
    pub bandwidth: Option<f32>,
    /// The least delay that a packet of the service meets, in microseconds.
    pub latency: Option<u32>,
    /// Largest IP packet of the service, in bytes.
    pub mtu: Option<u32>,
}

/// The most hops that the count tells (RFC 2215 section 3.2).
const MAX_IS_HOPS: u32 = 255;

/// The ADSPEC that a sender starts from, whose values are those that the first [`advertise`] replaces. It is not meant to
/// be sent as it is.
///
/// It offers the services that the sender describes its traffic for: guaranteed service and controlled load with a token
/// bucket, the null service with a maximum packet size for it (RFC 2997 section 3).
#[must_use]
pub fn initial_adspec(tspec: &SenderTspec) -> IntServAdspec {
    let general = GeneralParameters {
        broken: false,
        is_hops: 0,
        bandwidth: f32::INFINITY,
        latency: 0,
        path_mtu: u32::MAX,
    };
    let is_metered = !matches!(tspec, SenderTspec::Null { .. });
    let null = RawFragment { service: ServiceNumber::NULL.0, broken: false, contents: Vec::new() };
    let may_be_null = matches!(tspec, SenderTspec::Null { .. } | SenderTspec::TokenBucketOrNull { .. });
    IntServAdspec {
        general,
        guaranteed: is_metered.then(GuaranteedFragment::default),
        controlled_load: is_metered.then(ServiceFragment::default),
        other: may_be_null.then_some(null).into_iter().collect(),
    }
}

/// The ADSPEC of a Path behind this hop.
#[must_use]
pub fn advertise(adspec: &IntServAdspec, hop: &Hop) -> IntServAdspec {
    let before = &adspec.general;
    let general = GeneralParameters {
        broken: before.broken || hop.non_rsvp,
        is_hops: hop_count(before.is_hops),
        bandwidth: bandwidth(before.bandwidth, hop.bandwidth),
        latency: latency(before.latency, hop.latency),
        path_mtu: before.path_mtu.min(hop.mtu),
    };
    IntServAdspec {
        general,
        guaranteed: adspec.guaranteed.as_ref().map(|fragment| hop.guaranteed(fragment, before)),
        controlled_load: adspec
            .controlled_load
            .as_ref()
            .map(|fragment| hop.controlled_load(fragment, before)),
        other: adspec.other.iter().map(other).collect(),
    }
}

/// The path MTU for a service, in bytes: its own value if it has one, else the general one (RFC 2210 section 2.3.2).
#[must_use]
pub fn path_mtu(adspec: &IntServAdspec, service: ServiceNumber) -> u32 {
    let overrides = match service {
        ServiceNumber::GUARANTEED => adspec.guaranteed.as_ref().map(|fragment| &fragment.overrides),
        ServiceNumber::CONTROLLED_LOAD => adspec.controlled_load.as_ref().map(|fragment| &fragment.overrides),
        _ => None,
    };
    let general = adspec.general.path_mtu;
    overrides.and_then(|overrides| overrides.path_mtu).map_or(general, |own| own.min(general))
}

/// RFC 2215 section 3.2.
fn hop_count(before: u32) -> u32 {
    before.saturating_add(1).min(MAX_IS_HOPS)
}

/// RFC 2215 section 3.3: the minimum; 0 is unknown, and stays it. What is no possible value is unknown as well.
fn bandwidth(before: f32, own: f32) -> f32 {
    let bandwidth = before.min(own);
    let possible = !before.is_nan() && !own.is_nan() && bandwidth.is_finite() && bandwidth > 0.0;
    if possible { bandwidth } else { 0.0 }
}

/// RFC 2215 section 3.4: the sum; indeterminate when a part of it is, or when it is too large.
fn latency(before: u32, own: Option<u32>) -> u32 {
    match own {
        Some(own) if own != INDETERMINATE_LATENCY => before.saturating_add(own),
        _ => INDETERMINATE_LATENCY,
    }
}

impl Hop {
    /// A parameter has a value for one service if one came, or this hop has one of its own; what is missing on the other
    /// side is the general value there (RFC 2210 section 3.3.5). The MTU of a service is never larger than the path's
    /// (RFC 2215 section 3.5).
    fn overrides(&self, before: &Overrides, own: &ServiceValues, general: &GeneralParameters) -> Overrides {
        let largest = |mtu: Option<u32>| mtu.unwrap_or(u32::MAX);
        Overrides {
            is_hops: before.is_hops.map(hop_count),
            bandwidth: (before.bandwidth.is_some() || own.bandwidth.is_some()).then(|| {
                let before = before.bandwidth.unwrap_or(general.bandwidth);
                bandwidth(before, own.bandwidth.unwrap_or(self.bandwidth))
            }),
            latency: (before.latency.is_some() || own.latency.is_some())
                .then(|| latency(before.latency.unwrap_or(general.latency), own.latency.or(self.latency))),
            path_mtu: (before.path_mtu.is_some() || own.mtu.is_some()).then(|| {
                let path = general.path_mtu.min(self.mtu);
                path.min(largest(before.path_mtu)).min(largest(own.mtu))
            }),
        }
    }

    /// RFC 2212, "Exported Information": the terms add up and saturate. A fragment that is a header alone gets its values
    /// here (RFC 2210 section 3.3.3).
    fn guaranteed(&self, before: &GuaranteedFragment, general: &GeneralParameters) -> GuaranteedFragment {
        let Some((c, d)) = self.guaranteed else {
            return GuaranteedFragment { broken: true, ..*before };
        };
        let (c_sum, d_sum) = if self.reshapes { (0, 0) } else { (before.c_sum, before.d_sum) };
        GuaranteedFragment {
            broken: before.broken,
            header_only: false,
            c_total: before.c_total.saturating_add(c),
            d_total: before.d_total.saturating_add(d),
            // The reshaper stands before the scheduler: what the scheduler distorts is for the next one.
            c_sum: c_sum.saturating_add(c),
            d_sum: d_sum.saturating_add(d),
            overrides: self.overrides(&before.overrides, &self.guaranteed_values, general),
        }
    }

    /// RFC 2210 section 3.3.4.
    fn controlled_load(&self, before: &ServiceFragment, general: &GeneralParameters) -> ServiceFragment {
        if !self.controlled_load {
            return ServiceFragment { broken: true, ..*before };
        }
        let overrides = self.overrides(&before.overrides, &self.controlled_load_values, general);
        ServiceFragment { broken: before.broken, overrides }
    }
}

/// A service that this code does not know is broken here (RFC 2210 section 3.3). The null service asks for nothing that
/// could be missing; but values inside its fragment would not be composed.
fn other(fragment: &RawFragment) -> RawFragment {
    let offered = fragment.service == ServiceNumber::NULL.0 && fragment.contents.is_empty();
    RawFragment { broken: fragment.broken || !offered, ..fragment.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Tspec;

    const HOP: Hop = Hop {
        bandwidth: 5e5,
        latency: Some(100),
        mtu: 9000,
        guaranteed: Some((1500, 120)),
        controlled_load: true,
        non_rsvp: false,
        reshapes: false,
        guaranteed_values: NO_VALUES,
        controlled_load_values: NO_VALUES,
    };
    const NO_VALUES: ServiceValues = ServiceValues { bandwidth: None, latency: None, mtu: None };

    fn arriving() -> IntServAdspec {
        let general =
            GeneralParameters { broken: false, is_hops: 3, bandwidth: 1e6, latency: 500, path_mtu: 1500 };
        let guaranteed =
            GuaranteedFragment { c_total: 1000, d_total: 200, c_sum: 1000, d_sum: 200, ..Default::default() };
        IntServAdspec {
            general,
            guaranteed: Some(guaranteed),
            controlled_load: Some(ServiceFragment::default()),
            other: Vec::new(),
        }
    }

    #[test]
    fn every_value_is_composed() {
        let left = advertise(&arriving(), &HOP);
        let general =
            GeneralParameters { broken: false, is_hops: 4, bandwidth: 5e5, latency: 600, path_mtu: 1500 };
        assert_eq!(left.general, general);
        let guaranteed =
            GuaranteedFragment { c_total: 2500, d_total: 320, c_sum: 2500, d_sum: 320, ..Default::default() };
        assert_eq!(left.guaranteed, Some(guaranteed));
        assert_eq!(left.controlled_load, Some(ServiceFragment::default()));
    }

    #[test]
    fn unknown_and_saturated_values_stay_so() {
        let mut adspec = arriving();
        adspec.general = GeneralParameters {
            broken: true,
            is_hops: 255,
            bandwidth: 0.0,
            latency: INDETERMINATE_LATENCY,
            path_mtu: 68,
        };
        assert_eq!(advertise(&adspec, &HOP).general, adspec.general);
        adspec.general.latency = 0xffff_fff0;
        assert_eq!(advertise(&adspec, &HOP).general.latency, INDETERMINATE_LATENCY);
        adspec.general.latency = 7;
        let vague = Hop { latency: None, bandwidth: 0.0, ..HOP };
        assert_eq!(advertise(&arriving(), &vague).general.latency, INDETERMINATE_LATENCY);
        assert_eq!(advertise(&arriving(), &vague).general.bandwidth, 0.0);
        adspec.general.bandwidth = f32::NAN;
        assert_eq!(advertise(&adspec, &HOP).general.bandwidth, 0.0);
        adspec.guaranteed =
            Some(GuaranteedFragment { c_total: 0xffff_ff00, d_total: u32::MAX, ..Default::default() });
        let guaranteed = advertise(&adspec, &HOP).guaranteed.unwrap();
        assert_eq!((guaranteed.c_total, guaranteed.d_total), (u32::MAX, u32::MAX));
    }

    #[test]
    fn a_service_that_is_not_offered_is_broken_and_not_composed() {
        let mut adspec = arriving();
        let overrides = Overrides { path_mtu: Some(20_000), ..Default::default() };
        adspec.controlled_load = Some(ServiceFragment { broken: false, overrides });
        let left = advertise(&adspec, &Hop { guaranteed: None, controlled_load: false, ..HOP });
        let guaranteed = GuaranteedFragment { broken: true, ..arriving().guaranteed.unwrap() };
        assert_eq!(left.guaranteed, Some(guaranteed));
        assert_eq!(left.controlled_load, Some(ServiceFragment { broken: true, overrides }));
        assert!(!left.general.broken);
        let again = advertise(&left, &HOP);
        assert!(again.guaranteed.unwrap().broken, "a break is never mended");
        assert!(again.controlled_load.unwrap().broken, "a break is never mended");
    }

    #[test]
    fn fragments_are_neither_added_nor_left_out() {
        let adspec = IntServAdspec { guaranteed: None, controlled_load: None, ..arriving() };
        let left = advertise(&adspec, &HOP);
        assert_eq!((left.guaranteed, left.controlled_load), (None, None));
    }

    #[test]
    fn a_header_alone_gets_values_where_the_service_is_offered() {
        let bare = GuaranteedFragment { broken: true, header_only: true, ..Default::default() };
        let adspec = IntServAdspec { guaranteed: Some(bare), ..arriving() };
        let left = advertise(&adspec, &HOP).guaranteed.unwrap();
        assert!(left.broken && !left.header_only);
        assert_eq!((left.c_total, left.d_total, left.c_sum, left.d_sum), (1500, 120, 1500, 120));
        assert_eq!(advertise(&adspec, &Hop { guaranteed: None, ..HOP }).guaranteed, Some(bare));
    }

    #[test]
    fn overrides_are_composed_with_the_general_values_of_the_hop() {
        let overrides =
            Overrides { is_hops: Some(2), bandwidth: Some(3e5), latency: Some(1), path_mtu: Some(1000) };
        let fragment = Some(ServiceFragment { broken: false, overrides });
        let adspec = IntServAdspec { controlled_load: fragment, ..arriving() };
        let hop = Hop { bandwidth: 2e5, mtu: 800, ..HOP };
        let left = advertise(&adspec, &hop).controlled_load.unwrap().overrides;
        let expected =
            Overrides { is_hops: Some(3), bandwidth: Some(2e5), latency: Some(101), path_mtu: Some(800) };
        assert_eq!(left, expected);
        assert_eq!(advertise(&adspec, &hop).general.bandwidth, 2e5);
        assert_eq!(path_mtu(&adspec, ServiceNumber::CONTROLLED_LOAD), 1000);
        let mut larger = adspec.clone();
        larger.general.path_mtu = 700;
        let left = advertise(&larger, &hop).controlled_load.unwrap().overrides;
        assert_eq!(left.path_mtu, Some(700), "a service carries no more than the path");
        assert_eq!(path_mtu(&adspec, ServiceNumber::GUARANTEED), 1500);
    }

    #[test]
    fn values_of_the_hop_for_one_service_are_composed_with_the_general_ones_of_the_path() {
        let own = ServiceValues { bandwidth: Some(4e5), latency: Some(30), mtu: Some(576) };
        let hop = Hop { guaranteed_values: own, ..HOP };
        let left = advertise(&arriving(), &hop);
        let expected =
            Overrides { is_hops: None, bandwidth: Some(4e5), latency: Some(530), path_mtu: Some(576) };
        assert_eq!(left.guaranteed.unwrap().overrides, expected);
        assert_eq!(left.controlled_load, Some(ServiceFragment::default()));
        assert_eq!(left.general, advertise(&arriving(), &HOP).general);
        let on = advertise(&left, &Hop { mtu: 500, ..HOP });
        assert_eq!(on.guaranteed.unwrap().overrides.path_mtu, Some(500));
        let load = Hop { controlled_load_values: ServiceValues { mtu: Some(9000), ..NO_VALUES }, ..HOP };
        let left = advertise(&arriving(), &load).controlled_load.unwrap().overrides;
        assert_eq!(left, Overrides { path_mtu: Some(1500), ..Default::default() });
    }

    #[test]
    fn a_reshaping_hop_starts_the_sums_anew() {
        let left = advertise(&arriving(), &Hop { reshapes: true, ..HOP }).guaranteed.unwrap();
        assert_eq!((left.c_sum, left.d_sum), (1500, 120));
        assert_eq!((left.c_total, left.d_total), (2500, 320));
    }

    #[test]
    fn unknown_services_break_and_the_null_service_does_not() {
        let fragment =
            |service, contents: &[u8]| RawFragment { service, broken: false, contents: contents.into() };
        let other = [fragment(77, &[1, 2, 3, 4]), fragment(6, &[])].into();
        let left = advertise(&IntServAdspec { other, ..arriving() }, &HOP);
        assert_eq!(left.other[0], RawFragment { broken: true, ..fragment(77, &[1, 2, 3, 4]) });
        assert_eq!(left.other[1], fragment(6, &[]));
    }

    #[test]
    fn a_non_rsvp_hop_breaks_the_path() {
        let left = advertise(&arriving(), &Hop { non_rsvp: true, ..HOP });
        assert!(left.general.broken);
        assert!(!left.guaranteed.unwrap().broken);
        assert!(advertise(&left, &HOP).general.broken);
    }

    #[test]
    fn a_sender_offers_what_it_describes_its_traffic_for() {
        let tspec = Tspec { rate: 1e4, bucket: 2e3, peak: 1e5, min_unit: 64, max_packet: 1500 };
        let offered = |tspec| {
            let adspec = initial_adspec(&tspec);
            let others: Vec<u8> = adspec.other.iter().map(|fragment| fragment.service).collect();
            (adspec.guaranteed.is_some(), adspec.controlled_load.is_some(), others)
        };
        assert_eq!(offered(SenderTspec::TokenBucket(tspec)), (true, true, [].into()));
        assert_eq!(offered(SenderTspec::Null { max_packet: 1500 }), (false, false, [6].into()));
        let both = SenderTspec::TokenBucketOrNull { tspec, null_max_packet: 1500 };
        assert_eq!(offered(both), (true, true, [6].into()));
    }

    #[test]
    fn the_first_hop_fills_the_initial_adspec() {
        let tspec = Tspec { rate: 1e4, bucket: 2e3, peak: 1e5, min_unit: 64, max_packet: 1500 };
        let initial = initial_adspec(&SenderTspec::TokenBucket(tspec));
        let left = advertise(&initial, &HOP);
        let general =
            GeneralParameters { broken: false, is_hops: 1, bandwidth: 5e5, latency: 100, path_mtu: 9000 };
        assert_eq!(left.general, general);
        assert_eq!(left.guaranteed.unwrap().c_total, 1500);
        let unbounded = advertise(&initial, &Hop { bandwidth: f32::INFINITY, ..HOP });
        assert_eq!(unbounded.general.bandwidth, 0.0, "infinity is no value for the wire");
    }
}
