//! What other pages ask of the DNS in passing: few questions, each with a limit of time, and none that fails.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use relais_dnscheck::{Data, Kind, is_dmarc, reverse_name};
use relais_model::Domain;
use tokio::time::timeout;

use super::Dns;
use crate::{Actor, Failure};

/// A page waits so long for names.
const PATIENCE: Duration = Duration::from_secs(3);
/// Addresses whose names are asked for at once.
const MOST_NAMES: usize = 50;

impl Dns {
    /// The host names of addresses, where a name leads back to its address; none of those past the fiftieth.
    pub(crate) async fn host_names(&self, addresses: &[Option<IpAddr>]) -> Vec<Option<String>> {
        let asked = addresses.iter().enumerate().map(async |(at, address)| {
            let address = (*address).filter(|_| at < MOST_NAMES)?;
            timeout(PATIENCE, self.host_name(address)).await.ok().flatten()
        });
        join_all(asked).await
    }

    async fn host_name(&self, address: IpAddr) -> Option<String> {
        let look = self.inner.house.as_ref()?.look.as_ref()?;
        let answer = look.public(&reverse_name(address).ok()?, Kind::Ptr).await;
        let name = answer.data().find_map(|data| match data {
            Data::Ptr(target) => Domain::parse(target.as_str()).ok(),
            _ => None,
        })?;
        let kind = if address.is_ipv4() { Kind::A } else { Kind::Aaaa };
        let back = look.public(&name, kind).await;
        back.data().filter_map(Data::ip).any(|found| found == address).then(|| name.to_string())
    }

    /// The texts at a name; none where the DNS doesn't answer in time.
    pub(crate) async fn texts(&self, name: &str) -> Option<Vec<String>> {
        let look = self.inner.house.as_ref()?.look.as_ref()?;
        let name = Domain::parse(name).ok()?;
        let answer = timeout(PATIENCE, look.public(&name, Kind::Txt)).await.ok()?;
        answer.silence().is_none().then(|| answer.texts().map(str::to_owned).collect())
    }

    /// The one DMARC record that stands in the DNS.
    pub(crate) async fn dmarc_text(&self, domain: &Domain) -> Option<String> {
        let texts = self.texts(&format!("_dmarc.{domain}")).await?;
        let mut claiming = texts.into_iter().filter(|text| is_dmarc(text));
        claiming.next().filter(|_| claiming.next().is_none())
    }

    /// Whether an address is this host's.
    pub(crate) async fn is_own(&self, address: IpAddr) -> bool {
        self.addresses().await.contains(&address)
    }

    /// Whether the asker can push records of a domain: a provider's account is known that serves it, and they are an owner.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub(crate) async fn can_push(&self, by: &Actor, domain: &Domain) -> Result<bool, Failure> {
        Ok(by.require(crate::Role::Owner).is_ok() && self.account_known_for(domain).await?.is_some())
    }
}
