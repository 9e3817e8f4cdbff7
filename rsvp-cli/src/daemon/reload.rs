//! Another configuration takes effect while the daemon runs.

use rsvp_client::api::Reloaded;
use rsvp_core::Command;

use super::serve::carrier;
use crate::config::Config;
use crate::control::Context;

/// Reads the configuration file again. A file that is wrong changes nothing.
///
/// # Errors
///
/// What is wrong with the file, one line.
pub(crate) async fn reload(context: &Context) -> Result<Reloaded, String> {
    let old = context.config();
    let Some(file) = old.file.clone() else {
        return Err("the daemon runs without a configuration file".to_owned());
    };
    let mut new = Config::load(&file).map_err(|e| format!("{e}; the old configuration stays in force"))?;
    let mut notes = take_up(&old, &mut new);
    context.handle.command(Command::Configure(new.node.clone())).await.map_err(|e| e.to_string())?;
    let changes = context.standing.apply(&new).await;
    notes.extend(changes.failures);
    context.set_config(new);
    tracing::info!(
        file = %file.display(),
        added = changes.added,
        removed = changes.removed,
        unchanged = changes.unchanged,
        "configuration reloaded"
    );
    for note in &notes {
        tracing::warn!("{note}");
    }
    Ok(Reloaded {
        file: file.display().to_string(),
        added: changes.added,
        removed: changes.removed,
        unchanged: changes.unchanged,
        notes,
    })
}

/// Tells what waits for the next start, and keeps the node in the role that its sockets were opened for until then, and a
/// host without raw sockets without them.
fn take_up(old: &Config, new: &mut Config) -> Vec<String> {
    let notes = needs_restart(old, new);
    new.node.router = old.node.router;
    if old.node.hu().is_some() != new.node.hu().is_some() {
        new.node.udp_only = old.node.udp_only;
    }
    notes
}

/// The changed settings that the daemon looks at only when it starts.
fn needs_restart(old: &Config, new: &Config) -> Vec<String> {
    let changed = [
        ("control", old.control != new.control),
        ("log", old.log != new.log),
        ("role", old.node.router != new.node.router),
        ("udp-only, or the last udp-encapsulation = \"never\"", carrier(old) != carrier(new)),
        ("the link rates and traffic-control of interfaces", link_rates(old) != link_rates(new)),
    ];
    changed
        .into_iter()
        .filter(|(_, changed)| *changed)
        .map(|(what, _)| format!("{what}: changed, in force at the next start"))
        .collect()
}

/// What traffic control was set up with, by interface.
fn link_rates(config: &Config) -> Vec<(&str, bool, Option<u64>)> {
    let named = config.node.interfaces.iter().map(|(name, interface)| (name.as_str(), interface));
    let all = named.chain(std::iter::once(("", &config.node.default_interface)));
    all.map(|(name, interface)| {
        (name, config.extras(name).traffic_control, interface.bandwidth.map(|pool| pool.link))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(text: &str) -> Config {
        Config::parse(text, Path::new("rsvp.toml")).expect("a good file")
    }

    #[test]
    fn settings_that_wait_for_a_restart_are_told() {
        let old = config("[interface.eth0]\nbandwidth = { link = \"10Mbit\", total = \"5Mbit\" }\n");
        let pool = config("[interface.eth0]\nbandwidth = { link = \"10Mbit\", total = \"6Mbit\" }\n");
        assert!(needs_restart(&old, &pool).is_empty(), "a pool changes at once");
        let link = config("[interface.eth0]\nbandwidth = { link = \"20Mbit\", total = \"5Mbit\" }\n");
        assert_eq!(needs_restart(&old, &link).len(), 1);
        let role = config("role = \"host\"\n[log]\nlevel = \"debug\"\n");
        assert_eq!(needs_restart(&old, &role).len(), 3, "role, log and link rates");
    }

    #[test]
    fn sockets_are_opened_at_the_start() {
        let old = config("role = \"host\"\n");
        let mut new = config("role = \"host\"\n[udp-only]\n");
        assert_eq!(take_up(&old, &mut new).len(), 1);
        assert_eq!(new.node.udp_only, None, "there are no sockets for it");
        let mut new = config("role = \"host\"\n[defaults]\nudp-encapsulation = \"always\"\n");
        assert!(take_up(&old, &mut new).is_empty(), "the sockets are there");
        let never = config("[defaults]\nudp-encapsulation = \"never\"\n");
        assert_eq!(needs_restart(&never, &config("")).len(), 1);
        let here = config("role = \"host\"\n[udp-only]\nfirst-hop = \"192.0.2.1\"\n");
        let mut there = config("role = \"host\"\n[udp-only]\nfirst-hop = \"192.0.2.2\"\n");
        assert!(take_up(&here, &mut there).is_empty(), "another first hop is taken up at once");
        assert_ne!(there.node.udp_only, here.node.udp_only);
    }

    #[test]
    fn a_router_stays_one_until_the_next_start() {
        let (old, mut new) = (config(""), config("role = \"host\"\n"));
        assert_eq!(take_up(&old, &mut new), ["role: changed, in force at the next start"]);
        assert!(new.node.router, "messages in transit are still handled");
    }
}
