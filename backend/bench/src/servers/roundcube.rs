//! Debian's Roundcube, with nginx and PHP-FPM before it, on the Dovecot that is measured. Its configuration stands in `peers/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::peers::{self, FORMATS};
use super::{Ports, Program, Server};

/// In tables.
pub(crate) const ROUNDCUBE: &str = "Roundcube + Dovecot Maildir";
/// Where its pages are.
pub(crate) const ORIGIN: &str = "https://127.0.0.1:18444";

const HTTPS: u16 = 18_444;
const PACKAGES: [&str; 5] = ["roundcube-core", "roundcube-sqlite3", "php-fpm", "php-sqlite3", "nginx-light"];
/// Who runs PHP: a user that every Debian has.
const OWNER: &str = "www-data";
const TABLES: &str = "/usr/share/dbconfig-common/data/roundcube/install/sqlite3";
const DEFAULTS: &str = "/etc/roundcube/defaults.inc.php";

/// Starts it and its Dovecot in a new folder; none where they aren't here, which is said.
pub(crate) fn start(folder: &Path) -> anyhow::Result<Option<Server>> {
    let Some(format) = FORMATS.first() else { return Ok(None) };
    if !peers::are_here()? {
        return Ok(None);
    }
    let is_here =
        || [TABLES, DEFAULTS, "/usr/sbin/nginx"].iter().all(|file| Path::new(file).exists()) && fpm().is_some();
    if !is_here() {
        peers::install(&PACKAGES);
    }
    let Some(fpm) = fpm().filter(|_| is_here()) else {
        eprintln!("\nSKIPPED: Roundcube: cannot install {}\n", PACKAGES.join(" "));
        return Ok(None);
    };
    let mut server = peers::start(format, &folder.join("dovecot"))?;
    let folder = folder.join("roundcube");
    prepare(&folder, server.ports())?;
    let [nginx, pools] = ["nginx.conf", "php-fpm.conf"].map(|name| folder.join(name).display().to_string());
    let place = folder.display().to_string();
    let fpm = fpm.display().to_string();
    let programs = vec![
        Program::new([fpm.as_str(), "--nodaemonize", "--fpm-config", &pools]),
        Program::new(["/usr/sbin/nginx", "-p", &place, "-c", &nginx]),
    ];
    server.name = ROUNDCUBE;
    server.add(programs, HTTPS).with_context(|| format!("see the logs in {place}"))?;
    Ok(Some(server))
}

/// PHP's version is part of its program's name.
fn fpm() -> Option<PathBuf> {
    let files = fs::read_dir("/usr/sbin").ok()?.flatten().map(|file| file.path());
    files.filter(|path| path.to_string_lossy().contains("/php-fpm")).max()
}

fn prepare(folder: &Path, ports: Ports) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder.join("state"))?;
    let fill = |text: &str| {
        text.replace("{folder}", &folder.display().to_string())
            .replace("{https}", &HTTPS.to_string())
            .replace("{imap}", &ports.imap.to_string())
            .replace("{smtp}", &ports.smtp.to_string())
            .replace("{key}", "twenty-four-octets-long!")
    };
    fs::write(folder.join("nginx.conf"), fill(include_str!("../../peers/nginx.conf")))?;
    fs::write(folder.join("php-fpm.conf"), fill(include_str!("../../peers/php-fpm.conf")))?;
    fs::write(folder.join("config.inc.php"), fill(include_str!("../../peers/roundcube.php")))?;
    std::os::unix::fs::symlink(DEFAULTS, folder.join("defaults.inc.php"))?;
    let make_tables = "$made = new PDO('sqlite:' . $argv[1]); $made->exec(file_get_contents($argv[2]));";
    let table = folder.join("state/roundcube.db");
    run(Command::new("php").args(["-r", make_tables]).arg(table).arg(TABLES))?;
    run(Command::new("chown").args(["-R", OWNER]).arg(folder.join("state")))?;
    let request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
    run(Command::new("openssl")
        .args(request)
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem")))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}
