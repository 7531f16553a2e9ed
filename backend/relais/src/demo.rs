//! `relais demo`: the whole server on loopback, with people and mail in it.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use relais_model::{Address, Clock as _, Domain, MailboxName, Random as _, Secret, SystemClock, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::arguments::DemoArguments;
use crate::certificate;
use crate::config::Config;
use crate::server::{self, Server};

/// The demo's domain: kept for tests by RFC 6761, so that nothing of it ever meets a real one.
const DOMAIN: &str = "relais.test";
/// Local part and name.
const PEOPLE: [(&str, &str); 3] = [("ann", "Ann Lee"), ("ben", "Ben Okafor"), ("chloe", "Chloé Martin")];
/// File name, hours ago.
const MAIL: [(&str, u64); 5] = [
    (include_str!("demo/newsletter.eml"), 49),
    (include_str!("demo/conversation-1.eml"), 26),
    (include_str!("demo/conversation-2.eml"), 25),
    (include_str!("demo/report.eml"), 3),
    (include_str!("demo/welcome.eml"), 0),
];

/// Protocol, and how far its port lies from the first.
const PORTS: [(&str, u16); 9] = [
    ("smtp", 0),
    ("submission", 1),
    ("submissions", 2),
    ("imap", 3),
    ("imaps", 4),
    ("pop3", 5),
    ("pop3s", 6),
    ("http", 7),
    ("https", 8),
];
/// Offset of `/metrics`, which needs no client.
const OPERATIONS: u16 = 9;

/// One of the people, with the password made for them.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Person {
    address: String,
    password: String,
}
