//! Which providers there are, what each wants to be told, and the way from there to a [`Provider`].

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;
use relais_model::{Clock, Random, Secret};
use serde::{Deserialize, Serialize};

use super::cloudflare::{self, Cloudflare};
use super::desec::{self, Desec};
use super::digitalocean::{self, DigitalOcean};
use super::gandi::{self, Gandi};
use super::hetzner::{self, Hetzner};
use super::http::Http;
use super::ovh::{self, Ovh, OvhKeys};
use super::rfc2136::{self, Rfc2136};
use super::route53::{self, Route53};
use super::{Provider, Publisher};

/// Letters of one field.
const FIELD_LETTERS: usize = 1000;

/// The providers that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// Cloudflare.
    Cloudflare,
    /// deSEC.
    Desec,
    /// `DigitalOcean`.
    DigitalOcean,
    /// Gandi.
    Gandi,
    /// Hetzner.
    Hetzner,
    /// OVH.
    Ovh,
    /// Amazon Route 53.
    Route53,
    /// A DNS server that takes dynamic updates.
    Rfc2136,
}

/// What a person has to fill in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name in a form, in the API, and in [`Settings`].
    pub id: &'static str,
    /// Its name for people: a sentence of the catalogue.
    pub label: &'static str,
    /// Where to find it: a sentence of the catalogue.
    pub help: &'static str,
    /// Stored as a secret, never shown again.
    pub is_secret: bool,
    /// One of these, the first unless another is chosen; anything where there are none.
    pub choices: &'static [&'static str],
}

/// What a person filled in, by the fields' ids. Prints without its values.
pub type Settings = BTreeMap<String, Secret>;

/// Why what was filled in is no account: the sentence stands beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Nothing is there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// It cannot be that.
    #[error("{0} cannot be that")]
    Wrong(&'static str),
    /// TLS cannot be set up here.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl FormError {
    /// The field's id; none where it is about none.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Missing(field) | Self::Wrong(field) => Some(field),
            Self::Tls(_) => None,
        }
    }

    /// Its sentence in the catalogue, and what fills its gaps.
    pub fn text(&self) -> (&'static str, Vec<(&'static str, String)>) {
        match self {
            Self::Missing(_) => ("dns-provider-form-missing", Vec::new()),
            Self::Wrong(_) => ("dns-provider-form-wrong", Vec::new()),
            Self::Tls(why) => ("dns-provider-failure-unreachable", vec![("why", why.clone())]),
        }
    }
}

const fn secret(id: &'static str, label: &'static str, help: &'static str) -> Field {
    Field { id, label, help, is_secret: true, choices: &[] }
}

const fn plain(id: &'static str, label: &'static str, help: &'static str) -> Field {
    Field { id, label, help, is_secret: false, choices: &[] }
}

const TOKEN: &str = "dns-provider-token";

impl ProviderKind {
    /// All of them, as a list shows them.
    pub const ALL: [Self; 8] = [
        Self::Cloudflare,
        Self::Desec,
        Self::DigitalOcean,
        Self::Gandi,
        Self::Hetzner,
        Self::Ovh,
        Self::Route53,
        Self::Rfc2136,
    ];

