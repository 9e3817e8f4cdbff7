//! Order, merging and sums (RFC 2205 section 3.11.6).

use alloc::vec::Vec;

use crate::wire::{Flowspec, Rspec, SenderTspec, Tspec};

/// The smallest IP packet with a transport header, in bytes: no flow has more headers than packets, whatever m it says.
const SMALLEST_PACKET: u32 = 28;

/// How a first value relates to a second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// They are the same.
    Equal,
    /// The first asks for less.
    Smaller,
    /// The first asks for more: it is a substitute for the second.
    Larger,
    /// Neither is a substitute for the other.
    Incomparable,
}

impl Relation {
    /// From whether the first is at least as good as the second, and the other way round.
    const fn new(first_substitutes: bool, second_substitutes: bool) -> Self {
        match (first_substitutes, second_substitutes) {
            (true, true) => Self::Equal,
            (true, false) => Self::Larger,
            (false, true) => Self::Smaller,
            (false, false) => Self::Incomparable,
        }
    }

    /// The relation of pairs whose parts have these relations.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Equal, relation) | (relation, Self::Equal) => relation,
            (Self::Smaller, Self::Smaller) => Self::Smaller,
            (Self::Larger, Self::Larger) => Self::Larger,
            _ => Self::Incomparable,
        }
    }
}

/// The order of flowspecs (Compare_Flowspecs). Those of different services, and those that this code does not
/// interpret, are incomparable unless they are the same.
#[must_use]
pub fn compare(first: &Flowspec, second: &Flowspec) -> Relation {
    match (first, second) {
        (Flowspec::ControlledLoad(first), Flowspec::ControlledLoad(second)) => compare_tspecs(first, second),
        (Flowspec::Guaranteed(tspec1, rspec1), Flowspec::Guaranteed(tspec2, rspec2)) => {
            compare_tspecs(tspec1, tspec2).and(compare_rspecs(rspec1, rspec2))
        }
        (Flowspec::Null { max_packet: first }, Flowspec::Null { max_packet: second }) => {
            Relation::new(first >= second, second >= first)
        }
        _ if first == second => Relation::Equal,
        _ => Relation::Incomparable,
    }
}

/// The order of token buckets (RFC 2211 section 8): a substitute has r, b, p and M at least as large, and m at least as
/// small.
#[must_use]
pub fn compare_tspecs(first: &Tspec, second: &Tspec) -> Relation {
    Relation::new(substitutes(first, second), substitutes(second, first))
}

fn substitutes(a: &Tspec, b: &Tspec) -> bool {
    a.rate >= b.rate
        && a.bucket >= b.bucket
        && a.peak >= b.peak
        && a.min_unit <= b.min_unit
        && a.max_packet >= b.max_packet
}

/// RFC 2212, "Ordering and Merging": a substitute has R at least as large and S at least as small.
fn compare_rspecs(first: &Rspec, second: &Rspec) -> Relation {
    let substitutes = |a: &Rspec, b: &Rspec| a.rate >= b.rate && a.slack <= b.slack;
    Relation::new(substitutes(first, second), substitutes(second, first))
}

/// The least upper bound of two flowspecs (LUB_of_Flowspecs); `None` if their services cannot be merged, which is a
/// service conflict (error code 21, value 1).
///
/// This is the merge of RFC 2211 section 8 and RFC 2212: largest r, b, p and R, smallest m and S, and the smallest M,
/// although the order would ask for the largest, because the sender must not use packets that one of the receivers'
/// paths cannot carry.
#[must_use]
pub fn lub(first: &Flowspec, second: &Flowspec) -> Option<Flowspec> {
    match (first, second) {
        (Flowspec::ControlledLoad(first), Flowspec::ControlledLoad(second)) => {
            Some(Flowspec::ControlledLoad(merge(first, second)))
        }
        (Flowspec::Guaranteed(tspec1, rspec1), Flowspec::Guaranteed(tspec2, rspec2)) => {
            let rspec = Rspec { rate: rspec1.rate.max(rspec2.rate), slack: rspec1.slack.min(rspec2.slack) };
            Some(Flowspec::Guaranteed(merge(tspec1, tspec2), rspec))
        }
        (Flowspec::Null { max_packet: first }, Flowspec::Null { max_packet: second }) => {
            Some(Flowspec::Null { max_packet: *first.min(second) })
        }
        _ => (first == second).then(|| first.clone()),
    }
}

