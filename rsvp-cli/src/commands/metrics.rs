//! `metrics`: counters and gauges for Prometheus.

use super::{Failure, SocketArgs, block_on, print};

/// Arguments of `metrics`.
#[derive(clap::Args)]
#[command(after_help = "\
The text is that of Prometheus (version 0.0.4), as the daemon also serves it at /metrics on its control socket; \
docs/control-api.md lists what is in it. For the textfile collector of the node exporter, replace the file in one go:

  rsvp-cli metrics > /var/lib/node_exporter/rsvp.prom.$$ &&
    mv /var/lib/node_exporter/rsvp.prom.$$ /var/lib/node_exporter/rsvp.prom
  curl --unix-socket /run/rsvp/rsvp.sock http://localhost/metrics")]
pub(crate) struct Args {
    #[command(flatten)]
    socket: SocketArgs,
}

/// Runs `metrics`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    block_on(async {
        let client = args.socket.connect().await?;
        print(&client.metrics().await?)?;
        Ok(())
    })
}
