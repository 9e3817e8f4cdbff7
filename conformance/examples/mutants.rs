//! Does the suite find faults of the daemon, over the wire alone?
//!
//! ```text
//! cargo install cargo-mutants --locked
//! cargo build -p conformance
//! cargo run -p conformance --example mutants -- --count 40 --seed 7
//! ```
//!
//! cargo-mutants lists the mutants of the engine: small faults, each in one place. This draws some of them by chance, and
//! none by hand; builds a daemon of each in a copy of the sources, and has `conformance run` judge it. A mutant counts as
//! caught when a case that the daemon passes as it is does not pass with it, twice. What cannot be built is left out, and
//! another one is drawn. The outcome is written as Markdown and as JSON after every mutant.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

use clap::Parser;
use rsvp_sim::{Draw, seeded};
use serde::{Deserialize, Serialize};

/// Build mutants of the engine as daemons, and have the suite judge them over the wire.
#[derive(Parser)]
struct Arguments {
    /// How many mutants are judged.
    #[arg(long, default_value_t = 40)]
    count: usize,
    /// What chance begins with; nothing said: the time.
    #[arg(long)]
    seed: Option<u64>,
    /// The folders of the engine that mutants are drawn from.
    #[arg(long, default_values_t = ["process", "state", "reduction"].map(str::to_owned))]
    folder: Vec<String>,
    /// The profile of the daemon; it must take its program from the environment, as RSVP_CLI.
    #[arg(long, default_value = "conformance/profiles/rsvp-cli.toml")]
    profile: PathBuf,
    /// The suite; nothing said: the one built beside this program.
    #[arg(long)]
    conformance: Option<PathBuf>,
    /// How many cases run at a time.
    #[arg(long, default_value_t = 16)]
    jobs: usize,
    /// Only cases with this in their id.
    #[arg(long)]
    filter: Vec<String>,
    /// How long a run may take before the mutant counts as caught by that, in seconds.
    #[arg(long, default_value_t = 900)]
    patience: u64,
    /// Where the copy of the sources is, and what is built of it.
    #[arg(long, default_value_os_t = env::temp_dir().join("rsvp-mutants"))]
    work: PathBuf,
    /// Where the outcome is written: this name with .md and .json.
    #[arg(long, default_value = "mutants")]
    out: PathBuf,
}

/// A mutant, as cargo-mutants lists it.
#[derive(Deserialize)]
struct Mutant {
    /// The place and what is done there.
    name: String,
    file: String,
    diff: String,
}

/// A mutant that was built, or could not be.
struct Built {
    name: String,
    daemon: Option<PathBuf>,
    seconds: f64,
}

/// What became of a mutant.
#[derive(Serialize)]
struct Judged {
    mutant: String,
    caught: bool,
    /// The case that did not pass, with its verdict; or what else ended it.
    by: Option<String>,
    /// Cases that did not pass once, and did when they were run again.
    doubtful: Vec<String>,
    build_seconds: f64,
    run_seconds: f64,
}

/// The campaign.
#[derive(Serialize)]
struct Campaign {
    seed: u64,
    commit: String,
    folders: Vec<String>,
    /// How many there are to draw from.
    mutants: usize,
    judged: Vec<Judged>,
    /// Those that were drawn and could not be built.
    not_built: Vec<String>,
}

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match campaign(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mutants: {error}");
            ExitCode::FAILURE
        }
    }
}

fn campaign(arguments: &Arguments) -> Fallible<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let bench = Bench::new(arguments, &root)?;
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
    let seed = arguments.seed.unwrap_or_else(seconds);
    let commit = bench.copy(&root)?;
    let mut mutants = bench.list(&arguments.folder)?;
    println!("{} mutants in {}, seed {seed}, commit {commit}", mutants.len(), arguments.folder.join(", "));
    shuffle(&mut mutants, seed);

    println!("the daemon as it is:");
    let clock = Instant::now();
    let daemon = bench.build("as-it-is")?.ok_or("the daemon as it is cannot be built")?;
    println!("  built in {:.0} s", clock.elapsed().as_secs_f64());
    let clock = Instant::now();
    let passing = bench.passing(&daemon)?;
    println!("  passes {} cases in {:.0} s", passing.len(), clock.elapsed().as_secs_f64());

    let mut campaign = Campaign {
        seed,
        commit,
        folders: arguments.folder.clone(),
        mutants: mutants.len(),
        judged: Vec::new(),
        not_built: Vec::new(),
    };
    // While one is judged, which is mostly waiting, the next one is built.
    let (sender, receiver) = mpsc::sync_channel(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for (number, mutant) in mutants.iter().enumerate() {
                let built = bench.build_mutant(mutant, number).map_err(|error| error.to_string());
                if sender.send(built).is_err() {
                    return;
                }
            }
            drop(sender);
        });
        let receiver = receiver;
        while campaign.judged.len() < arguments.count {
            let Ok(built) = receiver.recv() else { break };
            campaign.judge(&bench, &built?, &passing)?;
            fs::write(arguments.out.with_extension("md"), campaign.markdown())?;
            fs::write(arguments.out.with_extension("json"), serde_json::to_string_pretty(&campaign)?)?;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    println!("{}", campaign.share());
    Ok(())
}

