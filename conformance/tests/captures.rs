//! The files of `captures/`: what this implementation sends of RFC 2961, for other tools to read. They are generated
//! here; `UPDATE_EXAMPLES=1` writes them.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use conformance::bench::{Packet, ip_packet};
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{MessageIds, ReductionConfig};
use rsvp_core::wire::{
    FilterSpec, FlowDescriptor, FlowKey, Flowspec, Head, Message, RawMessage, SenderTspec, Style, Tspec,
    messages,
};
use rsvp_core::{ApiId, Command, Instant, SessionKey, Transmit};
use rsvp_sim::{Conditions, Entry, Fate, Network, NodeId, describe};

const SECOND: Duration = Duration::from_secs(1);
/// The longest time between two refreshes, and a little more.
const PERIOD: Duration = Duration::from_secs(46);
/// 2026-01-01 00:00:00 UTC, when every simulation starts.
const START: Duration = Duration::from_secs(1_767_225_600);

/// Where captures are made: s, r1 and r2, and behind r2 d; or, on a LAN, r2 with d and r3 with e.
struct Lab {
    net: Network,
    v6: bool,
    sender: NodeId,
    routers: Vec<NodeId>,
    receivers: Vec<NodeId>,
}

impl Lab {
    fn new(v6: bool, is_lan: bool) -> Self {
        let mut net = Network::new(1);
        let message_ids = MessageIds::Always;
        // On a LAN nobody knows who else is there.
        net.set_reduction(ReductionConfig {
            message_ids,
            assume_capable: is_lan,
            ..ReductionConfig::default()
        });
        let sender = net.host("s");
        let routers: Vec<NodeId> =
            ["r1", "r2", "r3"].map(|name| net.router(name))[..2 + usize::from(is_lan)].to_vec();
        let receivers: Vec<NodeId> =
            ["d", "e"].map(|name| net.host(name))[..1 + usize::from(is_lan)].to_vec();
        net.connect(&[sender, routers[0]]);
        net.connect(&routers);
        for (router, receiver) in routers[1..].iter().zip(&receivers) {
            net.connect(&[*router, *receiver]);
        }
        net.run_for(SECOND);
        Self { net, v6, sender, routers, receivers }
    }

    fn address(&self, node: NodeId) -> IpAddr {
        let mut addresses = self.net.addresses(node);
        addresses.find(|address| address.is_ipv6() == self.v6).expect("every device has both")
    }

    fn unicast(&self, port: u16) -> SessionKey {
        session(self.address(self.receivers[0]), port)
    }

    fn group(&self, number: u16) -> SessionKey {
        let group = if self.v6 {
            IpAddr::from([0xff0e, 0, 0, 0, 0, 0, 0, number])
        } else {
            [224, 1, 2, number as u8].into()
        };
        session(group, 5004)
    }

    fn announce(&mut self, session: SessionKey) -> ApiId {
        let template = self.filter();
        let tspec = SenderTspec::TokenBucket(BUCKET);
        let request = SenderRequest { template, tspec, adspec: true.into(), policy: Vec::new(), ttl: 63 };
        self.net.announce(self.sender, session, request).expect("it is a good sender")
    }

    fn reserve(&mut self, receiver: NodeId, session: SessionKey) -> ApiId {
        let flowspec = Some(Flowspec::ControlledLoad(BUCKET));
        let flows = vec![FlowDescriptor { flowspec, filters: vec![self.filter()] }];
        let (receiver_address, policy) = (self.address(receiver), Vec::new());
        let request =
            ReserveRequest { receiver: receiver_address, style: Style::Ff, flows, policy, confirm: true };
        self.net.reserve(receiver, session, request).expect("it is a good request")
    }

    fn filter(&self) -> FilterSpec {
        FilterSpec::Ip { source: self.address(self.sender), port: 4000 }
    }

    fn release(&mut self, node: NodeId, api: ApiId) {
        self.net.command(node, Command::Release(api)).expect("it was opened");
    }

