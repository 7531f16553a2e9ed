//! The house as a machine: its version, its health, its doors, its log.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use relais_finding::Standing;
use relais_model::Timestamp;
use relais_store::Engine;
use serde::Serialize;
use utoipa::ToSchema;

use crate::filters::{self, FilterView};
use crate::{Actor, Failure, Moment, Role, Service, Text};

/// Lines of the log that are kept for people to look at.
const LOG_LINES: usize = 500;

/// Octets of one line that are kept.
const LOG_LINE_OCTETS: usize = 1000;

/// What the binary knows of the machine and of the doors: a port, for a test has neither.
pub trait Host: Send + Sync + fmt::Debug {
    /// The house's own name.
    fn name(&self) -> String;
    /// When it began to serve.
    fn started_at(&self) -> Timestamp;
    /// The doors that are open.
    fn listeners(&self) -> Vec<ListenerView>;
    /// The certificates in use.
    fn certificates(&self) -> Vec<CertificateFact>;
    /// Room on the disk of the data directory; none where it doesn't answer.
    fn disk(&self) -> Option<DiskFact>;
    /// Mail goes out.
    fn is_delivering(&self) -> bool;
}

/// A certificate in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFact {
    /// The names that it is made out for.
    pub names: Vec<String>,
    /// Its last moment.
    pub not_after: Timestamp,
    /// Its issuer is itself: nobody else trusts it.
    pub is_self_signed: bool,
    /// Its SHA-256, as browsers show it: pairs of capital hexadecimal digits, colons between them.
    pub fingerprint: String,
}

/// Room on a disk, in octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct DiskFact {
    /// All of it.
    pub total: u64,
    /// What is free for us.
    pub free: u64,
    /// With less free than this new mail is put off.
    pub floor: u64,
}

/// A door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListenerView {
    /// `smtp`, `submission`, `imap`, `pop3`, `sieve`, `lmtp`, `http`.
    pub protocol: String,
    /// `0.0.0.0:25`, or `unix:/path`.
    pub at: String,
    /// `none`, `starttls` or `implicit`.
    pub tls: String,
}

/// A certificate, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CertificateView {
    /// The names that it is made out for.
    pub names: Vec<String>,
    /// Its last moment.
    pub not_after: Moment,
    /// Days until then; 0 where it is past.
    pub days_left: u64,
    /// It ends soon, or it has ended.
    pub is_ending: bool,
    /// Its issuer is itself: programs of people will warn of it.
    pub is_self_signed: bool,
    /// Its SHA-256, as browsers show it.
    #[schema(example = "6A:F3:…:09")]
    pub fingerprint: String,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HealthCheck {
    /// Its name: `database`, `writer`, `disk`, `delivery`, `certificates`, `filters`.
    pub name: &'static str,
    /// It is well.
    pub is_well: bool,
    /// In a sentence.
    pub says: Text,
}

/// The house as a machine.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SystemView {
    /// Of Relais.
    pub version: &'static str,
    /// The house's own name.
    pub host_name: String,
    /// When it began to serve.
    pub started_at: Option<Moment>,
    /// `SQLite` or `PostgreSQL`.
    pub engine: &'static str,
    /// What was looked at now.
    pub health: Vec<HealthCheck>,
    /// The doors that are open.
    pub listeners: Vec<ListenerView>,
    /// The certificates in use.
    pub certificates: Vec<CertificateView>,
    /// The programs that are asked about messages.
    pub filters: Vec<FilterView>,
    /// The disk of the data directory.
    pub disk: Option<DiskFact>,
    /// How much is kept.
    pub sizes: DataSizes,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DataSizes {
    /// Octets of the database.
    pub database_octets: u64,
    /// People.
    pub accounts: u64,
    /// Domains.
    pub domains: u64,
    /// Messages in all mailboxes.
    pub messages: u64,
    /// Octets that people's messages count for.
    pub message_octets: u64,
}

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For who looks for a fault.
    Debug,
    /// What happens.
    Info,
    /// What is odd.
    Warn,
    /// A person must act.
    Error,
}

impl LogLevel {
    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "debug" => Some(Self::Debug),
            "info" => Some(Self::Info),
            "warn" => Some(Self::Warn),
            "error" => Some(Self::Error),
            _ => None,
        }
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogLine {
    /// When.
    pub at: Moment,
    /// How much it matters.
    pub level: LogLevel,
    /// What it says, with its values.
    pub text: String,
}

/// The last lines of the log, in memory. The rule that no secret stands in the log holds here, too: these are the same lines.
#[derive(Debug, Default)]
pub struct LogTail {
    lines: Mutex<VecDeque<LogLine>>,
}

impl LogTail {
    /// Keeps a line, shortened; the oldest goes.
    pub fn push(&self, at: Timestamp, level: LogLevel, text: &str) {
        let text = text.get(..text.floor_char_boundary(LOG_LINE_OCTETS)).unwrap_or(text).to_owned();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if LOG_LINES <= lines.len() {
            lines.pop_front();
        }
        lines.push_back(LogLine { at: at.into(), level, text });
    }

    /// Those that matter as much as `least` or more, the latest first.
    pub fn lines(&self, least: LogLevel) -> Vec<LogLine> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().rev().filter(|line| least <= line.level).cloned().collect()
    }
}

