//! The promise ledger (承諾): every time that was given to the owner, kept or broken.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::Level;
pub use steward_kernel::vocabulary::PromiseKind as What;
use steward_kernel::{text::Line, word_enum};
use uuid::Uuid;

use super::{Account, Cause, Event, Outcome, Refusal, deciding::Deciding};
use crate::domain::timeline::Milestone;

/// The longest time that can be promised ahead.
const AHEAD: TimeDelta = TimeDelta::days(730);

word_enum! {
    /// What came of a promise.
    PromiseOutcome {
        /// It was kept in time.
        Kept = "kept",
        /// Its time passed.
        Broken = "broken",
        /// The owner was given another time before.
        Moved = "moved",
        /// Its object was called off.
        Void = "void",
    }
}

/// A time that was given to the owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Which.
    pub promise_id: Uuid,
    /// What.
    pub what: What,
    /// The team that keeps it: code of its department, '' = the company.
    pub team: String,
    /// When the window begins, of an appointment; none where that was not written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// The date that it takes the place of, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<DateTime<Utc>>,
    /// The clock that it put off, if any: it is kept with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_id: Option<Uuid>,
    /// Why the owner was given another time, if this is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Line>,
    /// Whether it has warned.
    #[serde(default)]
    pub warned: bool,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(PromiseOutcome, DateTime<Utc>)>,
}

impl Promise {
    /// The step by which its owner is told of it; none where another step tells it: that of the visit, or of the decision that commits to it.
    #[must_use]
    pub fn told(&self) -> Option<Milestone> {
        match (self.what, self.previous) {
            (What::Appointment | What::Commitment, _) => None,
            (What::Decision | What::Finish, _) => Some(Milestone::DeadlineExtended),
            (What::Other, None) => Some(Milestone::PromiseMade),
            (What::Other, Some(_)) => Some(Milestone::PromiseMoved),
        }
    }

    fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether it was said to be broken, and what happened then was in time for it: word of that came late.
    fn was_broken_too_early(&self, at: DateTime<Utc>) -> bool {
        matches!(self.ended, Some((PromiseOutcome::Broken, _))) && self.made_at <= at && at <= self.due_at
    }

    /// When it warns: at a share of its time.
    fn warns_at(&self, percent: u8) -> DateTime<Utc> {
        let whole = (self.due_at - self.made_at).num_seconds().max(0);
        self.made_at + TimeDelta::seconds(whole.saturating_mul(i64::from(percent)) / 100)
    }
}

