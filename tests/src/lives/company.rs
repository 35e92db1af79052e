//! A company in which generated lives are lived.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use async_nats::jetstream;
use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};
use steward_complaint::Complaint;
use steward_dispatch::Dispatch;
use steward_feedback_analytics::FeedbackAnalytics;
use steward_inspector::{Finding, Logs, Picture, judge};
use steward_intake::Intake;
use steward_kernel::{ActorId, Role};
use steward_notification::Notification;
use steward_testkit::{Answer, Client, Kit, TENANT, db::new_id, eventually, under, with_services};
use uuid::Uuid;

use super::{
    ALLOWED, ANSWERS, Life, Lived, Told,
    deeds::{Deed, Of, Sight, Who},
    schedule::{Round, Weather},
};
use crate::{
    accountant::{Period, books, disagreements},
    estate::text,
};

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

/// People who do something at the same time.
const AT_ONCE: usize = 8;
/// The longest that the services need to hear all of each other: what comes out of turn on a busy machine is put back for up to half a minute.
const SETTLES: Duration = Duration::from_secs(90);

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
    nats: jetstream::Context,
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
const SERVICES: [&str; 5] = ["intake", "complaint", "dispatch", "notification", "feedback-analytics"];

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
    with_services(&all, async |kit| {
        let company = Company::found(kit).await;
        test(&company).await;
        company.pool.close().await;
        for (_, pool) in &company.logs.services {
            pool.close().await;
        }
    })
    .await;
}

