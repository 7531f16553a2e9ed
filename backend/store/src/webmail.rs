//! How each person reads mail in the browser, and whose pictures they want to see.
//!
//! Invariants: an account has one row of choices at most, and [`MAX_PICTURE_SENDERS`] senders; both go with it.

use relais_model::Address;
use sqlx::{AnyConnection, Row as _};

use crate::directory::fold;
use crate::sql::containing;
use crate::{AccountKey, Store, StoreError};

/// Senders whose pictures one account sees, at most; the oldest are forgotten first.
pub const MAX_PICTURE_SENDERS: i64 = 5000;

/// How much room a line of a list takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Density {
    /// Two lines a message.
    #[default]
    Roomy,
    /// One.
    Dense,
}

/// Where the message stands that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadingPane {
    /// Beside the list.
    #[default]
    Right,
    /// Below it.
    Below,
    /// In its place.
    None,
}

/// How one reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadingChoices {
    /// Lines of the list.
    pub density: Density,
    /// Where the message stands.
    pub pane: ReadingPane,
    /// Messages that answer each other stand together.
    pub by_conversation: bool,
}

impl Default for ReadingChoices {
    fn default() -> Self {
        Self { density: Density::default(), pane: ReadingPane::default(), by_conversation: true }
    }
}

impl Density {
    /// Its name, in the database and in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Roomy => "roomy",
            Self::Dense => "dense",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Roomy, Self::Dense].into_iter().find(|density| density.as_str() == name)
    }
}

impl ReadingPane {
    /// Its name, in the database and in forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Below => "below",
            Self::None => "none",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Right, Self::Below, Self::None].into_iter().find(|pane| pane.as_str() == name)
    }
}

impl Store {
    /// How an account reads.
    pub async fn reading_choices(&self, account: AccountKey) -> Result<ReadingChoices, StoreError> {
        let sql = "SELECT density, pane, by_conversation FROM reading_choices WHERE account_key = $1";
        let query = sqlx::query(sql).bind(account.value());
        let Some(row) = query.fetch_optional(&mut *self.reader().await?).await? else {
            return Ok(ReadingChoices::default());
        };
        Ok(ReadingChoices {
            density: Density::parse(&row.try_get::<String, _>(0)?).unwrap_or_default(),
            pane: ReadingPane::parse(&row.try_get::<String, _>(1)?).unwrap_or_default(),
            by_conversation: row.try_get::<i64, _>(2)? != 0,
        })
    }

    /// Keeps how an account reads.
    pub async fn set_reading_choices(&self, account: AccountKey, choices: ReadingChoices) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO reading_choices (account_key, density, pane, by_conversation)
                           SELECT account_key, $2, $3, $4 FROM account WHERE account_key = $1
                           ON CONFLICT (account_key) DO UPDATE SET density = excluded.density, pane = excluded.pane,
                               by_conversation = excluded.by_conversation";
                sqlx::query(sql)
                    .bind(account.value())
                    .bind(choices.density.as_str())
                    .bind(choices.pane.as_str())
                    .bind(i64::from(choices.by_conversation))
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Whether an account sees a sender's pictures without asking.
    pub async fn shows_pictures_of(&self, account: AccountKey, sender: &Address) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM picture_sender WHERE account_key = $1 AND folded = $2";
        let query = sqlx::query(sql).bind(account.value()).bind(fold(sender));
        Ok(query.fetch_optional(&mut *self.reader().await?).await?.is_some())
    }

    /// From now on an account sees a sender's pictures without asking, or doesn't any more.
    pub async fn show_pictures_of(
        &self,
        account: AccountKey,
        sender: &Address,
        is_shown: bool,
    ) -> Result<(), StoreError> {
        let (now, folded) = (self.now(), fold(sender));
        self.write(move |tx| {
            Box::pin(async move {
                if !is_shown {
                    let sql = "DELETE FROM picture_sender WHERE account_key = $1 AND folded = $2";
                    sqlx::query(sql).bind(account.value()).bind(folded).execute(tx).await?;
                    return Ok(());
                }
                let sql = "INSERT INTO picture_sender (account_key, folded, at)
                           SELECT account_key, $2, $3 FROM account WHERE account_key = $1
                           ON CONFLICT (account_key, folded) DO UPDATE SET at = excluded.at";
                let query = sqlx::query(sql).bind(account.value()).bind(folded).bind(now.millis());
                query.execute(&mut *tx).await?;
                let sql = "DELETE FROM picture_sender WHERE account_key = $1 AND at <
                               (SELECT at FROM picture_sender WHERE account_key = $1 ORDER BY at DESC LIMIT 1 OFFSET $2)";
                sqlx::query(sql).bind(account.value()).bind(MAX_PICTURE_SENDERS - 1).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Addresses that an account has written to and that hold `text`, the last first: for completing what is typed.
    pub async fn acquaintances(&self, account: AccountKey, text: &str, limit: u32) -> Result<Vec<Address>, StoreError> {
        let sql = "SELECT folded FROM acquaintance WHERE account_key = $1 AND folded LIKE $2 ESCAPE '\\'
                   ORDER BY last_at DESC, folded LIMIT $3";
        let pattern = containing(&text.to_lowercase());
        let query = sqlx::query(sql).bind(account.value()).bind(pattern).bind(i64::from(limit));
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let addresses = rows.iter().map(|row| Ok(Address::parse(&row.try_get::<String, _>(0)?).ok()));
        Ok(addresses.collect::<Result<Vec<_>, sqlx::Error>>()?.into_iter().flatten().collect())
    }
}

/// Takes away all that is an account's own.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    for sql in
        ["DELETE FROM reading_choices WHERE account_key = $1", "DELETE FROM picture_sender WHERE account_key = $1"]
    {
        sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
    }
    Ok(())
}
