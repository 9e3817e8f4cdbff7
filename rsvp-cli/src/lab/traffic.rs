//! Data: paced senders, and receivers that count what arrives.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::backend::{Measured, Outage, Traffic};
use super::model::{Flow, FlowIndex, ReceiverIndex, Scenario, Window};

/// The time that is counted together.
const BIN: Duration = Duration::from_millis(50);
/// The part of the packets of that time that has to be lost before it counts as an outage: more than 1/10.
const WORTH_MENTIONING: u64 = 10;
/// How far a sender that was kept from running may fall behind its schedule and still catch up: less than the tenth of
/// a second that a bucket holds by default.
const CATCH_UP: Duration = Duration::from_millis(50);
/// How often a receiver that hears nothing looks whether to stop.
const PATIENCE: Duration = Duration::from_millis(100);
/// Marks the lab's packets.
const MAGIC: [u8; 8] = *b"rsvp-lab";
/// Magic, flow, sequence number, and time of sending in microseconds from the start.
const HEADER: usize = 32;

/// What is counted of a flow where it is sent.
#[derive(Debug)]
struct Sent {
    /// Packets by the time of sending.
    packets: Vec<AtomicU64>,
    /// The next sequence number.
    next: AtomicU64,
}

/// What is counted of a flow at one receiver.
#[derive(Debug)]
struct Received {
    /// Packets that arrived, by the time of sending.
    delivered: Vec<AtomicU64>,
    /// Bytes of IP packets by the time of arrival.
    bytes: Vec<AtomicU64>,
    /// All packets that arrived, repeated ones too.
    arrived: AtomicU64,
}

/// One receiver: what it heard of each flow that it may hear.
#[derive(Debug)]
struct Ear {
    flows: BTreeMap<FlowIndex, Received>,
    /// Packets that it was too slow for.
    missed: AtomicU64,
}

/// One cell for every bin of the scenario.
fn cells(duration: Duration) -> Vec<AtomicU64> {
    (0..=bin(duration)).map(|_| AtomicU64::new(0)).collect()
}

impl Sent {
    fn new(duration: Duration) -> Arc<Self> {
        Arc::new(Self { packets: cells(duration), next: AtomicU64::new(0) })
    }
}

impl Ear {
    fn new(receiver: ReceiverIndex, scenario: &Scenario) -> Arc<Self> {
        let hears = |flow: &FlowIndex| scenario.receivers_of(*flow).any(|one| one == receiver);
        let received = || Received {
            delivered: cells(scenario.duration),
            bytes: cells(scenario.duration),
            arrived: AtomicU64::new(0),
        };
        let flows = (0..scenario.flows.len()).filter(hears).map(|flow| (flow, received())).collect();
        Arc::new(Self { flows, missed: AtomicU64::new(0) })
    }
}

fn bin(time: Duration) -> usize {
    usize::try_from(time.as_nanos() / BIN.as_nanos()).unwrap_or(usize::MAX)
}

/// Counts in the bin of `time`; what comes after the end of the scenario is of no interest.
fn count(bins: &[AtomicU64], time: Duration, amount: u64) {
    if let Some(cell) = bins.get(bin(time)) {
        cell.fetch_add(amount, Ordering::Relaxed);
    }
}

fn sum(bins: &[AtomicU64], window: Window) -> u64 {
    let cells = bins.get(bin(window.from)..bin(window.to).min(bins.len())).unwrap_or_default();
    cells.iter().map(|cell| cell.load(Ordering::Relaxed)).sum()
}

/// A thread that runs until it is told to stop, or dropped.
#[derive(Debug)]
struct Worker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn start(name: &str, work: impl FnOnce(&AtomicBool) + Send + 'static) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || work(&flag))?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Tells it to stop, and does not wait.
    fn tell(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.tell();
        if let Some(thread) = self.thread.take() {
            // A worker that panicked has said so; the figures show the rest.
            let _ = thread.join();
        }
    }
}

/// The senders and receivers of a scenario.
#[derive(Debug)]
pub(crate) struct Generator {
    start: Instant,
    sent: Vec<Arc<Sent>>,
    ears: Vec<Arc<Ear>>,
    senders: Vec<Option<Worker>>,
    receivers: Vec<Worker>,
}

impl Generator {
    /// Starts every receiver of the scenario; `sockets` are bound to what they hear.
    pub(crate) fn new(scenario: &Scenario, start: Instant, sockets: Vec<UdpSocket>) -> io::Result<Self> {
        let sent = scenario.flows.iter().map(|_| Sent::new(scenario.duration)).collect();
        let (mut ears, mut receivers) = (Vec::new(), Vec::new());
        for (index, socket) in sockets.into_iter().enumerate() {
            socket.set_read_timeout(Some(PATIENCE))?;
            rsvp_netns::socket::enlarge(&socket)?;
            let ear = Ear::new(index, scenario);
            let (counts, headers) = (Arc::clone(&ear), u64::from(scenario.family.headers()));
            let receive = move |stop: &AtomicBool| receive(&socket, &counts, headers, start, stop);
            receivers.push(Worker::start(&format!("receive {}", scenario.receivers[index].name), receive)?);
            ears.push(ear);
        }
        let senders = scenario.flows.iter().map(|_| None).collect();
        Ok(Self { start, sent, ears, senders, receivers })
    }

