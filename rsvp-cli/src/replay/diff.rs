//! What has changed in the state of a node: what is new, what is gone, and which of its values are others.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use rsvp_core::Node;
use serde::Serialize;
use serde_json::{Value, json};

/// The engine's own views of its state by what they are about, in words. Times in them are microseconds of the node's.
pub(super) type Snapshot = BTreeMap<String, Value>;

/// What one item of the state has come to.
pub(super) enum Change {
    /// It is new.
    Created(String, Value),
    /// It is gone.
    Removed(String, Value),
    /// One of its values is another.
    Modified {
        /// Which item.
        item: String,
        /// Which value of it.
        path: String,
        /// The value before.
        from: Value,
        /// And after.
        to: Value,
    },
}

/// The state of a node.
///
/// # Errors
///
/// When a value cannot be written, which does not happen.
pub(super) fn snapshot(node: &Node) -> serde_json::Result<Snapshot> {
    let mut all = Snapshot::new();
    add(&mut all, node.sessions(), |view| format!("session {}", view.session))?;
    add(&mut all, node.senders(), |view| {
        let from = view.previous_hop.map(|hop| format!(" from {}", hop.address)).unwrap_or_default();
        format!("sender {} to {}{from}", view.sender, view.session)
    })?;
    add(&mut all, node.reservations(), |view| {
        let of = view.next_hop.map(|hop| format!(" of {hop}")).unwrap_or_default();
        let filters: Vec<String> = view.filters.iter().map(ToString::to_string).collect();
        format!("reservation{of} for {} {}", view.session, filters.join(", "))
    })?;
    add(&mut all, node.requests(), |view| format!("request to {} for {}", view.previous_hop, view.session))?;
    add(&mut all, node.refusals(), |view| format!("refusal for {}: {:?}", view.session, view.subject))?;
    add(&mut all, node.installed(), |view| format!("installation {} for {}", view.id.0, view.session))?;
    add(&mut all, node.interfaces(), |view| format!("interface {}", view.name))?;
    add(&mut all, node.neighbors(), |view| format!("neighbor {} on #{}", view.address, view.interface.0))?;
    all.insert("counters".to_owned(), serde_json::to_value(node.counters())?);
    Ok(all)
}

fn add<V: Serialize>(
    all: &mut Snapshot,
    views: Vec<V>,
    name: impl Fn(&V) -> String,
) -> serde_json::Result<()> {
    for view in views {
        let name = name(&view).trim().to_owned();
        // Two of the same name are told apart by their order.
        let count = (2..).map(|count| format!("{name} ({count})"));
        let free = std::iter::once(name.clone()).chain(count).find(|name| !all.contains_key(name));
        all.insert(free.unwrap_or(name), serde_json::to_value(&view)?);
    }
    Ok(())
}

/// What has changed, in the order of the names.
pub(super) fn changes(before: &Snapshot, after: &Snapshot) -> Vec<Change> {
    let mut changes = Vec::new();
    for (item, from) in before {
        match after.get(item) {
            Some(to) => compare(item, "", from, to, &mut changes),
            None => changes.push(Change::Removed(item.clone(), from.clone())),
        }
    }
    let created = after.iter().filter(|(item, _)| !before.contains_key(*item));
    changes.extend(created.map(|(item, value)| Change::Created(item.clone(), value.clone())));
    changes
}

/// Objects are compared by their fields, everything else as a whole.
fn compare(item: &str, path: &str, from: &Value, to: &Value, changes: &mut Vec<Change>) {
    match (from, to) {
        (Value::Object(old), Value::Object(new)) => {
            for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let (from, to) = (old.get(key).unwrap_or(&Value::Null), new.get(key).unwrap_or(&Value::Null));
                compare(item, &path, from, to, changes);
            }
        }
        _ if from == to => {}
        _ => changes.push(Change::Modified {
            item: item.to_owned(),
            path: path.to_owned(),
            from: from.clone(),
            to: to.clone(),
        }),
    }
}

impl Change {
    /// As a document.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Created(item, value) => json!({ "change": "created", "item": item, "value": value }),
            Self::Removed(item, value) => json!({ "change": "removed", "item": item, "value": value }),
            Self::Modified { item, path, from, to } => {
                json!({ "change": "modified", "item": item, "field": path, "from": from, "to": to })
            }
        }
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created(item, value) => write!(f, "+ {item}: {value}"),
            Self::Removed(item, value) => write!(f, "- {item}: {value}"),
            Self::Modified { item, path, from, to } => write!(f, "~ {item}: {path} {from} -> {to}"),
        }
    }
}
