//! Routes with their descriptions, under one rule: a schema name stands for one type.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use http::Method;
use utoipa::openapi::{
    OpenApi, PathItem, RefOr,
    path::{Operation, ParameterIn},
    schema::Schema,
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{Error, FieldError};

/// The routes of a service with their descriptions, in the order in which a reader should meet them.
///
/// utoipa keeps the first schema of a name and says nothing of the others: a client generated from such a document
/// breaks on the first true answer. So names are gathered here.
#[derive(Clone)]
pub struct Routes<S> {
    inner: OpenApiRouter<S>,
    schemas: BTreeMap<String, RefOr<Schema>>,
    /// Names that stand for two types.
    claimed_twice: Vec<String>,
    paths: Vec<String>,
}

impl<S> std::fmt::Debug for Routes<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes").field("paths", &self.paths).finish_non_exhaustive()
    }
}

impl<S: Send + Sync + Clone + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Send + Sync + Clone + 'static> Routes<S> {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            inner: OpenApiRouter::with_openapi(OpenApi::default()),
            schemas: BTreeMap::new(),
            claimed_twice: Vec::new(),
            paths: Vec::new(),
        }
    }

    /// Adds what `routes!(…)` gives.
    #[must_use]
    pub fn routes(mut self, added: UtoipaMethodRouter<S>) -> Self {
        for (name, schema) in added.0.clone() {
            self.claim(name, schema);
        }
        for path in added.1.paths.keys() {
            self.add_path(path.clone());
        }
        let taking: Vec<Method> = added.1.paths.values().flat_map(taking_parameters).collect();
        let (schemas, paths, router) = added;
        let router = router.route_layer(middleware::from_fn_with_state(Arc::from(taking), refuse_parameters));
        Self { inner: self.inner.routes((schemas, paths, router)), ..self }
    }

    /// Adds those of another part of the service.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.claimed_twice.extend(other.claimed_twice);
        for (name, schema) in other.schemas {
            self.claim(name, schema);
        }
        for path in other.paths {
            self.add_path(path);
        }
        Self { inner: self.inner.merge(other.inner), ..self }
    }

    fn claim(&mut self, name: String, schema: RefOr<Schema>) {
        match self.schemas.get(&name) {
            Some(known) if *known == schema => {}
            Some(_) => self.claimed_twice.push(name),
            None => {
                self.schemas.insert(name, schema);
            }
        }
    }

    fn add_path(&mut self, path: String) {
        if !self.paths.contains(&path) {
            self.paths.push(path);
        }
    }

    /// The router that serves them.
    pub fn into_router(self, state: S) -> Router {
        self.inner.with_state(state).split_for_parts().0
    }

    /// Their descriptions, and their paths in order.
    ///
    /// # Panics
    /// When a schema name stands for two types: give one of them another name, `#[schema(as = …)]`.
    #[must_use]
    #[expect(clippy::panic, reason = "a fault in the program, found by a test and at start")]
    pub fn into_description(self) -> (OpenApi, Vec<String>) {
        let Self { inner, claimed_twice, paths, .. } = self;
        if !claimed_twice.is_empty() {
            panic!("a schema name must stand for one type: {}", claimed_twice.join(", "));
        }
        (inner.into_openapi(), paths)
    }
}

/// The methods of a path whose description names parameters after the question mark.
fn taking_parameters(path: &PathItem) -> Vec<Method> {
    let takes = |operation: &Operation| {
        let mut parameters = operation.parameters.iter().flatten();
        parameters.any(|parameter| matches!(parameter, RefOr::T(it) if it.parameter_in == ParameterIn::Query))
    };
    let methods = [
        (Method::GET, &path.get),
        (Method::POST, &path.post),
        (Method::PUT, &path.put),
        (Method::PATCH, &path.patch),
        (Method::DELETE, &path.delete),
    ];
    let taking = methods.into_iter().filter(|(_, operation)| operation.as_ref().is_some_and(takes));
    taking.map(|(method, _)| method).collect()
}

/// Refuses parameters where there are none: who sends one believes that it does something.
///
/// Where there are some, [`Query`](crate::http::Query) refuses those that it does not know.
async fn refuse_parameters(State(taking): State<Arc<[Method]>>, request: Request, next: Next) -> Response {
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let first = request.uri().query().unwrap_or_default().split(['=', '&']).next().unwrap_or_default();
    if first.is_empty() || taking.contains(method) {
        return next.run(request).await;
    }
    Error::Malformed(vec![FieldError::new(first, "unknown_field", "is not known here")]).into_response()
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;
    use utoipa::ToSchema;
    use utoipa_axum::routes;

    use super::*;
    use crate::http::Json;

    mod step {
        #[derive(serde::Serialize, utoipa::ToSchema)]
        pub(super) enum Party {
            Owner,
        }
    }

    #[derive(serde::Serialize, ToSchema)]
    enum Party {
        Company,
    }

    #[utoipa::path(get, path = "/v1/step", responses((status = 200, description = "", body = step::Party)))]
    async fn get_step() -> Json<step::Party> {
        Json(step::Party::Owner)
    }

    #[utoipa::path(get, path = "/v1/clock", responses((status = 200, description = "", body = Party)))]
    async fn get_clock() -> Json<Party> {
        Json(Party::Company)
    }

    #[utoipa::path(get, path = "/v1/paged", params(("page" = u8, Query)), responses((status = 200, description = "")))]
    async fn get_paged() {}

    #[tokio::test]
    async fn a_parameter_is_refused_where_there_are_none() {
        let router = Routes::new().routes(routes!(get_step)).routes(routes!(get_paged)).into_router(());
        for (method, address, status) in [
            ("GET", "/v1/step", 200),
            ("GET", "/v1/step?", 200),
            ("GET", "/v1/step?page=1", 400),
            ("HEAD", "/v1/step?page", 400),
            ("POST", "/v1/step?page=1", 405),
            ("GET", "/v1/paged?page=1", 200),
            ("HEAD", "/v1/paged?page=1", 200),
        ] {
            let request = Request::builder().method(method).uri(address).body(axum::body::Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{method} {address}");
        }
    }

    #[test]
    fn paths_stand_in_the_order_in_which_they_were_added() {
        let later = Routes::<()>::new().routes(routes!(get_clock));
        assert_eq!(later.paths, ["/v1/clock"]);
        let all = Routes::new().routes(routes!(get_step)).merge(later);
        assert_eq!(all.paths, ["/v1/step", "/v1/clock"]);
    }

    #[test]
    #[should_panic(expected = "must stand for one type: Party")]
    fn two_types_of_one_name_are_found() {
        let one = Routes::<()>::new().routes(routes!(get_step));
        let _ = one.merge(Routes::new().routes(routes!(get_clock))).into_description();
    }

    #[test]
    #[should_panic(expected = "must stand for one type: Party")]
    fn two_types_of_one_name_are_found_in_one_part_too() {
        let _ = Routes::<()>::new().routes(routes!(get_step)).routes(routes!(get_clock)).into_description();
    }
}
