//! The work order: one job for one team, from being opened to being found good.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, ActorId, Aggregate, Role,
    ids::{CaseId, EstateId, ResidentId, UnitId, WorkOrderId},
    text::Words,
    vocabulary::Priority,
    word_enum,
};

use super::{
    Code, FileId, Note, OrderProgress, RemedyId, Skill, TechnicianId,
    roster::{Department, Technician},
};

/// Who may act on a work order that somebody else has.
pub const LEADS: [Role; 3] = [Role::Supervisor, Role::Manager, Role::Admin];
/// Most photos and documents that prove one job, or one reason to wait.
pub const MAX_PROOFS: usize = 20;

word_enum! {
    /// Where a work order stands.
    OrderStatus {
        /// Nobody has it.
        Open = "open",
        /// A technician has it and has not said yes.
        Assigned = "assigned",
        /// The technician took it.
        Accepted = "accepted",
        /// The technician is on the way.
        EnRoute = "en_route",
        /// The technician is on the spot.
        OnSite = "on_site",
        /// The danger is over.
        MadeSafe = "made_safe",
        /// The work is going on.
        Working = "working",
        /// The work has to wait.
        OnHold = "on_hold",
        /// The work is done, with proof.
        Completed = "completed",
        /// A lead finds it good.
        Verified = "verified",
        /// The technician gave it back; nobody has it.
        Returned = "returned",
        /// Another department has it; nobody there has it yet.
        Transferred = "transferred",
        /// Called off.
        Cancelled = "cancelled",
    }
}

impl OrderStatus {
    /// The statuses in which a technician is busy with it or about to be.
    pub const BUSY: [Self; 7] =
        [Self::Assigned, Self::Accepted, Self::EnRoute, Self::OnSite, Self::MadeSafe, Self::Working, Self::OnHold];

    /// The commands that are legal in this status: the state machine, on one page.
    #[must_use]
    pub fn allowed(self) -> Vec<&'static str> {
        match self {
            Self::Open | Self::Returned | Self::Transferred => vec!["assign", "change-skill", "transfer", "cancel"],
            Self::Assigned => vec!["assign", "accept", "return", "transfer", "cancel"],
            Self::Accepted => vec!["depart", "return", "transfer", "cancel"],
            Self::EnRoute => vec!["arrive", "return", "transfer", "cancel"],
            Self::OnSite => vec!["make-safe", "start", "hold", "complete", "return", "transfer", "cancel"],
            Self::MadeSafe => vec!["start", "hold", "complete", "return", "transfer", "cancel"],
            Self::Working => vec!["hold", "complete", "return", "transfer", "cancel"],
            Self::OnHold => vec!["resume", "return", "transfer", "cancel"],
            Self::Completed => vec!["verify"],
            Self::Verified | Self::Cancelled => Vec::new(),
        }
    }

    /// Of these what is granted now.
    ///
    /// * `proof_awaited`: whether something that proves the work has not arrived.
    #[must_use]
    pub fn allowed_with(self, proof_awaited: bool) -> Vec<&'static str> {
        let mut allowed = self.allowed();
        allowed.retain(|command| !(proof_awaited && *command == "verify"));
        allowed
    }

    /// How far that is, for the service request.
    #[must_use]
    pub const fn progress(self) -> OrderProgress {
        match self {
            Self::Open | Self::Assigned | Self::Returned | Self::Transferred => OrderProgress::Open,
            Self::Accepted | Self::EnRoute | Self::OnSite | Self::MadeSafe | Self::Working | Self::OnHold => {
                OrderProgress::Accepted
            }
            Self::Completed | Self::Verified => OrderProgress::Done,
            Self::Cancelled => OrderProgress::Cancelled,
        }
    }
}

word_enum! {
    /// What the work has to wait for.
    HoldReason {
        /// Spare parts.
        Parts = "parts",
        /// A way in.
        Access = "access",
        /// Better weather.
        Weather = "weather",
        /// Somebody else's work.
        ThirdParty = "third_party",
        /// Somebody's consent.
        Approval = "approval",
    }
}

