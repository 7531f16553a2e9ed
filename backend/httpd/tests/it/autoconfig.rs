//! What mail programs and other mail hosts find by themselves.

use std::fs;
use std::process::Command;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};

use crate::house::{Answer, Browser, House};

const MOZILLA: &str = "/mail/config-v1.1.xml";
const WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";
const POX: &str = "/autodiscover/autodiscover.xml";
const SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

fn kind(answer: &Answer) -> &str {
    answer.headers.get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap())
}

/// `xmllint`'s word on a document: that it is well-formed, and that it is as the schema beside this file says.
fn check_xml(document: &str, schema: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("document.xml");
    fs::write(&file, document).unwrap();
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--relaxng"]).arg(format!("tests/it/{schema}")).arg(&file);
    match command.output() {
        Ok(output) => assert!(output.status.success(), "{}\n{document}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => eprintln!("skipped: there is no xmllint here"),
    }
}

/// What stands between the tags of that name, each time.
fn all<'a>(document: &'a str, tag: &str) -> Vec<&'a str> {
    let (start, end) = (format!("<{tag}>"), format!("</{tag}>"));
    document.split(&start).skip(1).filter_map(|rest| rest.split(&end).next()).collect()
}

#[tokio::test]
async fn mozillas_file_names_the_doors() {
    let house = House::open().await;
    house.set("house.name", "A house with a <long> name & more").await;
    let program = Browser::new(&house.router);
    let answer = program.get(&format!("{MOZILLA}?emailaddress=user@one.example")).await;
    assert_eq!((answer.short().as_str(), kind(&answer)), ("200", "text/xml; charset=utf-8"));
    assert!(!answer.headers.contains_key(SET_COOKIE), "nobody visits");
    check_xml(&answer.body, "client_config.rng");
    assert_eq!(all(&answer.body, "domain"), ["one.example"]);
    assert_eq!(all(&answer.body, "hostname"), ["mx.one.example"; 5]);
    assert_eq!(all(&answer.body, "port"), ["993", "143", "995", "465", "587"]);
    assert_eq!(all(&answer.body, "socketType"), ["SSL", "STARTTLS", "SSL", "SSL", "STARTTLS"]);
    assert_eq!(all(&answer.body, "username"), ["%EMAILADDRESS%"; 5]);
    assert_eq!(all(&answer.body, "displayName"), ["A house with a &#60;long&#62; name &#38; more"]);
    assert_eq!(all(&answer.body, "displayShortName"), ["A house with a &#60;long"]);
    assert!(answer.body.contains("<documentation url=\"https://mx.one.example/panel/account/clients\">"));
    for language in ["en", "fr"] {
        assert!(answer.body.contains(&format!("<descr lang=\"{language}\">")), "{}", answer.body);
    }
}

/// Thunderbird asks at `autoconfig.DOMAIN` and at the domain, with the address or, where it is private, without.
#[tokio::test]
async fn mozillas_file_is_for_the_address_or_else_for_the_host() {
    let house = House::open().await;
    let program = Browser::new(&house.router);
    for (host, path, expected) in [
        ("autoconfig.two.example", MOZILLA, Some("two.example")),
        ("autoconfig.two.example:443", MOZILLA, Some("two.example")),
        ("two.example", MOZILLA, None),
        ("two.example", WELL_KNOWN, Some("two.example")),
        ("mx.one.example", WELL_KNOWN, None),
        ("autoconfig.three.example", MOZILLA, None),
    ] {
        let found = program.get_at(host, path).await;
        assert_eq!(all(&found.body, "domain").first().copied(), expected, "{host}{path}");
        assert_eq!(found.status == StatusCode::OK, expected.is_some(), "{host}{path}");
        let named = program.get_at(host, &format!("{path}?emailaddress=user%40one.example")).await;
        assert_eq!(all(&named.body, "domain"), ["one.example"], "{host}{path}");
        for nobody in ["user@three.example", "user", "@", "user@one.example@"] {
            let found = program.get_at(host, &format!("{path}?emailaddress={nobody}")).await;
            assert_eq!((found.status, found.body.as_str()), (StatusCode::NOT_FOUND, ""), "{nobody}");
        }
    }
}

fn asked(address: &str, schema: &str) -> String {
    format!(
        "xml:<?xml version=\"1.0\"?><Autodiscover \
         xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\"><Request>\
         <EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema>\
         </Request></Autodiscover>"
    )
}

#[tokio::test]
async fn outlook_finds_one_door_a_protocol() {
    let house = House::open().await;
    let program = Browser::new(&house.router);
    for path in [POX, "/Autodiscover/Autodiscover.xml", "/AUTODISCOVER/autoDiscover.XML"] {
        let answer = program.post(path, &asked("user@one.example", SCHEMA)).await;
        assert_eq!((answer.short().as_str(), kind(&answer)), ("200", "text/xml; charset=utf-8"), "{path}");
        assert!(!answer.headers.contains_key(SET_COOKIE));
        check_xml(&answer.body, "autodiscover.rng");
        assert_eq!(all(&answer.body, "Type"), ["IMAP", "POP3", "SMTP"]);
        assert_eq!(all(&answer.body, "Port"), ["993", "995", "465"]);
        assert_eq!(all(&answer.body, "Encryption"), ["SSL"; 3]);
        assert_eq!(all(&answer.body, "LoginName"), ["user@one.example"; 3]);
        assert_eq!(all(&answer.body, "Server"), ["mx.one.example"; 3]);
    }
    let odd = program.post(POX, &asked("a&lt;b&amp;c@one.example", SCHEMA)).await;
    check_xml(&odd.body, "autodiscover.rng");
}

