//! Who subscribed to a list.

use relais_model::{Address, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::super::domain::read_address;
use super::super::{DirectoryError, fold};
use crate::audit::{AuditEntry, Deed, Scribe};
use crate::page::{Listing, Page};
use crate::sql::{self, Selected};
use crate::{Author, DomainKey, ListKey, MemberKey, Store, StoreError};

/// Members of one list, at most.
pub const MAX_LIST_MEMBERS: u64 = 10_000;

/// Owners of one list, at most: each is written to.
pub const MAX_LIST_OWNERS: usize = 20;

/// Days, each not more than a week after the one before, on which mail to a member came back: then nothing more is sent to them.
pub const BOUNCE_DAYS: i64 = 5;

/// A day on which mail came back counts no more after so many days without one.
const FORGOTTEN_AFTER: i64 = 7;

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// One who subscribed, or was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMember {
    /// Its row.
    pub key: MemberKey,
    /// Their list.
    pub list: ListKey,
    /// Here or elsewhere, as it was spelled.
    pub address: Address,
    /// They look after the list.
    pub is_owner: bool,
    /// Posts are sent to them; not to an owner who only looks after it.
    pub gets_posts: bool,
    /// Days on which mail to them came back, in a row.
    pub bounces: u64,
    /// Since when nothing is sent to them, because too much came back.
    pub stopped_at: Option<Timestamp>,
    /// When they came.
    pub joined_at: Timestamp,
}

/// One who is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMember {
    /// Here or elsewhere.
    pub address: Address,
    /// See [`ListMember::is_owner`].
    pub is_owner: bool,
    /// See [`ListMember::gets_posts`].
    pub gets_posts: bool,
}

impl NewMember {
    /// One who reads and isn't an owner.
    pub const fn reader(address: Address) -> Self {
        Self { address, is_owner: false, gets_posts: true }
    }
}

/// What somebody was who was taken off a list, as the audit tells it.
#[derive(Debug, Serialize, Deserialize)]
struct Was {
    member: String,
    is_owner: bool,
    gets_posts: bool,
}

/// What a bounce does to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberBounce {
    /// It is counted, or was already today.
    Counted,
    /// It was one too many: nothing more is sent to them.
    Stopped,
    /// There is no such member any more.
    Nobody,
}

/// Owners' addresses that are looked at for one question, at most.
const MAX_LOOKED_AT: i64 = 1000;

const COLUMNS: &str = "member_key, list_key, address, is_owner, gets_posts, bounces, stopped_at, joined_at";

/// A SELECT of folded addresses that are the same person's as `me`, which is folded, too: itself, and where it is an account's, aliases that lead to
/// that alone, by however many steps, and all of them under other names of their domains. `me` and `now` are the numbers of values.
pub(super) fn names_of(me: &str, now: &str) -> String {
    format!(
        "WITH RECURSIVE k(name, domain_key) AS (
             SELECT a.folded, a.domain_key FROM account a WHERE a.folded = {me}
             UNION
             SELECT a.folded, a.domain_key
             FROM k JOIN domain d ON d.domain_key = k.domain_key LEFT JOIN domain_alias n ON n.domain_key = d.domain_key
             JOIN alias_target t ON t.folded IN (k.name, SUBSTR(k.name, 1, LENGTH(k.name) - LENGTH(d.name)) || n.name)
             JOIN alias a ON a.alias_key = t.alias_key
             JOIN domain i ON i.domain_key = a.domain_key AND i.removed_at IS NULL AND i.is_disabled = 0
             WHERE a.kind = 0 AND (a.ends_at IS NULL OR a.ends_at > {now}) AND NOT EXISTS
                 (SELECT 1 FROM alias_target o WHERE o.alias_key = a.alias_key AND o.folded <> t.folded))
         SELECT CAST({me} AS TEXT)
         UNION ALL
         SELECT name FROM k
         UNION ALL
         SELECT SUBSTR(k.name, 1, LENGTH(k.name) - LENGTH(d.name)) || n.name
         FROM k JOIN domain d ON d.domain_key = k.domain_key JOIN domain_alias n ON n.domain_key = d.domain_key"
    )
}

impl Store {
    /// Adds members, or changes what they are; who was stopped gets mail again. How many are new.
    ///
    /// # Errors
    /// [`DirectoryError::Unfit`] past [`MAX_LIST_MEMBERS`] or [`MAX_LIST_OWNERS`]: then nobody was added.
    pub async fn put_list_members(
        &self,
        list: ListKey,
        members: Vec<NewMember>,
        by: &Author,
    ) -> Result<u64, DirectoryError> {
        let scribe = self.scribe(by);
        self.change_routes(move |tx| Box::pin(async move { put(tx, &scribe, list, &members).await })).await
    }

