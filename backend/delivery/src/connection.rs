//! One connection to a host: drives the SMTP client machine, with a time limit on each wait.

use std::future::Future;
use std::time::Duration;

use relais_model::{Domain, Envelope};
use relais_smtp::client::{Client, Config, Encoder, Fate, Fault, Outcome, Stage, Step, Transfer, timeouts};
use relais_smtp::reply::read_reply;
use relais_store::Protection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::bodies::Body;
use crate::policy::Policy;
use crate::ports::Stream;
use crate::tls::{Shaken, Tls, TlsFailure};

/// What is written at once of a message.
const BLOCK_OCTETS: usize = 64 * 1024;
/// Where a peer closes while we still send, its reason is read for so long.
const LAST_WORDS: Duration = Duration::from_secs(2);
const INBOX_OCTETS: usize = 4096;

/// The worker was stopped and its time is over; the peer has not taken the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut;

/// What a connection is opened with.
pub(crate) struct Opening {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) host: Domain,
    /// What holds for it.
    pub(crate) policy: Policy,
    /// What was seen in a handshake that was made already.
    pub(crate) doubt: Option<TlsFailure>,
    pub(crate) client: Config,
}

/// An open connection.
pub(crate) struct Connection {
    client: Client,
    /// None after a handshake failed: it took the stream with it.
    stream: Option<Box<dyn Stream>>,
    inbox: Vec<u8>,
    pub(crate) host: Domain,
    pub(crate) policy: Policy,
    /// What a handshake that was made leaves to be desired, or why it failed.
    pub(crate) tls_failure: Option<TlsFailure>,
    /// Its outcome was counted for the TLS reports.
    pub(crate) is_counted: bool,
    tls: Tls,
    cut: CancellationToken,
    deadline: Instant,
    /// The message's end is on its way: the peer may have taken it, so its answer is waited for.
    is_committed: bool,
}

impl Connection {
    /// The machine hasn't spoken yet: nothing happens before [`Connection::send`].
    pub(crate) fn new(opening: Opening, tls: Tls, cut: CancellationToken) -> Self {
        Self {
            client: Client::new(opening.client),
            stream: Some(opening.stream),
            inbox: Vec::with_capacity(INBOX_OCTETS),
            host: opening.host,
            policy: opening.policy,
            tls_failure: opening.doubt,
            is_counted: false,
            tls,
            cut,
            deadline: Instant::now(),
            is_committed: false,
        }
    }

    /// How mail over it is protected, as far as it has come.
    pub(crate) fn protection(&self) -> Protection {
        if self.client.is_under_tls() { self.policy.protection() } else { Protection::Clear }
    }

    /// Whether TLS is on, with a certificate that was checked.
    pub(crate) fn is_verified(&self) -> bool {
        matches!(self.protection(), Protection::Verified | Protection::Sts | Protection::Dane)
    }

    /// Carries one message, greeting and hello first where the connection is new. After `deadline` nothing is begun or waited for,
    /// but the answer to the message's end.
    ///
    /// # Errors
    /// [`Cut`]: the peer has not taken it.
    pub(crate) async fn send(
        &mut self,
        envelope: Envelope,
        octets: u64,
        body: &dyn Body,
        deadline: Instant,
    ) -> Result<Outcome, Cut> {
        let recipients = envelope.recipients.len();
        self.deadline = deadline;
        self.client.send(envelope, octets);
        loop {
            match self.client.step() {
                Step::Done(outcome) => {
                    self.is_committed = false;
                    return Ok(*outcome);
                }
                Step::SendBody(transfer) => self.send_body(transfer, octets, body).await?,
                // Each message has its outcome before the machine rests. If it hadn't, nothing was decided.
                Step::Idle | Step::Close => return Ok(undecided(recipients)),
                step => self.act(step).await?,
            }
        }
    }

    /// Whether another message may follow.
    pub(crate) async fn is_usable(&mut self) -> bool {
        loop {
            match self.client.step() {
                Step::Idle => return true,
                Step::Close | Step::Done(_) | Step::SendBody(_) => return false,
                step => {
                    if self.act(step).await.is_err() {
                        return false;
                    }
                }
            }
        }
    }

    /// Says goodbye and closes. Nothing hangs on it.
    pub(crate) async fn quit(mut self) {
        self.client.quit();
        self.deadline = Instant::now() + timeouts::QUIT;
        if !self.is_usable().await
            && let Some(stream) = &mut self.stream
        {
            // TLS wants to say that it closes (RFC 8446 §6.1); a peer that doesn't listen isn't waited for.
            let _closed = timeout(timeouts::QUIT, stream.shutdown()).await;
        }
    }

    async fn act(&mut self, step: Step) -> Result<(), Cut> {
        match step {
            Step::Read => self.read().await,
            Step::Write(octets) => self.write(&octets).await.map(|_| ()),
            Step::StartTls => self.start_tls().await,
            Step::SendBody(_) | Step::Idle | Step::Done(_) | Step::Close => Ok(()),
        }
    }

