//! Whom the house tells what happens, over HTTP, and what is still to be told: an outbox.
//!
//! ```text
//! events (the trace) ── queue_webhooks: rows and cursor, one transaction ┬─> waiting ── claim (a lease) ──> delivered, given up
//! a sign-in by browser ── rows and session, one transaction ─────────────┘       ↑ settle: again, later
//! ```
//! - `hooks`: the webhooks themselves. `news`: what is queued by the transaction in which it happens.
//! - `outbox`: queued, claimed, settled. `deliveries`: what became of it, sent again, forgotten.
//!
//! Invariants: what has happened is queued before the cursor passes it, so an event is told at least once, and its id stays the same
//! through all attempts; a claim is a lease that falls due by itself; of one webhook nobody has two claims; a webhook keeps at most
//! [`KEPT_DELIVERIES`] rows, about.

mod deliveries;
mod hooks;
mod news;
mod outbox;

pub use deliveries::{KEPT_DELIVERIES, WebhookDelivery, WebhookState};
pub use hooks::{MAX_WEBHOOKS, NewWebhook, Webhook, WebhookChange, WebhookError};
pub use news::SignInNews;
pub use outbox::{ClaimedDelivery, NewWebhookDelivery, WebhookSettlement};

pub(crate) use hooks::remove_where;
pub(crate) use news::{tell_dns, tell_hold, tell_sign_in};

use crate::audit::Deed;

/// Octets of what went wrong that are kept, at most.
const ERROR_OCTETS: usize = 300;

/// What a webhook may be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookEvent {
    /// Another host has taken a message.
    MessageDelivered,
    /// A message was given up.
    MessageFailed,
    /// A message was filed in a mailbox here.
    MessageReceived,
    /// Someone signed in by browser.
    AccountSignedIn,
    /// A person's mail to other hosts is held.
    AccountHeld,
    /// A check of the DNS turned for the worse.
    DnsWorse,
    /// Someone tries whether the webhook works.
    Test,
}

impl WebhookEvent {
    /// Those that a webhook may be made for.
    pub const ALL: [Self; 6] = [
        Self::MessageDelivered,
        Self::MessageFailed,
        Self::MessageReceived,
        Self::AccountSignedIn,
        Self::AccountHeld,
        Self::DnsWorse,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessageDelivered => "message.delivered",
            Self::MessageFailed => "message.failed",
            Self::MessageReceived => "message.received",
            Self::AccountSignedIn => "account.signed_in",
            Self::AccountHeld => "account.held",
            Self::DnsWorse => "dns.worse",
            Self::Test => "webhook.test",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }
}

fn deed(act: &'static str, webhook: &Webhook) -> Deed {
    Deed { act, subject: webhook.id.clone(), domain: webhook.domain, ..Deed::default() }
}
