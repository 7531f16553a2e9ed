//! Keys that sign a domain's mail, from one to the next: a new one waits until its record is seen, then it signs and the old one rests; the record of the old one stays for
//! mail that is on its way, and then may go.
//!
//! Where the domain's zone is served by an account that may (`turns_keys`), the records come and go by themselves: written down and undone as any push.

use relais_dnscheck::provider::{RecordSet, Wish};
use relais_dnscheck::{Algorithm, Data, Form, Purpose, WANTED_TTL, Wanted, present, wishes};
use relais_model::Domain;
use relais_store::{Author, DkimKeyEntry, DnsSubject, DomainKey};

use super::facts::{RETIRED_KEPT, Turn, is_aged};
use super::push::refused;
use super::view::DkimKeyView;
use super::{Dns, Place};
use crate::{Actor, Failure, Role, Text};

impl Dns {
    /// Makes new keys for a domain now; they wait until their records are seen. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`]; [`Failure::Clash`] where new keys wait already, or too many old ones are kept.
    pub async fn rotate_keys(&self, by: &Actor, domain: &str) -> Result<Vec<DkimKeyView>, Failure> {
        by.require(Role::DomainAdmin)?;
        let place = self.domain_place(by, domain).await?;
        let DnsSubject::Domain(key) = place.subject else { return Err(Failure::Failed) };
        let entries = self.inner.store.dkim_keys(key).await?;
        let alive = |algorithm: Algorithm| {
            let is_of =
                move |entry: &&DkimKeyEntry| entry.algorithm == algorithm.as_str() && entry.retired_at.is_none();
            entries.iter().filter(is_of)
        };
        let turn = |algorithm| {
            let turn = match alive(algorithm).next() {
                None => Turn::First,
                Some(_) if alive(algorithm).any(|entry| entry.signs_since.is_none()) => Turn::Stay,
                Some(_) => Turn::Next,
            };
            (algorithm, turn)
        };
        let turns = [Algorithm::Rsa, Algorithm::Ed25519].map(turn);
        if turns.iter().all(|(_, turn)| *turn == Turn::Stay) {
            return Err(Failure::clash("", Text::new("dns-keys-wait")));
        }
        self.make_keys(&by.author(), &place, key, &entries, &turns).await?;
        let after = self.inner.store.dkim_keys(key).await?;
        if after.len() <= entries.len() {
            return Err(Failure::clash("", Text::new("dns-keys-too-many")));
        }
        // Where a check can be made, it says what is to be published; where the account may, it publishes it.
        if self.hindrance().await.is_none() {
            self.begin(place);
        }
        Ok(self.key_views(after))
    }

    /// A domain's keys, as people see them: those that wait first, then those that sign, then those that rest.
    pub(super) async fn keys_of(&self, domain: DomainKey) -> Result<Vec<DkimKeyView>, Failure> {
        Ok(self.key_views(self.inner.store.dkim_keys(domain).await?))
    }

    fn key_views(&self, entries: Vec<DkimKeyEntry>) -> Vec<DkimKeyView> {
        let (now, age) = (self.inner.store.now(), self.inner.store.settings().dns_dkim_key_age);
        let mut views: Vec<DkimKeyView> = entries
            .into_iter()
            .map(|entry| {
                let (state, since, until) = match (entry.retired_at, entry.signs_since) {
                    (Some(at), _) if is_aged(&entry, now) => ("aged", at, None),
                    (Some(at), _) => ("retired", at, Some(at.plus(RETIRED_KEPT))),
                    (None, None) => ("waits", entry.created_at, None),
                    (None, Some(since)) => ("signs", since, (!age.is_zero()).then(|| since.plus(age))),
                };
                let id = match (state, until) {
                    ("signs", None) => "dns-key-stays".to_owned(),
                    _ => format!("dns-key-{state}"),
                };
                DkimKeyView {
                    selector: entry.selector,
                    algorithm: entry.algorithm,
                    state,
                    says: Text::named(id),
                    since: since.into(),
                    until: until.map(Into::into),
                }
            })
            .collect();
        let rank =
            |view: &DkimKeyView| ["waits", "signs", "retired", "aged"].iter().position(|state| *state == view.state);
        views.sort_by_key(rank);
        views
    }

    /// Sets the records of a domain's keys that wait, and takes away those of aged ones, where the account that serves the zone may; else nothing. What was
    /// set is looked for again soon.
    pub(super) async fn turn_records(&self, place: &Place) -> Result<(), Failure> {
        let DnsSubject::Domain(domain) = place.subject else { return Ok(()) };
        let Some(account) = self.account_known_for(&place.name).await?.filter(|account| account.turns_keys) else {
            return Ok(());
        };
        let now = self.inner.store.now();
        let entries = self.inner.store.dkim_keys(domain).await?;
        let (come, go): (Vec<_>, Vec<_>) = entries
            .iter()
            .filter(|entry| is_waiting(entry) || is_aged(entry, now))
            .partition(|entry| is_waiting(entry));
        if come.is_empty() && go.is_empty() {
            return Ok(());
        }
        let publisher = self.publisher(&account)?;
        let zone = publisher.zone(place.name.as_str()).await.map_err(|error| refused(&error))?;
        let zone = Domain::parse(&zone.name).map_err(|_| Failure::Failed)?;
        let comes: Vec<Wanted> = come.iter().filter_map(|entry| record(place, entry)).collect();
        let mut wished: Vec<Wish> = wishes(&comes, &zone);
        wished.extend(go.iter().filter_map(|entry| record(place, entry)).map(|record| {
            let fields = present(&record, &zone, Form::ZONE_FILE);
            Wish::Without(RecordSet::new(&fields.name, fields.kind.as_str(), fields.ttl, [&fields.value]))
        }));
        let plan = publisher.preview(place.name.as_str(), &wished).await.map_err(|error| refused(&error))?;
        if !plan.changes.is_empty() {
            let pushed = publisher.push(&plan).await.map_err(|error| refused(&error))?;
            let is_complete = pushed.is_complete();
            self.write_down(&Author::house(), place, &account, pushed).await?;
            tracing::info!(domain = %place.name, come = come.len(), go = go.len(), is_complete, "the records of keys that sign were turned");
            if !is_complete {
                return Ok(());
            }
        }
        if !go.is_empty() {
            self.inner.store.forget_dkim_keys(domain, now.minus(RETIRED_KEPT)).await?;
        }
        if come.is_empty() { Ok(()) } else { self.put_off(place).await }
    }
}

const fn is_waiting(entry: &DkimKeyEntry) -> bool {
    entry.signs_since.is_none() && entry.retired_at.is_none()
}

/// RFC 6376 §3.6.1.
fn record(place: &Place, entry: &DkimKeyEntry) -> Option<Wanted> {
    let owner = Domain::parse(&format!("{}._domainkey.{}", entry.selector, place.name)).ok()?;
    let text = format!("v=DKIM1; k={}; p={}", entry.algorithm, entry.public_key);
    Some(Wanted { purpose: Purpose::Dkim, owner, data: Data::Txt(text), ttl: WANTED_TTL })
}
