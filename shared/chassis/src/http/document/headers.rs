//! Headers that commands take, and the marks by which what is known is not sent again.

use serde_json::{Map, Value, json};

/// A quoted digest, with a version before it where there is one; `W/` when a proxy has compressed the answer.
const ETAG: &str = r#"^(W/)?"([0-9]+-)?[0-9a-f]{16}"$"#;

/// Puts the headers of requests and answers into the document.
pub(super) fn describe(document: &mut Value) {
    let versioned = names_of_versioned(document);
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            match method.as_str() {
                "get" => reads(operation),
                "post" | "put" => commands(operation, method, path, &versioned),
                _ => {}
            }
        }
    }
    let components = &mut document["components"];
    for (name, parameter) in parameters() {
        components["parameters"][name] = parameter;
    }
    components["headers"] = headers();
    components["responses"]["NotModified"] = json!({
        "description": "What `If-None-Match` names is what would be sent",
        "headers": { "ETag": { "$ref": "#/components/headers/ETag" } }
    });
}

fn parameters() -> [(&'static str, Value); 3] {
    let header = |name: &str, description: &str, pattern: &str, example: &str| {
        json!({
            "name": name, "in": "header", "required": false, "description": description, "example": example,
            "schema": { "type": "string", "pattern": pattern },
        })
    };
    let key = "Makes the command happen at most once: a repetition gets the first answer, another body is refused (422). \
        1 to 255 visible ASCII characters, chosen by the caller.";
    let matches = "The `ETag` that the caller has read of what the path names last; when that has another version by now, the \
        command is refused (412). Only the version in front of the dash is compared, and may be sent alone.";
    let none = "`ETag`s that the caller has; when what would be sent is one of them, nothing is sent (304).";
    let version = r#"^(\*|(W/)?"[0-9]+(-[0-9a-f]{16})?")$"#;
    [
        ("IdempotencyKey", header("Idempotency-Key", key, "^[!-~]{1,255}$", "4f1a0c7e-5a7e-4b57-9c55-2a1f6d0d9a11")),
        ("IfMatch", header("If-Match", matches, version, "\"7-0c1f5a7e5a7e4b57\"")),
        ("IfNoneMatch", header("If-None-Match", none, "^.+$", "\"7-0c1f5a7e5a7e4b57\"")),
    ]
}

fn headers() -> Value {
    let etag = "Tells this answer from others: the version of what is shown, where it has one, and a digest of what was sent and \
        its language. Whole for `If-None-Match`, and for `If-Match` of commands on what is shown.";
    json!({
        "ETag": {
            "description": etag, "required": true, "schema": { "type": "string", "pattern": ETAG },
            "example": "\"7-0c1f5a7e5a7e4b57\"",
        },
        "Location": {
            "description": "Where it stands.", "required": true, "schema": { "type": "string", "format": "uri-reference" },
            "example": "/v1/cases/0198f000-0000-7000-8000-000000000001",
        },
    })
}

/// Schemas that show the version of what they are: answers with them carry it as `ETag`, too.
fn names_of_versioned(document: &Value) -> Vec<String> {
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    let versioned = schemas.filter(|(_, schema)| schema["properties"].get("version").is_some());
    versioned.map(|(name, _)| format!("#/components/schemas/{name}")).collect()
}

fn reads(operation: &mut Value) {
    take_parameter(operation, "IfNoneMatch");
    let responses = &mut operation["responses"];
    for (status, response) in responses.as_object_mut().into_iter().flatten() {
        if status == "200" {
            carry(response, "ETag");
        }
    }
    responses["304"] = json!({ "$ref": "#/components/responses/NotModified" });
}

fn commands(operation: &mut Value, method: &str, path: &str, versioned: &[String]) {
    if method == "post" {
        take_parameter(operation, "IdempotencyKey");
    }
    // What is not there yet has no version that could have been read.
    if method == "put" || path.contains('{') {
        take_parameter(operation, "IfMatch");
    }
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let schema = response["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
        let shows_version = versioned.iter().any(|name| name == schema);
        let named: Map<String, Value> = response["headers"].as_object().cloned().unwrap_or_default();
        if status.starts_with('2') && (shows_version || named.contains_key("etag")) {
            carry(response, "ETag");
        }
        if status == "201" {
            carry(response, "Location");
        }
    }
}

fn take_parameter(operation: &mut Value, name: &str) {
    if operation["parameters"].is_null() {
        operation["parameters"] = json!([]);
    }
    let reference = json!({ "$ref": format!("#/components/parameters/{name}") });
    operation["parameters"].as_array_mut().into_iter().for_each(|parameters| parameters.push(reference.clone()));
}

/// Has an answer carry a header, in place of what it may say of it in its own words.
fn carry(response: &mut Value, header: &str) {
    if response["headers"].is_null() {
        response["headers"] = json!({});
    }
    if let Some(headers) = response["headers"].as_object_mut() {
        headers.remove(&header.to_lowercase());
        headers.insert(header.to_owned(), json!({ "$ref": format!("#/components/headers/{header}") }));
    }
}
