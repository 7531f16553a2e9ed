//! SEARCH (RFC 9051 §6.4.4) and ESEARCH over several mailboxes (RFC 7377): the commands, and what is told and kept of what was found.

use relais_imap::command::{MailboxFilter, MultiSearch, Search, SearchKey, SearchReturn, Tag};
use relais_imap::response::{self, ESearch, Found, ResponseCode};
use relais_model::{MailboxName, ModSeq, Rights, Uid, UidSet};
use relais_store::Sight;

use super::context::SearchContext;
use super::fuzzy::Scores;
use super::progress::{Progress, Teller};
use super::rights::Shown;
use super::searcher::Searcher;
use super::selected::Selected;
use super::{Client, Done, Halt};

/// Mailboxes that one ESEARCH looks into (RFC 7377 §2.4).
const MAX_MAILBOXES: usize = 1000;

/// What is told of what was found.
struct Answer<'a> {
    tag: &'a Tag,
    mailbox: Option<Found<'a>>,
    by_uid: bool,
    returns: &'a SearchReturn,
    mod_seq: Option<ModSeq>,
}

impl Answer<'_> {
    /// Writes the ESEARCH of what a search found: in the mailbox's order, whole runs at once.
    fn tell(&self, out: &mut Vec<u8>, found: &UidSet, known: &UidSet, scores: &Scores) {
        let numbers = |uids: &UidSet| if self.by_uid { uids.runs().to_vec() } else { known.positions_of(uids) };
        let all = numbers(found);
        let part = self.returns.partial.map(|range| (range, part_of(found, range)));
        let told = part.as_ref().map_or(found, |(_, part)| part);
        let relevancy: Vec<u8> =
            if self.returns.relevancy { scores.of(told.iter().map(Uid::value)) } else { Vec::new() };
        let part = part.as_ref().map(|(range, part)| (*range, numbers(part)));
        response::esearch(
            out,
            &ESearch {
                tag: self.tag,
                mailbox: self.mailbox,
                by_uid: self.by_uid,
                min: all.first().map(|run| run.0).filter(|_| self.returns.min),
                max: all.last().map(|run| run.1).filter(|_| self.returns.max),
                count: self.returns.count.then(|| u32::try_from(found.count()).unwrap_or(u32::MAX)),
                all: self.returns.all.then_some(all.as_slice()),
                partial: part.as_ref().map(|(range, runs)| (*range, runs.as_slice())),
                relevancy: self.returns.relevancy.then_some(relevancy.as_slice()),
                mod_seq: self.mod_seq,
            },
        );
    }
}

/// Those at these places.
fn part_of(found: &UidSet, range: relais_imap::partial::PartialRange) -> UidSet {
    let places = range.of(usize::try_from(found.count()).unwrap_or(usize::MAX));
    let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    if places.is_empty() {
        return UidSet::new();
    }
    found.at_positions(&[(place(places.start + 1), place(places.end))])
}

impl Client {
    /// SEARCH and UID SEARCH.
    pub(super) async fn search(&mut self, tag: &Tag, search: Search) -> Result<Done, Halt> {
        let Search { by_uid, returns, key } = search;
        self.search_here(tag, by_uid, None, returns, key).await
    }

