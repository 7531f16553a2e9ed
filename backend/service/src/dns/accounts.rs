//! Accounts at those who serve zones: their keys are tried before they are kept, and never shown again.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use relais_dnscheck::provider::{FormError, ProviderError, ProviderKind, Publisher, Settings};
use relais_model::{Domain, Secret};
use relais_store::{DnsAccountEntry, DnsAccountError, DnsAccountKey, DnsAccountState, MAX_DNS_ACCOUNTS};

use super::facts::is_within;
use super::view::{DnsAccountChange, DnsAccountView, DnsProviderField, DnsProviderKind, NewDnsAccount};
use super::{Dns, DnsHouse};
use crate::{Actor, Complaint, Failure, Paging, Password, Role, Rows, Text, checks};

/// Octets of an account's name, at most.
const NAME_OCTETS: usize = 200;

impl Dns {
    /// The providers that we know. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub fn providers(&self, by: &Actor) -> Result<Vec<DnsProviderKind>, Failure> {
        by.require(Role::Owner)?;
        Ok(ProviderKind::ALL.into_iter().map(kind_view).collect())
    }

    /// The accounts at providers. Owner. All stand on one page: there are few.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn accounts(&self, by: &Actor, _paging: Paging) -> Result<Rows<DnsAccountView>, Failure> {
        by.require(Role::Owner)?;
        let accounts = self.inner.store.dns_accounts().await?;
        Ok(Rows { rows: accounts.into_iter().map(view).collect(), next: None })
    }

    /// One account. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn account(&self, by: &Actor, id: &str) -> Result<DnsAccountView, Failure> {
        by.require(Role::Owner)?;
        Ok(view(self.account_entry(id).await?))
    }

    /// Adds an account, once its key was tried. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Unfit`] about `provider`, `name`, `domain`, a field of the provider's, or about none: what the provider said.
    pub async fn add_account(&self, by: &Actor, new: NewDnsAccount) -> Result<DnsAccountView, Failure> {
        by.require(Role::Owner)?;
        let kind = ProviderKind::parse(&new.provider)
            .ok_or_else(|| Failure::unfit("provider", Text::new("dns-account-unknown-provider")))?;
        checks::text("name", &new.name, NAME_OCTETS)?;
        let domain = checks::domain("domain", &new.domain)?;
        let settings: Settings = new.settings.into_iter().map(|(id, value)| (id, value.secret())).collect();
        let zone = self.tried(kind, &settings, &domain).await?;
        let name = new.name.trim();
        let state = DnsAccountState {
            provider: kind.id().to_owned(),
            name: if name.is_empty() { kind.id() } else { name }.to_owned(),
            settings: write(kind, &settings)?,
            zones: vec![zone],
            turns_keys: new.turns_keys,
        };
        let key = self.inner.store.add_dns_account(&by.author(), state).await?;
        self.account(by, &key.account_id()).await
    }

    /// Changes an account; its key is tried. Owner.
    ///
    /// # Errors
    /// As [`Dns::add_account`]; [`Failure::Absent`].
    pub async fn change_account(
        &self,
        by: &Actor,
        id: &str,
        change: DnsAccountChange,
    ) -> Result<DnsAccountView, Failure> {
        by.require(Role::Owner)?;
        let entry = self.account_entry(id).await?;
        let kind = known_kind(&entry)?;
        let name = change.name.unwrap_or_else(|| entry.name.clone());
        checks::text("name", &name, NAME_OCTETS)?;
        let mut settings = read(&entry)?;
        let given = change.settings.into_iter().filter(|(_, value)| !value.expose().trim().is_empty());
        settings.extend(given.map(|(id, value)| (id, value.secret())));
        let domain = match change.domain.as_deref().or(entry.zones.first().map(String::as_str)) {
            Some(domain) => checks::domain("domain", domain)?,
            None => return Err(Failure::unfit("domain", Text::new("failure-domain-form").with("text", ""))),
        };
        let zone = self.tried(kind, &settings, &domain).await?;
        let settings = write(kind, &settings)?;
        // Another key may see other zones.
        let mut zones = if settings == entry.settings { entry.zones.clone() } else { Vec::new() };
        if !zones.contains(&zone) {
            zones.push(zone);
        }
        let turns_keys = change.turns_keys.unwrap_or(entry.turns_keys);
        let state =
            DnsAccountState { provider: entry.provider, name: name.trim().to_owned(), settings, zones, turns_keys };
        self.inner.store.change_dns_account(&by.author(), entry.key, state).await?;
        self.account(by, id).await
    }

    /// Forgets an account and its key; its pushes stay written down. Owner.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn remove_account(&self, by: &Actor, id: &str) -> Result<(), Failure> {
        by.require(Role::Owner)?;
        let entry = self.account_entry(id).await?;
        self.inner.store.remove_dns_account(&by.author(), entry.key).await?;
        self.inner.publishers.lock().unwrap_or_else(PoisonError::into_inner).remove(&entry.key);
        Ok(())
    }

    /// The account whose zone holds `name`, as far as it was seen: nobody is asked.
    pub(super) async fn account_known_for(&self, name: &Domain) -> Result<Option<DnsAccountEntry>, Failure> {
        let accounts = self.inner.store.dns_accounts().await?;
        let holds = |account: &DnsAccountEntry| {
            account.zones.iter().filter(|zone| is_within(name, zone)).map(String::len).max()
        };
        let held = accounts.into_iter().filter_map(|account| holds(&account).map(|length| (length, account)));
        Ok(held.max_by_key(|(length, _)| *length).map(|(_, account)| account))
    }

    /// The account whose zone holds `name`; where none was seen to, each is asked.
    pub(super) async fn account_for(
        &self,
        name: &Domain,
    ) -> Result<Option<(DnsAccountEntry, Arc<Publisher>)>, Failure> {
        if let Some(account) = self.account_known_for(name).await? {
            let publisher = self.publisher(&account)?;
            return Ok(Some((account, publisher)));
        }
        for account in self.inner.store.dns_accounts().await? {
            let publisher = self.publisher(&account)?;
            match publisher.zone(name.as_str()).await {
                Ok(zone) => {
                    self.inner.store.note_dns_zone(account.key, &zone.name).await?;
                    return Ok(Some((account, publisher)));
                }
                Err(ProviderError::NoZone { .. }) => {}
                Err(error) => tracing::warn!(%error, provider = account.provider, "a DNS provider could not be asked"),
            }
        }
        Ok(None)
    }

    /// The one publisher of an account.
    pub(super) fn publisher(&self, account: &DnsAccountEntry) -> Result<Arc<Publisher>, Failure> {
        let mut publishers = self.inner.publishers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, publisher)) = publishers.get(&account.key).filter(|(with, _)| *with == account.settings) {
            return Ok(Arc::clone(publisher));
        }
        let opened = (self.house()?.open)(known_kind(account)?, &read(account)?).map_err(|error| unfit(&error))?;
        let publisher = Arc::new(opened);
        publishers.insert(account.key, (account.settings.clone(), Arc::clone(&publisher)));
        Ok(publisher)
    }

    pub(super) fn house(&self) -> Result<&DnsHouse, Failure> {
        self.inner.house.as_ref().ok_or_else(|| Failure::clash("", Text::new("dns-hindrance-no-network")))
    }

    pub(super) async fn account_entry(&self, id: &str) -> Result<DnsAccountEntry, Failure> {
        let absent = || Failure::Absent(Text::new("dns-account-unknown"));
        let key = DnsAccountKey::parse(id).ok_or_else(absent)?;
        self.inner.store.dns_account(key).await?.ok_or_else(absent)
    }

    /// The zone that the account has for `domain`: by that its key is tried.
    async fn tried(&self, kind: ProviderKind, settings: &Settings, domain: &Domain) -> Result<String, Failure> {
        let publisher = (self.house()?.open)(kind, settings).map_err(|error| unfit(&error))?;
        match publisher.zone(domain.as_str()).await {
            Ok(zone) => Ok(zone.name),
            Err(error @ ProviderError::NoZone { .. }) => Err(Failure::unfit("domain", said(&error))),
            Err(error) => Err(Failure::unfit("", said(&error))),
        }
    }
}

