//! Searching and sorting by what stands in `message_words`, without reading messages.

use relais_message::{fields, fold, searchable};
use relais_model::{Timestamp, Uid, UidSet};
use sqlx::{AssertSqlSafe, Row};

use crate::Store;
use crate::content::Content;
use crate::error::StoreError;
use crate::key::{MailboxKey, MessageKey};
use crate::sql::{self, Statement};

/// Messages whose facts are read in one aggregated read.
const FACTS_AT_ONCE: i64 = 10_000;
/// Between the messages of an aggregated text: the unit separator of ASCII, which is taken out of what stands there.
const BETWEEN: &str = "\u{1f}";
/// Octets that are kept of each field's words.
const WORDS_OCTETS: usize = 8 * 1024;

/// A header field that is kept decoded and folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Subject.
    Subject,
    /// From: names and addresses.
    From,
    /// To.
    To,
    /// Cc.
    Cc,
}

/// What SORT and THREAD (RFC 5256, RFC 5957) need of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortFacts {
    /// In its mailbox.
    pub uid: u32,
    /// Date:, where there is one that can be read.
    pub header_date: Option<Timestamp>,
    /// The day that Date: writes, in days since 1970-01-01, whatever the zone: for SENTBEFORE and its kin.
    pub header_day: Option<i64>,
    /// RFC 5256 §2.1.
    pub base_subject: String,
    /// The base subject is not the whole of the subject: a reply or forward.
    pub is_reply: bool,
    /// The first From address's local part.
    pub sort_from: String,
    /// The first To address's.
    pub sort_to: String,
    /// The first Cc address's.
    pub sort_cc: String,
    /// RFC 5957: the display name or address of From.
    pub display_from: String,
    /// Of To.
    pub display_to: String,
    /// Message-ID.
    pub message_id: Option<String>,
    /// References, else the first In-Reply-To.
    pub references: Vec<String>,
}

/// What THREAD=REFERENCES (RFC 5256) needs of one message, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadFacts {
    /// In its mailbox.
    pub uid: u32,
    /// As in [`SortFacts`].
    pub header_date: Option<Timestamp>,
    /// RFC 5256 §2.1.
    pub base_subject: String,
    /// The base subject is not the whole of the subject.
    pub is_reply: bool,
    /// Message-ID.
    pub message_id: Option<String>,
    /// References, else the first In-Reply-To, with spaces between them.
    pub references: String,
}

impl Field {
    const fn column(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::From => "from_words",
            Self::To => "to_words",
            Self::Cc => "cc_words",
        }
    }
}

impl Store {
    /// The messages whose field holds `text`, in any case; of a field's first 8 KiB.
    pub async fn search_field(&self, mailbox: MailboxKey, field: Field, text: &str) -> Result<UidSet, StoreError> {
        let statement = format!(
            "SELECT string_agg(CAST(e.uid AS TEXT), ',')
             FROM entry e JOIN message_words w ON w.message_key = e.message_key
             WHERE e.mailbox_key = $1 AND w.{} LIKE $2 ESCAPE '\\'",
            field.column()
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(mailbox.value()).bind(sql::containing(&fold(text)));
        let found: Option<String> = query.fetch_one(&mut *self.reader().await?).await?.try_get(0)?;
        let mut uids: Vec<Uid> =
            found.unwrap_or_default().split(',').filter_map(|number| number.parse().ok().and_then(Uid::new)).collect();
        uids.sort_unstable();
        Ok(uids.into_iter().collect())
    }

    /// The day that each message's Date: writes, in days since 1970-01-01; where it has none, that of its internal date in
    /// UTC. In no order.
    pub async fn sent_days(&self, mailbox: MailboxKey) -> Result<Vec<(u32, i64)>, StoreError> {
        let statement = "SELECT string_agg(e.uid || ' ' || COALESCE(w.header_day, e.internal_date / 86400), ',')
             FROM entry e JOIN message_words w ON w.message_key = e.message_key WHERE e.mailbox_key = $1";
        let query = sqlx::query(statement).bind(mailbox.value());
        let text: Option<String> = query.fetch_one(&mut *self.reader().await?).await?.try_get(0)?;
        let text = text.unwrap_or_default();
        let pairs = text.split(',').filter_map(|pair| pair.split_once(' '));
        Ok(pairs.filter_map(|(uid, day)| Some((uid.parse().ok()?, day.parse().ok()?))).collect())
    }

    /// What SORT and THREAD need of all messages in a mailbox, ascending by UID.
    pub async fn sort_facts(&self, mailbox: MailboxKey) -> Result<Vec<SortFacts>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.uid, w.header_date, w.header_day, w.base_subject, w.is_reply, w.sort_from, w.sort_to, w.sort_cc,
                    w.display_from, w.display_to, w.message_id, w.refs
             FROM entry e JOIN message_words w ON w.message_key = e.message_key
             WHERE e.mailbox_key = $1 ORDER BY e.uid",
        )
        .bind(mailbox.value())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let facts = rows.iter().map(|row| {
            Ok(SortFacts {
                uid: u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default(),
                header_date: row.try_get::<Option<i64>, _>(1)?.map(Timestamp::from_millis),
                header_day: row.try_get(2)?,
                base_subject: row.try_get(3)?,
                is_reply: row.try_get::<i64, _>(4)? != 0,
                sort_from: row.try_get(5)?,
                sort_to: row.try_get(6)?,
                sort_cc: row.try_get(7)?,
                display_from: row.try_get(8)?,
                display_to: row.try_get(9)?,
                message_id: row.try_get(10)?,
                references: row.try_get::<String, _>(11)?.split_ascii_whitespace().map(str::to_owned).collect(),
            })
        });
        facts.collect()
    }
}

