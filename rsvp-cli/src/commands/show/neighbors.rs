//! `show neighbors`: a line for each, or all that is known.

use std::net::IpAddr;

use rsvp_client::api::{NeighborView, Reduction};

use super::super::table::{Table, span};
use super::super::{FAILED, Failure};
use super::{ago, next, yes_no};

/// Which neighbours, and how much of each.
pub(super) struct Neighbors {
    pub(super) address: Option<IpAddr>,
    pub(super) detail: bool,
}

impl Neighbors {
    /// The neighbours that are wanted.
    pub(super) fn pick(&self, mut views: Vec<NeighborView>) -> Result<Vec<NeighborView>, Failure> {
        let Some(address) = self.address else { return Ok(views) };
        views.retain(|view| view.address == address);
        if views.is_empty() {
            let words =
                format!("there is no neighbor {address}; `rsvp-cli show neighbors` lists those there are");
            return Err(Failure::new(FAILED, words));
        }
        Ok(views)
    }

    /// The neighbours in words.
    pub(super) fn text(&self, views: &[NeighborView]) -> String {
        if self.address.is_none() && !self.detail {
            return table(views);
        }
        let texts: Vec<String> = views.iter().map(detail).collect();
        if texts.is_empty() { table(views) } else { texts.join("\n") }
    }
}

/// A table of neighbours.
pub(crate) fn table(views: &[NeighborView]) -> String {
    let mut table = Table::new(&[
        "NEIGHBOR",
        "INTERFACE",
        "PSBS",
        "RSBS",
        "TOLD",
        "BY",
        "HEARD",
        "SENT",
        "REDUCTION",
        "SUMMARIZED",
        "UNACKED",
        "PACED",
        "RESENT",
        "GIVEN UP",
        "NEXT",
        "CONFIGURED",
    ]);
    for view in views {
        let reduction = view.refresh_reduction.as_ref();
        let figure = |pick: fn(&Reduction) -> String| reduction.map(pick).unwrap_or_default();
        table.row([
            view.address.to_string(),
            view.interface.clone(),
            view.psbs.to_string(),
            view.rsbs.to_string(),
            view.advertised.to_string(),
            if view.udp { "UDP" } else { "IP" }.to_owned(),
            ago(view.last_heard.as_ref()),
            ago(view.last_sent.as_ref()),
            figure(standing),
            figure(|reduction| reduction.summarized.to_string()),
            figure(|reduction| reduction.outstanding.to_string()),
            figure(|reduction| reduction.paced.to_string()),
            figure(|reduction| reduction.counters.retransmitted.to_string()),
            figure(|reduction| reduction.counters.given_up.to_string()),
            figure(|reduction| next(reduction.next.as_ref())),
            yes_no(view.configured),
        ]);
    }
    table.render("no neighbors")
}

/// What of refresh reduction is used with a neighbour, or why nothing.
fn standing(reduction: &Reduction) -> String {
    let used = [
        (reduction.message_ids, "ids"),
        (reduction.bundles, "bundles"),
        (reduction.summary_refresh, "srefresh"),
    ];
    let names: Vec<&str> = used.iter().filter(|(is_used, _)| *is_used).map(|(_, name)| *name).collect();
    let why_not = match reduction.remote_refresh_reduction {
        _ if reduction.rejects_message_id => "rejected there",
        _ if !reduction.local_refresh_reduction => "off here",
        None => "not heard",
        Some(false) => "off there",
        Some(true) => "not used",
    };
    match names.len() {
        0 => why_not.to_owned(),
        3 => "on".to_owned(),
        _ => names.join("+"),
    }
}