    /// A search in the mailbox that is open; `name`: it is told, and where nothing was found nothing is (RFC 7377 §2.1).
    async fn search_here(
        &mut self,
        tag: &Tag,
        by_uid: bool,
        name: Option<MailboxName>,
        returns: Option<SearchReturn>,
        key: SearchKey,
    ) -> Result<Done, Halt> {
        if key.asks_mod_seq() {
            self.enable_condstore();
        }
        self.must_be_new(tag, returns.as_ref())?;
        let found = self.find_newest(tag, &key).await;
        if found.is_err() && returns.as_ref().is_some_and(|returns| returns.save) {
            self.forget_saved();
        }
        let (found, scores, beyond) = found?;
        let done = Done { code: beyond, text: "Searched" };
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let mod_seq = key.asks_mod_seq().then(|| highest(selected, &found, returns.as_ref())).flatten();
        // RFC 9051 Appendix E: IMAP4rev2 answers with ESEARCH always.
        let returns = returns.or_else(|| self.session.enabled().imap4rev2.then(SearchReturn::all));
        let Some(returns) = returns else {
            let numbers = if by_uid { found.runs().to_vec() } else { selected.known.positions_of(&found) };
            let numbers = numbers.iter().flat_map(|(first, last)| *first..=*last);
            response::search(&mut self.out, numbers, mod_seq);
            return Ok(done);
        };
        if returns.tells_something() && !(name.is_some() && found.is_empty()) {
            let (uid_validity, utf8) = (selected.view.uid_validity(), self.session.enabled().utf8());
            let mailbox = name.as_ref().map(|name| Found { name, uid_validity, utf8 });
            let answer = Answer { tag, mailbox, by_uid, returns: &returns, mod_seq };
            answer.tell(&mut self.out, &found, &selected.known, &scores);
        }
        if let Some(items) = &returns.update {
            let (items, found) = (items.clone(), found.clone());
            self.keep_search(SearchContext { tag: tag.clone(), by_uid, key, items, found, sorted: None });
        }
        if returns.save {
            self.save(found, &returns);
        }
        Ok(done)
    }

    /// What `key` holds for in the mailbox that is open, and how well FUZZY was met.
    pub(super) async fn find(&mut self, tag: &Tag, key: &SearchKey) -> Result<(UidSet, Scores), Halt> {
        self.find_among(tag, key, None).await
    }

