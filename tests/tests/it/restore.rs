//! After a disaster the database is restored to a moment before it: what was answered until then is there exactly once in every
//! service, with all its consequences; nothing of what came later is anywhere; and work goes on.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use steward_chassis::{Clock, db::schema};
use steward_e2e::{
    company::{Company, all},
    crowd::{Crowd, Manner, Opened, all_opened, everything_is_there_once, everything_is_well, ids},
    processes::{PATIENCE, SERVICES, System},
};
use steward_kernel::Role;
use steward_testkit::{Client, servers::Postgres, wait::within};
use tokio::task::block_in_place;

/// What an operator can do to a database within a second.
const DISASTER: &str = "TRUNCATE intake.event; DELETE FROM complaint.inbox; DROP SCHEMA notification CASCADE";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_heals_by_itself_when_the_message_store_is_lost_too() {
    let mut company = Stricken::make().await;
    company.stop().await;
    company.system.nats.wipe();
    company.restore_and_check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_heals_with_new_streams_when_the_message_store_knows_a_future_that_never_was() {
    let mut company = Stricken::make().await;
    company.stop().await;
    let mut rebuild = company.system.streams(&["rebuild", "--yes"]);
    assert!(block_in_place(|| rebuild.status().unwrap().success()), "steward streams rebuild");
    company.restore_and_check().await;
}

/// A list of one page that tells what has changed, too.
const FEED: &str = "/v1/departments";

/// From where on that list tells what has changed.
async fn since(client: &Client) -> String {
    let page = client.get(FEED).await.ok();
    page["since"].as_str().unwrap().to_owned()
}

/// A company at work, when disaster has struck.
struct Stricken {
    postgres: Postgres,
    system: System,
    company: Company,
    admin: Client,
    cases: Vec<Opened>,
    /// Complaints that were acknowledged before the moment, and such as were after it.
    acknowledged: [Vec<String>; 2],
    /// When all was well.
    moment: DateTime<Utc>,
    /// From where on an app lists what has changed, as it was told after that moment.
    since: String,
}

impl Stricken {
    async fn make() -> Self {
        let postgres = Postgres::start_archiving();
        let mut system = System::prepare_guarded(&postgres.url).await;
        system.start_all().await;
        let admin = system.client(Role::Admin);
        let company = Company::import(&admin, 50).await;

        let crowd = at_work(&system, &company);
        crowd.is_served(40, "before the backup").await;
        postgres.back_up().await;
        crowd.is_served(40, "after the backup").await;
        let complaints = within(PATIENCE, "complaints are there", || async {
            Some(ids(&all(&admin, "/v1/complaints").await)).filter(|complaints| complaints.len() >= 10)
        })
        .await;
        let acknowledged = [complaints[..5].to_vec(), complaints[5..10].to_vec()];
        acknowledge(&system, &acknowledged[0]).await;
        // While everybody works: for some cases, only some services have heard of them.
        let moment = Clock::System.now();
        acknowledge(&system, &acknowledged[1]).await;
        crowd.is_served(40, "after the moment that will be restored").await;
        let cases = all_opened(crowd.disperse().await);
        system.quiet(PATIENCE).await;
        let since = since(&admin).await;
        Self { postgres, system, company, admin, cases, acknowledged, moment, since }
    }

    /// Disaster, and the operator stops everything.
    async fn stop(&mut self) {
        let mut operator = PgConnection::connect(&self.postgres.url).await.unwrap();
        sqlx::raw_sql(DISASTER).execute(&mut operator).await.unwrap();
        operator.close().await.unwrap();
        for name in SERVICES {
            assert!(block_in_place(|| self.system.service_mut(name).stop()), "{name} ended well");
        }
    }

    async fn restore_and_check(mut self) {
        self.postgres.restore(self.moment).await;
        let restored = Clock::System.now();
        for name in SERVICES {
            self.system.start(name);
        }
        self.system.ready().await;

        // What was given out in the future that never was would skip what is done from now on.
        let feed = |since: &str| self.admin.get(&format!("{FEED}?since={since}"));
        feed(&self.since).await.problem(400, "cursor-invalid");
        let _ = feed(&since(&self.admin).await).await.ok();

        let (mut kept, lost) = self.told_apart().await;
        everything_is_there_once(&self.system, &self.admin, &self.company, &kept).await;
        self.nothing_is_left_of(&lost, restored).await;
        let [before, after] = &self.acknowledged;
        assert_eq!(self.in_progress(before).await, before.len(), "acknowledged before the moment");
        assert_eq!(self.in_progress(after).await, 0, "acknowledged after it");
        everything_is_well(&self.system).await;

        // Other events than those of the future that never was, under the versions that those had.
        acknowledge(&self.system, after).await;
        let crowd = at_work(&self.system, &self.company);
        crowd.is_served(40, "after the restore").await;
        kept.extend(all_opened(crowd.disperse().await));
        everything_is_there_once(&self.system, &self.admin, &self.company, &kept).await;
        assert_eq!(self.in_progress(after).await, after.len(), "acknowledged again");
        everything_is_well(&self.system).await;
        self.streams_hold_the_logs().await;
    }

    /// For how many of these complaints intake knows that somebody is at it.
    async fn in_progress(&self, complaints: &[String]) -> usize {
        let cases = all(&self.admin, "/v1/cases").await;
        let at_it = cases.iter().filter(|case| case["status"] == "in_progress");
        at_it.filter(|case| complaints.iter().any(|id| case["case_id"] == id.as_str())).count()
    }

    /// Cases that must be there, and cases that must not. Of those under way at the moment, the log alone knows which came before it.
    async fn told_apart(&self) -> (Vec<Opened>, Vec<Opened>) {
        let found = ids(&all(&self.admin, "/v1/cases").await);
        let (kept, lost): (Vec<_>, Vec<_>) = self.cases.iter().cloned().partition(|case| {
            let under_way = case.asked_at <= self.moment && self.moment < case.answered_at;
            case.answered_at <= self.moment || under_way && found.contains(&case.case_id)
        });
        assert!(kept.len() >= 80 && lost.len() >= 30, "{} kept, {} lost", kept.len(), lost.len());
        (kept, lost)
    }

    async fn nothing_is_left_of(&self, lost: &[Opened], restored: DateTime<Utc>) {
        let (moment, restored) = (self.moment.to_rfc3339(), restored.to_rfc3339());
        let later =
            format!("SELECT count(*) FROM {{}}.event WHERE recorded_at > '{moment}' AND recorded_at < '{restored}'");
        assert_eq!(self.system.sum(&later).await, 0, "events of the future that never was");
        let messages = all(&self.admin, "/v1/messages").await;
        for case in lost {
            assert_eq!(self.admin.get(&format!("/v1/cases/{}", case.case_id)).await.status, 404);
            assert!(messages.iter().all(|message| message["case_id"] != case.case_id), "somebody is told of {case:?}");
        }
    }

    /// Each stream has as many messages as its service has public events: the whole log, once, and nothing else.
    async fn streams_hold_the_logs(&self) {
        let status = block_in_place(|| self.system.streams(&["status"]).output().unwrap());
        let status = String::from_utf8(status.stdout).unwrap();
        for name in SERVICES {
            let stream = schema(name).to_uppercase();
            let words = status.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            let messages = words.filter(|words| words.first() == Some(&stream.as_str())).map(|words| words[1].parse());
            let public = format!("SELECT count(*) FROM {}.event WHERE suffix IS NOT NULL", schema(name));
            assert_eq!(messages.collect::<Vec<_>>(), [Ok(self.system.figure(&public).await)], "{name}:\n{status}");
        }
    }
}

async fn acknowledge(system: &System, complaints: &[String]) {
    let handler = system.client(Role::Handler);
    for complaint in complaints {
        let _ = handler.post(&format!("/v1/complaints/{complaint}/acknowledge"), json!({})).await.ok();
    }
}

fn at_work(system: &System, company: &Company) -> Crowd {
    Crowd::gather(4, Manner::Stubborn, &system.url(), &system.token(Role::Receptionist), company)
}
