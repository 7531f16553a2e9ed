//! What our people send: they are who they say they are, within what they may send in a day, and it is signed.

use relais_filing::signatures;
use relais_message::Authors;
use relais_model::{Address, EnhancedCode, Reply};

use super::{Reception, aside, unavailable};
use crate::Identity;

impl Reception {
    pub(super) async fn may_send_as(&self, identity: &Identity, address: &Address) -> Result<bool, Reply> {
        self.store.may_send_as(identity.account, address).await.map_err(|error| unavailable(&error))
    }

    /// The header's authors must be the one who sends (RFC 6409 §6.1).
    pub(super) async fn check_authors(&self, identity: &Identity, authors: &Authors) -> Result<(), Reply> {
        let not_yours = |who: &str| {
            let text = format!("{} may not send mail From {who}", identity.address);
            Reply::new(550, EnhancedCode::new(5, 7, 1), text)
        };
        if let Some(who) = authors.unreadable.first() {
            return Err(not_yours(who));
        }
        if authors.from.is_empty() {
            return Err(Reply::new(554, EnhancedCode::new(5, 6, 0), "The message has no From"));
        }
        for author in authors.from.iter().chain(&authors.sender) {
            if !self.may_send_as(identity, author).await? {
                return Err(not_yours(&author.to_string()));
            }
        }
        Ok(())
    }

    /// The message with the signatures of its author's domain before it.
    pub(super) async fn signed(
        &self,
        octets: Vec<u8>,
        added_octets: usize,
        authors: &Authors,
    ) -> Result<Vec<u8>, Reply> {
        let Some(author) = authors.from.first() else { return Ok(octets) };
        let now = self.clock.now();
        let signers = self.filing.signing().signers(&author.domain, now).await.map_err(|error| unavailable(&error))?;
        if signers.is_empty() {
            return Ok(octets);
        }
        Ok(aside(octets, move |mut octets| {
            let signatures = signatures(octets.get(added_octets..).unwrap_or_default(), &signers, now);
            drop(octets.splice(added_octets..added_octets, signatures));
            octets
        })
        .await)
    }

    /// Who has logged in may have a limit a day.
    pub(super) async fn count_sent(&self, identity: Option<&Identity>, recipients: usize) -> Result<(), Reply> {
        let Some(Identity { account, .. }) = identity else { return Ok(()) };
        let mut limits = self.store.daily_limits(*account).await.map_err(|error| unavailable(&error))?;
        let of_all = Some(self.store.settings().recipients_per_day).filter(|most| *most > 0);
        limits.recipients = limits.recipients.or(of_all);
        let recipients = u64::try_from(recipients).unwrap_or(u64::MAX);
        self.sending.take(self.clock.now(), *account, recipients, limits)
    }

    pub(super) fn uncount_sent(&self, identity: Option<&Identity>, recipients: usize) {
        if let Some(Identity { account, .. }) = identity {
            self.sending.give_back(*account, u64::try_from(recipients).unwrap_or(u64::MAX));
        }
    }
}
