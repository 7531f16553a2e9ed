//! One run: folder by folder, what is new is brought and what has changed is changed.
//!
//! What is fetched and what is filed go on side by side, a batch each and one between them. A batch that was filed and not yet noted, as
//! the run was broken off, is found again by its content.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use relais_model::{Flag, MailboxName, Secret, Timestamp, Uid, UidSet};
use relais_store::{
    AccountKey, Append, ChangeError, Content, FlagChange, FlagOp, FolderState, ImportSpan, MailboxError, MailboxKey,
    SourceFolder, Store, View,
};
use tokio::sync::mpsc;

use crate::answer::{Body, Fetched, Listed};
use crate::dial::{Dialer, Fault, Reach, Target};
use crate::folders::places;
use crate::movers::Room;
use crate::progress::{Board, Halt};
use crate::source::{Came, Source};

/// Messages of one command.
const WINDOW_MESSAGES: usize = 200;
/// Octets of one command's messages, and of one batch.
const WINDOW_OCTETS: u64 = 8 * 1024 * 1024;
/// Commands that are asked before the first is answered.
const AHEAD: usize = 2;
/// New messages of one folder that are brought in one run; the next run brings the others.
const MAX_NEW: usize = 2_000_000;
/// Messages that come though nobody asked, at most: a server that goes on so is none.
const MAX_UNASKED: usize = 100_000;
/// Connections in a row that bring nothing, at most.
const TRIES: u32 = 4;
/// Before another connection; it grows with each.
const PAUSE: Duration = Duration::from_secs(3);

/// What is to be done.
pub(crate) struct Errand {
    pub(crate) store: Store,
    pub(crate) account: AccountKey,
    pub(crate) dialer: Dialer,
    pub(crate) reach: Reach,
    pub(crate) target: Target,
    pub(crate) password: Secret,
    /// Octets of a message that is taken.
    pub(crate) message_octets: usize,
    pub(crate) board: Arc<Board>,
    /// On the disk.
    pub(crate) room: Room,
}

/// A message on its way.
struct Brought {
    uid: u32,
    flags: Vec<Flag>,
    internal_date: Option<Timestamp>,
    octets: Vec<u8>,
}

/// Messages that are filed together.
struct Batch {
    messages: Vec<Brought>,
    /// All up to this UID are through, with this batch.
    through: Option<u32>,
}

impl Errand {
    /// Brings all that is new, over as many connections as that takes.
    pub(crate) async fn run(&self) -> Result<(), Halt> {
        let mut tries = 0;
        loop {
            let before = self.board.shown().1.brought;
            let fault = match self.pass().await {
                Err(Halt::Source(fault)) if fault.is_transient() => fault,
                ended => return ended,
            };
            tries = if self.board.shown().1.brought > before { 1 } else { tries + 1 };
            if tries >= TRIES {
                return Err(fault.into());
            }
            tracing::info!(%fault, tries, account.key = self.account.value(), "an import's source broke off; it is tried again");
            tokio::time::sleep(PAUSE * tries).await;
        }
    }

    async fn pass(&self) -> Result<(), Halt> {
        let mut source = Source::open(&self.dialer, &self.reach, &self.target, &self.password).await?;
        let folders = source.folders().await?;
        let places = places(&folders, &self.store.mailboxes_uncounted(self.account).await?);
        let mut found = 0;
        for place in &places {
            found += source.count(&place.listed).await?.unwrap_or(0);
        }
        self.board.change(|progress| {
            (progress.folders, progress.folders_done, progress.found) = (places.len() as u64, 0, found);
            (progress.looked_at, progress.already, progress.gone) = (0, 0, 0);
        });
        for place in &places {
            self.board.change(|progress| progress.folder.clone_from(&place.listed.name));
            match &place.mailbox {
                Some(mailbox) => self.bring_folder(&mut source, &place.listed, mailbox).await?,
                None => self.board.refuse(&place.listed.name, None, "folder_name"),
            }
            self.board.change(|progress| progress.folders_done += 1);
            self.note().await?;
        }
        source.close().await;
        Ok(())
    }

    /// Notes how the run stands.
    pub(crate) async fn note(&self) -> Result<(), Halt> {
        note(&self.store, self.account, &self.board).await.map_err(Halt::Store)
    }

