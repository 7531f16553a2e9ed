//! What IMAP does at limits that are small here.

use std::time::Duration;

use relais_maild::Limits;

use crate::house::TestHouse;

fn appended(count: usize) -> String {
    " {4+}\r\na: b".repeat(count)
}

/// RFC 9738 §3.1: COPY and APPEND take all or nothing, and COPY says from which UID on it would do. §3: who knows SAVELIMIT alone reads the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_messages_are_saved_at_once() {
    let house = TestHouse::open_with(Limits { imap_messages: 3, ..Limits::default() }).await;
    house.move_in("ann", None).await;
    let mut ann = house.log_in("ann").await;
    let capabilities = ann.must("CAPABILITY").await;
    assert!(capabilities[0].contains(" SAVELIMIT=3 MESSAGELIMIT=3"), "{capabilities:?}");
    ann.must(&format!("APPEND INBOX{}", appended(3))).await;
    let (_, end) = ann.command(&format!("APPEND INBOX{}", appended(4))).await;
    assert!(end.starts_with("NO [MESSAGELIMIT 3]"), "{end}");
    ann.must(&format!("APPEND INBOX{}", appended(2))).await;
    ann.must("SELECT INBOX").await;
    let (_, end) = ann.command("UID COPY 1:* Trash").await;
    assert!(end.starts_with("NO [MESSAGELIMIT 3 3]"), "{end}");
    ann.must("UID COPY 3:* Trash").await;
    let told = ann.must("STATUS Trash (MESSAGES)").await;
    assert_eq!(told, ["* STATUS \"Trash\" (MESSAGES 3)"]);
    house.close().await;
}

/// RFC 9738: MESSAGELIMIT. The newest are taken, the code says from where on, and what is before them is asked for by that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_messages_are_looked_at_at_once() {
    let house = TestHouse::open_with(Limits { imap_messages: 3, ..Limits::default() }).await;
    house.move_in("ann", None).await;
    let mut ann = house.log_in("ann").await;
    let capabilities = ann.must("CAPABILITY").await;
    assert!(capabilities[0].contains(" MESSAGELIMIT=3"), "{capabilities:?}");
    for count in [3, 2] {
        ann.must(&format!("APPEND INBOX{}", appended(count))).await;
    }
    ann.must("SELECT INBOX").await;
    for (command, told, end) in [
        (
            "FETCH 1:* UID",
            &["* 3 FETCH (UID 3)", "* 4 FETCH (UID 4)", "* 5 FETCH (UID 5)"][..],
            "OK [MESSAGELIMIT 3 3]",
        ),
        ("UID FETCH 1:2 UID", &["* 1 FETCH (UID 1)", "* 2 FETCH (UID 2)"], "OK Fetched"),
        ("UID FETCH 1:* UID (PARTIAL -1:-4)", &[], "NO [MESSAGELIMIT 3]"),
        ("UID FETCH 1:* UID (PARTIAL 1:2)", &["* 1 FETCH (UID 1)", "* 2 FETCH (UID 2)"], "OK Fetched"),
        ("UID SEARCH UNSEEN", &["* SEARCH 3 4 5"], "OK [MESSAGELIMIT 3 3]"),
        ("UID SEARCH UIDBEFORE 3 UNSEEN", &["* SEARCH 1 2"], "OK Searched"),
        ("SEARCH RETURN (COUNT) ALL", &["* ESEARCH (TAG \"t"], "OK [MESSAGELIMIT 3 3]"),
        ("STORE 1:* +FLAGS.SILENT (\\Flagged)", &[], "OK [MESSAGELIMIT 3 3]"),
        ("UID SEARCH UIDBEFORE 4 FLAGGED", &["* SEARCH 3"], "OK Searched"),
        (
            "UID MOVE 1:5 Trash",
            &["* OK [COPYUID", "* 5 EXPUNGE", "* 4 EXPUNGE", "* 3 EXPUNGE"],
            "OK [MESSAGELIMIT 3 3]",
        ),
        ("UID SEARCH ALL", &["* SEARCH 1 2"], "OK Searched"),
    ] {
        let (lines, ended) = ann.command(command).await;
        assert!(ended.starts_with(end), "{command}: {ended}");
        assert_eq!(lines.len(), told.len(), "{command}: {lines:?}");
        for (line, told) in lines.iter().zip(told) {
            assert!(line.starts_with(told), "{command}: {line}");
        }
    }
    house.close().await;
}

/// RFC 9738 §3.1: where the answer has another code already, MESSAGELIMIT comes before it, untagged. UID EXPUNGE is given what is deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_answer_has_one_code() {
    let house = TestHouse::open_with(Limits { imap_messages: 3, ..Limits::default() }).await;
    house.move_in("ann", None).await;
    let mut ann = house.log_in("ann").await;
    for count in [3, 2] {
        ann.must(&format!("APPEND INBOX{}", appended(count))).await;
    }
    ann.must("SELECT INBOX (CONDSTORE)").await;
    let beyond = "* NO [MESSAGELIMIT 3 3] ";
    for (command, is_beyond, end) in [
        ("STORE 1:* (UNCHANGEDSINCE 0) +FLAGS.SILENT (\\Seen)", true, "OK [MODIFIED 3:5]"),
        ("STORE 1 +FLAGS.SILENT (\\Deleted)", false, "OK Stored"),
        ("UID EXPUNGE 1:*", false, "OK [HIGHESTMODSEQ "),
        ("STORE 1:3 +FLAGS.SILENT (\\Deleted)", false, "OK Stored"),
        ("STORE 4 +FLAGS.SILENT (\\Deleted)", false, "OK Stored"),
        ("UID EXPUNGE 1:*", true, "OK [HIGHESTMODSEQ "),
        ("UID SEARCH ALL", false, "OK Searched"),
    ] {
        let (lines, ended) = ann.command(command).await;
        assert!(ended.starts_with(end), "{command}: {ended}");
        assert_eq!(lines.iter().any(|line| line.starts_with(beyond)), is_beyond, "{command}: {lines:?}");
        if command.starts_with("UID SEARCH") {
            assert_eq!(lines, ["* SEARCH 2"], "what was beyond the limit is there");
        }
    }
    house.close().await;
}

/// RFC 9585: a long search says how far it is, in one mailbox and in several.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_search_says_how_far_it_is() {
    let house = TestHouse::open_with(Limits { imap_progress: Duration::ZERO, ..Limits::default() }).await;
    house.move_in("ann", None).await;
    let mut ann = house.log_in("ann").await;
    ann.must(&format!("APPEND INBOX{}", appended(5000))).await;
    ann.must("SELECT INBOX").await;
    for command in ["SEARCH BODY none", "ESEARCH IN (personal) BODY none", "SORT (DATE) UTF-8 TEXT none"] {
        let told = ann.must(command).await;
        let mut progress = told.iter().filter_map(|line| line.strip_prefix("* OK [INPROGRESS (\"t"));
        let line = progress.next_back().unwrap_or_else(|| panic!("{command}: {told:?}"));
        assert!(line.contains(" 5000)] "), "{command}: {line}");
    }
    house.close().await;
}
