//! How a session and its traffic are written on the command line.

use std::net::IpAddr;
use std::str::FromStr;

use rsvp_client::api::{Session, Tspec};

use crate::endpoint::parse_protocol;
use crate::request::bits;
use crate::units::{parse_rate, parse_size};

/// The session.
#[derive(clap::Args)]
pub(crate) struct SessionArgs {
    /// Destination address of the flow.
    #[arg(short, long, value_name = "DEST")]
    destination: IpAddr,
    /// Destination port of the flow; 0 where the protocol has none.
    #[arg(short, long, value_name = "PORT")]
    port: u16,
    /// IP protocol of the flow: udp, tcp or a number.
    #[arg(long, default_value = "udp", value_parser = parse_protocol)]
    protocol: u8,
}

impl SessionArgs {
    /// The session that they name.
    pub(crate) fn session(&self) -> Session {
        Session { protocol_id: self.protocol, ..Session::udp(self.destination, self.port) }
    }
}

/// A TSpec written as `r=1Mbit,b=10kB,p=2Mbit,m=64,M=1500`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TspecArg(pub(crate) Tspec);

impl FromStr for TspecArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut rate, mut bucket, mut peak, mut min_unit, mut max_packet) = (None, None, None, None, None);
        for (key, value) in fields(text)? {
            match key {
                "r" => rate = Some(parse_rate(value)?),
                "b" => bucket = Some(size(value)?),
                "p" if value == "inf" => peak = Some(None),
                "p" => peak = Some(Some(bits(parse_rate(value)?))),
                "m" => min_unit = Some(size(value)?),
                "M" => max_packet = Some(size(value)?),
                _ => {
                    return Err(format!("`{key}` is not known: write r=RATE,b=BYTES,p=RATE,m=BYTES,M=BYTES"));
                }
            }
        }
        let rate = rate.ok_or("r=RATE is missing")?;
        let mut tspec = match bucket {
            Some(bucket) => Tspec::token_bucket(bits(rate), bucket),
            None => Tspec::of_rate(rate),
        };
        tspec.peak_rate = peak.flatten();
        tspec.max_packet_size = max_packet.unwrap_or(tspec.max_packet_size);
        tspec.min_policed_unit = min_unit.unwrap_or(tspec.min_policed_unit);
        Ok(Self(tspec))
    }
}

/// R and S of guaranteed service, written as `R=2Mbit,S=0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RspecArg {
    /// R in bits per second.
    pub(crate) rate: f64,
    /// S in microseconds.
    pub(crate) slack: u32,
}

impl FromStr for RspecArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut rate, mut slack) = (None, 0);
        for (key, value) in fields(text)? {
            match key {
                "R" => rate = Some(bits(parse_rate(value)?)),
                "S" => {
                    slack =
                        value.parse().map_err(|_| format!("`{value}` is no slack: write S=MICROSECONDS"))?;
                }
                _ => return Err(format!("`{key}` is not known: write R=RATE,S=MICROSECONDS")),
            }
        }
        Ok(Self { rate: rate.ok_or("R=RATE is missing")?, slack })
    }
}

/// `key=value` pairs between commas, each key once.
fn fields(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut fields: Vec<(&str, &str)> = Vec::new();
    for part in text.split(',') {
        let (key, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is not KEY=VALUE"))?;
        let (key, value) = (key.trim(), value.trim());
        if fields.iter().any(|(other, _)| *other == key) {
            return Err(format!("`{key}` is given twice"));
        }
        fields.push((key, value));
    }
    Ok(fields)
}

fn size(text: &str) -> Result<u32, String> {
    u32::try_from(parse_size(text)?).map_err(|_| format!("`{text}` is too large a size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tspec_takes_units_and_fills_in_what_is_missing() {
        let TspecArg(tspec) = "r=1Mbit,b=10kB,p=2Mbit,m=100,M=1400".parse().expect("a TSpec");
        let all = Tspec {
            average_rate: 1e6,
            size: 10_000.0,
            peak_rate: Some(2e6),
            min_policed_unit: 100,
            max_packet_size: 1400,
        };
        assert_eq!(tspec, all);
        let TspecArg(tspec) = "r=1000000".parse().expect("a TSpec");
        assert_eq!(tspec, Tspec::of_rate(1_000_000));
        let TspecArg(tspec) = "r=1Mbit,b=1000".parse().expect("a TSpec");
        assert_eq!(tspec.max_packet_size, 1000, "a packet fits into the bucket");
        let TspecArg(tspec) = "r=1Mbit,p=inf".parse().expect("a TSpec");
        assert_eq!(tspec.peak_rate, None);
    }

    #[test]
    fn what_is_no_tspec_is_told_in_words() {
        for (text, words) in [
            ("", "KEY=VALUE"),
            ("b=1000", "r=RATE"),
            ("r=1Mbit,r=2Mbit", "twice"),
            ("r=1Mbit,x=1", "`x`"),
            ("r=fast", "1Mbit"),
            ("r=1Mbit,b=5000000000", "too large"),
        ] {
            let error = text.parse::<TspecArg>().expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn an_rspec_needs_its_rate() {
        assert_eq!("R=2Mbit,S=10".parse(), Ok(RspecArg { rate: 2e6, slack: 10 }));
        assert_eq!("R=250kB".parse(), Ok(RspecArg { rate: 2e6, slack: 0 }));
        assert!("S=10".parse::<RspecArg>().is_err());
        assert!("R=1Mbit,S=-1".parse::<RspecArg>().is_err());
    }
}
