//! Preferences: how a resident wants to be told.

use axum::extract::State;
use steward_chassis::{
    Error, Result,
    http::{Allowed, Json, Path, Problems, Versioned},
};
use steward_kernel::{Aggregate as _, Version, ids::ResidentId};

use super::{
    dto::{PreferenceView, SetPreference},
    permission,
};
use crate::{
    app::App,
    domain::{OutChannel, Preference, preferences::Command},
    preferences,
};

/// Get a resident's preference
///
/// What everybody has when it was never set. The desk can see those of residents who were sent a message about its
/// estates.
#[utoipa::path(
    get, path = "/v1/preferences/{resident_id}", tag = "preferences",
    params(("resident_id" = ResidentId, Path, description = "The resident")),
    responses((status = 200, description = "The preference", body = PreferenceView), Problems),
    security(("bearer" = ["preference.set"])),
)]
pub async fn get_preference(
    State(app): State<App>,
    call: Allowed<permission::SetPreferences>,
    Path(resident): Path<ResidentId>,
) -> Result<Versioned<PreferenceView>> {
    let facts = app.preference_facts(&call, resident).await?;
    let (state, version) = match app.engine.load::<Preference>(&call, resident).await {
        Ok(found) => (found.state, found.version),
        Err(Error::NotFound) => (Preference::unborn(resident), Version::UNBORN),
        Err(fault) => return Err(fault),
    };
    if !state.shows_to(&facts) {
        return Err(Error::NotFound);
    }
    Ok(Versioned::ok(PreferenceView::of(state, version, &call.actor), version))
}

/// Set a resident's preference
///
/// From the next message on. Owners set their own. Staff may take down what a resident they serve told them, and say how the
/// resident gave it; the resident is told, in the inbox whatever is set, and can set it again. Where wishes are set
/// already, staff send `If-Match`.
#[utoipa::path(
    put, path = "/v1/preferences/{resident_id}", tag = "preferences",
    params(("resident_id" = ResidentId, Path, description = "The resident")),
    request_body = SetPreference,
    responses((status = 200, description = "The preference as it is now", body = PreferenceView), Problems),
    security(("bearer" = ["preference.set"])),
)]
pub async fn set_preference(
    State(app): State<App>,
    call: Allowed<permission::SetPreferences>,
    Path(resident): Path<ResidentId>,
    Json(SetPreference { language, channels, taken_down }): Json<SetPreference>,
) -> Result<Versioned<PreferenceView>> {
    if channels.len() > OutChannel::ALL.len() {
        return Err(Error::field("/channels", "too_many", "must name each channel once"));
    }
    let facts = app.preference_facts(&call, resident).await?;
    let command = Command::Set { language, channels, taken_down };
    let done = preferences::set(&app, &call, resident, command, facts).await?;
    Ok(Versioned::ok(PreferenceView::of(done.state, done.version, &call.actor), done.version))
}
