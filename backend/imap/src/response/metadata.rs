//! METADATA (RFC 5464 §4.4) and LANGUAGE (RFC 5255 §3.3).

use relais_model::MailboxName;

use super::{parenthesised, write_mailbox, write_string};

/// `* METADATA "INBOX" (/private/comment "My own comment")`; nothing for no entry. No mailbox: the server's.
pub fn metadata<'a>(
    out: &mut Vec<u8>,
    mailbox: Option<&MailboxName>,
    values: impl IntoIterator<Item = (&'a str, &'a [u8])>,
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
        if value.contains(&0) {
            out.push(b'~');
        }
        write_string(out, value, utf8);
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
