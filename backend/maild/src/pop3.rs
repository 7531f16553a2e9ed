//! Drives POP3: octets to [`Session`] and back, its questions to log-in and store.

mod ahead;

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use relais_model::{MailboxName, Uid};
use relais_pop3::{Answer, Config, Maildrop, Question, Session, Step};
use relais_reception::{Identity, Protocol as LoginProtocol};
use relais_store::{AccountKey, FlagChange, FlagOp, Row, StoreError, View};
use tokio::io::AsyncReadExt as _;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::House;
use crate::listener::Visitor;
use crate::login::{Guest, Refusal};
use crate::wire::Wire;
use ahead::Ahead;

/// Octets of a message that are handed over at once.
const CHUNK_OCTETS: usize = 64 * 1024;

/// So long it is waited for a session that ends: who comes again at once, as after a connection that broke, finds their own.
const ENDING: Duration = Duration::from_secs(1);

/// Which maildrops are held: one session each (RFC 1939 §4).
#[derive(Debug, Default)]
pub(crate) struct Maildrops {
    held: Mutex<HashSet<AccountKey>>,
    freed: Notify,
}

impl Maildrops {
    fn held(&self) -> MutexGuard<'_, HashSet<AccountKey>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A maildrop, held until this is dropped.
#[derive(Debug)]
struct Hold {
    maildrops: Arc<Maildrops>,
    account: AccountKey,
}

impl Hold {
    /// None: another session holds it, and goes on.
    async fn take(maildrops: &Arc<Maildrops>, account: AccountKey) -> Option<Self> {
        let hold = async {
            loop {
                // Before it is looked: whoever lets go in between is heard.
                let freed = maildrops.freed.notified();
                if maildrops.held().insert(account) {
                    return Self { maildrops: Arc::clone(maildrops), account };
                }
                freed.await;
            }
        };
        timeout(ENDING, hold).await.ok()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.maildrops.held().remove(&self.account);
        self.maildrops.freed.notify_waiters();
    }
}

/// Why the house couldn't do what a session asked; for the log.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Carries one connection from its greeting to its end.
pub(crate) async fn drive(visitor: Visitor, early: Vec<u8>, house: Arc<House>) -> io::Result<()> {
    let session = Session::new(Config {
        host_name: house.host_name.to_string(),
        tls: visitor.listener.tls.at_first(),
        allow_plain_login: visitor.listener.plain_login,
        scram: house.scram,
    });
    let guest = Guest::new(visitor.peer, LoginProtocol::Pop3);
    let mut driver = Driver { session, house, guest, identity: None, open: None };
    if !early.is_empty() {
        driver.session.feed(&early);
    }
    driver.talk(visitor.wire, &visitor.stop).await
}

/// The maildrop that is open.
struct Open {
    view: Arc<View>,
    ahead: Ahead,
    _hold: Hold,
}

struct Driver {
    session: Session,
    house: Arc<House>,
    guest: Guest,
    identity: Option<Identity>,
    open: Option<Open>,
}

impl Driver {
    async fn talk(&mut self, mut wire: Wire, stop: &CancellationToken) -> io::Result<()> {
        let stall = self.house.limits.write_stall;
        loop {
            match self.session.step() {
                Step::Read => self.read(&mut wire, stop).await?,
                Step::Write(octets) => wire.write(&octets, stall).await?,
                Step::StartTls => {
                    wire = wire.start_tls(self.house.tls.shown(), &[], self.house.limits.handshake).await?;
                    self.session.tls_started();
                }
                Step::Ask(Question::Retrieve { uid, lines }) => {
                    let answer = self.retrieve(uid, lines, &mut wire).await?;
                    self.session.answer(answer);
                }
                Step::Ask(question) => {
                    let answer = self.decide(question, &mut wire).await;
                    self.session.answer(answer);
                }
                Step::Close => {
                    wire.close().await;
                    return Ok(());
                }
            }
        }
    }

    async fn read(&mut self, wire: &mut Wire, stop: &CancellationToken) -> io::Result<()> {
        let limits = &self.house.limits;
        let wait = if self.session.is_logged_in() { limits.pop3_idle } else { limits.login_idle };
        if !self.guest.hear(wire, wait, stop, |octets| self.session.feed(octets)).await? {
            self.session.expire();
        }
        Ok(())
    }

    async fn decide(&mut self, question: Question, wire: &mut Wire) -> Answer {
        match question {
            Question::Login(shown) => match self.guest.show(&self.house, shown).await {
                Ok(identity) => self.let_in(identity, wire),
                Err(refusal) => turned_away(refusal),
            },
            Question::Keys(wanted) => {
                let keys = self.guest.keys(&self.house, wanted, wire).await;
                keys.map_or_else(turned_away, |known| Answer::Known(Box::new(known)))
            }
            Question::OpenMaildrop => {
                let answer = self.open_maildrop().await;
                if !matches!(answer, Answer::Maildrop(_)) {
                    self.guest.forget();
                }
                answer
            }
            Question::Commit { deleted } => match self.commit(deleted).await {
                Ok(()) => Answer::Committed,
                Err(error) => {
                    error!(%error, "deletions of a POP3 session failed");
                    Answer::Unavailable
                }
            },
            Question::Retrieve { .. } => Answer::Unavailable,
        }
    }