impl Store {
    /// What threads are made of, of a mailbox's messages above `after`, ascending by UID.
    pub async fn thread_facts(&self, mailbox: MailboxKey, after: u32) -> Result<Vec<ThreadFacts>, StoreError> {
        let (mut facts, mut after) = (Vec::new(), i64::from(after));
        loop {
            // A row through the driver costs 3 µs, a column of ten thousand in one text next to nothing.
            let chunk = sqlx::query(
                "SELECT string_agg(uid, $4), string_agg(sent, $4), string_agg(subject, $4), string_agg(reply, $4),
                        string_agg(id, $4), string_agg(names, $4)
                 FROM (SELECT CAST(e.uid AS TEXT) AS uid, COALESCE(CAST(w.header_date AS TEXT), '') AS sent,
                              REPLACE(w.base_subject, $4, '') AS subject, CAST(w.is_reply AS TEXT) AS reply,
                              COALESCE(REPLACE(w.message_id, $4, ''), '') AS id, REPLACE(w.refs, $4, '') AS names
                       FROM entry e JOIN message_words w ON w.message_key = e.message_key
                       WHERE e.mailbox_key = $1 AND e.uid > $2 ORDER BY e.uid LIMIT $3) AS chunk",
            )
            .bind(mailbox.value())
            .bind(after)
            .bind(FACTS_AT_ONCE)
            .bind(BETWEEN)
            .fetch_one(&mut *self.reader().await?)
            .await?;
            let mut texts = [""; 6];
            for (column, text) in texts.iter_mut().enumerate() {
                *text = chunk.try_get::<Option<&str>, _>(column)?.unwrap_or_default();
            }
            let before = facts.len();
            parse_thread_facts(texts, &mut facts);
            let Some(last) = facts.last() else { break };
            after = last.uid.into();
            if facts.len() - before < usize::try_from(FACTS_AT_ONCE).unwrap_or(usize::MAX) {
                break;
            }
        }
        Ok(facts)
    }
}

/// The columns of a chunk: UID, date, base subject, whether it is a reply, Message-ID, references; a message's part of each stands between
/// two [`BETWEEN`].
fn parse_thread_facts(texts: [&str; 6], facts: &mut Vec<ThreadFacts>) {
    let [uids, sent, subjects, replies, ids, names] = texts;
    if uids.is_empty() {
        return;
    }
    let from = facts.len();
    let mut others = [sent, subjects, replies, ids, names].map(|text| text.split(BETWEEN));
    for uid in uids.split(BETWEEN) {
        let [sent, subject, reply, id, names] = others.each_mut().map(|column| column.next().unwrap_or_default());
        facts.push(ThreadFacts {
            uid: uid.parse().unwrap_or_default(),
            header_date: sent.parse().ok().map(Timestamp::from_millis),
            base_subject: subject.to_owned(),
            is_reply: reply == "1",
            message_id: (!id.is_empty()).then(|| id.to_owned()),
            references: names.to_owned(),
        });
    }
    // Neither engine promises the order of an aggregate's input, though both keep it.
    if let Some(chunk) = facts.get_mut(from..)
        && !chunk.is_sorted_by_key(|fact| fact.uid)
    {
        chunk.sort_unstable_by_key(|fact| fact.uid);
    }
}

/// The columns of `message_words` that are kept folded.
const FOLDED: [&str; 8] =
    ["subject", "from_words", "to_words", "cc_words", "base_subject", "sort_from", "sort_to", "sort_cc"];

/// Rows that are folded again in one transaction.
const REFOLDED_AT_ONCE: i64 = 2000;

