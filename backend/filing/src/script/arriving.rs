//! The messages that scripts look at: one that comes, and one to which something was done where it lies.

use std::sync::Arc;

use relais_model::{EnvelopeId, Flag, ForwardPath, MailboxName, Ret, ReversePath, Timestamp};
use relais_sieve::{Envelope, Facts};

use crate::PlannedDelivery;

/// A message that comes, as all scripts see it.
#[derive(Debug, Clone)]
pub struct Arriving {
    /// As it would be kept.
    pub message: Arc<[u8]>,
    /// MAIL.
    pub reverse_path: ReversePath,
    /// RET.
    pub ret: Option<Ret>,
    /// ENVID.
    pub envelope_id: Option<EnvelopeId>,
    /// Who submitted it, where somebody had logged in.
    pub login_name: Option<String>,
    /// `remote-ip` and the like (RFC 5183 §4.1).
    pub environment: Vec<(String, String)>,
    /// How surely it is junk; none: nobody looked.
    pub spam_percent: Option<u8>,
    /// RFC 5235 §3.2: 1 no virus was found, 5 there is one; none: nobody looked.
    pub virus: Option<u8>,
    /// Now.
    pub now: Timestamp,
}

/// A message to which something was done in IMAP (RFC 6785).
#[derive(Debug, Clone)]
pub struct Touched {
    /// As it is kept.
    pub message: Arc<[u8]>,
    /// Where it lies, as its owner calls it.
    pub mailbox: MailboxName,
    /// As they are now.
    pub flags: Vec<Flag>,
    /// `location`, `imap.cause` and the like (RFC 6785 §4).
    pub environment: Vec<(String, String)>,
    /// Now.
    pub now: Timestamp,
}

impl Arriving {
    /// What the scripts of one recipient see of it.
    pub(super) fn facts(&self, delivery: &PlannedDelivery, recipient: &ForwardPath) -> Facts {
        let original = recipient.address.to_string();
        let to = delivery.address.to_string();
        Facts {
            message: Arc::clone(&self.message),
            envelope: Envelope {
                from: self.reverse_path.address().map(ToString::to_string).unwrap_or_default(),
                // With its detail (RFC 5233), where the sender named the account itself.
                to: if is_detail_of(&original, &to) { original.clone() } else { to },
                original_to: Some(original),
                auth: self.login_name.clone(),
                notify: recipient.notify,
                orcpt: recipient.original.clone(),
                ret: self.ret,
                envelope_id: self.envelope_id.clone(),
                deliver_by: None,
            },
            now: self.now,
            environment: self.environment.clone(),
            spam_percent: self.spam_percent,
            virus: self.virus,
            ..Facts::default()
        }
    }
}

impl Touched {
    /// What the script sees of it.
    pub(super) fn facts(&self) -> Facts {
        Facts {
            message: Arc::clone(&self.message),
            now: self.now,
            environment: self.environment.clone(),
            flags: self.flags.iter().map(ToString::to_string).collect(),
            is_at_imap: true,
            ..Facts::default()
        }
    }
}

/// Whether `named` is `account` with something behind a `+`.
fn is_detail_of(named: &str, account: &str) -> bool {
    let Some(((local, domain), (base, own))) = named.rsplit_once('@').zip(account.rsplit_once('@')) else {
        return false;
    };
    let fits = local.split_once('+').is_some_and(|(start, _)| start.eq_ignore_ascii_case(base));
    fits && domain.eq_ignore_ascii_case(own)
}
