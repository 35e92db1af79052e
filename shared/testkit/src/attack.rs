//! Attacks generated from a service's API document: every operation, by whom it does not let in and with things that are not the
//! caller's. A new route joins by being in the document.
//!
//! * Nobody, a broken token, every role that may not.
//! * Whoever has the role, but in another company, or for another estate of the same company, or is another owner: for every id in a
//!   path, a body or a filter, what is hidden is answered as what does not exist is, byte for byte but for the trace id.
//! * Whoever has a role that permits it, and a second one that does not.
//! * A key of somebody else's.

mod document;
mod misses;
mod pairs;

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::Value;
use steward_chassis::Service;
use steward_kernel::{Actor, ActorId, Role, TenantId, ids::EstateId};
use uuid::Uuid;

pub use document::{Naming, Operation, operations, permissions_document};
pub use misses::misses;
pub use pairs::pairs_add_nothing;

use crate::{Answer, Client, Kit, OTHER_TENANT, db::new_id};

/// What the attackers are after, and what is theirs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Targets<'t> {
    /// What exists in the test company, in an estate that the attackers do not see: by placeholder, field or filter.
    pub hidden: &'t [(&'t str, String)],
    /// What the attackers see: their `estate_id`, the `resident_id` whom the owner among them is, and things that they may name.
    pub own: &'t [(&'t str, String)],
    /// What they name in one operation instead, since that one needs a thing that has come as far: operation, name, thing.
    pub own_in: &'t [(&'t str, &'t str, String)],
    /// Fields and filters whose ids this service cannot know, and why.
    pub elsewhere: &'t [(&'t str, &'t str)],
}

/// Attacks every operation; what was answered wherever something of others was named, as text for a golden file. A line for each path,
/// filter and field: who adds one sees how it is attacked.
///
/// # Panics
/// With every operation that lets somebody in, or tells apart what is hidden and what does not exist; and when something is named by an
/// operation for which the test gives nothing hidden.
#[must_use]
pub async fn attack<S: Service>(kit: &Kit, targets: Targets<'_>) -> String {
    let mut attack = Attack { kit, targets, breaches: Vec::new(), answered: BTreeMap::new() };
    let operations = operations::<S>();
    for operation in &operations {
        attack.without_permission(operation).await;
        for role in &operation.roles {
            for stranger in strangers(kit, &targets, *role) {
                attack.as_stranger(operation, &stranger).await;
            }
        }
        attack.with_a_second_role(operation).await;
    }
    // Last, since it does what may be done.
    for operation in operations.iter().filter(|operation| operation.method == Method::POST) {
        for role in &operation.roles {
            attack.with_the_key_of_another(operation, *role).await;
        }
    }
    assert!(attack.breaches.is_empty(), "{}", attack.breaches.join("\n"));
    attack.told()
}

/// People with the right role who must see nothing: of another company, and of another estate of the same company (for owners: another
/// person, who may live in that estate).
fn strangers(kit: &Kit, targets: &Targets<'_>, role: Role) -> [Actor; 2] {
    let own = |name: &str| id(targets.own, name).unwrap_or_else(new_id);
    let resident = (role == Role::Owner).then(|| own("resident_id").into());
    let foreigner = Actor { tenant: TenantId::from(OTHER_TENANT), resident, ..kit.staff(role) };
    let neighbour = Actor { resident, ..kit.staff_of(role, &[own("estate_id")]) };
    [foreigner, neighbour]
}

fn id(things: &[(&str, String)], name: &str) -> Option<Uuid> {
    things.iter().find(|(known, _)| *known == name).and_then(|(_, id)| id.parse().ok())
}

/// What a field or filter names: `linked_case_id` a `case_id`, `file_ids` a `file_id`, `cover_account` an `account`.
fn thing<'t>(things: &'t [(&str, String)], field: &str) -> Option<&'t str> {
    let field = field.strip_suffix("_ids").map_or_else(|| field.to_owned(), |one| format!("{one}_id"));
    let names = |name: &str| field == name || field.ends_with(&format!("_{name}"));
    things.iter().filter(|(name, _)| names(name)).max_by_key(|(name, _)| name.len()).map(|(_, thing)| thing.as_str())
}

/// A text of the same form that names nothing.
fn another(text: &str) -> String {
    if text.parse::<Uuid>().is_ok() {
        return new_id().to_string();
    }
    let mut dice = new_id().as_u128();
    let mut left = 6;
    let turned: Vec<char> = text
        .chars()
        .rev()
        .map(|c| {
            let (first, range) = match c {
                '0'..='9' => ('0', 10),
                'a'..='z' => ('a', 26),
                'A'..='Z' => ('A', 26),
                _ => return c,
            };
            if left == 0 {
                return c;
            }
            left -= 1;
            dice /= 31;
            char::from(u8::try_from(u128::from(first) + dice % range).expect("ASCII"))
        })
        .collect();
    let other: String = turned.into_iter().rev().collect();
    if other == text { "查无此项".to_owned() } else { other }
}