/// What is to be done, where and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// What people quote.
    pub reference: String,
    /// The case it is for.
    pub case_id: CaseId,
    /// The remedy of a complaint it carries out; none for a service request.
    pub remedy_id: Option<RemedyId>,
    /// The work order whose result did not do.
    pub rework_of: Option<WorkOrderId>,
    /// Code of the department that has it.
    pub department: Code,
    /// Whether the department was a contractor of the company (外包) when it got the job.
    #[serde(default)]
    pub contractor: bool,
    /// The skill it takes; none = any.
    pub skill: Option<Skill>,
    /// What is to be done.
    pub summary: Words,
    /// Code of the taxonomy.
    pub category: String,
    /// How urgent.
    pub priority: Priority,
    /// Where.
    pub estate_id: EstateId,
    /// In which unit, if in one.
    pub unit_id: Option<UnitId>,
    /// Whose matter it is, if known.
    pub resident_id: Option<ResidentId>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
}

/// Why the work waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderHold {
    /// For what.
    pub reason: HoldReason,
    /// More about it.
    pub note: Option<Note>,
    /// What proves it.
    #[serde(default)]
    pub file_ids: Vec<FileId>,
    /// Where the work goes on afterwards.
    pub from: OrderStatus,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// In the technician's words.
    pub note: Note,
    /// The proof.
    pub file_ids: Vec<FileId>,
    /// Whose files prove it: accounts of who completed it and of who has it; nobody = anybody's, as it was recorded before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proof_by: Vec<String>,
    /// When the department's lead is told that the proof has not arrived; none where nobody waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_due_at: Option<DateTime<Utc>>,
}

impl Completion {
    /// Done as the technician says, before it is known whose files prove it.
    #[must_use]
    pub const fn new(note: Note, file_ids: Vec<FileId>) -> Self {
        Self { note, file_ids, proof_by: Vec::new(), proof_due_at: None }
    }
}

/// What can be asked of a work order.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open it.
    Open(Job),
    /// Give it to a technician; the facts know them.
    Assign {
        /// To whom.
        technician_id: TechnicianId,
        /// Who has it now, if it is to be taken from them.
        instead_of: Option<TechnicianId>,
    },
    /// The technician takes it.
    Accept,
    /// The technician gives it back.
    Return {
        /// Why.
        reason: Note,
    },
    /// Give it to another department; the facts know it.
    Transfer {
        /// Code of the department.
        department: Code,
        /// Code of the department that has it now, if it was given to that one a moment ago.
        instead_of: Option<Code>,
        /// Why.
        reason: Note,
    },
    /// It takes another skill than was thought.
    ChangeSkill {
        /// Which; none = any.
        skill: Option<Skill>,
    },
    /// The technician sets out.
    Depart,
    /// The technician is there.
    Arrive,
    /// The danger is over.
    MakeSafe {
        /// How.
        note: Option<Note>,
    },
    /// The work begins.
    Start,
    /// The work has to wait.
    Hold {
        /// For what.
        reason: HoldReason,
        /// More about it.
        note: Option<Note>,
        /// What proves it.
        file_ids: Vec<FileId>,
    },
    /// The work goes on.
    Resume,
    /// The work is done.
    Complete(Completion),
    /// Its proof has arrived, or the time for that is over; the facts know it.
    LookForProof,
    /// A lead finds it good.
    Verify,
    /// Its case is more or less urgent than it was.
    Prioritise {
        /// How urgent from now on.
        priority: Priority,
    },
    /// Call it off.
    Cancel {
        /// Why; none when its case was called off, which keeps the reason.
        reason: Option<Note>,
    },
}

/// What happened to a work order. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It was opened.
    Opened(Job),
    /// A technician has it.
    Assigned {
        /// Who.
        technician_id: TechnicianId,
        /// Subject of their access token; none in what was recorded before it was asked for.
        #[serde(default)]
        account: Option<Code>,
    },
    /// The technician took it.
    Accepted,
    /// The technician gave it back.
    Returned {
        /// Why.
        reason: Note,
    },
    /// Another department has it.
    Transferred {
        /// Code of the department that had it.
        previous_department: Code,
        /// Code of the department that has it.
        department: Code,
        /// Whether that one is a contractor.
        contractor: bool,
        /// Why.
        reason: Note,
    },
    /// It takes another skill than was thought.
    SkillChanged {
        /// Which; none = any.
        skill: Option<Skill>,
    },
    /// The technician is on the way.
    Departed,
    /// The technician is there.
    Arrived,
    /// The danger is over.
    MadeSafe {
        /// How.
        note: Option<Note>,
    },
    /// The work began.
    Started,
    /// The work has to wait.
    Held {
        /// For what.
        reason: HoldReason,
        /// More about it.
        note: Option<Note>,
        /// What proves it.
        #[serde(default)]
        file_ids: Vec<FileId>,
    },
    /// The work goes on.
    Resumed,
    /// The work is done.
    Completed(Completion),
    /// What proves it has not arrived in time.
    ProofMissed,
    /// What proves it has arrived after all.
    ProofArrived,
    /// A lead found it good.
    Verified,
    /// Its case is more or less urgent than it was.
    Prioritised {
        /// How urgent from now on.
        priority: Priority,
    },
    /// It was called off.
    Cancelled {
        /// Why; none when its case keeps the reason.
        reason: Option<Note>,
    },
}

