//! Faults that a run makes itself: of the device, and of the way to it.

use conformance::alter::{Alteration, kinds};
use conformance::bench::{Impairment, Lab};

/// The cases that are about the way to the device.
pub(crate) const LOSSY: &str = "robustness/loss/";

/// Options of `run`.
#[derive(clap::Args)]
pub(crate) struct Faults {
    /// Alter one behaviour of the device, as a faulty one would show it; `--alter list` lists what there is. The cases that
    /// find it fail.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    alter: Option<&'static Alteration>,
    /// Of the testers' messages so many percent get lost, in the cases that are about that; without --filter, only those
    /// are run. Of these options, what is not given is off; without any there is loss of 10 %, reordering and doubling.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    loss: Option<u8>,
    /// Some of the testers' messages are overtaken by the next, in the same cases.
    #[arg(long)]
    reorder: bool,
    /// Some of the testers' messages come twice, in the same cases.
    #[arg(long)]
    duplicate: bool,
    /// What chance begins with that decides which messages these are.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

fn kind(name: &str) -> Result<&'static Alteration, String> {
    let line = |kind: &Alteration| format!("\n  {:<22}{} ({})", kind.name, kind.text, kind.clause);
    let all = || kinds().map(line).collect::<String>();
    Alteration::find(name).ok_or_else(|| format!("there are:{}", all()))
}

impl Faults {
    /// Whether the run is about the way to the device.
    pub(crate) fn is_about_loss(&self) -> bool {
        self.loss.is_some() || self.reorder || self.duplicate || self.seed.is_some()
    }

    /// What becomes of the testers' messages.
    fn impairment(&self) -> Impairment {
        let seed = self.seed.unwrap_or(Impairment::default().seed);
        if self.loss.is_none() && !self.reorder && !self.duplicate {
            return Impairment { seed, ..Impairment::default() };
        }
        let loss = f64::from(self.loss.unwrap_or(0)) / 100.0;
        Impairment { loss, reorder: self.reorder, duplicate: self.duplicate, seed }
    }

    /// What they are, in words.
    pub(crate) fn describe(&self) -> Option<String> {
        let alteration = self.alter.map(|kind| format!("altered: {}", kind.text));
        let way = self.is_about_loss().then(|| {
            let Impairment { loss, reorder, duplicate, seed } = self.impairment();
            let also = |is: bool, what: &'static str| if is { what } else { "" };
            let (reorder, duplicate) = (also(reorder, ", reordering"), also(duplicate, ", doubling"));
            format!("on the way to it: {:.0} % loss{reorder}{duplicate}, seed {seed}", 100.0 * loss)
        });
        let all: Vec<String> = alteration.into_iter().chain(way).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Puts them into a laboratory.
    pub(crate) fn put(&self, lab: Lab) -> Lab {
        let lab = lab.impairing(self.impairment());
        match self.alter {
            Some(kind) => lab.interposing(kind.interposition()),
            None => lab,
        }
    }
}
