//! Commands (RFC 5228 §3, §4 and the extensions').

use super::values::{address, is_field_name};
use super::{Bound, Checked, Compiler, LoopScope, fault, is_too_deep, missing, seconds, strings};
use crate::capability::Capability;
use crate::fault::{Position, Problem};
use crate::form;
use crate::program::{
    Act, FlagAct, Included, NotifyAct, Op, Place, Redirect, RedirectTo, Template, VacationAct, Variable,
};
use crate::syntax::{Argument, Node, Value};

impl Compiler<'_> {
    pub(super) fn command(&mut self, node: &Node, name: &str) -> Checked<()> {
        if let Some(form) = self.dialect.commands.iter().find(|form| form.name == name) {
            let bound = self.bind(node, form)?;
            let arguments = self.host_arguments(&bound, false)?;
            let Some(block) = &node.block else {
                self.emit(node.at, Op::Act(Box::new(Act::Host { name: form.name, arguments })));
                return Ok(());
            };
            let start = self.emit(node.at, Op::HostBlock { name: form.name, arguments, end: 0 });
            self.block(block);
            self.emit(node.at, Op::HostEnd);
            self.land(start);
            return Ok(());
        }
        let Some(form) = form::COMMANDS.iter().find(|form| form.name == name) else {
            let is_test = form::TESTS.iter().chain(self.dialect.tests).any(|form| form.name == name);
            return Err(fault(
                node.at,
                if is_test {
                    Problem::TestAsCommand(node.name.clone())
                } else {
                    Problem::UnknownCommand { name: node.name.clone(), near: form::near(name, form::COMMANDS) }
                },
            ));
        };
        // An `elsif` or `else` comes here only where no `if` stood before it.
        if matches!(form.name, "elsif" | "else") {
            return Err(fault(node.at, Problem::NoIf(node.name.clone())));
        }
        let bound = self.bind(node, form)?;
        match form.name {
            "require" => self.require_all(&bound),
            "stop" => self.plain(node.at, Op::Stop),
            "return" => self.plain(node.at, Op::Return),
            "foreverypart" => self.for_every_part(&bound),
            "break" => self.break_loop(&bound),
            "include" => self.include(&bound),
            "global" => self.global(&bound),
            _ => {
                let act = self.act(&bound)?;
                self.plain(node.at, Op::Act(Box::new(act)))
            }
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "it ends arms that can fail")]
    fn plain(&mut self, at: Position, op: Op) -> Checked<()> {
        self.emit(at, op);
        Ok(())
    }

    /// RFC 5228 §3.2. Each unknown name is a fault of its own.
    fn require_all(&mut self, bound: &Bound<'_>) -> Checked<()> {
        if !self.may_require {
            return Err(fault(bound.node.at, Problem::RequireLate));
        }
        let Some(argument) = bound.at(0) else { return Ok(()) };
        for name in strings(argument) {
            match self.offered(name) {
                Some(capability) => self.require(capability),
                None if self.dialect.names.contains(&name.as_str()) => {}
                None => self.faults.add(argument.at, Problem::UnknownCapability(name.clone())),
            }
        }
        Ok(())
    }

    fn act(&mut self, bound: &Bound<'_>) -> Checked<Act> {
        Ok(match bound.form.name {
            "keep" => Act::Keep { flags: self.tagged_list(bound, "flags")? },
            "discard" => Act::Discard,
            "fileinto" => Act::FileInto { target: self.target(bound, bound.at(0))?, copy: bound.has("copy") },
            "redirect" => Act::Redirect(Box::new(self.redirect(bound)?)),
            "reject" | "ereject" => {
                Act::Reject { reason: self.one(bound, 0)?, is_ereject: bound.form.name == "ereject" }
            }
            "set" => {
                let variable = self.variable_name(bound.at(0), bound.node.at)?;
                let value = self.one(bound, 1)?;
                self.used(&variable);
                Act::Set { variable, modifiers: Self::modifiers(bound), value }
            }
            "setflag" => self.flags(bound, FlagAct::Set)?,
            "addflag" => self.flags(bound, FlagAct::Add)?,
            "removeflag" => self.flags(bound, FlagAct::Remove)?,
            "addheader" => {
                Act::AddHeader { name: self.field_name(bound, 0)?, value: self.one(bound, 1)?, last: bound.has("last") }
            }
            "deleteheader" => self.delete_header(bound)?,
            "vacation" => Act::Vacation(Box::new(self.vacation(bound)?)),
            "notify" => Act::Notify(Box::new(self.notify(bound)?)),
            "error" => Act::Error(self.one(bound, 0)?),
            "replace" => Act::Replace {
                mime: bound.has("mime"),
                subject: self.tagged(bound, "subject")?,
                from: self.tagged(bound, "from")?,
                text: self.one(bound, 0)?,
            },
            "enclose" => Act::Enclose {
                subject: self.tagged(bound, "subject")?,
                headers: self.tagged_list(bound, "headers")?.unwrap_or_default(),
                text: self.one(bound, 0)?,
            },
            "extracttext" => self.extract_text(bound)?,
            name => return Err(fault(bound.node.at, Problem::UnknownCommand { name: name.to_owned(), near: None })),
        })
    }

    fn used(&mut self, variable: &Variable) {
        if !variable.is_global {
            self.locals.insert(variable.name.clone());
        }
    }

    /// RFC 5228 §4.2, RFC 6009, RFC 6134 §2.4.
    fn redirect(&self, bound: &Bound<'_>) -> Checked<Redirect> {
        let to = self.one(bound, 0)?;
        let at = bound.at(0).map_or(bound.node.at, |argument| argument.at);
        let to = match to.constant() {
            _ if bound.has("list") => RedirectTo::List(to),
            None => RedirectTo::Named(to),
            Some(text) => RedirectTo::Known(
                address(text).ok_or_else(|| fault(at, Problem::Value { value: text.to_owned(), kind: "address" }))?,
            ),
        };
        let by_relative = seconds(bound.argument("bytimerelative"), 1);
        let by_absolute = self.tagged(bound, "bytimeabsolute")?;
        if by_relative.is_none() && by_absolute.is_none() && (bound.has("bymode") || bound.has("bytrace")) {
            return Err(fault(bound.node.at, missing(bound.node, "`:bytimerelative` or `:bytimeabsolute` beside it")));
        }
        Ok(Redirect {
            to,
            copy: bound.has("copy"),
            notify: self.tagged(bound, "notify")?,
            ret: self.tagged(bound, "ret")?,
            by_relative,
            by_absolute,
            by_mode: self.tagged(bound, "bymode")?,
            by_trace: bound.has("bytrace"),
        })
    }

    /// RFC 5232 §3.
    fn flags(&mut self, bound: &Bound<'_>, how: FlagAct) -> Checked<Act> {
        let variable = match bound.at(0) {
            None => None,
            Some(argument) => {
                self.needs(argument.at, "a variable of flags", Capability::Variables)?;
                let variable = self.variable_name(Some(argument), argument.at)?;
                self.used(&variable);
                Some(variable)
            }
        };
        Ok(Act::Flags { how, variable, flags: self.list(bound, 1)? })
    }

    fn field_name(&self, bound: &Bound<'_>, index: usize) -> Checked<Template> {
        let name = self.one(bound, index)?;
        match name.constant() {
            Some(text) if !is_field_name(text) => {
                let at = bound.at(index).map_or(bound.node.at, |argument| argument.at);
                Err(fault(at, Problem::Value { value: text.to_owned(), kind: "field's name" }))
            }
            _ => Ok(name),
        }
    }

    /// RFC 5293 §5: the patterns may be absent, and then the name is the only argument.
    fn delete_header(&self, bound: &Bound<'_>) -> Checked<Act> {
        let index = Self::index(bound)?;
        if bound.at(0).is_some() {
            let (name, keys) = (self.field_name(bound, 0)?, self.keys(bound, 1)?);
            return Ok(Act::DeleteHeader { name, index, keys: Some(keys) });
        }
        match bound.at(1) {
            Some(Argument { at, value: Value::List(_) }) => {
                Err(fault(*at, Problem::WrongKind { command: bound.node.name.clone(), wanted: "one string" }))
            }
            _ => Ok(Act::DeleteHeader { name: self.field_name(bound, 1)?, index, keys: None }),
        }
    }

    /// RFC 8580 §3.1: the tags of `fileinto` stand beside `:fcc`, and only there.
    fn fcc(&self, bound: &Bound<'_>) -> Checked<Option<crate::program::Target>> {
        let fcc = bound.argument("fcc");
        let stray =
            bound.tags.iter().find(|(tag, _)| matches!(tag.name, "create" | "specialuse" | "mailboxid" | "flags"));
        match (fcc, stray) {
            (None, Some((tag, _))) => Err(fault(
                bound.node.at,
                Problem::Missing { command: format!(":{}", tag.name), wanted: "`:fcc` beside it" },
            )),
            (None, None) => Ok(None),
            (Some(mailbox), _) => self.target(bound, Some(mailbox)).map(Some),
        }
    }

    /// RFC 5230 §4, RFC 6131.
    fn vacation(&self, bound: &Bound<'_>) -> Checked<VacationAct> {
        let from = self.tagged(bound, "from")?;
        if let Some(text) = from.as_ref().and_then(Template::constant)
            && address(text).is_none()
        {
            let at = bound.argument("from").map_or(bound.node.at, |argument| argument.at);
            return Err(fault(at, Problem::Value { value: text.to_owned(), kind: "address" }));
        }
        let own_handle = bound.at(0).and_then(|reason| strings(reason).first()).cloned().unwrap_or_default();
        let more = ["subject", "from", "mime"].into_iter().filter(|tag| bound.has(tag)).map(|tag| {
            let said = bound.argument(tag).and_then(|argument| strings(argument).first());
            format!("\n{tag}:{}", said.map_or("", String::as_str))
        });
        Ok(VacationAct {
            seconds: seconds(bound.argument("days"), 86_400).or_else(|| seconds(bound.argument("seconds"), 1)),
            subject: self.tagged(bound, "subject")?,
            from,
            addresses: self.tagged_list(bound, "addresses")?.unwrap_or_default(),
            mime: bound.has("mime"),
            handle: self.tagged(bound, "handle")?,
            // RFC 5230 §4.2: with other words it is another vacation.
            own_handle: own_handle + &more.collect::<String>(),
            reason: self.one(bound, 0)?,
            fcc: self.fcc(bound)?,
        })
    }

    /// RFC 5435 §3.
    fn notify(&self, bound: &Bound<'_>) -> Checked<NotifyAct> {
        let importance = self.tagged(bound, "importance")?;
        if let Some(text) = importance.as_ref().and_then(Template::constant)
            && !matches!(text, "1" | "2" | "3")
        {
            let at = bound.argument("importance").map_or(bound.node.at, |argument| argument.at);
            return Err(fault(at, Problem::Value { value: text.to_owned(), kind: "importance: 1, 2 or 3" }));
        }
        let method = self.one(bound, 0)?;
        if let Some(text) = method.constant()
            && crate::notify::Mailto::parse(text).is_none()
        {
            let at = bound.at(0).map_or(bound.node.at, |argument| argument.at);
            return Err(fault(at, Problem::Value { value: text.to_owned(), kind: "mailto: address" }));
        }
        Ok(NotifyAct {
            method,
            from: self.tagged(bound, "from")?,
            importance,
            options: self.tagged_list(bound, "options")?.unwrap_or_default(),
            message: self.tagged(bound, "message")?,
            fcc: self.fcc(bound)?,
        })
    }

    /// RFC 5703 §7.
    fn extract_text(&mut self, bound: &Bound<'_>) -> Checked<Act> {
        self.needs(bound.node.at, "extracttext", Capability::Variables)?;
        if self.loops.is_empty() {
            return Err(fault(bound.node.at, missing(bound.node, "a `foreverypart` around it")));
        }
        let variable = self.variable_name(bound.at(0), bound.node.at)?;
        self.used(&variable);
        let first = match bound.argument("first").map(|argument| &argument.value) {
            Some(Value::Number(first)) => Some(*first),
            _ => None,
        };
        Ok(Act::ExtractText { variable, modifiers: Self::modifiers(bound), first })
    }

    /// RFC 5703 §3.
    fn for_every_part(&mut self, bound: &Bound<'_>) -> Checked<()> {
        let node = bound.node;
        if is_too_deep(self.loops.len()) {
            return Err(fault(node.at, Problem::TooMuch("`foreverypart` inside each other")));
        }
        let name = bound.argument("name").and_then(|argument| strings(argument).first()).cloned();
        let start = self.emit(node.at, Op::Loop { end: 0 });
        self.loops.push(LoopScope { name, breaks: Vec::new() });
        self.block(node.block.as_deref().unwrap_or_default());
        self.emit(node.at, Op::Next { start: start + 1 });
        self.land(start);
        for at in self.loops.pop().map(|scope| scope.breaks).unwrap_or_default() {
            self.land(at);
        }
        Ok(())
    }

    fn break_loop(&mut self, bound: &Bound<'_>) -> Checked<()> {
        let name = bound.argument("name").and_then(|argument| strings(argument).first());
        let is_it = |scope: &LoopScope| name.is_none_or(|name| scope.name.as_ref() == Some(name));
        let Some(at) = self.loops.iter().rposition(is_it) else {
            return Err(fault(bound.node.at, Problem::NoLoop));
        };
        let loops = self.loops.len() - 1 - at;
        let jump = self.emit(bound.node.at, Op::Break { loops, end: 0 });
        if let Some(scope) = self.loops.get_mut(at) {
            scope.breaks.push(jump);
        }
        Ok(())
    }

    /// RFC 6609 §3.2: the name holds no variables.
    fn include(&mut self, bound: &Bound<'_>) -> Checked<()> {
        let argument = bound.at(0);
        let at = argument.map_or(bound.node.at, |argument| argument.at);
        let written = argument.and_then(|argument| strings(argument).first()).map_or("", String::as_str);
        let decoded = if self.required.has(Capability::EncodedCharacter) {
            crate::template::decode(written).map_err(|problem| fault(at, problem))?
        } else {
            written.to_owned()
        };
        if !is_script_name(&decoded) || decoded.contains("${") {
            return Err(fault(at, Problem::Value { value: decoded, kind: "script's name" }));
        }
        let place = if bound.has("global") { Place::Global } else { Place::Personal };
        let optional = bound.has("optional");
        self.includes.push(Included { at, place, name: decoded.clone(), optional });
        let op = Op::Include { place, name: decoded, once: bound.has("once"), optional };
        self.plain(bound.node.at, op)
    }

    /// RFC 6609 §3.4.1.
    fn global(&mut self, bound: &Bound<'_>) -> Checked<()> {
        self.needs(bound.node.at, "global", Capability::Variables)?;
        let Some(argument) = bound.at(0) else { return Ok(()) };
        for name in strings(argument) {
            let one = Argument { at: argument.at, value: Value::String(name.clone()) };
            let variable = self.variable_name(Some(&one), argument.at)?;
            if self.locals.contains(&variable.name) {
                return Err(fault(argument.at, Problem::LateGlobal(name.clone())));
            }
            self.globals.insert(variable.name);
        }
        Ok(())
    }
}

/// RFC 5804 §1.6, and no `/`: 1 to 128 characters, none of them a control or one that parts lines.
pub(crate) fn is_script_name(name: &str) -> bool {
    (1..=128).contains(&name.chars().count())
        && !name.chars().any(|one| one.is_control() || matches!(one, '/' | '\u{2028}' | '\u{2029}' | '\u{fffd}'))
}
