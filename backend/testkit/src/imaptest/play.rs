//! Plays one script against a server.

use std::io;

use super::Outcome;
use super::mbox::Message;
use super::pattern::Bindings;
use super::script::{Command, Existence, Group, Messages, Script, State};
use super::value::{self, Line, Value};
use crate::imap::{Client, Response, quoted};

/// All mailboxes of a script have names that start so.
const MAILBOX: &str = "imaptest";

/// Whom to play against: a door in clear text where `LOGIN` is allowed, and an account for tests.
#[derive(Debug, Clone)]
pub struct Server {
    /// A host name or address.
    pub host: String,
    /// The port of IMAP.
    pub port: u16,
    /// The account's login name.
    pub user: String,
    /// Its password.
    pub password: String,
    /// TLS, where the server wants it before `LOGIN`.
    pub trust: Option<crate::wire::Trust>,
}

/// Plays `script`; the first thing that goes otherwise ends it.
pub(super) fn play(script: &Script, mail: &[Message], server: &Server) -> Outcome {
    let mut player = match Player::prepare(script, mail, server) {
        Ok(Ok(player)) => player,
        Ok(Err(missing)) => return Outcome::Skipped(missing),
        Err(error) => return Outcome::Failed(format!("before its first command: {error}")),
    };
    for group in &script.groups {
        if let Err(fault) = player.play_group(group) {
            let line = group.commands.first().map_or(0, |command| command.line);
            return Outcome::Failed(format!("line {line}: {fault}"));
        }
    }
    player.leave()
}

struct Player<'a> {
    script: &'a Script,
    connections: Vec<Connection>,
    bindings: Bindings,
    mail: std::iter::Cycle<std::slice::Iter<'a, Message>>,
}

struct Connection {
    client: Client,
    /// How many messages it was told of.
    count: usize,
}

impl<'a> Player<'a> {
    /// Brings server and connections into the state that the script starts from; or names the capability that is missing.
    fn prepare(script: &'a Script, mail: &'a [Message], server: &Server) -> io::Result<Result<Self, String>> {
        let mut first = open(script, server)?;
        if let Some(missing) = missing_capability(script, &mut first.client)? {
            drop(first.client.command("LOGOUT")?);
            return Ok(Err(missing));
        }
        let mut player =
            Self { script, connections: vec![first], bindings: bindings(server), mail: mail.iter().cycle() };
        if script.state >= State::Auth {
            player.remove_mailboxes()?;
        }
        if script.state >= State::Created {
            player.connections[0].client.must(format!("CREATE {MAILBOX}"))?;
        }
        if script.state >= State::Appended {
            let count = match script.messages {
                Messages::All => mail.len(),
                Messages::Count(count) => count,
            };
            for _ in 0..count {
                let command = player.append(MAILBOX.as_bytes(), b"");
                player.connections[0].client.must(command)?;
            }
        }
        while player.connections.len() < script.connections {
            player.connections.push(open(script, server)?);
        }
        if script.state == State::Selected {
            for connection in &mut player.connections {
                let answer = connection.client.must(format!("SELECT {MAILBOX}"))?;
                for response in answer.untagged {
                    connection.note(&value::parse(&response).unwrap_or_default());
                }
            }
        }
        Ok(Ok(player))
    }

    fn remove_mailboxes(&mut self) -> io::Result<()> {
        let client = &mut self.connections[0].client;
        for (list, remove) in [("LIST", "DELETE"), ("LSUB", "UNSUBSCRIBE")] {
            let listed = client.must(format!("{list} \"\" {MAILBOX}*"))?;
            let mut names: Vec<String> = listed.untagged.iter().filter_map(|response| listed_name(response)).collect();
            names.sort();
            for name in names.iter().rev() {
                // A name that can't be selected may not be removable either.
                drop(client.command(format!("{remove} {}", quoted(name)))?);
            }
        }
        Ok(())
    }

    fn play_group(&mut self, group: &Group) -> Result<(), String> {
        self.bindings.start_group(self.connections[group.connection].count);
        let mut pending = Vec::new();
        for command in &group.commands {
            let text = self.complete(self.bindings.fill(&command.text)?);
            let client = &mut self.connections[group.connection].client;
            let tag = client.take_tag();
            client.send(&tag, &text).map_err(|error| format!("{error} while sending"))?;
            pending.push((tag, command));
        }
        self.bindings.set("tag", pending[0].0.as_str());
        let mut found = vec![false; group.expected.len()];
        let mut seen = Vec::new();
        while !pending.is_empty() {
            let client = &mut self.connections[group.connection].client;
            let response = client.next(&pending[0].0).map_err(|error| format!("{error}; {}", Seen(&seen)))?;
            match response {
                Response::Untagged(line) => {
                    let values = value::parse(&line).map_err(|fault| format!("{fault}: {}", line.escape_ascii()))?;
                    self.take_untagged(group, &values, &mut found)?;
                    seen.push(Line(&values).to_string());
                }
                Response::Tagged(text) => self.take_tagged(&text, pending.remove(0).1)?,
                Response::Other(text) => {
                    let (tag, rest) = text.split_once(' ').unwrap_or((&text, ""));
                    let at =
                        pending.iter().position(|(pending, _)| pending == tag).ok_or(format!("unasked: {text}"))?;
                    self.take_tagged(rest, pending.remove(at).1)?;
                }
            }
        }
        let missing =
            group.expected.iter().zip(found).find(|(expected, found)| expected.existence == Existence::Must && !found);
        match missing {
            None => Ok(()),
            Some((expected, _)) => Err(format!("missing: {}; {}", Line(&expected.values), Seen(&seen))),
        }
    }

