//! Mail that was brought from another server: the state of each account's run, how far each folder there has come, and which message
//! there is which here.

use std::time::Duration;

use relais_model::{Timestamp, Uid};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::audit::{Author, Deed};
use crate::content::Content;
use crate::directory::Account;
use crate::key::{AccountKey, MailboxKey};
use crate::sql::Select;
use crate::view::load::{narrow, unsigned};
use crate::{Store, StoreError};

/// Octets of a span in its row.
const SPAN_OCTETS: usize = 12;
/// Contents that are asked for in one statement.
const ASKED_AT_ONCE: usize = 64;
/// What goes in many pieces is told once in this time.
const TOLD_AGAIN_AFTER: Duration = Duration::from_mins(10);

/// An account's last run, under way or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRun {
    /// From where: name, host and port.
    pub source: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was last noted.
    pub changed_at: Timestamp,
    /// What was found and done: the words of whoever runs it.
    pub progress: String,
}

/// A folder of another server, as an account brings it along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFolder {
    /// The server, and the name there.
    pub source: String,
    /// As it is called there.
    pub name: String,
}

/// How far a folder has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderState {
    /// Where its messages are here.
    pub mailbox: MailboxKey,
    /// Its epoch there.
    pub uid_validity: u32,
    /// The last UID there that was looked at; 0: none.
    pub last_uid: u32,
    /// HIGHESTMODSEQ there when flags were last compared; 0: it has none.
    pub mod_seq: u64,
}

/// Messages whose UIDs go in step, there and here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportSpan {
    /// The first one's UID there.
    pub uid: u32,
    /// The first one's UID here.
    pub own_uid: u32,
    /// How many.
    pub messages: u32,
}

impl Store {
    /// The last run of an account.
    pub async fn import_run(&self, account: AccountKey) -> Result<Option<ImportRun>, StoreError> {
        let sql = "SELECT source, started_at, changed_at, progress FROM import_run WHERE account_key = $1";
        let query = sqlx::query(sql).bind(account.value());
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        let read = |row: AnyRow| {
            Ok::<_, sqlx::Error>(ImportRun {
                source: row.try_get(0)?,
                started_at: Timestamp::from_millis(row.try_get(1)?),
                changed_at: Timestamp::from_millis(row.try_get(2)?),
                progress: row.try_get(3)?,
            })
        };
        Ok(row.map(read).transpose()?)
    }

    /// Notes how an account's run stands, in place of any other.
    pub async fn note_import_run(&self, account: AccountKey, run: ImportRun) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO import_run (account_key, source, started_at, changed_at, progress)
                           VALUES ($1, $2, $3, $4, $5)
                           ON CONFLICT (account_key) DO UPDATE SET source = excluded.source,
                               started_at = excluded.started_at, changed_at = excluded.changed_at,
                               progress = excluded.progress";
                let query = sqlx::query(sql).bind(account.value()).bind(run.source).bind(run.started_at.millis());
                query.bind(run.changed_at.millis()).bind(run.progress).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// How far a folder has come; none: it was never looked at.
    pub async fn import_folder(
        &self,
        account: AccountKey,
        folder: &SourceFolder,
    ) -> Result<Option<FolderState>, StoreError> {
        let sql = "SELECT mailbox_key, uid_validity, last_uid, mod_seq FROM import_folder
                   WHERE account_key = $1 AND source = $2 AND name = $3";
        let query = sqlx::query(sql).bind(account.value()).bind(folder.source.clone()).bind(folder.name.clone());
        let Some(row) = query.fetch_optional(&mut *self.reader().await?).await? else { return Ok(None) };
        Ok(Some(FolderState {
            mailbox: MailboxKey::new(row.try_get(0)?),
            uid_validity: narrow(unsigned(row.try_get(1)?)?)?,
            last_uid: narrow(unsigned(row.try_get(2)?)?)?,
            mod_seq: unsigned(row.try_get(3)?)?,
        }))
    }

