//! Transcripts of the framing: what the client says, what the machine says and does.

use proptest::prelude::*;
use relais_sasl::Credentials;
use relais_sasl::scram::{self, ChannelBindings, Known, Verifier};

use super::*;
use crate::command::append::Replaced;

/// A driver in miniature: obeys, and writes down what happened.
struct Driver {
    session: Session,
    log: String,
    out: Vec<u8>,
    /// Mailbox whose messages are refused.
    full: &'static str,
}

fn config() -> Config {
    Config {
        starttls: true,
        scram: true,
        compress: true,
        unauthenticate: true,
        append_limit: 1000,
        ..Config::default()
    }
}

impl Driver {
    fn new(state: State) -> Self {
        let mut session = Session::new(Arc::new(config()), state != State::NotAuthenticated);
        if state != State::NotAuthenticated {
            session.logged_in();
        }
        if state == State::Selected {
            session.selected();
        }
        Self { session, log: String::new(), out: Vec::new(), full: "Full" }
    }

    fn note(&mut self, text: &str) {
        let said = String::from_utf8_lossy(&std::mem::take(&mut self.out)).replace("\r\n", "|");
        self.log.push_str(&said);
        self.log.push_str(text);
    }

    fn run(&mut self, octets: &[u8]) {
        self.session.feed(octets);
        loop {
            match self.session.step(&mut self.out) {
                Step::Read => return self.note(""),
                Step::Close => return self.note("<close>"),
                Step::Command(tag, command) => {
                    self.note(&format!("<{} {command:?}>", tag.as_str()));
                }
                Step::SaveRefused => self.note("<save refused>"),
                Step::LogIn(LogIn { tag, shown: Shown::Password(credentials) }) => {
                    let Credentials { login_name, authorization, password } = credentials;
                    self.note(&format!("<{tag:?} {authorization:?} {login_name} {}>", password.expose()));
                    self.session.logged_in();
                }
                Step::LogIn(LogIn { tag, shown: Shown::Proof(place) }) => {
                    self.note(&format!("<{tag:?} proof {place:?}>"));
                    if place.is_some() {
                        self.session.logged_in();
                    }
                }
                Step::LogIn(LogIn { tag, shown: Shown::Token(bearer) }) => {
                    self.note(&format!("<{tag:?} token {:?} {}>", bearer.login_name, bearer.token.expose()));
                    match bearer.token.expose() {
                        "token" => self.session.logged_in(),
                        _ => self.session.refuse_token(&mut self.out, tag, &bearer),
                    }
                }
                Step::Keys(tag, wanted) => {
                    self.note(&format!("<{tag:?} keys {} {:?}>", wanted.login_name, wanted.authorization));
                    let known = (wanted.login_name != "later").then(scram_known);
                    if known.is_none() {
                        self.note("<refused>");
                    }
                    self.session.keys(&mut self.out, known);
                }
                Step::Append(message) => {
                    let AppendMessage { tag, mailbox, index, head, replaced } = message;
                    let replaced = replaced.map(|Replaced { by_uid, number }| {
                        format!(" replaces {}{number}", if by_uid { "UID " } else { "" })
                    });
                    let parts = if head.is_catenated { " of parts" } else { "" };
                    let replaced = replaced.unwrap_or_default();
                    self.note(&format!("<{tag:?} append {mailbox} {index} {}{parts}{replaced}>", head.size_octets));
                    if mailbox.as_str() == self.full {
                        self.session.refuse_append(&mut self.out, Some(&ResponseCode::OverQuota), "Full");
                    }
                }
                Step::AppendData(octets) => {
                    let text = String::from_utf8_lossy(&octets).into_owned();
                    self.note(&text);
                }
                Step::AppendUrl(url) if url == "bad" => {
                    let code = ResponseCode::BadUrl(url.into());
                    self.session.refuse_append(&mut self.out, Some(&code), "No such thing");
                }
                Step::AppendUrl(url) => self.note(&format!("<url {url}>")),
                Step::Unauthenticate(tag) => self.note(&format!("<{tag:?} unauthenticate>")),
                Step::AppendEnd(tag) => self.note(&format!("<{tag:?} append end>")),
                Step::AppendBroken => self.note("<append broken>"),
                Step::Idle(_) => self.note("<idle>"),
                Step::IdleDone(tag) => self.note(&format!("<{tag:?} done>")),
                Step::IdleBroken => self.note("<idle broken>"),
                Step::StartTls => {
                    self.note("<starttls>");
                    self.session.tls_started();
                    return;
                }
                Step::StartCompression => self.note("<compress>"),
            }
        }
    }
}

#[track_caller]
fn check(state: State, said: &str, expected: &str) {
    let mut driver = Driver::new(state);
    driver.run(said.as_bytes());
    assert_eq!(driver.log, expected, "{said:?}");
}

use State::{Authenticated, NotAuthenticated, Selected};

