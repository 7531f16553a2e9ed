//! Feeds every parser of strangers' octets with what libFuzzer thinks up, guided by coverage.
//!
//! On the stable toolchain and without `cargo fuzz`: the compiler's coverage pass is asked for by its flags, and no
//! sanitizer is needed where no code is unsafe. What a run learns is kept under `target/fuzz`; octets that broke something
//! are left in `backend/fuzz/artifacts`, to become a seed in `backend/fuzz/corpus` with the mend.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::tally::Tally;

/// Coverage counters that libFuzzer reads.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// No parser of ours takes longer for what fits in a packet.
const LONGEST_RUN_SECONDS: u32 = 5;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each target runs
    #[arg(default_value_t = 60)]
    seconds: u32,
    /// Only targets whose name contains this
    #[arg(long, default_value = "")]
    only: String,
}

/// The short form, as a stage of `test`: seeds and mutations of them, without a guide.
pub(crate) fn run_short() -> anyhow::Result<Tally> {
    let output = cargo().args(["run", "--quiet", "--bin", "short"]).stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut tally = Tally::default();
    for line in said.lines() {
        println!("{line}");
        tally += Tally::of_line(line);
    }
    ensure!(output.status.success() || tally.failed > 0, "the short runner did not run");
    Ok(tally)
}

/// Builds the targets and runs one after the other.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    let folder = crate::root().join("backend/fuzz");
    let built = build()?;
    let mut tally = Tally::default();
    for target in targets(&folder)?.iter().filter(|target| target.contains(&arguments.only)) {
        let corpus = built.join("corpus").join(target);
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(folder.join("artifacts"))?;
        let log = built.join(format!("{target}.log"));
        let status = Command::new(built.join("release/guided"))
            .env("RELAIS_FUZZ_TARGET", target)
            .arg(format!("-max_total_time={}", arguments.seconds))
            .arg(format!("-timeout={LONGEST_RUN_SECONDS}"))
            .arg(format!("-artifact_prefix={}/artifacts/{target}-", folder.display()))
            .arg(&corpus)
            .arg(folder.join("corpus").join(target))
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .status()
            .with_context(|| format!("cannot run {target}"))?;
        if status.success() {
            println!("ok   fuzz-{target}");
        } else {
            println!("FAIL fuzz-{target} (see {} and backend/fuzz/artifacts)", log.display());
        }
        tally += Tally::of(status.success());
    }
    Ok(tally)
}

/// The folder of what was built, for this machine's own triple: so the flags touch no build script.
fn build() -> anyhow::Result<PathBuf> {
    let host = host_triple()?;
    let status = cargo()
        .args(["build", "--quiet", "--release", "--features", "guided", "--bin", "guided", "--target", &host])
        .env("RUSTFLAGS", COVERAGE)
        .status()?;
    ensure!(status.success(), "the fuzz targets do not build");
    Ok(target_folder().join(host))
}

/// cargo in the workspace of the targets, which is not ours.
fn cargo() -> Command {
    let mut command = crate::cargo::cargo();
    command.current_dir(crate::root().join("backend/fuzz")).env("CARGO_TARGET_DIR", target_folder());
    command
}

fn target_folder() -> PathBuf {
    crate::cargo::target_folder().join("fuzz")
}

fn host_triple() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let said = String::from_utf8(output.stdout)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say its host")
}

/// Each has a folder of seeds.
fn targets(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.join("corpus"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
