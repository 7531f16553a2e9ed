//! What a demo's pages show: tenants, mail of the last day on all its ways, who knocked, what was changed. It is written by the same
//! use-cases and the same store as everything else, with a clock that begins a day ago.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use relais_certs::Checked;
use relais_message::format_date;
use relais_model::{
    Address, BodyType, Clock, Domain, Finding, ReversePath, Said, Secret, SpecialUse, SystemClock, SystemRandom,
    Timestamp,
};
use relais_service::{
    Actor, Failure, NewAlias, NewDomain, NewPerson, NewWebhookForm, OwnCertificateForm, Password, Role, Service,
    WantedNameForm,
};
use relais_store::{
    Acceptance, CertificateSource, Claim, Content, Delivery, EndedOrder, JudgedAs, Judgement, LoginNote, LoginProtocol,
    LoginWay, MessageKey, NameFinding, NameState, NewCertificate, NewQueued, NewRecipient, OrderOutcome, Outcome,
    ReceivedReport, Refused, ReportCounts, ReportSession, ReportSource, Settlement, Store, Target, TraceId,
};

use super::DOMAIN;
use crate::certificate;

/// A clock that is moved by hand while the house is furnished, and then tells the time.
#[derive(Debug, Default)]
pub(crate) struct DemoClock {
    back: AtomicI64,
}