#[tokio::test]
async fn outlook_hears_why_there_is_nothing() {
    let house = House::open().await;
    let program = Browser::new(&house.router);
    let mobile = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";
    for (document, code) in [
        (asked("user@three.example", SCHEMA), "500"),
        (asked("user", SCHEMA), "600"),
        ("xml:<Autodiscover>".to_owned(), "600"),
        (format!("xml:<!DOCTYPE a [<!ENTITY x \"y\">]>{}", &asked("user@one.example", SCHEMA)[4..]), "600"),
        (asked("user@one.example", mobile), "601"),
    ] {
        let answer = program.post(POX, &document).await;
        assert_eq!(answer.short(), "200");
        assert_eq!(all(&answer.body, "ErrorCode"), [code], "{document}");
        check_xml(&answer.body, "autodiscover.rng");
    }
    let answer = program.get(POX).await;
    assert_eq!(all(&answer.body, "ErrorCode"), ["600"], "as Exchange answers a GET");
    let long = asked(&format!("{}@one.example", "a".repeat(20_000)), SCHEMA);
    assert_eq!(program.post(POX, &long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_way_to_autodiscover_is_told_in_json() {
    let house = House::open().await;
    let program = Browser::new(&house.router);
    let found = r#"{"Protocol":"AutodiscoverV1","Url":"https://mx.one.example/autodiscover/autodiscover.xml"}"#;
    let unknown = r#"{"ErrorCode":"UserNotFound","ErrorMessage":"The given user is not found"}"#;
    let refused = r#"{"ErrorCode":"InvalidProtocol","ErrorMessage":"The given protocol value 'ActiveSync' is invalid. Supported values are 'AutodiscoverV1'"}"#;
    for (path, status, body) in [
        ("/v1.0/user@one.example?Protocol=AutodiscoverV1", 200, found),
        ("/v1.0/User%40ONE.example?Protocol=autodiscoverv1", 200, found),
        ("?Email=user%40one.example&Protocol=AutodiscoverV1&RedirectCount=1", 200, found),
        ("/v1.0/user@three.example?Protocol=AutodiscoverV1", 404, unknown),
        ("/v1.0/user?Protocol=AutodiscoverV1", 404, unknown),
        ("/v1.0/user@one.example?Protocol=ActiveSync", 400, refused),
        ("?Email=user@one.example&Protocol=%3CActive%22Sync%3E", 400, refused),
    ] {
        let answer = program.get(&format!("/Autodiscover/Autodiscover.json{path}")).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, body), "{path}");
        assert_eq!(kind(&answer), "application/json");
    }
}

/// Nobody learns here who has an address: a stranger's is answered as a neighbour's is.
#[tokio::test]
async fn nobody_learns_who_has_an_address() {
    let house = House::open().await;
    let program = Browser::new(&house.router);
    let answers = async |address: &str| {
        let pages = [
            program.get(&format!("{MOZILLA}?emailaddress={address}")).await,
            program.post(POX, &asked(address, SCHEMA)).await,
            program.get(&format!("/autodiscover/autodiscover.json/v1.0/{address}?Protocol=AutodiscoverV1")).await,
        ];
        pages.map(|page| (page.status, page.body.replace(address, "…")))
    };
    let expected = answers("user@one.example").await;
    for other in ["nobody@one.example", "all@one.example", "postmaster@one.example"] {
        assert_eq!(answers(other).await, expected, "{other}");
    }
}

#[tokio::test]
async fn other_hosts_find_the_policy_at_its_own_name() {
    let house = House::open().await;
    let program = Browser::new(&house.router);
    let path = "/.well-known/mta-sts.txt";
    house.set("mta_sts.mode", "enforce").await;
    house.set("mta_sts.max_age", "1209600").await;
    for host in ["mta-sts.one.example", "MTA-STS.one.example:443", "mta-sts.two.example"] {
        let answer = program.get_at(host, path).await;
        let expected = "version: STSv1\r\nmode: enforce\r\nmx: mx.one.example\r\nmax_age: 1209600\r\n";
        assert_eq!((answer.body.as_str(), kind(&answer)), (expected, "text/plain"), "{host}");
        assert!(!answer.headers.contains_key(SET_COOKIE));
    }
    for host in ["one.example", "mx.one.example", "mta-sts.three.example", "mta-sts", "x.mta-sts.one.example"] {
        assert_eq!(program.get_at(host, path).await.status, StatusCode::NOT_FOUND, "{host}");
    }
}
