//! A private PostgreSQL cluster, from Debian's package, on a loopback port of its own.
//!
//! One cluster serves a test process, a fresh database each test. It lives in a temporary folder, does not sync (a test
//! asks what PostgreSQL answers, not what it keeps; [`Cluster::durable`] is for those that do), and ends with the process
//! that asked for it, however that ends: a small shell waits at a pipe that only we hold open. Started by root it runs as
//! user `postgres`, since it refuses to run as root.
//!
//! `cargo xtask test` starts one cluster for the whole run and names it in [`SHARED`]; then no process makes its own.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use relais_model::{Random, SystemRandom};

use crate::machine;

/// The environment variable that names a cluster to share: a `postgres://` URL of a superuser, without a database.
pub const SHARED: &str = "RELAIS_TEST_POSTGRES";

/// Set on the CI server, where a missing PostgreSQL is a failure.
const CI: &str = "CI";

/// An empty database of its own; dropped with this value.
#[derive(Debug)]
pub struct Database {
    cluster: &'static Cluster,
    name: String,
}

impl Database {
    /// A fresh database, or `None` on a machine without PostgreSQL, which is said loudly; in CI that fails.
    pub fn fresh() -> Option<Self> {
        let cluster = Cluster::of_this_process()?;
        Some(Self { cluster, name: cluster.create() })
    }

    /// `postgres://postgres:PASSWORD@127.0.0.1:PORT/NAME`.
    pub fn url(&self) -> String {
        format!("{}/{}", self.cluster.url, self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A test that panicked may still hold connections.
        self.cluster.run("dropdb", &["--force", "--if-exists", &self.name]);
    }
}

/// A running cluster, for whoever wants one longer than a test: it ends with this value.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    url: String,
    keeper: Option<Keeper>,
}

/// The shell that keeps a cluster; a line to it lets the cluster crash, and its pipe's end ends both.
#[derive(Debug)]
struct Keeper {
    shell: Child,
    talk: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

/// What makes tests fast.
const CARELESS: &[&str] = &["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"];

impl Cluster {
    /// Starts one, or says why there is none.
    ///
    /// # Errors
    /// A sentence for a person: PostgreSQL isn't installed, or what it said when it did not start.
    pub fn start() -> Result<Self, String> {
        Self::start_with(CARELESS)
    }

    /// Starts one that keeps what it committed, whatever happens to it.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn durable() -> Result<Self, String> {
        Self::start_with(&[])
    }

