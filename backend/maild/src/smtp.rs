//! Drives SMTP, submission and LMTP: octets to [`Session`] and back, its questions to [`Reception`].

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use relais_model::{EnhancedCode, Envelope, ForwardPath, Reply};
use relais_reception::{Arrival, Door, Fault, Incoming, Plan, Protocol as LoginProtocol, Reception, Visit};
use relais_smtp::server::{Answer, Config, Question, Role, Session, Step, too_large};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::House;
use crate::listener::{Protocol, Visitor};
use crate::login::{Guest, Refusal};
use crate::wire::Wire;

/// Carries one connection from its greeting to its end.
pub(crate) async fn drive(visitor: Visitor, early: Vec<u8>, house: Arc<House>) -> io::Result<()> {
    let mut driver = Driver::new(&visitor, &house);
    let Visitor { wire, stop, .. } = visitor;
    if !early.is_empty() {
        driver.session.feed(&early, house.clock.now());
    }
    driver.talk(wire, &stop).await
}

struct Driver {
    session: Session,
    house: Arc<House>,
    visit: Visit,
    guest: Guest,
    /// Commands that made no sense, as many as were noted.
    senseless: usize,
    /// Where the recipients accepted so far lead, in RCPT's order.
    plans: Vec<Plan>,
    incoming: Option<Incoming>,
    /// The trace has told of a message that was announced too large: once a session is enough.
    is_size_told: bool,
}

impl Driver {
    fn new(visitor: &Visitor, house: &Arc<House>) -> Self {
        let door = match visitor.listener.protocol {
            Protocol::Submission => Door::Submission,
            Protocol::Lmtp => Door::Lmtp,
            Protocol::Smtp | Protocol::Imap | Protocol::Pop3 | Protocol::Sieve => Door::Relay,
        };
        let mut visit = Visit::new(door, visitor.peer);
        visit.is_watched &= visitor.is_watched;
        visit.lists = house.reception.lists(&visit);
        Self {
            session: Session::new(config(visitor, house, door)),
            house: Arc::clone(house),
            visit,
            guest: Guest::new(visitor.peer, LoginProtocol::Smtp),
            senseless: 0,
            plans: Vec::new(),
            incoming: None,
            is_size_told: false,
        }
    }

    async fn talk(&mut self, mut wire: Wire, stop: &CancellationToken) -> io::Result<()> {
        let stall = self.house.limits.write_stall;
        let mut is_stopping = false;
        loop {
            let next = self.session.step();
            self.note_senseless();
            match next {
                Step::Read => {
                    let closing = self.guest.closing();
                    tokio::select! {
                        biased;
                        () = stop.cancelled(), if !is_stopping => {
                            is_stopping = true;
                            self.session.shut_down();
                        }
                        () = closing, if !is_stopping => {
                            is_stopping = true;
                            self.session.shut_down();
                        }
                        read = self.read(&mut wire) => read?, // cancel-safe: see `Wire::read`
                    }
                }
                Step::Write(octets) => {
                    self.take_time(stop).await;
                    wire.write(&octets, stall).await?;
                }
                Step::StartTls => {
                    wire = wire.start_tls(self.house.tls.shown(), &[], self.house.limits.handshake).await?;
                    self.session.tls_started();
                    // RFC 3207 §4.2: what was said before is forgotten.
                    self.visit.identity = None;
                    self.guest.forget();
                }
                Step::Ask(question) => {
                    let answer = self.decide(question, &wire).await;
                    self.session.answer(answer);
                }
                Step::Chunk(octets) => self.keep(&octets).await,
                Step::Discard => self.incoming = None,
                Step::Refuse(reply) => {
                    if let Some(incoming) = self.incoming.take() {
                        self.house.reception.refuse_unfit(incoming, &reply).await;
                    }
                }
                Step::Close => {
                    wire.close().await;
                    return Ok(());
                }
            }
        }
    }

    /// At the end of its time, or of ours for all of it, the session says so and ends; what it has promised is kept before that.
    async fn read(&mut self, wire: &mut Wire) -> io::Result<()> {
        let wait = wire.patience(self.session.timeout());
        let (clock, session) = (&self.house.clock, &mut self.session);
        let reading = wire.read(|octets| session.feed(octets, clock.now()));
        // While the peer speaks, the lists are asked about it; whatever isn't known in time is waited for where it is needed.
        let asking = async {
            if let Some(lists) = self.visit.lists.as_ref().filter(|lists| !lists.is_known()) {
                lists.wait().await;
            }
            std::future::pending::<Infallible>().await
        };
        let reading = async {
            tokio::select! {
                read = reading => read, // cancel-safe: see `Wire::read`
                never = asking => match never {}, // cancel-safe: whoever waits next carries it on
            }
        };
        match timeout(wait, reading).await {
            Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => self.session.expire(),
            Ok(read) => drop(read?),
            Err(_elapsed) => self.session.expire(),
        }
        Ok(())
    }

    /// A peer from a network that did much wrong is answered slowly. A house that closes waits for nobody.
    async fn take_time(&self, stop: &CancellationToken) {
        if !self.visit.is_watched {
            return;
        }
        let Some(slowness) = self.house.reception.porter().slowness(self.visit.peer) else { return };
        tokio::select! {
            () = sleep(slowness.wait) => {}
            () = stop.cancelled() => {}
        }
    }

