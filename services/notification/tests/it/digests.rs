//! What the company's people should look at: collected, told once, to each their own.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_kernel::{Actor, ActorId, Role};
use steward_notification::Notification;
use steward_proto::{intake, notification as pb};
use steward_testkit::{Client, Kit, OTHER_TENANT, TENANT, db::new_id, eventually, with};
use uuid::Uuid;

use crate::{NAME, Story, inbox};

/// A case that is on the ladder of escalation, told by its events.
pub(crate) struct Ladder {
    pub(crate) case: Uuid,
    pub(crate) clock: Uuid,
    pub(crate) estate: Uuid,
    pub(crate) version: i32,
}

impl Ladder {
    pub(crate) fn new() -> Self {
        Self { case: new_id(), clock: new_id(), estate: new_id(), version: 0 }
    }

    /// An escalation because of the clock; due in an hour.
    pub(crate) fn escalation(&self, kit: &Kit, accounts: &[&str]) -> intake::EscalationRaised {
        let now = kit.clock.now().timestamp_millis();
        intake::EscalationRaised {
            escalation_id: new_id().to_string(),
            case_id: self.case.to_string(),
            clock_id: self.clock.to_string(),
            reference: "C-261125-7K3QD4".to_owned(),
            kind: "complaint".to_owned(),
            category: "service.quality".to_owned(),
            priority: "P3".to_owned(),
            estate_id: self.estate.to_string(),
            measure: "finish".to_owned(),
            cause: "share".to_owned(),
            level: "lead".to_owned(),
            rung: 1,
            share_percent: 75,
            due_at_ms: now + 3_600_000,
            accounts: accounts.iter().map(|account| (*account).to_owned()).collect(),
            at_ms: now,
        }
    }

    pub(crate) async fn tell<C: steward_testkit::kernel::message::Contract>(&mut self, kit: &Kit, message: C) {
        self.version += 1;
        kit.publish(TENANT, self.case, self.version, self.version - 1, message).await;
    }

    /// Raised because of the clock, for those accounts.
    pub(crate) async fn raise(&mut self, kit: &Kit, accounts: &[&str]) -> String {
        let raised = self.escalation(kit, accounts);
        let id = raised.escalation_id.clone();
        self.tell(kit, raised).await;
        id
    }

    /// Raised for another reason, with another priority.
    async fn raise_for(&mut self, kit: &Kit, accounts: &[&str], cause: &str, priority: &str) {
        let (cause, priority) = (cause.to_owned(), priority.to_owned());
        self.tell(kit, intake::EscalationRaised { cause, priority, ..self.escalation(kit, accounts) }).await;
    }

    async fn acknowledge(&mut self, kit: &Kit, escalation_id: String) {
        let message = intake::EscalationAcknowledged {
            escalation_id,
            case_id: self.case.to_string(),
            clock_id: self.clock.to_string(),
            estate_id: self.estate.to_string(),
            account: "li".to_owned(),
            at_ms: kit.clock.now().timestamp_millis(),
        };
        self.tell(kit, message).await;
    }

    /// Wang asks somebody to answer for the case.
    pub(crate) fn offered(&self, kit: &Kit, to_account: &str) -> intake::HandOverOffered {
        let at_ms = kit.clock.now().timestamp_millis();
        intake::HandOverOffered {
            by_task: false,
            case_id: self.case.to_string(),
            reference: "C-261125-7K3QD4".to_owned(),
            kind: "complaint".to_owned(),
            priority: "P3".to_owned(),
            estate_id: self.estate.to_string(),
            from_account: "wang".to_owned(),
            to_account: to_account.to_owned(),
            lapses_at_ms: at_ms + 600_000,
            at_ms,
        }
    }

    pub(crate) fn ended(&self, kit: &Kit, to_account: &str, outcome: &str) -> intake::HandOverEnded {
        let offered = self.offered(kit, to_account);
        intake::HandOverEnded {
            by_account: String::new(),
            by_task: false,
            case_id: offered.case_id,
            reference: offered.reference,
            kind: offered.kind,
            priority: offered.priority,
            estate_id: offered.estate_id,
            from_account: offered.from_account,
            to_account: offered.to_account,
            outcome: outcome.to_owned(),
            at_ms: offered.at_ms,
        }
    }

