//! The steward: tells people whose mailboxes fill up, and owners whose domains do, once a level.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use relais_model::{Address, Random, Timestamp};
use relais_store::{Acceptance, AccountKey, Content, Filled, Filling, Store, StoreError, TraceId};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::directory::readable;

/// Percentages that are told.
const LEVELS: [u64; 3] = [80, 90, 95];
/// Percent of room that must come back before a level is told again.
const SLACK: u64 = 5;
/// How often it looks.
const TICK: Duration = Duration::from_mins(5);
/// Owners who get a mail, at most.
const MOST_OWNERS: u32 = 20;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaNotice {
    /// The address, or the domain, that fills up.
    pub name: String,
    /// It is a domain: an owner is told.
    pub is_domain: bool,
    /// How full it is, in percent.
    pub percent: u64,
    /// When that was seen.
    pub at: Timestamp,
    /// The language of the one who is told (RFC 5646); empty: the house's.
    pub language: String,
}

/// Writes the mail that tells somebody, as a message with CRLF line ends.
pub type QuotaLetter = Arc<dyn Fn(&QuotaNotice, &Address) -> Vec<u8> + Send + Sync>;

/// Looks and tells.
pub struct Steward {
    store: Store,
    letter: QuotaLetter,
    random: Arc<dyn Random>,
}

impl fmt::Debug for Steward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steward").finish_non_exhaustive()
    }
}

impl Steward {
    /// Of the house with this store.
    pub fn new(store: Store, letter: QuotaLetter, random: Arc<dyn Random>) -> Self {
        Self { store, letter, random }
    }

    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "who fills up waits to be told: the store failed");
            }
            tokio::select! {
                // Both cancel-safe: nothing has begun.
                () = stop.cancelled() => return,
                () = sleep(TICK) => {}
            }
        }
    }

    /// Tells what wasn't told.
    ///
    /// # Errors
    /// [`StoreError`]: the rest is done another time.
    pub async fn look(&self) -> Result<(), StoreError> {
        for filling in self.store.filling(LEVELS[0]).await? {
            let level = level(&filling);
            if level == filling.told {
                continue;
            }
            if level > filling.told {
                self.tell(&filling).await?;
            }
            self.store.note_filling_told(&filling.what, level).await?;
        }
        Ok(())
    }

    /// Into mailboxes here: one that has no room even for this is no reason to keep the news from the others.
    async fn tell(&self, filling: &Filling) -> Result<(), StoreError> {
        let (name, told) = match &filling.what {
            Filled::Account { key, address, language } => {
                (readable(address), vec![(*key, address.clone(), language.clone())])
            }
            Filled::Domain { domain, .. } => (domain.to_unicode(), self.owners().await?),
        };
        let mut letters = Vec::with_capacity(told.len());
        for (account, to, language) in told {
            let notice = QuotaNotice {
                name: name.clone(),
                is_domain: matches!(filling.what, Filled::Domain { .. }),
                percent: filling.percent,
                at: self.store.now(),
                language,
            };
            let content = Content::prepare((self.letter)(&notice, &to));
            letters.push(Acceptance::from_house(content, account, to, TraceId::make(notice.at, &*self.random)));
        }
        self.store.accept_all(letters).await?;
        Ok(())
    }

    async fn owners(&self) -> Result<Vec<(AccountKey, Address, String)>, StoreError> {
        let mut owners = Vec::new();
        for (key, address) in self.store.owner_addresses(MOST_OWNERS).await? {
            let language = self.store.account_by_key(key).await?.map(|account| account.language);
            owners.push((key, address, language.unwrap_or_default()));
        }
        Ok(owners)
    }
}

/// The level that counts as told from now on. One that was reached stands until there is clearly more room.
fn level(filling: &Filling) -> u64 {
    let reached = |percent: u64| LEVELS.into_iter().rev().find(|level| percent >= *level).unwrap_or(0);
    let (now, with_slack) = (reached(filling.percent), reached(filling.percent.saturating_add(SLACK)));
    if now >= filling.told { now } else { with_slack.min(filling.told) }
}

#[cfg(test)]
mod tests {
    use relais_model::Domain;
    use relais_store::DomainKey;

    use super::*;

    #[test]
    fn levels_are_told_once_and_again_when_there_was_room() {
        let what = Filled::Domain { key: DomainKey::new(1), domain: Domain::parse("one.example").unwrap() };
        for (percent, told, expected) in [
            (79, 0, 0),
            (80, 0, 80),
            (89, 80, 80),
            (90, 80, 90),
            (120, 90, 95),
            (95, 95, 95),
            // A little less is no news, much less is.
            (93, 95, 95),
            (89, 95, 90),
            (76, 80, 80),
            (74, 80, 0),
            (0, 95, 0),
        ] {
            let filling = Filling { what: what.clone(), percent, told };
            assert_eq!(level(&filling), expected, "{percent} % after {told}");
        }
    }
}
