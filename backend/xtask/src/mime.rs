//! What clients hear of odd messages: each of a suite is appended to relais and to Debian's Dovecot, and what the two say of it is
//! compared: ENVELOPE, BODYSTRUCTURE, and every part with its header. Where they differ on purpose, docs/mime-differences.md says why.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use relais_testkit::imap::Client;
use relais_testkit::imaptest::value::{self, Line, Value};
use relais_testkit::server::{Program, Server};

use crate::tally::Tally;

/// As the files that are messages end.
const MESSAGES: [&str; 4] = ["eml", "msg", "raw", "txt"];
/// Parts below this depth are not asked for.
const DEPTH: usize = 8;
/// Of what differs so much is shown.
const SHOWN_OCTETS: usize = 400;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only messages whose path contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Show both sides of each difference
    #[arg(long)]
    show: bool,
}

/// How many of one kind were the same.
#[derive(Default)]
struct Count {
    same: u32,
    all: u32,
}

/// Plays the suite; a difference is told, and none is a failure.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    let Some(folder) = crate::suite("mime") else { return Ok(Tally::skip()) };
    let ours = Server::start(&Program::built()?, &[])?;
    let theirs = Server::start(&Program::Reference, &[])?;
    let mut sides = [Side::open(&ours)?, Side::open(&theirs)?];
    let mut counts: [Count; 3] = Default::default();
    for file in messages(&folder)? {
        let name = file.strip_prefix(&folder)?.display().to_string();
        if name.contains(&arguments.only) {
            compare(&name, &fs::read(&file)?, &mut sides, &mut counts, arguments.show)?;
        }
    }
    for (count, kind) in counts.iter().zip(["ENVELOPE", "BODYSTRUCTURE", "sections"]) {
        println!("{kind}: {} of {} the same", count.same, count.all);
    }
    Ok(Tally::of(counts[0].all > 0))
}

/// One of the two, with a session that has the suite's mailbox open.
struct Side<'a> {
    server: &'a Server,
    client: Client,
}

impl<'a> Side<'a> {
    fn open(server: &'a Server) -> anyhow::Result<Self> {
        Ok(Self { server, client: open(server)? })
    }

    /// What is said of the message that came last. Dovecot hangs up where it finds a part's encoding broken half-way: that is an
    /// answer, too.
    fn ask(&mut self, items: &str) -> anyhow::Result<Vec<Value>> {
        if let Ok(values) = fetch(&mut self.client, items) {
            return Ok(values);
        }
        self.client = open(self.server)?;
        Ok(vec![Value::Atom(b"BYE".to_vec())])
    }
}

fn open(server: &Server) -> anyhow::Result<Client> {
    let (name, password) = server.facts().accounts.first().cloned().context("the server has no account")?;
    let mut client = Client::connect("127.0.0.1", server.port("imap"))?.start_tls(&server.trust()?)?;
    client.login(&name, &password)?;
    drop(client.command("CREATE suite")?);
    client.must("SELECT suite")?;
    Ok(client)
}

