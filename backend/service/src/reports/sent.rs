//! What others are told of a day: fresh from their records whom to tell, from the store what.

use std::collections::BTreeMap;
use std::time::Duration;

use relais_model::{Address, Timestamp};
use relais_msgauth::Lack;
use relais_msgauth::dmarc::{DmarcRecord, destinations, mailto_addresses};
use relais_msgauth::report::{
    AggregateReport, AggregateRow, Mailing, PublishedPolicy, TlsFailure, TlsPolicyReport, TlsPolicyType, TlsReport,
    may_report_to,
};
use relais_store::{Acceptance, Networks, ReportDue, StoreError, TlsResult, TlsResultCount};
use url::Url;

use super::clerk::Clerk;
use crate::webhooks::Parcel;

/// Addresses of one record that are written to.
const MOST_DESTINATIONS: usize = 5;
const DAY: Duration = Duration::from_hours(24);

/// Where reports on TLS go (RFC 8460 §3).
#[derive(Debug, Default, PartialEq, Eq)]
struct TlsDestinations {
    mail: Vec<Address>,
    web: Vec<Url>,
}

impl Clerk {
    /// Sends what is due of the days before `today`; tells how many reports were queued or posted. What the DNS owes an answer for is due again.
    ///
    /// # Errors
    /// [`StoreError`]: the rest is still due.
    pub async fn send_due(&self, today: Timestamp) -> Result<usize, StoreError> {
        // What is too old goes, also where nothing is counted.
        self.store.count_dmarc(Vec::new()).await?;
        if !self.store.settings().trust_send_reports {
            return Ok(0);
        }
        let mut sent = 0;
        for due in self.store.dmarc_due(today).await? {
            sent += self.tell_of_mail(&due).await?;
        }
        for due in self.store.tls_due(today).await? {
            sent += self.tell_of_tls(&due).await?;
        }
        Ok(sent)
    }

    async fn tell_of_mail(&self, due: &ReportDue) -> Result<usize, StoreError> {
        let domain = due.domain.as_str();
        let texts = match self.resolver.txt(&format!("_dmarc.{domain}")).await {
            Ok(texts) => texts,
            Err(Lack::Silence) => return Ok(0),
            Err(Lack::NoSuchName | Lack::NoData) => Vec::new(),
        };
        let mut records = texts.iter().filter_map(|text| Some((DmarcRecord::parse(text)?, text)));
        // RFC 9989 §4.10.1: several records are as none.
        let (Some((record, text)), None) = (records.next(), records.next()) else {
            self.store.drop_dmarc(due).await?;
            return Ok(0);
        };
        let lines = self.store.dmarc_lines(due).await?;
        let report = AggregateReport {
            organization: self.host.to_string(),
            contact: self.from.to_string(),
            // One number for one day and domain: what goes twice is known as a double.
            id: format!("{}.{domain}", due.day.seconds()),
            begin: due.day,
            end: due.day.plus(DAY).minus(Duration::from_secs(1)),
            policy: PublishedPolicy::of(domain, &record),
            rows: lines.iter().filter_map(|(line, count)| AggregateRow::read_line(line, *count)).collect(),
            rows_left_out: 0,
        };
        let now = self.store.now();
        let mut letters: Vec<Acceptance> = Vec::new();
        for (to, most_octets) in destinations(text).into_iter().take(MOST_DESTINATIONS) {
            if report.rows.is_empty() || !may_report_to(&*self.resolver, &due.domain, &to).await {
                continue;
            }
            let mailing = Mailing { from: &self.from, to: &to, host: self.host.as_str(), now };
            match report.write_message(&mailing, &*self.random) {
                Ok(raw) if most_octets.is_some_and(|most| most < raw.len() as u64) => {
                    tracing::info!(domain, size_octets = raw.len(), "a report is larger than its receiver takes");
                }
                Ok(raw) => letters.extend(self.letter(&to, raw, now).await?),
                Err(error) => tracing::error!(%error, domain, "a report can't be written"),
            }
        }
        let sent = letters.len();
        self.queue(letters).await?;
        self.store.drop_dmarc(due).await?;
        tracing::debug!(domain, sent, "told how mail with their name came out");
        Ok(sent)
    }

    async fn tell_of_tls(&self, due: &ReportDue) -> Result<usize, StoreError> {
        let domain = due.domain.as_str();
        let texts = match self.resolver.txt(&format!("_smtp._tls.{domain}")).await {
            Ok(texts) => texts,
            Err(Lack::Silence) => return Ok(0),
            Err(Lack::NoSuchName | Lack::NoData) => Vec::new(),
        };
        let Some(destinations) = tls_destinations(&texts) else {
            self.store.drop_tls_results(due).await?;
            return Ok(0);
        };
        let report = TlsReport {
            organization: self.host.to_string(),
            contact: self.from.to_string(),
            id: format!("{}.{domain}", due.day.seconds()),
            begin: due.day,
            end: due.day.plus(DAY).minus(Duration::from_secs(1)),
            policies: self.policies(due).await?,
        };
        let (mut sent, mut failed) = (0, 0);
        for url in destinations.web {
            let Ok(body) = report.write_json() else { continue };
            // RFC 8460 §5.4; §6.5: also where the certificate is a wrong one, but nobody needs to know of our mail who isn't the owner.
            let headers = vec![("content-type", "application/tlsrpt+json".to_owned())];
            match self.courier.post(Parcel { url, headers, body, allowed: Networks::default() }).await {
                Ok(200..=299) => sent += 1,
                outcome => {
                    failed += 1;
                    tracing::info!(domain, ?outcome, "a report on TLS was not taken");
                }
            }
        }
        let now = self.store.now();
        let mut letters = Vec::new();
        for to in destinations.mail {
            let mailing = Mailing { from: &self.from, to: &to, host: self.host.as_str(), now };
            match report.write_message(domain, &mailing, &*self.random) {
                Ok(raw) => letters.extend(self.letter(&to, raw, now).await?),
                Err(error) => tracing::error!(%error, domain, "a report on TLS can't be written"),
            }
        }
        sent += letters.len();
        if sent == 0 && failed > 0 {
            return Ok(0);
        }
        self.queue(letters).await?;
        self.store.drop_tls_results(due).await?;
        tracing::debug!(domain, sent, "told how TLS came out");
        Ok(sent)
    }