/// How the search index stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IndexView {
    /// Contents in it; a content is counted once, however many mailboxes hold it.
    pub indexed: u64,
    /// Contents that the house keeps.
    pub contents: u64,
    /// Octets of its files.
    pub octets: u64,
    /// How many files.
    pub files: usize,
    /// All that was there a moment ago is in it. Else it is being made or brought up to date, and searches read messages meanwhile.
    pub is_current: bool,
    /// A server runs and keeps it.
    pub is_kept: bool,
}

impl Service {
    /// How the search index stands. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn index(&self, by: &Actor) -> Result<IndexView, Failure> {
        by.require(Role::Owner)?;
        let Standing { indexed, contents, octets, files, is_current, is_kept } = self.finder.standing().await?;
        Ok(IndexView { indexed, contents, octets, files, is_current, is_kept })
    }

    /// Has the search index made anew, from the messages. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn rebuild_index(&self, by: &Actor) -> Result<IndexView, Failure> {
        by.require(Role::Owner)?;
        self.finder.rebuild();
        self.index(by).await
    }

    /// What is wrong in the database: counts, quota, dangling rows. Reads all of it. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn check_store(&self, by: &Actor) -> Result<Vec<String>, Failure> {
        by.require(Role::Owner)?;
        Ok(self.store.check().await?)
    }

    /// The house as a machine: looked at now.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no owner.
    pub async fn system(&self, by: &Actor) -> Result<SystemView, Failure> {
        by.require(Role::Owner)?;
        let host = self.host();
        let (filters, mut health) = tokio::join!(self.filters(), self.health());
        health.extend(filters::health(&filters));
        Ok(SystemView {
            version: env!("CARGO_PKG_VERSION"),
            host_name: host.map(Host::name).unwrap_or_default(),
            started_at: host.map(|host| host.started_at().into()),
            engine: match self.store.engine() {
                Engine::Sqlite => "SQLite",
                Engine::Postgres => "PostgreSQL",
            },
            health,
            listeners: host.map(Host::listeners).unwrap_or_default(),
            certificates: self.certificates(),
            filters,
            disk: host.and_then(Host::disk),
            sizes: self.data_sizes().await?,
        })
    }

    /// The last lines of the log, the latest first: at most 500.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no owner.
    pub fn log(&self, by: &Actor, least: LogLevel) -> Result<Vec<LogLine>, Failure> {
        by.require(Role::Owner)?;
        Ok(self.operations.log.lines(least))
    }

    pub(crate) fn certificates(&self) -> Vec<CertificateView> {
        let (now, alarm) = (self.store.now(), self.store.settings().certificate_alarm);
        let facts = self.host().map(Host::certificates).unwrap_or_default();
        let view = |fact: CertificateFact| {
            let left = fact.not_after.since(now);
            CertificateView {
                names: fact.names,
                not_after: fact.not_after.into(),
                days_left: left.as_secs() / 86_400,
                is_ending: left < alarm,
                is_self_signed: fact.is_self_signed,
                fingerprint: fact.fingerprint,
            }
        };
        facts.into_iter().map(view).collect()
    }

    /// What can be looked at of the house's health.
    pub(crate) async fn health(&self) -> Vec<HealthCheck> {
        let check =
            |name, is_well, well, ill| HealthCheck { name, is_well, says: Text::new(if is_well { well } else { ill }) };
        let reads = self.store.ping().await.is_ok();
        let writes = self.store.ping_writer().await.is_ok();
        let mut checks = vec![
            check("database", reads, "system-database-well", "system-database-ill"),
            check("writer", writes, "system-writer-well", "system-writer-ill"),
        ];
        if let Some(host) = self.host() {
            let has_room = host.disk().is_some_and(|disk| disk.floor <= disk.free);
            checks.push(check("disk", has_room, "system-disk-well", "system-disk-ill"));
            checks.push(check("delivery", host.is_delivering(), "system-delivery-well", "system-delivery-ill"));
            let lasts = !self.certificates().iter().any(|certificate| certificate.is_ending);
            checks.push(check("certificates", lasts, "system-certificates-well", "system-certificates-ill"));
        }
        checks
    }

    async fn data_sizes(&self) -> Result<DataSizes, Failure> {
        let sizes = self.store.sizes().await?;
        Ok(DataSizes {
            database_octets: sizes.database_octets,
            accounts: sizes.accounts,
            domains: sizes.domains,
            messages: sizes.messages,
            message_octets: sizes.message_octets,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_bounded_and_filtered() {
        let tail = LogTail::default();
        for number in 0..LOG_LINES + 10 {
            tail.push(Timestamp::from_seconds(1), LogLevel::Info, &format!("line {number} {}", "é".repeat(1000)));
        }
        tail.push(Timestamp::from_seconds(2), LogLevel::Error, "broken");
        let lines = tail.lines(LogLevel::Debug);
        assert_eq!((lines.len(), lines[0].text.as_str()), (LOG_LINES, "broken"));
        assert!(lines[1].text.len() <= LOG_LINE_OCTETS);
        assert_eq!(tail.lines(LogLevel::Warn).len(), 1);
    }
}
