//! Addresses that lead to other addresses.

use relais_model::{Address, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::account::refuse_taken;
use super::domain::{read_address, take_domain};
use super::{AliasName, DirectoryError, check_version, fold};
use crate::audit::{Deed, Scribe};
use crate::page::{Listing, Page};
use crate::sql::{self, Selected};
use crate::{AliasKey, Author, DomainKey, Engine, Store, StoreError, Version};

/// Targets of one alias, at most.
pub const MAX_TARGETS: usize = 500;

/// People who are named as those who may send as one alias, at most.
pub const MAX_SENDERS: usize = 100;

/// Aliases of one domain that are patterns, at most: each may be asked about each unknown address.
pub const MAX_PATTERNS: usize = 200;

/// Octets of what people note on an alias, or have said after its end, at most.
pub const MAX_ALIAS_TEXT_OCTETS: usize = 200;

/// Aliases that one purge takes, at most; the next one takes the next.
const PURGED_AT_ONCE: i64 = 1000;

/// An address of ours, or a pattern of such, that leads to others (RFC 5321 §3.9.1), local or remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Its row.
    pub key: AliasKey,
    /// As it was spelled when it was added.
    pub address: AliasName,
    /// In the order given: 1 to [`MAX_TARGETS`].
    pub targets: Vec<Address>,
    /// Who may send under its name.
    pub senders: Senders,
    /// Of regular expressions, those with smaller numbers are asked first; of the same number, by name.
    pub turn: u32,
    /// From then on its mail is refused; none: it doesn't end.
    pub ends_at: Option<Timestamp>,
    /// What people note on it.
    pub note: String,
    /// What is said to who still writes to it after its end, in ASCII; empty: the house's own words.
    pub ended_text: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// Another one after each change.
    pub version: Version,
}

/// Who may send under an alias's name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Senders {
    /// Everybody here whom it leads to, by however many steps.
    #[default]
    Targets,
    /// These people alone: 1 to [`MAX_SENDERS`].
    People(Vec<Address>),
    /// Nobody.
    Nobody,
}

/// What people say of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AliasTerms {
    /// 1 to [`MAX_TARGETS`].
    pub targets: Vec<Address>,
    /// Who may send under its name.
    pub senders: Senders,
    /// See [`Alias::turn`].
    pub turn: u32,
    /// See [`Alias::ends_at`].
    pub ends_at: Option<Timestamp>,
    /// Up to [`MAX_ALIAS_TEXT_OCTETS`], in one line.
    pub note: String,
    /// Up to [`MAX_ALIAS_TEXT_OCTETS`] of printable ASCII: SMTP's replies have nothing else.
    pub ended_text: String,
}

impl From<Vec<Address>> for AliasTerms {
    fn from(targets: Vec<Address>) -> Self {
        Self { targets, ..Self::default() }
    }
}

impl From<Alias> for AliasTerms {
    fn from(alias: Alias) -> Self {
        let Alias { targets, senders, turn, ends_at, note, ended_text, .. } = alias;
        Self { targets, senders, turn, ends_at, note, ended_text }
    }
}

/// What of an alias people change, as the audit tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct AliasState {
    targets: Vec<String>,
    senders: SendersKind,
    sender_people: Vec<String>,
    turn: i64,
    ends_at: Option<i64>,
    note: String,
    ended_text: String,
}

/// [`Senders`], without the people; the database has its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SendersKind {
    #[default]
    Targets,
    People,
    Nobody,
}

impl SendersKind {
    const fn of(number: i64) -> Self {
        match number {
            0 => Self::Targets,
            1 => Self::People,
            _ => Self::Nobody,
        }
    }
}

impl AliasState {
    fn of(terms: &AliasTerms) -> Self {
        let (senders, people) = match &terms.senders {
            Senders::Targets => (SendersKind::Targets, [].as_slice()),
            Senders::People(people) => (SendersKind::People, people.as_slice()),
            Senders::Nobody => (SendersKind::Nobody, [].as_slice()),
        };
        let texts = |addresses: &[Address]| addresses.iter().map(Address::to_string).collect();
        Self {
            targets: texts(&terms.targets),
            senders,
            sender_people: texts(people),
            turn: terms.turn.into(),
            ends_at: terms.ends_at.map(Timestamp::millis),
            note: terms.note.clone(),
            ended_text: terms.ended_text.clone(),
        }
    }
}

/// What the database says of who may send, with those who are named.
pub(super) fn read_senders(number: i64, people: Vec<Address>) -> Senders {
    match SendersKind::of(number) {
        SendersKind::Targets => Senders::Targets,
        SendersKind::People => Senders::People(people),
        SendersKind::Nobody => Senders::Nobody,
    }
}

