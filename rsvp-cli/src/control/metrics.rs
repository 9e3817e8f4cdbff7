//! Counters and gauges in the text format of Prometheus.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus::{Error, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};
use rsvp_client::api::{Counters, MessageCounts, NeighborView, Reduction, ReductionCounts};
use rsvp_core::snapshot::Snapshot;

use crate::config::Config;
use crate::convert::{self, Scene};

/// The labels of what is counted for each neighbour.
const NEIGHBOR: [&str; 2] = ["interface", "neighbor"];

/// A gauge's name and help, and how it is had from a view.
type Gauge<V> = (&'static str, &'static str, fn(&V) -> u64);

/// All of it, at this moment.
///
/// # Errors
///
/// If two families have the same name.
pub(super) fn text(
    state: &Snapshot,
    config: &Config,
    scene: &Scene,
    started: SystemTime,
) -> Result<String, Error> {
    let page = Page(Registry::new());
    let version = [([env!("CARGO_PKG_VERSION")], 1)];
    page.gauge("rsvp_build_info", "The version of the daemon.", ["version"], version)?;
    let start = seconds(started);
    page.gauge("rsvp_start_time_seconds", "When the daemon started, in Unix time.", [], [([], start)])?;
    let counters = convert::counters(&state.counters);
    page.messages(&counters)?;
    page.faults(&counters)?;
    page.reduction("rsvp_reduction", [], &[([], counters.refresh_reduction)])?;
    let neighbors = convert::neighbors(state, config, scene);
    page.states(state, neighbors.len())?;
    page.interfaces(state)?;
    page.neighbors(&neighbors)?;
    TextEncoder::new().encode_to_string(&page.0.gather())
}

/// A text in the making.
struct Page(Registry);

