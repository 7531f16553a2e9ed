//! The whole house, as strangers, our people and its keeper meet it: started as a program, spoken to at its doors, asked by its
//! command line.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a fixture that cannot be made fails its test where it stands"
)]

mod directory;
mod doors;
mod fetching;
mod holding;
mod house;
mod keeping;
mod machine;
mod networks;
mod relay;
mod relaying;
mod reloading;
mod scram;
mod scripting;
mod secrets;
mod serving;
mod submitting;
mod watching;
