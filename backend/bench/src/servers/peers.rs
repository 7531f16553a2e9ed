//! Debian's Postfix and Dovecot, as an administrator of a busy host would set them up: Postfix takes mail and hands it to
//! Dovecot by LMTP; both sync what they promise, as by default. Their configuration stands in `peers/`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::{PASSWORD, PEOPLE, Ports, Program, Server};

/// Dovecot's storage that every server knows, in tables.
pub(crate) const MAILDIR: &str = "Postfix + Dovecot Maildir";

/// How Dovecot keeps mail.
pub(crate) struct Format {
    /// In tables.
    pub(crate) name: &'static str,
    /// Its folder.
    pub(crate) folder: &'static str,
    location: &'static str,
    ports: Ports,
}

/// Those that are measured.
pub(crate) const FORMATS: &[Format] = &[
    Format {
        name: MAILDIR,
        folder: "maildir",
        location: "maildir:~/Maildir",
        ports: Ports { smtp: 18_225, imap: 18_343, pop3: 18_310 },
    },
    Format {
        name: "Postfix + Dovecot sdbox",
        folder: "sdbox",
        location: "sdbox:~/sdbox",
        ports: Ports { smtp: 18_425, imap: 18_543, pop3: 18_510 },
    },
];

const PACKAGES: [&str; 4] = ["postfix", "dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd"];
const MASTER: &str = "/usr/lib/postfix/sbin/master";
/// Who owns the mail: a user that every Debian has.
pub(crate) const OWNER: &str = "mail";

/// Whether they are installed; as root they are, where they weren't. Otherwise it is said what is missing.
pub(crate) fn are_here() -> anyhow::Result<bool> {
    let is_here = || {
        [
            "/usr/sbin/postfix",
            "/usr/sbin/dovecot",
            "/usr/lib/dovecot/lmtp",
            "/usr/lib/dovecot/imap",
            "/usr/lib/dovecot/pop3",
        ]
        .iter()
        .all(|file| Path::new(file).exists())
    };
    let user = Command::new("id").arg("-u").output()?.stdout;
    if user != b"0\n" {
        eprintln!("\nSKIPPED: Postfix and Dovecot are started by root only\n");
        return Ok(false);
    }
    if !is_here() {
        install(&PACKAGES);
    }
    if !is_here() {
        eprintln!("\nSKIPPED: Postfix and Dovecot: cannot install {}\n", PACKAGES.join(" "));
    }
    Ok(is_here())
}

/// Installs Debian's packages; whether they are there then, the caller looks.
pub(super) fn install(packages: &[&str]) {
    eprintln!("installing {}", packages.join(" "));
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-q", "--no-install-recommends"]).args(packages);
    drop(install.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null()).status());
}

/// Starts them in a new folder.
pub(crate) fn start(format: &Format, folder: &Path) -> anyhow::Result<Server> {
    let postfix = folder.join("postfix");
    if folder.exists() {
        // Postfix outlives a bench that was killed: it changes users, and so loses the signal of its parent's death.
        drop(Command::new("postfix").arg("-c").arg(&postfix).arg("stop").stderr(Stdio::null()).status());
        fs::remove_dir_all(folder)?;
    }
    for (name, owner) in [
        ("postfix", "root"),
        ("queue", "root"),
        ("queue/private", "postfix"),
        ("state", "postfix"),
        ("run", "root"),
        ("mail", OWNER),
    ] {
        let path = folder.join(name);
        fs::create_dir_all(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(if owner == "root" { 0o755 } else { 0o700 }))?;
        ensure!(Command::new("chown").arg(owner).arg(&path).status()?.success(), "cannot give {} away", path.display());
    }
    let fill = |text: &str| {
        text.replace("{folder}", &folder.display().to_string())
            .replace("{location}", format.location)
            .replace("{owner}", OWNER)
            .replace("{smtp}", &format.ports.smtp.to_string())
            .replace("{imap}", &format.ports.imap.to_string())
            .replace("{pop3}", &format.ports.pop3.to_string())
    };
    fs::write(postfix.join("main.cf"), fill(include_str!("../../peers/main.cf")))?;
    fs::write(postfix.join("master.cf"), fill(include_str!("../../peers/master.cf")))?;
    fs::write(folder.join("dovecot.conf"), fill(include_str!("../../peers/dovecot.conf")))?;
    let hash = password_hash()?;
    let each =
        |line: &dyn Fn(String) -> String| (0..PEOPLE).map(|person| line(Server::address(person))).collect::<String>();
    fs::write(postfix.join("people"), each(&|address| format!("{address} {address}\n")))?;
    fs::write(folder.join("people"), each(&|address| format!("{address}:{hash}::::::\n")))?;
    let configuration = [folder.join("dovecot.conf"), postfix].map(|path| path.display().to_string());
    let [dovecot, postfix] = configuration.each_ref().map(String::as_str);
    // Makes the folders of its queue.
    let check = Command::new("postfix").args(["-c", postfix, "check"]).stderr(Stdio::null()).status()?;
    ensure!(check.success(), "Postfix finds fault with {postfix}");
    let programs = vec![
        Program::new(["/usr/sbin/dovecot", "-F", "-c", dovecot]),
        // Itself, not through its script: that would stand between us and it, and end alone.
        Program::new([MASTER, "-c", postfix, "-s"]),
    ];
    Server::start(format.name, format.ports, programs).with_context(|| format!("see the logs in {}", folder.display()))
}

/// As Dovecot makes it where nothing is said.
fn password_hash() -> anyhow::Result<String> {
    let output = Command::new("doveadm").args(["-c", "/dev/null", "pw", "-s", "BLF-CRYPT", "-p", PASSWORD]).output()?;
    let hash = String::from_utf8(output.stdout)?.trim().to_owned();
    ensure!(hash.starts_with('{'), "doveadm makes no hash");
    Ok(hash)
}
