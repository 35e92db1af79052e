//! Settings of this service. Defaults and units: `config.default.toml`.

use serde::Deserialize;
use steward_chassis::Checked;
use steward_kernel::vocabulary::Language;

/// Settings of notification.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The language of a message when neither the resident nor the case says one.
    pub default_language: Language,
}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        // A word that is no language is found when the settings are read.
        Vec::new()
    }
}
