//! Everything is due at once, and processes die meanwhile: each rung is reached once, nobody is forgotten, and people get digests.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use steward_e2e::{
    company::{Company, all, text},
    processes::{PATIENCE, System},
};
use steward_kernel::Role;
use steward_testkit::{Client, servers::Postgres, wait::within};

/// Cases that are due in the same seconds.
const CASES: usize = 200;
/// Rungs of the ladder; their levels are held by the people of [`STAFF`].
const RUNGS: usize = 3;
/// Accounts are the words of their roles, as in the tokens of the test.
const STAFF: &str = "工号,姓名,岗位,部门,小区编码,账号\nK1,武怡芳,receptionist,customer_service,SY,receptionist\n\
    K2,何立,supervisor,engineering,SY,supervisor\nK3,罗文,manager,management,SY,manager\n";

/// A quarter of a minute for an answer and a ladder of three levels. What is less urgent than P2 is told in the estate's hours only, and the
/// clock of this test is the real one.
fn policy() -> Value {
    json!({ "scope": "company", "policy": {
        "targets": [{ "measure": "acknowledge", "kind": "service_request", "priority": "P2", "within": "16s", "hours": "always" }],
        "ladders": { "P2": { "rungs": [
            { "at_percent": 50, "level": "worker" }, { "at_percent": 100, "level": "lead" },
            { "at_percent": 150, "level": "estate_manager" },
        ] } },
    } })
}

/// Which escalations of the first answer there are: clock → rungs, each with how often.
async fn rungs(admin: &Client) -> BTreeMap<String, Vec<i64>> {
    let mut found = BTreeMap::<String, Vec<i64>>::new();
    for one in all(admin, "/v1/escalations").await.iter().filter(|one| one["measure"] == "acknowledge") {
        found.entry(text(one, "clock_id")).or_default().push(one["rung"].as_i64().unwrap());
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_storm_that_kills_processes_each_rung_is_reached_once_and_people_get_digests() {
    let postgres = Postgres::start();
    let mut system = System::prepare(&postgres.url).await;
    system.start_all().await;
    let admin = system.client(Role::Admin);
    let company = Company::import(&admin, 20).await;
    admin.upload("/v1/staff/import", "text/csv", STAFF.as_bytes().to_vec()).await.expect(200);
    let _ = admin.post("/v1/clock-policies", policy()).await.created();

    let desk = system.client(Role::Receptionist);
    let body = json!({
        "kind": "service_request", "priority": "P2", "channel": "phone", "words": "停电了", "estate_id": company.estate_id,
    });
    let opened: BTreeSet<String> = stream::iter(0..CASES)
        .map(|_| async { text(&desk.post("/v1/cases", body.clone()).await.created(), "case_id") })
        .buffer_unordered(8)
        .collect()
        .await;
    assert_eq!(opened.len(), CASES);

    for (pause, name) in [(6, "intake"), (3, "notification"), (3, "intake"), (3, "intake"), (2, "notification")] {
        tokio::time::sleep(Duration::from_secs(pause)).await;
        system.service_mut(name).kill();
        tokio::time::sleep(Duration::from_millis(300)).await;
        system.start(name);
    }
    system.ready().await;

    within(PATIENCE, "every rung of every clock", || async {
        let found = rungs(&admin).await;
        (found.len() == CASES && found.values().all(|rungs| rungs.len() >= RUNGS)).then_some(())
    })
    .await;
    system.quiet(PATIENCE).await;
    for (clock, mut reached) in rungs(&admin).await {
        reached.sort_unstable();
        assert_eq!(reached, [1, 2, 3], "clock {clock}");
    }
    for role in [Role::Receptionist, Role::Supervisor, Role::Manager] {
        is_told_in_digests(&system.client(role), &opened).await;
    }
    assert_eq!(system.sum("SELECT count(*) FROM {}.dead_letter").await, 0, "nothing is parked");
}

/// Each matter stands in one line of one digest, and a storm of two hundred is a handful of digests.
async fn is_told_in_digests(person: &Client, opened: &BTreeSet<String>) {
    let lines = within(PATIENCE, "all lines are in digests that were sent", || async {
        let lines = all(person, "/v1/alerts?cause=share").await;
        let sent: BTreeSet<String> =
            all(person, "/v1/digests").await.iter().map(|digest| text(digest, "digest_id")).collect();
        let told = lines.iter().all(|line| line["digest_id"].as_str().is_some_and(|id| sent.contains(id)));
        (lines.len() >= opened.len() && told).then_some(lines)
    })
    .await;
    let mut cases: Vec<String> = lines.iter().map(|line| text(line, "case_id")).collect();
    cases.sort_unstable();
    assert_eq!(cases, opened.iter().cloned().collect::<Vec<_>>(), "one line for each matter");
    let digests = all(person, "/v1/digests").await;
    assert!(digests.len() <= 3, "{} digests for {} matters", digests.len(), opened.len());
}
