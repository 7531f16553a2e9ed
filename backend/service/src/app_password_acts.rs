//! App passwords of an account, and bans, as the command line asks for them.

use relais_reception::{AddAppPasswordError, BanTarget, Login};
use relais_store::{Account, AppPassword, AppPasswordError, LoginProtocol, Protocols, Store};
use serde::{Deserialize, Serialize};

use crate::directory::{address, author, readable};
use crate::trace::time;
use crate::{ActFailure, Password, Rows};

/// One app password; not itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppPasswordRow {
    /// As the person named the device.
    pub name: String,
    /// What it is for: `imap`, `pop3`, `smtp`.
    pub protocols: Vec<String>,
    /// When it was made.
    pub created_at: String,
    /// When it was last used, within a minute; none: never.
    pub last_used_at: Option<String>,
    /// From where it was then.
    pub last_used_ip: Option<String>,
}

/// One ban.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BanRow {
    /// Whose: a name, a network, or `everybody`. `relais unban` takes it.
    pub of: String,
    /// When it began.
    pub since: String,
    /// When it ends by itself.
    pub until: String,
    /// Failures that led to it.
    pub failures: u32,
}

/// Makes one; its text is never shown again.
pub(crate) async fn add(
    login: &Login,
    account: &str,
    name: String,
    protocols: Option<&[String]>,
) -> Result<Password, ActFailure> {
    let account = address(account)?;
    let protocols = protocols.map_or(Ok(Protocols::ALL), parse)?;
    let made = login.add_app_password(&account, name, protocols, &author()).await?;
    Ok(Password::new(made.expose()))
}

/// All of an account.
pub(crate) async fn list(store: &Store, text: &str) -> Result<Rows<AppPasswordRow>, ActFailure> {
    let account = find(store, text).await?;
    let rows = store.app_passwords(account.key).await?.into_iter().map(row).collect();
    Ok(Rows { rows, next: None })
}

/// Takes one back.
pub(crate) async fn remove(store: &Store, text: &str, name: &str) -> Result<String, ActFailure> {
    let account = find(store, text).await?;
    if store.remove_app_password(account.key, name, &author()).await? {
        return Ok(format!("the app password `{name}` of {} is gone", readable(&account.address)));
    }
    Err(ActFailure::Absent(format!("{} has no app password `{name}`", readable(&account.address))))
}

/// What is refused now.
pub(crate) fn bans(login: &Login) -> Rows<BanRow> {
    let rows = login.bans().into_iter().map(|ban| BanRow {
        of: ban.of.to_string(),
        since: time(ban.since),
        until: time(ban.until),
        failures: ban.failures,
    });
    Rows { rows: rows.collect(), next: None }
}

/// Lifts bans; none lifts all.
pub(crate) fn unban(login: &Login, target: Option<&str>) -> String {
    let lifted = login.unban(&target.map_or(BanTarget::All, BanTarget::parse));
    format!("{lifted} bans lifted")
}

async fn find(store: &Store, text: &str) -> Result<Account, ActFailure> {
    let address = address(text)?;
    let absent = || ActFailure::Absent(format!("{} is not here", readable(&address)));
    store.account(&address).await?.ok_or_else(absent)
}

fn parse(names: &[String]) -> Result<Protocols, ActFailure> {
    let parse = |name: &String| {
        let protocol = LoginProtocol::parse(&name.to_ascii_lowercase());
        protocol.filter(|protocol| Protocols::ALL.has(*protocol)).ok_or_else(|| {
            ActFailure::Bad(format!("`{name}` is no protocol that app passwords are for: imap, pop3, smtp"))
        })
    };
    Ok(Protocols::of(&names.iter().map(parse).collect::<Result<Vec<_>, _>>()?))
}

fn row(one: AppPassword) -> AppPasswordRow {
    AppPasswordRow {
        protocols: one.protocols.iter().map(|protocol| protocol.as_str().to_owned()).collect(),
        name: one.name,
        created_at: time(one.created_at),
        last_used_at: one.last_used_at.map(time),
        last_used_ip: one.last_used_ip,
    }
}

impl From<AddAppPasswordError> for ActFailure {
    /// In words for people.
    fn from(error: AddAppPasswordError) -> Self {
        match error {
            AddAppPasswordError::Refused(AppPasswordError::UnknownAddress(address)) => {
                Self::Absent(format!("{} is not here", readable(&address)))
            }
            AddAppPasswordError::Refused(error @ (AppPasswordError::NameTaken | AppPasswordError::TooMany)) => {
                Self::Clash(format!("{error}: remove one first"))
            }
            AddAppPasswordError::Refused(AppPasswordError::Unfit(why)) => Self::Bad(why.to_owned()),
            AddAppPasswordError::Refused(AppPasswordError::Failed(error)) => error.into(),
            AddAppPasswordError::Busy(error) => Self::Failed(error.to_string()),
        }
    }
}
