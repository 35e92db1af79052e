//! Settings of the complaint service. Defaults and units: `config.default.toml`.

use std::time::Duration;

use serde::Deserialize;
use steward_chassis::Checked;

/// What an operator can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How long after the end an owner can come back on a complaint; 1 hour to 365 days.
    #[serde(with = "humantime_serde")]
    pub come_back_within: Duration,
}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        let (least, most) = (Duration::from_secs(3600), Duration::from_secs(365 * 24 * 3600));
        if (least..=most).contains(&self.come_back_within) {
            return Vec::new();
        }
        vec![format!("service.come_back_within is {:?}; it must be between 1h and 365d", self.come_back_within)]
    }
}
