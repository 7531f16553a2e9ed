//! Features of the header: who says to have written it, what about, with which program, and what is odd.
//!
//! Left out on purpose: the recipient's own name and hosts, numbers of Received fields and everything that our side or a
//! list adds, dates and zones themselves. They tell where mail was gathered, not what it is.

use relais_message::{
    ContentType, Field, ListItem, Mailbox, Structure, decode_header_value, fields, mailboxes, parse_date,
    read_address_list,
};
use relais_model::{Domain, Timestamp};

use crate::features::{Gathered, PAIR_REACH, Surroundings, Word};
use crate::look_alike::{Likeness, liken, registrable};
use crate::manner;
use crate::marks::Mark;
use crate::place::Place;
use crate::signs::{self, Sign};
use crate::tokens::{Token, form, starts_with_ignoring_case, tokens};

/// So many fields of a header are looked at.
const MAX_FIELDS: usize = 500;
/// So much of a value is looked at, in octets.
const MAX_VALUE_OCTETS: usize = 4096;
/// So many words of a subject.
const MAX_SUBJECT_WORDS: usize = 60;
/// To and Cc with more is a crowd.
const CROWD: usize = 5;
/// So many hosts on the way are looked at.
const MAX_HOPS: usize = 20;
const MILLIS_PER_DAY: i64 = 86_400_000;
/// Mail from so far in the future, or so old, has a false date.
const FUTURE_DAYS: i64 = 2;
const PAST_DAYS: i64 = 30;

/// Fields whose presence says something of the program that wrote the message.
const TELLING_FIELDS: [&str; 14] = [
    "MIME-Version",
    "X-Priority",
    "X-MSMail-Priority",
    "X-MimeOLE",
    "Importance",
    "Priority",
    "Organization",
    "User-Agent",
    "X-Mailer",
    "Reply-To",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Thread-Index",
    "Autocrypt",
];

/// The header's fields that count, each the first of its name.
struct Header<'a> {
    fields: Vec<Field<'a>>,
}

impl<'a> Header<'a> {
    fn of(raw: &'a [u8], structure: &Structure) -> Self {
        let header = raw.get(structure.root.header.clone()).unwrap_or_default();
        Self { fields: fields(header).take(MAX_FIELDS).collect() }
    }

    fn first(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is(name))
    }

    fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// Unfolded, still encoded, cut.
    fn value(&self, name: &str) -> Option<Vec<u8>> {
        self.first(name).map(|field| cut(&field.unfolded()).to_vec())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.first(name).map(|field| decode_header_value(cut(field.value)))
    }

    fn addresses(&self, name: &str) -> Vec<ListItem> {
        self.value(name).map(|value| read_address_list(&value)).unwrap_or_default()
    }
}

fn cut(value: &[u8]) -> &[u8] {
    value.get(..MAX_VALUE_OCTETS).unwrap_or(value)
}

/// The header's share of the features. Gives the author's domain.
pub(crate) fn gather(
    raw: &[u8],
    structure: &Structure,
    surroundings: &Surroundings<'_>,
    onto: &mut Gathered,
) -> Option<Domain> {
    let header = Header::of(raw, structure);
    let author = author(&header, surroundings, onto);
    recipients(&header, author.as_ref(), onto);
    subject(&header, onto);
    date(&header, surroundings, onto);
    message_id(&header, author.as_ref(), onto);
    way(&header, author.as_ref(), onto);
    mailer(&header, onto);
    content_type(&header, onto);
    manner::of_header(&header.fields, onto);
    for name in ["List-Id", "X-BeenThere", "Mailing-List"] {
        if let Some(list) = header.text(name) {
            onto.word(Place::List, &list.to_lowercase());
            break;
        }
    }
    let has_raw = header.fields.iter().any(|field| !field.raw.is_ascii() && std::str::from_utf8(field.raw).is_err());
    onto.mark_if(has_raw, Mark::RawOctetsInHeader);
    author
}

