//! What milters do to a header.

use std::borrow::Cow;

use crate::letter::{fields, name_and_value};

/// One change to a header. Names are printable ASCII without a colon; values come without the blank behind the colon, and their lines
/// are parted by CRLF with a blank behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A field at the header's end.
    Add {
        /// The field's name.
        name: String,
        /// What it says.
        value: Vec<u8>,
    },
    /// A field before the one that stands at this place; 0 and 1 both mean the top.
    Insert {
        /// From 1 on; past the end means the end.
        at: u32,
        /// The field's name.
        name: String,
        /// What it says.
        value: Vec<u8>,
    },
    /// Another value for a field that is there; added where it isn't.
    Alter {
        /// Which of those with this name, from 1 on.
        nth: u32,
        /// The field's name.
        name: String,
        /// What it says; none: it goes.
        value: Option<Vec<u8>>,
    },
}

/// A message, changed so, one change after the other.
pub fn change(message: &[u8], changes: &[Change]) -> Vec<u8> {
    let (found, end) = fields(message);
    let mut header: Vec<Cow<'_, [u8]>> = found.into_iter().map(Cow::Borrowed).collect();
    // A message that ends within its header still needs line ends where something comes behind.
    if let Some(last) = header.last_mut()
        && !last.ends_with(b"\n")
    {
        last.to_mut().extend_from_slice(b"\r\n");
    }
    for one in changes {
        match one {
            Change::Add { name, value } => header.push(field(name, value)),
            Change::Insert { at, name, value } => {
                let at = usize::try_from(at.saturating_sub(1)).unwrap_or(usize::MAX).min(header.len());
                header.insert(at, field(name, value));
            }
            Change::Alter { nth, name, value } => alter(&mut header, *nth, name, value.as_deref()),
        }
    }
    let mut whole = header.concat();
    whole.extend_from_slice(message.get(end..).unwrap_or_default());
    whole
}

fn alter(header: &mut Vec<Cow<'_, [u8]>>, nth: u32, name: &str, value: Option<&[u8]>) {
    let is_named =
        |field: &[u8]| name_and_value(field).is_some_and(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()));
    let before = usize::try_from(nth.saturating_sub(1)).unwrap_or(usize::MAX);
    let place = header.iter().enumerate().filter(|(_, field)| is_named(field)).nth(before).map(|(place, _)| place);
    match (place, value) {
        (Some(place), Some(value)) => {
            if let Some(old) = header.get_mut(place) {
                *old = field(name, value);
            }
        }
        (Some(place), None) => drop(header.remove(place)),
        (None, Some(value)) => header.push(field(name, value)),
        (None, None) => {}
    }
}

fn field(name: &str, value: &[u8]) -> Cow<'static, [u8]> {
    Cow::Owned([name.as_bytes(), b": ", value, b"\r\n"].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MESSAGE: &str = "A: 1\r\nB: 2\r\n 3\r\nA: 4\r\n\r\nbody\r\n";

    fn add(name: &str) -> Change {
        Change::Add { name: name.to_owned(), value: b"x".to_vec() }
    }

    fn insert(at: u32) -> Change {
        Change::Insert { at, name: "I".to_owned(), value: b"x\r\n\ty".to_vec() }
    }

    fn set(nth: u32, name: &str, value: Option<&str>) -> Change {
        Change::Alter { nth, name: name.to_owned(), value: value.map(|value| value.as_bytes().to_vec()) }
    }

    #[test]
    fn each_change_is_made() {
        let check = |changes: &[Change], expected: &str| {
            let changed = String::from_utf8(change(MESSAGE.as_bytes(), changes)).unwrap();
            assert_eq!(changed, expected, "{changes:?}");
        };
        check(&[], MESSAGE);
        check(&[add("C")], "A: 1\r\nB: 2\r\n 3\r\nA: 4\r\nC: x\r\n\r\nbody\r\n");
        check(&[insert(0)], "I: x\r\n\ty\r\nA: 1\r\nB: 2\r\n 3\r\nA: 4\r\n\r\nbody\r\n");
        check(&[insert(2)], "A: 1\r\nI: x\r\n\ty\r\nB: 2\r\n 3\r\nA: 4\r\n\r\nbody\r\n");
        check(&[insert(99)], "A: 1\r\nB: 2\r\n 3\r\nA: 4\r\nI: x\r\n\ty\r\n\r\nbody\r\n");
        check(&[set(2, "a", None)], "A: 1\r\nB: 2\r\n 3\r\n\r\nbody\r\n");
        check(&[set(1, "B", Some("y"))], "A: 1\r\nB: y\r\nA: 4\r\n\r\nbody\r\n");
        check(&[set(3, "A", None)], MESSAGE);
        check(&[set(1, "D", Some("y"))], "A: 1\r\nB: 2\r\n 3\r\nA: 4\r\nD: y\r\n\r\nbody\r\n");
        check(&[set(1, "A", None), set(1, "A", None)], "B: 2\r\n 3\r\n\r\nbody\r\n");
        assert_eq!(change(b"\r\nbody", &[add("C")]), b"C: x\r\n\r\nbody");
        assert_eq!(change(b"A: b", &[add("C")]), b"A: b\r\nC: x\r\n");
    }

    proptest! {
        #[test]
        fn the_body_stays_as_it_was(header in "([A-C]: [ -~]{0,5}\r\n){0,5}", body in "[ -~\r\n]{0,40}", nth in 0_u32..6) {
            let message = format!("{header}\r\n{body}");
            let changes = [add("C"), insert(nth), set(nth, "A", None), set(nth, "B", Some("z"))];
            let changed = change(message.as_bytes(), &changes);
            let (fields, end) = fields(&changed);
            prop_assert_eq!(&changed[end..], &message.as_bytes()[header.len()..]);
            prop_assert!(fields.iter().any(|field| field.starts_with(b"C: x\r\n")));
        }
    }
}
