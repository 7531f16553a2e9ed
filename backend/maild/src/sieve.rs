//! Drives ManageSieve: octets to [`Session`] and back, its questions to log-in and store (RFC 5804).

use std::io;
use std::sync::Arc;

use relais_reception::{Identity, Protocol as LoginProtocol};
use relais_sieve::managesieve::{Answer, Config, Listed, Question, Session, Step};
use relais_store::{Author, RuleScope, SieveError, Via};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::House;
use crate::listener::Visitor;
use crate::login::{Guest, Refusal};
use crate::wire::Wire;

/// Carries one connection from its greeting to its end.
pub(crate) async fn drive(visitor: Visitor, early: Vec<u8>, house: Arc<House>) -> io::Result<()> {
    let session = Session::new(Config {
        implementation: "Relais".to_owned(),
        tls: visitor.listener.tls.at_first(),
        allow_plain_login: visitor.listener.plain_login,
        scram: house.scram,
        dialect: relais_reception::script_dialect(),
        max_redirects: relais_reception::script_limits().redirects,
    });
    let guest = Guest::new(visitor.peer, LoginProtocol::Sieve);
    let mut driver = Driver { session, house, guest, identity: None };
    if !early.is_empty() {
        driver.session.feed(&early);
    }
    driver.talk(visitor.wire, &visitor.stop).await
}

struct Driver {
    session: Session,
    house: Arc<House>,
    guest: Guest,
    identity: Option<Identity>,
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
        // RFC 5804 §1.2: half an hour at least, as IMAP's.
        let wait = if self.session.is_logged_in() { limits.imap_idle } else { limits.login_idle };
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
            Question::Forget => {
                self.identity = None;
                self.guest.forget();
                Answer::Done
            }
            question => match self.identity.clone() {
                Some(identity) => self.scripts(&identity, question).await.unwrap_or_else(refused),
                None => Answer::Unavailable,
            },
        }
    }

    fn let_in(&mut self, identity: Identity, wire: &mut Wire) -> Answer {
        wire.end_at(None);
        let owner = identity.address.to_string();
        self.identity = Some(identity);
        Answer::LoggedIn(owner)
    }

    /// What only who has logged in may ask.
    async fn scripts(&self, identity: &Identity, question: Question) -> Result<Answer, SieveError> {
        let (store, account) = (&self.house.store, identity.account);
        let scope = RuleScope::Account(account);
        let by = Author {
            name: identity.address.to_string(),
            account: Some(account),
            via: Via::MailProgram,
            peer: Some(self.guest.peer()),
        };
        match question {
            Question::List => {
                let listed = store.sieve_scripts(scope).await?.into_iter();
                return Ok(Answer::Scripts(
                    listed.map(|one| Listed { name: one.name, is_active: one.is_active }).collect(),
                ));
            }
            Question::Get { name } => {
                let script = store.sieve_script(scope, &name).await?;
                return Ok(script.map_or(Answer::NotThere, |script| Answer::Text(script.text.to_string())));
            }
            Question::HaveSpace { name, octets } => store.has_room_for_sieve(scope, &name, octets).await?,
            Question::Put { name, text } => store.put_sieve_script(&by, scope, &name, &text).await?,
            Question::SetActive { name } => {
                let name = Some(name.as_str()).filter(|name| !name.is_empty());
                store.activate_sieve_script(&by, account, name).await?;
            }
            Question::Delete { name } => store.remove_sieve_script(&by, scope, &name).await?,
            Question::Rename { from, to } => store.rename_sieve_script(&by, scope, &from, &to).await?,
            Question::Login(_) | Question::Keys(_) | Question::Forget => return Ok(Answer::Unavailable),
        }
        Ok(Answer::Done)
    }
}

fn turned_away(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Wrong => Answer::Refused,
        Refusal::TooMany | Refusal::NoSeat | Refusal::Unavailable => Answer::Unavailable,
    }
}

fn refused(error: SieveError) -> Answer {
    match error {
        SieveError::NotThere => Answer::NotThere,
        SieveError::Exists => Answer::Exists,
        SieveError::Active => Answer::Active,
        SieveError::TooMany => Answer::TooMany,
        SieveError::TooLarge => Answer::TooLarge,
        SieveError::Failed(error) => {
            error!(%error, "a script can't be kept or read");
            Answer::Unavailable
        }
    }
}
