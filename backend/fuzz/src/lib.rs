//! Fuzz targets: for every parser of strangers' octets a plain function, and for every session one that plays it.
//!
//! A target takes any octets and panics where a rule is broken: nothing panics by itself, what is read and written again
//! is the same, and a session hears the same however its octets are cut. Two runners drive them: `short` needs nothing and
//! repeats itself (the test and CI run it), `guided` is libFuzzer, which follows the code's branches (`cargo xtask fuzz`).
//! Seeds stand in `corpus/TARGET/`; what once broke a target is kept among them, so that it is tried first ever after.
//! A new target is a function here, a line in [`TARGETS`] and a seed.

mod cuts;
mod targets {
    pub(crate) mod filters;
    pub(crate) mod imap;
    pub(crate) mod junk;
    pub(crate) mod message;
    pub(crate) mod msgauth;
    pub(crate) mod pop3;
    pub(crate) mod proxy;
    pub(crate) mod reading;
    pub(crate) mod sasl;
    pub(crate) mod sieve;
    pub(crate) mod smtp;
}

use targets::{filters, imap, junk, message, msgauth, pop3, proxy, reading, sasl, sieve, smtp};

/// Takes any octets; panics where a rule is broken.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("smtp-command", smtp::command),
    ("smtp-reply", smtp::reply),
    ("smtp-server", smtp::server),
    ("smtp-client", smtp::client),
    ("sts", smtp::sts),
    ("imap-command", imap::command),
    ("imap-session", imap::session),
    ("sequence-set", imap::sequence_set),
    ("utf7", imap::utf7),
    ("pop3-session", pop3::session),
    ("sieve-script", sieve::script),
    ("sieve-run", sieve::run),
    ("sieve-rules", sieve::rules),
    ("sieve-import", sieve::import),
    ("managesieve-session", sieve::session),
    ("scram", sasl::scram),
    ("mime", message::mime),
    ("sections", message::sections),
    ("search", message::search),
    ("address", message::address),
    ("header", message::header),
    ("date", message::date),
    ("proxy", proxy::header),
    ("authenticate", msgauth::message),
    ("canonical", msgauth::canonical),
    ("auth-records", msgauth::records),
    ("auth-report", msgauth::report),
    ("junk-features", junk::features),
    ("junk-model", junk::model),
    ("filter-clamd", filters::clamd),
    ("filter-rspamd", filters::rspamd),
    ("filter-milter", filters::milter),
    ("calendar", reading::calendar),
];

/// The target of that name.
#[must_use]
pub fn find(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}
