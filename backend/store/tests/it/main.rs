//! The store on real databases: each test runs on SQLite and on PostgreSQL.

mod changing;
mod directory;
mod failing;
mod filing;
mod house;
mod mailboxes;
mod people;
mod queue;
mod reading;
mod views;
