//! Settings of intake. Defaults and units: `config.default.toml`.

use std::time::Duration;

use serde::Deserialize;
use steward_chassis::Checked;
use steward_kernel::vocabulary::Language;

/// What an operator can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How long after the answer to an important inquiry its owner is called back; 1 s to 30 days.
    #[serde(with = "humantime_serde")]
    pub follow_up_after: Duration,
    /// How far back staff may say that an owner said something; 1 h to 365 days.
    #[serde(with = "humantime_serde")]
    pub said_back: Duration,
    /// The language to answer in when neither the desk nor the register says one.
    pub default_language: Language,
    /// How long before the window of an appointment a technician who arrives has come for it; up to a day.
    #[serde(with = "humantime_serde")]
    pub appointment_grace: Duration,
}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        let day = Duration::from_secs(24 * 3600);
        let bounds = [
            ("follow_up_after", self.follow_up_after, Duration::from_secs(1)..=30 * day, "1s and 30d"),
            ("appointment_grace", self.appointment_grace, Duration::ZERO..=day, "0s and 1d"),
            ("said_back", self.said_back, Duration::from_secs(3600)..=365 * day, "1h and 365d"),
        ];
        let wrong = bounds.into_iter().filter(|(_, value, allowed, _)| !allowed.contains(value));
        wrong
            .map(|(name, value, _, words)| format!("service.{name} is {value:?}; it must be between {words}"))
            .collect()
    }
}
