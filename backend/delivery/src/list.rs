//! What was written to a mailing list: it has waited in the queue as any mail, and is sent out, kept for an owner, or answered.
//!
//! What comes of it is accepted in the transaction that takes it off the queue: a post is sent out once. Of many members a part is written to at a time; the rest follows as a message to the list's
//! own `-more` address, accepted in the same transaction.

use std::collections::HashSet;
use std::time::Duration;

use askama::Template;
use data_encoding::BASE32_NOPAD;
use relais_filing::list::{Fate, Post, Tokens, Wish, dress, is_failure_report, judge, other, post_onward, wish};
use relais_filing::{FilingError, Plan, Refusal};
use relais_message::{Named, Writing, compose, delivered, header_octets, new_message_id};
use relais_model::{Address, EnhancedCode, ForwardPath, Notify, Reply, ReversePath, Timestamp};
use relais_store::{
    Acceptance, Author, BOUNCE_DAYS, Content, DirectoryError, ListAct, ListMember, MailingList, MemberBounce,
    MemberKey, NewHeldPost, NewMember, NewQueued, NewRecipient, QueuedMessage, Route, StoreError, TraceId,
};

use crate::attempt::{Said, Verdict};
use crate::bodies::without_return_path;
use crate::settle::Desk;

/// Octets of all copies that are made at a time.
const OCTETS_AT_ONCE: u64 = 16 * 1024 * 1024;
/// Members that are written to at a time, at most.
const MEMBERS_AT_ONCE: u64 = 100;
/// Octets of a post that owners are shown.
const SHOWN_OCTETS: usize = 2000;

/// What came of it.
pub(crate) type Served = (Verdict, Vec<Acceptance>);

/// Serves what was written to one of a list's addresses; none where `route` leads to no list.
pub(crate) async fn serve(
    desk: &Desk,
    message: &QueuedMessage,
    raw: &[u8],
    route: &Route,
) -> Result<Option<Served>, StoreError> {
    let Route::List { key, act, detail, .. } = route else { return Ok(None) };
    let Some(list) = desk.store.list_of(*key).await? else { return Ok(None) };
    let raw = without_return_path(raw);
    let post = Post::read(raw, &message.reverse_path, &list, desk.filing.host(), message.submitter.is_some());
    let now = desk.ports.clock.now();
    let tokens = Tokens::new(&desk.store.secret("lists").await?);
    let keeper = Keeper { desk, message, raw, list, post, tokens, now };
    Ok(Some(match act {
        ListAct::Post => keeper.post().await?,
        ListAct::More => keeper.more(detail).await?,
        ListAct::Request => keeper.wished(wish(&keeper.post.subject), detail).await?,
        ListAct::Subscribe => keeper.wished(Wish::Join, detail).await?,
        ListAct::Unsubscribe => keeper.wished(Wish::Leave, detail).await?,
        ListAct::Confirm => keeper.confirmed(detail).await?,
        ListAct::Approve | ListAct::Reject => keeper.decided(*act, detail).await?,
        ListAct::Bounces => keeper.bounced(detail).await?,
    }))
}

struct Keeper<'a> {
    desk: &'a Desk,
    message: &'a QueuedMessage,
    /// Without Return-Path.
    raw: &'a [u8],
    list: MailingList,
    post: Post,
    tokens: Tokens,
    now: Timestamp,
}

/// It is done with, and this is what the trace tells.
fn done(text: &str) -> Verdict {
    Verdict::Delivered(Said { hands_on_dsn: true, ..Said::ours(Reply::new(250, EnhancedCode::new(2, 0, 0), text)) })
}

