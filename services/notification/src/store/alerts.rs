//! Alerts: rows that join digests, thousands in a minute, from all lanes and replicas at once.
//!
//! Whoever adds a line holds its account together with others who do the same; whoever sends the digest, or settles
//! lines, holds it alone. So no line ever joins a digest that is being sent, and lines do not wait for each other. These
//! are the database's advisory locks: they end with the transaction, and they queue, so that a storm of lines cannot keep
//! the digest from being sent (locks on a row do not: those who share one overtake those who want it alone).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use steward_chassis::{
    Error, Result,
    db::Tx,
    http::{
        PageRequest,
        page::{Key, Mode},
    },
};
use steward_kernel::{Actor, ActorId, ids::CaseId, page::Page, vocabulary::Priority};
use uuid::Uuid;

use super::json;
use crate::domain::{Alert, AlertCause, AlertId, DigestId, Matter, SHOWN_LINES, Tally, rank};

/// How accounts are held until the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// To add lines.
    Together,
    /// To send or to settle; to end a case or to take it up again.
    Alone,
}

/// Holds accounts, each in turn and always in the same order. What is read afterwards is what the others have left.
///
/// # Errors
/// [`Error::Busy`] when it takes too long, [`Error::Unavailable`] when the database is away.
pub async fn hold(tx: &mut Tx, accounts: &BTreeSet<ActorId>, hold: Hold) -> Result<()> {
    let tenant = tx.tenant();
    hold_all(tx, accounts.iter().map(|account| format!("digest {tenant} {account}")).collect(), hold).await
}

/// Holds a case, before the accounts: whether it is over stays as it is until the transaction ends.
///
/// # Errors
/// As [`hold`].
pub async fn hold_case(tx: &mut Tx, case: CaseId, hold: Hold) -> Result<()> {
    let name = format!("case {} {case}", tx.tenant());
    hold_all(tx, vec![name], hold).await
}

async fn hold_all(tx: &mut Tx, names: Vec<String>, hold: Hold) -> Result<()> {
    let statement = match hold {
        Hold::Together => {
            "SELECT pg_advisory_xact_lock_shared(hashtextextended(name, 0)) FROM unnest($1::text[]) AS name"
        }
        Hold::Alone => "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest($1::text[]) AS name",
    };
    sqlx::query(statement).bind(names).execute(tx.conn()).await?;
    Ok(())
}

/// How it stands with an account before a line is added.
#[derive(Debug, Clone, FromRow)]
struct StandingRow {
    account: String,
    alert_id: Uuid,
    digest_id: Option<Uuid>,
    urgent: Option<bool>,
}

/// An account that is not told yet.
#[derive(Debug, Clone)]
pub struct Untold {
    /// Who.
    pub account: ActorId,
    /// The alert to be written.
    pub alert: AlertId,
    /// The digest that collects for it, and whether that is urgent.
    pub collecting: Option<(DigestId, bool)>,
}

/// Those of the accounts that have not been told of the event, in order, with the digests that collect for them.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn untold(tx: &mut Tx, event: Uuid, accounts: &BTreeSet<ActorId>) -> Result<Vec<Untold>> {
    let ids: Vec<Uuid> = accounts.iter().map(|account| AlertId::of(event, account).get()).collect();
    let accounts: Vec<&str> = accounts.iter().map(ActorId::as_str).collect();
    let rows: Vec<StandingRow> = sqlx::query_as(
        "SELECT a.account, a.alert_id, d.digest_id, d.urgent
         FROM unnest($2::text[], $3::uuid[]) WITH ORDINALITY AS a(account, alert_id, place)
         LEFT JOIN digest d ON d.tenant_id = $1 AND d.account = a.account AND d.status = 'collecting'
         WHERE NOT EXISTS (SELECT FROM alert WHERE alert.tenant_id = $1 AND alert.alert_id = a.alert_id)
         ORDER BY a.place",
    )
    .bind(tx.tenant().get())
    .bind(accounts)
    .bind(ids)
    .fetch_all(tx.conn())
    .await?;
    let untold = |row: StandingRow| Untold {
        account: ActorId::new(row.account),
        alert: row.alert_id.into(),
        collecting: row.digest_id.map(DigestId::from).zip(row.urgent),
    };
    Ok(rows.into_iter().map(untold).collect())
}