impl Event {
    /// Whether this person had a part in the work by it: who opened, assigned, led or did it, and who it was given to. What
    /// follows from the owner's word (a rework, a call-off) is no part in the work.
    ///
    /// * `by`: who caused it.
    #[must_use]
    pub fn is_handled_by(&self, person: &ActorId, by: &ActorId) -> bool {
        let is_by = person == by;
        match self {
            Self::Opened(job) => is_by && job.rework_of.is_none(),
            Self::Assigned { account, .. } => {
                is_by || account.as_ref().is_some_and(|account| account.as_str() == person.as_str())
            }
            Self::Cancelled { .. } | Self::Prioritised { .. } | Self::ProofMissed | Self::ProofArrived => false,
            Self::Accepted | Self::Returned { .. } | Self::Transferred { .. } | Self::Departed | Self::Arrived => is_by,
            Self::SkillChanged { .. } => is_by,
            Self::MadeSafe { .. } | Self::Started | Self::Held { .. } | Self::Resumed => is_by,
            Self::Completed(_) | Self::Verified => is_by,
        }
    }
}

/// Why a command is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is not for the caller to see.
    NoSuchOrder,
    /// It was opened before.
    AlreadyOpened,
    /// Another technician has it.
    NotYours,
    /// Not in this status.
    Illegal {
        /// What is legal now.
        allowed: Vec<&'static str>,
    },
    /// Somebody else was given it, and the caller does not say that they know.
    AssignedToAnother,
    /// There is no such technician, or not any more.
    UnknownTechnician,
    /// The technician does not have the skill.
    SkillMissing,
    /// The technician does not serve the estate.
    EstateNotServed,
    /// There is no such department, or it does not serve the estate.
    UnknownDepartment,
    /// Another department was given it, and the caller does not say that they know.
    TransferredToAnother,
    /// The department has it already.
    SameDepartment,
    /// Work without proof is not done.
    NoProof,
    /// More proof than anybody looks at.
    TooMuchProof,
    /// Somebody else has stored what is to prove it; its place in the list.
    ProofOfAnother(usize),
    /// What proves it has not arrived.
    ProofAwaited,
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Who asks.
    pub actor: Actor,
    /// The technician whose account asks.
    pub acting_as: Option<TechnicianId>,
    /// The technician to whom it shall be given.
    pub technician: Option<Technician>,
    /// The department to which it shall go.
    pub department: Option<Department>,
    /// Whether the caller has read the version that stands.
    pub has_read: bool,
    /// Who stored the files that the command names, as far as that is known.
    pub stored_by: HashMap<FileId, String>,
    /// Account of the technician who has it.
    pub crew: Option<Code>,
    /// Whether something that proves it is still awaited.
    pub proof_awaited: bool,
    /// Until when what proves it is to arrive.
    pub proof_due_at: Option<DateTime<Utc>>,
    /// Whether that time is over.
    pub proof_overdue: bool,
}

impl Facts {
    /// For whoever gives no work away, and brings no proof.
    #[must_use]
    pub fn of(actor: Actor) -> Self {
        Self {
            actor,
            acting_as: None,
            technician: None,
            department: None,
            has_read: false,
            stored_by: HashMap::new(),
            crew: None,
            proof_awaited: false,
            proof_due_at: None,
            proof_overdue: false,
        }
    }

    /// Whose files may prove the caller's work.
    fn provers(&self) -> Vec<String> {
        let crew = self.crew.as_ref().map(ToString::to_string);
        let mut accounts: Vec<String> = crew.into_iter().chain([self.actor.id.to_string()]).collect();
        accounts.dedup();
        accounts
    }

    /// Whether a file may prove the caller's work: the caller or the technician who has the work stored it, or that is not known yet.
    fn is_own(&self, file: FileId) -> bool {
        self.stored_by.get(&file).is_none_or(|account| self.provers().contains(account))
    }
}

