//! Writing into zones: shown first, done as it was shown, written down, undone.

use relais_dnscheck::provider::{Change, Fate, Hindrance, Plan, ProviderError, Publisher, Pushed, Receipt, Wish};
use relais_dnscheck::{Data, Purpose, Wanted, wishes};
use relais_model::Domain;
use relais_store::{Author, DnsAccountEntry, DnsPushEntry, DnsPushKey, DnsSubject, NewDnsPush};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::accounts::{gapped, said, view as account_view};
use super::kept::KeptFinding;
use super::view::{DnsChange, DnsObstacle, DnsPreview, DnsPushForm, DnsPushView, DnsVerdict};
use super::{Dns, Place};
use crate::{Actor, Failure, Paging, Role, Rows, Text};

/// A policy may have to be taken back soon (RFC 9989 leaves it to us).
const POLICY_TTL: u32 = 3600;

/// What is written down of a push.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Recorded {
    /// Whose it was, where it was a domain's.
    domain: Option<String>,
    receipt: Receipt,
    fates: Vec<(Change, Fate)>,
    failure: Option<Text>,
}

/// A plan with what it is about.
struct Planned {
    plan: Plan,
    fingerprint: String,
    account: DnsAccountEntry,
    publisher: Arc<Publisher>,
    findings: Vec<String>,
}

impl Dns {
    /// What a push would do. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`]; [`Failure::Clash`] where no account serves the zone, or with what the provider said.
    pub async fn preview(&self, by: &Actor, domain: Option<&str>, form: &DnsPushForm) -> Result<DnsPreview, Failure> {
        by.require(Role::Owner)?;
        let place = self.place(by, domain).await?;
        let planned = self.plan(&place, form).await?;
        let obstacles = planned.plan.obstacles.iter().map(|obstacle| DnsObstacle {
            name: obstacle.name.clone(),
            kind: obstacle.kind.clone(),
            says: hindrance(&obstacle.hindrance),
        });
        Ok(DnsPreview {
            plan: planned.fingerprint,
            zone: planned.plan.zone.name.clone(),
            account: account_view(planned.account),
            findings: planned.findings,
            changes: planned.plan.changes.iter().map(|change| change_view(change, None)).collect(),
            obstacles: obstacles.collect(),
        })
    }

    /// Does what the preview `form.plan` showed, and writes it down. Goes to its end even if nobody waits for it. Owner, of late signed in.
    ///
    /// # Errors
    /// As [`Dns::preview`]; [`Failure::Unproven`]; [`Failure::Stale`] where it would be another plan by now: nothing was done.
    pub async fn push(&self, by: &Actor, domain: Option<&str>, form: &DnsPushForm) -> Result<DnsPushView, Failure> {
        by.require(Role::Owner)?;
        by.require_proof()?;
        let place = self.place(by, domain).await?;
        let planned = self.plan(&place, form).await?;
        if form.plan.as_deref() != Some(&*planned.fingerprint) {
            return Err(Failure::Stale(Text::new("dns-push-changed")));
        }
        let (dns, by) = (self.clone(), by.clone());
        // Whoever has asked may leave: what was begun goes to its end, and is written down.
        let pushing = self.inner.tasks.spawn(async move {
            let pushed = planned.publisher.push(&planned.plan).await.map_err(|error| refused(&error))?;
            dns.write_down(&by.author(), &place, &planned.account, pushed).await
        });
        pushing.await.map_err(|_broken_off| Failure::Failed)?
    }

