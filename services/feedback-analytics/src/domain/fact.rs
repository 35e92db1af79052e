//! What is known of one case, as far as figures need it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::vocabulary::{CaseKind, CaseStatus};

use super::{
    histogram::bucket,
    rollup::{Measure, Tally},
};

/// Steps that an owner takes, or that anybody may take for one: they are no answer of the company.
const OWNERS_STEPS: [&str; 9] = [
    "received",
    "confirmed",
    "verified",
    "rework",
    "withdrawn",
    "cancelled",
    "info_provided",
    "reopened",
    "survey_answered",
];

/// The step that says that it is not the company's to do.
const DECLINED: &str = "declined";

/// Steps with which a settled case begins a new episode. A suggestion's plan, a complaint's remedy or a
/// call-back also go on after the case was resolved, but they carry the decision out, they do not take it back.
const REOPENING: [&str; 3] = ["reopened", "rework", "confirmed"];

/// An instant and its day in the estate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// The instant.
    pub at: DateTime<Utc>,
    /// The day.
    pub on: NaiveDate,
}

/// What a case is from the beginning, with what was corrected since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// When the owner said it: all clocks run from here, however late it was entered.
    pub said: Moment,
    /// Kind of the case.
    pub kind: String,
    /// Its priority.
    pub priority: String,
    /// Whether we know whom to ask.
    pub resident_known: bool,
}

/// What changes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It was opened.
    Opened(Opened),
    /// A step that its owner can see.
    Progressed(Progress),
    /// It was called off on that day.
    Cancelled {
        /// The day in the estate.
        on: NaiveDate,
    },
    /// Its owner said whether it is solved.
    OwnerSaid(Word),
    /// It is that urgent from now on.
    Prioritised(String),
    /// Its owner could not be told that we ask how it went.
    NotTold {
        /// Which time it was resolved.
        episode: u32,
    },
}

/// What an owner said of the result.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// Whether it is solved.
    pub solved: bool,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether staff took it down; the owner gave it by themselves otherwise.
    #[serde(default)]
    pub taken_down: bool,
}

/// A step that the owner can see.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What the owner sees from here on.
    pub status: String,
    /// The step.
    pub milestone: String,
    /// Whether a person took it.
    pub human: bool,
    /// Kind of the case from here on.
    pub kind: String,
    /// Its priority from here on.
    pub priority: String,
    /// Whether we know whom to ask.
    pub resident_known: bool,
    /// When.
    pub moment: Moment,
}

/// What is known of one case. What others say of it may come before its opening does: the services are heard
/// independently.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseFact {
    /// What it is.
    pub opened: Option<Opened>,
    /// What its owner sees.
    pub status: String,
    /// When a person of the company first did something that the owner can see.
    pub answered: Option<Moment>,
    /// When it was settled; taken back when it comes back.
    pub resolved: Option<Moment>,
    /// The day it was closed; taken back when it comes back.
    pub closed_on: Option<NaiveDate>,
    /// The day it was called off.
    pub cancelled_on: Option<NaiveDate>,
    /// The day it was declined as not the company's to do; taken back when it comes back.
    pub declined_on: Option<NaiveDate>,
    /// Whether it was over at some time since it came back last: it can come back while what was decided is being carried out.
    pub was_over: bool,
    /// How often it was reopened.
    pub reopenings: u32,
    /// When last.
    pub reopened_at: Option<DateTime<Utc>>,
    /// The last episode whose owner was asked how it went; episodes count from 1.
    pub asked_episode: u32,
    /// The last episode of which its owner could not be told that we ask.
    pub untold_episode: u32,
    /// What the owner said last.
    pub word: Option<Word>,
    /// How urgent it was said to be last. It stands over what other steps say in passing, which may be older.
    pub prioritised: Option<String>,
}

impl CaseFact {
    /// What is known after the change.
    #[must_use]
    pub fn after(mut self, change: &Change) -> Self {
        match change {
            Change::Opened(opened) => {
                self.opened = Some(opened.clone());
                if self.status.is_empty() {
                    self.status = CaseStatus::Received.to_string();
                }
            }
            Change::Progressed(progress) => self.progress(progress),
            Change::Cancelled { on } => self.move_to(CaseStatus::Cancelled.as_str(), None, *on),
            Change::OwnerSaid(word) => self.word = Some(*word),
            Change::Prioritised(priority) => self.prioritised = Some(priority.clone()),
            Change::NotTold { episode } => self.untold_episode = self.untold_episode.max(*episode),
        }
        if let (Some(opened), Some(priority)) = (&mut self.opened, &self.prioritised) {
            opened.priority.clone_from(priority);
        }
        self
    }

