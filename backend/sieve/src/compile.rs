//! From a tree to a program: everything that can be known before a message comes is checked here.

mod acts;
mod tests;
mod values;

pub(crate) use acts::is_script_name;
pub(crate) use tests::is_address_field;
pub(crate) use values::{address, flag, is_field_name, mailbox_name};

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::capability::{Capabilities, Capability};
use crate::fault::{Fault, Faults, Position, Problem};
use crate::form::{self, Form, Tag, Tests, Want};
use crate::limit;
use crate::program::{Act, HostArgument, HostValue, Instruction, Instructions, Op, Program};
use crate::syntax::{self, Argument, Node, Value};

/// What may be used: the extensions that the owner allows, and commands of the caller's own.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Extensions that a script may require.
    pub capabilities: Capabilities,
    /// Commands besides [`form::COMMANDS`]; they need no `require`. The run asks the caller for each ([`crate::Question::Host`]).
    pub commands: &'static [Form],
    /// Tests besides [`form::TESTS`].
    pub tests: &'static [Form],
    /// Names that `require` takes besides, for what the two above are.
    pub names: &'static [&'static str],
}

impl Default for Dialect {
    fn default() -> Self {
        Self { capabilities: Capabilities::all(), commands: &[], tests: &[], names: &[] }
    }
}

impl Program {
    /// Checks a script.
    ///
    /// # Errors
    /// All faults that were found, in the order of their places.
    pub fn compile(text: &str, dialect: &Dialect) -> Result<Self, Vec<Fault>> {
        let (program, faults) = Self::check(text, dialect);
        if faults.is_empty() { Ok(program) } else { Err(faults) }
    }

    /// The same; and what could be understood of it, though it has faults: never to be run then.
    pub(crate) fn check(text: &str, dialect: &Dialect) -> (Self, Vec<Fault>) {
        let mut faults = Faults::default();
        let script = syntax::read(text, &mut faults);
        let mut compiler = Compiler {
            dialect,
            faults,
            list: Vec::new(),
            required: Capabilities::default(),
            includes: Vec::new(),
            globals: BTreeSet::new(),
            locals: BTreeSet::new(),
            loops: Vec::new(),
            weight: Cell::new(0),
            may_require: true,
        };
        compiler.block(&script.commands);
        let Compiler { faults, list, required, includes, .. } = compiler;
        let faults = faults.into_result(()).err().unwrap_or_default();
        (Self(Arc::new(Instructions { list, required, includes })), faults)
    }
}

/// The first fault of a command ends its check; its block is checked all the same.
type Checked<T> = Result<T, Fault>;

struct Compiler<'a> {
    dialect: &'a Dialect,
    faults: Faults,
    list: Vec<Instruction>,
    required: Capabilities,
    includes: Vec<crate::program::Included>,
    /// Variables that `global` named.
    globals: BTreeSet<String>,
    /// Those that were set before.
    locals: BTreeSet<String>,
    loops: Vec<LoopScope>,
    /// What the regular expressions weigh.
    weight: Cell<usize>,
    may_require: bool,
}

/// A `foreverypart` around the present place.
struct LoopScope {
    name: Option<String>,
    /// The jumps out of it, whose aim isn't known yet.
    breaks: Vec<usize>,
}

/// A node whose arguments were told apart by its form.
struct Bound<'n> {
    node: &'n Node,
    form: &'static Form,
    tags: Vec<(&'static Tag, Option<&'n Argument>)>,
    /// As many as the form has wants; the optional ones may be none.
    positional: Vec<Option<&'n Argument>>,
}

const fn fault(at: Position, problem: Problem) -> Fault {
    Fault { at, problem }
}

impl<'n> Bound<'n> {
    fn has(&self, tag: &str) -> bool {
        self.tags.iter().any(|(known, _)| known.name == tag)
    }

    fn argument(&self, tag: &str) -> Option<&'n Argument> {
        self.tags.iter().find(|(known, _)| known.name == tag).and_then(|(_, argument)| *argument)
    }

    fn at(&self, index: usize) -> Option<&'n Argument> {
        self.positional.get(index).copied().flatten()
    }
}

