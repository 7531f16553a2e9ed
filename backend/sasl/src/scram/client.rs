//! A client's part, for those whom we log in at, and for tests.

use data_encoding::BASE64;
use relais_model::Secret;
use stringprep::saslprep;

use super::message::{Binding, escape, parse_server_first};
use super::{ChannelBindings, MIN_ITERATIONS, NONCE_OCTETS, hash, hmac, salted};

/// The most work that a server may ask for: some seconds.
const MAX_ITERATIONS: u32 = 5_000_000;

/// Logs in: its first message, then what [`Client::respond`] says to the server's first, then, once the server has said what is
/// expected of it, an empty one.
#[derive(Debug)]
pub struct Client {
    password: Secret,
    header: String,
    bound_to: Vec<u8>,
    bare: String,
    nonce: String,
}

/// What comes of the server's first message; both in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// To be said.
    pub message: String,
    /// What a server says to it that knows the password, too. Another isn't to be trusted.
    pub expected: String,
}

impl Client {
    /// With a name and a password that `SASLprep` takes; else none. `nonce` is never the same twice. With a channel binding it speaks
    /// -PLUS: with `tls-exporter`, where it is there.
    pub fn new(
        login_name: &str,
        password: &Secret,
        nonce: &[u8; NONCE_OCTETS],
        bindings: &ChannelBindings,
    ) -> Option<Self> {
        let (binding, data) = match bindings {
            ChannelBindings { tls_exporter: Some(data), .. } => (Binding::TlsExporter, data.as_slice()),
            ChannelBindings { tls_server_end_point: Some(data), .. } => (Binding::TlsServerEndPoint, data.as_slice()),
            _ => (Binding::Unknown, &[] as &[u8]),
        };
        let header = format!("{},,", binding.as_str());
        let nonce = BASE64.encode(nonce);
        Some(Self {
            password: Secret::new(saslprep(password.expose()).ok()?),
            bound_to: [header.as_bytes(), data].concat(),
            bare: format!("n={},r={nonce}", escape(&saslprep(login_name).ok()?)),
            header,
            nonce,
        })
    }

    /// The first message, in base64.
    pub fn first(&self) -> String {
        BASE64.encode(format!("{}{}", self.header, self.bare).as_bytes())
    }

    /// The proof, for the server's first message in base64; none where the server isn't to be trusted with it: another nonce,
    /// too little work for who overhears it, or too much for us. Takes the server's iterations' time: not on an async thread.
    pub fn respond(&self, challenge: &str) -> Option<Proof> {
        let server_first = String::from_utf8(BASE64.decode(challenge.as_bytes()).ok()?).ok()?;
        let (nonce, salt, iterations) = parse_server_first(&server_first)?;
        let is_ours = nonce.strip_prefix(&self.nonce).is_some_and(|theirs| !theirs.is_empty());
        if !is_ours || !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
            return None;
        }
        let without_proof = format!("c={},r={nonce}", BASE64.encode(&self.bound_to));
        let said = format!("{},{server_first},{without_proof}", self.bare);
        let salted = salted(self.password.expose().as_bytes(), &salt, iterations);
        let mut proof = hmac(&salted, b"Client Key");
        let signature = hmac(&hash(&proof), said.as_bytes());
        proof.iter_mut().zip(signature).for_each(|(octet, signature)| *octet ^= signature);
        let signature = hmac(&hmac(&salted, b"Server Key"), said.as_bytes());
        Some(Proof {
            message: BASE64.encode(format!("{without_proof},p={}", BASE64.encode(&proof)).as_bytes()),
            expected: BASE64.encode(format!("v={}", BASE64.encode(&signature)).as_bytes()),
        })
    }
}
