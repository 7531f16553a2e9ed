//! A client that reads lines; a literal is part of the line that announces it.

use std::io;
use std::path::Path;
use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufStream, ReadHalf, WriteHalf,
};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// Nothing takes so long but a fault.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a client speaks through: a socket, or a pipe to what compresses.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One session.
pub(crate) struct Client {
    stream: BufStream<Box<dyn Stream>>,
    tags: u32,
    /// Each octet is sent alone.
    by_octet: bool,
}

impl Client {
    pub(crate) async fn connect(socket: &Path) -> Self {
        let stream: Box<dyn Stream> = Box::new(UnixStream::connect(socket).await.unwrap());
        Self { stream: BufStream::new(stream), tags: 0, by_octet: false }
    }

    /// From here on each octet is sent alone.
    pub(crate) const fn send_by_octet(&mut self) {
        self.by_octet = true;
    }

    /// From here on both directions are compressed (RFC 4978).
    pub(crate) fn compress(self) -> Self {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (said, heard) = tokio::io::split(far);
        let (from_server, to_server) = tokio::io::split(self.stream);
        let tasks = TaskTracker::new();
        tasks.spawn(deflate(said, to_server));
        tasks.spawn(inflate(from_server, heard));
        Self { stream: BufStream::new(Box::new(near)), ..self }
    }

    pub(crate) async fn send(&mut self, octets: &[u8]) {
        if self.by_octet {
            for octet in octets {
                self.stream.write_all(&[*octet]).await.unwrap();
                self.stream.flush().await.unwrap();
                tokio::task::yield_now().await;
            }
            return;
        }
        self.stream.write_all(octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// A line as it came, without its end; empty where the server hung up.
    pub(crate) async fn line(&mut self) -> String {
        self.line_if_any().await.expect("a line is missing")
    }

    /// [`Self::line`], if one comes.
    pub(crate) async fn line_if_any(&mut self) -> Option<String> {
        let mut line = Vec::new();
        timeout(PATIENCE, self.stream.read_until(b'\n', &mut line)).await.ok()?.unwrap();
        let line = line.strip_suffix(b"\r\n").unwrap_or(&line);
        Some(String::from_utf8_lossy(line).into_owned())
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

/// Carries what the client says to the server, compressed.
async fn deflate(mut said: ReadHalf<impl AsyncRead>, mut to: WriteHalf<impl AsyncWrite>) -> io::Result<()> {
    let mut compress = Compress::new(Compression::fast(), false);
    let mut octets = [0; 1024];
    loop {
        let read = said.read(&mut octets).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        let mut packed = Vec::with_capacity(4096);
        compress.compress_vec(&octets[..read], &mut packed, FlushCompress::Sync)?;
        to.write_all(&packed).await?;
        to.flush().await?;
    }
}

/// Carries what the server says to the client, in the clear.
async fn inflate(mut from: ReadHalf<impl AsyncRead>, mut heard: WriteHalf<impl AsyncWrite>) -> io::Result<()> {
    let mut decompress = Decompress::new(false);
    let mut octets = [0; 256];
    loop {
        let read = from.read(&mut octets).await?;
        if read == 0 {
            return heard.shutdown().await;
        }
        // As much as 256 octets can stand for.
        let mut plain = Vec::with_capacity(512 * 1024);
        decompress.decompress_vec(&octets[..read], &mut plain, FlushDecompress::Sync)?;
        heard.write_all(&plain).await?;
    }
}