    /// All that the routers said to each other since the transcript was cleared.
    fn captured(&self) -> Vec<Entry> {
        let is_of_link = |entry: &&Entry| match entry.fate {
            Fate::Sent { to, .. } | Fate::Lost(to) => {
                self.routers.contains(&entry.from) && self.routers.contains(&to)
            }
            _ => false,
        };
        let mut entries: Vec<Entry> =
            self.net.transcript().entries().iter().filter(is_of_link).cloned().collect();
        // What goes to a group is there once for each who hears it.
        entries.dedup_by_key(|entry| (entry.at, entry.from, entry.header.clone(), entry.message.clone()));
        entries
    }
}

const BUCKET: Tspec =
    Tspec { rate: 100_000.0, bucket: 10_000.0, peak: 400_000.0, min_unit: 64, max_packet: 1500 };

fn session(destination: IpAddr, port: u16) -> SessionKey {
    SessionKey::Ip(FlowKey { destination, protocol: 17, port })
}

/// A reservation is made and confirmed, and all is torn down; one message is lost on the way.
fn message_ids(v6: bool) -> Vec<Entry> {
    let mut lab = Lab::new(v6, false);
    let (session, receiver) = (lab.unicast(5004), lab.receivers[0]);
    // Whoever waits for the Path answers soon enough to take its acknowledgement along.
    let reservation = lab.reserve(receiver, session);
    let sender = lab.announce(session);
    lab.net.run_for(SECOND);
    lab.release(receiver, reservation);
    lab.net.run_for(SECOND);
    let link = lab.net.link_between(lab.routers[0], lab.routers[1]).expect("they are neighbours");
    lab.net.set_conditions(link, Conditions { loss: 1.0, ..Conditions::default() });
    lab.release(lab.sender, sender);
    lab.net.run_for(SECOND / 10);
    lab.net.set_conditions(link, Conditions::default());
    lab.net.run_for(2 * SECOND);
    lab.captured()
}

/// Unicast sessions with reservations, and a period in which they are refreshed.
fn srefresh_list(v6: bool) -> Vec<Entry> {
    let mut lab = Lab::new(v6, false);
    let receiver = lab.receivers[0];
    for port in [5004, 5006] {
        let session = lab.unicast(port);
        lab.announce(session);
        lab.net.run_for(SECOND);
        lab.reserve(receiver, session);
    }
    lab.net.run_for(PERIOD);
    lab.captured()
}

/// Groups on a point-to-point link.
fn srefresh_mcast_list(v6: bool) -> Vec<Entry> {
    groups(Lab::new(v6, false))
}

/// Groups on a LAN.
fn srefresh_src_list(v6: bool) -> Vec<Entry> {
    groups(Lab::new(v6, true))
}

fn groups(mut lab: Lab) -> Vec<Entry> {
    for number in [3, 4] {
        let group = lab.group(number);
        lab.announce(group);
        for receiver in lab.receivers.clone() {
            lab.reserve(receiver, group);
        }
        lab.net.run_for(SECOND);
    }
    lab.net.run_for(PERIOD);
    lab.captured()
}

/// Several sessions at once, once the neighbours know each other.
fn bundle(v6: bool) -> Vec<Entry> {
    let mut lab = Lab::new(v6, false);
    let (receiver, first) = (lab.receivers[0], lab.unicast(5002));
    lab.announce(first);
    lab.net.run_for(SECOND);
    lab.reserve(receiver, first);
    lab.net.run_for(SECOND);
    lab.net.clear_transcript();
    let sessions: Vec<SessionKey> = (5004..5010).step_by(2).map(|port| lab.unicast(port)).collect();
    lab.net.freeze(lab.routers[0]);
    let senders: Vec<ApiId> = sessions.iter().map(|session| lab.announce(*session)).collect();
    lab.net.run_for(SECOND);
    lab.net.thaw(lab.routers[0]);
    lab.net.run_for(SECOND);
    lab.net.freeze(lab.routers[0]);
    senders.into_iter().for_each(|api| lab.release(lab.sender, api));
    lab.net.run_for(SECOND / 2);
    lab.net.thaw(lab.routers[0]);
    lab.net.run_for(SECOND);
    lab.captured()
}

