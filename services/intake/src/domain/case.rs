//! A case (事項): one matter of an owner. Intake opens it, hands it to the service that works on it, and keeps what the
//! owner sees.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Aggregate,
    ids::CaseId,
    text::Line,
    vocabulary::{CaseKind, CaseStatus, OTHER, Priority},
    word::{self, TakenDown, Whose, WordFault, WordNote},
    word_enum,
};
use utoipa::ToSchema;

use super::{
    Facts, FileId,
    opening::{NewCase, Opening, open, party},
    timeline::{Milestone, Party},
};

word_enum! {
    /// The service that works on a case.
    Receiver {
        /// Complaints.
        Complaint = "complaint",
        /// Service requests.
        Dispatch = "dispatch",
        /// Suggestions.
        FeedbackAnalytics = "feedback-analytics",
    }
}

/// What a step does to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it is only told (a technician is on the way).
    Told,
    /// The case stands so from now on: status, fine stage.
    To(CaseStatus, &'static str),
    /// The case stands as it did before it waited for its owner.
    Resumed,
    /// A resolved case is in progress again at this stage. Told by a neighbour of the service that works on the case,
    /// so it may come too late for that.
    MoreWork(&'static str),
}

/// A window of time in which somebody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Window {
    /// Its start.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
}

/// When somebody comes, as was agreed with the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// The window.
    pub window: Window,
    /// The one that it takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Window>,
}

/// A date that the owner was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated {
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// The date that it takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<DateTime<Utc>>,
    /// Why it is another one, as the owner may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Line>,
}

/// A step that was taken with a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Which.
    pub milestone: Milestone,
    /// What it does.
    pub effect: Effect,
    /// What the case turned out to be about.
    pub category: Option<String>,
    /// When somebody comes, if the step is about that.
    pub agreed: Option<Agreed>,
    /// The date that the owner is given, if the step is about that.
    pub dated: Option<Dated>,
    /// Who took it.
    pub by: Party,
    /// How the owner's word that it is was taken down; none when the owner gave it, or it is none.
    pub taken_down: Option<WordNote>,
}

impl Step {
    /// A step with that effect.
    #[must_use]
    pub const fn new(milestone: Milestone, effect: Effect) -> Self {
        Self { milestone, effect, category: None, agreed: None, dated: None, by: milestone.by(), taken_down: None }
    }

    /// A step after which the case stands so.
    #[must_use]
    pub const fn to(milestone: Milestone, status: CaseStatus, stage: &'static str) -> Self {
        Self::new(milestone, Effect::To(status, stage))
    }

    /// A step that is only told.
    #[must_use]
    pub const fn news(milestone: Milestone) -> Self {
        Self::new(milestone, Effect::Told)
    }

    /// The same step, as that party took it.
    #[must_use]
    pub fn taken_by(self, by: Party) -> Self {
        Self { by, ..self }
    }

    /// The same step as a word of the owner, who gave it by themselves when nobody has taken it down.
    #[must_use]
    pub fn given(self, taken_down: Option<WordNote>) -> Self {
        let by = if taken_down.is_some() { Party::Staff } else { Party::Owner };
        Self { by, taken_down, ..self }
    }
}

/// What can be asked of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// To open it.
    Open(Box<NewCase>),
    /// To note a step that the owner sees.
    Progress(Step),
    /// To note a stage that the owner is not told of.
    Move {
        /// Status from now on.
        status: CaseStatus,
        /// Fine stage from now on.
        stage: &'static str,
    },
    /// To note that another case follows from it.
    Link {
        /// The other case.
        case: CaseId,
    },
    /// To note that the owner is asked how it went.
    AskSatisfaction,
    /// To show the owner what proves that its work is done.
    ShowProof {
        /// Photos and documents.
        files: Vec<FileId>,
    },
    /// To make it more or less urgent.
    Prioritise {
        /// How urgent from now on.
        priority: Priority,
        /// How urgent somebody has made it, if the caller knows.
        instead_of: Option<Priority>,
        /// Why.
        reason: Line,
    },
    /// To call it off.
    Cancel {
        /// Why.
        reason: Line,
        /// How the owner gave that word to staff; none = the owner calls it off, or the company does by itself.
        taken_down: Option<TakenDown>,
    },
}

