//! Who answers for a case (首問責任): exactly one at every instant. A hand-over changes that only when it is accepted; refusal and silence leave it as it was.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_clock::Hours;
use steward_kernel::text::Line;

use super::{
    Account, Event, HandOverOutcome, LEADS, Refusal, Why,
    deciding::{Deciding, instant},
};

/// Somebody was asked to answer for a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// Who asked.
    pub by: Account,
    /// Who answers until it is accepted.
    pub from: Account,
    /// Who was asked.
    pub to: Account,
    /// Why.
    pub reason: Line,
    /// When.
    pub at: DateTime<Utc>,
    /// When silence counts as a refusal.
    pub lapses_at: DateTime<Utc>,
}

/// Who answers for a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accountable {
    account: Option<Account>,
    /// Why.
    pub why: Why,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// Who was asked to take over, if anybody.
    pub hand_over: Option<HandOver>,
}

impl Accountable {
    /// Before the beginning.
    pub(super) const fn nobody() -> Self {
        Self { account: None, why: Why::Post, since: None, hand_over: None }
    }

    /// Who it is: from the beginning on there is always one, and never two.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    pub(super) fn name(&mut self, account: &str, why: Why, at: DateTime<Utc>) {
        (self.account, self.why, self.since) = (Some(account.to_owned()), why, Some(at));
    }
}

impl Deciding<'_> {
    fn caller(&self) -> &str {
        self.facts.actor.id.as_str()
    }

    /// Whether the caller is that person or acts for them now.
    pub(super) fn acts_for(&self, account: &str) -> bool {
        self.caller() == account || self.facts.ruling.acting_for(account) == self.caller()
    }

    fn answers(&self) -> bool {
        self.state.accountable.account().is_some_and(|account| self.acts_for(account))
    }

    pub(super) fn hand_over(&mut self, to: &str, reason: &Line) -> Result<(), Refusal> {
        if !self.state.open {
            return Err(Refusal::Ended);
        }
        if !self.answers() && !self.facts.actor.is_any(&LEADS) {
            return Err(Refusal::NotAccountable);
        }
        if self.state.accountable.account() == Some(to) {
            return Err(Refusal::AlreadyAccountable);
        }
        if let Some(pending) = &self.state.accountable.hand_over {
            return if pending.to == to { Ok(()) } else { Err(Refusal::HandOverPending) };
        }
        let hand_over = HandOver {
            by: self.caller().to_owned(),
            from: self.state.accountable.account().unwrap_or_default().to_owned(),
            to: to.to_owned(),
            reason: reason.clone(),
            at: self.facts.now,
            lapses_at: self.lapses_at(),
        };
        self.emit(Event::HandOverOffered { hand_over: hand_over.clone() });
        self.tasks_of_offer(&hand_over);
        Ok(())
    }

    /// Whoever receives owners first answers from now on for what somebody had who is not there any more.
    pub(super) fn relieve(&mut self, account: &str) {
        if !self.state.open {
            // Work orders of a case go on after it.
            self.pass_on(account);
            return;
        }
        if let Some(hand_over) = self.state.accountable.hand_over.clone().filter(|hand_over| hand_over.to == account) {
            self.end_hand_over(hand_over, HandOverOutcome::Lapsed, None);
        }
        let next = self.facts.ruling.first_receiver(self.state.id.get());
        if self.state.accountable.account() == Some(account) && next != account {
            self.name(next, Why::Left);
        }
        self.pass_on(account);
    }

    /// Emergencies do not wait for opening hours.
    fn lapses_at(&self) -> DateTime<Utc> {
        let now = self.facts.now.timestamp();
        let pin = self.facts.ruling.pin(self.hours_of_urgency(), None);
        let calendar = self.facts.timetable.get(&pin);
        let within = self.facts.ruling.policies.hand_over_within(self.matter.priority);
        let seconds = within.map_or(3600, |within| within.budget(now, calendar));
        instant(calendar.after(now, seconds)).unwrap_or(self.facts.now)
    }

    /// P1 and P2 run day and night, the others by the estate's hours (DOMAIN.md §4).
    pub(super) fn hours_of_urgency(&self) -> Hours {
        use steward_kernel::vocabulary::Priority as P;
        match self.matter.priority {
            P::P1 | P::P2 => Hours::Always,
            P::P3 | P::P4 => Hours::Estate,
        }
    }

    pub(super) fn accept_hand_over(&mut self) -> Result<(), Refusal> {
        let Some(hand_over) = self.state.accountable.hand_over.clone() else {
            // Asked again after it was granted: already so.
            return if self.answers() { Ok(()) } else { Err(Refusal::NoHandOver) };
        };
        if !self.acts_for(&hand_over.to) {
            return Err(Refusal::NotAsked);
        }
        if hand_over.lapses_at <= self.facts.now {
            return Err(Refusal::NoHandOver);
        }
        let to = hand_over.to.clone();
        self.end_hand_over(hand_over, HandOverOutcome::Accepted, None);
        self.name(to, Why::HandOver);
        Ok(())
    }

    pub(super) fn refuse_hand_over(&mut self, reason: &Line) -> Result<(), Refusal> {
        let hand_over = self.state.accountable.hand_over.clone().ok_or(Refusal::NoHandOver)?;
        if self.acts_for(&hand_over.to) {
            self.end_hand_over(hand_over, HandOverOutcome::Refused, Some(reason.clone()));
            return Ok(());
        }
        // Whoever asked may think better of it.
        if self.acts_for(&hand_over.by) {
            self.end_hand_over(hand_over, HandOverOutcome::Withdrawn, Some(reason.clone()));
            return Ok(());
        }
        Err(Refusal::NotAsked)
    }

    pub(super) fn end_hand_over(&mut self, hand_over: HandOver, outcome: HandOverOutcome, reason: Option<Line>) {
        self.emit(Event::HandOverEnded { hand_over: hand_over.clone(), outcome, reason, at: self.facts.now });
        self.tasks_of_answer(&hand_over, outcome);
    }

    /// Silence is a refusal.
    pub(super) fn look_at_hand_over(&mut self) {
        let pending = self.state.accountable.hand_over.clone();
        if let Some(hand_over) = pending.filter(|hand_over| hand_over.lapses_at <= self.facts.now) {
            self.end_hand_over(hand_over, HandOverOutcome::Lapsed, None);
        }
    }
}
