//! Contracts that stand in git, rules that a machine checks, and the attack on every route.

use steward_chassis::run;
use steward_complaint::Complaint;
use steward_testkit::{attack, document, golden::golden, rules, with};

use crate::a_complaint;

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

#[tokio::test]
async fn no_route_lets_a_stranger_in() {
    with::<Complaint>(async |kit| {
        let known = a_complaint(&kit).await;
        attack::attack::<Complaint>(&kit, &[("case_id", known.case_id)]).await;
        assert_eq!(known.view(&kit).await["version"], 1);
        kit.assert_row_security("complaint").await;
    })
    .await;
}
