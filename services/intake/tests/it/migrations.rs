//! Migrations on tables that are full.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use steward_intake::Intake;
use steward_kernel::Role;
use steward_testkit::{db::new_id, old};

/// A number as the version before stored it, the time zone of its resident's estate, and its one form.
const NUMBERS: &[(&str, &str, &str)] = &[
    ("13900000001", "Asia/Shanghai", "+8613900000001"),
    ("8613900000002", "Asia/Shanghai", "+8613900000002"),
    ("008613900000003", "Asia/Hong_Kong", "+8613900000003"),
    ("+8613900000004", "Asia/Shanghai", "+8613900000004"),
    ("075512345678", "Asia/Shanghai", "+8675512345678"),
    ("98765432", "Asia/Hong_Kong", "+85298765432"),
    ("66123456", "Asia/Macau", "+85366123456"),
    ("0912345678", "Asia/Taipei", "+886912345678"),
    // What is no number of the estate's region stays as it was written.
    ("98765432", "Asia/Shanghai", "98765432"),
    ("12345", "Asia/Shanghai", "12345"),
    ("075512345678", "Pacific/Auckland", "075512345678"),
    ("", "Asia/Shanghai", ""),
];

#[tokio::test]
async fn residents_of_the_version_before_have_numbers_in_one_form_and_are_found_by_them() {
    old::before::<Intake>(20_261_130_021_000, async |old| {
        for (index, (phone, zone, _)) in NUMBERS.iter().enumerate() {
            let (estate, unit, resident, code) = (new_id(), new_id(), new_id(), format!("R-{index:02}"));
            old.has("estate", json!({"estate_id": estate, "code": format!("E-{index}"), "time_zone": zone})).await;
            old.has("unit", json!({"unit_id": unit, "estate_id": estate, "unit": "101"})).await;
            let person = json!({"resident_id": resident, "code": code, "name": "林 小燕", "phone": phone, "language": "zh-Hans"});
            old.has("resident", person).await;
            let tie = json!({"resident_id": resident, "unit_id": unit, "estate_id": estate, "role": "owner"});
            old.has("resident_unit", tie).await;
        }
        // Nobody knows where they live; only what is a number everywhere in the country is read.
        let unknown = json!({"resident_id": new_id(), "code": "R-98", "phone": "66123456", "language": "en"});
        old.has("resident", unknown).await;
        let unknown = json!({"resident_id": new_id(), "code": "R-99", "phone": "13900000099", "language": "en"});
        old.has("resident", unknown).await;

        let changed = ["resident.changed_xid", "resident.phone", "resident.version"].map(str::to_owned);
        assert_eq!(old.migrates().await, BTreeSet::from(changed));
        let mut expected: Vec<Value> = NUMBERS
            .iter()
            .enumerate()
            .map(|(index, (before, _, phone))| {
                json!([format!("R-{index:02}"), phone, if before == phone { 1 } else { 2 }, "林小燕"])
            })
            .collect();
        expected.push(json!(["R-98", "66123456", 1, ""]));
        expected.push(json!(["R-99", "+8613900000099", 2, ""]));
        let residents = "SELECT code, phone, version, name_start FROM resident ORDER BY code";
        assert_eq!(old.rows(residents).await, Value::from(expected));
        let ties = "SELECT count(*), count(until_on) FROM resident_unit";
        assert_eq!(old.rows(ties).await, json!([[NUMBERS.len(), 0]]), "nobody has moved out");

        old.serves::<Intake>(async |kit| {
            let desk = kit.client(Role::Receptionist);
            let found = async |phone: &str| {
                let page = desk.get(&format!("/v1/residents?phone={phone}")).await.ok();
                let mut codes: Vec<_> = page["items"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
                codes.sort_by_key(Value::to_string);
                codes
            };
            assert_eq!(found("13900000003").await, ["R-02"]);
            assert_eq!(found("0755-12345678").await, ["R-04", "R-10"]);
            assert_eq!(found("98765432").await, ["R-05", "R-08"]);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_the_version_before_wrote_is_found_by_its_reference() {
    old::before::<Intake>(20_261_130_024_000, async |old| {
        let case = |reference: &str| json!({"case_id": new_id(), "reference": reference});
        for table in ["intake_case", "inquiry"] {
            old.has(table, case("Q-261123-7K3QD4")).await;
        }
        assert_eq!(old.migrates().await, BTreeSet::new());
        for table in ["intake_case", "inquiry"] {
            // The version before goes on writing for a while.
            old.has(table, case("Q-261124-9M2PX1")).await;
            let keys = old.rows(&format!("SELECT reference_end FROM {table} ORDER BY reference")).await;
            assert_eq!(keys, json!([["4DQ3K7321162Q"], ["1XP2M9421162Q"]]), "{table}");
        }
    })
    .await;
}
