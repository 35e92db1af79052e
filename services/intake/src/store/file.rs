//! Files: what they are, and their content.

use steward_chassis::{Result, Stored, db::Tx};
use steward_kernel::{
    Recorded,
    ids::{EstateId, ResidentId},
    message::{Outgoing, TimerChange},
};
use uuid::Uuid;

use super::register::uuids;
use crate::{
    domain::{
        FileId,
        file::{Event, File},
    },
    publish,
};

impl Stored for File {
    async fn project(&self, tx: &mut Tx, events: &[Recorded<Event>]) -> Result<()> {
        let (Some(last), Some(file)) = (events.last(), &self.particulars) else { return Ok(()) };
        sqlx::query(
            "INSERT INTO file (tenant_id, file_id, version, content_type, size_bytes, sha256, resident_id,
                               estate_ids, stored_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (tenant_id, file_id) DO UPDATE SET version = excluded.version",
        )
        .bind(tx.tenant().get())
        .bind(self.id.get())
        .bind(last.version.get())
        .bind(file.media_type.as_str())
        .bind(file.size_bytes)
        .bind(&file.sha256)
        .bind(file.resident.map(ResidentId::get))
        .bind(file.estates.as_deref().map(uuids))
        .bind(last.recorded_at)
        .execute(tx.conn())
        .await?;
        Ok(())
    }

    fn outgoing(&self, event: &Recorded<Event>) -> Option<Outgoing> {
        publish::file(self, event)
    }

    fn timers(&self, _event: &Recorded<Event>) -> Vec<TimerChange> {
        Vec::new()
    }
}

/// Keeps the content of a file.
///
/// # Errors
/// When the database is away.
pub async fn write_content(tx: &mut Tx, id: FileId, content: &[u8]) -> Result<()> {
    sqlx::query("INSERT INTO file_content (tenant_id, file_id, content) VALUES ($1, $2, $3)")
        .bind(tx.tenant().get())
        .bind(id.get())
        .bind(content)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The content of a file; `None` when there is none.
///
/// # Errors
/// When the database is away.
pub async fn read_content(tx: &mut Tx, id: FileId) -> Result<Option<Vec<u8>>> {
    let content = sqlx::query_scalar("SELECT content FROM file_content WHERE tenant_id = $1 AND file_id = $2")
        .bind(tx.tenant().get())
        .bind(id.get())
        .fetch_optional(tx.conn())
        .await?;
    Ok(content)
}

/// The estates in which the register has this resident.
///
/// # Errors
/// When the database is away.
pub async fn home_of(tx: &mut Tx, resident: ResidentId) -> Result<Vec<EstateId>> {
    let estates: Vec<Uuid> =
        sqlx::query_scalar("SELECT DISTINCT estate_id FROM resident_unit WHERE tenant_id = $1 AND resident_id = $2")
            .bind(tx.tenant().get())
            .bind(resident.get())
            .fetch_all(tx.conn())
            .await?;
    Ok(estates.into_iter().map(EstateId::from).collect())
}
