//! Migrations on tables that are full.

use std::collections::BTreeSet;

use serde_json::json;
use steward_complaint::Complaint;
use steward_testkit::{db::new_id, old};

#[tokio::test]
async fn what_the_version_before_wrote_is_found_by_its_reference() {
    old::before::<Complaint>(20_261_130_024_000, async |old| {
        let complaint = |reference: &str| {
            json!({"case_id": new_id(), "reference": reference, "stage": "received", "priority": "P3"})
        };
        old.has("complaint", complaint("C-261123-7K3QD4")).await;
        assert_eq!(old.migrates().await, BTreeSet::new());
        // The version before goes on writing for a while.
        old.has("complaint", complaint("C-261124-9M2PX1")).await;
        let keys = old.rows("SELECT reference_end FROM complaint ORDER BY reference").await;
        assert_eq!(keys, json!([["4DQ3K7321162C"], ["1XP2M9421162C"]]));
    })
    .await;
}
