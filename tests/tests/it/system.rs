//! What holds for the system as a whole: one namespace, one document, no neighbour needed, nothing of one company for another.

use serde_json::json;
use steward_e2e::estate::{Estate, text, with_estate};
use steward_kernel::{Role, TenantId};
use steward_testkit::OTHER_TENANT;

#[tokio::test(flavor = "multi_thread")]
async fn another_company_and_another_owner_see_nothing() {
    with_estate(async |e: Estate| {
        let case = e.says("complaint", "noise.neighbour", "楼上半夜拖椅子。").await;
        let id = text(&case["case_id"]);
        e.appears(&e.handler, &format!("/v1/complaints/{id}")).await;
        let mut foreign = e.kit.staff(Role::Admin);
        foreign.tenant = TenantId::from(OTHER_TENANT);
        let foreign = e.kit.client_of(&foreign);
        let neighbour = e.kit.owner(steward_testkit::db::new_id());
        for client in [&foreign, &neighbour] {
            for path in [format!("/v1/cases/{id}"), format!("/v1/cases/{id}/timeline"), format!("/v1/complaints/{id}")]
            {
                assert_eq!(client.get(&path).await.status, 404, "{path}");
            }
            for list in ["cases", "complaints", "messages", "surveys"] {
                let answer = client.get(&format!("/v1/{list}")).await;
                assert!(!answer.text().contains(&id), "{list}: {}", answer.text());
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_called_off_is_called_off_everywhere() {
    with_estate(async |e: Estate| {
        let case = e.says("service_request", "home.fixture", "灯不亮。").await;
        let id = text(&case["case_id"]);
        e.appears(&e.handler, &format!("/v1/service-requests/{id}")).await;
        let _ = e.owner.post(&format!("/v1/cases/{id}/cancel"), json!({"reason": "自己修好了"})).await.ok();
        e.case_is(&id, "cancelled").await;
        e.finds(&e.handler, "/v1/service-requests", |one| one["stage"] == "cancelled").await;
        e.metrics_show("the cancelled case", |m| m["cases"]["cancelled"] == 1).await;
    })
    .await;
}