    /// The same among as many as one command is given (RFC 9738 §3.1), with the code where that isn't all.
    async fn find_newest(
        &mut self,
        tag: &Tag,
        key: &SearchKey,
    ) -> Result<(UidSet, Scores, Option<ResponseCode<'static>>), Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        if selected.known.count() <= u64::from(self.house.limits.imap_messages) {
            let (found, scores) = self.find(tag, key).await?;
            return Ok((found, scores, None));
        }
        let progress = Progress::default();
        let (newest, beyond) = self.within_limit(Searcher::new(&self.house, selected, &progress).named(key));
        let (found, scores) = self.find_among(tag, key, Some(newest)).await?;
        Ok((found, scores, beyond))
    }

    async fn find_among(
        &mut self,
        tag: &Tag,
        key: &SearchKey,
        candidates: Option<UidSet>,
    ) -> Result<(UidSet, Scores), Halt> {
        let Self { house, selected, wire, out, session, .. } = self;
        let selected = selected.as_deref().ok_or_else(Halt::not_selected)?;
        let progress = Progress::default();
        let searcher = Searcher::new(house, selected, &progress);
        let candidates = candidates.unwrap_or_else(|| searcher.present());
        let teller = Teller::new(tag, session.language(), (out, wire), &house.limits)?;
        let found = teller.watch(&progress, searcher.among(key, candidates)).await??;
        Ok((found, searcher.scores))
    }

    /// ESEARCH (RFC 7377).
    pub(super) async fn multi_search(&mut self, tag: &Tag, search: MultiSearch) -> Result<Done, Halt> {
        if search.mailboxes.iter().all(|filter| *filter == MailboxFilter::Selected) {
            let open = self.selected.as_deref().ok_or_else(Halt::not_selected)?.view.mailbox();
            let shown = self.shown().await?.into_iter().find(|shown| shown.status.mailbox.key == open);
            let name = shown.ok_or_else(Halt::no_mailbox)?.status.mailbox.name;
            return self.search_here(tag, true, Some(name), Some(search.returns), search.key).await;
        }
        if search.returns.update.is_some() {
            return Err(Halt::bad("UPDATE is for the selected mailbox alone")); // RFC 7377 §2.2
        }
        if search.mailboxes.contains(&MailboxFilter::Selected) && self.selected.is_none() {
            return Err(Halt::not_selected());
        }
        if search.key.asks_mod_seq() {
            self.enable_condstore();
        }
        let meant = self.meant(&search.mailboxes).await?;
        if meant.len() > MAX_MAILBOXES {
            return Err(Halt::no(ResponseCode::Limit, "Too many mailboxes at once"));
        }
        let (account, progress) = (self.account()?, Progress::default());
        for Shown { status, .. } in meant {
            let Some(view) = self.house.store.sight(account, status.mailbox.key).await? else { continue };
            self.search_in(tag, (&status.mailbox.name, view), &search, &progress).await?;
        }
        Ok(Done::plain("Searched"))
    }

    /// What the filters mean of all that the account may read.
    async fn meant(&self, filters: &[MailboxFilter]) -> Result<Vec<Shown>, Halt> {
        let open = self.selected.as_deref().map(|selected| selected.view.mailbox());
        let wants_open = filters.contains(&MailboxFilter::Selected);
        let mut shown = self.shown().await?;
        shown.retain(|Shown { status, rights }| {
            let mailbox = &status.mailbox;
            let is_open = wants_open && open == Some(mailbox.key);
            let is_meant = filters.iter().any(|filter| filter.means(&mailbox.name, mailbox.is_subscribed));
            rights.has(Rights::READ) && (is_open || is_meant)
        });
        Ok(shown)
    }

    /// One mailbox of several, as it stands, whatever the client knows of it: the answer is in UIDs.
    async fn search_in(
        &mut self,
        tag: &Tag,
        (name, view): (&MailboxName, Sight),
        search: &MultiSearch,
        progress: &Progress,
    ) -> Result<(), Halt> {
        let MultiSearch { returns, key, .. } = search;
        let Self { house, wire, out, session, .. } = self;
        let selected = Selected::open(&house.store, view, true);
        let searcher = Searcher::new(house, &selected, progress);
        let teller = Teller::new(tag, session.language(), (&mut *out, wire), &house.limits)?;
        let found = teller.watch(progress, searcher.find(key)).await??;
        if found.is_empty() {
            return Ok(());
        }
        let mod_seq = key.asks_mod_seq().then(|| highest(&selected, &found, Some(returns))).flatten();
        let (uid_validity, utf8) = (selected.view.uid_validity(), session.enabled().utf8());
        let answer = Answer { tag, mailbox: Some(Found { name, uid_validity, utf8 }), by_uid: true, returns, mod_seq };
        answer.tell(out, &found, &selected.known, &searcher.scores);
        Ok(())
    }

    /// RFC 9051 §6.4.4.1: a SEARCH RETURN (SAVE) that ends with NO empties `$`.
    pub(super) fn forget_saved(&mut self) {
        if let Some(selected) = self.selected.as_deref_mut() {
            selected.saved = UidSet::new();
        }
    }

    fn save(&mut self, found: UidSet, returns: &SearchReturn) {
        if let Some(selected) = self.selected.as_deref_mut() {
            selected.saved = told_of(found, returns);
        }
    }
}

/// What a result tells of (RFC 5182 §2.4, RFC 9394 §3.2): without COUNT and ALL only what PARTIAL, MIN and MAX ask for.
fn told_of(found: UidSet, returns: &SearchReturn) -> UidSet {
    let tells_part = returns.min || returns.max || returns.partial.is_some();
    if returns.all || returns.count || !tells_part {
        return found;
    }
    let mut told = returns.partial.map(|range| part_of(&found, range)).unwrap_or_default();
    let first = found.iter().next().filter(|_| returns.min);
    let last = found.last().filter(|_| returns.max);
    told.extend(&first.into_iter().chain(last).collect());
    told
}

/// The MODSEQ that goes with a result (RFC 7162 §3.1.5, §3.1.10): of MIN's or MAX's message where only one of them was asked, else the
/// highest of what is told.
pub(super) fn highest(selected: &Selected, found: &UidSet, returns: Option<&SearchReturn>) -> Option<ModSeq> {
    let told = returns.map_or_else(|| found.clone(), |returns| told_of(found.clone(), returns));
    let highest = selected.view.read(|rows| rows.select(&told).map(|row| row.mod_seq).max());
    highest.and_then(ModSeq::new)
}
