//! The index of what messages say: which of them hold a word, or something like it, without reading them.
//!
//! ```text
//! store ──> Keeper ──> words of each content ──> segments (files) ──> Snapshot
//!  changes   lowest     `letter`, `words`          merged by size          │
//!            priority                                                      v
//! who searches ──> Finder::narrow, like ──> which contents ──> part(view) ──> found | to be read
//! ```
//! - `letter`: what of a message is kept, and where it stood. `words`: text into words. `likeness`: stems.
//! - `segment`: the file. `builder`: files made, of messages or of other files. `index`: the list of files. `number`: how numbers stand in them.
//! - `keeper`: who brings it up to date. `finder`: what is asked of it. `excerpt`: why a message was found.
//!
//! # Invariants
//! - It is derived: whatever is lost or damaged is read again from the store, and whoever asks meanwhile is told which messages to read.
//! - Contents are indexed, not copies: whose they are, the mailbox's view says, and nothing is found that it doesn't show.
//! - Exact where it says so: a word that it finds or doesn't is one that reading the message would find or not (RFC 9051 §6.4.4).
//! - A node of several holds an index of its own, beside its spool (decision 43).

mod ascending;
mod builder;
mod excerpt;
mod finder;
mod index;
mod keeper;
mod letter;
mod likeness;
mod number;
mod segment;
mod words;

#[cfg(test)]
#[path = "../tests/it/house.rs"]
mod house;

pub use excerpt::{Excerpted, Marker};
pub use finder::{Finder, Liked, Narrowed, Parted, Sought, Standing};
pub use keeper::Keeper;
pub use letter::Places;
