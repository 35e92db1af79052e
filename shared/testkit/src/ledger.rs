//! What tests have seen of the operations of a service: examples that were really sent, and the problems that were really answered.
//!
//! It stands in `operations.golden.json` beside the service's document, of which it is a part. Every example names the test that sends it,
//! and that test fails when it does so no more.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use serde_json::{Map, Value, json};

use crate::Answer;

/// How to bring the file up to date.
pub(crate) const REMEDY: &str = "run the tests of the service with GOLDEN=overwrite, then once more without";
/// Most elements that a list of an example shows.
const SHOWN: usize = 2;

/// What was sent.
pub(crate) struct Sent<'r> {
    pub(crate) media: &'r str,
    pub(crate) body: &'r [u8],
}

/// The record of a service.
pub(crate) struct Ledger {
    path: Option<PathBuf>,
    entries: Mutex<Map<String, Value>>,
    /// By test and operation: the forms of what was sent.
    sent: Mutex<HashMap<(String, String), Vec<Value>>>,
}

/// Whether this run writes down what it sees.
pub(crate) fn records() -> bool {
    std::env::var("GOLDEN").is_ok_and(|word| word == "overwrite") && std::env::var_os("CI").is_none()
}

/// The test that runs; none on a thread that no test gave its name.
fn test() -> Option<String> {
    let current = std::thread::current();
    let name = current.name().filter(|name| name.contains("::"))?;
    Some(name.to_owned())
}

impl Ledger {
    /// That of a service whose own tests run; tests of others leave no trace.
    pub(crate) fn of(service: &str) -> Self {
        let folder = std::env::current_dir().unwrap_or_default();
        let path = folder.join("operations.golden.json");
        let path = Some(path).filter(|path| folder.ends_with(service) && path.exists());
        let text = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        let entries = Mutex::new(serde_json::from_str(&text).unwrap_or_default());
        Self { path, entries, sent: Mutex::default() }
    }

    pub(crate) fn entry(&self, operation: &str) -> Option<Value> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(operation).filter(|entry| entry.get("test").is_some()).cloned()
    }

    /// A problem that an operation was seen to answer.
    pub(crate) fn note_code(&self, operation: &str, code: &str) {
        if records() {
            self.change(|entries| {
                let entry = entries.entry(operation).or_insert_with(|| json!({}));
                let mut codes: Vec<String> = serde_json::from_value(entry["codes"].take()).unwrap_or_default();
                codes.push(code.to_owned());
                codes.sort();
                codes.dedup();
                entry["codes"] = json!(codes);
            });
        }
    }

    /// A request that went well.
    ///
    /// * `is_stale`: whether the example that is known is not true any more.
    pub(crate) fn note_success(&self, operation: &str, sent: &Sent<'_>, answer: &Answer, is_stale: bool) {
        let (Some(test), Some(_)) = (test(), &self.path) else { return };
        let request = readable(sent);
        let form = form(&request);
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry((test.clone(), operation.to_owned()))
            .or_default()
            .push(form);
        let is_better = |known: &Value| is_stale || is_poor(known) && !is_empty_page(&answer.json());
        if records() && self.entry(operation).as_ref().is_none_or(is_better) {
            self.change(|entries| {
                let codes = entries.get(operation).and_then(|entry| entry.get("codes")).cloned();
                let mut entry = json!({ "test": test, "answer": shortened(&answer.json()) });
                if !request.is_null() {
                    entry["media"] = sent.media.into();
                    entry["request"] = shortened(&request);
                }
                if let Some(codes) = codes {
                    entry["codes"] = codes;
                }
                entries.insert(operation.to_owned(), entry);
            });
        }
    }

    /// The examples of this test that it has not sent.
    pub(crate) fn unsent(&self) -> Vec<String> {
        let (Some(test), Some(_)) = (test(), &self.path) else { return Vec::new() };
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let all = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let is_sent = |operation: &String, entry: &Value| {
            let forms = all.get(&(test.clone(), operation.clone()));
            forms.is_some_and(|forms| forms.contains(&form(&entry["request"])))
        };
        let own = entries.iter().filter(|(_, entry)| entry["test"] == test.as_str());
        let unsent: Vec<String> =
            own.filter(|(operation, entry)| !is_sent(operation, entry)).map(|(id, _)| id.clone()).collect();
        drop(all);
        if records() && !unsent.is_empty() {
            self.change(|entries| entries.retain(|operation, _| !unsent.contains(operation)));
            return Vec::new();
        }
        unsent
    }

    /// Changes the file, which other tests of the same run change, too.
    fn change(&self, with: impl FnOnce(&mut Map<String, Value>)) {
        let Some(path) = &self.path else { return };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = OpenOptions::new().read(true).write(true).open(path).expect("open the record");
        file.lock().expect("lock the record");
        let mut known = read(&mut file);
        with(&mut known);
        let text = serde_json::to_string_pretty(&known).expect("JSON") + "\n";
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(text.as_bytes()))
            .expect("write the record");
        *entries = known;
    }
}

fn read(file: &mut File) -> Map<String, Value> {
    let mut text = String::new();
    file.read_to_string(&mut text).expect("read the record");
    serde_json::from_str(&text).unwrap_or_default()
}

/// What was sent as a document can show it: JSON, or text; bytes are not shown.
fn readable(sent: &Sent<'_>) -> Value {
    let text = || std::str::from_utf8(sent.body).map(Value::from).unwrap_or_default();
    match sent.media {
        "application/json" => serde_json::from_slice(sent.body).unwrap_or_default(),
        media if media.starts_with("text/") => text(),
        _ => Value::Null,
    }
}

/// A better example may take its place: a page without rows shows nothing.
fn is_poor(entry: &Value) -> bool {
    is_empty_page(&entry["answer"])
}

fn is_empty_page(answer: &Value) -> bool {
    answer["items"].as_array().is_some_and(Vec::is_empty)
}

/// The kinds and names of what is in it, without the values.
fn form(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), form(it))).collect(),
        Value::Array(items) => items.first().map(form).into_iter().collect(),
        Value::String(_) => "string".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "bool".into(),
        Value::Null => Value::Null,
    }
}

fn shortened(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), shortened(it))).collect(),
        Value::Array(items) => items.iter().take(SHOWN).map(shortened).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_a_form_and_is_short() {
        let body = json!({ "words": "漏水", "files": [1, 2, 3] });
        assert_eq!(form(&body), form(&json!({ "words": "停电", "files": [7] })));
        assert_ne!(form(&body), form(&json!({ "words": "停电" })));
        assert_eq!(shortened(&body)["files"], json!([1, 2]));
    }

    #[test]
    fn bytes_are_not_shown_and_tables_are() {
        assert_eq!(readable(&Sent { media: "image/png", body: b"\x89PNG" }), Value::Null);
        assert_eq!(readable(&Sent { media: "text/csv", body: "姓名".as_bytes() }), json!("姓名"));
        assert!(is_poor(&json!({ "answer": { "items": [] } })));
    }
}
