//! Companies: nothing of one is missed, nothing of another is touched.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::Value;
use sqlx::PgConnection;
use steward_admin::services;
use steward_kernel::{Actor, Role};
use steward_testkit::{Client, Kit, OTHER_TENANT, TENANT, db, eventually, with_services};

use crate::command::{database, execute, five, inside, rows, steward, steward_with};

/// Rows of each company in each table.
const ROWS: i64 = 3;
const DELETE: [&str; 4] = ["tenant", "delete", "--settle", "0s"];

/// Tables with a `tenant_id`, told by the server in another way than the command asks.
async fn tables(connection: &mut PgConnection) -> Vec<String> {
    let query = "SELECT table_name::text FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
                 WHERE table_schema = current_schema() AND column_name = 'tenant_id' AND table_type = 'BASE TABLE' ORDER BY 1";
    rows::<(String,)>(connection, query).await.into_iter().map(|(name,)| name).collect()
}

/// Something of a column's type; texts are hard to quote and never the same.
fn value(kind: &str) -> &'static str {
    match kind {
        "uuid" => "gen_random_uuid()",
        "text" => r#"E'a "b" \\c, \n\t\u0001\u4F60' || gen_random_uuid()"#,
        "smallint" | "integer" | "bigint" => "n",
        "double precision" => "n / 3.0",
        "boolean" => "true",
        "timestamp with time zone" => "now()",
        "date" => "current_date + n::int",
        "json" => "E'{\"a\":\\n 1.50}'",
        "jsonb" => "'{\"a\": 1}'",
        "bytea" => "'\\x00ff0a'",
        array if array.ends_with("[]") => "'{}'",
        other => panic!("a type that this test does not know: {other}"),
    }
}

/// Fills every table with rows of two companies that keep all rules but those of the domain.
async fn fill(connection: &mut PgConnection) {
    let checks = "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
                  WHERE contype = 'c' AND connamespace = current_schema()::regnamespace";
    for (statement,) in rows::<(String,)>(connection, checks).await {
        execute(connection, &statement).await;
    }
    for table in tables(connection).await {
        let columns = format!(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0
             AND NOT attisdropped AND attidentity = '' AND attgenerated = '' AND attname <> 'tenant_id' ORDER BY attnum"
        );
        let columns = rows::<(String, String)>(connection, &columns).await;
        // A company stands only once among the companies, and is not closed.
        let count = if table == "tenant" { 1 } else { ROWS };
        for (tenant, from) in [(TENANT, 1), (OTHER_TENANT, 11)] {
            let filled = columns.iter().filter(|(name, _)| name != "closed_at");
            let (names, values): (Vec<_>, Vec<_>) = filled.map(|(name, kind)| (name.as_str(), value(kind))).unzip();
            execute(
                connection,
                &format!(
                    "INSERT INTO {table} (tenant_id, {}) SELECT '{tenant}', {} FROM generate_series({from}, {from} - 1 + {count}) AS n",
                    names.join(", "),
                    values.join(", ")
                ),
            )
            .await;
        }
    }
}

/// A digest of everything that a company has in each table; none where it has nothing.
async fn everything(connection: &mut PgConnection, tenant: uuid::Uuid) -> BTreeMap<String, Option<String>> {
    let mut found = BTreeMap::new();
    for table in tables(connection).await {
        let query = format!(
            "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} AS t WHERE tenant_id = '{tenant}'"
        );
        let digest: Option<String> = rows::<(Option<String>,)>(connection, &query).await.remove(0).0;
        found.insert(table, digest);
    }
    found
}

