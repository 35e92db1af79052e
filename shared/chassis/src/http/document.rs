//! What the API document says of every operation, in one place.

mod answers;
mod headers;
pub mod routes;
mod schemas;

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use utoipa::openapi::{
    OpenApi, Ref, RefOr,
    schema::{ArrayItems, Components, Schema},
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::problem;
use crate::Service;

/// What holds for all operations, for the document's description.
pub const CONVENTIONS: &str = "\
Every answer is in the language of `Accept-Language`: zh-Hans (also when nothing fits), zh-Hant or en. What goes wrong is \
a problem (RFC 9457) whose `code` is for programs. What is read carries an `ETag`: send it as `If-None-Match` to save an \
answer (304), as `If-Match` to change only what you have read (412). `If-Match` names a version of the one thing that \
the path of a command names last; an `ETag` has the version of what is shown, and its digest changes with every word \
that is shown, also where the version stays (a deadline, a person, the language). A POST with an \
`Idempotency-Key` happens once; its repetition gets the first answer with `Idempotency-Replayed: true`. Lists are read \
page by page with `next_cursor`; the `since` of the last page later lists what has changed. New fields and words may \
come at any time: readers ignore what they do not know.";

/// The API document (OpenAPI 3.1) of a service, or of several in one.
///
/// Its paths stand in the order in which a reader should meet them.
#[derive(Debug, Clone, Serialize)]
pub struct Document {
    openapi: &'static str,
    info: Value,
    servers: Value,
    tags: Vec<Group>,
    #[serde(serialize_with = "in_order")]
    paths: Vec<(String, Value)>,
    components: Value,
}

/// A group of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Group {
    /// As in `tag = …` of its operations.
    pub name: &'static str,
    /// What a reader must know of it, in two sentences.
    #[serde(rename = "description")]
    pub about: &'static str,
}

fn in_order<S: Serializer>(paths: &[(String, Value)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(paths.iter().map(|(path, item)| (path, item)))
}

impl Document {
    /// That of a service.
    ///
    /// # Panics
    /// When a schema name stands for two types.
    #[must_use]
    pub fn of<S: Service>() -> Self {
        let (mut openapi, order) = S::routes().into_description();
        describe(&mut openapi);
        let mut described = serde_json::to_value(&openapi).unwrap_or_default();
        headers::describe(&mut described);
        schemas::describe(&mut described);
        answers::describe(&mut described, S::RECORDED);
        let paths = order.into_iter().map(|path| (path.clone(), described["paths"][&path].take())).collect();
        let title = format!("Steward {}", S::NAME);
        let whole = Self { paths, components: described["components"].take(), ..Self::empty(&title, S::ABOUT) };
        whole.grouped(S::GROUPS)
    }

    /// The same with its paths in the order of these groups.
    ///
    /// # Panics
    /// When an operation belongs to none of them.
    #[must_use]
    #[expect(clippy::panic, reason = "a fault in the program, found by a test and at start")]
    pub fn grouped(mut self, groups: &[Group]) -> Self {
        let place = |(path, item): &(String, Value)| {
            let group = item.as_object().into_iter().flatten().find_map(|(_, operation)| operation["tags"][0].as_str());
            let place = groups.iter().position(|known| Some(known.name) == group);
            place.unwrap_or_else(|| panic!("{path} belongs to {group:?}, which is no group of operations"))
        };
        self.paths.sort_by_key(place);
        self.tags = groups.to_vec();
        self
    }

    /// One without operations, for programs that have none.
    #[must_use]
    pub fn empty(title: &str, about: &str) -> Self {
        let license = json!({ "name": "Apache-2.0", "identifier": "Apache-2.0" });
        let version = env!("CARGO_PKG_VERSION");
        Self {
            openapi: "3.1.0",
            info: json!({ "title": title, "description": about, "version": version, "license": license }),
            // The host that serves the document serves the API.
            servers: json!([{ "url": "/" }]),
            tags: Vec::new(),
            paths: Vec::new(),
            components: json!({}),
        }
    }

    /// That of several services in one.
    ///
    /// # Panics
    /// When a name stands for two things.
    #[must_use]
    pub fn merged(title: &str, about: &str, parts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::empty(title, about);
        for part in parts {
            whole.paths.extend(part.paths);
            whole.tags.extend(part.tags);
            merge_components(&mut whole.components, part.components);
        }
        whole
    }

    /// The groups of its operations, in order.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.tags
    }

    /// Its paths, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(|(path, _)| path.as_str())
    }

    /// As a JSON value, its keys sorted.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// As JSON.
    ///
    /// # Errors
    /// Never: it holds nothing but JSON.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// As JSON that is pleasant to read.
    ///
    /// # Errors
    /// Never: it holds nothing but JSON.
    pub fn to_pretty_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