#[test]
fn commands_come_one_by_one_in_order() {
    check(Selected, "a NOOP\r\nb CHECK\r\nc NO", "<a Noop><b Check>");
    check(Selected, "a noop\nb Check \r\n", "<a Noop><b Check>");
}

#[test]
fn errors_say_what_and_where() {
    check(Selected, "a FROB\r\n", "a BAD Unknown command (octet 6)|");
    check(Selected, "a FETCH 1 FROB\r\n", "a BAD Unknown item of FETCH (octet 10)|");
    check(Selected, "a NOOP x\r\n", "a BAD The command should end here (octet 7)|");
    check(Selected, "\r\n", "* BAD A tag is expected here (octet 0)|");
    check(Selected, "+ NOOP\r\n", "* BAD A tag is expected here (octet 1)|");
    check(Selected, "a\r\n", "a BAD A command's name is missing (octet 1)|");
    check(
        Authenticated,
        "a DELETE a//b\r\n",
        "a NO [CANNOT] No mailbox can have this name: a level of the name is empty (octet 9)|",
    );
    check(
        Selected,
        "a SEARCH CHARSET x-frob ALL\r\n",
        "a NO [BADCHARSET (UTF-8 US-ASCII)] This charset isn't known here (octet 23)|",
    );
}

/// RFC 9051 §6.4.4.1: NO empties `$`, BAD doesn't, and neither does a SEARCH that saves nothing.
#[test]
fn a_refused_search_that_saves_is_told_of() {
    let no = "a NO [BADCHARSET (UTF-8 US-ASCII)] This charset isn't known here";
    check(Selected, "a SEARCH RETURN (SAVE) CHARSET x ALL\r\n", &format!("{no} (octet 32)|<save refused>"));
    check(Selected, "a uid search return (min save) charset x 1\r\n", &format!("{no} (octet 40)|<save refused>"));
    check(Selected, "a SEARCH RETURN (MIN) CHARSET x ALL\r\n", &format!("{no} (octet 31)|"));
    check(Selected, "a SEARCH RETURN (SAVE) FROB\r\n", "a BAD Unknown search key (octet 23)|");
    check(
        Selected,
        "a SEARCH RETURN (SAVE) TEXT {99999}\r\nb NOOP\r\n",
        "a NO [LIMIT] The literal is too long (octet 37)|<save refused><b Noop>",
    );
}

/// RFC 4469, RFC 8508: a message is put together as its parts come.
#[test]
fn messages_are_put_together() {
    check(
        Authenticated,
        "a APPEND x (\\Seen) CATENATE (URL \"/x/;UID=1\" TEXT {3+}\r\nabc URL /y/;UID=2)\r\n",
        "<a append x 0 0 of parts><url /x/;UID=1>abc<url /y/;UID=2><a append end>",
    );
    check(
        Authenticated,
        "a APPEND x CATENATE (TEXT {1+}\r\n1 TEXT {2}\r\n23)\r\n",
        "<a append x 0 0 of parts>1+ OK|23<a append end>",
    );
    check(
        Authenticated,
        "a APPEND x CATENATE (URL u) CATENATE (URL {1+}\r\nv) {2+}\r\nhi\r\nb NOOP\r\n",
        "<a append x 0 0 of parts><url u><a append x 1 0 of parts><url v><a append x 2 2>hi<a append end><b Noop>",
    );
    check(
        Authenticated,
        "a APPEND x CATENATE (UTF8 (~{2+}\r\nhi) URL u)\r\n",
        "<a append x 0 0 of parts>hi<url u><a append end>",
    );
    check(Authenticated, "a APPEND x CATENATE (URL u)\r\n", "<a append x 0 0 of parts><url u><a append end>");
    // A client that waits sends nothing more; one that doesn't has sent it already.
    let no = "a NO [BADURL \"bad\"] No such thing|";
    for (said, rest) in [
        ("a APPEND x CATENATE (URL bad)\r\n", ""),
        ("a APPEND x CATENATE (URL bad TEXT {3}\r\n", ""),
        ("a APPEND x CATENATE (URL bad TEXT {3+}\r\nabc TEXT {2+}\r\nhi)\r\n", ""),
        ("a APPEND x CATENATE (TEXT {3+}\r\nabc URL bad TEXT {2+}\r\nhi)\r\n", "abc"),
        ("a APPEND x CATENATE (TEXT {3+}\r\nabc URL bad) {2+}\r\nhi\r\n", "abc"),
        ("a APPEND x CATENATE (TEXT {3+}\r\nabc URL bad)\r\n", "abc"),
    ] {
        check(Authenticated, &format!("{said}b NOOP\r\n"), &format!("<a append x 0 0 of parts>{rest}{no}<b Noop>"));
    }
    check(Authenticated, "a APPEND x CATENATE (TEXT {600+}\r\n", "<a append x 0 0 of parts>");
    check(
        Authenticated,
        "a APPEND x CATENATE (TEXT {1+}\r\n1 TEXT {1000}\r\nb NOOP\r\n",
        "<a append x 0 0 of parts>1a NO [TOOBIG] The message is too large|<append broken><b Noop>",
    );
    check(
        Authenticated,
        "a APPEND x CATENATE (TEXT {1+}\r\n1 FROB)\r\nb NOOP\r\n",
        "<a append x 0 0 of parts>1a BAD TEXT or URL is expected here (octet 1)|<append broken><b Noop>",
    );
    check(
        Authenticated,
        "a APPEND x CATENATE (TEXT {1+}\r\n1\r\nb NOOP\r\n",
        "<a append x 0 0 of parts>1a BAD A space is missing (octet 0)|<append broken><b Noop>",
    );
}