    async fn bring_folder(&self, source: &mut Source, listed: &Listed, name: &MailboxName) -> Result<(), Halt> {
        let opened = match source.examine(listed).await {
            Ok(opened) => opened,
            Err(Fault::Refused(_)) => {
                self.board.refuse(&listed.name, None, "folder_refused");
                return Ok(());
            }
            Err(fault) => return Err(fault.into()),
        };
        let mailbox = self.mailbox(name).await?;
        let view = self.store.view(mailbox).await?.ok_or(Halt::Gone)?;
        let folder = SourceFolder { source: self.target.source(), name: listed.name.clone() };
        let was = self.store.import_folder(self.account, &folder).await?;
        let was = was.filter(|was| was.mailbox == mailbox && was.uid_validity == opened.uid_validity);
        let spans = match was {
            Some(_) => self.store.import_spans(self.account, &folder).await?,
            None => Vec::new(),
        };
        let start = FolderState { mailbox, uid_validity: opened.uid_validity, last_uid: 0, mod_seq: 0 };
        let mut survey = Survey::new(was.unwrap_or(start), spans, Arc::clone(&view));
        if opened.messages > 0 {
            source.survey(|fetched| survey.see(&fetched)).await?;
        }
        self.change_flags(mailbox, std::mem::take(&mut survey.changed)).await?;
        let (known, gone) = (survey.known, survey.gone());
        self.board.change(|progress| {
            progress.looked_at += known;
            progress.already += known;
            progress.gone += gone;
        });
        let state = FolderState { mod_seq: opened.highest_mod_seq, ..survey.state };
        self.store.note_import(self.account, folder.clone(), state, Vec::new(), was.is_none()).await?;
        let new = survey.take_new();
        if new.is_empty() {
            return Ok(());
        }
        let (batches, ready) = mpsc::channel(1);
        let mut filing = Filing { errand: self, folder, state, own: survey.own };
        let fetching = Fetching::new(self, listed, self.windows(listed, &new), batches);
        tokio::try_join!(fetching.run(source), filing.run(ready)).map(drop)
    }

    /// The mailbox of this name, made and subscribed to where it is missing.
    async fn mailbox(&self, name: &MailboxName) -> Result<MailboxKey, Halt> {
        if let Some(status) = self.store.mailbox(self.account, name).await? {
            return Ok(status.mailbox.key);
        }
        match self.store.create_mailbox(self.account, name, None).await {
            Ok(status) => {
                self.store.subscribe(self.account, name).await?;
                Ok(status.mailbox.key)
            }
            // Made by somebody else in between.
            Err(MailboxError::Exists) => {
                Ok(self.store.mailbox(self.account, name).await?.ok_or(Halt::Gone)?.mailbox.key)
            }
            Err(MailboxError::Failed(error)) => Err(error.into()),
            Err(_) => Err(Halt::Gone),
        }
    }

    async fn change_flags(&self, mailbox: MailboxKey, changed: Changed) -> Result<(), Halt> {
        for (flags, uids) in changed.into_values() {
            let change = FlagChange { op: FlagOp::Replace, flags };
            match self.store.store_flags(mailbox, uids, change, None).await {
                Ok(stored) => self.board.change(|progress| progress.flags_changed += stored.changed.count()),
                Err(ChangeError::TooManyKeywords) => {}
                Err(ChangeError::Failed(error)) => return Err(error.into()),
                Err(_) => return Err(Halt::Gone),
            }
        }
        Ok(())
    }

    /// What is asked for together. What is too large isn't asked for at all.
    fn windows(&self, listed: &Listed, new: &[(u32, u64)]) -> Vec<Window> {
        let (mut windows, mut octets) = (Vec::new(), 0_u64);
        let mut window = Window::default();
        for (uid, size_octets) in new {
            if *size_octets > self.message_octets as u64 {
                self.board.refuse(&listed.name, Some(*uid), "too_large");
                self.board.change(|progress| progress.looked_at += 1);
                window.through = *uid;
                continue;
            }
            let is_full = window.uids.len() >= WINDOW_MESSAGES || octets.saturating_add(*size_octets) > WINDOW_OCTETS;
            if is_full && !window.uids.is_empty() {
                windows.push(std::mem::take(&mut window));
                octets = 0;
            }
            window.uids.push(*uid);
            window.through = *uid;
            octets = octets.saturating_add(*size_octets);
        }
        windows.push(window);
        windows
    }
}

