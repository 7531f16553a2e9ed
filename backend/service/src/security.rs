//! Who knocks and is refused: failed log-ins, networks that misbehave at port 25, and bans with their end.
//!
//! Invariant: who serves some domains sees and lifts what is about names of these domains. What is about networks, or everybody,
//! is the whole house's.

use std::time::Duration;

use relais_model::Address;
use relais_reception::{Ban, BanReason, BanTarget, Banned};
use relais_store::{LoginRow, LoginScope, LoginsBy};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Actor, Failure, Moment, Paging, Reach, Role, Rows, Service, Text};

/// How far the counts look back.
const COUNTED: Duration = Duration::from_hours(24);

/// Bans that are shown, those that last longest.
const MOST_BANS: usize = 1000;

/// Networks, and names, that are counted.
const MOST: u32 = 10;

/// One ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BanView {
    /// The network, `192.0.2.7` or `2001:db8::/64`; a name as it was typed, in lower case; or `everybody`.
    pub whom: String,
    /// `network` and `name`: of log-ins; `everybody`: of all whom the house doesn't know; `door`: a network, at port 25.
    pub kind: &'static str,
    /// When it began.
    pub since: Moment,
    /// When it ends by itself.
    pub until: Moment,
    /// Failures that led to it: refused log-ins, or faults at port 25.
    pub failures: u32,
    /// What most of them are: `log-ins`, `unknown-recipients`, `relaying`, or `protocol`.
    pub why: &'static str,
}

/// Refused log-ins of one kind, within a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FailedLogin {
    /// As it was typed, shortened.
    pub name: String,
    /// Someone here has this name.
    pub is_known: bool,
    /// `imap`, `pop3`, `smtp`, `sieve`, `web` or `api`.
    pub protocol: &'static str,
    /// From where the last one came.
    pub ip: String,
    /// When the last one came.
    pub at: Moment,
    /// How many they are.
    pub attempts: u64,
}

/// Who was refused how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefusedTally {
    /// An IP address, or a name.
    pub whom: String,
    /// So many times.
    pub attempts: u64,
}

/// Who knocks and is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Security {
    /// What is refused now: what lasts longest first.
    pub bans: Vec<BanView>,
    /// Refused log-ins of the last 24 hours.
    pub failed: u64,
    /// From where the most came, at most ten.
    pub by_ip: Vec<RefusedTally>,
    /// As whom, at most ten.
    pub by_name: Vec<RefusedTally>,
}

impl BanView {
    fn of(ban: &Ban) -> Self {
        Self {
            kind: match ban.of {
                Banned::Name(_) => "name",
                Banned::Network(_) if ban.why == BanReason::LogIns => "network",
                Banned::Network(_) => "door",
                Banned::Everybody => "everybody",
            },
            whom: ban.of.to_string(),
            since: ban.since.into(),
            until: ban.until.into(),
            failures: ban.failures,
            why: ban.why.as_str(),
        }
    }
}

impl FailedLogin {
    fn of(row: LoginRow) -> Self {
        Self {
            is_known: row.account.is_some(),
            protocol: row.protocol.as_str(),
            at: row.last_at.into(),
            name: row.name,
            ip: row.ip,
            attempts: row.attempts,
        }
    }
}

/// Whether what is said of `name` is theirs to see.
fn is_theirs(by: &Actor, name: &str) -> bool {
    match &by.reach {
        Reach::All => true,
        Reach::Domains(domains) => {
            Address::parse(name).is_ok_and(|address| domains.iter().any(|(_, domain)| *domain == address.domain))
        }
    }
}

impl Service {
    /// Bans, and who was refused in the last 24 hours, as far as the one who asks may see it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is neither help desk nor more.
    pub async fn security(&self, by: &Actor) -> Result<Security, Failure> {
        by.require(Role::HelpDesk)?;
        let domains = by.domains();
        let scope = domains.as_deref().map_or(LoginScope::All, LoginScope::Domains);
        let since = self.store.now().minus(COUNTED);
        let tally = |(whom, attempts)| RefusedTally { whom, attempts };
        let by_ip = self.store.most_failed_logins(scope, LoginsBy::Ip, since, MOST).await?;
        let by_name = self.store.most_failed_logins(scope, LoginsBy::Name, since, MOST).await?;
        let mut bans = self.login.bans();
        bans.extend(self.porter.bans());
        bans.retain(|ban| match &ban.of {
            Banned::Name(name) => is_theirs(by, name),
            Banned::Network(_) | Banned::Everybody => by.reach == Reach::All,
        });
        bans.sort_by_key(|ban| std::cmp::Reverse(ban.until));
        bans.truncate(MOST_BANS);
        Ok(Security {
            bans: bans.iter().map(BanView::of).collect(),
            failed: self.store.count_failed_logins(scope, since).await?,
            by_ip: by_ip.into_iter().map(tally).collect(),
            by_name: by_name.into_iter().map(tally).collect(),
        })
    }

    /// Refused log-ins, the latest first, as far as the one who asks may see them.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is neither help desk nor more.
    pub async fn failed_logins(&self, by: &Actor, paging: Paging) -> Result<Rows<FailedLogin>, Failure> {
        by.require(Role::HelpDesk)?;
        let domains = by.domains();
        let scope = domains.as_deref().map_or(LoginScope::All, LoginScope::Domains);
        Ok(Rows::of(self.store.failed_logins(scope, &paging.page()).await?, FailedLogin::of))
    }

    /// Lifts the ban of `whom`, as [`BanView::whom`] says it, and forgets the failures that led to it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`] where nothing of them is refused, or it is nothing of theirs.
    pub async fn lift_ban(&self, by: &Actor, whom: &str) -> Result<(), Failure> {
        by.require(Role::HelpDesk)?;
        let absent = || Failure::Absent(Text::new("security-no-ban").with("whom", whom));
        let target = BanTarget::parse(whom);
        let may_lift = match &target {
            BanTarget::Name(name) => is_theirs(by, name),
            BanTarget::Network(_) | BanTarget::Everybody | BanTarget::All => by.reach == Reach::All,
        };
        if !may_lift || self.lift(&target) == 0 {
            return Err(absent());
        }
        tracing::info!(by = by.name, whom, "a ban was lifted");
        Ok(self.store.note_lifted_ban(&by.author(), whom).await?)
    }

    /// Lifts all bans; tells how many there were. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn lift_all_bans(&self, by: &Actor) -> Result<u64, Failure> {
        by.require(Role::Owner)?;
        let lifted = self.lift(&BanTarget::All);
        if lifted > 0 {
            tracing::info!(by = by.name, lifted, "all bans were lifted");
            self.store.note_lifted_ban(&by.author(), "*").await?;
        }
        Ok(u64::try_from(lifted).unwrap_or(u64::MAX))
    }

    fn lift(&self, target: &BanTarget) -> usize {
        self.login.unban(target) + self.porter.unban(target)
    }

    /// Refused log-ins of the last hour, on all doors.
    pub(crate) async fn failed_logins_of_last_hour(&self) -> Result<u64, Failure> {
        let since = self.store.now().minus(Duration::from_hours(1));
        Ok(self.store.count_failed_logins(LoginScope::All, since).await?)
    }
}
