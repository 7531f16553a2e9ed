//! A run: a machine that goes through a program, asks, and ends with what is to be done.

mod acts;
mod host;
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::capability::Capability;
use crate::facts::{Answer, Facts, HostArgument, Question};
use crate::fault::Position;
use crate::letter::Letter;
use crate::limit::{self, Limits};
use crate::outcome::{Acting, Action, Failure, Outcome, Seen, Why};
use crate::program::{self, HostValue, Instructions, Op, Piece, Place, Program, Template, Variable};

/// What is to be done next.
#[derive(Debug)]
#[must_use = "a dropped step stalls the run"]
pub enum Step {
    /// Answer it by [`Run::answer`].
    Ask(Question),
    /// It is over.
    Done(Box<Outcome>),
}

/// One script that runs over one message, for one recipient.
#[derive(Debug)]
pub struct Run {
    facts: Facts,
    limits: Limits,
    frames: Vec<Frame>,
    truth: bool,
    answered: Option<Answer>,
    globals: BTreeMap<String, String>,
    /// Scripts that were included, for `:once`.
    included: BTreeSet<(Place, String)>,
    includes: usize,
    letter: Letter,
    actions: Vec<Action>,
    is_implicit: bool,
    /// The internal variable of RFC 5232 §2; none: the message's own flags.
    flags: Option<Vec<String>>,
    seen: Vec<Seen>,
    work: u64,
    /// Blocks of the caller's own that the run is in: how many frames there were, and the number behind each.
    blocks: Vec<(usize, usize)>,
}

/// A script that is being run: the first, or one that is included.
#[derive(Debug)]
struct Frame {
    program: Program,
    at: usize,
    locals: BTreeMap<String, String>,
    /// `${0}` and the like (RFC 6609 §3.4: they are the script's own).
    matched: Vec<String>,
    loops: Vec<Looping>,
    name: Option<(Place, String)>,
}

/// A `foreverypart` under way: indexes of parts.
#[derive(Debug, Clone, Copy)]
struct Looping {
    current: usize,
    next: usize,
    end: usize,
}

/// Where to go on.
enum Flow {
    Next,
    To(usize),
    Ask(Question),
    /// A frame was begun or ended: its own place says where.
    Stay,
}

impl Run {
    /// A run of one script.
    pub fn new(program: &Program, facts: Facts, limits: Limits) -> Self {
        let frame = Frame::new(program.clone(), None);
        Self {
            letter: Letter::new(Arc::clone(&facts.message)),
            facts,
            limits,
            frames: vec![frame],
            truth: false,
            answered: None,
            globals: BTreeMap::new(),
            included: BTreeSet::new(),
            includes: 0,
            actions: Vec::new(),
            is_implicit: true,
            flags: None,
            seen: Vec::new(),
            work: 0,
            blocks: Vec::new(),
        }
    }

    /// The run of a script that follows another: the house's before the account's, and the like. Only where the message is still
    /// kept ([`Outcome::is_kept`]) does a script follow: it decides that anew. What was done before stays, and counts for the limits.
    pub fn after(program: &Program, facts: Facts, limits: Limits, before: Outcome) -> Self {
        let mut run = Self::new(program, facts, limits);
        if let Some(edited) = before.edited {
            run.letter = Letter::new(edited);
            run.letter.is_edited = true;
        }
        run.actions = before.actions;
        run.actions.retain(|action| !matches!(action.act, Acting::Keep { .. }));
        run.is_implicit = before.is_kept;
        run.flags = Some(before.flags);
        run.seen = before.seen;
        run.work = before.work;
        run
    }

    /// Goes on until something must be asked, or to the end. Behind the end it says the end again.
    pub fn step(&mut self) -> Step {
        loop {
            let Some((instructions, at)) = self.place() else { return Step::Done(Box::new(self.outcome())) };
            if at == 0
                && let Some(capability) = self.inapplicable(&instructions)
            {
                let why = Why::Inapplicable(capability.as_str());
                return Step::Done(Box::new(self.failed(Failure { at: Position { line: 1, column: 1 }, why })));
            }
            let Some(instruction) = instructions.list.get(at) else {
                self.leave_script();
                continue;
            };
            match self.charge(32).and_then(|()| self.execute(&instruction.op, instruction.at)) {
                Ok(Flow::Next) => self.go(at + 1),
                Ok(Flow::To(to)) => self.go(to),
                Ok(Flow::Stay) => {}
                Ok(Flow::Ask(question)) => return Step::Ask(question),
                Err(why) => return Step::Done(Box::new(self.failed(Failure { at: instruction.at, why }))),
            }
        }
    }

    /// Answers the question that [`Run::step`] gave last.
    pub fn answer(&mut self, answer: Answer) {
        self.answered = Some(answer);
    }