#[tokio::test]
async fn every_table_says_whose_its_rows_are_and_none_refers_to_another() {
    let database = database().await;
    for service in services::all() {
        let mut connection = inside(&database, service.name).await;
        let silent = "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
                      AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant_id') ORDER BY 1";
        let silent: Vec<_> = rows::<(String,)>(&mut connection, silent).await.into_iter().map(|(name,)| name).collect();
        assert_eq!(
            silent,
            ["_migration", "_platform_migration", "relay_state"],
            "{}: export and deletion would miss rows",
            service.name
        );
        let references = "SELECT conname::text FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace";
        let references = rows::<(String,)>(&mut connection, references).await;
        assert!(references.is_empty(), "`steward tenant delete` must then keep to an order: {references:?}");
    }
    // And if there ever is one, the command does nothing rather than half of it.
    let mut intake = inside(&database, "intake").await;
    fill(&mut intake).await;
    execute(&mut intake, "CREATE TABLE secret (words text)").await;
    let ran = steward(&database, &[&DELETE[..], &["--yes", &TENANT.to_string()]].concat()).await;
    assert_eq!(ran.code, 1);
    assert!(ran.told.contains("table secret of intake has no tenant_id"), "{}", ran.told);
    assert!(everything(&mut intake, TENANT).await.values().all(Option::is_some));
    db::remove(&database).await;
}

#[tokio::test]
async fn a_company_is_exported_and_deleted_whole_and_the_other_one_stays_as_it_is() {
    let (database, folder) = (database().await, tempfile::tempdir().unwrap());
    for service in services::all() {
        fill(&mut inside(&database, service.name).await).await;
    }
    let (tenant, to) = (TENANT.to_string(), folder.path().join("export"));
    let export = ["tenant", "export", &tenant, "--folder", to.to_str().unwrap()];
    let said = steward(&database, &export).await.well();
    assert!(said.contains("personal data"), "{said}");
    exported_whole(&database, &to).await;
    let again = steward(&database, &export).await;
    assert!(again.code == 1 && again.told.contains("is not empty"), "{again:?}");

    let mut before = BTreeMap::new();
    for service in services::all() {
        before.insert(service.name, everything(&mut inside(&database, service.name).await, OTHER_TENANT).await);
    }
    let ran = steward(&database, &[&DELETE[..], &[&tenant]].concat()).await;
    assert!(ran.code == 1 && ran.told.contains("say --yes"), "{ran:?}");
    let delete = [&DELETE[..], &["--yes", &tenant]].concat();
    let said = steward(&database, &delete).await.well();
    assert!(said.contains("backups still have it") && said.contains("STEWARD_NATS_URL is not set"), "{said}");
    // Interrupted: some rows are left, some came back.
    let mut intake = inside(&database, "intake").await;
    let left = format!("INSERT INTO outbox SELECT 1000 + n, '{tenant}' FROM generate_series(1, 12000) AS n");
    execute(&mut intake, &left).await;
    what_is_left_is_not_taken_for_the_whole(&database, &folder.path().join("left")).await;
    assert!(steward(&database, &delete).await.well().contains("12000 rows deleted"));
    assert!(steward(&database, &delete).await.well().contains(" 0 rows deleted"));

    for service in services::all() {
        let mut connection = inside(&database, service.name).await;
        let mut left = everything(&mut connection, TENANT).await;
        assert!(left.remove("tenant").unwrap().is_some(), "the tombstone stays");
        assert!(left.values().all(Option::is_none), "{}: {left:?}", service.name);
        assert_eq!(everything(&mut connection, OTHER_TENANT).await, before[service.name], "{}", service.name);
    }
    let ran = steward(&database, &["tenant", "create", "--name", "新", "--id", &tenant]).await;
    assert!(ran.code == 1 && ran.told.contains("its id is never used again"), "{ran:?}");
    db::remove(&database).await;
}

