//! Asks the REST API all that its document allows and much that it doesn't: schemathesis, against a demo with an owner's key.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use relais_testkit::server::{Program, Server};

use crate::tally::Tally;

/// From `PyPI`, kept under target/.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// So often the demo's key may ask in a minute, while it is asked.
const PER_MINUTE: &str = "100000";
/// How often somebody may ask is a setting, that can be changed and undone.
const RULES: &str = "^/api/v1/(settings|activity)";
/// Who asks may revoke their own key, or set their own password, which ends it.
const DOORS: &str = "^/api/v1/keys|/password$";
/// Seconds for all that is asked with the key.
const BUDGET: &str = "150";

/// Runs it, as a task and as a stage of `test`. Without network and without a kept schemathesis it is skipped.
pub(crate) fn run() -> anyhow::Result<Tally> {
    let Some(program) = schemathesis() else {
        eprintln!("\nSKIPPED: api: {SCHEMATHESIS} could not be installed from PyPI\n");
        return Ok(Tally::skip());
    };
    let last = format!("{RULES}|{DOORS}");
    let mut tally = ask(&program, "with an owner's key", true, &["--exclude-path-regex", &last])?;
    tally += ask(&program, "what limits who asks", true, &["--include-path-regex", RULES])?;
    tally += ask(&program, "what shuts out who asks", true, &["--include-path-regex", DOORS])?;
    // Without a key, nothing but 401 may come; a look at each operation tells.
    let look = ["--phases", "examples", "--checks", "not_a_server_error,response_schema_conformance"];
    tally += ask(&program, "without a key", false, &look)?;
    Ok(tally)
}

/// One run over a house of its own.
fn ask(program: &Path, name: &str, has_key: bool, more: &[&str]) -> anyhow::Result<Tally> {
    let folder = tempfile::Builder::new().prefix("relais-api.").tempdir()?;
    let built = Program::built()?;
    let house = Server::start_in(&built, folder.path(), &["--log", "info"])?;
    let relais = built.relais().context("only relais has an API")?;
    let config = house.folder().join("relais.toml");
    let set = ["settings", "set", "api.requests_per_minute", PER_MINUTE];
    let is_set = Command::new(relais).arg("--config").arg(config).args(set).status()?.success();
    anyhow::ensure!(is_set, "the pace of a key could not be set");
    let mut command = Command::new(program);
    command.arg("--config-file").arg(crate::root().join("backend/testkit/api/schemathesis.toml"));
    command.args(["run", &format!("https://localhost:{}/api/v1/openapi.json", house.port("panel"))]);
    command.arg("--tls-verify").arg(&house.facts().ca).args(["--no-color", "--continue-on-failure"]);
    command.args(["--max-time", BUDGET, "--generation-database", "none"]).args(more);
    if has_key {
        let key = fs::read_to_string(house.folder().join("api.key")).context("the demo's owner has no key")?;
        command.arg("-H").arg(format!("Authorization: Bearer {key}"));
    }
    let status = command.current_dir(folder.path()).stdin(Stdio::null()).status().context("schemathesis runs")?;
    println!("{} api {name}", if status.success() { "PASS" } else { "FAIL" });
    Ok(Tally::of(status.success()))
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
