//! relais, with the defaults that people get.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::strangers::Strangers;
use super::{PASSWORD, PEOPLE, Ports, Program, RELAIS, Server};

const PORTS: Ports = Ports { smtp: 18_025, imap: 18_143, pop3: 18_110 };

/// Where its pages are, if they are wanted.
pub(crate) const ORIGIN: &str = "https://127.0.0.1:18443";
const HTTPS: u16 = 18_443;

/// Starts it in a new folder, with all the people, and without pages.
pub(crate) fn start(program: &Path, folder: &Path) -> anyhow::Result<Server> {
    start_as(program, folder, "[web]\nat = []\nplain_at = []\n")
}

/// The same, with pages.
pub(crate) fn start_with_web(program: &Path, folder: &Path) -> anyhow::Result<Server> {
    start_as(program, folder, &format!("[web]\nat = [\"127.0.0.1:{HTTPS}\"]\nplain_at = []\n"))
}

fn start_as(program: &Path, folder: &Path, web: &str) -> anyhow::Result<Server> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let (file, log) = (folder.join("relais.toml"), folder.join("log"));
    let strangers = Strangers::new()?;
    fs::write(&file, configuration(&folder.join("data"), web, strangers.as_ref()))?;
    let words = [program, &file, &log].map(|path| path.display().to_string());
    let [program_word, file_word, log_word] = words.each_ref().map(String::as_str);
    // What it says goes to a file, as it does under systemd.
    let script = "exec \"$0\" --config \"$1\" serve 2>>\"$2\" >&2";
    let programs = vec![Program::new(["sh", "-c", script, program_word, file_word, log_word])];
    let mut server = Server::start(RELAIS, PORTS, programs).with_context(|| format!("see {log_word}"))?;
    let people = folder.join("people.csv");
    fs::write(&people, list_of_people())?;
    let line = CommandLine { program: program.to_owned(), file };
    line.run(&["domain", "add", "bench.test"])?;
    line.run(&["account", "import", &people.display().to_string()])?;
    // The import's own work is no part of the first figure.
    std::thread::sleep(Duration::from_secs(1));
    server.strangers = strangers;
    server.command_line = Some(line);
    Ok(server)
}

/// Its command line, towards the running server.
pub(crate) struct CommandLine {
    program: PathBuf,
    file: PathBuf,
}

impl CommandLine {
    pub(crate) fn run(&self, words: &[&str]) -> anyhow::Result<()> {
        let output = Command::new(&self.program).arg("--config").arg(&self.file).args(words).output()?;
        let said = [output.stdout, output.stderr].concat();
        ensure!(output.status.success(), "relais {}: {}", words.join(" "), String::from_utf8_lossy(&said));
        Ok(())
    }
}

fn configuration(data: &Path, web: &str, strangers: Option<&Strangers>) -> String {
    let mut text = format!(
        "hostname = \"mx.bench.test\"\ndata = \"{}\"\n[operations]\nat = \"\"\n{web}{}",
        data.display(),
        strangers.map_or_else(|| "[resolver]\nservers = [\"127.0.0.1\"]\n".to_owned(), Strangers::configuration)
    );
    for (protocol, port) in [("smtp", PORTS.smtp), ("imap", PORTS.imap), ("pop3", PORTS.pop3)] {
        let _written =
            write!(text, "[[listen]]\nprotocol = \"{protocol}\"\nat = \"127.0.0.1:{port}\"\nplain_login = true\n");
    }
    text
}

fn list_of_people() -> String {
    let lines = (0..PEOPLE).map(|person| format!("{},{PASSWORD}\n", Server::address(person)));
    std::iter::once("address,password\n".to_owned()).chain(lines).collect()
}
