//! From text to tokens (RFC 5228 §8.1).

use crate::fault::{Faults, Position, Problem};
use crate::limit;

/// A token and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) at: Position,
    pub(crate) kind: Kind,
    /// Comments right before it: each line of `#`, each `/* */`, without its marks.
    pub(crate) comments: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Identifier(String),
    /// Without its colon, in small letters.
    Tag(String),
    Number(u64),
    String(String),
    /// One of `;,()[]{}`.
    Mark(char),
    End,
}

impl Kind {
    /// As a person is told of it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Identifier(name) => format!("`{name}`"),
            Self::Tag(name) => format!("`:{name}`"),
            Self::Number(number) => format!("`{number}`"),
            Self::String(_) => "a string".to_owned(),
            Self::Mark(mark) => format!("`{mark}`"),
            Self::End => "the end".to_owned(),
        }
    }
}

/// All tokens, with [`Kind::End`] as the last. What can't be read is passed over, and told.
pub(crate) fn tokens(text: &str, faults: &mut Faults) -> Vec<Token> {
    let mut lexer = Lexer { rest: text.strip_prefix('\u{feff}').unwrap_or(text), at: Position { line: 1, column: 1 } };
    let mut tokens = Vec::new();
    loop {
        let comments = lexer.skip_blanks(faults);
        let at = lexer.at;
        if tokens.len() >= limit::TOKENS {
            faults.add(at, Problem::TooMuch("words of the script"));
            tokens.push(Token { at, kind: Kind::End, comments });
            return tokens;
        }
        match lexer.token() {
            Ok(kind) => {
                let is_end = kind == Kind::End;
                tokens.push(Token { at, kind, comments });
                if is_end {
                    return tokens;
                }
            }
            Err(problem) => faults.add(at, problem),
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
    at: Position,
}

impl<'a> Lexer<'a> {
    fn bump(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next()?;
        self.rest = characters.as_str();
        if next == '\n' {
            self.at = Position { line: self.at.line.saturating_add(1), column: 1 };
        } else {
            self.at.column = self.at.column.saturating_add(1);
        }
        Some(next)
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take_while(&mut self, is_wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest;
        let mut octets = 0;
        while let Some(next) = self.peek().filter(|next| is_wanted(*next)) {
            octets += next.len_utf8();
            self.bump();
        }
        rest.get(..octets).unwrap_or_default()
    }

    /// The rest of the line, without its end.
    fn line(&mut self) -> &'a str {
        let line = self.take_while(|next| next != '\n');
        self.bump();
        line.strip_suffix('\r').unwrap_or(line)
    }

    /// White space and comments.
    fn skip_blanks(&mut self, faults: &mut Faults) -> Vec<String> {
        let mut comments = Vec::new();
        loop {
            self.take_while(|next| matches!(next, ' ' | '\t' | '\r' | '\n'));
            let at = self.at;
            if self.rest.starts_with('#') {
                self.bump();
                comments.push(self.line().trim_end_matches('\r').to_owned());
            } else if self.rest.starts_with("/*") {
                // RFC 5228 §8.1: comments of this kind don't nest.
                let Some(end) = self.rest.get(2..).and_then(|inside| inside.find("*/")) else {
                    faults.add(at, Problem::Unended("comment"));
                    self.rest = "";
                    return comments;
                };
                let after = self.rest.get(end + 4..).unwrap_or_default();
                comments.push(self.rest.get(2..end + 2).unwrap_or_default().trim().to_owned());
                while self.rest.len() > after.len() {
                    self.bump();
                }
            } else {
                return comments;
            }
        }
    }

    fn token(&mut self) -> Result<Kind, Problem> {
        let Some(first) = self.peek() else { return Ok(Kind::End) };
        match first {
            ';' | ',' | '(' | ')' | '[' | ']' | '{' | '}' => {
                self.bump();
                Ok(Kind::Mark(first))
            }
            '"' => self.quoted(),
            ':' => {
                self.bump();
                let name = self.identifier();
                if name.is_empty() { Err(Problem::Character(':')) } else { Ok(Kind::Tag(name.to_ascii_lowercase())) }
            }
            '0'..='9' => self.number(),
            _ if first == '_' || first.is_ascii_alphabetic() => {
                let name = self.identifier();
                // RFC 5228 §2.4.2: "text:" is one word.
                if name.eq_ignore_ascii_case("text") && self.rest.starts_with(':') {
                    self.bump();
                    return self.multi_line();
                }
                Ok(Kind::Identifier(name.to_owned()))
            }
            _ => {
                self.bump();
                Err(Problem::Character(first))
            }
        }
    }

    fn identifier(&mut self) -> &'a str {
        self.take_while(|next| next == '_' || next.is_ascii_alphanumeric())
    }

    /// RFC 5228 §2.4.1: K, M and G are powers of 1024.
    fn number(&mut self) -> Result<Kind, Problem> {
        let word = self.take_while(|next| next.is_ascii_alphanumeric());
        let wrong = || Problem::Number(word.chars().take(40).collect());
        let (digits, factor) = match word.as_bytes().last() {
            Some(b'k' | b'K') => (word.get(..word.len() - 1), 1024),
            Some(b'm' | b'M') => (word.get(..word.len() - 1), 1024 * 1024),
            Some(b'g' | b'G') => (word.get(..word.len() - 1), 1024 * 1024 * 1024),
            _ => (Some(word), 1_u64),
        };
        let number: u64 = digits.and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
        number.checked_mul(factor).filter(|number| i64::try_from(*number).is_ok()).map(Kind::Number).ok_or_else(wrong)
    }

    /// RFC 5228 §2.4.2. Line ends become CRLF, however the script was saved.
    fn quoted(&mut self) -> Result<Kind, Problem> {
        self.bump();
        let mut value = String::new();
        while let Some(next) = self.bump() {
            match next {
                '"' => return finished(value),
                '\\' => value.extend(self.bump()),
                '\r' if self.peek() == Some('\n') => {}
                '\n' => value.push_str("\r\n"),
                _ => value.push(next),
            }
        }
        Err(Problem::Unended("string"))
    }

    /// RFC 5228 §2.4.2, multi-line: what follows `text:`.
    fn multi_line(&mut self) -> Result<Kind, Problem> {
        self.take_while(|next| matches!(next, ' ' | '\t'));
        let head = self.line();
        if !head.is_empty() && !head.starts_with('#') {
            return Err(Problem::Expected { wanted: "a line end", found: "text".to_owned() });
        }
        let mut value = String::new();
        while !self.rest.is_empty() {
            match self.line() {
                "." => return finished(value),
                // Dot-stuffing.
                line => value.push_str(line.strip_prefix('.').filter(|rest| rest.starts_with('.')).unwrap_or(line)),
            }
            value.push_str("\r\n");
        }
        Err(Problem::Unended("multi-line text"))
    }
}

fn finished(value: String) -> Result<Kind, Problem> {
    match value {
        value if value.len() > limit::STRING_OCTETS => Err(Problem::TooMuch("octets of a string")),
        value if value.contains('\0') => Err(Problem::NoText),
        value => Ok(Kind::String(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut faults = Faults::default();
        let mut read: Vec<_> = tokens(text, &mut faults)
            .into_iter()
            .map(|token| match token.kind {
                Kind::String(text) => format!("{text:?}"),
                kind => kind.describe(),
            })
            .collect();
        read.pop();
        read.extend(faults.into_result(()).err().into_iter().flatten().map(|fault| fault.to_string()));
        assert_eq!(read, expected, "{text}");
    }

    /// RFC 5228 §2.3, §2.4.
    #[test]
    fn tokens_are_read() {
        check(
            "if size :Over 100K { # comment\n discard; }",
            &["`if`", "`size`", "`:over`", "`102400`", "`{`", "`discard`", "`;`", "`}`"],
        );
        check("/* a\n * b */ keep;", &["`keep`", "`;`"]);
        check("\"a\\\"b\\\\c\\d\"", &["\"a\\\"b\\\\cd\""]);
        check("text: # why\r\n..stuffed\r\n.x\n.\n;", &["\".stuffed\\r\\n.x\\r\\n\"", "`;`"]);
        check("\"two\nlines\"", &["\"two\\r\\nlines\""]);
        check("3g 12", &["`3221225472`", "`12`"]);
    }

    #[test]
    fn faults_say_where() {
        check(
            "keep;\n  @",
            &[
                "`keep`",
                "`;`",
                "line 2, column 3: `@` means nothing here; strings stand in double quotes, comments behind `#`",
            ],
        );
        check("12x", &["line 1, column 1: `12x` is no number; digits, and K, M or G behind them"]);
        check("99999999999G", &["line 1, column 1: `99999999999G` is no number; digits, and K, M or G behind them"]);
        check(
            "\"open",
            &["line 1, column 1: this string has no end; it ends with `\"`; a `\"` inside is written `\\\"`"],
        );
        check(
            "text:\nopen",
            &["line 1, column 1: this multi-line text has no end; it ends with a line that holds nothing but `.`"],
        );
        check("/* open", &["line 1, column 1: this comment has no end; it ends with `*/`"]);
    }
}
