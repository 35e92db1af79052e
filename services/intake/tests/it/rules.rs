//! What decides about time and responsibility: calendars, public holidays, clock policies, posts and absences.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use steward_chassis::db::{Db, Tx};
use steward_clock::{Pin, policy::Hours};
use steward_intake::{Intake, rules::Rules};
use steward_kernel::{Actor, ActorId, Role, TenantId, ids::EstateId};
use steward_testkit::{Client, Kit, OTHER_TENANT, TENANT, with};
use uuid::Uuid;

use crate::world::{World, case_id, world};

const STAFF: &str = "staff_code,name,role,department,estate_code,account\n\
    K1,武怡芳,receptionist,customer_service,YX,desk-1\nK2,姚玉军,receptionist,customer_service,YX,desk-2\n\
    K3,何立,supervisor,engineering,YX,lead-1\nK4,罗文,manager,management,YX,manager-1\n\
    K5,高远,manager,management,全部,company-1\nK6,孙晓,handler,customer_service,BL,desk-bl\n";

async fn staffed(kit: &Kit, staff: &str) -> World {
    let world = world(kit).await;
    let _ = kit.client(Role::Admin).upload("/v1/staff/import", "text/csv", staff.into()).await.ok();
    world
}

/// Somebody of the register, who sees these estates.
fn person(kit: &Kit, role: Role, account: &str, estates: &[Uuid]) -> Client {
    kit.client_of(&Actor { id: ActorId::new(account), ..kit.staff_of(role, estates) })
}

fn manager_of(kit: &Kit, estate: Uuid) -> Client {
    kit.client_of(&kit.staff_of(Role::Manager, &[estate]))
}

fn foreigner(kit: &Kit) -> Client {
    kit.client_of(&Actor { tenant: TenantId::from(OTHER_TENANT), ..kit.staff(Role::Admin) })
}

/// Open every weekday in that period of the day, with the public holidays of China.
fn office(from: &str, to: &str) -> Value {
    let hours = json!([{ "from": from, "to": to }]);
    json!({
        "week": { "monday": hours, "tuesday": hours, "wednesday": hours, "thursday": hours, "friday": hours },
        "public_holidays": "cn"
    })
}

