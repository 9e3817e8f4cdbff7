//! `reserve --delay`: what to ask of guaranteed service, by what the senders' paths promise.

use std::fmt;
use std::time::Duration;

use rsvp_client::api::{Filter, Flowspec, SenderView, Session, Tspec};
use rsvp_client::{Client, Error};
use rsvp_core::intserv::{self, NoPromise};
use rsvp_core::wire;
use serde::Serialize;

use super::hold::interrupted;
use super::{FAILED, Failure, TIMED_OUT};
use crate::convert;
use crate::units::format_rate;

/// What is to be reserved for, and how fast it is to be.
pub(crate) struct Flow {
    /// The session.
    pub(crate) session: Session,
    /// Its senders; empty: all that are known.
    pub(crate) senders: Vec<Filter>,
    /// The traffic; `None`: what the senders say.
    pub(crate) tspec: Option<Tspec>,
    /// The delay from end to end.
    pub(crate) wanted: Duration,
}

/// What was chosen. Times are in microseconds, rates in bits per second.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Choice {
    wanted_delay: u32,
    /// The traffic, with an M that the paths can carry.
    tspec: Tspec,
    /// R.
    rate: f64,
    /// S.
    slack: u32,
    /// No packet waits longer in queues.
    queueing_delay: u32,
    /// The links' own delay; null: a path does not tell.
    latency: Option<u32>,
}

impl Choice {
    /// What to reserve.
    pub(crate) fn flowspec(&self) -> Flowspec {
        Flowspec::Guaranteed { tspec: self.tspec, rate: self.rate, slack: self.slack }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rate, queueing) = (format_rate(self.rate), milliseconds(self.queueing_delay));
        write!(
            f,
            "chosen R {rate} and S {} us: no packet waits in queues for more than {queueing}",
            self.slack
        )?;
        match self.latency {
            Some(latency) => {
                let (latency, all) = (milliseconds(latency), milliseconds(self.queueing_delay + latency));
                write!(f, "; with the {latency} of the path itself that is {all} from end to end")
            }
            None => f.write_str("; the path does not tell its own latency, which comes on top"),
        }
    }
}

fn milliseconds(micros: u32) -> String {
    format!("{:.3} ms", f64::from(micros) / 1000.0)
}

/// Waits until the senders' Paths are here, for at most `limit`, and chooses.
///
/// # Errors
///
/// If no Path comes in time, or a path cannot keep to the delay: what to do about it, in one line.
pub(crate) async fn choose(client: &Client, flow: &Flow, limit: Option<Duration>) -> Result<Choice, Failure> {
    let end = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        paths = paths(client, flow) => flow.choose(&paths?),
        result = interrupted() => {
            result?;
            Err(Failure::new(TIMED_OUT, "interrupted; no Path has come"))
        }
        () = end => {
            Err(Failure::new(TIMED_OUT, "timed out: no Path has come; is the sender announced?"))
        }
    }
}

/// The senders' path state, as soon as all of it is here.
async fn paths(client: &Client, flow: &Flow) -> Result<Vec<SenderView>, Failure> {
    // What changes after the question is told by the stream.
    let mut events = client.monitor().await?;
    loop {
        let mut views = client.senders().await?;
        views.retain(|view| view.session == flow.session && flow.concerns(&view.sender));
        let is_here = |sender: &Filter| views.iter().any(|view| view.sender == *sender);
        if !views.is_empty() && flow.senders.iter().all(is_here) {
            return Ok(views);
        }
        events.next().await?.ok_or(Error::ConnectionLost)?;
    }
}

impl Flow {
    fn concerns(&self, sender: &Filter) -> bool {
        self.senders.is_empty() || self.senders.contains(sender)
    }

    /// One request that does for all of these paths.
    fn choose(&self, paths: &[SenderView]) -> Result<Choice, Failure> {
        let wanted = u32::try_from(self.wanted.as_micros()).unwrap_or(u32::MAX);
        let (mut merged, mut queueing, mut latency) = (None, 0.0_f64, Some(0));
        for view in paths {
            let promise = self
                .promise(view, wanted)
                .map_err(|message| Failure::new(FAILED, format!("sender {}: {message}", view.sender)))?;
            let asked = wire::Flowspec::Guaranteed(promise.tspec, promise.rspec);
            merged = match &merged {
                None => Some(asked),
                Some(others) => intserv::lub(others, &asked),
            };
            queueing = queueing.max(promise.queueing);
            latency = latency.zip(promise.latency).map(|(most, this): (u32, u32)| most.max(this));
        }
        let Some(wire::Flowspec::Guaranteed(tspec, rspec)) = merged else {
            return Err(Failure::new(FAILED, "no Path has come"));
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "no more than was wanted"
        )]
        let queueing_delay = queueing.ceil() as u32;
        Ok(Choice {
            wanted_delay: wanted,
            tspec: convert::tspec(&tspec),
            rate: f64::from(rspec.rate) * 8.0,
            slack: rspec.slack,
            queueing_delay,
            latency,
        })
    }

    fn promise(&self, view: &SenderView, wanted: u32) -> Result<intserv::Promise, String> {
        let tspec = self.tspec.as_ref().or(view.tspec.token_bucket());
        let tspec = tspec.ok_or("it gives no token bucket: give -b or --tspec")?;
        let adspec = view.adspec.as_ref().ok_or(
            "its Path has no ADSPEC, so nothing is known of the path: have it collect one, or give R with --rspec",
        )?;
        intserv::promise(&convert::core_adspec(adspec), &convert::core_tspec(tspec), wanted).map_err(|why| {
            match why {
                NoPromise::TooShort { least } => {
                    format!("{} are needed whatever is reserved: ask for more --delay", milliseconds(least))
                }
                _ => format!("{why}: ask for controlled load (--service cl), or give R with --rspec"),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(latency: Option<u32>) -> Choice {
        Choice {
            wanted_delay: 20_000,
            tspec: Tspec::of_rate(1_000_000),
            rate: 2_400_000.0,
            slack: 12,
            queueing_delay: 19_200,
            latency,
        }
    }

    #[test]
    fn what_is_not_known_is_not_promised() {
        assert_eq!(
            choice(Some(800)).to_string(),
            "chosen R 2.4 Mbit/s and S 12 us: no packet waits in queues for more than 19.200 ms; with the 0.800 ms of \
             the path itself that is 20.000 ms from end to end"
        );
        assert!(choice(None).to_string().ends_with("does not tell its own latency, which comes on top"));
    }

    #[test]
    fn what_is_chosen_is_told_to_programs_too() {
        let json = serde_json::to_value(choice(None)).expect("serialises");
        assert_eq!((&json["rate"], &json["queueing-delay"]), (&2_400_000.0.into(), &19_200.into()));
        assert!(json["latency"].is_null());
    }
}
