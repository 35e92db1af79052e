use steward_feedback_analytics::FeedbackAnalytics;
use steward_kernel::Role;
use steward_testkit::{TENANT, db::new_id, eventually, with};

use crate::world::{Case, NAME, estate, metrics_when};

#[tokio::test]
async fn what_comes_twice_or_in_disorder_counts_once() {
    with::<FeedbackAnalytics>(async |kit| {
        let (estate, resident) = (estate(&kit).await, new_id());
        let case = Case::unheard(&kit, estate, "complaint", Some(resident));
        let resolved = || case.progressed("resolved", "decided", true);
        // The end before the beginning, the owner's word before both, and everything twice.
        case.owner_says(true).await;
        kit.publish(TENANT, case.id, 2, 1, resolved()).await;
        kit.publish(TENANT, case.id, 2, 1, resolved()).await;
        case.opened().await;
        kit.publish(TENANT, case.id, 1, 0, resolved()).await;
        let metrics = metrics_when(&kit, estate, "it is counted", |metrics| {
            metrics["cases"]["resolved"] == 1 && metrics["confirmed_by_owner"]["confirmed"] == 1
        })
        .await;
        assert_eq!(
            (metrics["cases"]["opened"].as_u64(), metrics["satisfaction"]["asked"].as_u64()),
            (Some(1), Some(1))
        );
        case.survey().await;
        assert_eq!(kit.count(NAME, "survey").await, 1);
    })
    .await;
}

#[tokio::test]
async fn two_replicas_and_three_sources_at_once_lose_and_double_nothing() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let replica = kit.replica::<FeedbackAnalytics>().await;
        let mut cases = Vec::new();
        for index in 0..12 {
            let kind = if index % 2 == 0 { "complaint" } else { "service_request" };
            cases.push(Case::unheard(&kit, estate, kind, Some(new_id())));
        }
        for case in &cases {
            case.opened().await;
            case.owner_says(true).await;
            case.progress("in_progress", "acknowledged", true).await;
            case.progress("closed", "closed", true).await;
        }
        let metrics = metrics_when(&kit, estate, "all are counted", |metrics| {
            metrics["cases"]["closed"] == 12 && metrics["confirmed_by_owner"]["confirmed"] == 12
        })
        .await;
        assert_eq!((metrics["cases"]["opened"].as_u64(), metrics["cases"]["open_now"].as_u64()), (Some(12), Some(0)));
        assert_eq!(metrics["confirmed_by_owner"]["share"], 1.0);
        replica.stop();
        replica.drained().await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_is_parked_and_the_rest_goes_on() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let broken = new_id();
        kit.publish_bytes("intake", "case-opened.v1", TENANT, broken, (1, 0), vec![0xff; 9]).await;
        let wordless = Case::unheard(&kit, estate, "suggestion", None);
        wordless.say(wordless.suggestion(" ")).await;
        let reasons = eventually("both are parked", || async {
            let count = kit.text(NAME, "SELECT count(*)::text FROM dead_letter").await;
            (count.as_deref() == Some("2")).then_some(())
        })
        .await;
        let () = reasons;
        let told = kit.text(NAME, "SELECT string_agg(reason, '; ') FROM dead_letter").await.unwrap_or_default();
        assert!(told.contains("case-opened") && told.contains("must not be empty"), "{told}");
        let case = Case::open(&kit, estate, "suggestion", None).await;
        kit.client(Role::Manager).get(&format!("/v1/suggestions/{}", case.id)).await.expect(200);
        assert_eq!(kit.replay_parked::<FeedbackAnalytics>().await, (0, 2));
        kit.forgive_parked(NAME).await;
    })
    .await;
}
