//! The courier on real sockets: servers that answer, refuse, redirect, hang, talk on and on, and names that lead inside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests, not their helpers"
)]

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use relais_courier::{HttpCourier, Names};
use relais_service::{Courier as _, Parcel, PostError};
use relais_store::{Networks, Settings};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use url::Url;

/// Every name leads to these.
#[derive(Debug)]
struct Lead(Vec<IpAddr>);

impl Names for Lead {
    fn addresses<'a>(&'a self, _name: &'a str) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send + 'a>> {
        Box::pin(std::future::ready(self.0.clone()))
    }
}

fn allowed(text: &str) -> Networks {
    let mut settings = Settings::default();
    settings.set("webhooks.allow_internal", text).unwrap();
    settings.webhooks_allow_internal
}

fn post(url: &str, names: Vec<IpAddr>, allowed: Networks, roots: &[CertificateDer<'static>]) -> Result<u16, PostError> {
    let courier = HttpCourier::new(Arc::new(Lead(names)), roots).unwrap();
    let headers = vec![("webhook-id", "evt_1".to_owned()), ("content-type", "application/json".to_owned())];
    let parcel = Parcel { url: Url::parse(url).unwrap(), headers, body: r#"{"a":1}"#.to_owned(), allowed };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(courier.post(parcel))
}

/// A server on loopback that does `serve` with its one guest; gives its address, and what was asked.
fn server(serve: impl FnOnce(&mut TcpStream) + Send + 'static) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (said, heard) = mpsc::channel();
    thread::spawn(move || {
        let (mut guest, _) = listener.accept().unwrap();
        let _unheard = said.send(read_request(&mut guest));
        serve(&mut guest);
    });
    (address, heard)
}

fn read_request(guest: &mut impl std::io::Read) -> String {
    let mut request = Vec::new();
    let mut octet = [0; 1];
    while !request.ends_with(br#"{"a":1}"#) && guest.read(&mut octet).is_ok_and(|octets| octets == 1) {
        request.push(octet[0]);
    }
    String::from_utf8(request).unwrap()
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[test]
fn an_answer_is_its_status() {
    for (answer, status) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("HTTP/1.1 500 Broken\r\ncontent-length: 3\r\n\r\nno!", 500),
        ("HTTP/1.1 302 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 302),
    ] {
        let (address, heard) = server(move |guest| guest.write_all(answer.as_bytes()).unwrap());
        let told = post(&format!("http://{address}/in?key=1"), Vec::new(), allowed("127.0.0.0/8"), &[]);
        assert_eq!(told, Ok(status));
        let request = heard.recv().unwrap();
        assert!(request.starts_with("POST /in?key=1 HTTP/1.1\r\n"), "{request}");
        for line in [format!("host: {address}"), "webhook-id: evt_1".to_owned(), "content-length: 7".to_owned()] {
            assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} in {request}");
        }
    }
}

#[test]
fn what_is_inside_is_not_reached() {
    let check = |url: &str, names: &[&str], allow: &str, inside: &str| {
        let names = names.iter().map(|name| name.parse().unwrap()).collect();
        let inside: IpAddr = inside.parse().unwrap();
        assert_eq!(post(url, names, allowed(allow), &[]), Err(PostError::Internal(inside)), "{url}");
    };
    check("https://127.0.0.1/", &[], "", "127.0.0.1");
    check("https://[::ffff:10.0.0.1]/", &[], "", "10.0.0.1");
    check("https://0x7f.1/", &[], "", "127.0.0.1");
    check("https://169.254.169.254/latest/meta-data", &[], "", "169.254.169.254");
    check("https://hooks.example/", &["192.168.1.1", "fd00::1"], "", "fd00::1");
    check("https://hooks.example/", &["::ffff:127.0.0.1"], "10.0.0.0/8", "127.0.0.1");
    // In the clear only to this host itself, whatever is allowed.
    check("http://hooks.example/", &["10.0.0.1"], "10.0.0.0/8", "10.0.0.1");
    assert_eq!(post("https://hooks.example/", Vec::new(), allowed(""), &[]), Err(PostError::Unresolved));
}

#[test]
fn what_hangs_ends() {
    let (address, _heard) = server(|guest| {
        // Never answers; ends when the courier has gone.
        let _gone = guest.read(&mut [0; 1]);
    });
    let began = Instant::now();
    assert_eq!(post(&format!("http://{address}/"), Vec::new(), allowed("127.0.0.1"), &[]), Err(PostError::Timeout));
    assert!(began.elapsed() < Duration::from_secs(12));
}

#[test]
fn an_endless_answer_is_not_read_to_its_end() {
    let (address, _heard) = server(|guest| {
        guest.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        while guest.write_all(&[b"1000\r\n".as_slice(), &[b'x'; 4096], b"\r\n"].concat()).is_ok() {}
    });
    let began = Instant::now();
    assert_eq!(post(&format!("http://{address}/"), Vec::new(), allowed("127.0.0.1"), &[]), Ok(200));
    assert!(began.elapsed() < Duration::from_secs(5));
    let (address, _heard) = server(|guest| {
        guest.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
        while guest.write_all(b"x-more: and more and more and more\r\n").is_ok() {}
    });
    let told = post(&format!("http://{address}/"), Vec::new(), allowed("127.0.0.1"), &[]);
    assert!(matches!(told, Err(PostError::Broken(_))), "{told:?}");
}

#[test]
fn what_is_no_answer_is_told() {
    let (address, _heard) = server(|guest| guest.write_all(b"220 mx.example ESMTP\r\n").unwrap());
    let told = post(&format!("http://{address}/"), Vec::new(), allowed("127.0.0.1"), &[]);
    assert!(matches!(told, Err(PostError::Broken(_))), "{told:?}");
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let told = post(&format!("http://{nobody}/"), Vec::new(), allowed("127.0.0.1"), &[]);
    assert!(matches!(told, Err(PostError::Connect(_))), "{told:?}");
}

#[test]
fn the_certificate_must_be_the_names() {
    let made = rcgen::generate_simple_self_signed(vec!["hooks.example".to_owned()]).unwrap();
    let root = made.cert.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![root.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for guest in listener.incoming() {
            let tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut guest = rustls::StreamOwned::new(tls, guest.unwrap());
            if !read_request(&mut guest).is_empty() {
                let _gone = guest.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            }
        }
    });
    let told = |host: &str, roots: &[CertificateDer<'static>]| {
        post(&format!("https://{host}:{port}/"), vec![LOOPBACK], allowed("127.0.0.1"), roots)
    };
    assert_eq!(told("hooks.example", std::slice::from_ref(&root)), Ok(200));
    assert!(matches!(told("other.example", std::slice::from_ref(&root)), Err(PostError::Tls(_))));
    assert!(matches!(told("hooks.example", &[]), Err(PostError::Tls(_))));
}
