//! What all five services together promise: one document, one namespace, every operation described.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod command;
mod dead_letters;
mod health;
mod inspect;
mod keys;
mod tenant;
mod verify;

use std::collections::BTreeSet;

use serde_json::Value;
use steward_admin::{accounts, services};
use steward_testkit::golden::golden;

fn document() -> Value {
    serde_json::from_str(&services::openapi().to_json().unwrap()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.get("responses").is_some() {
                found.push((method.to_uppercase(), path.clone(), operation.clone()));
            }
        }
    }
    found
}

#[test]
fn the_merged_document_is_the_one_in_git() {
    let text = services::openapi().to_pretty_json().unwrap() + "\n";
    golden(concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.json"), &text);
}

#[test]
fn who_may_do_what_in_nats_and_which_path_goes_where_is_what_is_in_git() {
    let place = |name: &str| format!("{}/../kubernetes/{name}", env!("CARGO_MANIFEST_DIR"));
    golden(place("nats/accounts.conf"), &accounts::document());
    golden(place("routes.txt"), &services::routes_document());
}

#[test]
fn a_path_prefix_belongs_to_exactly_one_service() {
    let routes = services::routes();
    assert!(routes.len() >= 20, "{routes:?}");
    assert!(routes.keys().all(|prefix| prefix.starts_with("/v1/")), "{routes:?}");
    let services: BTreeSet<_> = routes.values().collect();
    assert_eq!(services.len(), 5);
}

#[test]
fn every_operation_says_what_it_does_who_may_and_what_goes_wrong() {
    let mut gaps = Vec::new();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document()) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let mut gap = |what: &str| gaps.push(format!("{method} {path}: {what}"));
        if id.is_empty() || !ids.insert(id) {
            gap("has no operationId of its own");
        }
        if operation["summary"].as_str().is_none_or(str::is_empty) {
            gap("has no summary");
        }
        if operation["security"][0]["bearer"][0].as_str().is_none() {
            gap("names no permission");
        }
        if operation["tags"].as_array().is_none_or(Vec::is_empty) {
            gap("has no tag");
        }
        let problems = &operation["responses"]["default"];
        if problems["x-problem-codes"].as_array().is_none_or(Vec::is_empty) {
            gap("does not say which problems it answers");
        }
    }
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
}

/// The same schema without its words for people.
fn shape(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| *name != "description")
            .map(|(name, it)| (name.clone(), shape(it)))
            .collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        other => other.clone(),
    }
}

#[test]
fn what_has_one_name_in_two_services_is_one_thing() {
    // The merged document keeps the first of a name and says nothing about the others.
    let merged = document();
    for service in services::all() {
        let own: Value = serde_json::from_str(&(service.openapi)().to_json().unwrap()).unwrap();
        for part in ["schemas", "responses", "parameters"] {
            for (name, it) in own["components"][part].as_object().unwrap() {
                assert_eq!(shape(it), shape(&merged["components"][part][name]), "{name} of {}", service.name);
            }
        }
    }
}

#[test]
fn a_reader_meets_cases_first_and_every_group_is_explained() {
    let whole = services::openapi();
    let groups = whole.groups();
    assert_eq!(groups[0].name, "cases");
    assert!(whole.paths().next().unwrap().starts_with("/v1/cases"));
    for group in groups {
        let sentences = group.about.matches(". ").count() + usize::from(group.about.ends_with('.'));
        assert_eq!(sentences, 2, "{}: {}", group.name, group.about);
        assert!(steward_admin::services::ORDER.contains(&group.name), "{} has no place in the order", group.name);
    }
}

#[test]
fn the_stages_of_cases_are_those_of_the_services_that_work_on_them() {
    let document = document();
    let words = |name: &str| -> BTreeSet<String> {
        let list = document["components"]["schemas"][name]["enum"].as_array().unwrap_or_else(|| panic!("{name}"));
        list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let own = ["InquiryStage", "ComplaintStage", "RequestStage", "SuggestionStage"];
    assert_eq!(words("CaseStage"), own.iter().flat_map(|name| words(name)).collect());
}

#[test]
fn every_json_body_has_an_example() {
    let document = document();
    let mut gaps = Vec::new();
    for (method, path, operation) in operations(&document) {
        let body = &operation["requestBody"]["content"]["application/json"];
        if body.is_null() {
            continue;
        }
        let reference = body["schema"]["$ref"].as_str().unwrap_or_default().trim_start_matches('#').to_owned();
        let schema = document.pointer(&reference).cloned().unwrap_or_default();
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let by_field = !properties.is_empty() && properties.values().all(|field| field.get("example").is_some());
        if body.get("example").is_none() && schema.get("example").is_none() && !by_field && !properties.is_empty() {
            gaps.push(format!("{method} {path}"));
        }
    }
    assert!(gaps.is_empty(), "bodies without an example:\n{}", gaps.join("\n"));
}
