//! What is to be done, as plain values.

use std::sync::Arc;

use relais_model::{Address, Flag, MailboxName, Notify, Ret, SpecialUse};
use relais_sieve::{Failure, Outcome};
use relais_store::{Reach, SieveScript, SieveScriptKey, Target};

use super::Remembered;

/// What an account's scripts make of a message.
#[derive(Debug, Clone, Default)]
pub struct Scripted {
    /// Copies for mailboxes of the account.
    pub copies: Vec<ScriptedCopy>,
    /// Mailboxes that are to be made for them, where they aren't there.
    pub creates: Vec<(MailboxName, Option<SpecialUse>)>,
    /// On to others.
    pub redirects: Vec<ScriptedRedirect>,
    /// It is refused, with these words: then it is nothing else.
    pub refusal: Option<String>,
    /// Answers and notices, for when the message is durable.
    pub letters: Vec<ScriptedLetter>,
    /// What is to be remembered then.
    pub seen: Vec<Remembered>,
    /// Which script failed, and why.
    pub failure: Option<ScriptFailure>,
}

/// What a script makes of it.
#[derive(Debug, Clone)]
pub struct ScriptedAtImap {
    /// What is to be done besides; copies of the message where it lies are none of it.
    pub scripted: Scripted,
    /// The message stays, with these flags; none: it is to go (RFC 6785 §2.2.4).
    pub kept: Option<Vec<Flag>>,
    /// What the run cost, in the unit of [`limits`](super::limits).
    pub work: u64,
}

/// A copy for a mailbox.
#[derive(Debug, Clone)]
pub struct ScriptedCopy {
    /// Which.
    pub mailbox: Target,
    /// It is another's: what may be done there. `mailbox` has the name that the script's owner knows it by.
    pub shared: Option<Reach>,
    /// With these flags.
    pub flags: Vec<Flag>,
    /// The message as the script changed it; none: as it came.
    pub edited: Option<Arc<[u8]>>,
}

impl ScriptedCopy {
    /// The message as it came, in a mailbox of the account's own.
    pub const fn of(mailbox: Target) -> Self {
        Self { mailbox, shared: None, flags: Vec::new(), edited: None }
    }
}

/// A message that is sent on.
#[derive(Debug, Clone)]
pub struct ScriptedRedirect {
    /// To whom; here or elsewhere.
    pub to: Address,
    /// RFC 6009 §4; none: as the message itself.
    pub notify: Option<Notify>,
    /// RFC 6009 §4.
    pub ret: Option<Ret>,
    /// With the field that tells a circle.
    pub message: Arc<[u8]>,
}

/// A message of ours that a script causes, with the null reverse path.
#[derive(Debug, Clone)]
pub struct ScriptedLetter {
    /// To whom.
    pub to: Vec<Address>,
    /// RFC 5322, unsigned.
    pub message: Vec<u8>,
    /// Only where this wasn't remembered.
    pub once: Option<Remembered>,
    /// A copy stays here (RFC 8580).
    pub copy: Option<ScriptedCopy>,
}

/// A script that failed.
#[derive(Debug, Clone)]
pub struct ScriptFailure {
    /// Which.
    pub script: SieveScriptKey,
    /// Its name.
    pub name: String,
    /// It is the account's own; else the domain's or the house's.
    pub is_own: bool,
    /// Where, and why.
    pub why: Failure,
}

impl ScriptFailure {
    /// None: it didn't fail.
    pub(super) fn of(script: &SieveScript, is_own: bool, outcome: &Outcome) -> Option<Self> {
        let why = outcome.failure.clone()?;
        Some(Self { script: script.key, name: script.name.clone(), is_own, why })
    }
}
