//! With whom a mailbox is shared (RFC 4314), what others share with somebody, and who may write from whose address.

use relais_model::{MailboxName, Rights};
use relais_store::{Account, AccountKey, Borrower, Grant, Grantee, Lent, MailboxKey, SharedMailbox, SharingError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::directory::readable;
use crate::{Actor, Failure, Role, Service, Text};

/// Whose mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxOf<'a> {
    /// One that who asks sees, under the name that they know it by: their own, or another's on which they have the right `a`.
    Mine,
    /// A team's, under the team's own name for it, for who manages its domain; a person's, for owners.
    Account(&'a str),
}

/// What somebody may do in a mailbox, in plain words: each may all that those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareLevel {
    /// Reads; what is read is known for each.
    Read,
    /// Sets stars and labels, too, for all.
    Mark,
    /// Puts messages in and takes them out, and makes folders below.
    Write,
    /// Says who may do what, and renames and removes.
    Manage,
}

impl ShareLevel {
    /// All, from the least to the most.
    pub const ALL: [Self; 4] = [Self::Read, Self::Mark, Self::Write, Self::Manage];

    /// As forms and the API name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Mark => "mark",
            Self::Write => "write",
            Self::Manage => "manage",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }

    /// The rights that it stands for (RFC 4314 §2.1).
    pub fn rights(self) -> Rights {
        let read = Rights::LOOKUP.with(Rights::READ).with(Rights::SEEN);
        let mark = read.with(Rights::WRITE);
        let removes = Rights::MARK_DELETED.with(Rights::EXPUNGE);
        match self {
            Self::Read => read,
            Self::Mark => mark,
            Self::Write => mark.with(Rights::INSERT).with(Rights::CREATE).with(removes),
            Self::Manage => Rights::ALL,
        }
    }

    /// The level with these rights; none: letters that were given one by one.
    pub fn of(rights: Rights) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.rights() == rights)
    }
}

/// How somebody writes from an address that isn't theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SendsAs {
    /// From is that address; Sender says who writes (RFC 5322 §3.6.2).
    OnBehalf,
    /// From is that address, and nothing tells who writes.
    As,
}

impl SendsAs {
    /// As forms name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnBehalf => "on_behalf",
            Self::As => "as",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::OnBehalf, Self::As].into_iter().find(|sends| sends.as_str() == name)
    }
}

impl From<Lent> for SendsAs {
    fn from(lent: Lent) -> Self {
        match lent {
            Lent::OnBehalf => Self::OnBehalf,
            Lent::As => Self::As,
        }
    }
}

impl From<SendsAs> for Lent {
    fn from(sends: SendsAs) -> Self {
        match sends {
            SendsAs::OnBehalf => Self::OnBehalf,
            SendsAs::As => Self::As,
        }
    }
}

/// Who may do what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// An address, `@` and a domain for all its people, or `anyone`.
    #[schema(example = "ben@example.org")]
    pub with: String,
    /// Letters of RFC 4314, §2.1: some of `lrswipkxtea`. To share no longer: none, and no level.
    #[serde(default)]
    #[schema(example = "lrsw")]
    pub rights: String,
    /// The same in a word; null where the letters are other ones. Where both are given, the letters count.
    #[serde(default)]
    pub level: Option<ShareLevel>,
    /// It counts for nothing, for they are of another tenant than the owner; it can only be ended. Told, and not taken.
    #[serde(default)]
    pub is_dormant: bool,
}

impl Share {
    /// These rights, for somebody.
    pub(crate) fn of(with: String, rights: Rights) -> Self {
        Self { with, rights: rights.letters(), level: ShareLevel::of(rights), is_dormant: false }
    }

    /// Those that count for nothing, from what the store has of them.
    fn dormant(grant: Grant) -> Self {
        Self { is_dormant: true, ..Self::of(grant.name, grant.rights) }
    }

    /// # Errors
    /// [`Failure::Unfit`] on `rights`.
    pub(crate) fn wanted(&self) -> Result<Rights, Failure> {
        if let (true, Some(level)) = (self.rights.is_empty(), self.level) {
            return Ok(level.rights());
        }
        let unfit = || Failure::unfit("rights", Text::new("share-rights").with("rights", self.rights.as_str()));
        Rights::parse(&self.rights).ok_or_else(unfit)
    }
}

