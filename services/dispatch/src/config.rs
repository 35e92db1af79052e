//! Settings of dispatch. Defaults and units: `config.default.toml`.

use std::time::Duration;

use serde::Deserialize;
use steward_chassis::Checked;

/// Settings of dispatch.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How many technicians are proposed for a work order, best first.
    pub candidates: usize,
    /// How long after the completion of a work order its proof may take to arrive, before the lead is told; 10 minutes to 30 days.
    #[serde(with = "humantime_serde")]
    pub proof_within: Duration,
    /// How long after the end an owner can come back on a service request; 1 hour to 365 days.
    #[serde(with = "humantime_serde")]
    pub come_back_within: Duration,
}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        if !(1..=200).contains(&self.candidates) {
            findings.push(format!("service.candidates is {}; it must be between 1 and 200", self.candidates));
        }
        let (least, most) = (Duration::from_secs(3600), Duration::from_secs(365 * 24 * 3600));
        if !(least..=most).contains(&self.come_back_within) {
            findings.push(format!(
                "service.come_back_within is {:?}; it must be between 1h and 365d",
                self.come_back_within
            ));
        }
        if !(Duration::from_secs(600)..=Duration::from_secs(30 * 24 * 3600)).contains(&self.proof_within) {
            findings.push(format!("service.proof_within is {:?}; it must be between 10m and 30d", self.proof_within));
        }
        findings
    }
}