fn merge(first: &Tspec, second: &Tspec) -> Tspec {
    Tspec {
        rate: first.rate.max(second.rate),
        bucket: first.bucket.max(second.bucket),
        peak: first.peak.max(second.peak),
        min_unit: first.min_unit.min(second.min_unit),
        max_packet: first.max_packet.min(second.max_packet),
    }
}

/// The greatest lower bound of two flowspecs (GLB_of_Flowspecs), with the [`minimum`] of their TSpecs, the smallest R
/// and the largest S; `None` if their services cannot be merged.
#[must_use]
pub fn glb(first: &Flowspec, second: &Flowspec) -> Option<Flowspec> {
    match (first, second) {
        (Flowspec::ControlledLoad(first), Flowspec::ControlledLoad(second)) => {
            Some(Flowspec::ControlledLoad(minimum(first, second)))
        }
        (Flowspec::Guaranteed(tspec1, rspec1), Flowspec::Guaranteed(tspec2, rspec2)) => {
            let rspec = Rspec { rate: rspec1.rate.min(rspec2.rate), slack: rspec1.slack.max(rspec2.slack) };
            Some(Flowspec::Guaranteed(minimum(tspec1, tspec2), rspec))
        }
        (Flowspec::Null { max_packet: first }, Flowspec::Null { max_packet: second }) => {
            Some(Flowspec::Null { max_packet: *first.min(second) })
        }
        _ => (first == second).then(|| first.clone()),
    }
}

/// The minimum of two TSpecs (RFC 2211 section 8): the smaller one, if there is one; otherwise the smaller r, p, m and
/// M, and the larger b.
#[must_use]
pub fn minimum(first: &Tspec, second: &Tspec) -> Tspec {
    match compare_tspecs(first, second) {
        Relation::Equal | Relation::Smaller => *first,
        Relation::Larger => *second,
        Relation::Incomparable => Tspec {
            rate: first.rate.min(second.rate),
            bucket: first.bucket.max(second.bucket),
            peak: first.peak.min(second.peak),
            min_unit: first.min_unit.min(second.min_unit),
            max_packet: first.max_packet.min(second.max_packet),
        },
    }
}

/// The least common TSpec (RFC 2211 section 8): adequate to describe the traffic of either of two flows. It is as a
/// merge, but with the largest M, and for who makes a shared reservation by other means than RSVP: upstream goes the
/// merged TSpec ([`lub`]).
#[must_use]
pub fn least_common(first: &Tspec, second: &Tspec) -> Tspec {
    Tspec { max_packet: first.max_packet.max(second.max_packet), ..merge(first, second) }
}

/// A receiver's request, fitted to the paths of the senders that it is for (RFC 2210 sections 2.3.2 and 3.2.1): M is
/// no larger than the least of their path MTUs ([`path_mtu`](super::path_mtu)), and m no smaller than the least m that
/// they announce, nor larger than M; all in bytes. `None` where the paths say nothing.
#[must_use]
pub fn fitted(flowspec: &Flowspec, path_mtu: Option<u32>, min_unit: Option<u32>) -> Flowspec {
    let largest = path_mtu.unwrap_or(u32::MAX);
    let bucket = |tspec: &Tspec| {
        let max_packet = tspec.max_packet.min(largest);
        let min_unit = tspec.min_unit.max(min_unit.unwrap_or(0)).min(max_packet);
        Tspec { min_unit, max_packet, ..*tspec }
    };
    match flowspec {
        Flowspec::ControlledLoad(tspec) => Flowspec::ControlledLoad(bucket(tspec)),
        Flowspec::Guaranteed(tspec, rspec) => Flowspec::Guaranteed(bucket(tspec), *rspec),
        Flowspec::Null { max_packet } => Flowspec::Null { max_packet: (*max_packet).min(largest) },
        Flowspec::Opaque(_) => flowspec.clone(),
    }
}

/// The bytes per second that a rate of IP packets takes on a link whose header has so many bytes: at most one header for
/// each m bytes, r + r*H/m (RFC 2212, "Guidelines for Implementors"). `rate` is in bytes per second, `link_header` in
/// bytes.
#[must_use]
pub fn rate_on_link(rate: f64, tspec: &Tspec, link_header: u32) -> f64 {
    rate + rate * f64::from(link_header) / f64::from(tspec.min_unit.max(SMALLEST_PACKET))
}

