//! Mail that a person deleted, brought back: for them by whoever runs the house, who sees how much there is and none of it; or by
//! themselves, by their own program.

use relais_model::Timestamp;
use relais_store::{Account, MAX_AT_ONCE};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::directory::readable;
use crate::mail::{Restored, WhichRemoved};
use crate::people::is_self;
use crate::{Actor, Failure, Moment, Service, Text};

/// What a person deleted and can have back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeletedMail {
    /// Whose.
    #[schema(example = "ann@example.org")]
    pub address: String,
    /// Messages.
    pub messages: u64,
    /// In octets.
    pub size_octets: u64,
    /// Mailboxes.
    pub mailboxes: u64,
}

/// Which of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeletedWanted {
    /// What was deleted since; none: all that is still kept.
    pub since: Option<Moment>,
}

/// Which of one's own deleted mail: either these, or what was deleted since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OwnDeletedWanted {
    /// These, by their ids in the list: 1 to 1,000.
    #[schema(example = json!(["M1f"]))]
    pub ids: Option<Vec<String>>,
    /// What was deleted since then.
    pub since: Option<Moment>,
}

impl OwnDeletedWanted {
    /// All there is is never meant by a slip of the pen.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `ids`.
    fn which(self) -> Result<WhichRemoved, Failure> {
        match (self.ids, self.since) {
            (Some(ids), None) if (1..=MAX_AT_ONCE).contains(&ids.len()) => Ok(WhichRemoved::These(ids)),
            (None, Some(since)) => Ok(WhichRemoved::Since(since.0)),
            _ => Err(Failure::unfit("ids", Text::new("mail-which-deleted").with("most", MAX_AT_ONCE))),
        }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailRestored {
    /// Messages.
    pub messages: u64,
    /// Mailboxes that were deleted.
    pub mailboxes: u64,
}

impl MailRestored {
    /// Says so.
    pub fn says(&self) -> Text {
        Restored { messages: self.messages, mailboxes: self.mailboxes }.says()
    }
}

impl DeletedWanted {
    fn since(&self) -> Timestamp {
        self.since.map_or(Timestamp::from_millis(0), |since| since.0)
    }
}

impl Service {
    /// How much mail a person deleted and can have back. Help desk; one's own, everybody.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn deleted_mail(
        &self,
        by: &Actor,
        address: &str,
        wanted: &DeletedWanted,
    ) -> Result<DeletedMail, Failure> {
        let account = self.people.find(by, address).await?;
        let total = self.store.removed_total(account.key, wanted.since()).await?;
        Ok(DeletedMail {
            address: readable(&account.address),
            messages: total.messages,
            size_octets: total.size_octets,
            mailboxes: total.mailboxes,
        })
    }

    /// Brings mail back that a person deleted, each message to where it stood, and mailboxes, also empty ones. Help desk, for whom they have power over; one's own,
    /// everybody.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`]; [`Failure::Clash`] where the account is full: what came back before that stays.
    pub async fn restore_mail(
        &self,
        by: &Actor,
        address: &str,
        wanted: &DeletedWanted,
    ) -> Result<MailRestored, Failure> {
        let account = self.people.find(by, address).await?;
        if !is_self(by, &account) {
            by.require_power_over(&account)?;
        }
        self.restored(by, &account, &WhichRemoved::Since(wanted.since())).await
    }

    /// Brings one's own deleted mail back, each message to where it stood. Ids of what isn't there any more name nothing.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `ids`; [`Failure::Clash`] where the account is full, or can't have more mailboxes: what came back before that
    /// stays.
    pub async fn restore_own_mail(&self, me: &Actor, wanted: OwnDeletedWanted) -> Result<MailRestored, Failure> {
        let which = wanted.which()?;
        let account = self.people.find(me, &me.own()?.1.to_string()).await?;
        self.restored(me, &account, &which).await
    }

    async fn restored(&self, by: &Actor, account: &Account, which: &WhichRemoved) -> Result<MailRestored, Failure> {
        let restored = self.mail.restore_for(account.key, which).await?;
        let Restored { messages, mailboxes } = restored;
        if restored != Restored::default() {
            self.store.note_restored(account, (messages, mailboxes), &by.author()).await?;
        }
        Ok(MailRestored { messages, mailboxes })
    }
}
