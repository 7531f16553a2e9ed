//! What becomes of a stranger's message: all that was found of it is gathered first, then one pure function decides.
//!
//! To add a check: a field of [`Facts`], and one function here that turns it into findings and what it wants done. The strictest
//! wish of all checks is the message's fate.

use relais_model::{Domain, Finding, Reply, Said};
use relais_msgauth::dkim::DkimResult;
use relais_msgauth::dmarc::{Disposition, DispositionReason};
use relais_msgauth::reason::Reason as _;
use relais_store::{AccountKey, JudgedAs, Judgement, Settings};

use crate::filters::Counsel;
use crate::proof::Proof;
use crate::spam::{self, Bars, NotSentOn, Spam};

/// What was found of a message. None of a thing: nobody looked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts<'a> {
    /// Whose mail it is.
    pub(crate) proof: Option<&'a Proof>,
    /// Whether anybody wants it.
    pub(crate) spam: Option<&'a Spam>,
    /// What programs that aren't ours want done.
    pub(crate) filters: Option<&'a Counsel>,
}

/// What the house wants done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    /// What an author's domain asks for is done; else it is only said.
    pub(crate) follows_dmarc: bool,
    /// From which score on mail is junk.
    pub(crate) bars: Bars,
    /// Whom who is refused may ask.
    pub(crate) contact: String,
}

impl Policy {
    /// As the house is set.
    pub(crate) fn of(settings: &Settings, host: &Domain) -> Self {
        Self {
            follows_dmarc: settings.trust_dmarc == "follow",
            bars: Bars::of(settings),
            contact: settings.house_contact.as_ref().map_or_else(|| format!("postmaster@{host}"), ToString::to_string),
        }
    }
}

/// What is done with a message, from the mildest to the strictest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes where it was to go.
    Take,
    /// It goes into Junk.
    Junk,
    /// It may come again later.
    Defer(Reply),
    /// It is not wanted.
    Refuse(Reply),
}

impl Fate {
    const fn severity(&self) -> u8 {
        match self {
            Self::Take => 0,
            Self::Junk => 1,
            Self::Defer(_) => 2,
            Self::Refuse(_) => 3,
        }
    }
}

/// What is done with a message, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    /// What is done.
    pub(crate) fate: Fate,
    /// Accounts whose copies go into Junk, though the others' don't.
    pub(crate) aside: Vec<AccountKey>,
    /// It isn't sent on to other hosts for those who have nothing here.
    pub(crate) onward: Option<NotSentOn>,
    /// What was found, in the order of the checks.
    pub(crate) findings: Vec<Finding>,
    /// The sum of the findings' points; none where no check counts.
    pub(crate) score: Option<f32>,
}

impl Verdict {
    /// As it is kept with the message; none where nothing was found.
    pub(crate) fn judgement(&self) -> Option<Judgement> {
        let judged_as = match self.fate {
            Fate::Take => JudgedAs::Taken,
            Fate::Junk => JudgedAs::Junk,
            Fate::Defer(_) => JudgedAs::PutOff,
            Fate::Refuse(_) => JudgedAs::Refused,
        };
        let is_known = !self.findings.is_empty();
        is_known.then(|| Judgement { judged_as, score: self.score, findings: self.findings.clone() })
    }

    /// Whether an account's copy goes into Junk.
    pub(crate) fn is_junk_to(&self, account: AccountKey) -> bool {
        self.fate == Fate::Junk || self.aside.contains(&account)
    }

    /// Nobody who has it sent on has anything here, and it is too surely junk for that: it is refused.
    pub(crate) fn refuse_onward(&mut self) {
        if let Some(NotSentOn { reply, finding }) = self.onward.take() {
            self.hear((Fate::Refuse(reply), vec![finding]));
        }
    }

    /// Takes in what one check says. Of two equal wishes the first check's counts.
    fn hear(&mut self, (fate, findings): (Fate, Vec<Finding>)) {
        if fate.severity() > self.fate.severity() {
            // What a milder wish hung on decides no more.
            self.findings.iter_mut().for_each(|finding| finding.decides = false);
            self.fate = fate;
            self.findings.extend(findings);
        } else {
            let is_equal = fate.severity() == self.fate.severity();
            let said = findings.into_iter().map(|finding| Finding { decides: finding.decides && is_equal, ..finding });
            self.findings.extend(said);
        }
    }
}

