//! NOTIFY (RFC 5465), and what ENABLE METADATA tells unasked (RFC 5464 §4.4.2): what happens in other mailboxes, and to their names.
//!
//! All of it comes from the store's own news, which IDLE and the views live by, too. What happens in one mailbox in quick
//! succession is told once: a set of mailboxes waits, never a list of events, so nothing grows with what others do.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use relais_imap::command::{EventGroup, Events, FetchItem, MailboxFilter, Notify, StatusItem};
use relais_imap::list::ListAttribute;
use relais_imap::response::{self, Condition, ResponseCode};
use relais_model::{MailboxName, Rights};
use relais_store::{AccountKey, AccountNews, Change, ChangeKind, Grantee, Happened, MailboxKey, MailboxStatus};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use super::rights::Shown;
use super::{Client, Done, Halt};

/// How long news waits for company.
const PAUSE: Duration = Duration::from_millis(50);
/// News of names and notes that wait to be told, at most; who would have more is told so, and hears nothing further.
const MAX_NEWS: usize = 1000;
/// Acts of the client's own of which news is expected.
const MAX_OWN: usize = 64;

/// What a client is told unasked.
#[derive(Debug)]
pub(super) struct Listening {
    account: AccountKey,
    /// NOTIFY's; none: only notes, for ENABLE METADATA.
    groups: Option<Vec<EventGroup>>,
    changes: broadcast::Receiver<Change>,
    news: broadcast::Receiver<AccountNews>,
    /// What others share with the account.
    shared: Shared,
    /// That may be different now.
    is_shared_stale: bool,
    /// Mailboxes in which something happened.
    changed: BTreeSet<MailboxKey>,
    /// News that wait.
    heard: Vec<Happened>,
    /// What the client did itself: it isn't told of that (RFC 5465 §5).
    own: Vec<Happened>,
    /// When the first that waits is told.
    due: Option<Instant>,
    /// More happened than could be heard.
    is_over: bool,
}

/// Mailboxes of others, and what the account calls them.
#[derive(Debug, Default)]
struct Shared {
    names: BTreeMap<MailboxKey, MailboxName>,
    owners: BTreeSet<AccountKey>,
}

impl Shared {
    fn new(account: AccountKey, shown: &[Shown]) -> Self {
        let others = shown.iter().map(|shown| &shown.status.mailbox).filter(|mailbox| mailbox.account != account);
        let (names, owners) = others.map(|mailbox| ((mailbox.key, mailbox.name.clone()), mailbox.account)).unzip();
        Self { names, owners }
    }

    /// What happened to names since `before`. RFC 5465 §5.4, §5.9: what is shown from now on is as good as made, what isn't any more as
    /// good as deleted.
    fn since(&self, before: &Self) -> Vec<Happened> {
        let gone = before.names.iter().filter(|(key, _)| !self.names.contains_key(key));
        let gone = gone.map(|(_, name)| Happened::Deleted(name.clone()));
        let come = self.names.iter().filter_map(|(key, name)| match before.names.get(key) {
            None => Some(Happened::Created(name.clone())),
            Some(known) if known != name => Some(Happened::Renamed { from: known.clone(), to: name.clone() }),
            Some(_) => None,
        });
        gone.chain(come).collect()
    }
}

/// What is wanted of the open mailbox.
pub(super) struct OfSelected<'a> {
    pub(super) messages: bool,
    pub(super) flags: bool,
    /// What is told of new messages.
    pub(super) items: &'a [FetchItem],
}

impl Listening {
    fn selected_group(&self) -> Option<&EventGroup> {
        self.groups.as_ref()?.iter().find(|group| group.mailboxes.is_selected())
    }

