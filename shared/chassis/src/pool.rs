//! Connections to the database that are lent, and that go back to their pool only when they answer in time.
//!
//! A server whose machine or network goes away says nothing. TCP would wait for a quarter of an hour, and sqlx, which gives nobody its
//! sockets to set a limit there, waits with it: for the answer to a statement, and for that to the ping with which a connection goes back.
//! So every wait here has an end. What does not answer is closed, not given back; and when one connection is found dead, those that have
//! proved nothing since are replaced as they are asked for, so that a database that moved is found again at the cost of one wait.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions as _, PgConnection, PgPool, Postgres,
    pool::{PoolConnection, PoolConnectionMetadata},
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    runtime::Handle,
    time::{timeout, timeout_at},
};

use crate::{Error, Result};

/// How long a new connection, or one that is lent to others, is waited for.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a connection may take to show that it is whole, when it comes back: so long a statement that nobody waits for any more keeps it.
const RETURN: Duration = Duration::from_secs(1);
/// What the server is told on connecting, so that no installation can forget it: it lets go of clients whose machine or network went away
/// without a word, with their locks and transactions, within half a minute, and ends the statements of those that went by themselves.
const ATTENTIVE: [(&str, &str); 6] = [
    ("tcp_keepalives_idle", "10s"),
    ("tcp_keepalives_interval", "5s"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "20s"),
    ("client_connection_check_interval", "2s"),
    ("idle_in_transaction_session_timeout", "60s"),
];

/// How to connect so that the server notices when we are gone.
///
/// * `name`: by which operators find the connection in `pg_stat_activity`.
#[must_use]
pub fn attentive(options: PgConnectOptions, name: &str) -> PgConnectOptions {
    options.disable_statement_logging().application_name(name).options(ATTENTIVE)
}

/// Waits for the database no longer than that.
///
/// # Errors
/// [`Error::TimedOut`], and what the work itself says.
pub(crate) async fn within<T, E: Into<Error>>(
    patience: Duration,
    work: impl Future<Output = std::result::Result<T, E>>,
) -> Result<T> {
    match timeout(patience, work).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(Error::TimedOut),
    }
}

/// A pool that lends. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Lender {
    pool: PgPool,
    doubt: Doubt,
}

impl Lender {
    /// A pool that connects when first used.
    ///
    /// * `doubt`: shared by all pools that lead to the same server.
    pub(crate) fn new(max_connections: u32, options: PgConnectOptions, doubt: &Doubt) -> Self {
        let asked = doubt.clone();
        // A ping before each use would cost a round trip; a dead connection shows at its first question, where nothing is lost yet.
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .test_before_acquire(false)
            .before_acquire(move |_, idle| {
                let good = !asked.is_about(&idle);
                Box::pin(std::future::ready(Ok(good)))
            })
            .acquire_timeout(ACQUIRE)
            .idle_timeout(Duration::from_secs(300))
            .connect_lazy_with(options);
        Self { pool, doubt: doubt.clone() }
    }

    /// The pool, for those who may wait for ever.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A connection; it goes back when what is returned is dropped.
    pub(crate) async fn lend(&self) -> std::result::Result<Lent, sqlx::Error> {
        let connection = self.pool.acquire().await?;
        Ok(Lent { connection: Some(connection), doubt: self.doubt.clone(), since: Instant::now(), after: After::Keep })
    }

    /// No answer came on one of its connections for so long.
    pub(crate) fn unanswered(&self, waited: Duration) {
        if let Some(asked) = Instant::now().checked_sub(waited) {
            self.doubt.raise(asked);
        }
    }
}

/// What becomes of a connection after its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Others may have it.
    Keep,
    /// Others may have it when what was open on it is rolled back.
    Rollback,
    /// Nobody: it may hold what must not be passed on.
    Close,
}

/// A connection that is lent.
#[derive(Debug)]
pub(crate) struct Lent {
    connection: Option<PoolConnection<Postgres>>,
    doubt: Doubt,
    since: Instant,
    after: After,
}

impl Lent {
    /// What becomes of it when it is dropped from here on.
    pub(crate) fn then(&mut self, after: After) {
        self.after = after;
    }

    /// Takes it out of its pool for good.
    pub(crate) fn detach(mut self) -> Option<PgConnection> {
        self.connection.take().map(PoolConnection::detach)
    }
}

impl Deref for Lent {
    type Target = PgConnection;

    #[expect(clippy::expect_used, reason = "it is taken only by what consumes the whole")]
    fn deref(&self) -> &PgConnection {
        self.connection.as_deref().expect("a connection that is lent")
    }
}

impl DerefMut for Lent {
    #[expect(clippy::expect_used, reason = "it is taken only by what consumes the whole")]
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_deref_mut().expect("a connection that is lent")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let (Ok(runtime), true) = (Handle::try_current(), self.after != After::Close) else {
            drop(connection.detach());
            return;
        };
        let (doubt, since, after) = (self.doubt.clone(), self.since, self.after);
        runtime.spawn(async move {
            let limit = tokio::time::Instant::now() + RETURN;
            if after == After::Rollback {
                // Reads first what was asked before and not waited for; an error of that makes the connection unfit, too.
                let rolled_back = timeout_at(limit, sqlx::raw_sql("ROLLBACK").execute(&mut *connection)).await;
                if !matches!(rolled_back, Ok(Ok(_))) {
                    // Closed as it is: the server sees that, and ends what it does there.
                    drop(connection.detach());
                    if rolled_back.is_err() {
                        doubt.raise(since);
                    }
                    return;
                }
            }
            // Closed when it is dropped unfinished. Left alone, the connection would do the same, and wait for ever.
            if timeout_at(limit, connection.return_to_pool()).await.is_err() {
                doubt.raise(since);
            }
        });
    }
}

/// Since when there is reason to think that idle connections are dead: when that was asked to which no answer came. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    start: Instant,
    /// In milliseconds after the start.
    since: Arc<AtomicU64>,
}

impl Doubt {
    pub(crate) fn none() -> Self {
        Self { start: Instant::now(), since: Arc::default() }
    }

    fn raise(&self, since: Instant) {
        self.since.fetch_max(self.at(since), Ordering::Relaxed);
    }

    /// Whether a connection has proved nothing since: it was last whole when it came back.
    fn is_about(&self, idle: &PoolConnectionMetadata) -> bool {
        let back = Instant::now().checked_sub(idle.idle_for).unwrap_or(self.start);
        self.at(back) < self.since.load(Ordering::Relaxed)
    }

    fn at(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }
}
