//! What the company's people should look at: escalations, promises at risk, hand-overs. Words that only intake decides on
//! (measures, levels, categories) are kept as they are told.

use chrono::{DateTime, Utc};
use steward_chassis::{Error, Result, Work};
use steward_kernel::{
    ActorId,
    ids::{CaseId, EstateId, WorkOrderId},
    message::optional_uuid,
    vocabulary::Priority,
};
use steward_proto::intake;
use uuid::Uuid;

use super::{kind, time, uuid};
use crate::{
    app::App,
    digests,
    domain::{AlertCause, Matter},
    store::{End, Hold, Settled, hold, hold_case},
};

pub(super) async fn raised(app: &App, work: &mut Work, heard: intake::EscalationRaised) -> Result<()> {
    let about =
        About { case: &heard.case_id, reference: heard.reference, estate: &heard.estate_id, at_ms: heard.at_ms };
    let matter = Matter {
        kind: Some(kind(&heard.kind)?),
        category: word(heard.category),
        priority: Some(priority(&heard.priority)?),
        measure: word(heard.measure),
        level: word(heard.level),
        rung: number(heard.rung),
        share_percent: number(heard.share_percent),
        due_at: moment("due_at_ms", heard.due_at_ms)?,
        clock: id("clock_id", &heard.clock_id)?,
        escalation: Some(uuid("escalation_id", &heard.escalation_id)?),
        ..about.matter()?
    };
    digests::tell(app, work, heard.accounts, AlertCause::of_escalation(&heard.cause), &matter).await
}

/// Somebody has it in hand: nobody who was told of it need look at it any more.
pub(super) async fn acknowledged(app: &App, work: &mut Work, heard: intake::EscalationAcknowledged) -> Result<()> {
    let settled = Settled::Ladder {
        escalations: vec![uuid("escalation_id", &heard.escalation_id)?],
        clock: id("clock_id", &heard.clock_id)?,
    };
    digests::settle(app, work, case(&heard.case_id)?, &settled).await
}

/// What it was about is done, or has lost its object.
pub(super) async fn ladder_ended(app: &App, work: &mut Work, heard: intake::LadderEnded) -> Result<()> {
    let escalations = heard.escalation_ids.iter().map(|id| uuid("escalation_ids", id)).collect::<Result<_>>()?;
    digests::settle(app, work, case(&heard.case_id)?, &Settled::Ladder { escalations, clock: None }).await
}

/// Nobody need look at a clock that has stopped.
pub(super) async fn clock_stopped(app: &App, work: &mut Work, heard: intake::ClockStopped) -> Result<()> {
    let settled = Settled::Ladder { escalations: Vec::new(), clock: id("clock_id", &heard.clock_id)? };
    digests::settle(app, work, case(&heard.case_id)?, &settled).await
}

/// Kept, broken, moved or void, it is not at risk any more.
pub(super) async fn promise_ended(app: &App, work: &mut Work, heard: intake::PromiseEnded) -> Result<()> {
    let settled = Settled::Task(uuid("promise_id", &heard.promise_id)?);
    digests::settle(app, work, case(&heard.case_id)?, &settled).await
}

/// Somebody has something to do, or to know.
pub(super) async fn task_given(app: &App, work: &mut Work, heard: intake::TaskGiven) -> Result<()> {
    let about =
        About { case: &heard.case_id, reference: heard.reference, estate: &heard.estate_id, at_ms: heard.at_ms };
    let matter = Matter {
        kind: Some(kind(&heard.kind)?),
        category: word(heard.category),
        priority: Some(priority(&heard.priority)?),
        due_at: moment("due_at_ms", heard.due_at_ms)?,
        task: Some(uuid("task_id", &heard.task_id)?),
        work_order: id("work_order_id", &heard.work_order_id)?.map(WorkOrderId::from),
        department: word(heard.department),
        ..about.matter()?
    };
    digests::tell(app, work, heard.accounts, AlertCause::of_task(&heard.what), &matter).await
}

/// Nobody has to do it any more.
pub(super) async fn task_ended(app: &App, work: &mut Work, heard: intake::TaskEnded) -> Result<()> {
    let settled = Settled::Task(uuid("task_id", &heard.task_id)?);
    digests::settle(app, work, case(&heard.case_id)?, &settled).await
}

/// A case is over, or it is not.
pub(super) async fn case_stands(app: &App, work: &mut Work, case_id: &str, end: Option<End>) -> Result<()> {
    let case = CaseId::from(uuid("case_id", case_id)?);
    match end {
        Some(end) => digests::end(app, work, case, end).await,
        None => digests::take_up(app, work, case).await,
    }
}

