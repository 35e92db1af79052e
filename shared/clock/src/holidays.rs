//! Public holidays: the arrangement of a year, with the weekends that are working days (調休).

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::{Datelike as _, NaiveDate, TimeDelta, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far beyond its year an arrangement may make days of a weekend working days. New Year of 2012 took 31 December 2011
/// (国务院办公厅关于2012年部分节假日安排的通知); two weekends are as far as it is ever made up for.
const WORKDAYS_BEYOND: TimeDelta = TimeDelta::days(14);

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
        let Some(years) = self.0.get(region) else { return PublicDay::Unknown };
        // What is announced later knows better: New Year may begin on 31 December.
        let told = [day.year() + 1, day.year(), day.year() - 1].into_iter().filter_map(|year| years.get(&year));
        let special = told.map(|arrangement| arrangement.says_of(day)).find(|said| *said != PublicDay::Ordinary);
        let known = years.contains_key(&day.year());
        special.unwrap_or(if known { PublicDay::Ordinary } else { PublicDay::Unknown })
    }
}

impl Arrangement {
    fn says_of(&self, day: NaiveDate) -> PublicDay<'_> {
        match self.days_off.iter().find(|off| off.on == day) {
            Some(off) => PublicDay::Off(&off.name),
            None if self.workdays.contains(&day) => PublicDay::Workday,
            None => PublicDay::Ordinary,
        }
    }

    fn is_off(&self, day: NaiveDate) -> bool {
        self.days_off.iter().any(|off| off.on == day)
    }

    /// The first and the last day of its year.
    fn bounds(&self) -> Option<(NaiveDate, NaiveDate)> {
        NaiveDate::from_ymd_opt(self.year, 1, 1).zip(NaiveDate::from_ymd_opt(self.year, 12, 31))
    }

    /// Whether a day off is of its year, or joins on to it without a gap.
    fn joins_on(&self, day: NaiveDate) -> bool {
        let Some((first, last)) = self.bounds() else { return false };
        let off =
            |from: NaiveDate, to: NaiveDate| from.iter_days().take_while(|on| *on <= to).all(|on| self.is_off(on));
        match day {
            day if day < first => first - day < WORKDAYS_BEYOND && off(day, first),
            day if day > last => day - last < WORKDAYS_BEYOND && off(last, day),
            _ => true,
        }
    }

    /// Whether a working day is of its year, or near enough to make up for one of its days.
    fn is_near(&self, day: NaiveDate) -> bool {
        self.bounds().is_some_and(|(first, last)| first - day <= WORKDAYS_BEYOND && day - last <= WORKDAYS_BEYOND)
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
            if !self.joins_on(off.on) {
                let must = format!("must be a day of {}, or join on to its first or last one without a gap", self.year);
                found.push((format!("/days_off/{index}/on"), must));
            }
            if self.days_off[..index].iter().any(|other| other.on == off.on) {
                found.push((format!("/days_off/{index}/on"), "must be named once".to_owned()));
            }
            if off.name.trim().is_empty() || off.name.chars().count() > 100 {
                found.push((format!("/days_off/{index}/name"), "must have 1 to 100 characters".to_owned()));
            }
        }
        for (index, day) in self.workdays.iter().enumerate() {
            if !self.is_near(*day) {
                let must = format!("must be a day of {}, or at most 14 days before or after it", self.year);
                found.push((format!("/workdays/{index}"), must));
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
