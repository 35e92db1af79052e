//! Work orders that are heard before the case they belong to is heard to go on.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_intake::Intake;
use steward_kernel::Role;
use steward_proto::{dispatch, feedback_analytics::SurveyInvited, intake as pb};
use steward_testkit::{Kit, TENANT, db::new_id, eventually, with};
use uuid::Uuid;

use crate::world::{case_id, codes, reaches, world};

/// Clocks that run of departments: measure, episode, start.
async fn running(kit: &Kit, case: Uuid) -> Vec<(String, i64, Value)> {
    let clocks = kit.client(Role::Manager).get(&format!("/v1/clocks?case_id={case}")).await.ok();
    let clocks = clocks["items"].as_array().cloned().unwrap_or_default();
    let is_meant = |clock: &&Value| clock["state"] == "running" && clock["party"] == "department";
    let meant = clocks.iter().filter(is_meant);
    let shown = meant.map(|clock| (&clock["measure"], clock["episode"].as_i64(), clock["started_at"].clone()));
    shown.map(|(measure, episode, at)| (measure.as_str().unwrap().to_owned(), episode.unwrap(), at)).collect()
}

/// How many events of that kind the stewardship of the case has recorded.
async fn recorded(kit: &Kit, kind: &str) -> String {
    let counted = format!("SELECT count(*)::text FROM event WHERE aggregate = 'stewardship' AND kind = '{kind}'");
    kit.text("intake", &counted).await.unwrap()
}

/// What dispatch tells of a case and of one work order of it. It happens when it is said, and is heard when all before it is.
struct Dispatch<'k> {
    kit: &'k Kit,
    case: Uuid,
    order: Uuid,
}

impl Dispatch<'_> {
    /// Time passes.
    fn later(&self, minutes: i64) -> &Self {
        self.kit.clock.advance(TimeDelta::minutes(minutes));
        self
    }

    async fn staged(&self, version: i32, stage: &str) {
        let (case_id, stage) = (self.case.to_string(), stage.to_owned());
        let staged = dispatch::ServiceRequestStageChanged { case_id, stage, ..Default::default() };
        self.kit.publish(TENANT, self.case, version, version - 1, staged).await;
    }

    async fn verified(&self, version: i32, satisfied: bool) {
        let (case_id, stage) = (self.case.to_string(), "in_work".to_owned());
        let verified = dispatch::ServiceRequestVerified { case_id, stage, satisfied, ..Default::default() };
        self.kit.publish(TENANT, self.case, version, version - 1, verified).await;
    }

    async fn closed(&self, version: i32) {
        let closed = dispatch::ServiceRequestClosed { case_id: self.case.to_string(), ..Default::default() };
        self.kit.publish(TENANT, self.case, version, version - 1, closed).await;
    }

    async fn ordered(&self, version: i32) {
        let (case_id, work_order_id) = (self.case.to_string(), self.order.to_string());
        let department = "engineering".to_owned();
        let ordered = dispatch::WorkOrderOpened { case_id, work_order_id, department, ..Default::default() };
        self.kit.publish(TENANT, self.order, version, version - 1, ordered).await;
    }

    async fn assigned(&self, version: i32) {
        let (case_id, work_order_id) = (self.case.to_string(), self.order.to_string());
        let (department, account) = ("engineering".to_owned(), "tech-1".to_owned());
        let assigned =
            dispatch::WorkOrderAssigned { case_id, work_order_id, department, account, ..Default::default() };
        self.kit.publish(TENANT, self.order, version, version - 1, assigned).await;
    }

    async fn accepted(&self, version: i32) {
        let (case_id, work_order_id) = (self.case.to_string(), self.order.to_string());
        let department = "engineering".to_owned();
        let accepted = dispatch::WorkOrderAccepted { case_id, work_order_id, department, ..Default::default() };
        self.kit.publish(TENANT, self.order, version, version - 1, accepted).await;
    }

    /// Something that changes nothing, before which nothing later is heard.
    async fn nothing(&self, version: i32) {
        let (case_id, work_order_id) = (self.case.to_string(), self.order.to_string());
        let arrived = dispatch::WorkOrderProofArrived { case_id, work_order_id, ..Default::default() };
        self.kit.publish(TENANT, self.order, version, version - 1, arrived).await;
    }
}

