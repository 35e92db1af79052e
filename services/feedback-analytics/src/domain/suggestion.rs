//! Suggestions (建議): what an owner would like to be better, until it is there or declined with a reason.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Aggregate,
    day::{day, zone},
    ids::{CaseId, EstateId, ResidentId, UnitId},
    text::Words,
    vocabulary::{Language, Priority},
    word::{self, WordFault},
};

use super::{
    Facts, Remark,
    rollup::{Measure, Tally},
};

/// How far ahead a plan may reach: five years.
const PLANNED_AHEAD: Days = Days::new(5 * 366);

steward_kernel::word_enum! {
    /// Where a suggestion stands.
    SuggestionStage {
        /// We have it.
        Received = "received",
        /// Somebody looks into it.
        Considered = "considered",
        /// We will do it; the reason was told.
        Accepted = "accepted",
        /// We will not; the reason was told.
        Declined = "declined",
        /// Not now; the reason was told. It can be considered again.
        Later = "later",
        /// It is known what will be done, and maybe by when.
        Planned = "planned",
        /// It is there, with proof.
        Delivered = "delivered",
        /// Who suggested it has seen that it is there.
        Confirmed = "confirmed",
        /// Its case was called off.
        Withdrawn = "withdrawn",
    }
}

impl SuggestionStage {
    /// Whether the company has said yes.
    #[must_use]
    pub const fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted | Self::Planned | Self::Delivered | Self::Confirmed)
    }

    /// The commands that are legal here.
    #[must_use]
    pub const fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Received => &["consider"],
            Self::Considered => &["accept", "decline", "later"],
            Self::Later => &["consider", "accept", "decline"],
            Self::Accepted => &["plan"],
            Self::Planned => &["plan", "deliver"],
            Self::Delivered => &["confirm", "reopen"],
            // Within some days who suggested it can come back on it.
            Self::Declined | Self::Confirmed | Self::Withdrawn => &["reopen"],
        }
    }
}

/// What a suggestion is from the beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// What people quote.
    pub reference: String,
    /// What it is about: code of the taxonomy.
    pub category: String,
    /// How urgent.
    pub priority: Priority,
    /// What the owner said, verbatim.
    pub words: Words,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its unit, if it is about one.
    pub unit_id: Option<UnitId>,
    /// Whose it is, if that is known.
    pub resident_id: Option<ResidentId>,
    /// The case it follows from.
    pub linked_case_id: Option<CaseId>,
    /// The language to answer in.
    pub language: Language,
    /// When its case was opened.
    pub received_at: DateTime<Utc>,
    /// That day in its estate.
    pub received_on: NaiveDate,
    /// IANA name of the time zone of the estate; empty in what was recorded before it was kept.
    #[serde(default)]
    pub time_zone: String,
    /// Whether the owner wishes that it is looked at soon.
    #[serde(default)]
    pub urgent: bool,
}

/// What will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// In words.
    pub text: Words,
    /// The day by which it will be there, if that is promised.
    pub by_on: Option<NaiveDate>,
}

/// What can be asked of a suggestion.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Take it in.
    Receive(Box<Received>),
    /// Look into it.
    Consider {
        /// For colleagues.
        note: Option<Remark>,
    },
    /// Say yes.
    Accept {
        /// Why.
        reason: Remark,
    },
    /// Say no.
    Decline {
        /// Why.
        reason: Remark,
    },
    /// Say not now.
    Defer {
        /// Why.
        reason: Remark,
    },
    /// Say what will be done; again when the plan changes.
    Plan(Plan),
    /// Say that it is there.
    Deliver {
        /// What shows it: where to look, a photo's id, a date.
        proof: Remark,
    },
    /// Say, as who suggested it, that it is there.
    Confirm,
    /// Say, as who suggested it, that this is not the end.
    Reopen {
        /// Why.
        reason: Remark,
    },
    /// Intake finds it more or less urgent than it was.
    Prioritise(Priority),
    /// Its case was called off.
    Withdraw {
        /// When; who suggested it may have come back since.
        at: DateTime<Utc>,
    },
}

