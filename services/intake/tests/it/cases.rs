//! Cases over HTTP: opening, reading, calling off, and what is refused.

use serde_json::{Value, json};
use steward_intake::Intake;
use steward_kernel::{Role, reference};
use steward_proto::intake as pb;
use steward_testkit::{Client, Kit, OTHER_TENANT, db::new_id, eventually, with};
use uuid::Uuid;

use crate::world::{World, case_id, codes, world};

#[tokio::test]
async fn a_case_is_opened_read_and_told_to_the_service_that_works_on_it() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let owner = kit.owner(world.resident);
        let mut body = world.owners_case("service_request");
        body["category"] = json!("lift.entrapment");
        body["urgent"] = json!(true);
        let answer = owner.post("/v1/cases", body).await;
        let case = answer.created();
        let id = case_id(&case);
        assert_eq!(answer.header("location"), format!("/v1/cases/{id}"));
        assert_eq!((&case["priority"], &case["status"]), (&json!("P1"), &json!("received")));
        assert_eq!((&case["resident_id"], &case["opened_by"]), (&json!(world.resident), &json!("owner")));
        assert_eq!(case["urgent"], true);
        assert!(reference::is_plausible(case["reference"].as_str().unwrap()), "{case}");

        let again = owner.get(&format!("/v1/cases/{id}")).await;
        // Who answers for it, and its clocks, are told when it is read.
        let mut read = again.ok();
        let told = ["accountable", "clocks", "due_at"].map(|field| read.as_object_mut().unwrap().remove(field));
        assert!(told.iter().all(Option::is_some), "{told:?}");
        assert_eq!((read, again.version()), (case.clone(), Some(2)));
        let opened = kit.published::<pb::CaseOpened>().await;
        assert_eq!((opened.len(), &opened[0].kind[..]), (1, "service_request"));
        let [received] = &kit.published::<pb::ServiceRequestReceived>().await[..] else {
            panic!("not handed over once")
        };
        assert_eq!((&received.words[..], &received.case_id), ("三号楼电梯又停了", &id.to_string()));
        assert_eq!((received.urgent, &received.time_zone[..]), (true, "Asia/Shanghai"));

        let english = owner.get(&format!("/v1/cases/{id}/timeline")).header("accept-language", "en").await.ok();
        assert_eq!(english["items"][0]["text"], "We have received what you told us");
        assert_eq!((&english["items"][0]["by"], english["items"].as_array().unwrap().len()), (&json!("owner"), 1));
    })
    .await;
}

#[tokio::test]
async fn what_a_case_shows_is_unchanged_only_when_every_word_of_it_is() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let path = format!("/v1/cases/{}", case_id(&world.opens(&kit, "inquiry").await));
        let desk = kit.client(Role::Receptionist);
        let read = desk.get(&path).await;
        let again = async |language: &str| {
            let asked = desk.get(&path).header("if-none-match", read.header("etag"));
            asked.header("accept-language", language).await
        };
        let known = again("zh-Hans").await;
        assert_eq!((known.status, known.bytes.len(), known.header("etag")), (304, 0, read.header("etag")));
        assert_eq!(again("en").await.status, 200, "another language is another answer");
        kit.clock.advance(chrono::TimeDelta::minutes(10));
        let later = again("zh-Hans").await;
        assert_eq!((later.status, later.version()), (200, read.version()), "its clocks have gone on");
        assert_eq!(
            desk.get(&path).header("if-none-match", "\"1\"").await.status,
            200,
            "a version says nothing of all that"
        );
    })
    .await;
}

