//! Cards of people (vCard 3.0, RFC 2426, and 4.0, RFC 6350): read from whatever a program exported, written so that programs read them.
//!
//! What isn't shown here stays in the card, line by line, and goes out again as it came.

use std::fmt::Write as _;

/// Cards of one file.
pub const MAX_CARDS: usize = 10_000;
/// Octets of one card; pictures are left out of a larger one.
const MAX_CARD_OCTETS: usize = 64 * 1024;
/// Values of one kind in a card.
const MAX_VALUES: usize = 50;
/// Letters of one value.
const MAX_VALUE: usize = 1000;
/// Octets of a line of a card that is written (RFC 6350 §3.2).
const LINE_OCTETS: usize = 75;

/// Somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// Its name among cards (UID); empty where it has none yet.
    pub uid: String,
    /// As they are called (FN).
    pub name: String,
    /// Mail addresses, the preferred first.
    pub addresses: Vec<String>,
    /// Telephone numbers.
    pub phones: Vec<String>,
    /// Where they work (ORG).
    pub organisation: String,
    /// NOTE.
    pub note: String,
    /// CATEGORIES.
    pub groups: Vec<String>,
    /// What else is in it: lines as they came, unfolded.
    pub others: Vec<String>,
}

/// In which version cards are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CardVersion {
    /// 3.0: what older programs read.
    Three,
    /// 4.0.
    #[default]
    Four,
}

/// A line of a card (RFC 6350 §3.3).
struct Line<'a> {
    whole: &'a str,
    name: String,
    parameters: String,
    value: &'a str,
}

impl Card {
    /// All cards of a file, [`MAX_CARDS`] at most. What is no card is passed over.
    pub fn read_all(text: &str) -> Vec<Self> {
        let unfolded = text.replace("\r\n", "\n").replace('\r', "\n").replace("\n ", "").replace("\n\t", "");
        let mut cards = Vec::new();
        let mut lines: Option<Vec<&str>> = None;
        for line in unfolded.lines() {
            let is = |what: &str| line.trim().eq_ignore_ascii_case(what);
            if is("BEGIN:VCARD") {
                lines = Some(Vec::new());
            } else if is("END:VCARD") {
                if let Some(card) = lines.take().map(|lines| Self::of(&lines)).filter(|card| !card.is_empty()) {
                    cards.push(card);
                }
                if cards.len() >= MAX_CARDS {
                    break;
                }
            } else if let Some(lines) = &mut lines {
                lines.push(line);
            }
        }
        cards
    }

    fn of(lines: &[&str]) -> Self {
        let (mut card, mut family) = (Self::default(), String::new());
        let octets: usize = lines.iter().map(|line| line.len()).sum();
        for line in lines.iter().filter_map(|line| Line::read(line)) {
            let text = || unescaped(line.value).chars().take(MAX_VALUE).collect::<String>().trim().to_owned();
            match line.name.as_str() {
                "VERSION" | "PRODID" | "REV" => {}
                "UID" => card.uid = text(),
                "FN" if card.name.is_empty() => card.name = text(),
                "ORG" if card.organisation.is_empty() => card.organisation = parts(line.value, ';').join(", "),
                "NOTE" if card.note.is_empty() => card.note = text(),
                "EMAIL" if card.addresses.len() < MAX_VALUES => {
                    let address = text().trim_start_matches("mailto:").to_owned();
                    let at = if line.is_preferred() { 0 } else { card.addresses.len() };
                    if !address.is_empty() && !card.addresses.contains(&address) {
                        card.addresses.insert(at, address);
                    }
                }
                "TEL" if card.phones.len() < MAX_VALUES => {
                    card.phones.push(text().trim_start_matches("tel:").to_owned());
                }
                "CATEGORIES" => {
                    card.groups.extend(parts(line.value, ',').into_iter().take(MAX_VALUES));
                }
                "PHOTO" | "LOGO" | "SOUND" | "KEY" if octets > MAX_CARD_OCTETS => {}
                other => {
                    if other == "N" {
                        family = name_of(line.value);
                    }
                    card.others.push(line.whole.to_owned());
                }
            }
        }
        card.groups.sort();
        card.groups.dedup();
        if card.name.is_empty() {
            let names = [family, card.organisation.clone(), card.addresses.first().cloned().unwrap_or_default()];
            card.name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        }
        let mut left = MAX_CARD_OCTETS;
        card.others.retain(|line| {
            left = left.saturating_sub(line.len());
            left > 0
        });
        card
    }

    fn is_empty(&self) -> bool {
        self.name.is_empty() && self.addresses.is_empty()
    }

    /// As a file has it, with CRLF line ends.
    pub fn write(&self, version: CardVersion) -> String {
        let mut out = String::new();
        let number = if version == CardVersion::Three { "3.0" } else { "4.0" };
        let mut put = |line: &str| put_line(&mut out, line);
        put("BEGIN:VCARD");
        put(&format!("VERSION:{number}"));
        let mut value = |name: &str, value: &str| {
            if !value.is_empty() {
                put(&format!("{name}:{}", escaped(value)));
            }
        };
        value("UID", &self.uid);
        value("FN", &self.name);
        for address in &self.addresses {
            value("EMAIL", address);
        }
        for phone in &self.phones {
            value("TEL", phone);
        }
        value("ORG", &self.organisation);
        value("NOTE", &self.note);
        if !self.groups.is_empty() {
            let groups: Vec<String> = self.groups.iter().map(|group| escaped(group)).collect();
            put(&format!("CATEGORIES:{}", groups.join(",")));
        }
        // RFC 2426 §3.1.2: N must be there; RFC 6350 §6.2.2: it may.
        let has_name = self.others.iter().any(|line| Line::read(line).is_some_and(|line| line.name == "N"));
        if version == CardVersion::Three && !has_name {
            put(&format!("N:;{};;;", escaped(&self.name)));
        }
        for line in &self.others {
            put(line);
        }
        put("END:VCARD");
        out
    }
}