    /// Takes a member off a list; whether there was one. It can be undone.
    pub async fn remove_list_member(
        &self,
        list: ListKey,
        address: &Address,
        by: &Author,
    ) -> Result<bool, DirectoryError> {
        self.take_off_list(list, address, "list.member_remove", by).await
    }

    /// A member leaves a list by their own wish, which nobody undoes; whether they were one.
    pub async fn leave_list(&self, list: ListKey, address: &Address, by: &Author) -> Result<bool, DirectoryError> {
        self.take_off_list(list, address, "list.member_leave", by).await
    }

    async fn take_off_list(
        &self,
        list: ListKey,
        address: &Address,
        act: &'static str,
        by: &Author,
    ) -> Result<bool, DirectoryError> {
        let (who, scribe) = (address.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let (address, domain) = take(tx, list, &scribe).await?;
                let sql = "DELETE FROM list_member WHERE list_key = $1 AND folded = $2
                           RETURNING address, is_owner, gets_posts";
                let query = sqlx::query_as(sql).bind(list.value()).bind(fold(&who));
                let gone: Option<(String, i64, i64)> = query.fetch_optional(&mut *tx).await?;
                let Some((member, is_owner, gets_posts)) = gone else { return Ok(false) };
                let was = Was { member, is_owner: is_owner != 0, gets_posts: gets_posts != 0 };
                let was = serde_json::to_value(was).map_err(|error| StoreError::damaged(error.to_string()))?;
                note(tx, &scribe, act, (list, &address, domain), (Some(was), None)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// To how many a post of this list goes.
    pub async fn count_list_readers(&self, list: ListKey) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM list_member WHERE list_key = $1 AND gets_posts = 1 AND stopped_at IS NULL";
        let query = sqlx::query_scalar::<_, i64>(sql).bind(list.value());
        Ok(query.fetch_one(&mut *self.reader().await?).await?.unsigned_abs())
    }

    /// Members whose address contains `text`, by address.
    pub async fn list_members(
        &self,
        list: ListKey,
        text: Option<&str>,
        page: &Page,
    ) -> Result<Listing<ListMember>, StoreError> {
        let mut listed = Selected::new(format!("SELECT {COLUMNS} FROM list_member"));
        listed.and("list_key = $", list.value());
        listed.and("folded > $", page.after.as_deref().unwrap_or_default());
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            listed.and("folded LIKE $ ESCAPE '\\'", sql::containing(&text.to_lowercase()));
        }
        let statement = listed.ordered("folded", page.rows_to_ask());
        let rows = sql::query(self.inner.engine, &[statement])?.fetch_all(&mut *self.reader().await?).await?;
        let members = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(members, |member| fold(&member.address)))
    }

