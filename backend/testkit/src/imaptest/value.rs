//! A line of IMAP as values, read the forgiving way: what a response says, and what a script expects of it.

use std::fmt;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `NIL`.
    Nil,
    /// An atom. `BODY[HEADER.FIELDS (X)]` is three: `BODY[HEADER.FIELDS`, a list, `]`; on both sides alike.
    Atom(Vec<u8>),
    /// A quoted string or a literal.
    Text(Vec<u8>),
    /// In parentheses.
    List(Vec<Value>),
}

impl Value {
    /// The octets of an atom or a string.
    pub fn octets(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(octets) | Self::Text(octets) => Some(octets),
            Self::Nil | Self::List(_) => None,
        }
    }

    /// The text of an atom, where it is text.
    pub fn atom(&self) -> Option<&str> {
        match self {
            Self::Atom(octets) => std::str::from_utf8(octets).ok(),
            _ => None,
        }
    }
}

/// All values of a line; a literal stands in it as `{n}` CRLF octets.
pub fn parse(line: &[u8]) -> Result<Vec<Value>, String> {
    let mut reader = Reader { line, at: 0 };
    let values = reader.values(None)?;
    Ok(values)
}

struct Reader<'a> {
    line: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn values(&mut self, until: Option<u8>) -> Result<Vec<Value>, String> {
        let mut values = Vec::new();
        loop {
            match self.peek() {
                Some(b' ') => self.at += 1,
                Some(b')') if until.is_some() => {
                    self.at += 1;
                    return Ok(values);
                }
                Some(_) => values.push(self.value()?),
                None if until.is_none() => return Ok(values),
                None => return Err("a list does not end".to_owned()),
            }
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.peek() {
            Some(b'(') => {
                self.at += 1;
                Ok(Value::List(self.values(Some(b')'))?))
            }
            Some(b'"') => self.quoted(),
            _ => match self.literal() {
                Some(literal) => Ok(literal),
                None => Ok(self.atom()),
            },
        }
    }

    fn quoted(&mut self) -> Result<Value, String> {
        let mut octets = Vec::new();
        loop {
            self.at += 1;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    octets.extend(self.peek());
                }
                Some(octet) => octets.push(octet),
                None => return Err("a string does not end".to_owned()),
            }
        }
        self.at += 1;
        Ok(Value::Text(octets))
    }

    fn literal(&mut self) -> Option<Value> {
        let rest = &self.line[self.at..];
        let head = rest.strip_prefix(b"~").unwrap_or(rest).strip_prefix(b"{")?;
        let end = head.iter().position(|&octet| octet == b'}')?;
        let count: usize = std::str::from_utf8(&head[..end]).ok()?.trim_end_matches('+').parse().ok()?;
        let octets = head[end + 1..].strip_prefix(b"\r\n")?.get(..count)?;
        self.at = self.line.len() - (head.len() - end - 1 - 2 - count);
        Some(Value::Text(octets.to_vec()))
    }

    /// Up to a space or parenthesis; never empty, so that a stray `)` is taken too.
    fn atom(&mut self) -> Value {
        let rest = &self.line[self.at..];
        let ends = |octet: &u8| matches!(octet, b' ' | b'(' | b')');
        let length = rest.iter().position(ends).unwrap_or(rest.len()).max(1);
        self.at += length;
        let octets = &rest[..length];
        if octets.eq_ignore_ascii_case(b"NIL") { Value::Nil } else { Value::Atom(octets.to_vec()) }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("NIL"),
            Self::Atom(octets) => write!(f, "{}", octets.escape_ascii()),
            Self::Text(octets) => write!(f, "\"{}\"", octets.escape_ascii()),
            Self::List(values) => write!(f, "({})", Line(values)),
        }
    }
}

/// Values as a line for a person.
pub struct Line<'a>(pub &'a [Value]);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(Value::to_string).collect();
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[u8], expected: &str) {
        let values = parse(line).unwrap();
        assert_eq!(Line(&values).to_string(), expected);
    }

    #[test]
    fn values_are_read() {
        check(b"1 FETCH (UID 7 FLAGS (\\Seen $x))", "1 FETCH (UID 7 FLAGS (\\\\Seen $x))");
        check(b"x (BODY[] {3}\r\na)b BODY[1] ~{0}\r\n)", "x (BODY[] \"a)b\" BODY[1] \"\")");
        check(b"LIST () NIL \"a\\\"b\"", "LIST () NIL \"a\\\"b\"");
        check(b"(BODY[HEADER.FIELDS (FROM)] \"\")", "(BODY[HEADER.FIELDS (FROM) ] \"\")");
    }

    #[test]
    fn an_open_list_or_string_is_a_fault() {
        parse(b"a (b").unwrap_err();
        parse(b"a \"b").unwrap_err();
    }
}
