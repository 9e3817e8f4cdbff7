//! `release`: what was left with the daemon is withdrawn.

use super::{Failure, SocketArgs, block_on, print_line};

/// Arguments of `release`.
#[derive(clap::Args)]
#[command(after_help = "\
`rsvp-cli show applications` lists the ids. What the configuration asks for is withdrawn there, not here.")]
pub(crate) struct Args {
    /// The ids that `send --detach` or `reserve --detach` printed.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<u64>,
    #[command(flatten)]
    socket: SocketArgs,
}

/// Runs `release`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    block_on(async {
        let client = args.socket.connect().await?;
        for &id in &args.ids {
            let application = client.release(id).await?;
            print_line(&format!("released {id}: {}", application.session))?;
        }
        Ok(())
    })
}
