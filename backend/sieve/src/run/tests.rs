//! Tests, as they are answered.

use relais_message::{
    Disposition, Field, Mailbox, decode_header_value, decode_text, fields, mailboxes, read_address_list,
};
use relais_model::{Notify, Ret, Timestamp};

use super::{Run, fill_host};
use crate::compile::{is_address_field, is_field_name, mailbox_name};
use crate::facts::{Answer, Question};
use crate::letter::{content_type, value_of};
use crate::limit;
use crate::matching::{How, Match, Pattern};
use crate::notify::Mailto;
use crate::outcome::{Seen, Why};
use crate::program::{
    AddressPart, BodyPart, DatePart, DuplicateId, Index, Keys, MimeValue, Scope, Template, Test, Zone, special_use,
};
use crate::vacation::bare;

/// What is known of a test.
pub(super) enum Eval {
    Is(bool),
    Ask(Question),
}

/// A field's octets.
type Octets = Vec<u8>;

impl Run {
    pub(super) fn test(&mut self, test: &Test) -> Result<Eval, Why> {
        match test {
            Test::Fixed(truth) | Test::IHave(truth) => Ok(Eval::Is(*truth)),
            Test::Header { names, keys, index, scope, value } => {
                let found = self.sought(names, *index, *scope)?;
                if keys.kind.how == How::List && matches!(value, MimeValue::Whole) {
                    let values = self.addresses(&found, listed_values)?;
                    return self.compare(values, keys, true);
                }
                self.charge(4 * octets(&found))?;
                let params = match value {
                    MimeValue::Param(names) => self.fill_all(names)?,
                    _ => Vec::new(),
                };
                let values = found.iter().flat_map(|field| header_values(field, value, &params)).collect();
                self.compare(values, keys, true)
            }
            Test::Address { names, keys, part, index, scope } => {
                let found = self.sought(names, *index, *scope)?;
                let values = self.addresses(&found, |field| field_addresses(field, *part))?;
                self.compare(values, keys, true)
            }
            // RFC 6785 §4.6.
            Test::Envelope { .. } if self.facts.is_at_imap => Err(Why::Inapplicable("envelope")),
            Test::Envelope { parts, keys, part } => {
                let names = self.fill_all(parts)?;
                let values = names.iter().flat_map(|name| self.envelope(name, *part)).collect();
                self.compare(values, keys, true)
            }
            Test::Exists { names, scope } => self.exists(names, *scope),
            Test::Size { over, octets } => {
                let size = self.letter.raw().len() as u64;
                Ok(Eval::Is(if *over { size > *octets } else { size < *octets }))
            }
            Test::Body { part, keys } => {
                let values = self.body(part)?;
                // RFC 5173 §6: what was matched in a body is not kept.
                self.compare(values, keys, false)
            }
            Test::String { sources, keys } => {
                let mut values = self.fill_all(sources)?;
                // RFC 5229 §5: an empty string counts as none.
                if matches!(keys.kind.how, How::Count(_)) {
                    values.retain(|value| !value.is_empty());
                }
                self.compare(values, keys, true)
            }
            Test::HasFlag { variables, keys } => {
                let values = self.flag_values(variables)?;
                if !matches!(keys.kind.how, How::Is | How::Contains | How::Matches) {
                    return self.compare(values, keys, true);
                }
                // RFC 5232 §4: a key of several flags is several keys.
                let texts = self.fill_all(&keys.texts)?;
                let words = texts.iter().flat_map(|text| text.split(' ')).filter(|word| !word.is_empty());
                let made: Result<Vec<_>, _> = words.map(|word| keys.kind.pattern(word)).collect();
                let patterns = made.map_err(|problem| Why::Regex(problem.to_string()))?;
                self.compare_all(&values, keys.kind, &patterns, true).map(Eval::Is)
            }
            Test::Spam { percent, keys } => {
                let value = spam_value(self.facts.spam_percent, *percent);
                self.compare(value, keys, true)
            }
            Test::Virus { keys } => {
                let value = self.facts.virus.unwrap_or(0).min(5).to_string();
                self.compare(vec![value], keys, true)
            }
            Test::Date { header, part, zone, keys, index, scope } => {
                let values = self.dates(header, *part, zone, *index, *scope)?;
                self.compare(values, keys, true)
            }
            Test::CurrentDate { part, zone, keys } => {
                let minutes = self.zone_minutes(zone, 0)?;
                let value = crate::date::part(self.facts.now, minutes, *part);
                self.compare(vec![value], keys, true)
            }
            Test::Environment { item, keys } => {
                let item = self.fill(item)?;
                let known = self.facts.environment.iter().find(|(name, _)| name.eq_ignore_ascii_case(&item));
                let values = known.map(|(_, value)| value.clone()).into_iter().collect();
                self.compare(values, keys, true)
            }
            _ => self.asking(test),
        }
    }

