//! What an answer begins with: to whom it goes, as whom, about what, and what it quotes.

use relais_model::Address;
use relais_reading::{Header, Letter, Party, escaped};
use relais_store::{AccountKey, MailboxKey};

use super::rich::Quote;
use super::write::{Draft, DraftFile, written};
use super::{Mail, WriterIdentity};
use crate::{Actor, Failure};

/// Octets of a quoted text.
const MAX_QUOTED_OCTETS: usize = 200 * 1024;

/// What is written about another message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answering {
    /// To its author.
    Reply,
    /// To all whom it concerned.
    ReplyAll,
    /// To somebody else, its text below one's own.
    Forward,
    /// To somebody else, as a file.
    ForwardFile,
}

impl Answering {
    /// Its name in forms, and in a draft.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::ReplyAll => "reply-all",
            Self::Forward => "forward",
            Self::ForwardFile => "forward-file",
        }
    }

    /// To somebody else.
    pub(super) const fn is_forward(self) -> bool {
        matches!(self, Self::Forward | Self::ForwardFile)
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Reply, Self::ReplyAll, Self::Forward, Self::ForwardFile].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Which message is answered, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Of {
    /// MAILBOXID.
    pub mailbox: String,
    /// In it.
    pub uid: u32,
    /// How.
    pub how: Answering,
}

impl Of {
    /// As it stands in forms: `F1 7 reply`.
    pub fn written(&self) -> String {
        format!("{} {} {}", self.mailbox, self.uid, self.how.as_str())
    }

    /// Reads that.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (mailbox, uid, how) = (words.next()?, words.next()?.parse().ok()?, Answering::parse(words.next()?)?);
        MailboxKey::parse(mailbox)?;
        Some(Self { mailbox: mailbox.to_owned(), uid, how })
    }
}

impl Mail {
    /// What a new message, or an answer, begins with. `quoting` has the words around what is quoted.
    ///
    /// # Errors
    /// [`Failure::Absent`]: what is to be answered isn't there.
    pub async fn begin(&self, me: &Actor, of: Option<Of>, quoting: &Quoting) -> Result<Draft, Failure> {
        let (account, address) = me.own()?;
        let identities = self.identities(me).await?;
        let is_rich = self.store.writing_choices(account).await?.is_rich;
        let id = self.new_id()?;
        let Some(of) = of else {
            let identity = identities.into_iter().next().unwrap_or_default();
            return Ok(Draft {
                id,
                from: identity.written(),
                text: signed_below("", &identity.signature),
                html: is_rich.then(|| signed(&identity.signature)),
                ..Draft::default()
            });
        };
        let own = self.own(me, &of.mailbox).await?;
        let row = super::open::row_of(&own, of.uid)?;
        let raw = self.octets(&row).await?;
        let mut letter = Letter::read(&raw);
        // RFC 5256 §2.2: where Date says nothing, its arrival stands for it.
        letter.header.date.get_or_insert(row.internal_date());
        let mine = self.own_among(account, address, &letter.header).await?;
        let header = &letter.header;
        let identity = identity_for(&identities, &mine);
        let (to, cc) = answered(header, &mine, address, of.how);
        let written = |people: &[Party]| people.iter().map(written).collect::<Vec<_>>().join(", ");
        let (head, quote) = quoting.quoted(&letter, of.how);
        let text = text_with(&quote, &identity.signature, of.how);
        let quote = (of.how != Answering::ForwardFile).then_some(Quote { head, text: quote, is_kept: true });
        Ok(Draft {
            id,
            from: identity.written(),
            to: written(&to),
            cc: written(&cc),
            subject: with_prefix(&header.subject, if of.how.is_forward() { "Fwd: " } else { "Re: " }),
            text,
            html: is_rich.then(|| signed(&identity.signature)),
            quote,
            files: passed_on(&letter, raw.len() as u64, of.how),
            of: Some(of),
            ..Draft::default()
        })
    }

    /// Those of a message's recipients that one may send as: an answer comes from where it was written to.
    async fn own_among(&self, account: AccountKey, own: &Address, header: &Header) -> Result<Vec<Party>, Failure> {
        let mut mine = Vec::new();
        for party in header.to.iter().chain(&header.cc).take(20) {
            let Some(address) = party.to_address() else { continue };
            if address == *own || self.store.sends_as(account, &address).await?.is_some() {
                mine.push(party.clone());
            }
        }
        Ok(mine)
    }
}

