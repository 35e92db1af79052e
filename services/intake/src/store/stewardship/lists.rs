//! The lists that read what stewardships write.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use steward_chassis::{
    Result,
    db::Tx,
    http::page::{Key, PageRequest},
};
use steward_kernel::{
    Actor,
    ids::{CaseId, EstateId},
    page::Page,
};
use uuid::Uuid;

use super::{ClockRow, EscalationRow, PromiseRow};
use crate::store::{
    case::borders,
    list::{listed, statements},
};

/// Which clocks to list.
#[derive(Debug, Clone, Default)]
pub struct ClockFilter {
    /// Of this estate.
    pub estate: Option<EstateId>,
    /// Of this case.
    pub case: Option<CaseId>,
    /// Of this work order.
    pub work_order: Option<Uuid>,
    /// In this state.
    pub state: Option<String>,
    /// That measure this.
    pub measure: Option<String>,
    /// Of this party.
    pub party: Option<String>,
    /// At risk or overdue at this instant.
    pub at_risk: Option<DateTime<Utc>>,
}

/// One page of the clocks that the actor may see; an owner sees what the company owes, not what it agrees with its departments.
///
/// # Errors
/// When the database is away.
pub async fn clocks(tx: &mut Tx, actor: &Actor, filter: ClockFilter, page: PageRequest) -> Result<Page<ClockRow>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT clock_id, changed_xid, case_id, work_order_id, estate_id, resident_id, reference, kind, category, priority, measure, party,
             department, episode, state, started_at, due_at, at_risk_at, breached_at, stopped_at, late_entry, data
         FROM clock WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id = ANY($7))
             AND ($8::uuid IS NULL OR (resident_id = $8 AND party = 'company')) AND ($9::uuid IS NULL OR estate_id = $9)
             AND ($10::uuid IS NULL OR case_id = $10) AND ($11::uuid IS NULL OR work_order_id = $11)
             AND ($12::text IS NULL OR state = $12) AND ($13::text IS NULL OR measure = $13) AND ($14::text IS NULL OR party = $14)
             AND ($15::timestamptz IS NULL OR (state IN ('running', 'paused') AND at_risk_at <= $15))",
        at = "started_at",
        id = "clock_id"
    );
    let horizon = page.horizon(tx).await?;
    let (_, own) = borders(actor);
    let (estates, estate) = actor.listed_estates(filter.estate);
    let rows: Vec<ClockRow> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(estates)
        .bind(own)
        .bind(estate)
        .bind(filter.case.map(CaseId::get))
        .bind(filter.work_order)
        .bind(filter.state)
        .bind(filter.measure)
        .bind(filter.party)
        .bind(filter.at_risk)
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &ClockRow| Key { at: row.started_at, id: row.clock_id, changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}

/// The clocks of a case, in the order in which they started.
///
/// # Errors
/// When the database is away.
pub async fn clocks_of_case(tx: &mut Tx, case: CaseId) -> Result<Vec<ClockRow>> {
    Ok(sqlx::query_as(
        "SELECT clock_id, changed_xid, case_id, work_order_id, estate_id, resident_id, reference, kind, category, priority, measure, party,
             department, episode, state, started_at, due_at, at_risk_at, breached_at, stopped_at, late_entry, data
         FROM clock WHERE tenant_id = $1 AND case_id = $2 ORDER BY started_at, clock_id LIMIT 200",
    )
    .bind(tx.tenant().get())
    .bind(case.get())
    .fetch_all(tx.conn())
    .await?)
}

