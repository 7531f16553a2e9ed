//! What a submission server mends in a header (RFC 6409 §8), and who the header says has written it.

use relais_model::{Address, Random, Timestamp};

use crate::address::{MAX_LIST_ITEMS, mailboxes, read_list};
use crate::date::format_date;
use crate::header::{Field, fields, header_octets, remove_fields};

/// A submitted header, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The mended header, with its empty line; the body follows as it was.
    pub header: Vec<u8>,
    /// Who stands in it.
    pub authors: Authors,
}

/// The addresses that a header claims to be from. A relay rule looks at all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authors {
    /// Of every From field.
    pub from: Vec<Address>,
    /// Of every Sender field.
    pub sender: Vec<Address>,
    /// Elements of these fields that are no addresses, as text; where there is one, nobody can say that it is the submitter's.
    pub unreadable: Vec<String>,
}

impl Authors {
    /// Reads a header.
    pub fn read(header: &[u8]) -> Self {
        let mut authors = Self::default();
        for field in fields(header) {
            let list = match () {
                () if field.is("From") => &mut authors.from,
                () if field.is("Sender") => &mut authors.sender,
                () => continue,
            };
            let (items, is_whole) = read_list(&field.unfolded());
            if !is_whole || list.len() >= MAX_LIST_ITEMS {
                authors.unreadable.push(start_of(&field));
                continue;
            }
            for mailbox in mailboxes(&items) {
                match mailbox.to_address() {
                    Some(address) => list.push(address),
                    None => authors.unreadable.push(mailbox.to_text()),
                }
            }
        }
        authors
    }
}

/// A field's first words, to be shown.
fn start_of(field: &Field<'_>) -> String {
    String::from_utf8_lossy(&field.unfolded()).chars().filter(|shown| !shown.is_control()).take(100).collect()
}

/// Adds Date and Message-ID where they are missing or empty, removes Bcc with its folds (RFC 6409 §8.2, §8.3, RFC 5322
/// §3.6.3), and separates the header from the body where the empty line is missing. Resent-Bcc stays: it speaks of an
/// earlier sending. `header` is what [`header_octets`] measures; `host` stands in the Message-ID.
pub fn complete_submission(header: &[u8], host: &str, now: Timestamp, random: &dyn Random) -> Submission {
    let has = |name: &str| fields(header).any(|field| field.is(name) && !field.unfolded().trim_ascii().is_empty());
    let mut added = Vec::new();
    let mut replaced = vec!["Bcc"];
    if !has("Date") {
        added.extend_from_slice(format!("Date: {}\r\n", format_date(now)).as_bytes());
        replaced.push("Date");
    }
    if !has("Message-ID") {
        added.extend_from_slice(format!("Message-ID: {}\r\n", new_message_id(host, random)).as_bytes());
        replaced.push("Message-ID");
    }
    let mut mended = added;
    mended.extend(remove_fields(header, &replaced));
    let is_closed = mended.ends_with(b"\n") && header_octets(&mended) == mended.len() && ends_with_empty_line(&mended);
    if !is_closed {
        mended.extend_from_slice(if mended.ends_with(b"\n") { b"\r\n" } else { b"\r\n\r\n" });
    }
    Submission { authors: Authors::read(&mended), header: mended }
}

fn ends_with_empty_line(header: &[u8]) -> bool {
    header.ends_with(b"\n\r\n") || header.ends_with(b"\n\n")
}

/// `<random@host>` (RFC 5322 §3.6.4).
pub fn new_message_id(host: &str, random: &dyn Random) -> String {
    format!("<{}@{host}>", token(random))
}

/// 26 characters that nobody can guess, fit for a msg-id and a boundary.
pub(crate) fn token(random: &dyn Random) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut octets = [0; 26];
    random.fill(&mut octets);
    octets.iter().filter_map(|octet| ALPHABET.get(usize::from(octet % 32)).copied().map(char::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same octet again and again.
    #[derive(Debug)]
    struct Same(u8);

    impl Random for Same {
        fn fill(&self, octets: &mut [u8]) {
            octets.fill(self.0);
        }
    }

    #[track_caller]
    fn check(header: &str, expected: &str) {
        let mended = complete_submission(header.as_bytes(), "x.example", Timestamp::default(), &Same(2));
        assert_eq!(String::from_utf8_lossy(&mended.header), expected, "{header:?}");
    }

    /// RFC 6409 §8.
    #[test]
    fn what_is_missing_is_added_and_bcc_goes() {
        let id = "c".repeat(26);
        let date = "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n";
        check("Date: x\r\nMessage-ID: <a@b>\r\n\r\n", "Date: x\r\nMessage-ID: <a@b>\r\n\r\n");
        check("From: a@b\r\n\r\n", &format!("{date}Message-ID: <{id}@x.example>\r\nFrom: a@b\r\n\r\n"));
        check("date:\r\nmessage-id : <a@b>\r\n", &format!("{date}message-id : <a@b>\r\n\r\n"));
        check(
            "Date: x\r\nBcc: a@b,\r\n\tc@d\r\nResent-Bcc: e@f\r\nMessage-ID: <a@b>\r\nbcc:\r\n\r\n",
            "Date: x\r\nResent-Bcc: e@f\r\nMessage-ID: <a@b>\r\n\r\n",
        );
        check("", &format!("{date}Message-ID: <{id}@x.example>\r\n\r\n"));
        check("\r\n", &format!("{date}Message-ID: <{id}@x.example>\r\n\r\n"));
    }

    #[test]
    fn all_authors_are_told() {
        let authors = Authors::read(
            b"From: A <a@x>, g: b@x;\r\nfrom: \"c d\"@x\r\nSender: e@x\r\nReply-To: f@x\r\nSender: nobody\r\n\r\n",
        );
        let text = |list: &[Address]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(text(&authors.from), ["a@x", "b@x", "\"c d\"@x"]);
        assert_eq!(text(&authors.sender), ["e@x"]);
        assert_eq!(authors.unreadable, ["nobody"]);
        // What another reader might take for an address is none that we have checked.
        assert_eq!(Authors::read(b"From: a@x boss@y\r\n\r\n").unreadable, ["a@x boss@y"]);
    }
}
