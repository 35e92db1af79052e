//! How much time a target gives, as people write it: `15m`, `2h`, `3d`, `10bd`, `same_day`.

use std::{fmt, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{calendar::Calendar, span::NEVER};

/// Least time that `same_day` gives, in seconds, when the day is nearly over: as much as DOMAIN.md §4 gives to make an emergency safe.
const SAME_DAY_LEAST: i64 = 2 * 3600;
/// Longest amount, in seconds and in days: ten years. Longer ones are typing errors.
const LONGEST: (u32, u16) = (3650 * 86_400, 3650);

/// How much time a target gives.
///
/// Written as text: `90s`, `15m`, `2h` are open time of the clock's calendar; `3d` are days of the wall (24 hours each, whatever the calendar); `10bd` runs until the close
/// of the tenth business day after the day of the start; `same_day` until local midnight, at least two hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Amount {
    /// Open seconds of the calendar.
    Seconds(u32),
    /// Days of the wall.
    Days(u16),
    /// Business days.
    BusinessDays(u16),
    /// Until midnight.
    SameDay,
    /// Until an instant that was agreed upon (an appointment, an extension). Not for policies.
    Until(DateTime<Utc>),
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a time like 15m, 2h, 3d (days), 10bd (business days) or same_day, more than nothing and at most ten years"
)]
pub struct NotAnAmount;

impl Amount {
    /// Whether it is time on the wall, whatever the opening hours are.
    #[must_use]
    pub const fn is_wall_time(self) -> bool {
        matches!(self, Self::Days(_) | Self::SameDay | Self::Until(_))
    }

    /// Its length in seconds on the wall; none when it has none: business days, and what ends at an instant.
    #[must_use]
    pub fn wall_seconds(self) -> Option<u32> {
        match self {
            Self::Seconds(seconds) => Some(seconds),
            Self::Days(days) => Some(u32::from(days) * 86_400),
            Self::BusinessDays(_) | Self::SameDay | Self::Until(_) => None,
        }
    }

    /// How many open seconds it gives to a clock that starts then.
    ///
    /// * `start`: seconds since 1970, UTC.
    #[must_use]
    pub fn budget(self, start: i64, calendar: &Calendar) -> i64 {
        match self {
            Self::Seconds(seconds) => i64::from(seconds),
            Self::Days(days) => i64::from(days) * 86_400,
            Self::BusinessDays(days) => {
                calendar.open_seconds(start, calendar.close_of_business_day(start, u32::from(days)))
            }
            Self::SameDay => (calendar.midnight_after(start) - start).max(SAME_DAY_LEAST),
            Self::Until(instant) => (instant.timestamp() - start).max(0),
        }
    }
}

impl FromStr for Amount {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        if text == "same_day" {
            return Ok(Self::SameDay);
        }
        if let Some(instant) = text.strip_prefix("until ") {
            let instant = DateTime::parse_from_rfc3339(instant).map_err(|_| NotAnAmount)?;
            return Ok(Self::Until(instant.to_utc()));
        }
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).ok_or(NotAnAmount)?;
        let (number, unit) = text.split_at(digits);
        let number: u32 = number.parse().map_err(|_| NotAnAmount)?;
        let seconds = |each: u32| number.checked_mul(each).filter(|all| (1..=LONGEST.0).contains(all));
        let days = || u16::try_from(number).ok().filter(|days| (1..=LONGEST.1).contains(days));
        match unit {
            "s" => seconds(1).map(Self::Seconds),
            "m" => seconds(60).map(Self::Seconds),
            "h" => seconds(3600).map(Self::Seconds),
            "d" => days().map(Self::Days),
            "bd" => days().map(Self::BusinessDays),
            _ => None,
        }
        .ok_or(NotAnAmount)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            Self::Seconds(seconds) if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            Self::Seconds(seconds) => write!(f, "{seconds}s"),
            Self::Days(days) => write!(f, "{days}d"),
            Self::BusinessDays(days) => write!(f, "{days}bd"),
            Self::SameDay => f.write_str("same_day"),
            Self::Until(instant) => write!(f, "until {}", instant.to_rfc3339()),
        }
    }
}

impl TryFrom<String> for Amount {
    type Error = NotAnAmount;

    fn try_from(text: String) -> Result<Self, NotAnAmount> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

impl utoipa::PartialSchema for Amount {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some(
                "15m, 2h: open time of the calendar; 3d: days of 24 hours, whatever the calendar; 10bd: until the close of the tenth \
                 business day after the day of the start; same_day: until local midnight, at least two hours",
            ))
            .examples(["2h", "10bd"])
            .into()
    }
}

impl utoipa::ToSchema for Amount {}

/// Seconds since 1970 as a time of the API; what never comes is none.
#[must_use]
pub fn instant(seconds: i64) -> Option<DateTime<Utc>> {
    if seconds == NEVER { None } else { DateTime::from_timestamp(seconds, 0) }
}

/// Minutes as a difference of times.
#[must_use]
pub(crate) fn minutes(minutes: u16) -> TimeDelta {
    TimeDelta::minutes(i64::from(minutes))
}
