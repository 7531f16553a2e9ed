//! Commands, as they are done.

use std::fmt::Write as _;
use std::sync::Arc;

use relais_message::fields;
use relais_model::{MailboxName, Notify, Ret, Timestamp};

use super::tests::absolute_time;
use super::{Flow, Run, cut};
use crate::compile::{address, flag, is_field_name, mailbox_name};
use crate::facts::DeliverBy;
use crate::fault::Position;
use crate::letter::value_of;
use crate::limit;
use crate::matching::{How, Match, Pattern};
use crate::notify::Mailto;
use crate::outcome::{Acting, Action, Filing, Notice, Recipient, Redirection, Why};
use crate::program::{
    Act, FlagAct, Index, Keys, Modifier, NotifyAct, Redirect, RedirectTo, Target, Template, VacationAct, Variable,
    special_use,
};
use crate::template::{self, Named};
use crate::vacation::Vacation;

/// Fields that a script must not touch: RFC 5293 §5 names the trace and what says that a program sent it.
const UNTOUCHABLE: [&str; 3] = ["Received", "Auto-Submitted", "Return-Path"];

impl Run {
    pub(super) fn act(&mut self, act: &Act, at: Position) -> Result<Flow, Why> {
        match act {
            Act::Keep { flags } => self.keep(flags.as_deref(), at)?,
            Act::Discard => self.is_implicit = false,
            Act::FileInto { target, copy } => self.file_into(target, *copy, at)?,
            Act::Redirect(redirect) => self.redirect(redirect, at)?,
            Act::Reject { reason, is_ereject } => {
                let mut reason = self.fill(reason)?;
                cut(&mut reason, limit::REASON_OCTETS);
                self.is_implicit = false;
                self.add(Acting::Reject { reason, is_ereject: *is_ereject }, at)?;
            }
            Act::Set { variable, modifiers, value } => {
                let value = self.fill(value)?;
                self.set_variable(variable, modify(value, modifiers))?;
            }
            Act::Flags { how, variable, flags } => self.change_flags(*how, variable.as_ref(), flags)?,
            Act::AddHeader { name, value, last } => self.add_header(name, value, *last)?,
            Act::DeleteHeader { name, index, keys } => self.delete_header(name, *index, keys.as_ref())?,
            Act::Vacation(vacation) => self.vacation(vacation, at)?,
            Act::Notify(notify) => self.notify(notify, at)?,
            Act::Error(text) => return Err(Why::Said(self.fill(text)?)),
            Act::Unavailable(name) => return Err(Why::Said(format!("the extension `{name}` is not here"))),
            Act::Replace { mime, subject, from, text } => {
                self.count_edit()?;
                let (subject, from) = (self.fill_option(subject.as_ref())?, self.fill_option(from.as_ref())?);
                let text = self.fill(text)?;
                self.replace(&text, *mime, subject.as_deref(), from.as_deref());
            }
            Act::Enclose { subject, headers, text } => {
                self.count_edit()?;
                let subject = self.fill_option(subject.as_ref())?;
                let (headers, text) = (self.fill_all(headers)?, self.fill(text)?);
                self.letter.enclose(subject.as_deref(), &headers, &text);
                // The parts are others now.
                for frame in &mut self.frames {
                    for looping in &mut frame.loops {
                        looping.next = looping.end;
                    }
                }
            }
            Act::ExtractText { variable, modifiers, first } => {
                let part = self.current_part().unwrap_or(0);
                let mut text = self.letter.text(part).unwrap_or_default();
                self.charge(text.len() as u64)?;
                let end = first.and_then(|first| usize::try_from(first).ok());
                if let Some((end, _)) = end.and_then(|end| text.char_indices().nth(end)) {
                    text.truncate(end);
                }
                self.set_variable(variable, modify(text, modifiers))?;
            }
            Act::Host { name, arguments } => return self.host_act(name, arguments),
        }
        Ok(Flow::Next)
    }

