//! What guaranteed service promises (RFC 2212).

use super::validate::RATE;
use crate::wire::{Rspec, Tspec};

/// The end-to-end queueing delay bound of a flow, in microseconds (RFC 2212, "End-to-End Behavior"). `c_total` is in
/// bytes, `d_total` in microseconds, both from the ADSPEC. The minimum path latency comes on top of it.
#[must_use]
pub fn queueing_delay(tspec: &Tspec, rspec: &Rspec, c_total: u32, d_total: u32) -> f64 {
    let (reserved, packet) = (f64::from(rspec.rate), f64::from(tspec.max_packet));
    let fixed = (packet + f64::from(c_total)) / reserved;
    (burst(tspec, reserved) / reserved + fixed) * MICROS + f64::from(d_total)
}

const MICROS: f64 = 1e6;

/// The part of the burst that waits while the flow sends at its peak rate: (b-M)(p-R)/(p-r), if p > R.
fn burst(tspec: &Tspec, reserved: f64) -> f64 {
    let (rate, peak) = (f64::from(tspec.rate), f64::from(tspec.peak));
    let excess = (f64::from(tspec.bucket) - f64::from(tspec.max_packet)).max(0.0);
    if peak.is_infinite() {
        excess
    } else if peak > reserved {
        excess * (peak - reserved) / (peak - rate)
    } else {
        0.0
    }
}

/// The buffer that a flow needs at a node to lose nothing, in bytes (RFC 2212, "Guidelines for Implementors"). `c_sum`
/// (bytes) and `d_sum` (microseconds) are the terms since the last reshaping point, this node's included.
#[must_use]
pub fn buffer_size(tspec: &Tspec, rspec: &Rspec, c_sum: u32, d_sum: u32) -> f64 {
    let (rate, peak, reserved) = (f64::from(tspec.rate), f64::from(tspec.peak), f64::from(rspec.rate));
    let (bucket, packet) = (f64::from(tspec.bucket), f64::from(tspec.max_packet));
    let (c_sum, d_sum) = (f64::from(c_sum), f64::from(d_sum) / MICROS);
    if peak.is_infinite() {
        return bucket + c_sum + d_sum * reserved;
    }
    let deviation = c_sum / reserved + d_sum;
    let excess = (bucket - packet).max(0.0);
    // How long the flow can send at its peak rate; for ever, if that is its rate.
    let peak_time = if peak > rate { excess / (peak - rate) } else { f64::INFINITY };
    let drain = if peak_time < deviation {
        rate
    } else if peak > reserved {
        reserved
    } else {
        peak
    };
    let waiting = if peak > rate { excess * (peak - drain) / (peak - rate) } else { 0.0 };
    packet + waiting + deviation * drain
}

/// The buffer with which a node reshapes a flow to its TSpec and loses nothing that conforms, in bytes: b + Csum + Dsum*r
/// (RFC 2212, "Policing"). `c_sum` (bytes) and `d_sum` (microseconds) are the terms since the last reshaping point. A node
/// that does not reshape recognises by the same number what does not conform.
#[must_use]
pub fn reshaping_buffer(tspec: &Tspec, c_sum: u32, d_sum: u32) -> f64 {
    let deviation = f64::from(d_sum) / MICROS * f64::from(tspec.rate);
    f64::from(tspec.bucket) + f64::from(c_sum) + deviation
}

