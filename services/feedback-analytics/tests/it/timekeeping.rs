use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_feedback_analytics::FeedbackAnalytics;
use steward_kernel::Role;
use steward_proto::intake as pb;
use steward_testkit::{db::new_id, eventually, with};

use crate::world::{Case, Clock, NAME, Stewardship, estate, metrics_when};

/// Met, missed, void.
fn outcomes(part: &Value) -> [Option<u64>; 3] {
    ["met", "missed", "void"].map(|name| part[name].as_u64())
}

#[tokio::test]
async fn an_overdue_deadline_is_missed_while_it_runs_and_its_stop_has_the_last_word() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let case = Stewardship::new(&kit, estate, new_id());
        let [slow, returned, dropped] =
            [Clock::of("finish", "company"), Clock::of("arrive", "department"), Clock::of("plan", "contractor")];
        for clock in [slow, returned, dropped] {
            case.say(case.breached(clock)).await;
        }
        let running = metrics_when(&kit, estate, "all are missed", |metrics| metrics["deadlines"]["missed"] == 3).await;
        let first_day = running["to"].as_str().unwrap().to_owned();
        assert_eq!(running["deadlines"]["paused_share"], Value::Null);

        kit.clock.advance(TimeDelta::days(1));
        case.say(case.stopped(slow, "missed")).await;
        case.say(case.stopped(returned, "met")).await;
        case.say(case.stopped(dropped, "void")).await;
        let ended = metrics_when(&kit, estate, "all stopped", |metrics| metrics["deadlines"]["void"] == 1).await;
        let deadlines = &ended["deadlines"];
        assert_eq!(outcomes(deadlines), [1, 1, 1].map(Some));
        assert_eq!(deadlines["void_overdue"], 1, "who calls off what is overdue is seen");
        assert_eq!(outcomes(&deadlines["by_measure"]["finish"]), [0, 1, 0].map(Some));
        assert_eq!(outcomes(&deadlines["by_measure"]["decide"]), [0, 0, 0].map(Some));
        assert_eq!(outcomes(&deadlines["by_party"]["department"]), [1, 0, 0].map(Some));
        assert_eq!(outcomes(&deadlines["by_party"]["contractor"]), [0, 0, 1].map(Some));
        assert_eq!(outcomes(&deadlines["by_priority"]["P3"]), [1, 1, 1].map(Some));
        // Only the company's clock: an hour counted, a quarter of an hour was paused.
        assert_eq!(
            (&deadlines["elapsed_seconds"], &deadlines["paused_seconds"], &deadlines["paused_share"]),
            (&json!(3600), &json!(900), &json!(0.2))
        );
        let path = format!("/v1/metrics?estate_id={estate}&from={first_day}&to={first_day}");
        let then = kit.client(Role::Analyst).get(&path).await.ok();
        assert_eq!(
            outcomes(&then["deadlines"]),
            [0, 1, 0].map(Some),
            "the miss stays on its day, what was corrected does not"
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_told_twice_or_too_early_counts_once() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let replica = kit.replica::<FeedbackAnalytics>().await;
        let case = Stewardship::new(&kit, estate, new_id());
        let clock = Clock::of("acknowledge", "company");
        let late = Clock { late_entry: true, ..Clock::of("decide", "company") };
        for _ in 0..2 {
            case.tell(6, case.acknowledged()).await;
            case.tell(5, case.escalated("lead", "share")).await;
            case.tell(4, case.ended("", "broken")).await;
            case.tell(3, case.breached(late)).await;
            case.tell(2, case.stopped(clock, "missed")).await;
            case.tell(1, case.breached(clock)).await;
        }
        let metrics =
            metrics_when(&kit, estate, "all is counted", |metrics| metrics["escalations"]["acknowledged"] == 1).await;
        assert_eq!(outcomes(&metrics["deadlines"]), [0, 1, 0].map(Some));
        assert_eq!(
            (&metrics["deadlines"]["late_entries"], &metrics["promises"]["broken"], &metrics["escalations"]["raised"]),
            (&json!(1), &json!(1), &json!(1))
        );
        assert_eq!(kit.count(NAME, "clock_fact").await, 2);
        replica.stop();
        replica.drained().await;
    })
    .await;
}