    /// Adds an action; or gives its flags to one that does the same (RFC 5228 §2.10.3).
    fn add(&mut self, act: Acting, at: Position) -> Result<(), Why> {
        let edited = self.letter.edited();
        for other in &mut self.actions {
            check_conflict(&other.act, &act)?;
            let is_same_message = match (&other.edited, &edited) {
                (None, None) => true,
                (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                _ => false,
            };
            // RFC 6785 §3.3: there `fileinto` makes a message of its own, and what is kept lies in any mailbox.
            let is_kept = |act: &Acting| matches!(act, Acting::Keep { .. });
            let stands_apart = self.facts.is_at_imap && is_kept(&other.act) != is_kept(&act);
            if is_same_message && !stands_apart && merge(&mut other.act, &act) {
                return Ok(());
            }
        }
        if self.actions.len() >= self.limits.actions {
            return Err(Why::Actions(self.limits.actions));
        }
        let count = |name: &str| self.actions.iter().filter(|action| action.act.name() == name).count();
        match act {
            Acting::Redirect(_) if count("redirect") >= self.limits.redirects => {
                return Err(Why::Redirects(self.limits.redirects));
            }
            Acting::Notify(_) if count("notify") >= self.limits.notices => return Err(Why::TooMany("notices")),
            _ => {}
        }
        self.actions.push(Action { act, edited, at });
        Ok(())
    }

    fn keep(&mut self, flags: Option<&[Template]>, at: Position) -> Result<(), Why> {
        self.is_implicit = false;
        let flags = self.flags_or_own(flags)?;
        self.add(Acting::Keep { flags, is_explicit: true }, at)
    }

    fn file_into(&mut self, target: &Target, copy: bool, at: Position) -> Result<(), Why> {
        let filing = self.filing(target)?;
        self.is_implicit &= copy;
        self.add(Acting::FileInto(filing), at)
    }

    fn filing(&mut self, target: &Target) -> Result<Filing, Why> {
        let name = self.fill_option(target.mailbox.as_ref())?.unwrap_or_default();
        let mailbox = mailbox_name(&name).ok_or(Why::Mailbox(name))?;
        let special_use = match self.fill_option(target.special_use.as_ref())? {
            Some(name) => Some(special_use(&name).ok_or(Why::Value(name, "special use"))?),
            None => None,
        };
        Ok(Filing {
            mailbox,
            create: target.create,
            special_use,
            mailbox_id: self.fill_option(target.mailbox_id.as_ref())?,
            flags: self.flags_or_own(target.flags.as_deref())?,
        })
    }

    /// Those of `:flags`, or else those of the internal variable (RFC 5232 §5).
    fn flags_or_own(&mut self, flags: Option<&[Template]>) -> Result<Vec<String>, Why> {
        match flags {
            Some(flags) => Ok(read_flags(&self.fill_all(flags)?)),
            None => Ok(self.flags().to_vec()),
        }
    }

    fn redirect(&mut self, redirect: &Redirect, at: Position) -> Result<(), Why> {
        let to = match &redirect.to {
            RedirectTo::Known(address) => Recipient::Address(address.clone()),
            RedirectTo::List(name) => Recipient::List(self.fill(name)?),
            RedirectTo::Named(template) => {
                let text = self.fill(template)?;
                Recipient::Address(address(&text).ok_or(Why::Value(text, "address"))?)
            }
        };
        let notify = match self.fill_option(redirect.notify.as_ref())? {
            Some(text) => Some(read_notify(&text).ok_or(Why::Value(text, "NOTIFY"))?),
            None => None,
        };
        let ret = match self.fill_option(redirect.ret.as_ref())? {
            Some(text) if text.eq_ignore_ascii_case("FULL") => Some(Ret::Full),
            Some(text) if text.eq_ignore_ascii_case("HDRS") => Some(Ret::Headers),
            Some(text) => return Err(Why::Value(text, "RET")),
            None => None,
        };
        let deliver_by = self.deliver_by(redirect)?;
        self.is_implicit &= redirect.copy;
        self.add(Acting::Redirect(Redirection { to, copy: redirect.copy, notify, ret, deliver_by }), at)
    }

    /// RFC 6009 §5.
    fn deliver_by(&mut self, redirect: &Redirect) -> Result<Option<DeliverBy>, Why> {
        let absolute = match self.fill_option(redirect.by_absolute.as_ref())? {
            Some(text) => Some(absolute_time(&text).ok_or(Why::Value(text, "time"))?),
            None => None,
        };
        let after = |seconds: u64| {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            Timestamp::from_seconds(self.facts.now.seconds().saturating_add(seconds))
        };
        let Some(by) = absolute.or(redirect.by_relative.map(after)) else { return Ok(None) };
        let returns = match self.fill_option(redirect.by_mode.as_ref())? {
            None => false,
            Some(mode) if mode.eq_ignore_ascii_case("notify") => false,
            Some(mode) if mode.eq_ignore_ascii_case("return") => true,
            Some(mode) => return Err(Why::Value(mode, "BY mode")),
        };
        Ok(Some(DeliverBy { at: by, returns, trace: redirect.by_trace }))
    }

    /// RFC 5232 §3.
    fn change_flags(&mut self, how: FlagAct, variable: Option<&Variable>, flags: &[Template]) -> Result<(), Why> {
        let given = read_flags(&self.fill_all(flags)?);
        let mut now = match variable {
            None => self.flags().to_vec(),
            Some(variable) => read_flags(&[self.variable(variable).to_owned()]),
        };
        match how {
            FlagAct::Set => now = given,
            FlagAct::Add => join_flags(&mut now, &given),
            FlagAct::Remove => now.retain(|flag| !given.iter().any(|gone| gone.eq_ignore_ascii_case(flag))),
        }
        match variable {
            None => self.flags = Some(now),
            Some(variable) => self.set_variable(variable, now.join(" "))?,
        }
        Ok(())
    }

    /// The variable that a text names.
    pub(super) fn named_variable(&self, name: &str) -> Option<Variable> {
        match template::name(name)? {
            Named::Plain(name) => {
                // `global` stands in the program; a name that is known as global and not as a local is meant so.
                let is_local = self.frames.last().is_some_and(|frame| frame.locals.contains_key(&name));
                let is_global = !is_local && self.globals.contains_key(&name);
                Some(Variable { name, is_global })
            }
            Named::Spaced(space, name) if space == "global" => Some(Variable { name, is_global: true }),
            Named::Spaced(..) | Named::Matched(_) => None,
        }
    }

    fn count_edit(&mut self) -> Result<(), Why> {
        self.charge(self.letter.raw().len() as u64)?;
        if self.letter.edits >= limit::EDITS { Err(Why::TooMany("changes of the message")) } else { Ok(()) }
    }

    fn add_header(&mut self, name: &Template, value: &Template, last: bool) -> Result<(), Why> {
        let (name, mut value) = (self.fill(name)?, self.fill(value)?);
        if !is_field_name(&name) {
            return Err(Why::Value(name, "field's name"));
        }
        if UNTOUCHABLE.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            return Ok(());
        }
        self.count_edit()?;
        cut(&mut value, limit::VALUE_OCTETS);
        self.letter.add_field(&name, value.trim(), last);
        Ok(())
    }

