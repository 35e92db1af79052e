//! Settings of feedback-analytics. Defaults and units: `config.default.toml`.

use std::time::Duration;

use serde::Deserialize;
use steward_chassis::Checked;

/// What an operator can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How long an owner can answer a survey; 1 hour to 90 days.
    #[serde(with = "humantime_serde")]
    pub survey_open_for: Duration,
    /// How long after the end a proposer can come back on a suggestion; 1 hour to 365 days.
    #[serde(with = "humantime_serde")]
    pub come_back_within: Duration,
}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(24 * 3600));
        let bounds = [("survey_open_for", self.survey_open_for, 90), ("come_back_within", self.come_back_within, 365)];
        let wrong = bounds.into_iter().filter(|(_, value, days)| !(hour..=*days * day).contains(value));
        wrong
            .map(|(name, value, days)| format!("service.{name} is {value:?}; it must be between 1h and {days}d"))
            .collect()
    }
}
