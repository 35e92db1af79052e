//! Stewardships: their rows (case, clocks, escalations, promises), written in one statement with every change, and the lists that read them.

mod lists;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{Error, Result, Stored, db::Tx, figures::Figure};
use steward_clock::Clock;
use steward_kernel::{
    Recorded, Version,
    ids::{CaseId, EstateId, ResidentId},
    message::{Outgoing, TimerChange},
};
use uuid::Uuid;

pub use lists::{
    ClockFilter, Deadlines, EscalationFilter, Holder, Of, PromiseFilter, TeamPromises, clocks, clocks_of_case,
    clocks_since, escalations, find_case_of, promises, promises_by_team, running, stewardship_of,
};

use crate::{
    domain::stewardship::{Escalation, Event, KeptClock, Matter, Outcome, Promise, Stewardship},
    publish,
};

/// A clock as lists show it.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, which says what they mean")]
pub struct ClockRow {
    pub clock_id: Uuid,
    #[serde(skip)]
    pub changed_xid: i64,
    pub case_id: Uuid,
    pub work_order_id: Option<Uuid>,
    pub estate_id: Uuid,
    pub resident_id: Option<Uuid>,
    pub reference: String,
    pub kind: String,
    pub category: String,
    pub priority: String,
    pub measure: String,
    pub party: String,
    pub department: String,
    pub episode: i32,
    pub state: String,
    pub started_at: DateTime<Utc>,
    pub due_at: Option<DateTime<Utc>>,
    pub at_risk_at: Option<DateTime<Utc>>,
    pub breached_at: Option<DateTime<Utc>>,
    pub stopped_at: Option<DateTime<Utc>>,
    pub late_entry: bool,
    pub data: sqlx::types::Json<Clock>,
}

/// An escalation as lists show it.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, which says what they mean")]
pub struct EscalationRow {
    pub escalation_id: Uuid,
    #[serde(skip)]
    pub changed_xid: i64,
    pub case_id: Uuid,
    pub clock_id: Option<Uuid>,
    pub estate_id: Uuid,
    pub reference: String,
    pub kind: String,
    pub category: String,
    pub priority: String,
    pub measure: String,
    pub cause: String,
    pub standing: i16,
    pub level: String,
    pub rung: i32,
    pub share: i32,
    pub due_at: Option<DateTime<Utc>>,
    pub told: Vec<String>,
    pub raised_at: DateTime<Utc>,
    pub acknowledged_at: Option<DateTime<Utc>>,
    pub acknowledged_by: Option<String>,
    pub settled_at: Option<DateTime<Utc>>,
}

/// A promise as lists show it.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table, which says what they mean")]
pub struct PromiseRow {
    pub promise_id: Uuid,
    #[serde(skip)]
    pub changed_xid: i64,
    pub case_id: Uuid,
    pub estate_id: Uuid,
    pub resident_id: Option<Uuid>,
    pub reference: String,
    pub what: String,
    pub team: String,
    pub due_at: DateTime<Utc>,
    pub made_at: DateTime<Utc>,
    pub outcome: Option<String>,
    pub ended_at: Option<DateTime<Utc>>,
}

fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

impl ClockRow {
    /// The row of a clock.
    #[must_use]
    pub fn of(case_id: Uuid, matter: &Matter, kept: &KeptClock) -> Self {
        let state = match kept.outcome {
            Some(outcome) => outcome.as_str(),
            None if kept.due.paused => "paused",
            None => "running",
        };
        Self {
            clock_id: kept.clock_id,
            changed_xid: 0,
            case_id,
            work_order_id: kept.work_order.map(Into::into),
            estate_id: matter.estate.get(),
            resident_id: matter.resident.map(ResidentId::get),
            reference: matter.reference.clone(),
            kind: matter.kind.to_string(),
            category: matter.category.clone(),
            priority: matter.priority.to_string(),
            measure: kept.measure.to_string(),
            party: kept.party.to_string(),
            department: kept.department.clone().unwrap_or_default(),
            episode: number(kept.episode),
            state: state.to_owned(),
            started_at: kept.clock.started_at().unwrap_or(matter.said_at),
            due_at: kept.due.due_at,
            at_risk_at: kept.due.at_risk_at,
            breached_at: kept.breached_at.filter(|_| kept.outcome != Some(Outcome::Void)),
            stopped_at: kept.clock.stopped_at,
            late_entry: kept.late_entry,
            data: sqlx::types::Json(kept.clock.clone()),
        }
    }
}

