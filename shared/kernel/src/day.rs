//! The calendar day at a place: what the people there call today.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// Where an estate is whose own time zone is not known (yet).
pub const HOME: Tz = chrono_tz::Asia::Shanghai;

/// The time zone of that IANA name; [`HOME`] when there is none of that name.
#[must_use]
pub fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(HOME)
}

/// The calendar day of an instant, as the people of the estate count it.
#[must_use]
pub fn day(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_the_one_at_the_place() {
        let at = "2026-11-29T23:28:00Z".parse().unwrap();
        let on = |name: &str| day(at, zone(name)).to_string();
        assert_eq!(on("Asia/Shanghai"), "2026-11-30");
        assert_eq!(on("Europe/Lisbon"), "2026-11-29");
        assert_eq!(on("no such place"), "2026-11-30");
    }
}
