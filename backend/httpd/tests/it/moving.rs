//! Mail and contacts that are taken out and brought: what is in the files, and what stands in the mailboxes afterwards.

use std::collections::BTreeMap;
use std::io;
use std::task::Poll;

use axum::body::{Body, Bytes};
use futures_util::stream;
use relais_service::{BUNDLE_OCTETS, Role};
use serde_json::json;
use tokio::sync::mpsc::{self, UnboundedSender};

use crate::api_house;
use crate::house::{Answer, Browser, House, LETTER};

const PAGE: &str = "/panel/account/moving";
const BRING: &str = "/panel/account/moving/file";
const CARDS: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:Ann\r\nEMAIL:ann@x.example\r\nEND:VCARD\r\n";
/// Lines that an mbox must not take for its own.
const TWO: &str = "From: a@x.example\nSubject: Two\n\nFrom here\n>From there\n\n\n";

/// As the house writes it: unread, and come when the house of the tests begins.
fn mbox(raw: &str) -> String {
    let (head, body) = raw.split_once("\n\n").unwrap();
    let body = body.replace(">From ", ">>From ").replace("\nFrom ", "\n>From ");
    let body = if body.starts_with("From ") { format!(">{body}") } else { body };
    format!("From MAILER-DAEMON Thu Jan  1 00:00:00 2026\n{head}\nStatus: O\n\n{body}\n")
}

/// The files of a zip that the house wrote: uncompressed, sizes in the list, in 64 bits.
fn files_of(zip: &[u8]) -> BTreeMap<String, String> {
    let number = |at: usize, size: usize| {
        zip[at..at + size].iter().rev().fold(0_usize, |number, octet| (number << 8) | usize::from(*octet))
    };
    let end = zip.len() - 22;
    assert_eq!(&zip[end..end + 4], b"PK\x05\x06");
    let wide = number(end - 20 + 8, 8);
    let (count, mut at) = (number(wide + 32, 8), number(wide + 48, 8));
    let mut files = BTreeMap::new();
    for _ in 0..count {
        let length = number(at + 28, 2);
        let name = String::from_utf8(zip[at + 46..at + 46 + length].to_vec()).unwrap();
        let extra = at + 46 + length + 4;
        let (octets, offset) = (number(extra, 8), number(extra + 16, 8));
        let from = offset + 30 + number(offset + 26, 2) + number(offset + 28, 2);
        files.insert(name, String::from_utf8(zip[from..from + octets].to_vec()).unwrap());
        at = extra + 24;
    }
    files
}

/// The user's mail, with two messages and a contact, as they take it out.
async fn taken_out(house: &House) -> Vec<u8> {
    house.file("user@one.example", TWO).await;
    let user = house.browser(Some(Role::User)).await;
    assert_eq!(user.post_fields("/mail/contacts/import", &[("file", CARDS)]).await.short(), "303 /mail/contacts");
    let zip = user.get("/panel/account/moving/mail.zip").await;
    assert_eq!((zip.short().as_str(), zip.headers["content-type"].to_str().unwrap()), ("200", "application/zip"));
    zip.octets
}

/// What the page says that a browser is led to.
async fn said(browser: &Browser, done: &Answer) -> String {
    assert_eq!(done.short(), format!("303 {PAGE}"), "{}", done.body);
    let flash = done.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let next = Browser { cookie: format!("{}; {flash}", browser.cookie), ..browser.clone() };
    next.get(PAGE).await.body
}

#[tokio::test]
async fn mail_zip_holds_each_folder_and_the_contacts_octet_by_octet() {
    let house = House::open().await;
    let files = files_of(&taken_out(&house).await);
    assert_eq!(files["INBOX.mbox"], mbox(LETTER) + &mbox(TWO));
    assert_eq!(files["Sent.mbox"], "", "a folder without messages is there, too");
    let user = house.browser(Some(Role::User)).await;
    assert_eq!(files["contacts.vcf"], user.get("/mail/contacts/contacts.vcf").await.body);
    assert!(files["contacts.vcf"].contains("EMAIL:ann@x.example\r\n"), "{}", files["contacts.vcf"]);
    let desk = house.browser(Some(Role::HelpDesk)).await;
    let none = files_of(&desk.get("/panel/account/moving/mail.zip").await.octets);
    assert!(!none.contains_key("contacts.vcf"), "who has none has no file of none");
}

#[tokio::test]
async fn what_was_taken_out_comes_in_again_and_once() {
    let house = House::open().await;
    let zip = taken_out(&house).await;
    let desk = house.browser(Some(Role::HelpDesk)).await;
    let brought = desk.post_file(BRING, ("mailbox", ""), &zip).await;
    let page = said(&desk, &brought).await;
    assert!(page.contains("Messages brought: 2; here already: 0. Contacts kept: 1. Left out: 0."), "{page}");
    let (there, here) = (house.held("user@one.example", "INBOX").await, house.held("desk@one.example", "INBOX").await);
    assert_eq!(there.as_ref().unwrap().len(), 2);
    assert_eq!(there, here, "octets, marks and dates");
    assert!(desk.get("/mail/contacts?q=ann").await.body.contains("1 contact"));
    let again = desk.post_file(BRING, ("mailbox", ""), &zip).await;
    let page = said(&desk, &again).await;
    assert!(page.contains("Messages brought: 0; here already: 2."), "{page}");
    assert_eq!(house.held("desk@one.example", "INBOX").await, here);
    house.check().await;
}

