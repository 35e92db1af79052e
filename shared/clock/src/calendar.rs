//! Calendars: when a place is open. Written as rules, compiled into a table in which open time is looked up, not counted.
//!
//! ```
//! use chrono::DateTime;
//! use chrono_tz::Asia::Shanghai;
//! use steward_clock::{Calendar, CalendarRules, Holidays};
//!
//! let office = serde_json::json!({ "from": "09:00", "to": "18:00" });
//! let rules: CalendarRules = serde_json::from_value(serde_json::json!({
//!     "public_holidays": "cn",
//!     "week": { "monday": [office], "tuesday": [office], "wednesday": [office], "thursday": [office], "friday": [office] },
//! }))?;
//! let calendar = Calendar::compile(&rules, Holidays::shipped(), Shanghai);
//! let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp();
//!
//! // From Saturday, 14 February 2026, which is a working day for the New Year holidays, to the first day after them.
//! let (saturday, after) = (at("2026-02-14T17:00:00+08:00"), at("2026-02-24T10:00:00+08:00"));
//! assert_eq!(calendar.open_seconds(saturday, after), 2 * 3600);
//! assert_eq!(calendar.after(saturday, 2 * 3600), after);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use chrono::{DateTime, Datelike as _, NaiveDate, Offset as _, TimeDelta, TimeZone as _, Weekday};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    amount::minutes,
    holidays::{Holidays, PublicDay},
    span::Span,
};

/// First and last year of every compiled calendar. What lies outside counts as closed.
const YEARS: (i32, i32) = (2020, 2040);
const DAY: i64 = 86_400;

/// Open from a time of the day to another, at most until 24:00; what goes on over midnight is two periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// `08:30`
    #[serde(with = "clock_face")]
    #[schema(value_type = String, pattern = "^[0-2][0-9]:[0-5][0-9]$", example = "08:30")]
    pub from: u16,
    /// `12:00`; `24:00` is the end of the day.
    #[serde(with = "clock_face")]
    #[schema(value_type = String, pattern = "^[0-2][0-9]:[0-5][0-9]$", example = "12:00")]
    pub to: u16,
}

/// Minutes since midnight, written `08:30`.
mod clock_face {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(minutes: &u16, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:02}:{:02}", minutes / 60, minutes % 60))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_number = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = text.split_once(':').filter(|(hour, minute)| is_number(hour) && is_number(minute));
        parts
            .and_then(|(hour, minute)| Some((hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?)))
            .filter(|(hour, minute)| *minute < 60 && hour * 60 + minute <= 1440)
            .map(|(hour, minute)| hour * 60 + minute)
            .ok_or_else(|| D::Error::custom("must be a time of the day like 08:30, at most 24:00"))
    }
}

/// The hours of an ordinary week; a day that is left out is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the days of the week")]
pub struct Week {
    pub monday: Vec<Period>,
    pub tuesday: Vec<Period>,
    pub wednesday: Vec<Period>,
    pub thursday: Vec<Period>,
    pub friday: Vec<Period>,
    pub saturday: Vec<Period>,
    pub sunday: Vec<Period>,
}

impl Week {
    /// The hours of that day.
    #[must_use]
    pub fn of(&self, day: Weekday) -> &[Period] {
        match day {
            Weekday::Mon => &self.monday,
            Weekday::Tue => &self.tuesday,
            Weekday::Wed => &self.wednesday,
            Weekday::Thu => &self.thursday,
            Weekday::Fri => &self.friday,
            Weekday::Sat => &self.saturday,
            Weekday::Sun => &self.sunday,
        }
    }
}

/// A day with hours of its own: a half day, a typhoon day, a day of stocktaking. It stands over week and holiday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpecialDay {
    /// What it is: 台风停工.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Its hours; none = closed.
    #[serde(default)]
    pub hours: Vec<Period>,
}

/// When a place is open, as the company writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CalendarRules {
    /// IANA time zone; left out = that of the estate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Asia/Shanghai")]
    pub time_zone: Option<String>,
    /// Open day and night; all other rules are passed over.
    pub always: bool,
    /// The ordinary week.
    pub week: Week,
    /// The region whose public holidays and working weekends are followed; left out = none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "cn")]
    pub public_holidays: Option<String>,
    /// Hours on public holidays; none = closed.
    pub holiday: Vec<Period>,
    /// Hours on weekend days that are working days (調休), whatever the week says of that day; left out = those of Monday.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub makeup: Option<Vec<Period>>,
    /// Days with hours of their own.
    pub special_days: BTreeMap<NaiveDate, SpecialDay>,
}

