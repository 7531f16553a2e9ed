//! What people want and what not: what they teach the filter, whom they know, whom they allow and block, who was asked to come again.
//!
//! Invariants: an account has one [`JunkModel`], at most [`MAX_ACQUAINTANCES`] acquaintances,
//! 2,000 reputations of a kind and [`MAX_SENDER_RULES`] rules; a lesson that
//! was learnt is remembered as long as its message is here, so that it can be taken back exactly.

mod acquaintances;
mod greylist;
mod lessons;
mod regard;
mod reputation;
mod rules;

pub use acquaintances::{Acquainted, MAX_ACQUAINTANCES};
pub use greylist::{MAX_GREYLISTED, Visit as GreylistVisit};
pub use lessons::{JunkModel, LearntCounts, Lesson, ModelVersion};
pub use regard::Regard;
pub use reputation::{Origin, READ_AFTER, ReadMessage, Reputation, ReputationCounts};
pub use rules::{MAX_SENDER_RULES, NewSenderRule, RuleScope, SenderRule, SenderRuleError};

use sqlx::AnyConnection;

pub(crate) use lessons::Teaching;
pub(crate) use reputation::note_read;

/// Takes away all that is an account's own.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: crate::AccountKey) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM lesson WHERE account_key = $1",
        "DELETE FROM junk_model WHERE account_key = $1",
        "DELETE FROM acquaintance WHERE account_key = $1",
        "DELETE FROM reading WHERE account_key = $1",
        "DELETE FROM reputation WHERE account_key = $1",
        "DELETE FROM sender_rule WHERE account_key = $1",
    ] {
        sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
    }
    Ok(())
}
