//! A house with two tenants and one of each role, and the browsers of its people.

use std::collections::BTreeMap;
use std::future::ready;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION};
use axum::http::{HeaderMap, Method, Request, StatusCode, request};
use rcgen::{CertificateParams, KeyPair};
use relais_httpd::{MailPorts, Peer, Place, ProfileSigner, Web};
use relais_model::{Address, BodyType, Clock as _, Domain, MailboxName, ReversePath, Secret, Timestamp};
use relais_reception::{Disk, Login, LoginAnswer, LoginAttempt, Protocol, Reception, ReceptionConfig};
use relais_service::{
    Access, Actor, Courier, DnsHouse, NewWebhookForm, Operations, Out, Parcel, Posting, Role, SendsAs, Service,
    ShareLevel, SignIn, SignedIn, Site, TeamMember, Visit, Webhooks,
};
use relais_store::{
    Acceptance, Account, Append, AuditFilter, Author, ContactFilter, Content, DatabaseUrl, DomainChange, HoldFacts,
    HoldReason, ListTerms, MailboxKey, NewAccount, NewHold, NewMember, NewQueued, NewRecipient, Page, QueueFilter,
    Store, StoreConfig, TraceId,
};
use relais_testkit::{ManualClock, SeededRandom};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse";
/// Of it, as `doveadm pw -s SSHA512` made it: quick, so that tests are.
const HASH: &str =
    "{SSHA512}mpmCl2ofUUa9Tjo5osCoV55vwBWXyuzI3Eme/hdZIriGuwXwp82joKjvIVhnO3qON8GMJ55C7suhKd0jBG4/PeAOv0M=";

/// A message with HTML, plain text and a file.
pub(crate) const LETTER: &str = "From: Shop <news@shop.example>\nTo: user@one.example\nSubject: Sale\nMessage-ID: <1@shop.example>\n\
    MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n\
    <p onclick=alert(1)>Hi<script>alert(1)</script><img src=https://tracker.example/p.gif></p>\n\
    --b\nContent-Type: text/html; name=evil.html\nContent-Disposition: attachment; filename=evil.html\n\n<script>alert(2)</script>\n\
    --b\nContent-Type: image/png; name=dot.png\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--b--\n";

/// The store's file.
const DATABASE: &str = "store.db";
/// When a house begins: 2026-01-01 00:00:00 UTC.
const BEGUN_AT: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// Where browsers are.
const PEER: [u8; 4] = [192, 0, 2, 1];

/// Who has which role; all are of one.example, where the middle two serve.
const PEOPLE: [(&str, Role); 4] = [
    ("user@one.example", Role::User),
    ("desk@one.example", Role::HelpDesk),
    ("admin@one.example", Role::DomainAdmin),
    ("owner@one.example", Role::Owner),
];

/// Takes whatever is posted.
#[derive(Debug)]
struct Taken;

impl Courier for Taken {
    fn post(&self, _: Parcel) -> Posting<'_> {
        Box::pin(ready(Ok(204)))
    }
}

/// Signs with what it made for itself.
#[derive(Debug)]
struct Signer(Arc<CertifiedKey>);

