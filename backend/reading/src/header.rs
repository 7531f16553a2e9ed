//! The fields of a header that people look at.

use relais_message::{ListItem, Mailbox, decode_header_value, fields, mailboxes, parse_date, read_address_list};
use relais_model::{Address, Timestamp};

/// Addresses of one field that are shown.
const MAX_PARTIES: usize = 500;
/// Characters of a text of a header.
const MAX_CHARACTERS: usize = 1000;

/// Somebody who is named in a header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// As they call themselves, or are called; empty where nobody says.
    pub name: String,
    /// As it is written, where it is no address, too.
    pub address: String,
}

impl Party {
    /// The name, else the address.
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { &self.address } else { &self.name }
    }

    /// As it stands in a field: `Ann <ann@example.org>`.
    pub fn written(&self) -> String {
        if self.name.is_empty() { self.address.clone() } else { format!("{} <{}>", self.name, self.address) }
    }

    /// Where it is one.
    pub fn to_address(&self) -> Option<Address> {
        Address::parse(&self.address).ok()
    }
}

/// Who writes to whom, about what, when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// Decoded, on one line.
    pub subject: String,
    /// Authors.
    pub from: Vec<Party>,
    /// Who sent it for them, where that is another.
    pub sender: Option<Party>,
    /// Where answers go.
    pub reply_to: Vec<Party>,
    /// To.
    pub to: Vec<Party>,
    /// Cc.
    pub cc: Vec<Party>,
    /// Bcc: of one's own mail.
    pub bcc: Vec<Party>,
    /// When it was written, by its author's clock.
    pub date: Option<Timestamp>,
    /// With its angle brackets, as it is to be named in answers; empty where there is none.
    pub message_id: String,
    /// References, else In-Reply-To, as written.
    pub references: String,
    /// The mailing list's name (RFC 2919), where it came by one.
    pub list: Option<String>,
    /// Ways to leave the list (RFC 2369): `https:` and `mailto:` links.
    pub unsubscribe: Vec<String>,
}

impl Header {
    /// Reads a header's octets.
    pub fn read(header: &[u8]) -> Self {
        let mut read = Self::default();
        let mut in_reply_to = String::new();
        for field in fields(header) {
            let text = || cut(&decode_header_value(field.value));
            match () {
                () if field.is("Subject") && read.subject.is_empty() => read.subject = text(),
                () if field.is("From") => take(&mut read.from, &field.unfolded()),
                () if field.is("Sender") => read.sender = parties(&field.unfolded()).into_iter().next(),
                () if field.is("Reply-To") => take(&mut read.reply_to, &field.unfolded()),
                () if field.is("To") => take(&mut read.to, &field.unfolded()),
                () if field.is("Cc") => take(&mut read.cc, &field.unfolded()),
                () if field.is("Bcc") => take(&mut read.bcc, &field.unfolded()),
                () if field.is("Date") => read.date = parse_date(&field.unfolded()).map(|date| date.at),
                () if field.is("Message-ID") => read.message_id = text(),
                () if field.is("References") => read.references = decode_header_value(field.value),
                () if field.is("In-Reply-To") => in_reply_to = text(),
                () if field.is("List-Id") => read.list = Some(list_name(&text())),
                () if field.is("List-Unsubscribe") => read.unsubscribe = links(&decode_header_value(field.value)),
                () => {}
            }
        }
        if read.references.is_empty() {
            read.references = in_reply_to;
        }
        read
    }

    /// The first author; nobody where none is named.
    pub fn author(&self) -> Party {
        self.from.first().cloned().unwrap_or_default()
    }
}

fn take(list: &mut Vec<Party>, value: &[u8]) {
    let room = MAX_PARTIES.saturating_sub(list.len());
    list.extend(parties(value).into_iter().take(room));
}

fn parties(value: &[u8]) -> Vec<Party> {
    let items: Vec<ListItem> = read_address_list(value);
    mailboxes(&items).take(MAX_PARTIES).map(party).collect()
}

fn party(mailbox: &Mailbox) -> Party {
    let name = mailbox.name.as_deref().map(decode_header_value).unwrap_or_default();
    Party { name: cut(&name), address: cut(&mailbox.to_text()) }
}

/// One line, no controls and nothing that turns the line's direction round, so that a name cannot dress up as another.
fn cut(text: &str) -> String {
    let is_shown = |character: &char| {
        !character.is_control()
            && !matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    text.chars().filter(is_shown).take(MAX_CHARACTERS).collect::<String>().trim().to_owned()
}

/// RFC 2919 §3: the phrase, else the id between the brackets.
fn list_name(text: &str) -> String {
    let (phrase, id) = text.split_once('<').unwrap_or((text, ""));
    let phrase = phrase.trim().trim_matches('"').trim();
    if phrase.is_empty() { id.trim_end_matches('>').to_owned() } else { phrase.to_owned() }
}

fn links(text: &str) -> Vec<String> {
    let inside = text.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(link, _)| link.trim()));
    inside
        .filter(|link| link.starts_with("https://") || link.starts_with("mailto:"))
        .take(4)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_as_they_call_themselves() {
        let header = Header::read(
            b"From: =?utf-8?q?J=C3=B6rg?= <joerg@x.example>\r\nTo: team: a@b.example, \"C, D\" <c@d.example>;\r\n\
              Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nList-Id: The list <list.x.example>\r\n\
              List-Unsubscribe: <mailto:off@x.example>, <https://x.example/off>, <http://x.example/>\r\n\
              In-Reply-To: <1@x>\r\nMessage-ID: <2@x>\r\n\r\n",
        );
        assert_eq!(header.author(), Party { name: "Jörg".to_owned(), address: "joerg@x.example".to_owned() });
        assert_eq!(header.to.iter().map(Party::written).collect::<Vec<_>>(), ["a@b.example", "C, D <c@d.example>"]);
        assert_eq!((header.subject.as_str(), header.list.as_deref()), ("Grüße", Some("The list")));
        assert_eq!(header.unsubscribe, ["mailto:off@x.example", "https://x.example/off"]);
        assert_eq!((header.message_id.as_str(), header.references.as_str()), ("<2@x>", "<1@x>"));
    }

    /// A right-to-left mark makes `gpj.exe` of `exe.jpg`.
    #[test]
    fn nothing_turns_a_line_round() {
        let header = Header::read("Subject: a\u{202e}b\u{7}c\r\n\r\n".as_bytes());
        assert_eq!(header.subject, "abc");
    }
}