/// Which calendar in which version a clock runs by. It keeps it, whatever is edited later, until it is re-based on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Pin {
    /// The calendar; none = day and night.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub calendar: Option<Uuid>,
    /// Its version, from 1.
    pub version: i32,
    /// How many arrangements of public holidays the company had loaded when the clock started.
    pub holidays: i32,
    /// The time zone in which it is read.
    pub time_zone: String,
}

impl Pin {
    /// Day and night, in that time zone.
    #[must_use]
    pub fn always(time_zone: &str) -> Self {
        Self { calendar: None, version: 0, holidays: 0, time_zone: time_zone.to_owned() }
    }

    fn key(&self) -> (Option<u128>, i32, i32, &str) {
        (self.calendar.as_ref().map(Uuid::as_u128), self.version, self.holidays, &self.time_zone)
    }
}

/// The calendars at hand, by pin.
#[derive(Debug, Clone, Default)]
pub struct Timetable(Vec<(Pin, Arc<Calendar>)>);

/// Day and night, in every zone.
static ALWAYS: LazyLock<HashMap<Tz, Calendar>> =
    LazyLock::new(|| chrono_tz::TZ_VARIANTS.iter().map(|zone| (*zone, Calendar::day_and_night(*zone))).collect());
static ALWAYS_SOMEWHERE: Calendar = Calendar::day_and_night(Tz::Asia__Shanghai);

impl Timetable {
    /// These and one more, which replaces that of its pin.
    #[must_use]
    pub fn with(mut self, pin: Pin, calendar: Arc<Calendar>) -> Self {
        match self.place(&pin) {
            Ok(place) => self.0[place].1 = calendar,
            Err(place) => self.0.insert(place, (pin, calendar)),
        }
        self
    }

    /// The calendar of that pin. One that nobody provided counts day and night in the pin's zone, so that a deadline comes too early rather than
    /// never; a pin for day and night needs no provision.
    #[must_use]
    pub fn get(&self, pin: &Pin) -> &Calendar {
        match self.place(pin) {
            Ok(place) => &self.0[place].1,
            Err(_) => {
                let known = pin.time_zone.parse().ok().and_then(|zone: Tz| ALWAYS.get(&zone));
                known.unwrap_or(&ALWAYS_SOMEWHERE)
            }
        }
    }

    /// Whether that calendar was provided.
    #[must_use]
    pub fn has(&self, pin: &Pin) -> bool {
        self.place(pin).is_ok()
    }

    // A clock is read more often than a calendar is provided: a few comparisons are cheaper than hashing the pin.
    fn place(&self, pin: &Pin) -> Result<usize, usize> {
        let key = pin.key();
        self.0.binary_search_by(|(known, _)| known.key().cmp(&key))
    }
}

/// By which rule a day has its hours.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum DayRule {
    /// Open day and night.
    Always,
    /// The ordinary week.
    Week,
    /// A public holiday.
    PublicHoliday {
        /// Which.
        name: String,
    },
    /// A weekend day that is a working day (調休).
    MakeupWorkday,
    /// A day with hours of its own.
    SpecialDay {
        /// What it is.
        name: String,
    },
}

/// A day of a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Day {
    /// The local date.
    pub on: NaiveDate,
    /// When it is open.
    pub hours: Vec<Period>,
    /// Why.
    pub rule: DayRule,
    /// Whether the year's public holidays are not loaded yet, so that this may turn out to be wrong.
    pub provisional: bool,
}

/// When it is open, in seconds since the base of the calendar.
#[derive(Debug, Clone, Copy)]
struct Interval {
    from: u32,
    to: u32,
    /// Open seconds before it.
    before: u32,
}

impl Interval {
    fn span(self, base: i64) -> Span {
        Span::new(base + i64::from(self.from), base + i64::from(self.to))
    }
}

/// A calendar in which open time is looked up.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: Tz,
    /// None = day and night.
    rules: Option<Box<(CalendarRules, Holidays)>>,
    /// Disjoint, in order of time.
    intervals: Vec<Interval>,
    /// For each day (UTC) since `base`, the first interval that ends after its beginning.
    index: Vec<u32>,
    base: i64,
    total: i64,
}