    fn start_with(options: &[&str]) -> Result<Self, String> {
        let programs =
            programs().ok_or("no PostgreSQL under /usr/lib/postgresql (Debian: apt-get install postgresql)")?;
        let port = machine::free_port();
        let password = random_word();
        let mut shell = keeper_command()
            .args(["sh", "-c", include_str!("postgres.sh"), "relais-postgres"])
            .arg(&programs)
            .args([&port.to_string(), &password])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0) // Ctrl-C ends us, and only then the cluster.
            .spawn()
            .map_err(|error| format!("cannot start PostgreSQL's keeper: {error}"))?;
        let (Some(input), Some(output)) = (shell.stdin.take(), shell.stdout.take()) else {
            return Err("PostgreSQL's keeper has no pipes".to_owned());
        };
        let mut output = BufReader::new(output);
        hear_ready(&mut output)?;
        let keeper = Keeper { shell, talk: Mutex::new((input, output)) };
        let url = format!("postgres://postgres:{password}@127.0.0.1:{port}");
        Ok(Self { programs, url, keeper: Some(keeper) })
    }

    /// Makes an empty database and gives its URL; it ends with the cluster.
    pub fn add_database(&self) -> String {
        format!("{}/{}", self.url, self.create())
    }

    fn create(&self) -> String {
        let name = format!("test_{}", random_word());
        self.run("createdb", &["--template=template0", &name]);
        name
    }

    /// Ends it as a crash would (`pg_ctl stop -m immediate`), and starts it again. It answers once this returns.
    ///
    /// # Errors
    /// It did not come back, or another process keeps it.
    pub fn crash(&self) -> Result<(), String> {
        let keeper = self.keeper.as_ref().ok_or("this cluster is another's")?;
        let mut talk = keeper.talk.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(talk.0, "crash").map_err(|error| error.to_string())?;
        hear_ready(&mut talk.1)
    }

    /// `postgres://postgres:PASSWORD@127.0.0.1:PORT`, without a database.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn of_this_process() -> Option<&'static Self> {
        static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
        CLUSTER.get_or_init(|| Self::shared().or_else(Self::start_or_say)).as_ref()
    }

    fn shared() -> Option<Self> {
        let url = env::var(SHARED).ok().filter(|url| !url.is_empty())?;
        Some(Self { programs: programs()?, url, keeper: None })
    }

    fn start_or_say() -> Option<Self> {
        let reason = match Self::start() {
            Ok(cluster) => return Some(cluster),
            Err(reason) => reason,
        };
        assert!(env::var_os(CI).is_none(), "tests on PostgreSQL must run in CI: {reason}");
        machine::say(&format!("\nSKIPPED: tests on PostgreSQL: {reason}\n"));
        None
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = Command::new(self.programs.join(program))
            .args(["--maintenance-db", &format!("{}/postgres", self.url)])
            .args(arguments)
            .output()
            .expect("PostgreSQL's client programs run");
        // In `Drop` of a failing test a second panic would hide the first.
        assert!(
            output.status.success() || std::thread::panicking(),
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(Keeper { mut shell, talk }) = self.keeper.take() {
            drop(talk);
            drop(shell.wait());
        }
    }
}

fn hear_ready(output: &mut impl BufRead) -> Result<(), String> {
    let mut said = String::new();
    output.read_line(&mut said).map_err(|error| error.to_string())?;
    if said.trim() == "ready" { Ok(()) } else { Err("PostgreSQL did not start; its log stands above".to_owned()) }
}

/// The newest installed version's programs.
fn programs() -> Option<PathBuf> {
    let versions = Path::new("/usr/lib/postgresql").read_dir().ok()?;
    let newest = versions
        .flatten()
        .filter(|version| version.path().join("bin/initdb").exists())
        .max_by_key(|version| version.file_name().to_string_lossy().parse::<u32>().unwrap_or(0))?;
    Some(newest.path().join("bin"))
}

/// Runs what follows as a user that PostgreSQL accepts.
fn keeper_command() -> Command {
    let is_root = machine::is_root();
    let mut command = Command::new(if is_root { "setpriv" } else { "env" });
    if is_root {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command
}

fn random_word() -> String {
    let mut octets = [0; 8];
    SystemRandom.fill(&mut octets);
    format!("{:016x}", u64::from_le_bytes(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_outlives_a_crash() {
        let Ok(cluster) = Cluster::durable() else { return };
        let url = cluster.add_database();
        let ask = |sql: &str| {
            let psql = cluster.programs.join("psql");
            let output = Command::new(psql).args(["-X", "-A", "-t", "-c", sql]).arg(&url).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        ask("create table here (n bigint)");
        ask("insert into here values (7)");
        let began_at = ask("select pg_postmaster_start_time()");
        cluster.crash().unwrap();
        assert_ne!(ask("select pg_postmaster_start_time()"), began_at);
        assert_eq!(ask("select n from here"), "7");
    }

    #[test]
    fn a_database_is_empty_and_its_own() {
        let (Some(first), Some(second)) = (Database::fresh(), Database::fresh()) else { return };
        assert_ne!(first.url(), second.url());
        let ask = |database: &Database, sql: &str| {
            let psql = database.cluster.programs.join("psql");
            let output = Command::new(psql).args(["-X", "-A", "-t", "-c", sql]).arg(database.url()).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        ask(&first, "create table here (n bigint)");
        assert_eq!(ask(&first, "select count(*) from here"), "0");
        assert_eq!(ask(&second, "select to_regclass('here') is null"), "t");
    }
}
