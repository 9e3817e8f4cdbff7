//! Leaves out of a failing plan whatever it fails without (delta debugging).

use rsvp_core::config::ReductionConfig;

use super::plan::Plan;

/// A plan that still fails, and that no longer does when one more step or link, or one more device of a link, is left
/// out; and that uses of RFC 2961 what is usual, as far as it fails with that. `fails` runs a plan.
#[must_use]
pub fn minimise(plan: &Plan, mut fails: impl FnMut(&Plan) -> bool) -> Plan {
    let mut smallest = plan.clone();
    loop {
        let before = smallest.clone();
        reduce(&mut smallest, |plan| plan.steps.len(), drop_steps, &mut fails);
        reduce(&mut smallest, |plan| plan.links.len(), empty_links, &mut fails);
        reduce(&mut smallest, ends, drop_ends, &mut fails);
        reduce(&mut smallest, |plan| plan.reductions.len(), usual_reductions, &mut fails);
        reduce(&mut smallest, settings, usual_settings, &mut fails);
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

fn usual_reductions(plan: &Plan, from: usize, size: usize) -> Plan {
    let mut plan = plan.clone();
    plan.reductions.iter_mut().skip(from).take(size).for_each(|reductions| *reductions = Default::default());
    plan
}

/// Makes one setting as it usually is.
type Usual = fn(&mut ReductionConfig, ReductionConfig);

const SETTINGS: [Usual; 11] = [
    |it, usual| it.message_ids = usual.message_ids,
    |it, usual| it.reliable = usual.reliable,
    |it, usual| it.bundle = usual.bundle,
    |it, usual| it.summary_refresh = usual.summary_refresh,
    |it, usual| it.assume_capable = usual.assume_capable,
    |it, usual| it.retransmit_limit = usual.retransmit_limit,
    |it, usual| it.ack_delay = usual.ack_delay,
    |it, usual| it.bundle_delay = usual.bundle_delay,
    |it, usual| it.max_packet = usual.max_packet,
    |it, usual| it.max_outstanding = usual.max_outstanding,
    |it, usual| it.full_refresh = usual.full_refresh,
];

/// How many settings there are: those of the plan, and those of RFC 2961 on all devices.
fn settings(plan: &Plan) -> usize {
    3 + SETTINGS.len() * plan.reductions.len()
}

fn usual_settings(plan: &Plan, from: usize, size: usize) -> Plan {
    let mut plan = plan.clone();
    for setting in from..settings(&plan).min(from + size) {
        match setting {
            0 => plan.batch = 1,
            1 => plan.lists_next_hops = false,
            2 => plan.point_to_point = true,
            _ => {
                let (device, setting) = ((setting - 3) / SETTINGS.len(), (setting - 3) % SETTINGS.len());
                for reduction in &mut plan.reductions[device] {
                    SETTINGS[setting](reduction, ReductionConfig::default());
                }
            }
        }
    }
    plan
}
