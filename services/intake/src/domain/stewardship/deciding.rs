//! A decision under way: the state so far, and the events that led to it. Whatever it is, it ends with a look at what is due and at what comes next.

use chrono::{DateTime, TimeDelta, Utc};
use steward_clock::span::NEVER;
use uuid::Uuid;

use super::{Account, Due, Event, Facts, HandOverOutcome, Matter, Schedule, Stewardship, Why};
use crate::domain::ruling::HEAD_OFFICE;

pub(super) struct Deciding<'f> {
    pub(super) state: Stewardship,
    pub(super) matter: Matter,
    pub(super) facts: &'f Facts,
    /// When what is followed happened: as told, or when what had to wait happened.
    pub(super) at: DateTime<Utc>,
    events: Vec<Event>,
}

/// Seconds since 1970 as a time; never = none.
pub(super) fn instant(seconds: i64) -> Option<DateTime<Utc>> {
    if seconds == NEVER { None } else { DateTime::from_timestamp(seconds, 0) }
}

impl<'f> Deciding<'f> {
    pub(super) fn of(state: &Stewardship, facts: &'f Facts) -> Self {
        let matter = state.matter.as_deref().cloned().unwrap_or_else(|| Matter::unknown(facts.now));
        Self { state: state.clone(), matter, facts, at: facts.at, events: Vec::new() }
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.state.apply(&event);
        if let Some(matter) = &self.state.matter {
            self.matter.clone_from(matter);
        }
        self.events.push(event);
    }

    /// An id that follows from the case and from what it is of: born once, whatever is repeated.
    pub(super) fn id(&self, of: &str) -> Uuid {
        Uuid::new_v5(&self.state.id.get(), of.as_bytes())
    }

    pub(super) fn begin(mut self, matter: &Matter, receiver: Option<&str>, adopted: bool, archived: bool) -> Self {
        self.matter = matter.clone();
        let from = if adopted { self.at } else { matter.said_at };
        let clocks = self.first_clocks(from, adopted);
        let is_late = clocks.iter().any(|clock| clock.late_entry);
        self.emit(Event::Began { matter: Box::new(matter.clone()), clocks });
        let (account, why) = match receiver {
            Some(receiver) => (receiver.to_owned(), Why::FirstReceiver),
            None => (self.facts.ruling.first_receiver(self.state.id.get()), Why::Post),
        };
        self.name(account, why);
        if is_late {
            self.climb_late(archived);
        }
        self
    }

    /// Somebody answers for the case from now on. If that is the head office, since nobody else is there, it is told.
    pub(super) fn name(&mut self, account: Account, why: Why) {
        let previous = self.state.accountable.account().map(str::to_owned);
        let unowned = account == HEAD_OFFICE;
        self.emit(Event::AccountableNamed { account: account.clone(), previous, why, at: self.facts.now });
        self.tasks_of_naming(&account, why);
        if unowned {
            self.climb(super::Cause::Unowned, None);
        } else {
            self.end_climbs_where(|climb| climb.cause == super::Cause::Unowned && climb.work_order.is_none());
        }
    }

    /// The case is over: nothing runs on but what was committed to.
    pub(super) fn end(&mut self) {
        if !self.state.open {
            return;
        }
        self.stop_all();
        if let Some(hand_over) = self.state.accountable.hand_over.clone() {
            self.end_hand_over(hand_over, HandOverOutcome::Withdrawn, None);
        }
        self.void_promises();
        self.end_climbs();
        self.tasks_of_end();
        self.emit(Event::Ended { at: self.at });
    }

    /// The events, after everything that is due was done and the next look was set.
    pub(super) fn done(mut self) -> Vec<Event> {
        self.look();
        let schedule = self.schedule();
        if schedule.next_at != self.state.next_at || !schedule.clocks.is_empty() || self.timer_is_spent(&schedule) {
            self.emit(Event::Scheduled { schedule });
        }
        self.events
    }

    /// The timer that brought us here is gone: it must be set again even if nothing has changed.
    fn timer_is_spent(&self, schedule: &Schedule) -> bool {
        schedule.next_at.is_some() && self.state.next_at.is_some_and(|next| next <= self.facts.now)
    }

    fn schedule(&self) -> Schedule {
        let soon = self.facts.now + TimeDelta::seconds(1);
        let next = self
            .next_of_clocks()
            .chain(self.next_of_climbs())
            .chain(self.next_of_words())
            .chain(self.next_of_tasks())
            .min();
        let clocks = self.state.clocks.iter().filter(|kept| kept.outcome.is_none()).filter_map(|kept| {
            let due = self.due_of(kept);
            (due != kept.due).then_some((kept.clock_id, due))
        });
        Schedule { next_at: next.map(|next| next.max(soon)), clocks: clocks.collect() }
    }

    fn due_of(&self, kept: &super::KeptClock) -> Due {
        let timetable = &self.facts.timetable;
        let paused = kept.clock.pause_at(self.facts.now);
        Due {
            due_at: instant(kept.clock.due_at(timetable)),
            at_risk_at: instant(kept.clock.share_at(timetable, super::clocks::AT_RISK_PERCENT)),
            paused: paused.is_some(),
        }
    }
}
