//! Migrations on tables that are full.

use std::collections::BTreeSet;

use serde_json::json;
use steward_feedback_analytics::FeedbackAnalytics;
use steward_testkit::{db::new_id, old};

#[tokio::test]
async fn what_the_version_before_wrote_is_found_by_its_reference_and_unit() {
    old::before::<FeedbackAnalytics>(20_261_130_024_000, async |old| {
        let unit = new_id();
        let suggestion = |reference: &str| {
            json!({"case_id": new_id(), "state": {"received": {"reference": reference, "unit_id": unit}}})
        };
        old.has("suggestion", suggestion("S-261123-7K3QD4")).await;
        assert_eq!(old.migrates().await, BTreeSet::new());
        // The version before goes on writing for a while.
        old.has("suggestion", suggestion("S-261124-9M2PX1")).await;
        let keys = old.rows("SELECT reference_end, unit_id FROM suggestion ORDER BY reverse(reference_end)").await;
        assert_eq!(keys, json!([["4DQ3K7321162S", unit], ["1XP2M9421162S", unit]]));
    })
    .await;
}