/// A work order (工單).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkOrder {
    /// Its id.
    pub id: WorkOrderId,
    /// What is to be done; none before it was opened.
    pub job: Option<Job>,
    /// Where it stands.
    pub status: OrderStatus,
    /// Who has it.
    pub technician_id: Option<TechnicianId>,
    /// Why it waits, while it waits.
    pub hold: Option<OrderHold>,
    /// How it was made safe.
    pub safe_note: Option<Note>,
    /// Why it was last given back, transferred or called off.
    pub reason: Option<Note>,
    /// What was done.
    pub completion: Option<Completion>,
    /// How often it went from one department to another.
    #[serde(default)]
    pub transfers: u32,
    /// Whether what proves it has not arrived in time, and has not since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proof_missed: bool,
}

impl WorkOrder {
    /// The photos and documents that prove something of it as it stands.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        let done = self.completion.iter().flat_map(|done| &done.file_ids);
        done.chain(self.hold.iter().flat_map(|hold| &hold.file_ids)).copied()
    }

    /// Whether a file of that account proves what it is to prove.
    #[must_use]
    pub fn is_proven_by(&self, file: FileId, account: &str) -> bool {
        let done = self.completion.as_ref().filter(|done| done.file_ids.contains(&file) && !done.proof_by.is_empty());
        // Who stored what, was not told before.
        account.is_empty() || done.is_none_or(|done| done.proof_by.iter().any(|prover| prover == account))
    }

    /// The photos and documents that prove that it is done.
    #[must_use]
    pub fn proof(self) -> Vec<FileId> {
        self.completion.map(|done| done.file_ids).unwrap_or_default()
    }

    /// Whether the caller may act for the technician who has it: that technician, a lead, or the house itself.
    fn is_in_hands_of(&self, facts: &Facts) -> bool {
        let is_lead = facts.actor.roles.is_empty() || facts.actor.is_any(&LEADS);
        is_lead || self.technician_id.is_none() || self.technician_id == facts.acting_as
    }

    /// Whether the command asks for what is so already, and carries nothing that would be lost.
    fn is_already(&self, command: &Command) -> bool {
        use {Command as C, OrderStatus as S};
        matches!(
            (self.status, command),
            (S::Accepted, C::Accept)
                | (S::EnRoute, C::Depart)
                | (S::OnSite, C::Arrive)
                | (S::Working, C::Start)
                | (S::Verified, C::Verify)
                | (S::Cancelled, C::Cancel { .. })
        )
    }

    /// Hard rules: who does not have the skill or does not serve the estate cannot have it.
    fn assign(
        &self,
        job: &Job,
        technician_id: TechnicianId,
        instead_of: Option<TechnicianId>,
        facts: &Facts,
    ) -> Result<Vec<Event>, Refusal> {
        let is_there = |technician: &&Technician| technician.id == technician_id && !technician.left;
        let known = facts.technician.as_ref().filter(is_there);
        let known = known.filter(|technician| technician.estates.is_seen_by(&facts.actor));
        let technician = known.ok_or(Refusal::UnknownTechnician)?;
        if !technician.has(job.skill.as_ref()) {
            return Err(Refusal::SkillMissing);
        }
        if !technician.estates.includes(job.estate_id) {
            return Err(Refusal::EstateNotServed);
        }
        if self.status == OrderStatus::Assigned && self.technician_id == Some(technician_id) {
            return Ok(Vec::new());
        }
        // Of two dispatchers the second one learns of the first.
        let is_taken = self.status == OrderStatus::Assigned && !facts.has_read;
        if (is_taken || instead_of.is_some()) && self.technician_id != instead_of {
            return Err(Refusal::AssignedToAnother);
        }
        Ok(vec![Event::Assigned { technician_id, account: Some(technician.account.clone()) }])
    }

    /// Another department that serves the estate has it from now on.
    fn transfer(
        &self,
        job: &Job,
        (code, instead_of): (&Code, Option<&Code>),
        reason: &Note,
        facts: &Facts,
    ) -> Result<Vec<Event>, Refusal> {
        if *code == job.department {
            return Err(Refusal::SameDepartment);
        }
        // Of two who give it away the second one learns of the first.
        let is_taken = self.status == OrderStatus::Transferred && !facts.has_read;
        if (is_taken || instead_of.is_some()) && instead_of != Some(&job.department) {
            return Err(Refusal::TransferredToAnother);
        }
        let serves = |known: &&Department| known.code == *code && known.serves(job.estate_id);
        let department = facts.department.as_ref().filter(serves).ok_or(Refusal::UnknownDepartment)?;
        Ok(vec![Event::Transferred {
            previous_department: job.department.clone(),
            department: department.code.clone(),
            contractor: department.contractor,
            reason: reason.clone(),
        }])
    }

    /// The lead is told when the proof does not come, and no longer when it has come.
    fn look_for_proof(&self, facts: &Facts) -> Vec<Event> {
        match (self.status, facts.proof_awaited, self.proof_missed) {
            (OrderStatus::Completed, true, false) if facts.proof_overdue => vec![Event::ProofMissed],
            (_, false, true) => vec![Event::ProofArrived],
            _ => Vec::new(),
        }
    }

    /// What is done or called off keeps the priority that it had.
    fn prioritise(&self, job: &Job, priority: Priority) -> Vec<Event> {
        let is_open = matches!(self.status.progress(), OrderProgress::Open | OrderProgress::Accepted);
        if is_open && job.priority != priority { vec![Event::Prioritised { priority }] } else { Vec::new() }
    }
}

