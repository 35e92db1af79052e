//! The words of clerks and what is said to them, from the data of [`steward_kernel::sheets`].

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use figment::{
    Figment,
    providers::{Format as _, Toml},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use steward_kernel::{
    fold::folded,
    sheets::{Note, TEXTS, WORDS},
    vocabulary::Language,
};
use utoipa::{IntoParams, ToSchema};

use crate::Call;

type Listed = BTreeMap<String, Vec<String>>;

#[derive(Debug, Default, Deserialize)]
struct Written {
    ignored: Vec<String>,
    headers: Listed,
    headers_of: BTreeMap<String, Listed>,
    words: BTreeMap<String, Listed>,
}

/// The words as they are compared, and the texts by key.
#[derive(Debug)]
struct Book {
    written: Written,
    ignored: Vec<String>,
    /// By sheet (`""` = every sheet) and folded header: the columns that it means, one in each sheet.
    headers: HashMap<(String, String), Vec<String>>,
    /// By list and folded word: the meaning.
    meanings: HashMap<(String, String), String>,
    texts: [BTreeMap<String, String>; 3],
}

static BOOK: LazyLock<Book> = LazyLock::new(|| {
    let written: Written = parsed(WORDS);
    let every = written.headers.iter().map(|entry| ("", entry));
    let own =
        written.headers_of.iter().flat_map(|(sheet, headers)| headers.iter().map(|entry| (sheet.as_str(), entry)));
    let mut headers: HashMap<_, Vec<String>> = HashMap::new();
    for (sheet, (column, words)) in every.chain(own) {
        for word in words {
            headers.entry((sheet.to_owned(), plain(word))).or_default().push(column.clone());
        }
    }
    let meanings = written.words.iter().flat_map(|(list, meanings)| {
        meanings.iter().flat_map(move |(meaning, words)| {
            let all = words.iter().chain([meaning]);
            all.map(move |word| ((list.clone(), plain(word)), meaning.clone()))
        })
    });
    let ignored = written.ignored.iter().map(|word| plain(word)).collect();
    Book { headers, meanings: meanings.collect(), ignored, texts: TEXTS.map(parsed), written }
});

/// Data that is part of the program; a test reads all of it, so a fault never reaches a running system.
fn parsed<T: DeserializeOwned + Default>(text: &str) -> T {
    Figment::from(Toml::string(text)).extract().unwrap_or_default()
}

/// A header or word without what makes no difference: width, script, spaces, case, asterisks, remarks in brackets.
fn plain(written: &str) -> String {
    let all = folded(written);
    let (mut depth, mut kept) = (0_u32, String::new());
    for c in all.chars() {
        match c {
            '(' | '[' | '【' | '〔' | '{' => depth += 1,
            ')' | ']' | '】' | '〕' | '}' => depth = depth.saturating_sub(1),
            '*' | '※' | '★' | '_' | '-' | ':' | '"' => {}
            c if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    if kept.is_empty() { all } else { kept }
}

/// The column that a header of a sheet means; `name`s of columns are good headers, too.
pub(super) fn column_of<'a>(sheet: &str, header: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let header = plain(header);
    let of = |sheet: &str| BOOK.headers.get(&(sheet.to_owned(), header.clone())).map(Vec::as_slice).unwrap_or_default();
    let (own, every) = (of(sheet), of(""));
    let has_own = |name: &str| BOOK.written.headers_of.get(sheet).is_some_and(|headers| headers.contains_key(name));
    let is_one = |columns: &[String], name: &str| columns.iter().any(|column| column == name);
    names.into_iter().find(|name| plain(name) == header || is_one(own, name) || (!has_own(name) && is_one(every, name)))
}

/// The headers of a sheet's column that are understood as another one of it.
pub(super) fn misread(sheet: &str, columns: &[super::Column]) -> Vec<String> {
    let names = || columns.iter().map(|column| column.name);
    let own = BOOK.written.headers_of.get(sheet);
    let of = |name: &'static str| own.and_then(|own| own.get(name)).or_else(|| BOOK.written.headers.get(name));
    let headers = names().flat_map(|name| of(name).into_iter().flatten().map(move |header| (name, header)));
    headers
        .filter(|(name, header)| column_of(sheet, header, names()) != Some(*name))
        .map(|(_, header)| header.clone())
        .collect()
}

/// Whether clerks keep a column under this header for themselves.
pub(super) fn is_ignored(header: &str) -> bool {
    BOOK.ignored.contains(&plain(header))
}

/// How a column is called in a sheet, for people.
pub(super) fn header_of(sheet: &str, column: &str) -> Sentence {
    let of = |headers: &'static Listed| headers.get(column);
    let words = BOOK.written.headers_of.get(sheet).and_then(of).or_else(|| of(&BOOK.written.headers));
    shown(words, column)
}

/// What a word of a list means.
#[must_use]
pub fn meaning_of(list: &str, word: &str) -> Option<&'static str> {
    BOOK.meanings.get(&(list.to_owned(), plain(word))).map(String::as_str)
}

/// The words of a list, one for each meaning.
#[must_use]
pub fn known_words(list: &str) -> Sentence {
    let meanings = BOOK.written.words.get(list).into_iter().flatten();
    let each: Vec<Sentence> = meanings.map(|(meaning, words)| shown(Some(words), meaning)).collect();
    Sentence(
        Language::ALL
            .iter()
            .map(|language| each.iter().map(|word| word.told(*language)).collect::<Vec<_>>().join(", "))
            .collect(),
    )
}

/// The first word for readers of simplified Chinese, the second for those of traditional Chinese, the name for the others.
fn shown(words: Option<&Vec<String>>, name: &str) -> Sentence {
    let word = |place| words.and_then(|words| words.get(place)).map_or(name, String::as_str);
    Sentence::of(|language| match language {
        Language::ZhHans => word(0).to_owned(),
        Language::ZhHant => word(1).to_owned(),
        Language::En => name.to_owned(),
    })
}

/// A text in every language that a person reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sentence(Vec<String>);

impl Sentence {
    /// Says it in each language.
    pub fn of(say: impl Fn(Language) -> String) -> Self {
        Self(Language::ALL.iter().map(|language| say(*language)).collect())
    }

    /// The text in that language.
    #[must_use]
    pub fn told(&self, language: Language) -> &str {
        let place = Language::ALL.iter().position(|known| *known == language);
        place.and_then(|place| self.0.get(place)).map_or("", String::as_str)
    }
}

/// What reads the same in every language: a number, a code, a date.
impl<T: ToString> From<T> for Sentence {
    fn from(text: T) -> Self {
        Self::of(|_| text.to_string())
    }
}

/// The text with that key, with what is filled in.
#[must_use]
pub fn say(key: &str, filled_in: &[(&str, Sentence)]) -> Sentence {
    let texts = Language::ALL.iter().zip(&BOOK.texts).map(|(language, texts)| {
        // A key that nobody has written a text for does not pass the tests.
        debug_assert!(texts.contains_key(key), "no text for {key} in {language}");
        let text = texts.get(key).cloned().unwrap_or_else(|| key.to_owned());
        filled_in.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value.told(*language)))
    });
    Sentence(texts.collect())
}