/// Messages of one command.
#[derive(Default)]
struct Window {
    uids: Vec<u32>,
    /// When they are here, all up to this UID are through.
    through: u32,
}

/// The source's side of a folder: commands are asked before the one before is answered.
struct Fetching<'a> {
    errand: &'a Errand,
    listed: &'a Listed,
    windows: std::vec::IntoIter<Window>,
    /// The oldest first.
    asked: VecDeque<Window>,
    /// UIDs that were asked for and may still come.
    awaited: HashSet<u32>,
    unasked: usize,
    /// What came and isn't handed on yet.
    messages: Vec<Brought>,
    /// Of these messages.
    octets: u64,
    batches: mpsc::Sender<Batch>,
}

impl<'a> Fetching<'a> {
    fn new(errand: &'a Errand, listed: &'a Listed, windows: Vec<Window>, batches: mpsc::Sender<Batch>) -> Self {
        Self {
            errand,
            listed,
            windows: windows.into_iter(),
            asked: VecDeque::new(),
            awaited: HashSet::new(),
            unasked: 0,
            messages: Vec::new(),
            octets: 0,
            batches,
        }
    }

    async fn run(mut self, source: &mut Source) -> Result<(), Halt> {
        loop {
            self.ask(source).await?;
            let Some(window) = self.asked.front() else { return Ok(()) };
            let came =
                if window.uids.is_empty() { Came::Done } else { source.next(self.errand.message_octets).await? };
            let through = match came {
                Came::Message(fetched) => {
                    self.take(*fetched)?;
                    None
                }
                Came::Done => self.end_window(),
            };
            // It may say more than it announced.
            let is_due = through.is_some() || self.octets > WINDOW_OCTETS;
            if is_due && !self.hand_on(through).await {
                return Ok(());
            }
        }
    }

    /// Asks as far ahead as may be.
    async fn ask(&mut self, source: &mut Source) -> Result<(), Fault> {
        while self.asked.len() < AHEAD
            && let Some(window) = self.windows.next()
        {
            if !window.uids.is_empty() {
                source.ask(&window.uids).await?;
            }
            self.awaited.extend(window.uids.iter().copied());
            self.asked.push_back(window);
        }
        Ok(())
    }

    fn take(&mut self, fetched: Fetched) -> Result<(), Fault> {
        let Fetched { uid, flags, internal_date, body, .. } = fetched;
        if !self.awaited.remove(&uid) {
            // News of flags, and what else nobody asked for.
            self.unasked += 1;
            if self.unasked > MAX_UNASKED {
                return Err(Fault::broken("it sends what nobody asked for"));
            }
            return Ok(());
        }
        match body {
            Body::Whole(body) => {
                self.octets += body.len() as u64;
                self.messages.push(Brought { uid, flags, internal_date, octets: body });
            }
            Body::TooLarge => self.errand.board.refuse(&self.listed.name, Some(uid), "too_large"),
            Body::Missing => self.errand.board.refuse(&self.listed.name, Some(uid), "missing"),
        }
        Ok(())
    }

    /// The oldest command is done: all up to this UID are through.
    fn end_window(&mut self) -> Option<u32> {
        let window = self.asked.pop_front()?;
        // Of what didn't come, nothing will: it was expunged meanwhile.
        for uid in &window.uids {
            self.awaited.remove(uid);
        }
        Some(window.through)
    }

    /// Hands on what came; tells whether it is still wanted.
    async fn hand_on(&mut self, through: Option<u32>) -> bool {
        self.octets = 0;
        let batch = Batch { messages: std::mem::take(&mut self.messages), through };
        self.batches.send(batch).await.is_ok()
    }
}

/// Writes how a run stands into the store.
pub(crate) async fn note(store: &Store, account: AccountKey, board: &Board) -> Result<(), relais_store::StoreError> {
    let (mut run, progress) = board.shown();
    run.changed_at = store.now();
    run.progress = serde_json::to_string(&progress).unwrap_or_default();
    store.note_import_run(account, run).await
}

/// Flags that are others now, with the messages here that are to have them.
type Changed = BTreeMap<String, (Vec<Flag>, UidSet)>;

