//! The whole house, as strangers, our people and its keeper meet it: started as a program, spoken to at its doors, asked by its
//! command line.

mod directory;
mod doors;
mod house;
mod keeping;
mod relaying;
mod submitting;
mod watching;