/// One request of an attack.
#[derive(Debug, Clone)]
struct Blow {
    method: Method,
    path: String,
    body: Option<(String, Value)>,
    if_match: Option<&'static str>,
    /// What it names: to be left out of the comparison.
    named: Vec<String>,
}

impl Blow {
    async fn strike(&self, client: &Client, key: Option<&str>) -> Answer {
        let request = client.request(self.method.clone(), &self.path);
        let request = match &self.body {
            None => request,
            Some((media, Value::String(text))) if media != "application/json" => {
                client.upload(&self.path, media, text.clone().into_bytes())
            }
            Some((_, body)) => request.json(body),
        };
        let request = self.if_match.into_iter().fold(request, |request, version| request.header("if-match", version));
        key.into_iter().fold(request, crate::http::Request::key).await
    }

    /// The answer without what may differ: the request's own trace and time, page marks, and what the caller named.
    fn comparable(&self, answer: &Answer) -> (u16, Vec<(String, String)>, String) {
        let mut body = answer.json();
        let mut is_page = false;
        if let Some(fields) = body.as_object_mut() {
            fields.remove("trace_id");
            // Tokens of a page hold a digest of the filter that the caller gave.
            for token in ["since", "next_cursor"] {
                is_page |= fields.remove(token).is_some();
            }
        }
        let text = if body.is_null() { answer.text() } else { body.to_string() };
        let nameless = |text: String| self.named.iter().fold(text, |text, name| text.replace(name, "…"));
        let own = ["x-request-id", "date", "ratelimit-remaining", "content-length"];
        let headers = answer.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        let headers = headers.filter(|(name, _)| !(is_page && name.as_str() == "etag"));
        let headers = headers.map(|(name, value)| (name.to_string(), nameless(format!("{value:?}")))).collect();
        (answer.status, headers, nameless(text))
    }
}

