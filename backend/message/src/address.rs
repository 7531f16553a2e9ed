//! Address lists of a header, read leniently and kept undecoded (RFC 5322 §3.4, §4.4).

use crate::lexer::Lexer;
use crate::words::decode_text;

/// So many elements of a list are read; each costs us more than the two octets it may cost a sender.
pub const MAX_LIST_ITEMS: usize = 10_000;

/// One element of an address list, in ENVELOPE's manner: a group is a start, its members and an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListItem {
    /// An address.
    Mailbox(Mailbox),
    /// `name:`
    GroupStart(Vec<u8>),
    /// `;`
    GroupEnd,
}

/// An address with the name before or the comment behind it, raw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mailbox {
    /// The display name without quotes; or the comment, where there is no name.
    pub name: Option<Vec<u8>>,
    /// RFC 5322 §4.4: `@a,@b`.
    pub route: Option<Vec<u8>>,
    /// Without quotes; none where it is missing.
    pub local_part: Option<Vec<u8>>,
    /// None where it is missing.
    pub domain: Option<Vec<u8>>,
}

impl Mailbox {
    /// `local@domain` as people read it; where it is no UTF-8, by what it looks like.
    pub fn to_text(&self) -> String {
        let text = |octets: &Option<Vec<u8>>| decode_text(octets.as_deref().unwrap_or_default(), None).into_owned();
        match self.domain {
            Some(_) => format!("{}@{}", text(&self.local_part), text(&self.domain)),
            None => text(&self.local_part),
        }
    }

    /// The address as the envelope would carry it; none where it is not one.
    pub fn to_address(&self) -> Option<relais_model::Address> {
        let local = std::str::from_utf8(self.local_part.as_deref()?).ok()?;
        let domain = relais_model::Domain::parse(std::str::from_utf8(self.domain.as_deref()?).ok()?).ok()?;
        let local_part = relais_model::LocalPart::parse(local).or_else(|_| {
            let escaped = local.replace('\\', "\\\\").replace('"', "\\\"");
            relais_model::LocalPart::parse(&format!("\"{escaped}\""))
        });
        Some(relais_model::Address { local_part: local_part.ok()?, domain })
    }
}

/// Reads an unfolded value, up to [`MAX_LIST_ITEMS`].
pub fn read_address_list(value: &[u8]) -> Vec<ListItem> {
    read_list(value).0
}

/// The same; and whether the whole value was a list of addresses: nothing was passed over, nothing is missing.
pub(crate) fn read_list(value: &[u8]) -> (Vec<ListItem>, bool) {
    let mut reader = Reader { lexer: Lexer::new(value), items: Vec::new(), is_in_group: false, is_clean: true };
    while reader.items.len() < MAX_LIST_ITEMS && reader.element() {}
    let is_whole = reader.is_clean && reader.lexer.peek().is_none();
    if reader.is_in_group {
        reader.items.push(ListItem::GroupEnd);
    }
    (reader.items, is_whole)
}

/// The addresses of a list, groups or not.
pub fn mailboxes(items: &[ListItem]) -> impl Iterator<Item = &Mailbox> {
    items.iter().filter_map(|item| match item {
        ListItem::Mailbox(mailbox) => Some(mailbox),
        ListItem::GroupStart(_) | ListItem::GroupEnd => None,
    })
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    items: Vec<ListItem>,
    is_in_group: bool,
    is_clean: bool,
}

/// Words in a row: `spaced` as a phrase shows them, `joined` as an address spells them.
#[derive(Default)]
struct Words {
    spaced: Vec<u8>,
    joined: Vec<u8>,
}