/// Something to know about a file that was imported: a row that was left out, or something that looks wrong and was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SheetNote {
    /// As in the file.
    pub row: u32,
    /// As written in the file; absent = the whole row.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false, example = "备注")]
    pub column: String,
    /// Stable word for programs; more may come.
    #[schema(example = "left_out_sum")]
    pub code: String,
    /// For people, in the language asked for.
    #[schema(example = "是合计行，未读取")]
    pub detail: String,
}

impl SheetNote {
    /// A note as it is told to somebody.
    #[must_use]
    pub fn new(note: &Note, language: Language) -> Self {
        let filled_in: Vec<(&str, Sentence)> =
            note.filled_in.iter().map(|(name, value)| (name.as_str(), Sentence::from(value))).collect();
        let detail = say(&note.code, &filled_in).told(language).to_owned();
        Self { row: note.row, column: note.column.clone(), code: note.code.clone(), detail }
    }
}

/// How a file is to be imported.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// `true`: the file is checked against the register and nothing is imported; the answer tells what would come of it.
    #[param(required = false, example = false)]
    pub dry_run: bool,
}

impl ImportQuery {
    /// The call that does what is asked.
    #[must_use]
    pub fn of(self, call: &Call) -> Call {
        if self.dry_run { call.as_dry_run() } else { call.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_read_and_no_word_means_two_things() {
        let written: Written = Figment::from(Toml::string(WORDS)).extract().unwrap();
        assert!(written.words.len() > 5 && written.headers.len() > 20);
        for (list, meanings) in &written.words {
            let mut known: HashMap<String, &str> = HashMap::new();
            for (meaning, words) in meanings {
                for word in words.iter().chain([meaning]) {
                    let other = known.insert(plain(word), meaning);
                    assert!(other.is_none_or(|other| other == meaning), "{list}: {word} means {other:?}, too");
                }
            }
            for words in meanings.values() {
                assert!(words.len() > 1, "{list}: one word for each script");
            }
        }
    }

    #[test]
    fn every_text_stands_in_every_language_with_the_same_gaps() {
        let gaps = |text: &str| {
            let mut gaps: Vec<String> =
                text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(str::to_owned).collect();
            gaps.sort();
            gaps
        };
        let [first, ..] = &BOOK.texts;
        assert!(!first.is_empty());
        for texts in &BOOK.texts {
            assert_eq!(texts.keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>());
            for (key, text) in texts {
                assert_eq!(gaps(text), gaps(&first[key]), "{key}");
            }
        }
    }

    #[test]
    fn headers_are_understood_as_templates_write_them() {
        let columns = ["phone", "role", "name", "unit", "area_m2", "resident_code"];
        let means = |sheet, header| column_of(sheet, header, columns.into_iter());
        for header in [
            "手机号码",
            "联系电话",
            "手机号*",
            "手机号\n(必填)",
            "＊手机号（必填）",
            "手 机 号",
            "聯絡電話",
            "Phone",
            "Mobile Number",
            "phone:",
            "【必填】手机",
        ] {
            assert_eq!(means("residents", header), Some("phone"), "{header}");
        }
        for (sheet, header, column) in [
            ("residents", "与业主关系", Some("role")),
            ("residents", "岗位", None),
            ("staff", "崗位", Some("role")),
            ("staff", "身份", None),
            ("departments", "部门", Some("name")),
            ("residents", "建築面積(㎡)", Some("area_m2")),
            ("residents", "Resident Code", Some("resident_code")),
            ("residents", "颜色", None),
        ] {
            assert_eq!(means(sheet, header), column, "{header}");
        }
        assert!(is_ignored("序号") && is_ignored("備註") && is_ignored("No.") == is_ignored("no."));
    }

    #[test]
    fn words_are_understood_as_templates_write_them() {
        for (list, word, meaning) in [
            ("resident_role", "户主", Some("owner")),
            ("resident_role", "產權人", Some("owner")),
            ("resident_role", "租户", Some("tenant")),
            ("resident_role", "承租人", Some("tenant")),
            ("resident_role", "Co-owner", Some("co_owner")),
            ("staff_role", "前台", Some("receptionist")),
            ("staff_role", "Receptionist", Some("receptionist")),
            ("staff_role", "管家", Some("handler")),
            ("staff_role", "項目經理", Some("manager")),
            ("staff_role", "主管", Some("supervisor")),
            ("staff_role", "国王", None),
            ("language", "简体中文", Some("zh-Hans")),
            ("language", "繁體中文", Some("zh-Hant")),
            ("language", "zh-Hant", Some("zh-Hant")),
            ("every", "ALL", Some("all")),
            ("sum", "合计：", Some("sum")),
        ] {
            assert_eq!(meaning_of(list, word), meaning, "{word}");
        }
        assert_eq!(known_words("resident_role").told(Language::ZhHans), "代理人, 共有人, 家属, 业主, 租客");
    }
}
