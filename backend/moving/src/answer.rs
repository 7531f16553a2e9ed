//! What another server says (RFC 9051 §7), as far as whoever reads mail there wants to know it.

use std::fmt;

use relais_imap::date::parse_date_time;
use relais_imap::utf7;
use relais_model::{Flag, SpecialUse, Timestamp};

use crate::wire::Heard;

/// A piece of an answer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Open,
    Close,
    /// Unquoted.
    Atom(Vec<u8>),
    Quoted(Vec<u8>),
    /// None: it was too large to be kept.
    Literal(Option<Vec<u8>>),
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("("),
            Self::Close => f.write_str(")"),
            Self::Atom(octets) => write!(f, "{}", octets.escape_ascii()),
            Self::Quoted(octets) => write!(f, "\"{}\"", octets.escape_ascii()),
            Self::Literal(Some(octets)) => write!(f, "{{{}}}", octets.escape_ascii()),
            Self::Literal(None) => f.write_str("too large"),
        }
    }
}

impl Token {
    /// Reads what stands between two literals. Nothing is refused: a quote that doesn't end, ends with the line.
    pub(crate) fn read(line: &[u8], tokens: &mut Vec<Self>) {
        let mut rest = line;
        while let Some((first, after)) = rest.split_first() {
            rest = match first {
                b' ' => after,
                b'(' => {
                    tokens.push(Self::Open);
                    after
                }
                b')' => {
                    tokens.push(Self::Close);
                    after
                }
                b'"' => {
                    let (text, after) = quoted(after);
                    tokens.push(Self::Quoted(text));
                    after
                }
                _ => {
                    let end = rest.iter().position(|octet| b" ()\"".contains(octet)).unwrap_or(rest.len());
                    let (atom, after) = rest.split_at(end);
                    tokens.push(Self::Atom(atom.to_vec()));
                    after
                }
            };
        }
    }

    /// A string or an atom.
    fn octets(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(octets) | Self::Quoted(octets) | Self::Literal(Some(octets)) => Some(octets),
            Self::Open | Self::Close | Self::Literal(None) => None,
        }
    }

    fn text(&self) -> Option<&str> {
        self.octets().and_then(|octets| std::str::from_utf8(octets).ok())
    }

    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Atom(octets) if octets.eq_ignore_ascii_case(word.as_bytes()))
    }

    fn number<T: std::str::FromStr>(&self) -> Option<T> {
        self.text().and_then(|text| text.parse().ok())
    }
}

fn quoted(rest: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut text = Vec::new();
    let mut octets = rest.iter().enumerate();
    while let Some((at, octet)) = octets.next() {
        match octet {
            b'"' => return (text, rest.get(at + 1..).unwrap_or_default()),
            b'\\' => text.extend(octets.next().map(|(_, octet)| *octet)),
            _ => text.push(*octet),
        }
    }
    (text, &[])
}

/// How a command ended, or what a server says on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

/// A message, as far as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) uid: u32,
    pub(crate) flags: Vec<Flag>,
    pub(crate) has_flags: bool,
    pub(crate) internal_date: Option<Timestamp>,
    pub(crate) size_octets: u64,
    pub(crate) mod_seq: Option<u64>,
    pub(crate) body: Body,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Body {
    #[default]
    Missing,
    TooLarge,
    Whole(Vec<u8>),
}

/// A folder of LIST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// As the server spells it, and wants it spelt.
    pub(crate) raw: Vec<u8>,
    /// As people read it.
    pub(crate) name: String,
    pub(crate) delimiter: Option<char>,
    pub(crate) special_use: Option<SpecialUse>,
    pub(crate) can_be_opened: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// None: no command's, the server's own.
    Status {
        tag: Option<String>,
        condition: Condition,
        code: Vec<String>,
        text: String,
    },
    Capabilities(Vec<String>),
    Listed(Listed),
    /// Prefixes of the person's own names, and of those of others.
    Namespaces {
        own: Vec<String>,
        others: Vec<String>,
    },
    Exists(u32),
    Messages(u64),
    Fetched(Box<Fetched>),
    GoOn,
    Other,
}

