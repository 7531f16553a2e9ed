//! Messages that go out later: in some seconds, so that who sent them can still stop them, or at a time that was chosen. Until then they are
//! drafts; the house's [`Mail::post`] sends what is due.

use std::time::Duration;

use relais_model::{SpecialUse, Timestamp, Uid};
use relais_store::{AccountKey, Scheduled, Via};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::write::Draft;
use super::{Mail, uid};
use crate::{Actor, Failure, Moment, Reach, Role, Text};

/// The longest wait that can be chosen.
const MAX_WAIT: Duration = Duration::from_hours(24 * 366);
/// So long nothing is looked for where nothing waits; also the longest that a clock that was set may hold something back.
const TICK: Duration = Duration::from_mins(1);
/// After a failure of the house.
const REST: Duration = Duration::from_secs(10);

/// A message that goes out later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterMessage {
    /// Its UID in Drafts.
    pub uid: u32,
    /// When it goes.
    pub due_at: Moment,
    /// To whom, as it was typed.
    pub to: String,
    /// May be empty.
    pub subject: String,
    /// Why it could not be sent.
    pub refused: Option<Text>,
}

impl Mail {
    /// Sends a message so that it can still be stopped, for as long as one has chosen: what to say, and which draft it is until then.
    ///
    /// # Errors
    /// As of [`Mail::send_later`], and [`Mail::send`].
    pub async fn send_soon(&self, me: &Actor, since: Timestamp, draft: &Draft) -> Result<(Text, Option<u32>), Failure> {
        let seconds = self.writing_choices(me).await?.undo_seconds;
        if seconds == 0 {
            return Ok((self.send(me, since, draft, Vec::new()).await?, None));
        }
        let due_at = self.store.now().plus(Duration::from_secs(seconds.into()));
        let saved = self.send_later(me, since, draft, due_at).await?;
        Ok((Text::new("mail-going").with("seconds", u64::from(seconds)), Some(saved)))
    }

    /// Has a message go out when `due_at` has come. What can be known now is found now: an address that nobody has is refused at once.
    ///
    /// # Errors
    /// As of [`Mail::send`]; [`Failure::Unfit`] on `due`: it is past, or too far away; [`Failure::Clash`]: too many wait.
    pub async fn send_later(
        &self,
        me: &Actor,
        since: Timestamp,
        draft: &Draft,
        due_at: Timestamp,
    ) -> Result<u32, Failure> {
        let now = self.store.now();
        if due_at < now || due_at > now.plus(MAX_WAIT) {
            return Err(Failure::unfit("due", Text::new("mail-later-bad-time")));
        }
        self.try_out(me, since, draft).await?;
        let saved = self.save_draft(me, draft, Vec::new()).await?;
        let (account, _) = me.own()?;
        let mailbox = self.with_use(account, SpecialUse::Drafts).await?;
        let (uid, refused) = (uid(saved)?, String::new());
        let new = Scheduled { account, mailbox, uid, due_at, signed_in_at: since, refused };
        if !self.store.schedule(new).await? {
            return Err(Failure::clash("due", Text::new("mail-later-too-many")));
        }
        self.out()?.due.notify_one();
        Ok(saved)
    }