/// Writes one line for each of the accounts, in the digest that collects for it.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn add_lines(
    tx: &mut Tx,
    lines: &[(AlertId, ActorId, DigestId)],
    cause: AlertCause,
    matter: &Matter,
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO alert (tenant_id, alert_id, account, digest_id, case_id, cause, priority, rank, due_at,
                            escalation_id, clock_id, matter, created_at, task_id, changed_xid)
         SELECT $1, line.alert_id, line.account, line.digest_id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                pg_current_xact_id()::text::bigint
         FROM unnest($2::uuid[], $3::text[], $4::uuid[]) AS line(alert_id, account, digest_id)
         ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().get())
    .bind(lines.iter().map(|(alert, ..)| alert.get()).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, account, _)| account.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|(.., digest)| digest.get()).collect::<Vec<_>>())
    .bind(matter.case.map(CaseId::get))
    .bind(cause.as_str())
    .bind(matter.priority.map(Priority::as_str))
    .bind(rank(cause, matter.priority))
    .bind(matter.due_at)
    .bind(matter.escalation)
    .bind(matter.clock)
    .bind(json(matter)?)
    .bind(at)
    .bind(matter.task)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Which lines about a case are settled.
#[derive(Debug, Clone)]
pub enum Settled {
    /// Those of these escalations, and all of the clock: one ladder.
    Ladder {
        /// The escalations.
        escalations: Vec<Uuid>,
        /// The clock, if it is one of a clock.
        clock: Option<Uuid>,
    },
    /// Those of that task, promise or notice.
    Task(Uuid),
    /// All of the case, but what outlives it: see `outlives_its_case`.
    Case,
    /// The offer of a hand-over to that account.
    Offer(ActorId),
}

/// The lines that are meant; `$2` is the case, from `$3` on what [`Meant`] has.
macro_rules! meant {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " WHERE tenant_id = $1 AND settled_at IS NULL
                AND (task_id = $3
                     OR (case_id = $2
                         AND (escalation_id = ANY($4) OR clock_id = $5
                              OR (cause = 'hand_over_offered' AND account = $6)
                              OR ($7 AND matter->>'work_order' IS NULL AND cause NOT IN ('low_rating', 'objection', 'promise')
                                  AND matter->>'promise' IS DISTINCT FROM 'commitment')))) ",
            $after
        )
    };
}

/// What is settled, as the statements have it.
#[derive(Debug, Default)]
struct Meant<'s> {
    task: Option<Uuid>,
    escalations: &'s [Uuid],
    clock: Option<Uuid>,
    offered_to: Option<&'s str>,
    whole_case: bool,
}

impl Settled {
    fn meant(&self) -> Meant<'_> {
        match self {
            Self::Ladder { escalations, clock } => Meant { escalations, clock: *clock, ..Meant::default() },
            Self::Task(task) => Meant { task: Some(*task), ..Meant::default() },
            Self::Case => Meant { whole_case: true, ..Meant::default() },
            Self::Offer(account) => Meant { offered_to: Some(account.as_str()), ..Meant::default() },
        }
    }
}

/// The accounts that have lines to be settled.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn accounts_to_settle(tx: &mut Tx, case: Option<CaseId>, settled: &Settled) -> Result<BTreeSet<ActorId>> {
    let Meant { task, escalations, clock, offered_to, whole_case } = settled.meant();
    let accounts: Vec<String> = sqlx::query_scalar(meant!("SELECT DISTINCT account FROM alert", ""))
        .bind(tx.tenant().get())
        .bind(case.map(CaseId::get))
        .bind(task)
        .bind(escalations)
        .bind(clock)
        .bind(offered_to)
        .bind(whole_case)
        .fetch_all(tx.conn())
        .await?;
    Ok(accounts.into_iter().map(ActorId::new).collect())
}