/// Gives the author's domain.
fn author(header: &Header<'_>, surroundings: &Surroundings<'_>, onto: &mut Gathered) -> Option<Domain> {
    let items = header.addresses("From");
    let Some(author) = mailboxes(&items).next() else {
        onto.mark(Mark::NoAuthor);
        return None;
    };
    let local_part = String::from_utf8_lossy(author.local_part.as_deref().unwrap_or_default()).into_owned();
    onto.mark_if(local_part.bytes().filter(u8::is_ascii_digit).count() >= 3, Mark::AuthorHasDigits);
    onto.word(Place::AuthorAddress, &author.to_text().to_lowercase());
    let domain = author.domain.as_deref().and_then(|domain| Domain::parse(std::str::from_utf8(domain).ok()?).ok());
    match &domain {
        Some(domain) if domain.as_str().contains('.') => author_domain(domain, surroundings, onto),
        _ => onto.mark(Mark::AuthorDomainIsBroken),
    }
    author_name(author, domain.as_ref(), onto);
    let replies = header.addresses("Reply-To");
    let reply_domain = mailboxes(&replies).next().and_then(domain_of);
    if let (Some(domain), Some(reply)) = (&domain, reply_domain) {
        onto.mark_if(registrable(reply.as_str()) != registrable(domain.as_str()), Mark::RepliesElsewhere);
        onto.word(Place::Host, registrable(reply.as_str()));
    }
    domain
}

fn domain_of(mailbox: &Mailbox) -> Option<Domain> {
    Domain::parse(std::str::from_utf8(mailbox.domain.as_deref()?).ok()?).ok()
}

fn author_domain(domain: &Domain, surroundings: &Surroundings<'_>, onto: &mut Gathered) {
    domain_words(Place::AuthorDomain, domain.as_str(), onto);
    onto.mark_if(domain.as_str().bytes().filter(u8::is_ascii_digit).count() >= 3, Mark::AuthorDomainHasDigits);
    look_alikes(domain, surroundings.known_domains, onto);
}

/// Compares a domain that somebody shows with those that the account knows.
pub(crate) fn look_alikes(domain: &Domain, known: &[Domain], onto: &mut Gathered) {
    match liken(domain, known) {
        Some(Likeness::MixedScripts) => onto.sign(Sign::MixedScripts { domain: domain.to_unicode() }),
        Some(Likeness::Of { known, how }) => {
            onto.sign(Sign::LookAlike { domain: domain.to_unicode(), known: known.to_unicode(), how });
        }
        None => {}
    }
}

/// A domain and those above it, down to the last label.
pub(crate) fn domain_words(place: Place, domain: &str, onto: &mut Gathered) {
    let mut rest = domain;
    for _ in 0..5 {
        onto.word(place, rest);
        match rest.split_once('.') {
            Some((_, above)) => rest = above,
            None => break,
        }
    }
}

fn author_name(author: &Mailbox, domain: Option<&Domain>, onto: &mut Gathered) {
    let name = author.name.as_deref().map(|name| decode_header_value(cut(name))).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        onto.mark(Mark::NoAuthorName);
        return;
    }
    onto.mark_if(name.contains('@'), Mark::AuthorNameIsAddress);
    onto.mark_if(shouts(name), Mark::AuthorNameShouts);
    tokens(name, &mut |token| {
        if let Token::Word(word) = token {
            onto.word(Place::AuthorName, word);
        }
    });
    if let Some(sign) = domain.and_then(|domain| signs::forged_name(name, domain)) {
        onto.sign(sign);
    }
}

/// Four letters or more, most of them capitals.
fn shouts(text: &str) -> bool {
    let upper = text.chars().filter(|letter| letter.is_uppercase()).count();
    let lower = text.chars().filter(|letter| letter.is_lowercase()).count();
    upper >= 4 && upper > 3 * lower
}

fn recipients(header: &Header<'_>, author: Option<&Domain>, onto: &mut Gathered) {
    let (to, cc) = (header.addresses("To"), header.addresses("Cc"));
    let count = mailboxes(&to).count() + mailboxes(&cc).count();
    onto.mark_if(!header.has("To") && !header.has("Cc"), Mark::NoRecipients);
    onto.mark_if(count == 0 && header.has("To"), Mark::UndisclosedRecipients);
    onto.mark_if(count > CROWD, Mark::ManyRecipients);
    let mut has_name = false;
    for mailbox in mailboxes(&to).take(CROWD) {
        let name = mailbox.name.as_deref().unwrap_or_default().trim_ascii();
        has_name |= !name.is_empty();
        let local_part = mailbox.local_part.as_deref().unwrap_or_default();
        let is_address = name.contains(&b'@') || !name.is_empty() && name.eq_ignore_ascii_case(local_part);
        onto.mark_if(is_address, Mark::RecipientNameIsAddress);
    }
    onto.mark_if(has_name, Mark::RecipientHasName);
    let from = header.addresses("From");
    let author = author.and_then(|_| mailboxes(&from).next());
    let is_to_author =
        author.is_some_and(|author| mailboxes(&to).any(|one| one.to_text().eq_ignore_ascii_case(&author.to_text())));
    onto.mark_if(is_to_author, Mark::ToAuthor);
}

