//! What scripts know of the house: whom one knows, what was found of the message, what mailboxes are for, and notes.

use relais_model::{MailboxName, SpecialUse};
use relais_store::{ContactRow, Page, TraceFilter};

use super::{ANN, BEN, DORA, LETTER, count, get, script, status};
use crate::desk::{Desk, by_ann, from_outside};
use crate::spam::{self, GOOD, JUNK};

/// The reply to what is taken.
const TAKEN: [&str; 1] = ["250 2.0.0"];

/// RFC 6134 §2.3, §2.5: the address book is one's contacts, and whom one has written to.
#[tokio::test]
async fn mail_of_contacts_is_told_from_that_of_strangers() {
    let desk = Desk::open().await;
    let (store, ann) = (&desk.house.store, desk.identity(ANN).await.account);
    // Ann has written to Dora, and has Emil's card.
    let ours = "From: ann@example.org\r\nSubject: hello\r\n\r\nHello.\r\n";
    assert_eq!(desk.send(&by_ann(ANN, &[DORA]), ours).await, TAKEN);
    let card = ContactRow {
        uid: "emil".to_owned(),
        name: "Emil".to_owned(),
        words: "Emil Emil@Post.example Chess".to_owned(),
        groups: Vec::new(),
        card: String::new(),
    };
    store.keep_contacts(ann, vec![card]).await.unwrap();
    for test in [
        "header :list \"from\" \":addrbook:default\"",
        "header :list [\"subject\", \"from\"] \"urn:ietf:params:sieve:addrbook:default\"",
        "address :list \"from\" [\"tag:example.com,2010-05-28:mylist\", \":addrbook:default\"]",
        "envelope :list \"from\" \":addrbook:default\"",
    ] {
        let text = format!("require [\"extlists\", \"envelope\", \"fileinto\"]; if {test} {{ fileinto \"Archive\"; }}");
        script(&desk, ANN, &text).await;
        for (from, is_known) in [
            (DORA, true),
            ("emil@post.example", true),
            ("carl@shop.example", false),
            ("mil@post.example", false),
            ("emil@post.example.net", false),
        ] {
            let before = (count(&desk, ANN, "INBOX").await, count(&desk, ANN, "Archive").await);
            let message = LETTER.replace(DORA, from);
            assert_eq!(desk.send(&from_outside(from, &[ANN]), &message).await, TAKEN);
            let after = (count(&desk, ANN, "INBOX").await, count(&desk, ANN, "Archive").await);
            let expected = if is_known { (before.0, before.1 + 1) } else { (before.0 + 1, before.1) };
            assert_eq!(after, expected, "{test}: {from}");
        }
    }
    // A name that looks like the address of somebody who is known is a name.
    let text = "require [\"extlists\", \"fileinto\"]; if header :list \"from\" \":addrbook:default\" { fileinto \"Archive\"; }";
    script(&desk, ANN, text).await;
    let before = count(&desk, ANN, "Archive").await;
    for name in ["\"dora@shop.example\"", "=?utf-8?Q?dora=40shop.example=2C?="] {
        let message = LETTER.replace("Dora <dora@shop.example>", &format!("{name} <x@post.example>"));
        assert_eq!(desk.send(&from_outside("x@post.example", &[ANN]), &message).await, TAKEN);
        assert_eq!(count(&desk, ANN, "Archive").await, before, "{name}");
    }
    let text = "require \"extlists\"; if allof (valid_ext_list [\":addrbook:default\", \"urn:ietf:params:sieve:addrbook:default\"], \
        not valid_ext_list [\":addrbook:default\", \"tag:example.com,2010-05-28:mylist\"]) { discard; }";
    script(&desk, ANN, text).await;
    let before = count(&desk, ANN, "INBOX").await;
    assert_eq!(get(&desk, &[ANN]).await, TAKEN);
    assert_eq!(count(&desk, ANN, "INBOX").await, before);
    // Nothing is sent on to all whom one knows: it stays.
    script(&desk, ANN, "require \"extlists\"; redirect :list \":addrbook:default\";").await;
    assert_eq!(get(&desk, &[ANN]).await, TAKEN);
    assert_eq!((count(&desk, ANN, "INBOX").await, desk.queued().await.len()), (before + 1, 1), "Ann's own alone");
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

/// The flags of the only message there, as far as they begin so.
async fn flags(desk: &Desk, mailbox: &str, start: &str) -> Vec<String> {
    let view = desk.house.store.view(status(desk, BEN, mailbox).await.mailbox.key).await.unwrap().unwrap();
    let flags = view.flags_of(view.read(|rows| rows.iter().next().unwrap().flags));
    flags.iter().filter_map(|flag| flag.to_string().strip_prefix(start).map(str::to_owned)).collect()
}

/// RFC 5235 §2: our own verdict, as numbers. docs/sieve.md: 50 percent is where mail goes into Junk, which is 5 of 10; 0 is what nobody looked at.
#[tokio::test]
async fn scripts_read_how_surely_it_is_junk() {
    let text = "require [\"spamtestplus\", \"imap4flags\", \"variables\"]; if spamtest :matches \"*\" { addflag \"number-${1}\"; }\r\n\
        if spamtest :percent :matches \"*\" { addflag \"percent-${1}\"; }";
    for (message, mailbox) in [(GOOD, "INBOX"), (JUNK, "Junk")] {
        let desk = spam::desk(false).await;
        script(&desk, BEN, text).await;
        assert_eq!(desk.send(&from_outside("x@shop.example", &[BEN]), message).await, TAKEN);
        let number: u32 = flags(&desk, mailbox, "number-").await[0].parse().unwrap();
        let percent: u8 = flags(&desk, mailbox, "percent-").await[0].parse().unwrap();
        assert_eq!(number, 1 + u32::from(percent) * 9 / 100, "{mailbox}");
        assert_eq!(50 <= percent, mailbox == "Junk", "{percent}");
        assert!(percent < 50 || 5 <= number, "{percent} {number}");
        // `junk.strictness` is normal: three points are where mail goes into Junk.
        let event = desk.house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows.remove(0);
        let score = desk.house.store.judgement(&event.trace).await.unwrap().unwrap().score.unwrap();
        let share = (score / 3.0 * 50.0).clamp(0.0, 100.0);
        assert!((share - f32::from(percent)).abs() <= 1.0, "{score} points are {percent} percent");
    }
    // Where nobody looks there is a number, and no percent (§2.1).
    let desk = Desk::open().await;
    script(&desk, BEN, text).await;
    assert_eq!(get(&desk, &[BEN]).await, TAKEN);
    assert_eq!(flags(&desk, "INBOX", "number-").await, ["0"]);
    assert_eq!(flags(&desk, "INBOX", "percent-").await, Vec::<String>::new());
}

/// Files Ben's next letter in a mailbox, where a test holds.
async fn holds(desk: &Desk, test: &str, mailbox: &str) -> bool {
    let rule = format!(
        "require [\"special-use\", \"mboxmetadata\", \"servermetadata\", \"fileinto\"]; if {test} {{ fileinto \"{mailbox}\"; }}"
    );
    script(desk, BEN, &rule).await;
    let before = (count(desk, BEN, "INBOX").await, count(desk, BEN, mailbox).await);
    assert_eq!(get(desk, &[BEN]).await, TAKEN);
    let after = (count(desk, BEN, "INBOX").await, count(desk, BEN, mailbox).await);
    assert!(after == (before.0 + 1, before.1) || after == (before.0, before.1 + 1), "{test}");
    after.1 > before.1
}

/// RFC 8579 §4: mailboxes are found by what they are for, whatever they are called.
#[tokio::test]
async fn mailboxes_are_found_by_what_they_are_for() {
    let desk = Desk::open().await;
    let (store, ben) = (&desk.house.store, desk.identity(BEN).await.account);
    let (old, new) = (MailboxName::parse("Archive").unwrap(), MailboxName::parse("Kept").unwrap());
    store.rename_mailbox(ben, &old, &new).await.unwrap();
    for (test, expected) in [
        ("specialuse_exists \"\\\\Archive\"", true),
        ("specialuse_exists [\"\\\\archive\", \"\\\\Junk\"]", true),
        ("specialuse_exists [\"\\\\Archive\", \"\\\\Flagged\"]", false),
        ("specialuse_exists \"\\\\Imaginary\"", false),
        ("specialuse_exists \"Kept\" \"\\\\Archive\"", true),
        ("specialuse_exists \"INBOX\" \"\\\\Archive\"", false),
        ("specialuse_exists \"Kept\" [\"\\\\Archive\", \"\\\\Junk\"]", false),
        ("specialuse_exists \"Archive\" \"\\\\Archive\"", false),
    ] {
        assert_eq!(holds(&desk, test, "Drafts").await, expected, "{test}");
    }
    // Where there is one, whatever name stands beside it; else the one of that name, which has the use where it is made.
    for (filing, mailbox) in [
        ("fileinto :specialuse \"\\\\Archive\" \"INBOX/Archive\";", "Kept"),
        ("fileinto :specialuse \"\\\\Archive\" :create \"INBOX/Archive\";", "Kept"),
        ("fileinto :specialuse \"\\\\Flagged\" \"Trash\";", "Trash"),
        ("fileinto :specialuse \"\\\\Flagged\" \"Stars\";", "INBOX"),
        ("fileinto :specialuse \"\\\\Flagged\" :create \"Stars\";", "Stars"),
        ("fileinto :specialuse \"\\\\Flagged\" \"Trash\";", "Stars"),
    ] {
        script(&desk, BEN, &format!("require [\"special-use\", \"mailbox\", \"fileinto\"]; {filing}")).await;
        let before = count(&desk, BEN, mailbox).await;
        assert_eq!(get(&desk, &[BEN]).await, TAKEN);
        assert_eq!(count(&desk, BEN, mailbox).await, before + 1, "{filing}");
    }
    assert_eq!(status(&desk, BEN, "Stars").await.mailbox.special_use, Some(SpecialUse::Flagged));
    assert_eq!(count(&desk, BEN, "INBOX/Archive").await, 0);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

/// RFC 5490 §3.3 to §4.2: scripts read the notes that mail programs keep (RFC 5464), and the one that is the server's own.
#[tokio::test]
async fn notes_on_mailboxes_and_on_the_server_are_read() {
    let desk = Desk::open().await;
    let (store, ben) = (&desk.house.store, desk.identity(BEN).await.account);
    let archive = status(&desk, BEN, "Archive").await.mailbox;
    let note = |name: &str, value: &str| vec![(name.to_owned(), Some(value.as_bytes().to_vec()))];
    let on_archive = Some((archive.key, archive.name.clone()));
    store.set_metadata(ben, on_archive, note("/private/vendor/x/auto-replies", "on")).await.unwrap();
    let pager = note("/private/vendor/x/notification-uri", "mailto:pager@elsewhere.example");
    store.set_metadata(ben, None, pager).await.unwrap();
    for (test, expected) in [
        ("metadata \"Archive\" \"/private/vendor/x/auto-replies\" \"on\"", true),
        ("metadata \"Archive\" \"/Private/Vendor/X/Auto-Replies\" \"ON\"", true),
        ("metadata \"Archive\" \"/private/vendor/x/auto-replies\" \"off\"", false),
        ("metadata \"INBOX\" \"/private/vendor/x/auto-replies\" \"on\"", false),
        ("metadata \"Nowhere\" \"/private/vendor/x/auto-replies\" \"on\"", false),
        ("metadata :contains \"Archive\" \"/private/vendor/x/other\" \"\"", false),
        ("metadataexists \"Archive\" [\"/private/vendor/x/auto-replies\"]", true),
        ("metadataexists \"Archive\" [\"/private/vendor/x/auto-replies\", \"/private/comment\"]", false),
        ("servermetadata :matches \"/private/vendor/x/notification-uri\" \"mailto:*@elsewhere.example\"", true),
        ("servermetadata :contains \"/private/vendor/x/auto-replies\" \"\"", false),
        ("servermetadata \"/shared/admin\" \"mailto:postmaster@mx.example.org\"", true),
        ("servermetadataexists [\"/private/vendor/x/notification-uri\", \"/shared/admin\"]", true),
        ("servermetadataexists [\"/shared/admin\", \"/shared/comment\"]", false),
        ("metadataexists \"Archive\" \"/shared/admin\"", false),
    ] {
        assert_eq!(holds(&desk, test, "Drafts").await, expected, "{test}");
    }
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}
