//! Mailing lists: what they are, who is on them, which posts wait; and leaving with one click.
//!
//! What somebody may do with a list is a [`ListRight`]: by their role, where the list's domain is theirs, or because they look after it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use relais_filing::list::{Tokens, Wish, other, post_onward};
use relais_message::format_date;
use relais_model::{Address, Domain, ReversePath, SystemRandom, Timestamp};
use relais_reading::Letter;
use relais_store::{
    AccountKey, Author, HeldPost, ListAct, ListKey, ListMember, ListTerms, MAX_LIST_TITLE_OCTETS, MAX_POST_OCTETS,
    MAX_PREFIX_OCTETS, MailingList, MemberKey, NewMember, Page, PostKey, Posters as StorePosters, Store, StoreError,
    TraceId,
};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};

use crate::checks::{self, Checks};
use crate::directory::readable;
use crate::pace::Pace;
use crate::paging::{Rows, page};
use crate::people::unknown;
use crate::{Actor, Complaint, Failure, Moment, Role, Text};

/// Octets of a text with members, at most.
const MAX_IMPORT_OCTETS: usize = 512 * 1024;
/// Octets of a post, at least.
const LEAST_OCTETS: u64 = 1024;
/// How long copies are tried.
const TRIED_FOR: Duration = Duration::from_hours(5 * 24);
/// Letters that strangers cause on the pages of lists, at once and in a minute.
const LETTERS_AT_ONCE: usize = 4;
const LETTERS_A_MINUTE: usize = 30;
/// One address isn't written to again about one list before this.
const ASKED_AGAIN_AFTER: Duration = Duration::from_hours(1);
/// Addresses that are remembered for that, at most; letters in the hour are fewer.
const ASKED_AT_MOST: usize = 4096;
/// Characters of a post that waits which are shown, at most.
const MAX_SHOWN: usize = 10_000;
/// Addresses elsewhere that one person invites in an hour, at most.
const INVITED_AN_HOUR: usize = 100;

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

/// Which of one's own lists are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OwnListsWanted {
    /// Those alone that one looks after.
    pub is_owner: bool,
    /// A text in the address or title.
    pub search: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Rows wanted: 1 to 500, 50 where it isn't said.
    pub limit: Option<u32>,
}

/// A list that who asks is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnListView {
    /// Its address.
    #[schema(example = "team@example.org")]
    pub address: String,
    /// What it is about.
    pub title: String,
    /// Who asks looks after it.
    pub is_owner: bool,
    /// How many are on it; null for who doesn't look after it.
    pub members: Option<u64>,
    /// How many posts wait for an owner; null for who doesn't look after it.
    pub held: Option<u64>,
}

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
    /// How many elsewhere were written to, and are on it once they say so: who looks after a list adds people of this house alone by themselves.
    pub invited: u64,
    /// How many were named.
    pub named: u64,
    /// What was no address.
    pub refused: Vec<String>,
}

/// A post that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldPostView {
    /// Names it.
    pub id: String,
    /// Who wrote it, as it says.
    pub author: String,
    /// Its subject.
    pub subject: String,
    /// Since when it waits.
    pub held_at: Moment,
}

/// What a post says that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldPostText {
    /// Names it.
    pub id: String,
    /// Who wrote it, as it says.
    pub author: String,
    /// Its subject.
    pub subject: String,
    /// Since when it waits.
    pub held_at: Moment,
    /// Its beginning, up to 10,000 characters; of HTML, what is read.
    pub text: String,
    /// What is with it, by name.
    pub files: Vec<String>,
}

/// Who leaves which list, by a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The list.
    pub list: String,
    /// The member.
    pub member: String,
}

/// A list that people join by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenList {
    /// Its address.
    pub address: String,
    /// What it is about.
    pub title: String,
}

/// What a link confirms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirming {
    /// The list.
    pub list: String,
    /// Who joins or leaves.
    pub member: String,
    /// They join.
    pub joins: bool,
}

/// Whom strangers had written to of late.
#[derive(Debug)]
struct Asked {
    pace: Pace,
    letters: Mutex<HashMap<[u8; 32], Written>>,
}

