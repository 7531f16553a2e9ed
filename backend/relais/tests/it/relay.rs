//! A smart host that lets nobody in.

use std::net::TcpListener;

use data_encoding::BASE64;
use relais_testkit::wire::Wire;
use tempfile::NamedTempFile;

/// Listens, with the file that holds its password.
pub(crate) struct Relay {
    listener: TcpListener,
    password: NamedTempFile,
}

impl Relay {
    pub(crate) fn new(password: &str) -> Self {
        let relay =
            Self { listener: TcpListener::bind("127.0.0.1:0").unwrap(), password: NamedTempFile::new().unwrap() };
        relay.set_password(password);
        relay
    }

    /// What its password file says from here on.
    pub(crate) fn set_password(&self, password: &str) {
        std::fs::write(self.password.path(), format!("{password}\n")).unwrap();
    }

    /// Its `[[delivery.relay]]`.
    pub(crate) fn configuration(&self) -> String {
        format!(
            "\n[[delivery.relay]]\nhost = \"{}\"\ntls = \"none\"\nusername = \"relais\"\npassword_file = \"{}\"\n",
            self.listener.local_addr().unwrap(),
            self.password.path().display()
        )
    }

    /// Takes a connection, and gives the AUTH line that it refused.
    pub(crate) fn refuse_a_log_in(&self) -> String {
        let mut wire = Wire::over(self.listener.accept().unwrap().0).unwrap();
        wire.send(b"220 relay.example ESMTP\r\n").unwrap();
        assert!(wire.line().unwrap().starts_with(b"EHLO "));
        wire.send(b"250-relay.example\r\n250 AUTH PLAIN\r\n").unwrap();
        let line = String::from_utf8(wire.line().unwrap()).unwrap();
        wire.send(b"535 5.7.8 Wrong name or password\r\n").unwrap();
        line
    }
}

/// PLAIN's response.
pub(crate) fn plain(name: &str, password: &str) -> String {
    BASE64.encode(format!("\0{name}\0{password}").as_bytes())
}
