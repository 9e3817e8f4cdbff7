//! A token bucket as RFC 2211 section 7 and RFC 2212 ("Policing") define conformance, for a data path in software.

use crate::Instant;
use crate::wire::Tspec;

/// Tells which packets of a flow conform to its TSpec and to the link.
///
/// Over any time T the packets that conform have no more than M + min(p*T, r*T + b - M) bytes, each counted as m at least;
/// with an unlimited p that is r*T + b. It starts with a full bucket. A packet that does not conform takes nothing: the
/// rest of its flow is not made to pay for it.
#[derive(Clone, Debug)]
pub struct Meter {
    tspec: Tspec,
    mtu: u32,
    /// Bytes that may pass at rate r.
    bucket: f64,
    /// Bytes that may pass at rate p.
    peak: f64,
    last: Instant,
}

impl Meter {
    /// A meter for a flow that leaves by a link with this MTU, in bytes. Its bucket is full.
    #[must_use]
    pub fn new(tspec: Tspec, mtu: u32, now: Instant) -> Self {
        Self { tspec, mtu, bucket: f64::from(tspec.bucket), peak: f64::from(tspec.max_packet), last: now }
    }

    /// Whether a packet of `length` bytes, IP header included, conforms now. One that is larger than M or the MTU never
    /// does.
    pub fn conforms(&mut self, length: u32, now: Instant) -> bool {
        let elapsed = now.since(self.last).as_secs_f64();
        self.last = self.last.max(now);
        let Tspec { rate, bucket, peak, min_unit, max_packet } = self.tspec;
        self.bucket = (self.bucket + f64::from(rate) * elapsed).min(bucket.into());
        if peak.is_finite() {
            self.peak = (self.peak + f64::from(peak) * elapsed).min(max_packet.into());
        }
        if length > max_packet.min(self.mtu) {
            return false;
        }
        let counted = f64::from(length.max(min_unit));
        let conforms = counted <= self.bucket && (peak.is_infinite() || counted <= self.peak);
        if conforms {
            self.bucket -= counted;
            self.peak -= counted;
        }
        conforms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn tspec(rate: f32, bucket: f32, peak: f32, min_unit: u32, max_packet: u32) -> Tspec {
        Tspec { rate, bucket, peak, min_unit, max_packet }
    }

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn a_refused_packet_takes_nothing() {
        let mut meter = Meter::new(tspec(1000.0, 1500.0, f32::INFINITY, 100, 1500), 1500, at(0));
        assert!(meter.conforms(1000, at(0)));
        assert!(!meter.conforms(600, at(0)));
        assert!(meter.conforms(500, at(0)));
        assert!(!meter.conforms(100, at(99_999)));
        assert!(meter.conforms(100, at(100_000)));
    }

    #[test]
    fn the_peak_rate_spaces_packets() {
        let mut meter = Meter::new(tspec(100.0, 5000.0, 1000.0, 64, 1000), 1500, at(0));
        assert!(meter.conforms(1000, at(0)));
        assert!(!meter.conforms(1000, at(999_999)));
        assert!(meter.conforms(1000, at(1_000_000)));
    }

    #[test]
    fn what_is_larger_than_m_or_the_link_never_conforms() {
        let mut small = Meter::new(tspec(1e6, 1e6, f32::INFINITY, 64, 1000), 1500, at(0));
        assert!(small.conforms(1000, at(0)) && !small.conforms(1001, at(0)));
        let mut link = Meter::new(tspec(1e6, 1e6, f32::INFINITY, 64, 9000), 1500, at(0));
        assert!(link.conforms(1500, at(0)) && !link.conforms(1501, at(0)));
    }

    #[test]
    fn time_that_runs_backwards_gives_nothing() {
        let mut meter = Meter::new(tspec(1000.0, 1000.0, f32::INFINITY, 64, 1000), 1500, at(1_000_000));
        assert!(meter.conforms(1000, at(1_000_000)));
        assert!(!meter.conforms(64, at(0)));
        assert!(!meter.conforms(64, at(1_000_000)));
    }
}
