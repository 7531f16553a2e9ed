//! Where a script can put a message: its account's mailboxes, and those of others that it may fill.

use relais_model::MailboxName;
use relais_sieve::Filing as Wanted;
use relais_store::{AccountKey, MailboxStatus, Reach, Store, StoreError};

/// The mailboxes that one account reaches; its own are read once, when the first is asked for.
pub(super) struct Mailboxes<'a> {
    store: &'a Store,
    account: AccountKey,
    own: Option<Vec<MailboxStatus>>,
}

impl<'a> Mailboxes<'a> {
    pub(super) const fn new(store: &'a Store, account: AccountKey) -> Self {
        Self { store, account, own: None }
    }

    pub(super) async fn own(&mut self) -> Result<&[MailboxStatus], StoreError> {
        if self.own.is_none() {
            self.own = Some(self.store.mailboxes_uncounted(self.account).await?);
        }
        Ok(self.own.as_deref().unwrap_or_default())
    }

    /// Whether mail can be put into a mailbox of this name.
    pub(super) async fn takes(&mut self, name: &MailboxName) -> Result<bool, StoreError> {
        Ok(self.has(|status| status.mailbox.name == *name).await?
            || self.store.fillable(self.account, name).await?.is_some())
    }

    /// The same of a mailbox with this id.
    pub(super) async fn takes_by_id(&mut self, id: &str) -> Result<bool, StoreError> {
        Ok(self.has(|status| status.mailbox.mailbox_id == *id).await?
            || self.store.fillable_by_id(self.account, id).await?.is_some())
    }

    /// The mailbox of another's that is meant, where the account may put messages there. What is its own comes first.
    pub(super) async fn shared(&mut self, wanted: &Wanted) -> Result<Option<(MailboxName, Reach)>, StoreError> {
        if let Some(id) = &wanted.mailbox_id {
            if self.has(|status| status.mailbox.mailbox_id == *id).await? {
                return Ok(None);
            }
            if let Some(found) = self.store.fillable_by_id(self.account, id).await? {
                return Ok(Some(found));
            }
        }
        if let Some(used) = wanted.special_use
            && self.has(|status| status.mailbox.special_use == Some(used)).await?
        {
            return Ok(None);
        }
        let name = &wanted.mailbox;
        Ok(self.store.fillable(self.account, name).await?.map(|reach| (name.clone(), reach)))
    }

    /// Whether a mailbox of the account's own is so.
    async fn has(&mut self, is_so: impl Fn(&MailboxStatus) -> bool + Send) -> Result<bool, StoreError> {
        Ok(self.own().await?.iter().any(is_so))
    }
}
