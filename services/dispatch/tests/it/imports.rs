//! Register files.

use chrono::TimeDelta;
use serde_json::{Value, json};
use steward_dispatch::Dispatch;
use steward_kernel::Role;
use steward_testkit::{TENANT, db::new_id, eventually, with};

use crate::world::{CSV, DEPARTMENTS, TECHNICIANS, World, estate_registered};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn counts(report: &Value) -> [i64; 4] {
    ["rows", "created", "updated", "unchanged"].map(|name| report[name].as_i64().unwrap())
}

fn faults(problem: &Value) -> Vec<(i64, &str, &str)> {
    let errors = problem["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|e| (e["row"].as_i64().unwrap(), e["column"].as_str().unwrap(), e["code"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_file_is_imported_once_and_changes_what_it_changes() {
    with::<Dispatch>(async |kit| {
        let world = World::bare(kit).await;
        let upload = |csv: &str| world.admin().upload("/v1/departments/import", CSV, csv.as_bytes().to_vec());
        let first = upload(DEPARTMENTS).key("k").await.ok();
        assert_eq!(counts(&first), [3, 3, 0, 0]);
        let again = upload(DEPARTMENTS).key("k").await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.ok(), first);
        assert_eq!(counts(&upload(DEPARTMENTS).await.ok()), [3, 0, 0, 3]);
        let renamed = DEPARTMENTS.replace("保洁部", "清洁部");
        assert_eq!(counts(&upload(&renamed).await.ok()), [3, 0, 1, 2]);
        // The old request again: the old answer, and nothing goes back to what it was.
        assert_eq!(upload(DEPARTMENTS).key("k").await.ok(), first);
        upload(&renamed).key("k").await.problem(422, "command-key-reused");

        let listed = world.admin().get(&format!("/v1/departments?estate_id={}", world.other_estate)).await.ok();
        let serves = |name: &str| {
            let found = listed["items"].as_array().unwrap().iter().find(|item| item["name"] == name);
            found.map(|item| item["estate_ids"].as_array().unwrap().len())
        };
        assert_eq!([serves("工程部"), serves("秩序部"), serves("清洁部")], [Some(2), Some(1), None]);
        let all = world.admin().get("/v1/departments").await.ok();
        assert!(all["items"].as_array().unwrap().iter().any(|item| item["name"] == "清洁部" && item["version"] == 2));
    })
    .await;
}

#[tokio::test]
async fn a_broken_file_is_reported_by_row_and_column_and_changes_nothing() {
    with::<Dispatch>(async |kit| {
        let world = World::bare(kit).await;
        let problem = world.import("departments", "部门编码,部门名称,小区编码\na,甲,YX\nb,,YX\na,丙,YX;ZZ\n").await;
        let problem = problem.problem(422, "register-file-invalid");
        assert_eq!(
            faults(&problem),
            [(3, "部门名称", "missing"), (4, "部门编码", "repeated"), (4, "小区编码", "unknown-estate")]
        );
        assert_eq!(world.kit.count("dispatch", "department").await, 0);
        let limited = world.kit.client_of(&world.kit.staff_of(Role::Admin, &[world.estate]));
        let all = limited.upload("/v1/departments/import", CSV, DEPARTMENTS.as_bytes().to_vec()).await;
        let all = all.problem(422, "register-file-invalid");
        assert_eq!(faults(&all), [(2, "小区编码", "not_yours"), (4, "小区编码", "unknown-estate")]);

        let _ = world.import("departments", DEPARTMENTS).await.ok();
        let _ = world.import("technicians", TECHNICIANS).await.ok();
        let head = "工号,姓名,账号,部门编码,技能,小区编码\n";
        let rows = "T009,孙七,tech-1,engineering,水电,YX\nT010,周八,tech-10,plumbing,水电,YX\nT011,吴九,tech-10,engineering,,YX\n";
        let problem = world.import("technicians", &format!("{head}{rows}")).await.problem(422, "register-file-invalid");
        assert_eq!(
            faults(&problem),
            [(2, "账号", "taken"), (3, "部门编码", "unknown-department"), (4, "账号", "repeated")]
        );
        assert!(!problem.to_string().contains("孙七"));
        let shifts = "工号,日期,开始,结束\nT001,昨天,08:00,20:00\nT099,2026-11-24,08:00,20:00\nT001,2026-11-24,8点,20:00\n";
        let problem = world.import("shifts", shifts).await.problem(422, "register-file-invalid");
        assert_eq!(
            faults(&problem),
            [(2, "日期", "not_a_date"), (3, "工号", "unknown-technician"), (4, "开始", "not_a_time")]
        );
        assert_eq!(world.kit.count("dispatch", "technician").await, 4);
        assert_eq!(world.kit.count("dispatch", "shift").await, 0);
        let missing = world.import("shifts", "工号,日期\nT001,2026-11-24\n").await.problem(422, "register-file-invalid");
        assert_eq!(faults(&missing), [(1, "开始", "missing_column"), (1, "结束", "missing_column")]);
    })
    .await;
}

