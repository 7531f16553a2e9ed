//! What people send, against what they may; and accounts whose mail is held because they behave as never before.

mod warden;

use std::time::Duration;

pub use warden::{HoldLetter, HoldNotice, Warden};

use relais_reception::{Sum, limits_of, sent_of};
use relais_store::{Account, Hold, HoldFilter, HoldReason, Page};
use serde::Serialize;
use utoipa::ToSchema;

use crate::directory::readable;
use crate::{Actor, Failure, Moment, Paging, Role, Rows, Service, Text};

/// Complaints that are counted for a person: of the last thirty days.
const COMPLAINT_DAYS: u64 = 30;

/// A limit, and how much of it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SendingLimitView {
    /// Which: `messages_per_hour`, `recipients_per_hour`, `messages_per_day`, `recipients_per_day`, `new_recipients_per_day`.
    pub limit: &'static str,
    /// What was sent of it. An hour and a day slide, in steps of ten minutes.
    pub used: u64,
    /// What may be sent; none: as much as one likes.
    pub most: Option<u64>,
}

/// What a person sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SendingView {
    /// Their address.
    pub address: String,
    /// What they have sent, of what they may.
    pub limits: Vec<SendingLimitView>,
    /// Recipients of a day that other hosts refused as nobody.
    pub unknown_recipients: u64,
    /// Days on which somebody complained of mail of theirs, of the last thirty, the last first.
    pub complaints: Vec<ComplaintDay>,
    /// Their mail to other hosts is held since.
    pub held_since: Option<Moment>,
}

/// Complaints of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComplaintDay {
    /// Its beginning, UTC.
    pub day: Moment,
    /// Messages that were complained of.
    pub complaints: u64,
}

/// A person whose mail is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HoldView {
    /// Their address.
    pub address: String,
    /// Why: `new_recipients`, `messages`, `network`, `unknown`, `complaints`.
    pub reason: &'static str,
    /// Why, in a sentence.
    pub says: Text,
    /// From where it was sent.
    pub peer: Option<String>,
    /// Since when.
    pub since: Moment,
    /// Messages that wait.
    pub messages: u64,
    /// Recipients of all of them.
    pub recipients: u64,
}

/// A hold with some of the mail that it stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HoldDetail {
    /// The hold.
    #[serde(flatten)]
    pub hold: HoldView,
    /// The latest messages that wait: ten at most.
    pub samples: Vec<HeldSample>,
    /// Sessions in the panel that dropping ends.
    pub sessions: u64,
    /// App passwords that dropping takes away.
    pub app_passwords: u64,
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldSample {
    /// When it was submitted.
    pub at: Moment,
    /// Its subject, shortened; none where the trace has forgotten it.
    pub subject: Option<String>,
    /// One of its recipients.
    pub recipient: String,
    /// How many it has.
    pub recipients: u64,
}

/// Why, in a sentence that names what was seen.
pub(crate) fn says(reason: HoldReason, facts: &relais_store::HoldFacts, peer: Option<&str>) -> Text {
    let (id, count) = match reason {
        HoldReason::NewRecipients => ("hold-because-new-recipients", facts.new_recipients),
        HoldReason::Messages => ("hold-because-messages", facts.messages),
        HoldReason::Network => ("hold-because-network", facts.new_recipients),
        HoldReason::Unknown => ("hold-because-unknown", facts.unknown_recipients),
        HoldReason::Complaints => ("hold-because-complaints", facts.complaints),
    };
    Text::new(id).with("count", count).with("peer", peer.unwrap_or("–"))
}

