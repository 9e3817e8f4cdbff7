//! Reserves 1 Mbit/s for everything that is sent to a UDP address of this host, and keeps it for ten seconds.
//!
//! `cargo run -p rsvp-client --example reserve -- 192.0.2.7:5004`

use std::net::SocketAddr;
use std::time::Duration;

use rsvp_client::api::{Flowspec, ReservationRequest, Session, Style, Tspec};
use rsvp_client::{Client, Outcome, default_socket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let destination: SocketAddr = std::env::args().nth(1).ok_or("usage: reserve ADDRESS:PORT")?.parse()?;
    let client = Client::connect(default_socket()).await?;

    let session = Session::udp(destination.ip(), destination.port());
    let flowspec = Flowspec::ControlledLoad(Tspec::of_rate(1_000_000));
    let request = ReservationRequest::new(session, Style::Wf, flowspec).confirmed();
    let mut held = client.reserve(&request).await?;

    match held.outcome(Duration::from_secs(60)).await? {
        Outcome::Admitted { .. } => println!("admitted: the path keeps 1 Mbit/s for {session}"),
        Outcome::Refused(error) => return Err(format!("refused by {}: {}", error.node, error.text).into()),
        Outcome::TimedOut(state) => return Err(format!("no answer within a minute: {state}").into()),
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    held.release().await?;
    Ok(())
}
