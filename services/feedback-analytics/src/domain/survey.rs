//! Surveys: the owner is asked how it went, once for each time a case is resolved.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Aggregate,
    ids::{CaseId, EstateId, ResidentId},
    vocabulary::Language,
};
use uuid::Uuid;

use super::{
    Facts, Remark,
    rollup::{Measure, Tally},
};

steward_kernel::id_type! {
    /// A survey invitation.
    SurveyId
}

impl SurveyId {
    /// The survey of an episode of a case: always the same one, so that asking twice is impossible.
    ///
    /// * `episode`: 1 until the case is reopened, then one more each time.
    #[must_use]
    pub fn of(case: CaseId, episode: u32) -> Self {
        Self::from(Uuid::new_v5(&case.get(), format!("survey {episode}").as_bytes()))
    }
}

steward_kernel::word_enum! {
    /// Where a survey stands.
    SurveyStage {
        /// The owner was asked.
        Sent = "sent",
        /// The owner answered.
        Answered = "answered",
        /// The owner did not, in time; or the end that it asks about was none: the case came back or was called off.
        Expired = "expired",
        /// The owner could not be told of it, and so was not asked.
        Suppressed = "suppressed",
    }
}

impl SurveyStage {
    /// The commands that are legal here.
    #[must_use]
    pub const fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Sent => &["answer"],
            Self::Answered | Self::Expired | Self::Suppressed => &[],
        }
    }
}

/// From 1 (very bad) to 5 (very good).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Rating(u8);

impl Rating {
    /// All that can be given.
    pub const WORDS: [&'static str; 5] = ["1", "2", "3", "4", "5"];
}

/// A number that is no rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from 1 to 5")]
pub struct NotARating;

impl TryFrom<u8> for Rating {
    type Error = NotARating;
    fn try_from(number: u8) -> Result<Self, NotARating> {
        if (1..=5).contains(&number) { Ok(Self(number)) } else { Err(NotARating) }
    }
}

impl From<Rating> for u8 {
    fn from(rating: Rating) -> Self {
        rating.0
    }
}

/// Whom we ask about what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    /// The case.
    pub case_id: CaseId,
    /// Which time it was resolved; 1 until it is reopened.
    pub episode: u32,
    /// What people quote.
    pub reference: String,
    /// Kind of the case.
    pub case_kind: String,
    /// Its estate.
    pub estate_id: EstateId,
    /// Who is asked.
    pub resident_id: ResidentId,
    /// In which language.
    pub language: Language,
    /// When.
    pub sent_at: DateTime<Utc>,
    /// That day in the estate.
    pub sent_on: NaiveDate,
    /// Until when an answer counts.
    pub expires_at: DateTime<Utc>,
}

/// What the owner says: at least one thing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Rating>,
    /// How it was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handling: Option<Rating>,
    /// The manner of those who handled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courtesy: Option<Rating>,
    /// In words.
    #[serde(default)]
    pub comment: Option<Remark>,
}

impl Answer {
    fn says_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What can be asked of a survey.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Ask the owner.
    Invite(Box<Invitation>),
    /// Answer, as the owner who was asked.
    Answer(Answer),
    /// Its time is over, or what it asks about is.
    Expire,
    /// Its owner could not be told of it.
    Suppress {
        /// Why, in a word of the service that tells.
        reason: String,
    },
}

/// What has happened to a survey, as we remember it.
///
/// Private to this service. Stored as JSON for ever: add variants or optional fields, never rename or remove.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The owner was asked.
    Invited {
        /// About what.
        invitation: Box<Invitation>,
    },
    /// The owner answered.
    Answered {
        /// What.
        answer: Answer,
        /// When.
        at: DateTime<Utc>,
    },
    /// Its time was over, or what it asked about.
    Expired {
        /// When.
        at: DateTime<Utc>,
    },
    /// Its owner could not be told of it.
    Suppressed {
        /// Why, in a word of the service that tells.
        reason: String,
        /// When.
        at: DateTime<Utc>,
    },
}

/// Why a command is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is not for this person to see.
    NoSuchSurvey,
    /// The owner was asked already.
    AlreadyInvited,
    /// It is answered, or its time is over.
    NotOpen,
    /// Neither a score nor a word.
    NothingSaid,
}

