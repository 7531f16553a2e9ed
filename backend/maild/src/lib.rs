//! The doors for mail. A connection comes in at a [`listener`], gets its TLS from [`tls`], and is carried by one driver a
//! protocol: [`smtp`], [`imap`], [`pop3`], [`sieve`]. A driver moves octets between a socket and a session machine, asks the house
//! what the machine asks, and knows no rule of the protocol. [`login`] is the house's half of a log-in, the same at all doors.
//! [`accounts`] counts an account's sessions; [`probe`] is the stranger who tries at start whether a door relays.
//!
//! Invariants: no SQL here, no wording of a protocol outside its language's crate (IMAP's commands are the exception: each
//! has its file in [`imap`], for there the store *is* the protocol's subject). Nothing is detached: every connection is a
//! task of the tracker in [`Doors`] and hears its stop. Every wait on a peer has a timeout. A panic ends one connection.
//!
//! To add a protocol: a language crate, a driver here, a variant in [`Protocol`].

mod accounts;
mod imap;
mod limits;
mod listener;
mod login;
mod pop3;
mod probe;
mod proxy;
mod sieve;
mod smtp;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use relais_certs::Served;
use relais_finding::Finder;
use relais_model::{Clock, Domain};
use relais_reception::{Identity, Login, Reception};
use relais_store::Store;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use accounts::{AccountSeat, Accounts};

pub use limits::Limits;
pub use listener::{Binding, Doors, DoorsError, ListenerConfig, Protocol, TlsMode, listen};
pub use probe::Relayed;
pub use proxy::{ProxyError, parse as parse_proxy_header};

/// RFC 5804 §1.8.
const MANAGE_SIEVE: u16 = 4190;

/// So often it is looked for what other nodes before the same store have done.
const OTHER_NODES: Duration = Duration::from_secs(5);

/// What the drivers find in the house. Each connection keeps the house as it was when it came.
#[derive(Debug, Clone)]
pub struct House {
    host_name: Domain,
    store: Store,
    finder: Finder,
    login: Arc<Login>,
    reception: Arc<Reception>,
    tls: Arc<Served>,
    scram: bool,
    /// Where ManageSieve is spoken, as a URL.
    sieve: Option<Arc<str>>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    accounts: Arc<Accounts>,
    maildrops: Arc<pop3::Maildrops>,
}

impl House {
    /// Furnishes the house.
    pub fn new(
        host_name: Domain,
        store: Store,
        login: Arc<Login>,
        reception: Arc<Reception>,
        tls: Arc<Served>,
        limits: Limits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (accounts, maildrops) = (Arc::default(), Arc::default());
        let finder = Finder::new(store.clone());
        Self {
            host_name,
            store,
            finder,
            login,
            reception,
            tls,
            scram: true,
            sieve: None,
            limits,
            clock,
            accounts,
            maildrops,
        }
    }

    /// The same house, with this index: without one, searches read messages.
    #[must_use]
    pub fn with_finder(self, finder: Finder) -> Self {
        Self { finder, ..self }
    }

    /// The same house, whose door for ManageSieve IMAP tells of (RFC 5804 §3: without its port where that is the usual one); none: there is none.
    #[must_use]
    pub fn with_sieve(self, port: Option<u16>) -> Self {
        let host = &self.host_name;
        let sieve = port.map(|port| match port {
            MANAGE_SIEVE => format!("sieve://{host}").into(),
            port => format!("sieve://{host}:{port}").into(),
        });
        Self { sieve, ..self }
    }

    /// The same house, with other limits for those who come from here on, and with or without SCRAM.
    #[must_use]
    pub fn with(&self, limits: Limits, scram: bool) -> Self {
        Self { scram, limits, ..self.clone() }
    }

    /// The same house, with another limit of a message's octets for those who come from here on.
    #[must_use]
    pub fn with_message_octets(&self, message_octets: u64) -> Self {
        self.with(Limits { message_octets, ..self.limits.clone() }, self.scram)
    }

    /// Ends the sessions of accounts that are shut out until `stop`. Only what waits for a peer hears it: what is being done is done.
    pub async fn shut_out(self, stop: CancellationToken) {
        let mut shut_outs = self.store.shut_outs();
        loop {
            let shut_out = tokio::select! {
                // Both cancel-safe: what wasn't received is received the next time.
                () = stop.cancelled() => return,
                shut_out = shut_outs.recv() => shut_out,
            };
            match shut_out {
                Ok(account) => self.accounts.close(account),
                Err(RecvError::Lagged(missed)) => {
                    tracing::error!(missed, "accounts were shut out, and keep their connections");
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Looks until `stop`, every few seconds, for what other nodes before the same store did.
    pub async fn hear_others(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(OTHER_NODES) => {}
            }
            self.look_at_others().await;
        }
    }

    /// Looks once for what they did: whom they shut out, and which rights and mailboxes they changed. Sessions here hear it as if it had been done here.
    pub async fn look_at_others(&self) {
        if let Err(error) = self.store.hear_shut_outs().await {
            tracing::warn!(%error, "whom other nodes shut out isn't known");
        }
        if let Err(error) = self.store.hear_rights().await {
            tracing::warn!(%error, "which rights other nodes changed isn't known");
        }
        if let Err(error) = self.store.hear_mail().await {
            tracing::warn!(%error, "which mailboxes other nodes changed isn't known");
        }
    }

    /// A seat for one more session of this account; none where it has enough.
    fn seat(&self, identity: &Identity) -> Option<AccountSeat> {
        let seat = self.accounts.seat(identity.account, self.limits.connections_per_account);
        if seat.is_none() {
            tracing::info!(account = %identity.address, "refused: the account has as many sessions as it may have");
        }
        seat
    }
}

/// From the first octet to the last.
async fn drive(visitor: listener::Visitor, early: Vec<u8>, house: Arc<House>) {
    let driven = match visitor.listener.protocol {
        Protocol::Smtp | Protocol::Submission | Protocol::Lmtp => smtp::drive(visitor, early, house).await,
        Protocol::Imap => imap::drive(visitor, early, house).await,
        Protocol::Pop3 => pop3::drive(visitor, early, house).await,
        Protocol::Sieve => sieve::drive(visitor, early, house).await,
    };
    if let Err(error) = driven {
        tracing::debug!(%error, "the connection broke");
    }
}
