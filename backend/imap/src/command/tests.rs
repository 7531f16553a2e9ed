//! Every command line that the standards show is read; what it is read as stands in `snapshots/`.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn context(limits: &Limits, state: State) -> Context<'_> {
    Context { limits, utf8: false, uid_only: false, state }
}

/// In whichever state the command belongs to.
fn read(line: &str) -> Result<(Tag, Request), Refusal> {
    let limits = Limits::default();
    let early = parse(line.as_bytes(), context(&limits, State::NotAuthenticated));
    match early {
        Err(refusal) if refusal.text == "Please log in first" => {
            parse(line.as_bytes(), context(&limits, State::Selected))
        }
        read => read,
    }
}

fn show(lines: &[&str]) -> String {
    let mut shown = String::new();
    for line in lines {
        let request = match read(line) {
            Ok((_, Request::Command(command))) => format!("{command:?}"),
            Ok((_, Request::Dialogue(dialogue))) => format!("{dialogue:?}"),
            Ok((_, Request::Append(opening))) => format!("{opening:?}"),
            Err(refusal) => format!("{:?}: {refusal}", refusal.reason),
        };
        writeln!(shown, "{}\n    {request}", line.replace("\r\n", "⏎")).unwrap();
    }
    shown
}

#[track_caller]
fn all_are_read(lines: &[&str]) {
    for line in lines {
        assert!(read(line).is_ok(), "{line}: {:?}", read(line));
    }
}

/// RFC 9051 §6, in its order.
const RFC9051: &[&str] = &[
    "abcd CAPABILITY",
    "efgh STARTTLS",
    "a002 NOOP",
    "A023 LOGOUT",
    "A001 AUTHENTICATE GSSAPI",
    "A02 AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=",
    "a001 LOGIN SMITH SESAME",
    "t1 CAPABILITY",
    "t2 ENABLE CONDSTORE X-GOOD-IDEA",
    "C.1 ENABLE IMAP4rev2",
    "A142 SELECT INBOX",
    "A932 EXAMINE blurdybloop",
    "A003 CREATE owatagusiam/",
    "A004 CREATE owatagusiam/blurdybloop",
    "A682 LIST \"\" *",
    "A683 DELETE blurdybloop",
    "A684 DELETE foo",
    "A685 DELETE foo/bar",
    "A83 DELETE blurdybloop",
    "A683 RENAME blurdybloop sarasoon",
    "A684 RENAME foo zowie",
    "Z433 RENAME INBOX old-mail",
    "A002 SUBSCRIBE #news.comp.mail.mime",
    "A002 UNSUBSCRIBE #news.comp.mail.mime",
    "A101 LIST \"\" \"\"",
    "A102 LIST #news. \"\"",
    "A103 LIST /usr/staff/jones \"\"",
    "A202 LIST ~/Mail/ %",
    "A04 LIST (SUBSCRIBED) \"\" \"*\"",
    "A01 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"%\"",
    "A01 LIST () \"\" (\"INBOX\" \"Drafts\" \"Sent/%\")",
    "A02 LIST \"\" % RETURN (CHILDREN)",
    "A01 LIST \"\" % RETURN (STATUS (MESSAGES UNSEEN))",
    "A02 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" % RETURN (STATUS (MESSAGES))",
    "A03 LIST (REMOTE) \"\" % RETURN (CHILDREN)",
    "A04 LIST (REMOTE SUBSCRIBED) \"\" *",
    "t1 LIST (SPECIAL-USE) \"\" \"*\"",
    "t1 LIST \"\" \"%\" RETURN (SPECIAL-USE)",
    "A001 NAMESPACE",
    "A042 STATUS blurdybloop (UIDNEXT MESSAGES)",
    "A002 IDLE",
    "FXXZ CHECK",
    "A341 CLOSE",
    "A341 UNSELECT",
    "A202 EXPUNGE",
    "A003 UID EXPUNGE 3000:3002",
    "A282 SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
    "A283 SEARCH RETURN () FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
    "A284 SEARCH TEXT \"string not in mailbox\"",
    "A285 SEARCH RETURN (MIN MAX) TEXT \"string not in mailbox\"",
    "A286 SEARCH CHARSET UTF-8 TEXT {12}\r\nотпуск",
    "P282 SEARCH RETURN (SAVE) FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
    "P283 SEARCH RETURN (SAVE MIN MAX COUNT) 1:* KEYWORD $Forwarded",
    "A301 UID SEARCH UID $ SMALLER 4096",
    "A302 SEARCH OR $ 1,3000:3021 TEXT {6}\r\nкот",
    "F282 UID FETCH $ (UID INTERNALDATE FLAGS RFC822.SIZE)",
    "E285 MOVE $ \"Other Messages\"",
    "A303 SEARCH NOT $",
    "A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])",
    "a FETCH 1 BODY[4.2.HEADER.FIELDS.NOT (From)]",
    "a FETCH 1 BODY.PEEK[]<0.2048>",
    "a FETCH 1 BINARY[1]<0.10>",
    "a FETCH 1 (BINARY.PEEK[1.2] BINARY.SIZE[])",
    "A003 STORE 2:4 +FLAGS (\\Deleted)",
    "A003 COPY 2:4 MEETING",
    "a UID MOVE 42:69 foo",
    "A999 UID FETCH 4827313:4828442 FLAGS",
    "A004 UID FETCH 1:* (FLAGS BODYSTRUCTURE)",
    "a UID STORE 7 -FLAGS.SILENT \\Seen $Junk",
    "a FETCH 1 FULL",
    "a FETCH 1 fast",
    "a FETCH 1 ALL",
];

