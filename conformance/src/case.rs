//! One case, and what became of it.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;
use std::time::{Duration, Instant};

use crate::bench::{Lab, Transcript, Unsupported};
use crate::catalogue::{Catalogue, Level, Requirement};
use crate::verdict::{Failure, Verdict};

/// A case of the suite.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The RFC, the section and what is shown: `rfc2205/3.3/every-message-is-a-raw-ip-datagram`.
    pub id: &'static str,
    /// What is shown, in a few words more.
    pub text: &'static str,
    /// The requirements that it shows.
    pub requirements: &'static [&'static str],
    /// Where it is written, in the sources of this crate.
    pub file: &'static str,
    /// The case itself. It panics where the device fails.
    pub run: fn(&Lab),
}

/// What became of a case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, where the verdict is not that it passed; in one line.
    pub reason: Option<String>,
    /// What was wrong with what the device did.
    pub failure: Option<Failure>,
    /// What was said.
    pub transcript: Transcript,
    /// How long it took, of real time.
    pub duration: Duration,
}

/// The bench cannot tell what the device did, for a reason of its own; payload of a case's panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inconclusive(pub String);

impl Case {
    /// Its RFC, as in `rfc2205`.
    #[must_use]
    pub fn rfc(&self) -> &'static str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// Its section, as in `3.1`.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.id.split('/').nth(1).unwrap_or_default()
    }

    /// The requirements that it shows, from the catalogue.
    #[must_use]
    pub fn clauses<'a>(&self, catalogue: &'a Catalogue) -> Vec<&'a Requirement> {
        self.requirements.iter().filter_map(|id| catalogue.find(id)).collect()
    }

    /// Whether all that it shows is no more than recommended.
    #[must_use]
    pub fn is_recommendation(&self, catalogue: &Catalogue) -> bool {
        let recommended = [Level::Should, Level::ShouldNot, Level::May];
        let clauses = self.clauses(catalogue);
        !clauses.is_empty() && clauses.iter().all(|clause| recommended.contains(&clause.level))
    }

    /// Runs it in a laboratory, whatever happens in there.
    #[must_use]
    pub fn run(&self, lab: &Lab, catalogue: &Catalogue) -> Outcome {
        let began = Instant::now();
        let unfit = match lab.skips(self) {
            Some(reason) => Some((Verdict::Skipped, reason)),
            None if !lab.speaks(self.rfc()) => {
                Some((Verdict::Unsupported, format!("the device does not speak {}", self.rfc())))
            }
            None => None,
        };
        if let Some((verdict, reason)) = unfit {
            return Outcome {
                verdict,
                reason: Some(reason),
                failure: None,
                transcript: lab.take_transcript(),
                duration: began.elapsed(),
            };
        }
        watch_panics();
        LAST.with_borrow_mut(|last| *last = Some(None));
        let result = panic::catch_unwind(AssertUnwindSafe(|| (self.run)(lab)));
        let place = LAST.take().flatten();
        let (duration, transcript) = (began.elapsed(), lab.take_transcript());
        let (mut verdict, mut reason, failure) = match result {
            Ok(()) => (Verdict::Pass, None, None),
            Err(payload) => self.judge(&*payload, place, catalogue),
        };
        if failure.is_some()
            && let Some(disturbance) = lab.disturbance()
        {
            verdict = Verdict::Inconclusive;
            reason = reason.map(|reason| format!("{disturbance}: {reason}"));
        }
        Outcome { verdict, reason, failure, transcript, duration }
    }

    fn judge(
        &self,
        payload: &(dyn Any + Send),
        place: Option<String>,
        catalogue: &Catalogue,
    ) -> (Verdict, Option<String>, Option<Failure>) {
        if let Some(Unsupported(reason)) = payload.downcast_ref() {
            return (Verdict::Unsupported, Some(reason.clone()), None);
        }
        if let Some(Inconclusive(reason)) = payload.downcast_ref() {
            return (Verdict::Inconclusive, Some(reason.clone()), None);
        }
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
        let failure = Failure::parse(text, place);
        let verdict = if self.is_recommendation(catalogue) { Verdict::NotStrict } else { Verdict::Fail };
        (verdict, Some(failure.summary()), Some(failure))
    }
}

thread_local! {
    /// While a case runs on this thread: where it panicked, once it has.
    static LAST: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

/// A case that fails says so by its outcome, not on standard error.
fn watch_panics() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let other = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let is_case = LAST.with_borrow_mut(|last| match last {
                Some(place) => {
                    *place = info.location().map(ToString::to_string);
                    true
                }
                None => false,
            });
            if !is_case {
                other(info);
            }
        }));
    });
}
