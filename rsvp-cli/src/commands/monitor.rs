//! `monitor`: events as they happen.

use super::{Failure, SocketArgs, UNREACHABLE, block_on, print_json_line, print_line};

/// Arguments of `monitor`.
#[derive(clap::Args)]
#[command(after_help = "\
Every change of path, reservation, traffic-control and interface state is printed with its cause, until Ctrl-C. \
`rsvp-cli show events` prints those that have passed.")]
pub(crate) struct Args {
    /// Print one JSON document a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    socket: SocketArgs,
}

/// Runs `monitor`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    block_on(async {
        let mut events = args.socket.connect().await?.monitor().await?;
        while let Some(event) = events.next().await? {
            if args.json {
                print_json_line(&event)?;
            } else {
                print_line(&format!("{} {}", event.time, event.text))?;
            }
        }
        Err(Failure::new(UNREACHABLE, "the daemon has stopped"))
    })
}