    /// What NOTIFY wants of the open mailbox; none where NOTIFY wasn't said.
    pub(super) fn of_selected(&self) -> Option<OfSelected<'_>> {
        self.groups.as_ref()?;
        let events = self.selected_group().map(|group| &group.events);
        Some(OfSelected {
            messages: events.is_some_and(Events::tells_messages),
            flags: events.is_some_and(|events| events.flag_change),
            items: events.and_then(|events| events.message_new.as_deref()).unwrap_or_default(),
        })
    }

    /// SELECTED-DELAYED (RFC 5465 §6.1.2).
    pub(super) fn delays_expunges(&self) -> bool {
        self.selected_group().is_some_and(|group| group.mailboxes == MailboxFilter::SelectedDelayed)
    }

    /// Waits until something is to be told. Cancel-safe.
    pub(super) async fn hear(&mut self) {
        loop {
            if self.is_over {
                return;
            }
            let Self { changes, news, due, .. } = self;
            let pause = async {
                match *due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = pause => return,
                change = changes.recv() => self.note_change(change),
                news = news.recv() => self.note_news(news),
            }
        }
    }

    /// Takes what has come already, without waiting.
    fn gather(&mut self) {
        loop {
            match self.changes.try_recv() {
                Ok(change) => self.note_change(Ok(change)),
                Err(broadcast::error::TryRecvError::Lagged(missed)) => self.note_change(Err(RecvError::Lagged(missed))),
                Err(_) => break,
            }
        }
        loop {
            match self.news.try_recv() {
                Ok(news) => self.note_news(Ok(news)),
                Err(broadcast::error::TryRecvError::Lagged(missed)) => self.note_news(Err(RecvError::Lagged(missed))),
                Err(_) => break,
            }
        }
        self.due = None;
    }

    fn note_change(&mut self, change: Result<Change, RecvError>) {
        match change {
            Ok(Change { account, mailbox, kind, .. })
                if account == self.account || self.shared.names.contains_key(&mailbox) =>
            {
                if kind != ChangeKind::Gone && self.groups.is_some() {
                    self.changed.insert(mailbox);
                    self.due.get_or_insert_with(|| Instant::now() + PAUSE);
                }
            }
            Ok(_) => {}
            Err(_) => self.is_over = true,
        }
    }

    fn note_news(&mut self, news: Result<AccountNews, RecvError>) {
        match news {
            // With whom the account shares is no news to itself.
            Ok(AccountNews { account, what }) if account == self.account => {
                if !matches!(what, Happened::Shared(_)) {
                    self.note_happened(what);
                }
            }
            Ok(AccountNews { account, what }) => {
                let is_about_us = match what {
                    Happened::Shared(Grantee::Account(with)) => with == self.account,
                    Happened::Shared(Grantee::Domain(_) | Grantee::Anyone) => true,
                    Happened::Created(_) | Happened::Deleted(_) | Happened::Renamed { .. } => {
                        self.shared.owners.contains(&account)
                    }
                    _ => false,
                };
                if is_about_us {
                    self.is_shared_stale = true;
                    self.due.get_or_insert_with(|| Instant::now() + PAUSE);
                }
            }
            Err(_) => self.is_over = true,
        }
    }

    fn note_happened(&mut self, what: Happened) {
        if let Some(at) = self.own.iter().position(|own| *own == what) {
            self.own.swap_remove(at);
        } else if self.heard.len() >= MAX_NEWS {
            self.is_over = true;
        } else {
            self.heard.push(what);
            self.due.get_or_insert_with(|| Instant::now() + PAUSE);
        }
    }

    /// Notes that news of this is the client's own doing.
    fn expect(&mut self, what: Happened) {
        if self.own.len() >= MAX_OWN {
            self.own.remove(0);
        }
        self.own.push(what);
    }

    /// Whether some group wants `event` of this mailbox.
    fn wants(&self, name: &MailboxName, is_subscribed: bool, event: impl Fn(&Events) -> bool) -> bool {
        let groups = self.groups.as_deref().unwrap_or_default();
        groups.iter().any(|group| event(&group.events) && group.mailboxes.means(name, is_subscribed))
    }
}

impl Client {
    /// NOTIFY.
    pub(super) async fn notify(&mut self, notify: Notify) -> Result<Done, Halt> {
        let (status, groups) = match notify {
            Notify::None => (false, Vec::new()),
            Notify::Set { status, groups } => (status, groups),
        };
        if groups.iter().any(|group| group.events.unsupported) {
            return Err(Halt::no(ResponseCode::BadEvent, "One of these events is never told here"));
        }
        let mut listening = self.listen().await?;
        listening.groups = Some(groups);
        if status {
            self.tell_statuses(&listening).await?;
        }
        self.listening = Some(listening);
        self.listen_to_selected();
        Ok(Done::plain("You will hear of it"))
    }