/// RFC 8508.
#[test]
fn messages_are_replaced() {
    check(Selected, "a REPLACE 4 Drafts {2+}\r\nhi\r\n", "<a append Drafts 0 2 replaces 4>hi<a append end>");
    check(
        Selected,
        "a UID REPLACE 7 Drafts (\\Draft) CATENATE (URL u)\r\n",
        "<a append Drafts 0 0 of parts replaces UID 7><url u><a append end>",
    );
    check(Authenticated, "a REPLACE 4 x {2}\r\n", "a BAD Please select a mailbox first (octet 9)|");
    check(Selected, "a REPLACE 0 x {2}\r\n", "a BAD 0 is not allowed here (octet 10)|");
    check(Selected, "a REPLACE * x {2}\r\n", "a BAD A number is expected here (octet 10)|");
    check(
        Selected,
        "a REPLACE 1 x {2+}\r\nhi {3+}\r\nabc\r\nb NOOP\r\n",
        "<a append x 0 2 replaces 1>hia BAD REPLACE takes one message (octet 0)|<append broken><b Noop>",
    );
}

/// RFC 8437: all begins anew but TLS.
#[test]
fn nobody_is_logged_in_any_more() {
    let mut driver = Driver::new(Selected);
    driver.run(b"a ENABLE UTF8=ACCEPT\r\n");
    let _was_off = driver.session.enable(crate::command::Extension::Utf8Accept);
    driver.run(b"b UNAUTHENTICATE\r\nc NOOP\r\nd LIST \"\" *\r\n");
    assert!(driver.log.ends_with("<b unauthenticate><c Noop>d BAD Please log in first (octet 6)|"), "{}", driver.log);
    assert_eq!(driver.session.enabled(), Enabled::default());
    check(NotAuthenticated, "a UNAUTHENTICATE\r\n", "a BAD Please log in first (octet 16)|");
}

/// RFC 9586: after ENABLE UIDONLY no sequence number is taken.
#[test]
fn sequence_numbers_can_be_given_up() {
    let no = |at: usize| format!("[UIDREQUIRED] Sequence numbers aren't used after ENABLE UIDONLY (octet {at})|");
    for (said, at) in [
        ("FETCH 1 FLAGS", 7),
        ("SEARCH ALL", 8),
        ("UID SEARCH NOT 1:*", 17),
        ("UID SORT (ARRIVAL) UTF-8 2", 27),
        ("REPLACE 1 x {2}", 9),
    ] {
        let mut driver = Driver::new(Selected);
        let _was_off = driver.session.enable(crate::command::Extension::UidOnly);
        driver.run(format!("a {said}\r\n").as_bytes());
        assert_eq!(driver.log, format!("a BAD {}", no(at)));
    }
}

/// RFC 9051 §3: which command may be given when.
#[test]
fn states_are_kept() {
    check(NotAuthenticated, "a SELECT INBOX\r\n", "a BAD Please log in first (octet 8)|");
    check(Authenticated, "a FETCH 1 UID\r\n", "a BAD Please select a mailbox first (octet 7)|");
    check(Authenticated, "a LOGIN x y\r\n", "a BAD You are logged in already (octet 7)|");
    check(Selected, "a LOGOUT\r\nb NOOP\r\n", "* BYE Until next time|a OK Logged out|<close>");
    check(Selected, "a STARTTLS\r\n", "a BAD You are logged in already (octet 10)|");
}

