//! Contracts that stand in git, rules that a machine checks, and the attack on every route.

use serde_json::json;
use steward_chassis::run;
use steward_intake::Intake;
use steward_kernel::Role;
use steward_testkit::{attack, golden::golden, rules, with};
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
fn imports_point_one_way() {
    rules::imports(format!("{HERE}/src"));
}

fn id(text: &serde_json::Value) -> Uuid {
    text.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn no_route_lets_a_stranger_in() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let inquiry = case_id(&world.opens(&kit, "inquiry").await);
        let (desk, manager) = (kit.client(Role::Receptionist), kit.client(Role::Manager));
        let visit = desk.post("/v1/visits", json!({ "estate_id": world.estate })).await.created();
        let check =
            json!({ "estate_id": world.estate, "on": "2026-11-23", "items": [{ "item": "台面整洁", "ok": true }] });
        let check = desk.post("/v1/desk-checks", check).await.created();
        let article = json!({
            "code": "YX-1", "title": "停车", "category": "parking", "body": "凭证入场。", "language": "zh-Hans",
            "estate_id": world.estate
        });
        let article = manager.post("/v1/articles", article).await.created();
        let photo =
            kit.owner(world.resident).upload("/v1/files", "image/png", b"\x89PNG\r\n\x1a\nx".into()).await.created();
        let ids = [
            ("case_id", inquiry),
            ("inquiry_id", inquiry),
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