    /// The pushes for a domain, or, with none, all; the latest first. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn pushes(&self, by: &Actor, domain: Option<&str>, paging: Paging) -> Result<Rows<DnsPushView>, Failure> {
        by.require(Role::Owner)?;
        let subject = match domain {
            Some(domain) => Some(self.domain_place(by, domain).await?.subject),
            None => None,
        };
        let listing = self.inner.store.dns_pushes(subject, &paging.page()).await?;
        let accounts = self.inner.store.dns_accounts().await?;
        Ok(Rows::of(listing, |entry| view(entry, &accounts)))
    }

    /// Puts back what stood before a push. Owner, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Unproven`], [`Failure::Absent`]; [`Failure::Clash`] where it was undone already, its account is gone, or with what the
    /// provider said; [`Failure::Stale`] where somebody changed the records since: none was touched.
    pub async fn undo(&self, by: &Actor, push: &str) -> Result<DnsPushView, Failure> {
        by.require(Role::Owner)?;
        by.require_proof()?;
        let absent = || Failure::Absent(Text::new("dns-push-unknown"));
        let key = DnsPushKey::parse(push).ok_or_else(absent)?;
        let entry = self.inner.store.dns_push(key).await?.ok_or_else(absent)?;
        if entry.undone.is_some() {
            return Err(Failure::clash("", Text::new("dns-push-undone")));
        }
        let recorded = recorded(&entry).ok_or(Failure::Failed)?;
        let account = self.inner.store.dns_account(entry.account).await?;
        let account = account.ok_or_else(|| Failure::clash("", Text::new("dns-push-no-account")))?;
        let publisher = self.publisher(&account)?;
        let (dns, by) = (self.clone(), by.clone());
        let undoing = self.inner.tasks.spawn(async move {
            let undone = publisher.undo(&recorded.receipt).await.map_err(|error| refused(&error))?;
            if let Some(error) = &undone.error {
                return Err(Failure::clash("", said(error)));
            }
            if !undone.is_complete() {
                return Err(Failure::clash("", Text::new("dns-undo-incomplete")));
            }
            dns.inner.store.mark_dns_undone(&by.author(), key).await?;
            let entry = dns.inner.store.dns_push(key).await?.ok_or(Failure::Failed)?;
            Ok(view(entry, &[account]))
        });
        undoing.await.map_err(|_broken_off| Failure::Failed)?
    }

    /// Whether an account has the zone of this name.
    pub async fn serves_txt(&self, name: &str) -> bool {
        self.serving(name).await.is_ok()
    }

    /// Adds a TXT record `text` at `name` by the account whose zone holds it: for a certificate's DNS-01.
    ///
    /// # Errors
    /// [`ProviderError::NoZone`] where no account has the zone; else what the provider answers.
    pub async fn publish_txt(&self, name: &str, text: &str) -> Result<(), ProviderError> {
        self.serving(name).await?.publish_txt(name, text).await
    }

    /// Removes the TXT record `text` at `name`, and leaves the others.
    ///
    /// # Errors
    /// As [`Dns::publish_txt`].
    pub async fn remove_txt(&self, name: &str, text: &str) -> Result<(), ProviderError> {
        self.serving(name).await?.remove_txt(name, text).await
    }

    async fn serving(&self, name: &str) -> Result<Arc<Publisher>, ProviderError> {
        let none = || ProviderError::NoZone { domain: name.to_owned() };
        let domain = Domain::parse(name).map_err(|_| none())?;
        match self.account_for(&domain).await {
            Ok(found) => found.map(|(_, publisher)| publisher).ok_or_else(none),
            Err(failure) => Err(ProviderError::Broken(failure.to_string())),
        }
    }

    async fn plan(&self, place: &Place, form: &DnsPushForm) -> Result<Planned, Failure> {
        let (_, kept) = self.known(place).await?;
        let is_chosen = |finding: &&KeptFinding| {
            let is_named = form.findings.contains(&finding.key());
            finding.can_push() && (is_named || form.findings.is_empty() && finding.verdict != DnsVerdict::Good)
        };
        let chosen: Vec<&KeptFinding> = kept.findings.iter().filter(is_chosen).collect();
        let found = self.account_for(&place.name).await?;
        let (account, publisher) = found.ok_or_else(|| Failure::clash("", Text::new("dns-push-no-zone")))?;
        let zone = publisher.zone(place.name.as_str()).await.map_err(|error| refused(&error))?;
        let zone = Domain::parse(&zone.name).map_err(|_| Failure::Failed)?;
        let mut wanted = Vec::new();
        for record in chosen.iter().flat_map(|finding| finding.wanted()) {
            // A record may be wanted by two findings: SPF, and what receivers make of it.
            if !wanted.contains(&record) {
                wanted.push(record);
            }
        }
        if let Some(policy) = &form.dmarc_policy {
            wanted = vec![self.dmarc_with(place, policy).await?];
        }
        let wishes: Vec<Wish> = wishes(&wanted, &zone);
        let plan = publisher.preview(place.name.as_str(), &wishes).await.map_err(|error| refused(&error))?;
        let shown = serde_json::to_vec(&plan).map_err(|_| Failure::Failed)?;
        let fingerprint = blake3::hash(&shown).to_hex().chars().take(32).collect();
        let findings = match &form.dmarc_policy {
            Some(_) => Vec::new(),
            None => chosen.iter().map(|finding| finding.key()).collect(),
        };
        Ok(Planned { plan, fingerprint, account, publisher, findings })
    }

    /// The domain's record as it stands in the DNS, with another policy.
    async fn dmarc_with(&self, place: &Place, policy: &str) -> Result<Wanted, Failure> {
        if place.subject == DnsSubject::Host || !matches!(policy, "quarantine" | "reject") {
            return Err(Failure::unfit("dmarc_policy", Text::new("dns-push-no-policy")));
        }
        let text = self.dmarc_text(&place.name).await;
        let text = text.ok_or_else(|| Failure::clash("", Text::new("dns-push-no-dmarc")))?;
        let owner = Domain::parse(&format!("_dmarc.{}", place.name)).map_err(|_| Failure::Failed)?;
        let data = Data::Txt(crate::reports::with_policy(&text, policy));
        Ok(Wanted { purpose: Purpose::Dmarc, owner, data, ttl: POLICY_TTL })
    }

    /// Writes down what was done, with the way back.
    pub(super) async fn write_down(
        &self,
        by: &Author,
        place: &Place,
        account: &DnsAccountEntry,
        pushed: Pushed,
    ) -> Result<DnsPushView, Failure> {
        let is_complete = pushed.is_complete();
        let domain = matches!(place.subject, DnsSubject::Domain(_)).then(|| place.name.to_string());
        let sets = pushed.receipt.changes.iter().map(|change| format!("{} {}", change.name(), change.kind())).collect();
        let record =
            Recorded { domain, failure: pushed.error.as_ref().map(said), receipt: pushed.receipt, fates: pushed.fates };
        let new = NewDnsPush {
            subject: place.subject,
            account: account.key,
            zone: record.receipt.zone.name.clone(),
            record: serde_json::to_string(&record).map_err(|_| Failure::Failed)?,
            is_complete,
            sets,
        };
        let key = self.inner.store.note_dns_push(by, new).await?;
        let entry = self.inner.store.dns_push(key).await?.ok_or(Failure::Failed)?;
        Ok(view(entry, std::slice::from_ref(account)))
    }
}