#[expect(clippy::panic, reason = "a fault in the program, found by a test and at start")]
fn merge_components(whole: &mut Value, part: Value) {
    let Value::Object(kinds) = part else { return };
    for (kind, things) in kinds {
        let Value::Object(things) = things else { continue };
        for (name, thing) in things {
            let known = &mut whole[&kind][&name];
            if known.is_null() {
                *known = thing;
            } else if shape(known) != shape(&thing) {
                panic!("{name} stands for two things in {kind}: give one of them another name");
            }
        }
    }
}

/// The same without its words for people: of those, the first part's stand.
fn shape(thing: &Value) -> Value {
    match thing {
        Value::Object(fields) => {
            let told = fields.iter().filter(|(name, _)| *name != "description");
            told.map(|(name, it)| (name.clone(), shape(it))).collect()
        }
        Value::Array(items) => items.iter().map(shape).collect(),
        other => other.clone(),
    }
}

/// Completes what the routes say: the token, problems, rows of pages.
fn describe(openapi: &mut OpenApi) {
    let components = openapi.components.get_or_insert_default();
    problem::describe(components);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token (RFC 9068) of the company's identity provider"))
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    refer_to_rows(components);
}

/// Lets each `Page_<Row>` refer to the schema of its rows: utoipa writes it out again, and generated clients would have
/// two types for one thing.
fn refer_to_rows(components: &mut Components) {
    let names: BTreeSet<String> = components.schemas.keys().cloned().collect();
    for (name, page) in &mut components.schemas {
        if let Some(row) = name.strip_prefix("Page_")
            && names.contains(row)
            && let RefOr::T(Schema::Object(page)) = page
            && let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items")
        {
            items.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(row).into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use steward_kernel::page::Page;
    use utoipa::{
        PartialSchema as _,
        openapi::path::{HttpMethod, OperationBuilder, PathItem},
    };

    use super::*;
    use crate::http::Problem;

    fn document() -> serde_json::Value {
        let mut document = OpenApi::default();
        let operation = || OperationBuilder::new().build();
        let paths = &mut document.paths.paths;
        paths.insert("/v1/cases".to_owned(), PathItem::new(HttpMethod::Post, operation()));
        paths.insert("/v1/cases/{case_id}/cancel".to_owned(), PathItem::new(HttpMethod::Post, operation()));
        paths.insert("/v1/cases/{case_id}".to_owned(), PathItem::new(HttpMethod::Get, operation()));
        let components = document.components.get_or_insert_default();
        components.schemas.insert("Page_Problem".to_owned(), Page::<Problem>::schema());
        describe(&mut document);
        let mut document = serde_json::to_value(&document).unwrap();
        headers::describe(&mut document);
        document
    }

    #[test]
    fn the_document_has_the_rows_of_pages_once() {
        let document = document();
        let rows = &document["components"]["schemas"]["Page_Problem"]["properties"]["items"];
        assert_eq!(rows["type"], "array");
        assert_eq!(rows["items"]["$ref"], "#/components/schemas/Problem");
    }

    #[test]
    fn commands_name_the_headers_they_take() {
        let document = document();
        let headers = |path: &str, method: &str| -> Vec<String> {
            let parameters = document["paths"][path][method]["parameters"].as_array().cloned().unwrap_or_default();
            let named = parameters.iter().map(|parameter| {
                let pointer = parameter["$ref"].as_str().unwrap().trim_start_matches('#');
                document.pointer(pointer).unwrap()["name"].as_str().unwrap().to_owned()
            });
            named.collect()
        };
        assert_eq!(headers("/v1/cases", "post"), ["Idempotency-Key"]);
        assert_eq!(headers("/v1/cases/{case_id}/cancel", "post"), ["Idempotency-Key", "If-Match"]);
        assert_eq!(headers("/v1/cases/{case_id}", "get"), ["If-None-Match"]);
    }
}
