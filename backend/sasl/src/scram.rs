//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): who knows a password shows it, without saying it.
//!
//! ```text
//! client                                                 server
//! n,,n=name,r=one                 ──────────────────>    whose keys?  [`Question`]
//!                                 <──────────────────    r=onetwo,s=salt,i=4096
//! c=biws,r=onetwo,p=proof         ──────────────────>    is it one of them?
//!                                 <──────────────────    v=signature
//! (empty: the three protocols say nothing beside success) ──>   [`Shown::Proof`]
//! ```
//! The account may have several passwords under one salt: the proof is tried against each ([`Verifier::keys`]).
//!
//! Invariants: nothing is compared in a time that tells how much of it is right; a proof is bound to our nonce, and with -PLUS to the
//! TLS connection that it came over; whoever could have used -PLUS and was talked out of it is refused (§6).

mod client;
mod message;

use std::fmt;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

pub use client::{Client, Proof};
pub(crate) use message::name as saslname;

use crate::{Awaited, Exchange, Progress, Shown};
use message::{Binding, ClientFinal, ClientFirst};

/// RFC 7677 §4: at least so many.
pub const MIN_ITERATIONS: u32 = 4096;

/// Octets of our part of the nonce; 144 bits.
pub const NONCE_OCTETS: usize = 18;

/// What is known of one password (RFC 5803). It checks proofs; nobody can log in with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// H(HMAC(SaltedPassword, "Client Key")).
    pub stored_key: [u8; 32],
    /// HMAC(SaltedPassword, "Server Key").
    pub server_key: [u8; 32],
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// All that is known of an account's passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    /// Which all of them are derived with.
    pub salt: Vec<u8>,
    /// PBKDF2's.
    pub iterations: u32,
    /// One a password; none where no proof is right.
    pub keys: Vec<Keys>,
}

/// What a proof can be bound to: of the connection's own TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelBindings {
    /// `tls-exporter` (RFC 9266): TLS 1.3 has it always.
    pub tls_exporter: Option<[u8; 32]>,
    /// `tls-server-end-point` (RFC 5929 §4): the hash of the certificate that was shown.
    pub tls_server_end_point: Option<Vec<u8>>,
}

/// All that an exchange goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What the proof is tried against.
    pub verifier: Verifier,
    /// Our part of the nonce: never the same twice, and nobody can guess it.
    pub nonce: [u8; NONCE_OCTETS],
    /// Of the connection that the exchange comes over.
    pub bindings: ChannelBindings,
}

/// Whose keys are to be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Who logs in, after `SASLprep`.
    pub login_name: String,
    /// As whom to act, where the client said so; after `SASLprep`.
    pub authorization: Option<String>,
}

/// What the keys are to be looked up for.
#[derive(Debug)]
pub struct Question {
    first: ClientFirst,
}

/// Waits for the client's proof.
#[derive(Debug)]
pub(crate) struct AwaitedProof {
    first: ClientFirst,
    keys: Vec<Keys>,
    /// What `c=` must hold.
    bound_to: Vec<u8>,
    nonce: String,
    server_first: String,
    challenge: String,
}

/// Waits for the client to have seen our signature.
#[derive(Debug)]
pub(crate) struct AwaitedEnd {
    place: usize,
    challenge: String,
}

/// The keys of a password, which is as `SASLprep` leaves it (RFC 5802 §3). Takes milliseconds: not on an async thread.
pub fn derive(password: &[u8], salt: &[u8], iterations: u32) -> Keys {
    let salted = salted(password, salt, iterations);
    Keys { stored_key: hash(&hmac(&salted, b"Client Key")), server_key: hmac(&salted, b"Server Key") }
}

/// Which of the keys are this password's; compares with each of them.
pub fn find(keys: &[Keys], wanted: &Keys) -> Option<usize> {
    find_by(keys, |candidate| wanted.stored_key.ct_eq(&candidate.stored_key))
}