fn subject(header: &Header<'_>, onto: &mut Gathered) {
    let subject = header.text("Subject").unwrap_or_default();
    let is_reply = starts_with_ignoring_case(&subject, "re:");
    let names_parent = header.has("In-Reply-To") || header.has("References");
    onto.mark_if(is_reply && names_parent, Mark::Answers);
    onto.mark_if(is_reply && !names_parent, Mark::PretendsToAnswer);
    onto.mark_if(!is_reply && names_parent, Mark::InThread);
    let subject = without_list_tag(&subject);
    onto.mark_if(subject.trim().is_empty(), Mark::NoSubject);
    onto.mark_if(shouts(subject), Mark::SubjectShouts);
    onto.mark_if(subject.contains('!'), Mark::SubjectExclaims);
    onto.mark_if(subject.contains('?'), Mark::SubjectAsks);
    onto.mark_if(subject.contains(['$', '€', '£']), Mark::SubjectHasMoney);
    onto.mark_if(subject.trim().contains("     "), Mark::SubjectHasGap);
    let is_encoded = header.first("Subject").is_some_and(|field| field.value.windows(2).any(|pair| pair == b"=?"));
    onto.mark_if(is_encoded && subject.is_ascii(), Mark::SubjectNeedlesslyEncoded);
    let mut pairs = Pairs::new(Place::SubjectPair);
    let mut count = 0;
    tokens(subject, &mut |token| match token {
        Token::Word(word) if count < MAX_SUBJECT_WORDS => {
            count += 1;
            if let Some(word) = onto.word(Place::Subject, word) {
                pairs.next(word, onto);
            }
        }
        Token::Disguised => onto.mark(Mark::DisguisedWords),
        Token::Spaced => onto.mark(Mark::SpacedLetters),
        _ => {}
    });
}

/// `Re: [list] subject`: what a list put there tells which list it is.
fn without_list_tag(subject: &str) -> &str {
    let mut rest = subject.trim_start();
    for _ in 0..4 {
        if let Some(behind) = rest.strip_prefix('[').and_then(|tag| tag.split_once(']')) {
            rest = behind.1.trim_start();
        } else if let Some(behind) = ["re:", "fw:", "fwd:"]
            .iter()
            .find_map(|word| starts_with_ignoring_case(rest, word).then(|| rest.get(word.len()..).unwrap_or_default()))
        {
            rest = behind.trim_start();
        }
    }
    rest
}

/// Words near each other (orthogonal sparse bigrams): each word with the few before it.
pub(crate) struct Pairs {
    place: Place,
    last: [Option<Word>; PAIR_REACH],
}

impl Pairs {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, last: [None; PAIR_REACH] }
    }

    pub(crate) fn next(&mut self, word: Word, onto: &mut Gathered) {
        for (before, distance) in self.last.iter().zip(1..) {
            if let Some(before) = before {
                onto.pair(self.place, *before, word, distance);
            }
        }
        let [nearest, next, _] = self.last;
        self.last = [Some(word), nearest, next];
    }
}

fn date(header: &Header<'_>, surroundings: &Surroundings<'_>, onto: &mut Gathered) {
    let Some(value) = header.value("Date") else {
        onto.mark(Mark::NoDate);
        return;
    };
    let Some(date) = parse_date(&value) else {
        onto.mark(Mark::BadDate);
        return;
    };
    onto.mark_if(has_odd_zone(&String::from_utf8_lossy(&value)), Mark::OddZone);
    if let Some(arrived_at) = surroundings.arrived_at.or_else(|| arrival(header)) {
        let days = (date.at.millis() - arrived_at.millis()) / MILLIS_PER_DAY;
        onto.mark_if(days >= 1, Mark::DatedAhead);
        onto.mark_if(days <= -1, Mark::DatedBehind);
        if days >= FUTURE_DAYS {
            onto.sign(Sign::DateAhead { days });
        } else if days <= -PAST_DAYS {
            onto.sign(Sign::DateBehind { days: -days });
        }
    }
}