impl<'a> Line<'a> {
    fn read(whole: &'a str) -> Option<Self> {
        let mut is_quoted = false;
        let colon = whole.char_indices().find(|(_, letter)| {
            is_quoted ^= *letter == '"';
            *letter == ':' && !is_quoted
        });
        let (at, _) = colon?;
        let (head, value) = (whole.get(..at)?, whole.get(at + 1..)?);
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        // `item1.EMAIL`: what belongs together has a name in front.
        let name = name.rsplit('.').next()?.trim().to_ascii_uppercase();
        let is_name = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        is_name.then(|| Self { whole, name, parameters: parameters.to_ascii_uppercase(), value })
    }

    fn is_preferred(&self) -> bool {
        self.parameters.split([';', ',', '=']).any(|word| word == "PREF")
    }
}

/// `Family;Given;More;Prefix;Suffix`.
fn name_of(value: &str) -> String {
    let parts = parts(value, ';');
    let part = |at: usize| parts.get(at).cloned().unwrap_or_default();
    let (family, given) = (part(0), part(1));
    format!("{given} {family}").trim().to_owned()
}

/// Values that a sign parts which isn't escaped; empty ones are left out, but for names, whose places count.
fn parts(value: &str, sign: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        if letter == sign {
            parts.push(String::new());
            continue;
        }
        let Some(part) = parts.last_mut() else { continue };
        part.push(letter);
        if letter == '\\' {
            part.extend(letters.next());
        }
    }
    let clean = |part: &String| unescaped(part).trim().chars().take(MAX_VALUE).collect::<String>();
    let parts: Vec<String> = parts.iter().map(clean).collect();
    if sign == ';' && parts.len() > 2 { parts } else { parts.into_iter().filter(|part| !part.is_empty()).collect() }
}

/// RFC 6350 §3.4.
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('n' | 'N') => text.push('\n'),
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace(',', "\\,")
        .replace(';', "\\;")
        .replace("\r\n", "\\n")
        .replace(['\n', '\r'], "\\n")
}

/// RFC 6350 §3.2: folded, between letters.
fn put_line(out: &mut String, line: &str) {
    let mut rest = line;
    let mut room = LINE_OCTETS;
    while rest.len() > room {
        let end = rest.floor_char_boundary(room).max(1);
        let (piece, left) = rest.split_at(end);
        let _written = write!(out, "{piece}\r\n ");
        rest = left;
        room = LINE_OCTETS - 1;
    }
    out.push_str(rest);
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_of_other_programs_are_read() {
        let text = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Lee;Ann;;;\r\nFN:Ann Lee\r\nitem1.EMAIL;type=INTERNET:ann@old.example\r\n\
            EMAIL;TYPE=INTERNET,PREF:ann@x.exam\r\n ple\r\nTEL;VALUE=uri:tel:+33-1\r\nORG:House\\, Ltd;Desk\r\n\
            NOTE:one\\ntwo\\; three\r\nCATEGORIES:Work,Chess\\, Go\r\nX-THING;X=\"a:b\":c\r\nEND:VCARD\r\n\
            junk\r\nBEGIN:VCARD\nVERSION:4.0\nN:Roe;Bob\nEND:VCARD\nBEGIN:VCARD\nVERSION:4.0\nEND:VCARD\n";
        let cards = Card::read_all(text);
        assert_eq!(cards.len(), 2, "{cards:?}");
        let ann = &cards[0];
        assert_eq!(
            (ann.name.as_str(), &*ann.addresses),
            ("Ann Lee", &["ann@x.example", "ann@old.example"].map(str::to_owned)[..])
        );
        assert_eq!((ann.organisation.as_str(), ann.note.as_str()), ("House, Ltd, Desk", "one\ntwo; three"));
        assert_eq!(
            (&*ann.phones, &*ann.groups),
            (&["+33-1".to_owned()][..], &["Chess, Go", "Work"].map(str::to_owned)[..])
        );
        assert_eq!(ann.others, ["N:Lee;Ann;;;", "X-THING;X=\"a:b\":c"]);
        assert_eq!(cards[1].name, "Bob Roe");
    }

    #[test]
    fn what_is_written_is_read() {
        let card = Card {
            uid: "urn:uuid:1".to_owned(),
            name: "Zoë; née, \\Ω ".repeat(12).trim().to_owned(),
            addresses: vec!["zoe@x.example".to_owned(), "z@y.example".to_owned()],
            phones: vec!["+33 1".to_owned()],
            organisation: "House".to_owned(),
            note: "one\ntwo".to_owned(),
            groups: vec!["A, b".to_owned(), "C".to_owned()],
            others: vec!["N:Z;;;;".to_owned(), "BDAY:20000101".to_owned()],
        };
        for version in [CardVersion::Three, CardVersion::Four] {
            let text = card.write(version);
            assert!(text.split("\r\n").all(|line| line.len() <= LINE_OCTETS), "{text}");
            assert_eq!(Card::read_all(&text), std::slice::from_ref(&card), "{text}");
        }
        let evil = Card { name: "x\r\nEND:VCARD".to_owned(), ..Card::default() };
        let text = evil.write(CardVersion::Four);
        assert_eq!(text.lines().filter(|line| *line == "END:VCARD").count(), 1, "nothing that is typed ends a card");
    }
}