    /// The next members to whom a post goes, in the order in which they came, up to `limit`.
    pub async fn list_readers(
        &self,
        list: ListKey,
        after: Option<MemberKey>,
        limit: u32,
    ) -> Result<Vec<ListMember>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM list_member WHERE list_key = $1 AND member_key > $2 AND gets_posts = 1 AND stopped_at IS NULL
             ORDER BY member_key LIMIT $3"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(list.value()).bind(after.map_or(0, MemberKey::value));
        let rows = query.bind(i64::from(limit)).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(read).collect()
    }

    /// Who looks after a list: up to [`MAX_LIST_OWNERS`].
    pub async fn list_owners(&self, list: ListKey) -> Result<Vec<Address>, StoreError> {
        let sql = "SELECT address FROM list_member WHERE list_key = $1 AND is_owner = 1 ORDER BY folded LIMIT $2";
        let query = sqlx::query_scalar(sql).bind(list.value()).bind(i64::try_from(MAX_LIST_OWNERS).unwrap_or(i64::MAX));
        let owners: Vec<String> = query.fetch_all(&mut *self.reader().await?).await?;
        owners.iter().map(|owner| read_address(owner)).collect()
    }

    /// What an address is to a list; none: no member.
    pub async fn list_member(&self, list: ListKey, address: &Address) -> Result<Option<ListMember>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM list_member WHERE list_key = $1 AND folded = $2");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(list.value()).bind(fold(address));
        query.fetch_optional(&mut *self.reader().await?).await?.as_ref().map(read).transpose()
    }

    /// What somebody is to a list, by whichever of their addresses they are on it: this one, that of the account that it leads to alone, or one that
    /// leads to that account alone. As an owner, where one of them is; none: no member.
    pub async fn list_standing(&self, list: ListKey, address: &Address) -> Result<Option<ListMember>, StoreError> {
        let own = self.list_member(list, address).await?;
        if own.as_ref().is_some_and(|member| member.is_owner) {
            return Ok(own);
        }
        let Some(account) = self.sole_account(address).await? else { return Ok(own) };
        let sql = format!(
            "SELECT {COLUMNS} FROM list_member WHERE list_key = $1 AND folded IN ({})
             ORDER BY is_owner DESC, member_key LIMIT 1",
            names_of("$2", "$3")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(list.value()).bind(fold(&account));
        let query = query.bind(self.now().millis());
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        let found = row.as_ref().map(read).transpose()?;
        if found.as_ref().is_some_and(|member| member.is_owner) {
            return Ok(found);
        }
        for owner in self.list_owners(list).await? {
            if self.leads_alone(&owner, &account).await? {
                return self.list_member(list, &owner).await;
            }
        }
        Ok(own.or(found))
    }

    /// Owners' addresses, folded, that nobody has as they are spelled, and that lead to `account` alone: with a detail, by a wildcard or an
    /// expression. Looked for among the house's first [`MAX_LOOKED_AT`] such.
    pub(super) async fn owners_by_rule(&self, account: &Address) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT m.address FROM list_member m WHERE m.is_owner = 1
                       AND NOT EXISTS (SELECT 1 FROM account a WHERE a.folded = m.folded)
                       AND NOT EXISTS (SELECT 1 FROM alias a WHERE a.folded = m.folded)
                   ORDER BY m.address LIMIT $1";
        let query = sqlx::query_scalar(sql).bind(MAX_LOOKED_AT);
        let all: Vec<String> = query.fetch_all(&mut *self.reader().await?).await?;
        let mut found = Vec::new();
        for owner in all {
            let owner = read_address(&owner)?;
            if self.leads_alone(&owner, account).await? {
                found.push(fold(&owner));
            }
        }
        Ok(found)
    }

    /// Whether what is written to `address` reaches this account and nobody else.
    async fn leads_alone(&self, address: &Address, account: &Address) -> Result<bool, StoreError> {
        Ok(self.sole_account(address).await?.is_some_and(|found| fold(&found) == fold(account)))
    }

    /// One member by its row; none where they left.
    pub async fn list_member_of(&self, key: MemberKey) -> Result<Option<ListMember>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM list_member WHERE member_key = $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(key.value());
        query.fetch_optional(&mut *self.reader().await?).await?.as_ref().map(read).transpose()
    }

    /// Notes that mail to a member came back: once a day, whatever came. After [`BOUNCE_DAYS`] such days nothing more is sent to them.
    pub async fn note_list_bounce(&self, key: MemberKey) -> Result<MemberBounce, StoreError> {
        let now = self.now();
        let today = now.millis().div_euclid(DAY);
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "SELECT bounces, bounced_on, stopped_at FROM list_member WHERE member_key = $1";
                let row: Option<(i64, Option<i64>, Option<i64>)> =
                    sqlx::query_as(sql).bind(key.value()).fetch_optional(&mut *tx).await?;
                let Some((bounces, last, stopped_at)) = row else { return Ok(MemberBounce::Nobody) };
                if last == Some(today) || stopped_at.is_some() {
                    return Ok(MemberBounce::Counted);
                }
                let is_fresh = last.is_some_and(|last| today.saturating_sub(last) <= FORGOTTEN_AFTER);
                let bounces = if is_fresh { bounces.saturating_add(1) } else { 1 };
                let stopped = (bounces >= BOUNCE_DAYS).then_some(now.millis());
                let sql = "UPDATE list_member SET bounces = $2, bounced_on = $3, stopped_at = $4 WHERE member_key = $1";
                let query = sqlx::query(sql).bind(key.value()).bind(bounces).bind(today).bind(stopped);
                query.execute(&mut *tx).await?;
                Ok::<_, StoreError>(if stopped.is_some() { MemberBounce::Stopped } else { MemberBounce::Counted })
            })
        })
        .await
    }
}

