//! The stewardship of a case: who answers for it, by when, what was promised, and who has been told when time runs out.
//!
//! It has the id of its case and lives beside it: what the owner sees of the case is one thing, what the company owes is another.
//!
//! - **Clocks** (`clocks`): the company's towards the owner, those of departments and contractors for their work orders.
//! - **Accountable person** (`answer`): exactly one at every instant from the first to the last; a hand-over needs acceptance.
//! - **Promises** (`promise`): every time given to the owner, kept or broken.
//! - **Work orders** (`work`): what becomes of them, whenever it is heard.
//! - **Tasks** (`tasks`): who has to do something next, told and withdrawn.
//! - **Escalation** (`ladder`): who is told when, once for each rung, until somebody takes it in hand.
//!
//! Whatever is decided ends with a new look ahead (`Scheduled`): when something is due next. One timer wakes the stewardship then.

mod answer;
mod clocks;
mod deciding;
mod event;
mod ladder;
mod moves;
mod promise;
mod tasks;
mod work;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::{Party, Timetable, policy::Matter as Sought};
use steward_kernel::{
    Actor, Aggregate, Role,
    ids::{CaseId, EstateId, ResidentId, UnitId, WorkOrderId},
    text::Line,
    vocabulary::{CaseKind, CaseStatus, Language, OTHER, Priority},
    word::{TakenDown, WordFault, WordNote},
};
use uuid::Uuid;

pub use answer::{Accountable, HandOver};
pub use clocks::{Due, KeptClock, Outcome};
use deciding::Deciding;
pub use event::{Cause, Event, HandOverOutcome, NewClock, Schedule, Why};
pub use ladder::{Climb, Escalation};
pub use promise::{Promise, PromiseOutcome, What};
pub use tasks::{Audience, Duty, Task};
pub use work::{HeardOfOrder, Waiting};

use super::{ruling::Ruling, timeline::Milestone};

/// Subject of somebody's tokens.
pub type Account = String;

/// Who may take in hand what others were told of, and decide on objections.
pub const LEADS: [Role; 3] = [Role::Supervisor, Role::Manager, Role::Admin];

/// What the case is, as far as its stewardship needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matter {
    /// What people quote.
    pub reference: String,
    /// What it is.
    pub kind: CaseKind,
    /// Code of the taxonomy.
    pub category: String,
    /// How urgent.
    pub priority: Priority,
    /// Where.
    pub estate: EstateId,
    /// Which unit.
    pub unit: Option<UnitId>,
    /// Whose matter it is.
    pub resident: Option<ResidentId>,
    /// The owner's language.
    pub language: Language,
    /// The language that the register said for the resident, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register_language: Option<Language>,
    /// When it was said; the clocks run from here.
    pub said_at: DateTime<Utc>,
    /// When it was entered.
    pub opened_at: DateTime<Utc>,
}

impl Matter {
    /// Stands in for the matter of a case that is not heard of yet.
    fn unknown(now: DateTime<Utc>) -> Self {
        Self {
            reference: String::new(),
            kind: CaseKind::Inquiry,
            category: OTHER.to_owned(),
            priority: Priority::P3,
            estate: Uuid::nil().into(),
            unit: None,
            resident: None,
            language: Language::ZhHans,
            register_language: None,
            said_at: now,
            opened_at: now,
        }
    }

    fn sought(&self) -> Sought<'_> {
        Sought { kind: self.kind, category: &self.category, priority: self.priority }
    }
}

/// A work order of the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Which.
    pub id: WorkOrderId,
    /// Code of its department.
    pub department: String,
    /// Whether that is a contractor.
    pub contractor: bool,
    /// Account of the technician who has it, if any.
    pub technician: Option<Account>,
    /// How often it was paused.
    pub holds: u32,
    /// How often it changed hands; each department has its own clocks.
    pub hops: u32,
    /// Whether somebody has been on the spot.
    pub arrived: bool,
    /// Whether the danger is over.
    pub safe: bool,
    /// Whether the technician who had it gave it back, and nobody has it since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returned: bool,
    /// Since when its department has it; none where that was not written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
}

impl Order {
    fn new(id: WorkOrderId, department: &str, contractor: bool) -> Self {
        let department = department.to_owned();
        Self {
            id,
            department,
            contractor,
            technician: None,
            holds: 0,
            hops: 0,
            arrived: false,
            safe: false,
            returned: false,
            since: None,
        }
    }

    fn party(&self) -> Party {
        if self.contractor { Party::Contractor } else { Party::Department }
    }
}

