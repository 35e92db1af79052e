//! An inquiry (諮詢): a question at the desk, its answer, and the call-back of important ones. It has the id of its case.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Aggregate,
    ids::{CaseId, EstateId, ResidentId},
    text::{Line, Words},
    vocabulary::CaseStatus,
    word_enum,
};

use super::{ArticleId, Facts, case::Step, timeline::Milestone};

/// After calls on so many days that reached nobody the call-back is over.
pub const CALL_BACK_DAYS: usize = 3;

word_enum! {
    /// Where an inquiry stands.
    InquiryStage {
        /// Asked.
        Open = "open",
        /// Answered.
        Answered = "answered",
        /// Its owner is to be called back.
        FollowUpDue = "follow_up_due",
        /// Its owner was called back.
        FollowedUp = "followed_up",
        /// Done.
        Closed = "closed",
        /// Asked again.
        Reopened = "reopened",
        /// Called off.
        Cancelled = "cancelled",
    }
}

word_enum! {
    /// What came of a call.
    CallResult {
        /// The owner was reached.
        Reached = "reached",
        /// Nobody was reached.
        NotReached = "not_reached",
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Reference of the case.
    pub reference: String,
    /// Where.
    pub estate: EstateId,
    /// Who asks.
    pub resident: Option<ResidentId>,
    /// The question, verbatim.
    pub words: Words,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
}

/// An article of the handbook that an answer rests on, in the version that held then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cited {
    /// Which article.
    pub article: ArticleId,
    /// Which version of it, from 1.
    pub version: i32,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// In words.
    pub text: Option<Words>,
    /// By an article.
    pub article: Option<Cited>,
    /// Whether the owner is called back later.
    pub important: bool,
    /// Whether the owner gets it in writing.
    pub written_reply: bool,
}

/// What can be asked of an inquiry.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// To note the question.
    Ask(Box<Question>),
    /// To answer.
    Answer(Box<Answer>),
    /// To note that the time for the call-back has come.
    FallDue,
    /// To note a call.
    FollowUp {
        /// What came of it.
        result: CallResult,
        /// What was said.
        note: Option<Line>,
        /// The day in its estate.
        on: NaiveDate,
    },
    /// To close it.
    Close,
    /// To ask again.
    Reopen {
        /// Why.
        reason: Line,
    },
    /// To call it off.
    Cancel,
}

/// What happened to an inquiry. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It was asked.
    Asked {
        /// What.
        question: Box<Question>,
    },
    /// It was answered.
    Answered {
        /// How.
        answer: Box<Answer>,
        /// When.
        at: DateTime<Utc>,
        /// When its owner is to be called back, for an important one.
        follow_up_at: Option<DateTime<Utc>>,
    },
    /// The time for the call-back has come.
    FellDue,
    /// A call reached nobody.
    CallMissed {
        /// What the caller notes.
        note: Option<Line>,
        /// The day in its estate; none where that was not written down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<NaiveDate>,
    },
    /// The owner was called back, or on three days in vain.
    FollowedUp {
        /// What came of the last call.
        result: CallResult,
        /// What the caller notes.
        note: Option<Line>,
        /// The day in its estate; none where that was not written down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<NaiveDate>,
    },
    /// It was closed.
    Closed,
    /// It was asked again.
    Reopened {
        /// Why.
        reason: Line,
    },
    /// It was called off.
    Cancelled,
}

/// Why something is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is not the caller's to see.
    NoSuchInquiry,
    /// It is noted already.
    AlreadyAsked,
    /// Neither words nor an article.
    EmptyAnswer,
    /// The handbook has no such article or version.
    UnknownArticle,
    /// Not at this stage.
    NotNow {
        /// What is legal now.
        allowed: Vec<&'static str>,
    },
}

/// An inquiry.
#[derive(Debug, Clone, PartialEq)]
pub struct Inquiry {
    /// Which; the case has the same.
    pub id: CaseId,
    /// What is asked; none before.
    pub question: Option<Box<Question>>,
    /// Where it stands.
    pub stage: InquiryStage,
    /// The answer that holds.
    pub answer: Option<Box<Answer>>,
    /// When it was given.
    pub answered_at: Option<DateTime<Utc>>,
    /// When its owner is to be called back.
    pub follow_up_at: Option<DateTime<Utc>>,
    /// Calls that reached nobody.
    pub missed_calls: usize,
    /// The days of those calls.
    missed_on: BTreeSet<NaiveDate>,
    /// Those calls of which no day was written down: each was one.
    missed_undated: usize,
}

