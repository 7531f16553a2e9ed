//! What we say: writers straight into the output buffer, in the wire's own form (RFC 9051 §7).
//!
//! Each function writes whole lines, CRLF included; [`FetchWriter`] writes one line in pieces. Human text is a [`Text`], in the
//! session's language. `utf8` says that the client has enabled UTF8=ACCEPT or IMAP4rev2 ([`crate::session::Enabled::utf8`]).

mod code;
mod fetch;
mod mailbox;
mod metadata;
pub(crate) mod number;
mod search;
mod text;

use relais_model::{Flag, SeqNum, UidSet};

pub use code::ResponseCode;
pub(crate) use fetch::section_name;
pub use fetch::{FetchWriter, without_nul};
pub use mailbox::{MailboxStatus, list, lsub, namespace, quota, quota_root, status, write_mailbox};
pub use metadata::{acl, language, list_rights, metadata, metadata_changed, my_rights};
pub use number::{runs_of, write_numbers, write_runs};
pub use search::{ESearch, Found, Update, esearch, search, search_update, sort, thread};
pub use text::{write_nil_or_string, write_string};

use crate::capability::Capabilities;
use crate::command::{Extension, Tag};
use crate::language::Text;

/// How a command went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was carried out.
    Ok,
    /// It wasn't.
    No,
    /// It could not be read, or may not be said now.
    Bad,
}

/// What an untagged line says (RFC 9051 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// For information.
    Ok,
    /// A warning.
    No,
    /// A fault that belongs to no command.
    Bad,
    /// The session ends.
    Bye,
    /// A greeting: nobody needs to log in.
    PreAuth,
}

/// `tag OK [CODE] text`.
pub fn tagged(out: &mut Vec<u8>, tag: &Tag, status: Status, code: Option<&ResponseCode<'_>>, text: Text<'_>) {
    out.extend_from_slice(tag.as_str().as_bytes());
    out.extend_from_slice(match status {
        Status::Ok => b" OK ",
        Status::No => b" NO ",
        Status::Bad => b" BAD ",
    });
    finish(out, code, text);
}

/// `* OK [CODE] text`.
pub fn condition(out: &mut Vec<u8>, condition: Condition, code: Option<&ResponseCode<'_>>, text: Text<'_>) {
    out.extend_from_slice(match condition {
        Condition::Ok => b"* OK ".as_slice(),
        Condition::No => b"* NO ",
        Condition::Bad => b"* BAD ",
        Condition::Bye => b"* BYE ",
        Condition::PreAuth => b"* PREAUTH ",
    });
    finish(out, code, text);
}

/// `+ text`: the client may go on.
pub fn continuation(out: &mut Vec<u8>, text: Text<'_>) {
    out.extend_from_slice(b"+ ");
    finish(out, None, text);
}

/// `+ base64`: a challenge of AUTHENTICATE (RFC 9051 §6.2.2).
pub fn challenge(out: &mut Vec<u8>, base64: &str) {
    out.extend_from_slice(b"+ ");
    out.extend_from_slice(base64.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// `resp-text` and CRLF.
fn finish(out: &mut Vec<u8>, code: Option<&ResponseCode<'_>>, text: Text<'_>) {
    if let Some(code) = code {
        out.push(b'[');
        code.write(out);
        out.extend_from_slice(b"] ");
    }
    text.write(out);
    out.extend_from_slice(b"\r\n");
}

/// `* CAPABILITY …`.
pub fn capability(out: &mut Vec<u8>, capabilities: &Capabilities) {
    out.extend_from_slice(b"* CAPABILITY ");
    capabilities.write(out);
    out.extend_from_slice(b"\r\n");
}

/// `* ENABLED …`: those that ENABLE newly switched on, perhaps none (RFC 9051 §7.2.1).
pub fn enabled(out: &mut Vec<u8>, extensions: &[Extension]) {
    out.extend_from_slice(b"* ENABLED");
    for extension in extensions {
        out.push(b' ');
        out.extend_from_slice(extension.as_str().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// `* ID (…)` (RFC 2971 §3.2); NIL for no field.
pub fn id(out: &mut Vec<u8>, fields: &[(&str, &str)]) {
    out.extend_from_slice(b"* ID ");
    if fields.is_empty() {
        out.extend_from_slice(b"NIL");
    } else {
        parenthesised(out, fields, |out, (name, value)| {
            write_string(out, name.as_bytes(), false);
            out.push(b' ');
            write_string(out, value.as_bytes(), false);
        });
    }
    out.extend_from_slice(b"\r\n");
}

/// `* JMAPACCESS "https://example.com/jmap"` (RFC 9698 §4): an ASCII URL.
pub fn jmap_access(out: &mut Vec<u8>, url: &str) {
    out.extend_from_slice(b"* JMAPACCESS ");
    write_string(out, url.as_bytes(), false);
    out.extend_from_slice(b"\r\n");
}

/// `* 23 EXISTS`.
pub fn exists(out: &mut Vec<u8>, messages: u32) {
    numbered(out, messages, " EXISTS\r\n");
}

/// `* 5 RECENT`, of IMAP4rev1.
pub fn recent(out: &mut Vec<u8>, messages: u32) {
    numbered(out, messages, " RECENT\r\n");
}

/// `* 44 EXPUNGE`: later messages move up by one at once (RFC 9051 §7.5.1).
pub fn expunge(out: &mut Vec<u8>, seq_num: SeqNum) {
    numbered(out, seq_num.value(), " EXPUNGE\r\n");
}

/// `* VANISHED [(EARLIER)] 41,43:116` (RFC 7162 §3.2.10); nothing for the empty set.
pub fn vanished(out: &mut Vec<u8>, uids: &UidSet, earlier: bool) {
    if uids.is_empty() {
        return;
    }
    out.extend_from_slice(if earlier { b"* VANISHED (EARLIER) ".as_slice() } else { b"* VANISHED " });
    write_runs(out, uids.runs());
    out.extend_from_slice(b"\r\n");
}

/// `* FLAGS (…)`: all that the mailbox knows.
pub fn flags<'a>(out: &mut Vec<u8>, flags: impl IntoIterator<Item = &'a Flag>) {
    out.extend_from_slice(b"* FLAGS ");
    write_flags(out, flags);
    out.extend_from_slice(b"\r\n");
}

/// `* 5` and the rest of a line.
fn numbered(out: &mut Vec<u8>, value: u32, rest: &str) {
    out.extend_from_slice(b"* ");
    number::write(out, u64::from(value));
    out.extend_from_slice(rest.as_bytes());
}

/// `(\Seen $Junk)`.
fn write_flags<'a>(out: &mut Vec<u8>, flags: impl IntoIterator<Item = &'a Flag>) {
    parenthesised(out, flags, |out, flag| {
        out.extend_from_slice(match flag {
            Flag::System(flag) => flag.as_str().as_bytes(),
            Flag::Keyword(keyword) => keyword.as_str().as_bytes(),
        });
    });
}

/// Items in parentheses, with spaces between them.
fn parenthesised<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'(');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        write(out, item);
    }
    out.push(b')');
}

#[cfg(test)]
mod tests;
