//! App passwords and tokens of mail programs: one's own, and those of people whom one looks after.

use std::time::Duration;

use relais_model::{Address, Secret};
use relais_reception::AddAppPasswordError;
use relais_store::{AppPassword, AppPasswordError, LoginProtocol, Protocols};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Access;
use crate::{Actor, Failure, Moment, Role, Text};

/// How long a token opens mail where nobody says.
pub const TOKEN_DAYS: u32 = 365;

/// How long at most: ten years.
const MOST_TOKEN_DAYS: u32 = 3650;

/// What a mail program is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AppPasswordKind {
    /// Typed where a program asks for a password.
    #[default]
    Password,
    /// Shown by programs that speak OAUTHBEARER (RFC 7628) or XOAUTH2.
    Token,
}

/// An app password or a token that is wanted.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppPasswordForm {
    /// Of the program or device; up to 100 characters.
    #[schema(example = "Phone", min_length = 1, max_length = 100)]
    pub name: String,
    /// What it is for: `imap`, `pop3`, `smtp`, one at least.
    #[schema(example = json!(["imap", "smtp"]))]
    pub protocols: Vec<String>,
    /// `password`, or `token` for programs that speak OAUTHBEARER or XOAUTH2.
    #[serde(default)]
    pub kind: AppPasswordKind,
    /// Days until a token ends, 365 where it isn't said; a password has no end.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3650)]
    pub days: Option<u32>,
}

/// One app password; not itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AppPasswordView {
    /// As its person named the device.
    pub name: String,
    /// What it is for: `imap`, `pop3`, `smtp`.
    pub protocols: Vec<&'static str>,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last used, within a minute; none: never.
    pub last_used_at: Option<Moment>,
    /// From where it was then.
    pub last_used_ip: Option<String>,
    /// By which protocol.
    pub last_used_protocol: Option<&'static str>,
    /// `password` or `token`.
    pub kind: AppPasswordKind,
    /// From then on it opens nothing; none: for good.
    pub expires_at: Option<Moment>,
}

impl From<AppPassword> for AppPasswordView {
    fn from(one: AppPassword) -> Self {
        Self {
            protocols: one.protocols.iter().map(LoginProtocol::as_str).collect(),
            name: one.name,
            created_at: one.created_at.into(),
            last_used_at: one.last_used_at.map(Into::into),
            last_used_ip: one.last_used_ip,
            last_used_protocol: one.last_used_protocol.map(LoginProtocol::as_str),
            kind: if one.is_token { AppPasswordKind::Token } else { AppPasswordKind::Password },
            expires_at: one.expires_at.map(Into::into),
        }
    }
}

