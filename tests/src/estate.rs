//! One estate with a household, a desk, handlers and a technician, on all five services in one process.

use serde_json::{Value, json};
use steward_complaint::Complaint;
use steward_dispatch::Dispatch;
use steward_feedback_analytics::FeedbackAnalytics;
use steward_intake::Intake;
use steward_kernel::{ActorId, Role};
use steward_notification::Notification;
use steward_testkit::{Client, Kit, eventually, under, with_services};
use uuid::Uuid;

/// The smallest JPEG there is: a technician's photo.
pub const PHOTO: &[u8] =
    &[0xFF, 0xD8, 0xFF, 0xE0, 0x00, 0x10, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0xFF, 0xD9];

/// An estate that lives.
#[derive(Debug, Clone)]
pub struct Estate {
    /// The system around it.
    pub kit: Kit,
    /// Its id.
    pub id: String,
    /// A unit in it.
    pub unit: String,
    /// The resident of that unit.
    pub resident: Uuid,
    /// The resident, in the app.
    pub owner: Client,
    /// At the desk.
    pub receptionist: Client,
    /// Handles cases.
    pub handler: Client,
    /// Leads.
    pub supervisor: Client,
    /// Does electrical and plumbing work; account `tech-1`.
    pub technician: Client,
    /// Id of that technician.
    pub technician_id: String,
}

/// Runs a test in an estate.
pub async fn with_estate(test: impl AsyncFnOnce(Estate)) {
    let all = [
        under::<Intake>(),
        under::<Complaint>(),
        under::<Dispatch>(),
        under::<Notification>(),
        under::<FeedbackAnalytics>(),
    ];
    with_services(&all, async |kit| test(Estate::found(kit).await).await).await;
}

impl Estate {
    async fn found(kit: Kit) -> Self {
        let admin = kit.client(Role::Admin);
        import(&admin, "estates", "estate_code,estate_name,region,building,entrance,unit,floor,area_m2\nYX,御溪花园,华南,1号楼,1单元,101,1,89.5\nYX,御溪花园,华南,1号楼,1单元,102,1,89.5\n").await;
        import(
            &admin,
            "residents",
            "resident_code,name,phone,estate_code,building,entrance,unit,role,since_on\nR1,林小燕,19900000001,YX,1号楼,1单元,101,业主,2020-01-01\n",
        )
        .await;
        import(&admin, "articles", "article_code,title,category,body,language\nA-1,停车月卡办理,parking.service,带行驶证到客服中心办理，每月三百元。,zh-Hans\n").await;
        eventually("dispatch knows the estate", || async {
            let file = "department_code,name,estate_code\nengineering,工程部,YX\ncleaning,保洁部,YX\n";
            (admin.upload("/v1/departments/import", "text/csv", file.into()).await.status == 200).then_some(())
        })
        .await;
        import(&admin, "technicians", "technician_code,name,account,department_code,skills,estate_code\nT1,赵师傅,tech-1,engineering,水电;门禁弱电,YX\nT2,钱师傅,tech-2,cleaning,保洁,YX\n").await;
        let estate = admin.get("/v1/estates").await.ok()["items"][0].clone();
        let id = text(&estate["estate_id"]);
        let resident = admin.get(&format!("/v1/residents?estate_id={id}")).await.ok()["items"][0].clone();
        let technicians = admin.get(&format!("/v1/technicians?estate_id={id}")).await.ok();
        let first = technicians["items"].as_array().and_then(|all| all.iter().find(|one| one["account"] == "tech-1"));
        let resident_id: Uuid = text(&resident["resident_id"]).parse().expect("a resident id");
        let mut worker = kit.staff(Role::Technician);
        worker.id = ActorId::new("tech-1");
        Self {
            id,
            unit: text(&resident["units"][0]["unit_id"]),
            resident: resident_id,
            owner: kit.owner(resident_id),
            receptionist: kit.client(Role::Receptionist),
            handler: kit.client(Role::Handler),
            supervisor: kit.client(Role::Supervisor),
            technician: kit.client_of(&worker),
            technician_id: first.map(|one| text(&one["technician_id"])).expect("technician tech-1"),
            kit,
        }
    }

