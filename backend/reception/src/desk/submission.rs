//! What our people send: they are who they say they are, within what they may send, as they are known, and it is signed.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use relais_filing::list::{self, Fate, Post};
use relais_filing::{Plan, signatures};
use relais_message::{Authors, complete_submission, format_date, header_octets};
use relais_model::{Address, EnhancedCode, Envelope, Reply, ReversePath, Said};
use relais_msgauth::iprev::{self, Iprev};
use relais_store::{Acceptance, AccountKey, Lent, ListAct, ListKey, NewHold, Route, StoreError, Submission, TraceId};
use tracing::warn;

use super::turned_away::said;
use super::{Arrival, Checked, Reception, aside, unavailable};
use crate::hold::{Bars, Behaviour, facts, judge, network_of, owner_of};
use crate::proof::InTime;
use crate::sending::{Place, Sent, limits_of};
use crate::{Identity, Visit};

/// From where somebody logged in so long ago is known: whoever has just stolen a password isn't.
const KNOWN_AFTER: Duration = Duration::from_hours(24);
/// Known addresses whose names are asked for, at most.
const NAMES_ASKED: usize = 3;
/// Letters of another host's words that a reply of ours quotes.
const QUOTED_LETTERS: usize = 160;

impl Reception {
    /// How `identity` may write from `address`; none: not at all.
    pub(super) async fn sends_as(&self, identity: &Identity, address: &Address) -> Result<Option<Lent>, Reply> {
        self.store.sends_as(identity.account, address).await.map_err(|error| unavailable(&error))
    }

    /// The header's authors must be the one who sends, or lend them their address (RFC 6409 §6.1); who writes on behalf of another stands in Sender
    /// (RFC 5322 §3.6.2).
    pub(super) async fn check_authors(&self, identity: &Identity, authors: &Authors) -> Result<(), Reply> {
        let refusal = |text: String| Reply::new(550, EnhancedCode::new(5, 7, 1), text);
        let not_yours = |who: &str| refusal(format!("{} may not send mail From {who}", identity.address));
        if let Some(who) = authors.unreadable.first() {
            return Err(not_yours(who));
        }
        if authors.from.is_empty() {
            return Err(Reply::new(554, EnhancedCode::new(5, 6, 0), "The message has no From"));
        }
        for sender in &authors.sender {
            if self.sends_as(identity, sender).await? != Some(Lent::As) {
                return Err(refusal(format!("{} may not send mail with the Sender {sender}", identity.address)));
            }
        }
        for author in &authors.from {
            match self.sends_as(identity, author).await? {
                Some(Lent::As) => {}
                Some(Lent::OnBehalf) if !authors.sender.is_empty() => {}
                Some(Lent::OnBehalf) => {
                    let me = &identity.address;
                    let text = format!("{me} may send on behalf of {author}\nThat takes a header field: Sender: {me}");
                    return Err(refusal(text));
                }
                None => return Err(not_yours(&author.to_string())),
            }
        }
        Ok(())
    }

    /// What one of our people sends: mended, theirs, shown to the other filters, signed.
    ///
    /// # Errors
    /// The reply, where it is refused or put off; the trace says why.
    pub(super) async fn submitted(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        identity: &Identity,
        plans: &[Plan],
        mut octets: Vec<u8>,
        added_octets: usize,
    ) -> Result<Checked, Reply> {
        let message = octets.get(added_octets..).unwrap_or_default();
        let header = message.get(..header_octets(message)).unwrap_or_default();
        let mended = complete_submission(header, self.config.host_name.as_str(), self.clock.now(), &*self.random);
        if let Err(reply) = self.check_authors(identity, &mended.authors).await {
            let why = Said::new("refused-author").words("address", identity.address.to_string());
            return Err(self.turned_away(whose, header, reply, vec![said("author", why)]).await);
        }
        let old = added_octets..added_octets + header.len();
        drop(octets.splice(old, mended.header));
        let filtered = self.filtering.pass(whose.0, whose.1, whose.2, plans, octets).await;
        if let Some(reply) = filtered.counsel.refusal {
            let message = filtered.octets.get(added_octets..).unwrap_or_default();
            return Err(self.turned_away(whose, message, reply, filtered.counsel.findings).await);
        }
        let octets = self.signed(filtered.octets, added_octets, &mended.authors).await?;
        Ok(Checked { octets, judgement: None, is_wanted: false, verdict: None, proof: None, may_go_on: true })
    }

    /// The message with the signatures of its author's domain before it.
    pub(super) async fn signed(
        &self,
        octets: Vec<u8>,
        added_octets: usize,
        authors: &Authors,
    ) -> Result<Vec<u8>, Reply> {
        let Some(author) = authors.from.first() else { return Ok(octets) };
        let now = self.clock.now();
        let signers = self.filing.signing().signers(&author.domain, now).await.map_err(|error| unavailable(&error))?;
        if signers.is_empty() {
            return Ok(octets);
        }
        Ok(aside(octets, move |mut octets| {
            let signatures = signatures(octets.get(added_octets..).unwrap_or_default(), &signers, now);
            drop(octets.splice(added_octets..added_octets, signatures));
            octets
        })
        .await)
    }