    /// ENABLE METADATA: changes of notes are told from here on.
    pub(super) async fn hear_of_notes(&mut self) -> Result<(), Halt> {
        if self.listening.is_none() {
            self.listening = Some(self.listen().await?);
        }
        Ok(())
    }

    async fn listen(&self) -> Result<Box<Listening>, Halt> {
        let account = self.account()?;
        // Heard from here on; what is shown is asked for after it.
        let (changes, news) = (self.house.store.changes(), self.house.store.news());
        Ok(Box::new(Listening {
            account,
            groups: None,
            changes,
            news,
            shared: Shared::new(account, &self.shown().await?),
            is_shared_stale: false,
            changed: BTreeSet::new(),
            heard: Vec::new(),
            own: Vec::new(),
            due: None,
            is_over: false,
        }))
    }

    /// How the mailboxes stand, for who says STATUS (RFC 5465 §3.1).
    async fn tell_statuses(&mut self, listening: &Listening) -> Result<(), Halt> {
        let open = self.selected.as_deref().map(|selected| selected.view.mailbox());
        for Shown { status, rights } in self.shown().await? {
            let mailbox = &status.mailbox;
            if !rights.has(Rights::READ) {
                continue;
            }
            let wants = |event: fn(&Events) -> bool| listening.wants(&mailbox.name, mailbox.is_subscribed, event);
            if open == Some(mailbox.key) || !wants(Events::tells_messages) {
                continue;
            }
            let mut items = vec![StatusItem::Messages, StatusItem::UidNext, StatusItem::UidValidity];
            items.extend(wants(|events| events.flag_change).then_some(StatusItem::HighestModSeq));
            self.tell_status(&status, &items).await?;
            self.flush_if_full().await?;
        }
        Ok(())
    }

    /// Tells what was heard.
    pub(super) async fn tell_heard(&mut self) -> io::Result<()> {
        let Some(mut listening) = self.listening.take() else { return Ok(()) };
        listening.gather();
        if listening.is_over {
            // RFC 5465 §5.8: as if NOTIFY NONE had been said.
            let code = ResponseCode::NotificationOverflow;
            let text = self.session.say("More happened than can be told");
            response::condition(&mut self.out, Condition::Ok, Some(&code), text);
            if let Ok(mut anew) = self.listen().await {
                anew.groups = listening.groups.map(|_| Vec::new());
                self.listening = Some(anew);
            }
            self.changes = None;
            return Ok(());
        }
        let told = self.try_tell_heard(&mut listening).await;
        self.listening = Some(listening);
        match told {
            Err(Halt::Wire(error)) => Err(error),
            // The store failed, and that is in the log: what is told next is true again.
            Ok(()) | Err(Halt::Refuse(..)) => Ok(()),
        }
    }

    async fn try_tell_heard(&mut self, listening: &mut Listening) -> Result<(), Halt> {
        let mut changed = std::mem::take(&mut listening.changed);
        // What happens in the open mailbox is told by its own ways.
        if let Some(selected) = self.selected.as_deref() {
            changed.remove(&selected.view.mailbox());
        }
        if listening.heard.is_empty() && changed.is_empty() && !listening.is_shared_stale {
            return Ok(());
        }
        let account = self.account()?;
        let all = self.shown().await?;
        if std::mem::take(&mut listening.is_shared_stale) {
            let now = Shared::new(account, &all);
            now.since(&listening.shared).into_iter().for_each(|what| listening.note_happened(what));
            listening.shared = now;
        }
        let heard = std::mem::take(&mut listening.heard);
        listening.due = None;
        let subscriptions = self.house.store.subscriptions(account).await?;
        let readable: BTreeSet<MailboxKey> =
            all.iter().filter(|shown| shown.rights.has(Rights::READ)).map(|shown| shown.status.mailbox.key).collect();
        let statuses: Vec<MailboxStatus> = all.into_iter().map(|shown| shown.status).collect();
        for what in heard {
            self.tell_happened(listening, what, &statuses, &subscriptions);
        }
        let condstore = self.session.enabled().condstore;
        let is_told = |key: &MailboxKey| changed.contains(key) && readable.contains(key);
        for status in statuses.iter().filter(|status| is_told(&status.mailbox.key)) {
            let mailbox = &status.mailbox;
            if !listening.wants(&mailbox.name, mailbox.is_subscribed, Events::tells_messages) {
                continue;
            }
            let mut items =
                vec![StatusItem::Messages, StatusItem::UidNext, StatusItem::UidValidity, StatusItem::Unseen];
            items.extend(condstore.then_some(StatusItem::HighestModSeq));
            self.tell_status(status, &items).await?;
            self.flush_if_full().await?;
        }
        Ok(())
    }