    /// Its name in forms, in the API and in the database.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Cloudflare => "cloudflare",
            Self::Desec => "desec",
            Self::DigitalOcean => "digitalocean",
            Self::Gandi => "gandi",
            Self::Hetzner => "hetzner",
            Self::Ovh => "ovh",
            Self::Route53 => "route53",
            Self::Rfc2136 => "rfc2136",
        }
    }

    /// By its id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// Its name for people: a sentence of the catalogue.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cloudflare => "dns-provider-cloudflare",
            Self::Desec => "dns-provider-desec",
            Self::DigitalOcean => "dns-provider-digitalocean",
            Self::Gandi => "dns-provider-gandi",
            Self::Hetzner => "dns-provider-hetzner",
            Self::Ovh => "dns-provider-ovh",
            Self::Route53 => "dns-provider-route53",
            Self::Rfc2136 => "dns-provider-rfc2136",
        }
    }

    /// What it wants to be told, in a form's order.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Cloudflare => const { &[secret("token", TOKEN, "dns-provider-cloudflare-token-help")] },
            Self::Desec => const { &[secret("token", TOKEN, "dns-provider-desec-token-help")] },
            Self::DigitalOcean => const { &[secret("token", TOKEN, "dns-provider-digitalocean-token-help")] },
            Self::Gandi => const { &[secret("token", TOKEN, "dns-provider-gandi-token-help")] },
            Self::Hetzner => const { &[secret("token", TOKEN, "dns-provider-hetzner-token-help")] },
            Self::Ovh => {
                const {
                    &[
                        Field {
                            choices: &["eu", "ca", "us"],
                            ..plain("endpoint", "dns-provider-ovh-endpoint", "dns-provider-ovh-endpoint-help")
                        },
                        secret(
                            "application_key",
                            "dns-provider-ovh-application-key",
                            "dns-provider-ovh-application-key-help",
                        ),
                        secret(
                            "application_secret",
                            "dns-provider-ovh-application-secret",
                            "dns-provider-ovh-application-secret-help",
                        ),
                        secret("consumer_key", "dns-provider-ovh-consumer-key", "dns-provider-ovh-consumer-key-help"),
                    ]
                }
            }
            Self::Route53 => {
                const {
                    &[
                        plain("access_key_id", "dns-provider-route53-id", "dns-provider-route53-id-help"),
                        secret("secret_access_key", "dns-provider-route53-secret", "dns-provider-route53-secret-help"),
                    ]
                }
            }
            Self::Rfc2136 => {
                const {
                    &[
                        plain("server", "dns-provider-rfc2136-server", "dns-provider-rfc2136-server-help"),
                        plain("key_name", "dns-provider-rfc2136-key-name", "dns-provider-rfc2136-key-name-help"),
                        Field {
                            choices: &rfc2136::ALGORITHMS,
                            ..plain(
                                "algorithm",
                                "dns-provider-rfc2136-algorithm",
                                "dns-provider-rfc2136-algorithm-help",
                            )
                        },
                        secret("secret", "dns-provider-rfc2136-secret", "dns-provider-rfc2136-secret-help"),
                    ]
                }
            }
        }
    }

    /// An account from what a person filled in. Asks nobody: [`Publisher::zone`] shows whether the key is right.
    ///
    /// # Errors
    /// Which field is missing or cannot be right.
    pub fn open(
        self,
        settings: &Settings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Publisher, FormError> {
        self.open_at(None, settings, clock, random)
    }

    /// As [`ProviderKind::open`], with the API elsewhere: for tests. A DNS server's place is a field of its form.
    ///
    /// # Errors
    /// As [`ProviderKind::open`].
    pub fn open_at(
        self,
        base: Option<&str>,
        settings: &Settings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Publisher, FormError> {
        let values = self.values(settings)?;
        let get = |id: &str| values.get(id).cloned().unwrap_or_else(|| Secret::new(""));
        let at = |usual: &str| base.unwrap_or(usual).to_owned();
        let http = Http::new(Arc::clone(&clock)).map_err(|error| FormError::Tls(error.to_string()))?;
        let provider: Box<dyn Provider> = match self {
            Self::Cloudflare => Box::new(Cloudflare::new(http, at(cloudflare::BASE), get("token"))),
            Self::Desec => Box::new(Desec::new(http, at(desec::BASE), get("token"))),
            Self::DigitalOcean => Box::new(DigitalOcean::new(http, at(digitalocean::BASE), get("token"))),
            Self::Gandi => Box::new(Gandi::new(http, at(gandi::BASE), get("token"))),
            Self::Hetzner => Box::new(Hetzner::new(http, at(hetzner::BASE), get("token"))),
            Self::Ovh => {
                let endpoint = get("endpoint");
                let usual =
                    ovh::BASES.into_iter().find(|(id, _)| *id == endpoint.expose()).map_or("", |(_, base)| base);
                let keys = OvhKeys {
                    application: get("application_key"),
                    secret: get("application_secret"),
                    consumer: get("consumer_key"),
                };
                Box::new(Ovh::new(&http, &at(usual), keys))
            }
            Self::Route53 => {
                Box::new(Route53::new(http, at(route53::BASE), get("access_key_id"), get("secret_access_key")))
            }
            Self::Rfc2136 => {
                let secret =
                    BASE64.decode(get("secret").expose().as_bytes()).map_err(|_| FormError::Wrong("secret"))?;
                let (server, name, algorithm) = (get("server"), get("key_name"), get("algorithm"));
                let provider = Rfc2136::new(server.expose(), name.expose(), algorithm.expose(), secret, clock, random);
                Box::new(provider.ok_or(FormError::Wrong("key_name"))?)
            }
        };
        Ok(Publisher::new(provider))
    }

    /// Each field's value, without blanks around it.
    fn values(self, settings: &Settings) -> Result<BTreeMap<&'static str, Secret>, FormError> {
        let value = |field: &Field| {
            let given = settings.get(field.id).map(|value| value.expose().trim()).filter(|value| !value.is_empty());
            let Some(value) = given.or_else(|| field.choices.first().copied()) else {
                return Err(FormError::Missing(field.id));
            };
            let is_fit = value.len() <= FIELD_LETTERS && value.bytes().all(|octet| octet.is_ascii_graphic());
            let is_chosen = field.choices.is_empty() || field.choices.contains(&value);
            if is_fit && is_chosen { Ok((field.id, Secret::new(value))) } else { Err(FormError::Wrong(field.id)) }
        };
        self.fields().iter().map(value).collect()
    }
}
