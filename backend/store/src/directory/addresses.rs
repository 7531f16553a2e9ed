//! All addresses in one list: people's own, aliases, catch-alls, other names of domains; and what leads to one of them.

use std::collections::HashSet;

use relais_model::{Address, Domain, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::alias::read_alias_name;
use super::domain::{read_address, read_name};
use super::{ALIAS_DEPTH, AliasName, Order, fold};
use crate::page::{Listing, Page};
use crate::sql::{self, Selected};
use crate::{DomainKey, Store, StoreError, Version};

/// Aliases that are found for one question, at most.
const MAX_FOUND: usize = 500;

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressKind {
    /// A person's own.
    Person,
    /// Leads to addresses of this house.
    Alias,
    /// Leads to another host's address, at least one.
    Forward,
    /// All addresses of a domain that nobody has.
    CatchAll,
    /// All addresses of another name of a domain.
    DomainAlias,
    /// All addresses that nobody has and that fit a wildcard; leads wherever.
    Wildcard,
    /// All addresses that nobody has and that a regular expression matches; leads wherever.
    Expression,
}

impl AddressKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Person, Self::Alias, Self::Forward, Self::CatchAll, Self::DomainAlias, Self::Wildcard, Self::Expression];
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressEntry {
    /// What it is.
    pub kind: AddressKind,
    /// The local part with the domain; none stands for any local part of `domain`, or for those that fit `alias`.
    pub address: Option<Address>,
    /// Of an alias, its name.
    pub alias: Option<AliasName>,
    /// Its domain; of another name of a domain, that name.
    pub domain: Domain,
    /// Where it leads; of a person's own address, nowhere.
    pub targets: Vec<Address>,
    /// The domain that a name is another name of.
    pub of: Option<Domain>,
    /// A person's name.
    pub name: String,
    /// It takes no mail.
    pub is_suspended: bool,
    /// Of an alias, from when on it takes none.
    pub ends_at: Option<Timestamp>,
    /// What people note on an alias.
    pub note: String,
    /// When it was added; of a catch-all, its domain.
    pub created_at: Timestamp,
    /// Of an alias, another one after each change of it; else of its person or domain.
    pub version: Version,
}

/// Which addresses are wanted; none wants all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressFilter {
    /// Those of these domains.
    pub domains: Option<Vec<DomainKey>>,
    /// With this text in the address, in a target, or in a person's name; compared without case.
    pub text: Option<String>,
    /// Those of these kinds; none of them means all.
    pub kinds: Vec<AddressKind>,
}

/// What addresses are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressOrder {
    /// The address, from a.
    #[default]
    Address,
    /// When it was added, the latest first.
    Created,
}

/// The tables that have addresses, each with the same columns: folded, number of its kind, address, domain, of, name, suspended, added, version,
/// alias. What leads to any local part is `*`.
const PEOPLE: &str = "SELECT a.folded AS folded, CAST(0 AS BIGINT) AS kind, a.address AS address, d.name AS domain, '' AS of_domain,
    a.name AS name, a.is_suspended AS suspended, a.created_at AS created_at, a.version AS version, CAST(0 AS BIGINT) AS alias_key
    FROM account a JOIN domain d ON d.domain_key = a.domain_key";
const ALIASES: &str = "SELECT a.folded AS folded, CASE WHEN a.kind = 1 THEN CAST(5 AS BIGINT) WHEN a.kind = 2 THEN CAST(6 AS BIGINT) ELSE CAST(1 AS BIGINT) END AS kind, a.address AS address, d.name AS domain, '' AS of_domain,
    '' AS name, CAST(0 AS BIGINT) AS suspended, a.created_at AS created_at, a.version AS version, a.alias_key AS alias_key
    FROM alias a JOIN domain d ON d.domain_key = a.domain_key";
const CATCH_ALLS: &str = "SELECT '*@' || d.name AS folded, CAST(3 AS BIGINT) AS kind, d.catch_all AS address, d.name AS domain, '' AS of_domain,
    '' AS name, CAST(0 AS BIGINT) AS suspended, d.created_at AS created_at, d.version AS version, CAST(0 AS BIGINT) AS alias_key
    FROM domain d";
const OTHER_NAMES: &str = "SELECT '*@' || o.name AS folded, CAST(4 AS BIGINT) AS kind, '' AS address, o.name AS domain, d.name AS of_domain,
    '' AS name, CAST(0 AS BIGINT) AS suspended, o.created_at AS created_at, d.version AS version, CAST(0 AS BIGINT) AS alias_key
    FROM domain_alias o JOIN domain d ON d.domain_key = o.domain_key";

/// An alias that leads out of the house.
const LEADS_OUT: &str = "EXISTS (SELECT 1 FROM alias_target t WHERE t.alias_key = a.alias_key
    AND NOT EXISTS (SELECT 1 FROM domain l WHERE l.name = t.domain)
    AND NOT EXISTS (SELECT 1 FROM domain_alias l WHERE l.name = t.domain))";

