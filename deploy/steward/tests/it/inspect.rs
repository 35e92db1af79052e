//! A company in which five services tell one story, and one in which they do not.

use serde_json::json;
use steward_kernel::Role;
use steward_testkit::{Kit, TENANT, eventually, with_services};

use crate::command::{Ran, five, steward_with};
use crate::verify::case;

/// The public API of a test's system, over the network.
async fn served(kit: &Kit) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, router) = (format!("http://{}", listener.local_addr().unwrap()), kit.router.clone());
    (url, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

#[tokio::test]
async fn a_company_is_inspected_and_what_two_services_do_not_agree_upon_is_named_by_rule_and_case() {
    with_services(&five(), async |kit| {
        let id = case(&kit, |role| kit.client(role)).await;
        let handler = kit.client(Role::Handler);
        eventually("the complaint is there", || async {
            let done = handler.post(&format!("/v1/complaints/{id}/acknowledge"), json!({})).await;
            (done.status == 200).then_some(())
        })
        .await;
        let (url, serving) = served(&kit).await;
        let token = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token.path(), kit.token(&kit.staff(Role::Manager))).unwrap();
        let tenant = TENANT.to_string();
        let token_file = token.path().to_str().unwrap().to_owned();
        let environment = [("STEWARD_API_URL", url.as_str()), ("STEWARD_TOKEN_FILE", token_file.as_str())];
        let inspect = async |more: &[&str]| -> Ran {
            let arguments = [&["inspect", "--tenant", tenant.as_str(), "--settle", "1s"], more].concat();
            steward_with(&kit.database, &arguments, &environment).await
        };

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
            ran.said.contains("lists-and-singles-agree: A row of a list says what the thing itself says."),
            "{ran:?}"
        );

        serving.abort();
        let ran = inspect(&[]).await;
        assert_eq!(ran.code, 1, "nobody answers: {ran:?}");
        assert!(ran.told.contains("steward: "), "{ran:?}");
    })
    .await;
}
