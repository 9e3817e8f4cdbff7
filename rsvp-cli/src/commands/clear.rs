//! `clear`: protocol state is removed, and comes back if somebody still wants it.

use std::net::IpAddr;

use rsvp_client::api::Session;

use super::{Failure, SocketArgs, block_on, print_line};
use crate::endpoint::parse_protocol;

/// Arguments of `clear`.
#[derive(clap::Args)]
#[command(after_help = "\
Path and reservation state is torn down towards all neighbours. What local applications and the configuration asked \
for is announced again at once; the rest comes back with the neighbours' next refreshes.

Examples:
  rsvp-cli clear                              all sessions
  rsvp-cli clear -d 192.0.2.7 -p 5004         one session")]
pub(crate) struct Args {
    /// Destination address of the session to clear.
    #[arg(short, long, value_name = "DEST", requires = "port")]
    destination: Option<IpAddr>,
    /// Destination port of the session to clear.
    #[arg(short, long, value_name = "PORT", requires = "destination")]
    port: Option<u16>,
    /// IP protocol of the session: udp, tcp or a number.
    #[arg(long, default_value = "udp", value_parser = parse_protocol)]
    protocol: u8,
    #[command(flatten)]
    socket: SocketArgs,
}

impl Args {
    fn session(&self) -> Option<Session> {
        let session = Session::udp(self.destination?, self.port?);
        Some(Session { protocol_id: self.protocol, ..session })
    }
}

/// Runs `clear`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    block_on(async {
        let session = args.session();
        let cleared = args.socket.connect().await?.clear(session).await?;
        print_line(&match session {
            Some(session) => format!("session {session} cleared"),
            None => format!("{} sessions cleared", cleared.sessions),
        })?;
        Ok(())
    })
}
