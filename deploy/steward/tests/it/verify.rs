//! A history that somebody has changed behind our back.

use serde_json::json;
use steward_kernel::Role;
use steward_testkit::{Kit, eventually, with_services};

use crate::command::{five, steward};

/// An estate and a case in it, with all that follows.
pub(crate) async fn case(kit: &Kit, client: impl Fn(Role) -> steward_testkit::Client) -> String {
    let estates = "estate_code,estate_name,region,building,unit,floor,area_m2\nYX,御溪花园,上海,3,101,1,89.5\n";
    let _ = client(Role::Admin).upload("/v1/estates/import", "text/csv", estates.into()).await.ok();
    let list = client(Role::Admin).get("/v1/estates").await.ok();
    let words = "三号楼电梯又停了";
    let body =
        json!({ "kind": "complaint", "words": words, "channel": "phone", "estate_id": list["items"][0]["estate_id"] });
    let case = client(Role::Receptionist).post("/v1/cases", body).await.created();
    kit.rests().await;
    case["case_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_changed_event_and_a_missing_one_are_found_and_named() {
    with_services(&five(), async |kit| {
        let case = case(&kit, |role| kit.client(role)).await;
        let said = steward(&kit.database, &["verify"]).await.well();
        assert!(said.contains("every chain is whole"), "{said}");

        let folder = tempfile::tempdir().unwrap();
        let heads = ["verify", "--heads", folder.path().to_str().unwrap()];
        let said = steward(&kit.database, &heads).await.well();
        assert!(said.contains("histories kept in"), "{said}");
        // What follows from the case may still go on for a moment.
        let mut again = String::new();
        for _ in 0..5 {
            kit.rests().await;
            again = steward(&kit.database, &heads).await.well();
            if again.contains("no history has gone on") {
                break;
            }
        }
        assert!(again.contains("no history has gone on"), "{again}");
        let files = std::fs::read_dir(folder.path()).unwrap().count();

        // When it happened is what people are told.
        let moved = |days: i32| {
            format!("UPDATE event SET occurred_at = occurred_at + interval '{days} days' WHERE stream_id = '{case}' AND aggregate = 'case' AND version = 1")
        };
        kit.execute("intake", &moved(-3)).await;
        let ran = steward(&kit.database, &heads).await;
        assert_eq!(ran.code, 1);
        assert!(ran.said.contains(&format!("case {case}, version 1 was changed: its hash does not fit; at the earliest at ")), "{}", ran.said);
        assert!(ran.said.contains(&format!("case {case}: changed between ")), "{}", ran.said);
        kit.execute("intake", &moved(3)).await;

        // What is cut off leaves no trace in the chain.
        let unheard = "WHERE aggregate = 'register_import'";
        kit.execute("intake", &format!("CREATE TABLE cut AS SELECT * FROM event {unheard}; DELETE FROM event {unheard}")).await;
        assert_eq!(steward(&kit.database, &["verify"]).await.code, 0);
        let ran = steward(&kit.database, &heads).await;
        assert!(ran.code == 1 && ran.said.contains(": removed between "), "{}", ran.said);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), files, "nothing is added to what does not fit");
        kit.execute("intake", "INSERT INTO event OVERRIDING SYSTEM VALUE SELECT * FROM cut; DROP TABLE cut").await;
        assert_eq!(steward(&kit.database, &heads).await.code, 0);

        kit.execute("intake", &format!("UPDATE event SET actor = 'nobody' WHERE stream_id = '{case}' AND aggregate = 'case' AND version = 1")).await;
        // A history of three whose middle is taken out.
        kit.execute(
            "intake",
            "INSERT INTO event (event_id, tenant_id, aggregate, stream_id, version, kind, actor, occurred_at, recorded_at, payload, hash)
             SELECT gen_random_uuid(), tenant_id, 'zzz', stream_id, 3, kind, actor, now(), now(), payload, hash
             FROM event WHERE aggregate = 'estate' LIMIT 1",
        )
        .await;
        let ran = steward(&kit.database, &["verify"]).await;
        assert_eq!(ran.code, 1);
        assert!(ran.said.contains(&format!("case {case}, version 1 was changed")), "{}", ran.said);
        assert!(ran.said.contains("version 3 follows a gap: versions 1 to 2 are missing"), "{}", ran.said);
        assert!(ran.said.contains("2 places where a chain is broken"), "{}", ran.said);
        assert!(ran.told.contains("intake: "), "{}", ran.told);

        assert_eq!(steward(&kit.database, &["verify", "--service", "complaint"]).await.code, 0);
        assert_eq!(steward(&kit.database, &["verify", "--tenant", &steward_testkit::OTHER_TENANT.to_string()]).await.code, 0);
        assert_eq!(steward(&kit.database, &["verify", "--tenant", &steward_testkit::TENANT.to_string()]).await.code, 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_computed_anew_or_cut_off_is_not_what_others_have_heard() {
    with_services(&five(), async |kit| {
        let _ = case(&kit, |role| kit.client(role)).await;
        let said = steward(&kit.database, &["verify"]).await.well();
        assert!(said.contains("every chain is whole"), "{said}");

        let heard = "inbox WHERE aggregate = 'estate' AND heard_chain IS NOT NULL";
        eventually("others have heard of the estate", || async {
            (kit.count("dispatch", heard).await > 0).then_some(())
        })
        .await;

        // Somebody who knows the rule, and takes the one that is easier to compute.
        kit.execute("intake", "CREATE TABLE kept AS SELECT * FROM event WHERE aggregate = 'estate'").await;
        kit.execute("intake", "UPDATE event SET occurred_at = occurred_at - interval '3 days' WHERE aggregate = 'estate'").await;
        for version in 1..=kit.count("intake", "kept").await {
            let anew = format!(
                "UPDATE event SET hash = sha256(
                     coalesce((SELECT hash FROM event AS before WHERE before.aggregate = 'estate' AND before.version = event.version - 1), '')
                     || uuid_send(event_id) || int4send(version) || int8send((extract(epoch FROM recorded_at) * 1000000)::bigint)
                     || int8send(octet_length(actor)) || convert_to(actor, 'UTF8')
                     || int8send(octet_length(payload::text)) || convert_to(payload::text, 'UTF8'))
                 WHERE aggregate = 'estate' AND version = {version}"
            );
            kit.execute("intake", &anew).await;
        }
        let ran = steward(&kit.database, &["verify"]).await;
        assert_eq!(ran.code, 1);
        assert!(ran.said.contains(": changed between ") && !ran.said.contains("does not fit"), "{}", ran.said);

        kit.execute("intake", "DELETE FROM event WHERE aggregate = 'estate'").await;
        let ran = steward(&kit.database, &["verify"]).await;
        assert!(ran.code == 1 && ran.said.contains(": removed between "), "{}", ran.said);

        kit.execute("intake", "INSERT INTO event OVERRIDING SYSTEM VALUE SELECT * FROM kept; DROP TABLE kept").await;
        let said = steward(&kit.database, &["verify"]).await.well();
        assert!(said.contains("every chain is whole"), "{said}");
    })
    .await;
}
