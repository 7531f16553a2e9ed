//! The words that all rooms share, and nothing that does something.
//!
//! A value of these types is right by construction: each is parsed once, at the edge, by `T::parse`, and infallible inside.
//! Invariants: no I/O, no clock of its own (see [`Clock`]), nothing of ours is used here. Keep it small: every edit here
//! rebuilds the house.

mod address;
mod endpoint;
mod envelope;
mod flag;
mod mailbox;
mod ports;
mod reply;
mod rights;
mod said;
mod secret;
mod time;
mod tls;
mod uid;

pub use address::{Address, AddressError, Domain, DomainError, LocalPart};
pub use endpoint::{Endpoint, EndpointError};
pub use envelope::{BodyType, Envelope, EnvelopeId, ForwardPath, Notify, OriginalRecipient, Ret, ReversePath};
pub use flag::{Flag, FlagError, Keyword, SystemFlag, SystemFlags};
pub use mailbox::{HIERARCHY_SEPARATOR, MailboxName, MailboxNameError, SpecialUse};
pub use ports::{Clock, Random, SystemClock, SystemRandom};
pub use reply::{Class, EnhancedCode, Reply};
pub use rights::Rights;
pub use said::{Finding, Gap, Said};
pub use secret::Secret;
pub use time::Timestamp;
pub use tls::Tls;
pub use uid::{ModSeq, SeqNum, Uid, UidSet, UidValidity};
