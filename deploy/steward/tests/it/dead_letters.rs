//! Messages that could not be handled.

use steward_testkit::{TENANT, db::new_id, eventually, with_services};

use crate::command::{five, steward};

#[tokio::test]
async fn what_is_parked_is_listed_shown_without_its_words_and_handled_again() {
    with_services(&five(), async |kit| {
        let stream = new_id();
        let words = "words of an owner";
        kit.publish_bytes("intake", "case-opened.v1", TENANT, stream, (1, 0), words.into()).await;
        kit.publish_bytes("intake", "case-opened.v1", TENANT, stream, (2, 1), words.into()).await;
        for service in ["notification", "feedback-analytics"] {
            eventually("both are parked", || async { (kit.count(service, "dead_letter").await == 2).then_some(()) })
                .await;
        }

        let listed =
            steward(&kit.database, &["dead-letters", "list", "--json", "--service", "notification"]).await.json();
        assert_eq!(listed.as_array().unwrap().len(), 1, "one line for each aggregate: {listed}");
        assert_eq!(
            (&listed[0]["consumer"], &listed[0]["version"], &listed[0]["behind"]),
            (&"notification--intake".into(), &1.into(), &1.into())
        );
        let all = steward(&kit.database, &["dead-letters", "list", "--all", "--json", "--service", "notification"])
            .await
            .json();
        assert_eq!(all.as_array().unwrap().len(), 2);
        let table = steward(&kit.database, &["dead-letters", "list"]).await.well();
        assert!(table.contains("feedback-analytics--intake") && table.contains("case-opened.v1"), "{table}");

        let event = listed[0]["event_id"].as_str().unwrap();
        let shown = steward(&kit.database, &["dead-letters", "show", event]).await.well();
        assert!(shown.contains(&format!("{} bytes, steward.intake.case-opened.v1", words.len())), "{shown}");
        assert!(shown.contains("steward-previous: 0") && !shown.contains(words), "{shown}");

        let ran = steward(&kit.database, &["dead-letters", "replay", "--consumer", "notification--intake"]).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.said.contains("notification--intake") && !ran.said.contains("feedback-analytics--intake"),
            "{}",
            ran.said
        );

        // Mended: now it is something that nobody has to handle.
        for service in ["notification", "feedback-analytics"] {
            kit.execute(service, "UPDATE dead_letter SET subject = replace(subject, 'case-opened', 'case-unheard')")
                .await;
        }
        let said = steward(&kit.database, &["dead-letters", "replay"]).await.well();
        assert!(said.lines().any(|line| line.starts_with("notification--intake") && line.contains(" 2 ")), "{said}");
        assert_eq!(steward(&kit.database, &["dead-letters", "list"]).await.well(), "nothing is parked\n");
    })
    .await;
}
