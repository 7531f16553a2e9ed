//! Which names go into which order, and when next: decided from facts alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use relais_model::{Domain, Random, Timestamp};
use relais_store::{
    Certificate, CertificateKey, CertificateName, CertificateSource, DomainKey, NameState, OrdersMade, WantedName,
};

/// Names of one certificate, at most: so it is at Let's Encrypt and the most of the others.
const NAMES_AT_ONCE: usize = 100;

/// Refused orders in an hour, at most: Let's Encrypt takes five for each name, and we are below its other limits.
const REFUSED_AN_HOUR: u64 = 10;

/// Orders in three hours, at most: Let's Encrypt takes 300 of an account.
const ORDERS_IN_THREE_HOURS: u64 = 100;

/// Where a limit is reached, it is looked at again after this.
const LIMIT_LOOKED_AT: Duration = Duration::from_mins(10);

/// The bundle of the host and of the service names.
const HOST_BUNDLE: &str = "host";

/// Labels before a domain that mail programs and servers look for: the MTA-STS policy (RFC 8461 §3.2), Mozilla's and Microsoft's set-up.
const SERVICE_LABELS: [&str; 3] = ["mta-sts", "autoconfig", "autodiscover"];

/// All that a plan is made from.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Now.
    pub now: Timestamp,
    /// All names that are wanted.
    pub names: &'a [CertificateName],
    /// All certificates that are stored.
    pub certificates: &'a [Certificate],
    /// Names that files are made out for: nothing is ordered for them.
    pub files: &'a [String],
    /// Orders that ended at this CA in the last hour.
    pub last_hour: OrdersMade,
    /// And in the last three.
    pub last_three_hours: OrdersMade,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub orders: Vec<PlannedOrder>,
    /// When facts may lead to another plan by themselves; none: never.
    pub next_at: Option<Timestamp>,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOrder {
    /// Whose.
    pub bundle: String,
    /// For these names: 1 to 100.
    pub names: Vec<String>,
    /// The one that it is made from.
    pub renews: Option<CertificateKey>,
    /// That one is no longer needed then: all of its names that are wanted are in the order.
    pub ends_it: bool,
}

impl Plan {
    /// From facts.
    pub fn of(facts: &Facts<'_>) -> Self {
        let mut orders = Vec::new();
        let mut bundles: BTreeMap<&str, Vec<&CertificateName>> = BTreeMap::new();
        for name in facts.names.iter().filter(|name| !is_covered_by_others(&name.name, facts)) {
            bundles.entry(name.bundle.as_str()).or_default().push(name);
        }
        for (bundle, names) in &bundles {
            orders.extend(orders_of(bundle, names, facts));
        }
        // The host's own first: people wait for it.
        orders.sort_by_key(|order| order.bundle != HOST_BUNDLE);
        let renewals = facts
            .certificates
            .iter()
            .filter_map(|found| found.renew_at)
            .chain(facts.certificates.iter().filter_map(|found| found.ask_at));
        let retries = facts.names.iter().filter(|name| is_put_off(name)).map(|name| name.retry_at);
        let mut next_at = renewals.chain(retries).filter(|at| facts.now < *at).min();
        let room = room(facts);
        if room < orders.len() {
            orders.truncate(room);
            let again = facts.now.plus(LIMIT_LOOKED_AT);
            next_at = Some(next_at.map_or(again, |at| at.min(again)));
        }
        Self { orders, next_at }
    }
}

/// How many orders may be made now.
fn room(facts: &Facts<'_>) -> usize {
    if REFUSED_AN_HOUR <= facts.last_hour.refused {
        return 0;
    }
    usize::try_from(ORDERS_IN_THREE_HOURS.saturating_sub(facts.last_three_hours.all)).unwrap_or(0)
}

const fn is_put_off(name: &CertificateName) -> bool {
    matches!(name.state, NameState::Waiting | NameState::Refused)
}

/// A file, or what a person brought and what lasts, is shown for it in any case.
fn is_covered_by_others(name: &str, facts: &Facts<'_>) -> bool {
    let own =
        facts.certificates.iter().filter(|found| found.source == CertificateSource::Own && facts.now < found.not_after);
    covers(facts.files, name) || own.into_iter().any(|found| covers(&found.names, name))
}