    /// Tests about what lies outside of the message.
    fn asking(&mut self, test: &Test) -> Result<Eval, Why> {
        match test {
            Test::ValidNotify(uris) => {
                let uris = self.fill_all(uris)?;
                Ok(Eval::Is(uris.iter().all(|uri| Mailto::parse(uri).is_some())))
            }
            Test::NotifyCapability { uri, capability, keys } => {
                let (uri, capability) = (self.fill(uri)?, self.fill(capability)?);
                let known = Mailto::parse(&uri).and_then(|_| match capability.to_ascii_lowercase().as_str() {
                    // RFC 5436 §2.7: nobody knows whether who gets mail is there.
                    "online" => Some("maybe".to_owned()),
                    // RFC 8580: a copy of a mail can be kept.
                    "fcc" => Some("yes".to_owned()),
                    _ => None,
                });
                self.compare(known.into_iter().collect(), keys, true)
            }
            Test::MailboxExists(names) => {
                let names = self.fill_all(names)?;
                let names: Option<Vec<_>> = names.iter().map(|name| mailbox_name(name)).collect();
                Ok(names.map_or(Eval::Is(false), |names| self.ask(Question::MailboxesExist(names))))
            }
            Test::Metadata { mailbox, name, keys } => self.metadata(mailbox.as_ref(), name, keys),
            Test::MetadataExists { mailbox, names } => {
                let names = self.fill_all(names)?;
                Ok(match self.optional_mailbox(mailbox.as_ref())? {
                    Some(mailbox) => self.ask(Question::MetadataExist { mailbox, names }),
                    None => Eval::Is(false),
                })
            }
            Test::ValidList(names) => {
                let names = self.fill_all(names)?;
                Ok(self.ask(Question::ListsExist(names)))
            }
            Test::Duplicate { id, handle, seconds, last } => self.duplicate(id, handle.as_ref(), *seconds, *last),
            Test::SpecialUseExists { mailbox, uses } => {
                let uses = self.fill_all(uses)?;
                let uses: Option<Vec<_>> = uses.iter().map(|name| special_use(name)).collect();
                Ok(match (self.optional_mailbox(mailbox.as_ref())?, uses) {
                    (Some(mailbox), Some(uses)) => self.ask(Question::SpecialUses { mailbox, uses }),
                    _ => Eval::Is(false),
                })
            }
            Test::MailboxIdExists(ids) => {
                let ids = self.fill_all(ids)?;
                Ok(self.ask(Question::MailboxIdsExist(ids)))
            }
            Test::Host { name, arguments, keys } => match (self.answered.take(), keys) {
                (None, _) => {
                    let arguments = fill_host(self, arguments)?;
                    Ok(Eval::Ask(Question::Host { name, arguments, is_end: false }))
                }
                (Some(Answer::Texts(values)), Some(keys)) => self.compare(values, keys, true),
                (Some(answer), _) => Ok(Eval::Is(matches!(answer, Answer::Is(true)))),
            },
            _ => Ok(Eval::Is(false)),
        }
    }

