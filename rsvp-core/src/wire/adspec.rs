//! ADSPEC (RFC 2205 section A.12; contents RFC 2210 section 3.3).

use alloc::vec::Vec;

use super::code::{ClassNum, ctype};
use super::error::{DecodeError, EncodeError};
use super::object::{RawObject, encode_object};
use super::reader::Reader;
use super::service::{
    Fragment, Malformed, ServiceNumber, decode_message, encode_fragment, encode_message, encode_parameter,
    fill, parameter,
};

/// ADSPEC object (class 13): RFC 2210 section 3.3.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Adspec {
    /// C-Type 2, IntServ.
    IntServ(IntServAdspec),
    /// Contents that this code does not interpret.
    Opaque(RawObject),
}

/// The fragments of an IntServ ADSPEC.
///
/// ```text
/// +-------+-----------------------+-------------------------------+
/// | 0 (V) |      Reserved         |   Overall length (words)      |
/// +-------+-----------------------+-------------------------------+
/// |    Default General Parameters fragment (Service 1)            |
/// +---------------------------------------------------------------+
/// |    Guaranteed Service fragment (Service 2), if offered        |
/// +---------------------------------------------------------------+
/// |    Controlled-Load Service fragment (Service 5), if offered   |
/// +---------------------------------------------------------------+
/// |    fragments of other services                                |
/// +---------------------------------------------------------------+
/// ```
///
/// Parameters of these three services that RFC 2210 and RFC 2212 do not define are left out: a node that cannot compose
/// a value must not pass it on as if it held for the whole path.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct IntServAdspec {
    /// Default general parameters fragment (service 1).
    pub general: GeneralParameters,
    /// Guaranteed service fragment (service 2).
    pub guaranteed: Option<GuaranteedFragment>,
    /// Controlled-load service fragment (service 5).
    pub controlled_load: Option<ServiceFragment>,
    /// Fragments of other services, kept as they came.
    pub other: Vec<RawFragment>,
}

/// Default general parameters (RFC 2215; RFC 2210 section 3.3.2).
///
/// ```text
/// +---------------+-+-------------+-------------------------------+
/// |    1          |x| reserved    |           8                   |
/// +---------------+-+-------------+-------------------------------+
/// |    4          |    (flags)    |           1                   |
/// +---------------+---------------+-------------------------------+
/// |        IS hop cnt (32-bit unsigned integer)                   |
/// +---------------+---------------+-------------------------------+
/// |    6          |    (flags)    |           1                   |
/// +---------------+---------------+-------------------------------+
/// |  Path b/w estimate  (32-bit IEEE floating point number)       |
/// +---------------+---------------+-------------------------------+
/// |    8          |    (flags)    |           1                   |
/// +---------------+---------------+-------------------------------+
/// |        Minimum path latency (32-bit integer)                  |
/// +---------------+---------------+-------------------------------+
/// |    10         |    (flags)    |           1                   |
/// +---------------+---------------+-------------------------------+
/// |      Composed MTU (32-bit unsigned integer)                   |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GeneralParameters {
    /// The global break bit: a hop without integrated services was passed.
    pub broken: bool,
    /// IS hop count (parameter 4).
    pub is_hops: u32,
    /// Path bandwidth estimate (parameter 6), bytes per second; 0 is unknown.
    #[cfg_attr(feature = "serde", serde(with = "super::unlimited"))]
    pub bandwidth: f32,
    /// Minimum path latency (parameter 8), microseconds; [`INDETERMINATE_LATENCY`] is indeterminate.
    pub latency: u32,
    /// Path MTU (parameter 10), bytes.
    pub path_mtu: u32,
}

/// The minimum path latency that says nothing (RFC 2215 section 3.4).
pub const INDETERMINATE_LATENCY: u32 = u32::MAX;

/// Values that hold for one service instead of the general ones (RFC 2210 section 3.3.5): the same parameters, inside
/// the fragment of the service and behind its own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Overrides {
    /// IS hop count.
    pub is_hops: Option<u32>,
    /// Path bandwidth estimate, bytes per second.
    pub bandwidth: Option<f32>,
    /// Minimum path latency, microseconds.
    pub latency: Option<u32>,
    /// Path MTU, bytes.
    pub path_mtu: Option<u32>,
}

/// A service fragment without parameters of its own (controlled load; RFC 2210 section 3.3.4).
///
/// ```text
/// +---------------+-+-------------+-------------------------------+
/// |     5         |x| reserved    |            N-1                |
/// +---------------+-+-------------+-------------------------------+
/// | Service-specific general parameter headers/values, if present |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ServiceFragment {
    /// A hop does not offer this service.
    pub broken: bool,
    /// Values for this service.
    pub overrides: Overrides,
}