#[tokio::test]
async fn a_department_is_a_contractor_when_the_file_says_so() {
    with::<Dispatch>(async |kit| {
        let world = World::bare(kit).await;
        let file = |words: [&str; 3]| {
            let rows: String =
                words.iter().enumerate().map(|(n, word)| format!("d{n},部门{n},全部,{word}\n")).collect();
            format!("部门编码,部门名称,小区编码,是否外包\n{rows}")
        };
        let known = async || {
            let page = world.admin().get("/v1/departments").await.ok();
            let mut items = page["items"].as_array().unwrap().clone();
            items.sort_by_key(|item| item["code"].to_string());
            items.iter().map(|item| (item["contractor"] == true, item["version"].as_i64().unwrap())).collect::<Vec<_>>()
        };
        let problem = world.import("departments", &file(["是", "外包", "maybe"])).await;
        let problem = problem.problem(422, "register-file-invalid");
        assert_eq!(faults(&problem), [(4, "是否外包", "unknown_word")]);
        assert!(!problem.to_string().contains("maybe"));
        assert_eq!(problem["errors"][0]["detail"], "应为以下之一：否, 是");

        assert_eq!(counts(&world.import("departments", &file(["是", "否", ""])).await.ok()), [3, 3, 0, 0]);
        assert_eq!(known().await, [(true, 1), (false, 1), (false, 1)]);
        assert_eq!(counts(&world.import("departments", &file(["yes", "no", "TRUE"])).await.ok()), [3, 0, 1, 2]);
        assert_eq!(known().await, [(true, 1), (false, 1), (true, 2)]);
        // The file has the word on the departments that it names, also without the column.
        let english = "department_code,name,estate_code\nd0,部门0,all\n";
        assert_eq!(counts(&world.import("departments", english).await.ok()), [1, 0, 1, 0]);
        assert_eq!(known().await, [(false, 2), (false, 1), (true, 2)]);
    })
    .await;
}

