//! `.mailfilter` (maildropfilter(7)).

use super::pattern::{Part, test};
use super::{
    Imported, MAX_DEPTH, Reason, Report, conditional, deliver, destination, finish, list, node, not, readable, several,
    tag, text,
};
use crate::syntax::{Node, Value};

/// A filter as a script.
pub fn maildrop(source: &str) -> Imported {
    let mut report = Report::default();
    let source = readable(source, &mut report);
    let tokens = tokens(&source);
    let mut reader = Reader { tokens: &tokens, report };
    let mut commands = Vec::new();
    while !reader.tokens.is_empty() {
        commands.extend(reader.statements(0));
        // A `}` too many.
        reader.next();
    }
    finish(commands, "maildrop's filter", reader.report)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Word(String),
    String(String),
    /// `/pattern/:flags`
    Pattern(String, String),
    Mark(&'static str),
    /// A line's end, or `;`.
    End,
}

fn tokens(source: &str) -> Vec<(usize, Kind)> {
    const MARKS: [&str; 13] = ["&&", "||", "==", "!=", "<=", ">=", "{", "}", "(", ")", "!", "<", ">"];
    let mut tokens = Vec::new();
    let mut number = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark));
        match first {
            '\n' | ';' => {
                tokens.push((number, Kind::End));
                number += usize::from(first == '\n');
                rest = rest.get(1..).unwrap_or_default();
            }
            '\\' if rest.starts_with("\\\n") => {
                number += 1;
                rest = rest.get(2..).unwrap_or_default();
            }
            '#' => rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default(),
            '"' | '\'' | '`' => {
                let (inside, behind) = delimited(rest, first);
                let kind = if first == '`' { Kind::Word(format!("`{inside}`")) } else { Kind::String(inside.clone()) };
                tokens.push((number, kind));
                number += inside.matches('\n').count();
                rest = behind;
            }
            '/' => {
                let (inside, behind) = delimited(rest, '/');
                let flags = behind.strip_prefix(':').map_or("", |flags| {
                    let end = flags.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(flags.len());
                    flags.get(..end).unwrap_or_default()
                });
                let octets = if flags.is_empty() { 0 } else { flags.len() + 1 };
                tokens.push((number, Kind::Pattern(inside.replace("\\/", "/"), flags.to_owned())));
                rest = behind.get(octets..).unwrap_or_default();
            }
            _ if first.is_whitespace() => rest = rest.get(first.len_utf8()..).unwrap_or_default(),
            _ if mark.is_some() => {
                let mark = mark.unwrap_or_default();
                tokens.push((number, Kind::Mark(mark)));
                rest = rest.get(mark.len()..).unwrap_or_default();
            }
            _ => {
                let is_end = |letter: char| letter.is_whitespace() || "\n;{}()!<>\"'`&|".contains(letter);
                let end = rest.find(is_end).unwrap_or(rest.len()).max(first.len_utf8());
                let (word, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
                tokens.push((number, Kind::Word(word.to_owned())));
                rest = behind;
            }
        }
    }
    tokens
}

/// What stands up to the next `mark` that no backslash takes away, and what is behind it.
fn delimited(text: &str, mark: char) -> (String, &str) {
    let mut inside = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter == mark => return (inside, text.get(at + mark.len_utf8()..).unwrap_or_default()),
            '\\' => {
                if let Some((_, next)) = letters.next() {
                    if mark == '/' || next != mark {
                        inside.push('\\');
                    }
                    inside.push(next);
                }
            }
            _ => inside.push(letter),
        }
    }
    (inside, "")
}

