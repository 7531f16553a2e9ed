//! Content-Type and Content-Disposition: a word and its parameters (RFC 2045 §5.1, RFC 2183), values undecoded.

use crate::lexer::Lexer;

/// So many parameters of a field are read.
const MAX_PARAMETERS: usize = 100;

/// One parameter: its name as written, its value without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// As written; with a `*` behind it where the value is in RFC 2231's extended form.
    pub name: Vec<u8>,
    /// Without quotes; RFC 2231's pieces are joined and nothing is decoded, as Dovecot shows it.
    pub value: Vec<u8>,
}

/// What Content-Type says (RFC 2045 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// Before the slash, as written.
    pub main: Vec<u8>,
    /// Behind the slash, as written.
    pub sub: Vec<u8>,
    /// In their order.
    pub parameters: Vec<Parameter>,
}

impl ContentType {
    /// Reads an unfolded value; none where it has no type or no subtype (RFC 2045 §5.2: take the default then).
    pub fn read(value: &[u8]) -> Option<Self> {
        let mut lexer = Lexer::new(value);
        let main = token(&mut lexer);
        if !lexer.take(b'/') {
            return None;
        }
        let sub = token(&mut lexer);
        if main.is_empty() || sub.is_empty() {
            return None;
        }
        Some(Self { main, sub, parameters: parameters(&mut lexer) })
    }

    /// Whether this is `main/sub`, in any case.
    pub fn is(&self, main: &str, sub: &str) -> bool {
        self.is_main(main) && self.sub.eq_ignore_ascii_case(sub.as_bytes())
    }

    /// Whether this is `main/…`, in any case.
    pub fn is_main(&self, main: &str) -> bool {
        self.main.eq_ignore_ascii_case(main.as_bytes())
    }

    /// The first parameter called `name`, in any case.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        find(&self.parameters, name)
    }
}

/// What Content-Disposition says (RFC 2183).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposition {
    /// `inline`, `attachment` or another word, as written.
    pub kind: Vec<u8>,
    /// In their order.
    pub parameters: Vec<Parameter>,
}

impl Disposition {
    /// Reads an unfolded value; none where it has no word.
    pub fn read(value: &[u8]) -> Option<Self> {
        let mut lexer = Lexer::new(value);
        let kind = token(&mut lexer);
        (!kind.is_empty()).then(|| Self { kind, parameters: parameters(&mut lexer) })
    }

    /// Whether this is `kind`, in any case.
    pub fn is(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
    }

    /// The first parameter called `name`, in any case.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        find(&self.parameters, name)
    }
}

fn find<'a>(parameters: &'a [Parameter], name: &str) -> Option<&'a [u8]> {
    let found = parameters.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|parameter| parameter.value.as_slice())
}

/// A token with blanks and comments around it (RFC 2045 §5.1, without its ban of 8-bit octets).
pub(crate) fn token(lexer: &mut Lexer<'_>) -> Vec<u8> {
    let mut comment = Vec::new();
    lexer.skip_cfws(&mut comment);
    let token = lexer.until(|octet| is_tspecial(octet) || octet <= b' ').to_vec();
    lexer.skip_cfws(&mut comment);
    token
}

fn is_tspecial(octet: u8) -> bool {
    matches!(
        octet,
        b'(' | b')' | b'<' | b'>' | b'@' | b',' | b';' | b':' | b'\\' | b'"' | b'/' | b'[' | b']' | b'?' | b'='
    )
}

/// All that follows, from semicolon to semicolon.
fn parameters(lexer: &mut Lexer<'_>) -> Vec<Parameter> {
    let mut plain = Vec::new();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut comment = Vec::new();
    while plain.len() + pieces.len() < MAX_PARAMETERS {
        lexer.until(|octet| octet == b';');
        if !lexer.take(b';') {
            break;
        }
        lexer.skip_cfws(&mut comment);
        let name = lexer.until(|octet| matches!(octet, b'=' | b';' | b' ' | b'\t')).to_vec();
        lexer.skip_cfws(&mut comment);
        if name.is_empty() || !lexer.take(b'=') {
            continue;
        }
        lexer.skip_cfws(&mut comment);
        let mut value = Vec::new();
        if lexer.peek() == Some(b'"') {
            lexer.quoted(&mut value);
        } else {
            value.extend_from_slice(lexer.until(|octet| matches!(octet, b';' | b' ' | b'\t' | b'(')));
        }
        match Piece::read(&name, &value) {
            Some(piece) => pieces.push(piece),
            None => plain.push(Parameter { name, value }),
        }
    }
    join(pieces, &mut plain);
    plain
}

