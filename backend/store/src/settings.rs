//! What the house is told by those who run it: each setting typed, with its default and its range, in one table ([`SETTINGS`])
//! that page, API, manual and tests walk.
//!
//! A session or request takes the snapshot once ([`Store::settings`]); a change is in force for whoever takes it next. What was
//! never set follows the bootstrap file where that has a key for it, else the default.
//!
//! To add a setting: a line in `settings!` below, its title and help in `templates/words/*/settings.ftl`, and what obeys it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relais_model::{Address, Endpoint, Secret, Timestamp};
use serde_json::json;
use sqlx::AnyConnection;
use tokio::sync::watch;

pub use self::value::{Domains, Network, Networks, SettingKind, Unit, ValueError};

use self::value::Typed;
use crate::audit::{AuditEntry, Author, Deed, Scribe};
use crate::{DirectoryError, Store, StoreError};

mod value;

/// The settings' places on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettingSection {
    /// The house and its people.
    House,
    /// Messages and the queue.
    Mail,
    /// Mail that nobody wants.
    Junk,
    /// What networks may do at port 25.
    Networks,
    /// Programs that aren't ours, which are asked about messages.
    Filters,
    /// Certificates, and the CA that gives them.
    Certificates,
    /// How people sign in.
    SignIn,
    /// How long things are kept.
    Keeping,
    /// What the DNS is to say of our domains.
    Dns,
    /// What scripts and other programs may.
    Programs,
    /// When those who run the house are warned.
    Warnings,
}

impl SettingSection {
    /// In the order of the page.
    pub const ALL: [Self; 11] = [
        Self::House,
        Self::Mail,
        Self::Junk,
        Self::Networks,
        Self::Filters,
        Self::Certificates,
        Self::SignIn,
        Self::Keeping,
        Self::Dns,
        Self::Programs,
        Self::Warnings,
    ];

    /// Its name in the catalogue and in addresses of the page.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::House => "house",
            Self::Mail => "mail",
            Self::Junk => "junk",
            Self::Networks => "networks",
            Self::Filters => "filters",
            Self::Certificates => "certificates",
            Self::SignIn => "sign-in",
            Self::Keeping => "keeping",
            Self::Dns => "dns",
            Self::Programs => "programs",
            Self::Warnings => "warnings",
        }
    }
}

/// One setting, without its value.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// As API and command line call it.
    pub name: &'static str,
    /// Where it stands on the page.
    pub section: SettingSection,
    /// What its values are.
    pub kind: SettingKind,
}

