//! The owner's handbook.

use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{
    Call, Error, Permission as _, Result,
    http::{Allowed, Body, Json, List, ListParams, Path, Problems, Query, Versioned},
    sheet::{self, ImportQuery},
};
use steward_kernel::{
    Aggregate as _, Recorded, Version,
    day::HOME,
    era,
    ids::EstateId,
    page::Page,
    replay,
    text::{Line, Text},
    vocabulary::Language,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    estates::{ImportReport, report},
    permission, sheets,
};
use crate::{
    app::App,
    domain::{
        ArticleId,
        article::{self, Article, Command, Content, Event, Planned, may_read, may_write},
        finding,
    },
    import,
    store::article::{ArticleFilter, ArticleLine, list_articles as read_articles},
};

/// What an article is to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "DECO-01", "title": "装修办理流程", "category": "permit.renovation", "language": "zh-Hans",
    "body": "业主本人带身份证和装修方案到服务中心登记；工程部三个工作日内审核。", "valid_from": "2026-01-01"
}))]
pub struct WriteArticle {
    /// Its code; unique in the company, never changes.
    code: Text<40>,
    /// Its title.
    title: Line,
    /// What it is about, usually a code of the taxonomy.
    category: Text<64>,
    /// The text.
    body: Text<20_000>,
    /// The language it is written in.
    language: Language,
    /// The estate it is for; absent = all.
    estate_id: Option<EstateId>,
    /// From which day on it is good, as days begin in its estate; absent = always. Until then what was good before is read,
    /// listed and cited.
    #[serde(default, deserialize_with = "era::read")]
    valid_from: Option<NaiveDate>,
}

impl From<WriteArticle> for Content {
    fn from(new: WriteArticle) -> Self {
        Self {
            code: new.code,
            title: new.title,
            category: new.category,
            body: new.body,
            language: new.language,
            estate: new.estate_id,
            valid_from: new.valid_from,
        }
    }
}

/// An article.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "article_id": "0198f001-0000-7000-8000-000000000401", "code": "DECO-01", "title": "装修办理流程",
    "category": "permit.renovation", "language": "zh-Hans", "valid_from": "2026-01-01",
    "body": "业主本人带身份证和装修方案到服务中心登记；工程部三个工作日内审核。",
    "changed_at": "2026-11-23T08:00:00Z", "in_force": true, "version": 2
}))]
pub struct ArticleView {
    /// Its id.
    pub article_id: ArticleId,
    /// Its code.
    pub code: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub category: String,
    /// The text.
    pub body: String,
    /// The language it is written in.
    pub language: Language,
    /// The estate it is for; absent = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estate_id: Option<EstateId>,
    /// From which day on it is good; absent = always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// When this version was written.
    pub changed_at: DateTime<Utc>,
    /// Whether it is good now; what is planned is shown to those who write the handbook.
    pub in_force: bool,
    /// What will be good later, soonest first; for those who write the handbook.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub planned: Vec<PlannedText>,
    /// The version of this text: answers cite it. `If-Match` takes the `ETag`, which changes with plans, too.
    pub version: i32,
}

/// A text that is good later.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlannedText {
    /// From which day on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// When that day begins where it is for.
    pub takes_effect_at: DateTime<Utc>,
    /// Its title.
    pub title: String,
    /// The text.
    pub body: String,
}

impl From<Planned> for PlannedText {
    fn from(Planned { content, takes_effect_at }: Planned) -> Self {
        Self { valid_from: content.valid_from, takes_effect_at, title: content.title.into(), body: content.body.into() }
    }
}

impl From<ArticleLine> for ArticleView {
    fn from(ArticleLine { id, version, content, changed_at, in_force, planned }: ArticleLine) -> Self {
        Self {
            article_id: id,
            code: content.code.into(),
            title: content.title.into(),
            category: content.category.into(),
            body: content.body.into(),
            language: content.language,
            estate_id: content.estate,
            valid_from: content.valid_from,
            changed_at,
            in_force,
            planned: planned.into_iter().map(PlannedText::from).collect(),
            version,
        }
    }
}

/// An article as it was just written: the text that is good, or that is planned by this very version.
fn view(article: Article, version: Version, changed_at: DateTime<Utc>, written: &Content) -> Result<ArticleView> {
    let Article { id, content, planned } = article;
    let is_planned = planned.iter().any(|planned| planned.content == *written);
    let content = if is_planned { Some(written.clone()) } else { content };
    let (content, in_force) = (content.ok_or(Error::NotFound)?, !is_planned);
    Ok(ArticleLine { id, version: version.get(), content, changed_at, in_force, planned }.into())
}

