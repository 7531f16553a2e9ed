//! What a mailing list does with what is written to it, and how a member's copy looks: from facts alone.
//!
//! A post is read once ([`Post`]) and judged ([`judge`]). What goes out is the post with the fields of RFC 2369, RFC 2919 and RFC 8058 before it ([`dress`]): the body and what its author signed
//! stay as they are, so that DKIM and DMARC hold; where the author's policy could not be kept, the list writes in its own name. Addresses that must be believed without being written down carry a [`Tokens`] mark:
//! where a member's bounces go, what confirms a wish, what lets a post go out.
//!
//! # Invariants
//! - What came by itself is never answered, and never posted: null reverse paths, vacation's answers, reports (RFC 3834).
//! - A post that has gone through the list goes no second time.

use std::collections::HashSet;

use data_encoding::BASE32_NOPAD;
use relais_message::dsn::unstructured;
use relais_message::{
    Authors, ContentType, Facts, decode_header_value, fields, header_octets, mailboxes, read_address_list,
    remove_fields,
};
use relais_model::{Address, BodyType, Domain, LocalPart, Notify, ReversePath, Timestamp};
use relais_msgauth::results::{AuthResults, said_by_us};
use relais_store::{
    Acceptance, Content, ListAct, ListKey, ListMember, ListTerms, MailingList, MemberKey, NewQueued, NewRecipient,
    PostKey, Posters, TraceId, fold,
};
use ring::hmac;

/// How long a wish may wait for its confirmation, in days.
const CONFIRMED_WITHIN: i64 = 3;
/// Characters of a mark.
const MARK_LENGTH: usize = 10;
/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;
/// The list's own fields, which no post brings along; and what would have every member's program answer.
const OURS: [&str; 12] = [
    "Return-Path",
    "List-Id",
    "List-Post",
    "List-Help",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Owner",
    "List-Archive",
    "Precedence",
    "Disposition-Notification-To",
    "Return-Receipt-To",
];

/// What of a message a list must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
pub struct Post {
    /// The first address of From; none where there is none that can be read.
    pub author: Option<Address>,
    /// The author's name, as From says it; may be empty.
    pub author_name: String,
    /// Decoded.
    pub subject: String,
    /// Octets.
    pub size: u64,
    /// It came by itself: nobody waits for an answer, and it is no post.
    pub is_automatic: bool,
    /// It has been through this list.
    pub is_round: bool,
    /// The author's domain disowns it, by what we found when it came.
    pub is_forged: bool,
    /// Somebody answers for where it came from, by what we found when it came: its sender may be told of it.
    pub is_known: bool,
    /// The author's domain asks that what isn't theirs be refused, and their signature won't speak for it.
    pub needs_own_name: bool,
    /// To and Cc, folded: they have it already.
    pub named: HashSet<String>,
}