fn pointers(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

fn path(kind: &str, answer: &Value, field: &str) -> String {
    format!("/v1/{kind}/{}", answer[field].as_str().unwrap())
}

async fn opens(kit: &Kit, estate: Uuid, kind: &str) -> Uuid {
    let body = json!({ "kind": kind, "words": "灯不亮", "channel": "phone", "estate_id": estate, "priority": "P3" });
    case_id(&kit.client(Role::Integration).post("/v1/cases", body).await.created())
}

async fn accountable(kit: &Kit, case: Uuid) -> Value {
    kit.client(Role::Admin).get(&format!("/v1/cases/{case}")).await.ok()["accountable"]["account"].clone()
}

/// Until when a case must be acknowledged, in minutes from now.
async fn minutes_to_acknowledge(kit: &Kit, case: Uuid) -> i64 {
    let list =
        kit.client(Role::Admin).get(&format!("/v1/clocks?case_id={case}&measure=acknowledge&party=company")).await.ok();
    let due: DateTime<Utc> = list["items"][0]["due_at"].as_str().unwrap().parse().unwrap();
    // Clocks count whole seconds.
    ((due - kit.clock.now()).num_seconds() + 30).div_euclid(60)
}

#[tokio::test]
async fn a_calendar_is_written_and_revised_and_keeps_its_versions() {
    with::<Intake>(async |kit| {
        let manager = kit.client(Role::Manager);
        let body = |rules: Value| json!({ "code": "desk", "name": "客服中心", "rules": rules });
        let first = manager.post("/v1/calendars", body(office("09:00", "18:00"))).key("k").await;
        assert_eq!(first.created()["version_in_force"], 1);
        let again = manager.post("/v1/calendars", body(office("09:00", "18:00"))).key("k").await;
        assert_eq!(again.created(), first.created());
        assert_eq!(again.header("idempotency-replayed"), "true");
        let taken = manager.post("/v1/calendars", body(office("09:00", "17:00"))).await;
        assert_eq!(pointers(&taken.problem(409, "intake/calendar-code-taken")), ["/code"]);

        let mut wrong = office("18:00", "09:00");
        wrong["public_holidays"] = json!("atlantis");
        wrong["special_days"] = json!({ "9999-01-01": { "name": "x" } });
        let wrong = manager.post("/v1/calendars", body(wrong)).await.problem(422, "invalid-request");
        for pointer in ["/rules/week/monday/0", "/rules/public_holidays", "/rules/special_days/9999-01-01"] {
            assert!(pointers(&wrong).contains(&pointer), "{wrong}");
        }

        let calendar = path("calendars", &first.created(), "calendar_id");
        let revise = format!("{calendar}/revise");
        let tomorrow = kit.clock.now() + TimeDelta::days(1);
        let next = json!({ "name": "服务中心", "rules": office("08:00", "20:00"), "valid_from": tomorrow });
        let _ = manager.post(&revise, next.clone()).await.problem(428, "precondition-required");
        let revised = manager.post(&revise, next.clone()).if_match(1).await.ok();
        assert_eq!((&revised["version"], &revised["version_in_force"]), (&json!(2), &json!(1)));
        let _ = manager.post(&revise, next).if_match(1).await.problem(412, "stale-version");
        for early in [json!(kit.clock.now() - TimeDelta::hours(1)), Value::Null] {
            let next = json!({ "rules": office("10:00", "20:00"), "valid_from": early });
            let early = manager.post(&revise, next).if_match(2).await.problem(422, "intake/valid-too-early");
            assert_eq!(pointers(&early), ["/valid_from"]);
        }
        let late = json!({ "rules": office("10:00", "20:00"), "valid_from": "2999-01-01T00:00:00Z" });
        let _ = manager.post(&revise, late).if_match(2).await.problem(422, "intake/valid-too-late");
        let same = manager.post(&revise, json!({ "rules": office("08:00", "20:00") })).if_match(2).await.ok();
        assert_eq!(same["version"], 2, "the same rules change nothing");

        kit.clock.advance(TimeDelta::days(2));
        let read = kit.client(Role::Receptionist).get(&calendar).await;
        assert_eq!((read.version(), &read.ok()["version_in_force"]), (Some(2), &json!(2)));
        let versions = read.ok()["versions"].clone();
        let names: Vec<_> = versions.as_array().unwrap().iter().map(|version| version["name"].clone()).collect();
        assert_eq!(names, ["服务中心", "客服中心"]);
        assert_eq!(versions[1]["written_by"], "manager");
        let list = manager.get("/v1/calendars").await.ok();
        assert_eq!((&list["items"][0]["version"], &list["items"][0]["version_in_force"]), (&json!(2), &json!(2)));
        let _ = foreigner(&kit).get(&calendar).await.problem(404, "intake/no-such-calendar");
    })
    .await;
}

#[tokio::test]
async fn the_days_of_a_calendar_show_the_rules_that_made_them() {
    with::<Intake>(async |kit| {
        let manager = kit.client(Role::Manager);
        let mut rules = office("09:00", "18:00");
        rules["special_days"] = json!({ "2026-02-13": { "name": "盘点", "hours": [{ "from": "09:00", "to": "12:00" }] } });
        let body = json!({ "code": "desk", "name": "客服中心", "rules": rules });
        let calendar = path("calendars", &manager.post("/v1/calendars", body).await.created(), "calendar_id");
        let days = manager.get(&format!("{calendar}/days?from=2026-02-12&to=2026-02-17")).await.ok();
        let rule = |index: usize| days["days"][index]["rule"]["rule"].clone();
        assert_eq!(days["days"].as_array().unwrap().len(), 6);
        assert_eq!([rule(0), rule(1), rule(2), rule(5)], ["week", "special_day", "makeup_workday", "public_holiday"]);
        assert_eq!(days["days"][1]["hours"], json!([{ "from": "09:00", "to": "12:00" }]));
        assert_eq!(days["days"][2]["hours"], json!([{ "from": "09:00", "to": "18:00" }]), "a Saturday made up for");
        assert_eq!((&days["time_zone"], &days["version"]), (&json!("Asia/Shanghai"), &json!(1)));
        for wrong in ["from=2026-02-17&to=2026-02-12", "from=2026-01-01&to=2027-02-05"] {
            let _ = manager.get(&format!("{calendar}/days?{wrong}")).await.problem(422, "invalid-request");
        }
        let _ = manager.get(&format!("{calendar}/days?from=2026-02-12")).await.problem(400, "malformed-request");
        let _ = manager.get(&format!("{calendar}/days?from=2026-02-12&to=2026-02-12&version=2")).await.problem(404, "not-found");

        // The arrangement of that year is not announced yet.
        let eve = format!("{calendar}/days?from=2028-01-26&to=2028-01-26");
        assert_eq!(manager.get(&eve).await.ok()["days"][0]["provisional"], true);
        let arrangement = json!({
            "region": "cn", "year": 2028, "source": "测试", "workdays": [], "days_off": [{ "on": "2028-01-26", "name": "春节" }]
        });
        let loaded = manager.post("/v1/public-holidays", arrangement.clone()).key("h").await;
        assert_eq!((loaded.ok()["number"].clone(), loaded.ok()["shipped"].clone()), (json!(1), json!(false)));
        let day = manager.get(&eve).await.ok()["days"][0].clone();
        assert_eq!((&day["provisional"], &day["rule"]["name"], &day["hours"]), (&json!(false), &json!("春节"), &json!([])));
        let again = manager.post("/v1/public-holidays", arrangement).key("h").await;
        assert_eq!(again.ok(), loaded.ok());
    })
    .await;
}

#[tokio::test]
async fn public_holidays_are_numbered_in_the_order_of_loading_and_replaced_for_the_future() {
    with::<Intake>(async |kit| {
        let admin = kit.client(Role::Admin);
        let year = |year: i32, source: &str| {
            json!({ "region": "cn", "year": year, "source": source, "workdays": [], "days_off": [] })
        };
        // All at once: the numbers have no gap, and none is given twice.
        let loads = (2030..2038).map(|of| admin.post("/v1/public-holidays", year(of, "甲")).send());
        let mut numbers: Vec<i64> = Vec::new();
        for answer in futures::future::join_all(loads).await {
            numbers.extend((answer.status == 200).then(|| answer.ok()["number"].as_i64().unwrap()));
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=i64::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
        let loaded = i64::try_from(numbers.len()).unwrap();

        assert_eq!(admin.post("/v1/public-holidays", year(2027, "甲")).await.ok()["number"], loaded + 1);
        assert_eq!(admin.post("/v1/public-holidays", year(2027, "甲")).await.ok()["number"], loaded + 1, "nothing new");
        assert_eq!(admin.post("/v1/public-holidays", year(2027, "乙")).if_match(1).await.ok()["number"], loaded + 2);
        let _ = admin.post("/v1/public-holidays", year(2027, "丙")).await.problem(428, "precondition-required");
        let _ = admin.post("/v1/public-holidays", year(2027, "丙")).if_match(1).await.problem(412, "stale-version");
        let list = kit.client(Role::Analyst).get("/v1/public-holidays").await.ok()["items"].clone();
        let of = |year: i32| list.as_array().unwrap().iter().filter(|item| item["year"] == year).cloned().collect::<Vec<_>>();
        assert_eq!(of(2026)[0]["shipped"], true);
        assert_eq!(of(2027)[1]["version"], 2);
        let replaced: Vec<_> = of(2027).iter().map(|item| (item["source"].clone(), item["replaced"].clone())).collect();
        assert_eq!(replaced, [(json!("甲"), json!(true)), (json!("乙"), json!(false))]);

        let mut wrong = year(2027, "丙");
        wrong["workdays"] = json!(["2028-03-04"]);
        let wrong = admin.post("/v1/public-holidays", wrong).await.problem(422, "invalid-request");
        assert_eq!(pointers(&wrong), ["/workdays/0"]);
        let limited = manager_of(&kit, Uuid::from_u128(1));
        let _ = limited.post("/v1/public-holidays", year(2027, "丁")).await.problem(403, "intake/not-your-scope");
        assert!(foreigner(&kit).get("/v1/public-holidays").await.ok()["items"].as_array().unwrap().iter().all(|item| item["shipped"] == true));
    })
    .await;
}

#[tokio::test]
async fn what_holds_in_an_estate_comes_from_the_nearest_policy() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let manager = kit.client(Role::Manager);
        let _ = manager.post("/v1/calendars", json!({ "code": "desk", "name": "客服", "rules": office("09:00", "18:00") })).await.created();
        let company = json!({ "scope": "company", "policy": {
            "calendar": "desk", "hand_over_within": { "P1": "2m", "P2": "10m" },
            "targets": [{ "measure": "acknowledge", "kind": "complaint", "within": "3h" }]
        } });
        let region = json!({ "scope": "region", "region": "上海", "policy": {
            "hand_over_within": { "P2": "9m" }, "targets": [{ "measure": "acknowledge", "kind": "complaint", "priority": "P3", "within": "2h" }]
        } });
        let estate = json!({ "scope": "estate", "estate_id": world.estate, "policy": { "promise_warning_percent": 70 } });
        for body in [&company, &region, &estate] {
            assert_eq!(manager.post("/v1/clock-policies", body.clone()).await.created()["version"], 1);
        }
        let effective = manager.get(&format!("/v1/clock-policies/effective?estate_id={}", world.estate)).await.ok();
        let sources: Vec<_> = effective["policies"].as_array().unwrap().iter().map(|own| own["source"].clone()).collect();
        assert_eq!(sources, ["estate", "region", "company"]);
        assert_eq!(effective["calendars"], json!([{ "calendar": "desk", "source": "company" }]));
        assert_eq!(effective["promise_warning_percent"], json!({ "percent": 70, "source": "estate" }));
        let within: Vec<_> = effective["hand_over_within"].as_array().unwrap().iter().map(|own| (own["amount"].clone(), own["source"].clone())).collect();
        assert_eq!(within[..3], [(json!("2m"), json!("company")), (json!("9m"), json!("region")), (json!("2h"), json!("shipped"))]);
        let acknowledge: Vec<_> = effective["targets"].as_array().unwrap().iter()
            .filter(|own| own["target"]["measure"] == "acknowledge" && own["target"]["kind"] == "complaint")
            .map(|own| (own["target"]["within"].clone(), own["source"].clone()))
            .collect();
        let expected = [("2h", "region"), ("3h", "company"), ("3m", "shipped"), ("15m", "shipped")];
        let expected = expected.map(|(within, source)| (json!(within), json!(source)));
        assert_eq!(acknowledge, expected, "the company's stands for all but emergencies, which it does not name");
        let elsewhere = kit.client_of(&kit.staff_of(Role::Manager, &[world.other_estate]));
        let _ = elsewhere.get(&format!("/v1/clock-policies/effective?estate_id={}", world.estate)).await.problem(404, "not-found");
    })
    .await;
}