/// What happened to a case. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It was opened.
    Opened {
        /// With this.
        opening: Box<Opening>,
    },
    /// The service that works on it was given the words.
    HandedOver {
        /// Which.
        to: Receiver,
    },
    /// A step that the owner sees.
    Progressed {
        /// Which.
        milestone: Milestone,
        /// Status afterwards.
        status: CaseStatus,
        /// Fine stage afterwards.
        stage: String,
        /// Whether a person of the company took it.
        human: bool,
        /// When it happened.
        at: DateTime<Utc>,
        /// What it turned out to be about, if that became known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<String>,
        /// When somebody comes, if it is about that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agreed: Option<Agreed>,
        /// The date that the owner was given, if it is about that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dated: Option<Dated>,
        /// Who took it; none = as is usual for the step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Party>,
        /// How the owner's word that it is was taken down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken_down: Option<WordNote>,
    },
    /// A stage that the owner is not told of.
    Moved {
        /// Status afterwards.
        status: CaseStatus,
        /// Fine stage afterwards.
        stage: String,
        /// When it happened.
        at: DateTime<Utc>,
    },
    /// Another case follows from it.
    Linked {
        /// The other case.
        case: CaseId,
    },
    /// The owner was asked how it went: after each end once.
    SatisfactionAsked {
        /// When; none of what was recorded before this was.
        #[serde(default)]
        at: Option<DateTime<Utc>>,
    },
    /// The owner may see what proves that its work is done.
    ProofShown {
        /// Photos and documents.
        files: Vec<FileId>,
    },
    /// It is more or less urgent.
    Prioritised {
        /// How urgent now.
        priority: Priority,
        /// How urgent it was.
        previous: Priority,
        /// Why.
        reason: Line,
        /// When.
        at: DateTime<Utc>,
    },
    /// It was called off.
    Cancelled {
        /// Why.
        reason: Line,
        /// By whom.
        by: Party,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
        /// How the owner's word to do so was taken down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken_down: Option<WordNote>,
    },
}

/// Why something is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is not the caller's to see.
    NoSuchCase,
    /// It is open already.
    AlreadyOpened,
    /// It has come to its end.
    Ended,
    /// Somebody has changed its priority, and the caller does not say that they know.
    PrioritisedBefore,
    /// The register does not know the estate, or it is not the caller's.
    UnknownEstate,
    /// The estate has no such unit.
    UnknownUnit,
    /// The register does not know the resident.
    UnknownResident,
    /// An owner speaks for somebody else.
    NotTheOwner,
    /// An owner's account that belongs to no resident.
    NoResident,
    /// The taxonomy has no such category.
    UnknownCategory,
    /// There is no such case to link to.
    UnknownLinkedCase,
    /// There is no such visit in the estate.
    UnknownVisit,
    /// One of the files does not exist.
    UnknownFile,
    /// It was said in the future.
    SaidInFuture,
    /// It was said longer ago than staff may enter by themselves.
    SaidTooLongAgo {
        /// How many days back they may go.
        days: i64,
    },
    /// An owner says how urgent it is.
    OwnersPriority,
    /// An owner says that it came by a way of the staff.
    OwnersChannel,
    /// An owner says when it was said.
    OwnersSaidAt,
    /// The estate has no such unit for the trouble to come from.
    UnknownSourceUnit,
    /// An owner names a unit that is not theirs today.
    NotYourUnit,
    /// Staff name a unit to which the resident never had a tie.
    NotTheirUnit,
    /// The visit was somebody's who never lived with the resident.
    VisitOfAnother,
    /// Another service works on it, and that one knows who has handled it and may not take down the owner's word.
    TakenDownElsewhere,
    /// The owner's word is not given like this.
    Word(WordFault),
}

