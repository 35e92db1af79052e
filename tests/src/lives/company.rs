//! A company in which generated lives are lived.

use std::{collections::BTreeMap, sync::Arc};

use async_nats::jetstream;
use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use futures::{FutureExt as _, future::BoxFuture};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};
use steward_complaint::Complaint;
use steward_dispatch::Dispatch;
use steward_feedback_analytics::FeedbackAnalytics;
use steward_inspector::{
    Finding, Logs, Picture,
    accountant::{Books, Period, Timelines, disagreements},
    judge,
};
use steward_intake::Intake;
use steward_kernel::{ActorId, Role};
use steward_notification::Notification;
use steward_testkit::{Client, Kit, TENANT, eventually, under, wire::Wires, with_wires};
use uuid::Uuid;

use super::{ANSWERS, deeds::Who};
use crate::estate::text;

/// Timelines that the accountant reads at the same time.
const READERS: usize = 8;
/// Two estates whose days begin at different times.
const ESTATES: &str = "estate_code,estate_name,region,time_zone,building,entrance,unit,floor,area_m2\n\
    YX,御溪花园,华南,Asia/Shanghai,1号楼,1单元,101,1,89.5\nYX,御溪花园,华南,Asia/Shanghai,1号楼,1单元,102,1,89.5\n\
    YX,御溪花园,华南,Asia/Shanghai,1号楼,1单元,103,1,89.5\n\
    KX,康溪花园,海外,Pacific/Auckland,1号楼,1单元,101,1,89.5\nKX,康溪花园,海外,Pacific/Auckland,1号楼,1单元,102,1,89.5\n\
    KX,康溪花园,海外,Pacific/Auckland,1号楼,1单元,103,1,89.5\n";
const RESIDENTS: &str = "resident_code,name,phone,estate_code,building,entrance,unit,role,since_on,language\n\
    R1,林小燕,13900000001,YX,1号楼,1单元,101,业主,2020-01-01,zh-Hans\nR2,陈大文,13900000002,YX,1号楼,1单元,102,业主,2020-01-01,zh-Hant\n\
    R3,高小明,13900000003,YX,1号楼,1单元,103,业主,2020-01-01,\nR4,王小红,13900000004,KX,1号楼,1单元,101,业主,2020-01-01,en\n\
    R5,李小红,13900000005,KX,1号楼,1单元,102,业主,2020-01-01,\nR6,何小红,13900000006,KX,1号楼,1单元,103,业主,2020-01-01,zh-Hans\n";
const STAFF: &str = "staff_code,name,role,department,estate_code,account\n\
    K1,武怡芳,receptionist,customer_service,全部,desk-1\nK2,何立,supervisor,engineering,全部,lead-1\n\
    K3,罗文,manager,management,全部,manager-1\nK4,吴敏,handler,customer_service,全部,handler-1\n\
    K5,郑一,receptionist,customer_service,全部,desk-2\n";
const DEPARTMENTS: &str =
    "department_code,name,estate_code,contractor\nengineering,工程部,all,\nlift,电梯维保,all,外包\n";
const TECHNICIANS: &str = "technician_code,name,account,department_code,skills,estate_code\n\
    T1,赵师傅,tech-1,engineering,水电,YX;KX\nT2,钱师傅,tech-2,lift,水电,YX;KX\n";

/// An estate with its people.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its id.
    pub id: String,
    /// Where its days are.
    pub zone: Tz,
    /// Its units, and who lives in each.
    pub units: Vec<String>,
    /// Residents.
    pub residents: Vec<Uuid>,
    /// Technicians.
    pub technicians: Vec<String>,
}

impl Place {
    /// One of the departments.
    #[must_use]
    pub fn department(&self, way: u32) -> &'static str {
        if way.is_multiple_of(3) { "lift" } else { "engineering" }
    }
}

/// A company.
#[derive(Debug)]
pub struct Company {
    kit: Kit,
    /// Its estates.
    pub places: Vec<Place>,
    /// Sees everything.
    pub manager: Client,
    staff: BTreeMap<&'static str, Client>,
    logs: Logs,
    pool: PgPool,
    pub(super) nats: jetstream::Context,
    pub(super) wires: Arc<Wires>,
}

impl steward_inspector::Company for Company {
    fn get<'a>(&'a self, path: &'a str) -> BoxFuture<'a, anyhow::Result<Value>> {
        self.manager
            .get(path)
            .try_send()
            .map(|answer| {
                let answer = answer?;
                anyhow::ensure!([200, 404].contains(&answer.status), "{}: {}", answer.asked, answer.text());
                Ok(if answer.status == 200 { answer.json() } else { Value::Null })
            })
            .boxed()
    }