impl Deciding<'_> {
    fn made(&mut self, promise_id: Uuid, what: What, team: &str, due_at: DateTime<Utc>) -> Promise {
        let made_at = self.at;
        let team = team.to_owned();
        Promise {
            promise_id,
            what,
            team,
            from: None,
            due_at,
            made_at,
            previous: None,
            clock_id: None,
            reason: None,
            warned: false,
            ended: None,
        }
    }

    fn end_promise(&mut self, promise_id: Uuid, outcome: PromiseOutcome, at: DateTime<Utc>, reason: Option<Line>) {
        self.emit(Event::PromiseEnded { promise_id, outcome, at, reason, corrects: None });
    }

    fn open_promises(&self, is_meant: impl Fn(&Promise) -> bool) -> Vec<Promise> {
        self.state.promises.iter().filter(|promise| promise.is_open() && is_meant(promise)).cloned().collect()
    }

    /// It was kept before it was said to be broken.
    fn correct_promise(&mut self, promise: &Promise, at: DateTime<Utc>) {
        let promise_id = promise.promise_id;
        let (outcome, corrects) = (PromiseOutcome::Kept, promise.ended);
        self.emit(Event::PromiseEnded { promise_id, outcome, at, reason: None, corrects });
        self.end_climbs_where(|climb| climb.cause == Cause::Promise && climb.about == Some(promise_id));
    }

    /// Kept, or broken when its time is over.
    fn settle(&mut self, promise: &Promise) {
        if self.at <= promise.due_at {
            self.end_promise(promise.promise_id, PromiseOutcome::Kept, self.at, None);
        } else {
            self.break_promise(promise);
        }
    }

    fn break_promise(&mut self, promise: &Promise) {
        self.end_promise(promise.promise_id, PromiseOutcome::Broken, promise.due_at, None);
        self.climb_about(Cause::Promise, promise.promise_id, Some(&promise.team));
    }

    pub(super) fn promise_appointment(&mut self, from: Option<DateTime<Utc>>, due_at: DateTime<Utc>) {
        for promise in self.open_promises(|promise| promise.what == What::Appointment) {
            // What was promised before its start was kept may be told again with it.
            if promise.due_at == due_at && (promise.from.is_none() || promise.from == from) {
                return;
            }
            if self.at <= promise.due_at {
                self.end_promise(promise.promise_id, PromiseOutcome::Moved, self.at, None);
            } else {
                self.break_promise(&promise);
            }
        }
        let promise_id = self.id(&format!("appointment/{}/{}", due_at.timestamp(), self.state.promises.len()));
        let promise = self.made(promise_id, What::Appointment, "", due_at);
        self.emit(Event::PromiseMade { promise: Promise { from, ..promise } });
    }

    /// Somebody is on the spot: who comes within the window, or a little before it, keeps the appointment. Whether it was too early for it.
    pub(super) fn keep_appointment(&mut self) -> bool {
        let at = self.at;
        let appointments = self.state.promises.iter().filter(|promise| promise.what == What::Appointment);
        let mut too_early = false;
        for promise in appointments.cloned().collect::<Vec<_>>() {
            let begins = promise.from.map(|from| from - self.facts.appointment_grace);
            let early = begins.is_some_and(|begins| at < begins);
            match promise.ended {
                None if early => too_early = true,
                None => self.settle(&promise),
                Some(_) if !early && promise.was_broken_too_early(at) => self.correct_promise(&promise, at),
                Some(_) => {}
            }
        }
        too_early
    }

    /// * `dates`: until when so far, and until when now.
    pub(super) fn promise_extension(
        &mut self,
        clock_id: Uuid,
        what: What,
        (previous, due_at): (Option<DateTime<Utc>>, DateTime<Utc>),
        reason: &Line,
    ) {
        let promise_id = self.id(&format!("extension/{clock_id}/{}", due_at.timestamp()));
        let made = self.made(promise_id, what, "", due_at);
        self.give_word(Promise { previous, clock_id: Some(clock_id), reason: Some(reason.clone()), ..made });
    }

    /// A date that the owner is given by itself; who gives it has answered.
    fn give_word(&mut self, promise: Promise) {
        self.emit(Event::PromiseMade { promise });
        self.answered();
    }

    pub(super) fn commit(&mut self, commitments: &[(Uuid, DateTime<Utc>)]) {
        for (promise_id, due_at) in commitments {
            if self.state.promises.iter().any(|known| known.promise_id == *promise_id) {
                continue;
            }
            let promise = self.made(*promise_id, What::Commitment, "", *due_at);
            self.emit(Event::PromiseMade { promise });
        }
    }

    pub(super) fn promise(&mut self, promise_id: Uuid, due_at: DateTime<Utc>, team: &str) -> Result<(), Refusal> {
        if !self.state.open {
            return Err(Refusal::Ended);
        }
        if due_at <= self.facts.now || due_at > self.facts.now + AHEAD {
            return Err(Refusal::PromiseOutOfBounds);
        }
        let promise = self.made(promise_id, What::Other, team, due_at);
        self.give_word(promise);
        Ok(())
    }

    fn known_promise(&self, promise_id: Uuid) -> Result<Promise, Refusal> {
        let known = self.state.promises.iter().find(|known| known.promise_id == promise_id).cloned();
        known.ok_or(Refusal::NoSuchPromise)
    }

    /// By hand, where nothing else can tell: what somebody comes, decides or finishes for is kept by that.
    pub(super) fn keep(&mut self, promise_id: Uuid) -> Result<(), Refusal> {
        match self.known_promise(promise_id)?.what {
            What::Other => self.kept(promise_id),
            What::Appointment | What::Commitment | What::Decision | What::Finish => Err(Refusal::KeptByWhatHappens),
        }
    }

    /// What was promised is done.
    pub(super) fn kept(&mut self, promise_id: Uuid) -> Result<(), Refusal> {
        let promise = self.known_promise(promise_id)?;
        match promise.ended {
            None => self.settle(&promise),
            Some((PromiseOutcome::Kept, _)) => {}
            Some(_) if promise.was_broken_too_early(self.at) => self.correct_promise(&promise, self.at),
            Some(_) => return Err(Refusal::PromiseOver),
        }
        Ok(())
    }

    pub(super) fn move_promise(
        &mut self,
        promise_id: Uuid,
        due_at: DateTime<Utc>,
        reason: &Line,
    ) -> Result<(), Refusal> {
        let promise = self.known_promise(promise_id)?;
        if !promise.is_open() || promise.due_at < self.facts.now {
            return Err(Refusal::PromiseOver);
        }
        // What hangs on a request or a clock has one date, and it is moved there.
        if promise.what == What::Appointment {
            return Err(Refusal::AppointmentOfRequest);
        }
        if promise.clock_id.is_some() || matches!(promise.what, What::Decision | What::Finish) {
            return Err(Refusal::DateOfClock);
        }
        if due_at <= self.facts.now || due_at > self.facts.now + AHEAD || due_at == promise.due_at {
            return Err(Refusal::PromiseOutOfBounds);
        }
        self.end_promise(promise_id, PromiseOutcome::Moved, self.facts.now, Some(reason.clone()));
        let again = self.id(&format!("moved/{promise_id}/{}", due_at.timestamp()));
        let made = self.made(again, promise.what, &promise.team, due_at);
        let (previous, reason) = (Some(promise.due_at), Some(reason.clone()));
        let moved = Promise { previous, reason, ..made };
        if moved.told().is_some() {
            self.give_word(moved);
        } else {
            self.emit(Event::PromiseMade { promise: moved });
        }
        Ok(())
    }

    /// The case is over: what was committed to lives on, the rest has lost its object. A date that was put off was kept with its clock.
    pub(super) fn void_promises(&mut self) {
        self.look_at_promises_of_clocks();
        for promise in self.open_promises(|promise| promise.what != What::Commitment) {
            if promise.due_at < self.at {
                self.break_promise(&promise);
            } else {
                self.end_promise(promise.promise_id, PromiseOutcome::Void, self.at, None);
            }
        }
    }

    /// A date that a clock was put off to is kept when the clock is met by then, and has lost its object when the clock is void.
    fn look_at_promises_of_clocks(&mut self) {
        for promise in self.state.promises.clone() {
            let Some(kept) = promise.clock_id.and_then(|id| self.state.clock(id)) else { continue };
            let Some((outcome, at)) = kept.outcome.zip(kept.clock.stopped_at).filter(|(_, at)| *at <= promise.due_at)
            else {
                continue;
            };
            match (promise.ended, outcome) {
                (None, Outcome::Met) => self.end_promise(promise.promise_id, PromiseOutcome::Kept, at, None),
                (None, Outcome::Void) => self.end_promise(promise.promise_id, PromiseOutcome::Void, at, None),
                (Some((PromiseOutcome::Broken, _)), Outcome::Met) => self.correct_promise(&promise, at),
                (None | Some(_), _) => {}
            }
        }
    }

    /// Warns before a promise is broken, and says so when it is.
    pub(super) fn look_at_promises(&mut self) {
        self.look_at_promises_of_clocks();
        let percent = self.facts.ruling.policies.promise_warning_percent();
        for promise in self.open_promises(|_| true) {
            if promise.due_at < self.facts.now {
                self.break_promise(&promise);
            } else if !promise.warned && self.warns_at(&promise, percent) <= self.facts.now {
                let told = self.warned(&promise);
                self.emit(Event::PromiseWarned { promise_id: promise.promise_id, told });
            }
        }
    }

    /// In the hours of the team, unless they begin too late to be warned of anything.
    fn warns_at(&self, promise: &Promise, percent: u8) -> DateTime<Utc> {
        let at = promise.warns_at(percent);
        let team = Some(promise.team.as_str()).filter(|team| !team.is_empty());
        let begins = self.hours_begin(at, team);
        if begins < promise.due_at { begins } else { at }
    }

    fn warned(&self, promise: &Promise) -> Vec<Account> {
        let mut told = self.told(Level::Worker, None, None);
        told.extend(self.told(Level::Lead, Some(&promise.team), None));
        told.dedup();
        told
    }

    pub(super) fn next_of_words(&self) -> impl Iterator<Item = DateTime<Utc>> {
        let percent = self.facts.ruling.policies.promise_warning_percent();
        let open = self.state.promises.iter().filter(|promise| promise.is_open());
        let promises = open.flat_map(move |promise| {
            let warning = (!promise.warned).then(|| self.warns_at(promise, percent));
            warning.into_iter().chain([promise.due_at + TimeDelta::seconds(1)])
        });
        let lapse = self.state.accountable.hand_over.iter().map(|hand_over| hand_over.lapses_at);
        promises.chain(lapse)
    }
}
