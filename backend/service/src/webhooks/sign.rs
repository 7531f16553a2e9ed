//! The signature of Standard Webhooks: HMAC-SHA256 over `ID.TIMESTAMP.PAYLOAD`.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use relais_model::{Secret, Timestamp};
use sha2::Sha256;

/// What stands before a secret, so that people and scanners know it.
pub(super) const PREFIX: &str = "whsec_";

/// The headers `webhook-id`, `webhook-timestamp` and `webhook-signature`; none where the secret is none.
pub(super) fn headers(secret: &Secret, id: &str, at: Timestamp, payload: &str) -> Option<Vec<(&'static str, String)>> {
    let key = BASE64.decode(secret.expose().strip_prefix(PREFIX)?.as_bytes()).ok()?;
    let timestamp = at.seconds().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    for part in [id, ".", &timestamp, ".", payload] {
        mac.update(part.as_bytes());
    }
    let signature = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
    Some(vec![("webhook-id", id.to_owned()), ("webhook-timestamp", timestamp), ("webhook-signature", signature)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn the_signature_is_the_standards() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = Timestamp::from_seconds(1_614_265_330);
        let headers = headers(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, r#"{"test": 2432232314}"#).unwrap();
        assert_eq!(headers[2].1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(headers[1].1, "1614265330");
    }
}
