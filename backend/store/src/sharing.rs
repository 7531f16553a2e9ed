//! Mailboxes that others than their owner see (RFC 4314): who may do what there, and what each is called to whom.
//!
//! An owner has all rights and keeps them; rights of others are rows of `acl`, each of an account, of a domain's people, or of anyone of
//! the tenant. There are no negative ones: what somebody may do is the sum of the rows that speak of them ([`rights`]). Who has none sees
//! nothing, not even that there is something. A *team* is an account that nobody logs in as: all that is its own is seen by others.
//!
//! Nothing is shared across tenants (decision 59): who is of another isn't found ([`Store::grantee`]), and a row that speaks of them, since a
//! domain is another tenant's now, counts for nothing until it isn't. Such a row is *dormant*: it is told to whose mailbox it is
//! and to who manages it ([`Store::dormant_grants`]): they can take it back.
//!
//! [`Reach`] is a mailbox as somebody may act on it, which the writer keeps; [`Sight`](crate::Sight) as they see it: in a mailbox of
//! another's `\Seen` is each person's own, kept as rows of `seen`. A change of `\Seen` by one raises the message's MODSEQ for all, so
//! that CONDSTORE and QRESYNC need to know nothing of it: others are told a flag that they had been told already.

use relais_model::{Address, Domain, HIERARCHY_SEPARATOR, MailboxName, Rights, SystemFlag};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::audit::{AuditEntry, Deed, Scribe};
use crate::directory::{DirectoryError, fold, read_address};
use crate::error::StoreError;
use crate::key::{AccountKey, AuditKey, DomainKey, MailboxKey};
use crate::lending;
use crate::mailbox::{self, MailboxStatus};
use crate::news::Happened;
use crate::view::load::unsigned;
use crate::view::{MailboxChange, What};
use crate::{Author, Store};

mod heard;

pub(crate) use heard::RightsHeard;

/// Rows of rights that one mailbox has, at most.
pub const MAX_GRANTS: usize = 500;
/// Mailboxes of others that one account is shown, at most.
pub const MAX_SHARED: usize = 10_000;
/// Other people's mailboxes stand below it: `Other Users/ann@example.org/INBOX` (RFC 2342).
pub const OTHER_USERS: &str = "Other Users";
/// Teams' mailboxes stand below it: `Shared/sales/INBOX`, or `Shared/sales@example.org/INBOX` for who is of another domain.
pub const SHARED: &str = "Shared";

/// Whom a row of rights speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grantee {
    /// Everybody of the owner's tenant.
    Anyone,
    /// A domain's people.
    Domain(DomainKey),
    /// One account.
    Account(AccountKey),
}

impl Grantee {
    pub(crate) const fn kind(self) -> i64 {
        match self {
            Self::Anyone => 0,
            Self::Domain(_) => 1,
            Self::Account(_) => 2,
        }
    }

    pub(crate) const fn who(self) -> i64 {
        match self {
            Self::Anyone => 0,
            Self::Domain(domain) => domain.value(),
            Self::Account(account) => account.value(),
        }
    }

    /// From a row's first columns, which are [`NAMED`]'s: whom it speaks of, and as IMAP and people name them.
    pub(crate) fn named(row: &AnyRow) -> Result<(Self, String), StoreError> {
        let gone = || StoreError::damaged("rights of nobody");
        let (address, domain): (Option<String>, Option<String>) = (row.try_get(2)?, row.try_get(3)?);
        let grantee = Self::read(row.try_get(0)?, row.try_get(1)?)?;
        let name = match grantee {
            Self::Anyone => "anyone".to_owned(),
            Self::Domain(_) => format!("@{}", domain.ok_or_else(gone)?),
            Self::Account(_) => address.ok_or_else(gone)?,
        };
        Ok((grantee, name))
    }

    pub(crate) fn read(kind: i64, who: i64) -> Result<Self, StoreError> {
        match kind {
            0 => Ok(Self::Anyone),
            1 => Ok(Self::Domain(DomainKey::new(who))),
            2 => Ok(Self::Account(AccountKey::new(who))),
            other => Err(StoreError::damaged(format!("rights of the kind {other}"))),
        }
    }
}

