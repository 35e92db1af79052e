//! The handbook and the desk checks.

use serde_json::{Value, json};
use steward_intake::Intake;
use steward_testkit::{Client, Kit, kernel::Role, with};
use uuid::Uuid;

const ESTATES: &str = "小区编码,小区名称,区域,楼栋,房号,楼层,建筑面积\nYX,御溪花园,上海,1号楼,101,1,89.5\nHT,和塘雅苑,佛山,1号楼,101,1,89.5\n";

const ARTICLES: &str = "编码,标题,分类,正文,语言,小区编码,生效日期\n\
    DECO-01,装修办理流程,permit.renovation,\"一、登记。\r\n二、审核。\",zh-Hans,,2026-01-01\n\
    PARK-01,停車月卡,parking.service,請帶行駛證到服務中心。,zh-Hant,HT,\n\
    FEE-01-EN,Management fee,fee.billing,Pay in the app.,en,,\n";

async fn upload(client: &Client, what: &str, file: &str) -> Value {
    client.upload(&format!("/v1/{what}/import"), "text/csv", file.as_bytes().to_vec()).await.ok()
}

async fn estates(kit: &Kit) -> (Client, Uuid, Uuid) {
    let admin = kit.client(Role::Admin);
    let _ = upload(&admin, "estates", ESTATES).await;
    let list = admin.get("/v1/estates").await.ok();
    let find = |code: &str| {
        let estate = list["items"].as_array().unwrap().iter().find(|estate| estate["code"] == code).unwrap();
        estate["estate_id"].as_str().unwrap().parse().unwrap()
    };
    (admin, find("YX"), find("HT"))
}

async fn codes(client: &Client, path: &str) -> Vec<String> {
    let mut codes: Vec<String> = client.get(path).await.ok()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["code"].as_str().unwrap().to_owned())
        .collect();
    codes.sort();
    codes
}

#[tokio::test]
async fn the_handbook_is_imported_and_another_text_is_another_version() {
    with::<Intake>(async |kit| {
        let (admin, yx, _) = estates(&kit).await;
        assert_eq!(upload(&admin, "articles", ARTICLES).await["created"], 3);
        assert_eq!(upload(&admin, "articles", ARTICLES).await["unchanged"], 3);
        assert_eq!(
            upload(&admin, "articles", &ARTICLES.replace("二、审核", "二、三日内审核")).await,
            json!({"rows": 3, "created": 0, "updated": 1, "unchanged": 2})
        );

        let deco = admin.get("/v1/articles?q=审核".replace("审核", "%E5%AE%A1%E6%A0%B8").as_str()).await.ok()["items"]
            [0]
        .clone();
        assert_eq!((deco["code"].clone(), deco["version"].clone()), (json!("DECO-01"), json!(2)));
        let path = format!("/v1/articles/{}", deco["article_id"].as_str().unwrap());
        assert_eq!(admin.get(&path).await.version(), Some(2));
        assert_eq!(admin.get(&format!("{path}?version=1")).await.ok()["body"], "一、登记。\n二、审核。");
        let _ = admin.get(&format!("{path}?version=3")).await.problem(404, "not-found");

        let owner = kit.client_of(&kit.staff_of(Role::Owner, &[yx]));
        assert_eq!(codes(&owner, "/v1/articles").await, ["DECO-01", "FEE-01-EN"], "PARK-01 is for another estate");
        assert_eq!(codes(&admin, "/v1/articles?category=parking.service").await, ["PARK-01"]);
        assert_eq!(codes(&admin, "/v1/articles?language=en").await, ["FEE-01-EN"]);
    })
    .await;
}

