//! Which class a packet leaves by, and what becomes of what does not conform.

use std::time::Instant;

use conformance::shows;
use rsvp_core::output::PoliceFlags;
use rsvp_core::wire::{Flowspec, Rspec, Tspec};

use crate::network::{BEST_EFFORT, FIRST, G, Network, PACKET, PROTECTED, S1, S2, TSPEC, count};

/// A link that nothing here fills: 10 Mbit/s.
const LINK: u64 = 1_250_000;

#[test]
fn packets_find_their_reservation_by_addresses_and_ports() {
    shows(&["rfc2205-1.2-02", "rfc2205-3.2-01"]);
    let Some(mut network) = Network::new(LINK) else { return };
    let reservation = network.reservation(1, 5000, (S1, 4000));
    network.install(reservation);
    let before = network.left_by(BEST_EFFORT);
    network.send((S1, 4000), 5000, 3);
    network.wait_for(FIRST, 3);
    // Another sender of the session, another source port, another destination port, the ports exchanged.
    for (index, (from, port)) in
        [((S2, 4000), 5000), ((S1, 4001), 5000), ((S1, 4000), 5001), ((S1, 5000), 4000)]
            .into_iter()
            .enumerate()
    {
        network.send(from, port, 1);
        network.wait_for(BEST_EFFORT, before + index as u64 + 1);
        assert_eq!(network.left_by(FIRST), 3, "{from:?} to {port}");
    }
}

#[test]
fn messages_have_a_share_of_their_own() {
    shows(&["rfc2205-2.3-11"]);
    // So slow that its queue is full for a second.
    let Some(mut network) = Network::new(50_000) else { return };
    assert!(network.rate_of(PROTECTED) > 0);
    let before = network.left_by(PROTECTED);
    network.send((S1, 4000), 5000, 500);
    network.send_message();
    network.wait_for(PROTECTED, before + 1);
    assert!(network.left_by(BEST_EFFORT) < 400, "data is still waiting, or was lost");
}

#[test]
fn excess_is_best_effort_and_harms_no_other() {
    shows(&["rfc2211-7-02"]);
    let Some(mut network) = Network::new(LINK) else { return };
    for (id, port) in [(1, 5000), (2, 5002)] {
        let reservation = network.reservation(id, port, (S1, port));
        network.install(reservation);
    }
    let receivers = [network.receiver(5000), network.receiver(5002)];
    let before = network.left_by(BEST_EFFORT);
    network.send((S1, 5000), 5000, 15);
    network.send((S1, 5002), 5002, 5);
    assert_eq!(receivers.each_ref().map(count), [15, 5], "the link is idle: all arrive");
    // The bucket holds five packets; one more each second.
    let excess = network.left_by(BEST_EFFORT) - before;
    assert!((8..=10).contains(&excess), "{excess} packets of the first are best effort");
    assert_eq!(network.left_by(FIRST) + excess, 15);
    assert_eq!(network.left_by(FIRST + 1), 5, "the other has its service");
}

#[test]
fn packets_that_would_be_fragmented_are_best_effort() {
    shows(&["rfc2211-4-02"]);
    let Some(mut network) = Network::new(LINK) else { return };
    let mut reservation = network.reservation(1, 5000, (S1, 4000));
    reservation.flowspec = Flowspec::ControlledLoad(Tspec { bucket: 50_000.0, ..TSPEC });
    network.install(reservation);
    let receiver = network.receiver(5000);
    let socket = network.sender((S1, 4000));
    let before = network.left_by(BEST_EFFORT);
    socket.send_to(&[0; 1472], (G, 5000)).expect("sent");
    network.wait_for(FIRST, 1);
    socket.send_to(&[0; 2000 - 28], (G, 5000)).expect("sent");
    assert_eq!(count(&receiver), 2, "both arrive");
    assert_eq!((network.left_by(FIRST), network.left_by(BEST_EFFORT) - before), (1, 2), "in two fragments");
}

/// Guaranteed service of r = 100 kB/s, b = 5 kB, R = 200 kB/s.
fn guaranteed(network: &Network, police: PoliceFlags) -> rsvp_core::output::Installation {
    let tspec = Tspec { rate: 100_000.0, ..TSPEC };
    let mut reservation = network.reservation(1, 5000, (S1, 4000));
    reservation.flowspec = Flowspec::Guaranteed(tspec, Rspec { rate: 200_000.0, slack: 0 });
    (reservation.police, reservation.buffer) = (police, Some(30_000));
    reservation
}

#[test]
fn guaranteed_service_is_policed_at_the_edge() {
    shows(&["rfc2212-pol-05"]);
    for discards in [false, true] {
        let Some(mut network) = Network::new(LINK) else { return };
        let mut reservation = guaranteed(&network, PoliceFlags::ENTRY);
        reservation.flowspec = Flowspec::Guaranteed(TSPEC, Rspec { rate: 100_000.0, slack: 0 });
        reservation.discards = discards;
        network.install(reservation);
        let receiver = network.receiver(5000);
        let before = network.left_by(BEST_EFFORT);
        network.send((S1, 4000), 5000, 15);
        let arrived = count(&receiver);
        let (served, excess) = (network.left_by(FIRST), network.left_by(BEST_EFFORT) - before);
        assert!((5..=7).contains(&served), "{served} packets conform");
        if discards {
            assert_eq!((arrived as u64, excess), (served, 0), "the rest is discarded");
        } else {
            assert_eq!((arrived, served + excess), (15, 15), "the rest is best effort");
        }
    }
}

#[test]
fn guaranteed_service_is_reshaped_inside_the_network() {
    shows(&["rfc2212-pol-01"]);
    for police in [PoliceFlags::empty(), PoliceFlags::MERGE, PoliceFlags::BRANCH] {
        let Some(mut network) = Network::new(LINK) else { return };
        let reservation = guaranteed(&network, police);
        network.install(reservation);
        let receiver = network.receiver(5000);
        let before = network.left_by(BEST_EFFORT);
        let start = Instant::now();
        network.send((S1, 4000), 5000, 25);
        network.wait_for(FIRST, 25);
        let elapsed = start.elapsed().as_secs_f64();
        assert_eq!(network.left_by(BEST_EFFORT), before, "nothing is policed");
        assert_eq!(count(&receiver), 25, "nothing is lost");
        // What exceeds the bucket, and a packet that HTB lets go on credit, waits for its tokens.
        let shaped = (25 * PACKET) as f64 - 5000.0 - 2.0 * PACKET as f64;
        assert!(elapsed > shaped / 100_000.0, "25 packets in {elapsed} s are no flow of 100 kB/s");
    }
}

#[test]
fn a_reservation_can_change_its_service() {
    let Some(mut network) = Network::new(LINK) else { return };
    let controlled = network.reservation(1, 5000, (S1, 4000));
    for (flowspec, class) in [
        (controlled.flowspec.clone(), FIRST),
        (Flowspec::Guaranteed(TSPEC, Rspec { rate: 100_000.0, slack: 0 }), FIRST + 1),
        (controlled.flowspec.clone(), FIRST),
    ] {
        let before = network.left_by(class);
        network.install(rsvp_core::output::Installation { flowspec, ..controlled.clone() });
        network.send((S1, 4000), 5000, 1);
        network.wait_for(class, before + 1);
    }
    assert_eq!(network.receiver(5000).local_addr().expect("bound").ip(), G);
}
