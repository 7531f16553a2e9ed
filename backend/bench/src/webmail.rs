//! The webmail beside Debian's Roundcube: 100,000 messages in one mailbox, the same in both, read over HTTPS by one person and by twenty at
//! once. Each round all do the same: a list is opened, a message, a search shown.
//!
//! What a person waits for is counted: with Roundcube a list is a page and what its script asks for at once, with relais it is a page.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::browser::{Browser, at_once, between};
use crate::message::{RARE_IN_BODY, RARE_IN_SUBJECT, Writer};
use crate::process;
use crate::servers::{self, PASSWORD, Server, relais, roundcube};

/// Who has the mailbox, and sits before all the browsers.
const PERSON: usize = 0;
const READERS: usize = 20;
/// Octets of a message, about.
const OCTETS: usize = 3 * 1024;
/// Times that everybody does everything.
const ROUNDS: usize = 10;
/// What takes Roundcube seconds, it does so often: its search of texts, for it has no index of them, and all that twenty ask for at once.
const SLOW_ROUNDS: usize = 2;
/// Lines of a page, with both.
const LINES: usize = 50;

/// What is to be done.
pub(crate) struct Plan<'a> {
    pub(crate) program: &'a Path,
    pub(crate) state: &'a Path,
    pub(crate) messages: usize,
    pub(crate) with_peers: bool,
}

/// A server, and how its pages are asked for.
struct Site {
    server: Server,
    readers: Vec<Browser>,
    pages: Pages,
}

/// Where pages are.
enum Pages {
    /// A mailbox's own path.
    Relais(String),
    Roundcube,
}

/// What a person does.
#[derive(Clone, Copy)]
enum Act {
    List,
    Message,
    SearchSubject,
    SearchText,
}

