//! What a service accepts as a request (RFC 2210 to RFC 2215).

use core::fmt;

use crate::wire::{
    Adspec, ErrorCode, Flowspec, Overrides, RawObject, SenderTspec, Tspec, ctype, traffic_control_error,
};

/// Why an IntServ object is refused, with the error code and value for the error message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSpec {
    /// Error code.
    pub code: ErrorCode,
    /// Error value.
    pub value: u16,
    /// In words.
    pub reason: &'static str,
}

impl fmt::Display for BadSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl core::error::Error for BadSpec {}

impl BadSpec {
    const fn traffic_control(value: u16, reason: &'static str) -> Self {
        Self { code: ErrorCode::TRAFFIC_CONTROL_ERROR, value, reason }
    }

    const fn flowspec(reason: &'static str) -> Self {
        Self::traffic_control(traffic_control_error::BAD_FLOWSPEC, reason)
    }

    const fn tspec(reason: &'static str) -> Self {
        Self::traffic_control(traffic_control_error::BAD_TSPEC, reason)
    }

    const fn adspec(reason: &'static str) -> Self {
        Self::traffic_control(traffic_control_error::BAD_ADSPEC, reason)
    }

    /// If the C-Type of the object is not IntServ's: error code 14.
    const fn unknown_ctype(object: &RawObject) -> Option<Self> {
        if object.ctype == ctype::INTSERV {
            return None;
        }
        let value = u16::from_be_bytes([object.class, object.ctype]);
        Some(Self { code: ErrorCode::UNKNOWN_OBJECT_CTYPE, value, reason: "the C-Type is not known" })
    }
}

/// r and p in bytes per second (RFC 2215 section 3.6).
pub(super) const RATE: core::ops::RangeInclusive<f32> = 1.0..=40e12;
/// b in bytes (RFC 2215 section 3.6).
const BUCKET: core::ops::RangeInclusive<f32> = 1.0..=250e9;

/// Whether a flowspec is one that its service can work with at all.
///
/// # Errors
///
/// What is wrong: code 21 with value 3 for impossible values and 2 for an unknown service, or code 14 for an unknown
/// C-Type.
pub fn validate_flowspec(flowspec: &Flowspec) -> Result<(), BadSpec> {
    match flowspec {
        Flowspec::ControlledLoad(tspec) => check_bucket(tspec).map_err(BadSpec::flowspec),
        Flowspec::Guaranteed(tspec, rspec) => {
            check_bucket(tspec).map_err(BadSpec::flowspec)?;
            if tspec.peak < tspec.rate {
                return Err(BadSpec::flowspec("peak rate p is less than rate r"));
            }
            if !RATE.contains(&rspec.rate) {
                return Err(BadSpec::flowspec("reserved rate R is out of range"));
            }
            if rspec.rate < tspec.rate {
                return Err(BadSpec::flowspec("reserved rate R is less than token bucket rate r"));
            }
            Ok(())
        }
        Flowspec::Null { max_packet: 0 } => Err(BadSpec::flowspec("maximum packet size M is 0")),
        Flowspec::Null { .. } => Ok(()),
        Flowspec::Opaque(object) => {
            if let Some(bad) = BadSpec::unknown_ctype(object) {
                return Err(bad);
            }
            if flowspec.service().is_some_and(|service| service.name().is_none()) {
                let value = traffic_control_error::SERVICE_UNSUPPORTED;
                return Err(BadSpec::traffic_control(value, "the service is not known"));
            }
            Err(BadSpec::flowspec("the FLOWSPEC is malformed"))
        }
    }
}

