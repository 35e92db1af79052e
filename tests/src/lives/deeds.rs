//! What people do with a case.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use steward_testkit::Answer;

use super::company::{Company, Place};
use crate::estate::PHOTO;

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whose case it is.
    Owner,
    /// At the desk.
    Desk,
    /// Handles cases.
    Handler,
    /// A lead who handles none.
    Judge,
    /// Leads the estate.
    Manager,
    /// The technician.
    Technician,
    /// Another technician.
    Second,
}

/// With what of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The case.
    Case,
    /// The complaint, service request, inquiry or suggestion.
    Work,
    /// The work order of that place.
    Order(usize),
    /// The survey that is open.
    Survey,
    /// The running clock of that measure.
    Clock(&'static str),
    /// The promise of that place.
    Promise(usize),
    /// The escalation that was raised last.
    Escalation,
}

/// Something that somebody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Who.
    pub who: Who,
    /// With what.
    pub of: Of,
    /// What: the end of its path; `open` begins a case.
    pub verb: String,
    /// In which of the ways that there are.
    pub way: u32,
    /// Whether the next one is done at the same time.
    pub at_once: bool,
    /// Whether it was among what is allowed.
    pub allowed: bool,
}

/// Kinds of cases with a category of each.
const KINDS: [(&str, &str); 4] = [
    ("inquiry", "parking.service"),
    ("complaint", "service.quality"),
    ("service_request", "home.fixture"),
    ("suggestion", "amenity.improve"),
];

impl Deed {
    /// The kind of the case that it opens.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        KINDS[self.way as usize % 4].0
    }

    /// The deed in words.
    #[must_use]
    pub fn told(&self) -> String {
        let of = match self.of {
            Of::Case | Of::Work if self.verb == "open" => format!("a {}", self.kind()),
            Of::Case => "the case".to_owned(),
            Of::Work => "it".to_owned(),
            Of::Order(place) => format!("work order {}", place + 1),
            Of::Survey => "the survey".to_owned(),
            Of::Clock(measure) => format!("the clock {measure}"),
            Of::Promise(place) => format!("promise {}", place + 1),
            Of::Escalation => "the escalation".to_owned(),
        };
        format!("{:?}: {} {of}", self.who, self.verb)
    }
}

/// A case as who does something with it sees it.
#[derive(Debug, Default)]
pub struct Sight {
    /// Its id.
    pub case_id: String,
    /// The case.
    pub case: Value,
    /// What was born from it.
    pub work: Value,
    /// Its work orders.
    pub orders: Vec<Value>,
    /// Its surveys, clocks, promises and escalations.
    pub surveys: Vec<Value>,
    /// Its clocks.
    pub clocks: Vec<Value>,
    /// Its promises.
    pub promises: Vec<Value>,
    /// Its escalations.
    pub escalations: Vec<Value>,
}

/// The path under which such a thing stands.
fn collection(kind: &str) -> &'static str {
    match kind {
        "complaint" => "complaints",
        "service_request" => "service-requests",
        "suggestion" => "suggestions",
        _ => "inquiries",
    }
}

impl Sight {
    /// Looks.
    ///
    /// * `wide`: at what the company owes, too.
    pub async fn of(company: &Company, case_id: &str, wide: bool) -> Self {
        let client = &company.manager;
        let items = async |list: &str| {
            if !wide && list != "work-orders" {
                return Vec::new();
            }
            let answer = client.get(&format!("/v1/{list}?case_id={case_id}&limit=200")).await.json();
            answer["items"].as_array().cloned().unwrap_or_default()
        };
        let case = client.get(&format!("/v1/cases/{case_id}")).await.json();
        let kind = case["kind"].as_str().unwrap_or_default().to_owned();
        let work = client.get(&format!("/v1/{}/{case_id}", collection(&kind))).await;
        Self {
            case_id: case_id.to_owned(),
            work: if work.status == 200 { work.json() } else { Value::Null },
            orders: if ["inquiry", "suggestion"].contains(&&*kind) { Vec::new() } else { items("work-orders").await },
            surveys: items("surveys").await,
            clocks: items("clocks").await,
            promises: items("promises").await,
            escalations: items("escalations").await,
            case,
        }
    }