impl Act {
    const ALL: [(Self, &'static str); 4] = [
        (Self::List, "list opened"),
        (Self::Message, "message opened"),
        (Self::SearchSubject, "search in subjects shown"),
        (Self::SearchText, "search in all text shown"),
    ];
}

/// What an act cost, in milliseconds.
struct Cost {
    middle: f64,
    end: f64,
    cpu: f64,
}

/// Fills, asks, and prints the table.
pub(crate) fn run(plan: &Plan<'_>) -> anyhow::Result<()> {
    let mut servers = vec![relais::start_with_web(plan.program, &plan.state.join("relais"))?];
    if plan.with_peers {
        servers.extend(roundcube::start(plan.state)?);
    } else {
        eprintln!("\nSKIPPED: Roundcube: --no-peers\n");
    }
    let maildir = servers.get(1).map(|_| plan.state.join("dovecot/mail/u0/Maildir"));
    set_up(plan)?;
    fill(&servers[0], maildir.as_deref(), plan)?;
    let mut sites = Vec::new();
    println!("\n| signed in, and a first list of {} messages | ms | CPU ms |\n|---|---:|---:|", plan.messages);
    for server in servers {
        sites.push(sign_in(server, plan)?);
    }
    for site in &sites {
        println!("{}", weigh(site)?);
    }
    for readers in [1, READERS] {
        println!("\n{}", table(&sites, plan, readers)?);
    }
    Ok(())
}

/// Makes an owner: before a house has one, none of its pages answers.
fn set_up(plan: &Plan<'_>) -> anyhow::Result<()> {
    let file = plan.state.join("relais/relais.toml");
    let output = Command::new(plan.program).arg("--config").arg(file).arg("setup-link").output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let link = said.split_whitespace().find(|word| word.starts_with("https://")).context("a link to set up by")?;
    let path = link.match_indices('/').nth(2).and_then(|(at, _)| link.get(at..)).context("the link's path")?;
    let browser = Browser::new(relais::ORIGIN, &plan.state.join("browsers"), READERS)?;
    let form = browser.get(path)?;
    let csrf = between(&form.text, "name=\"csrf\" value=\"", "\"").context("a form's token")?.to_owned();
    let fields = [
        ("csrf", csrf.as_str()),
        ("host_name", "mx.bench.test"),
        ("domain", "owner.test"),
        ("address", "owner@owner.test"),
        ("password", "nobody guesses this one"),
    ];
    let page = browser.post(path, &fields)?;
    ensure!(!page.path.ends_with(path), "not set up: {}", page.path);
    Ok(())
}

/// The same messages for both: appended here, as files there.
fn fill(server: &Server, maildir: Option<&Path>, plan: &Plan<'_>) -> anyhow::Result<()> {
    let messages = plan.messages;
    let started = Instant::now();
    let writer = Writer::new(OCTETS);
    let mut session = server.imap(PERSON)?;
    for part in maildir.into_iter().flat_map(|maildir| ["cur", "new", "tmp"].map(|part| maildir.join(part))) {
        fs::create_dir_all(part)?;
    }
    for first in (0..messages).step_by(100) {
        let numbers = first..(first + 100).min(messages);
        let batch: Vec<Vec<u8>> = numbers.clone().map(|number| writer.write(number, "u0@bench.test")).collect();
        session.append("INBOX", &batch)?;
        for (number, message) in numbers.zip(&batch).filter(|_| maildir.is_some()) {
            let name = format!("cur/{}.M{number}.bench:2,", 1_700_000_000 + number);
            fs::write(maildir.context("a Maildir")?.join(name), message)?;
        }
    }
    session.log_out()?;
    if let Some(home) = maildir.and_then(Path::parent) {
        let given = Command::new("chown").args(["-R", servers::peers::OWNER]).arg(home).status()?;
        ensure!(given.success(), "cannot give {} away", home.display());
    }
    println!("{messages} messages of {OCTETS} octets in {:.0?}", started.elapsed());
    // The search index is made beside the traffic; what it isn't told of is read, so nothing waits for it but these figures.
    let octets = |folder: PathBuf| -> u64 {
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
    };
    let mut known = 0;
    loop {
        std::thread::sleep(Duration::from_secs(10));
        let now = octets(plan.state.join("relais/data/index"));
        if now == known && now > 0 {
            break;
        }
        known = now;
        ensure!(started.elapsed() < Duration::from_mins(30), "the search index isn't made");
    }
    println!("index: {:.1} MB, done {:.0?} after the start", known as f64 / 1e6, started.elapsed());
    Ok(())
}

fn sign_in(server: Server, plan: &Plan<'_>) -> anyhow::Result<Site> {
    let address = Server::address(PERSON);
    let origin = if server.name() == servers::RELAIS { relais::ORIGIN } else { roundcube::ORIGIN };
    let mut readers = Vec::new();
    let mut place = String::new();
    for number in 0..READERS {
        let mut browser = Browser::new(origin, &plan.state.join("browsers"), number)?;
        let (started, before) = (Instant::now(), process::cpu_time(server.roots()));
        if server.name() == servers::RELAIS {
            let form = browser.get("/sign-in")?;
            let csrf = between(&form.text, "name=\"csrf\" value=\"", "\"").context("a form's token")?.to_owned();
            let fields = [("csrf", csrf.as_str()), ("name", &address), ("password", PASSWORD), ("next", "/mail")];
            let page = browser.post("/sign-in", &fields)?;
            let mailbox = between(&page.text, "id=\"bulk\" method=\"post\" action=\"/mail/", "/acts\"");
            place = format!("/mail/{}", mailbox.with_context(|| format!("not signed in: {}", page.path))?);
        } else {
            let form = browser.get("/?_task=login")?;
            let token = between(&form.text, "name=\"_token\" value=\"", "\"").context("a form's token")?.to_owned();
            let fields = [
                ("_token", token.as_str()),
                ("_task", "login"),
                ("_action", "login"),
                ("_timezone", "UTC"),
                ("_url", ""),
                ("_user", &address),
                ("_pass", PASSWORD),
            ];
            let page = browser.post("/?_task=login", &fields)?;
            let token = between(&page.text, "\"request_token\":\"", "\"").context("not signed in to Roundcube")?;
            browser.with_header(format!("X-Roundcube-Request: {token}"));
            at_once(std::slice::from_ref(&browser), |_| vec![roundcube_list(0)])?;
        }
        if number < 3 {
            let cpu = process::cpu_time(server.roots()).saturating_sub(before).as_secs_f64() * 1000.0;
            let millis = started.elapsed().as_secs_f64() * 1000.0;
            println!("| {}, person {} | {millis:.0} | {cpu:.0} |", server.name(), number + 1);
        }
        readers.push(browser);
    }
    let pages = if server.name() == servers::RELAIS { Pages::Relais(place) } else { Pages::Roundcube };
    Ok(Site { server, readers, pages })
}

fn roundcube_list(page: usize) -> String {
    format!("/?_task=mail&_action=list&_mbox=INBOX&_page={}&_remote=1&_unlock=loading1", page + 1)
}

impl Site {
    /// The requests of the `turn`th time that a reader does `act`.
    fn requests(&self, act: Act, turn: usize, messages: usize) -> Vec<String> {
        let pages = (messages / LINES).max(1);
        let (page, uid) = (turn * 7 % 40 % pages, messages - turn * 7919 % messages);
        match (&self.pages, act) {
            (Pages::Relais(place), Act::List) => vec![format!("{place}?offset={}", page * LINES)],
            (Pages::Relais(place), Act::Message) => vec![format!("{place}/{uid}")],
            (Pages::Relais(place), Act::SearchSubject) => vec![format!("{place}?q=subject:{RARE_IN_SUBJECT}")],
            (Pages::Relais(place), Act::SearchText) => vec![format!("{place}?q={RARE_IN_BODY}")],
            (Pages::Roundcube, Act::List) => vec!["/?_task=mail&_mbox=INBOX".to_owned(), roundcube_list(page)],
            (Pages::Roundcube, Act::Message) => {
                vec![format!("/?_task=mail&_action=preview&_uid={uid}&_mbox=INBOX&_framed=1")]
            }
            (Pages::Roundcube, Act::SearchSubject) => vec![roundcube_search("subject", RARE_IN_SUBJECT)],
            (Pages::Roundcube, Act::SearchText) => vec![roundcube_search("text", RARE_IN_BODY)],
        }
    }

