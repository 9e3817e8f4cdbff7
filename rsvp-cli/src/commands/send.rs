//! `send`: announce a sender.

use rsvp_client::api::{SenderRequest, SenderService, Tspec};

use super::hold::{HoldArgs, hold};
use super::traffic::{SessionArgs, TspecArg};
use super::{FAILED, Failure, block_on};
use crate::endpoint::Endpoint;
use crate::request;
use crate::units::parse_rate;

/// The services as they are written.
#[derive(Clone, Copy, clap::ValueEnum)]
enum ServiceArg {
    /// Controlled load and guaranteed service, for a token bucket.
    TokenBucket,
    /// The null service alone (RFC 2997): of the token bucket, only M counts.
    Null,
    /// All of them.
    All,
}

/// Arguments of `send`.
#[derive(clap::Args)]
#[command(after_help = "\
Path messages announce the flow to all routers up to the destination, for as long as the command runs; Ctrl-C, or the \
end of the command for whatever reason, tears it down. No data is sent. Reservations for the flow are printed as they \
come and go.

Rates are bits per second: 1000000, 1Mbit, 125kB (bytes) are all the same. A rate alone (-b) stands for a token bucket \
with r = RATE; b = a tenth of a second of it, at least two packets; p unlimited; m = 64 and M = 1500 bytes. In a \
--tspec only r must be given; the rest is filled in by the same rule.

Examples:
  rsvp-cli send -d 192.0.2.7 -p 5004 -b 1Mbit
  rsvp-cli send -d 192.0.2.7 -p 5004 --tspec r=1Mbit,b=10kB,p=2Mbit,m=64,M=1400
  rsvp-cli send -d 192.0.2.7 -p 5004 --service null --tspec r=1Mbit,M=1400
  rsvp-cli send -d 2001:db8::7 -p 5004 --source [2001:db8::1]:6000 -b 1Mbit
  id=$(rsvp-cli send -d 192.0.2.7 -p 5004 -b 1Mbit --detach); rsvp-cli release $id

Exit codes:
  0  ended on request
  1  the request is not valid
  2  the command line is wrong
  5  the daemon is not reachable, or went away")]
pub(crate) struct Args {
    #[command(flatten)]
    session: SessionArgs,
    /// The rate of the flow.
    #[arg(short = 'b', long, value_name = "RATE", default_value = "1Mbit", value_parser = parse_rate)]
    rate: u64,
    /// The flow's token bucket: rate, bucket, peak rate, minimum policed unit, maximum packet size.
    #[arg(long, value_name = "r=…,b=…,p=…,m=…,M=…", conflicts_with = "rate")]
    tspec: Option<TspecArg>,
    /// The services to offer to receivers.
    #[arg(long, value_enum, default_value = "token-bucket")]
    service: ServiceArg,
    /// The sender [default: this host, with the destination's port].
    #[arg(long, value_name = "ADDR[:PORT]")]
    source: Option<Endpoint>,
    /// Do not collect what the path offers (ADSPEC).
    #[arg(long)]
    no_adspec: bool,
    /// IP TTL of the Path messages.
    #[arg(long, default_value_t = 255)]
    ttl: u8,
    #[command(flatten)]
    keep: HoldArgs,
}

impl Args {
    fn request(&self) -> Result<SenderRequest, String> {
        let request = SenderRequest {
            session: self.session.session(),
            source: self.source.map(|source| source.address),
            source_port: self.source.and_then(|source| source.port),
            tspec: self.tspec.map_or_else(|| Tspec::of_rate(self.rate), |tspec| tspec.0),
            service: match self.service {
                ServiceArg::TokenBucket => SenderService::TokenBucket,
                ServiceArg::Null => SenderService::Null,
                ServiceArg::All => SenderService::TokenBucketOrNull,
            },
            adspec: !self.no_adspec,
            policy_data: Vec::new(),
            ttl: self.ttl,
        };
        request::check_sender(&request)?;
        Ok(request)
    }
}

/// Runs `send`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let request = args.request().map_err(|e| Failure::new(FAILED, e))?;
    block_on(async {
        let (client, form) = args.keep.open().await?;
        if args.keep.detach {
            return form.print_detached(&client.send_detached(&request).await?);
        }
        let held = client.send(&request).await?;
        let sender = held.application().senders.first().map(ToString::to_string).unwrap_or_default();
        form.announce(
            held.application(),
            format!("announcing {sender} to {} until Ctrl-C", request.session),
        )?;
        hold(held, form).await
    })
}