/// The next whole number, for what must not be too little; the standard library's is not there without it. What is
/// negative or no number is 0, what is too large the largest.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as is said")]
pub(crate) fn round_up(value: f64) -> u64 {
    let whole = value as u64;
    #[expect(clippy::cast_precision_loss, reason = "only tells whether there is a fraction")]
    let has_fraction = (whole as f64) < value;
    whole.saturating_add(u64::from(has_fraction))
}

/// What to install for a merged flowspec: no more than the senders said they send (Path_Te), with the smallest m of all
/// (RFC 2210 sections 2.3.2 and 3.2.1). R and S stay as asked for.
#[must_use]
pub fn effective(flowspec: &Flowspec, path_te: &SenderTspec) -> Flowspec {
    let bounded = |wanted: &Tspec| match path_te.tspec() {
        Some(sent) => Tspec { min_unit: wanted.min_unit.min(sent.min_unit), ..minimum(wanted, sent) },
        None => *wanted,
    };
    match flowspec {
        Flowspec::ControlledLoad(tspec) => Flowspec::ControlledLoad(bounded(tspec)),
        Flowspec::Guaranteed(tspec, rspec) => Flowspec::Guaranteed(bounded(tspec), *rspec),
        Flowspec::Null { .. } | Flowspec::Opaque(_) => flowspec.clone(),
    }
}

/// The sum of senders' TSpecs (Sum_of_Tspecs; RFC 2211 section 8): sums of r, b and p, smallest m, largest M. The same
/// in every order. `None` if there are none, or they are not of one kind.
pub fn sum<'a>(tspecs: impl Iterator<Item = &'a SenderTspec>) -> Option<SenderTspec> {
    let (mut count, mut buckets, mut nulls) = (0, Vec::<&Tspec>::new(), Vec::new());
    for tspec in tspecs {
        count += 1;
        buckets.extend(tspec.tspec());
        nulls.extend(match tspec {
            SenderTspec::Null { max_packet } => Some(*max_packet),
            SenderTspec::TokenBucketOrNull { null_max_packet, .. } => Some(*null_max_packet),
            SenderTspec::TokenBucket(_) | SenderTspec::Opaque(_) => None,
        });
    }
    let all_null = if nulls.len() == count { nulls.into_iter().max() } else { None };
    if buckets.len() < count || count == 0 {
        return all_null.map(|max_packet| SenderTspec::Null { max_packet });
    }
    let tspec = Tspec {
        rate: sum_of(buckets.iter().map(|tspec| tspec.rate).collect()),
        bucket: sum_of(buckets.iter().map(|tspec| tspec.bucket).collect()),
        peak: sum_of(buckets.iter().map(|tspec| tspec.peak).collect()),
        min_unit: buckets.iter().map(|tspec| tspec.min_unit).min()?,
        max_packet: buckets.iter().map(|tspec| tspec.max_packet).max()?,
    };
    Some(match all_null {
        Some(null_max_packet) => SenderTspec::TokenBucketOrNull { tspec, null_max_packet },
        None => SenderTspec::TokenBucket(tspec),
    })
}