/// RFC 7162, in its order.
const RFC7162: &[&str] = &[
    "a SELECT INBOX (CONDSTORE)",
    "a SELECT B",
    "s100 UID STORE 1:* (UNCHANGEDSINCE 12121230045) +FLAGS.SILENT (\\Deleted)",
    "c101 STORE 50 (UNCHANGEDSINCE 12121231000) -FLAGS.SILENT (\\Deleted)",
    "d105 STORE 7,5,9 (UNCHANGEDSINCE 320162338) +FLAGS.SILENT (\\Deleted)",
    "a102 STORE 100:150 (UNCHANGEDSINCE 0) +FLAGS.SILENT ($Processed)",
    "a FETCH 1:3 (FLAGS MODSEQ)",
    "s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)",
    "a SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338",
    "t SEARCH OR NOT MODSEQ 720162338 LARGER 50000",
    "a STATUS blurdybloop (UIDNEXT MESSAGES HIGHESTMODSEQ)",
    "B2 SEARCH RETURN (MIN) MODSEQ 1",
    "a ENABLE QRESYNC",
    "A02 SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541))",
    "A03 SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541))",
    "B03 SELECT INBOX (QRESYNC (67890007 90060115205545359 41,43:211,214:541 (1,3,5 1,3,5)))",
    "B04 SELECT INBOX (QRESYNC (67890007 90060115205545359 (1,3,5 1,3,5)))",
    "C01 SELECT INBOX (CONDSTORE QRESYNC (67890007 1))",
    "s100 UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)",
];

/// RFC 5256 (SORT, THREAD), RFC 5957, RFC 6851 (MOVE), RFC 5258 (LIST-EXTENDED).
const RFC5256_6851_5258: &[&str] = &[
    "A282 SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994",
    "A283 SORT (SUBJECT REVERSE DATE) UTF-8 ALL",
    "A284 SORT (SUBJECT) US-ASCII TEXT \"not in mailbox\"",
    "a UID SORT (REVERSE DISPLAYFROM DISPLAYTO ARRIVAL CC FROM SIZE TO) iso-8859-1 TEXT {1}\r\nx",
    "A283 THREAD ORDEREDSUBJECT UTF-8 SINCE 5-MAR-2000",
    "A284 THREAD ORDEREDSUBJECT US-ASCII TEXT \"gewp\"",
    "a UID THREAD REFERENCES UTF-8 ALL",
    "a UID MOVE 42:69 foo",
    "a MOVE 1:* foo",
    "A01 LIST \"\" \"*\"",
    "A02 LIST (SUBSCRIBED) \"\" \"*\"",
    "A03 LIST () \"\" \"%\" RETURN (CHILDREN)",
    "A04 LIST (REMOTE) \"\" \"%\" RETURN (CHILDREN)",
    "A05 LIST (REMOTE SUBSCRIBED) \"\" \"*\"",
    "A06 LIST (REMOTE) \"\" \"*\" RETURN (SUBSCRIBED)",
    "BBB LIST \"\" (\"INBOX\" \"Drafts\" \"Sent/%\")",
    "C01 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"%\"",
    "D03 LIST () \"music/rock\" \"\" RETURN ()",
    "a LSUB \"#news.\" \"comp.mail.*\"",
];

