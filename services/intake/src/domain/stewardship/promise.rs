//! The promise ledger (承諾): every time that was given to the owner, kept or broken.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::Level;
use steward_kernel::{text::Line, word_enum};
use uuid::Uuid;

use super::{Account, Cause, Event, Refusal, deciding::Deciding};

/// The longest time that can be promised ahead.
const AHEAD: TimeDelta = TimeDelta::days(730);

word_enum! {
    /// What was promised.
    What {
        /// Somebody comes within a window.
        Appointment = "appointment",
        /// An action of a decision.
        Commitment = "commitment",
        /// A decision by a date that was put off.
        Decision = "decision",
        /// It is finished by a date that was put off.
        Finish = "finish",
        /// Something else, until then.
        Other = "other",
    }
}

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
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
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
    fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// When it warns: at a share of its time.
    fn warns_at(&self, percent: u8) -> DateTime<Utc> {
        let whole = (self.due_at - self.made_at).num_seconds().max(0);
        self.made_at + TimeDelta::seconds(whole.saturating_mul(i64::from(percent)) / 100)
    }
}

impl Deciding<'_> {
    fn made(&mut self, promise_id: Uuid, what: What, team: &str, due_at: DateTime<Utc>) -> Promise {
        let made_at = self.facts.at;
        let team = team.to_owned();
        Promise { promise_id, what, team, due_at, made_at, clock_id: None, reason: None, warned: false, ended: None }
    }

    fn end_promise(&mut self, promise_id: Uuid, outcome: PromiseOutcome, at: DateTime<Utc>, reason: Option<Line>) {
        self.emit(Event::PromiseEnded { promise_id, outcome, at, reason });
    }

    fn open_promises(&self, is_meant: impl Fn(&Promise) -> bool) -> Vec<Promise> {
        self.state.promises.iter().filter(|promise| promise.is_open() && is_meant(promise)).cloned().collect()
    }

    /// Kept, or broken when its time is over.
    fn settle(&mut self, promise: &Promise) {
        if self.facts.at <= promise.due_at {
            self.end_promise(promise.promise_id, PromiseOutcome::Kept, self.facts.at, None);
        } else {
            self.break_promise(promise);
        }
    }

    fn break_promise(&mut self, promise: &Promise) {
        self.end_promise(promise.promise_id, PromiseOutcome::Broken, promise.due_at, None);
        self.climb_of(Cause::Promise, &promise.promise_id.to_string(), Some(&promise.team), None);
    }

    pub(super) fn promise_appointment(&mut self, due_at: DateTime<Utc>) {
        for promise in self.open_promises(|promise| promise.what == What::Appointment) {
            if promise.due_at == due_at {
                return;
            }
            let outcome = if self.facts.at <= promise.due_at { PromiseOutcome::Moved } else { PromiseOutcome::Broken };
            self.end_promise(promise.promise_id, outcome, self.facts.at, None);
        }
        let promise_id = self.id(&format!("appointment/{}/{}", due_at.timestamp(), self.state.promises.len()));
        let promise = self.made(promise_id, What::Appointment, "", due_at);
        self.emit(Event::PromiseMade { promise });
    }

    pub(super) fn keep_appointment(&mut self) {
        for promise in self.open_promises(|promise| promise.what == What::Appointment) {
            self.settle(&promise);
        }
    }

    pub(super) fn promise_extension(&mut self, clock_id: Uuid, what: What, due_at: DateTime<Utc>, reason: &Line) {
        let promise_id = self.id(&format!("extension/{clock_id}/{}", due_at.timestamp()));
        let made = self.made(promise_id, what, "", due_at);
        let promise = Promise { clock_id: Some(clock_id), reason: Some(reason.clone()), ..made };
        self.emit(Event::PromiseMade { promise });
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
        self.emit(Event::PromiseMade { promise });
        Ok(())
    }

    pub(super) fn keep(&mut self, promise_id: Uuid) -> Result<(), Refusal> {
        let known = self.state.promises.iter().find(|known| known.promise_id == promise_id).cloned();
        let promise = known.ok_or(Refusal::NoSuchPromise)?;
        match promise.ended {
            None => {
                self.settle(&promise);
                Ok(())
            }
            Some((PromiseOutcome::Kept, _)) => Ok(()),
            Some(_) => Err(Refusal::PromiseOver),
        }
    }

    pub(super) fn move_promise(
        &mut self,
        promise_id: Uuid,
        due_at: DateTime<Utc>,
        reason: &Line,
    ) -> Result<(), Refusal> {
        let known = self.state.promises.iter().find(|known| known.promise_id == promise_id).cloned();
        let promise = known.ok_or(Refusal::NoSuchPromise)?;
        if !promise.is_open() || promise.due_at < self.facts.now {
            return Err(Refusal::PromiseOver);
        }
        if due_at <= self.facts.now || due_at > self.facts.now + AHEAD || due_at == promise.due_at {
            return Err(Refusal::PromiseOutOfBounds);
        }
        self.end_promise(promise_id, PromiseOutcome::Moved, self.facts.now, Some(reason.clone()));
        let again = self.id(&format!("moved/{promise_id}/{}", due_at.timestamp()));
        let made = self.made(again, promise.what, &promise.team, due_at);
        self.emit(Event::PromiseMade { promise: Promise { reason: Some(reason.clone()), ..made } });
        Ok(())
    }

    /// The case is over: what was committed to lives on, the rest has lost its object. A date that was put off was kept with its clock.
    pub(super) fn void_promises(&mut self) {
        for promise in self.open_promises(|promise| promise.what != What::Commitment) {
            if promise.due_at < self.facts.at {
                self.break_promise(&promise);
            } else {
                self.end_promise(promise.promise_id, PromiseOutcome::Void, self.facts.at, None);
            }
        }
    }

    /// Warns before a promise is broken, and says so when it is. One that put a clock off is kept when the clock is stopped in time.
    pub(super) fn look_at_promises(&mut self) {
        let percent = self.facts.ruling.policies.promise_warning_percent();
        for promise in self.open_promises(|_| true) {
            let stopped = promise.clock_id.and_then(|id| self.state.clock(id)).and_then(|kept| kept.clock.stopped_at);
            match stopped {
                Some(at) if at <= promise.due_at => {
                    self.end_promise(promise.promise_id, PromiseOutcome::Kept, at, None);
                }
                _ if promise.due_at < self.facts.now => self.break_promise(&promise),
                _ if !promise.warned && promise.warns_at(percent) <= self.facts.now => {
                    let told = self.warned(&promise);
                    self.emit(Event::PromiseWarned { promise_id: promise.promise_id, told });
                }
                _ => {}
            }
        }
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
            let warning = (!promise.warned).then(|| promise.warns_at(percent));
            warning.into_iter().chain([promise.due_at + TimeDelta::seconds(1)])
        });
        let lapse = self.state.accountable.hand_over.iter().map(|hand_over| hand_over.lapses_at);
        promises.chain(lapse)
    }
}
