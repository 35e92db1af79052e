//! The accountant's test: two estates live through a week of generated cases and weeks of silence after it, and every figure of every day is
//! counted once more from what people saw.

mod deeds;

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Mutex,
    time::{Duration, Instant},
};

use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use futures::{
    StreamExt as _,
    future::{BoxFuture, FutureExt as _},
    stream,
};
use serde_json::{Value, json};
use steward_complaint::Complaint;
use steward_dispatch::Dispatch;
use steward_e2e::estate::{PHOTO, text};
use steward_feedback_analytics::FeedbackAnalytics;
use steward_inspector::accountant::{Books, Period, Timelines, disagreements, unknown_definitions};
use steward_intake::Intake;
use steward_kernel::{ActorId, Role};
use steward_notification::Notification;
use steward_testkit::{Answer, Client, Kit, db::new_id, eventually, under, with_services};
use uuid::Uuid;

use deeds::{Deed, SCRIPTS, Script, Who, needs_owner};

/// Two estates whose days begin at different times.
const ESTATES: &str = "estate_code,estate_name,region,time_zone,building,entrance,unit,floor,area_m2\n\
    YX,御溪花园,华南,Asia/Shanghai,1号楼,1单元,101,1,89.5\nYX,御溪花园,华南,Asia/Shanghai,1号楼,1单元,102,1,89.5\n\
    KX,康溪花园,海外,Pacific/Auckland,1号楼,1单元,101,1,89.5\nKX,康溪花园,海外,Pacific/Auckland,1号楼,1单元,102,1,89.5\n";
const RESIDENTS: &str = "resident_code,name,phone,estate_code,building,entrance,unit,role,since_on\n\
    R1,林小燕,13900000001,YX,1号楼,1单元,101,业主,2020-01-01\nR2,陈大文,13900000002,YX,1号楼,1单元,102,业主,2020-01-01\n\
    R3,高小明,13900000003,KX,1号楼,1单元,101,业主,2020-01-01\nR4,王小红,13900000004,KX,1号楼,1单元,102,业主,2020-01-01\n";
const STAFF: &str = "staff_code,name,role,department,estate_code,account\n\
    K1,武怡芳,receptionist,customer_service,YX,desk-1\nK2,何立,supervisor,engineering,YX,lead-1\n\
    K3,罗文,manager,management,全部,manager-1\nK4,何欣,manager,management,全部,manager-2\n";
const DEPARTMENTS: &str = "department_code,name,estate_code\nengineering,工程部,all\ncleaning,保洁部,all\n";
const TECHNICIANS: &str = "technician_code,name,account,department_code,skills,estate_code\n\
    T1,赵师傅,tech-yx,engineering,水电,YX\nT2,钱师傅,tech-kx,engineering,水电,KX\n";

/// How often the clock is put forward, and by how much.
const ROUNDS: usize = 30;
const ROUND: TimeDelta = TimeDelta::hours(5);
/// Then nobody does anything any more: how often it is put forward, and by how much.
const SILENCES: usize = 6;
const SILENCE: TimeDelta = TimeDelta::hours(73);
/// After so many rounds all events are delivered once more.
const AGAIN: usize = 10;
/// Days before today that are audited one by one.
const DAYS: u64 = 30;
/// Cases of each estate: each life is lived once.
const CASES: usize = SCRIPTS.len();

/// Timelines that the accountant reads at the same time.
const READERS: usize = 4;
/// People who do something at the same time.
const AT_ONCE: usize = 16;

/// An estate with its people.
struct Place {
    id: String,
    zone: Tz,
    units: Vec<String>,
    residents: Vec<Uuid>,
    technician: Client,
    technician_id: String,
}

/// The company with its two estates.
struct Company {
    kit: Kit,
    places: Vec<Place>,
    desk: Client,
    handler: Client,
    manager: Client,
    /// Is asked to take cases over, and enters old forms.
    colleague: Client,
    /// Decides on objections, takes down what owners say, and answers for no case.
    judge: Client,
    /// Cases that are there, with the place and household that they are of.
    opened: Mutex<Vec<(usize, usize, String)>>,
    /// What was really done, so that a history without it is noticed.
    done: Mutex<BTreeSet<Deed>>,
}