/// Whom an answer comes from: the identity that it was written to, else that address under the name that new messages have.
fn identity_for(identities: &[WriterIdentity], mine: &[Party]) -> WriterIdentity {
    let first = identities.first().cloned().unwrap_or_default();
    let known = mine.iter().find_map(|party| {
        identities.iter().find(|identity| identity.address.eq_ignore_ascii_case(&party.address)).cloned()
    });
    match (known, mine.first()) {
        (Some(known), _) => known,
        (None, Some(party)) => WriterIdentity { address: party.address.clone(), is_own: false, ..first },
        (None, None) => first,
    }
}

/// What a plain text begins with: the quote and the signature, in their order.
fn text_with(quote: &str, signature: &str, how: Answering) -> String {
    match how {
        // RFC 3676 §4.3: all behind the line of a signature is signature, so that nothing of others may stand below it.
        Answering::Forward if !signature.is_empty() => format!("\n\n{signature}{quote}"),
        Answering::Forward => quote.to_owned(),
        _ => signed_below(quote, signature),
    }
}

/// Files that go along: those of a message that is passed on, or it itself.
fn passed_on(letter: &Letter, raw_octets: u64, how: Answering) -> Vec<DraftFile> {
    let subject = letter.header.subject.as_str();
    match how {
        Answering::Forward => letter.attachments().map(DraftFile::of).collect(),
        Answering::ForwardFile => vec![DraftFile {
            part: String::new(),
            name: format!("{}.eml", if subject.is_empty() { "message" } else { subject }),
            octets: raw_octets,
        }],
        Answering::Reply | Answering::ReplyAll => Vec::new(),
    }
}

fn signed_below(text: &str, signature: &str) -> String {
    if signature.is_empty() { text.to_owned() } else { format!("{}\n\n-- \n{signature}", text.trim_end_matches('\n')) }
}

/// As HTML it stands above what is quoted, and has no line that would make that a part of it.
fn signed(signature: &str) -> String {
    if signature.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = signature.lines().map(escaped).collect();
    format!("<div><br></div><div data-signature=\"\">{}</div>", lines.join("<br>"))
}

/// The words around what is quoted, in the reader's language, with `{who}` and `{date}` in them.
#[derive(Debug, Clone)]
pub struct Quoting {
    /// Above an answer's quote: `On {date}, {who} wrote:`.
    pub wrote: String,
    /// Above a message that is passed on.
    pub passed_on: String,
    /// From, Date, Subject, To: as a message that is passed on names them.
    pub fields: [String; 4],
    /// Date and time of a moment, as text.
    pub date: fn(relais_model::Timestamp) -> String,
}

impl Quoting {
    /// The lines above the quote, and these with the quote as plain text; both empty where the message goes along as a file.
    fn quoted(&self, letter: &Letter, how: Answering) -> (String, String) {
        match how {
            Answering::Reply | Answering::ReplyAll => (self.wrote(&letter.header), self.answer(letter)),
            Answering::Forward => (self.heads(&letter.header), self.passed_on(letter)),
            Answering::ForwardFile => (String::new(), String::new()),
        }
    }

    fn wrote(&self, header: &Header) -> String {
        let date = header.date.map(self.date).unwrap_or_default();
        self.wrote.replace("{who}", header.author().shown()).replace("{date}", &date)
    }

    fn answer(&self, letter: &Letter) -> String {
        let line = self.wrote(&letter.header);
        let text = quotable(letter);
        let mut quoted = format!("\n\n{line}\n");
        for line in text.trim_end().lines() {
            quoted.push_str(if line.starts_with('>') { ">" } else { "> " });
            quoted.push_str(line);
            quoted.push('\n');
        }
        quoted
    }

    fn heads(&self, header: &Header) -> String {
        let people = |people: &[Party]| people.iter().map(Party::written).collect::<Vec<_>>().join(", ");
        let values = [
            people(&header.from),
            header.date.map(self.date).unwrap_or_default(),
            header.subject.clone(),
            people(&header.to),
        ];
        let fields: Vec<String> =
            self.fields.iter().zip(values).map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{}\n{}", self.passed_on, fields.join("\n"))
    }

    fn passed_on(&self, letter: &Letter) -> String {
        format!("\n\n{}\n\n{}", self.heads(&letter.header), quotable(letter))
    }
}

fn quotable(letter: &Letter) -> String {
    let text = letter.text();
    let end = text.floor_char_boundary(MAX_QUOTED_OCTETS.min(text.len()));
    let text = text.get(..end).unwrap_or_default();
    // RFC 3676 §4.3: what is behind the line of a signature isn't quoted.
    text.split("\n-- \n").next().unwrap_or_default().to_owned()
}

