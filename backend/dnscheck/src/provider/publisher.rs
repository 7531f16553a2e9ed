//! What is done with a provider, whichever it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::plan;
use super::record::{self, RecordSet, SetKey};
use super::{Change, Plan, Provider, ProviderError, Wish, Zone, names_of};

/// Two labels at least: nobody's account has a top-level domain.
const ZONE_LABELS: usize = 2;

/// A TXT record that somebody else's write took away again is put back so often.
const PUBLISH_TRIES: usize = 4;

/// For records that stand for minutes: seconds.
const PASSING_TTL: u32 = 60;

/// One account at a provider, which does one thing at a time: most providers write whole sets, and two who add a value to one set at once
/// would take each other's away. Keep one for each account.
pub struct Publisher {
    provider: Box<dyn Provider>,
    turn: Mutex<()>,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// What stood in a zone before it was changed, and what stood there after: with it the change can be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Where.
    pub zone: Zone,
    /// Each set as it was found and as it was left.
    pub changes: Vec<Change>,
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// It stands as planned.
    Done,
    /// Nothing was changed.
    Untouched,
    /// Something else stands now: a part of it, or what somebody else wrote.
    Otherwise(Option<RecordSet>),
    /// The provider could not be asked any more.
    Unknown,
}

/// How a push or an undo went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// For an undo. Without what was left untouched; what is unknown is in it as if it were done.
    pub receipt: Receipt,
    /// Each change, and what the zone held when it was read afterwards.
    pub fates: Vec<(Change, Fate)>,
    /// Why not everything was done.
    pub error: Option<ProviderError>,
}

impl Pushed {
    /// Whether all of it stands.
    pub fn is_complete(&self) -> bool {
        self.error.is_none() && self.fates.iter().all(|(_, fate)| *fate == Fate::Done)
    }
}

impl Publisher {
    /// Works with `provider`.
    pub fn new(provider: Box<dyn Provider>) -> Self {
        Self { provider, turn: Mutex::new(()) }
    }

    /// The zone that holds `domain`: the longest of its suffixes that the account has. A good first question to a new key, too.
    ///
    /// # Errors
    /// [`ProviderError::NoZone`] where it has none of them; else what the provider answers.
    pub async fn zone(&self, domain: &str) -> Result<Zone, ProviderError> {
        let domain = record::bare(domain);
        let (mut name, mut refusal) = (domain.as_str(), None);
        while name.split('.').count() >= ZONE_LABELS {
            match self.provider.zone(name).await {
                Ok(Some(zone)) => return Ok(zone),
                Ok(None) => {}
                // A key that may see one zone alone is refused at every other name.
                Err(error @ ProviderError::Refused { .. }) => refusal = refusal.or(Some(error)),
                Err(error) => return Err(error),
            }
            name = name.split_once('.').map_or("", |(_, rest)| rest);
        }
        Err(refusal.unwrap_or(ProviderError::NoZone { domain }))
    }

    /// What would be done so that `wishes`, all in the zone of `domain`, are granted. Changes nothing.
    ///
    /// # Errors
    /// As [`Publisher::zone`].
    pub async fn preview(&self, domain: &str, wishes: &[Wish]) -> Result<Plan, ProviderError> {
        let zone = self.zone(domain).await?;
        self.preview_in(zone, wishes).await
    }

    async fn preview_in(&self, zone: Zone, wishes: &[Wish]) -> Result<Plan, ProviderError> {
        let is_inside = |name: &String| record::is_within(name, &zone.name);
        let names: BTreeSet<String> = wishes.iter().map(|wish| wish.name().to_owned()).filter(is_inside).collect();
        let contents = self.provider.read(&zone, &names).await?;
        Ok(plan::plan(zone, &contents, wishes, |kind| self.provider.has_kind(kind)))
    }

    /// Does what `plan` shows, if the zone still is as it was then. Not to be dropped before its end: with it goes the record of what was
    /// there. It ends by itself, for each request does.
    ///
    /// # Errors
    /// [`ProviderError::Changed`] where a set is another by now, and what the provider answers to the first look: nothing was done.
    /// What goes wrong later stands in [`Pushed`].
    pub async fn push(&self, plan: &Plan) -> Result<Pushed, ProviderError> {
        let _turn = self.turn.lock().await;
        self.carry_out(&plan.zone, &plan.changes).await
    }

    /// Puts back what stood before, to the letter. What stands as before already is left alone.
    ///
    /// # Errors
    /// As [`Publisher::push`]: where somebody changed one of the sets since, none is touched.
    pub async fn undo(&self, receipt: &Receipt) -> Result<Pushed, ProviderError> {
        let _turn = self.turn.lock().await;
        let standing = self.standing(&receipt.zone, &receipt.changes).await?;
        let is_open = |change: &&Change| standing.get(&change.key()) != change.before.as_ref();
        let changes: Vec<Change> = receipt.changes.iter().filter(is_open).map(Change::reversed).collect();
        self.carry_out(&receipt.zone, &changes).await
    }