#[test]
fn literals_wait_for_leave_or_not() {
    check(Authenticated, "a DELETE {3}\r\nfoo\r\n", "+ OK|<a Delete { mailbox: \"foo\", old_name: None }>");
    check(Authenticated, "a DELETE {3+}\r\nfoo\r\n", "<a Delete { mailbox: \"foo\", old_name: None }>");
    check(
        Authenticated,
        "a RENAME {3+}\r\nf\r\n {1}\r\nb\r\n",
        "+ OK|a NO [CANNOT] The mailbox's name is not modified UTF-7: an octet outside printing ASCII (octet 9)|",
    );
    check(
        Authenticated,
        "a RENAME {3+}\r\nfoo {3+}\r\nbar\r\nb NOOP\r\n",
        "<a Rename { from: \"foo\", to: \"bar\", old_name: None }><b Noop>",
    );
    // What cannot be right is refused before the literal; what was sent all the same is thrown away.
    check(Authenticated, "a FROB {3}\r\nb NOOP\r\n", "a BAD Unknown command (octet 6)|<b Noop>");
    check(Authenticated, "a FROB {3+}\r\nx\r\n {2+}\r\nyy z\r\nb NOOP\r\n", "a BAD Unknown command (octet 6)|<b Noop>");
    check(Authenticated, "a DELETE {99999}\r\nb NOOP\r\n", "a NO [LIMIT] The literal is too long (octet 18)|<b Noop>");
    check(
        Authenticated,
        "a DELETE {99999999999999999999999}\r\nb NOOP\r\n",
        "a NO [LIMIT] The literal is too long (octet 36)|<b Noop>",
    );
    check(Selected, "a SEARCH SUBJECT {1+}\r\n\0\r\n", "a BAD A literal holds NUL (octet 23)|");
}

/// RFC 9051 §7.1.5: before log-in nobody gets to make us swallow much.
#[test]
fn early_literals_are_small() {
    check(
        NotAuthenticated,
        "a LOGIN {9000+}\r\n",
        "a NO [LIMIT] The literal is too long (octet 17)|* BYE [TOOBIG] The literal is too long|<close>",
    );
    check(
        NotAuthenticated,
        "a APPEND INBOX {10+}\r\n1234567890\r\nb NOOP\r\n",
        "a BAD Please log in first (octet 8)|<b Noop>",
    );
}

#[test]
fn long_lines_are_refused_and_passed_over() {
    let mut driver = Driver::new(Authenticated);
    driver.run(b"a DELETE ");
    for _ in 0..100 {
        driver.run(&[b'x'; 1000]);
    }
    driver.run(b"\r\nb NOOP\r\n");
    assert_eq!(driver.log, "a NO [LIMIT] The command is too long (octet 0)|<b Noop>");
}

/// RFC 7677: what is said after the name joe and the password `pencil`, and after another.
mod joe {
    pub(super) const FIRST: &str = "biwsbj1qb2Uscj1yT3ByTkdmd0ViZVJXZ2JORWtxTw==";
    pub(super) const CHALLENGE: &str = "+ cj1yT3ByTkdmd0ViZVJXZ2JORWtxT2JtVjJaWElnZEhkcFkyVXNJR2x6SUdsMCxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY=|";
    pub(super) const PROOF: &str = "Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU9ibVYyWlhJZ2RIZHBZMlVzSUdseklHbDAscD1LQklYblRCZXJzSFBSaXcwTlpPOC9mZkFYc1JDRTZIKzEzdjJyd0JvY3A0PQ==";
    pub(super) const SIGNATURE: &str = "+ dj1qK1RZNUdVTkhvSUVxeElneWVXT2R0V2N3U3ViaURhQTV1dlRXOWhmc0xRPQ==|";
    pub(super) const WRONG: &str = "Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU9ibVYyWlhJZ2RIZHBZMlVzSUdseklHbDAscD1VMjZGOE1XN29XZEMvSHdFUk1DVUY5ejRWdXM4SjJtVFhvZDhxanNtT1ZnPQ==";
    /// Bound to this connection, to another, and talked out of it.
    pub(super) const BOUND: &str = "cD10bHMtZXhwb3J0ZXIsLG49am9lLHI9ck9wck5HZndFYmVSV2diTkVrcU8=";
    pub(super) const BOUND_PROOF: &str = "Yz1jRDEwYkhNdFpYaHdiM0owWlhJc0xBY0hCd2NIQndjSEJ3Y0hCd2NIQndjSEJ3Y0hCd2NIQndjSEJ3Y0hCd2NILHI9ck9wck5HZndFYmVSV2diTkVrcU9ibVYyWlhJZ2RIZHBZMlVzSUdseklHbDAscD01cHpOcmNqR0F0dk1rMWhlMitGbFkyZGJ1SVdYb1Bqb05qcDJ6cG55T0tnPQ==";
    pub(super) const BOUND_SIGNATURE: &str = "+ dj0rMERLbUtRa2ZpRWVsMXpxK0JiZGxudXg3RGxwemNvbVIwOHI5VXNBVTRvPQ==|";
    pub(super) const BOUND_ELSEWHERE: &str = "Yz1jRDEwYkhNdFpYaHdiM0owWlhJc0xBZ0lDQWdJQ0FnSUNBZ0lDQWdJQ0FnSUNBZ0lDQWdJQ0FnSUNBZ0lDQWdJLHI9ck9wck5HZndFYmVSV2diTkVrcU9ibVYyWlhJZ2RIZHBZMlVzSUdseklHbDAscD1KVUdYMzZQTXF3TURtM0RFeHdVRnJibm9XUkxwd2lTbnVNL1o0NThKdEdJPQ==";
    pub(super) const TALKED_OUT: &str = "eSwsbj1qb2Uscj1yT3ByTkdmd0ViZVJXZ2JORWtxTw==";
    pub(super) const LATER: &str = "biwsbj1sYXRlcixyPXJPcHJOR2Z3RWJlUldnYk5Fa3FP";
}

