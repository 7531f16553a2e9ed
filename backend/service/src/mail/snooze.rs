//! Messages that are out of the way until a time: they stand in a mailbox of their own, as IMAP shows it, and the house's [`Mail::wake`] brings
//! them back on top of INBOX, unread (decision 52).

use std::collections::HashMap;
use std::time::Duration;

use relais_model::{Flag, MailboxName, SystemFlag, Timestamp, UidSet};
use relais_store::{AccountKey, Append, ChangeError, Content, MailboxKey, Row, Snoozed};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::acts::{Undo, count, refused};
use super::{Done, Mail, Own, no_mailbox};
use crate::{Actor, Failure, Moment, Text};

/// The mailbox's name. No RFC gives it a use; mail programs show it as it is called.
pub const SNOOZED: &str = "Snoozed";
/// The longest wait that can be chosen.
const MAX_WAIT: Duration = Duration::from_hours(24 * 366);
/// So long nothing is looked for where nothing waits; also the longest that a clock that was set may hold something back.
const TICK: Duration = Duration::from_mins(1);
/// After a failure of the house.
const REST: Duration = Duration::from_secs(10);
/// What can't come back now, for want of room, is tried again after so long.
const LATER: Duration = Duration::from_hours(1);

impl Mail {
    /// When the messages of a mailbox come back, by UID; of most mailboxes none does.
    ///
    /// # Errors
    /// [`Failure::Absent`]: there is no such mailbox, or it isn't one's own.
    pub async fn snoozed_until(&self, me: &Actor, mailbox: &str) -> Result<HashMap<u32, Moment>, Failure> {
        let own = self.own(me, mailbox).await?;
        let rows = self.store.snoozed_in(own.view.mailbox()).await?;
        Ok(rows.into_iter().map(|row| (row.uid.value(), row.due_at.into())).collect())
    }

    /// Puts messages out of the way until `due_at`; those that are already have another time from now on.
    pub(super) async fn snooze(&self, own: &Own, uids: UidSet, due_at: Timestamp) -> Result<Done, Failure> {
        let now = self.store.now();
        if due_at <= now || due_at > now.plus(MAX_WAIT) {
            return Err(Failure::unfit("until", Text::new("mail-later-bad-time")));
        }
        if !self.store.has_room_to_snooze(own.account, uids.count()).await? {
            return Err(Failure::clash("until", Text::new("mail-snoozed-too-many")));
        }
        let (from, to) = (own.view.mailbox(), self.snoozed_mailbox(own.account).await?);
        let row = |uid| Snoozed { account: own.account, mailbox: to, uid, due_at };
        let (rows, undo): (Vec<Snoozed>, Undo) = if from == to {
            let before = self.store.snoozed_in(to).await?.into_iter().filter(|row| uids.contains(row.uid)).collect();
            (uids.iter().map(row).collect(), Undo::Snooze { mailbox: to, uids, before })
        } else {
            let moved = self.store.move_messages(from, uids, to).await.map_err(refused)?;
            let back = Undo::Move { from: to, uids: moved.to.iter().copied().collect(), to: from };
            (moved.to.into_iter().map(row).collect(), back)
        };
        let snoozed = count(&rows);
        self.store.snooze(rows).await?;
        self.alarm.notify_one();
        let undo = (snoozed > 0).then(|| self.keep_undo(own.account, undo));
        Ok(Done { count: snoozed, says: Text::new("mail-done-snoozed").with("count", snoozed), undo })
    }

    /// Those that wait have the times that they had.
    pub(super) async fn snooze_as_before(
        &self,
        mailbox: MailboxKey,
        uids: UidSet,
        before: Vec<Snoozed>,
    ) -> Result<(), Failure> {
        self.store.forget_snoozed(mailbox, uids).await?;
        self.store.snooze(before).await?;
        self.alarm.notify_one();
        Ok(())
    }

    async fn snoozed_mailbox(&self, account: AccountKey) -> Result<MailboxKey, Failure> {
        let name = MailboxName::parse(SNOOZED).map_err(|_unfit| Failure::Failed)?;
        if let Some(key) = self.store.mailbox_key(account, &name).await? {
            return Ok(key);
        }
        let made = self.store.create_mailbox(account, &name, None).await.map_err(|_refused| Failure::Failed)?;
        self.store.subscribe(account, &name).await?;
        Ok(made.mailbox.key)
    }

    /// Brings back what is due, until it is stopped.
    pub async fn wake(self, stop: CancellationToken) {
        loop {
            let wait = match self.wake_due().await {
                Ok(wait) => wait,
                Err(failure) => {
                    tracing::warn!(%failure, "messages that were to come back wait: the store failed");
                    REST
                }
            };
            tokio::select! {
                // All cancel-safe: nothing has begun, and a ring that nobody hears is kept.
                () = stop.cancelled() => return,
                () = self.alarm.notified() => {}
                () = sleep(wait) => {}
            }
        }
    }

    /// Brings back what is due now. How long nothing else is.
    ///
    /// # Errors
    /// [`Failure::Failed`]: the store failed; what is left is brought back next time.
    pub async fn wake_due(&self) -> Result<Duration, Failure> {
        loop {
            let due = self.store.snoozed_due().await?;
            if due.is_empty() {
                break;
            }
            for row in due {
                self.bring_back(row).await?;
            }
        }
        let (next, now) = (self.store.next_snoozed().await?, self.store.now());
        let wait = |next: Timestamp| next.millis().saturating_sub(now.millis()).max(1).unsigned_abs();
        Ok(next.map_or(TICK, |next| Duration::from_millis(wait(next))).min(TICK))
    }

    /// In one act: it comes to INBOX, with today's date and unread, and goes from where it waited. Whoever does it twice finds nothing the
    /// second time, so that neither a crash nor a second node doubles a message.
    async fn bring_back(&self, due: Snoozed) -> Result<(), Failure> {
        let forget = || self.store.forget_snoozed(due.mailbox, std::iter::once(due.uid).collect());
        let Some((row, flags)) = self.waiting(&due).await? else { return Ok(forget().await?) };
        let inbox = self.store.mailbox_key(due.account, &MailboxName::inbox()).await?.ok_or_else(no_mailbox)?;
        let raw = self.octets(&row).await?;
        let content = tokio::task::spawn_blocking(move || Content::prepare(raw)).await.map_err(|_| Failure::Failed)?;
        let append = Append { content, flags, internal_date: Some(self.store.now()) };
        match self.store.replace(due.mailbox, due.uid, inbox, append).await {
            Ok(_) | Err(ChangeError::NoMessage | ChangeError::NoMailbox) => Ok(forget().await?),
            Err(ChangeError::Failed(error)) => Err(error.into()),
            Err(error) => {
                tracing::info!(account.key = due.account.value(), %error, "a message that was to come back waits for room");
                Ok(self.store.snooze(vec![Snoozed { due_at: self.store.now().plus(LATER), ..due }]).await?)
            }
        }
    }

    /// The message, if it still waits where it was put, and its flags without `\Seen`.
    async fn waiting(&self, due: &Snoozed) -> Result<Option<(Row, Vec<Flag>)>, Failure> {
        let Some(view) = self.store.view(due.mailbox).await? else { return Ok(None) };
        let row = view.read(|rows| rows.get(due.uid).copied());
        Ok(row.filter(|_| !view.is_gone()).map(|row| {
            let flags = view.flags_of(row.flags);
            (row, flags.into_iter().filter(|flag| *flag != Flag::System(SystemFlag::Seen)).collect())
        }))
    }
}
