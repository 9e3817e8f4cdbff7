//! Reservations as RFC 2205's figures write them, and message ids as the catalogue of RFC 2961 does.

use std::net::IpAddr;

use conformance::bench::{B, EPOCH};
use rsvp_core::wire::{
    Acknowledgement, FilterSpec, FlowDescriptor, Flowspec, Head, IdEntries, IdList, MessageId, Style,
};

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

/// ` ack(E,5) mid(E,7)+A`: acknowledgements and MESSAGE_ID. Epochs are E of the router, e and e' of its neighbours.
pub(crate) fn head(head: &Head) -> String {
    let acknowledgement = |it: &Acknowledgement| match it {
        Acknowledgement::Ack(it) => format!(" ack({})", id(it.id)),
        Acknowledgement::Nack(it) => format!(" nack({})", id(it.id)),
    };
    let mut text: String = head.acknowledgements.iter().map(acknowledgement).collect();
    if let Some(it) = head.message_id {
        let flag = if it.wants_ack() { "+A" } else { "" };
        text += &format!(" mid({}){flag}", id(it.id));
    }
    text
}

fn id(id: MessageId) -> String {
    format!("{},{}", epoch(id.epoch), number(id.id))
}

fn epoch(epoch: u32) -> &'static str {
    match epoch {
        EPOCH => "e",
        it if it == EPOCH + 1 => "e'",
        _ => "E",
    }
}

/// Those before the wrap-around count down to it.
fn number(id: u32) -> String {
    if id > u32::MAX - 1000 { format!("2^32-{}", u32::MAX - id + 1) } else { id.to_string() }
}

/// `LIST(E,{1,2})`, `SRC_LIST(E,{1 S1})` or `MCAST_LIST(E,{1 S1})`: there is one group only.
pub(crate) fn lists(lists: &[IdList], name: Name<'_>) -> String {
    let one = |list: &IdList| {
        let of = |id: &u32, source: &IpAddr| format!("{} {}", number(*id), name(*source));
        let (form, ids): (&str, Vec<String>) = match &list.entries {
            IdEntries::Plain(ids) => ("LIST", ids.iter().map(|id| number(*id)).collect()),
            IdEntries::Sources(entries) => {
                ("SRC_LIST", entries.iter().map(|(id, source)| of(id, source)).collect())
            }
            IdEntries::Groups(entries) => {
                ("MCAST_LIST", entries.iter().map(|(id, source, _)| of(id, source)).collect())
            }
        };
        format!("{form}({},{{{}}})", epoch(list.epoch), ids.join(","))
    };
    lists.iter().map(one).collect::<Vec<_>>().join(" ")
}
