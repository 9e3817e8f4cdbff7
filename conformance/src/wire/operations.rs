//! What the operator of a device that is there anyway is to do, as hooks of the profile are told it.

use std::net::IpAddr;

use rsvp_core::input::Route;

use super::applications::Values;
use crate::bench::Port;

/// The names of the values that hooks of an operator are told, beside those that all are told.
pub(super) const NAMES: [&str; 5] = ["interface", "state", "destination", "length", "gateway"];

/// An interface of the device goes down, or comes up.
pub(super) fn link(port: Port, up: bool) -> Values {
    vec![("interface", port.name().to_owned()), ("state", if up { "up" } else { "down" }.to_owned())]
}

/// A route of the device leads elsewhere, or is gone: then it has neither gateway nor interface.
///
/// # Errors
///
/// What cannot be told to a hook.
pub(super) fn route(
    destination: IpAddr,
    source: Option<IpAddr>,
    route: &Route,
) -> Result<Values, &'static str> {
    if destination.is_multicast() || source.is_some() {
        return Err("of a route for a group or of one source");
    }
    if route.outgoing.len() > 1 || route.local {
        return Err("of a route with several ways, or to the device itself");
    }
    let hop = route.outgoing.first();
    let interface = hop.and_then(|hop| Port::of(hop.interface)).map_or("", Port::name);
    let gateway = hop.and_then(|hop| hop.gateway).map_or_else(String::new, |gateway| gateway.to_string());
    Ok(vec![
        ("destination", destination.to_string()),
        ("length", if destination.is_ipv4() { "32" } else { "128" }.to_owned()),
        ("gateway", gateway),
        ("interface", interface.to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Family, Plan, group_route, routes};

    #[test]
    fn a_hook_is_told_where_a_route_leads() {
        let plan = Plan::new(Family::V4);
        let h = plan.h().flow().destination;
        let value = |values: &Values, name| values.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
        let there = route(h, None, &routes(plan)[&(h, None)]).expect("it can be told");
        assert_eq!(value(&there, "gateway").as_deref(), Some("10.0.3.1"));
        assert_eq!(value(&there, "interface").as_deref(), Some("c"));
        let gone = route(h, None, &Route::default()).expect("it can be told");
        assert_eq!(
            (value(&gone, "gateway"), value(&gone, "interface")),
            (Some(String::new()), Some(String::new()))
        );
        assert!(there.iter().chain(&link(Port::A, true)).all(|(name, _)| NAMES.contains(name)));
    }

    #[test]
    fn a_hook_is_not_told_of_groups() {
        let plan = Plan::new(Family::V4);
        let source = Some(plan.sender(1).source());
        let tree = group_route(Port::A, &[Port::C]);
        assert!(route(plan.g().flow().destination, source, &tree).is_err());
    }
}