#[tokio::test]
async fn a_policy_is_published_by_who_has_read_it_for_the_places_that_are_theirs() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let (manager, limited) = (kit.client(Role::Manager), manager_of(&kit, world.estate));
        let publish = |client: &Client, body: Value| client.post("/v1/clock-policies", body);
        let own = |percent: u8| json!({ "scope": "estate", "estate_id": world.estate, "policy": { "promise_warning_percent": percent } });
        let first = publish(&limited, own(70)).key("k").await;
        assert_eq!(publish(&limited, own(70)).key("k").await.created(), first.created());
        let _ = publish(&limited, own(60)).await.problem(428, "precondition-required");
        let _ = publish(&limited, own(60)).if_match(7).await.problem(412, "stale-version");
        assert_eq!(publish(&limited, own(60)).if_match(1).await.ok()["version"], 2);
        assert_eq!(publish(&limited, own(60)).if_match(2).await.ok()["version"], 2, "the same policy changes nothing");

        for body in [
            json!({ "scope": "company", "policy": {} }),
            json!({ "scope": "region", "region": "上海", "policy": {} }),
            json!({ "scope": "estate", "estate_id": world.other_estate, "policy": {} }),
        ] {
            let _ = publish(&limited, body).await.problem(403, "intake/not-your-scope");
        }
        for (body, pointer) in [
            (json!({ "scope": "region", "policy": {} }), "/region"),
            (json!({ "scope": "region", "region": "火星", "policy": {} }), "/region"),
            (json!({ "scope": "estate", "policy": {} }), "/estate_id"),
            (json!({ "scope": "estate", "estate_id": Uuid::from_u128(1), "policy": {} }), "/estate_id"),
            (json!({ "scope": "company", "region": "上海", "policy": {} }), "/region"),
            (json!({ "scope": "company", "policy": { "calendar": "nowhere" } }), "/policy/calendar"),
            (json!({ "scope": "company", "policy": { "department_calendars": { "a/b": "nowhere" } } }), "/policy/department_calendars/a~1b"),
            (json!({ "scope": "company", "policy": { "promise_warning_percent": 100 } }), "/policy/promise_warning_percent"),
        ] {
            assert_eq!(pointers(&publish(&manager, body).await.problem(422, "invalid-request")), [pointer]);
        }
        let unreadable = json!({ "scope": "company", "policy": { "climb_every": { "P1": "soon" } } });
        assert_eq!(pointers(&publish(&manager, unreadable).await.problem(400, "malformed-request")), ["/policy/climb_every"]);

        // A calendar of one estate is for the policies of that estate.
        let calendar = json!({ "code": "yx", "name": "御溪", "estate_id": world.estate, "rules": { "always": true } });
        let _ = limited.post("/v1/calendars", calendar.clone()).await.created();
        let wide = json!({ "scope": "company", "policy": { "calendar": "yx" } });
        assert_eq!(pointers(&publish(&manager, wide).await.problem(422, "invalid-request")), ["/policy/calendar"]);
        let mine = json!({ "scope": "estate", "estate_id": world.estate, "policy": { "calendar": "yx" } });
        assert_eq!(publish(&limited, mine).if_match(2).await.ok()["version"], 3);
        let mut wide = calendar;
        wide["code"] = json!("all");
        wide.as_object_mut().unwrap().remove("estate_id");
        let _ = limited.post("/v1/calendars", wide).await.problem(403, "intake/not-your-scope");

        let policy = path("clock-policies", &first.created(), "policy_id");
        let read = limited.get(&policy).await;
        assert_eq!((read.version(), read.ok()["versions"].as_array().unwrap().len()), (Some(3), 3));
        assert_eq!(read.ok()["versions"][2]["policy"]["promise_warning_percent"], 70);
        let _ = manager_of(&kit, world.other_estate).get(&policy).await.problem(404, "intake/no-such-policy");
        assert!(manager_of(&kit, world.other_estate).get("/v1/clock-policies").await.ok()["items"].as_array().unwrap().is_empty());
        assert_eq!(limited.get("/v1/clock-policies").await.ok()["items"][0]["version_in_force"], 3);
    })
    .await;
}

