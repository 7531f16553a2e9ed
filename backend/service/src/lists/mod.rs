//! Mailing lists: what they are, who is on them, which posts wait; and leaving with one click.
//!
//! What somebody may do with a list is a [`ListRight`]: by their role, where the list's domain is theirs, or because they look after it.

mod joining;
mod members;
mod own;
mod posts;

use std::sync::Arc;
use std::time::Duration;

use relais_filing::list::Tokens;
use relais_model::Address;
use relais_store::{
    ListKey, ListTerms, MAX_LIST_TITLE_OCTETS, MAX_POST_OCTETS, MAX_PREFIX_OCTETS, MailingList, NewMember,
    Posters as StorePosters, Store, StoreError,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::checks::{self, Checks};
use crate::directory::readable;
use crate::paging::{Rows, page};
use crate::people::unknown;
use crate::{Actor, Complaint, Failure, Moment, Role, Text};

pub use joining::{Confirming, Leaver, OpenList};
pub use members::{ListMemberView, ListMembersForm, ListMembersPut};
pub use own::{OwnListView, OwnListsWanted};
pub use posts::{HeldPostText, HeldPostView};

use joining::Asked;

/// Octets of a post, at least.
const LEAST_OCTETS: u64 = 1024;
/// How long copies are tried.
const TRIED_FOR: Duration = Duration::from_hours(5 * 24);

/// What somebody may do with a list: each may all that those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListRight {
    /// See it, who is on it, and what waits: help desk.
    See,
    /// Decide who is on it, who posts and what goes out: who looks after it.
    Run,
    /// All of it, also whom it writes to unasked, how large its posts are, and whether there is one: domain admins.
    Manage,
}

impl ListRight {
    /// The role that has it on all lists of its domains.
    const fn role(self) -> Role {
        match self {
            Self::See => Role::HelpDesk,
            Self::Run | Self::Manage => Role::DomainAdmin,
        }
    }
}

/// Who may post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListPosters {
    /// Anybody.
    Anyone,
    /// Members and owners.
    #[default]
    Members,
    /// Owners.
    Owners,
    /// Anybody, and an owner looks at each post of others first.
    Moderated,
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListView {
    /// Its address. Behind its name stand `-request`, `-subscribe`, `-unsubscribe` and `-owner` for what their names say.
    #[schema(example = "team@example.org")]
    pub address: String,
    /// What it is about.
    pub title: String,
    /// Who may post.
    pub posters: ListPosters,
    /// Whether people subscribe themselves, and confirm it by mail; else they are added.
    pub is_open: bool,
    /// Octets of a post, at most.
    pub max_octets: u64,
    /// What stands before subjects; empty: they stay as they are, and so does the author's signature.
    pub prefix: String,
    /// How many are on it.
    pub members: u64,
    /// How many posts wait for an owner.
    pub held: u64,
    /// When it was added.
    pub created_at: Moment,
    /// Another one after each change of the list or its members.
    pub version: String,
}

/// A list that is to be added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewList {
    /// Its address, in a domain of ours: up to 30 plain letters, digits, dots and dashes before the @.
    pub address: String,
    /// What it is about.
    #[serde(default)]
    pub title: String,
    /// Who may post.
    #[serde(default)]
    pub posters: ListPosters,
    /// Whether people subscribe themselves.
    #[serde(default)]
    pub is_open: bool,
    /// Who looks after it: they get a mail where a post waits.
    #[serde(default)]
    pub owners: Vec<String>,
}

/// What is to be different; what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ListChange {
    /// What it is about.
    pub title: Option<String>,
    /// Who may post.
    pub posters: Option<ListPosters>,
    /// Whether people subscribe themselves.
    pub is_open: Option<bool>,
    /// Octets of a post, at most: 1 KiB to 10 MiB.
    pub max_octets: Option<u64>,
    /// What stands before subjects.
    pub prefix: Option<String>,
}

/// Which lists are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListsWanted {
    /// A text in the address or title.
    pub search: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows wanted: 1 to 500, 50 where it isn't said.
    pub limit: Option<u32>,
}

/// The use-cases of lists.
#[derive(Debug, Clone)]
pub struct Lists {
    store: Store,
    asked: Arc<Asked>,
}

