//! How each person writes in the browser: as whom, and in which form.
//!
//! Invariants: an account has [`MAX_IDENTITIES`] identities, of which one at most is where new messages begin; all goes with the account.
//! Whether an identity's address may be written from is asked when it is used ([`Store::may_send_as`]), not here.

use relais_model::Address;
use sqlx::{AnyConnection, Row as _};

use crate::directory::{fold, read_address};
use crate::{AccountKey, Store, StoreError};

/// Identities of one account.
pub const MAX_IDENTITIES: i64 = 50;

/// A name and address under which somebody writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRow {
    /// From.
    pub address: Address,
    /// May be empty.
    pub name: String,
    /// Where answers go, where that is elsewhere.
    pub reply_to: Option<Address>,
    /// Plain text, with line ends as `\n`; may be empty.
    pub signature: String,
    /// New messages begin with it.
    pub is_default: bool,
}

/// How one writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WritingChoices {
    /// With formatting, where the browser can.
    pub is_rich: bool,
    /// So long what is sent can be stopped; 0: it goes at once.
    pub undo_seconds: u32,
    /// Those to whom one has written complete what one types.
    pub suggests_written: bool,
}

impl Default for WritingChoices {
    fn default() -> Self {
        Self { is_rich: true, undo_seconds: 10, suggests_written: true }
    }
}

impl Store {
    /// An account's identities: where new messages begin first, then by address.
    pub async fn identities(&self, account: AccountKey) -> Result<Vec<IdentityRow>, StoreError> {
        let sql = "SELECT address, name, reply_to, signature, is_default FROM identity WHERE account_key = $1
                   ORDER BY is_default DESC, folded LIMIT $2";
        let query = sqlx::query(sql).bind(account.value()).bind(MAX_IDENTITIES);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok(IdentityRow {
                address: read_address(row.try_get(0)?)?,
                name: row.try_get(1)?,
                reply_to: Some(row.try_get::<&str, _>(2)?)
                    .filter(|text| !text.is_empty())
                    .map(read_address)
                    .transpose()?,
                signature: row.try_get(3)?,
                is_default: row.try_get::<i64, _>(4)? != 0,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Keeps an identity, in the place of the one with its address; where new messages begin with it, with no other any more. Whether there
    /// was room for it.
    pub async fn keep_identity(&self, account: AccountKey, identity: IdentityRow) -> Result<bool, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let folded = fold(&identity.address);
                let sql = "SELECT COUNT(*) FROM identity WHERE account_key = $1 AND folded <> $2";
                let others = sqlx::query(sql).bind(account.value()).bind(folded.as_str()).fetch_one(&mut *tx).await?;
                if others.try_get::<i64, _>(0)? >= MAX_IDENTITIES {
                    return Ok(false);
                }
                if identity.is_default {
                    let sql = "UPDATE identity SET is_default = 0 WHERE account_key = $1";
                    sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
                }
                let sql = "INSERT INTO identity (account_key, folded, address, name, reply_to, signature, is_default)
                           SELECT account_key, $2, $3, $4, $5, $6, $7 FROM account WHERE account_key = $1
                           ON CONFLICT (account_key, folded) DO UPDATE SET address = excluded.address, name = excluded.name,
                               reply_to = excluded.reply_to, signature = excluded.signature, is_default = excluded.is_default";
                sqlx::query(sql)
                    .bind(account.value())
                    .bind(folded)
                    .bind(identity.address.to_string())
                    .bind(identity.name)
                    .bind(identity.reply_to.map(|address| address.to_string()).unwrap_or_default())
                    .bind(identity.signature)
                    .bind(i64::from(identity.is_default))
                    .execute(tx)
                    .await?;
                Ok(true)
            })
        })
        .await
    }

    /// Forgets the identity with this address. Whether there was one.
    pub async fn remove_identity(&self, account: AccountKey, address: &Address) -> Result<bool, StoreError> {
        let folded = fold(address);
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM identity WHERE account_key = $1 AND folded = $2";
                let gone = sqlx::query(sql).bind(account.value()).bind(folded).execute(tx).await?;
                Ok(gone.rows_affected() > 0)
            })
        })
        .await
    }

    /// How an account writes.
    pub async fn writing_choices(&self, account: AccountKey) -> Result<WritingChoices, StoreError> {
        let sql = "SELECT is_rich, undo_seconds, suggests_written FROM writing_choices WHERE account_key = $1";
        let row = sqlx::query(sql).bind(account.value()).fetch_optional(&mut *self.reader().await?).await?;
        let Some(row) = row else { return Ok(WritingChoices::default()) };
        Ok(WritingChoices {
            is_rich: row.try_get::<i64, _>(0)? != 0,
            undo_seconds: u32::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default(),
            suggests_written: row.try_get::<i64, _>(2)? != 0,
        })
    }

    /// Keeps how an account writes.
    pub async fn set_writing_choices(&self, account: AccountKey, choices: WritingChoices) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO writing_choices (account_key, is_rich, undo_seconds, suggests_written)
                           SELECT account_key, $2, $3, $4 FROM account WHERE account_key = $1
                           ON CONFLICT (account_key) DO UPDATE SET is_rich = excluded.is_rich,
                               undo_seconds = excluded.undo_seconds, suggests_written = excluded.suggests_written";
                let query = sqlx::query(sql).bind(account.value()).bind(i64::from(choices.is_rich));
                let query = query.bind(i64::from(choices.undo_seconds)).bind(i64::from(choices.suggests_written));
                query.execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Takes away all that is an account's own.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    for sql in ["DELETE FROM identity WHERE account_key = $1", "DELETE FROM writing_choices WHERE account_key = $1"] {
        sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
    }
    Ok(())
}
