//! Addresses that lead into this house: notices for our own people, and queued mail whose domain has become ours.

use std::collections::HashSet;

use bytes::Bytes;
use relais_model::{Address, EnhancedCode, Reply, Timestamp};
use relais_store::{
    ALIAS_DEPTH, Acceptance, AccountKey, Content, Delivery, NewQueued, NewRecipient, QueuedMessage, QueuedRecipient, Route,
    Store, StoreError, Target,
};

use crate::attempt::{Job, Said, Verdict};
use crate::connection::Body;
use crate::route::NextHop;

/// More addresses than this are not followed for one.
const MOST_ADDRESSES: usize = 1000;

/// Where an address leads in the end.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Accounts here.
    pub(crate) accounts: Vec<AccountKey>,
    /// Addresses elsewhere.
    pub(crate) remote: Vec<Address>,
    /// Someone's mail is refused here.
    pub(crate) is_suspended: bool,
}

impl Places {
    /// Nobody is there.
    pub(crate) fn is_nowhere(&self) -> bool {
        self.accounts.is_empty() && self.remote.is_empty()
    }

    /// Into each account's INBOX, as mail for `recipient`.
    pub(crate) fn deliveries(&self, recipient: &Address) -> Vec<Delivery> {
        let delivery = |account: &AccountKey| Delivery {
            account: *account,
            mailbox: Target::Inbox,
            flags: Vec::new(),
            internal_date: None,
            recipient: recipient.clone(),
        };
        self.accounts.iter().map(delivery).collect()
    }
}

/// Follows `address` through aliases and catch-alls.
pub(crate) async fn places(store: &Store, address: &Address) -> Result<Places, StoreError> {
    let mut places = Places::default();
    let mut seen = HashSet::from([address.clone()]);
    let mut ahead = vec![address.clone()];
    for _ in 0..=ALIAS_DEPTH {
        for next in std::mem::take(&mut ahead) {
            let targets = match store.route(&next).await? {
                Route::Account { is_suspended: true, .. } => {
                    places.is_suspended = true;
                    continue;
                }
                Route::Account { key, .. } => {
                    if !places.accounts.contains(&key) {
                        places.accounts.push(key);
                    }
                    continue;
                }
                Route::NotLocal => {
                    places.remote.push(next);
                    continue;
                }
                Route::Alias { targets } => targets,
                Route::CatchAll { target } => vec![target],
                Route::NoSuchAddress => continue,
            };
            let new = targets.into_iter().filter(|target| seen.len() < MOST_ADDRESSES && seen.insert(target.clone()));
            ahead.extend(new.collect::<Vec<_>>());
        }
    }
    Ok(places)
}

/// Files what was queued for elsewhere and has become ours. None where the job's destination isn't ours.
pub(crate) async fn file(
    store: &Store,
    job: &Job,
    body: &dyn Body,
    lifetime_end: Timestamp,
) -> Result<Option<(Vec<Verdict>, Vec<Acceptance>)>, StoreError> {
    let (NextHop::Mx(_), Some(first)) = (&job.next_hop, job.recipients.first()) else { return Ok(None) };
    if store.route(&first.address).await? == Route::NotLocal {
        return Ok(None);
    }
    let Some(raw) = body.load().await else {
        let reply = Reply::new(451, EnhancedCode::new(4, 3, 0), "The message can't be read");
        return Ok(Some((vec![Verdict::Deferred(Said::ours(reply)); job.recipients.len()], Vec::new())));
    };
    let content = prepare(&job.message, raw).await;
    let (mut verdicts, mut filed) = (Vec::new(), Vec::new());
    for recipient in &job.recipients {
        let places = places(store, &recipient.address).await?;
        if places.is_nowhere() {
            verdicts.push(Verdict::Failed(Said::ours(nobody(&places))));
            continue;
        }
        filed.push(acceptance(&job.message, recipient, &places, content.clone(), lifetime_end));
        let reply = Reply::new(250, EnhancedCode::new(2, 1, 5), "Filed: the domain is one of ours now");
        verdicts.push(Verdict::Delivered(Said::ours(reply)));
    }
    Ok(Some((verdicts, filed)))
}

fn nobody(places: &Places) -> Reply {
    if places.is_suspended {
        Reply::new(550, EnhancedCode::new(5, 2, 1), "The mailbox is closed")
    } else {
        Reply::new(550, EnhancedCode::new(5, 1, 1), "No such mailbox")
    }
}

/// RFC 5321 §4.4: final delivery adds Return-Path.
async fn prepare(message: &QueuedMessage, raw: Bytes) -> Content {
    let return_path = format!("Return-Path: {}\r\n", message.reverse_path);
    let join = move || {
        let mut whole = Vec::with_capacity(return_path.len() + raw.len());
        whole.extend_from_slice(return_path.as_bytes());
        whole.extend_from_slice(&raw);
        Content::prepare(whole)
    };
    // Hashing and packing a large message would hold up all tasks of this thread.
    let again = join.clone();
    tokio::task::spawn_blocking(join).await.unwrap_or_else(|_panicked| again())
}

fn acceptance(
    message: &QueuedMessage,
    recipient: &QueuedRecipient,
    places: &Places,
    content: Content,
    lifetime_end: Timestamp,
) -> Acceptance {
    let onward = |address: &Address| NewRecipient { address: address.clone(), notify: recipient.notify, original: None };
    let recipients: Vec<_> = places.remote.iter().map(onward).collect();
    let outbound = (!recipients.is_empty()).then(|| NewQueued {
        reverse_path: message.reverse_path.clone(),
        ret: message.ret,
        envelope_id: message.envelope_id.clone(),
        body_type: message.body_type,
        smtputf8: message.smtputf8,
        require_tls: message.require_tls,
        submitter: message.submitter,
        recipients,
        expires_at: lifetime_end,
    });
    Acceptance {
        content,
        reverse_path: message.reverse_path.clone(),
        deliveries: places.deliveries(&recipient.address),
        outbound,
        trace: message.trace.clone(),
        from_peer: String::new(),
    }
}
