//! The pages that explain the API, drawn from its document: what they say of an operation is what the router does.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use relais_service::{Failure, Text};
use serde_json::{Map, Value, json};

use super::kit::{KINDS, PREFIX};
use crate::kit::{Frame, Guest, Oops, PageError, Routes, shown};
use crate::{Web, path};

/// Its pages' routes.
pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::REFERENCE, index)
        .get(path::REFERENCE_BARE, bare)
        .get(path::REFERENCE_GROUP, group)
        .get(path::PROBLEM, problem)
}

/// All that the pages show, made once.
#[derive(Debug)]
pub(crate) struct Book {
    groups: Vec<Chapter>,
}

/// The operations of one group.
#[derive(Debug)]
struct Chapter {
    name: String,
    entries: Vec<Entry>,
}

/// One operation, ready to be shown.
#[derive(Debug, Clone)]
struct Entry {
    id: String,
    method: String,
    path: String,
    says: String,
    /// The role's name in the catalogue.
    role: String,
    scope: String,
    parameters: Vec<Field>,
    body_kind: String,
    body: Vec<Field>,
    answer_status: String,
    answer: Vec<Field>,
    /// Status and meaning.
    problems: Vec<(String, String)>,
    /// What stands behind `curl` but host and key.
    example: String,
}

/// A parameter, or a member of a body.
#[derive(Debug, Clone)]
struct Field {
    name: String,
    kind: String,
    is_required: bool,
    says: String,
}

impl Book {
    /// Of all operations.
    pub(crate) fn of(web: &Web) -> Self {
        let (_, listed, document) = super::operations(web).finish();
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut groups: Vec<Chapter> = Vec::new();
        for operation in listed {
            let tag = text(&operation.document, "/tags/0");
            let path = format!("{PREFIX}{}", operation.path);
            let role = format!("role-{}", operation.role.as_str().replace('_', "-"));
            let mut entry = entry(&schemas, &operation.document, operation.method.as_str(), &path);
            (entry.id, entry.role, entry.scope) = (operation.id, role, operation.scope.to_string());
            match groups.iter_mut().find(|chapter| chapter.name == tag) {
                Some(chapter) => chapter.entries.push(entry),
                None => groups.push(Chapter { name: tag, entries: vec![entry] }),
            }
        }
        Self { groups }
    }
}

fn entry(schemas: &Map<String, Value>, operation: &Value, method: &str, path: &str) -> Entry {
    let list = |pointer: &str| operation.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let parameter = |parameter: Value| Field {
        name: text(&parameter, "/name"),
        kind: format!("{}, {}", text(&parameter, "/in"), parameter.get("schema").map(kind_of).unwrap_or_default()),
        is_required: parameter.get("required") == Some(&Value::Bool(true)),
        says: text(&parameter, "/description"),
    };
    let body =
        operation.pointer("/requestBody/content").and_then(Value::as_object).and_then(|kinds| kinds.iter().next());
    let schema = |content: Option<&Value>| content.and_then(|content| content.get("schema")).cloned();
    let body_schema = schema(body.map(|(_, content)| content));
    let responses = operation.get("responses").and_then(Value::as_object).cloned().unwrap_or_default();
    let success = responses.iter().find(|(status, _)| status.starts_with('2'));
    let answer = schema(success.and_then(|(_, response)| response.pointer("/content/application~1json")));
    let rest = responses.iter().filter(|(status, _)| !status.starts_with('2'));
    let body_kind = body.map(|(kind, _)| kind.clone()).unwrap_or_default();
    Entry {
        id: String::new(),
        role: String::new(),
        scope: String::new(),
        method: method.to_owned(),
        path: path.to_owned(),
        says: text(operation, "/summary"),
        parameters: list("/parameters").into_iter().map(parameter).collect(),
        example: example(schemas, method, path, &body_kind, body_schema.as_ref()),
        body: body_schema.map(|schema| fields(schemas, &schema)).unwrap_or_default(),
        body_kind,
        answer_status: success.map(|(status, _)| status.clone()).unwrap_or_default(),
        answer: answer.map(|schema| fields(schemas, &schema)).unwrap_or_default(),
        problems: rest.map(|(status, response)| (status.clone(), text(response, "/description"))).collect(),
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn resolve<'a>(schemas: &'a Map<String, Value>, schema: &'a Value) -> &'a Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    name.and_then(|name| schemas.get(name)).unwrap_or(schema)
}

/// The members of an object; of a list, those of its rows, too.
fn fields(schemas: &Map<String, Value>, schema: &Value) -> Vec<Field> {
    let schema = resolve(schemas, schema);
    let required = |name: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|required| required == name))
    };
    let mut all = Vec::new();
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let is_required = required(name);
        let known = resolve(schemas, member);
        let says = [member, known].iter().map(|schema| text(schema, "/description")).find(|says| !says.is_empty());
        all.push(Field { name: name.clone(), kind: kind_of(member), is_required, says: says.unwrap_or_default() });
        if name == "rows"
            && let Some(items) = member.get("items")
        {
            let rows = fields(schemas, items).into_iter();
            all.extend(rows.map(|field| Field { name: format!("rows[].{}", field.name), ..field }));
        }
    }
    for variant in schema.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        all.extend(fields(schemas, variant));
    }
    all
}