/// What has happened to a suggestion, as we remember it.
///
/// Private to this service. Stored as JSON for ever: add variants or optional fields, never rename or remove.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It came.
    Received {
        /// What it is.
        suggestion: Box<Received>,
    },
    /// Somebody looks into it.
    Considered {
        /// For colleagues.
        note: Option<Remark>,
        /// When.
        at: DateTime<Utc>,
    },
    /// Yes.
    Accepted {
        /// Why.
        reason: Remark,
        /// When.
        at: DateTime<Utc>,
    },
    /// No.
    Declined {
        /// Why.
        reason: Remark,
        /// When.
        at: DateTime<Utc>,
    },
    /// Not now.
    Deferred {
        /// Why.
        reason: Remark,
        /// When.
        at: DateTime<Utc>,
    },
    /// There is a plan, or another one.
    Planned {
        /// What will be done.
        plan: Plan,
        /// When it was planned.
        at: DateTime<Utc>,
    },
    /// It is there.
    Delivered {
        /// What shows it.
        proof: Remark,
        /// When.
        at: DateTime<Utc>,
    },
    /// Who suggested it has seen it.
    Confirmed {
        /// When.
        at: DateTime<Utc>,
    },
    /// Who suggested it said that this is not the end: it is considered again.
    Reopened {
        /// Why.
        reason: Remark,
        /// When.
        at: DateTime<Utc>,
    },
    /// It is more or less urgent than it was.
    Prioritised {
        /// How urgent from now on.
        priority: Priority,
    },
    /// Its case was called off.
    Withdrawn {
        /// When.
        at: DateTime<Utc>,
    },
}

/// Why a command is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is not for this person to see.
    NoSuchSuggestion,
    /// It is here already.
    AlreadyReceived,
    /// Not in this stage.
    Illegal {
        /// What is legal now.
        allowed: &'static [&'static str],
    },
    /// The day by which it will be there has passed.
    PlannedForThePast,
    /// The day by which it will be there is too far ahead to be a plan.
    PlannedTooFar,
    /// The owner's word is not given like this.
    Word(WordFault),
}

/// A suggestion that was received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// What it is.
    pub received: Received,
    /// Where it stands.
    pub stage: SuggestionStage,
    /// Note of who looks into it.
    #[serde(default)]
    pub note: Option<Remark>,
    /// Reason of the decision that stands.
    #[serde(default)]
    pub reason: Option<Remark>,
    /// When that was decided.
    #[serde(default)]
    pub decided_at: Option<DateTime<Utc>>,
    /// What will be done.
    #[serde(default)]
    pub plan: Option<Plan>,
    /// What shows that it is there.
    #[serde(default)]
    pub proof: Option<Remark>,
    /// When it was delivered.
    #[serde(default)]
    pub delivered_at: Option<DateTime<Utc>>,
    /// When its proposer confirmed it.
    #[serde(default)]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When its case was called off.
    #[serde(default)]
    pub withdrawn_at: Option<DateTime<Utc>>,
    /// When who suggested it came back on it last.
    #[serde(default)]
    pub came_back_at: Option<DateTime<Utc>>,
}

/// A suggestion; it has the id of its case.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// Its id.
    pub id: CaseId,
    /// What is known of it; `None` before it was received.
    pub life: Option<Life>,
}

impl Life {
    fn new(received: Received) -> Self {
        Self {
            received,
            stage: SuggestionStage::Received,
            note: None,
            reason: None,
            decided_at: None,
            plan: None,
            proof: None,
            delivered_at: None,
            confirmed_at: None,
            withdrawn_at: None,
            came_back_at: None,
        }
    }