/// Columns and tables that name whom a row of `g` speaks of, the account `o` being whose thing it is; which of these rows count; and the order
/// of them: accounts first, then domains, then anyone.
pub(crate) const NAMED: [&str; 4] = [
    "g.kind, g.who, a.address, d.name",
    "JOIN domain h ON h.domain_key = o.domain_key
     LEFT JOIN account a ON g.kind = 2 AND a.account_key = g.who LEFT JOIN domain d ON g.kind = 1 AND d.domain_key = g.who
     LEFT JOIN domain w ON w.domain_key = COALESCE(a.domain_key, d.domain_key)",
    "(g.kind = 0 OR w.tenant = h.tenant)",
    "ORDER BY g.kind DESC, a.address, d.name",
];

/// What `who`, of the owner's tenant, whose domain is given with them, may do in a mailbox of `owner`: the sum of the rows that speak of them (RFC 4314 §2).
pub fn rights(owner: AccountKey, who: (AccountKey, DomainKey), rows: &[(Grantee, Rights)]) -> Rights {
    let (account, domain) = who;
    if account == owner {
        return Rights::ALL;
    }
    let speaks = |grantee: Grantee| match grantee {
        Grantee::Anyone => true,
        Grantee::Domain(its) => its == domain,
        Grantee::Account(its) => its == account,
    };
    rows.iter().filter(|(grantee, _)| speaks(*grantee)).fold(Rights::NONE, |sum, (_, rights)| sum.with(*rights))
}

/// A row of rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whose.
    pub grantee: Grantee,
    /// As IMAP and people name them: `anyone`, `@example.org`, `ann@example.org`.
    pub name: String,
    /// What they may do.
    pub rights: Rights,
}

/// A mailbox as somebody acts on it. From a mailbox's key: as its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Which.
    pub mailbox: MailboxKey,
    /// Who acts, where it isn't the owner: `\Seen` is theirs.
    pub reader: Option<AccountKey>,
    /// What they may do.
    pub rights: Rights,
}

impl From<MailboxKey> for Reach {
    fn from(mailbox: MailboxKey) -> Self {
        Self { mailbox, reader: None, rights: Rights::ALL }
    }
}

impl Reach {
    /// The bits of flags that may be changed (RFC 4314 §4): `s` is for `\Seen`, `t` for `\Deleted`, `w` for all others.
    pub fn flags(self) -> u64 {
        let (seen, deleted) = (u64::from(SystemFlag::Seen.bit()), u64::from(SystemFlag::Deleted.bit()));
        let others = !(seen | deleted) & i64::MAX.unsigned_abs();
        [(Rights::SEEN, seen), (Rights::MARK_DELETED, deleted), (Rights::WRITE, others)]
            .into_iter()
            .filter(|(right, _)| self.rights.has(*right))
            .fold(0, |flags, (_, bits)| flags | bits)
    }
}

/// A mailbox of another's, with its counts: `unseen` is what this reader hasn't seen, nothing is recent to them, and they are subscribed
/// to nothing: names that people subscribe to are those of [`SharedMailbox::name`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedMailbox {
    /// With the name that its owner knows it by.
    pub status: MailboxStatus,
    /// Whose it is.
    pub owner: Address,
    /// The owner's name; may be empty.
    pub owner_name: String,
    /// The owner is a team.
    pub is_team: bool,
    /// The owner and who looks are of one domain.
    pub is_same_domain: bool,
    /// What they may do.
    pub rights: Rights,
}

impl SharedMailbox {
    /// As who looks calls it: below [`OTHER_USERS`] or [`SHARED`]; none where that is no name.
    pub fn name(&self) -> Option<MailboxName> {
        MailboxName::parse(&format!("{}{HIERARCHY_SEPARATOR}{}", self.root(), self.status.mailbox.name)).ok()
    }

    /// The level that all shared mailboxes of this owner stand below: `Shared/sales`.
    pub fn root(&self) -> String {
        let local_part = self.owner.local_part.as_str();
        if !self.is_team {
            format!("{OTHER_USERS}{HIERARCHY_SEPARATOR}{}", self.owner)
        } else if self.is_same_domain && !local_part.contains([HIERARCHY_SEPARATOR, '@']) {
            format!("{SHARED}{HIERARCHY_SEPARATOR}{local_part}")
        } else {
            format!("{SHARED}{HIERARCHY_SEPARATOR}{}", self.owner)
        }
    }
}

/// Whether a name is one of [`OTHER_USERS`] or [`SHARED`], or below: nobody makes mailboxes of their own there. Those that somebody had
/// before stay, and come before what others share by the same name.
pub fn is_reserved(name: &MailboxName) -> bool {
    let first = name.as_str().split(HIERARCHY_SEPARATOR).next();
    first.is_some_and(|first| first == OTHER_USERS || first == SHARED)
}

