//! What others are told of departments, and of work for a complaint that nobody can be given.

use serde::{Deserialize, Serialize};
use steward_kernel::{
    Aggregate,
    ids::{CaseId, EstateId},
    word_enum,
};

use super::{
    DepartmentId, RemedyId,
    roster::{Department, Estates, Technician},
};

/// A department as others need to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its code.
    pub code: String,
    /// The estates it serves, in order; `None` = all.
    pub estates: Option<Vec<EstateId>>,
    /// Whether it is a contractor.
    pub contractor: bool,
    /// Whether it does no work any more.
    pub closed: bool,
    /// What its technicians can do, in order.
    pub skills: Vec<String>,
}

impl Service {
    /// What a department does, with the technicians of the company.
    #[must_use]
    pub fn of<'t>(department: &Department, technicians: impl Iterator<Item = &'t Technician>) -> Self {
        let estates = match &department.estates {
            Estates::All => None,
            Estates::Some(estates) => Some(estates.iter().copied().collect()),
        };
        let theirs = technicians.filter(|each| !each.left && each.department == department.code);
        let mut skills: Vec<String> = theirs.flat_map(|each| each.skills.iter().cloned()).collect();
        skills.sort_unstable();
        skills.dedup();
        let (contractor, closed) = (department.contractor, department.closed);
        Self { code: department.code.to_string(), estates, contractor, closed, skills }
    }
}

/// What can be asked of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Say how it is now.
    Register(Service),
}

/// What happened to an entry. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It is like this from now on.
    Registered(Service),
}

/// Nothing is refused: the register was checked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {}

/// What others know of a department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepartmentEntry {
    /// Which.
    pub id: DepartmentId,
    /// How it is; `None` before others were told.
    pub service: Option<Service>,
}

impl Aggregate for DepartmentEntry {
    const NAME: &'static str = "department_entry";
    type Id = DepartmentId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = ();

    fn unborn(id: DepartmentId) -> Self {
        Self { id, service: None }
    }

    fn decide(&self, Command::Register(service): &Command, (): &()) -> Result<Vec<Event>, Refusal> {
        let is_known = self.service.as_ref() == Some(service);
        Ok(if is_known { Vec::new() } else { vec![Event::Registered(service.clone())] })
    }

    fn evolve(self, Event::Registered(service): &Event) -> Self {
        Self { service: Some(service.clone()), ..self }
    }
}

word_enum! {
    /// Why no work order is made of a remedy.
    Misaddressed {
        /// There is no such department, or it does not serve the estate.
        UnknownDepartment = "unknown_department",
        /// The complaint has ended.
        ComplaintOver = "complaint_over",
    }
}

/// Work for a complaint that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The case.
    pub case_id: CaseId,
    /// Where.
    pub estate_id: EstateId,
    /// Why.
    pub reason: Misaddressed,
}

/// To refuse it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refuse(pub Refused);

/// That it was refused. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RefusalEvent {
    /// It was refused.
    Refused(Refused),
}

/// A remedy of a complaint of which no work order was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRemedy {
    /// The remedy.
    pub id: RemedyId,
    /// Why; `None` before it was refused.
    pub refused: Option<Refused>,
}

impl Aggregate for RefusedRemedy {
    const NAME: &'static str = "refused_remedy";
    type Id = RemedyId;
    type Command = Refuse;
    type Event = RefusalEvent;
    type Refusal = Refusal;
    type Facts = ();

    fn unborn(id: RemedyId) -> Self {
        Self { id, refused: None }
    }

    fn decide(&self, Refuse(refused): &Refuse, (): &()) -> Result<Vec<RefusalEvent>, Refusal> {
        Ok(if self.refused.is_some() { Vec::new() } else { vec![RefusalEvent::Refused(refused.clone())] })
    }

    fn evolve(self, RefusalEvent::Refused(refused): &RefusalEvent) -> Self {
        Self { refused: Some(refused.clone()), ..self }
    }
}
