//! Articles: what is good now of each, and what is planned.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use sqlx::{FromRow, types::Json};
use steward_chassis::{
    Error, Result, Stored,
    db::{Tx, on_constraint},
    http::page::{Key, PageRequest},
};
use steward_kernel::{
    Recorded,
    day::{HOME, zone},
    ids::EstateId,
    message::{Outgoing, TimerChange},
    page::Page,
    vocabulary::Language,
};
use uuid::Uuid;

use super::{
    list::{listed, statements},
    register::{text, uuids},
};
use crate::{
    domain::{
        ArticleId,
        article::{Article, Content, Event, Planned, Refusal},
    },
    publish,
};

impl Stored for Article {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let last_written = events.iter().rev().find(|event| matches!(event.body, Event::Written(_)));
        // A plan beside a text that is good changes nothing of that text.
        let Some(last) = last_written.or_else(|| events.last().filter(|_| self.content.is_none())) else {
            return plan(tx, self).await;
        };
        let Some(content) = self.known() else { return Ok(()) };
        let written = sqlx::query(
            "INSERT INTO article (tenant_id, article_id, version, changed_xid, code, title, category, body, language,
                                  estate_id, valid_from, written_at, changed_at, in_force, planned)
             VALUES ($1, $2, $3, pg_current_xact_id()::text::bigint, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13)
             ON CONFLICT (tenant_id, article_id) DO UPDATE
             SET version = excluded.version, changed_xid = excluded.changed_xid, title = excluded.title,
                 category = excluded.category, body = excluded.body, language = excluded.language,
                 estate_id = excluded.estate_id, valid_from = excluded.valid_from, changed_at = excluded.changed_at,
                 in_force = excluded.in_force, planned = excluded.planned",
        )
        .bind(tx.tenant().get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(content.code.as_str())
        .bind(content.title.as_str())
        .bind(content.category.as_str())
        .bind(content.body.as_str())
        .bind(content.language.as_str())
        .bind(content.estate.map(EstateId::get))
        .bind(content.valid_from)
        .bind(last.recorded_at)
        .bind(self.content.is_some())
        .bind(Json(&self.planned))
        .execute(tx.conn())
        .await;
        on_constraint(written, "article_code_key", || Error::refused(&Refusal::CodeTaken))?;
        Ok(())
    }

    fn outgoing(&self, _event: &Recorded<Event>) -> Option<Outgoing> {
        None
    }

    fn timers(&self, event: &Recorded<Event>) -> Vec<TimerChange> {
        publish::article_timers(self, event)
    }
}

