//! What is heard of a case that is over lands in nobody's inbox, but what looks back, its work orders and commitments; and what is heard
//! before it is known that the case has come back is told when it is.

use chrono::TimeDelta;
use steward_notification::Notification;
use steward_proto::intake;
use steward_testkit::{Kit, db::new_id, eventually, with};

use crate::{
    NAME, Story,
    digests::{Ladder, alerts, digests, handled, lines, somebody, words},
    inbox,
    tasks::{ended, given},
    templates,
};

/// A case that its listener knows, with its ladder.
async fn known(kit: &Kit) -> (Story, Ladder) {
    let (story, mut ladder) = (Story::of(new_id()), Ladder::new());
    let story = Story { case: ladder.case, estate: ladder.estate, ..story };
    ladder.tell(kit, story.opened(kit)).await;
    (story, ladder)
}

/// The case takes a step by which it stands so.
async fn goes(kit: &Kit, (story, ladder): (&Story, &mut Ladder), milestone: &str, status: &str) {
    kit.clock.advance(TimeDelta::seconds(1));
    let told = intake::CaseProgressed { status: status.to_owned(), ..story.progressed(kit, milestone) };
    ladder.tell(kit, told).await;
}

/// What intake may tell of a case by day.
async fn everything(kit: &Kit, ladder: &mut Ladder) {
    for cause in ["share", "unowned", "returned", "reopened", "long_paused", "late_entry"] {
        let raised = ladder.escalation(kit, &["wang"]);
        ladder.tell(kit, intake::EscalationRaised { cause: cause.to_owned(), ..raised }).await;
    }
    let at_risk = ladder.at_risk(kit, &["wang"]);
    ladder.tell(kit, at_risk).await;
    for what in
        ["accountable", "info_provided", "not_satisfied", "more_urgent", "work_orders_cancelled", "consultation"]
    {
        let task = given(ladder, kit, new_id(), what, "wang");
        ladder.tell(kit, task).await;
    }
    let offered = ladder.offered(kit, "wang");
    ladder.tell(kit, offered).await;
    let refused = ladder.ended(kit, "li", "refused");
    ladder.tell(kit, refused).await;
    let answers = ladder.answers(kit, "wang", "post");
    ladder.tell(kit, answers).await;
}

#[tokio::test]
async fn what_has_ended_lands_in_nobodys_inbox() {
    with::<Notification>(async |kit| {
        let wang = somebody(&kit, "wang");
        for (milestone, status) in [("closed", "closed"), ("withdrawn", "cancelled"), ("", "cancelled")] {
            let (story, mut ladder) = known(&kit).await;
            if milestone.is_empty() {
                ladder
                    .tell(&kit, intake::CaseCancelled { case_id: story.case.to_string(), ..cancelled(&story, &kit) })
                    .await;
            } else {
                goes(&kit, (&story, &mut ladder), milestone, status).await;
            }
            kit.clock.advance(TimeDelta::seconds(1));
            everything(&kit, &mut ladder).await;
            // A late step of what is over is no coming back.
            goes(&kit, (&story, &mut ladder), "survey_answered", status).await;
            handled(&kit, &ladder).await;
            assert_eq!(kit.count(NAME, "alert").await, 0, "{milestone} {status}");
        }
        kit.clock.advance(TimeDelta::hours(1));
        assert_eq!(digests(&wang, "", 0).await.len(), 0);
    })
    .await;
}

fn cancelled(story: &Story, kit: &Kit) -> intake::CaseCancelled {
    let told = story.progressed(kit, "cancelled");
    intake::CaseCancelled {
        reference: told.reference,
        kind: told.kind,
        priority: told.priority,
        estate_id: told.estate_id,
        resident_id: told.resident_id,
        language: told.language,
        at_ms: told.at_ms,
        ..Default::default()
    }
}

