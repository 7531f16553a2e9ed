//! The stage: mailboxes, a dummy SMTP server, settings, and the commands that look at them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use relais_message::{Structure, fields, header_octets, mailboxes, read_address_list};
use relais_model::{Address, MailboxName, Timestamp};
use relais_sieve::form::{Form, MATCH, Tag, Tests, Want};
use relais_sieve::{
    Acting, Action, Answer, Dialect, Envelope, Facts, HostArgument, Limits, Outcome, Place, Program, Question,
    Recipient, Redirection, Run, Step, redirect, vacation,
};

const fn valued(name: &'static str, want: Want) -> Tag {
    Tag { name, want: Some(want), needs: None, group: 0 }
}

const INDEX: &[Tag] = &[valued("index", Want::Number)];
const MESSAGE: &[Tag] = &[valued("folder", Want::String), Tag { name: "smtp", want: None, needs: None, group: 0 }];
const EXTENSION: &[Tag] = &[valued("extension", Want::String)];

const COMMANDS: &[Form] = &[
    Form { name: "test", wants: &[Want::String], has_block: true, ..Form::COMMAND },
    Form { name: "test_set", wants: &[Want::String, Want::String], ..Form::COMMAND },
    Form { name: "test_fail", wants: &[Want::String], ..Form::COMMAND },
    Form { name: "test_config_set", wants: &[Want::String, Want::String], ..Form::COMMAND },
    Form { name: "test_config_reload", tags: &[EXTENSION], ..Form::COMMAND },
    Form { name: "test_result_reset", ..Form::COMMAND },
    Form { name: "test_mailbox_create", wants: &[Want::String], ..Form::COMMAND },
    Form { name: "test_binary_save", wants: &[Want::String], ..Form::COMMAND },
    Form { name: "test_binary_load", wants: &[Want::String], ..Form::COMMAND },
    Form { name: "test_message", tags: &[MESSAGE], wants: &[Want::Number], ..Form::COMMAND },
];

const TESTS: &[Form] = &[
    Form { name: "test_script_compile", wants: &[Want::String], ..Form::TEST },
    Form { name: "test_script_run", ..Form::TEST },
    Form { name: "test_multiscript", wants: &[Want::Strings], ..Form::TEST },
    Form { name: "test_error", tags: &[MATCH, INDEX], wants: &[Want::Strings], ..Form::TEST },
    Form { name: "test_result_action", tags: &[MATCH, INDEX], wants: &[Want::Strings], ..Form::TEST },
    Form { name: "test_result_execute", ..Form::TEST },
    Form { name: "test_message", tags: &[MESSAGE], wants: &[Want::Number], tests: Tests::None, ..Form::TEST },
];

fn dialect() -> Dialect {
    Dialect { commands: COMMANDS, tests: TESTS, names: &["vnd.dovecot.testsuite"], ..Dialect::default() }
}

struct Stored {
    raw: Arc<[u8]>,
    flags: Vec<String>,
}

struct Sent {
    from: String,
    to: String,
    raw: Vec<u8>,
}

struct Player {
    folder: PathBuf,
    settings: BTreeMap<String, String>,
    mailboxes: BTreeMap<String, Vec<Stored>>,
    sent: Vec<Sent>,
    errors: Vec<String>,
    program: Option<Program>,
    /// Of the script that was run last; none: the test's own commands count.
    outcome: Option<Outcome>,
    test: Option<String>,
    results: Vec<(String, Result<(), String>)>,
}

/// Each test of a file, and what was wrong.
pub(super) fn play(file: &Path) -> Vec<(String, Result<(), String>)> {
    let folder = file.parent().unwrap().to_owned();
    let text = std::fs::read_to_string(file).unwrap().replace("${tst.path}", &folder.display().to_string());
    let program = match Program::compile(&text, &dialect()) {
        Ok(program) => program,
        Err(faults) => {
            let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
            return vec![("compiles".to_owned(), Err(told.join("; ")))];
        }
    };
    let mut player = Player {
        folder,
        settings: BTreeMap::new(),
        mailboxes: BTreeMap::from([("INBOX".to_owned(), Vec::new())]),
        sent: Vec::new(),
        errors: Vec::new(),
        program: None,
        outcome: None,
        test: None,
        results: Vec::new(),
    };
    let facts = Player::facts("From: sender@example.com\r\nTo: recipient@example.com\r\n\r\nFrop!\r\n");
    let mut run = Run::new(&program, facts, Limits::default());
    loop {
        match run.step() {
            Step::Ask(question) => {
                let answer = player.answer(&mut run, &question);
                run.answer(answer);
            }
            Step::Done(outcome) => {
                let Some(failure) = outcome.failure else { break };
                player.fail(&failure.why.to_string());
                player.end_test();
                if !run.leave_block() {
                    break;
                }
            }
        }
    }
    player.results
}

