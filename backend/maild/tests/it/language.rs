//! LANGUAGE (RFC 5255): what is said is there in each language, and is said in the one that was asked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use relais_imap::language::Language;
use relais_store::{AccountChange, OTHER_USERS, SHARED};

use crate::house::{Door, TestHouse};

/// Literals that look like a text for people and are words of protocols, and of messages.
const NOT_SAID: &[&str] = &[
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec", // dates
    "From",
    "To",
    "Cc",
    "Bcc",
    "Subject", // header fields
    "MessageNew",
    "MessageExpunge",
    "FlagChange",
    "MailboxName",
    "SubscriptionChange",
    "MailboxMetadataChange",
    "ServerMetadataChange", // events of NOTIFY
    "IMAP4rev2",
    "Relais",
];

/// Errors that become a command's NO, as a sentence: where they stand, and their names.
const ERRORS: [(&str, &str); 4] = [
    ("../store/src/message.rs", "ChangeError"),
    ("../store/src/mailbox.rs", "MailboxError"),
    ("../store/src/metadata.rs", "MetadataError"),
    ("../store/src/sharing.rs", "SharingError"),
];

/// Errors that fill the gap of a refusal.
const GAPS: [(&str, &str); 2] = [("../model/src/mailbox.rs", "MailboxNameError"), ("../imap/src/utf7.rs", "Utf7Error")];

/// What the sources say stands in `language/french.rs`, and nothing else does.
#[test]
fn every_text_has_its_french() {
    let mut said = BTreeSet::from([OTHER_USERS.to_owned(), SHARED.to_owned()]);
    for source in sources() {
        let texts = literals(&read(&source)).into_iter().filter(|text| is_for_people(text));
        said.extend(texts.filter(|text| !NOT_SAID.contains(&text.as_str())));
    }
    assert!(said.len() > 200, "{said:?}");
    said.extend(ERRORS.iter().flat_map(|(file, name)| error_texts(file, name)).map(|text| sentence(&text)));
    said.extend(GAPS.iter().flat_map(|(file, name)| error_texts(file, name)));
    let translated: BTreeSet<String> = Language::translated().map(str::to_owned).collect();
    assert_eq!(said.difference(&translated).collect::<Vec<_>>(), Vec::<&String>::new(), "no French");
    assert_eq!(translated.difference(&said).collect::<Vec<_>>(), Vec::<&String>::new(), "French of nothing");
}

/// The errors that the test above reads are all that there are.
#[test]
fn every_error_that_is_said_is_read() {
    let mut found = BTreeSet::new();
    for source in sources() {
        let text = read(&source);
        let listed = text.split("impl From<").skip(1).filter_map(|behind| behind.split_once("> for Halt"));
        found.extend(listed.map(|(name, _)| name.to_owned()).filter(|name| !name.contains('\n')));
    }
    // Both are logged, and one sentence is said of them.
    let mut expected = BTreeSet::from(["io::Error".to_owned(), "StoreError".to_owned()]);
    expected.extend(ERRORS.iter().map(|(_, name)| (*name).to_owned()));
    assert_eq!(found, expected);
}

/// RFC 5255 §3.1: `i-default` until a language is asked for, whoever logs in. §3.2: `default` is what they have chosen, or else the house.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn default_is_what_is_read_here() {
    let house = TestHouse::open().await;
    for name in ["ann", "ben"] {
        house.move_in(name, None).await;
    }
    house.set("house.language", Some("fr")).await;
    let mut visitor = house.connect(Door::Open).await;
    assert!(visitor.line().await.contains(" LANGUAGE "), "in the greeting, too");
    assert_eq!(
        visitor.command("LANGUAGE \"*\"").await,
        (vec!["* LANGUAGE (\"fr\")".to_owned()], "OK C’est fait".to_owned())
    );
    let (_, end) = visitor.command("LOGIN ann@relais.test wrong").await;
    assert_eq!(end, "NO [AUTHENTICATIONFAILED] Le nom ou le mot de passe est faux");
    house.change("ann", AccountChange { language: Some("en".to_owned()), ..AccountChange::default() }).await;
    for (name, tag, end) in [("ann", "en", "OK So it is"), ("ben", "fr", "OK C’est fait")] {
        let mut client = house.log_in(name).await;
        assert_eq!(client.command("NOOP").await.1, "OK Nothing done", "{name}");
        let (lines, ended) = client.command("LANGUAGE Default").await;
        let namespace = "* NAMESPACE ((\"\" \"/\")) NIL NIL".to_owned();
        assert_eq!((lines, ended.as_str()), (vec![format!("* LANGUAGE (\"{tag}\")"), namespace], end), "{name}");
    }
    house.close().await;
}

/// All that IMAP says is said in these.
fn sources() -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("src/imap.rs")];
    let mut folders = vec![PathBuf::from("src/imap"), PathBuf::from("../imap/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(here().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            let is_source = path.extension().is_some_and(|ending| ending == "rs");
            // The table itself, names of extensions, and tests.
            let is_other = ["french.rs", "capability.rs", "tests.rs"].iter().any(|name| path.ends_with(name));
            if is_source && !is_other {
                found.push(path);
            } else if here().join(&path).is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &Path) -> String {
    fs::read_to_string(here().join(file)).unwrap()
}

/// Texts of the error of this name, as they stand in its attributes.
fn error_texts(file: &str, name: &str) -> Vec<String> {
    let source = read(Path::new(file));
    let (_, behind) = source.split_once(&format!("pub enum {name} {{")).unwrap();
    let (variants, _) = behind.split_once("\n}").unwrap();
    let texts = variants.split("#[error(\"").skip(1).map(|text| text.split_once("\")]").unwrap().0.to_owned());
    let texts: Vec<String> = texts.collect();
    assert!(!texts.is_empty(), "{name}");
    texts
}

/// Errors begin small, sentences don't.
fn sentence(error: &str) -> String {
    let (first, rest) = error.split_at(1);
    first.to_uppercase() + rest
}

/// What is said to people begins with a capital, a number or a word of the protocol in backquotes. What is logged, or is read in the source,
/// begins small; commands have no small letters.
fn is_for_people(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase() || first.is_ascii_digit() || first == '`')
        && text.contains(|letter: char| letter.is_ascii_lowercase())
}

/// The string literals of a source, without its comments, its tests, and literals of octets.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source.split("#[cfg(test)]").next().unwrap_or_default();
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, behind) = rest.split_at(at);
        rest = if behind.starts_with("//") {
            behind.split_once('\n').map_or("", |(_comment, next)| next)
        } else if let Some(next) = behind.strip_prefix("'\"'") {
            next
        } else if let Some(literal) = behind.strip_prefix('"') {
            let (text, next) = literal.split_at(end_of(literal));
            if !before.ends_with('b') {
                found.push(text.replace("\\\"", "\"").replace("\\\\", "\\"));
            }
            &next[1..]
        } else {
            &behind[1..]
        };
    }
    found
}

/// Where the quotation mark is that ends a literal.
fn end_of(literal: &str) -> usize {
    let mut is_escaped = false;
    let ends = |letter: char| {
        let ends = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        ends
    };
    literal.find(ends).unwrap()
}
