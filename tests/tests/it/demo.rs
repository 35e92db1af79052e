//! The demo company, as `deploy/local/up` loads it, with an operator's look at it.

use std::process::{Command, Output};

use steward_admin::services;
use steward_e2e::processes::{PATIENCE, program};
use steward_testkit::{
    Client, OTHER_TENANT, TENANT,
    db::{self, Part, admin_url, url},
    servers::{Nats, Process, free_port},
    wait::within,
};
use tempfile::TempDir;

/// What a program says that ends well.
fn said(what: &str, command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{what}: {status}\n{stdout}\n{stderr}");
    stdout.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_holds_in_the_demo_company() {
    let parts: Vec<Part> = services::all().iter().map(|service| (service.name, (service.migrator)())).collect();
    let (database, nats, folder, port) = (db::fresh(&parts).await, Nats::start(), TempDir::new().unwrap(), free_port());
    let address = format!("http://127.0.0.1:{port}");
    let key = folder.path().join("issuer.der");
    let database_url = url(&admin_url(), "{role}", &database);
    let steward_local = || {
        let mut command = Command::new(program("steward-local"));
        command.env("STEWARD_DATABASE_URL", &database_url).env("STEWARD_NATS_URL", &nats.url);
        command.env("STEWARD_HTTP_BIND", format!("127.0.0.1:{port}"));
        command.env("STEWARD_DEV_ISSUER", format!("{address}/dev")).env("STEWARD_DEV_ISSUER_KEY", &key);
        command
    };
    let token = |role: &str, tenant: &str, sub: &str| {
        let claims = ["dev-token", "--role", role, "--tenant", tenant, "--sub", sub];
        said("dev-token", steward_local().args(claims))
    };
    let process = Process::start(steward_local().arg("serve"), &folder.path().join("log"));
    let client = Client::over_network(&address, None, Vec::new());
    within(PATIENCE, "it is ready", || async {
        (client.get("/ready").try_send().await.ok()?.status == 200).then_some(())
    })
    .await;
    let (tenant, other) = (TENANT.to_string(), OTHER_TENANT.to_string());
    let mut load = Command::new("python3");
    load.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/local/demo/load")).env("STEWARD_URL", &address);
    load.env("STEWARD_BIN", program("steward-local")).env("STEWARD_TENANT_ID", &tenant);
    load.env("STEWARD_DEV_ISSUER", format!("{address}/dev")).env("STEWARD_DEV_ISSUER_KEY", &key);
    // People of the demo's staff register.
    for (role, sub) in [
        ("admin", "admin-1"),
        ("receptionist", "desk-yx-1"),
        ("handler", "handler-yx-3"),
        ("supervisor", "supervisor-yx-5"),
        ("manager", "manager-yx-6"),
    ] {
        load.env(format!("STEWARD_TOKEN_{}", role.to_uppercase()), token(role, &tenant, sub));
    }
    load.env("STEWARD_OTHER_TOKEN_ADMIN", token("admin", &other, "admin"));
    said("the loader", &mut load);

    let token_file = folder.path().join("token");
    std::fs::write(&token_file, token("manager", &tenant, "manager-1")).unwrap();
    let mut inspect = Command::new(program("steward"));
    inspect.args(["inspect", "--tenant", &tenant, "--per-second", "100", "--settle", "10s"]);
    inspect.env("STEWARD_DATABASE_URL", &database_url).env("STEWARD_DATABASE_PASSWORD", "test");
    inspect.env("STEWARD_API_URL", &address).env("STEWARD_TOKEN_FILE", &token_file);
    let told = said("inspect", &mut inspect);
    assert!(told.ends_with("every rule holds") && !told.starts_with("0 cases"), "{told}");
    drop(process);
    db::remove(&database).await;
}
