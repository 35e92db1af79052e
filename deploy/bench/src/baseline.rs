//! What Postgres itself does with the same rows: pgbench, in the same run, on the same server.
//!
//! The rows are not imitated: one case is opened through the API, and what that transaction wrote is read back by its transaction id and
//! written again and again with fresh ids, into copies of the tables with all their indexes.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, process::Command, time::Duration};

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

/// The table whose rows get positions.
const EVENT: &str = "event";
/// Filled from the positions; emptied by the relay, so it cannot be read back.
const OUTBOX: &str = "outbox";

/// How the statements of the transaction travel.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// One statement in each round trip: BEGIN, one multi-row INSERT for each table, COMMIT.
    OneByOne,
    /// Everything as one statement.
    OneStatement,
}

/// The transaction of one POST, as pgbench scripts.
#[derive(Debug)]
pub(crate) struct Baseline {
    pgbench: PathBuf,
    database_url: String,
    folder: PathBuf,
    /// The values of the rows, which are sent as parameters like Steward does.
    values: Vec<String>,
    rounds: u32,
    /// What is written, for the report: `event ×2, command_log, …`.
    pub rows: String,
}

/// A row of the sample: columns with type and value.
type Row = Vec<(String, String, Option<String>)>;

/// The request that the sample came from, so that what must be fresh each time is told from what stays.
#[derive(Debug)]
pub(crate) struct Sample<'a> {
    /// Id of the case.
    pub case_id: &'a str,
    /// Its reference.
    pub reference: &'a str,
    /// The `Idempotency-Key`.
    pub key: &'a str,
}

impl Baseline {
    /// Reads what that request wrote, makes the copies and writes the scripts to `folder`.
    pub(crate) async fn of(
        connection: &mut PgConnection,
        database_url: &str,
        pgbench: PathBuf,
        folder: PathBuf,
        sample: &Sample<'_>,
    ) -> anyhow::Result<Self> {
        let mut tables = written(connection, sample.case_id).await?;
        let events = tables.remove(EVENT).context("the sample wrote no event")?;
        let mut copies =
            format!("DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench; {}{}", copy(EVENT), copy(OUTBOX));
        let mut values = Vec::new();
        let mut script = Script { sample, values: &mut values };
        let event = script.insert(EVENT, &events);
        let others: Vec<(String, String)> =
            tables.iter().map(|(table, rows)| (table.clone(), script.insert(table, rows))).collect();
        let queued =
            events.iter().filter(|row| row.iter().any(|(name, _, value)| name == "suffix" && value.is_some())).count();
        let mut rows = format!("{EVENT} ×{}, {OUTBOX} ×{queued}", events.len());
        for (table, written) in &tables {
            copies += &copy(table);
            let _ = write!(rows, ", {table} ×{}", written.len());
        }
        sqlx::raw_sql(AssertSqlSafe(copies)).execute(connection).await?;
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("one-by-one.sql"), one_by_one(&event, &others, &events[0])?)?;
        std::fs::write(folder.join("one-statement.sql"), one_statement(&event, &others))?;
        Ok(Self { pgbench, database_url: database_url.to_owned(), folder, values, rounds: 0, rows })
    }

    /// Transactions per second with 32 connections.
    pub(crate) fn run(&mut self, way: Way, time: Duration) -> anyhow::Result<f64> {
        let script = match way {
            Way::OneByOne => "one-by-one.sql",
            Way::OneStatement => "one-statement.sql",
        };
        self.rounds += 1;
        let mut command = Command::new(&self.pgbench);
        command.args(["-n", "-M", "prepared", "-c", "32", "-j", "2", "-T", &time.as_secs().max(1).to_string()]);
        command.arg("-f").arg(self.folder.join(script)).args(["-D", "turn=0", "-D", &format!("round={}", self.rounds)]);
        for (number, value) in self.values.iter().enumerate() {
            command.arg("-D").arg(format!("v{number}={value}"));
        }
        let output = command.arg(&self.database_url).output().context("pgbench")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        let complaint = || format!("pgbench {script}: {text}{}", String::from_utf8_lossy(&output.stderr));
        anyhow::ensure!(output.status.success(), complaint());
        tps.with_context(complaint)
    }
}

