//! Pictures that messages ask for, fetched in their reader's stead: the server learns that we asked, and nothing of whom for.

use std::fmt;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, LOCATION};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use relais_service::{Fetching, MAX_PICTURE_OCTETS, PictureFetcher, PostError, may_reach};
use tokio::io::{AsyncRead, AsyncWrite};
use url::Url;

use crate::{HEAD_OCTETS, HttpCourier, authority, target};

/// Redirects that are followed.
const REDIRECTS: usize = 3;

/// What one question came to.
enum Got {
    Octets(Vec<u8>),
    Elsewhere(Url),
}

impl PictureFetcher for HttpCourier {
    fn fetch(&self, url: Url) -> Fetching<'_> {
        Box::pin(async move {
            match self.follow(url).await {
                Ok(octets) => Some(octets),
                Err(error) => {
                    tracing::debug!(%error, "a picture was not fetched");
                    None
                }
            }
        })
    }
}

impl HttpCourier {
    async fn follow(&self, mut url: Url) -> Result<Vec<u8>, PostError> {
        for _ in 0..=REDIRECTS {
            match self.ask(&url).await? {
                Got::Octets(octets) => return Ok(octets),
                Got::Elsewhere(next) => url = next,
            }
        }
        Err(PostError::Broken("it is sent from place to place".to_owned()))
    }

    async fn ask(&self, url: &Url) -> Result<Got, PostError> {
        // The usual ports alone: a message must not try the doors of other hosts through us.
        let port = match (url.scheme(), url.port()) {
            ("https", None) => 443,
            ("http", None) => 80,
            _ => return Err(PostError::Broken("its address is no picture's".to_owned())),
        };
        let stream =
            self.connect(url, port, |address| may_reach(address, &relais_service::Networks::default())).await?;
        if url.scheme() == "http" {
            return exchange(stream, url).await;
        }
        exchange(self.shake_hands(url, stream).await?, url).await
    }
}

async fn exchange<S>(stream: S, url: &Url) -> Result<Got, PostError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let broken = |error: &dyn fmt::Display| PostError::Broken(error.to_string());
    let request = Request::get(target(url))
        .header("host", authority(url))
        .header("connection", "close")
        .header("accept", "image/*")
        .header("user-agent", "Relais")
        .body(Empty::<Bytes>::new())
        .map_err(|error| broken(&error))?;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_OCTETS);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let asking = async {
        let answer = sender.send_request(request).await.map_err(|error| broken(&error))?;
        take(answer, url).await
    };
    tokio::pin!(asking, connection);
    tokio::select! {
        // The answer first: its connection may end with it.
        biased;
        answer = &mut asking => answer,
        ended = &mut connection => match ended {
            Ok(()) => asking.await,
            Err(error) => Err(broken(&error)),
        },
    }
}

async fn take(answer: Response<hyper::body::Incoming>, url: &Url) -> Result<Got, PostError> {
    let broken = |why: &str| PostError::Broken(why.to_owned());
    let text = |name| answer.headers().get(name).and_then(|value: &hyper::header::HeaderValue| value.to_str().ok());
    if answer.status().is_redirection() {
        let next = text(LOCATION).and_then(|location| url.join(location).ok());
        return next.map(Got::Elsewhere).ok_or_else(|| broken("it is sent nowhere"));
    }
    if !answer.status().is_success() {
        return Err(broken(answer.status().as_str()));
    }
    if text(CONTENT_LENGTH)
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: usize| length > MAX_PICTURE_OCTETS)
    {
        return Err(broken("it is too large"));
    }
    let body = Limited::new(answer.into_body(), MAX_PICTURE_OCTETS).collect().await;
    Ok(Got::Octets(body.map_err(|error| PostError::Broken(error.to_string()))?.to_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::net::IpAddr;
    use std::pin::Pin;
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::Names;

    /// Every name leads to these.
    #[derive(Debug)]
    struct Lead(Vec<IpAddr>);

    impl Names for Lead {
        fn addresses<'a>(&'a self, _name: &'a str) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send + 'a>> {
            Box::pin(std::future::ready(self.0.clone()))
        }
    }

    /// What comes of an answer, and what was asked.
    async fn asked(answer: Vec<u8>) -> (String, String) {
        let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
        let serve = async move {
            let mut request = vec![0; 4096];
            let octets = theirs.read(&mut request).await.unwrap();
            // Who hangs up on too much is not to be told.
            let _cut = theirs.write_all(&answer).await;
            String::from_utf8_lossy(&request[..octets]).into_owned()
        };
        let url = Url::parse("https://shop.example/a/p.png?id=1").unwrap();
        let (got, request) = tokio::join!(exchange(ours, &url), serve);
        let got = match got {
            Ok(Got::Octets(octets)) => format!("{} octets", octets.len()),
            Ok(Got::Elsewhere(url)) => format!("to {url}"),
            Err(error) => error.to_string(),
        };
        (got, request)
    }

    #[tokio::test]
    async fn an_answer_is_a_picture_or_none() {
        let check = async |answer: &str, expected: &str| {
            let (got, request) = asked(answer.as_bytes().to_vec()).await;
            assert_eq!(got, expected, "{answer}");
            assert!(request.starts_with("GET /a/p.png?id=1 HTTP/1.1\r\nhost: shop.example\r\n"), "{request}");
            assert!(!request.contains("cookie") && !request.contains("referer"), "{request}");
        };
        check("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", "3 octets").await;
        check("HTTP/1.1 302 F\r\nlocation: ../b\r\ncontent-length: 0\r\n\r\n", "to https://shop.example/b").await;
        check("HTTP/1.1 302 F\r\ncontent-length: 0\r\n\r\n", "the answer was broken: it is sent nowhere").await;
        check("HTTP/1.1 404 N\r\ncontent-length: 0\r\n\r\n", "the answer was broken: 404").await;
        check("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n", "the answer was broken: it is too large").await;
        let mut endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
        endless.resize(endless.len() + MAX_PICTURE_OCTETS + 1, b'x');
        let (got, _) = asked(endless).await;
        assert!(got.starts_with("the answer was broken"), "{got}");
    }

    #[tokio::test]
    async fn nothing_inside_is_reached() {
        for (url, leads) in [
            ("http://127.0.0.1/p.png", "192.0.2.1"),
            ("https://[::1]/p.png", "192.0.2.1"),
            ("https://10.0.0.1/p.png", "192.0.2.1"),
            ("https://shop.example/p.png", "192.168.1.1"),
            ("http://shop.example/p.png", "169.254.169.254"),
            ("https://shop.example:8443/p.png", "192.0.2.1"),
            ("ftp://shop.example/p.png", "192.0.2.1"),
        ] {
            let courier = HttpCourier::new(Arc::new(Lead(vec![leads.parse().unwrap()])), &[]).unwrap();
            assert_eq!(courier.fetch(Url::parse(url).unwrap()).await, None, "{url}");
        }
    }
}