/// Why rights weren't changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SharingError {
    /// There is no such mailbox.
    #[error("there is no such mailbox")]
    NotFound,
    /// The owner's can't be changed.
    #[error("the owner keeps all rights")]
    Owner,
    /// There would be more than [`MAX_GRANTS`].
    #[error("the mailbox is shared with as many as it may be")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for SharingError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<SharingError> for DirectoryError {
    fn from(error: SharingError) -> Self {
        match error {
            SharingError::NotFound | SharingError::Owner => Self::NotUndoable,
            SharingError::TooMany => Self::Unfit("it is shared with as many as it may be"),
            SharingError::Failed(error) => Self::Failed(error),
        }
    }
}

/// Rows of `acl` that speak of the account `$1`, and the mailboxes and owners that they are about: owners that are here, and of its tenant. The first 14
/// columns are those of a status.
const SHARED_ROWS: &str =
    "SELECT m.mailbox_key, m.account_key, m.name, m.special_use, m.uid_validity, m.uid_next, m.highest_mod_seq,
            m.messages, m.messages - (SELECT COUNT(*) FROM seen z WHERE z.account_key = $1 AND z.mailbox_key = m.mailbox_key),
            m.deleted, m.recent_from, m.size_octets, 0, 0, o.address, o.name, o.is_team,
            CASE WHEN o.domain_key = a.domain_key THEN 1 ELSE 0 END, a.domain_key, g.kind, g.who, g.rights
     FROM account a JOIN acl g ON g.kind = 0 OR (g.kind = 1 AND g.who = a.domain_key) OR (g.kind = 2 AND g.who = a.account_key)
     JOIN mailbox m ON m.mailbox_key = g.mailbox_key JOIN account o ON o.account_key = m.account_key
     JOIN domain d ON d.domain_key = o.domain_key JOIN domain t ON t.domain_key = a.domain_key AND t.tenant = d.tenant
     WHERE a.account_key = $1 AND m.account_key <> a.account_key AND o.removed_at IS NULL AND d.removed_at IS NULL";

impl Store {
    /// What an account may do with a mailbox: nothing, too, where there is none, or its owner is removed or of another tenant.
    pub async fn rights(&self, account: AccountKey, mailbox: MailboxKey) -> Result<Rights, StoreError> {
        let rows = sqlx::query(
            "SELECT m.account_key, a.domain_key, g.kind, g.who, g.rights
             FROM mailbox m JOIN account o ON o.account_key = m.account_key JOIN domain d ON d.domain_key = o.domain_key
             JOIN account a ON a.account_key = $1 JOIN domain t ON t.domain_key = a.domain_key AND t.tenant = d.tenant
             LEFT JOIN acl g ON g.mailbox_key = m.mailbox_key AND (g.kind = 0
                 OR (g.kind = 1 AND g.who = a.domain_key) OR (g.kind = 2 AND g.who = a.account_key))
             WHERE m.mailbox_key = $2 AND o.removed_at IS NULL AND d.removed_at IS NULL",
        )
        .bind(account.value())
        .bind(mailbox.value())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let Some(first) = rows.first() else { return Ok(Rights::NONE) };
        let (owner, domain) = (AccountKey::new(first.try_get(0)?), DomainKey::new(first.try_get(1)?));
        let is_there = |row: &&AnyRow| row.try_get::<Option<i64>, _>(2).is_ok_and(|kind| kind.is_some());
        let granted = rows.iter().filter(is_there).map(|row| granted(row, 2)).collect::<Result<Vec<_>, _>>()?;
        Ok(rights(owner, (account, domain), &granted))
    }

    /// A mailbox as an account may act on it; none where it may do nothing there.
    pub async fn reach(&self, account: AccountKey, mailbox: MailboxKey) -> Result<Option<Reach>, StoreError> {
        let owner = self.owner_of(mailbox).await?;
        if owner == Some(account) {
            return Ok(Some(mailbox.into()));
        }
        let rights = self.rights(account, mailbox).await?;
        Ok((rights != Rights::NONE).then_some(Reach { mailbox, reader: Some(account), rights }))
    }

