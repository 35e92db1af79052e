//! The service request: from the owner's words to the owner's word on the result.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, Aggregate,
    ids::{CaseId, EstateId, ResidentId, UnitId, WorkOrderId},
    text::Words,
    vocabulary::{Language, Priority},
    word_enum,
};
use utoipa::ToSchema;

use super::{
    Code, FileId, Note, OrderProgress,
    appointment::{Appointment, Misdated},
};

word_enum! {
    /// Where a service request stands.
    RequestStage {
        /// It has come.
        Received = "received",
        /// The owner was asked for something.
        NeedsInfo = "needs_info",
        /// The details are clear.
        Confirmed = "confirmed",
        /// A department has it.
        Routed = "routed",
        /// A technician has taken it.
        InWork = "in_work",
        /// All its work is reported done.
        DoneReported = "done_reported",
        /// The owner finds it good.
        OwnerVerified = "owner_verified",
        /// Done, with the owner's word.
        Closed = "closed",
        /// Not the company's to do; the owner knows whose it is.
        Declined = "declined",
        /// Called off.
        Cancelled = "cancelled",
    }
}

impl RequestStage {
    /// The commands that people may give in this stage: the state machine, on one page.
    #[must_use]
    pub fn allowed(self) -> Vec<&'static str> {
        match self {
            Self::Received => vec!["confirm", "request-info", "decline", "cancel"],
            Self::Confirmed => vec!["confirm", "appoint", "request-info", "decline", "cancel"],
            Self::NeedsInfo => vec!["confirm", "appoint", "provide-info", "decline", "cancel"],
            Self::Routed | Self::InWork => vec!["appoint", "cancel"],
            Self::DoneReported => vec!["verify", "cancel"],
            Self::OwnerVerified | Self::Closed | Self::Declined | Self::Cancelled => Vec::new(),
        }
    }

    /// Whether the command is legal in this stage; a work order can be opened from the confirmation on.
    fn allows(self, command: &Command) -> bool {
        match command.name() {
            Some(name) => self.allowed().contains(&name),
            None => matches!(self, Self::Confirmed | Self::Routed | Self::InWork | Self::DoneReported),
        }
    }
}

/// What came from the desk or the owner's app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// What people quote.
    pub reference: String,
    /// Code of the taxonomy.
    pub category: String,
    /// How urgent; intake may change it.
    pub priority: Priority,
    /// Where.
    pub estate_id: EstateId,
    /// In which unit, if in one.
    pub unit_id: Option<UnitId>,
    /// Whose matter it is, if known.
    pub resident_id: Option<ResidentId>,
    /// The case it follows from.
    pub linked_case_id: Option<CaseId>,
    /// What the owner said, verbatim.
    pub words: Words,
    /// The language to answer in.
    pub language: Language,
    /// When the case was opened.
    pub opened_at: DateTime<Utc>,
    /// Whether the owner wishes that it is looked at soon.
    #[serde(default)]
    pub urgent: bool,
    /// The unit from which the trouble comes, if another one was named.
    #[serde(default)]
    pub source_unit_id: Option<UnitId>,
}

/// Something the owner was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InfoQuestion {
    /// What was asked.
    pub question: Words,
    /// What the owner said; none while we wait.
    pub answer: Option<Words>,
}

/// A work order of this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderNote {
    /// Which one.
    pub work_order_id: WorkOrderId,
    /// How far it has come.
    pub progress: OrderProgress,
}

/// The owner's word on the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OwnerVerification {
    /// Whether it is solved.
    pub satisfied: bool,
    /// In their words.
    pub comment: Option<Words>,
}

/// What can be asked of a service request.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// It has come from intake.
    Receive(Origin),
    /// Intake finds it more or less urgent than it was.
    Prioritise {
        /// How urgent from now on.
        priority: Priority,
    },
    /// The details are clear; again with other details while nobody works on it.
    Confirm {
        /// What was found out.
        details: Option<Words>,
        /// When somebody will come.
        appointment: Option<Appointment>,
    },
    /// The owner is given a time, or another one, for a visit; until the work is done.
    Appoint {
        /// When somebody will come.
        appointment: Appointment,
        /// Why it is another one.
        reason: Option<Note>,
    },
    /// Ask the owner for something.
    RequestInfo {
        /// What is asked.
        question: Words,
    },
    /// The owner answers.
    ProvideInfo {
        /// The answer.
        text: Words,
    },
    /// It is not the company's to do.
    Decline {
        /// Why.
        reason: Note,
        /// Who is responsible, for the owner to turn to.
        responsible: Note,
    },
    /// Call it off.
    Cancel {
        /// Why; none when intake calls it off, which keeps the reason.
        reason: Option<Note>,
    },
    /// A work order is opened for it.
    Route {
        /// Which one.
        work_order_id: WorkOrderId,
    },
    /// One of its work orders moved.
    Follow {
        /// Which one.
        work_order_id: WorkOrderId,
        /// How far it has come.
        progress: OrderProgress,
        /// What proves that it is done.
        proof: Vec<FileId>,
    },
    /// The owner gives a word on the result.
    Verify {
        /// Whether it is solved.
        satisfied: bool,
        /// In their words.
        comment: Option<Words>,
        /// One more thing the owner asks for.
        further_need: Option<Words>,
        /// Id of the work order that is opened when it is not solved.
        rework: WorkOrderId,
    },
}