#[tokio::test]
async fn the_same_key_opens_one_case_and_another_body_under_it_none() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let desk = kit.client(Role::Receptionist);
        for kind in ["complaint", "inquiry"] {
            let first = desk.post("/v1/cases", world.case(kind)).key(kind).await;
            let again = desk.post("/v1/cases", world.case(kind)).key(kind).await;
            assert_eq!(first.created(), again.created());
            assert_eq!(again.header("idempotency-replayed"), "true");
            desk.post("/v1/cases", world.case("suggestion")).key(kind).await.problem(422, "command-key-reused");
        }
        assert_eq!(kit.count("intake", "intake_case").await, 2);
        assert_eq!(kit.published::<pb::CaseOpened>().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_case_is_answered_in_the_language_asked_for_else_the_registers_else_the_callers() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let sheet = "resident_code,name,phone,estate_code,building,unit,role,since_on,language\n\
            R-2,陈二,13800000002,YX,3,102,owner,2020-06-01,en\n";
        let _ = kit.client(Role::Admin).upload("/v1/residents/import", "text/csv", sheet.into()).await.ok();
        let (desk, owner, neighbour) =
            (kit.client(Role::Receptionist), kit.owner(world.resident), kit.owner(world.neighbour));
        let body = |resident: Uuid, language: Option<&str>, channel: &str| {
            let mut body = world.case("complaint");
            body["resident_id"] = json!(resident);
            body["channel"] = json!(channel);
            if let Some(language) = language {
                body["language"] = json!(language);
            }
            body
        };
        // (who opens, by which channel, for whom, the language asked for, that of the caller) → (the case's, the register's)
        let tried = [
            (&desk, "phone", world.neighbour, None, "zh-Hant", "en", "en"),
            (&desk, "phone", world.neighbour, Some("zh-Hant"), "zh-Hant", "zh-Hant", "en"),
            (&desk, "phone", world.resident, None, "en", "zh-Hans", ""),
            (&owner, "app", world.resident, None, "en", "en", ""),
            (&neighbour, "app", world.neighbour, None, "zh-Hant", "en", "en"),
        ];
        for (client, channel, resident, asked, accept, language, _) in tried {
            let case = body(resident, asked, channel);
            let answer = client.post("/v1/cases", case).header("accept-language", accept).await;
            assert_eq!(answer.created()["language"], language, "{asked:?} {accept}");
        }
        let told = kit.published::<pb::CaseOpened>().await;
        let told: Vec<_> = told.iter().map(|told| (&told.language[..], &told.register_language[..])).collect();
        let expected: Vec<_> = tried.iter().map(|(.., language, register)| (*language, *register)).collect();
        assert_eq!(told, expected);
        // What is changed in the register holds for the next case.
        let sheet = sheet.replace(",en\n", ",繁體中文\n");
        let _ = kit.client(Role::Admin).upload("/v1/residents/import", "text/csv", sheet.into()).await.ok();
        assert_eq!(desk.post("/v1/cases", body(world.neighbour, None, "phone")).await.created()["language"], "zh-Hant");
    })
    .await;
}

/// What is wrong with a body, and the problem it gives.
fn wrong_bodies(world: &World) -> Vec<(&'static str, Value, u16, &'static str, &'static str)> {
    vec![
        ("colour", json!("red"), 400, "malformed-request", "/colour"),
        ("kind", json!("wish"), 400, "malformed-request", "/kind"),
        ("words", json!(""), 400, "malformed-request", "/words"),
        ("words", json!("好".repeat(4001)), 400, "malformed-request", "/words"),
        ("words", json!(7), 400, "malformed-request", "/words"),
        ("estate_id", json!("YX"), 400, "malformed-request", "/estate_id"),
        ("estate_id", json!(new_id()), 422, "intake/unknown-estate", "/estate_id"),
        ("unit_id", json!(new_id()), 422, "intake/unknown-estate", "/unit_id"),
        ("unit_id", json!(world.estate), 422, "intake/unknown-estate", "/unit_id"),
        ("resident_id", json!(new_id()), 422, "intake/unknown-resident", "/resident_id"),
        ("category", json!("no.such"), 422, "intake/unknown-category", "/category"),
        ("linked_case_id", json!(new_id()), 422, "intake/unknown-linked-case", "/linked_case_id"),
        ("visit_id", json!(new_id()), 422, "intake/unknown-visit", "/visit_id"),
        ("file_ids", json!([new_id()]), 422, "intake/unknown-file", "/file_ids"),
        ("file_ids", json!(vec![new_id(); 21]), 422, "invalid-request", "/file_ids"),
        ("source_unit_id", json!(new_id()), 422, "intake/unknown-estate", "/source_unit_id"),
        ("said_at", json!("2999-01-01T00:00:00Z"), 422, "intake/said-in-future", "/said_at"),
        ("said_at", json!("1970-01-01T00:00:00Z"), 422, "intake/said-too-long-ago", "/said_at"),
    ]
}

