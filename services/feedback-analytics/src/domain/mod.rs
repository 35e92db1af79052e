//! What suggestions, surveys and figures are. Pure: no IO, no clock, no randomness.
//!
//! ```text
//! suggestion  received → considered ⇄ later
//!                        considered | later → accepted → planned → delivered → confirmed
//!                        considered | later → declined
//!                        (until delivered) → withdrawn, when its case is called off
//! survey      sent → answered
//!             sent → expired
//! ```
//!
//! Figures come from day sums. What one case, clock, survey or suggestion adds to them is a pure function of what is
//! known of it ([`rollup::Tally`]); a change adds the difference of after and before. So the sums are, at any
//! time, what a recount would give.

pub mod clock;
pub mod dictionary;
pub mod fact;
pub mod histogram;
pub mod metrics;
pub mod rollup;
pub mod statistics;
pub mod suggestion;
pub mod survey;
pub mod timekeeping;

use chrono::{DateTime, TimeDelta, Utc};
use steward_kernel::{Actor, text::Text};

pub use steward_kernel::day::{HOME, day, zone};
pub use suggestion::Suggestion;
pub use survey::{Survey, SurveyId};

/// A reason, a note, a proof: at most 1,000 characters.
pub type Remark = Text<1000>;

/// What decisions need to know.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The time.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// How long after the end who suggested something can come back on it.
    pub come_back_within: TimeDelta,
}
