//! What the kernel's scheduler can promise to guaranteed service (RFC 2212): C and D of HTB as `rsvp-io` sets it up.
//! docs/configuration.md derives them for operators.

use rsvp_core::config::GuaranteedConfig;

/// How many flows with guaranteed service an interface takes unless it is told.
pub(super) const FLOWS: u32 = 8;
/// The largest frame: an IP packet of 1500 bytes and its Ethernet header.
const FRAME: u32 = 1514;
/// The credit of the link's class, in microseconds of the link's rate.
const LINK_CREDIT: u32 = 2000;
/// The credit of the flows' classes together, in microseconds of the link's rate.
const FLOWS_CREDIT: u32 = 1000;
/// How late the kernel's timer may wake the scheduler, in microseconds.
const LATENESS: u32 = 1000;

/// C and D on a link of `link` bytes per second that so many flows with guaranteed service share.
///
/// A packet waits for the rate of its class until its predecessor is paid for: C is a frame. Independently of its
/// rate it may find in front of it what HTB has just let go: the link class's credit and two frames, a frame that is
/// being sent, three of RSVP's own messages, and two of each flow and the credit of their classes.
pub(super) fn of_htb(link: u64, flows: u32) -> GuaranteedConfig {
    let frames = u64::from(flows) * 2 + 6;
    let sending = (frames * u64::from(FRAME) * 1_000_000).div_ceil(link.max(1));
    let d = u64::from(LINK_CREDIT + FLOWS_CREDIT + LATENESS) + sending;
    GuaranteedConfig::new(FRAME, u32::try_from(d).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faster_links_promise_more() {
        // 22 frames of 1514 bytes are 26.6 ms on 10 Mbit/s, and 266 us on 1 Gbit/s.
        assert_eq!((of_htb(1_250_000, 8).c, of_htb(1_250_000, 8).d), (1514, 30_647));
        assert_eq!(of_htb(125_000_000, 8).d, 4267);
        assert!(of_htb(1_250_000, 1).d < of_htb(1_250_000, 2).d, "each flow costs");
    }
}