#[tokio::test]
async fn what_looks_back_what_was_committed_and_work_orders_are_told_after_the_end() {
    with::<Notification>(async |kit| {
        let wang = somebody(&kit, "wang");
        let (story, mut ladder) = known(&kit).await;
        let committed = intake::PromiseAtRisk { what: "commitment".to_owned(), ..ladder.at_risk(&kit, &["wang"]) };
        let promise = committed.promise_id.clone();
        ladder.tell(&kit, committed).await;
        goes(&kit, (&story, &mut ladder), "closed", "closed").await;
        for (what, order) in [("low_rating", false), ("objection", false), ("work_order_open", true)] {
            let work_order_id = if order { new_id().to_string() } else { String::new() };
            let task = given(&ladder, &kit, new_id(), what, "wang");
            ladder.tell(&kit, intake::TaskGiven { work_order_id, ..task }).await;
        }
        let broken = ladder.escalation(&kit, &["wang"]);
        ladder
            .tell(&kit, intake::EscalationRaised { cause: "promise".to_owned(), clock_id: String::new(), ..broken })
            .await;
        // Whoever is told of it after the end is not told by the next late step that it is over.
        goes(&kit, (&story, &mut ladder), "survey_answered", "closed").await;
        handled(&kit, &ladder).await;
        let waiting = alerts(&wang, "?settled=false").await;
        let mut causes = words(&waiting, "cause");
        causes.sort_unstable();
        assert_eq!(causes, ["low_rating", "objection", "promise", "promise_at_risk", "work_order_open"]);
        let kept = intake::PromiseEnded {
            promise_id: promise,
            case_id: story.case.to_string(),
            outcome: "kept".to_owned(),
            ..Default::default()
        };
        ladder.tell(&kit, kept).await;
        handled(&kit, &ladder).await;
        assert_eq!(alerts(&wang, "?settled=false").await.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn when_it_is_taken_up_again_alerts_flow_again() {
    with::<Notification>(async |kit| {
        let wang = somebody(&kit, "wang");
        let (story, mut ladder) = known(&kit).await;
        goes(&kit, (&story, &mut ladder), "closed", "closed").await;
        let late = given(&ladder, &kit, new_id(), "info_provided", "wang");
        ladder.tell(&kit, late).await;
        kit.clock.advance(TimeDelta::seconds(1));
        // The coming back may be heard after what is told because of it.
        let reopened = ladder.escalation(&kit, &["wang"]);
        ladder.tell(&kit, intake::EscalationRaised { cause: "reopened".to_owned(), ..reopened }).await;
        let (done, task) = (new_id(), new_id());
        for task in [done, task] {
            let told = given(&ladder, &kit, task, "not_satisfied", "wang");
            ladder.tell(&kit, told).await;
        }
        let over = ended(&ladder, &kit, done);
        ladder.tell(&kit, over).await;
        handled(&kit, &ladder).await;
        assert_eq!(kit.count(NAME, "alert").await, 0);
        goes(&kit, (&story, &mut ladder), "reopened", "in_progress").await;
        lines(&kit, 2).await;
        let held = "SELECT count(*)::text FROM kept_alert";
        assert_eq!(kit.text(NAME, held).await.as_deref(), Some("0"), "nothing is kept back of what goes on");
        ladder.raise(&kit, &["wang"]).await;
        lines(&kit, 3).await;
        let waiting = alerts(&wang, "?settled=false").await;
        let mut causes = words(&waiting, "cause");
        causes.sort_unstable();
        assert_eq!(causes, ["not_satisfied", "reopened", "share"]);
        // And it ends again.
        goes(&kit, (&story, &mut ladder), "closed", "closed").await;
        ladder.raise(&kit, &["wang"]).await;
        handled(&kit, &ladder).await;
        assert_eq!(alerts(&wang, "?settled=false").await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn how_it_went_is_not_asked_of_what_was_called_off() {
    with::<Notification>(async |kit| {
        let (story, mut ladder) = known(&kit).await;
        let survey = new_id();
        let invited = story.invitation(&kit, survey);
        goes(&kit, (&story, &mut ladder), "withdrawn", "cancelled").await;
        handled(&kit, &ladder).await;
        kit.publish(steward_testkit::TENANT, survey, 1, 0, invited).await;
        let heard = format!("SELECT max(version)::text FROM inbox WHERE stream_id = '{survey}'");
        eventually("the invitation is heard", || kit.text(NAME, &heard)).await;
        // It comes back and is done again.
        goes(&kit, (&story, &mut ladder), "reopened", "in_progress").await;
        kit.clock.advance(TimeDelta::seconds(1));
        goes(&kit, (&story, &mut ladder), "closed", "closed").await;
        handled(&kit, &ladder).await;
        let again = new_id();
        kit.publish(steward_testkit::TENANT, again, 1, 0, story.invitation(&kit, again)).await;
        let messages = inbox(&kit.owner(story.resident), "", 5).await;
        let mut told = templates(&messages);
        told.sort_unstable();
        assert_eq!(told, ["cancelled", "closed", "received", "reopened", "survey_invited"]);
        let invitation = messages.iter().find(|message| message["template"] == "survey_invited").unwrap();
        assert_eq!(invitation["survey_id"], again.to_string());
    })
    .await;
}
