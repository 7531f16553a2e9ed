//! With whom a mailbox is shared (RFC 4314), and what others share with somebody.

use relais_model::{MailboxName, Rights};
use relais_store::{AccountKey, Grantee, MailboxKey, SharedMailbox, SharingError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::directory::readable;
use crate::{Actor, Failure, Role, Service, Text};

/// Whose mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxOf<'a> {
    /// One that who asks sees, under the name that they know it by: their own, or another's on which they have the right `a`.
    Mine,
    /// A person's or a team's, under its owner's name: for who manages their domain.
    Account(&'a str),
}

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// An address, `@` and a domain for all its people, or `anyone`.
    #[schema(example = "ben@example.org")]
    pub with: String,
    /// Letters of RFC 4314, §2.1: some of `lrswipkxtea`.
    #[schema(example = "lrs")]
    pub rights: String,
}

/// A mailbox that another shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SharedMailboxView {
    /// Its full name, as who asks knows it.
    #[schema(example = "Shared/sales/INBOX")]
    pub name: String,
    /// MAILBOXID (RFC 8474): stays through renames.
    pub id: String,
    /// Whose it is.
    #[schema(example = "sales@example.org")]
    pub owner: String,
    /// The owner's name; may be empty.
    pub owner_name: String,
    /// The owner is a team.
    pub is_team: bool,
    /// What who asks may do there: letters of RFC 4314, §2.1.
    #[schema(example = "lrswite")]
    pub rights: String,
    /// Messages in it.
    pub messages: u64,
    /// Those that who asks hasn't seen.
    pub unseen: u64,
}

impl Service {
    /// With whom a mailbox is shared, its owner aside.
    ///
    /// # Errors
    /// [`Failure::Absent`] where there is no such mailbox, or not for who asks; [`Failure::Forbidden`] for who sees it, and has no right to ask.
    pub async fn shares(&self, by: &Actor, of: MailboxOf<'_>, mailbox: &str) -> Result<Vec<Share>, Failure> {
        let mailbox = self.administered(by, of, mailbox).await?.0;
        self.shares_of(mailbox).await
    }

    /// Gives `share.with` these rights and no others; none: shares with them no longer. Open sessions, of mail programs, too, hear of it
    /// at once. Gives what [`Service::shares`] would.
    ///
    /// # Errors
    /// As of [`Service::shares`]; [`Failure::Unfit`] on `with` or `rights`; [`Failure::Clash`] where it is shared with too many.
    pub async fn share(
        &self,
        by: &Actor,
        of: MailboxOf<'_>,
        mailbox: &str,
        share: &Share,
    ) -> Result<Vec<Share>, Failure> {
        let (mailbox, grantee) = self.with_whom(by, of, mailbox, &share.with).await?;
        let rights = Rights::parse(&share.rights)
            .ok_or_else(|| Failure::unfit("rights", Text::new("share-rights").with("rights", share.rights.as_str())))?;
        let changed = self.store.change_rights(mailbox, grantee, move |_| rights, &by.author()).await;
        changed.map_err(refused)?;
        self.shares_of(mailbox).await
    }

    /// Shares a mailbox with somebody no longer.
    ///
    /// # Errors
    /// As of [`Service::share`].
    pub async fn unshare(&self, by: &Actor, of: MailboxOf<'_>, mailbox: &str, with: &str) -> Result<(), Failure> {
        let (mailbox, grantee) = self.with_whom(by, of, mailbox, with).await?;
        let changed = self.store.change_rights(mailbox, grantee, |_| Rights::NONE, &by.author()).await;
        changed.map(|_| ()).map_err(refused)
    }

    /// What others share with who asks, and lets them see: teams' first.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn shared_with_me(&self, me: &Actor) -> Result<Vec<SharedMailboxView>, Failure> {
        let shared = self.store.shared_with(me.own()?.0).await?;
        let shown = shared.into_iter().filter(|shared| shared.rights.has(Rights::LOOKUP));
        let view = |shared: SharedMailbox| {
            Some(SharedMailboxView {
                name: shared.name()?.to_string(),
                id: shared.status.mailbox.mailbox_id,
                owner: readable(&shared.owner),
                owner_name: shared.owner_name,
                is_team: shared.is_team,
                rights: shared.rights.letters(),
                messages: shared.status.messages,
                unseen: shared.status.unseen,
            })
        };
        Ok(shown.filter_map(view).collect())
    }

    async fn shares_of(&self, mailbox: MailboxKey) -> Result<Vec<Share>, Failure> {
        let grants = self.store.grants(mailbox).await?;
        Ok(grants.into_iter().map(|grant| Share { with: grant.name, rights: grant.rights.letters() }).collect())
    }

    async fn with_whom(
        &self,
        by: &Actor,
        of: MailboxOf<'_>,
        mailbox: &str,
        with: &str,
    ) -> Result<(MailboxKey, Grantee), Failure> {
        let (mailbox, owner) = self.administered(by, of, mailbox).await?;
        if with.starts_with('-') {
            return Err(Failure::unfit("with", Text::new("share-negative")));
        }
        let grantee = self.store.grantee(owner, with.trim()).await?;
        let nobody = || Failure::unfit("with", Text::new("share-nobody").with("name", with));
        Ok((mailbox, grantee.ok_or_else(nobody)?))
    }

    /// A mailbox on which who asks may say who may do what, and whose it is.
    async fn administered(
        &self,
        by: &Actor,
        of: MailboxOf<'_>,
        mailbox: &str,
    ) -> Result<(MailboxKey, AccountKey), Failure> {
        let absent = || Failure::Absent(Text::new("mail-no-mailbox"));
        let name = MailboxName::parse(mailbox).map_err(|_| absent())?;
        match of {
            MailboxOf::Account(address) => {
                by.require(Role::DomainAdmin)?;
                let account = self.people.find(by, address).await?;
                by.require_power_over(&account)?;
                let key = self.store.mailbox_key(account.key, &name).await?.ok_or_else(absent)?;
                Ok((key, account.key))
            }
            MailboxOf::Mine => {
                let account = by.own()?.0;
                let (owner, own_name) = self.store.whose(account, &name).await?;
                let key = self.store.mailbox_key(owner, &own_name).await?.ok_or_else(absent)?;
                let rights = self.store.rights(account, key).await?;
                if rights.has(Rights::ADMINISTER) {
                    Ok((key, owner))
                } else if rights.has(Rights::LOOKUP) {
                    Err(Failure::Forbidden(Text::new("mail-no-right")))
                } else {
                    Err(absent())
                }
            }
        }
    }
}

fn refused(error: SharingError) -> Failure {
    match error {
        SharingError::NotFound => Failure::Absent(Text::new("mail-no-mailbox")),
        SharingError::Owner => Failure::unfit("with", Text::new("share-owner")),
        SharingError::TooMany => Failure::clash("with", Text::new("share-too-many")),
        SharingError::Failed(error) => error.into(),
    }
}
