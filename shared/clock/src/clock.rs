//! A clock: how much of a target's time has counted. A pure function of what happened and of the calendars in the versions it was pinned to; nothing is
//! forgotten, so it can be worked out again at any time, and explained.
//!
//! - A **change of target** (priority, policy, extension) splits the clock: what has counted stays, counted by the calendar that stood then; what
//!   the new target gives is measured from the clock's start. Once breached it stays breached. A time that was agreed upon ([`Amount::Until`]) is due
//!   then, whatever has counted; only a pause that begins later moves it, or one that outlasts it.
//! - A **pause** takes out the open time under it, once, however many pauses lie over each other; it ends when it is resumed or by itself at its cap. One
//!   that was struck (the owner's objection was upheld) takes out nothing.
//! - A target may have a **limit on the wall** beside its business time ("one business day, 24 hours at most"); the earlier one binds.
//!
//! A clock is due with the last second of its time: stopped in that second it is in time, running a second later it is breached.
//!
//! ```
//! use chrono::{DateTime, Utc};
//! use steward_clock::{Clock, ClockEvent, Pin, Target, Timetable, clock::Pause};
//! use uuid::Uuid;
//!
//! let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
//! let timetable = Timetable::default();
//! let target = Target { within: "2h".parse().unwrap(), pin: Pin::always("Asia/Shanghai"), at_most_seconds: None };
//! let start = at("2026-11-23T01:00:00Z");
//! let clock = Clock::of(&[
//!     ClockEvent::Started { at: start, budget: target.budget(start, &timetable), target },
//!     ClockEvent::Paused(Pause {
//!         pause_id: Uuid::nil(),
//!         from: at("2026-11-23T01:30:00Z"),
//!         to: None,
//!         reason: "access".to_owned(),
//!         cap_seconds: Some(3600),
//!         evidence: Vec::new(),
//!         struck: false,
//!     }),
//! ]);
//!
//! let reading = clock.read(&timetable, at("2026-11-23T03:00:00Z")).unwrap();
//! assert_eq!((reading.elapsed, reading.paused, reading.remaining()), (3600, 3600, 3600));
//! assert_eq!(reading.due_at, at("2026-11-23T04:00:00Z").timestamp());
//! ```

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_kernel::word_enum;
use uuid::Uuid;

use crate::{
    amount::Amount,
    calendar::{Calendar, Pin, Timetable},
    span::{NEVER, Span, Spans},
};

/// How much time a clock gives, by which calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The time.
    pub within: Amount,
    /// The calendar, in a version.
    pub pin: Pin,
    /// Whatever the calendar: at most so many seconds on the wall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most_seconds: Option<u32>,
}

word_enum! {
    /// Why a clock has another target from then on.
    Change {
        /// It is the first one.
        Start = "start",
        /// The priority was changed.
        Priority = "priority",
        /// Kind or category turned out to be another.
        Classification = "classification",
        /// The policy was changed and the clock was re-based on purpose.
        Policy = "policy",
        /// More time was granted before the old time was over.
        Extension = "extension",
        /// A time was agreed with the owner.
        Appointment = "appointment",
    }
}

/// A stretch of a clock's life under one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Since when; one from before the start stands from the start on.
    pub since: DateTime<Utc>,
    /// Why.
    pub change: Change,
    /// The target.
    pub target: Target,
    /// How many seconds it gives, measured from the clock's start. Not looked at when a time was agreed upon: see [`Reading::budget`].
    pub budget: i64,
}

/// A stretch that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Which; the same for all clocks that one cause pauses.
    pub pause_id: Uuid,
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when; none as long as it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// Why, in one word of the policy: `awaiting_owner`, `access`.
    pub reason: String,
    /// After so many seconds on the wall it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_seconds: Option<u32>,
    /// What proves it: files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Uuid>,
    /// Whether an objection against it was upheld: it takes out nothing.
    #[serde(default)]
    pub struck: bool,
}

