//! hickory's side against a real authoritative server (BIND), with zones that are signed, unsigned and broken.

mod named;
mod views;
