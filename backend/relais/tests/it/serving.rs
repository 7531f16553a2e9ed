//! `relais serve` as systemd starts it: what it says of itself, and the certificates that it shows.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use relais_testkit::wire::{Trust, Wire};
use tempfile::TempDir;

const HOST: &str = "mx.house.example";

/// A server with one door, `imaps`.
struct Service {
    folder: TempDir,
    port: u16,
    systemd: UnixDatagram,
    process: Option<Child>,
}

impl Service {
    /// Not yet started; with `more` in its configuration.
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "hostname = \"{HOST}\"\ndata = \"{}\"\noperations = {{ at = \"\" }}\nweb = {{ at = [], plain_at = [] }}\n{more}\n\
             [[listen]]\nprotocol = \"imaps\"\nat = \"127.0.0.1:{port}\"\n",
            folder.path().join("data").display()
        );
        std::fs::write(folder.path().join("relais.toml"), config).unwrap();
        let systemd = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        systemd.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { folder, port, systemd, process: None }
    }

    fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relais"));
        command.arg("--config").arg(self.folder.path().join("relais.toml")).arg("serve");
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify")).stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        assert_eq!(self.told(), "READY=1");
    }

    fn signal(&self, name: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([format!("-{name}"), process]).status().unwrap().success());
    }

    fn end(&mut self) {
        self.signal("TERM");
        assert_eq!(self.told(), "STOPPING=1");
        assert!(self.process.take().unwrap().wait().unwrap().success());
    }

    /// The first line of the next word to systemd.
    fn told(&self) -> String {
        let mut octets = [0; 256];
        let length = self.systemd.recv(&mut octets).unwrap();
        String::from_utf8_lossy(&octets[..length]).lines().next().unwrap_or_default().to_owned()
    }

    /// Whether the server shows a certificate for `name` that is, or comes from, the one in `chain`.
    fn shows(&self, chain: &Path, name: &str) -> bool {
        let trust = Trust::from_pem(chain).unwrap().of_host(name).unwrap();
        Wire::connect(self.port).unwrap().into_tls(&trust).is_ok()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

/// `sd_notify(3)`: nobody waits for a server that is ready, or believes one that isn't.
#[test]
fn systemd_hears_of_readiness_reloading_and_the_end() {
    let mut service = Service::new("");
    service.start();
    assert!(Wire::connect(service.port).is_ok(), "whoever says READY has its doors open");
    service.signal("HUP");
    assert_eq!(service.told(), "RELOADING=1");
    assert_eq!(service.told(), "READY=1");
    service.end();
}

/// Without any in the configuration: made for the host's name at the first start, kept for those after it.
#[test]
fn a_certificate_is_made_at_the_first_start_and_kept() {
    let mut service = Service::new("");
    let chain = service.folder.path().join("data/self-signed.pem");
    service.start();
    assert!(service.shows(&chain, HOST));
    service.end();
    let first = std::fs::read(&chain).unwrap();
    service.start();
    assert_eq!(std::fs::read(&chain).unwrap(), first);
    assert!(service.shows(&chain, HOST));
    service.end();
}

/// RFC 6066 §3: each name has its certificate; who asks for another gets the first.
#[test]
fn the_name_asked_for_chooses_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, wild] =
        [HOST, "mail.other.example", "*.wild.example"].map(|name| make_certificate(folder.path(), name));
    let pairs = [&first, &second, &wild].map(|chain| {
        format!("{{ chain = \"{}\", key = \"{}\" }}", chain.display(), chain.with_extension("key").display())
    });
    let mut service = Service::new(&format!("tls = {{ certificates = [{}] }}", pairs.join(", ")));
    service.start();
    assert!(service.shows(&first, HOST));
    assert!(service.shows(&second, "mail.other.example"));
    assert!(service.shows(&second, "MAIL.Other.Example"));
    assert!(service.shows(&wild, "imap.wild.example"));
    service.end();
}

/// A certificate that signs itself, `NAME.pem` beside `NAME.key` in `folder`.
fn make_certificate(folder: &Path, name: &str) -> PathBuf {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let chain = folder.join(name.replace('*', "any")).with_extension("pem");
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(chain.with_extension("key"), made.signing_key.serialize_pem()).unwrap();
    chain
}
