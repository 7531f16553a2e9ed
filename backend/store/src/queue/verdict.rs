//! Why a message was taken, put into Junk or refused, as long as the trace tells what happened to it.

use std::borrow::Cow;

use relais_model::{Address, Finding, Gap, ReversePath, Said, Timestamp};
use serde::{Deserialize, Serialize};

use super::TraceId;
use crate::key::{self, Keys};
use crate::sql::{self, Statement};
use crate::{MessageKey, Store, StoreError};

/// Findings of a message that are kept; each is short, for [`Said`] shortens strangers' words.
const MOST_FINDINGS: usize = 50;

/// Rows that one transaction prunes.
const PRUNED_AT_ONCE: i64 = 5000;

/// What was done with a message. The numbers stand in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JudgedAs {
    /// It went where it was to go.
    Taken = 0,
    /// It went into Junk.
    Junk = 1,
    /// It was refused for good.
    Refused = 2,
    /// It may come again later.
    PutOff = 3,
}

impl JudgedAs {
    const ALL: [Self; 4] = [Self::Taken, Self::Junk, Self::Refused, Self::PutOff];

    /// One word, for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Junk => "junk",
            Self::Refused => "refused",
            Self::PutOff => "put-off",
        }
    }
}

/// What was done with a message, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// What was done.
    pub judged_as: JudgedAs,
    /// Its points; none where nobody counted. Kept in thousandths.
    pub score: Option<f32>,
    /// What was found, in the order of the checks; the first fifty are kept.
    pub findings: Vec<Finding>,
}

/// A message that was not taken, for the trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The id that stands in the log.
    pub trace: TraceId,
    /// MAIL's path.
    pub reverse_path: ReversePath,
    /// Whom it was for; none: it was refused before anybody was named.
    pub recipients: Vec<Address>,
    /// Who brought it: `192.0.2.1 (mx.example)`.
    pub from_peer: String,
    /// Its subject, decoded, of any length.
    pub subject: String,
    /// What was said to whoever brought it.
    pub reply: String,
    /// Why; none where the message has a judgement of its own, for others took it.
    pub judgement: Option<Judgement>,
}

/// A judgement that is to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged<'a> {
    pub(crate) trace: &'a TraceId,
    /// None: it was not taken.
    pub(crate) message: Option<MessageKey>,
    pub(crate) judgement: &'a Judgement,
}