/// The other extensions, with the examples of their own standards where there are.
const OTHERS: &[&str] = &[
    "a023 ID (\"name\" \"sodr\" \"version\" \"19.34\" \"vendor\" \"Pink Floyd Music Limited\")",
    "a042 ID NIL",
    "a042 ID (\"os\" NIL)",
    "t2 CREATE MySent (USE (\\Sent))",
    "t2 CREATE Everything (USE (\\All \\Flagged))",
    "a FETCH 1:3 (PREVIEW (LAZY) SAVEDATE EMAILID THREADID)",
    "a FETCH 1 PREVIEW",
    "a FETCH 1 PREVIEW (LAZY)",
    "a FETCH 1 PREVIEW (CHANGEDSINCE 5)",
    "a FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)",
    "A1 SEARCH YOUNGER 259200 OLDER 60",
    "a SEARCH SAVEDBEFORE 1-Jan-2026 SAVEDON \"1-Jan-2026\" SAVEDSINCE 01-jan-2026 SAVEDATESUPPORTED",
    "a SEARCH EMAILID M6d99ac3275bb4e THREADID T64b478a75b7ea9",
    "a SEARCH ANSWERED UNANSWERED DELETED UNDELETED DRAFT UNDRAFT FLAGGED UNFLAGGED SEEN UNSEEN",
    "a SEARCH NEW OLD RECENT ALL",
    "a SEARCH (OR (FROM a TO b) NOT (CC c BCC d)) HEADER Message-ID \"\" BODY x UNKEYWORD $Junk",
    "a SEARCH BEFORE 1-Feb-1994 ON 2-Feb-1994 SENTBEFORE 3-Feb-1994 SENTON 4-Feb-1994 SENTSINCE 5-Feb-1994",
    "a SEARCH SUBJECT NIL",
    "a GETQUOTA \"\"",
    "a GETQUOTAROOT INBOX",
    "a SETQUOTA \"\" (STORAGE 512)",
    "a STATUS x (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE RECENT HIGHESTMODSEQ APPENDLIMIT MAILBOXID)",
    "a COMPRESS DEFLATE",
    "a STORE 1 FLAGS (\\Recent \\Seen)",
    "a STORE 1 +FLAGS NIL",
    "a SELECT Entw&APw-rfe",
    "a SELECT \"Entwürfe\"",
    "a LIST \"\" NIL",
    "a LIST \"\" !#$$&'+,-.0123456789:;<=>?@^_`|[}%*",
];

/// RFC 8508, 9394, 5267, 7377, 6203, 9738, 8437, 5464, 5465, 5255, 4469.
const LATER: &[&str] = &[
    "A01 UID SEARCH RETURN (PARTIAL -1:-100) UNDELETED UNKEYWORD $Junk",
    "A02 UID SEARCH RETURN (PARTIAL 24000:23500 COUNT) UNDELETED",
    "101 UID FETCH 25900:26600 (UID FLAGS) (PARTIAL -1:-30 CHANGEDSINCE 98305)",
    "E01 UID SORT RETURN () (REVERSE DATE) UTF-8 UNDELETED UNKEYWORD $Junk",
    "A01 SEARCH RETURN (CONTEXT COUNT) UNDELETED UNKEYWORD $Junk",
    "B01 UID SEARCH RETURN (UPDATE COUNT) DELETED KEYWORD $Junk",
    "B04 CANCELUPDATE \"B01\" \"B02\"",
    "a00 SEARCH RETURN (COUNT UPDATE (UID BODY.PEEK[HEADER.FIELDS (TO FROM SUBJECT)])) FROM \"boss\"",
    "tag1 ESEARCH IN (mailboxes \"folder1\" subtree \"folder2\") unseen",
    "tag2 ESEARCH IN (mailboxes (\"folder1\" x) subtree-one \"folder2\") RETURN (COUNT) CHARSET UTF-8 subject \"chad\"",
    "tag3 ESEARCH FROM \"frobozz\" 1:100",
    "A1 SEARCH FUZZY (SUBJECT \"IMAP break\")",
    "C2 SORT RETURN (RELEVANCY ALL) (RELEVANCY) UTF-8 FUZZY TEXT \"Helo\"",
    "12 UID SEARCH UIDAFTER 25000 UIDBEFORE 26000",
    "a UNAUTHENTICATE",
    "a GETMETADATA \"\" /shared/comment",
    "a GETMETADATA \"INBOX\" (/shared/comment /private/comment)",
    "a GETMETADATA (MAXSIZE 1024 DEPTH infinity) INBOX /PRIVATE/comment",
    "a GETMETADATA \"INBOX\" (DEPTH 1) (/private/filters/values)",
    "a GETMETADATA \"INBOX\" /private/comment /shared/comment",
    "a SETMETADATA INBOX (/private/comment {33}\r\nMy new comment across\r\ntwo lines. /shared/comment NIL)",
    "a SETMETADATA \"\" (/private/vendor/x/y ~{2}\r\na\0)",
    "a NOTIFY NONE",
    "b NOTIFY SET STATUS (selected (MessageNew (uid flags) MessageExpunge)) (subtree Lists NONE)",
    "e NOTIFY SET (mailboxes (INBOX misc) (MessageNew MessageExpunge FlagChange)) (personal (SubscriptionChange))",
    "a NOTIFY SET (selected-delayed (messagenew messageexpunge)) (inboxes (Frob AnnotationChange))",
    "a LANGUAGE \"EN-IE\" DE",
    "A002 SETACL INBOX/Drafts Chris +cda",
    "B002 DeleteAcl INBOX Fred",
    "A001 GETACL INBOX/Drafts",
    "a001 LISTRIGHTS Mail/saved smith",
    "A003 MYRIGHTS INBOX",
    "A01 LIST \"\" % RETURN (MYRIGHTS METADATA (\"/shared/vendor/cmu/cyrus-imapd/color\"))",
    "a APPEND Drafts (\\Seen) CATENATE (URL \"/Drafts/;UID=20\" URL {3}\r\nfoo) CATENATE (URL x)",
    "a UID REPLACE 3002 Drafts CATENATE (URL \"/Drafts/;UID=3002\")",
];