#[tokio::test]
async fn an_mbox_stands_in_its_folder_afterwards() {
    let house = House::open().await;
    let user = house.browser(Some(Role::User)).await;
    let file = "From ann@x.example Thu Jan  1 00:00:05 2026\nStatus: RO\nSubject: Old\n\nHello\n\n".repeat(2);
    let brought = user.post_file(BRING, ("mailbox", " Old/2019 "), file.as_bytes()).await;
    assert!(said(&user, &brought).await.contains("Messages brought: 2;"), "the same twice is twice there");
    let message = ("Subject: Old\r\n\r\nHello\r\n".to_owned(), "\\Seen".to_owned(), 1_767_225_605);
    assert_eq!(house.held("user@one.example", "Old/2019").await, Some(vec![message.clone(), message]));
    house.check().await;
}

/// Each fault is told in the form, with what to do; what was read before it is there.
#[tokio::test]
async fn what_is_no_mail_is_told() {
    let house = House::open().await;
    let zip = taken_out(&house).await;
    let user = house.browser(Some(Role::User)).await;
    let before = house.held("user@one.example", "INBOX").await;
    let large = "From a\n\nx\n\n".repeat((BUNDLE_OCTETS + (1 << 20)) / 11);
    for (mailbox, file, told) in [
        ("", b"".as_slice(), "Choose a file first."),
        ("", b"Subject: x\n\nno mbox\n".as_slice(), "This is neither an mbox nor a zip."),
        ("", &zip[..zip.len() - 1], "The zip is cut off or damaged."),
        ("", large.as_bytes(), "The file is larger than 64 MiB."),
        ("a//b", TWO.as_bytes(), "be called a//b here."),
    ] {
        let refused = user.post_file(BRING, ("mailbox", mailbox), file).await;
        assert_eq!(refused.short(), "422", "{told}");
        assert!(refused.body.contains(told) && refused.body.contains("aria-invalid"), "{told}: {}", refused.body);
    }
    assert_eq!(house.held("user@one.example", "INBOX").await, before);
    // A file beside the mail, that is none.
    let mut other = zip;
    while let Some(at) = other.windows(12).position(|some| some == b"contacts.vcf") {
        other[at..at + 12].copy_from_slice(b"contacts.txt");
    }
    let desk = house.browser(Some(Role::HelpDesk)).await;
    let brought = desk.post_file(BRING, ("mailbox", ""), &other).await;
    assert_eq!(brought.short(), "200");
    for told in ["Messages brought: 2;", "Left out: 1.", "contacts.txt: This is no mail"] {
        assert!(brought.body.contains(told), "{told}: {}", brought.body);
    }
    assert_eq!(house.held("desk@one.example", "INBOX").await, before);
    house.check().await;
}

/// A form of which nothing comes; it is told when somebody first wants it.
fn stalled(wanted: &UnboundedSender<()>) -> Body {
    let mut wanted = Some(wanted.clone());
    Body::from_stream(stream::poll_fn(move |_| -> Poll<Option<io::Result<Bytes>>> {
        if let Some(wanted) = wanted.take() {
            wanted.send(()).unwrap();
        }
        Poll::Pending
    }))
}

/// So many files are held in memory, and no more: who comes then is told so before any of theirs is read.
#[tokio::test]
async fn a_fifth_file_waits_for_one_of_four() {
    let house = House::open().await;
    let user = house.browser(Some(Role::User)).await;
    let (wanted, mut begun) = mpsc::unbounded_channel();
    let one = || user.post_parts(BRING, stalled(&wanted));
    let fifth = async {
        for _ in 0..4 {
            begun.recv().await.unwrap();
        }
        user.post_file(BRING, ("mailbox", ""), b"Subject: x\n").await
    };
    let fifth = tokio::select! {
        _ = async { tokio::join!(one(), one(), one(), one()) } => panic!("nothing of them came"),
        fifth = fifth => fifth,
    };
    assert_eq!(fifth.short(), "429");
    let next = user.post_file(BRING, ("mailbox", ""), b"Subject: x\n").await;
    assert_eq!(next.short(), "422", "who hangs up gives their place back");
}

/// Contacts by the API: one's own, and a person's by who may bring and take their mail.
#[tokio::test]
async fn contacts_come_and_go_by_the_api() {
    let house = api_house::House::open().await;
    let owner = house.owner().await;
    let admin = house.key("admin@house.example", Role::DomainAdmin, "*").await;
    let ann = house.key("ann@house.example", Role::User, "*").await;
    let path = "/people/ann@house.example/contacts";
    for _ in 0..2 {
        let brought = house.ask(&admin, "POST", path, CARDS).await;
        assert_eq!((brought.status.as_u16(), &brought.body), (200, &json!({ "kept": 1, "left_out": 0 })));
    }
    let taken = house.ask(&owner, "GET", path, "").await;
    assert_eq!(taken.header("content-type"), "text/vcard; charset=utf-8");
    let text = taken.body.as_str().unwrap();
    assert!(text.starts_with("BEGIN:VCARD\r\nVERSION:4.0\r\n") && text.contains("EMAIL:ann@x.example\r\n"), "{text}");
    assert_eq!(text.matches("BEGIN:VCARD").count(), 1, "a card takes its own place");
    assert_eq!(house.ask(&ann, "GET", "/me/contacts", "").await.body, taken.body);
    let three = house.ask(&ann, "GET", "/me/contacts?version=3", "").await;
    assert!(three.body.as_str().unwrap().contains("VERSION:3.0\r\n"), "{}", three.body);
    for (method, path, body, status, problem) in [
        ("GET", "/me/contacts?version=2", "", 422, "unfit"),
        ("POST", "/me/contacts", "BEGIN nothing", 422, "unfit"),
        ("POST", "/me/contacts", "{}", 415, "type"),
        ("GET", path, "", 403, "forbidden"),
    ] {
        let refused = house.ask(&ann, method, path, body).await;
        assert_eq!((refused.status.as_u16(), refused.problem()), (status, problem), "{method} {path}");
    }
}