    fn let_in(&mut self, identity: Identity, wire: &mut Wire) -> Answer {
        wire.end_at(None);
        self.identity = Some(identity);
        Answer::LoggedIn
    }

    async fn open_maildrop(&mut self) -> Answer {
        let Some(identity) = self.identity.take() else { return Answer::Unavailable };
        let Some(hold) = Hold::take(&self.house.maildrops, identity.account).await else { return Answer::InUse };
        let view = match self.inbox(identity.account).await {
            Ok(view) => view,
            Err(error) => {
                error!(%error, "a maildrop cannot be opened");
                return Answer::Unavailable;
            }
        };
        let messages: Vec<_> =
            view.read(|rows| rows.iter().filter_map(|row| Some((row.uid()?, u64::from(row.size_octets)))).collect());
        let maildrop = Maildrop::new(view.uid_validity(), messages);
        self.open = Some(Open { view, ahead: Ahead::default(), _hold: hold });
        Answer::Maildrop(maildrop)
    }

    async fn inbox(&self, account: AccountKey) -> Result<Arc<View>, Trouble> {
        let inbox = self.house.store.mailbox(account, &MailboxName::inbox()).await?;
        let inbox = inbox.ok_or_else(|| io::Error::other("the account has no INBOX"))?;
        let view = self.house.store.view(inbox.mailbox.key).await?;
        Ok(view.ok_or_else(|| io::Error::other("INBOX was deleted"))?)
    }

    /// Brings a message from the store to the wire, as much of it as is wanted.
    async fn retrieve(&mut self, uid: Uid, lines: Option<u32>, wire: &mut Wire) -> io::Result<Answer> {
        match self.read_ahead(uid, lines).await {
            Ok(Some(raw)) => {
                if let Some(octets) = self.session.message(&raw) {
                    wire.write(&octets, self.house.limits.write_stall).await?;
                }
                Ok(Answer::MessageEnd)
            }
            Ok(None) => self.stream(uid, wire).await,
            Err(error) => {
                error!(%error, "a message cannot be read");
                Ok(Answer::Unavailable)
            }
        }
    }

    async fn read_ahead(&mut self, uid: Uid, lines: Option<u32>) -> Result<Option<Vec<u8>>, StoreError> {
        match &mut self.open {
            Some(open) if lines.is_none() => open.ahead.take(&self.house.store, &open.view, uid).await,
            _ => Ok(None),
        }
    }

    async fn stream(&mut self, uid: Uid, wire: &mut Wire) -> io::Result<Answer> {
        let message = self.open.as_ref().and_then(|open| open.view.read(|rows| rows.get(uid).map(Row::message)));
        let Some(message) = message else { return Ok(Answer::Gone) };
        let mut raw = match self.house.store.open_raw(message).await {
            Ok(Some(raw)) => raw,
            Ok(None) => return Ok(Answer::Gone),
            Err(error) => {
                error!(%error, "a message cannot be read");
                return Ok(Answer::Unavailable);
            }
        };
        let mut chunk = Vec::new();
        while self.session.wants_message() {
            chunk.clear();
            if (&mut raw).take(CHUNK_OCTETS as u64).read_to_end(&mut chunk).await? == 0 {
                break;
            }
            if let Some(octets) = self.session.message(&chunk) {
                wire.write(&octets, self.house.limits.write_stall).await?;
            }
        }
        Ok(Answer::MessageEnd)
    }

    async fn commit(&self, deleted: relais_model::UidSet) -> Result<(), Trouble> {
        let Some(open) = &self.open else { return Ok(()) };
        let mailbox = open.view.mailbox();
        let delete =
            FlagChange { op: FlagOp::Add, flags: vec![relais_model::Flag::System(relais_model::SystemFlag::Deleted)] };
        self.house.store.store_flags(mailbox, deleted.clone(), delete, None).await?;
        self.house.store.expunge(mailbox, Some(deleted)).await?;
        Ok(())
    }
}

fn turned_away(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Wrong => Answer::Refused,
        Refusal::TooMany | Refusal::NoSeat | Refusal::Unavailable => Answer::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_comes_while_their_session_ends_waits_for_it_and_a_second_one_is_refused() {
        let maildrops = Arc::new(Maildrops::default());
        let (ann, ben) = (AccountKey::new(1), AccountKey::new(2));
        let first = Hold::take(&maildrops, ann).await.unwrap();
        assert!(Hold::take(&maildrops, ann).await.is_none(), "one session each");
        assert!(Hold::take(&maildrops, ben).await.is_some(), "another's is free");
        let (again, ()) = tokio::join!(Hold::take(&maildrops, ann), async { drop(first) });
        assert!(again.is_some(), "it ended meanwhile");
        drop(again);
        assert!(Hold::take(&maildrops, ann).await.is_some());
    }
}
