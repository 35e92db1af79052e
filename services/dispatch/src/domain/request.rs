//! The service request: from the owner's words to the owner's word on the result.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Actor, Aggregate,
    ids::{CaseId, EstateId, ResidentId, UnitId, WorkOrderId},
    text::Words,
    vocabulary::{Language, Priority},
    word::{self, TakenDown, Whose, WordFault, WordNote},
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
            // Within some days its owner can come back on it.
            Self::OwnerVerified | Self::Closed | Self::Declined | Self::Cancelled => vec!["verify"],
        }
    }

    /// Whether it has come to an end.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::OwnerVerified | Self::Closed | Self::Declined | Self::Cancelled)
    }

    /// Whether the command is legal in this stage; a work order can be opened from the confirmation on, until the work is reported done: then only
    /// the owner's word begins it again.
    fn allows(self, command: &Command) -> bool {
        match command.name() {
            Some(name) => self.allowed().contains(&name),
            None => matches!(self, Self::Confirmed | Self::Routed | Self::InWork),
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Words>,
    /// How staff took it down; absent when the owner answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_down: Option<WordNote>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<Words>,
    /// How staff took it down; absent when the owner gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_down: Option<WordNote>,
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
        /// How the owner gave it to staff; none = the owner gives it.
        taken_down: Option<TakenDown>,
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
        /// Why.
        reason: Note,
        /// How the owner asked staff for it; none = the owner calls it off, or the company does by itself.
        taken_down: Option<TakenDown>,
    },
    /// Its case was called off; intake keeps the reason.
    CallOff,
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
        /// How the owner gave it to staff; none = the owner gives it.
        taken_down: Option<TakenDown>,
    },
}

impl Command {
    /// Its name in the API; none for what follows from work orders and messages.
    const fn name(&self) -> Option<&'static str> {
        match self {
            Self::Receive(_) | Self::Prioritise { .. } | Self::Route { .. } | Self::Follow { .. } | Self::CallOff => {
                None
            }
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
        /// How staff took it down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken_down: Option<WordNote>,
    },
    /// It was declined.
    Declined {
        /// Why.
        reason: Note,
        /// Who is responsible.
        responsible: Note,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
    },
    /// It was called off.
    Cancelled {
        /// Why; none when intake keeps the reason.
        reason: Option<Note>,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
        /// Whether its owner did.
        #[serde(default)]
        by_owner: bool,
        /// How staff took down that the owner asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken_down: Option<WordNote>,
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
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
        /// How staff took it down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken_down: Option<WordNote>,
    },
    /// The owner asked for one more thing.
    FurtherNeedRaised {
        /// In their words.
        words: Words,
    },
    /// It is closed.
    Closed,
}

impl Event {
    /// Whether whoever caused it handled the request with it; taking down the owner's word is not handling. Work orders
    /// are looked at by themselves.
    #[must_use]
    pub const fn is_handling(&self) -> bool {
        matches!(self, Self::Confirmed { .. } | Self::InfoRequested { .. } | Self::Declined { .. })
    }
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
    /// Other details were confirmed, and the caller does not say that they were read.
    OtherDetails,
    /// The appointment is none that can be promised.
    Misdated(Misdated),
    /// The owner's word is not given like this.
    Word(WordFault),
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When it happens.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// Whether the caller has read the version that stands.
    pub has_read: bool,
    /// Accounts of the technicians who have its open work orders, where that matters.
    pub crew: Vec<Code>,
    /// Whether who asks has handled the request or a work order of it; looked up for words of its owner.
    pub handled: bool,
    /// How long after the end its owner can come back on it; looked up for people.
    pub come_back_within: TimeDelta,
}

