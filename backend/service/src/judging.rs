//! "Test this message": what would be done with it if it came now, and why. Nothing of it is kept, and nobody learns from it.

use std::sync::Arc;
use std::time::Duration;

use relais_message::{Hop, fields, hops};
use relais_model::{Address, ReversePath};
use relais_reception::{Reception, Trial, Tried, TriedScripts};
use relais_store::TraceId;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::checks::{self, Checks};
use crate::pace::Pace;
use crate::trace::MessageVerdict;
use crate::{Actor, Complaint, Failure, Moment, Operations, Role, Service, Text, TriedAct, readable};

/// Octets of a message that is tested, at most.
pub const JUDGED_OCTETS: usize = 10 * 1024 * 1024;
/// Messages that are judged at once: each may be large, and asks the DNS and other programs.
const AT_ONCE: usize = 2;
/// Within a minute.
const A_MINUTE: usize = 20;
/// How long it may take: someone waits at a page.
const PATIENCE: Duration = Duration::from_secs(25);
/// Characters of a host's name, at most.
const HELLO_OCTETS: usize = 255;

/// Who judges, and how often.
#[derive(Debug)]
pub(crate) struct Bench {
    reception: Arc<Reception>,
    pace: Pace,
}

impl Operations {
    /// With the desk that takes mail in: it judges what it is shown.
    #[must_use]
    pub fn with_reception(self, reception: Arc<Reception>) -> Self {
        Self { bench: Some(Bench { reception, pace: Pace::new(AT_ONCE, A_MINUTE) }), ..self }
    }

    /// Whether new mail must wait for room on the disk, as it does at the doors.
    pub(crate) fn is_disk_nearly_full(&self) -> bool {
        self.bench.as_ref().is_some_and(|bench| bench.reception.disk().is_nearly_full())
    }
}

/// How a message is to have come. What isn't said is taken from one of its own Received fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct JudgeWanted {
    /// To whom: an address here.
    #[schema(example = "ann@example.org")]
    pub recipient: String,
    /// Which of its Received fields tells how it came, counted from the top: the message is judged as the host got it that wrote it. 0: none, it is
    /// judged as it stands. The first where it isn't said.
    pub hop: Option<u32>,
    /// From which IP address.
    #[schema(example = "192.0.2.7")]
    pub peer: Option<String>,
    /// What the host there calls itself in EHLO.
    #[schema(example = "mx.elsewhere.example")]
    pub hello: Option<String>,
    /// MAIL FROM; `<>` for a notice. Its Return-Path where nobody says it.
    #[schema(example = "bob@elsewhere.example")]
    pub sender: Option<String>,
}

/// What would be done with a message, and why.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct JudgedView {
    /// When it was judged.
    pub at: Moment,
    /// To whom.
    pub recipient: String,
    /// From which address it was taken to come.
    pub peer: String,
    /// What the host there calls itself.
    pub hello: String,
    /// MAIL FROM; empty for a notice.
    pub sender: String,
    /// The Received field that told it, counted from the top; none where none was taken.
    pub hop: Option<u32>,
    /// The hosts that took the message so far, the last first: at most 50.
    pub hops: Vec<JudgeHop>,
    /// What would become of it, in a sentence or two.
    pub says: Vec<Text>,
    /// What was found, and what is done for that.
    pub verdict: MessageVerdict,
    /// What whoever brings it would be told, where it isn't taken.
    pub reply: Option<String>,
    /// Copies in mailboxes here.
    pub copies: u64,
    /// Those of them in Junk.
    pub in_junk: u64,
    /// Copies for other hosts.
    pub forwards: u64,
    /// What the scripts would do then of those here whom it would reach, and who have some. Mailboxes, addresses and words stand there for who
    /// may read people's scripts: domain admins and above.
    pub scripts: Vec<JudgedScripts>,
}

/// What an account's scripts would do with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JudgedScripts {
    /// Whose.
    pub address: String,
    /// In this order; none: it would be thrown away.
    pub acts: Vec<TriedAct>,
}

impl JudgedScripts {
    fn of(tried: TriedScripts, shows_what: bool) -> Self {
        let said = |act, what: String| TriedAct {
            act,
            what: if shows_what { what } else { String::new() },
            flags: Vec::new(),
        };
        let mut acts = Vec::new();
        acts.extend(tried.failure.map(|why| said("fail", why)));
        acts.extend(tried.refusal.map(|reason| said("reject", reason)));
        acts.extend(tried.copies.into_iter().map(|(mailbox, flags)| {
            let flags = flags.iter().filter(|_| shows_what).map(ToString::to_string).collect();
            TriedAct { flags, ..said("file", mailbox) }
        }));
        acts.extend(tried.redirects.iter().map(|to| said("redirect", readable(to))));
        acts.extend(tried.letters.iter().map(|to| said("write", readable(to))));
        Self { address: tried.address, acts }
    }