#[tokio::test]
async fn a_wrong_body_is_explained_and_nothing_is_written() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let desk = kit.client(Role::Receptionist);
        let before = kit.count("intake", "event").await;
        for (field, value, status, slug, pointer) in wrong_bodies(&world) {
            let mut body = world.case("complaint");
            body[field] = value;
            let problem = desk.post("/v1/cases", body).await.problem(status, slug);
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
        desk.upload("/v1/cases", "text/plain", b"hello".into()).await.problem(415, "unsupported-media-type");
        desk.upload("/v1/cases", "application/json", b"{".into()).await.problem(400, "malformed-request");
        let huge = format!("{{\"words\":\"{}\"}}", "x".repeat(2 << 20)).into_bytes();
        desk.upload("/v1/cases", "application/json", huge).await.problem(413, "body-too-large");
        assert_eq!(kit.count("intake", "event").await, before);
        assert_eq!(kit.count("intake", "intake_case").await, 0);
    })
    .await;
}

#[tokio::test]
async fn nobody_speaks_for_another_owner_estate_or_company() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let mut body = world.owners_case("complaint");
        body["resident_id"] = json!(world.neighbour);
        kit.owner(world.resident).post("/v1/cases", body).await.problem(422, "intake/not-the-owner");
        let elsewhere = kit.client_of(&kit.staff_of(Role::Handler, &[world.other_estate]));
        elsewhere.post("/v1/cases", world.case("complaint")).await.problem(422, "intake/unknown-estate");
        let mut foreigner = kit.staff(Role::Admin);
        foreigner.tenant = OTHER_TENANT.into();
        kit.client_of(&foreigner)
            .post("/v1/cases", world.case("complaint"))
            .await
            .problem(422, "intake/unknown-estate");
        kit.client(Role::Technician).post("/v1/cases", world.case("complaint")).await.problem(403, "forbidden");

        let id = case_id(&world.opens(&kit, "complaint").await);
        for stranger in [kit.owner(world.neighbour), elsewhere, kit.client_of(&foreigner)] {
            stranger.get(&format!("/v1/cases/{id}")).await.problem(404, "intake/no-such-case");
            stranger.get(&format!("/v1/cases/{id}/timeline")).await.problem(404, "intake/no-such-case");
            let cancel = stranger.post(&format!("/v1/cases/{id}/cancel"), json!({ "reason": "x" })).await;
            cancel.problem(404, "intake/no-such-case");
            assert_eq!(stranger.get("/v1/cases").await.ok()["items"], json!([]));
        }
    })
    .await;
}

#[tokio::test]
async fn a_case_is_called_off_once_and_with_it_its_inquiry() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let owner = kit.owner(world.resident);
        let id = case_id(&world.opens(&kit, "inquiry").await);
        let path = format!("/v1/cases/{id}/cancel");
        let reason = json!({ "reason": "已经问到了" });
        owner.post(&path, reason.clone()).if_match(7).await.problem(412, "stale-version");
        let cancelled = owner.post(&path, reason.clone()).if_match(1).await.ok();
        assert_eq!((&cancelled["status"], &cancelled["version"]), (&json!("cancelled"), &json!(2)));
        assert_eq!(owner.post(&path, reason).await.ok()["version"], 2);
        assert_eq!(owner.get(&format!("/v1/inquiries/{id}")).await.ok()["stage"], "cancelled");
        assert_eq!(kit.published::<pb::CaseCancelled>().await.len(), 1);
        assert_eq!(codes(&owner, id).await, ["received", "cancelled"]);
    })
    .await;
}

#[tokio::test]
async fn a_linked_case_is_told_to_the_one_it_follows_from() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let origin = case_id(&world.opens(&kit, "complaint").await);
        let mut body = world.case("service_request");
        body["linked_case_id"] = json!(origin);
        let desk = kit.client(Role::Receptionist);
        let linked = desk.post("/v1/cases", body.clone()).await.created();
        assert_eq!(linked["linked_case_ids"], json!([origin]));
        let first = desk.get(&format!("/v1/cases/{origin}")).await.ok();
        assert_eq!(first["linked_case_ids"], json!([case_id(&linked)]));
        assert_eq!(kit.published::<pb::CaseLinked>().await.len(), 1);
        body["channel"] = json!("app");
        kit.owner(world.neighbour).post("/v1/cases", body).await.problem(422, "intake/unknown-linked-case");
    })
    .await;
}