impl Signer {
    /// And the certificate as PEM.
    fn make() -> (Self, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["mx.one.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let certified = CertifiedKey::from_der(vec![certificate.der().clone()], private, &default_provider()).unwrap();
        (Self(Arc::new(certified)), certificate.pem())
    }
}

impl ProfileSigner for Signer {
    fn certified(&self) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

pub(crate) struct House {
    /// What profiles are signed with.
    pub(crate) certificate: String,
    pub(crate) router: Router,
    pub(crate) access: Arc<Access>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Store,
    /// Where mail comes in.
    pub(crate) reception: Arc<Reception>,
    service: Service,
    login: Arc<Login>,
    _dir: TempDir,
}

impl House {
    /// With a queued message of each tenant: `one` and `two`.
    pub(crate) async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(BEGUN_AT));
        std::fs::write(dir.path().join(DATABASE), BEGUN.get_or_init(begun).await).unwrap();
        // Others than those that the tenants' names were made of.
        let random = Arc::new(SeededRandom::new(8));
        let store = store_in(dir.path(), &clock, &random).await;
        let login = Arc::new(Login::new(store.clone(), clock.clone(), &*random).with_refusals_after(Duration::ZERO));
        let origin = "https://mx.one.example".to_owned();
        let site = Site { host: "mx.one.example".to_owned(), origins: vec![origin.clone()] };
        let access = Access::open(store.clone(), login.clone(), clock.clone(), random.clone(), &site).await.unwrap();
        let access = Arc::new(access);
        let mut operations = Operations::default();
        operations.webhooks = Webhooks::new(Arc::new(Taken), random.clone());
        let service = Service::new(store.clone(), Arc::clone(&login)).with_operations(operations);
        let service = service.with_dns(DnsHouse::quiet(domain(&site.host)));
        let config = ReceptionConfig { host_name: domain(&site.host) };
        let disk = Arc::new(Disk::new(dir.path(), 0, clock.clone()));
        let reception = Reception::new(store.clone(), config, dir.path(), disk, clock.clone(), random.clone());
        let reception = Arc::new(reception);
        let service = service.with_mail_out(Out::new(Arc::clone(&reception), random, domain(&site.host)));
        let ports = MailPorts {
            imaps: Some(993),
            pop3s: Some(995),
            submissions: Some(465),
            imap: Some(143),
            submission: Some(587),
            ..MailPorts::default()
        };
        let (signer, certificate) = Signer::make();
        let place = Place { host: domain(&site.host), origin, ports };
        let web = Web::new(service.clone(), Arc::clone(&access), place, clock.clone()).with_signer(Arc::new(signer));
        // Who listens for changes hears that the house closes: nobody waits for them.
        let stop = CancellationToken::new();
        stop.cancel();
        let web = web.with_stop(stop);
        let router = web.router();
        let house = Self { certificate, router, access, clock, store, reception, service, login, _dir: dir };
        house.queue("one", "user@one.example", "a@x.example").await;
        house.queue("two", "far@two.example", "b@y.example").await;
        for owner in ["user@one.example", "far@two.example"] {
            house.file(owner, LETTER).await;
        }
        house
    }

    /// Puts a message into somebody's INBOX.
    pub(crate) async fn file(&self, owner: &str, raw: &str) {
        let content = Content::prepare(raw.replace('\n', "\r\n").into_bytes());
        let append = Append { content, flags: Vec::new(), internal_date: None };
        self.store.append(self.inbox(owner).await, vec![append]).await.unwrap();
    }

    /// What stands in somebody's mailbox, in its order: octets, how each is marked, and the second in which it came; none: there is no such.
    pub(crate) async fn held(&self, owner: &str, mailbox: &str) -> Option<Vec<(String, String, i64)>> {
        let account = self.store.account(&Address::parse(owner).unwrap()).await.unwrap().unwrap();
        let key = self.store.mailbox_key(account.key, &MailboxName::parse(mailbox).unwrap()).await.unwrap()?;
        let view = self.store.view(key).await.unwrap().unwrap();
        let mut held = Vec::new();
        for row in view.read(|rows| rows.as_slice().to_vec()) {
            let octets = self.store.raw(row.message()).await.unwrap().unwrap();
            let flags: Vec<String> = view.flags_of(row.flags).iter().map(ToString::to_string).collect();
            held.push((String::from_utf8(octets).unwrap(), flags.join(" "), row.internal_date().seconds()));
        }
        Some(held)
    }

    async fn inbox(&self, owner: &str) -> MailboxKey {
        let account = self.store.account(&Address::parse(owner).unwrap()).await.unwrap().unwrap();
        self.store.mailbox_key(account.key, &MailboxName::inbox()).await.unwrap().unwrap()
    }