#[tokio::test]
async fn promises_and_deadlines_have_shares_from_five_on_and_teams_of_their_own() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let case = Stewardship::new(&kit, estate, new_id());
        for outcome in ["kept", "kept", "kept", "kept", "broken", "moved", "void"] {
            case.say(case.promised("engineering")).await;
            case.say(case.ended("engineering", outcome)).await;
        }
        case.say(case.promised("")).await;
        for outcome in ["met", "met", "met", "met", "missed", "void"] {
            case.say(case.stopped(Clock::of("finish", "company"), outcome)).await;
        }
        case.say(case.escalated("worker", "share")).await;
        case.say(case.escalated("estate_manager", "unowned")).await;
        case.say(case.escalated("estate_manager", "promise")).await;
        case.say(case.acknowledged()).await;

        let metrics =
            metrics_when(&kit, estate, "all is counted", |metrics| metrics["escalations"]["acknowledged"] == 1).await;
        let engineering = json!({
            "made": 7, "kept": 4, "broken": 1, "moved": 1, "void": 1,
            "kept_share": 0.8, "wilson_low": 0.3755, "wilson_high": 0.9638,
        });
        let promises = &metrics["promises"];
        assert_eq!(promises["by_team"]["engineering"], engineering);
        assert_eq!(
            (&promises["by_team"][""]["made"], &promises["by_team"][""]["kept_share"]),
            (&json!(1), &Value::Null)
        );
        assert_eq!((&promises["made"], &promises["kept_share"]), (&json!(8), &json!(0.8)));
        let deadlines = &metrics["deadlines"];
        assert_eq!(
            (&deadlines["met_share"], &deadlines["wilson_low"], &deadlines["wilson_high"]),
            (&json!(0.8), &json!(0.3755), &json!(0.9638))
        );
        assert_eq!(
            metrics["escalations"]["by_level"],
            json!({"worker": 1, "lead": 0, "estate_manager": 2, "region": 0, "company": 0})
        );
        assert_eq!(
            metrics["escalations"]["by_cause"],
            json!({"share": 1, "unowned": 1, "returned": 0, "long_paused": 0, "reopened": 0, "promise": 1, "late_entry": 0})
        );
    })
    .await;
}

#[tokio::test]
async fn a_promise_that_turns_out_to_have_been_kept_is_not_broken_any_more() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let case = Stewardship::new(&kit, estate, new_id());
        let broken = case.ended("engineering", "broken");
        let broken_at_ms = broken.at_ms;
        case.say(broken).await;
        let shown = metrics_when(&kit, estate, "it is broken", |metrics| metrics["promises"]["broken"] == 1).await;
        kit.clock.advance(TimeDelta::days(1));
        let kept = case.ended("engineering", "kept");
        let (corrected_outcome, corrected_at_ms) = ("broken".to_owned(), broken_at_ms);
        case.say(pb::PromiseEnded { at_ms: broken_at_ms, corrected_outcome, corrected_at_ms, ..kept }).await;
        metrics_when(&kit, estate, "it was kept", |metrics| {
            metrics["promises"]["kept"] == 1
                && metrics["promises"]["broken"] == 0
                && metrics["promises"]["by_team"]["engineering"]["broken"] == 0
        })
        .await;
        let day = shown["to"].as_str().unwrap();
        let path = format!("/v1/metrics?estate_id={estate}&from={day}&to={day}");
        assert_eq!(kit.client(Role::Analyst).get(&path).await.ok()["promises"]["broken"], 0, "nor on its own day");
    })
    .await;
}

#[tokio::test]
async fn another_urgency_moves_the_case_even_when_it_is_heard_first() {
    with::<FeedbackAnalytics>(async |kit| {
        let estate = estate(&kit).await;
        let case = Case::unheard(&kit, estate, "complaint", Some(new_id()));
        let steward = Stewardship::new(&kit, estate, case.id);
        steward.say(steward.prioritised("P1")).await;
        eventually("it is heard", || async { (kit.count(NAME, "case_fact").await == 1).then_some(()) }).await;
        case.opened().await;
        case.progress("in_progress", "acknowledged", true).await;
        metrics_when(&kit, estate, "it is urgent", |metrics| {
            metrics["cases"]["by_priority"] == json!({"P1": 1, "P2": 0, "P3": 0, "P4": 0})
                && metrics["cases"]["by_status"]["in_progress"] == 1
        })
        .await;
        steward.say(steward.prioritised("P4")).await;
        metrics_when(&kit, estate, "it is no more", |metrics| {
            metrics["cases"]["by_priority"] == json!({"P1": 0, "P2": 0, "P3": 0, "P4": 1})
        })
        .await;
    })
    .await;
}
