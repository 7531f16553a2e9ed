//! Mailing lists: an address whose mail goes to all who subscribed.
//!
//! `members`: who they are, and whose mail comes back. `held`: posts that wait for an owner.
//! What a list does with a post is decided in `filing`; here are the rows.

mod held;
mod members;

use relais_model::{Address, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

pub use held::{HeldPost, MAX_HELD_POSTS, NewHeldPost};
use members::names_of;
pub(super) use members::undo_removal;
pub use members::{BOUNCE_DAYS, ListMember, MAX_LIST_MEMBERS, MAX_LIST_OWNERS, MemberBounce, NewMember};

use super::account::{octets, refuse_taken};
use super::domain::{read_address, take_domain};
use super::{DirectoryError, check_version, fold};
use crate::audit::{Deed, Scribe};
use crate::page::{Listing, Page};
use crate::sql::{self, Selected};
use crate::{Author, DomainKey, ListKey, Store, StoreError, Version};

/// Octets of a list's local part, at most: what stands behind it in its other addresses must fit, too.
pub const MAX_LIST_NAME_OCTETS: usize = 30;

/// Octets that a post of any list may have, at most: each member's copy is one of its own.
pub const MAX_POST_OCTETS: u64 = 10 * 1024 * 1024;

/// Octets of a list's title, at most.
pub const MAX_LIST_TITLE_OCTETS: usize = 100;

/// Octets of what stands before subjects, at most.
pub const MAX_PREFIX_OCTETS: usize = 40;

/// A mailing list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailingList {
    /// Its row.
    pub key: ListKey,
    /// As it was spelled when it was added.
    pub address: Address,
    /// What people say of it.
    pub terms: ListTerms,
    /// How many subscribed.
    pub members: u64,
    /// How many posts wait for an owner.
    pub held: u64,
    /// When it was added.
    pub created_at: Timestamp,
    /// Another one after each change of the list itself.
    pub version: Version,
}

/// What people say of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTerms {
    /// What it is about, in a few words; may be empty.
    pub title: String,
    /// Who may post.
    pub posters: Posters,
    /// People subscribe themselves, and confirm it by mail; else owners add them.
    pub is_open: bool,
    /// Octets of a post, at most: 1 KiB to [`MAX_POST_OCTETS`].
    pub max_octets: u64,
    /// Stands before subjects; empty: subjects, and their authors' signatures, stay as they are.
    pub prefix: String,
}

impl Default for ListTerms {
    fn default() -> Self {
        Self {
            title: String::new(),
            posters: Posters::Members,
            is_open: false,
            max_octets: 1024 * 1024,
            prefix: String::new(),
        }
    }
}

/// Who may post to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Posters {
    /// Anybody.
    Anyone,
    /// Members and owners.
    #[default]
    Members,
    /// Owners.
    Owners,
    /// Anybody, and an owner looks at each post of others first.
    Moderated,
}

impl Posters {
    const ALL: [Self; 4] = [Self::Anyone, Self::Members, Self::Owners, Self::Moderated];
}

const COLUMNS: &str =
    "l.list_key, l.address, l.title, l.posters, l.is_open, l.max_octets, l.prefix, l.created_at, l.version,
    (SELECT COUNT(*) FROM list_member m WHERE m.list_key = l.list_key),
    (SELECT COUNT(*) FROM list_post p WHERE p.list_key = l.list_key)
    FROM mailing_list l JOIN domain d ON d.domain_key = l.domain_key";