    /// Runs to the end with answers that are known at once.
    pub fn finish(mut self, answer: &mut dyn FnMut(&Question) -> Answer) -> Outcome {
        loop {
            match self.step() {
                Step::Ask(question) => {
                    let answer = answer(&question);
                    self.answer(answer);
                }
                Step::Done(outcome) => return *outcome,
            }
        }
    }

    /// RFC 6785 §3.11: what a script may not even require where nobody waits for an answer.
    fn inapplicable(&self, instructions: &Instructions) -> Option<Capability> {
        let answers = [Capability::Reject, Capability::Ereject, Capability::Vacation];
        answers.into_iter().find(|answer| self.facts.is_at_imap && instructions.required.has(*answer))
    }

    fn place(&self) -> Option<(Arc<Instructions>, usize)> {
        self.frames.last().map(|frame| (Arc::clone(&frame.program.0), frame.at))
    }

    fn go(&mut self, to: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.at = to;
        }
    }

    fn leave_script(&mut self) {
        self.frames.pop();
    }

    /// Takes work off what is left.
    fn charge(&mut self, work: u64) -> Result<(), Why> {
        self.work = self.work.saturating_add(work);
        if self.work > self.limits.work { Err(Why::Work) } else { Ok(()) }
    }

    fn execute(&mut self, op: &Op, at: Position) -> Result<Flow, Why> {
        match op {
            Op::Jump(to) => return Ok(Flow::To(*to)),
            Op::JumpIf(truth, to) if self.truth == *truth => return Ok(Flow::To(*to)),
            Op::JumpIf(..) => {}
            Op::Negate => self.truth = !self.truth,
            Op::Test(test) => match self.test(test)? {
                tests::Eval::Is(truth) => self.truth = truth,
                tests::Eval::Ask(question) => return Ok(Flow::Ask(question)),
            },
            Op::Act(act) => return self.act(act, at),
            Op::HostBlock { name, arguments, end } => return self.host_block(name, arguments, *end),
            Op::HostEnd => return Ok(self.host_end()),
            Op::Loop { end } => return Ok(self.begin_loop(*end)),
            Op::Next { start } => return Ok(self.next_part(*start)),
            Op::Break { loops, end } => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.loops.truncate(frame.loops.len().saturating_sub(loops + 1));
                }
                return Ok(Flow::To(*end));
            }
            Op::Include { place, name, once, optional } => return self.include(*place, name, *once, *optional),
            Op::Return => {
                self.leave_script();
                return Ok(Flow::Stay);
            }
            Op::Stop => {
                self.frames.clear();
                return Ok(Flow::Stay);
            }
        }
        Ok(Flow::Next)
    }

    /// RFC 5703 §3: all parts, or those below the part of the loop around this one.
    fn begin_loop(&mut self, end: usize) -> Flow {
        let outer = self.frames.last().and_then(|frame| frame.loops.last()).copied();
        let parts = self.letter.parts();
        let (first, last) = match outer {
            None => (0, parts.len()),
            Some(outer) => (outer.current + 1, parts.get(outer.current).map_or(0, |part| part.end)),
        };
        if first >= last {
            return Flow::To(end);
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.loops.push(Looping { current: first, next: first + 1, end: last });
        }
        Flow::Next
    }

    fn next_part(&mut self, start: usize) -> Flow {
        let Some(frame) = self.frames.last_mut() else { return Flow::Next };
        match frame.loops.last_mut() {
            Some(looping) if looping.next < looping.end => {
                looping.current = looping.next;
                looping.next += 1;
                Flow::To(start)
            }
            _ => {
                frame.loops.pop();
                Flow::Next
            }
        }
    }

    /// The part that the innermost loop is at.
    fn current_part(&self) -> Option<usize> {
        self.frames.last().and_then(|frame| frame.loops.last()).map(|looping| looping.current)
    }

    /// RFC 6609 §3.2.
    fn include(&mut self, place: Place, name: &str, once: bool, optional: bool) -> Result<Flow, Why> {
        let key = (place, name.to_owned());
        let Some(answer) = self.answered.take() else {
            if once && self.included.contains(&key) {
                return Ok(Flow::Next);
            }
            if self.frames.iter().any(|frame| frame.name.as_ref() == Some(&key)) {
                return Err(Why::Circular(name.to_owned()));
            }
            if self.includes >= self.limits.includes || self.frames.len() > self.limits.include_depth {
                return Err(Why::Includes);
            }
            return Ok(Flow::Ask(Question::Script { place, name: name.to_owned() }));
        };
        let Answer::Script(Some(program)) = answer else {
            return if optional { Ok(Flow::Next) } else { Err(Why::NotThere(name.to_owned())) };
        };
        self.includes += 1;
        self.included.insert(key.clone());
        if let Some(frame) = self.frames.last_mut() {
            frame.at += 1;
        }
        self.frames.push(Frame::new(program, Some(key)));
        Ok(Flow::Stay)
    }

    /// Fills in a string's variables.
    fn fill(&mut self, template: &Template) -> Result<String, Why> {
        if let Some(text) = template.constant() {
            return Ok(text.to_owned());
        }
        let mut text = String::new();
        for piece in &template.0 {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Matched(index) => text.push_str(self.matched(*index)),
                Piece::Variable(variable) => text.push_str(self.variable(variable)),
            }
            // A string made of long variables ends somewhere, too.
            if text.len() > limit::STRING_OCTETS {
                cut(&mut text, limit::STRING_OCTETS);
                break;
            }
        }
        self.charge(text.len() as u64)?;
        Ok(text)
    }

    fn fill_all(&mut self, templates: &[Template]) -> Result<Vec<String>, Why> {
        templates.iter().map(|template| self.fill(template)).collect()
    }

    fn fill_option(&mut self, template: Option<&Template>) -> Result<Option<String>, Why> {
        template.map(|template| self.fill(template)).transpose()
    }

    fn matched(&self, index: usize) -> &str {
        self.frames.last().and_then(|frame| frame.matched.get(index)).map_or("", String::as_str)
    }

    /// A variable that was never set is empty (RFC 5229 §3).
    fn variable(&self, variable: &Variable) -> &str {
        let map = if variable.is_global { Some(&self.globals) } else { self.frames.last().map(|frame| &frame.locals) };
        map.and_then(|map| map.get(&variable.name)).map_or("", String::as_str)
    }

    fn set_variable(&mut self, variable: &Variable, mut value: String) -> Result<(), Why> {
        cut(&mut value, limit::VALUE_OCTETS);
        let count = self.globals.len() + self.frames.iter().map(|frame| frame.locals.len()).sum::<usize>();
        let map = if variable.is_global {
            &mut self.globals
        } else {
            let Some(frame) = self.frames.last_mut() else { return Ok(()) };
            &mut frame.locals
        };
        if count >= limit::VARIABLES && !map.contains_key(&variable.name) {
            return Err(Why::TooMany("variables"));
        }
        map.insert(variable.name.clone(), value);
        Ok(())
    }

    /// Whether the script can use what a match found.
    fn has_variables(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.program.0.required.has(Capability::Variables))
    }

    /// Keeps what a match found (RFC 5229 §3.2).
    fn set_matched(&mut self, found: Vec<String>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.matched = found;
            for text in &mut frame.matched {
                cut(text, limit::VALUE_OCTETS);
            }
        }
    }

    fn flags(&self) -> &[String] {
        self.flags.as_deref().unwrap_or(&self.facts.flags)
    }

    /// What comes of it so far, as if the script ended here.
    fn outcome(&self) -> Outcome {
        let mut actions = self.actions.clone();
        if self.is_implicit {
            let act = Acting::Keep { flags: self.flags().to_vec(), is_explicit: false };
            actions.push(Action { act, edited: self.letter.edited(), at: Position::default() });
        }
        let kept = actions.iter().find_map(|action| match &action.act {
            Acting::Keep { flags, .. } => Some(flags.clone()),
            _ => None,
        });
        Outcome {
            is_kept: kept.is_some(),
            flags: kept.unwrap_or_else(|| self.flags().to_vec()),
            actions,
            seen: self.seen.clone(),
            failure: None,
            edited: self.letter.edited(),
            work: self.work,
        }
    }

    /// RFC 5228 §2.10.6: the message is kept as it came, and nothing else is done.
    fn failed(&self, failure: Failure) -> Outcome {
        let act = Acting::Keep { flags: self.facts.flags.clone(), is_explicit: false };
        Outcome {
            actions: vec![Action { act, edited: None, at: failure.at }],
            failure: Some(failure),
            flags: self.facts.flags.clone(),
            work: self.work,
            ..Outcome::default()
        }
    }
}

impl Frame {
    fn new(program: Program, name: Option<(Place, String)>) -> Self {
        Self { program, at: 0, locals: BTreeMap::new(), matched: Vec::new(), loops: Vec::new(), name }
    }
}

/// At most so many octets, at a character's end.
fn cut(text: &mut String, octets: usize) {
    if text.len() > octets {
        text.truncate(text.floor_char_boundary(octets));
    }
}

/// Arguments of the caller's own, filled in.
fn fill_host(run: &mut Run, arguments: &[program::HostArgument]) -> Result<Vec<HostArgument>, Why> {
    let mut filled = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let (texts, number) = match &argument.value {
            HostValue::None => (Vec::new(), None),
            HostValue::Number(number) => (Vec::new(), Some(*number)),
            HostValue::Strings(templates) => (run.fill_all(templates)?, None),
        };
        filled.push(HostArgument { tag: argument.tag, texts, number });
    }
    Ok(filled)
}
