//! A disk that fills up while mail comes in: refusals, no loss, and service back when there is room.
//!
//! The data directory is a small file system of its own (root only). A ballast file fills it: first to below what is kept
//! free for ourselves, where new mail is put off; then, in a house that keeps nothing free, to the last octet.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use relais_testkit::machine;
use relais_testkit::server::{Program, Server};
use relais_testkit::smtp;

use crate::crash::{self, Findings, Ledger, Shown};
use crate::tally::Tally;

/// Octets of the file system, which the mount spells for itself.
const SIZE: &str = "size=64m";
const INBOX: &str = "INBOX";
/// Filled by APPEND.
const APPENDED: &str = "full-disk";
/// The disk's state may be looked at only once in a while; so long a change of it may take to be seen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs both forms.
pub(crate) fn run() -> anyhow::Result<Tally> {
    let program = Program::built()?;
    let mut tally = Tally::default();
    for (name, free_octets) in [("full-disk-floor", 24 << 20), ("full-disk-brim", 0)] {
        let Some(mount) = Mount::make()? else {
            println!("skip {name} (only root mounts)");
            tally += Tally::skip();
            continue;
        };
        tally += fill(name, free_octets, &program, &mount).with_context(|| name.to_owned())?;
    }
    Ok(tally)
}

fn fill(name: &str, free_octets: u64, program: &Program, mount: &Mount) -> anyhow::Result<Tally> {
    let more = mount.folder().join("more.toml");
    fs::write(&more, format!("\n[limits]\nfree_octets = {free_octets}\n"))?;
    let more = more.to_string_lossy().into_owned();
    let server = Server::start_in(program, mount.folder(), &["--log", "info", "--with", &more])?;
    let ledger = Ledger::default();
    let mut tally = Tally::default();
    let mut check = |what: &str, is_met: bool| {
        println!("{} {name}: {what}", if is_met { "ok  " } else { "FAIL" });
        tally += Tally::of(is_met);
    };
    prepare(&server)?;
    for _ in 0..20 {
        deliver(&server, &ledger)?.must(250)?;
        append(&server, &ledger)?;
    }
    let ballast = mount.fill(free_octets)?;
    let refusal = wait_for(|| Ok(Some(deliver(&server, &ledger)?.code).filter(|code| *code != 250)))?;
    check("new mail is put off", refusal == Some(452));
    check("so is APPEND", wait_for(|| Ok(append(&server, &ledger).is_err().then_some(())))?.is_some());
    check("what is there is there", look(&server, &ledger)?.faults.is_empty());
    fs::remove_file(ballast)?;
    check("service is back: SMTP", wait_for(|| Ok((deliver(&server, &ledger)?.code == 250).then_some(())))?.is_some());
    check("service is back: IMAP", wait_for(|| Ok(append(&server, &ledger).ok()))?.is_some());
    server.kill();
    let server = Server::start_in(program, mount.folder(), &["--log", "info", "--with", &more])?;
    let findings = look(&server, &ledger)?;
    drop(server);
    tally += crash::told(name, &findings);
    tally += crash::check_store(&format!("{name}-check-store"), program, mount.folder())?;
    Ok(tally)
}

fn prepare(server: &Server) -> io::Result<()> {
    let mut client = crash::log_in(server)?;
    client.must(format!("CREATE {APPENDED}"))?;
    client.must("SELECT INBOX")?;
    client.must("UID STORE 1:* +FLAGS.SILENT (\\Deleted)")?;
    client.must("EXPUNGE").map(drop)
}

/// One message by SMTP, on a connection of its own, and the reply that decides.
fn deliver(server: &Server, ledger: &Ledger) -> io::Result<smtp::Reply> {
    let subject = ledger.on(INBOX, |page| format!("smtp-{}", page.added.len()));
    let (address, _) = crash::person(server)?;
    let mut client = smtp::Client::connect(server.port("smtp"))?;
    let octets = crash::message(&subject);
    ledger.on(INBOX, |page| page.added.insert(subject.clone(), false));
    let reply = client.deliver("stranger@elsewhere.example", &[&address], &octets)?;
    if reply.code == 250 {
        ledger.on(INBOX, |page| page.added.insert(subject, true));
    }
    Ok(reply)
}

fn append(server: &Server, ledger: &Ledger) -> io::Result<()> {
    let subject = ledger.on(APPENDED, |page| format!("append-{}", page.added.len()));
    let mut client = crash::log_in(server)?;
    crash::add(&mut client, ledger, APPENDED, &subject)
}

fn look(server: &Server, ledger: &Ledger) -> anyhow::Result<Findings> {
    let mut client = crash::log_in(server)?;
    let mut findings = Findings::default();
    for mailbox in [INBOX, APPENDED] {
        let shown = Shown::read(&mut client, mailbox)?;
        ledger.on(mailbox, |page| page.compare(mailbox, &shown, &mut findings));
    }
    Ok(findings)
}

/// Tries until something is seen.
fn wait_for<T>(mut look: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<Option<T>> {
    let began_at = Instant::now();
    while began_at.elapsed() < PATIENCE {
        if let Some(seen) = look()? {
            return Ok(Some(seen));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(None)
}

/// A small file system of our own, gone with this value.
struct Mount {
    folder: tempfile::TempDir,
}

impl Mount {
    /// None where we may not.
    fn make() -> anyhow::Result<Option<Self>> {
        if !machine::is_root() {
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("relais-full-disk.").tempdir()?;
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(folder.path()).status()?;
        ensure!(status.success(), "mount says no");
        Ok(Some(Self { folder }))
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file until there is no room for more than half of `leave`.
    fn fill(&self, leave: u64) -> io::Result<PathBuf> {
        let path = self.folder().join("ballast");
        let mut file = File::create(&path)?;
        let piece = [0; 4096];
        while file.write_all(&piece).is_ok() {}
        let written = file.metadata()?.len();
        file.set_len(written.saturating_sub(leave / 2))?;
        Ok(path)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily, for a server that is ending may still have it open.
        drop(Command::new("umount").arg("-l").arg(self.folder()).status());
    }
}