/// What becomes of a work order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkStep {
    /// It exists.
    Opened,
    /// A technician has it.
    Assigned {
        /// The technician's account, if there is one.
        technician: Option<Account>,
    },
    /// The technician took it.
    Accepted,
    /// The technician is on the way.
    Departed,
    /// The technician gave it back.
    Returned,
    /// Another department has it: the one in the step's order.
    Transferred,
    /// Somebody is there.
    Arrived,
    /// The danger is over.
    MadeSafe,
    /// It waits.
    Held {
        /// For what.
        reason: String,
        /// What proves it.
        evidence: Vec<Uuid>,
    },
    /// It goes on.
    Resumed,
    /// It is done.
    Completed,
    /// It was called off.
    Cancelled,
}

/// What can be asked of a stewardship.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// To begin, with the case.
    Begin {
        /// The case.
        matter: Box<Matter>,
        /// Who received it: a person of the company who answers for it first.
        receiver: Option<Account>,
        /// The case is older than its stewardship: what is past is not measured any more.
        adopted: bool,
        /// It was said longer ago than staff may enter by themselves: who leads has entered it and is not told again and again.
        archived: bool,
    },
    /// To follow a step of the case.
    Follow {
        /// Which.
        milestone: Milestone,
        /// Where the case stands after it.
        status: CaseStatus,
        /// Whether the owner is to be called back.
        call_back: bool,
    },
    /// The owner was called back on as many days as is due, and not reached.
    CallInVain,
    /// Work that a decision promised has fallen away.
    FallAway,
    /// To follow a work order.
    Work {
        /// What was heard of it.
        heard: HeardOfOrder,
        /// Since when nothing goes on in the case, if it is resolved or over.
        rests: Option<DateTime<Utc>>,
    },
    /// What proves that a work order is done has not arrived in time, or has since.
    Proof {
        /// Which: id, code of the department.
        order: (WorkOrderId, String),
        /// Whether it has.
        arrived: bool,
    },
    /// The case is more or less urgent.
    Prioritise(Priority),
    /// The case turned out to be about something else.
    Classify(String),
    /// The owner was given a window for a visit.
    Appoint {
        /// When it begins, as far as that is known.
        from: Option<DateTime<Utc>>,
        /// When it ends.
        until: DateTime<Utc>,
    },
    /// A decision promises actions: id, and until when.
    Commit(Vec<(Uuid, DateTime<Utc>)>),
    /// These technicians have to know that a time for a visit was agreed on, or another one.
    TellVisit(Vec<Account>),
    /// A department was asked about the case.
    Consult {
        /// Its code.
        department: String,
    },
    /// The department has answered.
    Consulted {
        /// Its code.
        department: String,
    },
    /// The owner rated what was done: scores from 1 to 5, 0 = not given.
    Rated(Vec<u32>),
    /// To look what is due.
    Look,
    /// To ask somebody to answer for the case.
    HandOver {
        /// Whom.
        to: Account,
        /// Why.
        reason: Line,
    },
    /// Somebody has left the company, or does not work there any more: somebody else answers for the case, and they are not asked any more.
    Relieve {
        /// Who.
        account: Account,
    },
    /// To answer for the case from now on.
    AcceptHandOver,
    /// Not to answer for it.
    RefuseHandOver {
        /// Why.
        reason: Line,
    },
    /// To take in hand what one was told of.
    Acknowledge {
        /// Which escalation.
        escalation_id: Uuid,
    },
    /// To object to a pause.
    ContestPause {
        /// Of which clock.
        clock_id: Uuid,
        /// Which pause.
        pause_id: Uuid,
        /// Why.
        reason: Line,
        /// How the owner said so to staff; none = the owner objects.
        taken_down: Option<TakenDown>,
    },
    /// To decide on an objection.
    DecideObjection {
        /// Which.
        objection_id: Uuid,
        /// Whether the time counts again.
        upheld: bool,
        /// Why.
        reason: Line,
    },
    /// To put a deadline off.
    Extend {
        /// Of which clock.
        clock_id: Uuid,
        /// Until when.
        until: DateTime<Utc>,
        /// Why, as the owner was told.
        reason: Line,
    },
    /// To read calendars and policies of the running clocks in their newest versions.
    Rebase,
    /// To note a time given to the owner.
    Promise {
        /// Id of the promise.
        promise_id: Uuid,
        /// Until when.
        due_at: DateTime<Utc>,
        /// The team that keeps it: code of its department, '' = the company.
        team: String,
    },
    /// To note that a promise was kept of which nothing else tells.
    Keep {
        /// Which.
        promise_id: Uuid,
    },
    /// What a decision committed to is done.
    KeepCommitment {
        /// Which.
        promise_id: Uuid,
    },
    /// To note that the owner was given another time.
    Move {
        /// Which.
        promise_id: Uuid,
        /// Until when now.
        due_at: DateTime<Utc>,
        /// Why, as the owner was told.
        reason: Line,
    },
}