/// Settles lines whose accounts are held; the digests in which no line waits for anybody any more.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn settle_lines(
    tx: &mut Tx,
    case: Option<CaseId>,
    settled: &Settled,
    at: DateTime<Utc>,
) -> Result<Vec<DigestId>> {
    let Meant { task, escalations, clock, offered_to, whole_case } = settled.meant();
    let touched: Vec<Uuid> = sqlx::query_scalar(meant!(
        "UPDATE alert SET settled_at = $8, changed_xid = pg_current_xact_id()::text::bigint",
        "RETURNING digest_id"
    ))
    .bind(tx.tenant().get())
    .bind(case.map(CaseId::get))
    .bind(task)
    .bind(escalations)
    .bind(clock)
    .bind(offered_to)
    .bind(whole_case)
    .bind(at)
    .fetch_all(tx.conn())
    .await?;
    let done: Vec<Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT digest_id FROM unnest($2::uuid[]) AS touched(digest_id)
         WHERE NOT EXISTS (SELECT FROM alert WHERE alert.tenant_id = $1 AND alert.digest_id = touched.digest_id
                             AND alert.settled_at IS NULL)
         ORDER BY digest_id",
    )
    .bind(tx.tenant().get())
    .bind(touched)
    .fetch_all(tx.conn())
    .await?;
    Ok(done.into_iter().map(DigestId::from).collect())
}

/// Settles the lines of a digest that only inform. Its account is held.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn settle_informing(tx: &mut Tx, digest: DigestId, at: DateTime<Utc>) -> Result<()> {
    let informing: Vec<&str> =
        AlertCause::ALL.iter().filter(|cause| cause.informs()).map(|cause| cause.as_str()).collect();
    sqlx::query(
        "UPDATE alert SET settled_at = $4, changed_xid = pg_current_xact_id()::text::bigint
         WHERE tenant_id = $1 AND digest_id = $2 AND settled_at IS NULL AND cause = ANY($3)",
    )
    .bind(tx.tenant().get())
    .bind(digest.get())
    .bind(informing)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

#[derive(Debug, FromRow)]
struct TallyRow {
    cause: String,
    priority: Option<String>,
    settled: bool,
    overdue: bool,
    lines: i64,
    last_at: DateTime<Utc>,
}

/// All lines of a digest, counted.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn tallies(tx: &mut Tx, digest: DigestId, now: DateTime<Utc>) -> Result<Vec<Tally>> {
    let rows: Vec<TallyRow> = sqlx::query_as(
        "SELECT cause, priority, settled_at IS NOT NULL AS settled, coalesce(due_at <= $3, false) AS overdue,
                count(*) AS lines, max(created_at) AS last_at
         FROM alert WHERE tenant_id = $1 AND digest_id = $2 GROUP BY 1, 2, 3, 4",
    )
    .bind(tx.tenant().get())
    .bind(digest.get())
    .bind(now)
    .fetch_all(tx.conn())
    .await?;
    let tally = |row: TallyRow| {
        Ok(Tally {
            cause: cause(&row.cause),
            priority: row.priority.as_deref().and_then(Priority::parse),
            settled: row.settled,
            overdue: row.overdue,
            lines: u32::try_from(row.lines).unwrap_or(u32::MAX),
            last_at: row.last_at,
        })
    };
    rows.into_iter().map(tally).collect()
}

/// The lines that a digest shows: the most pressing that wait for somebody.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn most_pressing(tx: &mut Tx, digest: DigestId) -> Result<Vec<AlertId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT alert_id FROM alert WHERE tenant_id = $1 AND digest_id = $2 AND settled_at IS NULL
         ORDER BY rank, due_at NULLS LAST, alert_id LIMIT $3",
    )
    .bind(tx.tenant().get())
    .bind(digest.get())
    .bind(i64::from(SHOWN_LINES))
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(AlertId::from).collect())
}

#[derive(Debug, FromRow)]
struct AlertRow {
    alert_id: Uuid,
    digest_id: Uuid,
    cause: String,
    matter: serde_json::Value,
    created_at: DateTime<Utc>,
    settled_at: Option<DateTime<Utc>>,
    changed_xid: i64,
}