    /// A question whose answer is yes or no.
    fn ask(&mut self, question: Question) -> Eval {
        match self.answered.take() {
            None => Eval::Ask(question),
            Some(answer) => Eval::Is(matches!(answer, Answer::Is(true))),
        }
    }

    /// `Some(None)`: no mailbox was named. None: its name is none.
    #[expect(clippy::option_option, reason = "a name that is absent and one that is wrong are two things")]
    fn optional_mailbox(
        &mut self,
        mailbox: Option<&Template>,
    ) -> Result<Option<Option<relais_model::MailboxName>>, Why> {
        let Some(name) = self.fill_option(mailbox)? else { return Ok(Some(None)) };
        Ok(mailbox_name(&name).map(Some))
    }

    /// Whether one of the values fits one of the keys.
    fn compare(&mut self, values: Vec<String>, keys: &Keys, keeps: bool) -> Result<Eval, Why> {
        let kind = keys.kind;
        match kind.how {
            How::Count(relation) => {
                let keys = self.fill_all(&keys.texts)?;
                Ok(Eval::Is(keys.iter().any(|key| Match::counts(relation, values.len(), key))))
            }
            How::List => {
                let lists = self.fill_all(&keys.texts)?;
                Ok(if values.is_empty() { Eval::Is(false) } else { self.ask(Question::OnList { values, lists }) })
            }
            _ => {
                let made;
                let patterns = if let Some(patterns) = &keys.ready {
                    patterns
                } else {
                    made = self.patterns(keys)?;
                    &made
                };
                self.compare_all(&values, kind, patterns, keeps).map(Eval::Is)
            }
        }
    }

