//! What a receiver can ask of guaranteed service over a path, by what its ADSPEC says (RFC 2210 section 2, RFC 2212).

use core::fmt;

use super::advertise::path_mtu;
use super::delay::{queueing_delay, rspec_for_delay};
use crate::wire::{INDETERMINATE_LATENCY, IntServAdspec, Rspec, ServiceNumber, Tspec};

/// A request that keeps to a wanted delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Promise {
    /// The traffic, with an M that the path can carry.
    pub tspec: Tspec,
    /// R and S.
    pub rspec: Rspec,
    /// The end-to-end queueing delay bound with this R, in microseconds.
    pub queueing: f64,
    /// The minimum path latency, in microseconds: it comes on top. `None`: the path does not tell.
    pub latency: Option<u32>,
}

/// Why a path cannot keep to a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPromise {
    /// The ADSPEC has no fragment for guaranteed service: the sender does not want it (RFC 2210 section 2.2).
    NotOffered,
    /// A node on the path does not offer the service.
    ServiceBroken,
    /// There is a node without integrated services on the path.
    PathBroken,
    /// The error terms are too large to be told.
    Indeterminate,
    /// No rate is high enough.
    TooShort {
        /// What the delay has to be more than, in microseconds: Dtot and the path latency.
        least: u32,
    },
}

impl fmt::Display for NoPromise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered => f.write_str("the sender does not offer guaranteed service"),
            Self::ServiceBroken => f.write_str("a node on the path does not offer guaranteed service"),
            Self::PathBroken => f.write_str("a node on the path has no integrated services"),
            Self::Indeterminate => f.write_str("the path's error terms C and D are indeterminate"),
            Self::TooShort { least } => {
                write!(f, "no rate is high enough: the path takes {least} us whatever is reserved")
            }
        }
    }
}

impl core::error::Error for NoPromise {}

/// What to ask for, so that no packet takes longer than `wanted` microseconds from end to end: the queueing delay bound
/// and the minimum path latency together, as far as the path tells its latency; if not, the bound holds for queueing
/// alone.
///
/// # Errors
///
/// Why the path cannot promise it.
pub fn promise(adspec: &IntServAdspec, tspec: &Tspec, wanted: u32) -> Result<Promise, NoPromise> {
    let service = adspec.guaranteed.as_ref().ok_or(NoPromise::NotOffered)?;
    if adspec.general.broken {
        return Err(NoPromise::PathBroken);
    }
    if service.broken || service.header_only {
        return Err(NoPromise::ServiceBroken);
    }
    if service.c_total == u32::MAX || service.d_total == u32::MAX {
        return Err(NoPromise::Indeterminate);
    }
    let latency = service.overrides.latency.unwrap_or(adspec.general.latency);
    let latency = (latency != INDETERMINATE_LATENCY).then_some(latency);
    let max_packet = tspec.max_packet.min(path_mtu(adspec, ServiceNumber::GUARANTEED));
    let tspec = Tspec { max_packet, min_unit: tspec.min_unit.min(max_packet), ..*tspec };
    let rspec = wanted
        .checked_sub(latency.unwrap_or(0))
        .and_then(|queueing| rspec_for_delay(&tspec, queueing, service.c_total, service.d_total))
        .ok_or(NoPromise::TooShort { least: service.d_total.saturating_add(latency.unwrap_or(0)) })?;
    let queueing = queueing_delay(&tspec, &rspec, service.c_total, service.d_total);
    Ok(Promise { tspec, rspec, queueing, latency })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::wire::{GeneralParameters, GuaranteedFragment, Overrides};

    const TSPEC: Tspec =
        Tspec { rate: 10_000.0, bucket: 4500.0, peak: 40_000.0, min_unit: 64, max_packet: 1500 };

    fn adspec() -> IntServAdspec {
        let general =
            GeneralParameters { broken: false, is_hops: 3, bandwidth: 1e6, latency: 5000, path_mtu: 1500 };
        let service =
            GuaranteedFragment { c_total: 2500, d_total: 320, c_sum: 0, d_sum: 0, ..Default::default() };
        IntServAdspec { general, guaranteed: Some(service), controlled_load: None, other: Vec::new() }
    }

    #[test]
    fn the_latency_of_the_path_comes_off_first() {
        // 300.32 ms of queueing is R = 20000, as in the tests of the bound.
        let promised = promise(&adspec(), &TSPEC, 305_320).unwrap();
        assert_eq!((promised.rspec.rate.round(), promised.latency), (20_000.0, Some(5000)));
        assert!((promised.queueing - 300_320.0).abs() < 1.0);
        let mut vague = adspec();
        vague.general.latency = INDETERMINATE_LATENCY;
        let promised = promise(&vague, &TSPEC, 300_320).unwrap();
        assert_eq!((promised.rspec.rate.round(), promised.latency), (20_000.0, None));
    }

    #[test]
    fn values_of_the_service_come_before_the_general_ones() {
        let mut own = adspec();
        let overrides = Overrides { latency: Some(1000), path_mtu: Some(1000), ..Default::default() };
        own.guaranteed.as_mut().unwrap().overrides = overrides;
        let promised = promise(&own, &TSPEC, 301_320).unwrap();
        assert_eq!((promised.tspec.max_packet, promised.latency), (1000, Some(1000)));
    }

    #[test]
    fn a_path_that_cannot_promise_says_why() {
        let refused = |change: fn(&mut IntServAdspec), wanted| {
            let mut adspec = adspec();
            change(&mut adspec);
            promise(&adspec, &TSPEC, wanted).unwrap_err()
        };
        assert_eq!(refused(|a| a.guaranteed = None, 1_000_000), NoPromise::NotOffered);
        assert_eq!(refused(|a| a.general.broken = true, 1_000_000), NoPromise::PathBroken);
        assert_eq!(
            refused(|a| a.guaranteed.as_mut().unwrap().broken = true, 1_000_000),
            NoPromise::ServiceBroken
        );
        assert_eq!(
            refused(|a| a.guaranteed.as_mut().unwrap().d_total = u32::MAX, 1_000_000),
            NoPromise::Indeterminate
        );
        assert_eq!(refused(|_| (), 5320), NoPromise::TooShort { least: 5320 });
        assert_eq!(refused(|_| (), 100), NoPromise::TooShort { least: 5320 });
    }
}