/// Whether the caller is shown what is planned for that estate.
fn sees_plans(call: &Call, estate: Option<EstateId>) -> bool {
    call.actor.is_any(permission::WriteArticles::ROLES) && may_write(&call.actor, estate)
}

/// Import the handbook
///
/// One row for each article; a text that differs becomes a new version. Headers: 编码 `article_code`, 标题 `title`, 分类
/// `category`, 正文 `body`, 语言 `language`, [小区编码 `estate_code`], [生效日期 `valid_from`].
#[utoipa::path(
    post, path = "/v1/articles/import", tag = "articles",
    params(ImportQuery),
    request_body(description = "The file, at most 10 MiB and 50,000 rows", content(
        (String = "text/csv", example = "编码,标题,分类,正文,语言\nDECO-01,装修办理流程,permit.renovation,业主本人到服务中心登记。,zh-Hans\n"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )),
    responses((status = 200, description = "What came of it", body = ImportReport, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["register.import"])),
)]
pub async fn import_articles(
    State(app): State<App>,
    call: Allowed<permission::ImportRegister>,
    Query(asked): Query<ImportQuery>,
    body: Body,
) -> Result<Versioned<ImportReport>> {
    let today = app.core.clock.now().date_naive();
    let (file, _turn) = sheet::aside(move || sheets::articles(&body, today)).await?;
    Ok(report(&import::articles(&app.core.engine, &asked.of(&call), file).await?, call.language))
}

/// Write an article
///
/// Its first version. Who works for some estates only writes for one of them.
#[utoipa::path(
    post, path = "/v1/articles", tag = "articles",
    request_body = WriteArticle,
    responses((status = 201, description = "The article", body = ArticleView), Problems),
    security(("bearer" = ["article.write"])),
)]
pub async fn write_article(
    State(app): State<App>,
    call: Allowed<permission::WriteArticles>,
    Json(body): Json<WriteArticle>,
) -> Result<Versioned<ArticleView>> {
    let content = Content::from(body);
    check_estate(&app, &call, content.estate).await?;
    let (id, facts) = (app.core.clock.new_id().into(), facts(&app, &call, &content).await?);
    let done = app.core.engine.create::<Article>(&call, id, &Command::Write(content.clone()), &facts).await?;
    let location = format!("/v1/articles/{}", done.state.id);
    Ok(Versioned::created(view(done.state, done.version, done.changed_at, &content)?, done.version, location)
        .replayed(done.replayed))
}

/// Revise an article
///
/// Writes its next version; the code stays. The same text again changes nothing. A text that is dated ahead is planned: it is good when its day
/// begins, and replaces what was planned for that day. `If-Match` is required, so that nobody writes over what
/// a colleague has just changed.
#[utoipa::path(
    post, path = "/v1/articles/{article_id}/revise", tag = "articles",
    params(("article_id" = ArticleId, Path, description = "The article")),
    request_body = WriteArticle,
    responses((status = 200, description = "The article as it is now", body = ArticleView), Problems),
    security(("bearer" = ["article.write"])),
)]
pub async fn revise_article(
    State(app): State<App>,
    call: Allowed<permission::WriteArticles>,
    Path(article_id): Path<ArticleId>,
    Json(body): Json<WriteArticle>,
) -> Result<Versioned<ArticleView>> {
    call.must_have_read()?;
    let content = Content::from(body);
    check_estate(&app, &call, content.estate).await?;
    let (facts, command) = (facts(&app, &call, &content).await?, Command::Revise(content.clone()));
    let done = app.core.engine.execute::<Article>(&call, article_id, &command, &facts).await?;
    Ok(Versioned::ok(view(done.state, done.version, done.changed_at, &content)?, done.version).replayed(done.replayed))
}

async fn facts(app: &App, call: &Call, content: &Content) -> Result<article::Facts> {
    let known = match content.estate {
        Some(estate) => app.places.estate(call.tenant(), estate).await?,
        None => None,
    };
    Ok(article::Facts { actor: call.actor.clone(), now: app.core.clock.now(), time_zone: known.unwrap_or(HOME) })
}

