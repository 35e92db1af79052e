//! Who is told what they have to do, by events of the other services; and who works for the company, told to others.

use chrono::TimeDelta;
use serde_json::json;
use steward_intake::Intake;
use steward_kernel::Role;
use steward_proto::{complaint, dispatch, feedback_analytics, intake as pb};
use steward_testkit::{Kit, TENANT, db::new_id, eventually, with};

use uuid::Uuid;

use crate::stewardship::{opens, person, staffed};

/// What was told so far, in order: what, to whom.
async fn told(kit: &Kit) -> Vec<(String, Vec<String>)> {
    kit.published::<pb::TaskGiven>().await.into_iter().map(|task| (task.what, task.accounts)).collect()
}

async fn tells(kit: &Kit, what: &str, accounts: &[&str]) {
    eventually(&format!("{what} is told to {accounts:?}"), || async {
        told(kit).await.iter().any(|(told, to)| told == what && to == accounts).then_some(())
    })
    .await;
}

#[tokio::test]
async fn orders_are_told_to_whoever_must_act_and_withdrawn() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        // Urgent, so that it is told at any hour.
        let case = opens(&kit, &world, "service_request", "P2").await;
        let order = new_id();
        let (work_order_id, case_id, department) = (order.to_string(), case.to_string(), "engineering".to_owned());
        let at_ms = kit.clock.now().timestamp_millis();
        let opened = dispatch::WorkOrderOpened {
            work_order_id: work_order_id.clone(),
            case_id: case_id.clone(),
            department: department.clone(),
            at_ms,
            ..Default::default()
        };
        kit.publish(TENANT, order, 1, 0, opened).await;
        tells(&kit, "work_order_open", &["lead-1"]).await;
        for (version, technician) in [(2, "tech-1"), (3, "tech-2")] {
            let assigned = dispatch::WorkOrderAssigned {
                work_order_id: work_order_id.clone(),
                case_id: case_id.clone(),
                department: department.clone(),
                account: technician.to_owned(),
                at_ms,
                ..Default::default()
            };
            kit.publish(TENANT, order, version, version - 1, assigned).await;
            tells(&kit, "work_order_assigned", &[technician]).await;
        }
        tells(&kit, "work_order_withdrawn", &["tech-1"]).await;
        let given = kit.published::<pb::TaskGiven>().await;
        let of = |what: &str, account: &str| {
            let of = given.iter().find(|task| task.what == what && task.accounts == [account]);
            of.unwrap_or_else(|| panic!("no {what} for {account} in {given:?}")).clone()
        };
        let first = of("work_order_assigned", "tech-1");
        assert_eq!(
            (&first.work_order_id, &first.department[..], &first.priority[..]),
            (&work_order_id, "engineering", "P2")
        );
        let ended: Vec<_> = kit.published::<pb::TaskEnded>().await.into_iter().map(|ended| ended.task_id).collect();
        assert_eq!(ended, [of("work_order_open", "lead-1").task_id, first.task_id]);
    })
    .await;
}

fn opened(order: Uuid, case: Uuid) -> dispatch::WorkOrderOpened {
    dispatch::WorkOrderOpened {
        work_order_id: order.to_string(),
        case_id: case.to_string(),
        department: "engineering".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn what_a_lead_has_to_do_goes_to_whoever_leads_when_they_leave() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "service_request", "P2").await;
        let order = new_id();
        kit.publish(TENANT, order, 1, 0, opened(order, case)).await;
        tells(&kit, "work_order_open", &["lead-1"]).await;
        let in_days = |days: i64| kit.clock.now() + TimeDelta::days(days);
        let away = json!({ "account": "manager-1", "cover_account": "lead-1", "from": in_days(1), "to": in_days(2) });
        let admin = kit.client(Role::Admin);
        let _ = admin.post("/v1/absences", away).await.created();
        let left = "工号,姓名,岗位,部门,小区编码,账号,状态\nK3,何立,工程主管,engineering,YX,lead-1,离职\n";
        let report = admin.upload("/v1/staff/import", "text/csv", left.into()).await.ok();
        let codes: Vec<_> = report["notes"].as_array().unwrap().iter().map(|note| note["code"].clone()).collect();
        assert_eq!(codes, ["uncovered"], "the absence has nobody who covers any more");
        tells(&kit, "work_order_open", &["manager-1"]).await;
        let given = kit.published::<pb::TaskGiven>().await;
        let first = given.iter().find(|task| task.accounts == ["lead-1"]).unwrap();
        assert!(kit.published::<pb::TaskEnded>().await.iter().any(|ended| ended.task_id == first.task_id));
        let told = kit.published::<pb::StaffRegistered>().await;
        assert!(told.iter().any(|told| told.account == "lead-1" && told.left), "others are told, too");
    })
    .await;
}

