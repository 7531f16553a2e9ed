//! Who is on a list.

use std::collections::HashMap;

use relais_filing::list::Wish;
use relais_model::{Address, Domain};
use relais_store::{Author, DirectoryError, ListMember, MailingList, NewMember, Page, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ListRight, Lists, ListsWanted};
use crate::directory::readable;
use crate::paging::{Rows, page};
use crate::people::unknown;
use crate::{Actor, Failure, Moment, Text};

/// Octets of a text with members, at most.
const MAX_IMPORT_OCTETS: usize = 512 * 1024;
/// Addresses elsewhere that one person invites in an hour, at most.
const INVITED_AN_HOUR: usize = 100;

/// One who is on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListMemberView {
    /// Here or elsewhere.
    pub address: String,
    /// They look after it.
    pub is_owner: bool,
    /// Posts are sent to them.
    pub gets_posts: bool,
    /// Days on which mail to them came back, in a row.
    pub bounces: u64,
    /// Since when nothing is sent to them, because too much came back; to add them again begins anew.
    pub stopped_at: Option<Moment>,
    /// When they came.
    pub joined_at: Moment,
}

/// Who is to be added, or changed where they are there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMembersForm {
    /// One address a line, up to 10,000; `;` or `,` part them, too. What stands before `<` is left aside.
    pub members: String,
    /// They look after the list.
    #[serde(default)]
    pub is_owner: bool,
    /// Posts aren't sent to them.
    #[serde(default)]
    pub is_silent: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListMembersPut {
    /// How many are new.
    pub added: u64,
    /// How many elsewhere were written to, and are on it once they say so: who looks after a list adds people of its tenant alone by themselves.
    pub invited: u64,
    /// How many were named.
    pub named: u64,
    /// What was no address.
    pub refused: Vec<String>,
}