/// By which rule a day has its hours, with borrowed names.
#[derive(Clone, Copy)]
enum Rule<'a> {
    Week,
    Holiday(&'a str),
    Makeup,
    Special(&'a str),
}

impl Calendar {
    /// Day and night.
    #[must_use]
    pub const fn day_and_night(zone: Tz) -> Self {
        Self { zone, rules: None, intervals: Vec::new(), index: Vec::new(), base: 0, total: 0 }
    }

    /// Compiles rules that were found good.
    ///
    /// * `zone`: used when the rules name none.
    #[must_use]
    pub fn compile(rules: &CalendarRules, holidays: &Holidays, zone: Tz) -> Self {
        let zone = rules.time_zone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(zone);
        let mut calendar = Self::day_and_night(zone);
        if rules.always {
            return calendar;
        }
        let first = NaiveDate::from_ymd_opt(YEARS.0, 1, 1).unwrap_or_default();
        calendar.base = calendar.begin(first, 0).div_euclid(DAY) * DAY;
        for on in first.iter_days().take_while(|on| on.year() <= YEARS.1) {
            let (hours, ..) = hours_of(rules, holidays, on);
            for period in hours {
                calendar.open(calendar.begin(on, period.from), calendar.end(on, period.to));
            }
        }
        calendar.index_days();
        calendar.rules = Some(Box::new((rules.clone(), holidays.clone())));
        calendar
    }

    fn open(&mut self, from: i64, to: i64) {
        let since_base = |at: i64| u32::try_from(at - self.base).unwrap_or_default();
        let (from, to) = (since_base(from), since_base(to));
        match self.intervals.last_mut() {
            // Periods that touch are one: 00:00 follows 24:00.
            Some(last) if from <= last.to => {
                self.total += i64::from(to.saturating_sub(last.to));
                last.to = to.max(last.to);
            }
            _ if to > from => {
                let before = u32::try_from(self.total).unwrap_or(u32::MAX);
                self.intervals.push(Interval { from, to, before });
                self.total += i64::from(to - from);
            }
            _ => {}
        }
    }

    fn index_days(&mut self) {
        let days = self.intervals.last().map_or(0, |last| i64::from(last.to) / DAY + 1);
        let mut next = 0;
        self.index = (0..days)
            .map(|day| {
                while self.intervals.get(next).is_some_and(|interval| i64::from(interval.to) <= day * DAY) {
                    next += 1;
                }
                u32::try_from(next).unwrap_or(u32::MAX)
            })
            .collect();
    }

    /// When a period that begins at a local time does so: the first time the clocks show it. If they skip it, then when they skip it.
    fn begin(&self, on: NaiveDate, minute: u16) -> i64 {
        let local = on.and_time(chrono::NaiveTime::MIN) + minutes(minute);
        let found = self.zone.from_local_datetime(&local).earliest();
        found.map_or_else(|| self.skipped_at(local), |instant| instant.timestamp())
    }

    /// When a period that ends at a local time does so: after the last time the clocks show the second before it. If they skip that, then when they
    /// skip it.
    fn end(&self, on: NaiveDate, minute: u16) -> i64 {
        let last = on.and_time(chrono::NaiveTime::MIN) + minutes(minute) - TimeDelta::seconds(1);
        let found = self.zone.from_local_datetime(&last).latest();
        found.map_or_else(|| self.skipped_at(last), |instant| instant.timestamp() + 1)
    }

    /// The instant at which the clocks skip a local time.
    fn skipped_at(&self, local: chrono::NaiveDateTime) -> i64 {
        let after = GapInfo::new(&local, &self.zone).and_then(|gap| gap.end);
        after.map_or_else(
            || {
                local.and_utc().timestamp()
                    - i64::from(self.zone.offset_from_utc_datetime(&local).fix().local_minus_utc())
            },
            |after| after.timestamp(),
        )
    }

    /// Whether it is open day and night.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.rules.is_none()
    }

    /// The zone in which its days are read.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Open seconds up to an instant.
    fn opened_by(&self, at: i64) -> i64 {
        self.intervals.get(self.next(at)).map_or(self.total, |next| {
            i64::from(next.before) + at.saturating_sub(self.base).saturating_sub(i64::from(next.from)).max(0)
        })
    }

    /// The place of the first interval that ends after an instant.
    fn next(&self, at: i64) -> usize {
        let since_base = at.saturating_sub(self.base).max(0);
        let day = usize::try_from(since_base / DAY).unwrap_or(usize::MAX);
        let Some(first) = self.index.get(day).map(|first| *first as usize) else { return self.intervals.len() };
        let over = self.intervals[first..].iter().take_while(|interval| i64::from(interval.to) <= since_base);
        first + over.count()
    }

    /// How long it is open between two instants, in seconds; 0 when they are not in order.
    #[must_use]
    pub fn open_seconds(&self, from: i64, to: i64) -> i64 {
        if to <= from {
            0
        } else if self.is_always() {
            to.saturating_sub(from)
        } else {
            self.opened_by(to) - self.opened_by(from)
        }
    }

    /// The first instant at which it has been open for that long since `from`: `from` itself for nothing, the end of the table (2040) when it
    /// never is.
    #[must_use]
    pub fn after(&self, from: i64, seconds: i64) -> i64 {
        if seconds <= 0 {
            return from;
        }
        if self.is_always() {
            return from.saturating_add(seconds);
        }
        let goal = self.opened_by(from).saturating_add(seconds);
        if goal > self.total {
            return self.intervals.last().map_or(from, |last| last.span(self.base).to).max(from);
        }
        // The last interval that begins with less than the goal. Most times are short, so it is sought near the first one.
        let rest = self.intervals.get(self.next(from)..).unwrap_or_default();
        let is_less = |interval: &Interval| i64::from(interval.before) < goal;
        let mut near = 8;
        while rest.get(near).is_some_and(is_less) {
            near *= 2;
        }
        let place = rest[..near.min(rest.len())].partition_point(is_less);
        let Some(last) = place.checked_sub(1).and_then(|place| rest.get(place)) else { return from };
        self.base + i64::from(last.from) + goal - i64::from(last.before)
    }

    /// When it closes on the n-th business day after the day of `from`, which itself never counts. A business day is one with open time.
    #[must_use]
    pub fn close_of_business_day(&self, from: i64, days: u32) -> i64 {
        let mut left = days;
        let mut day = self.local_date(from);
        let mut close = self.close_of(day);
        while left > 0
            && let Some(next) = day.succ_opt()
            && (self.is_always() || next.year() <= YEARS.1)
        {
            day = next;
            close = self.close_of(day);
            left -= u32::from(close.is_some());
        }
        self.end(day, close.unwrap_or(1440))
    }

    /// When it closes on a day, in minutes; none when it does not open at all.
    fn close_of(&self, on: NaiveDate) -> Option<u16> {
        match self.rules.as_deref() {
            Some((rules, holidays)) => hours_of(rules, holidays, on).0.last().map(|period| period.to),
            None => Some(1440),
        }
    }

    /// The local midnight that ends the day of an instant.
    #[must_use]
    pub fn midnight_after(&self, at: i64) -> i64 {
        self.end(self.local_date(at), 1440)
    }

    /// The local date of an instant.
    #[must_use]
    pub fn local_date(&self, at: i64) -> NaiveDate {
        DateTime::from_timestamp(at, 0).unwrap_or_default().with_timezone(&self.zone).date_naive()
    }

    /// The span of a local day.
    #[must_use]
    pub fn day_span(&self, on: NaiveDate) -> Span {
        Span::new(self.begin(on, 0), self.begin(on.succ_opt().unwrap_or(on), 0))
    }

    /// When it is open within a span.
    #[must_use]
    pub fn opens_within(&self, span: Span) -> Vec<Span> {
        if self.is_always() {
            return if span.is_empty() { Vec::new() } else { vec![span] };
        }
        let first = self.intervals.partition_point(|interval| interval.span(self.base).to <= span.from);
        let opens = self.intervals[first..].iter().map(|interval| interval.span(self.base));
        opens.take_while(|open| open.from < span.to).map(|open| open.within(span)).collect()
    }

    /// The hours of a day, and why.
    #[must_use]
    pub fn day(&self, on: NaiveDate) -> Day {
        let Some((rules, holidays)) = self.rules.as_deref() else {
            return Day { on, hours: vec![Period { from: 0, to: 1440 }], rule: DayRule::Always, provisional: false };
        };
        let (hours, rule, provisional) = hours_of(rules, holidays, on);
        let rule = match rule {
            Rule::Week => DayRule::Week,
            Rule::Makeup => DayRule::MakeupWorkday,
            Rule::Holiday(name) => DayRule::PublicHoliday { name: name.to_owned() },
            Rule::Special(name) => DayRule::SpecialDay { name: name.to_owned() },
        };
        Day { on, hours: hours.to_vec(), rule, provisional }
    }
}