/// Puts somebody back who was taken off a list, as what they were; what came back from them is forgotten, and their way to leave is a new one.
///
/// # Errors
/// [`DirectoryError::NotUndoable`] where the list is gone; [`DirectoryError::ChangedSince`] where they are on it; [`DirectoryError::Unfit`].
pub(in crate::directory) async fn undo_removal(
    tx: &mut AnyConnection,
    entry: &AuditEntry,
    scribe: &Scribe,
) -> Result<(), DirectoryError> {
    let was = entry.before.clone().and_then(|was| serde_json::from_value::<Was>(was).ok());
    let (Some(was), Some(list)) = (was, entry.about) else { return Err(DirectoryError::NotUndoable) };
    let sql = "SELECT list_key FROM mailing_list WHERE list_key = $1";
    if sqlx::query(sql).bind(list).fetch_optional(&mut *tx).await?.is_none() {
        return Err(DirectoryError::NotUndoable);
    }
    let address = read_address(&was.member)?;
    let member = NewMember { address, is_owner: was.is_owner, gets_posts: was.gets_posts };
    match put(tx, scribe, ListKey::new(list), &[member]).await? {
        0 => Err(DirectoryError::ChangedSince(vec!["member".to_owned()])),
        _ => Ok(()),
    }
}

async fn put(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    list: ListKey,
    members: &[NewMember],
) -> Result<u64, DirectoryError> {
    let (address, domain) = take(tx, list, scribe).await?;
    let before = count(tx, list).await?;
    for member in members {
        let sql = "INSERT INTO list_member (member_key, list_key, folded, address, is_owner, gets_posts, joined_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)
                   ON CONFLICT (list_key, folded) DO UPDATE SET is_owner = excluded.is_owner,
                       gets_posts = excluded.gets_posts, bounces = 0, bounced_on = NULL, stopped_at = NULL";
        let query = sqlx::query(sql).bind(scribe.next_key()).bind(list.value()).bind(fold(&member.address));
        let query = query.bind(member.address.to_string()).bind(i64::from(member.is_owner));
        let query = query.bind(i64::from(member.gets_posts)).bind(scribe.now().millis());
        query.execute(&mut *tx).await?;
    }
    let after = count(tx, list).await?;
    let sql = "SELECT COUNT(*) FROM list_member WHERE list_key = $1 AND is_owner = 1";
    let owners: i64 = sqlx::query_scalar(sql).bind(list.value()).fetch_one(&mut *tx).await?;
    if after > MAX_LIST_MEMBERS || usize::try_from(owners).unwrap_or(usize::MAX) > MAX_LIST_OWNERS {
        return Err(DirectoryError::Unfit("a list has up to 10,000 members and 20 owners"));
    }
    let who = members.iter().take(10).map(|member| member.address.to_string()).collect::<Vec<_>>();
    let told = serde_json::json!({ "members": who, "count": members.len() });
    note(tx, scribe, "list.members_put", (list, &address, domain), (None, Some(told))).await?;
    Ok(after.saturating_sub(before))
}

/// The list's address and domain, with its row written: those who change its members wait for each other.
async fn take(tx: &mut AnyConnection, list: ListKey, scribe: &Scribe) -> Result<(Address, DomainKey), DirectoryError> {
    let sql = "UPDATE mailing_list SET version = $2 WHERE list_key = $1 RETURNING address, domain_key";
    let row: Option<(String, i64)> =
        sqlx::query_as(sql).bind(list.value()).bind(scribe.next_key()).fetch_optional(tx).await?;
    let (address, domain) = row.ok_or(DirectoryError::Unfit("the list is gone"))?;
    Ok((read_address(&address)?, DomainKey::new(domain)))
}

async fn count(tx: &mut AnyConnection, list: ListKey) -> Result<u64, sqlx::Error> {
    let sql = "SELECT COUNT(*) FROM list_member WHERE list_key = $1";
    Ok(sqlx::query_scalar::<_, i64>(sql).bind(list.value()).fetch_one(tx).await?.unsigned_abs())
}

async fn note(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    act: &'static str,
    (list, address, domain): (ListKey, &Address, DomainKey),
    (before, after): (Option<serde_json::Value>, Option<serde_json::Value>),
) -> Result<(), sqlx::Error> {
    let deed =
        Deed { act, subject: address.to_string(), about: Some(list.value()), domain: Some(domain), ..Deed::default() };
    scribe.note(tx, deed.between(before, after)).await.map(drop)
}

fn read(row: &AnyRow) -> Result<ListMember, StoreError> {
    Ok(ListMember {
        key: MemberKey::new(row.try_get(0)?),
        list: ListKey::new(row.try_get(1)?),
        address: read_address(row.try_get(2)?)?,
        is_owner: row.try_get::<i64, _>(3)? != 0,
        gets_posts: row.try_get::<i64, _>(4)? != 0,
        bounces: row.try_get::<i64, _>(5)?.unsigned_abs(),
        stopped_at: row.try_get::<Option<i64>, _>(6)?.map(Timestamp::from_millis),
        joined_at: Timestamp::from_millis(row.try_get(7)?),
    })
}