/// RFC 7628 §3.2.2, §4.1: a token that opens nothing is refused with its reason, and once the client has heard it, with NO.
#[test]
fn authenticate_by_token() {
    const RIGHT: &str = "bixhPWpvZSwBaG9zdD1teC5leGFtcGxlAXBvcnQ9MQFhdXRoPUJlYXJlciB0b2tlbgEB";
    const WRONG: &str = "bixhPWpvZSwBaG9zdD1teC5leGFtcGxlAXBvcnQ9MQFhdXRoPUJlYXJlciB3cm9uZwEB";
    let reason = "+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJtYWlsIn0=|";
    let refused = "a NO [AUTHENTICATIONFAILED] The token opens nothing here|";
    let wrong = "<a token Some(\"joe\") wrong>";
    let right = "<a token Some(\"joe\") token>";
    check_scram(
        &[&format!("a AUTHENTICATE OAUTHBEARER {WRONG}"), "AQ==", "b NOOP"],
        &[wrong, reason, refused, "<b Noop>"],
    );
    check_scram(&["a AUTHENTICATE OAUTHBEARER", WRONG, "?"], &["+ |", wrong, reason, refused]);
    check_scram(&["a AUTHENTICATE OAUTHBEARER", RIGHT, "b NOOP"], &["+ |", right, "<b Noop>"]);
    let cancelled = "a BAD Authentication was cancelled (octet 0)|";
    check_scram(&[&format!("a AUTHENTICATE OAUTHBEARER {WRONG}"), "*"], &[wrong, reason, cancelled]);
    let again = "dXNlcj1qb2UBYXV0aD1CZWFyZXIgdG9rZW4BAQ==";
    check_scram(&[&format!("a authenticate xoauth2 {again}")], &[right]);
}

/// RFC 9051 §6.2.2, RFC 5802 §5: the client says an empty line to our signature.
#[test]
fn authenticate_by_scram() {
    use joe::*;
    let keys = "<a keys joe None>";
    let end = "<a proof Some(1)>";
    check_scram(&["a AUTHENTICATE SCRAM-SHA-256", FIRST, PROOF, ""], &["+ |", keys, CHALLENGE, SIGNATURE, end]);
    let initial = format!("a authenticate scram-sha-256 {FIRST}");
    check_scram(&[&initial, PROOF, "", "b NOOP"], &[keys, CHALLENGE, SIGNATURE, end, "<b Noop>"]);
    check_scram(
        &[&initial, WRONG, "b CAPABILITY"],
        &[
            keys,
            CHALLENGE,
            "<a proof None>",
            "* CAPABILITY IMAP4rev1 IMAP4rev2 \
        LITERAL+ ID ENABLE LANGUAGE SASL-IR AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN \
        AUTH=OAUTHBEARER AUTH=XOAUTH2|b OK That is what I can do|",
        ],
    );
    let cancelled = "a BAD Authentication was cancelled (octet 0)|";
    check_scram(&[&initial, "*"], &[keys, CHALLENGE, cancelled]);
    check_scram(&[&initial, PROOF, "*"], &[keys, CHALLENGE, SIGNATURE, cancelled]);
    let unread = "a BAD The response cannot be read (octet 0)|";
    check_scram(&[&initial, PROOF, "AAAA"], &[keys, CHALLENGE, SIGNATURE, unread]);
    check_scram(&[&initial, FIRST], &[keys, CHALLENGE, unread]);
    let later = format!("a AUTHENTICATE SCRAM-SHA-256 {LATER}");
    check_scram(&[&later, "b LOGIN x y"], &["<a keys later None><refused>", "<b None x y>"]);
}

/// RFC 9266, RFC 5802 §6.
#[test]
fn authenticate_by_scram_bound_to_the_connection() {
    use joe::*;
    let keys = "<a keys joe None>";
    let plus = format!("a AUTHENTICATE SCRAM-SHA-256-PLUS {BOUND}");
    check_scram(&[&plus, BOUND_PROOF, ""], &[keys, CHALLENGE, BOUND_SIGNATURE, "<a proof Some(1)>"]);
    check_scram(&[&plus, BOUND_ELSEWHERE], &[keys, CHALLENGE, "<a proof None>"]);
    let unread = "a BAD The response cannot be read (octet 0)|";
    for (mechanism, first) in [("SCRAM-SHA-256-PLUS", FIRST), ("SCRAM-SHA-256", BOUND), ("SCRAM-SHA-256", TALKED_OUT)] {
        check_scram(&[&format!("a AUTHENTICATE {mechanism} {first}")], &[unread]);
    }
}

