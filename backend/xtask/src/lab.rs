//! From a bare host to mail with the world, in a lab of namespaces with a DNS, a CA and a mail server of its own: `installer/tests/lab.py`.

use std::fs;
use std::process::Command;

use anyhow::{Context, ensure};
use relais_testkit::machine;

use crate::tally::Tally;
use crate::{installer, release};

/// What the lab needs of this machine.
const PACKAGES: &[&str] = &[
    "bind9",
    "bind9-dnsutils",
    "binutils",
    "curl",
    "debootstrap",
    "iproute2",
    "openssl",
    "pebble",
    "postfix",
    "postfix-mta-sts-resolver",
    "python3",
    "python3-dkim",
    "python3-dnspython",
    "util-linux",
];
/// And what grades its TLS.
const GRADERS: &[&str] = &["bsdextrautils", "sslscan", "testssl.sh"];
/// Without one of these it is skipped.
const PROGRAMS: &[&str] = &[
    "debootstrap",
    "unshare",
    "ip",
    "objcopy",
    "named",
    "nsupdate",
    "dnssec-keygen",
    "pebble",
    "postfix",
    "curl",
    "openssl",
    "dkimverify",
    "mta-sts-daemon",
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(value_enum, default_value_t = Act::Run)]
    act: Act,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Act {
    /// The whole way, from install.sh to mail in both directions, with the time of each step
    Run,
    /// The whole way, and then testssl.sh and sslscan at all doors (about 25 minutes)
    Tls,
    /// Only makes the lab, and keeps it until `down`
    Up,
    /// Ends a lab that is up
    Down,
}

/// The whole way, as a stage of `test`: half a minute where the root is made already.
pub(crate) fn run_all() -> anyhow::Result<Tally> {
    run(&Arguments { act: Act::Run })
}

/// Makes what is released of the program that is built, and the lab around it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    let work = crate::root().join("target/installer");
    let running = work.join("lab.pid");
    if arguments.act == Act::Down {
        let process = fs::read_to_string(&running).context("no lab is up")?;
        ensure!(Command::new("kill").arg(process.trim()).status()?.success(), "no lab is up");
        return Ok(Tally::of(true));
    }
    if !machine::is_root() {
        println!("skip lab (only root makes machines)");
        return Ok(Tally::skip());
    }
    let graders = if arguments.act == Act::Tls { GRADERS } else { &[] };
    crate::peers::install(&[PACKAGES, graders].concat());
    let graders: &[&str] = if arguments.act == Act::Tls { &["sslscan", "testssl"] } else { &[] };
    if let Some(missing) = PROGRAMS.iter().chain(graders).find(|program| !installer::is_there(program)) {
        println!("skip lab ({missing} is not here)");
        return Ok(Tally::skip());
    }
    let Some(bare) = installer::root(&work, "bookworm", "bare", installer::HOST)? else {
        println!("skip lab (no Debian root could be made: is there a network?)");
        return Ok(Tally::skip());
    };
    let release = release::folder(&installer::slim(&work)?, &release::version(&crate::root())?, &work.join("lab"))?;
    let act = match arguments.act {
        Act::Tls => "tls",
        Act::Up => "up",
        Act::Run | Act::Down => "run",
    };
    installer::count(installer::script("lab.py", &work).arg(act).env("BARE", bare).env("RELEASE", release))
}
