//! Looks at a message as each account sees it.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relais_junk::{Features, General, Own, Score, Surroundings, score};
use relais_message::{Authors, Structure, header_octets};
use relais_model::{Address, Clock, Domain, Timestamp};
use relais_msgauth::Resolver;
use relais_msgauth::iprev::Iprev;
use relais_store::{AccountKey, Acquainted, GreylistVisit, Origin, Reputation, SenderRule, Store, StoreError};
use tracing::{error, warn};

use super::blocklists::{Listing, of_domains, of_links};
use super::origin;
use crate::network::Network;
use crate::proof::Proof;

/// Models of accounts that are held, at most: each is 1 MiB at the most.
const MODELS: usize = 32;
/// They are believed for so long.
const KEPT: Duration = Duration::from_mins(1);
/// Addresses that are held as written to, at most; past that all are noted anew.
const WRITTEN_TO: usize = 10_000;
/// Accounts of one message that have an opinion of their own; the rest are asked by the general model.
const MAX_OPINIONS: usize = 50;
/// Accounts of one message whose acquaintances are looked out for: whom a stranger may imitate.
const MAX_IMITATED: usize = 3;
/// A stranger with bad signs is asked to come again after this, at the earliest (RFC 6647 §4.4).
const GREYLIST_DELAY: Duration = Duration::from_mins(2);
/// Who came again is remembered for so long (RFC 6647 §4.4 wants a week at least).
const GREYLIST_KEPT: Duration = Duration::from_hours(24 * 30);

/// What one account thinks of a message.
#[derive(Debug, Clone)]
pub(crate) struct Opinion {
    /// Whose.
    pub(crate) account: AccountKey,
    /// The filter's, with what the account has taught it; none: the filter is off.
    pub(crate) score: Option<Score>,
    /// A rule of the sender.
    pub(crate) rule: Option<SenderRule>,
    /// How well the account knows the sender.
    pub(crate) acquainted: Acquainted,
    /// What the account has read and kept of who sent it.
    pub(crate) reputation: Reputation,
}

/// What was found of a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spam {
    /// Lists that name its sender, or where its links lead.
    pub(crate) listings: Vec<Listing>,
    /// Of each account that it goes to.
    pub(crate) opinions: Vec<Opinion>,
    /// What the filter thinks of it for nobody here in particular: for those who have it sent on, and nothing else here.
    pub(crate) onward: Option<Score>,
    /// Its sender is to come again after this.
    pub(crate) comes_again: Option<Duration>,
}

/// Who brought a message, and what was found of that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stranger<'a> {
    /// From where.
    pub(crate) peer: IpAddr,
    /// Whose mail it is.
    pub(crate) proof: &'a Proof,
    /// Lists that name the host.
    pub(crate) listings: &'a [Listing],
    /// Some recipient has it sent on to other hosts only.
    pub(crate) goes_on: bool,
    /// Nobody brought it: nothing may stay of it.
    pub(crate) is_trial: bool,
}

/// A message to look at.
#[derive(Debug, Clone, Copy)]
pub struct Looked<'a> {
    /// Header and body.
    pub message: &'a [u8],
    /// MAIL FROM.
    pub sender: Option<&'a Address>,
    /// To whom the envelope sends it.
    pub recipients: &'a [Address],
    /// When it came.
    pub arrived_at: Timestamp,
}

type Models = HashMap<AccountKey, (Timestamp, Option<Arc<Own>>)>;

/// The statistical filter with what accounts have taught it, their rules and acquaintances.
#[derive(Debug)]
pub struct Filter {
    store: Store,
    general: Option<General>,
    models: Mutex<Models>,
    /// Of whom it is known that an account has written to them.
    written_to: Mutex<HashSet<(AccountKey, Address)>>,
    clock: Arc<dyn Clock>,
}