impl Command {
    /// Its name in the API, or what it would be there.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Assign { .. } => "assign",
            Self::Accept => "accept",
            Self::Return { .. } => "return",
            Self::Transfer { .. } => "transfer",
            Self::ChangeSkill { .. } => "change-skill",
            Self::Depart => "depart",
            Self::Arrive => "arrive",
            Self::MakeSafe { .. } => "make-safe",
            Self::Start => "start",
            Self::Hold { .. } => "hold",
            Self::Resume => "resume",
            Self::Complete(_) => "complete",
            Self::LookForProof => "look-for-proof",
            Self::Verify => "verify",
            Self::Prioritise { .. } => "prioritise",
            Self::Cancel { .. } => "cancel",
        }
    }

    /// Whether it can change how far the work is as its service request sees it.
    #[must_use]
    pub const fn moves_request(&self) -> bool {
        match self {
            Self::Accept | Self::Return { .. } | Self::Transfer { .. } | Self::Complete(_) | Self::Cancel { .. } => {
                true
            }
            Self::Open(_)
            | Self::Assign { .. }
            | Self::ChangeSkill { .. }
            | Self::Depart
            | Self::Arrive
            | Self::MakeSafe { .. }
            | Self::Start
            | Self::Hold { .. }
            | Self::Resume
            | Self::LookForProof
            | Self::Verify
            | Self::Prioritise { .. } => false,
        }
    }

    /// Whether it is the technician's own doing.
    #[must_use]
    pub const fn is_crews(&self) -> bool {
        match self {
            Self::Accept
            | Self::Return { .. }
            | Self::Depart
            | Self::Arrive
            | Self::MakeSafe { .. }
            | Self::Start
            | Self::Hold { .. }
            | Self::Resume
            | Self::Complete(_) => true,
            Self::Open(_)
            | Self::Assign { .. }
            | Self::Transfer { .. }
            | Self::ChangeSkill { .. }
            | Self::LookForProof
            | Self::Verify
            | Self::Prioritise { .. }
            | Self::Cancel { .. } => false,
        }
    }
}

fn complete(completion: &Completion, facts: &Facts) -> Result<Vec<Event>, Refusal> {
    if let Some(place) = completion.file_ids.iter().position(|file| !facts.is_own(*file)) {
        return Err(Refusal::ProofOfAnother(place));
    }
    match completion.file_ids.len() {
        0 => Err(Refusal::NoProof),
        1..=MAX_PROOFS => {
            let (proof_by, proof_due_at) = (facts.provers(), facts.proof_due_at);
            Ok(vec![Event::Completed(Completion { proof_by, proof_due_at, ..completion.clone() })])
        }
        _ => Err(Refusal::TooMuchProof),
    }
}

