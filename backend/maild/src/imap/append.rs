//! APPEND (RFC 9051 §6.3.12, RFC 3502) and REPLACE (RFC 8508): messages are spooled as they come, and filed all together or not at
//! all. What CATENATE names (RFC 4469) is read from the store into the same spool.

use std::borrow::Cow;

use relais_imap::command::append::Replaced;
use relais_imap::response::{self, Condition, ResponseCode};
use relais_imap::session::AppendMessage;
use relais_imap::url::MessageUrl;
use relais_message::{Structure, section};
use relais_model::{Flag, Rights, SeqNum, Timestamp, Uid};
use relais_reception::{Held, ImapCause, Spool};
use relais_store::{AccountKey, Append, Reach, Row};
use tracing::error;

use super::{Client, Done, Halt};

/// A message up to this size is no loss where it was spooled for nothing.
const SMALL_OCTETS: u64 = 64 * 1024;

/// An APPEND under way.
pub(super) struct Appending {
    mailbox: Reach,
    /// Whose room it takes.
    owner: AccountKey,
    /// The message that goes, and where it is.
    replaced: Option<(Reach, Uid)>,
    filed: Vec<Append>,
    /// Octets of all messages announced so far.
    octets: u64,
    current: Option<Current>,
    is_broken: bool,
    /// The room that `filed` takes.
    held: Vec<Held>,
}

/// The message that is coming in.
struct Current {
    spool: Spool,
    flags: Vec<Flag>,
    internal_date: Option<Timestamp>,
    is_binary: bool,
    /// Octets so far.
    octets: u64,
}

impl Client {
    /// A message is announced: is there a mailbox for it, and room?
    pub(super) async fn begin_message(&mut self, message: AppendMessage) {
        if let Err(halt) = self.try_begin_message(message).await {
            self.appending = None;
            if let Halt::Refuse(_, code, text) = halt {
                self.session.refuse_append(&mut self.out, code.as_ref(), &text);
            }
        }
    }

    async fn try_begin_message(&mut self, message: AppendMessage) -> Result<(), Halt> {
        if self.house.reception.disk().is_nearly_full() {
            return Err(Halt::no(ResponseCode::Unavailable, "The disk is nearly full; try again later"));
        }
        if message.index == 0 {
            let replaced = message.replaced.map(|replaced| self.replaced(replaced)).transpose()?;
            let mailbox = self.target(&message.mailbox).await?;
            let owner = match mailbox.reader {
                None => self.account()?,
                Some(_) => self.house.store.owner_of(mailbox.mailbox).await?.ok_or_else(Halt::no_mailbox)?,
            };
            self.appending = Some(Box::new(Appending {
                mailbox,
                owner,
                replaced,
                filed: Vec::new(),
                octets: 0,
                current: None,
                is_broken: false,
                held: Vec::new(),
            }));
        }
        let announced = self.appending.as_deref_mut().map_or(message.head.size_octets, |appending| {
            appending.octets = appending.octets.saturating_add(message.head.size_octets);
            appending.octets
        });
        // A client that doesn't wait to be let sends a small message sooner than it is asked whether there is room for it.
        if message.replaced.is_none() && (!message.head.is_hasty || announced > SMALL_OCTETS) {
            self.must_have_room(announced).await?;
        }
        self.hold_message()?;
        self.finish_message().await;
        let spool = self.house.reception.spooler().begin();
        if let Some(appending) = self.appending.as_deref_mut() {
            let head = message.head;
            let (flags, internal_date, is_binary) = (head.flags, head.internal_date, head.is_binary);
            appending.current = Some(Current { spool, flags, internal_date, is_binary, octets: 0 });
        }
        Ok(())
    }

    /// The message that REPLACE takes away.
    fn replaced(&self, replaced: Replaced) -> Result<(Reach, Uid), Halt> {
        let selected = self.writable()?;
        let uid = if replaced.by_uid {
            Uid::new(replaced.number).filter(|uid| selected.known.contains(*uid))
        } else {
            SeqNum::new(replaced.number).and_then(|number| selected.known.at(number))
        };
        let uid = uid.ok_or_else(|| Halt::no(ResponseCode::NonExistent, "There is no such message"))?;
        if selected.misses(&std::iter::once(uid).collect()) {
            return Err(Halt::expunged());
        }
        Ok((selected.reach(), uid))
    }

    /// CATENATE names octets that belong to the message. Nothing is marked as seen (RFC 4469 §3).
    pub(super) async fn append_url(&mut self, text: &str) {
        if self.appending.is_none() {
            return;
        }
        let halt = match self.named_octets(text).await {
            Ok(Some(octets)) if self.has_room_for(octets.len()) => return self.keep_octets(&octets).await,
            Ok(Some(_)) => Halt::no(ResponseCode::TooBig, "The message is too large"),
            Ok(None) => Halt::no(ResponseCode::BadUrl(Cow::Owned(text.to_owned())), "The URL names nothing here"),
            Err(halt) => halt,
        };
        self.appending = None;
        if let Halt::Refuse(_, code, text) = halt {
            self.session.refuse_append(&mut self.out, code.as_ref(), &text);
        }
    }

    fn has_room_for(&self, octets: usize) -> bool {
        let limit = self.house.limits.message_octets;
        let current = self.appending.as_deref().and_then(|appending| appending.current.as_ref());
        current.is_none_or(|current| current.octets.saturating_add(octets as u64) <= limit)
    }