/// A case on its way.
struct Life {
    rng: fastrand::Rng,
    place: usize,
    script: Script,
    begins: usize,
    left: VecDeque<Deed>,
    case: Option<String>,
    /// Who it is of, in the app; none when nobody knows.
    owner: Option<Client>,
}

fn person(kit: &Kit, role: Role, account: &str) -> Client {
    let mut actor = kit.staff(role);
    actor.id = ActorId::new(account);
    kit.client_of(&actor)
}

impl steward_inspector::Company for Company {
    fn get<'a>(&'a self, path: &'a str) -> BoxFuture<'a, anyhow::Result<Value>> {
        self.manager.get(path).try_send().map(|answer| Ok(answer?.json())).boxed()
    }

    fn alerts<'a>(&'a self, _case_id: &'a str) -> BoxFuture<'a, anyhow::Result<Vec<Value>>> {
        // Nothing is counted from them.
        std::future::ready(Ok(Vec::new())).boxed()
    }

    fn now(&self) -> DateTime<Utc> {
        self.kit.clock.now()
    }
}

impl Company {
    async fn found(kit: Kit) -> Self {
        let admin = kit.client(Role::Admin);
        let import = async |list: &str, file: &str| {
            let _ = admin.upload(&format!("/v1/{list}/import"), "text/csv", file.as_bytes().to_vec()).await.ok();
        };
        import("estates", ESTATES).await;
        import("residents", RESIDENTS).await;
        import("staff", STAFF).await;
        import("departments", DEPARTMENTS).await;
        eventually("dispatch knows the estates", || async {
            let done = admin.upload("/v1/technicians/import", "text/csv", TECHNICIANS.into()).await.status == 200;
            done.then_some(())
        })
        .await;
        let mut places = Vec::new();
        for (code, zone, account) in
            [("YX", chrono_tz::Asia::Shanghai, "tech-yx"), ("KX", chrono_tz::Pacific::Auckland, "tech-kx")]
        {
            places.push(Place::found(&kit, &admin, code, zone, account).await);
        }
        let company = Self {
            desk: person(&kit, Role::Receptionist, "desk-1"),
            handler: kit.client(Role::Handler),
            manager: person(&kit, Role::Manager, "manager-1"),
            colleague: person(&kit, Role::Manager, "manager-2"),
            judge: person(&kit, Role::Supervisor, "judge-1"),
            opened: Mutex::default(),
            done: Mutex::default(),
            places,
            kit,
        };
        // One in each estate wants no messages.
        for place in &company.places {
            let silent = place.residents[1];
            let wishes = json!({"language": null, "channels": []});
            let put = company.kit.owner(silent).put(&format!("/v1/preferences/{silent}"), wishes).await;
            assert_eq!(put.status, 200, "{}", put.text());
        }
        company
    }

    /// Asks until it is granted: the services hear of each other a little later. None when it does not come to that.
    async fn asks(&self, ask: impl AsyncFn() -> Answer) -> Option<Value> {
        let started = Instant::now();
        loop {
            let answer = ask().await;
            match answer.status {
                200 | 201 => return Some(answer.json()),
                404 | 409 | 403 | 422 if started.elapsed() < Duration::from_secs(2) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                // What was refused was not done, and not counted.
                403 | 404 | 409 | 422 => return None,
                _ => drop(answer.expect(200)),
            }
        }
    }

    /// Posts, now and then twice under one key, as apps on bad networks do.
    async fn posts(&self, life: &Life, client: &Client, path: &str, body: Value) -> Option<Value> {
        let (key, twice) = (new_id().to_string(), life.rng.clone().bool());
        let done = self.asks(async || client.post(path, body.clone()).key(&key).await).await?;
        if twice {
            let again = client.post(path, body).key(&key).await;
            assert!((200..300).contains(&again.status), "{}", again.text());
        }
        Some(done)
    }
}

