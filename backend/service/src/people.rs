//! The people: who is here, what they may, and their going with grace. Who may do what to whom stands in docs/roles.md.

use std::sync::Arc;
use std::time::Duration;

use relais_model::{Address, Domain, Secret};
use relais_reception::Login;
use relais_store::{
    Account, AccountChange, AccountFilter, AccountOrder, DomainKey, IMAP_HIDEABLE, NewAccount, Order,
    Role as StoreRole, Store,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::checks::{self, Checks, MAX_TEXT_OCTETS};
use crate::directory::readable;
use crate::import::Planned;
use crate::paging::{Rows, page};
use crate::passwords::check_new_password;
use crate::{Actor, Complaint, Failure, Moment, Password, Reach, Role, Text};

/// The languages that people read here.
const LANGUAGES: [&str; 2] = ["en", "fr"];

/// The looks of the panel; none: as the system is set.
const THEMES: [&str; 2] = ["light", "dark"];

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonView {
    /// Their address, as it was spelled when they were added.
    #[schema(example = "ann@example.org")]
    pub address: String,
    /// Their domain.
    pub domain: String,
    /// Their name; may be empty.
    pub name: String,
    /// What they may do in the house.
    pub role: Role,
    /// The domains that they serve, where they are help desk or domain admin.
    pub domains: Vec<String>,
    /// Whether they have a password; where not, a password link lets them set one.
    pub has_password: bool,
    /// Octets that their mail may take; none: no limit.
    pub quota_octets: Option<u64>,
    /// Messages that they may have; none: no limit.
    pub quota_messages: Option<u64>,
    /// Extensions of IMAP that aren't announced to their programs, beside those that the setting `imap.hidden` names for all.
    pub imap_hidden: Vec<String>,
    /// Octets that it takes.
    pub used_octets: u64,
    /// Messages that they have.
    pub used_messages: u64,
    /// Whether they can't log in, and their mail is refused.
    pub is_suspended: bool,
    /// Messages that they may send in an hour; none: as the house says.
    pub hourly_messages: Option<u64>,
    /// Recipients that they may send to in an hour, of all messages together; none: as the house says.
    pub hourly_recipients: Option<u64>,
    /// Messages that they may send in a day; none: as the house says.
    pub daily_messages: Option<u64>,
    /// Recipients that they may send to in a day, of all messages together; none: as the house says.
    pub daily_recipients: Option<u64>,
    /// Recipients that they may send to in a day and never wrote to before; none: as the house says.
    pub daily_new_recipients: Option<u64>,
    /// The language that they read: `en`, `fr`; none: they never chose.
    pub language: Option<String>,
    /// The look that they chose: `light`, `dark`; none: as their system is set.
    pub theme: Option<String>,
    /// When they last logged in.
    pub last_seen_at: Option<Moment>,
    /// When they were added.
    pub created_at: Moment,
    /// Since when they are removed; they can be restored until `purged_at`.
    pub removed_at: Option<Moment>,
    /// When what is removed is gone for good.
    pub purged_at: Option<Moment>,
    /// Another one after each change.
    pub version: String,
}

/// Which people are wanted, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeopleWanted {
    /// A text in the address or the name.
    pub search: Option<String>,
    /// Those of this domain.
    pub domain: Option<String>,
    /// Those with this role.
    #[param(inline)]
    pub role: Option<Role>,
    /// Those that are suspended, or that aren't.
    pub suspended: Option<bool>,
    /// Those that are removed and can be restored, instead of those that are here.
    pub removed: bool,
    /// What they are put in order by.
    #[param(inline)]
    pub sort: PersonSort,
    /// In the other direction.
    pub reversed: bool,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows wanted: 1 to 500, 50 where it isn't said.
    pub limit: Option<u32>,
}

/// What people are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonSort {
    /// Their address, from a.
    #[default]
    Address,
    /// Their name, from a.
    Name,
    /// What their mail takes, from the most.
    Used,
    /// When they were added, the latest first.
    Created,
    /// When they last logged in, the latest first.
    LastSeen,
}