/// The second router starts anew with no memory, and says so when a summary refresh comes.
fn nack(v6: bool) -> Vec<Entry> {
    let mut lab = Lab::new(v6, false);
    let (session, receiver) = (lab.unicast(5004), lab.receivers[0]);
    lab.announce(session);
    lab.net.run_for(SECOND);
    lab.reserve(receiver, session);
    lab.net.run_for(PERIOD);
    lab.net.clear_transcript();
    lab.net.kill(lab.routers[1]);
    lab.net.start(lab.routers[1]);
    lab.net.run_for(PERIOD);
    lab.captured()
}

type Case = fn(bool) -> Vec<Entry>;

/// What is captured, and what is to be found in it, as [`describe`] has it.
const CASES: [(&str, Case, &[&str]); 6] = [
    (
        "message-ids",
        message_ids,
        &["Path id 0x", " +ack", "Ack ack 0x", "Resv id 0x", " +ack ack 0x", "PathTear id 0x"],
    ),
    ("srefresh-list", srefresh_list, &["Srefresh", " of 0x"]),
    ("srefresh-mcast-list", srefresh_mcast_list, &["Srefresh", " of 0x", " from ", " to "]),
    ("srefresh-src-list", srefresh_src_list, &["Srefresh", " of 0x", " from "]),
    ("bundle", bundle, &["Bundle [Path id 0x", " | Path id 0x", "Bundle [PathTear id 0x"]),
    ("nack", nack, &["Srefresh", "nack 0x"]),
];

/// The packet of a message.
fn packet(header: &Transmit, message: &[u8]) -> Vec<u8> {
    let Transmit { source, destination, ttl, router_alert, encapsulation, traffic_class, .. } = *header;
    let packet = Packet { source, destination, ttl, router_alert, encapsulation, message: message.to_vec() };
    ip_packet(&packet, traffic_class).expect("a short message between addresses of one family")
}

/// A pcap file of raw IP packets.
fn pcap(entries: &[Entry]) -> Vec<u8> {
    const MAGIC: u32 = 0xa1b2_c3d4;
    const VERSION_2_4: u32 = 2 | 4 << 16;
    const LINKTYPE_RAW: u32 = 101;
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    let mut file = words(&[MAGIC, VERSION_2_4, 0, 0, 65_535, LINKTYPE_RAW]);
    for Entry { at, header, message, .. } in entries {
        let packet = packet(header, message);
        let (time, length) = (START + at.since(Instant::ZERO), packet.len() as u32);
        file.extend(words(&[time.as_secs() as u32, time.subsec_micros(), length, length]));
        file.extend(packet);
    }
    file
}

#[test]
fn the_captures_are_what_this_implementation_sends() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let readme = std::fs::read_to_string(directory.join("README.md")).expect("a README");
    for (name, case, wanted) in CASES {
        assert!(readme.contains(&format!("| `{name}-")), "README.md does not tell of {name}");
        for (family, v6) in [("ipv4", false), ("ipv6", true)] {
            let entries = case(v6);
            let lines: Vec<String> = entries.iter().map(|entry| describe(&entry.message)).collect();
            let text = lines.join("\n");
            for words in wanted {
                assert!(text.contains(words), "no {words:?} in {name}:\n{text}");
            }
            let (path, file) = (directory.join(format!("{name}-{family}.pcap")), pcap(&entries));
            if std::env::var_os("UPDATE_EXAMPLES").is_some() {
                std::fs::write(&path, &file).expect("a writable directory");
            }
            let is_current = std::fs::read(&path).is_ok_and(|there| there == file);
            assert!(
                is_current,
                "{} is not current: UPDATE_EXAMPLES=1 writes it. Now:\n{text}",
                path.display()
            );
        }
    }
}

#[test]
fn every_message_can_be_read() {
    for (name, case, _) in CASES {
        for entry in case(false).into_iter().chain(case(true)) {
            for message in messages(&entry.message) {
                let bytes = message.unwrap_or_else(|error| panic!("{name}: {error}"));
                let raw = RawMessage::decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(raw.header.has_checksum(), "{name}");
                Message::parse(&raw, usize::MAX).unwrap_or_else(|error| panic!("{name}: {error}"));
                Head::split(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
}
