//! Whether answers are what the API document says: every answer of every test is held against it.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use http::Method;
use jsonschema::{Draft, Registry, Validator};
use serde_json::{Map, Value, json};
use steward_chassis::{Service, http::Document, run};

use crate::{
    Answer,
    ledger::{self, Ledger, Sent},
};

/// Where the document stands for references into it.
const PLACE: &str = "https://steward.test/document";
/// Where the schemas stand again, open at their top: parts of a whole that is closed itself.
const OPEN: &str = "open";

/// An API document that answers are held against.
pub struct Promised {
    document: Value,
    operations: Vec<Operation>,
    registry: Registry<'static>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
    /// What each `ETag` of each path stood for.
    marked: Mutex<HashMap<(String, String), u64>>,
    ledger: Ledger,
}

impl std::fmt::Debug for Promised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Promised({} operations)", self.operations.len())
    }
}

/// An operation: how its path is matched, and where it stands.
struct Operation {
    method: String,
    segments: Vec<String>,
    pointer: String,
    id: String,
}

/// That of a service, made once in a test program.
///
/// # Panics
/// When the document is no JSON schema.
#[must_use]
pub fn promised(service: &'static str, document: impl FnOnce() -> Document) -> Arc<Promised> {
    static KNOWN: LazyLock<Mutex<HashMap<&'static str, Arc<Promised>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(service).or_insert_with(|| Arc::new(Promised::new(service, &document()))).clone()
}

/// Checks that every operation of a service has an example that is true, and that a test sends.
///
/// * `tests`: the folder of the service's tests.
///
/// # Panics
/// With the operations that have none.
pub fn examples<S: Service>(tests: &str) {
    let document = promised(S::NAME, run::openapi::<S>);
    let mut poor = document.poor_examples();
    for operation in &document.operations {
        let Some(entry) = document.ledger.entry(&operation.id) else { continue };
        let test = entry["test"].as_str().unwrap_or_default();
        let (module, name) = test.rsplit_once("::").unwrap_or(("", test));
        let source = std::fs::read_to_string(format!("{tests}/{}.rs", module.replace("::", "/"))).unwrap_or_default();
        if !source.contains(&format!("fn {name}()")) {
            poor.push(format!(
                "{} has an example of the test {test}, which there is no more: {}",
                operation.id,
                ledger::REMEDY
            ));
        }
    }
    assert!(poor.is_empty(), "{}", poor.join("\n"));
}

impl Promised {
    /// Reads a document.
    ///
    /// # Panics
    /// When it is no JSON schema.
    #[must_use]
    pub fn new(service: &'static str, document: &Document) -> Self {
        Self::of(service, document.to_value())
    }

    fn of(service: &'static str, mut document: Value) -> Self {
        let operations = operations(&document);
        close_components(&mut document);
        for operation in &operations {
            close_responses(&mut document, &operation.pointer);
        }
        let resource = Draft::Draft202012.create_resource(document.clone());
        let registry = Registry::new().add(PLACE, resource).and_then(|builder| builder.prepare());
        Self {
            document,
            operations,
            registry: registry.expect("an API document"),
            validators: Mutex::default(),
            marked: Mutex::default(),
            ledger: Ledger::of(service),
        }
    }

    /// What in an answer is not as the document says; nothing when the operation is not in it.
    #[must_use]
    pub fn lies(&self, method: &Method, path: &str, answer: &Answer) -> Option<Vec<String>> {
        let operation = self.find(method, path)?;
        let mut lies = self.lies_of(operation, answer).unwrap_or_else(|lie| vec![lie]);
        lies.extend(self.etag_lie(method, path, answer));
        Some(lies)
    }

