//! How clerks write the register: the headers and words of their sheets, and what is said about them, as data.
//!
//! - `sheets/words.toml`: headers by column, words by meaning. A word of a company's template that is missing is added there, nowhere else.
//! - `sheets/{zh-Hans,zh-Hant,en}.toml`: what is said of a cell at fault, by code.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Headers and words.
pub const WORDS: &str = include_str!("../sheets/words.toml");

/// What is said by code, in the order of [`Language::ALL`](crate::vocabulary::Language::ALL).
pub const TEXTS: [&str; 3] =
    [include_str!("../sheets/zh-Hans.toml"), include_str!("../sheets/zh-Hant.toml"), include_str!("../sheets/en.toml")];

/// Something to know about a sheet that was read: kept with the import, told in the language of whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Number of the row in the file.
    pub row: u32,
    /// The column as written, empty = the whole row.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub column: String,
    /// Stable word for programs; its text has the same name.
    pub code: String,
    /// What is filled into the text; never personal data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub filled_in: BTreeMap<String, String>,
}

impl Note {
    /// A note on a row.
    #[must_use]
    pub fn new(row: u32, column: &str, code: &str, filled_in: &[(&str, String)]) -> Self {
        let filled_in = filled_in.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self { row, column: column.to_owned(), code: code.to_owned(), filled_in }
    }
}