/// Every table of every service has a file with all rows of the company and none of another, as the manifest says.
async fn exported_whole(database: &str, folder: &Path) {
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    for service in services::all() {
        let mut connection = inside(database, service.name).await;
        let described = &manifest["services"][service.name];
        assert!(described["schema"]["own"].as_i64().unwrap() > 20_260_000_000_000, "{described}");
        assert!(described["schema"]["platform"].as_i64().unwrap() >= 20_261_125_200_000, "{described}");
        let tables = tables(&mut connection).await;
        assert_eq!(described["tables"].as_object().unwrap().keys().cloned().collect::<Vec<_>>(), tables);
        for table in tables {
            let written = &described["tables"][&table];
            let file = folder.join(written["file"].as_str().unwrap());
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            let text = fs::read_to_string(&file).unwrap();
            let query = format!("SELECT encode(sha256('{}'), 'hex')", hex(text.as_bytes()));
            assert_eq!(written["sha256"], rows::<(String,)>(&mut connection, &query).await[0].0, "{table}");
            let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            // A resident brings the row of their number along.
            let expected = match table.as_str() {
                "tenant" => 1,
                "resident_phone" => 2 * ROWS,
                _ => ROWS,
            };
            assert_eq!(lines.len() as i64, expected, "{table}");
            assert_eq!(written["rows"], lines.len(), "{table}");
            assert!(lines.iter().all(|line| line["tenant_id"] == TENANT.to_string()), "{table}");
            // The same as the server says of the row, whatever is in its texts.
            let query = format!("SELECT row_to_json(t)::text FROM {table} AS t WHERE tenant_id = '{TENANT}'");
            let theirs = rows::<(String,)>(&mut connection, &query).await;
            for (line,) in theirs {
                let mut line: Value = serde_json::from_str(&line).unwrap();
                let found = lines.iter().any(|one| same(&mut line, one));
                assert!(found, "{table}: {line} is not in its file");
            }
        }
    }
}

/// Whether two rows are the same; times may be told in another zone.
fn same(a: &mut Value, b: &Value) -> bool {
    let (Value::Object(a), Value::Object(b)) = (a, b) else { return false };
    a.len() == b.len()
        && a.iter().all(|(name, value)| {
            let time =
                |value: &Value| value.as_str().and_then(|text| text.parse::<chrono::DateTime<chrono::Utc>>().ok());
            b.get(name).is_some_and(|other| other == value || (time(value).is_some() && time(value) == time(other)))
        })
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\\x{digits}")
}

#[tokio::test]
async fn a_company_gets_an_id_and_a_name_and_is_listed_with_those_that_only_have_events() {
    let database = database().await;
    let said = steward(&database, &["tenant", "create", "--name", "御溪物业"]).await.well();
    let id = said.split_whitespace().next().unwrap().to_owned();
    assert!(said.contains(&format!("\"tenant_id\": \"{id}\"")), "{said}");
    let renamed = steward(&database, &["tenant", "create", "--name", "御溪物业服务", "--id", &id]).await.well();
    assert!(renamed.starts_with(&id), "{renamed}");
    execute(
        &mut inside(&database, "intake").await,
        &format!(
            "INSERT INTO event (event_id, tenant_id, aggregate, stream_id, version, kind, actor, occurred_at, recorded_at, payload, hash)
             SELECT gen_random_uuid(), '{TENANT}', 'case', gen_random_uuid(), 1, 'opened', 'x', now(), now(), '{{}}', '' FROM generate_series(1, 3)"
        ),
    )
    .await;
    let listed = steward(&database, &["tenant", "list", "--json"]).await.json();
    let of = |id: &str| listed.as_array().unwrap().iter().find(|one| one["tenant_id"] == id).cloned().unwrap();
    assert_eq!(of(&id)["name"], "御溪物业服务");
    let known = of(&TENANT.to_string());
    assert_eq!((&known["name"], &known["events"], &known["cases"]), (&Value::Null, &3.into(), &3.into()));
    let table = steward(&database, &["tenant", "list"]).await.well();
    assert!(table.contains("御溪物业服务"), "{table}");
    for words in [&["tenant", "export", "--folder", "/tmp/never"][..], &DELETE[..]] {
        let unknown = db::new_id().to_string();
        let ran =
            steward(&database, &[words, if words[1] == "delete" { &["--yes"] } else { &[] }, &[&unknown]].concat())
                .await;
        assert!(ran.code == 1 && ran.told.contains("nothing is known"), "{ran:?}");
    }
    db::remove(&database).await;
}