    /// An `ETag` under which something else was read before: whoever kept that would be told that it is unchanged.
    fn etag_lie(&self, method: &Method, path: &str, answer: &Answer) -> Option<String> {
        let etag = answer.header("etag");
        if method != Method::GET || answer.status != 200 || etag.is_empty() {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        let media = answer.header("content-type");
        let language = if media.starts_with("application/json") { answer.header("content-language") } else { "" };
        (language, media, &answer.bytes).hash(&mut hasher);
        let shown = hasher.finish();
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *marked.entry((path.to_owned(), etag.to_owned())).or_insert(shown);
        (before != shown).then(|| format!("the ETag {etag} stood for another answer before"))
    }

    fn lies_of(&self, operation: &Operation, answer: &Answer) -> Result<Vec<String>, String> {
        let responses = format!("{}/responses", operation.pointer);
        let family = format!("{}XX", answer.status / 100);
        let found = [answer.status.to_string(), family, "default".to_owned()]
            .into_iter()
            .map(|status| format!("{responses}/{status}"))
            .find(|pointer| self.document.pointer(pointer).is_some());
        let pointer = found.ok_or_else(|| format!("the status {} is not documented", answer.status))?;
        let pointer = self.resolved(pointer);
        let response = self.document.pointer(&pointer).cloned().unwrap_or_default();
        let mut lies = header_lies(&response, answer);
        lies.extend(self.body_lies(&pointer, &response, answer)?);
        lies.extend(self.code_lie(operation, &response, answer));
        Ok(lies)
    }

    /// A problem that the operation does not say it answers.
    fn code_lie(&self, operation: &Operation, response: &Value, answer: &Answer) -> Option<String> {
        let codes = response["x-problem-codes"].as_array()?;
        let code = answer.json()["code"].clone();
        if codes.contains(&code) {
            return None;
        }
        self.ledger.note_code(&operation.id, code.as_str().unwrap_or_default());
        let lie = format!("{} does not say that it answers the problem {code}: {}", operation.id, ledger::REMEDY);
        (!ledger::records()).then_some(lie)
    }

    /// Keeps what a request and its answer show of an operation.
    pub(crate) fn observe(&self, method: &Method, path: &str, sent: &Sent<'_>, answer: &Answer) {
        if let Some(operation) = self.find(method, path).filter(|_| (200..300).contains(&answer.status)) {
            let is_stale = |known: &Value| !self.example_lies(operation, known).is_empty();
            let is_stale = ledger::records() && self.ledger.entry(&operation.id).as_ref().is_some_and(is_stale);
            self.ledger.note_success(&operation.id, sent, answer, is_stale);
        }
    }

    /// What the test promised to send as examples and has not.
    #[must_use]
    pub fn unsent(&self) -> Vec<String> {
        self.ledger.unsent()
    }

    /// The operations without an example, and examples that are not what the document says.
    #[must_use]
    pub fn poor_examples(&self) -> Vec<String> {
        let mut poor = Vec::new();
        for operation in &self.operations {
            match self.ledger.entry(&operation.id) {
                Some(entry) => poor.extend(self.example_lies(operation, &entry)),
                None => poor.push(format!("{} has no example that a test has sent: {}", operation.id, ledger::REMEDY)),
            }
        }
        poor
    }

    fn example_lies(&self, operation: &Operation, entry: &Value) -> Vec<String> {
        let mut parts =
            vec![(format!("{}/requestBody/content/application~1json/schema", operation.pointer), &entry["request"])];
        for status in ["200", "201"] {
            let schema = format!("{}/responses/{status}/content/application~1json/schema", operation.pointer);
            parts.push((schema, &entry["answer"]));
        }
        let there =
            parts.into_iter().filter(|(schema, example)| !example.is_null() && self.document.pointer(schema).is_some());
        let mut lies = Vec::new();
        for (schema, example) in there {
            let validator = self.validator(&schema);
            lies.extend(
                validator.iter_errors(example).map(|fault| format!("the example of {}: {fault}", operation.id)),
            );
        }
        lies
    }

    fn body_lies(&self, pointer: &str, response: &Value, answer: &Answer) -> Result<Vec<String>, String> {
        let Some(content) = response.get("content") else {
            return if answer.bytes.is_empty() { Ok(Vec::new()) } else { Err("no body is documented".to_owned()) };
        };
        let media = answer.header("content-type").split(';').next().unwrap_or_default().trim();
        let Some(kind) = content.get(media) else {
            return Err(format!("the media type `{media}` is not documented for {}", answer.status));
        };
        if !media.ends_with("json") || kind.get("schema").is_none() {
            return Ok(Vec::new());
        }
        let body: Value =
            serde_json::from_slice(&answer.bytes).map_err(|fault| format!("the body is no JSON: {fault}"))?;
        let schema = format!("{pointer}/content/{}/schema", escaped(media));
        let validator = self.validator(&schema);
        let faults = validator.iter_errors(&body).map(|fault| format!("{}: {fault}", fault.instance_path()));
        Ok(faults.collect())
    }

    /// Where a pointer leads when the thing there is a reference.
    fn resolved(&self, pointer: String) -> String {
        let reference = self.document.pointer(&pointer).and_then(|thing| thing["$ref"].as_str());
        reference.map_or(pointer, |reference| reference.trim_start_matches('#').to_owned())
    }

    /// Made when it is needed first: a test asks few operations of many.
    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut known = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = known.get(pointer) {
            return validator.clone();
        }
        let encoded = pointer.replace('{', "%7B").replace('}', "%7D");
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(&self.registry)
            .should_validate_formats(true)
            .build(&json!({ "$ref": format!("{PLACE}#{encoded}") }))
            .unwrap_or_else(|fault| panic!("the schema at {pointer}: {fault}"));
        let validator = Arc::new(validator);
        known.insert(pointer.to_owned(), validator.clone());
        validator
    }