impl Store {
    /// Adds a list, without members.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`], [`DirectoryError::AddressTaken`], [`DirectoryError::AddressRemoved`]; [`DirectoryError::Unfit`]
    /// where its name is longer than [`MAX_LIST_NAME_OCTETS`] or holds a `+`, or what is said of it doesn't fit.
    pub async fn add_list(
        &self,
        address: &Address,
        terms: ListTerms,
        by: &Author,
    ) -> Result<MailingList, DirectoryError> {
        check_name(address)?;
        check_terms(&terms)?;
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let domain = take_domain(tx, &address.domain, scribe.now()).await?;
                refuse_taken(tx, &address).await?;
                let (key, version) = (ListKey::new(scribe.next_key()), Version::new(scribe.next_key()));
                let sql = "INSERT INTO mailing_list (list_key, domain_key, folded, address, created_at) VALUES ($1, $2, $3, $4, $5)";
                let query = sqlx::query(sql).bind(key.value()).bind(domain.value()).bind(fold(&address));
                query.bind(address.to_string()).bind(scribe.now().millis()).execute(&mut *tx).await?;
                write_terms(tx, key, &terms, version).await?;
                note(tx, &scribe, "list.create", (key, &address, domain), None, Some(&terms)).await?;
                let created_at = scribe.now();
                Ok(MailingList { key, address, terms, members: 0, held: 0, created_at, version })
            })
        })
        .await
    }

    /// One list by its address; none where no list has it.
    pub async fn list(&self, address: &Address) -> Result<Option<MailingList>, StoreError> {
        let sql = format!("SELECT {COLUMNS} WHERE l.folded = $1 AND d.removed_at IS NULL");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(fold(address));
        query.fetch_optional(&mut *self.reader().await?).await?.as_ref().map(read_list).transpose()
    }

    /// One list by its row; none where it is gone.
    pub async fn list_of(&self, key: ListKey) -> Result<Option<MailingList>, StoreError> {
        let sql = format!("SELECT {COLUMNS} WHERE l.list_key = $1 AND d.removed_at IS NULL");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(key.value());
        query.fetch_optional(&mut *self.reader().await?).await?.as_ref().map(read_list).transpose()
    }

    /// Lists of these domains, none: of all, with `text` in their address or title, by address.
    pub async fn lists(
        &self,
        domains: Option<&[DomainKey]>,
        text: Option<&str>,
        page: &Page,
    ) -> Result<Listing<MailingList>, StoreError> {
        if domains.is_some_and(<[_]>::is_empty) {
            return Ok(Listing { rows: Vec::new(), next: None });
        }
        let mut listed = Selected::new(format!("SELECT {COLUMNS}"));
        if let Some(domains) = domains {
            listed.and_among("l.domain_key", domains.iter().map(|key| key.value()));
        }
        self.read_lists(listed, text, page).await
    }

    /// Lists that somebody is on, by their account's address or another that leads to it alone; `is_owner`: those that they look after. With `text` in
    /// their address or title, by address.
    pub async fn lists_of(
        &self,
        member: &Address,
        is_owner: bool,
        text: Option<&str>,
        page: &Page,
    ) -> Result<Listing<MailingList>, StoreError> {
        let by_rule = self.owners_by_rule(member).await?;
        let mut listed = Selected::new(format!("SELECT {COLUMNS}"));
        let (me, now) = (listed.add(fold(member)), listed.add(self.now().millis()));
        let by_rule: Vec<String> = by_rule.into_iter().map(|name| listed.add(name)).collect();
        let by_rule = match by_rule.as_slice() {
            [] => String::new(),
            numbers => format!(" OR m.folded IN ({})", numbers.join(", ")),
        };
        let (names, is_owner) = (names_of(&me, &now), if is_owner { " AND m.is_owner = 1" } else { "" });
        // By list: an address is found in each at once, and lists are few beside their members.
        listed.and_as_is(&format!(
            "EXISTS (SELECT 1 FROM list_member m WHERE m.list_key = l.list_key AND (m.folded IN ({names}){by_rule}){is_owner})"
        ));
        self.read_lists(listed, text, page).await
    }

    async fn read_lists(
        &self,
        mut listed: Selected,
        text: Option<&str>,
        page: &Page,
    ) -> Result<Listing<MailingList>, StoreError> {
        listed.and_as_is("d.removed_at IS NULL");
        listed.and("l.folded > $", page.after.as_deref().unwrap_or_default());
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            listed.and(
                "(l.folded LIKE $ ESCAPE '\\' OR LOWER(l.title) LIKE $ ESCAPE '\\')",
                sql::containing(&text.to_lowercase()),
            );
        }
        let statement = listed.ordered("l.folded", page.rows_to_ask());
        let rows = sql::query(self.inner.engine, &[statement])?.fetch_all(&mut *self.reader().await?).await?;
        let lists = rows.iter().map(read_list).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(lists, |list| fold(&list.address)))
    }

    /// Changes what is said of a list.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`]; [`DirectoryError::Stale`] where it isn't of `version` any more; [`DirectoryError::Unfit`].
    pub async fn change_list(
        &self,
        address: &Address,
        terms: ListTerms,
        version: Option<Version>,
        by: &Author,
    ) -> Result<(), DirectoryError> {
        check_terms(&terms)?;
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let (domain, list) = take_list(tx, &address, &scribe).await?;
                check_version(version, list.version)?;
                if list.terms == terms {
                    return Ok(());
                }
                write_terms(tx, list.key, &terms, Version::new(scribe.next_key())).await?;
                let what = (list.key, &list.address, domain);
                note(tx, &scribe, "list.change", what, Some(&list.terms), Some(&terms)).await?;
                Ok(())
            })
        })
        .await
    }

    /// Removes a list with its members and the posts that wait.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`], [`DirectoryError::Stale`].
    pub async fn remove_list(
        &self,
        address: &Address,
        version: Option<Version>,
        by: &Author,
    ) -> Result<(), DirectoryError> {
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let (domain, list) = take_list(tx, &address, &scribe).await?;
                check_version(version, list.version)?;
                for sql in [
                    "DELETE FROM list_member WHERE list_key = $1",
                    "DELETE FROM list_post WHERE list_key = $1",
                    "DELETE FROM mailing_list WHERE list_key = $1",
                ] {
                    sqlx::query(sql).bind(list.key.value()).execute(&mut *tx).await?;
                }
                let what = (list.key, &list.address, domain);
                note(tx, &scribe, "list.remove", what, Some(&list.terms), None).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Removes all lists of a domain that is going.
pub(super) async fn delete_lists_of(tx: &mut AnyConnection, domain: DomainKey) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM list_member WHERE list_key IN (SELECT list_key FROM mailing_list WHERE domain_key = $1)",
        "DELETE FROM list_post WHERE list_key IN (SELECT list_key FROM mailing_list WHERE domain_key = $1)",
        "DELETE FROM mailing_list WHERE domain_key = $1",
    ] {
        sqlx::query(sql).bind(domain.value()).execute(&mut *tx).await?;
    }
    Ok(())
}