impl Post {
    /// Reads a message that came to `list`. `is_ours`: one of our people submitted it, so it is from who it says.
    pub fn read(raw: &[u8], reverse_path: &ReversePath, list: &MailingList, host: &Domain, is_ours: bool) -> Self {
        let header = raw.get(..header_octets(raw)).unwrap_or(raw);
        let author = Authors::read(header).from.into_iter().next();
        let (mut is_automatic, mut is_round, mut named) = (reverse_path.address().is_none(), false, HashSet::new());
        let (mut author_name, mut results) = (String::new(), None);
        for field in fields(header) {
            let value = field.unfolded();
            let text = String::from_utf8_lossy(&value);
            let text = text.trim();
            if field.is("Auto-Submitted") {
                // RFC 3834 §5: what a program writes of itself may be a post; what answers isn't.
                is_automatic |= text.to_ascii_lowercase().starts_with("auto-replied");
            } else if field.is("Content-Type") {
                is_automatic |= ContentType::read(&value).is_some_and(|kind| kind.is("multipart", "report"));
            } else if field.is("Precedence") {
                is_automatic |= text.eq_ignore_ascii_case("auto_reply") || text.eq_ignore_ascii_case("junk");
            } else if field.is("X-Loop") {
                is_round |= text.eq_ignore_ascii_case(&list.address.to_string());
            } else if field.is("List-Id") {
                is_round |= text.ends_with(&format!("<{}>", list_id(&list.address)));
            } else if field.is("To") || field.is("Cc") {
                let items = read_address_list(&value);
                named.extend(mailboxes(&items).filter_map(|mailbox| Some(fold(&mailbox.to_address()?))));
            } else if field.is("From") && author_name.is_empty() {
                let items = read_address_list(&value);
                author_name = mailboxes(&items).next().map(name_of).unwrap_or_default();
            } else if field.is("Authentication-Results") && results.is_none() {
                // What strangers wrote in our name was taken out when it came.
                let is_by_us = |found: &AuthResults| found.id.eq_ignore_ascii_case(host.as_str());
                results = AuthResults::parse(&value).filter(is_by_us).map(|found| (found, field.value));
            }
        }
        let says = |method: &str, result: &str| results.as_ref().is_some_and(|(found, _)| found.says(method, result));
        let is_signed = results.as_ref().is_some_and(|(found, _)| {
            found.methods.iter().any(|(method, result)| method == "dkim" && result == "pass")
        });
        let speaks = results.as_ref().zip(author.as_ref()).is_some_and(|((_, value), author)| {
            said_by_us(value, "dkim=pass", "header.d").is_some_and(|signer| is_at_or_below(&author.domain, &signer))
        });
        let asks = results.as_ref().is_some_and(|(found, value)| {
            let is_there = found.methods.iter().any(|(method, result)| method == "dmarc" && result != "none");
            is_there && !String::from_utf8_lossy(value).contains("=none)")
        });
        Self {
            author,
            author_name,
            subject: Facts::read(header).subject,
            size: u64::try_from(raw.len()).unwrap_or(u64::MAX),
            is_automatic,
            is_round,
            is_forged: !is_ours && says("dmarc", "fail"),
            is_known: is_ours || says("dmarc", "pass") || says("spf", "pass") || is_signed,
            needs_own_name: !is_ours && asks && (!speaks || !list.terms.prefix.is_empty()),
            named,
        }
    }
}

fn name_of(mailbox: &relais_message::Mailbox) -> String {
    let name = decode_header_value(mailbox.name.as_deref().unwrap_or_default());
    name.trim().chars().filter(|letter| !letter.is_control()).take(80).collect()
}

fn is_at_or_below(domain: &Domain, signer: &str) -> bool {
    let (domain, signer) = (domain.as_str(), signer.to_ascii_lowercase());
    domain == signer || domain.strip_suffix(&signer).is_some_and(|below| below.ends_with('.'))
}

/// What becomes of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes out.
    Send,
    /// An owner looks at it first.
    Hold,
    /// Its author may be told why not.
    Refuse(&'static str),
    /// Nobody is told.
    Drop(&'static str),
}

/// Decides about a post of somebody who is `standing` to the list; none: no member.
pub fn judge(post: &Post, terms: &ListTerms, standing: Option<&ListMember>) -> Fate {
    if post.is_round {
        return Fate::Drop("it has been through this list");
    }
    if post.is_automatic || post.author.is_none() {
        return Fate::Drop("it came by itself");
    }
    if post.size > terms.max_octets {
        return Fate::Refuse("The message is larger than this list takes");
    }
    let is_owner = standing.is_some_and(|member| member.is_owner);
    let fate = match terms.posters {
        Posters::Anyone => Fate::Send,
        Posters::Members if standing.is_some() => Fate::Send,
        Posters::Members => Fate::Refuse("Only members post to this list"),
        Posters::Owners | Posters::Moderated if is_owner => Fate::Send,
        Posters::Owners => Fate::Refuse("Only its owners post to this list"),
        Posters::Moderated => Fate::Hold,
    };
    // Whoever it says it is from, their domain says otherwise: an owner can tell.
    if fate == Fate::Send && post.is_forged { Fate::Hold } else { fate }
}

/// The list's identifier (RFC 2919 §2).
pub fn list_id(address: &Address) -> String {
    format!("{}.{}", address.local_part.as_str().to_ascii_lowercase(), address.domain)
}

/// One of the list's other addresses, with a mark behind it where there is one.
pub fn other(list: &Address, act: ListAct, mark: &str) -> Address {
    let plus = if mark.is_empty() { "" } else { "+" };
    let name = format!("{}{}{plus}{mark}", list.local_part, act.suffix());
    // A list's name is short enough for all of them: where not, the list itself.
    LocalPart::parse(&name)
        .map_or_else(|_| list.clone(), |local_part| Address { local_part, domain: list.domain.clone() })
}

/// The post as a member gets it, without its Return-Path. `leave` is the page where the member leaves with one click.
pub fn dress(raw: &[u8], list: &MailingList, post: &Post, leave: &str) -> Vec<u8> {
    let (header, body) = raw.split_at_checked(header_octets(raw)).unwrap_or((raw, &[]));
    let address = &list.address;
    let mail = |act| other(address, act, "");
    let title = if list.terms.title.is_empty() { address.local_part.to_string() } else { list.terms.title.clone() };
    let mut fields = vec![
        format!("List-Id: {} <{}>", phrase(&title), list_id(address)),
        format!("List-Post: <mailto:{address}>"),
        format!("List-Help: <mailto:{}?subject=help>", mail(ListAct::Request)),
        format!("List-Owner: <mailto:{}-owner@{}>", address.local_part, address.domain),
        // RFC 8058 §3.1: the page first, and the field that says that a POST is enough.
        format!("List-Unsubscribe: <{leave}>,\r\n <mailto:{}>", mail(ListAct::Unsubscribe)),
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click".to_owned(),
        "Precedence: list".to_owned(),
        format!("X-Loop: {address}"),
    ];
    if list.terms.is_open {
        fields.push(format!("List-Subscribe: <mailto:{}>", mail(ListAct::Subscribe)));
    }
    let mut gone: Vec<&str> = OURS.to_vec();
    if let Some(author) = post.author.as_ref().filter(|_| post.needs_own_name) {
        let name = if post.author_name.is_empty() { author.local_part.to_string() } else { post.author_name.clone() };
        fields.push(format!("From: {} <{address}>", phrase(&format!("{name} via {title}"))));
        gone.push("From");
        if !relais_message::fields(header).any(|field| field.is("Reply-To")) {
            fields.push(format!("Reply-To: <{author}>"));
        }
    }
    if !list.terms.prefix.is_empty() && !post.subject.contains(list.terms.prefix.trim()) {
        fields.push(format!("Subject: {}", unstructured(&format!("{} {}", list.terms.prefix.trim(), post.subject))));
        gone.push("Subject");
    }
    let mut out = fields.join("\r\n").into_bytes();
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&remove_fields(header, &gone));
    out.extend_from_slice(body);
    out
}