    /// Whose mailbox it is.
    pub async fn owner_of(&self, mailbox: MailboxKey) -> Result<Option<AccountKey>, StoreError> {
        if let Some(view) = self.inner.views.live(mailbox) {
            return Ok(Some(view.account()));
        }
        let query = sqlx::query("SELECT account_key FROM mailbox WHERE mailbox_key = $1").bind(mailbox.value());
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.map(AccountKey::new))
    }

    /// Who may do what with a mailbox, but for its owner: accounts first, then domains, then anyone.
    pub async fn grants(&self, mailbox: MailboxKey) -> Result<Vec<Grant>, StoreError> {
        self.rows_of_rights(mailbox, "").await
    }

    /// Rows of a mailbox that count for nothing, being of another tenant than its owner: for who owns or manages it (decision 59).
    pub async fn dormant_grants(&self, mailbox: MailboxKey) -> Result<Vec<Grant>, StoreError> {
        self.rows_of_rights(mailbox, "NOT").await
    }

    /// Those that count; where `not` says `NOT`, those that don't.
    async fn rows_of_rights(&self, mailbox: MailboxKey, not: &str) -> Result<Vec<Grant>, StoreError> {
        let [columns, tables, count, order] = NAMED;
        let text = format!(
            "SELECT {columns}, g.rights FROM acl g JOIN mailbox m ON m.mailbox_key = g.mailbox_key
             JOIN account o ON o.account_key = m.account_key {tables} WHERE g.mailbox_key = $1 AND {not} {count} {order}"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(mailbox.value());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &AnyRow| {
            let (grantee, name) = Grantee::named(row)?;
            Ok(Grant { grantee, name, rights: read_rights(&row.try_get::<String, _>(4)?)? })
        };
        rows.iter().map(read).collect()
    }

    /// Whom an identifier names among the people of the owner's tenant: `anyone`, a domain after `@`, an account's address, or its local part in the
    /// owner's domain. None: nobody there, whether another tenant has them or not.
    pub async fn grantee(&self, owner: AccountKey, identifier: &str) -> Result<Option<Grantee>, StoreError> {
        if identifier.eq_ignore_ascii_case("anyone") {
            return Ok(Some(Grantee::Anyone));
        }
        if let Some(name) = identifier.strip_prefix('@') {
            let Ok(domain) = Domain::parse(name) else { return Ok(None) };
            let Some(key) = self.domain_key(&domain).await? else { return Ok(None) };
            return Ok(self.is_of_tenant(owner, key).await?.then_some(Grantee::Domain(key)));
        }
        let address = match Address::parse(identifier) {
            Ok(address) => Some(address),
            Err(_) => self.beside(owner, identifier).await?,
        };
        let Some(address) = address else { return Ok(None) };
        let Some(account) = self.account(&address).await? else { return Ok(None) };
        Ok(self.is_of_tenant(owner, account.domain).await?.then_some(Grantee::Account(account.key)))
    }

    /// Whether a domain and an account are of one tenant.
    async fn is_of_tenant(&self, account: AccountKey, domain: DomainKey) -> Result<bool, StoreError> {
        let sql = "SELECT COUNT(*) FROM account a JOIN domain h ON h.domain_key = a.domain_key
                   JOIN domain d ON d.tenant = h.tenant WHERE a.account_key = $1 AND d.domain_key = $2";
        let query = sqlx::query_scalar(sql).bind(account.value()).bind(domain.value());
        let found: i64 = query.fetch_one(&mut *self.reader().await?).await?;
        Ok(found > 0)
    }

    /// The address with this local part in an account's domain.
    async fn beside(&self, account: AccountKey, local_part: &str) -> Result<Option<Address>, StoreError> {
        let sql = "SELECT d.name FROM account a JOIN domain d ON d.domain_key = a.domain_key WHERE a.account_key = $1";
        let query = sqlx::query_scalar(sql).bind(account.value());
        let domain: Option<String> = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(domain.and_then(|domain| Address::parse(&format!("{local_part}@{domain}")).ok()))
    }

    /// Gives `grantee` the rights that `change` makes of those they have; none: the row goes. Gives what they have now, by this row.
    /// Sessions that have the mailbox open hear of it, and whoever gains or loses it.
    ///
    /// # Errors
    /// [`SharingError`]: nothing was changed.
    pub async fn change_rights(
        &self,
        mailbox: MailboxKey,
        grantee: Grantee,
        change: impl FnOnce(Rights) -> Rights + Send + 'static,
        by: &Author,
    ) -> Result<Rights, SharingError> {
        let scribe = self.scribe(by);
        let changed = self.write_news(move |tx| {
            Box::pin(async move {
                let (owner, before, after) = change_in(tx, &scribe, mailbox, grantee, change).await?;
                let news = MailboxChange { account: owner, mailbox, mod_seq: 0, what: What::Granted };
                let changes = if before == after { Vec::new() } else { vec![news] };
                Ok::<_, SharingError>(((owner, before, after), changes))
            })
        });
        let (owner, before, after) = changed.await?;
        if before != after {
            self.tell(owner, Happened::Shared(grantee));
        }
        Ok(after)
    }

    /// The owner of mailboxes that are shared with these is gone, or back: who looks at one asks anew what they may do there, and who wants to
    /// hear of names hears of theirs.
    pub(crate) fn tell_of_owner(&self, owner: AccountKey, grantees: Vec<Grantee>) {
        self.inner.views.ask_again(Some(owner));
        for grantee in grantees {
            self.tell(owner, Happened::Shared(grantee));
        }
    }

    /// What others share with an account, teams' first, by the owner's address and the mailbox's name: all on which it has some right,
    /// [`MAX_SHARED`] at most.
    pub async fn shared_with(&self, account: AccountKey) -> Result<Vec<SharedMailbox>, StoreError> {
        let text = format!("{SHARED_ROWS} ORDER BY o.is_team DESC, o.address, m.name, m.mailbox_key");
        let query = sqlx::query(AssertSqlSafe(text)).bind(account.value());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let mut shared = shared(account, &rows)?;
        shared.truncate(MAX_SHARED);
        Ok(shared)
    }

    /// One of [`Store::shared_with`]; none where it isn't shared with the account.
    pub async fn shared_mailbox(
        &self,
        account: AccountKey,
        mailbox: MailboxKey,
    ) -> Result<Option<SharedMailbox>, StoreError> {
        let query = sqlx::query(AssertSqlSafe(format!("{SHARED_ROWS} AND m.mailbox_key = $2")));
        let rows = query.bind(account.value()).bind(mailbox.value()).fetch_all(&mut *self.reader().await?).await?;
        Ok(shared(account, &rows)?.pop())
    }

    /// Whose mailbox `name` is to an account, and what its owner calls it, whether there is one or not, and whether the account may see it or not. Names of
    /// mailboxes that the account has itself are its own.
    pub async fn whose(
        &self,
        account: AccountKey,
        name: &MailboxName,
    ) -> Result<(AccountKey, MailboxName), StoreError> {
        let own = (account, name.clone());
        if !is_reserved(name) || self.mailbox_key(account, name).await?.is_some() {
            return Ok(own);
        }
        let Some((is_team, owner, rest)) = apart(name) else { return Ok(own) };
        let address = if is_team && !owner.contains('@') {
            self.beside(account, owner).await?
        } else {
            Address::parse(owner).ok()
        };
        let Some(address) = address else { return Ok(own) };
        let found = self.account(&address).await?.filter(|found| found.is_team == is_team && found.key != account);
        Ok(found.map_or(own, |found| (found.key, rest)))
    }

    /// The mailbox of another's that `name` is to an account, where it may put messages there (`i`).
    pub async fn fillable(&self, account: AccountKey, name: &MailboxName) -> Result<Option<Reach>, StoreError> {
        let (owner, own_name) = self.whose(account, name).await?;
        if owner == account {
            return Ok(None);
        }
        let Some(key) = self.mailbox_key(owner, &own_name).await? else { return Ok(None) };
        Ok(self.reach(account, key).await?.filter(|reach| reach.rights.has(Rights::INSERT)))
    }

    /// The same by the mailbox's id (RFC 8474 §4), with the name that the account knows it by.
    pub async fn fillable_by_id(
        &self,
        account: AccountKey,
        id: &str,
    ) -> Result<Option<(MailboxName, Reach)>, StoreError> {
        let shared = self.shared_with(account).await?;
        let found = shared.iter().find(|one| one.status.mailbox.mailbox_id == id && one.rights.has(Rights::INSERT));
        Ok(found.and_then(|one| {
            let reach = Reach { mailbox: one.status.mailbox.key, reader: Some(account), rights: one.rights };
            Some((one.name()?, reach))
        }))
    }
}

