//! METADATA (RFC 5464 §4.4), LANGUAGE (RFC 5255 §3.3), ACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §3).

use relais_model::MailboxName;

use super::{parenthesised, write_mailbox, write_nil_or_string, write_string};
use relais_model::Rights;

/// `* METADATA "INBOX" (/private/comment "My own comment")`; nothing for no entry, NIL for one that isn't there. No
/// mailbox: the server's.
pub fn metadata<'a>(
    out: &mut Vec<u8>,
    mailbox: Option<&MailboxName>,
    values: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>,
    utf8: bool,
) {
    let mut values = values.into_iter().peekable();
    if values.peek().is_none() {
        return;
    }
    begin(out, mailbox, utf8);
    parenthesised(out, values, |out, (entry, value)| {
        out.extend_from_slice(entry.as_bytes());
        out.push(b' ');
        // RFC 5464 §5: a value that holds NUL is a literal8.
        if value.is_some_and(|value| value.contains(&0)) {
            out.push(b'~');
        }
        write_nil_or_string(out, value, utf8);
    });
    out.extend_from_slice(b"\r\n");
}

/// `* METADATA "INBOX" /shared/comment`: these have changed.
pub fn metadata_changed<'a>(
    out: &mut Vec<u8>,
    mailbox: Option<&MailboxName>,
    entries: impl IntoIterator<Item = &'a str>,
    utf8: bool,
) {
    begin(out, mailbox, utf8);
    for (at, entry) in entries.into_iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(entry.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

fn begin(out: &mut Vec<u8>, mailbox: Option<&MailboxName>, utf8: bool) {
    out.extend_from_slice(b"* METADATA ");
    write_mailbox(out, mailbox.map_or("", MailboxName::as_str), utf8);
    out.push(b' ');
}

/// `* LANGUAGE ("EN" "FR")`.
pub fn language(out: &mut Vec<u8>, tags: &[&str]) {
    out.extend_from_slice(b"* LANGUAGE ");
    parenthesised(out, tags, |out, tag| write_string(out, tag.as_bytes(), false));
    out.extend_from_slice(b"\r\n");
}

/// `* ACL "INBOX" "fred@example.org" lrswipkxtecda "anyone" lr`.
pub fn acl<'a>(
    out: &mut Vec<u8>,
    mailbox: &MailboxName,
    rows: impl IntoIterator<Item = (&'a str, Rights)>,
    utf8: bool,
) {
    out.extend_from_slice(b"* ACL ");
    write_mailbox(out, mailbox.as_str(), utf8);
    for (identifier, rights) in rows {
        out.push(b' ');
        write_string(out, identifier.as_bytes(), utf8);
        out.extend_from_slice(format!(" {rights}").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// `* MYRIGHTS "INBOX" lrswipkxtecda`.
pub fn my_rights(out: &mut Vec<u8>, mailbox: &MailboxName, rights: Rights, utf8: bool) {
    out.extend_from_slice(b"* MYRIGHTS ");
    write_mailbox(out, mailbox.as_str(), utf8);
    out.extend_from_slice(format!(" {rights}\r\n").as_bytes());
}

/// `* LISTRIGHTS "INBOX" "fred@example.org" "" l r s …`: what this one always has, and what can be given beside it, each right for itself. `c` and `d` of RFC
/// 2086 are among those (RFC 4314 §2.1.1).
pub fn list_rights(out: &mut Vec<u8>, mailbox: &MailboxName, identifier: &str, always: Rights, utf8: bool) {
    out.extend_from_slice(b"* LISTRIGHTS ");
    write_mailbox(out, mailbox.as_str(), utf8);
    out.push(b' ');
    write_string(out, identifier.as_bytes(), utf8);
    let always_text = if always == Rights::NONE { "\"\"".to_owned() } else { always.to_string() };
    out.extend_from_slice(format!(" {always_text}").as_bytes());
    for letter in Rights::ALL.without(always).to_string().chars() {
        out.extend_from_slice(format!(" {letter}").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}
