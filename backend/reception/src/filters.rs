//! What programs that aren't ours say of a message (`relais_filters`), and what is done about it: [`Counsel::of`] decides, from facts alone.
//!
//! Whatever was asked is told in the message's own field, [`FIELD`]: who reads it sees what was looked at, and what wasn't.

use std::sync::Arc;

use relais_filing::Plan;
use relais_filters::{
    Action, Answered, Change, Filter, Filters, Finding, Found, Kind, Letter, Rating, Reason as _, Terms, Trouble,
    change, fields,
};
use relais_model::{Address, EnhancedCode, Envelope, Reply};
use relais_store::{Settings, Store, TraceId};
use tracing::{info, warn};

use crate::desk::{Arrival, aside};
use crate::visit::Door;

/// The field that says what filters said.
const FIELD: &str = "X-Relais-Filters";
/// Symbols that it names.
const SYMBOLS: usize = 12;

/// Asks filters, and does what they want.
#[derive(Debug)]
pub(crate) struct Filtering {
    pub(crate) filters: Arc<Filters>,
    store: Store,
    host: String,
}

/// A message that filters have seen.
#[derive(Debug, Default)]
pub(crate) struct Filtered {
    /// It, changed and marked.
    pub(crate) octets: Vec<u8>,
    /// What they want done.
    pub(crate) counsel: Counsel,
}

impl Filtering {
    pub(crate) const fn new(filters: Arc<Filters>, store: Store, host: String) -> Self {
        Self { filters, store, host }
    }

    /// Shows a message to all that look at what comes in by this door. The first fields of `octets`, up to our Received, are ours: no
    /// filter sees them.
    pub(crate) async fn pass(
        &self,
        arrival: &Arrival,
        envelope: &Envelope,
        trace: &TraceId,
        plans: &[Plan],
        octets: Vec<u8>,
    ) -> Filtered {
        let settings = self.store.settings();
        let filters = asked(&settings, arrival.visit.door);
        if filters.is_empty() {
            return Filtered { octets, ..Filtered::default() };
        }
        let ours = ours(&octets);
        let recipients: Vec<&Address> = envelope.recipients.iter().map(|path| &path.address).collect();
        let login = arrival.visit.identity.as_ref().map(|identity| identity.address.to_string());
        let letter = Letter {
            peer: arrival.visit.peer,
            helo: &arrival.hello,
            login: login.as_deref(),
            reverse_path: &envelope.reverse_path,
            recipients: &recipients,
            queue_id: trace.as_str(),
            host: &self.host,
            message: octets.get(ours..).unwrap_or_default(),
        };
        let terms = Terms { patience: settings.filters_timeout, most_octets: settings.filters_message_octets };
        let found = self.filters.ask(&filters, terms, &letter).await;
        found.answers.iter().for_each(|answered| note(trace, answered));
        let leaves = plans.iter().any(|plan| !plan.forwards.is_empty());
        let counsel = Counsel::of(&found, &settings, arrival.visit.door, leaves, &self.host);
        let octets = aside(octets, move |octets| marked(&octets, ours, &found)).await;
        Filtered { octets, counsel }
    }
}

/// The filters that are set.
pub fn filters_set(settings: &Settings) -> Vec<Filter> {
    let clamd = settings.filters_clamd.iter().cloned().map(Filter::Clamd);
    let password = || settings.filters_rspamd_password.clone();
    let rspamd = settings.filters_rspamd.iter().cloned().map(|at| Filter::Rspamd(at, password()));
    clamd.chain(rspamd).chain(settings.filters_milters.iter().cloned().map(Filter::Milter)).collect()
}

/// Those that look at what comes in by this door. What our people write is no spam of strangers': rspamd isn't asked about it.
fn asked(settings: &Settings, door: Door) -> Vec<Filter> {
    let mut filters = filters_set(settings);
    filters.retain(|filter| filter.kind() != Kind::Rspamd || door != Door::Submission);
    filters
}

/// What is to be done with a message for all that filters said of it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Counsel {
    /// It isn't taken.
    pub(crate) refusal: Option<Reply>,
    /// It goes into Junk.
    pub(crate) is_junk: bool,
    /// What each said.
    pub(crate) findings: Vec<relais_model::Finding>,
}

