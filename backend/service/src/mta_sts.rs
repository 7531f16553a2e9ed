//! How other hosts are to reach us (MTA-STS, RFC 8461): a policy that they fetch over HTTPS, and an id in the DNS that tells them
//! when it has changed.

use relais_model::{Address, Domain, LocalPart};
use relais_store::{Route, Settings};

use crate::{Failure, Service};

/// Letters of a policy's id: as many as RFC 8461 §3.1 allows.
const ID_LETTERS: usize = 32;

/// The policy of a domain's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MtaStsPolicy {
    /// For `_mta-sts.DOMAIN TXT "v=STSv1; id=…"`: digits and letters, another for another text and the same for the same.
    pub id: String,
    /// What `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` says (RFC 8461 §3.2), in lines that end in CRLF.
    pub text: String,
}

impl MtaStsPolicy {
    /// With the mode and the age of `settings`; mail goes to `mx` alone, with A-labels.
    ///
    /// Mode `none` is told too: that is how hosts that still keep an older policy learn that it is over (RFC 8461 §8.3).
    #[must_use]
    pub fn of(settings: &Settings, mx: &Domain) -> Self {
        let (mode, max_age) = (&settings.mta_sts_mode, settings.mta_sts_max_age.as_secs());
        let text = format!("version: STSv1\r\nmode: {mode}\r\nmx: {}\r\nmax_age: {max_age}\r\n", mx.as_str());
        let hash = blake3::hash(text.as_bytes()).to_hex();
        Self { id: hash.chars().take(ID_LETTERS).collect(), text }
    }
}

impl Service {
    /// The policy of `domain`, whose mail comes to the host `mx`; none where the house takes no mail for it.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn mta_sts(&self, domain: &Domain, mx: &Domain) -> Result<Option<MtaStsPolicy>, Failure> {
        Ok(self.serves(domain).await?.then(|| MtaStsPolicy::of(&self.store.settings(), mx)))
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

    fn of(mode: &str, days: u64) -> MtaStsPolicy {
        let mta_sts_max_age = Duration::from_hours(24 * days);
        let settings = Settings { mta_sts_mode: mode.to_owned(), mta_sts_max_age, ..Settings::default() };
        MtaStsPolicy::of(&settings, &Domain::parse("mx.bücher.example").unwrap())
    }

    #[test]
    fn the_policy_is_four_lines() {
        let expected = "version: STSv1\r\nmode: enforce\r\nmx: mx.xn--bcher-kva.example\r\nmax_age: 604800\r\n";
        assert_eq!(of("enforce", 7).text, expected);
    }

    #[test]
    fn another_policy_has_another_id() {
        let id = of("testing", 7).id;
        assert!(id.len() == 32 && id.bytes().all(|octet| octet.is_ascii_alphanumeric()), "{id}");
        assert_eq!(of("testing", 7).id, id);
        assert_ne!(of("enforce", 7).id, id);
        assert_ne!(of("testing", 8).id, id);
    }
}