#[tokio::test]
async fn shifts_cross_midnight_and_later_files_take_them_back() {
    with::<Dispatch>(async |kit| {
        let world = World::bare(kit).await;
        let _ = world.import("departments", DEPARTMENTS).await.ok();
        let _ = world.import("technicians", TECHNICIANS).await.ok();
        let head = "工号,日期,开始,结束\n";
        let first =
            format!("{head}T001,2026-11-24,20:00,08:00\nT001,2026-11-24,08:00,12:00\nT002,2026-11-24,08:00,08:00\n");
        assert_eq!(counts(&world.import("shifts", &first).await.ok()), [3, 3, 0, 0]);
        let technician = world.technician("T001").await;
        let path = format!("/v1/shifts?technician_id={}&from=2026-11-24&to=2026-11-24", technician.as_str().unwrap());
        let page = world.admin().get(&path).await.ok();
        let night = &page["items"][0];
        assert_eq!(
            (&night["starts_at"], &night["ends_at"]),
            (&json!("2026-11-24T12:00:00Z"), &json!("2026-11-25T00:00:00Z"))
        );
        let since = page["since"].as_str().unwrap();

        let second = format!("{head}T001,2026-11-24,20:00,06:00\n");
        assert_eq!(counts(&world.import("shifts", &second).await.ok()), [1, 0, 1, 0]);
        let page = world.admin().get(&path).await.ok();
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "the day shift was taken back");
        assert_eq!(page["items"][0]["ends_at"], "2026-11-24T22:00:00Z");
        let is_told = |items: &[Value]| items.iter().filter(|item| item["called_off"] == true).count() == 1;
        assert_eq!(world.changes(&path, since, is_told).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_roster_is_read_as_clerks_keep_it() {
    with::<Dispatch>(async |kit| {
        let world = World::bare(kit).await;
        let _ = world.import("departments", "部門編碼;部門名稱;小區編碼;備註\nengineering;工程部;所有;新\n").await.ok();
        let technicians = "维修人员名单\n序号\t员工编号\t姓名*\t登录名\t所属部门编码\t工种\t项目编码\n1\tＴ００１\t张三\ttech-1\tengineering\t水电，电梯\tＹＸ\n";
        let report = world.import("technicians", technicians).await.ok();
        assert_eq!(counts(&report), [1, 1, 0, 0]);
        assert_eq!((&report["notes"][0]["row"], &report["notes"][0]["code"]), (&json!(1), &json!("left_out_title")));
        assert_eq!(report["notes"][1]["detail"], "是备注类的列，未读取");

        let head = "工号,值班日期,上班时间,下班时间\n";
        let twice = format!("{head}T001,2026-11-24,08:00,16:00\nT001,2026-11-24,12:00,20:00\n");
        let twice = world.admin().upload("/v1/shifts/import", CSV, twice.into_bytes()).header("accept-language", "en");
        let problem = twice.await.problem(422, "register-file-invalid");
        assert_eq!(faults(&problem), [(3, "上班时间", "overlaps")]);
        assert_eq!(problem["errors"][0]["detail"], "overlaps with row 2 of the same person; mend one of the two");
        let late = format!("{head}T001,2026/11/24 0:00,16:00,24:00\n");
        for times in 1..=2 {
            let tried = world.admin().upload("/v1/shifts/import?dry_run=true", CSV, late.clone().into_bytes()).await;
            assert_eq!(counts(&tried.ok()), [1, 1, 0, 0], "dry run {times} keeps nothing");
        }
        assert_eq!(counts(&world.import("shifts", &late).await.ok()), [1, 1, 0, 0]);
        let listed = world.admin().get("/v1/shifts?from=2026-11-24&to=2026-11-24").await.ok();
        assert_eq!(listed["items"][0]["ends_at"], "2026-11-24T16:00:00Z");
        let early = format!("{head}T001,2026-11-23,20:00,次日 18:00\n");
        let problem = world.import("shifts", &early).await.problem(422, "register-file-invalid");
        assert_eq!(faults(&problem), [(2, "上班时间", "overlaps")]);
        assert_eq!(problem["errors"][0]["detail"], "与此人已导入的 2026-11-24 班次重叠；请在文件中一并写明那一天，或更正时间");
        let slip = world.import("shifts", &format!("{head}T001,2062-11-24,08:00,16:00\n")).await;
        assert_eq!(faults(&slip.problem(422, "register-file-invalid")), [(2, "值班日期", "date_out_of_bounds")]);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_has_who_leaves_or_moves_comes_back_and_the_answer_names_it() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let (case, other) = (world.confirmed().await, world.confirmed().await);
        let (order, other_order) = (world.order(case).await, world.order(other).await);
        world.walk(&order, &["assign", "accept"]).await;
        world.walk(&other_order, &["assign"]).await;
        assert_eq!(world.stage(case).await, "in_work");
        let head = "工号,姓名,账号,部门编码,技能,小区编码";
        let same =
            world.import("technicians", &format!("{head}\nT001,张三丰,tech-1,engineering,水电;木工,全部\n")).await.ok();
        assert_eq!((same["updated"].clone(), same.get("notes")), (json!(1), None), "nothing comes back");

        let moved =
            world.import("technicians", &format!("{head}\nT001,张三丰,tech-1,engineering,水电,HT\n")).await.ok();
        let notes = moved["notes"].as_array().unwrap();
        assert_eq!(notes.len(), 2);
        let view = world.handler().get(&order).await.ok();
        assert_eq!((notes[0]["row"].as_i64(), notes[0]["code"].as_str()), (Some(2), Some("given_back")));
        let reference = view["reference"].as_str().unwrap();
        assert!(notes.iter().any(|note| note["detail"].as_str().unwrap().contains(reference)), "{moved}");
        assert_eq!((view["status"].clone(), view.get("technician_id")), (json!("returned"), None));
        assert_eq!(view["reason"], "原负责人已离职，或不再负责那里的此类工作");
        assert_eq!(
            (world.status(&other_order).await.as_str(), world.stage(case).await.as_str()),
            ("returned", "routed")
        );
        let told = world.kit.published::<steward_proto::dispatch::WorkOrderReturned>().await;
        assert_eq!(told.len(), 2, "who looks after the case hears of it");

        // Who has left gets no more, and their account is free for somebody else.
        let _ = world
            .handler()
            .post(&format!("{order}/assign"), json!({ "technician_id": world.technician("T002").await }))
            .await
            .ok();
        let left = format!("{head},在职状态\nT002,李四,tech-2,engineering,水电;电梯,YX;HT,离职\n");
        let left = world.import("technicians", &left).await.ok();
        assert_eq!(left["notes"][0]["code"], "given_back");
        let gone = world
            .handler()
            .post(&format!("{order}/assign"), json!({ "technician_id": world.technician("T002").await }));
        let _ = gone.await.problem(422, "dispatch/unknown-technician");
        let candidates = world.handler().get(&format!("{order}/candidates")).await.ok();
        assert_eq!(candidates["items"], json!([]));
        let _ = world.import("technicians", &format!("{head}\nT009,孙七,tech-2,engineering,水电,YX\n")).await.ok();
        let shift = world.import("shifts", "工号,日期,开始,结束\nT002,2026-11-24,08:00,12:00\n").await;
        assert_eq!(faults(&shift.problem(422, "register-file-invalid")), [(2, "工号", "unknown-technician")]);
    })
    .await;
}

#[tokio::test]
async fn the_shifts_ahead_of_who_leaves_fall_away() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let now = world.kit.clock.now();
        let on = |days: i64| (now + TimeDelta::days(days)).format("%F").to_string();
        let row = |code: &str, days: i64| format!("{code},{},08:00,18:00\n", on(days));
        let file =
            format!("工号,日期,开始,结束\n{}{}{}{}", row("T002", -3), row("T002", 2), row("T002", 3), row("T001", 2));
        let _ = world.import("shifts", &file).await.ok();
        let head = "工号,姓名,账号,部门编码,技能,小区编码,在职状态";
        let left =
            world.import("technicians", &format!("{head}\nT002,李四,tech-2,engineering,水电,YX,离职\n")).await.ok();
        assert_eq!((&left["notes"][0]["row"], &left["notes"][0]["code"]), (&json!(2), &json!("shifts_called_off")));
        assert_eq!(left["notes"][0]["detail"], "此人已离职，今后的 2 个班次已取消");
        let list = format!("/v1/shifts?from={}&to={}", on(-5), on(5));
        let left_over = world.admin().get(&list).await.ok();
        let mut standing: Vec<_> = Vec::new();
        for shift in left_over["items"].as_array().unwrap() {
            let of = if shift["technician_id"] == world.technician("T002").await { "T002" } else { "T001" };
            standing.push((of, shift["on"].as_str().unwrap().to_owned()));
        }
        assert!(standing.contains(&("T002", on(-3))), "what was worked stays: {standing:?}");
        assert!(!standing.contains(&("T002", on(2))) && !standing.contains(&("T002", on(3))), "{standing:?}");
        assert!(standing.contains(&("T001", on(2))), "{standing:?}");
    })
    .await;
}

