//! Asks the REST API all that its document allows and much that it doesn't: schemathesis, against a demo with an owner's key.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use relais_testkit::server::{Program, Server};

use crate::tally::Tally;

/// From `PyPI`, kept under target/.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// A key may ask ten times a second.
const PACE: &str = "9/s";
/// Seconds for all that is asked with the key.
const BUDGET: &str = "150";

/// Runs it, as a task and as a stage of `test`. Without network and without a kept schemathesis it is skipped.
pub(crate) fn run() -> anyhow::Result<Tally> {
    let Some(program) = schemathesis() else {
        eprintln!("\nSKIPPED: api: {SCHEMATHESIS} could not be installed from PyPI\n");
        return Ok(Tally::skip());
    };
    let folder = tempfile::Builder::new().prefix("relais-api.").tempdir()?;
    let house = Server::start_in(&Program::built()?, folder.path(), &["--log", "info"])?;
    let key = fs::read_to_string(house.folder().join("api.key")).context("the demo's owner has no key")?;
    let url = format!("https://localhost:{}/api/v1/openapi.json", house.port("panel"));
    let ask = |name: &str, more: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("--config-file").arg(crate::root().join("backend/testkit/api/schemathesis.toml"));
        command
            .args(["run", &url, "--tls-verify"])
            .arg(&house.facts().ca)
            .args(["--no-color", "--continue-on-failure"]);
        command.args(["--max-time", BUDGET, "--rate-limit", PACE, "--generation-database", "none"]).args(more);
        let status = command.current_dir(folder.path()).stdin(Stdio::null()).status().context("schemathesis runs")?;
        println!("{} api {name}", if status.success() { "PASS" } else { "FAIL" });
        anyhow::Ok(Tally::of(status.success()))
    };
    let mut tally = ask("with an owner's key", &["-H", &format!("Authorization: Bearer {key}")])?;
    // Without one, nothing but 401 may come; a look at each operation tells.
    tally +=
        ask("without a key", &["--phases", "examples", "--checks", "not_a_server_error,response_schema_conformance"])?;
    Ok(tally)
}

/// The program, installed where it isn't yet.
fn schemathesis() -> Option<PathBuf> {
    let home = crate::root().join("target/schemathesis");
    let program = home.join("bin/schemathesis");
    let run = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    let is_there = program.is_file()
        || (run(Command::new("python3").args(["-m", "venv"]).arg(&home))
            && run(pip(&home).args(["install", "--quiet", SCHEMATHESIS])));
    is_there.then_some(program)
}

fn pip(home: &Path) -> Command {
    Command::new(home.join("bin/pip"))
}