fn messages(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let is_message = path.extension().is_some_and(|end| MESSAGES.iter().any(|message| end == *message));
            if path.is_dir() {
                folders.push(path);
            } else if is_message {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn compare(
    name: &str,
    message: &[u8],
    sides: &mut [Side<'_>; 2],
    counts: &mut [Count; 3],
    show: bool,
) -> anyhow::Result<()> {
    let message = with_crlf(message);
    for side in sides.iter_mut() {
        let answer = side.client.append("suite", "", &message)?;
        if !answer.is_ok() {
            println!("{name}: APPEND: {}", answer.tagged);
            return Ok(());
        }
        side.client.must("NOOP")?;
    }
    let mut ask = |count: &mut Count, items: &str| -> anyhow::Result<Vec<Value>> {
        let [one, other] = sides;
        let (one, other) = (one.ask(items)?, other.ask(items)?);
        count.all += 1;
        count.same += u32::from(one == other);
        if one != other {
            println!("differs {name}: {items}");
            if show {
                println!("  relais  {}\n  dovecot {}", short(&one), short(&other));
            }
        }
        Ok(one)
    };
    ask(&mut counts[0], "ENVELOPE")?;
    let structure = ask(&mut counts[1], "BODYSTRUCTURE")?;
    let mut paths = Vec::new();
    if let [_, structure, ..] = structure.as_slice() {
        collect(structure, "", &mut paths);
    }
    for section in ["", "HEADER", "TEXT"] {
        ask(&mut counts[2], &format!("BODY.PEEK[{section}]"))?;
    }
    for path in paths {
        for items in [format!("BODY.PEEK[{path}]"), format!("BODY.PEEK[{path}.MIME]"), format!("BINARY.PEEK[{path}]")] {
            ask(&mut counts[2], &items)?;
        }
    }
    Ok(())
}

/// A refusal is an answer, too, but its words don't count.
fn fetch(client: &mut Client, items: &str) -> anyhow::Result<Vec<Value>> {
    let answer = client.command(format!("UID FETCH * ({items})"))?;
    if !answer.is_ok() {
        let word = answer.tagged.split_ascii_whitespace().take(2).collect::<Vec<_>>().join(" ");
        return Ok(vec![Value::Atom(word.into_bytes())]);
    }
    for response in &answer.untagged {
        if let Ok(values) = value::parse(response)
            && let [_, Value::Atom(word), Value::List(items), ..] = values.as_slice()
            && word.eq_ignore_ascii_case(b"FETCH")
        {
            let is_uid = |value: &Value| matches!(value, Value::Atom(atom) if atom.eq_ignore_ascii_case(b"UID"));
            let mut items = items.clone();
            if let Some(at) = items.iter().position(is_uid) {
                items.drain(at..at + 2);
            }
            return Ok(items);
        }
    }
    Ok(Vec::new())
}

/// The numbers of all parts in a BODYSTRUCTURE.
fn collect(part: &Value, path: &str, paths: &mut Vec<String>) {
    let Value::List(items) = part else { return };
    if path.split('.').count() > DEPTH {
        return;
    }
    let below = |number: usize| if path.is_empty() { number.to_string() } else { format!("{path}.{number}") };
    let parts = items.iter().take_while(|item| matches!(item, Value::List(_)));
    let mut is_multipart = false;
    for (at, inner) in parts.enumerate() {
        is_multipart = true;
        let path = below(at + 1);
        paths.push(path.clone());
        if is_multi(inner) || is_message(inner) {
            collect(inner, &path, paths);
        }
    }
    if is_multipart {
        return;
    }
    if path.is_empty() {
        paths.push("1".to_owned());
    }
    if let (true, Some(inner)) = (is_message(part), items.get(8)) {
        let path = if path.is_empty() { "1" } else { path };
        if is_multi(inner) {
            collect(inner, path, paths);
        } else {
            paths.push(format!("{path}.1"));
        }
    }
}

fn is_multi(part: &Value) -> bool {
    matches!(part, Value::List(items) if matches!(items.first(), Some(Value::List(_))))
}

fn is_message(part: &Value) -> bool {
    let Value::List(items) = part else { return false };
    let is = |at: usize, word: &[u8]| {
        items.get(at).and_then(Value::octets).is_some_and(|octets| octets.eq_ignore_ascii_case(word))
    };
    is(0, b"message") && is(1, b"rfc822")
}

fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(message.len());
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        whole.extend_from_slice(content.strip_suffix(b"\r").unwrap_or(content));
        if line.ends_with(b"\n") {
            whole.extend_from_slice(b"\r\n");
        }
    }
    whole
}

fn short(values: &[Value]) -> String {
    Line(values).to_string().chars().take(SHOWN_OCTETS).collect()
}