/// Puts mutants into an order that the seed decides.
fn shuffle(mutants: &mut [Mutant], seed: u64) {
    let mut random = seeded(seed);
    for end in (1..mutants.len()).rev() {
        mutants.swap(end, random.below(end + 1));
    }
}

/// Where mutants are built and judged.
struct Bench<'a> {
    arguments: &'a Arguments,
    conformance: PathBuf,
    profile: PathBuf,
    tree: PathBuf,
    target: PathBuf,
}

/// How a run of the suite ended.
enum Ended {
    /// With these cases passed, and this one not.
    Cases { passed: BTreeSet<String>, other: Option<(String, String)> },
    /// Not at all, or with something else.
    Otherwise(String),
}

impl<'a> Bench<'a> {
    fn new(arguments: &'a Arguments, root: &Path) -> Fallible<Self> {
        let beside = || -> io::Result<PathBuf> {
            let own = env::current_exe()?;
            let folder = own.parent().and_then(Path::parent).unwrap_or(Path::new("."));
            Ok(folder.join("conformance"))
        };
        let conformance = arguments.conformance.clone().map_or_else(beside, Ok)?;
        if !conformance.is_file() {
            return Err(
                format!("{}: build it with `cargo build -p conformance`", conformance.display()).into()
            );
        }
        // The suite and the profile are those of this tree as it is now; the daemon is that of the copy.
        fs::create_dir_all(&arguments.work)?;
        let keep = |file: &Path, name: &str| -> io::Result<PathBuf> {
            let kept = arguments.work.join(name);
            fs::copy(file, &kept)?;
            Ok(kept)
        };
        let conformance = keep(&conformance, "conformance")?;
        let profile = keep(&root.join(&arguments.profile), "profile.toml")?;
        let tree = arguments.work.join("tree");
        Ok(Self { arguments, conformance, profile, tree, target: arguments.work.join("target") })
    }

    /// Brings the copy of the sources to the commit that is checked out here, and returns it.
    fn copy(&self, root: &Path) -> Fallible<String> {
        let commit = output(git(root).args(["rev-parse", "HEAD"]))?.trim().to_owned();
        if !output(git(root).args(["status", "--porcelain"]))?.trim().is_empty() {
            println!("the tree has changes that are not committed; they are left out");
        }
        if !self.tree.is_dir() {
            output(
                Command::new("git").args(["clone", "--quiet", "--no-checkout"]).arg(root).arg(&self.tree),
            )?;
        }
        output(git(&self.tree).args(["fetch", "--quiet"]).arg(root).arg("HEAD"))?;
        output(git(&self.tree).args(["checkout", "--quiet", "--force", "--detach", &commit]))?;
        Ok(commit)
    }

    fn list(&self, folders: &[String]) -> Fallible<Vec<Mutant>> {
        let mut command = Command::new("cargo");
        command.args(["mutants", "--list", "--json", "--diff", "--package", "rsvp-core"]);
        for folder in folders {
            command.arg("--file").arg(format!("rsvp-core/src/{folder}/**"));
        }
        let text = output(command.current_dir(&self.tree))
            .map_err(|error| format!("{error}\ninstall it with `cargo install cargo-mutants --locked`"))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Builds the daemon, and keeps it by a name; `None` if that cannot be done.
    fn build(&self, name: &str) -> Fallible<Option<PathBuf>> {
        let mut command = Command::new("nice");
        command.args(["cargo", "build", "--quiet", "--package", "rsvp-cli"]).current_dir(&self.tree);
        // A mutant may leave something unused. Nobody debugs it.
        command.env("CARGO_TARGET_DIR", &self.target).env("RUSTFLAGS", "--cap-lints=allow");
        command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "1");
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if !status.success() {
            return Ok(None);
        }
        let daemon = self.arguments.work.join(format!("daemon-{name}"));
        fs::copy(self.target.join("debug/rsvp-cli"), &daemon)?;
        Ok(Some(daemon))
    }