#[tokio::test]
async fn a_new_policy_holds_at_once_for_what_begins_and_never_for_what_began() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let manager = kit.client(Role::Manager);
        let publish = |scope: Value, within: &str| {
            let mut body = scope;
            body["policy"] = json!({ "targets": [{ "measure": "acknowledge", "kind": "inquiry", "within": within, "hours": "always" }] });
            manager.post("/v1/clock-policies", body)
        };
        let _ = publish(json!({ "scope": "company" }), "90m").await.created();
        let old = opens(&kit, world.estate, "inquiry").await;
        assert_eq!(minutes_to_acknowledge(&kit, old).await, 90);
        let _ = publish(json!({ "scope": "region", "region": "上海" }), "60m").await.created();
        assert_eq!(minutes_to_acknowledge(&kit, opens(&kit, world.estate, "inquiry").await).await, 60);
        let planned = kit.clock.now() + TimeDelta::minutes(10);
        let _ = publish(json!({ "scope": "estate", "estate_id": world.estate, "valid_from": planned }), "30m").await.created();
        assert_eq!(minutes_to_acknowledge(&kit, opens(&kit, world.estate, "inquiry").await).await, 60, "planned");
        kit.clock.advance(TimeDelta::minutes(10));
        assert_eq!(minutes_to_acknowledge(&kit, opens(&kit, world.estate, "inquiry").await).await, 30);
        assert_eq!(minutes_to_acknowledge(&kit, opens(&kit, world.other_estate, "inquiry").await).await, 60);
        assert_eq!(minutes_to_acknowledge(&kit, old).await, 80, "what began keeps its target");
    })
    .await;
}

