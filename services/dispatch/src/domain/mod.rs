//! What is decided here, purely.
//!
//! ```text
//! service request   received ⇄ needs_info, confirmed ⇄ needs_info
//!                   confirmed → routed → in_work → done_reported → owner_verified → closed      (derived from its
//! work orders
//!                                                                                                 and the owner's
//! word)
//!                   declined, cancelled
//! work order        open → assigned → accepted → en_route → on_site → made_safe → working → completed → verified
//!                                                           on_site | made_safe | working ⇄ on_hold
//!                   returned, transferred → assigned, cancelled; transferred from every status before completed
//! ```

pub mod appointment;
pub mod candidates;
pub mod import;
pub mod order;
pub mod request;
pub mod roster;
pub mod told;

#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod roster_tests;

use steward_kernel::{id_type, text::Text, word_enum};

id_type! {
    /// A technician (維修人員).
    TechnicianId
}
id_type! {
    /// A department (部門).
    DepartmentId
}
id_type! {
    /// A shift (班次) of a technician.
    ShiftId
}
id_type! {
    /// A remedy of a complaint, which a work order carries out.
    RemedyId
}
id_type! {
    /// A photo or document that intake keeps.
    FileId
}
id_type! {
    /// One import of a register file.
    ImportId
}

/// A code of the company's own: of a department, a technician, an estate.
pub type Code = Text<60>;
/// A skill, for example 水电.
pub type Skill = Text<60>;
/// A reason or a remark. At most 1,000 characters.
pub type Note = Text<1000>;

word_enum! {
    /// How far a work order has come, as its service request sees it.
    OrderProgress {
        /// Nobody has taken it yet.
        Open = "open",
        /// A technician has taken it.
        Accepted = "accepted",
        /// The work is done.
        Done = "done",
        /// Called off.
        Cancelled = "cancelled",
    }
}
