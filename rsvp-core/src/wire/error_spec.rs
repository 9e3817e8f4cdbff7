//! ERROR_SPEC (RFC 2205 section A.5) and its codes and values (Appendix B).

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use super::code::{ClassNum, code_point};
use super::error::{DecodeError, EncodeError};
use super::object::{decode_family_address, encode_address, encode_object, family_ctype};
use super::reader::Reader;

/// ERROR_SPEC object (class 6).
///
/// ```text
/// +-------------+-------------+-------------+-------------+
/// |   Error Node Address (IPv4: 4 bytes, IPv6: 16)        |
/// +-------------+-------------+-------------+-------------+
/// |    Flags    |  Error Code |        Error Value        |
/// +-------------+-------------+-------------+-------------+
/// |   Enterprise code (Error Codes 252 to 255, RFC 3936)  |
/// +-------------+-------------+-------------+-------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ErrorSpec {
    /// The node that found the error.
    pub node: IpAddr,
    /// [`ErrorSpec::IN_PLACE`] and [`ErrorSpec::NOT_GUILTY`].
    pub flags: u8,
    /// Error code (RFC 2205 Appendix B): an [`ErrorCode`].
    pub code: u8,
    /// Error value.
    pub value: u16,
    /// The SMI enterprise code of the vendor whose error it is (RFC 3936 section 2.5); with codes 252 to 255.
    pub enterprise: Option<u32>,
}

code_point! {
    /// Error code (RFC 2205 Appendix B).
    ErrorCode {
        /// Confirmation, in a ResvConf.
        CONFIRMATION = 0, "Confirmation";
        /// Admission control failure; values in [`admission_failure`].
        ADMISSION_CONTROL_FAILURE = 1, "Admission Control failure";
        /// Policy control failure.
        POLICY_CONTROL_FAILURE = 2, "Policy Control failure";
        /// No path information for this Resv.
        NO_PATH_INFORMATION = 3, "No path information for this Resv message";
        /// No sender information for this Resv.
        NO_SENDER_INFORMATION = 4, "No sender information for this Resv message";
        /// Conflicting reservation style; the value is the option vector of the existing style.
        CONFLICTING_RESERVATION_STYLE = 5, "Conflicting reservation style";
        /// Unknown reservation style.
        UNKNOWN_RESERVATION_STYLE = 6, "Unknown reservation style";
        /// Conflicting dest ports.
        CONFLICTING_DEST_PORTS = 7, "Conflicting dest ports";
        /// Conflicting sender ports.
        CONFLICTING_SENDER_PORTS = 8, "Conflicting sender ports";
        /// Service preempted.
        SERVICE_PREEMPTED = 12, "Service preempted";
        /// Unknown object class; the value is Class-Num and C-Type.
        UNKNOWN_OBJECT_CLASS = 13, "Unknown object class";
        /// Unknown object C-Type; the value is Class-Num and C-Type.
        UNKNOWN_OBJECT_CTYPE = 14, "Unknown object C-Type";
        /// Reserved for API.
        API = 20, "Reserved for API";
        /// Traffic control error; values in [`traffic_control_error`].
        TRAFFIC_CONTROL_ERROR = 21, "Traffic Control Error";
        /// Traffic control system error.
        TRAFFIC_CONTROL_SYSTEM_ERROR = 22, "Traffic Control System error";
        /// RSVP system error.
        RSVP_SYSTEM_ERROR = 23, "RSVP System error";
    }
}

/// Values of error code 1, globally defined (`ss` = 00).
pub mod admission_failure {
    /// Delay bound cannot be met.
    pub const DELAY_BOUND: u16 = 1;
    /// Requested bandwidth unavailable.
    pub const BANDWIDTH_UNAVAILABLE: u16 = 2;
    /// MTU in flowspec larger than interface MTU.
    pub const MTU_TOO_LARGE: u16 = 3;
}

/// Values of error code 21, globally defined (`ss` = 00).
pub mod traffic_control_error {
    /// Trying to merge two incompatible service requests.
    pub const SERVICE_CONFLICT: u16 = 1;
    /// Neither the requested service nor an acceptable replacement can be provided.
    pub const SERVICE_UNSUPPORTED: u16 = 2;
    /// Malformed or unreasonable flowspec.
    pub const BAD_FLOWSPEC: u16 = 3;
    /// Malformed or unreasonable TSpec.
    pub const BAD_TSPEC: u16 = 4;
    /// Malformed or unreasonable ADSPEC.
    pub const BAD_ADSPEC: u16 = 5;
}

