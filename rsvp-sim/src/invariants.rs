//! Checks that must hold in every network at any time; hand them to [`Network::check`]. They look at the nodes that
//! something has happened to.

use rsvp_core::view::Deadline;

use crate::network::Network;

/// No pool of bandwidth is overrun, and the books agree with what is installed.
///
/// # Errors
///
/// The first interface where that is not so.
pub fn pools_hold(network: &Network) -> Result<(), String> {
    for id in network.touched() {
        let Some(node) = network.node(id) else { continue };
        let installed = node.installed();
        for interface in node.interfaces() {
            let total = interface.bandwidth.map_or(0, |bandwidth| bandwidth.total);
            let here = installed.iter().filter(|installed| installed.interface == interface.id);
            let sum: u64 = here.map(|installed| installed.bandwidth).sum();
            let reserved = interface.reserved;
            if reserved > total || sum != reserved {
                let (node, name) = (network.name(id), interface.name);
                return Err(format!("{node} {name}: {reserved} of {total} reserved, {sum} installed"));
            }
        }
    }
    Ok(())
}

/// Traffic control of every running node holds what the node thinks it holds, and nothing else.
///
/// # Errors
///
/// The first thing that only one of the two knows, or that they know differently.
pub fn traffic_control_agrees(network: &Network) -> Result<(), String> {
    for id in network.touched().filter(|id| !network.is_frozen(*id)) {
        let Some(node) = network.node(id) else { continue };
        let (name, kernel, views) = (network.name(id), network.kernel(id), node.installed());
        if let Some(unknown) = kernel.keys().find(|held| views.iter().all(|view| view.id != **held)) {
            return Err(format!("{name}: traffic control holds {unknown:?}, which the node does not know"));
        }
        for view in views.into_iter().filter(|view| view.installed) {
            let held = kernel.get(&view.id).map(|held| (&held.interface, &held.flowspec, &held.filters));
            if held != Some((&view.interface, &view.flowspec, &view.filters)) {
                return Err(format!("{name}: traffic control holds {held:?} for {view:?}"));
            }
        }
    }
    Ok(())
}

/// No state outlives its lifetime.
///
/// # Errors
///
/// The first state that does.
pub fn nothing_outlives_its_lifetime(network: &Network) -> Result<(), String> {
    let is_late = |expires: Option<Deadline>| expires.is_some_and(|deadline| deadline.at < network.now());
    for id in network.touched().filter(|id| !network.is_frozen(*id)) {
        let Some(node) = network.node(id) else { continue };
        let sender = node.senders().into_iter().find(|view| is_late(view.expires));
        let reservation = node.reservations().into_iter().find(|view| is_late(view.expires));
        if sender.is_some() || reservation.is_some() {
            let name = network.name(id);
            return Err(format!("{name}: should have expired: {sender:?} {reservation:?}"));
        }
    }
    Ok(())
}

/// Nothing is left of any session: no state in any node, nothing in any traffic control, and no node wants to be woken.
///
/// # Errors
///
/// The first thing that is left.
pub fn nothing_is_left(network: &Network) -> Result<(), String> {
    for id in network.nodes() {
        let name = network.name(id);
        if let Some(left) = network.kernel(id).values().next() {
            return Err(format!("{name}: traffic control still holds {left:?}"));
        }
        let Some(node) = network.node(id) else { continue };
        if let Some(session) = node.sessions().first() {
            return Err(format!("{name}: still knows {session:?}"));
        }
        if let Some((at, reason)) = network.driver(id).and_then(crate::Driver::deadline) {
            return Err(format!("{name}: idle, but wants to be woken at {at:?} for {reason:?}"));
        }
    }
    Ok(())
}
