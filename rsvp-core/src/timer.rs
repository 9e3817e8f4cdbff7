//! The one timer queue: every deadline of a node is in it.
//!
//! A hierarchical timing wheel over microseconds, in which a slot of a wheel becomes a finer wheel of its
//! own once more than a few entries came into it. Wheels stand for absolute time, so nothing has to be
//! moved when time passes, and a deadline may lie anywhere in the past or future.
//!
//! The earliest entry is always known exactly; it is never late and never early. Insert, cancel,
//! reschedule and pop cost a constant number of steps whatever the number of entries: a way down of at most
//! [`LEVELS`] wheels (usually two to four), the search of one list of at most [`MAX_LIST`] entries, and for
//! an insert at worst the move of such a list on each level.

use alloc::vec::Vec;

use crate::time::Instant;

/// Bits of the deadline that one wheel tells apart.
const BITS: u32 = 6;
/// Slots of one wheel: one bit each in a `u64`.
const SLOTS: usize = 1 << BITS;
/// Wheels on the way from all of time to one microsecond.
const LEVELS: u8 = u64::BITS.div_ceil(BITS) as u8;
/// The level of the first wheel, which turns round in 18 minutes: the lifetimes of soft state fit.
const START_LEVEL: u8 = 4;
/// A slot into which more entries came than this is opened; one of the finest wheel never is, since its
/// entries are due at the same time.
const MAX_LIST: u32 = 16;
/// No index.
const NIL: u32 = u32::MAX;

/// Names one entry of a [`TimerQueue`]; stays invalid after the entry has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerId {
    index: u32,
    generation: u32,
}

/// Deadlines with a key each, ordered by deadline and then by the order of insertion.
#[derive(Debug)]
pub(crate) struct TimerQueue<K: Copy> {
    entries: Vec<Entry<K>>,
    wheels: Vec<Wheel>,
    free_entry: u32,
    free_wheel: u32,
    /// The coarsest wheel; never freed.
    root: u32,
    /// A time within the root wheel.
    base: u64,
    /// The earliest entry.
    first: u32,
    len: usize,
}

#[derive(Debug)]
struct Entry<K> {
    deadline: u64,
    key: K,
    /// Counts the entries that had this index: an id of an older one does not match.
    generation: u32,
    prev: u32,
    /// The next entry of the slot, or of the free list.
    next: u32,
}

#[derive(Debug)]
struct Wheel {
    occupied: u64,
    /// The occupied slots that hold a finer wheel instead of entries.
    opened: u64,
    slots: [Slot; SLOTS],
    /// The coarser wheel, or the next of the free list.
    parent: u32,
    /// 0 is the finest: one microsecond per slot.
    level: u8,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The first entry, or the finer wheel.
    head: u32,
    /// The last entry.
    tail: u32,
    /// The entries that came since the slot was empty, of which some may have gone: never fewer than there are.
    arrivals: u32,
}

impl Wheel {
    const fn new(level: u8, parent: u32) -> Self {
        Self {
            occupied: 0,
            opened: 0,
            slots: [Slot { head: NIL, tail: NIL, arrivals: 0 }; SLOTS],
            parent,
            level,
        }
    }

    /// The slot that `deadline` falls into.
    const fn slot(&self, deadline: u64) -> usize {
        (deadline >> (BITS * self.level as u32)) as usize % SLOTS
    }

    /// Whether the slot of `deadline`, not opened yet, is to be opened.
    const fn is_overfull(&self, deadline: u64) -> bool {
        self.level > 0 && self.slots[self.slot(deadline)].arrivals > MAX_LIST
    }
}