impl Command {
    /// Its name in the API; none for what follows from work orders and messages.
    const fn name(&self) -> Option<&'static str> {
        match self {
            Self::Receive(_) | Self::Prioritise { .. } | Self::Route { .. } | Self::Follow { .. } => None,
            Self::Confirm { .. } => Some("confirm"),
            Self::Appoint { .. } => Some("appoint"),
            Self::RequestInfo { .. } => Some("request-info"),
            Self::ProvideInfo { .. } => Some("provide-info"),
            Self::Decline { .. } => Some("decline"),
            Self::Cancel { .. } => Some("cancel"),
            Self::Verify { .. } => Some("verify"),
        }
    }
}

/// What happened to a service request. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It came.
    Received(Origin),
    /// It is more or less urgent than it was.
    Prioritised {
        /// How urgent from now on.
        priority: Priority,
    },
    /// Its details were confirmed.
    Confirmed {
        /// What was found out.
        details: Option<Words>,
        /// When somebody will come.
        appointment: Option<Appointment>,
    },
    /// The owner was given a time for a visit, or another one.
    Appointed {
        /// When somebody will come.
        appointment: Appointment,
        /// When somebody would have come, if that still lay ahead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous: Option<Appointment>,
        /// Why it is another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
        /// Accounts of the technicians who had its open work orders.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        crew: Vec<Code>,
    },
    /// The owner was asked.
    InfoRequested {
        /// What.
        question: Words,
    },
    /// The owner answered.
    InfoProvided {
        /// What.
        text: Words,
    },
    /// It was declined.
    Declined {
        /// Why.
        reason: Note,
        /// Who is responsible.
        responsible: Note,
    },
    /// It was called off.
    Cancelled {
        /// Why; none when intake keeps the reason.
        reason: Option<Note>,
    },
    /// One of its work orders was opened or moved.
    OrderNoted {
        /// Which one.
        work_order_id: WorkOrderId,
        /// How far it has come.
        progress: OrderProgress,
        /// What proves that it is done.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        proof: Vec<FileId>,
    },
    /// Its stage followed its work orders.
    StageChanged {
        /// The stage now.
        stage: RequestStage,
    },
    /// The owner gave a word on the result.
    Verified {
        /// Whether it is solved.
        satisfied: bool,
        /// In their words.
        comment: Option<Words>,
    },
    /// The owner asked for one more thing.
    FurtherNeedRaised {
        /// In their words.
        words: Words,
    },
    /// It is closed.
    Closed,
}

/// Why a command is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is not for the caller to see.
    NoSuchRequest,
    /// It came before.
    AlreadyReceived,
    /// Not in this stage.
    Illegal {
        /// What is legal now.
        allowed: Vec<&'static str>,
    },
    /// The appointment is none that can be promised.
    Misdated(Misdated),
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Who asks.
    pub actor: Actor,
    /// The time.
    pub now: DateTime<Utc>,
    /// Accounts of the technicians who have its open work orders, where that matters.
    pub crew: Vec<Code>,
}

impl Facts {
    /// For what moves no appointment.
    #[must_use]
    pub fn of(actor: Actor, now: DateTime<Utc>) -> Self {
        Self { actor, now, crew: Vec::new() }
    }
}

