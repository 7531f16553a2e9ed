//! One recipient's way: from an address to a plan.
//!
//! ```text
//! address ─ route ─> account ──────────────> delivery (INBOX, or the mailbox that the detail names)
//!              ├──> alias, catch-all, postmaster ─> addresses, each again, up to a depth
//!              ├──> mailing list ────> forward, to itself: the queue brings it to `delivery`, which sends it out
//!              └──> another host's ───────> forward
//! ```
//! [`Filing::plan`] asks the store and decides; it writes nothing. Whoever holds a [`Plan`] gives it to `store.accept`.
//! [`notice`] is the way back: what a sender is told, as a message that is ready for the store. [`Signing`] signs what goes out under our names, [`way_back`] rewrites the
//! reverse path of what goes on to others (SRS), and finds the way of its bounces.
//!
//! # Invariants
//! - A plan names each account once and each forward once, however many aliases lead there.
//! - Aliases are followed [`ALIAS_DEPTH`] steps and [`MAX_ADDRESSES`] addresses; what lies beyond is refused, never half delivered.
//! - Quota is told, not judged: whether a full mailbox is a reason to refuse is `reception`'s question.
//!
//! [`script`] stands between the account and the delivery: what people's scripts make of a message. [`list`] is what a mailing list does with what
//! is written to it, from facts alone.

pub mod list;
pub mod notice;
pub mod script;
mod signing;
pub mod way_back;

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, OnceLock};

use relais_model::{Address, Domain, ForwardPath, MailboxName, Notify, OriginalRecipient};
use relais_msgauth::srs::Srs;
use relais_store::{ALIAS_DEPTH, AccountKey, Delivery, ListAct, NewRecipient, Route, Store, StoreError, Target};

pub use signing::{Signing, signatures};

/// Addresses that one recipient may lead to, at most.
pub const MAX_ADDRESSES: usize = 1000;

/// What becomes of a message for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// As it was given.
    pub recipient: ForwardPath,
    /// Copies for mailboxes here.
    pub deliveries: Vec<PlannedDelivery>,
    /// Copies for other hosts, with what RFC 3461 §5.2.7 carries on of NOTIFY and ORCPT.
    pub forwards: Vec<NewRecipient>,
    /// Where an alias leads, too, but nobody can be reached; the others are served.
    pub lost: Vec<(Address, Refusal)>,
    /// An alias led to several addresses: who asked for success is told "expanded" (RFC 3461 §5.2.7.3).
    pub is_expanded: bool,
}

impl Plan {
    /// On to another host, as it is: for those who may send there.
    pub fn relay(path: ForwardPath) -> Self {
        let ForwardPath { address, notify, original } = path.clone();
        let forwards = vec![NewRecipient { address, notify, original }];
        Self { recipient: path, deliveries: Vec::new(), forwards, lost: Vec::new(), is_expanded: false }
    }

    /// Whom the sender knows: ORCPT, or the recipient as it was given (RFC 3461 §5.2.1). What is told of another address names it.
    pub fn original(&self) -> OriginalRecipient {
        carried_original(&self.recipient)
    }

    /// The deliveries as the store takes them: without flags, dated when they are written.
    pub fn copies(&self) -> impl Iterator<Item = Delivery> {
        self.deliveries.iter().map(|delivery| Delivery {
            account: delivery.account,
            mailbox: delivery.mailbox.clone(),
            flags: Vec::new(),
            internal_date: None,
            recipient: self.recipient.address.clone(),
        })
    }
}

/// One copy for a mailbox here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedDelivery {
    /// Whose mailbox.
    pub account: AccountKey,
    /// The account's address, without detail.
    pub address: Address,
    /// Which mailbox.
    pub mailbox: Target,
    /// Octets that the account may hold; none: no limit.
    pub quota_octets: Option<u64>,
    /// Octets that it holds.
    pub used_octets: u64,
}

