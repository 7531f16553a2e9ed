//! Posts that wait for an owner.

use relais_model::{ReversePath, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::super::domain::read_address;
use crate::page::{Listing, Page};
use crate::{ListKey, PostKey, Store, StoreError};

/// Posts of one list that wait, at most: past it the oldest goes.
pub const MAX_HELD_POSTS: i64 = 100;

/// A post that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPost {
    /// Its row. [`PostKey::post_id`] is what people see.
    pub key: PostKey,
    /// The list.
    pub list: ListKey,
    /// Who wrote it, as its header says.
    pub author: String,
    /// Decoded.
    pub subject: String,
    /// Where failures are told.
    pub reverse_path: ReversePath,
    /// The message; empty in a list of them.
    pub octets: Vec<u8>,
    /// Since when it waits.
    pub held_at: Timestamp,
}

/// A post that is to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHeldPost {
    /// The message's id: one that is kept already is not kept again.
    pub trace: String,
    /// As in [`HeldPost`].
    pub author: String,
    /// As in [`HeldPost`].
    pub subject: String,
    /// As in [`HeldPost`].
    pub reverse_path: ReversePath,
    /// The message.
    pub octets: Vec<u8>,
}

impl Store {
    /// Keeps a post for the owners; its key, also where it was kept already.
    pub async fn hold_list_post(&self, list: ListKey, post: NewHeldPost) -> Result<PostKey, StoreError> {
        let (key, now) = (self.inner.keys.next(self.now()), self.now());
        self.write(move |tx| {
            Box::pin(async move {
                let sql =
                    "INSERT INTO list_post (post_key, list_key, trace, author, subject, reverse_path, octets, held_at)
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (list_key, trace) DO NOTHING";
                let path = post.reverse_path.address().map(ToString::to_string).unwrap_or_default();
                let query = sqlx::query(sql).bind(key).bind(list.value()).bind(post.trace.clone()).bind(post.author);
                let query = query.bind(post.subject).bind(path).bind(post.octets).bind(now.millis());
                query.execute(&mut *tx).await?;
                let sql = "DELETE FROM list_post WHERE list_key = $1 AND post_key NOT IN
                               (SELECT post_key FROM list_post WHERE list_key = $1 ORDER BY post_key DESC LIMIT $2)";
                sqlx::query(sql).bind(list.value()).bind(MAX_HELD_POSTS).execute(&mut *tx).await?;
                let sql = "SELECT post_key FROM list_post WHERE list_key = $1 AND trace = $2";
                let kept: i64 = sqlx::query_scalar(sql).bind(list.value()).bind(post.trace).fetch_one(&mut *tx).await?;
                Ok::<_, StoreError>(PostKey::new(kept))
            })
        })
        .await
    }

    /// Posts that wait, the latest first, without their octets.
    pub async fn held_list_posts(&self, list: ListKey, page: &Page) -> Result<Listing<HeldPost>, StoreError> {
        let sql = "SELECT post_key, list_key, author, subject, reverse_path, held_at FROM list_post
                   WHERE list_key = $1 AND post_key < $2 ORDER BY post_key DESC LIMIT $3";
        let query = sqlx::query(sql).bind(list.value()).bind(page.before_key()).bind(page.rows_to_ask());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let posts = rows.iter().map(|row| read(row, Vec::new())).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut_by_key(posts, |post| post.key.value()))
    }

    /// One post that waits, with its octets; none where somebody has decided already.
    pub async fn held_list_post(&self, key: PostKey) -> Result<Option<HeldPost>, StoreError> {
        let sql = "SELECT post_key, list_key, author, subject, reverse_path, held_at, octets FROM list_post WHERE post_key = $1";
        let row = sqlx::query(sql).bind(key.value()).fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| read(&row, row.try_get(6)?)).transpose()
    }

    /// A post waits no longer; whether it did.
    pub async fn drop_list_post(&self, key: PostKey) -> Result<bool, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM list_post WHERE post_key = $1";
                Ok::<_, StoreError>(sqlx::query(sql).bind(key.value()).execute(tx).await?.rows_affected() > 0)
            })
        })
        .await
    }
}

fn read(row: &AnyRow, octets: Vec<u8>) -> Result<HeldPost, StoreError> {
    let path: String = row.try_get(4)?;
    Ok(HeldPost {
        key: PostKey::new(row.try_get(0)?),
        list: ListKey::new(row.try_get(1)?),
        author: row.try_get(2)?,
        subject: row.try_get(3)?,
        reverse_path: if path.is_empty() { ReversePath::Null } else { ReversePath::Address(read_address(&path)?) },
        octets,
        held_at: Timestamp::from_millis(row.try_get(5)?),
    })
}