/// `string`, `integer or null`, `array of string`, `a, b or c`.
fn kind_of(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | ");
    }
    if let Some(variants) = schema.get("oneOf").and_then(Value::as_array) {
        return variants.iter().map(kind_of).filter(|kind| !kind.is_empty()).collect::<Vec<_>>().join(" | ");
    }
    let format = schema.get("format").and_then(Value::as_str).filter(|format| !format.starts_with("int"));
    let name = |kind: &Value| match (kind.as_str(), format) {
        (Some("string"), Some(format)) => format!("string ({format})"),
        (Some("array"), _) => format!("array of {}", schema.get("items").map(kind_of).unwrap_or_default()),
        (Some(kind), _) => kind.to_owned(),
        (None, _) => String::new(),
    };
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().map(name).collect::<Vec<_>>().join(" | "),
        Some(kind) => name(kind),
        None => String::new(),
    }
}

fn example(schemas: &Map<String, Value>, method: &str, path: &str, body_kind: &str, body: Option<&Value>) -> String {
    let path = path
        .replace("{domain}", "example.org")
        .replace("{other}", "example.net")
        .replace("{address}", "ann@example.org")
        .replace("{setting}", "warnings.queue_recipients");
    let verb = if method == "GET" { String::new() } else { format!(" -X {method}") };
    let body = match (body_kind, body) {
        ("text/csv", _) => " \\\n  -H 'Content-Type: text/csv' --data-binary @people.csv".to_owned(),
        ("text/vcard", _) => " \\\n  -H 'Content-Type: text/vcard' --data-binary @contacts.vcf".to_owned(),
        (kind, Some(schema)) => {
            format!(" \\\n  -H 'Content-Type: {kind}' \\\n  -d '{}'", sample(schemas, schema, method == "PATCH"))
        }
        _ => String::new(),
    };
    format!("{verb}|{path}|{body}")
}