    /// The owner says something in the app; the case.
    pub async fn says(&self, kind: &str, category: &str, words: &str) -> Value {
        let body = json!({
            "kind": kind, "category": category, "words": words, "channel": "app",
            "estate_id": self.id, "unit_id": self.unit,
        });
        self.owner.post("/v1/cases", body).await.created()
    }

    /// The case as its owner sees it, once it has that status.
    pub async fn case_is(&self, case: &str, status: &str) -> Value {
        eventually(&format!("case {case} is {status}"), || async {
            let view = self.owner.get(&format!("/v1/cases/{case}")).await.ok();
            (view["status"] == status).then_some(view)
        })
        .await
    }

    /// The codes of the case's timeline as its owner reads it, once it has that one.
    pub async fn timeline_has(&self, case: &str, code: &str) -> Vec<String> {
        eventually(&format!("the timeline of {case} has {code}"), || async {
            let view = self.owner.get(&format!("/v1/cases/{case}/timeline")).await.ok();
            let items = view["items"].as_array().cloned().unwrap_or_default();
            assert!(items.iter().all(|item| item["text"].as_str().is_some_and(|text| !text.is_empty())), "{view}");
            let codes: Vec<String> = items.iter().map(|item| text(&item["code"])).collect();
            codes.iter().any(|known| known == code).then_some(codes)
        })
        .await
    }

    /// Something that a service makes of the case, once it is there.
    pub async fn appears(&self, client: &Client, path: &str) -> Value {
        eventually(&format!("{path} is there"), || async {
            let answer = client.get(path).await;
            (answer.status == 200).then(|| answer.json())
        })
        .await
    }

    /// A list, once it has something that fits.
    pub async fn finds(&self, client: &Client, path: &str, fits: impl Fn(&Value) -> bool + Send + Sync) -> Value {
        eventually(&format!("{path} has it"), || async {
            let list = client.get(path).await.ok();
            list["items"].as_array().and_then(|items| items.iter().find(|item| fits(item)).cloned())
        })
        .await
    }

    /// The owner's inbox has a message about the case that was made by this template.
    pub async fn owner_got(&self, case: &str, template: &str) -> Value {
        let found = self
            .finds(&self.owner, "/v1/messages?limit=200", |message| {
                message["case_id"] == case && message["template"] == template
            })
            .await;
        assert!(!text(&found["body"]).is_empty(), "{found}");
        found
    }

    /// The owner is asked how it was, and answers.
    pub async fn owner_rates(&self, case: &str, score: u8) {
        let survey = self.finds(&self.owner, "/v1/surveys", |survey| survey["case_id"] == case).await;
        let path = format!("/v1/surveys/{}/answer", text(&survey["survey_id"]));
        let answer = json!({"outcome": score, "handling": score, "courtesy": score, "comment": "师傅很耐心"});
        let _ = self.owner.post(&path, answer).await.ok();
    }

    /// The estate's figures, once they fit.
    pub async fn metrics_show(&self, what: &str, fits: impl Fn(&Value) -> bool + Send + Sync) {
        let analyst = self.kit.client(Role::Analyst);
        eventually(&format!("the metrics show {what}"), || async {
            let metrics = analyst.get(&format!("/v1/metrics?estate_id={}", self.id)).await.ok();
            fits(&metrics).then_some(())
        })
        .await;
    }

    /// The work order of a case is done by the technician, photo and all.
    pub async fn technician_does(&self, order: &str) {
        let command = |name: &str| format!("/v1/work-orders/{order}/{name}");
        let _ = self.handler.post(&command("assign"), json!({"technician_id": self.technician_id})).await.ok();
        let _ = self.technician.post(&command("accept"), json!({})).await.ok();
        let _ = self.technician.post(&command("depart"), json!({})).await.ok();
        let _ = self.technician.post(&command("arrive"), json!({})).await.ok();
        let photo = self.technician.upload("/v1/files", "image/jpeg", PHOTO.to_vec()).await.created();
        let done = json!({"note": "已更换角阀，试水正常", "file_ids": [photo["file_id"]]});
        let _ = self.technician.post(&command("complete"), done).await.ok();
    }
}

/// Imports a register file.
///
/// # Panics
/// When it is refused.
async fn import(admin: &Client, list: &str, file: &str) {
    let _ = admin.upload(&format!("/v1/{list}/import"), "text/csv", file.as_bytes().to_vec()).await.ok();
}

/// A JSON string.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}
