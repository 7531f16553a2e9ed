//! What pages and programs see of the DNS.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Moment, Password, Text};

/// How a check came out, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DnsVerdict {
    /// As it should be.
    Good,
    /// Mail goes, but something is weaker than it could be.
    Better,
    /// The DNS or the network owes an answer, or a change has not come through yet.
    Unknown,
    /// Mail is lost, refused, or taken for junk, or will be.
    Wrong,
}

impl DnsVerdict {
    /// All, from the best to the worst.
    pub const ALL: [Self; 4] = [Self::Good, Self::Better, Self::Unknown, Self::Wrong];

    /// Its name in the API, in the database, and in the catalogue (`dns-verdict-NAME`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Better => "better",
            Self::Unknown => "unknown",
            Self::Wrong => "wrong",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// As the database has it.
    pub(crate) const fn rank(self) -> u8 {
        self as u8
    }

    pub(crate) fn of_rank(rank: u8) -> Self {
        Self::ALL.into_iter().find(|verdict| verdict.rank() == rank).unwrap_or(Self::Unknown)
    }
}

/// How many checks came out how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct DnsCounts {
    /// As it should be.
    pub good: u32,
    /// Weaker than it could be.
    pub better: u32,
    /// Not known yet.
    pub unknown: u32,
    /// Wrong.
    pub wrong: u32,
}

impl DnsCounts {
    pub(crate) const fn of([good, better, unknown, wrong]: [u32; 4]) -> Self {
        Self { good, better, unknown, wrong }
    }

    pub(crate) const fn tally(self) -> [u32; 4] {
        [self.good, self.better, self.unknown, self.wrong]
    }
}

/// Which domains.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct DnsWanted {
    /// Only those whose worst verdict is this.
    pub verdict: Option<DnsVerdict>,
    /// Only those whose name holds this.
    pub search: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows wanted: 1 to 500, 50 where it isn't said.
    pub limit: Option<u32>,
}

/// A domain in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsRow {
    /// As people read it.
    pub domain: String,
    /// As the DNS has it.
    pub ascii: String,
    /// The worst verdict of the last check; none where it was never checked.
    pub verdict: Option<DnsVerdict>,
    /// What the last check found.
    pub counts: DnsCounts,
    /// When it was last checked.
    pub checked_at: Option<Moment>,
    /// A check runs, or waits for its turn.
    pub is_running: bool,
}

/// What is known of a domain's DNS, or of the host's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsReport {
    /// The domain, or the host, as people read it.
    pub name: String,
    /// As the DNS has it.
    pub ascii: String,
    /// The zone that the records' names are cut at: the domain itself, or where the host's name most likely stands.
    pub zone: String,
    /// It is the host.
    pub is_host: bool,
    /// The worst verdict of the last check; none where it was never checked.
    pub verdict: Option<DnsVerdict>,
    /// What the last check found.
    pub counts: DnsCounts,
    /// When it was last checked.
    pub checked_at: Option<Moment>,
    /// A check runs, or waits for its turn.
    pub is_running: bool,
    /// Why no check can be made now: the host has no public address that is known, or this house doesn't look (`relais demo`). None: it can.
    pub hindrance: Option<Text>,
    /// The host's public addresses, as far as they are known.
    pub addresses: Vec<String>,
    /// Each check, in the order in which a person would mend them. Before the first check: empty, and `records` tells what is wanted.
    pub findings: Vec<DnsFinding>,
    /// All records that are wanted, in the forms that providers want.
    pub records: Vec<DnsRecordForms>,
    /// A provider's account that serves this zone: records can be pushed. Owners see it.
    pub account: Option<DnsAccountView>,
    /// The domain's keys that sign its mail: those that wait for their records, those that sign, those that rest.
    pub keys: Vec<DkimKeyView>,
}

