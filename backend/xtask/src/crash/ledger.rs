//! What was asked for, what was acknowledged, and whether the server shows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use relais_testkit::imap::Client;

/// What each mailbox, and the queue, must and may hold. A message is known by its subject, which no other has.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<&'static str, Page>>);

/// One mailbox, or the queue.
#[derive(Default)]
pub(crate) struct Page {
    /// Asked for, and acknowledged or not.
    pub(crate) added: BTreeMap<String, bool>,
    /// The same of removals.
    pub(crate) removed: BTreeMap<String, bool>,
    /// The keyword of each message: the acknowledged one, and the one asked for after it.
    pub(crate) keywords: BTreeMap<String, (String, Option<String>)>,
    /// Whose each UID is; it never is another's.
    pub(crate) uids: BTreeMap<u32, String>,
    uid_validity: Option<u64>,
    highest_mod_seq: u64,
}

impl Ledger {
    pub(crate) fn on<T>(&self, mailbox: &'static str, act: impl FnOnce(&mut Page) -> T) -> T {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(pages.entry(mailbox).or_default())
    }
}

/// What comparing gave.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) faults: Vec<String>,
    pub(crate) acknowledged: usize,
    pub(crate) unsure: usize,
}

/// A mailbox as the server shows it.
pub(crate) struct Shown {
    /// UID, subject, keyword.
    messages: Vec<(u32, String, String)>,
    uid_validity: u64,
    uid_next: u64,
    highest_mod_seq: u64,
}

impl Shown {
    pub(crate) fn read(client: &mut Client, mailbox: &str) -> anyhow::Result<Self> {
        let opened = client.must(format!("SELECT {mailbox} (CONDSTORE)"))?;
        let said = opened.texts().collect::<Vec<_>>().join("\n").to_ascii_uppercase();
        let number = |word: &str| number_after(&said, word).with_context(|| format!("SELECT tells no {word}"));
        let (uid_validity, uid_next) = (number("[UIDVALIDITY ")?, number("[UIDNEXT ")?);
        let highest_mod_seq = number("[HIGHESTMODSEQ ")?;
        let fetched = client.must("UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")?;
        let messages = fetched.texts().filter_map(|response| shown_message(&response)).collect();
        Ok(Self { messages, uid_validity, uid_next, highest_mod_seq })
    }
}

fn shown_message(response: &str) -> Option<(u32, String, String)> {
    let uid = u32::try_from(number_after(response, "UID ")?).ok()?;
    let (_, subject) = response.split_once("Subject: ")?;
    let (_, flags) = response.split_once("FLAGS (")?;
    let keyword = flags.split(')').next()?.split(' ').find(|flag| flag.starts_with('k')).unwrap_or_default();
    Some((uid, subject.lines().next()?.to_owned(), keyword.to_owned()))
}

