//! Three nodes on real links that have nothing but packet sockets.

use std::io;
use std::net::IpAddr;

use rsvp_core::event::Upcall;
use rsvp_core::{Node, NodeConfig};
use rsvp_driver::Parts;
use rsvp_driver_contract::{Host, Runtime, config, sender, session};
use rsvp_io::{InterfaceSelection, KernelRouting, KernelTrafficControl, PacketSockets};
use rsvp_netns::{Error, Namespace};

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Hosts, and a router between them.
fn network() -> Result<[Namespace; 3], Error> {
    let [a, r, b] = [Namespace::new("a")?, Namespace::new("r")?, Namespace::new("b")?];
    r.forward()?;
    for (host, side, number) in [(&a, "west", 1), (&b, "east", 2)] {
        host.link("eth0", &r, side)?;
        for (prefix, length, everywhere) in [("10.1.", 24, "0.0.0.0"), ("fd01::", 112, "::")] {
            let address = |last| match length {
                24 => ip(&format!("{prefix}{number}.{last}")),
                _ => ip(&format!("{prefix}{number}:{last}")),
            };
            host.address("eth0", address(2), length)?;
            r.address(side, address(1), length)?;
            host.route(ip(everywhere), 0, address(1))?;
        }
        host.wait_for_link("eth0")?;
        r.wait_for_link(side)?;
    }
    Ok([a, r, b])
}

fn start(namespace: &Namespace, router: bool, runtime: Runtime) -> Host {
    let outside = namespace.run(|| {
        Parts::new(
            PacketSockets::open(router).map_err(io::Error::other)?,
            KernelRouting::open(router, InterfaceSelection::All).map_err(io::Error::other)?,
            KernelTrafficControl::open([].into()).map_err(io::Error::other)?,
        )
    });
    Host::start(runtime, NodeConfig { router, ..config() }, outside.expect("all that it needs"))
}

fn a_reservation_stands_and_is_torn_down(runtime: Runtime) {
    let [a, r, b] = match network() {
        Ok(namespaces) => namespaces,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "no namespaces here: {error}");
            eprintln!("SKIPPED: {error}");
            return;
        }
    };
    for (source, destination) in [("10.1.1.2", "10.1.2.2"), ("fd01::1:2", "fd01::2:2")] {
        let mut sending = start(&a, false, runtime);
        let router = start(&r, true, runtime);
        let mut receiving = start(&b, false, runtime);
        let session = session(ip(destination), 5004);
        receiving.reserve(session, ip(destination));
        sending.announce(session, sender(ip(source), 5000));
        sending.upcall("a reservation", |upcall| matches!(upcall, Upcall::Resv { .. }));
        receiving.upcall("its confirmation", |upcall| matches!(upcall, Upcall::Confirmed { .. }));
        assert_eq!(router.look(Node::installed).len(), 1);
        receiving.shut_down().expect("no error");
        sending.upcall("its end", |upcall| matches!(upcall, Upcall::ResvGone { .. }));
        router.shut_down().expect("no error");
        sending.shut_down().expect("no error");
    }
}

#[test]
fn blocking() {
    a_reservation_stands_and_is_torn_down(Runtime::Blocking);
}

#[test]
fn tokio() {
    a_reservation_stands_and_is_torn_down(Runtime::Tokio);
}