impl Store {
    /// Folds what was kept before 0039 once more: what an earlier fold left is folded to what the text itself would be, but for the capitals of
    /// Georgian, which that one made of its small letters. Broken off, it goes on where it was; twice does no harm.
    pub(crate) async fn refold_words(&self) -> Result<(), StoreError> {
        let sql = "SELECT up_to FROM words_refolded";
        while let Some(up_to) = sqlx::query_scalar::<_, i64>(sql).fetch_optional(&mut *self.reader().await?).await? {
            let sql = format!(
                "SELECT message_key, {} FROM message_words WHERE message_key > $1 ORDER BY message_key LIMIT $2",
                FOLDED.join(", ")
            );
            let query = sqlx::query(AssertSqlSafe(sql)).bind(up_to).bind(REFOLDED_AT_ONCE);
            let rows = query.fetch_all(&mut *self.reader().await?).await?;
            let mut changed = Vec::new();
            for row in &rows {
                let texts = (1..=FOLDED.len()).map(|column| row.try_get(column)).collect::<Result<Vec<String>, _>>()?;
                if !texts.iter().all(|text| text.is_ascii()) {
                    let texts = texts.iter().map(|text| storable(&refold(text))).collect::<Vec<_>>();
                    changed.push((row.try_get::<i64, _>(0)?, texts));
                }
            }
            let up_to: Option<i64> = rows.last().map(|row| row.try_get(0)).transpose()?;
            self.write(move |tx| {
                Box::pin(async move {
                    for (key, texts) in changed {
                        let sets = FOLDED.iter().zip(2..).map(|(column, place)| format!("{column} = ${place}"));
                        let sql = sets.collect::<Vec<_>>().join(", ");
                        let sql = format!("UPDATE message_words SET {sql} WHERE message_key = $1");
                        let query = sqlx::query(AssertSqlSafe(sql)).bind(key);
                        texts.into_iter().fold(query, sqlx::query::Query::bind).execute(&mut *tx).await?;
                    }
                    match up_to {
                        Some(up_to) => {
                            sqlx::query("UPDATE words_refolded SET up_to = $1").bind(up_to).execute(tx).await?
                        }
                        None => sqlx::query("DELETE FROM words_refolded").execute(tx).await?,
                    };
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
        }
        Ok(())
    }
}

/// What an earlier fold left, as the text itself would be folded.
fn refold(folded: &str) -> String {
    let small = |character| match u32::from(character) {
        capital @ 0x1c90..=0x1cbf => char::from_u32(capital - 0x1c90 + 0x10d0).unwrap_or(character),
        _ => character,
    };
    fold(&folded.chars().map(small).collect::<String>())
}

/// Keeps the words of new messages.
pub(crate) fn insert_words(contents: &[(MessageKey, Content)]) -> Vec<Statement> {
    let head =
        "INSERT INTO message_words (message_key, header_date, header_day, subject, from_words, to_words, cc_words,
                    base_subject, is_reply, sort_from, sort_to, sort_cc, display_from, display_to, message_id, refs)";
    sql::insert(head, 16, "", contents, |statement, (key, content)| {
        let facts = content.facts();
        let references =
            if facts.references.is_empty() { facts.in_reply_to.get(..1) } else { Some(&*facts.references) };
        statement
            .bind(key.value())
            .bind(facts.header_date.map(Timestamp::millis))
            .bind(facts.header_day)
            .bind(words(content, "Subject"))
            .bind(words(content, "From"))
            .bind(words(content, "To"))
            .bind(words(content, "Cc"))
            .bind(storable(&facts.base_subject))
            .bind(i64::from(facts.is_reply))
            .bind(storable(&facts.sort_from))
            .bind(storable(&facts.sort_to))
            .bind(storable(&facts.sort_cc))
            .bind(storable(&facts.display_from))
            .bind(storable(&facts.display_to))
            .bind(facts.message_id.as_deref().map(storable))
            .bind(storable(&references.unwrap_or_default().join(" ")))
    })
}

/// A field's values, decoded and folded.
fn words(content: &Content, name: &str) -> String {
    let mut words = String::new();
    for field in fields(content.head()).filter(|field| field.is(name)) {
        words.push_str(&searchable(&field));
        words.push('\n');
    }
    storable(&fold(&words))
}

/// PostgreSQL keeps no NUL in texts; a hostile header must not fill the table.
fn storable(text: &str) -> String {
    let end = text.floor_char_boundary(WORDS_OCTETS.min(text.len()));
    text.get(..end).unwrap_or_default().replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The former fold: upper case where that is one character, and not ASCII.
    #[test]
    fn what_was_kept_becomes_what_would_be_kept() {
        let earlier = |character: char| {
            let mut upper = character.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(only), None) if character.is_ascii() || !only.is_ascii() => only,
                _ => character,
            }
        };
        let mtavruli = '\u{1c90}'..='\u{1cbf}';
        for character in ('\0'..=char::MAX).filter(|character| !mtavruli.contains(character)) {
            let text = character.to_string();
            let kept: String = text.chars().map(earlier).collect();
            assert_eq!(refold(&kept), fold(&text), "{character:?}");
        }
    }

    #[test]
    fn signs_of_like_stand_for_themselves() {
        assert_eq!(sql::containing("100%_\\"), "%100\\%\\_\\\\%");
    }
}
