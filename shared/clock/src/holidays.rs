//! Public holidays: the arrangement of a year, with the weekends that are working days (調休).

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::{Datelike as _, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A public holiday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DayOff {
    /// The day.
    pub on: NaiveDate,
    /// What it is called: 春节.
    pub name: String,
}

/// How the public holidays of one year are arranged in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrangement {
    /// The region, for example `cn`.
    pub region: String,
    /// The year.
    pub year: i32,
    /// Who announced it, where and when.
    pub source: String,
    /// The days that are off, weekends among them.
    pub days_off: Vec<DayOff>,
    /// The days of a weekend that are working days.
    pub workdays: Vec<NaiveDate>,
}

/// What is special about a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicDay<'a> {
    /// A holiday of that name.
    Off(&'a str),
    /// A day of a weekend that is a working day.
    Workday,
    /// Nothing.
    Ordinary,
    /// Nobody knows yet: the year's arrangement is not loaded.
    Unknown,
}

/// The arrangements that are known by region and year, the last one loaded of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holidays(BTreeMap<String, BTreeMap<i32, Arrangement>>);

static SHIPPED: LazyLock<Holidays> = LazyLock::new(|| {
    // The files are part of the program and read by a test, so a fault in them never reaches a running system.
    [include_str!("../data/cn-2024.json"), include_str!("../data/cn-2025.json"), include_str!("../data/cn-2026.json")]
        .into_iter()
        .filter_map(|file| serde_json::from_str(file).ok())
        .fold(Holidays::default(), Holidays::with)
});

impl Holidays {
    /// Those that ship with the product.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// These and one more, which replaces that of its region and year.
    #[must_use]
    pub fn with(mut self, arrangement: Arrangement) -> Self {
        self.0.entry(arrangement.region.clone()).or_default().insert(arrangement.year, arrangement);
        self
    }

    /// All of them, by region and year.
    pub fn all(&self) -> impl Iterator<Item = &Arrangement> {
        self.0.values().flat_map(BTreeMap::values)
    }

    /// Whether anything is known of a region.
    #[must_use]
    pub fn knows(&self, region: &str) -> bool {
        self.0.contains_key(region)
    }

    /// What is special about a day in a region.
    #[must_use]
    pub fn on(&self, region: &str, day: NaiveDate) -> PublicDay<'_> {
        let Some(arrangement) = self.0.get(region).and_then(|years| years.get(&day.year())) else {
            return PublicDay::Unknown;
        };
        if let Some(off) = arrangement.days_off.iter().find(|off| off.on == day) {
            return PublicDay::Off(&off.name);
        }
        if arrangement.workdays.contains(&day) { PublicDay::Workday } else { PublicDay::Ordinary }
    }
}

impl Arrangement {
    /// What is wrong with it: a JSON pointer and what must be.
    #[must_use]
    pub fn findings(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if !(2000..=2100).contains(&self.year) {
            found.push(("/year".to_owned(), "must be between 2000 and 2100".to_owned()));
        }
        if self.region.is_empty()
            || self.region.len() > 20
            || !self.region.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        {
            found.push(("/region".to_owned(), "must be lower-case letters, for example cn".to_owned()));
        }
        if self.source.trim().is_empty() {
            found.push(("/source".to_owned(), "must name who announced it".to_owned()));
        }
        for (index, off) in self.days_off.iter().enumerate() {
            if off.on.year() != self.year {
                found.push((format!("/days_off/{index}/on"), format!("must be a day of {}", self.year)));
            }
            if self.days_off[..index].iter().any(|other| other.on == off.on) {
                found.push((format!("/days_off/{index}/on"), "must be named once".to_owned()));
            }
            if off.name.trim().is_empty() || off.name.chars().count() > 100 {
                found.push((format!("/days_off/{index}/name"), "must have 1 to 100 characters".to_owned()));
            }
        }
        for (index, day) in self.workdays.iter().enumerate() {
            if day.year() != self.year {
                found.push((format!("/workdays/{index}"), format!("must be a day of {}", self.year)));
            }
            if self.days_off.iter().any(|off| off.on == *day) {
                found.push((format!("/workdays/{index}"), "must not be a day off as well".to_owned()));
            }
            if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                found.push((format!("/workdays/{index}"), "must be a Saturday or a Sunday".to_owned()));
            }
            if self.workdays[..index].contains(day) {
                found.push((format!("/workdays/{index}"), "must be named once".to_owned()));
            }
        }
        found
    }
}