    pub(crate) fn answers(&self, kit: &Kit, account: &str, cause: &str) -> intake::AccountablePersonChanged {
        intake::AccountablePersonChanged {
            kind: String::new(),
            by_task: false,
            case_id: self.case.to_string(),
            reference: "C-261125-7K3QD4".to_owned(),
            estate_id: self.estate.to_string(),
            account: account.to_owned(),
            previous_account: String::new(),
            cause: cause.to_owned(),
            at_ms: kit.clock.now().timestamp_millis(),
        }
    }

    pub(crate) fn at_risk(&self, kit: &Kit, accounts: &[&str]) -> intake::PromiseAtRisk {
        let at_ms = kit.clock.now().timestamp_millis();
        intake::PromiseAtRisk {
            promise_id: new_id().to_string(),
            case_id: self.case.to_string(),
            reference: "C-261125-7K3QD4".to_owned(),
            priority: "P3".to_owned(),
            estate_id: self.estate.to_string(),
            what: "appointment".to_owned(),
            team: "engineering".to_owned(),
            due_at_ms: at_ms + 900_000,
            accounts: accounts.iter().map(|account| (*account).to_owned()).collect(),
            at_ms,
        }
    }
}

/// Somebody of the company with that account.
pub(crate) fn somebody(kit: &Kit, account: &str) -> Client {
    kit.client_of(&Actor { id: ActorId::new(account), ..kit.staff(Role::Handler) })
}

/// Waits until there are so many lines.
pub(crate) async fn lines(kit: &Kit, wanted: i64) {
    eventually("the lines are there", || async { (kit.count(NAME, "alert").await == wanted).then_some(()) }).await;
}

/// Waits until that many were handled of what was told of a case.
pub(crate) async fn handled(kit: &Kit, ladder: &Ladder) {
    let (case, version) = (ladder.case, ladder.version);
    let query = format!("SELECT max(version)::text FROM inbox WHERE stream_id = '{case}' AND version = {version}");
    eventually("it is handled", || async { kit.text(NAME, &query).await }).await;
}

/// The digests that somebody has, newest first, once there are that many.
pub(crate) async fn digests(client: &Client, query: &str, wanted: usize) -> Vec<Value> {
    eventually("the digests are there", || async {
        let items = client.get(&format!("/v1/digests{query}")).await.ok()["items"].as_array().unwrap().clone();
        (items.len() == wanted).then_some(items)
    })
    .await
}

async fn whole(client: &Client, digest: &Value) -> Value {
    client.get(&format!("/v1/digests/{}", digest["digest_id"].as_str().unwrap())).await.ok()
}

pub(crate) async fn alerts(client: &Client, query: &str) -> Vec<Value> {
    client.get(&format!("/v1/alerts{query}")).await.ok()["items"].as_array().unwrap().clone()
}

pub(crate) fn words<'a>(rows: &'a [Value], field: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[field].as_str().unwrap_or_default()).collect()
}

/// How often a digest was sent, and lines that are in no digest that was.
async fn sent_and_lost(kit: &Kit) -> (String, String) {
    let sent = kit.text(NAME, "SELECT count(*)::text FROM event WHERE aggregate = 'digest' AND kind = 'sent'").await;
    let lost = "SELECT count(*)::text FROM alert WHERE NOT EXISTS (
                SELECT FROM digest WHERE digest.digest_id = alert.digest_id AND digest.account = alert.account
                    AND sent_at >= alert.created_at)";
    (sent.unwrap(), kit.text(NAME, lost).await.unwrap())
}

