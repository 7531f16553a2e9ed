//! Real clients and servers against a started house: the scripts in `testkit/peers`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use relais_testkit::machine;
use relais_testkit::server::{Program, Server};

use crate::cargo::cargo;
use crate::tally::Tally;

/// The scripts in their order. Each is told of the house by its environment and prints a line a check.
const SCRIPTS: &[&str] = &[
    "clients.py",
    "session.py",
    "mutt.py",
    "sieve.py",
    "mbsync.py",
    "sharing.py",
    "moving.py",
    "postfix.py",
    "forwards.py",
    "exim.py",
    "haproxy.py",
    "dns.py",
    "acme.py",
    "clamav.py",
    "rspamd.py",
    "opendkim.py",
    MSGAUTH,
];

/// Those that have a house of their own and mostly wait, as a certificate's life is waited for: they run beside the others.
const WAITING: &[&str] = &["acme.py"];

/// The one that drives a library of ours rather than the house.
const MSGAUTH: &str = "msgauth.py";

/// Debian's packages of the programs that the checks drive.
const PACKAGES: &[&str] = &[
    "clamav-daemon",
    "curl",
    "dovecot-imapd",
    "fetchmail",
    "getmail6",
    "gsasl",
    "haproxy",
    "isync",
    "libnet-ssleay-perl", // swaks speaks TLS only with it
    "mpop",
    "msmtp",
    "mutt",
    "nsd",
    "opendkim",
    "opendkim-tools", // makes its keys
    "openssl",
    "pebble",
    "postfix",
    "python3",
    "python3-authheaders",
    "python3-dkim",
    "python3-pip",  // brings managesieve and IMAPClient
    "python3-nacl", // dkimpy knows Ed25519 only with it
    "python3-spf",
    "rspamd",
    "s-nail",
    "swaks",
    "tmux",
];

/// And those of the reference house.
const REFERENCE: &[&str] = &["dovecot-imapd", "dovecot-lmtpd", "dovecot-pop3d"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Drive Debian's Postfix and Dovecot in relais's place, which proves the checks (as root)
    #[arg(long)]
    reference: bool,
    /// Only scripts whose name contains this
    #[arg(long, default_value = "")]
    only: String,
}

/// Starts a house and runs the scripts against it, with what they need beside it built now.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    if !arguments.reference && MSGAUTH.contains(&arguments.only) {
        build_msgauth(&Program::built()?)?;
    }
    check(arguments)
}

fn check(arguments: &Arguments) -> anyhow::Result<Tally> {
    let chosen = chosen(&arguments.only)?;
    install(PACKAGES);
    if arguments.reference {
        install(REFERENCE);
    } else {
        unpack_exim();
    }
    let program = if arguments.reference { Program::Reference } else { Program::built()? };
    let house = Server::start(&program, &[])?;
    let (waiting, others): (Vec<&str>, Vec<&str>) = chosen.into_iter().partition(|script| WAITING.contains(script));
    let mut beside = Vec::new();
    for script in waiting {
        beside.push((script, begin(&house, &program, script)?));
    }
    let mut played = others.iter().try_fold(Tally::default(), |mut tally, script| {
        tally += Tally::of_checks(script, begin(&house, &program, script)?)?;
        anyhow::Ok(tally)
    });
    // A few lines are theirs, which the pipe has held. They are waited for whatever became of the others.
    for (script, child) in beside {
        let tally = Tally::of_checks(script, child)?;
        played = played.map(|mut all| {
            all += tally;
            all
        });
    }
    played
}

/// The scripts whose names contain `only`, in their order. None is a fault: nothing would be checked, and all would look well.
fn chosen(only: &str) -> anyhow::Result<Vec<&'static str>> {
    let chosen: Vec<&str> = SCRIPTS.iter().copied().filter(|script| script.contains(only)).collect();
    anyhow::ensure!(!chosen.is_empty(), "no script's name contains `{only}`; there are {}", SCRIPTS.join(", "));
    Ok(chosen)
}

/// Builds our side of that script beside the program, as the program was built.
fn build_msgauth(program: &Program) -> anyhow::Result<()> {
    let is_release =
        program.relais().is_some_and(|path| path.parent().is_some_and(|folder| folder.ends_with("release")));
    let mut build = cargo();
    build.args(["build", "--quiet", "--package", "relais-msgauth", "--example", "msgauth"]);
    if is_release {
        build.arg("--release");
    }
    anyhow::ensure!(build.status()?.success(), "the example msgauth can't be built");
    Ok(())
}

/// Runs the scripts against relais, as a stage of `test`, which has built all.
pub(crate) fn run_all() -> anyhow::Result<Tally> {
    check(&Arguments { reference: false, only: String::new() })
}