/// A key that signs a domain's mail (DKIM), has signed it, or will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DkimKeyView {
    /// Its name, below `_domainkey`.
    pub selector: String,
    /// `rsa` or `ed25519`.
    pub algorithm: String,
    /// `waits`: for its record to be seen; `signs`; `retired`: its record must stay for mail on its way; `aged`: its record may go.
    pub state: &'static str,
    /// The same, in a sentence.
    pub says: Text,
    /// Since when it is so; of one that waits, when it was made.
    pub since: Moment,
    /// Until when: a new one follows then, or its record may go. None: nothing is set.
    pub until: Option<Moment>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsFinding {
    /// Names it among the findings of its domain: the same from day to day. `mx:example.org:MX`.
    pub key: String,
    /// What was looked at.
    pub title: Text,
    /// The same for programs: `mx`, `spf`, `port-in` …
    pub check: String,
    /// The name or address that it is about.
    pub about: String,
    /// What else tells it from others: a record's type, a list's name; may be empty.
    pub detail: String,
    /// How it came out.
    pub verdict: DnsVerdict,
    /// Why.
    pub says: Text,
    /// How to mend it; none where all is good.
    pub advice: Option<Text>,
    /// How much mail needs it (`must`, `should`, `nice`; `dns-need-NAME` in the catalogue); none where it is about no record.
    pub need: Option<String>,
    /// The records that should stand there, in the forms that providers want; may be empty.
    pub wanted: Vec<DnsRecordForms>,
    /// What stands there.
    pub found: Vec<DnsRecord>,
    /// What of it must go before it can be good.
    pub surplus: Vec<DnsRecord>,
    /// Whether DNSSEC proves what was found: `secure`, `insecure`, `bogus`, `unknown` (`dns-proof-NAME`).
    pub proof: String,
    /// A provider's account could mend it.
    pub can_push: bool,
}

/// A record as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DnsRecord {
    /// Whose it is, without the last dot.
    pub name: String,
    /// `MX`, `TXT` …
    pub kind: String,
    /// Seconds that others may keep it.
    pub ttl: u32,
    /// What it says: names without the last dot, texts whole and bare.
    pub value: String,
}

/// A record that is wanted, in the forms that providers want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsRecordForms {
    /// What it is for: `mx`, `spf` … (`dns-purpose-NAME` in the catalogue).
    pub purpose: String,
    /// How much mail needs it: `must`, `should`, `nice` (`dns-need-NAME`).
    pub need: String,
    /// Its type.
    pub kind: String,
    /// Seconds that others may keep it.
    pub ttl: u32,
    /// Its name with the domain: `_dmarc.example.org`.
    pub name_whole: String,
    /// Its name without the domain: `_dmarc`, and `@` for the domain itself.
    pub name_within: String,
    /// Its value in one field: texts bare and joined.
    pub value: String,
    /// The same with texts in quotes, cut at 255 octets; none where it is no text.
    pub value_split: Option<String>,
    /// Where providers have a field for it (MX, SRV): the priority …
    pub priority: Option<u16>,
    /// … and what is left for the value's field.
    pub value_without_priority: Option<String>,
    /// Its line of a zone file.
    pub line: String,
}

/// A finding that turned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsTurn {
    /// When it was seen.
    pub at: Moment,
    /// The finding's key.
    pub key: String,
    /// What was looked at.
    pub title: Text,
    /// The name or address that it is about.
    pub about: String,
    /// How it came out before; none where it is new.
    pub before: Option<DnsVerdict>,
    /// How it came out then.
    pub after: DnsVerdict,
    /// Why.
    pub says: Text,
    /// It is one for the worse, of which the owners were told.
    pub is_alert: bool,
}

/// A provider that serves zones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsProviderKind {
    /// `cloudflare`, `rfc2136` …
    pub id: &'static str,
    /// Its name.
    pub name: Text,
    /// What it wants to be told, in a form's order.
    pub fields: Vec<DnsProviderField>,
}

/// What a provider wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsProviderField {
    /// Its name in forms and in `settings`.
    pub id: &'static str,
    /// Its name for people.
    pub label: Text,
    /// Where to find it.
    pub help: Text,
    /// It is never shown again.
    pub is_secret: bool,
    /// One of these, the first unless another is chosen; anything where there are none.
    pub choices: &'static [&'static str],
}

