//! `reload`: the daemon reads its configuration file again.

use super::{Failure, SocketArgs, block_on, print_line};

/// Arguments of `reload`.
#[derive(clap::Args)]
#[command(after_help = "\
The file is checked in full first; if it is wrong, the daemon keeps the configuration that it has. Senders and \
reservations that did not change are not touched. SIGHUP does the same, and logs what is printed here.")]
pub(crate) struct Args {
    #[command(flatten)]
    socket: SocketArgs,
}

/// Runs `reload`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    block_on(async {
        let reloaded = args.socket.connect().await?.reload().await?;
        print_line(&format!(
            "{} is in force; standing senders and reservations: {} added, {} removed, {} unchanged",
            reloaded.file, reloaded.added, reloaded.removed, reloaded.unchanged,
        ))?;
        for note in reloaded.notes {
            print_line(&format!("note: {note}"))?;
        }
        Ok(())
    })
}