    fn alerts<'a>(&'a self, case_id: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<Value>>> {
        async move {
            let mut found = Vec::new();
            for client in self.staff.values().chain([&self.manager]) {
                let page = client.get(&format!("/v1/alerts?case_id={case_id}&settled=false")).try_send().await?.json();
                found.extend(page["items"].as_array().into_iter().flatten().cloned());
            }
            Ok(found)
        }
        .boxed()
    }

    fn now(&self) -> DateTime<Utc> {
        self.kit.clock.now()
    }
}

/// The services, and the schema of each.
pub(super) const SERVICES: [&str; 5] = ["intake", "complaint", "dispatch", "notification", "feedback-analytics"];

fn schema(service: &str) -> String {
    service.replace('-', "_")
}

async fn connect(database: &str, search_path: &str) -> PgPool {
    let base = steward_testkit::db::admin_url();
    let (head, _) = base.rsplit_once('/').expect("a URL with a database");
    let options: sqlx::postgres::PgConnectOptions = format!("{head}/{database}").parse().expect("a URL");
    let options = options.options([("search_path", search_path)]);
    PgPoolOptions::new().max_connections(3).connect_with(options).await.expect("connect")
}

/// Founds a company, and lives in it.
pub async fn with_company(test: impl AsyncFnOnce(&Company)) {
    let all = [
        under::<Intake>(),
        under::<Complaint>(),
        under::<Dispatch>(),
        under::<Notification>(),
        under::<FeedbackAnalytics>(),
    ];
    with_wires(&all, async |kit, wires| {
        let company = Company::found(kit, wires).await;
        test(&company).await;
        company.pool.close().await;
        for (_, pool) in &company.logs.services {
            pool.close().await;
        }
    })
    .await;
}

impl Company {
    async fn found(kit: Kit, wires: Arc<Wires>) -> Self {
        // What the lives find is told as a story, not where the answer is held against the document.
        let of = |role: Role, account: &str| {
            let mut actor = kit.staff(role);
            actor.id = ActorId::new(account);
            Client::in_process(kit.router.clone(), Some(kit.token(&actor)), Vec::new())
        };
        let admin = of(Role::Admin, "admin");
        let import = async |list: &str, file: &str| {
            eventually("the register is taken", || async {
                let done = admin.upload(&format!("/v1/{list}/import"), "text/csv", file.as_bytes().to_vec()).await;
                (done.status == 200).then_some(())
            })
            .await;
        };
        import("estates", ESTATES).await;
        import("residents", RESIDENTS).await;
        import("staff", STAFF).await;
        import("departments", DEPARTMENTS).await;
        import("technicians", TECHNICIANS).await;
        let mut services = Vec::new();
        for service in SERVICES {
            services.push((service, connect(&kit.database, &schema(service)).await));
        }
        let url = std::env::var("STEWARD_TEST_NATS_URL").expect("STEWARD_TEST_NATS_URL is not set");
        let client = async_nats::connect(url).await.expect("NATS");
        let mut company = Self {
            manager: of(Role::Manager, "manager-1"),
            staff: [
                ("desk", of(Role::Receptionist, "desk-1")),
                ("handler", of(Role::Handler, "handler-1")),
                ("judge", of(Role::Supervisor, "judge-1")),
                ("lead", of(Role::Supervisor, "lead-1")),
                ("technician", of(Role::Technician, "tech-1")),
                ("second", of(Role::Technician, "tech-2")),
            ]
            .into(),
            places: Vec::new(),
            logs: Logs { tenant: TENANT, services },
            pool: connect(&kit.database, "public").await,
            nats: jetstream::new(client),
            wires,
            kit,
        };
        for (code, zone) in [("YX", chrono_tz::Asia::Shanghai), ("KX", chrono_tz::Pacific::Auckland)] {
            let place = company.place(&admin, code, zone).await;
            company.places.push(place);
        }
        company.hush().await;
        company
    }

    async fn place(&self, admin: &Client, code: &str, zone: Tz) -> Place {
        let items = async |path: &str| admin.get(path).await.ok()["items"].as_array().cloned().unwrap_or_default();
        let estates = items("/v1/estates").await;
        let id = estates.iter().find(|estate| estate["code"] == code).map(|estate| text(&estate["estate_id"]));
        let id = id.expect("the estate");
        let mut residents = items(&format!("/v1/residents?estate_id={id}")).await;
        residents.sort_by_key(|resident| text(&resident["code"]));
        let mut technicians = items(&format!("/v1/technicians?estate_id={id}")).await;
        technicians.sort_by_key(|technician| text(&technician["code"]));
        Place {
            zone,
            units: residents.iter().map(|resident| text(&resident["units"][0]["unit_id"])).collect(),
            residents: residents.iter().filter_map(|resident| text(&resident["resident_id"]).parse().ok()).collect(),
            technicians: technicians.iter().map(|technician| text(&technician["technician_id"])).collect(),
            id,
        }
    }