/// A name below [`OTHER_USERS`] or [`SHARED`]: whether that is a team's, its owner as it is written, and what is behind it.
fn apart(name: &MailboxName) -> Option<(bool, &str, MailboxName)> {
    let (root, rest) = name.as_str().split_once(HIERARCHY_SEPARATOR)?;
    let is_team = root == SHARED;
    let first = rest.find(HIERARCHY_SEPARATOR)?;
    // A local part may hold the separator, a domain can't; a team of one's own domain is named by a local part that doesn't.
    let end = match rest.find('@') {
        Some(at) if !is_team || at < first => rest.get(at..)?.find(HIERARCHY_SEPARATOR)? + at,
        _ => first,
    };
    let (owner, behind) = (rest.get(..end)?, rest.get(end + 1..)?);
    Some((is_team, owner, MailboxName::parse(behind).ok()?))
}

fn granted(row: &AnyRow, from: usize) -> Result<(Grantee, Rights), StoreError> {
    let grantee = Grantee::read(row.try_get(from)?, row.try_get(from + 1)?)?;
    Ok((grantee, read_rights(&row.try_get::<String, _>(from + 2)?)?))
}

fn read_rights(letters: &str) -> Result<Rights, StoreError> {
    Rights::parse(letters).ok_or_else(|| StoreError::damaged(format!("the rights {letters:?}")))
}

