//! What ships with the product: the texts of messages, and the channels.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_chassis::{
    Result,
    http::{Allowed, Json, Problems, Query},
};
use utoipa::ToSchema;

use super::permission;
use crate::{
    app::App,
    domain::{ChannelLimits, MessageText, OutChannel, Template, Variable},
};

/// What a list that is short and whole can be asked: nothing.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// All templates.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TemplatesView {
    /// Version of the texts.
    pub version: u32,
    /// The templates.
    pub items: Vec<TemplateView>,
}

/// A template.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TemplateView {
    /// Which one.
    pub template: Template,
    /// The variables that may stand in its texts, in braces.
    pub variables: Vec<Variable>,
    /// Its texts by language (`zh-Hans`, `zh-Hant`, `en`).
    pub texts: BTreeMap<String, MessageText>,
}

/// All channels.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChannelsView {
    /// The channels.
    pub items: Vec<ChannelView>,
}

/// A way out of the house.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "channel": "app_inbox", "connected": true, "messages": true, "notices": false,
    "limits": {"title_characters": 60, "body_characters": 300}
}))]
pub struct ChannelView {
    /// Which one.
    pub channel: OutChannel,
    /// Whether it is connected.
    pub connected: bool,
    /// Whether it carries messages to one resident.
    pub messages: bool,
    /// Whether it carries notices for many.
    pub notices: bool,
    /// What fits into it, when it is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<ChannelLimits>,
}

impl From<OutChannel> for ChannelView {
    fn from(channel: OutChannel) -> Self {
        let limits = channel.limits();
        Self {
            channel,
            connected: limits.is_some(),
            messages: channel.carries_messages(),
            notices: channel.carries_notices(),
            limits,
        }
    }
}

/// List templates
///
/// The texts of messages in every language, with the variables that stand in them. Whole: it has no pages.
#[utoipa::path(
    get, path = "/v1/templates", tag = "templates",
    responses((status = 200, description = "All templates", body = TemplatesView), Problems),
    security(("bearer" = ["text.read"])),
)]
pub async fn list_templates(
    State(app): State<App>,
    _call: Allowed<permission::ReadTexts>,
    Query(NoFilter {}): Query<NoFilter>,
) -> Result<Json<TemplatesView>> {
    let items = app.templates.all().map(|(template, texts)| TemplateView {
        template,
        variables: app.templates.variables(template),
        texts: texts.iter().map(|(language, text)| (language.to_string(), text.clone())).collect(),
    });
    Ok(Json(TemplatesView { version: app.templates.version(), items: items.collect() }))
}

/// List channels
///
/// The ways out of the house: which are connected, what they carry and how much fits. Whole: it has no pages.
#[utoipa::path(
    get, path = "/v1/channels", tag = "channels",
    responses((status = 200, description = "All channels", body = ChannelsView), Problems),
    security(("bearer" = ["text.read"])),
)]
pub async fn list_channels(
    _call: Allowed<permission::ReadTexts>,
    Query(NoFilter {}): Query<NoFilter>,
) -> Result<Json<ChannelsView>> {
    Ok(Json(ChannelsView { items: OutChannel::ALL.iter().copied().map(Into::into).collect() }))
}