    /// Builds a mutant.
    fn build_mutant(&self, mutant: &Mutant, number: usize) -> Fallible<Built> {
        let clock = Instant::now();
        self.apply(mutant)?;
        let daemon = self.build(&number.to_string())?;
        output(git(&self.tree).args(["checkout", "--quiet", "--force", "--", "."]))?;
        Ok(Built { name: mutant.name.clone(), daemon, seconds: clock.elapsed().as_secs_f64() })
    }

    /// The cases that the daemon passes as it is, two times out of two.
    fn passing(&self, daemon: &Path) -> Fallible<BTreeSet<String>> {
        let run = || match self.run(daemon, &self.arguments.filter, None)? {
            Ended::Cases { passed, .. } => Ok::<_, Box<dyn std::error::Error>>(passed),
            Ended::Otherwise(what) => Err(format!("the daemon as it is: {what}").into()),
        };
        let (first, second) = (run()?, run()?);
        first.symmetric_difference(&second).for_each(|case| println!("  passes once of twice: {case}"));
        Ok(first.intersection(&second).cloned().collect())
    }

    fn apply(&self, mutant: &Mutant) -> Fallible<()> {
        // cargo-mutants says in the head of the diff what is done, where git wants the file.
        let hunks = mutant.diff.lines().skip(2);
        let head = [format!("--- a/{}", mutant.file), format!("+++ b/{}", mutant.file)];
        let lines: Vec<String> = head.into_iter().chain(hunks.map(str::to_owned)).collect();
        let file = self.arguments.work.join("mutant.diff");
        fs::write(&file, lines.join("\n") + "\n")?;
        output(git(&self.tree).arg("apply").arg(&file))?;
        Ok(())
    }

    /// What catches a daemon, if anything does.
    fn catch(
        &self,
        daemon: &Path,
        passing: &BTreeSet<String>,
        doubtful: &mut Vec<String>,
    ) -> Fallible<Option<String>> {
        for _ in 0..3 {
            let (case, verdict) = match self.run(daemon, &self.arguments.filter, Some(passing))? {
                Ended::Otherwise(what) => return self.unless_idle(what).map(Some),
                Ended::Cases { other: None, .. } => return Ok(None),
                Ended::Cases { other: Some(other), .. } => other,
            };
            match self.run(daemon, std::slice::from_ref(&case), Some(passing))? {
                Ended::Otherwise(what) => return self.unless_idle(format!("{case}: {what}")).map(Some),
                Ended::Cases { other: Some(_), .. } => return Ok(Some(format!("{case}: {verdict}"))),
                Ended::Cases { other: None, .. } => doubtful.push(case),
            }
        }
        Ok(None)
    }

    /// What ended a run, unless the suite cannot be run at all: then nothing is known of the mutant.
    fn unless_idle(&self, what: String) -> Fallible<String> {
        let as_it_is = self.arguments.work.join("daemon-as-it-is");
        match self.run(&as_it_is, &["rfc2205/3.1.3/".to_owned()], None)? {
            Ended::Cases { passed, .. } if !passed.is_empty() => Ok(what),
            _ => Err(format!("the suite cannot be run any more: {what}").into()),
        }
    }