#[tokio::test]
async fn a_link_between_two_people_is_for_staff_only() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let origin = case_id(&world.opens(&kit, "complaint").await);
        let (desk, owner) = (kit.client(Role::Receptionist), kit.owner(world.resident));
        let mut body = world.case("service_request");
        (body["linked_case_id"], body["resident_id"]) = (json!(origin), json!(world.neighbour));
        let others = case_id(&desk.post("/v1/cases", body.clone()).await.created());
        body["resident_id"] = json!(world.resident);
        let own = case_id(&desk.post("/v1/cases", body).await.created());
        let links = async |client: &Client, case: Uuid| {
            client.get(&format!("/v1/cases/{case}")).await.ok()["linked_case_ids"].clone()
        };
        assert_eq!(links(&desk, origin).await, json!([others, own]));
        assert_eq!(links(&owner, origin).await, json!([own]));
        assert_eq!(links(&kit.owner(world.neighbour), others).await, json!([]));
        assert_eq!(codes(&desk, origin).await, ["received", "linked", "linked"]);
        assert_eq!(codes(&owner, origin).await, ["received", "linked"]);
        let told = kit.published::<pb::ServiceRequestReceived>().await;
        assert_eq!([&told[0].linked_case_id[..], &told[1].linked_case_id[..]], ["", &origin.to_string()]);
    })
    .await;
}

#[tokio::test]
async fn an_owner_reports_for_the_own_unit_and_common_parts_and_names_another_only_as_the_source() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let (owner, neighbour) = (kit.owner(world.resident), kit.owner(world.neighbour));
        let body = |unit: Option<Uuid>, source: Option<Uuid>| {
            let mut body = world.owners_case("service_request");
            (body["unit_id"], body["source_unit_id"]) = (json!(unit), json!(source));
            body
        };
        let refused =
            neighbour.post("/v1/cases", body(Some(world.unit), None)).await.problem(422, "intake/not-your-unit");
        assert_eq!(refused["errors"][0]["pointer"], "/unit_id", "{refused}");
        let common = neighbour.post("/v1/cases", body(None, Some(world.unit))).await.created();
        assert_eq!((&common["unit_id"], &common["source_unit_id"]), (&Value::Null, &json!(world.unit)));
        let _ = owner.post("/v1/cases", body(Some(world.unit), None)).await.created();
        let mut elsewhere = body(None, None);
        elsewhere["estate_id"] = json!(world.other_estate);
        owner.post("/v1/cases", elsewhere).await.problem(422, "intake/unknown-estate");
        for (field, value) in [("priority", "P1"), ("channel", "desk"), ("said_at", "1970-01-01T00:00:00Z")] {
            let mut body = body(None, None);
            body[field] = json!(value);
            let refused = owner.post("/v1/cases", body).await.problem(422, "intake/not-for-owners");
            assert_eq!(refused["errors"][0]["pointer"], format!("/{field}"), "{refused}");
        }
        // What was refused left nothing behind, not even its key.
        assert_eq!(kit.count("intake", "intake_case").await, 2);
        let again = neighbour.post("/v1/cases", body(Some(world.unit), None)).key("k").await;
        again.problem(422, "intake/not-your-unit");
        let _ = neighbour.post("/v1/cases", body(None, Some(world.unit))).key("k").await.created();
    })
    .await;
}

