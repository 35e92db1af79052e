//! Lists: every one has the same two statements, newest first and what has changed.

use sqlx::{
    FromRow, Postgres,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
};
use steward_chassis::http::page::{Mode, PageRequest};
use steward_kernel::TenantId;
use uuid::Uuid;

/// The two statements of a list, made of `SELECT … WHERE tenant_id = $1 AND …` and the columns of its order.
///
/// `$1` to `$6` are bound by [`listed`]; the list's own filters follow from `$7` on.
macro_rules! statements {
    ($select:literal, at = $at:literal, id = $id:literal) => {
        [
            concat!(
                $select,
                " AND ($2::timestamptz IS NULL OR (",
                $at,
                ", ",
                $id,
                ") < ($2, $3)) ORDER BY ",
                $at,
                " DESC, ",
                $id,
                " DESC LIMIT $4"
            ),
            concat!(
                $select,
                " AND (changed_xid, ",
                $id,
                ") > ($5, $3) AND changed_xid < $6 ORDER BY changed_xid, ",
                $id,
                " LIMIT $4"
            ),
        ]
    };
}
pub(super) use statements;

/// The statement for this page, with its place bound.
pub(super) fn listed<R>(
    [newest, changed]: [&'static str; 2],
    tenant: TenantId,
    page: &PageRequest,
    horizon: i64,
) -> QueryAs<'static, Postgres, R, PgArguments>
where
    R: for<'r> FromRow<'r, PgRow>,
{
    let (statement, at, id, changed_xid) = match page.mode {
        Mode::Newest { after: None } => (newest, None, Uuid::nil(), 0),
        Mode::Newest { after: Some((at, id)) } => (newest, Some(at), id, 0),
        Mode::Changed { after: (changed_xid, id) } => (changed, None, id, changed_xid),
    };
    sqlx::query_as(statement).bind(tenant.get()).bind(at).bind(id).bind(page.fetch()).bind(changed_xid).bind(horizon)
}