impl Place {
    async fn found(kit: &Kit, admin: &Client, code: &str, zone: Tz, account: &str) -> Self {
        let estates = admin.get("/v1/estates").await.ok();
        let estate = estates["items"].as_array().unwrap().iter().find(|estate| estate["code"] == code).unwrap().clone();
        let id = text(&estate["estate_id"]);
        let units = admin.get(&format!("/v1/estates/{id}/units")).await.ok();
        let unit_of = |name: &str| {
            let found = units["items"].as_array().unwrap().iter().find(|unit| unit["unit"] == name).unwrap();
            text(&found["unit_id"])
        };
        let residents = admin.get(&format!("/v1/residents?estate_id={id}")).await.ok();
        let mut residents = residents["items"].as_array().unwrap().clone();
        residents.sort_by_key(|resident| text(&resident["code"]));
        let technicians = admin.get(&format!("/v1/technicians?estate_id={id}")).await.ok();
        let ours =
            technicians["items"].as_array().unwrap().iter().find(|one| one["account"] == account).unwrap().clone();
        Self {
            zone,
            units: vec![unit_of("101"), unit_of("102")],
            residents: residents.iter().map(|resident| text(&resident["resident_id"]).parse().unwrap()).collect(),
            technician: person(kit, Role::Technician, account),
            technician_id: text(&ours["technician_id"]),
            id,
        }
    }
}

impl Life {
    fn new(place: usize, index: usize) -> Self {
        let mut rng = fastrand::Rng::with_seed((place * 1_000 + index) as u64);
        let script = SCRIPTS[index % SCRIPTS.len()];
        let begins = rng.usize(0..ROUNDS / 3);
        Self { begins, place, script, left: script.2.iter().copied().collect(), case: None, owner: None, rng }
    }

    /// What happens to it in a round: it is opened, or the next deed is done, or it has to wait.
    async fn goes_on(&mut self, company: &Company, round: usize) {
        match &self.case {
            None if round >= self.begins => self.open(company).await,
            Some(case) if self.rng.u8(0..10) < 8 => {
                let case = case.clone();
                if let Some(deed) = self.left.pop_front()
                    && self.does(company, &case, deed).await.is_some()
                {
                    company.done.lock().unwrap().insert(deed);
                }
            }
            _ => {}
        }
    }

    async fn open(&mut self, company: &Company) {
        let place = &company.places[self.place];
        let (kind, category, _) = self.script;
        let household = self.rng.usize(0..2);
        let (resident, unit) = (place.residents[household], &place.units[household]);
        let owner = company.kit.owner(resident);
        let mut body = json!({
            "kind": kind, "category": category, "words": "说的话", "estate_id": place.id, "unit_id": unit,
        });
        let by_owner = self.rng.bool();
        let client = if by_owner {
            body["channel"] = json!("app");
            owner.clone()
        } else {
            body["channel"] = json!(["phone", "desk"][self.rng.usize(0..2)]);
            body["priority"] = json!(["P1", "P2", "P3", "P4"][self.rng.usize(0..4)]);
            self.stands_back(company, household, &mut body)
        };
        let is_known = by_owner || self.rng.u8(0..5) > 0 || needs_owner(self.script.2);
        if !by_owner && is_known {
            body["resident_id"] = json!(resident);
        }
        self.owner = is_known.then_some(owner);
        let opened = company.posts(self, &client, "/v1/cases", body).await.expect("a case");
        let case = text(&opened["case_id"]);
        if is_known {
            company.opened.lock().unwrap().push((self.place, household, case.clone()));
        }
        self.case = Some(case);
    }

    /// Now and then it is a form that was filled in days before, or months, which takes a lead, or follows from an earlier case; who enters it.
    fn stands_back(&mut self, company: &Company, household: usize, body: &mut Value) -> Client {
        let now = company.kit.clock.now();
        let opened = company.opened.lock().unwrap();
        let earlier = opened.iter().find(|(place, whose, _)| (*place, *whose) == (self.place, household));
        match self.rng.u8(0..10) {
            0 | 1 => body["said_at"] = json!(now - TimeDelta::hours(self.rng.i64(1..100))),
            2 => {
                body["said_at"] = json!(now - TimeDelta::days(self.rng.i64(31..45)));
                return company.colleague.clone();
            }
            3 | 4 => body["linked_case_id"] = earlier.map(|(.., case)| case.clone()).into(),
            _ => {}
        }
        company.desk.clone()
    }