impl Keeper<'_> {
    async fn post(&self) -> Result<Served, StoreError> {
        let standing = match &self.post.author {
            Some(author) => self.desk.store.list_standing(self.list.key, author).await?,
            None => None,
        };
        Ok(match judge(&self.post, &self.list.terms, standing.as_ref()) {
            Fate::Send => self.send_out(None).await?,
            Fate::Hold => self.hold().await?,
            // RFC 3463 §3.8: X.7.2, list expansion is not authorized. Who may be somebody else than they say is not told.
            Fate::Refuse(why) if self.post.is_known => {
                (Verdict::Failed(Said::ours(Reply::new(550, EnhancedCode::new(5, 7, 2), why))), Vec::new())
            }
            Fate::Refuse(why) | Fate::Drop(why) => (done(&format!("Not posted: {why}")), Vec::new()),
        })
    }

    async fn more(&self, detail: &str) -> Result<Served, StoreError> {
        match self.tokens.going_on(detail) {
            Some(after) => self.send_out(Some(after)).await,
            None => Ok((done("Not posted: nobody writes to this address"), Vec::new())),
        }
    }

    /// Copies for the next members, and the rest as a message to ourselves.
    async fn send_out(&self, after: Option<MemberKey>) -> Result<Served, StoreError> {
        let at_once = (OCTETS_AT_ONCE / self.post.size.max(1)).clamp(1, MEMBERS_AT_ONCE);
        let limit = u32::try_from(at_once).unwrap_or(1);
        let members = self.desk.store.list_readers(self.list.key, after, limit).await?;
        let (mut copies, mut accounts) = (Vec::new(), HashSet::new());
        for (number, member) in members.iter().enumerate() {
            // Whom the author wrote to as well has it already.
            if self.post.named.contains(&relais_store::fold(&member.address)) {
                continue;
            }
            let Some(mut plan) = self.plan(member).await? else { continue };
            plan.deliveries.retain(|copy| accounts.insert(copy.account));
            if !plan.deliveries.is_empty() || !plan.forwards.is_empty() {
                copies.push(self.copy(member, plan, number).await?);
            }
        }
        let sent = copies.len();
        if let Some(last) = members.last().filter(|_| members.len() as u64 == at_once) {
            let next = self.tokens.more(&self.list.address, last.key);
            let path = self.message.reverse_path.clone();
            copies.push(self.onward(self.raw.to_vec(), path, next));
        }
        tracing::info!(queue.id = %self.message.trace, list = %self.list.address, sent, "a list's post is sent out");
        Ok((done(&format!("Sent on to {sent} members")), copies))
    }

    /// Where a member's mail goes; none where nobody can be reached, which counts as mail that came back.
    async fn plan(&self, member: &ListMember) -> Result<Option<Plan>, StoreError> {
        let path = ForwardPath::new(member.address.clone());
        match self.desk.filing.plan(&path).await {
            Ok(plan) => Ok(Some(plan)),
            Err(FilingError::Refused(Refusal::NotLocal)) => Ok(Some(Plan::relay(path))),
            Err(FilingError::Refused(_)) => {
                self.desk.store.note_list_bounce(member.key).await?;
                Ok(None)
            }
            Err(FilingError::Failed(error)) => Err(error),
        }
    }

    /// A member's own copy: with their way to leave, signed by the list's domain, under a path that says whose it is when it comes back.
    async fn copy(&self, member: &ListMember, plan: Plan, number: usize) -> Result<Acceptance, StoreError> {
        let leave = format!("{}/lists/leave/{}", self.desk.config.web_origin, self.tokens.leave(member.key));
        let dressed = dress(self.raw, &self.list, &self.post, &leave);
        let signed = self.signed(dressed).await?;
        let path = ReversePath::Address(self.tokens.bounces(&self.list.address, member.key));
        let whole = [head(&path, &member.address, &plan).into_bytes(), signed].concat();
        Ok(self.acceptance(whole, path, &plan, number))
    }

    /// By the list's domain; and by the author's, where that is ours, too.
    async fn signed(&self, message: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let (signing, own) = (self.desk.filing.signing(), &self.list.address.domain);
        let signed = signing.sign(own, message, self.now).await?;
        match &self.post.author {
            Some(author) if author.domain != *own => signing.sign(&author.domain, signed, self.now).await,
            _ => Ok(signed),
        }
    }

    async fn hold(&self) -> Result<Served, StoreError> {
        let author = self.post.author.as_ref().map(ToString::to_string).unwrap_or_default();
        let held = NewHeldPost {
            trace: self.message.trace.to_string(),
            author: author.clone(),
            subject: self.post.subject.chars().take(200).collect(),
            reverse_path: self.message.reverse_path.clone(),
            octets: self.raw.to_vec(),
        };
        let key = self.desk.store.hold_list_post(self.list.key, held).await?;
        let body = self.raw.get(header_octets(self.raw)..).unwrap_or_default();
        let beginning = String::from_utf8_lossy(body.get(..body.len().min(SHOWN_OCTETS)).unwrap_or_default());
        let list = &self.list.address;
        let text = HeldText {
            list: list.to_string(),
            author,
            subject: self.post.subject.clone(),
            approve: self.tokens.decision(list, ListAct::Approve, key).to_string(),
            reject: self.tokens.decision(list, ListAct::Reject, key).to_string(),
            beginning: beginning.into_owned(),
        };
        let letters = self.to_owners("A message waits for you", &written(&text)).await?;
        Ok((done("It waits for an owner of the list"), letters))
    }

    /// Whoever has the mark was sent it.
    async fn decided(&self, act: ListAct, detail: &str) -> Result<Served, StoreError> {
        let key = self.tokens.decided(act, detail).filter(|_| !self.post.is_automatic);
        let Some(key) = key else { return Ok((done("Nothing is decided by this"), Vec::new())) };
        let Some(held) = self.desk.store.held_list_post(key).await?.filter(|held| held.list == self.list.key) else {
            return Ok((done("Somebody has decided about it already"), Vec::new()));
        };
        if act == ListAct::Approve {
            let start = self.tokens.more(&self.list.address, MemberKey::new(0));
            let onward = self.onward(held.octets, held.reverse_path, start);
            // First this: a post that goes out twice is better than one that is lost.
            self.desk.store.accept(onward).await?;
        }
        self.desk.store.drop_list_post(key).await?;
        Ok((done("It is decided"), Vec::new()))
    }

    /// A wish is answered with the question whether it is meant. Nothing is said to who may be somebody else. `mark`: it was wished on our own
    /// page, which made it for this address; or who looks after the list invites it.
    async fn wished(&self, wish: Wish, mark: &str) -> Result<Served, StoreError> {
        let silent = || Ok((done("Nothing is answered to this"), Vec::new()));
        let Some(author) = self.post.author.clone() else { return silent() };
        let marked = self.tokens.confirmed(self.list.key, &author, mark, self.now);
        let wish = match marked {
            Some(Wish::Invited) if wish == Wish::Join => Wish::Invited,
            _ => wish,
        };
        if !self.may_answer() && marked != Some(wish) {
            return silent();
        }
        let is_member = self.desk.store.list_member(self.list.key, &author).await?.is_some();
        let list = self.list.address.to_string();
        let (subject, text, reply_to) = match wish {
            Wish::Join if is_member || !self.list.terms.is_open => return silent(),
            Wish::Invited if is_member => return silent(),
            Wish::Leave if !is_member => return silent(),
            Wish::Help => {
                let mail = |act| other(&self.list.address, act, "").to_string();
                let text = HelpText {
                    list,
                    is_open: self.list.terms.is_open,
                    join: mail(ListAct::Subscribe),
                    leave: mail(ListAct::Unsubscribe),
                    owner: self.owner(),
                };
                ("About this mailing list", written(&text), None)
            }
            Wish::Join | Wish::Invited | Wish::Leave => {
                let mark = self.tokens.wish(self.list.key, &author, wish, self.now);
                let link = format!(
                    "{}/lists/confirm/{list}/{mark}/{}",
                    self.desk.config.web_origin,
                    BASE32_NOPAD.encode(author.to_string().as_bytes())
                );
                let (joins, is_invited) = (wish != Wish::Leave, wish == Wish::Invited);
                let text =
                    ConfirmText { member: author.to_string(), list, joins, is_invited, owner: self.owner(), link };
                ("Please confirm", written(&text), Some(other(&self.list.address, ListAct::Confirm, &mark)))
            }
        };
        let letter = self.letter(&author, subject, &text, reply_to, 0).await?;
        Ok((done("Answered"), letter.into_iter().collect()))
    }

    /// Who has the mark was sent it, at the address that it is about.
    async fn confirmed(&self, mark: &str) -> Result<Served, StoreError> {
        let author = self.post.author.clone().filter(|_| !self.post.is_automatic);
        let found = author.and_then(|author| {
            let wish = self.tokens.confirmed(self.list.key, &author, mark, self.now)?;
            Some((author, wish))
        });
        let Some((author, wish)) = found else { return Ok((done("Nothing is confirmed by this"), Vec::new())) };
        let (store, by) = (&self.desk.store, Author::house());
        let has_changed = match wish {
            Wish::Join if !self.list.terms.is_open => Ok(false),
            Wish::Join | Wish::Invited => match store.list_member(self.list.key, &author).await? {
                Some(member) if member.stopped_at.is_none() => Ok(false),
                _ => {
                    let new = vec![NewMember::reader(author.clone())];
                    store.put_list_members(self.list.key, new, &by).await.map(|_| true)
                }
            },
            Wish::Leave | Wish::Help => store.leave_list(self.list.key, &author, &by).await,
        };
        match has_changed {
            Ok(true) => {}
            Ok(false) => return Ok((done("It is so already"), Vec::new())),
            Err(DirectoryError::Failed(error)) => return Err(error),
            Err(other) => return Ok((done(&format!("It can't be: {other}")), Vec::new())),
        }
        let text = DoneText {
            member: author.to_string(),
            list: self.list.address.to_string(),
            joins: wish != Wish::Leave,
            leave: other(&self.list.address, ListAct::Unsubscribe, "").to_string(),
            owner: self.owner(),
        };
        let subject = if wish == Wish::Leave { "You have left the list" } else { "Welcome to the list" };
        let letter = self.letter(&author, subject, &written(&text), None, 0).await?;
        Ok((done("Confirmed"), letter.into_iter().collect()))
    }

    async fn bounced(&self, detail: &str) -> Result<Served, StoreError> {
        let is_report = self.message.reverse_path == ReversePath::Null && is_failure_report(self.raw);
        let Some(key) = self.tokens.bounced(detail).filter(|_| is_report) else {
            return Ok((done("It tells of no failure"), Vec::new()));
        };
        let member = self.desk.store.list_member_of(key).await?.filter(|member| member.list == self.list.key);
        let Some(member) = member else { return Ok((done("The member has left"), Vec::new())) };
        if self.desk.store.note_list_bounce(key).await? != MemberBounce::Stopped {
            return Ok((done("Counted"), Vec::new()));
        }
        tracing::info!(list = %self.list.address, member = %member.address, "a list stops writing to a member");
        let (list, member) = (self.list.address.to_string(), member.address.to_string());
        let text = StoppedText { list, member, days: BOUNCE_DAYS };
        let letters = self.to_owners("A member can't be reached", &written(&text)).await?;
        Ok((done("Counted, and one too many"), letters))
    }

    const fn may_answer(&self) -> bool {
        self.post.is_known && !self.post.is_forged && !self.post.is_automatic && !self.post.is_round
    }

    fn owner(&self) -> String {
        format!("{}-owner@{}", self.list.address.local_part, self.list.address.domain)
    }

    async fn to_owners(&self, subject: &str, text: &str) -> Result<Vec<Acceptance>, StoreError> {
        let mut letters = Vec::new();
        for (number, owner) in self.desk.store.list_owners(self.list.key).await?.iter().enumerate() {
            letters.extend(self.letter(owner, subject, text, None, number).await?);
        }
        Ok(letters)
    }

    /// A letter of the list's own, which nobody is to answer by a program (RFC 3834); none where nobody is at `to`.
    async fn letter(
        &self,
        to: &Address,
        subject: &str,
        text: &str,
        reply_to: Option<Address>,
        number: usize,
    ) -> Result<Option<Acceptance>, StoreError> {
        let path = never(to.clone());
        let plan = match self.desk.filing.plan(&path).await {
            Ok(plan) => plan,
            Err(FilingError::Refused(Refusal::NotLocal)) => Plan::relay(path),
            Err(FilingError::Refused(_)) => return Ok(None),
            Err(FilingError::Failed(error)) => return Err(error),
        };
        let Ok(from) = Address::parse(&self.owner()) else { return Ok(None) };
        let named = |address: Address| Named { name: String::new(), address };
        let more = vec![("Auto-Submitted", "auto-replied".to_owned()), ("X-Loop", self.list.address.to_string())];
        let writing = Writing {
            from: named(from),
            sender: None,
            to: vec![named(to.clone())],
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: format!("{subject}: {}", self.list.address),
            reply_to: reply_to.into_iter().map(named).collect(),
            text: text.to_owned(),
            rich: None,
            extra: None,
            files: Vec::new(),
            date: self.now,
            message_id: new_message_id(self.desk.filing.host().as_str(), &*self.desk.ports.random),
            in_reply_to: String::new(),
            references: String::new(),
            more,
        };
        let signed = self.signed(compose(&writing, &*self.desk.ports.random)).await?;
        let whole = [head(&ReversePath::Null, to, &plan).into_bytes(), signed].concat();
        Ok(Some(self.acceptance(whole, ReversePath::Null, &plan, number)))
    }

    /// A post, or the rest of its way, as a message to ourselves: by whom it was submitted is known further on.
    fn onward(&self, octets: Vec<u8>, path: ReversePath, to: Address) -> Acceptance {
        let at = self.now.plus(Duration::from_millis(MEMBERS_AT_ONCE));
        let expires_at = self.now.plus(self.desk.config.notice_lifetime);
        let onward =
            post_onward(&self.list.address, octets, path, to, TraceId::make(at, &*self.desk.ports.random), expires_at);
        let outbound = onward.outbound.map(|outbound| NewQueued { submitter: self.message.submitter, ..outbound });
        Acceptance { outbound, ..onward }
    }

    /// `number` tells copies of one moment apart. Nobody submitted them: what other hosts say of a member says nothing of the author.
    fn acceptance(&self, octets: Vec<u8>, path: ReversePath, plan: &Plan, number: usize) -> Acceptance {
        let at = self.now.plus(Duration::from_millis(u64::try_from(number).unwrap_or(0)));
        let outbound = (!plan.forwards.is_empty()).then(|| NewQueued {
            reverse_path: path.clone(),
            ret: None,
            envelope_id: None,
            body_type: self.message.body_type,
            smtputf8: self.message.smtputf8 || plan.forwards.iter().any(needs_smtputf8),
            require_tls: self.message.require_tls,
            submitter: None,
            recipients: plan.forwards.clone(),
            expires_at: self.now.plus(self.desk.config.notice_lifetime),
        });
        Acceptance {
            content: Content::prepare(octets),
            reverse_path: path,
            deliveries: plan.copies().collect(),
            outbound,
            trace: TraceId::make(at, &*self.desk.ports.random),
            from_peer: format!("list {}", self.list.address),
            judgement: None,
            submission: None,
        }
    }
}