    /// What is seen after that answer, if it says all of it.
    #[must_use]
    pub fn after(mut self, deed: &Deed, answer: &Answer) -> Option<Self> {
        let thing = (answer.status < 300).then(|| answer.json())?;
        match deed.of {
            _ if deed.verb == "work-orders" => self.orders.push(thing),
            Of::Work => self.work = thing,
            Of::Order(place) => *self.orders.get_mut(place)? = thing,
            _ => return None,
        }
        Some(self)
    }

    fn kind(&self) -> &str {
        self.case["kind"].as_str().unwrap_or_default()
    }

    /// The commands that it says are legal.
    #[must_use]
    pub fn allowed(&self, of: Of) -> Vec<String> {
        let verbs = |thing: &Value| -> Vec<String> {
            thing["allowed"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|verb| verb.as_str().map(str::to_owned))
                .collect()
        };
        match of {
            Of::Work if self.kind() == "inquiry" && self.work["allowed"].is_null() => {
                let words: &[&str] = match self.work["stage"].as_str().unwrap_or_default() {
                    "open" | "reopened" => &["answer"],
                    "answered" | "follow_up_due" if !self.work["follow_up_at"].is_null() => &["follow-up", "reopen"],
                    "answered" | "followed_up" => &["close", "reopen"],
                    _ => &[],
                };
                words.iter().map(|word| (*word).to_owned()).collect()
            }
            Of::Work => verbs(&self.work),
            Of::Order(place) => self.orders.get(place).map(verbs).unwrap_or_default(),
            Of::Case | Of::Survey | Of::Clock(_) | Of::Promise(_) | Of::Escalation => Vec::new(),
        }
    }

    /// The first that is open among its surveys.
    fn open_survey(&self) -> Option<&Value> {
        self.surveys.iter().find(|survey| survey["stage"] == "sent")
    }

    /// What could be done now, each with how likely it is.
    #[must_use]
    pub fn choices(&self, rng: &mut fastrand::Rng) -> Vec<(u32, Deed)> {
        let mut choices = Vec::new();
        let way = rng.u32(0..1000);
        let mut add = |weight: u32, of: Of, verb: &str, allowed: bool| {
            let who = who_does(verb, of, way);
            choices.push((weight, Deed { who, of, verb: verb.to_owned(), way, at_once: false, allowed }));
        };
        for verb in self.allowed(Of::Work) {
            let ends = ["cancel", "withdraw", "decline"].contains(&&*verb);
            add(if ends { 2 } else { 10 }, Of::Work, &verb, true);
        }
        for place in 0..self.orders.len() {
            for verb in self.allowed(Of::Order(place)) {
                let breaks = ["cancel", "transfer", "return"].contains(&&*verb);
                add(if breaks { 2 } else { 14 }, Of::Order(place), &verb, true);
            }
        }
        let status = self.case["status"].as_str().unwrap_or_default();
        let under_way = ["received", "in_progress", "awaiting_owner"].contains(&status);
        if under_way {
            add(1, Of::Case, "cancel", true);
            add(2, Of::Case, "prioritise", true);
            add(2, Of::Case, "promises", true);
            add(2, Of::Case, "hand-over", true);
            if self.case["accountable"]["asked"].is_string() {
                add(6, Of::Case, "accept-hand-over", true);
                add(3, Of::Case, "refuse-hand-over", true);
            }
        }
        if ["service_request", "complaint"].contains(&self.kind()) {
            add(if under_way { 9 } else { 1 }, Of::Work, "work-orders", false);
        }
        if self.open_survey().is_some() {
            add(6, Of::Survey, "answer", true);
        }
        for clock in self.clocks.iter().filter(|clock| clock["party"] == "company") {
            let measure = MEASURES.iter().find(|known| clock["measure"] == **known).copied().unwrap_or("finish");
            if clock["state"] == "running" && ["decide", "finish"].contains(&measure) {
                add(1, Of::Clock(measure), "extend", false);
            }
            if clock["paused_seconds"].as_i64().unwrap_or(0) > 0 {
                add(2, Of::Clock(measure), "contest-pause", false);
                add(3, Of::Clock(measure), "decide-objection", false);
            }
        }
        for (place, promise) in self.promises.iter().enumerate().filter(|(_, promise)| promise["state"] == "open") {
            let by_hand = promise["what"] == "other";
            add(3, Of::Promise(place), "keep", by_hand);
            add(1, Of::Promise(place), "move", false);
        }
        if self.escalations.iter().any(|one| one["settled_at"].is_null()) {
            add(3, Of::Escalation, "acknowledge", false);
        }
        choices
    }

