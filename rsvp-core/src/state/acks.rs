//! Acknowledgements that this node owes its neighbours (RFC 2961 section 4.6).

use alloc::collections::{BTreeMap, VecDeque};
use core::net::IpAddr;

use slotmap::SlotMap;

use super::AckId;
use crate::input::InterfaceId;
use crate::time::Instant;
use crate::timer::TimerId;
use crate::wire::Acknowledgement;

/// What one generator of messages is owed.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) interface: InterfaceId,
    pub(crate) generator: IpAddr,
    /// What may leave, oldest first.
    ready: VecDeque<Acknowledgement>,
    /// When it has to leave at the latest.
    latest: Option<Instant>,
    /// What is owed for messages to a group, and waits for a random time, even for company.
    waiting: VecDeque<Acknowledgement>,
    /// Until when: one wait for all that come meanwhile.
    until: Option<Instant>,
    pub(crate) timer: Option<TimerId>,
    /// Whether it waits in the outbox.
    pub(crate) queued: bool,
}

impl Account {
    /// Owes an acknowledgement that may leave now, and has to by `latest`.
    fn owe_soon(&mut self, acknowledgement: Acknowledgement, latest: Instant) {
        self.ready.push_back(acknowledgement);
        self.latest.get_or_insert(latest);
    }

    /// How many may leave now.
    pub(crate) fn ready(&self, now: Instant) -> usize {
        let waited = if self.until.is_some_and(|until| until <= now) { self.waiting.len() } else { 0 };
        self.ready.len() + waited
    }

    /// When something has to leave at the latest.
    pub(crate) fn latest(&self) -> Option<Instant> {
        self.latest.into_iter().chain(self.until).min()
    }

    /// Those that have waited long enough may leave.
    fn mature(&mut self, now: Instant) {
        if let Some(until) = self.until.filter(|until| *until <= now) {
            self.until = None;
            self.latest = Some(self.latest.map_or(until, |latest| latest.min(until)));
            self.ready.append(&mut self.waiting);
        }
    }

    fn is_settled(&self) -> bool {
        self.ready.is_empty() && self.waiting.is_empty()
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

    /// The account of a generator.
    fn account(&mut self, (interface, generator): (InterfaceId, IpAddr)) -> (AckId, &mut Account) {
        let accounts = &mut self.accounts;
        let id = *self.index.entry((interface, generator)).or_insert_with(|| {
            accounts.insert(Account {
                interface,
                generator,
                ready: VecDeque::new(),
                latest: None,
                waiting: VecDeque::new(),
                until: None,
                timer: None,
                queued: false,
            })
        });
        (id, &mut self.accounts[id])
    }

    /// Notes an acknowledgement that may leave now, and has to by `latest`.
    pub(crate) fn owe(
        &mut self,
        generator: (InterfaceId, IpAddr),
        acknowledgement: Acknowledgement,
        latest: Instant,
    ) -> AckId {
        self.total += 1;
        let (id, account) = self.account(generator);
        account.owe_soon(acknowledgement, latest);
        id
    }

    /// Notes an acknowledgement that waits until a random time, which is asked for if none runs.
    pub(crate) fn owe_later(
        &mut self,
        generator: (InterfaceId, IpAddr),
        acknowledgement: Acknowledgement,
        until: impl FnOnce() -> Instant,
    ) -> AckId {
        self.total += 1;
        let (id, account) = self.account(generator);
        account.waiting.push_back(acknowledgement);
        account.until.get_or_insert_with(until);
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
    pub(crate) fn take(&mut self, id: AckId, now: Instant, limit: usize, sink: impl FnMut(Acknowledgement)) {
        let Some(account) = self.accounts.get_mut(id) else { return };
        account.mature(now);
        let count = account.ready.len().min(limit);
        account.ready.drain(..count).for_each(sink);
        if account.ready.is_empty() {
            account.latest = None;
        }
        self.total -= count;
    }

    /// Forgets an account that is settled; its timer is to be cancelled.
    pub(crate) fn close(&mut self, id: AckId) -> Option<TimerId> {
        let account = self.accounts.get(id)?;
        if !account.is_settled() {
            return None;
        }
        self.index.remove(&(account.interface, account.generator));
        self.accounts.remove(id).and_then(|account| account.timer)
    }
}
