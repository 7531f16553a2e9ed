//! Operations: registered once, with router and `OpenAPI` document made from the same types.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request};
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use relais_service::{Role, Scope};
use serde_json::{Map, Value, json};
use tower_http::timeout::TimeoutLayer;
use utoipa::{IntoParams, ToSchema};

use super::ask::{Cards, Csv, IfMatch, Json, Letter, MAX_ROWS, PARCELS, Parcels, Query, VCARD};
use super::caller::{Caller, Least, Scoped};
use super::once::{Desk, once};
use super::problem::{PROBLEM_JSON, ProblemDocument};
use super::reply::{CardFile, Done, IfUnchanged, Made, Many, One, Plain, Row, Seen, ShownOnce, Whole};
use super::{Answer, PREFIX, Problem};
use crate::Web;

/// From a request's first octet to its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// For files of many thousand lines.
const LONG_PATIENCE: Duration = Duration::from_hours(1);

/// One operation, as it was registered.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Named by its handler: `domains_list`.
    pub(crate) id: String,
    pub(crate) role: Role,
    pub(crate) scope: Scope,
    /// As it stands in the document.
    pub(crate) document: Value,
}

/// Operations under construction.
#[derive(Debug)]
pub(crate) struct Operations {
    web: Web,
    desk: Desk,
    router: Router<Web>,
    listed: Vec<Listed>,
    schemas: BTreeMap<String, Value>,
    tag: &'static str,
}

impl Operations {
    pub(crate) fn new(web: &Web) -> Self {
        let mut description = Description::default();
        description.schema_of::<ProblemDocument>();
        Self {
            web: web.clone(),
            desk: Desk::new(web),
            router: Router::new(),
            listed: Vec::new(),
            schemas: description.schemas,
            tag: "",
        }
    }

    /// Those of a file, under the heading `tag`.
    #[must_use]
    pub(crate) fn group(mut self, tag: &'static str, more: fn(Self) -> Self) -> Self {
        self.tag = tag;
        more(self)
    }

    /// Answers GET, and HEAD with it.
    #[must_use]
    pub(crate) fn get<T: 'static>(self, path: &'static str, handler: impl Operation<T>, says: &'static str) -> Self {
        self.add(&Method::GET, path, handler, says, PATIENCE)
    }

    /// Answers POST.
    #[must_use]
    pub(crate) fn post<T: 'static>(self, path: &'static str, handler: impl Operation<T>, says: &'static str) -> Self {
        self.add(&Method::POST, path, handler, says, PATIENCE)
    }

    /// As [`Operations::post`], for what takes long.
    #[must_use]
    pub(crate) fn long_post<T: 'static>(
        self,
        path: &'static str,
        handler: impl Operation<T>,
        says: &'static str,
    ) -> Self {
        self.add(&Method::POST, path, handler, says, LONG_PATIENCE)
    }

    /// Answers PUT.
    #[must_use]
    pub(crate) fn put<T: 'static>(self, path: &'static str, handler: impl Operation<T>, says: &'static str) -> Self {
        self.add(&Method::PUT, path, handler, says, PATIENCE)
    }

    /// Answers PATCH.
    #[must_use]
    pub(crate) fn patch<T: 'static>(self, path: &'static str, handler: impl Operation<T>, says: &'static str) -> Self {
        self.add(&Method::PATCH, path, handler, says, PATIENCE)
    }

    /// Answers DELETE.
    #[must_use]
    pub(crate) fn delete<T: 'static>(self, path: &'static str, handler: impl Operation<T>, says: &'static str) -> Self {
        self.add(&Method::DELETE, path, handler, says, PATIENCE)
    }

    fn add<T: 'static, H: Operation<T>>(
        mut self,
        method: &Method,
        path: &'static str,
        handler: H,
        says: &'static str,
        patience: Duration,
    ) -> Self {
        let mut description = Description { method: method.clone(), ..Description::default() };
        H::describe(&mut description);
        self.schemas.append(&mut description.schemas);
        let id = name_of::<H>();
        let (role, scope) = (H::ROLE, H::SCOPE);
        let document = description.document(path, self.tag, &id, says, role, scope);
        self.listed.push(Listed { method: method.clone(), path, id, role, scope, document });
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let mut route = on(filter, handler);
        if !description.takes_query {
            route = route.route_layer(from_fn(refuse_query));
        }
        if *method == Method::POST {
            route = route.route_layer(from_fn_with_state(self.desk.clone(), once));
        }
        route = route.route_layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, patience));
        self.router = self.router.route(&format!("{PREFIX}{path}"), route);
        self
    }

    /// The router, each of its operations, and the `OpenAPI` document.
    pub(crate) fn finish(self) -> (Router, Vec<Listed>, Value) {
        let mut paths: Map<String, Value> = Map::new();
        for operation in &self.listed {
            let path = paths.entry(format!("{PREFIX}{}", operation.path)).or_insert_with(|| json!({}));
            if let Some(methods) = path.as_object_mut() {
                methods.insert(operation.method.as_str().to_ascii_lowercase(), operation.document.clone());
            }
        }
        let mut schemas = self.schemas;
        // What the service says by name is said in words before it leaves.
        schemas.insert(
            "Text".to_owned(),
            json!({ "type": "string", "description": "A sentence in the language that Accept-Language asks for." }),
        );
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Relais",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "All that the panel does, for programs. docs/api.md is the guide.",
                "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            },
            "servers": [{ "url": "/" }],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "key": { "type": "http", "scheme": "bearer", "description": "A key that the panel makes: `relais_…`." }
                },
            },
        });
        (self.router.with_state(self.web), self.listed, document)
    }
}