    /// Something that nobody said is allowed.
    #[must_use]
    pub fn against(&self, rng: &mut fastrand::Rng) -> Deed {
        let (of, verb) = ANYTHING[rng.usize(0..ANYTHING.len())];
        let of = match of {
            Of::Order(_) => Of::Order(rng.usize(0..self.orders.len().max(1))),
            other => other,
        };
        let way = rng.u32(0..1000);
        Deed { who: who_does(verb, of, way), of, verb: verb.to_owned(), way, at_once: false, allowed: false }
    }
}

const MEASURES: [&str; 7] = ["acknowledge", "plan", "arrive", "make_safe", "finish", "decide", "follow_up"];

/// Everything that can be tried.
const ANYTHING: &[(Of, &str)] = &[
    (Of::Case, "cancel"),
    (Of::Case, "prioritise"),
    (Of::Case, "promises"),
    (Of::Work, "acknowledge"),
    (Of::Work, "plan"),
    (Of::Work, "await-owner"),
    (Of::Work, "resume"),
    (Of::Work, "decide"),
    (Of::Work, "remedy"),
    (Of::Work, "keep-commitment"),
    (Of::Work, "confirm"),
    (Of::Work, "withdraw"),
    (Of::Work, "appoint"),
    (Of::Work, "request-info"),
    (Of::Work, "provide-info"),
    (Of::Work, "decline"),
    (Of::Work, "cancel"),
    (Of::Work, "verify"),
    (Of::Work, "answer"),
    (Of::Work, "follow-up"),
    (Of::Work, "close"),
    (Of::Work, "reopen"),
    (Of::Work, "consider"),
    (Of::Work, "accept"),
    (Of::Work, "deliver"),
    (Of::Work, "work-orders"),
    (Of::Order(0), "assign"),
    (Of::Order(0), "hold"),
    (Of::Order(0), "complete"),
    (Of::Order(0), "cancel"),
    (Of::Order(0), "verify"),
];

/// Who usually does such a thing; words of the owner are taken down by staff now and then.
fn who_does(verb: &str, of: Of, way: u32) -> Who {
    let by_staff = way % 4 == 3;
    match (of, verb) {
        (
            Of::Order(_),
            "accept" | "return" | "depart" | "arrive" | "make-safe" | "start" | "hold" | "resume" | "complete",
        ) => Who::Technician,
        (Of::Order(_), "verify") | (Of::Clock(_), "decide-objection") => Who::Judge,
        (Of::Survey, _) | (Of::Clock(_), "contest-pause") => Who::Owner,
        (Of::Work, "withdraw" | "provide-info" | "verify" | "close" | "reopen") if by_staff => Who::Judge,
        (Of::Work, "withdraw" | "provide-info" | "verify" | "close" | "reopen") => Who::Owner,
        (Of::Work | Of::Case, "cancel") => [Who::Owner, Who::Desk, Who::Handler, Who::Judge][way as usize % 4],
        (Of::Work, "answer") => Who::Desk,
        (Of::Work, "consider" | "accept" | "later" | "plan" | "deliver") | (Of::Escalation, _) => Who::Manager,
        (Of::Case, "accept-hand-over" | "refuse-hand-over") => Who::Handler,
        (Of::Case, "hand-over") => Who::Desk,
        _ => Who::Handler,
    }
}

fn one_of<T: Copy>(all: &[T], way: u32) -> T {
    all[way as usize % all.len()]
}

/// The owner's word is taken down by whoever is not the owner.
fn with_word(mut body: Value, who: Who) -> Value {
    if who != Who::Owner {
        body["taken_down"] = json!({"how": "phone"});
    }
    body
}