impl<K: Copy> TimerQueue<K> {
    /// An empty queue, best suited to deadlines from `now` on.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            entries: Vec::new(),
            wheels: Vec::from([Wheel::new(START_LEVEL, NIL)]),
            free_entry: NIL,
            free_wheel: NIL,
            root: 0,
            base: now.as_micros(),
            first: NIL,
            len: 0,
        }
    }

    #[cfg(test)]
    /// How many entries there are.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Adds an entry. A deadline in the past is due at once.
    pub(crate) fn insert(&mut self, deadline: Instant, key: K) -> TimerId {
        let deadline = deadline.as_micros();
        let index = if self.free_entry == NIL {
            let index = to_index(self.entries.len());
            self.entries.push(Entry { deadline, key, generation: 0, prev: NIL, next: NIL });
            index
        } else {
            let index = self.free_entry;
            let entry = &mut self.entries[index as usize];
            self.free_entry = entry.next;
            (entry.deadline, entry.key) = (deadline, key);
            index
        };
        self.len += 1;
        self.link(index);
        TimerId { index, generation: self.entries[index as usize].generation }
    }

    /// Sets the deadline of the entry in `slot`, which may be empty.
    pub(crate) fn arm(&mut self, slot: &mut Option<TimerId>, deadline: Instant, key: K) {
        if !slot.is_some_and(|id| self.reschedule(id, deadline)) {
            *slot = Some(self.insert(deadline, key));
        }
    }

    /// As [`arm`](Self::arm), but a deadline that is there already is never put off: that costs nothing, and whoever is
    /// woken too early arms it again.
    pub(crate) fn advance(&mut self, slot: &mut Option<TimerId>, deadline: Instant, key: K) {
        if slot.and_then(|id| self.deadline(id)).is_none_or(|armed| deadline < armed) {
            self.arm(slot, deadline, key);
        }
    }

    /// Takes an entry away; false if it has already gone.
    pub(crate) fn cancel(&mut self, id: TimerId) -> bool {
        let live = self.is_live(id);
        if live {
            self.remove(id.index);
        }
        live
    }

    /// Gives an entry another deadline, as if newly inserted, under the same id; false if it has gone.
    pub(crate) fn reschedule(&mut self, id: TimerId, deadline: Instant) -> bool {
        let live = self.is_live(id);
        if live {
            self.unlink(id.index);
            self.entries[id.index as usize].deadline = deadline.as_micros();
            self.link(id.index);
        }
        live
    }

    /// When an entry is due; `None` if it has gone.
    pub(crate) fn deadline(&self, id: TimerId) -> Option<Instant> {
        self.is_live(id).then(|| Instant::from_micros(self.entries[id.index as usize].deadline))
    }

    /// The earliest entry: its deadline, exactly, and its key.
    pub(crate) fn next(&self) -> Option<(Instant, &K)> {
        let entry = self.entries.get(self.first as usize)?;
        Some((Instant::from_micros(entry.deadline), &entry.key))
    }

    #[cfg(test)]
    /// The deadline of the earliest entry, exactly.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.next().map(|(deadline, _)| deadline)
    }

    /// Takes out the earliest entry if its deadline has come: its deadline and key.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(Instant, K)> {
        let (deadline, &key) = self.next().filter(|(deadline, _)| *deadline <= now)?;
        self.remove(self.first);
        Some((deadline, key))
    }

    fn is_live(&self, id: TimerId) -> bool {
        // A freed entry has a generation that no id was given yet.
        self.entries.get(id.index as usize).is_some_and(|entry| entry.generation == id.generation)
    }

    fn remove(&mut self, index: u32) {
        self.unlink(index);
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.next = self.free_entry;
        self.free_entry = index;
        self.len -= 1;
    }

    /// Puts an entry that is in no slot into its own.
    fn link(&mut self, index: u32) {
        let deadline = self.entries[index as usize].deadline;
        self.cover(deadline);
        let mut at = self.find(deadline);
        self.append(at, index);
        while self.wheels[at as usize].is_overfull(deadline) {
            at = self.open(at, deadline);
        }
        if self.next().is_none_or(|(first, _)| deadline < first.as_micros()) {
            self.first = index;
        }
    }

    /// Takes an entry out of its slot.
    fn unlink(&mut self, index: u32) {
        let Entry { deadline, prev, next, .. } = self.entries[index as usize];
        if prev != NIL && next != NIL {
            self.entries[prev as usize].next = next;
            self.entries[next as usize].prev = prev;
        } else {
            let at = self.find(deadline);
            let wheel = &mut self.wheels[at as usize];
            let slot = wheel.slot(deadline);
            if prev == NIL {
                wheel.slots[slot].head = next;
            } else {
                self.entries[prev as usize].next = NIL;
            }
            if next == NIL {
                wheel.slots[slot].tail = prev;
            } else {
                self.entries[next as usize].prev = NIL;
            }
            if prev == NIL && next == NIL {
                self.vacate(at, deadline);
            }
        }
        if index == self.first {
            self.first = self.find_first();
        }
    }

    /// Makes the root wheel coarse enough for `deadline`.
    fn cover(&mut self, deadline: u64) {
        loop {
            let root = &self.wheels[self.root as usize];
            let level = root.level + 1;
            let differs = (self.base ^ deadline).checked_shr(BITS * u32::from(level)).unwrap_or(0) != 0;
            if !differs {
                return;
            }
            if root.occupied == 0 {
                self.base = deadline;
                return;
            }
            debug_assert!(level < LEVELS, "the coarsest wheel holds all of time");
            let (old, new) = (self.root, self.allocate(level, NIL));
            self.wheels[old as usize].parent = new;
            let wheel = &mut self.wheels[new as usize];
            let slot = wheel.slot(self.base);
            wheel.occupied |= 1 << slot;
            wheel.opened |= 1 << slot;
            wheel.slots[slot].head = old;
            self.root = new;
        }
    }

    /// The wheel that has an unopened slot for `deadline`, which the root wheel covers.
    fn find(&self, deadline: u64) -> u32 {
        let mut at = self.root;
        loop {
            let wheel = &self.wheels[at as usize];
            let slot = wheel.slot(deadline);
            if wheel.opened & (1 << slot) == 0 {
                return at;
            }
            at = wheel.slots[slot].head;
        }
    }

    /// Appends an entry to its slot of `wheel`: entries of a slot are in the order of insertion.
    fn append(&mut self, wheel: u32, index: u32) {
        let wheel = &mut self.wheels[wheel as usize];
        let slot = wheel.slot(self.entries[index as usize].deadline);
        let tail = if wheel.occupied & (1 << slot) == 0 {
            wheel.occupied |= 1 << slot;
            wheel.slots[slot] = Slot { head: index, tail: index, arrivals: 0 };
            NIL
        } else {
            let tail = wheel.slots[slot].tail;
            self.entries[tail as usize].next = index;
            tail
        };
        wheel.slots[slot].tail = index;
        wheel.slots[slot].arrivals = wheel.slots[slot].arrivals.saturating_add(1);
        let entry = &mut self.entries[index as usize];
        (entry.prev, entry.next) = (tail, NIL);
    }

    /// Marks the slot of `deadline` in a wheel as empty, and frees wheels that are empty then.
    fn vacate(&mut self, mut at: u32, deadline: u64) {
        loop {
            let wheel = &mut self.wheels[at as usize];
            let bit = 1 << wheel.slot(deadline);
            wheel.occupied &= !bit;
            wheel.opened &= !bit;
            if wheel.occupied != 0 || at == self.root {
                return;
            }
            let parent = wheel.parent;
            wheel.parent = self.free_wheel;
            self.free_wheel = at;
            at = parent;
        }
    }

    /// The earliest entry, or `NIL`.
    fn find_first(&self) -> u32 {
        let mut at = self.root;
        loop {
            let wheel = &self.wheels[at as usize];
            if wheel.occupied == 0 {
                return NIL;
            }
            let slot = wheel.occupied.trailing_zeros() as usize;
            let head = wheel.slots[slot].head;
            if wheel.opened & (1 << slot) == 0 {
                // Entries of the finest wheel are due at the same time.
                return if wheel.level == 0 { head } else { self.first_of(head) };
            }
            at = head;
        }
    }

    /// The earliest entry of a list.
    fn first_of(&self, head: u32) -> u32 {
        let (mut first, mut at) = (head, self.entries[head as usize].next);
        while at != NIL {
            if self.entries[at as usize].deadline < self.entries[first as usize].deadline {
                first = at;
            }
            at = self.entries[at as usize].next;
        }
        first
    }

    /// Moves the entries in the slot of `deadline` into a finer wheel of their own.
    fn open(&mut self, parent: u32, deadline: u64) -> u32 {
        let level = self.wheels[parent as usize].level - 1;
        let child = self.allocate(level, parent);
        let wheel = &mut self.wheels[parent as usize];
        let slot = wheel.slot(deadline);
        wheel.opened |= 1 << slot;
        let mut at = core::mem::replace(&mut wheel.slots[slot].head, child);
        while at != NIL {
            let next = self.entries[at as usize].next;
            self.append(child, at);
            at = next;
        }
        child
    }

    fn allocate(&mut self, level: u8, parent: u32) -> u32 {
        let wheel = Wheel::new(level, parent);
        if self.free_wheel == NIL {
            self.wheels.push(wheel);
            return to_index(self.wheels.len() - 1);
        }
        let index = self.free_wheel;
        self.free_wheel = core::mem::replace(&mut self.wheels[index as usize], wheel).parent;
        index
    }
}