impl Access {
    /// One's own app passwords, oldest first; `relais_store::MAX_APP_PASSWORDS` at most.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn own_app_passwords(&self, me: &Actor) -> Result<Vec<AppPasswordView>, Failure> {
        Ok(self.store.app_passwords(me.own()?.0).await?.into_iter().map(Into::into).collect())
    }

    /// Makes an app password or a token for the named device; the text that comes back is shown now, and never again.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `name`, `protocols` or `days`; [`Failure::Clash`] on `name`, or where there are too many.
    pub async fn add_own_app_password(&self, me: &Actor, form: &AppPasswordForm) -> Result<Secret, Failure> {
        self.make_app_password(me.own()?.1, me, form).await
    }

    async fn make_app_password(
        &self,
        address: &Address,
        by: &Actor,
        form: &AppPasswordForm,
    ) -> Result<Secret, Failure> {
        let name = crate::access::name_of(&form.name)?;
        let protocols = read(&form.protocols)?;
        match (form.kind, form.days) {
            (AppPasswordKind::Password, None) => {
                self.login.add_app_password(address, name, protocols, &by.author()).await.map_err(refused)
            }
            (AppPasswordKind::Token, days) if (1..=MOST_TOKEN_DAYS).contains(&days.unwrap_or(TOKEN_DAYS)) => {
                let lasts = Duration::from_hours(24 * u64::from(days.unwrap_or(TOKEN_DAYS)));
                let until = self.now().plus(lasts);
                let made = self.login.add_token(address, name, protocols, until, &by.author()).await;
                made.map_err(|error| refused(error.into()))
            }
            (AppPasswordKind::Password, Some(_)) => Err(Failure::unfit("days", Text::new("app-password-endless"))),
            (AppPasswordKind::Token, _) => {
                Err(Failure::unfit("days", Text::new("app-password-bad-days").with("most", u64::from(MOST_TOKEN_DAYS))))
            }
        }
    }

    /// Takes one of one's own back: mail programs that use it are refused at their next log-in.
    ///
    /// # Errors
    /// [`Failure::Absent`].
    pub async fn remove_own_app_password(&self, me: &Actor, name: &str) -> Result<(), Failure> {
        let is_gone = self.store.remove_app_password(me.own()?.0, name, &me.author()).await?;
        if is_gone { Ok(()) } else { Err(absent()) }
    }

    /// Those of a person, for who looks after them.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn app_passwords_of(&self, actor: &Actor, address: &str) -> Result<Vec<AppPasswordView>, Failure> {
        let standing = self.whom(actor, Role::HelpDesk, address).await?;
        Ok(self.store.app_passwords(standing.key).await?.into_iter().map(Into::into).collect())
    }

    /// Makes one for a person. It opens their mail and locks nobody out, so that only the activity tells of it: owner, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Unproven`], [`Failure::Absent`]; else as [`Access::add_own_app_password`].
    pub async fn add_app_password_of(
        &self,
        actor: &Actor,
        address: &str,
        form: &AppPasswordForm,
    ) -> Result<Secret, Failure> {
        let account = self.whom(actor, Role::Owner, address).await?;
        actor.require_proof()?;
        self.make_app_password(&account.address, actor, form).await
    }

    /// Takes one of a person's back.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn remove_app_password_of(&self, actor: &Actor, address: &str, name: &str) -> Result<(), Failure> {
        let standing = self.whom(actor, Role::HelpDesk, address).await?;
        let is_gone = self.store.remove_app_password(standing.key, name, &actor.author()).await?;
        if is_gone { Ok(()) } else { Err(absent()) }
    }
}

fn absent() -> Failure {
    Failure::Absent(Text::new("app-password-absent"))
}

pub(crate) fn too_many() -> Failure {
    Failure::clash("", Text::new("app-password-too-many").with("most", relais_store::MAX_APP_PASSWORDS))
}

/// None named: all that app passwords are for.
fn read(names: &[String]) -> Result<Protocols, Failure> {
    if names.is_empty() {
        return Err(Failure::unfit("protocols", Text::new("app-password-no-protocol")));
    }
    let read = |name: &String| {
        let known = LoginProtocol::parse(name).filter(|protocol| Protocols::ALL.iter().any(|known| known == *protocol));
        known.ok_or_else(|| {
            Failure::unfit("protocols", Text::new("app-password-bad-protocol").with("protocol", name.as_str()))
        })
    };
    Ok(Protocols::of(&names.iter().map(read).collect::<Result<Vec<_>, _>>()?))
}

pub(crate) fn refused(error: AddAppPasswordError) -> Failure {
    match error {
        AddAppPasswordError::Refused(AppPasswordError::UnknownAddress(_)) => absent(),
        AddAppPasswordError::Refused(AppPasswordError::NameTaken) => {
            Failure::clash("name", Text::new("app-password-taken"))
        }
        AddAppPasswordError::Refused(AppPasswordError::TooMany) => too_many(),
        AddAppPasswordError::Refused(AppPasswordError::Unfit(why)) => {
            Failure::unfit("name", Text::new("failure-unfit").with("why", why))
        }
        AddAppPasswordError::Refused(AppPasswordError::Failed(error)) => error.into(),
        AddAppPasswordError::Busy(_) => Failure::Failed,
    }
}
