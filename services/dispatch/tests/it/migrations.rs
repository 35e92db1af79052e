//! Migrations on tables that are full.

use std::collections::BTreeSet;

use serde_json::json;
use steward_dispatch::Dispatch;
use steward_testkit::{db::new_id, old};

#[tokio::test]
async fn what_the_version_before_wrote_is_found_by_its_reference_and_unit() {
    old::before::<Dispatch>(20_261_130_024_000, async |old| {
        let unit = new_id();
        let request = |reference: &str| {
            json!({"case_id": new_id(), "state": {"origin": {"reference": reference, "unit_id": unit}}})
        };
        let order = |reference: &str| {
            json!({"work_order_id": new_id(), "reference": reference, "state": {"job": {"unit_id": unit}}})
        };
        let common = json!({"case_id": new_id(), "state": {"origin": {"reference": "R-261122-0A0A0A", "unit_id": null}}});
        old.has("service_request", common).await;
        old.has("service_request", request("R-261123-7K3QD4")).await;
        old.has("work_order", order("W-261123-7K3QD4")).await;
        assert_eq!(old.migrates().await, BTreeSet::new());
        // The version before goes on writing for a while.
        old.has("service_request", request("R-261124-9M2PX1")).await;
        old.has("work_order", order("W-261124-9M2PX1")).await;
        let requests = old.rows("SELECT reference_end, unit_id FROM service_request ORDER BY reverse(reference_end)").await;
        assert_eq!(requests, json!([["A0A0A0221162R", null], ["4DQ3K7321162R", unit], ["1XP2M9421162R", unit]]));
        let orders = old.rows("SELECT reference_end, unit_id FROM work_order ORDER BY reference").await;
        assert_eq!(orders, json!([["4DQ3K7321162W", unit], ["1XP2M9421162W", unit]]));
    })
    .await;
}
