//! What holds for every request, whoever asks: headers, sizes, sessions.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{Method, StatusCode};
use relais_service::Role;

use crate::house::{Answer, Browser, House};

const HEADERS: [&str; 7] = [
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "strict-transport-security",
    "cross-origin-opener-policy",
    "permissions-policy",
];

fn is_page(answer: &Answer) -> bool {
    answer.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"))
        && answer.body.contains("<html")
}

#[tokio::test]
async fn every_answer_says_what_its_page_may_do() {
    let house = House::open().await;
    let (nobody, owner) = (house.browser(None).await, house.browser(Some(Role::Owner)).await);
    let answers = [
        nobody.get("/sign-in").await,
        nobody.get("/panel").await,
        nobody.get("/no/such/page").await,
        nobody.get("/assets/x/y.css").await,
        nobody.post("/sign-in", "name=a&password=b").await,
        nobody.ask(Method::DELETE, "/panel", Body::empty()).await,
        nobody.get("/mail/config-v1.1.xml?emailaddress=a@one.example").await,
        nobody.get_at("mta-sts.one.example", "/.well-known/mta-sts.txt").await,
        nobody.post("/autodiscover/autodiscover.xml", &"x".repeat(1 << 20)).await,
        nobody.get(&house.fill("/phone/$phone").await).await,
        owner.get("/panel").await,
        owner.get("/panel/queue/none").await,
        owner.post("/panel/queue/acts", &"x".repeat(1 << 20)).await,
    ];
    for (number, answer) in answers.iter().enumerate() {
        for header in HEADERS {
            assert!(answer.headers.contains_key(header), "{number}: {} without {header}", answer.short());
        }
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store", "{number}");
        let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    }
}

/// RFC 9110 §9.3.2: as GET, without the content.
#[tokio::test]
async fn head_is_answered_as_get_is() {
    let house = House::open().await;
    let owner = house.browser(Some(Role::Owner)).await;
    for (method, path) in relais_httpd::pages() {
        if method == Method::GET && !path.contains('{') {
            let (get, head) = (owner.get(path).await, owner.ask(Method::HEAD, path, Body::empty()).await);
            assert_eq!((head.short(), head.body.as_str()), (get.short(), ""), "{path}");
        }
    }
}

#[tokio::test]
async fn what_no_page_answers_is_said_in_a_page() {
    let house = House::open().await;
    for role in [None, Some(Role::User), Some(Role::Owner)] {
        let browser = house.browser(role).await;
        for path in ["/no/such/page", "/panel/nothing", "/panel/account/../../etc/passwd", "/%00"] {
            let answer = browser.get(path).await;
            assert_eq!((answer.status, is_page(&answer)), (StatusCode::NOT_FOUND, true), "{path} as {role:?}");
        }
        let answer = browser.ask(Method::PUT, "/sign-in", Body::empty()).await;
        assert_eq!((answer.status, is_page(&answer)), (StatusCode::METHOD_NOT_ALLOWED, true), "{role:?}");
        assert!(answer.headers.contains_key(ALLOW), "RFC 9110 §15.5.6");
    }
}

#[tokio::test]
async fn a_form_of_ten_megabytes_is_refused_in_a_page() {
    let house = House::open().await;
    let owner = house.browser(Some(Role::Owner)).await;
    let before = house.state().await;
    let form = format!("name={}", "a".repeat(10 << 20));
    let at_once = owner.post("/panel/account", &form).await;
    // A browser that doesn't say how much it sends.
    let pieces =
        form.as_bytes().chunks(64 * 1024).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>();
    let in_pieces = Body::from_stream(futures_util::stream::iter(pieces));
    let in_pieces = owner.ask(Method::POST, "/panel/account", in_pieces).await;
    for answer in [at_once, in_pieces] {
        assert!(matches!(answer.status.as_u16(), 413 | 422), "{}", answer.short());
        assert!(is_page(&answer), "{}", answer.body);
    }
    assert_eq!(house.state().await, before);
}

#[tokio::test]
async fn a_lost_session_leads_to_sign_in_and_back() {
    let house = House::open().await;
    let owner = house.browser(Some(Role::Owner)).await;
    assert_eq!(owner.get("/panel/queue?state=held").await.short(), "200");
    house.clock.advance(Duration::from_hours(13));
    let answer = owner.get("/panel/queue?state=held").await;
    assert_eq!(answer.short(), "sign-in");
    assert_eq!(answer.headers[LOCATION], "/sign-in?next=%2Fpanel%2Fqueue%3Fstate%3Dheld");
    assert_eq!(owner.post("/panel/account", "name=New").await.short(), "sign-in");
    let guest = house.browser(None).await;
    let form = "name=owner@one.example&password=correct+horse&next=/panel/queue?state%3Dheld";
    assert_eq!(guest.post("/sign-in", form).await.short(), "303 /panel/queue?state=held");
    let elsewhere = "name=owner@one.example&password=correct+horse&next=//evil.example/";
    assert_eq!(guest.post("/sign-in", elsewhere).await.short(), "303 /");
}

/// The session's cookie is out of reach for scripts and other sites, and what has been signed out is nobody's.
#[tokio::test]
async fn a_session_is_the_browsers_alone_and_ends() {
    let house = House::open().await;
    let guest = house.browser(None).await;
    let answer = guest.post("/sign-in", "name=user@one.example&password=correct+horse").await;
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    for part in ["__Host-relais=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let token = cookie.split([';', '=']).nth(1).unwrap();
    let user = Browser { cookie: format!("__Host-relais={token}"), csrf: house.access.csrf(token), ..guest };
    assert_eq!(user.get("/panel/account").await.short(), "200");
    assert_eq!(user.post("/sign-out", "").await.short(), "303 /sign-in");
    assert_eq!(user.get("/panel/account").await.short(), "sign-in");
    assert_eq!(user.post("/panel/account", "name=New").await.short(), "sign-in");
}

/// Nobody signs a stranger's browser in: the form brings along what the browser's cookie says, and a browser without one gets it.
#[tokio::test]
async fn sign_in_is_tied_to_the_browser() {
    let house = House::open().await;
    let bare = Browser::new(&house.router);
    let form = "name=user@one.example&password=correct+horse";
    let guest = house.browser(None).await;
    assert_eq!(bare.post_with(Some(&guest.csrf), "/sign-in", form).await.short(), "403");
    let answer = bare.get("/sign-in").await;
    assert!(answer.headers[SET_COOKIE].to_str().unwrap().starts_with("__Host-relais-guest="));
}
