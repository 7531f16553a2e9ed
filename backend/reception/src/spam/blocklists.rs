//! DNS blocklists of addresses and of domains (RFC 5782), those that the owner has chosen.
//!
//! About a host they are asked while it speaks ([`Lists`]); about domains when its message is there.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, join_all};
use relais_model::{Domain, EnhancedCode, Reply};
use relais_msgauth::{Family, Resolver};
use relais_store::Settings;
use tokio::time::timeout;

/// Domains of one message that lists are asked about, at most.
pub(super) const MAX_DOMAINS: usize = 20;
/// A list that says nothing for so long names nobody: a visitor may wait for it at RCPT.
const PATIENCE: Duration = Duration::from_secs(5);
/// Letters of a list's own words that are passed on.
const MAX_REASON: usize = 200;

/// What leads everywhere, and is named in good mail and junk alike. No list names them, and none needs to know who writes of them.
const WIDELY_KNOWN: [&str; 16] = [
    "amazon.com",
    "apple.com",
    "facebook.com",
    "github.com",
    "google.com",
    "googleapis.com",
    "gstatic.com",
    "instagram.com",
    "linkedin.com",
    "microsoft.com",
    "office.com",
    "twitter.com",
    "w3.org",
    "wikipedia.org",
    "x.com",
    "youtube.com",
];

/// A list names somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Which list.
    pub(crate) list: Domain,
    /// Whom.
    pub(crate) named: String,
    /// A link in the message leads there.
    pub(crate) is_link: bool,
    /// Why, in the list's own words.
    pub(crate) reason: Option<String>,
}

/// Which lists name a visitor: asked while they speak. Whoever waits for the answer, or [`Lists::known`]'s caller beside other work, carries it on; it is
/// asked for once.
#[derive(Clone)]
pub struct Lists(Shared<BoxFuture<'static, Arc<[Listing]>>>);

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lists").field(&self.0.peek()).finish()
    }
}

impl Lists {
    /// Asks the lists that are set, those whose word is enough for a refusal for their reasons, too.
    pub(crate) fn ask(resolver: Arc<dyn Resolver>, settings: &Settings, peer: IpAddr) -> Self {
        let refusing = settings.junk_refusing_blocklists.as_slice().to_vec();
        let mut lists = refusing.clone();
        lists.extend(settings.junk_blocklists.as_slice().iter().filter(|list| !refusing.contains(list)).cloned());
        let asking = async move {
            let reversed = reversed(peer);
            let asked = lists.iter().map(async |list| {
                let question = format!("{reversed}.{list}");
                let about = (list, peer.to_string(), false);
                let mut listing = listing(&*resolver, about, &question).await?;
                if refusing.contains(list) {
                    listing.reason = reason(&*resolver, &question).await;
                }
                Some(listing)
            });
            join_all(asked).await.into_iter().flatten().collect::<Arc<[Listing]>>()
        };
        Self(asking.boxed().shared())
    }

    /// Waits until the lists have answered. Cancel-safe: what was asked goes on with whoever waits next.
    pub async fn wait(&self) {
        self.known().await;
    }

    /// Whether all have answered.
    pub fn is_known(&self) -> bool {
        self.0.peek().is_some()
    }

    pub(crate) async fn known(&self) -> Arc<[Listing]> {
        self.0.clone().await
    }
}

/// What a visitor hears whom a list names, where the list's word is enough.
pub(crate) fn refusal(listing: &Listing, contact: &str) -> Reply {
    let Listing { list, named, reason, .. } = listing;
    let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let text = format!("The blocklist {list} names {named}{reason}; if it is wrong, ask there, or write to {contact}");
    Reply::new(550, EnhancedCode::new(5, 7, 1), text)
}

/// Which lists name a domain of the message: those of its senders, or those where its links lead.
pub(crate) async fn of_domains(
    resolver: &dyn Resolver,
    lists: &[Domain],
    senders: &[Domain],
    links: &[Domain],
) -> Vec<Listing> {
    let named = senders.iter().map(|domain| (domain, false)).chain(links.iter().map(|domain| (domain, true)));
    let questions = named.take(MAX_DOMAINS).flat_map(|(domain, is_link)| {
        lists.iter().map(move |list| ((list, domain.to_string(), is_link), format!("{domain}.{list}")))
    });
    let asked = questions.map(async |(about, question)| listing(resolver, about, &question).await);
    join_all(asked).await.into_iter().flatten().collect()
}

/// The domains that somebody registered for these hosts, each once, without our own, those of senders, who are asked about anyway, and what is widely known.
pub(super) fn of_links<'a>(hosts: impl Iterator<Item = &'a str>, others: &[Domain]) -> Vec<Domain> {
    let registered = |name: &'a str| relais_msgauth::registrable(name).and_then(|name| Domain::parse(name).ok());
    let is_other = |domain: &Domain| {
        others.iter().any(|other| relais_msgauth::registrable(other.as_str()) == Some(domain.as_str()))
    };
    let mut domains = Vec::new();
    for domain in hosts.filter(|host| host.parse::<IpAddr>().is_err()).filter_map(registered) {
        if !WIDELY_KNOWN.contains(&domain.as_str()) && !is_other(&domain) && !domains.contains(&domain) {
            domains.push(domain);
        }
        if domains.len() == MAX_DOMAINS {
            break;
        }
    }
    domains
}

