//! A digest: what one person of the company should look at, collected over a short time and told at once.
//!
//! Its lines (alerts) stand in a table, not in its history: ten thousand of them cost it no event. The history only says
//! when it was opened, looked after, sent and read.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::{Actor, ActorId, Aggregate, ProblemKind, Refuses, id_type, vocabulary::Priority, word_enum};

use super::{AlertCause, AlertId};

/// Most lines that a digest shows itself; all are in the list of alerts.
pub const SHOWN_LINES: u16 = 50;

id_type! {
    /// A digest.
    DigestId
}

word_enum! {
    /// How far a digest has come in the inbox of the person it is for.
    DigestStatus {
        /// Lines still join it; nobody sees it yet.
        Collecting = "collecting",
        /// It can be read.
        Delivered = "delivered",
        /// It was read.
        Read = "read",
        /// Unread, and not worth reading any more: somebody has every matter in hand.
        Settled = "settled",
    }
}

/// How long a digest collects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Sent when no line came for so long.
    pub quiet: TimeDelta,
    /// The same as soon as one line is urgent.
    pub quiet_urgent: TimeDelta,
    /// Sent at the latest so long after its first line.
    pub longest: TimeDelta,
}

impl Pace {
    fn quiet(self, urgent: bool) -> TimeDelta {
        if urgent { self.quiet_urgent } else { self.quiet }
    }
}

/// Lines of a digest that have all this in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Why.
    pub cause: AlertCause,
    /// How urgent.
    pub priority: Option<Priority>,
    /// Whether somebody has taken the matter in hand.
    pub settled: bool,
    /// Whether its due time has passed.
    pub overdue: bool,
    /// How many.
    pub lines: u32,
    /// When the last of them came.
    pub last_at: DateTime<Utc>,
}

/// What a digest says in numbers, when it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Lines that wait for somebody; all other numbers but `settled` are of these.
    pub waiting: u32,
    /// Lines that somebody had taken in hand before it was sent.
    pub settled: u32,
    /// Lines whose due time had passed.
    pub overdue: u32,
    /// Lines by cause.
    pub by_cause: BTreeMap<AlertCause, u32>,
    /// Lines by priority.
    pub by_priority: BTreeMap<Priority, u32>,
}

impl Summary {
    /// The numbers of these lines.
    #[must_use]
    pub fn of(tallies: &[Tally]) -> Self {
        let mut summary = Self::default();
        for Tally { cause, priority, settled, overdue, lines, last_at: _ } in tallies.iter().copied() {
            if settled {
                summary.settled += lines;
                continue;
            }
            summary.waiting += lines;
            summary.overdue += if overdue { lines } else { 0 };
            *summary.by_cause.entry(cause).or_default() += lines;
            if let Some(priority) = priority {
                *summary.by_priority.entry(priority).or_default() += lines;
            }
        }
        summary
    }
}

/// What can be asked of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Collect for that account; the first line is at hand.
    Open {
        /// Who is to be told.
        account: ActorId,
        /// Whether the line is urgent.
        urgent: bool,
        /// Whether it is not to wait for others at all.
        at_once: bool,
    },
    /// The first urgent line has come, or the first that is not to wait.
    Hurry {
        /// Whether it is not to wait for others at all.
        at_once: bool,
    },
    /// A timer asks whether it is time to send it.
    Look {
        /// Whether it is the timer of an urgent digest.
        urgent: bool,
    },
    /// Somebody has taken its last matter in hand.
    Settle,
    /// The person it is for has read it.
    Read,
}

/// What happened to a digest. Stored for ever: add variants or optional fields only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It began to collect.
    Opened {
        /// Who is to be told.
        account: ActorId,
        /// Whether its first line is urgent.
        urgent: bool,
        /// When.
        at: DateTime<Utc>,
        /// When a timer looks whether it is time.
        look_at: DateTime<Utc>,
        /// Whether it is sent then, whatever came meanwhile.
        #[serde(default)]
        at_once: bool,
    },
    /// An urgent line came.
    Hurried {
        /// When a timer looks whether it is time.
        look_at: DateTime<Utc>,
        /// Whether it is sent then, whatever came meanwhile.
        #[serde(default)]
        at_once: bool,
    },
    /// Lines still came when a timer looked.
    PutOff {
        /// When a timer looks again.
        look_at: DateTime<Utc>,
    },
    /// It was put into the inbox.
    Sent {
        /// When.
        at: DateTime<Utc>,
        /// Its lines in numbers.
        summary: Summary,
        /// The lines it shows, the most pressing first.
        shown: Vec<AlertId>,
    },
    /// Somebody had taken its last matter in hand before it was read.
    Settled {
        /// When.
        at: DateTime<Utc>,
    },
    /// It was read.
    Read {
        /// When.
        at: DateTime<Utc>,
    },
}

/// Why something asked of a digest is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, it is not sent yet, or it is somebody else's.
    NoSuchDigest,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::NoSuchDigest];
}

impl Refuses for Refusal {
    fn problem(&self) -> ProblemKind {
        match self {
            Self::NoSuchDigest => ProblemKind::not_found("digest/no-such-digest", "There is no such digest"),
        }
    }
}

/// What was looked up beforehand.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Now.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// How long a digest collects.
    pub pace: Pace,
    /// All its lines, counted; needed to look at it.
    pub tallies: Vec<Tally>,
    /// Its most pressing lines that wait for somebody; needed to look at it.
    pub shown: Vec<AlertId>,
}

