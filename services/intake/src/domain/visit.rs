//! A visit at the desk (到訪): somebody comes, waits, is called, is served.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{
    Aggregate,
    ids::{EstateId, ResidentId},
    text::Line,
    word_enum,
};

use super::{Facts, VisitId};

word_enum! {
    /// Where a visit stands.
    VisitStage {
        /// Waits.
        Arrived = "arrived",
        /// Was called.
        Called = "called",
        /// Is being served.
        Serving = "serving",
        /// Was served.
        Finished = "finished",
        /// Went without having been served.
        Left = "left",
    }
}

/// Who comes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// At which estate's desk.
    pub estate: EstateId,
    /// Who, if known.
    pub resident: Option<ResidentId>,
    /// What for, in a few words.
    pub purpose: Option<Line>,
    /// Place in the queue of the estate and day, from 1.
    pub queue_number: i32,
}

/// What can be asked of a visit.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// To note an arrival.
    Arrive(Box<Arrival>),
    /// To call.
    Call,
    /// To begin serving.
    Serve,
    /// To end serving.
    Finish,
    /// To note that the visitor went.
    Leave,
}

/// What happened to a visit. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Somebody came.
    Arrived {
        /// Who.
        arrival: Box<Arrival>,
        /// When.
        at: DateTime<Utc>,
    },
    /// Was called.
    Called {
        /// When.
        at: DateTime<Utc>,
    },
    /// Serving began.
    Serving {
        /// When.
        at: DateTime<Utc>,
    },
    /// Was served.
    Finished {
        /// When.
        at: DateTime<Utc>,
    },
    /// Went without having been served.
    Left {
        /// When.
        at: DateTime<Utc>,
    },
}

/// Why something is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is not the caller's to see.
    NoSuchVisit,
    /// It is noted already.
    AlreadyArrived,
    /// The register does not know the estate, or it is not the caller's.
    UnknownEstate,
    /// The register does not know the resident.
    UnknownResident,
    /// Not at this stage.
    NotNow {
        /// What is legal now.
        allowed: Vec<&'static str>,
    },
}

/// A visit.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Which.
    pub id: VisitId,
    /// Who came; none before.
    pub arrival: Option<Box<Arrival>>,
    /// Where it stands.
    pub stage: VisitStage,
    /// When somebody came.
    pub arrived_at: DateTime<Utc>,
    /// When called.
    pub called_at: Option<DateTime<Utc>>,
    /// When serving began.
    pub served_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Visit {
    /// The commands that are legal now.
    #[must_use]
    pub fn allowed(&self) -> Vec<&'static str> {
        match self.stage {
            VisitStage::Arrived => vec!["call", "leave"],
            VisitStage::Called => vec!["serve", "leave"],
            VisitStage::Serving => vec!["finish"],
            VisitStage::Finished | VisitStage::Left => Vec::new(),
        }
    }

    /// From arrival to being called, or to leaving; whole seconds, 0 while waiting.
    #[must_use]
    pub fn waited_seconds(&self) -> i64 {
        self.called_at.or(self.ended_at).map_or(0, |end| (end - self.arrived_at).num_seconds().max(0))
    }

    /// From being served to the end; whole seconds, 0 when never served.
    #[must_use]
    pub fn served_seconds(&self) -> i64 {
        self.served_at.zip(self.ended_at).map_or(0, |(start, end)| (end - start).num_seconds().max(0))
    }

    fn not_now(&self) -> Result<Vec<Event>, Refusal> {
        Err(Refusal::NotNow { allowed: self.allowed() })
    }
}

impl Aggregate for Visit {
    const NAME: &'static str = "visit";
    type Id = VisitId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: VisitId) -> Self {
        Self {
            id,
            arrival: None,
            stage: VisitStage::Arrived,
            arrived_at: DateTime::UNIX_EPOCH,
            called_at: None,
            served_at: None,
            ended_at: None,
        }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use {Command as C, VisitStage as S};
        let at = facts.now;
        let Some(arrival) = &self.arrival else {
            return match command {
                C::Arrive(arrival) if !facts.actor.sees_estate(arrival.estate) => Err(Refusal::UnknownEstate),
                C::Arrive(arrival) => Ok(vec![Event::Arrived { arrival: arrival.clone(), at }]),
                C::Call | C::Serve | C::Finish | C::Leave => Err(Refusal::NoSuchVisit),
            };
        };
        if !facts.actor.sees(arrival.estate, arrival.resident) {
            return Err(Refusal::NoSuchVisit);
        }
        match (self.stage, command) {
            (_, C::Arrive(_)) => Err(Refusal::AlreadyArrived),

            (S::Called, C::Call) | (S::Serving, C::Serve) | (S::Finished, C::Finish) | (S::Left, C::Leave) => {
                Ok(vec![])
            }
            (S::Arrived, C::Call) => Ok(vec![Event::Called { at }]),
            (S::Called, C::Serve) => Ok(vec![Event::Serving { at }]),
            (S::Serving, C::Finish) => Ok(vec![Event::Finished { at }]),
            (S::Arrived | S::Called, C::Leave) => Ok(vec![Event::Left { at }]),

            (S::Serving | S::Finished | S::Left, C::Call)
            | (S::Arrived | S::Finished | S::Left, C::Serve)
            | (S::Arrived | S::Called | S::Left, C::Finish)
            | (S::Serving | S::Finished, C::Leave) => self.not_now(),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Arrived { arrival, at } => {
                self.arrival = Some(arrival.clone());
                self.arrived_at = *at;
            }
            Event::Called { at } => {
                self.stage = VisitStage::Called;
                self.called_at = Some(*at);
            }
            Event::Serving { at } => {
                self.stage = VisitStage::Serving;
                self.served_at = Some(*at);
            }
            Event::Finished { at } => {
                self.stage = VisitStage::Finished;
                self.ended_at = Some(*at);
            }
            Event::Left { at } => {
                self.stage = VisitStage::Left;
                self.ended_at = Some(*at);
            }
        }
        self
    }
}
