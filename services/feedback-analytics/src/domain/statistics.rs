//! Statistics that say how much they do not know.

use serde::Serialize;
use utoipa::ToSchema;

/// Fewest answers for which a score is shown: below it one person could be recognised, and the figure says nothing.
pub const MINIMUM: u64 = 5;
/// Quantile of the normal distribution for a two-sided interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;
/// Scores from here on count as satisfied (of 1 to 5).
pub const SATISFIED: u8 = 4;

/// A share with its uncertainty; nothing of it is shown under [`MINIMUM`] observations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Share {
    /// The share, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.85)]
    pub share: Option<f64>,
    /// Lower end of the 95 % Wilson interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.6396)]
    pub wilson_low: Option<f64>,
    /// Upper end of the 95 % Wilson interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.9476)]
    pub wilson_high: Option<f64>,
}

impl Share {
    /// The share of `hits` in `n`.
    #[must_use]
    pub fn of(hits: u64, n: u64) -> Self {
        if n < MINIMUM {
            return Self { share: None, wilson_low: None, wilson_high: None };
        }
        let (low, high) = wilson(hits, n);
        Self { share: Some(rounded(ratio(hits, n))), wilson_low: Some(rounded(low)), wilson_high: Some(rounded(high)) }
    }
}

/// How people rated one thing from 1 to 5; nothing of it is shown under [`MINIMUM`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Score {
    /// How many gave a score: who answers may leave one out.
    #[schema(example = 18)]
    pub rated: u64,
    /// Mean of the scores, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 4.3)]
    pub mean: Option<f64>,
    /// Share of answers with 4 or 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.85)]
    pub satisfied_share: Option<f64>,
    /// Lower end of the 95 % Wilson interval of that share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.6396)]
    pub wilson_low: Option<f64>,
    /// Upper end of the 95 % Wilson interval of that share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0.9476)]
    pub wilson_high: Option<f64>,
}

impl Score {
    /// From how often each score was given.
    #[must_use]
    pub fn of(given: impl IntoIterator<Item = (u8, u64)>) -> Self {
        let (mut n, mut sum, mut satisfied) = (0, 0, 0);
        for (score, times) in given {
            n += times;
            sum += u64::from(score) * times;
            satisfied += if score >= SATISFIED { times } else { 0 };
        }
        let Share { share, wilson_low, wilson_high } = Share::of(satisfied, n);
        let mean = (n >= MINIMUM).then(|| rounded(ratio(sum, n)));
        Self { rated: n, mean, satisfied_share: share, wilson_low, wilson_high }
    }
}

/// The 95 % Wilson score interval of a share: `hits` of `n`. (0, 1), which says nothing, when `n` is 0.
///
/// # Source
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927),
/// without continuity correction.
#[must_use]
pub fn wilson(hits: u64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (p, n) = (ratio(hits, n), count(n));
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    (((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0))
}

/// `part` of `whole`, as a fraction; 0 when there is no whole.
#[must_use]
pub fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { count(part) / count(whole) }
}

/// To four places: more is noise.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// Counts are far below 2^53, where every whole number still is a float.
fn count(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The first four are the examples of R. G. Newcombe, Statistics in Medicine 17 (1998), method 3.
    #[test]
    fn the_interval_is_wilsons() {
        for (hits, n, low, high) in [
            (81, 263, 0.255_3, 0.366_2),
            (15, 148, 0.062_4, 0.160_5),
            (0, 20, 0.0, 0.161_1),
            (1, 29, 0.006_1, 0.171_8),
            (10, 10, 0.722_5, 1.0),
        ] {
            let (a, b) = wilson(hits, n);
            assert!((a - low).abs() < 6e-5 && (b - high).abs() < 6e-5, "{hits}/{n}: {a} {b}");
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn under_five_answers_nothing_is_shown() {
        assert_eq!(
            Score::of([(5, 4)]),
            Score { rated: 4, mean: None, satisfied_share: None, wilson_low: None, wilson_high: None }
        );
        let five = Score::of([(5, 3), (4, 1), (1, 1)]);
        assert_eq!((five.mean, five.satisfied_share), (Some(4.0), Some(0.8)));
        assert!(five.wilson_low.is_some_and(|low| low < 0.4) && five.wilson_high.is_some_and(|high| high > 0.9));
    }

    proptest! {
        #[test]
        fn the_share_lies_in_its_interval(n in 1_u64..10_000, part in 0.0_f64..=1.0) {
            let hits = (part * n as f64) as u64;
            let (low, high) = wilson(hits, n);
            let share = ratio(hits, n);
            prop_assert!(low <= share + 1e-12 && share <= high + 1e-12 && low >= 0.0 && high <= 1.0);
        }

        /// More answers with the same share never make the interval wider.
        #[test]
        fn more_answers_say_more(n in 1_u64..1000, hits in 0_u64..1000) {
            prop_assume!(hits <= n);
            let ((a, b), (c, d)) = (wilson(hits, n), wilson(hits * 2, n * 2));
            prop_assert!(d - c <= b - a + 1e-12);
        }
    }
}
