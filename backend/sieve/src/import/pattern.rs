//! egrep's patterns over a header's lines, as tests.

use super::{list, node, several, tag, text};
use crate::matching::regex;
use crate::syntax::Node;

/// Where a pattern looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Header,
    Body,
}

/// procmailrc(5): the fields behind `^TO`.
const TO: [&str; 6] = ["to", "cc", "bcc", "resent-to", "resent-cc", "apparently-to"];

/// The test that a pattern is. None: it has no form here. The truth value: it means nearly the same only.
pub(super) fn test(pattern: &str, part: Part, is_exact: bool) -> Option<(Node, bool)> {
    let pattern = pattern.trim();
    if part == Part::Body {
        return body(pattern, is_exact).map(|test| (test, false));
    }
    if matches!(pattern, "^FROM_DAEMON" | "^FROM_MAILER") {
        return Some((daemon(pattern == "^FROM_DAEMON"), true));
    }
    if let Some(rest) = pattern.strip_prefix("^TO") {
        let (rest, before) = match rest.strip_prefix('_') {
            Some(rest) => (rest, "(^|[^-a-zA-Z0-9_.])"),
            None => (rest, "(^|[^a-zA-Z])"),
        };
        let names: Vec<String> = TO.iter().map(|name| (*name).to_owned()).collect();
        return match_on(&names, &format!("{before}{rest}"), is_exact).map(|test| (test, false));
    }
    let (names, value) = field(pattern)?;
    // Blanks behind the colon aren't the value's.
    let blanks = ["[ \t]*", "[ ]*", "[[:space:]]*", " *", " +", " "];
    let value = blanks.iter().find_map(|blank| value.strip_prefix(blank)).unwrap_or(value);
    match value.strip_prefix(".*") {
        Some("") => Some((node("exists", vec![list(&names)]), false)),
        None if value.is_empty() => Some((node("exists", vec![list(&names)]), false)),
        Some(rest) => match_on(&names, rest, is_exact).map(|test| (test, false)),
        None => match_on(&names, &format!("^{value}"), is_exact).map(|test| (test, false)),
    }
}

/// `^Name:` or `^(Name|Other):`, and what follows.
fn field(pattern: &str) -> Option<(Vec<String>, &str)> {
    let rest = pattern.strip_prefix('^')?;
    let (names, value) = if let Some(group) = rest.strip_prefix('(') {
        let (names, behind) = group.split_once(')')?;
        // `^(To|Cc):`, and `^(To:|Cc:)` as it is written, too.
        let value = behind.strip_prefix(':').or_else(|| names.contains(':').then_some(behind))?;
        (names.split('|').map(|name| name.trim_end_matches(':')).collect(), value)
    } else {
        let (name, value) = rest.split_once(':')?;
        (vec![name], value)
    };
    let is_name =
        |name: &&str| !name.is_empty() && name.bytes().all(|octet| octet == b'-' || octet.is_ascii_alphanumeric());
    names.iter().all(is_name).then(|| (names.iter().map(|name| name.to_ascii_lowercase()).collect(), value))
}

/// The fields' values against an expression; where it is plain text, without one.
fn match_on(names: &[String], expression: &str, is_exact: bool) -> Option<Node> {
    let mut values = Vec::new();
    if is_exact {
        values.extend([tag("comparator"), text("i;octet")]);
    }
    let (anchored, rest) = expression.strip_prefix('^').map_or((false, expression), |rest| (true, rest));
    let rest = rest.strip_suffix(".*").unwrap_or(rest);
    match literal(rest) {
        Some(literal) if anchored => {
            let quoted = literal.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?");
            values.extend([tag("matches"), list(names), text(&format!("{quoted}*"))]);
        }
        Some(literal) => values.extend([tag("contains"), list(names), text(&literal)]),
        None => {
            regex(expression, !is_exact).ok()?;
            values.extend([tag("regex"), list(names), text(expression)]);
        }
    }
    Some(node("header", values))
}

/// Plain text, if it is: `\.` and the like are the character itself.
fn literal(expression: &str) -> Option<String> {
    let mut plain = String::new();
    let mut letters = expression.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain
                .push(letters.next().filter(|next| !next.is_ascii_alphanumeric() && !matches!(next, '<' | '>' | '/'))?),
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' => return None,
            plain_letter => plain.push(plain_letter),
        }
    }
    Some(plain)
}

/// In the body as it came. A line's beginning and end are said by its line end.
fn body(pattern: &str, is_exact: bool) -> Option<Node> {
    let mut values = vec![tag("raw")];
    if is_exact {
        values.extend([tag("comparator"), text("i;octet")]);
    }
    if let Some(literal) = literal(pattern) {
        values.extend([tag("contains"), text(&literal)]);
        return Some(node("body", values));
    }
    let (before, rest) = pattern.strip_prefix('^').map_or(("", pattern), |rest| ("(^|\r\n)", rest));
    let (rest, after) =
        rest.strip_suffix('$').filter(|rest| !rest.ends_with('\\')).map_or((rest, ""), |rest| (rest, "(\r\n|$)"));
    let expression = format!("{before}{rest}{after}");
    regex(&expression, !is_exact).ok()?;
    values.extend([tag("regex"), text(&expression)]);
    Some(node("body", values))
}

/// About what procmail's macros mean: mail from programs.
fn daemon(with_lists: bool) -> Node {
    let senders = "(^|<)(mailer-daemon|postmaster|mailer|daemon|root|uucp|mmdf|majordom[oa]|listserv)(@|>|$)";
    let names = ["from", "sender", "return-path"].map(str::to_owned);
    let mut tests = vec![node("header", vec![tag("regex"), list(&names), text(senders)])];
    if with_lists {
        let lists = "(^|<)(owner-|[^<> ]*-(request|owner|bounces?)[@+])";
        tests.push(node("header", vec![tag("regex"), list(&names), text(lists)]));
        let kinds = ["junk", "bulk", "list"].map(str::to_owned);
        tests.push(node("header", vec![tag("is"), text("precedence"), list(&kinds)]));
        tests.push(node("exists", vec![text("mailing-list")]));
    }
    several("anyof", tests)
}