    async fn queue(&self, trace: &str, sender: &str, recipient: &str) {
        let reverse_path = ReversePath::Address(Address::parse(sender).unwrap());
        let recipient = NewRecipient { address: Address::parse(recipient).unwrap(), notify: None, original: None };
        let queued = NewQueued {
            reverse_path: reverse_path.clone(),
            ret: None,
            envelope_id: None,
            body_type: BodyType::SevenBit,
            smtputf8: false,
            require_tls: false,
            submitter: None,
            recipients: vec![recipient],
            expires_at: self.clock.now().plus(Duration::from_hours(120)),
        };
        let acceptance = Acceptance {
            content: Content::prepare(b"Subject: Hello\r\n\r\nHello\r\n".to_vec()),
            reverse_path,
            deliveries: Vec::new(),
            outbound: Some(queued),
            trace: TraceId::parse(trace).unwrap(),
            from_peer: "192.0.2.1".to_owned(),
            judgement: None,
            submission: None,
        };
        self.store.accept(acceptance).await.unwrap();
    }

    /// A browser where nobody has signed in, or the one with this role has just now, with their password.
    pub(crate) async fn browser(&self, role: Option<Role>) -> Browser {
        let (cookie, token) = match role {
            None => ("__Host-relais-guest", self.access.make_visitor()),
            Some(role) => {
                let visit = Visit { peer: IpAddr::from(PEER), agent: "Firefox".to_owned() };
                let signed_in = self.access.sign_in(address_of(role), Secret::new(PASSWORD), &visit).await;
                let Ok(SignIn::Whole(token)) = signed_in else { panic!("{role:?}: {signed_in:?}") };
                ("__Host-relais", token)
            }
        };
        let csrf = self.access.csrf(token.expose());
        Browser { router: self.router.clone(), cookie: format!("{cookie}={}", token.expose()), csrf }
    }

    async fn signed_in(&self, role: Role) -> SignedIn {
        let browser = self.browser(Some(role)).await;
        let (_, token) = browser.cookie.split_once('=').unwrap();
        self.access.session(token, IpAddr::from(PEER)).await.unwrap().unwrap()
    }

    pub(crate) async fn actor(&self, role: Role) -> Actor {
        self.signed_in(role).await.actor
    }

    /// `text`, with what it names made now: `$link` (a link for the user's password), `$phone` (one for their phone), `$hook` and `$far-hook` (webhooks of each
    /// tenant), `$held` (somebody whose mail is held), `$ban` (the user's name), `$password`.
    pub(crate) async fn fill(&self, text: &str) -> String {
        let mut filled = text.replace("$password", &PASSWORD.replace(' ', "+"));
        if text.contains("$link") {
            let owner = self.actor(Role::Owner).await;
            let link = self.access.password_link(&owner, address_of(Role::User)).await.unwrap();
            filled = filled.replace("$link", link.expose());
        }
        if text.contains("$phone") {
            let user = self.actor(Role::User).await;
            let link = self.access.own_device_link(&user).await.unwrap();
            filled = filled.replace("$phone", link.expose());
        }
        for (gap, domain) in [("$hook", "one.example"), ("$far-hook", "two.example")] {
            if text.contains(gap) {
                filled = filled.replace(gap, &self.webhook(domain).await);
            }
        }
        if text.contains("$held") {
            self.hold("held@one.example").await;
            filled = filled.replace("$held", "held@one.example");
        }
        for (gap, owner) in [("$inbox", "user@one.example"), ("$far-inbox", "far@two.example")] {
            if text.contains(gap) {
                filled = filled.replace(gap, &self.inbox(owner).await.mailbox_id());
            }
        }
        if text.contains("$ban") {
            self.ban(address_of(Role::User)).await;
            filled = filled.replace("$ban", address_of(Role::User));
        }
        filled
    }

    /// As [`House::fill`]; `$version` is that of the person, address or domain of `path`.
    pub(crate) async fn fill_form(&self, form: &str, path: &str) -> String {
        let form = self.fill(form).await;
        if !form.contains("$version") {
            return form;
        }
        let owner = self.actor(Role::Owner).await;
        let mut segments = path.split('/').skip(2);
        let (list, name) = (segments.next().unwrap(), segments.next().unwrap());
        let version = match list {
            "people" => self.service.people.show(&owner, name).await.unwrap().version,
            "addresses" => self.service.addresses.show(&owner, name).await.unwrap().address.version,
            "teams" => self.service.teams.show(&owner, name).await.unwrap().version,
            "lists" => self.service.lists.show(&owner, name).await.unwrap().version,
            "domains" => self.service.domains.show(&owner, name).await.unwrap().version,
            _ => panic!("{path} has no version"),
        };
        form.replace("$version", &version)
    }

