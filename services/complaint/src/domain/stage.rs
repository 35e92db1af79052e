//! Where a complaint stands, and what may be asked of it there.

use steward_kernel::word_enum;

word_enum! {
    /// Where a complaint stands (DOMAIN.md §3).
    ComplaintStage {
        /// It came in; nobody has taken it up.
        Received = "received",
        /// A person took it up.
        Acknowledged = "acknowledged",
        /// It is classified and split into its points.
        Assessed = "assessed",
        /// Departments are asked, facts are gathered.
        Investigating = "investigating",
        /// Something is needed from the owner.
        AwaitingOwner = "awaiting_owner",
        /// There is a plan, and the owner was told.
        Proposed = "proposed",
        /// Every point has its outcome and reason; of the work that it needs nothing is open.
        Decided = "decided",
        /// Work that the decision needs is open, or has fallen away and nothing stands in its place.
        Remedying = "remedying",
        /// The owner confirmed that it is solved.
        Verified = "verified",
        /// It is over. Commitments live on.
        Closed = "closed",
        /// The owner withdrew it, or the case was called off.
        Withdrawn = "withdrawn",
    }
}

word_enum! {
    /// What people may ask of a complaint: the last part of the command's path.
    Verb {
        /// Take it up.
        Acknowledge = "acknowledge",
        /// Classify it and split it into points.
        Assess = "assess",
        /// Ask a department.
        Consult = "consult",
        /// Answer for a department.
        AnswerConsultation = "answer-consultation",
        /// Make a plan and tell the owner.
        Plan = "plan",
        /// Wait for the owner.
        AwaitOwner = "await-owner",
        /// Wait no longer.
        Resume = "resume",
        /// Decide every point; once more when promised work has fallen away.
        Decide = "decide",
        /// Order work.
        Remedy = "remedy",
        /// Note that a commitment was kept.
        KeepCommitment = "keep-commitment",
        /// Note a call-back to the owner.
        FollowUp = "follow-up",
        /// The owner's word on the result.
        Confirm = "confirm",
        /// The owner takes it back.
        Withdraw = "withdraw",
    }
}

impl ComplaintStage {
    /// The legal commands in this stage: the state machine on one page.
    ///
    /// Work may be ordered before the decision, since what is dangerous cannot wait for it.
    #[must_use]
    pub const fn permits(self) -> &'static [Verb] {
        use Verb as V;
        match self {
            Self::Received => &[V::Acknowledge, V::Withdraw],
            Self::Acknowledged => &[V::Assess, V::Withdraw],
            Self::Assessed => &[V::Assess, V::Consult, V::Plan, V::AwaitOwner, V::Remedy, V::Withdraw],
            Self::Investigating => &[
                V::Assess,
                V::Consult,
                V::AnswerConsultation,
                V::Plan,
                V::AwaitOwner,
                V::Remedy,
                V::KeepCommitment,
                V::Withdraw,
            ],
            Self::AwaitingOwner => &[V::AnswerConsultation, V::Resume, V::KeepCommitment, V::Withdraw],
            Self::Proposed => &[V::Plan, V::AwaitOwner, V::Decide, V::Remedy, V::KeepCommitment, V::Withdraw],
            Self::Decided => &[V::Remedy, V::KeepCommitment, V::FollowUp, V::Confirm, V::Withdraw],
            // What was promised and has fallen away is ordered again, or it is decided anew how it ends.
            Self::Remedying => &[V::Decide, V::Remedy, V::KeepCommitment, V::FollowUp, V::Confirm, V::Withdraw],
            // Within some days its owner can come back on it.
            Self::Verified | Self::Closed | Self::Withdrawn => &[V::KeepCommitment, V::Confirm],
        }
    }
}

impl Verb {
    /// Whether an owner may ask it of an own complaint.
    #[must_use]
    pub const fn is_owners(self) -> bool {
        matches!(self, Self::Confirm | Self::Withdraw)
    }
}