macro_rules! settings {
    ($($(#[$doc:meta])+ $field:ident: $type:ty = $name:literal, $section:ident, $kind:expr, $default:expr;)+) => {
        /// All settings as they are at one moment.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Settings {
            $($(#[$doc])+ pub $field: $type,)+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        /// All settings in the order of the page.
        pub const SETTINGS: &[Setting] =
            &[$(Setting { name: $name, section: SettingSection::$section, kind: $kind },)+];

        impl Settings {
            /// The value of the setting `name` as it is written; none where there is no such setting.
            pub fn value(&self, name: &str) -> Option<String> {
                match name {
                    $($name => Some(Typed::write(&self.$field)),)+
                    _ => None,
                }
            }

            /// Sets the setting `name`.
            ///
            /// # Errors
            /// What is wrong with the value; nothing was changed.
            pub fn set(&mut self, name: &str, text: &str) -> Result<(), ValueError> {
                match name {
                    $($name => self.$field = <$type as Typed>::read($kind, text)?,)+
                    _ => return Err(ValueError::Unknown),
                }
                Ok(())
            }
        }
    };
}

const fn minutes(number: u64) -> Duration {
    Duration::from_mins(number)
}

const fn hours(number: u64) -> Duration {
    Duration::from_hours(number)
}

const fn days(number: u64) -> Duration {
    Duration::from_hours(24 * number)
}

/// What IMAP may keep to itself: clients do without each.
pub const IMAP_HIDEABLE: &[&str] = &[
    "ACL",
    "BINARY",
    "CATENATE",
    "COMPRESS=DEFLATE",
    "CONDSTORE",
    "CONTEXT=SEARCH",
    "CONTEXT=SORT",
    "ESORT",
    "IDLE",
    "IMAPSIEVE",
    "INPROGRESS",
    "JMAPACCESS",
    "LIST-STATUS",
    "METADATA",
    "MULTISEARCH",
    "NOTIFY",
    "OBJECTID",
    "PARTIAL",
    "PREVIEW",
    "QRESYNC",
    "QUOTA",
    "REPLACE",
    "SEARCH=FUZZY",
    "SPECIAL-USE",
    "UIDONLY",
    "UTF8=ACCEPT",
];

/// What becomes of a message where a filter gives no answer.
const WHEN_DOWN: SettingKind = SettingKind::Choice(&["defer", "pass"]);

/// What of messages, or of recipients, a person may send.
const A_LIMIT_OF_MESSAGES: SettingKind = SettingKind::Number { least: 0, most: 1_000_000, unit: Unit::Messages };
const A_LIMIT_OF_RECIPIENTS: SettingKind = SettingKind::Number { least: 0, most: 1_000_000, unit: Unit::Recipients };

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

const fn span(least: Duration, most: Duration) -> SettingKind {
    SettingKind::Span { least, most }
}

settings! {
    /// What the house calls itself to people: in titles and greetings.
    house_name: String = "house.name", House, SettingKind::Words { most_octets: 60 }, "Relais".to_owned();
    /// Where people write who cannot get in.
    house_contact: Option<Address> = "house.contact", House, SettingKind::Address, None;
    /// The language of people who have chosen none, and whose browser asks for none of ours.
    language: String = "house.language", House, SettingKind::Choice(&["en", "fr"]), "en".to_owned();
    /// What a new person may hold, in octets, where nothing else is said; 0: no limit.
    default_quota: u64 = "people.default_quota", House, SettingKind::Size { least: 0, most: 1024 * GIB }, 0;

    /// Octets of one message, in and out.
    message_octets: u64 = "mail.message_octets", Mail, SettingKind::Size { least: MIB, most: GIB }, 50 * MIB;
    /// Extensions of IMAP that aren't announced. Office 365, by which newer Outlooks fetch mail, fails where UIDONLY is.
    imap_hidden: Vec<&'static str> = "imap.hidden", Mail, SettingKind::Several(IMAP_HIDEABLE), vec!["UIDONLY"];
    /// The session resource of a JMAP server that shows the same mail under the same ids, and takes the same passwords (RFC 9698 §3); empty: there is none.
    imap_jmap: String = "imap.jmap", Mail, SettingKind::Url { or_nothing: true }, String::new();
    /// How long a message is tried (RFC 5321 §4.5.4.1 wants four to five days).
    queue_lifetime: Duration = "queue.lifetime", Mail, span(hours(1), days(30)), days(5);
    /// When a sender is first told that their message waits.
    delay_notice_after: Duration = "queue.delay_notice_after", Mail, span(minutes(15), days(5)), hours(4);
    /// Messages that one person may send in an hour, where nothing else is said of them; 0: no limit.
    messages_per_hour: u64 = "sending.messages_per_hour", Mail, A_LIMIT_OF_MESSAGES, 0;
    /// Recipients that one person may write to in an hour, where nothing else is said of them; 0: no limit.
    recipients_per_hour: u64 = "sending.recipients_per_hour", Mail, A_LIMIT_OF_RECIPIENTS, 0;
    /// Messages that one person may send in 24 hours, where nothing else is said of them; 0: no limit.
    messages_per_day: u64 = "sending.messages_per_day", Mail, A_LIMIT_OF_MESSAGES, 0;
    /// Recipients that one person may write to in 24 hours, where nothing else is said of them; 0: no limit.
    recipients_per_day: u64 = "sending.recipients_per_day", Mail, A_LIMIT_OF_RECIPIENTS, 0;
    /// Recipients in 24 hours to whom one person has never written before, where nothing else is said of them; 0: no limit.
    new_recipients_per_day: u64 = "sending.new_recipients_per_day", Mail, A_LIMIT_OF_RECIPIENTS, 0;
    /// Mail of an account that behaves as never before is held until somebody has looked.
    holds: bool = "holds.enabled", Mail, SettingKind::Switch, true;
    /// Recipients never written to before, within ten to twenty minutes, from which a hold is thought of; 0: never.
    hold_new_recipients: u64 = "holds.new_recipients", Mail, A_LIMIT_OF_RECIPIENTS, 100;
    /// Messages within ten to twenty minutes from which a hold is thought of; 0: never.
    hold_messages: u64 = "holds.messages", Mail, A_LIMIT_OF_MESSAGES, 200;
    /// Recipients never written to before, within an hour, and from a network that the account never logged in from, from which its mail is held; 0: never.
    hold_strange_network: u64 = "holds.strange_network", Mail, A_LIMIT_OF_RECIPIENTS, 20;
    /// Recipients of a day that were refused as nobody, from which a hold is thought of; 0: never.
    hold_unknown: u64 = "holds.unknown_recipients", Mail, A_LIMIT_OF_RECIPIENTS, 30;
    /// Complaints of a day from which a hold is thought of; 0: never.
    hold_complaints: u64 = "holds.complaints", Mail, A_LIMIT_OF_MESSAGES, 5;
    /// How long mail to an address is refused that other hosts refused as nobody; twice as long each further time. 0: never.
    suppression: Duration = "suppression.lasts", Mail, span(Duration::ZERO, days(365)), days(7);
    /// What other hosts are to do where they cannot reach us over checked TLS (RFC 8461 §3.2): nothing, report it, or wait.
    mta_sts_mode: String = "mta_sts.mode", Mail, SettingKind::Choice(&["none", "testing", "enforce"]), "testing".to_owned();
    /// How long other hosts keep the policy (RFC 8461 §3.2: a year at most).
    mta_sts_max_age: Duration = "mta_sts.max_age", Mail, span(days(1), days(365)), days(7);

    /// What is done with mail that isn't proved to be its author's: what the author's domain wants (DMARC, RFC 9989), or nothing but marking it.
    trust_dmarc: String = "trust.dmarc", Mail, SettingKind::Choice(&["follow", "mark"]), "follow".to_owned();
    /// Domains whose seals are believed (ARC, RFC 8617), parted by commas: what they saw pass is taken, though it was changed on the way and its author's domain wants it refused.
    trust_arc_sealers: Domains = "trust.arc_sealers", Mail, SettingKind::Domains, Domains::default();
    /// Mailing lists that are known here, parted by commas: what stands in their List-Id, or their domain. Their mail is taken though its author's domain wants it refused.
    trust_mailing_lists: Domains = "trust.mailing_lists", Mail, SettingKind::Domains, Domains::default();
    /// Others are told each day how mail with their name came out here, and how TLS to their hosts did, where they ask for it (RFC 9990, RFC 8460).
    trust_send_reports: bool = "trust.send_reports", Mail, SettingKind::Switch, true;

    /// Strangers' mail is weighed by the statistical filter.
    junk_filter: bool = "junk.filter", Junk, SettingKind::Switch, true;
    /// How soon mail goes into Junk.
    junk_strictness: String = "junk.strictness", Junk, SettingKind::Choice(&["mild", "normal", "strict"]), "normal".to_owned();
    /// Mail far above the bar is refused.
    junk_refuses: bool = "junk.refuses", Junk, SettingKind::Switch, false;
    /// Strangers with bad signs are asked to come again (RFC 6647).
    junk_greylisting: bool = "junk.greylisting", Junk, SettingKind::Switch, true;
    /// Lists of hosts that send junk (RFC 5782).
    junk_blocklists: Domains = "junk.blocklists", Junk, SettingKind::Domains, Domains::default();
    /// Lists of domains that stand in junk.
    junk_domain_blocklists: Domains = "junk.domain_blocklists", Junk, SettingKind::Domains, Domains::default();
    /// Lists of hosts whose word is enough to take nothing from a host that they name.
    junk_refusing_blocklists: Domains = "junk.refusing_blocklists", Junk, SettingKind::Domains, Domains::default();

    /// Networks that may do at port 25 what they like.
    networks_trusted: Networks = "networks.trusted", Networks, SettingKind::Networks, Networks::default();
    /// Connections to port 25 that one network may have at once; 0: no limit.
    networks_connections: u64 = "networks.connections", Networks,
        SettingKind::Number { least: 0, most: 100_000, unit: Unit::Connections }, 50;
    /// Connections to port 25 that one network may begin in a minute; 0: no limit.
    networks_connections_per_minute: u64 = "networks.connections_per_minute", Networks,
        SettingKind::Number { least: 0, most: 100_000, unit: Unit::Connections }, 300;
    /// Faults of late after which one network is answered slowly; after twice as many it names no more recipients, after four times it is banned; 0: never.
    networks_faults: u64 = "networks.faults", Networks,
        SettingKind::Number { least: 0, most: 10_000, unit: Unit::Faults }, 10;
    /// How slow an answer becomes; 0: never slow.
    networks_slowest_reply: Duration = "networks.slowest_reply", Networks, span(Duration::ZERO, minutes(1)), Duration::from_secs(20);
    /// How long a network is banned for the first time; each time again it is twice as long, up to a day.
    networks_ban: Duration = "networks.ban", Networks, span(minutes(1), hours(24)), minutes(15);

    /// Where ClamAV's daemon listens; none: it isn't asked.
    filters_clamd: Option<Endpoint> = "filters.clamd", Filters, SettingKind::Endpoints { most: 1 }, None;
    /// What becomes of a message that holds a virus.
    filters_virus: String = "filters.virus", Filters, SettingKind::Choice(&["refuse", "junk"]), "refuse".to_owned();
    /// What becomes of a message that ClamAV gives no answer to.
    filters_clamd_down: String = "filters.clamd_down", Filters, WHEN_DOWN, "defer".to_owned();
    /// Where rspamd's worker for scanning listens; none: it isn't asked.
    filters_rspamd: Option<Endpoint> = "filters.rspamd", Filters, SettingKind::Endpoints { most: 1 }, None;
    /// rspamd's password, where it wants one.
    filters_rspamd_password: Secret = "filters.rspamd_password", Filters, SettingKind::Secret { most_octets: 200 }, Secret::new("");
    /// What becomes of a message that rspamd gives no answer to.
    filters_rspamd_down: String = "filters.rspamd_down", Filters, WHEN_DOWN, "pass".to_owned();
    /// Where milters listen, in the order in which their changes are made.
    filters_milters: Vec<Endpoint> = "filters.milters", Filters, SettingKind::Endpoints { most: 8 }, Vec::new();
    /// What becomes of a message that a milter gives no answer to.
    filters_milters_down: String = "filters.milters_down", Filters, WHEN_DOWN, "defer".to_owned();
    /// How long a filter is waited for, a message.
    filters_timeout: Duration = "filters.timeout", Filters, span(Duration::from_secs(1), minutes(5)), Duration::from_secs(30);
    /// Larger messages are shown to no filter, in octets.
    filters_message_octets: u64 = "filters.message_octets", Filters, SettingKind::Size { least: 64 * KIB, most: GIB }, 25 * MIB;

    /// Certificates are ordered and renewed; whoever switches it on agrees to the CA's terms of service (RFC 8555 §7.3).
    acme_enabled: bool = "acme.enabled", Certificates, SettingKind::Switch, false;
    /// Where the CA's ACME directory is (RFC 8555 §7.1.1).
    acme_directory_url: String = "acme.directory_url", Certificates, SettingKind::Url { or_nothing: false },
        "https://acme-v02.api.letsencrypt.org/directory".to_owned();
    /// Where the CA writes to.
    acme_contact: Option<Address> = "acme.contact", Certificates, SettingKind::Address, None;
    /// How a name is proved to be ours.
    acme_challenge: String = "acme.challenge", Certificates,
        SettingKind::Choice(&["auto", "http-01", "tls-alpn-01", "dns-01"]), "auto".to_owned();
    /// Each domain's service names have certificates, too.
    acme_service_names: bool = "acme.service_names", Certificates, SettingKind::Switch, true;
    /// The external account that a new account is bound to (RFC 8555 §7.3.4).
    acme_eab_key_id: String = "acme.eab_key_id", Certificates, SettingKind::Line { most_octets: 200 }, String::new();
    /// Its key, in base64url.
    acme_eab_key: Secret = "acme.eab_key", Certificates, SettingKind::Secret { most_octets: 500 }, Secret::new("");

    /// Characters of a new password, at least.
    password_length: u64 = "password.minimum_length", SignIn,
        SettingKind::Number { least: 8, most: 64, unit: Unit::Characters }, 8;
    /// Whoever sees more than their own account needs a second factor: until they have one, they are led to where it is set up.
    second_factor_required: bool = "second_factor.required", SignIn, SettingKind::Switch, false;
    /// A session that nobody uses ends after this.
    session_idle: Duration = "session.idle", SignIn, span(minutes(5), days(90)), hours(12);
    /// A session ends after this, used or not.
    session_lifetime: Duration = "session.lifetime", SignIn, span(hours(1), days(365)), days(30);

    /// How long the trace remembers what became of a message.
    trace_kept: Duration = "trace.kept", Keeping, span(days(1), days(365)), days(30);
    /// How long the history of log-ins is kept.
    login_history_kept: Duration = "login_history.kept", Keeping, span(days(1), days(730)), days(90);
    /// How long what was removed can be brought back.
    removed_kept: Duration = "removed.kept", Keeping, span(hours(1), days(365)), days(30);

    /// The public addresses of this host, where it cannot see them itself; networks of one address each.
    dns_addresses: Networks = "dns.addresses", Dns, SettingKind::Networks, Networks::default();
    /// What others are asked to do with mail that says it is ours and isn't (DMARC).
    dns_dmarc_policy: String = "dns.dmarc_policy", Dns, SettingKind::Choice(&["none", "quarantine", "reject"]), "quarantine".to_owned();
    /// Who gets others' daily reports on that.
    dns_dmarc_reports: Option<Address> = "dns.dmarc_reports", Dns, SettingKind::Address, None;
    /// Who gets others' reports on TLS (RFC 8460).
    dns_tls_reports: Option<Address> = "dns.tls_reports", Dns, SettingKind::Address, None;
    /// Keys that sign mail are followed by new ones when they have signed for so long; 0: never. A new one signs once its record is seen.
    dns_dkim_key_age: Duration = "dns.dkim_key_age", Dns, span(Duration::ZERO, days(3650)), days(180);
    /// The owners get a mail where a check of the DNS turns for the worse.
    dns_alert_mail: bool = "dns.alert_mail", Dns, SettingKind::Switch, true;

    /// Requests that one API key may make in a minute.
    api_requests_per_minute: u64 = "api.requests_per_minute", Programs,
        SettingKind::Number { least: 10, most: 100_000, unit: Unit::Requests }, 600;
    /// Other programs are told what happens.
    webhooks: bool = "webhooks.enabled", Programs, SettingKind::Switch, true;
    /// Networks inside that webhooks may reach, though they aren't of the public internet; over http, too, on loopback.
    webhooks_allow_internal: Networks = "webhooks.allow_internal", Programs, SettingKind::Networks, Networks::default();
    /// Networks inside where mail servers may stand that people bring their mail from, though they aren't of the public internet.
    imports_allow_internal: Networks = "imports.allow_internal", Programs, SettingKind::Networks, Networks::default();

    /// Waiting recipients from which the queue counts as large.
    queue_alarm: u64 = "warnings.queue_recipients", Warnings,
        SettingKind::Number { least: 1, most: 10_000_000, unit: Unit::Recipients }, 1000;
    /// How long the oldest recipient may wait before the queue counts as old.
    queue_age_alarm: Duration = "warnings.queue_age", Warnings, span(minutes(15), days(30)), hours(24);
    /// How long before its end a certificate is warned of.
    certificate_alarm: Duration = "warnings.certificate_ends_in", Warnings, span(days(1), days(90)), days(14);
    /// Refused log-ins of the last hour from which they are warned of.
    login_alarm: u64 = "warnings.failed_logins", Warnings,
        SettingKind::Number { least: 1, most: 1_000_000, unit: Unit::LogIns }, 100;
}

/// One setting by its name.
pub fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// A value that someone set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetValue {
    /// The setting's name.
    pub name: String,
    /// As it is written.
    pub value: String,
    /// When.
    pub changed_at: Timestamp,
}

/// Why a setting wasn't changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// The value doesn't do.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for SettingError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// The settings in force, where all can take them.
#[derive(Debug)]
pub(crate) struct Board {
    /// What counts where nothing is set: the defaults, with what the bootstrap file says.
    base: Mutex<Settings>,
    now: watch::Sender<Arc<Settings>>,
}

impl Default for Board {
    fn default() -> Self {
        Self { base: Mutex::default(), now: watch::Sender::new(Arc::new(Settings::default())) }
    }
}

impl Board {
    fn base(&self) -> Settings {
        self.base.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts the base and what was set into force.
    fn publish(&self, set: &[SetValue]) {
        let mut settings = self.base();
        for SetValue { name, value, .. } in set {
            // A newer version's setting, or a range that has become narrower: the others still count.
            if let Err(error) = settings.set(name, value) {
                tracing::warn!(setting = name, %error, "a setting in the database is passed over");
            }
        }
        self.now.send_if_modified(|now| {
            let is_new = **now != settings;
            if is_new {
                *now = Arc::new(settings);
            }
            is_new
        });
    }
}

impl Store {
    /// The settings as they are now. Cheap: take them once a session or request.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.inner.settings.now.borrow())
    }

    /// Told when the settings change.
    pub fn settings_changes(&self) -> watch::Receiver<Arc<Settings>> {
        self.inner.settings.now.subscribe()
    }

    /// The settings as they would be if nobody had set any.
    pub fn settings_base(&self) -> Settings {
        self.inner.settings.base()
    }

    /// Says what counts where nothing is set, instead of the defaults: what the bootstrap file says.
    ///
    /// # Errors
    /// As [`Store::read_settings`].
    pub async fn start_settings_from(&self, base: Settings) -> Result<(), StoreError> {
        *self.inner.settings.base.lock().unwrap_or_else(PoisonError::into_inner) = base;
        self.read_settings().await
    }

    /// Reads the settings anew: another node may have changed them.
    pub async fn read_settings(&self) -> Result<(), StoreError> {
        let set = self.set_values().await?;
        self.inner.settings.publish(&set);
        Ok(())
    }

    /// Sets one setting; with none, what counts where nothing is set counts again. In force when this returns.
    ///
    /// # Errors
    /// [`SettingError::Value`]: nothing was changed.
    pub async fn change_setting(&self, by: &Author, name: &str, value: Option<&str>) -> Result<(), SettingError> {
        let Some(setting) = setting(name) else { return Err(ValueError::Unknown.into()) };
        let mut settings = self.settings_base();
        if let Some(value) = value {
            settings.set(name, value)?;
        }
        // As it is written, whatever way it was typed.
        let value = value.and_then(|_| settings.value(name));
        let (scribe, name) = (self.scribe(by), setting.name);
        self.write(move |tx| Box::pin(async move { change(tx, &scribe, "setting.change", name, value).await })).await?;
        Ok(self.read_settings().await?)
    }

    /// What was set, by name.
    pub async fn set_values(&self) -> Result<Vec<SetValue>, StoreError> {
        let sql = "SELECT name, value, changed_at FROM setting ORDER BY name";
        let rows: Vec<(String, String, i64)> = sqlx::query_as(sql).fetch_all(&mut *self.reader().await?).await?;
        let read = |(name, value, changed_at)| SetValue { name, value, changed_at: Timestamp::from_millis(changed_at) };
        Ok(rows.into_iter().map(read).collect())
    }
}

/// Writes what was set, or, with none, that nobody has set it; [`Store::read_settings`] brings it into force.
async fn change(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    act: &'static str,
    name: &'static str,
    value: Option<String>,
) -> Result<(), StoreError> {
    let sql = "SELECT value FROM setting WHERE name = $1";
    let before: Option<String> = sqlx::query_scalar(sql).bind(name).fetch_optional(&mut *tx).await?;
    if before == value {
        return Ok(());
    }
    match &value {
        Some(value) => {
            let sql = "INSERT INTO setting (name, value, changed_at) VALUES ($1, $2, $3)
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at";
            let query = sqlx::query(sql).bind(name).bind(value.as_str()).bind(scribe.now().millis());
            query.execute(&mut *tx).await?;
        }
        None => {
            sqlx::query("DELETE FROM setting WHERE name = $1").bind(name).execute(&mut *tx).await?;
        }
    }
    // A null is what nobody had set: that is what an undo brings back. A secret is told to nobody, and so cannot be undone.
    let is_secret = setting(name).is_some_and(|setting| matches!(setting.kind, SettingKind::Secret { .. }));
    let state = |value: Option<String>| (!is_secret).then(|| json!({ "value": value }));
    let deed = Deed { act, subject: name.to_owned(), ..Deed::default() };
    scribe.note(tx, deed.between(state(before), state(value))).await?;
    Ok(())
}

/// Writes back what a setting was before a change, where it still is as that change left it.
pub(crate) async fn undo(tx: &mut AnyConnection, entry: &AuditEntry, scribe: &Scribe) -> Result<(), DirectoryError> {
    let setting = setting(&entry.subject).ok_or(DirectoryError::NotUndoable)?;
    let sql = "SELECT value FROM setting WHERE name = $1";
    let present: Option<String> = sqlx::query_scalar(sql).bind(setting.name).fetch_optional(&mut *tx).await?;
    if present.as_deref() != entry.became("value") {
        return Err(DirectoryError::ChangedSince(vec!["value".to_owned()]));
    }
    Ok(change(tx, scribe, "setting.undo", setting.name, entry.was("value").map(str::to_owned)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_default_is_a_value_that_may_be_set() {
        let mut settings = Settings::default();
        for setting in SETTINGS {
            let value = settings.value(setting.name).unwrap();
            settings.set(setting.name, &value).unwrap_or_else(|error| panic!("{} = {value}: {error}", setting.name));
            assert_eq!(settings.value(setting.name), Some(value));
        }
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn names_are_once_and_sections_stand_together() {
        let mut names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        names.sort_unstable();
        assert!(names.is_sorted_by(|one, other| one < other));
        let places: Vec<_> = SETTINGS
            .iter()
            .map(|setting| SettingSection::ALL.iter().position(|section| *section == setting.section))
            .collect();
        assert!(places.is_sorted());
    }

    #[test]
    fn what_does_not_do_changes_nothing() {
        let check = |name: &str, text: &str, expected: Result<&str, ValueError>| {
            let mut settings = Settings::default();
            let before = settings.value(name);
            let set = settings.set(name, text);
            let after = settings.value(name);
            match expected {
                Ok(value) => assert_eq!((set, after.as_deref()), (Ok(()), Some(value)), "{name} = {text}"),
                Err(error) => assert_eq!((set, after), (Err(error), before), "{name} = {text}"),
            }
        };
        check("mail.message_octets", "25 MiB", Ok("26214400"));
        check("mail.message_octets", "26214400", Ok("26214400"));
        check("mail.message_octets", "1", Err(ValueError::Range));
        check("mail.message_octets", "large", Err(ValueError::Number));
        check("queue.lifetime", "4 d", Ok("345600"));
        check("queue.lifetime", "3600", Ok("3600"));
        check("queue.lifetime", "-1", Err(ValueError::Span));
        check("queue.lifetime", "99999999999999999999 d", Err(ValueError::Range));
        check("second_factor.required", "true", Ok("true"));
        check("second_factor.required", "maybe", Err(ValueError::Switch));
        check("house.language", "fr", Ok("fr"));
        check("house.language", "xx", Err(ValueError::Choice));
        check("house.contact", "ann@house.example", Ok("ann@house.example"));
        check("house.contact", "", Ok(""));
        check("house.contact", "ann", Err(ValueError::Address));
        check("house.name", "  Post  ", Ok("Post"));
        check("house.name", "", Err(ValueError::Empty));
        check("house.name", "a\nb", Err(ValueError::Words));
        check("house.name", &"x".repeat(61), Err(ValueError::Long));
        check("webhooks.allow_internal", "10.0.0.0/8, ::1", Ok("10.0.0.0/8, ::1/128"));
        check("webhooks.allow_internal", "10.0.0.0/33", Err(ValueError::Network));
        check("junk.blocklists", "zen.spamhaus.org, bl.example", Ok("zen.spamhaus.org, bl.example"));
        check("junk.blocklists", "no domain!", Err(ValueError::Domain));
        check("acme.directory_url", "https://ca.example/directory", Ok("https://ca.example/directory"));
        check("acme.directory_url", "http://ca.example/directory", Err(ValueError::Url));
        check("acme.directory_url", "https://", Err(ValueError::Url));
        check("acme.directory_url", "https://ann:secret@ca.example/", Err(ValueError::Url));
        check("acme.directory_url", "", Err(ValueError::Url));
        check("imap.jmap", " https://example.com/.s/[jmap] ", Ok("https://example.com/.s/[jmap]"));
        check("imap.jmap", "", Ok(""));
        check("imap.jmap", "http://example.com/jmap", Err(ValueError::Url));
        check("imap.jmap", "https://example.com/é", Err(ValueError::Url));
        check("imap.jmap", "https://example.com/a b", Err(ValueError::Url));
        check("acme.eab_key_id", "", Ok(""));
        check("acme.eab_key", &"x".repeat(501), Err(ValueError::Long));
        check("filters.clamd", "unix:/run/clamav/clamd.ctl", Ok("unix:/run/clamav/clamd.ctl"));
        check("filters.clamd", "clamd", Err(ValueError::Endpoint));
        check("filters.clamd", "a:1, b:2", Err(ValueError::Endpoint));
        check("filters.milters", " a:1,unix:/b\n[::1]:3 ", Ok("a:1, unix:/b, [::1]:3"));
        check("filters.milters", "", Ok(""));
        check("filters.milters", &"a:1,".repeat(9), Err(ValueError::Long));
        check("no.such", "1", Err(ValueError::Unknown));
    }
}
