//! A peer at a door, and the log-in that all doors have: what it shows is checked, SCRAM's two steps are held together, and who is let in
//! takes a seat.
//!
//! Invariants: without a seat nobody is let in. Which words say so is each door's affair.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use relais_reception::{Identity, LoginAnswer, LoginAttempt, Protocol, ScramAttempt, ScramStart, TokenAttempt};
use relais_sasl::scram::{ChannelBindings, Known, Wanted};
use relais_sasl::{Bearer, Credentials, Shown};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::wire::Wire;
use crate::{AccountSeat, House};

/// A peer, and what its log-in came to.
#[derive(Debug)]
pub(crate) struct Guest {
    peer: IpAddr,
    protocol: Protocol,
    /// Of SCRAM, from its keys to its end.
    attempt: Option<ScramAttempt>,
    seat: Option<AccountSeat>,
}

/// Why nobody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// What was shown opens nothing.
    Wrong,
    /// Too many attempts failed.
    TooMany,
    /// The account has as many sessions as it may have.
    NoSeat,
    /// It can't be known now.
    Unavailable,
}

impl Guest {
    /// One that has shown nothing.
    pub(crate) const fn new(peer: IpAddr, protocol: Protocol) -> Self {
        Self { peer, protocol, attempt: None, seat: None }
    }

    /// Where it comes from.
    pub(crate) const fn peer(&self) -> IpAddr {
        self.peer
    }

    /// Its seat, once it is let in.
    pub(crate) const fn seat(&self) -> Option<&AccountSeat> {
        self.seat.as_ref()
    }

    /// Waits until its account is closed to all who are in; where nobody is in, for ever.
    pub(crate) fn closing(&self) -> impl Future<Output = ()> + use<> {
        AccountSeat::closing(self.seat())
    }

    /// Hands `take` what it says next. False where nothing more is waited for: the house closes, its account was closed, or it was silent for `wait`.
    pub(crate) async fn hear(
        &self,
        wire: &mut Wire,
        wait: Duration,
        stop: &CancellationToken,
        take: impl FnMut(&[u8]),
    ) -> io::Result<bool> {
        tokio::select! {
            () = stop.cancelled() => Ok(false),
            () = self.closing() => Ok(false),
            // Cancel-safe: see `Wire::read`.
            read = timeout(wait, wire.read(take)) => match read {
                Ok(read) => read.map(|_octets| true),
                Err(_elapsed) => Ok(false),
            },
        }
    }

    /// Nothing is left of its log-in.
    pub(crate) fn forget(&mut self) {
        (self.attempt, self.seat) = (None, None);
    }

    /// What a SCRAM exchange goes on with.
    pub(crate) async fn keys(&mut self, house: &House, wanted: Wanted, wire: &Wire) -> Result<Known, Refusal> {
        let Wanted { login_name, authorization } = wanted;
        let start = house.login.scram_keys(&login_name, authorization, self.peer, self.protocol).await;
        // Keys let nobody in.
        let start = start.map_err(|answer| admitted(answer).err().unwrap_or(Refusal::Unavailable))?;
        let ScramStart { attempt, verifier, nonce } = start;
        self.attempt = Some(attempt);
        Ok(Known { verifier, nonce, bindings: wire.channel_bindings() })
    }

    /// Lets it in, where what it shows is right and its account has a seat.
    pub(crate) async fn show(&mut self, house: &House, shown: Shown) -> Result<Identity, Refusal> {
        let identity = admitted(self.check(house, shown).await)?;
        self.seat = Some(house.seat(&identity).ok_or(Refusal::NoSeat)?);
        Ok(identity)
    }

    async fn check(&mut self, house: &House, shown: Shown) -> LoginAnswer {
        let (peer, protocol) = (self.peer, self.protocol);
        match shown {
            Shown::Password(Credentials { login_name: name, authorization, password }) => {
                house.login.check(LoginAttempt { name, authorization, password, peer, protocol }).await
            }
            Shown::Proof(place) => match self.attempt.take() {
                Some(attempt) => house.login.conclude_scram(attempt, place).await,
                None => LoginAnswer::Unavailable,
            },
            Shown::Token(Bearer { login_name: name, token, .. }) => {
                house.login.check_token(TokenAttempt { name, token, peer, protocol }).await
            }
        }
    }
}

fn admitted(answer: LoginAnswer) -> Result<Identity, Refusal> {
    match answer {
        LoginAnswer::Granted(identity) => Ok(identity),
        LoginAnswer::Refused => Err(Refusal::Wrong),
        LoginAnswer::TooMany { .. } => Err(Refusal::TooMany),
        LoginAnswer::Unavailable => Err(Refusal::Unavailable),
    }
}

impl Wire {
    /// What a log-in over this connection can be bound to.
    fn channel_bindings(&self) -> ChannelBindings {
        let Some(tls) = self.tls() else { return ChannelBindings::default() };
        // RFC 9266 §2: before TLS 1.3 its extended master secret would have to be in use, which rustls doesn't tell.
        let has_exporter = tls.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
        let exported = || tls.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok();
        ChannelBindings {
            tls_exporter: if has_exporter { exported() } else { None },
            tls_server_end_point: self.shown().and_then(|shown| shown.end_point(tls.server_name())),
        }
    }
}