/// A name before an address.
fn phrase(name: &str) -> String {
    if !name.is_ascii() {
        return unstructured(name);
    }
    let plain: String = name.chars().filter(|letter| !letter.is_control()).collect();
    format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A post on its way to the members, as a message to the list's own address `to`, which [`Tokens::more`] made.
pub fn post_onward(
    list: &Address,
    octets: Vec<u8>,
    reverse_path: ReversePath,
    to: Address,
    trace: TraceId,
    expires_at: Timestamp,
) -> Acceptance {
    let outbound = NewQueued {
        reverse_path: reverse_path.clone(),
        ret: None,
        envelope_id: None,
        body_type: BodyType::EightBitMime,
        smtputf8: false,
        require_tls: false,
        submitter: None,
        recipients: vec![NewRecipient { address: to, notify: Some(Notify::NEVER), original: None }],
        expires_at,
    };
    Acceptance {
        content: Content::prepare(octets),
        reverse_path,
        deliveries: Vec::new(),
        outbound: Some(outbound),
        trace,
        from_peer: format!("list {list}"),
        judgement: None,
        submission: None,
    }
}

/// What somebody wants who writes to `-request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To subscribe.
    Join,
    /// The same, asked by who looks after the list: it need not be open.
    Invited,
    /// To leave.
    Leave,
    /// To know how.
    Help,
}

/// The wish that a subject names; what names none asks how.
pub fn wish(subject: &str) -> Wish {
    match subject.trim().to_ascii_lowercase().as_str() {
        "subscribe" | "join" => Wish::Join,
        "unsubscribe" | "leave" | "remove" => Wish::Leave,
        _ => Wish::Help,
    }
}

/// Whether a message says that another was given up for good (RFC 3464 §2.3.3): a delay is none.
pub fn is_failure_report(raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw.get(..raw.len().min(64 * 1024)).unwrap_or_default()).to_ascii_lowercase();
    text.lines().any(|line| line.trim() == "action: failed")
}

/// Makes and reads marks that nobody else can make.
pub struct Tokens(hmac::Key);

impl Tokens {
    /// With the house's secret.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Where mail to a member comes back.
    pub fn bounces(&self, list: &Address, member: MemberKey) -> Address {
        other(list, ListAct::Bounces, &self.numbered("bounces", member.value()))
    }

