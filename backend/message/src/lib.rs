//! RFC 5322 and MIME: read, build, and the facts that clients ask for.

mod address;
mod date;
pub mod dsn;
mod facts;
mod header;
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

pub use address::{ListItem, Mailbox, mailboxes, read_address_list};
pub use date::{HeaderDate, format_date, parse_date};
pub use facts::{Facts, MAX_REFERENCES};
pub use header::{Field, Fields, count_received, fields, header_fields, header_octets, remove_fields, unfold};
pub use parameters::{ContentType, Disposition, Parameter};
pub use preview::MAX_PREVIEW_CHARACTERS;
pub use received::{Received, received};
pub use search::{Needle, matches_body, matches_header, matches_text, searchable};
pub use section::{Section, SectionText, UnknownEncoding, decode_part, section};
pub use structure::{Content, Encoding, MAX_DEPTH, MAX_PARTS, Part, Structure};
pub use subject::{BaseSubject, base_subject};
pub use submission::{Authors, Submission, complete_submission, new_message_id};
pub use words::{decode_header_value, decode_text, fold};