/// Whether a SENDER_TSPEC is a possible one.
///
/// # Errors
///
/// What is wrong: code 21 with value 4, or code 14 for an unknown C-Type.
pub fn validate_tspec(tspec: &SenderTspec) -> Result<(), BadSpec> {
    let check_null = |max_packet| {
        if max_packet == 0 { Err(BadSpec::tspec("maximum packet size M is 0")) } else { Ok(()) }
    };
    match tspec {
        SenderTspec::TokenBucket(tspec) => check_bucket(tspec).map_err(BadSpec::tspec),
        SenderTspec::Null { max_packet } => check_null(*max_packet),
        SenderTspec::TokenBucketOrNull { tspec, null_max_packet } => {
            check_bucket(tspec).map_err(BadSpec::tspec)?;
            check_null(*null_max_packet)
        }
        SenderTspec::Opaque(object) => {
            let malformed = BadSpec::tspec("the SENDER_TSPEC is malformed");
            Err(BadSpec::unknown_ctype(object).unwrap_or(malformed))
        }
    }
}

/// Whether an ADSPEC is a possible one.
///
/// # Errors
///
/// What is wrong: code 21 with value 5, or code 14 for an unknown C-Type.
pub fn validate_adspec(adspec: &Adspec) -> Result<(), BadSpec> {
    let adspec = match adspec {
        Adspec::IntServ(adspec) => adspec,
        Adspec::Opaque(object) => {
            let malformed = BadSpec::adspec("the ADSPEC is malformed");
            return Err(BadSpec::unknown_ctype(object).unwrap_or(malformed));
        }
    };
    let overrides = |overrides: &Overrides| overrides.bandwidth;
    let bandwidths = [
        Some(adspec.general.bandwidth),
        adspec.guaranteed.as_ref().and_then(|fragment| overrides(&fragment.overrides)),
        adspec.controlled_load.as_ref().and_then(|fragment| overrides(&fragment.overrides)),
    ];
    let possible = |bandwidth: f32| bandwidth.is_finite() && bandwidth.is_sign_positive();
    if bandwidths.into_iter().flatten().all(possible) {
        return Ok(());
    }
    Err(BadSpec::adspec("path bandwidth is negative or no number"))
}

