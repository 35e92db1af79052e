//! Who could do a work order. Hard rules leave out (skill, estate); soft rules put in order.

use std::cmp::Reverse;

use steward_kernel::word_enum;

use super::{order::Job, roster::Technician};

word_enum! {
    /// What speaks for or against somebody.
    CandidateReason {
        /// Has the skill that the work takes.
        HasSkill = "has_skill",
        /// Serves the estate.
        ServesEstate = "serves_estate",
        /// Is on shift now.
        OnShift = "on_shift",
        /// Is not on shift now.
        OffShift = "off_shift",
        /// Belongs to the department of the work order.
        OwnDepartment = "own_department",
        /// Belongs to another department.
        OtherDepartment = "other_department",
        /// Has nothing else to do.
        Free = "free",
        /// Has other work orders.
        Busy = "busy",
    }
}

/// Somebody, and what they are at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crew {
    /// Who.
    pub technician: Technician,
    /// Whether they are on shift now.
    pub on_shift: bool,
    /// How many work orders they have that are not done.
    pub open_orders: u32,
}

/// Somebody who could do it, and why they stand where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who, and what they are at.
    pub crew: Crew,
    /// What speaks for or against them.
    pub reasons: Vec<CandidateReason>,
}

/// Those who could do the job, best first: on shift, of its own department, with the least to do.
#[must_use]
pub fn rank(job: &Job, crews: Vec<Crew>) -> Vec<Candidate> {
    let able = |crew: &Crew| crew.technician.has(job.skill.as_ref()) && crew.technician.estates.includes(job.estate_id);
    let is_own = |crew: &Crew| crew.technician.department == job.department;
    let mut able: Vec<Crew> = crews.into_iter().filter(able).collect();
    able.sort_by_cached_key(|crew| {
        let code = crew.technician.code.as_str().to_owned();
        (Reverse(crew.on_shift), Reverse(is_own(crew)), crew.open_orders, code)
    });
    able.into_iter()
        .map(|crew| {
            let mut reasons = Vec::new();
            reasons.extend(job.skill.as_ref().map(|_| CandidateReason::HasSkill));
            reasons.push(CandidateReason::ServesEstate);
            reasons.push(if crew.on_shift { CandidateReason::OnShift } else { CandidateReason::OffShift });
            reasons.push(if is_own(&crew) { CandidateReason::OwnDepartment } else { CandidateReason::OtherDepartment });
            reasons.push(if crew.open_orders == 0 { CandidateReason::Free } else { CandidateReason::Busy });
            Candidate { crew, reasons }
        })
        .collect()
}
