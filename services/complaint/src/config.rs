//! Settings of the complaint service. Defaults and units: `config.default.toml`.

use serde::Deserialize;
use steward_chassis::Checked;

/// Settings of the complaint service: none of its own yet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        Vec::new()
    }
}
