//! A network namespace and what can be done in it.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::SigSet;

use crate::capture::Capture;
use crate::multicast::{Flow, Multicast};
use crate::netlink::Hop;
use crate::packet::PacketSocket;
use crate::process::Process;
use crate::raw::RawSocket;
use crate::{Error, HtbClass, InterfaceTraffic, MapElement, kernel, netlink};

/// How long the carrier of a new link may take; the kernel looks once a second at the latest.
const CARRIER: Duration = Duration::from_secs(5);
/// How often to look for it.
const LOOK: Duration = Duration::from_millis(2);

/// A network namespace. It lives as long as this value, a socket or a process in it does.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    handle: File,
    multicast: Mutex<Multicast>,
}

impl Namespace {
    /// Makes a namespace with its loopback interface up, no duplicate address detection (addresses work at once) and
    /// no reverse path filter.
    ///
    /// `name` is for messages only; two may have the same.
    ///
    /// # Errors
    ///
    /// The process may not make namespaces ([`Error::is_permission`]), or the kernel cannot.
    pub fn new(name: &str) -> Result<Self, Error> {
        let failed = |source| Error::new(format!("cannot make the network namespace {name}"), source);
        let handle = on_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            File::open("/proc/thread-self/ns/net")
        })
        .map_err(failed)?;
        let namespace = Self { name: name.to_owned(), handle, multicast: Mutex::default() };
        for family in ["all", "default"] {
            namespace.sysctl(&format!("net/ipv4/conf/{family}/rp_filter"), "0")?;
            namespace.sysctl_if_present(&format!("net/ipv6/conf/{family}/accept_dad"), "0")?;
            namespace.sysctl_if_present(&format!("net/ipv6/conf/{family}/accept_ra"), "0")?;
        }
        namespace.link_up("lo")?;
        Ok(namespace)
    }

    /// The namespace that the calling thread is in, as it is.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn current(name: &str) -> Result<Self, Error> {
        let failed = |source| Error::new(format!("cannot open the network namespace {name}"), source);
        let handle = File::open("/proc/thread-self/ns/net").map_err(failed)?;
        Ok(Self { name: name.to_owned(), handle, multicast: Mutex::default() })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `work` on a thread inside the namespace. Sockets opened there stay there and may be used anywhere.
    ///
    /// # Panics
    ///
    /// If `work` panics.
    ///
    /// # Errors
    ///
    /// What `work` returns, or why the namespace cannot be entered.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        on_thread(|| {
            setns(&self.handle, CloneFlags::CLONE_NEWNET)?;
            work()
        })
    }

    /// Starts a program inside the namespace. It is killed when the returned value is dropped.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub fn spawn(&self, command: &mut Command) -> Result<Process, Error> {
        let what = format!("cannot start {} in {}", command.get_program().display(), self.name);
        let spawn = || {
            // A program starts with the signals blocked that the thread has blocked which starts it.
            SigSet::all().thread_unblock()?;
            command.spawn()
        };
        let child = self.run(spawn).map_err(|source| Error::new(what, source))?;
        Ok(Process::new(child))
    }

    /// Sets a kernel parameter of the namespace; `name` is the path below `/proc/sys`, with slashes.
    ///
    /// # Errors
    ///
    /// There is no such parameter, or it cannot be set.
    pub fn sysctl(&self, name: &str, value: &str) -> Result<(), Error> {
        let path = Path::new("/proc/sys").join(name);
        self.run(|| fs::write(path, value))
            .map_err(|source| Error::new(format!("cannot set {name} to {value} in {}", self.name), source))
    }

    fn sysctl_if_present(&self, name: &str, value: &str) -> Result<(), Error> {
        match self.sysctl(name, value) {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }

    /// Makes it a router: forwards IPv4 and IPv6.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn forward(&self) -> Result<(), Error> {
        self.sysctl("net/ipv4/ip_forward", "1")?;
        self.sysctl_if_present("net/ipv6/conf/all/forwarding", "1")
    }

    /// Connects `interface` here with `peer_interface` in `peer` by a veth pair, and waits until it carries packets.
    ///
    /// # Errors
    ///
    /// A name is taken or too long, or the kernel has no veth.
    pub fn link(&self, interface: &str, peer: &Self, peer_interface: &str) -> Result<(), Error> {
        self.add_link(interface, peer, peer_interface)?;
        self.wait_for_link(interface)?;
        peer.wait_for_link(peer_interface)
    }

    /// Like [`link`](Self::link), but does not wait: several links take no longer than one if
    /// [`wait_for_link`](Self::wait_for_link) comes after all are made.
    ///
    /// # Errors
    ///
    /// As for [`link`](Self::link).
    pub fn add_link(&self, interface: &str, peer: &Self, peer_interface: &str) -> Result<(), Error> {
        self.run(|| netlink::add_veth(interface, &peer.handle, peer_interface)).map_err(|source| {
            let ends = format!("{}:{interface} to {}:{peer_interface}", self.name, peer.name);
            Error::new(format!("cannot link {ends}"), source)
        })?;
        self.link_up(interface)?;
        peer.link_up(peer_interface)
    }

    /// Waits until an interface carries packets, and its IPv6 addresses are usable. The kernel drops everything until
    /// some time, up to a second, after it has seen a carrier, and makes the addresses usable a little later.
    ///
    /// # Errors
    ///
    /// There is no such interface, or no carrier.
    pub fn wait_for_link(&self, interface: &str) -> Result<(), Error> {
        let end = Instant::now() + CARRIER;
        let wait = || {
            while !netlink::is_usable(interface)? {
                if Instant::now() > end {
                    return Err(io::Error::from(io::ErrorKind::TimedOut));
                }
                thread::sleep(LOOK);
            }
            Ok(())
        };
        self.run(wait).map_err(|source| {
            Error::new(format!("the link at {}:{interface} does not come up", self.name), source)
        })
    }

    /// Makes `bridge` here, a switch for the interfaces that [`plug`](Self::plug) connects to it. It passes what goes
    /// to a group on to all of them.
    ///
    /// # Errors
    ///
    /// The name is taken or too long, or the kernel has no bridge.
    pub fn add_bridge(&self, bridge: &str) -> Result<(), Error> {
        self.run(|| netlink::add_bridge(bridge))
            .map_err(|source| Error::new(format!("cannot make the bridge {}:{bridge}", self.name), source))?;
        self.link_up(bridge)
    }

    /// Connects an interface here to a bridge here.
    ///
    /// # Errors
    ///
    /// There is no such bridge or interface.
    pub fn plug(&self, interface: &str, bridge: &str) -> Result<(), Error> {
        self.run(|| netlink::add_port(bridge, interface)).map_err(|source| {
            Error::new(format!("cannot connect {}:{interface} to {bridge}", self.name), source)
        })
    }

    /// Sets an interface up.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn link_up(&self, interface: &str) -> Result<(), Error> {
        self.set_up(interface, true)
    }

    /// Sets an interface down. The kernel removes the routes through it, and of IPv6 the addresses too.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn link_down(&self, interface: &str) -> Result<(), Error> {
        self.set_up(interface, false)
    }

    fn set_up(&self, interface: &str, up: bool) -> Result<(), Error> {
        let direction = if up { "up" } else { "down" };
        self.run(|| netlink::set_up(interface, up))
            .map_err(|source| Error::new(format!("cannot set {}:{interface} {direction}", self.name), source))
    }

    /// Removes an interface, and its peer with it.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn unlink(&self, interface: &str) -> Result<(), Error> {
        self.run(|| netlink::remove_link(interface))
            .map_err(|source| Error::new(format!("cannot remove {}:{interface}", self.name), source))
    }

    /// Gives an interface an address.
    ///
    /// # Errors
    ///
    /// There is no such interface, or it has the address.
    pub fn address(&self, interface: &str, address: IpAddr, prefix_length: u8) -> Result<(), Error> {
        self.run(|| netlink::add_address(interface, address, prefix_length)).map_err(|source| {
            let what = format!("cannot add address {address}/{prefix_length} to {}:{interface}", self.name);
            Error::new(what, source)
        })
    }

    /// Adds a route, or replaces the one to the same destination.
    ///
    /// # Errors
    ///
    /// The gateway cannot be reached directly.
    pub fn route(&self, destination: IpAddr, prefix_length: u8, gateway: IpAddr) -> Result<(), Error> {
        self.run(|| netlink::replace_route(destination, prefix_length, Hop::Gateway(gateway))).map_err(
            |source| {
                let what =
                    format!("cannot route {destination}/{prefix_length} via {gateway} in {}", self.name);
                Error::new(what, source)
            },
        )
    }

    /// Whether an interface has an address.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn has_address(&self, interface: &str, address: IpAddr) -> Result<bool, Error> {
        self.run(|| netlink::has_address(interface, address))
            .map_err(|source| Error::new(format!("cannot see the addresses of {}", self.name), source))
    }

    /// Adds a route to what is on an interface's own link, or replaces the one to the same destination.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn route_on_link(
        &self,
        destination: IpAddr,
        prefix_length: u8,
        interface: &str,
    ) -> Result<(), Error> {
        self.run(|| netlink::replace_route(destination, prefix_length, Hop::OnLink(interface))).map_err(
            |source| {
                let what = format!("cannot route {destination}/{prefix_length} to {}:{interface}", self.name);
                Error::new(what, source)
            },
        )
    }

    /// Has the namespace take packets to these addresses for its own, unless a longer prefix leads elsewhere.
    ///
    /// # Errors
    ///
    /// It is no prefix.
    pub fn route_here(&self, destination: IpAddr, prefix_length: u8) -> Result<(), Error> {
        self.run(|| netlink::replace_route(destination, prefix_length, Hop::Here)).map_err(|source| {
            Error::new(format!("cannot take in {destination}/{prefix_length} in {}", self.name), source)
        })
    }

    /// Removes a route.
    ///
    /// # Errors
    ///
    /// There is no such route.
    pub fn unroute(&self, destination: IpAddr, prefix_length: u8) -> Result<(), Error> {
        self.run(|| netlink::remove_route(destination, prefix_length)).map_err(|source| {
            Error::new(
                format!("cannot remove the route {destination}/{prefix_length} in {}", self.name),
                source,
            )
        })
    }

    /// Forwards what `source` sends to `group`, or, if it is `None`, what anyone sends: packets that arrive by
    /// `incoming` leave by each interface in `outgoing`, those that arrive otherwise are dropped. An entry for the same
    /// source and group is replaced. With the first entry of a family the namespace becomes a multicast router of that
    /// family, for as long as this value lives.
    ///
    /// # Errors
    ///
    /// There is no such interface, or another process is the multicast router of the namespace.
    pub fn multicast_route(
        &self,
        source: Option<IpAddr>,
        group: IpAddr,
        incoming: &str,
        outgoing: &[&str],
    ) -> Result<(), Error> {
        let index = |interface: &str| Ok::<_, io::Error>(netlink::index(interface)?.cast_unsigned());
        let add = || {
            let outgoing = outgoing.iter().map(|name| index(name)).collect::<Result<Vec<_>, _>>()?;
            let mut multicast = self.multicast.lock().unwrap_or_else(PoisonError::into_inner);
            multicast.add(Flow::new(source, group)?, index(incoming)?, &outgoing)
        };
        self.run(add).map_err(|error| {
            let flow = in_words(source, group);
            let what =
                format!("cannot forward {flow} from {incoming} to {} in {}", outgoing.join(", "), self.name);
            Error::new(what, error)
        })
    }

    /// Removes a multicast forwarding entry.
    ///
    /// # Errors
    ///
    /// There is no such entry.
    pub fn multicast_unroute(&self, source: Option<IpAddr>, group: IpAddr) -> Result<(), Error> {
        let remove = || {
            let mut multicast = self.multicast.lock().unwrap_or_else(PoisonError::into_inner);
            multicast.remove(Flow::new(source, group)?)
        };
        self.run(remove).map_err(|error| {
            let what = format!("cannot stop forwarding {} in {}", in_words(source, group), self.name);
            Error::new(what, error)
        })
    }

    /// The number of an interface.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn index(&self, interface: &str) -> Result<u32, Error> {
        self.run(|| Ok(netlink::index(interface)?.cast_unsigned()))
            .map_err(|source| Error::new(format!("cannot find {}:{interface}", self.name), source))
    }

    /// The kind of an interface's root queueing discipline; `None` if it has none.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn root_qdisc(&self, interface: &str) -> Result<Option<String>, Error> {
        self.run(|| kernel::root_qdisc(interface)).map_err(|source| {
            Error::new(format!("cannot read the queueing discipline of {}:{interface}", self.name), source)
        })
    }

    /// Gives an interface a rate, in bits per second, in place of its root queueing discipline.
    ///
    /// # Errors
    ///
    /// There is no such interface, or the kernel has no token bucket filter.
    pub fn limit(&self, interface: &str, rate: u64) -> Result<(), Error> {
        self.run(|| kernel::limit(interface, rate / 8)).map_err(|source| {
            Error::new(format!("cannot give {}:{interface} {rate} bit/s", self.name), source)
        })
    }

    /// What has passed an interface so far.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn traffic(&self, interface: &str) -> Result<InterfaceTraffic, Error> {
        self.run(|| kernel::traffic(interface)).map_err(|source| {
            Error::new(format!("cannot read what has passed {}:{interface}", self.name), source)
        })
    }

    /// The HTB classes of an interface.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn htb_classes(&self, interface: &str) -> Result<Vec<HtbClass>, Error> {
        self.run(|| kernel::htb_classes(interface)).map_err(|source| {
            Error::new(format!("cannot read the classes of {}:{interface}", self.name), source)
        })
    }

    /// Keys and values of an nftables map of the `inet` family; empty if there is no such map.
    ///
    /// # Errors
    ///
    /// The kernel has no nftables.
    pub fn nft_map(&self, table: &str, map: &str) -> Result<Vec<MapElement>, Error> {
        self.run(|| kernel::nft_map(table, map)).map_err(|source| {
            Error::new(format!("cannot read the nftables map {table} {map} in {}", self.name), source)
        })
    }

    /// Opens a socket for whole frames on an interface.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn packet_socket(&self, interface: &str) -> Result<PacketSocket, Error> {
        self.run(|| PacketSocket::open(interface)).map_err(|source| {
            Error::new(format!("cannot open a packet socket on {}:{interface}", self.name), source)
        })
    }

    /// Opens a socket that hears the IPv4 packets of a protocol that come by an interface for this namespace, or for groups
    /// that it joins there. It may be used anywhere.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn raw_socket(&self, interface: &str, protocol: u8, groups: &[Ipv4Addr]) -> Result<RawSocket, Error> {
        self.run(|| RawSocket::open(interface, protocol, groups)).map_err(|source| {
            Error::new(format!("cannot open a raw socket on {}:{interface}", self.name), source)
        })
    }

    /// Records what passes an interface, in both directions, in a pcap file: RSVP messages whole, of everything else
    /// the headers.
    ///
    /// # Errors
    ///
    /// There is no such interface, or the file cannot be written.
    pub fn capture(&self, interface: &str, file: &Path) -> Result<Capture, Error> {
        self.run(|| Capture::start(interface, file)).map_err(|source| {
            Error::new(format!("cannot capture {}:{interface} to {}", self.name, file.display()), source)
        })
    }
}

/// A multicast flow as messages spell it.
fn in_words(source: Option<IpAddr>, group: IpAddr) -> String {
    source.map_or_else(|| format!("(*, {group})"), |source| format!("({source}, {group})"))
}

fn on_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| match scope.spawn(work).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