#[test]
fn too_many_bad_commands_end_the_session() {
    let mut driver = Driver::new(NotAuthenticated);
    driver.run("a FROB\r\n".repeat(10).as_bytes());
    let expected = "a BAD Unknown command (octet 6)|".repeat(6) + "* BYE Too many commands that cannot be read|<close>";
    assert_eq!(driver.log, expected);
}

#[test]
fn log_in_needs_tls() {
    let refused = "a NO [PRIVACYREQUIRED] Please use TLS before you log in|";
    check(NotAuthenticated, "a LOGIN x y\r\n", refused);
    check(NotAuthenticated, "a AUTHENTICATE PLAIN\r\n", refused);
}

/// Everybody has the passwords `other` and `pencil` over SCRAM.
fn scram_known() -> Known {
    let salt = b"[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81"; // RFC 7677 §3's
    let keys = [b"other".as_slice(), b"pencil"].map(|password| scram::derive(password, salt, 4096)).into();
    let bindings = ChannelBindings { tls_exporter: Some([7; 32]), tls_server_end_point: None };
    let verifier = Verifier { salt: salt.to_vec(), iterations: 4096, keys };
    Known { verifier, nonce: *b"never twice, is it", bindings }
}

/// What is said, a line each, and what comes of it.
#[track_caller]
fn check_scram(said: &[&str], expected: &[&str]) {
    check_log_in(&(said.join("\r\n") + "\r\n"), &expected.concat());
}

#[track_caller]
fn check_log_in(said: &str, expected: &str) {
    let mut driver = Driver::new(NotAuthenticated);
    driver.session.is_tls = true;
    driver.run(said.as_bytes());
    assert_eq!(driver.log, expected, "{said:?}");
}

/// RFC 9051 §6.2.2, RFC 4616.
#[test]
fn authenticate() {
    check_log_in("a LOGIN joe \"a b\\\"c\"\r\n", "<a None joe a b\"c>");
    check_log_in("a LOGIN {3+}\r\njoe {4}\r\np ss\r\n", "+ OK|<a None joe p ss>");
    check_log_in("a AUTHENTICATE PLAIN\r\nAGpvZQBzZWNyZXQ=\r\n", "+ |<a None joe secret>");
    check_log_in("a AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=\r\n", "<a None joe secret>");
    check_log_in("a authenticate plain YW5uAGpvZQBzZWNyZXQ=\r\nb NOOP\r\n", "<a Some(\"ann\") joe secret><b Noop>");
    check_log_in("a AUTHENTICATE LOGIN\r\nam9l\r\nc2VjcmV0\r\n", "+ VXNlcm5hbWU6|+ UGFzc3dvcmQ6|<a None joe secret>");
    check_log_in("a AUTHENTICATE LOGIN am9l\r\nc2VjcmV0\r\n", "+ UGFzc3dvcmQ6|<a None joe secret>");
    check_log_in("a AUTHENTICATE PLAIN\r\n*\r\n", "+ |a BAD Authentication was cancelled (octet 0)|");
    check_log_in("a AUTHENTICATE PLAIN\r\n????\r\n", "+ |a BAD The response cannot be read (octet 0)|");
    check_log_in("a AUTHENTICATE PLAIN =\r\n", "a BAD The response cannot be read (octet 0)|");
    check_log_in("a AUTHENTICATE KERBEROS_V4\r\n", "a NO This mechanism isn't known here|");
}

#[test]
fn starttls_takes_nothing_in_the_clear_behind_it() {
    check(NotAuthenticated, "a STARTTLS\r\n", "a OK Begin the TLS handshake|<starttls>");
    let refused = "a BAD Nothing may follow STARTTLS before the handshake|* BYE Please connect again|<close>";
    check(NotAuthenticated, "a STARTTLS\r\nb LOGIN x y\r\n", refused);
    check_log_in("a STARTTLS\r\n", "a BAD STARTTLS is not possible here (octet 0)|");
}

/// RFC 4978 §3.
#[test]
fn compression_begins_once() {
    check(Authenticated, "a COMPRESS DEFLATE\r\n", "a OK DEFLATE is active from here|<compress>");
    let mut driver = Driver::new(Authenticated);
    driver.run(b"a COMPRESS DEFLATE\r\n");
    driver.run(b"b COMPRESS DEFLATE\r\n");
    assert!(driver.log.ends_with("<compress>b NO [COMPRESSIONACTIVE] DEFLATE is active already|"), "{}", driver.log);
    assert!(!driver.session.capabilities().compress);
}

/// RFC 9698 §4, and §5's second URL: it is quoted as other strings are. Without one it is no command.
#[test]
fn where_jmap_is_spoken_is_told() {
    check(NotAuthenticated, "a GETJMAPACCESS\r\n", "a BAD Please log in first (octet 15)|");
    check(Authenticated, "a GETJMAPACCESS\r\n", "a BAD Unknown command (octet 0)|");
    let mut driver = Driver::new(Authenticated);
    let config = Config { jmap: Some("https://example.com/.s/[jmap]".into()), ..config() };
    driver.session = Session::new(Arc::new(config), true);
    driver.session.logged_in();
    driver.run(b"2b GETJMAPACCESS\r\n");
    let told = "* JMAPACCESS \"https://example.com/.s/[jmap]\"|2b OK That is where JMAP is spoken|";
    assert_eq!(driver.log, told);
}