impl EscalationRow {
    /// The row of an escalation.
    #[must_use]
    pub fn of(stewardship: &Stewardship, matter: &Matter, escalation: &Escalation) -> Self {
        let measure = escalation.clock_id.and_then(|id| stewardship.clock(id)).map(|kept| kept.measure.to_string());
        let (by, at) = escalation.acknowledged.clone().unzip();
        Self {
            escalation_id: escalation.escalation_id,
            changed_xid: 0,
            case_id: stewardship.id.get(),
            clock_id: escalation.clock_id,
            estate_id: matter.estate.get(),
            reference: matter.reference.clone(),
            kind: matter.kind.to_string(),
            category: matter.category.clone(),
            priority: matter.priority.to_string(),
            measure: measure.unwrap_or_default(),
            cause: escalation.cause.to_string(),
            // The causes are declared in the order in which they stand.
            standing: i16::try_from(escalation.cause as usize).unwrap_or_default(),
            level: escalation.level.to_string(),
            rung: number(escalation.rung),
            share: number(escalation.share),
            due_at: escalation.due_at,
            told: escalation.told.clone(),
            raised_at: escalation.at,
            acknowledged_at: at,
            acknowledged_by: by,
            settled_at: escalation.settled_at,
        }
    }
}

impl PromiseRow {
    /// The row of a promise.
    #[must_use]
    pub fn of(case_id: Uuid, matter: &Matter, promise: &Promise) -> Self {
        let (outcome, ended_at) = promise.ended.unzip();
        Self {
            promise_id: promise.promise_id,
            changed_xid: 0,
            case_id,
            estate_id: matter.estate.get(),
            resident_id: matter.resident.map(ResidentId::get),
            reference: matter.reference.clone(),
            what: promise.what.to_string(),
            team: promise.team.clone(),
            due_at: promise.due_at,
            made_at: promise.made_at,
            outcome: outcome.map(|outcome| outcome.to_string()),
            ended_at,
        }
    }
}

/// What of a stewardship some events have changed.
#[derive(Debug, Default)]
struct Touched {
    clocks: BTreeSet<Uuid>,
    all_clocks: bool,
    /// The one that has begun: clocks of work that was ordered with it, and heard before it, belong to it.
    episode: Option<u32>,
    escalations: BTreeSet<Uuid>,
    ladders: BTreeSet<Uuid>,
    promises: BTreeSet<Uuid>,
}

impl Touched {
    fn by(events: &[Recorded<Event>]) -> Self {
        let mut touched = Self::default();
        for event in events {
            match &event.body {
                Event::Began { clocks, .. } | Event::ClocksStarted { clocks } => {
                    touched.clocks.extend(clocks.iter().map(|new| new.clock_id));
                }
                Event::ClocksChanged { changes } => touched.clocks.extend(changes.iter().map(|(id, _)| *id)),
                Event::ClockStopped { clock_id, .. } | Event::ClockCorrected { clock_id, .. } => {
                    touched.clocks.insert(*clock_id);
                    touched.ladders.insert(*clock_id);
                }
                Event::ClockBreached { clock_id, .. } => {
                    touched.clocks.insert(*clock_id);
                }
                Event::ClimbEnded { climb_id, .. } => {
                    touched.ladders.insert(*climb_id);
                }
                Event::Scheduled { schedule } => touched.clocks.extend(schedule.clocks.iter().map(|(id, _)| *id)),
                Event::Prioritised { .. } | Event::Classified { .. } => touched.all_clocks = true,
                Event::Reopened { episode, .. } => touched.episode = Some(*episode),
                Event::Escalated { escalation } => {
                    touched.escalations.insert(escalation.escalation_id);
                }
                Event::EscalationAcknowledged { escalation_id, .. } => {
                    touched.escalations.insert(*escalation_id);
                }
                Event::PromiseMade { promise } => {
                    touched.promises.insert(promise.promise_id);
                }
                Event::PromiseEnded { promise_id, .. } => {
                    touched.promises.insert(*promise_id);
                }
                Event::AccountableNamed { .. }
                | Event::HandOverOffered { .. }
                | Event::HandOverEnded { .. }
                | Event::PauseRanOut { .. }
                | Event::OrderNoted { .. }
                | Event::WorkWaits { .. }
                | Event::WorkTakenUp
                | Event::ClimbBegan { .. }
                | Event::PromiseWarned { .. }
                | Event::PauseContested { .. }
                | Event::ObjectionDecided { .. }
                | Event::TaskWaits { .. }
                | Event::TaskGiven { .. }
                | Event::TaskEnded { .. }
                | Event::Waited
                | Event::Ended { .. } => {}
            }
        }
        touched
    }
}