#[tokio::test]
async fn a_department_counts_by_its_own_calendar_and_an_estate_by_the_newest_version() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let manager = kit.client(Role::Manager);
        let calendar = json!({ "code": "desk", "name": "客服", "rules": { "always": true } });
        let calendar = path("calendars", &manager.post("/v1/calendars", calendar).await.created(), "calendar_id");
        let policy = json!({ "scope": "company", "policy": {
            "calendar": "desk", "targets": [{ "measure": "acknowledge", "kind": "inquiry", "within": "2h" }]
        } });
        let _ = manager.post("/v1/clock-policies", policy).await.created();
        let old = opens(&kit, world.estate, "inquiry").await;
        assert_eq!(minutes_to_acknowledge(&kit, old).await, 120, "open day and night");
        // From now on open for one minute a day, a year from now on: two hours take more than 100 days.
        let minute = json!([{ "from": "12:00", "to": "12:01" }]);
        let rules = json!({ "week": { "monday": minute, "tuesday": minute, "wednesday": minute, "thursday": minute, "friday": minute, "saturday": minute, "sunday": minute } });
        let _ = manager.post(&format!("{calendar}/revise"), json!({ "rules": rules })).if_match(1).await.ok();
        let new = minutes_to_acknowledge(&kit, opens(&kit, world.estate, "inquiry").await).await;
        assert!((118 * 24 * 60..=121 * 24 * 60).contains(&new), "{new}");
        assert_eq!(minutes_to_acknowledge(&kit, old).await, 120, "an old case keeps the version it began with");
    })
    .await;
}

