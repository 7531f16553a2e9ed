//! What tests stand on: a clock that waits for nobody, chance that repeats itself, a private PostgreSQL, the whole house
//! started as a program, small clients for its doors, and the player of imaptest's scripts.
//!
//! For developers only: no room uses this outside its tests. Everything here blocks, so that a test reads top-down; a
//! fixture that cannot be made fails its test on the spot, with the reason. What a fixture starts ends with it, also when
//! the test fails or is killed.
//!
//! - [`ManualClock`], [`SeededRandom`]: the ports of `relais_model`
//! - [`machine`]: what a fixture asks of the machine it runs on
//! - [`named`]: a private BIND with zones that are signed or not
//! - [`postgres`]: a cluster a process, a database a test
//! - [`secrets`]: what no log may say
//! - [`server`]: the whole house as a program, and the reference house (Debian's Postfix and Dovecot) in its place
//! - [`imaptest`]: the player of imaptest's scripts
//! - [`wire`], [`imap`], [`smtp`], [`pop3`]: blocking clients that say exactly what the test says
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a fixture that cannot be made fails its test where it stands"
)]

pub mod imap;
pub mod imaptest;
pub mod machine;
pub mod named;
pub mod pop3;
mod ports;
pub mod postgres;
pub mod secrets;
pub mod server;
pub mod smtp;
pub mod wire;

pub use ports::{ManualClock, SeededRandom};
