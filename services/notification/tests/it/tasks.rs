//! What somebody has to do or to know: told to them, and withdrawn when the matter has moved on.

use chrono::TimeDelta;
use serde_json::json;
use steward_kernel::{Actor, ActorId, Role};
use steward_notification::Notification;
use steward_proto::intake;
use steward_testkit::{Kit, TENANT, db::new_id, eventually, with};
use uuid::Uuid;

use crate::{
    NAME, Story,
    digests::{Ladder, alerts, digests, handled, lines, somebody, words},
    register_estate,
};

/// A task about the ladder's case.
pub(crate) fn given(ladder: &Ladder, kit: &Kit, task: Uuid, what: &str, account: &str) -> intake::TaskGiven {
    intake::TaskGiven {
        task_id: task.to_string(),
        case_id: ladder.case.to_string(),
        reference: "S-261125-7K3QD4".to_owned(),
        kind: "service_request".to_owned(),
        category: "home.fixture".to_owned(),
        priority: "P3".to_owned(),
        estate_id: ladder.estate.to_string(),
        what: what.to_owned(),
        work_order_id: String::new(),
        department: String::new(),
        due_at_ms: 0,
        accounts: vec![account.to_owned()],
        at_ms: kit.clock.now().timestamp_millis(),
    }
}

pub(crate) fn ended(ladder: &Ladder, kit: &Kit, task: Uuid) -> intake::TaskEnded {
    intake::TaskEnded {
        task_id: task.to_string(),
        case_id: ladder.case.to_string(),
        estate_id: ladder.estate.to_string(),
        at_ms: kit.clock.now().timestamp_millis(),
    }
}

