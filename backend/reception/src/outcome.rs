//! What became of each recipient once the store has answered: the reply for it, and what the sender is told by a notice.

use relais_filing::Plan;
use relais_filing::notice::Kind;
use relais_model::{Address, EnhancedCode, OriginalRecipient, Reply};
use relais_store::{Delivered, DeliveryRefusal};

use crate::recipient::refuse;

/// One recipient's.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    plan: &'a Plan,
    /// At least one copy is in a mailbox or on its way.
    is_served: bool,
    /// A script put one into a mailbox.
    is_filed: bool,
    /// Where a copy should have gone, too, and why it didn't.
    failures: Vec<(&'a Address, Reply)>,
}

/// What became of the part that scripts had to do with.
#[derive(Debug, Default)]
pub(crate) struct Scripted<'a> {
    /// Nothing of it is owed: it was filed, sent on, or thrown away.
    pub(crate) is_served: bool,
    /// It is in a mailbox.
    pub(crate) is_filed: bool,
    /// Who didn't get it, and why.
    pub(crate) failures: Vec<(&'a Address, Reply)>,
}

/// A line of a notice.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) kind: Kind,
    pub(crate) recipient: &'a Address,
    pub(crate) original: Option<OriginalRecipient>,
    pub(crate) reply: Reply,
    pub(crate) status: EnhancedCode,
}

impl<'a> Outcome<'a> {
    /// `outcomes` are those of the plan's deliveries, in order.
    pub(crate) fn of<'b>(
        plan: &'a Plan,
        outcomes: impl Iterator<Item = &'b Result<Delivered, DeliveryRefusal>>,
    ) -> Self {
        let mut is_served = !plan.forwards.is_empty();
        let mut failures = Vec::new();
        for (delivery, outcome) in plan.deliveries.iter().zip(outcomes) {
            match outcome {
                Ok(_) => is_served = true,
                Err(refusal) => failures.push((&delivery.address, refused(*refusal))),
            }
        }
        failures.extend(plan.lost.iter().map(|(address, refusal)| (address, refuse(refusal))));
        Self { plan, is_served, is_filed: false, failures }
    }

    /// Takes in what became of the recipient's part that scripts had to do with.
    pub(crate) fn hear_scripts(&mut self, heard: Scripted<'a>) {
        self.is_served |= heard.is_served;
        self.is_filed |= heard.is_filed;
        self.failures.splice(0..0, heard.failures);
    }

    /// Whether the message was taken for this recipient.
    pub(crate) const fn is_served(&self) -> bool {
        self.is_served
    }

    /// The recipient, and why nothing was taken for them; none: something was.
    pub(crate) fn refusal(&self) -> Option<(&'a Address, &Reply)> {
        let refusal = self.failures.first().filter(|_| !self.is_served);
        refusal.map(|(_, reply)| (&self.plan.recipient.address, reply))
    }

    /// The recipient's own reply, where it has one (LMTP, RFC 2033 §4.2).
    pub(crate) fn reply(&self, taken: &Reply) -> Reply {
        self.refusal().map_or_else(|| taken.clone(), |(_, reply)| reply.clone())
    }

    /// What the sender is to be told of a message that was taken for somebody. `has_reply`: each recipient has a reply of its
    /// own, so who was not served is known already.
    pub(crate) fn lines(&self, has_reply: bool) -> Vec<Line<'a>> {
        let notify = self.plan.recipient.notify.unwrap_or_default();
        let mut lines = Vec::new();
        if notify.success && self.is_served {
            lines.extend(self.success());
        }
        if notify.failure && self.is_served {
            lines.extend(self.failures.iter().map(|(address, reply)| self.failure(address, reply)));
        } else if notify.failure && !has_reply {
            lines.extend(self.failures.first().map(|(_, reply)| self.failure(&self.plan.recipient.address, reply)));
        }
        lines
    }

    /// RFC 3461 §5.2.3: delivered. §5.2.7.3: of several addresses only that they are several. What goes on to one other host takes
    /// the sender's wish along (§5.2.7.2).
    fn success(&self) -> Option<Line<'a>> {
        let (kind, words) = match (self.plan.is_expanded, self.plan.deliveries.is_empty() && !self.is_filed) {
            (true, _) => (Kind::Expanded, "Passed on to several addresses"),
            (false, false) => (Kind::Delivered, "Delivered"),
            (false, true) => return None,
        };
        let status = EnhancedCode::new(2, 1, 5);
        let original = self.plan.recipient.original.clone();
        Some(Line {
            kind,
            recipient: &self.plan.recipient.address,
            original,
            reply: Reply::new(250, status, words),
            status,
        })
    }

    fn failure(&self, recipient: &'a Address, reply: &Reply) -> Line<'a> {
        let is_other = *recipient != self.plan.recipient.address;
        let original = if is_other { Some(self.plan.original()) } else { self.plan.recipient.original.clone() };
        // It is given up, whatever may have been possible later.
        let status = reply.enhanced.unwrap_or(EnhancedCode::new(5, 0, 0));
        let status = EnhancedCode { class: 5, ..status };
        Line { kind: Kind::Failed, recipient, original, reply: reply.clone(), status }
    }
}

pub(crate) fn refused(refusal: DeliveryRefusal) -> Reply {
    match refusal {
        DeliveryRefusal::OverQuota => Reply::new(452, EnhancedCode::new(4, 2, 2), "The mailbox is full"),
        DeliveryRefusal::NoMailbox => Reply::new(550, EnhancedCode::new(5, 1, 1), "There is no such mailbox"),
        DeliveryRefusal::TooManyKeywords => {
            Reply::new(450, EnhancedCode::new(4, 2, 0), "The mailbox takes nothing now")
        }
    }
}
