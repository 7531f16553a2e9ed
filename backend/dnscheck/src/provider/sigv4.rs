//! AWS Signature Version 4, as much of it as a request to Route 53 takes:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use relais_model::{Secret, Timestamp};
use sha2::{Digest as _, Sha256};

use super::http::{Sign, Unsigned};

/// An access key, and what it is for.
pub(super) struct AwsKeys {
    pub(super) id: Secret,
    pub(super) secret: Secret,
    /// `us-east-1` for Route 53, wherever one is.
    pub(super) region: &'static str,
    /// `route53`.
    pub(super) service: &'static str,
}

impl Sign for AwsKeys {
    fn headers(&self, request: &Unsigned<'_>) -> Vec<(&'static str, String)> {
        let stamp = stamp(request.now);
        let day = stamp.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let to_sign =
            format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex_hash(canonical(request, &stamp).as_bytes()));
        let mut key = mac(format!("AWS4{}", self.secret.expose()).as_bytes(), day);
        for part in [self.region, self.service, "aws4_request"] {
            key = mac(&key, part);
        }
        let signature = HEXLOWER.encode(&mac(&key, &to_sign));
        let id = self.id.expose();
        let proof =
            format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}");
        vec![("x-amz-date", stamp), ("authorization", proof)]
    }
}

/// `20150830T123600Z`.
fn stamp(now: Timestamp) -> String {
    let time = jiff::Timestamp::from_second(now.seconds()).unwrap_or_default();
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The request in the one form that both sides sign. Our paths and queries are escaped as AWS wants them already.
fn canonical(request: &Unsigned<'_>, stamp: &str) -> String {
    let rest = request.url.split_once("://").map_or(request.url, |(_, rest)| rest);
    let (host, target) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    let (method, pairs, body) = (request.method, pairs.join("&"), hex_hash(request.body));
    format!("{method}\n{path}\n{pairs}\nhost:{host}\nx-amz-date:{stamp}\n\nhost;x-amz-date\n{body}")
}

fn hex_hash(octets: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(octets))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length will do (RFC 2104 §2), so this has no error.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::*;

    /// "get-vanilla" of AWS's test suite for Signature Version 4.
    #[test]
    fn a_request_is_signed_as_aws_does() {
        let keys = AwsKeys {
            id: Secret::new("AKIDEXAMPLE"),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1",
            service: "service",
        };
        let now = Timestamp::from_seconds(1_440_938_160);
        let url = "https://example.amazonaws.com/";
        let headers = keys.headers(&Unsigned { method: &Method::GET, url, body: &[], now });
        assert_eq!(headers[0], ("x-amz-date", "20150830T123600Z".to_owned()));
        let signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert_eq!(
            headers[1].1,
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={signature}"
            )
        );
    }
}