/// A person who is to be added.
#[derive(Default, Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// Their address, in a domain of ours.
    #[schema(example = "ann@example.org")]
    pub address: String,
    /// Their name.
    #[serde(default)]
    pub name: String,
    /// Their password; none: only a password link lets them in.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, write_only)]
    pub password: Option<Password>,
    /// What they may do in the house.
    #[serde(default)]
    pub role: Role,
    /// The domains that they serve, where they are help desk or domain admin.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Octets that their mail may take; null: no limit; left out: as their domain says.
    #[serde(default, deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub quota_octets: Option<Option<u64>>,
    /// The language that they read: `en`, `fr`.
    #[serde(default)]
    pub language: Option<String>,
}

/// What is to be different; what isn't named stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PersonChange {
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they may do in the house.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The domains that they serve, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<String>>,
    /// Octets that their mail may take; null: no limit.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub quota_octets: Option<Option<u64>>,
    /// Messages that they may have; null: no limit.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub quota_messages: Option<Option<u64>>,
    /// Extensions of IMAP that aren't announced to their programs, all of them: what `imap.hidden` may name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imap_hidden: Option<Vec<String>>,
    /// Whether they can't log in, and their mail is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_suspended: Option<bool>,
    /// Messages that they may send in an hour; null: as the house says.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub hourly_messages: Option<Option<u64>>,
    /// Recipients that they may send to in an hour; null: as the house says.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub hourly_recipients: Option<Option<u64>>,
    /// Messages that they may send in a day; null: as the house says.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub daily_messages: Option<Option<u64>>,
    /// Recipients that they may send to in a day; null: as the house says.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub daily_recipients: Option<Option<u64>>,
    /// Recipients that they may send to in a day and never wrote to before; null: as the house says.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub daily_new_recipients: Option<Option<u64>>,
    /// The language that they read: `en`, `fr`; null: none chosen.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub language: Option<Option<String>>,
    /// The look of the panel: `light`, `dark`; null: as the system is set.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub theme: Option<Option<String>>,
}

/// What people change of themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OwnChange {
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The language that they read: `en`, `fr`; null: none chosen.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub language: Option<Option<String>>,
    /// The look of the panel: `light`, `dark`; null: as the system is set.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub theme: Option<Option<String>>,
}

/// What goes with a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonGoing {
    /// Their address.
    pub address: String,
    /// Their messages.
    pub messages: u64,
    /// Octets that those take.
    pub octets: u64,
    /// Aliases that lead to them, by however many steps; 500 at most. Those stay, and lead nowhere.
    pub aliases: Vec<String>,
    /// Domains whose catch-all or postmaster they are.
    pub catch_alls: Vec<String>,
    /// Until then they could be restored, were they removed now.
    pub purged_at: Moment,
}

/// The use-cases of people.
#[derive(Debug, Clone)]
pub struct People {
    store: Store,
    login: Arc<Login>,
}

impl People {
    pub(crate) const fn new(store: Store, login: Arc<Login>) -> Self {
        Self { store, login }
    }