/// Decides, from facts alone.
pub(crate) fn judge(facts: &Facts<'_>, policy: &Policy) -> Verdict {
    let mut verdict = Verdict { fate: Fate::Take, aside: Vec::new(), onward: None, findings: Vec::new(), score: None };
    if let Some(proof) = facts.proof {
        verdict.hear(by_proof(proof, policy));
        if let Some(spam) = facts.spam {
            let heard = spam::hear(spam, proof, &policy.bars, &policy.contact);
            verdict.hear((heard.fate, heard.findings));
            (verdict.aside, verdict.onward, verdict.score) = (heard.aside, heard.onward, heard.score);
        }
    }
    if let Some(counsel) = facts.filters {
        verdict.hear((by_filters(counsel), counsel.findings.clone()));
    }
    verdict
}

fn by_filters(counsel: &Counsel) -> Fate {
    match &counsel.refusal {
        Some(reply) if reply.is_transient() => Fate::Defer(reply.clone()),
        Some(reply) => Fate::Refuse(reply.clone()),
        None if counsel.is_junk => Fate::Junk,
        None => Fate::Take,
    }
}

/// What the author's domain wants, and all that SPF, DKIM, DMARC and ARC say.
fn by_proof(proof: &Proof, policy: &Policy) -> (Fate, Vec<Finding>) {
    let found = &proof.authentication;
    let mut findings =
        vec![Finding::new("iprev", found.iprev.said()), Finding::new("spf", found.spf_mail_from.reason.said())];
    findings.extend(found.dkim.iter().map(|check| match &check.signature {
        Some(signature) if check.result == DkimResult::Pass => {
            Finding::new("dkim", Said::new("auth-judge-dkim-good").words("domain", &signature.domain))
        }
        _ => Finding::new("dkim", check.reason.said()),
    }));
    if found.dkim.is_empty() {
        findings.push(Finding::new("dkim", Said::new("auth-dkim-none")));
    }
    if !found.arc.sets.is_empty() {
        findings.push(Finding::new("arc", found.arc.reason.said()));
    }
    findings.push(Finding::new("dmarc", found.dmarc.reason.said()));
    let decision = &proof.decision;
    let fate = match decision.disposition {
        Disposition::Deliver => Fate::Take,
        _ if !policy.follows_dmarc => Fate::Take,
        Disposition::Quarantine => Fate::Junk,
        Disposition::Reject => Fate::Refuse(proof.refusal()),
    };
    let finding = Finding::new("dmarc", decision.reason.said());
    match decision.reason {
        // These say no more than what was found.
        DispositionReason::Passed | DispositionReason::NoPolicy | DispositionReason::Unanswered => {}
        DispositionReason::Policy { .. } if fate == Fate::Take => findings.push(finding),
        _ => findings.push(finding.deciding()),
    }
    if fate == Fate::Take && decision.disposition != Disposition::Deliver {
        findings.push(Finding::new("dmarc", Said::new("auth-judge-only-marks")).deciding());
    }
    (fate, findings)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use relais_model::{Address, EnhancedCode, Gap, ReversePath, Timestamp};
    use relais_msgauth as msgauth;
    use relais_msgauth::testing::Zone;
    use relais_words::{Filling, Language};

    use super::*;
    use crate::proof::Trusted;

    fn policy(follows_dmarc: bool) -> Policy {
        let bars = Bars { junk: 3.8, refusal: None };
        Policy { follows_dmarc, bars, contact: "postmaster@example.org".to_owned() }
    }

    fn zone() -> Zone {
        Zone::new()
            .with_txt("good.example", "v=spf1 ip4:192.0.2.1 -all")
            .with_txt("_dmarc.good.example", "v=DMARC1; p=reject")
            .with_txt("bad.example", "v=spf1 -all")
            .with_txt("_dmarc.bad.example", "v=DMARC1; p=reject")
            .with_txt("_dmarc.junk.example", "v=DMARC1; p=quarantine")
            .with_txt("_dmarc.tried.example", "v=DMARC1; p=reject; t=y")
            .with_txt("lists.example", "v=spf1 ip4:192.0.2.1 -all")
            .with_txt("_dmarc.calm.example", "v=DMARC1; p=none")
    }

    /// `through`: the domain of MAIL FROM, and the List-Id.
    async fn proof(domain: &str, through: Option<(&str, &str)>) -> Proof {
        let list = through.map(|(_, id)| format!("List-Id: Chess <{id}>\r\n")).unwrap_or_default();
        let message = format!("From: ann@{domain}\r\n{list}Subject: hello\r\n\r\nThe body.\r\n");
        let from = format!("ann@{}", through.map_or(domain, |(from, _)| from));
        let facts = msgauth::Facts {
            peer: "192.0.2.1".parse().unwrap(),
            helo: "mx.elsewhere.example",
            reverse_path: &ReversePath::Address(Address::parse(&from).unwrap()),
            message: message.as_bytes(),
            host: "mx.example.org",
            now: Timestamp::from_seconds(1_700_000_000),
        };
        let mut settings = Settings::default();
        settings.set("trust.mailing_lists", "chess.lists.example").unwrap();
        Proof::of(&facts, &zone(), &Trusted::of(&settings)).await
    }

    fn read(language: Language, said: &Said) -> String {
        let gaps = said.gaps.iter().map(|(name, gap)| match gap {
            Gap::Number(number) => (&**name, Filling::from(*number)),
            Gap::Words(words) => (&**name, Filling::from(words.as_str())),
        });
        assert!(language.knows(&said.id), "{}", said.id);
        language.say(&said.id, gaps)
    }

    #[tokio::test]
    async fn verdicts_say_why() {
        let mut told = String::new();
        for (domain, through, follows_dmarc) in [
            ("good.example", None, true),
            ("bad.example", None, true),
            ("bad.example", Some(("lists.example", "chess.lists.example")), true),
            ("bad.example", Some(("bad.example", "chess.lists.example")), true),
            ("bad.example", Some(("lists.example", "go.lists.example")), true),
            ("bad.example", None, false),
            ("junk.example", None, true),
            ("tried.example", None, true),
            ("calm.example", None, true),
            ("nobody.example", None, true),
        ] {
            let proof = proof(domain, through).await;
            let verdict = judge(&Facts { proof: Some(&proof), spam: None, filters: None }, &policy(follows_dmarc));
            let by = if follows_dmarc { "" } else { ", only marked" };
            let through = through.map(|(from, id)| format!(" through {id}, from {from}")).unwrap_or_default();
            writeln!(told, "{domain}{through}{by}: {:?}", verdict.fate).unwrap();
            for finding in verdict.findings {
                let mark = if finding.decides { '*' } else { ' ' };
                writeln!(told, "{mark} {}: {}", finding.part, read(Language::English, &finding.said)).unwrap();
                writeln!(told, "  {}: {}", finding.part, read(Language::French, &finding.said)).unwrap();
            }
        }
        insta::assert_snapshot!(told);
    }

    #[test]
    fn nothing_found_is_nothing_kept() {
        let verdict = judge(&Facts::default(), &policy(true));
        assert_eq!((&verdict.fate, verdict.judgement()), (&Fate::Take, None));
    }

    #[test]
    fn the_strictest_wish_counts_and_of_equals_the_first() {
        let reply = |text: &str| Reply::new(550, EnhancedCode::new(5, 7, 1), text);
        let wish = |part, fate| (fate, vec![Finding::new(part, Said::new("x")).deciding()]);
        let check = |wishes: Vec<(Fate, Vec<Finding>)>, fate: Fate, deciding: &[&str]| {
            let mut verdict =
                Verdict { fate: Fate::Take, aside: Vec::new(), onward: None, findings: Vec::new(), score: None };
            for wish in wishes {
                verdict.hear(wish);
            }
            let found: Vec<_> = verdict.findings.iter().filter(|one| one.decides).map(|one| &*one.part).collect();
            assert_eq!((verdict.fate, found.as_slice()), (fate, deciding));
        };
        check(vec![wish("a", Fate::Take), wish("b", Fate::Junk)], Fate::Junk, &["b"]);
        check(vec![wish("a", Fate::Junk), wish("b", Fate::Take)], Fate::Junk, &["a"]);
        check(vec![wish("a", Fate::Junk), wish("b", Fate::Junk)], Fate::Junk, &["a", "b"]);
        let (first, second) = (Fate::Refuse(reply("1")), Fate::Refuse(reply("2")));
        let later = Fate::Defer(reply("later"));
        check(vec![wish("a", Fate::Junk), wish("b", first.clone()), wish("c", second)], first.clone(), &["b", "c"]);
        check(vec![wish("a", first.clone()), wish("b", later.clone())], first, &["a"]);
        check(vec![wish("a", Fate::Junk), wish("b", later.clone())], later, &["b"]);
    }
}