/// From rows of [`SHARED_ROWS`], in which each mailbox stands once for each row of rights.
fn shared(account: AccountKey, rows: &[AnyRow]) -> Result<Vec<SharedMailbox>, StoreError> {
    let key = |row: &AnyRow| row.try_get::<i64, _>(0).unwrap_or_default();
    let mailboxes = rows.chunk_by(|one, other| key(one) == key(other)).filter_map(|rows| Some((rows.first()?, rows)));
    let read = |(row, rows): (&AnyRow, &[AnyRow])| {
        let status = MailboxStatus { recent: 0, ..mailbox::status(row)? };
        let granted = rows.iter().map(|row| granted(row, 19)).collect::<Result<Vec<_>, _>>()?;
        let who = (account, DomainKey::new(row.try_get(18)?));
        Ok(SharedMailbox {
            rights: rights(status.mailbox.account, who, &granted),
            status,
            owner: read_address(row.try_get(14)?)?,
            owner_name: row.try_get(15)?,
            is_team: unsigned(row.try_get(16)?)? != 0,
            is_same_domain: unsigned(row.try_get(17)?)? != 0,
        })
    };
    mailboxes.map(read).collect()
}

async fn change_in(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    mailbox: MailboxKey,
    grantee: Grantee,
    change: impl FnOnce(Rights) -> Rights + Send,
) -> Result<(AccountKey, Rights, Rights), SharingError> {
    // Its row is written, so that all who change rights wait for each other on both engines.
    let row = sqlx::query(
        "UPDATE mailbox SET uid_next = uid_next WHERE mailbox_key = $1
         RETURNING account_key, name, (SELECT a.address FROM account a WHERE a.account_key = mailbox.account_key),
                   (SELECT a.domain_key FROM account a WHERE a.account_key = mailbox.account_key)",
    )
    .bind(mailbox.value())
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(SharingError::NotFound)?;
    let owner = AccountKey::new(row.try_get(0)?);
    if grantee == Grantee::Account(owner) {
        return Err(SharingError::Owner);
    }
    let rows = sqlx::query("SELECT kind, who, rights FROM acl WHERE mailbox_key = $1")
        .bind(mailbox.value())
        .fetch_all(&mut *tx)
        .await?;
    let rows = rows.iter().map(|row| granted(row, 0)).collect::<Result<Vec<_>, _>>()?;
    let before = rows.iter().find(|(of, _)| *of == grantee).map_or(Rights::NONE, |(_, rights)| *rights);
    let after = change(before);
    if before == after {
        return Ok((owner, before, after));
    }
    if before == Rights::NONE && rows.len() >= MAX_GRANTS {
        return Err(SharingError::TooMany);
    }
    put(tx, mailbox, grantee, after).await?;
    let subject: String = row.try_get(2)?;
    let (name, with) = (row.try_get::<String, _>(1)?, name_of(tx, grantee).await?);
    let told = |rights: Rights| Some(json!({ "mailbox": name, "with": with, "rights": rights.letters() }));
    let (about, domain) = (Some(owner.value()), Some(DomainKey::new(row.try_get(3)?)));
    let deed = Deed { act: "mailbox.share", subject, about, domain, before: told(before), after: told(after) };
    scribe.note(tx, deed).await?;
    Ok((owner, before, after))
}

