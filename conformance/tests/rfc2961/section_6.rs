//! RFC 2961 section 6: exponential back-off procedures.

use std::time::Duration;

use conformance::bench::{Dut, Family, Lab, Port, R, Received, Station, mid, wanted};
use conformance::shows;
use rsvp_core::config::{MessageIds, NodeConfig};
use rsvp_core::wire::{Message, Path, PathTear, Resv};

use crate::dialogue::{all_types, at_port, copies, copies_of, expect_like, path, resv, trigger, trigger_in};

const SECOND: Duration = Duration::from_secs(1);

/// Longer than the copies of a message take by default, shorter than until its refresh.
const WHILE: Duration = Duration::from_secs(10);

#[test]
fn copies_follow_at_growing_intervals() {
    shows(&[
        "rfc2961-6-01",
        "rfc2961-6.2-02",
        "rfc2961-6.2-05",
        "rfc2961-6.3-01",
        "rfc2961-6.3-03",
        "rfc2961-4.5-11",
        "rfc2961-4.5-12",
    ]);
    let mut dut = Lab::in_process().reducing();
    let path = path(&dut, dut.h(), 20.0);
    dut.send(Station::U1, path);
    dut.advance(WHILE);
    assert_eq!(copies(&mut dut, Port::C), [[0, 500, 1500]], "Rf = 500 ms, Delta = 1, Rl = 3");
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, resv);
    dut.advance(4 * SECOND);
    assert_eq!(copies(&mut dut, Port::A), [[0, 500, 1500]]);
}

#[test]
fn rl_counts_every_copy() {
    shows(&["rfc2961-6.2-03", "rfc2961-6.3-03", "rfc2961-6.1-01"]);
    for (limit, expected) in
        [(1, &[0][..]), (3, &[0, 500, 1500]), (7, &[0, 500, 1500, 3500, 7500, 15500, 31500])]
    {
        let mut dut = Lab::in_process().with(Family::V4, |config| {
            config.default_interface.refresh = 20 * R;
            config.default_interface.reduction.message_ids = MessageIds::Always;
            config.default_interface.reduction.retransmit_limit = limit;
        });
        let path = path(&dut, dut.h(), 20.0);
        dut.send(Station::U1, path);
        dut.advance(4 * R);
        assert_eq!(copies(&mut dut, Port::C), [expected]);
    }
}

#[test]
fn delta_sets_how_the_intervals_grow() {
    shows(&["rfc2961-6.2-04", "rfc2961-6.2-02"]);
    for (delta, expected) in [(1.0, [0, 1000, 3000, 7000]), (0.5, [0, 1000, 2500, 4750])] {
        let mut dut = Lab::in_process().reducing_with(|reduction| {
            reduction.retransmit_interval = SECOND;
            reduction.retransmit_growth = delta;
            reduction.retransmit_limit = 4;
        });
        let path = path(&dut, dut.h(), 20.0);
        dut.send(Station::U1, path);
        dut.advance(WHILE);
        assert_eq!(copies(&mut dut, Port::C), [expected]);
    }
}

