//! Each line as it stands on the wire; where a standard shows one, it is that.

use relais_message::{Section, SectionText};
use relais_model::{Keyword, MailboxName, ModSeq, SystemFlag, Timestamp, Uid, UidValidity};

use super::*;
use crate::command::{FetchSection, Partial, SectionName, StatusItem};
use crate::language::Language;
use crate::list::{ListAttribute, ListRow};

#[track_caller]
fn check(write: impl FnOnce(&mut Vec<u8>), expected: &str) {
    let mut out = Vec::new();
    write(&mut out);
    let expected = if expected.is_empty() { String::new() } else { format!("{expected}\r\n") };
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

#[track_caller]
fn check_code(code: &ResponseCode<'_>, expected: &str) {
    check(|out| condition(out, Condition::Ok, Some(code), say("x")), &format!("* OK [{expected}] x"));
}

fn say(english: &str) -> Text<'_> {
    Language::default().say(english)
}

fn uid(value: u32) -> Uid {
    Uid::new(value).unwrap()
}

fn set(uids: &[u32]) -> UidSet {
    uids.iter().map(|value| uid(*value)).collect()
}

fn keyword(text: &str) -> Flag {
    Flag::Keyword(Keyword::parse(text).unwrap())
}

#[test]
fn status_lines() {
    let tag = Tag::parse("A1").unwrap();
    check(|out| tagged(out, &tag, Status::Ok, None, say("done")), "A1 OK done");
    check(
        |out| tagged(out, &tag, Status::No, Some(&ResponseCode::TryCreate), say("no\r\nb OK é")),
        "A1 NO [TRYCREATE] no??b OK ?",
    );
    check(|out| continuation(out, say("go on")), "+ go on");
    check(|out| challenge(out, "Z28gb24="), "+ Z28gb24=");
    let no = ResponseCode::TryCreate;
    check(
        |out| tagged(out, &tag, Status::No, Some(&no), Language::French.say("There is no such mailbox")),
        "A1 NO [TRYCREATE] Cette boîte n’existe pas",
    );
}

#[test]
fn codes() {
    let uid_validity = UidValidity::new(38505).unwrap();
    check_code(&ResponseCode::AppendUid { uid_validity, uids: set(&[3955]) }, "APPENDUID 38505 3955");
    let (from, to) = (vec![uid(304), uid(319), uid(320)], vec![uid(3956), uid(3957), uid(3958)]);
    check_code(&ResponseCode::CopyUid { uid_validity, from, to }, "COPYUID 38505 304,319:320 3956:3958");
    check_code(&ResponseCode::HighestModSeq(ModSeq::new(715_194_045_007).unwrap()), "HIGHESTMODSEQ 715194045007");
    check_code(&ResponseCode::Modified(vec![(7, 7), (9, 11)]), "MODIFIED 7,9:11");
    check_code(&ResponseCode::MailboxId("F2212ea87".into()), "MAILBOXID (F2212ea87)");
    let flags = [Flag::System(SystemFlag::Deleted), keyword("$MDNSent")];
    check_code(&ResponseCode::PermanentFlags { flags: &flags, more: true }, "PERMANENTFLAGS (\\Deleted $MDNSent \\*)");
    check_code(&ResponseCode::PermanentFlags { flags: &[], more: true }, "PERMANENTFLAGS (\\*)");
    check_code(&ResponseCode::PermanentFlags { flags: &[], more: false }, "PERMANENTFLAGS ()");
    check_code(&ResponseCode::ReadWrite, "READ-WRITE");
    check_code(&ResponseCode::UnknownCte, "UNKNOWN-CTE");
}