/// The hours of a weekend day that is worked; none where nothing is said of it and Mondays are closed.
fn makeup_hours(rules: &CalendarRules) -> Option<&[Period]> {
    let as_on_monday = || Some(rules.week.monday.as_slice()).filter(|hours| !hours.is_empty());
    rules.makeup.as_deref().or_else(as_on_monday)
}

/// The hours of a day, by which rule, and whether the year's public holidays are still unknown.
fn hours_of<'a>(rules: &'a CalendarRules, holidays: &'a Holidays, on: NaiveDate) -> (&'a [Period], Rule<'a>, bool) {
    let public = rules.public_holidays.as_deref().map_or(PublicDay::Ordinary, |region| holidays.on(region, on));
    let week = rules.week.of(on.weekday());
    let (hours, rule) = match (rules.special_days.get(&on), public) {
        (Some(day), _) => (day.hours.as_slice(), Rule::Special(&day.name)),
        (None, PublicDay::Off(name)) => (rules.holiday.as_slice(), Rule::Holiday(name)),
        (None, PublicDay::Workday) => makeup_hours(rules).map_or((week, Rule::Week), |hours| (hours, Rule::Makeup)),
        (None, PublicDay::Ordinary | PublicDay::Unknown) => (week, Rule::Week),
    };
    (hours, rule, public == PublicDay::Unknown && !matches!(rule, Rule::Special(_)))
}

