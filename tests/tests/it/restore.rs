//! After a disaster the database is restored to a moment before it: what was answered until then is there exactly once in every
//! service, with all its consequences, files too; nothing of what came later is anywhere; and work goes on. Nobody has to remember a
//! command: services notice it by themselves, and say what was lost. One service that is restored alone notices it, too, and what the others
//! had heard is named.

use std::collections::BTreeSet;

use async_nats::jetstream;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
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
    company.restore_and_check(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_heals_by_itself_when_the_message_store_knows_a_future_that_never_was() {
    let mut company = Stricken::make().await;
    company.stop().await;
    company.restore_and_check(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_that_work_on_while_the_database_is_restored_notice_it() {
    Stricken::make().await.restore_and_check(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_that_loses_nothing_has_nothing_heard_again() {
    let mut postgres = Postgres::start_archiving();
    let mut system = System::prepare(&postgres.url).await;
    system.start_all().await;
    let admin = system.client(Role::Admin);
    let company = Company::import(&admin, 50).await;
    let before = since(&admin).await;
    let crowd = at_work(&system, &company);
    crowd.is_served(40, "before the failover").await;
    postgres.fail_over().await;
    crowd.is_served(40, "after it").await;
    let opened = all_opened(crowd.disperse().await);
    everything_is_there_once(&system, &admin, &company, &opened).await;
    everything_is_well(&system).await;
    let again = "SELECT last_sequence - (SELECT count(*) FROM {}.event WHERE suffix IS NOT NULL) FROM {}.relay_state";
    assert_eq!(system.sum(again).await, 0, "events that were published once more");
    assert!(report(&system).is_empty(), "something is lost");
    // Whether something was lost is not known to an app, so it lists anew.
    admin.get(&format!("{FEED}?since={before}")).await.problem(400, "cursor-invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_restored_alone_hears_again_and_what_others_heard_of_what_it_lost_is_named() {
    let mut company = Stricken::make().await;
    let beside = company.postgres.restored_beside(company.moment).await;
    assert!(block_in_place(|| company.system.service_mut("intake").stop()), "intake ended well");
    block_in_place(|| company.postgres.take_schema("intake", &beside));
    company.system.provision();
    company.system.start("intake");
    company.system.ready().await;

    let (_, lost) = company.told_apart().await;
    company.files_are_those_of_the_moment().await;
    // It hears again what it had heard of the others; what it makes of it comes under versions that the others know, and they say so.
    let [_, after] = &company.acknowledged;
    within(PATIENCE, "acknowledged once more", || async {
        (company.in_progress(after).await == after.len()).then_some(())
    })
    .await;
    let forked = "SELECT count(*) FROM {}.dead_letter WHERE reason LIKE '%was brought back to an earlier moment%'";
    within(PATIENCE, "listeners say so", || async { (company.system.sum(forked).await > 0).then_some(()) }).await;
    within(PATIENCE, "every lost case is named with who has heard of it", || async {
        let report = report(&company.system);
        let named = |case: &Opened| {
            report.iter().any(|line| {
                line["stream_id"] == case.case_id.as_str()
                    && line["service"] == "intake"
                    && line["heard_by"].is_string()
            })
        };
        let quoted = |case: &&Opened| case.kind == "complaint";
        let references = lost.iter().filter(quoted).all(|case| {
            report.iter().any(|line| line["stream_id"] == case.case_id.as_str() && line["reference"].is_string())
        });
        (lost.iter().all(named) && references).then_some(())
    })
    .await;

    // Whoever has read it lets the histories go on; what is about cases that are gone stays.
    let _ = block_in_place(|| company.system.operator(&["dead-letters", "replay"]).output().unwrap());
    assert_eq!(company.system.sum(forked).await, 0, "they go on");
    let crowd = at_work(&company.system, &company.company);
    crowd.is_served(20, "after the restore").await;
    let new = all_opened(crowd.disperse().await);
    within(PATIENCE, "new complaints are there", || async {
        let found = ids(&all(&company.admin, "/v1/complaints").await);
        let mut complaints = new.iter().filter(|case| case.kind == "complaint");
        complaints.all(|case| found.contains(&case.case_id)).then_some(())
    })
    .await;
}

const PHOTO: &[u8] = b"\x89PNG\r\n\x1a\nx";

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
    /// A file that was stored before that moment, and one after it.
    files: [String; 2],
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
        let before = store(&system).await;
        // While everybody works: for some cases, only some services have heard of them.
        let moment = Clock::System.now();
        acknowledge(&system, &acknowledged[1]).await;
        let files = [before, store(&system).await];
        crowd.is_served(40, "after the moment that will be restored").await;
        let cases = all_opened(crowd.disperse().await);
        system.quiet(PATIENCE).await;
        let since = since(&admin).await;
        Self { postgres, system, company, admin, cases, acknowledged, moment, since, files }
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

    /// * `is_told`: whether the streams could tell what was lost.
    async fn restore_and_check(mut self, is_told: bool) {
        self.postgres.restore(self.moment).await;
        let restored = Clock::System.now();
        for name in SERVICES {
            if self.system.service(name).id().is_none() {
                self.system.start(name);
            }
        }
        self.system.ready().await;

        // What was given out in the future that never was would skip what is done from now on.
        let feed = |since: &str| self.admin.get(&format!("{FEED}?since={since}"));
        feed(&self.since).await.problem(400, "cursor-invalid");
        let _ = feed(&since(&self.admin).await).await.ok();

        let (mut kept, lost) = self.told_apart().await;
        everything_is_there_once(&self.system, &self.admin, &self.company, &kept).await;
        self.nothing_is_left_of(&lost, restored).await;
        self.files_are_those_of_the_moment().await;
        let report = report(&self.system);
        assert!(report.iter().all(|line| line["heard_by"].is_null()), "somebody knows what is gone: {report:?}");
        let named = |case: &Opened| report.iter().any(|line| line["stream_id"] == case.case_id.as_str());
        assert!(if is_told { lost.iter().all(named) } else { report.is_empty() }, "{report:?}");
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

    async fn files_are_those_of_the_moment(&self) {
        let handler = self.system.client(Role::Handler);
        let [before, after] = &self.files;
        assert_eq!(handler.get(&format!("/v1/files/{before}/content")).await.bytes, PHOTO);
        assert_eq!(handler.get(&format!("/v1/files/{after}")).await.status, 404);
        assert_eq!(handler.get(&format!("/v1/files/{after}/content")).await.status, 404);
        let halves = "SELECT count(*) FROM intake.file AS stored FULL JOIN intake.file_content AS content USING (tenant_id, file_id)
                      WHERE stored.version IS NULL OR content.content IS NULL";
        assert_eq!(self.system.figure(halves).await, 0, "a file without its bytes, or bytes without their file");
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

    /// Each stream holds the whole log of its service and nothing else; some of it twice, since it was published again.
    async fn streams_hold_the_logs(&self) {
        let guard = self.system.guard.as_ref().unwrap();
        for name in SERVICES {
            let js = jetstream::new(guard.options(name).connect(&self.system.nats.url).await.unwrap());
            let stream = js.get_stream(schema(name).to_uppercase()).await.unwrap();
            let state = stream.cached_info().state.clone();
            let mut held = BTreeSet::new();
            for sequence in state.first_sequence.max(1)..=state.last_sequence {
                let message = stream.get_raw_message(sequence).await.unwrap();
                held.insert(message.headers.get("ce-id").unwrap().to_string());
            }
            let mut operator = PgConnection::connect(&self.postgres.url).await.unwrap();
            let public = format!("SELECT event_id::text FROM {}.event WHERE suffix IS NOT NULL", schema(name));
            let log: Vec<String> = sqlx::query_scalar(AssertSqlSafe(public)).fetch_all(&mut operator).await.unwrap();
            assert_eq!(held, log.into_iter().collect(), "{name}");
        }
    }
}

/// What `steward lost` says.
fn report(system: &System) -> Vec<Value> {
    let told = block_in_place(|| system.operator(&["lost", "--json"]).output().unwrap());
    let report: Vec<Value> = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told.status.code(), Some(i32::from(!report.is_empty())), "{}", String::from_utf8_lossy(&told.stderr));
    report
}

/// Stores a file; its id.
async fn store(system: &System) -> String {
    let stored = system.client(Role::Handler).upload("/v1/files", "image/png", PHOTO.to_vec()).await.created();
    stored["file_id"].as_str().unwrap().to_owned()
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