#[test]
fn mailbox_data() {
    check(|out| exists(out, 172), "* 172 EXISTS");
    check(|out| expunge(out, SeqNum::new(44).unwrap()), "* 44 EXPUNGE");
    let uids = set(&[41, 43, 44, 45, 118]);
    check(|out| vanished(out, &uids, true), "* VANISHED (EARLIER) 41,43:45,118");
    check(|out| vanished(out, &uids, false), "* VANISHED 41,43:45,118");
    check(|out| vanished(out, &UidSet::new(), false), "");
    check(|out| super::flags(out, &[Flag::System(SystemFlag::Seen), keyword("$Junk")]), "* FLAGS (\\Seen $Junk)");
    check(|out| enabled(out, &[Extension::QResync, Extension::Imap4Rev2]), "* ENABLED QRESYNC IMAP4rev2");
    check(|out| enabled(out, &[]), "* ENABLED");
    check(|out| id(out, &[("name", "Relais"), ("version", "0.1")]), "* ID (\"name\" \"Relais\" \"version\" \"0.1\")");
    let (english, french) = (Language::English, Language::French);
    check(|out| namespace(out, None, None, french, false), "* NAMESPACE ((\"\" \"/\")) NIL NIL");
    check(
        |out| namespace(out, Some("Other Users"), Some("Shared"), english, false),
        "* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) ((\"Shared/\" \"/\"))",
    );
    // RFC 5255 §3.4: spelled as a mailbox's name.
    let shared =
        |name: &str| format!("* NAMESPACE ((\"\" \"/\")) NIL ((\"Shared/\" \"/\" \"TRANSLATION\" (\"{name}\")))");
    check(|out| namespace(out, None, Some("Shared"), french, false), &shared("Partag&AOk-/"));
    check(|out| namespace(out, None, Some("Shared"), french, true), &shared("Partagé/"));
    check(
        |out| quota(out, "", &[("STORAGE", 10, 512), ("MESSAGE", 3, 4)], false),
        "* QUOTA \"\" (STORAGE 10 512 MESSAGE 3 4)",
    );
    check(|out| quota(out, "", &[], false), "* QUOTA \"\" ()");
    check(|out| quota_root(out, &MailboxName::inbox(), Some(""), false), "* QUOTAROOT \"INBOX\" \"\"");
    check(|out| quota_root(out, &MailboxName::inbox(), None, false), "* QUOTAROOT \"INBOX\"");
}

/// RFC 3501 §5.1.3 for those who haven't enabled UTF-8, RFC 9051 §5.1 for those who have.
#[test]
fn mailbox_names() {
    check(|out| write_line(out, "Entwürfe & Co", false), "\"Entw&APw-rfe &- Co\"");
    check(|out| write_line(out, "Entwürfe & Co", true), "\"Entwürfe & Co\"");
    check(|out| write_line(out, "a\"b\\c", false), "\"a\\\"b\\\\c\"");
    check(|out| write_line(out, "NIL", false), "\"NIL\"");
}

fn write_line(out: &mut Vec<u8>, name: &str, utf8: bool) {
    write_mailbox(out, name, utf8);
    out.extend_from_slice(b"\r\n");
}

#[test]
fn list_rows() {
    let attributes = vec![ListAttribute::Subscribed, ListAttribute::HasChildren];
    let row = ListRow { name: "Fruit", attributes, has_child_info: true, is_selected: true };
    check(
        |out| list(out, &row, None, false),
        "* LIST (\\Subscribed \\HasChildren) \"/\" \"Fruit\" (\"CHILDINFO\" (\"SUBSCRIBED\"))",
    );
    check(|out| lsub(out, &row, false), "* LSUB (\\Subscribed \\HasChildren) \"/\" \"Fruit\"");
    let row = ListRow { name: "NewMailbox", attributes: Vec::new(), has_child_info: false, is_selected: true };
    check(
        |out| list(out, &row, Some("OldMailbox"), false),
        "* LIST () \"/\" \"NewMailbox\" (\"OLDNAME\" (\"OldMailbox\"))",
    );
}

#[test]
fn status_values() {
    let values = MailboxStatus {
        messages: 231,
        uid_next: uid(44292),
        uid_validity: UidValidity::new(1).unwrap(),
        recent: 3,
        unseen: 5,
        deleted: 2,
        size_octets: 8_000_000_000,
        deleted_octets: 77,
        highest_mod_seq: ModSeq::new(9).unwrap(),
        append_limit: 1000,
        mailbox_id: "F1",
    };
    let name = MailboxName::parse("blurdybloop").unwrap();
    let items = [StatusItem::Messages, StatusItem::UidNext];
    check(|out| status(out, &name, &values, &items, false), "* STATUS \"blurdybloop\" (MESSAGES 231 UIDNEXT 44292)");
    check(
        |out| status(out, &name, &values, &StatusItem::ALL, false),
        "* STATUS \"blurdybloop\" (MESSAGES 231 UIDNEXT 44292 UIDVALIDITY 1 UNSEEN 5 DELETED 2 SIZE 8000000000 RECENT 3 \
         HIGHESTMODSEQ 9 APPENDLIMIT 1000 MAILBOXID (F1) DELETED-STORAGE 77)",
    );
}

#[test]
fn search_results() {
    let mod_seq = ModSeq::new(917_162_500);
    check(|out| search(out, [2, 5, 6], mod_seq), "* SEARCH 2 5 6 (MODSEQ 917162500)");
    check(|out| search(out, [], None), "* SEARCH");
    check(|out| sort(out, [5, 3, 4], None), "* SORT 5 3 4");
    let tag = Tag::parse("A285").unwrap();
    let nothing = ESearch {
        tag: &tag,
        mailbox: None,
        by_uid: false,
        min: None,
        max: None,
        count: None,
        all: None,
        partial: None,
        relevancy: None,
        mod_seq: None,
    };
    check(|out| esearch(out, &nothing), "* ESEARCH (TAG \"A285\")");
    let found = ESearch { by_uid: true, min: Some(7), max: Some(3800), count: Some(0), ..nothing.clone() };
    check(|out| esearch(out, &found), "* ESEARCH (TAG \"A285\") UID MIN 7 MAX 3800 COUNT 0");
    let found = ESearch { all: Some(&[(17, 17), (20, 24)]), mod_seq, ..nothing.clone() };
    check(|out| esearch(out, &found), "* ESEARCH (TAG \"A285\") ALL 17,20:24 MODSEQ 917162500");
    check(|out| esearch(out, &ESearch { all: Some(&[]), ..nothing }), "* ESEARCH (TAG \"A285\")");
}