/// A digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Which one.
    pub id: DigestId,
    /// Who is told; `None` before it was opened.
    pub account: Option<ActorId>,
    /// How far it has come; `None` before it was opened.
    pub status: Option<DigestStatus>,
    /// Whether a line is urgent.
    pub urgent: bool,
    /// Whether a line has come that does not wait for others.
    #[serde(default)]
    pub at_once: bool,
    /// When it was opened.
    pub opened_at: Option<DateTime<Utc>>,
    /// Its lines in numbers, since it was sent.
    pub summary: Summary,
    /// The lines it shows, the most pressing first, since it was sent.
    pub shown: Vec<AlertId>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
}

impl Digest {
    /// Whether that actor may see it: the person it is for, once it is sent.
    #[must_use]
    pub fn shows_to(&self, actor: &Actor) -> bool {
        self.sent_at.is_some() && self.account.as_ref() == Some(&actor.id)
    }

    fn open(account: &ActorId, urgent: bool, at_once: bool, facts: &Facts) -> Vec<Event> {
        let wait = if at_once { TimeDelta::zero() } else { facts.pace.quiet(urgent).min(facts.pace.longest) };
        let look_at = facts.now + wait;
        vec![Event::Opened { account: account.clone(), urgent, at: facts.now, look_at, at_once }]
    }

    fn hurry(&self, at_once: bool, facts: &Facts) -> Vec<Event> {
        if self.at_once || (self.urgent && !at_once) {
            return Vec::new();
        }
        let look_at = if at_once { facts.now } else { self.due_at(true, facts.now, facts) };
        vec![Event::Hurried { look_at, at_once }]
    }

    fn look(&self, urgent: bool, facts: &Facts) -> Vec<Event> {
        if urgent != self.urgent {
            // It was hurried: the other timer looks after it.
            return Vec::new();
        }
        let last_at = facts.tallies.iter().map(|tally| tally.last_at).max().unwrap_or(facts.now);
        let look_at = self.due_at(urgent, last_at, facts);
        if look_at > facts.now && !self.at_once {
            return vec![Event::PutOff { look_at }];
        }
        vec![Event::Sent { at: facts.now, summary: Summary::of(&facts.tallies), shown: facts.shown.clone() }]
    }

    /// When it is to be sent, if no other line comes.
    fn due_at(&self, urgent: bool, last_at: DateTime<Utc>, facts: &Facts) -> DateTime<Utc> {
        let latest = self.opened_at.unwrap_or(last_at) + facts.pace.longest;
        (last_at + facts.pace.quiet(urgent)).min(latest)
    }
}

impl Aggregate for Digest {
    const NAME: &'static str = "digest";
    type Id = DigestId;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;
    type Facts = Facts;

    fn unborn(id: DigestId) -> Self {
        Self {
            id,
            account: None,
            status: None,
            urgent: false,
            at_once: false,
            opened_at: None,
            summary: Summary::default(),
            shown: Vec::new(),
            sent_at: None,
            read_at: None,
        }
    }

    fn decide(&self, command: &Command, facts: &Facts) -> Result<Vec<Event>, Refusal> {
        use {Command as C, DigestStatus as S};
        match (self.status, command) {
            (None, C::Open { account, urgent, at_once }) => Ok(Self::open(account, *urgent, *at_once, facts)),
            (None, C::Hurry { .. } | C::Look { .. } | C::Settle | C::Read) => Err(Refusal::NoSuchDigest),
            (Some(_), C::Open { .. }) => Ok(Vec::new()),

            (Some(S::Collecting), C::Hurry { at_once }) => Ok(self.hurry(*at_once, facts)),
            (Some(S::Collecting), C::Look { urgent }) => Ok(self.look(*urgent, facts)),
            // Whether any line waits for somebody is counted when it is sent.
            (Some(S::Collecting), C::Settle) => Ok(Vec::new()),

            // A timer that comes when nothing is left to do.
            (Some(S::Delivered | S::Read | S::Settled), C::Hurry { .. } | C::Look { .. }) => Ok(Vec::new()),
            (Some(S::Delivered), C::Settle) => Ok(vec![Event::Settled { at: facts.now }]),
            (Some(S::Read | S::Settled), C::Settle) => Ok(Vec::new()),

            (Some(_), C::Read) if !self.shows_to(&facts.actor) => Err(Refusal::NoSuchDigest),
            (Some(S::Delivered | S::Settled), C::Read) => Ok(vec![Event::Read { at: facts.now }]),
            (Some(S::Read | S::Collecting), C::Read) => Ok(Vec::new()),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Opened { account, urgent, at, at_once, look_at: _ } => Self {
                account: Some(account.clone()),
                status: Some(DigestStatus::Collecting),
                urgent: *urgent,
                at_once: *at_once,
                opened_at: Some(*at),
                ..self
            },
            Event::Hurried { at_once, .. } => Self { urgent: true, at_once: *at_once, ..self },
            Event::PutOff { .. } => self,
            Event::Sent { at, summary, shown } => Self {
                status: Some(if summary.waiting > 0 { DigestStatus::Delivered } else { DigestStatus::Settled }),
                summary: summary.clone(),
                shown: shown.clone(),
                sent_at: Some(*at),
                ..self
            },
            Event::Settled { .. } => Self { status: Some(DigestStatus::Settled), ..self },
            Event::Read { at } => Self { status: Some(DigestStatus::Read), read_at: Some(*at), ..self },
        }
    }
}
