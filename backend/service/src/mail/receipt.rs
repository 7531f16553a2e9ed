//! Receipts: some who write ask to be told that their message was read (RFC 8098). Nobody is told unless the reader says so, once a message.

use relais_message::{Extra, Named, Writing};
use relais_model::{Address, Flag, Keyword, ReversePath, SpecialUse, Timestamp, UidSet};
use relais_reading::{Header, Letter, Party};
use relais_store::{FlagChange, FlagOp};

use super::acts::refused;
use super::meeting::AnswerWords;
use super::open::row_of;
use super::{Genuine, Mail, Own, uid};
use crate::{Actor, Failure, Text};

/// Addresses that one receipt goes to.
const MAX_TO: usize = 3;
/// Set where the question was answered, whatever the answer (RFC 3503 §3.1).
const MDN_SENT: &str = "$MDNSent";

/// Who asks for a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptView {
    /// Where it would go.
    pub to: Vec<Party>,
    /// That is somebody else than who wrote.
    pub is_elsewhere: bool,
}

impl Mail {
    /// The question that a message asks, if it may ask and was not answered yet.
    pub(super) async fn receipt(
        &self,
        own: &Own,
        me: &Actor,
        (letter, flags): (&Letter, &[Flag]),
        genuine: &Genuine,
    ) -> Result<Option<ReceiptView>, Failure> {
        let header = &letter.header;
        let is_answered = flags
            .iter()
            .any(|flag| matches!(flag, Flag::Keyword(known) if known.as_str().eq_ignore_ascii_case(MDN_SENT)));
        // Whoever writes to a list, to nobody in particular, or in another's name gets no answer; nor does one reader of a mailbox speak for
        // all of them.
        let is_asked = !header.receipt_to.is_empty() && !own.view.is_anothers();
        let may_ask = is_asked && header.list.is_none() && *genuine != Genuine::Forged;
        if is_answered || !may_ask {
            return Ok(None);
        }
        let kept_from = [SpecialUse::Junk, SpecialUse::Sent, SpecialUse::Drafts, SpecialUse::Trash];
        if self.use_of(own.owner(), own.view.mailbox()).await?.is_some_and(|special| kept_from.contains(&special)) {
            return Ok(None);
        }
        let author = header.author();
        let (_, address) = me.own()?;
        let to: Vec<Party> =
            header.receipt_to.iter().filter(|party| party.to_address().is_some()).take(MAX_TO).cloned().collect();
        let is_mine = author.address.eq_ignore_ascii_case(&address.to_string());
        let is_elsewhere = to.iter().any(|party| !party.address.eq_ignore_ascii_case(&author.address));
        Ok((!to.is_empty() && !is_mine).then_some(ReceiptView { to, is_elsewhere }))
    }

    /// Answers the question: a receipt goes out, or none does, and nobody is asked again.
    ///
    /// # Errors
    /// [`Failure::Absent`]: there is no such message, or no question; [`Failure::Unfit`]: the desk refuses the receipt, and the question stays.
    pub async fn answer_receipt(
        &self,
        me: &Actor,
        since: Timestamp,
        (mailbox, number): (&str, u32),
        words: Option<AnswerWords>,
    ) -> Result<Text, Failure> {
        let own = self.own(me, mailbox).await?;
        let row = row_of(&own, number)?;
        let letter = Letter::read(&self.octets(&row).await?);
        let gone = || Failure::Absent(Text::new("mail-receipt-gone"));
        let flags = own.view.flags_of(row.flags);
        let question = self.receipt(&own, me, (&letter, &flags), &Genuine::Unknown).await?.ok_or_else(gone)?;
        let uids: UidSet = std::iter::once(uid(number)?).collect();
        // First the mark: of two who press the button at once, one sends.
        if !self.mark_answered(&own, uids.clone(), FlagOp::Add).await? {
            return Err(gone());
        }
        let Some(words) = words else { return Ok(Text::new("mail-receipt-not-sent")) };
        match self.send_receipt(me, since, &letter.header, (&question.to, words)).await {
            Ok(()) => Ok(Text::new("mail-receipt-sent")),
            Err(failure) => {
                self.mark_answered(&own, uids, FlagOp::Remove).await?;
                Err(failure)
            }
        }
    }

    /// Whether that changed anything.
    async fn mark_answered(&self, own: &Own, uids: UidSet, op: FlagOp) -> Result<bool, Failure> {
        let keyword = Keyword::parse(MDN_SENT).map_err(|_unfit| Failure::Failed)?;
        let change = FlagChange { op, flags: vec![Flag::Keyword(keyword)] };
        let stored = self.store.store_flags(own.view.reach(), uids, change, None).await.map_err(refused)?;
        Ok(!stored.changed.is_empty())
    }

    async fn send_receipt(
        &self,
        me: &Actor,
        since: Timestamp,
        header: &Header,
        (to, words): (&[Party], AnswerWords),
    ) -> Result<(), Failure> {
        let mine = self.written_to(me, header).await?;
        let named = |party: &Party| Some(Named { name: party.name.clone(), address: party.to_address()? });
        let mut to: Vec<Named> = to.iter().filter_map(named).collect();
        let first = if to.is_empty() { return Err(Failure::Failed) } else { to.remove(0) };
        let short = self.short(self.named(me, &mine).await?, first.clone(), words.subject, words.text)?;
        let writing = Writing {
            to: std::iter::once(first).chain(to).collect(),
            extra: Some(Extra::Disposition(disposition(self.out()?.host.as_str(), &mine, header))),
            in_reply_to: header.message_id.clone(),
            references: header.message_id.clone(),
            ..short
        };
        // RFC 8098 §3: nobody answers a receipt, so its envelope has no sender.
        self.post_now(me, since, ReversePath::Null, &writing, false).await
    }

    /// Which of one's addresses a message went to; one's own where it names none of them.
    async fn written_to(&self, me: &Actor, header: &Header) -> Result<Address, Failure> {
        let (account, own) = me.own()?;
        for address in header.to.iter().chain(&header.cc).take(50).filter_map(Party::to_address) {
            if self.store.may_send_as(account, &address).await? {
                return Ok(address);
            }
        }
        Ok(own.clone())
    }
}

/// RFC 8098 §3.1: a person saw it, and a person said so.
fn disposition(host: &str, mine: &Address, header: &Header) -> String {
    let kind = if mine.to_string().is_ascii() { "rfc822" } else { "utf-8" };
    let id = &header.message_id;
    let is_id =
        id.starts_with('<') && id.ends_with('>') && id.is_ascii() && id.len() < 900 && !id.contains(char::is_control);
    let original = if is_id { format!("Original-Message-ID: {id}\r\n") } else { String::new() };
    format!(
        "Reporting-UA: {host}; Relais\r\nFinal-Recipient: {kind};{mine}\r\n{original}Disposition: manual-action/MDN-sent-manually; displayed\r\n"
    )
}
