//! People whom an account knows.
//!
//! Invariants: an account has [`MAX_CONTACTS`]; what is in a card beside the columns is its owner's, and not looked at here. All go with the
//! account.

use std::collections::BTreeMap;

use relais_model::Address;
use sqlx::{AnyConnection, Row as _};

use crate::sql::containing;
use crate::{AccountKey, Store, StoreError};

/// Contacts of one account.
pub const MAX_CONTACTS: i64 = 10_000;

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRow {
    /// The card's own name.
    pub uid: String,
    /// As they are called.
    pub name: String,
    /// What is looked through, in any case: name, addresses and more.
    pub words: String,
    /// Their groups.
    pub groups: Vec<String>,
    /// The whole card.
    pub card: String,
}

/// Which contacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactFilter {
    /// That hold this; empty: all.
    pub text: String,
    /// Of this group; empty: of any, or none.
    pub group: String,
    /// So many are passed over.
    pub offset: u32,
    /// At most.
    pub limit: u32,
}

impl Store {
    /// Whether one of the contacts has this address.
    pub async fn is_contact(&self, account: AccountKey, address: &Address) -> Result<bool, StoreError> {
        // Among the words of a contact an address stands between blanks.
        let pattern = containing(&format!(" {} ", address.to_string().to_lowercase()));
        let sql = "SELECT uid FROM contact WHERE account_key = $1 AND ' ' || words || ' ' LIKE $2 ESCAPE '\\' LIMIT 1";
        let query = sqlx::query(sql).bind(account.value()).bind(pattern);
        Ok(query.fetch_optional(&mut *self.reader().await?).await?.is_some())
    }

    /// Contacts by name, and how many there are.
    pub async fn contacts(
        &self,
        account: AccountKey,
        filter: &ContactFilter,
    ) -> Result<(Vec<ContactRow>, u64), StoreError> {
        let pattern = containing(&filter.text.to_lowercase());
        let group = match filter.group.as_str() {
            "" => "%".to_owned(),
            group => containing(&format!("\n{}\n", group.to_lowercase())),
        };
        let matching =
            "FROM contact WHERE account_key = $1 AND words LIKE $2 ESCAPE '\\' AND group_names LIKE $3 ESCAPE '\\'";
        let sql = format!("SELECT COUNT(*) {matching}");
        let query =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(account.value()).bind(pattern.as_str()).bind(group.as_str());
        let total: i64 = query.fetch_one(&mut *self.reader().await?).await?.try_get(0)?;
        let sql = format!("SELECT uid, name, words, card {matching} ORDER BY sort_name, uid LIMIT $4 OFFSET $5");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(account.value()).bind(pattern).bind(group);
        let query = query.bind(i64::from(filter.limit)).bind(i64::from(filter.offset));
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let rows = rows.iter().map(read).collect::<Result<_, StoreError>>()?;
        Ok((rows, u64::try_from(total).unwrap_or_default()))
    }

    /// One by its card's name.
    pub async fn contact(&self, account: AccountKey, uid: &str) -> Result<Option<ContactRow>, StoreError> {
        let sql = "SELECT uid, name, words, card FROM contact WHERE account_key = $1 AND uid = $2";
        let query = sqlx::query(sql).bind(account.value()).bind(uid);
        query.fetch_optional(&mut *self.reader().await?).await?.as_ref().map(read).transpose()
    }

    /// Groups in lower case, and how many are in each.
    pub async fn contact_groups(&self, account: AccountKey) -> Result<BTreeMap<String, u64>, StoreError> {
        let sql = "SELECT group_names, COUNT(*) FROM contact WHERE account_key = $1 AND group_names <> '' GROUP BY group_names LIMIT 10000";
        let rows = sqlx::query(sql).bind(account.value()).fetch_all(&mut *self.reader().await?).await?;
        let mut groups = BTreeMap::new();
        for row in &rows {
            let count = u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default();
            for group in row.try_get::<&str, _>(0)?.lines().filter(|group| !group.is_empty()) {
                *groups.entry(group.to_owned()).or_insert(0) += count;
            }
        }
        Ok(groups)
    }

    /// Keeps contacts, each in the place of the one with its name among cards. How many had room.
    pub async fn keep_contacts(&self, account: AccountKey, contacts: Vec<ContactRow>) -> Result<u64, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "SELECT COUNT(*) FROM contact WHERE account_key = $1";
                let mut count: i64 = sqlx::query(sql).bind(account.value()).fetch_one(&mut *tx).await?.try_get(0)?;
                let mut kept = 0;
                for contact in contacts {
                    let sql = "DELETE FROM contact WHERE account_key = $1 AND uid = $2";
                    let gone =
                        sqlx::query(sql).bind(account.value()).bind(contact.uid.as_str()).execute(&mut *tx).await?;
                    if gone.rows_affected() == 0 {
                        if count >= MAX_CONTACTS {
                            continue;
                        }
                        count += 1;
                    }
                    insert(&mut *tx, account, contact).await?;
                    kept += 1;
                }
                Ok(kept)
            })
        })
        .await
    }

    /// Forgets somebody. Whether they were there.
    pub async fn remove_contact(&self, account: AccountKey, uid: &str) -> Result<bool, StoreError> {
        let uid = uid.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM contact WHERE account_key = $1 AND uid = $2";
                let gone = sqlx::query(sql).bind(account.value()).bind(uid).execute(tx).await?;
                Ok(gone.rows_affected() > 0)
            })
        })
        .await
    }
}

async fn insert(tx: &mut AnyConnection, account: AccountKey, contact: ContactRow) -> Result<(), sqlx::Error> {
    let groups = if contact.groups.is_empty() {
        String::new()
    } else {
        format!("\n{}\n", contact.groups.join("\n").to_lowercase())
    };
    let sql = "INSERT INTO contact (account_key, uid, name, sort_name, words, group_names, card)
               SELECT account_key, $2, $3, $4, $5, $6, $7 FROM account WHERE account_key = $1";
    sqlx::query(sql)
        .bind(account.value())
        .bind(contact.uid)
        .bind(contact.name.as_str())
        .bind(contact.name.to_lowercase())
        .bind(contact.words.to_lowercase())
        .bind(groups)
        .bind(contact.card)
        .execute(tx)
        .await?;
    Ok(())
}

/// Groups stand in the card.
fn read(row: &sqlx::any::AnyRow) -> Result<ContactRow, StoreError> {
    Ok(ContactRow {
        uid: row.try_get(0)?,
        name: row.try_get(1)?,
        words: row.try_get(2)?,
        groups: Vec::new(),
        card: row.try_get(3)?,
    })
}

/// Takes away all that is an account's own.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM contact WHERE account_key = $1").bind(account.value()).execute(tx).await?;
    Ok(())
}
