//! A private Postfix that takes mail for anybody: at one address with STARTTLS, at another as if STARTTLS had been taken out on the way.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use relais_testkit::machine::{self, find_program, is_root};
use tempfile::TempDir;

pub(crate) const WITH_TLS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 71));
pub(crate) const STRIPPED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 72));

/// Ends with the test.
#[derive(Debug)]
pub(crate) struct Postfix {
    folder: TempDir,
    pub(crate) port: u16,
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let stopped = Command::new("postfix").arg("-c").arg(self.folder.path().join("etc")).arg("stop").status();
        assert!(stopped.is_ok(), "Postfix can be stopped");
    }
}

impl Postfix {
    /// It shows `certificate`, PEM with its key. None where Postfix isn't installed or we aren't root: the test is passed over, and says so.
    pub(crate) fn start(certificate: &str) -> Option<Self> {
        if find_program("postfix").is_none() || !is_root() {
            machine::say("skip: Postfix is not installed (Debian: postfix), or this isn't root");
            return None;
        }
        let folder = TempDir::new().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let at = |name: &str| folder.path().join(name);
        for part in ["etc", "queue", "data", "mail"] {
            fs::create_dir(at(part)).unwrap();
        }
        let (nobody, postfix) = (id("nobody"), id("postfix"));
        chown(at("mail"), Some(nobody), None).unwrap();
        chown(at("data"), Some(postfix), None).unwrap();
        fs::write(at("chain.pem"), certificate).unwrap();
        let port = free_port();
        fs::write(at("etc/main.cf"), main_cf(folder.path(), nobody)).unwrap();
        fs::write(at("etc/master.cf"), master_cf(port)).unwrap();
        let started = Command::new("postfix").arg("-c").arg(at("etc")).arg("start").output().unwrap();
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        let postfix = Self { folder, port };
        for address in [WITH_TLS, STRIPPED] {
            postfix.wait(SocketAddr::new(address, port));
        }
        Some(postfix)
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn wait(&self, at: SocketAddr) {
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(at).is_err() {
            assert!(Instant::now() < until, "Postfix does not answer: {}", self.log());
            std::thread::yield_now();
        }
    }
}

fn main_cf(folder: &Path, owner: u32) -> String {
    let at = |name: &str| -> PathBuf { folder.join(name) };
    format!(
        "compatibility_level = 3.6\nconfig_directory = {etc}\nqueue_directory = {queue}\ndata_directory = {data}\n\
         maillog_file = {log}\nmaillog_file_prefixes = {folder}\nmail_owner = postfix\nsetgid_group = postdrop\n\
         inet_interfaces = all\ninet_protocols = ipv4\nmyhostname = mx.peer.test\nmydestination =\nmynetworks = 127.0.0.0/8\n\
         alias_maps =\nalias_database =\nbiff = no\nvirtual_mailbox_domains = static:all\nvirtual_mailbox_maps = static:box/\n\
         virtual_mailbox_base = {mail}\nvirtual_uid_maps = static:{owner}\nvirtual_gid_maps = static:{owner}\n\
         smtpd_recipient_restrictions = permit_mynetworks, reject\nsmtpd_tls_chain_files = {chain}\nsmtpd_tls_loglevel = 1\n\
         notify_classes =\n",
        etc = at("etc").display(),
        queue = at("queue").display(),
        data = at("data").display(),
        log = at("log").display(),
        folder = folder.display(),
        mail = at("mail").display(),
        chain = at("chain.pem").display(),
    )
}

fn master_cf(port: u16) -> String {
    let mut services = format!(
        "{WITH_TLS}:{port} inet n - n - - smtpd\n  -o smtpd_tls_security_level=may\n\
         {STRIPPED}:{port} inet n - n - - smtpd\n  -o smtpd_tls_security_level=none\n"
    );
    for line in [
        "cleanup unix n - n - 0 cleanup",
        "qmgr unix n - n 300 1 qmgr",
        "tlsmgr unix - - n 1000? 1 tlsmgr",
        "rewrite unix - - n - - trivial-rewrite",
        "bounce unix - - n - 0 bounce",
        "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce",
        "proxymap unix - - n - - proxymap",
        "error unix - - n - - error",
        "retry unix - - n - - error",
        "virtual unix - n n - - virtual",
        "anvil unix - - n - 1 anvil",
        "postlog unix-dgram n - n - 1 postlogd",
    ] {
        services.push_str(line);
        services.push('\n');
    }
    services
}

fn id(user: &str) -> u32 {
    let output = Command::new("id").args(["-u", user]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// At both addresses.
fn free_port() -> u16 {
    loop {
        let first = TcpListener::bind((WITH_TLS, 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        if TcpListener::bind((STRIPPED, port)).is_ok() {
            return port;
        }
    }
}