/// A query where none is taken is a mistake that should be heard of.
async fn refuse_query(request: Request, next: Next) -> Response {
    match request.uri().query() {
        Some(query) if !query.is_empty() => Problem::Query(query.to_owned()).into_response(),
        _ => next.run(request).await,
    }
}

/// `…::api::domains::list` is `domains_list`.
fn name_of<H>() -> String {
    let name = std::any::type_name::<H>();
    name.rsplit_once("::api::").map_or(name, |(_, name)| name).replace("::", "_")
}

/// A handler that can be an operation: it takes a [`Caller`] first, answers with what documents itself, and so do its arguments.
pub(crate) trait Operation<T>: Handler<T, Web> {
    const ROLE: Role;
    const SCOPE: Scope;

    fn describe(description: &mut Description);
}

macro_rules! operation {
    ($($more:ident)*) => {
        impl<F, R, S, Fut, Out, M, $($more,)*> Operation<(M, Caller<R, S>, $($more,)*)> for F
        where
            F: Fn(Caller<R, S>, $($more,)*) -> Fut + Handler<(M, Caller<R, S>, $($more,)*), Web>,
            Fut: Future<Output = Answer<Out>>,
            R: Least,
            S: Scoped,
            Out: Describe,
            $($more: Describe,)*
        {
            const ROLE: Role = R::ROLE;
            const SCOPE: Scope = S::SCOPE;

            fn describe(description: &mut Description) {
                $($more::describe(description);)*
                Out::describe(description);
            }
        }
    };
}

operation! {}
operation! { A }
operation! { A B }
operation! { A B C }

/// What is known of an operation so far.
#[derive(Debug, Default)]
pub(crate) struct Description {
    method: Method,
    parameters: Vec<Value>,
    body: Option<Value>,
    /// The status of success, and what comes with it.
    success: (u16, Value),
    takes_query: bool,
    may_be_stale: bool,
    has_etag: bool,
    schemas: BTreeMap<String, Value>,
}