    /// The operation of a request; of several that fit, the one with the fewest placeholders.
    fn find(&self, method: &Method, path: &str) -> Option<&Operation> {
        let path = path.split('?').next().unwrap_or_default();
        let asked: Vec<&str> = path.split('/').collect();
        let fits = |operation: &&Operation| {
            operation.method == method.as_str().to_lowercase()
                && operation.segments.len() == asked.len()
                && operation.segments.iter().zip(&asked).all(|(own, asked)| own.starts_with('{') || own == asked)
        };
        let placeholders =
            |operation: &&Operation| operation.segments.iter().filter(|own| own.starts_with('{')).count();
        self.operations.iter().filter(fits).min_by_key(placeholders)
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in item.as_object().into_iter().flatten().filter(|(_, it)| it.get("responses").is_some()) {
            found.push(Operation {
                method: method.0.clone(),
                segments: path.split('/').map(str::to_owned).collect(),
                pointer: format!("/paths/{}/{}", escaped(path), method.0),
                id: method.1["operationId"].as_str().unwrap_or_default().to_owned(),
            });
        }
    }
    found
}

/// The headers that are promised and did not come, and those that came without a promise.
fn header_lies(response: &Value, answer: &Answer) -> Vec<String> {
    let promised: Vec<&String> = response["headers"].as_object().into_iter().flatten().map(|(name, _)| name).collect();
    let missing = promised.iter().filter(|name| answer.header(name).is_empty());
    let mut lies: Vec<String> = missing.map(|name| format!("the documented header `{name}` is missing")).collect();
    for name in ["ETag", "Location"] {
        if !answer.header(name).is_empty() && !promised.iter().any(|known| *known == name) {
            lies.push(format!("the header `{name}` is not documented"));
        }
    }
    lies
}

/// Closes all schemas: a field that an answer has and the document does not know is a lie, though readers would ignore it.
fn close_components(document: &mut Value) {
    let schemas = document["components"]["schemas"].take();
    let copies = |is_whole: bool| -> Map<String, Value> {
        let schemas = schemas.as_object().into_iter().flatten();
        schemas.map(|(name, schema)| (name.clone(), closed(schema, is_whole))).collect()
    };
    document["components"][OPEN] = copies(false).into();
    document["components"]["schemas"] = copies(true).into();
    let responses = document.pointer_mut("/components/responses").and_then(Value::as_object_mut);
    for (_, response) in responses.into_iter().flatten() {
        close_content(response);
    }
}

fn close_responses(document: &mut Value, operation: &str) {
    let responses = document.pointer_mut(&format!("{operation}/responses")).and_then(Value::as_object_mut);
    for (_, response) in responses.into_iter().flatten() {
        close_content(response);
    }
}

fn close_content(response: &mut Value) {
    let content = response.get_mut("content").and_then(Value::as_object_mut);
    for (_, kind) in content.into_iter().flatten() {
        kind["schema"] = closed(&kind["schema"], true);
    }
}

