//! Messages that come: accepted or appended. Numbered at once, written together.

use std::collections::HashMap;

use bytes::Bytes;
use relais_model::{ReversePath, Rights, Uid, UidSet};

use super::batch::{Batch, OverQuota, TooManyKeywords, signed};
use crate::content::Content;
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey, MessageKey};
use crate::message::{
    Acceptance, Accepted, Append, Appended, ChangeError, Delivered, Delivery, DeliveryRefusal, Target,
};
use crate::queue::{self, Judged, NewTrace, Refused, TraceKind};
use crate::sending::count_accepted;
use crate::sharing::Reach;
use crate::sql;
use crate::thread;
use crate::view::{MailboxChange, Row, What, mod_seq, row_seconds};

impl<'a> Batch<'a, '_> {
    pub(super) async fn accept(&mut self, acceptances: &'a [Acceptance]) -> Result<Vec<Accepted>, StoreError> {
        let mut answers = Vec::with_capacity(acceptances.len());
        for acceptance in acceptances {
            let mut deliveries = Vec::with_capacity(acceptance.deliveries.len());
            let mut filed = HashMap::new();
            for delivery in &acceptance.deliveries {
                // Where several recipients lead to one mailbox, one copy serves them all.
                let mailbox = self.target(delivery.account, &delivery.mailbox);
                let delivered = match mailbox.and_then(|mailbox| filed.get(&mailbox).copied()) {
                    Some(copy) => Ok(copy),
                    None => self.deliver(&acceptance.content, delivery).await?,
                };
                filed.extend(delivered.as_ref().ok().map(|copy| (copy.mailbox, *copy)));
                if delivered.is_ok() {
                    self.traces.push(trace(acceptance, delivery));
                }
                deliveries.push(delivered);
            }
            if let Some(outbound) = &acceptance.outbound {
                let message = self.keep(&acceptance.content);
                self.queued.push(queue::Insert {
                    message,
                    size_octets: acceptance.content.size_octets(),
                    subject: &acceptance.content.facts().subject,
                    trace: &acceptance.trace,
                    from_peer: &acceptance.from_peer,
                    queued: outbound,
                });
            }
            let message = self.known.get(&acceptance.content.prepared().hash).copied();
            // Nobody can ask for the reasons of what left no trace.
            if message.is_some() {
                let judged = acceptance.judgement.as_ref();
                self.judgements.extend(judged.map(|judgement| Judged { trace: &acceptance.trace, message, judgement }));
                self.submissions.extend(acceptance.submission);
            }
            answers.push(Accepted { message, deliveries });
        }
        Ok(answers)
    }

    pub(super) fn note_refused(&mut self, refused: &'a Refused) {
        let named = refused.recipients.iter().map(Some);
        let nobody = refused.recipients.is_empty().then_some(None);
        self.traces.extend(named.chain(nobody).map(|recipient| NewTrace {
            trace: &refused.trace,
            kind: TraceKind::Refused,
            sender: refused.reverse_path.address(),
            recipient,
            peer: &refused.from_peer,
            text: &refused.reply,
            subject: Some(&refused.subject),
            protection: None,
            submitter: None,
        }));
        let judged = refused.judgement.as_ref();
        self.judgements.extend(judged.map(|judgement| Judged { trace: &refused.trace, message: None, judgement }));
    }

    async fn deliver(
        &mut self,
        content: &Content,
        delivery: &Delivery,
    ) -> Result<Result<Delivered, DeliveryRefusal>, StoreError> {
        if let Target::Shared(reach) = &delivery.mailbox
            && self.target(delivery.account, &delivery.mailbox) == Some(reach.mailbox)
        {
            // What isn't taken there isn't lost: it goes where mail goes.
            let shared = self.deliver_to(content, delivery, *reach).await?;
            if shared.is_ok() {
                return Ok(shared);
            }
        }
        let own = if matches!(delivery.mailbox, Target::Shared(_)) { &Target::Inbox } else { &delivery.mailbox };
        let Some(mailbox) = self.target(delivery.account, own) else {
            return Ok(Err(DeliveryRefusal::NoMailbox));
        };
        self.deliver_to(content, delivery, mailbox.into()).await
    }

    /// Takes the room of whose mailbox it is, and sets the flags that may be set there.
    async fn deliver_to(
        &mut self,
        content: &Content,
        delivery: &Delivery,
        reach: Reach,
    ) -> Result<Result<Delivered, DeliveryRefusal>, StoreError> {
        let mailbox = reach.mailbox;
        let Ok(flags) = self.bits(mailbox, &delivery.flags, reach.rights.has(Rights::WRITE)).await? else {
            return Ok(Err(DeliveryRefusal::TooManyKeywords));
        };
        let owner = self.state(mailbox).map_or(delivery.account, |state| state.account);
        if let Err(OverQuota) = self.take_room(owner, signed(content.size_octets()), 1) {
            return Ok(Err(DeliveryRefusal::OverQuota));
        }
        let (flags, is_seen) = Self::new_flags(reach, flags);
        let state = self.state_mut(mailbox)?;
        let Some(first) = state.take_uids(1) else { return Ok(Err(DeliveryRefusal::NoMailbox)) };
        let uid = Uid::new(first).ok_or_else(|| StoreError::damaged("a mailbox without a next UID"))?;
        let mod_seq = state.take_mod_seq();
        let internal_date = delivery.internal_date.unwrap_or(self.now);
        let row = self.new_row(content, first, flags, mod_seq, row_seconds(internal_date));
        self.arrive(mailbox, row)?;
        if let Some(reader) = reach.reader.filter(|_| is_seen) {
            self.note_seen(mailbox, reader, &std::iter::once(uid).collect())?;
        }
        Ok(Ok(Delivered { mailbox, uid }))
    }

    pub(super) async fn append(
        &mut self,
        reach: Reach,
        messages: &[Append],
    ) -> Result<Result<Appended, ChangeError>, StoreError> {
        let mailbox = reach.mailbox;
        let Some(state) = self.state(mailbox) else { return Ok(Err(ChangeError::NoMailbox)) };
        let (account, uid_validity) = (state.account, state.uid_validity);
        if !reach.rights.has(Rights::INSERT) {
            return Ok(Err(ChangeError::NoRight));
        }
        if u32::try_from(messages.len()).ok().and_then(|count| state.uid_next.checked_add(count)).is_none() {
            return Ok(Err(ChangeError::NoMoreUids));
        }
        let mut flags = Vec::with_capacity(messages.len());
        for message in messages {
            match self.bits(mailbox, &message.flags, reach.rights.has(Rights::WRITE)).await? {
                Ok(bits) => flags.push(bits),
                Err(TooManyKeywords) => return Ok(Err(ChangeError::TooManyKeywords)),
            }
        }
        let octets = messages.iter().map(|message| signed(message.content.size_octets())).sum();
        if let Err(OverQuota) = self.take_room(account, octets, signed(messages.len() as u64)) {
            return Ok(Err(ChangeError::OverQuota));
        }
        let state = self.state_mut(mailbox)?;
        let Some(first) = state.take_uids(messages.len()) else { return Ok(Err(ChangeError::NoMoreUids)) };
        let changed = state.take_mod_seq();
        let (mut uids, mut seen) = (UidSet::new(), UidSet::new());
        for ((message, flags), uid) in messages.iter().zip(flags).zip(first..) {
            let (flags, is_seen) = Self::new_flags(reach, flags);
            if is_seen {
                seen.insert_run(uid, uid);
            }
            let internal_date = row_seconds(message.internal_date.unwrap_or(self.now));
            let row = self.new_row(&message.content, uid, flags, changed, internal_date);
            self.arrive(mailbox, row)?;
            uids.insert_run(uid, uid);
        }
        if let Some(reader) = reach.reader.filter(|_| !seen.is_empty()) {
            self.note_seen(mailbox, reader, &seen)?;
        }
        Ok(Ok(Appended { uid_validity, uids, mod_seq: mod_seq(changed) }))
    }

    /// Who isn't the owner has seen what they just put there.
    fn note_seen(&mut self, mailbox: MailboxKey, reader: AccountKey, seen: &UidSet) -> Result<(), StoreError> {
        self.tell_seen(mailbox, reader, seen, true)?;
        self.flush()?;
        self.insert_seen(mailbox, reader, seen);
        Ok(())
    }

    fn new_row(&mut self, content: &Content, uid: u32, flags: u64, mod_seq: u64, internal_date: u32) -> Row {
        Row {
            message: self.keep(content).value(),
            flags,
            mod_seq,
            uid,
            size_octets: u32::try_from(content.size_octets()).unwrap_or(u32::MAX),
            internal_date,
            saved_at: row_seconds(self.now),
        }
    }

    pub(super) fn arrive(&mut self, mailbox: MailboxKey, row: Row) -> Result<(), StoreError> {
        self.note_arrived(mailbox, &[row])?;
        self.arrivals.push((mailbox, row));
        Ok(())
    }

    /// The key of a content, which will be written if it is new.
    fn keep(&mut self, content: &Content) -> MessageKey {
        let (keys, now) = (&self.parts.keys, self.now);
        let new_contents = &mut self.new_contents;
        *self.known.entry(content.prepared().hash).or_insert_with(|| {
            let key = MessageKey::new(keys.next(now));
            new_contents.push((key, content.clone()));
            key
        })
    }

    /// Writes what has arrived so far.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        self.write_contents()?;
        let (queued, traces) = (std::mem::take(&mut self.queued), std::mem::take(&mut self.traces));
        if !queued.is_empty() {
            self.is_queued = true;
            self.tx.execute_all(queue::insert(&self.parts.keys, self.now, &queued));
        }
        if !traces.is_empty() {
            self.tx.execute_all(queue::trace_accepted(&self.parts.keys, self.now, &traces));
        }
        let submissions = std::mem::take(&mut self.submissions);
        self.tx.execute_all(count_accepted(self.now, &submissions));
        let judgements = std::mem::take(&mut self.judgements);
        if !judgements.is_empty() {
            self.tx.execute_all(queue::note_verdicts(&self.parts.keys, self.now, &judgements)?);
        }
        let arrivals = std::mem::take(&mut self.arrivals);
        if arrivals.is_empty() {
            return Ok(());
        }
        let head =
            "INSERT INTO entry (mailbox_key, uid, message_key, flags, mod_seq, size_octets, internal_date, saved_at)";
        self.tx.execute_all(sql::insert(head, 8, "", &arrivals, |statement, (mailbox, row)| {
            statement
                .bind(mailbox.value())
                .bind(i64::from(row.uid))
                .bind(row.message)
                .bind(signed(row.flags))
                .bind(signed(row.mod_seq))
                .bind(i64::from(row.size_octets))
                .bind(i64::from(row.internal_date))
                .bind(i64::from(row.saved_at))
        }));
        // Rows of one mailbox and one change are told together.
        for group in arrivals.chunk_by(|(one, row), (other, next)| one == other && row.mod_seq == next.mod_seq) {
            let Some((mailbox, last)) = group.last() else { continue };
            let account = self.state_mut(*mailbox)?.account;
            let what = What::Arrived(group.iter().map(|(_, row)| *row).collect());
            self.changes.push(MailboxChange { account, mailbox: *mailbox, mod_seq: last.mod_seq, what });
        }
        Ok(())
    }

    fn write_contents(&mut self) -> Result<(), StoreError> {
        let contents = std::mem::take(&mut self.new_contents);
        if contents.is_empty() {
            return Ok(());
        }
        let threads = thread::assign(self.tx, &contents, &mut self.threads);
        let rows: Vec<_> = contents.iter().zip(threads).collect();
        let created_at = self.now.millis();
        let head =
            "INSERT INTO message (message_key, hash, thread_key, size_octets, header_octets, created_at, preview,
                                         envelope, body_structure, body, head)";
        self.tx.execute_all(sql::insert(head, 11, "", &rows, |statement, ((key, content), thread_key)| {
            let (prepared, facts) = (content.prepared(), content.facts());
            statement
                .bind(key.value())
                .bind(Bytes::copy_from_slice(&prepared.hash))
                .bind(*thread_key)
                .bind(signed(prepared.size_octets))
                .bind(signed(facts.header_octets))
                .bind(created_at)
                .bind(facts.preview.replace('\0', ""))
                .bind(Bytes::copy_from_slice(&facts.envelope))
                .bind(Bytes::copy_from_slice(&facts.body_structure))
                .bind(Bytes::copy_from_slice(&facts.body))
                .bind(prepared.head.clone())
        }));
        let bodies = contents.iter().map(|(key, content)| match content.prepared().body() {
            Some(body) => Ok((key, body)),
            None => Err(StoreError::damaged("a content that was not staged")),
        });
        let bodies: Vec<_> = bodies.collect::<Result<_, _>>()?;
        let head = "INSERT INTO message_body (message_key, place, octets)";
        self.tx.execute_all(sql::insert(head, 3, "", &bodies, |statement, (key, body)| {
            statement.bind(key.value()).bind(body.place as i64).bind(body.octets.clone())
        }));
        self.tx.execute_all(crate::search::insert_words(&contents));
        Ok(())
    }
}

fn trace<'a>(acceptance: &'a Acceptance, delivery: &'a Delivery) -> NewTrace<'a> {
    NewTrace {
        trace: &acceptance.trace,
        kind: TraceKind::Delivered,
        sender: ReversePath::address(&acceptance.reverse_path),
        recipient: Some(&delivery.recipient),
        peer: &acceptance.from_peer,
        text: "",
        subject: Some(&acceptance.content.facts().subject),
        protection: None,
        submitter: None,
    }
}