impl Compiler<'_> {
    fn emit(&mut self, at: Position, op: Op) -> usize {
        self.list.push(Instruction { at, op });
        self.list.len() - 1
    }

    /// Gives the jump at `from` the next instruction as its aim.
    fn land(&mut self, from: usize) {
        let here = self.list.len();
        if let Some(
            Op::Jump(aim)
            | Op::JumpIf(_, aim)
            | Op::Loop { end: aim, .. }
            | Op::Break { end: aim, .. }
            | Op::HostBlock { end: aim, .. },
        ) = self.list.get_mut(from).map(|instruction| &mut instruction.op)
        {
            *aim = here;
        }
    }

    fn block(&mut self, nodes: &[Node]) {
        let mut rest = nodes;
        while let Some((node, behind)) = rest.split_first() {
            rest = behind;
            let name = node.name.to_ascii_lowercase();
            if name != "require" {
                self.may_require = false;
            }
            if name == "if" {
                let is_more = |node: &&Node| ["elsif", "else"].iter().any(|word| node.name.eq_ignore_ascii_case(word));
                let more = rest.iter().take_while(is_more).count();
                let (chain, behind) = rest.split_at(more);
                rest = behind;
                self.conditional(node, chain);
            } else if let Err(fault) = self.command(node, &name) {
                self.faults.add(fault.at, fault.problem);
            }
        }
    }

    /// RFC 5228 §3.1.
    fn conditional(&mut self, first: &Node, more: &[Node]) {
        let mut ends = Vec::new();
        let mut is_over = false;
        for node in std::iter::once(first).chain(more) {
            let is_else = node.name.eq_ignore_ascii_case("else");
            let (start, known) = (self.list.len(), self.faults.len());
            let missing = self.missing_extension(&node.tests);
            if is_over {
                self.faults.add(node.at, Problem::NoIf(node.name.clone()));
            }
            is_over |= is_else;
            let next = match self.condition(node, is_else) {
                Ok(next) => next,
                Err(fault) => {
                    self.faults.add(fault.at, fault.problem);
                    None
                }
            };
            if let Some(block) = &node.block {
                self.block(block);
            }
            // RFC 5463 §4: what needs an extension that isn't here is no fault as long as it isn't come to.
            if let Some(name) = missing
                && self.faults.len() > known
            {
                self.faults.truncate(known);
                self.list.truncate(start);
                let next = self.list.len();
                self.emit(node.at, Op::Test(Box::new(crate::program::Test::IHave(false))));
                self.emit(node.at, Op::JumpIf(false, next));
                self.emit(node.at, Op::Act(Box::new(Act::Unavailable(name))));
                self.land(next + 1);
                continue;
            }
            ends.push(self.emit(node.at, Op::Jump(0)));
            if let Some(next) = next {
                self.land(next);
            }
        }
        for end in ends {
            self.land(end);
        }
    }

    /// The test of one branch; gives the jump that passes it over.
    fn condition(&mut self, node: &Node, is_else: bool) -> Checked<Option<usize>> {
        let form = form::COMMANDS.iter().find(|form| node.name.eq_ignore_ascii_case(form.name));
        let form = form.ok_or_else(|| fault(node.at, Problem::NoIf(node.name.clone())))?;
        self.bind(node, form)?;
        if is_else {
            return Ok(None);
        }
        let test = node.tests.first().ok_or_else(|| fault(node.at, missing(node, "a test")))?;
        self.test(test)?;
        Ok(Some(self.emit(node.at, Op::JumpIf(false, 0))))
    }

    /// The first extension that an `ihave` in these tests names and that isn't here; those that are, are required by it.
    fn missing_extension(&mut self, tests: &[Node]) -> Option<String> {
        if !self.required.has(Capability::IHave) {
            return None;
        }
        let mut missing = None;
        for test in tests {
            if test.name.eq_ignore_ascii_case("ihave") {
                for argument in &test.arguments {
                    for name in strings(argument) {
                        match self.offered(name) {
                            Some(capability) => self.require(capability),
                            None => missing = missing.or_else(|| Some(name.clone())),
                        }
                    }
                }
            }
            missing = missing.or_else(|| self.missing_extension(&test.tests));
        }
        missing
    }

    fn offered(&self, name: &str) -> Option<Capability> {
        Capability::parse(name).filter(|capability| self.dialect.capabilities.has(*capability))
    }

    fn require(&mut self, capability: Capability) {
        self.required = self.required.with(capability);
        if let Some(more) = capability.brings() {
            self.required = self.required.with(more);
        }
    }

    fn needs(&self, at: Position, what: &str, capability: Capability) -> Checked<()> {
        if self.required.has(capability) {
            return Ok(());
        }
        let (what, capability) = (what.to_owned(), capability.to_string());
        Err(fault(at, Problem::NeedsRequire { what, capability }))
    }

    /// Tells a node's arguments apart.
    fn bind<'n>(&self, node: &'n Node, form: &'static Form) -> Checked<Bound<'n>> {
        if let Some(capability) = form.needs.first()
            && !form.needs.iter().any(|needed| self.required.has(*needed))
        {
            self.needs(node.at, &node.name, *capability)?;
        }
        let mut tags: Vec<(&'static Tag, Option<&'n Argument>)> = Vec::new();
        let mut rest = Vec::new();
        let mut arguments = node.arguments.iter();
        while let Some(argument) = arguments.next() {
            let Value::Tag(name) = &argument.value else {
                rest.push(argument);
                continue;
            };
            let unknown = || Problem::UnknownTag { tag: name.clone(), command: node.name.clone() };
            let tag = form.tag(name).ok_or_else(|| fault(argument.at, unknown()))?;
            if let Some(capability) = tag.needs {
                self.needs(argument.at, &format!(":{name}"), capability)?;
            }
            let is_same_group = |other: &Tag| other.name == tag.name || (tag.group != 0 && other.group == tag.group);
            if let Some((other, _)) = tags.iter().find(|(other, _)| is_same_group(other)) {
                return Err(fault(argument.at, Problem::TagConflict(other.name.to_owned(), name.clone())));
            }
            let value = match tag.want {
                None => None,
                Some(want) => {
                    let wrong = || Problem::TagArgument { tag: name.clone(), wanted: want.describe() };
                    let value = arguments.next().filter(|value| fits(value, want));
                    Some(value.ok_or_else(|| fault(argument.at, wrong()))?)
                }
            };
            tags.push((tag, value));
        }
        let positional = position(node, form, &rest)?;
        let wants_tests = form.tests;
        let is_right = match (wants_tests, node.tests.len(), node.is_test_list) {
            (Tests::None, count, _) => count == 0,
            (Tests::One, count, is_list) => count == 1 && !is_list,
            (Tests::List, count, is_list) => count > 0 && is_list,
        };
        if !is_right {
            return Err(fault(
                node.at,
                match wants_tests {
                    Tests::None => Problem::Surplus(node.name.clone()),
                    Tests::One => missing(node, "one test behind it"),
                    Tests::List => missing(node, "tests in parentheses"),
                },
            ));
        }
        match (&node.block, form.has_block) {
            (None, true) => Err(fault(node.at, missing(node, "a block in `{ }`"))),
            (Some(_), false) => Err(fault(node.at, Problem::Expected { wanted: "`;`", found: "a block".to_owned() })),
            _ => Ok(Bound { node, form, tags, positional }),
        }
    }

    fn host_arguments(&self, bound: &Bound<'_>, is_match: bool) -> Checked<Vec<HostArgument>> {
        let mut arguments = Vec::new();
        for (tag, value) in &bound.tags {
            if !is_match || !form::MATCH.iter().any(|known| known.name == tag.name) {
                let value = value.map_or(Ok(HostValue::None), |value| self.host_value(value))?;
                arguments.push(HostArgument { tag: Some(tag.name), value });
            }
        }
        let count = bound.positional.len() - usize::from(is_match);
        for value in bound.positional.iter().take(count).flatten() {
            arguments.push(HostArgument { tag: None, value: self.host_value(value)? });
        }
        Ok(arguments)
    }

    fn host_value(&self, argument: &Argument) -> Checked<HostValue> {
        Ok(match &argument.value {
            Value::Number(number) => HostValue::Number(*number),
            _ => HostValue::Strings(self.templates(argument)?),
        })
    }
}

