//! The house's half of a SCRAM exchange, and its word on a token, the same at all doors.

use std::net::IpAddr;

use relais_reception::{LoginAnswer, Protocol, ScramAttempt, ScramStart, TokenAttempt};
use relais_sasl::Bearer;
use relais_sasl::scram::{ChannelBindings, Known, Wanted};

use crate::House;
use crate::wire::Wire;

/// An exchange, from its keys to its end.
#[derive(Debug, Default)]
pub(crate) struct Scram {
    attempt: Option<ScramAttempt>,
}

impl Scram {
    /// What the exchange goes on with; none where it is refused.
    pub(crate) async fn keys(
        &mut self,
        house: &House,
        wanted: Wanted,
        (peer, protocol): (IpAddr, Protocol),
        bindings: ChannelBindings,
    ) -> Result<Known, LoginAnswer> {
        let Wanted { login_name, authorization } = wanted;
        let start = house.login.scram_keys(&login_name, authorization, peer, protocol).await?;
        let ScramStart { attempt, verifier, nonce } = start;
        self.attempt = Some(attempt);
        Ok(Known { verifier, nonce, bindings })
    }

    /// Ends it: the password in this place was the peer's, or none was.
    pub(crate) async fn conclude(&mut self, house: &House, place: Option<usize>) -> LoginAnswer {
        match self.attempt.take() {
            Some(attempt) => house.login.conclude_scram(attempt, place).await,
            None => LoginAnswer::Unavailable,
        }
    }
}

impl House {
    /// Whose this token is, if anybody's.
    pub(crate) async fn check_token(&self, bearer: Bearer, peer: IpAddr, protocol: Protocol) -> LoginAnswer {
        let Bearer { login_name: name, token, .. } = bearer;
        self.login.check_token(TokenAttempt { name, token, peer, protocol }).await
    }
}

impl Wire {
    /// What a log-in over this connection can be bound to.
    pub(crate) fn channel_bindings(&self) -> ChannelBindings {
        let Some(tls) = self.tls() else { return ChannelBindings::default() };
        // RFC 9266 §2: before TLS 1.3 its extended master secret would have to be in use, which rustls doesn't tell.
        let has_exporter = tls.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
        let exported = || tls.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok();
        ChannelBindings {
            tls_exporter: if has_exporter { exported() } else { None },
            tls_server_end_point: self.shown().and_then(|shown| shown.end_point(tls.server_name())),
        }
    }
}
