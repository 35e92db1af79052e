//! A small company: one estate with two units and a household, as every test needs it.

use serde_json::{Value, json};
use steward_kernel::Role;
use steward_testkit::{Client, Kit, eventually};
use uuid::Uuid;

const ESTATES: &str = "estate_code,estate_name,region,building,unit,floor,area_m2\n\
    YX,御溪花园,上海,3,101,1,89.5\nYX,御溪花园,上海,3,102,1,102\nBL,碧落苑,上海,1,201,2,75\n";
const RESIDENTS: &str = "resident_code,name,phone,estate_code,building,unit,role,since_on\n\
    R-1,林一,13800000001,YX,3,101,owner,2019-05-01\nR-2,陈二,13800000002,YX,3,102,owner,2020-06-01\n";

/// What a test knows of the company.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    /// The estate in which things happen.
    pub(crate) estate: Uuid,
    /// Another estate of the company.
    pub(crate) other_estate: Uuid,
    /// A unit of the estate.
    pub(crate) unit: Uuid,
    /// Its owner.
    pub(crate) resident: Uuid,
    /// Another owner of the estate.
    pub(crate) neighbour: Uuid,
}

fn id(value: &Value) -> Uuid {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("not an id: {value}"))
}

/// Imports the company's register.
pub(crate) async fn world(kit: &Kit) -> World {
    let admin = kit.client(Role::Admin);
    let _ = admin.upload("/v1/estates/import", "text/csv", ESTATES.into()).await.ok();
    let _ = admin.upload("/v1/residents/import", "text/csv", RESIDENTS.into()).await.ok();
    let estates = admin.get("/v1/estates").await.ok();
    let by = |list: &Value, field: &str, value: &str, wanted: &str| {
        let found = list["items"].as_array().unwrap().iter().find(|item| item[field] == value).cloned();
        id(&found.unwrap_or_else(|| panic!("no {value} in {list}"))[wanted])
    };
    let estate = by(&estates, "code", "YX", "estate_id");
    let units = admin.get(&format!("/v1/estates/{estate}/units")).await.ok();
    let residents = admin.get(&format!("/v1/residents?estate_id={estate}")).await.ok();
    World {
        estate,
        other_estate: by(&estates, "code", "BL", "estate_id"),
        unit: by(&units, "unit", "101", "unit_id"),
        resident: by(&residents, "code", "R-1", "resident_id"),
        neighbour: by(&residents, "code", "R-2", "resident_id"),
    }
}

impl World {
    /// The body of a new case.
    pub(crate) fn case(&self, kind: &str) -> Value {
        json!({ "kind": kind, "words": "三号楼电梯又停了", "channel": "phone", "estate_id": self.estate })
    }

    /// The body of a new case in the owner's own words.
    pub(crate) fn owners_case(&self, kind: &str) -> Value {
        json!({ "kind": kind, "words": "三号楼电梯又停了", "channel": "app", "estate_id": self.estate })
    }

    /// A new case of the owner's, opened at the desk.
    pub(crate) async fn opens(&self, kit: &Kit, kind: &str) -> Value {
        let mut body = self.case(kind);
        body["unit_id"] = json!(self.unit);
        body["resident_id"] = json!(self.resident);
        kit.client(Role::Receptionist).post("/v1/cases", body).await.created()
    }
}

/// The id of a case.
pub(crate) fn case_id(case: &Value) -> Uuid {
    id(&case["case_id"])
}

/// Reads a case until it is in that status and stage.
pub(crate) async fn reaches(client: &Client, case: Uuid, status: &str, stage: &str) -> Value {
    let what = format!("the case is {status}, {stage}");
    eventually(&what, || async {
        let case = client.get(&format!("/v1/cases/{case}")).await.ok();
        (case["status"] == status && case["stage"] == stage).then_some(case)
    })
    .await
}

/// The codes of a case's timeline.
pub(crate) async fn codes(client: &Client, case: Uuid) -> Vec<String> {
    let timeline = client.get(&format!("/v1/cases/{case}/timeline")).await.ok();
    let items = timeline["items"].as_array().unwrap();
    items.iter().map(|item| item["code"].as_str().unwrap().to_owned()).collect()
}
