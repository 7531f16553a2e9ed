//! LIST, LSUB, STATUS, NAMESPACE and the quota responses.

use relais_model::{HIERARCHY_SEPARATOR, MailboxName, ModSeq, Uid, UidValidity};

use super::text::{write_quoted, write_string};
use super::{number, parenthesised};
use crate::command::StatusItem;
use crate::language::Language;
use crate::list::ListRow;
use crate::utf7;

/// Writes a mailbox's name as a client may read it: in UTF-8 if `utf8`, else in modified UTF-7.
pub fn write_mailbox(out: &mut Vec<u8>, name: &str, utf8: bool) {
    let encoded = if utf8 || name.is_ascii() && !name.contains('&') { None } else { Some(utf7::encode(name)) };
    let text = encoded.as_deref().unwrap_or(name);
    // Always a string, so that no name is mistaken for NIL.
    write_string(out, text.as_bytes(), utf8);
}

/// `* LIST (attributes) "/" name [extended]`; `old_name`: what the client calls it (RFC 9051 §6.3.9.7).
pub fn list(out: &mut Vec<u8>, row: &ListRow<'_>, old_name: Option<&str>, utf8: bool) {
    out.extend_from_slice(b"* LIST ");
    write_row(out, row, utf8);
    if row.has_child_info {
        out.extend_from_slice(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))");
    }
    if let Some(old_name) = old_name {
        out.extend_from_slice(b" (\"OLDNAME\" (");
        write_mailbox(out, old_name, utf8);
        out.extend_from_slice(b"))");
    }
    out.extend_from_slice(b"\r\n");
}

/// `* LSUB (attributes) "/" name` (RFC 3501 §7.2.3).
pub fn lsub(out: &mut Vec<u8>, row: &ListRow<'_>, utf8: bool) {
    out.extend_from_slice(b"* LSUB ");
    write_row(out, row, utf8);
    out.extend_from_slice(b"\r\n");
}

fn write_row(out: &mut Vec<u8>, row: &ListRow<'_>, utf8: bool) {
    parenthesised(out, &row.attributes, |out, attribute| out.extend_from_slice(attribute.as_str().as_bytes()));
    out.push(b' ');
    write_separator(out);
    out.push(b' ');
    write_mailbox(out, row.name, utf8);
}

fn write_separator(out: &mut Vec<u8>) {
    let mut utf8 = [0; 4];
    write_quoted(out, HIERARCHY_SEPARATOR.encode_utf8(&mut utf8).as_bytes());
}

/// What STATUS can tell of a mailbox.
#[derive(Debug, Clone)]
pub struct MailboxStatus<'a> {
    /// Messages in it.
    pub messages: u32,
    /// The UID that comes next.
    pub uid_next: Uid,
    /// The epoch of its UIDs.
    pub uid_validity: UidValidity,
    /// Messages that no session was told of (RFC 3501 §2.3.2).
    pub recent: u32,
    /// Messages without `\Seen`.
    pub unseen: u32,
    /// Messages with `\Deleted`.
    pub deleted: u32,
    /// Octets of all messages.
    pub size_octets: u64,
    /// Octets of those with `\Deleted`.
    pub deleted_octets: u64,
    /// The highest MODSEQ.
    pub highest_mod_seq: ModSeq,
    /// Octets of an appended message, at most.
    pub append_limit: u64,
    /// The mailbox's lasting name (RFC 8474).
    pub mailbox_id: &'a str,
}

/// `* STATUS name (…)`: what was asked, in that order.
pub fn status(out: &mut Vec<u8>, name: &MailboxName, values: &MailboxStatus<'_>, items: &[StatusItem], utf8: bool) {
    out.extend_from_slice(b"* STATUS ");
    write_mailbox(out, name.as_str(), utf8);
    out.push(b' ');
    parenthesised(out, items, |out, item| {
        out.extend_from_slice(item.as_str().as_bytes());
        out.push(b' ');
        let value = match item {
            StatusItem::Messages => u64::from(values.messages),
            StatusItem::UidNext => u64::from(values.uid_next.value()),
            StatusItem::UidValidity => u64::from(values.uid_validity.value()),
            StatusItem::Unseen => u64::from(values.unseen),
            StatusItem::Deleted => u64::from(values.deleted),
            StatusItem::Size => values.size_octets,
            StatusItem::Recent => u64::from(values.recent),
            StatusItem::HighestModSeq => values.highest_mod_seq.value(),
            StatusItem::AppendLimit => values.append_limit,
            StatusItem::DeletedStorage => values.deleted_octets,
            StatusItem::MailboxId => {
                return parenthesised(out, [values.mailbox_id], |out, id| out.extend_from_slice(id.as_bytes()));
            }
        };
        number::write(out, value);
    });
    out.extend_from_slice(b"\r\n");
}

/// `* NAMESPACE (("" "/")) (("Other Users/" "/")) NIL`: a person's own, and that of others and the shared one, where there is one (RFC 9051
/// §7.3.4). They are given without their separator. What a prefix is called in `language` stands beside it (RFC 5255 §3.4), spelled as a name
/// is.
pub fn namespace(out: &mut Vec<u8>, others: Option<&str>, shared: Option<&str>, language: Language, utf8: bool) {
    out.extend_from_slice(b"* NAMESPACE ((\"\" ");
    write_separator(out);
    out.extend_from_slice(b"))");
    for root in [others, shared] {
        let Some(root) = root else {
            out.extend_from_slice(b" NIL");
            continue;
        };
        out.extend_from_slice(b" ((");
        write_quoted(out, format!("{root}{HIERARCHY_SEPARATOR}").as_bytes());
        out.push(b' ');
        write_separator(out);
        if let Some(translated) = language.translate(root) {
            out.extend_from_slice(b" \"TRANSLATION\" (");
            write_mailbox(out, &format!("{translated}{HIERARCHY_SEPARATOR}"), utf8);
            out.push(b')');
        }
        out.extend_from_slice(b"))");
    }
    out.extend_from_slice(b"\r\n");
}

/// `* QUOTAROOT mailbox root` (RFC 9208 §4.3.2); none: nobody here is told of one.
pub fn quota_root(out: &mut Vec<u8>, mailbox: &MailboxName, root: Option<&str>, utf8: bool) {
    out.extend_from_slice(b"* QUOTAROOT ");
    write_mailbox(out, mailbox.as_str(), utf8);
    if let Some(root) = root {
        out.push(b' ');
        write_string(out, root.as_bytes(), utf8);
    }
    out.extend_from_slice(b"\r\n");
}

/// `* QUOTA root (resource used limit …)` (RFC 9208 §4.2.1): of STORAGE in units of 1,024 octets (§5.1), of MESSAGE in messages (§5.2);
/// `()` where nothing is limited.
pub fn quota(out: &mut Vec<u8>, root: &str, resources: &[(&str, u64, u64)], utf8: bool) {
    out.extend_from_slice(b"* QUOTA ");
    write_string(out, root.as_bytes(), utf8);
    out.extend_from_slice(b" (");
    for (at, (resource, used, limit)) in resources.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(resource.as_bytes());
        out.push(b' ');
        number::write(out, *used);
        out.push(b' ');
        number::write(out, *limit);
    }
    out.extend_from_slice(b")\r\n");
}