    async fn does(&self, company: &Company, case: &str, deed: Deed) -> Option<Value> {
        if let Some((who, list, verb, body)) = deed.command(company.kit.clock.now()) {
            let path = format!("/v1/{list}/{case}/{verb}");
            return company.posts(self, self.person(company, who), &path, body).await;
        }
        match deed {
            Deed::KeepPromise | Deed::MovePromise => self.deals_with_promise(company, case, deed).await,
            Deed::TakeOver | Deed::RefuseToTakeOver => self.takes_over(company, case, deed).await,
            Deed::TakeInHand => {
                let path = format!("/v1/escalations?case_id={case}&settled=false");
                let raised = self.first(&company.manager, &path, |_| true).await?;
                let path = format!("/v1/escalations/{}/acknowledge", text(&raised["escalation_id"]));
                company.posts(self, &company.manager, &path, json!({})).await
            }
            Deed::Rebase | Deed::Extend => self.deals_with_clock(company, case, deed).await,
            Deed::Rate => self.rates(company, case).await,
            Deed::AnswerConsultation | Deed::Decide | Deed::DecideWithCommitment | Deed::KeepCommitment => {
                self.settles(company, case, deed).await
            }
            Deed::Remedy | Deed::OpenOrder => self.orders(company, case, deed).await,
            Deed::Object | Deed::ObjectInVain => self.object(company, case, deed == Deed::Object).await,
            _ => self.works(company, case, deed).await,
        }
    }

    fn person<'c>(&'c self, company: &'c Company, who: Who) -> &'c Client {
        match who {
            Who::Owner => self.owner.as_ref().unwrap_or(&company.desk),
            Who::Desk => &company.desk,
            Who::Handler => &company.handler,
            Who::Manager => &company.manager,
            Who::Judge => &company.judge,
        }
    }

    async fn deals_with_promise(&self, company: &Company, case: &str, deed: Deed) -> Option<Value> {
        let handler = &company.handler;
        let promise = self.first(handler, &format!("/v1/promises?case_id={case}&state=open"), |_| true).await?;
        let path = |verb: &str| format!("/v1/promises/{}/{verb}", text(&promise["promise_id"]));
        if deed == Deed::KeepPromise {
            return company.posts(self, handler, &path("keep"), json!({})).await;
        }
        let due_at = company.kit.clock.now() + TimeDelta::hours(20);
        company.posts(self, handler, &path("move"), json!({"due_at": due_at, "reason": "配件没到"})).await
    }

    async fn takes_over(&self, company: &Company, case: &str, deed: Deed) -> Option<Value> {
        let path = |verb: &str| format!("/v1/cases/{case}/{verb}");
        if deed == Deed::TakeOver {
            return company.posts(self, &company.colleague, &path("accept-hand-over"), json!({})).await;
        }
        company.posts(self, &company.colleague, &path("refuse-hand-over"), json!({"reason": "手上太多"})).await
    }

    async fn deals_with_clock(&self, company: &Company, case: &str, deed: Deed) -> Option<Value> {
        let measure = if deed == Deed::Extend { "decide" } else { "finish" };
        let path = format!("/v1/clocks?case_id={case}&measure={measure}");
        let clock = self.first(&company.handler, &path, |clock| clock["state"] == "running").await?;
        let path = |verb: &str| format!("/v1/clocks/{}/{verb}", text(&clock["clock_id"]));
        if deed == Deed::Rebase {
            return company.posts(self, &company.manager, &path("rebase"), json!({})).await;
        }
        let due: DateTime<Utc> = text(&clock["due_at"]).parse().unwrap();
        let body = json!({"until": due + TimeDelta::hours(30), "reason": "等检测报告"});
        company.posts(self, &company.handler, &path("extend"), body).await
    }

    /// Who answers a survey may leave scores out.
    async fn rates(&self, company: &Company, case: &str) -> Option<Value> {
        let owner = self.person(company, Who::Owner);
        let survey = self.first(owner, "/v1/surveys?stage=sent", |survey| survey["case_id"] == case).await?;
        let score = self.rng.clone().u8(1..=5);
        let body = match score {
            1 => json!({"handling": 2}),
            2 => json!({"outcome": score, "courtesy": 4}),
            _ => json!({"outcome": score, "handling": 3, "courtesy": 5}),
        };
        company.posts(self, owner, &format!("/v1/surveys/{}/answer", text(&survey["survey_id"])), body).await
    }