/// An owner's objection to a pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection {
    /// Which.
    pub objection_id: Uuid,
    /// Of which clock.
    pub clock_id: Uuid,
    /// Against which pause.
    pub pause_id: Uuid,
    /// Why.
    pub reason: Line,
    /// When.
    pub at: DateTime<Utc>,
    /// What came of it; none as long as it is open.
    pub upheld: Option<bool>,
    /// Why.
    pub answer: Option<Line>,
    /// How staff took it down; none = the owner made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_down: Option<WordNote>,
}

/// Why something is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is not the caller's to see.
    NoSuchCase,
    /// It has begun already.
    AlreadyBegun,
    /// The case has come to its end.
    Ended,
    /// There is no such clock.
    NoSuchClock,
    /// There is no such escalation.
    NoSuchEscalation,
    /// There is no such promise.
    NoSuchPromise,
    /// There is no such pause of the clock.
    NoSuchPause,
    /// There is no such objection.
    NoSuchObjection,
    /// Only who answers for the case, or a lead, can hand it over.
    NotAccountable,
    /// Somebody was asked already and has not answered.
    HandOverPending,
    /// Nobody was asked.
    NoHandOver,
    /// Somebody else was asked.
    NotAsked,
    /// Whoever is asked answers for it already.
    AlreadyAccountable,
    /// The register knows nobody of the company with that account who serves the estate.
    UnknownAccount,
    /// Somebody else was told.
    NotTold,
    /// The clock has stopped.
    ClockStopped,
    /// The old date is over, or the owner was to be told before.
    TooLateToExtend,
    /// The policy does not allow to put it off, or not once more.
    NoExtensionLeft,
    /// The new date is too far off, or not after the old one.
    ExtensionOutOfBounds,
    /// The pause was objected to before.
    AlreadyContested,
    /// Who answers for the case does not decide on objections.
    OwnMatter,
    /// A time that is over cannot be promised, nor one in more than two years.
    PromiseOutOfBounds,
    /// The promise was kept, broken or moved before.
    PromiseOver,
    /// What happens to the case keeps the promise, and nobody's word.
    KeptByWhatHappens,
    /// The appointment of a service request is moved with the request.
    AppointmentOfRequest,
    /// A date to which a deadline was put off is moved with the deadline.
    DateOfClock,
    /// The owner's word is not given like this.
    Word(WordFault),
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The time of deciding.
    pub now: DateTime<Utc>,
    /// When it happened, as told.
    pub at: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// What holds in the estate.
    pub ruling: Ruling,
    /// The calendars of the clocks that run, and of those that may start.
    pub timetable: Timetable,
    /// How long before the window of an appointment who comes has come for it.
    pub appointment_grace: TimeDelta,
}

/// The stewardship of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Stewardship {
    /// The case.
    pub id: CaseId,
    /// What the case is; none before the beginning.
    pub matter: Option<Box<Matter>>,
    /// Whether the case is open.
    pub open: bool,
    /// Episode, from 1; each reopening begins a new one.
    pub episode: u32,
    /// When each episode after the first one began.
    pub reopened: Vec<DateTime<Utc>>,
    /// Who answers for it.
    pub accountable: Accountable,
    /// Its clocks, in the order in which they were started.
    pub clocks: Vec<KeptClock>,
    /// Its work orders.
    pub orders: Vec<Order>,
    /// What was heard of work orders that were opened since it rests.
    pub waiting: Vec<Waiting>,
    /// What was promised.
    pub promises: Vec<Promise>,
    /// What was escalated.
    pub escalations: Vec<Escalation>,
    /// What stands on the first rungs for another reason than a clock.
    pub climbs: Vec<Climb>,
    /// Objections to pauses.
    pub objections: Vec<Objection>,
    /// Pauses that ended by themselves, as was said.
    pub ran_out: Vec<Uuid>,
    /// What somebody has to do now.
    pub tasks: Vec<Task>,
    /// How many tasks there have been.
    pub tasks_given: u32,
    /// How often the case waited for its owner.
    pub waits: u32,
    /// When something is due next.
    pub next_at: Option<DateTime<Utc>>,
}

impl Stewardship {
    /// Whether the actor may see it.
    #[must_use]
    pub fn shows_to(&self, actor: &Actor) -> bool {
        self.matter.as_ref().is_some_and(|matter| actor.sees(matter.estate, matter.resident))
    }

