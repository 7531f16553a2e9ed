//! Teams: accounts that nobody logs in as, whose mailboxes several people read, and whose address they write from.
//!
//! Who is in a team has rights on all its mailboxes, and on those that are made below them later. Mail, quota, aliases and removal are those of
//! any account, so that most acts are the ones of [`People`].

use relais_model::{MailboxName, Rights};
use relais_store::{Account, AccountFilter, Borrower, Grant, Grantee, Lent, MailboxKey, Order, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::checks;
use crate::paging::{Rows, page};
use crate::people::unknown;
use crate::sharing::{SendsAs, Share, ShareLevel, is_named, refused};
use crate::{Actor, Failure, Moment, NewPerson, People, PersonChange, PersonView, Role, Text};

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TeamView {
    /// Its address.
    #[schema(example = "sales@example.org")]
    pub address: String,
    /// Its domain.
    pub domain: String,
    /// Its name; may be empty.
    pub name: String,
    /// Octets that its mail may take; none: no limit.
    pub quota_octets: Option<u64>,
    /// Octets that it takes.
    pub used_octets: u64,
    /// Messages that it has.
    pub used_messages: u64,
    /// When it was made.
    pub created_at: Moment,
    /// Since when it is removed; it can be restored until `purged_at`.
    pub removed_at: Option<Moment>,
    /// When what is removed is gone for good.
    pub purged_at: Option<Moment>,
    /// Another one after each change.
    pub version: String,
}

impl From<PersonView> for TeamView {
    fn from(account: PersonView) -> Self {
        Self {
            address: account.address,
            domain: account.domain,
            name: account.name,
            quota_octets: account.quota_octets,
            used_octets: account.used_octets,
            used_messages: account.used_messages,
            created_at: account.created_at,
            removed_at: account.removed_at,
            purged_at: account.purged_at,
            version: account.version,
        }
    }
}

/// Which teams are wanted, by their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TeamsWanted {
    /// A text in the address or the name.
    pub search: Option<String>,
    /// Those that are removed and can be restored, instead of those that are here.
    pub removed: bool,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows wanted: 1 to 500, 50 where it isn't said.
    pub limit: Option<u32>,
}

/// A team that is to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTeam {
    /// Its address, in a domain of ours.
    #[schema(example = "sales@example.org")]
    pub address: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Octets that its mail may take; null: no limit; left out: as its domain says.
    #[serde(default, deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub quota_octets: Option<Option<u64>>,
}

/// What is to be different; what isn't named stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TeamChange {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Octets that its mail may take; null: no limit.
    #[serde(deserialize_with = "checks::nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub quota_octets: Option<Option<u64>>,
}

/// Who is in a team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamMember {
    /// An address, `@` and a domain for all its people, or `anyone`.
    #[schema(example = "ben@example.org")]
    pub with: String,
    /// What they may do in its mailboxes, told of its INBOX; null: nothing, or what `rights` says.
    #[serde(default)]
    pub level: Option<ShareLevel>,
    /// The same as letters of RFC 4314, §2.1. Where both are given, the letters count.
    #[serde(default)]
    pub rights: String,
    /// How they write from its address; null: not at all.
    #[serde(default)]
    pub sends: Option<SendsAs>,
    /// It counts for nothing, for they are of another tenant than the team; they can only be taken out. Told, and not taken.
    #[serde(default)]
    pub is_dormant: bool,
}

/// The use-cases of teams.
#[derive(Debug, Clone)]
pub struct Teams {
    store: Store,
    people: People,
}

impl Teams {
    pub(crate) const fn new(store: Store, people: People) -> Self {
        Self { store, people }
    }