impl Company {
    async fn found(kit: Kit) -> Self {
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

    /// What is still to be heard or due, in words; nothing at rest.
    async fn unrest(&self) -> Option<String> {
        let mut parts = Vec::new();
        for service in SERVICES {
            let schema = schema(service);
            parts.push(format!(
                "SELECT '{service}' AS service, (SELECT count(*) FROM {schema}.outbox) AS outbox,
                 (SELECT count(*) FROM {schema}.timer WHERE due_at <= $1) AS timers"
            ));
        }
        let query = parts.join(" UNION ALL ");
        let rows: Vec<(String, i64, i64)> =
            sqlx::query_as(AssertSqlSafe(query)).bind(self.now()).fetch_all(&self.pool).await.expect("counts");
        if let Some(row) = rows.iter().find(|(_, outbox, timers)| outbox + timers > 0) {
            return Some(format!("{row:?}"));
        }
        for service in SERVICES {
            let name = format!("{}_{}", self.kit.prefix.to_uppercase(), schema(service).to_uppercase());
            let Ok(stream) = self.nats.get_stream(&name).await else { return Some(format!("{name} is not there")) };
            let mut consumers = stream.consumers();
            while let Some(consumer) = consumers.next().await {
                let Ok(consumer) = consumer else { return Some(format!("the consumers of {name}")) };
                let waits = consumer.num_pending + u64::try_from(consumer.num_ack_pending).unwrap_or(1);
                if waits > 0 {
                    return Some(format!("{} hears {waits} more", consumer.name));
                }
            }
        }
        None
    }

    /// Waits until everything is heard and nothing is due.
    pub async fn rests(&self) {
        let started = Instant::now();
        let mut calm = 0;
        while calm < 2 {
            match self.unrest().await {
                None => calm += 1,
                Some(what) => {
                    calm = 0;
                    assert!(started.elapsed() < SETTLES, "no rest: {what}");
                }
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn befalls(&self, weather: Weather) {
        match weather {
            Weather::Fair => {}
            Weather::Deaf(service) => self.listens(service, Some(Duration::from_secs(3600))).await,
            Weather::Lost(service) => {
                let name = format!("{}_{}", self.kit.prefix.to_uppercase(), schema(service).to_uppercase());
                drop(self.nats.delete_stream(&name).await);
            }
            Weather::Policy(way) => self.policy(way).await,
            Weather::Absence(way) => {
                let from = self.now() + TimeDelta::minutes(5);
                let to = from + TimeDelta::days(i64::try_from(way % 12).unwrap_or(0) + 1);
                let away = json!({"account": "desk-1", "from": from, "to": to, "cover_account": "desk-2"});
                drop(self.manager.post("/v1/absences", away).await);
            }
        }
    }

    /// Lets a service hear nothing for a while, or again.
    async fn listens(&self, listener: &str, pause: Option<Duration>) {
        let until = pause.map(|pause| steward_chassis::Clock::System.now() + pause);
        for source in SERVICES {
            let stream = format!("{}_{}", self.kit.prefix.to_uppercase(), schema(source).to_uppercase());
            let subject = format!("CONSUMER.PAUSE.{stream}.{listener}--{source}");
            let body = until.map_or_else(|| json!({}), |until| json!({"pause_until": until}));
            let answer: Result<Value, _> = self.nats.request(subject, &body).await;
            drop(answer);
        }
    }

    /// A policy of an estate: shorter or longer times.
    async fn policy(&self, way: usize) {
        let place = &self.places[way % self.places.len()];
        let within = ["2h", "9h", "3d"][way % 3];
        let targets = ["finish", "decide", "acknowledge"]
            .map(|measure| json!({"measure": measure, "within": within, "hours": "always"}));
        let body = json!({"scope": "estate", "estate_id": place.id, "policy": {"targets": targets}});
        let first = self.manager.post("/v1/clock-policies", body.clone()).await;
        if first.status == 428 {
            for version in 1..40 {
                let again = self.manager.post("/v1/clock-policies", body.clone()).if_match(version).await;
                if again.status < 300 {
                    return;
                }
            }
        }
    }

    /// Lives through the rounds; `None` in place of deeds that are yet to be found.
    pub async fn lives(&self, lives: Vec<Life>, rounds: &[Round], chance: Option<u64>) -> Vec<Lived> {
        let mut going: Vec<_> = lives.into_iter().map(|life| Going::of(life, chance)).collect();
        let (mut doing, mut resting, mut looking) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        for (number, round) in rounds.iter().enumerate() {
            self.befalls(round.weather).await;
            let began = Instant::now();
            let all = stream::iter(going.iter_mut().map(|one| one.goes_on(self, number)));
            all.buffer_unordered(AT_ONCE).collect::<()>().await;
            doing += began.elapsed();
            let began = Instant::now();
            if round.heard && !matches!(round.weather, Weather::Deaf(_)) {
                self.rests().await;
            }
            self.kit.clock.advance(round.passes);
            for one in &mut going {
                one.lived.story.push(Told::Passed(*round));
            }
            if let Weather::Deaf(service) = round.weather {
                self.listens(service, None).await;
            }
            if round.inspected {
                self.rests().await;
            }
            resting += began.elapsed();
            let began = Instant::now();
            if round.inspected {
                let all = stream::iter(going.iter_mut().map(|one| one.is_inspected(self, number)));
                all.buffer_unordered(AT_ONCE).collect::<()>().await;
            }
            looking += began.elapsed();
        }
        println!("done in {doing:.1?}, came to rest in {resting:.1?}, was looked at in {looking:.1?}");
        going.into_iter().map(|one| one.lived).collect()
    }

    /// What the figures of the estates say that an accountant does not count.
    pub async fn miscounted(&self) -> Vec<String> {
        let mut found = Vec::new();
        for place in &self.places {
            let books = books(&self.manager, &place.id, place.zone).await;
            let today = books.today(self.now());
            for days in [0, 1, 9, 400] {
                let (from, to) = (today - Days::new(days), today);
                let path = format!("/v1/metrics?estate_id={}&from={from}&to={to}", place.id);
                let shown = self.manager.get(&path).await.ok();
                let wrong = disagreements(&shown, &books.figures(Period { from, to }));
                found.extend(wrong.into_iter().map(|what| format!("{from}..{to} {what}")));
            }
        }
        found
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
                if !found.is_empty() && std::env::var("LIVES_LOG").is_ok() {
                    println!("{case_id}");
                    picture
                        .events
                        .iter()
                        .for_each(|it| println!("  {} {} {} {}", it.at, it.aggregate, it.version, it.body));
                }
                found
            }
            Err(fault) => vec![finding(ANSWERS, case_id, format!("{fault:#}"))],
        }
    }
}

fn finding(rule: &'static str, case_id: &str, what: String) -> Finding {
    Finding { rule, reference: String::new(), case_id: case_id.to_owned(), what }
}

/// A life that goes on.
struct Going {
    lived: Lived,
    /// Where the next deeds come from; none when they are known.
    rng: Option<fastrand::Rng>,
}

impl Going {
    fn of(life: Life, chance: Option<u64>) -> Self {
        let rng = chance.map(|seed| fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(life.number)));
        Self { lived: Lived { life, ..Lived::default() }, rng }
    }

    fn case_id(&self) -> Option<String> {
        Some(self.lived.case_id.clone()).filter(|id| !id.is_empty())
    }

    async fn goes_on(&mut self, company: &Company, round: usize) {
        if !self.lived.findings.is_empty() {
            return;
        }
        match self.rng.take() {
            Some(mut rng) => {
                self.finds_deeds(company, round, &mut rng).await;
                self.rng = Some(rng);
            }
            None => {
                let life = &self.lived.life;
                let due: Vec<Deed> =
                    life.deeds.iter().filter(|(of, _)| *of == round).map(|(_, deed)| deed.clone()).collect();
                self.does_all(company, &due, None).await;
            }
        }
    }

    async fn finds_deeds(&mut self, company: &Company, round: usize, rng: &mut fastrand::Rng) {
        let Life { begins, lasts, .. } = self.lived.life;
        if round < begins || round >= begins + lasts {
            return;
        }
        if round == begins {
            let who = if rng.bool() { Who::Owner } else { Who::Desk };
            let verb = "open".to_owned();
            let deed = Deed { who, of: Of::Case, verb, way: rng.u32(0..10_000), at_once: false, allowed: true };
            self.lived.life.deeds.push((round, deed.clone()));
            self.does_all(company, &[deed], None).await;
        }
        for _ in 0..rng.usize(0..4) {
            let Some(case_id) = self.case_id() else { return };
            let sight = Sight::of(company, &case_id, rng.u8(0..3) == 0).await;
            let mut deeds = vec![if rng.u8(0..12) == 0 {
                sight.against(rng)
            } else {
                match weighed(sight.choices(rng), rng) {
                    Some(deed) => deed,
                    None => return,
                }
            }];
            // Two people at the same time.
            if rng.u8(0..12) == 0
                && let Some(other) = weighed(sight.choices(rng), rng)
            {
                deeds[0].at_once = true;
                deeds.push(other);
            }
            self.lived.life.deeds.extend(deeds.iter().map(|deed| (round, deed.clone())));
            self.does_all(company, &deeds, Some(&sight)).await;
        }
    }

    /// * `sight`: what was seen a moment ago, if somebody has looked.
    async fn does_all(&mut self, company: &Company, deeds: &[Deed], sight: Option<&Sight>) {
        let mut rest = deeds;
        while let Some((deed, others)) = rest.split_first() {
            rest = others;
            match (deed.at_once, others.split_first()) {
                (true, Some((other, behind))) => {
                    rest = behind;
                    let (one, two) = tokio::join!(self.does(company, deed, sight), self.does(company, other, sight));
                    self.notes(company, deed, one).await;
                    self.notes(company, other, two).await;
                }
                _ => {
                    let answer = self.does(company, deed, sight).await;
                    self.notes(company, deed, answer).await;
                }
            }
        }
    }

    async fn does(&self, company: &Company, deed: &Deed, sight: Option<&Sight>) -> Option<(Value, Answer)> {
        let place = &company.places[self.lived.life.place];
        if deed.verb == "open" {
            return Some(deed.opened(company, place).await);
        }
        match sight {
            Some(sight) => deed.done(company, place, sight).await,
            None => {
                let sight = Sight::of(company, &self.case_id()?, deed.is_wide()).await;
                deed.done(company, place, &sight).await
            }
        }
    }

    async fn notes(&mut self, company: &Company, deed: &Deed, done: Option<(Value, Answer)>) {
        let Some((body, answer)) = done else {
            self.lived.story.push(Told::Done(format!("{}: nothing to do it with", deed.told())));
            return;
        };
        let problem = answer.json()["type"].as_str().unwrap_or_default().to_owned();
        let at_once = if deed.at_once { ", at the same time as" } else { "" };
        let line = format!("{} {body} -> {} {problem}{at_once}", deed.told(), answer.status);
        self.lived.story.push(Told::Done(line));
        if deed.verb == "open" {
            self.lived.case_id = text(&answer.json()["case_id"]);
        }
        let id = self.lived.case_id.clone();
        if answer.status >= 500 {
            self.lived.findings.push(finding(ANSWERS, &id, format!("{}: {}", answer.asked, answer.text())));
        }
        // What was allowed when it was asked, and still is, was refused as if it were not.
        if answer.status == 409 && deed.allowed && !deed.at_once {
            let sight = Sight::of(company, &id, false).await;
            if sight.allowed(deed.of).contains(&deed.verb) {
                self.lived.findings.push(finding(ALLOWED, &id, format!("{}: {}", answer.asked, answer.text())));
            }
        }
    }

    async fn is_inspected(&mut self, company: &Company, round: usize) {
        let Some(case_id) = self.case_id().filter(|_| self.lived.findings.is_empty()) else { return };
        self.lived.findings = company.inspected(&case_id).await;
        self.lived.found_in = round;
    }
}

fn weighed(choices: Vec<(u32, Deed)>, rng: &mut fastrand::Rng) -> Option<Deed> {
    let sum: u32 = choices.iter().map(|(weight, _)| weight).sum();
    let mut left = rng.u32(0..sum.max(1));
    for (weight, deed) in choices {
        if left < weight {
            return Some(deed);
        }
        left -= weight;
    }
    None
}

/// New lives of a company.
#[must_use]
pub fn born(seed: u64, count: usize, rounds: usize) -> Vec<Life> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (0..count)
        .map(|number| {
            let begins = rng.usize(0..rounds.div_ceil(2));
            // Most are short; one in six goes on to the end.
            let lasts = if rng.u8(0..6) == 0 { rounds } else { rng.usize(2..=(rounds / 2).max(3)) };
            Life { number: number as u64, place: number % 2, begins, lasts, deeds: Vec::new() }
        })
        .collect()
}

/// A seed that nobody has chosen.
#[must_use]
pub fn any_seed() -> u64 {
    let (high, low) = new_id().as_u64_pair();
    high ^ low
}