#[tokio::test]
async fn posts_are_filled_changed_and_vacated() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit, STAFF).await;
        let (manager, limited) = (kit.client(Role::Manager), manager_of(&kit, world.estate));
        let appoint = |client: &Client, body: Value| client.post("/v1/posts", body);
        let lead = |account: &str| {
            json!({ "level": "lead", "estate_id": world.estate, "department": "engineering", "account": account })
        };
        let first = appoint(&limited, lead("lead-1")).key("k").await;
        assert_eq!(appoint(&limited, lead("lead-1")).key("k").await.created(), first.created());
        let _ = appoint(&limited, lead("manager-1")).await.problem(428, "precondition-required");
        let changed = appoint(&limited, lead("manager-1")).if_match(1).await.ok();
        assert_eq!((&changed["account"], &changed["version"], &changed["post_id"]), (&json!("manager-1"), &json!(2), &first.created()["post_id"]));
        let _ = appoint(&limited, lead("lead-1")).if_match(1).await.problem(412, "stale-version");
        for body in [
            json!({ "level": "company", "account": "company-1" }),
            json!({ "level": "region", "region": "上海", "account": "company-1" }),
            json!({ "level": "estate_manager", "estate_id": world.other_estate, "account": "company-1" }),
        ] {
            let _ = appoint(&limited, body.clone()).await.problem(403, "intake/not-your-scope");
            let _ = appoint(&manager, body).await.created();
        }
        for (body, pointer) in [
            (json!({ "level": "worker", "account": "desk-1" }), "/level"),
            (json!({ "level": "lead", "account": "lead-1" }), "/estate_id"),
            (json!({ "level": "region", "region": "火星", "account": "company-1" }), "/region"),
            (json!({ "level": "company", "department": "engineering", "account": "company-1" }), "/department"),
            (json!({ "level": "lead", "estate_id": Uuid::from_u128(1), "account": "lead-1" }), "/estate_id"),
        ] {
            assert_eq!(pointers(&appoint(&manager, body).await.problem(422, "invalid-request")), [pointer]);
        }
        for account in ["nobody", "desk-bl"] {
            let unknown = appoint(&limited, lead(account)).await.problem(422, "intake/unknown-account");
            assert_eq!(pointers(&unknown), ["/account"]);
        }

        let post = path("posts", &first.created(), "post_id");
        let desk = kit.client_of(&kit.staff_of(Role::Receptionist, &[world.estate]));
        assert_eq!(desk.get(&post).await.ok()["account"], "manager-1");
        assert_eq!(desk.get(&format!("/v1/posts?estate_id={}", world.estate)).await.ok()["items"].as_array().unwrap().len(), 1);
        assert_eq!(desk.get("/v1/posts").await.ok()["items"].as_array().unwrap().len(), 3, "and those of region and company");
        let _ = desk.post(&format!("{post}/vacate"), json!({})).await.problem(403, "forbidden");
        let elsewhere = manager_of(&kit, world.other_estate);
        let _ = elsewhere.post(&format!("{post}/vacate"), json!({})).await.problem(404, "intake/no-such-post");
        let _ = elsewhere.get(&post).await.problem(404, "intake/no-such-post");
        let _ = limited.post(&format!("{post}/vacate"), json!({})).await.problem(428, "precondition-required");
        let vacant = limited.post(&format!("{post}/vacate"), json!({})).if_match(2).await.ok();
        assert_eq!((vacant.get("account"), &vacant["version"]), (None, &json!(3)));
        assert_eq!(limited.post(&format!("{post}/vacate"), json!({})).await.ok()["version"], 3);
    })
    .await;
}

#[tokio::test]
async fn a_case_comes_to_whoever_is_on_the_nearest_post_and_to_their_cover() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit, &STAFF.replace("receptionist", "cleaner")).await;
        let (manager, admin) = (kit.client(Role::Manager), kit.client(Role::Admin));
        let opened = async || accountable(&kit, opens(&kit, world.estate, "complaint").await).await;
        assert_eq!(opened().await, "lead-1", "by the register, as nobody receives owners");
        let lead = json!({ "level": "lead", "estate_id": world.estate, "account": "manager-1" });
        let _ = manager.post("/v1/posts", lead).await.created();
        assert_eq!(opened().await, "manager-1", "who was appointed comes first");
        let now = kit.clock.now();
        let away = |account: &str, cover: &str| {
            json!({ "account": account, "from": now, "to": now + TimeDelta::days(3), "cover_account": cover })
        };
        let absence = admin.post("/v1/absences", away("manager-1", "desk-1")).await.created();
        assert_eq!(opened().await, "desk-1");
        let _ = admin.post("/v1/absences", away("desk-1", "desk-2")).await.created();
        assert_eq!(opened().await, "desk-2", "the cover's cover");
        let _ = admin.post("/v1/absences", away("desk-2", "manager-1")).await.created();
        assert_eq!(opened().await, "manager-1", "those who cover for each other are all away: then it is who it was");
        let _ = admin.post(&format!("{}/end", path("absences", &absence, "absence_id")), json!({})).await.ok();
        assert_eq!(opened().await, "manager-1", "is back");

        assert_eq!(accountable(&kit, opens(&kit, world.other_estate, "complaint").await).await, "desk-bl");
        let nobody = "staff_code,name,role,department,estate_code,account\n\
            K5,高远,manager,management,全部,\nK6,孙晓,cleaner,customer_service,BL,desk-bl\n";
        let _ = admin.upload("/v1/staff/import", "text/csv", nobody.into()).await.ok();
        assert_eq!(accountable(&kit, opens(&kit, world.other_estate, "complaint").await).await, "head-office");
    })
    .await;
}

