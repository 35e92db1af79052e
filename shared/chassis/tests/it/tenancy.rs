use steward_testkit::{Kit, attack, db::new_id, with};

use crate::toy::Toy;

#[tokio::test]
async fn every_table_has_forced_row_security_and_the_service_owns_nothing() {
    with::<Toy>(async |t: Kit| {
        t.assert_row_security("toy").await;
    })
    .await;
}

#[tokio::test]
async fn no_operation_lets_in_who_may_not() {
    with::<Toy>(async |t: Kit| {
        // The toy's tallies are not of an estate and are born by the first addition, so only roles and tokens are attacked here.
        let operations = attack::operations::<Toy>();
        assert_eq!(operations.len(), 1);
        let path = operations[0].path.replace("{tally_id}", &new_id().to_string());
        let body = operations[0].body.clone().map(|(_, body)| body).unwrap();
        t.nobody().post(&path, body.clone()).await.expect(401);
        t.client(steward_kernel::Role::Owner).post(&path, body).await.problem(403, "forbidden");
    })
    .await;
}
