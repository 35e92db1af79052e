//! Contracts that stand in git, rules that a machine checks, and the attack on every route.

use serde_json::json;
use steward_chassis::run;
use steward_intake::Intake;
use steward_kernel::Role;
use steward_testkit::{Client, attack, document, eventually, golden::golden, rules, with};
use uuid::Uuid;

use crate::world::{case_id, world};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_contracts_are_those_in_git() {
    let openapi = run::openapi::<Intake>().to_pretty_json().unwrap() + "\n";
    golden(format!("{HERE}/openapi.golden.json"), &openapi);
    golden(format!("{HERE}/problems.golden.md"), &run::problems_document::<Intake>());
    golden(format!("{HERE}/permissions.golden.md"), &attack::permissions_document::<Intake>());
}

#[test]
fn every_operation_has_an_example_that_a_test_sends() {
    document::examples::<Intake>("tests/it");
}

#[test]
fn imports_point_one_way() {
    rules::imports(format!("{HERE}/src"));
}

fn id(text: &serde_json::Value) -> Uuid {
    text.as_str().unwrap().parse().unwrap()
}

/// A calendar, a policy, a post and an absence of an estate.
async fn rules_of(manager: &Client, admin: &Client, estate: Uuid) -> [Uuid; 4] {
    let staff = "工号,姓名,岗位,部门,小区编码,账号\nK1,武怡芳,receptionist,customer_service,YX,desk-1\n\
        K2,姚玉军,receptionist,customer_service,YX,desk-2\n";
    let _ = admin.upload("/v1/staff/import", "text/csv", staff.into()).await.ok();
    let rules = json!({ "always": true });
    let body = json!({ "code": "desk", "name": "客服中心", "estate_id": estate, "rules": rules });
    let calendar = manager.post("/v1/calendars", body).await.created();
    let body = json!({ "scope": "estate", "estate_id": estate, "policy": { "calendar": "desk" } });
    let policy = manager.post("/v1/clock-policies", body).await.created();
    let body = json!({ "level": "estate_manager", "estate_id": estate, "account": "desk-1" });
    let post = manager.post("/v1/posts", body).await.created();
    let body = json!({
        "account": "desk-1", "from": "2030-01-01T00:00:00Z", "to": "2030-01-03T00:00:00Z", "cover_account": "desk-2"
    });
    let absence = manager.post("/v1/absences", body).await.created();
    [id(&calendar["calendar_id"]), id(&policy["policy_id"]), id(&post["post_id"]), id(&absence["absence_id"])]
}

#[tokio::test]
async fn no_route_lets_a_stranger_in() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let inquiry = case_id(&world.opens(&kit, "inquiry").await);
        let (desk, manager) = (kit.client(Role::Receptionist), kit.client(Role::Manager));
        let visit = desk.post("/v1/visits", json!({ "estate_id": world.estate })).await.created();
        let today = steward_testkit::kernel::day::day(kit.clock.now(), steward_testkit::kernel::day::HOME);
        let check = json!({ "estate_id": world.estate, "on": today, "items": [{ "item": "台面整洁", "ok": true }] });
        let check = desk.post("/v1/desk-checks", check).await.created();
        let article = json!({
            "code": "YX-1", "title": "停车", "category": "parking", "body": "凭证入场。", "language": "zh-Hans",
            "estate_id": world.estate
        });
        let article = manager.post("/v1/articles", article).await.created();
        let photo =
            kit.owner(world.resident).upload("/v1/files", "image/png", b"\x89PNG\r\n\x1a\nx".into()).await.created();
        let clocks = desk.get(&format!("/v1/clocks?case_id={inquiry}")).await.ok();
        let promise = json!({ "due_at": "2027-01-08T17:00:00+08:00" });
        let promise = desk.post(&format!("/v1/cases/{inquiry}/promises"), promise).await.created();
        kit.clock.advance(chrono::TimeDelta::days(60));
        let escalation = eventually("an escalation", || async {
            let list = manager.get(&format!("/v1/escalations?case_id={inquiry}")).await.ok();
            list["items"][0]["escalation_id"].as_str().map(|id| id.parse().unwrap())
        })
        .await;
        let [calendar, policy, post, absence] = rules_of(&manager, &kit.client(Role::Admin), world.estate).await;
        let ids = [
            ("calendar_id", calendar),
            ("policy_id", policy),
            ("post_id", post),
            ("absence_id", absence),
            ("clock_id", id(&clocks["items"][0]["clock_id"])),
            ("promise_id", id(&promise["promise_id"])),
            ("escalation_id", escalation),
            ("case_id", inquiry),
            ("visit_id", id(&visit["visit_id"])),
            ("check_id", id(&check["check_id"])),
            ("article_id", id(&article["article_id"])),
            ("file_id", id(&photo["file_id"])),
            ("estate_id", world.estate),
            ("resident_id", world.resident),
        ];
        attack::attack::<Intake>(&kit, &ids).await;
        assert_eq!(desk.get(&format!("/v1/cases/{inquiry}")).await.ok()["version"], 1);
        kit.assert_row_security("intake").await;
    })
    .await;
}
