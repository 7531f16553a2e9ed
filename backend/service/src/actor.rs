//! Who asks, and what they may.

use std::net::IpAddr;

use relais_model::{Address, Domain};
pub use relais_store::Via;
use relais_store::{AccountKey, Author, DomainKey};
use serde::{Deserialize, Serialize};

use crate::{Failure, Text};

/// What someone may do in the house. Each may all that those before it may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Their own account, and nothing else.
    #[default]
    User,
    /// Sees people, queue and traces of the domains they serve; sends password links, ends sessions, lifts bans.
    HelpDesk,
    /// Manages people, addresses and settings of their domains.
    DomainAdmin,
    /// Everything.
    Owner,
}

impl Role {
    /// All, from the least to the most.
    pub const ALL: [Self; 4] = [Self::User, Self::HelpDesk, Self::DomainAdmin, Self::Owner];

    /// Its name in forms and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::HelpDesk => "help_desk",
            Self::DomainAdmin => "domain_admin",
            Self::Owner => "owner",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl From<relais_store::Role> for Role {
    fn from(role: relais_store::Role) -> Self {
        match role {
            relais_store::Role::User => Self::User,
            relais_store::Role::HelpDesk => Self::HelpDesk,
            relais_store::Role::DomainAdmin => Self::DomainAdmin,
            relais_store::Role::Owner => Self::Owner,
        }
    }
}

impl From<Role> for relais_store::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::User => Self::User,
            Role::HelpDesk => Self::HelpDesk,
            Role::DomainAdmin => Self::DomainAdmin,
            Role::Owner => Self::Owner,
        }
    }
}

/// Whose things the asker may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everybody's.
    All,
    /// Those of these domains.
    Domains(Vec<(DomainKey, Domain)>),
}

/// The one who asks. Made where a session, a key or the control socket has been checked, and where the house sends what somebody left to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// How the activity names them: an address, a key's name with its owner, or the command line.
    pub name: String,
    /// Their account; the command line has none.
    pub account: Option<(AccountKey, Address)>,
    /// What they may.
    pub role: Role,
    /// Whose things they see.
    pub reach: Reach,
    /// How they came.
    pub via: Via,
    /// From where.
    pub peer: Option<IpAddr>,
    /// They said of late who they are: dangerous acts ask for it.
    pub is_proven: bool,
}

impl Actor {
    /// Root, or the house's own user, at this host's command line.
    pub fn command_line() -> Self {
        Self {
            name: "command line".to_owned(),
            account: None,
            role: Role::Owner,
            reach: Reach::All,
            via: Via::CommandLine,
            peer: None,
            is_proven: true,
        }
    }

    /// As the activity names them.
    pub fn author(&self) -> Author {
        let account = self.account.as_ref().map(|(key, _)| *key);
        Author { name: self.name.clone(), account, via: self.via, peer: self.peer }
    }

    /// Refuses who has less than `role`.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub fn require(&self, role: Role) -> Result<(), Failure> {
        if self.role < role { Err(Failure::Forbidden(Text::new("failure-forbidden"))) } else { Ok(()) }
    }

    /// Refuses who doesn't see `domain`, in the words for a domain that isn't there.
    ///
    /// # Errors
    /// [`Failure::Absent`].
    pub fn require_reach(&self, domain: &Domain) -> Result<(), Failure> {
        match &self.reach {
            Reach::All => Ok(()),
            Reach::Domains(domains) if domains.iter().any(|(_, own)| own == domain) => Ok(()),
            Reach::Domains(_) => {
                Err(Failure::Absent(Text::new("failure-unknown-domain").with("domain", domain.to_unicode())))
            }
        }
    }

    /// The domains that lists are cut to; none: no cut.
    pub fn domains(&self) -> Option<Vec<DomainKey>> {
        match &self.reach {
            Reach::All => None,
            Reach::Domains(domains) => Some(domains.iter().map(|(key, _)| *key).collect()),
        }
    }

    /// Their own account.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line, which has none.
    pub fn own(&self) -> Result<(AccountKey, &Address), Failure> {
        let own = self.account.as_ref().map(|(key, address)| (*key, address));
        own.ok_or_else(|| Failure::Absent(Text::new("failure-no-account")))
    }

    /// Refuses a session that was left open too long for a dangerous act.
    ///
    /// # Errors
    /// [`Failure::Unproven`].
    pub const fn require_proof(&self) -> Result<(), Failure> {
        if self.is_proven { Ok(()) } else { Err(Failure::Unproven) }
    }
}
