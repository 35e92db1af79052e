//! Why a command on a complaint is refused.

use steward_kernel::word::WordFault;

/// Why a command on a complaint is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none with that id, or it is not for the caller to see.
    NoSuchComplaint,
    /// The stage does not allow it.
    IllegalMove {
        /// What it allows.
        allowed: Vec<&'static str>,
    },
    /// A plan needs the answer of every department that was asked.
    ConsultationsOpen {
        /// What is legal instead.
        allowed: Vec<&'static str>,
    },
    /// The department has answered otherwise; a second answer would replace it.
    ConsultationAlreadyAnswered {
        /// What is legal instead.
        allowed: Vec<&'static str>,
    },
    /// The owner cannot confirm work that is not done.
    RemediesOpen {
        /// What is legal instead.
        allowed: Vec<&'static str>,
    },
    /// Somebody else has taken it up, or the same person with other words: what is said now would be lost.
    AlreadyAcknowledged {
        /// What is legal instead.
        allowed: Vec<&'static str>,
    },
    /// Somebody else has assessed it, and the caller does not say that they know.
    AssessedByAnother {
        /// What is legal instead.
        allowed: Vec<&'static str>,
    },
    /// Somebody else has planned it, and the caller does not say that they know.
    PlannedByAnother {
        /// What is legal instead.
        allowed: Vec<&'static str>,
    },
    /// A list has too few or too many entries.
    WrongNumber {
        /// Which list, as a JSON Pointer.
        pointer: &'static str,
        /// Fewest entries.
        min: usize,
        /// Most entries.
        max: usize,
    },
    /// The taxonomy has no such category.
    UnknownCategory,
    /// The complaint has no such point.
    NoSuchPoint {
        /// Place in the list of outcomes, from 0.
        index: usize,
    },
    /// The point has two outcomes.
    PointTwice {
        /// Place of the second one in the list of outcomes, from 0.
        index: usize,
    },
    /// A point has no outcome.
    PointUndecided,
    /// The complaint has no such consultation.
    NoSuchConsultation,
    /// The complaint has no such commitment.
    NoSuchCommitment,
    /// A promise for a day that is over.
    CommitmentPast {
        /// Place in the list of commitments, from 0.
        index: usize,
    },
    /// A promise for a day that is too far ahead.
    CommitmentTooFar {
        /// Place in the list of commitments, from 0.
        index: usize,
    },
    /// The complaint has no such remedy, or the remedy no such work order.
    NoSuchRemedy,
    /// There is no such department, or it does not serve the estate.
    UnknownDepartment {
        /// Those that do.
        known: Vec<String>,
    },
    /// Nobody in the department has the skill.
    UnknownSkill {
        /// Those that somebody has.
        known: Vec<String>,
    },
    /// The owner's word is not given like this.
    Word(WordFault),
}
