//! RFC 2961 section 6: exponential back-off procedures.

use std::time::Duration;

use crate::bench::{Family, Lab, Port, Received, Station, ack, millis, wanted};
use crate::shows;
use rsvp_core::Instant;
use rsvp_core::config::{MessageIds, NodeConfig};
use rsvp_core::wire::{Message, Path, PathTear, Resv};

use super::dialogue::{all_types, at_port, copies, copies_of, expect_like, path, resv, trigger, trigger_in};
use super::longest_gap;

const SECOND: Duration = Duration::from_secs(1);

/// Longer than the copies of a message take by default: one more would follow within it.
const WHILE: Duration = Duration::from_secs(4);

/// What is not acknowledged is sent again 500 ms and 1500 ms after it was sent first, and then no more.
pub(crate) fn copies_follow_at_growing_intervals(lab: &Lab) {
    shows(&[
        "rfc2961-6-01",
        "rfc2961-6.2-02",
        "rfc2961-6.2-05",
        "rfc2961-6.3-01",
        "rfc2961-6.3-03",
        "rfc2961-4.5-11",
        "rfc2961-4.5-12",
    ]);
    let mut dut = lab.reducing();
    let path = path(&dut, dut.h(), 20.0);
    dut.send(Station::U1, path);
    dut.advance(WHILE);
    assert_eq!(copies(&mut dut, Port::C), [[0, 500, 1500]], "Rf = 500 ms, Delta = 1, Rl = 3");
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, resv);
    dut.advance(4 * SECOND);
    assert_eq!(copies(&mut dut, Port::A), [[0, 500, 1500]]);
}

/// Rl is the number of all copies: with 1 there is no second one.
pub(crate) fn rl_counts_every_copy(lab: &Lab) {
    shows(&["rfc2961-6.2-03", "rfc2961-6.3-03", "rfc2961-6.1-01"]);
    let cases: [(u32, &[u64], u64); 3] =
        [(1, &[0], 1), (3, &[0, 250, 750], 2), (5, &[0, 250, 750, 1750, 3750], 8)];
    for (limit, expected, seconds) in cases {
        let mut dut = lab.reducing_with(|reduction| {
            reduction.retransmit_interval = SECOND / 4;
            reduction.retransmit_limit = limit;
        });
        let path = path(&dut, dut.h(), 20.0);
        dut.send(Station::U1, path);
        // One more copy would come within this.
        dut.advance(Duration::from_secs(seconds));
        assert_eq!(copies(&mut dut, Port::C), [expected]);
    }
}

/// Each interval is 1 + Delta times the one before, beginning with Rf.
pub(crate) fn delta_sets_how_the_intervals_grow(lab: &Lab) {
    shows(&["rfc2961-6.2-04", "rfc2961-6.2-02"]);
    for (delta, expected, wait) in [(1.0, [0, 1000, 3000, 7000], 8), (0.5, [0, 1000, 2500, 4750], 6)] {
        let mut dut = lab.reducing_with(|reduction| {
            reduction.retransmit_interval = SECOND;
            reduction.retransmit_growth = delta;
            reduction.retransmit_limit = 4;
        });
        let path = path(&dut, dut.h(), 20.0);
        dut.send(Station::U1, path);
        dut.advance(wait * SECOND);
        assert_eq!(copies(&mut dut, Port::C), [expected]);
    }
}

/// Rf, Rl and Delta of two interfaces are independent.
pub(crate) fn the_parameters_are_set_by_interface(lab: &Lab) {
    shows(&["rfc2961-6.2-01"]);
    let mut dut = lab.with(Family::V4, |config: &mut NodeConfig| {
        config.default_interface.reduction.message_ids = MessageIds::Always;
        let mut c = config.default_interface.clone();
        c.reduction.retransmit_interval = 2 * SECOND;
        c.reduction.retransmit_limit = 2;
        let mut d = config.default_interface.clone();
        d.reduction.retransmit_growth = 2.0;
        config.interfaces.extend([("c".to_owned(), c), ("d".to_owned(), d)]);
    });
    for session in [dut.h(), dut.k()] {
        let path = path(&dut, session, 20.0);
        dut.send(Station::U1, path);
    }
    dut.advance(WHILE);
    assert_eq!(copies(&mut dut, Port::C), [[0, 2000]]);
    assert_eq!(copies(&mut dut, Port::D), [[0, 500, 2000]]);
}

/// An acknowledgement before the first or the second interval is over ends the copies there.
pub(crate) fn an_acknowledgement_ends_the_copies(lab: &Lab) {
    shows(&["rfc2961-6.1-01", "rfc2961-6.3-02"]);
    for (after, copies_sent) in [(250, 1), (550, 2)] {
        let mut dut = lab.reducing();
        let first = trigger(&mut dut);
        let wait = (first.sent.at + Duration::from_millis(after)).since(dut.now());
        dut.advance(wait);
        dut.send_ack(Station::D1, first.id().id);
        dut.advance(WHILE);
        assert_eq!(1 + dut.all::<Path>(Port::C).len(), copies_sent, "acknowledged after {after} ms");
    }
}

/// Of three messages the one that is acknowledged is not sent again, the others are.
pub(crate) fn an_acknowledgement_concerns_no_other_message(lab: &Lab) {
    shows(&["rfc2961-6.1-02"]);
    let mut dut = lab.reducing();
    let ids = [5000, 5001, 5002].map(|port| {
        let session = at_port(&dut, dut.h(), port);
        trigger_in(&mut dut, session).id().id
    });
    dut.send_ack(Station::D1, ids[1]);
    dut.advance(WHILE);
    let again = copies_of(&dut.all::<Message>(Port::C));
    assert_eq!(again.get(&ids[0]), Some(&vec![0, 1000]), "the second and third copy");
    assert_eq!(again.get(&ids[1]), None);
    assert_eq!(again.get(&ids[2]), Some(&vec![0, 1000]));
}