impl Page {
    fn counter<'a, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        rows: impl IntoIterator<Item = ([&'a str; N], u64)>,
    ) -> Result<(), Error> {
        let family = IntCounterVec::new(Opts::new(name, help), &labels)?;
        for (values, count) in rows {
            family.get_metric_with_label_values(&values)?.inc_by(count);
        }
        self.0.register(Box::new(family))
    }

    fn gauge<'a, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        rows: impl IntoIterator<Item = ([&'a str; N], u64)>,
    ) -> Result<(), Error> {
        let family = IntGaugeVec::new(Opts::new(name, help), &labels)?;
        for (values, value) in rows {
            family.get_metric_with_label_values(&values)?.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        self.0.register(Box::new(family))
    }

    fn messages(&self, counters: &Counters) -> Result<(), Error> {
        let help = "RSVP messages by type, those in Bundles included.";
        let by_type = by_type(&counters.messages);
        let messages = by_type
            .iter()
            .flat_map(|(name, received, sent)| [([*name, "received"], *received), ([*name, "sent"], *sent)]);
        self.counter("rsvp_messages_total", help, ["type", "direction"], messages)?;
        let packets = &counters.packets;
        for (name, help, received, sent) in [
            (
                "rsvp_refresh_messages_total",
                "RSVP messages that were mere refreshes.",
                counters.refreshes_received,
                counters.refreshes_sent,
            ),
            ("rsvp_packets_total", "Datagrams with RSVP; a Bundle is one.", packets.received, packets.sent),
            (
                "rsvp_bytes_total",
                "Bytes of RSVP, without IP headers.",
                packets.octets_received,
                packets.octets_sent,
            ),
        ] {
            self.counter(name, help, ["direction"], [(["received"], received), (["sent"], sent)])?;
        }
        Ok(())
    }

    fn faults(&self, counters: &Counters) -> Result<(), Error> {
        let dropped = counters.dropped.iter().map(|(reason, count)| ([reason.as_str()], *count));
        let help = "Received messages that were dropped, and why.";
        self.counter("rsvp_dropped_messages_total", help, ["reason"], dropped)?;
        let timeouts = [(["path"], counters.path_timeouts), (["resv"], counters.resv_timeouts)];
        let help = "State that was not refreshed in time.";
        self.counter("rsvp_state_timeouts_total", help, ["state"], timeouts)?;
        for (name, help, count) in [
            (
                "rsvp_admission_failures_total",
                "Reservations refused by admission control.",
                counters.admission_failures,
            ),
            (
                "rsvp_policy_failures_total",
                "Senders and reservations refused by policy control.",
                counters.policy_failures,
            ),
            ("rsvp_lost_events_total", "Events that were not fetched in time.", counters.events_lost),
            (
                "rsvp_dropped_one_shots_total",
                "Tears, errors and confirmations that a limit kept from being sent.",
                counters.one_shots_dropped,
            ),
            (
                "rsvp_dropped_acknowledgements_total",
                "Acknowledgements that a limit kept from being made.",
                counters.acks_dropped,
            ),
            ("rsvp_clock_backwards_total", "Times that the clock ran backwards.", counters.clock_backwards),
            (
                "rsvp_early_wakeups_total",
                "Wake-ups for a deadline that had moved on.",
                counters.early_wakeups,
            ),
        ] {
            self.counter(name, help, [], [([], count)])?;
        }
        Ok(())
    }

    /// What is counted of RFC 2961, for the node or for its neighbours.
    fn reduction<const N: usize>(
        &self,
        prefix: &str,
        labels: [&str; N],
        rows: &[([&str; N], ReductionCounts)],
    ) -> Result<(), Error> {
        /// A family's name and help, its further labels, and its values.
        type Family = (&'static str, &'static str, &'static [&'static str], Pick);
        type Pick = fn(&ReductionCounts) -> Vec<(&'static [&'static str], u64)>;
        let families: [Family; 7] = [
            (
                "acknowledgements",
                "MESSAGE_ID_ACK and MESSAGE_ID_NACK objects.",
                &["kind", "direction"],
                |c| {
                    vec![
                        (&["ack", "received"], c.received_ack),
                        (&["ack", "sent"], c.sent_ack),
                        (&["nack", "received"], c.received_nack),
                        (&["nack", "sent"], c.sent_nack),
                    ]
                },
            ),
            ("unknown_acknowledgements", "Acknowledgements of nothing that is known.", &["kind"], |c| {
                vec![(&["ack"], c.unknown_ack), (&["nack"], c.unknown_nack)]
            }),
            ("summary_refreshed_states", "States refreshed by Srefresh messages.", &["direction"], |c| {
                vec![(&["received"], c.summary_refreshes_received), (&["sent"], c.summary_refreshed)]
            }),
            ("retransmitted_messages", "Messages sent again for want of an acknowledgement.", &[], |c| {
                vec![(&[], c.retransmitted)]
            }),
            ("given_up_messages", "Messages that were never acknowledged.", &[], |c| vec![(&[], c.given_up)]),
            ("out_of_order_messages", "Messages received out of order.", &[], |c| {
                vec![(&[], c.out_of_order)]
            }),
            ("restarts", "Times that the Epoch of a neighbour changed.", &[], |c| vec![(&[], c.restarts)]),
        ];
        for (name, help, further, pick) in families {
            let labels: Vec<&str> = labels.iter().chain(further).copied().collect();
            let family = IntCounterVec::new(Opts::new(format!("{prefix}_{name}_total"), help), &labels)?;
            for (values, counts) in rows {
                for (further, count) in pick(counts) {
                    let values: Vec<&str> = values.iter().chain(further).copied().collect();
                    family.get_metric_with_label_values(&values)?.inc_by(count);
                }
            }
            self.0.register(Box::new(family))?;
        }
        Ok(())
    }

    fn states(&self, state: &Snapshot, neighbors: usize) -> Result<(), Error> {
        let sessions = &state.sessions;
        for (name, help, count) in [
            ("rsvp_sessions", "Sessions.", sessions.len()),
            ("rsvp_path_states", "Path state blocks.", sessions.iter().map(|one| one.senders).sum()),
            (
                "rsvp_reservations",
                "Reservation state blocks.",
                sessions.iter().map(|one| one.reservations).sum(),
            ),
            (
                "rsvp_installed_reservations",
                "Reservations in traffic control.",
                sessions.iter().map(|one| one.installed).sum(),
            ),
            ("rsvp_neighbors", "Neighbors, those of the configuration included.", neighbors),
        ] {
            self.gauge(name, help, [], [([], wide(count))])?;
        }
        Ok(())
    }

    fn interfaces(&self, state: &Snapshot) -> Result<(), Error> {
        let interfaces = &state.interfaces;
        let rows = |pick: fn(&rsvp_core::view::InterfaceView) -> Option<u64>| {
            interfaces.iter().filter_map(move |view| Some(([view.name.as_str()], pick(view)?)))
        };
        let labels = ["interface"];
        let help = "Whether the interface carries packets.";
        self.gauge("rsvp_interface_up", help, labels, rows(|view| Some(view.up.into())))?;
        let help = "What all reservations together may take.";
        let total = rows(|view| view.bandwidth.map(|pool| pool.total));
        self.gauge("rsvp_interface_reservable_bytes_per_second", help, labels, total)?;
        let help = "What is reserved.";
        let reserved = rows(|view| view.bandwidth.map(|_| view.reserved));
        self.gauge("rsvp_interface_reserved_bytes_per_second", help, labels, reserved)?;
        let help = "Reservations in place.";
        self.gauge("rsvp_interface_reservations", help, labels, rows(|view| Some(wide(view.reservations))))
    }

    fn neighbors(&self, views: &[NeighborView]) -> Result<(), Error> {
        let addresses: Vec<String> = views.iter().map(|view| view.address.to_string()).collect();
        let named = || {
            let labels = views.iter().zip(&addresses);
            labels.map(|(view, address)| ([view.interface.as_str(), address.as_str()], view))
        };
        let states: [Gauge<NeighborView>; 3] = [
            ("rsvp_neighbor_path_states", "Path state learnt from the neighbor.", |view| wide(view.psbs)),
            ("rsvp_neighbor_reservations", "Reservations that the neighbor asked for.", |view| {
                wide(view.rsbs)
            }),
            ("rsvp_neighbor_advertised_states", "Paths and Resvs that the neighbor is told of.", |view| {
                wide(view.advertised)
            }),
        ];
        for (name, help, pick) in states {
            self.gauge(name, help, NEIGHBOR, named().map(|(labels, view)| (labels, pick(view))))?;
        }
        let now = SystemTime::now();
        let heard = named().filter_map(|(labels, view)| {
            let ago = Duration::try_from_secs_f64(view.last_heard.as_ref()?.ago).ok()?;
            Some((labels, seconds(now.checked_sub(ago)?)))
        });
        let help = "When the neighbor was last heard, in Unix time.";
        self.gauge("rsvp_neighbor_last_heard_timestamp_seconds", help, NEIGHBOR, heard)?;
        let used: Vec<_> =
            named().filter_map(|(labels, view)| Some((labels, view.refresh_reduction.as_ref()?))).collect();
        let gauges: [Gauge<Reduction>; 6] = [
            ("rsvp_neighbor_message_ids", "Whether messages to the neighbor carry a MESSAGE_ID.", |view| {
                view.message_ids.into()
            }),
            ("rsvp_neighbor_bundles", "Whether messages to the neighbor are bundled.", |view| {
                view.bundles.into()
            }),
            ("rsvp_neighbor_summary_refresh", "Whether state is summary-refreshed.", |view| {
                view.summary_refresh.into()
            }),
            ("rsvp_neighbor_outstanding_messages", "Messages that await an acknowledgement.", |view| {
                wide(view.outstanding)
            }),
            ("rsvp_neighbor_paced_messages", "Messages that wait for those.", |view| wide(view.paced)),
            ("rsvp_neighbor_summarized_states", "States that are refreshed together.", |view| {
                wide(view.summarized)
            }),
        ];
        for (name, help, pick) in gauges {
            self.gauge(name, help, NEIGHBOR, used.iter().map(|(labels, view)| (*labels, pick(view))))?;
        }
        let counts: Vec<_> = used.iter().map(|(labels, view)| (*labels, view.counters)).collect();
        self.reduction("rsvp_neighbor", NEIGHBOR, &counts)
    }
}

fn by_type(m: &MessageCounts) -> [(&'static str, u64, u64); 10] {
    [
        ("path", m.path_received, m.path_sent),
        ("resv", m.resv_received, m.resv_sent),
        ("path-err", m.path_err_received, m.path_err_sent),
        ("resv-err", m.resv_err_received, m.resv_err_sent),
        ("path-tear", m.path_tear_received, m.path_tear_sent),
        ("resv-tear", m.resv_tear_received, m.resv_tear_sent),
        ("resv-confirm", m.resv_confirm_received, m.resv_confirm_sent),
        ("bundle", m.bundle_received, m.bundle_sent),
        ("ack", m.ack_received, m.ack_sent),
        ("srefresh", m.srefresh_received, m.srefresh_sent),
    ]
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