/// Some of the clocks that started since an instant, oldest first; goes on behind the one given.
///
/// * `estates`: only of these.
///
/// # Errors
/// When the database is away.
pub async fn clocks_since(
    tx: &mut Tx,
    estates: &[Uuid],
    since: DateTime<Utc>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<ClockRow>> {
    let (at, id) = after.unwrap_or((since, Uuid::nil()));
    Ok(sqlx::query_as(
        "SELECT clock_id, changed_xid, case_id, work_order_id, estate_id, resident_id, reference, kind, category, priority, measure, party,
             department, episode, state, started_at, due_at, at_risk_at, breached_at, stopped_at, late_entry, data
         FROM clock WHERE tenant_id = $1 AND estate_id = ANY($2) AND (started_at, clock_id) > ($3, $4)
         ORDER BY started_at, clock_id LIMIT $5",
    )
    .bind(tx.tenant().get())
    .bind(estates)
    .bind(at)
    .bind(id)
    .bind(limit)
    .fetch_all(tx.conn())
    .await?)
}

/// How many clocks run, by what they measure.
#[derive(Debug, Clone, FromRow)]
pub struct Deadlines {
    /// What is measured.
    pub measure: String,
    /// Whose clocks.
    pub party: String,
    /// How urgent.
    pub priority: String,
    /// That run, paused ones without.
    pub running: i64,
    /// That are paused.
    pub paused: i64,
    /// At risk and not overdue.
    pub at_risk: i64,
    /// Overdue.
    pub overdue: i64,
}

/// How many clocks run in the estates that the actor may see.
///
/// # Errors
/// When the database is away.
pub async fn running(
    tx: &mut Tx,
    actor: &Actor,
    estate: Option<EstateId>,
    now: DateTime<Utc>,
) -> Result<Vec<Deadlines>> {
    let (estates, estate) = actor.listed_estates(estate);
    Ok(sqlx::query_as(
        "SELECT measure, party, priority,
             count(*) FILTER (WHERE state = 'running') AS running, count(*) FILTER (WHERE state = 'paused') AS paused,
             count(*) FILTER (WHERE at_risk_at <= $4 AND due_at >= $4) AS at_risk, count(*) FILTER (WHERE due_at < $4) AS overdue
         FROM clock
         WHERE tenant_id = $1 AND state IN ('running', 'paused') AND ($2::uuid[] IS NULL OR estate_id = ANY($2))
             AND ($3::uuid IS NULL OR estate_id = $3)
         GROUP BY measure, party, priority ORDER BY priority, measure, party",
    )
    .bind(tx.tenant().get())
    .bind(estates)
    .bind(estate)
    .bind(now)
    .fetch_all(tx.conn())
    .await?)
}

/// Which escalations to list.
#[derive(Debug, Clone, Default)]
pub struct EscalationFilter {
    /// Of this estate.
    pub estate: Option<EstateId>,
    /// Of this case.
    pub case: Option<CaseId>,
    /// For this reason.
    pub cause: Option<String>,
    /// Of this level.
    pub level: Option<String>,
    /// Whether it needs nobody any more.
    pub settled: Option<bool>,
    /// Of which this account was told.
    pub told: Option<String>,
}

/// One page of the escalations that the actor may see.
///
/// # Errors
/// When the database is away.
pub async fn escalations(
    tx: &mut Tx,
    actor: &Actor,
    filter: EscalationFilter,
    page: PageRequest,
) -> Result<Page<EscalationRow>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT escalation_id, changed_xid, case_id, clock_id, estate_id, reference, kind, category, priority, measure, cause, standing,
             level, rung, share, due_at, told, raised_at, acknowledged_at, acknowledged_by, settled_at
         FROM escalation WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id = ANY($7))
             AND ($8::uuid IS NULL OR estate_id = $8) AND ($9::uuid IS NULL OR case_id = $9)
             AND ($10::text IS NULL OR cause = $10) AND ($11::text IS NULL OR level = $11)
             AND ($12::boolean IS NULL OR (settled_at IS NOT NULL) = $12)
             AND ($13::text IS NULL OR told @> ARRAY[$13])",
        at = "raised_at",
        id = "escalation_id"
    );
    let horizon = page.horizon(tx).await?;
    let (estates, estate) = actor.listed_estates(filter.estate);
    let rows: Vec<EscalationRow> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(estates)
        .bind(estate)
        .bind(filter.case.map(CaseId::get))
        .bind(filter.cause)
        .bind(filter.level)
        .bind(filter.settled)
        .bind(filter.told)
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &EscalationRow| Key { at: row.raised_at, id: row.escalation_id, changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}

/// Which promises to list.
#[derive(Debug, Clone, Default)]
pub struct PromiseFilter {
    /// Of this estate.
    pub estate: Option<EstateId>,
    /// Of this case.
    pub case: Option<CaseId>,
    /// Of this team; '' = the company.
    pub team: Option<String>,
    /// With this outcome; `open` = none yet.
    pub outcome: Option<String>,
}

/// One page of the promises that the actor may see.
///
/// # Errors
/// When the database is away.
pub async fn promises(
    tx: &mut Tx,
    actor: &Actor,
    filter: PromiseFilter,
    page: PageRequest,
) -> Result<Page<PromiseRow>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT promise_id, changed_xid, case_id, estate_id, resident_id, reference, what, team, due_at, made_at, outcome, ended_at
         FROM promise WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id = ANY($7))
             AND ($8::uuid IS NULL OR resident_id = $8) AND ($9::uuid IS NULL OR estate_id = $9)
             AND ($10::uuid IS NULL OR case_id = $10) AND ($11::text IS NULL OR team = $11)
             AND ($12::text IS NULL OR coalesce(outcome, 'open') = $12)",
        at = "made_at",
        id = "promise_id"
    );
    let horizon = page.horizon(tx).await?;
    let (_, own) = borders(actor);
    let (estates, estate) = actor.listed_estates(filter.estate);
    let rows: Vec<PromiseRow> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(estates)
        .bind(own)
        .bind(estate)
        .bind(filter.case.map(CaseId::get))
        .bind(filter.team)
        .bind(filter.outcome)
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &PromiseRow| Key { at: row.made_at, id: row.promise_id, changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}