/// The orders of one bundle: what is due, and what has no certificate yet, which fills up one that there is.
fn orders_of(bundle: &str, names: &[&CertificateName], facts: &Facts<'_>) -> Vec<PlannedOrder> {
    let is_usable = |name: &CertificateName| match name.state {
        NameState::Ready | NameState::Covered => true,
        NameState::Waiting => false,
        NameState::Refused => name.retry_at <= facts.now,
    };
    let is_ours = |found: &&Certificate| {
        found.source == CertificateSource::Acme && found.bundle == bundle && facts.now < found.not_after
    };
    let certificates: Vec<&Certificate> = facts.certificates.iter().filter(is_ours).collect();
    // A name belongs to the newest certificate that it stands in.
    let mut members: HashMap<CertificateKey, Vec<&CertificateName>> = HashMap::new();
    let mut pending = Vec::new();
    for name in names {
        match certificates.iter().filter(|found| found.names.contains(&name.name)).max_by_key(|found| found.key) {
            Some(found) => members.entry(found.key).or_default().push(name),
            None if is_usable(name) => pending.push(name.name.clone()),
            None => {}
        }
    }
    let mut pending = pending.into_iter().peekable();
    let mut orders = Vec::new();
    for found in certificates {
        let its = members.remove(&found.key).unwrap_or_default();
        let usable: Vec<String> = its.iter().filter(|name| is_usable(name)).map(|name| name.name.clone()).collect();
        let is_due = found.renew_at.is_some_and(|at| at <= facts.now);
        let has_room = usable.len() < NAMES_AT_ONCE && !its.is_empty();
        if !(is_due && !usable.is_empty() || has_room && pending.peek().is_some()) {
            continue;
        }
        let ends_it = usable.len() == its.len();
        let mut names = usable;
        while names.len() < NAMES_AT_ONCE {
            let Some(name) = pending.next() else { break };
            names.push(name);
        }
        names.sort_unstable();
        orders.push(PlannedOrder { bundle: bundle.to_owned(), names, renews: Some(found.key), ends_it });
    }
    while pending.peek().is_some() {
        let mut names: Vec<String> = pending.by_ref().take(NAMES_AT_ONCE).collect();
        names.sort_unstable();
        orders.push(PlannedOrder { bundle: bundle.to_owned(), names, renews: None, ends_it: false });
    }
    orders
}

/// Whether one of these is made out for `name`: the name itself, or a wildcard one label up (RFC 9525 §6.3).
pub fn covers(names: &[String], name: &str) -> bool {
    let wildcard = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
    names.iter().any(|known| known == name || Some(known) == wildcard.as_ref())
}

/// Whether a certificate may be made out for it: a host name of A-labels in lower case, with `*.` before it or not.
pub fn is_servable_name(name: &str) -> bool {
    let host = name.strip_prefix("*.").unwrap_or(name);
    let is_label = |label: &str| {
        let is_inner =
            |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-' || octet == b'_';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_address = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|octet| octet.is_ascii_digit()));
    host.len() <= 253 && host.split('.').all(is_label) && !is_address && (name == host || host.contains('.'))
}

/// The host's name, and the service names of these domains and of their other names: one bundle.
pub fn service_names(host: &Domain, domains: &[(DomainKey, Vec<Domain>)]) -> Vec<WantedName> {
    let mut seen = BTreeSet::new();
    let mut wanted = Vec::new();
    let mut want = |name: String, domain| {
        if name.contains('.') && is_servable_name(&name) && seen.insert(name.clone()) {
            wanted.push(WantedName { name, bundle: HOST_BUNDLE.to_owned(), domain });
        }
    };
    want(host.as_str().to_ascii_lowercase(), None);
    for (key, names) in domains {
        for (name, label) in names.iter().flat_map(|name| SERVICE_LABELS.map(|label| (name, label))) {
            want(format!("{label}.{}", name.as_str().to_ascii_lowercase()), Some(*key));
        }
    }
    wanted
}

/// When a certificate is renewed where the CA doesn't say: at two thirds of its life, up to a twentieth earlier, lest all of the
/// world's certificates of one night be renewed in another.
pub(crate) fn renew_at(not_before: Timestamp, not_after: Timestamp, random: &dyn Random) -> Timestamp {
    let life = not_after.since(not_before);
    let jitter = random.below(u64::try_from((life / 20).as_millis()).unwrap_or(u64::MAX));
    not_before.plus(life * 2 / 3).minus(Duration::from_millis(jitter))
}

/// How long to wait after so many failures in succession: from `first`, doubled each time, up to `most`; within a quarter around it.
pub(crate) fn backoff(failures: u32, first: Duration, most: Duration, random: &dyn Random) -> Duration {
    let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(20));
    let wait = doubled.min(most.max(first));
    let half = u64::try_from(wait.as_millis() / 2).unwrap_or(u64::MAX);
    wait * 3 / 4 + Duration::from_millis(random.below(half.saturating_add(1)))
}

