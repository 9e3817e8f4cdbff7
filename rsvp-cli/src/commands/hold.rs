//! Holding state for as long as the command runs.

use std::time::Duration;

use rsvp_client::api::{Application, ApplicationState, Update};
use rsvp_client::{Client, Error, Held, Outcome};
use tokio::signal::unix::{SignalKind, signal};

use super::delay::Choice;
use super::{Failure, REFUSED, SocketArgs, TIMED_OUT, print_json_line, print_line};

/// How a command keeps what it asks for, and what it prints.
#[derive(clap::Args)]
pub(crate) struct HoldArgs {
    /// Leave it with the daemon until `release`; print its id.
    #[arg(long)]
    pub(crate) detach: bool,
    /// Print JSON documents, one a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    socket: SocketArgs,
}

impl HoldArgs {
    /// Connects to the daemon.
    pub(crate) async fn open(&self) -> Result<(Client, Form), Failure> {
        let form = if self.json { Form::Json } else { Form::Text };
        Ok((self.socket.connect().await?, form))
    }
}

/// How updates are printed.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// One line of words.
    Text,
    /// One JSON document a line.
    Json,
}

impl Form {
    fn print(self, update: &Update) -> Result<(), Failure> {
        match self {
            Self::Text => print_line(&update.text)?,
            Self::Json => print_json_line(update)?,
        }
        Ok(())
    }

    /// Prints where the application stands.
    pub(crate) fn announce(self, application: &Application, text: String) -> Result<(), Failure> {
        self.print(&Update { application: application.clone(), upcall: None, text })
    }

    /// Prints what was chosen for a wanted delay.
    pub(crate) fn print_choice(self, choice: &Choice) -> Result<(), Failure> {
        match self {
            Self::Text => print_line(&choice.to_string())?,
            Self::Json => print_json_line(choice)?,
        }
        Ok(())
    }

    /// Prints what was left with the daemon: only its id, or all of it.
    pub(crate) fn print_detached(self, application: &Application) -> Result<(), Failure> {
        match self {
            Self::Text => print_line(&application.id.to_string())?,
            Self::Json => print_json_line(application)?,
        }
        Ok(())
    }
}

/// Resolves when the user or the system asks the command to end.
pub(crate) async fn interrupted() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

/// Prints what happens until the command is asked to end, then releases.
pub(crate) async fn hold(mut held: Held, form: Form) -> Result<(), Failure> {
    let end = interrupted();
    tokio::pin!(end);
    loop {
        tokio::select! {
            result = &mut end => {
                result?;
                let refused = held.application().state == ApplicationState::Refused;
                held.release().await?;
                return if refused { Err(Failure::silent(REFUSED)) } else { Ok(()) };
            }
            update = held.next() => form.print(&update?.ok_or(Error::ConnectionLost)?)?,
        }
    }
}

/// Waits until the reservation is admitted; gives it back if so.
///
/// # Errors
///
/// If it was refused, or not admitted in time: then it is released.
pub(crate) async fn wait(mut held: Held, limit: Duration) -> Result<(Held, String), Failure> {
    let outcome = tokio::select! {
        outcome = held.outcome(limit) => outcome?,
        result = interrupted() => {
            result?;
            let state = held.application().state;
            held.release().await?;
            return Err(Failure::new(TIMED_OUT, format!("interrupted; {state}")));
        }
    };
    let (code, message) = match outcome {
        Outcome::Admitted { node: Some(node) } => {
            return Ok((held, format!("admitted; confirmed by {node}")));
        }
        Outcome::Admitted { node: None } => return Ok((held, "admitted".to_owned())),
        Outcome::Refused(error) => (REFUSED, format!("refused by {}: {}", error.node, error.text)),
        Outcome::TimedOut(ApplicationState::WaitingForPath) => {
            (TIMED_OUT, "timed out: no Path has come; is the sender announced?".to_owned())
        }
        Outcome::TimedOut(state) => (TIMED_OUT, format!("timed out: neither admitted nor refused; {state}")),
    };
    held.release().await?;
    Err(Failure::new(code, message))
}