/// Understands an answer; what isn't understood is [`Answer::Other`].
pub(crate) fn understand(heard: Heard) -> Answer {
    let Heard { line, tokens } = heard;
    let Some((first, rest)) = tokens.split_first() else { return Answer::Other };
    if first.is("+") {
        return Answer::GoOn;
    }
    let tag = (!first.is("*")).then(|| first.text().unwrap_or_default().to_owned());
    let Some((word, rest)) = rest.split_first() else { return Answer::Other };
    if let Some(condition) = condition(word) {
        let (code, text) = status(&line);
        return Answer::Status { tag, condition, code, text };
    }
    if tag.is_some() {
        return Answer::Other;
    }
    if word.is("CAPABILITY") {
        return Answer::Capabilities(words(rest));
    }
    if word.is("LIST") {
        return listed(rest).map_or(Answer::Other, Answer::Listed);
    }
    if word.is("NAMESPACE") {
        return namespaces(rest);
    }
    if word.is("STATUS") {
        let at = rest.iter().position(|token| token.is("MESSAGES"));
        let messages = at.and_then(|at| rest.get(at + 1)).and_then(Token::number);
        return messages.map_or(Answer::Other, Answer::Messages);
    }
    match (word.number(), rest.split_first()) {
        (Some(number), Some((what, _))) if what.is("EXISTS") => Answer::Exists(number),
        (Some::<u32>(_), Some((what, rest))) if what.is("FETCH") => {
            let mut fetched = fetched(rest);
            fetched.body = body(tokens);
            Answer::Fetched(Box::new(fetched))
        }
        _ => Answer::Other,
    }
}

/// A message's octets, without a copy of them.
fn body(tokens: Vec<Token>) -> Body {
    let mut after = tokens.into_iter().skip_while(|token| !token.is("BODY[]")).skip(1);
    match after.next() {
        Some(Token::Literal(Some(octets)) | Token::Quoted(octets)) => Body::Whole(octets),
        Some(Token::Literal(None)) => Body::TooLarge,
        _ => Body::Missing,
    }
}

fn condition(word: &Token) -> Option<Condition> {
    let all = [
        ("OK", Condition::Ok),
        ("NO", Condition::No),
        ("BAD", Condition::Bad),
        ("BYE", Condition::Bye),
        ("PREAUTH", Condition::PreAuth),
    ];
    all.into_iter().find(|(name, _)| word.is(name)).map(|(_, condition)| condition)
}

/// The words of a response code, and the text for people behind it.
fn status(line: &[u8]) -> (Vec<String>, String) {
    let line = String::from_utf8_lossy(line);
    let text = line.splitn(3, ' ').nth(2).unwrap_or_default();
    match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((code, text)) => (code.split(' ').map(str::to_ascii_uppercase).collect(), text.trim_start().to_owned()),
        None => (Vec::new(), text.to_owned()),
    }
}

fn words(tokens: &[Token]) -> Vec<String> {
    tokens.iter().filter_map(Token::text).map(str::to_ascii_uppercase).collect()
}

/// What stands between the first parenthesis and its end, and what follows.
fn group(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    let (Token::Open, rest) = tokens.split_first()? else { return None };
    let mut depth = 1_u32;
    for (at, token) in rest.iter().enumerate() {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((rest.get(..at)?, rest.get(at + 1..)?));
        }
    }
    None
}

fn listed(tokens: &[Token]) -> Option<Listed> {
    let (attributes, rest) = group(tokens)?;
    let (delimiter, rest) = rest.split_first()?;
    let raw = rest.first()?.octets()?.to_vec();
    let has = |word: &str| attributes.iter().any(|attribute| attribute.is(word));
    let spelt = String::from_utf8_lossy(&raw).into_owned();
    let delimiter = match delimiter {
        Token::Quoted(text) => text.first().map(|octet| char::from(*octet)),
        _ => None,
    };
    Some(Listed {
        // A name that is no modified UTF-7 is UTF-8, or whatever it is.
        name: utf7::decode(&spelt).unwrap_or(spelt),
        raw,
        delimiter,
        special_use: attributes.iter().find_map(|attribute| attribute.text().and_then(SpecialUse::parse)),
        can_be_opened: !has("\\Noselect") && !has("\\NonExistent"),
    })
}

/// RFC 2342: three lists, the person's own, other people's, those that are shared.
fn namespaces(tokens: &[Token]) -> Answer {
    let (mut lists, mut rest) = (Vec::new(), tokens);
    while let Some((first, after)) = rest.split_first() {
        let (inside, after) = group(rest).unwrap_or((&[], after));
        rest = after;
        if first.is("NIL") || matches!(first, Token::Open) {
            lists.push(prefixes(inside));
        }
    }
    let mut lists = lists.into_iter();
    let own = lists.next().unwrap_or_default();
    Answer::Namespaces { own, others: lists.flatten().collect() }
}

fn prefixes(mut tokens: &[Token]) -> Vec<String> {
    let mut prefixes = Vec::new();
    while let Some((inside, after)) = group(tokens) {
        let spelt = inside.first().and_then(Token::text);
        prefixes.extend(spelt.map(|spelt| utf7::decode(spelt).unwrap_or_else(|_| spelt.to_owned())));
        tokens = after;
    }
    prefixes
}

