//! Settings of notification. Defaults and units: `config.default.toml`.

use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use steward_chassis::Checked;
use steward_kernel::vocabulary::Language;

use crate::domain::Pace;

/// A day.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Longest that a digest may collect.
const LONGEST: Duration = Duration::from_secs(3600);

/// Settings of notification.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The language of a message when neither the resident nor the case says one.
    pub default_language: Language,
    /// How long after the end an owner can come back on it, as messages say it; from 1 hour to 365 days.
    #[serde(with = "humantime_serde")]
    pub come_back_within: Duration,
    /// A digest is sent when no line came for so long; from `digest_quiet_urgent` to `digest_longest`.
    #[serde(with = "humantime_serde")]
    pub digest_quiet: Duration,
    /// The same as soon as one line is P1 or P2; 100 ms or more.
    #[serde(with = "humantime_serde")]
    pub digest_quiet_urgent: Duration,
    /// A digest is sent at the latest so long after its first line; 1 hour or less.
    #[serde(with = "humantime_serde")]
    pub digest_longest: Duration,
}

impl Config {
    /// The same in days, as people count: what has begun counts.
    #[must_use]
    pub fn come_back_days(&self) -> u64 {
        self.come_back_within.as_secs().div_ceil(DAY.as_secs())
    }

    /// How long a digest collects.
    #[must_use]
    pub fn pace(&self) -> Pace {
        let delta = |duration| TimeDelta::from_std(duration).unwrap_or(TimeDelta::hours(1));
        Pace {
            quiet: delta(self.digest_quiet),
            quiet_urgent: delta(self.digest_quiet_urgent),
            longest: delta(self.digest_longest),
        }
    }
}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        // A word that is no language is found when the settings are read.
        let Self { default_language: _, come_back_within, digest_quiet: quiet, digest_quiet_urgent: urgent, .. } = self;
        let longest = &self.digest_longest;
        let mut found = Vec::new();
        if !(Duration::from_secs(3600)..=DAY * 365).contains(come_back_within) {
            found.push(format!("service.come_back_within is {come_back_within:?}; it must be between 1h and 365d"));
        }
        if *urgent < Duration::from_millis(100) {
            // A timer looks so often at a digest that still collects, and each look is an event.
            found.push(format!("service.digest_quiet_urgent is {urgent:?}; it must be 100ms or more"));
        }
        if urgent > quiet {
            found.push(format!(
                "service.digest_quiet_urgent ({urgent:?}) is longer than service.digest_quiet ({quiet:?}): urgent \
                 matters would wait longer than others"
            ));
        }
        if quiet > longest {
            found.push(format!(
                "service.digest_quiet ({quiet:?}) is longer than service.digest_longest ({longest:?}): it would never \
                 matter"
            ));
        }
        if *longest > LONGEST {
            found.push(format!("service.digest_longest is {longest:?}; it must be 1h or less"));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use steward_chassis::config;

    use super::*;

    fn config(quiet: u64, urgent: u64, longest: u64) -> Config {
        Config {
            default_language: Language::ZhHans,
            come_back_within: DAY * 15,
            digest_quiet: Duration::from_secs(quiet),
            digest_quiet_urgent: Duration::from_secs(urgent),
            digest_longest: Duration::from_secs(longest),
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_readme() {
        let shipped = config::load::<Config>(include_str!("../config.default.toml"), None).unwrap().service;
        assert_eq!(shipped.pace(), config(30, 5, 120).pace());
        assert_eq!(shipped.come_back_days(), 15);
        assert_eq!(shipped.findings(), Vec::<String>::new());
    }

    #[test]
    fn windows_that_make_no_sense_are_all_named() {
        let named = |quiet, urgent, longest| config(quiet, urgent, longest).findings().len();
        assert_eq!(named(30, 30, 30), 0);
        assert_eq!(named(30, 0, 120), 1);
        assert_eq!(named(5, 30, 120), 1);
        assert_eq!(named(300, 5, 120), 1);
        assert_eq!(named(7300, 7301, 7200), 3);
    }
}
