//! When somebody comes: a window of time that the owner was promised.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far the clock of whoever makes an appointment may be behind ours: "from now on" is no time of the past.
const SKEW: TimeDelta = TimeDelta::minutes(5);
/// How far ahead an appointment may lie (DOMAIN.md §3.1).
pub const AHEAD: TimeDelta = TimeDelta::days(60);
/// How long an owner may be asked to wait for somebody (DOMAIN.md §3.1).
pub const LONGEST: TimeDelta = TimeDelta::days(1);

/// A window of time that the owner was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Appointment {
    /// Its start.
    pub from: DateTime<Utc>,
    /// Its end, after the start.
    pub to: DateTime<Utc>,
}

/// Why a window can't be promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misdated {
    /// It ends before it starts.
    Backwards,
    /// It has begun already.
    Past,
    /// It lies too far ahead.
    TooFar,
    /// It is too long to wait for somebody.
    TooLong,
}

impl Appointment {
    /// Whether it can be promised.
    ///
    /// # Errors
    /// Why not.
    pub fn check(self, now: DateTime<Utc>) -> Result<(), Misdated> {
        if self.to <= self.from {
            Err(Misdated::Backwards)
        } else if self.from < now - SKEW {
            Err(Misdated::Past)
        } else if self.to > now + AHEAD {
            Err(Misdated::TooFar)
        } else if self.to - self.from > LONGEST {
            Err(Misdated::TooLong)
        } else {
            Ok(())
        }
    }

    /// Whether it is still to be kept.
    #[must_use]
    pub fn lies_ahead(self, now: DateTime<Utc>) -> bool {
        now < self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appointment_lies_ahead_within_sixty_days_and_spans_a_day_at_most() {
        let now: DateTime<Utc> = "2026-11-30T02:00:00Z".parse().unwrap();
        let (hour, day) = (TimeDelta::hours(1), TimeDelta::days(1));
        let check = |from, to| Appointment { from: now + from, to: now + to }.check(now);
        assert_eq!(check(hour * 5, hour * 6), Ok(()));
        assert_eq!(check(hour * -3, hour * -2), Err(Misdated::Past));
        assert_eq!(check(-hour, hour), Err(Misdated::Past));
        assert_eq!(check(TimeDelta::minutes(-4), hour), Ok(()), "from now on");
        assert_eq!(check(day * 4000, day * 4000 + hour), Err(Misdated::TooFar));
        assert_eq!(check(day * 60 - hour, day * 60), Ok(()));
        assert_eq!(check(day * 60 - hour, day * 60 + TimeDelta::seconds(1)), Err(Misdated::TooFar));
        assert_eq!(check(hour, day * 29), Err(Misdated::TooLong));
        assert_eq!(check(hour, hour + day), Ok(()));
        assert_eq!(check(hour, hour + day + TimeDelta::seconds(1)), Err(Misdated::TooLong));
        assert_eq!(check(hour, hour), Err(Misdated::Backwards));
    }
}
