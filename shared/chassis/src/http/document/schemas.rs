//! What schemas say in answers: what is absent is absent, words may grow, variants have names, files are bytes. What is sent to us and shown by us, and
//! says other things there, has a schema for each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

const SCHEMAS: &str = "#/components/schemas/";

/// Brings the schemas into the form that generated clients understand and that lets the API grow.
pub(super) fn describe(document: &mut Value) {
    name_variants(document);
    name_commands(document);
    describe_answers(document);
    bodies_are_bytes(document);
}

/// What an answer's schema is called where a request has the same one with strict words.
const SHOWN: &str = "Shown";

fn describe_answers(document: &mut Value) {
    let answers = reachable(document, |operation| vec![&operation["responses"]], true);
    let requests = reachable(document, |operation| vec![&operation["requestBody"], &operation["parameters"]], false);
    let enums = enums(document);
    let described = |name: &String| {
        let mut schema = document["components"]["schemas"][name].clone();
        absent_is_absent(&mut schema);
        words_may_grow(&mut schema, &enums);
        schema
    };
    let mut shown: BTreeMap<String, Value> = answers.iter().map(|name| (name.clone(), described(name))).collect();
    let split = split(document, &shown, &requests);
    for schema in shown.values_mut() {
        point_to_shown(schema, &split);
    }
    for (name, schema) in shown {
        let name = if split.contains(&name) { name + SHOWN } else { name };
        document["components"]["schemas"][name] = schema;
    }
    point_to_shown(&mut document["components"]["responses"], &split);
    for_operations(document, |operation| point_to_shown(&mut operation["responses"], &split));
}

/// What requests have, too, and is other in answers, by itself or by what it is made of.
fn split(document: &Value, shown: &BTreeMap<String, Value>, requests: &BTreeSet<String>) -> BTreeSet<String> {
    let is_both = |name: &&String| requests.contains(*name);
    let is_other = |name: &&String| shown[*name] != document["components"]["schemas"][*name];
    let mut split: BTreeSet<String> = shown.keys().filter(is_both).filter(is_other).cloned().collect();
    loop {
        let is_made_of_such = |name: &&String| {
            let mut parts = Vec::new();
            references(&shown[*name], &mut parts);
            parts.iter().any(|part| split.contains(part))
        };
        let more: Vec<String> = shown
            .keys()
            .filter(is_both)
            .filter(|name| !split.contains(*name))
            .filter(is_made_of_such)
            .cloned()
            .collect();
        if more.is_empty() {
            return split;
        }
        split.extend(more);
    }
}

/// Lets references to what is split point to its form in answers.
fn point_to_shown(part: &mut Value, split: &BTreeSet<String>) {
    match part {
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                match field {
                    Value::String(place) if key == "$ref" || place.starts_with(SCHEMAS) => {
                        if place.strip_prefix(SCHEMAS).is_some_and(|name| split.contains(name)) {
                            place.push_str(SHOWN);
                        }
                    }
                    other => point_to_shown(other, split),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| point_to_shown(item, split)),
        _ => {}
    }
}

fn for_operations(document: &mut Value, mut change: impl FnMut(&mut Value)) {
    for item in document["paths"].as_object_mut().into_iter().flatten().map(|(_, item)| item) {
        item.as_object_mut().into_iter().flatten().for_each(|(_, operation)| change(operation));
    }
}

/// The schemas to which parts of the operations refer, directly or not.
///
/// * `responses`: whether the responses that operations share belong to it.
fn reachable(document: &Value, parts: impl Fn(&Value) -> Vec<&Value>, responses: bool) -> BTreeSet<String> {
    let mut waiting = Vec::new();
    for item in document["paths"].as_object().into_iter().flatten().map(|(_, item)| item) {
        for operation in item.as_object().into_iter().flatten().map(|(_, operation)| operation) {
            parts(operation).into_iter().for_each(|part| references(part, &mut waiting));
        }
    }
    if responses {
        references(&document["components"]["responses"], &mut waiting);
    }
    let mut found = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if found.insert(name.clone()) {
            references(&document["components"]["schemas"][&name], &mut waiting);
        }
    }
    found
}

fn references(part: &Value, found: &mut Vec<String>) {
    match part {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|place| place.strip_prefix(SCHEMAS));
            found.extend(name.map(str::to_owned));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// A field that need not be there is never null: one way to say nothing is enough.
fn absent_is_absent(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    for (_, property) in fields.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        without_null(property);
    }
    for (_, part) in fields.iter_mut().filter(|(key, _)| matches!(key.as_str(), "allOf" | "oneOf" | "anyOf")) {
        part.as_array_mut().into_iter().flatten().for_each(absent_is_absent);
    }
}

fn without_null(property: &mut Value) {
    if let Some(types) = property.get("type").and_then(Value::as_array) {
        let real: Vec<Value> = types.iter().filter(|kind| *kind != "null").cloned().collect();
        property["type"] = if let [only] = real.as_slice() { only.clone() } else { real.into() };
    }
    let Some(choices) = property.get("oneOf").and_then(Value::as_array) else { return };
    let real: Vec<&Value> = choices.iter().filter(|choice| choice["type"] != "null").collect();
    if let [only] = real.as_slice()
        && real.len() < choices.len()
        && let Value::Object(mut rest) = property.clone()
        && let Value::Object(only) = (*only).clone()
    {
        rest.remove("oneOf");
        rest.extend(only);
        *property = Value::Object(rest);
    }
}

