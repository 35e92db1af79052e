//! Inquiries: the row that lists read.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use steward_chassis::{
    Result, Stored,
    db::Tx,
    http::page::{Key, PageRequest},
};
use steward_kernel::{
    Actor, Recorded, Version,
    ids::{EstateId, ResidentId},
    message::{Outgoing, TimerChange},
    page::Page,
};
use uuid::Uuid;

use super::{
    case::borders,
    list::{listed, statements},
};
use crate::{
    domain::{
        ArticleId,
        inquiry::{Event, Inquiry, InquiryStage},
    },
    publish,
};

/// An inquiry as lists show it.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct InquiryRow {
    /// Of the case and of the inquiry.
    pub case_id: Uuid,
    /// Version of the aggregate.
    pub version: i32,
    #[sqlx(default)]
    changed_xid: i64,
    /// What people quote.
    pub reference: String,
    /// Word of its stage.
    pub stage: String,
    /// The question.
    pub words: String,
    /// Where.
    pub estate_id: Uuid,
    /// Who asks.
    pub resident_id: Option<Uuid>,
    /// The answer that holds, in words.
    pub answer: Option<String>,
    /// The article it rests on.
    pub article_id: Option<Uuid>,
    /// In which version.
    pub article_version: Option<i32>,
    /// Whether the owner is called back.
    pub important: bool,
    /// Whether the owner gets it in writing.
    pub written_reply: bool,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When it was answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// When the owner is to be called back.
    pub follow_up_at: Option<DateTime<Utc>>,
    /// Calls that reached nobody.
    pub missed_calls: i32,
    /// On how many days.
    pub missed_days: i32,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl InquiryRow {
    /// The row of an inquiry; `None` before it is asked.
    #[must_use]
    pub fn of(inquiry: &Inquiry, version: Version, updated_at: DateTime<Utc>) -> Option<Self> {
        let question = inquiry.question.as_deref()?;
        let answer = inquiry.answer.as_deref();
        let article = answer.and_then(|answer| answer.article);
        Some(Self {
            case_id: inquiry.id.get(),
            version: version.get(),
            changed_xid: 0,
            reference: question.reference.clone(),
            stage: inquiry.stage.to_string(),
            words: question.words.to_string(),
            estate_id: question.estate.get(),
            resident_id: question.resident.map(Into::into),
            answer: answer.and_then(|answer| answer.text.as_ref()).map(ToString::to_string),
            article_id: article.map(|cited| cited.article.get()),
            article_version: article.map(|cited| cited.version),
            important: answer.is_some_and(|answer| answer.important),
            written_reply: answer.is_some_and(|answer| answer.written_reply),
            asked_at: question.asked_at,
            answered_at: inquiry.answered_at,
            follow_up_at: inquiry.follow_up_at,
            missed_calls: i32::try_from(inquiry.calls.missed()).unwrap_or(i32::MAX),
            missed_days: i32::try_from(inquiry.calls.missed_days()).unwrap_or(i32::MAX),
            updated_at,
        })
    }
}

impl Stored for Inquiry {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let Some(last) = events.last() else { return Ok(()) };
        let Some(row) = InquiryRow::of(self, last.version, last.recorded_at) else { return Ok(()) };
        sqlx::query(
            "INSERT INTO inquiry (tenant_id, changed_xid, case_id, version, reference, stage, words, estate_id,
                 resident_id, answer, article_id, article_version, important, written_reply, asked_at, answered_at,
                 follow_up_at, missed_calls, missed_days, updated_at)
             VALUES ($1, pg_current_xact_id()::text::bigint, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                 $15, $16, $17, $18, $19)
             ON CONFLICT (tenant_id, case_id) DO UPDATE
             SET changed_xid = excluded.changed_xid, version = excluded.version, stage = excluded.stage,
                 answer = excluded.answer, article_id = excluded.article_id, article_version = excluded.article_version,
                 important = excluded.important, written_reply = excluded.written_reply,
                 answered_at = excluded.answered_at, follow_up_at = excluded.follow_up_at,
                 missed_calls = excluded.missed_calls, missed_days = excluded.missed_days,
                 updated_at = excluded.updated_at",
        )
        .bind(tx.tenant().get())
        .bind(row.case_id)
        .bind(row.version)
        .bind(row.reference)
        .bind(row.stage)
        .bind(row.words)
        .bind(row.estate_id)
        .bind(row.resident_id)
        .bind(row.answer)
        .bind(row.article_id)
        .bind(row.article_version)
        .bind(row.important)
        .bind(row.written_reply)
        .bind(row.asked_at)
        .bind(row.answered_at)
        .bind(row.follow_up_at)
        .bind(row.missed_calls)
        .bind(row.missed_days)
        .bind(row.updated_at)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    fn outgoing(&self, _event: &Recorded<Event>) -> Option<Outgoing> {
        // Its case tells others how it goes.
        None
    }

    fn timers(&self, event: &Recorded<Event>) -> Vec<TimerChange> {
        publish::inquiry_timers(event)
    }
}

/// Which inquiries to list.
#[derive(Debug, Clone, Default)]
pub struct InquiryFilter {
    /// Of this estate.
    pub estate: Option<EstateId>,
    /// Of this resident.
    pub resident: Option<ResidentId>,
    /// At this stage.
    pub stage: Option<InquiryStage>,
    /// With a reference that reads like this ([`reference::search_key`](steward_kernel::reference::search_key)).
    pub reference: Option<String>,
}

/// One page of the inquiries that the actor may see.
///
/// # Errors
/// When the database is away.
pub async fn list(tx: &mut Tx, actor: &Actor, filter: InquiryFilter, page: PageRequest) -> Result<Page<InquiryRow>> {
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT case_id, version, changed_xid, reference, stage, words, estate_id, resident_id, answer, article_id,
             article_version, important, written_reply, asked_at, answered_at, follow_up_at, missed_calls, missed_days,
             updated_at
         FROM inquiry WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id = ANY($7))
             AND ($8::uuid IS NULL OR resident_id = $8) AND ($9::uuid IS NULL OR estate_id = $9)
             AND ($10::uuid IS NULL OR resident_id = $10) AND ($11::text IS NULL OR stage = $11)
             AND ($12::text IS NULL OR reference_end ^@ $12)",
        at = "asked_at",
        id = "case_id"
    );
    let horizon = page.horizon(tx).await?;
    let (_, own) = borders(actor);
    let (estates, estate) = actor.listed_estates(filter.estate);
    let rows: Vec<InquiryRow> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(estates)
        .bind(own)
        .bind(estate)
        .bind(filter.resident.map(ResidentId::get))
        .bind(filter.stage.map(InquiryStage::as_str))
        .bind(filter.reference)
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &InquiryRow| Key { at: row.asked_at, id: row.case_id, changed_xid: row.changed_xid };
    Ok(page.finish(rows, horizon, key))
}

/// The version of an article that is good now for that estate; `None` when there is no such article, or nothing of it is good yet.
///
/// # Errors
/// When the database is away.
pub async fn version_in_force(tx: &mut Tx, article: ArticleId, estate: EstateId) -> Result<Option<i32>> {
    let version = sqlx::query_scalar(
        "SELECT version FROM article
         WHERE tenant_id = $1 AND article_id = $2 AND in_force AND (estate_id IS NULL OR estate_id = $3)",
    )
    .bind(tx.tenant().get())
    .bind(article.get())
    .bind(estate.get())
    .fetch_optional(tx.conn())
    .await?;
    Ok(version)
}
