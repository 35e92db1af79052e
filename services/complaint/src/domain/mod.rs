//! The way of a complaint, pure: no IO, no clock, no randomness.
//!
//! ```text
//! received → acknowledged → assessed → investigating → proposed → decided → remedying → verified → closed
//!                              └───────────┴──────┬───────┘   ↑                 │
//!                                  ⇅ awaiting_owner           └── the owner is not satisfied: investigating
//! withdrawn: from everywhere before the end; with its case, which was called off, from everywhere
//! closed, withdrawn: within some days its owner can say that it is not solved, and it goes on
//! ```
//!
//! Which command is legal when: [`ComplaintStage::permits`]. What follows from it: `case_table.golden.md`.

mod complaint;
mod decide;
mod matter;
mod refusal;
mod stage;
mod types;

pub use complaint::{Command, Complaint, Event, Facts, WorkOrderStep};
pub use matter::Matter;
pub use refusal::Refusal;
pub use stage::{ComplaintStage, Verb};
pub use types::{
    Code, Commitment, CommitmentId, Confirmation, Consultation, ConsultationId, Department, NewCommitment, NewPoint,
    NewRemedy, Outcome, Plan, Point, PointId, PointOutcome, Receipt, RefusedBecause, Remedy, RemedyId, RemedyProgress,
    Severity, Waiting, WorkOrder, WorkOrderProgress,
};

#[cfg(test)]
mod complaint_tests;
