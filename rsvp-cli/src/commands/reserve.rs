//! `reserve`: reserve for a flow.

use std::net::IpAddr;
use std::time::Duration;

use rsvp_client::Client;
use rsvp_client::api::{Filter, Flowspec, ReservationRequest, Style, Tspec};

use super::delay::{Flow, choose};
use super::hold::{Form, HoldArgs, hold, wait};
use super::traffic::{RspecArg, SessionArgs, TspecArg};
use super::{FAILED, Failure, block_on};
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
    /// Null service (RFC 2997): the network decides. Of the token bucket, only M counts.
    Null,
}

/// Arguments of `reserve`.
#[derive(clap::Args)]
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

--delay waits until the Paths of the senders are here and computes R and S from what the paths promise (ADSPEC); without \
-b or --tspec the traffic is what the senders say. It says what it chose, once: a later change of the path does not change \
the request. The delay is that of queues and, if the path tells it, of the links. For a multicast session another \
application of this host must have joined the group, so that a Path comes at all.

Examples:
  rsvp-cli reserve -d 192.168.1.100 -p 5004 -b 1000000
  rsvp-cli reserve -d 192.0.2.7 -p 5004 -b 1Mbit --sender 198.51.100.9:5004 --wait
  rsvp-cli reserve -d 192.0.2.7 -p 5004 -b 2Mbit --style se --sender 10.0.0.1 --sender 10.0.0.2
  rsvp-cli reserve -d 192.0.2.7 -p 5004 --delay 20ms
  rsvp-cli reserve -d 2001:db8::7 -p 5004 --service gs --tspec r=1Mbit,b=10kB --rspec R=2Mbit,S=0
  id=$(rsvp-cli reserve -d 192.0.2.7 -p 5004 -b 1Mbit --wait --detach) && rsvp-cli release $id

Exit codes:
  0  admitted (without --wait: not refused when it ended)
  1  the request is not valid, or the path cannot keep to --delay
  2  the command line is wrong
  3  refused; the node that refused and its error are on standard error
  4  neither admitted nor refused in time
  5  the daemon is not reachable, or went away")]
pub(crate) struct Args {
    #[command(flatten)]
    session: SessionArgs,
    /// The rate to reserve.
    #[arg(short = 'b', long, value_name = "RATE", value_parser = parse_rate, conflicts_with = "tspec",
        required_unless_present_any = ["tspec", "delay", "service"])]
    rate: Option<u64>,
    /// The token bucket to reserve: rate, bucket, peak rate, minimum policed unit, maximum packet size.
    #[arg(long, value_name = "r=…,b=…,p=…,m=…,M=…")]
    tspec: Option<TspecArg>,
    /// The service [default: cl; gs with --delay].
    #[arg(long, value_enum)]
    service: Option<ServiceArg>,
    /// Rate and slack (microseconds) of guaranteed service.
    #[arg(long, value_name = "R=…,S=…")]
    rspec: Option<RspecArg>,
    /// The delay to keep to from end to end, with guaranteed service.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "rspec")]
    delay: Option<Duration>,
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
    #[command(flatten)]
    keep: HoldArgs,
}

impl Args {
    fn token_bucket(&self) -> Option<Tspec> {
        self.rate.map(Tspec::of_rate).or(self.tspec.map(|tspec| tspec.0))
    }

    /// What to reserve; `None` if the path decides, by the delay that is wanted.
    fn flowspec(&self) -> Result<Option<Flowspec>, String> {
        let default = if self.delay.is_some() { ServiceArg::Gs } else { ServiceArg::Cl };
        let service = self.service.unwrap_or(default);
        if service != ServiceArg::Gs && (self.rspec.is_some() || self.delay.is_some()) {
            return Err("--rspec and --delay belong to --service gs".to_owned());
        }
        let Some(tspec) = self.token_bucket() else {
            return match service {
                ServiceArg::Null => {
                    Ok(Some(Flowspec::Null { max_packet_size: Tspec::DEFAULT_MAX_PACKET_SIZE }))
                }
                ServiceArg::Gs if self.delay.is_some() => Ok(None),
                _ => Err("give -b or --tspec".to_owned()),
            };
        };
        Ok(match service {
            ServiceArg::Cl => Some(Flowspec::ControlledLoad(tspec)),
            ServiceArg::Null => Some(Flowspec::Null { max_packet_size: tspec.max_packet_size }),
            ServiceArg::Gs if self.delay.is_some() => None,
            ServiceArg::Gs => Some(Flowspec::Guaranteed {
                tspec,
                rate: self.rspec.map_or(tspec.average_rate, |rspec| rspec.rate),
                slack: self.rspec.map_or(0, |rspec| rspec.slack),
            }),
        })
    }

    fn request(&self, flowspec: Flowspec) -> Result<ReservationRequest, String> {
        let session = self.session.session();
        let senders = self.filters();
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

    fn filters(&self) -> Vec<Filter> {
        let session = self.session.session();
        self.senders.iter().map(|sender| sender.as_filter(&session)).collect()
    }

    /// What the path needs for the delay that is wanted; tells it.
    async fn choose(&self, client: &Client, form: Form, wanted: Duration) -> Result<Flowspec, Failure> {
        let flow = Flow {
            session: self.session.session(),
            senders: self.filters(),
            tspec: self.token_bucket(),
            wanted,
        };
        let choice = choose(client, &flow, self.wait.then_some(self.timeout)).await?;
        if !self.keep.detach {
            form.print_choice(&choice)?;
        }
        Ok(choice.flowspec())
    }
}

/// Runs `reserve`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let invalid = |message| Failure::new(FAILED, message);
    let flowspec = args.flowspec().map_err(invalid)?;
    // What is wrong with the rest is told before anything is waited for.
    let placeholder = Flowspec::Null { max_packet_size: Tspec::DEFAULT_MAX_PACKET_SIZE };
    let mut request = args.request(flowspec.unwrap_or(placeholder)).map_err(invalid)?;
    block_on(async {
        let (client, form) = args.keep.open().await?;
        if let Some(wanted) = args.delay {
            request.flowspec = args.choose(&client, form, wanted).await?;
        }
        if args.keep.detach && !args.wait {
            return form.print_detached(&client.reserve_detached(&request).await?);
        }
        let held = client.reserve(&request).await?;
        if !args.wait {
            form.announce(held.application(), format!("reserving for {} until Ctrl-C", request.session))?;
            return hold(held, form).await;
        }
        let (held, outcome) = wait(held, args.timeout).await?;
        if args.keep.detach {
            return form.print_detached(&held.detach().await?);
        }
        form.announce(held.application(), format!("{outcome}; holding it until Ctrl-C"))?;
        hold(held, form).await
    })
}
