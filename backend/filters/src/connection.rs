//! The way to a filter.

use std::io;

use relais_model::Endpoint;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::Trouble;

/// What is spoken over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Connects; who waits for it sets the limit. Names are the machine's own business (`/etc/hosts`, a container's network), so the
/// machine is asked for them.
pub(crate) async fn connect(at: &Endpoint) -> Result<Box<dyn Stream>, Trouble> {
    let connected: io::Result<Box<dyn Stream>> = async {
        match at {
            Endpoint::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?) as Box<dyn Stream>),
            Endpoint::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                // A milter's dialogue is many small packets.
                stream.set_nodelay(true)?;
                Ok(Box::new(stream) as Box<dyn Stream>)
            }
        }
    }
    .await;
    connected.map_err(|error| Trouble::Unreachable(error.to_string()))
}
