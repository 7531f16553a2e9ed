//! How the command line meets a running server: one act and one answer, each a line of JSON, over a socket in the data
//! directory that only the server's own user (and root) can open.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use relais_service::{Act, ActFailure, Answer, Service};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

/// An act's line, at most: the largest is an import's file.
const MAX_ACT_OCTETS: u64 = 64 * 1024 * 1024;
/// For an act to come in. The socket is local.
const ACT_TIMEOUT: Duration = Duration::from_secs(30);
/// For the answer to an act, an import of many thousands among them.
const ANSWER_TIMEOUT: Duration = Duration::from_hours(1);

/// Binds the socket. The store is locked by now, so one that is there was left by a process that died.
pub(crate) fn bind(path: &Path) -> Result<UnixListener> {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error).with_context(|| format!("cannot replace {}", path.display()));
    }
    let listener = UnixListener::bind(path).with_context(|| format!("cannot listen at {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until `stop`; acts under way are finished.
pub(crate) async fn serve(listener: UnixListener, service: Service, stop: CancellationToken) {
    let acts = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted, // cancel-safe: tokio's accept is
        };
        match accepted {
            Ok((stream, _)) => {
                let service = service.clone();
                acts.spawn(async move {
                    if let Err(error) = answer(stream, &service).await {
                        debug!(%error, "a control connection ended early");
                    }
                });
            }
            Err(error) => {
                warn!(%error, "the control socket failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    acts.close();
    acts.wait().await;
}

async fn answer(stream: UnixStream, service: &Service) -> Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reading.take(MAX_ACT_OCTETS));
    timeout(ACT_TIMEOUT, reader.read_line(&mut line)).await??;
    let outcome: Result<Answer, ActFailure> = match serde_json::from_str::<Act>(&line) {
        Ok(act) => service.run(act).await,
        Err(error) => Err(ActFailure::Bad(format!("another version of relais is speaking: {error}"))),
    };
    let mut reply = serde_json::to_vec(&outcome)?;
    reply.push(b'\n');
    timeout(ACT_TIMEOUT, writing.write_all(&reply)).await??;
    Ok(())
}

/// Says an act to the server behind `socket`. `None` where no server is there.
pub(crate) async fn say(socket: &Path, act: &Act) -> Result<Option<Result<Answer, ActFailure>>> {
    let mut stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot speak to the server at {}", socket.display())),
    };
    let mut line = serde_json::to_vec(act)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut reply = Vec::new();
    timeout(ANSWER_TIMEOUT, stream.read_to_end(&mut reply)).await.context("the server gave no answer in time")??;
    Ok(Some(serde_json::from_slice(&reply).context("the server's answer is not understood: is it another version?")?))
}
