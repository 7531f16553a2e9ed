//! The whole house as a program: `relais demo` in a folder of its own, or the reference house in its place.
//!
//! Its log is read when it ends: a secret in any line of it fails the test, whatever the test is about.

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek as _};
use std::net::TcpListener;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::secrets::Secrets;
use crate::wire::Trust;

/// A first start makes keys and people; on a busy machine that takes a while.
const START_PATIENCE: Duration = Duration::from_mins(2);

/// How long a server may take to drain after SIGTERM.
const STOP_PATIENCE: Duration = Duration::from_secs(40);

/// The environment variable that tells a demo of its database.
const DATABASE: &str = "RELAIS_DEMO_DATABASE";

/// A running server; stopped by SIGTERM with this value, and its folder removed.
#[derive(Debug)]
pub struct Server {
    child: Child,
    home: Home,
    facts: Facts,
    /// Relais's own, in an unnamed file.
    log: Option<File>,
    _ports: Ports,
}

/// The ports from a base on, which no other test takes meanwhile: two that only looked whether ports are free would choose the same.
#[derive(Debug)]
struct Ports {
    base: u16,
    _lock: File,
}

/// Where a server keeps its data.
#[derive(Debug)]
enum Home {
    Ours(TempDir),
    Given(PathBuf),
}

/// What a server says of itself when it is ready.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Address (which is the login name) and password of each account.
    pub accounts: Vec<(String, String)>,
    /// Port by door: `smtp`, `submission`, `imap`, `imaps`, `http`…
    pub ports: BTreeMap<String, u16>,
    /// The socket of LMTP, where there is one.
    pub lmtp: Option<PathBuf>,
    /// The authority of its certificate, in PEM.
    pub ca: PathBuf,
}

/// Which program to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// `relais demo`, at this path.
    Relais(PathBuf),
    /// The same, with its data in the PostgreSQL database of this URL.
    RelaisOn(PathBuf, String),
    /// Debian's Postfix and Dovecot (root only).
    Reference,
}

impl Program {
    /// The `relais` that was built: `$RELAIS_BIN`, or beside the running test.
    ///
    /// # Errors
    /// There is none; it says where it was looked for.
    pub fn built() -> io::Result<Self> {
        if let Some(path) = env::var_os("RELAIS_BIN") {
            return Ok(Self::Relais(path.into()));
        }
        // Tests run in target/PROFILE/deps, programs in target/PROFILE.
        let running = env::current_exe()?;
        let candidates = running.ancestors().skip(1).take(2).map(|folder| folder.join("relais"));
        candidates.into_iter().find(|path| path.is_file()).map(Self::Relais).ok_or_else(|| {
            io::Error::other(format!("no relais beside {}; build it first, or set RELAIS_BIN", running.display()))
        })
    }

    /// The same program on a PostgreSQL database; the reference house has none and stays as it is.
    #[must_use]
    pub fn on(self, database: String) -> Self {
        match self {
            Self::Relais(path) | Self::RelaisOn(path, _) => Self::RelaisOn(path, database),
            Self::Reference => Self::Reference,
        }
    }

    /// Where relais is, if it is relais.
    pub fn relais(&self) -> Option<&Path> {
        match self {
            Self::Relais(path) | Self::RelaisOn(path, _) => Some(path),
            Self::Reference => None,
        }
    }
}

impl Server {
    /// Starts a server in a temporary folder on free ports. Relais says all that it can say, unless `arguments` name a `--log`.
    ///
    /// # Errors
    /// It did not become ready; what it said stands on standard error.
    pub fn start(program: &Program, arguments: &[&str]) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("relais-house.").tempdir()?;
        Self::launch(program, Home::Ours(folder), Ports::take()?, arguments)
    }

    /// Starts a server in a folder that stays; to be started there again.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_in(program: &Program, folder: &Path, arguments: &[&str]) -> io::Result<Self> {
        Self::launch(program, Home::Given(folder.to_owned()), Ports::take()?, arguments)
    }

    fn launch(program: &Program, home: Home, ports: Ports, arguments: &[&str]) -> io::Result<Self> {
        let folder = home.path().join("data");
        let mut command = match program {
            Program::Relais(path) => demo(path, &folder, ports.base),
            Program::RelaisOn(path, database) => {
                let mut command = demo(path, &folder, ports.base);
                // Not as an argument, for a URL has a password in it.
                command.args(["--database-from", DATABASE]).env(DATABASE, database);
                command
            }
            Program::Reference => {
                let mut command = Command::new("bash");
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/reference.sh");
                command.arg(script).arg(&folder).arg(ports.base.to_string());
                command
            }
        };
        let log = program.relais().map(|_| tempfile::tempfile()).transpose()?;
        if let Some(log) = &log {
            command.stderr(log.try_clone()?);
            if !arguments.contains(&"--log") {
                command.args(["--log", "trace"]);
            }
        }
        let mut child = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        match first_line(&mut child).and_then(|line| Facts::parse(&line)) {
            Ok(facts) => Ok(Self { child, home, facts, log, _ports: ports }),
            Err(error) => {
                end(&mut child);
                log.map_or(Ok(()), repeat)?;
                Err(error)
            }
        }
    }

    /// What it said of itself.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The port of a door, such as `imap`.
    ///
    /// # Panics
    /// The server has no such door.
    pub fn port(&self, door: &str) -> u16 {
        *self.facts.ports.get(door).unwrap_or_else(|| panic!("the server has no door named {door}"))
    }

    /// Believes the server's authority.
    ///
    /// # Errors
    /// Its PEM file can't be read.
    pub fn trust(&self) -> io::Result<Trust> {
        Trust::from_pem(&self.facts.ca)
    }

    /// The folder that all of its data is in.
    pub fn folder(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// What relais has logged so far.
    ///
    /// # Errors
    /// The log can't be read.
    pub fn log(&self) -> io::Result<String> {
        let Some(log) = &self.log else { return Ok(String::new()) };
        // Not by its position, where the server goes on writing.
        let mut octets = vec![0; usize::try_from(log.metadata()?.len()).unwrap_or(usize::MAX)];
        log.read_exact_at(&mut octets, 0)?;
        Ok(String::from_utf8_lossy(&octets).into_owned())
    }

    /// Its process, for what the system knows of it.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash would: SIGKILL, no warning, nothing finished. It is gone once [`Server::kill`] returns.
    pub fn cut(&self) {
        signal(self.child.id(), "KILL");
    }

    /// As [`Server::cut`], and waits for its end.
    pub fn kill(mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
        let Some(log) = self.log.take() else { return };
        if std::thread::panicking() {
            drop(repeat(log));
            return;
        }
        let secrets = Secrets::new(self.facts.accounts.iter().map(|(_, password)| password.as_str()));
        let told = rewound(log).and_then(|log| secrets.told_in(log)).expect("the log can be read");
        assert_eq!(told, None, "a secret stands in the log");
    }
}