#[tokio::test]
async fn a_department_that_is_closed_gets_no_more_work_and_what_it_has_is_named() {
    with::<Dispatch>(async |kit| {
        let world = World::new(kit).await;
        let order = world.order(world.confirmed().await).await;
        let reference = world.handler().get(&order).await.ok()["reference"].clone();
        let closed = "部门编码,部门名称,小区编码,状态\nengineering,工程部,全部,停用\n";
        let report = world.import("departments", closed).await.ok();
        assert_eq!(report["notes"][0]["code"], "department_holds");
        assert!(report["notes"][0]["detail"].as_str().unwrap().contains(reference.as_str().unwrap()));
        let body = json!({ "case_id": world.confirmed().await, "department": "engineering", "summary": "查漏" });
        let _ = world.handler().post("/v1/work-orders", body).await.problem(422, "dispatch/unknown-department");
        let transfer = json!({ "department": "cleaning", "reason": "部门撤销" });
        let _ = world.lead().post(&format!("{order}/transfer"), transfer).await.ok();
        let again = world.import("departments", "部门编码,部门名称,小区编码\nengineering,工程部,YX\n").await.ok();
        assert_eq!(again.get("notes"), None);
    })
    .await;
}

#[tokio::test]
async fn the_demo_companys_workbook_is_understood() {
    with::<Dispatch>(async |kit| {
        let world = World::bare(kit).await;
        let third = new_id();
        world.kit.publish(TENANT, third, 1, 0, estate_registered(third, "JL", "锦麟公馆", world.kit.clock.now())).await;
        eventually("the third estate is known", || async {
            (world.kit.count("dispatch", "estate").await == 3).then_some(())
        })
        .await;
        let departments = include_bytes!("../../../../deploy/local/demo/departments.csv");
        let technicians = include_bytes!("../../../../deploy/local/demo/technicians.xlsx");
        let admin = world.admin();
        assert_eq!(admin.upload("/v1/departments/import", CSV, departments.to_vec()).await.ok()["created"], 8);
        assert_eq!(admin.upload("/v1/technicians/import", XLSX, technicians.to_vec()).await.ok()["created"], 24);
        let query = format!("/v1/technicians?estate_id={third}&skill=%E6%9A%96%E9%80%9A&limit=200");
        let able = admin.get(&query).await.ok();
        assert!(
            able["items"]
                .as_array()
                .unwrap()
                .iter()
                .all(|each| { each["estate_ids"].as_array().unwrap().contains(&json!(third)) })
        );
        assert!(!able["items"].as_array().unwrap().is_empty());
        let id = able["items"][0]["technician_id"].as_str().unwrap();
        assert_eq!(admin.get(&format!("/v1/technicians/{id}")).await.ok(), able["items"][0]);
        assert_eq!(admin.get("/v1/technicians?on_shift=true").await.ok()["items"], json!([]));
    })
    .await;
}