#[tokio::test]
async fn a_rework_order_that_is_heard_before_the_owners_word_waits_for_it() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let case = case_id(&world.opens(&kit, "service_request").await);
        let owner = kit.owner(world.resident);
        let dispatch = Dispatch { kit: &kit, case, order: new_id() };
        dispatch.later(10).staged(1, "done_reported").await;
        dispatch.later(10).verified(2, true).await;
        dispatch.closed(3).await;
        reaches(&owner, case, "closed", "closed").await;

        // The owner's word is not heard as long as something before it is missing.
        dispatch.later(40).verified(5, false).await;
        let said_at = kit.clock.now();
        for _ in 0..2 {
            dispatch.ordered(1).await;
        }
        dispatch.later(10).assigned(2).await;
        eventually("both wait", || async { (recorded(&kit, "work_waits").await == "2").then_some(()) }).await;
        assert_eq!(running(&kit, case).await, []);
        assert_eq!(codes(&owner, case).await, ["received", "work_done", "verified", "closed"]);
        assert_eq!(recorded(&kit, "task_given").await, "0");

        dispatch.staged(4, "owner_verified").await;
        let going = eventually("its department's clocks run", || async {
            let going = running(&kit, case).await;
            (!going.is_empty()).then_some(going)
        })
        .await;
        assert!(going.iter().all(|(_, episode, at)| (*episode, at) == (2, &json!(said_at))), "{going:?}");
        let told = ["received", "work_done", "verified", "closed", "rework", "technician_assigned"];
        assert_eq!(codes(&owner, case).await, told);
        let tasks = kit.published::<pb::TaskGiven>().await;
        let told: Vec<_> = tasks.iter().map(|task| (&task.what[..], &task.accounts)).collect();
        let (desk, technician) = (vec!["receptionist".to_owned()], vec!["tech-1".to_owned()]);
        assert_eq!(told, [("not_satisfied", &desk), ("work_order_assigned", &technician)]);
    })
    .await;
}

#[tokio::test]
async fn what_was_done_of_a_rework_before_its_reopening_is_heard_is_shown_in_the_new_episode() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let case = case_id(&world.opens(&kit, "service_request").await);
        let dispatch = Dispatch { kit: &kit, case, order: new_id() };
        // Nothing of the request is heard as long as its first step is missing.
        dispatch.later(10).verified(2, true).await;
        dispatch.closed(3).await;
        dispatch.later(40).verified(4, false).await;
        dispatch.ordered(1).await;
        dispatch.later(10).accepted(2).await;
        let manager = kit.client(Role::Manager);
        let answered = async |episode: i64| {
            eventually("its department has answered in that episode", || async {
                let clocks = manager.get(&format!("/v1/clocks?case_id={case}")).await.ok();
                let is_it = |clock: &Value| {
                    clock["party"] == "department"
                        && clock["measure"] == "acknowledge"
                        && clock["state"] == "met"
                        && clock["episode"] == episode
                };
                clocks["items"].as_array().unwrap().iter().any(is_it).then_some(())
            })
            .await;
        };
        answered(1).await;
        dispatch.staged(1, "in_work").await;
        answered(2).await;
    })
    .await;
}

/// Steps that happened in time and are heard after the case was called off stand in its timeline, and nothing runs or is to be done for them.
#[tokio::test]
async fn what_is_heard_after_the_case_was_called_off_starts_nothing() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let case = case_id(&world.opens(&kit, "service_request").await);
        let dispatch = Dispatch { kit: &kit, case, order: new_id() };
        dispatch.later(10).ordered(2).await;
        dispatch.later(10).assigned(3).await;
        // In dispatch its owner has found it good a moment before it is called off here.
        dispatch.later(10).staged(2, "done_reported").await;
        dispatch.later(10).verified(3, true).await;
        dispatch.closed(4).await;
        dispatch.later(10);
        let desk = kit.client(Role::Handler);
        let _ = desk.post(&format!("/v1/cases/{case}/cancel"), json!({ "reason": "不需要了" })).await.ok();
        dispatch.later(1).nothing(1).await;
        dispatch.staged(1, "needs_info").await;
        let invited = SurveyInvited { case_id: case.to_string(), ..Default::default() };
        kit.publish(TENANT, new_id(), 1, 0, invited).await;
        eventually("all is heard", || async {
            let heard = "SELECT string_agg(version::text, ',' ORDER BY version) FROM inbox";
            (kit.text("intake", heard).await.as_deref() == Some("1,3,4")).then_some(())
        })
        .await;
        let view = reaches(&desk, case, "cancelled", "cancelled").await;
        assert_eq!(view["satisfaction_asked"], json!(false));
        let mut told = codes(&desk, case).await;
        told.sort_unstable();
        assert_eq!(told, ["cancelled", "received", "technician_assigned", "work_done"]);
        assert_eq!(running(&kit, case).await, []);
        assert_eq!((recorded(&kit, "task_given").await, recorded(&kit, "escalated").await), ("0".into(), "0".into()));
    })
    .await;
}