    fn delete_header(&mut self, name: &Template, index: Option<Index>, keys: Option<&Keys>) -> Result<(), Why> {
        let name = self.fill(name)?;
        if !is_field_name(&name) {
            return Err(Why::Value(name, "field's name"));
        }
        if UNTOUCHABLE.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            return Ok(());
        }
        self.count_edit()?;
        let named: Vec<(usize, String)> = fields(self.letter.header())
            .enumerate()
            .filter(|(_, field)| field.is(&name))
            .map(|(at, field)| (at, value_of(&field)))
            .collect();
        let chosen = match index {
            None => named,
            Some(index) => {
                let at = if index.from_last { named.len().checked_sub(index.number) } else { Some(index.number - 1) };
                at.and_then(|at| named.get(at)).cloned().into_iter().collect()
            }
        };
        let mut gone = Vec::new();
        let patterns = keys.map(|keys| self.patterns(keys)).transpose()?;
        for (at, value) in chosen {
            let is_meant = match (keys, &patterns) {
                (Some(keys), Some(patterns)) => self.is_meant(&value, keys, patterns)?,
                _ => true,
            };
            if is_meant {
                gone.push(at);
            }
        }
        // They are in order: a header may have very many.
        self.letter.delete_fields(|at, _| gone.binary_search(&at).is_ok());
        Ok(())
    }

    fn is_meant(&mut self, value: &str, keys: &Keys, patterns: &[Pattern]) -> Result<bool, Why> {
        if let How::Count(relation) = keys.kind.how {
            let texts = self.fill_all(&keys.texts)?;
            return Ok(texts.iter().any(|key| Match::counts(relation, 1, key)));
        }
        self.compare_all(std::slice::from_ref(&value.to_owned()), keys.kind, patterns, false)
    }

    /// RFC 5703 §5. The loops go on behind what was replaced.
    fn replace(&mut self, text: &str, mime: bool, subject: Option<&str>, from: Option<&str>) {
        let part = self.current_part().unwrap_or(0);
        let before = self.letter.parts().len();
        self.letter.replace(part, text, mime, subject, from);
        let after = self.letter.parts().len();
        let end = self.letter.parts().get(part).map_or(after, |part| part.end);
        if let Some(frame) = self.frames.last_mut() {
            for looping in &mut frame.loops {
                looping.end = (looping.end + after).saturating_sub(before);
                looping.next = looping.next.min(looping.end);
            }
            if let Some(innermost) = frame.loops.last_mut() {
                innermost.next = end;
            }
        }
    }

    fn vacation(&mut self, vacation: &VacationAct, at: Position) -> Result<(), Why> {
        let mut reason = self.fill(&vacation.reason)?;
        cut(&mut reason, limit::REASON_OCTETS);
        let from = self.fill_option(vacation.from.as_ref())?;
        if let Some(text) = &from
            && address(text).is_none()
        {
            return Err(Why::Value(text.clone(), "address"));
        }
        let fcc = vacation.fcc.as_ref().map(|target| self.filing(target)).transpose()?;
        let asked = Vacation {
            seconds: vacation.seconds,
            subject: self.fill_option(vacation.subject.as_ref())?,
            from,
            addresses: self.fill_all(&vacation.addresses)?,
            mime: vacation.mime,
            handle: self.fill_option(vacation.handle.as_ref())?.unwrap_or_else(|| vacation.own_handle.clone()),
            reason,
            fcc,
        };
        self.add(Acting::Vacation(Box::new(asked)), at)
    }

    fn notify(&mut self, notify: &NotifyAct, at: Position) -> Result<(), Why> {
        let method = self.fill(&notify.method)?;
        let method = Mailto::parse(&method).ok_or(Why::Value(method, "mailto: address"))?;
        let importance = match self.fill_option(notify.importance.as_ref())?.as_deref() {
            Some("1") => 1,
            Some("3") => 3,
            _ => 2,
        };
        let mut message = self.fill_option(notify.message.as_ref())?;
        if let Some(text) = &mut message {
            cut(text, limit::REASON_OCTETS);
        }
        let fcc = notify.fcc.as_ref().map(|target| self.filing(target)).transpose()?;
        let (from, options) = (self.fill_option(notify.from.as_ref())?, self.fill_all(&notify.options)?);
        self.add(Acting::Notify(Box::new(Notice { method, from, importance, options, message, fcc })), at)
    }
}