/// How a team keeps its promises.
#[derive(Debug, Clone, FromRow)]
pub struct TeamPromises {
    /// Code of its department, '' = the company.
    pub team: String,
    /// Not yet due, or not yet kept.
    pub open: i64,
    /// Kept.
    pub kept: i64,
    /// Broken.
    pub broken: i64,
    /// Moved in time.
    pub moved: i64,
    /// Called off.
    pub void: i64,
}

/// How the teams keep the promises that fall due in a period.
///
/// # Errors
/// When the database is away.
pub async fn promises_by_team(
    tx: &mut Tx,
    actor: &Actor,
    estate: Option<EstateId>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<TeamPromises>> {
    let (estates, estate) = actor.listed_estates(estate);
    Ok(sqlx::query_as(
        "SELECT team, count(*) FILTER (WHERE outcome IS NULL) AS open, count(*) FILTER (WHERE outcome = 'kept') AS kept,
             count(*) FILTER (WHERE outcome = 'broken') AS broken, count(*) FILTER (WHERE outcome = 'moved') AS moved,
             count(*) FILTER (WHERE outcome = 'void') AS void
         FROM promise
         WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) AND ($3::uuid IS NULL OR estate_id = $3)
             AND due_at >= $4 AND due_at < $5
         GROUP BY team ORDER BY team",
    )
    .bind(tx.tenant().get())
    .bind(estates)
    .bind(estate)
    .bind(from)
    .bind(to)
    .fetch_all(tx.conn())
    .await?)
}

/// Who answers for a case.
#[derive(Debug, Clone, FromRow)]
pub struct Holder {
    /// The case.
    pub case_id: Uuid,
    /// Whether it is open.
    pub open: bool,
    /// Who answers: subject of the token.
    pub accountable: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub accountable_since: DateTime<Utc>,
    /// Who was asked to take over.
    pub asked: Option<String>,
    /// When silence counts as a refusal.
    pub lapses_at: Option<DateTime<Utc>>,
    /// When the next of the company's clocks is due.
    pub due_at: Option<DateTime<Utc>>,
}

/// Who answers for these cases, and when they are due next.
///
/// # Errors
/// When the database is away.
pub async fn stewardship_of(tx: &mut Tx, cases: &[Uuid]) -> Result<Vec<Holder>> {
    Ok(sqlx::query_as(
        "SELECT case_id, open, accountable, why, accountable_since, asked, lapses_at,
             (SELECT min(due_at) FROM clock c WHERE c.tenant_id = s.tenant_id AND c.case_id = s.case_id
                  AND c.party = 'company' AND c.state IN ('running', 'paused')) AS due_at
         FROM stewardship s WHERE tenant_id = $1 AND case_id = ANY($2)",
    )
    .bind(tx.tenant().get())
    .bind(cases)
    .fetch_all(tx.conn())
    .await?)
}

/// The case to which a clock, an escalation or a promise belongs that the actor may see.
///
/// # Errors
/// When the database is away.
pub async fn find_case_of(tx: &mut Tx, actor: &Actor, table: Of, id: Uuid) -> Result<Option<CaseId>> {
    let statement = match table {
        Of::Clock => {
            "SELECT case_id FROM clock WHERE tenant_id = $1 AND clock_id = $2
             AND ($3::uuid[] IS NULL OR estate_id = ANY($3))
             AND ($4::uuid IS NULL OR (resident_id = $4 AND party = 'company'))"
        }
        Of::Escalation => {
            "SELECT case_id FROM escalation WHERE tenant_id = $1 AND escalation_id = $2
             AND ($3::uuid[] IS NULL OR estate_id = ANY($3)) AND $4::uuid IS NULL"
        }
        Of::Promise => {
            "SELECT case_id FROM promise WHERE tenant_id = $1 AND promise_id = $2
             AND ($3::uuid[] IS NULL OR estate_id = ANY($3)) AND ($4::uuid IS NULL OR resident_id = $4)"
        }
    };
    let (estates, own) = borders(actor);
    let query = sqlx::query_scalar(statement).bind(tx.tenant().get()).bind(id).bind(estates).bind(own);
    let found: Option<Uuid> = query.fetch_optional(tx.conn()).await?;
    Ok(found.map(CaseId::from))
}

/// What belongs to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A clock.
    Clock,
    /// An escalation.
    Escalation,
    /// A promise.
    Promise,
}