/// A Path that is never acknowledged is refreshed every R as ever, and its state is not torn down.
pub(crate) fn state_outlives_a_message_that_is_given_up(lab: &Lab) {
    shows(&["rfc2961-6.3-05"]);
    let mut dut = lab.brisk().reducing();
    let path = path(&dut, dut.h(), 20.0);
    for _ in 0..10 {
        dut.send(Station::U1, path.clone());
        dut.advance(dut.r());
    }
    let all = dut.all::<Path>(Port::C);
    assert!(all.iter().all(|it| it.message == all[0].message && it.id().id == all[0].id().id));
    let times: Vec<Instant> = all.iter().map(|it| it.sent.at).collect();
    let longest = dut.r() * 3 / 2 + Duration::from_millis(100) + dut.timing.slack;
    assert!(longest_gap(&times) <= longest, "{times:?}");
    assert!(dut.now().since(times[times.len() - 1]) <= longest, "{times:?}");
    dut.expect_no::<PathTear>(Port::C);
}

/// All copies say in TIME_VALUES what R is.
pub(crate) fn copies_announce_the_refresh_period(lab: &Lab) {
    shows(&["rfc2961-6.3-06"]);
    let mut dut = lab.reducing();
    let path = path(&dut, dut.h(), 20.0);
    dut.send(Station::U1, path);
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, resv);
    dut.advance(WHILE);
    let periods: Vec<u32> = dut.all::<Path>(Port::C).iter().map(|it| it.message.refresh_ms).collect();
    assert_eq!(periods, [millis(dut.r()); 3]);
    let periods: Vec<u32> = dut.all::<Resv>(Port::A).iter().map(|it| it.message.refresh_ms).collect();
    assert_eq!(periods, [millis(dut.r()); 3]);
}

/// After a change, the Path of before is not sent again; after the PathTear, neither is.
pub(crate) fn a_newer_message_about_the_same_state_takes_the_older_ones_place(lab: &Lab) {
    shows(&["rfc2961-6.3-07"]);
    let mut dut = lab.reducing();
    let first = trigger(&mut dut).id().id;
    let changed = path(&dut, dut.h(), 10.0);
    dut.send(Station::U1, changed);
    let second = dut.expect::<Path>(Port::C).id().id;
    assert!(first.is_older_than(second));
    dut.advance(SECOND);
    let again = copies_of(&dut.all::<Message>(Port::C));
    assert_eq!((again.get(&first), again.len()), (None, 1), "only the change is sent again");
    let tear = dut.path_tear(Station::U1, dut.h(), dut.s1());
    dut.send(Station::U1, tear);
    dut.advance(WHILE);
    let after = dut.all::<Message>(Port::C);
    assert!(after.iter().all(|it| matches!(it.message, Message::PathTear(_))), "nothing but the PathTear");
    assert_eq!(copies_of(&after).into_values().collect::<Vec<_>>(), [[0, 500, 1500]]);
}

/// After a change, the Resv of before is not sent again.
pub(crate) fn a_newer_resv_takes_the_older_ones_place(lab: &Lab) {
    shows(&["rfc2961-6.3-07"]);
    let mut dut = lab.unicast(1);
    dut.introduce(Station::U1);
    for rate in [1.0, 2.0] {
        let resv = resv(&dut, dut.h(), rate);
        dut.send(Station::D1, resv);
    }
    dut.advance(Duration::from_secs(3));
    let sent = dut.all::<Resv>(Port::A);
    let rates: Vec<f32> = sent.iter().map(|it| it.shares()[0].0).collect();
    assert_eq!(rates, [1.0, 2.0, 2.0, 2.0]);
}

/// Tears that are not acknowledged are sent again like all others; one acknowledgement ends it.
pub(crate) fn tears_are_sent_again_until_they_are_acknowledged(lab: &Lab) {
    shows(&["rfc2961-6.3-08"]);
    let mut dut = lab.reducing();
    for acknowledged in [false, true] {
        dut.acknowledging(Station::D1);
        dut.acknowledging(Station::U1);
        for (from, message, _) in all_types(&dut).into_iter().take(2) {
            dut.send(from, message);
        }
        dut.forget();
        dut.withholding(Station::D1);
        dut.withholding(Station::U1);
        for (from, tear, port) in all_types(&dut).into_iter().skip(5) {
            dut.send(from, tear.clone());
            let first = expect_like(&mut dut, port, &tear).id();
            assert!(first.wants_ack());
            if acknowledged {
                let neighbour = if port == Port::A { Station::U1 } else { Station::D1 };
                dut.send_ack(neighbour, first.id);
            }
            dut.advance(WHILE * 5 / 8);
            let left: Vec<Received<Message>> = dut.all::<Message>(port);
            let expected = if acknowledged { vec![] } else { vec![vec![0, 1000]] };
            assert_eq!(copies_of(&left).into_values().collect::<Vec<_>>(), expected, "{tear:?}");
        }
    }
}

/// A message that comes again is acknowledged again, even a tear whose state is gone.
pub(crate) fn a_tear_that_comes_again_is_acknowledged_again(lab: &Lab) {
    shows(&["rfc2961-6.3-08", "rfc2961-4.5-31"]);
    let mut dut = lab.router();
    for (number, (from, message, _)) in (1..).zip(all_types(&dut)) {
        for _ in 0..3 {
            dut.send_id(from, message.clone(), wanted(number));
            dut.expect_acks(from, &[ack(number)]);
        }
    }
}
