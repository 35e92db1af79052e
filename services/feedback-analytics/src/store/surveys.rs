//! Surveys: their rows and lists.

use sqlx::types::Json;
use steward_chassis::{
    Result, Stored,
    db::Tx,
    http::page::{Mode, PageRequest},
};
use steward_kernel::{
    Actor, Recorded,
    ids::{CaseId, EstateId},
    message::{Outgoing, TimerChange},
    page::Page,
};

use super::{Listed, Row, Scope, figures, key};
use crate::{
    domain::{
        Survey,
        rollup::Tally,
        survey::{Event, Life, SurveyStage},
    },
    publish,
};

impl Stored for Survey {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(life), Some(last)) = (&self.life, events.last()) else { return Ok(()) };
        let about = &life.invitation;
        let tenant = tx.tenant();
        sqlx::query(
            "INSERT INTO survey (tenant_id, survey_id, version, case_id, estate_id, resident_id, stage,
                                 sent_at, changed_at, changed_xid, state)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, pg_current_xact_id()::text::bigint, $10)
             ON CONFLICT (tenant_id, survey_id) DO UPDATE
             SET version = excluded.version, stage = excluded.stage, changed_at = excluded.changed_at,
                 changed_xid = excluded.changed_xid, state = excluded.state",
        )
        .bind(tenant.get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(about.case_id.get())
        .bind(about.estate_id.get())
        .bind(about.resident_id.get())
        .bind(life.stage.as_str())
        .bind(about.sent_at)
        .bind(last.recorded_at)
        .bind(Json(life))
        .execute(tx.conn())
        .await?;
        let added = events.iter().fold(Tally::default(), |sum, event| sum.and(&event.body.tally(about.sent_on)));
        figures::add(tx, about.estate_id.get(), &added).await
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::survey(self, event)
    }

    fn timers(&self, event: &Recorded<Event>) -> Vec<TimerChange> {
        publish::survey_timers(event)
    }
}

/// Which surveys to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Of this estate.
    pub(crate) estate_id: Option<EstateId>,
    /// In this stage.
    pub(crate) stage: Option<SurveyStage>,
    /// Of this case.
    pub(crate) case_id: Option<CaseId>,
}

/// One page of surveys.
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
            .bind(filter.stage.map(SurveyStage::as_str))
            .bind(filter.case_id.map(CaseId::get))
    };
    let rows = match page.mode {
        Mode::Newest { after } => {
            let (at, id) = after.unzip();
            filtered(
                "SELECT survey_id, version, sent_at, changed_at, changed_xid, state FROM survey
                 WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))
                   AND ($3::uuid IS NULL OR resident_id = $3)
                   AND ($4::uuid IS NULL OR estate_id = $4) AND ($5::text IS NULL OR stage = $5)
                   AND ($6::uuid IS NULL OR case_id = $6)
                   AND ($7::timestamptz IS NULL OR (sent_at, survey_id) < ($7, $8::uuid))
                 ORDER BY sent_at DESC, survey_id DESC LIMIT $9",
            )
            .bind(at)
            .bind(id)
            .bind(page.fetch())
            .fetch_all(tx.conn())
            .await?
        }
        Mode::Changed { after: (xid, id) } => {
            filtered(
                "SELECT survey_id, version, sent_at, changed_at, changed_xid, state FROM survey
                 WHERE tenant_id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))
                   AND ($3::uuid IS NULL OR resident_id = $3)
                   AND ($4::uuid IS NULL OR estate_id = $4) AND ($5::text IS NULL OR stage = $5)
                   AND ($6::uuid IS NULL OR case_id = $6)
                   AND (changed_xid, survey_id) > ($7, $8) AND changed_xid < $9
                 ORDER BY changed_xid, survey_id LIMIT $10",
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