    pub(super) fn compare_all(
        &mut self,
        values: &[String],
        kind: Match,
        patterns: &[Pattern],
        keeps: bool,
    ) -> Result<bool, Why> {
        for value in values {
            for pattern in patterns {
                let keeps = keeps && self.has_variables();
                let value = match pattern {
                    Pattern::Regex(..) => {
                        value.get(..value.floor_char_boundary(limit::REGEX_BODY_OCTETS)).unwrap_or(value)
                    }
                    _ => value,
                };
                self.charge(pattern.cost(value))?;
                if let Some(found) = kind.fits(value, pattern, keeps) {
                    if keeps && matches!(kind.how, How::Matches | How::Regex) {
                        self.set_matched(found);
                    }
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    pub(super) fn patterns(&mut self, keys: &Keys) -> Result<Vec<Pattern>, Why> {
        let texts = self.fill_all(&keys.texts)?;
        if keys.kind.how == How::Regex {
            // Making one costs more than using it.
            self.charge(texts.iter().map(|text| text.len() as u64 * 1024).sum())?;
        }
        let made = texts.iter().map(|text| keys.kind.pattern(text));
        made.collect::<Result<_, _>>().map_err(|problem| Why::Regex(problem.to_string()))
    }

    /// The fields of these names: of the message, or of parts (RFC 5703 §4); then the one that the index names (RFC 5260 §6).
    fn sought(&mut self, names: &[Template], index: Option<Index>, scope: Scope) -> Result<Vec<Octets>, Why> {
        let names = self.fill_all(names)?;
        let mut found = Vec::new();
        for section in self.sections(scope) {
            let octets = section.map_or_else(|| self.letter.header(), |part| self.letter.part_header(part)).len();
            self.charge(((octets + 16) * names.len()) as u64)?;
            let header = section.map_or_else(|| self.letter.header(), |part| self.letter.part_header(part));
            for name in &names {
                let all: Vec<_> = fields(header).filter(|field| field.is(name)).collect();
                let chosen = match index {
                    None => all,
                    Some(index) => {
                        let at =
                            if index.from_last { all.len().checked_sub(index.number) } else { Some(index.number - 1) };
                        at.and_then(|at| all.get(at)).copied().into_iter().collect()
                    }
                };
                found.extend(chosen.into_iter().map(|field| field.raw.to_vec()));
            }
            found.truncate(limit::VALUES);
        }
        Ok(found)
    }

    /// What `read` finds in fields that hold addresses.
    fn addresses(&mut self, found: &[Octets], read: impl Fn(&[u8]) -> Vec<String>) -> Result<Vec<String>, Why> {
        // Reading addresses costs more than reading text.
        self.charge(16 * octets(found))?;
        Ok(found.iter().flat_map(|field| read(field)).take(limit::VALUES).collect())
    }

    /// Where headers are sought; none: the message's own.
    fn sections(&self, scope: Scope) -> Vec<Option<usize>> {
        if !scope.mime {
            return vec![None];
        }
        let current = self.current_part().unwrap_or(0);
        let parts = self.letter.parts();
        let end = if scope.any_child { parts.get(current).map_or(current + 1, |part| part.end) } else { current + 1 };
        (current..end).map(Some).collect()
    }

    fn exists(&mut self, names: &[Template], scope: Scope) -> Result<Eval, Why> {
        for name in names {
            if self.sought(std::slice::from_ref(name), None, scope)?.is_empty() {
                return Ok(Eval::Is(false));
            }
        }
        Ok(Eval::Is(true))
    }

    /// RFC 5173 §5.
    fn body(&mut self, part: &BodyPart) -> Result<Vec<String>, Why> {
        let octets = self.letter.body().len().min(limit::BODY_OCTETS) as u64;
        self.charge(octets * 2)?;
        let all = 0..self.letter.parts().len();
        Ok(match part {
            BodyPart::Raw => {
                let body = self.letter.body();
                vec![String::from_utf8_lossy(body.get(..limit::BODY_OCTETS).unwrap_or(body)).into_owned()]
            }
            BodyPart::Text => bounded(all.filter_map(|part| self.letter.text(part))),
            BodyPart::Content(kinds) => {
                let kinds = self.fill_all(kinds)?;
                let wanted = all.filter(|part| is_kind(&self.letter.kind(*part), &kinds));
                bounded(wanted.flat_map(|part| self.letter.content(part)))
            }
        })
    }

    /// RFC 5232 §4: each flag is a value.
    fn flag_values(&mut self, variables: &[Template]) -> Result<Vec<String>, Why> {
        if variables.is_empty() {
            return Ok(self.flags().to_vec());
        }
        let mut values = Vec::new();
        for name in self.fill_all(variables)? {
            if let Some(variable) = self.named_variable(&name) {
                let mut words: Vec<String> = self.variable(&variable).split(' ').map(str::to_owned).collect();
                words.retain(|flag| !flag.is_empty());
                // RFC 5232 §2: a flag stands once in a set.
                words.sort_unstable_by_key(|flag| flag.to_ascii_lowercase());
                words.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
                values.extend(words);
            }
        }
        Ok(values)
    }

    /// RFC 5228 §5.4, RFC 6009.
    fn envelope(&self, name: &str, part: AddressPart) -> Vec<String> {
        let envelope = &self.facts.envelope;
        let path = |path: &str| path_part(path, part).into_iter().collect::<Vec<_>>();
        let text = |text: Option<String>| text.into_iter().collect::<Vec<_>>();
        match name.to_ascii_lowercase().as_str() {
            "from" => path(&envelope.from),
            "to" => path(&envelope.to),
            "orig_to" => envelope.original_to.as_deref().map(path).unwrap_or_default(),
            "auth" => envelope.auth.clone().into_iter().collect(),
            "notify" => envelope.notify.map(notify_words).unwrap_or_default(),
            "orcpt" => text(envelope.orcpt.as_ref().map(|orcpt| format!("{};{}", orcpt.address_type, orcpt.address))),
            "ret" => text(envelope.ret.map(|ret| match ret {
                Ret::Full => "FULL".to_owned(),
                Ret::Headers => "HDRS".to_owned(),
            })),
            "envid" => text(envelope.envelope_id.as_ref().map(|id| id.as_str().to_owned())),
            "bytimeabsolute" => text(
                envelope.deliver_by.map(|by| crate::date::part(by.at, 0, DatePart::Iso8601).replace("+00:00", "Z")),
            ),
            "bytimerelative" => {
                text(envelope.deliver_by.map(|by| (by.at.seconds() - self.facts.now.seconds()).to_string()))
            }
            "bymode" => text(envelope.deliver_by.map(|by| if by.returns { "RETURN" } else { "NOTIFY" }.to_owned())),
            "bytrace" => text(envelope.deliver_by.filter(|by| by.trace).map(|_| "true".to_owned())),
            _ => Vec::new(),
        }
    }

    /// RFC 5260 §4.
    fn dates(
        &mut self,
        header: &Template,
        part: DatePart,
        zone: &Zone,
        index: Option<Index>,
        scope: Scope,
    ) -> Result<Vec<String>, Why> {
        let found = self.sought(std::slice::from_ref(header), index, scope)?;
        let mut values = Vec::new();
        for raw in found {
            let date = fields(&raw).next().and_then(|field| crate::date::of_field(&field.unfolded()));
            if let Some(date) = date {
                let minutes = self.zone_minutes(zone, i32::try_from(date.zone_minutes).unwrap_or(0))?;
                values.push(crate::date::part(date.at, minutes, part));
            }
        }
        Ok(values)
    }

    fn zone_minutes(&mut self, zone: &Zone, original: i32) -> Result<i32, Why> {
        Ok(match zone {
            Zone::Local => self.facts.zone_minutes,
            Zone::Original => original,
            Zone::Fixed(minutes) => *minutes,
            Zone::Named(template) => {
                let text = self.fill(template)?;
                crate::date::offset(&text).ok_or(Why::Value(text, "time zone"))?
            }
        })
    }

    fn metadata(&mut self, mailbox: Option<&Template>, name: &Template, keys: &Keys) -> Result<Eval, Why> {
        match self.answered.take() {
            Some(Answer::Text(value)) => self.compare(value.into_iter().collect(), keys, true),
            Some(answer) => Ok(Eval::Is(matches!(answer, Answer::Is(true)))),
            None => {
                let name = self.fill(name)?;
                Ok(match self.optional_mailbox(mailbox)? {
                    Some(mailbox) => Eval::Ask(Question::Metadata { mailbox, name }),
                    None => Eval::Is(false),
                })
            }
        }
    }

    /// RFC 7352 §3.
    fn duplicate(
        &mut self,
        id: &DuplicateId,
        handle: Option<&Template>,
        seconds: Option<u64>,
        last: bool,
    ) -> Result<Eval, Why> {
        let unique = match id {
            DuplicateId::Given(id) => Some(self.fill(id)?),
            DuplicateId::Header(name) => self.header_value(name)?,
            DuplicateId::MessageId => {
                self.header_value(&Template(vec![crate::program::Piece::Plain("Message-ID".to_owned())]))?
            }
        };
        let handle = self.fill_option(handle)?.unwrap_or_default();
        // RFC 7352 §3.1: without the field there is nothing to be the same.
        let Some(unique) = unique.filter(|unique| !unique.is_empty()) else { return Ok(Eval::Is(false)) };
        let id = format!("{handle}\n{unique}");
        let eval = self.ask(Question::Seen(id.clone()));
        // §3.3: `:last` counts from the last time, else from the first.
        if let Eval::Is(was_seen) = eval
            && (last || !was_seen)
            && !self.seen.iter().any(|seen| seen.id == id)
        {
            self.seen.push(Seen { id, seconds, last });
        }
        Ok(eval)
    }

    fn header_value(&mut self, name: &Template) -> Result<Option<String>, Why> {
        let found = self.sought(std::slice::from_ref(name), None, Scope::default())?;
        Ok(found.first().and_then(|raw| fields(raw).next().map(|field| value_of(&field))))
    }
}

fn octets(fields: &[Octets]) -> u64 {
    fields.iter().map(|field| field.len() as u64).sum()
}

/// At most [`limit::BODY_OCTETS`] of texts.
fn bounded(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut octets = 0_usize;
    texts
        .take(limit::VALUES)
        .take_while(|text| {
            let fits = octets < limit::BODY_OCTETS;
            octets = octets.saturating_add(text.len());
            fits
        })
        .collect()
}

/// RFC 5173 §5.2: `text`, `text/plain`, or the empty string for all.
fn is_kind(kind: &(String, String), wanted: &[String]) -> bool {
    wanted.iter().any(|wanted| match wanted.to_ascii_lowercase().split_once('/') {
        Some((main, sub)) => !main.is_empty() && !sub.is_empty() && *main == kind.0 && *sub == kind.1,
        None => wanted.is_empty() || wanted.eq_ignore_ascii_case(&kind.0),
    })
}

/// RFC 5235 §2: 0 not tested, 1 to 10; or percent, and nothing where it was not tested.
fn spam_value(percent: Option<u8>, wants_percent: bool) -> Vec<String> {
    match percent.map(|percent| u32::from(percent.min(100))) {
        Some(percent) if wants_percent => vec![percent.to_string()],
        None if wants_percent => Vec::new(),
        Some(percent) => vec![(1 + percent * 9 / 100).to_string()],
        None => vec!["0".to_owned()],
    }
}

fn notify_words(notify: Notify) -> Vec<String> {
    let words = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
    let said: Vec<_> = words.iter().filter(|(is_said, _)| *is_said).map(|(_, word)| (*word).to_owned()).collect();
    if said.is_empty() { vec!["NEVER".to_owned()] } else { said }
}

/// A path's part; none where the path is none, or has no such part.
fn path_part(path: &str, part: AddressPart) -> Option<String> {
    let path = path.trim();
    // RFC 5228 §5.4: the null path is the empty string, whatever part is asked for.
    if path.is_empty() || path == "<>" {
        return Some(String::new());
    }
    if path.starts_with('<') != path.ends_with('>') {
        return None;
    }
    let inner = path.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(path);
    // A source route is passed over (RFC 5321 §4.1.1.3); what isn't one makes the path none.
    if inner.starts_with('@') {
        let (route, _) = inner.split_once(':')?;
        let is_host = |host: &str| {
            host.strip_prefix('@').is_some_and(|host| {
                !host.is_empty() && host.split('.').all(|label| !label.is_empty() && !label.contains('@'))
            })
        };
        if !route.split(',').all(is_host) {
            return None;
        }
    }
    let address = bare(inner);
    let (local, domain) = match address.rsplit_once('@') {
        Some((local, domain)) => (local.to_owned(), Some(domain.to_owned())),
        None => (address, None),
    };
    let is_local = !local.is_empty()
        && (local.starts_with('"') || !local.contains(['@', '<', '>', ' ', ',', ':', ';', '(', ')', '"']));
    let is_domain =
        domain.as_ref().is_none_or(|domain| !domain.is_empty() && !domain.contains(['<', '>', ' ', '@', ':', ',']));
    if !is_local || !is_domain {
        return None;
    }
    cut_address(&local, domain.as_deref(), part)
}

fn cut_address(local: &str, domain: Option<&str>, part: AddressPart) -> Option<String> {
    Some(match part {
        AddressPart::All => domain.map_or_else(|| local.to_owned(), |domain| format!("{local}@{domain}")),
        AddressPart::LocalPart => local.to_owned(),
        AddressPart::Domain => domain?.to_owned(),
        // RFC 5233 §4: without a separator there is no detail.
        AddressPart::User => local.split_once('+').map_or(local, |(user, _)| user).to_owned(),
        AddressPart::Detail => local.split_once('+')?.1.to_owned(),
    })
}

/// RFC 5228 §5.1.
fn field_addresses(raw: &[u8], part: AddressPart) -> Vec<String> {
    let Some(field) = fields(raw).next() else { return Vec::new() };
    let name = String::from_utf8_lossy(field.name);
    if !is_field_name(&name) || !is_address_field(&name) {
        return Vec::new();
    }
    let text = |octets: &Option<Vec<u8>>| octets.as_deref().map(decode_header_value);
    let items = read_address_list(&field.unfolded());
    let cut = |mailbox: &Mailbox| {
        let local = text(&mailbox.local_part)?;
        cut_address(&local, text(&mailbox.domain).as_deref(), part)
    };
    mailboxes(&items).filter_map(cut).collect()
}

/// What of a field may be on a list (RFC 6134 §2.3): its addresses, of a field that has some; else its value. What stands around addresses is
/// whatever their sender wrote, and nobody's address.
fn listed_values(raw: &[u8]) -> Vec<String> {
    let addresses = field_addresses(raw, AddressPart::All);
    if addresses.is_empty() { header_values(raw, &MimeValue::Whole, &[]) } else { addresses }
}

/// A field's value, or the part of it that RFC 5703 §4.1 names.
fn header_values(raw: &[u8], value: &MimeValue, params: &[String]) -> Vec<String> {
    let Some(field) = fields(raw).next() else { return Vec::new() };
    let lossy = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    match value {
        MimeValue::Whole => vec![value_of(&field)],
        MimeValue::Param(_) => params.iter().filter_map(|name| parameter(&field, name)).collect(),
        _ if field.is("Content-Disposition") => {
            let disposition = Disposition::read(&field.unfolded());
            let has_type = matches!(value, MimeValue::Type | MimeValue::ContentType);
            disposition.filter(|_| has_type).map(|disposition| lossy(&disposition.kind)).into_iter().collect()
        }
        _ => content_type(&field)
            .map(|kind| match value {
                MimeValue::Type => lossy(&kind.main),
                MimeValue::SubType => lossy(&kind.sub),
                _ => format!("{}/{}", lossy(&kind.main), lossy(&kind.sub)),
            })
            .into_iter()
            .collect(),
    }
}

/// A parameter's value, decoded (RFC 2231 §4, and encoded words as mailers write them).
fn parameter(field: &Field<'_>, name: &str) -> Option<String> {
    let value = field.unfolded();
    let parameters = match content_type(field) {
        Some(kind) => kind.parameters,
        None => Disposition::read(&value)?.parameters,
    };
    let extended = format!("{name}*");
    let is = |written: &[u8], name: &str| written.eq_ignore_ascii_case(name.as_bytes());
    if let Some(found) = parameters.iter().find(|parameter| is(&parameter.name, &extended)) {
        let mut pieces = found.value.splitn(3, |octet| *octet == b'\'');
        let (charset, _, text) = (pieces.next()?, pieces.next()?, pieces.next()?);
        return Some(decode_text(&unescape(text), Some(charset)).into_owned());
    }
    let found = parameters.iter().find(|parameter| is(&parameter.name, name))?;
    Some(decode_header_value(&found.value))
}

/// `%XX`; what isn't of that form stays.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        match rest {
            [b'%', high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |octet: u8| char::from(octet).to_digit(16).unwrap_or(0);
                octets.push(u8::try_from(digit(*high) * 16 + digit(*low)).unwrap_or(0));
                rest = behind;
            }
            [plain, behind @ ..] => {
                octets.push(*plain);
                rest = behind;
            }
            [] => return octets,
        }
    }
}

/// An absolute time as RFC 6009 §5 writes it: `2026-11-27T14:00:00Z`.
pub(super) fn absolute_time(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<i64>().ok());
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    let zone = match text.get(19..)? {
        "Z" | "z" => 0,
        zone => i64::from(crate::date::offset(&zone.replace(':', ""))?),
    };
    let days = relais_message::days_from_civil(year, month, day);
    is_date.then(|| Timestamp::from_seconds(((days * 24 + hour) * 60 + minute - zone) * 60 + second))
}
