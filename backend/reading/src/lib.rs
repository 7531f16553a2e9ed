//! What a message says, made fit to be shown: who wrote it, its text, its files, and its HTML without teeth.
//!
//! ```text
//! octets ──> Letter::read ──> header, passages (plain or HTML), files, seals, invitations
//!                                  │ plain ──> plain::paragraphs: quotes to be folded; links judged
//!                                  └ HTML ───> Cleaner::clean: allowed elements, styles, pictures; links judged
//! ```
//! - `letter`: which parts are read, and which are files. `header`: the fields that people look at.
//! - `plain`: text as people typed it. `as_text`: HTML as plain text. `html`: what is left of an author's HTML; `css`: of its styles. `link`: where a link leads. `vcard`: cards of people. `calendar`: invitations, and answers to them.
//!
//! # Invariants
//! - No octets are refused, and nothing here runs long: sizes, depths and counts have named limits.
//! - What [`Cleaner::clean`] gives has no script, no form, no frame, no style sheet, no `url()`, and asks nobody for anything but the pictures
//!   that the caller named. It is meant for a frame of its own all the same, with a policy that says so again.
//! - Nothing here says a sentence: kinds and names only, for the catalogue.

mod as_text;
mod calendar;
mod css;
mod header;
mod html;
mod letter;
mod link;
pub mod plain;
mod vcard;

pub use as_text::text_of;
pub use calendar::{Attendance, Attendee, Invitation, MAX_CALENDAR_OCTETS, When, reply};
pub use header::{Header, ONE_CLICK, Party};
pub use html::{Clean, Cleaner, Fetched, MAX_HTML_OCTETS, Pictures, escaped};
pub use letter::{File, Letter, MAX_FILES, Passage, Seal, calendar_of, decoded, file_octets};
pub use link::{Doubt, Doubtful, judge};
pub use vcard::{Card, CardVersion, MAX_CARDS};