/// Negative numbers, -0, infinity and NaN are outside of every range.
fn check_bucket(tspec: &Tspec) -> Result<(), &'static str> {
    if !RATE.contains(&tspec.rate) {
        return Err("token bucket rate r is out of range");
    }
    if !BUCKET.contains(&tspec.bucket) {
        return Err("token bucket size b is out of range");
    }
    if tspec.peak != f32::INFINITY && !RATE.contains(&tspec.peak) {
        return Err("peak rate p is out of range");
    }
    if tspec.min_unit == 0 {
        return Err("minimum policed unit m is 0");
    }
    if tspec.max_packet < tspec.min_unit {
        return Err("maximum packet size M is less than minimum policed unit m");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{GeneralParameters, IntServAdspec, Rspec};

    const GOOD: Tspec =
        Tspec { rate: 10_000.0, bucket: 2000.0, peak: f32::INFINITY, min_unit: 64, max_packet: 1500 };

    const BAD_FLOWSPEC: (u8, u16) = (21, 3);

    fn flowspec(flowspec: &Flowspec) -> Result<(), (u8, u16)> {
        validate_flowspec(flowspec).map_err(|bad| (bad.code.0, bad.value))
    }

    #[test]
    fn a_refusal_says_why() {
        let endless = Flowspec::ControlledLoad(Tspec { rate: f32::INFINITY, ..GOOD });
        let bad = validate_flowspec(&endless).expect_err("an endless rate");
        assert!(!bad.reason.is_empty());
        assert_eq!(alloc::string::ToString::to_string(&bad), bad.reason);
    }

    #[test]
    fn token_bucket_out_of_range_is_a_bad_value() {
        let impossible = [-1.0, -0.0, 0.0, 0.5, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e14];
        for value in impossible {
            let cases = [
                Tspec { rate: value, ..GOOD },
                Tspec { bucket: value, ..GOOD },
                Tspec { peak: value, ..GOOD },
            ];
            for case in &cases[..if value == f32::INFINITY { 2 } else { 3 }] {
                assert_eq!(flowspec(&Flowspec::ControlledLoad(*case)), Err(BAD_FLOWSPEC), "{case:?}");
                let tspec = validate_tspec(&SenderTspec::TokenBucket(*case)).map_err(|bad| bad.value);
                assert_eq!(tspec, Err(traffic_control_error::BAD_TSPEC), "{case:?}");
            }
        }
        assert_eq!(flowspec(&Flowspec::ControlledLoad(Tspec { bucket: 1e12, ..GOOD })), Err(BAD_FLOWSPEC));
        assert_eq!(flowspec(&Flowspec::ControlledLoad(GOOD)), Ok(()));
    }

    #[test]
    fn packet_sizes_are_positive_and_ordered() {
        for (min_unit, max_packet, fine) in
            [(0, 1500, false), (64, 63, false), (64, 64, true), (1, u32::MAX, true)]
        {
            let tspec = Tspec { min_unit, max_packet, ..GOOD };
            assert_eq!(flowspec(&Flowspec::ControlledLoad(tspec)).is_ok(), fine, "{tspec:?}");
            assert_eq!(validate_tspec(&SenderTspec::TokenBucket(tspec)).is_ok(), fine, "{tspec:?}");
        }
        assert_eq!(flowspec(&Flowspec::Null { max_packet: 0 }), Err(BAD_FLOWSPEC));
        assert_eq!(flowspec(&Flowspec::Null { max_packet: 1 }), Ok(()));
    }

    #[test]
    fn guaranteed_needs_a_peak_and_a_reserved_rate_of_at_least_r() {
        let request = |peak, rate, slack| {
            flowspec(&Flowspec::Guaranteed(Tspec { peak, ..GOOD }, Rspec { rate, slack }))
        };
        assert_eq!(request(9000.0, 12_000.0, 0), Err(BAD_FLOWSPEC));
        assert_eq!(request(10_000.0, 12_000.0, 0), Ok(()));
        assert_eq!(request(f32::INFINITY, 9000.0, 0), Err(BAD_FLOWSPEC));
        assert_eq!(request(f32::INFINITY, f32::INFINITY, 0), Err(BAD_FLOWSPEC));
        assert_eq!(request(f32::INFINITY, f32::NAN, 0), Err(BAD_FLOWSPEC));
        assert_eq!(request(f32::INFINITY, 10_000.0, u32::MAX), Ok(()));
        let less_peak = Flowspec::ControlledLoad(Tspec { peak: 9000.0, ..GOOD });
        assert_eq!(flowspec(&less_peak), Ok(()), "controlled load does not ask for p >= r");
    }

    #[test]
    fn opaque_objects_are_refused_with_the_right_code() {
        let object = |class, ctype, contents: &[u8]| RawObject { class, ctype, contents: contents.into() };
        let refused = |contents: &[u8], ctype| flowspec(&Flowspec::Opaque(object(9, ctype, contents)));
        assert_eq!(refused(&[], 1), Err((14, 0x0901)));
        assert_eq!(
            refused(&[0, 0, 0, 1, 77, 0, 0, 0], 2),
            Err((21, traffic_control_error::SERVICE_UNSUPPORTED))
        );
        assert_eq!(refused(&[0, 0, 0, 1, 5, 0, 0, 0], 2), Err(BAD_FLOWSPEC));
        assert_eq!(refused(&[], 2), Err(BAD_FLOWSPEC));
        let adspec =
            validate_adspec(&Adspec::Opaque(object(13, 2, &[]))).map_err(|bad| (bad.code.0, bad.value));
        assert_eq!(adspec, Err((21, traffic_control_error::BAD_ADSPEC)));
    }

    #[test]
    fn adspec_bandwidth_is_a_number() {
        let adspec = |bandwidth| {
            let general =
                GeneralParameters { broken: false, is_hops: 1, bandwidth, latency: 0, path_mtu: 1500 };
            let adspec = IntServAdspec { general, guaranteed: None, controlled_load: None, other: [].into() };
            validate_adspec(&Adspec::IntServ(adspec))
        };
        for bandwidth in [f32::NAN, -1.0, -0.0, f32::INFINITY] {
            assert!(adspec(bandwidth).is_err(), "{bandwidth}");
        }
        assert_eq!(adspec(0.0), Ok(()), "0 means unknown");
        assert_eq!(adspec(1e6), Ok(()));
    }
}