    /// Of what somebody submitted: whose account it is, and what the message takes of its limits.
    ///
    /// # Errors
    /// The reply that refuses it; its trace says so, and nothing was counted.
    pub(super) async fn admitted(
        &self,
        whose: (&Arrival, &Envelope, &TraceId),
        reached: u64,
        subject: &str,
        acceptance: &Acceptance,
    ) -> Result<Option<(AccountKey, Allowed)>, Reply> {
        let (arrival, envelope, _) = whose;
        let Some(identity) = &arrival.visit.identity else { return Ok(None) };
        match self.allowed(identity, arrival, (envelope, reached), acceptance.outbound.is_some()).await {
            Ok(sent) => Ok(Some((identity.account, sent))),
            Err(reply) => Err(self.not_allowed(whose, subject.to_owned(), reply).await),
        }
    }

    /// What a message takes of its account's limits counts where it was taken.
    pub(super) fn settle(&self, sender: Option<&(AccountKey, Allowed)>, is_taken: bool) {
        match sender {
            Some((_, allowed)) if is_taken => self.sending.keep(&allowed.place),
            Some((_, allowed)) => self.sending.give_back(&allowed.place),
            None => {}
        }
    }

    /// To how many a submission goes: a recipient that leads to a mailing list of ours counts as those who get what is posted there, each list
    /// once; any other, and a list that wouldn't send this out by itself, counts as one. What nobody submitted counts as none. `message` begins
    /// with its header.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn reached(
        &self,
        (arrival, envelope, _): (&Arrival, &Envelope, &TraceId),
        plans: &[Plan],
        message: &[u8],
    ) -> Result<u64, Reply> {
        let (mut lists, mut reached) = (HashSet::new(), 0_u64);
        if arrival.visit.identity.is_none() {
            return Ok(0);
        }
        for plan in plans {
            let mut readers = 0_u64;
            for forward in &plan.forwards {
                let route = self.store.route(&forward.address).await.map_err(|error| unavailable(&error))?;
                let Route::List { key, act: ListAct::Post, .. } = route else { continue };
                if lists.insert(key) {
                    let sent = self.readers_of(key, &envelope.reverse_path, message).await;
                    readers = readers.saturating_add(sent.map_err(|error| unavailable(&error))?);
                }
            }
            reached = reached.saturating_add(readers.max(1));
        }
        Ok(reached)
    }

    /// Who gets a message that is written to a list, as the list will decide; none where it waits for an owner, or isn't taken.
    async fn readers_of(&self, key: ListKey, path: &ReversePath, message: &[u8]) -> Result<u64, StoreError> {
        let Some(list) = self.store.list_of(key).await? else { return Ok(0) };
        let post = Post::read(message, path, &list, &self.config.host_name, true);
        let standing = match &post.author {
            Some(author) => self.store.list_standing(key, author).await?,
            None => None,
        };
        match list::judge(&post, &list.terms, standing.as_ref()) {
            Fate::Send => self.store.count_list_readers(key).await,
            Fate::Hold | Fate::Refuse(_) | Fate::Drop(_) => Ok(0),
        }
    }

    /// What a message takes of its account's limits, and whether it is held: where the account behaves as never before, from this message on.
    ///
    /// # Errors
    /// The reply that refuses it; nothing was counted. `reached`: by [`Reception::reached`].
    pub(super) async fn allowed(
        &self,
        identity: &Identity,
        arrival: &Arrival,
        (envelope, reached): (&Envelope, u64),
        is_outbound: bool,
    ) -> Result<Allowed, Reply> {
        let (account, now, settings) = (identity.account, self.clock.now(), self.store.settings());
        let state = self.store.sending_state(account).await.map_err(|error| unavailable(&error))?;
        if state.closed_at.is_some_and(|closed_at| identity.at <= closed_at) {
            // RFC 4954 §6: whoever is in by a password that is good no more is not in.
            return Err(Reply::new(
                530,
                EnhancedCode::new(5, 7, 0),
                "Log in again: this account was closed to all who were in",
            ));
        }
        let to: Vec<Address> = envelope.recipients.iter().map(|recipient| recipient.address.clone()).collect();
        let new = self.store.never_written_to(account, &to).await.map_err(|error| unavailable(&error))?;
        // The members of a list are nobody new: they are on it by their own wish, or their house's.
        let new_recipients = u64::try_from(new.len()).unwrap_or(u64::MAX);
        let submission = Submission { account, recipients: reached, new_recipients };
        self.sending.know(&self.store, account, now).await.map_err(|error| unavailable(&error))?;
        let place = self.sending.take(now, submission, &limits_of(state.limits, &settings))?;
        let bars = Bars::of(&settings).filter(|_| is_outbound && !state.is_held);
        let Some(bars) = bars else { return Ok(Allowed { place, is_held: state.is_held }) };
        match self.hold_if_strange(account, arrival.visit.peer, &place, &bars).await {
            Ok(is_held) => Ok(Allowed { place, is_held }),
            Err(error) => {
                self.sending.give_back(&place);
                Err(unavailable(&error))
            }
        }
    }

    /// Holds the account's mail, this message among it, where it behaves as never before; whether it does. What other hosts say of
    /// mail that went out is judged when they say it.
    async fn hold_if_strange(
        &self,
        account: AccountKey,
        peer: IpAddr,
        place: &Place,
        bars: &Bars,
    ) -> Result<bool, StoreError> {
        let Sent { lately, hour, day, usual, .. } = place.sent;
        let mut seen = Behaviour {
            messages: lately.messages,
            new_recipients: lately.new_recipients,
            new_recipients_of_hour: hour.new_recipients,
            recipients_of_day: day.recipients,
            usual_messages: usual.messages,
            usual_new_recipients: usual.new_recipients,
            is_from_strange_network: true,
            ..Behaviour::default()
        };
        // Nearly all mail ends here: nothing was asked for it.
        if judge(&seen, bars).is_none() {
            return Ok(false);
        }
        let released = self.store.released_holds(account).await?;
        seen.usual_messages = seen.usual_messages.max(released.messages);
        seen.usual_new_recipients = seen.usual_new_recipients.max(released.new_recipients);
        seen.is_from_strange_network = self.is_strange(account, peer, released.peers).await?;
        let Some(reason) = judge(&seen, bars) else { return Ok(false) };
        let new = NewHold { account, reason, facts: facts(&seen, reason), peer: Some(peer) };
        if self.store.raise_hold(new).await? {
            warn!(account.key = account.value(), peer.ip = %peer, reason = reason.as_str(), "an account's mail is held");
        }
        Ok(true)
    }

    /// Whether an account sends from where it never logged in from, until a day ago. Of an account that never logged in before,
    /// nothing is strange.
    async fn is_strange(&self, account: AccountKey, peer: IpAddr, released: Vec<IpAddr>) -> Result<bool, StoreError> {
        let mut known = self.store.login_addresses(account, self.clock.now().minus(KNOWN_AFTER)).await?;
        if known.is_empty() {
            return Ok(false);
        }
        known.splice(0..0, released);
        if known.iter().any(|address| network_of(*address) == network_of(peer)) {
            return Ok(false);
        }
        // The same provider may have given it an address of another network.
        let Some(resolver) = &self.resolver else { return Ok(true) };
        let in_time = InTime::new(&**resolver);
        let Some(owner) = owner(&in_time, peer).await else { return Ok(true) };
        for address in known.into_iter().take(NAMES_ASKED) {
            if self::owner(&in_time, address).await.as_ref() == Some(&owner) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Refuses an address elsewhere that was refused as nobody again and again.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn suppressed(&self, visit: &Visit, plan: &Plan) -> Result<Option<Reply>, Reply> {
        let to = &plan.recipient.address;
        // What an address of ours leads to, its owner decided.
        if visit.identity.is_none() || !plan.forwards.iter().any(|forward| forward.address == *to) {
            return Ok(None);
        }
        let found = self.store.suppressed(to).await.map_err(|error| unavailable(&error))?;
        let Some(found) = found else { return Ok(None) };
        let until = found.until(self.store.settings().suppression);
        let text = format!(
            "Mail to {to} is not taken here since {}\n{} refused the address {} times as nobody's, last on {}\nIt said: {}\n\
             It is tried again after {}; whoever runs this server can lift that, under Suppressed addresses",
            format_date(found.since),
            if found.remote.is_empty() { "the DNS" } else { &found.remote },
            found.refusals,
            format_date(found.last_at),
            quoted(&found.reply),
            format_date(until),
        );
        // RFC 3463 §3.2: we pass on what the other host says, that there is no such mailbox; no policy of ours is meant (X.7.1).
        Ok(Some(Reply::new(550, EnhancedCode::new(5, 1, 1), text)))
    }
}

/// A message that may be sent.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) place: Place,
    /// Its account's mail to other hosts is held.
    pub(super) is_held: bool,
}

/// Whose host an address is, by a name that leads back to it.
async fn owner(resolver: &InTime<'_>, address: IpAddr) -> Option<String> {
    match iprev::check(resolver, address).await {
        Iprev::Pass { name } => owner_of(&name),
        _ => None,
    }
}

/// Another host's words, so that they fit into a reply of ours.
fn quoted(words: &str) -> String {
    let plain = |letter: char| if letter == ' ' || letter.is_ascii_graphic() { letter } else { ' ' };
    words.chars().take(QUOTED_LETTERS).map(plain).collect::<String>().trim().replace('"', "'")
}