    fn note_senseless(&mut self) {
        let senseless = self.session.senseless_commands();
        if self.visit.is_watched {
            for _ in self.senseless..senseless {
                self.house.reception.porter().note(self.visit.peer, Fault::Senseless);
            }
        }
        self.senseless = senseless;
    }

    async fn decide(&mut self, question: Question, wire: &Wire) -> Answer {
        match question {
            Question::Login(shown) => match self.guest.show(&self.house, shown).await {
                Ok(identity) => {
                    self.visit.identity = Some(identity);
                    Answer::Accept
                }
                Err(refusal) => turned_away(refusal),
            },
            Question::Keys(wanted) => {
                let keys = self.guest.keys(&self.house, wanted, wire).await;
                keys.map_or_else(turned_away, |known| Answer::Known(Box::new(known)))
            }
            Question::Mail(envelope) => yes_or(self.sender(&envelope).await),
            Question::Recipient(path) => yes_or(self.recipient(&path).await),
            Question::Begin(envelope) => yes_or(self.begin(envelope, wire).await),
            Question::Finish => match self.incoming.take() {
                Some(incoming) => finish(&self.house.reception, incoming, self.visit.door).await,
                None => Answer::Reply(lost()),
            },
        }
    }

    async fn sender(&mut self, envelope: &Envelope) -> Result<(), Reply> {
        self.plans.clear();
        let reception = &self.house.reception;
        reception.sender(&self.visit, envelope).await?;
        let is_large = envelope.declared_octets.is_some_and(|octets| octets > self.house.limits.message_octets);
        if is_large && !std::mem::replace(&mut self.is_size_told, true) {
            reception.refuse_announced(&self.visit, envelope, &too_large()).await;
        }
        Ok(())
    }

    async fn recipient(&mut self, path: &ForwardPath) -> Result<(), Reply> {
        let envelope = self.session.envelope().ok_or_else(lost)?;
        let plan = self.house.reception.recipient(&self.visit, envelope, path).await?;
        self.plans.push(plan);
        Ok(())
    }

    async fn begin(&mut self, envelope: Envelope, wire: &Wire) -> Result<(), Reply> {
        let arrival = Arrival {
            visit: self.visit.clone(),
            hello: self.session.hello().unwrap_or_default().to_owned(),
            protocol: self.session.protocol(),
            tls: wire.tls_words(),
            hides_peer: false,
        };
        let plans = std::mem::take(&mut self.plans);
        self.incoming = Some(self.house.reception.begin(arrival, envelope, plans).await?);
        Ok(())
    }

    async fn keep(&mut self, octets: &[u8]) {
        let Some(incoming) = &mut self.incoming else { return };
        if let Err(error) = incoming.write(octets).await {
            tracing::error!(%error, "the spool cannot be written");
            self.incoming = None;
            self.session.abandon(Reply::new(452, EnhancedCode::new(4, 3, 1), "There is no room for this message now"));
        }
    }
}

fn turned_away(refusal: Refusal) -> Answer {
    let (code, enhanced, text) = match refusal {
        Refusal::Wrong => (535, EnhancedCode::new(5, 7, 8), "Name or password is wrong"),
        Refusal::TooMany => (454, EnhancedCode::new(4, 7, 0), "Too many failed log-ins; wait and try again"),
        Refusal::NoSeat => {
            (454, EnhancedCode::new(4, 7, 0), "This account has too many connections now; close one and try again")
        }
        Refusal::Unavailable => (454, EnhancedCode::new(4, 7, 0), "Log-in is not possible now; try again later"),
    };
    Answer::Reply(Reply::new(code, enhanced, text))
}

fn yes_or(decided: Result<(), Reply>) -> Answer {
    decided.map_or_else(Answer::Reply, |()| Answer::Accept)
}

/// The machine asked about what isn't there: nothing was taken.
fn lost() -> Reply {
    Reply::new(451, EnhancedCode::new(4, 3, 0), "The message was lost; send it again")
}

async fn finish(reception: &Reception, incoming: Incoming, door: Door) -> Answer {
    let replies = reception.finish(incoming).await;
    if door == Door::Lmtp {
        return Answer::PerRecipient(replies);
    }
    replies.into_iter().next().map_or(Answer::Accept, Answer::Reply)
}

fn config(visitor: &Visitor, house: &House, door: Door) -> Config {
    let role = match door {
        Door::Relay => Role::Relay,
        Door::Submission => Role::Submission,
        Door::Lmtp => Role::Lmtp,
    };
    let wait: Duration = house.limits.smtp_idle;
    let limits = relais_smtp::server::Limits {
        message_octets: house.limits.message_octets,
        recipients: house.limits.recipients,
        transactions: house.limits.transactions,
        command_timeout: wait,
        data_timeout: wait,
        ..relais_smtp::server::Limits::default()
    };
    Config {
        host_name: house.host_name.clone(),
        role,
        tls: visitor.listener.tls.at_first(),
        login_without_tls: visitor.listener.plain_login,
        scram: house.scram,
        keeps_require_tls: true,
        limits,
    }
}