    async fn queue(&self, letters: Vec<Acceptance>) -> Result<(), StoreError> {
        if !letters.is_empty() {
            self.store.accept_all(letters).await?;
        }
        Ok(())
    }

    /// What was counted, a policy each (RFC 8460 §4.4).
    async fn policies(&self, due: &ReportDue) -> Result<Vec<TlsPolicyReport>, StoreError> {
        let mut policies: BTreeMap<&'static str, TlsPolicyReport> = BTreeMap::new();
        let counts = self.store.tls_results_of(due).await?;
        for TlsResultCount { key, sessions } in counts {
            let policy = policies.entry(key.policy_type.as_str()).or_insert_with(|| TlsPolicyReport {
                kind: kind(key.policy_type),
                lines: Vec::new(),
                domain: due.domain.to_string(),
                hosts: Vec::new(),
                successes: 0,
                failures: 0,
                details: Vec::new(),
            });
            if key.result == TlsResult::Success {
                policy.successes = policy.successes.saturating_add(sessions);
                continue;
            }
            policy.failures = policy.failures.saturating_add(sessions);
            policy.details.push(TlsFailure {
                kind: key.result.as_str().to_owned(),
                receiving_host: key.mx_host.map(|host| host.to_string()).unwrap_or_default(),
                count: sessions,
                ..TlsFailure::default()
            });
        }
        if let Some(sts) = policies.get_mut("sts")
            && let Some(entry) = self.store.sts_policies().await?.into_iter().find(|entry| entry.domain == due.domain)
        {
            sts.lines = entry.policy.lines().map(str::to_owned).collect();
            let host = |line: &str| line.strip_prefix("mx:").map(|host| host.trim().to_owned());
            sts.hosts = entry.policy.lines().filter_map(host).collect();
        }
        Ok(policies.into_values().collect())
    }
}

const fn kind(kind: relais_store::TlsPolicyType) -> TlsPolicyType {
    match kind {
        relais_store::TlsPolicyType::Tlsa => TlsPolicyType::Tlsa,
        relais_store::TlsPolicyType::Sts => TlsPolicyType::Sts,
        relais_store::TlsPolicyType::NoPolicyFound => TlsPolicyType::NoPolicyFound,
    }
}

/// Of the one record that claims to be one; none where there is none, or several (RFC 8460 §3).
fn tls_destinations(texts: &[Vec<u8>]) -> Option<TlsDestinations> {
    let mut records = texts.iter().filter_map(|text| str::from_utf8(text).ok()).filter(|text| {
        let version = text.split(';').next().unwrap_or_default();
        version.split_once('=').is_some_and(|(name, value)| (name.trim(), value.trim()) == ("v", "TLSRPTv1"))
    });
    let (record, None) = (records.next()?, records.next()) else { return None };
    let tag =
        |part: &str| part.split_once('=').filter(|(name, _)| name.trim() == "rua").map(|(_, list)| list.to_owned());
    let list = record.split(';').find_map(tag)?;
    let uris: Vec<String> = list.split(',').map(|uri| uri.trim().to_owned()).take(MOST_DESTINATIONS).collect();
    let web = uris.iter().filter_map(|uri| Url::parse(uri).ok().filter(|url| url.scheme() == "https")).collect();
    let found = TlsDestinations { mail: mailto_addresses(&uris), web };
    (found != TlsDestinations::default()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_on_tls_name_addresses_and_doors() {
        let check = |texts: &[&str], expected: Option<(&[&str], &[&str])>| {
            let texts: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
            let found = tls_destinations(&texts).map(|found| {
                let mail: Vec<String> = found.mail.iter().map(ToString::to_string).collect();
                (mail, found.web.iter().map(ToString::to_string).collect::<Vec<_>>())
            });
            let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            assert_eq!(found, expected.map(|(mail, web)| (owned(mail), owned(web))), "{texts:?}");
        };
        check(&["v=TLSRPTv1; rua=mailto:t@d.example"], Some((&["t@d.example"], &[])));
        check(
            &["other", "v=TLSRPTv1;rua=https://r.example/tls,mailto:t@d.example;"],
            Some((&["t@d.example"], &["https://r.example/tls"])),
        );
        check(&["v=TLSRPTv1; rua=http://r.example/"], None);
        check(&["v=TLSRPTv1; rua=mailto:t@d.example", "v=TLSRPTv1; rua=mailto:u@d.example"], None);
        check(&["v=TLSRPTv2; rua=mailto:t@d.example"], None);
        check(&[], None);
    }
}