/// R and S for a wanted end-to-end queueing delay bound, in microseconds: the smallest R, at least r, whose bound
/// ([`queueing_delay`]) is no greater, and as S what is left of the wanted delay then. `None`: no rate is high enough,
/// because the wanted bound is not above Dtot, or the rate would be out of range (RFC 2215 section 3.6).
///
/// The minimum path latency is no queueing delay: who wants a bound on the whole delay takes it off first.
#[must_use]
pub fn rspec_for_delay(tspec: &Tspec, wanted: u32, c_total: u32, d_total: u32) -> Option<Rspec> {
    let left = f64::from(wanted.checked_sub(d_total).filter(|left| *left > 0)?) / MICROS;
    let (rate, peak) = (f64::from(tspec.rate), f64::from(tspec.peak));
    let excess = (f64::from(tspec.bucket) - f64::from(tspec.max_packet)).max(0.0);
    let fixed = f64::from(tspec.max_packet) + f64::from(c_total);
    let reserved = if peak.is_infinite() {
        (excess + fixed) / left
    } else if peak > rate {
        // How long the flow can send at its peak rate.
        let peak_time = excess / (peak - rate);
        let below_peak = (peak_time * peak + fixed) / (left + peak_time);
        if below_peak < peak { below_peak } else { fixed / left }
    } else {
        fixed / left
    };
    #[expect(clippy::cast_possible_truncation, reason = "the wire has single precision; mended right below")]
    let mut rspec = Rspec { rate: reserved.max(rate) as f32, slack: 0 };
    let bound = |rspec: &Rspec| queueing_delay(tspec, rspec, c_total, d_total);
    while bound(&rspec) > f64::from(wanted) {
        rspec.rate = rspec.rate.next_up();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to `wanted`")]
    let slack = (f64::from(wanted) - bound(&rspec)) as u32;
    RATE.contains(&rspec.rate).then_some(Rspec { slack, ..rspec })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TSPEC: Tspec =
        Tspec { rate: 10_000.0, bucket: 4500.0, peak: 40_000.0, min_unit: 64, max_packet: 1500 };

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6 * expected, "{found}, not {expected}");
    }

    #[test]
    fn delay_with_a_peak_rate_above_the_reserved_rate() {
        // (4500-1500)/20000 * (40000-20000)/(40000-10000) + (1500+2500)/20000 = 0.1 + 0.2 s, and 320 us.
        close(queueing_delay(&TSPEC, &Rspec { rate: 20_000.0, slack: 0 }, 2500, 320), 300_320.0);
    }

    #[test]
    fn delay_with_a_reserved_rate_above_the_peak_rate() {
        // (1500+2500)/50000 = 0.08 s
        close(queueing_delay(&TSPEC, &Rspec { rate: 50_000.0, slack: 0 }, 2500, 0), 80_000.0);
        let even = Tspec { peak: 10_000.0, ..TSPEC };
        close(queueing_delay(&even, &Rspec { rate: 10_000.0, slack: 0 }, 500, 0), 200_000.0);
    }

    #[test]
    fn delay_with_an_unknown_peak_rate_counts_the_whole_bucket() {
        let endless = Tspec { peak: f32::INFINITY, ..TSPEC };
        // (4500+2500)/20000 = 0.35 s
        close(queueing_delay(&endless, &Rspec { rate: 20_000.0, slack: 0 }, 2500, 0), 350_000.0);
        let tiny_bucket = Tspec { bucket: 100.0, ..endless };
        // A bucket smaller than a packet leaves (1500+2500)/20000 = 0.2 s
        close(queueing_delay(&tiny_bucket, &Rspec { rate: 20_000.0, slack: 0 }, 2500, 0), 200_000.0);
    }

    #[test]
    fn buffer_without_a_peak_rate_is_bucket_and_deviation() {
        let endless = Tspec { peak: f32::INFINITY, ..TSPEC };
        close(buffer_size(&endless, &Rspec { rate: 20_000.0, slack: 0 }, 2500, 100_000), 9000.0);
    }

    #[test]
    fn buffer_with_a_peak_rate() {
        // Peak time 3000/30000 = 0.1 s. Deviation 0.02 s is shorter: X = R = 20000;
        // 1500 + 3000*20000/30000 + 0.02*20000 = 3900.
        close(buffer_size(&TSPEC, &Rspec { rate: 20_000.0, slack: 0 }, 200, 10_000), 3900.0);
        // Deviation 0.225 s is longer: X = r = 10000; 1500 + 3000 + 2250 = 6750.
        close(buffer_size(&TSPEC, &Rspec { rate: 20_000.0, slack: 0 }, 2500, 100_000), 6750.0);
        // R above p: X = p; 1500 + 0 + 0.004*40000 = 1660.
        close(buffer_size(&TSPEC, &Rspec { rate: 50_000.0, slack: 0 }, 200, 0), 1660.0);
        // p = r never stops: X = p = 10000; 1500 + 0 + 0.05*10000 = 2000.
        let even = Tspec { peak: 10_000.0, ..TSPEC };
        close(buffer_size(&even, &Rspec { rate: 10_000.0, slack: 0 }, 500, 0), 2000.0);
    }

    #[test]
    fn a_reshaper_holds_the_bucket_and_the_deviation() {
        // 4500 + 2500 + 0.1 s * 10000.
        close(reshaping_buffer(&TSPEC, 2500, 100_000), 8000.0);
    }

    #[test]
    fn the_rate_for_a_wanted_delay() {
        let endless = Tspec { peak: f32::INFINITY, ..TSPEC };
        // To a byte per second: single precision may not hit the bound exactly.
        let found = |tspec: &Tspec, wanted| {
            let rspec = rspec_for_delay(tspec, wanted, 2500, 320).expect("there is a rate");
            (rspec.rate.round(), rspec.slack)
        };
        // (4500+2500)/R = 0.35 s; the rest of the examples are those of the bounds above, backwards.
        assert_eq!(found(&endless, 350_320), (20_000.0, 0));
        assert_eq!(found(&TSPEC, 300_320), (20_000.0, 0));
        assert_eq!(found(&TSPEC, 80_320), (50_000.0, 0), "R above p: (1500+2500)/R");
        // At R = r the bound is 3000/10000 + 4000/10000 = 0.7 s and 320 us: the rest is slack.
        assert_eq!(found(&TSPEC, 1_000_000), (10_000.0, 299_680));
        let even = Tspec { peak: 10_000.0, ..TSPEC };
        assert_eq!(found(&even, 80_320), (50_000.0, 0));
    }

    #[test]
    fn the_rate_is_the_smallest_that_does() {
        for tspec in [TSPEC, Tspec { peak: f32::INFINITY, ..TSPEC }, Tspec { bucket: 100.0, ..TSPEC }] {
            for wanted in (1_000..700_000).step_by(7_919) {
                let rspec = rspec_for_delay(&tspec, wanted, 2500, 320).expect("there is a rate");
                let bound = |rate| queueing_delay(&tspec, &Rspec { rate, slack: 0 }, 2500, 320);
                assert!(bound(rspec.rate) + f64::from(rspec.slack) <= f64::from(wanted));
                let less = rspec.rate * 0.999;
                assert!(less < tspec.rate || bound(less) > f64::from(wanted), "{wanted}: {rspec:?}");
            }
        }
    }

    #[test]
    fn no_rate_beats_what_does_not_depend_on_it() {
        assert_eq!(rspec_for_delay(&TSPEC, 320, 2500, 320), None);
        assert_eq!(rspec_for_delay(&TSPEC, 300, 2500, 320), None);
        assert_eq!(rspec_for_delay(&TSPEC, 1, u32::MAX, 0), None, "4295 TB/s is no rate");
    }
}
