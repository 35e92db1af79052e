//! What intake decides, without IO, clock or randomness.
//!
//! ```text
//! case     received → in_progress ⇄ awaiting_owner → resolved → closed; cancelled
//!          resolved → in_progress: reopened, rework, one more remedy; closed, cancelled → in_progress: the owner comes back
//! inquiry  open → answered → closed; important ones answered → follow_up_due → followed_up → closed; reopened; cancelled
//! visit    arrived → called → serving → finished; left
//! ```

pub mod article;
pub mod case;
#[cfg(test)]
mod case_tests;
pub mod desk_check;
pub mod estate;
pub mod file;
pub mod finding;
pub mod home;
pub mod import;
pub mod inquiry;
#[cfg(test)]
mod inquiry_tests;
pub mod opening;
pub mod phone;
pub mod register;
#[cfg(test)]
mod register_tests;
pub mod rehearsal;
pub mod residents;
pub mod rooms;
pub mod rulebook;
pub mod ruling;
pub mod staff;
pub mod stewardship;
pub mod timeline;
pub mod visit;
#[cfg(test)]
mod visit_tests;

use chrono::{DateTime, TimeDelta, Utc};
use steward_kernel::{Actor, id_type};

id_type! {
    /// A visit at the desk (到訪).
    VisitId
}
id_type! {
    /// A file: a photo, a document.
    FileId
}
id_type! {
    /// An article of the handbook.
    ArticleId
}

/// What is known when a case, an inquiry or a visit is decided on.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The time of deciding.
    pub now: DateTime<Utc>,
    /// When it happened, as told; `now` when nothing is told.
    pub at: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// How long after the answer to an important inquiry its owner is called back.
    pub follow_up_after: TimeDelta,
    /// How far back staff may say that something was said.
    pub said_back: TimeDelta,
    /// How long after the end its owner can come back on a matter.
    pub come_back_within: TimeDelta,
    /// Whether the caller has read the version that stands.
    pub has_read: bool,
    /// Whether who asks has handled the matter; looked up for words of its owner.
    pub handled: bool,
}