const COLUMNS: &str =
    "a.alias_key, a.address, a.created_at, a.version, a.senders, a.turn, a.ends_at, a.note, a.ended_text";

impl Store {
    /// Adds an alias that says nothing but where it leads; as [`Store::add_alias_on`].
    pub async fn add_alias(
        &self,
        address: &Address,
        targets: Vec<Address>,
        by: &Author,
    ) -> Result<Alias, DirectoryError> {
        self.add_alias_on(address, targets.into(), by).await
    }

    /// Adds an alias. Its targets need not exist; whether they lead in a circle shows when mail comes.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`], [`DirectoryError::AddressTaken`], [`DirectoryError::AddressRemoved`], [`DirectoryError::TooManyPatterns`];
    /// [`DirectoryError::Unfit`] where the targets are none, too many, or the alias itself, or a text doesn't fit.
    pub async fn add_alias_on(
        &self,
        name: impl Into<AliasName>,
        terms: AliasTerms,
        by: &Author,
    ) -> Result<Alias, DirectoryError> {
        let (name, scribe) = (name.into(), self.scribe(by));
        check_terms(&name, &terms)?;
        self.change_routes(move |tx| {
            Box::pin(async move {
                let domain = take_domain(tx, name.domain(), scribe.now()).await?;
                let key = AliasKey::new(scribe.next_key());
                let state = AliasState::of(&terms);
                let version = put_state(tx, &scribe, "alias.create", (key, &name, domain), None, Some(&state)).await?;
                let AliasTerms { targets, senders, turn, ends_at, note, ended_text } = terms;
                let created_at = scribe.now();
                Ok(Alias { key, address: name, targets, senders, turn, ends_at, note, ended_text, created_at, version })
            })
        })
        .await
    }

