//! What all operations share: problems, pages, versions, limits, doing a thing once.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use relais_httpd::Peer;
use relais_model::Clock as _;
use relais_service::{Moment, Role};
use serde_json::{Value, json};

use crate::api_house::{Answer, House};

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

/// A message with its line, as `/people/{address}/mail` takes it.
fn parcel(mailbox: &str, subject: &str, text: &str, minute: i64, flags: &str) -> String {
    let octets = letter(subject, text);
    let (at, size) = (1_767_225_600 + 60 * minute, octets.len());
    let line = format!(r#""mailbox":"{mailbox}","flags":[{flags}],"internal_date":{at},"size_octets":{size}"#);
    format!("{{{line}}}\n{octets}")
}

fn letter(subject: &str, text: &str) -> String {
    format!("From: Ann <ann@x.example>\r\nTo: user@house.example\r\nSubject: {subject}\r\n\r\n{text}\r\n")
}

fn subjects(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    answer.body["rows"].as_array().unwrap().iter().map(|row| row["subject"].as_str().unwrap()).collect()
}

/// What the webmail's search finds, one's own programs find, too: mailbox by mailbox, a page at a time.
#[tokio::test]
async fn ones_own_mail_is_looked_for_and_read() {
    let house = House::open().await;
    let owner = house.owner().await;
    let key = house.key("user@house.example", Role::User, "account:write").await;
    let file = async |parcels: String| {
        let filed = house.ask(&owner, "POST", "/people/user@house.example/mail", &parcels).await;
        assert_eq!(filed.status.as_u16(), 200, "{}", filed.body);
    };
    let lunch = "did you get my invoices? they are there";
    file(
        parcel("INBOX", "Invoice of May", "see below", 1, "")
            + &parcel("INBOX", "Lunch", lunch, 2, r#""\\Seen""#)
            + &parcel("INBOX", "Dinner", "nothing of that kind", 3, "")
            + &parcel("Work", "Old", "an invoice of last year", 4, "")
            + &parcel("Trash", "Thrown away", "an invoice of nobody", 5, ""),
    )
    .await;
    let found = async |query: &str| house.ask(&key, "GET", &format!("/me/messages?order=newest&{query}"), "").await;
    for (query, expected) in [
        ("limit=9", vec!["Dinner", "Lunch", "Invoice of May", "Old"]),
        ("q=invoice", vec!["Lunch", "Invoice of May", "Old"]),
        ("q=in:all+invoice", vec!["Lunch", "Invoice of May", "Old"]),
        ("q=is:unread+invoice", vec!["Invoice of May", "Old"]),
        ("q=subject:invoice", vec!["Invoice of May"]),
        ("q=%22last+year%22", vec!["Old"]),
        ("q=-invoice", vec!["Dinner"]),
        ("q=from:bob", vec![]),
        ("q=invoice&mailbox=inbox", vec!["Lunch", "Invoice of May"]),
        ("q=in:work", vec!["Old"]),
        ("mailbox=Trash", vec!["Thrown away"]),
        ("q=in:trash&mailbox=Work", vec!["Thrown away"]),
    ] {
        assert_eq!(subjects(&found(query).await), expected, "{query}");
    }

    let invoices = found("q=invoice").await;
    let row = &invoices.body["rows"][0];
    let octets = letter("Lunch", lunch);
    assert_eq!((&row["mailbox"], &row["uid"], &row["size_octets"]), (&json!("INBOX"), &json!(2), &json!(octets.len())));
    assert_eq!(row["from"], json!([{ "name": "Ann", "address": "ann@x.example" }]));
    assert_eq!(row["to"], json!([{ "name": "", "address": "user@house.example" }]));
    assert_eq!((&row["flags"], &row["arrived_at"]), (&json!(["\\Seen"]), &json!("2026-01-01T00:02:00Z")));
    let pieces = row["excerpt"].as_array().unwrap();
    let sought = pieces.iter().filter(|piece| piece["is_sought"] == true);
    let sought: Vec<_> = sought.map(|piece| piece["text"].as_str().unwrap()).collect();
    assert_eq!(sought, ["invoice"]);
    let id = row["id"].as_str().unwrap();
    assert_eq!(id, format!("{}.2", row["mailbox_id"].as_str().unwrap()));
    let message = house.ask(&key, "GET", &format!("/me/messages/{id}"), "").await;
    assert_eq!((message.header("content-type"), message.body.as_str()), ("message/rfc822", Some(octets.as_str())));
    assert_eq!(subjects(&found("q=is:unread").await).len(), 3, "who takes a message hasn't read it");

    // What comes between two pages shows no message twice, and hides none.
    let first = found("q=invoice&limit=1").await;
    assert_eq!(subjects(&first), ["Lunch"]);
    file(parcel("INBOX", "Invoice of June", "see below", 6, "")).await;
    let next = |answer: &Answer| format!("q=invoice&limit=1&after={}", answer.body["next"].as_str().unwrap());
    let second = found(&next(&first)).await;
    assert_eq!(subjects(&second), ["Invoice of May"]);
    let third = found(&next(&second)).await;
    assert_eq!((subjects(&third), &third.body["next"]), (vec!["Old"], &Value::Null));

    for (path, status, problem) in [
        ("/me/messages?q=is:blue", 422, "unfit"),
        ("/me/messages?after=nowhere", 422, "unfit"),
        ("/me/messages?order=oldest", 400, "query"),
        ("/me/messages?mailbox=Play", 404, "absent"),
        ("/me/messages?q=in:play", 404, "absent"),
        ("/me/messages/F1.1", 404, "absent"),
        ("/me/messages/nothing", 404, "absent"),
    ] {
        let answer = house.ask(&key, "GET", path, "").await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (status, problem), "{path}: {}", answer.body);
    }
    let misread = house.ask(&key, "GET", "/me/messages?q=lunch+before:yesterday", "").await;
    let error = &misread.body["errors"][0];
    assert_eq!(error["field"], "q");
    assert!(error["detail"].as_str().unwrap().contains("before:yesterday"), "{error}");
    let others = house.ask(&owner, "GET", &format!("/me/messages/{id}"), "").await;
    assert_eq!(others.problem(), "absent", "an owner has no way to another's mail");
    let look = house.key("user@house.example", Role::User, "account:read").await;
    assert_eq!(house.ask(&look, "GET", "/me/messages", "").await.problem(), "scope");
}

/// What one deleted stands in a list, comes back to its mailbox, or is gone for good: one's own, and nobody else's.
#[tokio::test]
async fn ones_own_deleted_mail_comes_back_or_goes_for_good() {
    let house = House::open().await;
    let owner = house.owner().await;
    let key = house.key("user@house.example", Role::User, "account:write").await;
    let parcels = ["One", "Two", "Three"].map(|subject| parcel("Work", subject, subject, 1, "")).concat();
    let filed = house.ask(&owner, "POST", "/people/user@house.example/mail", &parcels).await;
    assert_eq!(filed.status.as_u16(), 200, "{}", filed.body);
    let list = async |query: &str| house.ask(&key, "GET", &format!("/me/deleted-mail{query}"), "").await;
    let restore =
        async |key: &str, body: Value| house.ask(key, "POST", "/me/deleted-mail/restore", &body.to_string()).await;
    let in_work = async || {
        let answer = house.ask(&key, "GET", "/me/messages?mailbox=Work", "").await;
        let mut subjects: Vec<_> = subjects(&answer).into_iter().map(str::to_owned).collect();
        subjects.sort_unstable();
        subjects
    };
    assert_eq!(subjects(&list("").await), Vec::<&str>::new());
    house.expunge("user@house.example", "Work").await;
    assert_eq!(in_work().await, Vec::<String>::new());

    let all = list("").await;
    let mut deleted = subjects(&all);
    deleted.sort_unstable();
    assert_eq!(deleted, ["One", "Three", "Two"]);
    let id_of = |subject: &str| {
        let row = all.body["rows"].as_array().unwrap().iter().find(|row| row["subject"] == subject).unwrap();
        row["id"].as_str().unwrap().to_owned()
    };
    let row = &all.body["rows"][0];
    assert_eq!(row["mailbox"], "Work");
    assert_eq!(row["from"], json!({ "name": "Ann", "address": "ann@x.example" }));
    let deleted_at = row["deleted_at"].as_str().unwrap();
    let kept_until = deleted_at.replacen("2026-01-01", "2026-01-31", 1);
    assert_eq!(row["kept_until"], kept_until, "for 30 days");
    let page = list("?limit=2").await;
    let rest = list(&format!("?limit=2&after={}", page.body["next"].as_str().unwrap())).await;
    assert_eq!((subjects(&page).len(), subjects(&rest).len(), &rest.body["next"]), (2, 1, &Value::Null));

    assert_eq!(restore(&owner, json!({ "ids": [id_of("Two")] })).await.body["messages"], 0, "it isn't the owner's");
    let two = restore(&key, json!({ "ids": [id_of("Two"), "M1"] })).await;
    assert_eq!((two.status.as_u16(), &two.body["messages"]), (200, &json!(1)));
    assert_eq!(in_work().await, ["Two"]);
    assert_eq!(restore(&key, json!({ "since": "2027-01-01T00:00:00Z" })).await.body["messages"], 0);
    assert_eq!(restore(&key, json!({ "since": deleted_at })).await.body["messages"], 2);
    assert_eq!(in_work().await, ["One", "Three", "Two"]);
    let activity = house.ask(&owner, "GET", "/activity", "").await;
    let is_noted = |row: &Value| row["act"] == "mail.restore" && row["subject"] == "user@house.example";
    assert!(activity.body["rows"].as_array().unwrap().iter().any(is_noted), "{}", activity.body);
    for unfit in [json!({}), json!({ "ids": [] }), json!({ "ids": ["M1"], "since": deleted_at })] {
        let refused = restore(&key, unfit).await;
        assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["field"]), (422, &json!("ids")));
    }

    house.expunge("user@house.example", "Work").await;
    let one = format!("/me/deleted-mail/{}", id_of("One"));
    assert_eq!(house.ask(&owner, "DELETE", &one, "").await.problem(), "absent", "it isn't the owner's");
    assert_eq!(house.ask(&key, "DELETE", &one, "").await.status.as_u16(), 204);
    assert_eq!(house.ask(&key, "DELETE", &one, "").await.problem(), "absent");
    assert_eq!(house.ask(&key, "DELETE", "/me/deleted-mail", "").await.body["count"], 2);
    assert_eq!(subjects(&list("").await), Vec::<&str>::new());
    assert_eq!(restore(&key, json!({ "since": "2026-01-01T00:00:00Z" })).await.body["messages"], 0);
}