#[tokio::test]
async fn a_storm_ends_in_one_digest_per_person() {
    with::<Notification>(async |kit| {
        let storm: Vec<Ladder> = (0..1000).map(|_| Ladder::new()).collect();
        let told = |n: usize| match n {
            n if n % 10 == 0 => vec!["wang", "li", "zhao"],
            n if n % 2 == 0 => vec!["wang", "li"],
            _ => vec!["wang"],
        };
        for (n, ladder) in storm.iter().enumerate() {
            kit.publish(TENANT, ladder.case, 1, 0, ladder.escalation(&kit, &told(n))).await;
        }
        lines(&kit, 1000 + 500 + 100).await;
        // What comes twice adds nothing.
        for (n, ladder) in storm.iter().enumerate().take(100) {
            kit.publish(TENANT, ladder.case, 1, 0, ladder.escalation(&kit, &told(n))).await;
        }
        for account in ["wang", "li", "zhao"] {
            assert_eq!(digests(&somebody(&kit, account), "", 0).await.len(), 0, "nothing is sent while lines come");
        }

        kit.clock.advance(TimeDelta::seconds(31));
        for (account, waiting) in [("wang", 1000), ("li", 500), ("zhao", 100)] {
            let client = somebody(&kit, account);
            let digest = digests(&client, "?unread=true", 1).await.remove(0);
            assert_eq!((&digest["waiting"], &digest["status"]), (&json!(waiting), &json!("delivered")));
            assert_eq!(whole(&client, &digest).await["lines"].as_array().unwrap().len(), 50);
        }
        // A line that comes later is told by the next one.
        Ladder::new().raise(&kit, &["wang"]).await;
        lines(&kit, 1601).await;
        kit.clock.advance(TimeDelta::seconds(31));
        let both = digests(&somebody(&kit, "wang"), "", 2).await;
        assert_eq!((&both[0]["waiting"], &both[1]["waiting"]), (&json!(1), &json!(1000)));
        assert_eq!(both[0]["title"], "1件事项需要您关注");
        assert_eq!(sent_and_lost(&kit).await, ("4".to_owned(), "0".to_owned()));
        // The history of a digest does not grow with its lines: opened and sent.
        assert_eq!(kit.count(NAME, "event").await, 8);
    })
    .await;
}

#[tokio::test]
async fn replicas_and_failures_in_between_send_a_digest_once() {
    with::<Notification>(async |kit| {
        let replica = kit.replica::<Notification>().await;
        for n in 0..200 {
            Ladder::new().raise(&kit, &["wang", "li"]).await;
            if n == 100 {
                replica.stop();
            }
        }
        lines(&kit, 400).await;
        let replica = kit.replica::<Notification>().await;
        // Whoever sends now breaks off in the middle: the database refuses the last step.
        kit.execute(
            NAME,
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken off'; END $$;
             CREATE TRIGGER refuse BEFORE UPDATE ON digest FOR EACH ROW EXECUTE FUNCTION refuse();",
        )
        .await;
        kit.clock.advance(TimeDelta::seconds(31));
        let tried = "SELECT max(attempts)::text FROM timer WHERE attempts > 0";
        eventually("it was tried", || async { kit.text(NAME, tried).await }).await;
        // It still collects: what comes now joins it.
        Ladder::new().raise(&kit, &["wang"]).await;
        lines(&kit, 401).await;
        kit.execute(NAME, "DROP TRIGGER refuse ON digest").await;

        for account in ["wang", "li"] {
            eventually("it is sent", || async {
                kit.clock.advance(TimeDelta::seconds(1));
                let page = somebody(&kit, account).get("/v1/digests").await.ok();
                page["items"].as_array().is_some_and(|items| !items.is_empty()).then_some(())
            })
            .await;
        }
        let digest = digests(&somebody(&kit, "wang"), "", 1).await.remove(0);
        assert_eq!(digest["waiting"], 201);
        assert_eq!(digests(&somebody(&kit, "li"), "", 1).await[0]["waiting"], 200);
        assert_eq!(sent_and_lost(&kit).await, ("2".to_owned(), "0".to_owned()));
        replica.stop();
        replica.drained().await;
    })
    .await;
}

#[tokio::test]
async fn lines_that_keep_coming_do_not_put_a_digest_off_for_ever() {
    with::<Notification>(async |kit| {
        for n in 1..=13 {
            Ladder::new().raise(&kit, &["wang"]).await;
            lines(&kit, n).await;
            kit.clock.advance(TimeDelta::seconds(10));
        }
        let first = digests(&somebody(&kit, "wang"), "", 1).await.remove(0);
        let seconds = |field: &str| first[field].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        assert!(seconds("sent_at") - seconds("opened_at") <= TimeDelta::seconds(130), "{first}");
        kit.clock.advance(TimeDelta::seconds(31));
        eventually("every line is told", || async { (sent_and_lost(&kit).await.1 == "0").then_some(()) }).await;
    })
    .await;
}