fn number_after(text: &str, word: &str) -> Option<u64> {
    let (_, rest) = text.split_once(word)?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

impl Page {
    /// Adds what is wrong to `findings`; what was unsure is settled by what is shown.
    pub(crate) fn compare(&mut self, mailbox: &str, shown: &Shown, findings: &mut Findings) {
        let mut fault = |text: String| findings.faults.push(format!("{mailbox}: {text}"));
        let mut seen = Vec::new();
        for (uid, subject, keyword) in &shown.messages {
            seen.push(subject.clone());
            if let Some(before) = self.uids.insert(*uid, subject.clone()).filter(|before| before != subject) {
                fault(format!("UID {uid} was {before}'s and is {subject}'s"));
            }
            if u64::from(*uid) >= shown.uid_next {
                fault(format!("UID {uid} is not below UIDNEXT {}", shown.uid_next));
            }
            if let Some((acknowledged, asked)) = self.keywords.get_mut(subject) {
                if keyword != acknowledged && asked.as_ref() != Some(keyword) {
                    fault(format!("{subject} has keyword {keyword:?}, acknowledged was {acknowledged:?}"));
                }
                (*acknowledged, *asked) = (keyword.clone(), None);
            }
        }
        if self.uid_validity.replace(shown.uid_validity).is_some_and(|before| before != shown.uid_validity) {
            fault("UIDVALIDITY changed".to_owned());
        }
        if shown.highest_mod_seq < self.highest_mod_seq {
            fault(format!("HIGHESTMODSEQ went from {} to {}", self.highest_mod_seq, shown.highest_mod_seq));
        }
        self.highest_mod_seq = shown.highest_mod_seq;
        self.compare_presence(mailbox, &seen, findings);
    }

    /// What is shown is there once, and was sent; what was acknowledged is shown.
    pub(crate) fn compare_presence(&mut self, place: &str, shown: &[String], findings: &mut Findings) {
        let mut fault = |text: String| findings.faults.push(format!("{place}: {text}"));
        let mut seen = BTreeSet::new();
        for subject in shown {
            if !seen.insert(subject.clone()) {
                fault(format!("{subject} is there twice"));
            }
            if !self.added.contains_key(subject) {
                fault(format!("{subject} was never sent"));
            }
        }
        for (subject, is_acknowledged) in &self.added {
            match self.removed.get(subject) {
                None if *is_acknowledged && !seen.contains(subject) => fault(format!("{subject} is lost")),
                Some(true) if seen.contains(subject) => fault(format!("{subject} is back")),
                _ => {}
            }
        }
        findings.acknowledged += self.added.values().filter(|is_acknowledged| **is_acknowledged).count();
        findings.unsure += self.added.values().filter(|is_acknowledged| !**is_acknowledged).count();
        self.settle(&seen);
    }

    /// From here on, what was unsure is as it was shown.
    fn settle(&mut self, seen: &BTreeSet<String>) {
        let gone: Vec<String> = self.removed.keys().filter(|subject| !seen.contains(*subject)).cloned().collect();
        for subject in gone {
            self.removed.insert(subject, true);
        }
        self.removed.retain(|subject, _| !seen.contains(subject));
        self.added.retain(|subject, is_acknowledged| {
            *is_acknowledged |= seen.contains(subject);
            *is_acknowledged
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` and `b` are acknowledged, `c` is unsure, `gone` was expunged; UIDs 1 and 2 are known.
    fn page() -> Page {
        let added = [("a", true), ("b", true), ("c", false), ("gone", true)];
        Page {
            added: added.map(|(subject, is_acknowledged)| (subject.to_owned(), is_acknowledged)).into(),
            removed: [("gone".to_owned(), true)].into(),
            uids: [(1, "a".to_owned()), (2, "b".to_owned())].into(),
            uid_validity: Some(7),
            highest_mod_seq: 10,
            ..Page::default()
        }
    }

    fn check(messages: &[(u32, &str)], highest_mod_seq: u64, expected: &[&str]) {
        let messages = messages.iter().map(|(uid, subject)| (*uid, (*subject).to_owned(), String::new())).collect();
        let shown = Shown { messages, uid_validity: 7, uid_next: 9, highest_mod_seq };
        let mut findings = Findings::default();
        page().compare("x", &shown, &mut findings);
        assert_eq!(findings.faults, expected);
    }

    #[test]
    fn what_was_unsure_may_be_either_way() {
        check(&[(1, "a"), (2, "b")], 10, &[]);
        check(&[(1, "a"), (2, "b"), (3, "c")], 11, &[]);
    }

    #[test]
    fn every_loss_and_doubling_is_found() {
        check(&[(1, "a")], 10, &["x: b is lost"]);
        check(&[(1, "a"), (2, "b"), (3, "b")], 10, &["x: b is there twice"]);
        check(&[(1, "a"), (2, "b"), (3, "gone")], 10, &["x: gone is back"]);
        check(&[(1, "a"), (2, "b"), (3, "d")], 10, &["x: d was never sent"]);
        check(&[(1, "b"), (2, "a")], 10, &["x: UID 1 was a's and is b's", "x: UID 2 was b's and is a's"]);
        check(&[(1, "a"), (9, "b")], 10, &["x: UID 9 is not below UIDNEXT 9"]);
        check(&[(1, "a"), (2, "b")], 9, &["x: HIGHESTMODSEQ went from 10 to 9"]);
    }
}
