//! Into the queue, in the transaction that accepts the message.

use relais_model::{Ret, Timestamp};

use super::{NewQueued, NewRecipient, NewTrace, QueueState, TraceId, TraceKind, trace_accepted};
use super::{write_body_type, write_notify, write_reverse_path};
use crate::key::Keys;
use crate::sending::hold_queued;
use crate::sql::{self, Statement};
use crate::{AccountKey, MessageKey, QueueKey};

/// One message of a batch that is to be queued.
pub(crate) struct Insert<'a> {
    /// The content's row.
    pub(crate) message: MessageKey,
    /// The content's size.
    pub(crate) size_octets: u64,
    /// The content's subject, decoded.
    pub(crate) subject: &'a str,
    /// The id that stands in Received and in the log.
    pub(crate) trace: &'a TraceId,
    /// Who gave it to us, for the trace.
    pub(crate) from_peer: &'a str,
    /// The envelope.
    pub(crate) queued: &'a NewQueued,
}

/// Queues a batch, due at once, in few statements. The caller wakes the worker after the commit.
pub(crate) fn insert(keys: &Keys, now: Timestamp, batch: &[Insert<'_>]) -> Vec<Statement> {
    let keyed: Vec<(QueueKey, &Insert<'_>)> =
        batch.iter().map(|insert| (QueueKey::new(keys.next(now)), insert)).collect();
    let mut statements = insert_messages(now, &keyed);
    let recipients: Vec<(QueueKey, &NewRecipient)> = keyed
        .iter()
        .flat_map(|(key, insert)| insert.queued.recipients.iter().map(|recipient| (*key, recipient)))
        .collect();
    statements.extend(insert_recipients(keys, now, &recipients));
    let traces: Vec<NewTrace<'_>> = batch
        .iter()
        .flat_map(|insert| {
            insert.queued.recipients.iter().map(|recipient| NewTrace {
                trace: insert.trace,
                kind: TraceKind::Queued,
                sender: insert.queued.reverse_path.address(),
                recipient: Some(&recipient.address),
                peer: insert.from_peer,
                text: "",
                subject: Some(insert.subject),
                protection: None,
                submitter: insert.queued.submitter,
            })
        })
        .collect();
    statements.extend(trace_accepted(keys, now, &traces));
    let submitted = |(_, insert): &&(QueueKey, &Insert<'_>)| insert.queued.submitter.is_some();
    statements.extend(keyed.iter().find(submitted).map(|(first, _)| hold_queued(*first)));
    statements
}

fn insert_messages(now: Timestamp, batch: &[(QueueKey, &Insert<'_>)]) -> Vec<Statement> {
    let head =
        "INSERT INTO queued (queue_key, message_key, trace, size_octets, reverse_path, ret, envelope_id, body_type,
                                    smtputf8, require_tls, submitter, created_at, expires_at)";
    sql::insert(head, 13, "", batch, |statement, (key, insert)| {
        let queued = insert.queued;
        statement
            .bind(key.value())
            .bind(insert.message.value())
            .bind(insert.trace.as_str().to_owned())
            .bind(i64::try_from(insert.size_octets).unwrap_or(i64::MAX))
            .bind(write_reverse_path(&queued.reverse_path))
            .bind(queued.ret.map(|ret| i64::from(ret == Ret::Headers)))
            .bind(queued.envelope_id.as_ref().map(|id| id.as_str().to_owned()))
            .bind(write_body_type(queued.body_type))
            .bind(i64::from(queued.smtputf8))
            .bind(i64::from(queued.require_tls))
            .bind(queued.submitter.map(AccountKey::value))
            .bind(now.millis())
            .bind(queued.expires_at.millis())
    })
}

fn insert_recipients(keys: &Keys, now: Timestamp, recipients: &[(QueueKey, &NewRecipient)]) -> Vec<Statement> {
    let head = "INSERT INTO queued_recipient (recipient_key, queue_key, address, destination, notify, original_type,
                                              original_address, state, attempts, next_attempt_at, delay_told)";
    sql::insert(head, 11, "", recipients, |statement, (queued, recipient)| {
        let original = recipient.original.as_ref();
        statement
            .bind(keys.next(now))
            .bind(queued.value())
            .bind(recipient.address.to_string())
            .bind(recipient.address.domain.to_string())
            .bind(recipient.notify.map(write_notify))
            .bind(original.map(|original| original.address_type.clone()))
            .bind(original.map(|original| original.address.clone()))
            .bind(QueueState::Waiting.number())
            .bind(0_i64)
            .bind(now.millis())
            .bind(0_i64)
    })
}
