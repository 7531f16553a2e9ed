//! The network. A dialogue with port 25 that ends before any mail (RFC 3207), and one request over HTTP/1.1.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use relais_model::Domain;
use ring::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme, WantsVerifier,
};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{CertificateFace, Reach, SmtpFace, TlsFace, Unreached, WebAnswer, WebFailure};
use crate::look::Answering;
use relais_smtp::sts::POLICY_OCTETS;

/// From the first packet to the end of an exchange; a busy host greets slowly, and some do so on purpose.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// RFC 8461 §3.3: "a timeout of one minute" is allowed; a person waits here.
const WEB_TIMEOUT: Duration = Duration::from_secs(20);
/// Octets of a reply's line (RFC 5321 §4.5.3.1.5 has 512).
const LINE_OCTETS: u64 = 2048;
/// Lines of one reply.
const MOST_LINES: usize = 100;
/// Octets of an HTTP answer's header.
const HEAD_OCTETS: usize = 16 * 1024;

/// Reaches hosts over TCP.
pub struct TcpReach {
    roots: Arc<RootCertStore>,
    provider: Arc<rustls::crypto::CryptoProvider>,
    /// 443, but in tests and labs.
    web_port: u16,
}

impl fmt::Debug for TcpReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpReach").field("web_port", &self.web_port).finish_non_exhaustive()
    }
}

impl TcpReach {
    /// Trusts the web's authorities and `extra_roots`; fetches policies at `web_port`.
    ///
    /// # Errors
    /// Where one of `extra_roots` is no certificate.
    pub fn new(extra_roots: &[CertificateDer<'static>], web_port: u16) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in extra_roots {
            roots.add(root.clone())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Ok(Self { roots: Arc::new(roots), provider, web_port })
    }

    fn client(&self) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
        ClientConfig::builder_with_provider(Arc::clone(&self.provider)).with_safe_default_protocol_versions()
    }

    async fn meet(&self, remote: SocketAddr, host: &Domain) -> Result<SmtpFace, Unreached> {
        let mut stream = BufReader::new(connect(remote).await?);
        let name = greeting(&mut stream).await?;
        say(&mut stream, "EHLO localhost.invalid\r\n").await?;
        let offers = reply(&mut stream).await?;
        if !offers.iter().any(|line| line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case("STARTTLS"))) {
            say(&mut stream, "QUIT\r\n").await?;
            return Ok(SmtpFace { name, tls: TlsFace::NotOffered });
        }
        say(&mut stream, "STARTTLS\r\n").await?;
        let answer = reply(&mut stream).await?;
        if !answer.iter().all(|line| line.starts_with("220")) {
            return Ok(SmtpFace { name, tls: TlsFace::Failed(answer.concat()) });
        }
        let shown = self.shake_hands(stream.into_inner(), host).await;
        Ok(SmtpFace { name, tls: shown.map_or_else(TlsFace::Failed, TlsFace::Shown) })
    }

    /// Any certificate will do, to be looked at; what is thought of it is kept.
    async fn shake_hands(&self, stream: TcpStream, host: &Domain) -> Result<CertificateFace, String> {
        let failed = |error: &dyn fmt::Display| error.to_string();
        let strict = WebPkiServerVerifier::builder_with_provider(Arc::clone(&self.roots), Arc::clone(&self.provider));
        let strict = strict.build().map_err(|error| failed(&error))?;
        let witness = Arc::new(Witness { strict, seen: Mutex::default() });
        let config = self
            .client()
            .map_err(|error| failed(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_string()).map_err(|error| failed(&error))?;
        let mut tls =
            TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| failed(&error))?;
        // Nothing hangs on how it takes its leave.
        drop(tls.write_all(b"QUIT\r\n").await);
        let seen = witness.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        seen.ok_or_else(|| "no certificate".to_owned())
    }

    async fn fetch(&self, host: &Domain, addresses: &[IpAddr]) -> Result<WebAnswer, WebFailure> {
        let unreached = |error: &dyn fmt::Display| WebFailure::Unreached(error.to_string());
        let mut stream = Err(unreached(&"no address"));
        for address in addresses {
            stream = match timeout(CONNECT_TIMEOUT, TcpStream::connect((*address, self.web_port))).await {
                Ok(Ok(stream)) => Ok(stream),
                Ok(Err(error)) => Err(unreached(&error)),
                Err(elapsed) => Err(unreached(&elapsed)),
            };
            if stream.is_ok() {
                break;
            }
        }
        let config = self
            .client()
            .map_err(|error| unreached(&error))?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_string()).map_err(|error| unreached(&error))?;
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream?).await;
        let stream = connecting.map_err(|error| {
            let inside = error.get_ref().and_then(|inside| inside.downcast_ref::<rustls::Error>());
            match inside {
                Some(rustls::Error::InvalidCertificate(error)) => WebFailure::Certificate(error.to_string()),
                _ => unreached(&error),
            }
        })?;
        request(TokioIo::new(stream), host).await
    }
}