    /// Whose mail came back.
    pub fn bounced(&self, detail: &str) -> Option<MemberKey> {
        self.number("bounces", detail).map(MemberKey::new)
    }

    /// What stands in the address of the page where a member leaves.
    pub fn leave(&self, member: MemberKey) -> String {
        self.numbered("leave", member.value())
    }

    /// Who leaves.
    pub fn leaving(&self, mark: &str) -> Option<MemberKey> {
        self.number("leave", mark).map(MemberKey::new)
    }

    /// Where the rest of a post goes, behind this member.
    pub fn more(&self, list: &Address, after: MemberKey) -> Address {
        other(list, ListAct::More, &self.numbered("more", after.value()))
    }

    /// Behind whom it goes on.
    pub fn going_on(&self, detail: &str) -> Option<MemberKey> {
        self.number("more", detail).map(MemberKey::new)
    }

    /// Where an owner writes to decide about a post.
    pub fn decision(&self, list: &Address, act: ListAct, post: PostKey) -> Address {
        other(list, act, &self.numbered(act.suffix(), post.value()))
    }

    /// Which post is decided about.
    pub fn decided(&self, act: ListAct, detail: &str) -> Option<PostKey> {
        self.number(act.suffix(), detail).map(PostKey::new)
    }

    /// What confirms that `address` wants to join, by itself or as it is invited, or to leave, as long as that is the same wish.
    pub fn wish(&self, list: ListKey, address: &Address, wish: Wish, now: Timestamp) -> String {
        let day = now.millis().div_euclid(DAY);
        let letter = match wish {
            Wish::Join => "j",
            Wish::Invited => "i",
            Wish::Leave | Wish::Help => "l",
        };
        let numbers = format!("{day} {}", list.value());
        format!("{letter}{day}-{}", self.mark(&[letter, &numbers, &fold(address)]))
    }

    /// What `address` confirms; none where the mark isn't theirs, or too old.
    pub fn confirmed(&self, list: ListKey, address: &Address, mark: &str, now: Timestamp) -> Option<Wish> {
        let wish = match mark.get(..1)? {
            "j" => Wish::Join,
            "i" => Wish::Invited,
            "l" => Wish::Leave,
            _ => return None,
        };
        let day: i64 = mark.get(1..)?.split_once('-')?.0.parse().ok()?;
        let then = Timestamp::from_millis(day.checked_mul(DAY)?);
        let is_fresh = (0..=CONFIRMED_WITHIN).contains(&now.millis().div_euclid(DAY).checked_sub(day)?);
        (is_fresh && is_same(&self.wish(list, address, wish, then), mark)).then_some(wish)
    }

    fn numbered(&self, purpose: &str, number: i64) -> String {
        let digits = in_base_32(number);
        format!("{digits}-{}", self.mark(&[purpose, &digits]))
    }

    fn number(&self, purpose: &str, mark: &str) -> Option<i64> {
        let number = i64::from_str_radix(mark.split_once('-')?.0, 32).ok().filter(|number| *number >= 0)?;
        is_same(&self.numbered(purpose, number), &mark.to_ascii_lowercase()).then_some(number)
    }

