//! Contracts that stand in git, rules that a machine checks, and the attack on every route.

use steward_chassis::run;
use steward_dispatch::Dispatch;
use steward_testkit::{
    attack::{self, Targets},
    db::new_id,
    document,
    golden::golden,
    rules, with,
};
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
fn two_roles_add_up_to_no_more_than_either() {
    attack::pairs_add_nothing::<Dispatch>();
}

#[test]
fn every_operation_has_an_example_that_a_test_sends() {
    document::examples::<Dispatch>("tests/it");
}

#[test]
fn imports_point_one_way() {
    rules::imports(format!("{HERE}/src"));
}

/// A confirmed request of the world's estate, its work order, and what names things there.
async fn named(world: &World, technician: &str) -> (Uuid, String, Vec<(&'static str, String)>) {
    let case_id = world.confirmed().await;
    let order = world.order(case_id).await;
    let read = world.handler().get(&order).await.ok();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let things = vec![
        ("case_id", case_id.to_string()),
        ("estate_id", world.estate.to_string()),
        ("resident_id", world.resident.to_string()),
        ("unit_id", text(&read["unit_id"])),
        ("work_order_id", text(&read["work_order_id"])),
        ("reference", text(&read["reference"])),
        ("technician_id", text(&world.technician(technician).await)),
        ("instead_of", text(&world.technician(technician).await)),
    ];
    (case_id, order, things)
}

#[tokio::test]
async fn no_route_lets_a_stranger_in() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let elsewhere_in_it = World {
            kit: world.kit.clone(),
            estate: world.other_estate,
            other_estate: world.estate,
            resident: new_id(),
        };
        let (case_id, order, hidden) = named(&world, "T001").await;
        world.walk(&order, &["assign"]).await;
        let (_, _, own) = named(&elsewhere_in_it, "T004").await;
        let elsewhere = &[("file_ids", "files are intake's; whether one may be shown is asked there")];
        let targets = Targets { hidden: &hidden, own: &own, elsewhere, ..Targets::default() };
        let attacked = attack::attack::<Dispatch>(&world.kit, targets).await;
        golden(format!("{HERE}/attacks.golden.md"), &attacked);
        assert_eq!(world.status(&order).await, "assigned");
        assert_eq!(world.stage(case_id).await, "routed");
        world.kit.assert_row_security("dispatch").await;
    })
    .await;
}

#[tokio::test]
async fn what_stands_nowhere_is_answered_in_one_form() {
    with::<Dispatch>(async |kit| attack::misses::<Dispatch>(&kit).await).await;
}
