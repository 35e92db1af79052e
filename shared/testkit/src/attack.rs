//! Attacks generated from a service's API document: every operation, from the wrong tenant, the wrong estate, the wrong role, and
//! without a token. A new route joins by being in the document.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};
use steward_chassis::Service;
use steward_kernel::{Actor, Role, TenantId};
use uuid::Uuid;

use crate::{Answer, Client, Kit, OTHER_TENANT, db::new_id};

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
            let body = example(&document, operation);
            found.push(Operation { id, method, path: path.clone(), roles, permission, body });
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

/// Attacks every operation.
///
/// * `ids`: for each placeholder of a path, something that exists in the test company, in an estate the attacker does not see.
///
/// # Panics
/// With every operation that lets somebody in, or does not let in who may.
pub async fn attack<S: Service>(kit: &Kit, ids: &[(&str, Uuid)]) {
    let ids: BTreeMap<&str, Uuid> = ids.iter().copied().collect();
    let mut breaches = Vec::new();
    for operation in operations::<S>() {
        let mut report = |what: &str, answer: &Answer| {
            breaches.push(format!("{} {what}: {} {}", operation.id, answer.status, answer.text()));
        };
        let answer = call(&kit.nobody(), &operation, &ids).await;
        if answer.status != 401 {
            report("lets in without a token", &answer);
        }
        let answer = call(&kit.nobody().with_token(Some("a.b.c".to_owned())), &operation, &ids).await;
        if answer.status != 401 {
            report("lets in with a broken token", &answer);
        }
        for role in Role::ALL {
            if !operation.roles.contains(&role) {
                let answer = call(&kit.client(role), &operation, &ids).await;
                if answer.status != 403 {
                    report(&format!("lets in {}", role.as_str()), &answer);
                }
            }
        }
        for role in &operation.roles {
            for stranger in strangers(kit, *role) {
                let answer = call(&kit.client_of(&stranger), &operation, &ids).await;
                if !is_nothing(&operation, &answer, &ids) {
                    report(&format!("shows something to a stranger ({})", role.as_str()), &answer);
                }
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

/// People with the right role who must see nothing: of another company, and of another estate of the same company (for owners: another
/// person).
fn strangers(kit: &Kit, role: Role) -> Vec<Actor> {
    let resident = (role == Role::Owner).then(|| new_id().into());
    let foreigner = Actor { tenant: TenantId::from(OTHER_TENANT), resident, ..kit.staff(role) };
    let neighbour = Actor { resident, ..kit.staff_of(role, &[new_id()]) };
    vec![foreigner, neighbour]
}

/// Whether an answer gives nothing away: for something that exists, 404; for the rest, no id of ours in it.
fn is_nothing(operation: &Operation, answer: &Answer, ids: &BTreeMap<&str, Uuid>) -> bool {
    if answer.status >= 500 {
        return false;
    }
    let names_one = operation.path.contains('{');
    if names_one {
        return (400..500).contains(&answer.status) && answer.status != 409 && answer.status != 412;
    }
    let text = answer.text();
    !ids.values().any(|id| text.contains(&id.to_string()))
}

async fn call(client: &Client, operation: &Operation, ids: &BTreeMap<&str, Uuid>) -> Answer {
    let mut path = operation.path.clone();
    for (name, id) in ids {
        path = path.replace(&format!("{{{name}}}"), &id.to_string());
    }
    assert!(!path.contains('{'), "the test gives no id for {path}");
    let request = client.request(operation.method.clone(), &path);
    match &operation.body {
        None => request.await,
        Some((media, Value::String(text))) if media != "application/json" => {
            client.upload(&path, media, text.clone().into_bytes()).await
        }
        Some((_, body)) => request.json(body).await,
    }
}

/// The example of an operation's body: its own, or that of its schema.
fn example(document: &Value, operation: &Value) -> Option<(String, Value)> {
    let content = operation["requestBody"]["content"].as_object()?;
    let (media, body) = content.iter().next()?;
    if media != "application/json" {
        return Some((media.clone(), json!("x")));
    }
    if let Some(own) = body.get("example") {
        return Some((media.clone(), own.clone()));
    }
    let schema = resolve(document, &body["schema"]);
    let example = schema.get("example").or_else(|| schema["examples"].get(0)).cloned();
    Some((media.clone(), example.unwrap_or_else(|| json!({}))))
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap_or(schema),
        None => schema,
    }
}
