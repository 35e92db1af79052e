//! Who must act is told: from the owner's tap to the technician's inbox, in the language of whoever is spoken to.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_e2e::estate::{Estate, text, with_estate};
use steward_kernel::{ActorId, Role};
use steward_testkit::{Client, eventually};

/// Somebody of the company with that account.
fn person(e: &Estate, role: Role, account: &str) -> Client {
    let mut actor = e.kit.staff(role);
    actor.id = ActorId::new(account);
    e.kit.client_of(&actor)
}

async fn imports(e: &Estate, list: &str, file: &str) {
    let file = file.as_bytes().to_vec();
    let _ = e.kit.client(Role::Admin).upload(&format!("/v1/{list}/import"), "text/csv", file).await.ok();
}

/// The causes of somebody's alerts, once that one is among them.
async fn is_told(client: &Client, cause: &str, settled: bool) -> Value {
    eventually(&format!("{cause} is told, settled: {settled}"), || async {
        let list = client.get(&format!("/v1/alerts?cause={cause}&settled={settled}")).await.ok();
        list["items"][0].as_object().map(|line| Value::from(line.clone()))
    })
    .await
}

async fn assign(e: &Estate, order: &str, account: &str, instead_of: Option<&str>) {
    let technicians = e.handler.get(&format!("/v1/technicians?estate_id={}", e.id)).await.ok();
    let id = |account: &str| {
        let found = technicians["items"].as_array().unwrap().iter().find(|one| one["account"] == account).unwrap();
        found["technician_id"].clone()
    };
    let mut body = json!({"technician_id": id(account)});
    if let Some(account) = instead_of {
        body["instead_of"] = id(account);
    }
    let _ = e.handler.post(&format!("/v1/work-orders/{order}/assign"), body).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_work_order_reaches_the_technicians_inbox_and_leaves_it_when_somebody_else_has_it() {
    with_estate(async |e: Estate| {
        imports(&e, "staff", "staff_code,name,role,department,estate_code,account\nK1,何立,supervisor,engineering,YX,lead-1\nK2,武怡芳,receptionist,desk,YX,desk-1\n").await;
        imports(&e, "technicians", "technician_code,name,account,department_code,skills,estate_code\nT3,孙师傅,tech-3,engineering,水电,YX\n").await;
        let [lead, desk] = [(Role::Supervisor, "lead-1"), (Role::Receptionist, "desk-1")].map(|(role, who)| person(&e, role, who));
        let [first, second] = ["tech-1", "tech-3"].map(|who| person(&e, Role::Technician, who));

        let case = e.says("service_request", "lift.entrapment", "电梯停在三楼，里面有人！").await;
        let id = text(&case["case_id"]);
        let theirs = is_told(&desk, "accountable", false).await;
        assert_eq!((&theirs["case_id"], &theirs["priority"]), (&json!(id), &json!("P1")));
        e.appears(&e.handler, &format!("/v1/service-requests/{id}")).await;
        let _ = e.handler.post(&format!("/v1/service-requests/{id}/confirm"), json!({"details": "三楼，一人"})).await.ok();
        is_told(&desk, "accountable", true).await;

        let body = json!({"case_id": id, "department": "engineering", "summary": "解救被困人员"});
        let order = text(&e.handler.post("/v1/work-orders", body).await.created()["work_order_id"]);
        is_told(&lead, "work_order_open", false).await;
        assign(&e, &order, "tech-1", None).await;
        let line = is_told(&first, "work_order_assigned", false).await;
        assert_eq!((&line["work_order_id"], &line["reference"]), (&json!(order), &case["reference"]));
        is_told(&lead, "work_order_open", true).await;
        // An emergency does not wait for others to join it.
        eventually("the technician's inbox has a digest", || async {
            let list = first.get("/v1/digests?unread=true").await.ok();
            (list["items"][0]["waiting"] == 1).then_some(())
        })
        .await;

        assign(&e, &order, "tech-3", Some("tech-1")).await;
        is_told(&first, "work_order_assigned", true).await;
        is_told(&first, "work_order_withdrawn", false).await;
        is_told(&second, "work_order_assigned", false).await;
        let _ = second.post(&format!("/v1/work-orders/{order}/accept"), json!({})).await.ok();
        is_told(&second, "work_order_assigned", true).await;
        let _ = e.owner.post(&format!("/v1/cases/{id}/cancel"), json!({"reason": "人已自行出来"})).await;
        is_told(&second, "work_order_withdrawn", false).await;
        e.kit.clock.advance(TimeDelta::minutes(3));
        eventually("what is withdrawn nags nobody", || async {
            let list = first.get("/v1/digests?unread=true").await.ok();
            let waiting = list["items"].as_array().unwrap().iter().all(|digest| digest["by_cause"][0]["cause"] != "work_order_assigned");
            waiting.then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_is_spoken_to_in_the_registers_language_whoever_opens_the_case() {
    with_estate(async |e: Estate| {
        imports(&e, "residents", "resident_code,name,phone,estate_code,building,entrance,unit,role,since_on,language\nR1,林小燕,19900000001,YX,1号楼,1单元,101,业主,2020-01-01,English\n").await;
        let body = json!({
            "kind": "inquiry", "category": "fee.billing", "words": "How much is the fee?", "channel": "phone",
            "estate_id": e.id, "resident_id": e.resident,
        });
        let case = e.receptionist.post("/v1/cases", body).await.created();
        assert_eq!(case["language"], "en");
        let id = text(&case["case_id"]);
        assert_eq!(e.owner_got(&id, "received").await["title"], "We have received your inquiry");
        let _ = e.receptionist.post(&format!("/v1/inquiries/{id}/answer"), json!({"text": "2.8 yuan"})).await.ok();
        assert_eq!(e.owner_got(&id, "answered").await["language"], "en");
        assert_eq!(e.owner_got(&id, "survey_invited").await["language"], "en");
    })
    .await;
}