/// An index into a slab; four thousand million entries would not fit into memory.
fn to_index(position: usize) -> u32 {
    u32::try_from(position).ok().filter(|index| *index != NIL).expect("fewer than 2^32 - 1 timers")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn order_is_deadline_then_insertion() {
        let mut queue = TimerQueue::new(at(1000));
        for (deadline, key) in [(2000, 'c'), (u64::MAX, 'e'), (10, 'a'), (2000, 'd'), (10, 'b')] {
            queue.insert(at(deadline), key);
        }
        assert_eq!(queue.next(), Some((at(10), &'a')));
        assert_eq!(queue.pop(at(9)), None);
        assert_eq!(queue.pop(at(10)), Some((at(10), 'a')));
        assert_eq!(queue.pop(at(1999)), Some((at(10), 'b')));
        assert_eq!(queue.pop(at(1999)), None);
        assert_eq!(queue.pop(at(u64::MAX - 1)), Some((at(2000), 'c')));
        assert_eq!(queue.pop(at(u64::MAX - 1)), Some((at(2000), 'd')));
        assert_eq!(queue.pop(at(u64::MAX - 1)), None);
        assert_eq!(queue.next_deadline(), Some(at(u64::MAX)));
        assert_eq!(queue.pop(at(u64::MAX)), Some((at(u64::MAX), 'e')));
        assert_eq!((queue.next(), queue.len()), (None, 0));
    }

    #[test]
    fn an_old_id_names_nothing() {
        let mut queue = TimerQueue::new(at(0));
        let old = queue.insert(at(5), 1);
        assert!(queue.cancel(old));
        let new = queue.insert(at(6), 2);
        assert_ne!(old, new);
        assert!(!queue.cancel(old));
        assert!(!queue.reschedule(old, at(1)));
        assert_eq!(queue.deadline(old), None);
        assert_eq!(queue.deadline(new), Some(at(6)));
        assert_eq!(queue.pop(at(6)), Some((at(6), 2)));
        assert!(!queue.cancel(new));
    }

    #[test]
    fn a_reschedule_goes_behind_its_equals() {
        let mut queue = TimerQueue::new(at(0));
        let first = queue.insert(at(7), 'a');
        queue.insert(at(7), 'b');
        assert!(queue.reschedule(first, at(7)));
        assert_eq!(queue.pop(at(7)), Some((at(7), 'b')));
        assert_eq!(queue.pop(at(7)), Some((at(7), 'a')));
    }

    #[test]
    fn wheels_are_freed_and_reused() {
        let mut queue = TimerQueue::new(at(0));
        let mut now = 0;
        let mut most = 0;
        for round in 0..50_u64 {
            for n in 0..200 {
                queue.insert(at(now + 1 + (n * 7919 + round) % 40_000_000), n);
            }
            now += 40_000_001;
            while queue.pop(at(now)).is_some() {}
            assert_eq!(queue.len(), 0);
            if round == 0 {
                most = queue.wheels.len();
            }
        }
        assert!(queue.wheels.len() <= most + usize::from(LEVELS), "{} wheels", queue.wheels.len());
        assert_eq!(queue.entries.len(), 200);
    }

    #[test]
    fn no_list_is_long() {
        let mut queue = TimerQueue::new(at(0));
        let ids: Vec<_> =
            (0..20_000).map(|n| queue.insert(at(30_000_000 + n * 7919 % 30_000_000), n)).collect();
        for id in ids.iter().step_by(3) {
            assert!(queue.reschedule(*id, at(90_000_000 + id.index as u64)));
        }
        for wheel in queue.wheels.iter().filter(|wheel| wheel.level > 0) {
            for slot in (0..SLOTS).filter(|slot| wheel.occupied & !wheel.opened & (1 << slot) != 0) {
                let mut length = 0;
                let mut at = wheel.slots[slot].head;
                while at != NIL {
                    length += 1;
                    at = queue.entries[at as usize].next;
                }
                assert!((1..=MAX_LIST).contains(&length), "{length} entries");
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Op {
        Insert(u64),
        Cancel(usize),
        Reschedule(usize, u64),
        /// Lets time pass, then takes out at most so many.
        Pop(u64, usize),
    }

    /// Deadlines relative to now, near and far, with many that are equal; some in the past.
    fn delay() -> impl Strategy<Value = u64> {
        prop_oneof![
            4 => 0..4_u64,
            4 => 0..5000_u64,
            4 => (0..100_u64).prop_map(|n| n * 1_000_000),
            2 => any::<u64>(),
            1 => Just(u64::MAX),
            1 => (1..100_u64).prop_map(u64::wrapping_neg),
        ]
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            8 => delay().prop_map(Op::Insert),
            2 => any::<usize>().prop_map(Op::Cancel),
            2 => (any::<usize>(), delay()).prop_map(|(n, delay)| Op::Reschedule(n, delay)),
            3 => (prop_oneof![0..10_u64, 0..50_000_000_u64], 0..40_usize).prop_map(|(t, n)| Op::Pop(t, n)),
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_an_ordered_map(start in prop_oneof![Just(0), any::<u64>()],
                                      ops in prop::collection::vec(op(), 1..600)) {
            let mut now = start;
            let mut queue = TimerQueue::new(at(now));
            // (deadline, sequence) -> key; the sequence number of each key; ids in the order of keys.
            let mut model: BTreeMap<(u64, usize), usize> = BTreeMap::new();
            let mut place: BTreeMap<usize, (u64, usize)> = BTreeMap::new();
            let mut ids: Vec<TimerId> = Vec::new();
            for (sequence, op) in ops.into_iter().enumerate() {
                match op {
                    Op::Insert(delay) => {
                        let deadline = now.wrapping_add(delay);
                        model.insert((deadline, sequence), ids.len());
                        place.insert(ids.len(), (deadline, sequence));
                        ids.push(queue.insert(at(deadline), ids.len()));
                    }
                    Op::Cancel(n) if !ids.is_empty() => {
                        let key = n % ids.len();
                        let live = place.remove(&key).inspect(|place| { model.remove(place); }).is_some();
                        prop_assert_eq!(queue.cancel(ids[key]), live);
                    }
                    Op::Reschedule(n, delay) if !ids.is_empty() => {
                        let (key, deadline) = (n % ids.len(), now.wrapping_add(delay));
                        let live = place.contains_key(&key);
                        prop_assert_eq!(queue.reschedule(ids[key], at(deadline)), live);
                        if live {
                            model.remove(&place[&key]);
                            model.insert((deadline, sequence), key);
                            place.insert(key, (deadline, sequence));
                        }
                    }
                    Op::Cancel(_) | Op::Reschedule(..) => {}
                    Op::Pop(time, most) => {
                        now = now.saturating_add(time);
                        for _ in 0..most {
                            let due = model.first_entry().filter(|entry| entry.key().0 <= now);
                            let due = due.map(std::collections::btree_map::OccupiedEntry::remove_entry);
                            if let Some((_, key)) = due {
                                place.remove(&key);
                            }
                            let expected = due.map(|((deadline, _), key)| (at(deadline), key));
                            prop_assert_eq!(queue.pop(at(now)), expected);
                        }
                    }
                }
                let earliest = model.first_key_value().map(|((deadline, _), key)| (at(*deadline), key));
                prop_assert_eq!(queue.next(), earliest);
                prop_assert_eq!(queue.len(), model.len());
            }
            for (key, id) in ids.iter().enumerate() {
                prop_assert_eq!(queue.deadline(*id), place.get(&key).map(|(deadline, _)| at(*deadline)));
            }
        }
    }
}
