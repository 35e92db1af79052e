//! Telephone numbers in one form: E.164 (`+8613900000001`), with an extension behind it where there is one (`+862162345678;ext=801`, RFC 3966).
//!
//! What is a number of a region says the `phonenumber` library, which follows Google's libphonenumber; what clerks write around it is read here.

use phonenumber::{Mode, country::Id};
use steward_kernel::fold::{folded, narrowed};

/// Most numbers in one cell.
pub const MOST: usize = 3;
/// What stands between several numbers in one cell.
const BETWEEN: [char; 8] = ['/', '、', ';', '；', ',', '，', '\n', '|'];
/// What stands before an extension.
const EXTENSION: [&str; 8] = ["分机号", "分机", "内线", "转", "extension", "ext.", "ext", "#"];
/// The codes of countries that people write without a plus sign, by region.
const NEIGHBOURS: [&str; 4] = ["86", "852", "853", "886"];

/// In which region numbers without a country's code are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneRegion(Id);

impl PhoneRegion {
    /// The mainland of China.
    pub const CHINA: Self = Self(Id::CN);

    /// The region of an estate in a time zone; `None` where that says nothing.
    #[must_use]
    pub fn of_time_zone(zone: &str) -> Option<Self> {
        let id = match zone {
            "Asia/Shanghai" | "Asia/Chongqing" | "Asia/Harbin" | "Asia/Urumqi" | "Asia/Kashgar" | "PRC" => Id::CN,
            "Asia/Hong_Kong" | "Hongkong" => Id::HK,
            "Asia/Macau" | "Asia/Macao" => Id::MO,
            "Asia/Taipei" | "ROC" => Id::TW,
            "Asia/Singapore" | "Singapore" => Id::SG,
            _ => return None,
        };
        Some(Self(id))
    }

    /// The region with that code (ISO 3166-1 alpha-2).
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        code.parse().ok().map(Self)
    }

    /// What is said to somebody who wrote no number of this region.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self.0 {
            Id::CN => "not_a_phone_CN",
            Id::HK => "not_a_phone_HK",
            Id::MO => "not_a_phone_MO",
            Id::TW => "not_a_phone_TW",
            _ => "not_a_phone",
        }
    }
}

/// Why a cell is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneFault {
    /// It has something that is no telephone number.
    NoNumber,
    /// It has more than [`MOST`].
    TooMany,
}

/// The numbers in a cell, each once; none when it is empty.
///
/// # Errors
/// When it has something else, or too many.
pub fn numbers(written: &str, region: PhoneRegion) -> Result<Vec<String>, PhoneFault> {
    let mut found: Vec<String> = Vec::new();
    let plain = without_remarks(&narrowed(written));
    for part in plain.split(BETWEEN).map(str::trim).filter(|part| !part.is_empty()) {
        let read = match number(part, region) {
            Some(number) => vec![number],
            // Two numbers with a space between them; the spaces within a number were no hindrance above.
            None => part
                .split_whitespace()
                .map(|one| number(one, region))
                .collect::<Option<_>>()
                .ok_or(PhoneFault::NoNumber)?,
        };
        found.extend(read.into_iter().filter(|number| !found.contains(number)).collect::<Vec<_>>());
    }
    match found.len() {
        0 if !written.trim().is_empty() => Err(PhoneFault::NoNumber),
        0..=MOST => Ok(found),
        _ => Err(PhoneFault::TooMany),
    }
}

/// Without what stands in brackets and has no digit: whose number it is.
fn without_remarks(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('(') {
        let end = rest.get(start..).and_then(|tail| tail.find(')')).map_or(rest.len(), |end| start + end + 1);
        let (before, inside) = (rest.get(..start).unwrap_or_default(), rest.get(start..end).unwrap_or_default());
        kept.push_str(before);
        if inside.bytes().any(|byte| byte.is_ascii_digit()) {
            kept.push_str(inside);
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    kept + rest
}

/// One number, with its extension if there is one.
fn number(written: &str, region: PhoneRegion) -> Option<String> {
    let plain = folded(written);
    let marked = EXTENSION.iter().find_map(|mark| plain.split_once(mark));
    if let Some((number, extension)) = marked {
        return extended(number, extension.trim_start_matches(['-', ':']), region);
    }
    known(&plain, region).or_else(|| {
        let (number, extension) = plain.rsplit_once(is_dash)?;
        extended(number, extension, region)
    })
}

fn extended(number: &str, extension: &str, region: PhoneRegion) -> Option<String> {
    let is_extension = (1..=6).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_digit());
    let number = known(number, region).filter(|_| is_extension)?;
    Some(format!("{number};ext={extension}"))
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '~')
}

/// The number of a region, or with the code of a country in whatever way it is written.
fn known(written: &str, region: PhoneRegion) -> Option<String> {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let is_mark = |c: char| c.is_ascii_digit() || is_dash(c) || matches!(c, '+' | '(' | ')' | '.');
    if !written.chars().all(is_mark) || !(7..=18).contains(&digits.len()) {
        return None;
    }
    if written.trim_start_matches('(').starts_with('+') {
        return international(&digits);
    }
    if let Some(rest) = digits.strip_prefix("00")
        && let Some(number) = international(rest)
    {
        return Some(number);
    }
    valid(Some(region.0), &digits)
        .or_else(|| is_mainland_mobile(&digits).then(|| format!("+86{digits}")))
        .or_else(|| NEIGHBOURS.iter().any(|code| digits.starts_with(code)).then(|| international(&digits)).flatten())
}