struct Attack<'a> {
    kit: &'a Kit,
    targets: Targets<'a>,
    breaches: Vec<String>,
    /// What people of another estate were answered: by operation and the place where they named what is hidden.
    answered: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Attack<'_> {
    fn told(&self) -> String {
        let mut lines = vec!["| operation | where | answered |".to_owned(), "|---|---|---|".to_owned()];
        for ((operation, place), answers) in &self.answered {
            let answers = answers.iter().cloned().collect::<Vec<_>>().join(", ");
            lines.push(format!("| {operation} | {place} | {answers} |"));
        }
        lines.join("\n") + "\n"
    }

    fn note(&mut self, operation: &Operation, place: &str, answer: &str) {
        self.answered.entry((operation.id.clone(), place.to_owned())).or_default().insert(answer.to_owned());
    }

    fn report(&mut self, operation: &Operation, what: &str, answer: &Answer) {
        self.breaches.push(format!("{} {what}: {} {}", operation.id, answer.status, answer.text()));
    }

    async fn without_permission(&mut self, operation: &Operation) {
        let blow = self.blow(operation, self.targets.hidden);
        let mut callers = vec![
            ("nobody", self.kit.nobody(), 401),
            ("a broken token", self.kit.nobody().with_token(Some("a.b.c".to_owned())), 401),
        ];
        let unfit = Role::ALL.into_iter().filter(|role| !operation.roles.contains(role));
        callers.extend(unfit.map(|role| (role.as_str(), self.kit.client(role), 403)));
        for (who, client, status) in callers {
            let answer = blow.strike(&client, None).await;
            if answer.status != status {
                self.report(operation, &format!("lets in {who}"), &answer);
            }
        }
    }

    async fn as_stranger(&mut self, operation: &Operation, stranger: &Actor) {
        let is_foreign = stranger.tenant.get() == OTHER_TENANT;
        let client = self.kit.client_of(stranger);
        let mut pairs = self.at_path(operation);
        if pairs.is_empty() {
            let answer = self.blow(operation, &self.own(operation)).strike(&client, None).await;
            self.shows_nothing(operation, stranger, &answer, &[]);
        }
        for filter in &operation.filters {
            pairs.extend(self.at_filter(operation, filter));
        }
        if !is_foreign {
            for naming in &operation.names {
                // Whatever the version, and one that was read: or else nobody would look at what is named.
                for version in ["*", "\"1\""] {
                    pairs.extend(self.at_field(operation, naming, version));
                }
            }
        }
        for (place, hidden, missing) in pairs {
            let unknown = missing.strike(&client, None).await;
            let answer = hidden.strike(&client, None).await;
            if !is_foreign {
                let problem = answer.json();
                let told = [&problem["code"], &problem["errors"][0]["pointer"]];
                let told: String = told.iter().filter_map(|it| it.as_str()).map(|it| format!(" {it}")).collect();
                self.note(operation, &place, &format!("{}{told}", answer.status));
            }
            let who = format!("{} at {place}", words(stranger));
            if hidden.comparable(&answer) != missing.comparable(&unknown) {
                let both = format!("tells {who} what is hidden from what is not there ({})", unknown.text());
                self.report(operation, &both, &answer);
            }
            let named = place.rsplit('/').find(|step| *step != "*").unwrap_or_default();
            let is_elsewhere = self.elsewhere(named).is_some();
            if answer.status < 300 && operation.method != Method::GET && !is_elsewhere {
                self.report(operation, &format!("lets {who} name what is hidden"), &answer);
            }
            self.shows_nothing(operation, stranger, &answer, &hidden.named);
        }
    }

    /// No id of what is hidden stands in an answer, but what the caller named.
    fn shows_nothing(&mut self, operation: &Operation, stranger: &Actor, answer: &Answer, named: &[String]) {
        let text = answer.text();
        let ids =
            self.targets.hidden.iter().map(|(_, id)| id).filter(|id| id.parse::<Uuid>().is_ok() && !named.contains(id));
        if answer.status >= 500 || ids.into_iter().any(|id| text.contains(id.as_str())) {
            self.report(operation, &format!("shows something to {}", words(stranger)), answer);
        }
    }

    /// What one subject did under a key is not answered to another, nor to the same one when it acts for somebody else.
    async fn with_the_key_of_another(&mut self, operation: &Operation, role: Role) {
        let [foreigner, first] = strangers(self.kit, &self.targets, role);
        let subject = |name: &str, actor: &Actor| Actor { id: ActorId::new(name), ..actor.clone() };
        let first = subject("joint:b", &first);
        let elsewhere = Actor {
            estates: Some(vec![EstateId::from(new_id())]),
            resident: first.resident.map(|_| new_id().into()),
            ..first.clone()
        };
        let key = format!("K-{}", new_id());
        let others = [
            (subject("joint", &first), format!("b:{key}")),
            (elsewhere, key.clone()),
            (subject("joint:b", &foreigner), key.clone()),
        ];
        let blow = self.blow(operation, &self.own(operation));
        let _ = blow.strike(&self.kit.client_of(&first), Some(&key)).await;
        for (other, key) in others {
            let answer = blow.strike(&self.kit.client_of(&other), Some(&key)).await;
            if !answer.header("idempotency-replayed").is_empty() {
                self.report(operation, "answers with what was answered to another", &answer);
            }
        }
    }

    /// What the attackers may name in that operation.
    fn own(&self, operation: &Operation) -> Vec<(&str, String)> {
        let instead = self.targets.own_in.iter().filter(|(id, ..)| *id == operation.id);
        let instead: Vec<_> = instead.map(|(_, name, thing)| (*name, thing.clone())).collect();
        let kept = self.targets.own.iter().filter(|(name, _)| instead.iter().all(|(other, _)| name != other));
        kept.cloned().chain(instead.iter().cloned()).collect()
    }

    /// Why this service cannot know what a field names.
    fn elsewhere(&self, field: &str) -> Option<&str> {
        self.targets.elsewhere.iter().find(|(known, _)| *known == field).map(|(_, why)| *why)
    }

    /// A request that names these things in its path, and what is the attackers' own everywhere else.
    fn blow(&self, operation: &Operation, things: &[(&str, String)]) -> Blow {
        let mut path = operation.path.clone();
        let mut named = Vec::new();
        while let Some((name, thing)) =
            placeholder(&path).map(|name| (name.to_owned(), self.needed(operation, things, name)))
        {
            path = path.replace(&format!("{{{name}}}"), &thing);
            named.push(thing);
        }
        let body = operation.body.clone().map(|(media, mut body)| {
            for naming in &operation.names {
                self.put_own(operation, &mut body, naming);
            }
            (media, body)
        });
        if !operation.query.is_empty() {
            path = format!("{path}?{}", operation.query);
        }
        Blow { method: operation.method.clone(), path, body, if_match: None, named }
    }

    /// What stands for a placeholder; something that does not exist, when the attackers have no such thing.
    fn needed(&self, operation: &Operation, things: &[(&str, String)], name: &str) -> String {
        let _ = self.hidden(operation, name);
        thing(things, name).map_or_else(|| new_id().to_string(), str::to_owned)
    }

    fn put_own(&self, operation: &Operation, body: &mut Value, naming: &Naming) {
        match thing(&self.own(operation), &naming.field) {
            Some(own) => put(body, &naming.way, Some(own), !naming.optional),
            None if naming.optional => put(body, &naming.way, None, false),
            None => put(body, &naming.way, Some(&new_id().to_string()), true),
        };
    }

    /// The path with what is hidden, and with ids of nothing; with and without a version that was read.
    fn at_path(&self, operation: &Operation) -> Vec<(String, Blow, Blow)> {
        if !operation.path.contains('{') {
            return Vec::new();
        }
        let missing: Vec<_> = self.targets.hidden.iter().map(|(name, thing)| (*name, another(thing))).collect();
        let versions: &[Option<&str>] =
            if operation.method == Method::GET { &[None] } else { &[None, Some("\"1\""), Some("\"7\"")] };
        let place = operation.path.split('/').filter(|step| step.starts_with('{')).collect::<Vec<_>>().join("/");
        let pair = |if_match: &Option<&'static str>| {
            let with = |things: &[(&str, String)]| Blow { if_match: *if_match, ..self.blow(operation, things) };
            (place.clone(), with(self.targets.hidden), with(&missing))
        };
        versions.iter().map(pair).collect()
    }

    fn at_filter(&mut self, operation: &Operation, filter: &str) -> Option<(String, Blow, Blow)> {
        let place = format!("?{filter}");
        let Some(hidden) = self.hidden(operation, filter).map(str::to_owned) else {
            self.leave(operation, &place, filter);
            return None;
        };
        let with = |value: &str| {
            let blow = self.blow(operation, &self.own(operation));
            let query = serde_html_form::to_string([(filter, value)]).expect("a query");
            let mark = if blow.path.contains('?') { '&' } else { '?' };
            Blow { path: format!("{}{mark}{query}", blow.path), named: vec![value.to_owned()], ..blow }
        };
        Some((place, with(&hidden), with(&another(&hidden))))
    }

    fn at_field(
        &mut self,
        operation: &Operation,
        naming: &Naming,
        version: &'static str,
    ) -> Option<(String, Blow, Blow)> {
        let place = naming.way.join("/");
        let Some(hidden) = self.hidden(operation, &naming.field).map(str::to_owned) else {
            self.leave(operation, &place, &naming.field);
            return None;
        };
        if let Some(name) = placeholder(&operation.path) {
            assert!(
                thing(&self.own(operation), name).is_some(),
                "{}: the test has to give the attackers a {name}",
                operation.id
            );
        }
        let with = |value: &str| {
            let mut blow = self.blow(operation, &self.own(operation));
            let reached = blow.body.as_mut().is_some_and(|(_, body)| put(body, &naming.way, Some(value), true));
            assert!(reached, "the example of {} has no {place}", operation.id);
            Blow { named: vec![value.to_owned()], if_match: Some(version), ..blow }
        };
        let (hidden, missing) = (with(&hidden), with(&another(&hidden)));
        Some((place, hidden, missing))
    }

    /// Notes that something is not attacked here.
    fn leave(&mut self, operation: &Operation, place: &str, field: &str) {
        let why = format!("not attacked: {}", self.elsewhere(field).unwrap_or_default());
        self.note(operation, place, &why);
    }

    fn hidden(&self, operation: &Operation, field: &str) -> Option<&str> {
        let hidden = thing(self.targets.hidden, field);
        let is_known = hidden.is_some() || self.elsewhere(field).is_some();
        assert!(is_known, "{} names {field}: the test has to give one that is hidden", operation.id);
        hidden
    }
}