impl Description {
    /// Takes the schema in, with all that it names; gives a reference to it.
    fn schema_of<T: ToSchema>(&mut self) -> Value {
        let mut all = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut all);
        for (name, schema) in all {
            self.schemas.insert(name, serde_json::to_value(schema).unwrap_or_default());
        }
        json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
    }

    fn document(&self, path: &str, tag: &str, id: &str, says: &str, role: Role, scope: Scope) -> Value {
        let mut parameters: Vec<Value> = names_in(path).map(path_parameter).collect();
        parameters.extend(self.parameters.iter().cloned());
        if self.method == Method::POST {
            let schema = json!({ "type": "string", "pattern": r#"^("[!#-~]{1,255}"|[!#-~]{1,255})$"# });
            parameters.push(header("Idempotency-Key", &schema, "Any name that is new for each thing to be done: sent again with it within a day, the request is answered as before and done once."));
        }
        if self.has_etag && self.method == Method::GET {
            parameters.push(header(
                "If-None-Match",
                &json!({ "type": "string" }),
                "The ETag of what was read before: if nothing has changed, the answer is 304 without a body.",
            ));
        }
        let mut document = json!({
            "tags": [tag],
            "summary": says,
            "operationId": id,
            "parameters": parameters,
            "responses": self.responses(path),
            "security": [{ "key": [scope.to_string()] }],
            "x-role": role.as_str(),
        });
        if let (Some(members), Some(body)) = (document.as_object_mut(), &self.body) {
            members.insert("requestBody".to_owned(), json!({ "required": true, "content": body }));
        }
        document
    }

    fn responses(&self, path: &str) -> Value {
        let (status, success) = &self.success;
        let mut responses = Map::new();
        responses.insert(status.to_string(), success.clone());
        let mut problems = vec![
            (400, "The query, a header or the body is not what the operation takes."),
            (401, "No key, or one that opens nothing."),
            (403, "The role or the key's scopes don't allow it."),
            (404, "It isn't there, or not for the one who asks."),
            (429, "Too often: Retry-After says how long to wait."),
            (500, "A fault of the server's."),
            (503, "The server can't do it now."),
        ];
        if self.has_etag && self.method == Method::GET {
            responses.insert("304".to_owned(), json!({ "description": "Nothing has changed since it was read." }));
        }
        if self.may_be_stale {
            problems.push((412, "It has changed since it was read."));
        }
        if self.body.is_some() {
            problems.push((413, "The body is too large."));
            problems.push((415, "The body is of another type."));
        }
        if self.method != Method::GET || self.takes_query || path.contains('{') {
            problems.push((409, "It clashes with what is there."));
            problems.push((422, "Some fields don't do: `errors` says which and why."));
        }
        for (status, description) in problems {
            let schema = json!({ "$ref": "#/components/schemas/Problem" });
            let mut problem = json!({ "description": description, "content": { PROBLEM_JSON: { "schema": schema } } });
            if status == 401
                && let Some(members) = problem.as_object_mut()
            {
                members.insert("headers".to_owned(), json!({ "WWW-Authenticate": { "schema": { "type": "string" } } }));
            }
            responses.insert(status.to_string(), problem);
        }
        Value::Object(responses)
    }

    fn succeed(&mut self, status: StatusCode, description: &str, schema: Option<Value>) {
        let mut success = json!({ "description": description });
        if let (Some(members), Some(schema)) = (success.as_object_mut(), schema) {
            let content = content("application/json", &schema);
            members.insert("content".to_owned(), content);
        }
        self.success = (status.as_u16(), success);
    }

    fn success_header(&mut self, name: &str, description: &str) {
        if let Some(members) = self.success.1.as_object_mut() {
            let headers = members.entry("headers").or_insert_with(|| json!({}));
            if let Some(headers) = headers.as_object_mut() {
                headers.insert(name.to_owned(), json!({ "description": description, "schema": { "type": "string" } }));
            }
        }
    }
}

fn content(kind: &str, schema: &Value) -> Value {
    json!({ kind: { "schema": schema } })
}

fn header(name: &str, schema: &Value, description: &str) -> Value {
    json!({ "name": name, "in": "header", "required": false, "description": description, "schema": schema })
}

/// `{domain}` in a path.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn path_parameter(name: &str) -> Value {
    let (description, example) = match name {
        "domain" => ("A domain, with U-labels or A-labels.", "example.org"),
        "other" => ("Another name of the domain.", "example.net"),
        "address" => ("An address; percent-encode what is not allowed in a path.", "ann@example.org"),
        "name" => ("Its name, as lists show it.", "Phone"),
        "whom" => ("As the list of bans says it: an address, or a network like 192.0.2.0/24.", "192.0.2.7"),
        "setting" => ("A setting's name.", "warnings.queue_recipients"),
        _ => ("What lists call its id.", "1f"),
    };
    json!({ "name": name, "in": "path", "required": true, "description": description, "example": example,
            "schema": { "type": "string", "minLength": 1 } })
}

/// What an argument or an answer adds to the document.
pub(crate) trait Describe {
    fn describe(description: &mut Description);
}

impl<T> Describe for Path<T> {
    /// The path itself names them.
    fn describe(_description: &mut Description) {}
}

impl<T: IntoParams> Describe for Query<T> {
    fn describe(description: &mut Description) {
        description.takes_query = true;
        let parameters = T::into_params(|| Some(utoipa::openapi::path::ParameterIn::Query));
        for parameter in parameters {
            let mut parameter = serde_json::to_value(parameter).unwrap_or_default();
            let is_limit = parameter.get("name").and_then(Value::as_str) == Some("limit");
            if let Some(members) = parameter.as_object_mut() {
                // A filter that isn't named filters nothing.
                members.insert("required".to_owned(), Value::Bool(false));
                if is_limit {
                    members
                        .insert("schema".to_owned(), json!({ "type": "integer", "minimum": 1, "maximum": MAX_ROWS }));
                    let description = "Rows wanted: 1 to 200, 50 where it isn't said.";
                    members.insert("description".to_owned(), Value::String(description.to_owned()));
                }
            }
            description.parameters.push(parameter);
        }
    }
}