/// A case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Which.
    pub id: CaseId,
    /// How it began; none before.
    pub opening: Option<Box<Opening>>,
    /// What it is about, as far as is known.
    pub category: String,
    /// What the owner sees.
    pub status: CaseStatus,
    /// Fine stage in the service that works on it.
    pub stage: String,
    /// Cases that belong to it.
    pub linked: Vec<CaseId>,
    /// Whether the owner was asked how it went.
    pub satisfaction_asked: bool,
    /// When last, if that is known.
    pub last_asked_at: Option<DateTime<Utc>>,
    /// Photos and documents of finished work, for the owner to see.
    pub proof: Vec<FileId>,
    /// Whether somebody has changed how urgent it is.
    prioritised: bool,
    last_milestone: Milestone,
    last_agreed: Option<Agreed>,
    last_dated: Option<Dated>,
    last_told_at: DateTime<Utc>,
    /// How the last step was taken down, if it was a word of the owner.
    last_taken_down: Option<WordNote>,
    /// The step that ended it last.
    ended_by: Option<Milestone>,
    /// How that was taken down.
    end_taken_down: Option<WordNote>,
    moved_at: DateTime<Utc>,
    /// Stage before it waited for its owner, as long as it does.
    before_waiting: Option<String>,
}

impl Case {
    /// The commands that are legal now.
    #[must_use]
    pub fn allowed(&self) -> Vec<&'static str> {
        if self.opening.is_some() && self.is_under_way() { vec!["prioritise", "cancel"] } else { Vec::new() }
    }

    /// Whether it has come to its end.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.status, CaseStatus::Closed | CaseStatus::Cancelled)
    }

    /// Since when nothing goes on in it, after a step that happened then: it is resolved, or over.
    #[must_use]
    pub fn rests_after(&self, effect: Option<Effect>, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let goes_on = match self.status {
            CaseStatus::Received | CaseStatus::InProgress | CaseStatus::AwaitingOwner => true,
            CaseStatus::Resolved => matches!(effect, Some(Effect::MoreWork(_))) && at >= self.moved_at,
            CaseStatus::Closed | CaseStatus::Cancelled => false,
        };
        (!goes_on).then_some(self.moved_at)
    }

    /// Whether the last step of what is over now was that one. What comes too late for what is over is none.
    #[must_use]
    pub fn has_taken(&self, step: &Step, at: DateTime<Utc>) -> bool {
        self.last_milestone == step.milestone && self.last_told_at == at
    }

    fn is_under_way(&self) -> bool {
        matches!(self.status, CaseStatus::Received | CaseStatus::InProgress | CaseStatus::AwaitingOwner)
    }

    /// Status and stage after a step.
    fn after(&self, effect: Effect, facts: &Facts) -> (CaseStatus, &str) {
        match (effect, &self.before_waiting) {
            (Effect::To(status, stage), _) => (status, stage),
            (Effect::Resumed, Some(stage)) => (CaseStatus::InProgress, stage),
            // Services are heard independently of each other: what comes late does not turn the case back.
            (Effect::MoreWork(stage), _) if self.status == CaseStatus::Resolved && facts.at >= self.moved_at => {
                (CaseStatus::InProgress, stage)
            }
            (Effect::Told | Effect::MoreWork(_), _) | (Effect::Resumed, None) => (self.status, &self.stage),
        }
    }

    fn progressed(&self, step: &Step, facts: &Facts) -> Vec<Event> {
        let (status, stage) = self.after(step.effect, facts);
        let category = step.category.clone().filter(|_| self.reclassifies(step));
        // What is heard of something over is heard in any order: the same at another time is no echo.
        let is_told_each_time = step.milestone.is_told_each_time() || self.is_over();
        let is_other = is_told_each_time && facts.at != self.last_told_at;
        let is_news = category.is_some()
            || is_other
            || step.taken_down != self.last_taken_down
            || step.agreed.is_some_and(|agreed| Some(agreed) != self.last_agreed)
            || (step.dated.is_some() && step.dated != self.last_dated);
        if step.milestone == self.last_milestone && status == self.status && stage == self.stage && !is_news {
            return Vec::new();
        }
        vec![Event::Progressed {
            milestone: step.milestone,
            status,
            stage: stage.to_owned(),
            human: step.milestone.is_human(),
            at: facts.at,
            category,
            agreed: step.agreed,
            dated: step.dated.clone(),
            by: (step.by != step.milestone.by()).then_some(step.by),
            taken_down: step.taken_down.clone(),
        }]
    }

    /// A step of what has ended: its owner's word that this is not the end begins a new episode, the owner's own word that it
    /// is solved is told, and so is what looks back and what happened before and is heard late; the rest changes nothing any
    /// more, and no other end takes the place of the one that stands.
    fn progressed_after_the_end(&self, step: &Step, facts: &Facts) -> Vec<Event> {
        use Milestone as M;
        let is_closed = self.status == CaseStatus::Closed;
        match step.milestone {
            // What comes late does not reopen what was called off since.
            M::Reopened | M::Rework if is_closed || facts.at >= self.moved_at => self.progressed(step, facts),
            M::Confirmed | M::Verified if is_closed => self.told(step, facts),
            // What staff had taken down is the owner's own word now.
            M::Closed if is_closed && self.becomes_the_owners(step) => self.told(step, facts),
            M::Withdrawn | M::Cancelled if self.ended_by == Some(step.milestone) && self.becomes_the_owners(step) => {
                self.told(step, facts)
            }
            // One end is enough.
            M::Reopened
            | M::Rework
            | M::Confirmed
            | M::Verified
            | M::Closed
            | M::Withdrawn
            | M::Cancelled
            | M::Declined => Vec::new(),
            M::SurveyAnswered | M::PauseContested if is_closed => self.told(step, facts),
            // What happened by then is heard late; and what it is about must be known, since its owner may come back on it.
            _ if facts.at < self.moved_at || self.reclassifies(step) => self.told(step, facts),
            _ if facts.at == self.moved_at && is_closed && step.effect == Effect::Told => self.told(step, facts),
            _ => Vec::new(),
        }
    }

    /// The step is told, and moves nothing.
    fn told(&self, step: &Step, facts: &Facts) -> Vec<Event> {
        self.progressed(&Step { effect: Effect::Told, ..step.clone() }, facts)
    }

    /// Whether it is about something else than was thought.
    fn reclassifies(&self, step: &Step) -> bool {
        step.category.as_ref().is_some_and(|category| *category != self.category)
    }

    /// Whether its owner says now what staff had taken down with the last step.
    fn becomes_the_owners(&self, step: &Step) -> bool {
        self.end_taken_down.is_some() && step.by == Party::Owner
    }

    /// Who calls it off: its owner, the company by itself, or staff on the owner's word.
    fn called_off(
        opening: &Opening,
        said: Option<&TakenDown>,
        facts: &Facts,
    ) -> Result<(Party, Option<WordNote>), Refusal> {
        let word = word::called_off(&facts.actor, opening.resident, said, facts.handled, facts.now);
        Ok(match word.map_err(Refusal::Word)? {
            None => (party(facts), None),
            Some(Whose::Owners) => (Party::Owner, None),
            Some(Whose::TakenDown(note)) => (Party::Staff, Some(note)),
        })
    }

    /// Whether another service has taken it up. Until then nobody has handled it.
    fn is_worked_on_elsewhere(&self, opening: &Opening) -> bool {
        opening.kind != CaseKind::Inquiry && self.stage != "received"
    }

    /// The owner calls off what is called off already: where staff had taken that word down, it is the owner's own now.
    fn called_off_again(&self, opening: &Opening, reason: &Line, facts: &Facts) -> Vec<Event> {
        let was_called_off = self.ended_by == Some(Milestone::Cancelled) && self.end_taken_down.is_some();
        if !was_called_off || !word::is_owners(&facts.actor, opening.resident) {
            return vec![];
        }
        vec![Event::Cancelled { reason: reason.clone(), by: Party::Owner, at: Some(facts.at), taken_down: None }]
    }

    fn moved(&self, status: CaseStatus, stage: &str, facts: &Facts) -> Vec<Event> {
        if status == self.status && stage == self.stage {
            return Vec::new();
        }
        vec![Event::Moved { status, stage: stage.to_owned(), at: facts.at }]
    }
}

