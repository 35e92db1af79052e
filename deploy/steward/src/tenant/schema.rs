//! The schema of a service as its owner sees it: which tables have rows of companies.

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, FromRow, PgConnection, Postgres, Transaction};
use steward_kernel::TenantId;

use crate::database;

/// Tables without rows of companies. Every other one must have a `tenant_id`: what has none would be missed.
const OF_NO_TENANT: [&str; 3] = ["_migration", "_platform_migration", "relay_state"];
/// Where it is written down which companies are closed; what is left of one that is deleted.
pub(super) const TOMBSTONES: &str = "tenant";

/// A table with rows of companies.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Table {
    pub name: String,
    of_tenants: bool,
    /// Columns of its primary key.
    pub key: Vec<String>,
}

/// A connection as the owner of a service's schema.
#[derive(Debug)]
pub(super) struct Owner {
    pub service: &'static str,
    pub connection: PgConnection,
}

impl Owner {
    /// Connects.
    ///
    /// # Errors
    /// When the database is away, or a password is missing.
    pub(super) async fn connect(settings: &database::Settings, service: &'static str) -> anyhow::Result<Self> {
        let connection =
            settings.owner(service)?.connect().await.with_context(|| format!("the database of {service}"))?;
        Ok(Self { service, connection })
    }

    /// Begins a transaction in which the rows of that company exist, and no others: row security holds for the owner, too.
    ///
    /// # Errors
    /// When the database is away.
    pub(super) async fn begin(&mut self, tenant: TenantId) -> anyhow::Result<Transaction<'_, Postgres>> {
        let statement = format!("BEGIN; SET LOCAL steward.tenant = '{tenant}'");
        Ok(self.connection.begin_with(AssertSqlSafe(statement)).await?)
    }

    /// The tables that have rows of companies, from the catalogue.
    ///
    /// # Errors
    /// When the database is away, or there is a table of which we do not know whose rows it has.
    pub(super) async fn tables(&mut self) -> anyhow::Result<Vec<Table>> {
        let tables: Vec<Table> = sqlx::query_as(
            "SELECT quote_ident(c.relname) AS name,
                    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) AS of_tenants,
                    ARRAY(SELECT quote_ident(a.attname) FROM pg_index i
                          CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
                          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
                          WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY k.place) AS key
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition
             ORDER BY c.relname",
        )
        .fetch_all(&mut self.connection)
        .await?;
        let strange = tables.iter().find(|table| !table.of_tenants && !OF_NO_TENANT.contains(&table.name.as_str()));
        if let Some(Table { name, .. }) = strange {
            anyhow::bail!("table {name} of {} has no tenant_id: nobody knows whose rows it has", self.service);
        }
        Ok(tables.into_iter().filter(|table| table.of_tenants).collect())
    }
}