impl Service {
    /// What one sends oneself, of what one may.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn own_sending(&self, me: &Actor) -> Result<SendingView, Failure> {
        let (_, address) = me.own()?;
        self.person_sending(me, &address.to_string()).await
    }

    /// What a person sends, of what they may. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn person_sending(&self, by: &Actor, address: &str) -> Result<SendingView, Failure> {
        let account = self.people.find(by, address).await?;
        let sent = sent_of(&self.store, account.key).await?;
        let limits = limits_of(account.limits, &self.store.settings());
        let view = |limit, used: fn(&Sum) -> u64, sum: &Sum, most| SendingLimitView { limit, used: used(sum), most };
        let since = self.store.now().minus(Duration::from_hours(24 * COMPLAINT_DAYS));
        let complaints = self.store.complaints_by_day(account.key, since).await?;
        let hold = self.store.standing_hold(account.key).await?;
        Ok(SendingView {
            address: readable(&account.address),
            limits: vec![
                view("messages_per_hour", |sum| sum.messages, &sent.hour, limits.hourly_messages),
                view("recipients_per_hour", |sum| sum.recipients, &sent.hour, limits.hourly_recipients),
                view("messages_per_day", |sum| sum.messages, &sent.day, limits.daily_messages),
                view("recipients_per_day", |sum| sum.recipients, &sent.day, limits.daily_recipients),
                view("new_recipients_per_day", |sum| sum.new_recipients, &sent.day, limits.daily_new_recipients),
            ],
            unknown_recipients: sent.unknown_recipients,
            complaints: complaints
                .into_iter()
                .map(|(day, complaints)| ComplaintDay { day: day.into(), complaints })
                .collect(),
            held_since: hold.map(|hold| hold.raised_at.into()),
        })
    }

    /// People whose mail is held, the latest first. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn holds(&self, by: &Actor, paging: &Paging) -> Result<Rows<HoldView>, Failure> {
        by.require(Role::HelpDesk)?;
        let filter = HoldFilter { domains: by.domains(), is_standing: true, ..HoldFilter::default() };
        let page = Page { after: paging.after.clone(), limit: paging.limit };
        let listing = self.store.holds(&filter, &page).await?;
        let mut rows = Vec::with_capacity(listing.rows.len());
        for hold in listing.rows {
            rows.push(self.hold_view(hold).await?);
        }
        Ok(Rows { rows, next: listing.next })
    }

    /// How many people's mail is held that the one who asks sees.
    pub(crate) async fn count_holds(&self, by: &Actor) -> Result<u64, Failure> {
        let filter = HoldFilter { domains: by.domains(), is_standing: true, ..HoldFilter::default() };
        Ok(self.store.count_holds(&filter).await?)
    }

    /// A person's hold, with some of the mail that it stops. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`], also where nothing is held.
    pub async fn hold(&self, by: &Actor, address: &str) -> Result<HoldDetail, Failure> {
        by.require(Role::HelpDesk)?;
        let (account, hold) = self.held(by, address).await?;
        let samples = self.store.held_samples(hold.key).await?;
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Ok(HoldDetail {
            hold: self.hold_view(hold).await?,
            samples: samples
                .into_iter()
                .map(|sample| HeldSample {
                    at: sample.at.into(),
                    subject: sample.subject,
                    recipient: sample.recipient,
                    recipients: sample.recipients,
                })
                .collect(),
            sessions: count(self.store.sessions(account.key).await?.len()),
            app_passwords: count(self.store.app_passwords(account.key).await?.len()),
        })
    }

    /// Lets a person's mail go on; what they did is usual with them from then on. Tells how many recipients. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for someone above the asker, and for oneself: whoever stole a password would release their own mail; [`Failure::Absent`].
    pub async fn release_hold(&self, by: &Actor, address: &str) -> Result<u64, Failure> {
        let account = self.to_end(by, address).await?;
        let released = self.store.release_hold(&by.author(), account.key).await?;
        released.ok_or_else(|| not_held(&account))
    }

    /// Shuts out whoever is in a person's account and takes their held mail away: sessions, app passwords, API keys and the password end, programs that
    /// are connected are disconnected. Tells how many recipients. Domain admin, of late signed in.
    ///
    /// # Errors
    /// As [`Service::release_hold`]; [`Failure::Unproven`].
    pub async fn drop_hold(&self, by: &Actor, address: &str) -> Result<u64, Failure> {
        let account = self.to_end(by, address).await?;
        by.require_proof()?;
        let dropped = self.store.drop_hold(&by.author(), account.key).await?;
        dropped.ok_or_else(|| not_held(&account))
    }

    /// The account whose hold is to be ended by the one who asks.
    async fn to_end(&self, by: &Actor, address: &str) -> Result<Account, Failure> {
        by.require(Role::DomainAdmin)?;
        let (account, _) = self.held(by, address).await?;
        by.require_power_over(&account)?;
        let is_self = by.account.as_ref().is_some_and(|(key, _)| *key == account.key);
        // An owner stands above all: nobody else might be there to do it.
        if is_self && by.role < Role::Owner {
            return Err(Failure::Forbidden(Text::new("hold-own")));
        }
        Ok(account)
    }

    async fn held(&self, by: &Actor, address: &str) -> Result<(Account, Hold), Failure> {
        let account = self.people.find(by, address).await?;
        let hold = self.store.standing_hold(account.key).await?;
        hold.map(|hold| (account.clone(), hold)).ok_or_else(|| not_held(&account))
    }

    async fn hold_view(&self, hold: Hold) -> Result<HoldView, Failure> {
        let sum = self.store.held_sum(hold.key).await?;
        let peer = hold.peer.map(|peer| peer.to_string());
        Ok(HoldView {
            address: readable(&hold.address),
            reason: hold.reason.as_str(),
            says: says(hold.reason, &hold.facts, peer.as_deref()),
            peer,
            since: hold.raised_at.into(),
            messages: sum.messages,
            recipients: sum.recipients,
        })
    }
}

fn not_held(account: &Account) -> Failure {
    Failure::Absent(Text::new("hold-absent").with("address", readable(&account.address)))
}