    /// An APPEND without a message gets the next of the mbox file, with its date.
    fn complete(&mut self, command: Vec<u8>) -> Vec<u8> {
        let is_append = command.get(..6).is_some_and(|verb| verb.eq_ignore_ascii_case(b"append"));
        let is_complete = command.windows(3).any(|octets| octets == b"}\r\n");
        match command.get(6..) {
            Some([]) if is_append => self.append(MAILBOX.as_bytes(), b""),
            Some([b' ', rest @ ..]) if is_append && !is_complete => {
                let space = rest.iter().position(|&octet| octet == b' ').unwrap_or(rest.len());
                self.append(&rest[..space], &rest[space..])
            }
            _ => command,
        }
    }

    fn append(&mut self, mailbox: &[u8], flags: &[u8]) -> Vec<u8> {
        let message = self.mail.next().cloned().unwrap_or(Message { octets: Vec::new(), internal_date: String::new() });
        let tail = format!(" {} {{{}}}\r\n", message.internal_date, message.octets.len());
        [b"APPEND ", mailbox, flags, tail.as_bytes(), &message.octets].concat()
    }

    fn take_untagged(&mut self, group: &Group, values: &[Value], found: &mut [bool]) -> Result<(), String> {
        let word = values.first().and_then(Value::atom).unwrap_or_default().to_ascii_lowercase();
        // These go on with text for a person.
        let is_prefix = matches!(word.as_str(), "ok" | "no" | "bad" | "bye");
        let mut is_expected = false;
        for (expected, found) in group.expected.iter().zip(found) {
            if *found || !self.bindings.matches(&expected.values, values, is_prefix) {
                continue;
            }
            if expected.existence == Existence::MustNot {
                return Err(format!("must not come: {}", Line(values)));
            }
            (*found, is_expected) = (true, true);
        }
        let is_last = group.commands.iter().any(|command| command.text.eq_ignore_ascii_case(b"logout"));
        if !is_expected && !self.script.ignores_extra && !is_last {
            return Err(format!("nobody asked for: {}", Line(values)));
        }
        if let Some(expunged) = self.connections[group.connection].note(values) {
            self.bindings.expunge(expunged);
        }
        Ok(())
    }

    fn take_tagged(&mut self, text: &str, command: &Command) -> Result<(), String> {
        let values = value::parse(text.as_bytes())?;
        let expected = command.ends.as_deref().unwrap_or_default();
        if self.bindings.matches(expected, &values, true) {
            return Ok(());
        }
        Err(format!("{}: expected {}, came {text}", command.text.escape_ascii(), Line(expected)))
    }

    fn leave(mut self) -> Outcome {
        // A script may have logged out by itself.
        for connection in &mut self.connections {
            drop(connection.client.command("LOGOUT"));
        }
        Outcome::Passed
    }
}

impl Connection {
    /// Notes what a response says of the mailbox's size; gives the number of a message that went.
    fn note(&mut self, values: &[Value]) -> Option<usize> {
        let [number, word, ..] = values else { return None };
        let number = number.atom()?.parse().ok()?;
        match word.atom()?.to_ascii_lowercase().as_str() {
            "exists" => self.count = number,
            "expunge" => {
                self.count = self.count.saturating_sub(1);
                return Some(number);
            }
            _ => {}
        }
        None
    }
}

fn open(script: &Script, server: &Server) -> io::Result<Connection> {
    let mut client = Client::connect(&server.host, server.port)?;
    if let Some(trust) = &server.trust {
        client = client.start_tls(trust)?;
    }
    if script.state > State::NonAuth {
        client.login(&server.user, &server.password)?;
    }
    Ok(Connection { client, count: 0 })
}

fn missing_capability(script: &Script, client: &mut Client) -> io::Result<Option<String>> {
    if script.needs_second_account {
        return Ok(Some("a second account".to_owned()));
    }
    let answer = client.must("CAPABILITY")?;
    let offered = answer.texts().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
    let is_missing = |wanted: &&String| !offered.split(' ').any(|word| word == wanted.to_ascii_uppercase());
    Ok(script.capabilities.iter().find(is_missing).cloned())
}

fn bindings(server: &Server) -> Bindings {
    let mut bindings = Bindings::default();
    let (local_part, domain) = server.user.split_once('@').unwrap_or((&server.user, &server.host));
    bindings.set("mailbox", MAILBOX);
    bindings.set("mailbox_url", MAILBOX);
    bindings.set("user", server.user.as_str());
    bindings.set("username", local_part);
    bindings.set("domain", domain);
    bindings.set("password", server.password.as_str());
    bindings
}

/// The name in `LIST (…) "/" name` and in LSUB's.
fn listed_name(response: &[u8]) -> Option<String> {
    let values = value::parse(response).ok()?;
    let [_, Value::List(_), _, name, ..] = values.as_slice() else { return None };
    Some(String::from_utf8_lossy(name.octets()?).into_owned())
}

/// What came, for a person.
struct Seen<'a>(&'a [String]);

impl std::fmt::Display for Seen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { f.write_str("nothing came") } else { write!(f, "came: {}", self.0.join(" | ")) }
    }
}