impl Lists {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, asked: Arc::new(Asked::new()) }
    }

    /// Lists, those that the asker sees. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn list(&self, actor: &Actor, wanted: &ListsWanted) -> Result<Rows<ListView>, Failure> {
        actor.require(Role::HelpDesk)?;
        let page = page(wanted.after.as_deref(), wanted.limit);
        let found = self.store.lists(actor.domains().as_deref(), wanted.search.as_deref(), &page).await?;
        Ok(Rows::of(found, view))
    }

    /// One list. Help desk, and who looks after it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn show(&self, actor: &Actor, list: &str) -> Result<ListView, Failure> {
        Ok(view(self.find(actor, list, ListRight::See).await?.0))
    }

    /// What who asks may do with a list that they see.
    ///
    /// # Errors
    /// As of [`Lists::show`].
    pub async fn right(&self, actor: &Actor, list: &str) -> Result<ListRight, Failure> {
        Ok(self.find(actor, list, ListRight::See).await?.1)
    }

    /// Adds a list. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Unfit`]; [`Failure::Absent`] for a domain that isn't there; [`Failure::Clash`] on `address`.
    pub async fn create(&self, actor: &Actor, new: NewList) -> Result<ListView, Failure> {
        actor.require(Role::DomainAdmin)?;
        let mut checks = Checks::default();
        let address = checks.take(checks::address("address", &new.address).and_then(fit_name));
        let owners: Option<Vec<_>> =
            new.owners.iter().map(|owner| checks.take(checks::address("owners", owner))).collect();
        checks.note(checks::text("title", new.title.trim(), MAX_LIST_TITLE_OCTETS));
        let (address, owners) = checks.end(address.zip(owners))?;
        actor.require_reach(&address.domain)?;
        let terms = ListTerms {
            title: new.title.trim().to_owned(),
            posters: new.posters.into(),
            is_open: new.is_open,
            ..ListTerms::default()
        };
        let list = self.store.add_list(&address, terms, &actor.author()).await?;
        if !owners.is_empty() {
            let owner = |address| NewMember { is_owner: true, ..NewMember::reader(address) };
            let owners = owners.into_iter().map(owner).collect();
            self.store.put_list_members(list.key, owners, &actor.author()).await?;
        }
        self.show(actor, &address.to_string()).await
    }

    /// Changes what is said of a list. Who looks after it; how large a post may be, which takes the house's room, domain admins alone.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Stale`], [`Failure::Unfit`].
    pub async fn change(
        &self,
        actor: &Actor,
        list: &str,
        change: ListChange,
        if_version: Option<&str>,
    ) -> Result<ListView, Failure> {
        let (found, right) = self.find(actor, list, ListRight::Run).await?;
        let mut terms = found.terms;
        let ListChange { title, posters, is_open, max_octets, prefix } = change;
        if right < ListRight::Manage && max_octets.is_some_and(|octets| octets != terms.max_octets) {
            return Err(Failure::Forbidden(Text::new("failure-forbidden")));
        }
        terms.title = title.map_or(terms.title, |title| title.trim().to_owned());
        terms.posters = posters.map_or(terms.posters, Into::into);
        terms.is_open = is_open.unwrap_or(terms.is_open);
        terms.max_octets = max_octets.unwrap_or(terms.max_octets);
        terms.prefix = prefix.map_or(terms.prefix, |prefix| prefix.trim().to_owned());
        let mut checks = Checks::default();
        checks.note(checks::text("title", &terms.title, MAX_LIST_TITLE_OCTETS));
        checks.note(checks::text("prefix", &terms.prefix, MAX_PREFIX_OCTETS));
        if !(LEAST_OCTETS..=MAX_POST_OCTETS).contains(&terms.max_octets) {
            checks.note(Err(Complaint { field: "max_octets", why: Text::new("failure-list-size") }));
        }
        checks.end(Some(()))?;
        let version = checks::version(if_version)?;
        self.store.change_list(&found.address, terms, version, &actor.author()).await?;
        self.show(actor, list).await
    }

    /// Removes a list with its members. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`], [`Failure::Stale`].
    pub async fn remove(&self, actor: &Actor, list: &str, if_version: Option<&str>) -> Result<(), Failure> {
        let (found, _) = self.find(actor, list, ListRight::Manage).await?;
        Ok(self.store.remove_list(&found.address, checks::version(if_version)?, &actor.author()).await?)
    }

    async fn tokens(&self) -> Result<Tokens, Failure> {
        Ok(Tokens::new(&self.store.secret("lists").await?))
    }

    /// A list, whoever asks.
    async fn any(&self, list: &str) -> Result<MailingList, Failure> {
        let address = Address::parse(list.trim()).map_err(|_| unknown(list))?;
        self.store.list(&address).await?.ok_or_else(|| unknown(list))
    }

    /// A list, and what who asks may do with it: at least `least`. Who may that with no list is told so, whether there is this one or not.
    async fn find(&self, actor: &Actor, list: &str, least: ListRight) -> Result<(MailingList, ListRight), Failure> {
        let found = match Address::parse(list.trim()) {
            Ok(address) => self.store.list(&address).await?,
            Err(_) => None,
        };
        if let Some(found) = found {
            let right = right_to(&self.store, actor, &found).await?;
            if let Some(right) = right.filter(|right| *right >= least) {
                return Ok((found, right));
            }
        }
        actor.require(least.role())?;
        Err(unknown(list))
    }
}

