//! Addresses that others than their account may write from: who may, and how they say who they are (RFC 5322 §3.6.2).
//!
//! An account's own address needs no row, and aliases say themselves who may write from them ([`Store::may_send_as`]). A row speaks of an
//! account, of a domain's people or of anyone of the tenant, as rights on mailboxes do, and across tenants it counts for nothing; of several that
//! speak of somebody the widest counts.

use relais_model::Address;
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::audit::{AuditEntry, Deed, Scribe};
use crate::directory::{DirectoryError, read_address};
use crate::error::StoreError;
use crate::key::{AccountKey, DomainKey};
use crate::sharing::{Grantee, NAMED, SharingError, grantee_named, name_of};
use crate::{Author, Store};

/// How many an address is lent to, at most.
pub const MAX_LENT: i64 = 500;

/// How somebody may write from an address that isn't their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lent {
    /// On behalf of it: Sender says who they are.
    OnBehalf,
    /// As it: nobody is told that it was another.
    As,
}

impl Lent {
    const fn number(self) -> i64 {
        match self {
            Self::OnBehalf => 1,
            Self::As => 2,
        }
    }

    fn read(number: i64) -> Result<Self, StoreError> {
        match number {
            1 => Ok(Self::OnBehalf),
            2 => Ok(Self::As),
            other => Err(StoreError::damaged(format!("an address that is lent as {other}"))),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::OnBehalf => "on_behalf",
            Self::As => "as",
        }
    }

    /// By the name that the audit tells.
    fn named(name: &str) -> Option<Self> {
        [Self::OnBehalf, Self::As].into_iter().find(|how| how.as_str() == name)
    }
}

/// To whom an address is lent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Borrower {
    /// Whom.
    pub grantee: Grantee,
    /// As people name them: `anyone`, `@example.org`, `ann@example.org`.
    pub name: String,
    /// How they may write.
    pub how: Lent,
}

/// An address that is lent to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LentAddress {
    /// It.
    pub address: Address,
    /// The name of whose it is; may be empty.
    pub name: String,
    /// How they may write.
    pub how: Lent,
}

impl Store {
    /// To whom an account's address is lent: accounts first, then domains, then anyone.
    pub async fn borrowers(&self, owner: AccountKey) -> Result<Vec<Borrower>, StoreError> {
        self.rows_of_lending(owner, "").await
    }

    /// To whom it is lent and that counts for nothing, for they are of another tenant: for whose address it is, or who manages it (decision 59).
    pub async fn dormant_borrowers(&self, owner: AccountKey) -> Result<Vec<Borrower>, StoreError> {
        self.rows_of_lending(owner, "NOT").await
    }

    /// Those that count; where `not` says `NOT`, those that don't.
    async fn rows_of_lending(&self, owner: AccountKey, not: &str) -> Result<Vec<Borrower>, StoreError> {
        let [columns, tables, count, order] = NAMED;
        let text = format!(
            "SELECT {columns}, g.how FROM lent_address g JOIN account o ON o.account_key = g.account_key {tables}
             WHERE g.account_key = $1 AND {not} {count} {order}"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(owner.value());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &AnyRow| {
            let (grantee, name) = Grantee::named(row)?;
            Ok(Borrower { grantee, name, how: Lent::read(row.try_get(4)?)? })
        };
        rows.iter().map(read).collect()
    }

    /// Addresses that others lend to an account, teams' first: of owners that are here, and of its tenant.
    pub async fn lent_to(&self, account: AccountKey) -> Result<Vec<LentAddress>, StoreError> {
        let rows = sqlx::query(
            "SELECT o.address, o.name, MAX(l.how) FROM account a
             JOIN lent_address l ON l.kind = 0 OR (l.kind = 1 AND l.who = a.domain_key) OR (l.kind = 2 AND l.who = a.account_key)
             JOIN account o ON o.account_key = l.account_key JOIN domain d ON d.domain_key = o.domain_key
             JOIN domain t ON t.domain_key = a.domain_key AND t.tenant = d.tenant
             WHERE a.account_key = $1 AND o.account_key <> a.account_key AND o.removed_at IS NULL AND d.removed_at IS NULL
             GROUP BY o.account_key, o.address, o.name, o.is_team ORDER BY o.is_team DESC, o.address LIMIT $2",
        )
        .bind(account.value())
        .bind(MAX_LENT)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let read = |row: &AnyRow| {
            let address = read_address(row.try_get(0)?)?;
            Ok(LentAddress { address, name: row.try_get(1)?, how: Lent::read(row.try_get(2)?)? })
        };
        rows.iter().map(read).collect()
    }

