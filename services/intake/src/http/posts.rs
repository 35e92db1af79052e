//! Posts: who is told on which level of the ladder.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{
    Call, Error, Executed, FieldError, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned},
};
use steward_clock::Level;
use steward_kernel::{
    Version,
    ids::EstateId,
    page::Page,
    text::{Line, Text},
};
use utoipa::{IntoParams, ToSchema};

use super::{dto::Nothing, permission};
use crate::{
    app::App,
    domain::rulebook::{Facts, Place, Post, PostCommand as Command, PostId, Refusal, may_read},
    store::rulebook::{self as rows, PostLine},
};

/// Who is to hold which post.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "level": "lead", "estate_id": "0198f001-0000-7000-8000-000000000001", "department": "engineering", "account": "supervisor-yx-1"
}))]
pub struct AppointPost {
    /// Its level, from `lead` on: a worker holds no post.
    level: Level,
    /// The estate; for `lead` and `estate_manager`.
    estate_id: Option<EstateId>,
    /// Code of the department; for `lead`. Absent = all departments that have no lead of their own.
    department: Option<Text<100>>,
    /// The region, as the register names it; for `region`.
    region: Option<Text<100>>,
    /// Who is to hold it: an account of the staff register that works there.
    account: Line,
}

impl AppointPost {
    /// Which post, and who is to hold it.
    fn read(self) -> Result<(Place, String)> {
        let Self { level, estate_id: estate, department, region, account } = self;
        let (of_estate, of_region) = (matches!(level, Level::Lead | Level::EstateManager), level == Level::Region);
        let mut faults = Vec::new();
        if level == Level::Worker {
            faults.push(FieldError::new("/level", "invalid", "must be lead, estate_manager, region or company"));
        }
        let mut needs = |pointer, given: bool, needed: bool, allowed: bool| {
            if needed && !given {
                faults.push(FieldError::new(pointer, "missing", format!("is required for {level}")));
            }
            if given && !allowed {
                faults.push(FieldError::new(pointer, "invalid", format!("must be left out for {level}")));
            }
        };
        needs("/estate_id", estate.is_some(), of_estate, of_estate);
        needs("/department", department.is_some(), false, level == Level::Lead);
        needs("/region", region.is_some(), of_region, of_region);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let text = |given: Option<Text<100>>| given.map(String::from).unwrap_or_default();
        Ok((Place { level, estate, department: text(department), region: text(region) }, account.into()))
    }
}

/// A post.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "post_id": "0198f001-0000-7000-8000-000000000701", "level": "lead", "estate_id": "0198f001-0000-7000-8000-000000000001",
    "department": "engineering", "account": "supervisor-yx-1", "since": "2026-11-25T08:00:00Z", "version": 1
}))]
pub struct PostView {
    /// Its id.
    pub post_id: PostId,
    /// Its level.
    pub level: Level,
    /// Its estate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estate_id: Option<EstateId>,
    /// Code of its department; absent = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Its region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Who holds it; absent = nobody. While they are away their cover acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Since when it is so.
    pub since: DateTime<Utc>,
    /// Its version.
    pub version: i32,
}

