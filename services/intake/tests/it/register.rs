//! The register: files in, lists out, and who may see whom.

use serde_json::{Value, json};
use steward_chassis::sheet::XLSX;
use steward_intake::Intake;
use steward_proto::intake as pb;
use steward_testkit::{
    Answer, Client, Kit, OTHER_TENANT, eventually,
    kernel::{Actor, Role, TenantId},
    with,
};
use uuid::Uuid;

const CSV: &str = "text/csv";

const ESTATES: &str = "小区编码,小区名称,区域,楼栋,单元,房号,楼层,建筑面积\n\
    YX,御溪花园,上海,1号楼,1单元,101,1,89.5\n\
    YX,御溪花园,上海,1号楼,1单元,102,1,\n\
    YX,御溪花园,上海,2号楼,,101,B1,120\n\
    HT,和塘雅苑,佛山,1号楼,,101,1,76.5\n";

const RESIDENTS: &str = "住户编号,姓名,手机号,小区编码,楼栋,单元,房号,身份,入住日期,语言\n\
    R1,陈家骏,199-0000-0001,YX,1号楼,1单元,101,业主,2018-01-17,\n\
    R1,陈家骏,199-0000-0001,HT,1号楼,,101,业主,2020/3/1,\n\
    R2,李芷晴,,YX,1号楼,1单元,101,家属,,zh-Hant\n\
    R3,何敏儀,19900000003,HT,1号楼,,101,tenant,2021-05-02,en\n";

async fn import(client: &Client, what: &str, file: &str) -> Answer {
    client.upload(&format!("/v1/{what}/import"), CSV, file.as_bytes().to_vec()).await
}

async fn registered(kit: &Kit) -> Client {
    let admin = kit.client(Role::Admin);
    let _ = import(&admin, "estates", ESTATES).await.ok();
    let _ = import(&admin, "residents", RESIDENTS).await.ok();
    admin
}

async fn list(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).await.ok()["items"].as_array().unwrap().clone()
}

async fn estate(client: &Client, code: &str) -> Value {
    let estates = list(client, "/v1/estates").await;
    estates.into_iter().find(|estate| estate["code"] == code).unwrap()
}

