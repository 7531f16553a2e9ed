//! DNS for mail: which records a domain and its host want, whether they stand, and what is to be done.
//!
//! ```text
//! Facts ──> wanted ──> questions ──> Look (public view, the zone's own servers) ──> judge ──> Finding { verdict, reason, wanted, found }
//!                                        └─> spf::check_host, blocklists, wildcards ──┐
//!                                            Reach (port 25, the MTA-STS policy) ─────┴─> Finding
//! ```
//! [`Inspector`] goes that way from end to end, for a host or for a domain. What is wanted and what is thought of an answer is pure: facts in, findings out.
//!
//! - [`wanted()`]: the records; [`present()`] and [`zone_file`]: in the form that a provider wants
//! - [`spf`], [`DkimRecord`], [`Dmarc`], [`StsPolicy`]: strangers' records, read; each parser has its limits and never fails on odd octets
//! - [`Look`]: asking, with [`DnsLook`] over hickory; [`Reach`]: meeting hosts, with [`TcpReach`]
//! - [`judge()`]: verdicts; [`Reason::said`]: their sentences in the catalogue (`templates/words/*/dns.ftl`)
//! - [`DkimKeyMaker`]: keys that sign
//! - [`provider`]: one trait, and behind it the programs and companies that serve zones: what stands there is read, what would change is
//!   shown, done, and undone; [`wishes`]: the records wanted, as what a provider is asked for
//!
//! Invariants: keeps nothing, stores nothing; only `provider` changes anything in the DNS. hickory's types stop in `look` and `provider`. An answer that is owed is never taken for "nothing there".
//! A stranger's host is only met where it is a neighbour's mail host; all else is done with our own addresses.
//!
//! To add a record: a [`Purpose`], its line in `wanted`, its opinion in `judge/content.rs`, its name and sentences in the catalogue, its cases in `inspect/cases.rs`.

mod blocklist;
mod dkim;
mod dkim_key;
mod dmarc;
mod inspect;
mod judge;
mod look;
mod present;
pub mod provider;
mod reach;
mod reason;
mod record;
pub mod spf;
mod tags;
#[cfg(test)]
mod testing;
mod wanted;
mod wishes;

pub use blocklist::{BLOCKLISTS, Blocklist};
pub use dkim::{Algorithm, DkimError, DkimRecord};
pub use dkim_key::{DkimKeyError, DkimKeyMaker, DkimKeyPair};
pub use dmarc::{Dmarc, DmarcError, DmarcPolicy, is_dmarc};
pub use inspect::{Inspector, MailPorts, Report};
pub use judge::{AllSeen, Check, Finding, Seen, judge, questions};
pub use look::{Answer, Answering, DnsLook, Lack, Look, LookError, Proof, ServerAnswer, TrustAnchor};
pub use present::{Fields, Form, NameForm, TextForm, present, zone_file};
pub use reach::{CertificateFace, Reach, SmtpFace, TcpReach, TlsFace, Unreached, WebAnswer, WebFailure};
pub use reason::{Reason, Verdict};
pub use record::{Data, Kind, Record, Target, reverse_name, reversed};
pub use relais_smtp::sts::{POLICY_OCTETS, StsMode, StsPolicy, StsPolicyError, is_sts, sts_id};
pub use tags::{Tags, TagsError};
pub use wanted::{
    DkimKey, DmarcWish, Facts, Need, Purpose, Service, StsWish, There, WANTED_TTL, Wanted, sts_policy, wanted,
};
pub use wishes::wishes;