    /// What waits, the next first; and what could not be sent.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn later(&self, me: &Actor) -> Result<Vec<LaterMessage>, Failure> {
        let (account, _) = me.own()?;
        let mut later = Vec::new();
        for row in self.store.scheduled(account).await? {
            // One that is no draft any more doesn't go.
            let Ok(draft) = self.open_draft(me, row.uid.value()).await else { continue };
            later.push(LaterMessage {
                uid: row.uid.value(),
                due_at: row.due_at.into(),
                to: [draft.to, draft.cc, draft.bcc].into_iter().find(|to| !to.is_empty()).unwrap_or_default(),
                subject: draft.subject,
                refused: serde_json::from_str(&row.refused).ok(),
            });
        }
        Ok(later)
    }

    /// How many wait, and how many could not be sent.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn later_counts(&self, me: &Actor) -> Result<(u64, u64), Failure> {
        let rows = self.store.scheduled(me.own()?.0).await?;
        let refused = rows.iter().filter(|row| !row.refused.is_empty()).count() as u64;
        Ok((rows.len() as u64 - refused, refused))
    }

    /// Stops it: it is a draft like others.
    ///
    /// # Errors
    /// [`Failure::Absent`]: it is gone, or going.
    pub async fn stop_later(&self, me: &Actor, number: u32) -> Result<(), Failure> {
        let (account, _) = me.own()?;
        if self.unscheduled(account, uid(number)?).await? {
            return Ok(());
        }
        Err(Failure::Absent(Text::new("mail-later-gone")))
    }

    /// When a draft goes out; none: not by itself.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn due(&self, me: &Actor, number: u32) -> Result<Option<Moment>, Failure> {
        let rows = self.store.scheduled(me.own()?.0).await?;
        let row = rows.into_iter().find(|row| row.uid.value() == number && row.refused.is_empty());
        Ok(row.map(|row| row.due_at.into()))
    }

    pub(super) async fn unscheduled(&self, account: AccountKey, uid: Uid) -> Result<bool, Failure> {
        let drafts = self.with_use(account, SpecialUse::Drafts).await?;
        Ok(self.store.unschedule(drafts, uid).await?)
    }

    /// Sends what is due, until it is stopped.
    pub async fn post(self, stop: CancellationToken) {
        let Some(out) = self.out.clone() else { return };
        loop {
            let wait = match self.post_due().await {
                Ok(wait) => wait,
                Err(failure) => {
                    tracing::warn!(%failure, "messages that were to go later wait: the store failed");
                    REST
                }
            };
            tokio::select! {
                // All cancel-safe: nothing has begun, and a ring that nobody hears is kept.
                () = stop.cancelled() => return,
                () = out.due.notified() => {}
                () = sleep(wait) => {}
            }
        }
    }

    /// Sends what is due now. How long nothing else is.
    ///
    /// # Errors
    /// [`Failure::Failed`]: the store failed; what was being sent is tried again when its lease has ended.
    pub async fn post_due(&self) -> Result<Duration, Failure> {
        while let Some(due) = self.store.claim_scheduled().await? {
            match self.sent_now(&due).await {
                // It was changed, moved or thrown away: it is another's turn to decide about it.
                Ok(()) | Err(Failure::Absent(_)) => self.store.scheduled_went(&due).await?,
                Err(Failure::Failed) => return Err(Failure::Failed),
                Err(failure) => {
                    tracing::info!(account.key = due.account.value(), %failure, "a message that was to go later was refused");
                    let why = failure.complaints().into_iter().next().map(|complaint| complaint.why);
                    let why = why.unwrap_or_else(|| Text::new("mail-later-refused"));
                    let why = serde_json::to_string(&why).map_err(|_| Failure::Failed)?;
                    self.store.scheduled_refused(&due, why).await?;
                }
            }
        }
        let next = self.store.next_scheduled().await?;
        let now = self.store.now();
        Ok(next
            .map_or(TICK, |next| {
                Duration::from_millis(next.millis().saturating_sub(now.millis()).max(1).unsigned_abs())
            })
            .min(TICK))
    }

    async fn sent_now(&self, due: &Scheduled) -> Result<(), Failure> {
        let me = self.as_owner(due.account).await?;
        if self.with_use(due.account, SpecialUse::Drafts).await? != due.mailbox {
            return Err(super::no_message());
        }
        let draft = self.open_draft(&me, due.uid.value()).await?;
        self.send(&me, due.signed_in_at, &draft, Vec::new()).await.map(|_says| ())
    }

    /// Whose draft it is, in their own name.
    async fn as_owner(&self, account: AccountKey) -> Result<Actor, Failure> {
        let found = self.store.account_by_key(account).await?.ok_or_else(super::no_message)?;
        Ok(Actor {
            name: found.address.to_string(),
            account: Some((account, found.address)),
            role: Role::User,
            reach: Reach::Domains(Vec::new()),
            via: Via::House,
            peer: None,
            is_proven: false,
        })
    }
}