/// Error codes from here on are the vendors' own (RFC 3936 section 2.5).
const FIRST_PRIVATE: u8 = 252;

/// Values of error code 2 (RFC 2750 section 3.4) that this node gives.
pub mod policy_failure {
    /// Generic policy rejection.
    pub const REJECT: u16 = 3;
    /// Quota or accounting violation.
    pub const EXCEED: u16 = 4;
}

impl ErrorCode {
    /// What the error value means beside this code, where RFC 2205 says it.
    #[must_use]
    pub const fn value_name(self, value: u16) -> Option<&'static str> {
        match (self, value) {
            (Self::ADMISSION_CONTROL_FAILURE, admission_failure::DELAY_BOUND) => {
                Some("Delay bound cannot be met")
            }
            (Self::ADMISSION_CONTROL_FAILURE, admission_failure::BANDWIDTH_UNAVAILABLE) => {
                Some("Requested bandwidth unavailable")
            }
            (Self::ADMISSION_CONTROL_FAILURE, admission_failure::MTU_TOO_LARGE) => {
                Some("MTU in flowspec larger than interface MTU")
            }
            (Self::POLICY_CONTROL_FAILURE, policy_failure::REJECT) => Some("Generic policy rejection"),
            (Self::POLICY_CONTROL_FAILURE, policy_failure::EXCEED) => Some("Quota or accounting violation"),
            (Self::TRAFFIC_CONTROL_ERROR, traffic_control_error::SERVICE_CONFLICT) => {
                Some("Service conflict")
            }
            (Self::TRAFFIC_CONTROL_ERROR, traffic_control_error::SERVICE_UNSUPPORTED) => {
                Some("Service unsupported")
            }
            (Self::TRAFFIC_CONTROL_ERROR, traffic_control_error::BAD_FLOWSPEC) => Some("Bad Flowspec value"),
            (Self::TRAFFIC_CONTROL_ERROR, traffic_control_error::BAD_TSPEC) => Some("Bad Tspec value"),
            (Self::TRAFFIC_CONTROL_ERROR, traffic_control_error::BAD_ADSPEC) => Some("Bad Adspec value"),
            _ => None,
        }
    }
}

impl ErrorSpec {
    /// InPlace: there was, and still is, a reservation in place at the failure point.
    pub const IN_PLACE: u8 = 0x01;
    /// NotGuilty: the flowspec that failed was greater than what this receiver asked for; only towards an application.
    pub const NOT_GUILTY: u8 = 0x02;

    /// An error of this code and value that `node` found.
    #[must_use]
    pub const fn new(node: IpAddr, code: ErrorCode, value: u16) -> Self {
        Self { node, flags: 0, code: code.0, value, enterprise: None }
    }

    /// The code, by name.
    #[must_use]
    pub const fn error_code(&self) -> ErrorCode {
        ErrorCode(self.code)
    }

    pub(super) fn decode(ctype: u8, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let Some(node) = decode_family_address(ctype, reader)? else { return Ok(None) };
        let (flags, code, value) = (reader.u8()?, reader.u8()?, reader.u16()?);
        let enterprise = if code >= FIRST_PRIVATE && !reader.is_empty() { Some(reader.u32()?) } else { None };
        Ok(Some(Self { node, flags, code, value, enterprise }))
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_object(out, ClassNum::ERROR_SPEC, family_ctype(self.node), |out| {
            encode_address(out, self.node);
            out.extend_from_slice(&[self.flags, self.code]);
            out.extend_from_slice(&self.value.to_be_bytes());
            if let Some(enterprise) = self.enterprise {
                out.extend_from_slice(&enterprise.to_be_bytes());
            }
        })
    }
}

impl fmt::Display for ErrorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, value) = (self.error_code(), self.value);
        write!(f, "{code}")?;
        match (code, code.value_name(value)) {
            (_, Some(name)) => write!(f, ": {name}")?,
            (ErrorCode::UNKNOWN_OBJECT_CLASS | ErrorCode::UNKNOWN_OBJECT_CTYPE, None) => {
                let [class, ctype] = value.to_be_bytes();
                write!(f, ": {} C-Type {ctype}", ClassNum(class))?;
            }
            (_, None) if value != 0 => write!(f, ", value {value}")?,
            (_, None) => {}
        }
        write!(f, " (at {})", self.node)
    }
}