/// A mailbox that one deleted stands in a list, also an empty one, and comes back by its id with what was deleted along with it.
#[tokio::test]
async fn ones_own_deleted_mailboxes_come_back() {
    let house = House::open().await;
    let owner = house.owner().await;
    let key = house.key("user@house.example", Role::User, "account:write").await;
    let empty = "{\"mailbox\":\"Empty\",\"is_mailbox\":true,\"size_octets\":0}\n";
    let parcels = parcel("Work", "One", "One", 1, "") + empty;
    let filed = house.ask(&owner, "POST", "/people/user@house.example/mail", &parcels).await;
    assert_eq!(filed.status.as_u16(), 200, "{}", filed.body);
    for mailbox in ["Work", "Empty"] {
        house.delete_mailbox("user@house.example", mailbox).await;
        let gone = house.ask(&key, "GET", &format!("/me/messages?mailbox={mailbox}"), "").await;
        assert_eq!(gone.problem(), "absent");
    }

    let list = async || house.ask(&key, "GET", "/me/deleted-mailboxes", "").await.body["rows"].clone();
    let listed = list().await;
    let row_of = |name: &str| listed.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    assert_eq!((&row_of("Work")["messages"], &row_of("Empty")["messages"]), (&json!(1), &json!(0)));
    let page = house.ask(&key, "GET", "/me/deleted-mailboxes?limit=1", "").await;
    let after = page.body["next"].as_str().unwrap();
    let rest = house.ask(&key, "GET", &format!("/me/deleted-mailboxes?limit=1&after={after}"), "").await;
    assert_ne!(page.body["rows"][0]["id"], rest.body["rows"][0]["id"]);
    assert_eq!(rest.body["next"], Value::Null);

    let ids = json!({ "ids": [row_of("Work")["id"], row_of("Empty")["id"]] }).to_string();
    let restore = async |key: &str| house.ask(key, "POST", "/me/deleted-mail/restore", &ids).await.body;
    assert_eq!(restore(&owner).await, json!({ "messages": 0, "mailboxes": 0 }), "they aren't the owner's");
    assert_eq!(restore(&key).await, json!({ "messages": 1, "mailboxes": 2 }));
    assert_eq!(list().await, json!([]));
    assert_eq!(subjects(&house.ask(&key, "GET", "/me/messages?mailbox=Work", "").await), ["One"]);
    assert_eq!(subjects(&house.ask(&key, "GET", "/me/messages?mailbox=Empty", "").await), Vec::<&str>::new());

    house.delete_mailbox("user@house.example", "Empty").await;
    let again = list().await;
    let one = format!("/me/deleted-mail/{}", again[0]["id"].as_str().unwrap());
    assert_eq!(house.ask(&owner, "DELETE", &one, "").await.problem(), "absent", "it isn't the owner's");
    assert_eq!(house.ask(&key, "DELETE", &one, "").await.status.as_u16(), 204);
    assert_eq!(list().await, json!([]));
}
