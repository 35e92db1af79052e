//! What each operation can answer beside success, and an example of both sides, as the tests have seen them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::http::problem;

/// Puts what tests have recorded into the document: `{ "<operation id>": { "request", "answer", "codes" } }`.
///
/// What every operation may answer for what it takes needs no record.
pub(super) fn describe(document: &mut Value, recorded: &str) {
    let recorded: Value = serde_json::from_str(recorded).unwrap_or_default();
    let shared = of_resources(document, &recorded);
    let parameters = document["components"]["parameters"].clone();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let seen = &recorded[operation["operationId"].as_str().unwrap_or_default()];
            let mut codes = codes(operation, method, &parameters, seen);
            let resource = resource(path).filter(|_| method == "post");
            codes.extend(resource.and_then(|resource| shared.get(resource)).into_iter().flatten().cloned());
            tell_problems(operation, &codes);
            show_examples(operation, seen);
        }
    }
}

/// The resource that a command's path stands below: `/v1/cases/{case_id}` of `/v1/cases/{case_id}/cancel`.
fn resource(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(resource, _)| resource).filter(|resource| resource.ends_with('}'))
}

/// What two commands of a resource were seen to answer, all its commands may: it says how the resource stands, not what was asked.
fn of_resources(document: &Value, recorded: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut seen: BTreeMap<(String, String), u32> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let Some(resource) = resource(path) else { continue };
        let codes = recorded[item["post"]["operationId"].as_str().unwrap_or_default()]["codes"].as_array();
        for code in codes.into_iter().flatten().filter_map(Value::as_str) {
            *seen.entry((resource.to_owned(), code.to_owned())).or_default() += 1;
        }
    }
    let mut shared: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for ((resource, code), _) in seen.into_iter().filter(|(_, times)| *times > 1) {
        shared.entry(resource).or_default().insert(code);
    }
    shared
}

fn codes(operation: &Value, method: &str, parameters: &Value, seen: &Value) -> BTreeSet<String> {
    let name = |parameter: &Value| {
        let reference = parameter["$ref"].as_str().and_then(|place| place.rsplit('/').next());
        let parameter = reference.map_or(parameter, |name| &parameters[name]);
        parameter["name"].as_str().unwrap_or_default().to_owned()
    };
    let taken: BTreeSet<String> = operation["parameters"].as_array().into_iter().flatten().map(name).collect();
    let takes = |what: &str| taken.contains(what) || what == "body" && operation.get("requestBody").is_some();
    let general = problem::of_any(method == "post", takes).into_iter().map(|kind| kind.slug.to_owned());
    let own = seen["codes"].as_array().into_iter().flatten().filter_map(|code| code.as_str().map(str::to_owned));
    general.chain(own).collect()
}

fn tell_problems(operation: &mut Value, codes: &BTreeSet<String>) {
    let Some(response) = operation["responses"].get_mut("default") else { return };
    let words = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
    response["description"] = format!("A problem; its `code` is one of: {words}").into();
    response["x-problem-codes"] = json!(codes);
}

fn show_examples(operation: &mut Value, seen: &Value) {
    if let Some(request) = seen.get("request") {
        let media = seen["media"].as_str().unwrap_or("application/json");
        if let Some(kind) = operation.pointer_mut("/requestBody/content").and_then(|content| content.get_mut(media)) {
            kind["example"] = request.clone();
        }
    }
    let Some(answer) = seen.get("answer") else { return };
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        if status.starts_with('2')
            && let Some(kind) = response.pointer_mut("/content/application~1json")
        {
            kind["example"] = answer.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_tells_its_problems_and_shows_what_a_test_has_sent() {
        let json_of = |schema: &str| json!({ "application/json": { "schema": { "$ref": schema } } });
        let mut document = json!({ "paths": { "/v1/cases": { "post": {
            "operationId": "open_case",
            "requestBody": { "content": json_of("OpenCase") },
            "responses": { "201": { "content": json_of("CaseView") }, "default": { "description": "" } },
        } } }, "components": {} });
        let recorded = json!({ "open_case": {
            "codes": ["unknown-unit"], "request": { "words": "漏水" }, "answer": { "version": 1 }
        } });
        describe(&mut document, &recorded.to_string());
        let operation = &document["paths"]["/v1/cases"]["post"];
        let codes = operation["responses"]["default"]["x-problem-codes"].as_array().unwrap();
        assert!(
            ["unknown-unit", "forbidden", "command-key-reused", "busy"].iter().all(|code| codes.contains(&json!(code)))
        );
        assert!(!codes.contains(&json!("stale-version")));
        assert_eq!(operation["requestBody"]["content"]["application/json"]["example"]["words"], "漏水");
        assert_eq!(operation["responses"]["201"]["content"]["application/json"]["example"]["version"], 1);
    }

    #[test]
    fn what_two_commands_of_a_resource_answer_all_may() {
        let command = |id: &str| json!({ "post": { "operationId": id, "responses": { "default": {} } } });
        let mut document = json!({ "components": {}, "paths": {
            "/v1/cases": command("open"), "/v1/cases/{case_id}/a": command("a"), "/v1/cases/{case_id}/b": command("b"),
            "/v1/cases/{case_id}/c": command("c"),
        } });
        let recorded = json!({ "a": { "codes": ["ended", "own"] }, "b": { "codes": ["ended"] } });
        describe(&mut document, &recorded.to_string());
        let codes = |path: &str| document["paths"][path]["post"]["responses"]["default"]["x-problem-codes"].clone();
        assert!(codes("/v1/cases/{case_id}/c").as_array().unwrap().contains(&json!("ended")));
        assert!(!codes("/v1/cases/{case_id}/c").as_array().unwrap().contains(&json!("own")));
        assert!(!codes("/v1/cases").as_array().unwrap().contains(&json!("ended")));
    }
}
