//! Settings of intake. Defaults and units: `config.default.toml`.

use std::time::Duration;

use serde::Deserialize;
use steward_chassis::Checked;
use steward_kernel::vocabulary::Language;

use crate::domain::{
    file::{MAX_BYTES, Purpose},
    phone::PhoneRegion,
};

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
    /// How long after an inquiry was closed or called off its owner can come back on it; 1 hour to 365 days.
    #[serde(with = "humantime_serde")]
    pub come_back_within: Duration,
    /// In which country telephone numbers without a country's code are, where an estate's time zone does not say it; ISO 3166-1 alpha-2.
    pub telephone_region: String,
    /// Most bytes of a photo, a picture or a document; 1 to 33,554,432.
    pub file_bytes: usize,
    /// Most bytes of a video; 1 to 33,554,432.
    pub video_bytes: usize,
    /// Most bytes of a voice note; 1 to 33,554,432.
    pub voice_bytes: usize,
}

impl Config {
    /// How telephone numbers are read where an estate's time zone does not say it.
    #[must_use]
    pub fn phones_elsewhere(&self) -> PhoneRegion {
        PhoneRegion::of_code(&self.telephone_region).unwrap_or(PhoneRegion::CHINA)
    }

    /// How large a file may be.
    #[must_use]
    pub const fn most_bytes(&self, purpose: Purpose) -> usize {
        match purpose {
            Purpose::Page => self.file_bytes,
            Purpose::Video => self.video_bytes,
            Purpose::Voice => self.voice_bytes,
        }
    }

    fn findings_of_sizes(&self) -> impl Iterator<Item = String> {
        let sizes =
            [("file_bytes", self.file_bytes), ("video_bytes", self.video_bytes), ("voice_bytes", self.voice_bytes)];
        let wrong = sizes.into_iter().filter(|(_, size)| !(1..=MAX_BYTES).contains(size));
        wrong.map(|(name, size)| format!("service.{name} is {size}; it must be between 1 and {MAX_BYTES}"))
    }
}

impl Checked for Config {
    fn findings(&self) -> Vec<String> {
        let day = Duration::from_secs(24 * 3600);
        let bounds = [
            ("follow_up_after", self.follow_up_after, Duration::from_secs(1)..=30 * day, "1s and 30d"),
            ("appointment_grace", self.appointment_grace, Duration::ZERO..=day, "0s and 1d"),
            ("come_back_within", self.come_back_within, Duration::from_secs(3600)..=365 * day, "1h and 365d"),
            ("said_back", self.said_back, Duration::from_secs(3600)..=365 * day, "1h and 365d"),
        ];
        let wrong = bounds.into_iter().filter(|(_, value, allowed, _)| !allowed.contains(value));
        let region = &self.telephone_region;
        let no_region = PhoneRegion::of_code(region)
            .is_none()
            .then(|| format!("service.telephone_region is {region}; it must be a country's code, for example CN"));
        wrong
            .map(|(name, value, _, words)| format!("service.{name} is {value:?}; it must be between {words}"))
            .chain(no_region)
            .chain(self.findings_of_sizes())
            .collect()
    }
}
