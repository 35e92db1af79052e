//! What we need to know of the register: which estates there are.

use steward_chassis::{Result, db::Tx};
use steward_kernel::ids::EstateId;
use uuid::Uuid;

/// Writes down an estate; the newest of its events stands.
///
/// # Errors
/// [`steward_chassis::Error::Unavailable`] when the database is away.
pub async fn register_estate(tx: &mut Tx, estate: EstateId, code: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO estate (tenant_id, estate_id, code) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, estate_id) DO UPDATE SET code = excluded.code",
    )
    .bind(tx.tenant().get())
    .bind(estate.get())
    .bind(code)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Those of the estates that are in the register.
///
/// # Errors
/// [`steward_chassis::Error::Unavailable`] when the database is away.
pub async fn known_estates(tx: &mut Tx, estates: &[EstateId]) -> Result<Vec<EstateId>> {
    let ids: Vec<Uuid> = estates.iter().map(|estate| estate.get()).collect();
    let known: Vec<Uuid> =
        sqlx::query_scalar("SELECT estate_id FROM estate WHERE tenant_id = $1 AND estate_id = ANY($2)")
            .bind(tx.tenant().get())
            .bind(ids)
            .fetch_all(tx.conn())
            .await?;
    Ok(known.into_iter().map(EstateId::from).collect())
}