    /// In sentences, one an act.
    fn says(&self) -> impl Iterator<Item = Text> {
        let say = |act: &str, what: &str| {
            let id = format!("judge-script-{act}{}", if what.is_empty() { "" } else { "-what" });
            Text::named(id).with("whose", self.address.as_str()).with("what", what)
        };
        let nothing = self.acts.is_empty().then(|| say("discard", ""));
        nothing.into_iter().chain(self.acts.iter().map(move |act| say(act.act, &act.what)))
    }
}

/// A host that took the message, as its Received field says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JudgeHop {
    /// Counted from the top: 1 is the last.
    pub number: u32,
    /// Which host.
    pub by: String,
    /// What whoever brought it called itself.
    pub hello: String,
    /// From which address, where the field says it.
    pub peer: Option<String>,
}

impl Service {
    /// Judges a message as port 25 would now. At most 20 a minute, 2 at once, 25 seconds each. Help desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Unfit`] on `message`, `recipient`, `hop`, `peer`, `hello`, `sender`; [`Failure::Absent`] for a recipient in a domain that
    /// isn't theirs; [`Failure::Clash`] where this house takes no mail in, or it takes too long; [`Failure::TooMany`].
    pub async fn judge(&self, by: &Actor, message: &[u8], wanted: &JudgeWanted) -> Result<JudgedView, Failure> {
        by.require(Role::HelpDesk)?;
        if message.trim_ascii().is_empty() {
            return Err(Failure::unfit("message", Text::new("judge-no-message")));
        }
        if JUDGED_OCTETS < message.len() {
            return Err(Failure::unfit("message", too_large()));
        }
        let message = with_crlf(message);
        let hops = hops(&message);
        let (hop, trial) = trial(&message, &hops, wanted)?;
        by.require_reach(&trial.recipient.domain)?;
        let view = self.on_trial(by, trial).await?;
        Ok(JudgedView { hop, hops: hops.iter().zip(1..).map(hop_view).collect(), ..view })
    }

    /// Judges a message that was judged when it came, and is still here, as if it came now. As [`Service::judge`].
    ///
    /// # Errors
    /// [`Failure::Absent`] where the trace doesn't know it, it isn't theirs, or it is here no more; else as [`Service::judge`].
    pub async fn judge_again(&self, by: &Actor, id: &str) -> Result<JudgedView, Failure> {
        by.require(Role::HelpDesk)?;
        let absent = || Failure::Absent(Text::new("message-absent").with("id", id));
        let gone = || Failure::Absent(Text::new("judge-gone"));
        let trace = TraceId::parse(id).ok_or_else(absent)?;
        let events = self.events_of(by, &trace).await?;
        let event = events.first().ok_or_else(absent)?;
        let message = self.store.judged_message(&trace).await?.ok_or_else(gone)?;
        let message = self.store.raw(message).await?.ok_or_else(gone)?;
        if JUDGED_OCTETS < message.len() {
            return Err(Failure::clash("", too_large()));
        }
        // As the trace keeps it: `192.0.2.1 (mx.example)`.
        let (peer, hello) = event.remote.split_once(" (").unwrap_or((&event.remote, ""));
        let sender = if event.sender.is_empty() { "<>" } else { &event.sender };
        let hops = hops(&message);
        let wanted = JudgeWanted {
            recipient: event.recipient.clone(),
            // The first Received field is ours; what was put here by other ways has none.
            hop: Some(u32::from(!hops.is_empty())),
            peer: Some(peer.to_owned()),
            hello: Some(hello.trim_end_matches(')').to_owned()),
            sender: Some(sender.to_owned()),
        };
        let (hop, trial) = trial(&message, &hops, &wanted)?;
        Ok(JudgedView { hop, ..self.on_trial(by, trial).await? })
    }

