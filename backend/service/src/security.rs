//! Who knocks and is refused: log-ins that failed, and bans. Sessions are the sign-in's.

use std::net::IpAddr;
use std::time::Duration;

use relais_model::{Address, Domain};
use relais_reception::{Ban, BanTarget, Banned};
use relais_store::LoginScope;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Actor, Failure, Moment, Paging, Reach, Role, Rows, Service, Text};

/// So far back failed log-ins are counted.
const LATELY: Duration = Duration::from_hours(1);

/// One ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BanView {
    /// The network, `192.0.2.0/24`; the name that was tried; or `everybody` whom we don't know. It names the ban.
    pub whom: String,
    /// `network`, `name` or `everybody`.
    pub kind: &'static str,
    /// When it began.
    pub since: Moment,
    /// When it ends by itself.
    pub until: Moment,
    /// Failures that led to it.
    pub failures: u32,
}

/// Log-ins of one kind that failed, as one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FailedLogin {
    /// As it was typed, shortened.
    pub name: String,
    /// Someone here has this name.
    pub is_known: bool,
    /// `imap`, `pop3`, `smtp`, `web` or `api`.
    pub protocol: &'static str,
    /// From where the last one came.
    pub ip: String,
    /// When the first one came.
    pub first_at: Moment,
    /// When the last one came.
    pub last_at: Moment,
    /// How many they are.
    pub attempts: u64,
}

impl Service {
    /// Log-ins that were refused, the latest first: of names in their domains for who serves some.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is neither help desk nor more.
    pub async fn failed_logins(&self, by: &Actor, paging: Paging) -> Result<Rows<FailedLogin>, Failure> {
        by.require(Role::HelpDesk)?;
        let domains = by.domains();
        let scope = domains.as_deref().map_or(LoginScope::All, LoginScope::Domains);
        let listing = self.store.failed_logins(scope, &paging.page()).await?;
        Ok(Rows::of(listing, |row| FailedLogin {
            name: row.name,
            is_known: row.account.is_some(),
            protocol: row.protocol.as_str(),
            ip: row.ip,
            first_at: row.first_at.into(),
            last_at: row.last_at.into(),
            attempts: row.attempts,
        }))
    }

    /// What is refused now: of names in their domains for who serves some. At most as many as the limits list.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is neither help desk nor more.
    pub fn bans(&self, by: &Actor) -> Result<Vec<BanView>, Failure> {
        by.require(Role::HelpDesk)?;
        Ok(self.login.bans().into_iter().filter(|ban| sees(by, &ban.of)).map(view).collect())
    }

    /// Lifts a ban, and forgets the failures that led to it.
    ///
    /// # Errors
    /// [`Failure::Absent`] where there is none of theirs.
    pub async fn unban(&self, by: &Actor, whom: &str) -> Result<(), Failure> {
        by.require(Role::HelpDesk)?;
        let absent = || Failure::Absent(Text::new("security-no-ban").with("whom", whom));
        let target = BanTarget::parse(whom);
        let is_theirs = match (&by.reach, &target) {
            (Reach::All, _) => true,
            (Reach::Domains(_), BanTarget::Name(name)) => sees(by, &Banned::Name(name.clone())),
            (Reach::Domains(_), _) => false,
        };
        if is_theirs && self.login.unban(&target) > 0 {
            self.store.note_lifted_ban(&by.author(), whom).await?;
            return Ok(());
        }
        Err(absent())
    }

    /// Refused log-ins of the last hour, on all doors.
    pub(crate) async fn failed_logins_of_last_hour(&self) -> Result<u64, Failure> {
        Ok(self.store.count_failed_logins(self.store.now().minus(LATELY)).await?)
    }

    /// Notes the network that an owner signed in from: it is never banned.
    pub fn note_owner_network(&self, by: &Actor, peer: IpAddr) {
        if by.role == Role::Owner {
            self.login.note_owner_network(peer, self.store.now());
        }
    }
}

/// Names of their domains are theirs; networks, and the refusal of everybody, are the owners'.
fn sees(by: &Actor, banned: &Banned) -> bool {
    match (&by.reach, banned) {
        (Reach::All, _) => true,
        (Reach::Domains(domains), Banned::Name(name)) => {
            let domain = Address::parse(name).ok().map(|address| address.domain);
            let is = |domain: &Domain| domains.iter().any(|(_, theirs)| theirs == domain);
            domain.as_ref().is_some_and(is)
        }
        (Reach::Domains(_), Banned::Network(_) | Banned::Everybody) => false,
    }
}

fn view(ban: Ban) -> BanView {
    BanView {
        whom: ban.of.to_string(),
        kind: match ban.of {
            Banned::Name(_) => "name",
            Banned::Network(_) => "network",
            Banned::Everybody => "everybody",
        },
        since: ban.since.into(),
        until: ban.until.into(),
        failures: ban.failures,
    }
}