fn rewound(mut log: File) -> io::Result<BufReader<File>> {
    log.rewind()?;
    Ok(BufReader::new(log))
}

/// Says on standard error what a server said, but for what only its developers want to know.
#[expect(clippy::print_stderr, reason = "what a failing test's server said belongs to the failure")]
fn repeat(log: File) -> io::Result<()> {
    for line in rewound(log)?.lines() {
        let line = line?;
        if [" ERROR ", " WARN ", " INFO "].iter().any(|level| line.contains(level)) {
            eprintln!("{line}");
        }
    }
    Ok(())
}

impl Home {
    fn path(&self) -> &Path {
        match self {
            Self::Ours(folder) => folder.path(),
            Self::Given(folder) => folder,
        }
    }
}

impl Facts {
    fn parse(line: &str) -> io::Result<Self> {
        let said: Value = serde_json::from_str(line)?;
        let missing = |what: &str| io::Error::other(format!("the server's line has no {what}: {line}"));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let account = |value: &Value| Some((text(&value["address"])?, text(&value["password"])?));
        let doors = said["ports"].as_object().ok_or_else(|| missing("ports"))?;
        Ok(Self {
            accounts: said["accounts"]
                .as_array()
                .ok_or_else(|| missing("accounts"))?
                .iter()
                .filter_map(account)
                .collect(),
            ports: doors
                .iter()
                .filter_map(|(door, port)| Some((door.clone(), u16::try_from(port.as_u64()?).ok()?)))
                .collect(),
            lmtp: text(&said["lmtp"]).map(PathBuf::from),
            ca: text(&said["ca"]).ok_or_else(|| missing("ca"))?.into(),
        })
    }
}

fn demo(relais: &Path, folder: &Path, base: u16) -> Command {
    let mut command = Command::new(relais);
    command.args(["demo", "--json", "--bare", "--dir"]).arg(folder).args(["--port-base", &base.to_string()]);
    command
}

/// The first line that a server prints; read on a thread of its own, so that a silent one does not hold the test.
fn first_line(child: &mut Child) -> io::Result<String> {
    let output = child.stdout.take().ok_or_else(|| io::Error::other("no output to read"))?;
    let (tell, hear) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let mut output = BufReader::new(output);
        drop(tell.send(output.read_line(&mut line).map(|_| line)));
        // Read on, or the server would die of a closed pipe at its next word.
        drop(io::copy(&mut output, &mut io::sink()));
    });
    match hear.recv_timeout(START_PATIENCE) {
        Ok(Ok(line)) if !line.is_empty() => Ok(line),
        Ok(Ok(_)) => Err(io::Error::other("the server ended before it was ready")),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(io::Error::other("the server was not ready in time")),
    }
}

/// Signals a process that is ours and not yet waited for, so that its id is no other's.
fn signal(process: u32, name: &str) {
    drop(Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).stderr(Stdio::null()).status());
}

/// SIGTERM, and after a while the hard way.
fn end(child: &mut Child) {
    signal(child.id(), "TERM");
    let asked_at = Instant::now();
    while asked_at.elapsed() < STOP_PATIENCE {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(child.kill());
    drop(child.wait());
}

impl Ports {
    /// A base above which the doors of either house are free. Houses that start at the same time in one process get different ones.
    fn take() -> io::Result<Self> {
        const REFERENCE: [u16; 8] = [25, 80, 110, 143, 465, 587, 993, 995];
        static STARTED: AtomicU16 = AtomicU16::new(0);
        let offsets = || (0..15).chain(REFERENCE);
        // Below the ports that the system hands out, so that no client of ours takes one meanwhile.
        let first = u16::try_from(std::process::id() % 11).unwrap_or(0);
        let nth = STARTED.fetch_add(1, Ordering::Relaxed) % 20;
        let is_free = |base: u16| offsets().all(|offset| TcpListener::bind(("127.0.0.1", base + offset)).is_ok());
        for step in (first..11).chain(0..first) {
            let base = 20_000 + step * 1_000 + nth * 50;
            // One that somebody else of this machine made is theirs.
            let Ok(lock) = File::create(env::temp_dir().join(format!("relais-ports.{base}"))) else { continue };
            if lock.try_lock().is_ok() && is_free(base) {
                return Ok(Self { base, _lock: lock });
            }
        }
        Err(io::Error::other("no free range of ports"))
    }
}
