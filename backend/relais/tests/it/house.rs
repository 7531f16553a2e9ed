//! A demo in a folder of its own.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use relais_testkit::secrets::Secrets;
use relais_testkit::server::{Program, Server};
use relais_testkit::wire::Trust;
use relais_testkit::{imap, smtp};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_relais");

/// The server, and who is in it: ann, ben and chloe at relais.test. Mail for other hosts stays in its queue.
pub(crate) struct House {
    pub(crate) server: Server,
    pub(crate) trust: Trust,
}

impl House {
    pub(crate) fn open() -> Self {
        Self::with("")
    }

    /// With `more` in its configuration.
    pub(crate) fn with(more: &str) -> Self {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(more.as_bytes()).unwrap();
        let arguments = ["--with", file.path().to_str().unwrap()];
        let server = Server::start(&Program::Relais(PROGRAM.into()), &arguments).unwrap();
        let trust = server.trust().unwrap();
        Self { server, trust }
    }

    pub(crate) fn password(&self, address: &str) -> &str {
        let accounts = &self.server.facts().accounts;
        &accounts.iter().find(|(known, _)| known == address).unwrap().1
    }

    pub(crate) fn lmtp(&self) -> &Path {
        self.server.facts().lmtp.as_deref().unwrap()
    }

    /// A session at port 25, in the clear.
    pub(crate) fn stranger(&self) -> smtp::Client {
        smtp::Client::connect(self.server.port("smtp")).unwrap()
    }

    /// A session for submission, logged in.
    pub(crate) fn submitter(&self, address: &str) -> smtp::Client {
        let mut client = smtp::Client::connect_tls(self.server.port("submissions"), &self.trust).unwrap();
        client.log_in(address, self.password(address)).unwrap();
        client
    }

    /// The newest message in `address`'s INBOX.
    pub(crate) fn newest(&self, address: &str) -> String {
        let mut client = imap::Client::connect_tls("127.0.0.1", self.server.port("imaps"), &self.trust).unwrap();
        client.login(address, self.password(address)).unwrap();
        client.must("SELECT INBOX").unwrap();
        let fetched = client.must("FETCH * BODY.PEEK[]").unwrap();
        fetched.texts().find(|text| text.contains("FETCH")).unwrap()
    }

    /// `relais …` against this house; what it said, and whether it ended well.
    pub(crate) fn command(&self, arguments: &[&str], input: &str) -> (bool, String) {
        let mut child = Command::new(PROGRAM)
            .arg("--config")
            .arg(self.server.folder().join("relais.toml"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        assert_eq!(Secrets::new([]).told_in(said.as_bytes()).unwrap(), None, "a secret is said");
        (done.status.success(), said)
    }

    /// The same, which must end well.
    #[track_caller]
    pub(crate) fn must(&self, arguments: &[&str], input: &str) -> String {
        let (is_done, said) = self.command(arguments, input);
        assert!(is_done, "{arguments:?}: {said}");
        said
    }

    /// The rows of a list.
    #[track_caller]
    pub(crate) fn rows(&self, arguments: &[&str]) -> Vec<Value> {
        let said = self.must(&[arguments, &["--json"]].concat(), "");
        let list: Value = serde_json::from_str(&said).unwrap();
        list["rows"].as_array().unwrap().clone()
    }
}

/// Code and enhanced code of a reply: `550 5.7.1`.
pub(crate) fn codes(reply: &smtp::Reply) -> String {
    let enhanced = reply.lines[0].split(' ').next().unwrap();
    format!("{} {enhanced}", reply.code)
}
