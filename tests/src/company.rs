//! A small company, loaded through the API the way property companies do it: from register files.

use std::fmt::Write as _;

use serde_json::Value;
use steward_testkit::Client;

/// One estate and who lives there.
#[derive(Debug, Clone)]
pub struct Company {
    /// The estate.
    pub estate_id: String,
    /// Its residents.
    pub residents: Vec<Resident>,
}

/// A resident and the unit they live in.
#[derive(Debug, Clone)]
pub struct Resident {
    /// The person.
    pub resident_id: String,
    /// The unit.
    pub unit_id: String,
}

impl Company {
    /// Imports an estate of so many units, each with an owner. It only needs intake.
    ///
    /// * `admin`: a client with an admin's token.
    ///
    /// # Panics
    /// When the API refuses.
    pub async fn import(admin: &Client, units: usize) -> Self {
        let mut estates = "小区编码,小区名称,区域,楼栋,单元,房号,楼层,建筑面积\n".to_owned();
        let mut residents = "住户编号,姓名,手机号,小区编码,楼栋,单元,房号,身份,入住日期\n".to_owned();
        for number in 1..=units {
            let _ = writeln!(estates, "SY,松影苑,城东,1号楼,1单元,{number:04},{},89.5", number / 4 + 1);
            let _ = writeln!(
                residents,
                "SY{number:05},住户{number},199{number:08},SY,1号楼,1单元,{number:04},业主,2020-05-01"
            );
        }
        admin.upload("/v1/estates/import", "text/csv", estates.into_bytes()).await.expect(200);
        admin.upload("/v1/residents/import", "text/csv", residents.into_bytes()).await.expect(200);
        let estate_id = text(&admin.get("/v1/estates").await.ok()["items"][0], "estate_id");
        let page = admin.get(&format!("/v1/residents?estate_id={estate_id}&limit=200")).await.ok();
        let residents = page["items"].as_array().expect("a list").iter().map(|resident| Resident {
            resident_id: text(resident, "resident_id"),
            unit_id: text(&resident["units"][0], "unit_id"),
        });
        Self { residents: residents.collect(), estate_id }
    }
}

/// All items of a list, page after page.
///
/// # Panics
/// When the API refuses.
pub async fn all(client: &Client, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let separator = if path.contains('?') { '&' } else { '?' };
        let from = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let mut page = client.get(&format!("{path}{separator}limit=200{from}")).await.ok();
        items.append(page["items"].as_array_mut().expect("a list"));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return items,
        }
    }
}

/// A text field of a JSON object.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_else(|| panic!("no {field} in {object}")).to_owned()
}
