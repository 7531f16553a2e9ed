//! Who changed what, and undoing it.

use relais_model::{Address, Domain};
use relais_store::{
    Account, AccountKey, AuditEntry, AuditFilter, AuditKey, DirectoryError, ListKey, Store, is_undoable_act,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::directory::readable;
use crate::paging::{Rows, page};
use crate::sharing::require_management;
use crate::{Actor, Failure, Moment, Reach, Role, Text, lists};

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ActivityView {
    /// Names it.
    pub id: String,
    /// When it was made.
    pub at: Moment,
    /// Who made it: an address, a key's name, the command line, `relais` itself.
    pub author: String,
    /// How they came: `panel`, `api`, `command_line`, `mail_program`, `house`.
    pub via: String,
    /// From where.
    pub peer: Option<String>,
    /// What was done.
    #[schema(example = "person.suspend")]
    pub act: String,
    /// To what: an address, a domain, the name of a setting.
    pub subject: String,
    /// The same as a sentence without its author: `activity-ACT` of the catalogue, with the gap `subject`.
    #[serde(skip)]
    pub sentence: Text,
    /// What it was, only what differs; null where there was nothing.
    #[schema(value_type = Option<Object>)]
    pub before: Option<serde_json::Value>,
    /// What it became, only what differs; null where nothing is left.
    #[schema(value_type = Option<Object>)]
    pub after: Option<serde_json::Value>,
    /// When it was undone.
    pub undone_at: Option<Moment>,
    /// By whom.
    pub undone_by: Option<String>,
    /// The change that this one undid.
    pub undoes: Option<String>,
    /// Whether it can be undone, as far as is known without trying.
    pub is_undoable: bool,
}

/// Which changes are wanted, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ActivityWanted {
    /// By this author, exactly as they are named.
    pub author: Option<String>,
    /// To this subject: an address, a domain, the name of a setting.
    pub subject: Option<String>,
    /// Of this act, `person.suspend`, or of all acts that begin so, `person.`.
    pub act: Option<String>,
    /// Made then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Moment>,
    /// Made before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Moment>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows wanted: 1 to 500, 50 where it isn't said.
    pub limit: Option<u32>,
}

/// The use-cases of the activity.
#[derive(Debug, Clone)]
pub struct Activity {
    store: Store,
}

impl Activity {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Changes: to owners all; to domain admins those that concern their domains; to others those about themselves or, where the subject is a
    /// mailing list that they look after, about that.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who has neither role nor account.
    pub async fn list(&self, actor: &Actor, wanted: &ActivityWanted) -> Result<Rows<ActivityView>, Failure> {
        let asked = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mut filter = AuditFilter {
            author: asked(&wanted.author),
            subject: asked(&wanted.subject).map(|subject| stored(&subject)),
            act: asked(&wanted.act),
            since: wanted.since.map(|moment| moment.0),
            until: wanted.until.map(|moment| moment.0),
            ..AuditFilter::default()
        };
        match (&actor.reach, &actor.account) {
            (Reach::All, _) if actor.role == Role::Owner => {}
            (_, _) if actor.role >= Role::DomainAdmin => filter.domains = Some(actor.domains().unwrap_or_default()),
            (_, Some((account, _))) => {
                let list = match &filter.subject {
                    Some(subject) => lists::run_by(&self.store, actor, subject).await?,
                    None => None,
                };
                (filter.about, filter.about_list) = if list.is_some() { (None, list) } else { (Some(*account), None) };
            }
            (_, None) => return Err(Failure::Forbidden(Text::new("failure-forbidden"))),
        }
        let listing = self.store.audit(&filter, &page(wanted.after.as_deref(), wanted.limit)).await?;
        Ok(Rows::of(listing, |entry| self.view(entry)))
    }

    /// One change.
    ///
    /// # Errors
    /// [`Failure::Absent`].
    pub async fn show(&self, actor: &Actor, id: &str) -> Result<ActivityView, Failure> {
        Ok(self.view(self.find(actor, id).await?))
    }

    /// Undoes a change, where what it changed still is as it left it. Who may do what would undo it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Unproven`], [`Failure::Absent`]; [`Failure::Clash`] where it can't be undone, or the house forbids what it
    /// was; [`Failure::Stale`] where it has been changed since, with what.
    pub async fn undo(&self, actor: &Actor, id: &str) -> Result<ActivityView, Failure> {
        let entry = self.find(actor, id).await?;
        self.require_right(actor, &entry).await?;
        match self.store.undo(entry.key, &actor.author()).await {
            Ok(()) => self.show(actor, id).await,
            Err(DirectoryError::ChangedSince(members)) => {
                let text = Text::new("failure-changed-since").with("subject", shown(&entry.subject));
                Err(Failure::Stale(text.with("members", members.join(", "))))
            }
            Err(other) => Err(other.into()),
        }
    }

    async fn find(&self, actor: &Actor, id: &str) -> Result<AuditEntry, Failure> {
        let absent = || Failure::Absent(Text::new("failure-unknown-entry"));
        let key = AuditKey::parse(id).ok_or_else(absent)?;
        let entry = self.store.audit_entry(key).await?.ok_or_else(absent)?;
        let is_in_reach = match &actor.reach {
            Reach::All => actor.role == Role::Owner,
            Reach::Domains(domains) => {
                let is_theirs = entry.domain.is_some_and(|domain| domains.iter().any(|(key, _)| *key == domain));
                actor.role >= Role::DomainAdmin && is_theirs
            }
        };
        let own = actor.account.as_ref().map(|(account, _)| account.value());
        let is_about_self = own.is_some() && entry.about == own;
        if is_in_reach || is_about_self || self.is_of_own_list(actor, &entry).await? {
            return Ok(entry);
        }
        Err(absent())
    }

