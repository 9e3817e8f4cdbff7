//! Real daemons in a real network: a host that sends, a router, a host that receives; commands, applications and
//! signals, and what becomes of the state.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
#[path = "support/network.rs"]
mod network;

#[cfg(target_os = "linux")]
#[path = "support/groups.rs"]
mod groups;

#[cfg(target_os = "linux")]
#[path = "support/metrics.rs"]
mod metrics;

#[cfg(target_os = "linux")]
#[path = "support/recordings.rs"]
mod recordings;

#[cfg(target_os = "linux")]
#[path = "support/scenarios.rs"]
mod scenarios;

#[cfg(target_os = "linux")]
fn main() {
    use rsvp_netns::isolate::{self, Entered};

    match isolate::enter() {
        Ok(Entered::Inside(_)) => {
            // This process is the first of its PID namespace: with it ends everything that it started.
            std::thread::spawn(|| {
                isolate::outlives();
                std::process::exit(1);
            });
            scenarios::run_all();
        }
        Ok(Entered::Done(status)) => std::process::exit(i32::from(isolate::exit_code(status))),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            eprintln!("SKIPPED: {error}");
        }
    }
}