impl Pause {
    /// When it ends: resumed, or by itself; [`NEVER`] when neither is known.
    #[must_use]
    pub fn ends(&self) -> i64 {
        let cap = self.cap_seconds.map_or(NEVER, |cap| self.from.timestamp() + i64::from(cap));
        self.to.map_or(NEVER, |to| to.timestamp()).min(cap)
    }

    /// Whether it has ended, or will end, by itself.
    #[must_use]
    pub fn ends_by_itself(&self) -> bool {
        self.cap_seconds.is_some() && self.to.is_none_or(|to| to.timestamp() > self.ends())
    }

    fn span(&self) -> Span {
        Span::new(self.from.timestamp(), self.ends())
    }
}

/// What happens to a clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ClockEvent {
    /// It starts.
    Started {
        /// When.
        at: DateTime<Utc>,
        /// With this target.
        target: Target,
        /// Which gives so many seconds.
        budget: i64,
    },
    /// It is paused.
    Paused(Pause),
    /// A pause is over.
    Resumed {
        /// Which.
        pause_id: Uuid,
        /// When.
        at: DateTime<Utc>,
    },
    /// A pause takes out nothing: an objection was upheld.
    Struck {
        /// Which.
        pause_id: Uuid,
    },
    /// It has another target from then on.
    Retargeted {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        change: Change,
        /// The target.
        target: Target,
        /// Which gives so many seconds from the clock's start.
        budget: i64,
    },
    /// Its calendars are read in other versions, from its start on.
    Rebased {
        /// For each segment in order: the new version and how many seconds it gives.
        segments: Vec<(Pin, i64)>,
    },
    /// It stops.
    Stopped {
        /// When.
        at: DateTime<Utc>,
    },
}

/// A clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Its targets, in order of time; the first one's `since` is its start. None before it was started.
    pub segments: Vec<Segment>,
    /// What does not count, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// When it stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<DateTime<Utc>>,
    /// Whether it was overdue when it was written down. No event says so: whoever writes it down does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late_entry: bool,
}

word_enum! {
    /// How a clock stands.
    ClockState {
        /// It runs.
        Running = "running",
        /// It is paused.
        Paused = "paused",
        /// It has stopped.
        Stopped = "stopped",
    }
}

/// How a clock stands at an instant. All times in seconds; instants since 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// How it stands.
    pub state: ClockState,
    /// What has counted.
    pub elapsed: i64,
    /// What the last target gives, measured from the start. Until a time that was agreed upon: what had counted then, and what was left until that time.
    pub budget: i64,
    /// Open time under pauses.
    pub paused: i64,
    /// When it is due; [`NEVER`] while a pause without a cap lasts.
    pub due_at: i64,
    /// When its time was first over without it being stopped.
    pub breached_at: Option<i64>,
    /// When the pause that lasts ends by itself; [`NEVER`] when it does not, none when there is none.
    pub paused_until: Option<i64>,
    /// Used share, percent, rounded down; over 100 when it is overdue. The limit on the wall has a share of its own; the greater one counts.
    pub share: i64,
}

impl Reading {
    /// What is left; negative when it is overdue.
    #[must_use]
    pub fn remaining(&self) -> i64 {
        self.budget - self.elapsed
    }
}

impl Target {
    /// The calendar that counts it; none = the wall.
    pub(crate) fn calendar<'t>(&self, timetable: &'t Timetable) -> Option<&'t Calendar> {
        if self.within.is_wall_time() || self.pin.calendar.is_none() {
            return None;
        }
        Some(timetable.get(&self.pin)).filter(|calendar| !calendar.is_always())
    }

    /// How many seconds it gives to a clock that starts then.
    #[must_use]
    pub fn budget(&self, start: DateTime<Utc>, timetable: &Timetable) -> i64 {
        self.within.budget(start.timestamp(), timetable.get(&self.pin))
    }
}

fn open(calendar: Option<&Calendar>, span: Span) -> i64 {
    calendar.map_or_else(|| span.seconds(), |calendar| calendar.open_seconds(span.from, span.to))
}

fn after(calendar: Option<&Calendar>, from: i64, seconds: i64) -> i64 {
    calendar.map_or_else(|| from.saturating_add(seconds), |calendar| calendar.after(from, seconds))
}

