//! Settings of intake. Defaults and units: `config.default.toml`.

use std::time::Duration;

use serde::Deserialize;
use steward_chassis::Checked;

/// What an operator can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How long after the answer to an important inquiry its owner is called back; 1 s to 30 days.
    #[serde(with = "humantime_serde")]
    pub follow_up_after: Duration,
}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(30 * 24 * 3600));
        if (least..=most).contains(&self.follow_up_after) {
            return Vec::new();
        }
        vec![format!("service.follow_up_after is {:?}; it must be between 1s and 30d", self.follow_up_after)]
    }
}