/// What is refused, and how.
const REFUSED: &[&str] = &[
    "a LIST (imaptest) \"\" \"\"",
    "a LIST (RECURSIVEMATCH) \"\" \"\"",
    "a LIST (RECURSIVEMATCH REMOTE) \"\" \"\"",
    "a LIST \"\" \"\" RETURN (imaptest)",
    "a SELECT !#$$&'+,-.0123456789:;<=>?@^_`|[}",
    "a SELECT INBOX (FROB)",
    "a SELECT INBOX (QRESYNC (0 1))",
    "a SELECT INBOX (QRESYNC (1 1 1:*))",
    "a STATUS INBOX ()",
    "a STATUS INBOX (FROB)",
    "a CREATE x (USE (\\Frob))",
    "a CREATE /",
    "a FETCH 0 FLAGS",
    "a FETCH 1 ()",
    "a FETCH 1 (FLAGS",
    "a FETCH 1 (FLAGS UID )",
    "a FETCH 1 BODY[",
    "a FETCH 1 BODY[1.]",
    "a FETCH 1 BODY[0]",
    "a FETCH 1 BODY[1HEADER]",
    "a FETCH 1 BODY[MIME]",
    "a FETCH 1 BODY[HEADER.FIELDS ()]",
    "a FETCH 1 BODY[HEADER.FIELDS (\"a:b\")]",
    "a FETCH 1 BODY[]<0.0>",
    "a FETCH 1 BODY[]<0>",
    "a FETCH 1 BODY.PEEK",
    "a FETCH 1 FLAGS (VANISHED)",
    "a UID FETCH 1 FLAGS (CHANGEDSINCE 0)",
    "a STORE 1 FLAGS (\\Frob)",
    "a STORE 1 FROB (\\Seen)",
    "a STORE 1 +FLAGS",
    "a SEARCH",
    "a SEARCH FROB",
    "a SEARCH OR ALL",
    "a SEARCH (ALL",
    "a SEARCH ALL)",
    "a SEARCH SINCE 31-Feb-2026",
    "a SEARCH SINCE 1-Foo-2026",
    "a SEARCH LARGER 18446744073709551616",
    "a SEARCH OLDER 0",
    "a SEARCH RETURN (FROB) ALL",
    "a SORT (FROB) UTF-8 ALL",
    "a SORT () UTF-8 ALL",
    "a THREAD FROB UTF-8 ALL",
    "a UID NOOP",
    "a UID",
    "a LOGIN x",
    "a LOGIN \"x y",
    "a LOGIN \"x\\y\" z",
    "a ID (\"name\")",
    "a COMPRESS LZW",
    "a APPEND INBOX",
    "a SEARCH RETURN (PARTIAL 1:*) ALL",
    "a SEARCH RETURN (PARTIAL 1) ALL",
    "a SEARCH RETURN (PARTIAL -1:2) ALL",
    "a SEARCH RETURN (PARTIAL 1:2 ALL) ALL",
    "a SEARCH RETURN (RELEVANCY) ALL",
    "a SORT (RELEVANCY) UTF-8 ALL",
    "a SORT RETURN (SAVE) (DATE) UTF-8 ALL",
    "a FETCH 1 FLAGS (PARTIAL 1:2)",
    "a CANCELUPDATE",
    "a CANCELUPDATE \"a b\"",
    "a ESEARCH IN (selected-delayed) ALL",
    "a ESEARCH IN (frob) ALL",
    "a ESEARCH IN (personal) RETURN (SAVE) ALL",
    "A035 SETACL INBOX/Drafts John lrQswicda",
    "A036 SETACL INBOX/Drafts John lrqswicda",
    "a SETACL INBOX \"\" lr",
    "a GETMETADATA INBOX /other/comment",
    "a GETMETADATA INBOX (DEPTH 2) /shared/comment",
    "a SETMETADATA INBOX (/shared NIL)",
    "a SETMETADATA INBOX (/shared/vendor/x NIL)",
    "a SETMETADATA INBOX ()",
    "a NOTIFY",
    "a NOTIFY SET",
    "a NOTIFY SET (selected (MessageNew))",
    "a NOTIFY SET (selected (FlagChange))",
    "a NOTIFY SET (selected (MailboxName))",
    "a NOTIFY SET (selected NONE) (selected-delayed NONE)",
    "a NOTIFY SET (personal (MessageNew (UID) MessageExpunge))",
    "a NOTIFY SET (subtree-one x (MailboxName))",
    "a NOTIFY SET (subtree (MailboxName))",
    "a APPEND x CATENATE ()",
    "a APPEND x CATENATE (URL u",
    "a REPLACE 1:2 x CATENATE (URL u)",
    "a REPLACE 1 x CATENATE (URL u) CATENATE (URL u)",
];