    fn measure(&self, act: Act, readers: usize, messages: usize) -> anyhow::Result<Cost> {
        let is_slow = matches!(self.pages, Pages::Roundcube) && (matches!(act, Act::SearchText) || readers > 1);
        let rounds = if is_slow { SLOW_ROUNDS } else { ROUNDS };
        let each = self.requests(act, 0, messages).len();
        let before = process::cpu_time(self.server.roots());
        let visits = at_once(&self.readers[..readers], |reader| {
            (0..rounds).flat_map(|round| self.requests(act, 1 + reader * rounds + round, messages)).collect()
        })?;
        let cpu = process::cpu_time(self.server.roots()).saturating_sub(before);
        let mut millis: Vec<f64> =
            visits.chunks(each).map(|visits| visits.iter().map(|visit| visit.millis).sum()).collect();
        ensure!(millis.len() == readers * rounds, "{} of {} answers", millis.len(), readers * rounds);
        millis.sort_by(f64::total_cmp);
        let at = |hundredth: usize| millis[(millis.len() - 1) * hundredth / 100];
        Ok(Cost { middle: at(50), end: at(99), cpu: cpu.as_secs_f64() * 1000.0 / millis.len() as f64 })
    }
}

fn roundcube_search(field: &str, word: &str) -> String {
    format!(
        "/?_task=mail&_action=search&_q={word}&_headers={field}&_scope=base&_filter=ALL&_mbox=INBOX&_remote=1&_unlock=loading1"
    )
}

fn table(sites: &[Site], plan: &Plan<'_>, readers: usize) -> anyhow::Result<String> {
    let mut table = format!("| {readers} at once |");
    for site in sites {
        let _written = write!(table, " {}: median, ms | 99 %, ms | CPU ms |", site.server.name());
    }
    let _written =
        writeln!(table, " ratio of medians | of CPU |\n|---|{}---:|---:|", "---:|---:|---:|".repeat(sites.len()));
    for (act, words) in Act::ALL {
        let costs: Vec<Cost> =
            sites.iter().map(|site| site.measure(act, readers, plan.messages)).collect::<anyhow::Result<_>>()?;
        let _written = write!(table, "| {words} |");
        for cost in &costs {
            let _written = write!(table, " {:.1} | {:.1} | {:.1} |", cost.middle, cost.end, cost.cpu);
        }
        let ratio = |of: fn(&Cost) -> f64| match costs.as_slice() {
            [ours, theirs] => format!("{:.1}", of(theirs) / of(ours).max(0.01)),
            _ => "–".to_owned(),
        };
        let _written = writeln!(table, " {} | {} |", ratio(|cost| cost.middle), ratio(|cost| cost.cpu));
    }
    Ok(table)
}

/// What a browser without anything in its cache transfers for the first list.
fn weigh(site: &Site) -> anyhow::Result<String> {
    let browser = &site.readers[0];
    let first = match &site.pages {
        Pages::Relais(place) => place.as_str(),
        Pages::Roundcube => "/?_task=mail&_mbox=INBOX",
    };
    let page = browser.get(first)?;
    let mut found: Vec<String> = named(
        &page.text,
        first,
        &["src=\"", "rel=\"stylesheet\" href=\"", "type=\"text/css\" href=\"", "rel=\"icon\" href=\""],
    );
    let (mut octets, mut seen) = (page.octets, HashSet::new());
    while let Some(path) = found.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let part = browser.get(&path).with_context(|| path.clone())?;
        octets += part.octets;
        let name = path.split('?').next().unwrap_or_default();
        let extension = std::path::Path::new(name).extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("js" | "mjs")) {
            found.extend(named(&part.text, &path, &["from \"./", "import \"./"]));
        } else if extension == Some("css") {
            found.extend(named(&part.text, &path, &["@import \""]));
        }
    }
    let name = site.server.name();
    Ok(format!("first page of {name}: {:.1} KB in {} requests", octets as f64 / 1000.0, seen.len() + 1))
}