    /// The clock of that id.
    #[must_use]
    pub fn clock(&self, id: Uuid) -> Option<&KeptClock> {
        self.clocks.iter().find(|clock| clock.clock_id == id)
    }

    /// The pins of the calendars by which its clocks run.
    pub fn pins(&self) -> impl Iterator<Item = &steward_clock::Pin> {
        self.clocks.iter().flat_map(|kept| kept.clock.segments.iter().map(|segment| &segment.target.pin))
    }

    /// The episode in which something happened.
    fn episode_at(&self, at: DateTime<Utc>) -> u32 {
        let later = self.reopened.iter().filter(|began| at < **began).count();
        self.episode.saturating_sub(u32::try_from(later).unwrap_or(u32::MAX)).max(1)
    }

    fn order(&self, id: WorkOrderId) -> Option<&Order> {
        self.orders.iter().find(|order| order.id == id)
    }
}

impl Aggregate for Stewardship {
    const NAME: &'static str = "stewardship";
    type Id = CaseId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: CaseId) -> Self {
        Self {
            id,
            matter: None,
            open: false,
            episode: 1,
            reopened: Vec::new(),
            accountable: Accountable::nobody(),
            clocks: Vec::new(),
            orders: Vec::new(),
            waiting: Vec::new(),
            promises: Vec::new(),
            escalations: Vec::new(),
            climbs: Vec::new(),
            objections: Vec::new(),
            ran_out: Vec::new(),
            tasks: Vec::new(),
            tasks_given: 0,
            waits: 0,
            next_at: None,
        }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use Command as C;
        let mut deciding = Deciding::of(self, facts);
        let Some(matter) = &self.matter else {
            return match command {
                C::Begin { matter, receiver, adopted, archived } => {
                    Ok(deciding.begin(matter, receiver.as_deref(), *adopted, *archived).done())
                }
                _ => Err(Refusal::NoSuchCase),
            };
        };
        if !facts.actor.sees(matter.estate, matter.resident) {
            return Err(Refusal::NoSuchCase);
        }
        match command {
            C::Begin { .. } => return Err(Refusal::AlreadyBegun),
            C::Follow { milestone, status, call_back } => {
                deciding.follow(*milestone, *status, *call_back);
                deciding.tasks_of_step(*milestone);
                match status {
                    CaseStatus::Closed | CaseStatus::Cancelled => deciding.end(),
                    CaseStatus::Received | CaseStatus::InProgress | CaseStatus::AwaitingOwner => deciding.take_up(),
                    CaseStatus::Resolved => {}
                }
            }
            C::CallInVain => deciding.call_in_vain(),
            C::FallAway => deciding.tasks_of_falling_away(),
            C::Work { heard, rests } => deciding.work(heard, *rests),
            C::Proof { order: (id, department), arrived } => deciding.tasks_of_proof(*id, department, *arrived),
            C::Prioritise(priority) => deciding.prioritise(*priority),
            C::Classify(category) => deciding.classify(category),
            C::Appoint { from, until } => deciding.appoint(*from, *until),
            C::Commit(commitments) => deciding.commit(commitments),
            C::TellVisit(technicians) => deciding.visit_was_set(technicians),
            C::Consult { department } => deciding.consult(department),
            C::Consulted { department } => deciding.consulted(department),
            C::Rated(scores) => deciding.rated(scores),
            C::Look => {}
            C::HandOver { to, reason } => deciding.hand_over(to, reason)?,
            C::Relieve { account } => deciding.relieve(account),
            C::AcceptHandOver => deciding.accept_hand_over()?,
            C::RefuseHandOver { reason } => deciding.refuse_hand_over(reason)?,
            C::Acknowledge { escalation_id } => deciding.acknowledge(*escalation_id)?,
            C::ContestPause { clock_id, pause_id, reason, taken_down } => {
                deciding.contest(*clock_id, *pause_id, reason, taken_down.as_ref())?;
            }
            C::DecideObjection { objection_id, upheld, reason } => {
                deciding.decide_objection(*objection_id, *upheld, reason)?;
            }
            C::Extend { clock_id, until, reason } => deciding.extend(*clock_id, *until, reason)?,
            C::Rebase => deciding.rebase()?,
            C::Promise { promise_id, due_at, team } => deciding.promise(*promise_id, *due_at, team)?,
            C::Keep { promise_id } => deciding.keep(*promise_id)?,
            C::KeepCommitment { promise_id } => deciding.kept(*promise_id)?,
            C::Move { promise_id, due_at, reason } => deciding.move_promise(*promise_id, *due_at, reason)?,
        }
        Ok(deciding.done())
    }

    fn evolve(mut self, event: &Event) -> Self {
        self.apply(event);
        self
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