/// All rows of a change in one statement: a round trip, whatever has changed.
const WRITE: &str = "
    WITH clocks AS (
        INSERT INTO clock (tenant_id, clock_id, changed_xid, case_id, work_order_id, estate_id, resident_id, reference, kind, category,
            priority, measure, party, department, episode, state, started_at, due_at, at_risk_at, breached_at, stopped_at,
            late_entry, data)
        SELECT $1, clock_id, pg_current_xact_id()::text::bigint, case_id, work_order_id, estate_id, resident_id, reference, kind,
            category, priority, measure, party, department, episode, state, started_at, due_at, at_risk_at, breached_at,
            stopped_at, late_entry, data
        FROM jsonb_populate_recordset(NULL::clock, $2)
        ON CONFLICT (tenant_id, clock_id) DO UPDATE
        SET changed_xid = excluded.changed_xid, category = excluded.category, priority = excluded.priority,
            episode = excluded.episode, state = excluded.state, due_at = excluded.due_at, at_risk_at = excluded.at_risk_at,
            breached_at = excluded.breached_at, stopped_at = excluded.stopped_at, data = excluded.data
    ), escalations AS (
        INSERT INTO escalation (tenant_id, escalation_id, changed_xid, case_id, clock_id, estate_id, reference, kind, category, priority,
            measure, cause, standing, level, rung, share, due_at, told, raised_at, acknowledged_at, acknowledged_by, settled_at)
        SELECT $1, escalation_id, pg_current_xact_id()::text::bigint, case_id, clock_id, estate_id, reference, kind, category,
            priority, measure, cause, standing, level, rung, share, due_at, told, raised_at, acknowledged_at,
            acknowledged_by, settled_at
        FROM jsonb_populate_recordset(NULL::escalation, $3)
        ON CONFLICT (tenant_id, escalation_id) DO UPDATE
        SET changed_xid = excluded.changed_xid, acknowledged_at = excluded.acknowledged_at,
            acknowledged_by = excluded.acknowledged_by, settled_at = excluded.settled_at
    ), promises AS (
        INSERT INTO promise (tenant_id, promise_id, changed_xid, case_id, estate_id, resident_id, reference, what, team, due_at, made_at,
            outcome, ended_at)
        SELECT $1, promise_id, pg_current_xact_id()::text::bigint, case_id, estate_id, resident_id, reference, what, team, due_at,
            made_at, outcome, ended_at
        FROM jsonb_populate_recordset(NULL::promise, $4)
        ON CONFLICT (tenant_id, promise_id) DO UPDATE
        SET changed_xid = excluded.changed_xid, outcome = excluded.outcome, ended_at = excluded.ended_at
    )
    INSERT INTO stewardship (tenant_id, case_id, version, changed_xid, estate_id, resident_id, open, episode, accountable, why,
        accountable_since, asked, lapses_at, opened_at, told)
    SELECT $1, case_id, version, pg_current_xact_id()::text::bigint, estate_id, resident_id, open, episode, accountable, why,
        accountable_since, asked, lapses_at, opened_at, told
    FROM jsonb_populate_record(NULL::stewardship, $5)
    ON CONFLICT (tenant_id, case_id) DO UPDATE
    SET version = excluded.version, changed_xid = excluded.changed_xid, open = excluded.open, episode = excluded.episode,
        accountable = excluded.accountable, why = excluded.why, accountable_since = excluded.accountable_since,
        asked = excluded.asked, lapses_at = excluded.lapses_at, told = excluded.told";

/// Deadlines at risk and what needs somebody, over all companies. Only what runs is counted, however much has ended.
pub const FIGURES: &[Figure] = &[
    Figure {
        name: "deadlines",
        labels: &["measure", "party", "priority", "state"],
        statement: "SELECT measure, party, priority,
                        CASE WHEN due_at < $1 THEN 'overdue' WHEN state = 'paused' THEN 'paused'
                             WHEN at_risk_at <= $1 THEN 'at_risk' ELSE 'running' END,
                        count(*)::double precision
                    FROM clock WHERE state IN ('running', 'paused') GROUP BY 1, 2, 3, 4",
    },
    Figure {
        name: "escalations_open",
        labels: &["cause", "level"],
        statement: "SELECT cause, level, count(*)::double precision FROM escalation
                    WHERE settled_at IS NULL AND raised_at <= $1 GROUP BY 1, 2",
    },
];

