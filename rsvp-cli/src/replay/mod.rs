//! `replay`: a recording of a node is relived, and the node looked at on the way.

mod diff;
mod line;
mod state;
mod tape;

use std::io::{self, BufRead, BufWriter, IsTerminal, StdinLock, StdoutLock, Write};
use std::path::PathBuf;
use std::time::Duration;

use rsvp_record::{End, ReadError, ReplayError};
use serde_json::json;

use self::line::Line;
use self::state::What;
use self::tape::Tape;
use crate::commands::{FAILED, Failure};
use crate::units::parse_duration;

/// Arguments of `replay`.
#[derive(clap::Args)]
#[command(after_help = "\
The node of `rsvp-cli daemon --record FILE` is made anew and called again as it was then. Everything that comes out of it \
is compared with what came out then, octet by octet. docs/replay.md says more.

Examples:
  rsvp-cli replay bug.rsvp                           is everything reproduced?
  rsvp-cli replay bug.rsvp -v                        list every call
  rsvp-cli replay bug.rsvp --until 90 --show senders the path state after step 90
  rsvp-cli replay bug.rsvp --until 1m30s             all state 90 seconds after the start
  rsvp-cli replay bug.rsvp --diff 90 120             what the steps 91 to 120 changed
  rsvp-cli replay bug.rsvp --step                    one step at a time

Exit codes:
  0  all that came out is what came out then
  1  something else came out, or the file cannot be read to its end
  2  the command line is wrong")]
pub(crate) struct Args {
    /// A recording.
    file: PathBuf,
    /// Stop after this step (`90`), or so long after the start (`90s`, `1m30s`, `0.5`), and show the state.
    #[arg(long, value_name = "TIME|STEP", value_parser = Stop::parse)]
    until: Option<Stop>,
    /// Take one step at a time: Enter takes the next, a number goes to that step, `s` shows the state, `q` ends.
    #[arg(long, conflicts_with_all = ["until", "diff"])]
    step: bool,
    /// Which state to show in the end; several with commas.
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    show: Vec<What>,
    /// Show what has changed between two steps; 0 is the beginning.
    #[arg(long, num_args = 2, value_names = ["STEP", "STEP"], conflicts_with_all = ["until", "show"])]
    diff: Option<Vec<u64>>,
    /// Print JSON, one document a line.
    #[arg(long)]
    json: bool,
    /// List every call.
    #[arg(short, long)]
    verbose: bool,
}

/// Where to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// After this step.
    Step(u64),
    /// Before the first step that is later than this after the start.
    Time(Duration),
}

impl Stop {
    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(step) => Ok(Self::Step(step)),
            Err(_) => parse_duration(text).map(Self::Time),
        }
    }
}

/// Runs `replay`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let name = args.file.display();
    let fail = |words: String| Failure::new(FAILED, format!("{name}: {words}"));
    let tape = Tape::open(&args.file).map_err(|error| fail(line::unreadable(&error)))?;
    if tape.header().version != env!("CARGO_PKG_VERSION") {
        let (then, now) = (&tape.header().version, env!("CARGO_PKG_VERSION"));
        writeln!(
            io::stderr(),
            "rsvp-cli: {name} was recorded by version {then}, and this is {now}: it may do something else"
        )?;
    }
    let mut session = Session { args, tape, output: BufWriter::new(io::stdout().lock()) };
    let outcome = match &args.diff {
        Some(steps) => session.diff(steps),
        None if args.step => session.walk(io::stdin().lock()),
        None => session.play(),
    };
    session.output.flush()?;
    outcome.map_err(|error| match error {
        Stopped::Output(error) => error.into(),
        Stopped::Replay(error) => fail(line::failure(&error, &session.tape)),
        Stopped::Words(words) => fail(words),
    })
}

/// What `--step` understands.
const KEYS: &str = "Enter goes on, a number goes to that step, s shows the state, q ends";

/// Why it goes no further.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Output(#[from] io::Error),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("{0}")]
    Words(String),
}

impl From<serde_json::Error> for Stopped {
    fn from(error: serde_json::Error) -> Self {
        Self::Output(error.into())
    }
}

/// How a recording came to its end.
enum Ending {
    /// With this mark, or without one.
    Mark(Option<End>),
    /// In the middle of a step.
    Truncated(u64),
    /// With a panic, as then.
    Panic(String),
}

/// A recording, and what is to be done with it.
struct Session<'a> {
    args: &'a Args,
    tape: Tape,
    output: BufWriter<StdoutLock<'static>>,
}