fn fetched(tokens: &[Token]) -> Fetched {
    let mut fetched = Fetched::default();
    let Some((mut rest, _)) = group(tokens) else { return fetched };
    while let Some((name, after)) = rest.split_first() {
        let (values, after) = match group(after) {
            Some(found) => found,
            None => after.split_at_checked(1).unwrap_or((after, &[])),
        };
        rest = after;
        let value = values.first();
        if name.is("UID") {
            fetched.uid = value.and_then(Token::number).unwrap_or_default();
        } else if name.is("FLAGS") {
            // \Recent, and whatever else is no flag here, stays there.
            fetched.flags = values.iter().filter_map(|flag| Flag::parse(flag.text()?).ok()).collect();
            fetched.has_flags = true;
        } else if name.is("INTERNALDATE") {
            let text = value.and_then(Token::text).map(|text| format!("\"{text}\""));
            fetched.internal_date = text.and_then(|text| parse_date_time(&text).ok());
        } else if name.is("RFC822.SIZE") {
            fetched.size_octets = value.and_then(Token::number).unwrap_or_default();
        } else if name.is("MODSEQ") {
            fetched.mod_seq = value.and_then(Token::number);
        }
    }
    fetched
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Answer {
        let mut tokens = Vec::new();
        Token::read(line.as_bytes(), &mut tokens);
        understand(Heard { line: line.as_bytes().to_vec(), tokens })
    }

    #[test]
    fn folders_are_named_and_used() {
        let check = |line: &str, expected: &str| {
            let Answer::Listed(listed) = said(line) else { panic!("{line}") };
            let Listed { name, delimiter, special_use, can_be_opened, .. } = listed;
            let told = format!("{name} {delimiter:?} {} {can_be_opened}", special_use.map_or("-", SpecialUse::as_str));
            assert_eq!(told, expected);
        };
        check(r#"* LIST (\HasNoChildren \Sent) "/" Gesendet"#, "Gesendet Some('/') \\Sent true");
        check(r#"* LIST (\Noselect) "." "INBOX.Entw&APw-rfe""#, "INBOX.Entwürfe Some('.') - false");
        check(r#"* LIST () NIL "a \"b\" \\c""#, r#"a "b" \c None - true"#);
        check(r#"* LIST () "/" "R&D""#, "R&D Some('/') - true");
    }

    #[test]
    fn namespaces_tell_whose_names_are_whose() {
        let check = |line: &str, own: &[&str], others: &[&str]| {
            let to_owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(said(line), Answer::Namespaces { own: to_owned(own), others: to_owned(others) });
        };
        check(r#"* NAMESPACE (("INBOX." ".")) NIL NIL"#, &["INBOX."], &[]);
        let line = r##"* NAMESPACE (("" "/")) (("~" "/")) (("#shared/" "/")("#ftp/" "/"))"##;
        check(line, &[""], &["~", "#shared/", "#ftp/"]);
    }

    #[test]
    fn messages_have_what_was_asked() {
        let line = r#"* 7 FETCH (FLAGS (\Seen $Junk \Recent) MODSEQ (12) X ("a" ("b")) UID 9 RFC822.SIZE 4 INTERNALDATE " 1-Jan-2026 01:00:00 +0100" BODY[] "ab")"#;
        let Answer::Fetched(fetched) = said(line) else { panic!() };
        assert_eq!((fetched.uid, fetched.size_octets, fetched.mod_seq), (9, 4, Some(12)));
        assert_eq!(fetched.flags, [Flag::parse("\\Seen").unwrap(), Flag::parse("$Junk").unwrap()]);
        assert_eq!(fetched.internal_date, Some(Timestamp::from_seconds(1_767_225_600)));
        assert_eq!(fetched.body, Body::Whole(b"ab".to_vec()));
    }

    #[test]
    fn a_status_has_a_code_and_words() {
        let check = |line: &str, expected: (Option<&str>, Condition, &[&str], &str)| {
            let Answer::Status { tag, condition, code, text } = said(line) else { panic!("{line}") };
            let code: Vec<&str> = code.iter().map(String::as_str).collect();
            assert_eq!((tag.as_deref(), condition, code.as_slice(), text.as_str()), expected);
        };
        check("* OK [UIDVALIDITY 5] fine (all", (None, Condition::Ok, &["UIDVALIDITY", "5"], "fine (all"));
        check("a1 NO no", (Some("a1"), Condition::No, &[], "no"));
        check("* BYE \"gone", (None, Condition::Bye, &[], "\"gone"));
        assert_eq!(said("* 3 EXISTS"), Answer::Exists(3));
        assert_eq!(said("* STATUS \"a b\" (MESSAGES 12)"), Answer::Messages(12));
        assert_eq!(said("+ go"), Answer::GoOn);
        for line in ["", "* ", "* 3", "* LIST", "* LIST (", "* FETCH", "a1"] {
            assert_eq!(said(line), Answer::Other, "{line}");
        }
    }
}