    /// What is decided about something within a complaint.
    async fn settles(&self, company: &Company, case: &str, deed: Deed) -> Option<Value> {
        let handler = &company.handler;
        let view = handler.get(&format!("/v1/complaints/{case}")).await.ok();
        let path = |verb: &str| format!("/v1/complaints/{case}/{verb}");
        if deed == Deed::AnswerConsultation {
            let asked = &view["consultations"][0]["consultation_id"];
            let body = json!({"consultation_id": asked, "answer": "属实"});
            return company.posts(self, &company.judge, &path("answer-consultation"), body).await;
        }
        if deed == Deed::KeepCommitment {
            let body = json!({"commitment_id": view["commitments"][0]["commitment_id"]});
            return company.posts(self, handler, &path("keep-commitment"), body).await;
        }
        let outcome = |point: &Value| json!({"point_id": point["point_id"], "outcome": "upheld", "reason": "属实"});
        let points: Vec<_> = view["points"].as_array().into_iter().flatten().map(outcome).collect();
        let zone = &company.places[self.place].zone;
        let due_on = (company.kit.clock.now() + TimeDelta::days(2)).with_timezone(zone).date_naive();
        let commitments = match deed {
            Deed::Decide => json!([]),
            _ => json!([{"text": "更换", "due_on": due_on}, {"text": "道歉", "due_on": due_on}]),
        };
        let body = json!({"points": points, "commitments": commitments});
        company.posts(self, handler, &path("decide"), body).await
    }

    async fn orders(&self, company: &Company, case: &str, deed: Deed) -> Option<Value> {
        let handler = &company.handler;
        let job = json!({"department": "engineering", "summary": "修"});
        if deed == Deed::Remedy {
            let done = company.posts(self, handler, &format!("/v1/complaints/{case}/remedy"), job).await;
            self.first(handler, &format!("/v1/work-orders?case_id={case}"), |_| true).await?;
            return done;
        }
        let body = json!({"case_id": case, "department": "engineering", "summary": "修"});
        company.posts(self, handler, "/v1/work-orders", body).await
    }

    /// What the technician and who leads them do with the open work order of the case.
    async fn works(&self, company: &Company, case: &str, deed: Deed) -> Option<Value> {
        let place = &company.places[self.place];
        let (handler, technician) = (&company.handler, &place.technician);
        let over: &[&str] = if deed == Deed::VerifyOrder {
            &["verified", "cancelled"]
        } else {
            &["completed", "verified", "cancelled"]
        };
        let open = |order: &Value| !over.contains(&order["status"].as_str().unwrap_or(""));
        let order = self.first(handler, &format!("/v1/work-orders?case_id={case}"), open).await?;
        let path = |verb: &str| format!("/v1/work-orders/{}/{verb}", text(&order["work_order_id"]));
        let (who, verb, body) = match deed {
            Deed::Accept => {
                let body = json!({"technician_id": place.technician_id});
                company.posts(self, handler, &path("assign"), body).await?;
                (technician, "accept", json!({}))
            }
            Deed::Return => (technician, "return", json!({"reason": "没有配件"})),
            Deed::Transfer => (handler, "transfer", json!({"department": "cleaning", "reason": "其实是保洁的事"})),
            Deed::Arrive => {
                company.posts(self, technician, &path("depart"), json!({})).await?;
                (technician, "arrive", json!({}))
            }
            Deed::MakeSafe => (technician, "make-safe", json!({"note": "已断电"})),
            Deed::Hold => (technician, "hold", json!({"reason": "access"})),
            Deed::GoOn => (technician, "resume", json!({})),
            Deed::CancelOrder => (handler, "cancel", json!({"reason": "不需要了"})),
            Deed::VerifyOrder => (&company.manager, "verify", json!({})),
            _ => {
                let photo = technician.upload("/v1/files", "image/jpeg", PHOTO.to_vec()).await.created();
                (technician, "complete", json!({"note": "已修好", "file_ids": [photo["file_id"]]}))
            }
        };
        company.posts(self, who, &path(verb), body).await
    }