    /// People, those that the asker sees. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`] for a domain that isn't there.
    pub async fn list(&self, actor: &Actor, wanted: &PeopleWanted) -> Result<Rows<PersonView>, Failure> {
        actor.require(Role::HelpDesk)?;
        let domains = match wanted.domain.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => Some(vec![self.domain_in_reach(actor, name).await?]),
            None => actor.domains(),
        };
        let filter = AccountFilter {
            domains,
            text: wanted.search.clone(),
            role: wanted.role.map(StoreRole::from),
            is_suspended: wanted.suspended,
            is_removed: wanted.removed,
        };
        let by = match wanted.sort {
            PersonSort::Address => AccountOrder::Address,
            PersonSort::Name => AccountOrder::Name,
            PersonSort::Used => AccountOrder::Used,
            PersonSort::Created => AccountOrder::Created,
            PersonSort::LastSeen => AccountOrder::LastSeen,
        };
        let order = Order { by, is_reversed: wanted.reversed };
        let listing = self.store.accounts(&filter, order, &page(wanted.after.as_deref(), wanted.limit)).await?;
        let kept = self.store.settings().removed_kept;
        Ok(Rows::of(listing, |account| view(account, kept)))
    }

    /// One person, by their address. Help desk; and who asks for themselves.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn show(&self, actor: &Actor, address: &str) -> Result<PersonView, Failure> {
        let account = self.find(actor, address).await?;
        Ok(view(account, self.store.settings().removed_kept))
    }

    /// Adds a person. Domain admin; for a role beyond the user's, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for a role above the asker's own, [`Failure::Unproven`]; [`Failure::Unfit`]; [`Failure::Absent`] for a domain that
    /// isn't there; [`Failure::Clash`] on `address`.
    pub async fn create(&self, actor: &Actor, new: NewPerson) -> Result<PersonView, Failure> {
        actor.require(Role::DomainAdmin)?;
        let (account, password) = self.check(actor, new).await?;
        let password_hash = match password {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        self.add(actor, NewAccount { password_hash, ..account }).await
    }

    pub(crate) async fn add(&self, actor: &Actor, account: NewAccount) -> Result<PersonView, Failure> {
        let added = self.store.add_account(account, &actor.author()).await?;
        Ok(view(added, self.store.settings().removed_kept))
    }

    /// Refuses what [`People::add`] would refuse, had it added what is planned.
    pub(crate) async fn plan(&self, planned: &mut Planned, address: &Address) -> Result<(), Failure> {
        self.store.refuse_taken_address(address).await?;
        if !planned.addresses.insert(relais_store::fold(address)) {
            return Err(relais_store::DirectoryError::AddressTaken(address.clone()).into());
        }
        let Some(entry) = self.store.domain(&address.domain).await? else { return Err(absent_domain(&address.domain)) };
        let people = planned.people.entry(entry.key).or_insert(entry.accounts);
        *people += 1;
        match entry.max_people {
            Some(most) if *people > most => Err(relais_store::DirectoryError::TooManyPeople(most).into()),
            _ => Ok(()),
        }
    }

    /// A person as they would be added, all but the password's hash.
    pub(crate) async fn check(&self, actor: &Actor, new: NewPerson) -> Result<(NewAccount, Option<Secret>), Failure> {
        let mut checks = Checks::default();
        let address = checks.take(checks::address("address", &new.address));
        checks.note(checks::text("name", &new.name, MAX_TEXT_OCTETS));
        let password = new.password.map(Password::secret);
        if let (Some(password), Some(address)) = (&password, &address) {
            checks.note(check_new_password(password, self.store.settings().password_length, address, &new.name));
        }
        let language = new.language.unwrap_or_default();
        checks.note(one_of("language", &language, &LANGUAGES));
        checks.note(checks::number("quota_octets", new.quota_octets.flatten()));
        let domains = checks.take(domains_to_serve(new.role, &new.domains));
        let (address, domains) = checks.end(address.zip(domains))?;
        let domain = &address.domain;
        let elsewhere =
            || Failure::unfit("address", Text::new("failure-unknown-domain").with("domain", domain.to_unicode()));
        actor.require_reach(domain).map_err(|_| elsewhere())?;
        self.require_gift(actor, new.role, &domains).await?;
        let entry = self.store.domain(domain).await?.ok_or_else(elsewhere)?;
        let account = NewAccount {
            address,
            name: new.name,
            password_hash: None,
            quota_octets: new.quota_octets.unwrap_or_else(|| self.default_quota(entry.default_quota_octets)),
            role: new.role.into(),
            domains,
            language,
        };
        Ok((account, password))
    }

    /// What a new person may hold: what their domain says, else what the house says; none: no limit.
    fn default_quota(&self, of_domain: Option<u64>) -> Option<u64> {
        of_domain.or_else(|| Some(self.store.settings().default_quota).filter(|octets| *octets > 0))
    }

    /// Changes a person. Domain admin; for a role beyond the user's, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for someone or a role above the asker; [`Failure::Unproven`], [`Failure::Absent`], [`Failure::Unfit`], [`Failure::Stale`];
    /// [`Failure::Clash`] for the last owner, and for who would suspend themselves.
    pub async fn change(
        &self,
        actor: &Actor,
        address: &str,
        change: PersonChange,
        if_version: Option<&str>,
    ) -> Result<PersonView, Failure> {
        actor.require(Role::DomainAdmin)?;
        let account = self.find(actor, address).await?;
        actor.require_power_over(&account)?;
        let version = checks::version(if_version)?;
        if version.is_some_and(|version| version != account.version) {
            return Err(Failure::stale());
        }
        if change.is_suspended == Some(true) && is_self(actor, &account) {
            return Err(Failure::clash("is_suspended", Text::new("failure-suspend-self")));
        }
        let mut checks = Checks::default();
        checks.note(checks::text("name", change.name.as_deref().unwrap_or_default(), MAX_TEXT_OCTETS));
        checks.note(checks::number("quota_octets", change.quota_octets.flatten()));
        checks.note(checks::number("quota_messages", change.quota_messages.flatten()));
        checks.note(checks::number("hourly_messages", change.hourly_messages.flatten()));
        checks.note(checks::number("hourly_recipients", change.hourly_recipients.flatten()));
        checks.note(checks::number("daily_messages", change.daily_messages.flatten()));
        checks.note(checks::number("daily_recipients", change.daily_recipients.flatten()));
        checks.note(checks::number("daily_new_recipients", change.daily_new_recipients.flatten()));
        let imap_hidden = checks.take(hideable(change.imap_hidden));
        let (language, theme) = choices(&mut checks, change.language, change.theme);
        let role = change.role.unwrap_or(account.role.into());
        let gives = change.role.is_some() || change.domains.is_some();
        let served =
            change.domains.unwrap_or_else(|| account.domains.iter().map(|(_, name)| name.to_string()).collect());
        let domains = if gives { checks.take(domains_to_serve(role, &served)) } else { Some(Vec::new()) };
        let domains = checks.end(domains)?;
        if gives {
            self.require_gift(actor, role, &domains).await?;
        }
        let change = AccountChange {
            name: change.name,
            quota_octets: change.quota_octets,
            quota_messages: change.quota_messages,
            imap_hidden: imap_hidden.flatten(),
            role: change.role.map(StoreRole::from),
            domains: gives.then_some(domains),
            is_suspended: change.is_suspended,
            hourly_messages: change.hourly_messages,
            hourly_recipients: change.hourly_recipients,
            daily_messages: change.daily_messages,
            daily_recipients: change.daily_recipients,
            daily_new_recipients: change.daily_new_recipients,
            language,
            theme,
        };
        // Of the version that was looked at: nobody is changed who has risen above the asker meanwhile.
        self.store.change_account(&account.address, change, Some(account.version), &actor.author()).await?;
        self.show(actor, address).await
    }

    /// Changes the one who asks. Everybody with an account.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who has no account; [`Failure::Unfit`], [`Failure::Stale`].
    pub async fn change_own(
        &self,
        actor: &Actor,
        change: OwnChange,
        if_version: Option<&str>,
    ) -> Result<PersonView, Failure> {
        let Some((_, address)) = &actor.account else {
            return Err(Failure::Forbidden(Text::new("failure-forbidden")));
        };
        let mut checks = Checks::default();
        checks.note(checks::text("name", change.name.as_deref().unwrap_or_default(), MAX_TEXT_OCTETS));
        let (language, theme) = choices(&mut checks, change.language, change.theme);
        checks.end(Some(()))?;
        let change = AccountChange { name: change.name, language, theme, ..AccountChange::default() };
        self.store.change_account(address, change, checks::version(if_version)?, &actor.author()).await?;
        self.show(actor, &address.to_string()).await
    }

    /// What goes with a person. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn going(&self, actor: &Actor, address: &str) -> Result<PersonGoing, Failure> {
        actor.require(Role::DomainAdmin)?;
        let account = self.find(actor, address).await?;
        let aliases = self.store.aliases_to(&account.address).await?;
        let catch_alls = self.store.domains_to(&account.address).await?;
        // Another tenant's aliases are nobody's business here.
        let aliases = aliases.iter().filter(|alias| actor.require_reach(&alias.domain).is_ok());
        let catch_alls = catch_alls.iter().filter(|domain| actor.require_reach(domain).is_ok());
        Ok(PersonGoing {
            address: readable(&account.address),
            messages: account.used_messages,
            octets: account.used_octets,
            aliases: aliases.map(readable).collect(),
            catch_alls: catch_alls.map(Domain::to_unicode).collect(),
            purged_at: self.store.now().plus(self.store.settings().removed_kept).into(),
        })
    }

    /// Removes a person: nobody finds them any more, log-in and mail are refused; they can be restored with all their mail for as long as the setting `removed.kept` says.
    /// Domain admin, of late signed in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for someone above the asker; [`Failure::Unproven`], [`Failure::Absent`], [`Failure::Stale`]; [`Failure::Clash`] for the
    /// last owner, and for who would remove themselves.
    pub async fn remove(&self, actor: &Actor, address: &str, if_version: Option<&str>) -> Result<(), Failure> {
        actor.require(Role::DomainAdmin)?;
        actor.require_proof()?;
        let account = self.find(actor, address).await?;
        actor.require_power_over(&account)?;
        if is_self(actor, &account) {
            return Err(Failure::clash("", Text::new("failure-remove-self")));
        }
        let version = checks::version(if_version)?;
        if version.is_some_and(|version| version != account.version) {
            return Err(Failure::stale());
        }
        Ok(self.store.remove_account(&account.address, Some(account.version), &actor.author()).await?)
    }

    /// Restores a person who was removed, with all their mail. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for someone above the asker; [`Failure::Absent`]; [`Failure::Clash`] where the domain has no room for them.
    pub async fn restore(&self, actor: &Actor, address: &str) -> Result<PersonView, Failure> {
        actor.require(Role::DomainAdmin)?;
        let parsed = parse(actor, address)?;
        let removed = self.store.removed_account(&parsed).await?.ok_or_else(|| unknown(address))?;
        actor.require_power_over(&removed)?;
        self.store.restore_account(&parsed, &actor.author()).await?;
        self.show(actor, address).await
    }

    /// The account of an address, in reach of the one who asks.
    pub(crate) async fn find(&self, actor: &Actor, address: &str) -> Result<Account, Failure> {
        let parsed = parse(actor, address)?;
        let account = self.store.account(&parsed).await?.ok_or_else(|| unknown(address))?;
        if !is_self(actor, &account) {
            actor.require(Role::HelpDesk)?;
        }
        Ok(account)
    }

    async fn domain_in_reach(&self, actor: &Actor, name: &str) -> Result<DomainKey, Failure> {
        let unknown = || Failure::Absent(Text::new("failure-unknown-domain").with("domain", name));
        let domain = checks::domain("domain", name).map_err(|_| unknown())?;
        actor.require_reach(&domain)?;
        self.store.domain_key(&domain).await?.ok_or_else(unknown)
    }

    /// Refuses a role above the asker's own, or domains that aren't theirs to give.
    async fn require_gift(&self, actor: &Actor, role: Role, domains: &[Domain]) -> Result<(), Failure> {
        if role == Role::User {
            return Ok(());
        }
        if role > actor.role {
            return Err(Failure::Forbidden(Text::new("failure-role-above")));
        }
        actor.require_proof()?;
        for domain in domains {
            actor.require_reach(domain)?;
            if self.store.domain_key(domain).await?.is_none() {
                return Err(absent_domain(domain));
            }
        }
        Ok(())
    }

    pub(crate) async fn hash(&self, password: Secret) -> Result<Secret, Failure> {
        let failed = |error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "a new password could not be hashed");
            Failure::Failed
        };
        self.login.hash(password).await.map_err(failed)
    }
}

