//! Measures how many messages are sent in a second of processor time, by how many the loop hands over at once. Those of a batch
//! that leave by the same socket go with one system call. The time is that of the kernel, too, as far as the link's other end.
//!
//! It needs the privilege to make network namespaces; nothing leaves them.
//!
//! ```sh
//! cargo build --release -p rsvp-io --example send_rate
//! sudo target/release/examples/send_rate
//! ```

use std::error::Error;
use std::io;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use rsvp_core::input::Encapsulation;
use rsvp_core::udp::PU;
use rsvp_core::{Input, InterfaceId, Transmit};
use rsvp_driver::{Message, Outside, SendOutcome};
use rsvp_io::{System, SystemOptions};
use rsvp_netns::Namespace;

/// As long as a Path with an ADSPEC.
const LENGTH: usize = 200;
const MESSAGES: usize = 64_000;
/// The best of so many rounds counts: the others were disturbed more.
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let [here, there] = [Namespace::new("here")?, Namespace::new("there")?];
    here.link("eth0", &there, "eth0")?;
    for (namespace, number) in [(&here, 1), (&there, 2)] {
        namespace.address("eth0", format!("10.0.0.{number}").parse()?, 24)?;
        namespace.address("eth0", format!("fd00::{number}").parse()?, 64)?;
        namespace.wait_for_link("eth0")?;
    }
    let mut system = here.run(|| rsvp_io::open(SystemOptions::default()).map_err(io::Error::other))?;
    let mut interface = None;
    system.start(&mut |input| {
        if let Input::Interface(info) = input {
            interface = Some(info.id);
        }
    });
    let interface = interface.ok_or("no interface")?;
    let udp = Encapsulation::Udp { source_port: PU, destination_port: PU };
    println!("| messages per second | 1 at once | 8 | 32 |");
    println!("|---|---:|---:|---:|");
    for (name, addresses, encapsulation) in [
        ("IPv4", ["10.0.0.1", "10.0.0.2"], Encapsulation::Raw),
        ("IPv6", ["fd00::1", "fd00::2"], Encapsulation::Raw),
        ("UDP over IPv4", ["10.0.0.1", "10.0.0.2"], udp),
    ] {
        let mut batch = vec![message(interface, addresses, encapsulation)?; 32];
        let mut times = [Duration::MAX; 3];
        for _ in 0..ROUNDS {
            for (time, size) in times.iter_mut().zip([1, 8, 32]) {
                *time = (*time).min(measure(&mut system, &mut batch[..size])?);
            }
        }
        let rates = times.map(|time| format!("{:.0}", MESSAGES as f64 / time.as_secs_f64()));
        println!("| {name} | {} |", rates.join(" | "));
    }
    if system.transport().counters().send_failed > 0 {
        return Err("messages could not be sent".into());
    }
    system.close();
    Ok(())
}

fn message(
    interface: InterfaceId,
    [source, destination]: [&str; 2],
    encapsulation: Encapsulation,
) -> Result<Message, Box<dyn Error>> {
    let transmit = Transmit {
        interface: Some(interface),
        next_hop: None,
        source: source.parse()?,
        destination: destination.parse()?,
        ttl: 63,
        router_alert: encapsulation == Encapsulation::Raw,
        traffic_class: 0xc0,
        encapsulation,
    };
    Ok(Message { transmit, payload: vec![0; LENGTH] })
}

/// What it takes to send them all in batches like this one.
fn measure(system: &mut System, batch: &mut [Message]) -> Result<Duration, Box<dyn Error>> {
    let start = processor_time()?;
    for _ in 0..MESSAGES / batch.len() {
        if let SendOutcome::Blocked(..) = system.send(batch) {
            return Err("the socket was full".into());
        }
    }
    Ok(processor_time()? - start)
}

/// What this thread has used, so that it does not matter what else the machine does.
fn processor_time() -> nix::Result<Duration> {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from)
}