    /// How `account` may write from the address of `owner`; none: not at all.
    pub(crate) async fn lent(&self, owner: AccountKey, account: AccountKey) -> Result<Option<Lent>, StoreError> {
        let sql = "SELECT MAX(l.how) FROM account a
                   JOIN lent_address l ON l.kind = 0 OR (l.kind = 1 AND l.who = a.domain_key) OR (l.kind = 2 AND l.who = a.account_key)
                   JOIN account o ON o.account_key = l.account_key JOIN domain d ON d.domain_key = o.domain_key
                   JOIN domain t ON t.domain_key = a.domain_key AND t.tenant = d.tenant
                   WHERE a.account_key = $1 AND l.account_key = $2";
        let query = sqlx::query_scalar(sql).bind(account.value()).bind(owner.value());
        let how: Option<i64> = query.fetch_one(&mut *self.reader().await?).await?;
        how.map(Lent::read).transpose()
    }

    /// Lends an account's address so, and no other way; none: not any more.
    ///
    /// # Errors
    /// [`SharingError`]: nothing was changed; `NotFound` where there is no such account.
    pub async fn lend(
        &self,
        owner: AccountKey,
        grantee: Grantee,
        how: Option<Lent>,
        by: &Author,
    ) -> Result<(), SharingError> {
        let scribe = self.scribe(by);
        self.write(move |tx| Box::pin(async move { lend_in(tx, &scribe, owner, grantee, |_| how).await.map(|_| ()) }))
            .await
    }
}

/// Writes back how an address was lent before, where it still is lent as the change left it.
///
/// # Errors
/// [`DirectoryError::ChangedSince`], [`DirectoryError::NotUndoable`].
pub(crate) async fn undo(tx: &mut AnyConnection, entry: &AuditEntry, scribe: &Scribe) -> Result<(), DirectoryError> {
    let changed = |member: &str| DirectoryError::ChangedSince(vec![member.to_owned()]);
    let (before, after) = (entry.was("how").and_then(Lent::named), entry.became("how").and_then(Lent::named));
    let with = entry.became("with").or_else(|| entry.was("with"));
    let (Some(owner), Some(with)) = (entry.about.map(AccountKey::new), with) else {
        return Err(DirectoryError::NotUndoable);
    };
    let grantee = grantee_named(tx, with, entry.key).await?.ok_or_else(|| changed("with"))?;
    let restore = |present: Option<Lent>| if present == after { before } else { present };
    let found = lend_in(tx, scribe, owner, grantee, restore).await?;
    if found == after { Ok(()) } else { Err(changed("how")) }
}

/// Lends it as `change` makes of how it is lent; gives how it was.
async fn lend_in(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    owner: AccountKey,
    grantee: Grantee,
    change: impl FnOnce(Option<Lent>) -> Option<Lent> + Send,
) -> Result<Option<Lent>, SharingError> {
    // Its row is written, so that all who lend it, and who purges it, wait for each other on both engines.
    let sql = "UPDATE account SET version = version WHERE account_key = $1 RETURNING address, domain_key";
    let row: Option<(String, i64)> = sqlx::query_as(sql).bind(owner.value()).fetch_optional(&mut *tx).await?;
    let (subject, domain) = row.ok_or(SharingError::NotFound)?;
    if grantee == Grantee::Account(owner) {
        return Err(SharingError::Owner);
    }
    let sql = "SELECT kind, who, how FROM lent_address WHERE account_key = $1";
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(sql).bind(owner.value()).fetch_all(&mut *tx).await?;
    let found = rows.iter().find(|(kind, who, _)| (*kind, *who) == (grantee.kind(), grantee.who()));
    let before = found.map(|(_, _, how)| Lent::read(*how)).transpose()?;
    let how = change(before);
    if before == how {
        return Ok(before);
    }
    if before.is_none() && i64::try_from(rows.len()).is_ok_and(|rows| rows >= MAX_LENT) {
        return Err(SharingError::TooMany);
    }
    let text = if how.is_some() {
        "INSERT INTO lent_address (account_key, kind, who, how) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_key, kind, who) DO UPDATE SET how = excluded.how"
    } else {
        "DELETE FROM lent_address WHERE account_key = $1 AND kind = $2 AND who = $3"
    };
    let query = sqlx::query(text).bind(owner.value()).bind(grantee.kind()).bind(grantee.who());
    let query = if let Some(how) = how { query.bind(how.number()) } else { query };
    query.execute(&mut *tx).await?;
    let with = name_of(tx, grantee).await?;
    let told = |how: Option<Lent>| how.map(|how| json!({ "with": with, "how": how.as_str() }));
    let (about, domain) = (Some(owner.value()), Some(DomainKey::new(domain)));
    let deed = Deed { act: "mailbox.lend", subject, about, domain, before: told(before), after: told(how) };
    scribe.note(tx, deed).await?;
    Ok(before)
}

/// An account goes: what it lent, and what was lent to it.
pub(crate) async fn forget_account(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM lent_address WHERE account_key = $1 OR (kind = 2 AND who = $1)";
    sqlx::query(sql).bind(account.value()).execute(tx).await.map(|_| ())
}