impl Deed {
    /// Does it: what was sent, and the answer. None when there is nothing to do it with.
    pub async fn done(&self, company: &Company, place: &Place, sight: &Sight) -> Option<(Value, Answer)> {
        let (path, who) = (self.path(sight)?, self.really_who(place, sight));
        let body = self.body(company, place, sight, who).await?;
        let client = company.client(place, who, sight.case["resident_id"].as_str());
        let key = steward_testkit::db::new_id().to_string();
        let answer = client.post(&path, body.clone()).key(&key).await;
        // Apps on bad networks send it once more.
        if self.way.is_multiple_of(5) {
            drop(client.post(&path, body.clone()).key(&key).await);
        }
        Some((body, answer))
    }

    /// Whether it takes a look at what the company owes.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        !matches!(self.of, Of::Case | Of::Work | Of::Order(_))
    }

    fn really_who(&self, place: &Place, sight: &Sight) -> Who {
        if let (Of::Order(number), Who::Technician) = (self.of, self.who) {
            let has = sight.orders.get(number).and_then(|order| order["technician_id"].as_str());
            return if has.is_some() && has == place.technicians.get(1).map(String::as_str) {
                Who::Second
            } else {
                Who::Technician
            };
        }
        match (&*self.verb, sight.kind(), self.of) {
            ("confirm", "complaint", Of::Work) if self.way % 4 == 3 => Who::Judge,
            ("confirm" | "reopen", "suggestion", Of::Work) | ("confirm", "complaint", Of::Work) => Who::Owner,
            ("cancel", "service_request" | "complaint", Of::Work) if self.way.is_multiple_of(4) => Who::Owner,
            ("plan" | "acknowledge" | "assess", "complaint", _) => Who::Handler,
            ("decline", "suggestion", _) => Who::Manager,
            _ => self.who,
        }
    }

    /// Where it is asked for; none when there is nothing to do it with.
    #[must_use]
    pub fn path(&self, sight: &Sight) -> Option<String> {
        let verb = &self.verb;
        let of = |list: &str, thing: &Value, field: &str| Some(format!("/v1/{list}/{}/{verb}", thing[field].as_str()?));
        match self.of {
            _ if verb == "work-orders" => Some("/v1/work-orders".to_owned()),
            Of::Case => Some(format!("/v1/cases/{}/{verb}", sight.case_id)),
            Of::Work => Some(format!("/v1/{}/{}/{verb}", collection(sight.kind()), sight.case_id)),
            Of::Order(place) => of("work-orders", sight.orders.get(place)?, "work_order_id"),
            Of::Survey => of("surveys", sight.open_survey()?, "survey_id"),
            Of::Clock(measure) => {
                let clock = sight
                    .clocks
                    .iter()
                    .rev()
                    .find(|clock| clock["measure"] == measure && clock["party"] == "company")?;
                of("clocks", clock, "clock_id")
            }
            Of::Promise(place) => of("promises", sight.promises.get(place)?, "promise_id"),
            Of::Escalation => {
                let open = sight.escalations.iter().rev().find(|one| one["settled_at"].is_null())?;
                of("escalations", open, "escalation_id")
            }
        }
    }

    async fn body(&self, company: &Company, place: &Place, sight: &Sight, who: Who) -> Option<Value> {
        let (now, way) = (company.now(), self.way);
        match self.of {
            _ if self.verb == "work-orders" => {
                Some(json!({"case_id": sight.case_id, "department": place.department(way), "summary": "修"}))
            }
            Of::Case => Some(self.body_of_case(now, who)),
            Of::Work => self.body_of_work(place, sight, who, now),
            Of::Order(number) => self.body_of_order(company, place, sight.orders.get(number)?, who).await,
            Of::Survey => Some(match way % 5 {
                0 => json!({"outcome": 1, "handling": 1, "courtesy": 1}),
                1 => json!({"comment": "一般"}),
                score => json!({"outcome": score + 1, "courtesy": 4}),
            }),
            Of::Clock(_) => self.body_of_clock(company, sight, now).await,
            Of::Promise(_) if self.verb == "move" => {
                Some(json!({"due_at": now + TimeDelta::hours(i64::from(way % 50) + 1), "reason": "配件明天到货"}))
            }
            Of::Promise(_) | Of::Escalation => Some(json!({})),
        }
    }

    fn body_of_case(&self, now: DateTime<Utc>, who: Who) -> Value {
        let way = self.way;
        match &*self.verb {
            "cancel" if who == Who::Judge => with_word(json!({"reason": "算了"}), who),
            "prioritise" => json!({"priority": one_of(&["P1", "P2", "P3", "P4"], way), "reason": "急"}),
            "promises" => {
                let team = if way.is_multiple_of(2) { "" } else { "engineering" };
                let due_at = now + TimeDelta::hours(i64::from(way % 60) + 1);
                if team.is_empty() { json!({"due_at": due_at}) } else { json!({"due_at": due_at, "team": team}) }
            }
            "hand-over" => json!({"account": "handler-1", "reason": "涉及费用"}),
            "accept-hand-over" => json!({}),
            _ => json!({"reason": "不行"}),
        }
    }

    fn body_of_work(&self, place: &Place, sight: &Sight, who: Who, now: DateTime<Utc>) -> Option<Value> {
        let way = self.way;
        // What is over can only be contradicted.
        let over =
            ["closed", "withdrawn", "declined", "cancelled"].contains(&sight.work["stage"].as_str().unwrap_or(""));
        let good = !way.is_multiple_of(3) && !over;
        let window = || {
            let from = now + TimeDelta::minutes(i64::from(way % 40) * 60 + 30);
            json!({"from": from, "to": from + TimeDelta::hours(i64::from(way % 5) + 1)})
        };
        Some(match (&*self.verb, sight.kind()) {
            ("answer", _) if way.is_multiple_of(2) => json!({"text": "回头再说", "important": true}),
            ("answer", _) => json!({"text": "可以"}),
            ("follow-up", _) => json!({"result": if good { "reached" } else { "not_reached" }}),
            ("close", _) => with_word(json!({}), who),
            ("reopen", "suggestion") => json!({"reason": "没有装"}),
            ("reopen", _) => with_word(json!({"reason": "没懂"}), who),
            ("assess", _) => {
                let mut body = json!({"severity": "high", "points": [{"text": "漏水"}, {"text": "太吵"}]});
                if way.is_multiple_of(3) {
                    body["category"] = json!("noise.neighbour");
                }
                body
            }
            ("consult", _) => json!({"department": "engineering", "question": "夜间巡逻有没有记录？"}),
            ("answer-consultation", _) => {
                let asked = sight.work["consultations"].as_array()?.iter().find(|one| one["answer"].is_null())?;
                json!({"consultation_id": asked["consultation_id"], "answer": "有三次"})
            }
            ("plan", "complaint") => {
                json!({"text": "明天处理", "departments": ["engineering"], "told_owner_via": "phone"})
            }
            ("plan", _) => json!({"text": "下月"}),
            ("await-owner", _) => json!({"reason": "等照片"}),
            ("decide", _) => self.decision(place, sight, now)?,
            ("remedy", _) => json!({"department": place.department(way), "summary": "修"}),
            ("keep-commitment", _) => {
                let open = sight.work["commitments"].as_array()?.iter().find(|one| one["kept_at"].is_null())?;
                json!({"commitment_id": open["commitment_id"]})
            }
            ("confirm", "complaint") if good => with_word(json!({"satisfied": true}), who),
            ("confirm", "complaint") => with_word(json!({"satisfied": false, "comment": "没解决"}), who),
            ("confirm", "service_request") if good => json!({"details": "在家", "appointment": window()}),
            ("confirm", "service_request") => json!({"details": "在家"}),
            ("withdraw", _) => with_word(json!({"reason": "算了"}), who),
            ("appoint", _) => json!({"appointment": window(), "reason": "业主改时间"}),
            ("request-info", _) => json!({"question": "哪里？"}),
            ("provide-info", _) => with_word(json!({"text": "厨房"}), who),
            ("decline", "service_request") => json!({"reason": "不归我们", "responsible": "供电局"}),
            ("cancel", _) if who == Who::Judge => with_word(json!({"reason": "业主说算了"}), who),
            ("cancel", _) => json!({"reason": "不用了"}),
            ("verify", _) if good => with_word(json!({"satisfied": true}), who),
            ("verify", _) => with_word(json!({"satisfied": false, "comment": "还漏"}), who),
            ("accept" | "decline" | "later", _) => json!({"reason": "明年"}),
            ("deliver", _) => json!({"proof": "照片"}),
            _ => json!({}),
        })
    }

    fn decision(&self, place: &Place, sight: &Sight, now: DateTime<Utc>) -> Option<Value> {
        let points = sight.work["points"].as_array()?.iter().map(|point| {
            let outcome = if self.way.is_multiple_of(2) { "upheld" } else { "not_upheld" };
            json!({"point_id": point["point_id"], "outcome": outcome, "reason": "属实"})
        });
        let due_on = (now + TimeDelta::days(i64::from(self.way % 9) + 1)).with_timezone(&place.zone).date_naive();
        let commitments = match self.way % 3 {
            0 => json!([{"text": "更换", "due_on": due_on}, {"text": "道歉", "due_on": due_on}]),
            _ => json!([]),
        };
        Some(json!({"points": points.collect::<Vec<_>>(), "commitments": commitments}))
    }

    async fn body_of_order(&self, company: &Company, place: &Place, order: &Value, who: Who) -> Option<Value> {
        Some(match &*self.verb {
            "assign" => {
                let to = &place.technicians[self.way as usize % place.technicians.len()];
                match &order["technician_id"] {
                    Value::Null => json!({"technician_id": to}),
                    other => json!({"technician_id": to, "instead_of": other}),
                }
            }
            "change-skill" => json!({"skill": "水电"}),
            "return" | "cancel" => json!({"reason": "需要厂家"}),
            "transfer" => {
                let to = if order["department"] == "lift" { "engineering" } else { "lift" };
                let mut body = json!({"department": to, "reason": "须由维保单位处理"});
                if order["status"] == "transferred" {
                    body["instead_of"] = order["department"].clone();
                }
                body
            }
            "hold" => {
                json!({"reason": one_of(&["access", "parts", "weather", "third_party", "approval"], self.way)})
            }
            "complete" => {
                let client = company.client(place, who, None);
                let photo = client.upload("/v1/files", "image/jpeg", PHOTO.to_vec()).await.json();
                json!({"note": "已修好", "file_ids": [photo["file_id"].as_str()?]})
            }
            _ => json!({}),
        })
    }

    async fn body_of_clock(&self, company: &Company, sight: &Sight, now: DateTime<Utc>) -> Option<Value> {
        if self.verb == "extend" {
            return Some(json!({"until": now + TimeDelta::days(i64::from(self.way % 20) + 1), "reason": "等检测报告"}));
        }
        let path = self.path(sight)?;
        let clock = path.strip_suffix(&self.verb)?;
        let explained = company.manager.get(&format!("{clock}explain")).await.json();
        let last = |list: &str| explained[list].as_array().and_then(|list| list.last().cloned());
        match &*self.verb {
            "contest-pause" => Some(json!({"pause_id": last("pauses")?["pause_id"], "reason": "我早就回了"})),
            _ => {
                let objection = &last("objections")?["objection_id"];
                Some(json!({"objection_id": objection, "upheld": !self.way.is_multiple_of(3), "reason": "属实"}))
            }
        }
    }

    /// Opens the case: what was sent, and the answer.
    pub async fn opened(&self, company: &Company, place: &Place) -> (Value, Answer) {
        let (kind, category) = KINDS[self.way as usize % 4];
        let way = self.way as usize / 4;
        let household = way % place.residents.len();
        let mut body = json!({
            "kind": kind, "category": category, "words": "说的话", "estate_id": place.id,
            "unit_id": place.units[household],
        });
        if self.who == Who::Owner {
            body["channel"] = json!("app");
        } else {
            body["channel"] = json!(["phone", "desk"][way % 2]);
            body["priority"] = json!(["P1", "P2", "P3", "P4", "P3", "P3"][way % 6]);
            if way % 11 == 7 {
                body["said_at"] = json!(company.now() - TimeDelta::hours((way % 90) as i64 + 1));
            }
            if way % 13 != 5 {
                body["resident_id"] = json!(place.residents[household]);
            }
        }
        let owner = place.residents[household].to_string();
        let answer = company.client(place, self.who, Some(&owner)).post("/v1/cases", body.clone()).await;
        (body, answer)
    }
}
