//! `reserve`: reserve for a flow.

use std::net::IpAddr;
use std::time::Duration;

use rsvp_client::api::{Flowspec, ReservationRequest, Style, Tspec};

use super::hold::{Form, hold, wait};
use super::traffic::{RspecArg, SessionArgs, TspecArg};
use super::{FAILED, Failure, SocketArgs, block_on};
use crate::endpoint::Endpoint;
use crate::request;
use crate::units::{parse_duration, parse_rate};

/// The style as it is written.
#[derive(Clone, Copy, clap::ValueEnum)]
enum StyleArg {
    /// Fixed filter: a reservation of its own for each --sender.
    Ff,
    /// Shared explicit: one reservation, shared by every --sender.
    Se,
    /// Wildcard filter: one reservation, shared by all senders.
    Wf,
}

/// The service as it is written.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ServiceArg {
    /// Controlled load (RFC 2211).
    Cl,
    /// Guaranteed service (RFC 2212).
    Gs,
}

/// Arguments of `reserve`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("traffic").required(true))]
#[command(after_help = "\
To be run on the receiving host. The reservation goes from here to the sender, router by router, as soon as the \
sender's Path is here, and is kept for as long as the command runs; Ctrl-C, or the end of the command for whatever \
reason, tears it down.

With --wait the command ends if the reservation is refused or nothing is heard in time; once it is admitted, the \
command says so and goes on holding it. With --wait --detach it ends then too, and leaves the reservation with the \
daemon. --wait asks for a confirmation, as --confirm does.

Rates are bits per second: 1000000, 1Mbit, 125kB (bytes) are all the same. A rate alone (-b) stands for a token bucket \
with r = RATE; b = a tenth of a second of it, at least two packets; p unlimited; m = 64 and M = 1500 bytes. In a \
--tspec only r must be given; the rest is filled in by the same rule. Guaranteed service (gs) asks for R = r and S = 0 \
unless --rspec says otherwise.

Examples:
  rsvp-cli reserve -d 192.168.1.100 -p 5004 -b 1000000
  rsvp-cli reserve -d 192.0.2.7 -p 5004 -b 1Mbit --sender 198.51.100.9:5004 --wait
  rsvp-cli reserve -d 192.0.2.7 -p 5004 -b 2Mbit --style se --sender 10.0.0.1 --sender 10.0.0.2
  rsvp-cli reserve -d 2001:db8::7 -p 5004 --service gs --tspec r=1Mbit,b=10kB --rspec R=2Mbit,S=0
  id=$(rsvp-cli reserve -d 192.0.2.7 -p 5004 -b 1Mbit --wait --detach) && rsvp-cli release $id

Exit codes:
  0  admitted (without --wait: not refused when it ended)
  1  the request is not valid
  2  the command line is wrong
  3  refused; the node that refused and its error are on standard error
  4  neither admitted nor refused in time
  5  the daemon is not reachable, or went away")]
pub(crate) struct Args {
    #[command(flatten)]
    session: SessionArgs,
    /// The rate to reserve.
    #[arg(short = 'b', long, value_name = "RATE", value_parser = parse_rate, group = "traffic")]
    rate: Option<u64>,
    /// The token bucket to reserve: rate, bucket, peak rate, minimum policed unit, maximum packet size.
    #[arg(long, value_name = "r=…,b=…,p=…,m=…,M=…", group = "traffic")]
    tspec: Option<TspecArg>,
    /// The service.
    #[arg(long, value_enum, default_value = "cl")]
    service: ServiceArg,
    /// Rate and slack (microseconds) of guaranteed service.
    #[arg(long, value_name = "R=…,S=…")]
    rspec: Option<RspecArg>,
    /// The style [default: ff with --sender, wf without].
    #[arg(long, value_enum)]
    style: Option<StyleArg>,
    /// A sender to reserve for; may be repeated. PORT is the destination's unless it is given.
    #[arg(long = "sender", value_name = "ADDR[:PORT]")]
    senders: Vec<Endpoint>,
    /// This receiver's own address, for the confirmation [default: the destination if it is unicast].
    #[arg(long, value_name = "ADDR")]
    receiver: Option<IpAddr>,
    /// Ask for a confirmation (ResvConf).
    #[arg(long)]
    confirm: bool,
    /// Wait until the reservation is admitted or refused.
    #[arg(long)]
    wait: bool,
    /// How long to wait.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration, requires = "wait")]
    timeout: Duration,
    /// Leave the reservation with the daemon until `release`; print its id.
    #[arg(long)]
    detach: bool,
    /// Print JSON documents, one a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    socket: SocketArgs,
}

impl Args {
    fn request(&self) -> Result<ReservationRequest, String> {
        let session = self.session.session();
        let tspec = match (self.rate, self.tspec) {
            (Some(rate), _) => Tspec::of_rate(rate),
            (None, Some(TspecArg(tspec))) => tspec,
            (None, None) => return Err("give -b or --tspec".to_owned()),
        };
        let flowspec = match (self.service, self.rspec) {
            (ServiceArg::Cl, None) => Flowspec::ControlledLoad(tspec),
            (ServiceArg::Cl, Some(_)) => return Err("--rspec belongs to --service gs".to_owned()),
            (ServiceArg::Gs, rspec) => Flowspec::Guaranteed {
                tspec,
                rate: rspec.map_or(tspec.average_rate, |rspec| rspec.rate),
                slack: rspec.map_or(0, |rspec| rspec.slack),
            },
        };
        let senders: Vec<_> = self.senders.iter().map(|sender| sender.as_filter(&session)).collect();
        let style = match self.style {
            Some(StyleArg::Ff) => Style::Ff,
            Some(StyleArg::Se) => Style::Se,
            Some(StyleArg::Wf) => Style::Wf,
            None => request::default_style(&senders),
        };
        let receiver = self.receiver;
        let confirm = self.confirm || self.wait;
        let request = ReservationRequest {
            senders,
            receiver,
            confirm,
            ..ReservationRequest::new(session, style, flowspec)
        };
        request::check_reservation(&request)?;
        Ok(request)
    }
}

/// Runs `reserve`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let request = args.request().map_err(|e| Failure::new(FAILED, e))?;
    block_on(async {
        let client = args.socket.connect().await?;
        let form = Form::new(args.json);
        if args.detach && !args.wait {
            return form.print_detached(&client.reserve_detached(&request).await?);
        }
        let held = client.reserve(&request).await?;
        if !args.wait {
            form.announce(held.application(), format!("reserving for {} until Ctrl-C", request.session))?;
            return hold(held, form).await;
        }
        let (held, outcome) = wait(held, args.timeout).await?;
        if args.detach {
            return form.print_detached(&held.detach().await?);
        }
        form.announce(held.application(), format!("{outcome}; holding it until Ctrl-C"))?;
        hold(held, form).await
    })
}
