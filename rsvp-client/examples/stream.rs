//! An application that reserves for its own UDP stream, of 100 packets of 1000 bytes a second. Each of its ends asks the RSVP
//! daemon of its machine, and prints what that tells.
//!
//! On the receiver's machine, and on the sender's:
//!
//! ```sh
//! cargo run -p rsvp-client --example stream -- receive 192.0.2.7:5004 10
//! cargo run -p rsvp-client --example stream -- send 192.0.2.7:5004 20
//! ```
//!
//! The sender sends for so many seconds, and the receiver leaves so many seconds after his reservation was admitted. The
//! environment variable `RSVP_SOCKET` names the daemon's socket, where it is another than the usual one.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use rsvp_client::api::{
    ApplicationState, Flowspec, ReservationRequest, SenderRequest, Session, Style, Tspec, Update,
};
use rsvp_client::{Client, default_socket};
use tokio::net::UdpSocket;
use tokio::time::{Instant, interval, sleep_until};

type Fallible<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: stream send|receive ADDRESS:PORT SECONDS";

/// From one packet to the next.
const PERIOD: Duration = Duration::from_millis(10);
const PAYLOAD: [u8; 1000] = [0; 1000];

/// What the network is told of it, in bits per second: the packets with their headers of UDP and IP, and some room.
const RATE: u64 = 1_000_000;

/// How long the receiver waits for a sender, and for all routers to admit the reservation.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [role, destination, seconds] = &arguments[..] else { return Err(USAGE.into()) };
    let (destination, time) = (destination.parse()?, Duration::from_secs(seconds.parse()?));
    let client = Client::connect(default_socket()).await?;
    match role.as_str() {
        "send" => send(&client, destination, time).await,
        "receive" => receive(&client, destination, time).await,
        _ => Err(USAGE.into()),
    }
}

/// Sends, whether somebody has reserved or not: until then the packets are best effort.
async fn send(client: &Client, destination: SocketAddr, time: Duration) -> Fallible<()> {
    let any: IpAddr = match destination {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(destination).await?;
    // Routers tell the flow by these.
    let own = socket.local_addr()?;
    let session = Session::udp(destination.ip(), destination.port());
    let mut request = SenderRequest::new(session, Tspec::of_rate(RATE));
    (request.source, request.source_port) = (Some(own.ip()), Some(own.port()));
    let mut held = client.send(&request).await?;
    println!("sending from {own} to {destination}");

    let end = Instant::now() + time;
    let (mut ticks, mut was_reserved) = (interval(PERIOD), false);
    loop {
        tokio::select! {
            () = sleep_until(end) => break,
            // Nobody may listen yet; then the receiver's machine says so, and the next packet fails.
            _ = ticks.tick() => drop(socket.send(&PAYLOAD).await),
            update = held.next() => {
                let update = update?.ok_or("the daemon has withdrawn the sender")?;
                println!("{}", update.text);
                was_reserved |= update.application.state == ApplicationState::Reserved;
            }
        }
    }
    held.release().await?;
    if was_reserved { Ok(()) } else { Err("nobody has reserved".into()) }
}

/// Reserves for whoever sends here.
async fn receive(client: &Client, destination: SocketAddr, time: Duration) -> Fallible<()> {
    let socket = UdpSocket::bind(destination).await?;
    let session = Session::udp(destination.ip(), destination.port());
    let flowspec = Flowspec::ControlledLoad(Tspec::of_rate(RATE));
    let request = ReservationRequest::new(session, Style::Wf, flowspec).confirmed();
    let mut held = client.reserve(&request).await?;
    println!("listening at {destination}");

    let limit = Instant::now() + PATIENCE;
    let (mut end, mut count) = (None, 0);
    let mut buffer = [0; PAYLOAD.len()];
    loop {
        tokio::select! {
            () = sleep_until(end.unwrap_or(limit)) => break,
            received = socket.recv(&mut buffer) => {
                received?;
                count += usize::from(end.is_some());
            }
            update = held.next() => {
                let Update { application, text, .. } = update?.ok_or("the daemon has withdrawn the reservation")?;
                println!("{text}");
                match application.state {
                    ApplicationState::Admitted => end = end.or(Some(Instant::now() + time)),
                    ApplicationState::Refused => return Err("the reservation was refused".into()),
                    _ => {}
                }
            }
        }
    }
    held.release().await?;
    if end.is_none() {
        return Err(format!("no sender within {PATIENCE:?}").into());
    }
    println!("{count} packets have come since the path has kept a place for them");
    if count == 0 { Err("nothing has come".into()) } else { Ok(()) }
}
