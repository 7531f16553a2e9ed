//! All that must hold before a change goes in. Stages run in the order of what fails fastest.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use anyhow::Context;
use relais_testkit::postgres::{self, Cluster};

use crate::cargo::cargo;
use crate::tally::Tally;
use crate::{browser, crash, full_disk, fuzz, imaptest, lab, load, peers, tidy};

type Stage = fn() -> anyhow::Result<Tally>;

/// Runs all stages, also after one that failed: a change is looked at whole.
pub(crate) fn run() -> Tally {
    let mut tally = Tally::default();
    let stages: [(&str, Stage); 14] = [
        ("format", || step(&["fmt", "--all", "--check"])),
        ("tidy", tidy::run),
        ("build", build),
        ("tests", tests),
        ("imaptest", imaptest::run_all),
        ("imaptest-postgres", imaptest::run_all_on_postgres),
        ("peers", peers::run_all),
        ("lab", lab::run_all),
        ("browser", browser::run_short),
        ("crash", crash::run_short),
        ("crash-postgres", crash::run_short_on_postgres),
        ("full-disk", full_disk::run),
        ("load", load::run_short),
        ("fuzz", fuzz::run_short),
    ];
    for (name, stage) in stages {
        println!("\n== {name}");
        let started_at = Instant::now();
        let outcome = stage().unwrap_or_else(|error| {
            println!("FAIL {name}: {error:#}");
            Tally::of(false)
        });
        println!(
            "== {name}: {} passed, {} failed in {} s",
            outcome.passed,
            outcome.failed,
            started_at.elapsed().as_secs()
        );
        tally += outcome;
    }
    println!();
    tally
}

/// A step of cargo's, as one check.
fn step(arguments: &[&str]) -> anyhow::Result<Tally> {
    Ok(Tally::of(cargo().args(arguments).status()?.success()))
}

/// What compiles our own crates: clippy's compiler makes the same of them as rustc, and lints them on the way.
const LINTING: (&str, &str) = ("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");

/// Builds and lints all, once, for all stages: `cargo clippy` would compile each dependency a second time, and a package built alone gets its dependencies with
/// other features than the tests'. What is only warned of here is no reason not to test; it fails all the same.
fn build() -> anyhow::Result<Tally> {
    let mut command = cargo();
    command.args(["build", "--workspace", "--all-targets"]).env(LINTING.0, LINTING.1);
    let mut child = command.stderr(Stdio::piped()).spawn().context("cargo runs")?;
    let mut is_warned = false;
    for line in child.stderr.take().into_iter().flat_map(|stream| BufReader::new(stream).lines()).map_while(Result::ok)
    {
        println!("{line}");
        is_warned |= sums_up_warnings(&line);
    }
    let mut tally = Tally::of(child.wait()?.success());
    tally += Tally::of(!is_warned);
    Ok(tally)
}

/// ``warning: `relais-junk` (lib) generated 2 warnings``, also of what was compiled before.
fn sums_up_warnings(line: &str) -> bool {
    line.starts_with("warning: `") && line.contains(" generated ")
}

/// The Rust tests, by nextest where it is installed; one PostgreSQL serves them all.
fn tests() -> anyhow::Result<Tally> {
    let cluster = Cluster::start();
    let has_nextest = cargo()
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let arguments: &[&str] = if has_nextest {
        &["nextest", "run", "--workspace", "--no-fail-fast", "--color=never"]
    } else {
        &["test", "--workspace", "--no-fail-fast"]
    };
    let mut command = cargo();
    command.args(arguments).env("NEXTEST_HIDE_PROGRESS_BAR", "1").env(LINTING.0, LINTING.1);
    if let Ok(cluster) = &cluster {
        command.env(postgres::SHARED, cluster.url());
    }
    // Both speak of results on different streams.
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("cargo runs")?;
    let errors = child.stderr.take().map(|stream| std::thread::spawn(move || echo(stream)));
    let mut tally = child.stdout.take().map(echo).unwrap_or_default();
    tally += errors.and_then(|thread| thread.join().ok()).unwrap_or_default();
    if !child.wait()?.success() && tally.failed == 0 {
        tally += Tally::of(false);
    }
    Ok(tally)
}

/// Prints a stream as it comes and adds up the summaries in it.
fn echo(stream: impl std::io::Read) -> Tally {
    let mut tally = Tally::default();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        println!("{line}");
        tally += summary(&line);
    }
    tally
}

/// `test result: ok. 3 passed; 0 failed; …` and nextest's `Summary [ 1.2s] 4 tests run: 3 passed, 1 failed, 0 skipped`.
fn summary(line: &str) -> Tally {
    let is_summary = line.starts_with("test result:") || line.trim_start().starts_with("Summary [");
    let count = |word: &str| {
        let words: Vec<&str> = line.split([' ', ',', ';', ':']).filter(|word| !word.is_empty()).collect();
        let at = words.iter().position(|found| *found == word)?;
        words.get(at.checked_sub(1)?)?.parse().ok()
    };
    let count = |word| if is_summary { count(word).unwrap_or(0) } else { 0 };
    Tally { passed: count("passed"), failed: count("failed") + count("timed"), skipped: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_heard() {
        for (line, expected) in [
            ("warning: `relais-junk` (lib) generated 2 warnings", true),
            ("warning: `relais-junk` (lib test) generated 1 warning (1 duplicate)", true),
            ("warning: unused variable: `x`", false),
            ("   Compiling relais-junk v0.1.0", false),
        ] {
            assert_eq!(sums_up_warnings(line), expected, "{line}");
        }
    }

    #[test]
    fn the_runners_summaries_are_read() {
        let cargo = summary(
            "test result: FAILED. 12 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.90s",
        );
        assert_eq!(cargo, Tally { passed: 12, failed: 2, skipped: 0 });
        let nextest = summary("     Summary [   3.112s] 812 tests run: 811 passed (2 slow), 1 failed, 0 skipped");
        assert_eq!(nextest, Tally { passed: 811, failed: 1, skipped: 0 });
        assert_eq!(summary("test a ... ok"), Tally::default());
    }
}