    async fn read(&mut self) -> Result<(), Cut> {
        let Some(mut stream) = self.stream.take() else {
            self.client.break_off(Fault::HungUp);
            return Ok(());
        };
        let mut inbox = std::mem::take(&mut self.inbox);
        inbox.clear();
        match self.patience().wait(stream.read_buf(&mut inbox)).await? {
            Some(Ok(_octets)) => self.client.feed(&inbox),
            Some(Err(_lost)) => self.client.break_off(Fault::HungUp),
            None => self.client.expire(),
        }
        (self.stream, self.inbox) = (Some(stream), inbox);
        Ok(())
    }

    /// Whether all of it went out.
    async fn write(&mut self, octets: &[u8]) -> Result<bool, Cut> {
        let Some(mut stream) = self.stream.take() else {
            self.client.break_off(Fault::HungUp);
            return Ok(false);
        };
        let write = async {
            stream.write_all(octets).await?;
            stream.flush().await
        };
        let written = self.patience().wait(write).await?;
        self.stream = Some(stream);
        match written {
            Some(Ok(())) => return Ok(true),
            Some(Err(_lost)) => self.hear_last_words().await,
            None => self.client.expire(),
        }
        Ok(false)
    }

    /// The peer closed while we were writing. Often it has said why: a refusal is taken as the answer, anything else is not, for
    /// what was to be answered hasn't been said in full.
    async fn hear_last_words(&mut self) {
        let mut words = Vec::with_capacity(INBOX_OCTETS);
        if let Some(stream) = &mut self.stream {
            let _late = timeout(LAST_WORDS, stream.read_buf(&mut words)).await;
        }
        match read_reply(&words) {
            Ok(Some((reply, _))) if reply.code >= 400 && self.client.stage() == Stage::Body => {
                self.client.body_sent();
                self.client.feed(&words);
            }
            _ => self.client.break_off(Fault::HungUp),
        }
    }

    async fn start_tls(&mut self) -> Result<(), Cut> {
        let Some(stream) = self.stream.take() else {
            self.client.break_off(Fault::HungUp);
            return Ok(());
        };
        let (patience, tls, host) = (self.patience(), self.tls.clone(), self.host.clone());
        let verify = self.policy.verify();
        match patience.wait(tls.handshake(stream, &host, &verify)).await? {
            Some(Ok(Shaken { stream, doubt })) => {
                (self.stream, self.tls_failure) = (Some(stream), doubt);
                self.client.tls_started();
            }
            Some(Err(failure)) => {
                self.client.break_off(Fault::Tls(failure.to_string()));
                self.tls_failure = Some(failure);
            }
            None => self.client.expire(),
        }
        Ok(())
    }

    async fn send_body(&mut self, transfer: Transfer, octets: u64, body: &dyn Body) -> Result<(), Cut> {
        let Some(mut message) = body.open().await else {
            self.client.break_off(Fault::BodyLost);
            return Ok(());
        };
        let mut encoder = Encoder::new(transfer);
        let mut block = Vec::with_capacity(BLOCK_OCTETS);
        let mut out = Vec::with_capacity(BLOCK_OCTETS + BLOCK_OCTETS / 16);
        let mut left = octets;
        while 0 < left {
            if !self.write_block(&mut out).await? {
                return Ok(());
            }
            block.resize(usize::try_from(left).unwrap_or(BLOCK_OCTETS).min(BLOCK_OCTETS), 0);
            if message.read_exact(&mut block).await.is_err() {
                break;
            }
            encoder.push(&block, &mut out);
            left -= block.len() as u64;
        }
        // A message of another size than the store said is damaged: the peer mustn't take a part for the whole.
        let is_whole = left == 0 && message.read_u8().await.is_err();
        if !is_whole || !encoder.finish(&mut out) {
            self.client.break_off(Fault::BodyLost);
            return Ok(());
        }
        // From here on the peer may have the message: its answer is waited for, whoever wants us to stop.
        self.is_committed = true;
        self.deadline = Instant::now() + timeouts::DATA_BLOCK + timeouts::DATA_TERMINATION;
        if self.write(&out).await? {
            self.client.body_sent();
        }
        Ok(())
    }

    async fn write_block(&mut self, out: &mut Vec<u8>) -> Result<bool, Cut> {
        let is_written = out.is_empty() || self.write(out).await?;
        out.clear();
        Ok(is_written)
    }

    /// How long the next wait may last.
    fn patience(&self) -> Patience {
        let until = (Instant::now() + self.client.timeout()).min(self.deadline);
        Patience { until, cut: (!self.is_committed).then(|| self.cut.clone()) }
    }
}

/// How long to wait, and whose stopping ends it.
struct Patience {
    until: Instant,
    cut: Option<CancellationToken>,
}

impl Patience {
    /// Waits for `act`: none where the time is over.
    async fn wait<T>(self, act: impl Future<Output = T>) -> Result<Option<T>, Cut> {
        let act = timeout_at(self.until, act);
        let Some(cut) = self.cut else { return Ok(act.await.ok()) };
        // Cancel-safe: what is cut off is never used again.
        tokio::select! {
            () = cut.cancelled() => Err(Cut),
            done = act => Ok(done.ok()),
        }
    }
}

fn undecided(recipients: usize) -> Outcome {
    let lost = Fate::Broken { stage: Stage::Mail, fault: Fault::HungUp };
    Outcome {
        recipients: vec![lost; recipients],
        under_tls: false,
        greeting: String::new(),
        offer: relais_smtp::client::Offer::default(),
    }
}
