//! A company with two estates and four technicians, as dispatch has heard of it.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use serde_json::{Value, json};
use steward_kernel::{ActorId, Role};
use steward_proto::{complaint, intake};
use steward_testkit::{Client, Kit, TENANT, db::new_id, eventually};
use uuid::Uuid;

pub(crate) struct World {
    pub kit: Kit,
    /// 御溪花园, where everything happens.
    pub estate: Uuid,
    /// 和塘雅苑, where nothing does.
    pub other_estate: Uuid,
    /// The owner of what happens.
    pub resident: Uuid,
}

pub(crate) const CSV: &str = "text/csv";
pub(crate) const DEPARTMENTS: &str =
    "部门编码,部门名称,小区编码\nengineering,工程部,全部\ncleaning,保洁部,YX\nsecurity,秩序部,HT\n";
/// What is known beside [`DEPARTMENTS`] after [`World::with_contractors`].
pub(crate) const CONTRACTORS: &str =
    "部门编码,部门名称,小区编码,是否外包\nlift_contractor,电梯维保单位,全部,是\ngreening,绿化部,全部,否\n";
pub(crate) const TECHNICIANS: &str = "工号,姓名,账号,部门编码,技能,小区编码\n\
    T001,张三,tech-1,engineering,水电,YX\n\
    T002,李四,tech-2,engineering,水电;电梯,YX;HT\n\
    T003,王五,tech-3,engineering,电梯,YX\n\
    T004,赵六,tech-4,engineering,水电,HT\n";

pub(crate) fn estate_registered(estate: Uuid, code: &str, name: &str, at: DateTime<Utc>) -> intake::EstateRegistered {
    intake::EstateRegistered {
        estate_id: estate.to_string(),
        code: code.to_owned(),
        name: name.to_owned(),
        region: String::new(),
        time_zone: "Asia/Shanghai".to_owned(),
        at_ms: at.timestamp_millis(),
    }
}

impl World {
    /// The estates are known; nothing is imported yet.
    pub(crate) async fn bare(kit: Kit) -> Self {
        let (estate, other_estate) = (new_id(), new_id());
        for (id, code, name) in [(estate, "YX", "御溪花园"), (other_estate, "HT", "和塘雅苑")] {
            kit.publish(TENANT, id, 1, 0, estate_registered(id, code, name, kit.clock.now())).await;
        }
        eventually("the estates are known", || async { (kit.count("dispatch", "estate").await == 2).then_some(()) })
            .await;
        Self { kit, estate, other_estate, resident: new_id() }
    }

    /// Departments and technicians are imported, and T001 is on shift.
    pub(crate) async fn new(kit: Kit) -> Self {
        let world = Self::bare(kit).await;
        let _ = world.import("departments", DEPARTMENTS).await.ok();
        let _ = world.import("technicians", TECHNICIANS).await.ok();
        let china = FixedOffset::east_opt(8 * 3600).unwrap();
        let starts = world.kit.clock.now().with_timezone(&china) - TimeDelta::hours(2);
        let row = format!(
            "T001,{},{},{}",
            starts.format("%F"),
            starts.format("%H:%M"),
            (starts + TimeDelta::hours(9)).format("%H:%M")
        );
        let _ = world.import("shifts", &format!("工号,日期,开始,结束\n{row}\n")).await.ok();
        world
    }

    /// As [`World::new`], and a contractor is known.
    pub(crate) async fn with_contractors(kit: Kit) -> Self {
        let world = Self::new(kit).await;
        let _ = world.import("departments", CONTRACTORS).await.ok();
        world
    }

    pub(crate) async fn import(&self, resource: &str, csv: &str) -> steward_testkit::Answer {
        self.admin().upload(&format!("/v1/{resource}/import"), CSV, csv.as_bytes().to_vec()).await
    }

    pub(crate) fn admin(&self) -> Client {
        self.kit.client(Role::Admin)
    }

    pub(crate) fn handler(&self) -> Client {
        self.kit.client(Role::Handler)
    }

    pub(crate) fn lead(&self) -> Client {
        self.kit.client(Role::Supervisor)
    }

    pub(crate) fn owner(&self) -> Client {
        self.kit.owner(self.resident)
    }

    /// The technician with that account.
    pub(crate) fn crew(&self, account: &str) -> Client {
        let mut actor = self.kit.staff(Role::Technician);
        actor.id = ActorId::new(account);
        self.kit.client_of(&actor)
    }

    pub(crate) fn received(&self, case_id: Uuid) -> intake::ServiceRequestReceived {
        intake::ServiceRequestReceived {
            case_id: case_id.to_string(),
            reference: "S-261123-7K3QD4".to_owned(),
            kind: "service_request".to_owned(),
            category: "water.leak".to_owned(),
            priority: "P2".to_owned(),
            estate_id: self.estate.to_string(),
            unit_id: new_id().to_string(),
            resident_id: self.resident.to_string(),
            language: "zh-Hans".to_owned(),
            words: "卫生间天花板滴水".to_owned(),
            linked_case_id: String::new(),
            opened_at_ms: self.kit.clock.now().timestamp_millis(),
            ..Default::default()
        }
    }