pub(super) fn refused(error: &ProviderError) -> Failure {
    match error {
        ProviderError::Changed { .. } => Failure::Stale(said(error)),
        _ => Failure::clash("", said(error)),
    }
}

fn hindrance(hindrance: &Hindrance) -> Text {
    let (id, gaps) = hindrance.text();
    gapped(id, gaps)
}

fn recorded(entry: &DnsPushEntry) -> Option<Recorded> {
    serde_json::from_str(&entry.record).ok()
}

fn view(entry: DnsPushEntry, accounts: &[DnsAccountEntry]) -> DnsPushView {
    let recorded = recorded(&entry);
    let account = accounts.iter().find(|account| account.key == entry.account).map(|account| account.name.clone());
    let changes = recorded.iter().flat_map(|recorded| &recorded.fates);
    let is_undoable = recorded.as_ref().is_some_and(|recorded| !recorded.receipt.changes.is_empty());
    DnsPushView {
        id: entry.key.push_id(),
        domain: recorded.as_ref().and_then(|recorded| recorded.domain.clone()),
        zone: entry.zone,
        can_undo: entry.undone.is_none() && account.is_some() && is_undoable,
        account,
        by: entry.by,
        at: entry.at.into(),
        changes: changes.map(|(change, fate)| change_view(change, Some(fate))).collect(),
        failure: recorded.as_ref().and_then(|recorded| recorded.failure.clone()),
        is_complete: entry.is_complete,
        undone_at: entry.undone.as_ref().map(|(at, _)| (*at).into()),
        undone_by: entry.undone.map(|(_, by)| by),
    }
}

fn change_view(change: &Change, fate: Option<&Fate>) -> DnsChange {
    let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect();
    let fate = fate.map(|fate| match fate {
        Fate::Done => ("done", "dns-fate-done"),
        Fate::Untouched => ("untouched", "dns-fate-untouched"),
        Fate::Otherwise(_) => ("otherwise", "dns-fate-otherwise"),
        Fate::Unknown => ("unknown", "dns-fate-unknown"),
    });
    DnsChange {
        name: change.name().to_owned(),
        kind: change.kind().to_owned(),
        ttl_before: change.before.as_ref().map(|set| set.ttl),
        ttl_after: change.after.as_ref().map(|set| set.ttl),
        added: owned(change.added()),
        removed: owned(change.removed()),
        kept: owned(change.kept()),
        fate: fate.map(|(name, _)| name.to_owned()),
        says: fate.map(|(_, id)| Text::new(id)),
    }
}
