//! The accountant's test: two estates live through a week of generated cases, and every figure of every day is counted once more from what people saw.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Mutex,
    time::{Duration, Instant},
};

use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use steward_complaint::Complaint;
use steward_dispatch::Dispatch;
use steward_e2e::{
    accountant::{Books, Period, books, disagreements, unknown_definitions},
    estate::{PHOTO, text},
};
use steward_feedback_analytics::FeedbackAnalytics;
use steward_intake::Intake;
use steward_kernel::{ActorId, Role};
use steward_notification::Notification;
use steward_testkit::{Answer, Client, Kit, db::new_id, eventually, under, with_services};
use uuid::Uuid;

/// Two estates whose days begin at different times.
const ESTATES: &str = "estate_code,estate_name,region,time_zone,building,entrance,unit,floor,area_m2\n\
    YX,御溪花园,华南,Asia/Shanghai,1号楼,1单元,101,1,89.5\nYX,御溪花园,华南,Asia/Shanghai,1号楼,1单元,102,1,89.5\n\
    KX,康溪花园,海外,Pacific/Auckland,1号楼,1单元,101,1,89.5\nKX,康溪花园,海外,Pacific/Auckland,1号楼,1单元,102,1,89.5\n";
const RESIDENTS: &str = "resident_code,name,phone,estate_code,building,entrance,unit,role,since_on\n\
    R1,林小燕,13900000001,YX,1号楼,1单元,101,业主,2020-01-01\nR2,陈大文,13900000002,YX,1号楼,1单元,102,业主,2020-01-01\n\
    R3,高小明,13900000003,KX,1号楼,1单元,101,业主,2020-01-01\nR4,王小红,13900000004,KX,1号楼,1单元,102,业主,2020-01-01\n";
const STAFF: &str = "staff_code,name,role,department,estate_code,account\n\
    K1,武怡芳,receptionist,customer_service,YX,desk-1\nK2,何立,supervisor,engineering,YX,lead-1\n\
    K3,罗文,manager,management,全部,manager-1\n";
const DEPARTMENTS: &str = "department_code,name,estate_code\nengineering,工程部,all\n";
const TECHNICIANS: &str = "technician_code,name,account,department_code,skills,estate_code\n\
    T1,赵师傅,tech-yx,engineering,水电,YX\nT2,钱师傅,tech-kx,engineering,水电,KX\n";

/// How often the clock is put forward, and by how much.
const ROUNDS: usize = 30;
const ROUND: TimeDelta = TimeDelta::hours(5);
/// Cases of each estate.
const CASES: usize = 40;

/// The longest that the services need to hear all of each other: what comes out of turn on a busy machine is put back for up to half a minute.
const SETTLES: Duration = Duration::from_secs(90);
/// People who do something at the same time.
const AT_ONCE: usize = 6;

/// Something that somebody does with a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    OwnerCancels,
    StaffCancel,
    Prioritise,
    Promise,
    KeepPromise,
    TakeInHand,
    Rate,
    Answer,
    AnswerImportant,
    CallInVain,
    CallBack,
    CloseInquiry,
    AskAgain,
    Acknowledge,
    Assess,
    AwaitOwner,
    Resume,
    Plan,
    Extend,
    Decide,
    DecideWithCommitment,
    KeepCommitment,
    Remedy,
    ConfirmSolved,
    TakeDownSolved,
    ConfirmNotSolved,
    Withdraw,
    Confirm,
    ConfirmWithWindow,
    RequestInfo,
    ProvideInfo,
    Object,
    Decline,
    CancelRequest,
    OpenOrder,
    Accept,
    Arrive,
    Hold,
    GoOn,
    Complete,
    CancelOrder,
    VerifyGood,
    VerifyBad,
    Consider,
    AcceptSuggestion,
    DeclineSuggestion,
    Later,
    PlanSuggestion,
    Deliver,
    ConfirmSuggestion,
}

