//! What threads share, in every order that the memory model allows.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test --release -p rsvp-driver --lib --target-dir target/loom
//! ```

use loom::future::block_on;
use loom::thread;

use crate::queue::queue;

/// All orders in which threads interrupt each other at most so many times; each known fault of such code needs fewer.
fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(run);
}

#[test]
fn a_full_queue_holds_its_sender_up_and_loses_nothing() {
    model(|| {
        let (sender, mut receiver) = queue(1);
        let giving = thread::spawn(move || {
            block_on(sender.send(1)).expect("a receiver");
            block_on(sender.send(2)).expect("a receiver");
        });
        assert_eq!(block_on(receiver.receive()), Some(1));
        assert_eq!(block_on(receiver.receive()), Some(2));
        assert_eq!(block_on(receiver.receive()), None);
        giving.join().expect("no panic");
    });
}
