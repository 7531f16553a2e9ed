//! What came of a message.

use relais_model::{EnhancedCode, Reply};

use crate::reply::ReplyError;

/// A message's fate, and what was seen of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// One for each recipient of the envelope, in its order.
    pub recipients: Vec<Fate>,
    /// Whether TLS protected the message.
    pub under_tls: bool,
    /// What the peer said on connection; empty where it said nothing.
    pub greeting: String,
    /// What the peer offered in its last hello.
    pub offer: Offer,
}

/// One recipient's fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The peer has it, and said so.
    Accepted(Reply),
    /// The peer said no.
    Refused {
        /// To what.
        stage: Stage,
        /// In these words.
        reply: Reply,
    },
    /// No reply decided it.
    Broken {
        /// Where it broke. At [`Stage::Body`] the peer may have taken the message all the same.
        stage: Stage,
        /// Why.
        fault: Fault,
    },
}

impl Fate {
    /// Whether to try again (RFC 5321 §4.2.1).
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Accepted(_) => false,
            Self::Refused { reply, .. } => reply.is_transient(),
            Self::Broken { fault, .. } => fault.is_transient(),
        }
    }

    /// The peer's own reply, as DSNs quote it (RFC 3464 §2.3.6); none where there was none.
    pub fn remote_reply(&self) -> Option<&Reply> {
        match self {
            Self::Accepted(reply) | Self::Refused { reply, .. } => Some(reply),
            Self::Broken { .. } => None,
        }
    }

    /// The peer's reply, or one of our own making that says the same.
    pub fn reply(&self) -> Reply {
        match self {
            Self::Accepted(reply) | Self::Refused { reply, .. } => reply.clone(),
            Self::Broken { fault, .. } => fault.reply(),
        }
    }
}

/// Where in the dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Waiting for the greeting.
    Greeting,
    /// EHLO, HELO or LHLO.
    Hello,
    /// STARTTLS and the handshake.
    StartTls,
    /// AUTH.
    Login,
    /// MAIL.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA, until 354.
    Data,
    /// The message itself and the reply to it.
    Body,
    /// QUIT.
    Quit,
}

/// Why there is no reply that decides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The connection closed, or failed.
    #[error("the connection was lost")]
    HungUp,
    /// No answer in time.
    #[error("the peer took too long")]
    TimedOut,
    /// What came is no reply.
    #[error("the peer's answer makes no sense: {0}")]
    Garbled(#[from] ReplyError),
    /// A reply, but yes where more was to be asked for, or the other way round.
    #[error("`{0}` is no answer to what was said")]
    OutOfStep(Reply),
    /// Octets stood between STARTTLS's reply and the handshake (RFC 3207): somebody meddles.
    #[error("there was plain text behind the reply to STARTTLS")]
    Injected,
    /// TLS is required, and the peer doesn't offer it or refused it.
    #[error("the peer offers no TLS, which is required")]
    TlsMissing,
    /// The handshake failed; the text is the driver's.
    #[error("the TLS handshake failed: {0}")]
    Tls(String),
    /// We are to log in, and the peer offers no way that we know or that is safe.
    #[error("the peer offers no log-in that can be used")]
    LoginMissing,
    /// The message needs SMTPUTF8 (RFC 6531 §3.1), and the peer doesn't offer it.
    #[error("the message needs SMTPUTF8, which the peer doesn't offer")]
    NeedsSmtpUtf8,
    /// The message is BINARYMIME (RFC 3030 §3), and the peer doesn't take it.
    #[error("the message is BINARYMIME, which the peer doesn't take")]
    NeedsBinaryMime,
    /// The message is to go by REQUIRETLS (RFC 8689 §4.2.1), and the peer doesn't offer it under TLS.
    #[error("the sender requires TLS on all the way, which the peer doesn't keep")]
    NeedsRequireTls,
    /// Larger than the peer's SIZE (RFC 1870 §6.1).
    #[error("the message is larger than the peer takes")]
    TooLarge,
    /// More recipients than the peer's RCPTMAX (RFC 9422): send the rest in another transaction at once.
    #[error("the peer takes no more recipients in one transaction")]
    TooManyRecipients,
    /// The message could not be read while it was sent, or had another size than promised.
    #[error("the message could not be sent whole")]
    BodyLost,
}

impl Fault {
    /// Whether to try again.
    pub fn is_transient(&self) -> bool {
        self.reply().is_transient()
    }