impl AlertRow {
    fn key(&self) -> Key {
        Key { at: self.created_at, id: self.alert_id, changed_xid: self.changed_xid }
    }

    fn read(self) -> Result<Alert> {
        Ok(Alert {
            id: self.alert_id.into(),
            digest: self.digest_id.into(),
            cause: cause(&self.cause),
            matter: serde_json::from_value(self.matter).map_err(|fault| Error::internal("reading a row", fault))?,
            created_at: self.created_at,
            settled_at: self.settled_at,
        })
    }
}

/// A word of a newer version, which runs beside this one, is read as another reason.
fn cause(word: &str) -> AlertCause {
    AlertCause::parse(word).unwrap_or(AlertCause::Other)
}

/// Those alerts, in that order.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn alerts(tx: &mut Tx, ids: &[AlertId]) -> Result<Vec<Alert>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.get()).collect();
    let rows: Vec<AlertRow> = sqlx::query_as(
        "SELECT alert_id, digest_id, cause, matter, created_at, settled_at, changed_xid
         FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted(id, place)
         JOIN alert ON tenant_id = $1 AND alert_id = wanted.id ORDER BY place",
    )
    .bind(tx.tenant().get())
    .bind(ids)
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(AlertRow::read).collect()
}

/// Which alerts to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlertFilter {
    /// Lines of this digest.
    pub digest: Option<DigestId>,
    /// About this case.
    pub case: Option<CaseId>,
    /// With this cause.
    pub cause: Option<AlertCause>,
    /// Whether it needs its reader no more.
    pub settled: Option<bool>,
}

/// One page of the actor's own alerts.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away.
pub async fn list_alerts(tx: &mut Tx, actor: &Actor, filter: &AlertFilter, page: PageRequest) -> Result<Page<Alert>> {
    let horizon = page.horizon(tx).await?;
    let statement = match page.mode {
        Mode::Newest { .. } => {
            "SELECT alert_id, digest_id, cause, matter, created_at, settled_at, changed_xid FROM alert
             WHERE tenant_id = $1 AND account = $2
               AND ($3::uuid IS NULL OR digest_id = $3)
               AND ($4::uuid IS NULL OR case_id = $4)
               AND ($5::text IS NULL OR cause = $5)
               AND ($6::boolean IS NULL OR (settled_at IS NOT NULL) = $6)
               AND ($7::timestamptz IS NULL OR (created_at, alert_id) < ($7, $8))
             ORDER BY created_at DESC, alert_id DESC LIMIT $9"
        }
        Mode::Changed { .. } => {
            "SELECT alert_id, digest_id, cause, matter, created_at, settled_at, changed_xid FROM alert
             WHERE tenant_id = $1 AND account = $2
               AND ($3::uuid IS NULL OR digest_id = $3)
               AND ($4::uuid IS NULL OR case_id = $4)
               AND ($5::text IS NULL OR cause = $5)
               AND ($6::boolean IS NULL OR (settled_at IS NOT NULL) = $6)
               AND (changed_xid, alert_id) > ($7, $8) AND changed_xid < $10
             ORDER BY changed_xid, alert_id LIMIT $9"
        }
    };
    let query = sqlx::query_as::<_, AlertRow>(statement)
        .bind(tx.tenant().get())
        .bind(actor.id.as_str())
        .bind(filter.digest.map(DigestId::get))
        .bind(filter.case.map(CaseId::get))
        .bind(filter.cause.map(AlertCause::as_str))
        .bind(filter.settled);
    let query = match page.mode {
        Mode::Newest { after } => {
            let (at, id) = after.unzip();
            query.bind(at).bind(id).bind(page.fetch())
        }
        Mode::Changed { after: (xid, id) } => query.bind(xid).bind(id).bind(page.fetch()).bind(horizon),
    };
    let rows = query.fetch_all(tx.conn()).await?;
    let Page { items, next_cursor, since } = page.finish(rows, horizon, AlertRow::key);
    let items = items.into_iter().map(AlertRow::read).collect::<Result<_>>()?;
    Ok(Page { items, next_cursor, since })
}
