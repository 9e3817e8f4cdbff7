//! Streams of server-sent events, and the guard that holds an application's state.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::api::{Application, ApplicationState, ErrorInfo, Update};
use crate::{Client, Error};

/// A stream of server-sent events whose data are JSON documents.
#[derive(Debug)]
pub struct EventStream<T> {
    body: Incoming,
    lines: Lines,
    contents: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> EventStream<T> {
    pub(crate) fn new(body: Incoming) -> Self {
        Self { body, lines: Lines::default(), contents: PhantomData }
    }

    /// The next event; `None` when the daemon has ended the stream. Cancel safe.
    ///
    /// # Errors
    ///
    /// If the connection is lost, or the event is not understood.
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        loop {
            if let Some(data) = self.lines.next_event() {
                return serde_json::from_slice(&data).map(Some).map_err(|e| Error::Protocol(e.to_string()));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(_)) => return Err(Error::ConnectionLost),
                Some(Ok(frame)) => {
                    if let Ok(chunk) = frame.into_data() {
                        self.lines.push(&chunk);
                    }
                }
            }
        }
    }
}

/// Cuts a byte stream into the data of server-sent events; all other fields are of no interest here.
#[derive(Debug, Default)]
struct Lines {
    partial: Vec<u8>,
    data: Vec<u8>,
    events: VecDeque<Vec<u8>>,
}

impl Lines {
    fn push(&mut self, chunk: &[u8]) {
        for &byte in chunk {
            if byte == b'\n' {
                self.end_line();
            } else {
                self.partial.push(byte);
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.partial);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if line.is_empty() {
            if !self.data.is_empty() {
                self.events.push_back(std::mem::take(&mut self.data));
            }
        } else if let Some(data) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
        }
    }

    fn next_event(&mut self) -> Option<Vec<u8>> {
        self.events.pop_front()
    }
}

/// What became of a reservation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The path has confirmed it.
    Admitted {
        /// The node that confirmed, if the daemon said so.
        node: Option<IpAddr>,
    },
    /// A node refused it.
    Refused(ErrorInfo),
    /// Neither, within the time; this is how far it has come.
    TimedOut(ApplicationState),
}

/// State that the daemon keeps for exactly as long as this guard lives.
#[derive(Debug)]
pub struct Held {
    client: Client,
    stream: EventStream<Update>,
    application: Application,
}

impl Held {
    pub(crate) async fn open(client: Client, mut stream: EventStream<Update>) -> Result<Self, Error> {
        let first = stream.next().await?.ok_or(Error::ConnectionLost)?;
        Ok(Self { client, stream, application: first.application })
    }

    /// The application as of the last update.
    #[must_use]
    pub fn application(&self) -> &Application {
        &self.application
    }

    /// The next thing that happens to it; `None` when the daemon has ended the stream and with it the application.
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// If the connection is lost.
    pub async fn next(&mut self) -> Result<Option<Update>, Error> {
        let update = self.stream.next().await?;
        if let Some(update) = &update {
            self.application = update.application.clone();
        }
        Ok(update)
    }

    /// Waits until a reservation that asked for a confirmation is admitted or refused, for at most `limit`.
    ///
    /// # Errors
    ///
    /// If the connection is lost.
    pub async fn outcome(&mut self, limit: Duration) -> Result<Outcome, Error> {
        let deadline = Instant::now() + limit;
        let mut node = None;
        loop {
            match self.application.state {
                ApplicationState::Admitted => return Ok(Outcome::Admitted { node }),
                ApplicationState::Refused => {
                    if let Some(error) = self.application.error.clone() {
                        return Ok(Outcome::Refused(error));
                    }
                }
                _ => {}
            }
            match timeout_at(deadline, self.next()).await {
                Err(_) => return Ok(Outcome::TimedOut(self.application.state)),
                Ok(update) => {
                    let update = update?.ok_or(Error::ConnectionLost)?;
                    if let Some(crate::api::Upcall::Confirmed { node: confirmed, .. }) = update.upcall {
                        node = Some(confirmed);
                    }
                }
            }
        }
    }

    /// Leaves the state with the daemon until it is [released](Client::release).
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn detach(self) -> Result<Application, Error> {
        self.client.detach(self.application.id).await
    }

    /// Releases now and waits until the daemon has done so.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn release(self) -> Result<(), Error> {
        self.client.release(self.application.id).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_at_blank_lines_wherever_chunks_end() {
        let text = b": keep alive\n\nevent: update\ndata: {\"a\":\ndata: 1}\r\n\r\ndata:2\n\ndata: 3\n";
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            lines.push(&text[..cut]);
            lines.push(&text[cut..]);
            assert_eq!(lines.next_event().as_deref(), Some(&b"{\"a\":\n1}"[..]));
            assert_eq!(lines.next_event().as_deref(), Some(&b"2"[..]));
            assert_eq!(lines.next_event(), None, "an event is complete with its blank line only");
        }
    }
}