impl Actor {
    /// Refuses who has less power than the account's owner: a role below theirs, or not all the domains that they serve.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub fn require_power_over(&self, account: &Account) -> Result<(), Failure> {
        let serves = |reach: &[(DomainKey, Domain)], key| reach.iter().any(|(own, _)| *own == key);
        let reaches = match &self.reach {
            Reach::All => true,
            Reach::Domains(own) => account.domains.iter().all(|(key, _)| serves(own, *key)),
        };
        if self.role >= account.role.into() && reaches {
            return Ok(());
        }
        Err(Failure::Forbidden(Text::new("failure-person-above")))
    }
}

/// Their own account is in everybody's reach; of others only who has the domain learns anything.
fn parse(actor: &Actor, address: &str) -> Result<Address, Failure> {
    let parsed = Address::parse(address.trim()).map_err(|_| unknown(address))?;
    let is_own = actor.account.as_ref().is_some_and(|(_, own)| relais_store::fold(own) == relais_store::fold(&parsed));
    if !is_own && actor.require_reach(&parsed.domain).is_err() {
        return Err(unknown(address));
    }
    Ok(parsed)
}

pub(crate) fn is_self(actor: &Actor, account: &Account) -> bool {
    actor.account.as_ref().is_some_and(|(key, _)| *key == account.key)
}