#[derive(Serialize, Deserialize)]
struct KeptFinding<'a> {
    #[serde(borrow)]
    part: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "is_zero")]
    points: f32,
    #[serde(default, skip_serializing_if = "is_false")]
    decides: bool,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default, borrow)]
    gaps: Vec<(Cow<'a, str>, KeptGap)>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum KeptGap {
    Number(i64),
    Words(String),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(points: &f32) -> bool {
    *points == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(decides: &bool) -> bool {
    !decides
}

impl<'a> KeptFinding<'a> {
    fn of(finding: &'a Finding) -> Self {
        let gaps = finding.said.gaps.iter().map(|(name, gap)| {
            let gap = match gap {
                Gap::Number(number) => KeptGap::Number(*number),
                // PostgreSQL takes no NUL in a text.
                Gap::Words(words) => KeptGap::Words(words.replace('\0', "")),
            };
            (Cow::Borrowed(&**name), gap)
        });
        Self {
            part: Cow::Borrowed(&finding.part),
            points: finding.points,
            decides: finding.decides,
            id: Cow::Borrowed(&finding.said.id),
            gaps: gaps.collect(),
        }
    }

    fn finding(self) -> Finding {
        let gaps = self.gaps.into_iter().map(|(name, gap)| {
            let gap = match gap {
                KeptGap::Number(number) => Gap::Number(number),
                KeptGap::Words(words) => Gap::Words(words),
            };
            (Cow::Owned(name.into_owned()), gap)
        });
        let said = Said { id: Cow::Owned(self.id.into_owned()), gaps: gaps.collect() };
        Finding { part: Cow::Owned(self.part.into_owned()), points: self.points, decides: self.decides, said }
    }
}

/// Writes judgements, in few statements.
pub(crate) fn note(keys: &Keys, now: Timestamp, judgements: &[Judged<'_>]) -> Result<Vec<Statement>, StoreError> {
    let texts = judgements.iter().map(|judged| {
        let findings: Vec<_> = judged.judgement.findings.iter().take(MOST_FINDINGS).map(KeptFinding::of).collect();
        let text = serde_json::to_string(&findings).map_err(|error| StoreError::damaged(error.to_string()))?;
        Ok((judged, text))
    });
    let rows = texts.collect::<Result<Vec<_>, StoreError>>()?;
    let head = "INSERT INTO message_verdict (verdict_key, trace, fate, score, findings, message_key)";
    Ok(sql::insert(head, 6, "", &rows, |statement, (Judged { trace, message, judgement }, findings)| {
        statement
            .bind(keys.next(now))
            .bind(trace.as_str())
            .bind(judgement.judged_as as i64)
            .bind(judgement.score.map(thousandths))
            .bind(findings.as_str())
            .bind(message.map(MessageKey::value))
    }))
}

#[expect(clippy::cast_possible_truncation, reason = "what is no number of points, or too many, becomes the nearest")]
fn thousandths(score: f32) -> i64 {
    (score * 1000.0).round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "a score is small")]
fn score(thousandths: i64) -> f32 {
    thousandths as f32 / 1000.0
}

impl Store {
    /// Why the message of this id met its fate; none where nobody judged it, or that is forgotten.
    pub async fn judgement(&self, trace: &TraceId) -> Result<Option<Judgement>, StoreError> {
        let sql =
            "SELECT fate, score, findings FROM message_verdict WHERE trace = $1 ORDER BY verdict_key DESC LIMIT 1";
        let row: Option<(i64, Option<i64>, String)> =
            sqlx::query_as(sql).bind(trace.as_str()).fetch_optional(&mut *self.reader().await?).await?;
        let Some((fate, points, findings)) = row else { return Ok(None) };
        let judged_as = JudgedAs::ALL.into_iter().find(|judged_as| *judged_as as i64 == fate);
        let judged_as = judged_as.ok_or_else(|| StoreError::damaged(format!("a message's fate {fate}")))?;
        let findings: Vec<KeptFinding<'_>> =
            serde_json::from_str(&findings).map_err(|error| StoreError::damaged(format!("findings: {error}")))?;
        let findings = findings.into_iter().map(KeptFinding::finding).collect();
        Ok(Some(Judgement { judged_as, score: points.map(score), findings }))
    }

    /// The message of this id that was judged when it came, where it is still here: in a mailbox, or in the queue.
    pub async fn judged_message(&self, trace: &TraceId) -> Result<Option<MessageKey>, StoreError> {
        let sql = "SELECT m.message_key FROM message_verdict v JOIN message m ON m.message_key = v.message_key
                   WHERE v.trace = $1 AND (EXISTS (SELECT 1 FROM entry e WHERE e.message_key = m.message_key)
                                           OR EXISTS (SELECT 1 FROM queued q WHERE q.message_key = m.message_key))
                   ORDER BY v.verdict_key DESC LIMIT 1";
        let query = sqlx::query_scalar(sql).bind(trace.as_str());
        let key: Option<i64> = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(key.map(MessageKey::new))
    }

    /// Forgets judgements of before `before`, as [`Store::trace_prune`] forgets events.
    pub(super) async fn prune_verdicts(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = "DELETE FROM message_verdict WHERE verdict_key IN
                   (SELECT verdict_key FROM message_verdict WHERE verdict_key < $1 ORDER BY verdict_key LIMIT $2)";
        self.prune_in_parts(sql, key::first_at(before), PRUNED_AT_ONCE).await
    }
}