#[test]
fn the_parameters_are_set_by_interface() {
    shows(&["rfc2961-6.2-01"]);
    let mut dut = Lab::in_process().with(Family::V4, |config: &mut NodeConfig| {
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

#[test]
fn an_acknowledgement_ends_the_copies() {
    shows(&["rfc2961-6.1-01", "rfc2961-6.3-02"]);
    for (after, copies_sent) in [(250, 1), (550, 2)] {
        let mut dut = Lab::in_process().reducing();
        let first = trigger(&mut dut);
        // The trigger has taken 100 ms already.
        dut.advance(Duration::from_millis(after - 100));
        dut.send_ack(Station::D1, first.id().id);
        dut.advance(WHILE);
        assert_eq!(1 + dut.all::<Path>(Port::C).len(), copies_sent, "acknowledged after {after} ms");
    }
}

#[test]
fn an_acknowledgement_concerns_no_other_message() {
    shows(&["rfc2961-6.1-02"]);
    let mut dut = Lab::in_process().reducing();
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

#[test]
fn state_outlives_a_message_that_is_given_up() {
    shows(&["rfc2961-6.3-05"]);
    let mut dut = Lab::in_process().reducing();
    let first = trigger(&mut dut);
    for _ in 0..10 {
        dut.advance(R);
        let path = path(&dut, dut.h(), 20.0);
        dut.send(Station::U1, path);
    }
    let all = dut.all::<Path>(Port::C);
    let (copies, refreshes): (Vec<_>, Vec<_>) = all.iter().partition(|it| it.id().wants_ack());
    assert_eq!(copies.len(), 2);
    assert!((7..=21).contains(&refreshes.len()), "one in each [0.5, 1.5] R: {}", refreshes.len());
    assert!(all.iter().all(|it| it.message == first.message));
    dut.expect_no::<PathTear>(Port::C);
}

#[test]
fn copies_announce_the_refresh_period() {
    shows(&["rfc2961-6.3-06"]);
    let mut dut = Lab::in_process().reducing();
    let path = path(&dut, dut.h(), 20.0);
    dut.send(Station::U1, path);
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, resv);
    dut.advance(WHILE);
    let periods: Vec<u32> = dut.all::<Path>(Port::C).iter().map(|it| it.message.refresh_ms).collect();
    assert_eq!(periods, [30_000; 3]);
    let periods: Vec<u32> = dut.all::<Resv>(Port::A).iter().map(|it| it.message.refresh_ms).collect();
    assert_eq!(periods, [30_000; 3]);
}

#[test]
fn a_newer_message_about_the_same_state_takes_the_older_ones_place() {
    shows(&["rfc2961-6.3-07"]);
    let mut dut = Lab::in_process().reducing();
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

#[test]
fn a_newer_resv_takes_the_older_ones_place() {
    shows(&["rfc2961-6.3-07"]);
    let mut dut = Lab::in_process().unicast(1);
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

#[test]
fn tears_are_sent_again_until_they_are_acknowledged() {
    shows(&["rfc2961-6.3-08"]);
    let mut dut = Lab::in_process().reducing();
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
            dut.advance(WHILE);
            let left: Vec<Received<Message>> = dut.all::<Message>(port);
            let expected = if acknowledged { vec![] } else { vec![vec![0, 1000]] };
            assert_eq!(copies_of(&left).into_values().collect::<Vec<_>>(), expected, "{tear:?}");
        }
    }
}

#[test]
fn a_tear_that_comes_again_is_acknowledged_again() {
    shows(&["rfc2961-6.3-08", "rfc2961-4.5-31"]);
    let mut dut = Lab::in_process().router();
    for (number, (from, message, _)) in (1..).zip(all_types(&dut)) {
        for _ in 0..3 {
            dut.send_id(from, message.clone(), wanted(number));
            let acks: Vec<_> = dut.acks(from).iter().map(|it| it.id()).collect();
            assert_eq!(acks, [mid(number)], "{message:?}");
        }
    }
}

#[test]
fn what_is_given_up_is_forgotten() {
    shows(&["rfc2961-6.3-04"]);
    let outstanding = |dut: &mut Dut| -> usize {
        dut.node().neighbors().iter().map(|neighbour| neighbour.reduction.outstanding).sum()
    };
    let mut dut = Lab::in_process().reducing();
    dut.acknowledging(Station::U1);
    for (from, message, _) in all_types(&dut).into_iter().take(2) {
        dut.send(from, message);
    }
    assert_eq!(outstanding(&mut dut), 1, "the Path");
    dut.advance(Duration::from_millis(3100));
    assert_eq!(outstanding(&mut dut), 1, "the last interval has not passed");
    dut.advance(Duration::from_millis(400));
    assert_eq!(outstanding(&mut dut), 0);
    let changed = path(&dut, dut.h(), 10.0);
    dut.send(Station::U1, changed);
    assert_eq!(outstanding(&mut dut), 1);
    let id = dut.all::<Path>(Port::C).last().expect("the change").id().id;
    dut.send_ack(Station::D1, id);
    assert_eq!(outstanding(&mut dut), 0);
}
