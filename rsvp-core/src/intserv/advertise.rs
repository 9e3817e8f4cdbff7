//! ADSPEC composition (RFC 2205 section 3.11.2, TC_Advertise; RFC 2210 section 3.3; RFC 2215).

use alloc::vec::Vec;

use crate::wire::{
    GeneralParameters, GuaranteedFragment, INDETERMINATE_LATENCY, IntServAdspec, Overrides, RawFragment,
    ServiceFragment, ServiceNumber,
};

/// What one hop adds to an ADSPEC: the node, and the interface and link that the Path leaves by.
#[derive(Clone, Copy, Debug, PartialEq)]
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
}

/// The most hops that the count tells (RFC 2215 section 3.2).
const MAX_IS_HOPS: u32 = 255;

/// The ADSPEC that a sender starts from: it offers guaranteed service and controlled load, and its values are those that
/// the first [`advertise`] replaces. It is not meant to be sent as it is.
#[must_use]
pub fn initial_adspec() -> IntServAdspec {
    let general = GeneralParameters {
        broken: false,
        is_hops: 0,
        bandwidth: f32::INFINITY,
        latency: 0,
        path_mtu: u32::MAX,
    };
    IntServAdspec {
        general,
        guaranteed: Some(GuaranteedFragment::default()),
        controlled_load: Some(ServiceFragment::default()),
        other: Vec::new(),
    }
}

/// The ADSPEC of a Path behind this hop.
#[must_use]
pub fn advertise(adspec: &IntServAdspec, hop: &Hop) -> IntServAdspec {
    let before = &adspec.general;
    let general = GeneralParameters {
        broken: before.broken || hop.non_rsvp,
        is_hops: hop.is_hops(before.is_hops),
        bandwidth: hop.bandwidth(before.bandwidth),
        latency: hop.latency(before.latency),
        path_mtu: before.path_mtu.min(hop.mtu),
    };
    let mtu = general.path_mtu;
    IntServAdspec {
        general,
        guaranteed: adspec.guaranteed.as_ref().map(|fragment| hop.guaranteed(fragment, mtu)),
        controlled_load: adspec.controlled_load.as_ref().map(|fragment| hop.controlled_load(fragment, mtu)),
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

impl Hop {
    /// RFC 2215 section 3.2.
    fn is_hops(&self, before: u32) -> u32 {
        before.saturating_add(1).min(MAX_IS_HOPS)
    }

    /// RFC 2215 section 3.3: the minimum; 0 is unknown, and stays it. What is no possible value is unknown as well.
    fn bandwidth(&self, before: f32) -> f32 {
        let bandwidth = before.min(self.bandwidth);
        let possible =
            !before.is_nan() && !self.bandwidth.is_nan() && bandwidth.is_finite() && bandwidth > 0.0;
        if possible { bandwidth } else { 0.0 }
    }

    /// RFC 2215 section 3.4: the sum; indeterminate when a part of it is, or when it is too large.
    fn latency(&self, before: u32) -> u32 {
        match self.latency {
            Some(own) if own != INDETERMINATE_LATENCY => before.saturating_add(own),
            _ => INDETERMINATE_LATENCY,
        }
    }

    /// A value that holds for one service is composed with the general one of this hop, which has no other. The MTU of a
    /// service is never larger than the path's, `mtu` (RFC 2215 section 3.5).
    fn overrides(&self, before: &Overrides, mtu: u32) -> Overrides {
        Overrides {
            is_hops: before.is_hops.map(|hops| self.is_hops(hops)),
            bandwidth: before.bandwidth.map(|bandwidth| self.bandwidth(bandwidth)),
            latency: before.latency.map(|latency| self.latency(latency)),
            path_mtu: before.path_mtu.map(|own| own.min(mtu)),
        }
    }

    /// RFC 2212, "Exported Information": the terms add up and saturate. A fragment that is a header alone gets its values
    /// here (RFC 2210 section 3.3.3).
    fn guaranteed(&self, before: &GuaranteedFragment, mtu: u32) -> GuaranteedFragment {
        let Some((c, d)) = self.guaranteed else {
            return GuaranteedFragment { broken: true, ..*before };
        };
        GuaranteedFragment {
            broken: before.broken,
            header_only: false,
            c_total: before.c_total.saturating_add(c),
            d_total: before.d_total.saturating_add(d),
            c_sum: before.c_sum.saturating_add(c),
            d_sum: before.d_sum.saturating_add(d),
            overrides: self.overrides(&before.overrides, mtu),
        }
    }

    /// RFC 2210 section 3.3.4.
    fn controlled_load(&self, before: &ServiceFragment, mtu: u32) -> ServiceFragment {
        if !self.controlled_load {
            return ServiceFragment { broken: true, ..*before };
        }
        ServiceFragment { broken: before.broken, overrides: self.overrides(&before.overrides, mtu) }
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

    const HOP: Hop = Hop {
        bandwidth: 5e5,
        latency: Some(100),
        mtu: 9000,
        guaranteed: Some((1500, 120)),
        controlled_load: true,
        non_rsvp: false,
    };

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
    fn the_first_hop_fills_the_initial_adspec() {
        let left = advertise(&initial_adspec(), &HOP);
        let general =
            GeneralParameters { broken: false, is_hops: 1, bandwidth: 5e5, latency: 100, path_mtu: 9000 };
        assert_eq!(left.general, general);
        assert_eq!(left.guaranteed.unwrap().c_total, 1500);
        let unbounded = advertise(&initial_adspec(), &Hop { bandwidth: f32::INFINITY, ..HOP });
        assert_eq!(unbounded.general.bandwidth, 0.0, "infinity is no value for the wire");
    }
}
