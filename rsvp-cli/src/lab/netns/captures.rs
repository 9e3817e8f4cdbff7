//! What was captured: every link's packets, counted and read.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use rsvp_core::wire::{Message, RawMessage, messages};
use rsvp_decode::{Content, Frame, dissect};
use rsvp_netns::Capture as Recorder;

use crate::decode::capture::Capture;
use crate::lab::backend::{Datagram, Fault, Heard, Sent, Verdict};
use crate::lab::heard::{Listener, Refresh};
use crate::lab::model::{FlowIndex, LinkIndex, NodeIndex, Scenario};
use crate::lab::scenario::StateKind;
use crate::lab::traffic::{Generator, is_ours};

/// The recorders of a run, one for each link.
#[derive(Debug, Default)]
pub(crate) struct Captures(Vec<(PathBuf, Recorder)>);

/// What was found in the captures.
#[derive(Debug)]
pub(crate) struct Found {
    /// Every Path and Resv of the scenario's flows, in order of time.
    pub(crate) heard: Vec<Heard>,
    /// How many of those each node sent.
    pub(crate) sent: Sent,
    /// Every datagram with RSVP.
    pub(crate) datagrams: Vec<Datagram>,
    /// Data packets, by link and flow.
    data: Vec<Vec<u64>>,
    /// Packets that the recorders missed, by link.
    missed: Vec<u64>,
    /// RSVP messages, and the first that is wrong.
    messages: u64,
    wrong: Option<String>,
}

impl Captures {
    /// Records a link at this interface.
    pub(crate) fn add(&mut self, path: PathBuf, recorder: Recorder) {
        self.0.push((path, recorder));
    }

    /// Ends recording and reads everything. `start` is the start of the scenario.
    pub(crate) fn read(self, scenario: &Scenario, start: SystemTime) -> Result<Found, Fault> {
        let mut found = Found {
            heard: Vec::new(),
            sent: Sent::new(),
            datagrams: Vec::new(),
            data: Vec::new(),
            missed: Vec::new(),
            messages: 0,
            wrong: None,
        };
        let mut paths = Vec::new();
        for (path, recorder) in self.0 {
            let failed = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
            found.missed.push(recorder.stop().map_err(failed)?.dropped);
            paths.push(path);
        }
        for (link, path) in paths.iter().enumerate() {
            found.data.push(vec![0; scenario.flows.len()]);
            found.read_file(path, link, scenario, start)?;
        }
        found.heard.sort_by_key(|message| message.at);
        Ok(found)
    }
}

impl Found {
    fn read_file(
        &mut self,
        path: &Path,
        link: LinkIndex,
        scenario: &Scenario,
        start: SystemTime,
    ) -> Result<(), Fault> {
        let failed = |error: String| format!("cannot read {}: {error}", path.display());
        let file = File::open(path).map_err(|error| failed(error.to_string()))?;
        let mut capture = Capture::open(BufReader::new(file)).map_err(|error| failed(error.to_string()))?;
        let mut listener = Listener::default();
        while let Some(frame) = capture.next_frame().map_err(|error| failed(error.to_string()))? {
            if let Content::Rsvp(packet) = dissect(frame.link, frame.data) {
                match check(packet.payload) {
                    Ok(count) => self.messages += count,
                    Err(why) => {
                        let name = &scenario.links[link].name;
                        self.wrong.get_or_insert(format!("link {name}, packet {}: {why}", frame.number));
                    }
                }
                if let Some(at) = frame.time.map(|time| time.duration_since(start).unwrap_or_default()) {
                    self.datagrams.push(Datagram { at, link, octets: packet.payload.len() });
                }
                for refresh in listener.hear(packet.payload, packet.source, scenario) {
                    if let Some(node) = scenario.owner(refresh.hop.address).filter(|_| refresh.whole) {
                        self.sent.entry(node).or_default().count(packet.udp_port.is_some());
                    }
                    self.heard.extend(heard_by(&refresh, &frame, link, scenario, start));
                }
            } else if let Some(flow) = flow_of(frame.data, scenario) {
                self.data[link][flow] += 1;
            }
        }
        Ok(())
    }

    /// Whether what the senders and receivers counted is what passed their links.
    pub(crate) fn agree(&self, scenario: &Scenario, generator: &Generator) -> Verdict {
        match self.compare(scenario, generator) {
            Ok(seen) => Verdict::Passed(seen),
            Err(why) => Verdict::Failed(why),
        }
    }

