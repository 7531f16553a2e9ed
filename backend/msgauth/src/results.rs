//! Authentication-Results (RFC 8601): writing ours, reading others', and taking out those that only claim to be ours.

use std::fmt::Write as _;

use relais_message::{fields, header_octets, unfold};
use relais_model::Domain;

use crate::authenticate::Authentication;
use crate::spf::{Identity, SpfCheck};

/// Octets of a field that are read.
const MOST_OCTETS: usize = 64 * 1024;
/// Methods of a field that are read.
const MOST_METHODS: usize = 100;

/// A field that was read; comments, reasons and properties are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthResults {
    /// Who says so: the authserv-id.
    pub id: String,
    /// Methods and their results, in lower case.
    pub methods: Vec<(String, String)>,
}

impl AuthResults {
    /// Reads a field's value, or what follows `i=N;` in ARC's (RFC 8601 §2.2). None where it is none.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let text = str::from_utf8(value).ok().filter(|text| text.len() <= MOST_OCTETS)?;
        let tokens = tokens(text)?;
        let mut parts = tokens.split(|token| *token == Token::Sign(';'));
        // The number behind the name is a version; there is one.
        let (Token::Word(id), version) = parts.next()?.split_first()? else { return None };
        if !version.is_empty() && version != [Token::Word("1".to_owned())] {
            return None;
        }
        let mut methods = Vec::new();
        for part in parts.take(MOST_METHODS) {
            if let [Token::Word(method), rest @ ..] = part {
                // `method/1=result` names a version, too.
                let rest = if let [Token::Sign('/'), Token::Word(_), behind @ ..] = rest { behind } else { rest };
                if let [Token::Sign('='), Token::Word(result), ..] = rest {
                    methods.push((method.to_ascii_lowercase(), result.to_ascii_lowercase()));
                }
            }
        }
        Some(Self { id: id.clone(), methods })
    }

    /// Whether a method has this result, and no other one.
    pub fn says(&self, method: &str, result: &str) -> bool {
        let mut said = self.methods.iter().filter(|(known, _)| known == method).peekable();
        said.peek().is_some() && said.all(|(_, found)| found == result)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `;`, `=` or `/`.
    Sign(char),
}

/// Words, quoted or not, and signs; blanks and comments fall away. None where a comment or a quote stays open.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\r' | '\n' => {}
            ';' | '=' | '/' => tokens.push(Token::Sign(letter)),
            '(' => {
                let mut depth = 1_u32;
                while depth > 0 {
                    match letters.next()? {
                        '(' => depth += 1,
                        ')' => depth -= 1,
                        '\\' => _ = letters.next()?,
                        _ => {}
                    }
                }
            }
            '"' => {
                let mut word = String::new();
                loop {
                    match letters.next()? {
                        '"' => break,
                        '\\' => word.push(letters.next()?),
                        other => word.push(other),
                    }
                }
                tokens.push(Token::Word(word));
            }
            first => {
                let mut word = String::from(first);
                let is_inside = |next: &char| !matches!(next, ' ' | '\t' | '\r' | '\n' | ';' | '=' | '/' | '(' | '"');
                while let Some(next) = letters.next_if(is_inside) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Some(tokens)
}

/// The header without the Authentication-Results fields that claim to be of one of `ours`: whoever sent it may have written them (RFC 8601 §5). One that can't be read, but
/// holds such a name, goes as well: another reader may make more of it. None where nothing had to go, else the header and how many went.
pub fn without_forged(raw: &[u8], ours: &[&str]) -> Option<(Vec<u8>, usize)> {
    let header = raw.get(..header_octets(raw)).unwrap_or(raw);
    let (mut kept, mut octets, mut gone) = (Vec::with_capacity(header.len()), 0, 0);
    for field in fields(header) {
        octets += field.raw.len();
        if field.is("Authentication-Results") && claims(field.value, ours) {
            gone += 1;
        } else {
            kept.extend_from_slice(field.raw);
        }
    }
    kept.extend_from_slice(header.get(octets..).unwrap_or_default());
    (gone > 0).then_some((kept, gone))
}

fn claims(value: &[u8], ours: &[&str]) -> bool {
    // Names are compared as the DNS has them: U-labels and a last dot make no difference.
    let spelled = |name: &str| Domain::parse(name).map_or_else(|_| name.to_ascii_lowercase(), |name| name.to_string());
    let ours = ours.iter().map(|name| spelled(name));
    if let Some(results) = AuthResults::parse(value) {
        return ours.into_iter().any(|name| name == spelled(&results.id));
    }
    let text = String::from_utf8_lossy(&unfold(value)).to_ascii_lowercase();
    ours.into_iter().any(|name| text.contains(&name))
}