    /// Begins to send a flow from `socket`, which is bound to its source.
    pub(crate) fn send(
        &mut self,
        index: FlowIndex,
        flow: &Flow,
        headers: u32,
        socket: UdpSocket,
    ) -> io::Result<()> {
        let counts = Arc::clone(&self.sent[index]);
        let payload = usize::try_from(flow.packet.saturating_sub(headers)).unwrap_or(HEADER).max(HEADER);
        let interval = Duration::from_nanos(u64::from(flow.packet) * 8 * 1_000_000_000 / flow.sends.max(1));
        let (start, to) = (self.start, SocketAddr::new(flow.destination, flow.port));
        let pace = Pace { flow: index as u64, payload, interval };
        let work = move |stop: &AtomicBool| send(&socket, to, &pace, &counts, start, stop);
        self.senders[index] = Some(Worker::start(&format!("send {}", flow.name), work)?);
        Ok(())
    }

    /// Stops sending a flow.
    pub(crate) fn silence(&mut self, index: FlowIndex) {
        self.senders[index] = None;
    }

    /// Stops everything; packets on their way are waited for.
    pub(crate) fn stop(&mut self) {
        self.senders.fill_with(|| None);
        thread::sleep(2 * PATIENCE);
        // All are told before the first is waited for.
        self.receivers.iter().for_each(Worker::tell);
        self.receivers.clear();
    }

    /// All packets that were sent of a flow.
    pub(crate) fn sent(&self, flow: FlowIndex) -> u64 {
        self.sent[flow].next.load(Ordering::Relaxed)
    }

    /// All packets of a flow that arrived at a receiver, repeated ones too.
    pub(crate) fn arrived(&self, flow: FlowIndex, receiver: ReceiverIndex) -> u64 {
        self.ears[receiver].flows.get(&flow).map_or(0, |received| received.arrived.load(Ordering::Relaxed))
    }

    /// What reached a receiver's socket but found no room in it; lost, like what the network loses.
    pub(crate) fn missed(&self, receiver: ReceiverIndex) -> u64 {
        self.ears[receiver].missed.load(Ordering::Relaxed)
    }

    /// The flows that are being sent.
    pub(crate) fn active(&self) -> impl Iterator<Item = FlowIndex> + '_ {
        self.senders.iter().enumerate().filter_map(|(index, sender)| sender.as_ref().map(|_| index))
    }
}

impl Traffic for Generator {
    fn measure(&self, flow: FlowIndex, receiver: ReceiverIndex, during: Window) -> Measured {
        let sent = sum(&self.sent[flow].packets, during);
        let received = self.ears[receiver].flows.get(&flow);
        let heard =
            |cells: fn(&Received) -> &Vec<AtomicU64>| received.map_or(0, |all| sum(cells(all), during));
        Measured { sent, delivered: heard(|all| &all.delivered), received_bytes: heard(|all| &all.bytes) }
    }

    fn outage(&self, flow: FlowIndex, receiver: ReceiverIndex, during: Window) -> Outage {
        let delivered = self.ears[receiver].flows.get(&flow).into_iter().flat_map(|all| &all.delivered);
        let bins = self.sent[flow].packets.iter().zip(delivered).map(|(sent, delivered)| {
            let [sent, delivered] = [sent, delivered].map(|count| count.load(Ordering::Relaxed));
            (sent, sent.saturating_sub(delivered))
        });
        let inside = bins.enumerate().take(bin(during.to)).skip(bin(during.from));
        let mut outage = Outage { lost: 0, lasted: None };
        for (position, (sent, lost)) in inside {
            outage.lost += lost;
            // A stray packet is none.
            if lost * WORTH_MENTIONING > sent {
                let from = BIN * u32::try_from(position).unwrap_or(u32::MAX);
                outage.lasted.get_or_insert(Window { from, to: from }).to = from + BIN;
            }
        }
        outage
    }
}

/// How a flow is sent.
struct Pace {
    /// Which one it is.
    flow: u64,
    /// Bytes of UDP payload.
    payload: usize,
    /// From one packet to the next.
    interval: Duration,
}

fn send(socket: &UdpSocket, to: SocketAddr, pace: &Pace, counts: &Sent, start: Instant, stop: &AtomicBool) {
    let mut packet = vec![0; pace.payload];
    packet[..MAGIC.len()].copy_from_slice(&MAGIC);
    packet[8..16].copy_from_slice(&pace.flow.to_be_bytes());
    let mut slot = Instant::now();
    let mut jitter = Jitter(u64::from(to.port()));
    let mut next = slot;
    while !stop.load(Ordering::Relaxed) {
        let now = Instant::now();
        if now < next {
            thread::sleep(next - now);
            continue;
        }
        if now - next > CATCH_UP {
            slot = now;
        }
        let time = now - start;
        let sequence = counts.next.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        packet[16..24].copy_from_slice(&sequence.to_be_bytes());
        packet[24..32].copy_from_slice(&micros.to_be_bytes());
        count(&counts.packets, time, 1);
        // A packet that the system does not take (the link is down) is one that does not arrive.
        let _ = socket.send_to(&packet, to);
        slot += pace.interval;
        next = slot + jitter.part_of(pace.interval);
    }
}

