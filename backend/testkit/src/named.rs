//! A private BIND: a root of its own, and zones below it, signed or not.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::machine::{self, find_program};

/// Serves all zones, also the root: it is the resolver, too, for it knows all that there is. BIND listens only where an interface has the address.
pub const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Nobody listens there.
pub const SILENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 62));

const HEAD: &str = "$TTL 300\n@ SOA ns.dns.test. master.dns.test. 1 3600 600 86400 60\n@ NS ns.dns.test.\n";

/// Ends with the test.
#[derive(Debug)]
pub struct Named {
    process: Child,
    folder: TempDir,
    port: u16,
}

impl Drop for Named {
    fn drop(&mut self) {
        self.process.kill().expect("named can be ended");
        self.process.wait().expect("named ends");
    }
}

/// A zone.
#[derive(Debug)]
pub struct Zone {
    /// Without the last dot.
    pub name: &'static str,
    /// Below the SOA and NS records.
    pub records: String,
    /// How it is signed.
    pub keys: Keys,
}

/// How a zone stands with DNSSEC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// The root holds its DS record.
    Signed,
    /// None.
    Unsigned,
    /// The root holds a DS record of another key.
    WrongDs,
    /// Its server knows that it serves it, and has no data.
    Lost,
}

impl Named {
    /// None where BIND isn't installed: the test is passed over, and says so.
    pub fn start(zones: &[Zone]) -> Option<Self> {
        let tools = ["named", "dnssec-keygen", "dnssec-signzone", "dnssec-dsfromkey"];
        if let Some(missing) = tools.into_iter().find(|tool| find_program(tool).is_none()) {
            machine::say(&format!("skip: {missing} is not installed (Debian: bind9, bind9-utils)"));
            return None;
        }
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let mut root = "ns.dns.test. A 127.0.0.1\n".to_owned();
        for zone in zones {
            lay(folder.path(), zone);
            writeln!(root, "{}. NS ns.dns.test.", zone.name).unwrap();
            if matches!(zone.keys, Keys::Signed | Keys::WrongDs) {
                let mut ds = run(folder.path(), "dnssec-dsfromkey", &["-2", &key(folder.path(), zone.name)]);
                if zone.keys == Keys::WrongDs {
                    let at = ds.trim_end().len() - 1;
                    let other = if ds.as_bytes()[at] == b'0' { "1" } else { "0" };
                    ds.replace_range(at..=at, other);
                }
                root.push_str(&ds);
            }
        }
        lay(folder.path(), &Zone { name: ".", records: root, keys: Keys::Signed });
        let keys = fs::read_to_string(format!("{}.key", key(folder.path(), "."))).unwrap();
        let anchor: Vec<&str> = keys.lines().filter(|line| !line.starts_with(';')).collect();
        fs::write(folder.path().join("anchor"), anchor.join("\n")).unwrap();
        let process = serve(folder.path(), port, zones);
        let mut named = Self { process, folder, port };
        named.wait();
        Some(named)
    }

    /// The root's keys, as a file of DNSKEY records.
    pub fn anchor(&self) -> PathBuf {
        self.folder.path().join("anchor")
    }

    /// Where it is asked.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(SERVER, self.port)
    }

    fn wait(&mut self) {
        let until = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect((SERVER, self.port)).is_err() {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(self.process.try_wait().unwrap().is_none(), "named ended: {}", log());
            assert!(Instant::now() < until, "named does not answer: {}", log());
            std::thread::yield_now();
        }
    }
}

fn serve(folder: &Path, port: u16, zones: &[Zone]) -> Child {
    let mut config = format!(
        "options {{ directory \"{0}\"; listen-on port {port} {{ {SERVER}; }}; listen-on-v6 {{ none; }}; recursion no; \
         dnssec-validation no; pid-file \"{0}/pid\"; session-keyfile \"{0}/session\"; lock-file none; \
         empty-zones-enable no; }};\ncontrols {{ }};\n\
         zone \".\" {{ type primary; file \"root.signed\"; }};\n",
        folder.display()
    );
    for zone in zones {
        let file = if matches!(zone.keys, Keys::Unsigned | Keys::Lost) {
            zone.name.to_owned()
        } else {
            format!("{}.signed", zone.name)
        };
        writeln!(config, "zone \"{}\" {{ type primary; file \"{file}\"; }};", zone.name).unwrap();
    }
    fs::write(folder.join("named.conf"), config).unwrap();
    let log = fs::File::create(folder.join("log")).unwrap();
    // In the foreground, all it has to say into one file.
    // It ends also when the test is killed.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(find_program("named").unwrap());
    command.args(["-g", "-n", "1", "-c"]).arg(folder.join("named.conf"));
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

/// Writes the zone's file, and signs it.
fn lay(folder: &Path, zone: &Zone) {
    let file = if zone.name == "." { "root" } else { zone.name };
    if zone.keys == Keys::Lost {
        return;
    }
    fs::write(folder.join(file), format!("{HEAD}{}", zone.records)).unwrap();
    if zone.keys == Keys::Unsigned {
        return;
    }
    let origin = format!("{}.", zone.name.trim_end_matches('.'));
    let made = run(folder, "dnssec-keygen", &["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", &origin]);
    fs::write(folder.join(format!("{file}.keyname")), made.trim()).unwrap();
    run(folder, "dnssec-signzone", &["-S", "-z", "-o", &origin, "-f", &format!("{file}.signed"), file]);
}

fn key(folder: &Path, zone: &str) -> String {
    let file = if zone == "." { "root" } else { zone };
    let name = fs::read_to_string(folder.join(format!("{file}.keyname"))).unwrap();
    folder.join(name).display().to_string()
}

fn run(folder: &Path, tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(find_program(tool).unwrap()).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Free for UDP and TCP alike.
fn free_port() -> u16 {
    loop {
        let tcp = TcpListener::bind((SERVER, 0)).unwrap();
        let port = tcp.local_addr().unwrap().port();
        if UdpSocket::bind((SERVER, port)).is_ok() {
            return port;
        }
    }
}