    /// Whether a change is of a list that who asks looks after.
    async fn is_of_own_list(&self, actor: &Actor, entry: &AuditEntry) -> Result<bool, Failure> {
        match entry.about.filter(|_| entry.act.starts_with("list.")) {
            Some(list) => Ok(lists::runs(&self.store, actor, ListKey::new(list)).await?),
            None => Ok(false),
        }
    }

    /// To undo a change takes what it took to make it, and power over the person, also over who they would be again.
    async fn require_right(&self, actor: &Actor, entry: &AuditEntry) -> Result<(), Failure> {
        let family = entry.act.split('.').next().unwrap_or_default();
        if family == "list" && self.is_of_own_list(actor, entry).await? {
            return Ok(());
        }
        if family == "mailbox" {
            return self.require_right_to_share(actor, entry).await;
        }
        actor.require(match family {
            "person" | "alias" => Role::DomainAdmin,
            "domain" if is_for_domain_admins(entry) => Role::DomainAdmin,
            _ => Role::Owner,
        })?;
        let is_creation = entry.before.is_none();
        if is_creation && matches!(family, "person" | "domain") {
            actor.require_proof()?;
        }
        if family != "person" {
            return Ok(());
        }
        let Ok(address) = Address::parse(&entry.subject) else { return Ok(()) };
        let account = match self.store.account(&address).await? {
            Some(account) => Some(account),
            None => self.store.removed_account(&address).await?,
        };
        let Some(account) = account else { return Ok(()) };
        actor.require_power_over(&account)?;
        let again = self.as_before(account, entry).await?;
        if again.role != relais_store::Role::User {
            actor.require_proof()?;
        }
        actor.require_power_over(&again)
    }

    /// Mailboxes and addresses are shared by whose they are, by who manages a team's domain, and by owners.
    async fn require_right_to_share(&self, actor: &Actor, entry: &AuditEntry) -> Result<(), Failure> {
        if actor.account.as_ref().is_some_and(|(own, _)| entry.about == Some(own.value())) {
            return Ok(());
        }
        actor.require(Role::DomainAdmin)?;
        let account = match entry.about {
            Some(account) => self.store.account_by_key(AccountKey::new(account)).await?,
            None => None,
        };
        let account = account.ok_or_else(|| Failure::Absent(Text::new("failure-unknown-entry")))?;
        require_management(actor, &account)
    }

    /// The account with the role and domains that it had before the change.
    async fn as_before(&self, mut account: Account, entry: &AuditEntry) -> Result<Account, Failure> {
        let Some(before) = &entry.before else { return Ok(account) };
        let role = before.get("role").and_then(serde_json::Value::as_str).and_then(Role::parse);
        account.role = role.map_or(account.role, Into::into);
        if let Some(names) = before.get("domains").and_then(serde_json::Value::as_array) {
            account.domains.clear();
            for name in names.iter().filter_map(serde_json::Value::as_str) {
                let Ok(domain) = Domain::parse(name) else { continue };
                if let Some(key) = self.store.domain_key(&domain).await? {
                    account.domains.push((key, domain));
                }
            }
        }
        Ok(account)
    }

    fn view(&self, entry: AuditEntry) -> ActivityView {
        let subject = shown(&entry.subject);
        let is_told = entry.before.is_some() || entry.after.is_some();
        let is_kept =
            entry.at.plus(self.store.settings().removed_kept) > self.store.now() || !entry.act.ends_with(".remove");
        let sentence = Text::named(format!("activity-{}", entry.act.replace(['.', '_'], "-")));
        ActivityView {
            id: entry.key.entry_id(),
            at: entry.at.into(),
            author: shown(&entry.author.name),
            via: entry.author.via.as_str().to_owned(),
            peer: entry.author.peer.map(|peer| peer.to_string()),
            sentence: sentence.with("subject", subject.as_str()),
            subject,
            is_undoable: is_undoable_act(&entry.act) && is_told && entry.undone.is_none() && is_kept,
            act: entry.act,
            before: entry.before,
            after: entry.after,
            undone_at: entry.undone.as_ref().map(|(at, _)| Moment::from(*at)),
            undone_by: entry.undone.map(|(_, by)| shown(&by)),
            undoes: entry.undoes.map(AuditKey::entry_id),
        }
    }
}

/// A change of a domain in what its admins change.
fn is_for_domain_admins(entry: &AuditEntry) -> bool {
    const THEIRS: [&str; 4] = ["description", "catch_all", "postmaster", "default_quota_octets"];
    let members = entry.before.as_ref().and_then(serde_json::Value::as_object);
    members.is_some_and(|members| members.keys().all(|name| THEIRS.contains(&name.as_str())))
}

/// As the audit keeps it: with A-labels.
fn stored(subject: &str) -> String {
    let subject = subject.trim();
    if let Ok(address) = Address::parse(subject) {
        return address.to_string();
    }
    Domain::parse(subject).map_or_else(|_| subject.to_owned(), |domain| domain.to_string())
}

/// As people read it: with U-labels.
fn shown(subject: &str) -> String {
    if let Ok(address) = Address::parse(subject) {
        return readable(&address);
    }
    match Domain::parse(subject) {
        Ok(domain) if subject.contains("xn--") => domain.to_unicode(),
        _ => subject.to_owned(),
    }
}
