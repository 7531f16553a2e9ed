//! Where a program listens that isn't ours.

use std::fmt;
use std::path::PathBuf;

/// A door of a program: a socket's path, or a host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `unix:/path`, from the root on.
    Unix(PathBuf),
    /// `HOST:PORT`; an IPv6 address in brackets.
    Tcp {
        /// A name or an address, without brackets.
        host: String,
        /// Never 0.
        port: u16,
    },
}

/// The text names no door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is neither unix:/PATH nor HOST:PORT")]
pub struct EndpointError;

/// Octets of its text, at most: a socket's path has 107.
const MOST_OCTETS: usize = 255;

impl Endpoint {
    /// Reads `unix:/path`, `HOST:PORT`, `[::1]:PORT`.
    ///
    /// # Errors
    /// [`EndpointError`], for anything else.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim();
        if text.len() > MOST_OCTETS {
            return Err(EndpointError);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            let is_path = path.len() > 1 && path.starts_with('/') && path.chars().all(|one| !one.is_control());
            return if is_path { Ok(Self::Unix(path.into())) } else { Err(EndpointError) };
        }
        let (host, port) = text.rsplit_once(':').ok_or(EndpointError)?;
        let bare = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').filter(|inner| inner.contains(':')).ok_or(EndpointError)?,
            None => host,
        };
        let is_address = bare.contains(':') && host != bare && bare.parse::<std::net::Ipv6Addr>().is_ok();
        let letters = |one: u8| one.is_ascii_alphanumeric() || matches!(one, b'.' | b'-' | b'_');
        let is_name = !bare.is_empty() && bare.bytes().all(letters);
        let port = port.parse::<u16>().ok().filter(|port| *port > 0).ok_or(EndpointError)?;
        if is_address || is_name { Ok(Self::Tcp { host: bare.to_owned(), port }) } else { Err(EndpointError) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_alike() {
        for text in ["unix:/run/clamav/clamd.ctl", "127.0.0.1:3310", "[::1]:11333", "filters.example:8891"] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "unix:",
            "unix:/",
            "unix:run/x",
            "/run/x",
            "host",
            "host:0",
            "host:70000",
            ":25",
            "a b:25",
            "::1:25",
            "[host]:25",
            "[::1:25",
            "unix:/a\nb",
            "http://x:1",
        ] {
            assert_eq!(Endpoint::parse(text), Err(EndpointError), "{text}");
        }
    }
}