async fn plan(tx: &mut Tx, article: &Article) -> Result<()> {
    sqlx::query(
        "UPDATE article SET planned = $3, changed_xid = pg_current_xact_id()::text::bigint
         WHERE tenant_id = $1 AND article_id = $2",
    )
    .bind(tx.tenant().get())
    .bind(article.id.get())
    .bind(Json(&article.planned))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An article as lists show it.
#[derive(Debug, Clone)]
pub struct ArticleLine {
    /// Its id.
    pub id: ArticleId,
    /// The version that is good, or that will be first.
    pub version: i32,
    /// What that says.
    pub content: Content,
    /// When that was written.
    pub changed_at: DateTime<Utc>,
    /// Whether it is good now.
    pub in_force: bool,
    /// What will be good later.
    pub planned: Vec<Planned>,
}

#[derive(Debug, FromRow)]
struct ArticleRow {
    article_id: Uuid,
    version: i32,
    changed_xid: i64,
    code: String,
    title: String,
    category: String,
    body: String,
    language: String,
    estate_id: Option<Uuid>,
    valid_from: Option<NaiveDate>,
    written_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    in_force: bool,
    planned: Json<Vec<Planned>>,
}

impl ArticleRow {
    fn read(self) -> Result<ArticleLine> {
        let content = Content {
            code: text(&self.code)?,
            title: text(&self.title)?,
            category: text(&self.category)?,
            body: text(&self.body)?,
            language: Language::parse(&self.language).ok_or_else(|| Error::internal("article", "unknown language"))?,
            estate: self.estate_id.map(EstateId::from),
            valid_from: self.valid_from,
        };
        let (version, changed_at, in_force) = (self.version, self.changed_at, self.in_force);
        Ok(ArticleLine { id: self.article_id.into(), version, content, changed_at, in_force, planned: self.planned.0 })
    }
}

/// Which articles to list.
#[derive(Debug, Clone, Default)]
pub struct ArticleFilter {
    /// Of this category.
    pub category: Option<String>,
    /// With all of these words in title or body, as [`finding::words`](crate::domain::finding::words) gives them.
    pub words: Option<Vec<String>>,
    /// In this language.
    pub language: Option<Language>,
    /// Good for this estate.
    pub estate: Option<EstateId>,
    /// Of which something is planned, good now or not; only what is good now otherwise.
    pub planned: bool,
}

/// One page of articles, newest first.
///
/// * `visible`: the estates that the caller may see; `None` = all.
///
/// # Errors
/// When the database is away.
pub async fn list_articles(
    tx: &mut Tx,
    visible: Option<&[EstateId]>,
    filter: &ArticleFilter,
    page: PageRequest,
) -> Result<Page<ArticleLine>> {
    // A handbook has hundreds of articles, not millions: words are looked for in all of them.
    const STATEMENTS: [&str; 2] = statements!(
        "SELECT article_id, version, changed_xid, code, title, category, body, language, estate_id, valid_from,
                written_at, changed_at, in_force, planned
         FROM article WHERE tenant_id = $1
         AND CASE WHEN $12 THEN planned <> '[]' ELSE in_force END AND ($7::uuid[] IS NULL OR estate_id IS NULL OR estate_id = ANY($7))
         AND ($8::text IS NULL OR category = $8)
         AND ($9::text[] IS NULL OR NOT EXISTS (
             SELECT FROM unnest($9) AS word
             WHERE strpos(lower(normalize(title || E'\n' || body, NFKC)), word) = 0))
         AND ($10::text IS NULL OR language = $10) AND ($11::uuid IS NULL OR estate_id IS NULL OR estate_id = $11)",
        at = "written_at",
        id = "article_id"
    );
    let horizon = page.horizon(tx).await?;
    let rows: Vec<ArticleRow> = listed(STATEMENTS, tx.tenant(), &page, horizon)
        .bind(visible.map(uuids))
        .bind(filter.category.clone())
        .bind(filter.words.clone())
        .bind(filter.language.map(Language::as_str))
        .bind(filter.estate.map(EstateId::get))
        .bind(filter.planned)
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &ArticleRow| Key { at: row.written_at, id: row.article_id, changed_xid: row.changed_xid };
    let Page { items, next_cursor, since } = page.finish(rows, horizon, key);
    let items = items.into_iter().map(ArticleRow::read).collect::<Result<_>>()?;
    Ok(Page { items, next_cursor, since })
}

/// The articles with these codes, as they were last written: a file that is imported again changes nothing.
///
/// # Errors
/// When the database is away.
pub async fn articles_by_code(tx: &mut Tx, codes: &[String]) -> Result<HashMap<String, (Uuid, Content)>> {
    let rows: Vec<ArticleRow> = sqlx::query_as(
        "SELECT article_id, version, changed_xid, code, title, category, body, language, estate_id, valid_from,
                written_at, changed_at, in_force, planned
         FROM article WHERE tenant_id = $1 AND code = ANY($2)",
    )
    .bind(tx.tenant().get())
    .bind(codes)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            let line = row.read()?;
            let last = line.planned.into_iter().next_back().map_or(line.content, |planned| planned.content);
            Ok((last.code.to_string(), (line.id.get(), last)))
        })
        .collect()
}

/// The time zone in which the days of an article begin: its estate's, or the company's.
///
/// # Errors
/// When the database is away.
pub async fn zone_of(tx: &mut Tx, estate: Option<EstateId>) -> Result<Tz> {
    let Some(estate) = estate else { return Ok(HOME) };
    let name: Option<String> =
        sqlx::query_scalar("SELECT time_zone FROM estate WHERE tenant_id = $1 AND estate_id = $2")
            .bind(tx.tenant().get())
            .bind(estate.get())
            .fetch_optional(tx.conn())
            .await?;
    Ok(name.map_or(HOME, |name| zone(&name)))
}
