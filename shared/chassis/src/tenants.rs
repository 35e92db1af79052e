//! Which companies are closed. Nothing is done for these any more: their requests are refused, what is heard of them is dropped, their
//! timers rest, until an operator has deleted all that is left of them.
//!
//! The identity provider says which companies there are; one that nobody has written down here is served all the same.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use steward_kernel::TenantId;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Error, Result,
    db::PATIENCE,
    pool::{Lender, within},
    relay::pause,
};

/// How often the list of closed companies is read: so long one is still served after it was closed.
pub const REFRESH: Duration = Duration::from_secs(2);

/// The closed companies, as this process knows them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tenants {
    loops: Lender,
    closed: Arc<RwLock<Option<HashSet<Uuid>>>>,
}

impl Tenants {
    /// * `loops`: under the platform role.
    pub(crate) fn new(loops: Lender) -> Self {
        Self { loops, closed: Arc::default() }
    }

    /// Whether that company is closed. Asks the database only when nothing was ever read.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be told.
    pub async fn is_closed(&self, tenant: TenantId) -> Result<bool> {
        if let Some(closed) = self.known(|closed| closed.contains(&tenant.get())) {
            return Ok(closed);
        }
        self.refresh().await?;
        Ok(self.known(|closed| closed.contains(&tenant.get())).unwrap_or_default())
    }

    /// [`Error::TenantClosed`] when it is.
    ///
    /// # Errors
    /// That, and as [`Tenants::is_closed`].
    pub(crate) async fn require_open(&self, tenant: TenantId) -> Result<()> {
        if self.is_closed(tenant).await? { Err(Error::TenantClosed) } else { Ok(()) }
    }

    /// Those that are known to be closed.
    #[must_use]
    pub fn closed(&self) -> Vec<Uuid> {
        self.known(|closed| closed.iter().copied().collect()).unwrap_or_default()
    }

    /// Keeps the list fresh until told to stop.
    pub(crate) async fn keep_fresh(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(fault) = self.refresh().await {
                tracing::debug!(error = %fault, "closed companies");
            }
            pause(&stop, REFRESH).await;
        }
    }

    fn known<T>(&self, ask: impl FnOnce(&HashSet<Uuid>) -> T) -> Option<T> {
        self.closed.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(ask)
    }

    async fn refresh(&self) -> Result<()> {
        let read = async {
            let mut connection = self.loops.lend().await?;
            sqlx::query_scalar("SELECT tenant_id FROM tenant WHERE closed_at IS NOT NULL")
                .fetch_all(&mut *connection)
                .await
        };
        let closed: Vec<Uuid> = within(PATIENCE, async { read.await.map_err(Error::from) })
            .await
            // Whatever it is, a table that is not migrated yet too, it passes: nothing may be parked for it.
            .map_err(|cause| Error::Unavailable { what: "database", cause: Box::new(cause) })?;
        *self.closed.write().unwrap_or_else(PoisonError::into_inner) = Some(closed.into_iter().collect());
        Ok(())
    }
}
