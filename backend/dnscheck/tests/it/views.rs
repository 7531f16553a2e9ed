//! What the two views show.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use relais_dnscheck::{Answer, Data, DnsLook, Kind, Lack, Look, Proof, TrustAnchor};
use relais_model::Domain;
use relais_testkit::SeededRandom;

use crate::named::{Keys, Named, SILENT, Zone, look, look_with};

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn zones() -> Vec<Zone> {
    let long = format!("\"{}\" \"{}\"", "a".repeat(255), "b".repeat(100));
    let line = |number: u8| format!("@ MX {number} {}-{number}.signed.test.\n", "x".repeat(40));
    let many = (0..90).map(line).collect::<Vec<_>>().concat();
    vec![
        Zone {
            name: "signed.test",
            records: format!(
                "@ MX 10 mx\n@ TXT \"v=spf1 mx -all\"\n@ TXT {long}\n@ CAA 0 issue \"letsencrypt.org\"\nmx A 192.0.2.7\nmx AAAA 2001:db8::7\n\
                 _25._tcp.mx TLSA 3 1 1 {}\n_imaps._tcp SRV 0 1 993 mx\nalias CNAME mx\nout CNAME host.plain.test.\n",
                "ab".repeat(32)
            ),
            keys: Keys::Signed,
        },
        Zone { name: "many.test", records: many, keys: Keys::Signed },
        Zone { name: "wild.test", records: "* TXT \"any\"\n".into(), keys: Keys::Signed },
        Zone { name: "plain.test", records: "@ MX 10 host\nhost A 192.0.2.9\n".into(), keys: Keys::Unsigned },
        Zone { name: "bogus.test", records: "@ MX 10 mx\n".into(), keys: Keys::WrongDs },
        Zone { name: "lost.test", records: String::new(), keys: Keys::Lost },
        Zone { name: "dns.test", records: "ns A 127.0.0.1\n".into(), keys: Keys::Unsigned },
        Zone {
            name: "lame.test",
            // The second server is asked for a zone that it doesn't have: nobody is there.
            records: format!("@ NS ns2\nns2 A {SILENT}\n@ A 192.0.2.5\n"),
            keys: Keys::Unsigned,
        },
    ]
}

fn shown(answer: &Answer) -> String {
    match &answer.records {
        Ok(records) => {
            let mut shown: Vec<_> = records.iter().map(|record| record.data.to_string()).collect();
            shown.sort();
            format!("{:?}: {}", answer.proof, shown.join(", "))
        }
        Err(lack) => format!("{:?}: {lack:?}", answer.proof),
    }
}

#[tokio::test]
async fn the_public_view_and_its_proof() {
    let Some(named) = Named::start(&zones()) else { return };
    let look = look(&named);
    let check = async |name: &str, kind: Kind, expected: &str| {
        let answer = look.public(&domain(name), kind).await;
        assert_eq!(shown(&answer), expected, "{name} {kind}");
    };
    check("signed.test", Kind::Mx, "Secure: 10 mx.signed.test").await;
    check("mx.signed.test", Kind::Aaaa, "Secure: 2001:db8::7").await;
    check("_25._tcp.mx.signed.test", Kind::Tlsa, &format!("Secure: 3 1 1 {}", "ab".repeat(32))).await;
    check("_imaps._tcp.signed.test", Kind::Srv, "Secure: 0 1 993 mx.signed.test").await;
    check("signed.test", Kind::Caa, "Secure: 0 issue \"letsencrypt.org\"").await;
    let long = format!("{}{}", "a".repeat(255), "b".repeat(100));
    check("signed.test", Kind::Txt, &format!("Secure: {long}, v=spf1 mx -all")).await;
    check("alias.signed.test", Kind::A, "Secure: 192.0.2.7").await;
    // Not bogus, though hickory 0.26 says so.
    check("x.wild.test", Kind::Txt, "Indeterminate: any").await;
    check("signed.test", Kind::Srv, "Secure: NoData").await;
    check("gone.signed.test", Kind::A, "Secure: NoSuchName").await;
    check("plain.test", Kind::Mx, "Insecure: 10 host.plain.test").await;
    check("gone.plain.test", Kind::A, "Insecure: NoSuchName").await;
    check("plain.test", Kind::Txt, "Insecure: NoData").await;
    check("bogus.test", Kind::Mx, "Bogus: Bogus").await;
    check("lost.test", Kind::Mx, "Indeterminate: ServFail").await;
    let answer = look.public(&domain("alias.signed.test"), Kind::A).await;
    assert_eq!(answer.alias().map(|target| target.as_str().to_owned()).as_deref(), Some("mx.signed.test"));
    assert_eq!(answer.ttl(), 300);
}

