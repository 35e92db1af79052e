//! Contracts that stand in git, rules that a machine checks, and the attack on every route.

use serde_json::{Value, json};
use steward_chassis::run;
use steward_intake::Intake;
use steward_kernel::Role;
use steward_proto::complaint::ComplaintAwaitingOwner;
use steward_testkit::{
    Kit, TENANT,
    attack::{self, Targets},
    document, eventually,
    golden::golden,
    rules, with,
};
use uuid::Uuid;

use crate::world::world;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_contracts_are_those_in_git() {
    let openapi = run::openapi::<Intake>().to_pretty_json().unwrap() + "\n";
    golden(format!("{HERE}/openapi.golden.json"), &openapi);
    golden(format!("{HERE}/problems.golden.md"), &run::problems_document::<Intake>());
    golden(format!("{HERE}/permissions.golden.md"), &attack::permissions_document::<Intake>());
}

#[test]
fn two_roles_add_up_to_no_more_than_either() {
    attack::pairs_add_nothing::<Intake>();
}

#[test]
fn every_operation_has_an_example_that_a_test_sends() {
    document::examples::<Intake>("tests/it");
}

#[test]
fn imports_point_one_way() {
    rules::imports(format!("{HERE}/src"));
}

/// Who lives and works in the estates: one of each in 御溪花园, one of each in 碧落苑.
const RESIDENTS: &str = "resident_code,name,phone,estate_code,building,unit,role,since_on\n\
    R-80001,钱八,13800000008,YX,3,101,family,2020-06-01\nR-90001,赵九,13800000009,BL,1,201,owner,2020-06-01\n";
const STAFF: &str = "工号,姓名,岗位,部门,小区编码,账号\n\
    K1,武怡芳,receptionist,customer_service,YX,desk-1\nK2,姚玉军,receptionist,customer_service,YX,desk-2\n\
    K8,孙莉,receptionist,customer_service,BL,desk-8\nK9,周洁,receptionist,customer_service,BL,desk-9\n";

/// One of each thing that there is in an estate, by what names it.
struct Things<'t> {
    kit: &'t Kit,
    estate: Uuid,
    named: Vec<(&'static str, String)>,
}

impl<'t> Things<'t> {
    /// * `resident`, `account`, `cover`: code of the one, accounts of the other two people of the estate.
    async fn of(kit: &'t Kit, estate: Uuid, resident: &str, [account, cover]: [&str; 2]) -> Self {
        let admin = kit.client(Role::Admin);
        let units = admin.get(&format!("/v1/estates/{estate}/units")).await.ok();
        let person = admin.get(&format!("/v1/residents?code={resident}")).await.ok()["items"][0].clone();
        let mut things = Self { kit, estate, named: Vec::new() };
        things.note("estate_id", &json!(estate));
        things.note("unit_id", &units["items"][0]["unit_id"]);
        things.note("resident_id", &person["resident_id"]);
        for searched in ["code", "name", "phone"] {
            things.note(searched, &person[searched]);
        }
        things.note("account", &json!(account));
        things.desk(&person["resident_id"]).await;
        things.pause().await;
        things.rules(account, cover).await;
        things
    }

    fn note(&mut self, name: &'static str, thing: &Value) {
        self.named.push((name, thing.as_str().unwrap_or_else(|| panic!("no {name}: {thing}")).to_owned()));
    }

    fn get(&self, name: &str) -> &str {
        self.named.iter().find(|(known, _)| *known == name).map(|(_, thing)| thing.as_str()).unwrap()
    }

    /// A visit, a check, an inquiry with a clock and a promise, an article, a photo.
    async fn desk(&mut self, resident: &Value) {
        let (desk, manager) = (self.kit.client(Role::Receptionist), self.kit.client(Role::Manager));
        let estate = self.estate;
        let visit = json!({ "estate_id": estate, "resident_id": resident });
        self.note("visit_id", &desk.post("/v1/visits", visit).await.created()["visit_id"]);
        let today = steward_testkit::kernel::day::day(self.kit.clock.now(), steward_testkit::kernel::day::HOME);
        let check = json!({ "estate_id": estate, "on": today, "items": [{ "item": "台面整洁", "ok": true }] });
        self.note("check_id", &desk.post("/v1/desk-checks", check).await.created()["check_id"]);
        let inquiry = json!({
            "kind": "inquiry", "words": "月卡多少钱？", "channel": "phone", "estate_id": estate, "resident_id": resident
        });
        let inquiry = desk.post("/v1/cases", inquiry).await.created();
        self.note("case_id", &inquiry["case_id"]);
        self.note("inquiry_id", &inquiry["case_id"]);
        self.note("reference", &inquiry["reference"]);
        let case = self.get("case_id").to_owned();
        let clocks = desk.get(&format!("/v1/clocks?case_id={case}")).await.ok();
        self.note("clock_id", &clocks["items"][0]["clock_id"]);
        let due = json!({ "due_at": self.kit.clock.now() + chrono::TimeDelta::days(45) });
        let promise = desk.post(&format!("/v1/cases/{case}/promises"), due).await.created();
        self.note("promise_id", &promise["promise_id"]);
        let word = format!("停车证{}", self.get("code"));
        let article = json!({
            "code": format!("A-{estate}"), "title": "停车", "category": "parking", "body": format!("凭{word}入场。"), "language": "zh-Hans",
            "estate_id": estate
        });
        self.note("article_id", &manager.post("/v1/articles", article).await.created()["article_id"]);
        self.note("q", &json!(word));
        let owner = self.kit.owner(resident.as_str().unwrap().parse().unwrap());
        let photo = owner.upload("/v1/files", "image/png", b"\x89PNG\r\n\x1a\nx".into()).await.created();
        self.note("file_id", &photo["file_id"]);
    }

