//! What requests and answers about visits look like.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use steward_chassis::{Executed, Result, http::Versioned};
use steward_kernel::{
    ids::{EstateId, ResidentId},
    text::Line,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::dto::answer;
use crate::{
    domain::{
        VisitId,
        visit::{Visit, VisitStage},
    },
    store::visit::VisitRow,
};

/// Somebody comes to the desk.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "estate_id": "0198f000-0000-7000-8000-00000000e001", "purpose": "咨询装修手续" }))]
pub struct OpenVisit {
    /// At which estate's desk.
    pub estate_id: EstateId,
    /// Who, if known.
    pub resident_id: Option<ResidentId>,
    /// What for; 1 to 200 characters.
    pub purpose: Option<Line>,
}

/// A visit at the desk.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitView {
    /// The visit.
    #[schema(value_type = VisitId)]
    pub visit_id: Uuid,
    /// At which estate's desk.
    #[schema(value_type = EstateId)]
    pub estate_id: Uuid,
    /// Who, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ResidentId>)]
    pub resident_id: Option<Uuid>,
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Place in the queue of the estate and day, from 1.
    #[schema(example = 7)]
    pub queue_number: i32,
    /// Where it stands.
    #[schema(value_type = VisitStage)]
    pub status: String,
    /// When somebody came.
    pub arrived_at: DateTime<Utc>,
    /// When called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_at: Option<DateTime<Utc>>,
    /// When serving began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Version, for `If-Match`.
    pub version: i32,
}

impl From<VisitRow> for VisitView {
    fn from(row: VisitRow) -> Self {
        Self {
            visit_id: row.visit_id,
            estate_id: row.estate_id,
            resident_id: row.resident_id,
            purpose: row.purpose,
            queue_number: row.queue_number,
            status: row.stage,
            arrived_at: row.arrived_at,
            called_at: row.called_at,
            served_at: row.served_at,
            ended_at: row.ended_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// Which visits to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VisitQuery {
    /// Of this estate.
    pub estate_id: Option<EstateId>,
    /// At this stage.
    pub status: Option<VisitStage>,
    /// Of this resident.
    pub resident_id: Option<ResidentId>,
}

/// A visit as it is now.
pub(super) fn visit(done: &Executed<Visit>) -> Result<Versioned<VisitView>> {
    answer(VisitRow::of(&done.state, done.version, done.changed_at), done.version, done.replayed)
}
