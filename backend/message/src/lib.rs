//! RFC 5322 and MIME: read, build, and the facts that clients ask for.
//!
//! **Reading.** [`Structure`] finds a message's parts as octet ranges in one pass; [`section`] and [`decode_part`] cut
//! them out; [`Facts`] holds what is computed once and stored (ENVELOPE, BODYSTRUCTURE, preview, the keys of SORT and
//! THREAD); [`Needle`] searches. **Building.** [`compose`] writes what people write; [`received`], [`complete_submission`] and [`dsn`] write what we add
//! ourselves.
//!
//! Invariants: every function takes any octets, refuses none and never panics. Depth, counts and the size of what is
//! computed are bounded by named constants, and time is linear in the octets. Values in wire forms are undecoded; values
//! for people and for comparing are decoded. Nothing here knows a clock, a file or a socket.
//!
//! Where the standards are silent about broken mail, parts are found and shown as Dovecot 2.3 shows them (compared over
//! the MIME corpora). We differ on purpose where a standard speaks: an unreadable Content-Type is text/plain (RFC 2045
//! §5.2; Dovecot shows two empty strings), and the line end before a boundary belongs to it even behind an inner
//! multipart's end (RFC 2046 §5.1.1; signatures over such a part need it).

mod address;
mod binary;
mod compose;
mod date;
mod delivered;
pub mod dsn;
mod facts;
mod header;
mod hop;
mod lexer;
mod parameters;
mod preview;
mod received;
mod search;
mod section;
mod structure;
mod subject;
mod submission;
mod transfer;
mod wire;
mod words;

pub use address::{ListItem, MAX_LIST_ITEMS, Mailbox, mailboxes, read_address_list};
pub use binary::without_binary;
pub use compose::{Attached, Extra, Named, Rich, Writing, compose, is_content_id};
pub use date::{HeaderDate, civil_from_days, days_from_civil, format_date, parse_date};
pub use delivered::{delivered, delivered_octets};
pub use facts::{Facts, MAX_REFERENCES};
pub use header::{Field, Fields, count_received, fields, header_fields, header_octets, remove_fields, unfold};
pub use hop::{Hop, MAX_HOPS, hops};
pub use parameters::{ContentType, Disposition, Parameter};
pub use preview::{MAX_PREVIEW_CHARACTERS, decode_entities};
pub use received::{Received, received};
pub use search::{Needle, Searched, each_searched, matches_body, matches_header, matches_text, searchable, text_of};
pub use section::{Section, SectionText, UnknownEncoding, decode_part, section};
pub use structure::{Content, Encoding, MAX_DEPTH, MAX_PARTS, Part, Structure};
pub use subject::{BaseSubject, base_subject};
pub use submission::{Authors, Submission, complete_submission, new_message_id};
pub use words::{decode_header_value, decode_text, fold};