fn needs_smtputf8(recipient: &NewRecipient) -> bool {
    recipient.address.needs_smtputf8()
}

/// To `address`, and nobody is told how it comes out.
const fn never(address: Address) -> ForwardPath {
    ForwardPath { address, notify: Some(Notify::NEVER), original: None }
}

/// What stands before a copy of one's own: to whom it is, too, where it is for somebody here.
fn head(path: &ReversePath, to: &Address, plan: &Plan) -> String {
    delivered(path, (!plan.deliveries.is_empty()).then_some(to))
}

/// Our own texts are always written.
fn written(text: &impl Template) -> String {
    text.render().unwrap_or_default()
}

#[derive(Template)]
#[template(path = "mail/list_confirm.txt")]
struct ConfirmText {
    member: String,
    list: String,
    joins: bool,
    /// By who looks after the list, and not by themselves.
    is_invited: bool,
    /// Reaches those who look after it.
    owner: String,
    /// The page that confirms it.
    link: String,
}

#[derive(Template)]
#[template(path = "mail/list_done.txt")]
struct DoneText {
    member: String,
    list: String,
    joins: bool,
    leave: String,
    owner: String,
}

#[derive(Template)]
#[template(path = "mail/list_help.txt")]
struct HelpText {
    list: String,
    is_open: bool,
    join: String,
    leave: String,
    owner: String,
}

#[derive(Template)]
#[template(path = "mail/list_held.txt")]
struct HeldText {
    list: String,
    author: String,
    subject: String,
    approve: String,
    reject: String,
    beginning: String,
}

#[derive(Template)]
#[template(path = "mail/list_stopped.txt")]
struct StoppedText {
    list: String,
    member: String,
    days: i64,
}
