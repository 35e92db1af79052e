use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};
use steward_chassis::{
    Call, Error,
    db::{Passwords, provision},
};
use steward_kernel::{Actor, Role};
use steward_testkit::{
    Kit, OTHER_TENANT, TENANT, attack,
    db::{admin_url, new_id},
    eventually, with,
};

use crate::toy::{Command, Given, Tally, TallyId, Toy, engine};

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

#[tokio::test]
async fn nothing_is_done_for_a_closed_company_and_everything_for_the_others() {
    with::<Toy>(async |t: Kit| {
        let other = t.client_of(&Actor { tenant: OTHER_TENANT.into(), ..t.staff(Role::Handler) });
        let path = |tally: TallyId| format!("/v1/tallies/{tally}/add");
        let (theirs, ours) = (TallyId::from(new_id()), TallyId::from(new_id()));
        let _ = other.post(&path(theirs), json!({ "amount": 1 })).await.ok();
        let engine = engine(&t);
        let remind = Command::Remind { after: TimeDelta::seconds(10), now: t.clock.now() };
        for (tenant, tally) in [(OTHER_TENANT, theirs), (TENANT, ours)] {
            let call = Call::internal(Actor::service(tenant.into(), "test"));
            engine.execute::<Tally>(&call, tally, &remind, &()).await.unwrap();
        }

        t.execute("toy", &format!("INSERT INTO tenant VALUES ('{OTHER_TENANT}', '', now(), now())")).await;
        eventually("the company is refused", || async {
            let answer = other.post(&path(theirs), json!({ "amount": 1 })).try_send().await.unwrap();
            (answer.status == 403).then_some(())
        })
        .await;
        other.post(&path(theirs), json!({ "amount": 1 })).await.problem(403, "tenant-closed");
        let _ = t.client(Role::Handler).post(&path(ours), json!({ "amount": 1 })).await.ok();

        // What is heard of it is dropped; its timer rests.
        t.publish(OTHER_TENANT, new_id(), 1, 0, Given { tally: new_id(), amount: 1 }).await;
        t.publish(TENANT, new_id(), 1, 0, Given { tally: new_id(), amount: 2 }).await;
        t.clock.advance(TimeDelta::seconds(20));
        let mine = format!("SELECT string_agg(amount::text, ',') FROM heard WHERE tenant_id = '{TENANT}'");
        eventually("the others are heard", || async { t.text("toy", &mine).await.filter(|text| text == "2") }).await;
        let waits = "SELECT string_agg(tenant_id::text, ',') FROM timer";
        eventually("the others' timer has rung", || async {
            t.text("toy", waits).await.filter(|text| *text == OTHER_TENANT.to_string())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(t.count("toy", "heard").await, 1);
        assert_eq!(t.text("toy", waits).await, Some(OTHER_TENANT.to_string()));

        // A process of which nobody asked anything yet knows it, too.
        let fresh = steward_chassis::db::Db::connect_lazily(&steward_testkit::db::config(&t.database), "toy").unwrap();
        assert!(matches!(fresh.begin(OTHER_TENANT.into()).await, Err(Error::TenantClosed)));
        assert!(fresh.begin(TENANT.into()).await.is_ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_databases_of_one_cluster_are_provisioned_at_once() {
    with::<Toy>(async |first: Kit| {
        with::<Toy>(async |second: Kit| {
            let provisions = async |database: &str| {
                let admin: PgConnectOptions = admin_url().parse().unwrap();
                let mut admin = admin.database(database).connect().await.unwrap();
                for _ in 0..20 {
                    provision(&mut admin, "toy", &Passwords::same("test")).await.unwrap();
                }
            };
            tokio::join!(provisions(&first.database), provisions(&second.database));
        })
        .await;
    })
    .await;
}