/// The paths that stand behind one of `marks` in what was found at `place`.
fn named(text: &str, place: &str, marks: &[&str]) -> Vec<String> {
    let folder = place.split('?').next().and_then(|path| path.rsplit_once('/')).map_or("", |(folder, _)| folder);
    let of_mark = |mark: &&str| {
        let names: Vec<&str> = text.split(mark).skip(1).filter_map(|rest| rest.split('"').next()).collect();
        names.into_iter().map(|name| name.replace("&amp;", "&")).collect::<Vec<_>>()
    };
    let absolute = |name: String| {
        if name.starts_with('/') { name } else { format!("{folder}/{}", name.trim_start_matches("./")) }
    };
    let is_ours =
        |name: &String| !name.is_empty() && !name.contains(':') && !name.starts_with('#') && !name.contains(' ');
    marks.iter().flat_map(of_mark).filter(is_ours).map(absolute).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_names_is_found() {
        let page = "<script src=\"/a/main.js\"></script><img src=\"data:x\"><script src=\"b.js?x=1&amp;y=2\">";
        assert_eq!(named(page, "/mail/F1?q=x", &["src=\""]), ["/a/main.js", "/mail/b.js?x=1&y=2"]);
        assert_eq!(named("import { a } from \"./c.js\";", "/a/main.js", &["from \"./"]), ["/a/c.js"]);
    }
}