fn detail(view: &NeighborView) -> String {
    let configured = if view.configured { ", configured" } else { "" };
    let mut text = format!("{} on {}{configured}\n", view.address, view.interface);
    let mut say = |name: &str, value: String| text.push_str(&format!("  {name:<36}{value}\n"));
    say("heard", ago(view.last_heard.as_ref()));
    say("sent", ago(view.last_sent.as_ref()));
    say("told by", if view.udp { "UDP" } else { "IP" }.to_owned());
    say("PSBs, RSBs from it", format!("{}, {}", view.psbs, view.rsbs));
    say("Paths and Resvs told", view.advertised.to_string());
    let Some(reduction) = &view.refresh_reduction else {
        say("refresh reduction", "not heard".to_owned());
        return text;
    };
    let capable = |is_capable: bool| if is_capable { "capable" } else { "not capable" };
    let epoch = |epoch: u32| format!("Epoch {epoch:#08x}");
    let here = [capable(reduction.local_refresh_reduction).to_owned(), epoch(reduction.local_epoch)];
    let mut there = vec![reduction.remote_refresh_reduction.map_or("not heard", capable).to_owned()];
    there.extend(reduction.remote_epoch.map(epoch));
    if reduction.rejects_message_id {
        there.push("rejects MESSAGE_ID".to_owned());
    } else if reduction.remote_message_id {
        there.push("sends MESSAGE_ID".to_owned());
    }
    let counters = &reduction.counters;
    say("refresh reduction", standing(reduction));
    say("  here", here.join(", "));
    say("  there", there.join(", "));
    for (name, is_used) in [
        ("  messages carry MESSAGE_ID", reduction.message_ids),
        ("  messages are bundled", reduction.bundles),
        ("  state is summary-refreshed", reduction.summary_refresh),
    ] {
        say(name, yes_no(is_used));
    }
    let when = reduction.next.as_ref().map(|next| format!(", next in {}", span(next.in_seconds)));
    say("  states refreshed together", format!("{}{}", reduction.summarized, when.unwrap_or_default()));
    for (name, count) in [
        ("  unacknowledged messages", reduction.outstanding.to_string()),
        ("  messages waiting for those", reduction.paced.to_string()),
        ("  messages resent", counters.retransmitted.to_string()),
        ("  messages given up", counters.given_up.to_string()),
        ("  messages out of order", counters.out_of_order.to_string()),
    ] {
        say(name, count);
    }
    let pair = |one: u64, other: u64| format!("{one}, {other}");
    say("  ACKs sent, received", pair(counters.sent_ack, counters.received_ack));
    say("  NACKs sent, received", pair(counters.sent_nack, counters.received_nack));
    say("  unknown ACKs, NACKs", pair(counters.unknown_ack, counters.unknown_nack));
    let summaries = pair(counters.summary_refreshed, counters.summary_refreshes_received);
    say("  summary refreshes sent, received", summaries);
    say("  restarts", counters.restarts.to_string());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capable() -> Reduction {
        Reduction {
            local_refresh_reduction: true,
            remote_refresh_reduction: Some(true),
            ..Reduction::default()
        }
    }

    #[test]
    fn one_word_tells_what_is_used_or_why_nothing_is() {
        let all = Reduction { message_ids: true, bundles: true, summary_refresh: true, ..capable() };
        let ids = Reduction { message_ids: true, ..Reduction::default() };
        let off = Reduction { remote_refresh_reduction: Some(false), ..capable() };
        let silent = Reduction { remote_refresh_reduction: None, ..capable() };
        for (reduction, words) in [
            (Reduction { bundles: false, ..all.clone() }, "ids+srefresh"),
            (all, "on"),
            (ids, "ids"),
            (off, "off there"),
            (silent, "not heard"),
            (Reduction { local_refresh_reduction: false, ..capable() }, "off here"),
            (Reduction { rejects_message_id: true, ..capable() }, "rejected there"),
        ] {
            assert_eq!(standing(&reduction), words);
        }
    }

    #[test]
    fn only_those_that_are_wanted_are_shown() {
        let view = |address: &str| NeighborView {
            address: address.parse().expect("an address"),
            interface: "eth0".to_owned(),
            configured: true,
            psbs: 0,
            rsbs: 0,
            udp: false,
            last_heard: None,
            last_sent: None,
            advertised: 0,
            refresh_reduction: Some(Reduction { remote_epoch: Some(0xabc), ..capable() }),
        };
        let views = vec![view("192.0.2.1"), view("192.0.2.2")];
        let all = Neighbors { address: None, detail: false };
        assert_eq!(all.text(&all.pick(views.clone()).expect("all")).lines().count(), 3);
        let one = Neighbors { address: Some(views[0].address), detail: false };
        let text = one.text(&one.pick(views.clone()).expect("it is there"));
        assert!(text.starts_with("192.0.2.1 on eth0, configured\n"), "{text}");
        assert!(text.contains("capable, Epoch 0x000abc\n") && !text.contains("192.0.2.2"), "{text}");
        let none = Neighbors { address: Some("192.0.2.3".parse().expect("an address")), detail: true };
        assert!(none.pick(views).is_err());
        assert_eq!(none.text(&[]), "no neighbors\n");
    }
}
