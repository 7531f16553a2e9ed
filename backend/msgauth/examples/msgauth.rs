//! Our side for checks against other programs: reads a question as JSON from its input, and answers on its output.
//!
//! `{"act": "sign", "message", "now", "signers": [{"algorithm", "domain", "selector", "pem"}]}` answers the signed message, `seal` with one signer and what `verify` takes the sealed one.
//! `{"act": "verify", "message", "now", "dns": {NAME: [TEXT…]}, "addresses": {NAME: [ADDRESS…]}, "peer", "helo", "mail_from"}` answers what was found.

use std::error::Error;
use std::io::{Read as _, Write as _};

use relais_model::{Address, Domain, ReversePath, Secret, Timestamp};
use relais_msgauth::dkim::{Algorithm, Signer, SigningKey, sign};
use relais_msgauth::testing::{Zone, at_once};
use relais_msgauth::{Authentication, Facts, arc, authenticate};
use serde_json::{Value, json};

const HOST: &str = "mx.relais.example";

fn main() -> Result<(), Box<dyn Error>> {
    let mut question = String::new();
    std::io::stdin().read_to_string(&mut question)?;
    let question: Value = serde_json::from_str(&question)?;
    let answer = answer(&question)?;
    writeln!(std::io::stdout(), "{answer}")?;
    Ok(())
}

fn answer(question: &Value) -> Result<Value, Box<dyn Error>> {
    let message = text(question, "message")?;
    let now = Timestamp::from_seconds(question["now"].as_i64().ok_or("now")?);
    match text(question, "act")? {
        "sign" => {
            let signers = question["signers"].as_array().ok_or("signers")?;
            let signers: Vec<Signer> = signers.iter().map(signer).collect::<Result<_, _>>()?;
            let fields = sign(message.as_bytes(), &signers.iter().collect::<Vec<_>>(), now)?;
            Ok(json!({ "message": String::from_utf8(fields)? + message }))
        }
        "seal" => {
            let found = found(question, message, now)?;
            let signer = signer(question.pointer("/signers/0").ok_or("signers")?)?;
            let fields = arc::seal(message.as_bytes(), &found.arc, &found.results(HOST), &signer, now)?;
            Ok(json!({ "message": String::from_utf8(fields)? + message }))
        }
        "verify" => {
            let found = found(question, message, now)?;
            let dkim: Vec<Value> = found
                .dkim
                .iter()
                .map(|check| json!([check.result.as_str(), check.domain(), format!("{:?}", check.reason)]))
                .collect();
            Ok(json!({
                "dkim": dkim,
                "arc": [found.arc.result.as_str(), format!("{:?}", found.arc.reason)],
                "spf": found.spf_mail_from.result.as_str(),
                "dmarc": found.dmarc.result.as_str(),
                "field": found.field(HOST),
            }))
        }
        other => Err(format!("no act is called {other}").into()),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    value[name].as_str().ok_or_else(|| format!("{name} is missing"))
}

fn signer(told: &Value) -> Result<Signer, Box<dyn Error>> {
    let algorithm = if text(told, "algorithm")? == "rsa" { Algorithm::RsaSha256 } else { Algorithm::Ed25519Sha256 };
    Ok(Signer {
        domain: Domain::parse(text(told, "domain")?)?,
        selector: text(told, "selector")?.to_owned(),
        key: SigningKey::from_pem(algorithm, &Secret::new(text(told, "pem")?))?,
    })
}

fn found(question: &Value, message: &str, now: Timestamp) -> Result<Authentication, Box<dyn Error>> {
    let mut zone = Zone::new();
    let list = |value: &Value| {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    for (name, texts) in question["dns"].as_object().into_iter().flatten() {
        for text in list(texts) {
            zone.add_txt(name, text);
        }
    }
    for (name, addresses) in question["addresses"].as_object().into_iter().flatten() {
        for address in list(addresses) {
            zone.add_address(name, address.parse()?);
        }
    }
    let mail_from = question["mail_from"].as_str().unwrap_or_default();
    let reverse_path = Address::parse(mail_from).map_or(ReversePath::Null, ReversePath::Address);
    let facts = Facts {
        peer: question["peer"].as_str().unwrap_or("192.0.2.7").parse()?,
        helo: question["helo"].as_str().unwrap_or("mx.example.net"),
        reverse_path: &reverse_path,
        message: message.as_bytes(),
        host: HOST,
        now,
    };
    Ok(at_once(authenticate(&facts, &zone)))
}