#[tokio::test]
async fn an_urgent_line_does_not_wait_for_others() {
    with::<Notification>(async |kit| {
        let wang = somebody(&kit, "wang");
        Ladder::new().raise_for(&kit, &["wang"], "share", "P4").await;
        lines(&kit, 1).await;
        kit.clock.advance(TimeDelta::seconds(6));
        Ladder::new().raise_for(&kit, &["wang"], "unowned", "P1").await;
        lines(&kit, 2).await;
        // An emergency is told at once, and takes along what was waiting.
        let digest = digests(&wang, "", 1).await.remove(0);
        assert_eq!((&digest["urgent"], &digest["waiting"]), (&json!(true), &json!(2)));
        assert_eq!(digest["by_priority"], json!([{"priority": "P1", "count": 1}, {"priority": "P4", "count": 1}]));

        // The timer from before it was hurried fires for nothing.
        Ladder::new().raise_for(&kit, &["li"], "share", "P2").await;
        lines(&kit, 3).await;
        kit.clock.advance(TimeDelta::seconds(5));
        assert_eq!(digests(&somebody(&kit, "li"), "", 1).await[0]["urgent"], true);
        kit.clock.advance(TimeDelta::seconds(60));
        eventually("no timer is left", || async { (kit.count(NAME, "timer").await == 0).then_some(()) }).await;
        assert_eq!(sent_and_lost(&kit).await, ("2".to_owned(), "0".to_owned()));

        // A storm of emergencies: the first at once, those that follow it together.
        for n in 4..=9 {
            Ladder::new().raise_for(&kit, &["zhao"], "unowned", "P1").await;
            lines(&kit, n).await;
            let sent = digests(&somebody(&kit, "zhao"), "", 1).await;
            assert_eq!((sent.len(), &sent[0]["waiting"]), (1, &json!(1)));
        }
        kit.clock.advance(TimeDelta::seconds(6));
        assert_eq!(digests(&somebody(&kit, "zhao"), "", 2).await[0]["waiting"], 5);
    })
    .await;
}

#[tokio::test]
async fn a_digest_shows_the_most_pressing_first_in_the_readers_language() {
    with::<Notification>(async |kit| {
        let told = [
            ("share", "P1"),
            ("reopened", "P4"),
            ("unowned", "P3"),
            ("a_word_of_tomorrow", "P2"),
            ("long_paused", "P1"),
            ("returned", "P2"),
            ("unowned", "P1"),
        ];
        // The first emergency is told at once; what comes within the next seconds comes together.
        Ladder::new().raise_for(&kit, &["wang"], "promise", "P1").await;
        digests(&somebody(&kit, "wang"), "", 1).await;
        for (cause, priority) in told {
            Ladder::new().raise_for(&kit, &["wang"], cause, priority).await;
        }
        let mut overdue = Ladder::new();
        let due_at_ms = kit.clock.now().timestamp_millis() - 1000;
        let message = intake::EscalationRaised { due_at_ms, ..overdue.escalation(&kit, &["wang"]) };
        overdue.tell(&kit, message).await;
        lines(&kit, 9).await;
        kit.clock.advance(TimeDelta::seconds(6));

        let wang = somebody(&kit, "wang");
        let digest = digests(&wang, "", 2).await.remove(0);
        assert_eq!(digest.get("lines"), None);
        let path = format!("/v1/digests/{}", digest["digest_id"].as_str().unwrap());
        let whole = wang.get(&path).header("accept-language", "zh-HK").await;
        // Its version depends on whether the first line to come was urgent.
        let etag = whole.header("etag").to_owned();
        assert_eq!((whole.version(), whole.header("content-language")), (digest["version"].as_i64(), "zh-Hant"));
        let whole = whole.ok();
        let shown = whole["lines"].as_array().unwrap();
        let causes = words(shown, "cause");
        let expected = ["unowned", "unowned", "returned", "long_paused", "reopened", "share", "other", "share"];
        assert_eq!(causes, expected);
        assert_eq!(words(shown, "priority"), ["P1", "P3", "P2", "P1", "P4", "P1", "P2", "P3"]);
        assert_eq!(whole["title"], "8件事項需要您關注，1件已逾期");
        assert_eq!(shown[0]["text"], "P1 投訴 C-261125-7K3QD4：無人負責");
        assert_eq!(shown[7]["text"], "P3 投訴 C-261125-7K3QD4：完成時限已用75%（已逾期）");
        assert_eq!((&shown[7]["overdue"], &shown[0]["overdue"]), (&json!(true), &json!(false)));
        assert_eq!(
            (&shown[7]["measure"], &shown[7]["level"], &shown[7]["rung"]),
            (&json!("finish"), &json!("lead"), &json!(1))
        );

        let english = wang.get(&path).header("accept-language", "en").await.ok();
        assert_eq!(english["title"], "8 matters need you, 1 overdue");
        let again = wang.get(&path).header("if-none-match", &etag);
        assert_eq!(again.header("accept-language", "zh-HK").await.status, 304);
        // The same version in another language is another answer.
        assert_eq!(wang.get(&path).header("if-none-match", &etag).await.status, 200);
        // A digest says what was so when it was sent; the list of alerts what is so now.
        kit.clock.advance(TimeDelta::hours(2));
        assert_eq!(wang.get(&path).header("accept-language", "zh-HK").await.ok(), whole);
        let now = alerts(&wang, "?cause=unowned").await;
        assert_eq!((now.len(), &now[0]["overdue"]), (2, &json!(true)));
    })
    .await;
}