impl<T: ToSchema> Describe for Json<T> {
    fn describe(description: &mut Description) {
        let schema = description.schema_of::<T>();
        let kind =
            if description.method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        description.body = Some(content(kind, &schema));
    }
}

impl Describe for Csv {
    fn describe(description: &mut Description) {
        description.body = Some(content("text/csv", &json!({ "type": "string" })));
    }
}

impl Describe for Cards {
    fn describe(description: &mut Description) {
        description.body = Some(content(VCARD, &json!({ "type": "string" })));
    }
}

impl Describe for Letter {
    fn describe(description: &mut Description) {
        let schema = json!({ "type": "string", "contentMediaType": "message/rfc822" });
        description.body = Some(content("message/rfc822", &schema));
    }
}

impl Describe for Parcels {
    fn describe(description: &mut Description) {
        let schema = json!({ "type": "string", "contentMediaType": PARCELS });
        description.body = Some(content(PARCELS, &schema));
    }
}

impl Describe for IfMatch {
    fn describe(description: &mut Description) {
        let schema = json!({ "type": "string", "pattern": r#"^(\*|(W/)?"[!#-~]*")$"# });
        let says = "The ETag of what was read: if it has changed since, nothing is done.";
        description.parameters.push(header("If-Match", &schema, says));
        description.may_be_stale = true;
    }
}

impl<T: ToSchema> Describe for One<T> {
    fn describe(description: &mut Description) {
        let schema = description.schema_of::<T>();
        description.succeed(StatusCode::OK, "As it is now.", Some(schema));
        description.success_header("ETag", "Changes with each change of it.");
        description.has_etag = true;
    }
}

impl<T: ToSchema> Describe for Seen<T> {
    fn describe(description: &mut Description) {
        let schema = description.schema_of::<T>();
        description.succeed(StatusCode::OK, "As it is now.", Some(schema));
    }
}

impl<T: ToSchema> Describe for IfUnchanged<T> {
    fn describe(description: &mut Description) {
        Seen::<T>::describe(description);
        description.may_be_stale = true;
    }
}

impl<T: ToSchema> Describe for Many<T> {
    fn describe(description: &mut Description) {
        let row = description.schema_of::<T>();
        let schema = json!({
            "type": "object",
            "required": ["rows", "next"],
            "properties": {
                "rows": { "type": "array", "items": row, "description": "In the list's order." },
                "next": { "type": ["string", "null"], "description": "Names the next page, for `after`; null where this is the last." },
            },
        });
        description.succeed(StatusCode::OK, "One page.", Some(schema));
        description.success_header("Link", "The next page, where there is one (RFC 8288): `<…>; rel=\"next\"`.");
    }
}

impl<T: ToSchema> Describe for Made<T> {
    fn describe(description: &mut Description) {
        let schema = description.schema_of::<T>();
        description.succeed(StatusCode::CREATED, "It is here now.", Some(schema));
        description.success_header("Location", "Where it is.");
    }
}

impl<T: ToSchema> Describe for ShownOnce<T> {
    fn describe(description: &mut Description) {
        let schema = description.schema_of::<T>();
        description.succeed(StatusCode::CREATED, "With a secret that is shown now and never again.", Some(schema));
    }
}

impl Describe for Plain {
    fn describe(description: &mut Description) {
        description.succeed(StatusCode::OK, "A file of plain text.", None);
        if let Some(members) = description.success.1.as_object_mut() {
            members.insert("content".to_owned(), content("text/plain", &json!({ "type": "string" })));
        }
    }
}

impl Describe for CardFile {
    fn describe(description: &mut Description) {
        description.succeed(StatusCode::OK, "A file of vCards (RFC 6350).", None);
        if let Some(members) = description.success.1.as_object_mut() {
            members.insert("content".to_owned(), content(VCARD, &json!({ "type": "string" })));
        }
    }
}

impl Describe for Row {
    fn describe(description: &mut Description) {
        description.succeed(StatusCode::OK, "For each message a line of JSON, then its octets.", None);
        if let Some(members) = description.success.1.as_object_mut() {
            members.insert("content".to_owned(), content(PARCELS, &json!({ "type": "string" })));
        }
    }
}

impl Describe for Whole {
    fn describe(description: &mut Description) {
        description.succeed(StatusCode::OK, "The message (RFC 5322), octet by octet.", None);
        if let Some(members) = description.success.1.as_object_mut() {
            let schema = json!({ "type": "string", "contentMediaType": "message/rfc822" });
            members.insert("content".to_owned(), content("message/rfc822", &schema));
        }
    }
}

impl Describe for Done {
    fn describe(description: &mut Description) {
        description.succeed(StatusCode::NO_CONTENT, "It is done.", None);
    }
}