impl Reader<'_> {
    /// Reads up to and over the next `,` `:` or `;`. False at the end.
    fn element(&mut self) -> bool {
        let mut comment = Vec::new();
        let words = self.words(&mut comment);
        let mailbox = match self.lexer.bump() {
            Some(b'<') => Some(self.angle(words)),
            Some(b'@') => {
                let domain = self.domain(&mut comment);
                Some(Mailbox { local_part: filled(words.joined), domain: filled(domain), ..Mailbox::default() })
            }
            Some(b':') if !self.is_in_group => {
                self.items.push(ListItem::GroupStart(words.spaced));
                self.is_in_group = true;
                return true;
            }
            Some(b';') => {
                self.bare(words, comment);
                self.end_group();
                return true;
            }
            Some(_) => {
                self.bare(words, comment);
                return true;
            }
            None => {
                self.bare(words, comment);
                return false;
            }
        };
        self.finish(mailbox, comment)
    }

    /// Passes over what follows an address up to the delimiter; a comment there is its name (RFC 5322 §A.6.3).
    fn finish(&mut self, mailbox: Option<Mailbox>, mut comment: Vec<u8>) -> bool {
        loop {
            self.lexer.skip_cfws(&mut comment);
            match self.lexer.peek() {
                None | Some(b',' | b';') => break,
                Some(b'"') => self.lexer.quoted(&mut Vec::new()),
                Some(_) => {
                    self.lexer.bump();
                }
            }
            self.is_clean = false;
        }
        if let Some(mut mailbox) = mailbox {
            if mailbox.name.is_none() {
                mailbox.name = filled(comment);
            }
            self.items.push(ListItem::Mailbox(mailbox));
        }
        let delimiter = self.lexer.bump();
        if delimiter == Some(b';') {
            self.end_group();
        }
        delimiter.is_some()
    }

    /// Words without `@`: one is a local part, several are a name.
    fn bare(&mut self, words: Words, comment: Vec<u8>) {
        let is_name = words.spaced.len() > words.joined.len();
        let mailbox = match () {
            () if words.joined.is_empty() => return,
            () if is_name => Mailbox { name: filled(words.spaced), ..Mailbox::default() },
            () => Mailbox { name: filled(comment), local_part: filled(words.joined), ..Mailbox::default() },
        };
        self.items.push(ListItem::Mailbox(mailbox));
    }

    fn end_group(&mut self) {
        if self.is_in_group {
            self.items.push(ListItem::GroupEnd);
            self.is_in_group = false;
        }
    }

    /// Atoms, dots and quoted strings up to a special.
    fn words(&mut self, comment: &mut Vec<u8>) -> Words {
        let mut words = Words::default();
        let mut is_apart = false;
        loop {
            is_apart |= self.lexer.skip_cfws(comment);
            let mut word = Vec::new();
            match self.lexer.peek() {
                Some(b'"') => self.lexer.quoted(&mut word),
                None | Some(b'<' | b'>' | b'@' | b',' | b':' | b';') => return words,
                Some(_) => word.extend_from_slice(self.lexer.until(|octet| {
                    matches!(
                        octet,
                        b'<' | b'>' | b'@' | b',' | b':' | b';' | b'"' | b'(' | b' ' | b'\t' | b'\r' | b'\n'
                    )
                })),
            }
            if is_apart && !words.spaced.is_empty() {
                words.spaced.push(b' ');
            }
            is_apart = false;
            words.spaced.extend_from_slice(&word);
            words.joined.extend_from_slice(&word);
        }
    }

    /// `<route:local@domain>` behind its `<`.
    fn angle(&mut self, phrase: Words) -> Mailbox {
        let mut comment = Vec::new();
        let mut mailbox = Mailbox { name: filled(phrase.spaced), ..Mailbox::default() };
        self.lexer.skip_cfws(&mut comment);
        if self.lexer.peek() == Some(b'@') {
            let route = self.lexer.until(|octet| matches!(octet, b':' | b'>'));
            mailbox.route = filled(route.trim_ascii_end().to_vec());
            self.lexer.take(b':');
        }
        mailbox.local_part = filled(self.words(&mut comment).joined);
        if self.lexer.take(b'@') {
            mailbox.domain = filled(self.domain(&mut comment));
        }
        let surplus = self.lexer.until(|octet| matches!(octet, b'>' | b',' | b';'));
        self.is_clean &= surplus.is_empty() && self.lexer.take(b'>');
        mailbox
    }

    /// Atoms and dots, or a literal in brackets; blanks and comments inside go.
    fn domain(&mut self, comment: &mut Vec<u8>) -> Vec<u8> {
        let mut domain = Vec::new();
        loop {
            self.lexer.skip_cfws(comment);
            if domain.is_empty() && self.lexer.peek() == Some(b'[') {
                domain.extend_from_slice(self.lexer.until(|octet| matches!(octet, b']' | b'>' | b',' | b';')));
                domain.extend(self.lexer.take(b']').then_some(b']'));
                return domain;
            }
            let needs_dot = !domain.is_empty() && !domain.ends_with(b".");
            if needs_dot && self.lexer.peek() != Some(b'.') {
                return domain;
            }
            let atom = self.lexer.until(|octet| {
                matches!(
                    octet,
                    b'<' | b'>' | b'@' | b',' | b':' | b';' | b'"' | b'(' | b'[' | b' ' | b'\t' | b'\r' | b'\n'
                )
            });
            if atom.is_empty() {
                return domain;
            }
            domain.extend_from_slice(atom);
        }
    }
}