fn named(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl PostView {
    fn read(row: PostLine) -> Result<Self> {
        Ok(Self {
            post_id: row.post_id.into(),
            level: Level::parse(&row.level).ok_or_else(|| Error::internal("post", "unknown level"))?,
            estate_id: row.estate_id.map(EstateId::from),
            department: named(row.department),
            region: named(row.region),
            account: row.account,
            since: row.since,
            version: row.version,
        })
    }

    fn of(done: Executed<Post>) -> Result<Self> {
        let Post { id, place, account, since } = done.state;
        let Place { level, estate, department, region } = place.ok_or(Error::NotFound)?;
        Ok(Self {
            post_id: id,
            level,
            estate_id: estate,
            department: named(department),
            region: named(region),
            account,
            since,
            version: done.version.get(),
        })
    }
}

fn facts(app: &App, call: &Call) -> Facts {
    Facts { has_read: call.has_read(), ..Facts::new(app.core.clock.now(), call.actor.clone()) }
}

/// Appoint to a post
///
/// Whoever held it before holds it no more; to take it from somebody takes `If-Match`, so that one knows from whom. Posts that nobody is appointed to are held by the staff register: the supervisors and managers of the estate, and at
/// the head office who works in all estates. For an estate by whoever sees it; for a region and the company by whoever sees all estates.
#[utoipa::path(
    post, path = "/v1/posts", operation_id = "appoint_post", tag = "posts",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that the caller has read; another version is refused")),
    request_body = AppointPost,
    responses(
        (status = 200, description = "The post as it is now", body = PostView),
        (status = 201, description = "A post that nobody held before", body = PostView),
        Problems,
    ),
    security(("bearer" = ["post.appoint"])),
)]
pub(super) async fn appoint_post(
    State(app): State<App>,
    call: Allowed<permission::AppointPosts>,
    Json(body): Json<AppointPost>,
) -> Result<Versioned<PostView>> {
    let (place, account) = body.read()?;
    if !place.is_for(&call.actor) {
        return Err(Error::refused(&Refusal::NotYourScope));
    }
    if let Some(estate) = place.estate
        && app.places.estate(call.tenant(), estate).await?.is_none()
    {
        return Err(Error::field("/estate_id", "unknown", "must be an estate of the register"));
    }
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let person = rows::served_by(&mut tx, &account).await?;
    let region = match place.level {
        Level::Region => rows::estates_of(&mut tx, Some(&place.region)).await?,
        Level::Worker | Level::Lead | Level::EstateManager | Level::Company => Vec::new(),
    };
    tx.rollback().await?;
    if place.level == Level::Region && region.is_empty() {
        return Err(Error::field("/region", "unknown", "must be a region of the register"));
    }
    let region = region.into_iter().map(EstateId::from).collect();
    let facts = Facts { person, region, ..facts(&app, &call) };
    let (id, command) = (place.post_id(), Command::Appoint { place, account });
    let done = app.core.engine.execute::<Post>(&call, id, &command, &facts).await?;
    app.rules.forget(call.tenant());
    let (version, replayed) = (done.version, done.replayed);
    let view = PostView::of(done)?;
    let answer = if version == Version(1) {
        Versioned::created(view, version, format!("/v1/posts/{id}"))
    } else {
        Versioned::ok(view, version)
    };
    Ok(answer.replayed(replayed))
}

/// Vacate a post
///
/// Nobody is appointed to it any more; then it is held by the staff register. Takes `If-Match`, as somebody else may have been appointed meanwhile.
/// One that is vacant stays so.
#[utoipa::path(
    post, path = "/v1/posts/{post_id}/vacate", operation_id = "vacate_post", tag = "posts",
    params(("post_id" = PostId, Path, description = "The post")),
    request_body = Nothing,
    responses((status = 200, description = "The post as it is now", body = PostView), Problems),
    security(("bearer" = ["post.appoint"])),
)]
pub(super) async fn vacate_post(
    State(app): State<App>,
    call: Allowed<permission::AppointPosts>,
    Path(post_id): Path<PostId>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Versioned<PostView>> {
    let facts = facts(&app, &call);
    let done = app.core.engine.execute::<Post>(&call, post_id, &Command::Vacate, &facts).await?;
    app.rules.forget(call.tenant());
    let (version, replayed) = (done.version, done.replayed);
    Ok(Versioned::ok(PostView::of(done)?, version).replayed(replayed))
}

/// Which posts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PostQuery {
    /// Only those of this estate.
    estate_id: Option<EstateId>,
}

/// List posts
///
/// Those to which somebody was appointed: of the caller's estates, of regions and of the company, newest first.
#[utoipa::path(
    get, path = "/v1/posts", operation_id = "list_posts", tag = "posts",
    params(PostQuery, ListParams),
    responses((status = 200, description = "A page of posts", body = Page<PostView>), Problems),
    security(("bearer" = ["post.read"])),
)]
pub(super) async fn list_posts(
    State(app): State<App>,
    call: Allowed<permission::ReadPosts>,
    List { filter, page }: List<PostQuery>,
) -> Result<Json<Page<PostView>>> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let Page { items, next_cursor, since } = rows::posts(&mut tx, &call.actor, filter.estate_id, page).await?;
    tx.rollback().await?;
    let items = items.into_iter().map(PostView::read).collect::<Result<_>>()?;
    Ok(Json(Page { items, next_cursor, since }))
}

/// Read a post
///
/// Who holds it, and since when.
#[utoipa::path(
    get, path = "/v1/posts/{post_id}", operation_id = "get_post", tag = "posts",
    params(("post_id" = PostId, Path, description = "The post")),
    responses((status = 200, description = "The post", body = PostView), Problems),
    security(("bearer" = ["post.read"])),
)]
pub(super) async fn get_post(
    State(app): State<App>,
    call: Allowed<permission::ReadPosts>,
    Path(post_id): Path<PostId>,
) -> Result<Versioned<PostView>> {
    let none = || Error::refused(&Refusal::NoSuchPost);
    let found = app.core.engine.load::<Post>(&call, post_id).await;
    let found = found.map_err(|fault| if matches!(fault, Error::NotFound) { none() } else { fault })?;
    match &found.state.place {
        Some(place) if may_read(&call.actor, place.estate) => {
            let version = found.version;
            Ok(Versioned::ok(PostView::of(found)?, version))
        }
        Some(_) | None => Err(none()),
    }
}
