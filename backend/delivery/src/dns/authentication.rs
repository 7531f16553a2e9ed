//! The same resolver, as those ask it who look whose mail it is.

use std::net::IpAddr;

use hickory_resolver::proto::rr::{RData, RecordType};
use relais_msgauth::{Answering, Family, Lack, Resolver};

use super::DnsResolver;
use crate::ports::LookupError;

impl DnsResolver {
    /// All that `pick` takes of the records at `name`; with the last dot, so that no search list of the machine is tried.
    async fn records<T>(
        &self,
        name: &str,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, Lack> {
        let heard = self.look_up(&format!("{name}."), kind).await.map_err(|error| match error {
            LookupError::NoSuchDomain => Lack::NoSuchName,
            LookupError::NoRecords => Lack::NoData,
            LookupError::Temporary(_) | LookupError::Bogus => Lack::Silence,
        })?;
        let records: Vec<T> = heard.records.iter().filter_map(|record| pick(&record.data)).collect();
        if records.is_empty() { Err(Lack::NoData) } else { Ok(records) }
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