/// What somebody may do with a list; none: nothing.
async fn right_to(store: &Store, actor: &Actor, list: &MailingList) -> Result<Option<ListRight>, StoreError> {
    let by_role = match actor.role {
        Role::User => None,
        Role::HelpDesk => Some(ListRight::See),
        Role::DomainAdmin | Role::Owner => Some(ListRight::Manage),
    };
    let by_role = by_role.filter(|_| actor.require_reach(&list.address.domain).is_ok());
    let Some((_, me)) = actor.account.as_ref().filter(|_| by_role < Some(ListRight::Run)) else { return Ok(by_role) };
    let is_owner = store.list_standing(list.key, me).await?.is_some_and(|member| member.is_owner);
    Ok(if is_owner { Some(ListRight::Run) } else { by_role })
}

/// Whether somebody looks after the list with this key, or may all that those may.
pub(crate) async fn runs(store: &Store, actor: &Actor, list: ListKey) -> Result<bool, StoreError> {
    let Some(list) = store.list_of(list).await? else { return Ok(false) };
    Ok(right_to(store, actor, &list).await? >= Some(ListRight::Run))
}

/// The list with this address, where somebody looks after it, or may all that those may.
pub(crate) async fn run_by(store: &Store, actor: &Actor, address: &str) -> Result<Option<ListKey>, StoreError> {
    let Ok(address) = Address::parse(address) else { return Ok(None) };
    let Some(list) = store.list(&address).await? else { return Ok(None) };
    Ok((right_to(store, actor, &list).await? >= Some(ListRight::Run)).then_some(list.key))
}

fn fit_name(address: Address) -> Result<Address, Complaint> {
    let name = address.local_part.as_str();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    if name.len() <= relais_store::MAX_LIST_NAME_OCTETS && name.chars().all(is_plain) {
        return Ok(address);
    }
    let why = Text::new("failure-list-name").with("most", relais_store::MAX_LIST_NAME_OCTETS);
    Err(Complaint { field: "address", why })
}

impl From<ListPosters> for StorePosters {
    fn from(posters: ListPosters) -> Self {
        match posters {
            ListPosters::Anyone => Self::Anyone,
            ListPosters::Members => Self::Members,
            ListPosters::Owners => Self::Owners,
            ListPosters::Moderated => Self::Moderated,
        }
    }
}

impl From<StorePosters> for ListPosters {
    fn from(posters: StorePosters) -> Self {
        match posters {
            StorePosters::Anyone => Self::Anyone,
            StorePosters::Members => Self::Members,
            StorePosters::Owners => Self::Owners,
            StorePosters::Moderated => Self::Moderated,
        }
    }
}

fn view(list: MailingList) -> ListView {
    ListView {
        address: readable(&list.address),
        title: list.terms.title,
        posters: list.terms.posters.into(),
        is_open: list.terms.is_open,
        max_octets: list.terms.max_octets,
        prefix: list.terms.prefix,
        members: list.members,
        held: list.held,
        created_at: list.created_at.into(),
        version: list.version.to_string(),
    }
}
