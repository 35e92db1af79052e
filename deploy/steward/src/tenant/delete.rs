//! Deletion of everything of a company.
//!
//! First it is closed, so that nothing new comes; then its messages are purged and its rows deleted, and what was published meanwhile is
//! purged, too. What stays is that it was closed. Every step can be done again.

use anyhow::Context as _;
use sqlx::AssertSqlSafe;
use steward_admin::services;
use steward_chassis::messages::Messages;
use steward_kernel::TenantId;

use super::{
    Delete, has_rows, known,
    schema::{Owner, TOMBSTONES, Table},
};
use crate::terminal::{Progress, say, table, tell};

/// Rows deleted in one transaction.
const BATCH: u64 = 5_000;
/// The table that the relays publish from: emptied first.
const OUTBOX: &str = "outbox";

/// Deletes.
///
/// # Errors
/// When something is away; repeated, it goes on.
pub(super) async fn run(settings: &Delete) -> anyhow::Result<()> {
    let tenant = settings.id;
    anyhow::ensure!(settings.yes, "this closes company {tenant} for ever and deletes all that is its own: say --yes");
    let messages = match &settings.nats {
        Some(nats) => Some(nats.connect().await?),
        None => None,
    };
    let mut owners = Vec::new();
    let (mut named, mut rows, mut closed) = (false, false, true);
    for service in services::all() {
        let mut owner = Owner::connect(&settings.database, service.name).await?;
        let row = known(&mut owner.connection, tenant).await?;
        named |= row.is_some();
        closed &= row.is_some_and(|row| row.closed_at.is_some());
        rows |= has_rows(&mut owner, tenant).await?;
        owners.push(owner);
    }
    anyhow::ensure!(named || rows, "nothing is known of company {tenant}");
    for owner in &mut owners {
        close(owner, tenant).await?;
    }
    if !closed {
        tell(&format!("closed; {} s for the services to finish what is under way", settings.settle.as_secs()));
        tokio::time::sleep(settings.settle).await;
    }
    let mut purged = purge(messages.as_ref(), tenant).await?;
    let mut counts = Vec::new();
    for owner in &mut owners {
        counts.extend(delete(owner, tenant).await?);
    }
    purged += purge(messages.as_ref(), tenant).await?;
    report(settings, &counts, purged);
    Ok(())
}

fn report(settings: &Delete, counts: &[(&'static str, String, u64)], purged: u64) {
    let rows: Vec<_> = counts
        .iter()
        .filter(|(_, _, count)| *count > 0)
        .map(|(service, table, count)| [(*service).to_owned(), table.clone(), count.to_string()])
        .collect();
    let total: u64 = counts.iter().map(|(_, _, count)| count).sum();
    if !rows.is_empty() {
        say(&table(["SERVICE", "TABLE", "DELETED"], &rows));
    }
    say(&format!("company {}: {total} rows deleted, {purged} messages purged", settings.id));
    if settings.nats.is_none() {
        say(
            "STEWARD_NATS_URL is not set: its messages stay in JetStream until they expire, or until this is repeated with it",
        );
    }
    say("backups still have it until they expire");
}

/// Closes the company in that schema.
async fn close(owner: &mut Owner, tenant: TenantId) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO tenant (tenant_id, name, created_at, closed_at) VALUES ($1, '', now(), now())
         ON CONFLICT (tenant_id) DO UPDATE SET closed_at = coalesce(tenant.closed_at, excluded.closed_at)",
    )
    .bind(tenant.get())
    .execute(&mut owner.connection)
    .await?;
    Ok(())
}

/// Purges what the streams have of the company; how many messages.
async fn purge(messages: Option<&Messages>, tenant: TenantId) -> anyhow::Result<u64> {
    let Some(messages) = messages else { return Ok(0) };
    let mut purged = 0;
    for service in services::all() {
        let name = messages.subjects.stream(service.name);
        let problem = || format!("stream {name}");
        let stream = messages.js.get_stream(&name).await.with_context(problem)?;
        let answer = stream.purge().filter(messages.subjects.everything_about(tenant)).await.with_context(problem)?;
        purged += answer.purged;
    }
    Ok(purged)
}

/// Deletes the company's rows in that schema, in small transactions; how many of which table.
async fn delete(owner: &mut Owner, tenant: TenantId) -> anyhow::Result<Vec<(&'static str, String, u64)>> {
    let mut tables = owner.tables().await?;
    tables.retain(|table| table.name != TOMBSTONES);
    // No table refers to another (a test knows), so the order is free; but what is not published any more need not be purged.
    tables.sort_by_key(|table| table.name != OUTBOX);
    let (service, mut counts, mut progress) = (owner.service, Vec::new(), Progress::new());
    for Table { name, .. } in tables {
        let statement = format!(
            "DELETE FROM {name} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {name} WHERE tenant_id = $1 LIMIT {BATCH}))"
        );
        let mut count = 0;
        loop {
            let mut batch = owner.begin(tenant).await?;
            let done = sqlx::query(AssertSqlSafe(statement.clone())).bind(tenant.get()).execute(&mut *batch).await?;
            batch.commit().await?;
            count += done.rows_affected();
            progress.tell(|| format!("{service}.{name}: {count} rows deleted"));
            if done.rows_affected() == 0 {
                break;
            }
        }
        counts.push((service, name, count));
    }
    Ok(counts)
}
