//! Queued mail whose domain has become ours: it is filed instead of sent.

use relais_filing::{Filing, FilingError, Plan, Refusal};
use relais_message::delivered;
use relais_model::{Address, EnhancedCode, ForwardPath, Reply, Timestamp};
use relais_store::{Acceptance, Content, NewQueued, QueuedMessage, QueuedRecipient, Route, StoreError};

use crate::attempt::{Job, Said, Verdict};
use crate::bodies::without_return_path;
use crate::list;
use crate::route::NextHop;
use crate::settle::Desk;

/// What came of filing: a verdict a recipient, and what the store is to accept with them.
pub(crate) type Filed = (Vec<Verdict>, Vec<Acceptance>);

/// Files `job`'s message, and has lists served that it was written to. None where its destination isn't ours, or where a relay host is to have it and no list. What goes on
/// elsewhere is given up at `expires_at`.
pub(crate) async fn file(desk: &Desk, job: &Job, expires_at: Timestamp) -> Result<Option<Filed>, StoreError> {
    let (store, filing) = (&desk.store, &desk.filing);
    let Some(first) = job.recipients.first() else { return Ok(None) };
    match (&job.next_hop, store.route(&first.address).await?) {
        (_, Route::NotLocal) => return Ok(None),
        (NextHop::Relay(_), route) if !matches!(route, Route::List { .. }) => return Ok(None),
        _ => {}
    }
    let raw = store.raw(job.message.message).await?;
    let raw = raw.ok_or_else(|| StoreError::Damaged("a queued message has no content".to_owned()))?;
    let (mut verdicts, mut filed) = (Vec::new(), Vec::new());
    let mut others = Vec::new();
    for recipient in &job.recipients {
        let route = store.route(&recipient.address).await?;
        if let Some((verdict, copies)) = list::serve(desk, &job.message, &raw, &route).await? {
            verdicts.push(verdict);
            filed.extend(copies);
        } else {
            others.push((verdicts.len(), recipient));
            verdicts.push(Verdict::Untried);
        }
    }
    if others.is_empty() {
        return Ok(Some((verdicts, filed)));
    }
    let mut planned = Vec::new();
    for (place, recipient) in others {
        planned.push((place, plan(filing, recipient, job.message.size_octets).await?));
    }
    // What goes to one has a content of its own, which may say to whom; what goes to several is kept once for all.
    let to = match planned.as_slice() {
        [(_, Ok(only))] if !only.deliveries.is_empty() => Some(&only.recipient.address),
        _ => None,
    };
    let content = prepare(&job.message, to, raw).await;
    for (place, planned) in planned {
        let verdict = match planned {
            Ok(plan) => {
                // RFC 3461 §5.2.7.2: what goes on to one other host takes the sender's wish along.
                let hands_on_dsn = plan.deliveries.is_empty() && !plan.is_expanded;
                filed.push(acceptance(filing, &job.message, plan, content.clone(), expires_at).await?);
                let text = "Filed here: the domain is one of ours now";
                let said = Said::ours(Reply::new(250, EnhancedCode::new(2, 1, 5), text));
                Verdict::Delivered(Said { hands_on_dsn, ..said })
            }
            Err(reply) => Verdict::of(Said::ours(reply)),
        };
        if let Some(waiting) = verdicts.get_mut(place) {
            *waiting = verdict;
        }
    }
    Ok(Some((verdicts, filed)))
}

async fn plan(filing: &Filing, recipient: &QueuedRecipient, octets: u64) -> Result<Result<Plan, Reply>, StoreError> {
    let path = ForwardPath {
        address: recipient.address.clone(),
        notify: recipient.notify,
        original: recipient.original.clone(),
    };
    let (code, enhanced, text) = match filing.plan(&path).await {
        Ok(plan) if plan.forwards.is_empty() && !plan.deliveries.iter().any(|copy| copy.has_room_for(octets)) => {
            (452, EnhancedCode::new(4, 2, 2), "The mailbox is full".to_owned())
        }
        Ok(plan) => return Ok(Ok(plan)),
        Err(FilingError::Failed(error)) => return Err(error),
        Err(FilingError::Refused(refusal)) => {
            let enhanced = match refusal {
                Refusal::Suspended | Refusal::Disabled => EnhancedCode::new(5, 2, 1),
                Refusal::Endless => EnhancedCode::new(5, 4, 6),
                Refusal::Ended(_) => EnhancedCode::new(5, 1, 6),
                Refusal::NoSuchAddress | Refusal::NotLocal => EnhancedCode::new(5, 1, 1),
            };
            (550, enhanced, refusal.to_string())
        }
    };
    Ok(Err(Reply::new(code, enhanced, text)))
}

/// RFC 5321 §4.4, RFC 9228: final delivery adds Return-Path, and Delivered-To where it is to one address.
async fn prepare(message: &QueuedMessage, to: Option<&Address>, raw: Vec<u8>) -> Content {
    let mut whole = delivered(&message.reverse_path, to).into_bytes();
    whole.extend_from_slice(without_return_path(&raw));
    let whole = bytes::Bytes::from(whole);
    let octets = whole.clone();
    // Hashing and packing a large message would hold up all tasks of this thread.
    tokio::task::spawn_blocking(move || Content::prepare(octets))
        .await
        .unwrap_or_else(|_panicked| Content::prepare(whole))
}

/// What goes on from here does so under a path of ours, as all that is sent on (SRS). A seal it needs no more: what strangers brought was sealed when it came, what our people
/// wrote is signed, and nothing in it has changed since.
async fn acceptance(
    filing: &Filing,
    message: &QueuedMessage,
    plan: Plan,
    content: Content,
    expires_at: Timestamp,
) -> Result<Acceptance, StoreError> {
    let deliveries = plan.copies().collect();
    let goes_on = !plan.forwards.is_empty();
    let reverse_path = match &message.reverse_path {
        path if goes_on => filing.forwarded_path(path, &plan.recipient.address.domain).await?,
        path => path.clone(),
    };
    let outbound = goes_on.then(|| NewQueued {
        reverse_path,
        ret: message.ret,
        envelope_id: message.envelope_id.clone(),
        body_type: message.body_type,
        smtputf8: message.smtputf8,
        require_tls: message.require_tls,
        submitter: message.submitter,
        recipients: plan.forwards,
        expires_at,
    });
    Ok(Acceptance {
        content,
        reverse_path: message.reverse_path.clone(),
        deliveries,
        outbound,
        trace: message.trace.clone(),
        from_peer: String::new(),
        judgement: None,
        submission: None,
    })
}
