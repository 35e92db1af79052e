//! A company in which five services tell one story, and one in which they do not.

use serde_json::json;
use steward_kernel::Role;
use steward_testkit::{Kit, TENANT, eventually, with_services};
use tempfile::NamedTempFile;

use crate::command::{Ran, five, steward_with};
use crate::verify::case;

/// The public API of a test's system, over the network.
async fn served(kit: &Kit) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, router) = (format!("http://{}", listener.local_addr().unwrap()), kit.router.clone());
    (url, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

/// A token of somebody who sees all.
fn token(kit: &Kit) -> NamedTempFile {
    let token = NamedTempFile::new().unwrap();
    std::fs::write(token.path(), kit.token(&kit.staff(Role::Manager))).unwrap();
    token
}

async fn inspect(kit: &Kit, url: &str, token: &NamedTempFile, more: &[&str]) -> Ran {
    let tenant = TENANT.to_string();
    let environment = [("STEWARD_API_URL", url), ("STEWARD_TOKEN_FILE", token.path().to_str().unwrap())];
    let arguments = [&["inspect", "--tenant", tenant.as_str(), "--settle", "1s"], more].concat();
    steward_with(&kit.database, &arguments, &environment).await
}

/// A complaint that somebody has taken up.
async fn acknowledged(kit: &Kit) -> String {
    let id = case(kit, |role| kit.client(role)).await;
    let handler = kit.client(Role::Handler);
    eventually("the complaint is there", || async {
        let done = handler.post(&format!("/v1/complaints/{id}/acknowledge"), json!({})).await;
        (done.status == 200).then_some(())
    })
    .await;
    id
}

#[tokio::test]
async fn a_company_is_inspected_and_what_two_services_do_not_agree_upon_is_named_by_rule_and_case() {
    with_services(&five(), async |kit| {
        let id = acknowledged(&kit).await;
        let ((url, serving), token) = (served(&kit).await, token(&kit));
        let inspect = async |more: &[&str]| inspect(&kit, &url, &token, more).await;
        let said = inspect(&[]).await.well();
        assert!(said.contains("1 cases: every rule holds"), "{said}");

        kit.execute("complaint", &format!("UPDATE complaint SET stage = 'proposed' WHERE case_id = '{id}'")).await;
        let ran = inspect(&["--json"]).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        let found = ran.json();
        assert_eq!((&found["cases"], &found["findings"]), (&json!(1), &json!(1)), "{found}");
        assert_eq!(found["rules"][0]["rule"], "lists-and-singles-agree");
        assert_eq!(found["rules"][0]["findings"][0]["case_id"], id);
        let ran = inspect(&[]).await;
        assert!(
            ran.said.contains("lists-and-singles-agree: A row of a list says what the thing itself says"),
            "{ran:?}"
        );

        serving.abort();
        let ran = inspect(&[]).await;
        assert_eq!(ran.code, 1, "nobody answers: {ran:?}");
        assert!(ran.told.contains("steward: "), "{ran:?}");
    })
    .await;
}

/// A line in somebody's inbox about that case.
fn alert(case: &str) -> String {
    format!(
        "INSERT INTO alert (tenant_id, alert_id, account, digest_id, case_id, cause, rank, matter, created_at, changed_xid)
         VALUES ('{TENANT}', gen_random_uuid(), 'wang', gen_random_uuid(), '{case}', 'accountable', 45,
                 '{{\"happened_at\": \"2026-11-30T05:22:41Z\", \"reference\": \"x\"}}', now(), 1)"
    )
}

#[tokio::test]
async fn what_waits_in_an_inbox_after_the_end_is_found_without_saying_whose_and_figures_are_counted() {
    with_services(&five(), async |kit| {
        let id = acknowledged(&kit).await;
        let ((url, serving), token) = (served(&kit).await, token(&kit));
        let inspect = async |more: &[&str]| inspect(&kit, &url, &token, more).await;
        let taken_down = json!({"reason": "已经好了", "taken_down": {"how": "phone"}});
        let withdraw = format!("/v1/complaints/{id}/withdraw");
        let _ = kit.client(Role::Supervisor).post(&withdraw, taken_down).await.ok();
        eventually("it is over in all books", || async {
            let closed =
                kit.text("feedback-analytics", "SELECT sum(n)::text FROM metric_day WHERE measure = 'cancelled'");
            let known = kit.count("notification", "ended_case").await == 1;
            (known && closed.await.as_deref() == Some("1")).then_some(())
        })
        .await;
        kit.relayed().await;
        let _ = inspect(&[]).await.well();

        kit.execute("notification", &alert(&id)).await;
        // The command has the machine's time, whatever the test's clock says.
        let days_before = "UPDATE metric_day SET on_day = on_day - 3 WHERE measure = 'opened'";
        kit.execute("feedback-analytics", days_before).await;
        let ran = inspect(&["--json"]).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        let found = ran.json();
        let rules: Vec<_> = found["rules"].as_array().unwrap().iter().map(|rule| &rule["rule"]).collect();
        assert_eq!(rules, ["figures-are-counted", "no-alert-after-the-end"], "{found}");
        let alert = &found["rules"][1]["findings"][0];
        assert_eq!(alert["case_id"], id);
        assert_eq!(alert["what"], "accountable waits since 2026-11-30T05:22:41Z");
        assert!(!ran.said.contains("wang"), "{found}");
        let figure = &found["rules"][0]["findings"][0];
        assert_eq!((&figure["reference"], figure["estate_id"].is_string()), (&json!("YX"), true));
        assert!(figure["what"].as_str().unwrap().contains(" cases."), "{figure}");
        assert!(ran.told.contains("figures of YX: "), "{}", ran.told);
        assert_eq!(inspect(&["--json", "--figures", "0"]).await.json()["findings"], 1);
        serving.abort();
    })
    .await;
}