/// A list that doesn't answer names nobody.
async fn listing(
    resolver: &dyn Resolver,
    (list, named, is_link): (&Domain, String, bool),
    question: &str,
) -> Option<Listing> {
    let answers = timeout(PATIENCE, resolver.addresses(question, Family::V4)).await.ok()?.ok()?;
    answers.iter().any(means_listed).then(|| Listing { list: list.clone(), named, is_link, reason: None })
}

/// RFC 5782 §2.1: a TXT record says why; only what a reply may hold is passed on.
async fn reason(resolver: &dyn Resolver, question: &str) -> Option<String> {
    let texts = timeout(PATIENCE, resolver.txt(question)).await.ok()?.ok()?;
    let text = String::from_utf8_lossy(texts.first()?).into_owned();
    let plain: String = text.chars().filter(|letter| (' '..='~').contains(letter)).take(MAX_REASON).collect();
    Some(plain).filter(|plain| !plain.trim().is_empty())
}

/// RFC 5782 §2.1: entries are in 127.0.0.0/8. By custom 127.255.255.0/24 says that the list doesn't serve us.
fn means_listed(answer: &IpAddr) -> bool {
    matches!(answer, IpAddr::V4(answer) if matches!(answer.octets(), [127, second, third, _] if (second, third) != (255, 255)))
}

/// RFC 5782 §2.1 and §2.4: octets, or nibbles, the last first.
fn reversed(peer: IpAddr) -> String {
    match peer.to_canonical() {
        IpAddr::V4(peer) => {
            let [a, b, c, d] = peer.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(peer) => {
            let nibbles = peer.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
        }
    }
}

#[cfg(test)]
mod tests {
    use relais_msgauth::testing::Zone;

    use super::*;

    fn domain(name: &str) -> Domain {
        Domain::parse(name).unwrap()
    }

    fn zone() -> Zone {
        let mut zone =
            Zone::new().with_txt("1.2.0.192.sure.lists.example", "Sends junk,\u{7} see http://sure.example/192.0.2.1");
        let mut list = |name: &str, answer: &str| zone.add_address(name, answer.parse().unwrap());
        list("1.2.0.192.ip.lists.example", "127.0.0.4");
        list("1.2.0.192.sure.lists.example", "127.0.0.2");
        list("bad.example.dom.lists.example", "127.0.1.2");
        list("linked.co.uk.dom.lists.example", "127.0.1.2");
        list("1.2.0.192.closed.lists.example", "127.255.255.254");
        list("1.2.0.192.parked.lists.example", "203.0.113.9");
        zone
    }

    #[tokio::test]
    async fn lists_are_asked_about_a_host_as_rfc_5782_says() {
        let mut settings = Settings::default();
        settings.set("junk.blocklists", "ip.lists.example, closed.lists.example, parked.lists.example").unwrap();
        settings.set("junk.refusing_blocklists", "sure.lists.example").unwrap();
        let lists = Lists::ask(Arc::new(zone()), &settings, "192.0.2.1".parse().unwrap());
        assert!(!lists.is_known());
        let found = lists.known().await;
        assert!(lists.is_known());
        let names: Vec<_> = found.iter().map(|found| (found.list.as_str(), found.named.as_str())).collect();
        assert_eq!(names, [("sure.lists.example", "192.0.2.1"), ("ip.lists.example", "192.0.2.1")]);
        assert_eq!(found[1].reason, None, "only a list that refuses is asked why");
        assert_eq!(
            refusal(&found[0], "postmaster@mx.example").to_string().trim_end(),
            "550 5.7.1 The blocklist sure.lists.example names 192.0.2.1 (Sends junk, see http://sure.example/192.0.2.1); \
             if it is wrong, ask there, or write to postmaster@mx.example"
        );
    }

    #[tokio::test]
    async fn lists_are_asked_about_domains() {
        let lists = [domain("dom.lists.example")];
        let (senders, links) = (["good.example", "bad.example"].map(domain), [domain("linked.co.uk")]);
        let found = of_domains(&zone(), &lists, &senders, &links).await;
        let found: Vec<_> = found.iter().map(|found| (found.named.as_str(), found.is_link)).collect();
        assert_eq!(found, [("bad.example", false), ("linked.co.uk", true)]);
    }

    #[test]
    fn links_are_asked_about_by_what_somebody_registered() {
        let ours = [domain("mail.example.org")];
        for (hosts, expected) in [
            (vec!["a.b.linked.co.uk", "linked.co.uk", "x.linked.co.uk"], vec!["linked.co.uk"]),
            (vec!["www.google.com", "fonts.gstatic.com", "www.example.org"], vec![]),
            (vec!["one.github.io", "two.github.io"], vec!["one.github.io", "two.github.io"]),
            (vec!["co.uk", "localhost", "192.0.2.1"], vec![]),
        ] {
            let found = of_links(hosts.iter().copied(), &ours);
            assert_eq!(found.iter().map(Domain::as_str).collect::<Vec<_>>(), expected, "{hosts:?}");
        }
        let many: Vec<String> = (0..100).map(|number| format!("n{number}.example")).collect();
        assert_eq!(of_links(many.iter().map(String::as_str), &[]).len(), MAX_DOMAINS);
    }

    #[test]
    fn addresses_stand_backwards() {
        assert_eq!(reversed("192.0.2.99".parse().unwrap()), "99.2.0.192");
        assert_eq!(
            reversed("2001:db8:1:2:3:4:567:89ab".parse().unwrap()),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2"
        );
    }
}