/// One piece of RFC 2231 §3: `name*NUMBER=` or `name*NUMBER*=`.
struct Piece {
    name: Vec<u8>,
    number: u32,
    is_extended: bool,
    value: Vec<u8>,
}

impl Piece {
    fn read(name: &[u8], value: &[u8]) -> Option<Self> {
        let (name, is_extended) = name.strip_suffix(b"*").map_or((name, false), |bare| (bare, true));
        let star = memchr::memrchr(b'*', name)?;
        let (name, number) = name.split_at_checked(star)?;
        let number = std::str::from_utf8(number.get(1..)?).ok()?.parse().ok()?;
        Some(Self { name: name.to_vec(), number, is_extended, value: value.to_vec() })
    }
}

/// RFC 2231 §3: pieces may come in any order; those behind a gap are dropped.
fn join(mut pieces: Vec<Piece>, onto: &mut Vec<Parameter>) {
    pieces.sort_by(|one, other| {
        one.name.to_ascii_lowercase().cmp(&other.name.to_ascii_lowercase()).then(one.number.cmp(&other.number))
    });
    for group in pieces.chunk_by(|one, other| one.name.eq_ignore_ascii_case(&other.name)) {
        let run =
            group.iter().zip(0_u32..).take_while(|(piece, number)| piece.number == *number).map(|(piece, _)| piece);
        let is_extended = run.clone().any(|piece| piece.is_extended);
        let Some(first) = run.clone().next() else { continue };
        let mut value = Vec::new();
        if is_extended && !first.is_extended {
            value.extend_from_slice(b"''");
        }
        for piece in run {
            if is_extended && !piece.is_extended {
                escape(&piece.value, &mut value);
            } else {
                value.extend_from_slice(&piece.value);
            }
        }
        let mut name = first.name.clone();
        name.extend(is_extended.then_some(b'*'));
        onto.push(Parameter { name, value });
    }
}

/// RFC 2231 §7: what is no attribute-char becomes `%XX`.
fn escape(plain: &[u8], onto: &mut Vec<u8>) {
    for &octet in plain {
        if octet > b' ' && octet < 0x7f && !is_tspecial(octet) && !matches!(octet, b'*' | b'\'' | b'%') {
            onto.push(octet);
        } else {
            onto.extend_from_slice(format!("%{octet:02X}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: Option<(&str, &[(&str, &str)])>) {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let read = ContentType::read(value.as_bytes()).map(|read| {
            let parameters: Vec<_> = read.parameters.iter().map(|one| (text(&one.name), text(&one.value))).collect();
            (format!("{}/{}", text(&read.main), text(&read.sub)), parameters)
        });
        let expected = expected.map(|(kind, parameters)| {
            (
                kind.to_owned(),
                parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            )
        });
        assert_eq!(read, expected, "{value}");
    }

    /// RFC 2045 §5.1, and what mailers make of it.
    #[test]
    fn content_types_are_read() {
        check("text/plain", Some(("text/plain", &[])));
        check("Text / x-MyOwn ; Charset = us-ascii (Plain text)", Some(("Text/x-MyOwn", &[("Charset", "us-ascii")])));
        check(
            "multipart/mixed; boundary=\"foo bar\"; a=b",
            Some(("multipart/mixed", &[("boundary", "foo bar"), ("a", "b")])),
        );
        check("a/b; x=\"q\\\"q\"; ; y; z=1", Some(("a/b", &[("x", "q\"q"), ("z", "1")])));
        check("a/b; boundary=----=_x/y", Some(("a/b", &[("boundary", "----=_x/y")])));
        check("a/b garbage; c=d", Some(("a/b", &[("c", "d")])));
        check("a/b; c=\"open", Some(("a/b", &[("c", "open")])));
        for bad in ["", "text", "text/", "/plain", ";"] {
            check(bad, None);
        }
    }

    /// RFC 2231 §3 and §4.1: pieces are joined, nothing is decoded.
    #[test]
    fn continued_parameters_are_joined() {
        check(
            "a/b; key*2=ba%; key2*0=a; key3*0*=us-ascii'en'xyz; key*0=\"foo\"; key2*1*=b%25; key3*1=plop%; key*1=baz",
            Some(("a/b", &[("key", "foobazba%"), ("key2*", "''ab%25"), ("key3*", "us-ascii'en'xyzplop%25")])),
        );
        check("a/b; name*=utf-8''%41; x*1=lost", Some(("a/b", &[("name*", "utf-8''%41")])));
    }
}
