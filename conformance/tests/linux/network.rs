//! Two hosts on one link; the sending one has traffic control.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use rsvp_core::input::Encapsulation;
use rsvp_core::output::{Installation, InstallationId, PoliceFlags};
use rsvp_core::wire::{FilterSpec, FlowKey, Flowspec, Tspec};
use rsvp_core::{Input, InterfaceId, Request, SessionKey, Transmit};
use rsvp_driver::{Message, Outside, SendOutcome, Source};
use rsvp_io::{Carrier, System, SystemOptions};
use rsvp_netns::Namespace;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(5);
/// The handle of the queueing discipline, and its fixed classes (`rsvp_io`).
const HANDLE: u32 = 0x5256_0000;
/// RSVP's own messages.
pub(crate) const PROTECTED: u32 = 2;
/// What has no reservation.
pub(crate) const BEST_EFFORT: u32 = 3;
/// The first reservation's.
pub(crate) const FIRST: u32 = 16;

/// The sending host's addresses.
pub(crate) const S1: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
pub(crate) const S2: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);
/// The receiving host.
pub(crate) const G: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 9);
/// Bytes of an IP packet that [`Network::send`] sends.
pub(crate) const PACKET: usize = 1000;

pub(crate) struct Network {
    here: Namespace,
    there: Namespace,
    system: System,
    interface: InterfaceId,
}

/// What no test here goes beyond: r of 1 kB/s, b of 5 kB, packets of m = 1000 to M = 1500 bytes.
pub(crate) const TSPEC: Tspec =
    Tspec { rate: 1000.0, bucket: 5000.0, peak: f32::INFINITY, min_unit: PACKET as u32, max_packet: 1500 };

