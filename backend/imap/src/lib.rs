//! IMAP4rev2 (RFC 9051) and IMAP4rev1 (RFC 3501): codec, session framing and the pure algorithms.
//!
//! Octets go into [`session::Session`], which finds commands in them, has them read by [`command`] and hands them to the
//! driver one by one, in order. The driver answers with the writers of [`response`], straight into its output buffer; what
//! LIST, SORT and THREAD answer is worked out by [`list`], [`sort`] and [`thread`].
//!
//! Invariants: no I/O, no clock, no store. What is read is bounded by [`limits::Limits`]; a message on its way into a
//! mailbox is never held whole. Mailbox names are decoded here and nowhere else. To add a command: its type and its reader
//! in one file of `command/`, its row in [`command::Command`], its writers in `response/`; what it says to people has its row in
//! `language/french.rs`.
//!
//! Fuzz targets feed [`session::Session`], [`command::parse`], [`sequence::SequenceSet::parse`], [`date::parse_date_time`] and
//! [`utf7::decode`].

pub mod language;
pub mod limits;

pub mod command;
pub mod date;
pub mod partial;
pub mod sequence;
pub mod url;
pub mod utf7;

pub mod session;

pub mod list;
pub mod sort;
pub mod thread;

pub mod capability;
pub mod response;
