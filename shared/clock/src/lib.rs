//! Business time, without IO: calendars, clocks that are a pure function of what happened, and the policies that set their
//! targets. `README.md` says how they fit together.
//!
//! Everything is exact to the second; fractions of a second are dropped. No function reads the time of day: what is needed
//! comes in as an argument.

pub mod amount;
pub mod calendar;
pub mod clock;
pub mod explain;
mod findings;
pub mod holidays;
pub mod policy;
pub mod sentence;
pub mod span;

pub use amount::Amount;
pub use calendar::{Calendar, CalendarRules, Pin, Timetable};
pub use clock::{Clock, ClockEvent, Reading, Target};
pub use holidays::{Arrangement, Holidays};
pub use policy::{Hours, Ladder, Level, Measure, Party, PauseReason, Policies, Policy};