    async fn on_trial(&self, by: &Actor, trial: Trial) -> Result<JudgedView, Failure> {
        let absent = || Failure::clash("", Text::new("judge-no-reception"));
        let bench = self.operations.bench.as_ref().ok_or_else(absent)?;
        let _place = bench.pace.admit(self.store.now())?;
        let (recipient, peer, hello) = (readable(&trial.recipient), trial.peer.to_string(), trial.hello.clone());
        let sender = trial.reverse_path.address().map(readable).unwrap_or_default();
        let slow = |_| Failure::clash("", Text::new("judge-slow"));
        let tried = timeout(PATIENCE, bench.reception.try_out(trial)).await.map_err(slow)?;
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let shows_what = by.require(Role::DomainAdmin).is_ok();
        let said = says(&tried);
        let scripts: Vec<_> = tried.scripts.into_iter().map(|one| JudgedScripts::of(one, shows_what)).collect();
        Ok(JudgedView {
            at: self.store.now().into(),
            recipient,
            peer,
            hello,
            sender,
            hop: None,
            hops: Vec::new(),
            says: said.into_iter().chain(scripts.iter().flat_map(JudgedScripts::says)).collect(),
            scripts,
            reply: tried.reply.as_ref().map(|reply| reply.to_string().trim_end().to_owned()),
            copies: count(tried.copies),
            in_junk: count(tried.in_junk),
            forwards: count(tried.forwards),
            verdict: tried.judgement.into(),
        })
    }
}

fn too_large() -> Text {
    Text::new("judge-too-large").with("most", JUDGED_OCTETS >> 20)
}

/// How the message is to have come, and the message as it was then.
fn trial(message: &[u8], hops: &[Hop], wanted: &JudgeWanted) -> Result<(Option<u32>, Trial), Failure> {
    let mut checks = Checks::default();
    let said =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let number = match wanted.hop {
        None if hops.is_empty() => 0,
        None => 1,
        Some(number) => number,
    };
    let hop = number.checked_sub(1).and_then(|at| hops.get(usize::try_from(at).ok()?));
    if number > 0 && hop.is_none() {
        let why = Text::new("judge-no-hop").with("hops", hops.len());
        checks.note(Err(Complaint { field: "hop", why }));
    }
    let complaint = |field, id| Complaint { field, why: Text::new(id) };
    let peer = match said(&wanted.peer) {
        Some(peer) => peer.trim_matches(['[', ']']).parse().map_err(|_| complaint("peer", "judge-bad-peer")),
        None => hop.and_then(|hop| hop.peer).ok_or_else(|| complaint("peer", "judge-no-peer")),
    };
    let hello = said(&wanted.hello).or_else(|| hop.map(|hop| hop.helo.clone())).unwrap_or_default();
    checks.note(checks::text("hello", &hello, HELLO_OCTETS));
    let sender =
        said(&wanted.sender).or_else(|| hop.and_then(|hop| hop.sender.clone().map(|path| format!("<{path}>"))));
    let sender = sender.or_else(|| return_path(message));
    let reverse_path = match sender {
        Some(path) => self::reverse_path(&path).ok_or_else(|| complaint("sender", "judge-bad-sender")),
        None => Err(complaint("sender", "judge-no-sender")),
    };
    let message = message.get(hop.map_or(0, |hop| hop.end)..).unwrap_or_default().to_vec();
    let recipient = checks.take(checks::address("recipient", &wanted.recipient));
    let (peer, reverse_path) = (checks.take(peer), checks.take(reverse_path));
    let hello = if hello.is_empty() { peer.map(|peer| format!("[{peer}]")).unwrap_or_default() } else { hello };
    let taken = recipient.zip(peer).zip(reverse_path);
    let ((recipient, peer), reverse_path) = checks.end(taken)?;
    Ok((hop.map(|_| number), Trial { peer, hello, reverse_path, recipient, message }))
}

fn reverse_path(text: &str) -> Option<ReversePath> {
    let text = text.trim_start_matches('<').trim_end_matches('>').trim();
    if text.is_empty() { Some(ReversePath::Null) } else { Address::parse(text).ok().map(ReversePath::Address) }
}

/// What the host wrote down that filed it last (RFC 5321 §4.4).
fn return_path(message: &[u8]) -> Option<String> {
    let field = fields(message).find(|field| field.is("Return-Path"))?;
    let text = String::from_utf8_lossy(&field.unfolded()).trim().to_owned();
    text.starts_with('<').then_some(text)
}

/// As mail has it: files and programs write bare line ends.
fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(message.len());
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                mended.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                mended.extend_from_slice(b"\r\n");
            }
            None => mended.extend_from_slice(line),
        }
    }
    mended
}

