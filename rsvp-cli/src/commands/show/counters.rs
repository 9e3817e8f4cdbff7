//! `show counters`: tables of what the node has counted.

use rsvp_client::api::Counters;

use super::super::table::Table;

pub(crate) fn counters(counters: &Counters) -> String {
    let mut dropped = Table::new(&["DROPPED FOR", "MESSAGES"]);
    for (reason, count) in &counters.dropped {
        dropped.row([reason.clone(), count.to_string()]);
    }
    [messages(counters), reduction(counters), others(counters), dropped.render("no message was dropped")]
        .join("\n")
}

fn messages(counters: &Counters) -> String {
    let (m, packets) = (&counters.messages, &counters.packets);
    let mut table = Table::new(&["MESSAGE", "RECEIVED", "SENT"]);
    for (name, received, sent) in [
        ("Path", m.path_received, m.path_sent),
        ("Resv", m.resv_received, m.resv_sent),
        ("PathErr", m.path_err_received, m.path_err_sent),
        ("ResvErr", m.resv_err_received, m.resv_err_sent),
        ("PathTear", m.path_tear_received, m.path_tear_sent),
        ("ResvTear", m.resv_tear_received, m.resv_tear_sent),
        ("ResvConf", m.resv_confirm_received, m.resv_confirm_sent),
        ("Bundle", m.bundle_received, m.bundle_sent),
        ("Ack", m.ack_received, m.ack_sent),
        ("Srefresh", m.srefresh_received, m.srefresh_sent),
        ("refreshes among them", counters.refreshes_received, counters.refreshes_sent),
        ("packets", packets.received, packets.sent),
        ("octets", packets.octets_received, packets.octets_sent),
    ] {
        table.row([name.to_owned(), received.to_string(), sent.to_string()]);
    }
    table.render("")
}

fn reduction(counters: &Counters) -> String {
    let c = &counters.refresh_reduction;
    let mut table = Table::new(&["REFRESH REDUCTION", "RECEIVED", "SENT"]);
    for (name, received, sent) in [
        ("states in Srefreshes", Some(c.summary_refreshes_received), Some(c.summary_refreshed)),
        ("MESSAGE_ID_ACK", Some(c.received_ack), Some(c.sent_ack)),
        ("MESSAGE_ID_NACK", Some(c.received_nack), Some(c.sent_nack)),
        ("unknown ACKs", Some(c.unknown_ack), None),
        ("unknown NACKs", Some(c.unknown_nack), None),
        ("ACKs dropped", None, Some(counters.acks_dropped)),
        ("out of order", Some(c.out_of_order), None),
        ("retransmitted", None, Some(c.retransmitted)),
        ("given up", None, Some(c.given_up)),
        ("restarts of neighbors", Some(c.restarts), None),
    ] {
        let figure = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
        table.row([name.to_owned(), figure(received), figure(sent)]);
    }
    table.render("")
}

fn others(counters: &Counters) -> String {
    let mut table = Table::new(&["COUNTER", "VALUE"]);
    for (name, value) in [
        ("path timeouts", counters.path_timeouts),
        ("resv timeouts", counters.resv_timeouts),
        ("admission failures", counters.admission_failures),
        ("policy failures", counters.policy_failures),
        ("events lost", counters.events_lost),
        ("one-shots dropped", counters.one_shots_dropped),
        ("clock ran backwards", counters.clock_backwards),
        ("early wake-ups", counters.early_wakeups),
    ] {
        table.row([name.to_owned(), value.to_string()]);
    }
    table.render("")
}