/// Digits that begin with the code of a country.
fn international(digits: &str) -> Option<String> {
    // Some write the zero of the area code after it: +86 (0)21.
    let mainland = digits.strip_prefix("86").map(|rest| rest.trim_start_matches('0'));
    match mainland {
        Some(rest) if is_mainland_mobile(rest) => Some(format!("+86{rest}")),
        Some(rest) => valid(None, &format!("+86{rest}")),
        None => valid(None, &format!("+{digits}")),
    }
}

/// Eleven digits that begin so are a mobile number of the mainland, also those of ranges that are newer than the library.
fn is_mainland_mobile(digits: &str) -> bool {
    digits.len() == 11
        && digits.starts_with('1')
        && !digits.starts_with("10")
        && !digits.starts_with("11")
        && !digits.starts_with("12")
}

fn valid(region: Option<Id>, digits: &str) -> Option<String> {
    let number = phonenumber::parse(region, digits).ok().filter(phonenumber::is_valid)?;
    Some(number.format().mode(Mode::E164).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(zone: &str, written: &str) -> Result<String, PhoneFault> {
        numbers(written, PhoneRegion::of_time_zone(zone).unwrap()).map(|numbers| numbers.join(" "))
    }

    #[test]
    fn numbers_are_read_as_clerks_write_them_and_kept_in_one_form() {
        const MOBILE: &str = "+8613900000001";
        const LANDLINE: &str = "+862162345678";
        const EXTENSION: &str = "+862162345678;ext=801";
        for (written, number) in [
            ("13900000001", MOBILE),
            ("１３９０００００００１", MOBILE),
            ("139－0000－0001", MOBILE),
            ("139—0000—0001", MOBILE),
            ("139\u{a0}0000\u{a0}0001", MOBILE),
            ("139 0000 0001", MOBILE),
            ("+8613900000001", MOBILE),
            ("8613900000001", MOBILE),
            ("008613900000001", MOBILE),
            ("(+86)139-0000-0001", MOBILE),
            ("+86 139 0000 0001", MOBILE),
            ("13900000001（王先生）", MOBILE),
            ("\u{202d}13900000001\u{202c}", MOBILE),
            ("19900000001", "+8619900000001"),
            ("（021）62345678", LANDLINE),
            ("021-62345678", LANDLINE),
            ("+86 (021) 62345678", LANDLINE),
            ("86-21-62345678", LANDLINE),
            ("021-62345678转801", EXTENSION),
            ("021-62345678轉801", EXTENSION),
            ("021-62345678-801", EXTENSION),
            ("（021）62345678 分机801", EXTENSION),
            ("021-62345678 ext. 801", EXTENSION),
            ("021-62345678#801", EXTENSION),
            ("400-800-1234", "+864008001234"),
            ("+852 9876 5432", "+85298765432"),
            ("13900000001/13900000002", "+8613900000001 +8613900000002"),
            ("13900000001、021-62345678转801", "+8613900000001 +862162345678;ext=801"),
            ("13900000001 13900000002", "+8613900000001 +8613900000002"),
            ("13900000001;+8613900000001", MOBILE),
            ("", ""),
        ] {
            assert_eq!(read("Asia/Shanghai", written), Ok(number.to_owned()), "{written}");
        }
        for wrong in [
            "00000",
            "12345",
            "62345678",
            "无",
            "13900000001a",
            "139000000012",
            "１３９００００００００１",
            "1390000000",
            "张三13900000001",
            "0",
            "----",
            "021-62345678转",
            "98765432",
        ] {
            assert_eq!(read("Asia/Shanghai", wrong), Err(PhoneFault::NoNumber), "{wrong}");
        }
        assert_eq!(read("Asia/Shanghai", "13900000001/13900000002/13900000003/13900000004"), Err(PhoneFault::TooMany));
    }

    #[test]
    fn a_number_belongs_to_the_region_of_its_estate() {
        for (zone, written, number) in [
            ("Asia/Hong_Kong", "9876 5432", "+85298765432"),
            ("Asia/Hong_Kong", "852-98765432", "+85298765432"),
            ("Asia/Hong_Kong", "13900000001", "+8613900000001"),
            ("Asia/Hong_Kong", "008613900000001", "+8613900000001"),
            ("Asia/Macau", "66123456", "+85366123456"),
            ("Asia/Taipei", "0912-345-678", "+886912345678"),
            ("Asia/Taipei", "(02)2345-6789#12", "+886223456789;ext=12"),
            ("Asia/Taipei", "886912345678", "+886912345678"),
        ] {
            assert_eq!(read(zone, written), Ok(number.to_owned()), "{zone} {written}");
        }
        assert_eq!(PhoneRegion::of_time_zone("Europe/Berlin"), None);
        assert!(PhoneRegion::of_code("DE").is_some() && PhoneRegion::of_code("??").is_none());
    }
}