fn missing(node: &Node, wanted: &'static str) -> Problem {
    Problem::Missing { command: node.name.clone(), wanted }
}

fn fits(argument: &Argument, want: Want) -> bool {
    matches!(
        (&argument.value, want),
        (Value::Number(_), Want::Number)
            | (Value::String(_), Want::String | Want::Strings)
            | (Value::List(_), Want::Strings)
    )
}

/// Those that aren't tags, each against what the form wants in its place.
fn position<'n>(node: &Node, form: &'static Form, given: &[&'n Argument]) -> Checked<Vec<Option<&'n Argument>>> {
    let absent = form.wants.len().saturating_sub(given.len());
    if absent > form.optional {
        let wanted = form.wants.get(given.len()).map_or("an argument", |want| want.describe());
        return Err(fault(node.at, missing(node, wanted)));
    }
    if let Some(surplus) = given.get(form.wants.len()) {
        return Err(fault(surplus.at, Problem::Surplus(node.name.clone())));
    }
    let mut positional = vec![None; absent];
    for (argument, want) in given.iter().zip(form.wants.iter().skip(absent)) {
        if !fits(argument, *want) {
            let problem = Problem::WrongKind { command: node.name.clone(), wanted: want.describe() };
            return Err(fault(argument.at, problem));
        }
        positional.push(Some(*argument));
    }
    Ok(positional)
}

/// The strings of an argument: one, or a list's.
fn strings(argument: &Argument) -> &[String] {
    match &argument.value {
        Value::String(text) => std::slice::from_ref(text),
        Value::List(list) => list,
        Value::Tag(_) | Value::Number(_) => &[],
    }
}

/// The longest that can be waited or kept, in seconds: a century.
const MOST_SECONDS: u64 = 100 * 366 * 86_400;

fn seconds(argument: Option<&Argument>, unit: u64) -> Option<u64> {
    match argument?.value {
        Value::Number(number) => Some(number.saturating_mul(unit).min(MOST_SECONDS)),
        _ => None,
    }
}

/// Loops that may stand inside each other.
const fn is_too_deep(loops: usize) -> bool {
    loops >= limit::LOOPS
}
