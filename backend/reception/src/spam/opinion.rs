//! Weighs what was found of a message: pure.

use relais_model::{EnhancedCode, Finding, Reply, Said};
use relais_store::{AccountKey, Acquainted, Reputation, RuleScope, Settings};

use super::said;
use super::{Opinion, Spam};
use crate::judge::Fate;
use crate::proof::Proof;

/// What a list's word adds, in log-odds.
const LISTED: f32 = 3.0;
/// Lists add no more than this together.
const MAX_LISTED: f32 = 6.0;
/// A domain that disowns the message.
const DISOWNED: f32 = 2.0;
/// The account has written to the sender, or to somebody of their domain.
const KNOWN_ADDRESS: f32 = -6.0;
const KNOWN_DOMAIN: f32 = -2.0;
/// It has read and kept mail of the author, or several messages with a domain's signature, or from a network. Whoever is read is no friend yet: it takes little junk to be heard
/// over this.
const READ_AUTHOR: f32 = -1.5;
const READ_SIGNER: f32 = -0.75;
const READ_NETWORK: f32 = -0.5;
/// So many messages are several.
const SEVERAL: u64 = 3;
/// From this score on mail is refused, where that is wanted, and never sent on to other hosts.
const REFUSAL: f32 = 15.0;

/// From which score on what is done, in log-odds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bars {
    /// It goes into Junk.
    pub(crate) junk: f32,
    /// It is refused; none: it never is.
    pub(crate) refusal: Option<f32>,
}

impl Bars {
    /// As the house is set. docs/spam.md says what share of mail is above.
    pub(crate) fn of(settings: &Settings) -> Self {
        let junk = match settings.junk_strictness.as_str() {
            "mild" => 5.0,
            "strict" => 1.5,
            _ => 3.0,
        };
        Self { junk, refusal: settings.junk_refuses.then_some(REFUSAL) }
    }
}

/// What is done with a message: for all, and for whom it goes into Junk though others get it.
#[derive(Debug, PartialEq)]
pub(crate) struct Heard {
    /// For all.
    pub(crate) fate: Fate,
    /// Whose copies go into Junk, where not all do.
    pub(crate) aside: Vec<AccountKey>,
    /// It is sent on to nobody who has nothing here: it is too surely junk for that.
    pub(crate) onward: Option<NotSentOn>,
    /// Why.
    pub(crate) findings: Vec<Finding>,
    /// As the account sees it that wants it most.
    pub(crate) score: Option<f32>,
}

/// Why a message isn't sent on, and what is said to who brought it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NotSentOn {
    pub(crate) reply: Reply,
    pub(crate) finding: Finding,
}

/// What one account wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    Take,
    Junk,
    Refuse,
}

/// Weighs. `contact` tells who was refused how to reach us.
pub(crate) fn hear(spam: &Spam, proof: &Proof, bars: &Bars, contact: &str) -> Heard {
    let mut findings: Vec<Finding> = spam.listings.iter().map(said::listing).collect();
    for finding in &mut findings {
        finding.points = LISTED;
    }
    if proof.is_disowned() {
        findings.push(Finding::new("spam", Said::new("spam-disowned")).worth(DISOWNED));
    }
    let listed = f32::min(LISTED * lossless(spam.listings.len()), MAX_LISTED);
    let common = listed + if proof.is_disowned() { DISOWNED } else { 0.0 };
    let weighed: Vec<Weighed> = spam.opinions.iter().map(|opinion| weigh(opinion, common, proof, bars)).collect();
    // Of several accounts' reasons those are told whose account wants the message most: the fate of all hangs on them.
    let told =
        weighed.iter().min_by(|one, other| one.wish.cmp(&other.wish).then(one.points().total_cmp(&other.points())));
    let fate = told.map_or(Fate::Take, |told| match told.wish {
        Wish::Take => Fate::Take,
        Wish::Junk => Fate::Junk,
        Wish::Refuse => Fate::Refuse(refusal(contact)),
    });
    let aside = match fate {
        Fate::Take => {
            weighed.iter().filter(|weighed| weighed.wish > Wish::Take).map(|weighed| weighed.account).collect()
        }
        _ => Vec::new(),
    };
    let score = told.and_then(|told| told.score);
    let onward = spam.onward.as_ref().and_then(|score| not_sent_on(score.log_odds + common, contact));
    findings.extend(told.into_iter().flat_map(|told| told.findings.clone()));
    let mut heard = Heard { fate, aside, onward, findings, score };
    if let Some(again) = spam.comes_again
        && heard.fate == Fate::Take
    {
        let minutes = again.as_secs().div_ceil(60);
        let text = format!("You are new here: please come again in {minutes} minutes, as mail servers do");
        heard.fate = Fate::Defer(Reply::new(451, EnhancedCode::new(4, 7, 1), text));
        heard
            .findings
            .push(Finding::new("greylist", Said::new("spam-greylisted").number("minutes", minutes)).deciding());
    }
    heard
}

