//! A desk check: whether a desk is ready to receive owners (tidy, signs, materials, people), item by item.

use std::collections::HashSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use steward_kernel::{Actor, Aggregate, day::day, id_type, ids::EstateId, text::Line};
use uuid::Uuid;

/// Most items of a check.
pub const MAX_ITEMS: usize = 50;
/// How many days back a check can be written down: over a weekend and a day.
const DAYS_BACK: Days = Days::new(3);

id_type! {
    /// A desk check.
    DeskCheckId
}

impl DeskCheckId {
    /// The check of that desk on that day: there is one, which is corrected.
    #[must_use]
    pub fn of(estate: EstateId, on: NaiveDate) -> Self {
        Uuid::new_v5(&estate.get(), format!("desk check {on}").as_bytes()).into()
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What was looked at.
    pub item: Line,
    /// Whether it is in order.
    pub ok: bool,
    /// What is missing, or what is done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Line>,
}

/// A check as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// The estate whose desk it is.
    pub estate: EstateId,
    /// The day it is for, in the estate's own time.
    pub on: NaiveDate,
    /// What was looked at.
    pub items: Vec<Item>,
}

/// What can be asked of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Write it down.
    Record(Findings),
}

/// What happened to a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It was written down, or corrected.
    Recorded(Findings),
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The estate is not in the register, or not for the caller to see.
    NoSuchEstate,
    /// No item, or too many.
    ItemCount,
    /// An item stands there twice; its place in the list.
    ItemTwice(usize),
    /// The day has not begun there.
    InTheFuture,
    /// The day is too long ago.
    TooLongAgo,
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Now.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// The time zone of the estate; none when it is not in the register.
    pub time_zone: Option<Tz>,
}

/// A desk check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskCheck {
    /// Its id.
    pub id: DeskCheckId,
    /// What was found; `None` before it is written down.
    pub findings: Option<Findings>,
}

impl Findings {
    /// Whether every item is in order.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.items.iter().all(|item| item.ok)
    }

    fn repeated_item(&self) -> Option<usize> {
        let mut seen = HashSet::new();
        self.items.iter().position(|item| !seen.insert(item.item.as_str()))
    }
}

impl Aggregate for DeskCheck {
    const NAME: &'static str = "desk_check";
    type Id = DeskCheckId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: DeskCheckId) -> Self {
        Self { id, findings: None }
    }

    fn decide(&self, Command::Record(new): &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        let here = facts.time_zone.filter(|_| facts.actor.sees_estate(new.estate));
        let today = day(facts.now, here.ok_or(Refusal::NoSuchEstate)?);
        if !(1..=MAX_ITEMS).contains(&new.items.len()) {
            return Err(Refusal::ItemCount);
        }
        if new.on > today {
            return Err(Refusal::InTheFuture);
        }
        if new.on + DAYS_BACK < today {
            return Err(Refusal::TooLongAgo);
        }
        match new.repeated_item() {
            Some(place) => Err(Refusal::ItemTwice(place)),
            None if self.findings.as_ref() == Some(new) => Ok(vec![]),
            None => Ok(vec![Event::Recorded(new.clone())]),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Recorded(findings) => Self { findings: Some(findings.clone()), ..self },
        }
    }
}
