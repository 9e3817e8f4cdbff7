//! Reservations as RFC 2205's figures write them.

use std::net::IpAddr;

use conformance::bench::B;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, Flowspec, Style};

/// How a sender's address is called.
pub(crate) type Name<'a> = &'a dyn Fn(IpAddr) -> String;

/// `WF( *{4B} )`, `FF( S1{4B}, S2{5B} )`, `SE( (S1,S2){B} )`, and a SCOPE in square brackets.
pub(crate) fn flows(
    style: Style,
    flows: &[FlowDescriptor],
    scope: Option<&[IpAddr]>,
    name: Name<'_>,
) -> String {
    let one = |flow: &FlowDescriptor| {
        let rate = flow.flowspec.as_ref().and_then(Flowspec::tspec).map(|tspec| tspec.rate / B);
        let amount = rate.map_or_else(String::new, |rate| format!("{{{}}}", amount(rate)));
        filters(&flow.filters, name) + &amount
    };
    let mut flows: Vec<String> = flows.iter().map(one).collect();
    flows.sort();
    let scope = scope.map_or_else(String::new, |scope| {
        let names: Vec<String> = scope.iter().map(|source| name(*source)).collect();
        format!(" [{}]", names.join(","))
    });
    format!("{style}( {}{scope} )", flows.join(", "))
}

/// One sender, several in parentheses, or all.
pub(crate) fn filters(filters: &[FilterSpec], name: Name<'_>) -> String {
    let names: Vec<String> = filters.iter().map(|filter| name(filter.source())).collect();
    match &names[..] {
        [] => "*".to_owned(),
        [name] => name.clone(),
        names => format!("({})", names.join(",")),
    }
}

/// In units of B.
pub(crate) fn amount(n: f32) -> String {
    if n == 1.0 { "B".to_owned() } else { format!("{n}B") }
}