#[test]
fn examples_of_rfc_9051() {
    all_are_read(RFC9051);
    insta::assert_snapshot!(show(RFC9051));
}

#[test]
fn examples_of_rfc_7162() {
    all_are_read(RFC7162);
    insta::assert_snapshot!(show(RFC7162));
}

#[test]
fn examples_of_rfc_5256_6851_5258() {
    all_are_read(RFC5256_6851_5258);
    insta::assert_snapshot!(show(RFC5256_6851_5258));
}

#[test]
fn examples_of_other_extensions() {
    all_are_read(OTHERS);
    insta::assert_snapshot!(show(OTHERS));
}

#[test]
fn examples_of_later_extensions() {
    all_are_read(LATER);
    insta::assert_snapshot!(show(LATER));
}

#[test]
fn refusals() {
    insta::assert_snapshot!(show(REFUSED));
}

/// RFC 9051 §5.1: with UTF-8 enabled, `&` is a character as any other.
#[test]
fn names_in_utf8() {
    let limits = Limits::default();
    let context = Context { limits: &limits, utf8: true, uid_only: false, state: State::Authenticated };
    let (_, request) = parse("a DELETE \"R&D für\"".as_bytes(), context).unwrap();
    let mailbox = MailboxName::parse("R&D für").unwrap();
    assert_eq!(request, Request::Command(Command::Delete { mailbox, old_name: None }));
}

/// RFC 9051 §5.1, §6.3.6, §6.3.9.7: a name is taken in whatever spelling, in UTF-8 and in modified UTF-7, and the client's own
/// is remembered.
#[test]
fn names_in_other_spellings() {
    #[track_caller]
    fn check(line: &str, utf8: bool, expected: Command) {
        let limits = Limits::default();
        let context = Context { limits: &limits, utf8, uid_only: false, state: State::Authenticated };
        assert_eq!(parse(line.as_bytes(), context).unwrap().1, Request::Command(expected), "{line}");
    }
    let name = |text| MailboxName::parse(text).unwrap();
    let old = |text: &str| Some(text.to_owned());
    let (ours, theirs) = ("Caf\u{e9}", "Cafe\u{301}");
    let delete = |old_name| Command::Delete { mailbox: name(ours), old_name };
    check("a DELETE \"Cafe\u{301}\"", true, delete(old(theirs)));
    check("a DELETE \"Cafe\u{301}\"", false, delete(old(theirs)));
    check("a DELETE Cafe&AwE-", false, delete(old(theirs)));
    check("a DELETE Caf&AOk-", false, delete(None));
    check("a DELETE inbox", true, Command::Delete { mailbox: name("INBOX"), old_name: None });
    let create = |old_name| Command::Create(Create { mailbox: name(ours), old_name, special_uses: Vec::new() });
    check("a CREATE \"Cafe\u{301}/\"", true, create(old(theirs)));
    check("a CREATE \"Caf\u{e9}/\"", true, create(None));
    let rename = |from, to, old_name| Command::Rename { from: name(from), to: name(to), old_name };
    check("a RENAME \"Cafe\u{301}\" Bar", true, rename(ours, "Bar", old(theirs)));
    check("a RENAME Bar \"Cafe\u{301}\"", true, rename("Bar", ours, old("Bar")));
    check("a RENAME Bar \"Caf\u{e9}\"", true, rename("Bar", ours, None));
    check("a UNSUBSCRIBE \"Cafe\u{301}\"", true, Command::Unsubscribe(name(ours)));
}