fn check_name(address: &Address) -> Result<(), DirectoryError> {
    let name = address.local_part.as_str();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    if name.len() > MAX_LIST_NAME_OCTETS || !name.chars().all(is_plain) {
        return Err(DirectoryError::Unfit("a list's name has 1 to 30 letters, digits, dots, dashes and underscores"));
    }
    Ok(())
}

fn check_terms(terms: &ListTerms) -> Result<(), DirectoryError> {
    let fits = |text: &str, most: usize| text.len() <= most && !text.chars().any(char::is_control);
    if !fits(&terms.title, MAX_LIST_TITLE_OCTETS) || !fits(&terms.prefix, MAX_PREFIX_OCTETS) {
        return Err(DirectoryError::Unfit("a text is too long or holds a control character"));
    }
    if !(1024..=MAX_POST_OCTETS).contains(&terms.max_octets) {
        return Err(DirectoryError::Unfit("a post may have 1 KiB to 10 MiB"));
    }
    Ok(())
}

/// The list with its domain, whose row is written.
async fn take_list(
    tx: &mut AnyConnection,
    address: &Address,
    scribe: &Scribe,
) -> Result<(DomainKey, MailingList), DirectoryError> {
    let unknown = || DirectoryError::UnknownAddress(address.clone());
    let domain = match take_domain(tx, &address.domain, scribe.now()).await {
        Err(DirectoryError::UnknownDomain(_)) => return Err(unknown()),
        other => other?,
    };
    let sql = format!("SELECT {COLUMNS} WHERE l.folded = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(fold(address)).fetch_optional(tx).await?;
    Ok((domain, read_list(&row.ok_or_else(unknown)?)?))
}

async fn write_terms(
    tx: &mut AnyConnection,
    key: ListKey,
    terms: &ListTerms,
    version: Version,
) -> Result<(), sqlx::Error> {
    let sql =
        "UPDATE mailing_list SET title = $2, posters = $3, is_open = $4, max_octets = $5, prefix = $6, version = $7
               WHERE list_key = $1";
    let query = sqlx::query(sql).bind(key.value()).bind(terms.title.as_str()).bind(terms.posters as i64);
    let query = query.bind(i64::from(terms.is_open)).bind(octets(terms.max_octets)).bind(terms.prefix.as_str());
    query.bind(version.value()).execute(tx).await.map(drop)
}

async fn note(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    act: &'static str,
    (key, address, domain): (ListKey, &Address, DomainKey),
    before: Option<&ListTerms>,
    after: Option<&ListTerms>,
) -> Result<(), sqlx::Error> {
    let told = |terms: Option<&ListTerms>| terms.and_then(|terms| serde_json::to_value(terms).ok());
    let deed =
        Deed { act, subject: address.to_string(), about: Some(key.value()), domain: Some(domain), ..Deed::default() };
    scribe.note(tx, deed.between(told(before), told(after))).await.map(drop)
}

fn read_list(row: &AnyRow) -> Result<MailingList, StoreError> {
    let posters = usize::try_from(row.try_get::<i64, _>(3)?).ok().and_then(|number| Posters::ALL.get(number).copied());
    Ok(MailingList {
        key: ListKey::new(row.try_get(0)?),
        address: read_address(row.try_get(1)?)?,
        terms: ListTerms {
            title: row.try_get(2)?,
            posters: posters.ok_or_else(|| StoreError::damaged("who posts to a list"))?,
            is_open: row.try_get::<i64, _>(4)? != 0,
            max_octets: row.try_get::<i64, _>(5)?.unsigned_abs(),
            prefix: row.try_get(6)?,
        },
        created_at: Timestamp::from_millis(row.try_get(7)?),
        version: Version::new(row.try_get(8)?),
        members: row.try_get::<i64, _>(9)?.unsigned_abs(),
        held: row.try_get::<i64, _>(10)?.unsigned_abs(),
    })
}