impl Inquiry {
    /// The commands that are legal now.
    #[must_use]
    pub fn allowed(&self) -> Vec<&'static str> {
        match self.stage {
            InquiryStage::Open | InquiryStage::Reopened => vec!["answer"],
            InquiryStage::Answered | InquiryStage::FollowUpDue if self.follow_up_at.is_some() => {
                vec!["follow-up", "reopen"]
            }
            InquiryStage::Answered | InquiryStage::FollowUpDue | InquiryStage::FollowedUp => vec!["close", "reopen"],
            InquiryStage::Closed => vec!["reopen"],
            InquiryStage::Cancelled => Vec::new(),
        }
    }

    /// The step of its case that this stage is; none for those that the case takes by itself.
    #[must_use]
    pub fn step(&self) -> Option<Step> {
        let (milestone, status) = match self.stage {
            InquiryStage::Open | InquiryStage::Cancelled => return None,
            InquiryStage::Answered => (Milestone::Answered, CaseStatus::Resolved),
            InquiryStage::FollowUpDue => (Milestone::FollowUpDue, CaseStatus::Resolved),
            InquiryStage::FollowedUp => (Milestone::FollowedUp, CaseStatus::Resolved),
            InquiryStage::Closed => (Milestone::Closed, CaseStatus::Closed),
            InquiryStage::Reopened => (Milestone::Reopened, CaseStatus::InProgress),
        };
        Some(Step::to(milestone, status, self.stage.as_str()))
    }

    fn not_now<T>(&self) -> Result<T, Refusal> {
        Err(Refusal::NotNow { allowed: self.allowed() })
    }

    /// On how many days calls reached nobody.
    #[must_use]
    pub fn missed_days(&self) -> usize {
        self.missed_on.len() + self.missed_undated
    }

    fn follow_up(&self, result: CallResult, note: Option<&Line>, on: NaiveDate) -> Vec<Event> {
        let note = note.cloned();
        let tried = self.missed_days() + usize::from(!self.missed_on.contains(&on));
        let on = Some(on);
        match result {
            CallResult::Reached => vec![Event::FollowedUp { result, note, on }],
            CallResult::NotReached if tried < CALL_BACK_DAYS => vec![Event::CallMissed { note, on }],
            CallResult::NotReached => vec![Event::FollowedUp { result, note, on }, Event::Closed],
        }
    }

    fn miss(&mut self, on: Option<NaiveDate>) {
        self.missed_calls += 1;
        match on {
            Some(on) => drop(self.missed_on.insert(on)),
            None => self.missed_undated += 1,
        }
    }
}

impl Aggregate for Inquiry {
    const NAME: &'static str = "inquiry";
    type Id = CaseId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: CaseId) -> Self {
        Self {
            id,
            question: None,
            stage: InquiryStage::Open,
            answer: None,
            answered_at: None,
            follow_up_at: None,
            missed_calls: 0,
            missed_on: BTreeSet::new(),
            missed_undated: 0,
        }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use {Command as C, InquiryStage as S};
        let Some(question) = &self.question else {
            return match command {
                C::Ask(question) => Ok(vec![Event::Asked { question: question.clone() }]),
                C::Answer(_) | C::FallDue | C::FollowUp { .. } | C::Close | C::Reopen { .. } | C::Cancel => {
                    Err(Refusal::NoSuchInquiry)
                }
            };
        };
        if !facts.actor.sees(question.estate, question.resident) {
            return Err(Refusal::NoSuchInquiry);
        }
        match (self.stage, command) {
            (_, C::Ask(_)) => Err(Refusal::AlreadyAsked),

            (_, C::Answer(answer)) if answer.text.is_none() && answer.article.is_none() => Err(Refusal::EmptyAnswer),
            (S::Open | S::Reopened, C::Answer(answer)) => Ok(vec![Event::Answered {
                answer: answer.clone(),
                at: facts.now,
                follow_up_at: answer.important.then(|| facts.now + facts.follow_up_after),
            }]),
            (S::Answered | S::FollowUpDue | S::FollowedUp | S::Closed | S::Cancelled, C::Answer(_)) => self.not_now(),

            // A timer that comes too late for anything is not an error.
            (S::Answered, C::FallDue) if self.follow_up_at.is_some() => Ok(vec![Event::FellDue]),
            (_, C::FallDue) => Ok(vec![]),

            (S::Answered | S::FollowUpDue, C::FollowUp { result, note, on }) if self.follow_up_at.is_some() => {
                Ok(self.follow_up(*result, note.as_ref(), *on))
            }
            (_, C::FollowUp { .. }) => self.not_now(),

            (S::Closed, C::Close) => Ok(vec![]),
            (S::Answered | S::FollowUpDue, C::Close) if self.follow_up_at.is_some() => self.not_now(),
            (S::Answered | S::FollowUpDue | S::FollowedUp, C::Close) => Ok(vec![Event::Closed]),
            (S::Open | S::Reopened | S::Cancelled, C::Close) => self.not_now(),

            (S::Open | S::Reopened, C::Reopen { .. }) => Ok(vec![]),
            (S::Answered | S::FollowUpDue | S::FollowedUp | S::Closed, C::Reopen { reason }) => {
                Ok(vec![Event::Reopened { reason: reason.clone() }])
            }
            (S::Cancelled, C::Reopen { .. }) => self.not_now(),

            (S::Cancelled, C::Cancel) => Ok(vec![]),
            (S::Open | S::Reopened, C::Cancel) => Ok(vec![Event::Cancelled]),
            (S::Answered | S::FollowUpDue | S::FollowedUp | S::Closed, C::Cancel) => self.not_now(),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Asked { question } => self.question = Some(question.clone()),
            Event::Answered { answer, at, follow_up_at } => {
                self.stage = InquiryStage::Answered;
                self.answer = Some(answer.clone());
                self.answered_at = Some(*at);
                self.follow_up_at = *follow_up_at;
                self.missed_calls = 0;
                self.missed_on.clear();
                self.missed_undated = 0;
            }
            Event::FellDue => self.stage = InquiryStage::FollowUpDue,
            Event::CallMissed { on, .. } => self.miss(*on),
            Event::FollowedUp { result, on, .. } => {
                self.stage = InquiryStage::FollowedUp;
                if *result == CallResult::NotReached {
                    self.miss(*on);
                }
                self.follow_up_at = None;
            }
            Event::Closed => self.stage = InquiryStage::Closed,
            Event::Reopened { .. } => {
                self.stage = InquiryStage::Reopened;
                self.follow_up_at = None;
            }
            Event::Cancelled => self.stage = InquiryStage::Cancelled,
        }
        self
    }
}
