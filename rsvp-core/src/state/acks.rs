//! Acknowledgements that this node owes its neighbours (RFC 2961 section 4.6).

use alloc::collections::{BTreeMap, VecDeque};
use core::net::IpAddr;

use slotmap::SlotMap;

use super::AckId;
use crate::input::InterfaceId;
use crate::time::Instant;
use crate::timer::TimerId;
use crate::wire::Acknowledgement;

/// An acknowledgement to make.
#[derive(Clone, Copy, Debug)]
struct Owed {
    acknowledgement: Acknowledgement,
    /// Not before: that of a message to a group waits for a random time, even for company.
    earliest: Instant,
    /// Not after.
    latest: Instant,
}

/// What one generator of messages is owed.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) interface: InterfaceId,
    pub(crate) generator: IpAddr,
    owed: VecDeque<Owed>,
    pub(crate) timer: Option<TimerId>,
    /// Whether it waits in the outbox.
    pub(crate) queued: bool,
}

impl Account {
    pub(crate) fn len(&self) -> usize {
        self.owed.len()
    }

    /// When something has to leave at the latest.
    pub(crate) fn latest(&self) -> Option<Instant> {
        self.owed.iter().map(|owed| owed.latest).min()
    }

    /// How many may leave now.
    pub(crate) fn ready(&self, now: Instant) -> usize {
        self.owed.iter().filter(|owed| owed.earliest <= now).count()
    }
}

/// All that is owed.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    accounts: SlotMap<AckId, Account>,
    index: BTreeMap<(InterfaceId, IpAddr), AckId>,
    total: usize,
}

impl Acks {
    /// All acknowledgements that are owed.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// Notes an acknowledgement that may leave from `earliest` on, and has to by `latest`.
    pub(crate) fn owe(
        &mut self,
        (interface, generator): (InterfaceId, IpAddr),
        acknowledgement: Acknowledgement,
        earliest: Instant,
        latest: Instant,
    ) -> AckId {
        let accounts = &mut self.accounts;
        let id = *self.index.entry((interface, generator)).or_insert_with(|| {
            accounts.insert(Account {
                interface,
                generator,
                owed: VecDeque::new(),
                timer: None,
                queued: false,
            })
        });
        self.accounts[id].owed.push_back(Owed { acknowledgement, earliest, latest });
        self.total += 1;
        id
    }

    /// All accounts.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    pub(crate) fn find(&self, interface: InterfaceId, generator: IpAddr) -> Option<AckId> {
        self.index.get(&(interface, generator)).copied()
    }

    pub(crate) fn get(&self, id: AckId) -> Option<&Account> {
        self.accounts.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: AckId) -> Option<&mut Account> {
        self.accounts.get_mut(id)
    }

    /// Takes up to `limit` of what may leave now, oldest first.
    pub(crate) fn take(
        &mut self,
        id: AckId,
        now: Instant,
        limit: usize,
        mut sink: impl FnMut(Acknowledgement),
    ) {
        let Some(account) = self.accounts.get_mut(id) else { return };
        let before = account.owed.len();
        let mut left = limit;
        account.owed.retain(|owed| {
            let leaves = left > 0 && owed.earliest <= now;
            if leaves {
                left -= 1;
                sink(owed.acknowledgement);
            }
            !leaves
        });
        self.total -= before - account.owed.len();
    }

    /// Forgets an account that is settled; its timer is to be cancelled.
    pub(crate) fn close(&mut self, id: AckId) -> Option<TimerId> {
        let account = self.accounts.get(id)?;
        if !account.owed.is_empty() {
            return None;
        }
        self.index.remove(&(account.interface, account.generator));
        self.accounts.remove(id).and_then(|account| account.timer)
    }
}