/// The guaranteed service fragment (RFC 2212; RFC 2210 section 3.3.3).
///
/// ```text
/// +---------------+-+-------------+-------------------------------+
/// |     2         |x|  reserved   |             N-1               |
/// +---------------+-+-------------+-------------------------------+
/// |    133        |     0         |             1                 |
/// +---------------+---------------+-------------------------------+
/// |   End-to-end composed value for C [Ctot] (32-bit integer)     |
/// +---------------+---------------+-------------------------------+
/// |     134       |     0         |             1                 |
/// +---------------+---------------+-------------------------------+
/// |   End-to-end composed value for D [Dtot] (32-bit integer)     |
/// +---------------+---------------+-------------------------------+
/// |     135       |     0         |             1                 |
/// +---------------+---------------+-------------------------------+
/// | Since-last-reshaping point composed C [Csum] (32-bit integer) |
/// +---------------+---------------+-------------------------------+
/// |     136       |     0         |             1                 |
/// +---------------+---------------+-------------------------------+
/// | Since-last-reshaping point composed D [Dsum] (32-bit integer) |
/// +---------------+---------------+-------------------------------+
/// | Service-specific general parameter headers/values, if present |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GuaranteedFragment {
    /// A hop does not offer this service.
    pub broken: bool,
    /// It is the header alone (length 0), as a sender that does not implement the service may create it; the values
    /// then are zero.
    pub header_only: bool,
    /// Ctot (parameter 133), bytes.
    pub c_total: u32,
    /// Dtot (parameter 134), microseconds.
    pub d_total: u32,
    /// Csum since the last reshaping point (parameter 135), bytes.
    pub c_sum: u32,
    /// Dsum since the last reshaping point (parameter 136), microseconds.
    pub d_sum: u32,
    /// Values for this service.
    pub overrides: Overrides,
}

/// A service fragment as received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RawFragment {
    /// Service number.
    pub service: u8,
    /// Break bit.
    pub broken: bool,
    /// The parameters, headers included.
    pub contents: Vec<u8>,
}

impl Adspec {
    /// Interprets an ADSPEC object; what this code does not understand stays opaque.
    #[must_use]
    pub fn decode(object: &RawObject) -> Self {
        Self::interpret(object).map_or_else(|_| Self::Opaque(object.clone()), Self::IntServ)
    }

    /// Interprets an ADSPEC object.
    ///
    /// # Errors
    ///
    /// What keeps this code from understanding it.
    pub fn interpret(object: &RawObject) -> Result<IntServAdspec, DecodeError> {
        decode_message(object, IntServAdspec::decode)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Opaque(object) => object.encode(out),
            Self::IntServ(adspec) => encode_object(out, ClassNum::ADSPEC, ctype::INTSERV, |out| {
                encode_message(out, |out| adspec.encode(out));
            }),
        }
    }
}

impl IntServAdspec {
    fn decode(mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let (mut general, mut guaranteed, mut controlled_load) = (None, None, None);
        let mut other = Vec::new();
        let mut last = ServiceNumber(0);
        while !reader.is_empty() {
            let mut fragment = Fragment::decode(&mut reader)?;
            if fragment.service <= last {
                return Err(Malformed::new(&fragment.body, "services are not in ascending order"));
            }
            last = fragment.service;
            match fragment.service {
                ServiceNumber::GENERAL => {
                    general = Some(GeneralParameters::decode(fragment)?);
                }
                ServiceNumber::GUARANTEED => {
                    guaranteed = Some(GuaranteedFragment::decode(fragment)?);
                }
                ServiceNumber::CONTROLLED_LOAD => {
                    controlled_load = Some(ServiceFragment::decode(fragment)?);
                }
                ServiceNumber(service) => {
                    let contents = fragment.body.bytes(fragment.body.remaining())?.to_vec();
                    other.push(RawFragment { service, broken: fragment.broken, contents });
                }
            }
        }
        let general = general.ok_or_else(|| Malformed::new(&reader, "no general parameters"))?;
        Ok(Self { general, guaranteed, controlled_load, other })
    }

