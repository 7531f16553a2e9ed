//! A house with two tenants, a person of each role in the first, and a key of each.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use relais_httpd::{MailPorts, Peer, Place, Web};
use relais_model::{Address, Domain, Flag, MailboxName, SystemFlag, SystemRandom, Timestamp, UidSet};
use relais_reception::Login;
use relais_service::{
    Access, Actor, ApiKeyForm, DnsHouse, NewAlias, NewDomain, NewList, NewPerson, NewTeam, Reach, Role, Scopes,
    Service, Site, Via,
};
use relais_store::{DatabaseUrl, FlagChange, FlagOp, Store, StoreConfig};
use relais_testkit::ManualClock;
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) struct House {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) service: Service,
    access: Arc<Access>,
    store: Store,
    router: Router,
    _dir: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The last part of a problem's `type`.
    pub(crate) fn problem(&self) -> &str {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        self.body["type"].as_str().unwrap().strip_prefix("/api/v1/problems/").unwrap()
    }
}

pub(crate) const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

impl House {
    pub(crate) async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_767_225_600)));
        let config = StoreConfig {
            database: DatabaseUrl::Sqlite(dir.path().join("relais.db")),
            objects: dir.path().join("objects"),
            inline_octets: 256 * 1024,
            readers: 2,
        };
        let store = Store::open(config, clock.clone(), Arc::new(SystemRandom)).await.unwrap();
        let login = Arc::new(Login::new(store.clone(), clock.clone(), &SystemRandom));
        let site = Site { host: "mx.house.example".to_owned(), origins: vec!["https://mx.house.example".to_owned()] };
        let access = Access::open(store.clone(), login.clone(), clock.clone(), Arc::new(SystemRandom), &site);
        let access = Arc::new(access.await.unwrap());
        let host = Domain::parse("mx.house.example").unwrap();
        let service = Service::new(store.clone(), login).with_dns(DnsHouse::quiet(host));
        let place = Place {
            host: Domain::parse("mx.house.example").unwrap(),
            origin: "https://mx.house.example".to_owned(),
            ports: MailPorts::default(),
        };
        let router = Web::new(service.clone(), Arc::clone(&access), place, clock.clone()).router();
        let house = Self { clock, service, access, store, router, _dir: dir };
        house.furnish().await;
        house
    }

    async fn furnish(&self) {
        let root = Actor::command_line();
        for domain in ["house.example", "other.example", "spare.example"] {
            let new = NewDomain { domain: domain.to_owned(), ..NewDomain::default() };
            self.service.domains.create(&root, new).await.unwrap();
        }
        for (name, role, domain) in [
            ("user", Role::User, "house.example"),
            ("desk", Role::HelpDesk, "house.example"),
            ("admin", Role::DomainAdmin, "house.example"),
            ("owner", Role::Owner, "house.example"),
            ("ann", Role::User, "house.example"),
            ("stranger", Role::DomainAdmin, "other.example"),
        ] {
            let serves = matches!(role, Role::HelpDesk | Role::DomainAdmin);
            let domains = if serves { vec![domain] } else { Vec::new() };
            let new = json!({ "address": format!("{name}@{domain}"), "role": role.as_str(), "domains": domains });
            let new: NewPerson = serde_json::from_value(new).unwrap();
            self.service.people.create(&root, new).await.unwrap();
        }
        let alias = NewAlias {
            address: "sales@house.example".to_owned(),
            targets: vec!["ann@house.example".to_owned()],
            ..NewAlias::default()
        };
        self.service.addresses.create(&root, alias).await.unwrap();
        let team = NewTeam { address: "team@house.example".to_owned(), ..NewTeam::default() };
        self.service.teams.create(&root, team).await.unwrap();
        let list = NewList { address: "list@house.example".to_owned(), ..NewList::default() };
        self.service.lists.create(&root, list).await.unwrap();
    }

    /// A key of a person, with at most `role`, for `scopes`.
    pub(crate) async fn key(&self, address: &str, role: Role, scopes: &str) -> String {
        let address = Address::parse(address).unwrap();
        let account = self.store.account(&address).await.unwrap().unwrap();
        let reach = match role {
            Role::Owner => Reach::All,
            _ => Reach::Domains(Vec::new()),
        };
        let actor = Actor {
            name: address.to_string(),
            account: Some((account.key, address)),
            role,
            reach,
            via: Via::Panel,
            peer: Some(PEER),
            is_proven: true,
        };
        let name = format!("{scopes} {}", self.store.now().millis());
        self.clock.advance(std::time::Duration::from_millis(1));
        let form = ApiKeyForm { name, role, scopes: Scopes::parse(scopes.split(' ')).unwrap(), expires_at: None };
        self.access.create_api_key(&actor, None, form).await.unwrap().expose().to_owned()
    }

    pub(crate) async fn owner(&self) -> String {
        self.key("owner@house.example", Role::Owner, "*").await
    }

    /// Expunges all of a mailbox, as a mail program does.
    pub(crate) async fn expunge(&self, address: &str, mailbox: &str) {
        let account = self.store.account(&Address::parse(address).unwrap()).await.unwrap().unwrap();
        let name = MailboxName::parse(mailbox).unwrap();
        let key = self.store.mailbox_key(account.key, &name).await.unwrap().unwrap();
        let mut all = UidSet::new();
        all.insert_run(1, u32::MAX);
        let deleted = FlagChange { op: FlagOp::Add, flags: vec![Flag::System(SystemFlag::Deleted)] };
        self.store.store_flags(key, all, deleted, None).await.unwrap();
        self.store.expunge(key, None).await.unwrap();
    }

    /// Deletes a mailbox, as a mail program does.
    pub(crate) async fn delete_mailbox(&self, address: &str, mailbox: &str) {
        let account = self.store.account(&Address::parse(address).unwrap()).await.unwrap().unwrap();
        self.store.delete_mailbox(account.key, &MailboxName::parse(mailbox).unwrap()).await.unwrap();
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let mut request = request;
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer::Network(PEER));
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let octets = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&octets)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&octets).into_owned()));
        Answer { status, headers, body }
    }

    /// As `key`, or as nobody where it is empty; a body is JSON, or CSV or a message where it begins so.
    pub(crate) async fn ask(&self, key: &str, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(key, method, path, body, &[]).await
    }

    pub(crate) async fn ask_with(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if !body.is_empty() {
            let kind = match body.get(..4) {
                Some("addr") => "text/csv",
                Some("From") => "message/rfc822",
                Some("BEGI") => "text/vcard",
                Some("{\"ma") if body.starts_with("{\"mailbox") => "application/vnd.relais.messages",
                _ => "application/json",
            };
            request = request.header("content-type", kind);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }
}
