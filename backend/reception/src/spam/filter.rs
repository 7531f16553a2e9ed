//! Looks at a message as each account sees it.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use relais_junk::{Features, General, Own, Score, Surroundings, score};
use relais_message::{Authors, Structure, header_octets};
use relais_model::{Address, Clock, Domain, Timestamp};
use relais_msgauth::Resolver;
use relais_msgauth::iprev::Iprev;
use relais_store::{AccountKey, Acquainted, GreylistVisit, ModelVersion, Regard, Store, StoreError};
use tracing::{error, warn};

use super::blocklists::{Listing, of_domains, of_links};
use super::origin;
use crate::network::Network;
use crate::proof::Proof;

/// So much is held of accounts' models, in octets as they are kept: in memory they take about twice as much.
const MODELS_OCTETS: u64 = 16 * 1024 * 1024;
/// Accounts whose acquaintances' domains are held, at most: 8 KiB each at the most, mostly far less.
const ACQUAINTED: u64 = 2000;
/// So long another node's mail may leave them as they were.
const ACQUAINTED_FOR: Duration = Duration::from_mins(10);
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
    /// What it knows of who sent it.
    pub(crate) regard: Regard,
    /// The filter's, with what the account has taught it; none: the filter is off.
    pub(crate) score: Option<Score>,
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

impl Spam {
    /// Whether somebody waits for this message: for a code, or knows its sender.
    fn is_expected(&self) -> bool {
        self.opinions.iter().any(|Opinion { regard, .. }| {
            let is_allowed = regard.rule.as_ref().is_some_and(|rule| rule.is_allowed);
            is_allowed || regard.acquainted == Acquainted::Address || regard.awaits_code
        })
    }
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
pub(crate) struct Looked<'a> {
    /// Header and body.
    pub(crate) message: &'a [u8],
    /// MAIL FROM.
    pub(crate) sender: Option<&'a Address>,
    /// To whom the envelope sends it.
    pub(crate) recipients: &'a [Address],
    /// When it came.
    pub(crate) arrived_at: Timestamp,
}

/// The statistical filter with what accounts have taught it, their rules and acquaintances.
#[derive(Debug)]
pub struct Filter {
    store: Store,
    general: Option<General>,
    /// By the state that they are in, so that none is out of date.
    models: Cache<(AccountKey, ModelVersion), Arc<Own>>,
    /// The domains that accounts have written to.
    acquainted: Cache<AccountKey, Arc<[Domain]>>,
    /// Of whom it is known that an account has written to them.
    written_to: Mutex<HashSet<(AccountKey, Address)>>,
    clock: Arc<dyn Clock>,
}

impl Filter {
    /// With the model that ships.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        let general = General::shipped();
        let general = general.map_err(|error| error!(%error, "the shipped spam model can't be read")).ok();
        let octets = |_: &(AccountKey, ModelVersion), own: &Arc<Own>| u32::try_from(own.octets()).unwrap_or(u32::MAX);
        let models = Cache::builder().weigher(octets).max_capacity(MODELS_OCTETS).build();
        let acquainted = Cache::builder().max_capacity(ACQUAINTED).time_to_live(ACQUAINTED_FOR).build();
        Self { store, general, models, acquainted, written_to: Mutex::default(), clock }
    }

    /// The features of a message for the accounts `accounts`; large ones take up to 50 ms.
    pub(super) async fn features(&self, looked: &Looked<'_>, accounts: &[AccountKey]) -> Result<Features, StoreError> {
        let mut known_domains: Vec<Domain> =
            looked.recipients.iter().map(|recipient| recipient.domain.clone()).collect();
        for account in accounts.iter().take(MAX_IMITATED) {
            known_domains.extend(self.written_to(*account).await?.iter().cloned());
        }
        known_domains.sort_unstable();
        known_domains.dedup();
        let surroundings = Surroundings {
            arrived_at: Some(looked.arrived_at),
            recipients: looked.recipients,
            known_domains: &known_domains,
        };
        Ok(Features::of(looked.message, &Structure::read(looked.message), &surroundings))
    }

    async fn written_to(&self, account: AccountKey) -> Result<Arc<[Domain]>, StoreError> {
        if let Some(known) = self.acquainted.get(&account) {
            return Ok(known);
        }
        let known: Arc<[Domain]> = self.store.domains_written_to(account).await?.into();
        self.acquainted.insert(account, Arc::clone(&known));
        Ok(known)
    }

    /// The account's own model in this state, or in a later one.
    async fn own(&self, account: AccountKey, version: ModelVersion) -> Result<Option<Arc<Own>>, StoreError> {
        if let Some(own) = self.models.get(&(account, version)) {
            return Ok(Some(own));
        }
        let own = read_own(&self.store, account).await?.map(Arc::new);
        if let Some(own) = &own {
            self.models.insert((account, version), Arc::clone(own));
        }
        Ok(own)
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
        if new.is_empty() {
            return;
        }
        if let Err(error) = self.store.note_written(account, &new).await {
            warn!(%error, "whom an account has written to isn't remembered");
        }
        self.acquainted.invalidate(&account);
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
        let origin = origin::found(proof, stranger.peer, author.as_ref());
        let asked = accounts.get(..MAX_OPINIONS).unwrap_or(accounts);
        let regards = self.store.regard(asked, author.as_ref(), &origin).await?;
        let lists = settings.junk_domain_blocklists.as_slice();
        // Nobody asks for them otherwise.
        let features = if settings.junk_filter || !lists.is_empty() {
            self.features(looked, accounts).await?
        } else {
            Features::default()
        };
        let known: Vec<Domain> =
            looked.recipients.iter().map(|recipient| &recipient.domain).chain(&senders).cloned().collect();
        let links = of_links(features.hosts(), &known);
        let hosts = stranger.listings.iter().filter(|one| settings.junk_blocklists.as_slice().contains(&one.list));
        let mut listings: Vec<Listing> = hosts.cloned().collect();
        listings.extend(of_domains(resolver, lists, &senders, &links).await);
        let mut opinions = Vec::new();
        for regard in regards {
            let score = self.score_of(&regard, &features).await?;
            opinions.push(Opinion { regard, score });
        }
        let general = self.general.as_ref().filter(|_| settings.junk_filter && stranger.goes_on);
        let onward = general.map(|general| score(general, None, &features));
        let is_suspect = !listings.is_empty() || has_bad_signs(proof);
        let mut spam = Spam { listings, opinions, onward, comes_again: None };
        if settings.junk_greylisting && is_suspect && !spam.is_expected() {
            let visitor = visitor(stranger.peer, author.as_ref(), looked.recipients);
            spam.comes_again = self.greylist(visitor, stranger.is_trial).await?;
        }
        Ok(spam)
    }

    /// What the filter thinks of a message for an account; none: it is off, or has no model.
    async fn score_of(&self, regard: &Regard, features: &Features) -> Result<Option<Score>, StoreError> {
        let Some(general) = self.general.as_ref().filter(|_| self.store.settings().junk_filter) else {
            return Ok(None);
        };
        let own = match regard.model {
            Some(version) => self.own(regard.account, version).await?,
            None => None,
        };
        Ok(Some(score(general, own.as_deref(), features)))
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

/// What an account has taught its filter; none: nothing.
pub(super) async fn read_own(store: &Store, account: AccountKey) -> Result<Option<Own>, StoreError> {
    let Some(model) = store.junk_model(account).await? else { return Ok(None) };
    // It learns anew.
    let unreadable = |error| warn!(%error, "an account's spam model can't be read");
    Ok(Own::from_bytes(&model.octets).map_err(unreadable).ok())
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