impl Reach for TcpReach {
    fn smtp<'a>(&'a self, remote: SocketAddr, host: &'a Domain) -> Answering<'a, Result<SmtpFace, Unreached>> {
        Box::pin(within(EXCHANGE_TIMEOUT, self.meet(remote, host)))
    }

    fn policy<'a>(&'a self, host: &'a Domain, addresses: &'a [IpAddr]) -> Answering<'a, Result<WebAnswer, WebFailure>> {
        Box::pin(async move {
            let fetched = timeout(WEB_TIMEOUT, self.fetch(host, addresses)).await;
            fetched.unwrap_or_else(|elapsed| Err(WebFailure::Unreached(elapsed.to_string())))
        })
    }

    fn greets(&self, remote: SocketAddr) -> Answering<'_, Result<(), Unreached>> {
        Box::pin(within(EXCHANGE_TIMEOUT, async move {
            let mut stream = BufReader::new(connect(remote).await?);
            greeting(&mut stream).await?;
            say(&mut stream, "QUIT\r\n").await
        }))
    }
}

async fn within<T>(limit: Duration, exchange: impl Future<Output = Result<T, Unreached>>) -> Result<T, Unreached> {
    timeout(limit, exchange).await.unwrap_or(Err(Unreached::Timeout))
}

async fn connect(remote: SocketAddr) -> Result<TcpStream, Unreached> {
    match timeout(CONNECT_TIMEOUT, TcpStream::connect(remote)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => Err(Unreached::Refused),
        Ok(Err(_)) | Err(_) => Err(Unreached::Timeout),
    }
}

/// The name behind `220`.
async fn greeting(stream: &mut BufReader<TcpStream>) -> Result<String, Unreached> {
    let lines = reply(stream).await?;
    let name =
        lines.first().filter(|line| line.starts_with("220")).and_then(|line| line.get(4..)?.split_whitespace().next());
    name.map(str::to_owned).ok_or_else(|| Unreached::Strange(lines.concat()))
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> Result<(), Unreached> {
    let said = stream.get_mut().write_all(line.as_bytes()).await;
    said.map_err(|error| Unreached::Strange(error.to_string()))
}

/// All lines of a reply, without their ends (RFC 5321 §4.2.1).
async fn reply(stream: &mut BufReader<TcpStream>) -> Result<Vec<String>, Unreached> {
    let mut lines = Vec::new();
    while lines.len() < MOST_LINES {
        let mut octets = Vec::new();
        let read = (&mut *stream).take(LINE_OCTETS).read_until(b'\n', &mut octets).await;
        let heard = read.map_err(|error| Unreached::Strange(error.to_string()))?;
        let line = String::from_utf8_lossy(&octets).trim_end().to_owned();
        let is_reply = line.get(..3).is_some_and(|code| code.chars().all(|digit| digit.is_ascii_digit()));
        if heard == 0 || !is_reply || !octets.ends_with(b"\n") {
            lines.push(line);
            return Err(Unreached::Strange(lines.concat()));
        }
        let is_last = line.as_bytes().get(3) != Some(&b'-');
        lines.push(line);
        if is_last {
            return Ok(lines);
        }
    }
    Err(Unreached::Strange(lines.concat()))
}

async fn request<S>(stream: S, host: &Domain) -> Result<WebAnswer, WebFailure>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let broken = |error: &dyn fmt::Display| WebFailure::Unreached(error.to_string());
    let request = Request::get("/.well-known/mta-sts.txt").header("host", host.as_str()).header("connection", "close");
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| broken(&error))?;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_OCTETS);
    let (mut sender, connection) = builder.handshake(stream).await.map_err(|error| broken(&error))?;
    let asking = async {
        let answer = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), POLICY_OCTETS).collect().await.map_err(|error| broken(&error))?;
        Ok(WebAnswer { status, body: String::from_utf8_lossy(&body.to_bytes()).into_owned() })
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

/// Takes every certificate, and remembers what the strict one thinks of it. The key's possession is still proved.
#[derive(Debug)]
struct Witness {
    strict: Arc<WebPkiServerVerifier>,
    seen: Mutex<Option<CertificateFace>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let opinion = self.strict.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let distrust = match opinion {
            // The chain is looked at before the names: it was good.
            Ok(_)
            | Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => None,
            Err(error) => Some(error.to_string()),
        };
        let malformed = || rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
        let face = face(end_entity, distrust).ok_or_else(malformed)?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(face);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.strict.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.strict.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}