/// Who may write from an account's address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SenderLent {
    /// An address, `@` and a domain for all its people, or `anyone`.
    #[schema(example = "ben@example.org")]
    pub with: String,
    /// How; null: not any more.
    #[serde(default)]
    pub sends: Option<SendsAs>,
    /// It counts for nothing, for they are of another tenant than whose address it is; it can only be ended. Told, and not taken.
    #[serde(default)]
    pub is_dormant: bool,
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
    /// With whom a mailbox is shared, its owner aside. Its owner, and who manages it, are told behind it what counts for nothing.
    ///
    /// # Errors
    /// [`Failure::Absent`] where there is no such mailbox, or not for who asks; [`Failure::Forbidden`] for who sees it, and has no right to ask.
    pub async fn shares(&self, by: &Actor, of: MailboxOf<'_>, mailbox: &str) -> Result<Vec<Share>, Failure> {
        let (mailbox, owner) = self.administered(by, of, mailbox).await?;
        self.shares_of(by, of, mailbox, owner).await
    }

    /// Gives `share.with` these rights and no others; none: shares with them no longer. Open sessions, of mail programs, too, hear of it
    /// at once. What counts for nothing can be ended, and not given anew. Gives what [`Service::shares`] would.
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
        let (mailbox, owner) = self.administered(by, of, mailbox).await?;
        let rights = share.wanted();
        let ends = rights.as_ref().is_ok_and(|rights| *rights == Rights::NONE);
        let dormant = self.dormant_grants(by, of, mailbox, owner).await?;
        let grantee = match dormant.iter().find(|grant| ends && is_named(&grant.name, &share.with)) {
            Some(grant) => grant.grantee,
            None => self.grantee(owner, &share.with).await?,
        };
        let rights = rights?;
        let changed = self.store.change_rights(mailbox, grantee, move |_| rights, &by.author()).await;
        changed.map_err(refused)?;
        self.shares_of(by, of, mailbox, owner).await
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

    async fn shares_of(
        &self,
        by: &Actor,
        of: MailboxOf<'_>,
        mailbox: MailboxKey,
        owner: AccountKey,
    ) -> Result<Vec<Share>, Failure> {
        let grants = self.store.grants(mailbox).await?.into_iter().map(|grant| Share::of(grant.name, grant.rights));
        let dormant = self.dormant_grants(by, of, mailbox, owner).await?.into_iter().map(Share::dormant);
        Ok(grants.chain(dormant).collect())
    }

    /// Rows that count for nothing. Who is of another tenant is nobody to all (decision 59) but to whose mailbox it is, and to who manages it: they gave
    /// the rights.
    async fn dormant_grants(
        &self,
        by: &Actor,
        of: MailboxOf<'_>,
        mailbox: MailboxKey,
        owner: AccountKey,
    ) -> Result<Vec<Grant>, Failure> {
        let is_told = match of {
            MailboxOf::Account(_) => true,
            MailboxOf::Mine => by.own()?.0 == owner,
        };
        Ok(if is_told { self.store.dormant_grants(mailbox).await? } else { Vec::new() })
    }

    /// Who may write from an account's address: one's own, a team's for who manages its domain, a person's for owners.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Unproven`], [`Failure::Absent`].
    pub async fn senders(&self, by: &Actor, of: MailboxOf<'_>) -> Result<Vec<SenderLent>, Failure> {
        let owner = self.lender(by, of).await?;
        self.senders_of(owner).await
    }

    /// Has `wanted.with` write from an account's address so, and no other way. Gives what [`Service::senders`] would.
    ///
    /// # Errors
    /// As of [`Service::senders`]; [`Failure::Unfit`] on `with`; [`Failure::Clash`] where too many may.
    pub async fn lend(&self, by: &Actor, of: MailboxOf<'_>, wanted: &SenderLent) -> Result<Vec<SenderLent>, Failure> {
        let owner = self.lender(by, of).await?;
        let dormant = self.store.dormant_borrowers(owner).await?;
        let ends = wanted.sends.is_none();
        let grantee = match dormant.iter().find(|borrower| ends && is_named(&borrower.name, &wanted.with)) {
            Some(borrower) => borrower.grantee,
            None => self.grantee(owner, &wanted.with).await?,
        };
        let lent = self.store.lend(owner, grantee, wanted.sends.map(Lent::from), &by.author()).await;
        lent.map_err(refused)?;
        self.senders_of(owner).await
    }

    async fn senders_of(&self, owner: AccountKey) -> Result<Vec<SenderLent>, Failure> {
        let lent = |is_dormant: bool| {
            move |borrower: Borrower| SenderLent { with: borrower.name, sends: Some(borrower.how.into()), is_dormant }
        };
        let borrowers = self.store.borrowers(owner).await?.into_iter().map(lent(false));
        Ok(borrowers.chain(self.store.dormant_borrowers(owner).await?.into_iter().map(lent(true))).collect())
    }

    async fn lender(&self, by: &Actor, of: MailboxOf<'_>) -> Result<AccountKey, Failure> {
        match of {
            MailboxOf::Mine => Ok(by.own()?.0),
            MailboxOf::Account(address) => Ok(self.managed(by, address).await?.key),
        }
    }

    /// An account of which who asks may say who sees it and writes as it: a team, for who manages its domain; a person, for owners, as for taking
    /// their mail out.
    async fn managed(&self, by: &Actor, address: &str) -> Result<Account, Failure> {
        by.require(Role::DomainAdmin)?;
        let account = self.people.find(by, address).await?;
        require_management(by, &account)?;
        Ok(account)
    }

    /// Whom an identifier names.
    async fn grantee(&self, owner: AccountKey, with: &str) -> Result<Grantee, Failure> {
        if with.starts_with('-') {
            return Err(Failure::unfit("with", Text::new("share-negative")));
        }
        let grantee = self.store.grantee(owner, with.trim()).await?;
        grantee.ok_or_else(|| Failure::unfit("with", Text::new("share-nobody").with("name", with)))
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
                let account = self.managed(by, address).await?;
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

/// Whether somebody is called so, as it was told of them.
pub(crate) fn is_named(name: &str, with: &str) -> bool {
    name.eq_ignore_ascii_case(with.trim())
}

/// See [`Service::managed`].
pub(crate) fn require_management(by: &Actor, account: &Account) -> Result<(), Failure> {
    by.require(Role::DomainAdmin)?;
    by.require_power_over(account)?;
    if !account.is_team {
        by.require(Role::Owner)?;
        by.require_proof()?;
    }
    Ok(())
}

pub(crate) fn refused(error: SharingError) -> Failure {
    match error {
        SharingError::NotFound => Failure::Absent(Text::new("mail-no-mailbox")),
        SharingError::Owner => Failure::unfit("with", Text::new("share-owner")),
        SharingError::TooMany => Failure::clash("with", Text::new("share-too-many")),
        SharingError::Failed(error) => error.into(),
    }
}
