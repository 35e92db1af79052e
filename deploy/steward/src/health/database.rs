//! How the database of a service is.

use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _};
use steward_admin::services::Entry;
use steward_chassis::{
    Clock,
    db::{Db, pending_migrations},
    lifecycle::State,
    parked,
};

use super::{Findings, Line};
use crate::{database::Settings, selection};

/// What is older than this, in seconds, has waited for too long.
const TOO_LONG: f64 = 60.0;

/// Connects as each role and looks at what the platform's loops have left to do.
pub(super) async fn ask(settings: &Settings, service: Entry, patience: Duration) -> Line {
    let mut findings = Findings::default();
    match tokio::time::timeout(patience, look(settings, service, &mut findings)).await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => findings.expect(false, State::Down, format!("{fault:#}")),
        Err(_) => findings.expect(false, State::Down, "does not answer"),
    }
    findings.line("database", service.name)
}

async fn look(settings: &Settings, service: Entry, findings: &mut Findings) -> anyhow::Result<()> {
    let db = selection::database(settings, service.name)?;
    sqlx::query("SELECT 1").execute(&db.app).await?;
    db.ping().await?;
    settings.owner(service.name)?.connect().await?.close().await?;
    findings.note("all roles connect");
    let pending = pending_migrations(&db, service.name, (service.migrator)()).await?;
    if !pending.is_empty() {
        findings.expect(false, State::Degraded, format!("migrations missing: {}", pending.join(", ")));
        return Ok(());
    }
    waiting(&db, findings).await
}

async fn waiting(db: &Db, findings: &mut Findings) -> anyhow::Result<()> {
    let (rows, age, overdue): (i64, f64, f64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM outbox),
                (SELECT coalesce(extract(epoch FROM now() - min(recorded_at)), 0)::float8 FROM event
                 WHERE position = (SELECT min(position) FROM outbox)),
                (SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float8 FROM timer WHERE due_at <= now()
                 AND NOT EXISTS (SELECT FROM tenant WHERE tenant.tenant_id = timer.tenant_id AND closed_at IS NOT NULL))",
    )
    .fetch_one(&db.platform)
    .await?;
    let parked = parked::count(&db.platform, Clock::System.now()).await?;
    findings.expect(age < TOO_LONG, State::Degraded, format!("{rows} events to publish, oldest {age:.0} s"));
    findings.expect(parked == 0, State::Degraded, format!("{parked} parked messages"));
    findings.expect(overdue < TOO_LONG, State::Degraded, format!("timers {overdue:.0} s late"));
    Ok(())
}
