//! The servers that are measured: each in a folder of its own, on ports of its own, with the same people.

pub(crate) mod peers;
pub(crate) mod relais;
pub(crate) mod roundcube;
mod strangers;

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::figures::Person;
use crate::imap::Imap;
use relais::CommandLine;
pub(crate) use strangers::Strangers;

/// Ours, in tables.
pub(crate) const RELAIS: &str = "relais";

/// Everybody's.
pub(crate) const PASSWORD: &str = "benchpass";
/// How many there are: `u0@bench.test` and so on.
pub(crate) const PEOPLE: usize = 100;

/// How long a server may take to start or to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server; it ends with this value.
pub(crate) struct Server {
    name: &'static str,
    ports: Ports,
    programs: Vec<Program>,
    children: Vec<Child>,
    roots: Vec<u32>,
    strangers: Option<Strangers>,
    command_line: Option<CommandLine>,
}

/// On 127.0.0.1; all may be spoken to without TLS.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) smtp: u16,
    pub(crate) imap: u16,
    pub(crate) pop3: u16,
}

/// Runs in the foreground, until SIGTERM or our end.
pub(crate) struct Program {
    words: Vec<String>,
}

impl Program {
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self { words: words.into_iter().map(str::to_owned).collect() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        // Also where the bench itself is killed.
        command.args(["--pdeathsig", "TERM", "--"]).args(&self.words);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Server {
    /// Starts the programs, and waits until all ports answer.
    pub(crate) fn start(name: &'static str, ports: Ports, programs: Vec<Program>) -> anyhow::Result<Self> {
        let mut server = Self {
            name,
            ports,
            programs,
            children: Vec::new(),
            roots: Vec::new(),
            strangers: None,
            command_line: None,
        };
        server.launch()?;
        Ok(server)
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        for program in &self.programs {
            self.children
                .push(program.command().spawn().with_context(|| format!("cannot start {}", program.words.join(" ")))?);
        }
        self.roots = self.children.iter().map(Child::id).collect();
        [self.ports.smtp, self.ports.imap, self.ports.pop3].into_iter().try_for_each(|port| self.wait_for(port))
    }

    fn wait_for(&self, port: u16) -> anyhow::Result<()> {
        let started_at = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if started_at.elapsed() > PATIENCE {
                bail!("{} does not answer at port {port}", self.name);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Starts programs that belong to it beside it, and waits until `port` answers.
    fn add(&mut self, programs: Vec<Program>, port: u16) -> anyhow::Result<()> {
        for program in programs {
            let child =
                program.command().spawn().with_context(|| format!("cannot start {}", program.words.join(" ")))?;
            self.roots.push(child.id());
            self.children.push(child);
            self.programs.push(program);
        }
        self.wait_for(port)
    }

    /// Ends it and starts it again, on the same data.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.end();
        self.launch()
    }

    fn end(&mut self) {
        for child in &self.children {
            // A child of ours that isn't waited for yet: its id is no other's.
            drop(Command::new("kill").arg(child.id().to_string()).stderr(Stdio::null()).status());
        }
        for mut child in self.children.drain(..) {
            let asked_at = Instant::now();
            while matches!(child.try_wait(), Ok(None)) && asked_at.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(20));
            }
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// The hosts of the world that can be played towards it.
    pub(crate) fn strangers(&self) -> Option<&Strangers> {
        self.strangers.as_ref()
    }

    /// Ours alone: changes a setting, at once.
    pub(crate) fn set(&self, name: &str, value: &str) -> anyhow::Result<()> {
        self.command_line.as_ref().map_or(Ok(()), |line| line.run(&["settings", "set", name, value]))
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }

    /// The processes above all others of it.
    pub(crate) fn roots(&self) -> &[u32] {
        &self.roots
    }

    /// A person's address, which is also the login name.
    pub(crate) fn address(person: Person) -> String {
        format!("u{person}@bench.test")
    }

    /// A person's session.
    pub(crate) fn imap(&self, person: Person) -> anyhow::Result<Imap> {
        Ok(Imap::log_in(self.ports.imap, &Self::address(person), PASSWORD)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
