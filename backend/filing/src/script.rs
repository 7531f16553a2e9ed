//! What people's scripts make of a message (RFC 5228): run here, and given as plain values; `reception` does them.
//!
//! The house's scripts run first, then the domain's, the account's own, and back ([`SieveAtDelivery`]), each only as long as the message is kept.
//! A run goes on in steps off the async threads, between which its questions are answered from the store. [`Filing::script_at_imap`] runs one over a
//! message to which something was done in IMAP (RFC 6785). `desk` runs them, as `programs`, and answers; `maker` makes of their outcome what is to
//! be done, `letters` what people are told.
//!
//! # Invariants
//! - An account without a script never comes here: its message goes where the plan says.
//! - Where a script fails, the message is kept where the plan says, and nothing else is done.
//! - Of what our own verdict calls junk, only what a script put somewhere by itself, or threw away, leaves Junk: nobody is answered, nothing is sent on.
//! - It writes nothing, as the rest of this room.

mod arriving;
mod desk;
mod letters;
mod mailboxes;
mod maker;
mod programs;
mod remembered;
mod scripted;

use relais_model::{Address, Flag, ForwardPath, Random};
use relais_sieve::{Acting, Capabilities, Capability, Dialect, Limits, Outcome};
use relais_store::{AccountKey, SieveAtDelivery, SieveScript, StoreError, Target};

use crate::{Filing, PlannedDelivery};

pub use arriving::{Arriving, Touched};
pub use remembered::Remembered;
pub use scripted::{ScriptFailure, Scripted, ScriptedAtImap, ScriptedCopy, ScriptedLetter, ScriptedRedirect};

pub(crate) use programs::Scripts;

use desk::Desk;
use maker::Maker;

/// What scripts may use in this house. What we can't do yet they can't require: times of delivery (RFC 2852).
pub fn dialect() -> Dialect {
    let capabilities =
        Capabilities::all().without(Capability::RedirectDeliverBy).without(Capability::EnvelopeDeliverBy);
    Dialect { capabilities, ..Dialect::default() }
}

/// What one run may do here.
pub fn limits() -> Limits {
    Limits { work: 64 * 1024 * 1024, ..Limits::default() }
}

impl Filing {
    /// Runs what there is for the account that `delivery` goes to. `recipient` is whom the sender named; `delivery.mailbox` is where the
    /// message goes if no script says otherwise.
    ///
    /// # Errors
    /// The store failed: put the message off.
    pub async fn script(
        &self,
        scripts: &SieveAtDelivery,
        delivery: &PlannedDelivery,
        recipient: &ForwardPath,
        arriving: &Arriving,
        random: &dyn Random,
    ) -> Result<Scripted, StoreError> {
        let facts = arriving.facts(delivery, recipient);
        let mut desk = Desk::new(self, delivery.account);
        let (outcome, failure) = desk.run_all(scripts, &facts).await?;
        let mut maker = Maker::new(self, desk.mailboxes, &facts, delivery, random);
        let stays = maker.make(outcome).await?;
        let mut scripted = Scripted { failure, ..maker.made };
        // Nothing is lost because it can't be sent on.
        if stays && scripted.copies.is_empty() {
            scripted.copies.push(ScriptedCopy::of(delivery.mailbox.clone()));
        }
        Ok(scripted)
    }

    /// Runs the script that is named for a mailbox of `owner`'s over a message that lies there. It acts as the owner, whoever touched the message.
    ///
    /// # Errors
    /// The store failed: nothing is to be done.
    pub async fn script_at_imap(
        &self,
        script: &SieveScript,
        owner: (AccountKey, &Address),
        touched: &Touched,
        random: &dyn Random,
    ) -> Result<ScriptedAtImap, StoreError> {
        let (account, address) = owner;
        let delivery = PlannedDelivery {
            account,
            address: address.clone(),
            mailbox: Target::Name(touched.mailbox.clone()),
            quota_octets: None,
            used_octets: 0,
        };
        let facts = touched.facts();
        let mut desk = Desk::new(self, account);
        let mut outcome = desk.run(script, facts.clone(), None).await?;
        let failure = ScriptFailure::of(script, true, &outcome);
        let work = outcome.work;
        let mut kept = take_kept(&mut outcome);
        let mut maker = Maker::new(self, desk.mailboxes, &facts, &delivery, random);
        let stays = maker.make(outcome).await?;
        if failure.is_some() || (stays && kept.is_none()) {
            kept = Some(touched.flags.clone());
        }
        Ok(ScriptedAtImap { scripted: Scripted { failure, ..maker.made }, kept, work })
    }
}

/// Takes out what keeps the message, and gives the flags of the last; none: nothing keeps it. RFC 6785 §3.1: it lies where it is kept already, and its
/// octets stay as they are.
fn take_kept(outcome: &mut Outcome) -> Option<Vec<Flag>> {
    let keeps = outcome.actions.extract_if(.., |action| matches!(action.act, Acting::Keep { .. }));
    keeps.last().and_then(|action| match action.act {
        Acting::Keep { flags, .. } => Some(read_flags(&flags)),
        _ => None,
    })
}

fn read_flags(flags: &[String]) -> Vec<Flag> {
    flags.iter().filter_map(|flag| Flag::parse(flag).ok()).collect()
}
