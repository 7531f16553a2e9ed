//! What stands in fields: choices, and numbers and sizes as people type them.

use relais_service::{Complaint, Failure, Text};

/// One of several that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) title: String,
    pub(crate) is_chosen: bool,
}

impl Choice {
    /// `value`, said as `title`; chosen where it is `chosen`.
    pub(crate) fn new(value: &str, title: String, chosen: &str) -> Self {
        Self { value: value.to_owned(), title, is_chosen: value == chosen }
    }
}

/// How a thing stands: a colour with its icon, and a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    /// `ok`, `warn`, `bad`, `info`, `wait` or `off`.
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// What was typed, read field by field; all that can't be read is told at once.
#[derive(Debug, Default)]
pub(crate) struct Typed(Vec<Complaint>);

impl Typed {
    /// A size, `2.5 GB` or `500 Mo`; gigabytes where no unit stands. Nothing typed is none: no limit.
    pub(crate) fn size(&mut self, field: &'static str, text: &str) -> Option<u64> {
        self.read(field, text, "typed-size", size)
    }

    /// A number. Nothing typed is none: no limit.
    pub(crate) fn count(&mut self, field: &'static str, text: &str) -> Option<u64> {
        self.read(field, text, "typed-number", |text| text.parse().ok())
    }

    fn read(
        &mut self,
        field: &'static str,
        text: &str,
        why: &'static str,
        read: fn(&str) -> Option<u64>,
    ) -> Option<u64> {
        let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        if text.is_empty() {
            return None;
        }
        let number = read(&text);
        if number.is_none() {
            self.0.push(Complaint { field, why: Text::new(why).with("text", text) });
        }
        number
    }

    /// Refuses what could not be read.
    pub(crate) fn end(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::Unfit(self.0)) }
    }
}

/// Without gaps. Decimal units, as `shown::size` says them.
fn size(text: &str) -> Option<u64> {
    let end = text.find(|character: char| !character.is_ascii_digit() && !matches!(character, '.' | ','));
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let unit: u64 = match unit.to_lowercase().as_str() {
        "b" | "o" => 1,
        "k" | "kb" | "ko" => 1000,
        "m" | "mb" | "mo" => 1_000_000,
        "" | "g" | "gb" | "go" => 1_000_000_000,
        "t" | "tb" | "to" => 1_000_000_000_000,
        _ => return None,
    };
    let (whole, part) = number.split_once(['.', ',']).unwrap_or((number, ""));
    let whole: u64 = whole.parse().ok()?;
    let part = match part.len() {
        0 => 0,
        places @ 1..=3 => part.parse::<u64>().ok()?.checked_mul(unit)? / 10_u64.pow(u32::try_from(places).ok()?),
        _ => return None,
    };
    whole.checked_mul(unit)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_typed() {
        for (text, expected) in [
            ("", None),
            ("5", Some(5_000_000_000)),
            (" 2,5 Go ", Some(2_500_000_000)),
            ("1.25gb", Some(1_250_000_000)),
            ("500 MB", Some(500_000_000)),
            ("800 b", Some(800)),
            ("1\u{202f}000 k", Some(1_000_000)),
        ] {
            let mut typed = Typed::default();
            assert_eq!(typed.size("quota", text), expected, "{text}");
            assert_eq!(typed.end(), Ok(()), "{text}");
        }
        for text in ["much", "5 GiB", "-1", "1.2.3", "99999999999999 TB", "1.2345", ".5"] {
            let mut typed = Typed::default();
            assert_eq!(typed.size("quota", text), None, "{text}");
            assert!(typed.end().is_err(), "{text}");
        }
    }
}