impl Question {
    pub(crate) fn parse(message: &str, is_plus: bool, offers_plus: bool) -> Option<Self> {
        let first = ClientFirst::parse(message)?;
        let fits = match first.binding {
            Binding::Unknown => !is_plus,
            // RFC 5802 §6: the client has it, and somebody told it that we don't.
            Binding::NotOffered => !is_plus && !offers_plus,
            Binding::TlsExporter | Binding::TlsServerEndPoint => is_plus,
        };
        fits.then_some(Self { first })
    }

    /// Whose keys are to be looked up.
    pub fn wanted(&self) -> Wanted {
        let ClientFirst { login_name, authorization, .. } = &self.first;
        Wanted { login_name: login_name.clone(), authorization: authorization.clone() }
    }

    /// Goes on with what is known; malformed where the client wants to be bound to what this connection doesn't have.
    pub fn answer(self, known: Known) -> Progress {
        let (Self { first }, Known { verifier, nonce, bindings }) = (self, known);
        let data = match first.binding {
            Binding::Unknown | Binding::NotOffered => Some(&[] as &[u8]),
            Binding::TlsExporter => bindings.tls_exporter.as_ref().map(<[u8; 32]>::as_slice),
            Binding::TlsServerEndPoint => bindings.tls_server_end_point.as_deref(),
        };
        let Some(data) = data else { return Progress::Malformed };
        let nonce = format!("{}{}", first.nonce, BASE64.encode(&nonce));
        let server_first = format!("r={nonce},s={},i={}", BASE64.encode(&verifier.salt), verifier.iterations);
        Progress::Continue(Exchange(Awaited::Proof(Box::new(AwaitedProof {
            bound_to: [first.header.as_bytes(), data].concat(),
            first,
            keys: verifier.keys,
            nonce,
            challenge: BASE64.encode(server_first.as_bytes()),
            server_first,
        }))))
    }
}

impl AwaitedProof {
    pub(crate) fn challenge(&self) -> &str {
        &self.challenge
    }

    pub(crate) fn respond(self, message: &str) -> Progress {
        let Some(last) = ClientFinal::parse(message) else { return Progress::Malformed };
        let said = format!("{},{},{}", self.first.bare, self.server_first, last.without_proof);
        let place = find_by(&self.keys, |keys| {
            let mut client_key = hmac(&keys.stored_key, said.as_bytes());
            client_key.iter_mut().zip(last.proof).for_each(|(octet, proof)| *octet ^= proof);
            hash(&client_key).ct_eq(&keys.stored_key)
        });
        let is_bound = last.nonce == self.nonce && bool::from(last.channel_binding.ct_eq(&self.bound_to));
        match place.and_then(|place| self.keys.get(place).map(|keys| (place, keys))).filter(|_| is_bound) {
            Some((place, keys)) => {
                let signature = hmac(&keys.server_key, said.as_bytes());
                let last = format!("v={}", BASE64.encode(&signature));
                let challenge = BASE64.encode(last.as_bytes());
                Progress::Continue(Exchange(Awaited::End(Box::new(AwaitedEnd { place, challenge }))))
            }
            None => Progress::Complete(Shown::Proof(None)),
        }
    }
}

impl AwaitedEnd {
    pub(crate) fn challenge(&self) -> &str {
        &self.challenge
    }

    pub(crate) fn respond(&self, message: &str) -> Progress {
        message.is_empty().then_some(Shown::Proof(Some(self.place))).into()
    }
}

/// The place of the one that is equal; looks at all of them, whichever it is.
fn find_by(keys: &[Keys], is_equal: impl Fn(&Keys) -> subtle::Choice) -> Option<usize> {
    let mut found = u64::MAX;
    for (place, candidate) in (0_u64..).zip(keys) {
        found.conditional_assign(&place, is_equal(candidate));
    }
    usize::try_from(found).ok().filter(|place| *place < keys.len())
}

fn salted(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, salt, iterations)
}

fn hash(octets: &[u8]) -> [u8; 32] {
    Sha256::digest(octets).into()
}

fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // A key that is no longer than a block is taken as it is, filled up with zeros (RFC 2104 §2).
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(octet, key)| *octet = *key);
    Hmac::<Sha256>::new(&block.into()).chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