#[tokio::test]
async fn a_technician_is_told_of_a_work_order_and_no_more_when_somebody_else_has_it() {
    with::<Notification>(async |kit| {
        let (mut story, tech) = (Ladder::new(), somebody(&kit, "tech-1"));
        let (task, order) = (new_id(), new_id());
        let message = intake::TaskGiven {
            work_order_id: order.to_string(),
            department: "engineering".to_owned(),
            priority: "P2".to_owned(),
            ..given(&story, &kit, task, "work_order_assigned", "tech-1")
        };
        story.tell(&kit, message).await;
        lines(&kit, 1).await;
        kit.clock.advance(TimeDelta::seconds(6));
        let digest = digests(&tech, "?unread=true", 1).await.remove(0);
        assert_eq!((&digest["waiting"], &digest["urgent"]), (&json!(1), &json!(true)));
        let line = alerts(&tech, "?settled=false").await.remove(0);
        assert_eq!(
            (&line["cause"], &line["work_order_id"]),
            (&json!("work_order_assigned"), &json!(order.to_string()))
        );
        assert_eq!(
            (&line["department"], &line["text"]),
            (&json!("engineering"), &json!("P2 服务请求 S-261125-7K3QD4：派给您的工单"))
        );

        // Another one of the same case stays.
        let message = given(&story, &kit, new_id(), "work_order_assigned", "tech-1");
        story.tell(&kit, message).await;
        let message = ended(&story, &kit, task);
        story.tell(&kit, message).await;
        handled(&kit, &story).await;
        assert_eq!(digests(&tech, "?unread=true", 0).await.len(), 0);
        assert_eq!((alerts(&tech, "?settled=true").await.len(), alerts(&tech, "?settled=false").await.len()), (1, 1));
        // Withdrawn twice, or never told: nothing comes of it.
        for task in [task, new_id()] {
            let message = ended(&story, &kit, task);
            story.tell(&kit, message).await;
        }
        handled(&kit, &story).await;
        assert_eq!(alerts(&tech, "?settled=false").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_intake_settles_nags_nobody_and_leaves_a_digest_that_still_collects() {
    with::<Notification>(async |kit| {
        let (mut story, wang) = (Ladder::new(), somebody(&kit, "wang"));
        story.raise(&kit, &["wang"]).await;
        let reopened = intake::EscalationRaised {
            clock_id: String::new(),
            cause: "reopened".to_owned(),
            ..story.escalation(&kit, &["wang"])
        };
        let climbed = reopened.escalation_id.clone();
        story.tell(&kit, reopened).await;
        let at_risk = story.at_risk(&kit, &["wang"]);
        let promise = at_risk.promise_id.clone();
        story.tell(&kit, at_risk).await;
        lines(&kit, 3).await;
        assert_eq!(alerts(&wang, "?settled=false").await.len(), 3);

        let at_ms = kit.clock.now().timestamp_millis();
        let (case_id, estate_id) = (story.case.to_string(), story.estate.to_string());
        let stopped = intake::ClockStopped {
            clock_id: story.clock.to_string(),
            case_id: case_id.clone(),
            estate_id: estate_id.clone(),
            at_ms,
            ..Default::default()
        };
        story.tell(&kit, stopped).await;
        let ladder = intake::LadderEnded {
            case_id: case_id.clone(),
            escalation_ids: vec![climbed],
            estate_id: estate_id.clone(),
            at_ms,
        };
        story.tell(&kit, ladder).await;
        let kept = intake::PromiseEnded {
            promise_id: promise,
            case_id,
            estate_id,
            outcome: "kept".to_owned(),
            at_ms,
            ..Default::default()
        };
        story.tell(&kit, kept).await;
        handled(&kit, &story).await;
        assert_eq!(alerts(&wang, "?settled=false").await.len(), 0);
        kit.clock.advance(TimeDelta::seconds(31));
        let digest = digests(&wang, "", 1).await.remove(0);
        assert_eq!((&digest["status"], &digest["waiting"]), (&json!("settled"), &json!(0)));
        assert_eq!(digest["title"], "3件提醒都已无需您处理");
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_case_settles_all_but_what_tells_of_the_end() {
    with::<Notification>(async |kit| {
        let mut case = Story::of(new_id());
        let mut told = Ladder { case: case.case, estate: case.estate, ..Ladder::new() };
        case.open(&kit).await;
        case.handled(&kit).await;
        told.version = 1;
        for what in ["accountable", "info_provided", "a_word_of_tomorrow", "low_rating"] {
            let message = given(&told, &kit, new_id(), what, "wang");
            told.tell(&kit, message).await;
        }
        let withdrawn = intake::TaskGiven {
            work_order_id: new_id().to_string(),
            ..given(&told, &kit, new_id(), "work_order_withdrawn", "wang")
        };
        told.tell(&kit, withdrawn).await;
        handled(&kit, &told).await;
        case.version = told.version;
        case.cancel(&kit).await;
        case.handled(&kit).await;
        let wang = somebody(&kit, "wang");
        let left = alerts(&wang, "?settled=false").await;
        let mut left = words(&left, "cause");
        left.sort_unstable();
        assert_eq!(left, ["low_rating", "work_order_withdrawn"]);
        assert_eq!(alerts(&wang, "?cause=other").await.len(), 1, "a word of a newer intake is told all the same");

        // What only informs is settled when it was read.
        kit.clock.advance(TimeDelta::seconds(31));
        let digest = digests(&wang, "?unread=true", 1).await.remove(0);
        let read = format!("/v1/digests/{}/read", digest["digest_id"].as_str().unwrap());
        let first = wang.post(&read, json!({})).key("r").await;
        assert_eq!(first.ok()["status"], "read");
        assert_eq!(wang.post(&read, json!({})).key("r").await.ok(), first.ok());
        assert_eq!(alerts(&wang, "?settled=false").await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn who_is_told_by_a_task_is_not_told_again_by_the_event() {
    with::<Notification>(async |kit| {
        let mut story = Ladder::new();
        let message = intake::HandOverOffered { by_task: true, ..story.offered(&kit, "li") };
        story.tell(&kit, message).await;
        let message = intake::HandOverEnded { by_task: true, ..story.ended(&kit, "li", "refused") };
        story.tell(&kit, message).await;
        let message = intake::AccountablePersonChanged { by_task: true, ..story.answers(&kit, "li", "post") };
        story.tell(&kit, message).await;
        handled(&kit, &story).await;
        assert_eq!(kit.count(crate::NAME, "alert").await, 0);
        // Of an intake that tells no tasks yet: who asked is told, too.
        let message = intake::HandOverEnded { by_account: "chen".to_owned(), ..story.ended(&kit, "li", "refused") };
        story.tell(&kit, message).await;
        handled(&kit, &story).await;
        for account in ["wang", "chen"] {
            assert_eq!(words(&alerts(&somebody(&kit, account), "").await, "cause"), ["hand_over_refused"]);
        }
    })
    .await;
}

/// Makes somebody of the register known, as intake does; no estates: all.
async fn registers(kit: &Kit, account: &str, role: Role, estates: &[Uuid]) -> Uuid {
    let id = new_id();
    let message = intake::StaffRegistered {
        staff_id: id.to_string(),
        account: account.to_owned(),
        role: role.as_str().to_owned(),
        department: "management".to_owned(),
        estate_ids: estates.iter().map(ToString::to_string).collect(),
        every_estate: estates.is_empty(),
        at_ms: kit.clock.now().timestamp_millis(),
        left: false,
    };
    kit.publish(TENANT, id, 1, 0, message).await;
    let known = format!("SELECT max(account) FROM staff WHERE staff_id = '{id}'");
    eventually("they are known", || async { kit.text(crate::NAME, &known).await }).await;
    id
}

#[tokio::test]
async fn what_who_has_left_has_of_notices_goes_to_others() {
    with::<Notification>(async |kit| {
        let estate = new_id();
        register_estate(&kit, estate).await;
        let author_entry = registers(&kit, "author", Role::Supervisor, &[estate]).await;
        let _ = registers(&kit, "boss", Role::Manager, &[]).await;
        let gone = registers(&kit, "gone", Role::Manager, &[]).await;
        let leaves = async |entry: Uuid, account: &str, role: &str| {
            let message = intake::StaffRegistered {
                staff_id: entry.to_string(),
                account: account.to_owned(),
                role: role.to_owned(),
                every_estate: true,
                left: true,
                ..Default::default()
            };
            kit.publish(TENANT, entry, 2, 1, message).await;
            let known = format!("SELECT max(account) FROM staff WHERE staff_id = '{entry}' AND has_left");
            eventually("it is known that they have left", || async { kit.text(NAME, &known).await }).await;
        };
        leaves(gone, "gone", "manager").await;
        let as_role = |account: &str, role| kit.client_of(&Actor { id: ActorId::new(account), ..kit.staff(role) });
        let (author, boss) = (as_role("author", Role::Supervisor), as_role("boss", Role::Manager));
        let body = json!({"estate_ids": [estate], "title": "停水通知", "body": "明天9:00至16:00停水。"});
        let notice = author.post("/v1/notices", body).await.created();
        let path = format!("/v1/notices/{}", notice["notice_id"].as_str().unwrap());
        let _ = author.post(&format!("{path}/submit"), json!({})).await.ok();
        assert_eq!(words(&alerts(&boss, "?settled=false").await, "cause"), ["notice_in_review"]);
        assert_eq!(alerts(&as_role("gone", Role::Manager), "").await.len(), 0, "who has left is asked no more");
        let _ = boss.post(&format!("{path}/approve"), json!({})).await.ok();
        assert_eq!(words(&alerts(&author, "?settled=false").await, "cause"), ["notice_approved"]);
        leaves(author_entry, "author", "supervisor").await;
        eventually("whoever can publish it is told", || async {
            (words(&alerts(&boss, "?settled=false").await, "cause") == ["notice_approved"]).then_some(())
        })
        .await;
        assert_eq!(alerts(&author, "?settled=false").await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_notice_goes_to_who_may_approve_it_and_back_to_its_author() {
    with::<Notification>(async |kit| {
        let (here, there) = (new_id(), new_id());
        register_estate(&kit, here).await;
        register_estate(&kit, there).await;
        let _ = registers(&kit, "author", Role::Supervisor, &[here, there]).await;
        let _ = registers(&kit, "half", Role::Supervisor, &[here]).await;
        let _ = registers(&kit, "desk", Role::Receptionist, &[]).await;
        let _ = registers(&kit, "boss", Role::Manager, &[]).await;
        let as_role = |account: &str, role| kit.client_of(&Actor { id: ActorId::new(account), ..kit.staff(role) });
        let (author, boss) = (as_role("author", Role::Supervisor), as_role("boss", Role::Manager));
        let write = async || {
            let body = json!({"estate_ids": [here, there], "title": "停水通知", "body": "明天9:00至16:00停水。"});
            let notice = author.post("/v1/notices", body).await.created();
            format!("/v1/notices/{}", notice["notice_id"].as_str().unwrap())
        };
        let path = write().await;
        for _ in 0..2 {
            let _ = author.post(&format!("{path}/submit"), json!({})).await.ok();
        }
        let waiting = alerts(&boss, "?settled=false").await.remove(0);
        assert_eq!(
            (&waiting["cause"], &waiting["text"]),
            (&json!("notice_in_review"), &json!("停水通知：公告待您审核"))
        );
        assert_eq!((waiting.get("case_id"), waiting.get("estate_id")), (None, None));
        assert!(path.ends_with(waiting["notice_id"].as_str().unwrap()));
        for nobody in ["author", "half", "desk"] {
            assert_eq!(alerts(&as_role(nobody, Role::Supervisor), "").await.len(), 0, "{nobody}");
        }
        let _ = boss.post(&format!("{path}/approve"), json!({})).key("a").await.ok();
        let _ = boss.post(&format!("{path}/approve"), json!({})).key("a").await.ok();
        assert_eq!(alerts(&boss, "?settled=false").await.len(), 0);
        assert_eq!(words(&alerts(&author, "?settled=false").await, "cause"), ["notice_approved"]);
        let _ = author.post(&format!("{path}/publish"), json!({})).await.ok();
        assert_eq!(alerts(&author, "?settled=false").await.len(), 0);

        let refused = write().await;
        let _ = author.post(&format!("{refused}/submit"), json!({})).await.ok();
        let _ = boss.post(&format!("{refused}/recall"), json!({"reason": "时间有误"})).await.ok();
        assert_eq!(alerts(&boss, "?settled=false").await.len(), 0);
        assert_eq!(words(&alerts(&author, "?settled=false").await, "cause"), ["notice_recalled"]);
        kit.clock.advance(TimeDelta::seconds(31));
        // What nobody need look at is no unread digest.
        digests(&author, "?unread=true", 1).await;
        digests(&boss, "?unread=false", 1).await;
        assert_eq!(digests(&boss, "?unread=true", 0).await.len(), 0);
    })
    .await;
}
