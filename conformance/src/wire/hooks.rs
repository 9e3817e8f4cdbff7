//! Shell commands of a profile, with placeholders.

use std::time::Duration;

use super::{applications, operations};

/// The commands. Each runs in a shell, where the device is; `{name}` stands for a value.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Hooks {
    /// Runs the device, and does not end before the device ends.
    pub start: Option<String>,
    /// Has a device that is there anyway forget all its state; it runs before each device of a case.
    pub reset: Option<String>,
    /// Succeeds once the device is ready; it is tried again and again. Nothing said: the device is ready when it answers
    /// HTTP on the Unix socket `{socket}`.
    pub ready: Option<String>,
    /// Has the device take up the configuration that was changed in `{config}`.
    pub configure: Option<String>,
    /// An application on the device sends, or changes what it sends: a Path with the SENDER_TEMPLATE `{source}` for the
    /// session `{destination}`, `{port}`, `{protocol}` (a number), and the token bucket `{rate}`, `{peak}` (bits per
    /// second), `{bucket}`, `{min-unit}`, `{max-packet}` (octets). `{ttl}` is that of its data, `{adspec}` says `yes` or
    /// `no`.
    pub send: Option<String>,
    /// It ceases to send as `{source}` to the session.
    pub withdraw: Option<String>,
    /// An application joins the group of the session, and does not reserve yet.
    pub receive: Option<String>,
    /// It reserves, or changes what it has reserved: a token bucket as above, of controlled load, in the `{style}` `ff`,
    /// `se` or `wf` for the `{senders}` (as `{source}`, with spaces between), at its own address `{receiver}`;
    /// `{confirm}` says `yes` or `no`.
    pub reserve: Option<String>,
    /// It withdraws its reservation for the session.
    pub unreserve: Option<String>,
    /// Applications have done with the session.
    pub release: Option<String>,
    /// The operator removes all state of the session `{destination}`, `{port}`, `{protocol}` (a number), and the device tears
    /// it down towards its neighbours. What applications on the device want stays.
    pub clear: Option<String>,
    /// An interface of a device that is there anyway goes `{state}`, which is `down` or `up`: the one that the plan calls
    /// `{interface}`: `a`, `b`, `c` or `d`. It is brought up again when the case is over.
    pub link: Option<String>,
    /// The route of a device that is there anyway to `{destination}`/`{length}` leads to `{gateway}` on `{interface}` from
    /// now on, to hosts on the link if there is no gateway, and nowhere if there is neither. What a case changes is put
    /// back when it is over.
    pub route: Option<String>,
    /// A device that is there anyway loses all its state without a word, and starts anew; it ends when that is done.
    pub restart: Option<String>,
    /// Prints the state of the device, for whoever looks into a case that it did not pass.
    pub dump: Option<String>,
}

/// How long a command may take.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// What stands for what in every command.
const COMMON: [&str; 5] = ["bin", "config", "socket", "dir", "refresh"];

impl Hooks {
    /// All that are there, with their names.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let Self {
            start,
            reset,
            ready,
            configure,
            send,
            withdraw,
            receive,
            reserve,
            unreserve,
            release,
            clear,
            link,
            route,
            restart,
            dump,
        } = self;
        let all = [
            ("start", start),
            ("reset", reset),
            ("ready", ready),
            ("configure", configure),
            ("send", send),
            ("withdraw", withdraw),
            ("receive", receive),
            ("reserve", reserve),
            ("unreserve", unreserve),
            ("release", release),
            ("clear", clear),
            ("link", link),
            ("route", route),
            ("restart", restart),
            ("dump", dump),
        ];
        all.into_iter().filter_map(|(name, command)| Some((name, command.as_deref()?)))
    }
}

/// Looks for placeholders that stand for nothing.
///
/// # Errors
///
/// The placeholder, and what is wrong with it.
pub(super) fn check(hook: &str, command: &str) -> Result<(), (String, String)> {
    for (at, _) in command.match_indices('{') {
        let Some((name, _)) = command[at + 1..].split_once('}') else { continue };
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        // "${name}" is the shell's.
        let more: &[&str] = match hook {
            "send" | "withdraw" | "receive" | "reserve" | "unreserve" | "release" => &applications::NAMES,
            "clear" => &applications::SESSION,
            "link" | "route" => &operations::NAMES,
            _ => &[],
        };
        let known = [&COMMON[..], more].concat();
        if is_name && !command[..at].ends_with('$') && !known.contains(&name) {
            let known = known.join("}, {");
            return Err((
                format!("{{{name}}}"),
                format!("hooks.{hook}: {{{name}}} stands for nothing; there are {{{known}}}"),
            ));
        }
    }
    Ok(())
}

/// Puts values in place of placeholders.
pub(super) fn fill(command: &str, values: &[(&str, String)]) -> String {
    values
        .iter()
        .fold(command.to_owned(), |command, (name, value)| command.replace(&format!("{{{name}}}"), value))
}
