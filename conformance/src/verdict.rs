//! Verdicts, and what was wrong.

use std::fmt;

use serde::Serialize;

/// What a case says of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It does what the requirements ask for.
    Pass,
    /// It does not.
    Fail,
    /// It does not do what is only recommended or optional.
    NotStrict,
    /// The device, or its bench, cannot do what the case needs.
    Unsupported,
    /// The tester could not tell, for a reason of its own.
    Inconclusive,
    /// The case was not run.
    Skipped,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pass, Self::Fail, Self::NotStrict, Self::Unsupported, Self::Inconclusive, Self::Skipped];

    /// What it says.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Pass => "The device does what the requirements ask for.",
            Self::Fail => "It does not.",
            Self::NotStrict => "It does not do what is only recommended or optional.",
            Self::Unsupported => "The device, or its bench, cannot do what the case needs.",
            Self::Inconclusive => "The tester could not tell, for a reason of its own.",
            Self::Skipped => "The case was not run.",
        }
    }

    /// Whether a device may have it and pass, where it is held to what is recommended, too, or not.
    #[must_use]
    pub fn is_good(self, strict: bool) -> bool {
        self != Self::Fail && (!strict || self != Self::NotStrict)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotStrict => "not strict",
            Self::Unsupported => "unsupported",
            Self::Inconclusive => "inconclusive",
            Self::Skipped => "skipped",
        })
    }
}

/// What was wrong with what a device did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What the case says about it, where it says something.
    pub about: Option<String>,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub came: String,
    /// The first difference between both, where they can be compared.
    pub difference: Option<Difference>,
    /// Where in the case's source.
    pub place: Option<String>,
}

/// Where two texts begin to differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What was expected from there on, with a little before it.
    pub expected: String,
    /// What came from there on.
    pub came: String,
}

/// What is expected where a case says no more than what it found.
const ASSERTED: &str = "what the case asserts";

/// How much of a text is shown on each side of the first difference, in characters.
const CONTEXT: usize = 40;

impl Failure {
    /// Reads what a case said when it panicked: an `assert_eq!` whose left side is what came, or an expectation of the
    /// bench.
    #[must_use]
    pub fn parse(text: &str, place: Option<String>) -> Self {
        if let Some((head, sides)) = text.split_once("\n  left: ")
            && let Some((came, expected)) = sides.split_once("\n right: ")
        {
            let (operator, about) = match head.split_once(" failed: ") {
                Some((operator, about)) => (operator, Some(about.to_owned())),
                None => (head, None),
            };
            let is_equality = operator.contains("==");
            let difference = is_equality.then(|| Difference::first(expected, came)).flatten();
            let expected =
                if is_equality { expected.to_owned() } else { format!("something else than {expected}") };
            return Self { about, expected, came: came.to_owned(), difference, place };
        }
        if let Some(rest) = text.strip_prefix("expected ")
            && let Some((expected, came)) = rest.split_once("; the DUT sent:\n")
        {
            let came: Vec<&str> = came.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
            let (expected, came) = (expected.to_owned(), came.join("\n"));
            return Self { about: None, expected, came, difference: None, place };
        }
        let (expected, came) = match text.strip_prefix("expected ").and_then(|rest| rest.split_once(", not "))
        {
            Some((expected, came)) => (expected, came),
            None => (ASSERTED, text),
        };
        Self { about: None, expected: expected.to_owned(), came: came.to_owned(), difference: None, place }
    }

    /// All of it in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let about = self.about.as_ref().map_or_else(String::new, |about| format!("{}: ", line(about)));
        if self.expected == ASSERTED {
            return shorten(&line(&self.came));
        }
        format!("{about}expected {}, came {}", shorten(&line(&self.expected)), shorten(&line(&self.came)))
    }
}

/// The beginning of a text that is long.
fn shorten(text: &str) -> String {
    const LONG: usize = 120;
    match text.char_indices().nth(LONG) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Difference {
    /// Where the texts begin to differ; `None` if they do not.
    #[must_use]
    pub fn first(expected: &str, came: &str) -> Option<Self> {
        let at = expected.chars().zip(came.chars()).take_while(|(one, other)| one == other).count();
        let excerpt = |text: &str| {
            let from = at.saturating_sub(CONTEXT);
            let shown: String = text.chars().skip(from).take(at - from + CONTEXT).collect();
            if from > 0 { format!("…{shown}") } else { shown }
        };
        (expected != came).then(|| Self { expected: excerpt(expected), came: excerpt(came) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_says_what_came_on_its_left() {
        let text = "assertion `left == right` failed: the flags\n  left: [1, 2, 3]\n right: [1, 4, 3]";
        let failure = Failure::parse(text, None);
        assert_eq!((failure.about.as_deref(), &failure.came[..]), (Some("the flags"), "[1, 2, 3]"));
        let difference = failure.difference.expect("they differ");
        assert_eq!((&difference.expected[..4], &difference.came[..4]), ("[1, ", "[1, "));
    }

    #[test]
    fn an_expectation_says_what_the_device_sent_instead() {
        let failure = Failure::parse("expected a Path from c; the DUT sent:\n  nothing", None);
        assert_eq!((&failure.expected[..], &failure.came[..]), ("a Path from c", "nothing"));
        assert_eq!(failure.summary(), "expected a Path from c, came nothing");
    }

    #[test]
    fn any_other_text_is_what_came() {
        let failure = Failure::parse("out of order", Some("x.rs:1".to_owned()));
        assert_eq!(failure.came, "out of order");
        let failure = Failure::parse("assertion `left != right` failed\n  left: 1\n right: 1", None);
        assert_eq!((failure.expected.as_str(), failure.difference), ("something else than 1", None));
    }
}
