//! The same resolver, as those ask it who look whose mail it is.

use std::net::IpAddr;

use hickory_resolver::proto::rr::{RData, RecordType};
use relais_msgauth::{Answering, Family, Lack, Resolver};
use tokio::time::Instant;

use super::held::Answer;
use super::{DnsResolver, Heard, Unheard};
use crate::ports::LookupError;

impl DnsResolver {
    /// All that `pick` takes of the records at `name`; with the last dot, so that no search list of the machine is tried.
    async fn records<T>(
        &self,
        name: &str,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, Lack> {
        let question = (kind, format!("{}.", name.to_ascii_lowercase()));
        let held = self.held.get(&question, Instant::now());
        let records: Vec<T> = match held {
            Some(answer) => answer,
            None => self.answer(question).await,
        }?
        .iter()
        .filter_map(pick)
        .collect();
        if records.is_empty() { Err(Lack::NoData) } else { Ok(records) }
    }

    /// What the DNS says, which is held from now on.
    async fn answer(&self, question: (RecordType, String)) -> Answer {
        let heard = self.hear(&question.1, question.0).await;
        let now = Instant::now();
        let (answer, until) = match heard {
            Ok(Heard { records, until, .. }) => (Ok(records.into_iter().map(|record| record.data).collect()), until),
            Err(Unheard { error, holds_for }) => {
                let lack = match error {
                    LookupError::NoSuchDomain => Lack::NoSuchName,
                    LookupError::NoRecords => Lack::NoData,
                    LookupError::Temporary(_) | LookupError::Bogus => Lack::Silence,
                };
                (Err(lack), now + holds_for)
            }
        };
        self.held.put(question, &answer, (now, until));
        answer
    }
}

impl Resolver for DnsResolver {
    fn txt<'a>(&'a self, name: &'a str) -> Answering<'a, Result<Vec<Vec<u8>>, Lack>> {
        Box::pin(self.records(name, RecordType::TXT, |data| match data {
            RData::TXT(text) => Some(text.txt_data.concat()),
            _ => None,
        }))
    }

    fn addresses<'a>(&'a self, name: &'a str, family: Family) -> Answering<'a, Result<Vec<IpAddr>, Lack>> {
        let kind = match family {
            Family::V4 => RecordType::A,
            Family::V6 => RecordType::AAAA,
        };
        Box::pin(self.records(name, kind, RData::ip_addr))
    }

    fn mx<'a>(&'a self, name: &'a str) -> Answering<'a, Result<Vec<String>, Lack>> {
        Box::pin(async move {
            let exchange = |data: &RData| match data {
                RData::MX(mx) => Some((mx.preference, bare(&mx.exchange.to_ascii()))),
                _ => None,
            };
            let mut found = self.records(name, RecordType::MX, exchange).await?;
            found.sort_by_key(|(preference, _)| *preference);
            Ok(found.into_iter().map(|(_, exchange)| exchange).collect())
        })
    }

    fn ptr(&self, address: IpAddr) -> Answering<'_, Result<Vec<String>, Lack>> {
        Box::pin(async move {
            let name = hickory_resolver::proto::rr::Name::from(address).to_ascii();
            self.records(&bare(&name), RecordType::PTR, |data| match data {
                RData::PTR(name) => Some(bare(&name.0.to_ascii())),
                _ => None,
            })
            .await
        })
    }
}

/// Without the last dot.
fn bare(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_owned()
}
