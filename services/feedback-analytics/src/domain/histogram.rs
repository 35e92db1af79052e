//! Durations in log-spaced buckets: small, addable, and good for any quantile.
//!
//! Each power of two is cut into 16 equal parts; below 32 seconds every second has its own bucket. A bucket is
//! at most 1/16 of its values wide, so its middle is at most 3.2 % off. Whole numbers only: a duration has the
//! same bucket on every machine for ever, which lets a sum be taken back.

use std::collections::BTreeMap;

/// Parts of a power of two.
const PARTS: u64 = 16;
/// Its logarithm.
const PARTS_LOG: u32 = 4;

/// The bucket of a duration in seconds.
#[must_use]
pub fn bucket(seconds: u64) -> u32 {
    if seconds < PARTS {
        return u32::try_from(seconds).unwrap_or_default();
    }
    let octave = seconds.ilog2() - PARTS_LOG;
    let part = (seconds >> octave) - PARTS;
    (octave + 1) * (1 << PARTS_LOG) + u32::try_from(part).unwrap_or_default()
}

/// The middle of a bucket, in seconds.
#[must_use]
pub fn middle(bucket: u32) -> u64 {
    let parts = 1 << PARTS_LOG;
    if bucket < parts {
        return u64::from(bucket);
    }
    let (octave, part) = ((bucket / parts - 1).min(63 - PARTS_LOG), u64::from(bucket % parts));
    ((PARTS + part) << octave) + ((1_u64 << octave) - 1) / 2
}

/// How many durations are in which bucket.
pub type Histogram = BTreeMap<u32, u64>;

/// How many durations there are.
#[must_use]
pub fn total(histogram: &Histogram) -> u64 {
    histogram.values().sum()
}

/// The time within which a share of all is done, in seconds, when `waiting` more are not done yet.
///
/// Those waiting count as slower than all that are done: leaving the hard ones for later does not make the
/// figure better. `None` when the quantile lies among them, or when there is nothing.
///
/// * `percent`: 1 to 100; nearest rank.
#[must_use]
pub fn quantile(histogram: &Histogram, waiting: u64, percent: u64) -> Option<u64> {
    let rank = ((total(histogram) + waiting) * percent).div_ceil(100);
    if rank == 0 {
        return None;
    }
    let mut seen = 0;
    histogram.iter().find_map(|(bucket, times)| {
        seen += times;
        (seen >= rank).then(|| middle(*bucket))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(durations: &[u64]) -> Histogram {
        durations.iter().fold(Histogram::new(), |mut histogram, seconds| {
            *histogram.entry(bucket(*seconds)).or_default() += 1;
            histogram
        })
    }

    #[test]
    fn small_durations_are_exact_and_buckets_follow_each_other() {
        for seconds in 0..32 {
            assert_eq!(middle(bucket(seconds)), seconds);
        }
        let buckets: Vec<u32> = (0..100_000).map(bucket).collect();
        assert!(buckets.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1));
        assert!(bucket(u64::MAX) < 1000 && middle(u32::MAX) > 0);
    }

    #[test]
    fn quantiles_of_known_values() {
        let ten: Vec<u64> = (1..=10).collect();
        assert_eq!(quantile(&of(&ten), 0, 50), Some(5));
        assert_eq!(quantile(&of(&ten), 0, 90), Some(9));
        assert_eq!(quantile(&of(&ten), 0, 100), Some(10));
        assert_eq!(quantile(&of(&[]), 0, 50), None);
    }

    #[test]
    fn what_waits_counts_as_slower_than_all_that_is_done() {
        let easy_ones_first = of(&[1, 1, 1]);
        assert_eq!(quantile(&easy_ones_first, 0, 50), Some(1));
        assert_eq!(quantile(&easy_ones_first, 3, 50), Some(1));
        assert_eq!(quantile(&easy_ones_first, 4, 50), None);
        assert_eq!(quantile(&of(&[]), 3, 50), None);
    }

    proptest! {
        #[test]
        fn a_quantile_is_within_a_bucket_of_the_exact_one(
            mut durations in prop::collection::vec(0_u64..400_000_000, 1..200),
            percent in 1_u64..=100,
        ) {
            let found = quantile(&of(&durations), 0, percent).unwrap();
            durations.sort_unstable();
            let rank = (durations.len() as u64 * percent).div_ceil(100);
            let exact = durations[usize::try_from(rank).unwrap() - 1];
            prop_assert!(found.abs_diff(exact) * 31 <= exact, "{found} {exact}");
        }

        #[test]
        fn waiting_never_makes_it_better(
            durations in prop::collection::vec(0_u64..1_000_000, 1..50), waiting in 0_u64..50, percent in 1_u64..=100,
        ) {
            let without = quantile(&of(&durations), 0, percent);
            let with = quantile(&of(&durations), waiting, percent);
            prop_assert!(with.is_none() || with >= without);
        }
    }
}
