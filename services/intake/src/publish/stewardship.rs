//! What others are told of a stewardship, and when it looks at itself again. Pure; every event is named, so a new one makes us think about it.

use chrono::{DateTime, Utc};
use steward_kernel::{
    Recorded,
    message::{Outgoing, TimerChange},
};
use steward_proto::intake as pb;

use super::{id, optional, word};
use crate::domain::stewardship::{
    Escalation, Event, HandOver, KeptClock, Matter, Outcome, Promise, PromiseOutcome, Stewardship, Task, Why,
};

/// Name of the timer that wakes a stewardship when something is due.
pub(crate) const LOOK: &str = "look";

fn ms(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

fn optional_ms(at: Option<DateTime<Utc>>) -> i64 {
    at.map_or(0, ms)
}

/// What others are told.
#[expect(clippy::too_many_lines, reason = "one arm for each event, so that a new one makes us think about it")]
pub(crate) fn outgoing(stewardship: &Stewardship, event: &Recorded<Event>) -> Option<Outgoing> {
    let matter = stewardship.matter.as_deref()?;
    let told = Told { stewardship, matter };
    match &event.body {
        Event::AccountableNamed { account, previous, why, at } => {
            Some(told.accountable(account, previous.as_deref(), *why, *at))
        }
        Event::HandOverOffered { hand_over } => Some(told.hand_over_offered(hand_over)),
        Event::HandOverEnded { hand_over, outcome, at, .. } => {
            Some(told.hand_over_ended(hand_over, outcome.as_str(), *at))
        }
        // The last word on how a clock stopped stands, also with those who heard another one before.
        Event::ClockStopped { clock_id, outcome, at, elapsed, paused, due_at }
        | Event::ClockCorrected { clock_id, outcome, at, elapsed, paused, due_at } => {
            let spent = (*elapsed, *paused);
            stewardship.clock(*clock_id).map(|kept| told.stopped(kept, *outcome, (*at, *due_at), spent))
        }
        Event::ClockBreached { clock_id, due_at } => {
            stewardship.clock(*clock_id).map(|kept| told.breached(kept, *due_at))
        }
        Event::Escalated { escalation } => Some(told.escalated(escalation)),
        Event::EscalationAcknowledged { escalation_id, by, at } => {
            let known = stewardship.escalations.iter().find(|known| known.escalation_id == *escalation_id)?;
            Some(Outgoing::new(pb::EscalationAcknowledged {
                escalation_id: escalation_id.to_string(),
                case_id: id(stewardship.id),
                clock_id: optional(known.clock_id),
                estate_id: id(matter.estate),
                account: by.clone(),
                at_ms: ms(*at),
            }))
        }
        Event::PromiseMade { promise } => Some(told.promise_made(promise)),
        Event::PromiseWarned { promise_id, told: accounts } => {
            told.promise(*promise_id).map(|promise| told.promise_at_risk(promise, accounts, event.occurred_at))
        }
        Event::PromiseEnded { promise_id, outcome, at, corrects, .. } => {
            told.promise(*promise_id).map(|promise| told.promise_ended(promise, outcome.as_str(), *at, *corrects))
        }
        Event::ObjectionDecided { objection_id, upheld, at, .. } => {
            let known = stewardship.objections.iter().find(|known| known.objection_id == *objection_id)?;
            Some(Outgoing::new(pb::ObjectionDecided {
                case_id: id(stewardship.id),
                reference: matter.reference.clone(),
                kind: matter.kind.to_string(),
                clock_id: id(known.clock_id),
                estate_id: id(matter.estate),
                resident_id: optional(matter.resident),
                language: matter.language.to_string(),
                register_language: word(matter.register_language),
                upheld: *upheld,
                at_ms: ms(*at),
            }))
        }
        Event::ClimbEnded { climb_id, at } => told.ladder_ended(*climb_id, *at),
        Event::TaskGiven { task } => Some(told.task_given(task, event.occurred_at)),
        Event::TaskEnded { task_id, told: true, at } => Some(Outgoing::new(pb::TaskEnded {
            task_id: task_id.to_string(),
            case_id: id(stewardship.id),
            estate_id: id(matter.estate),
            at_ms: ms(*at),
        })),
        Event::TaskEnded { told: false, .. }
        | Event::TaskWaits { .. }
        | Event::Began { .. }
        | Event::ClocksStarted { .. }
        | Event::ClocksChanged { .. }
        | Event::PauseRanOut { .. }
        | Event::OrderNoted { .. }
        | Event::WorkWaits { .. }
        | Event::WorkTakenUp
        | Event::Prioritised { .. }
        | Event::Classified { .. }
        | Event::ClimbBegan { .. }
        | Event::PauseContested { .. }
        | Event::Waited
        | Event::Reopened { .. }
        | Event::Ended { .. }
        | Event::Scheduled { .. } => None,
    }
}

/// The one timer of a stewardship: when something is due next.
pub(crate) fn timers(event: &Recorded<Event>) -> Vec<TimerChange> {
    match &event.body {
        Event::Scheduled { schedule } => match schedule.next_at {
            Some(due_at) => vec![TimerChange::Set { name: LOOK, due_at }],
            None => vec![TimerChange::Clear { name: LOOK }],
        },
        _ => Vec::new(),
    }
}

struct Told<'s> {
    stewardship: &'s Stewardship,
    matter: &'s Matter,
}

