//! What a session asks of its driver.

use relais_model::{EnhancedCode, Envelope, ForwardPath, Reply};
use relais_sasl::Shown;
use relais_sasl::scram::{Known, Wanted};

/// What the driver is to do next.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a dropped step stalls the dialogue"]
pub enum Step {
    /// Read, for [`Session::timeout`](super::Session::timeout) at most, then [`Session::feed`](super::Session::feed) or [`Session::expire`](super::Session::expire).
    Read,
    /// Send all of it.
    Write(Vec<u8>),
    /// Make the TLS handshake as the server, and forget who logged in (RFC 3207 §4.2); then [`Session::tls_started`](super::Session::tls_started).
    StartTls,
    /// Decide, then [`Session::answer`](super::Session::answer).
    Ask(Question),
    /// The next octets of the message, CRLF lines without dot-stuffing (any octets for BINARYMIME). Nothing is to be
    /// answered; where they cannot be kept, [`Session::abandon`](super::Session::abandon).
    Chunk(Vec<u8>),
    /// Forget what came of the message since [`Question::Begin`]: it will not be finished.
    Discard,
    /// As [`Step::Discard`]; the sender will be told this at its end.
    Refuse(Reply),
    /// Close the connection.
    Close,
}

/// What only the house can decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Is it who it says? [`Answer::Accept`] or the refusing reply (535 5.7.8, 454 4.7.0).
    Login(Shown),
    /// SCRAM: what is known of this name? [`Answer::Known`] or the refusing reply. What is known of a name that nobody has looks the same.
    Keys(Wanted),
    /// MAIL: may this sender write? The envelope has no recipients yet; earlier transactions are over. Where it announces more octets than are taken
    /// (RFC 1870), a yes is none: the session says [`too_large`](super::too_large).
    Mail(Envelope),
    /// RCPT: is this somebody's address, and has it room?
    Recipient(ForwardPath),
    /// A message begins, to all accepted recipients: is there room to keep it? [`Step::Chunk`]s follow if so.
    Begin(Envelope),
    /// The message is whole: take it for good, then answer. On LMTP [`Answer::PerRecipient`].
    Finish,
}

/// The house's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes, with the usual words.
    Accept,
    /// With these words: its code says whether yes or no. On LMTP's [`Question::Finish`] it holds for each recipient.
    Reply(Reply),
    /// LMTP's [`Question::Finish`] only: one for each accepted recipient, in order (RFC 2033 §4.2). Elsewhere the first
    /// negative one holds.
    PerRecipient(Vec<Reply>),
    /// [`Question::Keys`] only.
    Known(Box<Known>),
}

impl Answer {
    /// One reply for all; none for plain yes.
    pub(crate) fn into_reply(self) -> Option<Reply> {
        match self {
            Self::Accept => None,
            Self::Reply(reply) => Some(reply),
            // No answer to what was asked: no yes, either.
            Self::Known(_) => Some(Reply::new(451, EnhancedCode::new(4, 3, 0), "Not possible now, try again later")),
            Self::PerRecipient(replies) => {
                let refusal = replies.iter().find(|reply| !is_yes(reply)).cloned();
                refusal.or_else(|| replies.into_iter().next())
            }
        }
    }
}

pub(crate) fn is_yes(reply: &Reply) -> bool {
    reply.code < 400
}
