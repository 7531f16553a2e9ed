//! IMAP through the doors: a real store in a temporary folder, real sockets, sessions side by side.

mod client;
mod house;
mod model;
mod transcripts;