impl Network {
    /// The network, with a link of so many bytes per second; `None`, said loudly, where the process may not make one.
    pub(crate) fn new(link: u64) -> Option<Self> {
        let here = match Namespace::new("sender") {
            Ok(here) => here,
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "no namespaces here: {error}");
                eprintln!("SKIPPED: {error}");
                return None;
            }
        };
        let there = Namespace::new("receiver").expect("as the first");
        // The kernel sends IPv6 messages of its own accord, which would be counted.
        for namespace in [&here, &there] {
            let quiet = || std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
            namespace.run(quiet).expect("a setting of the namespace");
        }
        // What tells of the node's groups would be counted among the packets.
        for setting in ["ipv4/igmp_link_local_mcast_reports=0", "ipv6/conf/default/disable_ipv6=1"] {
            let (name, value) = setting.split_once('=').expect("a setting");
            here.sysctl(&format!("net/{name}"), value).expect("the kernel has it");
        }
        here.link("eth0", &there, "eth0").expect("a link");
        for (namespace, addresses) in [(&here, &[S1, S2][..]), (&there, &[G])] {
            for address in addresses {
                namespace.address("eth0", (*address).into(), 24).expect("an address");
            }
        }
        for namespace in [&here, &there] {
            namespace.wait_for_link("eth0").expect("a carrier");
        }
        let options = SystemOptions {
            link_rates: [("eth0".to_owned(), link)].into(),
            carrier: Carrier::Raw,
            ..SystemOptions::default()
        };
        let mut system =
            here.run(|| rsvp_io::open(options).map_err(std::io::Error::other)).expect("what a system needs");
        let mut interface = None;
        system.start(&mut |input| {
            if let Input::Interface(info) = input {
                interface = Some(info.id);
            }
        });
        let interface = interface.expect("eth0");
        let network = Self { here, there, system, interface };
        network.settle();
        Some(network)
    }

    /// A reservation for a session of the receiving host, from one sender on a port.
    pub(crate) fn reservation(&self, id: u64, port: u16, sender: (Ipv4Addr, u16)) -> Installation {
        Installation {
            id: InstallationId(id),
            interface: self.interface,
            session: SessionKey::Ip(FlowKey { destination: G.into(), protocol: 17, port }),
            filters: vec![FilterSpec::Ip { source: sender.0.into(), port: sender.1 }],
            flowspec: Flowspec::ControlledLoad(TSPEC),
            sender_tspec: None,
            police: PoliceFlags::ENTRY,
            buffer: None,
            discards: false,
        }
    }

    /// Has it installed, and waits until it is.
    pub(crate) fn install(&mut self, installation: Installation) {
        let id = installation.id;
        self.system.request(Request::Install(installation), &mut |_| ());
        let start = Instant::now();
        let mut is_installed = false;
        while !is_installed {
            assert!(start.elapsed() < PATIENCE, "the kernel does not answer");
            std::thread::sleep(Duration::from_millis(2));
            let mut outcome = None;
            let sources = self.system.sources().expect("descriptors").len();
            for source in (0..sources).map(Source) {
                let read = self.system.read(source, 16, &mut |input| {
                    if let Input::Installed(answered, result) = input {
                        outcome = Some((answered, result));
                    }
                });
                assert!(read.is_ok(), "{read:?}");
            }
            if let Some((answered, result)) = outcome {
                assert_eq!((answered, result), (id, Ok(())));
                is_installed = true;
            }
        }
    }

    /// A socket that takes what comes to a port of the receiving host.
    pub(crate) fn receiver(&self, port: u16) -> UdpSocket {
        let socket = self.there.run(|| UdpSocket::bind((G, port))).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(300))).expect("a time");
        socket
    }

    /// A socket of the sending host.
    pub(crate) fn sender(&self, from: (Ipv4Addr, u16)) -> UdpSocket {
        self.here.run(|| UdpSocket::bind(from)).expect("a socket")
    }

    /// Sends so many packets of [`PACKET`] bytes at once.
    pub(crate) fn send(&self, from: (Ipv4Addr, u16), port: u16, packets: usize) {
        let socket = self.sender(from);
        for _ in 0..packets {
            match socket.send_to(&[0; PACKET - 28], (G, port)) {
                // So a local sender is told that its packet was discarded.
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
                result => assert!(result.is_ok(), "{result:?}"),
            }
        }
    }

    /// How many packets have left by a class.
    pub(crate) fn left_by(&self, class: u32) -> u64 {
        let classes = self.here.htb_classes("eth0").expect("classes");
        classes.iter().find(|found| found.id == HANDLE | class).map_or(0, |found| found.packets)
    }

    /// The rate that a class is sure of, in bytes per second.
    pub(crate) fn rate_of(&self, class: u32) -> u64 {
        let classes = self.here.htb_classes("eth0").expect("classes");
        classes.iter().find(|found| found.id == HANDLE | class).map_or(0, |found| found.rate)
    }

    /// Waits until so many packets have left by a class.
    pub(crate) fn wait_for(&self, class: u32, packets: u64) {
        let start = Instant::now();
        while self.left_by(class) < packets {
            let left = self.left_by(class);
            assert!(
                start.elapsed() < PATIENCE,
                "{left} packets and not {packets} have left by class {class}"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Sends an RSVP message to the receiving host.
    pub(crate) fn send_message(&mut self) {
        let transmit = Transmit {
            interface: Some(self.interface),
            next_hop: None,
            source: IpAddr::from(S1),
            destination: IpAddr::from(G),
            ttl: 64,
            router_alert: false,
            encapsulation: Encapsulation::Raw,
            traffic_class: 48 << 2,
        };
        let sent = self.system.send(&mut [Message { transmit, payload: vec![0; 200] }]);
        assert_eq!((sent, self.system.transport().counters().send_failed), (SendOutcome::Sent, 0));
    }

    /// Waits until the interface is taken over, and has the two hosts know each other's link addresses: then no packet
    /// waits for either, or is lost.
    fn settle(&self) {
        let start = Instant::now();
        while self.rate_of(BEST_EFFORT) == 0 {
            assert!(start.elapsed() < PATIENCE, "the interface is not taken over");
            std::thread::sleep(Duration::from_millis(2));
        }
        let receiver = self.receiver(7);
        for source in [S1, S2] {
            let sender = self.sender((source, 7));
            let is_heard = || {
                sender.send_to(&[0], (G, 7)).expect("sent");
                receiver.recv(&mut [0]).is_ok()
            };
            assert!((0..10).any(|_| is_heard()), "no packet of {source} arrives");
        }
    }
}

/// How many datagrams come until nothing has come for a while.
pub(crate) fn count(socket: &UdpSocket) -> usize {
    std::iter::from_fn(|| socket.recv(&mut [0; 4096]).ok()).count()
}
