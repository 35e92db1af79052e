//! What the API document says of its operations, as far as an attacker needs it.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Value, json};
use steward_chassis::Service;
use steward_kernel::Role;

/// An operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `acknowledge_complaint`
    pub id: String,
    /// HTTP method.
    pub method: Method,
    /// Path with placeholders.
    pub path: String,
    /// Who may call it.
    pub roles: Vec<Role>,
    /// Name of its permission.
    pub permission: String,
    /// An example body, and its media type.
    pub body: Option<(String, Value)>,
    /// Places in the body where something is named.
    pub names: Vec<Naming>,
    /// Filters that name something.
    pub filters: Vec<String>,
    /// What has to stand behind the question mark, as a query.
    pub query: String,
}

/// A place in a body where something is named: by its id, or a person by their account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// Properties on the way; `*` stands for each item of a list.
    pub way: Vec<String>,
    /// `case_id`
    pub field: String,
    /// Whether the body may come without it.
    pub optional: bool,
}

/// All operations of a service, in the order of their paths.
///
/// # Panics
/// When an operation has no permission, or one that is not declared: nothing may be reachable without.
#[must_use]
pub fn operations<S: Service>() -> Vec<Operation> {
    let document = steward_chassis::run::openapi::<S>().to_value();
    let permissions: BTreeMap<&str, &[Role]> = S::permissions().iter().copied().collect();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("path item") {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            if !operation.is_object() || operation.get("responses").is_none() {
                continue;
            }
            let id = operation["operationId"].as_str().expect("operationId").to_owned();
            let permission = operation["security"][0]["bearer"][0]
                .as_str()
                .unwrap_or_else(|| panic!("{id} names no permission in `security`"))
                .to_owned();
            let roles = permissions
                .get(permission.as_str())
                .unwrap_or_else(|| panic!("{id} names the permission {permission}, which is not declared"))
                .to_vec();
            let (body, names) = (example(&document, operation), names(&document, operation));
            let (filters, query) = (filters(&document, operation), needed(&document, operation));
            found.push(Operation { id, method, path: path.clone(), roles, permission, body, names, filters, query });
        }
    }
    found
}

/// The permission table as text, for the golden file: operation × role.
#[must_use]
pub fn permissions_document<S: Service>() -> String {
    let head = Role::ALL.map(Role::as_str).join(" | ");
    let mut lines =
        vec![format!("| operation | permission | {head} |"), format!("|---|---|{}", "---|".repeat(Role::ALL.len()))];
    for operation in operations::<S>() {
        let marks = Role::ALL.map(|role| if operation.roles.contains(&role) { "yes" } else { "" }).join(" | ");
        lines.push(format!("| {} | {} | {marks} |", operation.id, operation.permission));
    }
    lines.join("\n") + "\n"
}

/// The example of an operation's body: its own, or that of its schema.
fn example(document: &Value, operation: &Value) -> Option<(String, Value)> {
    let content = operation["requestBody"]["content"].as_object()?;
    let (media, body) = content.iter().next()?;
    if media != "application/json" {
        return Some((media.clone(), json!("x")));
    }
    if let Some(own) = body.get("example").or_else(|| body["examples"].as_object()?.values().next()?.get("value")) {
        return Some((media.clone(), own.clone()));
    }
    let schema = resolve(document, &body["schema"]);
    let example = schema.get("example").or_else(|| schema["examples"].get(0)).cloned();
    Some((media.clone(), example.unwrap_or_else(|| json!({}))))
}

/// Where the body of an operation names something.
fn names(document: &Value, operation: &Value) -> Vec<Naming> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let mut found = Vec::new();
    walk(document, schema, &[], &mut BTreeSet::new(), &mut found);
    found.dedup();
    found
}

fn walk(document: &Value, schema: &Value, way: &[String], seen: &mut BTreeSet<String>, found: &mut Vec<Naming>) {
    let reference = schema["$ref"].as_str().map(str::to_owned);
    if let Some(reference) = &reference
        && !seen.insert(reference.clone())
    {
        return;
    }
    let schema = resolve(document, schema);
    for variants in ["oneOf", "anyOf", "allOf"] {
        schema[variants].as_array().into_iter().flatten().for_each(|one| walk(document, one, way, seen, found));
    }
    let further = |step: &str| way.iter().cloned().chain([step.to_owned()]).collect::<Vec<_>>();
    if schema["items"].is_object() {
        walk(document, &schema["items"], &further("*"), seen, found);
    }
    for (field, property) in schema["properties"].as_object().into_iter().flatten() {
        let optional = !schema["required"].as_array().is_some_and(|required| required.iter().any(|one| one == field));
        let way = further(field);
        let items = &resolve(document, property)["items"];
        if items.is_object() && is_name(document, field, items) {
            let way = way.into_iter().chain(["*".to_owned()]).collect();
            found.push(Naming { way, field: field.clone(), optional });
        } else if is_name(document, field, property) {
            found.push(Naming { way, field: field.clone(), optional });
        } else {
            walk(document, property, &way, seen, found);
        }
    }
    if let Some(reference) = reference {
        seen.remove(&reference);
    }
}

/// Whether a value names something of the company: an id by its form or by its name, or the account of one of its people.
fn is_name(document: &Value, field: &str, schema: &Value) -> bool {
    if field.ends_with("_id") || field.ends_with("_ids") {
        return true;
    }
    let schema = resolve(document, schema);
    let either = ["oneOf", "anyOf"].iter().filter_map(|variants| schema[*variants].as_array()).flatten();
    let is_text = |schema: &Value| {
        let schema = resolve(document, schema);
        schema["type"] == "string"
            || schema["type"].as_array().is_some_and(|types| types.iter().any(|one| one == "string"))
    };
    let is_id = |schema: &Value| resolve(document, schema)["format"] == "uuid";
    let one_of_them = |wanted: &dyn Fn(&Value) -> bool| wanted(schema) || either.clone().any(wanted);
    one_of_them(&is_id) || ((field == "account" || field.ends_with("_account")) && one_of_them(&is_text))
}

/// The parameters behind the question mark that name something.
fn filters(document: &Value, operation: &Value) -> Vec<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters
        .map(|parameter| resolve(document, parameter))
        .filter(|parameter| parameter["in"] == "query")
        .filter_map(|parameter| Some((parameter["name"].as_str()?, &parameter["schema"])))
        .filter(|(name, schema)| SEARCHES.contains(name) || is_name(document, name, schema))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// A query of the parameters without which the operation looks at nothing, each with some value of its form.
fn needed(document: &Value, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters = parameters.map(|parameter| resolve(document, parameter));
    let is_needed = |parameter: &&Value| parameter["in"] == "query" && parameter["required"] == true;
    let names =
        |parameter: &&Value| is_name(document, parameter["name"].as_str().unwrap_or_default(), &parameter["schema"]);
    let needed = parameters.filter(is_needed).filter(|parameter| !names(parameter));
    let values = needed.map(|parameter| {
        let schema = resolve(document, &parameter["schema"]);
        let value = match schema["format"].as_str() {
            Some("date") => "2026-12-01",
            Some("date-time") => "2026-12-01T02:00:00Z",
            _ if schema["type"] == "integer" => "1",
            _ => schema["enum"][0].as_str().unwrap_or("x"),
        };
        (parameter["name"].as_str().unwrap_or_default(), value)
    });
    serde_html_form::to_string(values.collect::<Vec<_>>()).unwrap_or_default()
}

/// Filters by what people read rather than by an id.
const SEARCHES: [&str; 5] = ["reference", "phone", "name", "code", "q"];

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap_or(schema),
        None => schema,
    }
}