    /// What it adds to the day sums.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        tally.one(self.received.received_on, Measure::SuggestionStage, self.stage);
        tally.one(self.received.received_on, Measure::SuggestionCategory, &self.received.category);
        tally
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use {Command as C, SuggestionStage as S};
        let at = facts.now;
        match command {
            C::Receive(_) => Err(Refusal::AlreadyReceived),
            C::Consider { note } => match self.stage {
                S::Received | S::Later => Ok(vec![Event::Considered { note: note.clone(), at }]),
                S::Considered => Ok(vec![]),
                S::Accepted | S::Declined | S::Planned | S::Delivered | S::Confirmed | S::Withdrawn => self.illegal(),
            },
            C::Accept { reason } => self.judge(S::Accepted, reason, Event::Accepted { reason: reason.clone(), at }),
            C::Decline { reason } => self.judge(S::Declined, reason, Event::Declined { reason: reason.clone(), at }),
            C::Defer { reason } => self.judge(S::Later, reason, Event::Deferred { reason: reason.clone(), at }),
            C::Plan(plan) => self.plan(plan, at),
            C::Deliver { proof } => match self.stage {
                S::Planned => Ok(vec![Event::Delivered { proof: proof.clone(), at }]),
                S::Delivered if self.proof.as_ref() == Some(proof) => Ok(vec![]),
                S::Delivered | S::Received | S::Considered | S::Accepted => self.illegal(),
                S::Declined | S::Later | S::Confirmed | S::Withdrawn => self.illegal(),
            },
            C::Confirm => match self.stage {
                S::Delivered => Ok(vec![Event::Confirmed { at }]),
                S::Confirmed => Ok(vec![]),
                S::Received | S::Considered | S::Accepted | S::Planned => self.illegal(),
                S::Declined | S::Later | S::Withdrawn => self.illegal(),
            },
            C::Reopen { reason } => self.reopen(reason, facts),
            C::Prioritise(priority) if *priority == self.received.priority => Ok(vec![]),
            C::Prioritise(priority) => Ok(vec![Event::Prioritised { priority: *priority }]),
            C::Withdraw { .. } if self.stage == S::Withdrawn => Ok(vec![]),
            C::Withdraw { at: called_off } if self.came_back_at.is_some_and(|back| back > *called_off) => Ok(vec![]),
            // The case has ended with that: what was decided before it was heard was told to nobody.
            C::Withdraw { .. } => Ok(vec![Event::Withdrawn { at }]),
        }
    }

    /// A decision with its reason, once somebody has looked into it. What was put off can still be decided.
    fn judge(&self, verdict: SuggestionStage, reason: &Remark, event: Event) -> Result<Vec<Event>, Refusal> {
        use SuggestionStage as S;
        match self.stage {
            stage if stage == verdict && self.reason.as_ref() == Some(reason) => Ok(vec![]),
            S::Later if verdict == S::Later => self.illegal(),
            S::Considered | S::Later => Ok(vec![event]),
            S::Received | S::Accepted | S::Declined | S::Planned => self.illegal(),
            S::Delivered | S::Confirmed | S::Withdrawn => self.illegal(),
        }
    }

    /// The commands that may be asked for now.
    #[must_use]
    pub fn allowed(&self, facts: &Facts) -> &'static [&'static str] {
        if self.comes_back(facts).is_ok() { self.stage.allowed() } else { &[] }
    }

    /// Whether who suggested it can still come back on what has ended.
    fn comes_back(&self, facts: &Facts) -> Result<(), Refusal> {
        use SuggestionStage as S;
        let ended_at = match self.stage {
            S::Declined => self.decided_at,
            S::Confirmed => self.confirmed_at,
            S::Withdrawn => self.withdrawn_at.or(self.decided_at).or(Some(self.received.received_at)),
            S::Received | S::Considered | S::Accepted | S::Planned | S::Later | S::Delivered => None,
        };
        let Some(ended_at) = ended_at else { return Ok(()) };
        word::may_come_back(ended_at, facts.come_back_within, facts.now).map_err(Refusal::Word)
    }

    /// Who suggested it comes back on what was delivered or has ended.
    fn reopen(&self, reason: &Remark, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use SuggestionStage as S;
        if matches!(self.stage, S::Received | S::Considered | S::Accepted | S::Planned | S::Later) {
            return self.illegal();
        }
        self.comes_back(facts)?;
        Ok(vec![Event::Reopened { reason: reason.clone(), at: facts.now }])
    }

    fn plan(&self, plan: &Plan, at: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
        use SuggestionStage as S;
        let today = day(at, zone(&self.received.time_zone));
        match self.stage {
            S::Planned if self.plan.as_ref() == Some(plan) => Ok(vec![]),
            S::Accepted | S::Planned if plan.by_on.is_some_and(|by| by < today) => Err(Refusal::PlannedForThePast),
            S::Accepted | S::Planned if plan.by_on.is_some_and(|by| by > today + PLANNED_AHEAD) => {
                Err(Refusal::PlannedTooFar)
            }
            S::Accepted | S::Planned => Ok(vec![Event::Planned { plan: plan.clone(), at }]),
            S::Received | S::Considered | S::Declined | S::Later => self.illegal(),
            S::Delivered | S::Confirmed | S::Withdrawn => self.illegal(),
        }
    }

    fn illegal(&self) -> Result<Vec<Event>, Refusal> {
        Err(Refusal::Illegal { allowed: self.stage.allowed() })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Received { suggestion } => *self = Self::new(suggestion.as_ref().clone()),
            Event::Considered { note, .. } => {
                self.stage = SuggestionStage::Considered;
                self.note.clone_from(note);
            }
            Event::Accepted { reason, at } => self.decided(SuggestionStage::Accepted, reason, *at),
            Event::Declined { reason, at } => self.decided(SuggestionStage::Declined, reason, *at),
            Event::Deferred { reason, at } => self.decided(SuggestionStage::Later, reason, *at),
            Event::Planned { plan, .. } => {
                self.stage = SuggestionStage::Planned;
                self.plan = Some(plan.clone());
            }
            Event::Delivered { proof, at } => {
                self.stage = SuggestionStage::Delivered;
                self.proof = Some(proof.clone());
                self.delivered_at = Some(*at);
            }
            Event::Confirmed { at } => {
                self.stage = SuggestionStage::Confirmed;
                self.confirmed_at = Some(*at);
            }
            // What was decided and done did not hold.
            Event::Reopened { at, .. } => {
                *self = Self {
                    stage: SuggestionStage::Considered,
                    note: self.note.take(),
                    came_back_at: Some(*at),
                    ..Self::new(self.received.clone())
                };
            }
            Event::Prioritised { priority } => self.received.priority = *priority,
            Event::Withdrawn { at } => {
                self.stage = SuggestionStage::Withdrawn;
                self.withdrawn_at = Some(*at);
            }
        }
    }

    fn decided(&mut self, stage: SuggestionStage, reason: &Remark, at: DateTime<Utc>) {
        self.stage = stage;
        self.reason = Some(reason.clone());
        self.decided_at = Some(at);
    }
}

impl Aggregate for Suggestion {
    const NAME: &'static str = "suggestion";
    type Id = CaseId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: CaseId) -> Self {
        Self { id, life: None }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        match (&self.life, command) {
            (None, Command::Receive(suggestion)) => Ok(vec![Event::Received { suggestion: suggestion.clone() }]),
            (Some(life), Command::Confirm | Command::Reopen { .. })
                if facts.actor.resident != life.received.resident_id =>
            {
                // Only who suggested it can say that it is what was meant, whatever else they are here.
                Err(Refusal::NoSuchSuggestion)
            }
            (Some(life), command) if facts.actor.sees(life.received.estate_id, life.received.resident_id) => {
                life.decide(command, facts)
            }
            (Some(_) | None, _) => Err(Refusal::NoSuchSuggestion),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match (&mut self.life, event) {
            (None, Event::Received { suggestion }) => self.life = Some(Life::new(suggestion.as_ref().clone())),
            (Some(life), event) => life.apply(event),
            // Nothing is recorded before the receipt.
            (None, _) => {}
        }
        self
    }
}

#[cfg(test)]
#[path = "suggestion_tests.rs"]
mod tests;
