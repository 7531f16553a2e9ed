//! A client that reads lines; a literal is part of the line that announces it.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Nothing takes so long but a fault.
const PATIENCE: Duration = Duration::from_secs(20);

/// One session.
pub(crate) struct Client {
    stream: BufStream<UnixStream>,
    tags: u32,
}

impl Client {
    pub(crate) async fn connect(socket: &Path) -> Self {
        Self { stream: BufStream::new(UnixStream::connect(socket).await.unwrap()), tags: 0 }
    }

    pub(crate) async fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// A line as it came, without its end; empty where the server hung up.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = Vec::new();
        timeout(PATIENCE, self.stream.read_until(b'\n', &mut line)).await.expect("a line is missing").unwrap();
        let line = line.strip_suffix(b"\r\n").unwrap_or(&line);
        String::from_utf8_lossy(line).into_owned()
    }

    /// A whole response with the literals in it.
    pub(crate) async fn response(&mut self) -> String {
        let mut response = self.line().await;
        while let Some(octets) = literal(&response) {
            let mut body = vec![0; octets];
            timeout(PATIENCE, self.stream.read_exact(&mut body)).await.expect("a literal is missing").unwrap();
            response.push_str("\r\n");
            response.push_str(&String::from_utf8_lossy(&body));
            response.push_str(&self.line().await);
        }
        response
    }

    /// Sends a command; its untagged responses, and how it ended.
    pub(crate) async fn command(&mut self, command: &str) -> (Vec<String>, String) {
        self.tags += 1;
        let tag = format!("t{} ", self.tags);
        self.send(format!("{tag}{command}\r\n").as_bytes()).await;
        let mut untagged = Vec::new();
        loop {
            let response = self.response().await;
            if let Some(end) = response.strip_prefix(&tag) {
                return (untagged, end.to_owned());
            }
            assert!(!response.is_empty(), "the server hung up after {command}");
            untagged.push(response);
        }
    }

    /// [`Self::command`], which must be carried out.
    pub(crate) async fn must(&mut self, command: &str) -> Vec<String> {
        let (untagged, end) = self.command(command).await;
        assert!(end.starts_with("OK"), "{command}: {end}");
        untagged
    }
}

/// Octets of the literal that a line announces at its end.
fn literal(response: &str) -> Option<usize> {
    let (_, digits) = response.strip_suffix('}')?.rsplit_once('{')?;
    digits.parse().ok()
}