/// A survey that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// Whom we asked about what.
    pub invitation: Invitation,
    /// Where it stands.
    pub stage: SurveyStage,
    /// The answer.
    #[serde(default)]
    pub answer: Option<Answer>,
    /// When it was answered.
    #[serde(default)]
    pub answered_at: Option<DateTime<Utc>>,
    /// Why its owner could not be told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<String>,
}

/// A survey.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// Its id.
    pub id: SurveyId,
    /// What is known of it; `None` before it was sent.
    pub life: Option<Life>,
}

impl Life {
    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use {Command as C, SurveyStage as S};
        let at = facts.now;
        match (self.stage, command) {
            (_, C::Invite(_)) => Err(Refusal::AlreadyInvited),
            (S::Sent, C::Answer(_)) if at >= self.invitation.expires_at => Err(Refusal::NotOpen),
            (S::Sent, C::Answer(answer)) if answer.says_nothing() => Err(Refusal::NothingSaid),
            (S::Sent, C::Answer(answer)) => Ok(vec![Event::Answered { answer: answer.clone(), at }]),
            (S::Answered, C::Answer(answer)) if self.answer.as_ref() == Some(answer) => Ok(vec![]),
            (S::Answered | S::Expired | S::Suppressed, C::Answer(_)) => Err(Refusal::NotOpen),
            (S::Sent, C::Expire) => Ok(vec![Event::Expired { at }]),
            (S::Answered | S::Expired | S::Suppressed, C::Expire) => Ok(vec![]),
            // Who was not told was not asked, also when it had ended before that was heard.
            (S::Sent | S::Expired, C::Suppress { reason }) => {
                Ok(vec![Event::Suppressed { reason: reason.clone(), at }])
            }
            // Who has answered was asked, whatever became of the message.
            (S::Answered | S::Suppressed, C::Suppress { .. }) => Ok(vec![]),
        }
    }
}

impl Event {
    /// What it adds to the day sums, for a survey sent on that day.
    #[must_use]
    pub fn tally(&self, sent_on: NaiveDate) -> Tally {
        let mut tally = Tally::default();
        match self {
            Self::Invited { .. } => tally.one(sent_on, Measure::Asked, ""),
            Self::Answered { answer, .. } => {
                let Answer { outcome, handling, courtesy, .. } = answer;
                let scores =
                    [(Measure::Outcome, outcome), (Measure::Handling, handling), (Measure::Courtesy, courtesy)];
                for (measure, score) in scores {
                    if let Some(Rating(score)) = score {
                        tally.one(sent_on, measure, score);
                    }
                }
                if outcome.is_none() {
                    tally.one(sent_on, Measure::OutcomeLeftOut, "");
                }
            }
            Self::Expired { .. } => {}
            Self::Suppressed { .. } => tally.some(sent_on, Measure::Asked, "", -1),
        }
        tally
    }
}

impl Aggregate for Survey {
    const NAME: &'static str = "survey";
    type Id = SurveyId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: SurveyId) -> Self {
        Self { id, life: None }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        match (&self.life, command) {
            (None, Command::Invite(invitation)) => Ok(vec![Event::Invited { invitation: invitation.clone() }]),
            // Staff never rate themselves: only the person who was asked answers, whatever else they are here.
            (Some(life), Command::Answer(_)) if facts.actor.resident != Some(life.invitation.resident_id) => {
                Err(Refusal::NoSuchSurvey)
            }
            (Some(life), command) => life.decide(command, facts),
            (None, Command::Answer(_) | Command::Expire | Command::Suppress { .. }) => Err(Refusal::NoSuchSurvey),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match (&mut self.life, event) {
            (life, Event::Invited { invitation }) => {
                let invitation = invitation.as_ref().clone();
                *life = Some(Life {
                    invitation,
                    stage: SurveyStage::Sent,
                    answer: None,
                    answered_at: None,
                    suppressed: None,
                });
            }
            (Some(life), Event::Answered { answer, at }) => {
                life.stage = SurveyStage::Answered;
                life.answer = Some(answer.clone());
                life.answered_at = Some(*at);
            }
            (Some(life), Event::Expired { .. }) => life.stage = SurveyStage::Expired,
            (Some(life), Event::Suppressed { reason, .. }) => {
                life.stage = SurveyStage::Suppressed;
                life.suppressed = Some(reason.clone());
            }
            // Nothing is recorded before the invitation.
            (None, Event::Answered { .. } | Event::Expired { .. } | Event::Suppressed { .. }) => {}
        }
        self
    }
}

#[cfg(test)]
#[path = "survey_tests.rs"]
mod tests;
