//! What the resolver believes of a real DNS.

use relais_delivery::{DnsResolver, LookupError, Resolver as _};
use relais_model::Domain;
use relais_msgauth::Lack;
use relais_testkit::named::{Keys, Named, Zone};

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn zones() -> Vec<Zone> {
    let zone = |name, keys, records: &str| Zone { name, records: records.to_owned(), keys };
    let tlsa = "TLSA 3 1 1 0707070707070707070707070707070707070707070707070707070707070707\n";
    vec![
        zone("dns.test", Keys::Unsigned, "ns A 127.0.0.1\nmx A 192.0.2.9\n"),
        zone(
            "good.test",
            Keys::Signed,
            &format!(
                "@ MX 10 mx\nmx A 192.0.2.1\n_25._tcp.mx {tlsa}near CNAME mx\nfar CNAME mx.dns.test.\n\
                 *.wild MX 10 mx\n*._tcp.wild2 {tlsa}@ TXT \"one\" \" two\"\n"
            ),
        ),
        zone("unsigned.test", Keys::Unsigned, &format!("@ MX 10 mx\nmx A 192.0.2.2\n_25._tcp.mx {tlsa}")),
        zone("bogus.test", Keys::WrongDs, &format!("@ MX 10 mx\nmx A 192.0.2.3\n_25._tcp.mx {tlsa}")),
        zone("lost.test", Keys::Lost, ""),
    ]
}

/// As `secure`, `insecure`, or why not; and the alias.
async fn told(resolver: &DnsResolver, kind: &str, name: &str) -> String {
    let name = domain(name);
    let (is_secure, alias) = match kind {
        "mx" => resolver.mx(&name).await.map(|found| (found.is_secure, found.alias)),
        "a" => resolver.addresses(&name).await.map(|found| (found.is_secure, found.alias)),
        "tlsa" => resolver.tlsa(&name).await.map(|found| (found.is_secure, found.alias)),
        _ => resolver.txt(&name).await.map(|found| (found.is_secure, found.alias)),
    }
    .map_or_else(
        |error| match error {
            LookupError::Temporary(_) => ("temporary", None),
            LookupError::Bogus => ("bogus", None),
            LookupError::NoRecords => ("no records", None),
            LookupError::NoSuchDomain => ("no such domain", None),
        },
        |(is_secure, alias)| (if is_secure { "secure" } else { "insecure" }, alias),
    );
    let alias = alias.map(|alias| format!(" by {} ({})", alias.target, alias.is_secure));
    format!("{is_secure}{}", alias.unwrap_or_default())
}

/// RFC 7672 §2.1.1 on real signatures, real absences, and a DS record that fits no key.
#[tokio::test]
async fn what_is_proved_and_what_is_not() {
    let Some(named) = Named::start(&zones()) else { return };
    let resolver = DnsResolver::with_servers(&[named.address()], Some(&named.anchor())).unwrap();
    for (kind, name, expected) in [
        ("mx", "good.test", "secure"),
        ("a", "mx.good.test", "secure"),
        ("tlsa", "_25._tcp.mx.good.test", "secure"),
        ("txt", "good.test", "secure"),
        ("tlsa", "_26._tcp.mx.good.test", "no such domain"),
        ("tlsa", "mx.good.test", "no records"),
        ("mx", "mx.good.test", "no records"),
        ("mx", "nowhere.good.test", "no such domain"),
        ("a", "near.good.test", "secure by mx.good.test (true)"),
        ("a", "far.good.test", "insecure by mx.dns.test (true)"),
        // hickory 0.26 alone would call these bogus.
        ("mx", "any.wild.good.test", "secure"),
        ("tlsa", "_25._tcp.wild2.good.test", "secure"),
        ("mx", "unsigned.test", "insecure"),
        ("tlsa", "_25._tcp.mx.unsigned.test", "insecure"),
        ("tlsa", "_26._tcp.mx.unsigned.test", "no such domain"),
        ("mx", "bogus.test", "bogus"),
        ("a", "mx.bogus.test", "bogus"),
        ("tlsa", "_25._tcp.mx.bogus.test", "bogus"),
        ("tlsa", "_26._tcp.mx.bogus.test", "bogus"),
        ("mx", "lost.test", "temporary"),
    ] {
        assert_eq!(told(&resolver, kind, name).await, expected, "{kind} {name}");
    }
}

/// Who trusts another root finds no proof: what is said counts as unproved, as from a resolver without DNSSEC.
#[tokio::test]
async fn without_the_roots_keys_nothing_is_secure() {
    let Some(named) = Named::start(&zones()) else { return };
    let resolver = DnsResolver::with_servers(&[named.address()], None).unwrap();
    assert_eq!(told(&resolver, "mx", "good.test").await, "insecure");
    assert_eq!(told(&resolver, "a", "near.good.test").await, "insecure by mx.good.test (false)");
    assert_eq!(told(&resolver, "mx", "bogus.test").await, "insecure");
}

/// RFC 1035 §7.4, RFC 2308 §5: what was found is known without asking again, and so is that nothing was, also where that was proved.
#[tokio::test]
async fn whoever_looks_whose_mail_it_is_asks_once() {
    let Some(server) = Named::start(&zones()) else { return };
    let resolver = DnsResolver::with_servers(&[server.address()], Some(&server.anchor())).unwrap();
    let ask = async |name: &str| relais_msgauth::Resolver::txt(&resolver, name).await.map(|texts| texts.len());
    let answers = async || {
        let names = ["good.test", "GOOD.test", "_dmarc.nowhere.good.test", "mx.good.test", "_dmarc.nowhere"];
        let mut answers = Vec::new();
        for name in names {
            answers.push(ask(name).await);
        }
        answers
    };
    let first = answers().await;
    assert_eq!(first, [Ok(1), Ok(1), Err(Lack::NoSuchName), Err(Lack::NoData), Err(Lack::NoSuchName)]);
    drop(server);
    assert_eq!(answers().await, first, "the server is gone, what it said is not");
    assert_eq!(ask("unsigned.test").await, Err(Lack::Silence), "what it wasn't asked isn't known");
}