impl CalendarRules {
    /// What is wrong with the rules: a JSON pointer and what must be.
    #[must_use]
    pub fn findings(&self, holidays: &Holidays) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if self.time_zone.as_deref().is_some_and(|zone| zone.parse::<Tz>().is_err()) {
            found.push(("/time_zone".to_owned(), "must be an IANA time zone, for example Asia/Shanghai".to_owned()));
        }
        if let Some(region) = &self.public_holidays
            && !holidays.knows(region)
        {
            found.push(("/public_holidays".to_owned(), "must be a region whose public holidays are loaded".to_owned()));
        }
        let week = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
        for day in week {
            check_hours(&format!("/week/{}", name(day)), self.week.of(day), &mut found);
        }
        check_hours("/holiday", &self.holiday, &mut found);
        check_hours("/makeup", self.makeup.as_deref().unwrap_or_default(), &mut found);
        for (on, day) in &self.special_days {
            check_hours(&format!("/special_days/{on}/hours"), &day.hours, &mut found);
            if !(YEARS.0..=YEARS.1).contains(&on.year()) {
                found.push((format!("/special_days/{on}"), format!("must lie between {} and {}", YEARS.0, YEARS.1)));
            }
            if day.name.trim().is_empty() || day.name.chars().count() > 100 {
                found.push((format!("/special_days/{on}/name"), "must have 1 to 100 characters".to_owned()));
            }
        }
        if self.special_days.len() > 1000 {
            found.push(("/special_days".to_owned(), "must be at most 1,000".to_owned()));
        }
        if !self.always && week.iter().all(|day| self.week.of(*day).is_empty()) {
            found.push(("/week".to_owned(), "must be open at least on one day, or always must be true".to_owned()));
        }
        found
    }
}

const fn name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "monday",
        Weekday::Tue => "tuesday",
        Weekday::Wed => "wednesday",
        Weekday::Thu => "thursday",
        Weekday::Fri => "friday",
        Weekday::Sat => "saturday",
        Weekday::Sun => "sunday",
    }
}

fn check_hours(pointer: &str, hours: &[Period], found: &mut Vec<(String, String)>) {
    if hours.len() > 24 {
        found.push((pointer.to_owned(), "must be at most 24 periods".to_owned()));
    }
    for (index, period) in hours.iter().enumerate() {
        if period.from >= period.to || period.to > 1440 {
            found.push((format!("{pointer}/{index}"), "must begin before it ends, on the same day".to_owned()));
        }
        if index.checked_sub(1).is_some_and(|before| hours[before].to > period.from) {
            found.push((format!("{pointer}/{index}"), "must begin after the period before it has ended".to_owned()));
        }
    }
}