/// All rows that the transaction of that case's first event wrote, by table.
async fn written(connection: &mut PgConnection, case_id: &str) -> anyhow::Result<BTreeMap<String, Vec<Row>>> {
    let transaction: String =
        sqlx::query_scalar("SELECT xmin::text FROM intake.event WHERE stream_id = $1::uuid AND version = 1 LIMIT 1")
            .bind(case_id)
            .fetch_one(&mut *connection)
            .await?;
    let columns: Vec<(String, String, String, bool)> = sqlx::query_as(
        "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attidentity <> ''
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace = 'intake'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
         ORDER BY c.relname, a.attnum",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut by_table = BTreeMap::<String, Vec<(String, String)>>::new();
    for (table, column, kind, is_identity) in columns {
        let known = by_table.entry(table).or_default();
        if !is_identity {
            known.push((column, kind));
        }
    }
    by_table.remove(OUTBOX);
    let mut found = BTreeMap::new();
    for (table, columns) in by_table {
        let list: Vec<String> = columns.iter().map(|(name, _)| format!("{name}::text")).collect();
        let order = if table == EVENT { " ORDER BY position" } else { "" };
        let query = format!("SELECT {} FROM intake.{table} WHERE xmin::text = $1{order}", list.join(", "));
        let rows = sqlx::query(AssertSqlSafe(query)).bind(&transaction).fetch_all(&mut *connection).await?;
        if !rows.is_empty() {
            let read = |row: sqlx::postgres::PgRow| -> anyhow::Result<Row> {
                let named = columns.iter().enumerate();
                named.map(|(at, (name, kind))| Ok((name.clone(), kind.clone(), row.try_get(at)?))).collect()
            };
            found.insert(table, rows.into_iter().map(read).collect::<anyhow::Result<_>>()?);
        }
    }
    Ok(found)
}

fn copy(table: &str) -> String {
    format!("CREATE TABLE bench.{table} (LIKE intake.{table} INCLUDING ALL);")
}

/// Writes INSERT statements, and keeps the values that they refer to.
struct Script<'a> {
    sample: &'a Sample<'a>,
    values: &'a mut Vec<String>,
}

impl Script<'_> {
    /// One statement for all rows of the table, with fresh ids.
    fn insert(&mut self, table: &str, rows: &[Row]) -> String {
        let names: Vec<&str> = rows.iter().flatten().map(|(name, ..)| name.as_str()).take(rows[0].len()).collect();
        let tuples: Vec<String> = rows
            .iter()
            .enumerate()
            .map(|(number, row)| {
                let values = row.iter().map(|(name, kind, value)| self.value(number, name, kind, value.as_deref()));
                format!("({})", values.collect::<Vec<_>>().join(", "))
            })
            .collect();
        format!("INSERT INTO bench.{table} ({}) VALUES {}", names.join(", "), tuples.join(", "))
    }

    /// Ids of 12 digits take the place of those that a request mints; they rise, as UUIDs of version 7 do.
    fn value(&mut self, number: usize, name: &str, kind: &str, value: Option<&str>) -> String {
        let Some(value) = value else { return "NULL".to_owned() };
        if value == self.sample.case_id {
            return fresh_case_id();
        }
        if name == "event_id" || name == "clock_id" {
            return format!("CAST('0198f000-0000-7000-900{number}-' || :n AS uuid)");
        }
        if value == self.sample.reference {
            // Scattered, as real ones are.
            return "('X-' || reverse(CAST(:n AS text)))".to_owned();
        }
        if let Some(head) = value.strip_suffix(self.sample.key) {
            // A colon in a literal would be a variable to pgbench, so the head is a value too.
            self.values.push(format!("{head}0198f000-0000-7000-8000-"));
            return format!("(CAST(:v{} AS text) || :n)", self.values.len() - 1);
        }
        if name == "changed_xid" {
            return "CAST(CAST(pg_current_xact_id() AS text) AS bigint)".to_owned();
        }
        if value.is_empty() {
            // pgbench takes no empty variable.
            return format!("CAST('' AS {kind})");
        }
        self.values.push(value.to_owned());
        format!("CAST(:v{} AS {kind})", self.values.len() - 1)
    }
}

fn fresh_case_id() -> String {
    "CAST('0198f000-0000-7000-8000-' || :n AS uuid)".to_owned()
}

/// Every transaction takes the next number; no two clients and no two runs share one.
const NUMBERS: &str = "\\set turn :turn + 1\n\\set n 100000000000 + :round * 1000000000 + :turn * 32 + :client_id\n";

fn one_by_one(event: &str, others: &[(String, String)], first: &Row) -> anyhow::Result<String> {
    let value = |wanted: &str| {
        let found = first.iter().find(|(name, ..)| name == wanted).and_then(|(.., value)| value.as_deref());
        found.with_context(|| format!("an event without {wanted}"))
    };
    let queue = format!(
        "INSERT INTO bench.{OUTBOX} (position, tenant_id) SELECT position, tenant_id FROM bench.{EVENT}\n\
         WHERE tenant_id = '{}' AND aggregate = '{}' AND stream_id = {} AND suffix IS NOT NULL",
        value("tenant_id")?,
        value("aggregate")?,
        fresh_case_id(),
    );
    let others: String = others.iter().map(|(_, statement)| format!("{statement};\n")).collect();
    Ok(format!("{NUMBERS}BEGIN;\n{event};\n{queue};\n{others}COMMIT;\n"))
}

fn one_statement(event: &str, others: &[(String, String)]) -> String {
    let others: String = others.iter().map(|(table, statement)| format!(",\nin_{table} AS ({statement})")).collect();
    format!(
        "{NUMBERS}WITH appended AS ({event} RETURNING position, tenant_id, suffix),\n\
         queued AS (INSERT INTO bench.{OUTBOX} (position, tenant_id) SELECT position, tenant_id FROM appended WHERE suffix IS NOT NULL)\
         {others}\nSELECT 1;\n"
    )
}
