//! Messages on their way out, read from the store a piece at a time.

use std::io::{self, Cursor};
use std::pin::Pin;

use relais_store::{MessageKey, Store};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::ports::Answer;

const NAME: &[u8] = b"Return-Path:";
/// Octets of a Return-Path field of ours, at most: a path has 256 (RFC 5321 §4.5.3.1.3), four times as many where all is UTF-8.
const MAX_RETURN_PATH: usize = 1100;

/// A message's octets, from the first one.
pub(crate) type Octets = Pin<Box<dyn AsyncRead + Send>>;

/// Opens a message when somebody is ready for it. Why it can't be read is logged where it is found.
pub(crate) trait Body: Send + Sync {
    /// All octets; none where the message can't be read.
    fn open(&self) -> Answer<'_, Option<Octets>>;

    /// How many octets of what the queue counts stay here.
    fn kept_back(&self) -> Answer<'_, u64> {
        Box::pin(async { 0 })
    }
}

/// Up to `limit` octets; none where the message can't be read.
pub(crate) async fn beginning(body: &dyn Body, limit: u64) -> Vec<u8> {
    let mut octets = Vec::new();
    if let Some(message) = body.open().await
        && let Err(error) = message.take(limit).read_to_end(&mut octets).await
    {
        tracing::error!(%error, "a queued message can't be read to be returned");
    }
    octets
}

/// One message of the store.
pub(crate) struct StoredBody {
    pub(crate) store: Store,
    pub(crate) message: MessageKey,
}

impl Body for StoredBody {
    fn open(&self) -> Answer<'_, Option<Octets>> {
        Box::pin(async move {
            let why = match self.store.open_raw(self.message).await {
                Ok(Some(octets)) => match behind_return_path(octets as Octets).await {
                    Ok(octets) => return Some(octets),
                    Err(error) => error.to_string(),
                },
                Ok(None) => "it is gone".to_owned(),
                Err(error) => error.to_string(),
            };
            tracing::error!(error = why, message.key = self.message.value(), "a queued message can't be read");
            None
        })
    }

    fn kept_back(&self) -> Answer<'_, u64> {
        Box::pin(async move {
            // Why it can't be read is said where it is sent.
            let Ok(Some(octets)) = self.store.open_raw(self.message).await else { return 0 };
            let Ok((start, _)) = parted(octets as Octets).await else { return 0 };
            u64::try_from(start.len() - without_return_path(&start).len()).unwrap_or(0)
        })
    }
}

/// A message's first octets, enough for the Return-Path field that it got when it came in, and the rest.
async fn parted(mut octets: Octets) -> io::Result<(Vec<u8>, Octets)> {
    let mut start = Vec::with_capacity(MAX_RETURN_PATH);
    (&mut octets).take(MAX_RETURN_PATH as u64).read_to_end(&mut start).await?;
    Ok((start, octets))
}

/// A message without that field: it is for final delivery alone, and names whom we have written out of the envelope (RFC 5321 §4.4).
async fn behind_return_path(octets: Octets) -> io::Result<Octets> {
    let (mut start, rest) = parted(octets).await?;
    let ours = start.len() - without_return_path(&start).len();
    Ok(Box::pin(Cursor::new(start.split_off(ours)).chain(rest)))
}

/// The octets behind a Return-Path that begins the message; all where none does.
pub(crate) fn without_return_path(raw: &[u8]) -> &[u8] {
    let begins = raw.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME));
    let end = raw.iter().take(MAX_RETURN_PATH).position(|octet| *octet == b'\n').filter(|_| begins);
    end.and_then(|end| raw.get(end + 1..)).unwrap_or(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_return_path_stays_here() {
        let long = format!("Subject: {}\r\n\r\nbody\r\n", "x".repeat(5000));
        for (raw, sent) in [
            ("Return-Path: <a@b.example>\r\nSubject: x\r\n\r\n", "Subject: x\r\n\r\n"),
            ("return-path: <>\r\n", ""),
            ("Subject: x\r\nReturn-Path: <a@b.example>\r\n\r\n", "Subject: x\r\nReturn-Path: <a@b.example>\r\n\r\n"),
            ("Return-Path: never ends", "Return-Path: never ends"),
            ("", ""),
            (&long, &long),
        ] {
            let octets: Octets = Box::pin(Cursor::new(raw.as_bytes().to_vec()));
            let mut found = String::new();
            behind_return_path(octets).await.unwrap().read_to_string(&mut found).await.unwrap();
            assert_eq!((found.as_str(), without_return_path(raw.as_bytes())), (sent, sent.as_bytes()));
        }
    }
}