fn filled(octets: Vec<u8>) -> Option<Vec<u8>> {
    (!octets.is_empty()).then_some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prints `name|route|local|domain` an address, `-` for what is missing.
    #[track_caller]
    fn check(value: &str, expected: &[&str]) {
        let show = |octets: &Option<Vec<u8>>| {
            octets.as_ref().map_or("-".to_owned(), |octets| String::from_utf8_lossy(octets).into_owned())
        };
        let read: Vec<String> = read_address_list(value.as_bytes())
            .iter()
            .map(|item| match item {
                ListItem::Mailbox(one) => {
                    format!("{}|{}|{}|{}", show(&one.name), show(&one.route), show(&one.local_part), show(&one.domain))
                }
                ListItem::GroupStart(name) => format!("{}:", String::from_utf8_lossy(name)),
                ListItem::GroupEnd => ";".to_owned(),
            })
            .collect();
        assert_eq!(read, expected, "{value}");
    }

    /// RFC 5322 §3.4, §4.4, §A.1, §A.5, §A.6.
    #[test]
    fn addresses_are_read() {
        check("a@b.example", &["-|-|a|b.example"]);
        check("Ann Lee <ann@x>, \"Joe Q. \\\"P\\\"\" <joe@y>", &["Ann Lee|-|ann|x", "Joe Q. \"P\"|-|joe|y"]);
        check("a@b (Real Name)", &["Real Name|-|a|b"]);
        check("J. Doe <j.doe@x.example>", &["J. Doe|-|j.doe|x.example"]);
        check("<@a,@b:c@d>", &["-|@a,@b|c|d"]);
        check("<user-from (comment)@ (comment) domain.org>", &["-|-|user-from|domain.org"]);
        check("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", &["Pete|-|pete|silly.test"]);
        check("\"a b\"@x, a . b @ c . d", &["-|-|a b|x", "-|-|a.b|c.d"]);
        check("a@[192.0.2.1]", &["-|-|a|[192.0.2.1]"]);
        check("group: a@b, c@d;, group2: (foo) ;", &["group:", "-|-|a|b", "-|-|c|d", ";", "group2:", ";"]);
        check("open: a@b", &["open:", "-|-|a|b", ";"]);
        check("d, Some One", &["-|-|d|-", "Some One|-|-|-"]);
        check("Ann <>, <@>, ,, x", &["Ann|-|-|-", "-|@|-|-", "-|-|x|-"]);
        check("", &[]);
        check("a@b c@d, e@f", &["-|-|a|b", "-|-|e|f"]);
        check("=?utf-8?q?J=C3=B6rg?= <j@x>", &["=?utf-8?q?J=C3=B6rg?=|-|j|x"]);
    }

    #[test]
    fn what_is_passed_over_is_told() {
        for (value, is_whole) in [
            ("a@b (c), \"d e\" <f@g>, h: i@j;", true),
            ("a@b c@d", false),
            ("a@b \"c@d\"", false),
            ("<a@b c@d>", false),
            ("<a@b", false),
            ("a <b@c> d", false),
        ] {
            assert_eq!(read_list(value.as_bytes()).1, is_whole, "{value}");
        }
    }

    /// Spam has them in any charset, undeclared.
    #[test]
    fn an_address_of_raw_octets_has_letters() {
        let first = |value: &[u8]| mailboxes(&read_address_list(value)).next().map(Mailbox::to_text);
        assert_eq!(
            first(b"\xa4O\xb1\xb6\xac\xec\xa7\xde\xa6\xb3\xad\xad\xa4\xbd\xa5q@x.example").as_deref(),
            Some("力捷科技有限公司@x.example")
        );
        assert_eq!(first("jörg@x.example".as_bytes()).as_deref(), Some("jörg@x.example"));
        assert_eq!(first(b"j\xf6rg@x.example").as_deref(), Some("jörg@x.example"));
    }

    #[test]
    fn an_address_needs_both_sides() {
        let first = |value: &str| mailboxes(&read_address_list(value.as_bytes())).next().and_then(Mailbox::to_address);
        assert_eq!(first("Ann <Ann@X.example>").unwrap().to_string(), "Ann@x.example");
        assert_eq!(first("\"a b\"@x.example").unwrap().to_string(), "\"a b\"@x.example");
        assert_eq!(first("ann"), None);
    }
}