impl Filter {
    /// With the model that ships.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        let general = General::shipped();
        let general = general.map_err(|error| error!(%error, "the shipped spam model can't be read")).ok();
        Self { store, general, models: Mutex::default(), written_to: Mutex::default(), clock }
    }

    /// The features of a message for the account `account`; large ones take up to 50 ms.
    pub(super) async fn features(&self, looked: &Looked<'_>, accounts: &[AccountKey]) -> Result<Features, StoreError> {
        let mut known_domains = Vec::new();
        for account in accounts.iter().take(MAX_IMITATED) {
            known_domains.extend(self.store.domains_written_to(*account).await?);
        }
        known_domains.extend(looked.recipients.iter().map(|recipient| recipient.domain.clone()));
        known_domains.sort_unstable();
        known_domains.dedup();
        let surroundings = Surroundings {
            arrived_at: Some(looked.arrived_at),
            recipients: looked.recipients,
            known_domains: &known_domains,
        };
        Ok(Features::of(looked.message, &Structure::read(looked.message), &surroundings))
    }

    /// What the filter thinks of a message for an account; none: it is off, or has no model.
    pub async fn score(&self, account: AccountKey, looked: &Looked<'_>) -> Result<Option<Score>, StoreError> {
        let features = self.features(looked, &[account]).await?;
        self.score_of(account, &features).await
    }

    async fn score_of(&self, account: AccountKey, features: &Features) -> Result<Option<Score>, StoreError> {
        let Some(general) = self.general.as_ref().filter(|_| self.store.settings().junk_filter) else {
            return Ok(None);
        };
        Ok(Some(score(general, self.own(account).await?.as_deref(), features)))
    }

    /// The account's own model; none: it has taught nothing.
    pub(super) async fn own(&self, account: AccountKey) -> Result<Option<Arc<Own>>, StoreError> {
        let now = self.clock.now();
        if let Some((read_at, model)) = self.models.lock().unwrap_or_else(PoisonError::into_inner).get(&account)
            && now.since(*read_at) < KEPT
        {
            return Ok(model.clone());
        }
        let model = self.store.junk_model(account).await?;
        let read = model.map(|model| Own::from_bytes(&model.octets));
        let model = read.transpose().unwrap_or_else(|error| {
            // It learns anew.
            warn!(%error, "an account's spam model can't be read");
            None
        });
        let model = model.map(Arc::new);
        self.hold(account, model.clone());
        Ok(model)
    }

    /// The account's model is this one from now on.
    pub(super) fn hold(&self, account: AccountKey, model: Option<Arc<Own>>) {
        let now = self.clock.now();
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if models.len() >= MODELS && !models.contains_key(&account) {
            models.retain(|_, (read_at, _)| now.since(*read_at) < KEPT);
        }
        if models.len() >= MODELS && !models.contains_key(&account) {
            models.clear();
        }
        models.insert(account, (now, model));
    }

    /// An account has written to these addresses: who answers is no stranger.
    pub(crate) async fn note_written(&self, account: AccountKey, to: impl Iterator<Item = &Address>) {
        let new: Vec<Address> = {
            let mut known = self.written_to.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= WRITTEN_TO {
                known.clear();
            }
            to.filter(|address| known.insert((account, (*address).clone()))).cloned().collect()
        };
        if !new.is_empty()
            && let Err(error) = self.store.note_written(account, &new).await
        {
            warn!(%error, "whom an account has written to isn't remembered");
        }
    }

    /// Looks at a stranger's message for the accounts that it goes to. One on trial isn't remembered.
    pub(crate) async fn look(
        &self,
        looked: &Looked<'_>,
        accounts: &[AccountKey],
        stranger: &Stranger<'_>,
        resolver: &dyn Resolver,
    ) -> Result<Spam, StoreError> {
        let (settings, proof) = (self.store.settings(), stranger.proof);
        let header = looked.message.get(..header_octets(looked.message)).unwrap_or_default();
        let author = Authors::read(header).from.into_iter().next();
        let mut senders: Vec<Domain> = author.iter().map(|author| author.domain.clone()).collect();
        senders.extend(looked.sender.map(|sender| sender.domain.clone()));
        senders.sort_unstable();
        senders.dedup();
        let features = self.features(looked, accounts).await?;
        let known: Vec<Domain> =
            looked.recipients.iter().map(|recipient| &recipient.domain).chain(&senders).cloned().collect();
        let links = of_links(features.hosts(), &known);
        let lists = settings.junk_domain_blocklists.as_slice();
        let hosts = stranger.listings.iter().filter(|one| settings.junk_blocklists.as_slice().contains(&one.list));
        let mut listings: Vec<Listing> = hosts.cloned().collect();
        listings.extend(of_domains(resolver, lists, &senders, &links).await);
        let origin = origin::found(proof, stranger.peer, author.as_ref());
        let mut opinions = Vec::new();
        for account in accounts.iter().take(MAX_OPINIONS) {
            opinions.push(self.opinion(*account, (author.as_ref(), &origin), &features).await?);
        }
        let general = self.general.as_ref().filter(|_| settings.junk_filter && stranger.goes_on);
        let onward = general.map(|general| score(general, None, &features));
        let is_suspect = !listings.is_empty() || has_bad_signs(proof);
        let mut spam = Spam { listings, opinions, onward, comes_again: None };
        if settings.junk_greylisting && is_suspect && !self.expects(&spam).await? {
            let visitor = visitor(stranger.peer, author.as_ref(), looked.recipients);
            spam.comes_again = self.greylist(visitor, stranger.is_trial).await?;
        }
        Ok(spam)
    }

    async fn opinion(
        &self,
        account: AccountKey,
        (author, origin): (Option<&Address>, &Origin),
        features: &Features,
    ) -> Result<Opinion, StoreError> {
        let score = self.score_of(account, features).await?;
        let reputation = self.store.reputation(account, origin).await?;
        let Some(author) = author else {
            return Ok(Opinion { account, score, rule: None, acquainted: Acquainted::Stranger, reputation });
        };
        let rule = self.store.sender_rule_for(account, author).await?;
        let acquainted = self.store.acquainted(account, author).await?;
        Ok(Opinion { account, score, rule, acquainted, reputation })
    }

    /// Whether somebody waits for this message: for a code, or knows its sender.
    async fn expects(&self, spam: &Spam) -> Result<bool, StoreError> {
        for opinion in &spam.opinions {
            let is_allowed = opinion.rule.as_ref().is_some_and(|rule| rule.is_allowed);
            if is_allowed || opinion.acquainted == Acquainted::Address {
                return Ok(true);
            }
            if self.store.awaits_code_until(opinion.account).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// After which time a visitor is to come again; none: they were here long enough ago.
    async fn greylist(&self, visitor: [u8; 32], is_trial: bool) -> Result<Option<Duration>, StoreError> {
        let visit = if is_trial {
            self.store.greylisted(visitor).await?
        } else {
            self.store.greylist(visitor, GREYLIST_KEPT).await?
        };
        Ok(match visit {
            GreylistVisit::First => Some(GREYLIST_DELAY),
            GreylistVisit::Again(first_at) => {
                GREYLIST_DELAY.checked_sub(self.clock.now().since(first_at)).filter(|left| !left.is_zero())
            }
        })
    }
}

/// Who is here: a network that writes as somebody to somebody.
fn visitor(peer: IpAddr, author: Option<&Address>, recipients: &[Address]) -> [u8; 32] {
    let mut visitor = blake3::Hasher::new();
    // RFC 6647 §4.2: a large sender's hosts take turns.
    visitor.update(Network::of_neighbours(peer).to_string().as_bytes());
    for address in author.into_iter().chain(recipients.first()) {
        visitor.update(address.to_string().to_lowercase().as_bytes()).update(&[0]);
    }
    *visitor.finalize().as_bytes()
}

/// RFC 6647 §2.4, §5: nobody is put off who has no bad sign: neither a name that leads elsewhere or none at all, nor a domain that disowns the message.
fn has_bad_signs(proof: &Proof) -> bool {
    let is_named = !matches!(proof.authentication.iprev, Iprev::NoName | Iprev::Fail { .. });
    !proof.is_proven() && (!is_named || proof.is_disowned())
}