#[track_caller]
fn check_fetch(write: impl FnOnce(&mut FetchWriter<'_>), expected: &str) {
    let line = |out: &mut Vec<u8>| {
        let mut writer = FetchWriter::new(out, SeqNum::new(12).unwrap(), false);
        write(&mut writer);
        writer.finish();
    };
    check(line, &if expected.is_empty() { String::new() } else { format!("* 12 FETCH ({expected})") });
}

fn asked(path: &[u32], text: Option<SectionText>) -> FetchSection {
    let section = Section { path: path.to_vec(), text };
    FetchSection::new(section, true, None, SectionName::Body)
}

#[test]
fn fetch_items() {
    check_fetch(|_| (), "");
    check_fetch(
        |fetch| {
            fetch.uid(uid(7));
            fetch.flags(&[Flag::System(SystemFlag::Seen)]);
            fetch.internal_date(Timestamp::from_seconds(837_596_665));
            fetch.rfc822_size(4286);
            fetch.mod_seq(ModSeq::new(65402).unwrap());
        },
        "UID 7 FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" RFC822.SIZE 4286 MODSEQ (65402)",
    );
    check_fetch(|fetch| fetch.preview(Some("Hi \"you\"")), "PREVIEW \"Hi \\\"you\\\"\"");
    check_fetch(|fetch| fetch.preview(Some("hé")), "PREVIEW {3}\r\nhé");
    check_fetch(|fetch| fetch.preview(None), "PREVIEW NIL");
    check_fetch(|fetch| fetch.save_date(None), "SAVEDATE NIL");
    check_fetch(|fetch| fetch.email_id("M6d99ac3275bb4e"), "EMAILID (M6d99ac3275bb4e)");
    check_fetch(|fetch| fetch.thread_id(None), "THREADID NIL");
    check_fetch(|fetch| fetch.flags_octets(b"(\\Seen)"), "FLAGS (\\Seen)");
}

#[test]
fn fetched_sections() {
    let whole = asked(&[], None);
    check_fetch(|fetch| fetch.section(&whole, Some(b"a\r\n")), "BODY[] {3}\r\na\r\n");
    check_fetch(|fetch| fetch.section(&whole, Some(b"")), "BODY[] \"\"");
    check_fetch(|fetch| fetch.section(&asked(&[4, 2], None), None), "BODY[4.2] NIL");
    let names = vec!["DATE".to_owned(), "From".to_owned(), "x{y".to_owned()];
    let fields = SectionText::HeaderFields { not: true, names };
    check_fetch(
        |fetch| fetch.section(&asked(&[4, 2], Some(fields)), Some(b"x")),
        "BODY[4.2.HEADER.FIELDS.NOT (DATE From \"x{y\")] {1}\r\nx",
    );
    check_fetch(|fetch| fetch.section(&asked(&[1], Some(SectionText::Mime)), Some(b"x")), "BODY[1.MIME] {1}\r\nx");
    let partial = Some(Partial { offset: 20, octets: 10.try_into().unwrap() });
    let piece = FetchSection::new(whole.section.clone(), true, partial, SectionName::Body);
    check_fetch(|fetch| fetch.section(&piece, Some(b"x")), "BODY[]<20> {1}\r\nx");
    let rfc822 = FetchSection::new(whole.section, true, None, SectionName::Rfc822Text);
    check_fetch(|fetch| fetch.section(&rfc822, Some(b"x")), "RFC822.TEXT {1}\r\nx");
}

/// RFC 3516 §4.2.
#[test]
fn binary_literals() {
    check_fetch(|fetch| fetch.binary(&[1], Some(0), Some(b"abc")), "BINARY[1]<0> {3}\r\nabc");
    check_fetch(|fetch| fetch.binary(&[], None, Some(b"a\0c")), "BINARY[] ~{3}\r\na\0c");
    check_fetch(|fetch| fetch.binary(&[2], None, Some(b"")), "BINARY[2] \"\"");
    check_fetch(|fetch| fetch.binary(&[2], None, None), "BINARY[2] NIL");
    check_fetch(|fetch| fetch.binary_size(&[2, 1], 7), "BINARY.SIZE[2.1] 7");
}