fn uuid(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_file_of_estates_is_imported_once_and_told_to_the_others() {
    with::<Intake>(async |kit| {
        let admin = kit.client(Role::Admin);
        let send = |file: &str, key: &str| admin.upload("/v1/estates/import", CSV, file.as_bytes().to_vec()).key(key);
        let first = send(ESTATES, "k1").await;
        assert_eq!(first.ok(), json!({"rows": 4, "created": 4, "updated": 0, "unchanged": 0}));
        let again = send(ESTATES, "k1").await;
        assert_eq!(again.ok(), first.ok(), "the first answer again");
        assert_eq!(again.header("idempotency-replayed"), "true");
        let _ = send(&ESTATES.replace("76.5", "77"), "k1").await.problem(422, "command-key-reused");
        assert_eq!(send(ESTATES, "k2").await.ok()["unchanged"], 4);

        let changed = ESTATES.replace("和塘雅苑", "和塘雅筑").replace("89.5", "90");
        assert_eq!(send(&changed, "k3").await.ok(), json!({"rows": 4, "created": 0, "updated": 2, "unchanged": 2}));

        let yx = estate(&admin, "YX").await;
        assert_eq!(
            (yx["buildings"].clone(), yx["units"].clone(), yx["time_zone"].clone()),
            (json!(2), json!(3), json!("Asia/Shanghai"))
        );
        let told = kit.published::<pb::EstateRegistered>().await;
        let names: Vec<_> = told.iter().map(|event| (event.code.as_str(), event.name.as_str())).collect();
        assert_eq!(names.len(), 3, "two new, one changed: {names:?}");
        assert!(names.contains(&("HT", "和塘雅筑")));

        let path = format!("/v1/estates/{}/units?building=1号楼", yx["estate_id"].as_str().unwrap())
            .replace("号楼", "%E5%8F%B7%E6%A5%BC");
        let units = list(&admin, &path).await;
        assert_eq!(units.len(), 2);
        assert!(
            units.iter().any(|unit| unit["unit"] == "101" && unit["area_m2"] == 90.0 && unit["entrance"] == "1单元")
        );
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_tells_what_would_come_of_a_file_and_keeps_nothing() {
    with::<Intake>(async |kit| {
        let admin = kit.client(Role::Admin);
        let send = |address: &str| admin.upload(address, CSV, ESTATES.as_bytes().to_vec()).key("one");
        let tried = send("/v1/estates/import?dry_run=true").await.ok();
        assert!(list(&admin, "/v1/estates").await.is_empty());
        let done = send("/v1/estates/import").await;
        assert_eq!((done.header("idempotency-replayed"), done.ok()), ("", tried), "a dry run claims no key");

        let broken = RESIDENTS.replace("HT,1号楼,,101", "HT,9号楼,,101").into_bytes();
        let problem = admin.upload("/v1/residents/import?dry_run=true", CSV, broken).await;
        assert_eq!(problem.problem(422, "register-file-invalid")["errors"][0]["code"], "unknown-unit");
        let known = admin.upload("/v1/residents/import?dry_run=true", CSV, RESIDENTS.as_bytes().to_vec()).await.ok();
        assert!(known["created"].as_u64() > Some(0));
        assert_eq!(kit.count("intake", "resident").await, 0);
        let _ = admin.upload("/v1/estates/import?dryrun=true", CSV, Vec::new()).await.problem(400, "malformed-request");
    })
    .await;
}

#[tokio::test]
async fn a_broken_file_changes_nothing() {
    with::<Intake>(async |kit| {
        let admin = kit.client(Role::Admin);
        let broken = ESTATES.replace("89.5", "large").replace("佛山", "") + "YX,别的名字,上海,3号楼,,1,1,1\n";
        let problem = import(&admin, "estates", &broken).await.problem(422, "register-file-invalid");
        let cells: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| (e["row"].as_u64(), e["column"].as_str(), e["code"].as_str()))
            .collect();
        assert_eq!(
            cells,
            [(Some(2), Some("建筑面积"), Some("not_a_number")), (Some(5), Some("区域"), Some("missing"))]
        );
        let contradicting = ESTATES.to_owned() + "YX,别的名字,上海,3号楼,,1,1,1\n";
        let problem = import(&admin, "estates", &contradicting).await.problem(422, "register-file-invalid");
        assert_eq!(problem["errors"][0]["row"], 6);
        assert_eq!(problem["errors"][0]["column"], "小区名称");
        assert!(list(&admin, "/v1/estates").await.is_empty());
        assert!(kit.published::<pb::EstateRegistered>().await.is_empty());

        let early = import(&admin, "residents", RESIDENTS).await.problem(422, "register-file-invalid");
        assert_eq!(early["errors"][0]["code"], "unknown-estate");
        let _ = import(&admin, "estates", ESTATES).await.ok();
        let nowhere = RESIDENTS.replace("HT,1号楼,,101", "HT,9号楼,,101");
        let problem = import(&admin, "residents", &nowhere).await.problem(422, "register-file-invalid");
        assert_eq!(
            (problem["errors"][0]["row"].clone(), problem["errors"][0]["code"].clone()),
            (json!(3), json!("unknown-unit"))
        );
        assert!(!problem.to_string().contains("陈家骏"), "names are not repeated");
        assert_eq!(kit.count("intake", "resident").await, 0);

        let header = import(&admin, "estates", "小区编码,颜色\nYX,红\n").await.problem(422, "register-file-invalid");
        assert_eq!(header["errors"][0]["code"], "unknown_column");
        let _ = admin
            .upload("/v1/estates/import", "text/plain", b"x".to_vec())
            .await
            .problem(415, "unsupported-media-type");
        let _ = import(&kit.client(Role::Manager), "estates", ESTATES).await.problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn residents_are_shown_within_borders_and_every_reading_is_written_down() {
    with::<Intake>(async |kit| {
        let admin = registered(&kit).await;
        let (yx, ht) = (uuid(&estate(&admin, "YX").await["estate_id"]), uuid(&estate(&admin, "HT").await["estate_id"]));
        assert_eq!(estate(&admin, "YX").await["households"], 1);
        let desk = kit.client_of(&kit.staff_of(Role::Receptionist, &[yx]));

        let seen = list(&desk, "/v1/residents").await;
        assert_eq!(seen.len(), 2, "R3 lives elsewhere");
        let r1 = seen.iter().find(|resident| resident["code"] == "R1").unwrap();
        assert_eq!((r1["name"].clone(), r1["phone"].clone()), (json!("陈家骏"), json!("+8619900000001")));
        assert_eq!(r1["units"].as_array().unwrap().len(), 1, "the unit elsewhere is not shown");
        let unit = r1["units"][0]["unit_id"].as_str().unwrap();
        assert_eq!(list(&desk, &format!("/v1/residents?estate_id={yx}&unit_id={unit}")).await.len(), 2);
        assert_eq!(list(&desk, &format!("/v1/residents?estate_id={ht}")).await.len(), 0);
        assert_eq!(admin.get(&format!("/v1/estates/{ht}")).await.ok()["estate_id"], json!(ht));
        assert_eq!(list(&admin, "/v1/residents?code=R3").await[0]["language"], "en");

        let path = format!("/v1/residents/{}", r1["resident_id"].as_str().unwrap());
        let one = desk.get(&path).await;
        assert_eq!(one.ok()["units"][0]["role"], "owner");
        assert_eq!(one.version(), Some(1));
        let elsewhere = kit.client_of(&kit.staff_of(Role::Receptionist, &[Uuid::from_u128(9)]));
        let _ = elsewhere.get(&path).await.problem(404, "not-found");
        let _ = kit.client(Role::Technician).get(&path).await.problem(403, "forbidden");
        let themselves = kit.owner(uuid(&r1["resident_id"]));
        assert_eq!(themselves.get(&path).await.ok()["units"].as_array().unwrap().len(), 2, "wherever they are");
        let _ = themselves.get("/v1/residents").await.problem(403, "forbidden");
        let _ = kit.owner(Uuid::from_u128(9)).get(&path).await.problem(404, "not-found");
        let foreigner = kit.client_of(&Actor { tenant: TenantId::from(OTHER_TENANT), ..kit.staff(Role::Admin) });
        let _ = foreigner.get(&path).await.problem(404, "not-found");

        let by_desk =
            "SELECT string_agg(operation || ' ' || cardinality(resident_ids), ', ' ORDER BY read_at, access_id)
                       FROM personal_data_access WHERE actor = 'receptionist'";
        let readings = kit.text("intake", by_desk).await.unwrap();
        assert_eq!(readings.matches("list_residents 2").count(), 2, "{readings}");
        assert_eq!(readings.matches("get_resident 1").count(), 1, "{readings}");
    })
    .await;
}

#[tokio::test]
async fn a_second_file_of_residents_changes_who_is_known_and_keeps_the_rest() {
    with::<Intake>(async |kit| {
        let admin = registered(&kit).await;
        let head = RESIDENTS.lines().next().unwrap();
        let row = "R1,陈家俊,19900000009,YX,2号楼,,101,代理人,,";
        assert_eq!(
            import(&admin, "residents", &format!("{head}\n{row}\n")).await.ok(),
            json!({"rows": 1, "created": 1, "updated": 0, "unchanged": 0})
        );
        let r1 = &list(&admin, "/v1/residents?code=R1").await[0];
        assert_eq!((r1["name"].clone(), r1["version"].clone()), (json!("陈家俊"), json!(2)));
        assert_eq!(r1["units"].as_array().unwrap().len(), 3);
        assert_eq!(estate(&admin, "YX").await["households"], 2);
    })
    .await;
}

#[tokio::test]
async fn staff_are_listed_by_estate_and_lists_go_on_where_they_stopped() {
    with::<Intake>(async |kit| {
        let admin = registered(&kit).await;
        let file = "工号,姓名,岗位,部门,小区编码,账号\n\
            K1,武怡芳,receptionist,customer_service,YX,desk-1\n\
            K2,梁志强,technician,engineering,YX;HT,tech-1\n\
            K3,周总,manager,management,全部,\n\
            K4,何姐,handler,customer_service,HT,handler-1\n";
        assert_eq!(import(&admin, "staff", file).await.ok()["created"], 4);
        assert_eq!(
            import(&admin, "staff", &file.replace("desk-1", "desk-2")).await.ok(),
            json!({"rows": 4, "created": 0, "updated": 1, "unchanged": 3})
        );
        let wrong = file.replace("YX;HT", "YX;ZZ");
        let problem = import(&admin, "staff", &wrong).await.problem(422, "register-file-invalid");
        assert_eq!(problem["errors"][0]["code"], "unknown-estate");

        let yx = uuid(&estate(&admin, "YX").await["estate_id"]);
        let desk = kit.client_of(&kit.staff_of(Role::Receptionist, &[yx]));
        assert_eq!(list(&desk, "/v1/staff").await.len(), 3);
        assert_eq!(list(&admin, "/v1/staff?role=technician").await[0]["estate_ids"].as_array().unwrap().len(), 2);

        let first = admin.get("/v1/staff?limit=3").await.ok();
        let cursor = first["next_cursor"].as_str().unwrap();
        let last = admin.get(&format!("/v1/staff?limit=3&cursor={cursor}")).await.ok();
        assert_eq!(last["items"].as_array().unwrap().len(), 1);
        let since = last["since"].as_str().unwrap().to_owned();
        let _ = import(&admin, "staff", &file.replace("何姐", "何大姐")).await.ok();
        // The feed shows what all transactions on this server have ended with: it may repeat, and waits for the others.
        eventually("the change is in the feed", || async {
            let changed = list(&admin, &format!("/v1/staff?since={since}")).await;
            changed.iter().any(|member| member["name"] == "何大姐").then_some(())
        })
        .await;
        let _ = admin.get("/v1/staff?colour=red").await.problem(400, "malformed-request");
        let _ = admin.get("/v1/staff?role=%00").await.problem(400, "malformed-request");
    })
    .await;
}

#[tokio::test]
async fn a_file_is_read_as_clerks_keep_it_and_says_what_it_left_out() {
    with::<Intake>(async |kit| {
        let admin = kit.client(Role::Admin);
        let _ = import(&admin, "estates", ESTATES).await.ok();
        let file = "御溪花园住户登记表\n\
            序号\t住戶編號\t姓名*\t\"聯絡電話\n(必填)\"\t小區編碼\t樓棟\t單元\t房號\t身份\t入住日期\t迁出日期\t備註\n\
            1\tR1\t陳家駿\t13900000001/021-62345678转801\tＹＸ\t１ 號樓\t一单元\t１０１室\t户主\t2018/1/17 0:00\t\t\n\
            2\tR2\t李芷晴\t（021）62345678\tYX\t1号楼\t1單元\t102\t承租人\t20240501\t2026年10月31日\t已搬\n\
            合计\t2\n";
        let utf_16: Vec<u8> = file.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let report = admin.upload("/v1/residents/import", CSV, utf_16).header("accept-language", "zh-TW").await.ok();
        assert_eq!((report["rows"].clone(), report["created"].clone()), (json!(2), json!(2)));
        let notes: Vec<_> = report["notes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|note| (note["row"].as_u64().unwrap(), note["code"].as_str().unwrap()))
            .collect();
        assert_eq!(notes, [(1, "left_out_title"), (2, "left_out_column"), (2, "left_out_column"), (5, "left_out_sum")]);
        assert_eq!(report["notes"][3]["detail"], "是合計行，未讀取");
        let r1 = &list(&admin, "/v1/residents?code=R1").await[0];
        assert_eq!(
            (r1["phone"].clone(), r1["other_phones"].clone()),
            (json!("+8613900000001"), json!(["+862162345678;ext=801"]))
        );
        assert_eq!((r1["units"][0]["unit"].clone(), r1["units"][0]["role"].clone()), (json!("101"), json!("owner")));
        let r2 = &list(&admin, "/v1/residents?code=R2").await[0];
        assert_eq!(
            (r2["units"][0]["since_on"].clone(), r2["units"][0]["until_on"].clone()),
            (json!("2024-05-01"), json!("2026-10-31"))
        );
        assert_eq!(estate(&admin, "YX").await["households"], 1, "who has moved out does not live there");

        // A new tenant while the old one's tie goes on: taken, and noticed.
        let head = RESIDENTS.lines().next().unwrap();
        let next = |row: &str| format!("{head}\n{row}\n");
        let _ = import(&admin, "residents", &next("R4,何敏仪,13900000004,YX,2号楼,,101,租客,2024-05-01,")).await.ok();
        let report =
            import(&admin, "residents", &next("R5,林小燕,13900000005,YX,2号楼,,101,租户,2026-11-01,")).await.ok();
        assert_eq!((report["created"].clone(), report["notes"][0]["code"].clone()), (json!(1), json!("superseded")));
        assert!(report["notes"][0]["detail"].as_str().unwrap().contains("R4"));
        let moved = format!("{head},迁出日期\nR4,何敏仪,13900000004,YX,2号楼,,101,租客,2024-05-01,,2026-10-31\n");
        assert_eq!(import(&admin, "residents", &moved).await.ok()["updated"], 1);
        let in_unit = r1["units"][0]["unit_id"].as_str().unwrap();
        assert_eq!(list(&admin, &format!("/v1/residents?unit_id={in_unit}")).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_file_that_replaces_the_residents_of_its_units_ends_the_ties_of_those_it_does_not_name() {
    with::<Intake>(async |kit| {
        let admin = registered(&kit).await;
        let before = list(&admin, "/v1/residents?code=R2").await[0].clone();
        let head = RESIDENTS.lines().next().unwrap();
        let file = format!("{head}\nR5,林小燕,13900000005,YX,1号楼,1单元,101,业主,2026-11-20,\n");
        let send = |replace: &str, key: &str| {
            let path = format!("/v1/residents/import{replace}");
            admin.upload(&path, CSV, file.as_bytes().to_vec()).header("accept-language", "en").key(key)
        };
        let _ = send("?replace=estates", "k1").await.problem(400, "malformed-request");
        let tried = send("?replace=units&dry_run=true", "k1").await.ok();
        let report = send("?replace=units", "k1").await.ok();
        assert_eq!(tried, report, "a dry run tells who would go");
        assert_eq!((&report["created"], &report["ended"]), (&json!(1), &json!(2)));
        let told: Vec<_> = report["notes"].as_array().unwrap().iter().map(|note| note["detail"].clone()).collect();
        let gone = |code: &str| format!("{code} is not in the file: their tie to the unit ended yesterday");
        assert_eq!(told, [gone("R1"), gone("R2")]);
        let _ = send("", "k1").await.problem(422, "command-key-reused");

        let ends = async |code: &str| {
            let person = list(&admin, &format!("/v1/residents?code={code}")).await[0].clone();
            person["units"].as_array().unwrap().iter().map(|unit| unit["until_on"].clone()).collect::<Vec<_>>()
        };
        // What R1 has elsewhere stays.
        assert_eq!(ends("R1").await, [Value::Null, json!("2026-11-30")]);
        assert_eq!(ends("R2").await, [json!("2026-11-30")]);
        assert_eq!(ends("R5").await, [Value::Null]);
        let after = list(&admin, "/v1/residents?code=R2").await[0].clone();
        assert_eq!(after["version"].as_i64(), before["version"].as_i64().map(|version| version + 1));
        let unit = &after["units"][0];
        let words = json!({
            "kind": "inquiry", "words": "门禁卡怎么办？", "channel": "app", "estate_id": unit["estate_id"], "unit_id": unit["unit_id"]
        });
        kit.owner(uuid(&after["resident_id"])).post("/v1/cases", words).await.problem(422, "intake/not-your-unit");

        let again = send("?replace=units", "k2").await.ok();
        assert_eq!(again, json!({"rows": 1, "created": 0, "updated": 0, "unchanged": 1}));
    })
    .await;
}

/// Row, code and words of the first fault of a file that is refused.
async fn first_fault(admin: &Client, what: &str, file: &str, language: &str) -> (u64, String, String) {
    let path = format!("/v1/{what}/import");
    let answer = admin.upload(&path, CSV, file.as_bytes().to_vec()).header("accept-language", language).await;
    let error = answer.problem(422, "register-file-invalid")["errors"][0].clone();
    let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
    (error["row"].as_u64().unwrap_or_default(), text("code"), text("detail"))
}

#[tokio::test]
async fn faults_are_told_in_the_callers_language_with_a_remedy() {
    with::<Intake>(async |kit| {
        let admin = kit.client(Role::Admin);
        let _ = import(&admin, "estates", ESTATES).await.ok();
        let head = RESIDENTS.lines().next().unwrap();
        for (row, language, code, detail) in [
            (
                "R1,王,00000,YX,1号楼,1单元,101,业主,,",
                "zh-CN",
                "not_a_phone",
                "应为电话号码：11 位手机号、带区号的座机，或以 + 和国家代码开头的号码",
            ),
            ("R1,王,,YX,1栋,1单元,101,业主,,", "zh-HK", "unknown-unit", "該小區沒有這個單位；是否為 1号楼 1单元 101？"),
            (
                "R1,王,,YX,1号楼,1单元,101,业主,2099-01-01,",
                "en",
                "date_out_of_bounds",
                "must be a day from 1920-01-01 to ",
            ),
            (
                "R1,王,,YX,1号楼,1单元,101,业主,1900-01-01,",
                "en",
                "date_out_of_bounds",
                "must be a day from 1920-01-01 to ",
            ),
            (
                "R1,王,,YX,1号楼,1单元,101,国王,,",
                "en",
                "unknown_word",
                "must be one of: agent, co_owner, family, owner, tenant",
            ),
        ] {
            let told = first_fault(&admin, "residents", &format!("{head}\n{row}\n"), language).await;
            assert_eq!((told.0, told.1.as_str()), (2, code), "{row}");
            assert!(told.2.starts_with(detail), "{}", told.2);
        }
        assert_eq!(kit.count("intake", "resident").await, 0);
    })
    .await;
}

/// Whoever has no post of ours would be nobody.
#[tokio::test]
async fn posts_of_staff_are_read_in_the_words_of_companies() {
    with::<Intake>(async |kit| {
        let admin = kit.client(Role::Admin);
        let _ = import(&admin, "estates", ESTATES).await.ok();
        let staff =
            |role: &str| format!("工号,姓名,岗位,部门,小区编码,账号\nK1,武怡芳,{role},customer_service,YX,desk-1\n");
        let (_, code, detail) = first_fault(&admin, "staff", &staff("国王"), "zh-CN").await;
        assert_eq!(code, "unknown_word");
        assert!(detail.contains("前台") && detail.contains("维修工"), "{detail}");
        for (written, role) in [
            ("前台", "receptionist"),
            ("Receptionist", "receptionist"),
            ("客服", "handler"),
            ("管家", "handler"),
            ("主管", "supervisor"),
            ("項目經理", "manager"),
        ] {
            let _ = import(&admin, "staff", &staff(written)).await.ok();
            assert_eq!(list(&admin, "/v1/staff").await[0]["role"], role, "{written}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_room_that_is_written_otherwise_is_the_same_room() {
    with::<Intake>(async |kit| {
        let admin = kit.client(Role::Admin);
        let _ = import(&admin, "estates", ESTATES).await.ok();
        let otherwise = ESTATES.replace("1号楼", "１ 號樓").replace(",101,", ",１０１室,");
        assert_eq!(import(&admin, "estates", &otherwise).await.ok()["unchanged"], 4);
        let twice = format!("{ESTATES}YX,御溪花园,上海,一号楼,１单元,１０１室,1,89.5\n");
        let problem = import(&admin, "estates", &twice).await.problem(422, "register-file-invalid");
        assert_eq!(
            (problem["errors"][0]["row"].clone(), problem["errors"][0]["code"].clone()),
            (json!(6), json!("repeated"))
        );
        assert_eq!(kit.count("intake", "unit").await, 4);
    })
    .await;
}

#[tokio::test]
async fn two_thousand_units_and_their_people_are_two_quick_requests() {
    with::<Intake>(async |kit| {
        let admin = kit.client(Role::Admin);
        let mut units = ESTATES.lines().next().unwrap().to_owned();
        let mut people = RESIDENTS.lines().next().unwrap().to_owned();
        for n in 0..2_400 {
            let (building, unit) = (n / 100 + 1, n % 100 + 1);
            units += &format!("\nYX,御溪花园,上海,{building}号楼,,{unit},{},80", unit / 4 + 1);
            people += &format!("\nR{n},住户{n},{},YX,{building}号楼,,{unit},业主,,", 19_900_000_000_u64 + n);
        }
        let started = std::time::Instant::now();
        assert_eq!(import(&admin, "estates", &units).await.ok()["created"], 2_400);
        assert_eq!(import(&admin, "residents", &people).await.ok()["created"], 2_400);
        let took = started.elapsed();
        assert!(took < std::time::Duration::from_secs(10), "took {took:?}");
        let yx = estate(&admin, "YX").await;
        assert_eq!(
            (yx["buildings"].clone(), yx["units"].clone(), yx["households"].clone()),
            (json!(24), json!(2_400), json!(2_400))
        );
    })
    .await;
}

#[tokio::test]
async fn the_files_of_the_demo_company_are_good() {
    with::<Intake>(async |kit| {
        let admin = kit.client(Role::Admin);
        for (what, file) in [
            ("estates", "estates.xlsx"),
            ("residents", "residents.csv"),
            ("staff", "staff.csv"),
            ("articles", "articles.csv"),
        ] {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/local/demo");
            let bytes = std::fs::read(format!("{folder}/{file}")).unwrap();
            let kind = if file.ends_with("xlsx") { XLSX } else { CSV };
            let path = format!("/v1/{what}/import");
            let report = admin.upload(&path, kind, bytes.clone()).await.ok();
            assert_eq!(report["created"], report["rows"], "{file}");
            assert_eq!(admin.upload(&path, kind, bytes).await.ok()["unchanged"], report["rows"], "{file}");
        }
        assert_eq!(list(&admin, "/v1/estates").await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn imports_at_the_same_time_take_turns() {
    with::<Intake>(async |kit| {
        let admin = kit.client(Role::Admin);
        let (one, two, three) = tokio::join!(
            import(&admin, "estates", ESTATES),
            import(&admin, "estates", ESTATES),
            import(&admin, "estates", ESTATES)
        );
        let created: u64 = [one, two, three].iter().map(|answer| answer.ok()["created"].as_u64().unwrap()).sum();
        assert_eq!(created, 4);
        assert_eq!((kit.count("intake", "estate").await, kit.count("intake", "unit").await), (2, 4));
    })
    .await;
}