impl From<DnsAccountError> for Failure {
    fn from(error: DnsAccountError) -> Self {
        match error {
            DnsAccountError::Unknown => Self::Absent(Text::new("dns-account-unknown")),
            DnsAccountError::TooMany => {
                let most = MAX_DNS_ACCOUNTS.unsigned_abs();
                Self::clash("", Text::new("dns-account-too-many").with("most", most))
            }
            DnsAccountError::Failed(error) => error.into(),
        }
    }
}

/// What a provider answered, for people.
pub(super) fn said(error: &ProviderError) -> Text {
    let (id, gaps) = error.text();
    gapped(id, gaps)
}

pub(super) fn gapped(id: &'static str, gaps: Vec<(&'static str, String)>) -> Text {
    gaps.into_iter().fold(Text::new(id), |text, (name, words)| text.with(name, words))
}

/// What is kept, without what was not asked for.
fn write(kind: ProviderKind, settings: &Settings) -> Result<Secret, Failure> {
    let values: BTreeMap<&str, &str> = kind
        .fields()
        .iter()
        .filter_map(|field| settings.get(field.id).map(|value| (field.id, value.expose().trim())))
        .collect();
    serde_json::to_string(&values).map(Secret::new).map_err(|_| Failure::Failed)
}

fn read(entry: &DnsAccountEntry) -> Result<Settings, Failure> {
    let values: BTreeMap<String, Password> = serde_json::from_str(entry.settings.expose()).map_err(|_| {
        tracing::error!(provider = entry.provider, "an account at a DNS provider is damaged");
        Failure::Failed
    })?;
    Ok(values.into_iter().map(|(id, value)| (id, value.secret())).collect())
}