fn face(certificate: &CertificateDer<'_>, distrust: Option<String>) -> Option<CertificateFace> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let name = |name: &GeneralName<'_>| {
        if let GeneralName::DNSName(name) = name { Some(name.to_ascii_lowercase()) } else { None }
    };
    let names =
        alternatives.map(|names| names.value.general_names.iter().filter_map(name).collect()).unwrap_or_default();
    let key = digest(&SHA256, certificate.public_key().raw).as_ref().try_into().ok()?;
    Some(CertificateFace { names, distrust, key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::domain;
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_util::task::TaskTracker;

    fn acceptor(names: &[&str]) -> (TlsAcceptor, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
            .unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let certificate = made.cert.der().clone();
        let config = builder.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
        (TlsAcceptor::from(Arc::new(config)), certificate)
    }

    /// One connection: each answer is said when a line has come; `TLS` makes the handshake.
    async fn play(answers: &'static [&'static str], tls: Option<TlsAcceptor>, tasks: &TaskTracker) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tasks.spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            for answer in answers {
                stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                if line == "STARTTLS\r\n" && answers.last() == Some(answer) {
                    stream.get_mut().write_all(b"220 go\r\n").await.unwrap();
                    drop(tls.clone().unwrap().accept(stream.into_inner()).await);
                    return;
                }
            }
        });
        address
    }

    async fn meet(
        reach: &TcpReach,
        answers: &'static [&'static str],
        tls: Option<TlsAcceptor>,
    ) -> Result<SmtpFace, Unreached> {
        let tasks = TaskTracker::new();
        let address = play(answers, tls, &tasks).await;
        reach.smtp(address, &domain("mx.example.org")).await
    }

    const GOOD: &[&str] = &["220-mx.example.org ESMTP\r\n220 hello\r\n", "250-mx\r\n250 STARTTLS\r\n"];

    #[tokio::test]
    async fn faces_at_port_25() {
        let (tls, certificate) = acceptor(&["mx.example.org", "*.example.net"]);
        let stranger = TcpReach::new(&[], 443).unwrap();
        let face = meet(&stranger, GOOD, Some(tls.clone())).await.unwrap();
        assert_eq!(face.name, "mx.example.org");
        let TlsFace::Shown(shown) = face.tls else { panic!("{face:?}") };
        assert_eq!(shown.names, ["mx.example.org", "*.example.net"]);
        assert!(shown.distrust.is_some());
        let friend = TcpReach::new(&[certificate], 443).unwrap();
        let face = meet(&friend, GOOD, Some(tls)).await.unwrap();
        assert!(matches!(face.tls, TlsFace::Shown(CertificateFace { distrust: None, .. })), "{face:?}");

        let face = meet(&stranger, &["220 mx.example.org\r\n", "250 mx\r\n"], None).await.unwrap();
        assert_eq!(face.tls, TlsFace::NotOffered);
        let face =
            meet(&stranger, &["220 x\r\n", "250-x\r\n250 starttls\r\n", "454 later\r\n", ""], None).await.unwrap();
        assert_eq!(face.tls, TlsFace::Failed("454 later".into()));
        assert_eq!(
            meet(&stranger, &["SSH-2.0-OpenSSH\r\n"], None).await,
            Err(Unreached::Strange("SSH-2.0-OpenSSH".into()))
        );
        assert_eq!(meet(&stranger, &["554 no\r\n"], None).await, Err(Unreached::Strange("554 no".into())));
        assert_eq!(meet(&stranger, &[], None).await, Err(Unreached::Strange(String::new())));
    }

    #[tokio::test]
    async fn nobody_listens() {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let reach = TcpReach::new(&[], 443).unwrap();
        assert_eq!(reach.greets(address).await, Err(Unreached::Refused));
    }

    #[tokio::test]
    async fn policies_are_fetched_as_senders_do() {
        let (tls, certificate) = acceptor(&["mta-sts.example.org"]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tasks = TaskTracker::new();
        tasks.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(stream) = tls.accept(stream).await else { continue };
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                assert_eq!(line, "GET /.well-known/mta-sts.txt HTTP/1.1\r\n");
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
                stream.get_mut().write_all(answer).await.unwrap();
                stream.get_mut().shutdown().await.unwrap();
            }
        });
        let local = ["127.0.0.1".parse().unwrap()];
        let friend = TcpReach::new(&[certificate], port).unwrap();
        let fetched = friend.policy(&domain("mta-sts.example.org"), &local).await;
        assert_eq!(fetched, Ok(WebAnswer { status: 200, body: "hello".into() }));
        let other_name = friend.policy(&domain("mta-sts.example.net"), &local).await;
        assert!(matches!(other_name, Err(WebFailure::Certificate(_))), "{other_name:?}");
        let stranger = TcpReach::new(&[], port).unwrap().policy(&domain("mta-sts.example.org"), &local).await;
        assert!(matches!(stranger, Err(WebFailure::Certificate(_))), "{stranger:?}");
        let nobody = friend.policy(&domain("mta-sts.example.org"), &[]).await;
        assert!(matches!(nobody, Err(WebFailure::Unreached(_))), "{nobody:?}");
    }
}
