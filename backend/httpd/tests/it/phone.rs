//! A phone is set up by a code: from the screen to a password that opens the mail.

use std::fs;
use std::process::Command;

use axum::http::header::CONTENT_TYPE;
use data_encoding::BASE64;
use relais_reception::Protocol;
use relais_service::Role;
use tempfile::TempDir;

use crate::house::{House, address_of};

/// What stands between `start` and `end`, where it first does.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let rest = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}")).1;
    rest.split_once(end).unwrap().0
}

/// The link of a page with a code, checked against what a reader of such codes sees.
fn scan(page: &str) -> String {
    let link = between(page, "<div class=\"copy\" data-copy><code>", "</code>").to_owned();
    let drawing = BASE64.decode(between(page, "src=\"data:image/svg+xml;base64,", "\"").as_bytes()).unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("code.svg");
    fs::write(&file, drawing).unwrap();
    match Command::new("zbarimg").args(["--raw", "-q", "-Sdisable", "-Sqrcode.enable"]).arg(file).output() {
        Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), link, "{output:?}"),
        Err(_) => eprintln!("skipped: there is no zbarimg here"),
    }
    link
}

/// The profile inside a signed one; OpenSSL believes only the house's own certificate.
fn opened(house: &House, sealed: &[u8]) -> Option<String> {
    let folder = TempDir::new().unwrap();
    let (file, roots) = (folder.path().join("profile"), folder.path().join("house.pem"));
    fs::write(&file, sealed).unwrap();
    fs::write(&roots, &house.certificate).unwrap();
    let mut command = Command::new("openssl");
    command.args(["smime", "-verify", "-inform", "DER", "-binary", "-purpose", "any", "-in"]).arg(file);
    let output = command.arg("-CAfile").arg(roots).output().ok()?;
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn an_iphone_gets_a_profile_with_its_own_password() {
    let house = House::open().await;
    let user = house.browser(Some(Role::User)).await;
    let page = user.post("/panel/account/clients/phone", "").await;
    let link = scan(&page.body);
    let path = link.strip_prefix("https://mx.one.example").unwrap();
    let phone = house.browser(None).await;
    assert_eq!(phone.get(path).await.short(), "200");
    assert_eq!(phone.get(path).await.short(), "200", "looking doesn't use it up");
    let profile = phone.post(path, "how=profile").await;
    assert_eq!(profile.headers[CONTENT_TYPE], "application/x-apple-aspen-config");
    for again in [phone.post(path, "how=profile").await, phone.post(path, "how=page").await, phone.get(path).await] {
        assert_eq!(again.short(), "404", "it works once");
    }
    if let Some(xml) = opened(&house, &profile.octets) {
        let password = between(&xml, "<key>IncomingPassword</key><string>", "</string>");
        assert!(house.lets_in(address_of(Role::User), password, Protocol::Imap).await);
        assert!(!house.lets_in(address_of(Role::User), password, Protocol::Pop3).await);
    } else {
        eprintln!("skipped: there is no openssl here");
    }
    house.check().await;
}

#[tokio::test]
async fn another_phone_is_shown_what_to_type() {
    let house = House::open().await;
    let path = house.fill("/phone/$phone").await;
    let page = house.browser(None).await.post(&path, "how=page").await;
    let password = between(&page.body, "is-secret\" data-copy><code>", "</code>");
    for protocol in [Protocol::Imap, Protocol::Smtp] {
        assert!(house.lets_in(address_of(Role::User), password, protocol).await, "{protocol:?}");
    }
    for shown in [address_of(Role::User), "mx.one.example", "993", "465"] {
        assert!(page.body.contains(&format!("data-copy><code>{shown}</code>")), "{shown}: {}", page.body);
    }
    house.check().await;
}

/// The profile that anybody fetches who has signed in is signed, and knows no password.
#[tokio::test]
async fn the_plain_profile_is_signed() {
    let house = House::open().await;
    let user = house.browser(Some(Role::User)).await;
    let profile = user.get("/panel/account/clients/relais.mobileconfig").await;
    if let Some(xml) = opened(&house, &profile.octets) {
        assert!(xml.starts_with("<?xml") && !xml.contains("<key>IncomingPassword</key>"), "{xml}");
    }
}