struct Weighed {
    account: AccountKey,
    wish: Wish,
    score: Option<f32>,
    findings: Vec<Finding>,
}

impl Weighed {
    fn points(&self) -> f32 {
        self.score.unwrap_or_default()
    }
}

fn weigh(opinion: &Opinion, common: f32, proof: &Proof, bars: &Bars) -> Weighed {
    let mut findings = opinion.score.as_ref().map(said::score).unwrap_or_default();
    let known = match opinion.regard.acquainted {
        Acquainted::Address if proof.is_proven() => KNOWN_ADDRESS,
        Acquainted::Domain if proof.is_proven() => KNOWN_DOMAIN,
        _ => 0.0,
    };
    if known < 0.0 {
        let id = if known == KNOWN_ADDRESS { "spam-known-address" } else { "spam-known-domain" };
        findings.push(Finding::new("spam", Said::new(id)).worth(known));
    }
    let read = by_reputation(&opinion.regard.reputation);
    let reputed: f32 = read.iter().map(|finding| finding.points).sum();
    findings.extend(read);
    let score = opinion.score.as_ref().map(|score| score.log_odds + common + known + reputed);
    let wish = match score {
        Some(score) if bars.refusal.is_some_and(|bar| score >= bar) => Wish::Refuse,
        Some(score) if score >= bars.junk => Wish::Junk,
        None if common >= bars.junk => Wish::Junk,
        _ => Wish::Take,
    };
    let mut weighed = Weighed { account: opinion.regard.account, wish, score, findings };
    if let (Some(score), Wish::Junk | Wish::Refuse) = (score, wish) {
        let said =
            Said::new("spam-above-bar").words("score", format!("{score:.1}")).words("bar", format!("{:.1}", bars.junk));
        weighed.findings.insert(0, Finding::new("spam", said).deciding());
    }
    obey_rule(opinion, proof, &mut weighed);
    weighed
}

/// What an account has read and kept. The author was proved, the domain's signature is good: `origin` leaves out what isn't.
fn by_reputation(reputation: &Reputation) -> Vec<Finding> {
    let said = |id, messages: u64| Said::new(id).number("messages", messages);
    [
        ("spam-read-author", reputation.author, 1, READ_AUTHOR),
        ("spam-read-signer", reputation.signer, SEVERAL, READ_SIGNER),
        ("spam-read-network", reputation.network, SEVERAL, READ_NETWORK),
    ]
    .into_iter()
    .filter(|(_, messages, least, _)| messages >= least)
    .map(|(id, messages, _, points)| Finding::new("spam", said(id, messages)).worth(points))
    .collect()
}

/// Other hosts think of us by what we send them: what is surely junk isn't sent on.
fn not_sent_on(score: f32, contact: &str) -> Option<NotSentOn> {
    let said = Said::new("spam-not-sent-on").words("score", format!("{score:.1}"));
    let finding = Finding::new("spam", said.words("bar", format!("{REFUSAL:.1}"))).deciding();
    (score >= REFUSAL).then(|| NotSentOn { reply: refusal(contact), finding })
}

