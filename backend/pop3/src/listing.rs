//! LIST and UIDL of the whole maildrop, a piece at a time: 100,000 lines never stand in memory at once.

use std::io::Write;

use crate::Maildrop;
use crate::limit::OUTPUT_OCTETS;

/// What the lines tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Octets,
    UniqueId,
}

/// A listing that goes on at message `next`.
#[derive(Debug)]
pub(crate) struct Listing {
    column: Column,
    next: u32,
}

impl Listing {
    pub(crate) const fn new(column: Column) -> Self {
        Self { column, next: 1 }
    }

    /// Appends lines until the output is full or the listing is complete; says whether it is complete.
    pub(crate) fn write(&mut self, maildrop: &Maildrop, output: &mut Vec<u8>) -> bool {
        while output.len() < OUTPUT_OCTETS {
            if self.next > maildrop.last() {
                output.extend_from_slice(b".\r\n");
                return true;
            }
            write_line(self.column, maildrop, self.next, output);
            self.next += 1;
        }
        false
    }
}

/// Appends `number value` and the line end; nothing where there is no such message. Says whether there is.
pub(crate) fn write_line(column: Column, maildrop: &Maildrop, number: u32, output: &mut Vec<u8>) -> bool {
    let Some((uid, octets)) = maildrop.message(number) else { return false };
    let written = match column {
        Column::Octets => write!(output, "{number} {octets}\r\n"),
        Column::UniqueId => write!(output, "{number} {}\r\n", maildrop.unique_id(uid)),
    };
    written.is_ok() // a Vec takes all that is written to it
}