/// What is there, beside what was brought.
struct Survey {
    state: FolderState,
    spans: Vec<ImportSpan>,
    /// What was brought, by its UIDs here.
    own: UidSet,
    view: Arc<View>,
    /// Messages there that were looked at before.
    known: u64,
    /// Those of them that were brought.
    present: u64,
    changed: Changed,
    new: Vec<(u32, u64)>,
}

impl Survey {
    fn new(state: FolderState, mut spans: Vec<ImportSpan>, view: Arc<View>) -> Self {
        spans.sort_unstable_by_key(|span| span.uid);
        let mut own = UidSet::new();
        for span in spans.iter().filter(|span| span.messages > 0) {
            own.insert_run(span.own_uid, span.own_uid.saturating_add(span.messages - 1));
        }
        Self { state, spans, own, view, known: 0, present: 0, changed: Changed::new(), new: Vec::new() }
    }

    fn see(&mut self, fetched: &Fetched) {
        let own = self.own_uid(fetched.uid);
        if own.is_none() && fetched.uid > self.state.last_uid {
            if self.new.len() < MAX_NEW {
                self.new.push((fetched.uid, fetched.size_octets));
            }
            return;
        }
        self.known += 1;
        let Some(own) = own else { return };
        self.present += 1;
        // RFC 7162: what has no higher MODSEQ than when it was last compared has the same flags. What was changed here since stays so.
        let may_differ = self.state.mod_seq == 0 || fetched.mod_seq.is_none_or(|mod_seq| mod_seq > self.state.mod_seq);
        if fetched.has_flags && may_differ {
            self.compare(own, &fetched.flags);
        }
    }

    fn compare(&mut self, own: Uid, flags: &[Flag]) {
        let Some(bits) = self.view.read(|rows| rows.get(own).map(|row| row.flags)) else { return };
        let key = |flags: &[Flag]| {
            let mut names: Vec<String> = flags.iter().map(|flag| flag.to_string().to_ascii_lowercase()).collect();
            names.sort_unstable();
            names.dedup();
            names.join(" ")
        };
        let wanted = key(flags);
        if wanted != key(&self.view.flags_of(bits)) {
            self.changed.entry(wanted).or_insert_with(|| (flags.to_vec(), UidSet::new())).1.insert(own);
        }
    }

    /// Which message here it is, if it was brought.
    fn own_uid(&self, uid: u32) -> Option<Uid> {
        let after = self.spans.partition_point(|span| span.uid <= uid);
        let span = after.checked_sub(1).and_then(|at| self.spans.get(at))?;
        let offset = uid - span.uid;
        if offset < span.messages { Uid::new(span.own_uid.saturating_add(offset)) } else { None }
    }

    /// Messages that were brought and are no longer there.
    fn gone(&self) -> u64 {
        self.spans.iter().map(|span| u64::from(span.messages)).sum::<u64>().saturating_sub(self.present)
    }

    fn take_new(&mut self) -> Vec<(u32, u64)> {
        let mut new = std::mem::take(&mut self.new);
        new.sort_unstable();
        new.dedup_by_key(|(uid, _)| *uid);
        new
    }
}

/// The store's side of a folder.
struct Filing<'a> {
    errand: &'a Errand,
    folder: SourceFolder,
    state: FolderState,
    /// What was brought, by its UIDs here.
    own: UidSet,
}

