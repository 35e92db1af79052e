//! What the API document says of every operation, in one place.

use std::collections::BTreeSet;

use utoipa::openapi::{
    OpenApi, Ref, RefOr, Server,
    path::{Parameter, ParameterBuilder, ParameterIn, Paths},
    schema::{ArrayItems, Components, ObjectBuilder, Schema, Type},
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::problem;

/// What holds for all operations, for the document's description.
pub const CONVENTIONS: &str = "\
Every answer is in the language of `Accept-Language`: zh-Hans (also when nothing fits), zh-Hant or en. What goes wrong is \
a problem (RFC 9457) whose `code` is for programs. A single resource carries an `ETag`, its version: send it as \
`If-None-Match` to save an answer (304), as `If-Match` to change only what you have read (412). A POST with an \
`Idempotency-Key` happens once; its repetition gets the first answer with `Idempotency-Replayed: true`. Lists are read \
page by page with `next_cursor`; the `since` of the last page later lists what has changed. New fields and words may \
come at any time: readers ignore what they do not know.";

/// Completes the API document of a service: the server, the token, the headers of commands, problems, rows of pages.
pub fn describe(openapi: &mut OpenApi) {
    // Wherever the document comes from.
    openapi.servers = Some(vec![Server::new("/")]);
    refer_to_headers(&mut openapi.paths);
    let components = openapi.components.get_or_insert_default();
    components.parameters.insert("IdempotencyKey".to_owned(), idempotency_key().into());
    components.parameters.insert("IfMatch".to_owned(), if_match().into());
    problem::describe(components);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token (RFC 9068) of the company's identity provider"))
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    refer_to_rows(components);
}

fn header(name: &str, description: &str, pattern: &str, example: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))))
        .example(Some(example.into()))
        .build()
}

fn idempotency_key() -> Parameter {
    let description = "Makes the command happen at most once: a repetition gets the first answer, another body is \
        refused (422). 1 to 255 visible ASCII characters, chosen by the caller.";
    header("Idempotency-Key", description, "^[!-~]{1,255}$", "4f1a0c7e-5a7e-4b57-9c55-2a1f6d0d9a11")
}

fn if_match() -> Parameter {
    let description = "The `ETag` that the caller has read; another version is refused (412).";
    header("If-Match", description, r#"^(\*|"[0-9]+")$"#, "\"7\"")
}

/// Every POST takes an `Idempotency-Key`; what changes a resource that is there takes an `If-Match`.
fn refer_to_headers(paths: &mut Paths) {
    let reference = |name: &str| RefOr::Ref(Ref::new(format!("#/components/parameters/{name}")));
    for (path, item) in &mut paths.paths {
        if let Some(operation) = &mut item.post {
            operation.parameters.get_or_insert_default().push(reference("IdempotencyKey"));
        }
        for operation in [item.post.as_mut().filter(|_| path.contains('{')), item.put.as_mut()].into_iter().flatten() {
            operation.parameters.get_or_insert_default().push(reference("IfMatch"));
        }
    }
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
        serde_json::to_value(&document).unwrap()
    }

    #[test]
    fn the_document_names_its_server_and_has_the_rows_of_pages_once() {
        let document = document();
        assert_eq!(document["servers"][0]["url"], "/");
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
        assert!(headers("/v1/cases/{case_id}", "get").is_empty());
    }
}
