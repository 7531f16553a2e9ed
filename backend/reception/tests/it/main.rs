//! Reception on a real store.

mod house;
mod login;
mod recipient;