impl Session<'_> {
    /// To the end, or to where it is to stop.
    fn play(&mut self) -> Result<(), Stopped> {
        let ending = loop {
            let is_there = match self.args.until {
                Some(Stop::Step(step)) => self.tape.number() >= step,
                Some(Stop::Time(time)) => self.tape.next_is_after(time),
                None => false,
            };
            if is_there {
                break None;
            }
            if let Some(ending) = self.advance(self.args.verbose)? {
                break Some(ending);
            }
        };
        let stops = self.args.until.is_some();
        if let (Some(Stop::Step(step)), Some(_)) = (self.args.until, &ending)
            && self.tape.number() < step
        {
            return Err(self.no_such_step(step));
        }
        if stops || !self.args.show.is_empty() {
            self.show()?;
        }
        if !stops {
            self.tell(ending.as_ref())?;
        }
        Ok(())
    }

    fn no_such_step(&self, step: u64) -> Stopped {
        Stopped::Words(format!(
            "there is no step {step}: the recording ends with step {}",
            self.tape.number()
        ))
    }

    /// Takes one step, and lists it if wanted. Tells how the recording ends when there is none.
    fn advance(&mut self, lists: bool) -> Result<Option<Ending>, Stopped> {
        match self.tape.step() {
            Ok(Some(step)) => {
                if lists {
                    let line = Line::new(&step, &self.tape);
                    if self.args.json {
                        writeln!(self.output, "{}", line.json()?)?;
                    } else {
                        writeln!(self.output, "{line}")?;
                    }
                }
                Ok(None)
            }
            Ok(None) => Ok(Some(Ending::Mark(self.tape.end()))),
            Err(ReplayError::Read(ReadError::Truncated(step))) => Ok(Some(Ending::Truncated(step))),
            Err(ReplayError::Panicked(panic)) if panic.is_recorded => {
                Ok(Some(Ending::Panic(panic.to_string())))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Goes to a step, from the beginning if it has passed.
    fn go_to(&mut self, step: u64) -> Result<(), Stopped> {
        if step < self.tape.number() {
            self.tape = Tape::open(&self.args.file).map_err(ReplayError::from)?;
        }
        while self.tape.number() < step {
            if self.advance(false)?.is_some() {
                return Err(self.no_such_step(step));
            }
        }
        Ok(())
    }

    /// What changed between two steps.
    fn diff(&mut self, steps: &[u64]) -> Result<(), Stopped> {
        let &[from, to] = steps else { return Ok(()) };
        self.go_to(from)?;
        let before = diff::snapshot(self.tape.node())?;
        self.go_to(to)?;
        let after = diff::snapshot(self.tape.node())?;
        for change in diff::changes(&before, &after) {
            if self.args.json {
                writeln!(self.output, "{}", change.json())?;
            } else {
                writeln!(self.output, "{change}")?;
            }
        }
        Ok(())
    }

    /// One step at a time, as the user says.
    fn walk(&mut self, mut input: StdinLock<'static>) -> Result<(), Stopped> {
        let prompts = io::stdin().is_terminal();
        let mut said = String::new();
        loop {
            if prompts {
                write!(self.output, "Enter, a step, s or q> ")?;
            }
            self.output.flush()?;
            said.clear();
            if input.read_line(&mut said)? == 0 {
                return Ok(());
            }
            match said.trim() {
                "" => {
                    if let Some(ending) = self.advance(true)? {
                        return self.tell(Some(&ending));
                    }
                }
                "q" => return Ok(()),
                "s" => self.show()?,
                number => {
                    let jumped = match number.parse() {
                        Ok(step) => self.jump(step),
                        Err(_) => Err(Stopped::Words(format!("`{number}`? {KEYS}"))),
                    };
                    match jumped {
                        Err(Stopped::Words(words)) => writeln!(self.output, "{words}")?,
                        jumped => jumped?,
                    }
                }
            }
        }
    }

    /// Goes to a step, and lists it.
    fn jump(&mut self, step: u64) -> Result<(), Stopped> {
        match self.go_to(step.saturating_sub(1)) {
            Ok(()) if step == 0 || self.advance(true)?.is_none() => Ok(()),
            Ok(()) | Err(Stopped::Words(_)) => Err(self.no_such_step(step)),
            error => error,
        }
    }

    /// Shows the state as it is now.
    fn show(&mut self) -> Result<(), Stopped> {
        let whats: &[What] = if self.args.show.is_empty() { &[What::All] } else { &self.args.show };
        let scene = self.tape.scene();
        if self.args.json {
            let state = state::document(whats, self.tape.node(), &scene)?;
            let document = json!({ "step": self.tape.number(), "at": self.tape.seconds(), "state": state });
            writeln!(self.output, "{document}")?;
        } else {
            writeln!(self.output, "after step {}, {}:\n", self.tape.number(), self.tape.when())?;
            write!(self.output, "{}", state::tables(whats, self.tape.node(), &scene))?;
        }
        Ok(())
    }

    /// Tells that everything was reproduced, and how it ended.
    fn tell(&mut self, ending: Option<&Ending>) -> Result<(), Stopped> {
        let end = match ending {
            Some(Ending::Mark(Some(End::Closed))) => "the node was closed".to_owned(),
            Some(Ending::Mark(Some(End::Limit))) => "the limit of the recording was reached".to_owned(),
            Some(Ending::Mark(Some(End::Panicked(_)))) => "the program panicked elsewhere".to_owned(),
            Some(Ending::Mark(None)) => {
                "the file ends without a mark: the program was killed, or still runs".to_owned()
            }
            Some(Ending::Truncated(step)) => format!("the file breaks off in the middle of step {step}"),
            Some(Ending::Panic(words)) => words.clone(),
            None => return Ok(()),
        };
        let (steps, version) = (self.tape.number(), &self.tape.header().version);
        if self.args.json {
            let document = json!({
                "file": self.args.file.display().to_string(),
                "version": version,
                "started": self.tape.started(),
                "steps": steps,
                "duration": self.tape.seconds(),
                "reproduced": true,
                "end": end,
            });
            writeln!(self.output, "{document}")?;
        } else {
            writeln!(
                self.output,
                "{}: {steps} steps in {:.6} s from {}, all reproduced; {end}",
                self.args.file.display(),
                self.tape.seconds(),
                self.tape.started(),
            )?;
        }
        Ok(())
    }
}