    /// A complaint whose clocks were paused, and that its owner objects to it.
    async fn pause(&mut self) {
        let (manager, resident) = (self.kit.client(Role::Manager), self.get("resident_id").to_owned());
        let owner = self.kit.owner(resident.parse().unwrap());
        let complaint = json!({
            "kind": "complaint", "words": "楼上深夜拖动桌椅", "channel": "phone", "estate_id": self.estate, "resident_id": resident
        });
        let case = manager.post("/v1/cases", complaint).await.created()["case_id"].clone();
        let case_id: Uuid = case.as_str().unwrap().parse().unwrap();
        let awaits = ComplaintAwaitingOwner {
            case_id: case_id.to_string(),
            at_ms: self.kit.clock.now().timestamp_millis(),
            ..ComplaintAwaitingOwner::default()
        };
        self.kit.publish(TENANT, case_id, 2, 0, awaits).await;
        let clock = eventually("the clock is paused", || async {
            let list = manager.get(&format!("/v1/clocks?case_id={case_id}&measure=decide&state=paused")).await.ok();
            Some(list["items"][0].clone()).filter(Value::is_object)
        })
        .await;
        self.note("paused_clock", &clock["clock_id"]);
        self.note("pause_id", &clock["pause"]["pause_id"]);
        let path = |verb: &str| format!("/v1/clocks/{}/{verb}", clock["clock_id"].as_str().unwrap());
        let contest = json!({ "pause_id": clock["pause"]["pause_id"], "reason": "没有人联系过我" });
        let _ = owner.post(&path("contest-pause"), contest).await.ok();
        let objection = owner.get(&path("explain")).await.ok()["objections"][0]["objection_id"].clone();
        self.note("objection_id", &objection);
    }

    /// A calendar, a policy, a post and an absence.
    async fn rules(&mut self, account: &str, cover: &str) {
        let (manager, estate) = (self.kit.client(Role::Manager), self.estate);
        let rules = json!({ "always": true });
        let code = format!("desk-{}", &estate.simple().to_string()[20..]);
        let body = json!({ "code": code, "name": "客服中心", "estate_id": estate, "rules": rules });
        self.note("calendar_id", &manager.post("/v1/calendars", body).await.created()["calendar_id"]);
        let body = json!({ "scope": "estate", "estate_id": estate, "policy": { "calendar": code } });
        self.note("policy_id", &manager.post("/v1/clock-policies", body).await.created()["policy_id"]);
        let body = json!({ "level": "estate_manager", "estate_id": estate, "account": account });
        self.note("post_id", &manager.post("/v1/posts", body).await.created()["post_id"]);
        let body = json!({
            "account": account, "from": "2030-01-01T00:00:00Z", "to": "2030-01-03T00:00:00Z", "cover_account": cover
        });
        self.note("absence_id", &manager.post("/v1/absences", body).await.created()["absence_id"]);
    }

    /// An escalation, once it is late.
    async fn escalation(&mut self) {
        let (manager, case) = (self.kit.client(Role::Manager), self.get("case_id").to_owned());
        let raised = eventually("an escalation", || async {
            let list = manager.get(&format!("/v1/escalations?case_id={case}")).await.ok();
            Some(list["items"][0]["escalation_id"].clone()).filter(Value::is_string)
        })
        .await;
        self.note("escalation_id", &raised);
    }
}

#[tokio::test]
async fn no_route_lets_a_stranger_in() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let admin = kit.client(Role::Admin);
        let _ = admin.upload("/v1/residents/import", "text/csv", RESIDENTS.into()).await.ok();
        let _ = admin.upload("/v1/staff/import", "text/csv", STAFF.into()).await.ok();
        let mut hidden = Things::of(&kit, world.estate, "R-80001", ["desk-1", "desk-2"]).await;
        let mut own = Things::of(&kit, world.other_estate, "R-90001", ["desk-8", "desk-9"]).await;
        kit.clock.advance(chrono::TimeDelta::days(60));
        hidden.escalation().await;
        own.escalation().await;
        let before = admin.get(&format!("/v1/cases/{}", hidden.get("case_id"))).await.ok()["version"].clone();
        let elsewhere = &[("work_order_id", "work orders are dispatch's; here they only tell clocks apart")];
        let paused = own.get("paused_clock").to_owned();
        let own_in = ["contest_pause", "decide_objection"].map(|operation| (operation, "clock_id", paused.clone()));
        let targets = Targets { hidden: &hidden.named, own: &own.named, own_in: &own_in, elsewhere };
        let attacked = attack::attack::<Intake>(&kit, targets).await;
        golden(format!("{HERE}/attacks.golden.md"), &attacked);
        assert_eq!(admin.get(&format!("/v1/cases/{}", hidden.get("case_id"))).await.ok()["version"], before);
        kit.assert_row_security("intake").await;
    })
    .await;
}

#[tokio::test]
async fn what_stands_nowhere_is_answered_in_one_form() {
    with::<Intake>(async |kit| attack::misses::<Intake>(&kit).await).await;
}