/// When the last host took it.
fn arrival(header: &Header<'_>) -> Option<Timestamp> {
    let newest = header.value("Received")?;
    let at = newest.iter().rposition(|octet| *octet == b';')?;
    parse_date(newest.get(at + 1..)?).map(|date| date.at)
}

/// RFC 5322 §3.3: `+hhmm`; offsets go from -1200 to +1400, in quarters of an hour.
fn has_odd_zone(value: &str) -> bool {
    let zone = value.split_ascii_whitespace().skip_while(|word| !word.contains(':')).nth(1).unwrap_or_default();
    if zone.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return false;
    }
    let Some(digits) = zone.strip_prefix(['+', '-']).filter(|digits| digits.len() == 4) else { return true };
    let (Some(hours), Some(minutes)) = (
        digits.get(..2).and_then(|hours| hours.parse::<u32>().ok()),
        digits.get(2..).and_then(|minutes| minutes.parse::<u32>().ok()),
    ) else {
        return true;
    };
    hours > 14 || zone.starts_with('-') && hours > 12 || minutes % 15 != 0 || minutes >= 60
}

fn message_id(header: &Header<'_>, author: Option<&Domain>, onto: &mut Gathered) {
    let Some(value) = header.value("Message-ID") else {
        onto.mark(Mark::NoMessageId);
        return;
    };
    let value = String::from_utf8_lossy(&value).trim().to_owned();
    let inner = value.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let Some((left, right)) = inner.and_then(|inner| inner.rsplit_once('@')) else {
        onto.mark(Mark::BadMessageId);
        return;
    };
    onto.word(Place::Host, registrable(&right.to_ascii_lowercase()));
    onto.mark_if(right.is_empty() || !right.contains('.'), Mark::BadMessageId);
    onto.phrase(Place::Form, format_args!("message-id {}", form(left, 24)));
    let is_of_author =
        author.is_some_and(|author| registrable(&right.to_ascii_lowercase()) == registrable(author.as_str()));
    onto.mark_if(is_of_author, Mark::MessageIdOfAuthor);
}

/// The hosts on its way, as those that took it wrote them down: `from NAME (DNS-NAME [ADDRESS]) by …`. What strangers
/// wrote may be forged; that shows as well.
fn way(header: &Header<'_>, author: Option<&Domain>, onto: &mut Gathered) {
    let author = author.map(|author| registrable(author.as_str()));
    let hops = header.fields.iter().filter(|field| field.is("Received")).take(MAX_HOPS);
    // A list's hosts tell which list it was.
    let is_list =
        ["List-Id", "X-BeenThere", "Mailing-List", "X-Mailing-List", "X-Loop"].iter().any(|name| header.has(name));
    let mut is_of_author = false;
    let mut oldest = String::new();
    for field in hops {
        let value = String::from_utf8_lossy(cut(&field.unfolded())).to_ascii_lowercase();
        if let Some(hop) = Hop::read(&value) {
            hop.marks(onto);
            if !is_list {
                for name in [Some(hop.given), hop.found].into_iter().flatten().filter(|name| name.contains('.')) {
                    onto.word(Place::Host, registrable(name));
                }
            }
            is_of_author |=
                [Some(hop.given), hop.found].into_iter().flatten().any(|name| Some(registrable(name)) == author);
        }
        oldest = value;
    }
    onto.mark_if(is_of_author, Mark::HopOfAuthor);
    onto.mark_if(
        oldest.starts_with("(from ") || oldest.contains(" with http") || oldest.contains(" invoked by uid "),
        Mark::OriginIsLocal,
    );
}

/// One Received field.
struct Hop<'a> {
    /// The name that the host gave itself.
    given: &'a str,
    /// Its name in the DNS.
    found: Option<&'a str>,
    is_unknown: bool,
    /// It spoke ESMTP (RFC 3848).
    is_extended: bool,
}

