//! Settings of dispatch. Defaults and units: `config.default.toml`.

use serde::Deserialize;
use steward_chassis::Checked;

/// Settings of dispatch.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How many technicians are proposed for a work order, best first.
    pub candidates: usize,
}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        if (1..=200).contains(&self.candidates) {
            Vec::new()
        } else {
            vec![format!("service.candidates is {}; it must be between 1 and 200", self.candidates)]
        }
    }
}
