//! Leaves out of a failing plan whatever it fails without (delta debugging).

use super::plan::Plan;

/// A plan that still fails, and that no longer does when one more step or link, or one more device of a link, is left
/// out. `fails` runs a plan.
#[must_use]
pub fn minimise(plan: &Plan, mut fails: impl FnMut(&Plan) -> bool) -> Plan {
    let mut smallest = plan.clone();
    loop {
        let before = smallest.clone();
        reduce(&mut smallest, |plan| plan.steps.len(), drop_steps, &mut fails);
        reduce(&mut smallest, |plan| plan.links.len(), empty_links, &mut fails);
        reduce(&mut smallest, ends, drop_ends, &mut fails);
        if smallest == before {
            return smallest;
        }
    }
}

/// Leaves out parts in halves, quarters and so on, as long as the plan fails without them.
fn reduce(
    plan: &mut Plan,
    count: impl Fn(&Plan) -> usize,
    without: impl Fn(&Plan, usize, usize) -> Plan,
    fails: &mut impl FnMut(&Plan) -> bool,
) {
    let mut size = count(plan).div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < count(plan) {
            let candidate = without(plan, from, size);
            if candidate != *plan && fails(&candidate) {
                let is_shorter = count(&candidate) < count(plan);
                *plan = candidate;
                if is_shorter {
                    continue;
                }
            }
            from += size;
        }
        size /= 2;
    }
}

fn drop_steps(plan: &Plan, from: usize, size: usize) -> Plan {
    let mut plan = plan.clone();
    let end = plan.steps.len().min(from + size);
    plan.steps.drain(from..end);
    plan
}

/// Links are emptied, not removed: steps name them by position.
fn empty_links(plan: &Plan, from: usize, size: usize) -> Plan {
    let mut plan = plan.clone();
    plan.links.iter_mut().skip(from).take(size).for_each(Vec::clear);
    plan
}

/// How many devices are on all links together.
fn ends(plan: &Plan) -> usize {
    plan.links.iter().map(Vec::len).sum()
}

fn drop_ends(plan: &Plan, from: usize, size: usize) -> Plan {
    let mut plan = plan.clone();
    let mut position = 0;
    for link in &mut plan.links {
        link.retain(|_| {
            position += 1;
            !(from..from + size).contains(&(position - 1))
        });
    }
    plan
}