/// RFC 9051 §6.3.13.
#[test]
fn idle() {
    check(Selected, "a IDLE\r\nDONE\r\nb NOOP\r\n", "+ Idling|<idle><a done><b Noop>");
    check(Authenticated, "a IDLE\r\ndone\r\n", "+ Idling|<idle><a done>");
    check(
        Selected,
        "a IDLE\r\nb NOOP\r\nc NOOP\r\n",
        "+ Idling|<idle>a BAD DONE is expected here (octet 0)|<idle broken><c Noop>",
    );
}

/// RFC 9051 §6.3.12, RFC 3502, RFC 7888, RFC 6855 §4, RFC 3516 §4.4.
#[test]
fn append() {
    check(
        Authenticated,
        "a APPEND INBOX {5}\r\nhello\r\nb NOOP\r\n",
        "<a append INBOX 0 5>+ OK|hello<a append end><b Noop>",
    );
    check(Authenticated, "a APPEND \"In\" (\\Seen) {5+}\r\nhello\r\n", "<a append In 0 5>hello<a append end>");
    check(Authenticated, "a APPEND {3}\r\nfoo {5}\r\nhello\r\n", "+ OK|<a append foo 0 5>+ OK|hello<a append end>");
    check(Authenticated, "a APPEND {3+}\r\nfoo () {5+}\r\nhello\r\n", "<a append foo 0 5>hello<a append end>");
    check(
        Authenticated,
        "a APPEND x {1+}\r\n1 (\\Seen) {1+}\r\n2 \"01-Jan-2026 00:00:00 +0000\" {1}\r\n3\r\n",
        "<a append x 0 1>1<a append x 1 1>2<a append x 2 1>+ OK|3<a append end>",
    );
    check(Authenticated, "a APPEND x UTF8 (~{2+}\r\nhi)\r\n", "<a append x 0 2>hi<a append end>");
    check(Authenticated, "a APPEND x ~{2+}\r\nh\0\r\n", "<a append x 0 2>h\0<a append end>");
}

#[test]
fn refused_appends() {
    check(Authenticated, "a APPEND Full {5}\r\nb NOOP\r\n", "<a append Full 0 5>a NO [OVERQUOTA] Full|<b Noop>");
    check(
        Authenticated,
        "a APPEND Full {5+}\r\nhello {2+}\r\nhi\r\nb NOOP\r\n",
        "<a append Full 0 5>a NO [OVERQUOTA] Full|<b Noop>",
    );
    // RFC 3502: all messages of one APPEND are held until its end.
    let (large, other) = ("x".repeat(600), "y".repeat(401));
    check(
        Authenticated,
        &format!("a APPEND x {{600+}}\r\n{large} {{401+}}\r\n{other}\r\nb NOOP\r\n"),
        &format!(
            "<a append x 0 600>{large}a NO [LIMIT] The messages of one APPEND are too large together|<append broken><b Noop>"
        ),
    );
    check(Authenticated, "a APPEND x {1001}\r\nb NOOP\r\n", "a NO [TOOBIG] The message is too large|<b Noop>");
    check(Authenticated, "a APPEND x {0}\r\nb NOOP\r\n", "a NO APPEND was taken back|<b Noop>");
    check(
        Authenticated,
        "a APPEND x {1+}\r\n1 {0+}\r\n\r\nb NOOP\r\n",
        "<a append x 0 1>1a NO APPEND was taken back|<append broken><b Noop>",
    );
    check(
        Authenticated,
        "a APPEND x (\\Frob) {5+}\r\nhello\r\nb NOOP\r\n",
        "a BAD No flag: `\\Frob` is no system flag (octet 12)|<b Noop>",
    );
    check(Authenticated, "a APPEND x hello\r\n", "a BAD A message must be sent as a literal (octet 11)|");
    check(
        Authenticated,
        "a APPEND x {1+}\r\n1x\r\nb NOOP\r\n",
        "<a append x 0 1>1a BAD The command should end here, or another message follow (octet 0)|<append broken><b Noop>",
    );
    check(
        Authenticated,
        "a APPEND x UTF8 (~{2+}\r\nhi\r\nb NOOP\r\n",
        "<a append x 0 2>hia BAD `)` is missing after the message (octet 0)|<append broken><b Noop>",
    );
    check(
        Authenticated,
        "a APPEND x {1+}\r\n1 FROB {3+}\r\nabc\r\nb NOOP\r\n",
        "<a append x 0 1>1a BAD A message must be sent as a literal (octet 1)|<append broken><b Noop>",
    );
}