/// An article is for all estates or for one of the register. Who works for some only is told the same of all others, whether they exist or not.
async fn check_estate(app: &App, call: &Call, estate: Option<EstateId>) -> Result<()> {
    if let Some(estate) = estate.filter(|estate| call.actor.sees_estate(*estate))
        && app.places.estate(call.tenant(), estate).await?.is_none()
    {
        return Err(Error::field("/estate_id", "unknown-estate", "must be an estate of the register"));
    }
    Ok(())
}

/// Which articles to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ArticleQuery {
    /// Only of this category.
    category: Option<Line>,
    /// Only with all of these words in title or text.
    q: Option<Line>,
    /// Only in this language.
    language: Option<Language>,
    /// Only what is good for this estate.
    estate_id: Option<EstateId>,
    /// Only those of which something is planned, good now or not; for those who write the handbook.
    #[serde(default)]
    planned: bool,
}

/// List articles
///
/// Those for all estates and for the caller's own that are good now, newest first.
#[utoipa::path(
    get, path = "/v1/articles", tag = "articles",
    params(ArticleQuery, ListParams),
    responses((status = 200, description = "A page of articles", body = Page<ArticleView>), Problems),
    security(("bearer" = ["article.read"])),
)]
pub async fn list_articles(
    State(app): State<App>,
    call: Allowed<permission::ReadArticles>,
    list: List<ArticleQuery>,
) -> Result<Json<Page<ArticleView>>> {
    let ArticleQuery { category, q, language, estate_id: estate, planned } = list.filter;
    if planned && !call.actor.is_any(permission::WriteArticles::ROLES) {
        return Err(Error::field("/planned", "not-for-you", "must be left out by those who do not write the handbook"));
    }
    let (category, words) = (category.map(String::from), q.map(|q| finding::words(q.as_str())));
    let filter = ArticleFilter { category, words, language, estate, planned };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let page = read_articles(&mut tx, call.actor.estates.as_deref(), &filter, list.page).await?;
    tx.rollback().await?;
    Ok(Json(page.map(|line| shown(&call, line))))
}

/// An article as the caller may see it.
fn shown(call: &Call, mut line: ArticleLine) -> ArticleView {
    if !sees_plans(call, line.content.estate) {
        line.planned.clear();
    }
    line.into()
}

/// Which version to read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VersionQuery {
    /// A former version, as an answer cites it, or one that is planned; the one that is good now when absent.
    version: Option<i32>,
}

/// Read an article
///
/// The text that is good now, or the version that an answer cites.
#[utoipa::path(
    get, path = "/v1/articles/{article_id}", tag = "articles",
    params(("article_id" = ArticleId, Path, description = "The article"), VersionQuery),
    responses((status = 200, description = "The article", body = ArticleView), Problems),
    security(("bearer" = ["article.read"])),
)]
pub async fn get_article(
    State(app): State<App>,
    call: Allowed<permission::ReadArticles>,
    Path(article_id): Path<ArticleId>,
    Query(query): Query<VersionQuery>,
) -> Result<Versioned<ArticleView>> {
    let history = app.core.engine.history::<Article>(&call, article_id).await?;
    let newest = history.last().ok_or(Error::NotFound)?.version;
    let line = read(article_id, &history, query.version, |estate| sees_plans(&call, estate)).ok_or(Error::NotFound)?;
    if !may_read(&call.actor, line.content.estate) {
        return Err(Error::NotFound);
    }
    Ok(Versioned::ok(shown(&call, line), newest))
}

/// The text of that version, else the one that is good now, else the one that will be first; what is planned only for whom it is shown to.
fn read(
    id: ArticleId,
    history: &[Recorded<Event>],
    version: Option<i32>,
    sees_plans: impl Fn(Option<EstateId>) -> bool,
) -> Option<ArticleLine> {
    let article = replay(Article::unborn(id), history.iter().map(|event| &event.body));
    let is_shown = |event: &&Recorded<Event>| match &event.body {
        Event::Written(_) => true,
        Event::Planned(planned) => sees_plans(planned.content.estate),
    };
    let good = history.iter().rfind(|event| matches!(event.body, Event::Written(_)));
    let event = match version {
        Some(wanted) => history.iter().find(|event| event.version == Version(wanted)),
        None => good.or(history.last()),
    };
    let event = event.filter(is_shown)?;
    let (content, in_force) = match &event.body {
        Event::Written(content) => (content, good.is_some_and(|good| good.version == event.version)),
        Event::Planned(planned) => (&planned.content, false),
    };
    let (version, changed_at) = (event.version.get(), event.recorded_at);
    Some(ArticleLine { id, version, content: content.clone(), changed_at, in_force, planned: article.planned })
}
