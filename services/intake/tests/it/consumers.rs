//! What intake hears of the other services: steps of the owner's case.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use steward_intake::Intake;
use steward_kernel::Role;
use steward_proto::{complaint, dispatch, feedback_analytics as feedback, intake as pb};
use steward_testkit::{Client, Kit, TENANT, db::new_id, eventually, with};
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
async fn what_is_assessed_anew_while_it_is_investigated_is_investigated_still() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let case = case_id(&world.opens(&kit, "complaint").await);
        let assessed = |category: &str, stage: &str| {
            about!(complaint::ComplaintAssessed, case, category: category.into(), stage: stage.into())
        };
        kit.publish(TENANT, case, 2, 0, assessed("noise.neighbour", "")).await;
        reaches(&kit.owner(world.resident), case, "in_progress", "assessed").await;
        kit.publish(TENANT, case, 3, 2, about!(complaint::ComplaintConsulted, case)).await;
        kit.publish(TENANT, case, 4, 3, assessed("service.quality", "investigating")).await;
        let manager = kit.client(Role::Manager);
        eventually("it is reclassified", || async {
            let seen = manager.get(&format!("/v1/cases/{case}")).await.ok();
            (seen["category"] == "service.quality" && seen["stage"] == "investigating").then_some(())
        })
        .await;
    })
    .await;
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
        let on_word = json!({ "reason": "不用了", "taken_down": { "how": "phone" } });
        let cancelled = kit.client(Role::Receptionist).post(&format!("/v1/cases/{case}/cancel"), on_word).await;
        let problem = cancelled.problem(422, "intake/taken-down-elsewhere");
        assert_eq!(problem["errors"][0]["pointer"], "/taken_down");
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
        let departed = about!(dispatch::WorkOrderDeparted, case, work_order_id: order.to_string());
        kit.publish(TENANT, order, 2, 1, departed).await;
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
async fn a_case_follows_what_becomes_of_the_work_for_its_complaint_and_of_the_call_back() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let case = case_id(&world.opens(&kit, "complaint").await);
        let owner = kit.owner(world.resident);
        kit.publish(TENANT, case, 2, 0, about!(complaint::ComplaintAcknowledged, case)).await;
        kit.publish(TENANT, case, 3, 2, about!(complaint::ComplaintDecided, case, open_remedies: 1)).await;
        let called_off = about!(
            complaint::RemedyCalledOff, case, open_remedies: 1, fallen_away: true, stage: "remedying".into(),
        );
        kit.publish(TENANT, case, 4, 3, called_off).await;
        has_parts(&kit, case, &["received", "acknowledged", "decided", "remedy_called_off"]).await;
        reaches(&owner, case, "in_progress", "remedying").await;
        let duties = || async {
            let told = kit.published::<pb::TaskGiven>().await;
            told.into_iter().map(|task| task.what).collect::<Vec<_>>()
        };
        eventually("somebody has to do something about it", || async {
            duties().await.contains(&"remedy_fell_away".to_owned()).then_some(())
        })
        .await;
        kit.publish(TENANT, case, 5, 4, about!(complaint::ComplaintDecided, case, open_remedies: 0)).await;
        reaches(&owner, case, "resolved", "decided").await;
        kit.publish(TENANT, case, 6, 5, about!(complaint::ComplaintWorkResumed, case, open_remedies: 1)).await;
        reaches(&owner, case, "in_progress", "remedying").await;
        kit.publish(TENANT, case, 7, 6, about!(complaint::RemedyCompleted, case)).await;
        reaches(&owner, case, "resolved", "decided").await;

        let called =
            |result: &str, over| about!(complaint::ComplaintCalledBack, case, result: result.into(), over: over);
        kit.publish(TENANT, case, 8, 7, called("not_reached", false)).await;
        kit.publish(TENANT, case, 9, 8, called("reached", true)).await;
        has_parts(
            &kit,
            case,
            &[
                "received",
                "acknowledged",
                "decided",
                "remedy_called_off",
                "decided",
                "remedy_started",
                "remedy_done",
                "followed_up",
            ],
        )
        .await;
        let clocks = kit.client(Role::Manager).get(&format!("/v1/clocks?case_id={case}&measure=follow_up")).await.ok();
        let states: Vec<_> = clocks["items"].as_array().unwrap().iter().map(|clock| &clock["state"]).collect();
        assert!(states.contains(&&json!("met")) && !states.contains(&&json!("running")), "{clocks}");
        kit.publish(TENANT, case, 10, 9, about!(complaint::ComplaintWithdrawn, case)).await;
        reaches(&owner, case, "cancelled", "withdrawn").await;
        // What belongs to an ended complaint is nobody's business any more.
        let late = about!(complaint::RemedyCalledOff, case, stage: "withdrawn".into());
        kit.publish(TENANT, case, 11, 10, late).await;
        kit.relayed().await;
        assert!(!codes(&owner, case).await.ends_with(&["remedy_called_off".to_owned()]));
    })
    .await;
}