    /// One alias by its name, also one that has ended; none where nothing has that name.
    pub async fn alias(&self, name: impl Into<AliasName>) -> Result<Option<Alias>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM alias a WHERE a.folded = $1
             AND EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = a.domain_key AND d.removed_at IS NULL)"
        );
        let mut reader = self.reader().await?;
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(name.into().folded());
        let Some(row) = query.fetch_optional(&mut *reader).await? else { return Ok(None) };
        let mut alias = read_alias(&row)?;
        alias.targets = read_addresses(&targets(&mut reader, alias.key).await?)?;
        if let Senders::People(people) = &mut alias.senders {
            *people = read_addresses(&senders(&mut reader, alias.key).await?)?;
        }
        Ok(Some(alias))
    }

    /// Aliases by address.
    pub async fn aliases(&self, page: &Page) -> Result<Listing<Alias>, StoreError> {
        let mut listed = Selected::new(format!("SELECT {COLUMNS} FROM alias a"));
        listed.and_as_is("EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = a.domain_key AND d.removed_at IS NULL)");
        listed.and("a.folded > $", page.after.as_deref().unwrap_or_default());
        let statement = listed.ordered("a.folded", page.rows_to_ask());
        let mut reader = self.reader().await?;
        let rows = sql::query(self.inner.engine, &[statement])?.fetch_all(&mut *reader).await?;
        let aliases = rows.iter().map(read_alias).collect::<Result<Vec<_>, _>>()?;
        let mut listing = page.cut(aliases, |alias| alias.address.folded());
        let keys: Vec<i64> = listing.rows.iter().map(|alias| alias.key.value()).collect();
        let (leads, people) = read_listed(&mut reader, self.inner.engine, &keys).await?;
        for alias in &mut listing.rows {
            let own = |rows: &[(i64, Address)]| -> Vec<Address> {
                let own = rows.iter().filter(|(key, _)| *key == alias.key.value());
                own.map(|(_, address)| address.clone()).collect()
            };
            alias.targets = own(&leads);
            if let Senders::People(named) = &mut alias.senders {
                *named = own(&people);
            }
        }
        Ok(listing)
    }

    /// Changes what is said of an alias. One that has ended begins again where its end is moved.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAlias`]; [`DirectoryError::Stale`] where the alias isn't of `version` any more;
    /// [`DirectoryError::Unfit`] as for [`Store::add_alias_on`].
    pub async fn change_alias(
        &self,
        name: impl Into<AliasName>,
        terms: impl Into<AliasTerms>,
        version: Option<Version>,
        by: &Author,
    ) -> Result<(), DirectoryError> {
        let (name, terms, scribe) = (name.into(), terms.into(), self.scribe(by));
        check_terms(&name, &terms)?;
        self.change_routes(move |tx| {
            Box::pin(async move {
                let (key, name, domain, has) = take_alias(tx, &name, &scribe).await?;
                check_version(version, has)?;
                let (before, after) = (read_state(tx, key).await?, AliasState::of(&terms));
                let what = (key, &name, domain);
                put_state(tx, &scribe, "alias.change", what, before.as_ref(), Some(&after)).await.map(drop)
            })
        })
        .await
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAlias`], [`DirectoryError::Stale`].
    pub async fn remove_alias(
        &self,
        name: impl Into<AliasName>,
        version: Option<Version>,
        by: &Author,
    ) -> Result<(), DirectoryError> {
        let (name, scribe) = (name.into(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let (key, name, domain, has) = take_alias(tx, &name, &scribe).await?;
                check_version(version, has)?;
                let before = read_state(tx, key).await?;
                let what = (key, &name, domain);
                put_state(tx, &scribe, "alias.remove", what, before.as_ref(), None).await.map(drop)
            })
        })
        .await
    }

    /// Removes aliases that ended before `before`, in the house's name; how many.
    pub(super) async fn purge_ended(&self, before: Timestamp) -> Result<u64, DirectoryError> {
        let sql = "SELECT a.address FROM alias a JOIN domain d ON d.domain_key = a.domain_key
                   WHERE a.ends_at < $1 AND d.removed_at IS NULL ORDER BY a.ends_at LIMIT $2";
        let query = sqlx::query_scalar(sql).bind(before.millis()).bind(PURGED_AT_ONCE);
        let names: Vec<String> = query.fetch_all(&mut *self.reader().await?).await?;
        let mut purged = 0;
        for name in names {
            let (name, scribe) = (read_alias_name(&name)?, self.scribe(&Author::house()));
            let is_gone = self.change_routes(move |tx| {
                Box::pin(async move {
                    let (key, name, domain, _) = take_alias(tx, &name, &scribe).await?;
                    let state = read_state(tx, key).await?;
                    // Someone may have moved its end meanwhile.
                    if state.as_ref().and_then(|state| state.ends_at).is_none_or(|end| end >= before.millis()) {
                        return Ok(false);
                    }
                    put_state(tx, &scribe, "alias.remove", (key, &name, domain), state.as_ref(), None).await?;
                    Ok(true)
                })
            });
            match is_gone.await {
                Ok(is_gone) => purged += u64::from(is_gone),
                Err(DirectoryError::UnknownAlias(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(purged)
    }
}

fn check_terms(name: &AliasName, terms: &AliasTerms) -> Result<(), DirectoryError> {
    if terms.targets.is_empty() || terms.targets.len() > MAX_TARGETS {
        return Err(DirectoryError::Unfit("an alias has 1 to 500 targets"));
    }
    if terms.targets.iter().any(|target| fold(target) == name.folded()) {
        return Err(DirectoryError::Unfit("an alias cannot lead to itself"));
    }
    if let Senders::People(people) = &terms.senders
        && (people.is_empty() || people.len() > MAX_SENDERS)
    {
        return Err(DirectoryError::Unfit("1 to 100 people are named who may send as an alias"));
    }
    let is_short = |text: &str| text.len() <= MAX_ALIAS_TEXT_OCTETS && !text.chars().any(char::is_control);
    if !is_short(&terms.note) || !is_short(&terms.ended_text) || !terms.ended_text.is_ascii() {
        return Err(DirectoryError::Unfit("a text is too long, or holds a character that must not stand there"));
    }
    Ok(())
}

/// The alias with its domain's row written, so that those who change the domain's addresses wait for each other.
async fn take_alias(
    tx: &mut AnyConnection,
    name: &AliasName,
    scribe: &Scribe,
) -> Result<(AliasKey, AliasName, DomainKey, Version), DirectoryError> {
    let unknown = || DirectoryError::UnknownAlias(name.clone());
    let domain = match take_domain(tx, name.domain(), scribe.now()).await {
        Err(DirectoryError::UnknownDomain(_)) => return Err(unknown()),
        other => other?,
    };
    let sql = "SELECT alias_key, address, version FROM alias WHERE folded = $1";
    let row: Option<(i64, String, i64)> = sqlx::query_as(sql).bind(name.folded()).fetch_optional(tx).await?;
    let (key, address, version) = row.ok_or_else(unknown)?;
    Ok((AliasKey::new(key), read_alias_name(&address)?, domain, Version::new(version)))
}

async fn targets(tx: &mut AnyConnection, key: AliasKey) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT address FROM alias_target WHERE alias_key = $1 ORDER BY position";
    sqlx::query_scalar(sql).bind(key.value()).fetch_all(tx).await
}

/// Those who are named as senders.
pub(super) async fn senders(tx: &mut AnyConnection, key: AliasKey) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT address FROM alias_sender WHERE alias_key = $1 ORDER BY position";
    sqlx::query_scalar(sql).bind(key.value()).fetch_all(tx).await
}

/// The targets, and those who are named as senders, of several aliases, in order.
async fn read_listed(
    reader: &mut AnyConnection,
    engine: Engine,
    keys: &[i64],
) -> Result<(Vec<(i64, Address)>, Vec<(i64, Address)>), StoreError> {
    let (mut leads, mut people) = (Vec::new(), Vec::new());
    if keys.is_empty() {
        return Ok((leads, people));
    }
    for (table, found) in [("alias_target", &mut leads), ("alias_sender", &mut people)] {
        let mut listed = Selected::new(format!("SELECT alias_key, address FROM {table}"));
        listed.and_among("alias_key", keys.iter().copied());
        let statement = listed.ordered("alias_key, position", i64::from(u32::MAX));
        for row in sql::query(engine, &[statement])?.fetch_all(&mut *reader).await? {
            found.push((row.try_get(0)?, read_address(row.try_get(1)?)?));
        }
    }
    Ok((leads, people))
}

/// What an alias is; none where it isn't there.
pub(super) async fn read_state(tx: &mut AnyConnection, key: AliasKey) -> Result<Option<AliasState>, sqlx::Error> {
    let sql = "SELECT senders, turn, ends_at, note, ended_text FROM alias WHERE alias_key = $1";
    let row: Option<(i64, i64, Option<i64>, String, String)> =
        sqlx::query_as(sql).bind(key.value()).fetch_optional(&mut *tx).await?;
    let Some((by, turn, ends_at, note, ended_text)) = row else { return Ok(None) };
    let (targets, sender_people) = (targets(tx, key).await?, senders(tx, key).await?);
    Ok(Some(AliasState { targets, senders: SendersKind::of(by), sender_people, turn, ends_at, note, ended_text }))
}

/// Writes what an alias becomes, none: nothing, and that it does; the domain must have been taken. The version that it has then.
pub(super) async fn put_state(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    act: &'static str,
    (key, name, domain): (AliasKey, &AliasName, DomainKey),
    before: Option<&AliasState>,
    after: Option<&AliasState>,
) -> Result<Version, DirectoryError> {
    let version = Version::new(scribe.next_key());
    if before == after {
        return Ok(version);
    }
    if before.is_none() {
        refuse_taken_alias(tx, name, domain).await?;
        let sql = "INSERT INTO alias (alias_key, domain_key, folded, address, created_at, kind) VALUES ($1, $2, $3, $4, $5, $6)";
        let query = sqlx::query(sql).bind(key.value()).bind(domain.value()).bind(name.folded());
        let query = query.bind(name.to_string()).bind(scribe.now().millis()).bind(name.kind());
        query.execute(&mut *tx).await?;
    }
    delete_lists(tx, key).await?;
    match after {
        None => {
            sqlx::query("DELETE FROM alias WHERE alias_key = $1").bind(key.value()).execute(&mut *tx).await?;
        }
        Some(after) => write_state(tx, key, version, after).await?,
    }
    let told = |state: Option<&AliasState>| state.and_then(|state| serde_json::to_value(state).ok());
    let deed =
        Deed { act, subject: name.to_string(), about: Some(key.value()), domain: Some(domain), ..Deed::default() };
    scribe.note(tx, deed.between(told(before), told(after))).await?;
    Ok(version)
}

async fn write_state(
    tx: &mut AnyConnection,
    key: AliasKey,
    version: Version,
    state: &AliasState,
) -> Result<(), DirectoryError> {
    let sql = "UPDATE alias SET version = $2, senders = $3, turn = $4, ends_at = $5, note = $6, ended_text = $7
               WHERE alias_key = $1";
    let query = sqlx::query(sql).bind(key.value()).bind(version.value()).bind(state.senders as i64).bind(state.turn);
    let query = query.bind(state.ends_at).bind(state.note.as_str()).bind(state.ended_text.as_str());
    query.execute(&mut *tx).await?;
    insert_targets(tx, key, &state.targets).await?;
    let sql = "INSERT INTO alias_sender (alias_key, position, address) VALUES ($1, $2, $3)";
    for (position, text) in (0_i64..).zip(&state.sender_people) {
        sqlx::query(sql).bind(key.value()).bind(position).bind(text.as_str()).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Refuses a name that is taken, and a pattern more than a domain may have.
async fn refuse_taken_alias(tx: &mut AnyConnection, name: &AliasName, domain: DomainKey) -> Result<(), DirectoryError> {
    match name {
        AliasName::Exact(address) | AliasName::Wildcard(address) => refuse_taken(tx, address).await?,
        AliasName::Expression { .. } => {
            let sql = "SELECT COUNT(*) FROM alias WHERE folded = $1";
            let found: i64 = sqlx::query_scalar(sql).bind(name.folded()).fetch_one(&mut *tx).await?;
            if found > 0 {
                return Err(DirectoryError::AliasTaken(name.clone()));
            }
        }
    }
    if name.exact().is_none() {
        let sql = "SELECT COUNT(*) FROM alias WHERE domain_key = $1 AND kind > 0";
        let patterns: i64 = sqlx::query_scalar(sql).bind(domain.value()).fetch_one(&mut *tx).await?;
        if usize::try_from(patterns).unwrap_or(usize::MAX) >= MAX_PATTERNS {
            return Err(DirectoryError::TooManyPatterns);
        }
    }
    Ok(())
}

async fn delete_lists(tx: &mut AnyConnection, key: AliasKey) -> Result<(), sqlx::Error> {
    for sql in ["DELETE FROM alias_target WHERE alias_key = $1", "DELETE FROM alias_sender WHERE alias_key = $1"] {
        sqlx::query(sql).bind(key.value()).execute(&mut *tx).await?;
    }
    Ok(())
}

impl Store {
    /// Folds the targets that a migration left for it.
    pub(crate) async fn fold_targets(&self) -> Result<(), StoreError> {
        let sql = "SELECT alias_key, position, address FROM alias_target WHERE folded = ''";
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(sql).fetch_all(&mut *self.reader().await?).await?;
        if rows.is_empty() {
            return Ok(());
        }
        self.write(move |tx| {
            Box::pin(async move {
                for (key, position, text) in rows {
                    let sql = "UPDATE alias_target SET folded = $3 WHERE alias_key = $1 AND position = $2";
                    let query = sqlx::query(sql).bind(key).bind(position).bind(fold(&read_address(&text)?));
                    query.execute(&mut *tx).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

async fn insert_targets(tx: &mut AnyConnection, key: AliasKey, targets: &[String]) -> Result<(), DirectoryError> {
    let sql = "INSERT INTO alias_target (alias_key, position, address, folded, domain) VALUES ($1, $2, $3, $4, $5)";
    for (position, text) in (0_i64..).zip(targets) {
        let target = read_address(text)?;
        sqlx::query(sql)
            .bind(key.value())
            .bind(position)
            .bind(text.as_str())
            .bind(fold(&target))
            .bind(target.domain.as_str())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Removes all aliases of a domain that is going.
pub(super) async fn delete_aliases_of(tx: &mut AnyConnection, domain: DomainKey) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM alias_target WHERE alias_key IN (SELECT alias_key FROM alias WHERE domain_key = $1)",
        "DELETE FROM alias_sender WHERE alias_key IN (SELECT alias_key FROM alias WHERE domain_key = $1)",
        "DELETE FROM alias WHERE domain_key = $1",
    ] {
        sqlx::query(sql).bind(domain.value()).execute(&mut *tx).await?;
    }
    Ok(())
}

fn read_alias(row: &AnyRow) -> Result<Alias, StoreError> {
    Ok(Alias {
        key: AliasKey::new(row.try_get(0)?),
        address: read_alias_name(row.try_get(1)?)?,
        targets: Vec::new(),
        created_at: Timestamp::from_millis(row.try_get(2)?),
        version: Version::new(row.try_get(3)?),
        senders: read_senders(row.try_get(4)?, Vec::new()),
        turn: u32::try_from(row.try_get::<i64, _>(5)?).unwrap_or_default(),
        ends_at: row.try_get::<Option<i64>, _>(6)?.map(Timestamp::from_millis),
        note: row.try_get(7)?,
        ended_text: row.try_get(8)?,
    })
}

pub(super) fn read_addresses(texts: &[String]) -> Result<Vec<Address>, StoreError> {
    texts.iter().map(|text| read_address(text)).collect()
}

/// An alias's name as the database keeps it.
pub(super) fn read_alias_name(text: &str) -> Result<AliasName, StoreError> {
    AliasName::parse(text).map_err(|error| StoreError::damaged(format!("alias {text}: {error}")))
}