    fn progress(&mut self, step: &Progress) {
        if let Some(opened) = &mut self.opened {
            opened.kind.clone_from(&step.kind);
            opened.priority.clone_from(&step.priority);
            opened.resident_known = step.resident_known;
        }
        // Steps of different services are heard independently: the earliest is the first, not the one that is heard first.
        let is_earlier = self.answered.is_none_or(|known| step.moment.at < known.at);
        if step.human && is_earlier && !OWNERS_STEPS.contains(&step.milestone.as_str()) {
            self.answered = Some(step.moment);
        }
        if self.was_over() && !is_over(&step.status) && REOPENING.contains(&step.milestone.as_str()) {
            self.was_over = false;
            self.reopenings += 1;
            self.reopened_at = Some(step.moment.at);
        }
        self.move_to(&step.status, Some(step.moment), step.moment.on);
        // A suggestion that is declined is decided upon: that is its resolution.
        let declined = step.milestone == DECLINED && step.status == CaseStatus::Closed.as_str();
        self.declined_on = match step.status.as_str() == CaseStatus::Closed.as_str() {
            true if declined => self.declined_on.or(Some(step.moment.on)),
            true => self.declined_on,
            false => None,
        };
    }

    fn move_to(&mut self, status: &str, moment: Option<Moment>, on: NaiveDate) {
        status.clone_into(&mut self.status);
        self.was_over |= is_over(status);
        self.resolved = if is_settled(status) { self.resolved.or(moment) } else { None };
        self.closed_on = if status == CaseStatus::Closed.as_str() { self.closed_on.or(Some(on)) } else { None };
        self.cancelled_on = if self.is_cancelled() { self.cancelled_on.or(Some(on)) } else { None };
    }

    /// When the company did what it was asked for; what it declined, it did not.
    fn solved(&self) -> Option<Moment> {
        self.resolved.filter(|_| self.declined_on.is_none())
    }

    /// Whether nobody waits for its resolution any more without there being one.
    fn is_given_up(&self) -> bool {
        self.cancelled_on.is_some() || self.declined_on.is_some()
    }

    /// The status says it of cases that were over before that was written down.
    fn was_over(&self) -> bool {
        self.was_over || is_over(&self.status)
    }

    fn is_cancelled(&self) -> bool {
        self.status == CaseStatus::Cancelled.as_str()
    }

    /// Which time it is that the company believes it done.
    #[must_use]
    pub fn episode(&self) -> u32 {
        self.reopenings + 1
    }

    /// Whether its owner is to be asked now how it went.
    #[must_use]
    pub fn is_to_be_asked(&self) -> bool {
        self.status == CaseStatus::Resolved.as_str()
            && self.asked_episode < self.episode()
            && self.opened.as_ref().is_some_and(|opened| opened.resident_known)
    }

    /// The owner's last word, if it is that it is solved. A word from before the case came back no longer
    /// counts; times are compared because the owner's words and the case's steps are heard independently.
    fn confirmation(&self) -> Option<Word> {
        self.word.filter(|word| word.solved && self.reopened_at.is_none_or(|reopened_at| word.at >= reopened_at))
    }

    /// What it adds to the day sums.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        let Some(opened) = &self.opened else { return tally };
        let on = opened.said.on;
        tally.one(on, Measure::Opened, &opened.kind);
        tally.one(on, Measure::Priority, &opened.priority);
        tally.one(on, Measure::Status, &self.status);
        if !is_over(&self.status) {
            tally.one(on, Measure::Open, "");
        }
        if self.reopenings > 0 {
            tally.one(on, Measure::Reopened, "");
        }
        let took =
            |moment: Moment| bucket(u64::try_from((moment.at - opened.said.at).num_seconds()).unwrap_or_default());
        match (self.answered, self.cancelled_on) {
            (Some(moment), _) => tally.one(on, Measure::FirstAnswer, took(moment)),
            (None, None) => tally.one(on, Measure::Unanswered, ""),
            (None, Some(_)) => {}
        }
        match self.solved() {
            Some(moment) => tally.one(on, Measure::Resolution, took(moment)),
            None if self.is_given_up() => {}
            None => tally.one(on, Measure::Unresolved, ""),
        }
        self.add_end(&mut tally, opened);
        tally
    }

    fn add_end(&self, tally: &mut Tally, opened: &Opened) {
        let confirmable = [CaseKind::Complaint.as_str(), CaseKind::ServiceRequest.as_str()];
        if let Some(resolved) = self.solved() {
            tally.one(resolved.on, Measure::Resolved, "");
            if !opened.resident_known || self.untold_episode == self.episode() {
                tally.one(resolved.on, Measure::NotAsked, "");
            }
            if confirmable.contains(&opened.kind.as_str()) {
                tally.one(opened.said.on, Measure::Confirmable, "");
                match self.confirmation() {
                    Some(Word { taken_down: false, .. }) => tally.one(opened.said.on, Measure::Confirmed, ""),
                    Some(Word { taken_down: true, .. }) => tally.one(opened.said.on, Measure::ConfirmedTakenDown, ""),
                    None => {}
                }
            }
        }
        if let Some(on) = self.closed_on {
            tally.one(on, Measure::Closed, "");
        }
        if let Some(on) = self.declined_on {
            tally.one(on, Measure::Declined, "");
        }
        if let Some(on) = self.cancelled_on {
            tally.one(on, Measure::Cancelled, "");
        }
    }
}

/// Whether the company believes it done.
fn is_settled(status: &str) -> bool {
    status == CaseStatus::Resolved.as_str() || status == CaseStatus::Closed.as_str()
}

/// Whether nothing more is to be done.
fn is_over(status: &str) -> bool {
    is_settled(status) || status == CaseStatus::Cancelled.as_str()
}

#[cfg(test)]
#[path = "fact_tests.rs"]
mod tests;