/// Writes back what somebody might do in a mailbox before, where they still may what the change left them. Gives whose mailbox it is and
/// whom it was about: they are to hear of it.
///
/// # Errors
/// [`DirectoryError::ChangedSince`], also where a mailbox or somebody came later under the same name; [`DirectoryError::NotUndoable`].
pub(crate) async fn undo(
    tx: &mut AnyConnection,
    entry: &AuditEntry,
    scribe: &Scribe,
) -> Result<(AccountKey, Grantee), DirectoryError> {
    let changed = |member: &str| DirectoryError::ChangedSince(vec![member.to_owned()]);
    let told =
        (entry.about, entry.was("rights"), entry.became("rights"), entry.became("with"), entry.became("mailbox"));
    let (Some(owner), Some(before), Some(after), Some(with), Some(name)) = told else {
        return Err(DirectoryError::NotUndoable);
    };
    let (before, after) = (read_rights(before)?, read_rights(after)?);
    let grantee = grantee_named(tx, with, entry.key).await?.ok_or_else(|| changed("with"))?;
    // Keys grow with time: what has a larger one than the change was not there yet.
    let sql = "SELECT mailbox_key FROM mailbox WHERE account_key = $1 AND name = $2 AND mailbox_key < $3";
    let query = sqlx::query_scalar(sql).bind(owner).bind(name.to_owned()).bind(entry.key.value());
    let mailbox: Option<i64> = query.fetch_optional(&mut *tx).await?;
    let mailbox = MailboxKey::new(mailbox.ok_or_else(|| changed("mailbox"))?);
    let restore = |present: Rights| if present == after { before } else { present };
    let (owner, found, _) = change_in(tx, scribe, mailbox, grantee, restore).await?;
    if found == after { Ok((owner, grantee)) } else { Err(changed("rights")) }
}

/// Whom a name means that a change told; none where they are gone, or came later under the same name.
pub(crate) async fn grantee_named(
    tx: &mut AnyConnection,
    name: &str,
    told_in: AuditKey,
) -> Result<Option<Grantee>, StoreError> {
    if name == "anyone" {
        return Ok(Some(Grantee::Anyone));
    }
    if let Some(domain) = name.strip_prefix('@') {
        let sql = "SELECT domain_key FROM domain WHERE name = $1 AND removed_at IS NULL AND domain_key < $2";
        let query = sqlx::query_scalar(sql).bind(domain).bind(told_in.value());
        let key: Option<i64> = query.fetch_optional(tx).await?;
        return Ok(key.map(|key| Grantee::Domain(DomainKey::new(key))));
    }
    let sql = "SELECT account_key FROM account WHERE folded = $1 AND removed_at IS NULL AND account_key < $2";
    let query = sqlx::query_scalar(sql).bind(fold(&read_address(name)?)).bind(told_in.value());
    let key: Option<i64> = query.fetch_optional(tx).await?;
    Ok(key.map(|key| Grantee::Account(AccountKey::new(key))))
}

/// As people name whom rights are given to.
pub(crate) async fn name_of(tx: &mut AnyConnection, grantee: Grantee) -> Result<String, sqlx::Error> {
    let text = match grantee {
        Grantee::Anyone => return Ok("anyone".to_owned()),
        Grantee::Domain(_) => "SELECT '@' || name FROM domain WHERE domain_key = $1",
        Grantee::Account(_) => "SELECT address FROM account WHERE account_key = $1",
    };
    sqlx::query_scalar(text).bind(grantee.who()).fetch_one(tx).await
}

async fn put(tx: &mut AnyConnection, mailbox: MailboxKey, grantee: Grantee, rights: Rights) -> Result<(), sqlx::Error> {
    let text = if rights == Rights::NONE {
        "DELETE FROM acl WHERE mailbox_key = $1 AND kind = $2 AND who = $3"
    } else {
        "INSERT INTO acl (mailbox_key, kind, who, rights) VALUES ($1, $2, $3, $4)
         ON CONFLICT (mailbox_key, kind, who) DO UPDATE SET rights = excluded.rights"
    };
    let query = sqlx::query(text).bind(mailbox.value()).bind(grantee.kind()).bind(grantee.who());
    let query = if rights == Rights::NONE { query } else { query.bind(rights.letters()) };
    query.execute(tx).await.map(|_| ())
}

/// With whom an account shares something.
pub(crate) async fn grantees_of(tx: &mut AnyConnection, owner: AccountKey) -> Result<Vec<Grantee>, StoreError> {
    let sql = "SELECT DISTINCT g.kind, g.who FROM acl g JOIN mailbox m ON m.mailbox_key = g.mailbox_key
               WHERE m.account_key = $1";
    let rows: Vec<(i64, i64)> = sqlx::query_as(sql).bind(owner.value()).fetch_all(tx).await?;
    rows.into_iter().map(|(kind, who)| Grantee::read(kind, who)).collect()
}