/// A window of an hour that begins in so many hours, in milliseconds.
fn window(kit: &Kit, hours: i64) -> (i64, i64) {
    let from = kit.clock.now().timestamp_millis() + hours * 3_600_000;
    (from, from + 3_600_000)
}

#[tokio::test]
async fn a_visit_that_is_moved_is_a_step_with_both_windows_a_promise_and_a_clock() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let case = case_id(&world.opens(&kit, "service_request").await);
        let owner = kit.owner(world.resident);
        let (first, second, third) = (window(&kit, 5), window(&kit, 30), window(&kit, 50));
        let confirmed = about!(
            dispatch::ServiceRequestConfirmed, case, appointment_from_ms: first.0, appointment_to_ms: first.1,
        );
        kit.publish(TENANT, case, 2, 0, confirmed).await;
        let moved = |to: (i64, i64), from: (i64, i64)| {
            about!(
                dispatch::AppointmentSet, case,
                from_ms: to.0, to_ms: to.1, previous_from_ms: from.0, previous_to_ms: from.1,
            )
        };
        kit.publish(TENANT, case, 3, 2, moved(second, first)).await;
        kit.publish(TENANT, case, 4, 3, moved(third, second)).await;
        has_parts(&kit, case, &["received", "service_confirmed", "appointment_moved", "appointment_moved"]).await;
        let timeline = owner.get(&format!("/v1/cases/{case}/timeline")).await.ok();
        let begins = |step: usize, field: &str| {
            let at = timeline["items"][step][field]["from"].as_str().map(|at| at.parse::<DateTime<Utc>>().unwrap());
            at.map(|at| at.timestamp_millis())
        };
        assert_eq!((begins(1, "appointment"), begins(1, "previous_appointment")), (Some(first.0), None));
        assert_eq!((begins(2, "appointment"), begins(2, "previous_appointment")), (Some(second.0), Some(first.0)));
        assert_eq!((begins(3, "appointment"), begins(3, "previous_appointment")), (Some(third.0), Some(second.0)));
        let told = kit.published::<pb::CaseProgressed>().await;
        let windows: Vec<_> =
            told.iter().map(|told| (told.appointment_from_ms, told.previous_from_ms, &told.time_zone[..])).collect();
        let zone = "Asia/Shanghai";
        assert_eq!(windows, [(first.0, 0, zone), (second.0, first.0, zone), (third.0, second.0, zone)]);

        // One promise is open, and it is moved where it was made.
        let promises = owner.get(&format!("/v1/promises?case_id={case}")).await.ok();
        let promises = promises["items"].as_array().unwrap();
        let open: Vec<&Value> = promises.iter().filter(|promise| promise["state"] == "open").collect();
        assert_eq!((promises.len(), open.len()), (3, 1), "{promises:?}");
        let path = format!("/v1/promises/{}/move", open[0]["promise_id"].as_str().unwrap());
        let body = json!({ "due_at": kit.clock.now() + TimeDelta::days(3), "reason": "业主改时间" });
        let desk = kit.client(Role::Receptionist);
        desk.post(&path, body).await.problem(409, "intake/appointment-of-request");
    })
    .await;
}