/// Installs what is missing, as root; else says what to install. What is still missing skips its checks.
pub(crate) fn install(wanted: &[&str]) {
    let missing: Vec<&str> = wanted.iter().copied().filter(|package| !is_installed(package)).collect();
    let list = missing.join(" ");
    if missing.is_empty() {
        return;
    }
    if !machine::is_root() {
        eprintln!("\nSKIPPED: checks with {list}: not installed (apt-get install {list})\n");
        return;
    }
    println!("installing {list}");
    let status = Command::new("sh").args(["-c", INSTALL, "install"]).args(missing).stdout(Stdio::null()).status();
    if !status.is_ok_and(|status| status.success()) {
        eprintln!("\nSKIPPED: some of {list} could not be installed\n");
    }
}

/// Installs its arguments. The mail servers among them are not started: ports and names of this machine are not ours.
const INSTALL: &str = r#"
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"
"#;

/// Where Exim is unpacked to. Debian has one mail server on a machine, and that is Postfix here.
fn exim_folder() -> PathBuf {
    crate::root().join("target/peers/exim")
}

/// Unpacks Exim where it isn't yet, as root, and installs what it needs to run; else its checks are skipped.
fn unpack_exim() {
    let folder = exim_folder();
    let run =
        |script: &str| Command::new("sh").args(["-c", script, "exim"]).arg(&folder).stdout(Stdio::null()).status();
    let runs = || run(EXIM_RUNS).is_ok_and(|status| status.success());
    if runs() {
        return;
    }
    if !machine::is_root() {
        eprintln!("\nSKIPPED: checks with Exim: only root unpacks it, with the user that it wants\n");
        return;
    }
    println!("unpacking exim4");
    if !run(UNPACK_EXIM).is_ok_and(|status| status.success()) || !runs() {
        eprintln!("\nSKIPPED: checks with Exim: it could not be unpacked\n");
    }
}

/// It does where its libraries are there, and its user.
const EXIM_RUNS: &str = r#"[ -x "$1/usr/sbin/exim4" ] && "$1/usr/sbin/exim4" -bV -C /dev/null 2>/dev/null"#;

/// Of its dependencies only libraries are installed: the other packages of Exim's would make it this machine's mail
/// server. The user is the one that they would make.
const UNPACK_EXIM: &str = r#"
set -e
export DEBIAN_FRONTEND=noninteractive
mkdir -p "$1"
cd "$1"
rm -f exim4-daemon-light_*.deb
apt-get update -qq
apt-get download -qq exim4-daemon-light 2>/dev/null
dpkg-deb -x exim4-daemon-light_*.deb .
needs=$(dpkg-deb -f exim4-daemon-light_*.deb Depends | tr , '\n' | grep -v exim4 | paste -sd ,)
apt-get satisfy -y -qq --no-install-recommends "$needs"
id Debian-exim >/dev/null 2>&1 ||
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin Debian-exim
"#;

fn is_installed(package: &str) -> bool {
    let asked = Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]).output();
    asked.is_ok_and(|output| output.stdout == b"installed")
}

fn begin(house: &Server, program: &Program, script: &str) -> anyhow::Result<Child> {
    let folder = crate::root().join("backend/testkit/peers");
    Command::new(folder.join(script))
        .envs(told(house, program)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {script}"))
}

/// What a script is told: `HOST`, `CA`, `LOGIN`, `PASSWORD` (and `LOGIN2`, `PASSWORD2`), a `…_PORT` a door,
/// `LMTP`'s socket, and the programs `EXIM` and, where it is the house, `RELAIS`, with
/// `RELAIS_CONFIG`, the running house's own.
fn told(house: &Server, program: &Program) -> anyhow::Result<Vec<(String, String)>> {
    let facts = house.facts();
    let [(login, password), (login2, password2), ..] = facts.accounts.as_slice() else {
        anyhow::bail!("the house needs two accounts");
    };
    let text = |path: &Path| path.display().to_string();
    let mut told = vec![
        ("HOST".to_owned(), "localhost".to_owned()),
        ("CA".to_owned(), text(&facts.ca)),
        ("LOGIN".to_owned(), login.clone()),
        ("PASSWORD".to_owned(), password.clone()),
        ("LOGIN2".to_owned(), login2.clone()),
        ("PASSWORD2".to_owned(), password2.clone()),
    ];
    told.extend(facts.ports.iter().map(|(door, port)| (format!("{}_PORT", door.to_uppercase()), port.to_string())));
    told.extend(facts.lmtp.iter().map(|socket| ("LMTP".to_owned(), text(socket))));
    if let Some(path) = program.relais() {
        told.push(("RELAIS".to_owned(), text(path)));
        told.push(("RELAIS_CONFIG".to_owned(), text(&house.folder().join("relais.toml"))));
        told.push(("EXIM".to_owned(), text(&exim_folder().join("usr/sbin/exim4"))));
        told.push(("MSGAUTH".to_owned(), text(&path.with_file_name("examples").join("msgauth"))));
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_no_script_has_fails_and_says_which_there_are() {
        assert_eq!(chosen("").unwrap(), SCRIPTS);
        assert_eq!(chosen("clam").unwrap(), ["clamav.py"]);
        let told = chosen("filters").unwrap_err().to_string();
        assert!(told.starts_with("no script's name contains `filters`; there are clients.py, "), "{told}");
        assert!(told.ends_with("msgauth.py"), "{told}");
    }
}