    /// Our own words for it, with the code that fits.
    pub fn reply(&self) -> Reply {
        let (code, enhanced) = match self {
            Self::HungUp | Self::TimedOut => (421, EnhancedCode::new(4, 4, 2)),
            Self::Garbled(_) | Self::OutOfStep(_) => (451, EnhancedCode::new(4, 5, 0)),
            Self::Injected | Self::LoginMissing => (454, EnhancedCode::new(4, 7, 0)),
            Self::TlsMissing | Self::Tls(_) => (454, EnhancedCode::new(4, 7, 5)),
            Self::NeedsSmtpUtf8 => (553, EnhancedCode::new(5, 6, 7)),
            Self::NeedsBinaryMime => (554, EnhancedCode::new(5, 6, 3)),
            Self::NeedsRequireTls => (550, EnhancedCode::new(5, 7, 30)),
            Self::TooLarge => (552, EnhancedCode::new(5, 3, 4)),
            Self::TooManyRecipients => (452, EnhancedCode::new(4, 5, 3)),
            Self::BodyLost => (451, EnhancedCode::new(4, 3, 0)),
        };
        Reply::new(code, enhanced, self.to_string())
    }
}

/// What a peer's EHLO or LHLO offers. All is absent after HELO.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each keyword, as the peer lists them")]
pub struct Offer {
    /// The peer's name for itself.
    pub name: String,
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 6152.
    pub eight_bit_mime: bool,
    /// RFC 6531.
    pub smtputf8: bool,
    /// RFC 3030.
    pub chunking: bool,
    /// RFC 3030.
    pub binary_mime: bool,
    /// RFC 3461: where it is absent, the DSN parameters were not handed on, and the duty of RFC 3461 §5.2.2 is ours.
    pub dsn: bool,
    /// RFC 3207.
    pub start_tls: bool,
    /// RFC 8689.
    pub require_tls: bool,
    /// RFC 1870: announced at all.
    pub size: bool,
    /// RFC 1870: the largest message in octets; none where no limit is named.
    pub size_limit: Option<u64>,
    /// RFC 9422: RCPTMAX.
    pub recipients_limit: Option<usize>,
    /// RFC 9422: MAILMAX.
    pub transactions_limit: Option<usize>,
    /// RFC 4954: AUTH PLAIN.
    pub login_plain: bool,
    /// RFC 4954: AUTH LOGIN.
    pub login_login: bool,
}

impl Offer {
    /// From the reply's text: the first line is the name, each other a keyword with its parameters, in any case.
    pub(crate) fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let name = lines.next().and_then(|line| line.split_whitespace().next()).unwrap_or_default();
        let mut offer = Self { name: name.to_owned(), ..Self::default() };
        for line in lines {
            offer.add(line);
        }
        offer
    }

    fn add(&mut self, line: &str) {
        // `AUTH=PLAIN` is how servers spoke before RFC 2554, and some still do.
        let mut words = line.split(|separator: char| separator.is_whitespace() || separator == '=');
        let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
        match keyword.as_str() {
            "PIPELINING" => self.pipelining = true,
            "8BITMIME" => self.eight_bit_mime = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "CHUNKING" => self.chunking = true,
            "BINARYMIME" => self.binary_mime = true,
            "DSN" => self.dsn = true,
            "STARTTLS" => self.start_tls = true,
            "REQUIRETLS" => self.require_tls = true,
            "SIZE" => {
                self.size = true;
                // RFC 1870 §4: 0 is no limit.
                self.size_limit = words.next().and_then(|octets| octets.parse().ok()).filter(|octets| *octets > 0);
            }
            "LIMITS" => self.add_limits(line),
            "AUTH" => {
                for mechanism in words {
                    self.login_plain |= mechanism.eq_ignore_ascii_case("PLAIN");
                    self.login_login |= mechanism.eq_ignore_ascii_case("LOGIN");
                }
            }
            _ => {}
        }
    }

    /// RFC 9422 §3: `name=value` pairs; what we don't know or can't read is passed over.
    fn add_limits(&mut self, line: &str) {
        for (name, value) in line.split_whitespace().filter_map(|word| word.split_once('=')) {
            let limit = value.parse().ok().filter(|limit: &usize| *limit > 0);
            match name.to_ascii_uppercase().as_str() {
                "RCPTMAX" => self.recipients_limit = limit,
                "MAILMAX" => self.transactions_limit = limit,
                _ => {}
            }
        }
    }
}