#[tokio::test]
async fn the_owner_sees_the_photos_that_prove_the_work_and_nobody_elses() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let (owner, neighbour) = (kit.owner(world.resident), kit.owner(world.neighbour));
        let photo = async |client: &Client| {
            let stored = client.upload("/v1/files", "image/png", b"\x89PNG\r\n\x1a\nx".into()).await.created();
            stored["file_id"].as_str().unwrap().to_owned()
        };
        let technician = kit.client(Role::Technician);
        let (proof, evidence, remedy) = (photo(&technician).await, photo(&technician).await, photo(&technician).await);
        let neighbours = photo(&neighbour).await;
        let case = case_id(&world.opens(&kit, "service_request").await);
        let complaint = case_id(&world.opens(&kit, "complaint").await);
        let content = |file: &str| format!("/v1/files/{file}/content");
        let _ = owner.get(&content(&proof)).await.problem(404, "not-found");

        let order = new_id();
        let done = |case: Uuid, remedy: String, files: &[&String]| dispatch::WorkOrderCompleted {
            work_order_id: order.to_string(),
            remedy_id: remedy,
            file_ids: files.iter().map(ToString::to_string).collect(),
            ..about!(dispatch::WorkOrderCompleted, case)
        };
        // Whatever a technician names: what another owner has stored stays theirs.
        kit.publish(TENANT, order, 1, 0, done(case, String::new(), &[&proof, &neighbours])).await;
        // What a complaint had done may lie in somebody else's home.
        kit.publish(TENANT, order, 2, 1, done(complaint, new_id().to_string(), &[&remedy])).await;
        let shown = eventually("the case shows its proof", || async {
            let case = owner.get(&format!("/v1/cases/{case}")).await.ok();
            (case["proof_file_ids"] != json!([])).then_some(case)
        })
        .await;
        assert_eq!(shown["proof_file_ids"][0], json!(proof));
        assert_eq!(owner.get(&content(&proof)).await.status, 200);
        let _ = owner.get(&format!("/v1/files/{proof}")).await.ok();
        for hidden in [&evidence, &remedy, &neighbours] {
            let _ = owner.get(&content(hidden)).await.problem(404, "not-found");
        }
        let _ = neighbour.get(&content(&proof)).await.problem(404, "not-found");
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
async fn a_case_ends_with_what_was_called_off_with_it_and_nobody_says_that_its_owner_did() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let owner = kit.owner(world.resident);
        for kind in ["complaint", "suggestion"] {
            // Its owner came back on it before it was called off; the service that works on it knows which of both stands.
            let case = case_id(&world.opens(&kit, kind).await);
            let _ = owner.post(&format!("/v1/cases/{case}/cancel"), json!({ "reason": "算了" })).await.ok();
            if kind == "complaint" {
                kit.publish(TENANT, case, 2, 0, about!(complaint::ComplaintConfirmed, case)).await;
                reaches(&owner, case, "in_progress", "investigating").await;
                let withdrawn = about!(complaint::ComplaintWithdrawn, case, called_off: true);
                kit.publish(TENANT, case, 3, 2, withdrawn).await;
            } else {
                kit.publish(TENANT, case, 2, 0, about!(feedback::SuggestionReopened, case)).await;
                reaches(&owner, case, "in_progress", "considered").await;
                kit.publish(TENANT, case, 3, 2, about!(feedback::SuggestionWithdrawn, case)).await;
            }
            reaches(&owner, case, "cancelled", "withdrawn").await;
            let timeline = owner.get(&format!("/v1/cases/{case}/timeline")).await.ok();
            let last = timeline["items"].as_array().unwrap().last().unwrap().clone();
            assert_eq!((&last["code"], &last["by"]), (&json!("cancelled"), &json!("staff")), "{kind}");
        }
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
