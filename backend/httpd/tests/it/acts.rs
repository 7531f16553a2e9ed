//! What people do over the pages is done: it reads back as it was typed, and mail that comes afterwards goes by it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, SET_COOKIE};
use axum::http::{Method, Request};
use relais_httpd::Peer;
use relais_model::{Address, MailboxName};
use relais_service::{ApiKeyForm, Role, Scopes};
use relais_store::{Author, DomainChange, Page};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::form_urlencoded;

use crate::house::{Answer, Browser, House, domain};

const USER: &str = "user@one.example";
const DESK: &str = "desk@one.example";
const DORA: &str = "dora@shop.example";
/// A list that the user looks after, and is on beside [`MEMBER`].
const LIST: &str = "own@one.example";
const MEMBER: &str = "m@else.example";

const RULES: &str = "/panel/account/rules";
const RULE: &str = "/panel/account/rules/rule";
const ABSENCE: &str = "/panel/account/rules/absence";
const FORWARDING: &str = "/panel/account/rules/forwarding";
const SCRIPT: &str = "/panel/account/rules/script";
const LIST_PAGE: &str = "/panel/lists/own@one.example";

/// A house, and the user's browser in it.
async fn user_at_home() -> (House, Browser) {
    let house = House::open().await;
    let user = house.browser(Some(Role::User)).await;
    (house, user)
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What stands in the fields of this name, in their order.
fn values<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!("name=\"{name}\" value=\"");
    page.split(start.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

fn value<'a>(page: &'a str, name: &str) -> &'a str {
    values(page, name).first().copied().unwrap_or_else(|| panic!("{name} in {page}"))
}

fn is_checked(page: &str, name: &str) -> bool {
    page.contains(&format!("name=\"{name}\" value=\"on\" checked"))
}

/// What is chosen in the lines of a rule.
fn chosen(page: &str) -> Vec<&str> {
    let lines = page.split("<div class=\"rule-line").skip(1).filter_map(|rest| rest.split("</div>").next());
    let options = lines.flat_map(|line| line.split("<option value=\"").skip(1));
    let is_chosen = |option: &&str| option.split('>').next().is_some_and(|tag| tag.ends_with(" selected"));
    options.filter(is_chosen).filter_map(|option| option.split('"').next()).collect()
}

/// The same browser, that has taken along what the next page tells.
fn told(browser: &Browser, answer: &Answer) -> Browser {
    let flash = answer.headers.get(SET_COOKIE).unwrap().to_str().unwrap().split(';').next().unwrap();
    Browser { cookie: format!("{}; {flash}", browser.cookie), ..browser.clone() }
}

fn letter(from: &str, to: &str, more: &str) -> String {
    format!("From: {from}\nTo: {to}\nSubject: Moves\nMessage-ID: <letter@shop.example>\n{more}\nHello\n")
}

/// How many messages are in each of the user's mailboxes of these names.
async fn counts<const N: usize>(house: &House, mailboxes: [&str; N]) -> [usize; N] {
    let mut counts = [0; N];
    for (count, mailbox) in counts.iter_mut().zip(mailboxes) {
        *count = house.mail(USER, mailbox).await.len();
    }
    counts
}

/// What runs over the user's mail.
async fn running(house: &House) -> Option<String> {
    let account = house.store.account(&Address::parse(USER).unwrap()).await.unwrap().unwrap().key;
    house.store.active_sieve_script(account).await.unwrap().map(|script| script.text.to_string())
}

/// A key of who has this role, for all that they may.
async fn key(house: &House, role: Role) -> String {
    let scopes = Scopes::parse(["*"]).unwrap();
    let form = ApiKeyForm { name: "Script".to_owned(), role, scopes, expires_at: None };
    house.access.create_api_key(&house.actor(role).await, None, form).await.unwrap().expose().to_owned()
}