    /// The octets that a URL names, if it names some of this account.
    async fn named_octets(&self, text: &str) -> Result<Option<Vec<u8>>, Halt> {
        let Some(url) = MessageUrl::parse(text) else { return Ok(None) };
        let mailbox = match &url.mailbox {
            Some(name) => self.reach(name, Rights::READ).await?.map(|reach| reach.mailbox),
            None => self.selected.as_deref().map(|selected| selected.view.mailbox()),
        };
        let Some(mailbox) = mailbox else { return Ok(None) };
        let Some(view) = self.house.store.view(mailbox).await? else { return Ok(None) };
        if url.uid_validity.is_some_and(|uid_validity| uid_validity != view.uid_validity()) {
            return Ok(None);
        }
        let one = std::iter::once(url.uid).collect();
        let row: Option<Row> = view.read(|rows| rows.select(&one).next().copied());
        let Some(row) = row else { return Ok(None) };
        let Some(raw) = self.house.store.raw(row.message()).await? else { return Ok(None) };
        let is_whole = url.section.path.is_empty() && url.section.text.is_none();
        let octets = if is_whole {
            Some(Cow::Borrowed(raw.as_slice()))
        } else {
            section(&raw, &Structure::read(&raw), &url.section)
        };
        Ok(octets.map(|octets| url.range.map_or(&*octets, |range| range.of(&octets)).to_vec()))
    }

    /// Whether the announced octets would fit: the store looks again when they are here.
    async fn must_have_room(&self, size_octets: u64) -> Result<(), Halt> {
        let owner = self.appending.as_deref().map(|appending| appending.owner);
        let owner = owner.map_or_else(|| self.account(), Ok)?;
        let quota = self.house.store.quota(owner).await?.ok_or_else(Halt::account_gone)?;
        let needed = quota.used_octets.saturating_add(size_octets);
        let is_over = quota.limit_octets.is_some_and(|limit| needed > limit)
            || quota.limit_messages.is_some_and(|limit| quota.used_messages >= limit);
        if is_over {
            return Err(Halt::no(ResponseCode::OverQuota, "The account's quota doesn't allow this message"));
        }
        Ok(())
    }

    /// Octets of the announced message.
    pub(super) async fn keep_octets(&mut self, octets: &[u8]) {
        let Some(appending) = self.appending.as_deref_mut() else { return };
        let Some(current) = &mut appending.current else { return };
        current.octets = current.octets.saturating_add(octets.len() as u64);
        if let Err(error) = current.spool.write(octets).await {
            error!(%error, "the spool cannot be written");
            appending.is_broken = true;
            appending.current = None;
        }
    }

    /// The message that came in has another behind it, and waits in memory for as long as that takes.
    fn hold_message(&mut self) -> Result<(), Halt> {
        let Some(appending) = self.appending.as_deref_mut() else { return Ok(()) };
        let Some(current) = &appending.current else { return Ok(()) };
        let held = self.house.reception.spooler().hold(current.spool.octets());
        let busy = || Halt::no(ResponseCode::Unavailable, "Too many messages wait to be filed; try again later");
        appending.held.push(held.ok_or_else(busy)?);
        Ok(())
    }

    /// The message that came in is whole: understood and kept with those before it.
    async fn finish_message(&mut self) {
        let Some(appending) = self.appending.as_deref_mut() else { return };
        let Some(Current { spool, flags, internal_date, is_binary, .. }) = appending.current.take() else { return };
        match spool.finish(0).await {
            Ok(mut spooled) => {
                // RFC 3516 §4.3 leaves it to us how we keep what came as a literal8.
                if is_binary && let Some(text) = relais_message::without_binary(&spooled.octets) {
                    spooled.octets = text;
                }
                let content = relais_reception::prepare(spooled).await;
                appending.filed.push(Append { content, flags, internal_date });
            }
            Err(error) => {
                error!(%error, "the spool cannot be read");
                appending.is_broken = true;
            }
        }
    }

    /// All messages are here.
    pub(super) async fn append(&mut self) -> Result<Done, Halt> {
        self.finish_message().await;
        let Some(appending) = self.appending.take() else { return Err(Halt::bad("Nothing was appended")) };
        if appending.is_broken {
            return Err(Halt::no(ResponseCode::Unavailable, "The message could not be kept; try again later"));
        }
        if let Some((from, uid)) = appending.replaced {
            let Some(message) = appending.filed.into_iter().next() else {
                return Err(Halt::bad("Nothing was appended"));
            };
            let replaced = self.house.store.replace(from, uid, appending.mailbox, message).await?;
            self.did_put(appending.mailbox, ImapCause::Append, replaced.appended.uids.clone()).await;
            // RFC 8508 §4.3: before EXPUNGE.
            let appended = replaced.appended;
            let code = ResponseCode::AppendUid { uid_validity: appended.uid_validity, uids: appended.uids };
            let text = self.session.say("The message that comes instead");
            response::condition(&mut self.out, Condition::Ok, Some(&code), text);
            let code = self.session.enabled().condstore.then_some(ResponseCode::HighestModSeq(replaced.mod_seq));
            return Ok(Done { code, text: "Replaced" });
        }
        let appended = self.house.store.append(appending.mailbox, appending.filed).await?;
        self.did_put(appending.mailbox, ImapCause::Append, appended.uids.clone()).await;
        let code = ResponseCode::AppendUid { uid_validity: appended.uid_validity, uids: appended.uids };
        Ok(Done { code: Some(code), text: "Appended" })
    }
}