/// A rule of the sender goes before the filter; who is let in by name must be who they say.
fn obey_rule(opinion: &Opinion, proof: &Proof, weighed: &mut Weighed) {
    let Some(rule) = &opinion.regard.rule else { return };
    let scope = match rule.scope {
        RuleScope::Account(_) => "own",
        RuleScope::Domain(_) => "domain",
        RuleScope::House => "house",
    };
    let said = |id| Said::new(id).words("sender", &rule.sender).words("scope", scope);
    let finding = if !rule.is_allowed {
        weighed.wish = if scope == "own" { Wish::Junk } else { Wish::Refuse };
        Finding::new("rule", said("spam-blocked")).deciding()
    } else if proof.is_disowned() {
        Finding::new("rule", said("spam-allowed-forged"))
    } else {
        weighed.wish = Wish::Take;
        Finding::new("rule", said("spam-allowed")).deciding()
    };
    weighed.findings.iter_mut().for_each(|other| other.decides &= !finding.decides);
    weighed.findings.insert(0, finding);
}

fn refusal(contact: &str) -> Reply {
    let text = format!("This looks like junk, and nobody here wants it; if it is not, write to {contact}");
    Reply::new(550, EnhancedCode::new(5, 7, 1), text)
}

/// Few enough.
fn lossless(count: usize) -> f32 {
    f32::from(u8::try_from(count).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use relais_junk::Score;
    use relais_model::{ReversePath, Timestamp};
    use relais_msgauth::Facts;
    use relais_msgauth::testing::{Zone, at_once};
    use relais_store::Regard;

    use super::*;
    use crate::proof::Trusted;

    #[test]
    fn what_is_surely_junk_is_refused_where_the_owner_wants_that() {
        let facts = Facts {
            peer: "192.0.2.1".parse().unwrap(),
            helo: "mx.elsewhere.example",
            reverse_path: &ReversePath::Null,
            message: b"From: ann@elsewhere.example\r\n\r\nThe body.\r\n",
            host: "mx.example.org",
            now: Timestamp::default(),
        };
        let proof = at_once(Proof::of(&facts, &Zone::new(), &Trusted::default()));
        for (log_odds, junk_refuses, expected) in [
            (2.9, true, Wish::Take),
            (3.0, true, Wish::Junk),
            (14.9, true, Wish::Junk),
            (15.0, true, Wish::Refuse),
            (30.0, false, Wish::Junk),
        ] {
            let regard = Regard {
                account: AccountKey::new(1),
                rule: None,
                acquainted: Acquainted::Stranger,
                reputation: Reputation::default(),
                awaits_code: false,
                model: None,
            };
            let score = Score { log_odds, probability: 1.0, reasons: Vec::new() };
            let bars = Bars::of(&Settings { junk_refuses, ..Settings::default() });
            let weighed = weigh(&Opinion { regard, score: Some(score) }, 0.0, &proof, &bars);
            assert_eq!(weighed.wish, expected, "{log_odds} {junk_refuses}");
        }
    }

    #[test]
    fn what_is_surely_junk_is_not_sent_on() {
        for (score, goes_on) in [(-3.0, true), (4.0, true), (14.9, true), (15.0, false), (30.0, false)] {
            assert_eq!(not_sent_on(score, "postmaster@mx.example").is_none(), goes_on, "{score}");
        }
    }

    #[test]
    fn one_read_message_speaks_for_its_author_and_several_for_domain_and_network() {
        for ((author, signer, network), expected) in [
            ((0, 0, 0), 0.0),
            ((1, 1, 1), READ_AUTHOR),
            ((0, 2, 3), READ_NETWORK),
            ((9, 9, 9), READ_AUTHOR + READ_SIGNER + READ_NETWORK),
        ] {
            let found = by_reputation(&Reputation { author, signer, network });
            let points: f32 = found.iter().map(|finding| finding.points).sum();
            assert!((points - expected).abs() < 0.001, "{author} {signer} {network}: {points}");
        }
    }
}