#[tokio::test]
async fn what_somebody_took_in_hand_does_not_nag() {
    with::<Notification>(async |kit| {
        let (wang, li) = (somebody(&kit, "wang"), somebody(&kit, "li"));
        let (mut one, mut two, mut early) = (Ladder::new(), Ladder::new(), Ladder::new());
        // Two rungs of one clock: who takes it in hand settles both.
        one.raise(&kit, &["wang"]).await;
        let rung_two = one.raise(&kit, &["wang", "li"]).await;
        let other = two.raise(&kit, &["wang"]).await;
        let first = early.raise(&kit, &["zhao"]).await;
        lines(&kit, 5).await;
        early.acknowledge(&kit, first).await;
        handled(&kit, &early).await;
        kit.clock.advance(TimeDelta::seconds(31));
        let digest = digests(&wang, "?unread=true", 1).await.remove(0);
        digests(&li, "?unread=true", 1).await;
        // It was settled before it was sent.
        let in_hand = digests(&somebody(&kit, "zhao"), "", 1).await.remove(0);
        assert_eq!((&in_hand["status"], &in_hand["settled"]), (&json!("settled"), &json!(1)));
        assert_eq!(in_hand["title"], "1件提醒都已无需您处理");

        one.acknowledge(&kit, rung_two).await;
        handled(&kit, &one).await;
        assert_eq!(alerts(&wang, "?settled=true").await.len(), 2);
        let waiting = alerts(&wang, "?settled=false").await;
        assert_eq!((waiting.len(), &waiting[0]["case_id"]), (1, &json!(two.case.to_string())));
        // All that li was told of is in hand; wang has something left.
        assert_eq!(digests(&li, "?unread=true", 0).await.len(), 0);
        assert_eq!(digests(&li, "?unread=false", 1).await[0]["status"], "settled");
        assert_eq!(whole(&wang, &digest).await["status"], "delivered");
        two.acknowledge(&kit, other).await;
        handled(&kit, &two).await;
        let settled = whole(&wang, &digest).await;
        assert_eq!((&settled["status"], &settled["version"]), (&json!("settled"), &json!(3)));
        assert_eq!(settled["lines"].as_array().unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn hand_overs_and_promises_are_told_to_whom_they_concern() {
    with::<Notification>(async |kit| {
        let mut story = Ladder::new();
        let message = story.answers(&kit, "wang", "first_receiver");
        story.tell(&kit, message).await;
        for (to, outcome) in [("li", "refused"), ("zhao", "lapsed"), ("li", "withdrawn"), ("chen", "accepted")] {
            let message = story.offered(&kit, to);
            story.tell(&kit, message).await;
            let message = story.ended(&kit, to, outcome);
            story.tell(&kit, message).await;
        }
        let message = story.answers(&kit, "chen", "hand_over");
        story.tell(&kit, message).await;
        let message = story.offered(&kit, "li");
        story.tell(&kit, message).await;
        let at_risk = story.at_risk(&kit, &["chen", "", "chen"]);
        story.tell(&kit, at_risk).await;
        handled(&kit, &story).await;

        let told = async |account: &str, query: &str| {
            let found = alerts(&somebody(&kit, account), query).await;
            let mut causes: Vec<_> = words(&found, "cause").into_iter().map(str::to_owned).collect();
            causes.sort_unstable();
            causes
        };
        assert_eq!(told("wang", "").await, ["hand_over_lapsed", "hand_over_refused"]);
        assert_eq!(told("chen", "?settled=false").await, ["accountable", "promise_at_risk"]);
        // An offer that was answered, or not, need not be looked at any more.
        assert_eq!(told("chen", "?settled=true").await, ["hand_over_offered"]);
        assert_eq!(told("li", "?settled=true").await, ["hand_over_offered", "hand_over_offered"]);
        assert_eq!(told("li", "?settled=false").await, ["hand_over_offered"]);
        let risk = alerts(&somebody(&kit, "chen"), "?cause=promise_at_risk").await.remove(0);
        assert_eq!((&risk["promise"], risk["due_at"].is_string()), (&json!("appointment"), true));
        let by_case = format!("?case_id={}", story.case);
        assert_eq!(told("chen", &by_case).await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn everybody_has_their_own_and_sees_no_other() {
    with::<Notification>(async |kit| {
        Ladder::new().raise(&kit, &["wang"]).await;
        lines(&kit, 1).await;
        let wang = somebody(&kit, "wang");
        let alert = alerts(&wang, "").await.remove(0);
        let path = format!("/v1/digests/{}", alert["digest_id"].as_str().unwrap());
        let read = format!("{path}/read");
        // It is not there before it is sent.
        wang.get(&path).await.problem(404, "not-found");
        wang.post(&read, json!({})).await.problem(404, "digest/no-such-digest");
        kit.clock.advance(TimeDelta::seconds(31));
        digests(&wang, "", 1).await;

        let admin = kit.client(Role::Admin);
        let elsewhere = kit.client_of(&Actor { tenant: OTHER_TENANT.into(), ..kit.staff(Role::Handler) });
        let namesake = Actor { tenant: OTHER_TENANT.into(), id: ActorId::new("wang"), ..kit.staff(Role::Handler) };
        for stranger in [admin, elsewhere, kit.client_of(&namesake), somebody(&kit, "WANG")] {
            stranger.get(&path).await.problem(404, "not-found");
            stranger.post(&read, json!({})).await.problem(404, "digest/no-such-digest");
            let of_hers = format!("?digest_id={}", alert["digest_id"].as_str().unwrap());
            assert_eq!(alerts(&stranger, &of_hers).await.len(), 0);
            assert_eq!(digests(&stranger, "", 0).await.len(), 0);
        }
        // An owner has no such inbox, not even with the same account.
        let owner = kit.client_of(&Actor { id: ActorId::new("wang"), ..kit.staff(Role::Owner) });
        owner.get(&path).await.problem(403, "forbidden");

        wang.post(&read, json!({})).if_match(1).await.problem(412, "stale-version");
        let first = wang.post(&read, json!({})).if_match(2).key("d-1").await;
        assert_eq!((&first.ok()["status"], first.version()), (&json!("read"), Some(3)));
        let again = wang.post(&read, json!({})).if_match(2).key("d-1").await;
        assert_eq!((again.ok(), again.header("idempotency-replayed")), (first.ok(), "true"));
        assert_eq!(digests(&wang, "?unread=true", 0).await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn lists_have_pages_and_a_feed_of_changes() {
    with::<Notification>(async |kit| {
        let wang = somebody(&kit, "wang");
        let since = |page: &Value| page["since"].as_str().unwrap().to_owned();
        let nothing = since(&wang.get("/v1/digests").await.ok());
        let mut ladder = Ladder::new();
        let mut last = String::new();
        for n in 1..=5 {
            last = ladder.raise(&kit, &["wang"]).await;
            lines(&kit, n).await;
            kit.clock.advance(TimeDelta::seconds(31));
            digests(&wang, "", n.try_into().unwrap()).await;
        }
        for list in ["digests", "alerts"] {
            let all = wang.get(&format!("/v1/{list}")).await.ok();
            let first = wang.get(&format!("/v1/{list}?limit=3")).await.ok();
            let cursor = first["next_cursor"].as_str().unwrap();
            let second = wang.get(&format!("/v1/{list}?limit=3&cursor={cursor}")).await.ok();
            let pages = [first["items"].as_array().unwrap().clone(), second["items"].as_array().unwrap().clone()];
            assert_eq!(json!(pages.concat()), all["items"]);
        }
        let known = since(&wang.get("/v1/alerts?limit=200").await.ok());
        ladder.acknowledge(&kit, last).await;
        let feed = |list: &str, since: &str| format!("/v1/{list}?since={since}");
        eventually("the feed of alerts tells what is settled", || async {
            let changed = wang.get(&feed("alerts", &known)).await.ok();
            let items = changed["items"].as_array().unwrap();
            (items.len() == 5 && items.iter().all(|alert| alert["settled_at"].is_string())).then_some(())
        })
        .await;
        eventually("the feed of digests tells each once, as it is", || async {
            let changed = wang.get(&feed("digests", &nothing)).await.ok();
            let items = changed["items"].as_array().unwrap();
            (items.len() == 5 && items.iter().all(|digest| digest["status"] == "settled")).then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn bad_questions_and_bad_events_are_named() {
    with::<Notification>(async |kit| {
        let wang = somebody(&kit, "wang");
        for query in ["?unread=maybe", "?account=li", "?status=read", "?limit=0"] {
            wang.get(&format!("/v1/digests{query}")).await.problem(400, "malformed-request");
        }
        for query in ["?cause=boredom", "?settled=1", "?digest_id=x", "?case_id=C-261125-7K3QD4", "?account=li"] {
            wang.get(&format!("/v1/alerts{query}")).await.problem(400, "malformed-request");
        }
        wang.get("/v1/digests/abc").await.problem(400, "malformed-request");
        wang.get(&format!("/v1/digests/{}", new_id())).await.problem(404, "not-found");
        wang.post(&format!("/v1/digests/{}/read", new_id()), json!({})).await.problem(404, "digest/no-such-digest");

        Ladder::new().raise_for(&kit, &["wang"], "share", "urgent").await;
        let reason = kit.parked(NAME).await;
        assert!(reason.contains("priority") && !reason.contains("urgent"), "{reason}");
        kit.forgive_parked(NAME).await;
        // An event for nobody is nothing.
        let mut quiet = Ladder::new();
        quiet.raise(&kit, &["", ""]).await;
        handled(&kit, &quiet).await;
        assert_eq!((kit.count(NAME, "alert").await, kit.count(NAME, "digest").await), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn an_owner_is_told_what_came_of_an_objection() {
    with::<Notification>(async |kit| {
        let story = Story::of(new_id());
        let decided = |upheld| intake::ObjectionDecided {
            case_id: story.case.to_string(),
            reference: "C-261125-7K3QD4".to_owned(),
            kind: "complaint".to_owned(),
            clock_id: new_id().to_string(),
            estate_id: story.estate.to_string(),
            resident_id: story.resident.to_string(),
            language: "zh-Hant".to_owned(),
            register_language: String::new(),
            upheld,
            at_ms: kit.clock.now().timestamp_millis(),
        };
        let owner = kit.owner(story.resident);
        kit.publish(TENANT, story.case, 1, 0, decided(true)).await;
        let upheld = inbox(&owner, "", 1).await.remove(0);
        assert_eq!((&upheld["template"], &upheld["title"]), (&json!("objection_upheld"), &json!("您的異議成立")));
        kit.clock.advance(TimeDelta::minutes(1));
        kit.publish(TENANT, story.case, 2, 1, decided(false)).await;
        let refused = inbox(&owner, "", 2).await.remove(0);
        assert_eq!(refused["template"], "objection_refused");
        assert!(refused["body"].as_str().unwrap().contains("C-261125-7K3QD4"));
        assert_eq!(kit.published::<pb::MessageCreated>().await.len(), 2);
    })
    .await;
}
