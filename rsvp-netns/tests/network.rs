//! Real namespaces, links and packets.

#![cfg(target_os = "linux")]

use std::io;
use std::net::{IpAddr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use nix::sys::socket::sockopt::{Ipv6MulticastHops, RcvBuf};
use nix::sys::socket::{getsockopt, setsockopt};
use rsvp_netns::{Error, Namespace};

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Whether the process may make namespaces; says so loudly if not, and insists where the environment promises it.
fn is_permitted() -> bool {
    match Namespace::new("probe") {
        Ok(_) => true,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "no namespaces here: {error}");
            eprintln!("SKIPPED: {error}");
            false
        }
    }
}

/// Two hosts and a router between them, both families. Bind all three: one that is dropped takes its links with it.
fn network() -> Result<[Namespace; 3], Error> {
    let [a, r, b] = [Namespace::new("a")?, Namespace::new("r")?, Namespace::new("b")?];
    a.link("eth0", &r, "west")?;
    b.link("eth0", &r, "east")?;
    r.forward()?;
    for (host, side, number) in [(&a, "west", 1), (&b, "east", 2)] {
        let (v4, v6) = (format!("10.99.{number}"), format!("fd99:{number}:"));
        host.address("eth0", ip(&format!("{v4}.2")), 24)?;
        host.address("eth0", ip(&format!("{v6}:2")), 64)?;
        r.address(side, ip(&format!("{v4}.1")), 24)?;
        r.address(side, ip(&format!("{v6}:1")), 64)?;
        host.route(ip("0.0.0.0"), 0, ip(&format!("{v4}.1")))?;
        host.route(ip("::"), 0, ip(&format!("{v6}:1")))?;
        host.wait_for_link("eth0")?;
        r.wait_for_link(side)?;
    }
    Ok([a, r, b])
}

fn receive(from: &UdpSocket) -> io::Result<usize> {
    from.set_read_timeout(Some(Duration::from_millis(1000)))?;
    from.recv(&mut [0; 2000])
}