impl Player {
    /// A message, and the envelope that Pigeonhole takes from it.
    fn facts(message: &str) -> Facts {
        let message: Arc<[u8]> = message.as_bytes().into();
        let first = |name: &str| {
            let field = fields(&message).find(|field| field.is(name))?;
            mailboxes(&read_address_list(&field.unfolded())).next()?.to_address().map(|address| address.to_string())
        };
        Facts {
            envelope: Envelope {
                from: first("From").unwrap_or_else(|| "sender@example.com".to_owned()),
                to: first("To").unwrap_or_else(|| "recipient@example.com".to_owned()),
                ..Envelope::default()
            },
            message,
            now: Timestamp::from_seconds(1_764_252_000),
            ..Facts::default()
        }
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn limits(&self) -> Limits {
        let number = |name: &str, or: usize| self.setting(name).and_then(|text| text.parse().ok()).unwrap_or(or);
        let usual = Limits::default();
        Limits {
            includes: number("sieve_include_max_includes", usual.includes),
            include_depth: number("sieve_include_max_nesting_depth", usual.include_depth),
            ..usual
        }
    }

    fn fail(&mut self, why: &str) {
        let test = self.test.clone().unwrap_or_else(|| "outside".to_owned());
        self.results.push((test, Err(why.to_owned())));
        self.test = None;
    }

    fn end_test(&mut self) {
        if let Some(test) = self.test.take() {
            self.results.push((test, Ok(())));
        }
    }

    fn load(&self, place: Place, name: &str) -> Option<String> {
        let folder = if place == Place::Personal { "included" } else { "included-global" };
        std::fs::read_to_string(self.folder.join(folder).join(format!("{name}.sieve"))).ok()
    }

    fn answer(&mut self, run: &mut Run, question: &Question) -> Answer {
        match question {
            Question::Script { place, name } => {
                let program = self.load(*place, name).and_then(|text| Program::compile(&text, &dialect()).ok());
                Answer::Script(program)
            }
            Question::MailboxesExist(names) => {
                Answer::Is(names.iter().all(|name| self.mailboxes.contains_key(name.as_str())))
            }
            Question::Host { is_end: true, .. } => {
                self.end_test();
                Answer::Is(true)
            }
            Question::Host { name, arguments, .. } => self.command(run, name, arguments),
            _ => Answer::Is(false),
        }
    }

    fn command(&mut self, run: &mut Run, name: &str, arguments: &[HostArgument]) -> Answer {
        let text = |index: usize| {
            let positional = arguments.iter().filter(|argument| argument.tag.is_none());
            positional
                .map(|argument| argument.texts.first().cloned().unwrap_or_default())
                .nth(index)
                .unwrap_or_default()
        };
        match name {
            "test" => {
                self.test = Some(text(0));
                self.errors.clear();
            }
            "test_fail" => {
                self.fail(&text(0));
                return Answer::Leave;
            }
            "test_set" => self.set(run, &text(0), &text(1)),
            "test_config_set" => {
                self.settings.insert(text(0), text(1));
            }
            "test_result_reset" => {
                run.reset();
                self.outcome = None;
                self.sent.clear();
            }
            "test_mailbox_create" => {
                self.mailboxes.entry(text(0)).or_default();
            }
            "test_message" => {
                let is_there = self.take_message(run, arguments);
                if !is_there && self.test.is_none() {
                    self.fail("no such message");
                }
                return Answer::Is(is_there);
            }
            "test_script_compile" => return Answer::Is(self.compile(&text(0))),
            "test_script_run" => {
                let Some(program) = self.program.clone() else { return Answer::Is(false) };
                let script = Run::new(&program, run.facts().clone(), self.limits());
                return Answer::Is(self.run(script));
            }
            "test_multiscript" => return Answer::Is(self.multiscript(run, &arguments[0].texts)),
            "test_error" => return Answer::Texts(chosen(&self.errors, arguments)),
            "test_result_action" => {
                let outcome = self.outcome.clone().unwrap_or_else(|| run.so_far());
                let word = |action: &Action| {
                    let name = action.act.name();
                    if name == "fileinto" { "store" } else { name }.to_owned()
                };
                let words: Vec<_> = outcome.actions.iter().map(word).collect();
                return Answer::Texts(chosen(&words, arguments));
            }
            "test_result_execute" => {
                let outcome = self.outcome.clone().unwrap_or_else(|| run.so_far());
                return Answer::Is(self.execute(run.facts(), &outcome));
            }
            _ => {}
        }
        Answer::Is(true)
    }

    fn set(&mut self, run: &mut Run, name: &str, value: &str) {
        match name {
            "message" => {
                let facts = Self::facts(value);
                run.set_message(Arc::clone(&facts.message));
                *run.facts_mut() = facts;
            }
            "envelope.from" => value.clone_into(&mut run.facts_mut().envelope.from),
            "envelope.to" => value.clone_into(&mut run.facts_mut().envelope.to),
            "envelope.orig_to" => run.facts_mut().envelope.original_to = Some(value.to_owned()),
            "envelope.auth" => run.facts_mut().envelope.auth = Some(value.to_owned()),
            other => self.fail(&format!("test_set {other}")),
        }
    }

    fn take_message(&self, run: &mut Run, arguments: &[HostArgument]) -> bool {
        let index = arguments.iter().find_map(|argument| argument.number).unwrap_or(0);
        let index = usize::try_from(index).unwrap();
        if let Some(folder) = arguments.iter().find(|argument| argument.tag == Some("folder")) {
            let Some(stored) = self.mailboxes.get(&folder.texts[0]).and_then(|box_| box_.get(index)) else {
                return false;
            };
            run.set_message(Arc::clone(&stored.raw));
            run.facts_mut().flags.clone_from(&stored.flags);
        } else {
            let Some(sent) = self.sent.get(index) else { return false };
            run.set_message(sent.raw.as_slice().into());
            run.facts_mut().envelope.from.clone_from(&sent.from);
            run.facts_mut().envelope.to.clone_from(&sent.to);
        }
        true
    }

    fn compile(&mut self, name: &str) -> bool {
        self.outcome = None;
        self.errors.clear();
        let Ok(text) = std::fs::read(self.folder.join(name)) else {
            // A test of scripts that aren't part of the suite is none.
            self.test = None;
            return true;
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        let limits = self.limits();
        let compiled = Program::compile_all(&text, &dialect(), limits, &mut |place, name| self.load(place, name));
        match compiled {
            Ok(program) => {
                self.program = Some(program);
                true
            }
            Err(faults) => {
                self.errors = faults.iter().map(|(_, fault)| fault.to_string()).collect();
                // Pigeonhole counts the line that sums up, too.
                self.errors.push("the script has faults".to_owned());
                self.program = None;
                false
            }
        }
    }

    /// Runs a script to its end.
    fn run(&mut self, mut script: Run) -> bool {
        self.errors.clear();
        let outcome = loop {
            match script.step() {
                Step::Ask(question) => {
                    let answer = self.answer(&mut script, &question);
                    script.answer(answer);
                }
                Step::Done(outcome) => break *outcome,
            }
        };
        let failure = outcome.failure.clone();
        self.errors.extend(failure.iter().map(|failure| failure.why.to_string()));
        self.outcome = Some(outcome);
        failure.is_none()
    }

    fn multiscript(&mut self, run: &Run, names: &[String]) -> bool {
        let facts = run.facts().clone();
        let mut before: Option<Outcome> = None;
        for name in names {
            if !self.compile(name) {
                return false;
            }
            let program = self.program.clone().unwrap();
            let script = match before.take() {
                None => Run::new(&program, facts.clone(), self.limits()),
                Some(before) => Run::after(&program, facts.clone(), self.limits(), before),
            };
            if !self.run(script) {
                return false;
            }
            let outcome = self.outcome.clone().unwrap();
            let goes_on = outcome.is_kept;
            before = Some(outcome);
            if !goes_on {
                break;
            }
        }
        let outcome = before.take().unwrap_or_default();
        self.execute(&facts, &outcome)
    }

    fn execute(&mut self, facts: &Facts, outcome: &Outcome) -> bool {
        self.errors.clear();
        for action in &outcome.actions {
            let raw = action.edited.clone().unwrap_or_else(|| Arc::clone(&facts.message));
            match &action.act {
                Acting::Keep { flags, .. } => self.store(&MailboxName::inbox(), true, raw, flags),
                Acting::FileInto(filing) => self.store(&filing.mailbox, filing.create, raw, &filing.flags),
                Acting::Redirect(redirection) => self.redirect(facts, redirection, &raw),
                Acting::Reject { reason, .. } => {
                    let to = facts.envelope.from.trim_matches(['<', '>']).to_owned();
                    if !to.is_empty() {
                        let raw = format!("From: Postmaster <postmaster@example.com>\r\nTo: <{to}>\r\n\r\n{reason}");
                        self.sent.push(Sent { from: String::new(), to, raw: raw.into_bytes() });
                    }
                }
                Acting::Vacation(asked) => self.vacation(facts, asked),
                Acting::Notify(_) => {}
            }
        }
        self.errors.is_empty()
    }

    /// Dovecot notes at storing whether there is an attachment.
    fn store(&mut self, mailbox: &MailboxName, create: bool, raw: Arc<[u8]>, flags: &[String]) {
        let mut flags = flags.to_vec();
        let has_attachment = !Structure::read(&raw).root.children().is_empty();
        flags.push(if has_attachment { "$HasAttachment" } else { "$HasNoAttachment" }.to_owned());
        // On Pigeonhole's stage levels are parted by dots.
        let name = match mailbox.as_str().split_at_checked(6) {
            Some((first, rest)) if first.eq_ignore_ascii_case("INBOX.") => format!("INBOX.{rest}"),
            _ => mailbox.as_str().to_owned(),
        };
        match self.mailboxes.get_mut(&name) {
            Some(stored) => stored.push(Stored { raw, flags }),
            None if create => {
                self.mailboxes.insert(name, vec![Stored { raw, flags }]);
            }
            None => self.errors.push(format!("failed to store into mailbox '{mailbox}': it doesn't exist")),
        }
    }

    fn redirect(&mut self, facts: &Facts, redirection: &Redirection, raw: &[u8]) {
        let Recipient::Address(to) = &redirection.to else { return };
        let recipient = Address::parse(facts.envelope.to.trim_matches(['<', '>'])).unwrap();
        let user = self.setting("sieve_user_email").map(|text| Address::parse(text).unwrap());
        let mut own = vec![recipient.clone()];
        own.extend(user.clone());
        if redirect::has_passed(&raw[..header_octets(raw)], &own) {
            return;
        }
        let from = match (facts.envelope.from.trim_matches(['<', '>']), self.setting("sieve_redirect_envelope_from")) {
            ("", _) => String::new(),
            (from, None | Some("sender")) => from.to_owned(),
            (_, Some("recipient")) => recipient.to_string(),
            (from, Some("orig_recipient")) => facts.envelope.original_to.clone().unwrap_or_else(|| from.to_owned()),
            (_, Some("user_email")) => user.clone().unwrap_or_else(|| recipient.clone()).to_string(),
            (_, Some(explicit)) => explicit.trim_matches(['<', '>']).to_owned(),
        };
        let mut marked = redirect::mark(&user.unwrap_or(recipient)).into_bytes();
        marked.extend_from_slice(raw);
        self.sent.push(Sent { from, to: to.to_string(), raw: marked });
    }

    fn vacation(&mut self, facts: &Facts, asked: &vacation::Vacation) {
        let is_on = |name: &str| self.setting(name).is_some_and(|value| value == "yes");
        let user: Vec<_> =
            self.setting("sieve_user_email").map(|text| Address::parse(text).unwrap()).into_iter().collect();
        let template = self.setting("sieve_vacation_default_subject_template").unwrap_or("Auto: %{subject}");
        let house = vacation::House {
            addresses: &user,
            prefix: template.trim_end_matches("%{subject}"),
            subject: self.setting("sieve_vacation_default_subject").unwrap_or("Automated reply"),
            message_id: "<1@example.com>",
            answers_all: self.setting("sieve_vacation_check_recipient") == Some("no"),
            knows_original: is_on("sieve_vacation_use_original_recipient"),
            trusts_header: is_on("sieve_vacation_to_header_ignore_envelope"),
        };
        if let Ok(reply) = asked.reply(facts, &house) {
            let from =
                if is_on("sieve_vacation_send_from_recipient") { facts.envelope.to.clone() } else { String::new() };
            self.sent.push(Sent { from, to: reply.to, raw: reply.message });
        }
    }
}

/// All values, or the one that `:index` names.
fn chosen(values: &[String], arguments: &[HostArgument]) -> Vec<String> {
    let index = arguments.iter().find(|argument| argument.tag == Some("index")).and_then(|argument| argument.number);
    match index {
        Some(index) => values.get(usize::try_from(index).unwrap() - 1).cloned().into_iter().collect(),
        None => values.to_vec(),
    }
}