struct Reader<'a> {
    tokens: &'a [(usize, Kind)],
    report: Report,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a Kind> {
        self.tokens.first().map(|(_, kind)| kind)
    }

    fn next(&mut self) -> Option<&'a (usize, Kind)> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn take(&mut self, mark: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Kind::Mark(found)) if *found == mark);
        if is_it {
            self.next();
        }
        is_it
    }

    fn skip_ends(&mut self) {
        while self.peek() == Some(&Kind::End) {
            self.next();
        }
    }

    /// Up to a `}` or the end.
    fn statements(&mut self, depth: usize) -> Vec<Node> {
        let mut commands = Vec::new();
        loop {
            self.skip_ends();
            let Some((number, kind)) = self.tokens.first() else { return commands };
            match kind {
                Kind::Mark("}") => return commands,
                Kind::Word(word) if word == "if" => self.conditional(*number, depth, &mut commands),
                // What fails inside of it is passed over; nothing fails here.
                Kind::Word(word) if word == "exception" => {
                    self.next();
                    commands.extend(self.body(depth));
                }
                Kind::Word(word) if word == "to" || word == "cc" => {
                    self.next();
                    self.deliver(*number, word, &mut commands);
                }
                _ => self.leave_out(*number),
            }
        }
    }

    /// A statement that has no like; with its block, if it has one.
    fn leave_out(&mut self, number: usize) {
        let mut told = String::new();
        let mut depth = 0_usize;
        let mut why = Reason::Unknown;
        while let Some(kind) = self.peek() {
            match kind {
                Kind::End | Kind::Mark("}") if depth == 0 => break,
                Kind::Mark("{") => depth += 1,
                Kind::Mark("}") => depth -= 1,
                Kind::Word(word) if word == "xfilter" || word.starts_with('`') => why = Reason::Program,
                Kind::Word(word) if word == "include" => why = Reason::Other,
                _ => {}
            }
            match kind {
                Kind::Word(word) => told.push_str(word),
                Kind::String(inside) => told.push_str(&format_string(inside)),
                Kind::Pattern(pattern, _) => told.push_str(&format_pattern(pattern)),
                Kind::Mark(mark) => told.push_str(mark),
                Kind::End => {}
            }
            told.push(' ');
            self.next();
        }
        // A variable that is set says nothing by itself.
        let is_plain_variable = why == Reason::Unknown && told.split(' ').next().is_some_and(|word| word.contains('='));
        if !is_plain_variable {
            self.report.add(number, &told, why);
        }
    }

    fn deliver(&mut self, number: usize, word: &str, commands: &mut Vec<Node>) {
        let path = match self.next() {
            Some((_, Kind::String(path) | Kind::Word(path))) => path.clone(),
            Some((_, Kind::Pattern(path, _))) => format!("/{path}"),
            _ => String::new(),
        };
        match destination(&path) {
            Ok(acts) => commands.extend(deliver(&acts, word == "cc")),
            Err(why) => self.report.add(number, &format!("{word} {path}"), why),
        }
    }

    /// A block in braces, or one statement.
    fn body(&mut self, depth: usize) -> Vec<Node> {
        self.skip_ends();
        if depth >= MAX_DEPTH {
            self.report.add(self.tokens.first().map_or(1, |(number, _)| *number), "", Reason::TooLarge);
            self.tokens = &[];
            return Vec::new();
        }
        if self.take("{") {
            let commands = self.statements(depth + 1);
            self.take("}");
            return commands;
        }
        let mut commands = Vec::new();
        match self.tokens.first() {
            Some((number, Kind::Word(word))) if word == "to" || word == "cc" => {
                self.next();
                self.deliver(*number, word, &mut commands);
            }
            Some((number, Kind::Word(word))) if word == "if" => {
                let (number, next) = (*number, depth + 1);
                self.conditional(number, next, &mut commands);
            }
            Some((number, _)) => self.leave_out(*number),
            None => {}
        }
        commands
    }

    /// `if (…) … elsif (…) … else …`. Where one test has no like, the whole of it is left out.
    fn conditional(&mut self, number: usize, depth: usize, commands: &mut Vec<Node>) {
        let mut chain = Vec::new();
        let mut wrong = None;
        let mut word = "if";
        loop {
            self.next();
            let test = if word == "else" { None } else { Some(self.test(depth)) };
            let block = self.body(depth);
            match test.transpose() {
                Ok(test) => chain.push(conditional(word, test, block)),
                Err(why) => wrong = wrong.or(Some(why)),
            }
            if word == "else" {
                break;
            }
            let before = self.tokens;
            self.skip_ends();
            word = match self.peek() {
                Some(Kind::Word(next)) if next == "elsif" => "elsif",
                Some(Kind::Word(next)) if next == "else" => "else",
                _ => {
                    self.tokens = before;
                    break;
                }
            };
        }
        match wrong {
            None => commands.extend(chain),
            Some(why) => self.report.add(number, "if", why),
        }
    }

    /// In parentheses.
    fn test(&mut self, depth: usize) -> Result<Node, Reason> {
        if !self.take("(") {
            return Err(Reason::Unknown);
        }
        let test = self.any(depth);
        if test.is_ok() && self.take(")") {
            return test;
        }
        // Behind what could not be read.
        let mut open = 1_usize;
        while let Some((_, kind)) = self.tokens.first() {
            match kind {
                Kind::Mark("(") => open += 1,
                Kind::Mark(")") => open -= 1,
                Kind::End | Kind::Mark("{" | "}") => break,
                _ => {}
            }
            self.next();
            if open == 0 {
                break;
            }
        }
        Err(test.err().unwrap_or(Reason::Unknown))
    }

    fn any(&mut self, depth: usize) -> Result<Node, Reason> {
        let mut tests = vec![self.all(depth)?];
        while self.take("||") {
            tests.push(self.all(depth)?);
        }
        Ok(several("anyof", tests))
    }

    fn all(&mut self, depth: usize) -> Result<Node, Reason> {
        let mut tests = vec![self.single(depth)?];
        while self.take("&&") {
            tests.push(self.single(depth)?);
        }
        Ok(several("allof", tests))
    }

    fn single(&mut self, depth: usize) -> Result<Node, Reason> {
        if depth >= MAX_DEPTH {
            return Err(Reason::TooLarge);
        }
        if self.take("!") {
            return self.single(depth + 1).map(not);
        }
        if self.take("(") {
            let test = self.any(depth + 1)?;
            return if self.take(")") { Ok(test) } else { Err(Reason::Unknown) };
        }
        match self.next() {
            Some((_, Kind::Pattern(pattern, flags))) => {
                if flags.contains('w') || flags.contains(|flag: char| flag.is_ascii_digit()) {
                    return Err(Reason::Pattern);
                }
                let part = if flags.contains('b') { Part::Body } else { Part::Header };
                test(pattern, part, flags.contains('D')).map(|(test, _)| test).ok_or(Reason::Pattern)
            }
            Some((_, Kind::Word(word))) if word == "hasaddr" => self.has_address(),
            Some((_, Kind::Word(word))) if word == "$SIZE" => self.size(),
            Some((_, Kind::Word(word))) if word.starts_with('`') => Err(Reason::Program),
            _ => Err(Reason::Unknown),
        }
    }

    /// maildropfilter(7): in To, Cc, Resent-To or Resent-Cc.
    fn has_address(&mut self) -> Result<Node, Reason> {
        let is_open = self.take("(");
        let Some((_, Kind::String(address))) = self.next() else { return Err(Reason::Unknown) };
        if !is_open || !self.take(")") {
            return Err(Reason::Unknown);
        }
        let names = ["to", "cc", "resent-to", "resent-cc"].map(str::to_owned);
        Ok(node("address", vec![tag("is"), list(&names), text(address)]))
    }

    fn size(&mut self) -> Result<Node, Reason> {
        let way = match self.next() {
            Some((_, Kind::Mark("<"))) => "under",
            Some((_, Kind::Mark(">"))) => "over",
            _ => return Err(Reason::Unknown),
        };
        match self.next() {
            Some((_, Kind::Word(number) | Kind::String(number))) => {
                let octets = number.parse().map_err(|_| Reason::Unknown)?;
                Ok(node("size", vec![tag(way), Value::Number(octets)]))
            }
            _ => Err(Reason::Unknown),
        }
    }
}

fn format_string(inside: &str) -> String {
    format!("\"{inside}\"")
}

fn format_pattern(pattern: &str) -> String {
    format!("/{pattern}/")
}