    /// Runs the suite against a daemon. With the cases that ought to pass it ends as soon as one of them
    /// does not.
    fn run(&self, daemon: &Path, filter: &[String], ought: Option<&BTreeSet<String>>) -> Fallible<Ended> {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=20", &self.arguments.patience.to_string()]);
        command.arg(&self.conformance).args(["run", "--strict", "--jobs", &self.arguments.jobs.to_string()]);
        command.arg("--profile").arg(&self.profile).env("RSVP_CLI", daemon);
        for text in filter {
            command.args(["--filter", text]);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdout = child.stdout.take().ok_or("it has no output")?;
        let (mut passed, mut other) = (BTreeSet::new(), None);
        for line in BufReader::new(stdout).lines() {
            let Some((verdict, case)) = verdict(&line?) else { continue };
            if verdict == "pass" {
                passed.insert(case);
            } else if ought.is_some_and(|ought| ought.contains(&case)) && other.is_none() {
                other = Some((case, verdict.to_owned()));
                let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
            }
        }
        let status = child.wait()?;
        sweep(daemon)?;
        let is_ended = other.is_some() || matches!(status.code(), Some(0 | 1));
        if is_ended {
            return Ok(Ended::Cases { passed, other });
        }
        Ok(Ended::Otherwise(match status.code() {
            Some(124 | 137) => format!("no end within {} s", self.arguments.patience),
            _ => format!("the suite: {status}"),
        }))
    }
}

/// Ends what a run has left of a daemon.
fn sweep(daemon: &Path) -> Fallible<()> {
    let is_daemon =
        |process: &Path| fs::read_link(process.join("exe")).is_ok_and(|program| program == daemon);
    let processes = fs::read_dir("/proc")?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let left: Vec<PathBuf> = processes.filter(|process| is_daemon(process)).collect();
    for id in left.iter().filter_map(|process| process.file_name()) {
        let _ = Command::new("kill").arg("-KILL").arg(id).status();
    }
    if !left.is_empty() {
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// Verdict and case of a line of `conformance run`.
fn verdict(line: &str) -> Option<(&'static str, String)> {
    const VERDICTS: [&str; 6] = ["pass", "fail", "not strict", "unsupported", "inconclusive", "skipped"];
    let verdict = VERDICTS.into_iter().find(|verdict| line.starts_with(&format!("{verdict:<12}  ")))?;
    let case = line.get(14..)?.split_whitespace().next()?;
    Some((verdict, case.to_owned()))
}

impl Campaign {
    /// Has a mutant judged, if it could be built.
    fn judge(&mut self, bench: &Bench<'_>, built: &Built, passing: &BTreeSet<String>) -> Fallible<()> {
        let Built { name, daemon, seconds } = built;
        println!("{} of {}: {name}", self.judged.len() + 1, bench.arguments.count);
        let Some(daemon) = daemon else {
            println!("  cannot be built; another one is drawn");
            self.not_built.push(name.clone());
            return Ok(());
        };
        let (clock, mut doubtful) = (Instant::now(), Vec::new());
        let by = bench.catch(daemon, passing, &mut doubtful)?;
        let run_seconds = clock.elapsed().as_secs_f64();
        let fate = by.as_deref().map_or("survived".to_owned(), |by| format!("caught by {by}"));
        println!("  {fate} (built in {seconds:.0} s, run {run_seconds:.0} s)");
        let (mutant, caught, build_seconds) = (name.clone(), by.is_some(), *seconds);
        self.judged.push(Judged { mutant, caught, by, doubtful, build_seconds, run_seconds });
        fs::remove_file(daemon)?;
        Ok(())
    }

    fn share(&self) -> String {
        let caught = self.judged.iter().filter(|judged| judged.caught).count();
        let percent = 100.0 * caught as f64 / self.judged.len().max(1) as f64;
        format!("{caught} of {} mutants caught: {percent:.0} %", self.judged.len())
    }

    fn markdown(&self) -> String {
        let Self { seed, commit, folders, mutants, judged, not_built } = self;
        let mut text = "# Mutants of the engine, judged over the wire\n\n".to_owned();
        let folders = folders.join("`, `");
        let _ =
            writeln!(text, "Drawn by chance from {mutants} in `{folders}` at {commit}, with seed {seed}.\n");
        let _ = writeln!(text, "**{}**\n", self.share());
        text += "| mutant | caught by | build | run |\n|---|---|---:|---:|\n";
        for Judged { mutant, by, build_seconds, run_seconds, .. } in judged {
            let by = by.as_deref().unwrap_or("**survived**");
            let name = mutant.trim_start_matches("rsvp-core/src/").replace('|', "\\|");
            let _ = writeln!(text, "| `{name}` | {by} | {build_seconds:.0} s | {run_seconds:.0} s |");
        }
        if !not_built.is_empty() {
            text += "\nDrawn, and not built, since the compiler refuses it:\n\n";
            text.extend(not_built.iter().map(|name| format!("- `{name}`\n")));
        }
        text
    }
}

fn git(tree: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(tree);
    command
}

/// What a command says; an error if it fails.
fn output(command: &mut Command) -> Fallible<String> {
    let result = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !result.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&result.stderr).trim()).into());
    }
    Ok(String::from_utf8(result.stdout)?)
}