fn json<T: Serialize>(value: &T) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|fault| Error::internal("row to JSON", fault))
}

impl Stewardship {
    fn row(&self, matter: &Matter, version: Version) -> serde_json::Value {
        let hand_over = self.accountable.hand_over.as_ref();
        serde_json::json!({
            "case_id": self.id,
            "version": version,
            "estate_id": matter.estate,
            "resident_id": matter.resident,
            "open": self.open,
            "episode": self.episode,
            "accountable": self.accountable.account(),
            "why": self.accountable.why,
            "accountable_since": self.accountable.since,
            "asked": hand_over.map(|hand_over| &hand_over.to),
            "lapses_at": hand_over.map(|hand_over| hand_over.lapses_at),
            "opened_at": matter.opened_at,
            "told": self.told(),
        })
    }
}

impl Stored for Stewardship {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(matter), Some(last)) = (self.matter.as_deref(), events.last()) else { return Ok(()) };
        let (touched, case_id) = (Touched::by(events), self.id.get());
        // What has stopped keeps the priority and category that its case had then.
        let clocks = self.clocks.iter().filter(|kept| {
            let is_of_new_episode = kept.work_order.is_some() && Some(kept.episode) == touched.episode;
            (touched.all_clocks && kept.is_running()) || is_of_new_episode || touched.clocks.contains(&kept.clock_id)
        });
        let clocks: Vec<_> = clocks.map(|kept| ClockRow::of(case_id, matter, kept)).collect();
        let escalations = self.escalations.iter().filter(|known| {
            let ladder = known.clock_id.or(known.climb_id);
            touched.escalations.contains(&known.escalation_id) || ladder.is_some_and(|id| touched.ladders.contains(&id))
        });
        let escalations: Vec<_> = escalations.map(|known| EscalationRow::of(self, matter, known)).collect();
        let promises = self.promises.iter().filter(|promise| touched.promises.contains(&promise.promise_id));
        let promises: Vec<_> = promises.map(|promise| PromiseRow::of(case_id, matter, promise)).collect();
        sqlx::query(WRITE)
            .bind(tx.tenant().get())
            .bind(json(&clocks)?)
            .bind(json(&escalations)?)
            .bind(json(&promises)?)
            .bind(self.row(matter, last.version))
            .execute(tx.conn())
            .await?;
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::stewardship::outgoing(self, event)
    }

    fn timers(&self, event: &Recorded<Event>) -> Vec<TimerChange> {
        publish::stewardship::timers(event)
    }
}

/// The estates of the open cases that somebody answers for, one for each case.
///
/// # Errors
/// When the database is away.
pub(crate) async fn held_by(tx: &mut Tx, account: &str) -> Result<Vec<EstateId>> {
    let estates: Vec<Uuid> =
        sqlx::query_scalar("SELECT estate_id FROM stewardship WHERE tenant_id = $1 AND accountable = $2 AND open")
            .bind(tx.tenant().get())
            .bind(account)
            .fetch_all(tx.conn())
            .await?;
    Ok(estates.into_iter().map(EstateId::from).collect())
}

/// Cases whose accountable person, or whom somebody has asked to take them over, or who was told that something is to be done, is in the register and has left or does not work for the
/// estate any more; with that account.
///
/// # Errors
/// When the database is away.
pub(crate) async fn left_alone(tx: &mut Tx) -> Result<Vec<(CaseId, String)>> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "WITH gone AS MATERIALIZED (
             SELECT account, array_agg(works_for.estate) FILTER (WHERE works_for.estate IS NOT NULL) AS estates
             FROM staff LEFT JOIN LATERAL unnest(estate_ids) AS works_for (estate) ON NOT has_left
             WHERE tenant_id = $1 AND account <> ''
             GROUP BY account HAVING bool_and(has_left OR estate_ids IS NOT NULL)
         )
         SELECT g.case_id, gone.account FROM stewardship g JOIN gone ON gone.account IN (g.accountable, g.asked)
         WHERE g.tenant_id = $1 AND g.open AND NOT g.estate_id = ANY(coalesce(gone.estates, '{}'))
         UNION
         SELECT g.case_id, gone.account FROM stewardship g JOIN gone ON gone.account = ANY(g.told)
         WHERE g.tenant_id = $1 AND g.told <> '{}' AND NOT g.estate_id = ANY(coalesce(gone.estates, '{}'))
         ORDER BY case_id LIMIT 2000",
    )
    .bind(tx.tenant().get())
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|(id, account)| (id.into(), account)).collect())
}
