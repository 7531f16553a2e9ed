//! Who asks: found once a request, and asked for by each handler in the form of the role and the scope that it needs.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use relais_service::{Actor, Failure, Group, KeyReach, Role, Scope};

use super::limits::{Budget, Limits};
use super::{Answer, Problem};
use crate::{Peer, Web};

/// The one who asks, once a key was found good or the control socket was used.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) actor: Actor,
    /// None: through the control socket, for all that there is.
    pub(crate) key: Option<Key>,
}

/// What is known of the key that was shown.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) reach: KeyReach,
    /// Made from the key itself, which nobody keeps: what is hashed with it tells nothing to who reads the database.
    pub(crate) seal: [u8; 32],
}

/// What stands before all operations.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    web: Web,
    limits: Arc<Limits>,
}

impl Gate {
    pub(crate) fn new(web: &Web) -> Self {
        Self { web: web.clone(), limits: Arc::default() }
    }

    /// Who asks, if anybody, and how much more they may ask.
    async fn admit(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Answer<(Option<Asker>, Option<Budget>)> {
        let network = match peer {
            // Who can open the house's own socket could as well read its database: no key tells more.
            Some(Peer::Host) => {
                return Ok((Some(Asker { actor: Actor::command_line(), key: None }), None));
            }
            Some(Peer::Network(network)) => *network,
            None => {
                tracing::error!("a request came without a peer: its door is wired wrongly");
                return Err(Failure::Failed.into());
            }
        };
        let now = self.web.now();
        let Some(value) = headers.get(AUTHORIZATION) else { return Ok((None, None)) };
        let token = value.to_str().ok().and_then(bearer);
        let keyed = match token {
            Some(token) => self.web.access().key(token, network).await?.map(|keyed| (keyed, token)),
            None => None,
        };
        let Some((keyed, token)) = keyed else {
            // Only who shows wrong keys is held up: a good key counts, whoever else comes from its network.
            self.limits.note_refusal(network, now)?;
            return Err(Problem::BadKey);
        };
        let seal = blake3::derive_key("relais 2026 api idempotency", token.as_bytes());
        let budget = self.limits.take(seal, self.web.service().api_requests_per_minute(), now)?;
        Ok((Some(Asker { actor: keyed.actor, key: Some(Key { reach: keyed.reach, seal }) }), Some(budget)))
    }
}

/// RFC 6750 §2.1; the scheme's name in any case (RFC 9110 §11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Finds out who asks; whether they may is each operation's own question.
pub(crate) async fn authenticate(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    match gate.admit(request.headers(), request.extensions().get::<Peer>()).await {
        Ok((asker, budget)) => {
            if let Some(asker) = asker {
                request.extensions_mut().insert(asker);
            }
            let mut response = next.run(request).await;
            if let Some(budget) = budget {
                budget.tell(response.headers_mut());
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

/// One who asks with at least the role `R`, and with a key for `S`. A handler that takes it cannot be called by anybody else.
#[derive(Debug)]
pub(crate) struct Caller<R, S> {
    pub(crate) actor: Actor,
    /// What the key may that was shown; none: whatever the actor may.
    pub(crate) reach: Option<KeyReach>,
    pub(crate) web: Web,
    needs: PhantomData<(R, S)>,
}

/// A role that an operation needs.
pub(crate) trait Least: Send + Sync + 'static {
    const ROLE: Role;
}

/// A scope that an operation needs.
pub(crate) trait Scoped: Send + Sync + 'static {
    const SCOPE: Scope;
}

/// A group of operations.
pub(crate) trait Grouped: Send + Sync + 'static {
    const GROUP: Group;
}

/// To look.
#[derive(Debug)]
pub(crate) struct Read<G>(PhantomData<G>);

/// To change.
#[derive(Debug)]
pub(crate) struct Write<G>(PhantomData<G>);

impl<G: Grouped> Scoped for Read<G> {
    const SCOPE: Scope = Scope::Read(G::GROUP);
}

impl<G: Grouped> Scoped for Write<G> {
    const SCOPE: Scope = Scope::Write(G::GROUP);
}

/// The roles, as types.
pub(crate) mod least {
    use super::{Least, Role};

    macro_rules! roles {
        ($($name:ident)*) => {$(
            #[derive(Debug)]
            pub(crate) enum $name {}
            impl Least for $name {
                const ROLE: Role = Role::$name;
            }
        )*};
    }

    roles! { User HelpDesk DomainAdmin Owner }
}

/// The groups, as types.
pub(crate) mod group {
    use super::{Group, Grouped};

    macro_rules! groups {
        ($($name:ident)*) => {$(
            #[derive(Debug)]
            pub(crate) enum $name {}
            impl Grouped for $name {
                const GROUP: Group = Group::$name;
            }
        )*};
    }

    groups! { Domains Dns People Addresses Queue Messages Security Certificates Settings System Webhooks Account }
}

impl<R: Least, S: Scoped> FromRequestParts<Web> for Caller<R, S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Answer<Self> {
        let asker = parts.extensions.get::<Asker>().ok_or(Problem::NoKey)?;
        if asker.key.as_ref().is_some_and(|key| !key.reach.scopes.allow(S::SCOPE)) {
            return Err(Problem::Scope(S::SCOPE));
        }
        asker.actor.require(R::ROLE)?;
        let reach = asker.key.as_ref().map(|key| key.reach.clone());
        Ok(Self { actor: asker.actor.clone(), reach, web: web.clone(), needs: PhantomData })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_the_header() {
        for (value, expected) in [
            ("Bearer relais_a", Some("relais_a")),
            ("bearer  relais_a ", Some("relais_a")),
            ("Basic dTpw", None),
            ("Bearer", None),
            ("Bearer ", None),
        ] {
            assert_eq!(bearer(value), expected, "{value}");
        }
    }
}