/// A new mailbox has the rights of the one above it (RFC 4314 §4).
pub(crate) async fn inherit(tx: &mut AnyConnection, from: i64, to: i64) -> Result<(), sqlx::Error> {
    let text = "INSERT INTO acl (mailbox_key, kind, who, rights)
                SELECT CAST($1 AS BIGINT), kind, who, rights FROM acl WHERE mailbox_key = $2";
    sqlx::query(text).bind(to).bind(from).execute(tx).await.map(|_| ())
}

/// A mailbox goes: with the rights on it, and what others have seen there.
pub(crate) async fn forget_mailbox(tx: &mut AnyConnection, mailbox: i64) -> Result<(), sqlx::Error> {
    for text in ["DELETE FROM acl WHERE mailbox_key = $1", "DELETE FROM seen WHERE mailbox_key = $1"] {
        sqlx::query(text).bind(mailbox).execute(&mut *tx).await?;
    }
    Ok(())
}

/// An account goes, before its mailboxes do.
pub(crate) async fn forget_account(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    lending::forget_account(tx, account).await?;
    for text in [
        "DELETE FROM acl WHERE kind = 2 AND who = $1",
        "DELETE FROM seen WHERE account_key = $1",
        "DELETE FROM acl WHERE mailbox_key IN (SELECT mailbox_key FROM mailbox WHERE account_key = $1)",
        "DELETE FROM seen WHERE mailbox_key IN (SELECT mailbox_key FROM mailbox WHERE account_key = $1)",
        "DELETE FROM metadata WHERE mailbox_key IN (SELECT mailbox_key FROM mailbox WHERE account_key = $1)",
    ] {
        sqlx::query(text).bind(account.value()).execute(&mut *tx).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: AccountKey = AccountKey::new(1);
    const ANN: (AccountKey, DomainKey) = (AccountKey::new(2), DomainKey::new(20));

    #[test]
    fn rights_are_the_sum_of_what_speaks_of_somebody() {
        let check = |rows: &[(Grantee, &str)], expected: &str| {
            let rows: Vec<_> = rows.iter().map(|(who, letters)| (*who, Rights::parse(letters).unwrap())).collect();
            assert_eq!(rights(OWNER, ANN, &rows).letters(), expected, "{rows:?}");
            assert_eq!(rights(OWNER, (OWNER, ANN.1), &rows), Rights::ALL, "the owner keeps all: {rows:?}");
        };
        let (ann, ben) = (Grantee::Account(ANN.0), Grantee::Account(AccountKey::new(3)));
        let (domain, other) = (Grantee::Domain(ANN.1), Grantee::Domain(DomainKey::new(2)));
        check(&[], "");
        check(&[(ann, "lr")], "lr");
        check(&[(ben, "lrswipkxtea"), (other, "lrs")], "");
        check(&[(ann, "l"), (domain, "r"), (Grantee::Anyone, "p")], "lrp");
        check(&[(Grantee::Anyone, "lr"), (ben, "a")], "lr");
        check(&[(Grantee::Account(OWNER), "l"), (domain, "te")], "te");
    }

    #[test]
    fn flags_ask_for_their_own_right() {
        let check = |letters: &str, flags: u64| {
            let reach = Reach { rights: Rights::parse(letters).unwrap(), ..MailboxKey::new(1).into() };
            assert_eq!(reach.flags() & 0b10_0000_1111_1111, flags, "{letters}");
        };
        let (seen, deleted) = (u64::from(SystemFlag::Seen.bit()), u64::from(SystemFlag::Deleted.bit()));
        check("lr", 0);
        check("s", seen);
        check("t", deleted);
        check("w", 0b10_0000_1111_1111 & !seen & !deleted);
        check("swt", 0b10_0000_1111_1111);
    }

    #[test]
    fn shared_names_are_taken_apart() {
        let check = |name: &str, expected: Option<(bool, &str, &str)>| {
            let name = MailboxName::parse(name).unwrap();
            let apart = apart(&name);
            let apart = apart.as_ref().map(|(is_team, owner, rest)| (*is_team, *owner, rest.as_str()));
            assert_eq!(apart, expected, "{name}");
        };
        check("Other Users/ann@x.example/INBOX", Some((false, "ann@x.example", "INBOX")));
        check("Other Users/a/b@x.example/inbox", Some((false, "a/b@x.example", "INBOX")));
        check("Other Users/ann@x.example", None);
        check("Shared/sales/Offers/2026", Some((true, "sales", "Offers/2026")));
        check("Shared/sales/a@b", Some((true, "sales", "a@b")));
        check("Shared/sales@x.example/Offers", Some((true, "sales@x.example", "Offers")));
        check("Shared/sales", None);
        check("Shared", None);
    }
}