/// A schema whose objects have no fields but their own.
///
/// * `is_whole`: whether it stands for itself; a part of `allOf` must let the fields of the other parts pass.
fn closed(schema: &Value, is_whole: bool) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    let mut result = Map::new();
    for (key, value) in fields {
        let value = match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                properties.iter().map(|(name, it)| (name.clone(), closed(it, true))).collect()
            }
            ("allOf", Value::Array(parts)) => parts.iter().map(|part| closed(part, false)).collect(),
            ("oneOf" | "anyOf", Value::Array(parts)) => parts.iter().map(|part| closed(part, is_whole)).collect(),
            ("$ref", Value::String(name)) if !is_whole => name.replace("/schemas/", &format!("/{OPEN}/")).into(),
            ("items" | "additionalProperties" | "propertyNames", it) => closed(it, true),
            (_, it) => it.clone(),
        };
        // Words may grow, but each that is sent must be documented.
        let key = if key == "x-extensible-enum" { "enum" } else { key };
        result.insert(key.to_owned(), value);
    }
    let has_fields = result.contains_key("properties") || result.contains_key("allOf");
    if is_whole && has_fields && !result.contains_key("additionalProperties") {
        result.insert("unevaluatedProperties".to_owned(), false.into());
    }
    Value::Object(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Promised {
        let document = json!({
            "paths": { "/v1/cases/{case_id}": { "get": { "responses": {
                "200": {
                    "headers": { "ETag": {} },
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Case" } } }
                },
                "404": { "$ref": "#/components/responses/NotFound" },
            } } } },
            "components": {
                "schemas": {
                    "Case": { "allOf": [{ "$ref": "#/components/schemas/Base" }, { "properties": { "words": { "type": "string" } } }] },
                    "Base": { "type": "object", "required": ["case_id"], "properties": { "case_id": { "type": "string", "format": "uuid" } } },
                    "Problem": { "type": "object", "properties": { "code": { "type": "string" } } },
                },
                "responses": { "NotFound": { "content": { "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" }
                } } } },
            },
        });
        Promised::of("test", document)
    }

    fn lies(status: u16, media: &str, body: &Value) -> Vec<String> {
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", media.parse().unwrap());
        if status == 200 {
            headers.insert("etag", "\"1\"".parse().unwrap());
        }
        let answer = Answer { asked: String::new(), status, headers, bytes: body.to_string().into_bytes() };
        document().lies(&Method::GET, "/v1/cases/7?x=1", &answer).unwrap()
    }

    #[test]
    fn every_kind_of_lie_is_found() {
        let id = "0198f000-0000-7000-8000-000000000001";
        let json = "application/json";
        assert_eq!(lies(200, json, &json!({ "case_id": id, "words": "漏水" })), [""; 0]);
        assert_eq!(lies(404, "application/problem+json", &json!({ "code": "not-found" })), [""; 0]);
        assert_eq!(lies(200, json, &json!({ "case_id": id, "more": 1 })).len(), 1, "a field that is not documented");
        assert_eq!(lies(200, json, &json!({ "words": "漏水" })).len(), 1, "a field is missing");
        let format = lies(200, json, &json!({ "case_id": "7" }));
        assert!(format.iter().any(|lie| lie.contains("uuid")), "another format: {format:?}");
        // What is wrong inside a part of a schema makes its fields unknown to the whole, too.
        let null = lies(200, json, &json!({ "case_id": id, "words": null }));
        assert!(null.iter().any(|lie| lie.contains("null")), "null: {null:?}");
        assert_eq!(lies(404, json, &json!({ "code": "x" })).len(), 1, "another media type");
        assert_eq!(lies(404, "application/problem+json", &json!({ "code": "x", "more": 1 })).len(), 1);
        assert_eq!(lies(409, json, &json!({})).len(), 1, "another status");
    }

    #[test]
    fn headers_are_part_of_the_promise() {
        let response = json!({ "headers": { "ETag": {} } });
        let mut answer =
            Answer { asked: String::new(), status: 200, headers: http::HeaderMap::new(), bytes: Vec::new() };
        assert_eq!(header_lies(&response, &answer).len(), 1, "missing");
        answer.headers.insert("etag", "\"1\"".parse().unwrap());
        assert_eq!(header_lies(&response, &answer), [""; 0]);
        assert_eq!(header_lies(&json!({}), &answer).len(), 1, "not documented");
    }
}
