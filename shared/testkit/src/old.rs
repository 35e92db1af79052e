//! What migrations make of tables that are full: a database as it was before one of them, rows as the version before wrote them, and
//! what the rest of the migrations changes of these rows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, migrate::Migrator};
use steward_chassis::{
    Service,
    db::{self, Passwords, schema},
};

use crate::{
    Kit, TENANT,
    db::{PASSWORD, admin_url, new_id, remove, url},
    kit::{under, with_database},
};

/// A service's database as it was before some migration.
#[derive(Debug)]
pub struct Old {
    service: &'static str,
    migrator: &'static Migrator,
    database: String,
}

/// Every row of every table: by table and key.
type Rows = BTreeMap<(String, String), Map<String, Value>>;

/// Runs a test on the database of a service as it was before the migration of that version.
///
/// # Panics
/// When the test does, there is no such migration, or the database refuses.
pub async fn before<S: Service>(version: i64, test: impl AsyncFnOnce(&Old)) {
    let old = Old { service: S::NAME, migrator: S::migrator(), database: format!("t_{}", new_id().simple()) };
    println!("database {}", old.database);
    assert!(old.migrator.iter().any(|migration| migration.version == version), "there is no migration {version}");
    let mut server = PgConnection::connect(&admin_url()).await.expect("connect as superuser");
    run(&mut server, &format!("CREATE DATABASE {}", old.database)).await;
    let mut inside = old.connect().await;
    db::provision(&mut inside, S::NAME, &Passwords::same(PASSWORD)).await.expect("provision");
    let earlier = old.migrator.iter().filter(|migration| migration.version < version).cloned();
    old.apply(&Migrator::with_migrations(earlier.collect())).await;
    test(&old).await;
    remove(&old.database).await;
}

impl Old {
    /// Writes a row as the version before did, of the test company unless it says otherwise. Columns that it does not name get their
    /// default, NULL, or, where there must be something, something of their type.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn has(&self, table: &str, row: Value) {
        let mut connection = self.connect().await;
        let needed = format!(
            "SELECT jsonb_object_agg(attname, CASE format_type(atttypid, NULL)
                 WHEN 'uuid' THEN to_jsonb(gen_random_uuid())
                 WHEN 'timestamp with time zone' THEN to_jsonb(now())
                 WHEN 'boolean' THEN to_jsonb(false)
                 WHEN 'jsonb' THEN '{{}}'
                 WHEN 'text' THEN to_jsonb(''::text)
                 ELSE CASE WHEN attndims > 0 THEN '[]' ELSE to_jsonb(1) END
             END)
             FROM pg_attribute
             WHERE attrelid = '{table}'::regclass AND attnum > 0 AND attnotnull AND NOT atthasdef AND NOT attisdropped"
        );
        let needed: Value =
            sqlx::query_scalar(AssertSqlSafe(needed)).fetch_one(&mut connection).await.expect("columns");
        let mut whole = needed.as_object().cloned().unwrap_or_default();
        whole.insert("tenant_id".to_owned(), json!(TENANT));
        whole.extend(row.as_object().cloned().expect("an object"));
        let columns = whole.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let statement =
            format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, $1)");
        sqlx::query(AssertSqlSafe(statement)).bind(Value::from(whole)).execute(&mut connection).await.expect("a row");
    }

    /// Applies all migrations that are left; the columns whose values they changed in rows that were there, as `table.column`. A table
    /// whose rows are gone stands there by its name alone.
    ///
    /// # Panics
    /// When one of them fails.
    pub async fn migrates(&self) -> BTreeSet<String> {
        let before = self.everything().await;
        self.apply(self.migrator).await;
        let after = self.everything().await;
        let mut changed = BTreeSet::new();
        for ((table, key), row) in &before {
            let Some(now) = after.get(&(table.clone(), key.clone())) else {
                changed.insert(table.clone());
                continue;
            };
            let others = row.iter().filter(|(column, value)| now.get(*column) != Some(value));
            changed.extend(others.map(|(column, _)| format!("{table}.{column}")));
        }
        changed
    }

    /// The rows of a query in the service's schema, seen by the superuser: each as an array of its values.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn rows(&self, query: &str) -> Value {
        let mut connection = self.connect().await;
        let rows = format!(
            "SELECT coalesce(jsonb_agg((SELECT jsonb_agg(value ORDER BY place)
                 FROM json_each(to_json(found)) WITH ORDINALITY AS each(name, value, place))), '[]') FROM ({query}) AS found"
        );
        sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(&mut connection).await.expect("query")
    }

    /// Runs a test with the service of today on this database.
    pub async fn serves<S: Service>(&self, test: impl AsyncFnOnce(Kit)) {
        with_database(&[under::<S>()], &self.database, None, test).await;
    }

    async fn everything(&self) -> Rows {
        let mut connection = self.connect().await;
        let tables = "SELECT relname, (SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) FROM pg_attribute
                 WHERE attrelid = conrelid AND attnum = ANY (conkey))
             FROM pg_class c JOIN pg_constraint ON conrelid = c.oid AND contype = 'p'
             WHERE relnamespace = current_schema()::regnamespace AND relname NOT LIKE '\\_%'";
        let tables: Vec<(String, String)> = sqlx::query_as(tables).fetch_all(&mut connection).await.expect("tables");
        let mut found = Rows::new();
        for (table, key) in tables {
            let rows = format!(
                "SELECT to_jsonb(ARRAY[{key}]::text[])::text, to_jsonb(t) FROM {table} AS t",
                key = texts(&key)
            );
            let rows: Vec<(String, Value)> =
                sqlx::query_as(AssertSqlSafe(rows)).fetch_all(&mut connection).await.expect("rows");
            found.extend(
                rows.into_iter().filter_map(|(key, row)| Some(((table.clone(), key), row.as_object()?.clone()))),
            );
        }
        found
    }

    async fn apply(&self, migrator: &Migrator) {
        let owner = url(&admin_url(), &db::owner_role(self.service), &self.database).parse().expect("a URL");
        db::migrate(owner, self.service, migrator).await.expect("migrate");
    }

    /// As superuser, whom row security does not hold.
    async fn connect(&self) -> PgConnection {
        let base = admin_url();
        let (head, _) = base.rsplit_once('/').expect("a URL with a database");
        let mut connection = PgConnection::connect(&format!("{head}/{}", self.database)).await.expect("connect");
        run(&mut connection, &format!("SET search_path = {}", schema(self.service))).await;
        connection
    }
}

/// The columns of a key, each as text.
fn texts(key: &str) -> String {
    key.split(", ").map(|column| format!("{column}::text")).collect::<Vec<_>>().join(", ")
}

async fn run(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await.expect("statement");
}