/// RFC 5429 §2.4, RFC 5230 §4.7.
fn check_conflict(one: &Acting, other: &Acting) -> Result<(), Why> {
    let is_reject = |act: &Acting| matches!(act, Acting::Reject { .. });
    let is_harmless = |act: &Acting| matches!(act, Acting::Notify(_) | Acting::Keep { is_explicit: false, .. });
    let is_double = matches!((one, other), (Acting::Vacation(_), Acting::Vacation(_)));
    let is_torn = (is_reject(one) && !is_harmless(other)) || (is_reject(other) && !is_harmless(one));
    if is_double || is_torn { Err(Why::Conflict(one.name(), other.name())) } else { Ok(()) }
}

/// Whether `one` does already what `other` does; then it gets the other's flags.
fn merge(one: &mut Acting, other: &Acting) -> bool {
    let inbox = MailboxName::inbox();
    if let (Acting::Redirect(one), Acting::Redirect(other)) = (&mut *one, other) {
        return one.to == other.to;
    }
    let (Some(first), Some(second)) = (place(one, &inbox), place(other, &inbox)) else { return false };
    if first != second {
        return false;
    }
    let last = match other {
        Acting::Keep { flags, .. } => flags,
        Acting::FileInto(filing) => &filing.flags,
        _ => return false,
    };
    // RFC 5232 §5: the last value wins.
    match one {
        Acting::Keep { flags, .. } => flags.clone_from(last),
        Acting::FileInto(filing) => filing.flags.clone_from(last),
        _ => {}
    }
    true
}