    fn tell_happened(
        &mut self,
        listening: &Listening,
        what: Happened,
        statuses: &[MailboxStatus],
        subscriptions: &[MailboxName],
    ) {
        let is_subscribed = |name: &MailboxName| subscriptions.contains(name);
        let exists = |name: &MailboxName| statuses.iter().any(|status| status.mailbox.name == *name);
        let wants = |name: &MailboxName, event: fn(&Events) -> bool| listening.wants(name, is_subscribed(name), event);
        match what {
            Happened::Created(name) | Happened::Deleted(name) => {
                // RFC 5465 §5.4: the one above is affected, too.
                for name in [name.parent(), Some(name)].into_iter().flatten() {
                    if wants(&name, |events| events.mailbox_name) {
                        self.tell_affected(&name, None, statuses, is_subscribed(&name));
                    }
                }
            }
            Happened::Renamed { from, to } => {
                if wants(&from, |events| events.mailbox_name) || wants(&to, |events| events.mailbox_name) {
                    self.tell_affected(&to, Some(&from), statuses, is_subscribed(&to));
                }
            }
            Happened::Subscribed(name) | Happened::Unsubscribed(name) => {
                // It was or is one of those that are subscribed to.
                let is_meant = listening.wants(&name, true, |events| events.subscription_change);
                if is_meant && (exists(&name) || is_subscribed(&name)) {
                    self.tell_affected(&name, None, statuses, is_subscribed(&name));
                }
            }
            Happened::Shared(_) => {}
            Happened::Annotated { mailbox, entries } => {
                let groups = listening.groups.as_deref().unwrap_or_default();
                let is_meant = if let Some(name) = &mailbox {
                    wants(name, |events| events.mailbox_metadata_change)
                } else {
                    groups.iter().any(|group| group.events.server_metadata_change)
                };
                if is_meant || self.session.enabled().metadata {
                    let utf8 = self.session.enabled().utf8();
                    let entries = entries.iter().map(String::as_str);
                    response::metadata_changed(&mut self.out, mailbox.as_ref(), entries, utf8);
                }
            }
        }
    }

    fn tell_affected(
        &mut self,
        name: &MailboxName,
        old_name: Option<&MailboxName>,
        statuses: &[MailboxStatus],
        is_subscribed: bool,
    ) {
        let exists = statuses.iter().any(|status| status.mailbox.name == *name);
        let has_children = statuses.iter().any(|status| status.mailbox.name.is_below(name));
        let attributes = [
            (!exists).then_some(ListAttribute::NonExistent),
            is_subscribed.then_some(ListAttribute::Subscribed),
            Some(if has_children { ListAttribute::HasChildren } else { ListAttribute::HasNoChildren }),
        ];
        let attributes = attributes.into_iter().flatten().collect();
        self.tell_name(name, old_name.map(MailboxName::as_str), attributes);
    }

    /// The client did this itself.
    pub(super) fn did(&mut self, what: impl FnOnce() -> Happened) {
        if let Some(listening) = self.listening.as_deref_mut() {
            listening.expect(what());
        }
    }

