//! Articles: the newest version of each.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::FromRow;
use steward_chassis::{
    Error, Result, Stored,
    db::{Tx, on_constraint},
    http::page::{Key, PageRequest},
};
use steward_kernel::{
    Recorded,
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
use crate::domain::{
    ArticleId,
    article::{Article, Content, Event, Refusal},
};

impl Stored for Article {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(last), Some(content)) = (events.last(), &self.content) else { return Ok(()) };
        let written = sqlx::query(
            "INSERT INTO article (tenant_id, article_id, version, changed_xid, code, title, category, body, language,
                                  estate_id, valid_from, written_at, changed_at)
             VALUES ($1, $2, $3, pg_current_xact_id()::text::bigint, $4, $5, $6, $7, $8, $9, $10, $11, $11)
             ON CONFLICT (tenant_id, article_id) DO UPDATE
             SET version = excluded.version, changed_xid = excluded.changed_xid, title = excluded.title,
                 category = excluded.category, body = excluded.body, language = excluded.language,
                 estate_id = excluded.estate_id, valid_from = excluded.valid_from, changed_at = excluded.changed_at",
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
        .execute(tx.conn())
        .await;
        on_constraint(written, "article_code_key", || Error::refused(&Refusal::CodeTaken))?;
        Ok(())
    }

    fn outgoing(&self, _event: &Recorded<Event>) -> Option<Outgoing> {
        None
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// An article as lists show it.
#[derive(Debug, Clone)]
pub struct ArticleLine {
    /// Its id.
    pub id: ArticleId,
    /// Its newest version.
    pub version: i32,
    /// What that says.
    pub content: Content,
    /// When that was written.
    pub changed_at: DateTime<Utc>,
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
        Ok(ArticleLine { id: self.article_id.into(), version: self.version, content, changed_at: self.changed_at })
    }
}

/// Which articles to list.
#[derive(Debug, Clone, Default)]
pub struct ArticleFilter {
    /// Of this category.
    pub category: Option<String>,
    /// With these words in title or body.
    pub words: Option<String>,
    /// In this language.
    pub language: Option<Language>,
    /// Good for this estate.
    pub estate: Option<EstateId>,
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
                written_at, changed_at
         FROM article WHERE tenant_id = $1 AND ($7::uuid[] IS NULL OR estate_id IS NULL OR estate_id = ANY($7))
         AND ($8::text IS NULL OR category = $8)
         AND ($9::text IS NULL OR strpos(lower(title), lower($9)) > 0 OR strpos(lower(body), lower($9)) > 0)
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
        .fetch_all(tx.conn())
        .await?;
    let key = |row: &ArticleRow| Key { at: row.written_at, id: row.article_id, changed_xid: row.changed_xid };
    let Page { items, next_cursor, since } = page.finish(rows, horizon, key);
    let items = items.into_iter().map(ArticleRow::read).collect::<Result<_>>()?;
    Ok(Page { items, next_cursor, since })
}

/// The articles with these codes.
///
/// # Errors
/// When the database is away.
pub async fn articles_by_code(tx: &mut Tx, codes: &[String]) -> Result<HashMap<String, (Uuid, Content)>> {
    let rows: Vec<ArticleRow> = sqlx::query_as(
        "SELECT article_id, version, changed_xid, code, title, category, body, language, estate_id, valid_from,
                written_at, changed_at
         FROM article WHERE tenant_id = $1 AND code = ANY($2)",
    )
    .bind(tx.tenant().get())
    .bind(codes)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|row| {
            let line = row.read()?;
            Ok((line.content.code.to_string(), (line.id.get(), line.content)))
        })
        .collect()
}