impl Facts {
    /// For what moves no appointment and is no word of the owner.
    #[must_use]
    pub fn of(actor: Actor, now: DateTime<Utc>) -> Self {
        Self { actor, now, has_read: false, crew: Vec::new(), handled: false, come_back_within: TimeDelta::zero() }
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
    /// How staff took down that the owner called it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation_taken_down: Option<WordNote>,
    /// When it ended last; rows of before do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// When its owner came back on it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_back_at: Option<DateTime<Utc>>,
    /// Work that was done and that its owner did not find good: it makes nothing done any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rejected: Vec<WorkOrderId>,
}

impl ServiceRequest {
    /// The work order that was done last.
    #[must_use]
    pub fn last_done(&self) -> Option<WorkOrderId> {
        let done = |note: &&OrderNote| note.progress == OrderProgress::Done;
        self.orders.iter().rev().find(done).map(|note| note.work_order_id)
    }

    /// As this actor may see it: owners see that staff took a word down, not who.
    #[must_use]
    pub fn shown_to(mut self, actor: &Actor) -> Self {
        let shown = |note: Option<WordNote>| note.map(|note| note.shown_to(actor));
        for question in &mut self.questions {
            question.taken_down = shown(question.taken_down.take());
        }
        self.verification =
            self.verification.map(|word| OwnerVerification { taken_down: shown(word.taken_down), ..word });
        self.cancellation_taken_down = shown(self.cancellation_taken_down);
        self
    }

    /// The commands that may be asked for now.
    #[must_use]
    pub fn allowed(&self, facts: &Facts) -> Vec<&'static str> {
        if self.stage.is_over() && self.comes_back(facts).is_err() {
            return Vec::new();
        }
        let mut allowed = self.stage.allowed();
        allowed.extend(self.is_left_rejected().then_some("verify"));
        allowed
    }

    /// Whether its owner did not find the work good and nobody does it again: then it is newly done work, or the owner's word, that makes it
    /// done.
    fn is_left_rejected(&self) -> bool {
        self.stage == RequestStage::Confirmed && !self.rejected.is_empty()
    }

    /// Whether the command is legal now.
    fn allows(&self, command: &Command) -> bool {
        self.stage.allows(command) || (self.is_left_rejected() && matches!(command, Command::Verify { .. }))
    }

    /// Whether its owner can still come back on what is over.
    fn comes_back(&self, facts: &Facts) -> Result<(), Refusal> {
        let opened_at = self.origin.as_ref().map(|origin| origin.opened_at);
        let Some(ended_at) = self.ended_at.or(opened_at) else { return Ok(()) };
        word::may_come_back(ended_at, facts.come_back_within, facts.now).map_err(Refusal::Word)
    }

    /// Whether the work order is one of its own.
    #[must_use]
    pub fn has(&self, work_order_id: WorkOrderId) -> bool {
        self.orders.iter().any(|note| note.work_order_id == work_order_id)
    }

    /// The stage that follows from what is known: confirmed or not, and how far the work orders are.
    fn derived(&self) -> RequestStage {
        let mut counted = self.orders.iter().filter(|note| note.progress != OrderProgress::Cancelled);
        let mut stands = counted.clone().filter(|note| !self.rejected.contains(&note.work_order_id)).peekable();
        if !self.confirmed {
            RequestStage::Received
        } else if stands.peek().is_none() {
            RequestStage::Confirmed
        } else if stands.all(|note| note.progress == OrderProgress::Done) {
            RequestStage::DoneReported
        } else if counted.any(|note| note.progress != OrderProgress::Open) {
            RequestStage::InWork
        } else {
            RequestStage::Routed
        }
    }

