//! What a fixture asks of the machine it runs on.

use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether this process is root's; asked of the file system, which needs no crate.
pub fn is_root() -> bool {
    Path::new("/proc/self").metadata().is_ok_and(|own| own.uid() == 0)
}

/// A port on 127.0.0.1 that nobody had a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port on loopback");
    listener.local_addr().expect("the port that was bound").port()
}

/// Where a program of that name stands on the `PATH` or among the system's own.
pub fn find_program(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(str::to_owned);
    path.split(':').map(str::to_owned).chain(system).map(|dir| Path::new(&dir).join(name)).find(|file| file.is_file())
}

/// Says a line to the person at the terminal, past libtest's capture, which hides what a passing test prints.
pub fn say(line: &str) {
    // A closed terminal is no reason to fail a test.
    drop(writeln!(io::stderr(), "{line}"));
}
