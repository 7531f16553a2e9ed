//! The installer for real: in Debian roots of their own, each a machine with its own processes, network and systemd, started here and
//! looked at from outside. `installer/tests/machines.py` has the checks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use relais_testkit::machine;
use relais_testkit::server::Program;

use crate::release;
use crate::tally::Tally;

/// What the checks need of this machine.
const PACKAGES: &[&str] =
    &["binutils", "debootstrap", "dpkg", "iproute2", "nsd", "openssl", "python3", "shellcheck", "util-linux"];
/// What a bare host has beside Debian's least; `cron`, `sqlite3` and `ufw` are looked at and with.
pub(crate) const HOST: &str = "systemd,systemd-sysv,dbus,ca-certificates,cron,sqlite3,ufw,iproute2";
/// A machine that has a mail server already.
const TAKEN: &str = "postfix";
/// A machine behind the other firewall, whose polkitd wants a logind, and which wants the names of protocols.
const WALLED: &str = "firewalld,libpam-systemd,netbase";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only checks whose name contains this; a host's checks build on those before them
    #[arg(long, default_value = "")]
    only: String,
    /// Debian's or Ubuntu's name of the release: bookworm, trixie, jammy, noble
    #[arg(long, default_value = "bookworm")]
    suite: String,
}

/// Makes what is released of the program that is built, and the machines; runs the checks.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    if !machine::is_root() {
        println!("skip installer (only root makes machines)");
        return Ok(Tally::skip());
    }
    crate::peers::install(PACKAGES);
    let has_all = ["debootstrap", "unshare", "ip", "objdump"].iter().all(|program| is_there(program));
    if !has_all {
        println!("skip installer (debootstrap, unshare, ip or objdump is not here)");
        return Ok(Tally::skip());
    }
    let work = crate::root().join("target/installer");
    let suite = arguments.suite.as_str();
    let roots = (
        root(&work, suite, "bare", HOST)?,
        root(&work, suite, "taken", &taken())?,
        root(&work, suite, "walled", &walled())?,
    );
    let (Some(bare), Some(taken), Some(walled)) = roots else {
        println!("skip installer (no Debian root could be made: is there a network?)");
        return Ok(Tally::skip());
    };
    let slim = slim(&work)?;
    let version = release::version(&crate::root())?;
    let next_version = format!("{version}+next");
    let dist = work.join("dist");
    let now = release::folder(&slim, &version, &dist)?;
    let next = release::folder(&newer(&slim)?, &next_version, &dist)?;
    count(
        script("machines.py", &work)
            .arg(&arguments.only)
            .env("BARE", bare)
            .env("TAKEN", taken)
            .env("WALLED", walled)
            .env("ARCHIVE", release::archive(&now)?)
            .env("PACKAGE", release::package(&now, &version)?)
            .env("RELEASE", now)
            .env("NEXT_PACKAGE", release::package(&next, &next_version)?)
            .env("NEXT", next),
    )
}

/// A script of `installer/tests`, told where it may work.
pub(crate) fn script(name: &str, work: &Path) -> Command {
    let mut script = Command::new("python3");
    script.arg(crate::root().join("installer/tests").join(name)).env("WORK", work).env("PYTHONDONTWRITEBYTECODE", "1");
    script
}

/// Runs a script, shows its lines and counts its checks.
pub(crate) fn count(script: &mut Command) -> anyhow::Result<Tally> {
    let child = script.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("python3 runs")?;
    Ok(Tally::of_checks("installer", child)?)
}

/// The program that is built, without what only a debugger reads.
pub(crate) fn slim(work: &Path) -> anyhow::Result<PathBuf> {
    let binary = Program::built()?.relais().context("relais is built")?.to_owned();
    let slim = work.join("relais");
    let stripped = Command::new("objcopy").arg("--strip-all").arg(&binary).arg(&slim).status()?;
    ensure!(stripped.success(), "objcopy says no");
    Ok(slim)
}

/// Another version's program: the loader passes over what stands behind an ELF file's end.
fn newer(binary: &Path) -> anyhow::Result<PathBuf> {
    let path = binary.with_file_name("relais-next");
    let mut octets = fs::read(binary)?;
    octets.extend_from_slice(b"next");
    fs::write(&path, octets)?;
    Ok(path)
}

pub(crate) fn is_there(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", "command -v \"$1\" >/dev/null", "sh", program])
        .status()
        .is_ok_and(|status| status.success())
}

/// What the machine has that has another mail server.
fn taken() -> String {
    format!("{HOST},{TAKEN}")
}

/// What the machine has that has another firewall.
fn walled() -> String {
    HOST.replace("ufw", WALLED)
}

/// A root of that suite with these packages. It is made once and copied by whoever needs it; none where that can't be done.
pub(crate) fn root(work: &Path, suite: &str, name: &str, packages: &str) -> anyhow::Result<Option<PathBuf>> {
    fs::create_dir_all(work)?;
    let root = work.join(format!("{suite}-{name}"));
    if root.exists() {
        return Ok(Some(root));
    }
    println!("making {}", root.display());
    let half = root.with_extension("half");
    let (mirror, keyring, components) = if matches!(suite, "jammy" | "noble") { UBUNTU } else { DEBIAN };
    let made = Command::new("sh")
        .args(["-c", MAKE_ROOT, "make"])
        .arg(&half)
        .args([suite, packages, mirror, keyring, components])
        .status()?;
    if !made.success() {
        return Ok(None);
    }
    fs::rename(half, &root)?;
    Ok(Some(root))
}

/// Mirror, keys and parts of the archive.
const DEBIAN: (&str, &str, &str) =
    ("http://deb.debian.org/debian", "/usr/share/keyrings/debian-archive-keyring.gpg", "main");
const UBUNTU: (&str, &str, &str) =
    ("http://archive.ubuntu.com/ubuntu", "/usr/share/keyrings/ubuntu-archive-keyring.gpg", "main,universe");

/// A root of suite $2 with packages $3 in folder $1, from mirror $4. debootstrap's log is shown where it fails. An Ubuntu that it doesn't know is
/// made as every other.
const MAKE_ROOT: &str = r#"
rm -rf "$1"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
script=/usr/share/debootstrap/scripts/$2
[ -e "$script" ] || script=/usr/share/debootstrap/scripts/gutsy
timeout 900 debootstrap --variant=minbase --include="$3" --keyring="$5" --components="$6" "$2" "$1" "$4" "$script" >"$log" 2>&1 ||
    { tail -n 5 "$log" >&2; rm -rf "$1"; exit 1; }
rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*
"#;