/// A provider that only a later version knows can't be used by this one.
fn known_kind(entry: &DnsAccountEntry) -> Result<ProviderKind, Failure> {
    ProviderKind::parse(&entry.provider).ok_or_else(|| Failure::clash("", Text::new("dns-account-unknown-provider")))
}

fn unfit(error: &FormError) -> Failure {
    let (id, gaps) = error.text();
    Failure::Unfit(vec![Complaint { field: error.field().unwrap_or_default(), why: gapped(id, gaps) }])
}

fn kind_view(kind: ProviderKind) -> DnsProviderKind {
    let fields = kind.fields().iter().map(|field| DnsProviderField {
        id: field.id,
        label: Text::new(field.label),
        help: Text::new(field.help),
        is_secret: field.is_secret,
        choices: field.choices,
    });
    DnsProviderKind { id: kind.id(), name: Text::new(kind.name()), fields: fields.collect() }
}

/// Without what is secret.
pub(super) fn view(entry: DnsAccountEntry) -> DnsAccountView {
    let kind = ProviderKind::parse(&entry.provider);
    let values = read(&entry).unwrap_or_default();
    let plain = kind.map_or(&[][..], ProviderKind::fields).iter().filter(|field| !field.is_secret);
    let settings =
        plain.filter_map(|field| values.get(field.id).map(|value| (field.id.to_owned(), value.expose().to_owned())));
    DnsAccountView {
        id: entry.key.account_id(),
        provider_name: kind.map_or_else(|| Text::new("dns-account-unknown-provider"), |kind| Text::new(kind.name())),
        settings: settings.collect(),
        provider: entry.provider,
        name: entry.name,
        zones: entry.zones,
        turns_keys: entry.turns_keys,
        created_at: entry.created_at.into(),
    }
}
