//! What notification decides on. Pure: it knows the kernel and itself.
//!
//! ```text
//! message   planned ─┬─> delivered ──> read            (app inbox: delivered when stored)
//!                    └─> suppressed(no_resident | opted_out)
//!
//! notice    draft ──> in_review ──> approved ──> sent ──> expired
//!             └───────────┴────────────┴──────────┴────> recalled
//!                      approve: never the author
//!
//! preference  set, and set again
//!
//! digest    collecting ─┬─> delivered ─┬─────────────> read
//!                       └──────────────┴─> settled ──> read      (every matter is in hand, nothing nags)
//! ```

mod alert;
mod channel;
mod digest;
pub mod hearing;
mod message;
mod noted;
mod notice;
mod preference;
mod template;
mod wording;

#[cfg(test)]
mod digest_tests;
#[cfg(test)]
mod message_tests;
#[cfg(test)]
mod notice_tests;
#[cfg(test)]
mod template_tests;

pub use alert::{Alert, AlertCause, AlertId, Matter, is_urgent, outlives_its_case, rank};
pub use channel::{ChannelLimits, OutChannel};
pub use digest::{Digest, DigestId, DigestStatus, Pace, SHOWN_LINES, Summary, Tally};
pub use message::{DeliveryStatus, Letter, Message, MessageId, SuppressionReason, SurveyId};
pub use noted::{Noted, Scribe, TakenDownWord};
pub use notice::{Notice, NoticeContent, NoticeId, NoticeStatus, Reason};
pub use preference::Preference;
pub use template::{Broken, MessageText, Moment, Template, Templates, Variable, Variables, Window};

/// Commands, events, refusals and facts of digests.
pub mod digests {
    pub use super::digest::{Command, Event, Facts, Refusal};
}
/// Commands, events, refusals and facts of messages.
pub mod messages {
    pub use super::message::{Command, Event, Facts, Refusal};
}
/// Commands, events, refusals and facts of notices.
pub mod notices {
    pub use super::notice::{Command, Event, Facts, Refusal};
}
/// Commands, events, refusals and facts of preferences.
pub mod preferences {
    pub use super::preference::{Command, Event, Facts, Refusal};
}