impl Aggregate for WorkOrder {
    const NAME: &'static str = "work_order";
    type Id = WorkOrderId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: WorkOrderId) -> Self {
        Self {
            id,
            job: None,
            status: OrderStatus::Open,
            technician_id: None,
            hold: None,
            safe_note: None,
            reason: None,
            completion: None,
            transfers: 0,
            proof_missed: false,
        }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use Command as C;
        let Some(job) = &self.job else {
            let C::Open(job) = command else { return Err(Refusal::NoSuchOrder) };
            return Ok(vec![Event::Opened(job.clone())]);
        };
        if !facts.actor.sees(job.estate_id, job.resident_id) {
            return Err(Refusal::NoSuchOrder);
        }
        if command.is_crews() && !self.is_in_hands_of(facts) {
            return Err(Refusal::NotYours);
        }
        match command {
            C::Open(_) => Err(Refusal::AlreadyOpened),
            C::Prioritise { priority } => Ok(self.prioritise(job, *priority)),
            C::LookForProof => Ok(self.look_for_proof(facts)),
            command if self.is_already(command) => Ok(Vec::new()),
            command if !self.status.allowed().contains(&command.name()) => {
                Err(Refusal::Illegal { allowed: self.status.allowed() })
            }
            C::Assign { technician_id, instead_of } => self.assign(job, *technician_id, *instead_of, facts),
            C::Accept => Ok(vec![Event::Accepted]),
            C::Return { reason } => Ok(vec![Event::Returned { reason: reason.clone() }]),
            C::ChangeSkill { skill } if *skill == job.skill => Ok(Vec::new()),
            C::ChangeSkill { skill } => Ok(vec![Event::SkillChanged { skill: skill.clone() }]),
            C::Transfer { department, instead_of, reason } => {
                self.transfer(job, (department, instead_of.as_ref()), reason, facts)
            }
            C::Depart => Ok(vec![Event::Departed]),
            C::Arrive => Ok(vec![Event::Arrived]),
            C::MakeSafe { note } => Ok(vec![Event::MadeSafe { note: note.clone() }]),
            C::Start => Ok(vec![Event::Started]),
            C::Hold { file_ids, .. } if file_ids.len() > MAX_PROOFS => Err(Refusal::TooMuchProof),
            C::Hold { reason, note, file_ids } => {
                Ok(vec![Event::Held { reason: *reason, note: note.clone(), file_ids: file_ids.clone() }])
            }
            C::Resume => Ok(vec![Event::Resumed]),
            C::Complete(completion) => complete(completion, facts),
            C::Verify if facts.proof_awaited => Err(Refusal::ProofAwaited),
            C::Verify => Ok(vec![Event::Verified]),
            C::Cancel { reason } => Ok(vec![Event::Cancelled { reason: reason.clone() }]),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Opened(job) => self.job = Some(job),
            Event::Assigned { technician_id, account: _ } => {
                (self.status, self.technician_id) = (OrderStatus::Assigned, Some(technician_id));
            }
            Event::Accepted => self.status = OrderStatus::Accepted,
            Event::Returned { reason } => {
                (self.status, self.technician_id) = (OrderStatus::Returned, None);
                (self.reason, self.hold) = (Some(reason), None);
            }
            Event::Transferred { previous_department: _, department, contractor, reason } => {
                if let Some(job) = &mut self.job {
                    (job.department, job.contractor) = (department, contractor);
                }
                (self.status, self.technician_id, self.hold) = (OrderStatus::Transferred, None, None);
                (self.reason, self.transfers) = (Some(reason), self.transfers.saturating_add(1));
            }
            Event::SkillChanged { skill } => {
                if let Some(job) = &mut self.job {
                    job.skill = skill;
                }
            }
            Event::Departed => self.status = OrderStatus::EnRoute,
            Event::Arrived => self.status = OrderStatus::OnSite,
            Event::MadeSafe { note } => (self.status, self.safe_note) = (OrderStatus::MadeSafe, note),
            Event::Started => self.status = OrderStatus::Working,
            Event::Held { reason, note, file_ids } => {
                self.hold = Some(OrderHold { reason, note, file_ids, from: self.status });
                self.status = OrderStatus::OnHold;
            }
            Event::Resumed => self.status = self.hold.take().map_or(OrderStatus::Working, |hold| hold.from),
            Event::Completed(completion) => (self.status, self.completion) = (OrderStatus::Completed, Some(completion)),
            Event::ProofMissed => self.proof_missed = true,
            Event::ProofArrived => self.proof_missed = false,
            Event::Verified => self.status = OrderStatus::Verified,
            Event::Prioritised { priority } => {
                if let Some(job) = &mut self.job {
                    job.priority = priority;
                }
            }
            Event::Cancelled { reason } => {
                (self.status, self.hold, self.reason) = (OrderStatus::Cancelled, None, reason);
            }
        }
        self
    }
}