impl Counsel {
    /// `leaves`: a copy goes to another host. What says "never" counts before what says "later".
    pub(crate) fn of(found: &Found, settings: &Settings, door: Door, leaves: bool, host: &str) -> Self {
        let acts: Vec<Act> = found.answers.iter().map(|answered| act(answered, settings, host)).collect();
        let findings = found.answers.iter().zip(&acts).map(|(answered, act)| {
            let said = relais_model::Finding::new(answered.kind.as_str(), answered.said());
            relais_model::Finding { decides: *act != Act::Take, ..said }
        });
        let findings = findings.collect();
        let is_aside = acts.contains(&Act::PutAside);
        let mut refusals: Vec<Reply> = Vec::new();
        // In nobody's Junk: it would go to others as if nothing had been found.
        if is_aside && (leaves || door == Door::Submission) {
            refusals.push(Reply::new(
                554,
                NOT_ALLOWED,
                "A filter of this host puts the message aside: it is not passed on",
            ));
        }
        let is_junk = is_aside || acts.contains(&Act::Junk);
        refusals.extend(acts.into_iter().filter_map(|act| match act {
            Act::Refuse(reply) => Some(reply),
            Act::Take | Act::Junk | Act::PutAside => None,
        }));
        let never = refusals.iter().position(|reply| !reply.is_transient()).unwrap_or(0);
        Self { refusal: refusals.into_iter().nth(never), is_junk, findings }
    }
}

const NOT_ALLOWED: EnhancedCode = EnhancedCode::new(5, 7, 1);
const NOT_NOW: EnhancedCode = EnhancedCode::new(4, 7, 1);

/// What one filter's answer leads to.
#[derive(Debug, PartialEq, Eq)]
enum Act {
    Take,
    /// It may be spam.
    Junk,
    /// It may do harm: into Junk, and to no other host.
    PutAside,
    Refuse(Reply),
}

fn act(answered: &Answered, settings: &Settings, host: &str) -> Act {
    match &answered.finding {
        Finding::Virus { .. } if settings.filters_virus == "junk" => Act::PutAside,
        Finding::Virus { name } => {
            Act::Refuse(Reply::new(554, NOT_ALLOWED, format!("The message holds a virus: {name}")))
        }
        Finding::Rated(rating) => rated(rating, host),
        // What we have taken is never thrown away.
        Finding::Passed { quarantine: Some(_), .. } | Finding::Discarded => Act::PutAside,
        Finding::Refused(reply) => Act::Refuse(reply.clone()),
        Finding::Down(_) if when_down(settings, answered.kind) == "defer" => {
            let text = format!(
                "The message can't be checked now ({} gives no answer); try again later",
                answered.kind.title()
            );
            Act::Refuse(Reply::new(451, NOT_NOW, text))
        }
        Finding::Clean | Finding::Passed { .. } | Finding::TooLarge { .. } | Finding::Down(_) => Act::Take,
    }
}

fn rated(rating: &Rating, host: &str) -> Act {
    let words = |otherwise: &str| rating.words.clone().unwrap_or_else(|| otherwise.to_owned());
    match rating.action {
        Action::Take => Act::Take,
        Action::AddHeader | Action::RewriteSubject => Act::Junk,
        Action::Greylist | Action::SoftReject => {
            Act::Refuse(Reply::new(451, NOT_NOW, words("Try again in a few minutes")))
        }
        Action::Reject => {
            let words = words("The message is taken for spam");
            Act::Refuse(Reply::new(554, NOT_ALLOWED, format!("{words}. If it is none, write to postmaster@{host}")))
        }
    }
}

fn when_down(settings: &Settings, kind: Kind) -> &str {
    match kind {
        Kind::Clamd => &settings.filters_clamd_down,
        Kind::Rspamd => &settings.filters_rspamd_down,
        Kind::Milter => &settings.filters_milters_down,
    }
}

/// How many octets of a spooled message are ours: its first fields, up to our Received.
fn ours(octets: &[u8]) -> usize {
    let (fields, end) = fields(octets);
    let is_received = |field: &&[u8]| field.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"Received:"));
    let mut octets = 0;
    for field in fields {
        octets += field.len();
        if is_received(&field) {
            return octets;
        }
    }
    end
}

/// The message with the milters' changes, without fields that only claim to be ours, with ours on top.
fn marked(octets: &[u8], ours: usize, found: &Found) -> Vec<u8> {
    let (head, message) = octets.split_at(ours.min(octets.len()));
    let mut changes = Vec::new();
    for answered in &found.answers {
        if let Finding::Passed { changes: wanted, .. } = &answered.finding {
            changes.extend(wanted.iter().cloned());
        }
    }
    let is_ours = |name: &[u8]| name.eq_ignore_ascii_case(FIELD.as_bytes());
    let in_message =
        fields(message).0.iter().filter(|field| is_ours(field.get(..FIELD.len()).unwrap_or_default())).count();
    let forged = in_message + changes.iter().filter(|change| is_ours(named(change).as_bytes())).count();
    let name = || FIELD.to_owned();
    changes.extend((0..forged).map(|_| Change::Alter { nth: 1, name: name(), value: None }));
    changes.push(Change::Insert { at: 1, name: name(), value: value(found).into_bytes() });
    [head, &change(message, &changes)].concat()
}