/// To whom an answer goes (RFC 5322 §3.6.3); who gets what is passed on isn't known.
fn answered(header: &Header, mine: &[Party], own: &Address, how: Answering) -> (Vec<Party>, Vec<Party>) {
    if how.is_forward() {
        return (Vec::new(), Vec::new());
    }
    let is_mine = |party: &Party| {
        party.address.eq_ignore_ascii_case(&own.to_string()) || mine.iter().any(|own| own.address == party.address)
    };
    let authors = if header.reply_to.is_empty() { &header.from } else { &header.reply_to };
    // Who answers what they have written themselves writes on to whom they wrote.
    let to: Vec<Party> =
        if authors.iter().all(is_mine) && !header.to.is_empty() { header.to.clone() } else { authors.clone() };
    if how == Answering::Reply {
        return (to, Vec::new());
    }
    let mut cc: Vec<Party> = Vec::new();
    for party in header.to.iter().chain(&header.cc) {
        let is_known = to.iter().chain(&cc).any(|known| known.address.eq_ignore_ascii_case(&party.address));
        if !is_known && !is_mine(party) {
            cc.push(party.clone());
        }
    }
    (to, cc)
}

/// `Re: ` once, whatever language it was said in before.
fn with_prefix(subject: &str, prefix: &str) -> String {
    let base = relais_message::base_subject(subject);
    let has_it = subject.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if has_it || (base.is_reply && prefix == "Re: " && subject.to_ascii_lowercase().starts_with("re:")) {
        subject.to_owned()
    } else {
        format!("{prefix}{subject}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_answered_once() {
        for (subject, prefix, expected) in [
            ("Lunch", "Re: ", "Re: Lunch"),
            ("Re: Lunch", "Re: ", "Re: Lunch"),
            ("RE: Lunch", "Re: ", "RE: Lunch"),
            ("Fwd: Lunch", "Re: ", "Re: Fwd: Lunch"),
            ("", "Re: ", "Re: "),
            ("Re: Lunch", "Fwd: ", "Fwd: Re: Lunch"),
        ] {
            assert_eq!(with_prefix(subject, prefix), expected, "{subject}");
        }
    }

    #[test]
    fn answers_go_to_whom_they_concern() {
        let party = |address: &str| Party { name: String::new(), address: address.to_owned() };
        let header = Header {
            from: vec![party("ann@x.example")],
            to: vec![party("me@h.example"), party("bob@y.example")],
            cc: vec![party("ann@x.example"), party("carl@z.example")],
            ..Header::default()
        };
        let own = Address::parse("me@h.example").unwrap();
        let addresses =
            |people: &[Party]| people.iter().map(|party| party.address.clone()).collect::<Vec<_>>().join(" ");
        let (to, cc) = answered(&header, &[party("me@h.example")], &own, Answering::ReplyAll);
        assert_eq!((addresses(&to), addresses(&cc)), ("ann@x.example".into(), "bob@y.example carl@z.example".into()));
        let (to, cc) = answered(&header, &[], &own, Answering::Reply);
        assert_eq!((addresses(&to), addresses(&cc)), ("ann@x.example".into(), String::new()));
        let mine = Header { from: vec![party("me@h.example")], ..header };
        let (to, _) = answered(&mine, &[party("me@h.example")], &own, Answering::Reply);
        assert_eq!(addresses(&to), "me@h.example bob@y.example", "who writes on writes to the same");
    }

    #[test]
    fn an_answer_comes_from_where_it_was_written_to() {
        let identity = |name: &str, address: &str| WriterIdentity {
            name: name.to_owned(),
            address: address.to_owned(),
            ..WriterIdentity::default()
        };
        let party = |address: &str| Party { name: "Their word".to_owned(), address: address.to_owned() };
        let known = [identity("Ann", "ann@h.example"), identity("Sales", "sales@h.example")];
        let check = |mine: &[Party], expected: &str| assert_eq!(identity_for(&known, mine).written(), expected);
        check(&[], "Ann <ann@h.example>");
        check(&[party("SALES@h.example")], "Sales <sales@h.example>");
        check(&[party("ann+shop@h.example")], "Ann <ann+shop@h.example>");
        check(&[party("ann+shop@h.example"), party("sales@h.example")], "Sales <sales@h.example>");
    }
}
