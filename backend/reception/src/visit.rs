//! Who stands at which door.

use std::net::IpAddr;

use crate::{Identity, Lists};

/// The doors that mail comes in by (RFC 5598 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// From other hosts, port 25: only to addresses of ours.
    Relay,
    /// From our people, after log-in: to anybody.
    Submission,
    /// From a program on this host (RFC 2033): only to addresses of ours.
    Lmtp,
}

impl Door {
    /// As metrics name it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Relay => "smtp",
            Self::Submission => "submission",
            Self::Lmtp => "lmtp",
        }
    }
}

/// One session at a door.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Which door.
    pub door: Door,
    /// The client's address.
    pub peer: IpAddr,
    /// Who has logged in; nobody before that, and never anybody but at [`Door::Submission`].
    pub identity: Option<Identity>,
    /// What the client's network does counts, and has consequences: at [`Door::Relay`], but for our own probe.
    pub is_watched: bool,
    /// Which blocklists name the client; none: nobody has asked yet.
    pub lists: Option<Lists>,
}

impl Visit {
    /// Somebody of whom nothing else is known yet.
    pub const fn new(door: Door, peer: IpAddr) -> Self {
        Self { door, peer, identity: None, is_watched: matches!(door, Door::Relay), lists: None }
    }
}
