//! Finding: by telephone number, name, unit and reference, as people write them.

use serde_json::{Value, json};
use steward_intake::Intake;
use steward_kernel::Role;
use steward_testkit::{Client, with};

use crate::world::{case_id, world};

fn encoded(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn found(client: &Client, list: &str, filter: &str, value: &str, field: &str) -> Vec<Value> {
    let page = client.get(&format!("/v1/{list}?{filter}={}", encoded(value))).await.ok();
    page["items"].as_array().unwrap().iter().map(|item| item[field].clone()).collect()
}

#[tokio::test]
async fn a_resident_is_found_by_any_spelling_of_their_number_and_it_is_written_down() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let desk = kit.client_of(&kit.staff_of(Role::Receptionist, &[world.estate]));
        let before = kit.count("intake", "personal_data_access").await;
        let spellings = [
            "13800000001",
            "138 0000 0001",
            "１３８－００００－０００１",
            "+8613800000001",
            "008613800000001",
            "00000001",
        ];
        for phone in spellings {
            assert_eq!(found(&desk, "residents", "phone", phone, "code").await, ["R-1"], "{phone}");
        }
        assert!(kit.count("intake", "personal_data_access").await > before);
        assert_eq!(found(&desk, "residents", "phone", "13800000003", "code").await, [] as [Value; 0]);
        let second = "resident_code,name,phone,estate_code,building,unit,role,since_on\nR-3,吴三,13800000003/02162345678转801,YX,3,102,tenant,2024-05-01\n";
        let _ = kit.client(Role::Admin).upload("/v1/residents/import", "text/csv", second.into()).await.ok();
        for phone in ["13800000003", "（021）62345678", "62345678", "+86 21 6234 5678"] {
            assert_eq!(found(&desk, "residents", "phone", phone, "code").await, ["R-3"], "{phone}");
        }
        let _ = desk.get("/v1/residents?phone=12").await.problem(400, "malformed-request");
        let elsewhere = kit.client_of(&kit.staff_of(Role::Receptionist, &[world.other_estate]));
        assert_eq!(found(&elsewhere, "residents", "phone", "13800000001", "code").await, [] as [Value; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_resident_is_found_by_how_their_name_begins() {
    with::<Intake>(async |kit| {
        let _ = world(&kit).await;
        let admin = kit.client(Role::Admin);
        for name in ["林一", "林 一", "林"] {
            assert_eq!(found(&admin, "residents", "name", name, "code").await, ["R-1"], "{name}");
        }
        for name in ["一", "%", "王"] {
            assert_eq!(found(&admin, "residents", "name", name, "code").await, [] as [Value; 0], "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn cases_are_found_by_unit_and_by_any_spelling_of_their_reference() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let (case, other) = (
            world.opens(&kit, "inquiry").await,
            kit.client(Role::Receptionist).post("/v1/cases", world.case("complaint")).await.created(),
        );
        let desk = kit.client(Role::Receptionist);
        let reference = case["reference"].as_str().unwrap();
        let wide: String = reference
            .chars()
            .map(|c| if c == '-' { '－' } else { char::from_u32(u32::from(c) + 0xfee0).unwrap() })
            .collect();
        let spellings = [
            reference.to_owned(),
            reference.replace('-', ""),
            reference.to_lowercase(),
            wide,
            reference[9..].to_owned(),
        ];
        for spelling in &spellings {
            for list in ["cases", "inquiries"] {
                assert_eq!(
                    found(&desk, list, "reference", spelling, "reference").await,
                    [reference],
                    "{list} {spelling}"
                );
            }
        }
        assert_eq!(found(&desk, "cases", "reference", "-", "reference").await, [] as [Value; 0]);
        let unit = world.unit.to_string();
        assert_eq!(found(&desk, "cases", "unit_id", &unit, "case_id").await, [case["case_id"].clone()]);
        assert_ne!(case_id(&case), case_id(&other));
    })
    .await;
}

#[tokio::test]
async fn visits_are_found_by_resident() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        let desk = kit.client(Role::Receptionist);
        for resident in [Some(world.resident), None] {
            let _ =
                desk.post("/v1/visits", json!({ "estate_id": world.estate, "resident_id": resident })).await.created();
        }
        let resident = world.resident.to_string();
        assert_eq!(found(&desk, "visits", "resident_id", &resident, "resident_id").await, [resident]);
    })
    .await;
}

#[tokio::test]
async fn an_article_is_found_by_all_of_its_words_in_any_order() {
    with::<Intake>(async |kit| {
        let manager = kit.client(Role::Manager);
        for (code, body) in [("P-1", "月卡每月300元，到期前可在前台续费。"), ("P-2", "月卡不退。"), ("P-3", "ETC 续费")]
        {
            let article =
                json!({ "code": code, "title": "停车", "category": "parking", "body": body, "language": "zh-Hans" });
            let _ = manager.post("/v1/articles", article).await.created();
        }
        for q in ["月卡 续费", "续费　月卡", "停车 月卡 300元 续费"] {
            assert_eq!(found(&manager, "articles", "q", q, "code").await, ["P-1"], "{q}");
        }
        assert_eq!(found(&manager, "articles", "q", "ｅｔｃ", "code").await, ["P-3"]);
        let _ = manager.get("/v1/articles?q=%E2%80%8B").await.problem(400, "malformed-request");
    })
    .await;
}

#[tokio::test]
async fn words_that_nobody_can_see_are_refused() {
    with::<Intake>(async |kit| {
        let world = world(&kit).await;
        for words in ["\u{200b}\u{200b}\u{200b}", "\u{3000}\u{301}", "\u{202e}\u{2066}", "   "] {
            let mut case = world.case("complaint");
            case["words"] = json!(words);
            let problem =
                kit.client(Role::Receptionist).post("/v1/cases", case).await.problem(400, "malformed-request");
            assert_eq!(problem["errors"][0]["pointer"], "/words", "{words:?} {problem}");
        }
        let mut case = world.case("complaint");
        case["words"] = json!("\u{202e}水漏\u{2066}楼顶");
        let case = kit.client(Role::Receptionist).post("/v1/cases", case).await.created();
        assert_eq!(case["words"], "水漏楼顶");
    })
    .await;
}
