//! Random octets that must be the same after a restart.

use crate::{Store, StoreError};

impl Store {
    /// The secret of this name: made when it is first asked for, and the same from then on, on all nodes.
    pub async fn secret(&self, name: &'static str) -> Result<[u8; 32], StoreError> {
        if let Some(octets) = self.read_secret(name).await? {
            return Ok(octets);
        }
        let mut made = [0; 32];
        self.inner.random.fill(&mut made);
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO secret (name, octets) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
                sqlx::query(sql).bind(name).bind(made.as_slice()).execute(tx).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await?;
        // Another node may have been first.
        self.read_secret(name).await?.ok_or_else(|| StoreError::damaged(format!("the secret {name} doesn't stay")))
    }

    async fn read_secret(&self, name: &'static str) -> Result<Option<[u8; 32]>, StoreError> {
        let octets: Option<Vec<u8>> = sqlx::query_scalar("SELECT octets FROM secret WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let Some(octets) = octets else { return Ok(None) };
        let octets =
            octets.try_into().map_err(|_| StoreError::damaged(format!("the secret {name} has another length")));
        octets.map(Some)
    }
}
