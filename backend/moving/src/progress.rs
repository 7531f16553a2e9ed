//! How a run stands: shown while it goes on, kept when it has ended.

use std::sync::{Mutex, PoisonError};

use relais_store::{ImportRun, StoreError};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::dial::Fault;

/// Messages that weren't taken and are named, at most; all are counted.
const NAMED_REFUSALS: usize = 100;
/// Letters of another server's words that are kept.
const WORDS: usize = 300;

/// Whether a run goes on, and how it ended else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It goes on.
    #[default]
    Running,
    /// All that there is was brought.
    Done,
    /// Somebody stopped it, or the house went down: begun again, it goes on where it was.
    Stopped,
    /// Something is in its way.
    Failed,
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Whether it goes on.
    pub state: RunState,
    /// Folders that are there.
    pub folders: u64,
    /// Folders that are through.
    pub folders_done: u64,
    /// The one that is under way, as it is called there.
    pub folder: String,
    /// Messages that are there.
    pub found: u64,
    /// Messages that are through, whatever became of them.
    pub looked_at: u64,
    /// Messages that were brought.
    pub brought: u64,
    /// Their octets.
    pub brought_octets: u64,
    /// Messages that were here already.
    pub already: u64,
    /// Messages whose flags had changed there, and were changed here.
    pub flags_changed: u64,
    /// Messages that were brought once and are no longer there; here they stay.
    pub gone: u64,
    /// Messages or folders that weren't taken.
    pub refused: u64,
    /// The first of those.
    pub refusals: Vec<Refusal>,
    /// What is in its way.
    pub trouble: Option<Trouble>,
}

/// A message or a folder that wasn't taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The folder, as it is called there.
    pub folder: String,
    /// The message's UID there; none: it is about the folder.
    pub uid: Option<u32>,
    /// Why: `too_large`, `missing`, `keywords_dropped`, `folder_name`, `folder_refused`.
    pub why: String,
}

/// What ended a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// `unresolved`, `internal`, `plain_forbidden`, `connect`, `tls`, `no_starttls`, `log_in`, `silent`, `ended`, `broken`, `refused`,
    /// `over_quota`, `disk_full`, `failed`.
    pub name: String,
    /// More of it, in the words of the other server or of the network; may be empty.
    pub says: String,
}

/// Why a run ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    #[error(transparent)]
    Source(#[from] Fault),
    #[error("the account is full")]
    OverQuota,
    #[error("the disk is nearly full")]
    DiskFull,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the account, or a mailbox of it, is gone")]
    Gone,
}

impl From<&Halt> for Trouble {
    fn from(halt: &Halt) -> Self {
        let (name, says) = match halt {
            Halt::Source(fault) => match fault {
                Fault::Unresolved => ("unresolved", String::new()),
                Fault::Internal(address) => ("internal", address.to_string()),
                Fault::PlainForbidden => ("plain_forbidden", String::new()),
                Fault::Connect(says) => ("connect", says.clone()),
                Fault::Tls(says) => ("tls", says.clone()),
                Fault::NoStartTls => ("no_starttls", String::new()),
                Fault::LogIn(says) => ("log_in", says.clone()),
                Fault::Silent => ("silent", String::new()),
                Fault::Ended(says) => ("ended", says.clone()),
                Fault::Broken(says) => ("broken", says.clone()),
                Fault::Refused(says) => ("refused", says.clone()),
            },
            Halt::OverQuota => ("over_quota", String::new()),
            Halt::DiskFull => ("disk_full", String::new()),
            Halt::Store(_) | Halt::Gone => ("failed", String::new()),
        };
        Self { name: name.to_owned(), says: says.chars().filter(|letter| !letter.is_control()).take(WORDS).collect() }
    }
}

/// Where a run writes how it stands, and hears that it is to end.
#[derive(Debug)]
pub(crate) struct Board {
    run: Mutex<(ImportRun, Progress)>,
    pub(crate) stop: CancellationToken,
}

impl Board {
    pub(crate) fn new(run: ImportRun, stop: CancellationToken) -> Self {
        Self { run: Mutex::new((run, Progress::default())), stop }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.run.lock().unwrap_or_else(PoisonError::into_inner).1);
    }

    pub(crate) fn refuse(&self, folder: &str, uid: Option<u32>, why: &str) {
        self.change(|progress| {
            progress.refused += 1;
            if progress.refusals.len() < NAMED_REFUSALS {
                progress.refusals.push(Refusal { folder: folder.to_owned(), uid, why: why.to_owned() });
            }
        });
    }

    pub(crate) fn shown(&self) -> (ImportRun, Progress) {
        self.run.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