fn hop_view((hop, number): (&Hop, u32)) -> JudgeHop {
    JudgeHop { number, by: hop.by.clone(), hello: hop.helo.clone(), peer: hop.peer.map(|peer| peer.to_string()) }
}

fn says(tried: &Tried) -> Vec<Text> {
    let Tried { copies, in_junk, forwards, .. } = *tried;
    let mut said = vec![match tried.reply.as_ref() {
        Some(reply) if reply.is_transient() => Text::new("judge-put-off"),
        Some(_) => Text::new("judge-refused"),
        None if copies == 0 => Text::new("judge-passed-on"),
        None if in_junk == copies => Text::new("judge-junk").with("copies", copies),
        None if in_junk > 0 => Text::new("judge-split").with("copies", copies).with("junk", in_junk),
        None => Text::new("judge-taken").with("copies", copies),
    }];
    if tried.reply.is_none() && forwards > 0 && copies > 0 {
        said.push(Text::new("judge-forwards").with("forwards", forwards));
    }
    if tried.is_unseen && tried.judgement.findings.iter().all(|finding| !finding.decides) {
        said.push(Text::new("judge-unseen"));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "Return-Path: <ann@y.example>\nReceived: from mx.y.example ([192.0.2.7]) by mx.x.example;\n\tdate\n\
        Received: from laptop (envelope-from <bob@y.example>)\n\tby mx.y.example;\n\tdate\nFrom: ann@y.example\n\nHello\n";

    fn wanted(hop: Option<u32>, peer: &str, hello: &str, sender: &str) -> JudgeWanted {
        let some = |text: &str| Some(text.to_owned());
        let recipient = "ben@x.example".to_owned();
        JudgeWanted { recipient, hop, peer: some(peer), hello: some(hello), sender: some(sender) }
    }

    #[test]
    fn how_it_came_is_said_or_read() {
        let message = with_crlf(MESSAGE.as_bytes());
        let check = |wanted: &JudgeWanted, hop: Option<u32>, peer: &str, hello: &str, sender: &str, begins: &str| {
            let (number, trial) = trial(&message, &hops(&message), wanted).unwrap();
            let path = trial.reverse_path.address().map(ToString::to_string).unwrap_or_default();
            assert_eq!((number, &*trial.peer.to_string(), &*trial.hello, &*path), (hop, peer, hello, sender));
            assert!(trial.message.starts_with(begins.as_bytes()), "{wanted:?}");
        };
        check(
            &wanted(None, "", "", ""),
            Some(1),
            "192.0.2.7",
            "mx.y.example",
            "ann@y.example",
            "Received: from laptop",
        );
        check(&wanted(Some(2), "192.0.2.8", "", ""), Some(2), "192.0.2.8", "laptop", "bob@y.example", "From: ann");
        check(&wanted(Some(0), "2001:db8::1", "", "<>"), None, "2001:db8::1", "[2001:db8::1]", "", "Return-Path");
        check(
            &wanted(Some(1), "[192.0.2.9]", "me", "c@z.example"),
            Some(1),
            "192.0.2.9",
            "me",
            "c@z.example",
            "Received",
        );
    }

    #[test]
    fn what_is_not_said_or_cannot_be_is_told_by_field() {
        let check = |message: &str, wanted: &JudgeWanted, expected: &[(&str, &str)]| {
            let message = with_crlf(message.as_bytes());
            let Err(Failure::Unfit(complaints)) = trial(&message, &hops(&message), wanted) else {
                panic!("{wanted:?}")
            };
            let found: Vec<_> = complaints.iter().map(|complaint| (complaint.field, &*complaint.why.id)).collect();
            assert_eq!(found, expected);
        };
        let nothing = JudgeWanted::default();
        let none = [("recipient", "failure-address-form"), ("peer", "judge-no-peer"), ("sender", "judge-no-sender")];
        check("Subject: x\n\n", &nothing, &none);
        check(
            MESSAGE,
            &wanted(Some(3), "x", "", "@"),
            &[("hop", "judge-no-hop"), ("peer", "judge-bad-peer"), ("sender", "judge-bad-sender")],
        );
        check(MESSAGE, &wanted(Some(2), "", "", ""), &[("peer", "judge-no-peer")]);
        check(MESSAGE, &wanted(None, "", &"x".repeat(256), ""), &[("hello", "failure-text-long")]);
    }

    #[test]
    fn line_ends_become_those_of_mail() {
        assert_eq!(with_crlf(b"a\nb\r\n\nc"), b"a\r\nb\r\n\r\nc");
    }
}
