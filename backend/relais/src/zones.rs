//! DNS-01 (RFC 8555 §8.4): proofs go into zones through the accounts at DNS providers, and count as there once all of the zone's own
//! servers show them.

use std::fmt;
use std::sync::Arc;

use relais_certs::{Doing, TxtError, TxtPublisher, TxtWatch};
use relais_dnscheck::provider::Publisher;
use relais_dnscheck::{Kind, Look};
use relais_model::Domain;

/// Finds the account whose zones hold a name; none where no account has them.
pub(crate) type FindAccount = dyn for<'a> Fn(&'a str) -> Doing<'a, Option<Arc<Publisher>>> + Send + Sync;

/// The zones that the house may write into.
pub(crate) struct Zones {
    find: Box<FindAccount>,
}

impl fmt::Debug for Zones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zones").finish_non_exhaustive()
    }
}

impl Zones {
    /// Of the accounts that `find` knows. It gives the same [`Publisher`] for one account each time: that one lets its writes wait for
    /// each other.
    pub(crate) fn new(find: Box<FindAccount>) -> Self {
        Self { find }
    }

    async fn account(&self, name: &str) -> Result<Arc<Publisher>, TxtError> {
        let found = (self.find)(name).await;
        found.ok_or_else(|| TxtError(format!("no account at a DNS provider has a zone that holds {name}")))
    }
}

impl TxtPublisher for Zones {
    fn serves<'a>(&'a self, name: &'a str) -> Doing<'a, bool> {
        // A name with a star is proved at its parent.
        Box::pin(async move { (self.find)(name.strip_prefix("*.").unwrap_or(name)).await.is_some() })
    }

    fn publish<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, Result<(), TxtError>> {
        Box::pin(async move {
            let account = self.account(name).await?;
            account.publish_txt(name, value).await.map_err(|error| TxtError(error.to_string()))
        })
    }

    fn remove<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, Result<(), TxtError>> {
        Box::pin(async move {
            let account = self.account(name).await?;
            account.remove_txt(name, value).await.map_err(|error| TxtError(error.to_string()))
        })
    }
}

/// Asks the servers of a zone themselves: a resolver would remember that nothing was there.
#[derive(Debug)]
pub(crate) struct OwnServers(pub(crate) Arc<dyn Look>);

impl TxtWatch for OwnServers {
    fn shows<'a>(&'a self, name: &'a str, value: &'a str) -> Doing<'a, bool> {
        Box::pin(async move {
            let Ok(domain) = Domain::parse(name) else { return false };
            let answers = self.0.authoritative(&domain, Kind::Txt).await;
            // The CA asks any of them.
            !answers.is_empty() && answers.iter().all(|one| one.answer.texts().any(|text| text == value))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use std::time::Duration;

    use relais_dnscheck::provider::{Asking, Change, Contents, Provider, ProviderKind, RecordSet, Zone};
    use relais_dnscheck::{Answer, Answering, Data, Lack, Proof, Record, ServerAnswer, Target};

    use super::*;

    /// A provider with one zone, in memory.
    #[derive(Debug, Default, Clone)]
    struct Memory(Arc<Mutex<Vec<RecordSet>>>);

    impl Provider for Memory {
        fn kind(&self) -> ProviderKind {
            ProviderKind::parse("rfc2136").unwrap()
        }

        fn zone<'a>(&'a self, name: &'a str) -> Asking<'a, Option<Zone>> {
            let zone = Zone { name: name.to_owned(), key: String::new(), least_ttl: 60 };
            Box::pin(async move { Ok((name == "example.org").then_some(zone)) })
        }

        fn read<'a>(&'a self, _zone: &'a Zone, _names: &'a BTreeSet<String>) -> Asking<'a, Contents> {
            let sets = self.0.lock().unwrap().clone();
            Box::pin(async move { Ok(Contents { sets, ..Contents::default() }) })
        }

        fn write<'a>(&'a self, _zone: &'a Zone, changes: &'a [Change]) -> Asking<'a, ()> {
            let mut sets = self.0.lock().unwrap();
            for change in changes {
                sets.retain(|set| set.key() != change.key());
                sets.extend(change.after.clone());
            }
            Box::pin(async { Ok(()) })
        }

        fn has_kind(&self, _kind: &str) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn proofs_go_into_the_zone_of_the_account_that_has_it() {
        let zone = Memory::default();
        let account = Arc::new(Publisher::new(Box::new(zone.clone())));
        let zones = Zones::new(Box::new(move |name| {
            let account = Arc::clone(&account);
            Box::pin(async move { account.zone(name).await.is_ok().then_some(account) })
        }));
        for (name, expected) in [("*.example.org", true), ("a.b.example.org", true), ("example.net", false)] {
            assert_eq!(zones.serves(name).await, expected, "{name}");
        }
        let name = "_acme-challenge.example.org";
        // A name with a star and its parent are proved at one place, by two records.
        zones.publish(name, "one").await.unwrap();
        zones.publish(name, "two").await.unwrap();
        let values =
            |zone: &Memory| zone.0.lock().unwrap().iter().flat_map(|set| set.values.clone()).collect::<Vec<_>>();
        assert_eq!(values(&zone), ["\"one\"", "\"two\""]);
        zones.remove(name, "one").await.unwrap();
        assert_eq!(values(&zone), ["\"two\""]);
        zones.remove(name, "two").await.unwrap();
        assert_eq!(values(&zone), Vec::<String>::new());
        let refused = zones.publish("_acme-challenge.example.net", "one").await;
        assert!(refused.unwrap_err().0.contains("_acme-challenge.example.net"));
    }

    /// Servers, each with the texts that it shows; none: it is silent.
    #[derive(Debug)]
    struct Servers(Vec<Option<Vec<&'static str>>>);

    impl Look for Servers {
        fn public<'a>(&'a self, _name: &'a Domain, _kind: Kind) -> Answering<'a, Answer> {
            unreachable!("a resolver remembers")
        }

        fn authoritative<'a>(&'a self, name: &'a Domain, _kind: Kind) -> Answering<'a, Vec<ServerAnswer>> {
            let answer = |texts: &Option<Vec<&str>>| ServerAnswer {
                server: Target::new("ns.example.org"),
                answer: Answer {
                    records: texts.as_ref().ok_or(Lack::Timeout).map(|texts| {
                        let record = |text: &&str| Record {
                            owner: Target::new(name.as_str()),
                            ttl: 60,
                            data: Data::Txt((*text).to_owned()),
                        };
                        texts.iter().map(record).collect()
                    }),
                    aliases: Vec::new(),
                    proof: Proof::Indeterminate,
                    took: Duration::ZERO,
                },
            };
            let answers = self.0.iter().map(answer).collect();
            Box::pin(async move { answers })
        }
    }

    #[tokio::test]
    async fn a_proof_is_there_once_all_servers_show_it() {
        for (servers, expected) in [
            (vec![], false),
            (vec![Some(vec!["other", "value"])], true),
            (vec![Some(vec!["value"]), Some(vec!["other"])], false),
            (vec![Some(vec!["value"]), None], false),
            (vec![Some(vec!["value"]), Some(vec!["value"])], true),
        ] {
            let shown = format!("{servers:?}");
            let watch = OwnServers(Arc::new(Servers(servers)));
            assert_eq!(watch.shows("_acme-challenge.example.org", "value").await, expected, "{shown}");
        }
    }
}