impl Store {
    /// Addresses of all kinds.
    pub async fn addresses(
        &self,
        filter: &AddressFilter,
        order: Order<AddressOrder>,
        page: &Page,
    ) -> Result<Listing<AddressEntry>, StoreError> {
        if filter.domains.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Listing { rows: Vec::new(), next: None });
        }
        let statement = select(filter, order, page);
        let mut reader = self.reader().await?;
        let rows = sql::query(self.inner.engine, &[statement])?.fetch_all(&mut *reader).await?;
        let found = rows.iter().map(read_entry).collect::<Result<Vec<_>, _>>()?;
        let Listing { mut rows, next } = page.cut(found, |found| match order.by {
            AddressOrder::Address => found.folded.clone(),
            AddressOrder::Created => format!("{} {}", found.entry.created_at.millis(), found.folded),
        });
        let aliases: Vec<i64> = rows.iter().map(|found| found.alias).filter(|key| *key != 0).collect();
        if !aliases.is_empty() {
            let mut listed = Selected::new(
                "SELECT t.alias_key, t.address, CAST(CASE WHEN l.name IS NULL AND o.name IS NULL THEN 1 ELSE 0 END AS BIGINT)
                 FROM alias_target t LEFT JOIN domain l ON l.name = t.domain LEFT JOIN domain_alias o ON o.name = t.domain",
            );
            listed.and_among("t.alias_key", aliases);
            let statement = listed.ordered("t.alias_key, t.position", i64::from(u32::MAX));
            for row in sql::query(self.inner.engine, &[statement])?.fetch_all(&mut *reader).await? {
                let key: i64 = row.try_get(0)?;
                let Some(found) = rows.iter_mut().find(|found| found.alias == key) else { continue };
                found.entry.targets.push(read_address(row.try_get(1)?)?);
                if row.try_get::<i64, _>(2)? != 0 && found.entry.kind == AddressKind::Alias {
                    found.entry.kind = AddressKind::Forward;
                }
            }
            let mut listed = Selected::new("SELECT alias_key, ends_at, note FROM alias");
            listed.and_among("alias_key", rows.iter().map(|found| found.alias).filter(|key| *key != 0));
            let statement = listed.ordered("alias_key", i64::from(u32::MAX));
            for row in sql::query(self.inner.engine, &[statement])?.fetch_all(&mut *reader).await? {
                let key: i64 = row.try_get(0)?;
                let Some(found) = rows.iter_mut().find(|found| found.alias == key) else { continue };
                found.entry.ends_at = row.try_get::<Option<i64>, _>(1)?.map(Timestamp::from_millis);
                found.entry.is_suspended = found.entry.ends_at.is_some_and(|end| end <= self.now());
                found.entry.note = row.try_get(2)?;
            }
        }
        Ok(Listing { rows: rows.into_iter().map(|found| found.entry).collect(), next })
    }

    /// The aliases that lead to `address`, by however many steps up to [`ALIAS_DEPTH`]; those a step away first, 500 at most.
    pub async fn aliases_to(&self, address: &Address) -> Result<Vec<Address>, StoreError> {
        let mut seen = HashSet::from([fold(address)]);
        let (mut ahead, mut found) = (vec![fold(address)], Vec::new());
        for _ in 0..ALIAS_DEPTH {
            let mut next = Vec::new();
            for folded in std::mem::take(&mut ahead) {
                let sql = "SELECT a.folded, a.address FROM alias_target t JOIN alias a ON a.alias_key = t.alias_key
                           JOIN domain d ON d.domain_key = a.domain_key
                           WHERE t.folded = $1 AND a.kind = 0 AND (a.ends_at IS NULL OR a.ends_at > $2)
                           AND d.removed_at IS NULL ORDER BY a.folded LIMIT 500";
                let rows: Vec<(String, String)> = sqlx::query_as(sql)
                    .bind(folded)
                    .bind(self.now().millis())
                    .fetch_all(&mut *self.reader().await?)
                    .await?;
                for (folded, alias) in rows {
                    if found.len() < MAX_FOUND && seen.insert(folded.clone()) {
                        found.push(read_address(&alias)?);
                        next.push(folded);
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            ahead = next;
        }
        Ok(found)
    }

    /// The domains whose catch-all or postmaster is `address` itself.
    pub async fn domains_to(&self, address: &Address) -> Result<Vec<Domain>, StoreError> {
        let sql =
            "SELECT name FROM domain WHERE removed_at IS NULL AND (LOWER(catch_all) = $1 OR LOWER(postmaster) = $1)
                   ORDER BY name LIMIT 500";
        let rows: Vec<String> =
            sqlx::query_scalar(sql).bind(fold(address)).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|name| read_name(name)).collect()
    }
}

/// Each table gives no more than the page needs, by its own index; of those the page is cut.
fn select(filter: &AddressFilter, order: Order<AddressOrder>, page: &Page) -> sql::Statement {
    let wants = |kind| filter.kinds.is_empty() || filter.kinds.contains(&kind);
    let pattern =
        filter.text.as_deref().filter(|text| !text.is_empty()).map(|text| sql::containing(&text.to_lowercase()));
    let mut parts = Vec::new();
    let (is_alias, is_forward) = (wants(AddressKind::Alias), wants(AddressKind::Forward));
    let (is_wildcard, is_expression) = (wants(AddressKind::Wildcard), wants(AddressKind::Expression));
    if wants(AddressKind::Person) {
        parts.push((
            PEOPLE,
            "a.folded",
            "a.created_at",
            "a.removed_at IS NULL".to_owned(),
            "a.words LIKE $ ESCAPE '\\'",
        ));
    }
    if is_alias || is_forward || is_wildcard || is_expression {
        let exact = match (is_alias, is_forward) {
            (true, true) => "a.kind = 0".to_owned(),
            (true, false) => format!("a.kind = 0 AND NOT {LEADS_OUT}"),
            (false, true) => format!("a.kind = 0 AND {LEADS_OUT}"),
            (false, false) => "1 = 0".to_owned(),
        };
        let (wildcard, expression) = (i32::from(is_wildcard), 2 * i32::from(is_expression));
        let kind = format!("(({exact}) OR (a.kind > 0 AND a.kind IN ({wildcard}, {expression})))");
        let found =
            "(a.folded LIKE $ ESCAPE '\\' OR LOWER(a.note) LIKE $ ESCAPE '\\' OR EXISTS (SELECT 1 FROM alias_target t WHERE t.alias_key = a.alias_key
                      AND t.folded LIKE $ ESCAPE '\\'))";
        parts.push((ALIASES, "a.folded", "a.created_at", kind, found));
    }
    if wants(AddressKind::CatchAll) {
        let found = "('*@' || d.name LIKE $ ESCAPE '\\' OR LOWER(d.catch_all) LIKE $ ESCAPE '\\')";
        parts.push((CATCH_ALLS, "'*@' || d.name", "d.created_at", "d.catch_all IS NOT NULL".to_owned(), found));
    }
    if wants(AddressKind::DomainAlias) {
        let found = "('*@' || o.name LIKE $ ESCAPE '\\' OR d.name LIKE $ ESCAPE '\\')";
        parts.push((OTHER_NAMES, "'*@' || o.name", "o.created_at", "1 = 1".to_owned(), found));
    }
    let mut whole = Selected::new("SELECT * FROM (");
    for (number, (head, folded, created, condition, found)) in parts.into_iter().enumerate() {
        let union = if number == 0 { "" } else { " UNION ALL " };
        whole.begin(&format!("{union}SELECT * FROM ({head}"));
        whole.and_as_is("d.removed_at IS NULL");
        whole.and_as_is(&condition);
        if let Some(domains) = &filter.domains {
            whole.and_among("d.domain_key", domains.iter().map(|key| key.value()));
        }
        if let Some(pattern) = &pattern {
            whole.and(found, pattern.as_str());
        }
        let by = match order.by {
            AddressOrder::Address => order.follow(&mut whole, page, None, folded, false),
            AddressOrder::Created => order.follow(&mut whole, page, Some(created), folded, true),
        };
        let limit = whole.add(page.rows_to_ask());
        whole.push(&format!(" ORDER BY {by} LIMIT {limit}) AS part{number}"));
    }
    whole.push(") AS parts");
    let first = Page { after: None, limit: page.limit };
    let by = match order.by {
        AddressOrder::Address => order.follow(&mut whole, &first, None, "folded", false),
        AddressOrder::Created => order.follow(&mut whole, &first, Some("created_at"), "folded", true),
    };
    whole.ordered(&by, page.rows_to_ask())
}

