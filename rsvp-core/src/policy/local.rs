//! The default policy: ordered rules of the configuration.

use core::net::IpAddr;

use super::{Policy, PolicyAction, PolicyRequest, PolicyRule, PolicySubject, Verdict};
use crate::wire::{ErrorCode, policy_failure};

/// Goes by the rules of the configuration: the first that matches sender and receiver decides, and what none matches is
/// accepted. POLICY_DATA is not looked at, and goes on as it came.
///
/// A reservation for several senders is accepted if it is for each of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalPolicy;

impl Policy for LocalPolicy {
    fn decide(&self, request: &PolicyRequest<'_>) -> Verdict {
        let destination = request.session.destination();
        let reject = |value| Verdict::Reject { code: ErrorCode::POLICY_CONTROL_FAILURE, value };
        let (senders, receiver, bandwidth) = match request.subject {
            PolicySubject::Sender { sender, .. } => (core::slice::from_ref(sender), destination, 0),
            PolicySubject::Reservation { senders, receiver, bandwidth, .. } => (senders, receiver, bandwidth),
        };
        let receivers = [destination, receiver];
        for sender in senders {
            match decision(request.rules, sender.source(), &receivers) {
                PolicyAction::Deny => return reject(policy_failure::REJECT),
                PolicyAction::Limit(most) if bandwidth > most => return reject(policy_failure::EXCEED),
                PolicyAction::Limit(_) | PolicyAction::Allow => {}
            }
        }
        Verdict::Accept { data: None }
    }
}

/// What the first rule says that is for this sender and one of these receivers.
fn decision(rules: &[PolicyRule], sender: IpAddr, receivers: &[IpAddr]) -> PolicyAction {
    let is_for = |rule: &&PolicyRule| {
        rule.sender.is_none_or(|prefix| prefix.contains(&sender))
            && rule.receiver.is_none_or(|prefix| receivers.iter().any(|receiver| prefix.contains(receiver)))
    };
    rules.iter().find(is_for).map_or(PolicyAction::Allow, |rule| rule.action)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn rule(sender: &str, receiver: &str, action: PolicyAction) -> PolicyRule {
        let prefix = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        PolicyRule { sender: prefix(sender), receiver: prefix(receiver), action }
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let rules = [
            rule("10.0.0.1/32", "", PolicyAction::Allow),
            rule("10.0.0.0/8", "192.0.2.0/24", PolicyAction::Limit(7)),
            rule("10.0.0.0/8", "", PolicyAction::Deny),
        ];
        let decide = |sender, receivers: &[&str]| {
            let receivers: Vec<_> = receivers.iter().map(|receiver| ip(receiver)).collect();
            decision(&rules, ip(sender), &receivers)
        };
        assert_eq!(decide("10.0.0.1", &["192.0.2.9"]), PolicyAction::Allow);
        assert_eq!(decide("10.0.0.2", &["224.1.1.1", "192.0.2.9"]), PolicyAction::Limit(7));
        assert_eq!(decide("10.0.0.2", &["198.51.100.1"]), PolicyAction::Deny);
        assert_eq!(decide("::ffff:10.0.0.2", &["::1"]), PolicyAction::Allow, "another family");
        assert_eq!(decide("11.0.0.2", &["198.51.100.1"]), PolicyAction::Allow, "no rule matches");
    }
}