pub(crate) fn unknown(address: &str) -> Failure {
    let shown = Address::parse(address.trim()).map_or_else(|_| address.to_owned(), |address| readable(&address));
    Failure::Absent(Text::new("failure-unknown-address").with("address", shown))
}

fn absent_domain(domain: &Domain) -> Failure {
    Failure::Absent(Text::new("failure-unknown-domain").with("domain", domain.to_unicode()))
}

/// The domains of a role that is held for domains; those of the others, none.
fn domains_to_serve(role: Role, names: &[String]) -> Result<Vec<Domain>, Complaint> {
    if !StoreRole::from(role).serves_domains() {
        return Ok(Vec::new());
    }
    if names.is_empty() {
        return Err(Complaint { field: "domains", why: Text::new("failure-role-without-domains") });
    }
    names.iter().map(|name| checks::domain("domains", name)).collect()
}

/// Language and look as they are kept: what isn't chosen is empty.
#[expect(clippy::option_option, reason = "left out, null, and a value are three things")]
fn choices(
    checks: &mut Checks,
    language: Option<Option<String>>,
    theme: Option<Option<String>>,
) -> (Option<String>, Option<String>) {
    let (language, theme) = (language.map(Option::unwrap_or_default), theme.map(Option::unwrap_or_default));
    checks.note(one_of("language", language.as_deref().unwrap_or_default(), &LANGUAGES));
    checks.note(one_of("theme", theme.as_deref().unwrap_or_default(), &THEMES));
    (language, theme)
}