/// An address that was written to.
#[derive(Debug)]
struct Written {
    at: Timestamp,
    /// By whose invitation, where it was one.
    by: Option<AccountKey>,
}

/// The use-cases of lists.
#[derive(Debug, Clone)]
pub struct Lists {
    store: Store,
    asked: Arc<Asked>,
}

impl Lists {
    pub(crate) fn new(store: Store) -> Self {
        let pace = Pace::new(LETTERS_AT_ONCE, LETTERS_A_MINUTE);
        Self { store, asked: Arc::new(Asked { pace, letters: Mutex::default() }) }
    }

    /// A list that people join by themselves; none where there is no such one. Anybody.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn open_list(&self, list: &str) -> Result<Option<OpenList>, Failure> {
        Ok(self
            .find_open(list)
            .await?
            .map(|list| OpenList { address: readable(&list.address), title: list.terms.title }))
    }

    /// Somebody says on a page that `address` wishes to join or to leave an open list: the address is written to, and nothing is told of whether it
    /// is a member. At most 30 letters a minute, and one an hour to an address. Anybody.
    ///
    /// # Errors
    /// [`Failure::Absent`] where there is no such open list; [`Failure::Unfit`] on `address`; [`Failure::TooMany`].
    pub async fn ask(&self, list: &str, address: &str, joins: bool) -> Result<(), Failure> {
        let found = self.find_open(list).await?.ok_or_else(|| unknown(list))?;
        let mut checks = Checks::default();
        let address = checks.take(checks::address("address", address));
        let address = checks.end(address)?;
        let now = self.store.now();
        let _place = self.asked.pace.admit(now)?;
        if self.may_write(&found, &address, None, now) {
            self.wish(&found, &address, if joins { Wish::Join } else { Wish::Leave }).await?;
        }
        Ok(())
    }

    /// Has the list ask an address whether it is meant. As if the address had written to the list itself: the mark says that it was we.
    async fn wish(&self, list: &MailingList, address: &Address, wish: Wish) -> Result<(), Failure> {
        let (now, act) =
            (self.store.now(), if wish == Wish::Leave { ListAct::Unsubscribe } else { ListAct::Subscribe });
        let mark = self.tokens().await?.wish(list.key, address, wish, now);
        let to = other(&list.address, act, &mark);
        let date = format_date(now);
        let letter = format!("From: <{address}>\r\nTo: <{to}>\r\nSubject: {}\r\nDate: {date}\r\n\r\n", act.suffix());
        let trace = TraceId::make(now, &SystemRandom);
        let onward = post_onward(&list.address, letter.into_bytes(), ReversePath::Null, to, trace, now.plus(TRIED_FOR));
        self.store.accept(onward).await?;
        Ok(())
    }

    /// Notes that an address is written to, by whose invitation where it is one; false where it was, of late.
    fn may_write(&self, list: &MailingList, address: &Address, by: Option<AccountKey>, now: Timestamp) -> bool {
        let whose = format!("{} {}", list.key.value(), relais_store::fold(address));
        let mut letters = self.asked.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.retain(|_, letter| now.since(letter.at) < ASKED_AGAIN_AFTER);
        let whose = *blake3::hash(whose.as_bytes()).as_bytes();
        if letters.len() >= ASKED_AT_MOST || letters.contains_key(&whose) {
            return false;
        }
        letters.insert(whose, Written { at: now, by }).is_none()
    }

    /// How many somebody invited of late.
    fn invited_by(&self, account: AccountKey, now: Timestamp) -> usize {
        let letters = self.asked.letters.lock().unwrap_or_else(PoisonError::into_inner);
        let is_theirs = |letter: &&Written| letter.by == Some(account) && now.since(letter.at) < ASKED_AGAIN_AFTER;
        letters.values().filter(is_theirs).count()
    }

    /// What a link of such a letter confirms; none where it is none of ours, or too old. Anybody who has the link.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn confirming(&self, list: &str, mark: &str, member: &str) -> Result<Option<Confirming>, Failure> {
        let found = self.wish_of(list, mark, member).await?;
        Ok(found.map(|(list, member, wish)| Confirming {
            list: readable(&list.address),
            member: readable(&member),
            joins: wish != Wish::Leave,
        }))
    }

    /// Does what the link confirms; false where it confirms nothing. Anybody who has the link.
    ///
    /// # Errors
    /// [`Failure::Failed`]; [`Failure::Clash`] where the list can't have more members.
    pub async fn confirm(&self, list: &str, mark: &str, member: &str) -> Result<bool, Failure> {
        let Some((list, member, wish)) = self.wish_of(list, mark, member).await? else { return Ok(false) };
        let by = Author::house();
        if wish == Wish::Leave {
            self.store.leave_list(list.key, &member, &by).await?;
            return Ok(true);
        }
        match self.store.list_member(list.key, &member).await? {
            Some(known) if known.stopped_at.is_none() => {}
            _ => {
                self.store.put_list_members(list.key, vec![NewMember::reader(member)], &by).await?;
            }
        }
        Ok(true)
    }

    async fn wish_of(
        &self,
        list: &str,
        mark: &str,
        member: &str,
    ) -> Result<Option<(MailingList, Address, Wish)>, Failure> {
        let Ok(list) = Address::parse(list) else { return Ok(None) };
        let named = BASE32_NOPAD.decode(member.to_ascii_uppercase().as_bytes()).ok();
        let named = named.and_then(|octets| String::from_utf8(octets).ok());
        let Some(member) = named.and_then(|text| Address::parse(&text).ok()) else { return Ok(None) };
        let Some(list) = self.store.list(&list).await? else { return Ok(None) };
        let wish = self.tokens().await?.confirmed(list.key, &member, mark, self.store.now());
        let is_open = list.terms.is_open;
        Ok(wish.filter(|wish| is_open || *wish != Wish::Join).map(|wish| (list, member, wish)))
    }

    async fn find_open(&self, list: &str) -> Result<Option<MailingList>, Failure> {
        let Ok(address) = Address::parse(list.trim()) else { return Ok(None) };
        Ok(self.store.list(&address).await?.filter(|list| list.terms.is_open))
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

    /// Lists that who asks is on, by their account's own address. Everybody.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn own(&self, actor: &Actor, wanted: &OwnListsWanted) -> Result<Rows<OwnListView>, Failure> {
        let (_, me) = actor.own()?;
        let (page, text) = (page(wanted.after.as_deref(), wanted.limit), wanted.search.as_deref());
        // In the same order: all of this page that they look after are among them.
        let run = self.store.lists_of(me, true, text, &page).await?;
        let found = if wanted.is_owner { run.clone() } else { self.store.lists_of(me, false, text, &page).await? };
        Ok(Rows::of(found, |list| {
            let is_owner = run.rows.iter().any(|run| run.key == list.key);
            OwnListView {
                address: readable(&list.address),
                title: list.terms.title,
                is_owner,
                members: is_owner.then_some(list.members),
                held: is_owner.then_some(list.held),
            }
        }))
    }

    /// Whether who asks looks after a list that they are on. Everybody.
    ///
    /// # Errors
    /// [`Failure::Absent`] where they aren't on it.
    pub async fn is_owned(&self, actor: &Actor, list: &str) -> Result<bool, Failure> {
        let (_, me) = actor.own()?;
        let found = self.any(list).await?;
        let member = self.store.list_member(found.key, me).await?;
        Ok(member.ok_or_else(|| unknown(list))?.is_owner)
    }

    /// Who asks leaves a list. Everybody.
    ///
    /// # Errors
    /// [`Failure::Absent`] where they aren't on it.
    pub async fn leave_own(&self, actor: &Actor, list: &str) -> Result<(), Failure> {
        let (_, me) = actor.own()?;
        let found = self.any(list).await?;
        if self.store.leave_list(found.key, me, &actor.author()).await? { Ok(()) } else { Err(unknown(list)) }
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
            Err(relais_store::DirectoryError::Unfit(_)) => {
                Err(Failure::unfit("members", Text::new("failure-list-full")))
            }
            other => Ok(other?),
        }
    }

    /// Parts who is of this house, or on the list already, from who is to be asked first.
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
                None => self.is_ours(domain).await?,
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

    async fn is_ours(&self, domain: &Domain) -> Result<bool, StoreError> {
        let is_ours = self.store.domain_key(domain).await?.is_some();
        Ok(is_ours || self.store.domain_of_alias(domain).await?.is_some())
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

    /// Posts that wait. Help desk, and who looks after the list.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn posts(&self, actor: &Actor, list: &str, wanted: &ListsWanted) -> Result<Rows<HeldPostView>, Failure> {
        let (found, _) = self.find(actor, list, ListRight::See).await?;
        let page = page(wanted.after.as_deref(), wanted.limit);
        Ok(Rows::of(self.store.held_list_posts(found.key, &page).await?, held))
    }

    /// One post that waits, with what it says. Domain admin, and who looks after the list.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`], also where somebody has decided already.
    pub async fn post(&self, actor: &Actor, list: &str, id: &str) -> Result<HeldPostText, Failure> {
        let (found, _) = self.find(actor, list, ListRight::Run).await?;
        let HeldPost { key, author, subject, octets, held_at, .. } = self.held(&found, id).await?;
        let letter = spawn_blocking(move || Letter::read(&octets)).await.map_err(|_| Failure::Failed)?;
        let text = letter.text().chars().take(MAX_SHOWN).collect();
        let files = letter.files.into_iter().map(|file| file.name).filter(|name| !name.is_empty()).collect();
        Ok(HeldPostText { id: key.post_id(), author, subject, held_at: held_at.into(), text, files })
    }

    async fn held(&self, list: &MailingList, id: &str) -> Result<HeldPost, Failure> {
        let absent = || Failure::Absent(Text::new("failure-unknown-post"));
        let key = PostKey::parse(id).ok_or_else(absent)?;
        self.store.held_list_post(key).await?.filter(|post| post.list == list.key).ok_or_else(absent)
    }

    /// Lets a post go out, or turns it away. Domain admin, and who looks after the list.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`], also where somebody has decided already.
    pub async fn decide(&self, actor: &Actor, list: &str, id: &str, goes_out: bool) -> Result<(), Failure> {
        let (found, _) = self.find(actor, list, ListRight::Run).await?;
        let post = self.held(&found, id).await?;
        let key = post.key;
        if goes_out {
            let to = self.tokens().await?.more(&found.address, MemberKey::new(0));
            let now = self.store.now();
            let trace = TraceId::make(now, &SystemRandom);
            let onward = post_onward(&found.address, post.octets, post.reverse_path, to, trace, now.plus(TRIED_FOR));
            // First this: a post that goes out twice is better than one that is lost.
            self.store.accept(onward).await?;
        }
        self.store.drop_list_post(key).await?;
        Ok(())
    }

    /// Whom a link takes off which list; none where it is none of ours, or they have left. Anybody who has the link.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn leaving(&self, mark: &str) -> Result<Option<Leaving>, Failure> {
        let Some((list, member)) = self.who_leaves(mark).await? else { return Ok(None) };
        Ok(Some(Leaving { list: readable(&list.address), member: readable(&member.address) }))
    }

    /// Takes them off (RFC 8058 §3.2: at once, without a question). Whoever has left already has left.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn leave(&self, mark: &str) -> Result<(), Failure> {
        if let Some((list, member)) = self.who_leaves(mark).await? {
            self.store.leave_list(list.key, &member.address, &Author::house()).await?;
        }
        Ok(())
    }

    async fn who_leaves(&self, mark: &str) -> Result<Option<(MailingList, ListMember)>, Failure> {
        let Some(key) = self.tokens().await?.leaving(mark) else { return Ok(None) };
        let Some(member) = self.store.list_member_of(key).await? else { return Ok(None) };
        Ok(self.store.list_of(member.list).await?.map(|list| (list, member)))
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
    let is_owner = store.list_member(list.key, me).await?.is_some_and(|member| member.is_owner);
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

fn held(post: HeldPost) -> HeldPostView {
    HeldPostView { id: post.key.post_id(), author: post.author, subject: post.subject, held_at: post.held_at.into() }
}