    /// Appends the fragments in ascending order of service number.
    fn encode(&self, out: &mut Vec<u8>) {
        self.general.encode(out);
        let others = |out: &mut Vec<u8>, from: u8, to: u8| {
            for fragment in self.other.iter().filter(|fragment| (from..=to).contains(&fragment.service)) {
                fragment.encode(out);
            }
        };
        others(out, 0, ServiceNumber::GUARANTEED.0);
        if let Some(guaranteed) = &self.guaranteed {
            guaranteed.encode(out);
        }
        others(out, ServiceNumber::GUARANTEED.0 + 1, ServiceNumber::CONTROLLED_LOAD.0);
        if let Some(controlled_load) = &self.controlled_load {
            encode_fragment(out, ServiceNumber::CONTROLLED_LOAD, controlled_load.broken, |out| {
                controlled_load.overrides.encode(out);
            });
        }
        others(out, ServiceNumber::CONTROLLED_LOAD.0 + 1, u8::MAX);
    }
}

impl Overrides {
    /// Takes the parameter if it is a general one; others are passed over.
    fn take(&mut self, number: u8, value: &mut Reader<'_>) -> Result<(), Malformed> {
        match number {
            parameter::IS_HOPS => fill(&mut self.is_hops, value.u32()?, value),
            parameter::PATH_BANDWIDTH => fill(&mut self.bandwidth, value.f32()?, value),
            parameter::PATH_LATENCY => fill(&mut self.latency, value.u32()?, value),
            parameter::PATH_MTU => fill(&mut self.path_mtu, value.u32()?, value),
            _ => Ok(value.bytes(value.remaining()).map(|_| ())?),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let words = [
            (parameter::IS_HOPS, self.is_hops),
            (parameter::PATH_BANDWIDTH, self.bandwidth.map(f32::to_bits)),
            (parameter::PATH_LATENCY, self.latency),
            (parameter::PATH_MTU, self.path_mtu),
        ];
        for (number, word) in words {
            if let Some(word) = word {
                encode_word(out, number, word);
            }
        }
    }
}

fn encode_word(out: &mut Vec<u8>, number: u8, word: u32) {
    encode_parameter(out, number, |out| out.extend_from_slice(&word.to_be_bytes()));
}

impl GeneralParameters {
    fn decode(fragment: Fragment<'_>) -> Result<Self, Malformed> {
        let mut values = Overrides::default();
        fragment.parameters(|number, value| values.take(number, value))?;
        match values {
            Overrides {
                is_hops: Some(is_hops),
                bandwidth: Some(bandwidth),
                latency: Some(latency),
                path_mtu: Some(path_mtu),
            } => Ok(Self { broken: fragment.broken, is_hops, bandwidth, latency, path_mtu }),
            _ => Err(Malformed::new(&fragment.body, "a general parameter is missing")),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let values = Overrides {
            is_hops: Some(self.is_hops),
            bandwidth: Some(self.bandwidth),
            latency: Some(self.latency),
            path_mtu: Some(self.path_mtu),
        };
        encode_fragment(out, ServiceNumber::GENERAL, self.broken, |out| values.encode(out));
    }
}

impl ServiceFragment {
    fn decode(fragment: Fragment<'_>) -> Result<Self, Malformed> {
        let mut overrides = Overrides::default();
        fragment.parameters(|number, value| overrides.take(number, value))?;
        Ok(Self { broken: fragment.broken, overrides })
    }
}

impl GuaranteedFragment {
    fn decode(fragment: Fragment<'_>) -> Result<Self, Malformed> {
        if fragment.body.is_empty() {
            return Ok(Self { broken: fragment.broken, header_only: true, ..Self::default() });
        }
        let mut terms = [None; 4];
        let mut overrides = Overrides::default();
        fragment.parameters(|number, value| match number {
            parameter::C_TOTAL => fill(&mut terms[0], value.u32()?, value),
            parameter::D_TOTAL => fill(&mut terms[1], value.u32()?, value),
            parameter::C_SUM => fill(&mut terms[2], value.u32()?, value),
            parameter::D_SUM => fill(&mut terms[3], value.u32()?, value),
            _ => overrides.take(number, value),
        })?;
        let [Some(c_total), Some(d_total), Some(c_sum), Some(d_sum)] = terms else {
            return Err(Malformed::new(&fragment.body, "a term of guaranteed service is missing"));
        };
        let broken = fragment.broken;
        Ok(Self { broken, header_only: false, c_total, d_total, c_sum, d_sum, overrides })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        encode_fragment(out, ServiceNumber::GUARANTEED, self.broken, |out| {
            if self.header_only {
                return;
            }
            encode_word(out, parameter::C_TOTAL, self.c_total);
            encode_word(out, parameter::D_TOTAL, self.d_total);
            encode_word(out, parameter::C_SUM, self.c_sum);
            encode_word(out, parameter::D_SUM, self.d_sum);
            self.overrides.encode(out);
        });
    }
}

impl RawFragment {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_fragment(out, ServiceNumber(self.service), self.broken, |out| {
            out.extend_from_slice(&self.contents);
        });
    }
}