impl Lists {
    /// Who is on a list. Help desk, and who looks after it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn members(
        &self,
        actor: &Actor,
        list: &str,
        wanted: &ListsWanted,
    ) -> Result<Rows<ListMemberView>, Failure> {
        let (found, _) = self.find(actor, list, ListRight::See).await?;
        let page = page(wanted.after.as_deref(), wanted.limit);
        Ok(Rows::of(self.store.list_members(found.key, wanted.search.as_deref(), &page).await?, |found| member(&found)))
    }

    /// All addresses of a list, one a line. Domain admin, and who looks after it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn export(&self, actor: &Actor, list: &str) -> Result<String, Failure> {
        let (found, _) = self.find(actor, list, ListRight::Run).await?;
        let (mut text, mut page) = (String::new(), Page::first());
        loop {
            let members = self.store.list_members(found.key, None, &page).await?;
            for member in &members.rows {
                text.push_str(&member.address.to_string());
                text.push('\n');
            }
            match members.next {
                Some(next) => page.after = Some(next),
                None => return Ok(text),
            }
        }
    }

    /// Adds people to a list, or changes what they are; who was stopped gets mail again. Domain admin, and who looks after it: for them, who is
    /// elsewhere and not on it yet is invited by a letter, and is on it, as a reader, once they say so.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`]; [`Failure::Unfit`] on `members` where nobody is named, or too many are.
    pub async fn put_members(
        &self,
        actor: &Actor,
        list: &str,
        form: &ListMembersForm,
    ) -> Result<ListMembersPut, Failure> {
        let (found, right) = self.find(actor, list, ListRight::Run).await?;
        let (mut members, mut refused) = (Vec::new(), Vec::new());
        let text = if form.members.len() > MAX_IMPORT_OCTETS { "" } else { form.members.as_str() };
        for line in text.split(['\n', ';', ',']).map(str::trim).filter(|line| !line.is_empty()) {
            let bare = line.rsplit_once('<').map_or(line, |(_, rest)| rest.trim_end_matches('>'));
            match Address::parse(bare.trim()) {
                Ok(address) => {
                    members.push(NewMember { address, is_owner: form.is_owner, gets_posts: !form.is_silent });
                }
                Err(_) => refused.push(line.chars().take(100).collect()),
            }
        }
        if members.is_empty() {
            return Err(Failure::unfit("members", Text::new("failure-list-members")));
        }
        let named = u64::try_from(members.len()).unwrap_or(u64::MAX);
        let mut strangers = Vec::new();
        if right < ListRight::Manage {
            (members, strangers) = self.known_and_strange(&found, members).await?;
            let invited = self.invited_by(actor.own()?.0, self.store.now());
            if invited.saturating_add(strangers.len()) > INVITED_AN_HOUR {
                let why = Text::new("failure-list-invited").with("most", INVITED_AN_HOUR);
                return Err(Failure::unfit("members", why));
            }
        }
        let added = if members.is_empty() { 0 } else { self.put(&found, members, &actor.author()).await? };
        let invited = self.invite(actor, &found, &strangers).await?;
        refused.truncate(100);
        Ok(ListMembersPut { added, invited, named, refused })
    }

    async fn put(&self, list: &MailingList, members: Vec<NewMember>, by: &Author) -> Result<u64, Failure> {
        match self.store.put_list_members(list.key, members, by).await {
            Err(DirectoryError::Unfit(_)) => Err(Failure::unfit("members", Text::new("failure-list-full"))),
            other => Ok(other?),
        }
    }

    /// Parts who is of the house and the list's tenant, or on the list already, from who is to be asked first.
    async fn known_and_strange(
        &self,
        list: &MailingList,
        members: Vec<NewMember>,
    ) -> Result<(Vec<NewMember>, Vec<Address>), Failure> {
        let (mut known, mut strange, mut ours) = (Vec::new(), Vec::new(), HashMap::new());
        for member in members {
            let domain = &member.address.domain;
            let is_ours = match ours.get(domain).copied() {
                Some(is_ours) => is_ours,
                None => self.is_ours(list, domain).await?,
            };
            ours.insert(domain.clone(), is_ours);
            if is_ours || self.store.list_member(list.key, &member.address).await?.is_some() {
                known.push(member);
            } else {
                strange.push(member.address);
            }
        }
        Ok((known, strange))
    }

    /// Whether a domain is of this house, and of the list's tenant.
    async fn is_ours(&self, list: &MailingList, domain: &Domain) -> Result<bool, StoreError> {
        let theirs = self.tenant_of(domain).await?;
        Ok(theirs.is_some() && theirs == self.tenant_of(&list.address.domain).await?)
    }

    /// None: it isn't ours.
    async fn tenant_of(&self, domain: &Domain) -> Result<Option<String>, StoreError> {
        let name = self.store.domain_of_alias(domain).await?;
        let domain = self.store.domain(name.as_ref().unwrap_or(domain)).await?;
        Ok(domain.map(|domain| domain.tenant))
    }

    /// How many are asked: who was of late isn't again.
    async fn invite(&self, actor: &Actor, list: &MailingList, strangers: &[Address]) -> Result<u64, Failure> {
        let (by, mut invited) = (actor.account.as_ref().map(|(key, _)| *key), 0);
        for address in strangers {
            if self.may_write(list, address, by, self.store.now()) {
                self.wish(list, address, Wish::Invited).await?;
                invited += 1;
            }
        }
        Ok(invited)
    }

    /// Takes somebody off a list. Domain admin, and who looks after it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn remove_member(&self, actor: &Actor, list: &str, address: &str) -> Result<(), Failure> {
        let (found, _) = self.find(actor, list, ListRight::Run).await?;
        let who = Address::parse(address.trim()).map_err(|_| unknown(address))?;
        if self.store.remove_list_member(found.key, &who, &actor.author()).await? {
            Ok(())
        } else {
            Err(unknown(address))
        }
    }
}

fn member(member: &ListMember) -> ListMemberView {
    ListMemberView {
        address: readable(&member.address),
        is_owner: member.is_owner,
        gets_posts: member.gets_posts,
        bounces: member.bounces,
        stopped_at: member.stopped_at.map(Moment),
        joined_at: member.joined_at.into(),
    }
}