#[tokio::test]
async fn managers_write_for_their_estates() {
    with::<Intake>(async |kit| {
        let (_, yx, ht) = estates(&kit).await;
        let manager = kit.client_of(&kit.staff_of(Role::Manager, &[yx]));
        let article = |estate: Option<Uuid>, body: &str| {
            let mut article =
                json!({"code": "PET-01", "title": "文明养宠", "category": "pets", "language": "zh-Hans", "body": body});
            if let Some(estate) = estate {
                article["estate_id"] = json!(estate);
            }
            article
        };
        let problem =
            manager.post("/v1/articles", article(None, "一")).await.problem(422, "intake/article-not-your-estate");
        assert_eq!(problem["errors"][0]["pointer"], "/estate_id");
        for estate in [ht, Uuid::from_u128(1)] {
            let answer = manager.post("/v1/articles", article(Some(estate), "一")).await;
            let _ = answer.problem(422, "intake/article-not-your-estate");
        }

        let written = manager.post("/v1/articles", article(Some(yx), "一")).key("write").await;
        let path = written.header("location").to_owned();
        assert_eq!(written.created()["version"], 1);
        assert_eq!(
            manager.post("/v1/articles", article(Some(yx), "一")).key("write").await.created(),
            written.created()
        );
        let taken =
            manager.post("/v1/articles", article(Some(yx), "二")).await.problem(409, "intake/article-code-taken");
        assert_eq!(taken["errors"][0]["pointer"], "/code");

        let revise = format!("{path}/revise");
        assert_eq!(manager.post(&revise, article(Some(yx), "二")).if_match(1).await.ok()["version"], 2);
        let _ = manager.post(&revise, article(Some(yx), "三")).if_match(1).await.problem(412, "stale-version");
        let _ = manager.post(&revise, article(Some(yx), "三")).await.problem(428, "precondition-required");
        let same = manager.post(&revise, article(Some(yx), "二")).if_match(2).await.ok();
        assert_eq!(same["version"], 2, "the same text changes nothing");
        let mut unknown = article(Some(yx), "三");
        unknown["colour"] = json!("red");
        let _ = manager.post(&revise, unknown).await.problem(400, "malformed-request");
        let _ = manager.post(&revise, article(Some(yx), &"长".repeat(20_001))).await.problem(400, "malformed-request");

        let neighbour = kit.client_of(&kit.staff_of(Role::Manager, &[ht]));
        let _ = neighbour.get(&path).await.problem(404, "not-found");
        let _ =
            neighbour.post(&revise, article(Some(ht), "三")).if_match(2).await.problem(404, "intake/no-such-article");
        let _ =
            kit.client(Role::Receptionist).post("/v1/articles", article(None, "一")).await.problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn a_text_for_next_year_is_read_listed_searched_and_cited_when_its_day_begins() {
    with::<Intake>(async |kit| {
        let (admin, yx, _) = estates(&kit).await;
        let desk = kit.client(Role::Receptionist);
        let zone = steward_testkit::kernel::day::HOME;
        let next = steward_testkit::kernel::day::day(kit.clock.now(), zone) + chrono::Days::new(30);
        let article = |price: &str, valid_from: Option<chrono::NaiveDate>| {
            json!({
                "code": "PARK-09", "title": "月卡", "category": "parking.service", "language": "zh-Hans",
                "body": format!("monthly card {price}"), "valid_from": valid_from
            })
        };
        let written = admin.post("/v1/articles", article("300", None)).await;
        let path = written.header("location").to_owned();
        let planned = admin.post(&format!("{path}/revise"), article("500", Some(next))).if_match(1).await;
        assert_eq!((&planned.ok()["in_force"], planned.version()), (&json!(false), Some(2)));
        let asked = async || {
            let case = json!({ "kind": "inquiry", "words": "月卡多少钱？", "channel": "phone", "estate_id": yx });
            let case = desk.post("/v1/cases", case).await.created();
            format!("/v1/inquiries/{}/answer", case["case_id"].as_str().unwrap())
        };
        let cites = |version: Option<i32>| {
            json!({ "article_id": path.rsplit('/').next().unwrap(), "article_version": version })
        };
        let found = async |client: &Client, price: &str| {
            client.get(&format!("/v1/articles?q={price}")).await.ok()["items"].as_array().unwrap().len()
        };

        let owner = kit.client_of(&kit.staff_of(Role::Owner, &[yx]));
        for reader in [&owner, &admin] {
            let read = reader.get(&path).await;
            assert_eq!((&read.ok()["body"], read.version()), (&json!("monthly card 300"), Some(2)));
            assert_eq!((found(reader, "300").await, found(reader, "500").await), (1, 0));
            assert_eq!(reader.get("/v1/articles").await.ok()["items"][0]["version"], 1);
        }
        assert_eq!(admin.get(&path).await.ok()["planned"][0]["body"], "monthly card 500");
        assert_eq!(owner.get(&path).await.ok().get("planned"), None);
        let _ = owner.get(&format!("{path}?version=2")).await.problem(404, "not-found");
        assert_eq!(admin.get(&format!("{path}?version=2")).await.ok()["body"], "monthly card 500");
        assert_eq!(codes(&admin, "/v1/articles?planned=true").await, ["PARK-09"]);
        let _ = owner.get("/v1/articles?planned=true").await.problem(422, "invalid-request");
        let answer = asked().await;
        let _ = desk.post(&answer, cites(Some(2))).await.problem(422, "intake/unknown-article");
        assert_eq!(desk.post(&answer, cites(None)).await.ok()["article_version"], 1);

        kit.clock.advance(chrono::TimeDelta::days(30));
        steward_testkit::eventually("the text of next year is good", || async {
            let read = owner.get(&path).await.ok();
            (read["body"] == "monthly card 500" && read["version"] == 3).then_some(())
        })
        .await;
        assert_eq!((found(&owner, "300").await, found(&owner, "500").await), (0, 1));
        assert_eq!(owner.get(&format!("{path}?version=1")).await.ok()["body"], "monthly card 300");
        let answer = asked().await;
        let _ = desk.post(&answer, cites(Some(2))).await.problem(422, "intake/unknown-article");
        assert_eq!(desk.post(&answer, cites(None)).await.ok()["article_version"], 3);
    })
    .await;
}

#[tokio::test]
async fn an_article_that_begins_later_is_not_there_yet() {
    with::<Intake>(async |kit| {
        let (admin, yx, _) = estates(&kit).await;
        let day = (kit.clock.now() + chrono::TimeDelta::days(300)).date_naive();
        let file = format!("编码,标题,分类,正文,语言,生效日期\nNEW-1,新规,pets,x,zh-Hans,{day}\n");
        assert_eq!(upload(&admin, "articles", &file).await["created"], 1);
        assert_eq!(upload(&admin, "articles", &file).await["unchanged"], 1);
        assert!(codes(&admin, "/v1/articles").await.is_empty());
        let planned = admin.get("/v1/articles?planned=true").await.ok()["items"][0].clone();
        assert_eq!(planned["in_force"], false);
        let path = format!("/v1/articles/{}", planned["article_id"].as_str().unwrap());
        let owner = kit.client_of(&kit.staff_of(Role::Owner, &[yx]));
        let _ = owner.get(&path).await.problem(404, "not-found");
        assert_eq!(admin.get(&path).await.ok()["in_force"], false);
    })
    .await;
}

#[tokio::test]
async fn a_desk_is_checked_in_the_morning() {
    with::<Intake>(async |kit| {
        let (admin, yx, ht) = estates(&kit).await;
        let desk = kit.client_of(&kit.staff_of(Role::Receptionist, &[yx]));
        let here = steward_testkit::kernel::day::HOME;
        let today = steward_testkit::kernel::day::day(kit.clock.now(), here);
        let tomorrow = (today + chrono::Days::new(1)).to_string();
        let today = today.to_string();
        let check = |estate: Uuid, on: &str| {
            json!({
                "estate_id": estate, "on": on,
                "items": [{"item": "台面整洁", "ok": true}, {"item": "办事表格", "ok": false, "note": "只剩三份"}]
            })
        };
        let made = desk.post("/v1/desk-checks", check(yx, &today)).await;
        assert_eq!(made.created()["ready"], false);
        let path = made.header("location").to_owned();
        assert_eq!(desk.get(&path).await.ok(), made.created());
        let _ = desk.post("/v1/desk-checks", check(ht, &today)).await.problem(404, "intake/no-such-estate");
        let _ =
            desk.post("/v1/desk-checks", check(yx, "2999-01-01")).await.problem(422, "intake/desk-check-in-the-future");
        let _ =
            desk.post("/v1/desk-checks", check(yx, &tomorrow)).await.problem(422, "intake/desk-check-in-the-future");
        let _ =
            desk.post("/v1/desk-checks", check(yx, "2001-01-01")).await.problem(422, "intake/desk-check-too-long-ago");
        // A desk has one check for a day: the later one corrects it.
        let mut ready = check(yx, &today);
        ready["items"][1]["ok"] = json!(true);
        let corrected = desk.post("/v1/desk-checks", ready.clone()).await.ok();
        assert_eq!((&corrected["ready"], &corrected["version"]), (&json!(true), &json!(2)));
        assert_eq!(desk.post("/v1/desk-checks", ready).await.ok()["version"], 2);
        assert_eq!(desk.get("/v1/desk-checks").await.ok()["items"].as_array().unwrap().len(), 1);
        let _ = desk.post("/v1/desk-checks", check(yx, &today)).await.ok();
        let neighbour = kit.client_of(&kit.staff_of(Role::Receptionist, &[ht]));
        let _ = neighbour.get(&path).await.problem(404, "not-found");
        assert!(neighbour.get("/v1/desk-checks").await.ok()["items"].as_array().unwrap().is_empty());
        let _ = admin.post("/v1/desk-checks", check(ht, &today)).await.created();
        assert_eq!(
            admin.get(&format!("/v1/desk-checks?estate_id={yx}&ready=false")).await.ok()["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    })
    .await;
}
