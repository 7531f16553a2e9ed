//! Joining and leaving by a page, by a letter that asks, and with one click.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use relais_filing::list::{Wish, other, post_onward};
use relais_message::format_date;
use relais_model::{Address, ReversePath, SystemRandom, Timestamp};
use relais_store::{AccountKey, Author, ListAct, ListMember, MailingList, NewMember, TraceId};

use super::{Lists, TRIED_FOR};
use crate::Failure;
use crate::checks::{self, Checks};
use crate::directory::readable;
use crate::pace::Pace;
use crate::people::unknown;

/// Letters that strangers cause on the pages of lists, at once and in a minute.
const LETTERS_AT_ONCE: usize = 4;
const LETTERS_A_MINUTE: usize = 30;
/// One address isn't written to again about one list before this.
const ASKED_AGAIN_AFTER: Duration = Duration::from_hours(1);
/// Addresses that are remembered for that, at most; letters in the hour are fewer.
const ASKED_AT_MOST: usize = 4096;

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

/// Who leaves which list, by a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaver {
    /// The list.
    pub list: String,
    /// The member.
    pub member: String,
}

/// Whom strangers had written to of late.
#[derive(Debug)]
pub(super) struct Asked {
    pace: Pace,
    letters: Mutex<HashMap<[u8; 32], Written>>,
}

impl Asked {
    pub(super) fn new() -> Self {
        Self { pace: Pace::new(LETTERS_AT_ONCE, LETTERS_A_MINUTE), letters: Mutex::default() }
    }
}

/// An address that was written to.
#[derive(Debug)]
struct Written {
    at: Timestamp,
    /// By whose invitation, where it was one.
    by: Option<AccountKey>,
}

impl Lists {
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
    pub(super) async fn wish(&self, list: &MailingList, address: &Address, wish: Wish) -> Result<(), Failure> {
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
    pub(super) fn may_write(
        &self,
        list: &MailingList,
        address: &Address,
        by: Option<AccountKey>,
        now: Timestamp,
    ) -> bool {
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
    pub(super) fn invited_by(&self, account: AccountKey, now: Timestamp) -> usize {
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

    /// Whom a link takes off which list; none where it is none of ours, or they have left. Anybody who has the link.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn leaving(&self, mark: &str) -> Result<Option<Leaver>, Failure> {
        let Some((list, member)) = self.who_leaves(mark).await? else { return Ok(None) };
        Ok(Some(Leaver { list: readable(&list.address), member: readable(&member.address) }))
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
}
