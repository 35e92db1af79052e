//! What intake hears of the other services: steps of the owner's case.

use serde_json::json;
use steward_intake::Intake;
use steward_kernel::Role;
use steward_proto::{complaint, dispatch, feedback_analytics as feedback, intake as pb};
use steward_testkit::{Kit, TENANT, db::new_id, eventually, with};
use uuid::Uuid;

use crate::world::{case_id, codes, reaches, world};

/// Fills in what all events about a case have.
macro_rules! about {
    ($module:ident::$message:ident, $case:expr $(, $field:ident: $value:expr)* $(,)?) => {
        $module::$message {
            case_id: $case.to_string(),
            at_ms: 1_795_420_800_000,
            $($field: $value,)*
            ..Default::default()
        }
    };
}

async fn has_parts(kit: &Kit, case: Uuid, wanted: &[&str]) {
    let desk = kit.client(Role::Manager);
    eventually("the timeline is complete", || async { (codes(&desk, case).await == wanted).then_some(()) }).await;
}

#[tokio::test]
async fn a_complaint_is_followed_to_its_end_whatever_the_order_of_delivery() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let case = case_id(&world.opens(&kit, "complaint").await);
        let owner = kit.owner(world.resident);
        let order = new_id();
        let assessed = about!(complaint::ComplaintAssessed, case, category: "noise.neighbour".into());
        kit.publish(TENANT, case, 3, 2, assessed.clone()).await;
        kit.publish(TENANT, case, 2, 0, about!(complaint::ComplaintAcknowledged, case)).await;
        kit.publish(TENANT, case, 3, 2, assessed).await;
        kit.publish(TENANT, case, 4, 3, about!(complaint::ComplaintConsulted, case)).await;
        kit.publish(TENANT, case, 5, 4, about!(complaint::ComplaintAwaitingOwner, case)).await;
        reaches(&owner, case, "awaiting_owner", "awaiting_owner").await;
        kit.publish(TENANT, case, 6, 5, about!(complaint::ComplaintDecided, case, open_remedies: 0)).await;
        reaches(&owner, case, "resolved", "decided").await;

        let remedy = new_id().to_string();
        kit.publish(
            TENANT,
            order,
            1,
            0,
            about!(dispatch::WorkOrderOpened, case, remedy_id: remedy, work_order_id: order.to_string()),
        )
        .await;
        reaches(&owner, case, "in_progress", "remedying").await;
        kit.publish(TENANT, order, 2, 1, about!(dispatch::WorkOrderDeparted, case)).await;
        has_parts(
            &kit,
            case,
            &[
                "received",
                "acknowledged",
                "assessed",
                "consulting",
                "awaiting_owner",
                "decided",
                "remedy_started",
                "technician_on_the_way",
            ],
        )
        .await;
        kit.publish(TENANT, case, 7, 6, about!(complaint::RemedyCompleted, case)).await;
        kit.publish(TENANT, case, 8, 7, about!(complaint::ComplaintConfirmed, case, satisfied: true)).await;
        kit.publish(TENANT, case, 9, 8, about!(complaint::ComplaintClosed, case)).await;
        let closed = reaches(&owner, case, "closed", "closed").await;
        assert_eq!(closed["category"], "noise.neighbour");
        let told = kit.published::<pb::CaseProgressed>().await;
        assert_eq!((told.len(), told[0].human, &told[0].status[..]), (10, true, "in_progress"));
    })
    .await;
}

#[tokio::test]
async fn one_more_need_becomes_one_linked_case() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let case = case_id(&world.opens(&kit, "service_request").await);
        let owner = kit.owner(world.resident);
        kit.publish(TENANT, case, 2, 0, about!(dispatch::ServiceRequestConfirmed, case)).await;
        kit.publish(TENANT, case, 3, 2, about!(dispatch::ServiceRequestStageChanged, case, stage: "routed".into()))
            .await;
        kit.publish(TENANT, case, 4, 3, about!(dispatch::ServiceRequestStageChanged, case, stage: "in_work".into()))
            .await;
        kit.publish(
            TENANT,
            case,
            5,
            4,
            about!(dispatch::ServiceRequestStageChanged, case, stage: "done_reported".into()),
        )
        .await;
        reaches(&owner, case, "resolved", "done_reported").await;
        let need = about!(
            dispatch::FurtherNeedRaised, case,
            words: "顺便看看阳台的门".into(), resident_id: world.resident.to_string(), language: "zh-Hans".into(),
        );
        kit.publish(TENANT, case, 6, 5, need.clone()).await;
        // As after a restored store: the same need under another version is still the same need.
        kit.publish(TENANT, case, 7, 6, need).await;
        kit.publish(TENANT, case, 8, 7, about!(dispatch::ServiceRequestVerified, case, satisfied: true)).await;
        kit.publish(TENANT, case, 9, 8, about!(dispatch::ServiceRequestClosed, case)).await;
        let first = reaches(&owner, case, "closed", "closed").await;
        has_parts(
            &kit,
            case,
            &["received", "service_confirmed", "routed", "work_done", "linked", "verified", "closed"],
        )
        .await;

        let cases = owner.get("/v1/cases?kind=service_request").await.ok();
        assert_eq!(cases["items"].as_array().unwrap().len(), 2);
        let born = cases["items"].as_array().unwrap().iter().find(|one| case_id(one) != case).unwrap();
        assert_eq!((&born["words"], &born["linked_case_ids"]), (&json!("顺便看看阳台的门"), &json!([case])));
        assert_eq!(first["linked_case_ids"], json!([case_id(born)]));
        assert_eq!(kit.published::<pb::ServiceRequestReceived>().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_suggestion_and_its_survey_reach_the_owner() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let case = case_id(&world.opens(&kit, "suggestion").await);
        let owner = kit.owner(world.resident);
        let survey = new_id();
        kit.publish(TENANT, case, 2, 0, about!(feedback::SuggestionConsidered, case)).await;
        kit.publish(TENANT, case, 3, 2, about!(feedback::SuggestionAccepted, case)).await;
        reaches(&owner, case, "resolved", "accepted").await;
        kit.publish(TENANT, survey, 1, 0, about!(feedback::SurveyInvited, case)).await;
        kit.publish(TENANT, survey, 2, 1, about!(feedback::SurveyAnswered, case, outcome: 5)).await;
        has_parts(&kit, case, &["received", "considered", "accepted", "satisfaction_asked", "survey_answered"]).await;
        let view = owner.get(&format!("/v1/cases/{case}")).await.ok();
        assert_eq!((&view["satisfaction_asked"], &view["status"]), (&json!(true), &json!("resolved")));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_handled_is_parked_and_the_rest_goes_on() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let case = case_id(&world.opens(&kit, "complaint").await);
        let unknown = new_id();
        kit.publish(TENANT, unknown, 1, 0, about!(complaint::ComplaintAcknowledged, unknown)).await;
        let reason = kit.parked("intake").await;
        assert!(reason.contains("intake/no-such-case"), "{reason}");
        kit.publish_bytes("complaint", "complaint-decided.v1", TENANT, new_id(), (1, 0), vec![0xff, 0xff]).await;
        kit.publish(TENANT, case, 2, 0, about!(complaint::ComplaintAcknowledged, case)).await;
        reaches(&kit.client(Role::Handler), case, "in_progress", "acknowledged").await;
        eventually("both are parked", || async { (kit.count("intake", "dead_letter").await == 2).then_some(()) }).await;
        kit.forgive_parked("intake").await;
    })
    .await;
}