/// As they are announced, in whatever letters they came.
fn hideable(names: Option<Vec<String>>) -> Result<Option<Vec<String>>, Complaint> {
    let known = |name: String| {
        let found = IMAP_HIDEABLE.iter().find(|known| known.eq_ignore_ascii_case(name.trim()));
        found.map(|known| (*known).to_owned()).ok_or_else(|| {
            let why = Text::new("failure-no-choice").with("text", name).with("choices", IMAP_HIDEABLE.join(", "));
            Complaint { field: "imap_hidden", why }
        })
    };
    names.map(|names| names.into_iter().map(known).collect()).transpose()
}

fn one_of(field: &'static str, text: &str, choices: &[&str]) -> Result<(), Complaint> {
    if text.is_empty() || choices.contains(&text) {
        return Ok(());
    }
    Err(Complaint { field, why: Text::new("failure-no-choice").with("text", text).with("choices", choices.join(", ")) })
}

/// As people see it; what is removed is `kept` for so long.
fn view(account: Account, kept: Duration) -> PersonView {
    let chosen = |text: String| Some(text).filter(|text| !text.is_empty());
    PersonView {
        address: readable(&account.address),
        domain: account.address.domain.to_unicode(),
        name: account.name,
        role: account.role.into(),
        domains: account.domains.iter().map(|(_, domain)| domain.to_unicode()).collect(),
        has_password: account.has_password,
        quota_octets: account.quota_octets,
        quota_messages: account.quota_messages,
        imap_hidden: account.imap_hidden,
        used_octets: account.used_octets,
        used_messages: account.used_messages,
        is_suspended: account.is_suspended,
        hourly_messages: account.limits.hourly_messages,
        hourly_recipients: account.limits.hourly_recipients,
        daily_messages: account.limits.daily_messages,
        daily_recipients: account.limits.daily_recipients,
        daily_new_recipients: account.limits.daily_new_recipients,
        language: chosen(account.language),
        theme: chosen(account.theme),
        last_seen_at: account.last_seen_at.map(Moment::from),
        created_at: account.created_at.into(),
        removed_at: account.removed_at.map(Moment::from),
        purged_at: account.removed_at.map(|at| at.plus(kept).into()),
        version: account.version.to_string(),
    }
}
