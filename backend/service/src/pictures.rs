//! Pictures that messages of others ask for: fetched in their reader's stead.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use url::Url;

use crate::{Access, Service};

/// Octets of a picture, at most.
pub const MAX_PICTURE_OCTETS: usize = 5 * 1024 * 1024;
/// A picture is waited for so long.
pub const PICTURE_PATIENCE: Duration = Duration::from_secs(10);
/// Pictures that are fetched at once, in all the house.
pub(crate) const FETCHED_AT_ONCE: usize = 32;
/// Octets of an address.
const MAX_ADDRESS: usize = 4000;

/// Fetches from other people's servers: a port, for a test has servers of its own.
pub trait PictureFetcher: Send + Sync + fmt::Debug {
    /// What stands at `url`: at most [`MAX_PICTURE_OCTETS`], within [`PICTURE_PATIENCE`]; it connects to no address that isn't of the
    /// public internet, follows a few redirects by the same rules, and says nothing of who asks. None where that fails.
    fn fetch(&self, url: Url) -> Fetching<'_>;
}

/// What comes of it.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send + 'a>>;

/// A picture, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// By its own first octets, whatever its server says.
    pub kind: &'static str,
    /// All of it.
    pub octets: Vec<u8>,
}

impl Picture {
    /// Pictures of dots; an SVG is a document, and none.
    fn of(octets: Vec<u8>) -> Option<Self> {
        let is = |at: usize, magic: &[u8]| octets.get(at..at + magic.len()) == Some(magic);
        let kind = match () {
            () if is(0, b"\x89PNG\r\n\x1a\n") => "image/png",
            () if is(0, b"\xff\xd8\xff") => "image/jpeg",
            () if is(0, b"GIF87a") || is(0, b"GIF89a") => "image/gif",
            () if is(0, b"RIFF") && is(8, b"WEBP") => "image/webp",
            () => return None,
        };
        Some(Self { kind, octets })
    }
}

impl Service {
    /// Fetches a picture; none where there is none, or no more can be fetched now.
    pub async fn fetch_picture(&self, url: &str) -> Option<Picture> {
        let url = Url::parse(url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MAX_ADDRESS)?;
        let fetcher = self.operations.pictures.as_ref()?;
        let _seat = self.operations.picture_seats.try_acquire().ok()?;
        let octets = tokio::time::timeout(PICTURE_PATIENCE, fetcher.fetch(url)).await.ok()??;
        if octets.len() > MAX_PICTURE_OCTETS { None } else { Picture::of(octets) }
    }
}

impl Access {
    /// What an address of ours for a picture carries, so that nobody else makes one.
    pub fn seal_picture(&self, url: &str) -> String {
        BASE64URL_NOPAD.encode(self.picture_hash(url).as_bytes())
    }

    /// Whether we have sealed it; takes the same time wherever they differ.
    pub fn is_sealed_picture(&self, url: &str, seal: &str) -> bool {
        let seal = BASE64URL_NOPAD.decode(seal.as_bytes()).ok().and_then(|octets| <[u8; 32]>::try_from(octets).ok());
        seal.is_some_and(|seal| self.picture_hash(url) == blake3::Hash::from_bytes(seal))
    }

    /// With a key of its own: what forms carry can be made for any text that a browser brings.
    fn picture_hash(&self, url: &str) -> blake3::Hash {
        let key = blake3::derive_key("relais 2026-11 addresses of pictures", &self.form_key);
        blake3::keyed_hash(&key, url.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_what_they_are() {
        let kind = |octets: &[u8]| Picture::of(octets.to_vec()).map(|picture| picture.kind);
        assert_eq!(kind(b"\x89PNG\r\n\x1a\nrest"), Some("image/png"));
        assert_eq!(kind(b"RIFF1234WEBPVP8 "), Some("image/webp"));
        assert_eq!(kind(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), None);
        assert_eq!(kind(b"<html>"), None);
        assert_eq!(kind(b""), None);
    }
}