impl Told<'_> {
    fn promise(&self, id: uuid::Uuid) -> Option<&Promise> {
        self.stewardship.promises.iter().find(|promise| promise.promise_id == id)
    }

    fn accountable(&self, account: &str, previous: Option<&str>, why: Why, at: DateTime<Utc>) -> Outgoing {
        Outgoing::new(pb::AccountablePersonChanged {
            kind: self.matter.kind.to_string(),
            case_id: id(self.stewardship.id),
            reference: self.matter.reference.clone(),
            estate_id: id(self.matter.estate),
            account: account.to_owned(),
            previous_account: previous.unwrap_or_default().to_owned(),
            cause: why.to_string(),
            at_ms: ms(at),
            by_task: true,
        })
    }

    fn hand_over_offered(&self, hand_over: &HandOver) -> Outgoing {
        Outgoing::new(pb::HandOverOffered {
            case_id: id(self.stewardship.id),
            reference: self.matter.reference.clone(),
            kind: self.matter.kind.to_string(),
            priority: self.matter.priority.to_string(),
            estate_id: id(self.matter.estate),
            from_account: hand_over.from.clone(),
            to_account: hand_over.to.clone(),
            lapses_at_ms: ms(hand_over.lapses_at),
            at_ms: ms(hand_over.at),
            by_task: true,
        })
    }

    fn hand_over_ended(&self, hand_over: &HandOver, outcome: &str, at: DateTime<Utc>) -> Outgoing {
        Outgoing::new(pb::HandOverEnded {
            case_id: id(self.stewardship.id),
            reference: self.matter.reference.clone(),
            kind: self.matter.kind.to_string(),
            priority: self.matter.priority.to_string(),
            estate_id: id(self.matter.estate),
            from_account: hand_over.from.clone(),
            to_account: hand_over.to.clone(),
            outcome: outcome.to_owned(),
            at_ms: ms(at),
            by_account: hand_over.by.clone(),
            by_task: true,
        })
    }

    fn stopped(
        &self,
        kept: &KeptClock,
        outcome: Outcome,
        (at, due_at): (DateTime<Utc>, Option<DateTime<Utc>>),
        (elapsed, paused): (i64, i64),
    ) -> Outgoing {
        // What was missed stays so when more time was given afterwards; what has lost its object was overdue by then, or was not.
        let missed_at = kept.breached_at.filter(|_| outcome == Outcome::Missed);
        Outgoing::new(pb::ClockStopped {
            clock_id: id(kept.clock_id),
            case_id: id(self.stewardship.id),
            work_order_id: optional(kept.work_order),
            kind: self.matter.kind.to_string(),
            category: self.matter.category.clone(),
            priority: self.matter.priority.to_string(),
            estate_id: id(self.matter.estate),
            measure: kept.measure.to_string(),
            party: kept.party.to_string(),
            department: kept.department.clone().unwrap_or_default(),
            episode: kept.episode,
            outcome: outcome.to_string(),
            target_seconds: kept.clock.segments.last().map_or(0, |segment| segment.budget),
            elapsed_seconds: elapsed,
            paused_seconds: paused,
            late_entry: kept.late_entry,
            started_at_ms: optional_ms(kept.clock.started_at()),
            due_at_ms: optional_ms(missed_at.or(due_at).or(kept.due.due_at)),
            at_ms: ms(at),
        })
    }

    fn breached(&self, kept: &KeptClock, due_at: DateTime<Utc>) -> Outgoing {
        Outgoing::new(pb::ClockBreached {
            clock_id: id(kept.clock_id),
            case_id: id(self.stewardship.id),
            work_order_id: optional(kept.work_order),
            kind: self.matter.kind.to_string(),
            category: self.matter.category.clone(),
            priority: self.matter.priority.to_string(),
            estate_id: id(self.matter.estate),
            measure: kept.measure.to_string(),
            party: kept.party.to_string(),
            department: kept.department.clone().unwrap_or_default(),
            episode: kept.episode,
            late_entry: kept.late_entry,
            due_at_ms: ms(due_at),
            at_ms: ms(due_at),
        })
    }

    fn escalated(&self, escalation: &Escalation) -> Outgoing {
        let kept = escalation.clock_id.and_then(|id| self.stewardship.clock(id));
        Outgoing::new(pb::EscalationRaised {
            escalation_id: id(escalation.escalation_id),
            case_id: id(self.stewardship.id),
            clock_id: optional(escalation.clock_id),
            reference: self.matter.reference.clone(),
            kind: self.matter.kind.to_string(),
            category: self.matter.category.clone(),
            priority: self.matter.priority.to_string(),
            estate_id: id(self.matter.estate),
            measure: kept.map(|kept| kept.measure.to_string()).unwrap_or_default(),
            cause: escalation.cause.to_string(),
            level: escalation.level.to_string(),
            rung: escalation.rung,
            share_percent: escalation.share,
            due_at_ms: optional_ms(escalation.due_at),
            accounts: escalation.told.clone(),
            at_ms: ms(escalation.at),
        })
    }

    /// Nobody need be told of one that had reached nobody.
    fn ladder_ended(&self, climb_id: uuid::Uuid, at: DateTime<Utc>) -> Option<Outgoing> {
        let of_it = self.stewardship.escalations.iter().filter(|known| known.climb_id == Some(climb_id));
        let escalation_ids: Vec<String> = of_it.map(|known| known.escalation_id.to_string()).collect();
        (!escalation_ids.is_empty()).then(|| {
            Outgoing::new(pb::LadderEnded {
                case_id: id(self.stewardship.id),
                escalation_ids,
                estate_id: id(self.matter.estate),
                at_ms: ms(at),
            })
        })
    }

    fn task_given(&self, task: &Task, at: DateTime<Utc>) -> Outgoing {
        Outgoing::new(pb::TaskGiven {
            task_id: task.task_id.to_string(),
            case_id: id(self.stewardship.id),
            reference: self.matter.reference.clone(),
            kind: self.matter.kind.to_string(),
            category: self.matter.category.clone(),
            priority: self.matter.priority.to_string(),
            estate_id: id(self.matter.estate),
            what: task.duty.to_string(),
            work_order_id: optional(task.work_order),
            department: task.department.clone().unwrap_or_default(),
            due_at_ms: optional_ms(task.due_at),
            accounts: task.told.clone(),
            at_ms: ms(at),
        })
    }

    fn promise_made(&self, promise: &Promise) -> Outgoing {
        Outgoing::new(pb::PromiseMade {
            promise_id: id(promise.promise_id),
            case_id: id(self.stewardship.id),
            reference: self.matter.reference.clone(),
            estate_id: id(self.matter.estate),
            what: promise.what.to_string(),
            team: promise.team.clone(),
            due_at_ms: ms(promise.due_at),
            at_ms: ms(promise.made_at),
        })
    }

    fn promise_at_risk(&self, promise: &Promise, accounts: &[String], at: DateTime<Utc>) -> Outgoing {
        Outgoing::new(pb::PromiseAtRisk {
            promise_id: id(promise.promise_id),
            case_id: id(self.stewardship.id),
            reference: self.matter.reference.clone(),
            priority: self.matter.priority.to_string(),
            estate_id: id(self.matter.estate),
            what: promise.what.to_string(),
            team: promise.team.clone(),
            due_at_ms: ms(promise.due_at),
            accounts: accounts.to_vec(),
            at_ms: ms(at),
        })
    }

    fn promise_ended(
        &self,
        promise: &Promise,
        outcome: &str,
        at: DateTime<Utc>,
        corrects: Option<(PromiseOutcome, DateTime<Utc>)>,
    ) -> Outgoing {
        let (corrected, corrected_at) = corrects.unzip();
        Outgoing::new(pb::PromiseEnded {
            promise_id: id(promise.promise_id),
            case_id: id(self.stewardship.id),
            estate_id: id(self.matter.estate),
            what: promise.what.to_string(),
            team: promise.team.clone(),
            outcome: outcome.to_owned(),
            due_at_ms: ms(promise.due_at),
            made_at_ms: ms(promise.made_at),
            at_ms: ms(at),
            corrected_outcome: corrected.map(|outcome| outcome.to_string()).unwrap_or_default(),
            corrected_at_ms: optional_ms(corrected_at),
        })
    }
}
