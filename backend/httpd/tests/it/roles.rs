//! Every route of every page, as nobody and as each role: `routes.md`, line by line. A route without a line fails.

use std::collections::BTreeSet;

use relais_service::Role;

use crate::house::House;

/// One line of the table.
struct Case {
    method: &'static str,
    route: &'static str,
    /// The route with its gaps filled.
    path: &'static str,
    form: &'static str,
    /// What nobody gets, and each role from the least to the most.
    expected: Vec<&'static str>,
}

fn cases() -> Vec<Case> {
    let rows = include_str!("routes.md").lines().filter(|line| line.starts_with("| GET") || line.starts_with("| POST"));
    let case = |row: &'static str| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [method, route, path, form, expected @ ..] = &cells[..] else { panic!("{row}") };
        assert_eq!(expected.len(), 5, "{row}");
        let path = if path.is_empty() { route } else { path };
        Case { method, route, path, form, expected: expected.to_vec() }
    };
    rows.map(case).collect()
}

fn everybody() -> impl Iterator<Item = Option<Role>> {
    std::iter::once(None).chain(Role::ALL.map(Some))
}

/// What somebody gets, in the table's words.
async fn gets(house: &House, case: &Case, role: Option<Role>) -> String {
    let path = house.fill(case.path).await;
    let form = house.fill_form(case.form, &path).await;
    let browser = house.browser(role).await;
    let answer = if case.method == "GET" { browser.get(&path).await } else { browser.post(&path, &form).await };
    let short = answer.short();
    // Each house has ids of its own.
    match path.rsplit_once('/') {
        Some((thing, _)) if path != case.path => short.replace(thing, "…"),
        _ => short,
    }
}

#[test]
fn every_route_has_a_case() {
    let cased: BTreeSet<_> = cases().iter().map(|case| (case.method.to_owned(), case.route.to_owned())).collect();
    let routes: BTreeSet<_> =
        relais_httpd::pages().into_iter().map(|(method, route)| (method.to_string(), route.to_owned())).collect();
    let without: Vec<_> = routes.difference(&cased).collect();
    assert!(without.is_empty(), "tests/it/routes.md has no line for {without:#?}");
    let gone: Vec<_> = cased.difference(&routes).collect();
    assert!(gone.is_empty(), "no page has {gone:#?}");
}

/// Who is refused, and who only looks, share one house.
#[tokio::test]
async fn each_sees_what_the_table_says() {
    let is_harmless = |case: &Case, expected: &str| case.method == "GET" || matches!(expected, "sign-in" | "403");
    let shared = House::open().await;
    let mut wrong = Vec::new();
    for case in cases() {
        for (role, expected) in everybody().zip(&case.expected) {
            if is_harmless(&case, expected) {
                note(&mut wrong, &case, role, expected, &gets(&shared, &case, role).await);
            }
        }
    }
    shared.check().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each act in a house of its own.
#[tokio::test]
async fn each_does_what_the_table_says() {
    let mut wrong = Vec::new();
    for case in cases().iter().filter(|case| case.method == "POST") {
        for (role, expected) in everybody().zip(&case.expected) {
            if !matches!(*expected, "sign-in" | "403") {
                let house = House::open().await;
                note(&mut wrong, case, role, expected, &gets(&house, case, role).await);
                house.check().await;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn note(wrong: &mut Vec<String>, case: &Case, role: Option<Role>, expected: &str, found: &str) {
    if found != expected {
        wrong.push(format!("{} {} as {role:?}: {found}, not {expected}", case.method, case.path));
    }
}

/// No form is read without the token of the very session that sends it; and nothing happens.
#[tokio::test]
async fn no_form_is_read_without_its_token() {
    let house = House::open().await;
    let mut wrong = Vec::new();
    // A program's document is no form, and changes nothing; and who leaves a list by RFC 8058 brings no session.
    let is_form = |case: &&Case| !case.form.starts_with("xml:") && !case.path.starts_with("/lists/leave/");
    for case in cases().iter().filter(|case| case.method == "POST").filter(is_form) {
        for role in everybody() {
            let path = house.fill(case.path).await;
            let form = house.fill_form(case.form, &path).await;
            let (browser, other) = (house.browser(role).await, house.browser(role).await);
            let before = house.state().await;
            for (brought, csrf) in
                [("none", None), ("an empty one", Some("")), ("another session's", Some(other.csrf.as_str()))]
            {
                let found = browser.post_with(csrf, &path, &form).await.short();
                let is_refused = found == "403" || (role.is_none() && found == "sign-in");
                if !is_refused {
                    wrong.push(format!("POST {path} as {role:?} with {brought}: {found}"));
                }
            }
            assert_eq!(house.state().await, before, "POST {path} as {role:?}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whatever the answer is, nothing of two.example is touched by those who serve one.example.
#[tokio::test]
async fn nothing_of_another_tenant_is_touched() {
    let house = House::open().await;
    let is_far = |text: &str| text.contains("two") || text.contains("far");
    let cases = cases();
    let far: Vec<_> =
        cases.iter().filter(|case| case.method == "POST" && (is_far(case.path) || is_far(case.form))).collect();
    assert!(far.len() > 20, "{}", far.len());
    for case in far {
        for role in [Role::User, Role::HelpDesk, Role::DomainAdmin] {
            let path = house.fill(case.path).await;
            let form = house.fill_form(case.form, &path).await;
            let browser = house.browser(Some(role)).await;
            let before = house.state().await;
            browser.post(&path, &form).await;
            assert_eq!(house.state().await, before, "POST {path} {form} as {role:?}");
        }
    }
}