#[tokio::test]
async fn work_whose_proof_does_not_come_is_the_leads_until_it_comes() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "service_request", "P2").await;
        let order = new_id();
        kit.publish(TENANT, order, 1, 0, opened(order, case)).await;
        let (work_order_id, case_id, department) = (order.to_string(), case.to_string(), "engineering".to_owned());
        macro_rules! about {
            ($message:ident) => {
                dispatch::$message {
                    work_order_id: work_order_id.clone(),
                    case_id: case_id.clone(),
                    department: department.clone(),
                    ..Default::default()
                }
            };
        }
        kit.publish(TENANT, order, 2, 1, about!(WorkOrderCompleted)).await;
        // The owner may have closed it long before.
        let closed = dispatch::ServiceRequestClosed { case_id: case_id.clone(), ..Default::default() };
        kit.publish(TENANT, case, 1, 0, closed).await;
        kit.publish(TENANT, order, 3, 2, about!(WorkOrderProofMissed)).await;
        tells(&kit, "work_order_proof_missed", &["lead-1"]).await;
        let given = kit.published::<pb::TaskGiven>().await;
        let missed = given.iter().find(|task| task.what == "work_order_proof_missed").unwrap();
        assert_eq!((&missed.work_order_id, &missed.department), (&work_order_id, &department));
        kit.publish(TENANT, order, 4, 3, about!(WorkOrderProofArrived)).await;
        eventually("it is withdrawn", || async {
            let ended = kit.published::<pb::TaskEnded>().await;
            ended.iter().any(|ended| ended.task_id == missed.task_id).then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn consultations_and_low_ratings_are_told_to_whoever_must_act() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "complaint", "P2").await;
        let (case_id, department) = (case.to_string(), "engineering".to_owned());
        let at_ms = kit.clock.now().timestamp_millis();
        let asked = complaint::ComplaintConsulted {
            case_id: case_id.clone(),
            department: department.clone(),
            at_ms,
            ..Default::default()
        };
        kit.publish(TENANT, case, 2, 0, asked).await;
        tells(&kit, "consultation", &["lead-1"]).await;
        let answered =
            complaint::ConsultationAnswered { case_id: case_id.clone(), department, at_ms, ..Default::default() };
        kit.publish(TENANT, case, 3, 2, answered).await;
        tells(&kit, "consultation_answered", &["desk-1"]).await;
        let survey = new_id();
        let rated = feedback_analytics::SurveyAnswered {
            survey_id: survey.to_string(),
            case_id,
            outcome: 1,
            at_ms,
            ..Default::default()
        };
        kit.publish(TENANT, survey, 1, 0, rated).await;
        tells(&kit, "low_rating", &["lead-1"]).await;
    })
    .await;
}

#[tokio::test]
async fn who_asked_for_a_hand_over_stands_in_its_end() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let case = opens(&kit, &world, "inquiry", "P2").await;
        let path = |verb: &str| format!("/v1/cases/{case}/{verb}");
        let body = json!({ "account": "handler-1", "reason": "请接" });
        let _ = person(&kit, Role::Supervisor, "lead-1").post(&path("hand-over"), body).await.ok();
        tells(&kit, "hand_over_offered", &["handler-1"]).await;
        let refuse = json!({ "reason": "满了" });
        let _ = person(&kit, Role::Handler, "handler-1").post(&path("refuse-hand-over"), refuse).await.ok();
        tells(&kit, "hand_over_refused", &["desk-1", "lead-1"]).await;
        let ended = kit.published::<pb::HandOverEnded>().await.remove(0);
        assert_eq!((&ended.by_account[..], &ended.from_account[..], ended.by_task), ("lead-1", "desk-1", true));
    })
    .await;
}

#[tokio::test]
async fn what_the_register_says_of_the_companys_people_is_told_without_their_names() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit).await;
        let told = kit.published::<pb::StaffRegistered>().await;
        let mut accounts: Vec<_> =
            told.iter().map(|told| (&told.account[..], &told.role[..], told.every_estate)).collect();
        accounts.sort_unstable();
        let expected = [
            ("company-1", "manager", true),
            ("desk-1", "receptionist", false),
            ("handler-1", "handler", false),
            ("lead-1", "supervisor", false),
            ("manager-1", "manager", false),
        ];
        assert_eq!(accounts, expected);
        let desk = told.iter().find(|told| told.account == "desk-1").unwrap();
        assert_eq!((&desk.estate_ids[..], &desk.department[..]), (&[world.estate.to_string()][..], "customer_service"));
        assert!(!format!("{told:?}").contains("武怡芳"));
        // The same file again tells nothing; one that differs in a row tells that row.
        let again = async |file: &str| {
            let _ = kit.client(Role::Admin).upload("/v1/staff/import", "text/csv", file.into()).await.ok();
            kit.published::<pb::StaffRegistered>().await.len()
        };
        assert_eq!(again(crate::stewardship::STAFF).await, 5);
        assert_eq!(again(&crate::stewardship::STAFF.replace("handler-1", "handler-9")).await, 6);
    })
    .await;
}
