//! Laws of merging that the engine relies on: a merge must not depend on the order in which reservations came.

use proptest::collection::vec;
use proptest::prelude::*;
use rsvp_core::intserv::{
    Hop, Relation, advertise, compare, glb, initial_adspec, lub, sum, validate_adspec, validate_flowspec,
    validate_tspec,
};
use rsvp_core::wire::{Adspec, Flowspec, Rspec, SenderTspec, Tspec};

/// Few different values, so that equal ones meet.
fn tspec() -> impl Strategy<Value = Tspec> {
    let rate = prop_oneof![Just(1e3_f32), Just(2e4), Just(1.5e6)];
    let bucket = prop_oneof![Just(1.5e3_f32), Just(9e3), 1e3_f32..1e9];
    let peak = prop_oneof![Just(2e6_f32), Just(f32::INFINITY)];
    let min_unit = prop_oneof![Just(1_u32), Just(64), Just(200)];
    let max_packet = prop_oneof![Just(576_u32), Just(1500), Just(9000)];
    (rate, bucket, peak, min_unit, max_packet).prop_map(|(rate, bucket, peak, min_unit, max_packet)| Tspec {
        rate,
        bucket,
        peak,
        min_unit,
        max_packet,
    })
}

fn guaranteed() -> impl Strategy<Value = Flowspec> {
    let rspec = (prop_oneof![Just(1.5e6_f32), Just(3e6)], prop_oneof![Just(0_u32), Just(500)]);
    (tspec(), rspec).prop_map(|(tspec, (rate, slack))| Flowspec::Guaranteed(tspec, Rspec { rate, slack }))
}

/// Three of one service, or of any.
fn three() -> impl Strategy<Value = [Flowspec; 3]> {
    let controlled_load = || tspec().prop_map(Flowspec::ControlledLoad);
    let null = || prop_oneof![Just(576_u32), Just(1500)].prop_map(|max_packet| Flowspec::Null { max_packet });
    let any = || prop_oneof![controlled_load().boxed(), guaranteed().boxed(), null().boxed()];
    prop_oneof![
        [controlled_load(), controlled_load(), controlled_load()].boxed(),
        [guaranteed(), guaranteed(), guaranteed()].boxed(),
        [null(), null(), null()].boxed(),
        [any(), any(), any()].boxed(),
    ]
}

/// The flowspec with the one parameter that merging lowers, M, out of play.
fn with_packet(flowspec: &Flowspec, max_packet: u32) -> Flowspec {
    match flowspec {
        Flowspec::ControlledLoad(tspec) => Flowspec::ControlledLoad(Tspec { max_packet, ..*tspec }),
        Flowspec::Guaranteed(tspec, rspec) => Flowspec::Guaranteed(Tspec { max_packet, ..*tspec }, *rspec),
        _ => Flowspec::Null { max_packet },
    }
}

proptest! {
    #[test]
    fn lub_does_not_depend_on_order([a, b, c] in three()) {
        prop_assert_eq!(lub(&a, &b), lub(&b, &a));
        prop_assert_eq!(lub(&a, &a), Some(a.clone()));
        let left = lub(&a, &b).and_then(|ab| lub(&ab, &c));
        let right = lub(&b, &c).and_then(|bc| lub(&a, &bc));
        prop_assert_eq!(left, right);
    }

    #[test]
    fn lub_is_no_less_than_either_in_all_but_the_packet_size([a, b, _] in three()) {
        let Some(merged) = lub(&a, &b) else { return Ok(()) };
        for part in [&a, &b] {
            let relation = compare(&with_packet(&merged, 64), &with_packet(part, 64));
            prop_assert!(matches!(relation, Relation::Larger | Relation::Equal), "{relation:?}");
        }
    }

    #[test]
    fn glb_is_symmetric_and_the_smaller_of_ordered_ones([a, b, _] in three()) {
        prop_assert_eq!(glb(&a, &b), glb(&b, &a));
        match compare(&a, &b) {
            Relation::Equal | Relation::Smaller => prop_assert_eq!(glb(&a, &b), Some(a)),
            Relation::Larger => prop_assert_eq!(glb(&a, &b), Some(b)),
            Relation::Incomparable => {}
        }
    }

    #[test]
    fn order_is_antisymmetric_and_transitive([a, b, c] in three()) {
        let mirrored = match compare(&b, &a) {
            Relation::Smaller => Relation::Larger,
            Relation::Larger => Relation::Smaller,
            same => same,
        };
        prop_assert_eq!(compare(&a, &b), mirrored);
        prop_assert_eq!(compare(&a, &b) == Relation::Equal, a == b);
        if compare(&a, &b) == Relation::Larger && compare(&b, &c) == Relation::Larger {
            prop_assert_eq!(compare(&a, &c), Relation::Larger);
        }
    }

    #[test]
    fn what_is_merged_of_sound_requests_is_sound([a, b, _] in three()) {
        prop_assume!(validate_flowspec(&a).is_ok() && validate_flowspec(&b).is_ok());
        for merged in [lub(&a, &b), glb(&a, &b)].into_iter().flatten() {
            prop_assert_eq!(validate_flowspec(&merged), Ok(()));
        }
    }

    #[test]
    fn sum_does_not_depend_on_order(tspecs in vec(tspec(), 1..20), rotation in 0_usize..20) {
        let mut tspecs: Vec<_> = tspecs.into_iter().map(SenderTspec::TokenBucket).collect();
        let summed = sum(tspecs.iter());
        prop_assert_eq!(validate_tspec(&summed.clone().unwrap()), Ok(()));
        let length = tspecs.len();
        tspecs.rotate_left(rotation % length);
        tspecs.swap(0, length / 2);
        prop_assert_eq!(sum(tspecs.iter()), summed);
    }

    #[test]
    fn what_is_advertised_is_sound(hops in vec((any::<f32>(), any::<Option<u32>>(), 68_u32..), 1..6)) {
        let tspec = Tspec { rate: 1e4, bucket: 2e3, peak: 1e5, min_unit: 64, max_packet: 1500 };
        let mut adspec = initial_adspec(&SenderTspec::TokenBucket(tspec));
        for (bandwidth, latency, mtu) in &hops {
            let hop = Hop {
                bandwidth: *bandwidth,
                latency: *latency,
                mtu: *mtu,
                guaranteed: Some((u32::MAX / 2, u32::MAX / 2)),
                controlled_load: true,
                ..Hop::default()
            };
            adspec = advertise(&adspec, &hop);
            prop_assert_eq!(validate_adspec(&Adspec::IntServ(adspec.clone())), Ok(()));
        }
        prop_assert_eq!(adspec.general.is_hops as usize, hops.len());
        prop_assert_eq!(adspec.general.path_mtu, hops.iter().map(|hop| hop.2).min().unwrap());
    }
}
