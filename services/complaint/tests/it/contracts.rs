//! Contracts that stand in git, rules that a machine checks, and the attack on every route.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_chassis::run;
use steward_complaint::Complaint;
use steward_kernel::Role;
use steward_proto::intake::ComplaintReceived;
use steward_testkit::{
    Kit, TENANT,
    attack::{self, Targets},
    db::new_id,
    document, eventually,
    golden::golden,
    rules, with,
};

use crate::{Known, a_complaint_in};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_contracts_are_those_in_git() {
    let openapi = run::openapi::<Complaint>().to_pretty_json().unwrap() + "\n";
    golden(format!("{HERE}/openapi.golden.json"), &openapi);
    golden(format!("{HERE}/problems.golden.md"), &run::problems_document::<Complaint>());
    golden(format!("{HERE}/permissions.golden.md"), &attack::permissions_document::<Complaint>());
}

#[test]
fn two_roles_add_up_to_no_more_than_either() {
    attack::pairs_add_nothing::<Complaint>();
}

#[test]
fn every_operation_has_an_example_that_a_test_sends() {
    document::examples::<Complaint>("tests/it");
}

#[test]
fn imports_point_one_way() {
    rules::imports(format!("{HERE}/src"));
}

/// Asks a department about a complaint that was taken up; its view.
async fn asked(kit: &Kit, known: &Known) -> Value {
    let handler = kit.client(Role::Handler);
    known.does(&handler, "acknowledge", json!({})).await;
    let points = json!([{ "text": "楼上深夜拖动桌椅" }]);
    known.does(&handler, "assess", json!({ "severity": "medium", "points": points })).await;
    known.does(&handler, "consult", json!({ "department": "security", "question": "属实吗？" })).await
}

/// Answers the department's question, plans and decides, with a commitment; its view.
async fn answered_and_decided(kit: &Kit, known: &Known, view: &Value) -> Value {
    let lead = kit.client(Role::Supervisor);
    let asked = &view["consultations"][0]["consultation_id"];
    known.does(&lead, "answer-consultation", json!({ "consultation_id": asked, "answer": "属实" })).await;
    let plan = json!({ "text": "上门沟通", "departments": ["security"], "told_owner_via": "phone" });
    known.does(&lead, "plan", plan).await;
    let outcome = json!({ "point_id": view["points"][0]["point_id"], "outcome": "upheld", "reason": "属实" });
    let due_on = (kit.clock.now() + TimeDelta::days(9)).date_naive();
    let commitments = json!([{ "text": "加装减震垫", "due_on": due_on }]);
    known.does(&lead, "decide", json!({ "points": [outcome], "commitments": commitments })).await
}

/// A complaint about a unit of an estate of its own, and what names things there.
async fn named(kit: &Kit) -> (Known, Vec<(&'static str, String)>) {
    let (known, unit) = (Known::new(), new_id());
    let received = ComplaintReceived { unit_id: unit.to_string(), ..known.received() };
    let reference = ("reference", received.reference.clone());
    kit.publish(TENANT, known.case_id, 1, 0, received).await;
    let (handler, path) = (kit.client(Role::Handler), format!("/v1/complaints/{}", known.case_id));
    eventually("the complaint is here", || async { (handler.get(&path).await.status == 200).then_some(()) }).await;
    let ids = [
        ("case_id", known.case_id),
        ("estate_id", known.estate_id),
        ("resident_id", known.resident_id),
        ("unit_id", unit),
    ];
    (known, ids.map(|(name, id)| (name, id.to_string())).into_iter().chain([reference]).collect())
}

#[tokio::test]
async fn no_route_lets_a_stranger_in() {
    with::<Complaint>(async |kit| {
        let ((known, mut hidden), (proposed, own)) = (named(&kit).await, named(&kit).await);
        let view = asked(&kit, &known).await;
        let view = answered_and_decided(&kit, &known, &view).await;
        let within = [("point", "points"), ("consultation", "consultations"), ("commitment", "commitments")];
        let within = within.map(|(name, list)| (format!("{name}_id"), view[list][0][format!("{name}_id")].clone()));
        hidden.extend(within.iter().map(|(name, id)| (name.as_str(), id.as_str().unwrap().to_owned())));

        // In their estate the attackers have a complaint at each stage at which something within it is named.
        proposed.is_proposed(&kit).await;
        let consulted = a_complaint_in(&kit, proposed.estate_id).await;
        asked(&kit, &consulted).await;
        let decided = a_complaint_in(&kit, proposed.estate_id).await;
        let question = asked(&kit, &decided).await;
        answered_and_decided(&kit, &decided, &question).await;
        let own_in = &[
            ("answer_consultation", "case_id", consulted.case_id.to_string()),
            ("keep_commitment", "case_id", decided.case_id.to_string()),
        ];
        let targets = Targets { hidden: &hidden, own: &own, own_in, ..Targets::default() };
        let attacked = attack::attack::<Complaint>(&kit, targets).await;
        golden(format!("{HERE}/attacks.golden.md"), &attacked);
        assert_eq!(known.view(&kit).await["version"], view["version"]);
        kit.assert_row_security("complaint").await;
    })
    .await;
}

#[tokio::test]
async fn what_stands_nowhere_is_answered_in_one_form() {
    with::<Complaint>(async |kit| attack::misses::<Complaint>(&kit).await).await;
}