async fn what_is_left_is_not_taken_for_the_whole(database: &str, to: &Path) {
    let tenant = TENANT.to_string();
    let export = ["tenant", "export", &tenant, "--folder", to.to_str().unwrap()];
    let ran = steward(database, &export).await;
    assert!(ran.code == 1 && ran.told.contains("was closed") && ran.told.contains("--closed"), "{ran:?}");
    assert!(!to.exists());
    let said = steward(database, &[&export[..], &["--closed"]].concat()).await.well();
    assert!(said.contains("its deletion began"), "{said}");
    let manifest: Value = serde_json::from_slice(&fs::read(to.join("manifest.json")).unwrap()).unwrap();
    assert!(manifest["closed_at"].is_string(), "{manifest}");
    assert_eq!(manifest["services"]["intake"]["tables"]["outbox"]["rows"], 12_000);
}

fn of_other(kit: &Kit) -> impl Fn(Role) -> Client {
    |role| kit.client_of(&Actor { tenant: OTHER_TENANT.into(), ..kit.staff(role) })
}

#[tokio::test]
async fn a_company_is_deleted_while_the_services_serve_another() {
    with_services(&five(), async |kit| {
        let (ours, theirs) =
            (crate::verify::case(&kit, |role| kit.client(role)).await, crate::verify::case(&kit, of_other(&kit)).await);
        eventually("complaint has heard of it", || async {
            of_other(&kit)(Role::Manager)
                .get(&format!("/v1/complaints/{theirs}"))
                .try_send()
                .await
                .ok()
                .filter(|answer| answer.status == 200)
        })
        .await;
        let nats = std::env::var("STEWARD_TEST_NATS_URL").unwrap();
        let environment = [("STEWARD_NATS_URL", nats.as_str()), ("STEWARD_NATS_PREFIX", kit.prefix.as_str())];
        let delete = ["tenant", "delete", "--yes", "--settle", "4s", &OTHER_TENANT.to_string()].map(str::to_owned);
        let delete: Vec<&str> = delete.iter().map(String::as_str).collect();
        let said = steward_with(&kit.database, &delete, &environment).await.well();
        assert!(!said.contains(" 0 messages purged") && !said.contains("is not set"), "{said}");

        // Refused everywhere; nothing came after.
        of_other(&kit)(Role::Manager).get("/v1/estates").await.problem(403, "tenant-closed");
        of_other(&kit)(Role::Manager).get(&format!("/v1/complaints/{theirs}")).await.problem(403, "tenant-closed");
        for service in services::all() {
            for table in
                tables(&mut inside(&kit.database, service.name).await).await.iter().filter(|table| *table != "tenant")
            {
                let left = kit.count(service.name, &format!("{table} WHERE tenant_id = '{OTHER_TENANT}'")).await;
                assert_eq!(left, 0, "{}.{table}", service.name);
            }
        }
        assert!(steward_with(&kit.database, &delete, &environment).await.well().contains(" 0 messages purged"));

        // The other one is served on, and its events still go round.
        let _ = kit.client(Role::Manager).get(&format!("/v1/cases/{ours}")).await.ok();
        let second = crate::verify::case(&kit, |role| kit.client(role)).await;
        eventually("the other company goes on", || async {
            kit.client(Role::Manager)
                .get(&format!("/v1/complaints/{second}"))
                .try_send()
                .await
                .ok()
                .filter(|answer| answer.status == 200)
        })
        .await;
        assert_eq!(steward(&kit.database, &["verify"]).await.code, 0);
    })
    .await;
}
