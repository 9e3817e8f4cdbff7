//! What an operator should know about this machine.

use std::fs;

use rsvp_core::output::RouteKey;

use rsvp_driver::{Diagnostic, Severity};

/// Looks at the settings that RSVP depends on, in the network namespace of the calling thread.
pub(crate) fn inspect<'a>(
    router: bool,
    ipv6: bool,
    interfaces: impl Iterator<Item = &'a str>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut warn = |interface: Option<&str>, message: &str| {
        found.push(Diagnostic {
            severity: Severity::Warning,
            interface: interface.map(str::to_owned),
            message: message.to_owned(),
        });
    };
    if router && setting("ipv4/ip_forward") == Some(0) {
        warn(
            None,
            "IPv4 forwarding is off, so no message in transit is intercepted; set net.ipv4.ip_forward=1, or configure \
             this node as a host",
        );
    }
    if router && ipv6 && setting("ipv6/conf/all/forwarding") == Some(0) {
        warn(
            None,
            "IPv6 forwarding is off, so no IPv6 message in transit is intercepted; set net.ipv6.conf.all.forwarding=1, \
             or configure this node as a host",
        );
    }
    if !ipv6 {
        found.push(Diagnostic {
            severity: Severity::Notice,
            interface: None,
            message: "this kernel has no IPv6; RSVP runs over IPv4 only".to_owned(),
        });
    }
    let all = setting("ipv4/conf/all/rp_filter").unwrap_or(0);
    for name in interfaces {
        // The kernel uses the larger of the two.
        if let Some(message) = reverse_path(all.max(setting(&reverse_path_setting(name)).unwrap_or(0))) {
            found.push(Diagnostic {
                severity: Severity::Notice,
                interface: Some(name.to_owned()),
                message: message.to_owned(),
            });
        }
    }
    found
}

/// What to say of flows to groups that the kernel does not forward; of many, the first.
pub(crate) fn unrouted<'a>(flows: impl Iterator<Item = &'a RouteKey>) -> Option<Diagnostic> {
    let mut flows = flows.filter_map(|key| Some((key.source?, key.destination)));
    let (source, group) = flows.next()?;
    let others = match flows.count() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    Some(Diagnostic {
        severity: Severity::Warning,
        interface: None,
        message: format!(
            "the kernel has no multicast forwarding entry for ({source}, {group}){others}: neither its Path nor its data \
             goes further; a multicast routing daemon has to make one"
        ),
    })
}

/// What to say of messages that were dropped because the daemon did not read them in time.
pub(crate) fn overflowed(count: u64) -> Option<Diagnostic> {
    (count > 0).then(|| Diagnostic {
        severity: Severity::Warning,
        interface: None,
        message: format!(
            "the kernel has dropped {count} received RSVP messages so far, since the daemon did not read them in time; \
             refreshes make up for them, but the machine, or what burdens it, wants a look"
        ),
    })
}

fn reverse_path_setting(interface: &str) -> String {
    format!("ipv4/conf/{interface}/rp_filter")
}

fn reverse_path(mode: u32) -> Option<&'static str> {
    match mode {
        1 => Some(
            "rp_filter is 1 (strict): Path messages of senders that are routed by way of another interface are dropped; \
             set it to 0, here and for \"all\", if routes are asymmetric",
        ),
        2 => Some("rp_filter is 2 (loose): Path messages of senders without a route are dropped"),
        _ => None,
    }
}

/// A setting under `net`; `None` if the kernel does not have it.
fn setting(name: &str) -> Option<u32> {
    fs::read_to_string(format!("/proc/sys/net/{name}")).ok()?.trim().parse().ok()
}
