//! May this recipient come in by this door?

use relais_filing::way_back::is_rewritten;
use relais_filing::{Filing, FilingError, Plan, Refusal};
use relais_model::{EnhancedCode, Envelope, ForwardPath, Reply};

use crate::{Door, Visit};

/// Answers RCPT: what becomes of the message for `path`, or the reply that refuses it. `envelope` is what was said so far.
///
/// Only who has logged in, at the door for that, may send to other hosts; which network a peer is in counts for nothing.
pub async fn recipient(
    filing: &Filing,
    is_disk_nearly_full: bool,
    visit: &Visit,
    envelope: &Envelope,
    path: &ForwardPath,
) -> Result<Plan, Reply> {
    if visit.door == Door::Submission && visit.identity.is_none() {
        return Err(reply(530, (5, 7, 0), "Log in first"));
    }
    if is_disk_nearly_full {
        return Err(reply(452, (4, 3, 1), "There is no room for new mail now"));
    }
    // What comes back by an address that was rewritten here is a bounce (RFC 5321 §4.5.5): whoever else writes there is told nothing.
    if visit.door == Door::Relay && is_rewritten(&path.address) && envelope.reverse_path.address().is_some() {
        return Err(refuse(&Refusal::NoSuchAddress));
    }
    match filing.plan(path).await {
        Ok(plan) => match refuse_full(&plan, envelope.declared_octets.unwrap_or(0)) {
            Some(refusal) => Err(refusal),
            None => Ok(plan),
        },
        Err(FilingError::Refused(Refusal::NotLocal)) if may_relay(visit) => Ok(Plan::relay(path.clone())),
        Err(FilingError::Refused(refusal)) => Err(refuse(&refusal)),
        Err(FilingError::Failed(error)) => {
            tracing::error!(%error, "a recipient cannot be looked up");
            Err(reply(451, (4, 3, 0), "The address cannot be looked up now"))
        }
    }
}

/// The one rule of relaying.
const fn may_relay(visit: &Visit) -> bool {
    matches!(visit.door, Door::Submission) && visit.identity.is_some()
}

/// What is said of a recipient whom nobody here is.
pub fn refuse(refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::NotLocal => reply(550, (5, 7, 1), "Relay denied: this domain is not ours"),
        Refusal::NoSuchAddress => reply(550, (5, 1, 1), "No such address here"),
        // RFC 3463 §3.2: the address was right once, and is no more.
        Refusal::Ended(text) => reply(550, (5, 1, 6), text),
        Refusal::Suspended => reply(550, (5, 2, 1), "This account takes no mail"),
        // RFC 3463 §3.3: the mailbox may exist, but accepts no messages; permanent, for nobody knows for how long.
        Refusal::Disabled => reply(550, (5, 2, 1), "This domain takes no mail now"),
        Refusal::Endless => reply(550, (5, 4, 6), "This address leads in a circle or to too many others"),
    }
}

/// Refuses where no copy of a message of this size has room; 0 where the sender didn't say (RFC 1870). Where only some haven't, the
/// store refuses those alone, and the sender gets a DSN.
fn refuse_full(plan: &Plan, octets: u64) -> Option<Reply> {
    // A full account has no room for a message of unknown size either.
    let octets = octets.max(1);
    let is_someone_served =
        !plan.forwards.is_empty() || plan.deliveries.iter().any(|delivery| delivery.has_room_for(octets));
    if is_someone_served {
        return None;
    }
    let could_hold = plan.deliveries.iter().any(|delivery| delivery.could_hold(octets));
    Some(if could_hold {
        reply(452, (4, 2, 2), "The mailbox is full; try again later")
    } else {
        reply(552, (5, 2, 2), "The message is larger than this mailbox may be")
    })
}

fn reply(code: u16, (class, subject, detail): (u8, u16, u16), text: &str) -> Reply {
    Reply::new(code, EnhancedCode::new(class, subject, detail), text)
}