impl<'a> Hop<'a> {
    /// Takes a value in lower case; none for those that aren't from another host.
    fn read(value: &'a str) -> Option<Self> {
        let (from, by) = value.strip_prefix("from ")?.split_once(" by ")?;
        let (first, comment) = from.split_once('(').unwrap_or((from, ""));
        // qmail: `from DNS-NAME (HELO NAME) (ADDRESS)`.
        let helo = comment.strip_prefix("helo ").and_then(|rest| rest.split([')', ' ']).next());
        let (given, found) = match helo {
            Some(helo) => (helo, first.trim()),
            None => (first.trim(), comment.split(['[', ')']).next().unwrap_or_default().trim()),
        };
        let found = found.rsplit('@').next().unwrap_or_default();
        let is_local = from.contains("localhost") || from.contains("127.0.0.1") || by.starts_with("localhost");
        let is_unknown =
            found == "unknown" || found.is_empty() && comment.starts_with('[') || from.contains("may be forged");
        let found = (found.contains('.') && !found.contains(' ')).then_some(found);
        let is_extended = by.contains(" with es") || by.contains(" with ues");
        (!is_local && !given.is_empty()).then_some(Self {
            given: given.split(' ').next().unwrap_or(given),
            found,
            is_unknown,
            is_extended,
        })
    }

    fn marks(&self, onto: &mut Gathered) {
        const DYNAMIC: [&str; 11] =
            ["dsl", "dial", "ppp", "dhcp", "cable", "dyn", "pool", "client", "modem", "catv", "broadband"];
        let is_address =
            self.given.starts_with('[') || self.given.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
        onto.mark_if(is_address, Mark::HopIsAddress);
        onto.mark_if(!self.given.contains('.'), Mark::HopIsBare);
        onto.mark_if(self.is_unknown, Mark::HopIsUnknown);
        let relation = match self.found {
            _ if self.is_unknown => "unknown",
            Some(found) if found == self.given => "same",
            Some(found) if registrable(found) == registrable(self.given) => "near",
            Some(_) => "other",
            None => "unsaid",
        };
        onto.phrase(
            Place::Form,
            format_args!(
                "hop {} {relation}{}",
                if self.is_extended { "esmtp" } else { "smtp" },
                if is_address { " address" } else { "" }
            ),
        );
        let Some(found) = self.found else { return };
        onto.mark_if(!is_address && registrable(found) != registrable(self.given), Mark::HopIsOther);
        onto.mark_if(DYNAMIC.iter().any(|word| found.contains(word)), Mark::HopIsDynamic);
    }
}

fn mailer(header: &Header<'_>, onto: &mut Gathered) {
    for name in ["X-Mailer", "User-Agent"] {
        let mut count = 0;
        tokens(&header.text(name).unwrap_or_default(), &mut |token| {
            if let Token::Word(word) = token
                && count < 4
                && word.starts_with(char::is_alphabetic)
            {
                count += 1;
                onto.word(Place::Mailer, word);
            }
        });
    }
    for name in TELLING_FIELDS {
        if header.has(name) {
            onto.phrase(Place::Form, format_args!("has {name}"));
        }
    }
    if let Some(priority) = header.text("X-Priority") {
        onto.phrase(Place::Form, format_args!("priority {}", form_of_priority(&priority)));
    }
}

fn form_of_priority(value: &str) -> char {
    value.chars().next().filter(char::is_ascii_digit).unwrap_or('?')
}

fn content_type(header: &Header<'_>, onto: &mut Gathered) {
    let Some(kind) = header.value("Content-Type").and_then(|value| ContentType::read(&value)) else {
        onto.mark(Mark::NoContentType);
        return;
    };
    let name = format!("{}/{}", String::from_utf8_lossy(&kind.main), String::from_utf8_lossy(&kind.sub));
    onto.phrase(Place::Form, format_args!("type {}", name.to_ascii_lowercase()));
    onto.mark_if(kind.is("multipart", "signed"), Mark::Signed);
    if let Some(boundary) = kind.parameter("boundary") {
        onto.phrase(Place::Form, format_args!("boundary {}", form(&String::from_utf8_lossy(boundary), 16)));
    }
}