/// Kind of the case, its category, and what is done with it in order.
type Script = (&'static str, &'static str, &'static [Deed]);

const SCRIPTS: &[Script] = {
    use Deed::*;
    const INQUIRY: (&str, &str) = ("inquiry", "parking.service");
    const COMPLAINT: (&str, &str) = ("complaint", "service.quality");
    const REQUEST: (&str, &str) = ("service_request", "home.fixture");
    const SUGGESTION: (&str, &str) = ("suggestion", "amenity.improve");
    const fn of(kind: (&'static str, &'static str), deeds: &'static [Deed]) -> Script {
        (kind.0, kind.1, deeds)
    }
    &[
        of(INQUIRY, &[]),
        of(INQUIRY, &[OwnerCancels]),
        of(INQUIRY, &[StaffCancel]),
        of(INQUIRY, &[Answer, Rate, CloseInquiry]),
        of(INQUIRY, &[Answer, AskAgain, TakeInHand, Answer, CloseInquiry]),
        of(INQUIRY, &[AnswerImportant, CallInVain, CallInVain, CallBack, CloseInquiry, Rate]),
        of(INQUIRY, &[AnswerImportant, Rate]),
        of(
            INQUIRY,
            &[
                AnswerImportant,
                CallInVain,
                CallInVain,
                CallInVain,
                CallInVain,
                CallInVain,
                CallInVain,
                CallInVain,
                CallInVain,
                CallInVain,
                CallInVain,
                CallInVain,
                CallInVain,
            ],
        ),
        of(INQUIRY, &[Promise, KeepPromise, Answer]),
        of(INQUIRY, &[Promise, Answer]),
        of(COMPLAINT, &[]),
        of(COMPLAINT, &[StaffCancel]),
        of(COMPLAINT, &[OwnerCancels]),
        of(COMPLAINT, &[Acknowledge, Withdraw]),
        of(COMPLAINT, &[Acknowledge, Assess, Plan, Decide, ConfirmSolved, Rate]),
        of(COMPLAINT, &[Acknowledge, Assess, Plan, Decide, TakeDownSolved]),
        of(COMPLAINT, &[Acknowledge, Assess, Plan, Decide, ConfirmNotSolved, Plan, Decide, ConfirmSolved, Rate]),
        of(
            COMPLAINT,
            &[Prioritise, Acknowledge, Assess, AwaitOwner, Resume, Plan, Extend, DecideWithCommitment, KeepCommitment],
        ),
        of(COMPLAINT, &[Acknowledge, Assess, Plan, Extend, Remedy, Accept, Arrive, Complete, Decide, Rate]),
        of(COMPLAINT, &[TakeInHand, Acknowledge, Assess, Extend, Withdraw]),
        of(REQUEST, &[]),
        of(REQUEST, &[OwnerCancels]),
        of(REQUEST, &[CancelRequest]),
        of(REQUEST, &[Decline]),
        of(REQUEST, &[Prioritise, StaffCancel]),
        of(REQUEST, &[ConfirmWithWindow, OpenOrder, Accept, Arrive, Complete, VerifyGood, Rate]),
        of(REQUEST, &[ConfirmWithWindow, OwnerCancels]),
        of(REQUEST, &[ConfirmWithWindow, OpenOrder]),
        of(
            REQUEST,
            &[
                Confirm, OpenOrder, Accept, Arrive, Hold, GoOn, Complete, VerifyBad, Accept, Arrive, Complete,
                VerifyGood, Rate,
            ],
        ),
        of(REQUEST, &[RequestInfo, ProvideInfo, Object, Confirm, OpenOrder, Accept, Arrive, Complete]),
        of(
            REQUEST,
            &[RequestInfo, Confirm, OpenOrder, Prioritise, CancelOrder, OpenOrder, Accept, Arrive, Complete, Rate],
        ),
        of(REQUEST, &[Promise, TakeInHand, Confirm, OpenOrder, Accept, StaffCancel]),
        of(SUGGESTION, &[]),
        of(SUGGESTION, &[OwnerCancels]),
        of(SUGGESTION, &[Consider, AcceptSuggestion, PlanSuggestion, Deliver, ConfirmSuggestion, Rate]),
        of(SUGGESTION, &[Consider, DeclineSuggestion, Rate]),
        of(SUGGESTION, &[Consider, Later, AcceptSuggestion]),
        of(SUGGESTION, &[Consider, StaffCancel]),
    ]
};

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
    /// Decides on objections, and answers for no case.
    judge: Client,
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
            judge: person(&kit, Role::Supervisor, "judge-1"),
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
                404 | 409 | 422 => return None,
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
            // Now and then a form that was filled in days before, and somebody whom nobody knows.
            if self.rng.u8(0..5) == 0 {
                body["said_at"] = json!(company.kit.clock.now() - TimeDelta::hours(self.rng.i64(1..100)));
            }
            company.desk.clone()
        };
        let is_known = by_owner || self.rng.u8(0..5) > 0 || needs_owner(self.script.2);
        if !by_owner && is_known {
            body["resident_id"] = json!(resident);
        }
        self.owner = is_known.then_some(owner);
        let opened = company.posts(self, &client, "/v1/cases", body).await.expect("a case");
        self.case = Some(text(&opened["case_id"]));
    }

    #[expect(clippy::too_many_lines, reason = "one line for each deed")]
    async fn does(&self, company: &Company, case: &str, deed: Deed) -> Option<Value> {
        let place = &company.places[self.place];
        let (handler, desk, manager) = (&company.handler, &company.desk, &company.manager);
        let owner = self.owner.as_ref().unwrap_or(desk);
        let now = company.kit.clock.now();
        let post = async |client: &Client, path: String, body: Value| company.posts(self, client, &path, body).await;
        let cases = |verb: &str| format!("/v1/cases/{case}/{verb}");
        let inquiry = |verb: &str| format!("/v1/inquiries/{case}/{verb}");
        let complaint = |verb: &str| format!("/v1/complaints/{case}/{verb}");
        let request = |verb: &str| format!("/v1/service-requests/{case}/{verb}");
        let suggestion = |verb: &str| format!("/v1/suggestions/{case}/{verb}");
        match deed {
            Deed::OwnerCancels => post(owner, cases("cancel"), json!({"reason": "算了"})).await,
            Deed::StaffCancel => post(desk, cases("cancel"), json!({"reason": "业主说算了"})).await,
            Deed::Prioritise => post(desk, cases("prioritise"), json!({"priority": "P1", "reason": "急"})).await,
            Deed::Promise => {
                let body = json!({"due_at": now + TimeDelta::hours(7), "team": "engineering"});
                post(handler, cases("promises"), body).await
            }
            Deed::KeepPromise => {
                let promise = self.first(handler, &format!("/v1/promises?case_id={case}"), |_| true).await?;
                post(handler, format!("/v1/promises/{}/keep", text(&promise["promise_id"])), json!({})).await
            }
            Deed::TakeInHand => {
                let path = format!("/v1/escalations?case_id={case}&settled=false");
                let raised = self.first(manager, &path, |_| true).await?;
                let path = format!("/v1/escalations/{}/acknowledge", text(&raised["escalation_id"]));
                post(manager, path, json!({})).await
            }
            Deed::Rate => {
                let survey = self.first(owner, "/v1/surveys?stage=sent", |survey| survey["case_id"] == case).await?;
                let score = self.rng.clone().u8(1..=5);
                // Who answers may leave scores out.
                let body = match score {
                    1 => json!({"handling": 2}),
                    2 => json!({"outcome": score, "courtesy": 4}),
                    _ => json!({"outcome": score, "handling": 3, "courtesy": 5}),
                };
                post(owner, format!("/v1/surveys/{}/answer", text(&survey["survey_id"])), body).await
            }
            Deed::Answer => post(desk, inquiry("answer"), json!({"text": "可以"})).await,
            Deed::AnswerImportant => {
                post(desk, inquiry("answer"), json!({"text": "回头再说", "important": true})).await
            }
            Deed::CallInVain => post(desk, inquiry("follow-up"), json!({"result": "not_reached"})).await,
            Deed::CallBack => post(desk, inquiry("follow-up"), json!({"result": "reached"})).await,
            Deed::CloseInquiry => post(owner, inquiry("close"), json!({})).await,
            Deed::AskAgain => post(owner, inquiry("reopen"), json!({"reason": "没懂"})).await,
            Deed::Acknowledge => post(handler, complaint("acknowledge"), json!({})).await,
            Deed::Assess => {
                post(handler, complaint("assess"), json!({"severity": "high", "points": [{"text": "漏水"}]})).await
            }
            Deed::AwaitOwner => post(handler, complaint("await-owner"), json!({"reason": "等照片"})).await,
            Deed::Resume => post(handler, complaint("resume"), json!({})).await,
            Deed::Plan => {
                let body = json!({"text": "明天处理", "departments": ["engineering"], "told_owner_via": "phone"});
                post(handler, complaint("plan"), body).await
            }
            Deed::Extend => {
                let path = format!("/v1/clocks?case_id={case}&measure=decide");
                let clock = self.first(handler, &path, |clock| clock["state"] == "running").await?;
                let due: DateTime<Utc> = text(&clock["due_at"]).parse().unwrap();
                let body = json!({"until": due + TimeDelta::hours(30), "reason": "等检测报告"});
                post(handler, format!("/v1/clocks/{}/extend", text(&clock["clock_id"])), body).await
            }
            Deed::Decide | Deed::DecideWithCommitment => {
                let view = handler.get(&format!("/v1/complaints/{case}")).await.ok();
                let point = &view["points"][0]["point_id"];
                let points = json!([{"point_id": point, "outcome": "upheld", "reason": "属实"}]);
                let due_on = (now + TimeDelta::days(2)).with_timezone(&place.zone).date_naive();
                let commitments = match deed {
                    Deed::Decide => json!([]),
                    _ => json!([{"text": "更换", "due_on": due_on}, {"text": "道歉", "due_on": due_on}]),
                };
                post(handler, complaint("decide"), json!({"points": points, "commitments": commitments})).await
            }
            Deed::KeepCommitment => {
                let view = handler.get(&format!("/v1/complaints/{case}")).await.ok();
                let body = json!({"commitment_id": view["commitments"][0]["commitment_id"]});
                post(handler, complaint("keep-commitment"), body).await
            }
            Deed::Remedy => {
                let done =
                    post(handler, complaint("remedy"), json!({"department": "engineering", "summary": "修"})).await;
                self.first(handler, &format!("/v1/work-orders?case_id={case}"), |_| true).await?;
                done
            }
            Deed::ConfirmSolved => post(owner, complaint("confirm"), json!({"satisfied": true})).await,
            Deed::TakeDownSolved => {
                let body = json!({"satisfied": true, "taken_down": {"how": "phone"}});
                post(&company.judge, complaint("confirm"), body).await
            }
            Deed::ConfirmNotSolved => {
                post(owner, complaint("confirm"), json!({"satisfied": false, "comment": "没解决"})).await
            }
            Deed::Withdraw => post(owner, complaint("withdraw"), json!({"reason": "算了"})).await,
            Deed::Confirm => post(handler, request("confirm"), json!({"details": "在家"})).await,
            Deed::ConfirmWithWindow => {
                let window = json!({"from": now + TimeDelta::hours(11), "to": now + TimeDelta::hours(16)});
                post(handler, request("confirm"), json!({"appointment": window})).await
            }
            Deed::RequestInfo => post(handler, request("request-info"), json!({"question": "哪里？"})).await,
            Deed::ProvideInfo => post(owner, request("provide-info"), json!({"text": "厨房"})).await,
            Deed::Object => self.object(company, case).await,
            Deed::Decline => {
                post(handler, request("decline"), json!({"reason": "不归我们", "responsible": "供电局"})).await
            }
            Deed::CancelRequest => post(handler, request("cancel"), json!({"reason": "业主说算了"})).await,
            Deed::OpenOrder => {
                let body = json!({"case_id": case, "department": "engineering", "summary": "修"});
                post(handler, "/v1/work-orders".to_owned(), body).await
            }
            Deed::Accept | Deed::Arrive | Deed::Hold | Deed::GoOn | Deed::Complete | Deed::CancelOrder => {
                self.works(company, case, deed).await
            }
            Deed::VerifyGood => post(owner, request("verify"), json!({"satisfied": true})).await,
            Deed::VerifyBad => post(owner, request("verify"), json!({"satisfied": false, "comment": "还漏"})).await,
            Deed::Consider => post(handler, suggestion("consider"), json!({})).await,
            Deed::AcceptSuggestion => post(manager, suggestion("accept"), json!({"reason": "好主意"})).await,
            Deed::DeclineSuggestion => post(manager, suggestion("decline"), json!({"reason": "没有地方"})).await,
            Deed::Later => post(manager, suggestion("later"), json!({"reason": "明年"})).await,
            Deed::PlanSuggestion => post(manager, suggestion("plan"), json!({"text": "下月"})).await,
            Deed::Deliver => post(manager, suggestion("deliver"), json!({"proof": "照片"})).await,
            Deed::ConfirmSuggestion => post(owner, suggestion("confirm"), json!({})).await,
        }
    }

    /// What the technician does with the open work order of the case.
    async fn works(&self, company: &Company, case: &str, deed: Deed) -> Option<Value> {
        let place = &company.places[self.place];
        let (handler, technician) = (&company.handler, &place.technician);
        let open =
            |order: &Value| !["completed", "verified", "cancelled"].contains(&order["status"].as_str().unwrap_or(""));
        let order = self.first(handler, &format!("/v1/work-orders?case_id={case}"), open).await?;
        let path = |verb: &str| format!("/v1/work-orders/{}/{verb}", text(&order["work_order_id"]));
        match deed {
            Deed::Accept => {
                let body = json!({"technician_id": place.technician_id});
                company.posts(self, handler, &path("assign"), body).await?;
                company.posts(self, technician, &path("accept"), json!({})).await
            }
            Deed::Arrive => {
                company.posts(self, technician, &path("depart"), json!({})).await?;
                company.posts(self, technician, &path("arrive"), json!({})).await
            }
            Deed::Hold => company.posts(self, technician, &path("hold"), json!({"reason": "access"})).await,
            Deed::GoOn => company.posts(self, technician, &path("resume"), json!({})).await,
            Deed::CancelOrder => company.posts(self, handler, &path("cancel"), json!({"reason": "不需要了"})).await,
            _ => {
                let photo = technician.upload("/v1/files", "image/jpeg", PHOTO.to_vec()).await.created();
                let body = json!({"note": "已修好", "file_ids": [photo["file_id"]]});
                company.posts(self, technician, &path("complete"), body).await
            }
        }
    }

    /// The owner objects to a pause, and a lead says that the owner is right.
    async fn object(&self, company: &Company, case: &str) -> Option<Value> {
        let owner = self.owner.as_ref()?;
        let path = format!("/v1/clocks?case_id={case}&measure=finish");
        let clock = self.first(owner, &path, |_| true).await?;
        let path = |verb: &str| format!("/v1/clocks/{}/{verb}", text(&clock["clock_id"]));
        let explained = owner.get(&path("explain")).await.ok();
        let pause = &explained["pauses"][0]["pause_id"];
        company.posts(self, owner, &path("contest-pause"), json!({"pause_id": pause, "reason": "我早就回了"})).await?;
        let explained = owner.get(&path("explain")).await.ok();
        let objection = &explained["objections"][0]["objection_id"];
        let body = json!({"objection_id": objection, "upheld": true, "reason": "属实"});
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

/// Whether somebody has to be there who speaks as the owner.
fn needs_owner(deeds: &[Deed]) -> bool {
    use Deed as D;
    let owners = [
        D::OwnerCancels,
        D::AskAgain,
        D::CloseInquiry,
        D::ConfirmSolved,
        D::TakeDownSolved,
        D::ConfirmNotSolved,
        D::Withdraw,
        D::ProvideInfo,
        D::VerifyGood,
        D::VerifyBad,
        D::ConfirmSuggestion,
        D::Rate,
    ];
    deeds.iter().any(|deed| owners.contains(deed))
}

/// What the figures of an estate and the books do not agree upon, over some periods.
async fn audit(company: &Company, place: &Place, analyst: &Client) -> Vec<String> {
    let books: Books = books(&company.manager, &place.id, place.zone).await;
    let today = books.today(company.kit.clock.now());
    let mut periods: Vec<Period> =
        (0..12).map(|back| today - Days::new(back)).map(|day| Period { from: day, to: day }).collect();
    periods.push(Period { from: today - Days::new(29), to: today });
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
            company.kit.clock.advance(ROUND);
        }
        let analyst = company.kit.client(Role::Analyst);
        let dictionary = analyst.get("/v1/metrics/definitions").await.ok();
        assert_eq!(unknown_definitions(&dictionary), Vec::<String>::new());
        let started = Instant::now();
        for place in &company.places {
            loop {
                company.kit.relayed().await;
                let wrong = audit(&company, place, &analyst).await;
                if wrong.is_empty() {
                    break;
                }
                assert!(started.elapsed() < SETTLES, "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        let done = company.done.lock().unwrap().clone();
        let planned: BTreeSet<Deed> = SCRIPTS.iter().flat_map(|(.., deeds)| deeds.iter().copied()).collect();
        let never: Vec<_> = planned.difference(&done).collect();
        assert_eq!(never, Vec::<&Deed>::new(), "never done, so never counted");
    })
    .await;
}