    pub(super) fn did_annotate(&mut self, mailbox: Option<MailboxName>, entries: Vec<String>) {
        self.did(|| Happened::Annotated { mailbox, entries });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use relais_model::ModSeq;

    use super::*;

    fn change(mailbox: i64) -> Change {
        let (account, mailbox) = (AccountKey::new(1), MailboxKey::new(mailbox));
        Change { account, mailbox, mod_seq: ModSeq::FIRST, kind: ChangeKind::Arrived(relais_model::UidSet::new()) }
    }

    fn listening(changes: &broadcast::Sender<Change>, news: &broadcast::Sender<AccountNews>) -> Listening {
        Listening {
            account: AccountKey::new(1),
            groups: Some(Vec::new()),
            changes: changes.subscribe(),
            news: news.subscribe(),
            shared: Shared::default(),
            is_shared_stale: false,
            changed: BTreeSet::new(),
            heard: Vec::new(),
            own: Vec::new(),
            due: None,
            is_over: false,
        }
    }

    /// However much happens in a mailbox, it waits once; what belongs to others isn't kept at all.
    #[tokio::test]
    async fn what_happens_in_one_mailbox_waits_once() {
        let (changes, news) = (broadcast::Sender::new(64), broadcast::Sender::new(64));
        let mut listening = listening(&changes, &news);
        for _ in 0..20 {
            changes.send(change(7)).unwrap();
            changes.send(change(8)).unwrap();
            changes.send(Change { account: AccountKey::new(2), ..change(9) }).unwrap();
        }
        listening.gather();
        assert_eq!(listening.changed.len(), 2);
        assert!(!listening.is_over);
    }

    /// What happens to names of others' mailboxes is found by comparing what is shown; what happens in them is heard as in one's own.
    #[tokio::test]
    async fn shared_mailboxes_are_heard_of() {
        let (changes, news) = (broadcast::Sender::new(64), broadcast::Sender::new(64));
        let mut listening = listening(&changes, &news);
        let shared = |names: &[(i64, &str)]| Shared {
            names: names.iter().map(|(key, name)| (MailboxKey::new(*key), MailboxName::parse(name).unwrap())).collect(),
            owners: [AccountKey::new(2)].into(),
        };
        listening.shared = shared(&[(9, "Shared/a/x"), (10, "Shared/a/y")]);
        changes.send(Change { account: AccountKey::new(2), ..change(9) }).unwrap();
        changes.send(Change { account: AccountKey::new(2), ..change(11) }).unwrap();
        for (account, what, is_stale) in [
            (3, Happened::Shared(Grantee::Account(AccountKey::new(4))), false),
            (3, Happened::Created(MailboxName::inbox()), false),
            (1, Happened::Shared(Grantee::Anyone), false),
            (3, Happened::Shared(Grantee::Account(AccountKey::new(1))), true),
            (3, Happened::Shared(Grantee::Anyone), true),
            (2, Happened::Deleted(MailboxName::inbox()), true),
        ] {
            listening.is_shared_stale = false;
            news.send(AccountNews { account: AccountKey::new(account), what: what.clone() }).unwrap();
            listening.gather();
            assert_eq!(listening.is_shared_stale, is_stale, "{account} {what:?}");
        }
        assert_eq!(listening.changed.iter().copied().collect::<Vec<_>>(), [MailboxKey::new(9)]);
        assert_eq!(listening.heard, []);
        let name = |text: &str| MailboxName::parse(text).unwrap();
        let now = shared(&[(10, "Shared/a/z"), (12, "Shared/b/x")]);
        assert_eq!(
            now.since(&listening.shared),
            [
                Happened::Deleted(name("Shared/a/x")),
                Happened::Renamed { from: name("Shared/a/y"), to: name("Shared/a/z") },
                Happened::Created(name("Shared/b/x")),
            ]
        );
    }

    #[tokio::test]
    async fn who_comes_too_late_is_told_so() {
        let (changes, news) = (broadcast::Sender::new(4), broadcast::Sender::new(4));
        let mut late = listening(&changes, &news);
        (0..9).for_each(|mailbox| drop(changes.send(change(mailbox))));
        late.hear().now_or_never().unwrap();
        assert!(late.is_over);
    }

    #[tokio::test]
    async fn ones_own_acts_are_no_news() {
        let (changes, news) = (broadcast::Sender::new(4), broadcast::Sender::new(4));
        let mut listening = listening(&changes, &news);
        let created = |name: &str| Happened::Created(MailboxName::parse(name).unwrap());
        listening.expect(created("mine"));
        for name in ["mine", "other", "mine"] {
            news.send(AccountNews { account: AccountKey::new(1), what: created(name) }).unwrap();
        }
        listening.gather();
        assert_eq!(listening.heard, [created("other"), created("mine")]);
    }
}
