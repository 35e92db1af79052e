//! Requests that miss: what stands nowhere, cannot be read as an id, is asked by a wrong method or with a parameter that nobody knows. All are answered in one form.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use steward_chassis::Service;
use steward_kernel::Role;

use super::{Operation, operations, placeholder};
use crate::{Answer, Client, Kit, db::new_id};

/// What no id is, and no answer may repeat.
const NO_ID: &str = "no-id'%3Cscript%3E";
/// What a problem may say.
const FIELDS: [&str; 9] = ["type", "title", "status", "detail", "code", "trace_id", "errors", "total", "allowed"];

/// Misses every operation in every way.
///
/// # Panics
/// With every answer that is not a problem, of another kind than all others, or repeats what was sent.
pub async fn misses<S: Service>(kit: &Kit) {
    let mut faults = Vec::new();
    let mut note = |what: String, answer: &Answer, status: u16, code: &[&str]| {
        if let Some(fault) = fault(answer, status, code) {
            faults.push(format!("{what}: {fault}: {} {}", answer.status, answer.text()));
        }
    };
    let operations = operations::<S>();
    for operation in &operations {
        let client = kit.client(operation.roles.first().copied().unwrap_or(Role::Admin));
        let unread = call(&client, operation, NO_ID, "").await;
        if operation.path.contains('{') {
            note(format!("{} without an id", operation.id), &unread, 400, &["malformed-request"]);
        }
        let misspelt = call(&client, operation, &new_id().to_string(), "no_parameter=true").await;
        note(format!("{} with a parameter that nobody knows", operation.id), &misspelt, 400, &["malformed-request"]);
        if operation.path.contains('{') && operation.method == Method::GET {
            let missing = call(&client, operation, &new_id().to_string(), "").await;
            note(format!("{} of nothing", operation.id), &missing, 404, &[]);
        }
    }
    let admin = kit.client(Role::Admin);
    for (path, known) in methods(&operations) {
        let place = fill(&path, &new_id().to_string());
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if !known.contains(method.as_str()) {
                let answer = admin.request(method.clone(), &place).await;
                note(format!("{method} {path}"), &answer, 405, &["method-not-allowed"]);
                let allow: BTreeSet<&str> = answer.header("allow").split(',').collect();
                assert!(known.iter().all(|method| allow.contains(method.as_str())), "{path}: Allow: {allow:?}");
            }
        }
        for beside in [format!("{place}/"), format!("{place}/nothing/there")] {
            let answer = admin.get(&beside).await;
            note(format!("GET {beside}"), &answer, 404, &["not-found"]);
        }
    }
    note("a route of nothing".to_owned(), &admin.get("/v1/nothing").await, 404, &["not-found"]);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The methods of each path.
fn methods(operations: &[Operation]) -> BTreeMap<String, BTreeSet<String>> {
    let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in operations {
        methods.entry(operation.path.clone()).or_default().insert(operation.method.to_string());
    }
    methods
}

fn fill(path: &str, id: &str) -> String {
    let mut path = path.to_owned();
    while let Some(name) = placeholder(&path).map(str::to_owned) {
        path = path.replace(&format!("{{{name}}}"), id);
    }
    path
}

async fn call(client: &Client, operation: &Operation, id: &str, query: &str) -> Answer {
    let queries = [operation.query.as_str(), query].into_iter().filter(|query| !query.is_empty());
    let query = queries.collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    let path = format!("{}{mark}{query}", fill(&operation.path, id));
    let request = client.request(operation.method.clone(), &path);
    match &operation.body {
        Some((media, body)) if media == "application/json" => request.json(body).await,
        Some(_) | None => request.await,
    }
}

/// What is wrong with a problem.
fn fault(answer: &Answer, status: u16, codes: &[&str]) -> Option<String> {
    let body = answer.json();
    let code = body["code"].as_str().unwrap_or_default();
    let strange = body.as_object().into_iter().flatten().find(|(field, _)| !FIELDS.contains(&field.as_str()));
    if answer.status != status || body["status"] != status {
        Some(format!("is not {status}"))
    } else if answer.header("content-type") != "application/problem+json" || body["type"] != format!("/problems/{code}")
    {
        Some("is no problem".to_owned())
    } else if !codes.is_empty() && !codes.contains(&code) {
        Some(format!("is not {codes:?}"))
    } else if let Some((field, _)) = strange {
        Some(format!("says {field}"))
    } else if answer.text().contains("script") {
        Some("repeats what was sent".to_owned())
    } else {
        None
    }
}