    /// What `with` may do in a mailbox of the team team@one.example, and how they write from its address.
    pub(crate) async fn share_team(&self, with: &str, level: Option<ShareLevel>, sends: Option<SendsAs>) {
        let member = TeamMember { with: with.to_owned(), level, sends, ..TeamMember::default() };
        let owner = self.actor(Role::Owner).await;
        self.service.teams.put_member(&owner, "team@one.example", &member).await.unwrap();
    }

    /// A message in the team's inbox; the way there.
    pub(crate) async fn fill_team(&self) -> String {
        let inbox = self.inbox("team@one.example").await;
        let content = Content::prepare(b"From: a@else.example\r\nSubject: Offer\r\n\r\nHi\r\n".to_vec());
        let append = Append { content, flags: Vec::new(), internal_date: None };
        self.store.append(inbox, vec![append]).await.unwrap();
        format!("/mail/{}", inbox.mailbox_id())
    }

    /// Somebody's mail is held; who isn't here is added.
    async fn hold(&self, address: &str) {
        let address = Address::parse(address).unwrap();
        if self.store.account(&address).await.unwrap().is_none() {
            self.store.add_account(NewAccount::user(address.clone()), &Author::house()).await.unwrap();
        }
        let account = self.store.account(&address).await.unwrap().unwrap().key;
        let facts = HoldFacts { messages: 1, new_recipients: 100, ..HoldFacts::default() };
        let new = NewHold { account, reason: HoldReason::NewRecipients, facts, peer: Some(IpAddr::from(PEER)) };
        self.store.raise_hold(new).await.unwrap();
    }

    async fn webhook(&self, domain: &str) -> String {
        let form = NewWebhookForm {
            url: "https://hooks.example/".to_owned(),
            events: vec!["message.failed".to_owned()],
            domain: Some(domain.to_owned()),
            ..NewWebhookForm::default()
        };
        self.service.create_webhook(&self.actor(Role::Owner).await, &form).await.unwrap().webhook.id
    }

    /// Whether a mail program gets in so.
    pub(crate) async fn lets_in(&self, name: &str, password: &str, protocol: Protocol) -> bool {
        let attempt = LoginAttempt {
            name: name.to_owned(),
            authorization: None,
            password: Secret::new(password),
            peer: IpAddr::from(PEER),
            protocol,
        };
        matches!(self.login.check(attempt).await, LoginAnswer::Granted(_))
    }

    /// What those who run the house set.
    pub(crate) async fn set(&self, name: &str, value: &str) {
        self.store.change_setting(&Author::house(), name, Some(value)).await.unwrap();
    }

    async fn ban(&self, name: &str) {
        for last in 1..=20 {
            let attempt = LoginAttempt {
                name: name.to_owned(),
                authorization: None,
                password: Secret::new("wrong"),
                peer: IpAddr::from([198, 51, last, 1]),
                protocol: Protocol::Imap,
            };
            self.login.check(attempt).await;
        }
    }

