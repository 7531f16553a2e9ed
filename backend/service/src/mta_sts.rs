//! How other hosts are to reach us (MTA-STS, RFC 8461): a policy that they fetch over HTTPS, and an id in the DNS that tells them
//! when it has changed.

use relais_dnscheck::{StsMode, StsPolicy};
use relais_model::{Address, Domain, LocalPart};
use relais_store::{Route, Settings};
use sha2::{Digest as _, Sha256};

use crate::{Failure, Service};

/// Octets of a policy's hash in its id, which has at most 32 digits (RFC 8461 §3.1).
const ID_OCTETS: usize = 10;

/// The policy with the mode and the age of `settings`; mail goes to `mx` alone.
///
/// Mode `none` is told too: that is how hosts that still keep an older policy learn that it is over (RFC 8461 §8.3).
pub(crate) fn policy(settings: &Settings, mx: &Domain) -> StsPolicy {
    let mode = StsMode::parse(&settings.mta_sts_mode).unwrap_or(StsMode::Testing);
    let max_age = u32::try_from(settings.mta_sts_max_age.as_secs()).unwrap_or(u32::MAX);
    StsPolicy { mode, mx: vec![mx.to_string()], max_age }
}

/// For `_mta-sts.DOMAIN TXT "v=STSv1; id=…"`: another for another policy, the same for the same.
pub(crate) fn policy_id(policy: &StsPolicy) -> String {
    let hash = Sha256::digest(policy.to_string());
    data_encoding::HEXLOWER.encode(hash.get(..ID_OCTETS).unwrap_or_default())
}

impl Service {
    /// The policy of `domain`, whose mail comes to the host `mx`; none where the house takes no mail for it.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn mta_sts(&self, domain: &Domain, mx: &Domain) -> Result<Option<StsPolicy>, Failure> {
        Ok(self.serves(domain).await?.then(|| policy(&self.store.settings(), mx)))
    }

    /// Whether mail for this domain is taken here: it, or a domain whose other name it is, is ours and not disabled.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn serves(&self, domain: &Domain) -> Result<bool, Failure> {
        // RFC 5321 §4.5.1: whatever domain it is, this address leads somewhere. Strangers ask this, and the route is remembered.
        let local_part = LocalPart::parse("postmaster").map_err(|_| Failure::Failed)?;
        let route = self.store.route(&Address { local_part, domain: domain.clone() }).await?;
        Ok(!matches!(route, Route::NotLocal | Route::Disabled))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(mode: &str, days: u64) -> StsPolicy {
        let mta_sts_max_age = Duration::from_hours(24 * days);
        let settings = Settings { mta_sts_mode: mode.to_owned(), mta_sts_max_age, ..Settings::default() };
        policy(&settings, &Domain::parse("mx.bücher.example").unwrap())
    }

    #[test]
    fn the_policy_is_four_lines() {
        let expected = "version: STSv1\r\nmode: enforce\r\nmx: mx.xn--bcher-kva.example\r\nmax_age: 604800\r\n";
        assert_eq!(of("enforce", 7).to_string(), expected);
    }

    #[test]
    fn another_policy_has_another_id() {
        let id = policy_id(&of("testing", 7));
        assert!(id.len() == 20 && id.bytes().all(|octet| octet.is_ascii_alphanumeric()), "{id}");
        assert_eq!(policy_id(&of("testing", 7)), id);
        assert_ne!(policy_id(&of("enforce", 7)), id);
        assert_ne!(policy_id(&of("testing", 8)), id);
    }
}
