//! Hosts of the world, with a DNS that speaks for them and a key that signs their mail; they come through a door that believes a proxy.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use data_encoding::BASE64;
use relais_model::{Clock as _, Domain, Secret, SystemClock};
use relais_msgauth::dkim::{Algorithm, Signer, SigningKey, sign};
use relais_testkit::named::{Keys, Named, Zone};

use crate::smtp::Smtp;

const PORT: u16 = 18_026;
const SELECTOR: &str = "bench";
/// Addresses for documents (RFC 5737): nobody's.
const HOSTS: u8 = 20;

pub(crate) struct Strangers {
    dns: Named,
    signer: Signer,
}

impl Strangers {
    /// None where BIND isn't installed, which is said.
    pub(crate) fn new() -> anyhow::Result<Option<Self>> {
        let pem = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], b"")?;
        let public = BASE64.encode(&openssl(&["pkey", "-pubout", "-outform", "DER"], &pem)?);
        let Some(dns) = Named::start(&zones(&public)) else { return Ok(None) };
        let pem = Secret::new(String::from_utf8(pem)?);
        let signer = Signer {
            domain: Domain::parse("example.org")?,
            selector: SELECTOR.to_owned(),
            key: SigningKey::from_pem(Algorithm::RsaSha256, &pem)?,
        };
        Ok(Some(Self { dns, signer }))
    }

    /// The DNS to ask, and the door.
    pub(super) fn configuration(&self) -> String {
        format!(
            "[resolver]\nservers = [\"{}\"]\ntrust_anchor = \"{}\"\n\
             [[listen]]\nprotocol = \"smtp\"\nat = \"127.0.0.1:{PORT}\"\nproxy = true\n",
            self.dns.address(),
            self.dns.anchor().display()
        )
    }

    /// The message with its author's signature before it.
    pub(crate) fn sign(&self, message: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let mut signed = sign(&message, &[&self.signer], SystemClock.now())?;
        signed.extend(message);
        Ok(signed)
    }

    /// As the host of that number.
    pub(crate) fn connect(number: usize) -> io::Result<Smtp> {
        Smtp::connect_as(address(u8::try_from(number).unwrap_or_default() % HOSTS), PORT)
    }
}

fn address(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, host + 1)
}

/// Every host has a name that leads back to it, may send for the domain, and the domain wants all else refused.
fn zones(public_key: &str) -> [Zone; 2] {
    // A string of a TXT record has no more than 255 octets.
    let (first, rest) = public_key.split_at(200);
    let mut forward = format!(
        "@ MX 10 mx1\n@ TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n\
         client TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n{SELECTOR}._domainkey TXT \"v=DKIM1; k=rsa; p={first}\" \"{rest}\"\n"
    );
    let mut reverse = String::new();
    for host in 0..HOSTS {
        let _written = writeln!(forward, "mx{host} A {}", address(host));
        let _written = writeln!(reverse, "{} PTR mx{host}.example.org.", host + 1);
    }
    let zone = |name, records| Zone { name, records, keys: Keys::Unsigned };
    [zone("example.org", forward), zone("100.51.198.in-addr.arpa", reverse)]
}

fn openssl(words: &[&str], given: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut command = Command::new("openssl");
    let mut child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    child.stdin.take().context("no pipe")?.write_all(given)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "openssl {} failed", words.join(" "));
    Ok(output.stdout)
}
