//! `clear`: protocol state is removed, and comes back if somebody still wants it.

use super::traffic::SessionArgs;
use super::{Failure, SocketArgs, block_on, print_line};

/// Arguments of `clear`.
#[derive(clap::Args)]
#[command(after_help = "\
Path and reservation state is torn down towards all neighbours. What local applications and the configuration asked
for is announced again at once; the rest comes back with the neighbours' next refreshes.

Examples:
  rsvp-cli clear                              all sessions
  rsvp-cli clear -d 192.0.2.7 -p 5004         one session")]
pub(crate) struct Args {
    #[command(flatten)]
    session: Option<SessionArgs>,
    #[command(flatten)]
    socket: SocketArgs,
}

/// Runs `clear`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    block_on(async {
        let session = args.session.as_ref().map(SessionArgs::session);
        let cleared = args.socket.connect().await?.clear(session).await?;
        print_line(&match session {
            Some(session) => format!("session {session} cleared"),
            None => format!("{} sessions cleared", cleared.sessions),
        })?;
        Ok(())
    })
}