/// A service request (報修與服務), with the id of its case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceRequest {
    /// The case.
    pub id: CaseId,
    /// What came; none before it came.
    pub origin: Option<Origin>,
    /// Where it stands.
    pub stage: RequestStage,
    /// Whether the details were ever confirmed.
    pub confirmed: bool,
    /// What was found out.
    pub details: Option<Words>,
    /// When somebody will come.
    pub appointment: Option<Appointment>,
    /// What the owner was asked.
    pub questions: Vec<InfoQuestion>,
    /// Its work orders, the one that moved last at the end.
    pub orders: Vec<OrderNote>,
    /// Photos and documents of its finished work, for the owner to see.
    #[serde(default)]
    pub proof: Vec<FileId>,
    /// Why it was declined or called off.
    pub reason: Option<Note>,
    /// Who is responsible instead.
    pub responsible: Option<Note>,
    /// The owner's last word.
    pub verification: Option<OwnerVerification>,
}

impl ServiceRequest {
    /// The work order that was done last.
    #[must_use]
    pub fn last_done(&self) -> Option<WorkOrderId> {
        let done = |note: &&OrderNote| note.progress == OrderProgress::Done;
        self.orders.iter().rev().find(done).map(|note| note.work_order_id)
    }

    fn has(&self, work_order_id: WorkOrderId) -> bool {
        self.orders.iter().any(|note| note.work_order_id == work_order_id)
    }

    /// The stage that follows from what is known: confirmed or not, and how far the work orders are.
    fn derived(&self) -> RequestStage {
        let mut counted =
            self.orders.iter().map(|note| note.progress).filter(|p| *p != OrderProgress::Cancelled).peekable();
        if !self.confirmed {
            RequestStage::Received
        } else if counted.peek().is_none() {
            RequestStage::Confirmed
        } else if counted.clone().all(|progress| progress == OrderProgress::Done) {
            RequestStage::DoneReported
        } else if counted.any(|progress| progress != OrderProgress::Open) {
            RequestStage::InWork
        } else {
            RequestStage::Routed
        }
    }

    fn noting(mut self, work_order_id: WorkOrderId, progress: OrderProgress) -> Self {
        self.orders.retain(|note| note.work_order_id != work_order_id);
        self.orders.push(OrderNote { work_order_id, progress });
        self
    }

    /// The work order is noted, and the stage follows if that changes it.
    fn note(&self, work_order_id: WorkOrderId, progress: OrderProgress, proof: &[FileId]) -> Vec<Event> {
        let note = OrderNote { work_order_id, progress };
        if self.orders.contains(&note) {
            return Vec::new();
        }
        let stage = self.clone().noting(work_order_id, progress).derived();
        let mut events = vec![Event::OrderNoted { work_order_id, progress, proof: proof.to_vec() }];
        if stage != self.stage {
            events.push(Event::StageChanged { stage });
        }
        events
    }
}

/// The first confirmation may bring a time with it; every other time is told by itself, so that both sides hear of it.
fn confirm(
    request: &ServiceRequest,
    details: Option<&Words>,
    appointment: Option<Appointment>,
    facts: &Facts,
) -> Result<Vec<Event>, Refusal> {
    let is_first = !request.confirmed && request.appointment.is_none();
    let details = details.or(request.details.as_ref());
    let told = request.appointment.or(appointment.filter(|_| is_first));
    if let Some(window) = appointment.filter(|window| Some(*window) != request.appointment) {
        window.check(facts.now).map_err(Refusal::Misdated)?;
    }
    let mut events = Vec::new();
    if request.stage != RequestStage::Confirmed || request.details.as_ref() != details {
        events.push(Event::Confirmed { details: details.cloned(), appointment: told });
    }
    if let Some(window) = appointment.filter(|_| !is_first) {
        events.extend(appoint(request, window, None, facts)?);
    }
    Ok(events)
}

fn appoint(
    request: &ServiceRequest,
    appointment: Appointment,
    reason: Option<&Note>,
    facts: &Facts,
) -> Result<Option<Event>, Refusal> {
    if request.appointment == Some(appointment) {
        return Ok(None);
    }
    appointment.check(facts.now).map_err(Refusal::Misdated)?;
    // A time that has passed is not moved: this is another visit.
    let previous = request.appointment.filter(|window| window.lies_ahead(facts.now));
    let (reason, crew) = (reason.cloned(), facts.crew.clone());
    Ok(Some(Event::Appointed { appointment, previous, reason, crew }))
}