    fn compare(&self, scenario: &Scenario, generator: &Generator) -> Result<String, String> {
        let mut packets = 0;
        for (index, flow) in scenario.flows.iter().enumerate() {
            packets += self.agrees(scenario, index, flow.from, generator.sent(index), true)?;
            for receiver in scenario.receivers_of(index) {
                let counted = generator.arrived(index, receiver);
                let (node, group) = (scenario.receivers[receiver].node, scenario.receivers[receiver].group);
                // What a socket has no room for is not told by flow; nor is what passes a LAN only its members'.
                let whole = group.is_none();
                let missed = if whole { generator.missed(receiver) } else { 0 };
                packets += self.agrees(scenario, index, node, counted + missed, whole)?;
            }
        }
        let unheard = (0..scenario.receivers.len()).map(|receiver| generator.missed(receiver)).sum();
        let missed = and("missed by the captures", self.missed.iter().sum());
        let unheard = and("missed by the receivers", unheard);
        Ok(format!("{packets} packets at the flows' senders and receivers{missed}{unheard}"))
    }

    /// How many packets of a flow were captured at a host, if as many were counted there; or, where the capture is not
    /// `whole`ly that host's, no more.
    fn agrees(
        &self,
        scenario: &Scenario,
        flow: FlowIndex,
        node: NodeIndex,
        counted: u64,
        whole: bool,
    ) -> Result<u64, String> {
        // Hosts do not forward: what passes their links is their own.
        let of_node = |counts: &dyn Fn(LinkIndex) -> u64| -> u64 {
            scenario.nodes[node].interfaces.iter().map(|interface| counts(interface.link)).sum()
        };
        let (captured, missed) = (of_node(&|link| self.data[link][flow]), of_node(&|link| self.missed[link]));
        if (whole && captured > counted) || captured + missed < counted {
            let (flow, node) = (&scenario.flows[flow].name, &scenario.nodes[node].name);
            let captured = format!("{captured} captured at {node}{}", and("missed", missed));
            return Err(format!("{flow}: {counted} packets counted, {captured}"));
        }
        Ok(captured)
    }

    /// Whether every captured RSVP message is well-formed and has a good checksum.
    pub(crate) fn well_formed(&self) -> Verdict {
        match &self.wrong {
            None => Verdict::Passed(format!("{} messages", self.messages)),
            Some(wrong) => Verdict::Failed(wrong.clone()),
        }
    }
}

/// A remark on a number of packets, if there are any.
fn and(what: &str, count: u64) -> String {
    if count > 0 { format!(", {count} {what}") } else { String::new() }
}

/// How many messages a datagram has, if there is nothing wrong with any.
fn check(datagram: &[u8]) -> Result<u64, String> {
    /// As many as the largest packet can hold.
    const MAX_OBJECTS: usize = 16_384;
    let read = |message| Message::parse(&RawMessage::decode(message?)?, MAX_OBJECTS);
    let mut count = 0;
    for message in messages(datagram) {
        read(message).map_err(|error| error.to_string())?;
        count += 1;
    }
    Ok(count)
}

/// Who heard a message that refreshes a flow's state: data flows down the tree, so a Path is heard by the lower ends of
/// a link and a Resv by the upper one.
fn heard_by(
    refresh: &Refresh,
    frame: &Frame<'_>,
    link: LinkIndex,
    scenario: &Scenario,
    start: SystemTime,
) -> Vec<Heard> {
    let Some(time) = frame.time else { return Vec::new() };
    let at = time.duration_since(start).unwrap_or_default();
    let mut nodes = BTreeSet::new();
    for flow in &refresh.flows {
        for (node, branch) in scenario.data_tree(*flow, at).0 {
            let hears = match refresh.kind {
                StateKind::Path => branch.incoming == Some(link),
                StateKind::Reservation => branch.outgoing.contains(&link),
            };
            nodes.extend(hears.then_some(node));
        }
    }
    let heard = |node| Heard {
        at,
        node,
        kind: refresh.kind,
        flows: refresh.flows.clone(),
        hop: refresh.hop.address,
        refresh: refresh.period,
    };
    nodes.into_iter().map(heard).collect()
}

/// The flow of a data packet of the lab.
fn flow_of(frame: &[u8], scenario: &Scenario) -> Option<FlowIndex> {
    let packet = LaxSlicedPacket::from_ethernet(frame).ok()?;
    let (source, destination) = match packet.net? {
        LaxNetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Arp(_) => return None,
    };
    let Some(TransportSlice::Udp(datagram)) = packet.transport else { return None };
    is_ours(datagram.payload()).then_some(())?;
    scenario.flows_to(destination, datagram.destination_port(), &[source]).first().copied()
}
