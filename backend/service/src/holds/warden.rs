//! The warden: judges what other hosts say of our people's mail, and tells account, owners and webhooks of each hold, once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use relais_model::{Address, Random, Timestamp};
use relais_reception::{Bars, Behaviour, facts, judge_behaviour};
use relais_store::{
    Acceptance, AccountKey, Content, Hold, HoldFilter, HoldNews, NewHold, Page, Store, StoreError, TraceId,
    WebhookEvent,
};
use serde_json::json;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::says;
use crate::Text;
use crate::directory::readable;
use crate::webhooks::payload;

/// What other hosts say is looked at this often.
const TICK: Duration = Duration::from_mins(1);
/// Of what was said in this time.
const DAY: Duration = Duration::from_hours(24);
/// Owners who get a mail, at most.
const MOST_OWNERS: u32 = 20;
/// Holds that are told at once.
const TOLD_AT_ONCE: u32 = 50;

/// What is told of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldNotice {
    /// Whose mail is held.
    pub address: String,
    /// The one who is told is that person, and not an owner.
    pub is_own: bool,
    /// Why.
    pub says: Text,
    /// Since when.
    pub at: Timestamp,
    /// The language of the one who is told (RFC 5646); empty: the house's.
    pub language: String,
}

/// Writes the mail that tells somebody of a hold, as a message with CRLF line ends.
pub type HoldLetter = Arc<dyn Fn(&HoldNotice, &Address) -> Vec<u8> + Send + Sync>;

/// Judges and tells.
pub struct Warden {
    store: Store,
    letter: HoldLetter,
    random: Arc<dyn Random>,
}

impl fmt::Debug for Warden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warden").finish_non_exhaustive()
    }
}

impl Warden {
    /// Of the house with this store.
    pub fn new(store: Store, letter: HoldLetter, random: Arc<dyn Random>) -> Self {
        Self { store, letter, random }
    }

    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let woken = self.store.hold_wake();
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "holds wait to be judged and told: the store failed");
            }
            tokio::select! {
                // All cancel-safe: nothing has begun, and a ring that nobody hears is kept.
                () = stop.cancelled() => return,
                () = woken.notified() => {}
                () = sleep(TICK) => {}
            }
        }
    }

    /// Judges once, and tells what wasn't told.
    ///
    /// # Errors
    /// [`StoreError`]: the rest is done another time.
    pub async fn look(&self) -> Result<(), StoreError> {
        self.judge().await?;
        let filter = HoldFilter { is_standing: true, is_untold: true, ..HoldFilter::default() };
        let page = Page { after: None, limit: TOLD_AT_ONCE };
        for hold in self.store.holds(&filter, &page).await?.rows {
            self.tell(&hold).await?;
        }
        Ok(())
    }

    async fn judge(&self) -> Result<(), StoreError> {
        let Some(bars) = Bars::of(&self.store.settings()) else { return Ok(()) };
        let bar = |bar: u64| if bar == 0 { u64::MAX } else { bar };
        let (unknown, complaints) = (bar(bars.unknown_recipients), bar(bars.complaints));
        let since = self.store.now().minus(DAY);
        for found in self.store.suspicious_accounts(since, unknown, complaints).await? {
            let seen = Behaviour {
                recipients_of_day: found.recipients,
                unknown_recipients: found.unknown_recipients,
                complaints: found.complaints,
                ..Behaviour::default()
            };
            let Some(reason) = judge_behaviour(&seen, &bars) else { continue };
            let new = NewHold { account: found.account, reason, facts: facts(&seen, reason), peer: None };
            if self.store.raise_hold(new).await? {
                let (account, reason) = (found.account.value(), reason.as_str());
                tracing::warn!(account.key = account, reason, "an account's mail is held");
            }
        }
        Ok(())
    }

    /// Into mailboxes here; a full one is no reason to keep the news from the others.
    async fn tell(&self, hold: &Hold) -> Result<(), StoreError> {
        let mut told = vec![(hold.account, hold.address.clone())];
        let owners = self.store.owner_addresses(MOST_OWNERS).await?;
        told.extend(owners.into_iter().filter(|(account, _)| *account != hold.account));
        let peer = hold.peer.map(|peer| peer.to_string());
        let mut letters = Vec::with_capacity(told.len());
        for (account, to) in told {
            let language = self.store.account_by_key(account).await?.map(|account| account.language);
            let notice = HoldNotice {
                address: readable(&hold.address),
                is_own: account == hold.account,
                says: says(hold.reason, &hold.facts, peer.as_deref()),
                at: hold.raised_at,
                language: language.unwrap_or_default(),
            };
            letters.push(self.acceptance(account, to, &notice));
        }
        self.store.accept_all(letters).await?;
        self.store.note_hold_told(hold, self.news(hold)).await
    }

    fn acceptance(&self, account: AccountKey, to: Address, notice: &HoldNotice) -> Acceptance {
        let trace = TraceId::make(self.store.now(), &*self.random);
        Acceptance::from_house(Content::prepare((self.letter)(notice, &to)), account, to, trace)
    }

    fn news(&self, hold: &Hold) -> HoldNews {
        let data = json!({
            "address": readable(&hold.address),
            "reason": hold.reason.as_str(),
            "peer": hold.peer.map(|peer| peer.to_string()),
            "messages": hold.facts.messages,
            "new_recipients": hold.facts.new_recipients,
            "unknown_recipients": hold.facts.unknown_recipients,
            "complaints": hold.facts.complaints,
        });
        let mut octets = [0; 12];
        self.random.fill(&mut octets);
        HoldNews {
            event_id: format!("evt_{}", HEXLOWER.encode(&octets)),
            payload: payload(WebhookEvent::AccountHeld, hold.raised_at, &data),
        }
    }
}
