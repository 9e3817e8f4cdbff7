//! Prints the RSVP messages that reach this machine, or pass through it if it is told to be a router.
//!
//! It takes messages in transit off the network without sending them on: not for a network in use.
//!
//! ```sh
//! cargo build -p rsvp-io --example listen
//! sudo target/debug/examples/listen            # as a host
//! sudo target/debug/examples/listen router
//! ```

use std::error::Error;
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rsvp_core::Input;
use rsvp_core::input::Datagram;
use rsvp_core::wire::{Head, Message, RawMessage, messages};
use rsvp_driver::{Outside, ReadOutcome, Source};
use rsvp_io::{System, SystemOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let router = std::env::args().nth(1).is_some_and(|argument| argument == "router");
    let mut system = rsvp_io::open(SystemOptions { router, ..SystemOptions::default() })?;
    for diagnostic in system.diagnostics() {
        eprintln!("{diagnostic}");
    }
    system.start(&mut print);
    loop {
        for source in wait(&system)? {
            while system.read(source, 64, &mut print)? == ReadOutcome::More {}
        }
    }
}

/// The sources that are readable, once there are any.
fn wait(system: &System) -> Result<Vec<Source>, Box<dyn Error>> {
    let sources = system.sources()?;
    let mut fds: Vec<_> = sources.iter().map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN)).collect();
    poll(&mut fds, PollTimeout::NONE)?;
    let ready = fds.iter().enumerate().filter(|(_, fd)| fd.any() == Some(true));
    Ok(ready.map(|(number, _)| Source(number)).collect())
}

fn print(input: Input<'_>) {
    match input {
        Input::Interface(info) => println!("interface {info:?}"),
        Input::InterfaceRemoved(id) => println!("interface {} is gone", id.0),
        Input::Datagram(datagram) => print_message(&datagram),
        _ => {}
    }
}

fn print_message(datagram: &Datagram<'_>) {
    let Datagram { source, destination, ttl, payload, .. } = datagram;
    println!("{source} -> {destination}, TTL {ttl:?}, {} bytes", payload.len());
    for bytes in messages(payload) {
        match bytes.and_then(|bytes| Ok((Head::split(bytes)?.0, RawMessage::decode(bytes)?))) {
            Ok((head, raw)) => println!("{head:#?}\n{:#?}", Message::parse(&raw, 100)),
            Err(error) => println!("damaged: {error}"),
        }
    }
}
