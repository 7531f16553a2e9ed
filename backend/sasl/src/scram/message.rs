//! What a client says (RFC 5802 §7).

use data_encoding::BASE64;
use stringprep::saslprep;

/// Octets of one message, at most: names have 1,024, and what a client is bound to 64.
pub(super) const MAX_MESSAGE_OCTETS: usize = 4096;
/// Octets of a client's nonce, at most; most have 24 to 44.
const MAX_NONCE_OCTETS: usize = 256;

/// `gs2-cbind-flag`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding {
    /// `n`: the client knows no channel binding.
    Unknown,
    /// `y`: it does, and thinks that we don't.
    NotOffered,
    /// `p=tls-exporter` (RFC 9266).
    TlsExporter,
    /// `p=tls-server-end-point` (RFC 5929).
    TlsServerEndPoint,
}

impl Binding {
    const ALL: [Self; 4] = [Self::Unknown, Self::NotOffered, Self::TlsExporter, Self::TlsServerEndPoint];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "n",
            Self::NotOffered => "y",
            Self::TlsExporter => "p=tls-exporter",
            Self::TlsServerEndPoint => "p=tls-server-end-point",
        }
    }
}

/// `client-first-message`.
#[derive(Debug)]
pub(super) struct ClientFirst {
    pub(super) binding: Binding,
    pub(super) authorization: Option<String>,
    pub(super) login_name: String,
    pub(super) nonce: String,
    /// `gs2-header`.
    pub(super) header: String,
    /// `client-first-message-bare`.
    pub(super) bare: String,
}

impl ClientFirst {
    pub(super) fn parse(message: &str) -> Option<Self> {
        if MAX_MESSAGE_OCTETS < message.len() {
            return None;
        }
        let (flag, rest) = message.split_once(',')?;
        let (authorization, bare) = rest.split_once(',')?;
        let header = message.strip_suffix(bare)?;
        let binding = Binding::ALL.into_iter().find(|known| known.as_str() == flag)?;
        let authorization = match authorization {
            "" => None,
            named => Some(name(named.strip_prefix("a=")?)?),
        };
        // A `m=` before the name would be an extension that must be understood: there is none.
        let mut attributes = bare.split(',');
        let login_name = name(attributes.next()?.strip_prefix("n=")?)?;
        let nonce = attributes.next()?.strip_prefix("r=").filter(|nonce| is_nonce(nonce))?;
        attributes.all(is_extension).then(|| Self {
            binding,
            authorization: authorization.filter(|authorization| *authorization != login_name),
            login_name,
            nonce: nonce.to_owned(),
            header: header.to_owned(),
            bare: bare.to_owned(),
        })
    }
}

/// `client-final-message`.
#[derive(Debug)]
pub(super) struct ClientFinal<'a> {
    pub(super) channel_binding: Vec<u8>,
    pub(super) nonce: &'a str,
    pub(super) proof: [u8; 32],
    /// `client-final-message-without-proof`.
    pub(super) without_proof: &'a str,
}

impl<'a> ClientFinal<'a> {
    pub(super) fn parse(message: &'a str) -> Option<Self> {
        if MAX_MESSAGE_OCTETS < message.len() {
            return None;
        }
        let (without_proof, proof) = message.rsplit_once(",p=")?;
        let mut attributes = without_proof.split(',');
        let channel_binding = attributes.next()?.strip_prefix("c=")?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        attributes.all(is_extension).then_some(())?;
        Some(Self {
            channel_binding: BASE64.decode(channel_binding.as_bytes()).ok()?,
            nonce,
            proof: BASE64.decode(proof.as_bytes()).ok()?.try_into().ok()?,
            without_proof,
        })
    }
}

/// `server-first-message`, as a client reads it: nonce, salt, iterations.
pub(super) fn parse_server_first(message: &str) -> Option<(&str, Vec<u8>, u32)> {
    let mut attributes = message.split(',');
    let nonce = attributes.next()?.strip_prefix("r=")?;
    let salt = BASE64.decode(attributes.next()?.strip_prefix("s=")?.as_bytes()).ok()?;
    let iterations = attributes.next()?.strip_prefix("i=")?.parse().ok()?;
    attributes.all(is_extension).then_some((nonce, salt, iterations))
}

/// `saslname` for a name.
pub(super) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// A name from its `saslname`: `=2C` is a comma, `=3D` an equals sign, and no other `=` may stand there. Then `SASLprep` (RFC 4013).
pub(crate) fn name(escaped: &str) -> Option<String> {
    let mut pieces = escaped.split('=');
    let mut name = pieces.next()?.to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        name.push(match code {
            "2C" => ',',
            "3D" => '=',
            _ => return None,
        });
        name.push_str(rest);
    }
    let prepared = saslprep(&name).ok()?;
    (!prepared.is_empty()).then(|| prepared.into_owned())
}

/// Printable ASCII without the comma.
fn is_nonce(nonce: &str) -> bool {
    (1..=MAX_NONCE_OCTETS).contains(&nonce.len())
        && nonce.bytes().all(|octet| octet.is_ascii_graphic() && octet != b',')
}

/// `attr-val`: passed over, as RFC 5802 §5.1 asks; none is known.
fn is_extension(attribute: &str) -> bool {
    let mut octets = attribute.bytes();
    let is_named = octets.next().is_some_and(|name| name.is_ascii_alphabetic() && name != b'm');
    is_named && octets.next() == Some(b'=') && octets.next().is_some() && !attribute.contains('\0')
}