impl DemoClock {
    /// From now on it is so much earlier.
    pub(super) fn go_back(&self, by: Duration) {
        self.back.store(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        let back = u64::try_from(self.back.load(Ordering::Relaxed)).unwrap_or_default();
        SystemClock.now().minus(Duration::from_millis(back))
    }
}

/// So long ago the demo's house was founded.
pub(super) const BEGINS: Duration = Duration::from_hours(26);

/// A second tenant: nobody of the first sees it but the owner.
pub(super) const OTHER_DOMAIN: &str = "chess-club.test";
/// Their people: local part, name, octets that their mail may take.
const OTHERS: [(&str, &str, Option<u64>); 4] = [
    ("magnus", "Magnus Håland", Some(2_000_000_000)),
    ("judit", "Judit Polgár-Szabó, first board and treasurer of the club", Some(500_000_000)),
    ("yael", "יעל כהן", None),
    ("vera", "Vera Menchik", Some(1_000_000_000)),
];
/// Sender, recipient, subject; an address elsewhere goes through the queue.
const MAIL: [(&str, &str, &str); 12] = [
    ("ann@relais.test", "orders@bakery.example", "Bread for Saturday"),
    ("newsletter@trains.example", "ben@relais.test", "Night trains: the new timetable"),
    ("magnus@chess-club.test", "league@federation.example", "Line-up for round 7"),
    ("chloe@relais.test", "prof@university.example", "Épreuves du chapitre 3"),
    ("shop@books.example", "ann@relais.test", "Your order has been sent"),
    ("david@relais.test", "mum@family.example", "Photos of the garden"),
    ("bank@savings.example", "judit@chess-club.test", "Statement of account"),
    ("ben@relais.test", "support@printer.example", "It prints only half of the page"),
    ("yael@chess-club.test", "חבר@מכתב.example", "שלום מהמועדון"),
    ("ann@relais.test", "david@relais.test", "Lunch?"),
    ("alerts@monitor.example", "chloe@relais.test", "Disk 80% full on web-2"),
    ("judit@chess-club.test", "printer@posters.example", "Poster for the open"),
];
/// What the other side says to each in turn.
const REPLIES: [&str; 8] = [
    "250 2.0.0 Ok: queued as 4Tq1",
    "250 2.6.0 message accepted",
    "451 4.7.1 Greylisting in action, please come back later",
    "250 2.0.0 OK",
    "452 4.2.2 The recipient's mailbox is full",
    "550 5.1.1 <mum@family.example>: user unknown",
    "250 Ok",
    "421 4.3.2 System not accepting messages",
];

/// Fills the house, from a day ago until now.
pub(super) async fn furnish(service: &Service, store: &Store, clock: &DemoClock) -> Result<()> {
    let owner = Actor::command_line();
    let domain = NewDomain {
        domain: OTHER_DOMAIN.to_owned(),
        description: "The chess club's; Magnus looks after it.".to_owned(),
        tenant: "chess club".to_owned(),
        default_quota_octets: Some(1_000_000_000),
        ..NewDomain::default()
    };
    done(service.domains.create(&owner, domain).await)?;
    for (local_part, name, quota_octets) in OTHERS {
        let address = format!("{local_part}@{OTHER_DOMAIN}");
        let (password, role) = (Some(Password::new(super::password())), Role::User);
        let new = NewPerson {
            address,
            name: name.to_owned(),
            password,
            role,
            quota_octets: Some(quota_octets),
            ..NewPerson::default()
        };
        done(service.people.create(&owner, new).await)?;
    }
    for (address, targets) in [
        ("board@chess-club.test", vec!["magnus@chess-club.test", "judit@chess-club.test"]),
        ("holiday@relais.test", vec!["ann@relais.test", "ann.lee@elsewhere.example"]),
        ("office@relais.test", vec!["ben@relais.test"]),
    ] {
        let targets = targets.into_iter().map(str::to_owned).collect();
        done(
            service
                .addresses
                .create(&owner, NewAlias { address: address.to_owned(), targets, ..NewAlias::default() })
                .await,
        )?;
    }
    let webhook = NewWebhookForm {
        url: "https://hooks.example.org/mail".to_owned(),
        events: vec!["message.failed".to_owned()],
        description: "Tells the help desk of mail that came back".to_owned(),
        domain: None,
    };
    done(service.create_webhook(&owner, &webhook).await)?;
    certify(service, store).await?;
    report(store).await?;
    send_through_the_day(store, clock).await?;
    judged(store, clock).await?;
    clock.go_back(Duration::ZERO);
    Ok(())
}

/// What others reported of the first domain's mail in three weeks: almost all is well, a shop's sender isn't set up, a list changes messages.
async fn report(store: &Store) -> Result<()> {
    let domain = Domain::parse(DOMAIN).context("the demo's domain is one")?;
    let key = store.domain(&domain).await?.context("the domain was just made")?.key;
    let today = store.now().day();
    let source = |source: &str, messages: u64, aligned: u64, overridden: u64| ReportSource {
        source: source.to_owned(),
        messages,
        dkim_aligned: aligned,
        spf_aligned: aligned,
        aligned,
        overridden,
        ..ReportSource::default()
    };
    let session = |result: &str, sessions| ReportSession {
        result: result.to_owned(),
        mx_host: "mail.relais.test".to_owned(),
        sessions,
    };
    for ago in 1..=21_u32 {
        let day = today.minus(Duration::from_hours(24) * ago);
        let some = u64::from(ago * 7 % 11);
        let told = |organization: &str, counts| ReceivedReport {
            domain: key,
            organization: organization.to_owned(),
            id: format!("{organization}-{ago}"),
            day,
            is_authenticated: true,
            counts,
        };
        let mail = vec![
            source("192.0.2.25", 40 + some * 3, 40 + some * 3, 0),
            source("198.51.100.77", some % 3, 0, 0),
            source("203.0.113.40", some % 4, 0, some % 4),
        ];
        let mail = mail.into_iter().filter(|source| source.messages > 0).collect();
        let sessions = vec![session("success", 20 + some), session("certificate-expired", u64::from(ago == 9))];
        let sessions = sessions.into_iter().filter(|session| session.sessions > 0).collect();
        let reports =
            vec![told("google.com", ReportCounts::Dmarc(mail)), told("Google Inc.", ReportCounts::Tls(sessions))];
        store.take_reports(MessageKey::new(0), reports).await?;
    }
    Ok(())
}

/// Certificates as they stand in a house that has a CA: one was ordered, one was brought and ends soon, and a name is refused.
async fn certify(service: &Service, store: &Store) -> Result<()> {
    let owner = Actor::command_line();
    let (ordered, refused) = ("lists.relais.test", "webmail.chess-club.test");
    for (name, domain) in [(ordered, DOMAIN), (refused, OTHER_DOMAIN)] {
        let wanted = WantedNameForm { name: name.to_owned(), domain: Some(domain.to_owned()) };
        done(service.want_certificate(&owner, &wanted).await)?;
    }
    let (chain, key) = certificate::sample(&["mail.chess-club.test"], 9)?;
    done(service.bring_certificate(&owner, &OwnCertificateForm { chain, key }).await)?;
    let (chain, key) = certificate::sample(&[ordered], 64)?;
    let checked = Checked::read(&chain, &key, store.now())?;
    let issued = EndedOrder {
        directory_url: store.settings().acme_directory_url.clone(),
        names: checked.names.clone(),
        outcome: OrderOutcome::Issued,
        problem: String::new(),
        says: String::new(),
    };
    let new = NewCertificate {
        source: CertificateSource::Acme,
        bundle: DOMAIN.to_owned(),
        covers: checked.names.clone(),
        names: checked.names,
        chain_pem: checked.chain_pem,
        key_pem: Secret::clone(&checked.key_pem),
        not_before: checked.not_before,
        not_after: checked.not_after,
        issuer: checked.issuer,
        renew_at: Some(checked.not_after.minus(Duration::from_hours(30 * 24))),
    };
    store.keep_certificate(new, None, issued.clone()).await?;
    let (problem, says) = ("caa", "CAA record for webmail.chess-club.test prevents issuance");
    let finding = NameFinding {
        name: refused.to_owned(),
        state: NameState::Refused,
        says: says.to_owned(),
        problem: problem.to_owned(),
        failures: 2,
        retry_at: store.now().plus(BEGINS + Duration::from_hours(4)),
    };
    store.note_names(vec![finding]).await?;
    let names = vec![refused.to_owned()];
    let (problem, says) = (problem.to_owned(), says.to_owned());
    store.note_order(EndedOrder { names, outcome: OrderOutcome::Refused, problem, says, ..issued }).await?;
    Ok(())
}

/// Half furnished by a demo that was killed: what is there is fine.
pub(super) fn done<T>(outcome: Result<T, Failure>) -> Result<()> {
    match outcome {
        Ok(_) | Err(Failure::Clash(_)) => Ok(()),
        Err(failure) => Err(anyhow!("the demo's sample data: {failure}")),
    }
}

/// Mail comes and goes for 24 hours, more of it by day; some is put off, some comes back.
async fn send_through_the_day(store: &Store, clock: &DemoClock) -> Result<()> {
    let mut at = 0_usize;
    for hours_ago in (0..24_u64).rev() {
        let busy = [1, 1, 2, 3, 5, 4, 3, 5, 6, 4, 3, 2].get(usize::try_from(hours_ago)? / 2).copied().unwrap_or(1);
        for turn in 0..busy {
            clock.go_back(Duration::from_secs(hours_ago * 3600 + 60 * (59 - turn * 7)));
            let (from, to, subject) = MAIL.get(at % MAIL.len()).copied().context("there is mail")?;
            send(store, clock, from, to, subject).await?;
            at += 1;
        }
        try_to_deliver(store, &mut at).await?;
        if hours_ago % 5 == 0 {
            knock(store, clock).await?;
        }
    }
    Ok(())
}

/// One message that went into Junk and one that was refused, with the reasons.
async fn judged(store: &Store, clock: &DemoClock) -> Result<()> {
    clock.go_back(Duration::from_mins(25));
    let finding = |part, id, name: &'static str, words: &str| Finding::new(part, Said::new(id).words(name, words));
    let asks = |policy| Said::new("auth-dispose-policy").words("domain", "savings.example").words("policy", policy);
    let findings = |policy| {
        vec![
            finding("iprev", "auth-iprev-fail", "name", "dsl-7.access.example"),
            finding("spf", "auth-spf-nothing-matched", "domain", "savings.example"),
            Finding::new("dkim", Said::new("auth-dkim-none")),
            Finding::new("dmarc", Said::new("auth-dmarc-nothing-passed")),
            Finding::new("dmarc", asks(policy)).deciding(),
        ]
    };
    let (from, to) = (Address::parse("security@savings.example")?, Address::parse("ann@relais.test")?);
    let account = store.account(&to).await?.context("Ann is there")?.key;
    let now = clock.now();
    let text = format!(
        "Date: {}\r\nFrom: <{from}>\r\nTo: <{to}>\r\nSubject: Your account will be closed\r\n\
         Message-ID: <{}@demo>\r\n\r\nConfirm your card at once.\r\n",
        format_date(now),
        now.millis(),
    );
    let (from_peer, trace) = ("203.0.113.77 (localhost)", || TraceId::make(now, &SystemRandom));
    let acceptance = Acceptance {
        content: Content::prepare(text.into_bytes()),
        reverse_path: ReversePath::Address(from.clone()),
        deliveries: vec![Delivery {
            account,
            mailbox: Target::Use(SpecialUse::Junk),
            flags: Vec::new(),
            internal_date: Some(now),
            recipient: to.clone(),
        }],
        outbound: None,
        trace: trace(),
        from_peer: from_peer.to_owned(),
        judgement: Some(Judgement { judged_as: JudgedAs::Junk, score: None, findings: findings("quarantine") }),
        submission: None,
    };
    store.accept(acceptance).await?;
    let reply = "550 5.7.1 savings.example wants mail refused that is not proved to be theirs (DMARC): neither SPF nor DKIM \
                 speaks for it";
    let refused = Refused {
        trace: trace(),
        reverse_path: ReversePath::Address(from),
        recipients: vec![to],
        from_peer: from_peer.to_owned(),
        subject: "Last warning".to_owned(),
        reply: reply.to_owned(),
        judgement: Some(Judgement { judged_as: JudgedAs::Refused, score: None, findings: findings("reject") }),
    };
    store.note_refused(refused).await?;
    Ok(())
}

async fn send(store: &Store, clock: &DemoClock, from: &str, to: &str, subject: &str) -> Result<()> {
    let (sender, recipient) = (Address::parse(from)?, Address::parse(to)?);
    let now = clock.now();
    let text = format!(
        "Date: {}\r\nFrom: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nMessage-ID: <{}@demo>\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nA message of the demo.\r\n",
        format_date(now),
        now.millis(),
    );
    let account = store.account(&recipient).await?;
    let delivery = |account: relais_store::Account| Delivery {
        account: account.key,
        mailbox: Target::Inbox,
        flags: Vec::new(),
        internal_date: Some(now),
        recipient: recipient.clone(),
    };
    let submitter = store.account(&sender).await?.map(|account| account.key);
    let outbound = account.is_none().then(|| NewQueued {
        reverse_path: ReversePath::Address(sender.clone()),
        ret: None,
        envelope_id: None,
        body_type: BodyType::EightBitMime,
        smtputf8: true,
        require_tls: false,
        submitter,
        recipients: vec![NewRecipient { address: recipient.clone(), notify: None, original: None }],
        expires_at: now.plus(Duration::from_hours(120)),
    });
    let acceptance = Acceptance {
        content: Content::prepare(text.into_bytes()),
        reverse_path: ReversePath::Address(sender),
        deliveries: account.into_iter().map(delivery).collect(),
        outbound,
        trace: TraceId::make(now, &SystemRandom),
        from_peer: "203.0.113.25 (mx.elsewhere.example)".to_owned(),
        judgement: None,
        submission: None,
    };
    store.accept(acceptance).await?;
    Ok(())
}

/// One round of the queue, as if other hosts had answered.
async fn try_to_deliver(store: &Store, at: &mut usize) -> Result<()> {
    let claim = Claim { limit: 100, per_destination: 100, lease: Duration::from_mins(10), busy: Vec::new() };
    let mut settlements = Vec::new();
    for message in store.queue_claim(claim).await? {
        let remote = format!("mx.{} (198.51.100.7)", message.destination.as_str());
        for recipient in message.recipients {
            *at += 1;
            let reply = REPLIES.get(*at % REPLIES.len()).copied().unwrap_or_default().to_owned();
            let until = recipient.next_attempt_at.plus(Duration::from_mins(40));
            let remote = remote.clone();
            let outcome = match reply.chars().next() {
                Some('2') => Outcome::Delivered { reply, remote, protection: None },
                Some('4') => Outcome::Deferred { until, reply, remote, delay_told: false },
                _ => Outcome::Failed { reply, remote, is_unknown: false },
            };
            settlements.push(Settlement { recipient: recipient.key, outcome });
        }
    }
    store.queue_settle(settlements, Vec::new()).await?;
    Ok(())
}

/// Somebody guesses, somebody comes in.
async fn knock(store: &Store, clock: &DemoClock) -> Result<()> {
    let ann = store.account(&Address::parse(&format!("ann@{DOMAIN}"))?).await?.map(|account| account.key);
    for (account, name, ip, is_granted, protocol) in [
        (ann, format!("ann@{DOMAIN}"), "203.0.113.80", true, LoginProtocol::Imap),
        (ann, format!("ann@{DOMAIN}"), "198.51.100.200", false, LoginProtocol::Smtp),
        (None, format!("admin@{DOMAIN}"), "198.51.100.200", false, LoginProtocol::Smtp),
    ] {
        store.note_login(LoginNote {
            account,
            name,
            protocol,
            ip: ip.parse()?,
            is_granted,
            app_password: None,
            way: LoginWay::Password,
            at: clock.now(),
        });
    }
    Ok(())
}