/// The words of each enum, by the reference to it.
fn enums(document: &Value) -> BTreeMap<String, Value> {
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    let enums = schemas.filter(|(_, schema)| schema["type"] == "string" && schema.get("enum").is_some());
    enums.map(|(name, schema)| (format!("{SCHEMAS}{name}"), schema["enum"].clone())).collect()
}

/// Words of an answer may become more: a reader that is older than a word must take it for a text.
///
/// Of the ways to say so this is the one that generated clients in TypeScript, Python, Kotlin and Swift all survive without settings of
/// their own (`anyOf` with a plain string becomes an empty class in Kotlin and Swift). What is sent to us keeps the strict words.
fn words_may_grow(schema: &mut Value, enums: &BTreeMap<String, Value>) {
    match schema {
        Value::Object(fields) => {
            let place = fields.get("$ref").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(words) = enums.get(&place) {
                let meaning = fields.get("description").and_then(Value::as_str).unwrap_or_default();
                let name = place.trim_start_matches(SCHEMAS);
                let description =
                    format!("{meaning} A word of `{name}`, or one that is newer.").trim_start().to_owned();
                *schema = json!({ "type": "string", "x-extensible-enum": words, "description": description });
                return;
            }
            for (key, part) in fields {
                // The names of variants are no words: what is named otherwise looks otherwise.
                if !matches!(key.as_str(), "discriminator" | "example" | "examples" | "enum") {
                    words_may_grow(part, enums);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| words_may_grow(item, enums)),
        _ => {}
    }
}

/// Gives the variants of a choice names of their own, and says by which field they are told apart.
fn name_variants(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let mut named = Vec::new();
    for (name, schema) in schemas.iter_mut() {
        let Some(variants) = schema.get("oneOf").and_then(Value::as_array).cloned() else { continue };
        let tags: Vec<(String, String)> = variants.iter().filter_map(tag).collect();
        let Some((field, _)) = tags.first().cloned().filter(|_| tags.len() == variants.len()) else { continue };
        let mut mapping = json!({});
        let mut choices = Vec::new();
        for (variant, (_, word)) in variants.into_iter().zip(tags) {
            let own = format!("{name}{}", camel(&word));
            mapping[&word] = format!("{SCHEMAS}{own}").into();
            choices.push(json!({ "$ref": format!("{SCHEMAS}{own}") }));
            named.push((own, variant));
        }
        schema["oneOf"] = choices.into();
        schema["discriminator"] = json!({ "propertyName": field, "mapping": mapping });
    }
    schemas.extend(named);
}

/// The field that has one word only in a variant, and the word.
fn tag(variant: &Value) -> Option<(String, String)> {
    let of_parts = || variant["allOf"].as_array().into_iter().flatten().find_map(tag);
    let properties = variant["properties"].as_object().into_iter().flatten();
    let mut only = properties.filter_map(|(name, property)| match property["enum"].as_array()?.as_slice() {
        [Value::String(word)] => Some((name.clone(), word.clone())),
        _ => None,
    });
    only.next().or_else(of_parts)
}

fn camel(word: &str) -> String {
    let parts = word.split(['_', '-']).map(|part| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    });
    parts.collect()
}

/// `allowed` of a resource names the commands below its path; so its words are those of the paths.
fn name_commands(document: &mut Value) {
    let mut found = Vec::new();
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    for (path, item) in &paths {
        let answer = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let Some(name) = answer["$ref"].as_str().and_then(|place| place.strip_prefix(SCHEMAS)) else { continue };
        if document["components"]["schemas"][name]["properties"]["allowed"]["items"]["type"] != "string" {
            continue;
        }
        let below = format!("{path}/");
        let commands = paths.iter().filter(|(_, item)| item.get("post").is_some());
        let words: Vec<&str> = commands.filter_map(|(path, _)| path.strip_prefix(&below)).collect();
        found.push((name.to_owned(), json!(words)));
    }
    for (name, words) in found {
        let command = format!("{}Command", name.trim_end_matches("View"));
        let schemas = &mut document["components"]["schemas"];
        schemas[&name]["properties"]["allowed"]["items"] = json!({ "$ref": format!("{SCHEMAS}{command}") });
        schemas[&command] = json!({
            "type": "string", "enum": words, "description": "A command: the last part of its path.",
        });
    }
}

/// A body that is no JSON is bytes.
fn bodies_are_bytes(document: &mut Value) {
    for item in document["paths"].as_object_mut().into_iter().flatten().map(|(_, item)| item) {
        for operation in item.as_object_mut().into_iter().flatten().map(|(_, operation)| operation) {
            if operation.get("requestBody").is_some() {
                bytes(&mut operation["requestBody"]["content"]);
            }
            for (_, response) in operation["responses"].as_object_mut().into_iter().flatten() {
                if response.get("content").is_some() {
                    bytes(&mut response["content"]);
                }
            }
        }
    }
}

fn bytes(content: &mut Value) {
    for (media, kind) in content.as_object_mut().into_iter().flatten() {
        if !media.ends_with("json") {
            kind["schema"] = json!({ "type": "string", "format": "binary" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        let kind = json!({ "$ref": "#/components/schemas/Kind" });
        let mut document = json!({
            "paths": {
                "/v1/cases": { "post": {
                    "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Open" } } } },
                    "responses": {}
                } },
                "/v1/cases/{case_id}": { "get": { "responses": { "200": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/CaseView" }
                } } } } } },
                "/v1/cases/{case_id}/cancel": { "post": { "responses": {} } },
                "/v1/files": { "post": {
                    "requestBody": { "content": { "image/png": { "schema": { "type": "array" } } } },
                    "responses": {}
                } },
            },
            "components": { "schemas": {
                "Open": { "type": "object", "properties": {
                    "kind": kind, "said_at": { "type": ["string", "null"] },
                    "rule": { "$ref": "#/components/schemas/Rule" }, "place": { "$ref": "#/components/schemas/Place" }
                } },
                "CaseView": { "type": "object", "properties": {
                    "kind": { "oneOf": [{ "$ref": "#/components/schemas/Kind", "description": "What it is." }, { "type": "null" }] },
                    "said_at": { "type": ["string", "null"], "format": "date-time" },
                    "allowed": { "type": "array", "items": { "type": "string" } },
                    "day": { "$ref": "#/components/schemas/Day" },
                    "rule": { "$ref": "#/components/schemas/Rule" },
                    "place": { "$ref": "#/components/schemas/Place" },
                } },
                "Kind": { "type": "string", "enum": ["inquiry"] },
                "Rule": { "type": "object", "properties": { "kind": kind, "step": { "$ref": "#/components/schemas/Step" } } },
                "Step": { "type": "object", "properties": { "kind": kind } },
                "Place": { "type": "object", "properties": { "name": { "type": "string" } } },
                "Day": { "oneOf": [
                    { "type": "object", "properties": { "rule": { "type": "string", "enum": ["always"] } } },
                    { "type": "object", "properties": { "rule": { "type": "string", "enum": ["public_holiday"] }, "name": {} } },
                ] },
            } },
        });
        describe(&mut document);
        document
    }

    fn property(schema: &str, name: &str) -> Value {
        document()["components"]["schemas"][schema]["properties"][name].clone()
    }

    #[test]
    fn what_an_answer_does_not_say_is_absent_and_a_request_may_say_null() {
        assert_eq!(property("CaseView", "said_at"), json!({ "type": "string", "format": "date-time" }));
        assert_eq!(property("Open", "said_at")["type"], json!(["string", "null"]));
    }

    #[test]
    fn words_may_grow_in_answers_and_are_strict_in_requests() {
        let kind = property("CaseView", "kind");
        assert_eq!((&kind["type"], &kind["x-extensible-enum"]), (&json!("string"), &json!(["inquiry"])));
        assert_eq!(kind["description"], "What it is. A word of `Kind`, or one that is newer.");
        assert_eq!(property("Open", "kind"), json!({ "$ref": "#/components/schemas/Kind" }));
    }

    #[test]
    fn what_is_sent_and_shown_is_strict_where_it_is_sent() {
        assert_eq!(property("Open", "rule")["$ref"], "#/components/schemas/Rule");
        assert_eq!(property("Step", "kind"), json!({ "$ref": "#/components/schemas/Kind" }));
        assert_eq!(property("CaseView", "rule")["$ref"], "#/components/schemas/RuleShown");
        assert_eq!(property("RuleShown", "step")["$ref"], "#/components/schemas/StepShown");
        assert_eq!(property("StepShown", "kind")["x-extensible-enum"], json!(["inquiry"]));
        // What says the same has one schema.
        assert_eq!(property("CaseView", "place")["$ref"], "#/components/schemas/Place");
        assert_eq!(document()["components"]["schemas"].get("PlaceShown"), None);
    }

    #[test]
    fn variants_have_names_and_a_field_that_tells_them_apart() {
        let day = &document()["components"]["schemas"]["Day"];
        assert_eq!(day["oneOf"][1]["$ref"], "#/components/schemas/DayPublicHoliday");
        assert_eq!(day["discriminator"]["propertyName"], "rule");
        assert_eq!(day["discriminator"]["mapping"]["always"], "#/components/schemas/DayAlways");
    }

    #[test]
    fn what_is_allowed_is_named_as_in_the_paths() {
        assert_eq!(document()["components"]["schemas"]["CaseCommand"]["enum"], json!(["cancel"]));
    }

    #[test]
    fn files_are_bytes() {
        let body = &document()["paths"]["/v1/files"]["post"]["requestBody"]["content"]["image/png"]["schema"];
        assert_eq!(*body, json!({ "type": "string", "format": "binary" }));
    }
}