impl Aggregate for ServiceRequest {
    const NAME: &'static str = "service_request";
    type Id = CaseId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: CaseId) -> Self {
        Self {
            id,
            origin: None,
            stage: RequestStage::Received,
            confirmed: false,
            details: None,
            appointment: None,
            questions: Vec::new(),
            orders: Vec::new(),
            proof: Vec::new(),
            reason: None,
            responsible: None,
            verification: None,
        }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use {Command as C, RequestStage as S};
        let Some(origin) = &self.origin else {
            let C::Receive(origin) = command else { return Err(Refusal::NoSuchRequest) };
            return Ok(vec![Event::Received(origin.clone())]);
        };
        if !facts.actor.sees(origin.estate_id, origin.resident_id) {
            return Err(Refusal::NoSuchRequest);
        }
        let over = matches!(self.stage, S::OwnerVerified | S::Closed | S::Declined | S::Cancelled);
        match command {
            C::Receive(_) => Err(Refusal::AlreadyReceived),
            C::Prioritise { priority } if over || origin.priority == *priority => Ok(Vec::new()),
            C::Prioritise { priority } => Ok(vec![Event::Prioritised { priority: *priority }]),
            // Once it is over, nothing follows from its work orders any more.
            C::Follow { work_order_id, .. } if over || !self.has(*work_order_id) => Ok(Vec::new()),
            C::Follow { work_order_id, progress, proof } => Ok(self.note(*work_order_id, *progress, proof)),
            C::Cancel { .. } if self.stage == S::Cancelled => Ok(Vec::new()),
            command if !self.stage.allows(command) => Err(Refusal::Illegal { allowed: self.stage.allowed() }),
            C::Route { work_order_id } if self.has(*work_order_id) => Ok(Vec::new()),
            C::Route { work_order_id } => Ok(self.note(*work_order_id, OrderProgress::Open, &[])),
            C::Confirm { details, appointment } => confirm(self, details.as_ref(), *appointment, facts),
            C::Appoint { appointment, reason } => {
                Ok(appoint(self, *appointment, reason.as_ref(), facts)?.into_iter().collect())
            }
            C::RequestInfo { question } => Ok(vec![Event::InfoRequested { question: question.clone() }]),
            C::ProvideInfo { text } => Ok(vec![Event::InfoProvided { text: text.clone() }]),
            C::Decline { reason, responsible } => {
                Ok(vec![Event::Declined { reason: reason.clone(), responsible: responsible.clone() }])
            }
            C::Cancel { reason } => Ok(vec![Event::Cancelled { reason: reason.clone() }]),
            C::Verify { satisfied, comment, further_need, rework } => {
                let mut events = vec![Event::Verified { satisfied: *satisfied, comment: comment.clone() }];
                events.extend(further_need.clone().map(|words| Event::FurtherNeedRaised { words }));
                if *satisfied {
                    events.push(Event::Closed);
                } else {
                    events.extend(self.note(*rework, OrderProgress::Open, &[]));
                }
                Ok(events)
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Received(origin) => self.origin = Some(origin),
            Event::Prioritised { priority } => {
                if let Some(origin) = &mut self.origin {
                    origin.priority = priority;
                }
            }
            Event::Confirmed { details, appointment } => {
                (self.stage, self.confirmed) = (RequestStage::Confirmed, true);
                // Whoever confirms again and says nothing of them takes nothing back.
                (self.details, self.appointment) = (details.or(self.details), appointment.or(self.appointment));
            }
            Event::Appointed { appointment, .. } => self.appointment = Some(appointment),
            Event::InfoRequested { question } => {
                self.stage = RequestStage::NeedsInfo;
                self.questions.push(InfoQuestion { question, answer: None });
            }
            Event::InfoProvided { text } => {
                self.stage = self.derived();
                if let Some(question) = self.questions.last_mut() {
                    question.answer = Some(text);
                }
            }
            Event::Declined { reason, responsible } => {
                self.stage = RequestStage::Declined;
                (self.reason, self.responsible) = (Some(reason), Some(responsible));
            }
            Event::Cancelled { reason } => {
                self.stage = RequestStage::Cancelled;
                self.reason = reason;
                // Its open work orders are called off in the same transaction.
                for note in &mut self.orders {
                    if note.progress != OrderProgress::Done {
                        note.progress = OrderProgress::Cancelled;
                    }
                }
            }
            Event::OrderNoted { work_order_id, progress, proof } => {
                self.proof.extend(proof);
                return self.noting(work_order_id, progress);
            }
            Event::StageChanged { stage } => self.stage = stage,
            Event::Verified { satisfied, comment } => {
                if satisfied {
                    self.stage = RequestStage::OwnerVerified;
                }
                self.verification = Some(OwnerVerification { satisfied, comment });
            }
            Event::FurtherNeedRaised { .. } => {}
            Event::Closed => self.stage = RequestStage::Closed,
        }
        self
    }
}
