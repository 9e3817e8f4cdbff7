//! Numbers and octets for people to read.

use std::fmt::Write;

/// Octets as hexadecimal digits.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(2 * octets.len()), |mut text, octet| {
        write!(text, "{octet:02x}").expect("a String takes what it is given");
        text
    })
}

/// A number with a decimal prefix: 1500000 bits are `1.5 Mbit`.
fn scaled(value: f64, unit: &str) -> String {
    let steps = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let size = value.abs();
    let (scale, prefix) = steps.into_iter().find(|(scale, _)| size >= *scale).unwrap_or((1.0, ""));
    if value.is_nan() || size >= 1e15 || (size < 1e-3 && size > 0.0) {
        return format!("{value:e} {unit}");
    }
    let number = format!("{:.3}", value / scale);
    format!("{} {prefix}{unit}", number.trim_end_matches('0').trim_end_matches('.'))
}

/// A rate in octets per second, in both of the units that people use.
pub(super) fn rate(octets: f32) -> String {
    if octets == f32::INFINITY {
        return "unlimited".into();
    }
    let octets = f64::from(octets);
    format!("{} ({})", scaled(octets, "B/s"), scaled(octets * 8.0, "bit/s"))
}

/// A number of octets.
pub(super) fn size(octets: f32) -> String {
    if octets == f32::INFINITY { "unlimited".into() } else { scaled(octets.into(), "B") }
}

/// A time in microseconds.
pub(super) fn micros(time: u32) -> String {
    match time {
        0..1000 => format!("{time} us"),
        1000.. => format!("{} ms", f64::from(time) / 1000.0),
    }
}

/// A delay in microseconds that hops add up; all ones is indeterminate (RFC 2215 section 3.4).
pub(super) fn delay(time: u32) -> String {
    if time == u32::MAX { "indeterminate".into() } else { micros(time) }
}

/// The name of an IP protocol that sessions use, or its number.
pub(super) fn protocol(number: u8) -> String {
    match number {
        1 => "ICMP".into(),
        6 => "TCP".into(),
        17 => "UDP".into(),
        50 => "ESP".into(),
        51 => "AH".into(),
        58 => "ICMPv6".into(),
        132 => "SCTP".into(),
        _ => format!("protocol {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_in_octets_and_bits() {
        assert_eq!(rate(250_000.0), "250 kB/s (2 Mbit/s)");
        assert_eq!(rate(187.5), "187.5 B/s (1.5 kbit/s)");
        assert_eq!(rate(0.0), "0 B/s (0 bit/s)");
        assert_eq!(rate(f32::INFINITY), "unlimited");
        assert_eq!(rate(f32::NAN), "NaN B/s (NaN bit/s)");
        assert_eq!(rate(-1000.0), "-1 kB/s (-8 kbit/s)");
        assert_eq!(rate(1e30), "1.0000000150474662e30 B/s (8.00000012037973e30 bit/s)");
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(micros(999), "999 us");
        assert_eq!(delay(1500), "1.5 ms");
        assert_eq!(delay(u32::MAX), "indeterminate");
        assert_eq!(micros(u32::MAX), "4294967.295 ms");
    }
}
