//! A bounded queue from many to one: between threads or tasks, on any runtime, by `std::task::Waker`s alone.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use crate::sync::{Arc, Mutex, lock};

/// The other end is gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// A queue that holds so many items.
pub(crate) fn queue<T>(limit: usize) -> (Sender<T>, Receiver<T>) {
    let state = State {
        items: VecDeque::new(),
        limit,
        senders: 1,
        is_received: true,
        receiver: None,
        waiting: Vec::new(),
    };
    let state = Arc::new(Mutex::new(state));
    (Sender(Arc::clone(&state)), Receiver(state))
}

/// The end that gives; there may be many.
pub(crate) struct Sender<T>(Arc<Mutex<State<T>>>);

/// The end that takes.
pub(crate) struct Receiver<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    items: VecDeque<T>,
    limit: usize,
    senders: usize,
    is_received: bool,
    /// Wakes the receiver, which has found nothing.
    receiver: Option<Waker>,
    /// Wake the senders, which have found no room. All are woken when there is some: one that was told alone might have
    /// given up meanwhile, and the others would wait for ever.
    waiting: Vec<Waker>,
}

impl<T> Sender<T> {
    /// Puts an item into the queue, once there is room.
    pub(crate) async fn send(&self, item: T) -> Result<(), Closed> {
        let mut item = Some(item);
        poll_fn(|context| self.poll_send(&mut item, context)).await
    }

    fn poll_send(&self, item: &mut Option<T>, context: &Context<'_>) -> Poll<Result<(), Closed>> {
        let mut state = lock(&self.0);
        if !state.is_received {
            return Poll::Ready(Err(Closed));
        }
        if state.items.len() >= state.limit {
            remember(&mut state.waiting, context.waker());
            return Poll::Pending;
        }
        state.items.extend(item.take());
        let receiver = state.receiver.take();
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }

    /// Whether the receiver is gone.
    pub(crate) fn is_closed(&self) -> bool {
        !lock(&self.0).is_received
    }

    /// Puts an item into the queue at once, and leaves it to `overflow` what becomes of it if there is no room.
    pub(crate) fn offer(&self, item: T, overflow: impl FnOnce(&mut VecDeque<T>, &T)) -> Result<(), Closed> {
        let mut state = lock(&self.0);
        if !state.is_received {
            return Err(Closed);
        }
        if state.items.len() < state.limit {
            state.items.push_back(item);
        } else {
            overflow(&mut state.items, &item);
        }
        let receiver = state.receiver.take();
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        lock(&self.0).senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.senders -= 1;
        let receiver = if state.senders == 0 { state.receiver.take() } else { None };
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
    }
}

impl<T> Receiver<T> {
    /// The next item, once there is one; `None` if none will come. Cancel safe.
    pub(crate) async fn receive(&mut self) -> Option<T> {
        poll_fn(|context| self.poll_receive(context)).await
    }

    /// The next item. If there is none, whoever polls is woken when that has changed.
    pub(crate) fn poll_receive(&mut self, context: &Context<'_>) -> Poll<Option<T>> {
        let mut state = lock(&self.0);
        let Some(item) = state.items.pop_front() else {
            if state.senders == 0 {
                return Poll::Ready(None);
            }
            state.receiver = Some(context.waker().clone());
            return Poll::Pending;
        };
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
        Poll::Ready(Some(item))
    }

    /// The next item, if there is one already.
    pub(crate) fn try_receive(&mut self) -> Option<T> {
        match self.poll_receive(&Context::from_waker(Waker::noop())) {
            Poll::Ready(item) => item,
            Poll::Pending => None,
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.is_received = false;
        // Items may be ends of other queues: they go when this one is not locked.
        let items = std::mem::take(&mut state.items);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(items);
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// Has a waker wake, once.
fn remember(waiting: &mut Vec<Waker>, waker: &Waker) {
    if !waiting.iter().any(|known| known.will_wake(waker)) {
        waiting.push(waker.clone());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::thread;

    use pollster::block_on;

    use super::*;

    #[test]
    fn items_come_in_order_and_then_the_end() {
        let (sender, mut receiver) = queue(2);
        block_on(sender.send(1)).expect("room");
        block_on(sender.clone().send(2)).expect("room");
        drop(sender);
        assert_eq!(block_on(receiver.receive()), Some(1));
        assert_eq!(receiver.try_receive(), Some(2));
        assert_eq!(block_on(receiver.receive()), None);
    }

    #[test]
    fn a_full_queue_holds_senders_up_and_loses_nothing() {
        let (sender, mut receiver) = queue(3);
        let giving = thread::spawn(move || {
            (0..1000).for_each(|number| block_on(sender.send(number)).expect("a receiver"));
        });
        let all: Vec<i32> = std::iter::from_fn(|| block_on(receiver.receive())).collect();
        assert!(all.into_iter().eq(0..1000));
        giving.join().expect("no panic");
    }

    #[test]
    fn without_a_receiver_nothing_is_sent() {
        let (sender, receiver) = queue(1);
        block_on(sender.send(1)).expect("room");
        let full = sender.clone();
        let waiting = thread::spawn(move || block_on(full.send(2)));
        drop(receiver);
        assert_eq!(waiting.join().expect("no panic"), Err(Closed));
        assert_eq!(sender.offer(3, |_, _| panic!("there is none")), Err(Closed));
    }
}