/// The status, and the body.
async fn api(house: &House, key: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    let request =
        request.header(AUTHORIZATION, format!("Bearer {key}")).extension(Peer::Network([192, 0, 2, 1].into()));
    let request = match body {
        Some(body) => request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    let response = house.router.clone().oneshot(request.unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let octets = to_bytes(response.into_body(), 1024 * 1024).await.unwrap();
    (status, serde_json::from_slice(&octets).unwrap_or_default())
}

#[tokio::test]
async fn a_rule_made_by_the_page_reads_back_and_runs() {
    let (house, user) = user_at_home().await;
    let page = user.get(RULE).await.body;
    let rule = form(&[
        ("mark", value(&page, "mark")),
        ("at", value(&page, "at")),
        ("name", "Chess club"),
        ("any", "any"),
        ("is_on", "on"),
        ("stops", "on"),
        ("of", "from"),
        ("header", ""),
        ("how", "contains"),
        ("value", "chess.example"),
        ("of", "header"),
        ("header", "X-Club"),
        ("how", "is"),
        ("value", "chess"),
        ("act", "move"),
        ("act_value", "Clubs/Chess"),
        ("act", "read"),
        ("act_value", ""),
        ("do", "save"),
    ]);
    assert_eq!(user.post(RULE, &rule).await.short(), format!("303 {RULES}"));

    // As it was typed, but that a flag stands before what is filed with it; behind it the lines that say nothing.
    let page = user.get(&format!("{RULE}?at=0")).await.body;
    assert_eq!(values(&page, "name"), ["Chess club"]);
    assert_eq!(chosen(&page), ["from", "contains", "header", "is", "", "", "read", "move", ""], "{page}");
    assert_eq!(values(&page, "header"), ["", "X-Club", "", ""]);
    assert_eq!(values(&page, "value"), ["chess.example", "chess", "", ""]);
    assert_eq!(values(&page, "act_value"), ["", "Clubs/Chess", ""]);
    assert!(page.contains("name=\"any\" value=\"any\" checked") && is_checked(&page, "is_on"), "{page}");
    assert!(is_checked(&page, "stops"), "{page}");
    let list = user.get(RULES).await.body;
    for said in ["Chess club", "chess.example", "Move it to Clubs/Chess", "Mark it as read", "Look at no other rule"] {
        assert!(list.contains(said), "{said} in {list}");
    }

    // What the page shows as a script is what runs.
    let script = running(&house).await.unwrap();
    assert!(script.contains("fileinto :create \"Clubs/Chess\";"), "{script}");
    let shown = user.get(SCRIPT).await.body;
    assert!(shown.contains("fileinto :create &#34;Clubs/Chess&#34;;"), "{shown}");

    let places = ["Clubs/Chess", "INBOX"];
    assert_eq!(counts(&house, places).await, [0, 1]);
    house.comes("news@chess.example", USER, &letter("news@chess.example", USER, "")).await;
    assert_eq!(counts(&house, places).await, [1, 1]);
    house.comes(DORA, USER, &letter(DORA, USER, "X-Club: chess\n")).await;
    assert_eq!(counts(&house, places).await, [2, 1]);
    house.comes(DORA, USER, &letter(DORA, USER, "X-Club: chess boxing\n")).await;
    assert_eq!(counts(&house, places).await, [2, 2], "what no condition fits stays");
    let account = house.store.account(&Address::parse(USER).unwrap()).await.unwrap().unwrap().key;
    let chess = MailboxName::parse("Clubs/Chess").unwrap();
    assert_eq!(house.store.mailbox(account, &chess).await.unwrap().unwrap().unseen, 0, "marked as read");
    house.check().await;
}

#[tokio::test]
async fn rules_hold_in_the_order_that_the_page_gives_them() {
    let (house, user) = user_at_home().await;
    let before = user.get(RULE).await.body;
    for name in ["First", "Second"] {
        let mark = user.get(RULE).await.body;
        let rule = [
            ("mark", value(&mark, "mark")),
            ("name", name),
            ("any", "all"),
            ("is_on", "on"),
            ("stops", "on"),
            ("of", "subject"),
            ("header", ""),
            ("how", "is"),
            ("value", "Moves"),
            ("act", "move"),
            ("act_value", name),
            ("do", "save"),
        ];
        assert_eq!(user.post(RULE, &form(&rule)).await.short(), format!("303 {RULES}"));
    }
    let stale = form(&[("mark", value(&before, "mark")), ("at", "0"), ("act", "remove")]);
    assert_eq!(user.post(RULES, &stale).await.status.as_u16(), 412, "of a page that is no longer so");
    let places = ["First", "Second", "INBOX"];
    // What is pressed, at which rule; the names in their order afterwards; and where all letters so far lie.
    for (act, at, order, expected) in [
        ("", "0", &["First", "Second"][..], [1, 0, 1]),
        ("down", "0", &["Second", "First"], [1, 1, 1]),
        ("up", "1", &["First", "Second"], [2, 1, 1]),
        ("switch", "0", &["First", "Second"], [2, 2, 1]),
        ("switch", "0", &["First", "Second"], [3, 2, 1]),
        ("remove", "0", &["Second"], [3, 3, 1]),
        ("remove", "0", &[], [3, 3, 2]),
    ] {
        let page = user.get(RULES).await.body;
        if !act.is_empty() {
            let pressed = form(&[("mark", value(&page, "mark")), ("at", at), ("act", act)]);
            assert_eq!(user.post(RULES, &pressed).await.short(), format!("303 {RULES}"), "{act}");
        }
        let page = user.get(RULES).await.body;
        let rules = page.split("<ol class=\"rules\">").nth(1).unwrap_or_default();
        let names: Vec<_> = rules.split("<h3>").skip(1).filter_map(|rest| rest.split([' ', '<']).next()).collect();
        assert_eq!(names, order, "{act} {at}");
        house.comes(DORA, USER, &letter(DORA, USER, "")).await;
        assert_eq!(counts(&house, places).await, expected, "{act} {at}");
    }
    house.check().await;
}

/// RFC 5230 §4.2: who writes is answered once; within the days that the page was told.
#[tokio::test]
async fn who_writes_within_an_absence_is_answered_once() {
    let (house, user) = user_at_home().await;
    let page = user.get(ABSENCE).await.body;
    let away = form(&[
        ("mark", value(&page, "mark")),
        ("is_on", "on"),
        ("from", "2026-01-05"),
        ("until", "2026-01-10"),
        ("subject", "Away"),
        ("text", "Back on Monday."),
        ("days", "30"),
        ("addresses", "me@else.example"),
    ]);
    assert_eq!(user.post(ABSENCE, &away).await.short(), format!("303 {RULES}"));
    let page = user.get(ABSENCE).await.body;
    for (name, expected) in [
        ("from", "2026-01-05"),
        ("until", "2026-01-10"),
        ("subject", "Away"),
        ("days", "30"),
        ("addresses", "me@else.example"),
    ] {
        assert_eq!(value(&page, name), expected, "{name}");
    }
    assert!(is_checked(&page, "is_on") && page.contains(">\nBack on Monday.</textarea>"), "{page}");
    let list = user.get(RULES).await.body;
    assert!(list.contains("Whoever writes is answered from 2026-01-05 until 2026-01-10."), "{list}");

    let writes = async |from: &str| {
        house.comes(from, USER, &letter(from, USER, "")).await;
        house.queued_for(from).await
    };
    assert_eq!(writes(DORA).await.len(), 0, "before the first day");
    house.clock.advance(Duration::from_hours(6 * 24));
    assert_eq!(writes(DORA).await.len(), 1);
    let answers = writes(DORA).await;
    assert_eq!(answers.len(), 1, "once");
    for said in ["Subject: Away\r\n", "Auto-Submitted: auto-replied", "Back on Monday."] {
        assert!(answers[0].contains(said), "{said} in {}", answers[0]);
    }
    assert_eq!(writes("carl@shop.example").await.len(), 1, "each of them");
    house.clock.advance(Duration::from_hours(7 * 24));
    assert_eq!(writes("eve@shop.example").await.len(), 0, "behind the last day");
    assert_eq!(counts(&house, ["INBOX"]).await, [6], "all of it is kept");
    house.check().await;
}

#[tokio::test]
async fn mail_is_sent_on_as_the_page_says() {
    let (house, user) = user_at_home().await;
    let there = "me@else.example";
    // With a copy, without, and no longer: what goes on, and what is here.
    for (to, keeps, sent, here) in [(there, true, 1, 2), (there, false, 2, 2), ("", true, 2, 3)] {
        let page = user.get(FORWARDING).await.body;
        let mut fields = vec![("mark", value(&page, "mark")), ("is_on", "on"), ("to", to)];
        fields.extend(keeps.then_some(("keeps", "on")));
        assert_eq!(user.post(FORWARDING, &form(&fields)).await.short(), format!("303 {RULES}"), "{to} {keeps}");
        let page = user.get(FORWARDING).await.body;
        assert_eq!((value(&page, "to"), is_checked(&page, "keeps")), (to, keeps), "{page}");
        assert_eq!(is_checked(&page, "is_on"), !to.is_empty(), "{page}");
        let list = user.get(RULES).await.body;
        let said = match (to, keeps) {
            ("", _) => "Nothing is sent on.",
            (_, true) => "Send it on to me@else.example, and keep a copy",
            (_, false) => "Send it on to me@else.example, and keep nothing",
        };
        assert!(list.contains(said), "{said} in {list}");
        house.comes(DORA, USER, &letter(DORA, USER, "")).await;
        assert_eq!((house.queued_for(there).await.len(), counts(&house, ["INBOX"]).await), (sent, [here]), "{said}");
    }
    let sent_on = house.queued_for(there).await;
    assert!(sent_on.iter().all(|copy| copy.contains("Subject: Moves")), "{sent_on:?}");
    house.check().await;
}

#[tokio::test]
async fn a_script_by_hand_runs_and_a_broken_one_is_told_where() {
    let (house, user) = user_at_home().await;
    let typed = "# mine\r\nkeep;\r\n  kep;\r\n";
    for act in ["save", "check", "try"] {
        let refused = user.post(SCRIPT, &form(&[("script", typed), ("do", act)])).await;
        assert_eq!(refused.status.as_u16(), 422, "{act}");
        for said in
            ["Line 3, column 3", "The command “kep” is not known.", "Did you mean “keep”?", "<code>  kep;</code>"]
        {
            assert!(refused.body.contains(said), "{act}: {said} in {}", refused.body);
        }
        assert!(refused.body.contains(">\n# mine\nkeep;\n  kep;\n</textarea>"), "what was typed: {}", refused.body);
    }
    assert_eq!(running(&house).await, None, "nothing of it is kept");
    let sound = "require [\"fileinto\", \"mailbox\"];\r\nfileinto :create \"By/Hand\";\r\n";
    let checked = user.post(SCRIPT, &form(&[("script", sound), ("do", "check")])).await;
    assert_eq!((checked.status.as_u16(), running(&house).await), (200, None), "looked at, and no more");
    let saved = user.post(SCRIPT, &form(&[("script", sound), ("do", "save")])).await;
    assert_eq!(saved.short(), format!("303 {RULES}"));
    assert_eq!(running(&house).await, Some(sound.replace("\r\n", "\n")));
    let page = user.get(SCRIPT).await.body;
    assert!(page.contains("fileinto :create &#34;By/Hand&#34;;"), "{page}");
    house.comes(DORA, USER, &letter(DORA, USER, "")).await;
    assert_eq!(counts(&house, ["By/Hand", "INBOX"]).await, [1, 1]);
    house.check().await;
}

/// Who decides about a post that waits, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Page,
    Api,
}

/// docs/addresses.md: what waits is let out or turned away by whoever looks after the list; the author of what is turned away isn't told.
#[tokio::test]
async fn a_post_that_waits_goes_out_or_is_turned_away() {
    for way in [Way::Page, Way::Api] {
        let (house, user) = user_at_home().await;
        let key = key(&house, Role::User).await;
        let moderated = house.fill_form("version=$version&title=All&posters=moderated", LIST_PAGE).await;
        assert_eq!(user.post(LIST_PAGE, &moderated).await.short(), format!("303 {LIST_PAGE}"));
        let waiting = async || {
            let page = user.get(LIST_PAGE).await.body;
            let (status, told) = api(&house, &key, Method::GET, "/lists/own@one.example/posts", None).await;
            assert_eq!(status, 200, "{told}");
            let rows = told["rows"].as_array().unwrap();
            let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(values(&page, "post"), ids, "the page shows what the API tells");
            ids
        };
        let decides = async |id: &str, act: &str| match way {
            Way::Page => {
                user.post(&format!("{LIST_PAGE}/posts"), &form(&[("post", id), ("act", act)])).await.status.as_u16()
            }
            Way::Api => {
                let path = format!("/lists/own@one.example/posts/{id}/{act}");
                api(&house, &key, Method::POST, &path, None).await.0
            }
        };
        let done = if way == Way::Page { 303 } else { 204 };
        for (act, subject, copies) in [("approve", "Cake", 1), ("reject", "Spam", 1)] {
            let raw = format!("From: {DESK}\nTo: {LIST}\nSubject: {subject}\n\nWhat of {subject}?\n");
            house.sends(DESK, LIST, &raw).await;
            house.serve_queue().await;
            let ids = waiting().await;
            let [id] = ids.as_slice() else { panic!("{way:?} {act}: {ids:?}") };
            let id = id.as_str();
            let shown = user.get(&format!("{LIST_PAGE}/posts/{id}")).await.body;
            assert!(shown.contains(&format!("What of {subject}?")), "{shown}");
            assert_eq!(house.queued_for(MEMBER).await.len(), usize::from(act == "reject"), "it waits");

            assert_eq!(decides(id, act).await, done, "{way:?} {act}");
            assert_eq!(waiting().await, Vec::<String>::new(), "{way:?} {act}");
            house.serve_queue().await;
            assert_eq!(house.queued_for(MEMBER).await.len(), copies, "{way:?} {act}");
            let here = house.mail(USER, "INBOX").await;
            // Letters to the list's owners aren't left.
            let is_copy = |raw: &&String| raw.contains("\r\nList-Unsubscribe-Post: ");
            assert_eq!(here.iter().filter(is_copy).count(), copies, "{way:?} {act}: {here:?}");
            assert_eq!(decides(id, act).await, 404, "{way:?} {act}: it is decided");
        }
        let copy = house.queued_for(MEMBER).await.remove(0);
        assert!(copy.contains("Subject: Cake\r\n") && copy.contains(&format!("From: {DESK}")), "{copy}");
        assert_eq!(house.mail(DESK, "INBOX").await, Vec::<String>::new(), "the author is told of neither");
        house.check().await;
    }
}

/// RFC 8058 §3.1, §3.2: the address of a copy's header takes its member off by a POST alone, without cookie or token.
#[tokio::test]
async fn one_click_takes_the_member_off_whose_copy_it_was() {
    let (house, _user) = user_at_home().await;
    house.sends(USER, LIST, &format!("From: {USER}\nTo: {LIST}\nSubject: Cake\n\nHello\n")).await;
    house.serve_queue().await;
    let copy = house.queued_for(MEMBER).await.remove(0);
    assert!(copy.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{copy}");
    let (_, link) = copy.split_once("\r\nList-Unsubscribe: <https://mx.one.example").unwrap();
    let link = link.split('>').next().unwrap();
    let list = house.store.list(&Address::parse(LIST).unwrap()).await.unwrap().unwrap().key;
    let members = async || {
        let found = house.store.list_members(list, None, &Page::first()).await.unwrap().rows;
        found.into_iter().map(|member| member.address.to_string()).collect::<Vec<_>>()
    };
    let nobody = Browser::new(&house.router);
    // Programs look at what stands in mail before people do: looking takes nobody off.
    assert_eq!(nobody.get(link).await.status.as_u16(), 200);
    assert_eq!(nobody.ask(Method::HEAD, link, Body::empty()).await.status.as_u16(), 200);
    assert_eq!(members().await, [MEMBER, USER]);
    let click = async |link: &str| nobody.post_with(None, link, "List-Unsubscribe=One-Click").await.status.as_u16();
    let forged = format!("{link}x");
    assert_eq!(click(forged.as_str()).await, 200, "a mark that isn't ours is answered alike");
    assert_eq!(members().await, [MEMBER, USER]);
    assert_eq!(click(link).await, 200);
    assert_eq!(members().await, [USER]);
    assert_eq!(click(link).await, 200, "twice is no error");
    assert_eq!(members().await, [USER]);
    house.sends(USER, LIST, &format!("From: {USER}\nTo: {LIST}\nSubject: More cake\n\nHello\n")).await;
    house.serve_queue().await;
    assert_eq!(house.queued_for(MEMBER).await.len(), 1, "nothing more is sent there");
    house.check().await;
}

#[tokio::test]
async fn deleted_mail_is_brought_back_by_the_persons_page() {
    let (house, user) = user_at_home().await;
    let admin = house.browser(Some(Role::DomainAdmin)).await;
    let there = format!("/panel/people/{USER}");
    assert!(!admin.get(&there).await.body.contains("/restore-mail\""), "nothing was deleted yet");
    let inbox = house.fill("$inbox").await;
    let account = house.store.account(&Address::parse(USER).unwrap()).await.unwrap().unwrap().key;
    let trash = house.store.mailbox_key(account, &MailboxName::parse("Trash").unwrap()).await.unwrap().unwrap();
    let trash = trash.mailbox_id();
    for mailbox in [inbox.clone(), trash] {
        let deleted = user.post(&format!("/mail/{mailbox}/acts"), "uid=1&act=delete&next=/mail").await;
        assert_eq!(deleted.short(), "303 /mail");
    }
    assert_eq!(counts(&house, ["INBOX", "Trash"]).await, [0, 0]);
    let page = admin.get(&there).await.body;
    assert!(page.contains("/restore-mail\"") && page.contains("<p>1 message, "), "{page}");
    assert!(!page.contains("Sale"), "who runs the house sees how much it is, and none of it");

    house.clock.advance(Duration::from_hours(2));
    let nothing = admin.post(&format!("{there}/restore-mail"), "hours=1").await;
    assert!(told(&admin, &nothing).get(&there).await.body.contains("None of these"), "deleted longer ago");
    assert_eq!(counts(&house, ["INBOX", "Trash"]).await, [0, 0]);
    let restored = admin.post(&format!("{there}/restore-mail"), "hours=24").await;
    assert_eq!(restored.short(), format!("303 {there}"));
    let page = told(&admin, &restored).get(&there).await.body;
    assert!(page.contains("1 message brought back.") && !page.contains("/restore-mail\""), "{page}");
    assert_eq!(counts(&house, ["INBOX", "Trash"]).await, [1, 0], "where it stood before Trash");
    assert!(user.get(&format!("/mail/{inbox}")).await.body.contains("Sale"));
    house.check().await;
}

/// Decision 59: owners say which tenant a domain is of, when they add it, too.
#[tokio::test]
async fn a_domain_is_added_to_a_tenant() {
    let house = House::open().await;
    let (owner, admin) = (house.browser(Some(Role::Owner)).await, house.browser(Some(Role::DomainAdmin)).await);
    let (add, there) = ("/panel/domains/new", "/panel/domains/new.example");
    assert_eq!(values(&owner.get(add).await.body, "tenant"), [""]);
    let refused = owner.post(add, &form(&[("domain", "no domain"), ("tenant", "rowers")])).await;
    assert_eq!((refused.status.as_u16(), value(&refused.body, "tenant")), (422, "rowers"));
    let added = owner.post(add, &form(&[("domain", "new.example"), ("tenant", "rowers")])).await;
    assert_eq!(added.short(), format!("303 {there}"));
    assert_eq!(values(&owner.get(there).await.body, "tenant"), ["rowers"]);
    assert_eq!(admin.get(add).await.status.as_u16(), 403);
    let own = admin.get("/panel/domains/one.example").await;
    assert_eq!((own.status.as_u16(), values(&own.body, "tenant").len()), (200, 0), "owners alone see it");

    let key = key(&house, Role::Owner).await;
    let new = json!({ "domain": "other.example", "tenant": "rowers" });
    let (status, made) = api(&house, &key, Method::POST, "/domains", Some(new)).await;
    assert_eq!((status, &made["tenant"]), (201, &json!("rowers")));
}

/// Decision 59: what crosses tenants counts for nothing; whose mailbox it is sees that, and takes it back, by page and by API.
#[tokio::test]
async fn what_counts_for_nothing_is_told_and_taken_back() {
    let (house, user) = user_at_home().await;
    let key = key(&house, Role::User).await;
    let moves = async |tenant: &str| {
        let change = DomainChange { tenant: Some(tenant.to_owned()), ..DomainChange::default() };
        house.store.change_domain(&domain("two.example"), change, None, &Author::house()).await.unwrap();
    };
    let inbox = format!("/mail/folders/{}/sharing", house.fill("$inbox").await);
    let (lending, senders) = ("/mail/sharing/senders", "/mail/sharing");
    let (shares, lent) = ("/me/shares?mailbox=INBOX", "/me/senders");
    let doors = [(inbox.as_str(), inbox.as_str(), "level=read", shares), (lending, senders, "sends=as", lent)];
    for by_page in [true, false] {
        moves("one").await;
        for (act, page, given, path) in doors {
            let gave = user.post(act, &format!("with=far@two.example&{given}")).await;
            assert_eq!(gave.short(), format!("303 {page}"));
            assert!(!user.get(page).await.body.contains("counts for nothing"), "{page}");
            let (_, told) = api(&house, &key, Method::GET, path, None).await;
            assert_eq!(told["rows"][0]["is_dormant"], json!(false), "{told}");
        }
        moves("two").await;
        for (act, page, given, path) in doors {
            let shown = user.get(page).await.body;
            assert!(shown.contains("far@two.example") && shown.contains("counts for nothing"), "{shown}");
            let (_, told) = api(&house, &key, Method::GET, path, None).await;
            assert_eq!(told["rows"][0]["with"], "far@two.example", "{told}");
            assert_eq!(told["rows"][0]["is_dormant"], json!(true), "{told}");
            let anew = user.post(act, &format!("with=far@two.example&{given}")).await;
            assert_eq!(anew.status.as_u16(), 422, "it can be ended, and not given anew");
            let ended = if by_page {
                user.post(act, "with=far@two.example").await.status.as_u16()
            } else {
                api(&house, &key, Method::PUT, path, Some(json!({ "with": "far@two.example" }))).await.0
            };
            assert_eq!(ended, if by_page { 303 } else { 200 }, "{page}");
            let (_, told) = api(&house, &key, Method::GET, path, None).await;
            assert_eq!(told["rows"], json!([]), "{page}");
            let again = user.post(act, "with=far@two.example").await;
            assert_eq!(again.status.as_u16(), 422, "to who was given nothing, nobody is there");
        }
    }
    house.check().await;
}
