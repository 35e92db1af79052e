//! The columns of register files, and what their rows say.

use std::str::FromStr as _;

use steward_chassis::{
    Result,
    http::Body,
    sheet::{self, Column, Sheet},
};
use steward_kernel::{
    text::{Text, TextFault},
    vocabulary::Language,
};

use crate::{
    domain::{
        article::Content,
        register::{Row, StaffMember, UnitDetails, UnitPlace, UnitRow},
        residents::{Person, ResidentRole, ResidentRow, Tie},
    },
    import::{File, Naming},
};

/// Largest register file: 50,000 rows of usual length.
pub(super) const MAX_BYTES: usize = 10 << 20;
/// Longest name of a building, entrance or unit, in characters.
const PLACE: usize = 40;
/// Largest area of a unit, in square metres.
const MAX_AREA: f64 = 1_000_000.0;

const fn must(name: &'static str, aliases: &'static [&'static str]) -> Column {
    Column { name, aliases, required: true }
}

const fn may(name: &'static str, aliases: &'static [&'static str]) -> Column {
    Column { name, aliases, required: false }
}

const ESTATE_CODE: Column = must("estate_code", &["小区编码", "小區編碼"]);
const BUILDING: Column = must("building", &["楼栋", "樓棟"]);
const ENTRANCE: Column = may("entrance", &["单元", "單元"]);
const UNIT: Column = must("unit", &["房号", "房號"]);

const ESTATES: &[Column] = &[
    ESTATE_CODE,
    must("estate_name", &["小区名称", "小區名稱"]),
    must("region", &["区域", "區域"]),
    may("time_zone", &["时区", "時區"]),
    BUILDING,
    ENTRANCE,
    UNIT,
    must("floor", &["楼层", "樓層"]),
    must("area_m2", &["建筑面积", "建築面積"]),
];

const RESIDENTS: &[Column] = &[
    must("resident_code", &["住户编号", "住戶編號"]),
    must("name", &["姓名"]),
    must("phone", &["手机号", "手機號"]),
    ESTATE_CODE,
    BUILDING,
    ENTRANCE,
    UNIT,
    must("role", &["身份"]),
    must("since_on", &["入住日期"]),
    may("language", &["语言", "語言"]),
];

const STAFF: &[Column] = &[
    must("staff_code", &["工号", "工號"]),
    must("name", &["姓名"]),
    must("role", &["岗位", "崗位"]),
    must("department", &["部门", "部門"]),
    ESTATE_CODE,
    must("account", &["账号", "帳號"]),
];

const ARTICLES: &[Column] = &[
    must("article_code", &["编码", "編碼"]),
    must("title", &["标题", "標題"]),
    must("category", &["分类", "分類"]),
    must("body", &["正文"]),
    must("language", &["语言", "語言"]),
    may("estate_code", &["小区编码", "小區編碼"]),
    may("valid_from", &["生效日期"]),
];

const ROLES: &[(&str, ResidentRole)] = &[
    ("业主", ResidentRole::Owner),
    ("業主", ResidentRole::Owner),
    ("owner", ResidentRole::Owner),
    ("共有人", ResidentRole::CoOwner),
    ("co_owner", ResidentRole::CoOwner),
    ("租客", ResidentRole::Tenant),
    ("tenant", ResidentRole::Tenant),
    ("家属", ResidentRole::Family),
    ("家屬", ResidentRole::Family),
    ("family", ResidentRole::Family),
    ("代理人", ResidentRole::Agent),
    ("agent", ResidentRole::Agent),
];

const LANGUAGES: &[(&str, Language)] = &[
    ("zh-Hans", Language::ZhHans),
    ("简体中文", Language::ZhHans),
    ("zh-Hant", Language::ZhHant),
    ("繁體中文", Language::ZhHant),
    ("en", Language::En),
    ("English", Language::En),
];

/// Words for "every estate".
const EVERY_ESTATE: &[&str] = &["全部", "all"];

/// Reads a file of estates and units.
pub(super) fn units(body: &Body) -> Result<File<UnitRow>> {
    read(body, ESTATES, |row| {
        let (code, name, region) = (text(row, "estate_code"), text(row, "estate_name"), text(row, "region"));
        let time_zone =
            row.parse("time_zone", "unknown_word", "must be an IANA time zone, for example Asia/Shanghai", |zone| {
                chrono_tz::Tz::from_str(zone).ok().map(|zone| zone.name().to_owned())
            });
        let (place, floor) = (place(row), words::<PLACE>(row, "floor"));
        let area_m2 =
            row.parse("area_m2", "not_a_number", "must be a number of square metres, for example 89.5", |area| {
                f64::from_str(area).ok().filter(|area| *area > 0.0 && *area <= MAX_AREA)
            });
        Some(UnitRow {
            estate_code: code?,
            estate_name: name?,
            region: region?,
            time_zone,
            place: place?,
            details: UnitDetails { floor, area_m2 },
        })
    })
}

/// Reads a file of residents.
pub(super) fn residents(body: &Body) -> Result<File<ResidentRow>> {
    read(body, RESIDENTS, |row| {
        let (code, name, estate) = (text(row, "resident_code"), text(row, "name"), text::<40>(row, "estate_code"));
        let phone = row.parse("phone", "invalid", "must be a telephone number", telephone).unwrap_or_default();
        let language = row.choice("language", LANGUAGES);
        let (place, since_on) = (place(row), row.date("since_on"));
        let role = row.required("role").and_then(|_| row.choice("role", ROLES));
        Some(ResidentRow {
            person: Person { code: code?, name: name?, phone, language },
            estate_code: estate?.into(),
            place: place?,
            tie: Tie { role: role?, since_on },
        })
    })
}

/// Reads a file of the company's people.
pub(super) fn staff(body: &Body) -> Result<File<Naming<StaffMember>>> {
    read(body, STAFF, |row| {
        let (code, name, role) = (text(row, "staff_code"), text(row, "name"), text(row, "role"));
        let (department, account) = (text(row, "department"), words::<200>(row, "account"));
        let estates = row.required("estate_code").map(|_| estate_codes(row));
        let value =
            StaffMember { code: code?, name: name?, role: role?, department: department?, estates: None, account };
        Some(Naming { estates: estates?, value })
    })
}

/// Reads a file of articles.
pub(super) fn articles(body: &Body) -> Result<File<Naming<Content>>> {
    read(body, ARTICLES, |row| {
        let (code, title, category) = (text(row, "article_code"), text(row, "title"), text(row, "category"));
        let (body, valid_from) = (text(row, "body"), row.date("valid_from"));
        let language = row.required("language").and_then(|_| row.choice("language", LANGUAGES));
        let estates = row.text("estate_code").and_then(|_| estate_codes(row));
        if estates.as_ref().is_some_and(|codes| codes.len() > 1) {
            row.reject("estate_code", "too_many", "must be one estate, or empty for all");
        }
        let value = Content {
            code: code?,
            title: title?,
            category: category?,
            body: body?,
            language: language?,
            estate: None,
            valid_from,
        };
        Some(Naming { estates, value })
    })
}

fn read<T>(body: &Body, columns: &[Column], make: impl FnMut(&mut sheet::Row<'_>) -> Option<T>) -> Result<File<T>> {
    let sheet = Sheet::read(&body.bytes, &body.content_type, columns)?;
    let rows =
        sheet.each(make)?.into_iter().map(|numbered| Row { number: numbered.row, value: numbered.value }).collect();
    Ok(File { sheet, rows })
}

/// A bounded text that must be there.
fn text<const MAX: usize>(row: &mut sheet::Row<'_>, column: &str) -> Option<Text<MAX>> {
    let raw = row.required(column)?;
    // Spreadsheets end the lines of a cell in either way.
    match Text::try_new(&raw.replace("\r\n", "\n")) {
        Ok(text) => Some(text),
        Err(fault) => {
            let code = match fault {
                TextFault::Empty => "missing",
                TextFault::TooLong { .. } => "too_long",
                TextFault::Control => "invalid",
            };
            row.reject(column, code, fault.to_string());
            None
        }
    }
}

/// A bounded text that may be empty.
fn words<const MAX: usize>(row: &mut sheet::Row<'_>, column: &str) -> String {
    if row.text(column).is_none() {
        return String::new();
    }
    text::<MAX>(row, column).map(String::from).unwrap_or_default()
}

fn place(row: &mut sheet::Row<'_>) -> Option<UnitPlace> {
    let (building, unit) = (text::<PLACE>(row, "building"), text::<PLACE>(row, "unit"));
    Some(UnitPlace { entrance: words::<PLACE>(row, "entrance"), building: building?.into(), unit: unit?.into() })
}

/// A telephone number without the marks that people put between its digits.
fn telephone(written: &str) -> Option<String> {
    let plain: String = written.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    ((5..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(plain)
}

/// The estates that a cell names; `None` = all.
fn estate_codes(row: &sheet::Row<'_>) -> Option<Vec<String>> {
    let codes = row.list("estate_code");
    if codes.iter().any(|code| EVERY_ESTATE.contains(code)) {
        return None;
    }
    Some(codes.into_iter().map(str::to_owned).collect())
}
