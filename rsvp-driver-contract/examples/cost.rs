//! What a router costs while nothing happens, and how long it takes to send a Path on, with each driver; see
//! `docs/measurements.md`. Needs root.
//!
//! ```sh
//! cargo run --release -p rsvp-driver-contract --example cost -- idle 30
//! cargo run --release -p rsvp-driver-contract --example cost -- latency
//! ```

#[path = "../../rsvp-io/tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::{Network, TestResult, ip, network};
use rsvp_core::config::Bandwidth;
use rsvp_core::view::NeighborView;
use rsvp_core::wire::{Message, RawMessage, RsvpHop, messages};
use rsvp_core::{Node, NodeConfig};
use rsvp_driver::Clock;
use rsvp_driver_contract::{Host, Runtime, config, sender, session};
use rsvp_io::SystemOptions;
use rsvp_netns::{Namespace, PacketSocket, Process};

const SENDER: &str = "10.1.1.2";
const RECEIVER: &str = "10.1.2.2";
const ROUTER_WEST: &str = "10.1.1.1";
const ROUTER_EAST: &str = "10.1.2.1";

/// Sessions of the idle router.
const SESSIONS: u16 = 10_000;

/// How long their set-up may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What crosses the router, one at a time.
const FRAMES: u16 = 1000;

/// For local experiments (IEEE 802): the bare forwarder takes these, and nobody else.
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];

/// Destination, source, and the type.
const ETHERNET: usize = 14;

fn main() -> TestResult {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["router", name] => run_router(name),
        ["forwarder"] => run_forwarder(),
        ["idle", seconds] => idle(Duration::from_secs(seconds.parse()?)),
        ["latency"] => latency(),
        _ => Err("say `idle SECONDS` or `latency`".into()),
    }
}

/// In the router's namespace, in a process of its own.
fn run_router(name: &str) -> TestResult {
    let runtime = Runtime::ALL.into_iter().find(|runtime| format!("{runtime:?}") == name);
    let runtime = runtime.ok_or_else(|| format!("there is no driver {name}"))?;
    let system = rsvp_io::open(SystemOptions { router: true, ..SystemOptions::default() })?;
    let clock = Clock::start();
    let node = Node::new(roomy(true), [1; 32], clock.now());
    // The handle is kept: without one, the driver would end.
    let mut kept = None;
    runtime.run(node, system, clock, |handle| kept = Some(handle))?;
    Ok(())
}

/// The least that a router could do: a frame that comes in on one side goes out on the other.
fn run_forwarder() -> TestResult {
    let (west, east) = (PacketSocket::open("west")?, PacketSocket::open("east")?);
    let mut frame = [0; 2048];
    loop {
        let Some(heard) = west.receive(&mut frame, true)? else { continue };
        if !heard.is_own && frame[12..ETHERNET] == ETHERTYPE {
            east.send(&frame[..heard.length])?;
        }
    }
}

fn roomy(router: bool) -> NodeConfig {
    let mut config = NodeConfig { router, ..config() };
    config.default_interface.bandwidth =
        Some(Bandwidth { total: 1_000_000_000_000, per_flow: 1_000_000, link: 1_000_000_000_000 });
    config
}

/// Until a router is there, the kernel sends Paths on by itself. Each is of another session.
fn wait_for_router(sending: &Host, receiving: &Host, first: u16) -> TestResult {
    let mut port = first;
    wait("the router is there", || {
        sending.announce(session(ip(RECEIVER), port), sender(ip(SENDER), port));
        port += 1;
        let is_router = |hop: RsvpHop| hop.address == ip(ROUTER_EAST);
        receiving
            .look(move |node| node.senders().into_iter().filter_map(|view| view.previous_hop).any(is_router))
    })
}

/// This program, as something else.
fn start(namespace: &Namespace, arguments: &[&str]) -> Result<Process, Box<dyn std::error::Error>> {
    Ok(namespace.spawn(Command::new(std::env::current_exe()?).args(arguments))?)
}

