//! What accounts send, against what they may and what is usual with them.
//!
//! - `counts`: what was sent, in spans of ten minutes. `holds`: accounts whose mail to other hosts waits until somebody has looked.
//! - `shut_out`: accounts whose sessions end. `suppressed`: addresses elsewhere that are nobody's. `complaints`: messages that somebody complained of.
//!
//! Invariants: what is accepted is counted in the transaction that accepts it, and is held by it where a hold stands; an account has one
//! hold at a time; each table is bounded, by time or by rows.

mod complaints;
mod counts;
mod holds;
mod shut_out;
mod suppressed;

pub use complaints::{COMPLAINTS_KEPT_FOR, Complaint, ComplaintCount};
pub use counts::{COUNTS_KEPT_FOR, SPAN, SendingLimits, SendingState, SentCount, Submission, Suspicious, span_of};
pub use holds::{
    HeldMessage, HeldSum, Hold, HoldEnd, HoldFacts, HoldFilter, HoldNews, HoldReason, MAX_SAMPLES, NewHold, Released,
};
pub use suppressed::{MAX_SUPPRESSED, Suppressed};

pub(crate) use counts::{count_accepted, count_unknown};
pub(crate) use holds::hold_queued;
pub(crate) use shut_out::ShutOuts;
pub(crate) use suppressed::{Unknown, note_delivered, note_unknown};

use sqlx::AnyConnection;

use crate::{AccountKey, Store, StoreError};

/// Rows that one statement prunes.
const AT_ONCE: i64 = 1000;

/// Takes away all that is an account's own, with the mail that a hold of it stops.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM queued_recipient WHERE hold_key IN (SELECT hold_key FROM sending_hold WHERE account_key = $1)",
        "DELETE FROM queued WHERE submitter = $1
         AND NOT EXISTS (SELECT 1 FROM queued_recipient AS r WHERE r.queue_key = queued.queue_key)",
        "DELETE FROM sent_count WHERE account_key = $1",
        "DELETE FROM sending_hold WHERE account_key = $1",
        "DELETE FROM complaint WHERE account_key = $1",
    ] {
        sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
    }
    Ok(())
}

impl Store {
    /// Drops what is too old of all of it, and of suppressed addresses what is too much.
    pub(crate) async fn prune_sending(&self) -> Result<(), StoreError> {
        let now = self.now();
        let counts = "DELETE FROM sent_count WHERE (account_key, span_at) IN
                          (SELECT account_key, span_at FROM sent_count WHERE span_at < $1 LIMIT $2)";
        self.prune_in_parts(counts, now.minus(COUNTS_KEPT_FOR).millis(), AT_ONCE).await?;
        let complaints = "DELETE FROM complaint WHERE trace IN (SELECT trace FROM complaint WHERE at < $1 LIMIT $2)";
        self.prune_in_parts(complaints, now.minus(COMPLAINTS_KEPT_FOR).millis(), AT_ONCE).await?;
        let holds = "DELETE FROM sending_hold WHERE hold_key IN
                         (SELECT hold_key FROM sending_hold WHERE ended_at < $1 LIMIT $2)";
        self.prune_in_parts(holds, now.minus(crate::AUDIT_KEPT_FOR).millis(), AT_ONCE).await?;
        self.prune_suppressed().await
    }
}
