//! The documents of the control API. Names follow the ietf-rsvp YANG model where it has one; every rate is in bits
//! per second, every size in bytes, every relative time in seconds.

mod event;
mod flow;
mod request;
mod view;

pub use event::{Cause, ErrorInfo, EventRecord, Happening, Upcall, Update};
pub use flow::{
    Adspec, Filter, FlowDescriptor, Flowspec, GuaranteedTerms, PolicyData, SenderService, SenderTspec,
    Session, SessionType, Style, Tspec,
};
pub use request::{
    Application, ApplicationState, ClearRequest, Cleared, Origin, Problem, Reloaded, ReservationRequest,
    Role, SenderRequest, Status,
};
pub use view::{
    Bandwidth, Counters, Hop, InstalledView, InterfaceView, MessageCounts, NeighborView, Next, PacketCounts,
    Reduction, ReductionCounts, RefusalView, RequestView, ReservationView, SenderView, SessionView, Since,
    StateHistory,
};

/// For fields that are left out when they are false.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