/// Moves every packet within its slot, or the flows would meet a full queue in step: some always, others never.
struct Jitter(u64);

impl Jitter {
    /// A part of `interval`: none to half of it. The same sequence every time, by a linear congruential generator.
    fn part_of(&mut self, interval: Duration) -> Duration {
        const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(1);
        interval / 2 * u32::from((self.0 >> 56) as u8) / 256
    }
}

fn receive(socket: &UdpSocket, ear: &Ear, headers: u64, start: Instant, stop: &AtomicBool) {
    let mut packet = [0; 2048];
    let mut seen: BTreeMap<FlowIndex, Seen> = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        let Ok(length) = socket.recv(&mut packet) else { continue };
        let Some((flow, sequence, sent)) = parse(&packet[..length]) else { continue };
        let Some(received) = ear.flows.get(&flow) else { continue };
        received.arrived.fetch_add(1, Ordering::Relaxed);
        if !seen.entry(flow).or_default().insert(sequence) {
            continue;
        }
        count(&received.delivered, sent, 1);
        count(&received.bytes, start.elapsed(), headers + length as u64);
    }
    // A kernel that does not tell leaves it at none.
    ear.missed.store(rsvp_netns::socket::drops(socket).unwrap_or(0), Ordering::Relaxed);
}

/// Flow, sequence number and time of sending of a packet of the lab.
fn parse(payload: &[u8]) -> Option<(FlowIndex, u64, Duration)> {
    let header: &[u8; HEADER] = payload.first_chunk()?;
    let [magic, flow, sequence, micros] =
        [0, 8, 16, 24].map(|at| <[u8; 8]>::try_from(&header[at..at + 8]).ok());
    (magic? == MAGIC).then_some(())?;
    let flow = usize::try_from(u64::from_be_bytes(flow?)).ok()?;
    Some((flow, u64::from_be_bytes(sequence?), Duration::from_micros(u64::from_be_bytes(micros?))))
}

/// Which sequence numbers have been seen, one bit each.
#[derive(Debug, Default)]
struct Seen(Vec<u64>);

impl Seen {
    /// Whether it is new.
    fn insert(&mut self, sequence: u64) -> bool {
        /// More than a minute of anything that a lab can send.
        const MOST: u64 = 1 << 32;
        let Ok(word) = usize::try_from(sequence.min(MOST) / 64) else { return false };
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let bit = 1 << (sequence % 64);
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }
}

/// Whether a packet's UDP payload begins as those of the lab do.
pub(crate) fn is_ours(payload: &[u8]) -> bool {
    payload.starts_with(&MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_over_the_loopback_is_counted_in_full() -> io::Result<()> {
        let scenario = super::super::resolve::parse(
            r#"
            title = "two hosts"
            duration = "2s"
            hosts = ["a", "b"]
            links = [{ ends = ["a", "b"], rate = "10Mbit" }]
            flows = [{ name = "f", from = "a", to = "b", port = 5000, rate = "1600kbit", packet = 1000 }]
            "#,
        )
        .map_err(|mistake| io::Error::other(mistake.to_string()))?;
        let receiver = UdpSocket::bind("127.0.0.1:0")?;
        let mut flow = Flow { name: "f".to_owned(), ..copy(&scenario.flows[0]) };
        flow.destination = receiver.local_addr()?.ip();
        flow.port = receiver.local_addr()?.port();
        let mut generator = Generator::new(&scenario, Instant::now(), vec![receiver])?;
        generator.send(0, &flow, 28, UdpSocket::bind("127.0.0.1:0")?)?;
        assert_eq!(generator.active().collect::<Vec<_>>(), [0]);
        thread::sleep(Duration::from_millis(600));
        generator.silence(0);
        generator.stop();
        let all = Window { from: Duration::ZERO, to: Duration::from_secs(2) };
        let measured = generator.measure(0, 0, all);
        // 200 packets a second; a machine that is busy sends fewer, never more than the schedule and one catch-up.
        assert!((20..=140).contains(&measured.sent), "{measured:?}");
        assert_eq!(measured.delivered, measured.sent);
        assert_eq!(measured.received_bytes, measured.delivered * 1000);
        let totals = (generator.sent(0), generator.arrived(0, 0), generator.missed(0));
        assert_eq!(totals, (measured.sent, measured.sent, 0));
        let later = Window { from: Duration::from_secs(1), to: Duration::from_secs(2) };
        assert_eq!(generator.measure(0, 0, later), Measured::default());
        Ok(())
    }

    fn copy(flow: &Flow) -> Flow {
        Flow { name: String::new(), ..*flow }
    }

    #[test]
    fn repeated_packets_count_once() {
        let mut seen = Seen::default();
        assert!(seen.insert(3) && seen.insert(64) && seen.insert(0));
        assert!(!seen.insert(3) && !seen.insert(64));
        assert!(seen.insert(65));
    }
}