    /// 50 bits, in lower case: local parts lose theirs on the way, and have 64 octets with all that stands before.
    fn mark(&self, parts: &[&str]) -> String {
        let tag = hmac::sign(&self.0, parts.join("\n").as_bytes());
        let mut text = BASE32_NOPAD.encode(tag.as_ref()).to_ascii_lowercase();
        text.truncate(MARK_LENGTH);
        text
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// As [`i64::from_str_radix`] reads it: 13 digits at most.
fn in_base_32(number: i64) -> String {
    let mut rest = number.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        digits.push(u32::try_from(rest % 32).ok().and_then(|digit| char::from_digit(digit, 32)).unwrap_or('0'));
        rest /= 32;
        if rest == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

/// In a time that tells nothing.
fn is_same(wanted: &str, given: &str) -> bool {
    wanted.len() == given.len()
        && wanted.bytes().zip(given.bytes()).fold(0, |differing, (one, other)| differing | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use relais_store::Version;

    use super::*;

    fn list(terms: ListTerms) -> MailingList {
        MailingList {
            key: ListKey::new(7),
            address: Address::parse("team@us.example").unwrap(),
            terms,
            members: 0,
            held: 0,
            created_at: Timestamp::from_seconds(0),
            version: Version::parse("1").unwrap(),
        }
    }

    fn member(is_owner: bool) -> ListMember {
        ListMember {
            key: MemberKey::new(1),
            list: ListKey::new(7),
            address: Address::parse("ann@a.example").unwrap(),
            is_owner,
            gets_posts: true,
            bounces: 0,
            stopped_at: None,
            joined_at: Timestamp::from_seconds(0),
        }
    }

    fn read(header: &str, terms: ListTerms) -> Post {
        let raw = format!("{header}\r\nbody\r\n");
        let path = ReversePath::Address(Address::parse("ann@a.example").unwrap());
        Post::read(raw.as_bytes(), &path, &list(terms), &Domain::parse("mx.us.example").unwrap(), false)
    }

    #[track_caller]
    fn check(header: &str, posters: Posters, standing: Option<bool>, expected: &str) {
        let terms = ListTerms { posters, ..ListTerms::default() };
        let standing = standing.map(member);
        let found = judge(&read(header, terms.clone()), &terms, standing.as_ref());
        assert!(format!("{found:?}").starts_with(expected), "{found:?} for {header:?}");
    }

    const ANN: &str = "From: Ann <ann@a.example>\r\n";

    #[test]
    fn who_may_post_may() {
        for (posters, nobody, reader, owner) in [
            (Posters::Anyone, "Send", "Send", "Send"),
            (Posters::Members, "Refuse", "Send", "Send"),
            (Posters::Owners, "Refuse", "Refuse", "Send"),
            (Posters::Moderated, "Hold", "Hold", "Send"),
        ] {
            check(ANN, posters, None, nobody);
            check(ANN, posters, Some(false), reader);
            check(ANN, posters, Some(true), owner);
        }
        let forged = format!("Authentication-Results: mx.us.example;\r\n\tdmarc=fail (p=reject)\r\n{ANN}");
        check(&forged, Posters::Members, Some(true), "Hold");
        let not_ours = format!("Authentication-Results: mx.else.example; dmarc=fail\r\n{ANN}");
        check(&not_ours, Posters::Members, Some(true), "Send");
    }

    /// RFC 3834, RFC 2919.
    #[test]
    fn what_comes_by_itself_or_comes_again_is_no_post() {
        for more in [
            "Auto-Submitted: auto-replied\r\n",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n",
            "Precedence: auto_reply\r\n",
            "X-Loop: TEAM@us.example\r\n",
            "List-Id: Ours <team.us.example>\r\n",
        ] {
            check(&format!("{ANN}{more}"), Posters::Anyone, Some(true), "Drop");
        }
        check("Subject: x\r\n", Posters::Anyone, None, "Drop");
        check(
            &format!("{ANN}Auto-Submitted: auto-generated\r\nList-Id: <x.us.example>\r\n"),
            Posters::Anyone,
            None,
            "Send",
        );
        let small = ListTerms { max_octets: 10, posters: Posters::Anyone, ..ListTerms::default() };
        assert!(matches!(judge(&read(ANN, small.clone()), &small, None), Fate::Refuse(_)));
    }

    #[test]
    fn the_author_keeps_their_name_where_their_policy_can_be_kept() {
        for (results, prefix, needs) in [
            ("dkim=pass header.d=a.example;\r\n\tdmarc=pass (p=reject) header.from=a.example", "", false),
            ("dkim=pass header.d=a.example;\r\n\tdmarc=pass (p=reject) header.from=a.example", "[x]", true),
            ("dkim=pass header.d=esp.example;\r\n\tdmarc=pass (p=reject) header.from=a.example", "", true),
            ("spf=pass;\r\n\tdkim=none;\r\n\tdmarc=pass (p=quarantine) header.from=a.example", "", true),
            ("spf=pass;\r\n\tdkim=none;\r\n\tdmarc=pass (p=none) header.from=a.example", "", false),
            ("spf=pass;\r\n\tdkim=none;\r\n\tdmarc=none header.from=a.example", "[x]", false),
        ] {
            let header = format!("Authentication-Results: mx.us.example;\r\n\t{results}\r\n{ANN}");
            let terms = ListTerms { prefix: prefix.to_owned(), ..ListTerms::default() };
            assert_eq!(read(&header, terms).needs_own_name, needs, "{results} {prefix}");
        }
    }

    /// RFC 2369, RFC 2919, RFC 8058.
    #[test]
    fn a_copy_says_what_list_it_is_from_and_how_to_leave() {
        let raw = "Return-Path: <ann@a.example>\r\nList-Id: <theirs>\r\nFrom: Ann Lee <ann@a.example>\r\nSubject: hello\r\n\r\nbody\r\n";
        let open = list(ListTerms { title: "The team".into(), is_open: true, ..ListTerms::default() });
        let path = ReversePath::Null;
        let host = Domain::parse("mx.us.example").unwrap();
        let post = Post::read(raw.as_bytes(), &path, &open, &host, true);
        let plain =
            String::from_utf8(dress(raw.as_bytes(), &open, &post, "https://mx.us.example/lists/leave/1-x")).unwrap();
        assert_eq!(
            plain,
            "List-Id: \"The team\" <team.us.example>\r\nList-Post: <mailto:team@us.example>\r\n\
             List-Help: <mailto:team-request@us.example?subject=help>\r\nList-Owner: <mailto:team-owner@us.example>\r\n\
             List-Unsubscribe: <https://mx.us.example/lists/leave/1-x>,\r\n <mailto:team-unsubscribe@us.example>\r\n\
             List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nPrecedence: list\r\nX-Loop: team@us.example\r\n\
             List-Subscribe: <mailto:team-subscribe@us.example>\r\nFrom: Ann Lee <ann@a.example>\r\nSubject: hello\r\n\r\nbody\r\n"
        );
        let tagged = list(ListTerms { prefix: "[team]".into(), ..ListTerms::default() });
        let munged = Post { needs_own_name: true, ..post };
        let copy = String::from_utf8(dress(raw.as_bytes(), &tagged, &munged, "https://x")).unwrap();
        assert!(
            copy.contains("From: \"Ann Lee via team\" <team@us.example>\r\nReply-To: <ann@a.example>\r\n"),
            "{copy}"
        );
        assert!(copy.contains("Subject: [team] hello\r\n") && copy.matches("From:").count() == 1, "{copy}");
    }

    #[test]
    fn marks_are_good_for_one_thing_and_for_a_while() {
        let (tokens, others) = (Tokens::new(&[1; 32]), Tokens::new(&[2; 32]));
        let (team, member) = (list(ListTerms::default()).address, MemberKey::new(0x1234));
        let back = tokens.bounces(&team, member);
        assert!(back.to_string().starts_with("team-bounces+4hk-"), "{back}");
        let detail = back.local_part.as_str().split_once('+').unwrap().1;
        assert_eq!(tokens.bounced(&detail.to_uppercase()), Some(member));
        assert_eq!((tokens.leaving(detail), others.bounced(detail), tokens.bounced("1235-x")), (None, None, None));
        let largest = tokens
            .bounces(&Address::parse(&format!("{}@us.example", "x".repeat(30))).unwrap(), MemberKey::new(i64::MAX));
        assert!(largest.local_part.as_str().contains("-bounces+"), "the longest name has room");
        let (ann, key) = (Address::parse("Ann@a.example").unwrap(), ListKey::new(7));
        let now = Timestamp::from_seconds(1_800_000_000);
        let mark = tokens.wish(key, &ann, Wish::Join, now);
        let later = |days: u8| now.plus(std::time::Duration::from_hours(24 * u64::from(days)));
        assert_eq!(tokens.confirmed(key, &Address::parse("ann@a.example").unwrap(), &mark, later(3)), Some(Wish::Join));
        assert_eq!(tokens.confirmed(key, &ann, &mark, later(4)), None);
        assert_eq!(tokens.confirmed(ListKey::new(8), &ann, &mark, now), None);
        assert_eq!(tokens.confirmed(key, &Address::parse("bob@a.example").unwrap(), &mark, now), None);
        assert_eq!(tokens.confirmed(key, &ann, &mark.replacen('j', "l", 1), now), None);
        assert_eq!(tokens.confirmed(key, &ann, &mark.replacen('j', "i", 1), now), None, "who wishes isn't invited");
        let invited = tokens.wish(key, &ann, Wish::Invited, now);
        assert_eq!(tokens.confirmed(key, &ann, &invited, now), Some(Wish::Invited));
    }

    #[test]
    fn wishes_and_failures_are_told_from_the_rest() {
        assert_eq!((wish(" Subscribe "), wish("unsubscribe"), wish("Re: what")), (Wish::Join, Wish::Leave, Wish::Help));
        assert!(is_failure_report(b"\r\n\r\nFinal-Recipient: rfc822; x\r\nAction: failed\r\n"));
        assert!(!is_failure_report(b"Action: delayed\r\n"));
    }
}
