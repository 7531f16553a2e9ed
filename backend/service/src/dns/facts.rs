//! What is known of the house and of a domain before anybody looks.

use std::net::IpAddr;
use std::time::Duration;

use relais_dnscheck::{Algorithm, Data, DkimKey, DmarcPolicy, DmarcWish, Facts, Kind, StsWish, There, wanted};
use relais_model::{Domain, Timestamp};
use relais_store::{Author, DkimKeyEntry, DnsSubject, DomainKey, NewDkimKey, Settings};
use tokio::time::timeout;

use super::kept::KeptReport;
use super::{Dns, DnsHouse, Place};
use crate::{Failure, Text, mta_sts};

/// As CAA records name the authority behind an ACME directory: what its URL ends with, and the name.
const ISSUERS: [(&str, &str); 5] = [
    ("api.letsencrypt.org", "letsencrypt.org"),
    ("acme.zerossl.com", "sectigo.com"),
    ("dv.acme-v02.api.pki.goog", "pki.goog"),
    ("acme.ssl.com", "ssl.com"),
    ("api.buypass.com", "buypass.com"),
];
/// The host's addresses, once found, are believed for so long.
const FOUND_KEPT: Duration = Duration::from_mins(10);
/// Records of keys that sign no more are wanted so long: mail that they signed is still on its way, or looked at again.
pub(super) const RETIRED_KEPT: Duration = Duration::from_hours(30 * 24);
/// And then for so long the page says that they may go.
const AGED_KEPT: Duration = Duration::from_hours(60 * 24);
/// And for so long, where there were none.
const NONE_KEPT: Duration = Duration::from_mins(1);
/// A page waits so long for them.
const PATIENCE: Duration = Duration::from_secs(5);

impl Dns {
    /// The host's public addresses: those that were set, else the machine's own, else those that its name has.
    pub(super) async fn addresses(&self) -> Vec<IpAddr> {
        let set = self.inner.store.settings().dns_addresses.addresses();
        let Some(house) = &self.inner.house else { return set };
        if !set.is_empty() {
            return set;
        }
        if !house.addresses.is_empty() {
            return house.addresses.clone();
        }
        let Some(look) = &house.look else { return Vec::new() };
        let mut known = self.inner.addresses.lock().await;
        let now = self.inner.store.now();
        if let Some((at, found)) = &*known
            && now.since(*at) < if found.is_empty() { NONE_KEPT } else { FOUND_KEPT }
        {
            return found.clone();
        }
        let asked = async { tokio::join!(look.public(&house.host, Kind::A), look.public(&house.host, Kind::Aaaa)) };
        let found: Vec<IpAddr> = match timeout(PATIENCE, asked).await {
            Ok((four, six)) => four.data().chain(six.data()).filter_map(Data::ip).filter(|at| is_public(*at)).collect(),
            Err(_late) => Vec::new(),
        };
        *known = Some((now, found.clone()));
        found
    }

    /// Why nothing can be checked.
    pub(super) async fn hindrance(&self) -> Option<Text> {
        self.hindrance_of(&self.addresses().await)
    }

    pub(super) fn hindrance_of(&self, addresses: &[IpAddr]) -> Option<Text> {
        match self.inner.house.as_ref().and_then(|house| house.inspector.as_ref()) {
            None => Some(Text::new("dns-hindrance-no-network")),
            Some(_) if addresses.is_empty() => Some(Text::new("dns-hindrance-no-address")),
            Some(_) => None,
        }
    }

    /// All that a check starts from; a domain that has no keys yet gets them here.
    pub(super) async fn facts(&self, house: &DnsHouse, place: &Place) -> Result<Facts, Failure> {
        let settings = self.inner.store.settings();
        let dkim = match place.subject {
            DnsSubject::Host => Vec::new(),
            DnsSubject::Domain(_) => self.signing_keys(place).await?,
        };
        let policy = mta_sts::policy(&settings, &house.host);
        Ok(Facts {
            host: house.host.clone(),
            addresses: self.addresses().await,
            domain: place.name.clone(),
            services: house.services.clone(),
            dkim,
            dmarc: dmarc(&settings),
            mta_sts: Some(StsWish { id: mta_sts::policy_id(&policy), mode: policy.mode, max_age: policy.max_age }),
            tls_reports: settings.dns_tls_reports.clone(),
            issuers: issuer(&settings.acme_directory_url).into_iter().collect(),
            tls_keys: (house.tls_keys)(),
            is_host_signed: false,
        })
    }

    /// What is wanted, where nobody has looked yet.
    pub(super) async fn unseen(&self, place: &Place) -> Result<KeptReport, Failure> {
        let Some(house) = &self.inner.house else { return Ok(KeptReport::default()) };
        let facts = self.facts(house, place).await?;
        let of_host = |name: &str| matches!(name, "host-address" | "reverse-name" | "host-spf" | "dane");
        let wanted = wanted(&facts, &There::default())
            .into_iter()
            .filter(|wanted| of_host(wanted.purpose.name()) == (place.subject == DnsSubject::Host));
        Ok(KeptReport::of(&relais_dnscheck::Report { wanted: wanted.collect(), findings: Vec::new() }))
    }