/// Open time of a span that lies under the holds.
fn held(calendar: Option<&Calendar>, span: Span, holds: &[Span]) -> i64 {
    holds.iter().map(|hold| open(calendar, hold.within(span))).sum()
}

/// Open time of a span that lies under none of the holds.
fn counted(calendar: Option<&Calendar>, span: Span, holds: &[Span]) -> i64 {
    open(calendar, span) - held(calendar, span, holds)
}

/// The first instant at which so much has counted since `from`.
fn reach(calendar: Option<&Calendar>, from: i64, needed: i64, holds: &[Span]) -> i64 {
    if needed <= 0 {
        return from;
    }
    let (mut at, mut left) = (from, needed);
    for hold in holds.iter().filter(|hold| hold.to > from) {
        let before = open(calendar, Span::new(at, hold.from));
        if before >= left {
            break;
        }
        left -= before;
        at = hold.to;
        if at == NEVER {
            return NEVER;
        }
    }
    after(calendar, at, left)
}

/// Used share, percent, rounded down. Of nothing everything is used.
fn share(elapsed: i64, budget: i64) -> i64 {
    if budget <= 0 { 100 } else { elapsed.saturating_mul(100) / budget }
}

/// The least time that is that share of all, rounded up.
fn part(all: i64, percent: u16) -> i64 {
    all.saturating_mul(i64::from(percent)).saturating_add(99) / 100
}

/// A target, and what was carried into it.
#[derive(Clone, Copy)]
struct Leg<'c> {
    segment: &'c Segment,
    span: Span,
    calendar: Option<&'c Calendar>,
    /// What had counted before it.
    carried: i64,
    /// What it gives, measured from the clock's start.
    budget: i64,
    /// Not due before this.
    agreed: i64,
}

impl Leg<'_> {
    /// When so much is used up under this target: by its calendar, or by the wall if that is earlier. When the target found it used up already: when it
    /// was first, or when the target began.
    ///
    /// * `before`: the same under the target before.
    fn used_up(&self, start: i64, holds: &[Span], before: i64, of: impl Fn(i64) -> i64) -> i64 {
        let (since, needed) = (self.span.from, of(self.budget));
        let mut at = reach(self.calendar, since, needed - self.carried, holds);
        if needed >= self.budget {
            at = at.max(self.agreed);
        }
        if let Some(most) = self.segment.target.at_most_seconds {
            at = at.min(reach(None, start, of(i64::from(most)), holds)).max(since);
        }
        if at <= since { at.min(before) } else { at }
    }
}