    /// What can be changed, in short: what is noted in the activity, the queue, how many sessions each has.
    pub(crate) async fn state(&self) -> BTreeMap<String, String> {
        let activity = self.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap();
        let queue = self.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap();
        let mut state = BTreeMap::from([
            ("activity".to_owned(), format!("{:?}", activity.rows)),
            ("queue".to_owned(), format!("{:?}", queue.rows)),
            ("settings".to_owned(), format!("{:?}", self.store.settings())),
        ]);
        for owner in ["user@one.example", "far@two.example"] {
            let account = self.store.account(&Address::parse(owner).unwrap()).await.unwrap().unwrap();
            let mailboxes = self.store.mailboxes(account.key).await.unwrap();
            let view = self.store.view(self.inbox(owner).await).await.unwrap().unwrap();
            let rows = view.read(|rows| rows.as_slice().to_vec());
            let choices = self.store.reading_choices(account.key).await.unwrap();
            let writing = self.store.writing_choices(account.key).await.unwrap();
            let identities = self.store.identities(account.key).await.unwrap();
            let scheduled = self.store.scheduled(account.key).await.unwrap();
            let everybody = ContactFilter { limit: 100, ..ContactFilter::default() };
            let contacts = self.store.contacts(account.key, &everybody).await.unwrap();
            let writing = format!("{writing:?}{identities:?}{scheduled:?}{contacts:?}");
            state.insert(format!("mail of {owner}"), format!("{mailboxes:?}{rows:?}{choices:?}{writing}"));
        }
        for (text, _) in PEOPLE {
            let account = self.store.account(&Address::parse(text).unwrap()).await.unwrap().unwrap();
            let sessions = self.store.sessions(account.key).await.unwrap();
            state.insert(format!("sessions of {text}"), sessions.len().to_string());
            // When somebody was seen is written some time after they came: no request of a test's does that.
            let account = Account { last_seen_at: None, ..account };
            state.insert(text.to_owned(), format!("{account:?}"));
        }
        state
    }

    pub(crate) async fn check(&self) {
        assert_eq!(self.store.check().await.unwrap(), Vec::<String>::new());
    }
}

/// The file of a house with its tenants, their people, addresses, teams and lists: made once, for most of opening a house is this.
static BEGUN: OnceCell<Vec<u8>> = OnceCell::const_new();

async fn begun() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path(), &Arc::new(ManualClock::at(BEGUN_AT)), &Arc::new(SeededRandom::new(7))).await;
    for (name, tenant) in [("one.example", "one"), ("two.example", "two")] {
        let start = DomainChange { tenant: Some(tenant.to_owned()), ..DomainChange::default() };
        store.add_domain(&domain(name), start, &Author::house()).await.unwrap();
    }
    for (text, role) in PEOPLE {
        let domains = vec![domain("one.example")];
        let password_hash = Some(Secret::new(HASH));
        let new =
            NewAccount { role: role.into(), domains, password_hash, ..NewAccount::user(Address::parse(text).unwrap()) };
        store.add_account(new, &Author::house()).await.unwrap();
    }
    let far = NewAccount::user(Address::parse("far@two.example").unwrap());
    store.add_account(far, &Author::house()).await.unwrap();
    for name in ["all@one.example", "all@two.example"] {
        let targets = vec![Address::parse("far@two.example").unwrap()];
        store.add_alias(&Address::parse(name).unwrap(), targets, &Author::house()).await.unwrap();
    }
    for name in ["team@one.example", "team@two.example"] {
        let team = NewAccount::team(Address::parse(name).unwrap());
        store.add_account(team, &Author::house()).await.unwrap();
    }
    // The last one is looked after by the user.
    for name in ["list@one.example", "list@two.example", "own@one.example"] {
        let list =
            store.add_list(&Address::parse(name).unwrap(), ListTerms::default(), &Author::house()).await.unwrap();
        let mut members = vec![NewMember::reader(Address::parse("m@else.example").unwrap())];
        if name.starts_with("own@") {
            let owner = NewMember::reader(Address::parse("user@one.example").unwrap());
            members.push(NewMember { is_owner: true, ..owner });
        }
        store.put_list_members(list.key, members, &Author::house()).await.unwrap();
    }
    store.close().await;
    std::fs::read(dir.path().join(DATABASE)).unwrap()
}

async fn store_in(folder: &Path, clock: &Arc<ManualClock>, random: &Arc<SeededRandom>) -> Store {
    let database = DatabaseUrl::Sqlite(folder.join(DATABASE));
    let config = StoreConfig { database, objects: folder.join("objects"), inline_octets: 100_000, readers: 1 };
    Store::open(config, clock.clone(), random.clone()).await.unwrap()
}

pub(crate) fn address_of(role: Role) -> &'static str {
    PEOPLE.into_iter().find(|(_, of)| *of == role).unwrap().0
}

pub(crate) fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

