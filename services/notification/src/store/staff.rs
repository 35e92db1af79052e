//! What we need to know of the company's people: who may be the second person of a notice.

use std::collections::BTreeSet;

use steward_chassis::{Result, db::Tx};
use steward_kernel::{ActorId, Role, ids::EstateId};
use uuid::Uuid;

/// Somebody of the register.
#[derive(Debug, Clone)]
pub struct StaffMember {
    /// Their entry.
    pub id: Uuid,
    /// Subject of their tokens; empty = they have none.
    pub account: String,
    /// Their post.
    pub role: String,
    /// The estates they work for; `None` = all.
    pub estates: Option<Vec<EstateId>>,
    /// Whether they have left the company.
    pub left: bool,
}

/// Writes down somebody of the register; the newest of their events stands.
///
/// # Errors
/// [`steward_chassis::Error::Unavailable`] when the database is away.
pub async fn register_staff(tx: &mut Tx, member: &StaffMember) -> Result<()> {
    let estates: Option<Vec<Uuid>> =
        member.estates.as_ref().map(|estates| estates.iter().map(|estate| estate.get()).collect());
    sqlx::query(
        "INSERT INTO staff (tenant_id, staff_id, account, role, estate_ids, has_left) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, staff_id) DO UPDATE
         SET account = excluded.account, role = excluded.role, estate_ids = excluded.estate_ids,
             has_left = excluded.has_left",
    )
    .bind(tx.tenant().get())
    .bind(member.id)
    .bind(&member.account)
    .bind(&member.role)
    .bind(estates)
    .bind(member.left)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// As what somebody works for the company, by the subject of their tokens; `None` when the register does not say.
///
/// # Errors
/// [`steward_chassis::Error::Unavailable`] when the database is away.
pub async fn post_of(tx: &mut Tx, account: &str) -> Result<Option<Role>> {
    let post: Option<String> =
        sqlx::query_scalar("SELECT min(role) FROM staff WHERE tenant_id = $1 AND account <> '' AND account = $2")
            .bind(tx.tenant().get())
            .bind(account)
            .fetch_one(tx.conn())
            .await?;
    Ok(post.and_then(|post| Role::parse(&post)))
}

/// Whether somebody of the register has left the company, under that account.
///
/// # Errors
/// [`steward_chassis::Error::Unavailable`] when the database is away.
pub async fn has_left(tx: &mut Tx, account: &ActorId) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT coalesce(bool_and(has_left), false) FROM staff WHERE tenant_id = $1 AND account <> '' AND account = $2",
    )
    .bind(tx.tenant().get())
    .bind(account.as_str())
    .fetch_one(tx.conn())
    .await?)
}

/// Who has one of these posts in every one of the estates.
///
/// # Errors
/// [`steward_chassis::Error::Unavailable`] when the database is away.
pub async fn accounts_of(tx: &mut Tx, roles: &[Role], estates: &[EstateId]) -> Result<BTreeSet<ActorId>> {
    let accounts: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT account FROM staff
         WHERE tenant_id = $1 AND account <> '' AND NOT has_left AND role = ANY($2) AND (estate_ids IS NULL OR estate_ids @> $3)",
    )
    .bind(tx.tenant().get())
    .bind(roles.iter().map(|role| role.as_str()).collect::<Vec<_>>())
    .bind(estates.iter().map(|estate| estate.get()).collect::<Vec<_>>())
    .fetch_all(tx.conn())
    .await?;
    Ok(accounts.into_iter().map(ActorId::new).collect())
}
