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
}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        let (least, most) = (Duration::from_secs(3600), Duration::from_secs(90 * 24 * 3600));
        if (least..=most).contains(&self.survey_open_for) {
            return Vec::new();
        }
        vec![format!("service.survey_open_for is {:?}; it must be between 1h and 90d", self.survey_open_for)]
    }
}