impl Clock {
    /// The clock of these events.
    #[must_use]
    pub fn of<'a>(events: impl IntoIterator<Item = &'a ClockEvent>) -> Self {
        events.into_iter().fold(Self::default(), Self::after)
    }

    /// The clock after one more event. What comes late takes the place of its time, so that the order does not matter, except that a pause comes
    /// before its own end.
    #[must_use]
    pub fn after(mut self, event: &ClockEvent) -> Self {
        match event {
            ClockEvent::Started { at, target, budget } => {
                self.segments.retain(|known| known.change != Change::Start);
                let (target, change) = (target.clone(), Change::Start);
                self.segments.insert(0, Segment { since: *at, change, target, budget: *budget });
            }
            ClockEvent::Paused(pause) => {
                let place =
                    self.pauses.partition_point(|known| (known.from, known.pause_id) <= (pause.from, pause.pause_id));
                self.pauses.insert(place, pause.clone());
            }
            ClockEvent::Resumed { pause_id, at } => {
                for pause in self.pauses.iter_mut().filter(|pause| pause.pause_id == *pause_id && pause.to.is_none()) {
                    pause.to = Some(*at);
                }
            }
            ClockEvent::Struck { pause_id } => {
                for pause in self.pauses.iter_mut().filter(|pause| pause.pause_id == *pause_id) {
                    pause.struck = true;
                }
            }
            ClockEvent::Retargeted { at, change, target, budget } => {
                let started = usize::from(self.segments.first().is_some_and(|first| first.change == Change::Start));
                let place = started + self.segments[started..].partition_point(|known| known.since <= *at);
                let segment = Segment { since: *at, change: *change, target: target.clone(), budget: *budget };
                self.segments.insert(place, segment);
            }
            ClockEvent::Rebased { segments } => {
                for (segment, (pin, budget)) in self.segments.iter_mut().zip(segments) {
                    segment.target.pin = pin.clone();
                    segment.budget = *budget;
                }
            }
            ClockEvent::Stopped { at } => {
                self.stopped_at = Some(self.stopped_at.map_or(*at, |known| known.min(*at)));
            }
        }
        self
    }

    /// When it started.
    #[must_use]
    pub fn started_at(&self) -> Option<DateTime<Utc>> {
        self.segments.first().map(|first| first.since)
    }

    /// The target in force.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        self.segments.last().map(|last| &last.target)
    }

    /// The pause that lasts at an instant: of several the one that ends last. None lasts longer than the clock.
    #[must_use]
    pub fn pause_at(&self, now: DateTime<Utc>) -> Option<&Pause> {
        let at = now.timestamp();
        let lasting =
            |pause: &&Pause| !pause.struck && pause.from.timestamp() <= at && at < pause.ends().min(self.end());
        self.pauses.iter().filter(lasting).max_by_key(|pause| pause.ends())
    }

    /// When it stopped; [`NEVER`] as long as it runs.
    fn end(&self) -> i64 {
        self.stopped_at.map_or(NEVER, |at| at.timestamp())
    }

    /// What does not count, merged. A pause ends with the clock.
    pub(crate) fn holds(&self) -> Spans {
        let pauses = self.pauses.iter().filter(|pause| !pause.struck);
        Spans::of(pauses.map(|pause| pause.span().within(Span::new(i64::MIN, self.end()))))
    }

    /// How it stands at an instant; none before it was started.
    #[must_use]
    pub fn read(&self, timetable: &Timetable, now: DateTime<Utc>) -> Option<Reading> {
        let start = self.started_at()?.timestamp();
        let end = self.end().min(now.timestamp());
        let holds = self.holds();
        let holds = holds.as_slice();
        let (mut elapsed, mut paused, mut breached_at, mut due_at, mut last) = (0, 0, None, NEVER, None);
        for leg in self.legs(timetable, holds) {
            due_at = leg.used_up(start, holds, due_at, |budget| budget);
            if breached_at.is_none() && due_at < leg.span.to && due_at < end {
                breached_at = Some(due_at);
            }
            let past = Span::new(leg.span.from, leg.span.to.min(end));
            let held = held(leg.calendar, past, holds);
            elapsed += open(leg.calendar, past) - held;
            paused += held;
            last = Some(leg);
        }
        let last = last?;
        let lasting = holds.iter().find(|hold| hold.from <= end && end < hold.to).map(|hold| hold.to);
        let state = match (self.stopped_at, lasting) {
            (Some(stopped), _) if stopped <= now => ClockState::Stopped,
            (_, Some(_)) => ClockState::Paused,
            (_, None) => ClockState::Running,
        };
        let most = last.segment.target.at_most_seconds.map(i64::from);
        let wall_share = most.map_or(0, |most| share(counted(None, Span::new(start, end), holds), most));
        Some(Reading {
            state,
            elapsed,
            budget: last.budget,
            paused,
            due_at,
            breached_at,
            paused_until: lasting.filter(|_| state == ClockState::Paused),
            share: share(elapsed, last.budget).max(wall_share),
        })
    }

    /// When it is due: see [`Reading::due_at`].
    #[must_use]
    pub fn due_at(&self, timetable: &Timetable) -> i64 {
        self.share_at(timetable, 100)
    }

    /// When a share of its time is used up under the target in force. One that is used up under it at once was used up before, or is when the target
    /// begins. [`NEVER`] while a pause without a cap lasts.
    ///
    /// * `percent`: 0 = at once, 100 = when it is due; more is overdue.
    #[must_use]
    pub fn share_at(&self, timetable: &Timetable, percent: u16) -> i64 {
        self.used_up(timetable, |budget| part(budget, percent))
    }

    /// When so many open seconds more have counted after the clock was due: for what repeats.
    #[must_use]
    pub fn overdue_at(&self, timetable: &Timetable, seconds: i64) -> i64 {
        let due = self.due_at(timetable);
        let calendar = self.target().and_then(|target| target.calendar(timetable));
        if due == NEVER { NEVER } else { reach(calendar, due, seconds, self.holds().as_slice()) }
    }

    /// When so many seconds are left before it is due, of its calendar or on the wall, whichever is earlier; its start at the earliest.
    #[must_use]
    pub fn left_at(&self, timetable: &Timetable, seconds: i64) -> i64 {
        self.used_up(timetable, |budget| budget.saturating_sub(seconds))
    }

    /// What is left until it is due, and whether that is open time of a calendar: none of it when the limit on the wall is earlier.
    pub(crate) fn left(&self, reading: &Reading, timetable: &Timetable, now: i64) -> (i64, bool) {
        let calendar = self.target().and_then(|target| target.calendar(timetable));
        let limit = self.target().and_then(|target| target.at_most_seconds).map(i64::from);
        let start = self.started_at().map_or(now, |at| at.timestamp());
        let holds = self.holds();
        let by_wall = limit.filter(|most| reach(None, start, *most, holds.as_slice()) <= reading.due_at);
        by_wall.map_or((reading.remaining(), calendar.is_some()), |most| {
            (most - counted(None, Span::new(start, now), holds.as_slice()), false)
        })
    }

    fn used_up(&self, timetable: &Timetable, of: impl Fn(i64) -> i64) -> i64 {
        let start = self.started_at().map_or(NEVER, |at| at.timestamp());
        let holds = self.holds();
        let legs = self.legs(timetable, holds.as_slice());
        legs.fold(NEVER, |before, leg| leg.used_up(start, holds.as_slice(), before, &of))
    }

    /// The segments with the spans in which they stand and their places; those that stand for no time are left out.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = (usize, &Segment, Span)> {
        let start = self.started_at().map_or(NEVER, |at| at.timestamp());
        let since = move |segment: &Segment| segment.since.timestamp().max(start);
        let next = self.segments.iter().skip(1).map(since).chain([NEVER]);
        let stretches = self.segments.iter().enumerate().zip(next);
        stretches
            .map(move |((index, segment), next)| (index, segment, Span::new(since(segment), next)))
            .filter(|(.., span)| !span.is_empty())
    }

    fn legs<'a>(&'a self, timetable: &'a Timetable, holds: &'a [Span]) -> impl Iterator<Item = Leg<'a>> {
        self.stretches().scan(None::<Leg<'_>>, move |before, (_, segment, span)| {
            let carried = before.map_or(0, |leg| leg.carried + counted(leg.calendar, leg.span, holds));
            let calendar = segment.target.calendar(timetable);
            let (budget, agreed) = match segment.target.within {
                Amount::Until(until) => self.agreed(until.timestamp(), span.from, carried, holds),
                _ => (segment.budget, i64::MIN),
            };
            *before = Some(Leg { segment, span, calendar, carried, budget, agreed });
            *before
        })
    }

    /// What is left until a time that is agreed upon while the clock runs, and when it is due at the earliest: then, or when the pause is over that lasts
    /// at the agreement and beyond that time.
    fn agreed(&self, until: i64, since: i64, carried: i64, holds: &[Span]) -> (i64, i64) {
        let known = self.pauses.iter().filter(|pause| !pause.struck && pause.from.timestamp() < since);
        let resumes = known.map(|pause| pause.ends().min(self.end())).fold(since, i64::max);
        if resumes < until || resumes == since {
            return (carried + until.saturating_sub(resumes).max(0), until);
        }
        let lasting = holds.iter().find(|hold| hold.from <= since && since < hold.to);
        (carried, lasting.map_or(until, |hold| hold.to))
    }
}
