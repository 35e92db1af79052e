//! What intake says of time and responsibility: clocks, escalations, promises.

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_chassis::{Result, Work};
use steward_proto::intake as pb;

use super::{id, time};
use crate::{
    domain::{
        clock::{About, Breach, Change, ClockFact, Stop},
        day,
        rollup::{Measure, Tally},
        timekeeping::MADE,
    },
    store::figures,
};

/// By what a clock is counted, from either of its messages.
macro_rules! about {
    ($message:expr) => {
        About {
            measure: $message.measure,
            priority: $message.priority,
            party: $message.party,
            late_entry: $message.late_entry,
        }
    };
}

pub(super) async fn clock_breached(work: &mut Work, message: pb::ClockBreached) -> Result<()> {
    let at = time(message.at_ms)?;
    clock(work, &message.clock_id, &message.estate_id, |zone| {
        Change::Breached(Breach { on: day(at, zone), about: about!(message) })
    })
    .await
}

pub(super) async fn clock_stopped(work: &mut Work, message: pb::ClockStopped) -> Result<()> {
    let at = time(message.at_ms)?;
    clock(work, &message.clock_id, &message.estate_id, |zone| {
        Change::Stopped(Stop {
            on: day(at, zone),
            outcome: message.outcome,
            elapsed_seconds: message.elapsed_seconds.max(0),
            paused_seconds: message.paused_seconds.max(0),
            overdue: was_over(message.due_at_ms, message.at_ms),
            about: about!(message),
        })
    })
    .await
}

/// Whether a time was over by then: it is when its second is. None where that is not said.
fn was_over(due_at_ms: i64, at_ms: i64) -> Option<bool> {
    (due_at_ms != 0).then(|| due_at_ms.div_euclid(1_000) < at_ms.div_euclid(1_000))
}

async fn clock(work: &mut Work, clock: &str, estate: &str, change: impl FnOnce(Tz) -> Change + Send) -> Result<()> {
    let (clock, estate) = (id(clock)?, id(estate)?);
    let known = figures::claim::<ClockFact>(&mut work.tx, clock, estate).await?;
    let after = known.fact.clone().after(&change(known.zone));
    figures::save(&mut work.tx, clock, estate, &known.fact, &after).await
}

pub(super) async fn escalation_raised(work: &mut Work, message: pb::EscalationRaised) -> Result<()> {
    count(work, &message.estate_id, message.at_ms, |tally, on| {
        tally.one(on, Measure::EscalationLevel, &message.level);
        tally.one(on, Measure::EscalationCause, &message.cause);
    })
    .await
}

pub(super) async fn escalation_acknowledged(work: &mut Work, message: pb::EscalationAcknowledged) -> Result<()> {
    count(work, &message.estate_id, message.at_ms, |tally, on| {
        tally.one(on, Measure::EscalationAcknowledged, "");
    })
    .await
}

pub(super) async fn promise_made(work: &mut Work, message: pb::PromiseMade) -> Result<()> {
    count(work, &message.estate_id, message.at_ms, |tally, on| {
        tally.outcome(on, Measure::PromiseTeam, MADE, &message.team);
    })
    .await
}

pub(super) async fn promise_ended(work: &mut Work, message: pb::PromiseEnded) -> Result<()> {
    count(work, &message.estate_id, message.at_ms, |tally, on| {
        tally.outcome(on, Measure::PromiseTeam, &message.outcome, &message.team);
    })
    .await?;
    if message.corrected_outcome.is_empty() {
        return Ok(());
    }
    // What was said of it before does not hold any more.
    count(work, &message.estate_id, message.corrected_at_ms, |tally, on| {
        tally.outcomes(on, Measure::PromiseTeam, &message.corrected_outcome, &message.team, -1);
    })
    .await
}

/// Counts what nothing later corrects, on the day it happened: that a message is handled once is enough.
async fn count(
    work: &mut Work,
    estate: &str,
    at_ms: i64,
    what: impl FnOnce(&mut Tally, NaiveDate) + Send,
) -> Result<()> {
    let (estate, at) = (id(estate)?, time(at_ms)?);
    let zone = figures::zone_or_home(&mut work.tx, estate).await?;
    let mut tally = Tally::default();
    what(&mut tally, day(at, zone));
    figures::add(&mut work.tx, estate, &tally).await
}