#[tokio::test]
async fn absences_are_recorded_by_whom_they_concern_and_never_overlap() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit, STAFF).await;
        let now = kit.clock.now();
        let away = |account: &str, cover: &str, from: i64, to: i64| {
            json!({
                "account": account, "from": now + TimeDelta::days(from), "to": now + TimeDelta::days(to), "cover_account": cover
            })
        };
        let here = [world.estate];
        let (desk, lead) = (person(&kit, Role::Receptionist, "desk-1", &here), person(&kit, Role::Supervisor, "lead-1", &here));
        let record = |client: &Client, body: Value| client.post("/v1/absences", body);
        let first = record(&desk, away("desk-1", "desk-2", 1, 5)).key("k").await;
        assert_eq!(record(&desk, away("desk-1", "desk-2", 1, 5)).key("k").await.created(), first.created());
        let _ = record(&lead, away("desk-1", "desk-2", 4, 6)).await.problem(409, "intake/away-already");
        let _ = record(&lead, away("desk-1", "desk-2", 5, 6)).await.created();
        let both = [record(&desk, away("desk-1", "desk-2", 8, 9)).send(), record(&lead, away("desk-1", "lead-1", 8, 9)).send()];
        let mut both: Vec<u16> = futures::future::join_all(both).await.iter().map(|answer| answer.status).collect();
        both.sort_unstable();
        assert_eq!(both, [201, 409], "at once as well");

        let _ = record(&desk, away("desk-2", "desk-1", 1, 2)).await.problem(403, "intake/not-your-absence");
        let _ = record(&lead, away("company-1", "desk-1", 1, 2)).await.problem(403, "intake/not-your-absence");
        for (body, slug, pointer) in [
            (away("desk-bl", "desk-1", 1, 2), "intake/unknown-account", "/account"),
            (away("nobody", "desk-1", 1, 2), "intake/unknown-account", "/account"),
            (away("desk-2", "desk-bl", 1, 2), "intake/unknown-account", "/cover_account"),
            (away("desk-2", "nobody", 1, 2), "intake/unknown-account", "/cover_account"),
            (away("desk-2", "desk-2", 1, 2), "intake/covers-themselves", "/cover_account"),
            (away("desk-2", "desk-1", 2, 2), "intake/absence-out-of-bounds", "/to"),
            (away("desk-2", "desk-1", 1, 400), "intake/absence-out-of-bounds", "/to"),
            (away("desk-2", "desk-1", -3, -2), "intake/absence-out-of-bounds", "/to"),
        ] {
            assert_eq!(pointers(&record(&lead, body).await.problem(422, slug)), [pointer]);
        }

        let at = (now + TimeDelta::days(2)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let list = async |client: &Client, query: &str| {
            client.get(&format!("/v1/absences?{query}")).await.ok()["items"].as_array().unwrap().len()
        };
        assert_eq!(list(&desk, &format!("account=desk-1&at={at}")).await, 1);
        assert_eq!(list(&desk, "account=desk-2").await, 0);
        let elsewhere = person(&kit, Role::Manager, "x", &[world.other_estate]);
        assert_eq!(list(&elsewhere, "").await, 0);
        let absence = path("absences", &first.created(), "absence_id");
        let _ = elsewhere.get(&absence).await.problem(404, "intake/no-such-absence");
        let _ = elsewhere.post(&format!("{absence}/end"), json!({})).await.problem(404, "intake/no-such-absence");
        let colleague = person(&kit, Role::Receptionist, "desk-2", &here);
        let _ = colleague.post(&format!("{absence}/end"), json!({})).await.problem(403, "intake/not-your-absence");
        let ended = desk.post(&format!("{absence}/end"), json!({})).await.ok();
        assert_eq!(ended["from"], ended["to"], "called off before it began");
        assert_eq!(desk.get(&absence).await.ok(), ended);
        assert_eq!(record(&desk, away("desk-1", "desk-2", 0, 5)).await.created()["version"], 1, "the time is free again");
    })
    .await;
}