/// A body that could be sent: what must be there; of a change, its first member.
fn sample(schemas: &Map<String, Value>, schema: &Value, is_change: bool) -> Value {
    let schema = resolve(schemas, schema);
    if let Some(variant) = schema.get("oneOf").and_then(Value::as_array).and_then(|variants| variants.first()) {
        return sample(schemas, variant, false);
    }
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let members = schema.get("properties").and_then(Value::as_object);
    let wanted = members.into_iter().flatten().enumerate().filter(|(place, (name, _))| {
        required.iter().any(|required| required == name.as_str()) || (is_change && required.is_empty() && *place == 0)
    });
    let value = |schema: &Value| {
        let schema = resolve(schemas, schema);
        let kind = schema.get("type").map(|kind| kind.get(0).unwrap_or(kind)).and_then(Value::as_str);
        match (schema.get("example").or_else(|| schema.pointer("/examples/0")), kind) {
            (Some(example), _) => example.clone(),
            (None, Some("array")) => json!(["ann@example.org"]),
            (None, Some("integer")) => json!(1_000_000_000),
            (None, Some("boolean")) => json!(true),
            (None, _) => json!("…"),
        }
    };
    Value::Object(wanted.map(|(_, (name, schema))| (name.clone(), value(schema))).collect())
}

#[derive(Debug, Template)]
#[template(path = "api/index.html")]
struct IndexPage {
    frame: Frame,
    /// Name, title, lead, operations.
    groups: Vec<(String, String, String, String)>,
    /// Name, status, title, what it means.
    problems: Vec<(&'static str, u16, String, String)>,
}

#[derive(Debug, Template)]
#[template(path = "api/group.html")]
struct GroupPage {
    frame: Frame,
    title: String,
    lead: String,
    entries: Vec<ShownEntry>,
}

/// An operation with what depends on the reader.
#[derive(Debug)]
struct ShownEntry {
    entry: Entry,
    role: String,
    /// `ok`, `info`, `warn` or `bad`: how much it changes.
    kind: &'static str,
    curl: String,
}

async fn bare(_guest: Guest) -> Redirect {
    Redirect::permanent(path::REFERENCE)
}

async fn index(guest: Guest, State(web): State<Web>) -> Response {
    let frame = guest.frame(&web);
    let groups = web.book().groups.iter().map(|chapter| {
        let count = u64::try_from(chapter.entries.len()).unwrap_or_default();
        let say = |what: &str| frame.say(&format!("api-group-{}{what}", chapter.name));
        (chapter.name.clone(), say(""), say("-lead"), frame.count("api-operations", count))
    });
    let problems = KINDS.into_iter().map(|(name, status)| {
        let title = frame.say(&format!("problem-{name}"));
        (name, status.as_u16(), title, frame.say(&format!("problem-{name}-about")))
    });
    shown(&IndexPage { groups: groups.collect(), problems: problems.collect(), frame })
}

async fn group(guest: Guest, State(web): State<Web>, Path(name): Path<String>) -> Oops {
    let chapter = web.book().groups.iter().find(|chapter| chapter.name == name);
    let chapter = chapter.ok_or_else(|| PageError(Failure::Absent(Text::new("error-no-page"))))?;
    let frame = guest.frame(&web);
    let entries = chapter.entries.iter().map(|entry| {
        let mut parts = entry.example.splitn(3, '|');
        let mut part = || parts.next().unwrap_or_default();
        let (verb, path, body) = (part(), part(), part());
        let curl = format!("curl{verb} {} \\\n  -H \"Authorization: Bearer $RELAIS_KEY\"{body}", web.link(path));
        let kind = match entry.method.as_str() {
            "GET" => "info",
            "DELETE" => "bad",
            _ => "warn",
        };
        ShownEntry { entry: entry.clone(), role: frame.say(&entry.role), kind, curl }
    });
    let say = |what: &str| frame.say(&format!("api-group-{name}{what}"));
    let (title, lead, entries) = (say(""), say("-lead"), entries.collect());
    Ok(shown(&GroupPage { frame, title, lead, entries }))
}

async fn problem(_guest: Guest, Path(name): Path<String>) -> Result<Redirect, PageError> {
    let known = KINDS.into_iter().find(|(known, _)| *known == name);
    let (name, _) = known.ok_or_else(|| PageError(Failure::Absent(Text::new("error-no-page"))))?;
    Ok(Redirect::to(&format!("{}#problem-{name}", path::REFERENCE)))
}