    /// Notes how far a folder has come, with the messages that came. Where `starts_anew`, what was noted of earlier ones is forgotten.
    pub async fn note_import(
        &self,
        account: AccountKey,
        folder: SourceFolder,
        state: FolderState,
        came: Vec<ImportSpan>,
        starts_anew: bool,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                if starts_anew {
                    let sql = "DELETE FROM import_span WHERE account_key = $1 AND source = $2 AND name = $3";
                    let query = sqlx::query(sql).bind(account.value()).bind(folder.source.clone());
                    query.bind(folder.name.clone()).execute(&mut *tx).await?;
                }
                let sql = "INSERT INTO import_folder
                               (account_key, source, name, mailbox_key, uid_validity, last_uid, mod_seq)
                           VALUES ($1, $2, $3, $4, $5, $6, $7)
                           ON CONFLICT (account_key, source, name) DO UPDATE SET mailbox_key = excluded.mailbox_key,
                               uid_validity = excluded.uid_validity, last_uid = excluded.last_uid,
                               mod_seq = excluded.mod_seq";
                let query = sqlx::query(sql).bind(account.value()).bind(folder.source.clone());
                let query = query.bind(folder.name.clone()).bind(state.mailbox.value());
                let query = query.bind(i64::from(state.uid_validity)).bind(i64::from(state.last_uid));
                query.bind(i64::try_from(state.mod_seq).unwrap_or(0)).execute(&mut *tx).await?;
                let Some(first) = came.first() else { return Ok(()) };
                let sql = "INSERT INTO import_span (account_key, source, name, first_uid, spans)
                           VALUES ($1, $2, $3, $4, $5)";
                let query = sqlx::query(sql).bind(account.value()).bind(folder.source).bind(folder.name);
                query.bind(i64::from(first.uid)).bind(written(&came)).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Tells in the activity that someone moves an account's mail (`mail.import`, `mail.file`, `mail.export`); of many pieces, once.
    pub async fn note_moving(&self, by: &Author, act: &'static str, account: &Account) -> Result<(), StoreError> {
        let scribe = self.scribe(by);
        let (about, author, domain) = (account.key.value(), by.name.clone(), account.domain);
        let subject = account.address.to_string();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "SELECT COUNT(*) FROM audit WHERE about = $1 AND act = $2 AND author = $3 AND at > $4";
                let since = scribe.now().minus(TOLD_AGAIN_AFTER).millis();
                let query = sqlx::query_scalar(sql).bind(about).bind(act).bind(author).bind(since);
                let told: i64 = query.fetch_one(&mut *tx).await?;
                if told == 0 {
                    let deed = Deed { act, subject, about: Some(about), domain: Some(domain), ..Deed::default() };
                    scribe.note(tx, deed).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Which messages of a folder are which here, by their UIDs there.
    pub async fn import_spans(
        &self,
        account: AccountKey,
        folder: &SourceFolder,
    ) -> Result<Vec<ImportSpan>, StoreError> {
        let sql = "SELECT spans FROM import_span WHERE account_key = $1 AND source = $2 AND name = $3
                   ORDER BY first_uid";
        let query = sqlx::query(sql).bind(account.value()).bind(folder.source.clone()).bind(folder.name.clone());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let mut spans = Vec::with_capacity(rows.len());
        for row in rows {
            let octets: Vec<u8> = row.try_get(0)?;
            spans.extend(octets.chunks_exact(SPAN_OCTETS).map(read));
        }
        Ok(spans)
    }

    /// Where in a mailbox some contents stand, octet for octet: for each of them its UIDs, ascending.
    pub async fn standing_in(&self, mailbox: MailboxKey, contents: &[Content]) -> Result<Vec<Vec<Uid>>, StoreError> {
        let mut standing = vec![Vec::new(); contents.len()];
        let mut places = std::collections::HashMap::<[u8; 32], Vec<usize>>::new();
        for (place, content) in contents.iter().enumerate() {
            places.entry(content.hash()).or_default().push(place);
        }
        let hashes: Vec<[u8; 32]> = places.keys().copied().collect();
        for some in hashes.chunks(ASKED_AT_ONCE) {
            let mut select = Select::new(
                "SELECT m.hash, e.uid FROM message m JOIN entry e ON e.message_key = m.message_key WHERE e.mailbox_key = ",
            );
            select.value(mailbox.value()).say(" AND m.hash IN (");
            for (at, hash) in some.iter().enumerate() {
                select.say(if at == 0 { "" } else { ", " }).value(bytes::Bytes::copy_from_slice(hash));
            }
            select.say(") ORDER BY e.uid");
            for row in select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await? {
                let (hash, uid): (Vec<u8>, i64) = (row.try_get(0)?, row.try_get(1)?);
                let uid = Uid::new(narrow(unsigned(uid)?)?);
                let found = <[u8; 32]>::try_from(hash).ok().and_then(|hash| places.get(&hash));
                for place in found.into_iter().flatten() {
                    standing.get_mut(*place).into_iter().for_each(|uids: &mut Vec<Uid>| uids.extend(uid));
                }
            }
        }
        Ok(standing)
    }
}

fn written(spans: &[ImportSpan]) -> Vec<u8> {
    spans.iter().flat_map(|span| [span.uid, span.own_uid, span.messages]).flat_map(u32::to_be_bytes).collect()
}

fn read(octets: &[u8]) -> ImportSpan {
    let mut numbers = octets.chunks_exact(4).map(|four| four.iter().fold(0, |all, octet| all << 8 | u32::from(*octet)));
    let mut next = || numbers.next().unwrap_or_default();
    ImportSpan { uid: next(), own_uid: next(), messages: next() }
}

/// Takes along what an account that goes has brought.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM import_run WHERE account_key = $1",
        "DELETE FROM import_folder WHERE account_key = $1",
        "DELETE FROM import_span WHERE account_key = $1",
    ] {
        sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
    }
    Ok(())
}
