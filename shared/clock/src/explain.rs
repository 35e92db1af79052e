//! Why a clock stands where it stands: every stretch of its time, counted or not, with the rule or the pause that made it so.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use crate::sentence::{called_off, measured, reason, sentence, word};
use crate::{
    calendar::{Calendar, DayRule, Timetable},
    clock::Clock,
    span::Span,
};

/// Why a stretch counted or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
#[schema(as = StretchCause)]
pub enum Cause {
    /// The place was open; all time counts for a clock that runs day and night.
    Open {
        /// By which rule.
        day: DayRule,
        /// Whether the year's public holidays are not loaded yet, so that this may turn out to be wrong.
        provisional: bool,
    },
    /// The place was closed.
    Closed {
        /// By which rule.
        day: DayRule,
        /// Whether the year's public holidays are not loaded yet, so that this may turn out to be wrong.
        provisional: bool,
    },
    /// The clock was paused while the place was open.
    Paused {
        /// By which pause; of several the one that began first.
        pause_id: Uuid,
        /// Why.
        reason: String,
    },
}

/// A stretch of a clock's time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stretch {
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub to: DateTime<Utc>,
    /// How long, in seconds on the wall.
    pub seconds: i64,
    /// Whether it counted.
    pub counted: bool,
    /// Why.
    pub cause: Cause,
    /// Under which target: its place in [`Clock::segments`].
    pub segment: usize,
}

/// Every stretch of a clock's time from its start until it stopped or until now, in order and without a gap. Neighbours differ in cause or target.
///
/// The counted ones add up to [`Reading::elapsed`](crate::Reading::elapsed), the paused ones to [`Reading::paused`](crate::Reading::paused).
#[must_use]
pub fn explain(clock: &Clock, timetable: &Timetable, now: DateTime<Utc>) -> Vec<Stretch> {
    let end = clock.stopped_at.map_or(now, |stopped| stopped.min(now)).timestamp();
    let mut story = Story::of(clock);
    for (index, segment, span) in clock.stretches() {
        story.segment = index;
        let span = Span::new(span.from, span.to.min(end));
        match segment.target.calendar(timetable) {
            Some(calendar) => story.business(calendar, span),
            None => story.open(span, &DayRule::Always, false),
        }
    }
    story.told
}

struct Story<'c> {
    clock: &'c Clock,
    /// When the pauses begin and end: between two of these instants the same pauses lie over the clock.
    turns: Vec<i64>,
    segment: usize,
    told: Vec<Stretch>,
}

impl<'c> Story<'c> {
    fn of(clock: &'c Clock) -> Self {
        let pauses = clock.pauses.iter().filter(|pause| !pause.struck);
        let mut turns: Vec<i64> = pauses.flat_map(|pause| [pause.from.timestamp(), pause.ends()]).collect();
        turns.sort_unstable();
        turns.dedup();
        Self { clock, turns, segment: 0, told: Vec::new() }
    }

    /// A span under a calendar, day by day.
    fn business(&mut self, calendar: &Calendar, span: Span) {
        let mut from = span.from;
        while from < span.to {
            let day = calendar.day(calendar.local_date(from));
            // A day on which the clocks are set back over midnight would end before it began.
            let midnight = Some(calendar.day_span(day.on).to).filter(|to| *to > from);
            let today = Span::new(from, midnight.unwrap_or(from + 3600).min(span.to));
            for opens in calendar.opens_within(today) {
                self.closed(Span::new(from, opens.from), &day.rule, day.provisional);
                self.open(opens, &day.rule, day.provisional);
                from = opens.to;
            }
            self.closed(Span::new(from, today.to), &day.rule, day.provisional);
            from = today.to;
        }
    }

    fn closed(&mut self, span: Span, day: &DayRule, provisional: bool) {
        self.tell(span, Cause::Closed { day: day.clone(), provisional });
    }

    /// An open span counts where no pause lies over it.
    fn open(&mut self, span: Span, day: &DayRule, provisional: bool) {
        let within = |turn: &i64| span.from < *turn && *turn < span.to;
        let mut from = span.from;
        let turns: Vec<i64> = self.turns.iter().copied().filter(within).chain([span.to]).collect();
        for to in turns {
            let over = |from: i64| {
                move |pause: &&crate::clock::Pause| {
                    !pause.struck && pause.from.timestamp() <= from && from < pause.ends()
                }
            };
            let cause = match self.clock.pauses.iter().find(over(from)) {
                Some(pause) => Cause::Paused { pause_id: pause.pause_id, reason: pause.reason.clone() },
                None => Cause::Open { day: day.clone(), provisional },
            };
            self.tell(Span::new(from, to), cause);
            from = to;
        }
    }

    fn tell(&mut self, span: Span, cause: Cause) {
        let (Some(from), Some(to)) = (DateTime::from_timestamp(span.from, 0), DateTime::from_timestamp(span.to, 0))
        else {
            return;
        };
        match self.told.last_mut() {
            _ if span.is_empty() => {}
            Some(last) if last.cause == cause && last.segment == self.segment => {
                last.to = to;
                last.seconds += span.seconds();
            }
            _ => {
                let counted = matches!(cause, Cause::Open { .. });
                self.told.push(Stretch { from, to, seconds: span.seconds(), counted, cause, segment: self.segment });
            }
        }
    }
}