fn words(actor: &Actor) -> String {
    let role = actor.roles.first().map_or("nobody", |role| role.as_str());
    format!("{role} of another {}", if actor.tenant.get() == OTHER_TENANT { "company" } else { "estate" })
}

/// The first placeholder of a path.
fn placeholder(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once('{')?;
    rest.split_once('}').map(|(name, _)| name)
}

/// Writes a value where the way leads, or takes it away; whether the way led anywhere.
///
/// * `anyhow`: also when the body does not have the field.
fn put(body: &mut Value, way: &[String], value: Option<&str>, anyhow: bool) -> bool {
    match (way, body) {
        ([step], Value::Object(fields)) => {
            match value {
                Some(value) if anyhow || fields.contains_key(step) => drop(fields.insert(step.clone(), value.into())),
                Some(_) => {}
                None => drop(fields.remove(step)),
            }
            true
        }
        ([list, star], Value::Object(fields)) if star == "*" => {
            if anyhow || fields.contains_key(list) {
                fields.insert(list.clone(), value.into_iter().map(Value::from).collect());
            }
            true
        }
        ([star, rest @ ..], Value::Array(items)) if star == "*" => {
            !items.is_empty() && items.iter_mut().all(|item| put(item, rest, value, anyhow))
        }
        ([step, rest @ ..], Value::Object(fields)) => {
            fields.get_mut(step).is_some_and(|inner| put(inner, rest, value, anyhow))
        }
        _ => false,
    }
}