impl Filing<'_> {
    async fn run(&mut self, mut ready: mpsc::Receiver<Batch>) -> Result<(), Halt> {
        while let Some(batch) = ready.recv().await {
            self.file(batch).await?;
        }
        Ok(())
    }

    /// Files what isn't here yet, and notes all of it.
    async fn file(&mut self, batch: Batch) -> Result<(), Halt> {
        let Batch { messages, through } = batch;
        let looked_at = messages.len() as u64;
        let (uids, appends) = prepare(messages).await?;
        let contents: Vec<Content> = appends.iter().map(|append| append.content.clone()).collect();
        let standing = self.errand.store.standing_in(self.state.mailbox, &contents).await?;
        let (mut pairs, mut new) = (Vec::new(), Vec::new());
        for ((uid, append), standing) in uids.into_iter().zip(appends).zip(standing) {
            // The same message may stand twice there, and then it does so here.
            match standing.into_iter().find(|own| !self.own.contains(*own)) {
                Some(own) => {
                    self.own.insert(own);
                    pairs.push((uid, own));
                }
                None => new.push((uid, append)),
            }
        }
        let (already, octets) =
            (pairs.len() as u64, new.iter().map(|(_, append)| append.content.size_octets()).sum::<u64>());
        let before = pairs.len();
        let halt = self.append(new, &mut pairs).await.err();
        let brought = (pairs.len() - before) as u64;
        if halt.is_none()
            && let Some(through) = through
        {
            self.state.last_uid = self.state.last_uid.max(through);
        }
        for (_, own) in &pairs {
            self.own.insert(*own);
        }
        let errand = self.errand;
        errand.store.note_import(errand.account, self.folder.clone(), self.state, spans(pairs), false).await?;
        errand.board.change(|progress| {
            progress.looked_at += looked_at;
            progress.already += already;
            progress.brought += brought;
            progress.brought_octets += if brought == looked_at - already { octets } else { 0 };
        });
        errand.note().await?;
        halt.map_or(Ok(()), Err)
    }

    /// All at once; where that can't be, one by one, as many as there is room for.
    async fn append(&self, new: Vec<(u32, Append)>, pairs: &mut Vec<(u32, Uid)>) -> Result<(), Halt> {
        if new.is_empty() {
            return Ok(());
        }
        // As the doors ask before each message.
        if self.errand.room.is_nearly_gone() {
            return Err(Halt::DiskFull);
        }
        let (uids, appends): (Vec<u32>, Vec<Append>) = new.into_iter().unzip();
        match self.errand.store.append(self.state.mailbox, appends.clone()).await {
            Ok(appended) => {
                pairs.extend(uids.into_iter().zip(appended.uids.iter()));
                return Ok(());
            }
            Err(ChangeError::Failed(error)) => return Err(error.into()),
            Err(_) => {}
        }
        for (uid, mut append) in uids.into_iter().zip(appends) {
            let mut appended = self.errand.store.append(self.state.mailbox, vec![append.clone()]).await;
            if matches!(appended, Err(ChangeError::TooManyKeywords)) {
                self.errand.board.refuse(&self.folder.name, Some(uid), "keywords_dropped");
                append.flags.retain(|flag| matches!(flag, Flag::System(_)));
                appended = self.errand.store.append(self.state.mailbox, vec![append]).await;
            }
            match appended {
                Ok(appended) => pairs.extend(appended.uids.iter().map(|own| (uid, own))),
                Err(ChangeError::OverQuota) => return Err(Halt::OverQuota),
                Err(ChangeError::Failed(error)) => return Err(error.into()),
                Err(_) => return Err(Halt::Gone),
            }
        }
        Ok(())
    }
}

/// Reads, hashes and compresses, off the async threads.
async fn prepare(messages: Vec<Brought>) -> Result<(Vec<u32>, Vec<Append>), Halt> {
    let prepare = move || {
        let prepared = messages.into_iter().map(|message| {
            let Brought { uid, flags, internal_date, octets } = message;
            (uid, Append { content: Content::prepare(octets), flags, internal_date })
        });
        prepared.unzip()
    };
    tokio::task::spawn_blocking(prepare).await.map_err(|_panicked| Halt::Gone)
}

/// Pairs of UIDs as runs that go in step.
fn spans(mut pairs: Vec<(u32, Uid)>) -> Vec<ImportSpan> {
    pairs.sort_unstable_by_key(|(uid, _)| *uid);
    let mut spans: Vec<ImportSpan> = Vec::new();
    for (uid, own) in pairs {
        let own_uid = own.value();
        match spans.last_mut() {
            Some(last) if last.uid + last.messages == uid && last.own_uid + last.messages == own_uid => {
                last.messages += 1;
            }
            _ => spans.push(ImportSpan { uid, own_uid, messages: 1 }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_runs_in_step() {
        let pairs = [(5, 9), (4, 8), (7, 11), (8, 12), (9, 20)];
        let pairs = pairs.map(|(uid, own)| (uid, Uid::new(own).unwrap())).to_vec();
        let spans: Vec<_> = spans(pairs).into_iter().map(|span| (span.uid, span.own_uid, span.messages)).collect();
        assert_eq!(spans, [(4, 8, 2), (7, 11, 2), (9, 20, 1)]);
    }
}
