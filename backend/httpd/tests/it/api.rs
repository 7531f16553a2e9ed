//! What all operations share: problems, pages, versions, limits, doing a thing once.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use relais_httpd::Peer;
use relais_model::Clock as _;
use relais_service::{Moment, Role};
use serde_json::{Value, json};

use crate::api_house::House;

#[tokio::test]
async fn what_goes_wrong_is_a_problem_document() {
    let house = House::open().await;
    let key = house.owner().await;
    let long = format!("{{\"domain\":\"{}\"}}", "a".repeat(1 << 20));
    for (method, path, body, status, problem) in [
        ("GET", "/nothing", "", 404, "not-found"),
        ("PUT", "/domains", "", 405, "method"),
        ("GET", "/domains?colour=red", "", 400, "query"),
        ("GET", "/domains/house.example?x=1", "", 400, "query"),
        ("GET", "/people?limit=many", "", 400, "query"),
        ("GET", "/people?limit=201", "", 400, "query"),
        ("PUT", "/domains?x=1", "", 405, "method"),
        ("GET", "/people?search=%00", "", 422, "no-text"),
        ("POST", "/domains", "{", 400, "body"),
        ("POST", "/domains", "[]", 400, "body"),
        ("POST", "/domains", r#"{"domain":"x.example","colour":"red"}"#, 400, "body"),
        ("POST", "/domains", "{\"domain\":\"\\u0000\"}", 422, "no-text"),
        ("POST", "/domains", r#"{"domain":"x.example","max_people":9007199254740992}"#, 422, "unfit"),
        // What means “all that there is” is never taken from a slip of the pen.
        ("POST", "/queue/remove", r#"{"matching":[]}"#, 400, "body"),
        ("POST", "/queue/remove", r#"{"matching":{"destinaton":"x.example"}}"#, 400, "body"),
        ("POST", "/queue/remove", r#"{"matching":null}"#, 422, "unfit"),
        ("POST", "/queue/remove", "{}", 422, "unfit"),
        ("POST", "/queue/remove", r#"{"items":["a"],"matching":{}}"#, 422, "unfit"),
        ("PUT", "/settings/house.name", "{}", 400, "body"),
        ("POST", "/domains", "address", 415, "type"),
        ("POST", "/domains", &long, 413, "too-large"),
        ("POST", "/domains", r#"{"domain":"no domain"}"#, 422, "unfit"),
        ("POST", "/domains", r#"{"domain":"house.example"}"#, 409, "clash"),
        ("GET", "/domains/nowhere.example", "", 404, "absent"),
    ] {
        let answer = house.ask(&key, method, path, body).await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (status, problem), "{method} {path}: {}", answer.body);
        assert_eq!(answer.body["status"], status);
        assert!(answer.body["detail"].as_str().is_some_and(|detail| !detail.starts_with("problem-")));
    }
    assert_eq!(house.ask(&key, "PUT", "/domains", "").await.header("allow"), "GET,HEAD,POST");
    let unread = house.ask(&key, "POST", "/domains", "{\n  \"x\"").await;
    assert_eq!((&unread.body["line"], &unread.body["column"]), (&json!(2), &json!(5)));
    let unfit = house.ask(&key, "POST", "/domains", r#"{"domain":"no domain"}"#).await;
    assert_eq!(unfit.body["errors"][0]["field"], "domain");
    let french = house.ask_with(&key, "GET", "/nothing", "", &[("accept-language", "fr")]).await;
    assert_eq!(french.body["title"], "Pas d'opération de ce nom");
    assert_eq!(french.header("content-language"), "fr");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let house = House::open().await;
    let key = house.owner().await;
    let (mut path, mut seen) = ("/people?limit=4&domain=house.example".to_owned(), Vec::new());
    loop {
        let page = house.ask(&key, "GET", &path, "").await;
        seen.extend(
            page.body["rows"].as_array().unwrap().iter().map(|row| row["address"].as_str().unwrap().to_owned()),
        );
        let link = page.header("link").to_owned();
        if link.is_empty() {
            assert_eq!(page.body["next"], Value::Null);
            break;
        }
        path = link.strip_prefix("</api/v1").unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        assert!(path.contains("limit=4&domain=house.example&after="), "{path}");
    }
    let expected: Vec<_> =
        ["admin", "ann", "desk", "owner", "user"].iter().map(|name| format!("{name}@house.example")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_version_guards_reading_and_changing() {
    let house = House::open().await;
    let key = house.owner().await;
    let path = "/people/ann@house.example";
    let read = house.ask(&key, "GET", path, "").await;
    let etag = read.header("etag").to_owned();
    assert_eq!(etag, format!("\"{}\"", read.body["version"].as_str().unwrap()));
    let again = house.ask_with(&key, "GET", path, "", &[("if-none-match", &etag)]).await;
    assert_eq!((again.status.as_u16(), again.header("etag")), (304, etag.as_str()));
    let change = r#"{"name":"Ann","quota_octets":5000000}"#;
    let changed = house.ask_with(&key, "PATCH", path, change, &[("if-match", &etag)]).await;
    assert_eq!((changed.status.as_u16(), &changed.body["quota_octets"]), (200, &json!(5_000_000)));
    assert_ne!(changed.header("etag"), etag);
    let stale = house.ask_with(&key, "PATCH", path, "{}", &[("if-match", &etag)]).await;
    assert_eq!((stale.status.as_u16(), stale.problem()), (412, "stale"));
    // RFC 7396: what is absent stays, null clears.
    let cleared = house.ask_with(&key, "PATCH", path, r#"{"quota_octets":null}"#, &[("if-match", "*")]).await;
    assert_eq!((&cleared.body["name"], &cleared.body["quota_octets"]), (&json!("Ann"), &Value::Null));
    let bad = house.ask_with(&key, "PATCH", path, "{}", &[("if-match", "x")]).await;
    assert_eq!(bad.problem(), "header");
    let none = house.ask_with(&key, "PATCH", path, "{}", &[("if-match", "")]).await;
    assert_eq!((none.status.as_u16(), none.problem()), (412, "stale"), "an empty list names no version");
    let stale = house.ask_with(&key, "DELETE", path, "", &[("if-match", &etag)]).await;
    assert_eq!(stale.problem(), "stale");
}

#[tokio::test]
async fn a_post_that_is_sent_twice_is_done_once() {
    let house = House::open().await;
    let key = house.owner().await;
    let once = [("idempotency-key", "first")];
    let body = r#"{"domain":"once.example"}"#;
    let first = house.ask_with(&key, "POST", "/domains", body, &once).await;
    let again = house.ask_with(&key, "POST", "/domains", body, &once).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201));
    assert_eq!((&first.body, first.header("location")), (&again.body, again.header("location")));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    let other = house.ask_with(&key, "POST", "/domains", r#"{"domain":"two.example"}"#, &once).await;
    assert_eq!((other.status.as_u16(), other.problem()), (422, "key-reused"));
    let another_key = house.owner().await;
    let clash = house.ask_with(&another_key, "POST", "/domains", body, &once).await;
    assert_eq!(clash.problem(), "clash", "another key has names of its own");
    for unfit in ["", "two words", "\"", "a\"b"] {
        let bad = house.ask_with(&key, "POST", "/domains", body, &[("idempotency-key", unfit)]).await;
        assert_eq!((bad.status.as_u16(), bad.problem()), (400, "header"), "{unfit}");
    }
    // What failed is not remembered.
    let failed = [("idempotency-key", "second")];
    assert_eq!(house.ask_with(&key, "POST", "/domains", body, &failed).await.problem(), "clash");
    let mended = house.ask_with(&key, "POST", "/domains", r#"{"domain":"mended.example"}"#, &failed).await;
    assert_eq!(mended.status.as_u16(), 201);
    // Secrets are not repeated.
    let link = [("idempotency-key", "third")];
    let path = "/people/ann@house.example/password-link";
    let shown = house.ask_with(&key, "POST", path, "", &link).await;
    assert!(shown.body["link"].as_str().unwrap().starts_with("https://mx.house.example/link/"));
    let again = house.ask_with(&key, "POST", path, "", &link).await;
    assert_eq!((again.status.as_u16(), &again.body["link"]), (201, &Value::Null));
    house.clock.advance(Duration::from_hours(24));
    let late = house.ask_with(&key, "POST", "/domains", body, &once).await;
    assert_eq!(late.problem(), "clash", "a day later it is forgotten");
}

#[tokio::test]
async fn askers_are_limited_and_told() {
    let house = House::open().await;
    let key = house.owner().await;
    let first = house.ask(&key, "GET", "/me", "").await;
    assert_eq!(first.header("ratelimit-policy"), "\"key\";q=100;w=10");
    assert_eq!(first.header("ratelimit"), "\"key\";r=99;t=1");
    for _ in 1..100 {
        house.ask(&key, "GET", "/me", "").await;
    }
    let refused = house.ask(&key, "GET", "/me", "").await;
    assert_eq!((refused.status.as_u16(), refused.problem(), refused.header("retry-after")), (429, "too-many", "1"));
    house.clock.advance(Duration::from_millis(200));
    assert_eq!(house.ask(&key, "GET", "/me", "").await.status.as_u16(), 200);
    for _ in 0..30 {
        assert_eq!(house.ask("relais_guess", "GET", "/me", "").await.problem(), "bad-key");
    }
    assert_eq!(house.ask("relais_guess", "GET", "/me", "").await.problem(), "too-many");
    assert_eq!(house.ask(&key, "GET", "/me", "").await.status.as_u16(), 200, "a good key from there still counts");
}

#[tokio::test]
async fn the_control_socket_needs_no_key_and_a_cookie_opens_nothing() {
    let house = House::open().await;
    let request = || Request::builder().uri("/api/v1/domains");
    let mut host = request().body(Body::empty()).unwrap();
    host.extensions_mut().insert(Peer::Host);
    let answer = house.send(host).await;
    assert_eq!((answer.status.as_u16(), answer.body["rows"].as_array().unwrap().len()), (200, 3));
    let cookie = request().header("cookie", "__Host-relais=x").body(Body::empty()).unwrap();
    assert_eq!(house.send(cookie).await.problem(), "no-key");
}

#[tokio::test]
async fn a_key_may_no_more_than_its_role() {
    let house = House::open().await;
    let key = house.key("owner@house.example", Role::HelpDesk, "*").await;
    assert_eq!(house.ask(&key, "GET", "/people", "").await.status.as_u16(), 200);
    assert_eq!(house.ask(&key, "POST", "/domains", r#"{"domain":"x.example"}"#).await.problem(), "forbidden");
    let look = house.key("owner@house.example", Role::Owner, "people:read").await;
    assert_eq!(house.ask(&look, "GET", "/people", "").await.status.as_u16(), 200);
    assert_eq!(house.ask(&look, "PATCH", "/people/ann@house.example", "{}").await.problem(), "scope");
}

#[tokio::test]
async fn the_reference_shows_every_operation() {
    let house = House::open().await;
    let index = house.ask("", "GET", "/", "").await;
    assert_eq!(index.status.as_u16(), 200);
    let index = index.body.as_str().unwrap().to_owned();
    let document = house.ask("", "GET", "/openapi.json", "").await.body;
    for operation in document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
    {
        let (group, id) = (operation["tags"][0].as_str().unwrap(), operation["operationId"].as_str().unwrap());
        assert!(index.contains(&format!("/api/v1/reference/{group}")), "{group}");
        let page = house.ask_with("", "GET", &format!("/reference/{group}"), "", &[("accept-language", "fr")]).await;
        let page = page.body.as_str().unwrap().to_owned();
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
        assert!(page.len() < 100_000, "{group} has {} octets", page.len());
        assert!(!page.contains("api-group-"), "{group} has a title");
    }
    let problem = house.ask("", "GET", "/problems/unfit", "").await;
    assert_eq!((problem.status.as_u16(), problem.header("location")), (303, "/api/v1/#problem-unfit"));
}

#[tokio::test]
async fn one_signs_in_otherwise_by_a_program() {
    let house = House::open().await;
    let key = house.owner().await;
    let set = |body: Value| body.to_string();
    let first = set(json!({ "password": "a quite long pass phrase" }));
    assert_eq!(house.ask(&key, "PUT", "/me/password", &first).await.status, 204, "there was none");
    let wrong = set(json!({ "old_password": "another pass phrase", "password": "the third pass phrase" }));
    let refused = house.ask(&key, "PUT", "/me/password", &wrong).await;
    assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["field"]), (422, &json!("old_password")));
    let right = set(json!({ "old_password": "a quite long pass phrase", "password": "the third pass phrase" }));
    assert_eq!(house.ask(&key, "PUT", "/me/password", &right).await.status, 204);

    let offered = house.ask(&key, "POST", "/me/second-factor", "").await;
    assert!(offered.body["uri"].as_str().is_some_and(|uri| uri.starts_with("otpauth://totp/")), "{}", offered.body);
    assert_eq!(house.ask(&key, "PUT", "/me/second-factor", r#"{"code":"abc"}"#).await.status, 422);
    assert_eq!(house.ask(&key, "GET", "/me/second-factor", "").await.body["on_since"], Value::Null);

    let tomorrow = Moment(house.clock.now().plus(Duration::from_hours(24)));
    let new = json!({ "name": "Child", "role": "owner", "scopes": ["account:read"], "expires_at": tomorrow });
    let made = house.ask(&key, "POST", "/keys", &new.to_string()).await;
    let child = made.body["key"].as_str().unwrap().to_owned();
    assert_eq!(house.ask(&child, "GET", "/me", "").await.status, 200);
    assert_eq!(house.ask(&child, "GET", "/domains", "").await.problem(), "scope");
    let past = r#"{"name":"Past","scopes":["*"],"expires_at":"2000-01-01T00:00:00Z"}"#;
    let past = house.ask(&key, "POST", "/keys", past).await;
    assert_eq!((past.status.as_u16(), &past.body["errors"][0]["field"]), (422, &json!("expires_at")));
    let theirs = r#"{"name":"Theirs","scopes":["*"],"owner":"user@house.example"}"#;
    assert_eq!(house.ask(&key, "POST", "/keys", theirs).await.problem(), "forbidden", "only on the machine itself");
}