type Where<'a> = (&'a MailboxName, Option<relais_model::SpecialUse>, Option<&'a str>);

fn place<'a>(act: &'a Acting, inbox: &'a MailboxName) -> Option<Where<'a>> {
    match act {
        Acting::Keep { .. } => Some((inbox, None, None)),
        Acting::FileInto(filing) => Some((&filing.mailbox, filing.special_use, filing.mailbox_id.as_deref())),
        _ => None,
    }
}

/// Each flag once, several in one string or not; what is no flag is passed over.
fn read_flags(texts: &[String]) -> Vec<String> {
    let mut flags = Vec::new();
    let words = texts.iter().flat_map(|text| text.split([' ', '\t', '\r', '\n']));
    let known: Vec<String> = words.filter(|word| flag(word).is_some()).map(str::to_owned).collect();
    join_flags(&mut flags, &known);
    flags
}

fn join_flags(flags: &mut Vec<String>, more: &[String]) {
    for flag in more {
        if flags.len() < limit::FLAGS && !flags.iter().any(|known| known.eq_ignore_ascii_case(flag)) {
            flags.push(flag.clone());
        }
    }
}

/// RFC 3461 §4.1.
fn read_notify(text: &str) -> Option<Notify> {
    if text.eq_ignore_ascii_case("NEVER") {
        return Some(Notify::NEVER);
    }
    let mut notify = Notify::NEVER;
    for word in text.split(',') {
        match word.trim().to_ascii_uppercase().as_str() {
            "SUCCESS" => notify.success = true,
            "FAILURE" => notify.failure = true,
            "DELAY" => notify.delay = true,
            _ => return None,
        }
    }
    Some(notify)
}

/// RFC 5229 §4.1: in the order of their precedence.
fn modify(mut value: String, modifiers: &[Modifier]) -> String {
    for modifier in modifiers {
        value = match modifier {
            Modifier::Lower => value.to_ascii_lowercase(),
            Modifier::Upper => value.to_ascii_uppercase(),
            Modifier::LowerFirst => first(&value, |letter| letter.to_ascii_lowercase()),
            Modifier::UpperFirst => first(&value, |letter| letter.to_ascii_uppercase()),
            Modifier::QuoteWildcard => quote(&value, "*?\\"),
            Modifier::QuoteRegex => quote(&value, "\\.*+?()[]{}|^$"),
            Modifier::EncodeUrl => encode_url(&value),
            Modifier::Length => value.chars().count().to_string(),
        };
    }
    value
}

fn first(value: &str, change: impl Fn(char) -> char) -> String {
    let mut letters = value.chars();
    letters.next().map(change).into_iter().chain(letters).collect()
}

fn quote(value: &str, special: &str) -> String {
    let mut quoted = String::with_capacity(value.len());
    for letter in value.chars() {
        if special.contains(letter) {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted
}

/// RFC 5435 §6.
fn encode_url(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for octet in value.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(octet));
        } else {
            // Writing to a string never fails.
            let _ = write!(encoded, "%{octet:02X}");
        }
    }
    encoded
}