/// An account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsAccountView {
    /// Names it.
    pub id: String,
    /// The provider's id.
    pub provider: String,
    /// The provider's name.
    pub provider_name: Text,
    /// What people call it.
    pub name: String,
    /// What was filled in and is no secret, by the fields' ids.
    pub settings: BTreeMap<String, String>,
    /// The zones that it serves, as far as they were looked for: what of our domains and of the host stands in them can be pushed.
    pub zones: Vec<String>,
    /// It sets the records of new keys that sign, and takes away those of aged ones, by itself.
    pub turns_keys: bool,
    /// When it was added.
    pub created_at: Moment,
}

/// An account that is to be added.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDnsAccount {
    /// The provider's id.
    pub provider: String,
    /// What people call it; up to 200 octets; empty: the provider's name.
    #[serde(default)]
    pub name: String,
    /// What the provider wants to be told, by the fields' ids.
    #[schema(value_type = BTreeMap<String, String>)]
    pub settings: BTreeMap<String, Password>,
    /// A domain of ours whose zone the account must have: by it the key is tried.
    pub domain: String,
    /// It may set the records of new keys that sign, and take away those of aged ones, by itself.
    #[serde(default)]
    pub turns_keys: bool,
}

/// What of an account is to be changed; none of a thing leaves it.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DnsAccountChange {
    /// What people call it.
    pub name: Option<String>,
    /// By the fields' ids; a field that is left out or empty stays as it is.
    #[schema(value_type = BTreeMap<String, String>)]
    pub settings: BTreeMap<String, Password>,
    /// Another domain of ours whose zone the account must have.
    pub domain: Option<String>,
    /// It may set the records of new keys that sign, and take away those of aged ones, by itself.
    pub turns_keys: Option<bool>,
}

/// Which findings are to be mended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DnsPushForm {
    /// Keys of findings; empty: all that aren't good and could be pushed.
    pub findings: Vec<String>,
    /// Instead of findings: the domain's own DMARC record with this policy, `quarantine` or `reject`, and with all else that stands in it.
    pub dmarc_policy: Option<String>,
    /// To push: `plan` of the preview that was shown. What was shown is done, or nothing.
    pub plan: Option<String>,
}

/// What a push would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsPreview {
    /// Names what is shown here: to be sent back with the push.
    pub plan: String,
    /// The zone at the provider.
    pub zone: String,
    /// The account.
    pub account: DnsAccountView,
    /// The findings that it is about.
    pub findings: Vec<String>,
    /// What would be done; empty where all stands already.
    pub changes: Vec<DnsChange>,
    /// What can't be done; the changes don't depend on it.
    pub obstacles: Vec<DnsObstacle>,
}

/// What becomes of the records of one name and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsChange {
    /// Their name.
    pub name: String,
    /// Their type.
    pub kind: String,
    /// Seconds, before; none where nothing stood.
    pub ttl_before: Option<u32>,
    /// Seconds, after; none where nothing will stand.
    pub ttl_after: Option<u32>,
    /// Values that come.
    pub added: Vec<String>,
    /// Values that go.
    pub removed: Vec<String>,
    /// Values that stay.
    pub kept: Vec<String>,
    /// After a push: `done`, `untouched`, `otherwise`, `unknown`. None in a preview.
    pub fate: Option<String>,
    /// That in words.
    pub says: Option<Text>,
}

/// Records that stay as they are, though it was wished otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsObstacle {
    /// Their name.
    pub name: String,
    /// Their type.
    pub kind: String,
    /// Why.
    pub says: Text,
}

/// A push that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DnsPushView {
    /// Names it.
    pub id: String,
    /// The domain that it was for; none: for the host.
    pub domain: Option<String>,
    /// The zone at the provider.
    pub zone: String,
    /// What the account is called; none where it is gone, and the push can't be undone.
    pub account: Option<String>,
    /// Who pushed.
    pub by: String,
    /// When.
    pub at: Moment,
    /// What was done.
    pub changes: Vec<DnsChange>,
    /// Why not everything was done.
    pub failure: Option<Text>,
    /// All of it stands.
    pub is_complete: bool,
    /// When it was undone.
    pub undone_at: Option<Moment>,
    /// Who undid it.
    pub undone_by: Option<String>,
    /// It can be undone.
    pub can_undo: bool,
}