    /// A domain's keys whose records are wanted: those that sign, those that wait, and those that retired of late. Made where there are none that sign, and where those are
    /// old enough to be followed: an RSA key takes a second.
    async fn signing_keys(&self, place: &Place) -> Result<Vec<DkimKey>, Failure> {
        let DnsSubject::Domain(domain) = place.subject else { return Ok(Vec::new()) };
        let store = &self.inner.store;
        let now = store.now();
        let mut entries = store.dkim_keys(domain).await?;
        let forgotten = now.minus(RETIRED_KEPT + AGED_KEPT);
        if entries.iter().any(|entry| entry.retired_at.is_some_and(|at| at < forgotten)) {
            store.forget_dkim_keys(domain, forgotten).await?;
            entries = store.dkim_keys(domain).await?;
        }
        let age = store.settings().dns_dkim_key_age;
        let turns =
            [Algorithm::Rsa, Algorithm::Ed25519].map(|algorithm| (algorithm, turn(&entries, algorithm, now, age)));
        if turns.iter().all(|(_, turn)| *turn == Turn::Stay) {
            return Ok(wanted_keys(entries, now));
        }
        self.make_keys(&Author::house(), place, domain, &entries, &turns).await?;
        // Another node may have been quicker: what stands in the store counts.
        Ok(wanted_keys(store.dkim_keys(domain).await?, now))
    }

    /// Makes the keys that `turns` ask for.
    pub(super) async fn make_keys(
        &self,
        by: &Author,
        place: &Place,
        domain: DomainKey,
        entries: &[DkimKeyEntry],
        turns: &[(Algorithm, Turn)],
    ) -> Result<(), Failure> {
        let store = &self.inner.store;
        let (mut first, mut next) = (Vec::new(), Vec::new());
        let day = jiff::Timestamp::from_millisecond(store.now().millis()).map_err(|_| Failure::Failed)?;
        let day = day.strftime("%Y%m%d").to_string();
        for (algorithm, turn) in turns.iter().copied().filter(|(_, turn)| *turn != Turn::Stay) {
            let made = self.inner.keys.make(algorithm).await.map_err(|error| {
                tracing::error!(%error, domain = %place.name, "no key that signs mail could be made");
                Failure::Failed
            })?;
            let selector = free_selector(entries, algorithm, &day);
            let (private_key, public_key) = (made.private_key, made.public_key);
            let new = NewDkimKey { selector, algorithm: algorithm.as_str(), private_key, public_key };
            if turn == Turn::First { first.push(new) } else { next.push(new) }
        }
        store.add_dkim_keys(domain, first).await?;
        store.add_next_dkim_keys(by, domain, next).await?;
        Ok(())
    }
}

/// `r20260101`, or `r20260101b` where that is taken.
fn free_selector(entries: &[DkimKeyEntry], algorithm: Algorithm, day: &str) -> String {
    let letter = if algorithm == Algorithm::Rsa { 'r' } else { 'e' };
    let is_free = |selector: &String| entries.iter().all(|entry| entry.selector != *selector);
    let plain = format!("{letter}{day}");
    let more = ('b'..='z').map(|more| format!("{plain}{more}"));
    // Of a domain's few keys one is free; else the store keeps none of that name twice.
    [plain.clone()].into_iter().chain(more).find(is_free).unwrap_or(plain)
}

/// What is to be done about a domain's keys of one algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing.
    Stay,
    /// There is none: make one that signs.
    First,
    /// The one that signs is old: make one that follows it.
    Next,
}

/// `age` of zero: keys stay.
fn turn(entries: &[DkimKeyEntry], algorithm: Algorithm, now: Timestamp, age: Duration) -> Turn {
    let mut alive =
        entries.iter().filter(|entry| entry.algorithm == algorithm.as_str() && entry.retired_at.is_none()).peekable();
    if alive.peek().is_none() {
        return Turn::First;
    }
    let is_old = |since: Timestamp| !age.is_zero() && since.plus(age) <= now;
    if alive.all(|entry| entry.signs_since.is_some_and(is_old)) { Turn::Next } else { Turn::Stay }
}

/// No mail that it signed is looked at any more: its record may go.
pub(super) fn is_aged(entry: &DkimKeyEntry, now: Timestamp) -> bool {
    entry.retired_at.is_some_and(|at| at < now.minus(RETIRED_KEPT))
}

fn wanted_keys(entries: Vec<DkimKeyEntry>, now: Timestamp) -> Vec<DkimKey> {
    let mut keys: Vec<DkimKey> = Vec::new();
    for entry in entries.into_iter().filter(|entry| !is_aged(entry, now)) {
        let algorithm = match entry.algorithm.as_str() {
            "rsa" => Algorithm::Rsa,
            "ed25519" => Algorithm::Ed25519,
            _ => continue,
        };
        let waits = entry.signs_since.is_none();
        keys.push(DkimKey { selector: entry.selector, algorithm, public_key: entry.public_key, waits });
    }
    // The one that all can check first.
    keys.sort_by_key(|key| key.algorithm != Algorithm::Rsa);
    keys
}

fn dmarc(settings: &Settings) -> DmarcWish {
    let policy = match settings.dns_dmarc_policy.as_str() {
        "none" => DmarcPolicy::None,
        "reject" => DmarcPolicy::Reject,
        _ => DmarcPolicy::Quarantine,
    };
    DmarcWish { policy, reports: settings.dns_dmarc_reports.clone() }
}

/// Who a directory's certificates are from, as CAA records say it; none of others: their customers know what to write.
fn issuer(directory_url: &str) -> Option<String> {
    let host = url::Url::parse(directory_url).ok()?.host_str()?.to_owned();
    // Let's Encrypt has several: acme-v02.api, acme-staging-v02.api.
    let of = |(end, name): &(&str, &str)| host.ends_with(end).then(|| (*name).to_owned());
    ISSUERS.iter().find_map(of)
}

/// Of the public internet: reachable by strangers' mail servers.
pub(super) fn is_public(address: IpAddr) -> bool {
    crate::may_reach(address, &relais_store::Networks::default())
}

/// Whether `name` is `zone`, or below it.
pub(super) fn is_within(name: &Domain, zone: &str) -> bool {
    name.as_str().strip_suffix(zone).is_some_and(|above| above.is_empty() || above.ends_with('.'))
}