#[tokio::test]
async fn staff_name_a_resident_with_a_unit_only_where_they_belong_together() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let (desk, admin) = (kit.client(Role::Receptionist), kit.client(Role::Admin));
        let later = (kit.clock.now() + chrono::TimeDelta::days(300)).date_naive();
        let file = format!(
            "resident_code,name,phone,estate_code,building,unit,role,since_on\n\
             R-9,黄九,13800000009,BL,1,201,tenant,2024-05-01\nR-8,何八,13800000008,YX,3,102,tenant,{later}\n"
        );
        let _ = admin.upload("/v1/residents/import", "text/csv", file.into()).await.ok();
        let of = async |code: &str| {
            admin.get(&format!("/v1/residents?code={code}")).await.ok()["items"][0]["resident_id"].clone()
        };
        let (tenant, future) = (of("R-9").await, of("R-8").await);
        let body = |resident: &Value, unit: Option<Uuid>| {
            let mut body = world.case("service_request");
            (body["resident_id"], body["unit_id"]) = (resident.clone(), json!(unit));
            body
        };
        for stranger in [&tenant, &future, &json!(world.neighbour)] {
            let refused = desk.post("/v1/cases", body(stranger, Some(world.unit))).await;
            let refused = refused.problem(422, "intake/not-their-unit");
            assert_eq!(refused["errors"][0]["pointer"], "/unit_id", "{refused}");
        }
        // At the desk they speak for themselves: nobody is sent to a door.
        let _ = desk.post("/v1/cases", body(&tenant, None)).await.created();
        // Whom the caller may not see is as good as unknown, in a case and in a visit.
        let here = kit.client_of(&kit.staff_of(Role::Receptionist, &[world.estate]));
        here.post("/v1/cases", body(&tenant, None)).await.problem(422, "intake/unknown-resident");
        let visit = |resident: &Value| json!({ "estate_id": world.estate, "resident_id": resident });
        here.post("/v1/visits", visit(&tenant)).await.problem(422, "intake/unknown-resident");
        // What an owner has stored goes with their own cases only.
        let photo = kit.owner(world.neighbour).upload("/v1/files", "image/png", b"\x89PNG\r\n\x1a\nx".into()).await;
        let mut shown = body(&json!(world.resident), Some(world.unit));
        shown["file_ids"] = json!([photo.created()["file_id"]]);
        desk.post("/v1/cases", shown.clone()).await.problem(422, "intake/unknown-file");
        (shown["resident_id"], shown["unit_id"]) = (json!(world.neighbour), Value::Null);
        let _ = desk.post("/v1/cases", shown).await.created();
        // A case belongs to the visit of its resident, or of who shares a unit with them.
        let visit = here.post("/v1/visits", visit(&json!(world.neighbour))).await.created();
        let mut body = body(&json!(world.resident), Some(world.unit));
        body["visit_id"] = visit["visit_id"].clone();
        here.post("/v1/cases", body).await.problem(422, "intake/unknown-visit");
    })
    .await;
}

async fn listed(kit: &Kit, query: &str) -> Vec<Uuid> {
    let page = kit.client(Role::Manager).get(&format!("/v1/cases{query}")).await.ok();
    page["items"].as_array().unwrap().iter().map(case_id).collect()
}

#[tokio::test]
async fn lists_filter_page_and_tell_what_has_changed() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let mut ids = Vec::new();
        for kind in ["inquiry", "complaint", "service_request", "suggestion", "complaint"] {
            kit.clock.advance(chrono::TimeDelta::seconds(1));
            ids.push(world.opens(&kit, kind).await);
        }
        let newest: Vec<Uuid> = ids.iter().rev().map(case_id).collect();
        assert_eq!(listed(&kit, "").await, newest);
        assert_eq!(listed(&kit, "?kind=complaint").await, [newest[0], newest[3]]);
        assert!(listed(&kit, &format!("?estate_id={}", world.other_estate)).await.is_empty());
        assert_eq!(listed(&kit, &format!("?resident_id={}&status=received", world.resident)).await, newest);
        let reference = ids[1]["reference"].as_str().unwrap().to_lowercase();
        assert_eq!(listed(&kit, &format!("?reference={reference}")).await, [newest[3]]);

        let manager = kit.client(Role::Manager);
        let (mut seen, mut path) = (Vec::new(), "/v1/cases?limit=2".to_owned());
        let since = loop {
            let page = manager.get(&path).await.ok();
            seen.extend(page["items"].as_array().unwrap().iter().map(case_id));
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/v1/cases?limit=2&cursor={cursor}"),
                None => break page["since"].as_str().unwrap().to_owned(),
            }
        };
        assert_eq!(seen, newest);
        let cancel = json!({ "reason": "重复" });
        let _ = manager.post(&format!("/v1/cases/{}/cancel", newest[3]), cancel).await.ok();
        // The feed shows a change once no older transaction of the server runs any more, and may repeat what is known.
        let feed = format!("?since={since}");
        eventually("the feed shows it", || async {
            (listed(&kit, &feed).await.last() == Some(&newest[3])).then_some(())
        })
        .await;
        manager.get("/v1/cases?colour=red").await.problem(400, "malformed-request");
        manager.get("/v1/cases?category=%00").await.problem(400, "malformed-request");
        manager.get("/v1/cases?kind=complaint&cursor=abc").await.problem(400, "cursor-invalid");
    })
    .await;
}