fn host(namespace: &Namespace) -> io::Result<Host> {
    let system = namespace.run(|| rsvp_io::open(SystemOptions::default()).map_err(io::Error::other))?;
    Ok(Host::start(Runtime::Blocking, roomy(false), system))
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) -> TestResult {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > PATIENCE {
            return Err(format!("waited in vain: {what}").into());
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// The load of the machine, as the kernel has it.
fn load() -> io::Result<String> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

fn idle(length: Duration) -> TestResult {
    println!("{SESSIONS} sessions, {} s\n", length.as_secs());
    println!("| driver | CPU, ms | share of a core | load of the machine |");
    println!("|---|---:|---:|---:|");
    for runtime in Runtime::ALL {
        let network = network()?;
        let router = start(&network.r, &["router", &format!("{runtime:?}")])?;
        let (sending, receiving) = (host(&network.a)?, host(&network.b)?);
        wait_for_router(&sending, &receiving, SESSIONS + 1)?;
        let all = usize::from(SESSIONS);
        for port in 1..=SESSIONS {
            sending.announce(session(ip(RECEIVER), port), sender(ip(SENDER), port));
            receiving.reserve(session(ip(RECEIVER), port), ip(RECEIVER));
        }
        wait("every session is reserved", || sending.look(move |node| node.reservations().len() == all))?;
        wait("all are refreshed in summaries", || {
            let is_done = move |neighbor: &NeighborView| {
                neighbor.address == ip(ROUTER_WEST) && neighbor.reduction.summarized >= all
            };
            sending.look(move |node| node.neighbors().iter().any(is_done))
        })?;
        thread::sleep(Duration::from_secs(2));
        let before = router.cpu_time()?;
        thread::sleep(length);
        let used = router.cpu_time()? - before;
        let share = 100.0 * used.as_secs_f64() / length.as_secs_f64();
        let millis = used.as_secs_f64() * 1000.0;
        println!("| {runtime:?} | {millis:.2} | {share:.3} % | {} |", load()?);
        let left = sending.look(|node| node.reservations().len());
        if left != all {
            return Err(format!("only {left} reservations are left").into());
        }
    }
    Ok(())
}

fn latency() -> TestResult {
    println!("{FRAMES} frames, 1 to 2 ms apart; from the one link to the other, in microseconds\n");
    println!("| | median | 90 % | 99 % | most | load of the machine |");
    println!("|---|---:|---:|---:|---:|---:|");
    tell("bare forwarder", bare(&network()?)?)?;
    for runtime in Runtime::ALL {
        tell(&format!("{runtime:?}"), paths(&network()?, runtime)?)?;
    }
    Ok(())
}

fn tell(name: &str, mut times: Vec<Duration>) -> TestResult {
    if times.len() < usize::from(FRAMES) {
        return Err(format!("{name}: only {} frames came across", times.len()).into());
    }
    times.sort();
    let share = |percent: usize| times[(times.len() - 1) * percent / 100].as_micros();
    let [median, high, higher, most] = [50, 90, 99, 100].map(share);
    println!("| {name} | {median} | {high} | {higher} | {most} | {} |", load()?);
    Ok(())
}

/// Between two frames: 1 to 2 ms, never the same twice in a row.
fn pause(number: u16) {
    thread::sleep(Duration::from_micros(1000 + u64::from(number) * 619 % 1000));
}

/// Frames with a number, across the bare forwarder.
fn bare(network: &Network) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
    let _forwarder = start(&network.r, &["forwarder"])?;
    let links = Links::open(&network.r)?;
    let out = network.a.packet_socket("eth0")?;
    thread::sleep(Duration::from_millis(500));
    for number in 1..=FRAMES {
        let mut frame = vec![0xff; 6];
        frame.extend([2, 0, 0, 0, 0, 1]);
        frame.extend(ETHERTYPE);
        frame.extend(number.to_be_bytes());
        // As long as a Path.
        frame.resize(220, 0);
        out.send(&frame)?;
        pause(number);
    }
    links.crossings(|frame| {
        (frame[12..ETHERNET] == ETHERTYPE)
            .then(|| u16::from_be_bytes([frame[ETHERNET], frame[ETHERNET + 1]]))
            .into_iter()
            .collect()
    })
}

/// Paths of new sessions to a destination that the router watches already.
fn paths(network: &Network, runtime: Runtime) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
    let _router = start(&network.r, &["router", &format!("{runtime:?}")])?;
    let (sending, receiving) = (host(&network.a)?, host(&network.b)?);
    wait_for_router(&sending, &receiving, FRAMES + 1)?;
    let links = Links::open(&network.r)?;
    for number in 1..=FRAMES {
        sending.announce(session(ip(RECEIVER), number), sender(ip(SENDER), number));
        pause(number);
    }
    links.crossings(path_numbers)
}

/// The destination ports of the Paths in an Ethernet frame.
fn path_numbers(frame: &[u8]) -> Vec<u16> {
    const IPV4: [u8; 2] = [0x08, 0x00];
    const RSVP: u8 = 46;
    if frame[12..ETHERNET] != IPV4 || frame.get(ETHERNET + 9) != Some(&RSVP) {
        return Vec::new();
    }
    let header = usize::from(frame[ETHERNET] & 0x0f) * 4;
    let length = usize::from(u16::from_be_bytes([frame[ETHERNET + 2], frame[ETHERNET + 3]]));
    let Some(payload) = frame.get(ETHERNET + header..ETHERNET + length) else { return Vec::new() };
    let paths = messages(payload).filter_map(|bytes| {
        let raw = RawMessage::decode(bytes.ok()?).ok()?;
        match Message::parse(&raw, 100).ok()? {
            Message::Path(path) => Some(path.session.key.flow().port),
            _ => None,
        }
    });
    paths.filter(|number| *number <= FRAMES).collect()
}

/// Both sides of the router, with the kernel's timestamps.
struct Links {
    west: PacketSocket,
    east: PacketSocket,
}

impl Links {
    fn open(router: &Namespace) -> Result<Self, Box<dyn std::error::Error>> {
        Ok(Self { west: router.packet_socket("west")?, east: router.packet_socket("east")? })
    }

    /// How long each of what `numbers` finds was on its way from the one to the other, where it crossed both.
    fn crossings(
        &self,
        numbers: impl Fn(&[u8]) -> Vec<u16>,
    ) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
        thread::sleep(Duration::from_millis(500));
        let came = heard(&self.west, false, &numbers)?;
        let left = heard(&self.east, true, &numbers)?;
        let crossed = came.iter().filter_map(|(number, came)| left.get(number)?.checked_sub(*came));
        Ok(crossed.collect())
    }
}

/// When each number was first seen, in one direction.
fn heard(
    socket: &PacketSocket,
    is_own: bool,
    numbers: impl Fn(&[u8]) -> Vec<u16>,
) -> io::Result<BTreeMap<u16, Duration>> {
    let mut times = BTreeMap::new();
    let mut frame = vec![0; 65_536];
    while let Some(heard) = socket.receive(&mut frame, false)? {
        if heard.is_own == is_own && heard.length > ETHERNET + 20 {
            for number in numbers(&frame[..heard.length.min(65_536)]) {
                times.entry(number).or_insert(heard.time);
            }
        }
    }
    Ok(times)
}
