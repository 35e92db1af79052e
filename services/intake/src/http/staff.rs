//! The company's people, as the register has them. Who may do what stands in their tokens.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_chassis::{
    Result,
    http::{Allowed, Body, Json, List, ListParams, Problems, Query, Versioned},
    sheet::{self, ImportQuery},
};
use steward_kernel::{Role, ids::EstateId, page::Page, text::Line};
use utoipa::{IntoParams, ToSchema};

use super::{
    estates::{ImportReport, report},
    permission, sheets,
};
use crate::{
    app::App,
    domain::register::{StaffId, StaffMember},
    import,
    store::staff,
};

/// Somebody who works for the company.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "staff_id": "0198f001-0000-7000-8000-000000000301", "code": "K001", "name": "武怡芳", "role": "receptionist",
    "department": "customer_service", "estate_ids": ["0198f001-0000-7000-8000-000000000001"], "account": "desk-yx-1", "left": false
}))]
pub struct StaffView {
    /// Their id.
    pub staff_id: StaffId,
    /// Their code in the company's register.
    pub code: String,
    /// Their name.
    pub name: String,
    /// Their post.
    #[schema(value_type = Role)]
    pub role: String,
    /// Their department.
    pub department: String,
    /// The estates they work for; absent = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estate_ids: Option<Vec<EstateId>>,
    /// Subject of their tokens.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    pub account: String,
    /// Whether they have left the company.
    pub left: bool,
}

impl From<(StaffId, StaffMember)> for StaffView {
    fn from((staff_id, member): (StaffId, StaffMember)) -> Self {
        Self {
            staff_id,
            code: member.code.into(),
            name: member.name.into(),
            role: member.role.into(),
            department: member.department.into(),
            estate_ids: member.estates,
            account: member.account,
            left: member.left,
        }
    }
}

/// Import the company's people
///
/// One row for each person. Headers: 工号 `staff_code`, 姓名 `name`, 岗位 `role`, 部门 `department`, 小区编码 `estate_code`
/// (several parted by `;`, 全部 = all), 账号 `account`, [在职状态 `status`: 在职, 离职]. What those answer for who have left, or do not
/// work for an estate any more, goes to whoever receives owners there; `notes` says so.
#[utoipa::path(
    post, path = "/v1/staff/import", tag = "staff",
    params(ImportQuery),
    request_body(description = "The file, at most 10 MiB and 50,000 rows", content(
        (String = "text/csv", example = "工号,姓名,岗位,部门,小区编码,账号\nK001,武怡芳,receptionist,customer_service,YX,desk-yx-1\n"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )),
    responses((status = 200, description = "What came of it", body = ImportReport, headers(("etag" = String, description = "Tells this answer from others"))), Problems),
    security(("bearer" = ["register.import"])),
)]
pub async fn import_staff(
    State(app): State<App>,
    call: Allowed<permission::ImportRegister>,
    Query(asked): Query<ImportQuery>,
    body: Body,
) -> Result<Versioned<ImportReport>> {
    let (file, _turn) = sheet::aside(move || sheets::staff(&body)).await?;
    let done = import::staff(&app.core.engine, &asked.of(&call), file).await?;
    app.rules.forget(call.tenant());
    Ok(report(&done, call.language))
}

/// Whom to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StaffQuery {
    /// Only who works for this estate.
    estate_id: Option<EstateId>,
    /// Only with this post.
    role: Option<Line>,
}

/// List the company's people
///
/// Who works for an estate that the caller may see, newest first.
#[utoipa::path(
    get, path = "/v1/staff", tag = "staff",
    params(StaffQuery, ListParams),
    responses((status = 200, description = "A page of people", body = Page<StaffView>), Problems),
    security(("bearer" = ["register.read"])),
)]
pub async fn list_staff(
    State(app): State<App>,
    call: Allowed<permission::ReadRegister>,
    list: List<StaffQuery>,
) -> Result<Json<Page<StaffView>>> {
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let visible = call.actor.estates.as_deref();
    let page = staff::list_staff(
        &mut tx,
        visible,
        list.filter.estate_id,
        list.filter.role.as_ref().map(Line::as_str),
        list.page,
    )
    .await?;
    tx.rollback().await?;
    Ok(Json(page.map(StaffView::from)))
}
