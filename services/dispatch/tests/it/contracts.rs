//! Contracts that stand in git, rules that a machine checks, and the attack on every route.

use steward_chassis::run;
use steward_dispatch::Dispatch;
use steward_testkit::{attack, document, golden::golden, rules, with};
use uuid::Uuid;

use crate::world::World;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_contracts_are_those_in_git() {
    let openapi = run::openapi::<Dispatch>().to_pretty_json().unwrap() + "\n";
    golden(format!("{HERE}/openapi.golden.json"), &openapi);
    golden(format!("{HERE}/problems.golden.md"), &run::problems_document::<Dispatch>());
    golden(format!("{HERE}/permissions.golden.md"), &attack::permissions_document::<Dispatch>());
}

#[test]
fn every_operation_has_an_example_that_a_test_sends() {
    document::examples::<Dispatch>("tests/it");
}

#[test]
fn imports_point_one_way() {
    rules::imports(format!("{HERE}/src"));
}

#[tokio::test]
async fn no_route_lets_a_stranger_in() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let case_id = world.confirmed().await;
        let order = world.order(case_id).await;
        world.walk(&order, &["assign"]).await;
        let order_id: Uuid = order.rsplit('/').next().unwrap().parse().unwrap();
        let technician_id: Uuid = world.technician("T001").await.as_str().unwrap().parse().unwrap();
        let ids = [("case_id", case_id), ("work_order_id", order_id), ("technician_id", technician_id)];
        attack::attack::<Dispatch>(&world.kit, &ids).await;
        assert_eq!(world.status(&order).await, "assigned");
        assert_eq!(world.stage(case_id).await, "routed");
        world.kit.assert_row_security("dispatch").await;
    })
    .await;
}
