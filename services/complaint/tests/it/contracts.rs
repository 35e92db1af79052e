//! Contracts that stand in git, rules that a machine checks, and the attack on every route.

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

use crate::Known;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_contracts_are_those_in_git() {
    let openapi = run::openapi::<Complaint>().to_pretty_json().unwrap() + "\n";
    golden(format!("{HERE}/openapi.golden.json"), &openapi);
    golden(format!("{HERE}/problems.golden.md"), &run::problems_document::<Complaint>());
    golden(format!("{HERE}/permissions.golden.md"), &attack::permissions_document::<Complaint>());
}

#[test]
fn every_operation_has_an_example_that_a_test_sends() {
    document::examples::<Complaint>("tests/it");
}

#[test]
fn imports_point_one_way() {
    rules::imports(format!("{HERE}/src"));
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
        let ((known, hidden), (_, own)) = (named(&kit).await, named(&kit).await);
        // What stands within a complaint is named beside it.
        let elsewhere = &["point_id", "consultation_id", "commitment_id"];
        let targets = Targets { hidden: &hidden, own: &own, elsewhere };
        attack::attack::<Complaint>(&kit, targets).await;
        assert_eq!(known.view(&kit).await["version"], 1);
        kit.assert_row_security("complaint").await;
    })
    .await;
}

#[tokio::test]
async fn what_stands_nowhere_is_answered_in_one_form() {
    with::<Complaint>(async |kit| attack::misses::<Complaint>(&kit).await).await;
}
