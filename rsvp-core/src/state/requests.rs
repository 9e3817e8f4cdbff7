//! Requests that wait to be fetched: at most one per route, installation and group, the latest.

use alloc::collections::VecDeque;

use super::Group;
use crate::map::{HashKey, Map};
use crate::output::{InstallationId, Request, RouteKey};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Route(RouteKey),
    Installation(InstallationId),
    Group(Group),
}

fn key(request: &Request) -> Key {
    match request {
        Request::WatchRoute(route) | Request::UnwatchRoute(route) => Key::Route(*route),
        Request::Install(installation) => Key::Installation(installation.id),
        Request::Remove(id) => Key::Installation(*id),
        Request::Join { group, interface } | Request::Leave { group, interface } => {
            Key::Group(Group { address: *group, interface: *interface })
        }
    }
}

/// The queue of requests.
#[derive(Debug)]
pub(crate) struct Requests {
    order: VecDeque<Key>,
    latest: Map<Key, Request>,
}

impl Requests {
    pub(crate) fn new(hash: HashKey) -> Self {
        Self { order: VecDeque::new(), latest: Map::with_hasher(hash) }
    }

    /// Queues a request; it replaces one of the same key that was not fetched yet.
    pub(crate) fn push(&mut self, request: Request) {
        let key = key(&request);
        if self.latest.insert(key, request).is_none() {
            self.order.push_back(key);
        }
    }

    /// The next request.
    pub(crate) fn pop(&mut self) -> Option<Request> {
        let key = self.order.pop_front()?;
        self.latest.remove(&key)
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}
