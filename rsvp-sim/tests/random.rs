//! Random networks, random trouble, and then peace: what is reserved where must be what a reference model says, and
//! when everybody has gone nothing may be left.
//!
//! Every seed makes its own network. `RSVP_SIM_SEED=<seed> cargo test -p rsvp-sim --test random` runs one alone; the
//! example `campaign` of this crate runs millions.

use rsvp_sim::SEED_VARIABLE;
use rsvp_sim::trial::{Failure, Plan, Step, campaign, minimise};

/// How many networks a plain test run tries.
const SEEDS: u64 = 300;

#[test]
fn what_is_reserved_is_what_the_model_says() {
    let alone = std::env::var(SEED_VARIABLE).ok();
    if let Some(seed) = alone.and_then(|seed| seed.parse().ok()) {
        if let Err(failure) = Plan::random(seed).run() {
            report(seed, &failure);
        }
        return;
    }
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let summary = campaign(0..SEEDS, jobs, 1, |_, _| ());
    if let Some((seed, failure)) = summary.failures.first() {
        report(*seed, failure);
    }
    let compared = summary.compared;
    assert!(compared > 1000, "only {compared} reservations in {SEEDS} networks: that shows nothing");
}

fn report(seed: u64, failure: &Failure) -> ! {
    let small = minimise(&Plan::random(seed), |plan| plan.run().is_err());
    let last = small.run().expect_err("it failed a moment ago");
    panic!(
        "{}\nreplay with {SEED_VARIABLE}={seed}\n\nmade small:\n{small}\n{}\n\nlast messages:\n{}",
        failure.text, last.text, last.messages
    );
}

/// The same plan comes to the same end, and a part of a plan can be run as well.
#[test]
fn a_plan_is_all_there_is_to_a_trial() {
    let plan = Plan::random(3);
    assert_eq!(plan, Plan::random(3));
    assert_ne!(plan.run().expect("it runs"), 0);
    let part = Plan { steps: plan.steps[..plan.steps.len() / 2].to_vec(), ..plan };
    part.run().expect("it runs");
}

/// The planted fault: there is less bandwidth than the model believes. What is left of the plan is one sender, one
/// receiver that asks for too much, and the links between them.
#[test]
fn a_failing_plan_is_made_small() {
    let is_too_much = |step: &Step| matches!(step, Step::Reserve { rate: 40_000, .. });
    let plans = (0..).map(|seed| Plan { bandwidth: 30_000, compare: true, ..Plan::random(seed) });
    let fails = |plan: &Plan| plan.run().is_err_and(|failure| failure.text.contains("not reserved"));
    let plan = plans.into_iter().find(fails).expect("there is one among so many");
    let small = minimise(&plan, fails);
    assert!(small.steps.len() < plan.steps.len());
    assert_eq!(small.steps.len(), 2, "{small}");
    assert!(small.steps.iter().any(|(step, _)| matches!(step, Step::Announce { .. })), "{small}");
    assert!(small.steps.iter().any(|(step, _)| is_too_much(step)), "{small}");
    for link in (0..small.links.len()).filter(|link| !small.links[*link].is_empty()) {
        let mut without = small.clone();
        without.links[link].clear();
        assert!(!fails(&without), "link {link} is of no use\n{small}");
    }
    let failure = small.run().expect_err("it still fails");
    assert!(failure.messages.contains("ResvErr"), "{}", failure.messages);
}
