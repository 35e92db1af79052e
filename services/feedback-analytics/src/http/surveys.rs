//! Surveys: what an owner is asked, and the answer.

use axum::extract::State;
use steward_chassis::{
    Error, Executed, FieldError, Result,
    http::{Allowed, Json, List, ListParams, Path, Problems, Versioned, page::Mode},
};
use steward_kernel::{page::Page, vocabulary::Language};

use super::{
    dto::{AnswerSurvey, SurveyFilter, SurveyView},
    permission,
};
use crate::{
    app::{App, born},
    domain::{
        Survey, SurveyId,
        survey::{Answer, Command, NotARating, Rating, SurveyStage},
    },
    store::{self, surveys::Filter},
};

/// List surveys
///
/// Newest first; staff those of their estates, owners their own that are open (another `stage` can be asked
/// for). With `since`: what has changed, oldest change first.
#[utoipa::path(
    get, path = "/v1/surveys", tag = "surveys",
    params(SurveyFilter, ListParams),
    responses((status = 200, description = "One page", body = Page<SurveyView>), Problems),
    security(("bearer" = ["survey.read"])),
)]
pub async fn list_surveys(
    State(app): State<App>,
    call: Allowed<permission::ReadSurveys>,
    list: List<SurveyFilter>,
) -> Result<Json<Page<SurveyView>>> {
    let mut filter = Filter::from(list.filter);
    // In the feed an owner also learns what is no longer open.
    if call.actor.is_only_owner() && matches!(list.page.mode, Mode::Newest { .. }) {
        filter.stage = filter.stage.or(Some(SurveyStage::Sent));
    }
    let mut tx = app.read(&call).await?;
    let page = store::surveys::list(&mut tx, &call.actor, &filter, list.page).await?;
    tx.rollback().await?;
    Ok(Json(page.map(|listed| {
        SurveyView::new(listed.id.into(), listed.version, listed.changed_at, listed.life, call.language)
    })))
}

/// Read a survey
///
/// With the questions in the language asked for.
#[utoipa::path(
    get, path = "/v1/surveys/{survey_id}", tag = "surveys",
    params(("survey_id" = SurveyId, Path, description = "The survey")),
    responses(
        (
            status = 200,
            description = "The survey",
            body = SurveyView,
            headers(("etag" = String, description = "Version, for If-Match")),
        ),
        Problems,
    ),
    security(("bearer" = ["survey.read"])),
)]
pub async fn get_survey(
    State(app): State<App>,
    call: Allowed<permission::ReadSurveys>,
    Path(survey_id): Path<SurveyId>,
) -> Result<Versioned<SurveyView>> {
    let found = app.engine.load::<Survey>(&call, survey_id).await?;
    let about = found.state.life.as_ref().map(|life| &life.invitation);
    let seen = about.is_some_and(|about| call.actor.sees(about.estate_id, Some(about.resident_id)));
    if seen { view(found, call.language) } else { Err(Error::NotFound) }
}

/// Answer a survey
///
/// Only the owner who was asked can, with one score, some, or a comment alone. Sending the same answer again changes nothing; another one is
/// refused.
#[utoipa::path(
    post, path = "/v1/surveys/{survey_id}/answer", tag = "surveys",
    params(("survey_id" = SurveyId, Path, description = "The survey")),
    request_body = AnswerSurvey,
    responses((status = 200, description = "The survey as it is now", body = SurveyView), Problems),
    security(("bearer" = ["survey.answer"])),
)]
pub async fn answer_survey(
    State(app): State<App>,
    call: Allowed<permission::AnswerSurveys>,
    Path(survey_id): Path<SurveyId>,
    Json(body): Json<AnswerSurvey>,
) -> Result<Versioned<SurveyView>> {
    let command = Command::Answer(answer(body)?);
    let facts = app.facts(&call.actor);
    view(app.engine.execute::<Survey>(&call, survey_id, &command, &facts).await?, call.language)
}

/// The answer, or every score that is not one.
fn answer(body: AnswerSurvey) -> Result<Answer> {
    let AnswerSurvey { outcome, handling, courtesy, comment } = body;
    let mut faults = Vec::new();
    let mut rating = |name: &str, number: Option<u8>| {
        let read = number.map(Rating::try_from).transpose();
        let fault = |fault: NotARating| FieldError::new(format!("/{name}"), "out_of_range", fault.to_string());
        read.map_err(|refused| faults.push(fault(refused))).unwrap_or_default()
    };
    let (outcome, handling, courtesy) =
        (rating("outcome", outcome), rating("handling", handling), rating("courtesy", courtesy));
    if faults.is_empty() { Ok(Answer { outcome, handling, courtesy, comment }) } else { Err(Error::Invalid(faults)) }
}

fn view(done: Executed<Survey>, language: Language) -> Result<Versioned<SurveyView>> {
    let body = SurveyView::new(done.state.id, done.version, done.changed_at, born(done.state.life)?, language);
    Ok(Versioned::ok(body, done.version).replayed(done.replayed))
}