    /// One in each estate wants no messages.
    async fn hush(&self) {
        for place in &self.places {
            let silent = place.residents[2];
            let owner = self.client(place, Who::Owner, Some(&silent.to_string()));
            let put = owner.put(&format!("/v1/preferences/{silent}"), json!({"language": null, "channels": []})).await;
            drop(put.expect(200));
        }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.kit.clock.now()
    }

    /// Whoever that is.
    ///
    /// * `resident`: whose case it is; the first resident when nobody's.
    #[must_use]
    pub fn client(&self, place: &Place, who: Who, resident: Option<&str>) -> Client {
        let word = match who {
            Who::Owner => {
                let resident = resident.and_then(|id| id.parse().ok()).unwrap_or(place.residents[0]);
                let mut actor = self.kit.staff(Role::Owner);
                actor.id = ActorId::new(resident.to_string());
                actor.resident = Some(resident.into());
                return self.manager.with_token(Some(self.kit.token(&actor)));
            }
            Who::Desk => "desk",
            Who::Handler => "handler",
            Who::Judge => "judge",
            Who::Manager => return self.manager.clone(),
            Who::Technician => "technician",
            Who::Second => "second",
        };
        self.staff.get(word).cloned().expect("everybody has a token")
    }

    /// PostgreSQL plans by the rows that there are, not by those of an empty company; by itself it counts them only each minute.
    pub(super) async fn is_known_to_the_planner(&self) {
        sqlx::raw_sql("ANALYZE").execute(&self.pool).await.expect("statistics");
    }

    /// Lets time pass.
    pub(super) fn passes(&self, time: TimeDelta) {
        self.kit.clock.advance(time);
    }

    /// The stream of a service.
    pub(super) fn stream(&self, service: &str) -> String {
        format!("{}_{}", self.kit.prefix.to_uppercase(), schema(service).to_uppercase())
    }

    /// Waits until everything is heard and nothing is due.
    pub async fn rests(&self) {
        self.kit.rests().await;
    }

    /// What the figures of the estates say that an accountant does not count.
    pub async fn miscounted(&self) -> Vec<String> {
        let mut found = Vec::new();
        for place in &self.places {
            let estate = (&*place.id, place.zone);
            let books = Books::read(self, estate, &Timelines::default(), READERS).await.expect("books");
            let today = books.today(self.now());
            for days in [0, 1, 9, 400] {
                let (from, to) = (today - Days::new(days), today);
                let path = format!("/v1/metrics?estate_id={}&from={from}&to={to}", place.id);
                let shown = self.manager.get(&path).await.ok();
                let wrong = disagreements(&shown, &books.figures(Period { from, to }));
                self.show_cases_of(&wrong).await;
                found.extend(wrong.into_iter().map(|what| format!("{from}..{to} {what}")));
            }
        }
        found
    }

    /// Shows the cases that are named in what is wrong with figures.
    async fn show_cases_of(&self, wrong: &[String]) {
        let is_reference = |word: &&str| {
            word.matches('-').count() == 2
                && word.chars().all(|it| it == '-' || it.is_ascii_digit() || it.is_ascii_uppercase())
        };
        let words = wrong.iter().filter(|_| is_shown()).flat_map(|what| what.split([' ', ',', ';']));
        for reference in words.filter(is_reference) {
            let found = self.manager.get(&format!("/v1/cases?reference={reference}")).await.json();
            let Some(case_id) = found["items"][0]["case_id"].as_str() else { continue };
            if let Ok(picture) = Picture::read(self, &self.logs, case_id).await {
                show(&picture);
            }
        }
    }

    /// Changes the records of a case, in which `$case` stands for its id; how many rows.
    pub async fn plants(&self, statement: &str, case_id: &str) -> u64 {
        let statement = statement.replace("$case", &format!("'{case_id}'"));
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&self.pool).await.expect("plant").rows_affected()
    }

    /// What the inspector says of a case.
    pub async fn inspected(&self, case_id: &str) -> Vec<Finding> {
        match Picture::read(self, &self.logs, case_id).await {
            Ok(picture) => {
                let found = judge(&picture);
                if !found.is_empty() {
                    show(&picture);
                }
                found
            }
            Err(fault) => vec![finding(ANSWERS, case_id, format!("{fault:#}"))],
        }
    }
}

/// Shows all that was recorded of a case, where that is asked for.
fn show(picture: &Picture) {
    if is_shown() {
        println!("{}", picture.id());
        picture.events.iter().for_each(|it| println!("  {} {} {} {}", it.at, it.aggregate, it.version, it.body));
    }
}

fn is_shown() -> bool {
    std::env::var("LIVES_LOG").is_ok()
}

/// Something that is not as it must be.
pub(super) fn finding(rule: &'static str, case_id: &str, what: String) -> Finding {
    Finding { rule, reference: String::new(), case_id: case_id.to_owned(), what }
}
