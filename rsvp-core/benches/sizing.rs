//! What state costs a router that forwards: bytes of heap, allocations and processor time, as `cargo bench -p rsvp-core
//! --bench sizing` prints them for `docs/embedding.md`.

mod router;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use allocation_counter::measure;
use nix::time::{ClockId, clock_gettime};
use router::{Router, path, path_from, resv};
use rsvp_core::Instant;

const SESSIONS: u32 = 100_000;

/// R, the refresh period of everything here.
const REFRESH: Duration = Duration::from_secs(30);

fn main() {
    memory();
    processor();
}

/// How many periods are looked at: few enough that nothing expires.
const PERIODS: u32 = 4;

/// R, in milliseconds.
const REFRESH_MS: u32 = 30_000;

/// Bytes that a router holds once it has run for a while.
fn held(build: impl FnOnce() -> Router) -> i64 {
    let mut router = None;
    let info = measure(|| {
        let built = router.insert(build());
        built.run_for(PERIODS * REFRESH - built.now.since(Instant::ZERO));
    });
    info.bytes_current
}

/// The difference, for each session.
fn each(bytes: i64, beside: i64) -> i64 {
    (bytes - beside) / i64::from(SESSIONS)
}

fn with_paths(previous_hop: impl Fn(u32) -> IpAddr) -> Router {
    let mut router = Router::new();
    for n in 0..SESSIONS {
        router.path(n, &path_from(n, previous_hop(n)));
        router.drain();
    }
    assert_eq!(router.node.senders().len(), SESSIONS as usize);
    router
}

fn memory() {
    let empty = held(Router::new);
    let paths = held(|| with_paths(|_| router::PHOP));
    let neighbors = held(|| with_paths(|n| Ipv4Addr::from_bits(0x0a01_0000 + n).into()));
    let full = held(|| Router::full(SESSIONS));
    let reduced = held(|| Router::reducing(SESSIONS, REFRESH_MS));

    println!("{SESSIONS} sessions with one sender each; bytes of heap, as asked of the allocator:\n");
    println!("| state | bytes |");
    println!("|---|---:|");
    println!("| a node with two interfaces and nothing else | {empty} |");
    println!("| a session with path state | {} |", each(paths, empty));
    println!("| its reservation, besides | {} |", each(full, paths));
    println!("| refresh reduction of both, besides | {} |", each(reduced, full));
    println!("| a neighbour, besides what it announces | {} |", each(neighbors, paths));
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("this thread has a clock").into()
}

/// Prints what `run` costs for each of the states that it says it dealt with.
fn cost(what: &str, run: impl FnOnce() -> u64) {
    let (mut states, mut time) = (0, Duration::ZERO);
    let info = measure(|| {
        let start = processor_time();
        states = run();
        time = processor_time() - start;
    });
    assert!(states >= u64::from(SESSIONS) / 2, "{what}: only {states}");
    let allocations = info.count_total as f64 / states as f64;
    println!("| {what} | {:.0} | {allocations:.1} |", time.as_secs_f64() * 1e9 / states as f64);
}

fn processor() {
    let mut router = Router::full(SESSIONS);
    let paths: Vec<_> = (0..SESSIONS).map(path).collect();
    let resvs: Vec<_> = (0..SESSIONS).map(resv).collect();
    println!("\nProcessor time and allocations for each state of these:\n");
    println!("| what | ns | allocations |");
    println!("|---|---:|---:|");
    cost("a Path refresh is received", || {
        let before = router.node.counters().refreshes_received;
        for (n, path) in (0..).zip(&paths) {
            router.path(n, path);
        }
        router.node.counters().refreshes_received - before
    });
    cost("a Resv refresh is received", || {
        let before = router.node.counters().refreshes_received;
        for resv in &resvs {
            router.resv(resv);
        }
        router.node.counters().refreshes_received - before
    });
    cost("a refresh is sent", || {
        let before = router.node.counters().refreshes_sent;
        router.run_for(PERIODS * REFRESH);
        router.node.counters().refreshes_sent - before
    });
    let mut router = Router::reducing(SESSIONS, u32::MAX);
    cost("a state is refreshed by a summary refresh that is sent", || {
        let before = router.node.counters().reduction.summary_refreshed;
        for _ in 0..PERIODS {
            router.refresh_all();
        }
        router.node.counters().reduction.summary_refreshed - before
    });
}