    /// Adds `text` as a TXT record at `name`, beside whatever stands there, and sees that it stands.
    ///
    /// # Errors
    /// What the provider answers; [`ProviderError::Changed`] where others take the record away as often as we set it.
    pub async fn publish_txt(&self, name: &str, text: &str) -> Result<(), ProviderError> {
        self.settle(name, &Wish::Beside(passing(name, text))).await
    }

    /// Removes the TXT record `text` at `name`, and leaves the others. Nothing happens where it isn't there.
    ///
    /// # Errors
    /// As [`Publisher::publish_txt`].
    pub async fn remove_txt(&self, name: &str, text: &str) -> Result<(), ProviderError> {
        self.settle(name, &Wish::Without(passing(name, text))).await
    }

    /// Grants one wish, and again where another writer of the same set came between.
    async fn settle(&self, name: &str, wish: &Wish) -> Result<(), ProviderError> {
        let _turn = self.turn.lock().await;
        let zone = self.zone(name).await?;
        let mut sets = Vec::new();
        for _ in 0..PUBLISH_TRIES {
            let plan = self.preview_in(zone.clone(), std::slice::from_ref(wish)).await?;
            if let Some(obstacle) = plan.obstacles.first() {
                return Err(ProviderError::Hindered(obstacle.clone()));
            }
            if plan.changes.is_empty() {
                return Ok(());
            }
            sets = match self.carry_out(&zone, &plan.changes).await {
                Ok(pushed) if pushed.is_complete() => return Ok(()),
                Ok(Pushed { error: None, fates, .. }) => {
                    fates.iter().map(|(change, _)| spoken(&change.key())).collect()
                }
                Err(ProviderError::Changed { sets })
                | Ok(Pushed { error: Some(ProviderError::Changed { sets }), .. }) => sets,
                Ok(Pushed { error: Some(error), .. }) | Err(error) => return Err(error),
            };
        }
        Err(ProviderError::Changed { sets })
    }

    /// Looks, writes, looks again.
    async fn carry_out(&self, zone: &Zone, changes: &[Change]) -> Result<Pushed, ProviderError> {
        let standing = self.standing(zone, changes).await?;
        let is_other = |change: &&Change| standing.get(&change.key()) != change.before.as_ref();
        let sets: Vec<String> = changes.iter().filter(is_other).map(|change| spoken(&change.key())).collect();
        if !sets.is_empty() {
            return Err(ProviderError::Changed { sets });
        }
        // What goes makes room for what comes: an alias for an address.
        let mut ordered = changes.to_vec();
        ordered.sort_by_key(|change| change.after.is_some());
        let written = if ordered.is_empty() { Ok(()) } else { self.provider.write(zone, &ordered).await };
        let error = written.err();
        if let Some(error) = &error {
            tracing::warn!(zone = zone.name, provider = self.provider.kind().id(), %error, "not all records were written");
        }
        let left = match self.standing(zone, changes).await {
            Ok(left) => Some(left),
            Err(unread) => {
                tracing::warn!(zone = zone.name, error = %unread, "what was written could not be read again");
                return Ok(told(zone, changes, None, error.or(Some(unread))));
            }
        };
        Ok(told(zone, changes, left.as_ref(), error))
    }

    async fn standing(&self, zone: &Zone, changes: &[Change]) -> Result<BTreeMap<SetKey, RecordSet>, ProviderError> {
        let names = names_of(changes);
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let contents = self.provider.read(zone, &names).await?;
        Ok(contents.sets.into_iter().map(|set| (set.key(), set)).collect())
    }
}

/// What came of `changes`, where the zone holds `left` now.
fn told(
    zone: &Zone,
    changes: &[Change],
    left: Option<&BTreeMap<SetKey, RecordSet>>,
    error: Option<ProviderError>,
) -> Pushed {
    let fates: Vec<(Change, Fate)> = changes.iter().map(|change| (change.clone(), fate(change, left))).collect();
    let made = fates.iter().filter_map(|(change, fate)| {
        let after = match fate {
            Fate::Untouched => return None,
            Fate::Otherwise(found) => found.clone(),
            Fate::Done => left.and_then(|left| left.get(&change.key()).cloned()),
            Fate::Unknown => change.after.clone(),
        };
        Some(Change { before: change.before.clone(), after })
    });
    Pushed { receipt: Receipt { zone: zone.clone(), changes: made.collect() }, fates, error }
}

fn fate(change: &Change, left: Option<&BTreeMap<SetKey, RecordSet>>) -> Fate {
    let Some(left) = left else { return Fate::Unknown };
    let found = left.get(&change.key());
    match (found, change.after.as_ref()) {
        (found, after) if found == after => Fate::Done,
        _ if found == change.before.as_ref() => Fate::Untouched,
        // A provider may cut texts elsewhere, or raise a TTL: that's as good.
        (Some(found), Some(after)) if found.says_as(after) && found.is_proxied() == after.is_proxied() => Fate::Done,
        _ => Fate::Otherwise(found.cloned()),
    }
}

fn passing(name: &str, text: &str) -> RecordSet {
    RecordSet::new(name, "TXT", PASSING_TTL, [record::txt(text.as_bytes())])
}

fn spoken((name, kind): &SetKey) -> String {
    format!("{name} {kind}")
}
