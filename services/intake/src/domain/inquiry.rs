//! An inquiry (諮詢): a question at the desk, its answer, and the call-back of important ones. It has the id of its case.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Aggregate,
    call_back::{CallMeans, Calls},
    ids::{CaseId, EstateId, ResidentId},
    text::{Line, Words},
    vocabulary::CaseStatus,
    word::{self, TakenDown, WordFault, WordNote},
    word_enum,
};

pub use steward_kernel::call_back::CallResult;

use super::{
    ArticleId, Facts,
    case::Step,
    timeline::{Milestone, Party},
};

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
    /// The owner needs nothing more.
    Close {
        /// How the owner said so to staff; none = the owner says it.
        taken_down: Option<TakenDown>,
    },
    /// The owner asks again.
    Reopen {
        /// Why.
        reason: Line,
        /// How the owner said so to staff; none = the owner says it.
        taken_down: Option<TakenDown>,
    },
    /// To call it off.
    Cancel,
}

impl Command {
    /// Whether it is a word of the owner.
    #[must_use]
    pub const fn is_of_the_owner(&self) -> bool {
        matches!(self, Self::Close { .. } | Self::Reopen { .. })
    }
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
    Closed {
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
        /// By whom: its owner's word, or the system's after calls in vain. None = it was not kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Party>,
        /// How the owner's word was taken down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken_down: Option<WordNote>,
    },
    /// It was asked again.
    Reopened {
        /// Why.
        reason: Line,
        /// How the owner's word was taken down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken_down: Option<WordNote>,
    },
    /// It was called off.
    Cancelled {
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
    },
}

impl Event {
    /// Whether whoever caused it handled the inquiry with it; taking down the owner's word is not handling.
    #[must_use]
    pub const fn is_handling(&self) -> bool {
        matches!(self, Self::Answered { .. } | Self::CallMissed { .. } | Self::FollowedUp { .. })
    }
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
    /// The owner's word is not given like this.
    Word(WordFault),
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
    pub calls: Calls,
    /// When it ended; none while it goes on.
    pub ended_at: Option<DateTime<Utc>>,
    /// Who took the last step, and how it was taken down, if it was the owner's word.
    last_word: (Option<Party>, Option<WordNote>),
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
            // Within some days its owner can come back on it.
            InquiryStage::Closed | InquiryStage::Cancelled => vec!["reopen"],
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
        let step = Step::to(milestone, status, self.stage.as_str());
        Some(match (self.stage, &self.last_word) {
            (InquiryStage::Reopened, (_, note)) => step.given(note.clone()),
            (InquiryStage::Closed, (Some(Party::System) | None, _)) => step,
            (InquiryStage::Closed, (Some(_), note)) => step.given(note.clone()),
            _ => step,
        })
    }

    /// What the owner's word makes of it; staff may have taken it down.
    fn word(&self, question: &Question, said: Option<&TakenDown>, facts: &Facts) -> Result<Option<WordNote>, Refusal> {
        let whose = word::whose(&facts.actor, question.resident, said, facts.handled, facts.now);
        whose.map(word::Whose::note).map_err(Refusal::Word)
    }

    /// The owner needs nothing more. A call-back that is still due falls away with that, but not by what staff say.
    fn close(&self, taken_down: Option<WordNote>, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use InquiryStage as S;
        match self.stage {
            // What staff had taken down is the owner's own word now.
            S::Closed if taken_down.is_none() && self.last_word.1.is_some() => {
                Ok(vec![Event::Closed { at: self.ended_at, by: Some(Party::Owner), taken_down: None }])
            }
            S::Closed => Ok(vec![]),
            S::Answered | S::FollowUpDue if self.follow_up_at.is_some() && taken_down.is_some() => self.not_now(),
            S::Answered | S::FollowUpDue | S::FollowedUp => {
                let by = Some(if taken_down.is_some() { Party::Staff } else { Party::Owner });
                Ok(vec![Event::Closed { at: Some(facts.now), by, taken_down }])
            }
            S::Open | S::Reopened | S::Cancelled => self.not_now(),
        }
    }

    /// The owner asks again: while it goes on, and for some days after the end.
    fn reopen(&self, reason: &Line, taken_down: Option<WordNote>, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        if matches!(self.stage, InquiryStage::Open | InquiryStage::Reopened) {
            return Ok(vec![]);
        }
        if let Some(ended_at) = self.ended_at {
            word::may_come_back(ended_at, facts.come_back_within, facts.now).map_err(Refusal::Word)?;
        }
        Ok(vec![Event::Reopened { reason: reason.clone(), taken_down }])
    }

    /// The last time that is known of it; an end did not always say when.
    fn last_known(&self) -> Option<DateTime<Utc>> {
        self.answered_at.or_else(|| self.question.as_ref().map(|question| question.asked_at))
    }

    fn not_now<T>(&self) -> Result<T, Refusal> {
        Err(Refusal::NotNow { allowed: self.allowed() })
    }

    fn follow_up(&self, result: CallResult, note: Option<&Line>, on: NaiveDate, facts: &Facts) -> Vec<Event> {
        let (note, means) = (note.cloned(), self.calls.judge(result, on));
        let on = Some(on);
        match means {
            CallMeans::Reached => vec![Event::FollowedUp { result, note, on }],
            CallMeans::Missed => vec![Event::CallMissed { note, on }],
            CallMeans::InVain => {
                let closed = Event::Closed { at: Some(facts.now), by: Some(Party::System), taken_down: None };
                vec![Event::FollowedUp { result, note, on }, closed]
            }
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
            calls: Calls::default(),
            ended_at: None,
            last_word: (None, None),
        }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use {Command as C, InquiryStage as S};
        let Some(question) = &self.question else {
            return match command {
                C::Ask(question) => Ok(vec![Event::Asked { question: question.clone() }]),
                C::Answer(_) | C::FallDue | C::FollowUp { .. } | C::Close { .. } | C::Reopen { .. } | C::Cancel => {
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
                Ok(self.follow_up(*result, note.as_ref(), *on, facts))
            }
            (_, C::FollowUp { .. }) => self.not_now(),

            (_, C::Close { taken_down }) => self.close(self.word(question, taken_down.as_ref(), facts)?, facts),
            (_, C::Reopen { reason, taken_down }) => {
                self.reopen(reason, self.word(question, taken_down.as_ref(), facts)?, facts)
            }

            (S::Cancelled, C::Cancel) => Ok(vec![]),
            (S::Open | S::Reopened, C::Cancel) => Ok(vec![Event::Cancelled { at: Some(facts.now) }]),
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
                self.calls = Calls::default();
            }
            Event::FellDue => self.stage = InquiryStage::FollowUpDue,
            Event::CallMissed { on, .. } => self.calls.miss(*on),
            Event::FollowedUp { result, on, .. } => {
                self.stage = InquiryStage::FollowedUp;
                if *result == CallResult::NotReached {
                    self.calls.miss(*on);
                }
                self.follow_up_at = None;
            }
            Event::Closed { at, by, taken_down } => {
                self.stage = InquiryStage::Closed;
                self.follow_up_at = None;
                self.ended_at = at.or_else(|| self.last_known());
                self.last_word = (*by, taken_down.clone());
            }
            Event::Reopened { taken_down, .. } => {
                self.stage = InquiryStage::Reopened;
                self.follow_up_at = None;
                self.ended_at = None;
                self.last_word = (None, taken_down.clone());
            }
            Event::Cancelled { at } => {
                self.stage = InquiryStage::Cancelled;
                self.ended_at = at.or_else(|| self.last_known());
            }
        }
        self
    }
}