pub(super) async fn promise_at_risk(app: &App, work: &mut Work, heard: intake::PromiseAtRisk) -> Result<()> {
    let about =
        About { case: &heard.case_id, reference: heard.reference, estate: &heard.estate_id, at_ms: heard.at_ms };
    let matter = Matter {
        priority: Some(priority(&heard.priority)?),
        promise: word(heard.what),
        task: Some(uuid("promise_id", &heard.promise_id)?),
        due_at: moment("due_at_ms", heard.due_at_ms)?,
        ..about.matter()?
    };
    digests::tell(app, work, heard.accounts, AlertCause::PromiseAtRisk, &matter).await
}

pub(super) async fn hand_over_offered(app: &App, work: &mut Work, heard: intake::HandOverOffered) -> Result<()> {
    if heard.by_task {
        return Ok(());
    }
    let about =
        About { case: &heard.case_id, reference: heard.reference, estate: &heard.estate_id, at_ms: heard.at_ms };
    let matter = Matter {
        kind: Some(kind(&heard.kind)?),
        priority: Some(priority(&heard.priority)?),
        due_at: moment("lapses_at_ms", heard.lapses_at_ms)?,
        ..about.matter()?
    };
    digests::tell(app, work, [heard.to_account], AlertCause::HandOverOffered, &matter).await
}

/// The offer is settled however it ended; who asked and who keeps the case are told when it stays against their wish.
pub(super) async fn hand_over_ended(app: &App, work: &mut Work, heard: intake::HandOverEnded) -> Result<()> {
    let about =
        About { case: &heard.case_id, reference: heard.reference, estate: &heard.estate_id, at_ms: heard.at_ms };
    let matter =
        Matter { kind: Some(kind(&heard.kind)?), priority: Some(priority(&heard.priority)?), ..about.matter()? };
    let [from, to, by] =
        [&heard.from_account, &heard.to_account, &heard.by_account].map(|who| ActorId::new(who.clone()));
    if let Some(case) = matter.case {
        hold_case(&mut work.tx, case, Hold::Together).await?;
    }
    // Both at once and in order: two hand-overs, there and back, would wait for each other.
    hold(&mut work.tx, &[from, to.clone(), by].into(), Hold::Alone).await?;
    digests::settle(app, work, matter.case, &Settled::Offer(to)).await?;
    match AlertCause::of_hand_over(&heard.outcome).filter(|_| !heard.by_task) {
        Some(cause) => digests::tell(app, work, [heard.from_account, heard.by_account], cause, &matter).await,
        None => Ok(()),
    }
}

/// Who received a case first knows it; everybody else is told that it is theirs now.
pub(super) async fn accountable_person_changed(
    app: &App,
    work: &mut Work,
    heard: intake::AccountablePersonChanged,
) -> Result<()> {
    if heard.by_task || heard.cause == "first_receiver" {
        return Ok(());
    }
    let about =
        About { case: &heard.case_id, reference: heard.reference, estate: &heard.estate_id, at_ms: heard.at_ms };
    digests::tell(app, work, [heard.account], AlertCause::Accountable, &about.matter()?).await
}

/// What all of these events say.
struct About<'a> {
    case: &'a str,
    reference: String,
    estate: &'a str,
    at_ms: i64,
}

impl About<'_> {
    fn matter(self) -> Result<Matter> {
        Ok(Matter {
            case: case(self.case)?,
            estate: Some(EstateId::from(uuid("estate_id", self.estate)?)),
            ..Matter::bare(self.reference, time("at_ms", self.at_ms)?)
        })
    }
}

fn case(id: &str) -> Result<Option<CaseId>> {
    uuid("case_id", id).map(|id| Some(CaseId::from(id)))
}

fn priority(word: &str) -> Result<Priority> {
    Priority::parse(word).ok_or_else(|| Error::internal("priority", "is not a priority"))
}

fn word(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn number(number: u32) -> Option<u32> {
    Some(number).filter(|number| *number > 0)
}

fn id(field: &'static str, text: &str) -> Result<Option<Uuid>> {
    optional_uuid(text).map_err(|_| Error::internal(field, "is not a UUID"))
}

/// 0 is none.
fn moment(field: &'static str, ms: i64) -> Result<Option<DateTime<Utc>>> {
    if ms == 0 { Ok(None) } else { time(field, ms).map(Some) }
}
