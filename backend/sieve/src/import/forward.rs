//! `.forward`, as sendmail and Postfix read it (aliases(5)).

use super::{Act, Imported, Reason, Report, finish, mailbox, node, readable};
use crate::compile::address;

/// Addresses to which mail goes on; `\name` keeps it here, too.
pub fn forward(source: &str) -> Imported {
    let mut report = Report::default();
    let (mut acts, mut keeps) = (Vec::new(), false);
    let lines = readable(source, &mut report);
    for (line, number) in lines.lines().zip(1..) {
        if line.trim_start().starts_with('#') {
            continue;
        }
        for word in words(line) {
            let bare = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&word);
            match bare.as_bytes().first() {
                None => {}
                Some(b'\\') => keeps = true,
                Some(b'|') => report.add(number, &word, Reason::Program),
                Some(b':') => report.add(number, &word, Reason::Other),
                Some(_) if bare == "/dev/null" => acts.push(Act::Discard),
                Some(b'/' | b'~' | b'.') => match mailbox(bare) {
                    Some(mailbox) => acts.push(Act::File(mailbox)),
                    None => report.add(number, &word, Reason::File),
                },
                Some(_) => match address(bare) {
                    Some(address) => acts.push(Act::Forward(address.to_string())),
                    None => report.add(number, &word, Reason::Address),
                },
            }
        }
    }
    acts.dedup();
    let is_something = !acts.is_empty();
    let mut commands: Vec<_> = acts.iter().map(|act| act.node(keeps)).collect();
    commands.retain(|command| !keeps || command.name != "discard");
    if keeps && is_something {
        commands.push(node("keep", Vec::new()));
    }
    finish(commands, ".forward", report)
}

/// Parted by commas outside of quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => {
                words.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = words.last_mut() {
            last.push(letter);
        }
    }
    words.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}