/// What a browser keeps, and says.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) router: Router,
    pub(crate) cookie: String,
    /// What its forms bring along.
    pub(crate) csrf: String,
}

impl Browser {
    /// With no cookie at all.
    pub(crate) fn new(router: &Router) -> Self {
        Self { router: router.clone(), cookie: String::new(), csrf: String::new() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, Body::empty()).await
    }

    /// With the token that its forms carry.
    pub(crate) async fn post(&self, path: &str, form: &str) -> Answer {
        self.post_with(Some(&self.csrf), path, form).await
    }

    /// As `host`, whatever the cookie.
    pub(crate) async fn get_at(&self, host: &str, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).header(HOST, host).body(Body::empty()).unwrap()).await
    }

    /// With this token, or with none. `file:…` is a form with a file of that text, `xml:…` a document and no form.
    pub(crate) async fn post_with(&self, csrf: Option<&str>, path: &str, form: &str) -> Answer {
        if let Some(document) = form.strip_prefix("xml:") {
            let request = self.request(Method::POST, path).header(CONTENT_TYPE, "text/xml");
            return self.send(request.body(Body::from(document.trim().to_owned())).unwrap()).await;
        }
        let Some(file) = form.strip_prefix("file:") else {
            let csrf = csrf.map(|csrf| format!("csrf={csrf}&")).unwrap_or_default();
            return self.ask(Method::POST, path, Body::from(csrf + form)).await;
        };
        let part =
            |head: &str, text: &str| format!("--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n");
        let csrf = csrf.map(|csrf| part("name=\"csrf\"", csrf)).unwrap_or_default();
        let file = part("name=\"file\"; filename=\"people.csv\"", file.trim());
        self.post_parts(path, Body::from(format!("{csrf}{file}--edge--\r\n"))).await
    }

    /// A form with files, of fields alone.
    pub(crate) async fn post_fields(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let part = |(name, text): &(&str, &str)| {
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        let fields: String = fields.iter().map(part).collect();
        self.post_parts(path, Body::from(format!("{}{fields}--edge--\r\n", part(&("csrf", &self.csrf))))).await
    }

    /// A form with one field, and a file of any octets.
    pub(crate) async fn post_file(&self, path: &str, (name, text): (&str, &str), octets: &[u8]) -> Answer {
        let part =
            |head: &str, text: &str| format!("--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n");
        let fields = part("name=\"csrf\"", &self.csrf) + &part(&format!("name=\"{name}\""), text);
        let file = "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"mail\"\r\n\r\n";
        let body = [fields.as_bytes(), file.as_bytes(), octets, b"\r\n--edge--\r\n"].concat();
        self.post_parts(path, Body::from(body)).await
    }

    /// A form with files, as it goes over the wire: `edge` stands between its parts.
    pub(crate) async fn post_parts(&self, path: &str, body: Body) -> Answer {
        let request = self.request(Method::POST, path).header(CONTENT_TYPE, "multipart/form-data; boundary=edge");
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Body) -> Answer {
        let mut request = self.request(method.clone(), path);
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        self.send(request.body(body).unwrap()).await
    }

    fn request(&self, method: Method, path: &str) -> request::Builder {
        let request = Request::builder().method(method).uri(path).extension(Peer::Network(PEER.into()));
        if self.cookie.is_empty() { request } else { request.header(COOKIE, &self.cookie) }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let octets = to_bytes(body, 4 * 1024 * 1024).await.unwrap();
        let body = String::from_utf8_lossy(&octets).into_owned();
        Answer { status: parts.status, headers: parts.headers, body, octets: octets.to_vec() }
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// The body as it came.
    pub(crate) octets: Vec<u8>,
}

impl Answer {
    /// The status, and where it leads; `sign-in` for the page where one signs in, to come back afterwards.
    pub(crate) fn short(&self) -> String {
        let location = self.headers.get(LOCATION).map(|location| location.to_str().unwrap());
        match location {
            Some(location) if location.starts_with("/sign-in?next=") => "sign-in".to_owned(),
            Some(location) => format!("{} {location}", self.status.as_u16()),
            None => self.status.as_u16().to_string(),
        }
    }
}