/// Sorts first, since the sum of floating-point numbers depends on the order.
fn sum_of(mut values: Vec<f32>) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    values.into_iter().map(f64::from).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::RawObject;

    const fn tspec(rate: f32, bucket: f32, peak: f32, min_unit: u32, max_packet: u32) -> Tspec {
        Tspec { rate, bucket, peak, min_unit, max_packet }
    }

    const A: Tspec = tspec(10.0, 5.0, 20.0, 100, 1500);
    const B: Tspec = tspec(5.0, 8.0, 30.0, 64, 1000);

    fn guaranteed(tspec: Tspec, rate: f32, slack: u32) -> Flowspec {
        Flowspec::Guaranteed(tspec, Rspec { rate, slack })
    }

    #[test]
    fn token_buckets_are_ordered_by_all_five_parameters() {
        let base = tspec(10.0, 5.0, 20.0, 64, 1500);
        assert_eq!(compare_tspecs(&base, &base), Relation::Equal);
        for smaller in [
            tspec(5.0, 5.0, 20.0, 64, 1500),
            tspec(10.0, 4.0, 20.0, 64, 1500),
            tspec(10.0, 5.0, 19.0, 64, 1500),
            tspec(10.0, 5.0, 20.0, 100, 1500),
            tspec(10.0, 5.0, 20.0, 64, 1000),
        ] {
            assert_eq!(compare_tspecs(&base, &smaller), Relation::Larger, "{smaller:?}");
            assert_eq!(compare_tspecs(&smaller, &base), Relation::Smaller, "{smaller:?}");
        }
        assert_eq!(compare_tspecs(&base, &tspec(5.0, 9.0, 20.0, 64, 1500)), Relation::Incomparable);
    }

    #[test]
    fn guaranteed_order_needs_tspec_and_rspec() {
        let base = guaranteed(A, 20.0, 50);
        assert_eq!(compare(&base, &guaranteed(A, 20.0, 50)), Relation::Equal);
        assert_eq!(compare(&base, &guaranteed(A, 10.0, 50)), Relation::Larger);
        assert_eq!(compare(&base, &guaranteed(A, 20.0, 20)), Relation::Smaller);
        assert_eq!(compare(&base, &guaranteed(A, 10.0, 20)), Relation::Incomparable);
        let more = Tspec { rate: 11.0, ..A };
        assert_eq!(compare(&guaranteed(more, 20.0, 50), &base), Relation::Larger);
        assert_eq!(compare(&guaranteed(more, 15.0, 50), &base), Relation::Incomparable);
    }

    #[test]
    fn services_do_not_mix() {
        let services = [
            Flowspec::ControlledLoad(A),
            guaranteed(A, 20.0, 0),
            Flowspec::Null { max_packet: 1500 },
            Flowspec::Opaque(RawObject { class: 9, ctype: 3, contents: [0; 4].into() }),
        ];
        for (i, first) in services.iter().enumerate() {
            for (j, second) in services.iter().enumerate() {
                let same = i == j;
                let relation = if same { Relation::Equal } else { Relation::Incomparable };
                assert_eq!(compare(first, second), relation);
                assert_eq!(lub(first, second), same.then(|| first.clone()));
                assert_eq!(glb(first, second), same.then(|| first.clone()));
            }
        }
    }

    #[test]
    fn merge_takes_the_most_but_the_smallest_packet() {
        let merged = tspec(10.0, 8.0, 30.0, 64, 1000);
        assert_eq!(
            lub(&Flowspec::ControlledLoad(A), &Flowspec::ControlledLoad(B)),
            Some(Flowspec::ControlledLoad(merged))
        );
        assert_eq!(
            lub(&guaranteed(A, 10_000.0, 50), &guaranteed(B, 8000.0, 20)),
            Some(guaranteed(merged, 10_000.0, 20))
        );
        let null = |max_packet| Flowspec::Null { max_packet };
        assert_eq!(lub(&null(1500), &null(1000)), Some(null(1000)));
        assert_eq!(compare(&null(1500), &null(1000)), Relation::Larger);
    }

    #[test]
    fn the_least_common_tspec_has_the_largest_packet() {
        assert_eq!(least_common(&A, &B), tspec(10.0, 8.0, 30.0, 64, 1500));
    }

    #[test]
    fn a_request_is_fitted_to_its_paths() {
        let asked = tspec(10.0, 5.0, 20.0, 64, 1500);
        let load = Flowspec::ControlledLoad;
        assert_eq!(fitted(&load(asked), None, None), load(asked));
        let fits = tspec(10.0, 5.0, 20.0, 100, 1400);
        assert_eq!(fitted(&load(asked), Some(1400), Some(100)), load(fits));
        assert_eq!(fitted(&load(fits), Some(1500), Some(64)), load(fits), "never looser than asked");
        let tiny = tspec(10.0, 5.0, 20.0, 90, 90);
        assert_eq!(fitted(&guaranteed(asked, 20.0, 7), Some(90), Some(100)), guaranteed(tiny, 20.0, 7));
        let null = |max_packet| Flowspec::Null { max_packet };
        assert_eq!(fitted(&null(1500), Some(1400), Some(100)), null(1400));
    }

    #[test]
    fn link_headers_are_counted_once_for_each_m_bytes() {
        let of_100 = tspec(10_000.0, 5.0, 20.0, 100, 1500);
        assert_eq!(rate_on_link(10_000.0, &of_100, 14), 11_400.0);
        assert_eq!(rate_on_link(10_000.0, &of_100, 0), 10_000.0);
        let of_1 = Tspec { min_unit: 1, ..of_100 };
        assert_eq!(rate_on_link(10_000.0, &of_1, 14), 15_000.0, "no packet is smaller than its headers");
    }

    #[test]
    fn fractions_are_rounded_up() {
        assert_eq!([0.0, 0.1, 2.0, 2.5, -1.0, f64::NAN].map(round_up), [0, 1, 2, 3, 0, 0]);
        assert_eq!(round_up(f64::INFINITY), u64::MAX);
    }

    #[test]
    fn minimum_of_unordered_tspecs_has_the_larger_bucket() {
        assert_eq!(minimum(&A, &B), tspec(5.0, 8.0, 20.0, 64, 1000));
        let larger = Tspec { rate: 20.0, ..A };
        assert_eq!(minimum(&A, &larger), A);
        assert_eq!(minimum(&larger, &A), A);
        assert_eq!(
            glb(&guaranteed(A, 10_000.0, 50), &guaranteed(larger, 8000.0, 20)),
            Some(guaranteed(A, 8000.0, 50))
        );
    }

    #[test]
    fn installed_is_bounded_by_what_is_sent() {
        let wanted = Flowspec::ControlledLoad(tspec(100.0, 50.0, 200.0, 200, 1500));
        let sent = SenderTspec::TokenBucket(tspec(10.0, 5.0, 20.0, 100, 1200));
        let Flowspec::ControlledLoad(installed) = effective(&wanted, &sent) else { panic!("other service") };
        assert_eq!(installed.max_packet, 1200);
        assert_eq!(installed.rate, 10.0);
        assert_eq!(installed.min_unit, 100);
        let modest = Flowspec::ControlledLoad(tspec(5.0, 4.0, 10.0, 200, 1000));
        let Flowspec::ControlledLoad(installed) = effective(&modest, &sent) else { panic!("other service") };
        assert_eq!(installed, tspec(5.0, 4.0, 10.0, 100, 1000), "as asked for, but the packets are smaller");
        let null = Flowspec::Null { max_packet: 1500 };
        assert_eq!(effective(&null, &sent), null);
        let unbounded = effective(&wanted, &SenderTspec::Null { max_packet: 500 });
        assert_eq!(unbounded, wanted);
    }

    #[test]
    fn sum_adds_rates_and_spans_packet_sizes() {
        let bucket = SenderTspec::TokenBucket;
        let summed = sum([bucket(A), bucket(B)].iter());
        assert_eq!(summed, Some(bucket(tspec(15.0, 13.0, 50.0, 64, 1500))));
        let endless = bucket(Tspec { peak: f32::INFINITY, ..A });
        let Some(SenderTspec::TokenBucket(summed)) = sum([endless, bucket(B)].iter()) else {
            panic!("no sum")
        };
        assert_eq!(summed.peak, f32::INFINITY);
        assert_eq!(sum([].iter()), None);
    }

    #[test]
    fn sum_is_the_same_in_every_order() {
        let rates = [1.0e12, 1.0, 3.0e-3, 7.0e6, 1.0e12, 0.1, 123_456.7];
        let tspecs = rates.map(|rate| SenderTspec::TokenBucket(Tspec { rate, ..A }));
        let forward = sum(tspecs.iter());
        let backward = sum(tspecs.iter().rev());
        assert_eq!(forward, backward);
        assert!(forward.is_some());
    }

    #[test]
    fn sum_of_different_kinds() {
        let bucket = SenderTspec::TokenBucket(A);
        let null = SenderTspec::Null { max_packet: 500 };
        let both = SenderTspec::TokenBucketOrNull { tspec: B, null_max_packet: 900 };
        assert_eq!(sum([&null, &both].into_iter()), Some(SenderTspec::Null { max_packet: 900 }));
        assert_eq!(
            sum([&bucket, &both].into_iter()),
            Some(SenderTspec::TokenBucket(tspec(15.0, 13.0, 50.0, 64, 1500)))
        );
        assert_eq!(sum([&bucket, &null].into_iter()), None);
        let opaque = SenderTspec::Opaque(RawObject { class: 12, ctype: 2, contents: [0; 4].into() });
        assert_eq!(sum([&bucket, &opaque].into_iter()), None);
    }
}
