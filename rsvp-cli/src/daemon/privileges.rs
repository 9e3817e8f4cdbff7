//! Privileges: the daemon keeps what it needs for raw sockets and traffic control, and drops the rest for good.

use caps::{CapSet, Capability, CapsHashSet};

/// What the daemon keeps.
const KEPT: [Capability; 2] = [Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN];

/// Drops every other capability of this thread and of those that it starts. To be called before there are any.
///
/// # Errors
///
/// In words.
pub(crate) fn drop_unneeded() -> Result<(), String> {
    let fail = |e: caps::errors::CapsError| format!("privileges cannot be dropped: {e}");
    let permitted = caps::read(None, CapSet::Permitted).map_err(fail)?;
    // The bounding set can be narrowed by those only who may; for others it grants nothing.
    if permitted.contains(&Capability::CAP_SETPCAP) {
        let bounding = caps::read(None, CapSet::Bounding).map_err(fail)?;
        for capability in bounding.into_iter().filter(|capability| !KEPT.contains(capability)) {
            caps::drop(None, CapSet::Bounding, capability).map_err(fail)?;
        }
    }
    let kept: CapsHashSet = KEPT.into_iter().filter(|capability| permitted.contains(capability)).collect();
    caps::set(None, CapSet::Inheritable, &CapsHashSet::new()).map_err(fail)?;
    caps::set(None, CapSet::Effective, &kept).map_err(fail)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(fail)?;
    tracing::debug!(?kept, "capabilities");
    Ok(())
}