    /// The owner objects to a pause, and a lead says whether the owner is right.
    async fn object(&self, company: &Company, case: &str, upheld: bool) -> Option<Value> {
        let owner = self.owner.as_ref()?;
        let path = format!("/v1/clocks?case_id={case}&measure=finish");
        let clock = self.first(owner, &path, |_| true).await?;
        let path = |verb: &str| format!("/v1/clocks/{}/{verb}", text(&clock["clock_id"]));
        let explained = owner.get(&path("explain")).await.ok();
        let pause = &explained["pauses"][0]["pause_id"];
        company.posts(self, owner, &path("contest-pause"), json!({"pause_id": pause, "reason": "我早就回了"})).await?;
        let explained = owner.get(&path("explain")).await.ok();
        let objection = &explained["objections"][0]["objection_id"];
        let body = json!({"objection_id": objection, "upheld": upheld, "reason": "查过了"});
        company.posts(self, &company.judge, &path("decide-objection"), body).await
    }

    /// The first on a list that fits, once there is one; none when there is none for a while.
    async fn first(&self, client: &Client, path: &str, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(1) {
            let list = client.get(path).await.ok();
            let found = list["items"].as_array().and_then(|items| items.iter().find(|item| fits(item)).cloned());
            if found.is_some() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }
}

/// What the figures of an estate and the books do not agree upon, over some periods.
async fn audit(company: &Company, place: &Place, analyst: &Client) -> Vec<String> {
    let books = Books::read(company, (&place.id, place.zone), &Timelines::default(), READERS).await.unwrap();
    let today = books.today(company.kit.clock.now());
    let mut periods: Vec<Period> =
        (0..DAYS).map(|back| today - Days::new(back)).map(|day| Period { from: day, to: day }).collect();
    periods.push(Period { from: today - Days::new(29), to: today });
    periods.push(Period { from: today - Days::new(75), to: today });
    periods.push(Period { from: today - Days::new(3), to: today - Days::new(1) });
    let mut found = books.contradictions();
    for period in periods {
        let Period { from, to } = period;
        let path = format!("/v1/metrics?estate_id={}&from={from}&to={to}", place.id);
        let shown = analyst.get(&path).await.ok();
        let wrong = disagreements(&shown, &books.figures(period));
        found.extend(wrong.into_iter().map(|what| format!("{} {from}..{to} {what}", place.zone)));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_is_what_an_accountant_counts_from_what_people_saw() {
    let all = [
        under::<Intake>(),
        under::<Complaint>(),
        under::<Dispatch>(),
        under::<Notification>(),
        under::<FeedbackAnalytics>(),
    ];
    with_services(&all, async |kit| {
        let company = Company::found(kit).await;
        let mut lives: Vec<_> =
            (0..company.places.len()).flat_map(|place| (0..CASES).map(move |index| Life::new(place, index))).collect();
        for round in 0..ROUNDS {
            let all = stream::iter(lives.iter_mut().map(|life| life.goes_on(&company, round)));
            all.buffer_unordered(AT_ONCE).collect::<()>().await;
            if round % AGAIN == AGAIN - 1 {
                company.kit.delivers_again().await;
            }
            company.kit.clock.advance(ROUND);
        }
        for _ in 0..SILENCES {
            company.kit.relayed().await;
            company.kit.clock.advance(SILENCE);
        }
        let analyst = company.kit.client(Role::Analyst);
        let dictionary = analyst.get("/v1/metrics/definitions").await.ok();
        assert_eq!(unknown_definitions(&dictionary), Vec::<String>::new());
        company.kit.rests().await;
        for place in &company.places {
            let wrong = audit(&company, place, &analyst).await;
            assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
        }
        let done = company.done.lock().unwrap().clone();
        let planned: BTreeSet<Deed> = SCRIPTS.iter().flat_map(|(.., deeds)| deeds.iter().copied()).collect();
        let never: Vec<_> = planned.difference(&done).collect();
        assert_eq!(never, Vec::<&Deed>::new(), "never done, so never counted");
    })
    .await;
}