/// RFC 2181 §9: over UDP there is no room.
#[tokio::test]
async fn an_answer_too_large_for_udp_comes_whole() {
    let Some(named) = Named::start(&zones()) else { return };
    let look = look(&named);
    let answer = look.public(&domain("many.test"), Kind::Mx).await;
    assert_eq!((answer.records().len(), answer.proof), (90, Proof::Secure));
    let servers = look.authoritative(&domain("many.test"), Kind::Mx).await;
    assert_eq!(servers.iter().map(|said| said.answer.records().len()).collect::<Vec<_>>(), [90]);
}

#[tokio::test]
async fn the_servers_own_word() {
    let Some(named) = Named::start(&zones()) else { return };
    let look = look(&named);
    let check = async |name: &str, kind: Kind, expected: &[&str]| {
        let said = look.authoritative(&domain(name), kind).await;
        let lines: Vec<_> = said.iter().map(|said| format!("{}: {}", said.server, shown(&said.answer))).collect();
        assert_eq!(lines, expected, "{name} {kind}");
    };
    check("_imaps._tcp.signed.test", Kind::Srv, &["ns.dns.test: Indeterminate: 0 1 993 mx.signed.test"]).await;
    check("alias.signed.test", Kind::A, &["ns.dns.test: Indeterminate: 192.0.2.7"]).await;
    check("gone.signed.test", Kind::A, &["ns.dns.test: Indeterminate: NoSuchName"]).await;
    check("signed.test", Kind::Srv, &["ns.dns.test: Indeterminate: NoData"]).await;
    check("bogus.test", Kind::Mx, &["ns.dns.test: Indeterminate: 10 mx.bogus.test"]).await;
    check("lame.test", Kind::A, &["ns.dns.test: Indeterminate: 192.0.2.5", "ns2.lame.test: Indeterminate: Broken"])
        .await;
    let said = look.authoritative(&domain("out.signed.test"), Kind::A).await;
    let answer = &said.first().unwrap().answer;
    assert_eq!(
        answer.aliases.iter().map(|alias| alias.data.clone()).collect::<Vec<_>>(),
        [Data::Cname(relais_dnscheck::Target::new("host.plain.test"))]
    );
}

/// With another root's keys nothing can be proven; what stands there is told all the same, and no zone is called bogus for it.
#[tokio::test]
async fn without_proof_the_answer_is_still_told() {
    let Some(named) = Named::start(&zones()) else { return };
    let stranger = look_with(&named, &[named.address()], &TrustAnchor::default());
    assert_eq!(shown(&stranger.public(&domain("signed.test"), Kind::Mx).await), "Indeterminate: 10 mx.signed.test");
    let silent = SocketAddr::new(SILENT, named.address().port());
    let nobody = look_with(&named, &[silent], &TrustAnchor::default());
    let lack = nobody.public(&domain("signed.test"), Kind::Mx).await.records.unwrap_err();
    assert!(matches!(lack, Lack::Broken | Lack::Timeout), "{lack:?}");
}

/// A resolver that checks signatures itself: what it finds wrong it hides behind SERVFAIL, unless it is told not to check (RFC 4035 §3.2.2).
fn strict_resolver() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((octets, asker)) = socket.recv_from(&mut query) {
            let query = &query[..octets];
            let is_unchecked = query[3] & 0x10 != 0;
            let question_end = 12 + query[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
            let head = [query[0], query[1], 0x81, if is_unchecked { 0x80 } else { 0x82 }, 0, 1, 0, 0, 0, 0, 0, 0];
            socket.send_to(&[&head, &query[12..question_end]].concat(), asker).unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_resolver_that_hides_what_is_bogus() {
    let random = Arc::new(SeededRandom::new(9));
    let look = DnsLook::with_servers(&[strict_resolver()], &TrustAnchor::default(), 53, random).unwrap();
    assert_eq!(shown(&look.public(&domain("hidden.test"), Kind::Mx).await), "Bogus: Bogus");
}