    /// Teams, those that the asker sees. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn list(&self, actor: &Actor, wanted: &TeamsWanted) -> Result<Rows<TeamView>, Failure> {
        actor.require(Role::HelpDesk)?;
        let filter = AccountFilter {
            domains: actor.domains(),
            text: wanted.search.clone(),
            is_team: Some(true),
            is_removed: wanted.removed,
            ..AccountFilter::default()
        };
        let page = page(wanted.after.as_deref(), wanted.limit);
        let listing = self.store.accounts(&filter, Order::default(), &page).await?;
        Ok(Rows::of(listing, |account| self.people.view(account).into()))
    }

    /// One team. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn show(&self, actor: &Actor, team: &str) -> Result<TeamView, Failure> {
        actor.require(Role::HelpDesk)?;
        Ok(self.people.view(self.find(actor, team).await?).into())
    }

    /// Makes a team. Domain admin.
    ///
    /// # Errors
    /// As of [`People::create`].
    pub async fn create(&self, actor: &Actor, new: NewTeam) -> Result<TeamView, Failure> {
        actor.require(Role::DomainAdmin)?;
        let NewTeam { address, name, quota_octets } = new;
        let new = NewPerson { address, name, quota_octets, ..NewPerson::default() };
        let (mut account, _) = self.people.check(actor, new).await?;
        account.is_team = true;
        Ok(self.people.add(actor, account).await?.into())
    }

    /// Changes a team's name or room. Domain admin.
    ///
    /// # Errors
    /// As of [`People::change`].
    pub async fn change(
        &self,
        actor: &Actor,
        team: &str,
        change: TeamChange,
        if_version: Option<&str>,
    ) -> Result<TeamView, Failure> {
        actor.require(Role::DomainAdmin)?;
        self.find(actor, team).await?;
        let TeamChange { name, quota_octets } = change;
        let change = PersonChange { name, quota_octets, ..PersonChange::default() };
        Ok(self.people.change(actor, team, change, if_version).await?.into())
    }

    /// Removes a team with its mail; it can be restored for as long as the setting `removed.kept` says. Domain admin, of late signed in.
    ///
    /// # Errors
    /// As of [`People::remove`].
    pub async fn remove(&self, actor: &Actor, team: &str, if_version: Option<&str>) -> Result<(), Failure> {
        actor.require(Role::DomainAdmin)?;
        actor.require_proof()?;
        self.find(actor, team).await?;
        self.people.remove(actor, team, if_version).await
    }

    /// Restores a team that was removed, with all its mail and those who are in it. Domain admin.
    ///
    /// # Errors
    /// As of [`People::restore`].
    pub async fn restore(&self, actor: &Actor, team: &str) -> Result<TeamView, Failure> {
        Ok(self.people.restore(actor, team).await?.into())
    }

    /// Who is in a team: who may do something in its INBOX, or write from its address. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn members(&self, actor: &Actor, team: &str) -> Result<Vec<TeamMember>, Failure> {
        actor.require(Role::HelpDesk)?;
        let team = self.find(actor, team).await?;
        self.members_of(&team).await
    }

    /// Has somebody be in a team so, and no other way; with neither rights nor a way to write, they are in it no longer. Gives who is in it then.
    /// Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`]; [`Failure::Unfit`] on `with` or `rights`; [`Failure::Clash`] where too many are in it.
    pub async fn put_member(&self, actor: &Actor, team: &str, member: &TeamMember) -> Result<Vec<TeamMember>, Failure> {
        actor.require(Role::DomainAdmin)?;
        let team = self.find(actor, team).await?;
        let with = member.with.trim();
        let wanted = Share { rights: member.rights.clone(), level: member.level, ..Share::default() }.wanted();
        let ends = member.sends.is_none() && wanted.as_ref().is_ok_and(|rights| *rights == Rights::NONE);
        let dormant = if ends { self.dormant(&team, with).await? } else { None };
        let nobody = || Failure::unfit("with", Text::new("share-nobody").with("name", with));
        let grantee = match dormant {
            Some(dormant) => dormant,
            None => self.store.grantee(team.key, with).await?.ok_or_else(nobody)?,
        };
        self.put(actor, &team, grantee, wanted?, member.sends.map(Lent::from)).await?;
        self.members_of(&team).await
    }

    /// Takes somebody out of a team. Domain admin.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn remove_member(&self, actor: &Actor, team: &str, with: &str) -> Result<(), Failure> {
        actor.require(Role::DomainAdmin)?;
        let team = self.find(actor, team).await?;
        let grantee = match self.dormant(&team, with).await? {
            Some(dormant) => dormant,
            None => self.store.grantee(team.key, with.trim()).await?.ok_or_else(|| unknown(with))?,
        };
        self.put(actor, &team, grantee, Rights::NONE, None).await
    }

    /// On each of its mailboxes, whichever use it has; then the address.
    async fn put(
        &self,
        actor: &Actor,
        team: &Account,
        grantee: Grantee,
        rights: Rights,
        sends: Option<Lent>,
    ) -> Result<(), Failure> {
        let by = actor.author();
        for status in self.store.mailboxes(team.key).await? {
            let changed = self.store.change_rights(status.mailbox.key, grantee, move |_| rights, &by).await;
            changed.map_err(refused)?;
        }
        self.store.lend(team.key, grantee, sends, &by).await.map_err(refused)
    }

    /// Who is in it and counts for nothing, by what they are called.
    async fn dormant(&self, team: &Account, with: &str) -> Result<Option<Grantee>, Failure> {
        let inbox = self.inbox(team).await?;
        let grants = self.store.dormant_grants(inbox).await?.into_iter().map(|grant| (grant.name, grant.grantee));
        let borrowers = self.store.dormant_borrowers(team.key).await?.into_iter();
        let mut all = grants.chain(borrowers.map(|borrower| (borrower.name, borrower.grantee)));
        Ok(all.find(|(name, _)| is_named(name, with)).map(|(_, grantee)| grantee))
    }

    async fn inbox(&self, team: &Account) -> Result<MailboxKey, Failure> {
        self.store.mailbox_key(team.key, &MailboxName::inbox()).await?.ok_or(Failure::Failed)
    }

    /// Those that count, then those that count for nothing.
    async fn members_of(&self, team: &Account) -> Result<Vec<TeamMember>, Failure> {
        let inbox = self.inbox(team).await?;
        let mut members = members_in(self.store.grants(inbox).await?, self.store.borrowers(team.key).await?);
        let grants = self.store.dormant_grants(inbox).await?;
        let dormant = members_in(grants, self.store.dormant_borrowers(team.key).await?);
        members.extend(dormant.into_iter().map(|member| TeamMember { is_dormant: true, ..member }));
        Ok(members)
    }

    async fn find(&self, actor: &Actor, team: &str) -> Result<Account, Failure> {
        let found = self.people.find(actor, team).await?;
        if found.is_team { Ok(found) } else { Err(unknown(team)) }
    }
}

/// Who may do something in its INBOX, with how they write from its address; then who does that alone.
fn members_in(grants: Vec<Grant>, mut borrowers: Vec<Borrower>) -> Vec<TeamMember> {
    let mut members = Vec::new();
    for Grant { grantee, name, rights } in grants {
        let at = borrowers.iter().position(|borrower| borrower.grantee == grantee);
        let sends = at.map(|at| borrowers.remove(at).how.into());
        let Share { with, rights, level, .. } = Share::of(name, rights);
        members.push(TeamMember { with, level, rights, sends, is_dormant: false });
    }
    let sends_alone = |borrower: Borrower| TeamMember {
        with: borrower.name,
        sends: Some(borrower.how.into()),
        ..TeamMember::default()
    };
    members.extend(borrowers.into_iter().map(sends_alone));
    members
}