/// A value as RFC 8601 §2.2 has it: a token, or quoted where it is none. Strangers' control characters fall away.
fn value(text: &str) -> String {
    let bare: String = text.chars().filter(|letter| !letter.is_control()).take(255).collect();
    // An address may stand as it is; what RFC 2045 §5.1 calls tspecials must be quoted.
    let is_plain = !bare.is_empty()
        && bare.chars().all(|letter| letter.is_ascii_graphic() && !"()<>,;:\\\"/[]?=".contains(letter));
    if is_plain { bare } else { format!("\"{}\"", bare.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// What we found, without the field's name: `ID;` and a method a line, folded, without the last line end.
pub(crate) fn written(found: &Authentication, id: &str) -> String {
    let mut text = value(id);
    let mut method = |line: &str| {
        text.push_str(";\r\n\t");
        text.push_str(line);
    };
    method(&format!("iprev={} policy.iprev={}", found.iprev.as_str(), value(&found.peer.to_string())));
    method(&spf(&found.spf_helo, ""));
    method(&spf(&found.spf_mail_from, &found.local_part));
    for check in &found.dkim {
        let mut line = format!("dkim={}", check.result.as_str());
        if let Some(signature) = &check.signature {
            _ = write!(line, " header.d={} header.s={}", value(&signature.domain), value(&signature.selector));
            _ = write!(line, " header.a={}", signature.algorithm.as_str());
            if let Some(start) = check.signature_start() {
                _ = write!(line, " header.b={}", value(&start));
            }
        }
        method(&line);
    }
    if found.dkim.is_empty() {
        method("dkim=none");
    }
    let mut line = format!("dmarc={}", found.dmarc.result.as_str());
    if let Some((tag, policy)) = found.dmarc.policy {
        _ = write!(line, " ({}={})", tag.as_str(), policy.as_str());
    }
    if let Some(author) = &found.dmarc.author {
        _ = write!(line, " header.from={}", value(author));
    }
    method(&line);
    method(&format!("arc={}", found.arc.result.as_str()));
    text
}

/// What a field says that [`Authentication::field`](crate::Authentication::field) wrote: the value of `property` in the first line that begins with `method` (`dkim=pass`, or `iprev=` for any
/// result). Only for fields that are known to be ours: of others' [`AuthResults`] tells what can be told.
pub fn said_by_us(value: &[u8], method: &str, property: &str) -> Option<String> {
    let text = str::from_utf8(value).ok()?;
    // Strangers' values hold no line end.
    let line = text.split(";\r\n\t").find(|line| line.trim_start().starts_with(method))?;
    let named = format!("{property}=");
    let word = line.split_ascii_whitespace().find_map(|word| word.strip_prefix(&named))?;
    Some(word.trim_matches('"').to_owned())
}

fn spf(check: &SpfCheck, local_part: &str) -> String {
    let property = match check.identity {
        Identity::Helo => "smtp.helo",
        Identity::MailFrom => "smtp.mailfrom",
    };
    let domain = if check.domain.is_empty() { "unknown" } else { &check.domain };
    let whose = if local_part.is_empty() { value(domain) } else { value(&format!("{local_part}@{domain}")) };
    format!("spf={} {property}={whose}", check.result.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &[(&str, &str)])>) {
        let expected = expected.map(|(id, methods)| AuthResults {
            id: id.to_owned(),
            methods: methods.iter().map(|(name, result)| ((*name).to_owned(), (*result).to_owned())).collect(),
        });
        assert_eq!(AuthResults::parse(text.as_bytes()), expected, "{text}");
    }

    /// RFC 8601 §B.
    #[test]
    fn the_rfcs_own_examples() {
        check(" example.org 1; none", Some(("example.org", &[])));
        check(" example.com;\r\n spf=pass smtp.mailfrom=example.net", Some(("example.com", &[("spf", "pass")])));
        check(
            " example.com;\r\n auth=pass (cleartext) smtp.auth=sender@example.com;\r\n spf=pass smtp.mailfrom=sender@example.com",
            Some(("example.com", &[("auth", "pass"), ("spf", "pass")])),
        );
        check(
            " foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n policy (A dot can go here) . (like that) expired\r\n (this surprised me) = (as I wasn't expecting it) 1362471462",
            Some(("foo.example.net", &[("dkim", "fail")])),
        );
        check("a.example; dmarc=\"pass\"", Some(("a.example", &[("dmarc", "pass")])));
        for text in ["", ";", "a.example (open", "a.example 2; spf=pass", "a b c; spf=pass"] {
            check(text, None);
        }
    }

    #[test]
    fn one_method_must_not_say_two_things() {
        let says = |text: &str| AuthResults::parse(text.as_bytes()).unwrap().says("dmarc", "pass");
        assert!(says("x; dmarc=pass; spf=fail"));
        assert!(!says("x; spf=pass"));
        assert!(!says("x; dmarc=pass; dmarc=fail"));
        assert!(!says("x; spf=fail (; dmarc=pass)"));
    }

    #[test]
    fn forged_fields_go_and_others_stay() {
        let header = "From: a\r\n\
                      Authentication-Results: mx.example; dmarc=pass\r\n\
                      authentication-results : \"MX.example\" 1;\r\n\tdmarc=pass\r\n\
                      Authentication-Results: (x) mx.example. ; dmarc=pass\r\n\
                      Authentication-Results: mx.example (open; dmarc=pass\r\n\
                      Authentication-Results: other.example; spf=pass smtp.mailfrom=mx.example\r\n\
                      ARC-Authentication-Results: i=1; mx.example; dmarc=pass\r\n\
                      To: b\r\n\r\nbody";
        let (kept, gone) = without_forged(header.as_bytes(), &["mx.example"]).unwrap();
        assert_eq!(gone, 4);
        assert_eq!(
            String::from_utf8(kept).unwrap(),
            "From: a\r\nAuthentication-Results: other.example; spf=pass smtp.mailfrom=mx.example\r\n\
             ARC-Authentication-Results: i=1; mx.example; dmarc=pass\r\nTo: b\r\n\r\n"
        );
        assert_eq!(without_forged(header.as_bytes(), &["third.example"]), None);
    }
}