fn named(change: &Change) -> &str {
    match change {
        Change::Add { name, .. } | Change::Insert { name, .. } | Change::Alter { name, .. } => name,
    }
}

/// `clamav=clean;` and so on, a filter a line.
fn value(found: &Found) -> String {
    let lines = found.answers.iter().map(|answered| {
        let result = format!("{}={}", answered.kind.as_str(), answered.finding.as_str());
        match &answered.finding {
            Finding::Virus { name } => format!("{result} name=\"{}\"", name.replace('"', "'")),
            Finding::Rated(rating) => {
                let names = rating.symbols.iter().take(SYMBOLS).map(|symbol| symbol.name.as_str());
                let symbols = names.collect::<Vec<_>>().join(",\r\n\t  ");
                let symbols = if symbols.is_empty() { symbols } else { format!(" symbols={symbols}") };
                format!("{result} score={:.1} of={:.1}{symbols}", rating.score, rating.required)
            }
            _ => result,
        }
    });
    lines.collect::<Vec<_>>().join(";\r\n\t")
}

fn note(trace: &TraceId, answered: &Answered) {
    let (filter, result) = (answered.kind.as_str(), answered.finding.as_str());
    metrics::counter!("relais_filter_answers_total", "filter" => filter, "result" => result).increment(1);
    metrics::histogram!("relais_filter_seconds", "filter" => filter).record(answered.took.as_secs_f64());
    let duration_ms = u64::try_from(answered.took.as_millis()).unwrap_or(u64::MAX);
    match &answered.finding {
        Finding::Down(trouble) if *trouble != Trouble::Resting => {
            warn!(queue.id = %trace, filter, at = %answered.at, %trouble, duration_ms, "a filter gave no answer");
        }
        _ => info!(queue.id = %trace, filter, at = %answered.at, result, duration_ms, "a filter was asked"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use relais_filters::Symbol;
    use relais_model::Endpoint;

    use super::*;

    fn answered(kind: Kind, finding: Finding) -> Answered {
        Answered { kind, at: Endpoint::parse("h:1").unwrap(), finding, took: Duration::ZERO }
    }

    fn found(findings: &[(Kind, Finding)]) -> Found {
        Found { answers: findings.iter().cloned().map(|(kind, finding)| answered(kind, finding)).collect() }
    }

    fn rating(action: Action) -> Finding {
        let symbols = vec![Symbol { name: "GTUBE".to_owned(), score: 0.0 }];
        Finding::Rated(Rating { action, score: 6.25, required: 15.0, symbols, words: None })
    }

    fn milter(reply: u16, class: u8) -> Finding {
        Finding::Refused(Reply::new(reply, EnhancedCode::new(class, 7, 1), "No"))
    }

    fn passed(quarantine: Option<&str>) -> Finding {
        Finding::Passed { changes: Vec::new(), quarantine: quarantine.map(str::to_owned) }
    }

    #[test]
    fn what_filters_want_is_done() {
        let check = |findings: &[(Kind, Finding)], set: &[(&str, &str)], door, leaves, expected: &str| {
            let mut settings = Settings::default();
            for (name, value) in set {
                settings.set(name, value).unwrap();
            }
            let counsel = Counsel::of(&found(findings), &settings, door, leaves, "mx.example");
            let refusal = counsel.refusal.map(|reply| reply.to_string().chars().take(9).collect::<String>());
            let said = refusal.unwrap_or_else(|| if counsel.is_junk { "junk" } else { "take" }.to_owned());
            assert_eq!(said, expected, "{findings:?} {set:?} {door:?}");
        };
        let virus = || Finding::Virus { name: "Eicar".to_owned() };
        let down = || Finding::Down(Trouble::Silent);
        let junk = &[("filters.virus", "junk")][..];
        let relay = Door::Relay;
        check(&[], &[], relay, false, "take");
        check(&[(Kind::Clamd, Finding::Clean), (Kind::Milter, passed(None))], &[], relay, false, "take");
        check(&[(Kind::Clamd, virus())], &[], relay, false, "554 5.7.1");
        check(&[(Kind::Clamd, virus())], junk, relay, false, "junk");
        check(&[(Kind::Clamd, virus())], junk, relay, true, "554 5.7.1");
        check(&[(Kind::Clamd, virus())], junk, Door::Submission, false, "554 5.7.1");
        check(&[(Kind::Clamd, Finding::TooLarge { most_octets: None })], &[], relay, false, "take");
        for (action, expected) in [
            (Action::Take, "take"),
            (Action::AddHeader, "junk"),
            (Action::RewriteSubject, "junk"),
            (Action::Greylist, "451 4.7.1"),
            (Action::SoftReject, "451 4.7.1"),
            (Action::Reject, "554 5.7.1"),
        ] {
            check(&[(Kind::Rspamd, rating(action))], &[], relay, false, expected);
        }
        // Spam may be forwarded, as the recipient wishes; harm may not.
        check(&[(Kind::Rspamd, rating(Action::AddHeader))], &[], relay, true, "junk");
        check(&[(Kind::Milter, passed(Some("odd")))], &[], relay, false, "junk");
        check(&[(Kind::Milter, passed(Some("odd")))], &[], relay, true, "554 5.7.1");
        check(&[(Kind::Milter, Finding::Discarded)], &[], relay, false, "junk");
        check(&[(Kind::Milter, milter(451, 4))], &[], relay, false, "451 4.7.1");
        // Never counts before later.
        check(&[(Kind::Clamd, down()), (Kind::Milter, milter(550, 5))], &[], relay, false, "550 5.7.1");
        for (kind, name, default) in [
            (Kind::Clamd, "filters.clamd_down", "451 4.7.1"),
            (Kind::Rspamd, "filters.rspamd_down", "take"),
            (Kind::Milter, "filters.milters_down", "451 4.7.1"),
        ] {
            check(&[(kind, down())], &[], relay, false, default);
            check(&[(kind, down())], &[(name, "defer")], relay, false, "451 4.7.1");
            check(&[(kind, down())], &[(name, "pass")], relay, false, "take");
        }
    }

    #[test]
    fn only_what_is_set_is_asked_and_submissions_by_no_rspamd() {
        let mut settings = Settings::default();
        assert_eq!(asked(&settings, Door::Relay), []);
        for (name, value) in [("filters.clamd", "a:1"), ("filters.rspamd", "b:2"), ("filters.milters", "c:3, unix:/d")]
        {
            settings.set(name, value).unwrap();
        }
        let kinds = |door| asked(&settings, door).iter().map(Filter::kind).collect::<Vec<_>>();
        assert_eq!(kinds(Door::Relay), [Kind::Clamd, Kind::Rspamd, Kind::Milter, Kind::Milter]);
        assert_eq!(kinds(Door::Submission), [Kind::Clamd, Kind::Milter, Kind::Milter]);
    }

    #[test]
    fn a_message_is_marked_below_what_is_ours() {
        let head = "Return-Path: <>\r\nAuthentication-Results: mx;\r\n\tx=y\r\nReceived: from a\r\n\tby mx\r\n";
        let message =
            "Received: from b\r\nx-relais-filters: clamav=clean\r\nSubject: s\r\n\r\nX-Relais-Filters: in the body\r\n";
        let octets = [head, message].concat().into_bytes();
        assert_eq!(ours(&octets), head.len());
        let change = Change::Add { name: "X-Relais-Filters".to_owned(), value: b"forged".to_vec() };
        let other = Change::Insert { at: 1, name: "X-A".to_owned(), value: b"b".to_vec() };
        let milter = Finding::Passed { changes: vec![change, other], quarantine: None };
        let found = found(&[
            (Kind::Clamd, Finding::Down(Trouble::Resting)),
            (Kind::Rspamd, rating(Action::AddHeader)),
            (Kind::Milter, milter),
        ]);
        let expected = "X-Relais-Filters: clamav=unanswered;\r\n\trspamd=add-header score=6.2 of=15.0 symbols=GTUBE;\r\n\tmilter=pass\r\n\
            X-A: b\r\nReceived: from b\r\nSubject: s\r\n\r\nX-Relais-Filters: in the body\r\n";
        let marked = String::from_utf8(marked(&octets, ours(&octets), &found)).unwrap();
        assert_eq!(marked, [head, expected].concat());
        assert_eq!(ours(b"no header"), 9);
        assert_eq!(ours(b"\r\nbody"), 0);
    }
}