impl PlannedDelivery {
    /// Whether a message of this size has room now; the last word has the store.
    pub fn has_room_for(&self, octets: u64) -> bool {
        self.quota_octets.is_none_or(|quota| self.used_octets.saturating_add(octets) <= quota)
    }

    /// Whether a message of this size had room in the emptied account.
    pub fn could_hold(&self, octets: u64) -> bool {
        self.quota_octets.is_none_or(|quota| octets <= quota)
    }
}

/// Why nobody is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The domain isn't ours.
    #[error("the domain is not ours")]
    NotLocal,
    /// No account, alias or catch-all.
    #[error("there is no such address")]
    NoSuchAddress,
    /// The address was an alias, and its time is over; with what its owner has said of that, in ASCII, or the house's own words.
    #[error("{0}")]
    Ended(String),
    /// The account takes no mail.
    #[error("the account is suspended")]
    Suspended,
    /// The domain is ours, and takes no mail.
    #[error("the domain is disabled")]
    Disabled,
    /// Aliases lead in a circle, too deep, or to too many.
    #[error("the address leads in a circle or to too many others")]
    Endless,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum FilingError {
    /// Nobody is reached.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed: try again later.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// Makes plans.
#[derive(Debug, Clone)]
pub struct Filing {
    store: Store,
    host: Domain,
    signing: Arc<Signing>,
    srs: Arc<OnceLock<Srs>>,
    scripts: Arc<script::Scripts>,
}

impl Filing {
    /// `host` is our own name: postmaster there is reached though it be no domain of ours (RFC 5321 §4.5.1).
    pub fn new(store: Store, host: Domain) -> Self {
        let signing = Arc::new(Signing::new(store.clone()));
        Self { store, host, signing, srs: Arc::default(), scripts: Arc::default() }
    }

    /// Our own name.
    pub const fn host(&self) -> &Domain {
        &self.host
    }

    /// The keys that sign.
    pub fn signing(&self) -> &Signing {
        &self.signing
    }

    /// Where mail for `path` goes. Where an alias leads to several, one that is reached is enough.
    ///
    /// # Errors
    /// [`FilingError::Refused`]: nobody is reached; refuse the recipient. [`FilingError::Failed`]: put it off.
    pub async fn plan(&self, path: &ForwardPath) -> Result<Plan, FilingError> {
        let mut reached = Reached::default();
        let mut ahead = VecDeque::from([(path.address.clone(), 0)]);
        let mut seen = HashSet::from([without_case(&path.address)]);
        while let Some((address, depth)) = ahead.pop_front() {
            let targets = match self.route(&address).await? {
                Route::Alias { targets, .. } => targets,
                Route::CatchAll { target } => vec![target],
                route => {
                    self.arrive(&mut reached, address, route, depth).await?;
                    continue;
                }
            };
            reached.is_expanded |= targets.len() > 1;
            for target in targets {
                if depth >= ALIAS_DEPTH || seen.len() >= MAX_ADDRESSES {
                    return Err(Refusal::Endless.into());
                }
                if seen.insert(without_case(&target)) {
                    ahead.push_back((target, depth + 1));
                }
            }
        }
        reached.into_plan(path)
    }

    async fn route(&self, address: &Address) -> Result<Route, StoreError> {
        let route = self.store.route(address).await?;
        if let Some(route) = self.way_back(address, &route).await? {
            return Ok(route);
        }
        let is_postmaster = address.local_part.as_str().eq_ignore_ascii_case("postmaster");
        if route != Route::NotLocal || address.domain != self.host || !is_postmaster {
            return Ok(route);
        }
        let owner = self.store.house_postmaster().await?;
        Ok(owner.map_or(Route::NoSuchAddress, |owner| Route::onward(vec![owner])))
    }

    /// Notes the end of one way.
    async fn arrive(
        &self,
        reached: &mut Reached,
        address: Address,
        route: Route,
        depth: usize,
    ) -> Result<(), StoreError> {
        match route {
            Route::Account { is_suspended: true, .. } => reached.lost.push((address, Refusal::Suspended)),
            Route::Account { key, address, detail, quota_octets, used_octets, .. } => {
                if reached.deliveries.iter().all(|delivery| delivery.account != key) {
                    let mailbox = self.mailbox(key, detail.as_deref()).await?;
                    let delivery = PlannedDelivery { account: key, address, mailbox, quota_octets, used_octets };
                    reached.deliveries.push(delivery);
                }
            }
            // Nobody but ourselves writes there.
            Route::List { act: ListAct::More, .. } => reached.lost.push((address, Refusal::NoSuchAddress)),
            Route::List { .. } => reached.remote.push(address),
            // Only where an alias says so: the recipient itself is nobody's business here.
            Route::NotLocal if depth > 0 => reached.remote.push(address),
            Route::NotLocal => reached.lost.push((address, Refusal::NotLocal)),
            Route::Ended { text } => {
                let text = if text.is_empty() { "This address is not used any more".to_owned() } else { text };
                reached.lost.push((address, Refusal::Ended(text)));
            }
            Route::Disabled => reached.lost.push((address, Refusal::Disabled)),
            Route::NoSuchAddress | Route::Alias { .. } | Route::CatchAll { .. } => {
                reached.lost.push((address, Refusal::NoSuchAddress));
            }
        }
        Ok(())
    }

    /// The mailbox that a detail names (RFC 5233), where there is one and it has no use of its own: strangers choose the detail, and
    /// must not put mail among the drafts or out of sight.
    async fn mailbox(&self, account: AccountKey, detail: Option<&str>) -> Result<Target, StoreError> {
        let Some(name) = detail.and_then(|detail| MailboxName::parse(detail).ok()) else { return Ok(Target::Inbox) };
        let found = self.store.mailbox(account, &name).await?;
        let fits = found.is_some_and(|status| status.mailbox.special_use.is_none() && !name.is_inbox());
        Ok(if fits { Target::Name(name) } else { Target::Inbox })
    }
}

/// The ends that were found so far.
#[derive(Default)]
struct Reached {
    deliveries: Vec<PlannedDelivery>,
    remote: Vec<Address>,
    lost: Vec<(Address, Refusal)>,
    is_expanded: bool,
}

impl Reached {
    fn into_plan(self, path: &ForwardPath) -> Result<Plan, FilingError> {
        if self.deliveries.is_empty() && self.remote.is_empty() {
            // No end at all: each alias leads back to one before it.
            let first = self.lost.first().map_or(Refusal::Endless, |(_, refusal)| refusal.clone());
            return Err(first.into());
        }
        let (notify, original) = (carried_notify(path, self.is_expanded), carried_original(path));
        let forward = |address| NewRecipient { address, notify, original: Some(original.clone()) };
        Ok(Plan {
            recipient: path.clone(),
            deliveries: self.deliveries,
            forwards: self.remote.into_iter().map(forward).collect(),
            lost: self.lost,
            is_expanded: self.is_expanded,
        })
    }
}

/// RFC 3461 §5.2.7.2: one target takes the parameters over as they are. §5.2.7.3: of several none reports success, for
/// "expanded" is said here.
fn carried_notify(path: &ForwardPath, is_expanded: bool) -> Option<Notify> {
    path.notify.map(|notify| Notify { success: notify.success && !is_expanded, ..notify })
}

/// RFC 3461 §5.2.1: where the sender gave no ORCPT, the recipient as it was given, so that a DSN names whom the sender knows.
fn carried_original(path: &ForwardPath) -> OriginalRecipient {
    let given = || {
        let address_type = if path.address.needs_smtputf8() { "utf-8" } else { "rfc822" };
        OriginalRecipient { address_type: address_type.to_owned(), address: path.address.to_string() }
    };
    path.original.clone().unwrap_or_else(given)
}

/// To tell whether a way was gone before. That a remote local part may heed case only costs a second copy that differs in nothing else.
fn without_case(address: &Address) -> (String, Domain) {
    (address.local_part.as_str().to_lowercase(), address.domain.clone())
}