    fn noting(mut self, work_order_id: WorkOrderId, progress: OrderProgress) -> Self {
        self.orders.retain(|note| note.work_order_id != work_order_id);
        self.orders.push(OrderNote { work_order_id, progress });
        // What is worked on again is not what was rejected.
        self.rejected.retain(|rejected| progress == OrderProgress::Done || *rejected != work_order_id);
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

/// Whose word it is that is given on the request of this resident.
fn whose(resident: Option<ResidentId>, said: Option<&TakenDown>, facts: &Facts) -> Result<Whose, Refusal> {
    word::whose(&facts.actor, resident, said, facts.handled, facts.now).map_err(Refusal::Word)
}

// The owner's word on the result.
impl ServiceRequest {
    /// It is solved. Of a closed one that changes something only where staff had taken that word down before: then it is
    /// the owner's own.
    fn satisfied(&self, verified: Event, need: Option<Event>, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        let is_own = matches!(&verified, Event::Verified { taken_down: None, .. });
        let was_taken_down = self.verification.as_ref().is_some_and(|word| word.taken_down.is_some());
        match self.stage {
            RequestStage::DoneReported => Ok(std::iter::once(verified).chain(need).chain([Event::Closed]).collect()),
            RequestStage::Confirmed if self.is_left_rejected() => {
                Ok(std::iter::once(verified).chain(need).chain([Event::Closed]).collect())
            }
            RequestStage::Closed if is_own && was_taken_down => Ok(std::iter::once(verified).chain(need).collect()),
            RequestStage::Closed if need.is_none() => Ok(Vec::new()),
            _ => Err(Refusal::Illegal { allowed: self.allowed(facts) }),
        }
    }

    /// The owner calls off what is called off already: where staff had taken that word down, it is the owner's own now.
    fn cancel_again(&self, reason: &Note, resident: Option<ResidentId>, facts: &Facts) -> Vec<Event> {
        if self.cancellation_taken_down.is_none() || !word::is_owners(&facts.actor, resident) {
            return Vec::new();
        }
        let reason = Some(reason.clone());
        vec![Event::Cancelled { reason, at: self.ended_at, by_owner: true, taken_down: None }]
    }

    /// It is not solved: what was done is done again, what was never done goes on where it stood. After the end, too, as
    /// long as its owner can come back on it.
    fn back(
        &self,
        verified: Event,
        need: Option<Event>,
        rework: WorkOrderId,
        facts: &Facts,
    ) -> Result<Vec<Event>, Refusal> {
        if self.stage.is_over() {
            self.comes_back(facts)?;
        }
        let after = self.clone().evolve(&verified);
        let again = self.last_done().map(|_| after.note(rework, OrderProgress::Open, &[]));
        Ok(std::iter::once(verified).chain(need).chain(again.into_iter().flatten()).collect())
    }

    /// How it stands when its owner says that it is not solved.
    fn come_back(mut self, at: Option<DateTime<Utc>>) -> Self {
        if self.stage.is_over() {
            self.stage = self.derived();
            (self.reason, self.responsible, self.cancellation_taken_down) = (None, None, None);
        }
        let done = self.orders.iter().filter(|note| note.progress == OrderProgress::Done);
        self.rejected = done.map(|note| note.work_order_id).collect();
        self.ended_at = None;
        self.came_back_at = at;
        self
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
    // Of two who confirm the second one learns of the first; another time is told to both sides.
    if request.details.is_some() && request.details.as_ref() != details && !facts.has_read {
        return Err(Refusal::OtherDetails);
    }
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
            cancellation_taken_down: None,
            ended_at: None,
            came_back_at: None,
            rejected: Vec::new(),
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
        let over = self.stage.is_over();
        let (at, resident) = (Some(facts.now), origin.resident_id);
        match command {
            C::Receive(_) => Err(Refusal::AlreadyReceived),
            // Also of what is over: its owner may come back on it, and intake finds more or less urgent only what it does not know as over.
            C::Prioritise { priority } if origin.priority == *priority => Ok(Vec::new()),
            C::Prioritise { priority } => Ok(vec![Event::Prioritised { priority: *priority }]),
            // Once it is over, nothing follows from its work orders any more.
            C::Follow { work_order_id, .. } if over || !self.has(*work_order_id) => Ok(Vec::new()),
            C::Follow { work_order_id, progress, proof } => Ok(self.note(*work_order_id, *progress, proof)),
            C::Cancel { reason, .. } if self.stage == S::Cancelled => Ok(self.cancel_again(reason, resident, facts)),
            // Whatever it came to before this was heard, the case has ended with it, unless its owner has come back on it since: what
            // happened before calls nothing off.
            C::CallOff if self.stage == S::Cancelled => Ok(Vec::new()),
            C::CallOff if self.came_back_at.is_some_and(|back| back > facts.now) => Ok(Vec::new()),
            C::CallOff => Ok(vec![Event::Cancelled { reason: None, at, by_owner: false, taken_down: None }]),
            command if !self.allows(command) => Err(Refusal::Illegal { allowed: self.allowed(facts) }),
            C::Route { work_order_id } if self.has(*work_order_id) => Ok(Vec::new()),
            C::Route { work_order_id } => Ok(self.note(*work_order_id, OrderProgress::Open, &[])),
            C::Confirm { details, appointment } => confirm(self, details.as_ref(), *appointment, facts),
            C::Appoint { appointment, reason } => {
                Ok(appoint(self, *appointment, reason.as_ref(), facts)?.into_iter().collect())
            }
            C::RequestInfo { question } => Ok(vec![Event::InfoRequested { question: question.clone() }]),
            C::ProvideInfo { text, taken_down } => {
                let taken_down = whose(resident, taken_down.as_ref(), facts)?.note();
                Ok(vec![Event::InfoProvided { text: text.clone(), taken_down }])
            }
            C::Decline { reason, responsible } => {
                Ok(vec![Event::Declined { reason: reason.clone(), responsible: responsible.clone(), at }])
            }
            C::Cancel { reason, taken_down } => {
                let word = word::called_off(&facts.actor, resident, taken_down.as_ref(), facts.handled, facts.now);
                let word = word.map_err(Refusal::Word)?;
                let by_owner = word == Some(Whose::Owners);
                let (reason, taken_down) = (Some(reason.clone()), word.and_then(Whose::note));
                Ok(vec![Event::Cancelled { reason, at, by_owner, taken_down }])
            }
            C::Verify { satisfied, comment, further_need, rework, taken_down } => {
                let taken_down = whose(resident, taken_down.as_ref(), facts)?.note();
                let verified = Event::Verified { satisfied: *satisfied, comment: comment.clone(), at, taken_down };
                let need = further_need.clone().map(|words| Event::FurtherNeedRaised { words });
                if *satisfied {
                    self.satisfied(verified, need, facts)
                } else {
                    self.back(verified, need, *rework, facts)
                }
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
                self.questions.push(InfoQuestion { question, answer: None, taken_down: None });
            }
            Event::InfoProvided { text, taken_down } => {
                self.stage = self.derived();
                if let Some(question) = self.questions.last_mut() {
                    (question.answer, question.taken_down) = (Some(text), taken_down);
                }
            }
            Event::Declined { reason, responsible, at } => {
                (self.stage, self.ended_at) = (RequestStage::Declined, at);
                (self.reason, self.responsible) = (Some(reason), Some(responsible));
            }
            Event::Cancelled { reason, at, taken_down, by_owner: _ } => {
                (self.stage, self.ended_at) = (RequestStage::Cancelled, at);
                (self.reason, self.responsible, self.cancellation_taken_down) = (reason, None, taken_down);
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
            Event::Verified { satisfied, comment, at, taken_down } => {
                self.verification = Some(OwnerVerification { satisfied, comment, taken_down });
                if !satisfied {
                    return self.come_back(at);
                }
                if self.stage != RequestStage::Closed {
                    (self.stage, self.ended_at) = (RequestStage::OwnerVerified, at);
                }
            }
            Event::FurtherNeedRaised { .. } => {}
            Event::Closed => self.stage = RequestStage::Closed,
        }
        self
    }
}
