//! The default admission control: a pool of bandwidth per interface, with a cap on a single flow.

use super::{Admission, AdmissionRequest, Claim, Decision};
use crate::input::InterfaceId;
use crate::intserv::{self, Hop};
use crate::wire::{Adspec, ErrorCode, Flowspec, admission_failure, traffic_control_error};

/// Admits while the interface's pool lasts, as Cisco's `ip rsvp bandwidth TOTAL SINGLE-FLOW` does.
///
/// Controlled load takes its token rate r, guaranteed service its reserved rate R, the null service nothing. All together
/// never take more than the link carries, its headers counted; and there are no more flows with guaranteed service than
/// the scheduler's D holds for.
#[derive(Clone, Copy, Debug, Default)]
pub struct BandwidthPools;

impl Admission for BandwidthPools {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Decision {
        let reject = |code, value| Decision::Reject { code, value };
        let (max_packet, mtu) = match (request.new, request.config.guaranteed) {
            (Flowspec::ControlledLoad(tspec), _) => (tspec.max_packet, request.mtu),
            (Flowspec::Guaranteed(tspec, _), Some(service)) => {
                (tspec.max_packet, service.mtu.unwrap_or(u32::MAX).min(request.mtu))
            }
            (Flowspec::Null { .. }, _) => return Decision::Admit { fwd: None },
            _ => {
                let unsupported = traffic_control_error::SERVICE_UNSUPPORTED;
                return reject(ErrorCode::TRAFFIC_CONTROL_ERROR, unsupported);
            }
        };
        if max_packet > mtu {
            return reject(ErrorCode::ADMISSION_CONTROL_FAILURE, admission_failure::MTU_TOO_LARGE);
        }
        let effective = match request.sender_tspec {
            Some(path_te) => self.effective(request.new, path_te),
            None => request.new.clone(),
        };
        let wanted = Claim::new(self.bandwidth(&effective), &effective, request.config.link_header);
        let is_less = request.old.is_some()
            && wanted.bandwidth <= request.held
            && wanted.on_link <= request.held_on_link;
        if is_less {
            return Decision::Admit { fwd: None };
        }
        let most = request.config.guaranteed.and_then(|service| service.flows).unwrap_or(usize::MAX);
        if wanted.is_guaranteed && request.ledger.guaranteed >= most {
            return reject(ErrorCode::ADMISSION_CONTROL_FAILURE, admission_failure::DELAY_BOUND);
        }
        let fits = request.config.bandwidth.is_some_and(|pool| {
            wanted.bandwidth <= pool.per_flow
                && request.ledger.reserved.saturating_add(wanted.bandwidth) <= pool.total
                && request.ledger.on_link.saturating_add(wanted.on_link) <= pool.link
        });
        if fits {
            Decision::Admit { fwd: None }
        } else {
            reject(ErrorCode::ADMISSION_CONTROL_FAILURE, admission_failure::BANDWIDTH_UNAVAILABLE)
        }
    }

    fn bandwidth(&self, flowspec: &Flowspec) -> u64 {
        let rate = match flowspec {
            Flowspec::ControlledLoad(tspec) => tspec.rate,
            Flowspec::Guaranteed(_, rspec) => rspec.rate,
            Flowspec::Null { .. } | Flowspec::Opaque(_) => 0.0,
        };
        intserv::round_up(rate.into())
    }

    fn advertise(&self, _interface: InterfaceId, adspec: &Adspec, hop: &Hop) -> Adspec {
        match adspec {
            Adspec::IntServ(adspec) => Adspec::IntServ(intserv::advertise(adspec, hop)),
            Adspec::Opaque(object) => Adspec::Opaque(object.clone()),
        }
    }
}
