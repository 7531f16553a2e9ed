//! Row keys: numbers that we make ourselves, in the order of time, and never show outside.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use relais_model::Timestamp;

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// From the number in the database.
            pub const fn new(number: i64) -> Self {
                Self(number)
            }

            /// The number in the database.
            pub const fn value(self) -> i64 {
                self.0
            }
        }
    };
}

key!(
    /// A row of `account`.
    AccountKey
);
key!(
    /// A row of `domain`.
    DomainKey
);
key!(
    /// A row of `alias`.
    AliasKey
);
key!(
    /// A row of `mailing_list`.
    ListKey
);
key!(
    /// A row of `list_member`. It grows with time.
    MemberKey
);
key!(
    /// A row of `list_post`. [`PostKey::post_id`] is what people see.
    PostKey
);

impl PostKey {
    /// As the panel and the API name it.
    pub fn post_id(self) -> String {
        format!("{:x}", self.0)
    }

    /// By [`PostKey::post_id`].
    pub fn parse(id: &str) -> Option<Self> {
        i64::from_str_radix(id, 16).ok().filter(|key| *key > 0).map(Self)
    }
}

key!(
    /// A row of `app_password`.
    AppPasswordKey
);
key!(
    /// A row of `mailbox`.
    MailboxKey
);
key!(
    /// A row of `message`: one content, however many mailboxes hold it. [`MessageKey::email_id`] is what clients see.
    MessageKey
);
key!(
    /// A row of `queued`.
    QueueKey
);
key!(
    /// A row of `queue_recipient`.
    RecipientKey
);
key!(
    /// A row of `message_trace`. It grows with time.
    TraceKey
);
key!(
    /// A row of `webhook`.
    WebhookKey
);
key!(
    /// A row of `sending_hold`.
    HoldKey
);
key!(
    /// A row of `sender_rule`.
    SenderRuleKey
);
key!(
    /// A row of `sieve_script`.
    SieveScriptKey
);
key!(
    /// A row of `webhook_delivery`.
    WebhookDeliveryKey
);
key!(
    /// A row of `dkim_key`.
    DkimKeyKey
);
key!(
    /// A row of `dns_turn`.
    DnsTurnKey
);
key!(
    /// A row of `dns_account`. [`DnsAccountKey::account_id`] is what people see.
    DnsAccountKey
);
key!(
    /// A row of `dns_push`. [`DnsPushKey::push_id`] is what people see.
    DnsPushKey
);

key!(
    /// A row of `certificate`. [`CertificateKey::certificate_id`] is what people see.
    CertificateKey
);
key!(
    /// A row of `certificate_order`.
    OrderKey
);

key!(
    /// A row of `audit`. [`AuditKey::entry_id`] is what people see.
    AuditKey
);

impl AuditKey {
    /// As the panel and the API name it.
    pub fn entry_id(self) -> String {
        format!("{:x}", self.0)
    }

    /// By [`AuditKey::entry_id`].
    pub fn parse(id: &str) -> Option<Self> {
        i64::from_str_radix(id, 16).ok().filter(|key| *key > 0).map(Self)
    }
}

key!(
    /// A row of `session`. [`SessionKey::session_id`] is what people see.
    SessionKey
);
key!(
    /// A row of `passkey`. [`PasskeyKey::passkey_id`] is what people see.
    PasskeyKey
);
key!(
    /// A row of `api_key`. [`ApiKeyKey::key_id`] is what people see.
    ApiKeyKey
);

macro_rules! shown {
    ($name:ident, $shown:ident) => {
        impl $name {
            /// As the panel and the API name it.
            pub fn $shown(self) -> String {
                format!("{:x}", self.0)
            }

            /// By the name that people see.
            pub fn parse(id: &str) -> Option<Self> {
                i64::from_str_radix(id, 16).ok().filter(|key| *key > 0).map(Self)
            }
        }
    };
}

shown!(SessionKey, session_id);
shown!(PasskeyKey, passkey_id);
shown!(ApiKeyKey, key_id);
shown!(DnsAccountKey, account_id);
shown!(DnsPushKey, push_id);
shown!(CertificateKey, certificate_id);
shown!(OrderKey, order_id);

/// What a thing is at a time: the key of its last change. Another change, another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(i64);

impl Version {
    pub(crate) const fn new(number: i64) -> Self {
        Self(number)
    }

    pub(crate) const fn value(self) -> i64 {
        self.0
    }

    /// As `Display` writes it.
    pub fn parse(text: &str) -> Option<Self> {
        i64::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl MailboxKey {
    /// MAILBOXID (RFC 8474 §4.1): stays through renames.
    pub fn mailbox_id(self) -> String {
        format!("F{:x}", self.0)
    }

    /// By [`MailboxKey::mailbox_id`].
    pub fn parse(id: &str) -> Option<Self> {
        let digits = id.strip_prefix('F').filter(|digits| digits.bytes().all(|octet| octet.is_ascii_hexdigit()));
        i64::from_str_radix(digits?, 16).ok().filter(|key| *key > 0).map(Self)
    }
}

impl MessageKey {
    /// EMAILID (RFC 8474 §5.1): the same for each copy of the same octets.
    pub fn email_id(self) -> String {
        format!("M{:x}", self.0)
    }

    /// By [`MessageKey::email_id`].
    pub fn parse(id: &str) -> Option<Self> {
        let digits = id.strip_prefix('M').filter(|digits| digits.bytes().all(|octet| octet.is_ascii_hexdigit()));
        i64::from_str_radix(digits?, 16).ok().filter(|key| *key > 0).map(Self)
    }

    /// The first that a content of `at` could have.
    pub fn at(at: Timestamp) -> Self {
        Self(first_at(at))
    }
}

impl TraceKey {
    /// The first that a row of `at` could have.
    pub fn at(at: Timestamp) -> Self {
        Self(first_at(at))
    }
}

/// The first key that a row of `at` could have, in any table.
pub(crate) fn first_at(at: Timestamp) -> i64 {
    at.millis().saturating_mul(1 << 16)
}

/// Makes row keys: milliseconds since 1970 above 16 bits of counting, always larger than the one before.
///
/// Rows made one after the other so stand side by side in the tables' trees, which is what keeps inserting cheap.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    last: AtomicI64,
}

impl Keys {
    /// The next key; 65,536 a millisecond before the keys run ahead of the clock.
    pub(crate) fn next(&self, now: Timestamp) -> i64 {
        let floor = now.millis().saturating_mul(1 << 16);
        let after = |last: i64| last.saturating_add(1).max(floor);
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(after(last)));
        after(last.unwrap_or_else(|last| last))
    }

    /// Makes the next key larger than `last`, which stands in the database: the clock may have gone back.
    pub(crate) fn start_after(&self, last: i64) {
        self.last.fetch_max(last, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_rise_when_the_clock_stands_or_goes_back() {
        let keys = Keys::default();
        let first = keys.next(Timestamp::from_millis(1000));
        assert_eq!(keys.next(Timestamp::from_millis(1000)), first + 1);
        assert_eq!(keys.next(Timestamp::from_millis(10)), first + 2);
        assert!(keys.next(Timestamp::from_millis(1001)) > first + 2);
    }
}