#[test]
fn packets_cross_a_router_and_are_captured() -> Result<(), Box<dyn std::error::Error>> {
    if !is_permitted() {
        return Ok(());
    }
    let [a, r, b] = network()?;
    let file = std::env::temp_dir().join(format!("rsvp-netns-{}.pcap", std::process::id()));
    let capture = r.capture("east", &file)?;
    for destination in ["10.99.2.2:5000", "[fd99:2::2]:5000"] {
        let receiver = b.run(|| UdpSocket::bind(destination))?;
        let sender =
            a.run(|| UdpSocket::bind(if destination.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" }))?;
        sender.send_to(&[7; 1000], destination)?;
        assert_eq!(receive(&receiver)?, 1000, "to {destination}");
    }
    let statistics = capture.stop()?;
    assert_eq!(statistics.dropped, 0);
    let recorded = std::fs::read(&file)?;
    std::fs::remove_file(&file)?;
    let payloads = recorded.windows(32).filter(|bytes| bytes.iter().all(|byte| *byte == 7)).count();
    // Two datagrams of 1000 bytes, cut to 96 with the Ethernet, IP and UDP headers: 54 and 34 bytes of payload.
    assert_eq!(payloads, (54 - 31) + (34 - 31), "what is kept of two datagrams");
    assert!(statistics.recorded >= 2);
    Ok(())
}

#[test]
fn a_link_goes_down_and_up_and_a_route_away() -> Result<(), Box<dyn std::error::Error>> {
    if !is_permitted() {
        return Ok(());
    }
    let [a, r, b] = network()?;
    let receiver = b.run(|| UdpSocket::bind("10.99.2.2:5000"))?;
    let sender = a.run(|| UdpSocket::bind("0.0.0.0:0"))?;
    r.link_down("east")?;
    sender.send_to(b"lost", "10.99.2.2:5000")?;
    receiver.set_read_timeout(Some(Duration::from_millis(100)))?;
    assert!(receiver.recv(&mut [0; 10]).is_err(), "a packet crossed a link that is down");
    r.link_up("east")?;
    r.wait_for_link("east")?;
    b.wait_for_link("eth0")?;
    sender.send_to(b"again", "10.99.2.2:5000")?;
    assert_eq!(receive(&receiver)?, 5);
    a.unroute(ip("0.0.0.0"), 0)?;
    assert!(sender.send_to(b"no route", "10.99.2.2:5000").is_err());
    Ok(())
}

/// A socket of `host` that has joined a group on its only interface.
fn member(host: &Namespace, group: IpAddr) -> io::Result<UdpSocket> {
    let index = host.index("eth0")?;
    host.run(|| match group {
        IpAddr::V4(group) => {
            let socket = UdpSocket::bind((group, 5000))?;
            socket.join_multicast_v4(&group, &[10, 99, 2, 2].into())?;
            Ok(socket)
        }
        IpAddr::V6(group) => {
            let socket = UdpSocket::bind((group, 5000))?;
            socket.join_multicast_v6(&group, index)?;
            Ok(socket)
        }
    })
}

#[test]
fn a_group_is_forwarded_as_its_entry_says() -> Result<(), Box<dyn std::error::Error>> {
    if !is_permitted() {
        return Ok(());
    }
    let [a, r, b] = network()?;
    for (source, group) in [("10.99.1.2", "239.1.2.3"), ("fd99:1::2", "ff0e::123")] {
        let (source, group) = (ip(source), ip(group));
        let receiver = member(&b, group)?;
        let sender = a.run(|| UdpSocket::bind((source, 0)))?;
        match source {
            IpAddr::V4(_) => sender.set_multicast_ttl_v4(5)?,
            IpAddr::V6(_) => {
                setsockopt(&sender, Ipv6MulticastHops, &5)?;
            }
        }
        let arrives = |expected: bool, when: &str| {
            sender.send_to(b"hello", (group, 5000))?;
            let patience = if expected { 1000 } else { 100 };
            receiver.set_read_timeout(Some(Duration::from_millis(patience)))?;
            assert_eq!(receiver.recv(&mut [0; 10]).is_ok(), expected, "{group} {when}");
            io::Result::Ok(())
        };
        arrives(false, "before there is an entry")?;
        r.multicast_route(Some(source), group, "west", &["east"])?;
        arrives(true, "with an entry")?;
        r.multicast_route(Some(source), group, "west", &[])?;
        arrives(false, "when the entry leads nowhere")?;
        r.multicast_route(Some(source), group, "east", &["west"])?;
        arrives(false, "when it comes in on the wrong side")?;
        r.multicast_unroute(Some(source), group)?;
        r.multicast_route(None, group, "west", &["east"])?;
        arrives(true, "with an entry for every source")?;
        r.multicast_route(None, group, "east", &["west"])?;
        arrives(false, "when an entry for every source expects it on the other side")?;
        r.multicast_unroute(None, group)?;
        arrives(false, "when the entry is gone")?;
    }
    let error = r.multicast_unroute(None, ip("239.1.2.3")).expect_err("it is gone");
    assert!(error.to_string().contains("(*, 239.1.2.3) in r"), "{error}");
    let error =
        r.multicast_route(Some(ip("::1")), ip("239.1.2.3"), "west", &["east"]).expect_err("two families");
    assert!(error.to_string().contains("(::1, 239.1.2.3) from west to east in r"), "{error}");
    Ok(())
}

#[test]
fn a_socket_tells_what_it_had_no_room_for() -> Result<(), Box<dyn std::error::Error>> {
    if !is_permitted() {
        return Ok(());
    }
    let [a, _r, b] = network()?;
    let receiver = b.run(|| UdpSocket::bind("10.99.2.2:5000"))?;
    let sender = a.run(|| UdpSocket::bind("0.0.0.0:0"))?;
    rsvp_netns::socket::enlarge(&receiver)?;
    assert_eq!(rsvp_netns::socket::drops(&receiver)?, 0);
    // The smallest buffer there is holds a packet or two.
    let small = socket_buffer(&receiver, 1)?;
    for _ in 0..50 {
        sender.send_to(&[0; 1000], "10.99.2.2:5000")?;
    }
    receive(&receiver)?;
    receiver.set_nonblocking(true)?;
    let mut received = 1;
    while receiver.recv(&mut [0; 2000]).is_ok() {
        received += 1;
    }
    let dropped = rsvp_netns::socket::drops(&receiver)?;
    assert!(dropped > 0, "{received} received into {small} bytes");
    assert_eq!(received + dropped, 50);
    Ok(())
}

/// Sets the size of a socket's buffer and tells what it has become.
fn socket_buffer(socket: &UdpSocket, bytes: usize) -> io::Result<usize> {
    setsockopt(socket, RcvBuf, &bytes)?;
    Ok(getsockopt(socket, RcvBuf)?)
}

#[test]
fn a_program_runs_inside_and_ends_with_its_handle() -> Result<(), Box<dyn std::error::Error>> {
    if !is_permitted() {
        return Ok(());
    }
    let [a, _r, _b] = network()?;
    let inside = a.run(|| std::fs::read_link("/proc/thread-self/ns/net"))?;
    let mut process = a.spawn(Command::new("sleep").arg("60"))?;
    let process_directory = std::path::PathBuf::from(format!("/proc/{}", process.id()));
    assert_eq!(std::fs::read_link(process_directory.join("ns/net"))?, inside);
    assert_ne!(std::fs::read_link("/proc/self/ns/net")?, inside);
    assert_eq!(process.wait(Duration::from_millis(20))?, None, "still running");
    drop(process);
    assert!(!process_directory.exists(), "killed and reaped");
    Ok(())
}

#[test]
fn mistakes_say_what_and_where() -> Result<(), Box<dyn std::error::Error>> {
    if !is_permitted() {
        return Ok(());
    }
    let [a, r, _b] = network()?;
    let error = a.link("a-name-that-is-too-long", &r, "x").expect_err("an interface name that is too long");
    assert!(error.to_string().contains("cannot link a:a-name-that-is-too-long to r:x"), "{error}");
    let error = a.route(ip("10.0.0.0"), 8, ip("192.0.2.1")).expect_err("a gateway off every link");
    assert!(error.to_string().contains("10.0.0.0/8 via 192.0.2.1 in a"), "{error}");
    assert!(a.capture("eth9", &std::env::temp_dir().join("never")).is_err());
    Ok(())
}

/// Runs a command in a namespace; whether it succeeded, `None` if there is no such command.
fn tool(namespace: &Namespace, program: &str, arguments: &str) -> Option<bool> {
    let mut command = Command::new(program);
    let mut process = namespace.spawn(command.args(arguments.split(' '))).ok()?;
    process.wait(Duration::from_secs(5)).ok()?.map(|status| status.success())
}

#[test]
fn traffic_control_can_be_looked_at() -> Result<(), Box<dyn std::error::Error>> {
    if !is_permitted() {
        return Ok(());
    }
    let [a, _r, _b] = network()?;
    assert_eq!(a.root_qdisc("eth0")?.as_deref(), Some("noqueue"));
    assert_eq!(a.nft_map("none", "such")?, []);
    for arguments in [
        "qdisc add dev eth0 root handle 7: htb default 2",
        "class add dev eth0 parent 7: classid 7:1 htb rate 8mbit",
        "class add dev eth0 parent 7:1 classid 7:2 htb rate 2mbit",
    ] {
        if tool(&a, "tc", arguments).is_none() {
            eprintln!("SKIPPED: there is no tc here to compare with");
            return Ok(());
        }
    }
    assert_eq!(a.root_qdisc("eth0")?.as_deref(), Some("htb"));
    let mut classes: Vec<_> = a.htb_classes("eth0")?.iter().map(|class| (class.id, class.rate)).collect();
    classes.sort_unstable();
    assert_eq!(classes, [(0x7_0001, 1_000_000), (0x7_0002, 250_000)]);
    for arguments in [
        "add table inet t",
        "add map inet t m { type ipv4_addr : classid ; }",
        "add element inet t m { 10.1.2.3 : 7:2 }",
    ] {
        if tool(&a, "nft", arguments).is_none() {
            eprintln!("SKIPPED: there is no nft here to compare with");
            return Ok(());
        }
    }
    assert_eq!(a.nft_map("t", "m")?, [(vec![10, 1, 2, 3], 0x7_0002_u32.to_ne_bytes().to_vec())]);
    Ok(())
}

#[test]
fn everyone_on_a_bridge_hears_a_group() -> Result<(), Box<dyn std::error::Error>> {
    if !is_permitted() {
        return Ok(());
    }
    let lan = Namespace::new("lan")?;
    lan.add_bridge("bridge")?;
    let hosts = [Namespace::new("a")?, Namespace::new("b")?, Namespace::new("c")?];
    for (number, host) in (1..).zip(&hosts) {
        let port = format!("port{number}");
        host.add_link("eth0", &lan, &port)?;
        lan.plug(&port, "bridge")?;
        host.address("eth0", ip(&format!("10.99.2.{number}")), 24)?;
        host.address("eth0", ip(&format!("fd99:2::{number}")), 64)?;
    }
    for host in &hosts {
        host.wait_for_link("eth0")?;
    }
    let [a, b, c] = &hosts;
    for (own, group) in [("10.99.2.1", "239.1.2.3"), ("fd99:2::1", "ff18::123")] {
        // Not even the sender's own host hears what it sends to a group.
        let loud = a.run(|| UdpSocket::bind((ip(own), 5000)))?;
        rsvp_netns::socket::send_to_groups(&loud, ip(own), a.index("eth0")?)?;
        let members = [(b, [10, 99, 2, 2]), (c, [10, 99, 2, 3])].map(|(host, address)| {
            let (index, address) = (host.index("eth0")?, address.into());
            host.run(|| {
                let socket = UdpSocket::bind((ip(group), 5000))?;
                match ip(group) {
                    IpAddr::V4(group) => socket.join_multicast_v4(&group, &address)?,
                    IpAddr::V6(group) => socket.join_multicast_v6(&group, index)?,
                }
                Ok(socket)
            })
        });
        loud.send_to(&[7; 300], (ip(group), 5000))?;
        for member in members {
            assert_eq!(receive(&member?)?, 300, "{group}");
        }
    }
    assert!(
        lan.plug("port1", "nothing").is_err_and(|error| error.to_string().contains("lan:port1 to nothing"))
    );
    Ok(())
}

#[test]
fn an_interface_keeps_the_rate_that_it_is_given() -> Result<(), Box<dyn std::error::Error>> {
    if !is_permitted() {
        return Ok(());
    }
    let [a, _r, b] = network()?;
    a.limit("eth0", 1_000_000)?;
    assert_eq!(a.root_qdisc("eth0")?.as_deref(), Some("tbf"));
    let receiver = b.run(|| UdpSocket::bind("10.99.2.2:5000"))?;
    let sender = a.run(|| UdpSocket::bind("0.0.0.0:0"))?;
    // Far more than bucket and queue hold, at once.
    for _ in 0..200 {
        sender.send_to(&[7; 1000], "10.99.2.2:5000")?;
    }
    let mut arrived = 0;
    while receive(&receiver).is_ok() {
        arrived += 1;
    }
    assert!((4..100).contains(&arrived), "{arrived} of 200 packets found room");
    Ok(())
}

#[test]
fn raw_packets_go_to_a_neighbour_whoever_they_are_for() -> Result<(), Box<dyn std::error::Error>> {
    if !is_permitted() {
        return Ok(());
    }
    const PROTOCOL: u8 = 253;
    let [a, b] = [Namespace::new("a")?, Namespace::new("b")?];
    a.link("eth0", &b, "eth0")?;
    for (namespace, address) in [(&a, "10.99.1.1"), (&b, "10.99.1.2")] {
        namespace.address("eth0", ip(address), 24)?;
        namespace.wait_for_link("eth0")?;
    }
    b.route_here(ip("10.99.0.0"), 16)?;
    let (from, to) =
        (a.raw_socket("eth0", PROTOCOL, &[])?, b.raw_socket("eth0", PROTOCOL, &["239.1.1.1".parse()?])?);
    assert!(b.has_address("eth0", ip("10.99.1.2"))? && !b.has_address("eth0", ip("10.99.7.7"))?);
    for (destination, neighbour) in
        [("10.99.1.2", "10.99.1.2"), ("10.99.7.7", "10.99.1.2"), ("239.1.1.1", "239.1.1.1")]
    {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 9, PROTOCOL, 0, 0, 192, 0, 2, 9];
        packet.extend(destination.parse::<std::net::Ipv4Addr>()?.octets());
        packet.extend(b"text");
        from.send(&packet, neighbour.parse()?)?;
        let mut buffer = [0; 100];
        let heard = (0..1000).find_map(|_| {
            std::thread::sleep(Duration::from_millis(1));
            to.receive(&mut buffer).transpose()
        });
        let (length, time) = heard.ok_or(format!("nothing came to {destination}"))??;
        assert_eq!((length, time.is_zero()), (24, false));
        assert_eq!((&buffer[8..10], &buffer[12..24]), (&packet[8..10], &packet[12..24]));
    }
    assert!(
        a.raw_socket("eth9", PROTOCOL, &[])
            .is_err_and(|error| error.to_string().ends_with("no such interface"))
    );
    Ok(())
}