/// A disk that fills up in the middle of a message.
#[test]
fn appends_that_are_refused_late() {
    let mut driver = Driver::new(Authenticated);
    driver.run(b"a APPEND x {5}\r\n");
    driver.run(b"he");
    driver.session.refuse_append(&mut driver.out, Some(&ResponseCode::Unavailable), "No room");
    driver.run(b"llo {3+}\r\nabc\r\nb NOOP\r\n");
    assert_eq!(driver.log, "<a append x 0 5>+ OK|hea NO [UNAVAILABLE] No room|<b Noop>");
    driver.session.refuse_append(&mut driver.out, None, "None is under way");
    assert!(driver.out.is_empty());
}

/// RFC 7162 §3.2.3: QRESYNC brings CONDSTORE.
#[test]
fn enabling() {
    let mut session = Session::new(Arc::new(config()), true);
    assert!(session.enable(Extension::QResync) && session.enabled().condstore);
    assert!(!session.enable(Extension::CondStore) && !session.enabled().utf8());
    assert!(session.enable(Extension::Imap4Rev2) && session.enabled().utf8());
}

/// 5,000 of them stand idle.
#[test]
fn an_idle_session_is_small() {
    let mut driver = Driver::new(Selected);
    driver.run(b"a NOOP\r\nb IDLE\r\n");
    assert_eq!(driver.session.inbox.octets.capacity(), 0);
    assert!(size_of::<Session>() <= 256, "{}", size_of::<Session>());
}

/// RFC 5255 §3.2.
#[test]
fn what_is_said_is_said_in_the_language_asked_for() {
    let mut driver = Driver::new(Selected);
    assert_eq!(driver.session.speak(Language::French), Language::Default);
    driver.run(b"a FROB\r\nb SELECT a//b\r\nc IDLE\r\nDONE\r\nd LOGOUT\r\n");
    let expected = "a BAD Commande inconnue (octet 6)|\
        b NO [CANNOT] Aucune boîte ne peut porter ce nom : un niveau du nom est vide (octet 9)|\
        + J’attends|<idle><c done>* BYE À la prochaine fois|d OK Déconnecté|<close>";
    assert_eq!(driver.log, expected);
}

/// RFC 5255 §7: anybody on the way may have asked for a language before the handshake. RFC 8437 §3: another may come.
#[test]
fn a_language_is_forgotten_with_who_asked_for_it() {
    for (state, said) in [(NotAuthenticated, "a STARTTLS\r\n"), (Selected, "a UNAUTHENTICATE\r\n")] {
        let mut driver = Driver::new(state);
        driver.session.speak(Language::French);
        driver.run(said.as_bytes());
        assert_eq!(driver.session.language(), Language::Default, "{}", driver.log);
    }
}

#[test]
fn the_greeting_tells_what_we_can() {
    let mut out = Vec::new();
    Session::new(Arc::new(config()), false).greet(&mut out);
    let expected = "* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE LANGUAGE SASL-IR STARTTLS LOGINDISABLED] Relais is ready\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

const DIALOGUE: &str = "a NOOP\r\nb RENAME {3+}\r\nfoo {3}\r\nbar\r\nc APPEND x {5+}\r\nhello UTF8 (~{3}\r\nfoo)\r\nd FROB {4+}\r\n\
    x\r\ny {3+}\r\nabc\r\ne IDLE\r\nDONE\r\nf APPEND Full {3+}\r\nabc\r\ng LOGIN {3}\r\nh SEARCH TEXT {6+}\r\n{3+}\r\n\n\
    i APPEND x {1+}\r\n1 x\r\nj LOGOUT\r\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_split_gives_the_same(cuts in prop::collection::vec(1usize..9, 300)) {
        let mut whole = Driver::new(Selected);
        whole.run(DIALOGUE.as_bytes());
        let mut split = Driver::new(Selected);
        let mut rest = DIALOGUE.as_bytes();
        for cut in cuts {
            let (piece, left) = rest.split_at(cut.min(rest.len()));
            if !piece.is_empty() && !split.log.ends_with("<close>") {
                split.run(piece);
            }
            rest = left;
        }
        prop_assert!(whole.log.ends_with("* BYE Until next time|j OK Logged out|<close>"), "{}", whole.log);
        prop_assert_eq!(split.log, whole.log);
    }

    #[test]
    fn nothing_panics(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::sample::select(DIALOGUE.split(' ').collect::<Vec<_>>()).prop_map(|word| word.as_bytes().to_vec()),
                prop::collection::vec(any::<u8>(), 0..6),
                Just(b" ".to_vec()),
                Just(b"\r\n".to_vec()),
            ],
            0..60,
        ),
        cut in 1usize..30,
    ) {
        let octets = pieces.concat();
        let (mut whole, mut split) = (Driver::new(Selected), Driver::new(Selected));
        if !octets.is_empty() {
            whole.run(&octets);
        }
        for piece in octets.chunks(cut) {
            if !split.log.ends_with("<close>") {
                split.run(piece);
            }
        }
        prop_assert_eq!(split.log, whole.log);
    }
}
