//! A script's tree as text: one form for all that means the same. What is read of it is the tree again.

use std::fmt::{self, Formatter};

use crate::syntax::{Argument, Node, Script, Value};

/// A list is written on one line up to here.
const LINE_CHARACTERS: usize = 100;

impl fmt::Display for Script {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut before: Option<&Node> = None;
        for command in &self.commands {
            // What is large, or told about, stands apart.
            let is_apart = |node: &Node| node.block.is_some() || !node.comments.is_empty() || is_require(node);
            let goes_on = ["elsif", "else"].iter().any(|word| command.name.eq_ignore_ascii_case(word));
            if before.is_some_and(|before| is_apart(before) || is_apart(command)) && !goes_on {
                f.write_str("\n")?;
            }
            write_command(f, command, 0)?;
            before = Some(command);
        }
        write_comments(f, &self.comments, 0)
    }
}

fn is_require(node: &Node) -> bool {
    node.name.eq_ignore_ascii_case("require")
}

fn indent(f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
    write!(f, "{:1$}", "", depth * 4)
}

fn write_comments(f: &mut Formatter<'_>, comments: &[String], depth: usize) -> fmt::Result {
    for comment in comments {
        indent(f, depth)?;
        if comment.contains('\n') {
            writeln!(f, "/* {} */", comment.replace("*/", "* /"))?;
        } else {
            writeln!(f, "#{comment}")?;
        }
    }
    Ok(())
}

fn write_command(f: &mut Formatter<'_>, command: &Node, depth: usize) -> fmt::Result {
    write_comments(f, &command.comments, depth)?;
    indent(f, depth)?;
    write_head(f, command, depth)?;
    let Some(block) = &command.block else { return f.write_str(";\n") };
    f.write_str(" {\n")?;
    for inner in block {
        write_command(f, inner, depth + 1)?;
    }
    indent(f, depth)?;
    f.write_str("}\n")
}

fn write_head(f: &mut Formatter<'_>, node: &Node, depth: usize) -> fmt::Result {
    f.write_str(&node.name.to_ascii_lowercase())?;
    for Argument { value, .. } in &node.arguments {
        f.write_str(" ")?;
        match value {
            Value::Tag(name) => write!(f, ":{name}")?,
            Value::Number(number) => write_number(f, *number)?,
            Value::String(text) => write_string(f, text)?,
            Value::List(list) => write_list(f, list, depth)?,
        }
    }
    if !node.is_test_list {
        return node.tests.iter().try_for_each(|test| {
            f.write_str(" ")?;
            write_head(f, test, depth)
        });
    }
    f.write_str(" (")?;
    for (index, test) in node.tests.iter().enumerate() {
        f.write_str(if index == 0 { "\n" } else { ",\n" })?;
        indent(f, depth + 1)?;
        write_head(f, test, depth + 1)?;
    }
    f.write_str("\n")?;
    indent(f, depth)?;
    f.write_str(")")
}

/// RFC 5228 §2.4.1: by the largest unit that goes into it.
fn write_number(f: &mut Formatter<'_>, number: u64) -> fmt::Result {
    for (unit, octets) in [("G", 1024 * 1024 * 1024), ("M", 1024 * 1024), ("K", 1024)] {
        if number >= octets && number.is_multiple_of(octets) {
            return write!(f, "{}{unit}", number / octets);
        }
    }
    write!(f, "{number}")
}

/// Several lines that end with a line end as `text:`, all else in quotes.
fn write_string(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    // Line ends are written as LF and read as CRLF: what would be lost by that stays in quotes.
    if !text.ends_with("\r\n") || text.contains("\r\r") {
        return write_quoted(f, text);
    }
    f.write_str("text:\n")?;
    for line in text.split_inclusive("\r\n") {
        let line = line.strip_suffix("\r\n").unwrap_or(line);
        let dot = if line.starts_with('.') { "." } else { "" };
        writeln!(f, "{dot}{line}")?;
    }
    f.write_str(".\n")
}

fn write_quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    let text = if text.contains("\r\r") { text } else { text.replace("\r\n", "\n") };
    write!(f, "\"{text}\"")
}

fn write_list(f: &mut Formatter<'_>, list: &[String], depth: usize) -> fmt::Result {
    let octets: usize = list.iter().map(|text| text.len() + 4).sum();
    let is_long = octets + depth * 4 > LINE_CHARACTERS && list.len() > 1;
    f.write_str("[")?;
    for (index, text) in list.iter().enumerate() {
        if is_long {
            f.write_str(if index == 0 { "\n" } else { ",\n" })?;
            indent(f, depth + 1)?;
        } else if index > 0 {
            f.write_str(", ")?;
        }
        write_quoted(f, text)?;
    }
    if is_long {
        f.write_str("\n")?;
        indent(f, depth)?;
    }
    f.write_str("]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_has_one_form() {
        let text = "REQUIRE [\"fileinto\",\"vacation\"];# Why\nif anyof(header :IS \"a\\\"b\" \"c\", not size :over 1048576)\
             {fileinto \"x\";}else{keep;}\nvacation text:\n..dot\nbye\n.\n;stop;# end";
        let expected = "require [\"fileinto\", \"vacation\"];\n\n# Why\nif anyof (\n    header :is \"a\\\"b\" \"c\",\n    \
             not size :over 1M\n) {\n    fileinto \"x\";\n}\nelse {\n    keep;\n}\n\nvacation text:\n..dot\nbye\n.\n;\nstop;\n# end\n";
        let printed = Script::parse(text).unwrap().to_string();
        assert_eq!(printed, expected);
        assert_eq!(Script::parse(&printed).unwrap().to_string(), printed);
    }
}