impl Aggregate for Case {
    const NAME: &'static str = "case";
    type Id = CaseId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: CaseId) -> Self {
        Self {
            id,
            opening: None,
            category: OTHER.to_owned(),
            status: CaseStatus::Received,
            stage: String::new(),
            linked: Vec::new(),
            satisfaction_asked: false,
            last_asked_at: None,
            proof: Vec::new(),
            prioritised: false,
            last_milestone: Milestone::Received,
            last_agreed: None,
            last_dated: None,
            last_told_at: DateTime::UNIX_EPOCH,
            last_taken_down: None,
            ended_by: None,
            end_taken_down: None,
            moved_at: DateTime::UNIX_EPOCH,
            before_waiting: None,
        }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use {CaseStatus as S, Command as C};
        let Some(opening) = &self.opening else {
            return match command {
                C::Open(new) => open(self.id, new, facts),
                C::Progress(_)
                | C::Move { .. }
                | C::Link { .. }
                | C::AskSatisfaction
                | C::ShowProof { .. }
                | C::Prioritise { .. }
                | C::Cancel { .. } => Err(Refusal::NoSuchCase),
            };
        };
        if !facts.actor.sees(opening.estate, opening.resident) {
            return Err(Refusal::NoSuchCase);
        }
        match (self.status, command) {
            (_, C::Open(_)) => Err(Refusal::AlreadyOpened),

            // After the end nothing moves a case but the owner's word that it is not the end; news are still told.
            (S::Cancelled | S::Closed, C::Move { .. }) => Ok(vec![]),
            (S::Cancelled | S::Closed, C::Progress(step)) => Ok(self.progressed_after_the_end(step, facts)),
            (S::Received | S::InProgress | S::AwaitingOwner | S::Resolved, C::Progress(step)) => {
                Ok(self.progressed(step, facts))
            }
            (S::Received | S::InProgress | S::AwaitingOwner | S::Resolved, C::Move { status, stage }) => {
                Ok(self.moved(*status, stage, facts))
            }

            (_, C::Link { case }) if self.linked.contains(case) => Ok(vec![]),
            (_, C::Link { case }) => Ok(vec![Event::Linked { case: *case }]),

            // How what was called off went is not asked any more.
            (S::Cancelled, C::AskSatisfaction) => Ok(vec![]),
            (_, C::AskSatisfaction) if self.last_asked_at == Some(facts.at) => Ok(vec![]),
            (_, C::AskSatisfaction) => Ok(vec![Event::SatisfactionAsked { at: Some(facts.at) }]),

            (_, C::ShowProof { files }) => {
                let new: Vec<FileId> = files.iter().filter(|file| !self.proof.contains(file)).copied().collect();
                Ok(if new.is_empty() { vec![] } else { vec![Event::ProofShown { files: new }] })
            }

            (_, C::Prioritise { priority, .. }) if *priority == opening.priority => Ok(vec![]),
            (S::Resolved | S::Closed | S::Cancelled, C::Prioritise { .. }) => Err(Refusal::Ended),
            (S::Received | S::InProgress | S::AwaitingOwner, C::Prioritise { priority, instead_of, reason }) => {
                // Of two who find it other than it was, the second one learns of the first.
                let is_unread = self.prioritised && !facts.has_read;
                if (is_unread || instead_of.is_some()) && *instead_of != Some(opening.priority) {
                    return Err(Refusal::PrioritisedBefore);
                }
                Ok(vec![Event::Prioritised {
                    priority: *priority,
                    previous: opening.priority,
                    reason: reason.clone(),
                    at: facts.at,
                }])
            }

            (S::Cancelled, C::Cancel { reason, .. }) => Ok(self.called_off_again(opening, reason, facts)),
            (S::Resolved | S::Closed, C::Cancel { .. }) => Err(Refusal::Ended),
            (S::Received | S::InProgress | S::AwaitingOwner, C::Cancel { reason, taken_down }) => {
                if taken_down.is_some() && self.is_worked_on_elsewhere(opening) {
                    return Err(Refusal::TakenDownElsewhere);
                }
                let (by, taken_down) = Self::called_off(opening, taken_down.as_ref(), facts)?;
                Ok(vec![Event::Cancelled { reason: reason.clone(), by, at: Some(facts.at), taken_down }])
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Opened { opening } => {
                self.category.clone_from(&opening.category);
                if opening.kind == CaseKind::Inquiry { "open" } else { "received" }.clone_into(&mut self.stage);
                self.linked = opening.linked.into_iter().collect();
                self.moved_at = opening.opened_at;
                self.opening = Some(opening.clone());
            }
            Event::HandedOver { .. } => {}
            Event::Progressed {
                milestone,
                status,
                stage,
                at,
                category,
                agreed,
                dated,
                taken_down,
                human: _,
                by: _,
            } => {
                self.last_milestone = *milestone;
                self.last_agreed = agreed.or(self.last_agreed);
                self.last_dated = dated.clone().or(self.last_dated);
                self.last_told_at = *at;
                self.last_taken_down.clone_from(taken_down);
                if matches!(milestone, Milestone::Closed | Milestone::Withdrawn | Milestone::Cancelled) {
                    self.ended_by = Some(*milestone);
                    self.end_taken_down.clone_from(taken_down);
                }
                if let Some(category) = category {
                    self.category.clone_from(category);
                }
                self = self.at(*status, stage, *at);
            }
            Event::Moved { status, stage, at } => self = self.at(*status, stage, *at),
            Event::Linked { case } => self.linked.push(*case),
            Event::SatisfactionAsked { at } => {
                self.satisfaction_asked = true;
                self.last_asked_at = *at;
            }
            Event::ProofShown { files } => self.proof.extend(files),
            Event::Prioritised { priority, .. } => {
                self.prioritised = true;
                if let Some(opening) = &mut self.opening {
                    opening.priority = *priority;
                }
            }
            Event::Cancelled { at, taken_down, .. } => {
                self.status = CaseStatus::Cancelled;
                "cancelled".clone_into(&mut self.stage);
                self.last_milestone = Milestone::Cancelled;
                self.last_taken_down.clone_from(taken_down);
                self.ended_by = Some(Milestone::Cancelled);
                self.end_taken_down.clone_from(taken_down);
                self.moved_at = at.map_or(self.moved_at, |at| self.moved_at.max(at));
            }
        }
        self
    }
}

impl Case {
    fn at(mut self, status: CaseStatus, stage: &str, at: DateTime<Utc>) -> Self {
        if status != self.status || stage != self.stage {
            self.moved_at = self.moved_at.max(at);
        }
        self.before_waiting = match (self.status, status) {
            (CaseStatus::AwaitingOwner, CaseStatus::AwaitingOwner) => self.before_waiting,
            (_, CaseStatus::AwaitingOwner) => Some(self.stage),
            _ => None,
        };
        self.status = status;
        self.stage = stage.to_owned();
        self
    }
}