    pub(crate) fn cancelled(&self, case_id: Uuid, kind: &str) -> intake::CaseCancelled {
        intake::CaseCancelled {
            register_language: String::new(),
            case_id: case_id.to_string(),
            reference: "S-261123-7K3QD4".to_owned(),
            kind: kind.to_owned(),
            category: "water.leak".to_owned(),
            priority: "P2".to_owned(),
            estate_id: self.estate.to_string(),
            unit_id: String::new(),
            resident_id: self.resident.to_string(),
            language: "zh-Hans".to_owned(),
            at_ms: self.kit.clock.now().timestamp_millis(),
            ..Default::default()
        }
    }

    /// That intake finds a case that urgent.
    pub(crate) fn prioritised(&self, case_id: Uuid, kind: &str, priority: &str) -> intake::CasePrioritised {
        intake::CasePrioritised {
            case_id: case_id.to_string(),
            reference: "S-261123-7K3QD4".to_owned(),
            kind: kind.to_owned(),
            category: "water.leak".to_owned(),
            priority: priority.to_owned(),
            previous_priority: "P2".to_owned(),
            estate_id: self.estate.to_string(),
            unit_id: String::new(),
            resident_id: self.resident.to_string(),
            at_ms: self.kit.clock.now().timestamp_millis(),
        }
    }

    /// A service request that has come from intake; its case.
    pub(crate) async fn request(&self) -> Uuid {
        let case_id = new_id();
        self.kit.publish(TENANT, case_id, 1, 0, self.received(case_id)).await;
        self.known(&format!("/v1/service-requests/{case_id}")).await;
        case_id
    }

    /// A service request with confirmed details; its case.
    pub(crate) async fn confirmed(&self) -> Uuid {
        let case_id = self.request().await;
        let _ = self.handler().post(&format!("/v1/service-requests/{case_id}/confirm"), json!({})).await.ok();
        case_id
    }

    /// A work order for a case, for somebody who can do 水电; its path.
    pub(crate) async fn order(&self, case_id: Uuid) -> String {
        let body = json!({ "case_id": case_id, "department": "engineering", "skill": "水电", "summary": "查漏" });
        let answer = self.handler().post("/v1/work-orders", body).await;
        let _ = answer.created();
        answer.header("location").to_owned()
    }

    /// That a complaint needs work of a department.
    pub(crate) fn remedy_requested(&self, case_id: Uuid, department: &str) -> complaint::RemedyRequested {
        complaint::RemedyRequested {
            case_id: case_id.to_string(),
            estate_id: self.estate.to_string(),
            at_ms: self.kit.clock.now().timestamp_millis(),
            remedy_id: new_id().to_string(),
            department: department.to_owned(),
            skill: "水电".to_owned(),
            summary: "更换水泵".to_owned(),
            unit_id: String::new(),
            resident_id: self.resident.to_string(),
            priority: "P3".to_owned(),
            category: "noise".to_owned(),
        }
    }

    /// The work order of a remedy of a complaint, for that department; the case and the order's path.
    pub(crate) async fn remedy(&self, department: &str) -> (Uuid, String) {
        let case_id = new_id();
        self.kit.publish(TENANT, case_id, 1, 0, self.remedy_requested(case_id, department)).await;
        let path = format!("/v1/work-orders?case_id={case_id}");
        let handler = self.handler();
        let order = eventually("the remedy's work order is there", || async {
            handler.get(&path).await.ok()["items"][0]["work_order_id"].as_str().map(str::to_owned)
        })
        .await;
        (case_id, format!("/v1/work-orders/{order}"))
    }

    /// The technician's id.
    pub(crate) async fn technician(&self, code: &str) -> Value {
        let all = self.admin().get("/v1/technicians").await.ok();
        let found = all["items"].as_array().unwrap().iter().find(|each| each["code"] == code).unwrap();
        found["technician_id"].clone()
    }

    /// Carries a work order of T001 through these commands.
    pub(crate) async fn walk(&self, order: &str, commands: &[&str]) {
        for command in commands {
            let (client, body) = match *command {
                "assign" => (self.handler(), json!({ "technician_id": self.technician("T001").await })),
                "complete" => (self.crew("tech-1"), json!({ "note": "已修好", "file_ids": [new_id()] })),
                "verify" => (self.lead(), json!({})),
                _ => (self.crew("tech-1"), json!({})),
            };
            let _ = client.post(&format!("{order}/{command}"), body).await.ok();
        }
    }

    pub(crate) async fn stage(&self, case_id: Uuid) -> String {
        let view = self.handler().get(&format!("/v1/service-requests/{case_id}")).await.ok();
        view["stage"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn priority(&self, path: &str) -> String {
        let view = self.handler().get(path).await.ok();
        view["priority"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn status(&self, order: &str) -> String {
        self.handler().get(order).await.ok()["status"].as_str().unwrap().to_owned()
    }

    /// What has changed in a list since that token, once it is as the test wants it.
    ///
    /// The feed waits for transactions that other tests run on the same server, and may tell again what was known.
    pub(crate) async fn changes(
        &self,
        list: &str,
        since: &str,
        wanted: impl Fn(&[Value]) -> bool + Sync,
    ) -> Vec<Value> {
        let (admin, path) =
            (self.admin(), format!("{list}{}since={since}", if list.contains('?') { "&" } else { "?" }));
        eventually("the feed tells it", || async {
            let page = admin.get(&path).await.ok();
            Some(page["items"].as_array().unwrap().clone()).filter(|items| wanted(items))
        })
        .await
    }

    async fn known(&self, path: &str) {
        let handler = self.handler();
        eventually("it is known", || async { (handler.get(path).await.status == 200).then_some(()) }).await;
    }
}