struct Found {
    folded: String,
    alias: i64,
    entry: AddressEntry,
}

fn read_entry(row: &AnyRow) -> Result<Found, StoreError> {
    let text: Option<String> = row.try_get(2)?;
    let text = text.filter(|text| !text.is_empty()).unwrap_or_default();
    let of: String = row.try_get(4)?;
    let (kind, address, alias, targets) = match row.try_get::<i64, _>(1)? {
        0 => (AddressKind::Person, Some(read_address(&text)?), None, Vec::new()),
        1 => (AddressKind::Alias, Some(read_address(&text)?), Some(read_alias_name(&text)?), Vec::new()),
        3 => (AddressKind::CatchAll, None, None, vec![read_address(&text)?]),
        5 => (AddressKind::Wildcard, None, Some(read_alias_name(&text)?), Vec::new()),
        6 => (AddressKind::Expression, None, Some(read_alias_name(&text)?), Vec::new()),
        _ => (AddressKind::DomainAlias, None, None, Vec::new()),
    };
    let entry = AddressEntry {
        kind,
        address,
        alias,
        domain: read_name(row.try_get(3)?)?,
        targets,
        of: if of.is_empty() { None } else { Some(read_name(&of)?) },
        name: row.try_get(5)?,
        is_suspended: row.try_get::<i64, _>(6)? != 0,
        ends_at: None,
        note: String::new(),
        created_at: Timestamp::from_millis(row.try_get(7)?),
        version: Version::new(row.try_get(8)?),
    };
    Ok(Found { folded: row.try_get(0)?, alias: row.try_get(9)?, entry })
}