/// How long to wait at most while a certificate nears its end: a tenth of what is left, between an hour and a day.
pub(crate) fn longest_wait(left: Option<Duration>) -> Duration {
    const DAY: Duration = Duration::from_hours(24);
    left.map_or(DAY, |left| (left / 10).clamp(Duration::from_hours(1), DAY))
}

#[cfg(test)]
mod tests {
    use relais_testkit::SeededRandom;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(NOW.seconds() + seconds)
    }

    fn name(name: &str, bundle: &str, state: NameState) -> CertificateName {
        CertificateName {
            name: name.to_owned(),
            bundle: bundle.to_owned(),
            domain: None,
            is_asked: false,
            state,
            says: String::new(),
            problem: String::new(),
            failures: 0,
            retry_at: at(600),
            certificate: None,
        }
    }

    fn certificate(key: i64, bundle: &str, names: &[&str], renew_in: i64) -> Certificate {
        Certificate {
            key: CertificateKey::new(key),
            source: if bundle.is_empty() { CertificateSource::Own } else { CertificateSource::Acme },
            bundle: bundle.to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            chain_pem: String::new(),
            not_before: at(-1000),
            not_after: at(5000),
            made_at: at(-1000),
            issuer: String::new(),
            renew_at: (!bundle.is_empty()).then(|| at(renew_in)),
            ask_at: None,
        }
    }

    fn facts<'a>(names: &'a [CertificateName], certificates: &'a [Certificate]) -> Facts<'a> {
        let (last_hour, last_three_hours) = (OrdersMade::default(), OrdersMade::default());
        Facts { now: NOW, names, certificates, files: &[], last_hour, last_three_hours }
    }

    /// Each order as `bundle: names (renews, which ends)`.
    #[track_caller]
    fn check(facts: &Facts<'_>, expected: &[&str], next_in: Option<i64>) {
        let plan = Plan::of(facts);
        let tell = |order: &PlannedOrder| {
            let renews = order.renews.map(|key| format!(" renews {}", key.value())).unwrap_or_default();
            let ends = if order.ends_it { " and ends it" } else { "" };
            format!("{}: {}{renews}{ends}", order.bundle, order.names.join(" "))
        };
        assert_eq!(plan.orders.iter().map(tell).collect::<Vec<_>>(), expected);
        assert_eq!(plan.next_at, next_in.map(at));
    }

    use NameState::{Covered, Ready, Refused, Waiting};

    #[test]
    fn names_that_are_not_ready_hold_up_no_other() {
        let names = [
            name("a.customer", "customer", Ready),
            name("mx.host", "host", Ready),
            name("mta-sts.one", "host", Ready),
            name("mta-sts.two", "host", Waiting),
            name("mta-sts.six", "host", Refused),
        ];
        check(&facts(&names, &[]), &["host: mta-sts.one mx.host", "customer: a.customer"], Some(600));
    }

    #[test]
    fn a_refused_name_is_tried_again_when_its_time_has_come() {
        let mut names = [name("mx.host", "host", Refused)];
        check(&facts(&names, &[]), &[], Some(600));
        names[0].retry_at = NOW;
        check(&facts(&names, &[]), &["host: mx.host"], None);
    }

    #[test]
    fn a_new_name_joins_the_certificate_of_its_bundle() {
        let names = [name("mx.host", "host", Covered), name("mta-sts.one", "host", Ready)];
        let certificates = [certificate(7, "host", &["mx.host", "gone.host"], 500)];
        check(&facts(&names, &certificates), &["host: mta-sts.one mx.host renews 7 and ends it"], Some(500));
    }

    #[test]
    fn what_is_due_is_renewed_without_what_is_no_longer_wanted() {
        let names = [name("mx.host", "host", Covered)];
        let certificates = [certificate(7, "host", &["mx.host", "gone.host"], 0)];
        check(&facts(&names, &certificates), &["host: mx.host renews 7 and ends it"], None);
        check(&facts(&names, &[certificate(7, "host", &["mx.host"], 10)]), &[], Some(10));
        check(&facts(&[], &certificates), &[], None);
    }

    /// One name that the CA refuses now keeps the certificate that it has, until that ends.
    #[test]
    fn a_renewal_without_one_of_its_names_leaves_the_old_one() {
        let names = [name("mx.host", "host", Covered), name("mta-sts.one", "host", Refused)];
        let old = certificate(7, "host", &["mta-sts.one", "mx.host"], 0);
        check(&facts(&names, std::slice::from_ref(&old)), &["host: mx.host renews 7"], Some(600));
        let new = certificate(8, "host", &["mx.host"], 3000);
        check(&facts(&names, &[new, old]), &[], Some(600));
    }

    #[test]
    fn nothing_is_ordered_for_what_others_cover() {
        let names = [name("mx.host", "host", Ready), name("a.own.example", "own.example", Ready)];
        let own = certificate(3, "", &["*.own.example"], 0);
        let files = ["mx.host".to_owned()];
        check(&Facts { files: &files, ..facts(&names, std::slice::from_ref(&own)) }, &[], None);
        let ended = Certificate { not_after: NOW, ..own };
        check(&facts(&names, &[ended]), &["host: mx.host", "own.example: a.own.example"], None);
    }

    #[test]
    fn a_certificate_has_a_hundred_names_at_most() {
        let names: Vec<_> = (0..250).map(|number| name(&format!("n{number:03}.host"), "host", Ready)).collect();
        let plan = Plan::of(&facts(&names, &[]));
        assert_eq!(plan.orders.iter().map(|order| order.names.len()).collect::<Vec<_>>(), [100, 100, 50]);
        let full: Vec<String> = names[..100].iter().map(|name| name.name.clone()).collect();
        let full: Vec<&str> = full.iter().map(String::as_str).collect();
        let certificates = [certificate(1, "host", &full, 500)];
        let plan = Plan::of(&facts(&names[..101], &certificates));
        assert_eq!((plan.orders.len(), plan.orders[0].names.len(), plan.orders[0].renews), (1, 1, None));
    }

    #[test]
    fn the_ca_is_not_hammered() {
        let names = [name("mx.host", "host", Ready), name("a.customer", "customer", Ready)];
        let refused = OrdersMade { all: 10, refused: 10 };
        check(&Facts { last_hour: refused, ..facts(&names, &[]) }, &[], Some(600));
        let many = OrdersMade { all: 99, refused: 0 };
        check(&Facts { last_three_hours: many, ..facts(&names, &[]) }, &["host: mx.host"], Some(600));
    }

    #[test]
    fn service_names_stand_in_the_hosts_bundle() {
        let domain = |text: &str| Domain::parse(text).unwrap();
        let domains = [(DomainKey::new(4), vec![domain("Example.org"), domain("other.example")])];
        let wanted = service_names(&domain("mx.example.org"), &domains);
        let names: Vec<_> = wanted.iter().map(|wanted| (wanted.name.as_str(), wanted.domain.is_some())).collect();
        assert_eq!(
            names,
            [
                ("mx.example.org", false),
                ("mta-sts.example.org", true),
                ("autoconfig.example.org", true),
                ("autodiscover.example.org", true),
                ("mta-sts.other.example", true),
                ("autoconfig.other.example", true),
                ("autodiscover.other.example", true),
            ]
        );
        assert!(service_names(&domain("localhost"), &[]).is_empty(), "no CA knows it");
    }

    #[test]
    fn names() {
        for (text, expected) in [
            ("mx.example.org", true),
            ("*.example.org", true),
            ("xn--bcher-kva.example", true),
            ("localhost", true),
            ("*.localhost", false),
            ("*", false),
            ("a.*.example", false),
            ("MX.example.org", false),
            ("192.0.2.1", false),
            ("-a.example", false),
            ("a..example", false),
            ("", false),
        ] {
            assert_eq!(is_servable_name(text), expected, "{text}");
        }
        let known = ["*.example.org".to_owned(), "mx.example.net".to_owned()];
        for (text, expected) in [
            ("a.example.org", true),
            ("a.b.example.org", false),
            ("example.org", false),
            ("*.example.org", true),
            ("mx.example.net", true),
        ] {
            assert_eq!(covers(&known, text), expected, "{text}");
        }
    }

    #[test]
    fn waits_double_and_renewals_are_spread() {
        let random = SeededRandom::new(1);
        let minute = Duration::from_mins(1);
        for (failures, minutes) in [(1, 1), (2, 2), (5, 16), (40, 240)] {
            let wait = backoff(failures, minute, minute * 240, &random);
            assert!(wait * 4 >= minute * 3 * minutes && wait * 4 <= minute * 5 * minutes, "{failures}: {wait:?}");
        }
        assert_eq!(longest_wait(None), Duration::from_hours(24));
        assert_eq!(longest_wait(Some(Duration::ZERO)), Duration::from_hours(1));
        assert_eq!(longest_wait(Some(Duration::from_hours(50))), Duration::from_hours(5));
        let (begins, ends) = (at(0), at(90 * 86_400));
        for _ in 0..100 {
            let life = renew_at(begins, ends, &random).since(begins).as_secs() / 3600;
            assert!((1332..=1440).contains(&life), "{life} hours");
        }
    }
}
