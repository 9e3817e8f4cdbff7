//! The units in which an operator writes rates, sizes and times, for the command line and the configuration alike.

use std::time::Duration;

/// Decimal and binary prefixes, longest first so that `Ki` is not read as `K`.
const PREFIXES: [(&str, u128); 9] = [
    ("ki", 1 << 10),
    ("mi", 1 << 20),
    ("gi", 1 << 30),
    ("ti", 1 << 40),
    ("k", 1_000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("", 1),
];

/// What a rate may look like, for messages.
const RATE_FORMS: &str = "write bits per second as 1000000, 1Mbit or 1.5Gbit, or bytes per second as 125kB";

/// What a size may look like, for messages.
const SIZE_FORMS: &str = "write bytes as 1500, 64kB or 64KiB";

/// A rate in bits per second: a plain number, or one with `bit` (bits) or `B` (bytes) and a prefix k, M, G, T, Ki, Mi,
/// Gi or Ti; `/s` may follow.
///
/// # Errors
///
/// In words, naming the forms that are understood.
pub(crate) fn parse_rate(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let unit = unit.strip_suffix("/s").unwrap_or(unit);
    if unit.to_ascii_lowercase().ends_with("bps") {
        return Err(format!("`{text}` is ambiguous (bits or bytes?): {RATE_FORMS}"));
    }
    let multiple = if unit.is_empty() {
        Some(1)
    } else if let Some(prefix) = unit.strip_suffix("bit") {
        prefix_of(prefix)
    } else if let Some(prefix) = unit.strip_suffix('B') {
        prefix_of(prefix).map(|multiple| multiple * 8)
    } else {
        None
    };
    let multiple = multiple.ok_or_else(|| format!("`{text}` is not a rate: {RATE_FORMS}"))?;
    scale(number, multiple).ok_or_else(|| format!("`{text}` is not a rate: {RATE_FORMS}"))
}

/// A size in bytes: a plain number, or one with `B` and a prefix.
///
/// # Errors
///
/// In words, naming the forms that are understood.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let multiple = if unit.is_empty() { Some(1) } else { unit.strip_suffix('B').and_then(prefix_of) };
    multiple
        .and_then(|multiple| scale(number, multiple))
        .ok_or_else(|| format!("`{text}` is not a size: {SIZE_FORMS}"))
}

/// A time span: a plain number of seconds (`30`, `0.5`), or numbers with units (`500ms`, `1m 30s`).
///
/// # Errors
///
/// In words, naming the forms that are understood.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let malformed = || format!("`{text}` is not a time span: write seconds as 30, or 30s, 500ms, 2m");
    if let Ok(seconds) = text.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|_| malformed());
    }
    humantime::parse_duration(text.trim()).map_err(|_| malformed())
}

/// A rate in bits per second for people: `2.5 Mbit/s`.
pub(crate) fn format_rate(bits: f64) -> String {
    let (scaled, unit) = match bits {
        b if b >= 1e9 => (b / 1e9, "Gbit/s"),
        b if b >= 1e6 => (b / 1e6, "Mbit/s"),
        b if b >= 1e3 => (b / 1e3, "kbit/s"),
        b => (b, "bit/s"),
    };
    let digits = format!("{scaled:.3}");
    format!("{} {unit}", digits.trim_end_matches('0').trim_end_matches('.'))
}

/// Splits `12.5Mbit` into number and unit; spaces between them are of no consequence.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

fn prefix_of(prefix: &str) -> Option<u128> {
    let lower = prefix.to_ascii_lowercase();
    PREFIXES.iter().find(|(name, _)| *name == lower).map(|(_, multiple)| *multiple)
}

/// The decimal `number` times `multiple`, exactly; `None` unless it is a whole number that fits.
fn scale(number: &str, multiple: u128) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (number.contains('.') && fraction.is_empty()) || number.len() > 24 {
        return None;
    }
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let scaled = digits.checked_mul(multiple)?;
    if scaled % divisor != 0 {
        return None;
    }
    u64::try_from(scaled / divisor).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_bits_per_second_unless_they_say_bytes() {
        for (text, bits) in [
            ("0", 0),
            ("1000000", 1_000_000),
            ("1Mbit", 1_000_000),
            ("1mbit", 1_000_000),
            ("1.5Mbit", 1_500_000),
            ("10 Gbit/s", 10_000_000_000),
            ("125kB", 1_000_000),
            ("125kB/s", 1_000_000),
            ("1KiB", 8192),
            ("1Mibit", 1_048_576),
            ("64bit", 64),
            ("0.5kbit", 500),
            ("2TB", 16_000_000_000_000),
        ] {
            assert_eq!(parse_rate(text), Ok(bits), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused_with_the_forms_that_are() {
        for text in [
            "",
            "Mbit",
            "1.",
            ".5Mbit",
            "1.2.3",
            "-1",
            "1e6",
            "1Mb",
            "1M",
            "1megabit",
            "0.5",
            "1.0001kbit",
            "99999999999999999999",
            "20000000TB",
            "1 2",
            "1Xbit",
        ] {
            let error = parse_rate(text).expect_err(text);
            assert!(error.contains("1Mbit"), "{error}");
        }
        assert!(parse_rate("10Mbps").expect_err("ambiguous").contains("ambiguous"));
    }

    #[test]
    fn sizes_are_bytes() {
        assert_eq!(parse_size("1500"), Ok(1500));
        assert_eq!(parse_size("1.5kB"), Ok(1500));
        assert_eq!(parse_size("64KiB"), Ok(65_536));
        for text in ["", "1bit", "kB", "1.5", "1k"] {
            assert!(parse_size(text).expect_err(text).contains("64kB"));
        }
    }

    #[test]
    fn time_spans_are_seconds_unless_they_say_otherwise() {
        assert_eq!(parse_duration("30"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["", "-1", "NaN", "inf", "soon", "1e300"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_read_well() {
        assert_eq!(format_rate(0.0), "0 bit/s");
        assert_eq!(format_rate(999.0), "999 bit/s");
        assert_eq!(format_rate(2_500_000.0), "2.5 Mbit/s");
        assert_eq!(format_rate(10_000_000_000.0), "10 Gbit/s");
        assert_eq!(format_rate(100_000.0), "100 kbit/s");
    }
}