#[tokio::test]
async fn who_is_away_receives_nothing_new() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit, STAFF).await;
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..24 {
            seen.insert(accountable(&kit, opens(&kit, world.estate, "complaint").await).await.to_string());
        }
        assert_eq!(seen.len(), 2, "in turn: {seen:?}");
        let now = kit.clock.now();
        let body =
            json!({ "account": "desk-1", "from": now, "to": now + TimeDelta::days(1), "cover_account": "desk-2" });
        let _ = kit.client(Role::Admin).post("/v1/absences", body).await.created();
        for _ in 0..6 {
            assert_eq!(accountable(&kit, opens(&kit, world.estate, "complaint").await).await, "desk-2");
        }
        kit.clock.advance(TimeDelta::days(1));
        let mut back = false;
        for _ in 0..24 {
            back |= accountable(&kit, opens(&kit, world.estate, "complaint").await).await == "desk-1";
        }
        assert!(back, "when the time is over");
    })
    .await;
}

#[tokio::test]
async fn what_another_process_changes_holds_within_two_seconds() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit, &STAFF.replace("K2,姚玉军,receptionist", "K2,姚玉军,cleaner")).await;
        assert_eq!(accountable(&kit, opens(&kit, world.estate, "complaint").await).await, "desk-1");
        let change =
            "UPDATE staff SET account = 'desk-9', changed_xid = pg_current_xact_id()::text::bigint WHERE code = 'K1'";
        kit.execute("intake", change).await;
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        assert_eq!(accountable(&kit, opens(&kit, world.estate, "complaint").await).await, "desk-9");
    })
    .await;
}

/// A process of its own with nothing in its memory.
async fn begin(kit: &Kit) -> Tx {
    let config = steward_testkit::db::config(&kit.database);
    Db::connect_lazily(&config, "intake").unwrap().begin(TENANT.into()).await.unwrap()
}

#[tokio::test]
async fn a_process_asks_the_database_nothing_for_two_seconds_and_reads_what_it_does_not_know() {
    with::<Intake>(async |kit| {
        let world = staffed(&kit, STAFF).await;
        let (manager, estate, now) = (kit.client(Role::Manager), EstateId::from(world.estate), kit.clock.now());
        let calendar = json!({ "code": "desk", "name": "客服", "rules": office("09:00", "18:00") });
        let calendar = manager.post("/v1/calendars", calendar).await.created();
        let policy = json!({ "scope": "company", "policy": { "calendar": "desk" } });
        let _ = manager.post("/v1/clock-policies", policy).await.created();

        let rules = Rules::new(kit.clock.clone());
        let mut tx = begin(&kit).await;
        let ruling = rules.ruling(&mut tx, estate, now).await.unwrap();
        let pin = ruling.pin(Hours::Estate, None);
        assert_eq!((pin.version, pin.calendar.unwrap().to_string()), (1, calendar["calendar_id"].as_str().unwrap().to_owned()));
        let _ = rules.timetable(&mut tx, std::slice::from_ref(&pin)).await.unwrap();
        // A transaction in which something failed answers no query any more.
        assert!(sqlx::query("SELECT 1 / 0").execute(tx.conn()).await.is_err());
        assert_eq!(rules.ruling(&mut tx, estate, now).await.unwrap().pin(Hours::Estate, None), pin);
        assert!(rules.timetable(&mut tx, std::slice::from_ref(&pin)).await.unwrap().has(&pin));

        // The other process writes a version and public holidays, and a clock of it comes here at once.
        let revise = format!("{}/revise", path("calendars", &calendar, "calendar_id"));
        let _ = manager.post(&revise, json!({ "rules": office("09:00", "10:00") })).if_match(1).await.ok();
        let arrangement = json!({
            "region": "cn", "year": 2028, "source": "测试", "workdays": [], "days_off": [{ "on": "2028-01-26", "name": "春节" }]
        });
        let _ = manager.post("/v1/public-holidays", arrangement).await.ok();
        let mut tx = begin(&kit).await;
        let new = Pin { version: 2, holidays: 1, ..pin.clone() };
        let timetable = rules.timetable(&mut tx, &[pin.clone(), new.clone()]).await.unwrap();
        let hours = |pin: &Pin, day: &str| timetable.get(pin).day(day.parse().unwrap()).hours.len();
        let closes = |pin: &Pin| timetable.get(pin).day("2026-11-23".parse().unwrap()).hours[0].to;
        assert_eq!((closes(&pin), closes(&new)), (18 * 60, 10 * 60));
        assert_eq!((hours(&pin, "2028-01-26"), hours(&new, "2028-01-26")), (1, 0), "each knows the holidays of its time");
        // What nobody knows is not made up.
        let unknown = Pin { version: 9, ..pin };
        assert!(!rules.timetable(&mut tx, std::slice::from_ref(&unknown)).await.unwrap().has(&unknown));
    })
    .await;
}
