//! Suggestions: their rows, lists and what was accepted last.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use steward_chassis::{
    Result, Stored,
    db::Tx,
    http::page::{Mode, PageRequest},
};
use steward_kernel::{
    Actor, Recorded,
    ids::{EstateId, ResidentId, UnitId},
    message::{Outgoing, TimerChange},
    page::Page,
};
use uuid::Uuid;

use super::{Listed, Row, Scope, figures, key};
use crate::{
    domain::{
        Suggestion,
        rollup::Tally,
        suggestion::{Event, Life, SuggestionStage},
    },
    publish,
};

impl Stored for Suggestion {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(life), Some(last)) = (&self.life, events.last()) else { return Ok(()) };
        let tenant = tx.tenant();
        // What RETURNING reads of the table is from before this statement: the stage until now.
        let before: Option<String> = sqlx::query_scalar(
            "INSERT INTO suggestion (tenant_id, case_id, version, estate_id, resident_id, stage, category,
                                     received_at, accepted_at, changed_at, changed_xid, state)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, pg_current_xact_id()::text::bigint, $11)
             ON CONFLICT (tenant_id, case_id) DO UPDATE
             SET version = excluded.version, stage = excluded.stage, accepted_at = excluded.accepted_at,
                 changed_at = excluded.changed_at, changed_xid = excluded.changed_xid, state = excluded.state
             RETURNING (SELECT old.stage FROM suggestion old WHERE old.tenant_id = $1 AND old.case_id = $2)",
        )
        .bind(tenant.get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(life.received.estate_id.get())
        .bind(life.received.resident_id.map(ResidentId::get))
        .bind(life.stage.as_str())
        .bind(&life.received.category)
        .bind(life.received.received_at)
        .bind(life.decided_at.filter(|_| life.stage.is_accepted()))
        .bind(last.recorded_at)
        .bind(Json(life))
        .fetch_one(tx.conn())
        .await?;
        let before = before.as_deref().and_then(SuggestionStage::parse);
        let before = before.map_or_else(Tally::default, |stage| Life { stage, ..life.clone() }.tally());
        figures::add(tx, life.received.estate_id.get(), &life.tally().since(&before)).await
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::suggestion(self, event)
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// Which suggestions to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Of this estate.
    pub(crate) estate_id: Option<EstateId>,
    /// In this stage.
    pub(crate) stage: Option<SuggestionStage>,
    /// Of this category.
    pub(crate) category: Option<String>,
    /// Of this resident.
    pub(crate) resident_id: Option<ResidentId>,
    /// About this unit.
    pub(crate) unit_id: Option<UnitId>,
    /// With a reference that reads like this ([`reference::search_key`](steward_kernel::reference::search_key)).
    pub(crate) reference: Option<String>,
}

/// One page of suggestions.
///
/// # Errors
/// When the database is away.
pub(crate) async fn list(tx: &mut Tx, actor: &Actor, filter: &Filter, page: PageRequest) -> Result<Page<Listed<Life>>> {
    let horizon = page.horizon(tx).await?;
    let tenant = tx.tenant().get();
    let scope = Scope::of(actor, filter.estate_id);
    let filtered = |sql: &'static str| {
        sqlx::query_as::<_, Row<Life>>(sql)
            .bind(tenant)
            .bind(scope.estates.clone())
            .bind(scope.resident)
            .bind(scope.estate)
            .bind(filter.stage.map(SuggestionStage::as_str))
            .bind(filter.category.clone())
            .bind(filter.resident_id.map(ResidentId::get))
            .bind(filter.unit_id.map(UnitId::get))
            .bind(filter.reference.clone())
    };
    let rows = match page.mode {
        Mode::Newest { after } => {
            let (at, id) = after.unzip();
            filtered(
                "SELECT case_id, version, received_at, changed_at, changed_xid, state FROM suggestion
                 WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))
                   AND ($3::uuid IS NULL OR resident_id = $3)
                   AND ($4::uuid IS NULL OR estate_id = $4) AND ($5::text IS NULL OR stage = $5)
                   AND ($6::text IS NULL OR category = $6) AND ($7::uuid IS NULL OR resident_id = $7)
                   AND ($8::uuid IS NULL OR unit_id = $8)
                   AND ($9::text IS NULL OR reference_end ^@ $9)
                   AND ($10::timestamptz IS NULL OR (received_at, case_id) < ($10, $11::uuid))
                 ORDER BY received_at DESC, case_id DESC LIMIT $12",
            )
            .bind(at)
            .bind(id)
            .bind(page.fetch())
            .fetch_all(tx.conn())
            .await?
        }
        Mode::Changed { after: (xid, id) } => {
            filtered(
                "SELECT case_id, version, received_at, changed_at, changed_xid, state FROM suggestion
                 WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))
                   AND ($3::uuid IS NULL OR resident_id = $3)
                   AND ($4::uuid IS NULL OR estate_id = $4) AND ($5::text IS NULL OR stage = $5)
                   AND ($6::text IS NULL OR category = $6) AND ($7::uuid IS NULL OR resident_id = $7)
                   AND ($8::uuid IS NULL OR unit_id = $8)
                   AND ($9::text IS NULL OR reference_end ^@ $9)
                   AND (changed_xid, case_id) > ($10, $11) AND changed_xid < $12
                 ORDER BY changed_xid, case_id LIMIT $13",
            )
            .bind(xid)
            .bind(id)
            .bind(horizon)
            .bind(page.fetch())
            .fetch_all(tx.conn())
            .await?
        }
    };
    Ok(page.finish(rows, horizon, key).map(Listed::from))
}

/// The suggestions of an estate that were accepted in a time and still are, newest decision first.
///
/// * `from`, `until`: including, excluding.
///
/// # Errors
/// When the database is away.
pub(crate) async fn accepted(
    tx: &mut Tx,
    estate: EstateId,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> Result<Vec<Listed<Life>>> {
    let tenant = tx.tenant();
    let rows: Vec<Row<Life>> = sqlx::query_as(
        "SELECT case_id, version, received_at, changed_at, changed_xid, state FROM suggestion
         WHERE tenant_id = $1 AND estate_id = $2 AND accepted_at >= $3 AND accepted_at < $4
         ORDER BY accepted_at DESC, case_id DESC LIMIT $5",
    )
    .bind(tenant.get())
    .bind(Uuid::from(estate))
    .bind(from)
    .bind(until)
    .bind(limit)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Listed::from).collect())
}