/// RFC 9051 §6.4.4: the texts of SEARCH are in its CHARSET.
#[test]
fn charsets_are_decoded() {
    let limits = Limits::default();
    let line = b"a SEARCH CHARSET ISO-8859-1 SUBJECT \"caf\xe9\"";
    let (_, request) = parse(line, context(&limits, State::Selected)).unwrap();
    let Request::Command(Command::Search(search)) = request else { panic!("{request:?}") };
    assert_eq!(search.key, SearchKey::Subject("café".to_owned()));
}

#[test]
fn limits_are_kept() {
    let limit = |line: String| assert_eq!(read(&line).unwrap_err().reason, Reason::Limit, "{line:.60}");
    limit(format!("a SEARCH {}ALL", "NOT ".repeat(32)));
    limit(format!("a SEARCH {}ALL{}", "(".repeat(40), ")".repeat(40)));
    limit(format!("a SEARCH {}ALL", "ALL ".repeat(1000)));
    limit(format!("a FETCH {}1 UID", "1,".repeat(10_000)));
    limit(format!("a FETCH 1 ({}UID)", "UID ".repeat(1000)));
    limit(format!("a STORE 1 +FLAGS {}a", "a ".repeat(1001)));
    assert!(read(&format!("a SEARCH {}ALL", "NOT ".repeat(31))).is_ok());
}

/// Passwords get into no log by way of `Debug`.
#[test]
fn passwords_do_not_print() {
    assert!(!format!("{:?}", read("a LOGIN joe secret")).contains("secret"));
    assert!(!format!("{:?}", read("a AUTHENTICATE PLAIN c2VjcmV0")).contains("c2Vj"));
}

#[test]
fn tags() {
    for text in ["a", "A142", "1", "]", "a.b-c"] {
        assert!(Tag::parse(text).is_some(), "{text}");
    }
    for text in ["", "+", "*", "a+", "a b", "é", "{1}", &"a".repeat(65)] {
        assert!(Tag::parse(text).is_none(), "{text}");
    }
}

proptest! {
    /// Every prefix and every mixture of what the standards show is read or refused, and nothing else happens.
    #[test]
    fn nothing_panics(
        words in prop::collection::vec(
            prop_oneof![
                3 => prop::sample::select(
                    [RFC9051, RFC7162, RFC5256_6851_5258, OTHERS, REFUSED].concat().into_iter()
                        .flat_map(|line| line.split(' ')).collect::<Vec<_>>()
                ).prop_map(str::to_owned),
                1 => "\\PC{0,4}",
            ],
            0..8,
        ),
        name in prop::sample::select(vec!["SEARCH", "FETCH", "UID FETCH", "STORE", "SELECT", "LIST", "STATUS", "CREATE", "ID"]),
    ) {
        let _read = read(&format!("a {name} {}", words.join(" ")));
    }

    /// print ∘ parse = identity for names, whichever way they are written.
    #[test]
    fn printed_names_read_back(name in "\\PC{1,40}", utf8: bool) {
        let Ok(name) = MailboxName::parse(&name) else { return Ok(()) };
        let mut line = b"a DELETE ".to_vec();
        crate::response::write_mailbox(&mut line, name.as_str(), utf8);
        let limits = Limits::default();
        let (_, request) = parse(&line, Context { limits: &limits, utf8, uid_only: false, state: State::Selected }).unwrap();
        prop_assert_eq!(request, Request::Command(Command::Delete { mailbox: name, old_name: None }));
    }
}
